/*
 * The reader of a settlement file: takes the byte order mark off, finds the
 * medium by the first byte, hands bounded pieces to its lexer, refuses NUL,
 * keeps the reason of a refusal.  A file that is refused stays so.
 *
 *    AT_START ─ first byte ─▶ READING ─ end ─▶ ENDED ─▶ pay_settle_prove()
 *        └──────── a refusal ────┴──────────────▶ FAILED, for good
 */

#include "core/format.h"
#include "settle/settle.h"


static pay_status_t reader_open(pay_arena_t *arena, pay_str_t name,
    const pay_settle_format_t *own, const pay_settle_options_t *options,
    pay_settle_reader_t **reader);
static pay_status_t reader_start(pay_settle_reader_t *reader, int at_end);
static pay_status_t reader_begin(pay_settle_reader_t *reader,
    unsigned char first);
static pay_status_t reader_pieces(pay_settle_reader_t *reader,
    pay_str_t bytes);
static pay_status_t reader_stop(pay_settle_reader_t *reader,
    pay_status_t status);
static void reader_say(pay_settle_reader_t *reader, int64_t line,
    const char *reason, const char *column, const char *expected,
    va_list args);
static void reader_copy(char *to, size_t size, const char *from);


static const unsigned char  mark[] = { 0xef, 0xbb, 0xbf };


/* `scratch` is left as it is: 72 KiB that are written before they are read. */
pay_status_t
pay_settle_open(pay_arena_t *arena, pay_str_t name,
    const pay_settle_options_t *options, pay_settle_reader_t **reader)
{
    if (!pay_settle_is_known(name)) {
        return PAY_NOT_FOUND;
    }

    return reader_open(arena, name, NULL, options, reader);
}


/* For files that are no settlements, and are read by the same lexers. */
pay_status_t
pay_settle_open_as(pay_arena_t *arena, const pay_settle_format_t *format,
    const pay_settle_options_t *options, pay_settle_reader_t **reader)
{
    return reader_open(arena, pay_str_of(format->name), format, options,
                       reader);
}


pay_status_t
pay_settle_open_notice(pay_arena_t *arena,
    const pay_settle_options_t *options, pay_settle_reader_t **reader)
{
    return pay_settle_open_as(arena, &pay_settle_notice, options, reader);
}


/* `own` NULL: the format of that name. */
static pay_status_t
reader_open(pay_arena_t *arena, pay_str_t name,
    const pay_settle_format_t *own, const pay_settle_options_t *options,
    pay_settle_reader_t **reader)
{
    pay_settle_reader_t  *made = pay_alloc(arena, sizeof(*made));

    if (made == NULL) {
        return PAY_NO_MEMORY;
    }

    memset(made, 0, offsetof(pay_settle_reader_t, scratch));
    made->arena = arena;
    made->own = own;
    made->options = *options;
    made->line = 1;
    made->row_line = 1;

    PAY_TRY(pay_dup(arena, name, &made->name));

    *reader = made;

    return PAY_OK;
}


/* The bytes before the medium is known are kept one by one; there are at most
 * three of a byte order mark. */
pay_status_t
pay_settle_feed(pay_settle_reader_t *reader, pay_str_t bytes)
{
    if (reader->stage == PAY_SETTLE_FAILED) {
        return reader->status;
    }

    if (reader->stage == PAY_SETTLE_ENDED) {
        return PAY_BUG;
    }

    while (reader->stage == PAY_SETTLE_AT_START && bytes.len != 0) {
        reader->head[reader->head_len++] = bytes.data[0];
        bytes = (pay_str_t) { bytes.len - 1, bytes.data + 1 };
        PAY_TRY(reader_stop(reader, reader_start(reader, 0)));
    }

    return reader_stop(reader, reader_pieces(reader, bytes));
}


/* The lexer's end comes first, since it may still hand out a record; the
 * format's finish() sees all of them. */
pay_status_t
pay_settle_end(pay_settle_reader_t *reader)
{
    pay_status_t  status = PAY_OK;

    if (reader->stage == PAY_SETTLE_FAILED) {
        return reader->status;
    }

    if (reader->stage == PAY_SETTLE_ENDED) {
        return PAY_BUG;
    }

    if (reader->stage == PAY_SETTLE_AT_START) {
        PAY_TRY(reader_stop(reader, reader_start(reader, 1)));
    }

    status = reader->format->lexer->end(reader);

    if (status == PAY_OK && reader->format->finish != NULL) {
        reader->row_line = reader->line;
        status = reader->format->finish(reader);
    }

    if (status == PAY_OK) {
        reader->stage = PAY_SETTLE_ENDED;
    }

    return reader_stop(reader, status);
}


/* libcsv and expat take memory of malloc, which no arena frees.  It is allowed
 * twice, and for a reader that has failed. */
void
pay_settle_close(pay_settle_reader_t *reader)
{
    if (reader != NULL && reader->format != NULL && reader->lex != NULL) {
        reader->format->lexer->close(reader);
        reader->lex = NULL;
    }
}


const pay_settle_refusal_t *
pay_settle_refusal(const pay_settle_reader_t *reader)
{
    return reader->is_refused ? &reader->refusal : NULL;
}


