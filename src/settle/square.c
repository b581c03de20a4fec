/*
 * Square's payouts: GET /v2/payouts/{id} and the pages of its payout entries,
 * one answer after the other.  Amounts are ISO 4217 minor units.  The entries
 * of a BATCH come to the payout; a SIMPLE one has none and tells nothing but
 * its amount.
 *
 * The file, shortened (tests/fixtures/settle/square/payout.json):
 *
 *    {"payout":{"id":"po_sq1","location_id":"L1","type":"BATCH",
 *     "amount_money":{"amount":650,"currency":"USD"},"payout_fee":[…],
 *     "end_to_end_id":"e2e-1", …}}
 *    {"payout_entries":[
 *      {"id":"poe_1","payout_id":"po_sq1","type":"CHARGE",
 *       "gross_amount_money":{…},"fee_amount_money":{…},
 *       "net_amount_money":{…},"type_charge_details":{"payment_id":"pay_1"}},
 *      …],"cursor":"next-page"}
 *    {"payout_entries":[ … ]}
 *
 * end_to_end_id is the reference that the bank statement repeats (bank_ref).
 */

#include "settle/settle.h"


#define SQUARE_FEES  16                /* of one payout */

/* Fees of a payout, the taxes on them, and both: indexes of their sums. */
enum { SQUARE_FEE = 0, SQUARE_TAX, SQUARE_BOTH, SQUARE_SUMS };

/* A fee of the payout as a whole, in minor units. */
typedef struct {
    int64_t  minor;
    char     type[64];
} square_fee_t;

/* The payout as far as it has been read; entries may come before it. */
typedef struct {
    char                   id[PAY_SETTLE_ID_MAX + 1];
    char                   location[PAY_SETTLE_ID_MAX + 1];
    char                   bank_ref[PAY_SETTLE_ID_MAX + 1];
    char                   created[64];
    char                   day[11];
    int64_t                amount;
    const pay_currency_t  *currency;   /* NULL: no payout object yet */
    int                    is_simple;
    int                    has_page;
    int                    has_more;   /* behind the last page */
    unsigned               fee_count;
    square_fee_t           fees[SQUARE_FEES];
    int                    is_listed[SQUARE_SUMS];   /* among the entries */
    int64_t                rest[SQUARE_SUMS];  /* `fees`, less the entries */
} square_t;


static pay_status_t square_item(pay_settle_reader_t *reader, const char *list,
    const pay_json_t *item);
static pay_status_t square_entry(pay_settle_reader_t *reader,
    const pay_json_t *item);
static pay_status_t square_listed(pay_settle_reader_t *reader,
    const pay_json_t *item, const pay_settle_row_t *row);
static pay_status_t square_count(pay_settle_reader_t *reader, unsigned sum,
    int64_t minor);
static pay_status_t square_amounts(pay_settle_reader_t *reader,
    const pay_json_t *item, const pay_currency_t **currency,
    pay_settle_row_t *row);
static pay_status_t square_money(pay_settle_reader_t *reader,
    const pay_json_t *item, const char *member,
    const pay_currency_t **currency, int64_t *minor);
static pay_status_t square_texts(pay_settle_reader_t *reader,
    const pay_json_t *item, pay_settle_row_t *row);
static pay_settle_kind_t square_kind(pay_str_t type, int64_t net);
static pay_status_t square_detail(pay_str_t name, const pay_json_t *value,
    void *data);
static pay_status_t square_document(pay_settle_reader_t *reader,
    const pay_json_t *rest);
static pay_status_t square_payout(pay_settle_reader_t *reader,
    const pay_json_t *object);
static pay_status_t square_payout_fees(pay_settle_reader_t *reader,
    const pay_json_t *list);
static unsigned square_sum(const square_fee_t *fee);
static pay_status_t square_finish(pay_settle_reader_t *reader);
static pay_status_t square_rows(pay_settle_reader_t *reader, square_t *state,
    pay_settle_statement_t *payout, unsigned index);
static int square_is_listed(const square_t *state, const square_fee_t *fee);


static const char *const  square_lists[] = {
    "payout_entries", "payouts", NULL
};

/* PayoutEntry types (developer.squareup.com); loans, savings, payroll and gift
 * cards are unknown rows. */
