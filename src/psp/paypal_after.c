/*
 * What PayPal's list of events tells of declined attempts, refunds, disputes
 * and fees.  The list
 * comes from PayPal itself, over a call of ours; of a webhook's body only a
 * CRC is signed, so there the same events are hints and no more.  What is told
 * here in addition has an id of its own, so that a webhook that came before
 * does not hide it.
 */

#include "psp/paypal.h"


#define PAYPAL_PATH  "/v2/payments/captures/"

typedef pay_status_t (*paypal_read_pt)(pay_arena_t *arena,
    const pay_json_t *resource, pay_psp_told_t *told);

typedef struct {
    const char      *type;
    paypal_read_pt   read;
} paypal_after_t;

typedef struct {
    const char      *word;
    pay_psp_news_t   news;
} paypal_news_t;


static pay_status_t paypal_after(pay_arena_t *arena, pay_str_t type,
    const pay_json_t *resource, pay_psp_told_t *told);
static pay_status_t paypal_capture(pay_arena_t *arena,
    const pay_json_t *resource, pay_psp_told_t *told);
static pay_status_t paypal_declined(pay_arena_t *arena,
    const pay_json_t *resource, pay_psp_told_t *told);
static pay_status_t paypal_reversed(pay_arena_t *arena,
    const pay_json_t *resource, pay_psp_told_t *told);
static pay_status_t paypal_attempt(pay_arena_t *arena,
    const pay_psp_event_t *made, pay_psp_told_t *told);
static pay_status_t paypal_refund(pay_arena_t *arena,
    const pay_json_t *resource, pay_psp_told_t *told);
static pay_status_t paypal_up(pay_arena_t *arena, const pay_json_t *resource,
    pay_str_t *capture);
static pay_status_t paypal_dispute(pay_arena_t *arena,
    const pay_json_t *resource, pay_psp_told_t *told);
static pay_status_t paypal_tell(pay_arena_t *arena,
    const pay_psp_event_t *made, pay_psp_told_t *told);
static pay_status_t paypal_fee(pay_arena_t *arena, pay_str_t id,
    pay_str_t reference, const pay_json_t *fee, int sign,
    pay_psp_told_t *told);
static const paypal_news_t *paypal_news(const paypal_news_t *rows,
    const pay_json_t *json, const char *member);


static const paypal_after_t  paypal_afters[] = {
    { "PAYMENT.CAPTURE.COMPLETED", paypal_capture },
    { "PAYMENT.CAPTURE.DECLINED", paypal_declined },
    { "PAYMENT.CAPTURE.DENIED", paypal_declined },
    { "CHECKOUT.PAYMENT-APPROVAL.REVERSED", paypal_reversed },
    { "PAYMENT.CAPTURE.REFUNDED", paypal_refund },
    { "PAYMENT.REFUND.PENDING", paypal_refund },
    { "PAYMENT.REFUND.FAILED", paypal_refund },
    { "CUSTOMER.DISPUTE.CREATED", paypal_dispute },
    { "CUSTOMER.DISPUTE.UPDATED", paypal_dispute },
    { "CUSTOMER.DISPUTE.RESOLVED", paypal_dispute },
    { NULL, NULL }
};

static const paypal_news_t  paypal_refunds[] = {
    { "COMPLETED", PAY_NEWS_SUCCEEDED },
    { "PENDING", PAY_NEWS_PENDING },
    { "FAILED", PAY_NEWS_FAILED },
    { "CANCELLED", PAY_NEWS_FAILED },
    { NULL, PAY_NEWS_PENDING }
};

/* Other outcomes do not say who keeps the money. */
static const paypal_news_t  paypal_outcomes[] = {
    { "RESOLVED_BUYER_FAVOUR", PAY_NEWS_LOST },
    { "RESOLVED_SELLER_FAVOUR", PAY_NEWS_WON },
    { "CANCELED_BY_BUYER", PAY_NEWS_WON },
    { NULL, PAY_NEWS_PENDING }
};

static const paypal_news_t  paypal_stages[] = {
    { "CHARGEBACK", PAY_NEWS_OPENED },
    { "PRE_ARBITRATION", PAY_NEWS_OPENED },
    { "ARBITRATION", PAY_NEWS_OPENED },
    { NULL, PAY_NEWS_PENDING }
};


