/*
 * Stripe's API: the payout object and the pages of
 * GET /v1/balance_transactions?payout=po_…, one answer after the other, the
 * payout best first.  Amounts are Stripe's minor units.  The payout's
 * amount must be the sum of its rows, and its last page must be there.
 *
 * The file, shortened (tests/fixtures/settle/stripe/payout.json):
 *
 *    {"id":"po_1","object":"payout","amount":650,"currency":"eur",
 *     "balance_transaction":"txn_p","trace_id":{"value":"TRACE123"}, …}
 *    {"object":"list","has_more":true,"data":[
 *      {"id":"txn_a","amount":1200,"fee":30,"net":1170,"type":"charge",
 *       "source":{"id":"ch_1","payment_intent":"pi_1","metadata":{…}}}, …]}
 *    {"object":"list","has_more":false,"data":[ … ]}
 *
 * `source` is an id unless the call has asked Stripe to expand it; only then
 * payment, reference and the amount in the customer's currency are known.
 */

#include "settle/stripe.h"


/* The payout as far as it has been read.  `transaction` is the id of its own
 * row, `trace` the reference that the bank statement repeats. */
typedef struct {
    char                   id[PAY_SETTLE_ID_MAX + 1];
    char                   transaction[PAY_SETTLE_ID_MAX + 1];
    char                   trace[PAY_SETTLE_ID_MAX + 1];
    char                   day[11];
    int64_t                amount;
    int64_t                created_s;
    const pay_currency_t  *currency;   /* NULL: no payout object yet */
    int                    has_row;    /* the list holds the payout's own */
    int                    has_page;
    int                    has_more;   /* behind the last page */
} stripe_t;


static pay_status_t stripe_item(pay_settle_reader_t *reader, const char *list,
    const pay_json_t *item);
static pay_status_t stripe_transaction(pay_settle_reader_t *reader,
    const pay_json_t *item);
static pay_status_t stripe_texts(pay_settle_reader_t *reader,
    const pay_json_t *item, pay_settle_row_t *row);
static void stripe_source(const pay_json_t *source, pay_settle_row_t *row);
static pay_status_t stripe_paid(pay_settle_reader_t *reader,
    const pay_json_t *item, pay_settle_row_t *row);
static int stripe_is_whole(const pay_json_t *source, const pay_json_t *item,
    pay_settle_kind_t kind);
static int stripe_mirrors(const pay_json_t *source, const pay_json_t *item);
static pay_status_t stripe_rate(pay_settle_reader_t *reader,
    const pay_json_t *item, pay_settle_row_t *row);
static pay_status_t stripe_amounts(pay_settle_reader_t *reader,
    const pay_json_t *item, const pay_currency_t *currency,
    pay_settle_row_t *row);
static pay_status_t stripe_document(pay_settle_reader_t *reader,
    const pay_json_t *rest);
static pay_status_t stripe_payout(pay_settle_reader_t *reader,
    const pay_json_t *object);
static pay_status_t stripe_day(pay_settle_reader_t *reader, int64_t unix_s,
    pay_str_t *day);
static pay_status_t stripe_finish(pay_settle_reader_t *reader);
static pay_status_t stripe_payout_row(pay_settle_reader_t *reader,
    stripe_t *state);


static const char *const  stripe_lists[] = { "data", NULL };

const pay_settle_format_t  pay_settle_stripe_json = {
    .name = "stripe",
    .medium = "json",
    .lexer = &pay_settle_json,
    .state_size = sizeof(stripe_t),
    .lists = stripe_lists,
    .item = stripe_item,
    .document = stripe_document,
    .finish = stripe_finish
};


/* A payout may be an element of a list, too. */
static pay_status_t
stripe_item(pay_settle_reader_t *reader, const char *list,
    const pay_json_t *item)
{
    pay_str_t  object = pay_settle_string(item, "object");

    (void) list;

    if (pay_str_is(object, "payout")) {
        return stripe_payout(reader, item);
    }

    if (!pay_str_is(object, "balance_transaction")) {
        return pay_settle_refuse(reader, "object-unknown", "object",
                                 "balance_transaction");
    }

    return stripe_transaction(reader, item);
}


