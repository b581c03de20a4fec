/*
 * Stripe's report "payout reconciliation, itemized": CSV, amounts in major
 * units, gross and net signed, a fee positive when it was charged.  The file
 * tells no total of its own; a payout that stands in it as a row must come to
 * zero with the others.  The reports of balance changes, which Stripe has for
 * payouts that are not automatic, have the same columns but the payout's.
 *
 * A charge and its payout, of the columns that are read (the whole file is
 * tests/fixtures/settle/stripe/report-payout.csv):
 *
 *    balance_transaction_id  source_id  gross   fee   net    category  payout
 *    txn_a                   ch_1       12.00   0.30  11.70  charge    po_1
 *    txn_p                   po_1      -11.70   0.00 -11.70  payout    po_1
 *
 * balance_transaction_id is the row's key, and source_id the psp_ref; the
 * payment_intent_id is the parent_ref where Stripe gives it.
 */

#include "settle/stripe.h"


/* Indexes of stripe_columns. */
enum {
    STRIPE_ID = 0, STRIPE_CREATED_UTC, STRIPE_CREATED, STRIPE_AVAILABLE_UTC,
    STRIPE_AVAILABLE, STRIPE_CURRENCY, STRIPE_GROSS, STRIPE_FEE, STRIPE_NET,
    STRIPE_CATEGORY, STRIPE_SOURCE, STRIPE_INTENT, STRIPE_CHARGE,
    STRIPE_PAYOUT, STRIPE_PAID, STRIPE_PAID_CURRENCY, STRIPE_DESCRIPTION,
    STRIPE_REFERENCE, STRIPE_RATE
};


static pay_status_t stripe_record(pay_settle_reader_t *reader,
    const pay_settle_record_t *record);
static pay_status_t stripe_times(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, pay_settle_row_t *row);
static pay_status_t stripe_amounts(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, const pay_currency_t *currency,
    pay_settle_row_t *row);
static pay_status_t stripe_paid(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, pay_settle_row_t *row);
static pay_status_t stripe_amount(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, unsigned column,
    const pay_currency_t *currency, int64_t *minor);


static const pay_settle_column_t  stripe_columns[] = {
    [STRIPE_ID] = { "balance_transaction_id", 1 },
    [STRIPE_CREATED_UTC] = { "created_utc", 0 },
    [STRIPE_CREATED] = { "created", 0 },
    [STRIPE_AVAILABLE_UTC] = { "available_on_utc", 0 },
    [STRIPE_AVAILABLE] = { "available_on", 0 },
    [STRIPE_CURRENCY] = { "currency", 1 },
    [STRIPE_GROSS] = { "gross", 1 },
    [STRIPE_FEE] = { "fee", 1 },
    [STRIPE_NET] = { "net", 1 },
    [STRIPE_CATEGORY] = { "reporting_category", 1 },
    [STRIPE_SOURCE] = { "source_id", 1 },
    [STRIPE_INTENT] = { "payment_intent_id", 0 },
    [STRIPE_CHARGE] = { "charge_id", 0 },
    [STRIPE_PAYOUT] = { "automatic_payout_id", 0 },
    [STRIPE_PAID] = { "customer_facing_amount", 0 },
    [STRIPE_PAID_CURRENCY] = { "customer_facing_currency", 0 },
    [STRIPE_DESCRIPTION] = { "description", 0 },
    [STRIPE_REFERENCE] = { "payment_metadata[" PAY_STRIPE_METADATA "]", 0 },
    [STRIPE_RATE] = { "exchange_rate", 0 },
    { NULL, 0 }
};

const pay_settle_format_t  pay_settle_stripe_csv = {
    .name = "stripe",
    .medium = "csv",
    .lexer = &pay_settle_csv,
    .columns = stripe_columns,
    .record = stripe_record
};


/* The payout's own row may have no automatic_payout_id; its source is the
 * payout. */
