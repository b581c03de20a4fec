/*
 * Fuzz target: settlement files.  Input: a byte that names the format, one that
 * says in which pieces the rest is fed, then the file.  Whatever the bytes,
 * rows add up and have texts that PostgreSQL takes, sums of statements are
 * those of their rows, and the pieces do not matter.  With FUZZ_FORMAT in the
 * environment all inputs are of that format.  tests/fuzz/run makes seeds of the
 * fixtures.
 */

#include "fuzz.h"

#include "pay_settle.h"
#include "settle/settle.h"


#define must        FUZZ_CHECK
#define NOTICE      "camt.054"         /* a format of no registry */
#define STATEMENTS  64                 /* whose sums are counted again */

typedef struct {
    int64_t   rows;
    uint64_t  hash;                    /* of all that was handed out */
    int64_t   net[STATEMENTS];
    int64_t   count[STATEMENTS];
} seen_t;

typedef struct {
    pay_status_t          status;
    pay_settle_verdict_t  verdict;
    seen_t                seen;
} outcome_t;


static const char *format_of(uint8_t byte);
static void read_all(const char *name, pay_str_t file, size_t step,
    outcome_t *outcome);
static void check_end(const pay_settle_reader_t *reader,
    const outcome_t *outcome);
static pay_status_t take_row(void *data, const pay_settle_row_t *row);
static void check_text(seen_t *seen, pay_str_t text, size_t max);
static void check_day(pay_str_t day);
static void mix(seen_t *seen, const void *bytes, size_t len);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t       step;
    pay_str_t    file;
    outcome_t    whole, pieces;
    const char  *name;

    if (size < 2) {
        return 0;
    }

    name = format_of(data[0]);
    step = data[1] % 64 + 1;
    file = (pay_str_t) { size - 2, data + 2 };

    read_all(name, file, file.len + 1, &whole);
    read_all(name, file, step, &pieces);

    /* of two reasons one may be seen before the other */
    must(whole.status == pieces.status);
    must(whole.verdict == pieces.verdict);
    must(whole.status != PAY_OK
         || (whole.seen.rows == pieces.seen.rows
             && whole.seen.hash == pieces.seen.hash));

    return 0;
}


static const char *
format_of(uint8_t byte)
{
    unsigned     count = 0;
    const char  *only = getenv("FUZZ_FORMAT");

    if (only != NULL) {
        must(strcmp(only, NOTICE) == 0
             || pay_settle_is_known(pay_str_of(only)));
        return only;
    }

    while (pay_settle_name(count) != NULL) {
        count++;
    }

    /* behind those of the registry */
    return byte % (count + 1) == count ? NOTICE
                                       : pay_settle_name(byte % (count + 1));
}


static void
read_all(const char *name, pay_str_t file, size_t step, outcome_t *outcome)
{
    size_t                 n;
    pay_heap_t            *heap = pay_heap_create();
    pay_settle_reader_t   *reader;
    pay_settle_options_t   options;

    must(heap != NULL);
    memset(outcome, 0, sizeof(*outcome));
    memset(&options, 0, sizeof(options));
    options.row = take_row;
    options.data = &outcome->seen;
    outcome->verdict = PAY_SETTLE_REFUSED;
    outcome->status = strcmp(name, NOTICE) == 0
        ? pay_settle_open_notice(pay_heap_arena(heap), &options, &reader)
        : pay_settle_open(pay_heap_arena(heap), pay_str_of(name), &options,
                          &reader);
    must(outcome->status == PAY_OK);

    while (outcome->status == PAY_OK && file.len != 0) {
        n = file.len < step ? file.len : step;
        outcome->status = pay_settle_feed(reader,
                                          (pay_str_t) { n, file.data });
        file.data += n;
        file.len -= n;
    }

    if (outcome->status == PAY_OK) {
        outcome->status = pay_settle_end(reader);
    }

    if (outcome->status == PAY_OK) {
        outcome->status = pay_settle_prove(reader, &outcome->verdict);
    }

    check_end(reader, outcome);

    pay_settle_close(reader);
    pay_heap_destroy(heap);
}


