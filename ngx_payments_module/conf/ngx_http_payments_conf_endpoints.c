/*
 * payments_webhook_endpoints: how messages go to the endpoints of storefronts.
 * The endpoints themselves are made by the API.
 */

#include "conf/ngx_http_payments_conf_endpoints.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_tls.h"


#define DIRECTIVE   "payments_webhook_endpoints"
#define CONNECT_MS  5000
/* Standard Webhooks: 15 to 30 s for an answer */
#define TOTAL_MS    15000

#define ENDPOINTS(member)  NGX_PAYMENTS_FIELD(ngx_payments_endpoints_t, member)


static char *set_ca(ngx_conf_t *cf, ngx_str_t *file, void *object);


static const ngx_conf_enum_t  hosts[] = {
    { ngx_string("public"), PAY_HOSTS_PUBLIC },
    { ngx_string("loopback"), PAY_HOSTS_LOOPBACK },
    { ngx_string("any"), PAY_HOSTS_ANY },
    { ngx_null_string, 0 }
};

/* payments_webhook_endpoints [concurrency=32] [interval=250ms]
 * [hosts=public|loopback|any] [ca_file=FILE] */
static const ngx_http_payments_option_t  options[] = {
    { "concurrency=", NGX_PAYMENTS_NUMBER, 1, 256, 32,
      ENDPOINTS(concurrency) },
    { "interval=", NGX_PAYMENTS_MSEC, 10, 60000, 250, ENDPOINTS(interval_ms) },
    { "hosts=", NGX_PAYMENTS_WORD, 0, 0, PAY_HOSTS_PUBLIC, ENDPOINTS(hosts),
      .names = hosts },
    { "ca_file=", .set = set_ca },
    { .name = NULL }
};

ngx_http_payments_line_t  ngx_http_payments_endpoints_line = { options, NULL };


/* Neither a breaker nor a cap of calls: PostgreSQL has those of each
 * endpoint. */
char *
ngx_http_payments_endpoints_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    ngx_conf_t              *at;
    ngx_payments_psp_t      *client = &pmcf->endpoints.client;
    ngx_http_payments_at_t   place;

    client->block = DIRECTIVE;
    client->psp.name = PAY_STR("webhooks");
    client->psp.index = NGX_PAYMENTS_PSPS_MAX;
    client->connect_timeout = CONNECT_MS;
    client->total_timeout = TOTAL_MS;
    client->loopback = pmcf->endpoints.hosts != PAY_HOSTS_PUBLIC;
    client->allow_private = pmcf->endpoints.hosts == PAY_HOSTS_ANY;
    pmcf->env.endpoint_hosts = (pay_hosts_t) pmcf->endpoints.hosts;

    at = ngx_http_payments_at(&place, cf, pmcf, DIRECTIVE, 0);

    if (at != cf && pmcf->keyring.count == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, at, 0, DIRECTIVE " needs "
                           "payments_keyring in the http block: the secrets of "
                           "endpoints are stored sealed");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
set_ca(ngx_conf_t *cf, ngx_str_t *file, void *object)
{
    ngx_payments_endpoints_t  *endpoints = object;

    endpoints->client.ca_file = *file;

    return ngx_http_payments_check_ca(cf, &endpoints->client.ca_file);
}
