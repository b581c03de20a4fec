/*
 * Reads the CSV files of OFAC and of the EU; sdn.xml is for sanctions_xml.c.
 * Both have quotes within fields that are not doubled, so that a strict reader
 * refuses them: a field ends with a quote that a separator or an end of line
 * follows.
 */

#include "cli/sanctions.h"

#include <string.h>


#define FIELDS_MAX  128
#define SDN_FIELDS  12                 /* the name is the second */
#define ALT_FIELDS  5                  /* the name is the fourth */
#define END_OF_FILE 0x1a               /* on the last line of OFAC's files */

typedef struct {
    pay_str_t  field[FIELDS_MAX];
    unsigned   count;
} record_t;


static int next_record(pay_str_t *rest, unsigned char separator,
    record_t *record);
static int next_field(pay_str_t *rest, unsigned char separator,
    pay_str_t *field);
static int is_end(pay_str_t text, size_t at, unsigned char separator);
static pay_status_t read_ofac(pay_arena_t *arena, unsigned fields,
    const record_t *record, pay_sanctions_t *to, const char **wrong);
static pay_status_t read_eu(pay_arena_t *arena, const record_t *head,
    const record_t *record, pay_sanctions_t *to, const char **wrong);
static int place_of(const record_t *head, const char *name);


pay_status_t
pay_sanctions_read(pay_arena_t *arena, pay_str_t file,
    pay_sanctions_format_t format, pay_sanctions_t *to, const char **wrong)
{
    size_t         records = 0;
    record_t       head, record;
    unsigned       fields = 0;
    pay_status_t   status = PAY_OK;
    unsigned char  separator = (format == PAY_SANCTIONS_EU) ? ';' : ',';

    *wrong = "the file has no name";

    if (file.len >= 3 && memcmp(file.data, "\xEF\xBB\xBF", 3) == 0) {
        file.data += 3;
        file.len -= 3;
    }

    if (format == PAY_SANCTIONS_OFAC && file.len > 0 && file.data[0] == '<') {
        return pay_sanctions_read_xml(arena, file, to, wrong);
    }

    if (format == PAY_SANCTIONS_EU
        && (!next_record(&file, separator, &head)
            || place_of(&head, "Entity_LogicalId") < 0
            || place_of(&head, "NameAlias_WholeName") < 0))
    {
        *wrong = "the header has no Entity_LogicalId or NameAlias_WholeName";
        return PAY_INVALID;
    }

    while (status == PAY_OK && file.len > 0
           && next_record(&file, separator, &record))
    {
        if (record.count == 1
            && (record.field[0].len == 0
                || record.field[0].data[0] == END_OF_FILE))
        {
            continue;
        }

        if (records++ == 0) {
            fields = record.count;
        }

        status = (format == PAY_SANCTIONS_EU)
                 ? read_eu(arena, &head, &record, to, wrong)
                 : read_ofac(arena, fields, &record, to, wrong);
    }

    if (status == PAY_OK && file.len > 0) {
        *wrong = "a record is not closed, or has too many fields";
        return PAY_INVALID;
    }

    if (format == PAY_SANCTIONS_OFAC && fields == ALT_FIELDS) {
        to->aliases++;

    } else if (records > 0 || format == PAY_SANCTIONS_EU) {
        to->entries++;
    }

    return status;
}


pay_status_t
pay_sanctions_complete(const pay_sanctions_t *to,
    pay_sanctions_format_t format, const char **wrong)
{
    if (format == PAY_SANCTIONS_EU) {
        *wrong = "the list of the EU is one FILE";
        return to->entries == 1 ? PAY_OK : PAY_INVALID;
    }

    *wrong = "the list of OFAC takes sdn.xml alone, or sdn.csv and alt.csv, "
             "once each: without alt.csv no alias would be compared";

    return to->entries == 1 && to->aliases == 1 ? PAY_OK : PAY_INVALID;
}


/* 0: its quotes are not closed, or it has too many fields. */
static int
next_record(pay_str_t *rest, unsigned char separator, record_t *record)
{
    int  more;

    record->count = 0;

    do {
        if (record->count == FIELDS_MAX) {
            return 0;
        }

        more = next_field(rest, separator, &record->field[record->count++]);
    } while (more > 0);

    return more == 0;
}


/* 1: another one follows in this record; 0: none; -1: it is not closed. */
static int
next_field(pay_str_t *rest, unsigned char separator, pay_str_t *field)
{
    size_t  i = 0, from = 0;
    int     is_quoted = rest->len > 0 && rest->data[0] == '"';

    if (is_quoted) {
        for (i = from = 1; i < rest->len; i++) {
            if (rest->data[i] == '"' && is_end(*rest, i + 1, separator)) {
                break;
            }
        }

        if (i == rest->len) {
            return -1;
        }

    } else {
        while (!is_end(*rest, i, separator)) {
            i++;
        }
    }

    *field = (pay_str_t) { i - from, rest->data + from };
    i += is_quoted;

    if (i < rest->len && rest->data[i] == separator) {
        *rest = (pay_str_t) { rest->len - i - 1, rest->data + i + 1 };
        return 1;
    }

    i += i < rest->len && rest->data[i] == '\r';
    i += i < rest->len && rest->data[i] == '\n';
    *rest = (pay_str_t) { rest->len - i, rest->data + i };

    return 0;
}


static int
is_end(pay_str_t text, size_t at, unsigned char separator)
{
    return at >= text.len || text.data[at] == separator
           || text.data[at] == '\r' || text.data[at] == '\n';
}


/* fields: of the first record, which all others have, too. */
static pay_status_t
read_ofac(pay_arena_t *arena, unsigned fields, const record_t *record,
    pay_sanctions_t *to, const char **wrong)
{
    if ((fields != SDN_FIELDS && fields != ALT_FIELDS)
        || record->count != fields || !pay_sanctions_is_id(record->field[0]))
    {
        *wrong = "a record is neither of sdn.csv (12 fields) nor of alt.csv "
                 "(5), or the file has both";
        return PAY_INVALID;
    }

    return pay_sanctions_add(arena, record->field[0],
                             record->field[fields == SDN_FIELDS ? 1 : 3],
                             to);
}


/* A row for each name, address, birthday …: most have no name. */
static pay_status_t
read_eu(pay_arena_t *arena, const record_t *head, const record_t *record,
    pay_sanctions_t *to, const char **wrong)
{
    unsigned  id = (unsigned) place_of(head, "Entity_LogicalId");
    unsigned  name = (unsigned) place_of(head, "NameAlias_WholeName");

    if (record->count != head->count
        || !pay_sanctions_is_id(record->field[id]))
    {
        *wrong = "a record has not the fields of the header";
        return PAY_INVALID;
    }

    return pay_sanctions_add(arena, record->field[id], record->field[name],
                             to);
}


/* -1: there is no such column. */
static int
place_of(const record_t *head, const char *name)
{
    unsigned  i;

    for (i = 0; i < head->count; i++) {
        if (pay_str_is(head->field[i], name)) {
            return (int) i;
        }
    }

    return -1;
}
