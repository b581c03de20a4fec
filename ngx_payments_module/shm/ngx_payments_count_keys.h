/*
 * When each key has last proved who a sender is: the meters of keys that
 * storefronts sign tokens with, and of keys that PSPs sign webhooks with.
 */

#ifndef NGX_PAYMENTS_COUNT_KEYS_H
#define NGX_PAYMENTS_COUNT_KEYS_H

#include "shm/ngx_payments_shm.h"

#include "pay_arena.h"


/* A token was good; `kid` is the key's. */
void ngx_payments_count_jwt_key(pay_str_t merchant, pay_str_t kid);
/* Bit n of `keys`: key n of the PSP's block, counted from 0, has signed a
 * webhook. */
void ngx_payments_count_webhook_keys(pay_str_t psp, unsigned keys);
void ngx_payments_keys_write(pay_buf_t *buf,
    const ngx_payments_counters_t *c);


#endif /* NGX_PAYMENTS_COUNT_KEYS_H */