/* The rows have no id of the payout: all rows of the file are of one. */
static pay_status_t
stripe_transaction(pay_settle_reader_t *reader, const pay_json_t *item)
{
    int64_t                  created;
    pay_str_t                code, balance;
    stripe_t                *state = reader->state;
    pay_settle_row_t         row;
    const pay_currency_t    *currency;
    pay_settle_statement_t  *payout;

    pay_settle_row_init(reader, &row);

    PAY_TRY(pay_settle_need_string(reader, item, "currency", &code));
    PAY_TRY(pay_settle_currency(reader, "currency", code, &currency));
    PAY_TRY(stripe_amounts(reader, item, currency, &row));
    PAY_TRY(stripe_texts(reader, item, &row));
    PAY_TRY(pay_settle_need_integer(reader, item, "created", &created));
    PAY_TRY(pay_settle_occurred_unix(reader, "created", created, &row));

    if (pay_json_integer(pay_json_get(item, "available_on"), &created)
        == PAY_OK)
    {
        PAY_TRY(stripe_day(reader, created, &row.booked_on));
    }

    /* balances for other ends than payments are not this one */
    balance = pay_settle_string(item, "balance_type");
    row.is_external = balance.len != 0 && !pay_str_is(balance, "payments");

    if (row.kind == PAY_SETTLE_PAYOUT) {
        state->has_row = 1;
        row.bank_ref = pay_str_of(state->trace);

        if (state->id[0] == '\0') {
            PAY_TRY(pay_settle_keep(reader, "id", row.psp_ref, state->id,
                                    sizeof(state->id)));
        }
    }

    row.payout_ref = pay_str_of(state->id);
    pay_settle_stripe_move(&row);

    PAY_TRY(pay_settle_statement_of(reader, PAY_STR(""), PAY_STR(""),
                                    currency, &payout, &row.statement));

    return pay_settle_emit(reader, &row);
}


/* The reporting category is the stabler word; the type is kept where it says
 * more. */
static pay_status_t
stripe_texts(pay_settle_reader_t *reader, const pay_json_t *item,
    pay_settle_row_t *row)
{
    pay_str_t  type;

    PAY_TRY(pay_settle_need_string(reader, item, "id", &row->row_key));
    PAY_TRY(pay_settle_need_string(reader, item, "type", &type));

    row->raw_type = pay_settle_string(item, "reporting_category");
    row->kind = pay_settle_stripe_kind(row->raw_type, type, row->net_minor);

    if (row->raw_type.len == 0 || row->kind == PAY_SETTLE_UNKNOWN) {
        row->raw_type = type;
    }

    row->note = pay_settle_clip(pay_settle_string(item, "description"));
    stripe_source(pay_json_get(item, "source"), row);
    PAY_TRY(stripe_rate(reader, item, row));

    return stripe_paid(reader, item, row);
}


/* An id, or the object itself when the call asked to expand it. */
static void
stripe_source(const pay_json_t *source, pay_settle_row_t *row)
{
    const pay_json_t  *parent;

    if (pay_json_type(source) != PAY_JSON_OBJECT) {
        if (pay_json_string(source, &row->psp_ref) != PAY_OK) {
            row->psp_ref = PAY_STR("");
        }

        return;
    }

    row->psp_ref = pay_settle_string(source, "id");
    row->our_ref = pay_settle_string(pay_json_get(source, "metadata"),
                                     PAY_STRIPE_METADATA);

    parent = pay_json_get(source, "payment_intent");
    if (pay_json_type(parent) != PAY_JSON_STRING) {
        parent = pay_json_get(source, "charge");
    }

    if (pay_json_string(parent, &row->parent_ref) != PAY_OK) {
        row->parent_ref = PAY_STR("");
    }
}


/* Only where the customer paid in another currency than the balance has.  The
 * source has no sign: it is that of the row. */
static pay_status_t
stripe_paid(pay_settle_reader_t *reader, const pay_json_t *item,
    pay_settle_row_t *row)
{
    int64_t                theirs;
    const pay_json_t      *source = pay_json_get(item, "source");
    const pay_currency_t  *currency;

    if (row->gross_minor == 0 || !stripe_is_whole(source, item, row->kind)) {
        return PAY_OK;
    }

    PAY_TRY(pay_settle_currency(reader, "source.currency",
                                pay_settle_string(source, "currency"),
                                &currency));

    if (memcmp(currency->code, row->currency, 3) == 0) {
        return PAY_OK;
    }

    PAY_TRY(pay_settle_need_integer(reader, source, "amount", &theirs));
    PAY_TRY(pay_settle_amount_of(reader, &pay_settle_unit_stripe_json,
                                 "source.amount", theirs, currency,
                                 &row->paid_minor));
    memcpy(row->paid_currency, currency->code, sizeof(row->paid_currency));

    if (row->gross_minor < 0) {
        row->paid_minor = -row->paid_minor;
    }

    return PAY_OK;
}


/* 1 when the row is of the source's whole amount.  Of a charge that was
 * captured in part, and of a dispute of which a part comes back, nobody tells
 * the amount in the customer's currency: such a row waits for an operator. */
