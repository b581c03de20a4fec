/*
 * The storefront's API: routes, and for each request the checks that come
 * before a flow may start.
 *
 * The way of a request:
 *
 *     route ─▶ method ─▶ address' quota ─▶ token ─▶ merchant's quota
 *       ├─▶ GET: a place ─▶ arguments ─▶ flow
 *       └─▶ POST: key, media type ─▶ body ─▶ create or change ─▶ flow
 *
 * Nothing here says whether an order exists: that is for the flow, which knows
 * the merchant (H17).
 */

#include "http/ngx_http_payments_api.h"
#include "http/ngx_http_payments_body.h"
#include "http/ngx_http_payments_change.h"
#include "http/ngx_http_payments_check.h"
#include "http/ngx_http_payments_create.h"
#include "http/ngx_http_payments_endpoint.h"
#include "http/ngx_http_payments_finance.h"
#include "http/ngx_http_payments_jwt.h"
#include "http/ngx_http_payments_limit.h"
#include "http/ngx_http_payments_payout.h"
#include "http/ngx_http_payments_read.h"
#include "http/ngx_http_payments_reply.h"
#include "http/ngx_http_payments_request.h"
#include "http/ngx_http_payments_risk.h"
#include "http/ngx_http_payments_route.h"
#include "http/ngx_http_payments_start.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_conf_types.h"


#define READ     "GET, HEAD, OPTIONS"
#define WRITE    "POST, OPTIONS"
#define BOTH     "GET, HEAD, POST, OPTIONS"

#define READS(noun)  ngx_http_payments_read_##noun


typedef ngx_http_payments_ids_t  ids_t;

typedef struct {
    const char     *pattern;           /* below the location's prefix */
    const char     *allow;
    unsigned        read_scope;
    ngx_http_payments_read_pt  read;   /* NULL: no GET */
    unsigned        write_scope;
    void          (*write)(ngx_http_request_t *r, pay_str_t body);
    unsigned        what;              /* pay_read_t, pay_change_kind_t,
                                          pay_finance_list_t,
                                          pay_finance_act_kind_t,
                                          pay_payout_act_kind_t,
                                          pay_events_list_t,
                                          pay_endpoint_act_kind_t,
                                          pay_risk_list_t or
                                          pay_risk_act_kind_t */
} route_t;


static const route_t *find_route(ngx_http_request_t *r, ids_t *ids);
static ngx_int_t check_caller(ngx_http_request_t *r, unsigned scope,
    pay_err_t *err);
static ngx_int_t check_quota(ngx_http_request_t *r, pay_str_t merchant,
    pay_err_t *err);
static ngx_msec_t max_age(ngx_http_request_t *r);
static ngx_int_t start_read(ngx_http_request_t *r, const route_t *route,
    const ids_t *ids);
static ngx_int_t start_write(ngx_http_request_t *r, const route_t *route,
    const ids_t *ids);
static ngx_int_t check_key(ngx_http_request_t *r, const route_t *route,
    pay_err_t *err);
static void change_body(ngx_http_request_t *r, pay_str_t body);
static void act_body(ngx_http_request_t *r, pay_str_t body);
static void payout_body(ngx_http_request_t *r, pay_str_t body);
static ngx_int_t start_payout(ngx_http_request_t *r, const route_t *route,
    const ids_t *ids, pay_str_t body);
static void make_payout_body(ngx_http_request_t *r, pay_str_t body);
static void make_batch_body(ngx_http_request_t *r, pay_str_t body);
static void make_endpoint_body(ngx_http_request_t *r, pay_str_t body);
static void endpoint_body(ngx_http_request_t *r, pay_str_t body);
static ngx_int_t start_endpoint(ngx_http_request_t *r, const route_t *route,
    const ids_t *ids, pay_str_t body);
static void make_entry_body(ngx_http_request_t *r, pay_str_t body);
static void risk_body(ngx_http_request_t *r, pay_str_t body);
static ngx_int_t start_risk(ngx_http_request_t *r, const route_t *route,
    const ids_t *ids, pay_str_t body);


