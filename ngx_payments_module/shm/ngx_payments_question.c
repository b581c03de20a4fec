/*
 * When the returns of buyers may ask a PSP about a payment: a table in the
 * shared zone, so that all pages of a payment that are open, in all workers,
 * ask together no more often than one of them.  All merchants share the PSP's
 * quota, and a page that is left open asks for as long as the payment is.
 *
 *     0 s ─ 1 s ─▶ 2 s ─▶ 4 s … 60 s between two questions
 *
 * The table has a fixed size and forgets: a payment that takes the place of
 * another costs one question more.
 */

#include "shm/ngx_payments_question.h"
#include "shm/ngx_payments_shm.h"
#include "shm/ngx_payments_zone.h"
#include "pay_retry.h"


#define FORGET_MS  600000          /* a buyer who comes back asks at once */


static const pay_retry_t  pace = {
    PAY_RETRY_EXPONENTIAL, 1000, 60000, 0, 0
};


/* The clock is the monotonic one of ngx_current_msec, which all workers of the
 * host share; a time in the future is that of another boot. */
ngx_uint_t
ngx_payments_question_may(pay_str_t url)
{
    uint32_t                  hash;
    uint64_t                  since;
    ngx_uint_t                may;
    ngx_slab_pool_t          *pool;
    ngx_payments_shctx_t     *ctx;
    ngx_payments_question_t  *question;

    ctx = ngx_payments_shctx(&pool);
    if (ctx == NULL) {
        return 0;
    }

    hash = ngx_crc32_long((u_char *) url.data, url.len);
    question = &ctx->questions[hash % NGX_PAYMENTS_QUESTIONS];

    ngx_shmtx_lock(&pool->mutex);

    since = (uint64_t) ngx_current_msec - question->asked_ms;

    if (question->hash != hash || since >= FORGET_MS) {
        question->hash = hash;
        question->count = 0;
    }

    may = question->count == 0
          || since >= (uint64_t) pay_retry_delay_ms(&pace, question->count, -1,
                                                    PAY_STR(""));

    if (may) {
        question->asked_ms = ngx_current_msec;
        question->count++;
    }

    ngx_shmtx_unlock(&pool->mutex);

    return may;
}