static const pay_settle_word_t  square_types[] = {
    { "CHARGE", PAY_SETTLE_SALE },
    { "REFUND", PAY_SETTLE_REFUND },
    { "DISPUTE", PAY_SETTLE_DISPUTE },
    { "OPEN_DISPUTE", PAY_SETTLE_DISPUTE },
    { "FEE", PAY_SETTLE_FEE },
    { "PROCESSING_FEE", PAY_SETTLE_FEE },
    { "PROCESSING_FEE_REFUND", PAY_SETTLE_FEE },
    { "APP_FEE_REVENUE", PAY_SETTLE_FEE },
    { "APP_FEE_REFUND", PAY_SETTLE_FEE },
    { "THIRD_PARTY_FEE", PAY_SETTLE_FEE },
    { "THIRD_PARTY_FEE_REFUND", PAY_SETTLE_FEE },
    { "DEPOSIT_FEE", PAY_SETTLE_FEE },
    { "DEPOSIT_FEE_REVERSED", PAY_SETTLE_FEE },
    { "TAX_ON_FEE", PAY_SETTLE_TAX },
    { "RESERVE_HOLD", PAY_SETTLE_WITHHELD },
    { "RESERVE_RELEASE", PAY_SETTLE_RELEASED },
    { "HOLD_ADJUSTMENT", PAY_SETTLE_WITHHELD },
    { "RELEASE_ADJUSTMENT", PAY_SETTLE_RELEASED },
    { "RETURNED_PAYOUT", PAY_SETTLE_PAYOUT_RETURNED },
    { "MONEY_TRANSFER", PAY_SETTLE_TRANSFER },
    { "INITIAL_BALANCE_CHANGE", PAY_SETTLE_ADJUSTMENT },
    { "ADJUSTMENT", PAY_SETTLE_ADJUSTMENT },
    { "OTHER_ADJUSTMENT", PAY_SETTLE_ADJUSTMENT },
    { NULL, PAY_SETTLE_UNKNOWN }
};

const pay_settle_format_t  pay_settle_square = {
    .name = "square",
    .medium = "json",
    .lexer = &pay_settle_json,
    .state_size = sizeof(square_t),
    .lists = square_lists,
    .item = square_item,
    .document = square_document,
    .finish = square_finish
};


static pay_status_t
square_item(pay_settle_reader_t *reader, const char *list,
    const pay_json_t *item)
{
    return strcmp(list, "payouts") == 0 ? square_payout(reader, item)
                                        : square_entry(reader, item);
}


/* The first entry names the payout where its object comes later; all others
 * must name the same. */
static pay_status_t
square_entry(pay_settle_reader_t *reader, const pay_json_t *item)
{
    square_t                *state = reader->state;
    pay_settle_row_t         row;
    const pay_currency_t    *currency;
    pay_settle_statement_t  *payout;

    pay_settle_row_init(reader, &row);

    PAY_TRY(square_amounts(reader, item, &currency, &row));
    PAY_TRY(square_texts(reader, item, &row));

    if (state->id[0] == '\0') {
        PAY_TRY(pay_settle_keep_member(reader, item, "payout_id", state->id,
                                       sizeof(state->id)));

    } else if (!pay_str_is(row.payout_ref, state->id)) {
        return pay_settle_refuse(reader, "payout-foreign", "payout_id",
                                 "entries of one payout");
    }

    PAY_TRY(square_listed(reader, item, &row));

    row.account = pay_str_of(state->location);
    PAY_TRY(pay_settle_statement_of(reader, row.payout_ref, PAY_STR(""),
                                    currency, &payout, &row.statement));

    return pay_settle_emit(reader, &row);
}


/* A fee of this payout, which its object states, too.  A fee for another
 * payout is not meant, nor the tax on the fee of a payment. */
static pay_status_t
square_listed(pay_settle_reader_t *reader, const pay_json_t *item,
    const pay_settle_row_t *row)
{
    square_t   *state = reader->state;
    pay_str_t   of;

    if (pay_str_is(row->raw_type, "DEPOSIT_FEE")) {
        of = pay_settle_string(pay_json_get(item, "type_deposit_fee_details"),
                               "payout_id");

        if (of.len != 0 && !pay_str_is(of, state->id)) {
            return PAY_OK;
        }

        state->is_listed[SQUARE_FEE] = 1;
        return square_count(reader, SQUARE_FEE, row->net_minor);
    }

    if (pay_str_is(row->raw_type, "TAX_ON_FEE") && row->parent_ref.len == 0) {
        state->is_listed[SQUARE_TAX] = 1;
        return square_count(reader, SQUARE_TAX, row->net_minor);
    }

    return PAY_OK;
}


