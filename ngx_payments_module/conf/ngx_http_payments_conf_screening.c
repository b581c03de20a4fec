/*
 * The block payments_screening: a merchant's account at a provider of sanctions
 * screening.  The words of payments_psp about transport are taken from there.
 */

#include "conf/ngx_http_payments_conf_screening.h"
#include "conf/ngx_http_payments_conf_block.h"
#include "conf/ngx_http_payments_conf_client.h"
#include "conf/ngx_http_payments_conf_health.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_text.h"
#include "conf/ngx_http_payments_conf_tls.h"
#include "util/ngx_payments_memory.h"


#define BLOCK          "payments_screening"
#define NAME_MAX_LEN   54              /* a label in the zone holds 64 bytes,
                                          with "screening/" before it */
#define SCREENINGS_MAX 8
#define ID_MAX_LEN     255
#define HOUR_MS        3600000
#define DAY_S          86400
#define INTERVAL_MS    2000
#define RETRY_S        60
#define LEASE_SLACK_MS 30000           /* to the claim, and to the answer's
                                          commit */

#define SCREENING(member)  NGX_PAYMENTS_FIELD(ngx_payments_screening_t, member)


static ngx_payments_screening_t *screening_add(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, ngx_str_t *name);
static char *screening_check(ngx_conf_t *cf,
    ngx_payments_screening_t *screening);
static char *resolve_one(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    ngx_payments_screening_t *screening);
static char *refuse(ngx_conf_t *cf, const ngx_payments_screening_t *screening,
    const char *why);


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

    screening = screening_add(cf, pmcf, &value[1]);

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


static ngx_payments_screening_t *
screening_add(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    ngx_str_t *name)
{
    ngx_uint_t                  i;
    ngx_payments_screening_t   *screening, **slot;
    ngx_payments_screening_t  **all = pmcf->screenings.elts;

    if (!ngx_http_payments_is_name(name, NAME_MAX_LEN)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           BLOCK " needs a name first, of at most 54 small "
                           "letters, digits, \"-\" and \"_\", not \"%V\"",
                           name);
        return NULL;
    }

    for (i = 0; i < pmcf->screenings.nelts; i++) {
        if (pay_str_eq(all[i]->provider.name, ngx_payments_str(*name))) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               BLOCK " \"%V\" stands twice: merge the blocks",
                               name);
            return NULL;
        }
    }

    if (pmcf->screenings.nelts == SCREENINGS_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           BLOCK " \"%V\" is one too many: at most %d are "
                           "asked", name, SCREENINGS_MAX);
        return NULL;
    }

    screening = ngx_pcalloc(cf->pool, sizeof(ngx_payments_screening_t));
    slot = ngx_array_push(&pmcf->screenings);
    if (screening == NULL || slot == NULL) {
        return NULL;
    }

    *slot = screening;
    screening->provider.name = ngx_payments_str(*name);
    screening->client.block = BLOCK;
    screening->client.psp.name = screening->provider.name;
    screening->client.psp.index = NGX_PAYMENTS_PSPS_MAX
                                  + PAY_PAYOUT_PROVIDERS_MAX
                                  + (unsigned) pmcf->screenings.nelts - 1;
    screening->client.concurrency = NGX_CONF_UNSET_UINT;

    return screening;
}


static char *
screening_check(ngx_conf_t *cf, ngx_payments_screening_t *screening)
{
    ngx_conf_t              *at;
    const char              *lacks;
    pay_arena_t              arena = ngx_payments_arena(cf->pool);
    ngx_http_payments_at_t   place;

    at = ngx_http_payments_at(&place, cf, screening, "", 0);

    lacks = screening->merchant.len == 0
            ? "lacks merchant: the one whose pay-outs are screened"
            : screening->client.base_url.len == 0 ? "lacks base_url"
            : screening->client.psp.account.api_key.len == 0
            ? "lacks api_key_file" : NULL;

    if (lacks != NULL) {
        return refuse(at, screening, lacks);
    }

    ngx_http_payments_client_defaults(&screening->client);

    if (screening->interval_ms == 0) {
        screening->interval_ms = INTERVAL_MS;
    }

    if (screening->retry_s == 0) {
        screening->retry_s = RETRY_S;
    }

    if (ngx_http_payments_client_check(cf, &screening->client)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    /* no PSP has a "/" in its name: they share circuits and metrics by it */
    return pay_format(&arena, &screening->client.psp.name, NGX_MAX_CONF_ERRSTR,
                      "screening/%.*s", pay_fmt(screening->provider.name))
           == PAY_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
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
    provider->lease_ms = (int64_t) (screening->client.total_timeout
                                    + LEASE_SLACK_MS);

    if (pay_env_merchant(&pmcf->env, provider->merchant_id) == NULL) {
        return refuse(cf, screening, "has a merchant that no "
                      "payments_merchant block has");
    }

    return pmcf->keyring.count != 0 ? NGX_CONF_OK
           : refuse(cf, screening, "needs payments_keyring in the http block: "
                    "the accounts of sellers are stored sealed");
}


static char *
refuse(ngx_conf_t *cf, const ngx_payments_screening_t *screening,
    const char *why)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, BLOCK " \"%V\" %s",
                       &ngx_payments_nstr(screening->provider.name), why);

    return NGX_CONF_ERROR;
}
