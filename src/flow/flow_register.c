/*
 * A registration at a PSP, shared by the request that starts it and by the
 * job that goes on with it: same stored checkout, same nonce, same bytes.
 * Another PSP comes in only when nothing can have happened at this one: the
 * call provably never left, or was refused before there was a page.  Whether
 * that is so of every attempt is PostgreSQL's to say (reroute).
 *
 *    register ─▶ answer ─┬─ token ─────────────▶ store_token ────▶ done
 *       ▲                ├─ unknown ───────────▶ store_no_token ─▶ done
 *       │                └─ refused, not sent ─▶ reroute
 *       └──────────────────────────── moved ───────┤
 *                                                  └▶ store_no_token ─▶ done
 *    find ─▶ page … page ─┬─ found ────────────▶ store_token ────▶ done
 *                         └─ anything else ────▶ store_no_token ─▶ done
 */

#include "flow_util.h"
#include "pay_url.h"


/* Pages of a PSP's list that one run of a job looks through; the next run
 * begins at the first page again. */
#define FIND_PAGES_MAX  100


static pay_status_t make_psp_checkout(pay_flow_t *flow,
    const pay_psp_conf_t *psp,
    const pay_checkout_t *checkout, pay_psp_checkout_t **psp_checkout);
static pay_status_t webhook_url(pay_flow_t *flow, const pay_psp_conf_t *psp,
    const pay_checkout_t *checkout, pay_str_t *url);
