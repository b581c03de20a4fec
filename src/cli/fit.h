/*
 * The widths of a table's columns: as wide as their cells, or narrower where
 * stdout is a terminal that has no room for all of them.  Private to src/cli.
 */

#ifndef PAY_SRC_CLI_FIT_H
#define PAY_SRC_CLI_FIT_H

#include <stddef.h>

#include <libpq-fe.h>


#define PAY_CLI_CELL  120      /* longer cells are cut on a terminal */

typedef struct {
    size_t  width;             /* of the column */
    size_t  prefix;            /* of ids: as much of each as makes them differ;
                                  of times: without the fraction; else 0 */
} pay_cli_column_t;

/* The widths of `count` columns for a line of at most `room` characters, with
 * two between columns; room 0: as much as the cells need.  Ids and times are
 * shortened first, then the widest columns; numbers never.  0: there is no room
 * for all columns. */
int pay_cli_fit(const PGresult *rows, int count, unsigned room,
    pay_cli_column_t *columns);


#endif /* PAY_SRC_CLI_FIT_H */
