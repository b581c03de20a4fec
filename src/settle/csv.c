/*
 * CSV, by libcsv in its strict mode: RFC 4180 with CRLF or LF.  This file is
 * the only one that knows libcsv.  A record is bounded, its fields are UTF-8,
 * and all records have as many fields as the header (formats without a header
 * judge that themselves).
 *
 *    bytes ─▶ lines (bounded) ─▶ libcsv ─▶ field, field … ─▶ record
 *      first record: the header, when the format has columns
 *      others: format->record(), with `place` to find a column's field
 */

#include <csv.h>

#include "settle/settle.h"


/* The parser's state and the record that is being read.
 * - raw: bytes of the record as they stand in the file, quotes and separators
 *   included: the limit counts these
 * - place: for each column of the format, its field in this file; filled by
 *   the header
 * - field: slices of `text`, valid until the record has been handed on */
typedef struct {
    pay_settle_reader_t  *reader;
    struct csv_parser     parser;
    pay_status_t          status;
    size_t                raw;         /* bytes of the record so far */
    int                   after_cr;    /* a record's, that an LF must follow */
    size_t                len;         /* of text */
    unsigned              count;
    unsigned              width;       /* of the header; 0: not seen */
    int16_t               place[PAY_SETTLE_COLUMNS_MAX];
    pay_str_t             field[PAY_SETTLE_COLUMNS_MAX];
    unsigned char         text[PAY_SETTLE_LINE_MAX];
} csv_t;


static int csv_fits(unsigned char first);
static pay_status_t csv_open(pay_settle_reader_t *reader);
static pay_status_t csv_feed(pay_settle_reader_t *reader, pay_str_t bytes);
static pay_status_t csv_line(pay_settle_reader_t *reader, csv_t *csv,
    pay_str_t bytes);
static pay_status_t csv_end(pay_settle_reader_t *reader);
static void csv_close(pay_settle_reader_t *reader);
static void csv_field(void *text, size_t len, void *data);
static void csv_record(int terminator, void *data);
static pay_status_t csv_take(csv_t *csv);
static int csv_no_space(unsigned char c);


const pay_settle_lexer_t  pay_settle_csv = {
    csv_fits, csv_open, csv_feed, csv_end, csv_close
};


/* A column that the file does not have reads like an empty field: optional
 * columns need no second path. */
pay_str_t
pay_settle_field(const pay_settle_record_t *record, unsigned n)
{
    int16_t  place = record->place[n];

    return (place < 0 || (unsigned) place >= record->count)
           ? PAY_STR("") : record->field[place];
}


/* A row may need a column that most files do without: the amount beside a
 * currency.  The reason is the header's, so that nobody looks for a wrong
 * amount where there is none. */
pay_status_t
pay_settle_needed(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, unsigned n)
{
    return record->place[n] >= 0
           ? PAY_OK : pay_settle_refuse(reader, "column-missing",
                                        record->columns[n].name,
                                        "a column of this name");
}


/* Names are compared byte by byte, in any order; other columns are ignored,
 * since PSPs add them without notice. */
pay_status_t
pay_settle_header(pay_settle_reader_t *reader,
    const pay_settle_column_t *columns, const pay_settle_record_t *header,
    int16_t *place)
{
    unsigned  i, n;

    for (n = 0; columns[n].name != NULL; n++) {
        place[n] = -1;

        for (i = 0; i < header->count; i++) {
            if (!pay_str_is(header->field[i], columns[n].name)) {
                continue;
            }

            if (place[n] >= 0) {
                return pay_settle_refuse(reader, "column-doubled",
                                         columns[n].name, "this column once");
            }

            place[n] = (int16_t) i;
        }

        if (place[n] < 0 && columns[n].is_required) {
            return pay_settle_refuse(reader, "column-missing",
                                     columns[n].name,
                                     "a column of this name");
        }
    }

    return PAY_OK;
}


/* Anything that is not the beginning of JSON or XML. */
static int
csv_fits(unsigned char first)
{
    return first != '{' && first != '[' && first != '<';
}


/* `place`, `field` and `text` are not cleared: each is written before it is
 * read, and 64 KiB need not be touched for each file. */
