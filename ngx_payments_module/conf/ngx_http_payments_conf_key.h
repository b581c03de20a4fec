/*
 * The line jwt_key of a block, and keys that must differ.
 */

#ifndef NGX_HTTP_PAYMENTS_CONF_KEY_H
#define NGX_HTTP_PAYMENTS_CONF_KEY_H

#include "util/ngx_payments.h"

#include "pay_jwt.h"


/* Reads jwt_key kid=… alg=… file=… into a new element of *keys (pay_jwt_key_t),
 * which is made in `pool` when it is NULL.  NGX_CONF_OK, NGX_CONF_ERROR when it
 * is logged, or the reason of the refusal. */
char *ngx_http_payments_jwt_key(ngx_conf_t *cf, ngx_array_t **keys,
    ngx_pool_t *pool, pay_str_t issuer);
/* 1 when both are one key, however their files are written. */
ngx_uint_t ngx_http_payments_same_key(const pay_jwt_key_t *a,
    const pay_jwt_key_t *b);


#endif /* NGX_HTTP_PAYMENTS_CONF_KEY_H */
