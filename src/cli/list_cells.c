/*
 * A list (table.h) over all cells.  Each is asked for the same rows with its
 * name in front and the order of the list behind as one text; the answers are
 * merged by these texts, so that rows of one cell keep the order that its
 * database gave them, and cut to the limit of the list.
 */

#include "cli/list.h"
#include "cli/cells.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "pay_id.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/* The rows of a cell's answer, so that memory has a bound. */
#define ROWS_MAX       100000
#define TEXT(number)   TEXT_OF(number)
#define TEXT_OF(number)  #number
#define ROWS_ASKED     TEXT(ROWS_MAX) " + 1"

typedef struct {
    const pay_cli_list_t  *list;
    const char *const     *values;
    const char            *sql;
    PGresult              *answers[PAY_CELLS_MAX];
    int                    at[PAY_CELLS_MAX];      /* rows that are merged */
    int                    count;
    int                    is_known;   /* to one cell at least */
} merge_t;


static int merge_sql(const pay_cli_list_t *list, pay_cli_format_t format,
    char sql[2 * PAY_CLI_LIST_SQL]);
static int merge_ask(PGconn *conn, void *data);
static PGresult *merge_all(merge_t *merge);
static int merge_next(const merge_t *merge);
static long merge_most(const merge_t *merge);
static PGresult *merge_empty(const PGresult *like);
static int merge_copy(PGresult *all, const PGresult *rows, int row);
static int merge_json(const pay_cli_list_t *list, const PGresult *rows);


int
pay_cli_list_cells(const pay_cli_list_t *list, pay_cli_format_t format,
    const char *dsn, const char *const *values)
{
    int        i, code, shown;
    char       sql[2 * PAY_CLI_LIST_SQL];
    merge_t    merge = { .list = list, .values = values, .sql = sql };
    PGresult  *all = NULL;

    if (!merge_sql(list, format, sql)) {
        return PAY_CLI_USAGE;
    }

    code = pay_cli_in_cells(dsn, merge_ask, &merge);

    if (code != PAY_CLI_USAGE && !merge.is_known) {
        fprintf(stderr, "payctl: %s: no cell that has answered knows the name"
                " that is asked for\n", list->what);
        code = PAY_CLI_USAGE;
    }

    if (code != PAY_CLI_USAGE) {
        all = merge_all(&merge);
        shown = all == NULL ? PAY_CLI_USAGE
                : format == PAY_CLI_JSON ? merge_json(list, all)
                : pay_cli_list_print(list, format, all);
        code = code == PAY_CLI_OK || shown == PAY_CLI_USAGE ? shown : code;
    }

    PQclear(all);

    for (i = 0; i < merge.count; i++) {
        PQclear(merge.answers[i]);
    }

    return code;
}


/* Columns that the list orders by are named by it alone, and are there under
 * these names. */
static int
merge_sql(const pay_cli_list_t *list, pay_cli_format_t format,
    char sql[2 * PAY_CLI_LIST_SQL])
{
    int          n;
    const char  *by = list->by == NULL ? "''"
                      : list->by + (list->by[0] == '-');

    n = snprintf(sql, 2 * PAY_CLI_LIST_SQL, "SELECT %s, concat_ws(chr(1), %s)"
                 " FROM (SELECT current_setting('payctl.cell') AS cell, q.*"
                 " FROM (%s) q LIMIT " ROWS_ASKED ") c",
                 format == PAY_CLI_JSON ? "row_to_json(c)" : "c.*", by,
                 list->sql);

    if (n >= 2 * PAY_CLI_LIST_SQL) {
        fprintf(stderr, "payctl: %s: the query is too long\n", list->what);
    }

    return n < 2 * PAY_CLI_LIST_SQL;
}


/* A merchant is in one cell, and the others do not know the name.  Nothing
 * that asks all cells may change one: the session reads only. */
