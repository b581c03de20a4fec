/*
 * The block payments_psp: one short function a word, then the checks that
 * need the whole block.
 */

#include "ngx_http_payments_conf.h"
#include "pay_crypto.h"
#include "pay_url.h"


#define CONNECT_MS  2000
#define TOTAL_MS    10000


static char *psp_adapter(ngx_conf_t *cf, void *object);
static char *psp_base_url(ngx_conf_t *cf, void *object);
static char *psp_api_key(ngx_conf_t *cf, void *object);
static char *psp_scheme(ngx_conf_t *cf, void *object);
static char *psp_webhook_keys(ngx_conf_t *cf, void *object);
static char *psp_tolerance(ngx_conf_t *cf, void *object);
static char *psp_hosts(ngx_conf_t *cf, void *object);
static char *psp_timeout(ngx_conf_t *cf, void *object);
static void psp_timeout_defaults(ngx_payments_psp_t *psp);
static char *psp_private(ngx_conf_t *cf, void *object);
static char *psp_check(ngx_conf_t *cf, ngx_payments_psp_t *psp);
static void psp_defaults(ngx_payments_psp_t *psp);
static char *psp_load_keys(ngx_conf_t *cf, ngx_payments_psp_t *psp);
static char *psp_key_lines(ngx_conf_t *cf, ngx_payments_psp_t *psp,
    ngx_str_t *file, ngx_str_t text);
static char *psp_add_key(ngx_conf_t *cf, ngx_payments_psp_t *psp,
    ngx_str_t *file, pay_str_t line);


