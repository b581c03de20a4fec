/*
 * The words of payments_psp about its webhooks: whose signatures are believed,
 * and what the scheme needs beside them.
 */

#include "conf/ngx_http_payments_conf_webhook.h"
#include "conf/ngx_http_payments_conf_cert.h"
#include "conf/ngx_http_payments_conf_confirm.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_tls.h"
#include "conf/ngx_http_payments_secret.h"
#include "util/ngx_payments_memory.h"
#include "pay_crypto.h"
#include "pay_rsa.h"
#include "pay_url.h"
#include "pay_x509.h"


#define CA_DEFAULT  "/etc/ssl/certs/ca-certificates.crt"
#define NAMES_MAX   64
#define CA_MAX      (2 * 1024 * 1024)


#define NEEDS_KEY_FILE  (PAY_SIG_NEEDS_KEY | PAY_SIG_NEEDS_RSA_KEY)

/* A need of a scheme, the word that meets it, and how a message explains it. */
typedef struct {
    unsigned     need;
    const char  *word;
    const char  *mend;
} need_t;


static char *unknown_scheme(ngx_conf_t *cf, ngx_str_t *name);
static char *check_scheme(ngx_conf_t *cf, ngx_payments_psp_t *psp);
static ngx_uint_t has(const ngx_payments_psp_t *psp, unsigned need);
static char *refuse(ngx_conf_t *cf, ngx_payments_psp_t *psp, const char *what,
    const char *word, const char *mend);
static char *check_cert(ngx_conf_t *cf, ngx_payments_psp_t *psp);
static char *default_hosts(ngx_conf_t *cf, ngx_payments_psp_t *psp);
static char *load_ca(ngx_conf_t *cf, ngx_payments_psp_t *psp);
static char *load_keys(ngx_conf_t *cf, ngx_payments_psp_t *psp);
static char *load_rsa_keys(ngx_conf_t *cf, ngx_payments_psp_t *psp);
static char *check_rsa_keys(ngx_conf_t *cf, ngx_payments_psp_t *psp,
    ngx_str_t *file);
static char *key_lines(ngx_conf_t *cf, ngx_payments_psp_t *psp,
    ngx_str_t *file, ngx_str_t text);
static char *add_key(ngx_conf_t *cf, ngx_payments_psp_t *psp,
    ngx_str_t *file, pay_str_t line);


/* The URL is looked at later: it has a default of the http block's. */
static const need_t  needs[] = {
    { NEEDS_KEY_FILE, "webhook_key_file",
      "the file with the secret, or the public key, of the webhook" },
    { PAY_SIG_NEEDS_PUBLIC_KEY, "webhook_public_key",
      "the public half of the key pair" },
    { PAY_SIG_NEEDS_WEBHOOK_ID, "webhook_id",
      "the id that the PSP has given to the webhook" },
    { PAY_SIG_NEEDS_CONFIRM, "webhook_confirm_url",
      "the address where the sender says whether a message is its own" },
    { 0, NULL, NULL }
};

static const char  *const paypal_hosts[] = {
    "api.paypal.com", "api-m.paypal.com", "api.sandbox.paypal.com",
    "api-m.sandbox.paypal.com", NULL
};


char *
ngx_http_payments_webhook_scheme(ngx_conf_t *cf, void *object)
{
    ngx_str_t           *value = cf->args->elts;
    ngx_payments_psp_t  *psp = object;

    psp->psp.scheme = pay_sig_find(ngx_payments_str(value[1]));
    if (psp->psp.scheme == NULL) {
        return unknown_scheme(cf, &value[1]);
    }

    if (psp->psp.scheme->needs & PAY_SIG_NEEDS_CONFIRM) {
        return "is a scheme of payments_payout alone";
    }

    return NGX_CONF_OK;
}


/* As for adapters: the list is that of the binary. */
static char *
unknown_scheme(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t   i;
    const char  *names[NAMES_MAX + 1];
    const pay_sig_scheme_t *const  *table = pay_sig_table();

    for (i = 0; i < NAMES_MAX && table[i] != NULL; i++) {
        names[i] = table[i]->name;
    }

    names[i] = NULL;

    return ngx_http_payments_unknown(cf, "webhook_scheme", name, names);
}


/* Several files serve during a rotation (W8). */
char *
ngx_http_payments_webhook_keys(ngx_conf_t *cf, void *object)
{
    ngx_str_t           *value = cf->args->elts, *file;
    ngx_uint_t           i;
    ngx_payments_psp_t  *psp = object;

    /* parsed in load_keys(), when adapter and scheme are known */
    psp->keys = ngx_array_create(cf->pool, PAY_SIG_KEYS_MAX,
                                 sizeof(ngx_str_t));
    if (psp->keys == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        file = ngx_array_push(psp->keys);
        if (file == NULL) {
            return NGX_CONF_ERROR;
        }

        *file = value[i];
    }

    return NGX_CONF_OK;
}


