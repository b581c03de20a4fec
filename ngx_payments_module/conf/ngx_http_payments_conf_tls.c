/*
 * The words of payments_psp about trust in TLS.  Each is tried at configuration
 * time, because later it would only show as a PSP that is down.
 */

#include "conf/ngx_http_payments_conf_tls.h"
#include "util/ngx_payments_conf_types.h"
#include "util/ngx_payments_memory.h"


#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "pay_crypto.h"
#include "pay_url.h"


#define PIN_PREFIX      "sha256//"
#define PIN_PREFIX_LEN  (sizeof(PIN_PREFIX) - 1)


static ngx_uint_t pin_is_valid(ngx_conf_t *cf, ngx_str_t *pin);
static ngx_uint_t has_certificate(ngx_str_t *path);
static ngx_uint_t cipher_fits(SSL_CTX *ctx, int key_type);


/* Several pins, so that the PSP's next key can be trusted beside the present
 * one; curl wants them in one text. */
char *
ngx_http_payments_psp_pins(ngx_conf_t *cf, void *object)
{
    u_char              *p;
    size_t               len;
    ngx_str_t           *value = cf->args->elts;
    ngx_uint_t           i;
    ngx_payments_psp_t  *psp = object;

    len = 0;

    for (i = 1; i < cf->args->nelts; i++) {
        if (!pin_is_valid(cf, &value[i])) {
            return "must be sha256//BASE64=, the SHA-256 of a public key: "
                   "docs/directives.md says how to get it";
        }

        len += value[i].len + 1;
    }

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    psp->pinned.data = p;

    for (i = 1; i < cf->args->nelts; i++) {
        p = ngx_cpymem(p, value[i].data, value[i].len);
        *p++ = ';';
    }

    *--p = '\0';
    psp->pinned.len = len - 1;

    return NGX_CONF_OK;
}


/* curl compares texts: another spelling of the same bytes never matches. */
static ngx_uint_t
pin_is_valid(ngx_conf_t *cf, ngx_str_t *pin)
{
    pay_str_t    text, bytes;
    pay_arena_t  arena = ngx_payments_arena(cf->temp_pool);

    if (pin->len <= PIN_PREFIX_LEN
        || ngx_strncmp(pin->data, PIN_PREFIX, PIN_PREFIX_LEN) != 0)
    {
        return 0;
    }

    text.data = pin->data + PIN_PREFIX_LEN;
    text.len = pin->len - PIN_PREFIX_LEN;

    return pay_base64_decode(&arena, text, &bytes) == PAY_OK
           && bytes.len == PAY_SHA256_SIZE;
}


char *
ngx_http_payments_psp_ca(ngx_conf_t *cf, void *object)
{
    ngx_str_t           *value = cf->args->elts;
    ngx_payments_psp_t  *psp = object;

    psp->ca_file = value[1];

    return ngx_http_payments_check_ca(cf, &psp->ca_file);
}


/* libcurl would report such a file only with the first call, as a PSP that is
 * down. */
char *
ngx_http_payments_check_ca(ngx_conf_t *cf, ngx_str_t *path)
{
    ngx_file_info_t  info;

    if (ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_file_info(path->data, &info) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "cannot open \"%V\": put the CA's certificates "
                           "there, in PEM", path);
        return NGX_CONF_ERROR;
    }

    if (!ngx_is_file(&info) || !has_certificate(path)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" holds no certificate that OpenSSL can "
                           "read: it must hold the CA's, in PEM", path);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* No password: it would stand in "nginx -T". */
char *
ngx_http_payments_psp_proxy(ngx_conf_t *cf, void *object)
{
    pay_url_t            url;
    ngx_str_t           *value = cf->args->elts;
    ngx_payments_psp_t  *psp = object;

    if (pay_url_parse(ngx_payments_str(value[1]), &url, NULL) != PAY_OK
        || url.port.len == 0 || url.path.len != 0 || url.query.data != NULL
        || url.fragment.data != NULL)
    {
        return "must be http://HOST:PORT or https://HOST:PORT, without a "
               "path or a password";
    }

    psp->proxy = value[1];

    return NGX_CONF_OK;
}


/* Loads the file as curl does at each call; a list of revoked certificates
 * alone would load, too, and then no certificate would be trusted. */
static ngx_uint_t
has_certificate(ngx_str_t *path)
{
    ngx_uint_t       found;
    X509_STORE      *store;
    STACK_OF(X509)  *certs;

    found = 0;
    store = X509_STORE_new();

    if (store != NULL
        && X509_STORE_load_file(store, (char *) path->data) == 1)
    {
        certs = X509_STORE_get1_all_certs(store);
        found = certs != NULL && sk_X509_num(certs) > 0;
        sk_X509_pop_free(certs, X509_free);
    }

    X509_STORE_free(store);
    ERR_clear_error();

    return found;
}


/* A certificate whose name is a variable is not there yet: nothing is known of
 * it, and nothing said. */
ngx_uint_t
ngx_http_payments_ciphers_fit(ngx_http_core_srv_conf_t *server)
{
    int                       more;
    X509                     *cert;
    ngx_uint_t                found = 0;
    ngx_http_ssl_srv_conf_t  *sscf;

    sscf = server->ctx->srv_conf[ngx_http_ssl_module.ctx_index];

    if (sscf == NULL || sscf->ssl.ctx == NULL
        || (SSL_CTX_get_options(sscf->ssl.ctx) & SSL_OP_NO_TLSv1_2)
        || SSL_CTX_get_min_proto_version(sscf->ssl.ctx) > TLS1_2_VERSION)
    {
        return 1;
    }

    more = SSL_CTX_set_current_cert(sscf->ssl.ctx, SSL_CERT_SET_FIRST);

    while (more == 1) {
        cert = SSL_CTX_get0_certificate(sscf->ssl.ctx);
        found = 1;

        if (cert == NULL
            || cipher_fits(sscf->ssl.ctx,
                           EVP_PKEY_base_id(X509_get0_pubkey(cert))))
        {
            return 1;
        }

        more = SSL_CTX_set_current_cert(sscf->ssl.ctx, SSL_CERT_SET_NEXT);
    }

    return !found;
}


/* Suites of TLS 1.2 name the kind of key; those of TLS 1.3 fit every key. */
static ngx_uint_t
cipher_fits(SSL_CTX *ctx, int key_type)
{
    int                    i, nid;
    STACK_OF(SSL_CIPHER)  *ciphers = SSL_CTX_get_ciphers(ctx);

    if (key_type != EVP_PKEY_RSA && key_type != EVP_PKEY_EC) {
        return 1;
    }

    for (i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        nid = SSL_CIPHER_get_auth_nid(sk_SSL_CIPHER_value(ciphers, i));

        if (nid == (key_type == EVP_PKEY_RSA ? NID_auth_rsa
                                             : NID_auth_ecdsa))
        {
            return 1;
        }
    }

    return 0;
}
