/*
 * Shared by the formats of settlement files: the reader, the four lexers that
 * cut bytes into records, amounts, times and statements.  src/payout reads
 * the answers of banks with it, src/cli the XML of sanctions lists; nothing
 * else outside src/settle includes this.
 *
 * A file on its way:
 *
 *    pay_settle_feed() ─ bytes ─▶ lexer ─ records ─▶ format ─ rows ─▶ caller
 *                         (csv, json, xml, swift)      │
 *                                      statements ◀────┘
 *    pay_settle_end() ─▶ lexer's end, format's finish()
 *    pay_settle_prove() ─▶ each statement's own figures against its rows
 *
 * A new format is the part in the middle; see docs/architecture.md#one-more.
 * Any function refuses the file by `return pay_settle_refuse(…)`: the first
 * reason is kept with its line.
 */

#ifndef PAY_SRC_SETTLE_H
#define PAY_SRC_SETTLE_H

#include "pay_json.h"
#include "pay_settle.h"


#define PAY_SETTLE_PIECE     4096      /* bytes that a lexer gets at once */
#define PAY_SETTLE_SCRATCH   (PAY_SETTLE_LINE_MAX + 8192)
#define PAY_SETTLE_CHUNK     64        /* statements allocated at once */
#define PAY_SETTLE_CHUNKS    (PAY_SETTLE_STATEMENTS_MAX / PAY_SETTLE_CHUNK)
#define PAY_SETTLE_EQUALS    16384     /* keys that are numbered; a power of
                                          two, filled up to the half */
#define PAY_SETTLE_FIELD_MAX 16384     /* of SWIFT, all lines of a tag */
#define PAY_SETTLE_DEPTH     24        /* of XML */
#define PAY_SETTLE_PATH_MAX  512

typedef struct pay_settle_lexer_s  pay_settle_lexer_t;

/* How a medium writes amounts. */
typedef struct {
    char      code[4];
    unsigned  decimals;
} pay_settle_decimals_t;

typedef struct {
    const char                   *name;        /* "stripe json" */
    unsigned char                 point;       /* '.', ',' or 0: none, an
                                                  integer of their minor
                                                  units */
    unsigned                      is_exact:1;  /* just the currency's decimals,
                                                  no fewer, no more */
    unsigned                      is_unsigned:1;
    unsigned                      is_unsure:1; /* without a point, and nobody
                                                  says how many decimals there
                                                  are but two: see
                                                  pay_settle_exponent_t */
    const pay_settle_decimals_t  *odd;         /* other than ISO 4217; ends
                                                  with "" */
} pay_settle_unit_t;

/* A column that is looked for by its name. */
typedef struct {
    const char  *name;
    int          is_required;
} pay_settle_column_t;

typedef struct {
    const pay_str_t            *field;         /* as they stand in the file */
    unsigned                    count;
    const pay_settle_column_t  *columns;
    const int16_t              *place;         /* of each column, -1: none */
} pay_settle_record_t;

/* A word of a PSP and its meaning. */
typedef struct {
    const char         *word;
    pay_settle_kind_t   kind;
} pay_settle_word_t;

/* A time as written. */
typedef struct {
    int64_t  local_s;                  /* as if it were UTC */
    int64_t  micro;
    int64_t  offset_s;                 /* east of UTC */
    int      has_offset;
    char     day[11];
} pay_settle_when_t;

struct pay_settle_format_s {
    const char                 *name;
    const char                 *medium;        /* "csv", "json", "xml",
                                                  "swift" */
    const pay_settle_lexer_t   *lexer;
    size_t                      state_size;    /* of reader->state, zeroed */

    /* CSV: `columns` NULL: there is no header, all rows go to record() */
    const pay_settle_column_t  *columns;
    pay_status_t  (*record)(pay_settle_reader_t *reader,
        const pay_settle_record_t *record);

    /* JSON: the elements of the arrays of these members of the top object,
     * or of the object `inside` it, one by one; then the rest of each
     * document, the arrays empty */
    const char *const          *lists;
    const char                 *inside;
    pay_status_t  (*item)(pay_settle_reader_t *reader, const char *list,
        const pay_json_t *item);
    pay_status_t  (*document)(pay_settle_reader_t *reader,
        const pay_json_t *rest);

    /* XML: the namespaces of the top element, one of which must be there;
     * local names, joined with '/'; the text of an element that has
     * none inside, and its attribute Ccy */
    const char *const          *namespaces;
    pay_status_t  (*opened)(pay_settle_reader_t *reader, const char *path);
    pay_status_t  (*closed)(pay_settle_reader_t *reader, const char *path,
        pay_str_t text, pay_str_t currency);

