/*
 * payctl migrate: brings a database up to date.  Under an advisory lock it
 * creates the roles, applies each pending migration in a transaction of its
 * own, then functions, views, grants and checks in one, in place of an older
 * release's where they do not fit on top of them.  What was applied is noted
 * with its digest; a migration that was changed afterwards is refused, and a
 * second run changes nothing.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/help.h"
#include "cli/migrate.h"
#include "cli/sql_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


typedef struct {
    /* The call, then the state of the run; `done` counts the steps that were
     * or would be taken. */
    const char   *dsn;
    const char   *root;
    int           dry_run;
    int           is_try;              /* on top of an older release's */
    const char   *refused;             /* the file that does not fit there */
    PGconn       *conn;
    PGresult     *applied;             /* file, sha256 */
    sql_files_t  *sql;
    unsigned      done;
} migrate_t;


static int migrate_parse(int argc, char **argv, migrate_t *m);
static int migrate_run(migrate_t *m);
static int migrate_lock(migrate_t *m);
static int migrate_load_applied(migrate_t *m);
static const char *migrate_applied(const migrate_t *m, const char *file);
static int migrate_check(const migrate_t *m);
static int migrate_is_reapplied(const migrate_t *m);
static int migrate_pending(migrate_t *m);
static int migrate_reapply(migrate_t *m);
static int migrate_make(migrate_t *m);
static int migrate_make_on_top(migrate_t *m);
static int migrate_make_anew(migrate_t *m);
static int migrate_stage(migrate_t *m, sql_stage_t stage);
static int migrate_file(migrate_t *m, const sql_file_t *file);
static int migrate_run_file(migrate_t *m, const sql_file_t *file);
static int migrate_is_refusal(const char *state);
static int migrate_forget(migrate_t *m);
static int migrate_note(migrate_t *m, const char *file, const char *sha256);
static int migrate_commit(migrate_t *m, int ok);


const char  pay_cli_migrate_usage[] =
    "usage: payctl migrate [--dsn DSN] [--sql DIR] [--dry-run]\n"
    "DSN defaults to $PAYCTL_DSN, DIR to $PAYCTL_SQL, else to\n"
    "share/payctl/sql of the place where payctl is installed, else ./sql.\n"
    "Exit code 0: up to date; 1: refused or failed, the transaction in"
    " question\nrolled back; 2: not tried.\n";


/*
 *   lock ─▶ read what is applied ─▶ compare digests ─▶ roles
 *        ─▶ pending migrations, each in a transaction
 *        ─▶ functions, views, grants and checks, all in one transaction
 *
 * Every step can end here, by a crash or a refusal, and the next run goes
 * on. */
int
pay_cli_migrate(int argc, char **argv)
{
    int        code;
    migrate_t  m;

    code = migrate_parse(argc, argv, &m);
    if (code >= 0) {
        return code;
    }

    m.sql = pay_sql_files_load(m.root);
    if (m.sql == NULL) {
        return PAY_CLI_USAGE;
    }

    code = PAY_CLI_USAGE;
    m.conn = pay_cli_connect(m.dsn);

    if (m.conn != NULL) {
        code = migrate_run(&m) ? PAY_CLI_OK : PAY_CLI_NO;

        if (code == PAY_CLI_OK && m.done == 0) {
            printf("nothing to do, digest:%.12s\n", m.sql->sha256);
        }

        PQclear(m.applied);
        PQfinish(m.conn);
    }

    pay_sql_files_free(m.sql);

    return code;
}


/* -1: go on; else the exit code */
static int
migrate_parse(int argc, char **argv, migrate_t *m)
{
    int  words;

    const pay_cli_option_t  options[] = {
        { "--dsn", &m->dsn, NULL },
        { "--sql", &m->root, NULL },
        { "--dry-run", NULL, &m->dry_run },
        { NULL, NULL, NULL }
    };

    memset(m, 0, sizeof(*m));
    words = pay_cli_args(argc, argv, options, NULL, 0);

    if (words != 0) {
        return pay_cli_say_usage(words, pay_cli_migrate_usage);
    }

    if (m->root == NULL) {
        m->root = pay_cli_sql_dir();
    }

    return -1;
}


/* Roles come first and in a transaction of their own, because migrations name
 * them as owners; they are skipped when everything is up to date. */
static int
migrate_run(migrate_t *m)
{
    if (!migrate_lock(m) || !migrate_load_applied(m) || !migrate_check(m)) {
        return 0;
    }

    if (!migrate_is_reapplied(m) && !m->dry_run) {
        /* the migrations create objects that a role owns */
        if (!pay_cli_exec(m->conn, "begin", "BEGIN")
            || !migrate_commit(m, migrate_stage(m, SQL_ROLES)))
        {
            return 0;
        }
    }

    return migrate_pending(m) && migrate_reapply(m);
}


