/*
 * PayPal's settlement report (STL): CSV whose first field names the kind of
 * row: RH FH SH CH SB SF SC RF RC FF.  Amounts have no sign and no point; the
 * side stands beside them.  The names of a section's columns (CH) differ from
 * account to account.
 *
 *    RH ─▶ FH ─▶ section: SH CH SB … SF … SC ─▶ section … ─▶ RF RC, or FF
 *      RH report head, FH file head, SH section head, CH columns, SB a row,
 *      SF sums of a currency, SC count; RF, RC the same of the report; FF the
 *      end of a file whose report goes on in another one
 *
 * A sale of 12.00 EUR with a fee of 0.50, shortened
 * (tests/fixtures/settle/paypal/day.csv):
 *
 *    "SH","2026/11/20 00:00:00 +0100","2026/11/20 23:59:59 +0100","ACCT",""
 *    "CH","Transaction ID","Invoice ID", … ,"Gross Transaction Amount", …
 *    "SB","TXA","ord-1", … ,"T0006", … ,"CR",1200,"EUR","DR",50,"EUR", …
 *    "SF","EUR",1828,3850,10,75,"CR",5000,"CR",2913, … ,10
 *    "SC",12
 *
 * SF: gross in and out, fees in and out, balances with their sides, a count;
 * SC: the count of all currencies.
 */

#include "pay_time.h"
#include "settle/paypal.h"


/* Indexes of `columns`, found by the names in each section's CH. */
enum {
    PAYPAL_ID = 0, PAYPAL_INVOICE, PAYPAL_REFERENCE, PAYPAL_CODE,
    PAYPAL_BEGUN, PAYPAL_DONE, PAYPAL_SIDE, PAYPAL_GROSS, PAYPAL_CURRENCY,
    PAYPAL_FEE_SIDE, PAYPAL_FEE, PAYPAL_FEE_CURRENCY, PAYPAL_CUSTOM,
    PAYPAL_BANK, PAYPAL_COLUMNS
};

typedef pay_status_t (*paypal_row_pt)(pay_settle_reader_t *reader,
    const pay_settle_record_t *record);

/* A word in the first field, and the function that takes the record. */
typedef struct {
    const char     *word;
    paypal_row_pt   take;
} paypal_row_t;

/* The section that is open and the report so far.  `day` and `account` name
 * the section's statement. */
typedef struct {
    int            has_head;           /* RH */
    int            in_section;
    int            has_columns;
    int            is_footed;          /* SF, so no more rows */
    int            has_end;            /* FF */
    int            has_report_end;     /* RF or RC */
    int64_t        file;               /* FH, 0: not said */
    unsigned       width;              /* of CH */
    int16_t        place[PAYPAL_COLUMNS];
    int64_t        section_rows;
    int64_t        rows;
    char           day[11];
    char           account[PAY_SETTLE_ID_MAX + 1];
    char           owner[PAY_SETTLE_ID_MAX + 1];   /* RH, or the first SH */
    char           first_day[11];      /* of the first SH */
    paypal_sums_t  section;
    paypal_sums_t  report;
    pay_settle_page_t  page;           /* of a report in several files */
} paypal_t;


static pay_status_t paypal_record(pay_settle_reader_t *reader,
    const pay_settle_record_t *record);
static pay_status_t paypal_head(pay_settle_reader_t *reader,
    const pay_settle_record_t *record);
static void paypal_own(paypal_t *state, pay_str_t account);
static pay_status_t paypal_file(pay_settle_reader_t *reader,
    const pay_settle_record_t *record);
static pay_status_t paypal_section(pay_settle_reader_t *reader,
    const pay_settle_record_t *record);
static pay_status_t paypal_columns(pay_settle_reader_t *reader,
    const pay_settle_record_t *record);
static pay_status_t paypal_body(pay_settle_reader_t *reader,
    const pay_settle_record_t *record);
