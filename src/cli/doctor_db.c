/*
 * The checks of payctl doctor in PostgreSQL: a table of queries, each of which
 * returns the findings as rows of one text.  The schema is compared with sql/
 * by its digest, as payctl migrate does.
 */

#include "cli/cli.h"
#include "cli/db.h"
#include "cli/migrate.h"
#include "cli/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


typedef struct {
    const char  *name;
    const char  *may;          /* returns a row where the role may look */
    const char  *sql;          /* $1: nginx's user */
    const char  *mend;
} doctor_check_t;

static int db_check(PGconn *conn, const setup_t *setup,
    const doctor_check_t *check);
static int db_may(PGconn *conn, const doctor_check_t *check);
static int db_schema(PGconn *conn, const setup_t *setup);
static int schema_differs(PGconn *conn, const sql_files_t *sql);


/* Findings are sentences without a point. */
static const doctor_check_t  checks[] = {
    { "server", NULL,
      "SELECT 'PostgreSQL ' || current_setting('server_version')"
      " || ' is older than 15'"
      " WHERE current_setting('server_version_num')::int < 150000",
      "upgrade PostgreSQL" },
    { "encoding", NULL,
      "SELECT 'the encoding is ' || pg_encoding_to_char(d.encoding)"
      " FROM pg_database d WHERE d.datname = current_database()"
      " AND pg_encoding_to_char(d.encoding) <> 'UTF8'",
      "make another database by payctl init, and move the data to it" },
    { "settings", NULL,
      "SELECT s.name || ' is ' || s.setting FROM pg_settings s"
      " WHERE (s.name IN ('fsync', 'full_page_writes', 'synchronous_commit')"
      " AND s.setting = 'off')"
      " OR (s.name = 'log_statement' AND s.setting IN ('mod', 'all'))"
      " OR (s.name = 'log_min_error_statement' AND s.setting <> 'panic')"
      " OR (s.name = 'log_parameter_max_length_on_error'"
      " AND s.setting <> '0') ORDER BY s.name",
      "set fsync, full_page_writes and synchronous_commit on, log_statement"
      " none,\n          log_min_error_statement panic, "
      "log_parameter_max_length_on_error 0" },
    { "roles", NULL,
      "SELECT CASE WHEN r.rolname IS NULL THEN w.name || ' is missing'"
      " WHEN r.rolsuper OR r.rolcreaterole OR r.rolcreatedb"
      " OR r.rolreplication OR r.rolbypassrls"
      " THEN w.name || ' may do more than it should'"
      " ELSE w.name || ' may log in' END"
      " FROM unnest(ARRAY['payments_owner', 'payments_gateway',"
      " 'payments_auditor', 'payments_operator', 'payments_relay',"
      " 'payments_console', 'payments_console_act']) w (name)"
      " LEFT JOIN pg_roles r ON r.rolname = w.name"
      " WHERE r.rolname IS NULL OR r.rolsuper OR r.rolcreaterole"
      " OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls"
      " OR (w.name = 'payments_owner' AND r.rolcanlogin)",
      "payctl migrate sets the roles again when it has work to do; else ALTER"
      " ROLE" },
    { "access",
      "SELECT 1 WHERE has_table_privilege('pg_hba_file_rules', 'SELECT')"
      " AND has_function_privilege('pg_hba_file_rules()', 'EXECUTE')",
      "SELECT 'line ' || h.line_number || ' of pg_hba.conf: ' || h.error"
      " FROM pg_hba_file_rules h WHERE h.error IS NOT NULL"
      " UNION ALL SELECT 'line ' || i.line_number || ' of pg_ident.conf: '"
      " || i.error FROM pg_ident_file_mappings i WHERE i.error IS NOT NULL"
      " UNION ALL SELECT 'pg_ident.conf does not let ' || w.sys || ' be '"
      " || w.name FROM (VALUES ($1, 'payments_gateway'),"
      " ('payments-auditor', 'payments_auditor'),"
      " ('payments-operator', 'payments_operator')) w (sys, name)"
      " WHERE NOT EXISTS (SELECT FROM pg_ident_file_mappings i"
      " WHERE i.sys_name = w.sys AND i.pg_username = w.name"
      " AND i.error IS NULL)"
      " UNION ALL SELECT 'the first line of pg_hba.conf for payments_gateway'"
      " || ' is ' || f.auth_method FROM (SELECT h.auth_method"
      " FROM pg_hba_file_rules h WHERE h.type = 'local'"
      " AND h.error IS NULL"
      " AND (current_database() = ANY (h.database) OR 'all' ="
      " ANY (h.database)) AND ('payments_gateway' = ANY (h.user_name)"
      " OR 'all' = ANY (h.user_name)) ORDER BY h.line_number LIMIT 1) f"
      " WHERE f.auth_method = 'trust'",
      "payctl init adds the lines; remove or mend the wrong ones by hand" },
    { "months", NULL,
      "SELECT 'pay.event has no partition for ' || w.month FROM (SELECT"
      " to_char((now() AT TIME ZONE 'UTC') + interval '1 month', 'YYYY_MM')"
      " AS month) w WHERE to_regclass('pay.event') IS NOT NULL"
      " AND to_regclass('pay.event_' || w.month) IS NULL",
      "is nginx running, with payments_watchdog?  SELECT"
      " pay.make_partitions() as a superuser" },
    { "backup", NULL,
      "SELECT w.text FROM (SELECT current_setting('archive_mode') AS mode,"
      " current_setting('archive_timeout') AS timeout, a.*"
      " FROM pg_stat_archiver a) s, LATERAL (VALUES"
      " (s.mode = 'off', 'archive_mode is off: a lost disk loses payments'),"
      " (s.mode <> 'off' AND s.timeout = '0', 'archive_timeout is 0: the last"
      " payments before a loss may not be in the archive'),"
      " (s.mode <> 'off' AND s.last_failed_time > coalesce("
      "s.last_archived_time, '-infinity'), 'the last segment was not archived,"
      " ' || s.failed_count || ' failures so far'),"
      " (s.mode <> 'off' AND coalesce(s.last_archived_time, s.stats_reset)"
      " < now() - interval '1 hour', 'nothing was archived for an hour'))"
      " w (wrong, text) WHERE w.wrong AND NOT pg_is_in_recovery()",
      "docs/operations.md, backup and restore; the server's log has the"
      " output of archive_command" },
    { NULL, NULL, NULL, NULL }
};


