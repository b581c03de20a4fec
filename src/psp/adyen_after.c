/*
 * Items of Adyen's Standard webhooks about money after the sale: captures,
 * refunds, disputes, and the end of a payment that Adyen captures itself.
 * adyen_event.c reads all else of an item and calls this.
 */

#include "psp/adyen.h"
#include "pay_time.h"


/* The result of a reversal, which Adyen has made a cancellation or a refund:
 * "modification.action" is one name, not a path. */
#define ADYEN_REVERSAL  "CANCEL_OR_REFUND"
#define ADYEN_ACTION    "modification.action"

/* The payments that a row is about. */
typedef enum {
    ADYEN_ANY,
    ADYEN_OURS,                        /* those that we capture: an automatic
                                          capture was reported as paid */
    ADYEN_AUTOMATIC                    /* those that Adyen captures itself */
} adyen_whose_t;

/* A row for items about money after the sale.  `code` is the eventCode; `news`
 * holds for success "true"; `end` makes objects of one pspReference
 * distinct. */
typedef struct {
    const char       *code;
    pay_psp_about_t   about;
    pay_psp_news_t    news;            /* when it is a success */
    const char       *end;             /* behind the object's id */
    adyen_whose_t     whose;
} adyen_after_t;


static void adyen_deadline(const pay_json_t *item, pay_psp_event_t *event);
static int adyen_after_is_about(const adyen_after_t *row,
    const pay_psp_event_t *event);
static int adyen_is_captured(const pay_psp_event_t *event);
static const adyen_after_t *adyen_after_row(const pay_json_t *item);
static pay_status_t adyen_object(pay_arena_t *arena, const pay_json_t *item,
    const char *end, pay_psp_event_t *event);


/* Items about a failure have success "true", too: the failure happened.  A
 * refund that comes back is reported as its failure.  A capture has an amount
 * of its own, and Adyen cancels the rest (Checkout API, /captures), unless
 * several were enabled for the account. */
/* A payment that counted as paid, and whose automatic capture has failed or
 * will never be, is news about that capture: the order is not failed by it,
 * since Adyen may capture again, and another try may pay an open page. */
static const adyen_after_t  adyen_afters[] = {
    { "CAPTURE", PAY_ABOUT_CAPTURE, PAY_NEWS_SINGLE, "", ADYEN_OURS },
    { "CAPTURE_FAILED", PAY_ABOUT_CAPTURE, PAY_NEWS_FAILED, "", ADYEN_ANY },
    { "CANCELLATION", PAY_ABOUT_CAPTURE, PAY_NEWS_FAILED, "",
      ADYEN_AUTOMATIC },
    { "TECHNICAL_CANCEL", PAY_ABOUT_CAPTURE, PAY_NEWS_FAILED, "",
      ADYEN_AUTOMATIC },
    { "EXPIRE", PAY_ABOUT_CAPTURE, PAY_NEWS_FAILED, "", ADYEN_AUTOMATIC },
    { "REFUND", PAY_ABOUT_REFUND, PAY_NEWS_SUCCEEDED, "", ADYEN_ANY },
    { "REFUND_FAILED", PAY_ABOUT_REFUND, PAY_NEWS_FAILED, "", ADYEN_ANY },
    { "REFUNDED_REVERSED", PAY_ABOUT_REFUND, PAY_NEWS_FAILED, "", ADYEN_ANY },
    { "CHARGEBACK", PAY_ABOUT_DISPUTE, PAY_NEWS_OPENED, "", ADYEN_ANY },
    { "CHARGEBACK_REVERSED", PAY_ABOUT_DISPUTE, PAY_NEWS_WON, "", ADYEN_ANY },
    { "SECOND_CHARGEBACK", PAY_ABOUT_DISPUTE, PAY_NEWS_OPENED, "-second",
      ADYEN_ANY },
    { ADYEN_REVERSAL, PAY_ABOUT_REFUND, PAY_NEWS_SUCCEEDED, "", ADYEN_ANY },
    { NULL, PAY_ABOUT_PAYMENT, PAY_NEWS_PENDING, "", ADYEN_ANY }
};

static const pay_psp_said_t  adyen_actions[] = {
    { "cancel", "CANCELLATION" }, { "refund", "REFUND" }, { NULL, NULL }
};


/* A reversal without an action that we know is none of both, and its row is the
 * last one. */
int
pay_adyen_says(const pay_json_t *item, const char *code)
{
    const pay_psp_said_t  *row;
    const pay_json_t      *more = pay_json_get(item, "additionalData");

    if (!pay_psp_is(item, "eventCode", ADYEN_REVERSAL)) {
        return pay_psp_is(item, "eventCode", code);
    }

    for (row = adyen_actions; row->word != NULL; row++) {
        if (pay_psp_is(more, ADYEN_ACTION, row->word)) {
            return strcmp(row->ours, code) == 0;
        }
    }

    return strcmp(code, ADYEN_REVERSAL) == 0;
}


