/*
 * payments_webhook_bodies: how long, and up to which size, the raw bodies of
 * verified webhooks are kept for operators.
 */

#include "ngx_http_payments_conf.h"


#define DAYS       30
#define DAYS_MOST  365
#define SIZE       (64 * 1024)
#define SIZE_MOST  (256 * 1024)


static ngx_int_t size_word(ngx_conf_t *cf, ngx_str_t *word, size_t *size);


/* off | [days=30] [size=64k] */
char *
ngx_http_payments_bodies(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_int_t                       rc;
    ngx_str_t                      *value = cf->args->elts;
    ngx_uint_t                      i;
    ngx_http_payments_main_conf_t  *pmcf = conf;
    static const char              *const words[] = {
        "days=", "size=", NULL
    };

    if (pmcf->body_days != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    if (ngx_http_payments_check_words(cf, 1) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        pmcf->body_days = 0;
        return NGX_CONF_OK;
    }

    ngx_http_payments_bodies_defaults(pmcf);

    for (i = 1; i < cf->args->nelts; i++) {
        rc = ngx_http_payments_number(cf, &value[i], "days=", 1, DAYS_MOST,
                                      &pmcf->body_days);

        if (rc == NGX_DECLINED) {
            rc = size_word(cf, &value[i], &pmcf->body_size);
        }

        if (rc == NGX_DECLINED) {
            (void) ngx_http_payments_unknown(cf, (char *) cmd->name.data,
                                             &value[i], words);
        }

        if (rc != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


void
ngx_http_payments_bodies_defaults(ngx_http_payments_main_conf_t *pmcf)
{
    if (pmcf->body_days == NGX_CONF_UNSET_UINT) {
        pmcf->body_days = DAYS;
        pmcf->body_size = SIZE;
    }
}


static ngx_int_t
size_word(ngx_conf_t *cf, ngx_str_t *word, size_t *size)
{
    ssize_t    n;
    ngx_str_t  text;

    if (ngx_http_payments_option(word, "size=", &text) != NGX_OK) {
        return NGX_DECLINED;
    }

    n = ngx_parse_size(&text);

    if (n < 1 || n > SIZE_MOST) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" must be a size from 1 to 256k", word);
        return NGX_ERROR;
    }

    *size = (size_t) n;

    return NGX_OK;
}
