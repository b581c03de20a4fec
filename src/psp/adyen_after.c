/*
 * What Adyen tells of captures, refunds and disputes
 * (docs/psp/adyen.md#webhooks).  The merchantReference of an item is that of
 * the payment, as Adyen describes it, or that of the call that it answers: our
 * id of the change then.  Of a dispute all items have the same pspReference;
 * the second chargeback, which takes the money again after the first was won,
 * is told as a dispute of its own.  Arbitration says nothing about money that
 * its documents agree on, and moves none here.
 */

#include "psp/adyen.h"


typedef struct {
    const char       *code;
    pay_psp_about_t   about;
    pay_psp_news_t    news;            /* when it is a success */
    const char       *end;             /* behind the object's id */
} adyen_after_t;


static int adyen_is_captured(const pay_psp_event_t *event);
static const adyen_after_t *adyen_after_row(const pay_json_t *item);
static pay_status_t adyen_object(pay_arena_t *arena, const pay_json_t *item,
    const char *end, pay_psp_event_t *event);


/* Those that failed say success, too: the failure happened.  What came back of
 * a refund that was done is told as its failure.  A capture has an amount of
 * its own, and Adyen cancels what it leaves (Checkout API, /captures), unless
 * several were enabled for the account. */
static const adyen_after_t  adyen_afters[] = {
    { "CAPTURE", PAY_ABOUT_CAPTURE, PAY_NEWS_SINGLE, "" },
    { "CAPTURE_FAILED", PAY_ABOUT_CAPTURE, PAY_NEWS_FAILED, "" },
    { "REFUND", PAY_ABOUT_REFUND, PAY_NEWS_SUCCEEDED, "" },
    { "REFUND_FAILED", PAY_ABOUT_REFUND, PAY_NEWS_FAILED, "" },
    { "REFUNDED_REVERSED", PAY_ABOUT_REFUND, PAY_NEWS_FAILED, "" },
    { "CHARGEBACK", PAY_ABOUT_DISPUTE, PAY_NEWS_OPENED, "" },
    { "CHARGEBACK_REVERSED", PAY_ABOUT_DISPUTE, PAY_NEWS_WON, "" },
    { "SECOND_CHARGEBACK", PAY_ABOUT_DISPUTE, PAY_NEWS_OPENED, "-second" },
    { NULL, PAY_ABOUT_PAYMENT, PAY_NEWS_PENDING, "" }
};


pay_status_t
pay_adyen_after(pay_arena_t *arena, const pay_json_t *item, int success,
    pay_psp_event_t *event)
{
    pay_psp_news_t         news;
    const adyen_after_t   *row = adyen_after_row(item);

    if (row->code == NULL
        || (event->token.len == 0 && event->reference.len == 0)
        || (row->about == PAY_ABOUT_CAPTURE && !adyen_is_captured(event)))
    {
        return PAY_OK;
    }

    if (!event->has_amount) {
        return PAY_INVALID;
    }

    news = row->news;

    if (!success) {
        if (row->news != PAY_NEWS_SUCCEEDED && row->news != PAY_NEWS_SINGLE) {
            return PAY_OK;             /* what did not happen moves nothing */
        }

        news = PAY_NEWS_FAILED;
    }

    PAY_TRY(adyen_object(arena, item, row->end, event));
    pay_psp_about(event, row->about, news);

    /* one capture, or none of it */
    if (row->about == PAY_ABOUT_CAPTURE && news == PAY_NEWS_FAILED) {
        event->amount_minor = 0;
    }

    return (news == PAY_NEWS_FAILED && event->code.len == 0)
           ? pay_psp_word_get(arena, item, "reason", &event->code) : PAY_OK;
}


/* By us: what Adyen captures by itself was told as paid. */
static int
adyen_is_captured(const pay_psp_event_t *event)
{
    return event->operation.len != 0 || pay_adyen_is_held(event->token);
}


static const adyen_after_t *
adyen_after_row(const pay_json_t *item)
{
    const adyen_after_t  *row;

    for (row = adyen_afters; row->code != NULL; row++) {
        if (pay_adyen_is(item, "eventCode", row->code)) {
            break;
        }
    }

    return row;
}


static pay_status_t
adyen_object(pay_arena_t *arena, const pay_json_t *item, const char *end,
    pay_psp_event_t *event)
{
    pay_str_t     id;
    pay_status_t  status;

    status = pay_psp_token_get(arena, item, "pspReference", &id);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_INVALID : status;
    }

    if (id.len + strlen(end) > PAY_PSP_TOKEN_MAX) {
        return PAY_INVALID;
    }

    return pay_format(arena, &event->object, PAY_PSP_TOKEN_MAX, "%.*s%s",
                      pay_fmt(id), end);
}