/* Some PSPs sign it with the body, so it must be theirs to the letter. */
char *
ngx_http_payments_webhook_url(ngx_conf_t *cf, void *object)
{
    pay_url_t            url;
    ngx_str_t           *value = cf->args->elts;
    ngx_payments_psp_t  *psp = object;

    if (pay_url_parse(ngx_payments_str(value[1]), &url, NULL) != PAY_OK
        || url.fragment.data != NULL
        || (!pay_str_is(url.scheme, "https")
            && !pay_host_is_loopback(url.host)))
    {
        return "must be the webhook's address exactly as it is entered at the "
               "PSP, for example https://HOST/webhooks/NAME";
    }

    psp->psp.settings.url = ngx_payments_str(value[1]);

    return NGX_CONF_OK;
}


/* Runs when the block is whole; the scheme is the adapter's unless it is
 * named. */
char *
ngx_http_payments_webhook_check(ngx_conf_t *cf, ngx_payments_psp_t *psp)
{
    pay_psp_conf_t         *core = &psp->psp;
    ngx_http_payments_at_t  place;

    if (core->scheme == NULL) {
        core->scheme = pay_sig_find(pay_str_of(core->adapter->scheme));
    }

    if (core->scheme == NULL) {
        return NGX_CONF_ERROR;
    }

    if (check_scheme(cf, psp) != NGX_CONF_OK
        || check_cert(cf, psp) != NGX_CONF_OK
        || ((core->scheme->needs & PAY_SIG_NEEDS_CONFIRM)
            && ngx_http_payments_confirm_check(cf, psp) != NGX_CONF_OK))
    {
        return NGX_CONF_ERROR;
    }

    if (core->webhook_tolerance_s == 0) {
        core->webhook_tolerance_s = PAY_SIG_TOLERANCE_S;
    }

    return load_keys(ngx_http_payments_at(&place, cf, psp, "webhook_key_file",
                                          0), psp);
}


/* Runs when all is read, as payments_public_url may stand behind the block.
 * The path is the one that docs/nginx.conf gives to payments_webhook. */
char *
ngx_http_payments_webhook_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf, ngx_payments_psp_t *psp)
{
    pay_psp_conf_t  *core = &psp->psp;
    pay_arena_t      arena = ngx_payments_arena(cf->pool);

    if (!(core->scheme->needs & PAY_SIG_NEEDS_URL)
        || core->settings.url.len != 0)
    {
        return NGX_CONF_OK;
    }

    if (pmcf->public_url.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_psp \"%V\" lacks webhook_url: scheme "
                           "%s signs the address of the webhook; add it, or "
                           "payments_public_url for the address under it",
                           &ngx_payments_nstr(core->name),
                           core->scheme->name);
        return NGX_CONF_ERROR;
    }

    return pay_format(&arena, &core->settings.url, PAY_URL_MAX,
                      "%.*s/webhooks/%.*s",
                      pay_fmt(ngx_payments_str(pmcf->public_url)),
                      pay_fmt(core->name)) == PAY_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* A word without effect is as wrong as a missing one: its author relies on
 * it. */
