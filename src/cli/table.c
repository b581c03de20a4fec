/*
 * Tables, records and safe text on a terminal, see table.h.
 */

#include "cli/table.h"
#include "cli/cli.h"
#include "cli/db.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


/* Longer cells would push the columns behind them off the screen; a record
 * shows them whole. */
#define TABLE_CELL     120
#define TABLE_COLUMNS  32
#define TABLE_SQL      8192


static PGresult *list_rows(PGconn *conn, const pay_cli_list_t *list,
    const char *const *values);
static void put_csv(const char *text, int is_last);
static int list_is_known(PGconn *conn, const pay_cli_list_t *list,
    const char *const *values);
static size_t table_next(const char **text, uint32_t *code);
static int table_is_control(uint32_t code);
static void table_line(const PGresult *rows, int row, const size_t *widths,
    int count);


/* Bytes of strangers (webhooks, ids, reasons) reach an operator's terminal
 * only through here: an escape sequence in them could hide a line or type a
 * command. */
size_t
pay_cli_put(FILE *out, const char *text, size_t max)
{
    size_t       n, len;
    uint32_t     code;
    const char  *at;

    for (n = 0; n < max && *text != '\0'; n++) {
        at = text;
        len = table_next(&text, &code);

        if (table_is_control(code)) {
            fputc('?', out);

        } else {
            fwrite(at, 1, len, out);
        }
    }

    return n;
}


/* Characters, not columns: wide characters are rare here and only bend the
 * table. */
size_t
pay_cli_width(const char *text, size_t max)
{
    size_t    n;
    uint32_t  code;

    for (n = 0; n < max && *text != '\0'; n++) {
        (void) table_next(&text, &code);
    }

    return n;
}


