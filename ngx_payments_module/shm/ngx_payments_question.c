/*
 * When the returns of buyers may ask a PSP about a payment: a table in the
 * shared zone, so that all pages of a payment that are open, in all workers,
 * ask together no more often than one of them.  All merchants share the PSP's
 * quota, and a page that is left open asks for as long as the payment is.
 *
 *     0 s ─ 1 s ─▶ 2 s ─▶ 4 s … 15 s between two questions
 *
 * The last pause is short, since the buyer may go back to the PSP's page, and
 * an approval there is captured by the question of the return.  The table has a
 * fixed size and forgets: a payment whose place another takes begins anew.
 */

#include "shm/ngx_payments_question.h"
#include "shm/ngx_payments_shm.h"
#include "shm/ngx_payments_zone.h"
#include "pay_retry.h"


#define FORGET_MS  600000          /* a buyer who comes back asks at once */
#define PLACES     4               /* of one hash */


static ngx_payments_question_t *find(ngx_payments_shctx_t *ctx, uint32_t hash);
static int64_t age_of(const ngx_payments_question_t *question);


static const pay_retry_t  pace = {
    PAY_RETRY_EXPONENTIAL, 1000, 15000, 0, 0
};


ngx_uint_t
ngx_payments_question_may(pay_str_t url)
{
    int64_t                   age;
    ngx_uint_t                may;
    ngx_slab_pool_t          *pool;
    ngx_payments_shctx_t     *ctx;
    ngx_payments_question_t  *question;

    ctx = ngx_payments_shctx(&pool);
    if (ctx == NULL) {
        return 0;
    }

    ngx_shmtx_lock(&pool->mutex);

    question = find(ctx, ngx_crc32_long((u_char *) url.data, url.len));
    age = age_of(question);
    may = question->count == 0
          || age >= pay_retry_delay_ms(&pace, question->count, -1,
                                       PAY_STR(""));

    if (may) {
        question->asked_ms = ngx_current_msec;
        question->count++;
    }

    ngx_shmtx_unlock(&pool->mutex);

    return may;
}


/* The payment's place, else one that is free, else that of the payment which
 * was asked about the longest time ago. */
static ngx_payments_question_t *
find(ngx_payments_shctx_t *ctx, uint32_t hash)
{
    ngx_uint_t                i;
    ngx_payments_question_t  *question, *place = NULL;

    for (i = 0; i < PLACES; i++) {
        question = &ctx->questions[(hash + i) % NGX_PAYMENTS_QUESTIONS];

        if (question->count != 0 && age_of(question) >= FORGET_MS) {
            question->count = 0;
        }

        if (question->count != 0 && question->hash == hash) {
            return question;
        }

        if (place == NULL
            || (place->count != 0
                && (question->count == 0
                    || age_of(question) > age_of(place))))
        {
            place = question;
        }
    }

    place->hash = hash;
    place->count = 0;

    return place;
}


/* All workers of the host share the clock of ngx_current_msec, and each reads
 * it once a turn: one whose turn began earlier sees a time that is to come. */
static int64_t
age_of(const ngx_payments_question_t *question)
{
    int64_t  age = (int64_t) ((uint64_t) ngx_current_msec
                              - question->asked_ms);

    return age < 0 ? 0 : age;
}
