/*
 * Sources of rates (payments_rates) and how long a quote holds
 * (payments_quote).  Nothing is fetched or read here; each refusal says how
 * to mend it.
 */

#include "conf/ngx_http_payments_conf_rates.h"
#include "conf/ngx_http_payments_conf_text.h"
#include "pay_money.h"
#include "pay_url.h"


#define NAME_MAX_LEN  64
#define HOUR_MS       3600000
#define DAY_MS        86400000
#define TIMEOUT_MS    10000
#define CONNECT_MS    5000

#define RATES(member)  NGX_PAYMENTS_FIELD(ngx_payments_rates_t, member)


static ngx_payments_rates_t *rates_add(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, ngx_str_t *name);
static char *set_base(ngx_conf_t *cf, ngx_str_t *text, void *object);
static char *rates_check(ngx_conf_t *cf, ngx_payments_rates_t *rates);
static char *rates_check_url(ngx_conf_t *cf, ngx_payments_rates_t *rates);
static char *rates_check_file(ngx_conf_t *cf, ngx_payments_rates_t *rates);
static char *rates_refuse(ngx_conf_t *cf, const ngx_payments_rates_t *rates,
    const char *why);


/* payments_rates NAME url=|file= base= [interval=60s] [max_age=5m] */
static const ngx_http_payments_option_t  options[] = {
    { "url=", NGX_PAYMENTS_TEXT, RATES(client.base_url) },
    { "file=", NGX_PAYMENTS_TEXT, RATES(file) },
    { "base=", .set = set_base },
    { "interval=", NGX_PAYMENTS_MSEC, 1000, HOUR_MS, 60000,
      RATES(source.interval_ms) },
    { "max_age=", NGX_PAYMENTS_MSEC, 1000, 7 * DAY_MS, 300000,
      RATES(source.max_age_ms) },
    { .name = NULL }
};

static const ngx_http_payments_option_t  quote[] = {
    { "ttl=", NGX_PAYMENTS_MSEC, 1000, DAY_MS, 900000,
      NGX_PAYMENTS_FIELD(ngx_http_payments_main_conf_t, quote_ttl) },
    { .name = NULL }
};


ngx_http_payments_line_t  ngx_http_payments_quote_line = { quote, NULL };


/* Several lines, one a source; the rate is the median of all. */
char *
ngx_http_payments_rates(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t             *value = cf->args->elts;
    ngx_uint_t             given;
    ngx_payments_rates_t  *rates;

    (void) cmd;

    rates = rates_add(cf, conf, &value[1]);

    if (rates == NULL
        || ngx_http_payments_options(cf, options, 2, rates, &given)
           != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return rates_check(cf, rates);
}


/* The core's plain array. */
char *
ngx_http_payments_rates_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t              i;
    pay_env_t              *env = &pmcf->env;
    pay_rate_source_t      *core;
    ngx_payments_rates_t  **rates = pmcf->rates.elts;

    core = ngx_pcalloc(cf->pool,
                       (pmcf->rates.nelts + 1) * sizeof(pay_rate_source_t));
    if (core == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < pmcf->rates.nelts; i++) {
        rates[i]->source.index = (unsigned) i;
        core[i] = rates[i]->source;
        env->rate_age_s = ngx_max(env->rate_age_s,
                                  rates[i]->source.max_age_ms / 1000);
    }

    env->rates = core;
    env->rate_count = pmcf->rates.nelts;
    env->quote_ttl_s = (int64_t) (pmcf->quote_ttl / 1000);

    return NGX_CONF_OK;
}


/* The client is a PSP in the eyes of the transport, but for all that an
 * account needs. */
static ngx_payments_rates_t *
rates_add(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    ngx_str_t *name)
{
    ngx_uint_t              i;
    ngx_payments_rates_t   *rates, **slot, **all = pmcf->rates.elts;

    if (!ngx_http_payments_is_plain(name, NAME_MAX_LEN)
        || ngx_strlchr(name->data, name->data + name->len, '=') != NULL)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_rates needs a name first, of at most "
                           "64 visible characters and without \"=\", not "
                           "\"%V\"", name);
        return NULL;
    }

    for (i = 0; i < pmcf->rates.nelts; i++) {
        if (pay_str_eq(all[i]->source.name, ngx_payments_str(*name))) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "payments_rates \"%V\" is there twice: give "
                               "each source a name of its own", name);
            return NULL;
        }
    }

    if (pmcf->rates.nelts == PAY_RATE_SOURCES_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_rates \"%V\" is one too many: at most "
                           "5 sources are asked", name);
        return NULL;
    }

    rates = ngx_pcalloc(cf->pool, sizeof(ngx_payments_rates_t));
    slot = ngx_array_push(&pmcf->rates);
    if (rates == NULL || slot == NULL) {
        return NULL;
    }

    *slot = rates;
    rates->source.name = ngx_payments_str(*name);
    ngx_http_payments_defaults(options, rates);
    rates->client.psp.name = rates->source.name;
    rates->client.connect_timeout = CONNECT_MS;
    rates->client.total_timeout = TIMEOUT_MS;

    return rates;
}


