/*
 * The words reports= and report_user= of payments_settlement: where a PSP's
 * reports are, and who may download them.  Nothing is called here; each refusal
 * says how to mend it.
 */

#include "conf/ngx_http_payments_conf_report.h"
#include "conf/ngx_http_payments_secret.h"
#include "pay_url.h"


#define USER_MAX      512
#define DOWNLOAD_MS   70000            /* with the renewal of the lease before
                                          it less than the lease */


static char *report_check(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf,
    const ngx_payments_settlement_t *settlement);
static char *report_check_url(ngx_conf_t *cf,
    ngx_payments_settlement_t *settlement);
static void report_client(ngx_http_payments_main_conf_t *pmcf,
    ngx_payments_settlement_t *settlement);
static char *refuse(ngx_conf_t *cf,
    const ngx_payments_settlement_t *settlement, const char *why);


/* RFC 7617: the name ends at the first colon. */
char *
ngx_http_payments_report_user(ngx_conf_t *cf, ngx_str_t *text, void *object)
{
    size_t                      i;
    ngx_str_t                   user;
    ngx_payments_settlement_t  *settlement = object;

    if (ngx_http_payments_read_secret(cf, text, 1, &user) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < user.len; i++) {
        if (user.data[i] <= ' ' || user.data[i] >= 0x7f) {
            return "names a file with more than one word: it must hold "
                   "NAME:PASSWORD of the report user alone";
        }
    }

    if (user.len > USER_MAX || user.data[0] == ':'
        || ngx_strlchr(user.data, user.data + user.len, ':') == NULL)
    {
        return "names a file that must hold NAME:PASSWORD of the report "
               "user, of at most 512 bytes";
    }

    settlement->source.report_user = ngx_payments_str(user);

    return NGX_CONF_OK;
}


char *
ngx_http_payments_report_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf,
    ngx_payments_settlement_t *settlement)
{
    pay_settle_source_t       *source = &settlement->source;
    const pay_psp_adapter_t   *adapter;

    adapter = source->psp != NULL ? source->psp->adapter : NULL;

    if (source->way != PAY_SETTLE_BY_PULL || adapter == NULL
        || !(adapter->traits & PAY_PSP_REPORTS)
        || !pay_str_is(source->format, adapter->name))
    {
        return settlement->client.base_url.len == 0
               && source->report_user.len == 0
               ? NGX_CONF_OK
               : refuse(cf, settlement, "has reports= or report_user=, which "
                        "only a pull= of the adapter adyen has: remove them");
    }

    report_client(pmcf, settlement);

    if (report_check(cf, pmcf, settlement) != NGX_CONF_OK
        || report_check_url(cf, settlement) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    source->way = PAY_SETTLE_BY_REPORT;
    source->reports = ngx_payments_str(settlement->client.base_url);

    return NGX_CONF_OK;
}


/* An announcement names the PSP alone: two sources would share its reports. */
static char *
report_check(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    const ngx_payments_settlement_t *settlement)
{
    ngx_uint_t                   i;
    ngx_payments_settlement_t  **all = pmcf->settlements.elts;

    if (settlement->client.base_url.len == 0) {
        return refuse(cf, settlement, "needs reports=, the URL below which "
                      "the PSP has this account's reports");
    }

    if (settlement->source.report_user.len == 0) {
        return refuse(cf, settlement, "needs report_user=, a file with "
                      "NAME:PASSWORD of the PSP's report user");
    }

    for (i = 0; i < pmcf->settlements.nelts; i++) {
        if (all[i]->source.way == PAY_SETTLE_BY_REPORT
            && all[i]->source.psp == settlement->source.psp)
        {
            return refuse(cf, settlement, "has the psp= of another source "
                          "with reports=: one source reads the reports of a "
                          "payments_psp block");
        }
    }

    return NGX_CONF_OK;
}


/* As a PSP's base_url is checked: https, no private address, no user. */
static char *
report_check_url(ngx_conf_t *cf, ngx_payments_settlement_t *settlement)
{
    ngx_str_t           *text = &settlement->client.base_url;
    pay_err_t            err;
    pay_url_t            url;
    ngx_payments_psp_t  *client = &settlement->client;

    while (text->len > 0 && text->data[text->len - 1] == '/') {
        text->len--;
    }

    if (pay_base_url_check(ngx_payments_str(*text),
                           (int) client->allow_private, &err) != PAY_OK
        || pay_url_parse(ngx_payments_str(*text), &url, &err) != PAY_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_settlement \"%V\", reports \"%V\": %s",
                           &ngx_payments_nstr(settlement->source.name), text,
                           err.detail);
        return NGX_CONF_ERROR;
    }

    client->loopback = pay_host_is_loopback(url.host)
                       && (pay_str_is(url.scheme, "http")
                           || url.host.data[0] == '1');

    return NGX_CONF_OK;
}


/* Trust and ways out are those of the PSP's block, but for its pins, which are
 * the API's. */
static void
report_client(ngx_http_payments_main_conf_t *pmcf,
    ngx_payments_settlement_t *settlement)
{
    ngx_payments_psp_t        *client = &settlement->client;
    ngx_payments_psp_t       **psps = pmcf->psps.elts;
    const ngx_payments_psp_t  *psp = psps[settlement->source.psp->index];

    client->psp = psp->psp;
    client->ca_file = psp->ca_file;
    client->proxy = psp->proxy;
    client->allow_private = psp->allow_private;
    client->connect_timeout = psp->connect_timeout;
    client->total_timeout = DOWNLOAD_MS;
}


static char *
refuse(ngx_conf_t *cf, const ngx_payments_settlement_t *settlement,
    const char *why)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "payments_settlement \"%V\" %s",
                       &ngx_payments_nstr(settlement->source.name), why);

    return NGX_CONF_ERROR;
}
