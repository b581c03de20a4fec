/*
 * Adyen's settlement details report: CSV, major units without a sign, a debit
 * and a credit column for gross and for net.  A batch of an account comes to
 * zero in each net currency, its payout and its transfer to the next batch
 * included.
 *
 * Signs: credit less debit, whatever the type makes one expect.  Only fees are
 * given as positive costs.
 *
 * A sale of 12.00 with 0.30 of fees, shortened (the file is
 * tests/fixtures/settle/adyen/batch.csv), and where its columns go:
 *
 *    Merchant Account        M1                   account
 *    Psp Reference           PSP1                 parent_ref, the payment
 *    Merchant Reference      ord-1                our_ref
 *    Creation Date           2026-11-20 11:00:00  occurred, in TimeZone CET
 *    Type                    Settled              raw_type and kind
 *    Modification Reference  CAP1                 psp_ref, the capture
 *    Gross Credit (GC)       12.00                gross 1200
 *    Net Credit (NC)         11.70                net 1170
 *    Commission (NC)         0.30                 fee -30
 *    Batch Number            7                    payout_ref, the statement
 */

#include "settle/settle.h"


/* Indexes of adyen_columns, in which the names of the report stand. */
enum {
    ADYEN_ACCOUNT = 0, ADYEN_PSP_REF, ADYEN_OUR_REF, ADYEN_CREATED,
    ADYEN_ZONE, ADYEN_TYPE, ADYEN_MODIFICATION, ADYEN_GROSS_CURRENCY,
    ADYEN_GROSS_DEBIT, ADYEN_GROSS_CREDIT, ADYEN_RATE, ADYEN_NET_CURRENCY,
    ADYEN_NET_DEBIT, ADYEN_NET_CREDIT, ADYEN_COMMISSION, ADYEN_MARKUP,
    ADYEN_SCHEME, ADYEN_INTERCHANGE, ADYEN_FEES, ADYEN_BATCH, ADYEN_BOOKED
};

#define ADYEN_PARTS  7                 /* of a row's key */


static pay_status_t adyen_record(pay_settle_reader_t *reader,
    const pay_settle_record_t *record);
static pay_status_t adyen_texts(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, pay_settle_row_t *row);
static pay_settle_kind_t adyen_kind(pay_str_t type, int64_t net);
static pay_status_t adyen_amounts(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, const pay_currency_t *currency,
    pay_settle_row_t *row);
static pay_status_t adyen_gross(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, const pay_currency_t *currency,
    pay_settle_row_t *row);
static pay_status_t adyen_fees(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, const pay_currency_t *currency,
    int64_t *fees, int *said);
static pay_status_t adyen_sides(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, unsigned debit, unsigned credit,
    const pay_currency_t *currency, int64_t *minor);
static pay_status_t adyen_key(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, pay_settle_row_t *row);
static int adyen_tells_fees(const pay_settle_record_t *record);
static int adyen_has_no_net(const pay_settle_record_t *record);
static int adyen_is_gross(const pay_settle_record_t *record);
static int adyen_is_external(pay_str_t type);


static const pay_settle_column_t  adyen_columns[] = {
    [ADYEN_ACCOUNT] = { "Merchant Account", 1 },
    [ADYEN_PSP_REF] = { "Psp Reference", 1 },
    [ADYEN_OUR_REF] = { "Merchant Reference", 1 },
    [ADYEN_CREATED] = { "Creation Date", 1 },
    [ADYEN_ZONE] = { "TimeZone", 1 },
    [ADYEN_TYPE] = { "Type", 1 },
    [ADYEN_MODIFICATION] = { "Modification Reference", 1 },
    [ADYEN_GROSS_CURRENCY] = { "Gross Currency", 1 },
    [ADYEN_GROSS_DEBIT] = { "Gross Debit (GC)", 1 },
    [ADYEN_GROSS_CREDIT] = { "Gross Credit (GC)", 1 },
    [ADYEN_RATE] = { "Exchange Rate", 0 },
    [ADYEN_NET_CURRENCY] = { "Net Currency", 1 },
    [ADYEN_NET_DEBIT] = { "Net Debit (NC)", 1 },
    [ADYEN_NET_CREDIT] = { "Net Credit (NC)", 1 },
    [ADYEN_COMMISSION] = { "Commission (NC)", 0 },
    [ADYEN_MARKUP] = { "Markup (NC)", 0 },
    [ADYEN_SCHEME] = { "Scheme Fees (NC)", 0 },
    [ADYEN_INTERCHANGE] = { "Interchange (NC)", 0 },
    [ADYEN_FEES] = { "Payment Fees (NC)", 0 },
    [ADYEN_BATCH] = { "Batch Number", 1 },
    [ADYEN_BOOKED] = { "Booking Date", 0 },
    { NULL, 0 }
};