static pay_status_t
csv_open(pay_settle_reader_t *reader)
{
    csv_t  *csv = pay_alloc(reader->arena, sizeof(*csv));

    if (csv == NULL) {
        return PAY_NO_MEMORY;
    }

    memset(csv, 0, offsetof(csv_t, place));
    csv->reader = reader;

    if (csv_init(&csv->parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        return PAY_NO_MEMORY;
    }

    /* to RFC 4180 a blank is a character like others */
    csv_set_space_func(&csv->parser, csv_no_space);
    reader->lex = csv;

    return PAY_OK;
}


/* Up to each LF, so that the line of a record and of an error is known, and to
 * each CR: a record ends with a piece, never within one, in whatever pieces the
 * file comes. */
static pay_status_t
csv_feed(pay_settle_reader_t *reader, pay_str_t bytes)
{
    size_t                n;
    const unsigned char  *end;

    while (bytes.len != 0) {
        end = memchr(bytes.data, '\n', bytes.len);
        n = end != NULL ? (size_t) (end - bytes.data) + 1 : bytes.len;
        end = memchr(bytes.data, '\r', n);
        n = end != NULL ? (size_t) (end - bytes.data) + 1 : n;

        PAY_TRY(csv_line(reader, reader->lex, (pay_str_t) { n, bytes.data }));

        reader->line += bytes.data[n - 1] == '\n';
        bytes.data += n;
        bytes.len -= n;
    }

    return PAY_OK;
}


/* A quoted field may hold line ends, so a record may have several lines; the
 * limit counts them all.  libcsv would take a CR alone for a line end. */
static pay_status_t
csv_line(pay_settle_reader_t *reader, csv_t *csv, pay_str_t bytes)
{
    if (csv->after_cr && bytes.data[0] != '\n') {
        return pay_settle_refuse(reader, "csv-invalid", "",
                                 "line ends of LF or CRLF");
    }

    if (csv->raw == 0) {
        reader->row_line = reader->line;
        csv->after_cr = bytes.data[0] == '\r';

        /* the LF of a CRLF, an empty line */
        if (bytes.len == 1 && (csv->after_cr || bytes.data[0] == '\n')) {
            return PAY_OK;
        }
    }

    csv->raw += bytes.len;
    if (csv->raw > PAY_SETTLE_LINE_MAX) {
        return pay_settle_refuse(reader, "line-too-long", "",
                                 "records of at most %d bytes",
                                 PAY_SETTLE_LINE_MAX);
    }

    if (csv_parse(&csv->parser, bytes.data, bytes.len, csv_field, csv_record,
                  csv)
        != bytes.len)
    {
        return csv_error(&csv->parser) == CSV_EPARSE
               ? pay_settle_refuse(reader, "csv-invalid", "",
                                   "quotes around whole fields, and doubled "
                                   "within them")
               : PAY_NO_MEMORY;
    }

    return csv->status;
}


/* CSV_STRICT_FINI makes a quoted field that is still open an error: the file
 * was cut. */
static pay_status_t
csv_end(pay_settle_reader_t *reader)
{
    csv_t  *csv = reader->lex;

    if (csv_fini(&csv->parser, csv_field, csv_record, csv) != 0) {
        return csv_error(&csv->parser) == CSV_EPARSE
               ? pay_settle_refuse(reader, "csv-invalid", "",
                                   "an end of the quoted field")
               : PAY_NO_MEMORY;
    }

    PAY_TRY(csv->status);

    if (reader->format->columns != NULL && csv->width == 0) {
        return pay_settle_refuse(reader, "empty", "", "a header");
    }

    return PAY_OK;
}


static void
csv_close(pay_settle_reader_t *reader)
{
    csv_free(&((csv_t *) reader->lex)->parser);
}


/* libcsv calls this in the middle of a parse and cannot be stopped, so a
 * refusal is kept in `status` and looked at behind the parse. */
static void
csv_field(void *text, size_t len, void *data)
{
    csv_t      *csv = data;
    pay_str_t   field = { len, csv->text + csv->len };

    if (csv->status != PAY_OK) {
        return;
    }

    if (csv->count == PAY_SETTLE_COLUMNS_MAX
        || len > sizeof(csv->text) - csv->len)
    {
        csv->status = pay_settle_refuse(csv->reader, "too-many", "",
                                        "at most %d columns",
                                        PAY_SETTLE_COLUMNS_MAX);
        return;
    }

    if (len != 0) {
        memcpy(csv->text + csv->len, text, len);
    }

    csv->len += len;
    csv->field[csv->count++] = field;

    if (!pay_settle_is_utf8(field)) {
        csv->status = pay_settle_refuse(csv->reader, "not-utf8", "",
                                        "UTF-8");
    }
}


/* The buffers are free again after each record, refused or not. */
static void
csv_record(int terminator, void *data)
{
    csv_t  *csv = data;

    if (csv->status == PAY_OK) {
        csv->status = csv_take(csv);
    }

    csv->after_cr = terminator == '\r';
    csv->raw = 0;
    csv->len = 0;
    csv->count = 0;
}


/* The first record is the header; from then on each record must be as wide,
 * because a missing field would shift amounts into other columns. */
static pay_status_t
csv_take(csv_t *csv)
{
    pay_settle_reader_t        *reader = csv->reader;
    const pay_settle_format_t  *format = reader->format;
    pay_settle_record_t         record;

    record.field = csv->field;
    record.count = csv->count;
    record.columns = format->columns;
    record.place = csv->place;
    reader->scratch_len = 0;

    if (format->columns == NULL) {
        return format->record(reader, &record);
    }

    if (csv->width == 0) {
        csv->width = csv->count;
        return pay_settle_header(reader, format->columns, &record,
                                 csv->place);
    }

    if (csv->count != csv->width) {
        return pay_settle_refuse(reader, "field-count", "",
                                 "%d fields as in the header",
                                 (int) csv->width);
    }

    return format->record(reader, &record);
}


/* libcsv takes blanks around fields off unless no byte counts as one. */
static int
csv_no_space(unsigned char c)
{
    (void) c;

    return 0;
}
