/*
 * The block payments_screening: a merchant's account at a provider of sanctions
 * screening.  The words of payments_psp about transport are taken from there.
 */

#include "conf/ngx_http_payments_conf_screening.h"
#include "conf/ngx_http_payments_conf_block.h"
#include "conf/ngx_http_payments_conf_client.h"
#include "conf/ngx_http_payments_conf_health.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_provider.h"
#include "conf/ngx_http_payments_conf_text.h"
#include "conf/ngx_http_payments_conf_tls.h"
#include "util/ngx_payments_memory.h"


#define BLOCK          "payments_screening"
#define ID_MAX_LEN     255
#define HOUR_MS        3600000
#define DAY_S          86400
#define RETRY_S        60

#define SCREENING(member)  NGX_PAYMENTS_FIELD(ngx_payments_screening_t, member)


static char *screening_check(ngx_conf_t *cf,
    ngx_payments_screening_t *screening);
static char *resolve_one(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    ngx_payments_screening_t *screening);


static const ngx_http_payments_provider_kind_t  screening_kind = {
    .block = BLOCK, .label = "screening", .name_len = 54,
    .count = NGX_PAYMENTS_SCREENINGS_MAX, .used = "asked",
    .index = NGX_PAYMENTS_PSPS_MAX + PAY_PAYOUT_PROVIDERS_MAX,
    .size = sizeof(ngx_payments_screening_t),
    .name = offsetof(ngx_payments_screening_t, provider.name)
};

static const word_t  screening_words[] = {
    { "merchant", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_PLAIN, 1, ID_MAX_LEN, SCREENING(merchant),
        .must = "must be the name of a payments_merchant block" } },
    { "base_url", 1, 1, ONCE, ngx_http_payments_client_url, VALUE_NONE },
    { "api_key_file", 1, 1, ONCE, ngx_http_payments_client_key, VALUE_NONE },
    { "pinned_public_key", 1, 4, ONCE, ngx_http_payments_psp_pins,
      VALUE_NONE },
    { "ca_file", 1, 1, ONCE, ngx_http_payments_psp_ca, VALUE_NONE },
    { "proxy", 1, 1, ONCE, ngx_http_payments_psp_proxy, VALUE_NONE },
    { "timeout", 1, 2, ONCE, ngx_http_payments_client_timeout, VALUE_NONE },
    { "breaker", 1, 5, ONCE, ngx_http_payments_psp_breaker, VALUE_NONE },
    { "concurrency", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_NUMBER, 0, NGX_PAYMENTS_CONCURRENCY_MAX,
        SCREENING(client.concurrency),
        .must = "must be a number from 0, for no cap, to 100000" } },
    { "interval", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_MSEC, 100, HOUR_MS, SCREENING(interval_ms) } },
    { "retry", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_SEC, 1, DAY_S, SCREENING(retry_s) } },
    { "allow_private_address", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_WORD, SCREENING(client.allow_private),
        .names = ngx_http_payments_on_off } },
    { .name = NULL }
};


char *
ngx_http_payments_screening_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_str_t                      *value = cf->args->elts;
    ngx_payments_screening_t       *screening;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    (void) cmd;

    screening = ngx_http_payments_provider_add(cf, &screening_kind,
                                               &pmcf->screenings, &value[1]);

    return screening == NULL
           || ngx_http_payments_parse_block(cf, screening_words, BLOCK,
                                            screening) != NGX_CONF_OK
           ? NGX_CONF_ERROR : screening_check(cf, screening);
}


/* The keyring and merchants may stand anywhere in the http block. */
char *
ngx_http_payments_screening_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t                  i;
    ngx_conf_t                 *at;
    ngx_http_payments_at_t      place;
    ngx_payments_screening_t  **all = pmcf->screenings.elts;

    for (i = 0; i < pmcf->screenings.nelts; i++) {
        at = ngx_http_payments_at(&place, cf, all[i], "", 0);
        all[i]->provider.index = (unsigned) i;

        if (resolve_one(at, pmcf, all[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
screening_check(ngx_conf_t *cf, ngx_payments_screening_t *screening)
{
    ngx_conf_t              *at;
    const char              *lacks;
    ngx_http_payments_at_t   place;

    at = ngx_http_payments_at(&place, cf, screening, "", 0);

    lacks = screening->merchant.len == 0
            ? "lacks merchant: the one whose pay-outs are screened"
            : screening->client.base_url.len == 0 ? "lacks base_url"
            : screening->client.psp.account.api_key.len == 0
            ? "lacks api_key_file" : NULL;

    if (lacks != NULL) {
        return ngx_http_payments_provider_refuse(at, &screening_kind,
                                                 screening, lacks);
    }

    if (screening->retry_s == 0) {
        screening->retry_s = RETRY_S;
    }

    return ngx_http_payments_provider_check(cf, &screening->client,
                                            &screening->interval_ms)
           != NGX_CONF_OK
           ? NGX_CONF_ERROR
           : ngx_http_payments_provider_label(cf, &screening_kind,
                                              screening);
}


static char *
resolve_one(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    ngx_payments_screening_t *screening)
{
    pay_screening_provider_t  *provider = &screening->provider;

    provider->merchant_id = ngx_payments_str(screening->merchant);
    provider->account = screening->client.psp.account;
    provider->client = &screening->client.psp;
    provider->retry_s = screening->retry_s;
    provider->lease_ms =
        ngx_http_payments_provider_lease_ms(&screening->client);

    return ngx_http_payments_provider_resolve(cf, &screening_kind, screening,
                                              pmcf, provider->merchant_id);
}