    /* SWIFT: the tag without colons, the text of its lines; "" and "": the
     * message has ended */
    pay_status_t  (*tag)(pay_settle_reader_t *reader, pay_str_t tag,
        pay_str_t text);

    /* after the last record; may be NULL */
    pay_status_t  (*finish)(pay_settle_reader_t *reader);
};

struct pay_settle_lexer_s {
    /* 1 when a file that begins with this byte is of this kind */
    int           (*fits)(unsigned char first);
    pay_status_t  (*open)(pay_settle_reader_t *reader);
    pay_status_t  (*feed)(pay_settle_reader_t *reader, pay_str_t bytes);
    pay_status_t  (*end)(pay_settle_reader_t *reader);
    void          (*close)(pay_settle_reader_t *reader);
};

typedef struct {
    uint64_t  hash;
    uint32_t  count;                   /* 0: free */
} pay_settle_equal_t;

/* The sums of one currency as footers count them, each above zero, in minor
 * units.  nets: the sums of all rows for which the balances of the footer hold,
 * since the two fees may stand in either order. */
typedef struct {
    const pay_currency_t  *currency;
    int64_t                rows;
    int64_t                gross_in;
    int64_t                gross_out;
    int64_t                fees[2];    /* of own rows: in, out */
    int64_t                nets[2];    /* of a footer */
    unsigned               net_count;
} pay_settle_page_sum_t;

#define PAY_SETTLE_PAGE_SUMS  64       /* currencies of a page */
#define PAY_SETTLE_PAGES_MAX  999      /* of a report */

/* A page of a report that comes in several files: the sums of its rows, and, on
 * the last one, those that it states for all pages. */
typedef struct {
    int64_t                number;
    int                    is_last;
    unsigned               own_count;
    unsigned               all_count;
    int64_t                all_rows;   /* 0: not stated */
    pay_settle_page_sum_t  own[PAY_SETTLE_PAGE_SUMS];
    pay_settle_page_sum_t  all[PAY_SETTLE_PAGE_SUMS];
} pay_settle_page_t;

typedef enum {
    PAY_SETTLE_AT_START = 0,           /* the format's medium is not known */
    PAY_SETTLE_READING,
    PAY_SETTLE_ENDED,
    PAY_SETTLE_FAILED
} pay_settle_stage_t;

struct pay_settle_reader_s {
    pay_arena_t                *arena;
    pay_str_t                   name;
    const pay_settle_format_t  *own;           /* that was opened, or NULL: by
                                                  its name */
    const pay_settle_format_t  *format;        /* NULL at the start */
    pay_settle_options_t        options;
    pay_settle_stage_t          stage;
    pay_status_t                status;        /* of PAY_SETTLE_FAILED */
    pay_settle_refusal_t        refusal;
    int                         is_refused;

    unsigned char               head[4];       /* until the medium is known */
    size_t                      head_len;

    int64_t                     line;          /* that is being read */
    int64_t                     row_line;      /* where the record begins */
    int64_t                     rows;
    int64_t                     skipped;

    const pay_settle_page_t    *page;          /* NULL: the whole report */
    pay_str_t                   batch;         /* empty: as its first statement
                                                  says */

    void                       *lex;           /* the lexer's own */
    void                       *state;         /* the format's own */

    pay_settle_statement_t     *chunk[PAY_SETTLE_CHUNKS];
    unsigned                    statements;
    unsigned                    latest;        /* found last */

    pay_settle_equal_t         *equals;
    unsigned                    equal_count;

    size_t                      scratch_len;
    unsigned char               scratch[PAY_SETTLE_SCRATCH];
};


extern const pay_settle_lexer_t  pay_settle_csv;
extern const pay_settle_lexer_t  pay_settle_json;
extern const pay_settle_lexer_t  pay_settle_xml;
extern const pay_settle_lexer_t  pay_settle_swift;

extern const pay_settle_format_t  pay_settle_adyen;
extern const pay_settle_format_t  pay_settle_camt;
extern const pay_settle_format_t  pay_settle_notice;   /* in no registry */
extern const pay_settle_format_t  pay_settle_generic;
extern const pay_settle_format_t  pay_settle_mollie;
extern const pay_settle_format_t  pay_settle_mt940;
extern const pay_settle_format_t  pay_settle_paypal;
extern const pay_settle_format_t  pay_settle_square;
extern const pay_settle_format_t  pay_settle_stripe_json;
extern const pay_settle_format_t  pay_settle_stripe_csv;

extern const pay_settle_unit_t  pay_settle_unit_adyen_csv;
extern const pay_settle_unit_t  pay_settle_unit_camt;
extern const pay_settle_unit_t  pay_settle_unit_generic;
extern const pay_settle_unit_t  pay_settle_unit_mollie;
extern const pay_settle_unit_t  pay_settle_unit_mt940;
extern const pay_settle_unit_t  pay_settle_unit_paypal;
extern const pay_settle_unit_t  pay_settle_unit_square;
extern const pay_settle_unit_t  pay_settle_unit_stripe_csv;
extern const pay_settle_unit_t  pay_settle_unit_stripe_json;

