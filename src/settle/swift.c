/*
 * The text blocks of SWIFT's MT messages: lines, tags like :61: at their
 * beginning, continued on the next lines, a "-" at the end.  Lines of banks
 * before and between the messages are left out.  Bytes that are no UTF-8 are
 * read as ISO 8859-1.
 *
 *    byte … LF ─▶ line ─┬─ ":61:…"    a tag: the field before goes out
 *                       ├─ other text  belongs to the open field
 *                       ├─ "-", "-}"   the message ends
 *                       └─ before a tag, between messages: left out
 */

#include "settle/settle.h"


#define SWIFT_LINE_MAX  4096

/* The line and the field that are being read.  `utf8` holds a line that was
 * ISO 8859-1, where each byte may become two. */
typedef struct {
    size_t         line_len;
    size_t         field_len;
    size_t         tag_len;            /* 0: no field is open */
    int64_t        field_line;
    unsigned char  tag[4];
    unsigned char  line[SWIFT_LINE_MAX];
    unsigned char  field[PAY_SETTLE_FIELD_MAX];
    unsigned char  utf8[2 * SWIFT_LINE_MAX];
} swift_t;


static int swift_fits(unsigned char first);
static pay_status_t swift_open(pay_settle_reader_t *reader);
static pay_status_t swift_feed(pay_settle_reader_t *reader, pay_str_t bytes);
static pay_status_t swift_end(pay_settle_reader_t *reader);
static void swift_close(pay_settle_reader_t *reader);
static pay_status_t swift_line(pay_settle_reader_t *reader, swift_t *swift);
static pay_str_t swift_utf8(swift_t *swift, pay_str_t line);
static size_t swift_tag(pay_str_t line);
static pay_status_t swift_add(pay_settle_reader_t *reader, swift_t *swift,
    pay_str_t text);
static pay_status_t swift_flush(pay_settle_reader_t *reader, swift_t *swift);
static pay_status_t swift_message_end(pay_settle_reader_t *reader,
    swift_t *swift);


const pay_settle_lexer_t  pay_settle_swift = {
    swift_fits, swift_open, swift_feed, swift_end, swift_close
};


/* Anything but XML and an array: MT940 begins with '{', ':' or a line of the
 * bank's. */
static int
swift_fits(unsigned char first)
{
    return first != '<' && first != '[';
}


static pay_status_t
swift_open(pay_settle_reader_t *reader)
{
    reader->lex = pay_calloc(reader->arena, sizeof(swift_t));

    return reader->lex != NULL ? PAY_OK : PAY_NO_MEMORY;
}


/* Lines are bounded, so that a file without line ends cannot grow the
 * memory. */
static pay_status_t
swift_feed(pay_settle_reader_t *reader, pay_str_t bytes)
{
    size_t    i;
    swift_t  *swift = reader->lex;

    for (i = 0; i < bytes.len; i++) {
        if (bytes.data[i] == '\n') {
            PAY_TRY(swift_line(reader, swift));
            reader->line++;
            continue;
        }

        if (swift->line_len == sizeof(swift->line)) {
            reader->row_line = reader->line;
            return pay_settle_refuse(reader, "line-too-long", "",
                                     "lines of at most %d bytes",
                                     SWIFT_LINE_MAX);
        }

        swift->line[swift->line_len++] = bytes.data[i];
    }

    return PAY_OK;
}


/* The last line may have no end. */
static pay_status_t
swift_end(pay_settle_reader_t *reader)
{
    swift_t  *swift = reader->lex;

    if (swift->line_len != 0) {
        PAY_TRY(swift_line(reader, swift));
    }

    return swift_message_end(reader, swift);
}


static void
swift_close(pay_settle_reader_t *reader)
{
    (void) reader;
}


/* A block {1:, {2: or {4: begins a message where the bank has left the "-"
 * out. */
