/*
 * GET of a page of a merchant's checkouts: one operation, one answer.
 */

#include "flow_util.h"


static pay_status_t page_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t page_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);


static const pay_flow_type_t  page_type = {
    .name = "read", .start = page_start, .may_be_late = 1
};


/* The page's parameters are copied, for they are the request's. */
pay_status_t
pay_flow_read_page(pay_flow_t *flow, pay_str_t merchant_id,
    const pay_page_t *page)
{
    pay_page_t  *copy;

    copy = pay_alloc(flow->arena, sizeof(pay_page_t));
    if (copy == NULL) {
        return PAY_NO_MEMORY;
    }

    *copy = *page;
    pay_flow_begin(flow, &page_type, copy);
    flow->merchant_id = merchant_id;

    return PAY_OK;
}


/* Times are in microseconds since 1970, PostgreSQL's resolution; cursor and id
 * together name the last row of the page before, so that rows of one
 * microsecond are neither lost nor shown twice. */
static pay_status_t
page_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_page_t              *page = flow->state;
    pay_list_checkouts_in_t  in = {
        .merchant_id = flow->merchant_id,
        .status = pay_str_of(page->status),
        .after_us = pay_maybe(page->has_after, page->after_us),
        .before_us = pay_maybe(page->has_cursor, page->before_us),
        .limit = page->limit
    };

    (void) input;

    if (page->has_cursor) {
        in.before_id = (pay_str_t) { page->before_len, page->before_id };
    }

    return pay_do_list_checkouts(flow, effect, &in, page_found);
}


/* An empty page is FOUND, too; no row is therefore a bug. */
static pay_status_t
page_found(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_reply_t           *reply;
    const pay_page_row_t  *row = pay_row_page(&input->result);

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    if (input->result.outcome != PAY_OUTCOME_FOUND || row == NULL) {
        return PAY_BUG;
    }

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, 200, &reply));
    PAY_TRY(pay_dup(flow->arena, row->page, &reply->body));
    flow->outcome = "found";
    pay_do_done(effect, reply);

    return PAY_OK;
}
