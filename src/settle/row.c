/*
 * Rows and statements: a row is checked, counted into its statement and
 * handed out; a statement is found by its id, account and currency.  Sums are
 * checked for overflow.
 *
 *    format ─ pay_settle_row_init() ─ fills it ─ pay_settle_statement_of()
 *      ─ pay_settle_emit(): net = gross + fee + tax? texts bounded?
 *          ─▶ sums of the statement ─▶ options.row(), the caller's
 */

#include "settle/settle.h"


static pay_status_t row_check(pay_settle_reader_t *reader,
    const pay_settle_row_t *row);
static pay_status_t row_count(pay_settle_reader_t *reader,
    const pay_settle_row_t *row);
static pay_status_t statement_make(pay_settle_reader_t *reader, pay_str_t id,
    pay_str_t account, const pay_currency_t *currency);
static int statement_is(const pay_settle_statement_t *statement,
    pay_str_t id, pay_str_t account, const pay_currency_t *currency);
static void text_set(char *to, pay_str_t from);


void
pay_settle_row_init(pay_settle_reader_t *reader, pay_settle_row_t *row)
{
    memset(row, 0, sizeof(*row));
    row->line = reader->row_line;
}


/* The row goes to the caller's function, which may stop the reading; its
 * slices end with this call. */
pay_status_t
pay_settle_emit(pay_settle_reader_t *reader, pay_settle_row_t *row)
{
    PAY_TRY(row_check(reader, row));
    PAY_TRY(row_count(reader, row));

    row->ordinal = ++reader->rows;

    return reader->options.row(reader->options.data, row);
}


/* Statements lie in chunks that are never moved, so pointers to them stay
 * valid while the file is read. */
pay_settle_statement_t *
pay_settle_at(const pay_settle_reader_t *reader, unsigned n)
{
    return n < reader->statements
           ? &reader->chunk[n / PAY_SETTLE_CHUNK][n % PAY_SETTLE_CHUNK] : NULL;
}


const pay_settle_statement_t *
pay_settle_statement(const pay_settle_reader_t *reader, unsigned n)
{
    return pay_settle_at(reader, n);
}


/* Rows of one statement mostly follow each other: the latest is tried first. */
pay_status_t
pay_settle_statement_of(pay_settle_reader_t *reader, pay_str_t id,
    pay_str_t account, const pay_currency_t *currency,
    pay_settle_statement_t **statement, unsigned *index)
{
    unsigned  n = reader->latest;

    if (n >= reader->statements
        || !statement_is(pay_settle_at(reader, n), id, account, currency))
    {
        for (n = 0; n < reader->statements; n++) {
            if (statement_is(pay_settle_at(reader, n), id, account, currency)) {
                break;
            }
        }
    }

    if (n == reader->statements) {
        PAY_TRY(statement_make(reader, id, account, currency));
    }

    reader->latest = n;
    *statement = pay_settle_at(reader, n);
    *index = n;

    return PAY_OK;
}


/* A day that is none is left out: the widest span is for showing and for
 * searching. */
void
pay_settle_day(pay_settle_statement_t *statement, pay_str_t day)
{
    if (!pay_settle_is_day(day)) {
        return;
    }

    if (statement->first_day[0] == '\0'
        || memcmp(day.data, statement->first_day, day.len) < 0)
    {
        text_set(statement->first_day, day);
    }

    if (memcmp(day.data, statement->last_day, day.len) > 0) {
        text_set(statement->last_day, day);
    }
}


/* FNV-1a.  Two keys with one hash would only be numbered on from one another,
 * which leaves them different.  Half of the table at most is filled, so the
 * search for a free place ends. */
pay_status_t
pay_settle_equal(pay_settle_reader_t *reader, pay_str_t key, unsigned *count)
{
    size_t    i;
    uint64_t  hash = UINT64_C(14695981039346656037);

    if (reader->equals == NULL) {
        reader->equals = pay_calloc(reader->arena, PAY_SETTLE_EQUALS
                                                   * sizeof(*reader->equals));
        if (reader->equals == NULL) {
            return PAY_NO_MEMORY;
        }
    }

    for (i = 0; i < key.len; i++) {
        hash = (hash ^ key.data[i]) * UINT64_C(1099511628211);
    }

    i = hash & (PAY_SETTLE_EQUALS - 1);
    while (reader->equals[i].count != 0 && reader->equals[i].hash != hash) {
        i = (i + 1) & (PAY_SETTLE_EQUALS - 1);
    }

    if (reader->equals[i].count == 0
        && ++reader->equal_count > PAY_SETTLE_EQUALS / 2)
    {
        return pay_settle_refuse(reader, "too-many", "",
                                 "at most %d rows without a reference",
                                 PAY_SETTLE_EQUALS / 2);
    }

    reader->equals[i].hash = hash;
    *count = ++reader->equals[i].count;

    return PAY_OK;
}