static const route_t  routes[] = {
    { "payments", WRITE, 0, NULL,
      PAY_SCOPE_PAYMENTS_WRITE, ngx_http_payments_create, 0 },
    { "payments/*", READ, PAY_SCOPE_PAYMENTS_READ, READS(order),
      0, NULL, PAY_READ_PAYMENT },
    { "payments/*/events", READ, PAY_SCOPE_PAYMENTS_READ, READS(order),
      0, NULL, PAY_READ_EVENTS },
    { "payments/*/explain", READ, PAY_SCOPE_PAYMENTS_READ, READS(order),
      0, NULL, PAY_READ_EXPLAIN },
    { "payments/*/refunds", BOTH, PAY_SCOPE_PAYMENTS_READ, READS(change),
      PAY_SCOPE_REFUNDS_WRITE, change_body, PAY_CHANGE_REFUND },
    { "payments/*/refunds/*", READ, PAY_SCOPE_PAYMENTS_READ, READS(change),
      0, NULL, PAY_CHANGE_REFUND },
    { "payments/*/capture", WRITE, 0, NULL,
      PAY_SCOPE_PAYMENTS_WRITE, change_body, PAY_CHANGE_CAPTURE },
    { "payments/*/captures", READ, PAY_SCOPE_PAYMENTS_READ, READS(change),
      0, NULL, PAY_CHANGE_CAPTURE },
    { "payments/*/captures/*", READ, PAY_SCOPE_PAYMENTS_READ, READS(change),
      0, NULL, PAY_CHANGE_CAPTURE },
    { "payments/*/cancel", WRITE, 0, NULL,
      PAY_SCOPE_PAYMENTS_WRITE, change_body, PAY_CHANGE_CANCEL },
    { "payments/*/cancels", READ, PAY_SCOPE_PAYMENTS_READ, READS(change),
      0, NULL, PAY_CHANGE_CANCEL },
    { "payments/*/cancels/*", READ, PAY_SCOPE_PAYMENTS_READ, READS(change),
      0, NULL, PAY_CHANGE_CANCEL },
    { "payments/*/release", WRITE, 0, NULL,
      PAY_SCOPE_PAYOUTS_CREATE, payout_body, PAY_PAYOUT_ACT_RELEASE },
    { "payouts", BOTH, PAY_SCOPE_PAYOUTS_READ, READS(finance),
      PAY_SCOPE_PAYOUTS_CREATE, make_payout_body, PAY_FINANCE_PAYOUTS },
    { "payouts/*", READ, PAY_SCOPE_PAYOUTS_READ, READS(finance),
      0, NULL, PAY_FINANCE_PAYOUTS },
    { "payouts/*/advice", READ, PAY_SCOPE_PAYOUTS_READ, READS(finance),
      0, NULL, PAY_FINANCE_ADVICE },
    { "payout-batches", BOTH, PAY_SCOPE_PAYOUTS_READ, READS(finance),
      PAY_SCOPE_PAYOUTS_CREATE, make_batch_body, PAY_FINANCE_BATCHES },
    { "payout-batches/*", READ, PAY_SCOPE_PAYOUTS_READ, READS(finance),
      0, NULL, PAY_FINANCE_BATCHES },
    { "payout-batches/*/approve", WRITE, 0, NULL,
      PAY_SCOPE_PAYOUTS_APPROVE, payout_body, PAY_PAYOUT_ACT_APPROVE },
    { "payout-batches/*/send", WRITE, 0, NULL,
      PAY_SCOPE_PAYOUTS_SEND, payout_body, PAY_PAYOUT_ACT_SEND },
    { "payout-batches/*/withdraw", WRITE, 0, NULL,
      PAY_SCOPE_PAYOUTS_CREATE, payout_body, PAY_PAYOUT_ACT_WITHDRAW },
    { "events", READ, PAY_SCOPE_EVENTS_READ, READS(events),
      0, NULL, PAY_EVENTS_MESSAGES },
    { "events/*", READ, PAY_SCOPE_EVENTS_READ, READS(events),
      0, NULL, PAY_EVENTS_MESSAGES },
    { "webhook-endpoints", BOTH, PAY_SCOPE_EVENTS_READ, READS(events),
      PAY_SCOPE_EVENTS_WRITE, make_endpoint_body, PAY_EVENTS_ENDPOINTS },
    { "webhook-endpoints/*", READ, PAY_SCOPE_EVENTS_READ, READS(events),
      0, NULL, PAY_EVENTS_ENDPOINTS },
    { "webhook-endpoints/*/enable", WRITE, 0, NULL,
      PAY_SCOPE_EVENTS_WRITE, endpoint_body, PAY_ENDPOINT_ENABLE },
    { "webhook-endpoints/*/disable", WRITE, 0, NULL,
      PAY_SCOPE_EVENTS_WRITE, endpoint_body, PAY_ENDPOINT_DISABLE },
    { "webhook-endpoints/*/test", WRITE, 0, NULL,
      PAY_SCOPE_EVENTS_WRITE, endpoint_body, PAY_ENDPOINT_TEST },
    { "webhook-endpoints/*/rotate", WRITE, 0, NULL,
      PAY_SCOPE_EVENTS_WRITE, endpoint_body, PAY_ENDPOINT_ROTATE },
    { "webhook-endpoints/*/replay", WRITE, 0, NULL,
      PAY_SCOPE_EVENTS_WRITE, endpoint_body, PAY_ENDPOINT_REPLAY },
    { "webhook-deliveries", READ, PAY_SCOPE_EVENTS_READ, READS(events),
      0, NULL, PAY_EVENTS_DELIVERIES },
    { "checkouts", READ, PAY_SCOPE_PAYMENTS_READ, READS(page), 0, NULL, 0 },
    { "checkouts/*", READ, PAY_SCOPE_PAYMENTS_READ, READS(order),
      0, NULL, PAY_READ_CHECKOUT },
    { "checkouts/*/explain", READ, PAY_SCOPE_PAYMENTS_READ, READS(order),
      0, NULL, PAY_READ_EXPLAIN_CHECKOUT },
    { "sellers/+/destinations", BOTH, PAY_SCOPE_PAYOUTS_READ,
      READS(destinations), PAY_SCOPE_DESTINATIONS, payout_body,
      PAY_PAYOUT_ACT_ENTER },
    { "payout-destinations/*", READ, PAY_SCOPE_PAYOUTS_READ, READS(finance),
      0, NULL, PAY_FINANCE_DESTINATIONS },
    { "payout-destinations/*/close", WRITE, 0, NULL,
      PAY_SCOPE_DESTINATIONS, payout_body, PAY_PAYOUT_ACT_CLOSE },
    { "sellers/+/balance", READ, PAY_SCOPE_BALANCE_READ, READS(balance),
      0, NULL, 0 },
    { "sellers/+/statement", READ, PAY_SCOPE_BALANCE_READ, READS(statement),
      0, NULL, 0 },
    { "reconciliation/files", READ, PAY_SCOPE_FINANCE_READ, READS(finance),
      0, NULL, PAY_FINANCE_FILES },
    { "reconciliation/files/*", READ, PAY_SCOPE_FINANCE_READ, READS(finance),
      0, NULL, PAY_FINANCE_FILES },
    { "reconciliation/rows", READ, PAY_SCOPE_FINANCE_READ, READS(finance),
      0, NULL, PAY_FINANCE_ROWS },
    { "reconciliation/exceptions", READ, PAY_SCOPE_FINANCE_READ, READS(finance),
      0, NULL, PAY_FINANCE_EXCEPTIONS },
    { "reconciliation/exceptions/*", READ, PAY_SCOPE_FINANCE_READ,
      READS(finance), 0, NULL, PAY_FINANCE_EXCEPTIONS },
    { "reconciliation/exceptions/*/accept", WRITE, 0, NULL,
      PAY_SCOPE_FINANCE_WRITE, act_body, PAY_ACT_ACCEPT },
    { "reconciliation/exceptions/*/resolve", WRITE, 0, NULL,
      PAY_SCOPE_FINANCE_WRITE, act_body, PAY_ACT_RESOLVE },
    { "reconciliation/exceptions/*/write-off", WRITE, 0, NULL,
      PAY_SCOPE_FINANCE_WRITE, act_body, PAY_ACT_WRITE_OFF },
    { "reconciliation/ageing", READ, PAY_SCOPE_FINANCE_READ, READS(finance),
      0, NULL, PAY_FINANCE_AGEING },
    { "reconciliation/balances", READ, PAY_SCOPE_FINANCE_READ, READS(finance),
      0, NULL, PAY_FINANCE_BALANCES },
    { "reconciliation/closes", READ, PAY_SCOPE_FINANCE_READ, READS(finance),
      0, NULL, PAY_FINANCE_CLOSES },
    { "reconciliation/closes/*", READ, PAY_SCOPE_FINANCE_READ, READS(finance),
      0, NULL, PAY_FINANCE_CLOSES },
    { "risk/lists", BOTH, PAY_SCOPE_RISK_READ, READS(risk),
      PAY_SCOPE_RISK_WRITE, make_entry_body, PAY_RISK_READ_ENTRIES },
    { "risk/lists/*", READ, PAY_SCOPE_RISK_READ, READS(risk),
      0, NULL, PAY_RISK_READ_ENTRIES },
    { "risk/lists/*/remove", WRITE, 0, NULL,
      PAY_SCOPE_RISK_WRITE, risk_body, PAY_RISK_ACT_REMOVE },
    { "risk/reviews", READ, PAY_SCOPE_RISK_READ, READS(risk),
      0, NULL, PAY_RISK_READ_REVIEWS },
    { "risk/reviews/*", READ, PAY_SCOPE_RISK_READ, READS(risk),
      0, NULL, PAY_RISK_READ_REVIEWS },
    { "risk/reviews/*/claim", WRITE, 0, NULL,
      PAY_SCOPE_RISK_WRITE, risk_body, PAY_RISK_ACT_CLAIM },
    { "risk/reviews/*/approve", WRITE, 0, NULL,
      PAY_SCOPE_RISK_WRITE, risk_body, PAY_RISK_ACT_APPROVE },
    { "risk/reviews/*/reject", WRITE, 0, NULL,
      PAY_SCOPE_RISK_WRITE, risk_body, PAY_RISK_ACT_REJECT },
    { "risk/reviews/*/escalate", WRITE, 0, NULL,
      PAY_SCOPE_RISK_WRITE, risk_body, PAY_RISK_ACT_ESCALATE },
    { NULL, NULL, 0, NULL, 0, NULL, 0 }
};


