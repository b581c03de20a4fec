/*
 * The block payments_payout: a merchant's account at a pay-out provider.  Calls
 * to it are those of a PSP in the eyes of the transport, so that the words of
 * payments_psp about transport and webhooks are taken from there.
 */

#include "conf/ngx_http_payments_conf_payout.h"
#include "conf/ngx_http_payments_conf_block.h"
#include "conf/ngx_http_payments_conf_cert.h"
#include "conf/ngx_http_payments_conf_client.h"
#include "conf/ngx_http_payments_conf_confirm.h"
#include "conf/ngx_http_payments_conf_health.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_provider.h"
#include "conf/ngx_http_payments_conf_text.h"
#include "conf/ngx_http_payments_conf_tls.h"
#include "conf/ngx_http_payments_conf_webhook.h"
#include "util/ngx_payments_memory.h"


#define BLOCK          "payments_payout"
#define ACCOUNT_MAX    128
#define ID_MAX_LEN     255
#define WEBHOOK_ID_MAX 128
#define NAMES_MAX      16
#define HOUR_MS        3600000

#define PAYOUT(member)  NGX_PAYMENTS_FIELD(ngx_payments_payout_t, member)


static char *payout_provider(ngx_conf_t *cf, void *object);
static char *unknown_provider(ngx_conf_t *cf, ngx_str_t *name);
static char *payout_check(ngx_conf_t *cf, ngx_payments_payout_t *payout);
static const char *payout_lacks(const ngx_payments_payout_t *payout);
static char *payout_check_pair(ngx_conf_t *cf,
    ngx_payments_payout_t *payout);
static char *payout_webhook(ngx_conf_t *cf, ngx_payments_payout_t *payout);
static ngx_uint_t has_webhook_words(const ngx_payments_psp_t *client);
static char *resolve_one(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    ngx_payments_payout_t *payout);


static const ngx_http_payments_provider_kind_t  payout_kind = {
    .block = BLOCK, .label = "payout", .name_len = 57,
    .count = PAY_PAYOUT_PROVIDERS_MAX, .used = "served",
    .index = NGX_PAYMENTS_PSPS_MAX,
    .size = sizeof(ngx_payments_payout_t),
    .name = offsetof(ngx_payments_payout_t, provider.name)
};

static const word_t  payout_words[] = {
    { "merchant", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_PLAIN, 1, ID_MAX_LEN, PAYOUT(merchant),
        .must = "must be the name of a payments_merchant block" } },
    { "provider", 1, 1, ONCE, payout_provider, VALUE_NONE },
    { "base_url", 1, 1, ONCE, ngx_http_payments_client_url, VALUE_NONE },
    { "api_key_file", 1, 1, ONCE, ngx_http_payments_client_key, VALUE_NONE },
    { "account", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_PLAIN, 1, ACCOUNT_MAX,
        PAYOUT(client.psp.account.account),
        .must = "must be 1 to 128 visible ASCII characters, as the provider "
                "shows the account's name" } },
    { "mode", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_WORD, PAYOUT(client.psp.account.live),
        .names = ngx_http_payments_modes } },
    { "webhook_key_file", 1, PAY_SIG_KEYS_MAX, ONCE,
      ngx_http_payments_webhook_keys, VALUE_NONE },
    { "webhook_tolerance", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_SEC, 1, 3600,
        PAYOUT(client.psp.webhook_tolerance_s) } },
    { "webhook_id", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_PLAIN, 1, WEBHOOK_ID_MAX,
        PAYOUT(client.psp.settings.webhook_id) } },
    { "webhook_ca_file", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_TEXT, PAYOUT(client.webhook_ca) } },
    { "webhook_cert_host", 1, 16, OFTEN, NULL,
      /* the size of the pointer, because the directive sets the pointer:
       * NOLINTNEXTLINE(bugprone-sizeof-expression) */
      { NULL, NGX_PAYMENTS_HOSTS, PAYOUT(client.cert_hosts) } },
    { "webhook_cert_path", 1, 1, ONCE, ngx_http_payments_cert_path,
      VALUE_NONE },
    { "webhook_cert_rate", 1, 2, ONCE, ngx_http_payments_cert_rate,
      VALUE_NONE },
    { "webhook_confirm_url", 1, 1, ONCE, ngx_http_payments_confirm_url,
      VALUE_NONE },
    { "webhook_confirm_rate", 1, 2, ONCE, ngx_http_payments_confirm_rate,
      VALUE_NONE },
    { "pinned_public_key", 1, 4, ONCE, ngx_http_payments_psp_pins,
      VALUE_NONE },
    { "ca_file", 1, 1, ONCE, ngx_http_payments_psp_ca, VALUE_NONE },
    { "proxy", 1, 1, ONCE, ngx_http_payments_psp_proxy, VALUE_NONE },
    { "timeout", 1, 2, ONCE, ngx_http_payments_client_timeout, VALUE_NONE },
    { "breaker", 1, 5, ONCE, ngx_http_payments_psp_breaker, VALUE_NONE },
    { "concurrency", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_NUMBER, 0, NGX_PAYMENTS_CONCURRENCY_MAX,
        PAYOUT(client.concurrency),
        .must = "must be a number from 0, for no cap, to 100000" } },
    { "interval", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_MSEC, 100, HOUR_MS, PAYOUT(interval_ms) } },
    { "allow_private_address", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_WORD, PAYOUT(client.allow_private),
        .names = ngx_http_payments_on_off } },
    { .name = NULL }
};