static pay_status_t
stripe_record(pay_settle_reader_t *reader, const pay_settle_record_t *record)
{
    pay_settle_row_t         row;
    const pay_currency_t    *currency;
    pay_settle_statement_t  *payout;

    pay_settle_row_init(reader, &row);

    PAY_TRY(pay_settle_currency(reader, "currency",
                                pay_settle_field(record, STRIPE_CURRENCY),
                                &currency));
    PAY_TRY(stripe_amounts(reader, record, currency, &row));
    PAY_TRY(stripe_paid(reader, record, &row));
    PAY_TRY(stripe_times(reader, record, &row));

    row.row_key = pay_settle_field(record, STRIPE_ID);
    row.raw_type = pay_settle_field(record, STRIPE_CATEGORY);
    row.kind = pay_settle_stripe_kind(row.raw_type, PAY_STR(""),
                                      row.net_minor);
    row.psp_ref = pay_settle_field(record, STRIPE_SOURCE);
    row.parent_ref = pay_settle_field(record, STRIPE_INTENT);
    row.our_ref = pay_settle_field(record, STRIPE_REFERENCE);
    row.payout_ref = pay_settle_field(record, STRIPE_PAYOUT);
    row.rate = pay_settle_field(record, STRIPE_RATE);
    row.note = pay_settle_clip(pay_settle_field(record, STRIPE_DESCRIPTION));

    if (row.parent_ref.len == 0) {
        row.parent_ref = pay_settle_field(record, STRIPE_CHARGE);
    }

    if (row.kind == PAY_SETTLE_PAYOUT && row.payout_ref.len == 0) {
        row.payout_ref = row.psp_ref;
    }

    pay_settle_stripe_move(&row);

    PAY_TRY(pay_settle_statement_of(reader, row.payout_ref, PAY_STR(""),
                                    currency, &payout, &row.statement));

    if (row.kind == PAY_SETTLE_PAYOUT) {
        payout->has |= PAY_SETTLE_HAS_NET;
    }

    return pay_settle_emit(reader, &row);
}


/* Without "_utc" the times are in the zone that the report was asked for,
 * which the file does not tell.  Such a text is kept without an instant.
 * booked_on is the day at which the money becomes available, since that is
 * when it is in the payout. */
static pay_status_t
stripe_times(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    pay_settle_row_t *row)
{
    int        is_utc;
    pay_str_t  created, day;

    created = pay_settle_field(record, STRIPE_CREATED_UTC);
    is_utc = created.len != 0;

    if (!is_utc) {
        created = pay_settle_field(record, STRIPE_CREATED);
    }

    if (created.len == 0) {
        return pay_settle_refuse(reader,
                                 record->place[STRIPE_CREATED_UTC] >= 0
                                 || record->place[STRIPE_CREATED] >= 0
                                 ? "field-empty" : "column-missing",
                                 "created_utc",
                                 "a time in this column or in \"created\"");
    }

    PAY_TRY(pay_settle_occurred(reader, "created_utc", created,
                                is_utc ? PAY_STR("UTC") : PAY_STR(""), row));

    day = pay_settle_field(record, STRIPE_AVAILABLE_UTC);

    if (day.len == 0) {
        day = pay_settle_field(record, STRIPE_AVAILABLE);
    }

    if (day.len < 10) {
        day = created;
    }

    row->booked_on = (pay_str_t) { 10, day.data };

    return pay_settle_is_day(row->booked_on)
           ? PAY_OK : pay_settle_refuse(reader, "time-invalid",
                                        "available_on_utc",
                                        "a time such as 2026-11-20 10:00:00");
}


/* Stripe's fee is positive when it is charged, ours negative. */
static pay_status_t
stripe_amounts(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    const pay_currency_t *currency, pay_settle_row_t *row)
{
    int64_t  fee;

    memcpy(row->currency, currency->code, sizeof(row->currency));

    PAY_TRY(stripe_amount(reader, record, STRIPE_GROSS, currency,
                          &row->gross_minor));
    PAY_TRY(stripe_amount(reader, record, STRIPE_FEE, currency, &fee));
    PAY_TRY(stripe_amount(reader, record, STRIPE_NET, currency,
                          &row->net_minor));

    row->fee_minor = -fee;

    return PAY_OK;
}


/* Only where the customer paid in another currency than the balance has. */
static pay_status_t
stripe_paid(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    pay_settle_row_t *row)
{
    const pay_currency_t  *currency;

    if (pay_settle_field(record, STRIPE_PAID_CURRENCY).len == 0) {
        return PAY_OK;
    }

    PAY_TRY(pay_settle_currency(reader, "customer_facing_currency",
                                pay_settle_field(record,
                                                 STRIPE_PAID_CURRENCY),
                                &currency));

    if (memcmp(currency->code, row->currency, 3) == 0) {
        return PAY_OK;
    }

    memcpy(row->paid_currency, currency->code, sizeof(row->paid_currency));

    return stripe_amount(reader, record, STRIPE_PAID, currency,
                         &row->paid_minor);
}


/* Major units with a point; see pay_settle_unit_stripe_csv. */
static pay_status_t
stripe_amount(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    unsigned column, const pay_currency_t *currency, int64_t *minor)
{
    return pay_settle_amount_at(reader, &pay_settle_unit_stripe_csv, record,
                                column, currency, minor);
}
