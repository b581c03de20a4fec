/*
 * Keys that verify tokens, of storefronts and of staff: one grammar, and the
 * same checks of the key itself.
 */

#include "conf/ngx_http_payments_conf_key.h"
#include "conf/ngx_http_payments_conf_option.h"
#include "conf/ngx_http_payments_secret.h"
#include "pay_id.h"


static char *key_words(ngx_conf_t *cf, pay_jwt_key_t *key, ngx_str_t *file);


/* A public key is no secret, so its file may be readable by all; an HS256 key
 * is one. */
char *
ngx_http_payments_jwt_key(ngx_conf_t *cf, ngx_array_t **keys,
    ngx_pool_t *pool, pay_str_t issuer)
{
    char           *rv;
    ngx_str_t       file, bytes;
    pay_err_t       err;
    pay_jwt_key_t  *key;

    if (*keys == NULL) {
        *keys = ngx_array_create(pool, 1, sizeof(pay_jwt_key_t));
    }

    key = *keys == NULL ? NULL : ngx_array_push(*keys);
    if (key == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(key, sizeof(pay_jwt_key_t));

    rv = key_words(cf, key, &file);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (ngx_http_payments_read_secret(cf, &file, key->alg == PAY_ALG_HS256,
                                      &bytes) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    key->key = ngx_payments_str(bytes);
    key->issuer = issuer;

    if (pay_jwt_key_check(key->alg, key->key, key->digest, &err) != PAY_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "jwt_key \"%V\": %s", &file,
                           err.detail);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* The kid is quoted in the log, so it has safe characters only (J18). */
static char *
key_words(ngx_conf_t *cf, pay_jwt_key_t *key, ngx_str_t *file)
{
    ngx_str_t   *value = cf->args->elts, kid, alg;
    ngx_uint_t   i;

    ngx_str_null(&kid);
    ngx_str_null(&alg);
    ngx_str_null(file);

    for (i = 1; i < cf->args->nelts; i++) {
        (void) (ngx_http_payments_option(&value[i], "kid=", &kid) == NGX_OK
                || ngx_http_payments_option(&value[i], "alg=", &alg) == NGX_OK
                || ngx_http_payments_option(&value[i], "file=", file)
                   == NGX_OK);
    }

    key->kid = ngx_payments_str(kid);

    if (key->kid.len == 0 || key->kid.len > PAY_JWT_KID_MAX || alg.len == 0
        || file->len == 0)
    {
        return "must be jwt_key kid=NAME alg=ES256 file=PATH";
    }

    if (!pay_id_is_valid(key->kid)
        || ngx_strlchr((u_char *) key->kid.data,
                       (u_char *) key->kid.data + key->kid.len, '~') != NULL)
    {
        return "needs a kid of A-Z a-z 0-9 . _ -";
    }

    if (pay_alg_parse(ngx_payments_str(alg), &key->alg) != PAY_OK) {
        return "needs alg=RS256, alg=ES256 or alg=HS256";
    }

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_http_payments_same_key(const pay_jwt_key_t *a, const pay_jwt_key_t *b)
{
    return ngx_memcmp(a->digest, b->digest, PAY_JWT_DIGEST_SIZE) == 0;
}
