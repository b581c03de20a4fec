/*
 * The block payments_merchant: one short function a word.
 */

#include "conf/ngx_http_payments_conf_merchant.h"
#include "conf/ngx_http_payments_conf_block.h"
#include "conf/ngx_http_payments_conf_key.h"
#include "conf/ngx_http_payments_conf_look.h"
#include "conf/ngx_http_payments_conf_option.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_route.h"
#include "conf/ngx_http_payments_secret.h"
#include "util/ngx_payments_conf_types.h"
#include "pay_url.h"


#define MERCHANT(member)  NGX_PAYMENTS_FIELD(ngx_payments_merchant_t, member)


static char *merchant_jwt_key(ngx_conf_t *cf, void *object);
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
    { "route", 1, NGX_PAYMENTS_ROUTE_WORDS, OFTEN,
      ngx_http_payments_merchant_route, VALUE_NONE },
    { "result_key_file", 1, 1, ONCE, merchant_result_key, VALUE_NONE },
    { "display_name", 1, 1, ONCE, ngx_http_payments_display_name, VALUE_NONE },
    { "page_logo", 1, 1, ONCE, ngx_http_payments_page_logo, VALUE_NONE },
    { "page_colors", 1, 2, ONCE, ngx_http_payments_page_colors, VALUE_NONE },
    { "page_text", 1, 2, OFTEN, ngx_http_payments_page_text, VALUE_NONE },
    { "refund_overdraw", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_WORD, MERCHANT(merchant.refuse_overdraw),
        .names = overdraws } },
    { "cell", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_PLAIN, 1, NGX_PAYMENTS_CELL_NAME, MERCHANT(cell),
        .must = "must be the name of a cell, as payments_database has it" } },
    { "from", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_PLAIN, 1, NGX_PAYMENTS_CELL_NAME, MERCHANT(from),
        .must = "must be the name of the cell with its older payments" } },
    { "disabled", 0, 0, ONCE, NULL,
      { NULL, NGX_PAYMENTS_ON, MERCHANT(merchant.disabled) } },
    { .name = NULL }
};


/* Whether two blocks have one id is seen when all are read and sorted.  Without
 * one of the three a merchant could not sell: no token would be
 * believed, no buyer come back, no PSP take the order. */
char *
ngx_http_payments_merchant_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_str_t                      *value;
    ngx_conf_t                     *at;
    ngx_http_payments_at_t          place;
    ngx_payments_merchant_t        *merchant, **slot;
    ngx_http_payments_main_conf_t  *pmcf = conf;

    value = cf->args->elts;

    if (!pay_id_is_valid(ngx_payments_str(value[1]))) {
        return "needs a name of A-Z a-z 0-9 . _ ~ -";
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


static char *
merchant_jwt_key(ngx_conf_t *cf, void *object)
{
    ngx_payments_merchant_t  *merchant = object;

    return ngx_http_payments_jwt_key(cf, &merchant->jwt_keys, cf->temp_pool,
                                     merchant->merchant.id);
}


/* Only names are kept, as the blocks may stand later in the file. */
static char *
merchant_psps(ngx_conf_t *cf, void *object)
{
    ngx_str_t                *value = cf->args->elts, *name;
    ngx_uint_t                i, j;
    ngx_payments_merchant_t  *merchant = object;

    merchant->psps = ngx_array_create(cf->temp_pool, 4, sizeof(ngx_str_t));
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
