/*
 * What Square tells of refunds, disputes and its fees.  They name the payment,
 * never our order or change: a refund has no place for an id of ours.
 * Inquiries take no money and are not told.
 */

#include "psp/square.h"


#define SQUARE_FEES_MAX  8

typedef struct {
    const char      *state;
    pay_psp_news_t   news;
} square_news_t;


static pay_status_t square_object(pay_arena_t *arena,
    const pay_json_t *object, pay_str_t payment_id, pay_psp_event_t *event);
static pay_status_t square_fee(pay_arena_t *arena, const pay_json_t *fee,
    pay_str_t id, pay_psp_told_t *told);
static const square_news_t *square_news(const square_news_t *rows,
    const pay_json_t *object, const char *member);


static const square_news_t  square_refunds[] = {
    { "PENDING", PAY_NEWS_PENDING },
    { "COMPLETED", PAY_NEWS_SUCCEEDED },
    { "REJECTED", PAY_NEWS_FAILED },
    { "FAILED", PAY_NEWS_FAILED },
    { NULL, PAY_NEWS_PENDING }
};

static const square_news_t  square_disputes[] = {
    { "EVIDENCE_REQUIRED", PAY_NEWS_OPENED },
    { "PROCESSING", PAY_NEWS_OPENED },
    { "WON", PAY_NEWS_WON },
    { "LOST", PAY_NEWS_LOST },
    { "ACCEPTED", PAY_NEWS_LOST },
    { NULL, PAY_NEWS_PENDING }
};


pay_status_t
pay_square_refund(pay_arena_t *arena, const pay_json_t *refund,
    pay_psp_told_t *told)
{
    pay_str_t             payment;
    pay_psp_event_t      *event = &told->events[0];
    const square_news_t  *row = square_news(square_refunds, refund, "status");

    if (pay_json_string(pay_json_get(refund, "payment_id"), &payment)
        != PAY_OK)
    {
        return PAY_OK;                 /* of no payment of ours */
    }

    PAY_TRY(square_object(arena, refund, payment, event));

    if (row->state != NULL) {
        pay_psp_about(event, PAY_ABOUT_REFUND, row->news);
    }

    if (event->news == PAY_NEWS_FAILED) {
        PAY_TRY(pay_psp_word_get(arena, refund, "status", &event->code));
    }

    return (event->news == PAY_NEWS_SUCCEEDED)
           ? pay_square_fees(arena, refund, event->object, told) : PAY_OK;
}


pay_status_t
pay_square_dispute(pay_arena_t *arena, const pay_json_t *dispute,
    pay_psp_told_t *told)
{
    pay_str_t             payment;
    pay_psp_event_t      *event = &told->events[0];
    const square_news_t  *row = square_news(square_disputes, dispute,
                                            "state");

    if (row->state == NULL) {
        return PAY_OK;
    }

    if (pay_json_string(pay_json_path(dispute, "disputed_payment",
                                      "payment_id", NULL), &payment) != PAY_OK)
    {
        return PAY_INVALID;
    }

    PAY_TRY(square_object(arena, dispute, payment, event));
    pay_psp_about(event, PAY_ABOUT_DISPUTE, row->news);

    return pay_psp_word_get(arena, dispute, "reason", &event->code);
}


static pay_status_t
square_object(pay_arena_t *arena, const pay_json_t *object,
    pay_str_t payment_id, pay_psp_event_t *event)
{
    int64_t       minor;
    pay_str_t     currency;
    pay_status_t  status;

    status = pay_psp_token_get(arena, object, "id", &event->object);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_INVALID : status;
    }

    if (!pay_psp_token_is_valid(payment_id)
        || !pay_square_money(pay_json_get(object, "amount_money"), &minor,
                             &currency))
    {
        return PAY_INVALID;
    }

    PAY_TRY(pay_dup(arena, payment_id, &event->reference));

    return pay_square_amount_in(arena, minor, currency, event);
}


pay_status_t
pay_square_fees(pay_arena_t *arena, const pay_json_t *object, pay_str_t id,
    pay_psp_told_t *told)
{
    size_t             i;
    pay_str_t          name;
    const pay_json_t  *list = pay_json_get(object, "processing_fee");

    for (i = 0; i < pay_json_size(list) && i < SQUARE_FEES_MAX; i++) {
        PAY_TRY(pay_format(arena, &name, 2 * PAY_PSP_TOKEN_MAX, "%.*s:%u",
                           pay_fmt(id), (unsigned) i));
        PAY_TRY(square_fee(arena, pay_json_at(list, i), name, told));
    }

    return PAY_OK;
}


/* "Positive values represent funds being assessed, while negative values
 * represent funds being returned." */
static pay_status_t
square_fee(pay_arena_t *arena, const pay_json_t *fee, pay_str_t id,
    pay_psp_told_t *told)
{
    int64_t          minor;
    pay_str_t        currency;
    pay_psp_event_t  amount;

    if (!pay_square_money(pay_json_get(fee, "amount_money"), &minor,
                          &currency)
        || minor == INT64_MIN)
    {
        return PAY_OK;
    }

    memset(&amount, 0, sizeof(amount));
    PAY_TRY(pay_square_amount_in(arena, minor < 0 ? -minor : minor, currency,
                                 &amount));

    return pay_psp_fee_add(arena, id, minor < 0 ? -amount.amount_minor
                                                : amount.amount_minor,
                           amount.currency, told);
}


static const square_news_t *
square_news(const square_news_t *rows, const pay_json_t *object,
    const char *member)
{
    while (rows->state != NULL && !pay_square_is(object, member, rows->state))
    {
        rows++;
    }

    return rows;
}
