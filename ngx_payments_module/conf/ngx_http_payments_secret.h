/*
 * Files that are read once, at configuration time.
 */

#ifndef NGX_HTTP_PAYMENTS_SECRET_H
#define NGX_HTTP_PAYMENTS_SECRET_H

#include "util/ngx_payments.h"


/* A secret's file: exists, regular, not readable by others; bytes in cf->pool,
 * trailing white space removed. */
ngx_int_t ngx_http_payments_read_secret(ngx_conf_t *cf, ngx_str_t *name,
    ngx_uint_t secret, ngx_str_t *bytes);

/* The whole of a file that is no secret. */
ngx_int_t ngx_http_payments_read_file(ngx_conf_t *cf, ngx_str_t *name,
    size_t max, ngx_str_t *bytes);


#endif /* NGX_HTTP_PAYMENTS_SECRET_H */