/* Adyen's journal types (docs.adyen.com, settlement details report).  The list
 * is open.  A word that is not here gives a row of kind UNKNOWN, which
 * reconciliation shows to an operator; it is never left out, since its money
 * is in the batch. */
static const pay_settle_word_t  adyen_types[] = {
    { "Settled", PAY_SETTLE_SALE },
    { "SettledExternally", PAY_SETTLE_SALE },
    { "SettledInstallment", PAY_SETTLE_SALE },
    { "SettledReversed", PAY_SETTLE_SALE_RETURNED },
    { "CaptureFailed", PAY_SETTLE_SALE_RETURNED },
    { "SuspendInstallment", PAY_SETTLE_SALE_RETURNED },
    { "Refunded", PAY_SETTLE_REFUND },
    { "RefundedExternally", PAY_SETTLE_REFUND },
    { "RefundedInstallment", PAY_SETTLE_REFUND },
    { "RefundedReversed", PAY_SETTLE_REFUND_RETURNED },
    { "RefundFailed", PAY_SETTLE_REFUND_RETURNED },
    { "RefundNotCleared", PAY_SETTLE_REFUND_RETURNED },
    { "Chargeback", PAY_SETTLE_DISPUTE },
    { "ChargebackExternally", PAY_SETTLE_DISPUTE },
    { "SecondChargeback", PAY_SETTLE_DISPUTE },
    { "ChargebackReversed", PAY_SETTLE_DISPUTE_RETURNED },
    { "ChargebackReversedExternally", PAY_SETTLE_DISPUTE_RETURNED },
    { "Fee", PAY_SETTLE_FEE },
    { "InvoiceDeduction", PAY_SETTLE_FEE },
    { "MiscCosts", PAY_SETTLE_FEE },
    { "PaymentCost", PAY_SETTLE_FEE },
    { "AuthorisationSchemeFee", PAY_SETTLE_FEE },
    { "DepositCorrection", PAY_SETTLE_WITHHELD },
    { "ReserveAdjustment", PAY_SETTLE_WITHHELD },
    { "Balancetransfer", PAY_SETTLE_TRANSFER },
    { "InternalCompanyPayout", PAY_SETTLE_TRANSFER },
    { "MerchantPayout", PAY_SETTLE_PAYOUT },
    { "BankInstructionReturned", PAY_SETTLE_PAYOUT_RETURNED },
    { "PaidOut", PAY_SETTLE_SENT },
    { "PaidOutReversed", PAY_SETTLE_SENT_RETURNED },
    { "MatchedStatement", PAY_SETTLE_ADJUSTMENT },
    { "ManualCorrected", PAY_SETTLE_ADJUSTMENT },
    { "MerchantPayin", PAY_SETTLE_ADJUSTMENT },
    { "MerchantPayinReversed", PAY_SETTLE_ADJUSTMENT },
    { NULL, PAY_SETTLE_UNKNOWN }
};

/* No state: each record stands for itself, and the batch is the statement. */
const pay_settle_format_t  pay_settle_adyen = {
    .name = "adyen",
    .medium = "csv",
    .lexer = &pay_settle_csv,
    .columns = adyen_columns,
    .record = adyen_record
};