static char *
check_scheme(ngx_conf_t *cf, ngx_payments_psp_t *psp)
{
    ngx_conf_t              *at;
    const need_t            *need;
    ngx_http_payments_at_t   place;
    const pay_sig_scheme_t  *scheme = psp->psp.scheme;

    for (need = needs; need->word != NULL; need++) {
        if ((scheme->needs & need->need) && !has(psp, need->need)) {
            return refuse(cf, psp, "lacks", need->word, need->mend);
        }

        if (!(scheme->needs & need->need) && has(psp, need->need)) {
            return refuse(cf, psp, "has no use for", need->word, "remove it");
        }
    }

    if (!(scheme->needs & PAY_SIG_NEEDS_URL) && !scheme->told_where
        && psp->psp.settings.url.len)
    {
        return refuse(cf, psp, "has no use for", "webhook_url", "remove it");
    }

    if (!(scheme->needs & PAY_SIG_NEEDS_CERT)
        && (psp->webhook_ca.len != 0 || psp->cert_hosts != NULL
            || psp->psp.settings.cert_path.len != 0 || psp->cert_rate != 0))
    {
        return refuse(cf, psp, "has no use for",
                      psp->cert_hosts != NULL ? "webhook_cert_host"
                      : psp->webhook_ca.len != 0 ? "webhook_ca_file"
                      : psp->cert_rate != 0 ? "webhook_cert_rate"
                                            : "webhook_cert_path",
                      "remove it");
    }

    if (!(scheme->needs & PAY_SIG_NEEDS_CONFIRM) && psp->confirm_rate != 0) {
        return refuse(cf, psp, "has no use for", "webhook_confirm_rate",
                      "remove it");
    }

    /* harmless, and easily copied from a block that needs it */
    if (!scheme->signs_time && psp->psp.webhook_tolerance_s != 0) {
        at = ngx_http_payments_at(&place, cf, psp, "webhook_tolerance", 0);
        ngx_conf_log_error(NGX_LOG_WARN, at, 0,
                           "%s \"%V\" has no use for webhook_tolerance "
                           "(webhook scheme %s): it signs no time; remove "
                           "it", psp->block,
                           &ngx_payments_nstr(psp->psp.name), scheme->name);
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
has(const ngx_payments_psp_t *psp, unsigned need)
{
    switch (need) {

    case NEEDS_KEY_FILE:
        return psp->keys != NULL;

    case PAY_SIG_NEEDS_CONFIRM:
        return psp->psp.settings.confirm_url.len != 0;

    case PAY_SIG_NEEDS_PUBLIC_KEY:
        return psp->psp.settings.public_key.len != 0;

    default:
        return psp->psp.settings.webhook_id.len != 0;
    }
}


/* The message stands at the word if the block has it, else at the block. */
static char *
refuse(ngx_conf_t *cf, ngx_payments_psp_t *psp, const char *what,
    const char *word, const char *mend)
{
    ngx_conf_t             *at;
    ngx_http_payments_at_t  place;

    at = ngx_http_payments_at(&place, cf, psp, word, 0);
    ngx_conf_log_error(NGX_LOG_EMERG, at, 0,
                       "%s \"%V\" %s %s (webhook scheme %s): %s",
                       psp->block, &ngx_payments_nstr(psp->psp.name), what,
                       word, psp->psp.scheme->name, mend);

    return NGX_CONF_ERROR;
}


/* Nothing is done for schemes whose webhooks name no certificate. */
static char *
check_cert(ngx_conf_t *cf, ngx_payments_psp_t *psp)
{
    pay_sig_settings_t     *settings = &psp->psp.settings;
    ngx_http_payments_at_t  place;

    if (!(psp->psp.scheme->needs & PAY_SIG_NEEDS_CERT)) {
        return NGX_CONF_OK;
    }

    if (psp->cert_hosts == NULL && default_hosts(cf, psp) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_http_payments_cert_defaults(psp);
    settings->cert_hosts = psp->cert_hosts->elts;
    settings->cert_host_count = psp->cert_hosts->nelts;

    return load_ca(ngx_http_payments_at(&place, cf, psp, "webhook_ca_file", 0),
                   psp);
}


/* PayPal's hosts are known; for another PSP a guess would be a hole. */
static char *
default_hosts(ngx_conf_t *cf, ngx_payments_psp_t *psp)
{
    ngx_uint_t  i;
    pay_str_t  *host;

    if (ngx_strcmp(psp->psp.scheme->name, "paypal") != 0) {
        return refuse(cf, psp, "lacks", "webhook_cert_host",
                      "the hosts that the PSP's certificates come from");
    }

    psp->cert_hosts = ngx_array_create(cf->pool, 4, sizeof(pay_str_t));
    if (psp->cert_hosts == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; paypal_hosts[i] != NULL; i++) {
        host = ngx_array_push(psp->cert_hosts);
        if (host == NULL) {
            return NGX_CONF_ERROR;
        }

        *host = pay_str_of(paypal_hosts[i]);
    }

    return NGX_CONF_OK;
}


/* Read once: the scheme reaches no file. */
static char *
load_ca(ngx_conf_t *cf, ngx_payments_psp_t *psp)
{
    pay_err_t  err;
    ngx_str_t  text;

    if (psp->webhook_ca.len == 0) {
        ngx_str_set(&psp->webhook_ca, CA_DEFAULT);
    }

    if (ngx_http_payments_check_ca(cf, &psp->webhook_ca) != NGX_CONF_OK
        || ngx_http_payments_read_file(cf, &psp->webhook_ca, CA_MAX, &text)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    psp->psp.settings.ca_pem = ngx_payments_str(text);

    err.detail = "no memory for its certificates";

    if (pay_x509_ca_check(psp->psp.settings.ca_pem, &err) != PAY_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": %s",
                           &psp->webhook_ca, err.detail);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* The array of files is replaced by one of keys. */
static char *
load_keys(ngx_conf_t *cf, ngx_payments_psp_t *psp)
{
    char       *rv;
    ngx_str_t  *files, text;
    ngx_uint_t  i, n;

    if (psp->keys == NULL) {
        return NGX_CONF_OK;             /* its scheme has none */
    }

    if (psp->psp.scheme->needs & PAY_SIG_NEEDS_RSA_KEY) {
        return load_rsa_keys(cf, psp);
    }

    files = psp->keys->elts;
    n = psp->keys->nelts;

    psp->keys = ngx_array_create(cf->pool, PAY_SIG_KEYS_MAX,
                                 sizeof(pay_secret_t));
    if (psp->keys == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < n; i++) {
        if (ngx_http_payments_read_secret(cf, &files[i], 1, &text) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        rv = key_lines(cf, psp, &files[i], text);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    psp->psp.webhook_keys = psp->keys->elts;
    psp->psp.webhook_key_count = psp->keys->nelts;

    return NGX_CONF_OK;
}


/* The texts of all files behind each other, checked file by file, so that a
 * message names the one that is wrong.  They are no secrets. */
static char *
load_rsa_keys(ngx_conf_t *cf, ngx_payments_psp_t *psp)
{
    pay_buf_t    all;
    ngx_str_t   *files = psp->keys->elts, text;
    ngx_uint_t   i;
    pay_arena_t  arena = ngx_payments_arena(cf->pool);

    pay_buf_init(&all, &arena, PAY_SIG_KEYS_MAX * (PAY_RSA_PEM_MAX + 1));

    for (i = 0; i < psp->keys->nelts; i++) {
        if (ngx_http_payments_read_file(cf, &files[i], PAY_RSA_PEM_MAX, &text)
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        psp->psp.settings.rsa_pem = ngx_payments_str(text);

        if (check_rsa_keys(cf, psp, &files[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }

        pay_buf_add(&all, ngx_payments_str(text));
        pay_buf_text(&all, "\n");
    }

    if (pay_buf_done(&all, &psp->psp.settings.rsa_pem) != PAY_OK) {
        return NGX_CONF_ERROR;
    }

    return check_rsa_keys(cf, psp, &files[0]);
}


static char *
check_rsa_keys(ngx_conf_t *cf, ngx_payments_psp_t *psp, ngx_str_t *file)
{
    pay_err_t  err;

    err.detail = "no memory for its keys";

    if (pay_rsa_check(psp->psp.settings.rsa_pem, &err) == PAY_OK) {
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%V\" holds no key for scheme %s: %s", file,
                       psp->psp.scheme->name, err.detail);

    return NGX_CONF_ERROR;
}


/* One key a line, so that a file can hold the old and the next one. */
static char *
key_lines(ngx_conf_t *cf, ngx_payments_psp_t *psp, ngx_str_t *file,
    ngx_str_t text)
{
    char      *rv;
    u_char    *p, *last, *end;
    pay_str_t  line;

    p = text.data;
    last = text.data + text.len;

    while (p < last) {
        end = ngx_strlchr(p, last, '\n');
        end = end == NULL ? last : end;

        line.data = p;
        line.len = end - p;

        while (line.len > 0 && line.data[line.len - 1] <= ' ') {
            line.len--;
        }

        p = end + 1;

        if (line.len == 0) {
            continue;
        }

        rv = add_key(cf, psp, file, line);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


/* Equal keys are a rotation that was not finished. */
static char *
add_key(ngx_conf_t *cf, ngx_payments_psp_t *psp, ngx_str_t *file,
    pay_str_t line)
{
    pay_err_t      err;
    ngx_uint_t     i;
    pay_secret_t  *key, *keys;

    if (psp->keys->nelts == PAY_SIG_KEYS_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" brings more than 4 webhook keys: remove "
                           "the old ones", file);
        return NGX_CONF_ERROR;
    }

    key = ngx_array_push(psp->keys);
    err.detail = "malformed";

    if (key == NULL || psp->psp.scheme->key_parse(line, key, &err) != PAY_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" holds no key for scheme %s: %s", file,
                           psp->psp.scheme->name, err.detail);
        return NGX_CONF_ERROR;
    }

    keys = psp->keys->elts;

    for (i = 0; i < psp->keys->nelts - 1; i++) {
        if (pay_equal_ct(pay_secret_str(&keys[i]), pay_secret_str(key))) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" brings the same webhook key a second "
                               "time: keep one, or put the next key there",
                               file);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}
