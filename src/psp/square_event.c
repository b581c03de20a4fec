/*
 * Square's webhooks: payment.created and payment.updated report the state of
 * one payment of an order; all other events (orders, payouts) are stored
 * without a fact.
 *   COMPLETED           paid: total_money, the amount that a tender of the
 *                       order will have
 *   APPROVED, PENDING   the money is under way
 *   FAILED              no fact: the link stays open and the buyer may try
 *                       again with another card; the order ends when its link
 *                       is deleted
 *   CANCELED            a hint: the order shows whether a tender is left
 * Refunds and disputes name the payment, never our order or change: a refund
 * has no member for an id of ours.  Inquiries take no money and are not
 * reported.  Square sends the payments of all its tills: those without an order
 * or of another location are not ours.
 */

#include "psp/square.h"


/* Fees of one payment or refund that are booked; more are left out. */
#define SQUARE_FEES_MAX  8

typedef pay_status_t (*square_read_pt)(pay_arena_t *arena,
    const pay_json_t *object, pay_psp_told_t *told);

/* A type of event, the object in it and its reader.  An object without its
 * state is no event of Square. */
typedef struct {
    const char      *type;
    const char      *object;   /* in data.object */
    const char      *state;    /* the member that it has in any case */
    square_read_pt   read;
} square_type_t;


static pay_status_t square_paid(pay_arena_t *arena, const pay_json_t *payment,
    pay_psp_told_t *told);
static pay_status_t square_card(pay_arena_t *arena,
    const pay_json_t *payment, pay_psp_card_t *said);
static void square_declined(pay_psp_event_t *event);
static int square_is_ours(const pay_psp_account_t *account,
    const pay_json_t *object);
static pay_status_t square_refund(pay_arena_t *arena, const pay_json_t *refund,
    pay_psp_told_t *told);
static pay_status_t square_dispute(pay_arena_t *arena,
    const pay_json_t *dispute, pay_psp_told_t *told);
static pay_status_t square_object(pay_arena_t *arena, const pay_json_t *object,
    pay_str_t payment_id, pay_psp_event_t *event);
static pay_status_t square_fees(pay_arena_t *arena, const pay_json_t *object,
    pay_str_t id, pay_psp_told_t *told);
static pay_status_t square_fee(pay_arena_t *arena, const pay_json_t *fee,
    pay_str_t id, pay_psp_told_t *told);


static const square_type_t  square_types[] = {
    { "payment.created", "payment", "status", square_paid },
    { "payment.updated", "payment", "status", square_paid },
    { "refund.created", "refund", "status", square_refund },
    { "refund.updated", "refund", "status", square_refund },
    { "dispute.created", "dispute", "state", square_dispute },
    { "dispute.state.updated", "dispute", "state", square_dispute },
    { NULL, NULL, NULL, NULL }
};

static const pay_psp_said_t  square_fundings[] = {
    { "CREDIT", "credit" }, { "DEBIT", "debit" }, { NULL, NULL }
};

static const pay_psp_said_t  square_levels[] = {
    { "NORMAL", "normal" }, { "MODERATE", "elevated" }, { "HIGH", "highest" },
    { NULL, NULL }
};

static const pay_psp_news_row_t  square_refunds[] = {
    { "PENDING", PAY_NEWS_PENDING },
    { "COMPLETED", PAY_NEWS_SUCCEEDED },
    { "REJECTED", PAY_NEWS_FAILED },
    { "FAILED", PAY_NEWS_FAILED },
    { NULL, PAY_NEWS_PENDING }
};

static const pay_psp_news_row_t  square_disputes[] = {
    { "EVIDENCE_REQUIRED", PAY_NEWS_OPENED },
    { "PROCESSING", PAY_NEWS_OPENED },
    { "WON", PAY_NEWS_WON },
    { "LOST", PAY_NEWS_LOST },
    { "ACCEPTED", PAY_NEWS_LOST },
    { NULL, PAY_NEWS_PENDING }
};


/* An event of another location is stored without a fact: refusing it would
 * have Square send it again and again. */
pay_status_t
pay_square_event(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_json_t *root, pay_psp_told_t *told, pay_err_t *err)
{
    pay_status_t          status;
    const pay_json_t     *object;
    const square_type_t  *type;

    PAY_TRY(pay_psp_told_open(arena, root, "event_id", "type", told, err));

    for (type = square_types; type->type != NULL; type++) {
        if (pay_psp_is(root, "type", type->type)) {
            break;
        }
    }

    if (type->type == NULL) {
        return PAY_OK;
    }

    object = pay_json_path(root, "data", "object", type->object, NULL);

    if (pay_json_type(pay_json_get(object, type->state)) != PAY_JSON_STRING) {
        return pay_refuse(err, "validation-error", "an object has a state");
    }

    if (!square_is_ours(account, object)) {
        return PAY_OK;
    }

    status = type->read(arena, object, told);

    return (status == PAY_INVALID)
           ? pay_refuse(err, "validation-error",
                        "an object has its id, and an amount")
           : status;
}