/* A batch is one statement for each account and net currency, and must come to
 * zero (HAS_NET with said_net 0): Adyen lists its own payout and transfers
 * among the rows. */
static pay_status_t
adyen_record(pay_settle_reader_t *reader, const pay_settle_record_t *record)
{
    pay_str_t                code;
    pay_settle_row_t         row;
    const pay_currency_t    *currency;
    pay_settle_statement_t  *batch;

    pay_settle_row_init(reader, &row);

    code = pay_settle_field(record, adyen_is_gross(record)
                                    ? ADYEN_GROSS_CURRENCY
                                    : ADYEN_NET_CURRENCY);

    PAY_TRY(pay_settle_currency(reader, "Net Currency", code, &currency));
    PAY_TRY(adyen_amounts(reader, record, currency, &row));
    PAY_TRY(adyen_texts(reader, record, &row));

    if (row.payout_ref.len == 0) {
        return pay_settle_refuse(reader, "field-empty", "Batch Number",
                                 "the number of the batch");
    }

    PAY_TRY(adyen_key(reader, record, &row));
    PAY_TRY(pay_settle_statement_of(reader, row.payout_ref, row.account,
                                    currency, &batch, &row.statement));
    batch->has |= PAY_SETTLE_HAS_NET;

    return pay_settle_emit(reader, &row);
}


/* "Psp Reference" is the payment, "Modification Reference" the capture or
 * refund; a sale without a modification is named by its payment.  The first
 * word of a payout's text (TX1XT) is the one that the bank statement
 * repeats. */
static pay_status_t
adyen_texts(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    pay_settle_row_t *row)
{
    size_t     len;
    pay_str_t  booked;

    row->parent_ref = pay_settle_field(record, ADYEN_PSP_REF);
    row->psp_ref = pay_settle_field(record, ADYEN_MODIFICATION);
    row->our_ref = pay_settle_field(record, ADYEN_OUR_REF);
    row->rate = pay_settle_field(record, ADYEN_RATE);
    row->payout_ref = pay_settle_field(record, ADYEN_BATCH);
    row->account = pay_settle_field(record, ADYEN_ACCOUNT);

    /* without a payment it is no reference but a text: "Transaction Fees
     * June 2026", "TX1XT batch 7, M1" */
    if (row->parent_ref.len == 0) {
        row->note = pay_settle_clip(row->psp_ref);
        row->psp_ref = PAY_STR("");

    } else if (row->psp_ref.len == 0) {
        row->psp_ref = row->parent_ref;
    }

    if (row->kind == PAY_SETTLE_PAYOUT
        || row->kind == PAY_SETTLE_PAYOUT_RETURNED)
    {
        for (len = 0; len < row->note.len && row->note.data[len] != ' ';
             len++)
        {
            /* void */
        }

        row->bank_ref = (pay_str_t) { len, row->note.data };
    }

    booked = pay_settle_field(record, ADYEN_BOOKED);
    if (booked.len < 10) {
        booked = pay_settle_field(record, ADYEN_CREATED);
    }

    PAY_TRY(pay_settle_occurred(reader, "Creation Date",
                                pay_settle_field(record, ADYEN_CREATED),
                                pay_settle_field(record, ADYEN_ZONE), row));

    row->booked_on = (pay_str_t) { 10, booked.data };

    return pay_settle_is_day(row->booked_on)
           ? PAY_OK : pay_settle_refuse(reader, "time-invalid",
                                        "Booking Date",
                                        "a time such as 2026-11-20 10:00:00");
}


/* "CaptureFailed (Sales Day payout)" is a CaptureFailed.  Reserve adjustments
 * go both ways under one word; the sign tells withheld from released. */
static pay_settle_kind_t
adyen_kind(pay_str_t type, int64_t net)
{
    size_t              len;
    pay_settle_kind_t   kind;

    for (len = 0; len + 1 < type.len; len++) {
        if (type.data[len] == ' ' && type.data[len + 1] == '(') {
            type.len = len;
            break;
        }
    }

    kind = pay_settle_word(adyen_types, type);

    return (kind == PAY_SETTLE_WITHHELD && net > 0) ? PAY_SETTLE_RELEASED
                                                    : kind;
}


