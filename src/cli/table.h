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

/* All rows below the names of the columns, cells cut to 120 characters. */
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
} pay_cli_list_t;

/* A time, as all tables show it. */
#define PAY_CLI_AT(column)                                                    \
    "to_char(" column " AT TIME ZONE 'UTC',"                                  \
    " 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

/* Connects, asks, prints the table; returns the exit code. */
int pay_cli_list(const pay_cli_list_t *list, const char *dsn,
    const char *const *values);


#endif /* PAY_SRC_CLI_TABLE_H */
