/*
 * The generic CSV: our own format for PSPs without an adapter.  Signed
 * amounts with just the currency's decimals, kinds by our words, and a last
 * row "total" for each currency, so that a file that was cut is noticed.
 *
 * docs/settlement-files.md#the-generic-csv has a sample and the list of the
 * columns.
 *
 *    row, row, … ─▶ "total" of each currency ─▶ the end
 */

#include "settle/settle.h"


/* Indexes of generic_columns. */
enum {
    GENERIC_ROW_ID = 0, GENERIC_TYPE, GENERIC_PSP_REF, GENERIC_PARENT_REF,
    GENERIC_OUR_REF, GENERIC_OCCURRED, GENERIC_BOOKED, GENERIC_GROSS,
    GENERIC_FEE, GENERIC_TAX, GENERIC_NET, GENERIC_CURRENCY, GENERIC_PAYOUT,
    GENERIC_NOTE, GENERIC_ACCOUNT, GENERIC_PAID, GENERIC_PAID_CURRENCY,
    GENERIC_RATE
};

/* `totals` counts the rows "total" that have been read: behind the first one
 * only such rows may follow. */
typedef struct {
    int64_t  totals;
} generic_t;


static pay_status_t generic_record(pay_settle_reader_t *reader,
    const pay_settle_record_t *record);
static pay_status_t generic_total(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, const pay_currency_t *currency);
static pay_status_t generic_texts(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, pay_settle_row_t *row);
static pay_status_t generic_amounts(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, const pay_currency_t *currency,
    pay_settle_row_t *row);
static pay_status_t generic_paid(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, pay_settle_row_t *row);
static pay_status_t generic_amount(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, unsigned column,
    const pay_currency_t *currency, int64_t *minor);
static pay_status_t generic_finish(pay_settle_reader_t *reader);


static const pay_settle_column_t  generic_columns[] = {
    [GENERIC_ROW_ID] = { "row_id", 1 },
    [GENERIC_TYPE] = { "type", 1 },
    [GENERIC_PSP_REF] = { "psp_ref", 1 },
    [GENERIC_PARENT_REF] = { "parent_ref", 0 },
    [GENERIC_OUR_REF] = { "our_ref", 0 },
    [GENERIC_OCCURRED] = { "occurred_at", 1 },
    [GENERIC_BOOKED] = { "booked_on", 0 },
    [GENERIC_GROSS] = { "gross", 1 },
    [GENERIC_FEE] = { "fee", 1 },
    [GENERIC_TAX] = { "tax", 0 },
    [GENERIC_NET] = { "net", 1 },
    [GENERIC_CURRENCY] = { "currency", 1 },
    [GENERIC_PAYOUT] = { "payout_id", 0 },
    [GENERIC_NOTE] = { "note", 0 },
    [GENERIC_ACCOUNT] = { "account", 0 },
    [GENERIC_PAID] = { "paid", 0 },
    [GENERIC_PAID_CURRENCY] = { "paid_currency", 0 },
    [GENERIC_RATE] = { "rate", 0 },
    { NULL, 0 }
};

const pay_settle_format_t  pay_settle_generic = {
    .name = "generic",
    .medium = "csv",
    .lexer = &pay_settle_csv,
    .state_size = sizeof(generic_t),
    .columns = generic_columns,
    .record = generic_record,
    .finish = generic_finish
};


/* Rows of one account and currency are one statement, whatever payouts they
 * name: the total at the end is of all of them. */
static pay_status_t
generic_record(pay_settle_reader_t *reader, const pay_settle_record_t *record)
{
    generic_t               *state = reader->state;
    pay_settle_row_t         row;
    const pay_currency_t    *currency;
    pay_settle_statement_t  *statement;

    PAY_TRY(pay_settle_currency(reader, "currency",
                                pay_settle_field(record, GENERIC_CURRENCY),
                                &currency));

    if (pay_str_is(pay_settle_field(record, GENERIC_ROW_ID), "total")) {
        return generic_total(reader, record, currency);
    }

    if (state->totals != 0) {
        return pay_settle_refuse(reader, "row-behind-total", "row_id",
                                 "nothing but totals behind the first total");
    }

    pay_settle_row_init(reader, &row);
    PAY_TRY(generic_texts(reader, record, &row));
    PAY_TRY(generic_amounts(reader, record, currency, &row));
    PAY_TRY(generic_paid(reader, record, &row));

    PAY_TRY(pay_settle_statement_of(reader, PAY_STR(""), row.account,
                                    currency, &statement, &row.statement));

    return pay_settle_emit(reader, &row);
}


/* Its type says how many rows the file has in this currency.  The figures are
 * kept as declared and compared by pay_settle_prove(). */
