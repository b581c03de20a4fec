/*
 * The block payments_psp: one short function a word, then the checks that
 * need the whole block.  Webhooks' words stand in _conf_webhook.c, TLS' in
 * _conf_tls.c.
 *
 *     line by line: words, each with its own bounds
 *     the block's end: adapter and its needs ─▶ base_url ─▶ the key's form
 *       ─▶ retries ─▶ the webhook's scheme and keys
 *     all is read: webhook_url from payments_public_url (conf_resolve)
 */

#include "conf/ngx_http_payments_conf_psp.h"
#include "conf/ngx_http_payments_conf_block.h"
#include "conf/ngx_http_payments_conf_cert.h"
#include "conf/ngx_http_payments_conf_client.h"
#include "conf/ngx_http_payments_conf_health.h"
#include "conf/ngx_http_payments_conf_option.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_retry.h"
#include "conf/ngx_http_payments_conf_tls.h"
#include "conf/ngx_http_payments_conf_webhook.h"
#include "conf/ngx_http_payments_secret.h"
#include "util/ngx_payments_conf_types.h"
#include "util/ngx_payments_memory.h"
#include "pay_url.h"


#define ACCOUNT_MAX  128
#define ID_MAX       128
#define NAMES_MAX    64

#define PSP(member)  NGX_PAYMENTS_FIELD(ngx_payments_psp_t, member)


static char *psp_adapter(ngx_conf_t *cf, void *object);
static char *unknown_adapter(ngx_conf_t *cf, ngx_str_t *name);
static char *psp_check(ngx_conf_t *cf, ngx_payments_psp_t *psp);
static const char *psp_lacks(const ngx_payments_psp_t *psp);
static char *psp_check_pair(ngx_conf_t *cf, ngx_payments_psp_t *psp);


static const ngx_conf_enum_t  off[] = {
    { ngx_string("off"), 0 },
    { ngx_null_string, 0 }
};


static const word_t  psp_words[] = {
    { "adapter", 1, 1, ONCE, psp_adapter, VALUE_NONE },
    { "base_url", 1, 1, ONCE, ngx_http_payments_client_url, VALUE_NONE },
    { "api_key_file", 1, 1, ONCE, ngx_http_payments_client_key, VALUE_NONE },
    { "account", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_PLAIN, 1, ACCOUNT_MAX, PSP(psp.account.account),
        .must = "must be 1 to 128 visible ASCII characters, as the PSP shows "
                "the account's name" } },
    { "mode", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_WORD, PSP(psp.account.live),
        .names = ngx_http_payments_modes } },
    { "webhook_scheme", 1, 1, ONCE, ngx_http_payments_webhook_scheme,
      VALUE_NONE },
    { "webhook_key_file", 1, PAY_SIG_KEYS_MAX, ONCE,
      ngx_http_payments_webhook_keys, VALUE_NONE },
    { "webhook_tolerance", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_SEC, 1, 3600, PSP(psp.webhook_tolerance_s) } },
    { "webhook_url", 1, 1, ONCE, ngx_http_payments_webhook_url, VALUE_NONE },
    { "webhook_public_key", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_PLAIN, 1, ID_MAX, PSP(psp.settings.public_key) } },
    { "webhook_id", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_PLAIN, 1, ID_MAX, PSP(psp.settings.webhook_id) } },
    { "webhook_ca_file", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_TEXT, PSP(webhook_ca) } },
    { "webhook_cert_host", 1, 16, OFTEN, NULL,
      /* the size of the pointer, because the directive sets the pointer:
       * NOLINTNEXTLINE(bugprone-sizeof-expression) */
      { NULL, NGX_PAYMENTS_HOSTS, PSP(cert_hosts) } },
    { "webhook_cert_path", 1, 1, ONCE, ngx_http_payments_cert_path,
      VALUE_NONE },
    { "webhook_cert_rate", 1, 2, ONCE, ngx_http_payments_cert_rate,
      VALUE_NONE },
    { "hosted_page_host", 1, 16, OFTEN, NULL,
      /* the same: NOLINTNEXTLINE(bugprone-sizeof-expression) */
      { NULL, NGX_PAYMENTS_HOSTS, PSP(hosts) } },
    { "pinned_public_key", 1, 4, ONCE, ngx_http_payments_psp_pins,
      VALUE_NONE },
    { "ca_file", 1, 1, ONCE, ngx_http_payments_psp_ca, VALUE_NONE },
    { "proxy", 1, 1, ONCE, ngx_http_payments_psp_proxy, VALUE_NONE },
    { "timeout", 1, 2, ONCE, ngx_http_payments_client_timeout, VALUE_NONE },
    { "breaker", 1, 5, ONCE, ngx_http_payments_psp_breaker, VALUE_NONE },
    { "concurrency", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_NUMBER, 0, NGX_PAYMENTS_CONCURRENCY_MAX,
        PSP(concurrency),
        .must = "must be a number from 0, for no cap, to 100000" } },
    { "cost", 1, 2, ONCE, ngx_http_payments_psp_cost, VALUE_NONE },
    { "retry", 2, 6, OFTEN, ngx_http_payments_psp_retry, VALUE_NONE },
    { "backfill", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_MSEC, 60000, 86400000, PSP(psp.backfill_ms),
        .names = off } },
    { "last_look", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_SEC, 1, 30 * 86400, PSP(psp.last_look_s),
        .names = off } },
    { "cell", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_PLAIN, 1, NGX_PAYMENTS_CELL_NAME, PSP(cell),
        .must = "must be the name of a cell, as payments_database has it" } },
    { "allow_private_address", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_WORD, PSP(allow_private),
        .names = ngx_http_payments_on_off } },
    { .name = NULL }
};

