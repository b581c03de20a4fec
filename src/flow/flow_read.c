/*
 * The storefront's GETs: one operation, one answer.
 */

#include "flow_util.h"
#include "pay_id.h"


/* A storefront's GET: the resource and the id out of its path, unchecked. */
typedef struct {
    pay_read_t  what;
    pay_str_t   id;
    int         sees_risk;
} read_t;


static pay_status_t ready_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t ready_done(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t read_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t read_ask(pay_flow_t *flow, const read_t *read,
    pay_effect_t *effect);
static pay_status_t read_done(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t read_render(pay_flow_t *flow, read_t *read,
    const pay_input_t *input, pay_reply_t *reply);
static pay_status_t render_order(pay_flow_t *flow, const read_t *read,
    const pay_input_t *input, pay_checkout_t *checkout, pay_reply_t *reply);


static const pay_flow_type_t  read_type = {
    .name = "read", .start = read_start, .may_be_late = 1
};


pay_status_t
pay_flow_read(pay_flow_t *flow, pay_read_t what, pay_str_t merchant_id,
    pay_str_t id, int sees_risk)
{
    read_t  *read;

    read = pay_calloc(flow->arena, sizeof(read_t));
    if (read == NULL) {
        return PAY_NO_MEMORY;
    }

    read->what = what;
    read->id = id;
    read->sees_risk = sees_risk;
    pay_flow_begin(flow, &read_type, read);
    flow->merchant_id = merchant_id;

    return PAY_OK;
}


static const pay_flow_type_t  ready_type = {
    .name = "ready", .start = ready_start
};


/* The probe goes the whole way of a request (queue, connection, prepared
 * statement, row), so that 200 means that requests would work, not only that a
 * socket is open. */
pay_status_t
pay_flow_ready(pay_flow_t *flow)
{
    pay_flow_begin(flow, &ready_type, NULL);

    return PAY_OK;
}


/* Looks up a handle that no checkout has: any answer proves readiness. */
static pay_status_t
ready_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_get_handle_in_t  in = { .handle = PAY_STR("ready") };

    (void) input;

    return pay_do_get_handle(flow, effect, &in, ready_done);
}


/* Any row is proof enough; its outcome is not looked at. */
static pay_status_t
ready_done(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_reply_t  *reply;

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, 200, &reply));

    reply->body = PAY_STR("{\"status\":\"ready\"}");
    flow->outcome = "ready";
    pay_do_done(effect, reply);

    return PAY_OK;
}


/* An id that no checkout can have is answered like one that no checkout has,
 * without a query. */
static pay_status_t
read_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    read_t  *read = flow->state;

    (void) input;

    if (!pay_id_is_valid(read->id)) {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    return read_ask(flow, read, effect);
}


/* Every operation gets the merchant of the token: an id of another merchant is
 * not found, and nothing tells the two cases apart. */
static pay_status_t
read_ask(pay_flow_t *flow, const read_t *read, pay_effect_t *effect)
{
    switch (read->what) {

    case PAY_READ_PAYMENT:
        return pay_do_get_order(flow, effect, &(pay_get_order_in_t) {
            .merchant_id = flow->merchant_id, .payment_order_id = read->id
        }, read_done);

    case PAY_READ_CHECKOUT:
        return pay_do_get_checkout(flow, effect, &(pay_get_checkout_in_t) {
            .merchant_id = flow->merchant_id, .checkout_id = read->id
        }, read_done);

    case PAY_READ_EVENTS:
        return pay_do_get_events(flow, effect, &(pay_get_events_in_t) {
            .merchant_id = flow->merchant_id, .payment_order_id = read->id
        }, read_done);

    case PAY_READ_EXPLAIN:
        return pay_do_explain_payment(flow, effect,
            &(pay_explain_payment_in_t) {
                .merchant_id = flow->merchant_id,
                .payment_order_id = read->id,
                .sees_risk = read->sees_risk
            }, read_done);

    default:
        return pay_do_explain_checkout(flow, effect,
            &(pay_explain_checkout_in_t) {
                .merchant_id = flow->merchant_id, .checkout_id = read->id,
                .sees_risk = read->sees_risk
            }, read_done);
    }
}


/* 404 for all outcomes but FOUND, for the same reason. */
static pay_status_t
read_done(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_reply_t  *reply;

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    if (pay_move_next(flow, input)) {
        return read_ask(flow, flow->state, effect);
    }

    if (input->result.outcome != PAY_OUTCOME_FOUND) {
        return pay_done_problem(flow, effect, "not-found", NULL);
    }

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, 200, &reply));
    PAY_TRY(read_render(flow, flow->state, input, reply));

    flow->outcome = "found";
    pay_do_done(effect, reply);

    return PAY_OK;
}


/* The shape of the row says which resource it is.  Timeline and explanation
 * are JSON that SQL has made and only need copying, because the row ends with
 * this step; checkouts are rendered here, since amounts leave as decimal
 * text. */
static pay_status_t
read_render(pay_flow_t *flow, read_t *read, const pay_input_t *input,
    pay_reply_t *reply)
{
    pay_checkout_t               *checkout;
    const pay_events_row_t       *events = pay_row_events(&input->result);
    const pay_explanation_row_t  *explained;

    if (events != NULL) {
        flow->order_id = read->id;

        return pay_timeline_render(flow->arena, read->id, events->events,
                                   &reply->body);
    }

    explained = pay_row_explanation(&input->result);

    if (explained != NULL) {
        *(read->what == PAY_READ_EXPLAIN ? &flow->order_id
                                         : &flow->checkout_id) = read->id;

        return pay_dup(flow->arena, explained->explanation, &reply->body);
    }

    checkout = pay_alloc(flow->arena, sizeof(pay_checkout_t));
    if (checkout == NULL) {
        return PAY_NO_MEMORY;
    }

    if (read->what == PAY_READ_PAYMENT) {
        return render_order(flow, read, input, checkout, reply);
    }

    PAY_TRY(pay_checkout_decode(flow->arena, pay_row_checkout(&input->result),
                                checkout));

    pay_flow_note(flow, checkout);
    reply->version = checkout->version;

    return pay_checkout_render(flow->arena, checkout, &reply->body);
}


/* get_order returns one order instead of a checkout with all of its orders;
 * the ETag is nevertheless the version of the checkout. */
static pay_status_t
render_order(pay_flow_t *flow, const read_t *read, const pay_input_t *input,
    pay_checkout_t *checkout, pay_reply_t *reply)
{
    PAY_TRY(pay_order_decode(flow->arena, pay_row_order(&input->result),
                             checkout));

    flow->checkout_id = checkout->checkout_id;
    flow->order_id = read->id;
    flow->psp_name = checkout->psp;
    reply->version = checkout->version;

    return pay_order_render(flow->arena, checkout, read->id, &reply->body);
}
