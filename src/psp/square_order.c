/*
 * How a Square order stands (GET /v2/orders/{id}).  A payment link's order is
 * a DRAFT until the buyer pays, then OPEN, and stays so while its fulfillment
 * is not done, so the state alone proves nothing.  Money is believed when
 *   the state is OPEN or COMPLETED (DRAFT cannot be paid, CANCELED is unpaid),
 *   a tender is captured (cards, pay-later: CAPTURED; banks: COMPLETED; kinds
 *   that have no status, as wallets: once Square says that nothing is due),
 *   none is on its way, and
 *   nothing is due: net_amount_due_money is 0 or, when it is absent, the state
 *   is COMPLETED ("fully paid") or captured tenders reach total_money.
 * The amount is the sum of the captured tenders, so that another sum than the
 * order's lands in the mismatch queue.  CANCELED is told as expired: buyers
 * cannot cancel at Square, and nothing but the deletion of the link does it.
 */

#include "psp/square.h"


typedef enum {
    SQUARE_CAPTURED = 0,
    SQUARE_WAITING,
    SQUARE_DEAD,
    SQUARE_SILENT              /* its kind has no status */
} square_tender_t;

typedef struct {
    const char       *status;
    square_tender_t   tender;
} square_status_t;

typedef struct {
    int64_t    sum[SQUARE_SILENT + 1];
    unsigned   count[SQUARE_SILENT + 1];
    int        odd;            /* an amount cannot be read or added up */
    pay_str_t  currency;
    const pay_json_t  *first;  /* that is not dead */
} square_tally_t;


static pay_status_t square_order(pay_arena_t *arena, const pay_json_t *order,
    pay_psp_event_t *event);
static void square_tally(const pay_json_t *order, square_tally_t *tally);
static void square_tally_add(const pay_json_t *tender, square_tender_t kind,
    square_tally_t *tally);
static square_tender_t square_tender(const pay_json_t *tender);
static int square_nothing_due(const pay_json_t *order, int64_t captured,
    int *said);
static pay_fact_t square_fact(const pay_json_t *order, square_tally_t *tally);
static pay_status_t square_payment_id(pay_arena_t *arena,
    const pay_json_t *tender, pay_str_t *id);


static const char *const  square_details[] = {
    "card_details", "bank_account_details", "buy_now_pay_later_details",
    "square_account_details", NULL
};

static const square_status_t  square_statuses[] = {
    { "CAPTURED", SQUARE_CAPTURED },
    { "COMPLETED", SQUARE_CAPTURED },
    { "AUTHORIZED", SQUARE_WAITING },
    { "PENDING", SQUARE_WAITING },
    { "VOIDED", SQUARE_DEAD },
    { "FAILED", SQUARE_DEAD },
    { NULL, SQUARE_WAITING }           /* a word that we don't know */
};


pay_status_t
pay_square_query_answer(pay_arena_t *arena, pay_str_t token,
    const pay_http_answer_t *answer, pay_psp_event_t *event, int *known)
{
    pay_json_t        *root;
    pay_status_t       status;
    pay_psp_error_t    error;
    pay_psp_event_t    made;

    PAY_TRY(pay_psp_query_open(answer, &root));

    if (root == NULL) {
        *known = 0;
        return PAY_OK;
    }

    memset(&made, 0, sizeof(made));
    memset(&error, 0, sizeof(error));

    status = pay_square_error(arena, root, &error);
    if (status == PAY_OK) {
        status = error.found
                 ? PAY_INVALID
                 : square_order(arena, pay_json_get(root, "order"), &made);
    }

    pay_json_free(root);

    return pay_psp_query_done(status, token, &made, event, known);
}


