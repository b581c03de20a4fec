/*
 * The block payments_risk_provider: an external provider that is asked about a
 * checkout before its PSP is.  The words about transport are those of
 * payments_psp; a buyer waits, so that the deadlines are shorter.
 */

#include "conf/ngx_http_payments_conf_risk_provider.h"
#include "conf/ngx_http_payments_conf_block.h"
#include "conf/ngx_http_payments_conf_client.h"
#include "conf/ngx_http_payments_conf_declared.h"
#include "conf/ngx_http_payments_conf_health.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_provider.h"
#include "conf/ngx_http_payments_conf_review.h"
#include "conf/ngx_http_payments_conf_tls.h"
#include "util/ngx_payments_memory.h"


#define BLOCK          "payments_risk_provider"
#define ID_MAX_LEN     255
#define TOTAL_MS       150
#define CONNECT_MS     100
#define TOTAL_MAX_MS   5000
#define PRIVATE_MAX    7
#define VERSION_MAX       4096

#define PROVIDER(member)                                                      \
    NGX_PAYMENTS_FIELD(ngx_payments_risk_provider_t, member)


static char *provider_secrets(ngx_conf_t *cf, void *object);
static char *provider_above(ngx_conf_t *cf, void *object);
static char *provider_send(ngx_conf_t *cf, void *object);
static char *provider_check(ngx_conf_t *cf,
    ngx_payments_risk_provider_t *provider);
static char *note_block(ngx_conf_t *cf, ngx_payments_risk_conf_t *risk,
    const ngx_payments_risk_provider_t *provider);


static const ngx_http_payments_provider_kind_t  provider_kind = {
    .block = BLOCK, .label = "risk", .name_len = PAY_RISK_NAME_MAX,
    .count = PAY_RISK_PROVIDERS_MAX, .used = "asked",
    .index = NGX_PAYMENTS_PSPS_MAX + PAY_PAYOUT_PROVIDERS_MAX
             + NGX_PAYMENTS_SCREENINGS_MAX,
    .size = sizeof(ngx_payments_risk_provider_t),
    .name = offsetof(ngx_payments_risk_provider_t, provider.name)
};

static const ngx_conf_enum_t  fails[] = {
    { ngx_string("allow"), PAY_RISK_ALLOW },
    { ngx_string("challenge"), PAY_RISK_CHALLENGE },
    { ngx_string("review"), PAY_RISK_REVIEW },
    { ngx_string("block"), PAY_RISK_BLOCK },
    { ngx_null_string, 0 }
};

static const word_t  risk_provider_words[] = {
    { "base_url", 1, 1, ONCE, ngx_http_payments_client_url, VALUE_NONE },
    { "secret_file", 1, PAY_RISK_PROVIDER_KEYS, ONCE, provider_secrets,
      VALUE_NONE },
    { "fail", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_WORD, PROVIDER(fail), .names = fails } },
    { "merchant", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_PLAIN, 1, ID_MAX_LEN, PROVIDER(merchant),
        .must = "must be the name of a payments_merchant block" } },
    { "above", 1, 1, ONCE, provider_above, VALUE_NONE },
    { "send", 1, PRIVATE_MAX, ONCE, provider_send, VALUE_NONE },
    { "shadow", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_WORD, PROVIDER(is_shadow),
        .names = ngx_http_payments_on_off } },
    { "timeout", 1, 2, ONCE, ngx_http_payments_client_timeout, VALUE_NONE },
    { "breaker", 1, 5, ONCE, ngx_http_payments_psp_breaker, VALUE_NONE },
    { "concurrency", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_NUMBER, 0, NGX_PAYMENTS_CONCURRENCY_MAX,
        PROVIDER(client.concurrency),
        .must = "must be a number from 0, for no cap, to 100000" } },
    { "pinned_public_key", 1, 4, ONCE, ngx_http_payments_psp_pins,
      VALUE_NONE },
    { "ca_file", 1, 1, ONCE, ngx_http_payments_psp_ca, VALUE_NONE },
    { "proxy", 1, 1, ONCE, ngx_http_payments_psp_proxy, VALUE_NONE },
    { "allow_private_address", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_WORD, PROVIDER(client.allow_private),
        .names = ngx_http_payments_on_off } },
    { .name = NULL }
};


/* The deadlines are there before the line timeout is read, which fills in
 * longer ones. */
char *
ngx_http_payments_risk_provider_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_str_t                      *value = cf->args->elts;
    ngx_http_payments_main_conf_t  *pmcf = conf;
    ngx_payments_risk_provider_t   *provider;

    (void) cmd;

    provider = ngx_http_payments_provider_add(cf, &provider_kind,
                                              &pmcf->risk.providers,
                                              &value[1]);
    if (provider == NULL) {
        return NGX_CONF_ERROR;
    }

    provider->fail = NGX_CONF_UNSET_UINT;
    provider->client.total_timeout = TOTAL_MS;

    return ngx_http_payments_parse_block(cf, risk_provider_words, BLOCK,
                                         provider) != NGX_CONF_OK
           || provider_check(cf, provider) != NGX_CONF_OK
           ? NGX_CONF_ERROR : note_block(cf, &pmcf->risk, provider);
}