static pay_status_t paypal_money(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, pay_settle_row_t *row,
    const pay_currency_t **currency);
static pay_status_t paypal_side(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, unsigned side, unsigned amount,
    const pay_currency_t *currency, int64_t *minor);
static pay_status_t paypal_texts(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, pay_settle_row_t *row);
static void paypal_kind(pay_settle_row_t *row);
static pay_status_t paypal_section_foot(pay_settle_reader_t *reader,
    const pay_settle_record_t *record);
static pay_status_t paypal_section_count(pay_settle_reader_t *reader,
    const pay_settle_record_t *record);
static pay_status_t paypal_report_foot(pay_settle_reader_t *reader,
    const pay_settle_record_t *record);
static pay_status_t paypal_report_count(pay_settle_reader_t *reader,
    const pay_settle_record_t *record);
static pay_status_t paypal_file_end(pay_settle_reader_t *reader,
    const pay_settle_record_t *record);
static pay_status_t paypal_count(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, int64_t rows);
static pay_status_t paypal_section_end(pay_settle_reader_t *reader);
static pay_status_t paypal_finish(pay_settle_reader_t *reader);


static const paypal_row_t  rows[] = {
    { "SB", paypal_body },
    { "RH", paypal_head },
    { "FH", paypal_file },
    { "SH", paypal_section },
    { "CH", paypal_columns },
    { "SF", paypal_section_foot },
    { "SC", paypal_section_count },
    { "RF", paypal_report_foot },
    { "RC", paypal_report_count },
    { "FF", paypal_file_end },
    { NULL, NULL }
};

static const pay_settle_column_t  columns[] = {
    [PAYPAL_ID] = { "Transaction ID", 1 },
    [PAYPAL_INVOICE] = { "Invoice ID", 1 },
    [PAYPAL_REFERENCE] = { "PayPal Reference ID", 1 },
    [PAYPAL_CODE] = { "Transaction Event Code", 1 },
    [PAYPAL_BEGUN] = { "Transaction Initiation Date", 0 },
    [PAYPAL_DONE] = { "Transaction Completion Date", 1 },
    [PAYPAL_SIDE] = { "Transaction Debit or Credit", 1 },
    [PAYPAL_GROSS] = { "Gross Transaction Amount", 1 },
    [PAYPAL_CURRENCY] = { "Gross Transaction Currency", 1 },
    [PAYPAL_FEE_SIDE] = { "Fee Debit or Credit", 1 },
    [PAYPAL_FEE] = { "Fee Amount", 1 },
    [PAYPAL_FEE_CURRENCY] = { "Fee Currency", 1 },
    [PAYPAL_CUSTOM] = { "Custom Field", 0 },
    [PAYPAL_BANK] = { "Bank Reference ID", 0 },
    [PAYPAL_COLUMNS] = { NULL, 0 }
};

const pay_settle_format_t  pay_settle_paypal = {
    .name = "paypal",
    .medium = "csv",
    .lexer = &pay_settle_csv,
    .state_size = sizeof(paypal_t),
    .record = paypal_record,
    .finish = paypal_finish
};


/* The first field decides; the lexer has no header for this format. */
static pay_status_t
paypal_record(pay_settle_reader_t *reader, const pay_settle_record_t *record)
{
    const paypal_row_t  *row = rows;

    while (row->word != NULL && !pay_str_is(record->field[0], row->word)) {
        row++;
    }

    if (row->word == NULL) {
        return pay_settle_refuse(reader, "word-unknown", "",
                                 "RH, FH, SH, CH, SB, SF, SC, RF, RC or FF "
                                 "in the first field");
    }

    return row->take(reader, record);
}


static pay_status_t
paypal_head(pay_settle_reader_t *reader, const pay_settle_record_t *record)
{
    paypal_t  *state = reader->state;

    state->has_head = 1;

    if (record->count > 3) {
        paypal_own(state, record->field[3]);
    }

    return PAY_OK;
}