int
pay_cli_doctor_db(const setup_t *setup)
{
    int                    found, sum = 0;
    PGconn                *conn;
    const doctor_check_t  *check;

    conn = pay_cli_connect(pay_cli_setup_dsn(setup));
    if (conn == NULL) {
        return -1;
    }

    for (check = checks; sum >= 0 && check->name != NULL; check++) {
        if (pay_cli_doctor_wants(setup, check->name)) {
            found = db_check(conn, setup, check);
            sum = found < 0 ? -1 : sum + found;
        }
    }

    if (sum >= 0 && pay_cli_doctor_wants(setup, "schema")) {
        found = db_schema(conn, setup);
        sum = found < 0 ? -1 : sum + found;
    }

    PQfinish(conn);

    return sum;
}


static int
db_check(PGconn *conn, const setup_t *setup, const doctor_check_t *check)
{
    int                row, rows;
    PGresult          *found;
    const char *const  values[] = { setup->user };

    if (check->may != NULL) {
        rows = db_may(conn, check);
        if (rows <= 0) {
            return rows;
        }
    }

    found = pay_cli_query(conn, check->name, check->sql,
                          strstr(check->sql, "$1") != NULL, values);
    if (found == NULL) {
        return -1;
    }

    rows = PQntuples(found);

    for (row = 0; row < rows; row++) {
        (void) pay_cli_doctor_finding(check->name, check->mend, "%s",
                                      PQgetvalue(found, row, 0));
    }

    PQclear(found);

    return rows == 0 ? pay_cli_doctor_ok(check->name) : rows;
}


static int
db_may(PGconn *conn, const doctor_check_t *check)
{
    int        rows;
    PGresult  *may;

    may = pay_cli_query(conn, check->name, check->may, 0, NULL);
    if (may == NULL) {
        return -1;
    }

    rows = PQntuples(may);
    PQclear(may);

    if (rows == 0) {
        printf("unknown   %s: takes a superuser\n", check->name);
    }

    return rows;
}


static int
db_schema(PGconn *conn, const setup_t *setup)
{
    int           differs;
    sql_files_t  *sql;

    sql = pay_sql_files_load(setup->sql != NULL ? setup->sql
                                                : pay_cli_sql_dir());
    if (sql == NULL) {
        return -1;
    }

    differs = schema_differs(conn, sql);
    pay_sql_files_free(sql);

    if (differs < 0) {
        return -1;
    }

    return differs == 0
           ? pay_cli_doctor_ok("schema")
           : pay_cli_doctor_finding("schema", "payctl migrate, of the release"
                                    " that nginx runs",
                                    "the database has another schema than"
                                    " this payctl");
}


/* One statement for all: the digest of the files that each deploy applies, and
 * how many migrations there are; payctl migrate itself compares each one. */
static int
schema_differs(PGconn *conn, const sql_files_t *sql)
{
    int         differs;
    char        count[PAY_CLI_WORD];
    unsigned    i, migrations = 0;
    PGresult   *rows;

    if (!pay_cli_word(conn, "schema", "SELECT count(*)::text FROM pg_class"
                      " WHERE oid = to_regclass('pay.schema_migration')", 0,
                      NULL, count))
    {
        return -1;
    }

    if (strcmp(count, "0") == 0) {
        return 1;
    }

    for (i = 0; i < sql->count; i++) {
        migrations += sql->files[i].stage == SQL_MIGRATION;
    }

    rows = pay_cli_query(conn, "schema", "SELECT count(*) FILTER (WHERE file"
                         " <> 'reapplied')::text, coalesce(min(sha256)"
                         " FILTER (WHERE file = 'reapplied'), '')"
                         " FROM pay.schema_migration", 0, NULL);
    if (rows == NULL) {
        return -1;
    }

    differs = strtoul(PQgetvalue(rows, 0, 0), NULL, 10) != migrations
              || strcmp(PQgetvalue(rows, 0, 1), sql->sha256) != 0;
    PQclear(rows);

    return differs;
}