/* pay_settle_open() of a format that is in no registry. */
pay_status_t pay_settle_open_as(pay_arena_t *arena,
    const pay_settle_format_t *format, const pay_settle_options_t *options,
    pay_settle_reader_t **reader) PAY_MUST_CHECK;
/* The format of that name whose files begin with this byte; NULL: none. */
const pay_settle_format_t *pay_settle_format(pay_str_t name,
    unsigned char first);
/* The kind of a word, UNKNOWN when it is not in the table (ends with NULL). */
pay_settle_kind_t pay_settle_word(const pay_settle_word_t *words,
    pay_str_t word);
/* The kind of that name of ours, UNKNOWN: none. */
pay_settle_kind_t pay_settle_kind(pay_str_t name);

/* Refuses the file: PAY_INVALID.  `expected` is printf-like with only %s of our
 * own texts and of columns' names, %d, %lld.  A macro, so that the
 * analyzer sees the result in the caller. */
#define pay_settle_refuse(...)  (pay_settle_say(__VA_ARGS__), PAY_INVALID)
/* The same with line 0: it is about the file as a whole. */
#define pay_settle_refuse_file(...)                                           \
    (pay_settle_say_file(__VA_ARGS__), PAY_INVALID)

/* For the two macros: notes the refusal, of which the first one counts. */
void pay_settle_say(pay_settle_reader_t *reader, const char *reason,
    const char *column, const char *expected, ...)
    __attribute__((format(printf, 4, 5)));
void pay_settle_say_file(pay_settle_reader_t *reader, const char *reason,
    const char *column, const char *expected, ...)
    __attribute__((format(printf, 4, 5)));

/* ---- records */

/* The field of the n-th column of the table; empty when the file has none. */
pay_str_t pay_settle_field(const pay_settle_record_t *record, unsigned n);
/* Refuses a file that does not have the n-th column, which this row needs. */
pay_status_t pay_settle_needed(pay_settle_reader_t *reader,
    const pay_settle_record_t *record, unsigned n) PAY_MUST_CHECK;
/* Finds the columns in a header: refuses a required one that is missing and
 * one of ours that stands there twice. */
pay_status_t pay_settle_header(pay_settle_reader_t *reader,
    const pay_settle_column_t *columns, const pay_settle_record_t *header,
    int16_t *place) PAY_MUST_CHECK;

/* ---- rows and statements */

/* Zeroes the row, with line and empty texts. */
void pay_settle_row_init(pay_settle_reader_t *reader, pay_settle_row_t *row);
/* Checks the sums, counts the row into its statement, hands it out. */
pay_status_t pay_settle_emit(pay_settle_reader_t *reader,
    pay_settle_row_t *row) PAY_MUST_CHECK;
/* Finds the statement or makes it; refuses a foreign account.  The pointer
 * stays valid. */
pay_status_t pay_settle_statement_of(pay_settle_reader_t *reader,
    pay_str_t id, pay_str_t account, const pay_currency_t *currency,
    pay_settle_statement_t **statement, unsigned *index) PAY_MUST_CHECK;
pay_settle_statement_t *pay_settle_at(const pay_settle_reader_t *reader,
    unsigned n);
/* Widens the statement's days by this one. */
void pay_settle_day(pay_settle_statement_t *statement, pay_str_t day);
/* How many rows had this key before, this one included. */
pay_status_t pay_settle_equal(pay_settle_reader_t *reader, pay_str_t key,
    unsigned *count) PAY_MUST_CHECK;
/* Texts of the record that is being read, joined; they live until the next
 * record.  Longer than `max`: refused. */
pay_status_t pay_settle_join(pay_settle_reader_t *reader, const char *column,
    size_t max, pay_str_t *out, const pay_str_t *parts, unsigned count)
    PAY_MUST_CHECK;
/* A number as such a text. */
pay_status_t pay_settle_number(pay_settle_reader_t *reader, int64_t number,
    pay_str_t *out) PAY_MUST_CHECK;
/* Copies a text that must outlive its record, with a NUL behind it; without
 * room for it in `size` bytes it is refused. */
pay_status_t pay_settle_keep(pay_settle_reader_t *reader, const char *column,
    pay_str_t text, char *to, size_t size) PAY_MUST_CHECK;
/* At most PAY_SETTLE_TEXT_MAX bytes of it, whole characters. */
pay_str_t pay_settle_clip(pay_str_t text);
/* a + b, checked: too large is refused. */
pay_status_t pay_settle_add(pay_settle_reader_t *reader, int64_t *a,
    int64_t b) PAY_MUST_CHECK;