/* The account whose report it is names the batch. */
static void
paypal_own(paypal_t *state, pay_str_t account)
{
    if (state->owner[0] == '\0' && account.len != 0
        && account.len <= PAY_SETTLE_ID_MAX)
    {
        memcpy(state->owner, account.data, account.len);
        state->owner[account.len] = '\0';
    }
}


/* A report may come in several files, each a page of it; the sums of the report
 * are those of all pages. */
static pay_status_t
paypal_file(pay_settle_reader_t *reader, const pay_settle_record_t *record)
{
    paypal_t  *state = reader->state;

    if (record->count < 2
        || pay_digits_parse(record->field[1], &state->file) != PAY_OK
        || state->file > PAY_SETTLE_PAGES_MAX)
    {
        return pay_settle_refuse(reader, "number-invalid", "FH",
                                 "the number of the file, up to %d",
                                 PAY_SETTLE_PAGES_MAX);
    }

    return PAY_OK;
}


/* A section is of one account, and the day at which it begins names its
 * statement.  The section before must have had its footers. */
static pay_status_t
paypal_section(pay_settle_reader_t *reader, const pay_settle_record_t *record)
{
    pay_str_t           account;
    paypal_t           *state = reader->state;
    pay_settle_when_t   when;

    PAY_TRY(paypal_section_end(reader));

    if (record->count < 4 || record->field[3].len == 0
        || record->field[3].len > PAY_SETTLE_ID_MAX
        || pay_settle_when(record->field[1], &when) != PAY_OK)
    {
        return pay_settle_refuse(reader, "section-invalid", "SH",
                                 "begin, end and account of the section");
    }

    account = record->field[3];
    memcpy(state->account, account.data, account.len);
    state->account[account.len] = '\0';
    memcpy(state->day, when.day, sizeof(state->day));
    paypal_own(state, account);

    if (state->first_day[0] == '\0') {
        memcpy(state->first_day, when.day, sizeof(when.day));
    }

    state->in_section = 1;
    state->has_columns = 0;
    state->is_footed = 0;
    state->section_rows = 0;
    state->section.count = 0;

    if (reader->options.account.len != 0
        && !pay_str_eq(account, reader->options.account))
    {
        return pay_settle_refuse(reader, "account-foreign", "SH",
                                 "no account but the source's");
    }

    return PAY_OK;
}


/* Each section has its own columns, so they are looked up anew. */
static pay_status_t
paypal_columns(pay_settle_reader_t *reader, const pay_settle_record_t *record)
{
    paypal_t  *state = reader->state;

    state->has_columns = 1;
    state->width = record->count;

    return pay_settle_header(reader, columns, record, state->place);
}


/* The sums count rows as PayPal's footers do, by gross and fee as written, so
 * they are taken before paypal_kind() moves the amounts of fees.  A memo (an
 * authorisation) counts as a row and moves nothing. */
static pay_status_t
paypal_body(pay_settle_reader_t *reader, const pay_settle_record_t *record)
{
    int                      is_money;
    paypal_t                *state = reader->state;
    paypal_sum_t            *sum;
    pay_settle_row_t         row;
    pay_settle_record_t      named = *record;
    const pay_currency_t    *currency;
    pay_settle_statement_t  *statement;

    if (!state->in_section || !state->has_columns || state->is_footed) {
        return pay_settle_refuse(reader, "section-invalid", "SB",
                                 "SH and CH before these rows, SF behind "
                                 "them");
    }

    if (record->count != state->width) {
        return pay_settle_refuse(reader, "field-count", "",
                                 "%d fields as in CH", (int) state->width);
    }

    named.place = state->place;
    pay_settle_row_init(reader, &row);

    PAY_TRY(paypal_money(reader, &named, &row, &currency));
    PAY_TRY(paypal_texts(reader, &named, &row));

    state->section_rows++;
    state->rows++;
    is_money = row.kind != PAY_SETTLE_MEMO;
    PAY_TRY(pay_settle_paypal_sum(reader, &state->section, currency, &sum));
    PAY_TRY(pay_settle_paypal_count(reader, sum, is_money * row.gross_minor,
                                    is_money * row.fee_minor));
    PAY_TRY(pay_settle_paypal_sum(reader, &state->report, currency, &sum));
    PAY_TRY(pay_settle_paypal_count(reader, sum, is_money * row.gross_minor,
                                    is_money * row.fee_minor));

    paypal_kind(&row);
    PAY_TRY(pay_settle_statement_of(reader, row.payout_ref, row.account,
                                    currency, &statement, &row.statement));

    return pay_settle_emit(reader, &row);
}