/* The index is the block's place among the names of all; it may change with
 * each reload, so shared memory goes by names. */
char *
ngx_http_payments_psp_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                      *value;
    ngx_uint_t                      i;
    ngx_payments_psp_t             *psp, **slot, **psps;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    value = cf->args->elts;
    psps = pmcf->psps.elts;

    if (!pay_id_is_valid(ngx_payments_str(value[1]))) {
        return "needs a name of A-Z a-z 0-9 . _ ~ -";
    }

    for (i = 0; i < pmcf->psps.nelts; i++) {
        if (pay_str_eq(psps[i]->psp.name, ngx_payments_str(value[1]))) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "payments_psp \"%V\" stands twice: merge the "
                               "blocks", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    if (pmcf->psps.nelts == NGX_PAYMENTS_PSPS_MAX) {
        return "stands more than 256 times: run a second gateway";
    }

    psp = ngx_pcalloc(cf->pool, sizeof(ngx_payments_psp_t));
    slot = ngx_array_push(&pmcf->psps);
    if (psp == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = psp;
    psp->block = "payments_psp";
    psp->psp.name = ngx_payments_str(value[1]);
    psp->psp.account.live = NGX_CONF_UNSET;
    psp->concurrency = NGX_CONF_UNSET_UINT;
    psp->psp.backfill_ms = NGX_CONF_UNSET;
    psp->psp.last_look_s = NGX_CONF_UNSET;

    if (ngx_http_payments_parse_block(cf, psp_words, "payments_psp", psp)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return psp_check(cf, psp);
}


/* The adapter may stand behind the words that depend on it: those are checked
 * when the block is whole. */
static char *
psp_adapter(ngx_conf_t *cf, void *object)
{
    ngx_str_t           *value = cf->args->elts;
    ngx_payments_psp_t  *psp = object;

    psp->psp.adapter = pay_psp_find(ngx_payments_str(value[1]));
    if (psp->psp.adapter == NULL) {
        return unknown_adapter(cf, &value[1]);
    }

    return NGX_CONF_OK;
}


/* The list is that of the binary, so it cannot be out of date. */
static char *
unknown_adapter(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t                       i;
    const char                      *names[NAMES_MAX + 1];
    const pay_psp_adapter_t *const  *table = pay_psp_table();

    for (i = 0; i < NAMES_MAX && table[i] != NULL; i++) {
        names[i] = table[i]->name;
    }

    names[i] = NULL;

    return ngx_http_payments_unknown(cf, "adapter", name, names);
}


/* Missing words first, then words that do not fit each other. */
static char *
psp_check(ngx_conf_t *cf, ngx_payments_psp_t *psp)
{
    const char              *lacks;
    ngx_conf_t              *at;
    ngx_http_payments_at_t   place;

    at = ngx_http_payments_at(&place, cf, psp, "", 0);
    lacks = psp_lacks(psp);

    if (lacks != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, at, 0,
                           "payments_psp \"%V\" lacks %s",
                           &ngx_payments_nstr(psp->psp.name), lacks);
        return NGX_CONF_ERROR;
    }

    ngx_http_payments_client_defaults(psp);

    if ((psp->base_url.len != 0
         && ngx_http_payments_client_check(cf, psp) != NGX_CONF_OK)
        || psp_check_pair(cf, psp) != NGX_CONF_OK
        || ngx_http_payments_retry_check(cf, psp) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (psp->hosts != NULL) {
        psp->psp.hosted_hosts = psp->hosts->elts;
        psp->psp.hosted_host_count = psp->hosts->nelts;
    }

    return ngx_http_payments_webhook_check(cf, psp);
}


/* A PSP that is known only through webhooks is never called. */
static const char *
psp_lacks(const ngx_payments_psp_t *psp)
{
    const pay_psp_adapter_t  *adapter = psp->psp.adapter;

    if (adapter == NULL) {
        return "adapter";
    }

    if ((adapter->traits & PAY_PSP_NEEDS_ACCOUNT)
        && psp->psp.account.account.len == 0)
    {
        return "account: this adapter's PSP wants the name of the account "
               "with each call";
    }

    if (adapter->register_request == NULL) {
        return NULL;
    }

    if (psp->base_url.len == 0) {
        return "base_url";
    }

    if (psp->psp.account.api_key.len == 0) {
        return "api_key_file";
    }

    return psp->hosts == NULL
           ? "hosted_page_host, the only hosts a buyer is ever sent to" : NULL;
}


/* An id and a secret that an access token is asked with: tried now. */
static char *
psp_check_pair(ngx_conf_t *cf, ngx_payments_psp_t *psp)
{
    pay_arena_t               arena = ngx_payments_arena(cf->temp_pool);
    ngx_conf_t               *at;
    pay_http_request_t        request;
    ngx_http_payments_at_t    place;
    const pay_psp_adapter_t  *adapter = psp->psp.adapter;

    if (adapter->auth_request == NULL
        || adapter->auth_request(&arena, &psp->psp.account, &request)
           == PAY_OK)
    {
        return NGX_CONF_OK;
    }

    at = ngx_http_payments_at(&place, cf, psp, "api_key_file", 0);
    ngx_conf_log_error(NGX_LOG_EMERG, at, 0,
                       "payments_psp \"%V\": the file of api_key_file must "
                       "hold CLIENT_ID:SECRET for adapter %s",
                       &ngx_payments_nstr(psp->psp.name), adapter->name);

    return NGX_CONF_ERROR;
}
