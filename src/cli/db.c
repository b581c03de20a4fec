/*
 * libpq for payctl: connect, run, complain.  Blocking, as a command-line tool
 * may be; the gateway has its own (ngx_payments_pq.c).
 */

#include "cli/db.h"
#include "cli/cells.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/* Unless the line of the cell has a connect_timeout of its own. */
#define CELL_TIMEOUT_S  "10"


static PGconn *db_open(const char *dsn);
static int db_name_cell(PGconn *conn);
static void db_say(const char *subject);
static void db_refused(PGconn *conn, const char *what, const char *sql,
    const PGresult *result);


/* The DSN comes from the option, else from PAYCTL_DSN, else from libpq's own
 * variables. Without any of them libpq would connect to a database of the
 * user's name, which is never the one that is meant. */
PGconn *
pay_cli_connect(const char *dsn)
{
    PGconn  *conn;

    if (!pay_cli_cells_dsn(&dsn)) {
        return NULL;
    }

    if (dsn == NULL) {
        dsn = getenv("PAYCTL_DSN");
    }

    /* libpq's own variables may name one, too */
    if (dsn == NULL
        && (getenv("PGDATABASE") != NULL || getenv("PGSERVICE") != NULL))
    {
        dsn = "";
    }

    if (dsn == NULL) {
        fputs("payctl: no database: give --dsn or set PAYCTL_DSN or"
              " PGDATABASE\n", stderr);
        return NULL;
    }

    conn = db_open(dsn);

    if (PQstatus(conn) != CONNECTION_OK) {
        pay_cli_complain(conn, "connect");
        PQfinish(conn);
        return NULL;
    }

    /* compiling a view over many partitions takes far longer than reading it */
    if (!pay_cli_exec(conn, "connect",
                      "SET client_min_messages = warning;"
                      "SET jit = off;"
                      "SET client_encoding = 'UTF8';"
                      "SET search_path = pg_catalog")
        || !db_name_cell(conn))
    {
        PQfinish(conn);
        return NULL;
    }

    return conn;
}


/* A cell that hangs must not keep the answers of the others back. */
static PGconn *
db_open(const char *dsn)
{
    const char *const  words[] = { "connect_timeout", "dbname", NULL };
    const char *const  values[] = { CELL_TIMEOUT_S, dsn, NULL };

    return pay_cli_cell() == NULL ? PQconnectdb(dsn)
                                  : PQconnectdbParams(words, values, 1);
}


/* For the columns of lists, and the commands that find names. */
static int
db_name_cell(PGconn *conn)
{
    PGresult    *rows;
    const char  *name = pay_cli_cell();

    if (name == NULL) {
        return 1;
    }

    rows = pay_cli_query(conn, "connect",
                         "SELECT set_config('payctl.cell', $1, false)", 1,
                         &name);
    PQclear(rows);

    return rows != NULL;
}


/* Several statements in one text run in one implicit transaction (simple query
 * protocol), unless the text begins one itself. */
int
pay_cli_exec(PGconn *conn, const char *what, const char *sql)
{
    char  state[PAY_CLI_STATE];

    if (pay_cli_try(conn, sql, state)) {
        return 1;
    }

    pay_cli_complain(conn, what);

    return 0;
}


int
pay_cli_try(PGconn *conn, const char *sql, char state[PAY_CLI_STATE])
{
    PGresult        *result;
    const char      *field;
    ExecStatusType   status;

    result = PQexec(conn, sql);
    status = PQresultStatus(result);
    field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    snprintf(state, PAY_CLI_STATE, "%s", field != NULL ? field : "");
    PQclear(result);

    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}


/* Parameters are always sent apart from the statement, as text; no SQL is put
 * together from an argument. */
PGresult *
pay_cli_query(PGconn *conn, const char *what, const char *sql, int count,
    const char *const *values)
{
    PGresult        *result;
    ExecStatusType   status;

    result = PQexecParams(conn, sql, count, NULL, values, NULL, NULL, 0);
    status = PQresultStatus(result);

    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        db_refused(conn, what, sql, result);
        PQclear(result);
        return NULL;
    }

    return result;
}


int
pay_cli_word(PGconn *conn, const char *what, const char *sql, int count,
    const char *const *values, char *word)
{
    PGresult  *rows = pay_cli_query(conn, what, sql, count, values);

    if (rows == NULL) {
        return 0;
    }

    snprintf(word, PAY_CLI_WORD, "%s", PQgetvalue(rows, 0, 0));
    PQclear(rows);

    return 1;
}


static void
db_say(const char *subject)
{
    const char  *cell = pay_cli_cell();

    fprintf(stderr, "payctl: %s%s%s%s: ", cell != NULL ? "cell " : "",
            cell != NULL ? cell : "", cell != NULL ? ": " : "", subject);
}


/* PQerrorMessage() ends with a line feed. */
void
pay_cli_complain(PGconn *conn, const char *what)
{
    db_say(what);
    fputs(PQerrorMessage(conn), stderr);
}


/* Says which role has the right that is missing, and how to get it: functions
 * of pay_ops take the operator, views the auditor.  42501 is
 * insufficient_privilege. */
static void
db_refused(PGconn *conn, const char *what, const char *sql,
    const PGresult *result)
{
    char        *user;
    const char  *role;
    const char  *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char  *reason = PQresultErrorField(result,
                                             PG_DIAG_MESSAGE_PRIMARY);

    if (state == NULL || strcmp(state, "42501") != 0) {
        pay_cli_complain(conn, what);
        return;
    }

    role = strstr(sql, "pay_ops.") != NULL ? "payments_operator"
                                           : "payments_auditor";
    user = PQescapeIdentifier(conn, PQuser(conn), strlen(PQuser(conn)));
    db_say(what);
    fprintf(stderr, "needs the role %s, which %s does not have"
            " (%s); connect as that role, --dsn 'user=%s ...', or have an"
            " administrator run: GRANT %s TO %s;\n", role, PQuser(conn),
            reason != NULL ? reason : "permission denied", role, role,
            user != NULL ? user : PQuser(conn));
    PQfreemem(user);
}