static void
check_end(const pay_settle_reader_t *reader, const outcome_t *outcome)
{
    unsigned                       n;
    const pay_settle_refusal_t    *refusal = pay_settle_refusal(reader);
    const pay_settle_statement_t  *statement;

    must(outcome->status == PAY_OK || outcome->status == PAY_INVALID);
    must((outcome->status == PAY_OK) == (refusal == NULL));
    must((outcome->status == PAY_OK)
         == (outcome->verdict != PAY_SETTLE_REFUSED));
    must(pay_settle_rows(reader) >= outcome->seen.rows);

    if (refusal != NULL) {
        must(refusal->reason != NULL && refusal->reason[0] != '\0');
        must(refusal->expected[0] != '\0');
        must(refusal->line >= 0);
    }

    for (n = 0; (statement = pay_settle_statement(reader, n)) != NULL; n++) {
        must(pay_settle_is_utf8(pay_str_of(statement->id)));
        must(pay_settle_is_utf8(pay_str_of(statement->account)));

        if (outcome->status != PAY_OK) {
            continue;
        }

        must(statement->verdict != PAY_SETTLE_REFUSED);
        must(statement->gross + statement->fee + statement->tax
             == statement->net);

        if (n < STATEMENTS) {
            must(statement->net == outcome->seen.net[n]);
            must(statement->rows == outcome->seen.count[n]);
        }
    }
}


static pay_status_t
take_row(void *data, const pay_settle_row_t *row)
{
    int64_t   sum = 0;
    seen_t   *seen = data;

    must((unsigned) row->kind < PAY_SETTLE_KIND_COUNT);
    must(row->ordinal == ++seen->rows);
    must(row->line >= 1);
    must(row->row_key.len != 0);
    must(row->currency[0] != '\0' && row->currency[3] == '\0');
    must(!__builtin_add_overflow(row->gross_minor, row->fee_minor, &sum));
    must(!__builtin_add_overflow(sum, row->tax_minor, &sum));
    must(sum == row->net_minor);
    must(row->has_occurred || row->occurred_us == 0);

    check_text(seen, row->row_key, PAY_SETTLE_KEY_MAX);
    check_text(seen, row->raw_type, PAY_SETTLE_TEXT_MAX);
    check_text(seen, row->psp_ref, PAY_SETTLE_TEXT_MAX);
    check_text(seen, row->parent_ref, PAY_SETTLE_TEXT_MAX);
    check_text(seen, row->our_ref, PAY_SETTLE_TEXT_MAX);
    check_text(seen, row->occurred_text, PAY_SETTLE_TEXT_MAX);
    check_text(seen, row->rate, PAY_SETTLE_TEXT_MAX);
    check_text(seen, row->payout_ref, PAY_SETTLE_TEXT_MAX);
    check_text(seen, row->account, PAY_SETTLE_TEXT_MAX);
    check_text(seen, row->bank_ref, PAY_SETTLE_TEXT_MAX);
    check_text(seen, row->note, PAY_SETTLE_TEXT_MAX);
    check_day(row->booked_on);
    check_day(row->value_on);
    mix(seen, &row->net_minor, sizeof(row->net_minor));
    mix(seen, &row->paid_minor, sizeof(row->paid_minor));
    mix(seen, &row->line, sizeof(row->line));

    if (row->statement < STATEMENTS && !row->is_detail) {
        seen->count[row->statement]++;
        seen->net[row->statement] += row->is_external ? 0 : row->net_minor;
    }

    return PAY_OK;
}


static void
check_text(seen_t *seen, pay_str_t text, size_t max)
{
    must(text.len <= max);
    must(pay_settle_is_utf8(text));
    mix(seen, text.data, text.len);
}


static void
check_day(pay_str_t day)
{
    must(day.len == 0 || pay_settle_is_day(day));
}


static void
mix(seen_t *seen, const void *bytes, size_t len)
{
    size_t                i;
    const unsigned char  *byte = bytes;

    for (i = 0; i < len; i++) {
        seen->hash = (seen->hash ^ byte[i]) * UINT64_C(1099511628211);
    }
}