/* One payctl at a time; others wait.  The lock belongs to the session, so that
 * the end of the connection releases it even when payctl is killed.  A lock of
 * a table is not waited for like that: all workers would wait behind it, for as
 * long as a pg_dump takes.  The administrator's own setting counts more. */
static int
migrate_lock(migrate_t *m)
{
    return pay_cli_exec(m->conn, "lock",
                        "SELECT pg_advisory_lock("
                        "hashtextextended('payctl migrate', 0))")
           && pay_cli_exec(m->conn, "bound the locks",
                           "SELECT set_config('lock_timeout', '5s', false)"
                           " WHERE current_setting('lock_timeout') = '0'");
}


/* A database without the table has nothing applied; an empty result stands for
 * it. */
static int
migrate_load_applied(migrate_t *m)
{
    int        exists;
    PGresult  *result;

    result = pay_cli_query(m->conn, "read what is applied",
                           "SELECT to_regclass('pay.schema_migration')", 0,
                           NULL);
    if (result == NULL) {
        return 0;
    }

    exists = !PQgetisnull(result, 0, 0);
    PQclear(result);

    m->applied = pay_cli_query(m->conn, "read what is applied",
                               exists ? "SELECT file, sha256"
                                        " FROM pay.schema_migration"
                                      : "SELECT '', '' WHERE false",
                               0, NULL);

    return m->applied != NULL;
}


/* the digest under which `file` was applied, or NULL */
static const char *
migrate_applied(const migrate_t *m, const char *file)
{
    int  i;

    for (i = 0; i < PQntuples(m->applied); i++) {
        if (strcmp(PQgetvalue(m->applied, i, 0), file) == 0) {
            return PQgetvalue(m->applied, i, 1);
        }
    }

    return NULL;
}


/* Every applied migration must still be here, byte for byte: a file that was
 * changed would have another effect on a new database than it had on this one.
 * A database that knows more files than we have is of a newer release. */
static int
migrate_check(const migrate_t *m)
{
    int          known = 0;
    unsigned     i;
    const char  *sha256;

    for (i = 0; i < m->sql->count; i++) {
        if (m->sql->files[i].stage != SQL_MIGRATION) {
            continue;
        }

        sha256 = migrate_applied(m, m->sql->files[i].name);
        known += sha256 != NULL;

        if (sha256 != NULL && strcmp(sha256, m->sql->files[i].sha256) != 0) {
            fprintf(stderr, "payctl: %s was changed after it had been "
                    "applied: write a new migration instead\n",
                    m->sql->files[i].name);
            return 0;
        }
    }

    known += migrate_applied(m, "reapplied") != NULL;

    if (known != PQntuples(m->applied)) {
        fputs("payctl: the database has migrations that are not here: use "
              "the payctl and sql/ of the newer release\n", stderr);
        return 0;
    }

    return 1;
}


/* The digest covers everything that each deploy applies again, so that an
 * unchanged deploy touches no object. */
static int
migrate_is_reapplied(const migrate_t *m)
{
    const char  *sha256 = migrate_applied(m, "reapplied");

    return sha256 != NULL && strcmp(sha256, m->sql->sha256) == 0;
}


/* Each migration commits with its note: after a crash it is either done or not
 * begun. The views of pay_check go first, because they would hold columns that
 * a migration drops. */
static int
migrate_pending(migrate_t *m)
{
    int          ok;
    unsigned     i;
    sql_file_t  *file;

    for (i = 0; i < m->sql->count; i++) {
        file = &m->sql->files[i];

        if (file->stage != SQL_MIGRATION
            || migrate_applied(m, file->name) != NULL)
        {
            continue;
        }

        m->done++;

        /* The message is all that a dry run does. */
        if (m->dry_run) {
            printf("would apply %s\n", file->name);
            continue;
        }

        /* One transaction: file, note, and the mark that functions must be
         * made again. */
        ok = pay_cli_exec(m->conn, "begin", "BEGIN")
             && pay_cli_migrate_drop_checks(m->conn)
             && migrate_file(m, file)
             && migrate_note(m, file->name, file->sha256)
             && migrate_forget(m);

        if (!migrate_commit(m, ok)) {
            return 0;
        }

        printf("applied %s\n", file->name);
    }

    return 1;
}


/* Runs also when only a migration is new, since that may have changed what
 * functions and grants are about.  All of it is one transaction: workers never
 * see half a set of functions. */
static int
migrate_reapply(migrate_t *m)
{
    int  ok;

    if (m->done == 0 && migrate_is_reapplied(m)) {
        return 1;
    }

    m->done++;

    if (m->dry_run) {
        printf("would apply roles, functions, views and grants, "
               "digest:%.12s\n", m->sql->sha256);
        return 1;
    }

    ok = pay_cli_exec(m->conn, "begin", "BEGIN")
         && (migrate_make_on_top(m)
             || (m->refused != NULL && migrate_make_anew(m)))
         && pay_cli_migrate_checks(m->conn, m->sql)
         && migrate_note(m, "reapplied", m->sql->sha256);

    if (!migrate_commit(m, ok)) {
        return 0;
    }

    printf("applied roles, functions, views and grants, digest:%.12s\n",
           m->sql->sha256);

    return 1;
}


