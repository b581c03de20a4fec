/*
 * The words of payments_psp about the certificates that a webhook names by URL:
 * the path below which they lie, and how many are fetched in a time.  A forger
 * of webhooks makes up such URLs, and must not make this gateway call out at
 * will.
 */

#include "conf/ngx_http_payments_conf_cert.h"
#include "conf/ngx_http_payments_conf_option.h"
#include "pay_url.h"


#define RATE           1000                /* per 1000 s: 1r/s */
#define RATE_MAX       100000
#define BURST          20
#define BURST_MAX      1000
#define CERT_PATH_MAX  256

#define PSP(member)  NGX_PAYMENTS_FIELD(ngx_payments_psp_t, member)


static const ngx_http_payments_option_t  rate[] = {
    { "rate=", NGX_PAYMENTS_RATE, 0, (int64_t) NGX_PAYMENTS_RATE_MAX * 1000,
      RATE, PSP(cert_rate) },
    { "burst=", NGX_PAYMENTS_NUMBER, 0, BURST_MAX, BURST, PSP(cert_burst) },
    { .name = NULL }
};


/* Below a path of the PSP only its own files can lie, whatever else the host
 * serves. */
char *
ngx_http_payments_cert_path(ngx_conf_t *cf, void *object)
{
    ngx_str_t           *value = cf->args->elts;
    pay_str_t            path = ngx_payments_str(value[1]);
    ngx_payments_psp_t  *psp = object;

    if (path.len > CERT_PATH_MAX || !pay_url_prefix_is_valid(path)) {
        return "must be a path such as /v1/certs/: it begins and ends with "
               "\"/\", and holds letters, digits and . _ ~ - alone";
    }

    psp->psp.settings.cert_path = path;

    return NGX_CONF_OK;
}


/* rate= is required: burst= alone would say nothing about the time. */
char *
ngx_http_payments_cert_rate(ngx_conf_t *cf, void *object)
{
    char                *rv;
    ngx_uint_t           given;
    ngx_payments_psp_t  *psp = object;

    psp->cert_burst = BURST;

    rv = ngx_http_payments_options(cf, rate, 1, psp, &given);

    return rv != NGX_CONF_OK ? rv
           : psp->cert_rate == 0 || psp->cert_rate > RATE_MAX
           ? "needs rate=, at most 100r/s" : NGX_CONF_OK;
}


/* The path's is the scheme's to know. */
void
ngx_http_payments_cert_defaults(ngx_payments_psp_t *psp)
{
    if (psp->cert_rate == 0) {
        ngx_http_payments_defaults(rate, psp);
    }
}