static pay_status_t
square_count(pay_settle_reader_t *reader, unsigned sum, int64_t minor)
{
    square_t  *state = reader->state;

    PAY_TRY(pay_settle_add(reader, &state->rest[sum], minor));

    return pay_settle_add(reader, &state->rest[SQUARE_BOTH], minor);
}


/* Public samples do not agree whether a fee that is charged is positive: net
 * tells.  One of the two signs must fit, else the row does not hold. */
static pay_status_t
square_amounts(pay_settle_reader_t *reader, const pay_json_t *item,
    const pay_currency_t **currency, pay_settle_row_t *row)
{
    int64_t                fee;
    const pay_currency_t  *other;

    PAY_TRY(square_money(reader, item, "net_amount_money", currency,
                         &row->net_minor));
    PAY_TRY(square_money(reader, item, "gross_amount_money", &other,
                         &row->gross_minor));

    if (other != *currency) {
        return pay_settle_refuse(reader, "currency-differs",
                                 "gross_amount_money",
                                 "%s as the net amount", (*currency)->code);
    }

    PAY_TRY(square_money(reader, item, "fee_amount_money", &other, &fee));

    memcpy(row->currency, (*currency)->code, sizeof(row->currency));
    row->fee_minor = row->net_minor - row->gross_minor;

    if (row->fee_minor != fee && row->fee_minor != -fee) {
        return pay_settle_refuse(reader, "row-sum", "net_amount_money",
                                 "gross and fee of this row");
    }

    return PAY_OK;
}


/* Amounts are integers of ISO 4217's minor units. */
static pay_status_t
square_money(pay_settle_reader_t *reader, const pay_json_t *item,
    const char *member, const pay_currency_t **currency, int64_t *minor)
{
    int64_t            theirs;
    pay_str_t          code;
    const pay_json_t  *money = pay_json_get(item, member);

    PAY_TRY(pay_settle_need_string(reader, money, "currency", &code));
    PAY_TRY(pay_settle_currency(reader, member, code, currency));

    /* an amount of 0 may be left out */
    if (pay_json_type(pay_json_get(money, "amount")) == PAY_JSON_NULL) {
        *minor = 0;
        return PAY_OK;
    }

    PAY_TRY(pay_settle_need_integer(reader, money, "amount", &theirs));

    return pay_settle_amount_of(reader, &pay_settle_unit_square, member,
                                theirs, *currency, minor);
}


/* Rows of fees and taxes have their amount moved to where it belongs, so that
 * gross is 0. */
static pay_status_t
square_texts(pay_settle_reader_t *reader, const pay_json_t *item,
    pay_settle_row_t *row)
{
    pay_str_t  effective;

    PAY_TRY(pay_settle_need_string(reader, item, "id", &row->row_key));
    PAY_TRY(pay_settle_need_string(reader, item, "payout_id",
                                   &row->payout_ref));
    PAY_TRY(pay_settle_need_string(reader, item, "type", &row->raw_type));
    PAY_TRY(pay_settle_need_string(reader, item, "effective_at",
                                   &effective));
    PAY_TRY(pay_settle_occurred(reader, "effective_at", effective,
                                PAY_STR(""), row));

    row->booked_on = (pay_str_t) { 10, row->occurred_text.data };

    if (!pay_settle_is_day(row->booked_on)) {
        return pay_settle_refuse(reader, "time-invalid", "effective_at",
                                 "a time such as 2026-11-20T10:00:00Z");
    }

    row->kind = square_kind(row->raw_type, row->net_minor);

    if (row->kind == PAY_SETTLE_TAX) {
        row->tax_minor = row->net_minor;
        row->gross_minor = 0;
        row->fee_minor = 0;

    } else if (row->kind == PAY_SETTLE_FEE) {
        row->fee_minor = row->net_minor;
        row->gross_minor = 0;
    }

    return pay_json_each(item, square_detail, row);
}


/* There is no type for what comes back: a refund that failed, a dispute that
 * was won. */
static pay_settle_kind_t
square_kind(pay_str_t type, int64_t net)
{
    pay_settle_kind_t  kind = pay_settle_word(square_types, type);

    if (kind == PAY_SETTLE_REFUND && net > 0) {
        return PAY_SETTLE_REFUND_RETURNED;
    }

    return (kind == PAY_SETTLE_DISPUTE && net > 0)
           ? PAY_SETTLE_DISPUTE_RETURNED : kind;
}