/* 404 and 405 come before any check: the list of routes is public. */
ngx_int_t
ngx_http_payments_api(ngx_http_request_t *r)
{
    ids_t           ids;
    pay_err_t       err;
    ngx_uint_t      reads, writes;
    const route_t  *route;

    route = find_route(r, &ids);

    if (route == NULL) {
        return ngx_http_payments_problem(r, "not-found", NULL, NULL);
    }

    reads = (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) && route->read != NULL;
    writes = r->method == NGX_HTTP_POST && route->write != NULL;

    if (!reads && !writes) {
        return ngx_http_payments_method_not_allowed(r, route->allow);
    }

    if (check_caller(r, reads ? route->read_scope : route->write_scope, &err)
        != NGX_OK)
    {
        return ngx_http_payments_problem(r, err.slug, err.detail, NULL);
    }

    return reads ? start_read(r, route, &ids) : start_write(r, route, &ids);
}


/* The address' quota before the token is looked at, the merchant's after.
 * Failed tokens from one address use up no merchant's quota (RL6). */
static ngx_int_t
check_caller(ngx_http_request_t *r, unsigned scope, pay_err_t *err)
{
    const pay_merchant_t  *merchant;

    if (check_quota(r, PAY_STR(""), err) != NGX_OK
        || ngx_http_payments_authenticate(r, scope, &merchant, err) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return check_quota(r, merchant->id, err);
}


/* NULL: no pattern fits.  No path fits two. */
static const route_t *
find_route(ngx_http_request_t *r, ids_t *ids)
{
    pay_str_t                      path;
    const route_t                 *route;
    ngx_http_payments_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);

    if (r->uri.len < plcf->prefix.len) {
        return NULL;
    }

    path.data = r->uri.data + plcf->prefix.len;
    path.len = r->uri.len - plcf->prefix.len;

    for (route = routes; route->pattern != NULL; route++) {
        if (ngx_http_payments_route_fits(route->pattern, path, ids)) {
            return route;
        }
    }

    return NULL;
}