/* A row of type fee has its amount in net alone; gross stays 0, so that net =
 * gross + fee holds. */
static pay_status_t
adyen_amounts(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    const pay_currency_t *currency, pay_settle_row_t *row)
{
    memcpy(row->currency, currency->code, sizeof(row->currency));

    PAY_TRY(adyen_sides(reader, record, ADYEN_NET_DEBIT, ADYEN_NET_CREDIT,
                        currency, &row->net_minor));

    row->raw_type = pay_settle_field(record, ADYEN_TYPE);
    row->kind = adyen_kind(row->raw_type, row->net_minor);
    row->is_external = adyen_is_external(row->raw_type);

    if (row->kind == PAY_SETTLE_FEE) {
        row->fee_minor = row->net_minor;
        return PAY_OK;
    }

    return adyen_gross(reader, record, currency, row);
}


/* In one currency the fee is the difference of gross and net, and the
 * columns of fees must come to it.  With a conversion gross is the sum of net
 * and these fees, so that the file must have such a column. */
static pay_status_t
adyen_gross(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    const pay_currency_t *currency, pay_settle_row_t *row)
{
    int                    said;
    int64_t                fees, gross;
    pay_str_t              code;
    const pay_currency_t  *other;

    PAY_TRY(adyen_fees(reader, record, currency, &fees, &said));

    code = pay_settle_field(record, ADYEN_GROSS_CURRENCY);

    if (code.len == 0
        || (pay_settle_field(record, ADYEN_GROSS_DEBIT).len == 0
            && pay_settle_field(record, ADYEN_GROSS_CREDIT).len == 0))
    {
        row->fee_minor = -fees;
        row->gross_minor = row->net_minor + fees;
        return PAY_OK;
    }

    PAY_TRY(pay_settle_currency(reader, "Gross Currency", code, &other));
    PAY_TRY(adyen_sides(reader, record, ADYEN_GROSS_DEBIT,
                        ADYEN_GROSS_CREDIT, other, &gross));

    if (other != currency) {
        if (!adyen_tells_fees(record)) {
            return pay_settle_needed(reader, record, ADYEN_FEES);
        }

        memcpy(row->paid_currency, other->code, sizeof(row->paid_currency));
        row->paid_minor = gross;
        row->fee_minor = -fees;
        row->gross_minor = row->net_minor + fees;
        return PAY_OK;
    }

    row->gross_minor = gross;

    /* paid elsewhere, so the file has no net of it; the fees are in the
     * currency of the net amount */
    if (row->is_external && adyen_has_no_net(record)) {
        code = pay_settle_field(record, ADYEN_NET_CURRENCY);

        if (fees != 0 && code.len != 0 && !pay_str_is(code, currency->code)) {
            return pay_settle_refuse(reader, "currency-differs",
                                     "Net Currency",
                                     "%s as the gross amount",
                                     currency->code);
        }

        row->net_minor = gross - fees;
    }

    row->fee_minor = row->net_minor - gross;

    if (said && row->fee_minor != -fees) {
        return pay_settle_refuse(reader, "row-sum", "Net Credit (NC)",
                                 "gross less fees, %lld in minor units",
                                 (long long) (gross - fees));
    }

    return PAY_OK;
}


/* One column holds the total in newer files; the four others may be empty
 * then. */
static pay_status_t
adyen_fees(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    const pay_currency_t *currency, int64_t *fees, int *said)
{
    int64_t   fee;
    unsigned  column;
    unsigned  from = ADYEN_COMMISSION, to = ADYEN_INTERCHANGE;

    *fees = 0;
    *said = 0;

    if (pay_settle_field(record, ADYEN_FEES).len != 0) {
        from = to = ADYEN_FEES;
    }

    for (column = from; column <= to; column++) {
        if (pay_settle_field(record, column).len == 0) {
            continue;
        }

        *said = 1;
        PAY_TRY(pay_settle_amount_at(reader, &pay_settle_unit_adyen_csv,
                                     record, column, currency, &fee));
        PAY_TRY(pay_settle_add(reader, fees, fee));
    }

    return PAY_OK;
}


