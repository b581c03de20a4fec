/*
 * The words of payments_payout about messages that are posted back to their
 * sender: to which address, and how many of them in a time.  Anybody may send
 * such a message, and must not make this gateway call out at will.
 */

#include "conf/ngx_http_payments_conf_confirm.h"
#include "conf/ngx_http_payments_conf_option.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "util/ngx_payments_memory.h"
#include "pay_url.h"


#define RATE       10000               /* per 1000 s: 10r/s */
#define RATE_MAX   1000000
#define BURST      100
#define BURST_MAX  1000

#define PSP(member)  NGX_PAYMENTS_FIELD(ngx_payments_psp_t, member)


static const ngx_http_payments_option_t  rate[] = {
    { "rate=", NGX_PAYMENTS_RATE, 0, (int64_t) NGX_PAYMENTS_RATE_MAX * 1000,
      RATE, PSP(confirm_rate) },
    { "burst=", NGX_PAYMENTS_NUMBER, 0, BURST_MAX, BURST,
      PSP(confirm_burst) },
    { .name = NULL }
};


char *
ngx_http_payments_confirm_url(ngx_conf_t *cf, void *object)
{
    pay_url_t            url;
    ngx_str_t           *value = cf->args->elts;
    ngx_payments_psp_t  *psp = object;

    if (pay_url_parse(ngx_payments_str(value[1]), &url, NULL) != PAY_OK
        || url.fragment.data != NULL || url.query.data != NULL
        || (!pay_str_is(url.scheme, "https")
            && !pay_host_is_loopback(url.host)))
    {
        return "must be the https:// address where the provider confirms its "
               "messages, for example https://console.tipalti.com/notif/"
               "ipn.aspx";
    }

    psp->psp.settings.confirm_url = ngx_payments_str(value[1]);

    return NGX_CONF_OK;
}


/* rate= is required: burst= alone would say nothing about the time. */
char *
ngx_http_payments_confirm_rate(ngx_conf_t *cf, void *object)
{
    char                *rv;
    ngx_uint_t           given;
    ngx_payments_psp_t  *psp = object;

    psp->confirm_burst = BURST;

    rv = ngx_http_payments_options(cf, rate, 1, psp, &given);

    return rv != NGX_CONF_OK ? rv
           : psp->confirm_rate == 0 || psp->confirm_rate > RATE_MAX
           ? "needs rate=, at most 1000r/s" : NGX_CONF_OK;
}


/* The real provider confirms nothing on a loopback host: that is the rest of a
 * trial, and any process that listens there could say VERIFIED. */
char *
ngx_http_payments_confirm_check(ngx_conf_t *cf, ngx_payments_psp_t *psp)
{
    pay_url_t               url;
    ngx_conf_t             *at;
    ngx_http_payments_at_t  place;

    if (psp->confirm_rate == 0) {
        ngx_http_payments_defaults(rate, psp);
    }

    if (pay_url_parse(psp->psp.settings.confirm_url, &url, NULL) == PAY_OK
        && (!pay_host_is_loopback(url.host) || psp->loopback))
    {
        return NGX_CONF_OK;
    }

    at = ngx_http_payments_at(&place, cf, psp, "webhook_confirm_url", 0);
    ngx_conf_log_error(NGX_LOG_EMERG, at, 0,
                       "%s \"%V\" has a webhook_confirm_url on a loopback "
                       "host and a base_url on another one: name the "
                       "provider's own address", psp->block,
                       &ngx_payments_nstr(psp->psp.name));

    return NGX_CONF_ERROR;
}
