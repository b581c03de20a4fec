/*
 * The storefront's GETs: one operation, one answer.
 */

#include "flow_util.h"
#include "pay_id.h"


typedef struct {
    pay_read_t  what;
    pay_str_t   id;
} read_t;


static pay_status_t ready_start(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t ready_done(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t read_start(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t read_done(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t read_render(pay_flow_t *flow, read_t *read,
    const pay_event_t *event, pay_reply_t *reply);
static pay_status_t render_order(pay_flow_t *flow, const read_t *read,
    const pay_event_t *event, pay_checkout_t *checkout, pay_reply_t *reply);


static const pay_op_id_t  read_ops[] = {
    [PAY_READ_PAYMENT] = PAY_OP_GET_ORDER,
    [PAY_READ_CHECKOUT] = PAY_OP_GET_CHECKOUT,
    [PAY_READ_EVENTS] = PAY_OP_GET_EVENTS,
    [PAY_READ_EXPLAIN] = PAY_OP_EXPLAIN_PAYMENT,
    [PAY_READ_EXPLAIN_CHECKOUT] = PAY_OP_EXPLAIN_CHECKOUT
};


pay_status_t
pay_flow_read(pay_flow_t *flow, pay_read_t what, pay_str_t merchant_id,
    pay_str_t id)
{
    read_t  *read;

    read = pay_calloc(flow->arena, sizeof(read_t));
    if (read == NULL) {
        return PAY_NO_MEMORY;
    }

    read->what = what;
    read->id = id;
    flow->name = "read";
    flow->state = read;
    flow->step = read_start;
    flow->merchant_id = merchant_id;

    return PAY_OK;
}


pay_status_t
pay_flow_ready(pay_flow_t *flow)
{
    flow->name = "ready";
    flow->step = ready_start;

    return PAY_OK;
}


/* Looks for a handle that nobody has: any row is a good one. */
static pay_status_t
ready_start(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    pay_value_t  *v;

    (void) event;

    v = pay_calloc(flow->arena, sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(PAY_STR("ready"));
    pay_do_db(flow, effect, PAY_OP_GET_HANDLE, v, ready_done);

    return PAY_OK;
}


static pay_status_t
ready_done(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    pay_reply_t  *reply;

    if (event->kind == PAY_EVENT_DB_FAILED) {
        return pay_done_db_failed(flow, event, effect);
    }

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, 200, &reply));

    reply->body = PAY_STR("{\"status\":\"ready\"}");
    flow->outcome = "ready";
    pay_do_done(effect, reply);

    return PAY_OK;
}


static pay_status_t
read_start(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    read_t       *read = flow->state;
    pay_value_t  *v;

    (void) event;

    if (!pay_id_is_valid(read->id)) {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    v = pay_calloc(flow->arena, 2 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(flow->merchant_id);
    v[1] = pay_value_text(read->id);

    pay_do_db(flow, effect, read_ops[read->what], v, read_done);

    return PAY_OK;
}


static pay_status_t
read_done(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    pay_reply_t  *reply;

    if (event->kind == PAY_EVENT_DB_FAILED) {
        return pay_done_db_failed(flow, event, effect);
    }

    if (!pay_str_is(event->row[0].bytes, "found")) {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, 200, &reply));
    PAY_TRY(read_render(flow, flow->state, event, reply));

    flow->outcome = "found";
    pay_do_done(effect, reply);

    return PAY_OK;
}


static pay_status_t
read_render(pay_flow_t *flow, read_t *read, const pay_event_t *event,
    pay_reply_t *reply)
{
    pay_checkout_t  *checkout;

    if (read->what == PAY_READ_EVENTS) {
        flow->order_id = read->id;

        return pay_timeline_render(flow->arena, read->id,
                                   event->row[1].bytes, &reply->body);
    }

    if (read->what == PAY_READ_EXPLAIN) {
        flow->order_id = read->id;

        return pay_dup(flow->arena, event->row[1].bytes, &reply->body);
    }

    if (read->what == PAY_READ_EXPLAIN_CHECKOUT) {
        flow->checkout_id = read->id;

        return pay_dup(flow->arena, event->row[1].bytes, &reply->body);
    }

    checkout = pay_alloc(flow->arena, sizeof(pay_checkout_t));
    if (checkout == NULL) {
        return PAY_NO_MEMORY;
    }

    if (read->what == PAY_READ_PAYMENT) {
        return render_order(flow, read, event, checkout, reply);
    }

    PAY_TRY(pay_checkout_decode(flow->arena, event->row + 1, checkout));

    pay_flow_note(flow, checkout);
    reply->version = checkout->version;

    return pay_checkout_render(flow->arena, checkout, &reply->body);
}


static pay_status_t
render_order(pay_flow_t *flow, const read_t *read, const pay_event_t *event,
    pay_checkout_t *checkout, pay_reply_t *reply)
{
    PAY_TRY(pay_order_decode(flow->arena, event->row + 1, checkout));

    flow->checkout_id = checkout->checkout_id;
    flow->order_id = read->id;
    flow->psp_name = checkout->psp;
    reply->version = checkout->version;

    return pay_order_render(flow->arena, checkout, read->id, &reply->body);
}