char *
ngx_http_payments_payout_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                      *value = cf->args->elts;
    ngx_payments_payout_t          *payout;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    (void) cmd;

    payout = ngx_http_payments_provider_add(cf, &payout_kind, &pmcf->payouts,
                                            &value[1]);

    if (payout == NULL) {
        return NGX_CONF_ERROR;
    }

    payout->client.psp.account.live = NGX_CONF_UNSET;

    return ngx_http_payments_parse_block(cf, payout_words, BLOCK, payout)
           == NGX_CONF_OK ? payout_check(cf, payout) : NGX_CONF_ERROR;
}


/* The keyring, merchants and public_url may stand anywhere in the http
 * block. */
char *
ngx_http_payments_payout_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t               i;
    ngx_conf_t              *at;
    pay_payout_provider_t   *core;
    ngx_http_payments_at_t   place;
    ngx_payments_payout_t  **all = pmcf->payouts.elts;

    core = ngx_pcalloc(cf->pool, (pmcf->payouts.nelts + 1)
                                 * sizeof(pay_payout_provider_t));
    if (core == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < pmcf->payouts.nelts; i++) {
        at = ngx_http_payments_at(&place, cf, all[i], "", 0);

        if (resolve_one(at, pmcf, all[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }

        all[i]->provider.index = (unsigned) i;
        core[i] = all[i]->provider;
    }

    pmcf->env.payouts = core;
    pmcf->env.payout_count = pmcf->payouts.nelts;
    pmcf->env.keyring = pmcf->keyring.count != 0 ? &pmcf->keyring : NULL;

    return NGX_CONF_OK;
}


static char *
payout_provider(ngx_conf_t *cf, void *object)
{
    ngx_str_t              *value = cf->args->elts;
    ngx_payments_payout_t  *payout = object;

    payout->provider.adapter = pay_payout_find(ngx_payments_str(value[1]));
    if (payout->provider.adapter == NULL) {
        return unknown_provider(cf, &value[1]);
    }

    if (pay_payout_traits(payout->provider.adapter) & PAY_PAYOUT_IS_FILE) {
        return "is paid by files, which are not sent from here: remove the "
               "block";
    }

    payout->client.payout = payout->provider.adapter;

    return NGX_CONF_OK;
}


/* The list is that of the binary, so it cannot be out of date. */
static char *
unknown_provider(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t                          i;
    const char                         *names[NAMES_MAX + 1];
    const pay_payout_adapter_t *const  *table = pay_payout_table();

    for (i = 0; i < NAMES_MAX && table[i] != NULL; i++) {
        names[i] = pay_payout_adapter_name(table[i]);
    }

    names[i] = NULL;

    return ngx_http_payments_unknown(cf, "provider", name, names);
}


/* Missing words first, then words that do not fit each other. */
static char *
payout_check(ngx_conf_t *cf, ngx_payments_payout_t *payout)
{
    const char              *lacks = payout_lacks(payout);
    ngx_conf_t              *at;
    ngx_http_payments_at_t   place;

    at = ngx_http_payments_at(&place, cf, payout, "", 0);

    if (lacks != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, at, 0, BLOCK " \"%V\" lacks %s",
                           &ngx_payments_nstr(payout->provider.name), lacks);
        return NGX_CONF_ERROR;
    }

    return ngx_http_payments_provider_check(cf, &payout->client,
                                            &payout->interval_ms)
           != NGX_CONF_OK
           || payout_check_pair(cf, payout) != NGX_CONF_OK
           || payout_webhook(at, payout) != NGX_CONF_OK
           ? NGX_CONF_ERROR
           : ngx_http_payments_provider_label(cf, &payout_kind, payout);
}


