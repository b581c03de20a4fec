/*
 * Random bytes of libcrypto, and what is made of them.
 */

#include "util/ngx_payments_random.h"

#include <openssl/rand.h>

#include "pay_id.h"


/* Bytes are handed out from the end; `pid` says in which process they were
 * drawn, since a fork would hand them out twice. */
typedef struct {
    u_char      bytes[1024];
    size_t      left;
    ngx_pid_t   pid;
} stock_t;


static stock_t  stock;


/* libcrypto asks the kernel for the process's id at each call, and encrypts a
 * counter four times: what a stock of bytes costs once.  A byte is handed out
 * once and wiped, in the process that has drawn it. */
ngx_int_t
ngx_payments_random(u_char *buf, size_t size)
{
    if (size > sizeof(stock.bytes)) {
        return RAND_bytes(buf, (int) size) == 1 ? NGX_OK : NGX_ERROR;
    }

    if (stock.left < size || stock.pid != ngx_pid) {
        stock.left = 0;

        if (RAND_bytes(stock.bytes, sizeof(stock.bytes)) != 1) {
            return NGX_ERROR;
        }

        stock.pid = ngx_pid;
        stock.left = sizeof(stock.bytes);
    }

    stock.left -= size;
    ngx_memcpy(buf, stock.bytes + stock.left, size);
    OPENSSL_cleanse(stock.bytes + stock.left, size);

    return NGX_OK;
}


/* Version 7: the time in front keeps rows of one day together in an index. */
ngx_int_t
ngx_payments_uuid_text(u_char *text)
{
    u_char       entropy[PAY_UUID_ENTROPY];
    ngx_time_t  *tp;

    if (ngx_payments_random(entropy, sizeof(entropy)) != NGX_OK) {
        return NGX_ERROR;
    }

    tp = ngx_timeofday();
    pay_uuid7((uint64_t) tp->sec * 1000 + tp->msec, entropy, (char *) text);

    return NGX_OK;
}


/* The text lives as long as the arena. */
ngx_int_t
ngx_payments_uuid(pay_arena_t *arena, pay_str_t *uuid)
{
    u_char  *text;

    text = pay_alloc(arena, PAY_UUID_TEXT);

    if (text == NULL || ngx_payments_uuid_text(text) != NGX_OK) {
        return NGX_ERROR;
    }

    uuid->data = text;
    uuid->len = PAY_UUID_TEXT;

    return NGX_OK;
}