/* The texts lie one behind the other in the scratch, which the lexer empties
 * before each record. */
pay_status_t
pay_settle_join(pay_settle_reader_t *reader, const char *column, size_t max,
    pay_str_t *out, const pay_str_t *parts, unsigned count)
{
    size_t          len = 0;
    unsigned        i;
    unsigned char  *to = reader->scratch + reader->scratch_len;

    for (i = 0; i < count; i++) {
        if (parts[i].len > max - len
            || parts[i].len > PAY_SETTLE_SCRATCH - reader->scratch_len - len)
        {
            return pay_settle_refuse(reader, "text-too-long", column,
                                     "at most %d bytes", (int) max);
        }

        if (parts[i].len != 0) {
            memcpy(to + len, parts[i].data, parts[i].len);
            len += parts[i].len;
        }
    }

    *out = (pay_str_t) { len, to };
    reader->scratch_len += len;

    return PAY_OK;
}


/* The smallest int64_t has no positive, so the sum is made one short. */
pay_status_t
pay_settle_number(pay_settle_reader_t *reader, int64_t number, pay_str_t *out)
{
    pay_str_t      text;
    unsigned char  digits[PAY_INT_TEXT_MAX];

    text = pay_int_text(number, digits);

    return pay_settle_join(reader, "", sizeof(digits), out, &text, 1);
}


/* Texts of a lexer or of a JSON tree live until the next record.  A longer text
 * is refused, since a reference that is cut names nothing. */
pay_status_t
pay_settle_keep(pay_settle_reader_t *reader, const char *column,
    pay_str_t text, char *to, size_t size)
{
    if (text.len >= size) {
        return pay_settle_refuse(reader, "text-too-long", column,
                                 "at most %d bytes", (int) size - 1);
    }

    text_set(to, text);

    return PAY_OK;
}


/* UTF-8 is cut in front of a character that would not fit, since PostgreSQL
 * refuses half of one. */
pay_str_t
pay_settle_clip(pay_str_t text)
{
    if (text.len > PAY_SETTLE_TEXT_MAX) {
        text.len = PAY_SETTLE_TEXT_MAX;

        while (text.len > 0 && (text.data[text.len] & 0xc0) == 0x80) {
            text.len--;
        }
    }

    return text;
}


/* *a keeps its value when the sum is refused. */
pay_status_t
pay_settle_add(pay_settle_reader_t *reader, int64_t *a, int64_t b)
{
    if (pay_amount_add(*a, b, a, NULL) != PAY_OK) {
        return pay_settle_refuse(reader, "amount-too-large", "",
                                 "sums below 2^63");
    }

    return PAY_OK;
}


/* net = gross + fee + tax is the promise of every row, which all later sums
 * rely on. */
static pay_status_t
row_check(pay_settle_reader_t *reader, const pay_settle_row_t *row)
{
    int64_t           sum = row->gross_minor;
    unsigned          i;
    const pay_str_t  *texts[] = {
        &row->raw_type, &row->psp_ref, &row->parent_ref, &row->our_ref,
        &row->occurred_text, &row->rate, &row->payout_ref, &row->account,
        &row->bank_ref, &row->note
    };

    PAY_TRY(pay_settle_add(reader, &sum, row->fee_minor));
    PAY_TRY(pay_settle_add(reader, &sum, row->tax_minor));

    if (sum != row->net_minor) {
        return pay_settle_refuse(reader, "row-sum", "net",
                                 "net %lld of this row, in minor units",
                                 (long long) sum);
    }

    if (row->row_key.len == 0 || row->row_key.len > PAY_SETTLE_KEY_MAX) {
        return pay_settle_refuse(reader, "key", "",
                                 "a row with an id of 1 to %d bytes",
                                 PAY_SETTLE_KEY_MAX);
    }

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i]->len > PAY_SETTLE_TEXT_MAX) {
            return pay_settle_refuse(reader, "text-too-long", "",
                                     "texts of at most %d bytes",
                                     PAY_SETTLE_TEXT_MAX);
        }
    }

    return PAY_OK;
}


/* Details are parts of another row, and external rows are money outside of
 * this balance: neither is in the sums. */
