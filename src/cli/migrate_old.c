/*
 * Drops objects of an older release that every deploy makes again and that are
 * in the way of this one: views of columns that a migration changes, functions
 * whose arguments or columns have changed.  It never drops an object that a
 * migration made.  payctl migrate alone calls this, within a transaction.
 */

#include "cli/db.h"
#include "cli/migrate.h"


static int old_drop(PGconn *conn, const char *query, const char *text);


static const char  old_views[] =
    "SELECT string_agg(format('DROP VIEW IF EXISTS %s CASCADE',"
    " c.oid::regclass), ';')"
    " FROM pg_class c"
    " WHERE c.relkind = 'v' AND c.relnamespace::regnamespace::text"
    " IN ('pay', 'pay_view', 'pay_check') AND $1 <> ''";

/* $1: a file that makes functions.  One that a table needs (a trigger, an
 * index) is replaced as it is, or not at all. */
static const char  old_functions[] =
    "SELECT string_agg(format('DROP FUNCTION %s', p.oid::regprocedure), ';')"
    " FROM pg_proc p"
    " WHERE format('%s.%s', p.pronamespace::regnamespace, p.proname) IN ("
    " SELECT m[1] FROM regexp_matches($1,"
    " 'CREATE OR REPLACE FUNCTION\\s+(\\w+\\.\\w+)', 'g') m)"
    " AND NOT EXISTS (SELECT FROM pg_depend d"
    " WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid)";


int
pay_cli_migrate_drop_checks(PGconn *conn)
{
    return pay_cli_exec(conn, "checks",
                        "DROP SCHEMA IF EXISTS pay_check CASCADE");
}


/* Views go first, since they may call the functions. */
int
pay_cli_migrate_drop_made(PGconn *conn, const sql_files_t *sql)
{
    unsigned  i;

    if (!old_drop(conn, old_views, "all")) {
        return 0;
    }

    for (i = 0; i < sql->count; i++) {
        if (sql->files[i].stage == SQL_FUNCTION
            && !old_drop(conn, old_functions, sql->files[i].text))
        {
            return 0;
        }
    }

    return 1;
}


/* Runs the statements that `query` makes of `text`, if any. */
static int
old_drop(PGconn *conn, const char *query, const char *text)
{
    int        ok;
    PGresult  *result;

    result = pay_cli_query(conn, "find what an older release made", query, 1,
                           &text);
    if (result == NULL) {
        return 0;
    }

    ok = PQgetisnull(result, 0, 0)
         || pay_cli_exec(conn, "drop what an older release made",
                         PQgetvalue(result, 0, 0));
    PQclear(result);

    return ok;
}
