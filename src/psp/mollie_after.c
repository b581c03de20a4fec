/*
 * What Mollie tells of refunds, chargebacks and captures: the entity that a
 * signed event carries.  A capture has an amount of its own; Mollie releases
 * what it leaves, but for the methods of which it takes several.
 */

#include "psp/mollie.h"


typedef struct {
    const char       *type;            /* of the event, made safe */
    pay_psp_about_t   about;
    pay_psp_news_t    news;
} mollie_after_t;


static pay_status_t mollie_names(pay_arena_t *arena, const pay_json_t *entity,
    pay_psp_event_t *event);


static const mollie_after_t  mollie_afters[] = {
    { "refund.queued", PAY_ABOUT_REFUND, PAY_NEWS_PENDING },
    { "refund.pending", PAY_ABOUT_REFUND, PAY_NEWS_PENDING },
    { "refund.processing", PAY_ABOUT_REFUND, PAY_NEWS_PENDING },
    { "refund.refunded", PAY_ABOUT_REFUND, PAY_NEWS_SUCCEEDED },
    { "refund.failed", PAY_ABOUT_REFUND, PAY_NEWS_FAILED },
    { "refund.canceled", PAY_ABOUT_REFUND, PAY_NEWS_FAILED },
    { "chargeback.received", PAY_ABOUT_DISPUTE, PAY_NEWS_OPENED },
    { "chargeback.reversed", PAY_ABOUT_DISPUTE, PAY_NEWS_WON },
    { "capture.succeeded", PAY_ABOUT_CAPTURE, PAY_NEWS_SINGLE },
    { "capture.failed", PAY_ABOUT_CAPTURE, PAY_NEWS_FAILED },
    { NULL, PAY_ABOUT_PAYMENT, PAY_NEWS_PENDING }
};


pay_status_t
pay_mollie_after(pay_arena_t *arena, const pay_json_t *entity,
    pay_psp_event_t *event)
{
    pay_str_t              operation;
    const mollie_after_t  *row;

    for (row = mollie_afters; row->type != NULL; row++) {
        if (pay_str_is(event->type, row->type)) {
            break;
        }
    }

    if (row->type == NULL) {
        return PAY_OK;
    }

    PAY_TRY(mollie_names(arena, entity, event));
    PAY_TRY(pay_mollie_amount_in(arena, entity, event));
    PAY_TRY(pay_psp_word_get(arena, pay_json_get(entity, "reason"), "code",
                             &event->code));
    pay_psp_about(event, row->about, row->news);

    if (row->about == PAY_ABOUT_CAPTURE && row->news == PAY_NEWS_FAILED) {
        event->amount_minor = 0;
    }

    return (pay_json_string(pay_json_path(entity, "metadata", "operation",
                                          NULL), &operation) == PAY_OK)
           ? pay_psp_operation(arena, operation, &event->operation) : PAY_OK;
}


/* The payment is our registration. */
static pay_status_t
mollie_names(pay_arena_t *arena, const pay_json_t *entity,
    pay_psp_event_t *event)
{
    pay_str_t     payment;
    pay_status_t  status;

    status = pay_psp_token_get(arena, entity, "id", &event->object);
    if (status == PAY_OK) {
        status = pay_psp_token_get(arena, entity, "paymentId", &payment);
    }

    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_INVALID : status;
    }

    if (!pay_mollie_starts(payment, "tr_")) {
        return PAY_INVALID;
    }

    event->token = payment;
    event->reference = payment;

    return PAY_OK;
}
