/*
 * The parts that a list (table.h) of one database, list.c, and one of all
 * cells, list_cells.c, have in common: list_parts.c.  Private to src/cli.
 */

#ifndef PAY_SRC_CLI_LIST_H
#define PAY_SRC_CLI_LIST_H

#include "cli/output.h"
#include "cli/table.h"


#define PAY_CLI_LIST_SQL  8192

typedef enum {
    PAY_CLI_KNOWN = 0,
    PAY_CLI_UNKNOWN,           /* a filter names nothing */
    PAY_CLI_FAILED             /* it is said why */
} pay_cli_known_t;

/* Whether each filter names something in this database; the
 * complaint about PAY_CLI_UNKNOWN is the caller's unless `complains`. */
pay_cli_known_t pay_cli_list_known(PGconn *conn, const pay_cli_list_t *list,
    const char *const *values, int complains);

/* Rows as a table or as CSV; the exit code. */
int pay_cli_list_print(const pay_cli_list_t *list, pay_cli_format_t format,
    const PGresult *rows);

/* list_cells.c: the list of all cells, which begins with the column "cell"; the
 * exit code. */
int pay_cli_list_cells(const pay_cli_list_t *list, pay_cli_format_t format,
    const char *dsn, const char *const *values);


#endif /* PAY_SRC_CLI_LIST_H */
