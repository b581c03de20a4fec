/*
 * POST /v1/payments: begin (one commit) → close the page that it replaces, if
 * it does → register at the PSP → keep the
 * token (one commit) → answer.  The URL is shown only after the second
 * commit; an unknown outcome is 202 with the stored state and a job goes on.
 */

#include "flow_util.h"


/* The first two go with the arguments of begin_payment. */
typedef struct {
    pay_create_input_t  *in;
    pay_route_t         *route;        /* those that can take the order */
    const pay_psp_conf_t *explored;    /* the first was drawn, or NULL */
    pay_register_t       reg;          /* its checkout is the request's */
    pay_str_t            replaces;     /* a checkout, or empty */
    pay_replace_t       *replace;      /* NULL: it replaces none */
    int                  can_close;    /* the PSP of what it replaces */
    pay_risk_check_t    *risk;         /* NULL: nothing was looked at */
    pay_err_t           *why;          /* the configuration refuses it */
    unsigned             in_progress_status;
} create_t;


static pay_status_t keep(pay_flow_t *flow, create_t *create);
static pay_status_t create_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t create_looked_up(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t create_looked_back(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t start_here(pay_flow_t *flow, create_t *create,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t refuse(pay_flow_t *flow, create_t *create,
    const pay_err_t *why, pay_effect_t *effect);
static pay_status_t create_refused(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t create_old_found(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t begin(pay_flow_t *flow, create_t *create,
    pay_effect_t *effect);
static pay_status_t create_counted(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t create_looked_at(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t begin_stored(pay_flow_t *flow, create_t *create,
    pay_effect_t *effect);
static pay_status_t create_begun(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t create_released(pay_flow_t *flow,
    const pay_input_t *input, pay_effect_t *effect);
static pay_status_t create_stored(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t choose(pay_flow_t *flow, create_t *create,
    const pay_input_t *input, pay_err_t *err);
static pay_status_t find_route(pay_flow_t *flow, create_t *create,
    const pay_input_t *input, pay_err_t *err);
static pay_status_t explore(pay_flow_t *flow, create_t *create);
static void fill_checkout(const pay_flow_t *flow, create_t *create);
static pay_status_t check_psp(pay_flow_t *flow, create_t *create,
    const pay_psp_conf_t *psp, pay_err_t *err);
static pay_status_t register_now(pay_flow_t *flow, create_t *create,
    pay_effect_t *effect);
static pay_status_t done_begun(pay_flow_t *flow, const create_t *create,
    int replayed, pay_effect_t *effect);


static const char  *const late_names[] = {
    [PAY_LATE_ACCEPT] = "accept", [PAY_LATE_HOLD] = "hold",
    [PAY_LATE_REFUND] = "refund"
};
PAY_ROWS(late_names, PAY_LATE_COUNT);


static const pay_flow_type_t  create_type = {
    .name = "create", .start = create_start,
    .routes = 1, .needs_health = 1
};


/* Input and route are in `args`: they are large, and only begin_payment needs
 * them.  A waiting create keeps just the rest. */
pay_status_t
pay_flow_create(pay_flow_t *flow, const pay_create_input_t *input)
{
    create_t  *create;

    create = pay_calloc(flow->arena, sizeof(create_t));
    if (create == NULL) {
        return PAY_NO_MEMORY;
    }

    create->in = pay_alloc(flow->args, sizeof(pay_create_input_t));
    create->route = pay_calloc(flow->args, sizeof(pay_route_t));
    if (create->in == NULL || create->route == NULL) {
        return PAY_NO_MEMORY;
    }

    *create->in = *input;
    create->in_progress_status = input->in_progress_status;
    pay_flow_begin(flow, &create_type, create);
    flow->merchant_id = input->merchant->id;

    return keep(flow, create);
}


/* The parts of the request that are needed when the operation's row is
 * there. */
static pay_status_t
keep(pay_flow_t *flow, create_t *create)
{
    pay_arena_t                  *arena = flow->arena;
    const pay_payment_request_t  *request = create->in->request;

    PAY_TRY(pay_dup(arena, request->checkout_id, &flow->checkout_id));
    PAY_TRY(pay_dup(arena, create->in->base_url, &create->in->base_url));

    if (request->replaces.len == 0) {
        return PAY_OK;
    }

    create->replace = pay_calloc(arena, sizeof(pay_replace_t));
    if (create->replace == NULL) {
        return PAY_NO_MEMORY;
    }

    PAY_TRY(pay_dup(arena, request->replaces, &create->replaces));

    return pay_dup(arena, create->in->change_id, &create->replace->change_id);
}


static pay_status_t
create_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    create_t  *create = flow->state;

    return pay_move_asks(create->in->merchant)
           ? pay_move_ask(flow, create->in, create->in->merchant->from, effect,
                          create_looked_up)
           : start_here(flow, create, input, effect);
}


/* In the cell that the merchant comes from.  While no fence stands it begins
 * there, unless the other one knows it. */
static pay_status_t
create_looked_up(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    create_t  *create = flow->state;

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    switch (input->result.outcome) {

    case PAY_OUTCOME_UNKNOWN:
        return pay_move_ask(flow, create->in, create->in->merchant->cell,
                            effect, create_looked_back);

    case PAY_OUTCOME_MOVED:
        flow->cell = create->in->merchant->cell;
        return start_here(flow, create, input, effect);

    default:
        return create_begun(flow, input, effect);
    }
}


/* In the cell that it moves to, which has older payments, too, where the
 * merchant has been before.  They are final: it left behind a fence. */
static pay_status_t
create_looked_back(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    create_t  *create = flow->state;

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    if (input->result.outcome != PAY_OUTCOME_UNKNOWN
        && input->result.outcome != PAY_OUTCOME_MOVED)
    {
        return create_begun(flow, input, effect);
    }

    flow->cell = create->in->merchant->from;

    return start_here(flow, create, input, effect);
}


/* A request that the configuration refuses ends here, before a row is
 * written. */
static pay_status_t
start_here(pay_flow_t *flow, create_t *create, const pay_input_t *input,
    pay_effect_t *effect)
{
    pay_err_t              err;
    pay_status_t           status;
    pay_get_checkout_in_t  in = {
        .merchant_id = create->in->merchant->id,
        .checkout_id = create->replaces
    };

    if (create->in->refused != NULL) {
        return refuse(flow, create, create->in->refused, effect);
    }

    memset(&err, 0, sizeof(err));
    status = choose(flow, create, input, &err);

    if (status == PAY_INVALID) {
        return refuse(flow, create, &err, effect);
    }

    PAY_TRY(status);

    if (create->replace == NULL) {
        return begin(flow, create, effect);
    }

    flow->keeps_args = 1;

    return pay_do_get_checkout(flow, effect, &in, create_old_found);
}


/* The key is looked up first: the configuration may have been another one when
 * it was stored, and the same request gets the same answer. */
static pay_status_t
refuse(pay_flow_t *flow, create_t *create, const pay_err_t *why,
    pay_effect_t *effect)
{
    create->why = pay_alloc(flow->arena, sizeof(pay_err_t));
    if (create->why == NULL) {
        return PAY_NO_MEMORY;
    }

    pay_err_copy(create->why, why);

    return pay_move_ask(flow, create->in, flow->cell, effect, create_refused);
}


static pay_status_t
create_refused(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    create_t                   *create = flow->state;
    const pay_create_input_t   *in = create->in;

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    switch (input->result.outcome) {

    case PAY_OUTCOME_EXISTS:
    case PAY_OUTCOME_UNKNOWN:
    case PAY_OUTCOME_MOVING:
    case PAY_OUTCOME_MOVED:
        return pay_done_refused_all(flow, effect, create->why,
                                    in->refused != NULL ? &in->request->errors
                                                        : NULL);

    default:
        return create_begun(flow, input, effect);
    }
}


/* Only which PSP has it is looked at here: whether it may be replaced, and
 * whether it is there, PostgreSQL says in the commit that begins the new one,
 * and a repetition of this request gets that one whatever became of the old. */
static pay_status_t
create_old_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    create_t        *create = flow->state;
    pay_checkout_t  *old = &create->replace->old;

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    if (input->result.outcome == PAY_OUTCOME_FOUND) {
        PAY_TRY(pay_checkout_decode(flow->arena,
                                    pay_row_checkout(&input->result), old));
        create->can_close = pay_psp_closes(pay_flow_psp(flow, old->psp));
    }

    return begin(flow, create, effect);
}


/* Attempts are counted before anything is decided. */
static pay_status_t
begin(pay_flow_t *flow, create_t *create, pay_effect_t *effect)
{
    return flow->env->risk == NULL
           ? begin_stored(flow, create, effect)
           : pay_risk_check(flow, create->in, &create->risk, effect,
                            create_counted);
}


static pay_status_t
create_counted(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    create_t  *create = flow->state;

    return pay_risk_ask(flow, create->risk, input, effect, create_looked_at);
}


static pay_status_t
create_looked_at(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    (void) input;

    return begin_stored(flow, flow->state, effect);
}


/* begin_payment writes the key, the checkout, its orders, its first call and
 * its job in one commit; only its outcome decides whether the PSP is called. */
static pay_status_t
begin_stored(pay_flow_t *flow, create_t *create, pay_effect_t *effect)
{
    const pay_checkout_t      *c = &create->reg.checkout;
    const pay_create_input_t  *from = create->in;

    pay_begin_payment_in_t  in = {
        .merchant_id = c->merchant_id,
        .idempotency_key = from->idempotency_key,
        .fingerprint = from->fingerprint,
        .checkout_id = c->checkout_id,
        .checkout_uuid = c->checkout_uuid,
        .handle = c->handle,
        .psp = c->psp,
        .nonce = c->nonce,
        .return_url = from->request->return_url,
        .base_url = c->base_url,
        .buyer_info = from->request->buyer_info,
        .metadata = from->request->metadata,
        .credit_card_info = from->request->card_info,
        .currency = pay_str_of(c->currency->code),
        .total_minor = c->total_minor,
        .expires_s = c->expires_s,
        .orders_count = from->request->order_count,
        .ttl_s = from->ttl_s,
        .lease_ms = flow->env->lease_ms,
        .request_id = flow->request_id,
        .route = create->route->reason,
        .late_success = pay_str_of(late_names[flow->env->late])
    };

    PAY_TRY(pay_begin_orders(flow, from->request, &in.orders));
    PAY_TRY(pay_begin_psps(flow, create->route, &in.psps));
    PAY_TRY(pay_begin_windows(flow, create->route, &in.key_windows));
    PAY_TRY(pay_begin_terms(flow, from, create->route, create->can_close,
                            &in.terms));
    PAY_TRY(pay_risk_judged(flow, create->risk, &in));

    return pay_do_begin_payment(flow, effect, &in, create_begun);
}


/* Only CREATED leads to a call of the PSP. A repetition gets the stored
 * state, whichever request has stored it. */
static pay_status_t
create_begun(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    create_t                  *create = flow->state;
    pay_outcome_t              outcome = input->result.outcome;
    const pay_checkout_row_t  *row = pay_row_checkout(&input->result);

    pay_risk_ended(flow, create->risk, input, effect);

    if (input->kind == PAY_INPUT_DB_FAILED) {
        return pay_done_db_failed(flow, input, effect);
    }

    switch (outcome) {

    case PAY_OUTCOME_CREATED:
    case PAY_OUTCOME_WAITING:
    case PAY_OUTCOME_BLOCKED:
    case PAY_OUTCOME_REPLAYED:
    case PAY_OUTCOME_EXISTS:
        break;

    case PAY_OUTCOME_NOT_REPLACED:
        return pay_done_not_replaced(flow, &create->reg.checkout,
                                     create->replaces, 0, effect);

    default:
        return pay_begin_refused(flow, outcome, create->in_progress_status,
                                 effect);
    }

    PAY_TRY(pay_checkout_decode(flow->arena, row, &create->reg.checkout));
    pay_flow_note(flow, &create->reg.checkout);

    switch (outcome) {

    case PAY_OUTCOME_CREATED:
        flow->explored = create->explored;
        return register_now(flow, create, effect);

    case PAY_OUTCOME_WAITING:
        if (create->replace == NULL) {
            return PAY_BUG;
        }

        create->replace->checkout = &create->reg.checkout;
        create->replace->done = create_released;
        return pay_replace_start(flow, create->replace, effect);

    case PAY_OUTCOME_BLOCKED:
        flow->is_blocked = 1;
        return done_begun(flow, create, 0, effect);

    case PAY_OUTCOME_REPLAYED:
        return done_begun(flow, create, 1, effect);

    default:
        return pay_done_exists(flow, &create->reg.checkout, effect);
    }
}


/* Without a row the job goes on, as it does with what waits. */
static pay_status_t
create_released(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    create_t  *create = flow->state;

    if (input->kind != PAY_INPUT_ROW) {
        return done_begun(flow, create, 0, effect);
    }

    PAY_TRY(pay_checkout_decode(flow->arena, pay_row_checkout(&input->result),
                                &create->reg.checkout));
    pay_flow_note(flow, &create->reg.checkout);

    return input->result.outcome == PAY_OUTCOME_RELEASED
           ? register_now(flow, create, effect)
           : done_begun(flow, create, 0, effect);
}


/* The token, or the lack of one, is committed: the client gets 201 with the
 * page, or 202 and a job goes on. */
static pay_status_t
create_stored(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    create_t  *create = flow->state;

    /* The PSP may have a registration that was not stored here: the job finds
     * it by the same nonce, and no buyer has seen its URL. */
    if (input->kind == PAY_INPUT_ROW) {
        PAY_TRY(pay_checkout_decode(flow->arena,
                                    pay_row_checkout(&input->result),
                                    &create->reg.checkout));
    }

    return done_begun(flow, create, 0, effect);
}


/* The PSPs that may take the order and can; what none of them can take is
 * refused before anything is stored, in the words of the first. */
static pay_status_t
choose(pay_flow_t *flow, create_t *create, const pay_input_t *input,
    pay_err_t *err)
{
    unsigned         i, able;
    pay_err_t        why;
    pay_route_t     *route = create->route;
    pay_status_t     status;
    pay_checkout_t  *c = &create->reg.checkout;

    fill_checkout(flow, create);
    PAY_TRY(find_route(flow, create, input, err));

    able = 0;

    for (i = 0; i < route->count; i++) {
        c->psp = route->psps[i]->name;
        status = check_psp(flow, create, route->psps[i], &why);

        if (status == PAY_OK) {
            route->psps[able] = route->psps[i];
            route->ranks[able] = route->ranks[i];
            route->blocked[able++] = route->blocked[i];

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

    PAY_TRY(explore(flow, create));

    create->reg.psp = route->psps[0];
    c->psp = route->psps[0]->name;
    flow->psp_name = c->psp;

    return PAY_OK;
}


/* The request's own choice of a PSP beats the routes. */
static pay_status_t
find_route(pay_flow_t *flow, create_t *create, const pay_input_t *input,
    pay_err_t *err)
{
    pay_status_t       status;
    pay_route_query_t  query;
    pay_route_t       *route = create->route;

    if (create->in->psp != NULL && create->in->psp->cell != flow->cell) {
        return pay_refuse_at(err, "validation-error",
                             "payments of the merchant begin in another cell "
                             "than this PSP's", "/psp");
    }

    if (create->in->psp != NULL) {
        route->psps[0] = create->in->psp;
        route->count = 1;
        route->reason = PAY_STR("named by the request");
        return PAY_OK;
    }

    query.cell = flow->cell;
    query.currency = pay_str_of(create->in->request->currency->code);
    query.total_minor = create->in->request->total_minor;
    query.country = create->in->request->country;
    query.method = create->in->request->method;
    query.seed = create->in->checkout_uuid;
    query.checkout_id = create->reg.checkout.checkout_id;

    status = pay_route_pick(flow->args, flow->env, create->in->merchant,
                            &query, input->health, route);

    return (status == PAY_NOT_FOUND)
           ? pay_refuse(err, "validation-error",
                        "no PSP is configured for such an order")
           : status;
}


/* Only among PSPs that can take the order, or the chances that are stored would
 * not be those of the draw. */
static pay_status_t
explore(pay_flow_t *flow, create_t *create)
{
    pay_route_query_t  query = {
        .checkout_id = create->reg.checkout.checkout_id
    };

    PAY_TRY(pay_route_explore(flow->args, create->in->merchant, &query,
                              create->route));

    create->explored = create->route->explored ? create->route->psps[0] : NULL;

    return PAY_OK;
}


/* The checkout as it will be stored. The nonce is the id of a single order,
 * so that the PSP's dashboard shows it; with several orders it is the
 * checkout's UUID. */
static void
fill_checkout(const pay_flow_t *flow, create_t *create)
{
    pay_checkout_t               *c = &create->reg.checkout;
    const pay_create_input_t     *in = create->in;
    const pay_payment_request_t  *request = in->request;

    c->merchant_id = in->merchant->id;
    c->checkout_id = request->checkout_id;
    c->checkout_uuid = in->checkout_uuid;
    c->nonce = request->order_count == 1 ? request->orders[0].id
                                         : in->checkout_uuid;
    c->handle = flow->cell == in->merchant->cell ? in->handle
                                                 : in->from_handle;
    c->base_url = in->base_url;
    c->currency = request->currency;
    c->total_minor = request->total_minor;
    c->expires_s = in->now_s + request->expires_in_s;
    c->manual = request->manual;
    c->orders = request->orders;
    c->order_count = request->order_count;
}


/* Builds the PSP's request as a trial and throws it away: a checkout that a
 * PSP cannot take is refused with the adapter's reason before it is stored. */
static pay_status_t
check_psp(pay_flow_t *flow, create_t *create, const pay_psp_conf_t *psp,
    pay_err_t *err)
{
    int64_t             expires_in_s = create->in->request->expires_in_s;
    pay_http_request_t  unused;

    if (expires_in_s < psp->adapter->min_expiry_s
        || expires_in_s > psp->adapter->max_expiry_s)
    {
        return pay_refuse_at(err, "validation-error",
                             "this PSP does not offer such an expires_in",
                             "/expires_in");
    }

    if (create->in->request->manual
        && !pay_begin_can_hold(create->in->request, psp))
    {
        return pay_refuse_at(err, "operation-not-supported",
                             "this PSP cannot capture such a checkout later",
                             "/capture");
    }

    return pay_register_build(flow, psp, &create->reg.checkout, &unused, err);
}


/* From the stored row: the nonce may differ from the one proposed. */
static pay_status_t
register_now(pay_flow_t *flow, create_t *create, pay_effect_t *effect)
{
    create->reg.psp = pay_flow_psp(flow, create->reg.checkout.psp);
    create->reg.done = create_stored;

    return pay_register_start(flow, &create->reg, effect);
}


static pay_status_t
done_begun(pay_flow_t *flow, const create_t *create, int replayed,
    pay_effect_t *effect)
{
    return pay_done_begun(flow, &create->reg.checkout, create->replaces,
                          replayed, effect);
}