/* Gross and fee have a side each; net is not in the file. */
static pay_status_t
paypal_money(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    pay_settle_row_t *row, const pay_currency_t **currency)
{
    const pay_currency_t  *fee;

    PAY_TRY(pay_settle_currency(reader, columns[PAYPAL_CURRENCY].name,
                                pay_settle_field(record, PAYPAL_CURRENCY),
                                currency));
    memcpy(row->currency, (*currency)->code, sizeof(row->currency));
    PAY_TRY(paypal_side(reader, record, PAYPAL_SIDE, PAYPAL_GROSS, *currency,
                        &row->gross_minor));

    if (pay_settle_field(record, PAYPAL_FEE).len != 0) {
        PAY_TRY(pay_settle_currency(reader, columns[PAYPAL_FEE_CURRENCY].name,
                                    pay_settle_field(record,
                                                     PAYPAL_FEE_CURRENCY),
                                    &fee));

        if (fee != *currency) {
            return pay_settle_refuse(reader, "currency-differs",
                                     columns[PAYPAL_FEE_CURRENCY].name,
                                     "%s as the gross amount",
                                     (*currency)->code);
        }

        PAY_TRY(paypal_side(reader, record, PAYPAL_FEE_SIDE, PAYPAL_FEE, fee,
                            &row->fee_minor));
    }

    row->net_minor = row->gross_minor + row->fee_minor;

    return PAY_OK;
}


/* CR is money that comes in.  A side may be empty where the amount is 0. */
static pay_status_t
paypal_side(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    unsigned side, unsigned amount, const pay_currency_t *currency,
    int64_t *minor)
{
    pay_str_t  word = pay_settle_field(record, side);

    PAY_TRY(pay_settle_amount(reader, &pay_settle_unit_paypal,
                              columns[amount].name,
                              pay_settle_field(record, amount), currency,
                              minor));

    if (pay_str_is(word, "DR")) {
        *minor = -*minor;
        return PAY_OK;
    }

    return (pay_str_is(word, "CR") || (word.len == 0 && *minor == 0))
           ? PAY_OK : pay_settle_refuse(reader, "word-unknown",
                                        columns[side].name, "CR or DR");
}


/* All rows of a payment share the invoice, years apart, too.  The custom field
 * stands in for the invoice: both hold our reference (src/psp/paypal.c). */