static void reset(pay_flow_t *flow, pay_register_t *reg);
static pay_status_t register_answered(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t register_moved(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t find_page(pay_flow_t *flow, pay_register_t *reg,
    pay_str_t from, pay_effect_t *effect);
static pay_status_t register_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t read_answer(pay_flow_t *flow, pay_register_t *reg,
    const pay_http_answer_t *answer);
static pay_status_t store(pay_flow_t *flow, pay_register_t *reg,
    pay_effect_t *effect);
static pay_status_t reroute(pay_flow_t *flow, pay_register_t *reg,
    pay_effect_t *effect);
static pay_status_t store_token(pay_flow_t *flow, pay_register_t *reg,
    pay_effect_t *effect);
static pay_status_t store_no_token(pay_flow_t *flow, pay_register_t *reg,
    pay_effect_t *effect);
static const char *is_dead(const pay_register_t *reg);
static int64_t attempt_of(const pay_register_t *reg);
static int can_find(const pay_register_t *reg);


/* The outcomes as SQL knows them.  DONE without a token to store and PENDING
 * do not occur in a registration; both read as unknown, the only word that is
 * never wrong. */
static const char  *const outcome_words[] = {
    [PAY_PSP_DONE] = "unknown", [PAY_PSP_PENDING] = "unknown",
    [PAY_PSP_REFUSED] = "refused", [PAY_PSP_NOT_SENT] = "not_sent",
    [PAY_PSP_UNKNOWN] = "unknown"
};
PAY_ROWS(outcome_words, PAY_PSP_OUTCOME_COUNT);


/* Builds the request in the flow's scratch: it is valid until the step
 * returns. PAY_INVALID when the adapter cannot express the checkout, which
 * routes use to pass the PSP over. */
pay_status_t
pay_register_build(pay_flow_t *flow, const pay_psp_conf_t *psp,
    const pay_checkout_t *checkout, pay_http_request_t *request,
    pay_err_t *err)
{
    pay_psp_checkout_t  *psp_checkout;

    PAY_TRY(make_psp_checkout(flow, psp, checkout, &psp_checkout));

    return psp->adapter->register_request(flow->scratch, &psp->account,
                                          psp_checkout, request, err);
}


/* The checkout as adapters get it, from stored values alone: every attempt
 * sends the same bytes, as a PSP requires of a repetition under one key. */
static pay_status_t
make_psp_checkout(pay_flow_t *flow, const pay_psp_conf_t *psp,
    const pay_checkout_t *checkout, pay_psp_checkout_t **made)
{
    unsigned             i;
    pay_psp_checkout_t  *psp_checkout;

    psp_checkout = pay_calloc(flow->scratch, sizeof(pay_psp_checkout_t));
    if (psp_checkout == NULL) {
        return PAY_NO_MEMORY;
    }

    psp_checkout->nonce = checkout->nonce;
    psp_checkout->merchant_reference = checkout->checkout_uuid;
    psp_checkout->currency = checkout->currency;
    psp_checkout->amount_minor = checkout->total_minor;
    psp_checkout->expires_s = checkout->expires_s;
    psp_checkout->line_count = checkout->order_count;
    psp_checkout->capture_later = checkout->manual;
    psp_checkout->challenge = pay_str_is(checkout->risk, "challenge");

    PAY_TRY(pay_format(flow->scratch, &psp_checkout->return_url, 4096,
                       "%.*s/return/%.*s", pay_fmt(checkout->base_url),
                       pay_fmt(checkout->handle)));
    if (psp->scheme->told_where) {
        PAY_TRY(webhook_url(flow, psp, checkout, &psp_checkout->webhook_url));
    }

    for (i = 0; i < checkout->order_count; i++) {
        psp_checkout->lines[i].payment_order_id = checkout->orders[i].id;
        psp_checkout->lines[i].amount_minor = checkout->orders[i].amount_minor;
        PAY_TRY(pay_format(flow->scratch, &psp_checkout->lines[i].name, 128,
                           "Order %.*s", pay_fmt(checkout->orders[i].id)));
    }

    *made = psp_checkout;

    return PAY_OK;
}


/* The address that the operator has registered at the PSP (webhook_url), or
 * the one under which the outside sees this gateway.  It must be equal on each
 * attempt, since it is part of the request's bytes. */
static pay_status_t
webhook_url(pay_flow_t *flow, const pay_psp_conf_t *psp,
    const pay_checkout_t *checkout, pay_str_t *url)
{
    if (psp->settings.url.len != 0) {
        *url = psp->settings.url;
        return PAY_OK;
    }

    return pay_format(flow->scratch, url, 4096, "%.*s/webhooks/%.*s",
                      pay_fmt(checkout->base_url), pay_fmt(psp->name));
}


/* Calls the PSP for a new session. The call is journaled already, by the
 * operation that has brought the checkout. A request that cannot be built is
 * stored as not sent, so that the registration may move to the next PSP. */
pay_status_t
pay_register_start(pay_flow_t *flow, pay_register_t *reg, pay_effect_t *effect)
{
    pay_status_t  status;

    reset(flow, reg);

    if (reg->psp == NULL) {
        reg->result.code = PAY_STR("psp_not_configured");
        return store(flow, reg, effect);
    }

    status = pay_register_build(flow, reg->psp, &reg->checkout, &effect->http,
                                NULL);
    if (status == PAY_INVALID) {
        reg->result.code = PAY_STR("request_refused");
        return store(flow, reg, effect);
    }

    PAY_TRY(status);

    pay_do_call(flow, effect, reg->psp, PAY_CALL_REGISTER, register_answered);
    flow->psp_name = reg->psp->name;

    return PAY_OK;
}


/* Searches the PSP for a registration that may not be repeated any more,
 * since its key window is over. Without a search at this PSP, operators have
 * to look. */
pay_status_t
pay_register_find(pay_flow_t *flow, pay_register_t *reg, pay_effect_t *effect)
{
    reset(flow, reg);
    reg->finding = 1;
    reg->pages = 0;
    reg->result.outcome = PAY_PSP_UNKNOWN;
    reg->result.code = PAY_STR(PAY_DEAD_KEY_WINDOW);

    return can_find(reg) ? find_page(flow, reg, PAY_STR(""), effect)
                         : store_no_token(flow, reg, effect);
}


/* Requests one page of the search; `from` is empty for the first. */
static pay_status_t
find_page(pay_flow_t *flow, pay_register_t *reg, pay_str_t from,
    pay_effect_t *effect)
{
    pay_psp_checkout_t       *psp_checkout;
    const pay_psp_adapter_t  *adapter = reg->psp->adapter;

    PAY_TRY(make_psp_checkout(flow, reg->psp, &reg->checkout, &psp_checkout));
    PAY_TRY(pay_dup(flow->scratch, from, &psp_checkout->find_from));
    PAY_TRY(adapter->find_request(flow->scratch, &reg->psp->account,
                                  psp_checkout, &effect->http));

    pay_do_call(flow, effect, reg->psp, PAY_CALL_FIND, register_found);
    flow->psp_name = reg->psp->name;

    return PAY_OK;
}


/* Forgets the last call, so that a call that is never made counts as one
 * without effect. */
static void
reset(pay_flow_t *flow, pay_register_t *reg)
{
    flow->sub = reg;
    reg->had_page = 0;
    reg->reach = PAY_REACH_NOTHING;
    reg->http_status = 0;
    memset(&reg->result, 0, sizeof(reg->result));
    reg->result.outcome = PAY_PSP_NOT_SENT;
    reg->result.retry_after_s = -1;
}


/* The PSP's answer, or the lack of one, is stored before anything else is
 * done. */
static pay_status_t
register_answered(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_register_t  *reg = flow->sub;

    PAY_TRY(read_answer(flow, reg, input->answer));

    return store(flow, reg, effect);
}


/* An empty list of the PSP does not prove that the registration will never
 * appear there.  The attempt therefore stays open, and a job searches again
 * until the limit. */
static pay_status_t
register_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_register_t  *reg = flow->sub;

    PAY_TRY(read_answer(flow, reg, input->answer));

    if (reg->result.outcome == PAY_PSP_DONE) {
        return store_token(flow, reg, effect);
    }

    if (reg->result.next.len > 0 && ++reg->pages < FIND_PAGES_MAX) {
        return find_page(flow, reg, reg->result.next, effect);
    }

    return store_no_token(flow, reg, effect);
}


/* Without a row it is not certain that the registration was moved: the old
 * PSP's outcome is refused if it was, and a job goes on. */
static pay_status_t
register_moved(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_register_t  *reg = flow->sub;

    if (input->result.outcome != PAY_OUTCOME_REROUTED) {
        return store_no_token(flow, reg, effect);
    }

    PAY_TRY(pay_checkout_decode(flow->arena, pay_row_checkout(&input->result),
                                &reg->checkout));
    reg->psp = pay_flow_psp(flow, reg->checkout.psp);
    reg->moves++;

    return pay_register_start(flow, reg, effect);
}


/* Judges an answer. The checkout is given to the adapter again, since an
 * echoed amount or id that differs makes the answer unknown; a page on a
 * foreign host makes it refused. */
static pay_status_t
read_answer(pay_flow_t *flow, pay_register_t *reg,
    const pay_http_answer_t *answer)
{
    pay_str_t                 url;
    pay_status_t              status;
    pay_psp_checkout_t        psp_checkout;
    const pay_checkout_t     *checkout = &reg->checkout;
    const pay_psp_adapter_t  *adapter = reg->psp->adapter;

    memset(&psp_checkout, 0, sizeof(psp_checkout));
    psp_checkout.nonce = checkout->nonce;
    psp_checkout.merchant_reference = checkout->checkout_uuid;
    psp_checkout.currency = checkout->currency;
    psp_checkout.amount_minor = checkout->total_minor;
    psp_checkout.expires_s = checkout->expires_s;
    psp_checkout.capture_later = checkout->manual;

    status = reg->finding
             ? adapter->find_answer(flow->arena, &psp_checkout, answer,
                                    &reg->result)
             : adapter->register_answer(flow->arena, &psp_checkout, answer,
                                        &reg->result);
    PAY_TRY(status);
    pay_flow_unread(flow, reg->finding ? "find" : "register",
                    &reg->result.unread);

    reg->reach = answer->reach;
    reg->http_status = answer->status;

    if (!reg->finding) {
        pay_dispatch_doubt(answer, &reg->result.outcome, &reg->result.code);
    }

    /* freed with the input, and the code is needed after this step */
    PAY_TRY(pay_dup(flow->arena, reg->result.code, &reg->result.code));

    if (reg->result.outcome != PAY_PSP_DONE) {
        return PAY_OK;
    }

    switch (pay_hosted_url_check(flow->arena, reg->result.hosted_url,
                                 reg->psp->hosted_hosts,
                                 reg->psp->hosted_host_count, &url, NULL))
    {

    case PAY_OK:
        reg->result.hosted_url = url;
        return PAY_OK;

    case PAY_INVALID:
        /* no buyer is sent to a host that the configuration does not name */
        reg->result.outcome = PAY_PSP_REFUSED;
        reg->result.code = PAY_STR("hosted_page_host_not_allowed");
        reg->had_page = 1;
        return PAY_OK;

    default:
        return PAY_NO_MEMORY;
    }
}


/* Only a call that provably had no effect may move the registration to
 * another PSP, and none that showed a page. */
static pay_status_t
store(pay_flow_t *flow, pay_register_t *reg, pay_effect_t *effect)
{
    switch (reg->result.outcome) {

    case PAY_PSP_DONE:
        return store_token(flow, reg, effect);

    case PAY_PSP_NOT_SENT:
    case PAY_PSP_REFUSED:
        if (!reg->had_page && reg->moves < PAY_ROUTE_PSPS_MAX) {
            return reroute(flow, reg, effect);
        }

        return store_no_token(flow, reg, effect);

    default:
        return store_no_token(flow, reg, effect);
    }
}


/* Asks PostgreSQL for the next PSP of the route: it alone knows whether
 * another call is open. */
static pay_status_t
reroute(pay_flow_t *flow, pay_register_t *reg, pay_effect_t *effect)
{
    pay_reroute_in_t  in = {
        .merchant_id = reg->checkout.merchant_id,
        .checkout_id = reg->checkout.checkout_id,
        .psp = reg->checkout.psp,
        .outcome = pay_str_of(outcome_words[reg->result.outcome]),
        .code = reg->result.code,
        .lease_ms = flow->env->lease_ms,
        .request_id = flow->request_id,
        .attempt = reg->checkout.attempt,
        .reach = pay_str_of(pay_reach_name(reg->reach)),
        .http_status = pay_maybe(reg->http_status != 0, reg->http_status)
    };

    return pay_do_reroute(flow, effect, &in, register_moved);
}


/* Commits the token before any client sees the page's address. */
static pay_status_t
store_token(pay_flow_t *flow, pay_register_t *reg, pay_effect_t *effect)
{
    pay_store_token_in_t  in = {
        .merchant_id = reg->checkout.merchant_id,
        .checkout_id = reg->checkout.checkout_id,
        .psp = reg->checkout.psp,
        .hosted_url = reg->result.hosted_url,
        .poll_after_ms = flow->env->poll_after_ms,
        .request_id = flow->request_id
    };

    /* freed with the input, but an argument must outlive the step */
    PAY_TRY(pay_dup(flow->arena, reg->result.token, &in.token));
    PAY_TRY(pay_dup(flow->arena, reg->result.alias, &in.alias));

    return pay_do_store_token(flow, effect, &in, reg->done);
}


/* Stores the outcome of the attempt, and when the job tries again. "held"
 * says that the PSP was only searched, so the attempt keeps its state. */
static pay_status_t
store_no_token(pay_flow_t *flow, pay_register_t *reg, pay_effect_t *effect)
{
    pay_store_no_token_in_t  in = {
        .merchant_id = reg->checkout.merchant_id,
        .checkout_id = reg->checkout.checkout_id,
        .psp = reg->checkout.psp,
        .outcome = reg->finding
                   ? PAY_STR("held")
                   : pay_str_of(outcome_words[reg->result.outcome]),
        .code = reg->result.code,
        .retry_after_ms = pay_retry_ms(reg->psp, PAY_RETRY_REGISTER,
                                       attempt_of(reg),
                                       reg->result.retry_after_s,
                                       reg->checkout.nonce),
        .request_id = flow->request_id,
        .reach = pay_str_of(pay_reach_name(reg->reach)),
        .http_status = pay_maybe(reg->http_status != 0, reg->http_status),
        .dead = pay_str_of(is_dead(reg)),
        .attempt = reg->checkout.attempt
    };

    return pay_do_store_no_token(flow, effect, &in, reg->done);
}


/* Whether a job gives the registration up (the reason), or goes on (NULL).  A
 * refused registration ends without a dead letter; a search has the limit of
 * registrations, too. */
static const char *
is_dead(const pay_register_t *reg)
{
    if (!reg->finding) {
        return (reg->result.outcome == PAY_PSP_REFUSED)
               ? NULL : pay_retry_dead(reg->psp, PAY_RETRY_REGISTER,
                                       attempt_of(reg));
    }

    return (!can_find(reg)
            || pay_retry_dead(reg->psp, PAY_RETRY_REGISTER, attempt_of(reg)))
           ? PAY_DEAD_KEY_WINDOW : NULL;
}


/* The attempt number of the job if there is one (an operator may have requeued
 * it), else that of the registration. */
static int64_t
attempt_of(const pay_register_t *reg)
{
    return (reg->looks > 0) ? reg->looks : reg->checkout.attempt;
}


/* The slot of the adapter is NULL where the PSP has no list or no search that
 * is complete. */
static int
can_find(const pay_register_t *reg)
{
    return reg->psp != NULL && reg->psp->adapter->find_request != NULL;
}