pay_square_echo_t
pay_square_echo_text(const pay_json_t *json, const char *member,
    pay_str_t expected)
{
    pay_str_t          text;
    const pay_json_t  *value;

    value = pay_json_get(json, member);

    if (value == NULL || pay_json_type(value) == PAY_JSON_NULL) {
        return PAY_SQUARE_RIGHT;
    }

    if (pay_json_string(value, &text) != PAY_OK) {
        return PAY_SQUARE_INVALID;
    }

    return pay_str_eq(text, expected) ? PAY_SQUARE_RIGHT : PAY_SQUARE_WRONG;
}


pay_square_echo_t
pay_square_echo_money(const pay_json_t *json, const char *member,
    const pay_currency_t *currency, int64_t minor)
{
    int64_t            amount;
    pay_str_t          code;
    const pay_json_t  *value;

    value = pay_json_get(json, member);

    if (value == NULL || pay_json_type(value) == PAY_JSON_NULL) {
        return PAY_SQUARE_RIGHT;
    }

    if (!pay_square_money(value, &amount, &code)) {
        return PAY_SQUARE_INVALID;
    }

    return (amount == minor && pay_str_is(code, currency->code))
           ? PAY_SQUARE_RIGHT : PAY_SQUARE_WRONG;
}


int
pay_square_is(const pay_json_t *json, const char *member, const char *text)
{
    pay_str_t  value;

    return pay_json_string(pay_json_get(json, member), &value) == PAY_OK
           && pay_str_is(value, text);
}


int
pay_square_money(const pay_json_t *json, int64_t *minor, pay_str_t *currency)
{
    size_t     i;
    int64_t    amount;
    pay_str_t  code;

    if (pay_json_integer(pay_json_get(json, "amount"), &amount) != PAY_OK
        || pay_json_string(pay_json_get(json, "currency"), &code) != PAY_OK
        || code.len != 3)
    {
        return 0;
    }

    for (i = 0; i < code.len; i++) {
        if (code.data[i] < 'A' || code.data[i] > 'Z') {
            return 0;
        }
    }

    *minor = amount;
    *currency = code;

    return 1;
}


pay_status_t
pay_square_amount_in(pay_arena_t *arena, int64_t minor, pay_str_t currency,
    pay_psp_event_t *event)
{
    PAY_TRY(pay_dup(arena, currency, &event->currency));

    event->has_amount = 1;
    event->amount_minor = (minor > 0 && minor <= PAY_AMOUNT_MAX_MINOR)
                          ? minor : 0;

    return PAY_OK;
}


/* PAY_INVALID when it is no order, or paid without a readable amount. */
static pay_status_t
square_order(pay_arena_t *arena, const pay_json_t *order,
    pay_psp_event_t *event)
{
    int64_t          minor;
    pay_str_t        currency;
    pay_status_t     status;
    square_tally_t   tally;

    status = pay_psp_token_get(arena, order, "id", &event->token);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_INVALID : status;
    }

    PAY_TRY(pay_psp_word_get(arena, order, "state", &event->type));

    square_tally(order, &tally);
    event->fact = square_fact(order, &tally);

    if (tally.first != NULL) {
        PAY_TRY(square_payment_id(arena, tally.first, &event->reference));
    }

    if (event->fact == PAY_FACT_PAID && tally.currency.len == 0) {
        return PAY_INVALID;
    }

    if (event->fact == PAY_FACT_PAID) {
        return pay_square_amount_in(arena,
                                    tally.odd ? 0 : tally.sum[SQUARE_CAPTURED],
                                    tally.currency, event);
    }

    if (!pay_square_money(pay_json_get(order, "total_money"), &minor,
                          &currency))
    {
        return PAY_OK;
    }

    return pay_square_amount_in(arena, minor, currency, event);
}


static void
square_tally(const pay_json_t *order, square_tally_t *tally)
{
    size_t             i;
    const pay_json_t  *tenders, *tender;

    memset(tally, 0, sizeof(*tally));
    tenders = pay_json_get(order, "tenders");

    for (i = 0; (tender = pay_json_at(tenders, i)) != NULL; i++) {
        square_tally_add(tender, square_tender(tender), tally);
    }
}