/* Reads an item about a capture, a refund or a dispute into *event, which is
 * left as it is when the item is about none of them. */
pay_status_t
pay_adyen_after(pay_arena_t *arena, const pay_json_t *item, int success,
    pay_psp_event_t *event)
{
    pay_psp_news_t         news;
    const adyen_after_t   *row = adyen_after_row(item);

    if (row->code == NULL
        || (event->token.len == 0 && event->reference.len == 0)
        || !adyen_after_is_about(row, event))
    {
        return PAY_OK;
    }

    if (!event->has_amount) {
        return PAY_INVALID;
    }

    news = row->news;

    if (!success) {
        if ((row->news != PAY_NEWS_SUCCEEDED && row->news != PAY_NEWS_SINGLE)
            || strcmp(row->code, ADYEN_REVERSAL) == 0)
        {
            return PAY_OK;             /* an operation that failed moves
                                          nothing */
        }

        news = PAY_NEWS_FAILED;
    }

    PAY_TRY(adyen_object(arena, item, row->end, event));
    pay_psp_about(event, row->about, news);

    if (row->about == PAY_ABOUT_DISPUTE) {
        adyen_deadline(item, event);
    }

    /* whose amount nobody knows goes into the mismatch queue: an operator
     * looks whether it was a cancellation or a refund */
    if (strcmp(row->code, ADYEN_REVERSAL) == 0) {
        event->amount_minor = 0;
        event->code = PAY_STR("no_action");
    }

    /* one capture, or none of it */
    if (row->about == PAY_ABOUT_CAPTURE && news == PAY_NEWS_FAILED
        && adyen_is_captured(event))
    {
        event->amount_minor = 0;
    }

    return (news == PAY_NEWS_FAILED && event->code.len == 0)
           ? pay_psp_word_get(arena, item, "reason", &event->code) : PAY_OK;
}


/* "2021-07-31T03:03:07+02:00" */
static void
adyen_deadline(const pay_json_t *item, pay_psp_event_t *event)
{
    int64_t        us, hours, minutes, offset_s;
    pay_str_t      text;
    unsigned char  utc[sizeof("2021-07-31T03:03:07.000000Z")];

    if (pay_json_string(pay_json_path(item, "additionalData",
                                      "defensePeriodEndsAt", NULL), &text)
        != PAY_OK || text.len != sizeof("2021-07-31T03:03:07+02:00") - 1
        || text.data[22] != ':')
    {
        return;
    }

    memcpy(utc, text.data, 19);
    memcpy(utc + 19, ".000000Z", sizeof(".000000Z"));

    if (pay_time_parse((pay_str_t) { sizeof(utc) - 1, utc }, &us) != PAY_OK
        || pay_digits_parse((pay_str_t) { 2, text.data + 20 }, &hours) != PAY_OK
        || pay_digits_parse((pay_str_t) { 2, text.data + 23 }, &minutes)
           != PAY_OK
        || (text.data[19] != '+' && text.data[19] != '-'))
    {
        return;
    }

    offset_s = hours * 3600 + minutes * 60;
    event->evidence_until_s = us / 1000000
                              - (text.data[19] == '+' ? offset_s : -offset_s);
}


/* Without a reference of ours nobody knows who captures the payment. */
static int
adyen_after_is_about(const adyen_after_t *row, const pay_psp_event_t *event)
{
    switch (row->whose) {

    case ADYEN_OURS:
        return adyen_is_captured(event);

    case ADYEN_AUTOMATIC:
        return event->token.len != 0 && !adyen_is_captured(event);

    default:
        return 1;
    }
}


/* A capture by us. */
static int
adyen_is_captured(const pay_psp_event_t *event)
{
    return event->operation.len != 0 || pay_adyen_is_held(event->token);
}


/* The last row, whose code is NULL, when the item is about something else. */
static const adyen_after_t *
adyen_after_row(const pay_json_t *item)
{
    const adyen_after_t  *row;

    for (row = adyen_afters; row->code != NULL; row++) {
        if (pay_adyen_says(item, row->code)) {
            break;
        }
    }

    return row;
}


/* The PSP's id of the refund, capture or dispute.  `end` keeps a second
 * chargeback apart from the first one, which has the same pspReference. */
static pay_status_t
adyen_object(pay_arena_t *arena, const pay_json_t *item, const char *end,
    pay_psp_event_t *event)
{
    pay_str_t  id;

    PAY_TRY(pay_psp_token_need(arena, item, "pspReference", &id));

    if (id.len + strlen(end) > PAY_PSP_TOKEN_MAX) {
        return PAY_INVALID;
    }

    return pay_format(arena, &event->object, PAY_PSP_TOKEN_MAX, "%.*s%s",
                      pay_fmt(id), end);
}