static pay_status_t
paypal_texts(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    pay_settle_row_t *row)
{
    pay_str_t           done, parts[5];
    paypal_t           *state = reader->state;
    pay_settle_when_t   when;

    row->raw_type = pay_settle_field(record, PAYPAL_CODE);
    row->kind = pay_settle_paypal_kind(row->raw_type, row->net_minor);
    row->psp_ref = pay_settle_field(record, PAYPAL_ID);
    row->parent_ref = pay_settle_field(record, PAYPAL_REFERENCE);
    row->our_ref = pay_settle_field(record, PAYPAL_INVOICE);
    row->note = pay_settle_clip(pay_settle_field(record, PAYPAL_CUSTOM));
    row->bank_ref = pay_settle_field(record, PAYPAL_BANK);
    row->account = pay_str_of(state->account);
    row->payout_ref = pay_str_of(state->day);

    if (row->our_ref.len == 0) {
        row->our_ref = row->note;
    }

    if (row->psp_ref.len == 0) {
        return pay_settle_refuse(reader, "field-empty",
                                 columns[PAYPAL_ID].name, "an id");
    }

    /* one id may stand in several rows */
    parts[0] = row->psp_ref;
    parts[1] = PAY_STR("/");
    parts[2] = row->raw_type;
    parts[3] = row->net_minor < 0 ? PAY_STR("/DR/") : PAY_STR("/CR/");
    parts[4] = pay_str_of(row->currency);
    PAY_TRY(pay_settle_join(reader, columns[PAYPAL_ID].name,
                            PAY_SETTLE_KEY_MAX, &row->row_key, parts, 5));

    done = pay_settle_field(record, PAYPAL_DONE);
    if (done.len == 0) {
        done = pay_settle_field(record, PAYPAL_BEGUN);
    }

    PAY_TRY(pay_settle_occurred(reader, columns[PAYPAL_DONE].name, done,
                                PAY_STR(""), row));

    if (pay_settle_when(done, &when) != PAY_OK) {
        return PAY_BUG;
    }

    parts[0] = pay_str_of(when.day);

    return pay_settle_join(reader, "", PAY_SETTLE_TEXT_MAX, &row->booked_on,
                           parts, 1);
}


/* Fees that have a row of their own, and authorisations, which move nothing:
 * an amount of theirs would be no money.  The row of a dispute has an id of
 * its own and names the payment; the dispute's id stands in webhooks alone. */
static void
paypal_kind(pay_settle_row_t *row)
{
    if ((row->kind == PAY_SETTLE_DISPUTE
         || row->kind == PAY_SETTLE_DISPUTE_RETURNED)
        && row->parent_ref.len != 0)
    {
        row->psp_ref = PAY_STR("");

    } else if (row->kind == PAY_SETTLE_FEE) {
        row->fee_minor = row->net_minor;
        row->gross_minor = 0;

    } else if (row->kind == PAY_SETTLE_MEMO) {
        row->gross_minor = 0;
        row->fee_minor = 0;
        row->net_minor = 0;
    }
}


/* The balances of the footer bound the section's rows of that currency; the
 * file's number is the page. */
static pay_status_t
paypal_section_foot(pay_settle_reader_t *reader,
    const pay_settle_record_t *record)
{
    int64_t                  begin = 0, end = 0;
    unsigned                 index;
    paypal_t                *state = reader->state;
    const pay_currency_t    *currency;
    pay_settle_statement_t  *statement;

    if (!state->in_section) {
        return pay_settle_refuse(reader, "section-invalid", "SF",
                                 "SH before this row");
    }

    state->is_footed = 1;
    PAY_TRY(pay_settle_paypal_foot(reader, record, &state->section, &currency,
                                   &begin, &end));
    PAY_TRY(pay_settle_statement_of(reader, pay_str_of(state->day),
                                    pay_str_of(state->account), currency,
                                    &statement, &index));

    statement->has |= PAY_SETTLE_HAS_OPENING | PAY_SETTLE_HAS_CLOSING;
    statement->opening = begin;
    statement->closing = end;
    statement->page = state->file;

    return PAY_OK;
}


/* SC counts the rows of its section alone. */
static pay_status_t
paypal_section_count(pay_settle_reader_t *reader,
    const pay_settle_record_t *record)
{
    paypal_t  *state = reader->state;

    PAY_TRY(paypal_count(reader, record, state->section_rows));

    return paypal_section_end(reader);
}


/* Compared with all rows of the file only where the file holds the whole
 * report. */
