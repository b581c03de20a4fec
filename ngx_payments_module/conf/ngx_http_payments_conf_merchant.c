/*
 * The block payments_merchant: one short function a word.
 */

#include "conf/ngx_http_payments_conf_merchant.h"
#include "conf/ngx_http_payments_conf_block.h"
#include "conf/ngx_http_payments_conf_look.h"
#include "conf/ngx_http_payments_conf_option.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_route.h"
#include "conf/ngx_http_payments_secret.h"
#include "util/ngx_payments_conf_types.h"
#include "pay_url.h"


#define MERCHANT(member)  NGX_PAYMENTS_FIELD(ngx_payments_merchant_t, member)


static char *merchant_jwt_key(ngx_conf_t *cf, void *object);
static char *jwt_key_words(ngx_conf_t *cf, pay_jwt_key_t *key,
    ngx_str_t *file);
static char *merchant_psps(ngx_conf_t *cf, void *object);
static char *merchant_result_key(ngx_conf_t *cf, void *object);


static const ngx_conf_enum_t  overdraws[] = {
    { ngx_string("allow"), 0 },
    { ngx_string("refuse"), 1 },
    { ngx_null_string, 0 }
};


static const word_t  merchant_words[] = {
    { "jwt_key", 3, 3, OFTEN, merchant_jwt_key, VALUE_NONE },
    { "return_host", 1, 32, OFTEN, NULL,
      /* the size of the pointer, because the directive sets the pointer:
       * NOLINTNEXTLINE(bugprone-sizeof-expression) */
      { NULL, NGX_PAYMENTS_HOSTS, MERCHANT(hosts) } },
    { "psp", 1, NGX_PAYMENTS_PSPS_MAX, ONCE, merchant_psps, VALUE_NONE },
    { "route", 1, 5 + PAY_ROUTE_PSPS_MAX, OFTEN,
      ngx_http_payments_merchant_route, VALUE_NONE },
    { "result_key_file", 1, 1, ONCE, merchant_result_key, VALUE_NONE },
    { "display_name", 1, 1, ONCE, ngx_http_payments_display_name, VALUE_NONE },
    { "page_logo", 1, 1, ONCE, ngx_http_payments_page_logo, VALUE_NONE },
    { "page_colors", 1, 2, ONCE, ngx_http_payments_page_colors, VALUE_NONE },
    { "page_text", 1, 2, OFTEN, ngx_http_payments_page_text, VALUE_NONE },
    { "refund_overdraw", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_WORD, MERCHANT(merchant.refuse_overdraw),
        .names = overdraws } },
    { "disabled", 0, 0, ONCE, NULL,
      { NULL, NGX_PAYMENTS_ON, MERCHANT(merchant.disabled) } },
    { .name = NULL }
};


/* Without one of the three a merchant could not sell: no token would be
 * believed, no buyer come back, no PSP take the order. */
char *
ngx_http_payments_merchant_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_str_t                      *value;
    ngx_uint_t                      i;
    ngx_conf_t                     *at;
    ngx_http_payments_at_t          place;
    ngx_payments_merchant_t        *merchant, **slot, **merchants;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    value = cf->args->elts;
    merchants = pmcf->merchants.elts;

    if (!pay_id_is_valid(ngx_payments_str(value[1]))) {
        return "needs a name of A-Z a-z 0-9 . _ ~ -";
    }

    for (i = 0; i < pmcf->merchants.nelts; i++) {
        if (pay_str_eq(merchants[i]->merchant.id, ngx_payments_str(value[1]))) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "payments_merchant \"%V\" stands twice: merge "
                               "the blocks", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    merchant = ngx_pcalloc(cf->pool, sizeof(ngx_payments_merchant_t));
    slot = ngx_array_push(&pmcf->merchants);
    if (merchant == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = merchant;
    merchant->merchant.id = ngx_payments_str(value[1]);

    if (ngx_http_payments_parse_block(cf, merchant_words, "payments_merchant",
                                      merchant) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (merchant->jwt_keys == NULL || merchant->hosts == NULL
        || merchant->psps == NULL)
    {
        at = ngx_http_payments_at(&place, cf, merchant, "", 0);
        ngx_conf_log_error(NGX_LOG_EMERG, at, 0,
                           "payments_merchant \"%V\" lacks %s",
                           &ngx_payments_nstr(merchant->merchant.id),
                           merchant->jwt_keys == NULL ? "jwt_key"
                           : merchant->hosts == NULL ? "return_host" : "psp");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* jwt_key kid=… alg=… file=….  A public key is no secret, so its file may be
 * readable by all; an HS256 key is one. */
static char *
merchant_jwt_key(ngx_conf_t *cf, void *object)
{
    char                     *rv;
    ngx_str_t                 file, bytes;
    pay_err_t                 err;
    pay_jwt_key_t            *key;
    ngx_payments_merchant_t  *merchant = object;

    if (merchant->jwt_keys == NULL) {
        merchant->jwt_keys = ngx_array_create(cf->pool, 2,
                                              sizeof(pay_jwt_key_t));
    }

    key = merchant->jwt_keys == NULL ? NULL
                                     : ngx_array_push(merchant->jwt_keys);
    if (key == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(key, sizeof(pay_jwt_key_t));

    rv = jwt_key_words(cf, key, &file);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (ngx_http_payments_read_secret(cf, &file, key->alg == PAY_ALG_HS256,
                                      &bytes) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    key->key = ngx_payments_str(bytes);
    key->issuer = merchant->merchant.id;

    if (pay_jwt_key_check(key->alg, key->key, &err) != PAY_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "jwt_key \"%V\": %s", &file,
                           err.detail);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* The kid is quoted in the log, so it has safe characters only (J18). */
static char *
jwt_key_words(ngx_conf_t *cf, pay_jwt_key_t *key, ngx_str_t *file)
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


/* Only names are kept, as the blocks may stand later in the file. */
static char *
merchant_psps(ngx_conf_t *cf, void *object)
{
    ngx_str_t                *value = cf->args->elts, *name;
    ngx_uint_t                i, j;
    ngx_payments_merchant_t  *merchant = object;

    merchant->psps = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
    if (merchant->psps == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        for (j = 1; j < i; j++) {
            if (ngx_strcmp(value[j].data, value[i].data) == 0) {
                return "names one PSP twice: keep one";
            }
        }

        name = ngx_array_push(merchant->psps);
        if (name == NULL) {
            return NGX_CONF_ERROR;
        }

        *name = value[i];
    }

    return NGX_CONF_OK;
}


/* It signs the outcome on the buyer's way back to the shop; 32 bytes are
 * SHA-256's size. */
static char *
merchant_result_key(ngx_conf_t *cf, void *object)
{
    ngx_str_t                *value = cf->args->elts, key;
    ngx_payments_merchant_t  *merchant = object;

    if (ngx_http_payments_read_secret(cf, &value[1], 1, &key) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (key.len < 32) {
        return "names a key of less than 32 bytes: make one with "
               "openssl rand -base64 48";
    }

    merchant->merchant.result_key = ngx_payments_str(key);

    return NGX_CONF_OK;
}