/* Credit less debit, an empty one is 0: never the side that the type makes one
 * expect.  The net of a small sale may be a debit. */
static pay_status_t
adyen_sides(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    unsigned debit, unsigned credit, const pay_currency_t *currency,
    int64_t *minor)
{
    int64_t    out = 0, in = 0;
    pay_str_t  text;

    text = pay_settle_field(record, debit);
    if (text.len != 0) {
        PAY_TRY(pay_settle_amount(reader, &pay_settle_unit_adyen_csv,
                                  adyen_columns[debit].name, text, currency,
                                  &out));
    }

    text = pay_settle_field(record, credit);
    if (text.len != 0) {
        PAY_TRY(pay_settle_amount(reader, &pay_settle_unit_adyen_csv,
                                  adyen_columns[credit].name, text, currency,
                                  &in));
    }

    *minor = in - out;

    return PAY_OK;
}


/* The file has no ids of rows.  Rows of the account may be equal to the
 * letter, so these are numbered. */
static pay_status_t
adyen_key(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    pay_settle_row_t *row)
{
    unsigned   n, i;
    pay_str_t  parts[2 * ADYEN_PARTS], number;

    PAY_TRY(pay_settle_number(reader, row->net_minor, &number));

    for (i = 1; i < 2 * ADYEN_PARTS; i += 2) {
        parts[i] = PAY_STR("/");
    }

    parts[0] = row->account;
    parts[2] = row->payout_ref;
    parts[4] = row->raw_type;
    parts[6] = row->parent_ref;
    parts[8] = pay_settle_field(record, ADYEN_MODIFICATION);
    parts[10] = number;

    PAY_TRY(pay_settle_join(reader, "Modification Reference",
                            PAY_SETTLE_KEY_MAX, &row->row_key, parts, 11));

    if (row->parent_ref.len != 0) {
        return PAY_OK;
    }

    PAY_TRY(pay_settle_equal(reader, row->row_key, &n));
    PAY_TRY(pay_settle_number(reader, n, &number));

    parts[0] = row->row_key;
    parts[2] = number;

    return pay_settle_join(reader, "Modification Reference",
                           PAY_SETTLE_KEY_MAX, &row->row_key, parts, 3);
}


/* Whether the file has any column of fees.  Nothing else tells the fee of a
 * converted row: without one it would be taken as 0. */
static int
adyen_tells_fees(const pay_settle_record_t *record)
{
    unsigned  column;

    for (column = ADYEN_COMMISSION; column <= ADYEN_FEES; column++) {
        if (record->place[column] >= 0) {
            return 1;
        }
    }

    return 0;
}


static int
adyen_has_no_net(const pay_settle_record_t *record)
{
    return pay_settle_field(record, ADYEN_NET_DEBIT).len == 0
           && pay_settle_field(record, ADYEN_NET_CREDIT).len == 0;
}


/* Whether the currency is that of the gross amount: where there is no other,
 * and of a row that is paid elsewhere, of which the file has no net. */
static int
adyen_is_gross(const pay_settle_record_t *record)
{
    pay_str_t  type = pay_settle_field(record, ADYEN_TYPE);

    return pay_settle_field(record, ADYEN_NET_CURRENCY).len == 0
           || (adyen_is_external(type) && adyen_has_no_net(record)
               && pay_settle_field(record, ADYEN_GROSS_CURRENCY).len != 0);
}


/* Paid by the scheme itself: no cash of this batch. */
static int
adyen_is_external(pay_str_t type)
{
    static const char  word[] = "Externally";
    size_t             i, len = sizeof(word) - 1;

    for (i = 0; i + len <= type.len; i++) {
        if (memcmp(type.data + i, word, len) == 0) {
            return 1;
        }
    }

    return 0;
}