static int
migrate_make(migrate_t *m)
{
    return migrate_stage(m, SQL_ROLES)
           && migrate_stage(m, SQL_FUNCTION)
           && migrate_stage(m, SQL_LAST);
}


/* Replaces objects in place, which keeps prepared statements and views of
 * others valid. PostgreSQL refuses that for a function whose arguments or
 * columns have changed; then the savepoint is taken back. */
static int
migrate_make_on_top(migrate_t *m)
{
    int  ok;

    m->is_try = 1;
    ok = pay_cli_exec(m->conn, "savepoint", "SAVEPOINT made")
         && migrate_make(m);
    m->is_try = 0;

    if (!ok) {
        (void) pay_cli_exec(m->conn, "rollback", "ROLLBACK TO made");
    }

    return ok;
}


/* The views go with everything that was made upon them, an operator's own views
 * among it; so the output says it. */
static int
migrate_make_anew(migrate_t *m)
{
    printf("%s does not fit on top of the older release: its views and"
           " functions are dropped and made anew\n", m->refused);

    return pay_cli_migrate_drop_made(m->conn, m->sql) && migrate_make(m);
}


/* each file sets its own role and path, and none leaks into the next */
static int
migrate_stage(migrate_t *m, sql_stage_t stage)
{
    unsigned     i;
    sql_file_t  *file;

    for (i = 0; i < m->sql->count; i++) {
        file = &m->sql->files[i];

        if (file->stage == stage && !migrate_file(m, file)) {
            return 0;
        }
    }

    return 1;
}


/* A file that ended its transaction would commit half a deploy. */
static int
migrate_file(migrate_t *m, const sql_file_t *file)
{
    if (!migrate_run_file(m, file)) {
        return 0;
    }

    if (PQtransactionStatus(m->conn) != PQTRANS_INTRANS) {
        fprintf(stderr, "payctl: %s: a file may not end its transaction\n",
                file->name);
        return 0;
    }

    return pay_cli_exec(m->conn, file->name,
                        "RESET ROLE; SET search_path = pg_catalog");
}


static int
migrate_run_file(migrate_t *m, const sql_file_t *file)
{
    char  state[PAY_CLI_STATE];

    if (!m->is_try) {
        return pay_cli_exec(m->conn, file->name, file->text);
    }

    if (pay_cli_try(m->conn, file->text, state)) {
        return 1;
    }

    if (migrate_is_refusal(state)) {
        m->refused = file->name;

    } else {
        pay_cli_complain(m->conn, file->name);
    }

    return 0;
}


/* Only these say that an object of the older release is in the way: a function
 * with another result or other names of arguments, a view with other columns, a
 * name that two functions have since the arguments changed, and an object that
 * others need.  Any other error, such as a lock that is not free, would drop an
 * operator's own views for nothing. */
static int
migrate_is_refusal(const char *state)
{
    size_t  i;

    static const char *const  states[] = {
        "42P13",                       /* invalid_function_definition */
        "42P16",                       /* invalid_table_definition */
        "42725",                       /* ambiguous_function */
        "2BP01"                        /* dependent_objects_still_exist */
    };

    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(state, states[i]) == 0) {
            return 1;
        }
    }

    return 0;
}


/* Notes that functions and views must be made again, even if this run does not
 * come to it: the migration has dropped some. */
static int
migrate_forget(migrate_t *m)
{
    return pay_cli_exec(m->conn, "note what is applied",
                        "DELETE FROM pay.schema_migration"
                        " WHERE file = 'reapplied'");
}


/* An upsert, because "reapplied" is noted at each deploy under one name. */
static int
migrate_note(migrate_t *m, const char *file, const char *sha256)
{
    PGresult    *result;
    const char  *values[2];

    values[0] = file;
    values[1] = sha256;

    result = pay_cli_query(m->conn, "note what is applied",
                           "INSERT INTO pay.schema_migration (file, sha256)"
                           " VALUES ($1, $2) ON CONFLICT (file) DO UPDATE"
                           " SET sha256 = EXCLUDED.sha256,"
                           " applied_at = now()", 2, values);
    PQclear(result);

    return result != NULL;
}


/* returns ok, or 0 when the commit itself fails */
static int
migrate_commit(migrate_t *m, int ok)
{
    if (!ok) {
        (void) pay_cli_exec(m->conn, "rollback", "ROLLBACK");
        return 0;
    }

    return pay_cli_exec(m->conn, "commit", "COMMIT");
}
