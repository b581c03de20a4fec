/*
 * The probes of payments_health: does the process live, can it reach what it
 * needs.
 */

#include "http/ngx_http_payments_probe.h"
#include "http/ngx_http_payments_reply.h"
#include "http/ngx_http_payments_send.h"
#include "http/ngx_http_payments_start.h"
#include "shm/ngx_payments_windows.h"


#define ALLOW  "GET, HEAD, OPTIONS"


/* Needs nothing but this process: a database that is away is no reason to
 * restart it. */
ngx_int_t
ngx_http_payments_live(ngx_http_request_t *r)
{
    ngx_str_t  type = ngx_string("application/json");
    ngx_str_t  body = ngx_string("{\"status\":\"live\"}");

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_payments_method_not_allowed(r, ALLOW);
    }

    return ngx_http_payments_send(r, NGX_HTTP_OK, &type, &body);
}


/* Asks PostgreSQL by a flow, so it waits in the same queue as requests do.
 * Until windows of risk have the attempts of before, no checkout is taken. */
ngx_int_t
ngx_http_payments_ready(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_payments_flow_t  *flow;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_payments_method_not_allowed(r, ALLOW);
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (!ngx_payments_windows_are_whole()) {
        return ngx_http_payments_problem(r, "dependency-unavailable", NULL,
                                         NULL);
    }

    flow = ngx_http_payments_new_flow(r);
    if (flow == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (pay_flow_ready(ngx_payments_flow_core(flow)) != PAY_OK) {
        ngx_payments_flow_discard(flow);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_payments_start(r, flow);
}