static int
stripe_is_whole(const pay_json_t *source, const pay_json_t *item,
    pay_settle_kind_t kind)
{
    int64_t    amount, captured;
    pay_str_t  object;

    if (pay_json_type(source) != PAY_JSON_OBJECT
        || pay_json_integer(pay_json_get(source, "amount"), &amount) != PAY_OK
        || amount <= 0 || pay_settle_string(source, "currency").len == 0)
    {
        return 0;
    }

    object = pay_settle_string(source, "object");

    if (pay_str_is(object, "charge")) {
        return (kind == PAY_SETTLE_SALE || kind == PAY_SETTLE_SALE_RETURNED)
               && (pay_json_integer(pay_json_get(source, "amount_captured"),
                                    &captured) != PAY_OK
                   || captured == amount);
    }

    if (pay_str_is(object, "refund")) {
        return kind == PAY_SETTLE_REFUND || kind == PAY_SETTLE_SALE_RETURNED
               || kind == PAY_SETTLE_REFUND_RETURNED;
    }

    return pay_str_is(object, "dispute")
           && (kind == PAY_SETTLE_DISPUTE
               || (kind == PAY_SETTLE_DISPUTE_RETURNED
                   && stripe_mirrors(source, item)));
}


/* 1 when the dispute has taken just the amount that comes back with `item`;
 * it lists the rows of both. */