pay_status_t
pay_paypal_listed(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_json_t *entry, pay_psp_told_t *told, pay_err_t *err)
{
    pay_str_t     type;
    pay_status_t  status;

    PAY_TRY(pay_paypal_event(arena, account, entry, told, err));

    if (pay_json_string(pay_json_get(entry, "event_type"), &type) != PAY_OK) {
        return PAY_OK;
    }

    status = paypal_after(arena, type, pay_json_get(entry, "resource"), told);

    /* the hint is as good as before */
    return (status == PAY_INVALID || status == PAY_NOT_FOUND) ? PAY_OK
                                                              : status;
}


static pay_status_t
paypal_after(pay_arena_t *arena, pay_str_t type, const pay_json_t *resource,
    pay_psp_told_t *told)
{
    const paypal_after_t  *row;

    for (row = paypal_afters; row->type != NULL; row++) {
        if (pay_str_is(type, row->type)) {
            return row->read(arena, resource, told);
        }
    }

    return PAY_OK;
}


/* The money itself is asked for; only its fee is told. */
static pay_status_t
paypal_capture(pay_arena_t *arena, const pay_json_t *resource,
    pay_psp_told_t *told)
{
    pay_str_t  id;

    PAY_TRY(pay_psp_token_get(arena, resource, "id", &id));

    return paypal_fee(arena, id, id,
                      pay_json_path(resource, "seller_receivable_breakdown",
                                    "paypal_fee", NULL), 1, told);
}


static pay_status_t
paypal_declined(pay_arena_t *arena, const pay_json_t *resource,
    pay_psp_told_t *told)
{
    pay_psp_event_t  made;

    memset(&made, 0, sizeof(made));
    PAY_TRY(pay_psp_token_get(arena, resource, "id", &made.object));
    PAY_TRY(pay_paypal_why(arena, resource, &made.code));

    return paypal_attempt(arena, &made, told);
}


static pay_status_t
paypal_reversed(pay_arena_t *arena, const pay_json_t *resource,
    pay_psp_told_t *told)
{
    pay_psp_event_t  made;

    (void) resource;

    memset(&made, 0, sizeof(made));
    made.code = PAY_STR("approval_reversed");

    return paypal_attempt(arena, &made, told);
}


/* Of the order that the hint names. */
static pay_status_t
paypal_attempt(pay_arena_t *arena, const pay_psp_event_t *made,
    pay_psp_told_t *told)
{
    pay_psp_event_t  attempt = *made;

    if (told->events[0].token.len == 0) {
        return PAY_OK;
    }

    attempt.fact = PAY_FACT_ATTEMPT;
    attempt.token = told->events[0].token;

    return paypal_tell(arena, &attempt, told);
}


static pay_status_t
paypal_refund(pay_arena_t *arena, const pay_json_t *resource,
    pay_psp_told_t *told)
{
    pay_str_t             operation;
    pay_psp_event_t       made;
    const paypal_news_t  *row = paypal_news(paypal_refunds, resource,
                                            "status");

    memset(&made, 0, sizeof(made));
    PAY_TRY(pay_psp_token_get(arena, resource, "id", &made.object));
    PAY_TRY(paypal_up(arena, resource, &made.reference));
    PAY_TRY(pay_paypal_money_in(arena, pay_json_get(resource, "amount"),
                                &made));

    if (row->word == NULL || !made.has_amount) {
        return PAY_OK;
    }

    pay_psp_about(&made, PAY_ABOUT_REFUND, row->news);
    PAY_TRY(pay_psp_word_get(arena, pay_json_get(resource, "status_details"),
                             "reason", &made.code));

    if (pay_json_string(pay_json_get(resource, "custom_id"), &operation)
        == PAY_OK)
    {
        PAY_TRY(pay_psp_operation(arena, operation, &made.operation));
    }

    PAY_TRY(paypal_tell(arena, &made, told));

    return (row->news == PAY_NEWS_SUCCEEDED)
           ? paypal_fee(arena, made.object, made.reference,
                        pay_json_path(resource, "seller_payable_breakdown",
                                      "paypal_fee", NULL), -1, told)
           : PAY_OK;
}


