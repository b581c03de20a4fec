/*
 * The probes of payments_health: does the process live, can it reach what it
 * needs.
 */

#include "http/ngx_http_payments_probe.h"
#include "http/ngx_http_payments_reply.h"
#include "http/ngx_http_payments_send.h"
#include "http/ngx_http_payments_start.h"
#include "io/ngx_payments_db.h"
#include "shm/ngx_payments_windows.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_process.h"


#define ALLOW  "GET, HEAD, OPTIONS"


static ngx_int_t find_cell(ngx_http_request_t *r, ngx_uint_t *cell);
static ngx_uint_t choose_cell(ngx_uint_t count);


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
 * Until windows of risk have the attempts of before, no checkout is taken.  A
 * node is ready while one of its cells is: the others take their own merchants
 * with them and nobody else's. */
ngx_int_t
ngx_http_payments_ready(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_uint_t            cell;
    ngx_payments_flow_t  *flow;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_payments_method_not_allowed(r, ALLOW);
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (find_cell(r, &cell) != NGX_OK) {
        return ngx_http_payments_problem(r, "not-found", NULL, NULL);
    }

    ngx_http_payments_get_ctx(r)->cell = cell;

    if (!ngx_payments_windows_are_whole(cell)) {
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


/* ?cell=NAME asks about that one. */
static ngx_int_t
find_cell(ngx_http_request_t *r, ngx_uint_t *cell)
{
    ngx_str_t                       name;
    ngx_payments_cell_t            *found;
    ngx_http_payments_main_conf_t  *pmcf = ngx_payments_main_conf();

    if (ngx_http_arg(r, (u_char *) "cell", 4, &name) == NGX_OK) {
        found = ngx_payments_cell_named(pmcf, ngx_payments_str(name));
        *cell = found != NULL ? found->index : 0;
        return found != NULL ? NGX_OK : NGX_DECLINED;
    }

    *cell = choose_cell(pmcf->cells.nelts);
    ngx_payments_db_probed(*cell);

    return NGX_OK;
}


/* The one that will most likely answer.  Of equal ones the next, so that none
 * hides the others for ever. */
static ngx_uint_t
choose_cell(ngx_uint_t count)
{
    ngx_uint_t         i, cell, hope, best = 0, most = 0;
    static ngx_uint_t  next;

    for (i = 0; i < count; i++) {
        cell = (next + i) % count;
        hope = ngx_payments_windows_are_whole(cell)
               ? (ngx_uint_t) ngx_payments_db_hope(cell) + 1 : 0;

        if (i == 0 || hope > most) {
            best = cell;
            most = hope;
        }
    }

    next = (best + 1) % count;

    return best;
}
