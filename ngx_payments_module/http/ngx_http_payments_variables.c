/*
 * $payments_… for logs and maps: ids, outcomes and durations, nothing else.
 */

#include "http/ngx_http_payments_variables.h"
#include "util/ngx_http_payments_ctx.h"


static ngx_int_t get_text(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data);
static ngx_int_t get_time(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data);
static ngx_int_t get_request_id(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


#define OFFSET(field)  offsetof(ngx_http_payments_ctx_t, field)


/* Not cacheable, as they change while the request goes on; the request id does
 * not. */
static ngx_http_variable_t  variables[] = {

    { ngx_string("payments_merchant"), NULL, get_text, OFFSET(merchant_id),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("payments_staff"), NULL, get_text, OFFSET(staff_id),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("payments_page"), NULL, get_text, OFFSET(page),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("payments_checkout_id"), NULL, get_text, OFFSET(checkout_id),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("payments_order_id"), NULL, get_text, OFFSET(order_id),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("payments_psp"), NULL, get_text, OFFSET(psp),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("payments_trace_id"), NULL, get_text, OFFSET(trace_id),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("payments_outcome"), NULL, get_text, OFFSET(outcome),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("payments_db_time"), NULL, get_time, OFFSET(db_ms),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("payments_psp_time"), NULL, get_time, OFFSET(psp_ms),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("payments_request_id"), NULL, get_request_id, 0, 0, 0 },

    ngx_http_null_variable
};


ngx_int_t
ngx_http_payments_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = variables; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


/* A variable without a value is "-" in a log line.  A log of a request that
 * never reached a payments location must not make a context. */
static ngx_int_t
get_text(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                *text;
    ngx_http_payments_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r->main, ngx_http_payments_module);
    text = ctx == NULL ? NULL : (ngx_str_t *) ((u_char *) ctx + data);

    if (text == NULL || text->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    v->data = text->data;
    v->len = (unsigned) text->len;

    return NGX_OK;
}


/* Seconds with three decimals, as nginx' own times. */
static ngx_int_t
get_time(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                   *p;
    ngx_msec_t                ms;
    ngx_http_payments_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r->main, ngx_http_payments_module);
    p = ctx == NULL ? NULL : ngx_pnalloc(r->pool, NGX_TIME_T_LEN + 4);

    if (p == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    ms = *(ngx_msec_t *) ((u_char *) ctx + data);

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    v->data = p;
    v->len = (unsigned) (ngx_sprintf(p, "%T.%03M", (time_t) (ms / 1000),
                                     ms % 1000) - p);

    return NGX_OK;
}


/* Makes a context if need be: every answer of the server has an id. */
static ngx_int_t
get_request_id(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    ngx_http_payments_ctx_t  *ctx;

    ctx = ngx_http_payments_get_ctx(r);

    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    v->data = ctx->request_id;
    v->len = PAY_UUID_TEXT;

    return NGX_OK;
}
