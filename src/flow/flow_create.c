/*
 * POST /v1/payments: begin (one commit) → close the page that it replaces, if
 * it does → register at the PSP → keep the
 * token (one commit) → answer.  The URL is shown only after the second
 * commit; an unknown outcome is 202 with the stored state and a job goes on.
 */

#include "flow_util.h"


#define HOUR_S        3600
#define RATE_RETRY_S  60


typedef struct {
    pay_create_input_t  in;
    pay_route_t         route;         /* those that can take the order */
    pay_register_t      reg;           /* its checkout is the request's */
    pay_replace_t       replace;
    int                 can_close;     /* the PSP of what it replaces */
} create_t;


static pay_status_t create_start(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t create_old_found(pay_flow_t *flow,
    const pay_event_t *event, pay_effect_t *effect);
static pay_status_t begin(pay_flow_t *flow, create_t *create,
    pay_effect_t *effect);
static pay_status_t create_begun(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t begun_otherwise(pay_flow_t *flow, create_t *create,
    pay_str_t outcome, pay_effect_t *effect);
static pay_status_t create_released(pay_flow_t *flow,
    const pay_event_t *event, pay_effect_t *effect);
static pay_status_t create_stored(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect);
static pay_status_t choose(pay_flow_t *flow, create_t *create,
    const pay_event_t *event, pay_err_t *err);
static pay_status_t find_route(pay_flow_t *flow, create_t *create,
    const pay_event_t *event, pay_err_t *err);
static void fill_checkout(create_t *create);
static pay_status_t check_psp(pay_flow_t *flow, create_t *create,
    const pay_psp_t *psp, pay_err_t *err);
static int takes_later(const pay_payment_request_t *request,
    const pay_psp_adapter_t *adapter);
static pay_status_t route_names(pay_flow_t *flow, const pay_route_t *route,
    pay_str_t *names);
static pay_status_t route_windows(pay_flow_t *flow, const pay_route_t *route,
    pay_str_t *windows);
static pay_status_t begin_args(pay_flow_t *flow, create_t *create,
    const pay_value_t **args);
static pay_status_t terms(pay_flow_t *flow, const create_t *create,
    pay_value_t *value);
static pay_status_t register_now(pay_flow_t *flow, create_t *create,
    pay_effect_t *effect);
static pay_status_t done_no_rate(pay_flow_t *flow, pay_effect_t *effect);
static pay_status_t done_nothing_to_replace(pay_flow_t *flow,
    pay_effect_t *effect);
static pay_status_t done_not_replaced(pay_flow_t *flow, create_t *create,
    pay_effect_t *effect, int replayed);
static pay_status_t done_exists(pay_flow_t *flow, create_t *create,
    pay_effect_t *effect);
static pay_status_t done_state(pay_flow_t *flow, create_t *create,
    pay_effect_t *effect, int replayed);
static pay_status_t checkout_url(pay_flow_t *flow, create_t *create,
    pay_str_t checkout_id, pay_str_t *url);


static const char  *const late_names[] = {
    [PAY_LATE_ACCEPT] = "accept", [PAY_LATE_HOLD] = "hold",
    [PAY_LATE_REFUND] = "refund"
};


pay_status_t
pay_flow_create(pay_flow_t *flow, const pay_create_input_t *input)
{
    create_t  *create;

    create = pay_calloc(flow->arena, sizeof(create_t));
    if (create == NULL) {
        return PAY_NO_MEMORY;
    }

    create->in = *input;
    flow->name = "create";
    flow->state = create;
    flow->step = create_start;
    flow->merchant_id = input->merchant->id;
    flow->checkout_id = input->request->checkout_id;

    return PAY_OK;
}


static pay_status_t
create_start(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    create_t           *create = flow->state;
    pay_err_t           err;
    pay_value_t        *v;
    pay_status_t        status;

    memset(&err, 0, sizeof(err));
    status = choose(flow, create, event, &err);

    if (status == PAY_INVALID) {
        return pay_done_refused(flow, effect, &err);
    }

    PAY_TRY(status);

    if (create->in.request->replaces.len == 0) {
        return begin(flow, create, effect);
    }

    v = pay_calloc(flow->arena, 2 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(create->in.merchant->id);
    v[1] = pay_value_text(create->in.request->replaces);
    pay_do_db(flow, effect, PAY_OP_GET_CHECKOUT, v, create_old_found);

    return PAY_OK;
}


/* Only which PSP has it is looked at here: whether it may be replaced, and
 * whether it is there, PostgreSQL says in the commit that begins the new one,
 * and a repetition of this request gets that one whatever became of the old. */
static pay_status_t
create_old_found(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect)
{
    create_t        *create = flow->state;
    pay_checkout_t  *old = &create->replace.old;

    if (event->kind == PAY_EVENT_DB_FAILED) {
        return pay_done_db_failed(flow, event, effect);
    }

    if (pay_str_is(event->row[0].bytes, "found")) {
        PAY_TRY(pay_checkout_decode(flow->arena, event->row + 1, old));
        create->can_close = pay_psp_closes(pay_flow_psp(flow, old->psp));
    }

    return begin(flow, create, effect);
}


static pay_status_t
begin(pay_flow_t *flow, create_t *create, pay_effect_t *effect)
{
    const pay_value_t  *args;

    PAY_TRY(begin_args(flow, create, &args));

    pay_do_db(flow, effect, PAY_OP_BEGIN_PAYMENT, args, create_begun);

    return PAY_OK;
}


static pay_status_t
create_begun(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    create_t   *create = flow->state;
    pay_str_t   outcome;

    if (event->kind == PAY_EVENT_DB_FAILED) {
        return pay_done_db_failed(flow, event, effect);
    }

    outcome = event->row[0].bytes;

    if (!pay_str_is(outcome, "created") && !pay_str_is(outcome, "waiting")
        && !pay_str_is(outcome, "replayed") && !pay_str_is(outcome, "exists"))
    {
        return begun_otherwise(flow, create, outcome, effect);
    }

    PAY_TRY(pay_checkout_decode(flow->arena, event->row + 1,
                                &create->reg.checkout));
    pay_flow_note(flow, &create->reg.checkout);

    if (pay_str_is(outcome, "created")) {
        return register_now(flow, create, effect);
    }

    if (pay_str_is(outcome, "waiting")) {
        create->replace.checkout = &create->reg.checkout;
        create->replace.change_id = create->in.change_id;
        create->replace.done = create_released;
        return pay_replace_start(flow, &create->replace, effect);
    }

    if (pay_str_is(outcome, "replayed")) {
        return done_state(flow, create, effect, 1);
    }

    if (pay_str_is(outcome, "exists")) {
        return done_exists(flow, create, effect);
    }

    return PAY_BUG;
}


/* Nothing was stored. */
static pay_status_t
begun_otherwise(pay_flow_t *flow, create_t *create, pay_str_t outcome,
    pay_effect_t *effect)
{
    if (pay_str_is(outcome, "key_reused")) {
        return pay_done_problem(flow, effect, "idempotency-key-reused", NULL);
    }

    if (pay_str_is(outcome, "in_progress")) {
        return pay_done_in_progress(flow, effect,
                                    create->in.in_progress_status);
    }

    if (pay_str_is(outcome, "rate_missing")) {
        return done_no_rate(flow, effect);
    }

    if (pay_str_is(outcome, "credit_too_large")) {
        return pay_done_problem(flow, effect, "amount-invalid",
                                "In its credit_currency an order would be "
                                "larger than one order may be.");
    }

    if (pay_str_is(outcome, "nothing_to_replace")) {
        return done_nothing_to_replace(flow, effect);
    }

    return pay_str_is(outcome, "not_replaced")
           ? done_not_replaced(flow, create, effect, 0) : PAY_BUG;
}


/* Without a row the job goes on, as it does with what waits. */
static pay_status_t
create_released(pay_flow_t *flow, const pay_event_t *event,
    pay_effect_t *effect)
{
    create_t  *create = flow->state;

    if (event->kind != PAY_EVENT_ROW) {
        return done_state(flow, create, effect, 0);
    }

    PAY_TRY(pay_checkout_decode(flow->arena, event->row + 1,
                                &create->reg.checkout));
    pay_flow_note(flow, &create->reg.checkout);

    return pay_str_is(event->row[0].bytes, "released")
           ? register_now(flow, create, effect)
           : done_state(flow, create, effect, 0);
}


static pay_status_t
create_stored(pay_flow_t *flow, const pay_event_t *event, pay_effect_t *effect)
{
    create_t  *create = flow->state;

    /* The PSP may hold a registration that we could not note down: the job
     * finds it by the same nonce, and nobody has seen its URL. */
    if (event->kind == PAY_EVENT_ROW) {
        PAY_TRY(pay_checkout_decode(flow->arena, event->row + 1,
                                    &create->reg.checkout));
    }

    return done_state(flow, create, effect, 0);
}


/* The PSPs that may take the order and can; what none of them can take is
 * refused before anything is stored, in the words of the first. */
static pay_status_t
choose(pay_flow_t *flow, create_t *create, const pay_event_t *event,
    pay_err_t *err)
{
    unsigned          i, able;
    pay_err_t         why;
    pay_route_t      *route = &create->route;
    pay_status_t      status;
    pay_checkout_t   *c = &create->reg.checkout;

    fill_checkout(create);
    PAY_TRY(find_route(flow, create, event, err));

    able = 0;

    for (i = 0; i < route->count; i++) {
        c->psp = route->psps[i]->name;
        status = check_psp(flow, create, route->psps[i], &why);

        if (status == PAY_OK) {
            route->psps[able++] = route->psps[i];

        } else if (status != PAY_INVALID) {
            return status;

        } else if (i == 0) {
            pay_err_copy(err, &why);
        }
    }

    route->count = able;

    if (able == 0) {
        return PAY_INVALID;
    }

    create->reg.psp = route->psps[0];
    c->psp = route->psps[0]->name;
    flow->psp_name = c->psp;

    return PAY_OK;
}


static pay_status_t
find_route(pay_flow_t *flow, create_t *create, const pay_event_t *event,
    pay_err_t *err)
{
    pay_status_t        status;
    pay_route_query_t   query;
    pay_route_t        *route = &create->route;

    if (create->in.psp != NULL) {
        route->psps[0] = create->in.psp;
        route->count = 1;
        route->reason = PAY_STR("named by the request");
        return PAY_OK;
    }

    query.currency = pay_str_of(create->in.request->currency->code);
    query.total_minor = create->in.request->total_minor;
    query.country = create->in.request->country;
    query.method = create->in.request->method;
    query.seed = create->in.checkout_uuid;

    status = pay_route_pick(flow->arena, flow->env, create->in.merchant,
                            &query, event->health, route);

    return (status == PAY_NOT_FOUND)
           ? pay_refuse(err, "validation-error",
                        "no PSP is configured for such an order")
           : status;
}


static void
fill_checkout(create_t *create)
{
    pay_checkout_t               *c = &create->reg.checkout;
    const pay_create_input_t     *in = &create->in;
    const pay_payment_request_t  *request = in->request;

    c->merchant_id = in->merchant->id;
    c->checkout_id = request->checkout_id;
    c->checkout_uuid = in->checkout_uuid;
    c->nonce = request->order_count == 1 ? request->orders[0].id
                                         : in->checkout_uuid;
    c->handle = in->handle;
    c->base_url = in->base_url;
    c->currency = request->currency;
    c->total_minor = request->total_minor;
    c->expires_s = in->now_s + request->expires_in_s;
    c->manual = request->manual;
    c->orders = request->orders;
    c->order_count = request->order_count;
}


static pay_status_t
check_psp(pay_flow_t *flow, create_t *create, const pay_psp_t *psp,
    pay_err_t *err)
{
    int64_t             expires_in_s = create->in.request->expires_in_s;
    pay_http_request_t  unused;

    if (expires_in_s < psp->adapter->min_expiry_s
        || expires_in_s > psp->adapter->max_expiry_s)
    {
        return pay_refuse_at(err, "validation-error",
                             "this PSP does not offer such an expires_in",
                             "/expires_in");
    }

    if (!takes_later(create->in.request, psp->adapter)) {
        return pay_refuse_at(err, "operation-not-supported",
                             "this PSP cannot capture such a checkout later",
                             "/capture");
    }

    return pay_register_build(flow, psp, &create->reg.checkout, &unused, err);
}


/* Where one capture is all there is, it cannot be shared among orders. */
static int
takes_later(const pay_payment_request_t *request,
    const pay_psp_adapter_t *adapter)
{
    return !request->manual
           || ((adapter->traits & PAY_PSP_AUTHORIZES)
               && (request->order_count == 1
                   || (adapter->traits & PAY_PSP_MULTICAPTURE)));
}


static pay_status_t
begin_args(pay_flow_t *flow, create_t *create, const pay_value_t **args)
{
    pay_value_t               *v;
    const pay_checkout_t      *c = &create->reg.checkout;
    const pay_create_input_t  *in = &create->in;

    v = pay_calloc(flow->args, 25 * sizeof(pay_value_t));
    if (v == NULL) {
        return PAY_NO_MEMORY;
    }

    v[0] = pay_value_text(c->merchant_id);
    v[1] = pay_value_text(in->idempotency_key);
    v[2] = pay_value_text(in->fingerprint);
    v[3] = pay_value_text(c->checkout_id);
    v[4] = pay_value_text(c->checkout_uuid);
    v[5] = pay_value_text(c->handle);
    v[6] = pay_value_text(c->psp);
    v[7] = pay_value_text(c->nonce);
    v[8] = pay_value_text(in->request->return_url);
    v[9] = pay_value_text(c->base_url);
    v[10] = pay_value_opt(in->request->buyer_info);
    v[11] = pay_value_opt(in->request->metadata);
    v[12] = pay_value_opt(in->request->card_info);
    v[13] = pay_value_text(pay_str_of(c->currency->code));
    v[14] = pay_value_int(c->total_minor);
    v[15] = pay_value_int(c->expires_s);
    PAY_TRY(pay_payment_orders_json(flow->args, in->request, &v[16].bytes));
    v[17] = pay_value_int(in->ttl_s);
    v[18] = pay_value_int(flow->env->lease_ms);
    v[19] = pay_value_text(flow->request_id);
    PAY_TRY(route_names(flow, &create->route, &v[20].bytes));
    v[21] = pay_value_opt(create->route.reason);
    PAY_TRY(route_windows(flow, &create->route, &v[22].bytes));
    v[23] = pay_value_text(pay_str_of(late_names[flow->env->late]));
    PAY_TRY(terms(flow, create, &v[24]));

    *args = v;

    return PAY_OK;
}


static pay_status_t
route_names(pay_flow_t *flow, const pay_route_t *route, pay_str_t *names)
{
    unsigned   i;
    pay_buf_t  buf;

    pay_buf_init(&buf, flow->args, 4096);

    for (i = 0; i < route->count; i++) {
        pay_buf_text(&buf, i == 0 ? "" : " ");
        pay_buf_add(&buf, route->psps[i]->name);
    }

    return pay_buf_done(&buf, names);
}


/* How long each knows a key, in seconds. */
static pay_status_t
route_windows(pay_flow_t *flow, const pay_route_t *route, pay_str_t *windows)
{
    unsigned   i;
    pay_buf_t  buf;

    pay_buf_init(&buf, flow->args, 256);

    for (i = 0; i < route->count; i++) {
        pay_buf_text(&buf, i == 0 ? "" : " ");
        pay_buf_int(&buf, (int64_t) route->psps[i]->adapter->key_window_hours
                          * HOUR_S);
    }

    return pay_buf_done(&buf, windows);
}


/* Who asks, and what an ordinary payment has none of. */
static pay_status_t
terms(pay_flow_t *flow, const create_t *create, pay_value_t *value)
{
    int                           converts;
    unsigned                      i;
    pay_buf_t                     buf;
    pay_str_t                     asked_by = create->in.asked_by;
    const pay_payment_request_t  *request = create->in.request;

    for (i = 0, converts = 0; i < request->order_count; i++) {
        converts |= request->orders[i].credit != NULL;
    }

    *value = pay_value_null();

    if (!request->manual && !converts && request->replaces.len == 0
        && asked_by.len == 0)
    {
        return PAY_OK;
    }

    pay_buf_init(&buf, flow->args, 1024);
    pay_buf_text(&buf, request->manual ? "{\"capture\":\"manual\""
                                       : "{\"capture\":\"automatic\"");

    if (converts && flow->env->quote_ttl_s > 0) {
        pay_buf_text(&buf, ",\"quote_ttl_s\":");
        pay_buf_int(&buf, flow->env->quote_ttl_s);
    }

    if (converts && flow->env->rate_age_s > 0) {
        pay_buf_text(&buf, ",\"rate_age_s\":");
        pay_buf_int(&buf, flow->env->rate_age_s);
    }

    if (request->replaces.len != 0) {
        pay_buf_text(&buf, ",\"replaces\":\"");
        pay_buf_add(&buf, request->replaces);
        pay_buf_text(&buf, "\",\"change_id\":\"");
        pay_buf_add(&buf, create->in.change_id);
        pay_buf_text(&buf, create->can_close ? "\",\"can_close\":true" : "\"");
    }

    if (asked_by.len != 0) {
        pay_buf_text(&buf, ",\"asked_by\":");
        pay_buf_add(&buf, asked_by);
    }

    pay_buf_text(&buf, "}");
    value->is_null = 0;

    return pay_buf_done(&buf, &value->bytes);
}


/* From the stored row: the nonce may differ from the one proposed. */
static pay_status_t
register_now(pay_flow_t *flow, create_t *create, pay_effect_t *effect)
{
    create->reg.psp = pay_flow_psp(flow, create->reg.checkout.psp);
    create->reg.done = create_stored;

    return pay_register_start(flow, &create->reg, effect);
}


/* Nothing was stored; a rate comes with the next round of its sources. */
static pay_status_t
done_no_rate(pay_flow_t *flow, pay_effect_t *effect)
{
    pay_reply_t  *reply;

    PAY_TRY(pay_done_problem(flow, effect, "rate-unavailable", NULL));

    reply = (pay_reply_t *) effect->reply;
    reply->retry_after_s = RATE_RETRY_S;

    return PAY_OK;
}


static pay_status_t
done_nothing_to_replace(pay_flow_t *flow, pay_effect_t *effect)
{
    PAY_TRY(pay_done_problem(flow, effect, "not-found",
                             "there is no checkout that it could replace"));

    return pay_dup(flow->arena, PAY_STR("/replaces"),
                   &((pay_reply_t *) effect->reply)->pointer);
}


static pay_status_t
done_not_replaced(pay_flow_t *flow, create_t *create, pay_effect_t *effect,
    int replayed)
{
    pay_reply_t  *reply;

    PAY_TRY(pay_done_problem(flow, effect, "payment-state-conflict",
                             "the checkout that is to be replaced was paid, "
                             "may have been paid, was replaced before, or its "
                             "page cannot be closed"));

    reply = (pay_reply_t *) effect->reply;
    reply->replayed = replayed;

    return checkout_url(flow, create, create->in.request->replaces,
                        &reply->order_url);
}


static pay_status_t
done_exists(pay_flow_t *flow, create_t *create, pay_effect_t *effect)
{
    pay_reply_t  *reply;

    PAY_TRY(pay_done_problem(flow, effect, "order-exists", NULL));

    reply = (pay_reply_t *) effect->reply;

    return checkout_url(flow, create, create->reg.checkout.checkout_id,
                        &reply->order_url);
}


static pay_status_t
done_state(pay_flow_t *flow, create_t *create, pay_effect_t *effect,
    int replayed)
{
    int                    pending;
    pay_reply_t           *reply;
    const pay_checkout_t  *c = &create->reg.checkout;

    if (pay_str_is(c->registration, "REFUSED")
        && pay_str_is(c->code, "not_replaced"))
    {
        return done_not_replaced(flow, create, effect, replayed);
    }

    if (pay_str_is(c->registration, "REFUSED")
        && pay_str_is(c->orders[0].reason, "rejected"))
    {
        PAY_TRY(pay_done_problem(flow, effect, "psp-refused", NULL));
        reply = (pay_reply_t *) effect->reply;
        reply->replayed = replayed;

        return checkout_url(flow, create, c->checkout_id, &reply->order_url);
    }

    pending = pay_str_is(c->registration, "REGISTERING");

    PAY_TRY(pay_reply_new(flow, PAY_REPLY_JSON, pending ? 202 : 201, &reply));
    PAY_TRY(pay_checkout_render(flow->arena, c, &reply->body));
    PAY_TRY(checkout_url(flow, create, c->checkout_id, &reply->location));

    reply->replayed = replayed;
    flow->outcome = replayed ? "replayed" : pending ? "pending" : "created";

    if (pending) {
        reply->retry_after_s = 2;
    }

    pay_do_done(effect, reply);

    return PAY_OK;
}


static pay_status_t
checkout_url(pay_flow_t *flow, create_t *create, pay_str_t checkout_id,
    pay_str_t *url)
{
    return pay_format(flow->arena, url, 4096, "%.*s/v1/checkouts/%.*s",
                      pay_fmt(create->reg.checkout.base_url),
                      pay_fmt(checkout_id));
}
