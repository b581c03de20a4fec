/*
 * The rules for texts of the configuration: visible characters, hosts.
 */

#include "conf/ngx_http_payments_conf_text.h"
#include "io/ngx_payments_pq_conf.h"
#include "pay_url.h"


/* A scheme or a path in a list of hosts would match nothing, and show only
 * when a buyer is turned away. */
char *
ngx_http_payments_add_hosts(ngx_conf_t *cf, ngx_array_t **hosts)
{
    ngx_str_t   *value = cf->args->elts;
    ngx_uint_t   i;
    pay_str_t   *host;

    if (*hosts == NULL) {
        *hosts = ngx_array_create(cf->pool, 4, sizeof(pay_str_t));
        if (*hosts == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    for (i = 1; i < cf->args->nelts; i++) {
        if (!pay_host_entry_is_valid(ngx_payments_str(value[i]))) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" must be host or host:port, without "
                               "scheme or path", &value[i]);
            return NGX_CONF_ERROR;
        }

        host = ngx_array_push(*hosts);
        if (host == NULL) {
            return NGX_CONF_ERROR;
        }

        *host = ngx_payments_str(value[i]);
    }

    return NGX_CONF_OK;
}


/* Neither blanks nor bytes beyond ASCII: such a text goes into URLs, header
 * fields and logs. */
ngx_uint_t
ngx_http_payments_is_plain(ngx_str_t *text, size_t max)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {
        if (text->data[i] <= ' ' || text->data[i] > '~') {
            return 0;
        }
    }

    return text->len != 0 && text->len <= max;
}


ngx_uint_t
ngx_http_payments_is_name(const ngx_str_t *text, size_t max)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < text->len; i++) {
        c = text->data[i];

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9')
            && (i == 0 || (c != '-' && c != '_')))
        {
            return 0;
        }
    }

    return text->len != 0 && text->len <= max;
}


/* The text is never logged: it may hold a password, which is the reason for
 * the refusal. */
char *
ngx_http_payments_dsn(ngx_conf_t *cf, ngx_str_t *dsn, const char *directive)
{
    switch (ngx_payments_pq_check(dsn)) {

    case NGX_OK:
        if (ngx_payments_pq_superuser(dsn)) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "%s connects as the superuser postgres, who "
                               "may change every row: make it "
                               "user=payments_gateway, the role that payctl "
                               "migrate has made", directive);
        }

        return NGX_CONF_OK;

    case NGX_ABORT:
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s must not hold a password: name a file by "
                           "passfile=, or use peer or certificate "
                           "authentication", directive);
        return NGX_CONF_ERROR;

    default:
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s needs a libpq connection string without a "
                           "password first, for example \"host=… dbname=…\": "
                           "psql with the same string shows what is wrong",
                           directive);
        return NGX_CONF_ERROR;
    }
}