static int
merge_ask(PGconn *conn, void *data)
{
    merge_t          *merge = data;
    PGresult         *rows;
    pay_cli_known_t   known;

    if (!pay_cli_exec(conn, merge->list->what,
                      "SET default_transaction_read_only = on"))
    {
        return 0;
    }

    known = pay_cli_list_known(conn, merge->list, merge->values, 0);

    if (known != PAY_CLI_KNOWN) {
        return known == PAY_CLI_UNKNOWN;
    }

    rows = pay_cli_query(conn, merge->list->what, merge->sql,
                         merge->list->count, merge->values);

    if (rows != NULL && PQntuples(rows) > ROWS_MAX) {
        fprintf(stderr, "payctl: cell %s: %s: more than " TEXT(ROWS_MAX)
                " rows: ask with --cell NAME\n", pay_cli_cell(),
                merge->list->what);
        PQclear(rows);
        rows = NULL;
    }

    if (rows != NULL) {
        merge->is_known = 1;
        merge->answers[merge->count++] = rows;
    }

    return rows != NULL;
}


/* NULL after a complaint. */
static PGresult *
merge_all(merge_t *merge)
{
    int        i, done = 1;
    long       most = merge_most(merge);
    PGresult  *all = merge_empty(merge->answers[0]);

    while (all != NULL && done && PQntuples(all) < most) {
        i = merge_next(merge);
        if (i < 0) {
            break;
        }

        done = merge_copy(all, merge->answers[i], merge->at[i]++);
    }

    if (all == NULL || !done) {
        fprintf(stderr, "payctl: %s: no memory for the rows\n",
                merge->list->what);
        PQclear(all);
        return NULL;
    }

    return all;
}


/* The answer whose next row comes first; of equal ones the first cell's.  -1:
 * all rows are taken. */
static int
merge_next(const merge_t *merge)
{
    int          i, order, next = -1;
    const int    down = merge->list->by != NULL && merge->list->by[0] == '-';
    const char  *key, *first = NULL;

    for (i = 0; i < merge->count; i++) {
        if (merge->at[i] == PQntuples(merge->answers[i])) {
            continue;
        }

        key = PQgetvalue(merge->answers[i], merge->at[i],
                         PQnfields(merge->answers[i]) - 1);
        order = first == NULL ? -1 : strcmp(key, first);

        if (next < 0 || (down ? order > 0 : order < 0)) {
            next = i;
            first = key;
        }
    }

    return next;
}


/* The limit that one database has holds for all of them. */
static long
merge_most(const merge_t *merge)
{
    const char  *most = merge->list->most;

    if (most == NULL) {
        return INT32_MAX;
    }

    return strtol(most[0] == '$' ? merge->values[most[1] - '1'] : most, NULL,
                  10);
}


/* The columns but the last. */
static PGresult *
merge_empty(const PGresult *like)
{
    int              i, count = PQnfields(like) - 1;
    PGresult        *all = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc    *columns = calloc((size_t) count, sizeof(PGresAttDesc));

    for (i = 0; columns != NULL && i < count; i++) {
        columns[i].name = PQfname(like, i);
    }

    if (all == NULL || columns == NULL
        || PQsetResultAttrs(all, count, columns) == 0)
    {
        PQclear(all);
        all = NULL;
    }

    free(columns);

    return all;
}


static int
merge_copy(PGresult *all, const PGresult *rows, int row)
{
    int  i, to = PQntuples(all);

    for (i = 0; i < PQnfields(all); i++) {
        if (PQsetvalue(all, to, i, PQgetvalue(rows, row, i),
                       PQgetisnull(rows, row, i)
                       ? -1 : PQgetlength(rows, row, i)) == 0)
        {
            return 0;
        }
    }

    return 1;
}


/* One line, as json_agg() writes it. */
static int
merge_json(const pay_cli_list_t *list, const PGresult *rows)
{
    int  row;

    putchar('[');

    for (row = 0; row < PQntuples(rows); row++) {
        fputs(row > 0 ? ", " : "", stdout);
        (void) pay_cli_put(stdout, PQgetvalue(rows, row, 0), SIZE_MAX);
    }

    puts("]");

    return PQntuples(rows) > 0 ? PAY_CLI_OK : list->code;
}