static const char *
payout_lacks(const ngx_payments_payout_t *payout)
{
    if (payout->merchant.len == 0) {
        return "merchant: the one whose sellers it pays";
    }

    if (payout->provider.adapter == NULL) {
        return "provider";
    }

    if (payout->client.base_url.len == 0) {
        return "base_url";
    }

    if (payout->client.psp.account.api_key.len == 0) {
        return "api_key_file";
    }

    return (pay_payout_traits(payout->provider.adapter)
            & PAY_PAYOUT_NEEDS_ACCOUNT)
           && payout->client.psp.account.account.len == 0
           ? "account: this provider wants the name of the account with each "
             "call" : NULL;
}


/* The request for an access token is built once as a trial. */
static char *
payout_check_pair(ngx_conf_t *cf, ngx_payments_payout_t *payout)
{
    ngx_conf_t             *at;
    pay_arena_t             arena = ngx_payments_arena(cf->temp_pool);
    pay_http_request_t      request;
    pay_payout_account_t    account;
    ngx_http_payments_at_t  place;

    ngx_memzero(&account, sizeof(pay_payout_account_t));
    account.call = payout->client.psp.account;

    if (!pay_payout_wants_token(payout->provider.adapter)
        || pay_payout_auth_request(&arena, payout->provider.adapter, &account,
                                   &request) == PAY_OK)
    {
        return NGX_CONF_OK;
    }

    at = ngx_http_payments_at(&place, cf, payout, "api_key_file", 0);

    return ngx_http_payments_provider_refuse(at, &payout_kind, payout,
                                             "needs CLIENT_ID:SECRET in the "
                                             "file of api_key_file for this "
                                             "provider");
}


/* Without words about webhooks a provider that may be polled is asked alone. */
static char *
payout_webhook(ngx_conf_t *cf, ngx_payments_payout_t *payout)
{
    const char          *scheme = pay_payout_scheme(payout->provider.adapter);
    ngx_payments_psp_t  *client = &payout->client;

    if ((pay_payout_traits(payout->provider.adapter) & PAY_PAYOUT_MAY_POLL)
        && !has_webhook_words(client))
    {
        return NGX_CONF_OK;
    }

    client->psp.scheme = pay_sig_find(pay_str_of(scheme));

    return ngx_http_payments_webhook_check(cf, client);
}


static ngx_uint_t
has_webhook_words(const ngx_payments_psp_t *client)
{
    return client->keys != NULL || client->psp.webhook_tolerance_s != 0
           || client->psp.settings.webhook_id.len != 0
           || client->webhook_ca.len != 0 || client->cert_hosts != NULL
           || client->psp.settings.cert_path.len != 0
           || client->cert_rate != 0
           || client->psp.settings.confirm_url.len != 0
           || client->confirm_rate != 0;
}


static char *
resolve_one(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    ngx_payments_payout_t *payout)
{
    pay_payout_provider_t  *provider = &payout->provider;

    provider->merchant_id = ngx_payments_str(payout->merchant);
    provider->account.call = payout->client.psp.account;
    provider->client = &payout->client.psp;
    provider->lease_ms =
        ngx_http_payments_provider_lease_ms(&payout->client);

    return ngx_http_payments_provider_resolve(cf, &payout_kind, payout, pmcf,
                                              provider->merchant_id);
}