char *
ngx_http_payments_risk_provider_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t                       i, n = pmcf->risk.providers.nelts;
    ngx_conf_t                      *at;
    const pay_risk_provider_t      **list;
    ngx_http_payments_at_t           place;
    ngx_payments_risk_provider_t   **all = pmcf->risk.providers.elts;

    list = ngx_pcalloc(cf->pool, (n + 1) * sizeof(pay_risk_provider_t *));
    if (list == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < n; i++) {
        at = ngx_http_payments_at(&place, cf, all[i], "merchant", 0);

        if (all[i]->merchant.len != 0
            && pay_env_merchant(&pmcf->env,
                                ngx_payments_str(all[i]->merchant)) == NULL)
        {
            return ngx_http_payments_provider_refuse(
                       at, &provider_kind, all[i], "has a merchant that no "
                       "payments_merchant block has");
        }

        all[i]->provider.index = (unsigned) i;
        list[i] = &all[i]->provider;
    }

    pmcf->risk.core.providers = list;
    pmcf->risk.core.provider_count = (unsigned) n;

    return NGX_CONF_OK;
}


/* Two while one takes the place of the other: a message has a signature of
 * each. */
static char *
provider_secrets(ngx_conf_t *cf, void *object)
{
    ngx_str_t                     *value = cf->args->elts;
    ngx_uint_t                     i;
    pay_risk_provider_t           *core;
    ngx_payments_risk_provider_t  *provider = object;

    core = &provider->provider;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_payments_read_whsec(cf, value[i], "a provider of risk",
                                         &core->keys[core->key_count])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }

        core->key_count++;
    }

    return NGX_CONF_OK;
}


static char *
provider_above(ngx_conf_t *cf, void *object)
{
    ngx_str_t                     *value = cf->args->elts;
    pay_risk_provider_t           *core;
    ngx_payments_risk_provider_t  *provider = object;

    core = &provider->provider;

    return ngx_http_payments_read_amount(&value[1], &core->above,
                                         &core->above_minor)
           ? NGX_CONF_OK
           : "needs an amount in the decimals of its currency, as in above "
             "100.00USD";
}


static char *
provider_send(ngx_conf_t *cf, void *object)
{
    ngx_str_t                     *value = cf->args->elts;
    ngx_uint_t                     i;
    pay_risk_attribute_t           attribute;
    ngx_payments_risk_provider_t  *provider = object;

    for (i = 1; i < cf->args->nelts; i++) {
        if (pay_risk_private_find(ngx_payments_str(value[i]), &attribute)
            != PAY_OK)
        {
            return "names an attribute that is not personal: it takes ip, "
                   "email, email_domain, phone, buyer, device and user_agent; "
                   "all others are sent in any case";
        }

        provider->provider.sends |= 1u << attribute;
    }

    return NGX_CONF_OK;
}


static char *
provider_check(ngx_conf_t *cf, ngx_payments_risk_provider_t *provider)
{
    ngx_conf_t              *at;
    const char              *lacks;
    ngx_payments_psp_t      *client = &provider->client;
    pay_risk_provider_t     *core = &provider->provider;
    ngx_http_payments_at_t   place;

    at = ngx_http_payments_at(&place, cf, provider, "", 0);

    lacks = client->base_url.len == 0 ? "lacks base_url"
            : core->key_count == 0
            ? "lacks secret_file: a file with whsec_… that signs the questions"
            : provider->fail == NGX_CONF_UNSET_UINT
            ? "lacks fail: the word that counts when there is no answer, "
              "allow, challenge, review or block"
            : client->total_timeout > TOTAL_MAX_MS
            ? "needs a timeout total= of at most 5s: a buyer waits for it"
            : NULL;

    if (lacks != NULL) {
        return ngx_http_payments_provider_refuse(at, &provider_kind, provider,
                                                 lacks);
    }

    if (client->connect_timeout == 0) {
        client->connect_timeout = ngx_min(CONNECT_MS, client->total_timeout);
    }

    core->fail = (pay_risk_action_t) provider->fail;
    core->is_shadow = (int) provider->is_shadow;
    core->merchant_id = ngx_payments_str(provider->merchant);
    core->base_url = client->psp.account.base_url;

    return ngx_http_payments_client_check(cf, client) != NGX_CONF_OK
           ? NGX_CONF_ERROR
           : ngx_http_payments_provider_label(cf, &provider_kind, provider);
}


/* The version of a decision is the digest of all that may change it. */
static char *
note_block(ngx_conf_t *cf, ngx_payments_risk_conf_t *risk,
    const ngx_payments_risk_provider_t *provider)
{
    u_char                     *last, line[VERSION_MAX];
    pay_str_t                   parts[2];
    const pay_risk_provider_t  *core = &provider->provider;

    (void) cf;

    last = ngx_snprintf(line, VERSION_MAX,
                        "\n" BLOCK " %V %V %V %s %d %uD %s %L",
                        &ngx_payments_nstr(core->name), &provider->merchant,
                        &provider->client.base_url,
                        pay_risk_action_name(core->fail), core->is_shadow,
                        (uint32_t) core->sends,
                        core->above != NULL ? core->above->code : "-",
                        core->above_minor);
    parts[0] = (pay_str_t) { PAY_SHA256_SIZE, risk->digest };
    parts[1] = (pay_str_t) { last - line, line };

    return pay_sha256_parts(parts, 2, risk->digest) == PAY_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}
