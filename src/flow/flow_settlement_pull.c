/*
 * A look at the settlements of a PSP's API: the list of those that are final,
 * then each of them, the oldest first, as a file that is made of the API's
 * answers.  A settlement is known by its id, so the digest of the file is that
 * of its name.  A PSP may alter it: see flow_settlement_reread.c.
 */

#include "flow_settlement.h"
#include "pay_crypto.h"


#define OPENED_MAX  32                 /* files of one look: the memory of
                                          their readers adds up */
#define STATUS_OK   200


static pay_status_t list_ask(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t list_came(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t list_keep(pay_flow_t *flow, settlement_pull_t *pull,
    const pay_psp_settlements_t *page);
static pay_status_t page_came(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);


pay_status_t
settlement_pull_start(pay_flow_t *flow, int64_t since_s,
    const pay_input_t *input, pay_effect_t *effect)
{
    settlement_t  *look = flow->state;

    look->pull = pay_calloc(flow->arena, sizeof(settlement_pull_t));
    if (look->pull == NULL) {
        return PAY_NO_MEMORY;
    }

    look->pull->since_s = since_s;
    look->pull->until_s = input->now_s;
    flow->psp_name = look->source->psp->name;

    return list_ask(flow, input, effect);
}


static pay_status_t
list_ask(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_status_t           status;
    settlement_t          *look = flow->state;
    const pay_psp_conf_t  *psp = look->source->psp;

    if (settlement_must_renew(flow, input, list_ask, effect, &status)) {
        return status;
    }

    PAY_TRY(pay_psp_settlements_request(flow->scratch, psp->adapter,
                                        &psp->account, look->pull->since_s,
                                        look->pull->cursor, &effect->http));
    pay_do_call(flow, effect, psp, PAY_CALL_SETTLEMENT, list_came);

    return PAY_OK;
}


static pay_status_t
list_came(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    settlement_t           *look = flow->state;
    settlement_pull_t      *pull = look->pull;
    pay_psp_settlements_t  *page;

    page = pay_alloc(flow->scratch, sizeof(*page));
    if (page == NULL) {
        return PAY_NO_MEMORY;
    }

    PAY_TRY(pay_psp_settlements_answer(flow->scratch,
                                       look->source->psp->adapter,
                                       pull->since_s, pull->cursor,
                                       input->answer, page));

    if (!page->known) {
        return settlement_end(flow, settlement_why_not(input->answer), effect);
    }

    if (pull->count + page->count > SETTLEMENT_PULL_MAX) {
        return settlement_end(flow, "too-many", effect);
    }

    PAY_TRY(list_keep(flow, pull, page));
    PAY_TRY(pay_dup(flow->arena, page->next, &pull->cursor));

    return pull->cursor.len != 0 ? list_ask(flow, input, effect)
                                 : settlement_pull_next(flow, input, effect);
}


/* The newest stand first, whatever the PSP's order is. */
static pay_status_t
list_keep(pay_flow_t *flow, settlement_pull_t *pull,
    const pay_psp_settlements_t *page)
{
    unsigned               i, k;
    pay_psp_settlement_t   one;

    for (i = 0; i < page->count; i++) {
        one = page->items[i];
        PAY_TRY(pay_dup(flow->arena, page->items[i].id, &one.id));

        for (k = pull->count; k > 0 && pull->items[k - 1].at_s < one.at_s;
             k--)
        {
            pull->items[k] = pull->items[k - 1];
        }

        pull->items[k] = one;
        pull->count++;
    }

    return PAY_OK;
}


pay_status_t
settlement_pull_next(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_str_t                    parts[2];
    pay_status_t                 status;
    settlement_t                *look = flow->state;
    settlement_pull_t           *pull = look->pull;
    unsigned char                sha256[PAY_SHA256_SIZE];
    const pay_psp_settlement_t  *one;

    if (settlement_must_renew(flow, input, settlement_pull_next, effect,
                              &status))
    {
        return status;
    }

    if (pull->count == 0 && pull->reread.is_over) {
        return settlement_has_balance(look)
               ? settlement_balance(flow, effect)
               : settlement_end(flow, NULL, effect);
    }

    if (pull->opened >= OPENED_MAX) {
        pull->has_more = 1;
        return settlement_end(flow, NULL, effect);
    }

    if (pull->count == 0) {
        return settlement_reread_next(flow, effect);
    }

    one = &pull->items[--pull->count];
    pull->seen_s = one->at_s;
    pull->page.id = one->id;
    pull->page.part = 0;
    pull->page.cursor = PAY_STR("");

    parts[0] = PAY_STR("pulled settlement ");
    parts[1] = one->id;
    PAY_TRY(pay_sha256_parts(parts, 2, sha256));

    return settlement_open(flow, one->id,
                           (pay_str_t) { sizeof(sha256), sha256 }, effect);
}


pay_status_t
settlement_pull_page(pay_flow_t *flow, pay_effect_t *effect)
{
    settlement_t          *look = flow->state;
    settlement_pull_t     *pull = look->pull;
    const pay_psp_conf_t  *psp = look->source->psp;

    pull->opened += pull->page.part == 0;

    PAY_TRY(pay_psp_settlement_request(flow->scratch, psp->adapter,
                                       &psp->account, &pull->page,
                                       &effect->http));
    pay_do_call(flow, effect, psp, PAY_CALL_SETTLEMENT, page_came);

    return PAY_OK;
}


static pay_status_t
page_came(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    const char    *why;
    pay_status_t   status;
    settlement_t  *look = flow->state;

    status = pay_psp_settlement_next(flow->scratch,
                                     look->source->psp->adapter,
                                     input->answer, &look->pull->page,
                                     &look->is_end);

    if (status == PAY_INVALID) {
        why = settlement_why_not(input->answer);
        return look->pull->reread.is_on
               ? settlement_reread_failed(flow, why, effect)
               : settlement_end(flow, why, effect);
    }

    PAY_TRY(status);
    PAY_TRY(pay_dup(flow->arena, look->pull->page.cursor,
                    &look->pull->page.cursor));
    look->is_same = 1;

    return look->pull->reread.is_compared
           ? settlement_reread_feed(flow, input, input->answer->body, effect)
           : settlement_feed(flow, input, input->answer->body, effect);
}


const char *
settlement_why_not(const pay_http_answer_t *answer)
{
    return answer->failure != PAY_FAILURE_NONE
           ? pay_failure_name(answer->failure)
           : answer->sent != PAY_ANSWERED ? "broken"
           : answer->status != STATUS_OK ? "http-error" : "not-readable";
}
