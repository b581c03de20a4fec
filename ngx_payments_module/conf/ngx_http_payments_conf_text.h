/*
 * The rules for texts of the configuration.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_TEXT_H
#define NGX_HTTP_PAYMENTS_CONF_TEXT_H

#include "util/ngx_payments.h"


/* Adds the line's arguments, host or host:port, to *hosts (pay_str_t). */
char *ngx_http_payments_add_hosts(ngx_conf_t *cf, ngx_array_t **hosts);

/* 1 for 1 to `max` visible ASCII characters. */
ngx_uint_t ngx_http_payments_is_plain(ngx_str_t *text, size_t max);

/* 1 for 1 to `max` small letters, digits, "-" and "_", of which the last two do
 * not begin it: the names that PostgreSQL keeps. */
ngx_uint_t ngx_http_payments_is_name(const ngx_str_t *text, size_t max);

/* Refuses a text that is no connection string or holds a password, and logs why
 * at cf. */
char *ngx_http_payments_dsn(ngx_conf_t *cf, ngx_str_t *dsn,
    const char *directive);


#endif /* NGX_HTTP_PAYMENTS_CONF_TEXT_H */
