/*
 * How payctl prints what comes out of the database: rows as an aligned table,
 * or one row as a list of its columns.  What was written by strangers never
 * steers a terminal: control characters (C0, DEL, C1) and those that turn the
 * direction of a line are printed as "?".  Private to src/cli.
 */

#ifndef PAY_SRC_CLI_TABLE_H
#define PAY_SRC_CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include <libpq-fe.h>


/* Prints text, UTF-8, at most `max` characters of it; returns how many. */
size_t pay_cli_put(FILE *out, const char *text, size_t max);
/* How many characters pay_cli_put() would print. */
size_t pay_cli_width(const char *text, size_t max);

/* All rows below the names of the columns.  On a terminal the table fits its
 * width: ids end where they differ, and a cell that is cut ends with an
 * ellipsis; too many columns are shown as records.  Elsewhere cells are
 * whole. */
void pay_cli_table(const PGresult *rows);
/* The columns of one row below each other, NULLs and empty ones left out. */
void pay_cli_record(const PGresult *rows, int row);

/* A subcommand that is one query. */
typedef struct {
    const char  *what;         /* begins complaints */
    const char  *sql;
    int          count;        /* of its parameters */
    const char  *none;         /* said when there is no row … */
    int          code;         /* … and the exit code for that: on stdout when
                                  it is PAY_CLI_OK, else on stderr */
    const struct pay_cli_filter_s  *filters;     /* NULL: none */
    /* For the list of all cells: the columns of the answer by which it is
     * ordered, in bytes, with commas between them and "-" in front when all go
     * down; NULL: cell by cell.  And the limit of the SQL, a number or "$1" to
     * "$9"; NULL: it has none. */
    const char  *by;
    const char  *most;
} pay_cli_list_t;

/* A parameter that must name a row: an unknown name is a mistake, not an empty
 * list. */
typedef struct pay_cli_filter_s {
    int          value;        /* its place, from 0 on; -1 ends the table */
    const char  *names;        /* SQL: one column, the names that there are,
                                  read by an index; or words with "|" between
                                  them */
    const char  *what;         /* "merchant" */
    const char  *lacks;        /* "has a checkout here" */
} pay_cli_filter_t;

/* Names that many rows have, from each to the next by an index. */
#define PAY_CLI_NAMES(table, column)                                          \
    "WITH RECURSIVE n (name) AS ((SELECT " column "::text FROM " table        \
    " ORDER BY " column " LIMIT 1) UNION ALL SELECT (SELECT " column "::text" \
    " FROM " table " WHERE " column " > n.name ORDER BY " column " LIMIT 1)" \
    " FROM n WHERE n.name IS NOT NULL)"                                       \
    " SELECT name FROM n WHERE name IS NOT NULL"

#define PAY_CLI_MERCHANT                                                      \
    PAY_CLI_NAMES("pay.checkout", "merchant_id"), "merchant",                 \
    "has a checkout here"
#define PAY_CLI_PSP                                                           \
    PAY_CLI_NAMES("pay.registration", "psp"), "PSP", "has a payment here"
/* Ends a table of filters. */
#define PAY_CLI_NO_FILTER  { -1, NULL, NULL, NULL }

/* A time, as all tables show it. */
#define PAY_CLI_AT(column)                                                    \
    "to_char(" column " AT TIME ZONE 'UTC',"                                  \
    " 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

/* Connects, asks, prints the rows as -o says: a table, one JSON array of
 * objects that are named as the columns are, or CSV with a line of names.
 * Returns the exit code. */
int pay_cli_list(const pay_cli_list_t *list, const char *dsn,
    const char *const *values);


#endif /* PAY_SRC_CLI_TABLE_H */
