/*
 * The words about transport that the blocks payments_psp and payments_payout
 * share: the address, the key, the mode, the deadlines of a call.
 */

#include "conf/ngx_http_payments_conf_client.h"
#include "conf/ngx_http_payments_conf_option.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_secret.h"
#include "pay_url.h"


#define CONNECT_MS  2000
#define TOTAL_MS    10000

#define PSP(member)  NGX_PAYMENTS_FIELD(ngx_payments_psp_t, member)


const ngx_conf_enum_t  ngx_http_payments_modes[] = {
    { ngx_string("live"), 1 },
    { ngx_string("test"), 0 },
    { ngx_null_string, 0 }
};

static const ngx_http_payments_option_t  timeouts[] = {
    { "connect=", NGX_PAYMENTS_MSEC, 10, 120000, 0, PSP(connect_timeout) },
    { "total=", NGX_PAYMENTS_MSEC, 10, 120000, 0, PSP(total_timeout) },
    { .name = NULL }
};


/* Adapters begin their paths with "/". */
char *
ngx_http_payments_client_url(ngx_conf_t *cf, void *object)
{
    ngx_str_t           *value = cf->args->elts;
    ngx_payments_psp_t  *psp = object;

    psp->base_url = value[1];

    while (psp->base_url.len > 0
           && psp->base_url.data[psp->base_url.len - 1] == '/')
    {
        psp->base_url.len--;
    }

    psp->psp.account.base_url = ngx_payments_str(psp->base_url);

    return NGX_CONF_OK;
}


/* The key goes into a header field, where a line break would end it. */
char *
ngx_http_payments_client_key(ngx_conf_t *cf, void *object)
{
    ngx_str_t           *value = cf->args->elts, key;
    ngx_uint_t           i;
    ngx_payments_psp_t  *psp = object;

    if (ngx_http_payments_read_secret(cf, &value[1], 1, &key) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < key.len; i++) {
        if (key.data[i] <= ' ' || key.data[i] >= 0x7f) {
            return "names a file with more than one word: it must hold the "
                   "API key alone";
        }
    }

    psp->psp.account.api_key = ngx_payments_str(key);

    return NGX_CONF_OK;
}


/* The defaults are filled in before the comparison, so that total=1s alone is
 * right. */
char *
ngx_http_payments_client_timeout(ngx_conf_t *cf, void *object)
{
    char                *rv;
    ngx_uint_t           given;
    ngx_payments_psp_t  *psp = object;

    rv = ngx_http_payments_options(cf, timeouts, 1, psp, &given);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    ngx_http_payments_client_defaults(psp);

    return psp->connect_timeout <= psp->total_timeout ? NGX_CONF_OK
           : "needs a connect= that is not longer than its total=";
}


/* Called for the line and for the block, since each may be missing. */
void
ngx_http_payments_client_defaults(ngx_payments_psp_t *psp)
{
    if (psp->total_timeout == 0) {
        psp->total_timeout = TOTAL_MS;
    }

    if (psp->connect_timeout == 0) {
        psp->connect_timeout = ngx_min(CONNECT_MS, psp->total_timeout);
    }
}


/* allow_private is for PSPs within the own network; otherwise a literal of a
 * private address is refused here, and a name that leads to one at each call
 * (T18). */
char *
ngx_http_payments_client_check(ngx_conf_t *cf, ngx_payments_psp_t *psp)
{
    pay_err_t                err;
    pay_url_t                url;
    ngx_conf_t              *at;
    ngx_uint_t               plain;
    ngx_http_payments_at_t   place;

    at = ngx_http_payments_at(&place, cf, psp, "base_url", 0);

    if (pay_base_url_check(ngx_payments_str(psp->base_url),
                           (int) psp->allow_private, &err) != PAY_OK
        || pay_url_parse(ngx_payments_str(psp->base_url), &url, &err)
           != PAY_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, at, 0, "base_url \"%V\": %s",
                           &psp->base_url, err.detail);
        return NGX_CONF_ERROR;
    }

    plain = pay_str_is(url.scheme, "http");

    if (plain && psp->proxy.len != 0) {
        at = ngx_http_payments_at(&place, cf, psp, "proxy", 0);
        ngx_conf_log_error(NGX_LOG_EMERG, at, 0,
                           "%s \"%V\" has a proxy and an http:// base_url, "
                           "which is for a loopback host only: remove the "
                           "proxy", psp->block,
                           &ngx_payments_nstr(psp->psp.name));
        return NGX_CONF_ERROR;
    }

    /* "localhost" over https is a name like any other */
    psp->loopback = pay_host_is_loopback(url.host)
                    && (plain || url.host.data[0] == '1');

    return NGX_CONF_OK;
}
