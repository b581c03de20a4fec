/*
 * When each key was last used, by whom: points in time in the shared zone, and
 * their part of /metrics.  A key that stays at an old time is one that can be
 * taken out (docs/operations.md#rotation-of-keys).  The keys themselves, and
 * digests of them, stay out.
 */

#include "shm/ngx_payments_count_keys.h"
#include "shm/ngx_payments_tuple.h"
#include "util/ngx_payments_process.h"
#include "pay_metric.h"
#include "pay_sig.h"


static void used(ngx_payments_tuple_t **slots, ngx_uint_t size, pay_str_t who,
    pay_str_t key);
static void write_meters(pay_buf_t *buf, const char *name, const char *help,
    const char *const *labels, ngx_payments_tuple_t *const *slots,
    ngx_uint_t size);


/* From 1 on, as operators count the lines of a key file. */
static const char  *const numbers[] = { "1", "2", "3", "4" };
PAY_ROWS(numbers, PAY_SIG_KEYS_MAX);


void
ngx_payments_count_jwt_key(pay_str_t merchant, pay_str_t kid)
{
    ngx_payments_shctx_t  *ctx = ngx_payments_shctx(NULL);

    if (ctx != NULL) {
        used(ctx->counters.jwt_keys, NGX_PAYMENTS_KEYS, merchant, kid);
    }
}


void
ngx_payments_count_webhook_keys(pay_str_t psp, unsigned keys)
{
    ngx_uint_t             i;
    ngx_payments_shctx_t  *ctx = ngx_payments_shctx(NULL);

    for (i = 0; ctx != NULL && i < PAY_SIG_KEYS_MAX; i++) {
        if (keys & (1u << i)) {
            used(ctx->counters.webhook_keys, NGX_PAYMENTS_WEBHOOK_KEYS, psp,
                 pay_str_of(numbers[i]));
        }
    }
}


void
ngx_payments_keys_write(pay_buf_t *buf, const ngx_payments_counters_t *c)
{
    static const char *const  jwt[] = { "merchant", "kid" };
    static const char *const  webhook[] = { "psp", "key" };

    write_meters(buf, "payments_jwt_key_used_timestamp_seconds",
          "When a token under this key was last good.", jwt, c->jwt_keys,
          NGX_PAYMENTS_KEYS);
    write_meters(buf, "payments_webhook_key_used_timestamp_seconds",
          "When this key of the PSP's block last signed a webhook.", webhook,
          c->webhook_keys, NGX_PAYMENTS_WEBHOOK_KEYS);
}


/* Once a second at most: workers share the line of memory. */
static void
used(ngx_payments_tuple_t **slots, ngx_uint_t size, pay_str_t who,
    pay_str_t key)
{
    pay_str_t              values[] = { who, key, PAY_STR("") };
    ngx_atomic_uint_t      now = (ngx_atomic_uint_t) ngx_time();
    ngx_payments_tuple_t  *slot;

    slot = ngx_payments_tuple(slots, size, values);

    if (slot != NULL && slot->n[0] < now) {
        slot->n[0] = now;
    }
}


static void
write_meters(pay_buf_t *buf, const char *name, const char *help,
    const char *const *labels, ngx_payments_tuple_t *const *slots,
    ngx_uint_t size)
{
    ngx_uint_t  i;

    pay_metric_family(buf, name, "gauge", help);

    for (i = 0; i < size && slots[i] != NULL; i++) {
        if (slots[i]->n[0] == 0) {
            continue;
        }

        pay_metric_series(buf, name, labels[0],
                          ngx_payments_tuple_value(slots[i], 0));
        pay_metric_more(buf, labels[1], ngx_payments_tuple_value(slots[i], 1));
        pay_metric_end(buf, slots[i]->n[0]);
    }
}
