/*
 * GET of a page of a merchant's checkouts: one operation, one answer.
 */

#include "flow_util.h"


static pay_status_t page_start(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t page_found(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);


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
    flow->name = "read";
    flow->state = copy;
    flow->step = page_start;
    flow->merchant_id = merchant_id;

    return PAY_OK;
}


static pay_status_t
page_start(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    pay_page_t   *page = flow->state;
    pay_value_t  *v;

    (void) event;

    v = pay_calloc(flow->arena, 6 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(flow->merchant_id);
    v[1] = (page->status != NULL) ? pay_value_text(pay_str_of(page->status))
                                  : pay_value_null();
    v[2] = page->has_after ? pay_value_int(page->after_us)
                           : pay_value_null();
    v[3] = page->has_cursor ? pay_value_int(page->before_us)
                            : pay_value_null();
    v[4] = page->has_cursor
           ? pay_value_text((pay_str_t) { page->before_len, page->before_id })
           : pay_value_null();
    v[5] = pay_value_int(page->limit);

    pay_do_db(flow, effect, PAY_OP_LIST_CHECKOUTS, v, page_found);

    return PAY_OK;
}


static pay_status_t
page_found(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    pay_reply_t  *reply;

    if (event->kind == PAY_EVENT_DB_FAILED) {
        return pay_done_db_failed(flow, event, effect);
    }

    if (!pay_str_is(event->row[0].bytes, "found")) {
        return PAY_BUG;
    }

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, 200, &reply));
    PAY_TRY(pay_dup(flow->arena, event->row[1].bytes, &reply->body));
    flow->outcome = "found";
    pay_do_done(effect, reply);

    return PAY_OK;
}
