/*
 * The parts of a list, see list.h: filters that must name something, rows as a
 * table or as CSV.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/list.h"

#include "pay_csv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>


#define LIST_CELL   (1024 * 1024)      /* bytes of a row of CSV */
#define LIST_NAMES  20                 /* that a complaint lists */


static int list_rows(const pay_cli_list_t *list, const PGresult *rows);
static int list_csv(const pay_cli_list_t *list, const PGresult *rows);
static pay_status_t csv_line(const PGresult *rows, int row);
static pay_status_t csv_cell(const char *cell, pay_arena_t *arena,
    pay_buf_t *buf);
static pay_cli_known_t filter_has(PGconn *conn, const pay_cli_list_t *list,
    const pay_cli_filter_t *filter, const char *value, int complains);
static void filter_tell(const pay_cli_list_t *list,
    const pay_cli_filter_t *filter, const char *value, const PGresult *rows,
    const char *nearest);
static int words_have(const char *what, const pay_cli_filter_t *filter,
    const char *value);


int
pay_cli_list_print(const pay_cli_list_t *list, pay_cli_format_t format,
    const PGresult *rows)
{
    return format == PAY_CLI_CSV ? list_csv(list, rows)
                                 : list_rows(list, rows);
}


static int
list_rows(const pay_cli_list_t *list, const PGresult *rows)
{
    if (PQntuples(rows) > 0) {
        pay_cli_table(rows);
        return PAY_CLI_OK;
    }

    fprintf(list->code == PAY_CLI_OK ? stdout : stderr, "%s\n", list->none);

    return list->code;
}


/* row -1: the names */
static int
list_csv(const pay_cli_list_t *list, const PGresult *rows)
{
    int  row;

    for (row = -1; row < PQntuples(rows); row++) {
        if (csv_line(rows, row) != PAY_OK) {
            fprintf(stderr, "payctl: %s: no memory for a row\n", list->what);
            return PAY_CLI_USAGE;
        }
    }

    return PQntuples(rows) > 0 ? PAY_CLI_OK : list->code;
}


static pay_status_t
csv_line(const PGresult *rows, int row)
{
    int            column;
    pay_str_t      line;
    pay_buf_t      buf;
    pay_heap_t    *heap = pay_heap_create();
    pay_status_t   status = PAY_OK;

    if (heap == NULL) {
        return PAY_NO_MEMORY;
    }

    pay_buf_init(&buf, pay_heap_arena(heap), LIST_CELL);

    for (column = 0; status == PAY_OK && column < PQnfields(rows); column++) {
        if (column > 0) {
            pay_buf_text(&buf, ",");
        }

        if (row < 0) {
            pay_buf_text(&buf, PQfname(rows, column));

        } else {
            status = csv_cell(PQgetvalue(rows, row, column),
                              pay_heap_arena(heap), &buf);
        }
    }

    pay_buf_text(&buf, "\r\n");

    if (status == PAY_OK) {
        status = pay_buf_done(&buf, &line);
    }

    if (status == PAY_OK) {
        (void) fwrite(line.data, 1, line.len, stdout);
    }

    pay_heap_destroy(heap);

    return status;
}


/* Control characters are shown as in a table: the file may be printed to a
 * terminal, and a line of it is a row. */
static pay_status_t
csv_cell(const char *cell, pay_arena_t *arena, pay_buf_t *buf)
{
    char          *shown = NULL;
    size_t         size = 0;
    FILE          *out = open_memstream(&shown, &size);
    pay_str_t      text;
    pay_status_t   status;

    if (out == NULL) {
        return PAY_NO_MEMORY;
    }

    (void) pay_cli_put(out, cell, SIZE_MAX);

    if (fclose(out) != 0) {
        free(shown);
        return PAY_NO_MEMORY;
    }

    status = pay_dup(arena, (pay_str_t) { size, (unsigned char *) shown },
                     &text);
    free(shown);

    if (status == PAY_OK) {
        pay_csv_cell(text, buf);
    }

    return status;
}


/* A misspelt name of a merchant would print an empty list, which reads as good
 * news. */
pay_cli_known_t
pay_cli_list_known(PGconn *conn, const pay_cli_list_t *list,
    const char *const *values, int complains)
{
    const char              *value;
    pay_cli_known_t          known = PAY_CLI_KNOWN;
    const pay_cli_filter_t  *filter = list->filters;

    for ( /* void */ ; filter != NULL && filter->value >= 0; filter++) {
        value = values[filter->value];

        if (value == NULL || known != PAY_CLI_KNOWN) {
            continue;
        }

        known = strchr(filter->names, ' ') != NULL
                ? filter_has(conn, list, filter, value, complains)
                : words_have(list->what, filter, value) ? PAY_CLI_KNOWN
                                                        : PAY_CLI_FAILED;
    }

    return known;
}


static pay_cli_known_t
filter_has(PGconn *conn, const pay_cli_list_t *list,
    const pay_cli_filter_t *filter, const char *value, int complains)
{
    int          row;
    unsigned     distance, least = PAY_CLI_FAR;
    PGresult    *rows;
    const char  *nearest = NULL;

    rows = pay_cli_query(conn, list->what, filter->names, 0, NULL);
    if (rows == NULL) {
        return PAY_CLI_FAILED;
    }

    for (row = 0; row < PQntuples(rows); row++) {
        distance = strcmp(value, PQgetvalue(rows, row, 0)) == 0
                   ? 0 : pay_cli_distance(value, PQgetvalue(rows, row, 0));

        if (distance < least) {
            least = distance;
            nearest = PQgetvalue(rows, row, 0);
        }
    }

    if (least > 0 && complains) {
        filter_tell(list, filter, value, rows, nearest);
    }

    PQclear(rows);

    return least == 0 ? PAY_CLI_KNOWN : PAY_CLI_UNKNOWN;
}


/* The complaint lists the names that there are, and the nearest one. */
static void
filter_tell(const pay_cli_list_t *list, const pay_cli_filter_t *filter,
    const char *value, const PGresult *rows, const char *nearest)
{
    int  row;

    fprintf(stderr, "payctl: %s: no %s \"%s\" %s", list->what, filter->what,
            value, filter->lacks);

    for (row = 0; row < PQntuples(rows) && row < LIST_NAMES; row++) {
        fputs(row > 0 ? ", " : "; there is ", stderr);
        (void) pay_cli_put(stderr, PQgetvalue(rows, row, 0), SIZE_MAX);
    }

    fprintf(stderr, "%s%s%s%s\n", row < PQntuples(rows) ? ", ..." : "",
            nearest != NULL ? "; did you mean " : "",
            nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
}


/* Words with "|" between them. */
static int
words_have(const char *what, const pay_cli_filter_t *filter,
    const char *value)
{
    size_t       len, value_len = strlen(value);
    const char  *word;

    for (word = filter->names; *word != '\0'; word += len + (word[len] == '|'))
    {
        len = strcspn(word, "|");

        if (len == value_len && strncmp(word, value, len) == 0) {
            return 1;
        }
    }

    fprintf(stderr, "payctl: %s: there is no %s \"%s\", but %s\n", what,
            filter->what, value, filter->names);

    return 0;
}
