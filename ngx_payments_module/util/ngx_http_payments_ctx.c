/*
 * The context of a request, made when it is first asked for.
 */

#include "util/ngx_http_payments_ctx.h"
#include "util/ngx_payments_random.h"


/* Made on demand, since an error page's internal redirect clears the contexts
 * of modules: the page then gets a new one with another request id. */
ngx_http_payments_ctx_t *
ngx_http_payments_get_ctx(ngx_http_request_t *r)
{
    ngx_http_payments_ctx_t  *ctx;

    r = r->main;

    ctx = ngx_http_get_module_ctx(r, ngx_http_payments_module);
    if (ctx != NULL) {
        return ctx;
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_payments_ctx_t));
    if (ctx == NULL || ngx_payments_uuid_text(ctx->request_id) != NGX_OK) {
        return NULL;
    }

    ctx->request = r;
    ngx_http_set_ctx(r, ctx, ngx_http_payments_module);

    return ctx;
}
