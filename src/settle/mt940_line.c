/*
 * The lines of an MT940: :61:, whose parts follow each other without
 * separators, and the texts :86:, which each country writes its own way.
 *
 * A line and its parts:
 *
 *    2611231123CR6,50NTRFNONREF//B1
 *    │     │   │ │   │   │       └ bank's reference
 *    │     │   │ │   │   └ customer's reference (none)
 *    │     │   │ │   └ type: N, F or S and three letters
 *    │     │   │ └ amount
 *    │     │   └ C or D, RC, RD, EC, ED; the R of "CR" is EUR's last letter
 *    │     └ entry date MMDD, optional
 *    └ value date YYMMDD
 */

#include "settle/mt940.h"


#define LINE_DAY_S  86400

/* A mark for the side, and its sign. */
typedef struct {
    const char  *mark;
    int          sign;
} line_mark_t;


static int line_is_day(char day[11]);
static pay_status_t line_refuse(pay_settle_reader_t *reader);
static pay_status_t line_days(pay_settle_reader_t *reader, pay_str_t *rest,
    mt940_line_t *line);
static pay_status_t line_entry_day(pay_settle_reader_t *reader,
    pay_str_t digits, mt940_line_t *line);
static const line_mark_t *line_mark(pay_str_t *rest);
static int line_is_type(pay_str_t text);
static void line_refs(pay_str_t rest, mt940_line_t *line);
static pay_str_t line_cut(pay_str_t *rest, const char *end);
static void text_german(pay_str_t field, mt940_text_t *text);
static void text_plain(pay_str_t field, mt940_text_t *text);
static void text_add(char *to, size_t size, pay_str_t from);
static void text_find(mt940_text_t *text);
static int line_is_digits(pay_str_t text);


/* RC takes back a credit, so money goes; the longer marks come first. */
static const line_mark_t  marks[] = {
    { "RC", -1 }, { "RD", 1 }, { "EC", 1 }, { "ED", -1 },
    { "C", 1 }, { "D", -1 }, { NULL, 0 }
};

/* Each of these ends an end-to-end id in a text of the German kind. */
static const char *const  text_tags[] = {
    "KREF+", "MREF+", "CRED+", "DEBT+", "SVWZ+", "ABWA+", "ABWE+", "IBAN+",
    "BIC+", "COAM+", "OAMT+", "PURP+", "EREF+", NULL
};


/* value date, entry date?, mark, letter of the currency?, amount, type,
 * references: nothing separates them, so each part is recognised by its
 * letters or digits. */
pay_status_t
pay_settle_mt940_line(pay_settle_reader_t *reader, pay_str_t field,
    const pay_currency_t *currency, mt940_line_t *line)
{
    size_t              len = 0;
    pay_str_t           rest = field;
    const line_mark_t  *mark;

    memset(line, 0, sizeof(*line));

    PAY_TRY(line_days(reader, &rest, line));

    mark = line_mark(&rest);
    if (mark == NULL) {
        return line_refuse(reader);
    }

    pay_settle_mt940_copy(line->type, sizeof(line->type),
                          pay_str_of(mark->mark));

    /* the third letter of the currency may stand here: "CR300," */
    if (rest.len != 0 && rest.data[0] >= 'A' && rest.data[0] <= 'Z') {
        rest.data++;
        rest.len--;
    }

    while (len < rest.len && ((rest.data[len] >= '0' && rest.data[len] <= '9')
                              || rest.data[len] == ','))
    {
        len++;
    }

    PAY_TRY(pay_settle_amount(reader, &pay_settle_unit_mt940, ":61:",
                              (pay_str_t) { len, rest.data }, currency,
                              &line->minor));
    line->minor *= mark->sign;
    rest.data += len;
    rest.len -= len;

    if (!line_is_type(rest)) {
        return line_refuse(reader);
    }

    text_add(line->type, sizeof(line->type), PAY_STR(" "));
    text_add(line->type, sizeof(line->type), (pay_str_t) { 4, rest.data });
    line_refs((pay_str_t) { rest.len - 4, rest.data + 4 }, line);

    return PAY_OK;
}


/* Three digits and a "?" begin the German form; all others are plain text. */
void
pay_settle_mt940_text(pay_str_t field, mt940_text_t *text)
{
    size_t  at = 0;

    memset(text, 0, sizeof(*text));

    while (at < field.len && at < 3 && field.data[at] >= '0'
           && field.data[at] <= '9')
    {
        at++;
    }

    if (at == 3 && at < field.len && field.data[at] == '?') {
        text_german(field, text);

    } else {
        text_plain(field, text);
    }

    text_find(text);
}


/* YYMMDD; a year from 70 on is of the last century, so that it shows as an odd
 * day and not as a future one. */