static pay_status_t
paypal_report_foot(pay_settle_reader_t *reader,
    const pay_settle_record_t *record)
{
    int64_t                begin, end;
    paypal_t              *state = reader->state;
    const pay_currency_t  *currency;

    PAY_TRY(paypal_section_end(reader));
    state->has_report_end = 1;

    /* the sums of the pages before this one are not here */
    if (state->file > 1) {
        return pay_settle_paypal_report(reader, record, &state->page);
    }

    return pay_settle_paypal_foot(reader, record, &state->report, &currency,
                                  &begin, &end);
}


/* RC counts the rows of all pages of a report, so that a later page cannot
 * compare it. */
static pay_status_t
paypal_report_count(pay_settle_reader_t *reader,
    const pay_settle_record_t *record)
{
    paypal_t  *state = reader->state;

    PAY_TRY(paypal_section_end(reader));
    state->has_report_end = 1;

    if (state->file <= 1) {
        return paypal_count(reader, record, state->rows);
    }

    return record->count < 2
           || pay_digits_parse(record->field[1], &state->page.all_rows)
              != PAY_OK
           ? pay_settle_refuse(reader, "number-invalid", "Record Count",
                               "a number of rows")
           : PAY_OK;
}


/* A file without it was cut off on its way. */
static pay_status_t
paypal_file_end(pay_settle_reader_t *reader, const pay_settle_record_t *record)
{
    (void) record;

    ((paypal_t *) reader->state)->has_end = 1;

    return paypal_section_end(reader);
}


/* The count of a section or of the report, as declared and as found. */
static pay_status_t
paypal_count(pay_settle_reader_t *reader, const pay_settle_record_t *record,
    int64_t found)
{
    int64_t  said;

    if (record->count < 2
        || pay_digits_parse(record->field[1], &said) != PAY_OK)
    {
        return pay_settle_refuse(reader, "number-invalid", "Record Count",
                                 "a number of rows");
    }

    if (said != found) {
        return pay_settle_refuse(reader, "count-differs", "Record Count",
                                 "%lld, but there are %lld rows",
                                 (long long) said, (long long) found);
    }

    return PAY_OK;
}


/* Ends a section once, whichever row comes next. */
static pay_status_t
paypal_section_end(pay_settle_reader_t *reader)
{
    paypal_t  *state = reader->state;

    if (!state->in_section) {
        return PAY_OK;
    }

    state->in_section = 0;

    return pay_settle_paypal_footed(reader, &state->section);
}


/* FF without RF says that the report goes on in another file. */
static pay_status_t
paypal_finish(pay_settle_reader_t *reader)
{
    unsigned                 n;
    paypal_t                *state = reader->state;
    pay_settle_statement_t  *statement;

    PAY_TRY(paypal_section_end(reader));

    if ((state->has_head || state->file > 0) && !state->has_end
        && !state->has_report_end)
    {
        return pay_settle_refuse(reader, "footer-missing", "RF",
                                 "the footers of the report or the file");
    }

    for (n = 0; n < reader->statements; n++) {
        statement = pay_settle_at(reader, n);

        if (state->file > 1) {
            statement->has |= PAY_SETTLE_MORE_BEFORE;
        }

        if (state->has_end && !state->has_report_end) {
            statement->has |= PAY_SETTLE_MORE_AFTER;
        }

        /* a currency that was converted at once has no footer and comes to 0 */
        if (!(statement->has & PAY_SETTLE_HAS_CLOSING)) {
            statement->has |= PAY_SETTLE_HAS_NET;
        }
    }

    if (state->file > 1
        || (state->file == 1 && state->has_end && !state->has_report_end))
    {
        state->page.number = state->file;
        state->page.is_last = state->has_report_end;
        pay_settle_paypal_own(&state->report, &state->page);
        reader->page = &state->page;
    }

    return state->first_day[0] == '\0'
           ? PAY_OK : pay_format(reader->arena, &reader->batch,
                                 2 * PAY_SETTLE_ID_MAX, "%s/%s", state->owner,
                                 state->first_day);
}
