/*
 * payments_webhook_endpoint: endpoints of storefronts that stand in nginx.conf.
 * The secret is read and sealed here, by the master, and wiped: a worker has no
 * more of it than PostgreSQL.  No message has the URL, whose query may be
 * nobody's business.
 */

#include "conf/ngx_http_payments_conf_declared.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_secret.h"
#include "pay_endpoint.h"
#include "util/ngx_payments_memory.h"
#include "util/ngx_payments_random.h"


#define OVERLAP_S      86400           /* as that of the API */
#define OVERLAP_MAX_S  2592000
#define PREFIX         "whsec_"

#define DECLARED(member)                                                      \
    NGX_PAYMENTS_FIELD(ngx_payments_declared_t, member)


static char *set_types(ngx_conf_t *cf, ngx_str_t *text, void *object);
static char *check_twice(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf,
    const ngx_payments_declared_t *declared);
static char *resolve_one(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    ngx_payments_declared_t *declared);
static char *seal(ngx_conf_t *cf, const pay_keyring_t *ring,
    ngx_payments_declared_t *declared, const pay_secret_t *secret);
static char *refuse(ngx_conf_t *cf, const ngx_payments_declared_t *declared,
    const char *why);


/* payments_webhook_endpoint MERCHANT URL secret_file=FILE [types=a,b,…]
 *     [order=on|off] [overlap=1d] */
static const ngx_http_payments_option_t  options[] = {
    { "", NGX_PAYMENTS_TEXT, DECLARED(merchant) },
    { "", NGX_PAYMENTS_TEXT, DECLARED(url) },
    { "secret_file=", NGX_PAYMENTS_TEXT, DECLARED(secret_file) },
    { "types=", .set = set_types },
    { "order=", NGX_PAYMENTS_WORD, 0, 0, 0, DECLARED(is_ordered),
      .names = ngx_http_payments_on_off },
    { "overlap=", NGX_PAYMENTS_SEC, 0, OVERLAP_MAX_S, OVERLAP_S,
      DECLARED(overlap_s) },
    { .name = NULL }
};


