/*
 * The base of the Square adapter's other files: the head of a call, money,
 * errors, the state of a payment and of an order (GET /v2/orders/{id}).  A
 * payment link's order is a DRAFT until the buyer pays, then OPEN, and stays so
 * while its fulfillment is not done, so the state alone proves nothing.
 *
 * Money is believed when the state is OPEN or COMPLETED (DRAFT cannot be paid,
 * CANCELED is unpaid), a tender is captured (cards, pay-later: CAPTURED; banks:
 * COMPLETED; kinds that have no status, as wallets: once Square says that
 * nothing is due), none is on its way, and nothing is due: net_amount_due_money
 * is 0 or, when it is absent, the state is COMPLETED ("fully paid") or captured
 * tenders reach total_money.  The amount is the sum of the captured tenders, so
 * that another sum than the order's lands in the mismatch queue.  CANCELED is
 * reported as expired: buyers cannot cancel at Square, and nothing but the
 * deletion of the link does it.
 */

#include "psp/square.h"


/* How a tender stands: the money is there, is on its way, will never come, or
 * its kind does not say. */
typedef enum {
    SQUARE_CAPTURED = 0,
    SQUARE_WAITING,
    SQUARE_DEAD,
    SQUARE_SILENT              /* its kind has no status */
} square_tender_t;

/* A word for a tender's status; the last row stands for words that are
 * unknown. */
typedef struct {
    const char       *status;
    square_tender_t   tender;
} square_status_t;

/* Sums and numbers of the tenders by how they stand, in minor units of
 * `currency`. */
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


/* Errors that are no proof that nothing happened. */
static const char *const  square_unsure_codes[] = {
    "idempotency_key_reused", "conflict", "version_mismatch",
    "temporary_error", "internal_server_error", "rate_limited",
    "request_timeout", "bad_gateway", "service_unavailable",
    "gateway_timeout", "delayed_transaction_captured",
    "delayed_transaction_canceled", NULL
};

static const pay_psp_fact_row_t  square_payments[] = {
    { "COMPLETED", PAY_FACT_PAID, 0 },
    { "APPROVED", PAY_FACT_PENDING, 0 },
    { "PENDING", PAY_FACT_PENDING, 0 },
    { "CANCELED", PAY_FACT_NONE, 1 },
    { NULL, PAY_FACT_NONE, 0 }
};

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


/* The version is pinned, so that Square's answers keep their form until this
 * adapter is changed with it. */
pay_status_t
pay_square_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const char *method, const char *path, pay_str_t last,
    pay_http_request_t *request)
{
    PAY_TRY(pay_psp_request_init(arena, account, method, path, last, request));

    pay_psp_field_add(request, "Square-Version", PAY_STR(PAY_SQUARE_VERSION));

    return PAY_OK;
}


pay_status_t
pay_square_set_money(pay_json_t *parent, const char *member,
    const pay_currency_t *currency, int64_t minor)
{
    pay_str_t    code = pay_str_of(currency->code);
    pay_json_t  *money;

    money = pay_json_object_new();
    PAY_TRY(pay_json_set(parent, member, money));
    PAY_TRY(pay_json_set_integer(money, "amount", minor));

    return pay_json_set_string(money, "currency", code);
}


/* Any one error that leaves the outcome open makes the whole answer open,
 * whichever stands first. */
pay_status_t
pay_square_error(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_error_t *error)
{
    size_t             i;
    pay_str_t          code;
    const pay_json_t  *errors, *entry;

    errors = pay_json_get(root, "errors");
    error->found = pay_psp_is_there(root, "errors")
                   && !(pay_json_type(errors) == PAY_JSON_ARRAY
                        && pay_json_size(errors) == 0);
    error->unsure = error->found && pay_json_type(errors) != PAY_JSON_ARRAY;

    for (i = 0; (entry = pay_json_at(errors, i)) != NULL; i++) {
        PAY_TRY(pay_psp_word_get(arena, entry, "code", &code));

        /* API_ERROR: Square's own trouble */
        if (pay_psp_is_one_of(code, square_unsure_codes)
            || pay_psp_is(entry, "category", "API_ERROR"))
        {
            error->unsure = 1;
        }

        if (code.len == 0) {
            PAY_TRY(pay_psp_word_get(arena, entry, "category", &code));
        }

        if (error->code.len == 0) {
            error->code = code;
        }
    }

    error->unsure |= error->code.len == 0;

    return PAY_OK;
}


/* 0: it is no money of Square's.  The range is judged by the callers, since an
 * echo may be compared with any number. */
int
pay_square_money(const pay_json_t *json, int64_t *minor, pay_str_t *currency)
{
    int64_t    amount;
    pay_str_t  code;

    if (pay_json_integer(pay_json_get(json, "amount"), &amount) != PAY_OK
        || pay_json_string(pay_json_get(json, "currency"), &code) != PAY_OK
        || !pay_psp_is_currency(code))
    {
        return 0;
    }

    *minor = amount;
    *currency = code;

    return 1;
}