static void
square_tally_add(const pay_json_t *tender, square_tender_t kind,
    square_tally_t *tally)
{
    int64_t    minor;
    pay_str_t  currency;

    tally->count[kind]++;

    if (kind == SQUARE_DEAD) {
        return;
    }

    if (tally->first == NULL) {
        tally->first = tender;
    }

    if (!pay_square_money(pay_json_get(tender, "amount_money"), &minor,
                          &currency)
        || minor < 0
        || (tally->currency.len && !pay_str_eq(tally->currency, currency))
        || pay_amount_add(tally->sum[kind], minor, &tally->sum[kind], NULL)
           != PAY_OK)
    {
        tally->odd = 1;
        return;
    }

    tally->currency = currency;
}


static square_tender_t
square_tender(const pay_json_t *tender)
{
    pay_str_t               text;
    const pay_json_t       *status;
    const char *const      *details;
    const square_status_t  *row;

    if (pay_square_is(tender, "type", "NO_SALE")) {
        return SQUARE_DEAD;
    }

    for (details = square_details; *details != NULL; details++) {
        status = pay_json_path(tender, *details, "status", NULL);

        if (pay_json_string(status, &text) != PAY_OK) {
            continue;
        }

        for (row = square_statuses; row->status != NULL; row++) {
            if (pay_str_is(text, row->status)) {
                break;
            }
        }

        return row->tender;
    }

    return SQUARE_SILENT;
}


/* *said: Square itself says so, by the amount that is due or by the state. */
static int
square_nothing_due(const pay_json_t *order, int64_t captured, int *said)
{
    int64_t            minor;
    pay_str_t          currency;
    const pay_json_t  *due;

    due = pay_json_get(order, "net_amount_due_money");

    if (due != NULL && pay_json_type(due) != PAY_JSON_NULL) {
        *said = pay_square_money(due, &minor, &currency) && minor <= 0;
        return *said;
    }

    *said = pay_square_is(order, "state", "COMPLETED");

    return *said
           || (pay_square_money(pay_json_get(order, "total_money"), &minor,
                                &currency)
               && captured >= minor);
}


static pay_fact_t
square_fact(const pay_json_t *order, square_tally_t *tally)
{
    int  said, nothing_due;

    if (pay_square_is(order, "state", "CANCELED")) {
        return PAY_FACT_EXPIRED;
    }

    if (!pay_square_is(order, "state", "OPEN")
        && !pay_square_is(order, "state", "COMPLETED"))
    {
        return PAY_FACT_NONE;
    }

    nothing_due = square_nothing_due(order, tally->sum[SQUARE_CAPTURED],
                                     &said);

    if (said) {
        tally->count[SQUARE_CAPTURED] += tally->count[SQUARE_SILENT];
        tally->odd |= pay_amount_add(tally->sum[SQUARE_CAPTURED],
                                     tally->sum[SQUARE_SILENT],
                                     &tally->sum[SQUARE_CAPTURED], NULL)
                      != PAY_OK;
        tally->count[SQUARE_SILENT] = 0;
    }

    if (tally->count[SQUARE_WAITING] || tally->count[SQUARE_SILENT]) {
        return PAY_FACT_PENDING;
    }

    return (nothing_due && tally->count[SQUARE_CAPTURED] > 0)
           ? PAY_FACT_PAID : PAY_FACT_NONE;
}


/* A tender's id is its payment's. */
static pay_status_t
square_payment_id(pay_arena_t *arena, const pay_json_t *tender, pay_str_t *id)
{
    pay_status_t  status;

    status = pay_psp_token_get(arena, tender, "payment_id", id);
    if (status == PAY_NOT_FOUND) {
        status = pay_psp_token_get(arena, tender, "id", id);
    }

    return (status == PAY_NOT_FOUND) ? PAY_OK : status;
}