char *
ngx_http_payments_declared(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_uint_t                      given;
    ngx_payments_declared_t        *declared, **slot;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    (void) cmd;

    declared = ngx_pcalloc(cf->pool, sizeof(ngx_payments_declared_t));
    if (declared == NULL
        || ngx_http_payments_note(cf, declared, "") != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    declared->types = PAY_STR("[]");
    ngx_http_payments_defaults(options, declared);

    if (ngx_http_payments_options(cf, options, 1, declared, &given)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (pmcf->declared.nelts == NGX_PAYMENTS_DECLARED_MAX) {
        return refuse(cf, declared, "is one too many: nginx.conf has 1000 at "
                      "most, make the others by the API");
    }

    if (ngx_strlchr(declared->url.data,
                    declared->url.data + declared->url.len, ':') == NULL)
    {
        return refuse(cf, declared, "needs a URL as its second word, for "
                      "example https://shop.example/hook");
    }

    if (declared->secret_file.len == 0) {
        return refuse(cf, declared, "needs secret_file=, a file with whsec_ "
                      "and the base64 of 24 to 64 random bytes, for example "
                      "secret_file=secrets/shop.whsec");
    }

    if (check_twice(cf, pmcf, declared) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    slot = ngx_array_push(&pmcf->declared);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = declared;

    return NGX_CONF_OK;
}


static char *
set_types(ngx_conf_t *cf, ngx_str_t *text, void *object)
{
    pay_str_t                 wrong;
    pay_arena_t               arena = ngx_payments_arena(cf->pool);
    ngx_payments_declared_t  *declared = object;

    switch (pay_endpoint_types_read(&arena, ngx_payments_str(*text),
                                    &declared->types, &wrong))
    {
    case PAY_OK:
        return NGX_CONF_OK;

    case PAY_INVALID:
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"types=\" has \"%V\", which is no type of "
                           "events, stands twice or is one too many: name "
                           "types of docs/events.md once each, at most 50, "
                           "for example types=payment.*,refund.failed",
                           &ngx_payments_nstr(wrong));
        return NGX_CONF_ERROR;

    default:
        return NGX_CONF_ERROR;
    }
}


/* Merchant and URL together are an endpoint's identity. */
static char *
check_twice(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    const ngx_payments_declared_t *declared)
{
    ngx_uint_t                 i;
    ngx_payments_declared_t  **all = pmcf->declared.elts;

    for (i = 0; i < pmcf->declared.nelts; i++) {
        if (pay_str_eq(ngx_payments_str(all[i]->merchant),
                       ngx_payments_str(declared->merchant))
            && pay_str_eq(ngx_payments_str(all[i]->url),
                          ngx_payments_str(declared->url)))
        {
            return refuse(cf, declared, "has this URL twice: keep one line, "
                          "with the types of both");
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_payments_declared_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t                 i;
    ngx_conf_t                *at;
    ngx_http_payments_at_t     place;
    ngx_payments_declared_t  **all = pmcf->declared.elts;

    for (i = 0; i < pmcf->declared.nelts; i++) {
        at = ngx_http_payments_at(&place, cf, all[i], "", 0);

        if (resolve_one(at, pmcf, all[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
resolve_one(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf,
    ngx_payments_declared_t *declared)
{
    char                  *rv;
    pay_err_t              err;
    pay_secret_t           secret;
    const pay_merchant_t  *merchant;

    merchant = pay_env_merchant(&pmcf->env,
                                ngx_payments_str(declared->merchant));
    if (merchant == NULL) {
        return refuse(cf, declared, "names no merchant: its first word is the "
                      "name of a payments_merchant block");
    }

    if (pay_endpoint_url_check(ngx_payments_str(declared->url),
                               pmcf->env.endpoint_hosts, &err)
        != PAY_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_webhook_endpoint of \"%V\": %s (the "
                           "second word is the URL; "
                           "payments_webhook_endpoints hosts= says which "
                           "hosts are allowed)", &declared->merchant,
                           err.detail);
        return NGX_CONF_ERROR;
    }

    if (pmcf->keyring.count == 0) {
        return refuse(cf, declared, "needs payments_keyring in the http "
                      "block: its secret is stored sealed");
    }

    if (ngx_http_payments_read_whsec(cf, declared->secret_file, "an endpoint",
                                     &secret) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    declared->owner = merchant;
    declared->args.merchant_id = merchant->id;
    rv = seal(cf, &pmcf->keyring, declared, &secret);
    pay_secret_wipe(&secret);

    return rv;
}


/* The scheme's reader takes a text without whsec_, too; here it would more
 * likely be another key that got into the file. */
char *
ngx_http_payments_read_whsec(ngx_conf_t *cf, ngx_str_t file,
    const char *whose, pay_secret_t *secret)
{
    pay_err_t                err = { .detail = "it begins with whsec_" };
    ngx_str_t                text;
    pay_status_t             status = PAY_INVALID;
    const pay_sig_scheme_t  *scheme;

    if (ngx_http_payments_read_secret(cf, &file, 1, &text) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    scheme = pay_sig_find(PAY_STR("standardwebhooks"));

    if (text.len >= sizeof(PREFIX) - 1
        && ngx_strncmp(text.data, PREFIX, sizeof(PREFIX) - 1) == 0)
    {
        status = scheme->key_parse(ngx_payments_str(text), secret, &err);
    }

    ngx_explicit_memzero(text.data, text.len);

    if (status != PAY_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" holds no secret of %s: %s; make one with "
                           "(printf whsec_; openssl rand -base64 32)", &file,
                           whose, err.detail);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
seal(ngx_conf_t *cf, const pay_keyring_t *ring,
    ngx_payments_declared_t *declared, const pay_secret_t *secret)
{
    u_char                      *fingerprint, nonce[PAY_KEYRING_NONCE];
    pay_arena_t                  arena = ngx_payments_arena(cf->pool);
    pay_declare_endpoints_in_t  *args = &declared->args;

    args->url = ngx_payments_str(declared->url);
    args->types = declared->types;
    args->is_ordered = (int64_t) declared->is_ordered;
    args->overlap_s = declared->overlap_s;
    args->key_id = pay_keyring_kid(ring);

    fingerprint = ngx_pnalloc(cf->pool, PAY_SHA256_SIZE);

    if (fingerprint == NULL
        || ngx_payments_random(nonce, sizeof(nonce)) != NGX_OK
        || pay_endpoint_line_id(&arena, args->merchant_id, args->url,
                                &args->endpoint_id) != PAY_OK
        || pay_endpoint_fingerprint(args->merchant_id, args->endpoint_id,
                                    secret, fingerprint) != PAY_OK
        || pay_endpoint_seal_own(&arena, ring, args->merchant_id,
                                 args->endpoint_id, nonce, secret,
                                 &args->sealed) != PAY_OK)
    {
        return refuse(cf, declared, "cannot be sealed: libcrypto or memory "
                      "failed");
    }

    args->fingerprint = (pay_str_t) { PAY_SHA256_SIZE, fingerprint };

    return NGX_CONF_OK;
}


static char *
refuse(ngx_conf_t *cf, const ngx_payments_declared_t *declared,
    const char *why)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "payments_webhook_endpoint of \"%V\" %s",
                       &declared->merchant, why);

    return NGX_CONF_ERROR;
}