/* A member that is missing is no contradiction; one that is no money is an
 * answer that cannot be believed. */
pay_psp_echo_t
pay_square_echo_money(const pay_json_t *json, const char *member,
    const pay_currency_t *currency, int64_t minor)
{
    int64_t    amount;
    pay_str_t  code;

    if (!pay_psp_is_there(json, member)) {
        return PAY_PSP_ECHO_RIGHT;
    }

    if (!pay_square_money(pay_json_get(json, member), &amount, &code)) {
        return PAY_PSP_ECHO_INVALID;
    }

    return (amount == minor && pay_str_is(code, currency->code))
           ? PAY_PSP_ECHO_RIGHT : PAY_PSP_ECHO_WRONG;
}


/* An amount out of range becomes 0, which differs from every order's total. */
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


/* A payment without an order was made at a till and is not ours: no fact, and
 * no refusal either. */
pay_status_t
pay_square_payment(pay_arena_t *arena, const pay_json_t *payment,
    pay_psp_event_t *event)
{
    int64_t                    minor;
    pay_str_t                  currency;
    pay_status_t               status;
    const pay_json_t          *errors;
    const pay_psp_fact_row_t  *row = pay_psp_fact_row(square_payments,
                                                      payment);

    status = pay_psp_token_get(arena, payment, "id", &event->reference);
    if (status == PAY_OK) {
        status = pay_psp_token_get(arena, payment, "order_id", &event->token);
    }

    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_OK : status;
    }

    errors = pay_json_path(payment, "card_details", "errors", NULL);
    PAY_TRY(pay_psp_word_get(arena, pay_json_at(errors, 0), "code",
                             &event->code));

    event->fact = row->fact;
    event->must_ask = row->must_ask;

    if (!pay_square_money(pay_json_get(payment, "total_money"), &minor,
                          &currency))
    {
        return (row->fact == PAY_FACT_PAID) ? PAY_INVALID : PAY_OK;
    }

    return pay_square_amount_in(arena, minor, currency, event);
}


/* An error under the status of a success is no order, either. */
pay_status_t
pay_square_order(pay_arena_t *arena, const pay_json_t *root,
    pay_psp_event_t *event)
{
    pay_psp_error_t  error;

    memset(&error, 0, sizeof(error));
    PAY_TRY(pay_square_error(arena, root, &error));

    return error.found
           ? PAY_INVALID
           : square_order(arena, pay_json_get(root, "order"), event);
}


/* PAY_INVALID when it is no order, or paid without a readable amount. */
static pay_status_t
square_order(pay_arena_t *arena, const pay_json_t *order,
    pay_psp_event_t *event)
{
    int64_t          minor;
    pay_str_t        currency;
    square_tally_t   tally;

    PAY_TRY(pay_psp_token_need(arena, order, "id", &event->token));
    PAY_TRY(pay_psp_word_get(arena, order, "state", &event->type));

    square_tally(order, &tally);
    event->fact = square_fact(order, &tally);

    if (tally.first != NULL) {
        /* a tender's id is its payment's */
        PAY_TRY(pay_psp_token_may(arena, tally.first, "id",
                                  &event->reference));
        PAY_TRY(pay_psp_token_may(arena, tally.first, "payment_id",
                                  &event->reference));
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


/* An order may have several tenders, each with a state of its own; the sums
 * say how the order as a whole stands. */
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


/* A tender that cannot be added up makes the sum odd, and the reported amount
 * 0. */
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


/* The status stands in the details of the tender's kind. */
static square_tender_t
square_tender(const pay_json_t *tender)
{
    pay_str_t               text;
    const pay_json_t       *status;
    const char *const      *details;
    const square_status_t  *row;

    if (pay_psp_is(tender, "type", "NO_SALE")) {
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

    if (pay_psp_is_there(order, "net_amount_due_money")) {
        *said = pay_square_money(due, &minor, &currency) && minor <= 0;
        return *said;
    }

    *said = pay_psp_is(order, "state", "COMPLETED");

    return *said
           || (pay_square_money(pay_json_get(order, "total_money"), &minor,
                                &currency)
               && captured >= minor);
}


/* Silent tenders (wallets) count as captured once Square says that nothing is
 * due; before that they are on their way. */
static pay_fact_t
square_fact(const pay_json_t *order, square_tally_t *tally)
{
    int  said, nothing_due;

    if (pay_psp_is(order, "state", "CANCELED")) {
        return PAY_FACT_EXPIRED;
    }

    if (!pay_psp_is(order, "state", "OPEN")
        && !pay_psp_is(order, "state", "COMPLETED"))
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