static pay_status_t
generic_total(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    const pay_currency_t *currency)
{
    size_t                   i;
    int64_t                  rows = 0;
    unsigned                 index;
    pay_str_t                count = pay_settle_field(record, GENERIC_TYPE);
    generic_t               *state = reader->state;
    pay_settle_statement_t  *total;

    for (i = 0; i < count.len && i < 15; i++) {
        if (count.data[i] < '0' || count.data[i] > '9') {
            break;
        }

        rows = rows * 10 + (count.data[i] - '0');
    }

    if (i == 0 || i != count.len) {
        return pay_settle_refuse(reader, "footer-invalid", "type",
                                 "the number of rows");
    }

    PAY_TRY(pay_settle_statement_of(reader, PAY_STR(""),
                                    pay_settle_field(record, GENERIC_ACCOUNT),
                                    currency, &total, &index));

    if (total->has != 0) {
        return pay_settle_refuse(reader, "footer-doubled", "row_id",
                                 "one total of a currency");
    }

    PAY_TRY(generic_amount(reader, record, GENERIC_GROSS, currency,
                           &total->said_gross));
    PAY_TRY(generic_amount(reader, record, GENERIC_FEE, currency,
                           &total->said_fee));
    PAY_TRY(generic_amount(reader, record, GENERIC_NET, currency,
                           &total->said_net));

    total->said_rows = rows;
    total->line = reader->row_line;
    total->has = PAY_SETTLE_HAS_ROWS | PAY_SETTLE_HAS_GROSS
                 | PAY_SETTLE_HAS_FEE | PAY_SETTLE_HAS_NET;
    state->totals++;

    return PAY_OK;
}


/* occurred_at must have an offset: the format is ours, so nothing needs to be
 * guessed. */
static pay_status_t
generic_texts(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    pay_settle_row_t *row)
{
    pay_str_t          occurred;
    pay_settle_when_t  when;

    row->row_key = pay_settle_field(record, GENERIC_ROW_ID);
    row->raw_type = pay_settle_field(record, GENERIC_TYPE);
    row->kind = pay_settle_kind(row->raw_type);
    row->psp_ref = pay_settle_field(record, GENERIC_PSP_REF);
    row->parent_ref = pay_settle_field(record, GENERIC_PARENT_REF);
    row->our_ref = pay_settle_field(record, GENERIC_OUR_REF);
    row->booked_on = pay_settle_field(record, GENERIC_BOOKED);
    row->payout_ref = pay_settle_field(record, GENERIC_PAYOUT);
    row->account = pay_settle_field(record, GENERIC_ACCOUNT);
    row->rate = pay_settle_field(record, GENERIC_RATE);
    row->note = pay_settle_clip(pay_settle_field(record, GENERIC_NOTE));

    if (row->booked_on.len != 0 && !pay_settle_is_day(row->booked_on)) {
        return pay_settle_refuse(reader, "time-invalid", "booked_on",
                                 "a day such as 2026-11-20");
    }

    occurred = pay_settle_field(record, GENERIC_OCCURRED);

    if (pay_settle_when(occurred, &when) != PAY_OK || !when.has_offset) {
        return pay_settle_refuse(reader, "time-invalid", "occurred_at",
                                 "a time such as 2026-11-20T10:00:00Z");
    }

    return pay_settle_occurred(reader, "occurred_at", occurred, PAY_STR(""),
                               row);
}


/* `tax` is the only amount that may be left out. */
static pay_status_t
generic_amounts(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    const pay_currency_t *currency, pay_settle_row_t *row)
{
    memcpy(row->currency, currency->code, sizeof(row->currency));

    PAY_TRY(generic_amount(reader, record, GENERIC_GROSS, currency,
                           &row->gross_minor));
    PAY_TRY(generic_amount(reader, record, GENERIC_FEE, currency,
                           &row->fee_minor));
    PAY_TRY(generic_amount(reader, record, GENERIC_NET, currency,
                           &row->net_minor));

    if (pay_settle_field(record, GENERIC_TAX).len == 0) {
        return PAY_OK;
    }

    return generic_amount(reader, record, GENERIC_TAX, currency,
                          &row->tax_minor);
}


/* The amount that the customer paid, where that was another currency: both
 * fields or neither. */
static pay_status_t
generic_paid(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    pay_settle_row_t *row)
{
    const pay_currency_t  *currency;

    if (pay_settle_field(record, GENERIC_PAID_CURRENCY).len == 0) {
        if (pay_settle_field(record, GENERIC_PAID).len == 0) {
            return PAY_OK;
        }

        PAY_TRY(pay_settle_needed(reader, record, GENERIC_PAID_CURRENCY));
    }

    PAY_TRY(pay_settle_currency(reader, "paid_currency",
                                pay_settle_field(record,
                                                 GENERIC_PAID_CURRENCY),
                                &currency));
    memcpy(row->paid_currency, currency->code, sizeof(row->paid_currency));

    return generic_amount(reader, record, GENERIC_PAID, currency,
                          &row->paid_minor);
}


/* Just the currency's decimals, no more and no fewer: 12.0 EUR is refused,
 * because our own format has one spelling. */
static pay_status_t
generic_amount(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    unsigned column, const pay_currency_t *currency, int64_t *minor)
{
    return pay_settle_amount_at(reader, &pay_settle_unit_generic, record,
                                column, currency, minor);
}


/* A currency without its total may have lost rows with it, so each one must
 * have been declared. */
static pay_status_t
generic_finish(pay_settle_reader_t *reader)
{
    unsigned                       n;
    generic_t                     *state = reader->state;
    const pay_settle_statement_t  *statement;

    if (state->totals == 0) {
        return pay_settle_refuse(reader, "footer-missing", "row_id",
                                 "a last row \"total\"");
    }

    for (n = 0; n < reader->statements; n++) {
        statement = pay_settle_at(reader, n);

        if (!(statement->has & PAY_SETTLE_HAS_ROWS)) {
            return pay_settle_refuse(reader, "footer-missing", "row_id",
                                     "a row \"total\" of %s",
                                     statement->currency);
        }
    }

    return PAY_OK;
}
