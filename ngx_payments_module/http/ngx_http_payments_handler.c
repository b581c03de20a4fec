/*
 * The content handler of every payments location: what is refused on all of
 * them, then dispatch by kind.
 */

#include "http/ngx_http_payments_handler.h"
#include "http/ngx_http_payments_api.h"
#include "http/ngx_http_payments_buyer.h"
#include "http/ngx_http_payments_console.h"
#include "http/ngx_http_payments_metrics.h"
#include "http/ngx_http_payments_probe.h"
#include "http/ngx_http_payments_problems.h"
#include "http/ngx_http_payments_reply.h"
#include "http/ngx_http_payments_webhook.h"
#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_conf_types.h"


#define HEADERS_MAX  64


static ngx_uint_t too_many_headers(ngx_http_request_t *r);


/* An unknown method (H2) and too many fields (H9) are refused here, for all
 * locations alike. */
ngx_int_t
ngx_http_payments_handler(ngx_http_request_t *r)
{
    ngx_http_payments_loc_conf_t  *plcf;

    if (ngx_http_payments_get_ctx(r) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r->method == NGX_HTTP_UNKNOWN) {
        return ngx_http_payments_problem(r, "not-implemented", NULL, NULL);
    }

    if (too_many_headers(r)) {
        return ngx_http_payments_problem(r, "header-fields-too-large", NULL,
                                         NULL);
    }

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_payments_module);

    switch (plcf->kind) {

    case NGX_HTTP_PAYMENTS_API:
        return ngx_http_payments_api(r);

    case NGX_HTTP_PAYMENTS_WEBHOOK:
        return ngx_http_payments_webhook(r);

    case NGX_HTTP_PAYMENTS_CHECKOUT:
    case NGX_HTTP_PAYMENTS_RETURN:
        return ngx_http_payments_buyer(r, plcf->kind);

    case NGX_HTTP_PAYMENTS_METRICS:
        return ngx_http_payments_metrics(r);

    case NGX_HTTP_PAYMENTS_READY:
        return ngx_http_payments_ready(r);

    case NGX_HTTP_PAYMENTS_PROBLEMS:
        return ngx_http_payments_problems(r);

    case NGX_HTTP_PAYMENTS_CONSOLE:
        return ngx_http_payments_console(r);

    case NGX_HTTP_PAYMENTS_LIVE:
        return ngx_http_payments_live(r);

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


/* Fields are counted as they came, so a doubled one counts twice. */
static ngx_uint_t
too_many_headers(ngx_http_request_t *r)
{
    ngx_uint_t        n;
    ngx_list_part_t  *part;

    n = 0;

    for (part = &r->headers_in.headers.part; part != NULL; part = part->next) {
        n += part->nelts;
    }

    return n > HEADERS_MAX;
}