/* 1 when the bytes are UTF-8 without NUL. */
int pay_settle_is_utf8(pay_str_t text);
pay_str_t pay_settle_trim(pay_str_t text);
int pay_settle_starts(pay_str_t text, const char *start);

/* ---- amounts */

/* The currency of a code in either case; refused when unknown. */
pay_status_t pay_settle_currency(pay_settle_reader_t *reader,
    const char *column, pay_str_t code, const pay_currency_t **currency)
    PAY_MUST_CHECK;
/* The same without a reader: PAY_INVALID. */
pay_status_t pay_settle_currency_find(pay_str_t code,
    const pay_currency_t **currency) PAY_MUST_CHECK;
/* An amount as JSON has it, in this unit → our minor units, without a reader;
 * PAY_INVALID when it is none. */
pay_status_t pay_settle_amount_said(const pay_settle_unit_t *unit,
    const pay_json_t *said, const pay_currency_t *currency, int64_t *minor)
    PAY_MUST_CHECK;
/* The text of an amount in this unit → our minor units.  Empty text is
 * refused. */
pay_status_t pay_settle_amount(pay_settle_reader_t *reader,
    const pay_settle_unit_t *unit, const char *column, pay_str_t text,
    const pay_currency_t *currency, int64_t *minor) PAY_MUST_CHECK;
/* The same of the n-th column of the table; the file must have it. */
pay_status_t pay_settle_amount_at(pay_settle_reader_t *reader,
    const pay_settle_unit_t *unit, const pay_settle_record_t *record,
    unsigned n, const pay_currency_t *currency, int64_t *minor)
    PAY_MUST_CHECK;
/* The same as pay_settle_amount(), rounded half away from zero where digits
 * are left over, which adds one to *rounded. */
pay_status_t pay_settle_amount_round(pay_settle_reader_t *reader,
    const pay_settle_unit_t *unit, const char *column, pay_str_t text,
    const pay_currency_t *currency, int64_t *minor, int64_t *rounded)
    PAY_MUST_CHECK;
/* pay_settle_amount() of an integer of theirs. */
pay_status_t pay_settle_amount_of(pay_settle_reader_t *reader,
    const pay_settle_unit_t *unit, const char *column, int64_t theirs,
    const pay_currency_t *currency, int64_t *minor) PAY_MUST_CHECK;

/* ---- times */

/* "2026-11-20T10:00:00.5Z", "2026/11/20 10:00:00 +0100", without a zone and
 * without a time, too; PAY_INVALID for anything else. */
pay_status_t pay_settle_when(pay_str_t text, pay_settle_when_t *when)
    PAY_MUST_CHECK;
/* The UTC day of seconds since 1970, ten bytes; 0: out of range. */
int pay_settle_day_of(int64_t unix_s, unsigned char *day);
/* A day YYYY-MM-DD that exists. */
int pay_settle_is_day(pay_str_t text);
/* Fills the row's occurred_…; `zone` is a word ("PST") or empty.  A text that
 * is no time is refused. */
pay_status_t pay_settle_occurred(pay_settle_reader_t *reader,
    const char *column, pay_str_t text, pay_str_t zone, pay_settle_row_t *row)
    PAY_MUST_CHECK;
/* Seconds since 1970 as UTC. */
pay_status_t pay_settle_occurred_unix(pay_settle_reader_t *reader,
    const char *column, int64_t unix_s, pay_settle_row_t *row) PAY_MUST_CHECK;
/* Local time in a zone that a word names: 1 and *offset_s when the word
 * has one meaning at that time; *ambiguous when the hour comes twice or
 * never. */
int pay_settle_zone(pay_str_t word, int64_t local_s, int64_t *offset_s,
    int *ambiguous);

/* ---- JSON */

/* A string, an integer of a member; PAY_INVALID and refused when it is
 * missing or of another type. */
pay_status_t pay_settle_need_string(pay_settle_reader_t *reader,
    const pay_json_t *json, const char *member, pay_str_t *value)
    PAY_MUST_CHECK;
pay_status_t pay_settle_need_integer(pay_settle_reader_t *reader,
    const pay_json_t *json, const char *member, int64_t *value)
    PAY_MUST_CHECK;
/* A string, or the empty one. */
pay_str_t pay_settle_string(const pay_json_t *json, const char *member);
/* pay_settle_keep() of that. */
pay_status_t pay_settle_keep_member(pay_settle_reader_t *reader,
    const pay_json_t *json, const char *member, char *to, size_t size)
    PAY_MUST_CHECK;


#endif /* PAY_SRC_SETTLE_H */