static pay_status_t
swift_line(pay_settle_reader_t *reader, swift_t *swift)
{
    size_t     tag;
    pay_str_t  line = { swift->line_len, swift->line };

    swift->line_len = 0;

    if (line.len != 0 && line.data[line.len - 1] == '\r') {
        line.len--;
    }

    line = swift_utf8(swift, line);

    if (pay_str_is(line, "-") || pay_settle_starts(line, "-}")) {
        return swift_message_end(reader, swift);
    }

    if (pay_settle_starts(line, "{1:") || pay_settle_starts(line, "{2:")
        || pay_settle_starts(line, "{4:"))
    {
        return swift_message_end(reader, swift);
    }

    tag = swift_tag(line);
    if (tag == 0) {
        return swift->tag_len != 0 ? swift_add(reader, swift, line) : PAY_OK;
    }

    PAY_TRY(swift_flush(reader, swift));

    swift->tag_len = tag - 2;
    memcpy(swift->tag, line.data + 1, swift->tag_len);
    swift->field_line = reader->line;

    return swift_add(reader, swift,
                     (pay_str_t) { line.len - tag, line.data + tag });
}


/* The line as UTF-8.  MT940 has no way to say its encoding, so bytes
 * that are valid UTF-8 are taken for it. */
static pay_str_t
swift_utf8(swift_t *swift, pay_str_t line)
{
    size_t  i, len = 0;

    if (pay_settle_is_utf8(line)) {
        return line;
    }

    for (i = 0; i < line.len; i++) {
        if (line.data[i] < 0x80) {
            swift->utf8[len++] = line.data[i];
            continue;
        }

        swift->utf8[len++] = (unsigned char) (0xc0 | line.data[i] >> 6);
        swift->utf8[len++] = (unsigned char) (0x80 | (line.data[i] & 0x3f));
    }

    return (pay_str_t) { len, swift->utf8 };
}


/* The length of ":61:" or ":60F:" at the beginning, 0: none. */
static size_t
swift_tag(pay_str_t line)
{
    size_t  at = 3;

    if (line.len < 4 || line.data[0] != ':'
        || line.data[1] < '0' || line.data[1] > '9'
        || line.data[2] < '0' || line.data[2] > '9')
    {
        return 0;
    }

    if (line.data[at] >= 'A' && line.data[at] <= 'Z') {
        at++;
    }

    return (at < line.len && line.data[at] == ':') ? at + 1 : 0;
}


/* Lines of a field keep their LF between them. */
static pay_status_t
swift_add(pay_settle_reader_t *reader, swift_t *swift, pay_str_t text)
{
    int  is_more = reader->line != swift->field_line;

    if (text.len + 1 > sizeof(swift->field) - swift->field_len) {
        reader->row_line = reader->line;
        return pay_settle_refuse(reader, "line-too-long", "",
                                 "fields of at most %d bytes",
                                 PAY_SETTLE_FIELD_MAX);
    }

    if (is_more) {
        swift->field[swift->field_len++] = '\n';
    }

    if (text.len != 0) {
        memcpy(swift->field + swift->field_len, text.data, text.len);
        swift->field_len += text.len;
    }

    return PAY_OK;
}


/* Hands the field out once; row_line is where its tag stands. */
static pay_status_t
swift_flush(pay_settle_reader_t *reader, swift_t *swift)
{
    pay_str_t  tag = { swift->tag_len, swift->tag };
    pay_str_t  text = { swift->field_len, swift->field };

    if (tag.len == 0) {
        return PAY_OK;
    }

    swift->tag_len = 0;
    swift->field_len = 0;
    reader->row_line = swift->field_line;

    return reader->format->tag(reader, tag, text);
}


/* The format is asked at each end, also where no message was open. */
static pay_status_t
swift_message_end(pay_settle_reader_t *reader, swift_t *swift)
{
    PAY_TRY(swift_flush(reader, swift));

    reader->row_line = reader->line;

    return reader->format->tag(reader, PAY_STR(""), PAY_STR(""));
}