/* Only currencies that ISO 4217 has today. */
static char *
set_base(ngx_conf_t *cf, ngx_str_t *text, void *object)
{
    const pay_currency_t  *currency;
    ngx_payments_rates_t  *rates = object;

    (void) cf;

    if (pay_currency_current(ngx_payments_str(*text), &currency, NULL)
        != PAY_OK)
    {
        return "must be a currency's code of ISO 4217, for example base=EUR";
    }

    rates->source.base = pay_str_of(currency->code);

    return NGX_CONF_OK;
}


/* An age of twice the interval lets one look fail without effect. */
static char *
rates_check(ngx_conf_t *cf, ngx_payments_rates_t *rates)
{
    if (rates->source.base.len == 0) {
        return rates_refuse(cf, rates, "needs base=, the currency that its "
                                       "rates are of, for example base=EUR");
    }

    if ((rates->file.len == 0) == (rates->client.base_url.len == 0)) {
        return rates_refuse(cf, rates, "needs either url= or file=");
    }

    if (rates->source.max_age_ms < 2 * rates->source.interval_ms) {
        return rates_refuse(cf, rates, "needs a max_age= of at least twice "
                                       "its interval=: else all rates are "
                                       "stale when one look fails");
    }

    return rates->file.len != 0 ? rates_check_file(cf, rates)
                                : rates_check_url(cf, rates);
}


/* A query may hold the key of the source's customer: nothing of it is logged.
 * The origin is checked as a PSP's base_url is: https, no private address, no
 * password. */
static char *
rates_check_url(ngx_conf_t *cf, ngx_payments_rates_t *rates)
{
    ngx_str_t   origin;
    pay_err_t   err;
    pay_url_t   url;
    pay_str_t   text = ngx_payments_str(rates->client.base_url);
    ngx_uint_t  plain;

    if (pay_url_parse(text, &url, &err) != PAY_OK) {
        return rates_refuse(cf, rates, "needs an absolute url= without a user, "
                                       "for example "
                                       "https://rates.example/latest");
    }

    if (url.fragment.data != NULL) {
        return rates_refuse(cf, rates, "has a url= with a fragment, which no "
                                       "server sees: remove it");
    }

    origin.data = rates->client.base_url.data;
    origin.len = (url.port.len != 0 ? url.port.data + url.port.len
                                    : url.host.data + url.host.len)
                 - origin.data;

    if (pay_base_url_check(ngx_payments_str(origin), 0, &err) != PAY_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_rates \"%V\", url \"%V…\": %s",
                           &ngx_payments_nstr(rates->source.name), &origin,
                           err.detail);
        return NGX_CONF_ERROR;
    }

    plain = pay_str_is(url.scheme, "http");
    rates->client.loopback = pay_host_is_loopback(url.host)
                             && (plain || url.host.data[0] == '1');

    return NGX_CONF_OK;
}


/* It may come later: on a fresh machine what writes it may start later. */
static char *
rates_check_file(ngx_conf_t *cf, ngx_payments_rates_t *rates)
{
    ngx_file_info_t  fi;

    if (ngx_conf_full_name(cf->cycle, &rates->file, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_file_info(rates->file.data, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, ngx_errno,
                           "payments_rates \"%V\": \"%V\" is not there yet",
                           &ngx_payments_nstr(rates->source.name),
                           &rates->file);
        return NGX_CONF_OK;
    }

    return ngx_is_file(&fi) ? NGX_CONF_OK
           : rates_refuse(cf, rates, "names no regular file: file= needs one "
                                     "with JSON in it");
}


static char *
rates_refuse(ngx_conf_t *cf, const ngx_payments_rates_t *rates,
    const char *why)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "payments_rates \"%V\" %s",
                       &ngx_payments_nstr(rates->source.name), why);

    return NGX_CONF_ERROR;
}
