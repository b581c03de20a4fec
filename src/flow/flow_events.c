/*
 * GET of events, endpoints and deliveries of a merchant: one operation, whose
 * JSON is the answer.
 */

#include "flow_util.h"


static pay_status_t events_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t events_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);


static const pay_flow_type_t  events_type = {
    .name = "read", .start = events_start, .may_be_late = 1
};


pay_status_t
pay_flow_events(pay_flow_t *flow, pay_str_t merchant_id,
    const pay_events_query_t *query)
{
    pay_events_query_t  *copy;

    copy = pay_alloc(flow->arena, sizeof(pay_events_query_t));
    if (copy == NULL) {
        return PAY_NO_MEMORY;
    }

    *copy = *query;
    pay_flow_begin(flow, &events_type, copy);
    flow->merchant_id = merchant_id;

    return PAY_OK;
}


static pay_status_t
events_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    const pay_events_query_t  *query = flow->state;
    pay_list_messages_in_t     messages = {
        .merchant_id = flow->merchant_id, .message_id = query->id,
        .after = query->after, .type = query->type, .limit = query->limit
    };
    pay_list_endpoints_in_t    endpoints = {
        .merchant_id = flow->merchant_id, .endpoint_id = query->id
    };
    pay_list_deliveries_in_t   deliveries = {
        .merchant_id = flow->merchant_id, .endpoint_id = query->endpoint,
        .state = query->state, .before = query->before, .limit = query->limit
    };

    (void) input;

    switch (query->list) {

    case PAY_EVENTS_MESSAGES:
        return pay_do_list_messages(flow, effect, &messages, events_found);

    case PAY_EVENTS_ENDPOINTS:
        return pay_do_list_endpoints(flow, effect, &endpoints, events_found);

    default:
        return pay_do_list_deliveries(flow, effect, &deliveries,
                                      events_found);
    }
}


static pay_status_t
events_found(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_reply_t           *reply;
    const pay_page_row_t  *row = pay_row_page(&input->result);

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    if (input->result.outcome == PAY_OUTCOME_NOT_FOUND) {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    if (row == NULL) {
        return PAY_BUG;
    }

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, 200, &reply));
    PAY_TRY(pay_dup(flow->arena, row->page, &reply->body));
    flow->outcome = "found";
    pay_do_done(effect, reply);

    return PAY_OK;
}