/* "type_charge_details": {"payment_id": …}, and so on for each type.  The
 * first id that is there names the thing: refund, dispute, else the payment. */
static pay_status_t
square_detail(pay_str_t name, const pay_json_t *value, void *data)
{
    pay_settle_row_t  *row = data;

    if (!pay_settle_starts(name, "type_")
        || pay_json_type(value) != PAY_JSON_OBJECT)
    {
        return PAY_OK;
    }

    row->parent_ref = pay_settle_string(value, "payment_id");
    row->psp_ref = pay_settle_string(value, "refund_id");

    if (row->psp_ref.len == 0) {
        row->psp_ref = pay_settle_string(value, "dispute_id");
    }

    if (row->psp_ref.len == 0) {
        row->psp_ref = row->parent_ref;
    }

    return PAY_OK;
}


/* A cursor says that another page follows; the last document of the list
 * decides. */
static pay_status_t
square_document(pay_settle_reader_t *reader, const pay_json_t *rest)
{
    square_t          *state = reader->state;
    const pay_json_t  *payout = pay_json_get(rest, "payout");

    if (pay_json_type(payout) == PAY_JSON_OBJECT) {
        return square_payout(reader, payout);
    }

    if (pay_json_type(pay_json_get(rest, "payout_entries"))
        == PAY_JSON_ARRAY)
    {
        state->has_page = 1;
        state->has_more = pay_settle_string(rest, "cursor").len != 0;
        return PAY_OK;
    }

    if (pay_json_type(pay_json_get(rest, "payouts")) == PAY_JSON_ARRAY) {
        return PAY_OK;
    }

    /* the last page of a payout without entries is an empty object */
    if (pay_json_size(rest) == 0) {
        state->has_page = 1;
        return PAY_OK;
    }

    return pay_settle_refuse(reader, "object-unknown", "",
                             "payout or payout_entries");
}


/* The location is the account of the source. */
static pay_status_t
square_payout(pay_settle_reader_t *reader, const pay_json_t *object)
{
    pay_str_t           id;
    square_t           *state = reader->state;
    pay_settle_when_t   when;

    PAY_TRY(pay_settle_need_string(reader, object, "id", &id));

    if (state->currency != NULL
        || (state->id[0] != '\0' && !pay_str_is(id, state->id)))
    {
        return pay_settle_refuse(reader, "payout-doubled", "id",
                                 "one payout and its entries");
    }

    PAY_TRY(square_money(reader, object, "amount_money", &state->currency,
                         &state->amount));
    PAY_TRY(pay_settle_keep_member(reader, object, "id", state->id,
                                   sizeof(state->id)));
    PAY_TRY(pay_settle_keep_member(reader, object, "location_id",
                                   state->location, sizeof(state->location)));
    PAY_TRY(pay_settle_keep_member(reader, object, "end_to_end_id",
                                   state->bank_ref, sizeof(state->bank_ref)));
    PAY_TRY(pay_settle_keep_member(reader, object, "created_at",
                                   state->created, sizeof(state->created)));
    PAY_TRY(square_payout_fees(reader, pay_json_get(object, "payout_fee")));

    if (pay_settle_when(pay_str_of(state->created), &when) != PAY_OK) {
        return pay_settle_refuse(reader, "time-invalid", "created_at",
                                 "a time such as 2026-11-20T10:00:00Z");
    }

    memcpy(state->day, when.day, sizeof(state->day));
    state->is_simple = pay_str_is(pay_settle_string(object, "type"),
                                  "SIMPLE");

    if (reader->options.account.len != 0
        && !pay_str_is(reader->options.account, state->location))
    {
        return pay_settle_refuse(reader, "account-foreign", "location_id",
                                 "no location but the source's");
    }

    return PAY_OK;
}


/* Kept until the end, because only the sums tell whether they are in the
 * entries.  The limit is that of square_t. */
static pay_status_t
square_payout_fees(pay_settle_reader_t *reader, const pay_json_t *list)
{
    size_t                 n;
    square_t              *state = reader->state;
    square_fee_t          *fee;
    const pay_currency_t  *currency;

    if (pay_json_size(list) > SQUARE_FEES) {
        return pay_settle_refuse(reader, "too-many", "payout_fee",
                                 "at most %d fees", SQUARE_FEES);
    }

    for (n = 0; n < pay_json_size(list); n++) {
        fee = &state->fees[state->fee_count++];
        PAY_TRY(square_money(reader, pay_json_at(list, n), "amount_money",
                             &currency, &fee->minor));
        PAY_TRY(pay_settle_keep_member(reader, pay_json_at(list, n), "type",
                                       fee->type, sizeof(fee->type)));

        if (currency != state->currency) {
            return pay_settle_refuse(reader, "currency-differs", "payout_fee",
                                     "%s as the payout",
                                     state->currency->code);
        }

        PAY_TRY(square_count(reader, square_sum(fee), fee->minor));
    }

    return PAY_OK;
}