static int
stripe_mirrors(const pay_json_t *source, const pay_json_t *item)
{
    size_t             n;
    int64_t            amount, other;
    const pay_json_t  *list = pay_json_get(source, "balance_transactions");

    if (pay_json_integer(pay_json_get(item, "amount"), &amount) != PAY_OK) {
        return 0;
    }

    for (n = 0; n < pay_json_size(list); n++) {
        if (pay_json_integer(pay_json_get(pay_json_at(list, n), "amount"),
                             &other) == PAY_OK
            && other < 0 && other + amount == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* The parser gives a number, of which fifteen digits are sure to be as they
 * were written; nothing is computed with it. */
static pay_status_t
stripe_rate(pay_settle_reader_t *reader, const pay_json_t *item,
    pay_settle_row_t *row)
{
    char               text[] = "0000000000000000.000000000000";
    char              *at = text + sizeof(text) - 1;
    double             rate;
    int64_t            value, unit = INT64_C(1000000000000);
    pay_str_t          part;
    const pay_json_t  *said = pay_json_get(item, "exchange_rate");

    if (pay_json_integer(said, &value) == PAY_OK) {
        rate = (double) value;

    } else if (pay_json_real(said, &rate) != PAY_OK) {
        return PAY_OK;
    }

    if (!(rate > 0 && rate < 1e9)) {
        return PAY_OK;
    }

    while (rate * (double) unit >= 1e15) {
        unit /= 10;
    }

    /* twelve decimals, those that are not sure are zeros */
    value = (int64_t) (rate * (double) unit + 0.5);

    for (; unit < INT64_C(1000000000000); unit *= 10) {
        *--at = '0';
    }

    for (; at > text; value /= 10) {
        at -= at[-1] == '.' ? 2 : 1;
        *at = (char) ('0' + value % 10);
    }

    part = pay_str_of(text);

    while (part.data[part.len - 1] == '0' && part.data[part.len - 2] != '.') {
        part.len--;
    }

    while (part.data[0] == '0' && part.data[1] != '.') {
        part.data++;
        part.len--;
    }

    return pay_settle_join(reader, "exchange_rate", PAY_SETTLE_TEXT_MAX,
                           &row->rate, &part, 1);
}


/* Three integers in Stripe's minor units; the fee is turned. */
static pay_status_t
stripe_amounts(pay_settle_reader_t *reader, const pay_json_t *item,
    const pay_currency_t *currency, pay_settle_row_t *row)
{
    size_t    i;
    int64_t   theirs;
    int64_t  *ours[] = { &row->gross_minor, &row->fee_minor,
                         &row->net_minor };

    static const char *const  members[] = { "amount", "fee", "net" };

    memcpy(row->currency, currency->code, sizeof(row->currency));

    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        PAY_TRY(pay_settle_need_integer(reader, item, members[i], &theirs));
        PAY_TRY(pay_settle_amount_of(reader, &pay_settle_unit_stripe_json,
                                     members[i], theirs, currency, ours[i]));
    }

    row->fee_minor = -row->fee_minor;

    return PAY_OK;
}


/* The last page counts: has_more of an earlier one is answered by the pages
 * that follow. */
static pay_status_t
stripe_document(pay_settle_reader_t *reader, const pay_json_t *rest)
{
    pay_str_t  object = pay_settle_string(rest, "object");
    stripe_t  *state = reader->state;

    if (pay_str_is(object, "payout")) {
        return stripe_payout(reader, rest);
    }

    if (!pay_str_is(object, "list")
        || pay_json_type(pay_json_get(rest, "data")) != PAY_JSON_ARRAY)
    {
        return pay_settle_refuse(reader, "object-unknown", "object",
                                 "payout or list");
    }

    state->has_page = 1;
    state->has_more = pay_json_is_true(pay_json_get(rest, "has_more"));

    return PAY_OK;
}


/* One payout in a file: two would have to share the rows. */
static pay_status_t
stripe_payout(pay_settle_reader_t *reader, const pay_json_t *object)
{
    int64_t    theirs, arrival;
    pay_str_t  id, code, day = pay_string("");
    stripe_t  *state = reader->state;

    PAY_TRY(pay_settle_need_string(reader, object, "id", &id));

    if (state->currency != NULL
        || (state->id[0] != '\0' && !pay_str_is(id, state->id)))
    {
        return pay_settle_refuse(reader, "payout-doubled", "id",
                                 "one payout and its rows");
    }

    PAY_TRY(pay_settle_need_string(reader, object, "currency", &code));
    PAY_TRY(pay_settle_currency(reader, "currency", code, &state->currency));
    PAY_TRY(pay_settle_need_integer(reader, object, "amount", &theirs));
    PAY_TRY(pay_settle_amount_of(reader, &pay_settle_unit_stripe_json,
                                 "amount", theirs, state->currency,
                                 &state->amount));
    PAY_TRY(pay_settle_need_integer(reader, object, "created",
                                    &state->created_s));
    PAY_TRY(pay_settle_need_integer(reader, object, "arrival_date",
                                    &arrival));
    PAY_TRY(stripe_day(reader, arrival, &day));
    memcpy(state->day, day.data, day.len);

    PAY_TRY(pay_settle_keep_member(reader, object, "balance_transaction",
                                   state->transaction,
                                   sizeof(state->transaction)));
    PAY_TRY(pay_settle_keep_member(reader, pay_json_get(object, "trace_id"),
                                   "value", state->trace,
                                   sizeof(state->trace)));

    return pay_settle_keep(reader, "id", id, state->id, sizeof(state->id));
}


/* The text lies in the scratch until the next record. */
static pay_status_t
stripe_day(pay_settle_reader_t *reader, int64_t unix_s, pay_str_t *day)
{
    if (!pay_settle_day_of(unix_s, reader->scratch + reader->scratch_len)) {
        return pay_settle_refuse(reader, "time-invalid", "available_on",
                                 "seconds since 1970");
    }

    *day = (pay_str_t) { 10, reader->scratch + reader->scratch_len };
    reader->scratch_len += 10;

    return PAY_OK;
}


/* Other currencies of the file have no payout of their own; where they have
 * such a row, they come to zero with it. */
static pay_status_t
stripe_finish(pay_settle_reader_t *reader)
{
    unsigned                 n;
    stripe_t                *state = reader->state;
    pay_settle_statement_t  *statement;

    if (!state->has_page || state->has_more) {
        return pay_settle_refuse(reader, "pages-missing", "has_more",
                                 "pages up to the last");
    }

    if (state->currency != NULL && !state->has_row) {
        PAY_TRY(stripe_payout_row(reader, state));
    }

    for (n = 0; n < reader->statements; n++) {
        statement = pay_settle_at(reader, n);
        memcpy(statement->id, state->id, sizeof(statement->id));

        if (state->currency != NULL
            && memcmp(statement->currency, state->currency->code, 3) == 0)
        {
            statement->has |= PAY_SETTLE_HAS_PAYOUT;
            statement->said_payout = state->amount;

        } else if (statement->payouts != 0) {
            statement->has |= PAY_SETTLE_HAS_NET;
        }
    }

    return PAY_OK;
}


/* The list has been asked for without it, or Stripe leaves it out. */
static pay_status_t
stripe_payout_row(pay_settle_reader_t *reader, stripe_t *state)
{
    pay_settle_row_t         row;
    pay_settle_statement_t  *statement;

    reader->scratch_len = 0;
    pay_settle_row_init(reader, &row);
    PAY_TRY(pay_settle_occurred_unix(reader, "created", state->created_s,
                                     &row));

    row.row_key = pay_str_of(state->transaction[0] != '\0'
                             ? state->transaction : state->id);
    row.kind = PAY_SETTLE_PAYOUT;
    row.raw_type = PAY_STR("payout");
    row.psp_ref = pay_str_of(state->id);
    row.payout_ref = pay_str_of(state->id);
    row.bank_ref = pay_str_of(state->trace);
    row.booked_on = pay_str_of(state->day);
    row.gross_minor = -state->amount;
    row.net_minor = -state->amount;
    memcpy(row.currency, state->currency->code, sizeof(row.currency));

    PAY_TRY(pay_settle_statement_of(reader, PAY_STR(""), PAY_STR(""),
                                    state->currency, &statement,
                                    &row.statement));

    return pay_settle_emit(reader, &row);
}