/* 503 when the zone is full: a limit that cannot be counted lets no request
 * pass. */
static ngx_int_t
check_quota(ngx_http_request_t *r, pay_str_t merchant, pay_err_t *err)
{
    switch (ngx_http_payments_limit(r, merchant)) {

    case NGX_OK:
        return NGX_OK;

    case NGX_BUSY:
        return ngx_http_payments_refuse(err, "quota-exceeded", NULL);

    default:
        return ngx_http_payments_refuse(err, "overloaded", NULL);
    }
}


/* Without a word about it a replica may answer within its own limit. */
static ngx_msec_t
max_age(ngx_http_request_t *r)
{
    ngx_int_t  seconds = ngx_http_payments_max_age(r);

    return seconds == NGX_DECLINED ? NGX_TIMER_INFINITE
                                   : (ngx_msec_t) seconds * 1000;
}


/* A GET's body is of no use and is thrown away.  The ids are copied into the
 * flow, because r->uri ends with the request. */
static ngx_int_t
start_read(ngx_http_request_t *r, const route_t *route, const ids_t *ids)
{
    int64_t                   retry_after_s;
    ngx_int_t                 rc;
    pay_err_t                 err;
    pay_flow_t               *core;
    ngx_uint_t                i;
    ids_t                     copy;
    ngx_payments_flow_t      *flow;
    ngx_http_payments_ctx_t  *ctx;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    ctx = ngx_http_payments_get_ctx(r);
    ctx->max_age = max_age(r);
    flow = ngx_payments_flow_create(ngx_http_get_module_main_conf(r,
                                    ngx_http_payments_module), ctx->cell);
    if (flow == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_payments_flow_admit(flow, NGX_PAYMENTS_WORK_READ, ctx->merchant,
                                &retry_after_s) != NGX_OK)
    {
        ngx_payments_flow_discard(flow);
        return ngx_http_payments_overloaded(r, retry_after_s);
    }

    core = ngx_payments_flow_core(flow);
    rc = NGX_OK;

    for (i = 0; i < NGX_HTTP_PAYMENTS_IDS_MAX; i++) {
        if (pay_dup(core->arena, ids->id[i], &copy.id[i]) != PAY_OK) {
            rc = NGX_ERROR;
        }
    }

    if (rc == NGX_OK
        && pay_dup(core->arena, (pay_str_t) { PAY_UUID_TEXT, ctx->request_id },
                   &core->request_id) == PAY_OK)
    {
        rc = route->read(r, core, route->what, &copy, &err);

        if (rc == NGX_OK) {
            return ngx_http_payments_start(r, flow);
        }
    }

    ngx_payments_flow_discard(flow);

    return rc == NGX_DECLINED
           ? ngx_http_payments_problem(r, err.slug, err.detail, NULL)
           : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* Captures, cancellations and releases need no body; without one no media type
 * is required.  The idempotency key is checked before the body is read (IK3);
 * an act on an exception, an endpoint, a list or a review has none, since a
 * repetition finds it done or does no harm, and one that makes an endpoint may
 * have one. */
static ngx_int_t
start_write(ngx_http_request_t *r, const route_t *route, const ids_t *ids)
{
    ngx_int_t   rc;
    pay_err_t   err;
    ngx_uint_t  empty;

    empty = (route->write == change_body || route->write == payout_body
             || route->write == endpoint_body || route->write == risk_body)
            && !r->headers_in.chunked
            && r->headers_in.content_length_n <= 0;

    if (ngx_http_payments_check_version(r, &err) != NGX_OK
        || check_key(r, route, &err) != NGX_OK
        || (!empty && ngx_http_payments_check_media(r, &err) != NGX_OK))
    {
        return ngx_http_payments_problem(r, err.slug, err.detail, NULL);
    }

    if (!empty) {
        return ngx_http_payments_read_body(r, route->write);
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    return route->write == payout_body
           ? start_payout(r, route, ids, PAY_STR(""))
           : route->write == endpoint_body
           ? start_endpoint(r, route, ids, PAY_STR(""))
           : route->write == risk_body
           ? start_risk(r, route, ids, PAY_STR(""))
           : ngx_http_payments_change(r, (pay_change_kind_t) route->what,
                                      ids->id[0], PAY_STR(""));
}


static ngx_int_t
check_key(ngx_http_request_t *r, const route_t *route, pay_err_t *err)
{
    if (route->write == act_body || route->write == endpoint_body
        || route->write == risk_body || route->write == make_entry_body)
    {
        return NGX_OK;
    }

    return route->write == make_endpoint_body
           ? ngx_http_payments_may_key(r, err)
           : ngx_http_payments_check_key(r, err);
}


/* The route is looked for a second time, as nothing but the request is at hand
 * behind the body. */
static void
change_body(ngx_http_request_t *r, pay_str_t body)
{
    ids_t           ids;
    const route_t  *route;

    route = find_route(r, &ids);

    ngx_http_finalize_request(r, route == NULL
        ? NGX_HTTP_INTERNAL_SERVER_ERROR
        : ngx_http_payments_change(r, (pay_change_kind_t) route->what,
                                   ids.id[0], body));
}


static void
act_body(ngx_http_request_t *r, pay_str_t body)
{
    ids_t           ids;
    const route_t  *route;

    route = find_route(r, &ids);

    ngx_http_finalize_request(r, route == NULL
        ? NGX_HTTP_INTERNAL_SERVER_ERROR
        : ngx_http_payments_finance(r, (pay_finance_act_kind_t) route->what,
                                    ids.id[0], body));
}


static void
payout_body(ngx_http_request_t *r, pay_str_t body)
{
    ids_t           ids;
    const route_t  *route;

    route = find_route(r, &ids);

    ngx_http_finalize_request(r, route == NULL
        ? NGX_HTTP_INTERNAL_SERVER_ERROR
        : start_payout(r, route, &ids, body));
}


static ngx_int_t
start_payout(ngx_http_request_t *r, const route_t *route, const ids_t *ids,
    pay_str_t body)
{
    return ngx_http_payments_payout(r, (pay_payout_act_kind_t) route->what,
                                    ids->id[0], body);
}


static void
make_payout_body(ngx_http_request_t *r, pay_str_t body)
{
    ngx_http_finalize_request(r, ngx_http_payments_payout(r,
                                     PAY_PAYOUT_ACT_MAKE, PAY_STR(""), body));
}


static void
make_batch_body(ngx_http_request_t *r, pay_str_t body)
{
    ngx_http_finalize_request(r, ngx_http_payments_payout(r,
                                     PAY_PAYOUT_ACT_MAKE_BATCH, PAY_STR(""),
                                     body));
}


static void
make_endpoint_body(ngx_http_request_t *r, pay_str_t body)
{
    ngx_http_finalize_request(r, ngx_http_payments_endpoint(r,
                                     PAY_ENDPOINT_MAKE, PAY_STR(""), body));
}


static void
endpoint_body(ngx_http_request_t *r, pay_str_t body)
{
    ids_t           ids;
    const route_t  *route;

    route = find_route(r, &ids);

    ngx_http_finalize_request(r, route == NULL
        ? NGX_HTTP_INTERNAL_SERVER_ERROR
        : start_endpoint(r, route, &ids, body));
}


static ngx_int_t
start_endpoint(ngx_http_request_t *r, const route_t *route, const ids_t *ids,
    pay_str_t body)
{
    return ngx_http_payments_endpoint(r,
                                      (pay_endpoint_act_kind_t) route->what,
                                      ids->id[0], body);
}


static void
make_entry_body(ngx_http_request_t *r, pay_str_t body)
{
    ngx_http_finalize_request(r, ngx_http_payments_risk(r, PAY_RISK_ACT_ADD,
                                                        PAY_STR(""), body));
}


static void
risk_body(ngx_http_request_t *r, pay_str_t body)
{
    ids_t           ids;
    const route_t  *route;

    route = find_route(r, &ids);

    ngx_http_finalize_request(r, route == NULL
        ? NGX_HTTP_INTERNAL_SERVER_ERROR
        : start_risk(r, route, &ids, body));
}


static ngx_int_t
start_risk(ngx_http_request_t *r, const route_t *route, const ids_t *ids,
    pay_str_t body)
{
    return ngx_http_payments_risk(r, (pay_risk_act_kind_t) route->what,
                                  ids->id[0], body);
}