pay_status_t
pay_settle_mt940_day(pay_settle_reader_t *reader, const char *column,
    pay_str_t digits, char *day)
{
    if (digits.len != 6 || !line_is_digits(digits)) {
        return pay_settle_refuse(reader, "time-invalid", column,
                                 "a day such as 261120");
    }

    memcpy(day, digits.data[0] >= '7' ? "19" : "20", 2);
    memcpy(day + 2, digits.data, 2);
    day[4] = '-';
    memcpy(day + 5, digits.data + 2, 2);
    day[7] = '-';
    memcpy(day + 8, digits.data + 4, 2);
    day[10] = '\0';

    if (!line_is_day(day)) {
        return pay_settle_refuse(reader, "time-invalid", column,
                                 "a day that exists");
    }

    return PAY_OK;
}


void
pay_settle_mt940_copy(char *to, size_t size, pay_str_t from)
{
    to[0] = '\0';
    text_add(to, size, pay_settle_trim(from));
}


/* Banks that count 30 days a month write 30 February, which is read as the
 * month's last day; *day is that then.  0: there is no such day. */
static int
line_is_day(char day[11])
{
    size_t  i;

    static const char *const  ends[] = { "30", "29", "28" };

    for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (pay_settle_is_day(pay_str_of(day))) {
            return 1;
        }

        if (strcmp(day + 8, ends[i]) > 0 && strcmp(day + 8, "31") <= 0) {
            memcpy(day + 8, ends[i], 2);
        }
    }

    return pay_settle_is_day(pay_str_of(day));
}


/* One message for all mistakes of the field: its parts cannot be recognised
 * any more once one of them is wrong. */
static pay_status_t
line_refuse(pay_settle_reader_t *reader)
{
    return pay_settle_refuse(reader, "line-invalid", ":61:",
                             "a line such as 2611201120CR12,00NTRFref");
}


/* The entry date is optional and has no year; without it the value date counts
 * for both. */
static pay_status_t
line_days(pay_settle_reader_t *reader, pay_str_t *rest, mt940_line_t *line)
{
    pay_str_t  digits;

    if (rest->len < 6) {
        return line_refuse(reader);
    }

    PAY_TRY(pay_settle_mt940_day(reader, ":61:",
                                 (pay_str_t) { 6, rest->data },
                                 line->value_on));
    rest->data += 6;
    rest->len -= 6;
    memcpy(line->booked_on, line->value_on, sizeof(line->booked_on));

    digits = (pay_str_t) { rest->len < 4 ? rest->len : 4, rest->data };

    if (digits.len != 4 || !line_is_digits(digits)) {
        return PAY_OK;
    }

    rest->data += 4;
    rest->len -= 4;

    return line_entry_day(reader, digits, line);
}


/* The entry date has no year: a line of 31 December may be entered on
 * 1 January, and the other way round. */
static pay_status_t
line_entry_day(pay_settle_reader_t *reader, pay_str_t digits,
    mt940_line_t *line)
{
    int                years, year;
    char               day[11];
    int64_t            distance, best = -1;
    pay_settle_when_t  value, entry;

    if (pay_settle_when(pay_str_of(line->value_on), &value) != PAY_OK) {
        return PAY_BUG;
    }

    for (years = -1; years <= 1; years++) {
        memcpy(day, line->value_on, sizeof(day));
        year = (day[0] - '0') * 1000 + (day[1] - '0') * 100
               + (day[2] - '0') * 10 + (day[3] - '0') + years;
        day[0] = (char) ('0' + year / 1000 % 10);
        day[1] = (char) ('0' + year / 100 % 10);
        day[2] = (char) ('0' + year / 10 % 10);
        day[3] = (char) ('0' + year % 10);
        memcpy(day + 5, digits.data, 2);
        memcpy(day + 8, digits.data + 2, 2);

        if (!line_is_day(day)
            || pay_settle_when(pay_str_of(day), &entry) != PAY_OK)
        {
            continue;
        }

        distance = entry.local_s - value.local_s;
        distance = distance < 0 ? -distance : distance;

        if (best < 0 || distance < best) {
            best = distance;
            memcpy(line->booked_on, day, sizeof(day));
        }
    }

    if (best < 0) {
        return pay_settle_refuse(reader, "time-invalid", ":61:",
                                 "an entry date such as 1120");
    }

    return PAY_OK;
}


/* NULL when none of the marks begins the text; *rest moves behind the one that
 * does. */
static const line_mark_t *
line_mark(pay_str_t *rest)
{
    size_t              len;
    const line_mark_t  *mark;

    for (mark = marks; mark->mark != NULL; mark++) {
        len = strlen(mark->mark);

        if (pay_settle_starts(*rest, mark->mark)) {
            rest->data += len;
            rest->len -= len;
            return mark;
        }
    }

    return NULL;
}