/* The capture that was refunded stands in a link alone. */
static pay_status_t
paypal_up(pay_arena_t *arena, const pay_json_t *resource, pay_str_t *capture)
{
    size_t             i, k, len = strlen(PAYPAL_PATH);
    pay_str_t          href;
    const pay_json_t  *links = pay_json_get(resource, "links");

    for (i = 0; i < pay_json_size(links); i++) {
        if (!pay_paypal_is(pay_json_at(links, i), "rel", "up")
            || pay_json_string(pay_json_get(pay_json_at(links, i), "href"),
                               &href) != PAY_OK)
        {
            continue;
        }

        for (k = 0; k + len < href.len; k++) {
            if (memcmp(href.data + k, PAYPAL_PATH, len) == 0) {
                href.data += k + len;
                href.len -= k + len;

                return pay_psp_token_is_valid(href)
                       ? pay_dup(arena, href, capture) : PAY_NOT_FOUND;
            }
        }
    }

    return PAY_NOT_FOUND;
}


/* An inquiry takes no money; what is agreed on in one is a refund. */
static pay_status_t
paypal_dispute(pay_arena_t *arena, const pay_json_t *resource,
    pay_psp_told_t *told)
{
    pay_psp_event_t       made;
    const pay_json_t     *outcome, *disputed;
    const paypal_news_t  *row = paypal_news(paypal_stages, resource,
                                            "dispute_life_cycle_stage");

    if (row->word == NULL) {
        return PAY_OK;
    }

    memset(&made, 0, sizeof(made));
    PAY_TRY(pay_psp_token_get(arena, resource, "dispute_id", &made.object));

    disputed = pay_json_get(resource, "disputed_transactions");
    PAY_TRY(pay_psp_token_get(arena, pay_json_at(disputed, 0),
                              "seller_transaction_id", &made.reference));
    PAY_TRY(pay_paypal_money_in(arena,
                                pay_json_get(resource, "dispute_amount"),
                                &made));
    PAY_TRY(pay_psp_word_get(arena, resource, "reason", &made.code));

    if (pay_paypal_is(resource, "status", "RESOLVED")) {
        outcome = pay_json_get(resource, "dispute_outcome");
        row = paypal_news(paypal_outcomes, outcome, "outcome_code");
    }

    if (row->word == NULL || !made.has_amount
        || pay_json_size(disputed) != 1)
    {
        return PAY_OK;
    }

    pay_psp_about(&made, PAY_ABOUT_DISPUTE, row->news);

    return paypal_tell(arena, &made, told);
}


/* One event more than the webhook tells. */
static pay_status_t
paypal_tell(pay_arena_t *arena, const pay_psp_event_t *made,
    pay_psp_told_t *told)
{
    pay_str_t         event_id;
    pay_psp_event_t  *event, first = told->events[0];

    PAY_TRY(pay_psp_key(arena, first.event_id, ":listed", PAY_PSP_TOKEN_MAX,
                        &event_id));

    event = pay_psp_told_add(told);
    *event = *made;
    event->event_id = event_id;
    event->type = first.type;

    return PAY_OK;
}


/* A refund's is given back. */
static pay_status_t
paypal_fee(pay_arena_t *arena, pay_str_t id, pay_str_t reference,
    const pay_json_t *fee, int sign, pay_psp_told_t *told)
{
    unsigned         before = told->count;
    pay_psp_event_t  amount;

    memset(&amount, 0, sizeof(amount));
    PAY_TRY(pay_paypal_money_in(arena, fee, &amount));

    if (!amount.has_amount) {
        return PAY_OK;
    }

    PAY_TRY(pay_psp_fee_add(arena, id, sign * amount.amount_minor,
                            amount.currency, told));

    if (told->count > before) {
        told->events[before].reference = reference;
    }

    return PAY_OK;
}


static const paypal_news_t *
paypal_news(const paypal_news_t *rows, const pay_json_t *json,
    const char *member)
{
    while (rows->word != NULL && !pay_paypal_is(json, member, rows->word)) {
        rows++;
    }

    return rows;
}