static const word_t  psp_words[] = {
    { "adapter", 1, 1, psp_adapter },
    { "base_url", 1, 1, psp_base_url },
    { "api_key_file", 1, 1, psp_api_key },
    { "webhook_scheme", 1, 1, psp_scheme },
    { "webhook_key_file", 1, PAY_SIG_KEYS_MAX, psp_webhook_keys },
    { "webhook_tolerance", 1, 1, psp_tolerance },
    { "hosted_page_host", 1, 16, psp_hosts },
    { "pinned_public_key", 1, 4, ngx_http_payments_psp_pins },
    { "ca_file", 1, 1, ngx_http_payments_psp_ca },
    { "timeout", 1, 2, psp_timeout },
    { "allow_private_address", 1, 1, psp_private },
    { NULL, 0, 0, NULL }
};


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
        return "stands more than 32 times";
    }

    psp = ngx_pcalloc(cf->pool, sizeof(ngx_payments_psp_t));
    slot = ngx_array_push(&pmcf->psps);
    if (psp == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = psp;
    psp->psp.name = ngx_payments_str(value[1]);
    psp->psp.index = (unsigned) pmcf->psps.nelts - 1;
    psp->allow_private = NGX_CONF_UNSET;

    if (ngx_http_payments_parse_block(cf, psp_words, "payments_psp", psp)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return psp_check(cf, psp);
}


static char *
psp_adapter(ngx_conf_t *cf, void *object)
{
    ngx_str_t           *value = cf->args->elts;
    ngx_payments_psp_t  *psp = object;

    if (psp->psp.adapter != NULL) {
        return "is duplicate";
    }

    psp->psp.adapter = pay_psp_find(ngx_payments_str(value[1]));
    if (psp->psp.adapter == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "there is no adapter \"%V\": docs/directives.md "
                           "lists them, stripe and generic among them",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
psp_base_url(ngx_conf_t *cf, void *object)
{
    ngx_str_t           *value = cf->args->elts;
    ngx_payments_psp_t  *psp = object;

    if (psp->base_url.data != NULL) {
        return "is duplicate";
    }

    psp->base_url = value[1];

    while (psp->base_url.len > 0
           && psp->base_url.data[psp->base_url.len - 1] == '/')
    {
        psp->base_url.len--;
    }

    psp->psp.account.base_url = ngx_payments_str(psp->base_url);

    return NGX_CONF_OK;
}


static char *
psp_api_key(ngx_conf_t *cf, void *object)
{
    ngx_str_t           *value = cf->args->elts, key;
    ngx_uint_t           i;
    ngx_payments_psp_t  *psp = object;

    if (psp->psp.account.api_key.len != 0) {
        return "is duplicate";
    }

    if (ngx_http_payments_read_secret(cf, &value[1], 1, &key) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < key.len; i++) {
        if (key.data[i] <= ' ' || key.data[i] >= 0x7f) {
            return "names a file with more than one word: it must hold the "
                   "API key alone";
        }
    }

    psp->psp.account.api_key = ngx_payments_str(key);

    return NGX_CONF_OK;
}


static char *
psp_scheme(ngx_conf_t *cf, void *object)
{
    ngx_str_t           *value = cf->args->elts;
    ngx_payments_psp_t  *psp = object;

    if (psp->psp.scheme != NULL) {
        return "is duplicate";
    }

    psp->psp.scheme = pay_sig_find(ngx_payments_str(value[1]));
    if (psp->psp.scheme == NULL) {
        return "names a webhook scheme that does not exist: "
               "docs/directives.md lists them";
    }

    return NGX_CONF_OK;
}


static char *
psp_webhook_keys(ngx_conf_t *cf, void *object)
{
    ngx_str_t           *value = cf->args->elts, *file;
    ngx_uint_t           i;
    ngx_payments_psp_t  *psp = object;

    if (psp->keys != NULL) {
        return "is duplicate";
    }

    /* parsed in psp_check(), when adapter and scheme are known */
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


static char *
psp_tolerance(ngx_conf_t *cf, void *object)
{
    time_t               tolerance;
    ngx_str_t           *value = cf->args->elts;
    ngx_payments_psp_t  *psp = object;

    if (psp->psp.webhook_tolerance_s != 0) {
        return "is duplicate";
    }

    tolerance = ngx_parse_time(&value[1], 1);

    if (tolerance == (time_t) NGX_ERROR || tolerance < 1 || tolerance > 3600) {
        return "must be a time from 1s to 1h";
    }

    psp->psp.webhook_tolerance_s = tolerance;

    return NGX_CONF_OK;
}


static char *
psp_hosts(ngx_conf_t *cf, void *object)
{
    ngx_payments_psp_t  *psp = object;

    return ngx_http_payments_add_hosts(cf, &psp->hosts);
}


static char *
psp_timeout(ngx_conf_t *cf, void *object)
{
    ngx_int_t            n;
    ngx_str_t           *value = cf->args->elts, text;
    ngx_uint_t           i;
    ngx_msec_t          *msec;
    ngx_payments_psp_t  *psp = object;

    if (psp->total_timeout != 0) {
        return "is duplicate";
    }

    if (ngx_http_payments_check_words(cf, 1) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_strncmp(value[i].data, "connect=", 8) == 0) {
            msec = &psp->connect_timeout;
            text.data = value[i].data + 8;

        } else if (ngx_strncmp(value[i].data, "total=", 6) == 0) {
            msec = &psp->total_timeout;
            text.data = value[i].data + 6;

        } else {
            return "takes connect= and total=";
        }

        text.len = value[i].data + value[i].len - text.data;
        n = ngx_parse_time(&text, 0);

        if (n == NGX_ERROR || n < 10 || n > 120000) {
            return "takes times from 10ms to 2m";
        }

        *msec = (ngx_msec_t) n;
    }

    psp_timeout_defaults(psp);

    return psp->connect_timeout <= psp->total_timeout ? NGX_CONF_OK
           : "needs a connect= that is not longer than its total=";
}


static void
psp_timeout_defaults(ngx_payments_psp_t *psp)
{
    if (psp->total_timeout == 0) {
        psp->total_timeout = TOTAL_MS;
    }

    if (psp->connect_timeout == 0) {
        psp->connect_timeout = ngx_min(CONNECT_MS, psp->total_timeout);
    }
}


static char *
psp_private(ngx_conf_t *cf, void *object)
{
    ngx_str_t           *value = cf->args->elts;
    ngx_payments_psp_t  *psp = object;

    if (psp->allow_private != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    if (ngx_strcmp(value[1].data, "on") == 0) {
        psp->allow_private = 1;

    } else if (ngx_strcmp(value[1].data, "off") == 0) {
        psp->allow_private = 0;

    } else {
        return "must be on or off";
    }

    return NGX_CONF_OK;
}


static char *
psp_check(ngx_conf_t *cf, ngx_payments_psp_t *psp)
{
    pay_err_t    err;
    const char  *lacks = NULL;

    if (psp->psp.adapter == NULL) {
        lacks = "adapter";

    } else if (psp->base_url.len == 0) {
        lacks = "base_url";

    } else if (psp->psp.account.api_key.len == 0) {
        lacks = "api_key_file";

    } else if (psp->keys == NULL) {
        lacks = "webhook_key_file";

    } else if (psp->hosts == NULL) {
        lacks = "hosted_page_host, the only hosts a buyer is ever sent to";
    }

    if (lacks != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "payments_psp \"%V\" lacks %s",
                           &ngx_payments_nstr(psp->psp.name), lacks);
        return NGX_CONF_ERROR;
    }

    psp_defaults(psp);

    if (pay_base_url_check(ngx_payments_str(psp->base_url),
                           (int) psp->allow_private, &err) != PAY_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "base_url \"%V\": %s",
                           &psp->base_url, err.detail);
        return NGX_CONF_ERROR;
    }

    psp->psp.hosted_hosts = psp->hosts->elts;
    psp->psp.hosted_host_count = psp->hosts->nelts;

    return psp_load_keys(cf, psp);
}


static void
psp_defaults(ngx_payments_psp_t *psp)
{
    psp_timeout_defaults(psp);

    if (psp->allow_private == NGX_CONF_UNSET) {
        psp->allow_private = 0;
    }

    if (psp->psp.webhook_tolerance_s == 0) {
        psp->psp.webhook_tolerance_s = PAY_SIG_TOLERANCE_S;
    }

    if (psp->psp.scheme == NULL) {
        psp->psp.scheme = pay_sig_find(pay_str_of(psp->psp.adapter->scheme));
    }
}


static char *
psp_load_keys(ngx_conf_t *cf, ngx_payments_psp_t *psp)
{
    char        *rv;
    ngx_str_t   *files, text;
    ngx_uint_t   i, n;

    files = psp->keys->elts;
    n = psp->keys->nelts;

    psp->keys = ngx_array_create(cf->pool, PAY_SIG_KEYS_MAX,
                                 sizeof(pay_secret_t));
    if (psp->keys == NULL || psp->psp.scheme == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < n; i++) {
        if (ngx_http_payments_read_secret(cf, &files[i], 1, &text) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        rv = psp_key_lines(cf, psp, &files[i], text);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    psp->psp.webhook_keys = psp->keys->elts;
    psp->psp.webhook_key_count = psp->keys->nelts;

    return NGX_CONF_OK;
}


static char *
psp_key_lines(ngx_conf_t *cf, ngx_payments_psp_t *psp, ngx_str_t *file,
    ngx_str_t text)
{
    char       *rv;
    u_char     *p, *last, *end;
    pay_str_t   line;

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

        rv = psp_add_key(cf, psp, file, line);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
psp_add_key(ngx_conf_t *cf, ngx_payments_psp_t *psp, ngx_str_t *file,
    pay_str_t line)
{
    pay_err_t      err;
    ngx_uint_t     i;
    pay_secret_t  *key, *keys;

    if (psp->keys->nelts == PAY_SIG_KEYS_MAX) {
        return "has more than 4 webhook keys: remove the old ones";
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