/* N, F or S and three letters or digits: "NTRF". */
static int
line_is_type(pay_str_t text)
{
    size_t  i;

    if (text.len < 4 || (text.data[0] != 'N' && text.data[0] != 'F'
                         && text.data[0] != 'S'))
    {
        return 0;
    }

    for (i = 1; i < 4; i++) {
        if (!(text.data[i] >= '0' && text.data[i] <= '9')
            && !(text.data[i] >= 'A' && text.data[i] <= 'Z'))
        {
            return 0;
        }
    }

    return 1;
}


/* customer's//bank's, then the details on a line of their own.  NONREF is
 * SWIFT's word for "none"; KREF+ says that the reference stands in the text. */
static void
line_refs(pay_str_t rest, mt940_line_t *line)
{
    pay_str_t  refs, customer, details = rest;

    refs = line_cut(&details, "\n");
    customer = line_cut(&refs, "//");

    if (!pay_settle_starts(customer, "NONREF")
        && !pay_settle_starts(customer, "KREF+"))
    {
        pay_settle_mt940_copy(line->customer_ref, sizeof(line->customer_ref),
                              customer);
    }

    pay_settle_mt940_copy(line->bank_ref, sizeof(line->bank_ref), refs);
    pay_settle_mt940_copy(line->details, sizeof(line->details),
                          line_cut(&details, "\n"));
}


/* The text before `end`; both are taken off *rest. */
static pay_str_t
line_cut(pay_str_t *rest, const char *end)
{
    size_t     at, len = strlen(end);
    pay_str_t  head;

    for (at = 0; at + len <= rest->len; at++) {
        if (memcmp(rest->data + at, end, len) == 0) {
            head = (pay_str_t) { at, rest->data };
            rest->data += at + len;
            rest->len -= at + len;
            return head;
        }
    }

    head = *rest;
    rest->data += rest->len;
    rest->len = 0;

    return head;
}


/* ?20 to ?29 and ?60 to ?63 are the text; names and accounts are left out.
 * Lines break within words and within "?20", so they are joined first.  The
 * first three digits are the bank's business code; ?00 is its name and ?10 its
 * batch number. */
static void
text_german(pay_str_t field, mt940_text_t *text)
{
    size_t         i, len = 0, kept = 0;
    unsigned       code = 0;
    unsigned char  joined[PAY_SETTLE_FIELD_MAX];

    for (i = 0; i < field.len && len < sizeof(joined); i++) {
        if (field.data[i] != '\n') {
            joined[len++] = field.data[i];
        }
    }

    for (i = 0; i < len; i++) {
        if (joined[i] == '?' && i + 2 < len
            && line_is_digits((pay_str_t) { 2, joined + i + 1 }))
        {
            code = (unsigned) (joined[i + 1] - '0') * 10 + (joined[i + 2]
                                                            - '0');
            i += 2;
            continue;
        }

        if ((code >= 20 && code <= 29) || (code >= 60 && code <= 63)) {
            joined[kept++] = joined[i];
        }
    }

    text_add(text->note, sizeof(text->note), (pay_str_t) { kept, joined });
}


/* Lines are joined without a blank, because banks break them anywhere. */
static void
text_plain(pay_str_t field, mt940_text_t *text)
{
    pay_str_t  rest = field;

    while (rest.len != 0) {
        text_add(text->note, sizeof(text->note), line_cut(&rest, "\n"));
    }
}


/* Cut between two characters of UTF-8; the result always ends with NUL. */
static void
text_add(char *to, size_t size, pay_str_t from)
{
    size_t  len = strlen(to);

    if (from.len > size - 1 - len) {
        from.len = size - 1 - len;

        while (from.len > 0 && (from.data[from.len] & 0xc0) == 0x80) {
            from.len--;
        }
    }

    if (from.len != 0) {
        memcpy(to + len, from.data, from.len);
    }

    to[len + from.len] = '\0';
}


/* The end-to-end id is the payer's own reference: EREF+ in the German form,
 * /EREF/ in the others.  NOTPROVIDED is SEPA's word for "none". */
static void
text_find(mt940_text_t *text)
{
    size_t              len;
    const char         *at, *end, *found;
    const char *const  *tag;

    at = strstr(text->note, "EREF+");

    if (at != NULL) {
        at += strlen("EREF+");
        end = at + strlen(at);

        for (tag = text_tags; *tag != NULL; tag++) {
            found = strstr(at, *tag);
            if (found != NULL && found < end) {
                end = found;
            }
        }

    } else {
        at = strstr(text->note, "/EREF/");
        if (at == NULL) {
            return;
        }

        at += strlen("/EREF/");
        end = at + strcspn(at, "/");
    }

    len = (size_t) (end - at);

    if (!(len == strlen("NOTPROVIDED")
          && memcmp(at, "NOTPROVIDED", len) == 0))
    {
        pay_settle_mt940_copy(text->end_to_end, sizeof(text->end_to_end),
                              (pay_str_t) { len, (unsigned char *) at });
    }
}


/* An empty text passes; callers check the length. */
static int
line_is_digits(pay_str_t text)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return 0;
        }
    }

    return 1;
}
