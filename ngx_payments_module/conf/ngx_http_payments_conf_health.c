/*
 * The settings that routes use: the words breaker, concurrency and cost of
 * payments_psp, and the directive payments_score.
 */

#include "conf/ngx_http_payments_conf_health.h"


#define SHARE_MAX  1000
#define HOUR_MS    3600000

#define SHARE(member)  NGX_PAYMENTS_FIELD(pay_route_weights_t, member)
#define BREAKER(member)  NGX_PAYMENTS_FIELD(pay_breaker_conf_t, member)
#define PSP(member)  NGX_PAYMENTS_FIELD(pay_psp_conf_t, member)


static char *check_score(ngx_conf_t *cf, void *object, ngx_uint_t given);
static void client_defaults(const ngx_http_payments_main_conf_t *pmcf,
    ngx_payments_psp_t *client);


static const ngx_http_payments_option_t  shares[] = {
    { "success=", NGX_PAYMENTS_NUMBER, 0, SHARE_MAX, 0, SHARE(success) },
    { "cost=", NGX_PAYMENTS_NUMBER, 0, SHARE_MAX, 0, SHARE(cost) },
    { "latency=", NGX_PAYMENTS_NUMBER, 0, SHARE_MAX, 0, SHARE(latency) },
    { "load=", NGX_PAYMENTS_NUMBER, 0, SHARE_MAX, 0, SHARE(load) },
    { .name = NULL }
};

/* breaker off | [failures=50%] [calls=10] [window=30s] [open=10s] [probes=2] */
static const ngx_http_payments_option_t  breaker[] = {
    { "off", NGX_PAYMENTS_OFF, BREAKER(failure_percent) },
    { "failures=", NGX_PAYMENTS_PERCENT, 1, 100, 50,
      BREAKER(failure_percent) },
    { "calls=", NGX_PAYMENTS_NUMBER, 1, 100000, 10, BREAKER(min_calls) },
    { "window=", NGX_PAYMENTS_MSEC, 100, HOUR_MS, 30000, BREAKER(window_ms) },
    { "open=", NGX_PAYMENTS_MSEC, 10, HOUR_MS, 10000, BREAKER(open_ms) },
    { "probes=", NGX_PAYMENTS_NUMBER, 1, 100, 2, BREAKER(probes) },
    { .name = NULL }
};

static const ngx_http_payments_option_t  cost[] = {
    { "rate=", NGX_PAYMENTS_PPM, 0, 1000000, 0, PSP(cost_ppm) },
    { "fixed=", NGX_PAYMENTS_NUMBER, 0, 1000000000, 0, PSP(cost_fixed_minor) },
    { .name = NULL }
};


ngx_http_payments_line_t  ngx_http_payments_score_line = { shares,
                                                           check_score };


/* Shares of 0 alone would leave no score. */
static char *
check_score(ngx_conf_t *cf, void *object, ngx_uint_t given)
{
    pay_route_weights_t  *w = object;

    (void) cf;
    (void) given;

    return w->success + w->cost + w->latency + w->load != 0 ? NGX_CONF_OK
           : "needs a share above 0: remove the line for equal ones";
}


/* Words that are left out keep their defaults; "off" sets the share of
 * failures to 0, which never opens. */
char *
ngx_http_payments_psp_breaker(ngx_conf_t *cf, void *object)
{
    ngx_uint_t           given;
    ngx_payments_psp_t  *psp = object;

    ngx_http_payments_defaults(breaker, &psp->breaker);

    return ngx_http_payments_options(cf, breaker, 1, &psp->breaker, &given);
}


/* Routes by score are the only ones that use the cost; nothing is booked by
 * it. */
char *
ngx_http_payments_psp_cost(ngx_conf_t *cf, void *object)
{
    char            *rv;
    pay_psp_conf_t  *psp = &((ngx_payments_psp_t *) object)->psp;
    ngx_uint_t       given;

    rv = ngx_http_payments_options(cf, cost, 1, psp, &given);

    return rv != NGX_CONF_OK ? rv
           : psp->cost_ppm != 0 || psp->cost_fixed_minor != 0 ? NGX_CONF_OK
           : "needs a rate= or fixed= above 0: remove the line for none";
}


void
ngx_http_payments_health_defaults(ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t                  i;
    ngx_payments_psp_t        **psps = pmcf->psps.elts;
    ngx_payments_payout_t     **payouts = pmcf->payouts.elts;
    ngx_payments_screening_t  **screenings = pmcf->screenings.elts;
    ngx_payments_risk_provider_t  **providers = pmcf->risk.providers.elts;

    for (i = 0; i < pmcf->psps.nelts; i++) {
        client_defaults(pmcf, psps[i]);
    }

    for (i = 0; i < pmcf->payouts.nelts; i++) {
        client_defaults(pmcf, &payouts[i]->client);
    }

    for (i = 0; i < pmcf->screenings.nelts; i++) {
        client_defaults(pmcf, &screenings[i]->client);
    }

    for (i = 0; i < pmcf->risk.providers.nelts; i++) {
        client_defaults(pmcf, &providers[i]->client);
    }
}


/* window_ms cannot be 0 in a line, so 0 says that the block has none. */
static void
client_defaults(const ngx_http_payments_main_conf_t *pmcf,
    ngx_payments_psp_t *client)
{
    if (client->breaker.window_ms == 0) {
        ngx_http_payments_defaults(breaker, &client->breaker);
    }

    if (client->concurrency == NGX_CONF_UNSET_UINT) {
        client->concurrency = (ngx_uint_t) pmcf->psp_concurrency;
    }
}