/* Fees come with the payment that is completed, each as an event of its own. */
static pay_status_t
square_paid(pay_arena_t *arena, const pay_json_t *payment,
    pay_psp_told_t *told)
{
    pay_psp_event_t  *event = &told->events[0];

    PAY_TRY(pay_square_payment(arena, payment, event));

    if (event->token.len != 0) {
        PAY_TRY(square_card(arena, payment, &event->card));
    }

    if (pay_psp_is(payment, "status", "FAILED") && event->token.len != 0) {
        square_declined(event);
    }

    return (event->fact == PAY_FACT_PAID)
           ? square_fees(arena, payment, event->reference, told) : PAY_OK;
}


static pay_status_t
square_card(pay_arena_t *arena, const pay_json_t *payment,
    pay_psp_card_t *said)
{
    const pay_json_t  *card = pay_json_path(payment, "card_details", "card",
                                            NULL);

    PAY_TRY(pay_psp_token_may(arena, payment, "id", &said->attempt));
    PAY_TRY(pay_psp_card_name(arena, card, "fingerprint", &said->card));
    PAY_TRY(pay_psp_card_bin(arena, card, "bin", &said->bin));
    pay_psp_card_word(square_fundings, card, "card_type", &said->funding);

    if (pay_psp_is(card, "prepaid_type", "PREPAID")) {
        said->funding = PAY_STR("prepaid");
    }

    pay_psp_card_word(square_levels, pay_json_get(payment, "risk_evaluation"),
                      "risk_level", &said->level);

    return PAY_OK;
}


/* The page stays open, and the next attempt is another payment. */
static void
square_declined(pay_psp_event_t *event)
{
    event->fact = PAY_FACT_ATTEMPT;
    event->object = event->reference;
    event->reference = PAY_STR("");
    event->has_amount = 0;
}


/* An object that does not name its location is taken. */
static int
square_is_ours(const pay_psp_account_t *account, const pay_json_t *object)
{
    pay_str_t  location;

    return pay_json_string(pay_json_get(object, "location_id"), &location)
           != PAY_OK
           || pay_str_eq(location, account->account);
}


/* The event names the payment only, so the refund finds its order by that. */
static pay_status_t
square_refund(pay_arena_t *arena, const pay_json_t *refund,
    pay_psp_told_t *told)
{
    pay_str_t                  payment;
    pay_psp_event_t           *event = &told->events[0];
    const pay_psp_news_row_t  *row = pay_psp_news_row(square_refunds, refund,
                                                      "status");

    if (pay_json_string(pay_json_get(refund, "payment_id"), &payment)
        != PAY_OK)
    {
        return PAY_OK;                 /* of no payment of ours */
    }

    PAY_TRY(square_object(arena, refund, payment, event));

    if (row->word != NULL) {
        pay_psp_about(event, PAY_ABOUT_REFUND, row->news);
    }

    if (event->news == PAY_NEWS_FAILED) {
        PAY_TRY(pay_psp_word_get(arena, refund, "status", &event->code));
    }

    return (event->news == PAY_NEWS_SUCCEEDED)
           ? square_fees(arena, refund, event->object, told) : PAY_OK;
}


/* The states of inquiries have no row: they take no money. */
static pay_status_t
square_dispute(pay_arena_t *arena, const pay_json_t *dispute,
    pay_psp_told_t *told)
{
    pay_str_t                  payment;
    pay_psp_event_t           *event = &told->events[0];
    const pay_psp_news_row_t  *row = pay_psp_news_row(square_disputes, dispute,
                                                      "state");

    if (row->word == NULL) {
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


/* Amount and payment are needed: an event about money that names neither is
 * unreadable. */
static pay_status_t
square_object(pay_arena_t *arena, const pay_json_t *object,
    pay_str_t payment_id, pay_psp_event_t *event)
{
    int64_t    minor;
    pay_str_t  currency;

    PAY_TRY(pay_psp_token_need(arena, object, "id", &event->object));
    if (!pay_psp_token_is_valid(payment_id)
        || !pay_square_money(pay_json_get(object, "amount_money"), &minor,
                             &currency))
    {
        return PAY_INVALID;
    }

    PAY_TRY(pay_dup(arena, payment_id, &event->reference));

    return pay_square_amount_in(arena, minor, currency, event);
}


/* The index tells the fees of one payment apart; the same fee has the same id
 * in each event that lists it at its place. */
static pay_status_t
square_fees(pay_arena_t *arena, const pay_json_t *object, pay_str_t id,
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