int64_t
pay_settle_rows(const pay_settle_reader_t *reader)
{
    return reader->rows;
}


int64_t
pay_settle_skipped(const pay_settle_reader_t *reader)
{
    return reader->skipped;
}


/* The line is that of the record, and 0 for pay_settle_say_file(). */
void
pay_settle_say(pay_settle_reader_t *reader, const char *reason,
    const char *column, const char *expected, ...)
{
    va_list  args;

    va_start(args, expected);
    reader_say(reader, reader->row_line, reason, column, expected, args);
    va_end(args);
}


/* Line 0 in a refusal means the whole file. */
void
pay_settle_say_file(pay_settle_reader_t *reader, const char *reason,
    const char *column, const char *expected, ...)
{
    va_list  args;

    va_start(args, expected);
    reader_say(reader, 0, reason, column, expected, args);
    va_end(args);
}


/* The first bytes: a byte order mark goes, then the first that is no white
 * space tells the medium.  A file that ends before is empty or of no medium. */
static pay_status_t
reader_start(pay_settle_reader_t *reader, int at_end)
{
    size_t         n = reader->head_len;
    unsigned char  first;

    if (at_end) {
        return pay_settle_refuse(reader, n == 0 ? "empty" : "unknown-medium",
                                 "", "a file of the format %s",
                                 (const char *) reader->name.data);
    }

    first = reader->head[n - 1];

    if (n <= sizeof(mark) && memcmp(reader->head, mark, n) == 0) {
        if (n == sizeof(mark)) {
            reader->head_len = 0;
        }

        return PAY_OK;
    }

    if (n == 1 && (first == ' ' || first == '\t' || first == '\r'
                   || first == '\n'))
    {
        reader->line += (first == '\n');
        reader->head_len = 0;
        return PAY_OK;
    }

    return reader_begin(reader, reader->head[0]);
}


/* The bytes kept so far go to the lexer first. */
static pay_status_t
reader_begin(pay_settle_reader_t *reader, unsigned char first)
{
    size_t                      len = reader->head_len;
    const pay_settle_format_t  *format;

    format = reader->own != NULL ? reader->own
                                 : pay_settle_format(reader->name, first);
    if (format == NULL || !format->lexer->fits(first)) {
        return pay_settle_refuse(reader, "unknown-medium", "",
                                 "a file of the format %s",
                                 (const char *) reader->name.data);
    }

    if (format->state_size != 0) {
        reader->state = pay_calloc(reader->arena, format->state_size);
        if (reader->state == NULL) {
            return PAY_NO_MEMORY;
        }
    }

    reader->format = format;
    PAY_TRY(format->lexer->open(reader));

    reader->stage = PAY_SETTLE_READING;
    reader->row_line = reader->line;

    return reader_pieces(reader, (pay_str_t) { len, reader->head });
}


/* NUL is refused where it stands: the bytes before it are read first, so that
 * the line is right. */
static pay_status_t
reader_pieces(pay_settle_reader_t *reader, pay_str_t bytes)
{
    size_t                n;
    const unsigned char  *nul = NULL;

    if (bytes.len != 0) {
        nul = memchr(bytes.data, '\0', bytes.len);
    }

    if (nul != NULL) {
        bytes.len = (size_t) (nul - bytes.data);
    }

    while (bytes.len != 0) {
        n = bytes.len < PAY_SETTLE_PIECE ? bytes.len : PAY_SETTLE_PIECE;
        PAY_TRY(reader->format->lexer->feed(reader,
                                            (pay_str_t) { n, bytes.data }));
        bytes.data += n;
        bytes.len -= n;
    }

    if (nul != NULL) {
        reader->row_line = reader->line;
        return pay_settle_refuse(reader, "nul", "", "no NUL byte");
    }

    return PAY_OK;
}


/* The first failure stays: a reader that has failed returns the same status
 * for ever. */
static pay_status_t
reader_stop(pay_settle_reader_t *reader, pay_status_t status)
{
    if (status != PAY_OK && reader->stage != PAY_SETTLE_FAILED) {
        reader->stage = PAY_SETTLE_FAILED;
        reader->status = status;
    }

    return status;
}


/* The first reason counts.  Later ones are mostly caused by it. */
static void
reader_say(pay_settle_reader_t *reader, int64_t line, const char *reason,
    const char *column, const char *expected, va_list args)
{
    size_t                 len;
    pay_settle_refusal_t  *refusal = &reader->refusal;

    if (reader->is_refused) {
        return;
    }

    reader->is_refused = 1;
    refusal->reason = reason;
    refusal->line = line;
    reader_copy(refusal->column, sizeof(refusal->column), column);

    if (pay_format_to(refusal->expected, PAY_SETTLE_WHAT_MAX - 1, &len,
                      expected, args)
        != PAY_OK)
    {
        len = 0;
    }

    refusal->expected[len < PAY_SETTLE_WHAT_MAX ? len : PAY_SETTLE_WHAT_MAX - 1]
        = '\0';
}


/* Names of columns come from the file and may be of any length. */
static void
reader_copy(char *to, size_t size, const char *from)
{
    size_t  len = strlen(from);

    if (len >= size) {
        len = size - 1;
    }

    memcpy(to, from, len);
    to[len] = '\0';
}
