/*
 * What routes go by: the words breaker, concurrency and cost of payments_psp,
 * and the directive payments_score.
 */

#include "ngx_http_payments_conf.h"


#define FAILURE_PERCENT  50
#define MIN_CALLS        10
#define WINDOW_MS        30000
#define OPEN_MS          10000
#define PROBES           2
#define HOUR_MS          3600000
#define PPM_MAX          1000000
#define SHARE_MAX        1000


static char *breaker_word(ngx_conf_t *cf, pay_breaker_conf_t *breaker,
    ngx_str_t *word);
static void breaker_defaults(pay_breaker_conf_t *breaker);
static char *percent_word(ngx_conf_t *cf, ngx_str_t *text,
    unsigned *percent);
static char *time_word(ngx_conf_t *cf, ngx_str_t *text, ngx_int_t min,
    int64_t *ms);
static char *rate_word(ngx_conf_t *cf, ngx_str_t *text, int64_t *ppm);


char *
ngx_http_payments_score(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_int_t                       rc;
    ngx_str_t                      *value = cf->args->elts;
    ngx_uint_t                      i, k, shares[4] = { 0, 0, 0, 0 };
    pay_route_weights_t            *w;
    ngx_http_payments_main_conf_t  *pmcf = conf;
    static const char              *const words[] = {
        "success=", "cost=", "latency=", "load=", NULL
    };

    w = &pmcf->env.weights;

    if (w->success || w->cost || w->latency || w->load) {
        return "is duplicate";
    }

    if (ngx_http_payments_check_words(cf, 1) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        for (k = 0, rc = NGX_DECLINED; k < 4 && rc == NGX_DECLINED; k++) {
            rc = ngx_http_payments_number(cf, &value[i], words[k], 0,
                                          SHARE_MAX, &shares[k]);
        }

        if (rc == NGX_DECLINED) {
            (void) ngx_http_payments_unknown(cf, (char *) cmd->name.data,
                                             &value[i], words);
        }

        if (rc != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    w->success = (unsigned) shares[0];
    w->cost = (unsigned) shares[1];
    w->latency = (unsigned) shares[2];
    w->load = (unsigned) shares[3];

    return shares[0] + shares[1] + shares[2] + shares[3] != 0 ? NGX_CONF_OK
           : "needs a share above 0: remove the line for equal ones";
}


/* breaker off | [failures=50%] [calls=10] [window=30s] [open=10s] [probes=2] */
char *
ngx_http_payments_psp_breaker(ngx_conf_t *cf, void *object)
{
    char                *rv;
    ngx_str_t           *value = cf->args->elts;
    ngx_uint_t           i;
    pay_breaker_conf_t  *breaker = &((ngx_payments_psp_t *) object)->breaker;

    if (breaker->window_ms != 0) {
        return "is duplicate";
    }

    if (ngx_http_payments_check_words(cf, 1) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    breaker_defaults(breaker);

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        breaker->failure_percent = 0;
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        rv = breaker_word(cf, breaker, &value[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_payments_psp_most(ngx_conf_t *cf, void *object)
{
    ngx_int_t            n;
    ngx_str_t           *value = cf->args->elts;
    ngx_payments_psp_t  *psp = object;

    if (psp->concurrency != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    n = ngx_atoi(value[1].data, value[1].len);

    if (n == NGX_ERROR || n > NGX_PAYMENTS_CONCURRENCY_MAX) {
        return "must be a number from 0, for no cap, to 100000";
    }

    psp->concurrency = (ngx_uint_t) n;

    return NGX_CONF_OK;
}


/* cost [rate=1.4%] [fixed=25] */
char *
ngx_http_payments_psp_cost(ngx_conf_t *cf, void *object)
{
    char            *rv;
    ngx_int_t        rc;
    ngx_str_t       *value = cf->args->elts, text;
    ngx_uint_t       i, fixed = 0;
    pay_psp_conf_t  *psp = &((ngx_payments_psp_t *) object)->psp;

    if (psp->cost_ppm != 0 || psp->cost_fixed_minor != 0) {
        return "is duplicate";
    }

    if (ngx_http_payments_check_words(cf, 1) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_payments_option(&value[i], "rate=", &text) == NGX_OK) {
            rv = rate_word(cf, &text, &psp->cost_ppm);
            if (rv != NGX_CONF_OK) {
                return rv;
            }

            continue;
        }

        rc = ngx_http_payments_number(cf, &value[i], "fixed=", 0, 1000000000,
                                      &fixed);

        if (rc == NGX_DECLINED) {
            return "takes rate= and fixed=";
        }

        if (rc != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    psp->cost_fixed_minor = (int64_t) fixed;

    return psp->cost_ppm != 0 || fixed != 0 ? NGX_CONF_OK
           : "needs a rate= or fixed= above 0: remove the line for none";
}


void
ngx_http_payments_health_defaults(ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t            i;
    ngx_payments_psp_t  **psps = pmcf->psps.elts;

    for (i = 0; i < pmcf->psps.nelts; i++) {
        if (psps[i]->breaker.window_ms == 0) {
            breaker_defaults(&psps[i]->breaker);
        }

        if (psps[i]->concurrency == NGX_CONF_UNSET_UINT) {
            psps[i]->concurrency = (ngx_uint_t) pmcf->psp_concurrency;
        }
    }
}


static char *
breaker_word(ngx_conf_t *cf, pay_breaker_conf_t *breaker, ngx_str_t *word)
{
    ngx_int_t   rc;
    ngx_str_t   text;
    ngx_uint_t  calls = breaker->min_calls, probes = breaker->probes;

    if (ngx_http_payments_option(word, "failures=", &text) == NGX_OK) {
        return percent_word(cf, &text, &breaker->failure_percent);
    }

    if (ngx_http_payments_option(word, "window=", &text) == NGX_OK) {
        return time_word(cf, &text, 100, &breaker->window_ms);
    }

    if (ngx_http_payments_option(word, "open=", &text) == NGX_OK) {
        return time_word(cf, &text, 10, &breaker->open_ms);
    }

    rc = ngx_http_payments_number(cf, word, "calls=", 1, 100000, &calls);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_payments_number(cf, word, "probes=", 1, 100, &probes);
    }

    if (rc == NGX_DECLINED) {
        return "takes off, or failures=, calls=, window=, open= and probes=";
    }

    breaker->min_calls = (unsigned) calls;
    breaker->probes = (unsigned) probes;

    return rc == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static void
breaker_defaults(pay_breaker_conf_t *breaker)
{
    breaker->failure_percent = FAILURE_PERCENT;
    breaker->min_calls = MIN_CALLS;
    breaker->window_ms = WINDOW_MS;
    breaker->open_ms = OPEN_MS;
    breaker->probes = PROBES;
}


static char *
percent_word(ngx_conf_t *cf, ngx_str_t *text, unsigned *percent)
{
    ngx_int_t  n = NGX_ERROR;

    if (text->data[text->len - 1] == '%') {
        n = ngx_atoi(text->data, text->len - 1);
    }

    if (n < 1 || n > 100) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"failures=%V\" must be a share from 1%% to 100%%",
                           text);
        return NGX_CONF_ERROR;
    }

    *percent = (unsigned) n;

    return NGX_CONF_OK;
}


static char *
time_word(ngx_conf_t *cf, ngx_str_t *text, ngx_int_t min, int64_t *ms)
{
    ngx_int_t  n;

    n = ngx_parse_time(text, 0);

    if (n == NGX_ERROR || n < min || n > HOUR_MS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must be a time from %ims to 1h", text, min);
        return NGX_CONF_ERROR;
    }

    *ms = (int64_t) n;

    return NGX_CONF_OK;
}


/* 1.4% is 14000 ppm; the last digit before the sign keeps "." and "1.%" out,
 * which ngx_atofp() takes. */
static char *
rate_word(ngx_conf_t *cf, ngx_str_t *text, int64_t *ppm)
{
    size_t     len = text->len - 1;
    u_char    *p = text->data;
    ngx_int_t  n = NGX_ERROR;

    if (len > 0 && p[len] == '%' && p[0] != '.' && p[len - 1] != '.') {
        n = ngx_atofp(p, len, 4);
    }

    if (n == NGX_ERROR || n > PPM_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"rate=%V\" must be a share from 0%% to 100%% with "
                           "at most 4 decimals, for example 1.4%%", text);
        return NGX_CONF_ERROR;
    }

    *ppm = (int64_t) n;

    return NGX_CONF_OK;
}
