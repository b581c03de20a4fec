/*
 * The reader of settlement files as tests see it, see settle_world.h.
 */

#include "settle_world.h"
#include "settle/settle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>


#define WORLD_LINE  4096
#define NOTICE      "camt.054"


static pay_status_t world_row(void *data, const pay_settle_row_t *row);
static void world_statement(settle_text_t *text,
    const pay_settle_statement_t *statement);
static void world_field(settle_text_t *text, pay_str_t field);
static void world_print(settle_text_t *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));


void
settle_text_add(settle_text_t *text, const char *bytes, size_t len)
{
    if (text->len + len + 1 > text->size) {
        text->size = 2 * (text->len + len + 1);
        text->data = realloc(text->data, text->size);
        cr_assert_not_null(text->data);
    }

    memcpy(text->data + text->len, bytes, len);
    text->len += len;
    text->data[text->len] = '\0';
}


const char *
settle_format(unsigned n)
{
    const char  *name = pay_settle_name(n);

    return name != NULL || n == 0 || pay_settle_name(n - 1) == NULL ? name
                                                                   : NOTICE;
}


settle_text_t
settle_fixture(const char *format, const char *name)
{
    FILE           *file;
    char            path[256];
    char            bytes[SETTLE_FILE_MAX];
    size_t          len;
    settle_text_t   text = { NULL, 0, 0 };

    snprintf(path, sizeof(path), "tests/fixtures/settle/%s/%s", format, name);
    file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);

    len = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    cr_assert(len > 0 && len < sizeof(bytes), "%s", path);
    settle_text_add(&text, bytes, len);

    return text;
}


void
settle_read(settle_read_t *read, pay_arena_t *arena, const char *format,
    const pay_settle_options_t *options, const char *bytes, size_t len,
    size_t step)
{
    size_t                         at, n;
    pay_heap_t                    *heap = pay_heap_create();
    pay_settle_reader_t           *reader = NULL;
    pay_settle_options_t           own;
    const pay_settle_statement_t  *statement;

    memset(read, 0, sizeof(*read));
    read->verdict = PAY_SETTLE_REFUSED;
    settle_text_add(&read->dump, "", 0);

    memset(&own, 0, sizeof(own));
    if (options != NULL) {
        own = *options;
    }

    own.row = world_row;
    own.data = &read->dump;

    arena = arena != NULL ? arena : pay_heap_arena(heap);
    read->status = strcmp(format, NOTICE) == 0
                   ? pay_settle_open_notice(arena, &own, &reader)
                   : pay_settle_open(arena, pay_str_of(format), &own, &reader);

    for (at = 0; read->status == PAY_OK && at < len; at += n) {
        n = len - at < step ? len - at : step;
        read->status = pay_settle_feed(reader, (pay_str_t) {
                           n, (const unsigned char *) bytes + at });
    }

    if (read->status == PAY_OK) {
        read->status = pay_settle_end(reader);
    }

    if (read->status == PAY_OK) {
        read->status = pay_settle_prove(reader, &read->verdict);
    }

    if (reader != NULL) {
        for (n = 0; (statement = pay_settle_statement(reader, (unsigned) n))
                    != NULL; n++)
        {
            world_statement(&read->dump, statement);
        }

        read->rows = pay_settle_rows(reader);
        read->skipped = pay_settle_skipped(reader);

        if (pay_settle_refusal(reader) != NULL) {
            read->refusal = *pay_settle_refusal(reader);
        }
    }

    pay_settle_close(reader);
    pay_heap_destroy(heap);
}


void
settle_free(settle_read_t *read)
{
    free(read->dump.data);
    read->dump.data = NULL;
}


const char *
settle_outcome(const settle_read_t *read)
{
    static char  text[WORLD_LINE];

    if (read->status == PAY_INVALID && read->refusal.reason != NULL) {
        snprintf(text, sizeof(text), "refused %s %" PRId64 "%s%s",
                 read->refusal.reason, read->refusal.line,
                 read->refusal.column[0] != '\0' ? " " : "",
                 read->refusal.column);

    } else if (read->status != PAY_OK) {
        snprintf(text, sizeof(text), "status %d", (int) read->status);

    } else {
        snprintf(text, sizeof(text), "%s %" PRId64,
                 pay_settle_verdict_name(read->verdict), read->rows);
    }

    return text;
}


static pay_status_t
world_row(void *data, const pay_settle_row_t *row)
{
    unsigned          i;
    settle_text_t    *text = data;
    const pay_str_t  *fields[] = {
        &row->row_key, &row->psp_ref, &row->parent_ref, &row->our_ref,
        &row->occurred_text, &row->booked_on, &row->value_on, &row->rate,
        &row->payout_ref, &row->account, &row->bank_ref, &row->note
    };

    world_print(text, "%" PRId64 ".%" PRId64 " %s", row->line, row->ordinal,
                pay_settle_kind_name(row->kind));
    world_field(text, row->raw_type);
    world_print(text, "%s%s%s | %" PRId64 " %" PRId64 " %" PRId64 " = %"
                PRId64 " %s", row->is_external ? " external" : "",
                row->is_detail ? " detail" : "",
                row->is_ambiguous ? " ambiguous" : "", row->gross_minor,
                row->fee_minor, row->tax_minor, row->net_minor,
                row->currency);

    if (row->paid_currency[0] != '\0') {
        world_print(text, " of %" PRId64 " %s", row->paid_minor,
                    row->paid_currency);
    }

    if (row->has_occurred) {
        world_print(text, " @%" PRId64, row->occurred_us);
    }

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        world_field(text, *fields[i]);
    }

    settle_text_add(text, "\n", 1);

    return PAY_OK;
}


static void
world_statement(settle_text_t *text, const pay_settle_statement_t *statement)
{
    world_print(text, "= %s %s|%s|%s..%s|%s%s%s%s%s %" PRId64 ".%" PRId64
                " rows %" PRId64 " net %" PRId64 " payout %" PRId64,
                statement->currency, statement->account, statement->id,
                statement->first_day, statement->last_day,
                pay_settle_verdict_name(statement->verdict),
                statement->has & PAY_SETTLE_IS_COPY ? " copy" : "",
                statement->has & PAY_SETTLE_MORE_BEFORE ? " before" : "",
                statement->has & PAY_SETTLE_MORE_AFTER ? " after" : "",
                statement->has & PAY_SETTLE_HAS_PAYOUT ? " payout" : "",
                statement->number, statement->page, statement->rows,
                statement->net, statement->payout);

    if (statement->has & PAY_SETTLE_HAS_OPENING) {
        world_print(text, " from %" PRId64, statement->opening);
    }

    if (statement->has & PAY_SETTLE_HAS_CLOSING) {
        world_print(text, " to %" PRId64, statement->closing);
    }

    settle_text_add(text, "\n", 1);
}


/* Texts must be UTF-8 without NUL, whatever the file was. */
static void
world_field(settle_text_t *text, pay_str_t field)
{
    size_t  i;

    cr_assert(pay_settle_is_utf8(field));
    settle_text_add(text, " |", 2);

    for (i = 0; i < field.len; i++) {
        settle_text_add(text, field.data[i] == '\n'
                        ? "~" : (const char *) field.data + i, 1);
    }
}


static void
world_print(settle_text_t *text, const char *format, ...)
{
    int      len;
    char     line[WORLD_LINE];
    va_list  args;

    va_start(args, format);
    len = vsnprintf(line, sizeof(line), format, args);
    va_end(args);

    cr_assert(len >= 0 && (size_t) len < sizeof(line));
    settle_text_add(text, line, (size_t) len);
}