/* Two passes, since the width of a column is that of its longest cell. */
void
pay_cli_table(const PGresult *rows)
{
    int     i, row, count;
    size_t  width, widths[TABLE_COLUMNS];

    count = PQnfields(rows);
    count = count < TABLE_COLUMNS ? count : TABLE_COLUMNS;

    for (i = 0; i < count; i++) {
        widths[i] = pay_cli_width(PQfname(rows, i), TABLE_CELL);

        for (row = 0; row < PQntuples(rows); row++) {
            width = pay_cli_width(PQgetvalue(rows, row, i), TABLE_CELL);
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }

    for (row = -1; row < PQntuples(rows); row++) {
        table_line(rows, row, widths, count);
    }
}


/* For one row: names are aligned, values are whole. */
void
pay_cli_record(const PGresult *rows, int row)
{
    int     i;
    size_t  width, widest;

    widest = 0;

    for (i = 0; i < PQnfields(rows); i++) {
        width = pay_cli_width(PQfname(rows, i), TABLE_CELL);
        widest = width > widest ? width : widest;
    }

    for (i = 0; i < PQnfields(rows); i++) {
        if (PQgetlength(rows, row, i) == 0) {
            continue;
        }

        width = pay_cli_put(stdout, PQfname(rows, i), TABLE_CELL);
        printf("%*s", (int) (widest - width) + 2, "");
        (void) pay_cli_put(stdout, PQgetvalue(rows, row, i), SIZE_MAX);
        putchar('\n');
    }
}


/* The exit code says whether there was a row, so that scripts need not parse a
 * table. */
int
pay_cli_list(const pay_cli_list_t *list, const char *dsn,
    const char *const *values)
{
    int        code;
    PGconn    *conn;
    PGresult  *rows;

    conn = pay_cli_connect(dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    rows = list_rows(conn, list, values);

    if (rows == NULL) {
        code = PAY_CLI_USAGE;

    } else if (PQntuples(rows) > 0) {
        pay_cli_table(rows);
        code = PAY_CLI_OK;

    } else {
        code = list->code;
        fprintf(code == PAY_CLI_OK ? stdout : stderr, "%s\n", list->none);
    }

    PQclear(rows);
    PQfinish(conn);

    return code;
}


/* The query becomes a subquery, so that table and JSON show the same columns
 * under the same names. */
int
pay_cli_list_json(const pay_cli_list_t *list, const char *dsn,
    const char *const *values)
{
    int        code = PAY_CLI_USAGE;
    char       sql[TABLE_SQL];
    PGconn    *conn;
    PGresult  *rows;

    conn = pay_cli_connect(dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    /* one line: a line end within a text is escaped */
    snprintf(sql, sizeof(sql), "SELECT replace(coalesce(json_agg(q), '[]')"
             "::text, chr(10), ''), count(*) FROM (%s) q", list->sql);

    rows = list_is_known(conn, list, values)
           ? pay_cli_query(conn, list->what, sql, list->count, values) : NULL;

    if (rows != NULL) {
        (void) pay_cli_put(stdout, PQgetvalue(rows, 0, 0), SIZE_MAX);
        putchar('\n');
        code = strcmp(PQgetvalue(rows, 0, 1), "0") == 0 ? list->code
                                                        : PAY_CLI_OK;
    }

    PQclear(rows);
    PQfinish(conn);

    return code;
}


int
pay_cli_list_csv(const pay_cli_list_t *list, const char *dsn,
    const char *const *values)
{
    int        row, column, code = PAY_CLI_USAGE;
    PGconn    *conn;
    PGresult  *rows;

    conn = pay_cli_connect(dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    rows = list_rows(conn, list, values);

    if (rows != NULL) {
        code = PQntuples(rows) > 0 ? PAY_CLI_OK : list->code;

        /* row -1: the names */
        for (row = -1; row < PQntuples(rows); row++) {
            for (column = 0; column < PQnfields(rows); column++) {
                put_csv(row < 0 ? PQfname(rows, column)
                                : PQgetvalue(rows, row, column),
                        column == PQnfields(rows) - 1);
            }
        }
    }

    PQclear(rows);
    PQfinish(conn);

    return code;
}


/* A filter that names nothing is a mistake of the call, not an empty list:
 * NULL, as after a query that has failed. */
static PGresult *
list_rows(PGconn *conn, const pay_cli_list_t *list, const char *const *values)
{
    return list_is_known(conn, list, values)
           ? pay_cli_query(conn, list->what, list->sql, list->count, values)
           : NULL;
}


static void
put_csv(const char *text, int is_last)
{
    int  quotes = strpbrk(text, ",\"\r\n") != NULL;

    if (quotes) {
        putchar('"');
    }

    for ( /* void */ ; *text != '\0'; text++) {
        if (*text == '"') {
            putchar('"');
        }

        putchar(*text);
    }

    if (quotes) {
        putchar('"');
    }

    fputs(is_last ? "\n" : ",", stdout);
}


/* A misspelt name of a merchant would print an empty list, which reads as good
 * news. */
static int
list_is_known(PGconn *conn, const pay_cli_list_t *list,
    const char *const *values)
{
    int                      known;
    PGresult                *rows;
    const pay_cli_filter_t  *filter = list->filters;

    for ( /* void */ ; filter != NULL && filter->value >= 0; filter++) {
        if (values[filter->value] == NULL) {
            continue;
        }

        rows = pay_cli_query(conn, list->what, filter->known, 1,
                             &values[filter->value]);
        if (rows == NULL) {
            return 0;
        }

        known = strcmp(PQgetvalue(rows, 0, 0), "t") == 0;
        PQclear(rows);

        if (!known) {
            fprintf(stderr, "payctl: %s: no %s \"%s\" %s\n", list->what,
                    filter->what, values[filter->value], filter->lacks);
            return 0;
        }
    }

    return 1;
}


/* row -1: the head */
static void
table_line(const PGresult *rows, int row, const size_t *widths, int count)
{
    int          i, pad;
    size_t       n;
    const char  *cell;

    for (i = 0, pad = 0; i < count; i++) {
        cell = row < 0 ? PQfname(rows, i) : PQgetvalue(rows, row, i);

        if (*cell != '\0') {
            printf("%*s", pad, "");
            pad = 0;
        }

        n = pay_cli_put(stdout, cell, TABLE_CELL);
        pad += (int) (widths[i] - n) + 2;
    }

    putchar('\n');
}


/* The character at *text, which moves behind it; a byte that begins none is
 * one by itself, and counts as a control.  Returns its length in bytes. */
static size_t
table_next(const char **text, uint32_t *code)
{
    size_t                i, len;
    const unsigned char  *p = (const unsigned char *) *text;

    len = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    *code = len == 1 ? p[0] : p[0] & (0x7fu >> len);

    for (i = 1; i < len && (p[i] & 0xc0) == 0x80; i++) {
        *code = *code << 6 | (p[i] & 0x3f);
    }

    if (i < len || (p[0] & 0xc0) == 0x80) {
        *code = 0;
        len = 1;
    }

    *text += len;

    return len;
}


/* C0, DEL and C1; marks of direction (U+200E, U+202A…, U+2066…), which could
 * reorder a line on the screen; and the line ends of Unicode. */
static int
table_is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0)
           || code == 0x200e || code == 0x200f
           || (code >= 0x2028 && code <= 0x202e)
           || (code >= 0x2066 && code <= 0x2069);
}