static pay_status_t
row_count(pay_settle_reader_t *reader, const pay_settle_row_t *row)
{
    pay_settle_statement_t  *statement = pay_settle_at(reader, row->statement);

    if (statement == NULL) {
        return PAY_BUG;
    }

    pay_settle_day(statement, row->booked_on);

    if (row->is_detail) {
        return PAY_OK;
    }

    statement->rows++;

    if (row->is_external) {
        return PAY_OK;
    }

    PAY_TRY(pay_settle_add(reader, &statement->gross, row->gross_minor));
    PAY_TRY(pay_settle_add(reader, &statement->fee, row->fee_minor));
    PAY_TRY(pay_settle_add(reader, &statement->tax, row->tax_minor));
    PAY_TRY(pay_settle_add(reader, &statement->net, row->net_minor));

    if (row->kind == PAY_SETTLE_PAYOUT) {
        statement->payouts++;
        PAY_TRY(pay_settle_add(reader, &statement->payout, row->net_minor));
    }

    return PAY_OK;
}


/* An account that is not the source's is refused: a file of another shop must
 * not be booked into this one. */
static pay_status_t
statement_make(pay_settle_reader_t *reader, pay_str_t id, pay_str_t account,
    const pay_currency_t *currency)
{
    unsigned                  n = reader->statements;
    pay_settle_statement_t   *made;
    pay_settle_statement_t  **chunk;

    if (reader->options.account.len != 0 && account.len != 0
        && !pay_str_eq(account, reader->options.account))
    {
        return pay_settle_refuse(reader, "account-foreign", "account",
                                 "no account but the source's");
    }

    if (id.len > PAY_SETTLE_ID_MAX || account.len > PAY_SETTLE_ID_MAX) {
        return pay_settle_refuse(reader, "text-too-long", "",
                                 "ids of at most %d bytes",
                                 PAY_SETTLE_ID_MAX);
    }

    if (n == PAY_SETTLE_STATEMENTS_MAX) {
        return pay_settle_refuse(reader, "too-many", "",
                                 "at most %d payouts or statements",
                                 PAY_SETTLE_STATEMENTS_MAX);
    }

    chunk = &reader->chunk[n / PAY_SETTLE_CHUNK];

    if (*chunk == NULL) {
        *chunk = pay_calloc(reader->arena, PAY_SETTLE_CHUNK * sizeof(**chunk));
        if (*chunk == NULL) {
            return PAY_NO_MEMORY;
        }
    }

    made = &(*chunk)[n % PAY_SETTLE_CHUNK];
    text_set(made->id, id);
    text_set(made->account, account);
    memcpy(made->currency, currency->code, sizeof(made->currency));
    made->line = reader->row_line;
    made->verdict = PAY_SETTLE_REFUSED;
    reader->statements++;

    return PAY_OK;
}


/* The currency is compared first: it differs most often. */
static int
statement_is(const pay_settle_statement_t *statement, pay_str_t id,
    pay_str_t account, const pay_currency_t *currency)
{
    return memcmp(statement->currency, currency->code, 3) == 0
           && pay_str_is(id, statement->id)
           && pay_str_is(account, statement->account);
}


/* The caller has checked the length. */
static void
text_set(char *to, pay_str_t from)
{
    if (from.len != 0) {
        memcpy(to, from.data, from.len);
    }

    to[from.len] = '\0';
}


/* The text is joined with the zone's word, so that PostgreSQL can find the
 * instant later where this code cannot. */
pay_status_t
pay_settle_occurred(pay_settle_reader_t *reader, const char *column,
    pay_str_t text, pay_str_t zone, pay_settle_row_t *row)
{
    pay_str_t          parts[3] = { text, pay_string(" "), zone };
    pay_settle_when_t  when;

    if (pay_settle_when(text, &when) != PAY_OK) {
        return pay_settle_refuse(reader, "time-invalid", column,
                                 "a time such as 2026-11-20 10:00:00");
    }

    PAY_TRY(pay_settle_join(reader, column, PAY_SETTLE_TEXT_MAX,
                            &row->occurred_text, parts,
                            zone.len != 0 ? 3 : 1));

    if (!when.has_offset && zone.len != 0) {
        when.has_offset = pay_settle_zone(zone, when.local_s, &when.offset_s,
                                          &row->is_ambiguous);
    }

    if (when.has_offset) {
        row->has_occurred = 1;
        row->occurred_us = (when.local_s - when.offset_s) * 1000000
                           + when.micro;
    }

    return PAY_OK;
}


/* 253402300799 is the last second of the year 9999. */
pay_status_t
pay_settle_occurred_unix(pay_settle_reader_t *reader, const char *column,
    int64_t unix_s, pay_settle_row_t *row)
{
    if (unix_s < 0 || unix_s > INT64_C(253402300799)) {
        return pay_settle_refuse(reader, "time-invalid", column,
                                 "seconds since 1970");
    }

    row->has_occurred = 1;
    row->occurred_us = unix_s * 1000000;

    return pay_settle_number(reader, unix_s, &row->occurred_text);
}
