/*
 * A subcommand of payctl that is one query, see table.h: its filters are known,
 * and its rows are printed as -o says.
 */

#include "cli/cells.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/list.h"

#include <stdint.h>
#include <string.h>


static int list_ask(PGconn *conn, const pay_cli_list_t *list,
    pay_cli_format_t format, const char *const *values);
static int list_json(const pay_cli_list_t *list, const PGresult *rows);


/* The exit code says whether there was a row, so that scripts need not parse a
 * table. */
int
pay_cli_list(const pay_cli_list_t *list, const char *dsn,
    const char *const *values)
{
    int                code;
    PGconn            *conn;
    pay_cli_format_t   format;

    if (!pay_cli_format(list->what, &format)) {
        return PAY_CLI_USAGE;
    }

    if (pay_cli_cells_all()) {
        return pay_cli_list_cells(list, format, dsn, values);
    }

    conn = pay_cli_connect(dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    /* A filter that names nothing is a mistake of the call, not an empty
     * list. */
    code = pay_cli_list_known(conn, list, values, 1) == PAY_CLI_KNOWN
           ? list_ask(conn, list, format, values) : PAY_CLI_USAGE;
    PQfinish(conn);

    return code;
}


/* For JSON the query becomes a subquery, so that all formats show the same
 * columns under the same names. */
static int
list_ask(PGconn *conn, const pay_cli_list_t *list, pay_cli_format_t format,
    const char *const *values)
{
    int        code;
    char       sql[PAY_CLI_LIST_SQL];
    PGresult  *rows;

    /* one line: a line end within a text is escaped */
    snprintf(sql, sizeof(sql), "SELECT replace(coalesce(json_agg(q), '[]')"
             "::text, chr(10), ''), count(*) FROM (%s) q", list->sql);

    rows = pay_cli_query(conn, list->what,
                         format == PAY_CLI_JSON ? sql : list->sql,
                         list->count, values);
    if (rows == NULL) {
        return PAY_CLI_USAGE;
    }

    code = format == PAY_CLI_JSON ? list_json(list, rows)
                                  : pay_cli_list_print(list, format, rows);
    PQclear(rows);

    return code;
}


static int
list_json(const pay_cli_list_t *list, const PGresult *rows)
{
    (void) pay_cli_put(stdout, PQgetvalue(rows, 0, 0), SIZE_MAX);
    putchar('\n');

    return strcmp(PQgetvalue(rows, 0, 1), "0") == 0 ? list->code : PAY_CLI_OK;
}
