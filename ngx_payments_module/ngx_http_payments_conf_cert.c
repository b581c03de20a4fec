/*
 * The words of payments_psp about the certificates that a webhook names by
 * URL: below which path they lie, and how many are fetched in a time.  Whoever
 * forges webhooks makes up such URLs, and must not make this gateway call out
 * at will.
 */

#include "ngx_http_payments_conf.h"
#include "pay_url.h"


#define RATE        1000               /* per 1000 s: 1r/s */
#define RATE_MAX    100000
#define BURST       20
#define BURST_MAX   1000
#define CERT_PATH_MAX  256


static const char *const  words[] = { "rate=", "burst=", NULL };


char *
ngx_http_payments_cert_path(ngx_conf_t *cf, void *object)
{
    ngx_str_t           *value = cf->args->elts;
    pay_str_t            path = ngx_payments_str(value[1]);
    ngx_payments_psp_t  *psp = object;

    if (psp->psp.settings.cert_path.len != 0) {
        return "is duplicate";
    }

    if (path.len > CERT_PATH_MAX || !pay_url_prefix_is_valid(path)) {
        return "must be a path such as /v1/certs/: it begins and ends with "
               "\"/\", and holds letters, digits and . _ ~ - alone";
    }

    psp->psp.settings.cert_path = path;

    return NGX_CONF_OK;
}


char *
ngx_http_payments_cert_rate(ngx_conf_t *cf, void *object)
{
    ngx_int_t            rc;
    ngx_str_t           *value = cf->args->elts;
    ngx_uint_t           i;
    ngx_payments_psp_t  *psp = object;

    if (psp->cert_rate != 0) {
        return "is duplicate";
    }

    if (ngx_http_payments_check_words(cf, 1) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    psp->cert_burst = BURST;

    for (i = 1; i < cf->args->nelts; i++) {
        rc = ngx_http_payments_rate(cf, &value[i], "rate=", &psp->cert_rate);

        if (rc == NGX_DECLINED) {
            rc = ngx_http_payments_number(cf, &value[i], "burst=", 0,
                                          BURST_MAX, &psp->cert_burst);
        }

        if (rc == NGX_DECLINED) {
            return ngx_http_payments_unknown(cf, "webhook_cert_rate",
                                             &value[i], words);
        }

        if (rc != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return psp->cert_rate == 0 || psp->cert_rate > RATE_MAX
           ? "needs rate=, at most 100r/s" : NGX_CONF_OK;
}


/* The path's is the scheme's to know. */
void
ngx_http_payments_cert_defaults(ngx_payments_psp_t *psp)
{
    if (psp->cert_rate == 0) {
        psp->cert_rate = RATE;
        psp->cert_burst = BURST;
    }
}
