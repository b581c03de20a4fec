/*
 * Random bytes and fresh identifiers.
 */

#ifndef NGX_PAYMENTS_RANDOM_H
#define NGX_PAYMENTS_RANDOM_H

#include "util/ngx_payments.h"

#include "pay_arena.h"


/* Random bytes from libcrypto; NGX_ERROR when it has none. */
ngx_int_t ngx_payments_random(u_char *buf, size_t size);
/* A fresh UUID of PAY_UUID_TEXT bytes, without a NUL. */
ngx_int_t ngx_payments_uuid_text(u_char *text);
/* The same in the arena. */
ngx_int_t ngx_payments_uuid(pay_arena_t *arena, pay_str_t *uuid);


#endif /* NGX_PAYMENTS_RANDOM_H */
