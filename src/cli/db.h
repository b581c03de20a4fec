/*
 * The common part of payctl's database subcommands: the connection, one file as
 * a string, and error messages.  Private to src/cli.
 */

#ifndef PAY_SRC_CLI_DB_H
#define PAY_SRC_CLI_DB_H

#include <stddef.h>

#include <libpq-fe.h>


/* A connection to `dsn`, or to $PAYCTL_DSN when it is NULL; NULL after a
 * complaint on stderr.  The caller ends it with PQfinish(). */
PGconn *pay_cli_connect(const char *dsn);

/* Runs one or more statements without parameters.  1 when all went well,
 * else 0 after a complaint that starts with `what`. */
int pay_cli_exec(PGconn *conn, const char *what, const char *sql);

#define PAY_CLI_STATE  6               /* bytes of a SQLSTATE, with a NUL */

/* The same without a complaint, for statements that may well fail: `state` is
 * then the SQLSTATE, or "" when the server has not answered. */
int pay_cli_try(PGconn *conn, const char *sql, char state[PAY_CLI_STATE]);

/* Complains of the statement that has failed last, as pay_cli_exec() does. */
void pay_cli_complain(PGconn *conn, const char *what);

#define PAY_CLI_WORD  64               /* bytes of a word, with a NUL */

/* The first column of the only row of a statement with `count` text parameters,
 * cut to PAY_CLI_WORD; 0 after a complaint. */
int pay_cli_word(PGconn *conn, const char *what, const char *sql, int count,
    const char *const *values, char *word);

/* As pay_cli_exec(), for one statement with `count` text parameters; the rows,
 * or NULL after a complaint.  The caller ends them with PQclear(). */
PGresult *pay_cli_query(PGconn *conn, const char *what, const char *sql,
    int count, const char *const *values);


#endif /* PAY_SRC_CLI_DB_H */