/* TAX_ON_TRANSFER_FEE beside TRANSFER_FEE. */
static unsigned
square_sum(const square_fee_t *fee)
{
    return pay_settle_starts(pay_str_of(fee->type), "TAX_") ? SQUARE_TAX
                                                            : SQUARE_FEE;
}


/* A SIMPLE payout has no entries, so only its amount is known and the verdict
 * is UNDECLARED. */
static pay_status_t
square_finish(pay_settle_reader_t *reader)
{
    unsigned                 index;
    square_t                *state = reader->state;
    pay_settle_statement_t  *payout;

    if (state->currency == NULL) {
        return pay_settle_refuse(reader, "payout-missing", "payout",
                                 "the payout of these entries");
    }

    if (!state->is_simple && (!state->has_page || state->has_more)) {
        return pay_settle_refuse(reader, "pages-missing", "cursor",
                                 "pages up to the last");
    }

    PAY_TRY(pay_settle_statement_of(reader, pay_str_of(state->id), PAY_STR(""),
                                    state->currency, &payout, &index));

    return square_rows(reader, state, payout, index);
}


/* The payout, and its fees: these are either taken from the payout, or apart
 * from it; the sums tell.  A fee that is apart is marked external, so that it
 * is in no sum.  One that stands among the entries is a row already. */
static pay_status_t
square_rows(pay_settle_reader_t *reader, square_t *state,
    pay_settle_statement_t *payout, unsigned index)
{
    int                is_apart = payout->net == state->amount
                                  || state->is_simple;
    unsigned           n;
    pay_str_t          parts[3];
    pay_settle_row_t   row;

    reader->scratch_len = 0;

    for (n = 0; n <= state->fee_count; n++) {
        if (n < state->fee_count && is_apart
            && square_is_listed(state, &state->fees[n]))
        {
            continue;
        }

        pay_settle_row_init(reader, &row);
        PAY_TRY(pay_settle_occurred(reader, "created_at",
                                    pay_str_of(state->created), PAY_STR(""),
                                    &row));

        row.statement = index;
        row.payout_ref = pay_str_of(state->id);
        row.psp_ref = pay_str_of(state->id);
        row.bank_ref = pay_str_of(state->bank_ref);
        row.booked_on = pay_str_of(state->day);
        row.account = pay_str_of(state->location);
        memcpy(row.currency, state->currency->code, sizeof(row.currency));

        if (n == state->fee_count) {
            row.kind = PAY_SETTLE_PAYOUT;
            row.raw_type = PAY_STR("payout");
            row.row_key = pay_str_of(state->id);
            row.gross_minor = -state->amount;
            row.net_minor = -state->amount;
            PAY_TRY(pay_settle_emit(reader, &row));
            continue;
        }

        parts[0] = pay_str_of(state->id);
        parts[1] = PAY_STR("/fee/");
        PAY_TRY(pay_settle_number(reader, n + 1, &parts[2]));
        PAY_TRY(pay_settle_join(reader, "payout_fee", PAY_SETTLE_KEY_MAX,
                                &row.row_key, parts, 3));

        row.kind = PAY_SETTLE_FEE;
        row.raw_type = pay_str_of(state->fees[n].type);
        row.is_external = is_apart;
        row.fee_minor = -state->fees[n].minor;
        row.net_minor = -state->fees[n].minor;
        PAY_TRY(pay_settle_emit(reader, &row));
    }

    if (!state->is_simple) {
        payout->has |= PAY_SETTLE_HAS_PAYOUT;
        payout->said_payout = state->amount;
    }

    return PAY_OK;
}


/* 1 when the entries have this fee: they come to the fees, to the taxes, or to
 * both together, where one entry may be both. */
static int
square_is_listed(const square_t *state, const square_fee_t *fee)
{
    unsigned  sum = square_sum(fee);

    return (state->is_listed[sum] && state->rest[sum] == 0)
           || (state->is_listed[SQUARE_FEE] && state->rest[SQUARE_BOTH] == 0);
}
