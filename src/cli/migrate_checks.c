/*
 * The invariants of sql/checks as views of schema pay_check, each empty while
 * all is well: operators, payctl check and reports read them where the data is.
 * payctl migrate makes them anew with the functions.
 */

#include "cli/db.h"
#include "cli/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define CHECK_NAME_MAX     63
#define CHECK_ABOUT_MAX    1024
#define CHECK_ROOM         256         /* of the statement around a query */


static int checks_view(PGconn *conn, const sql_file_t *file);
static int checks_name(const char *path, char name[CHECK_NAME_MAX + 1]);
static int checks_about(PGconn *conn, const char *name, const char *text);


static const char  checks_begin[] =
    "DROP SCHEMA IF EXISTS pay_check CASCADE;"
    "CREATE SCHEMA pay_check AUTHORIZATION payments_owner;"
    "COMMENT ON SCHEMA pay_check IS"
    " 'Invariants: each view is empty while all is well';"
    "SET LOCAL ROLE payments_owner;";

static const char  checks_end[] =
    "REVOKE ALL ON ALL TABLES IN SCHEMA pay_check FROM PUBLIC;"
    "GRANT USAGE ON SCHEMA pay_check"
    " TO payments_auditor, payments_operator;"
    "GRANT SELECT ON ALL TABLES IN SCHEMA pay_check"
    " TO payments_auditor, payments_operator;"
    "RESET ROLE";


/* The schema is dropped as a whole, so that a check whose file was removed is
 * gone. */
int
pay_cli_migrate_checks(PGconn *conn, const sql_files_t *sql)
{
    unsigned  i;

    if (!pay_cli_exec(conn, "checks", checks_begin)) {
        return 0;
    }

    for (i = 0; i < sql->count; i++) {
        if (sql->files[i].stage == SQL_CHECK
            && !checks_view(conn, &sql->files[i]))
        {
            return 0;
        }
    }

    return pay_cli_exec(conn, "checks", checks_end);
}


/* The file is a query; it becomes the body of a view. */
static int
checks_view(PGconn *conn, const sql_file_t *file)
{
    int     ok, len;
    char   *text, name[CHECK_NAME_MAX + 1];
    size_t  size = strlen(file->text) + CHECK_ROOM;

    if (!checks_name(file->name, name)) {
        fprintf(stderr, "payctl: %s: not the name of a check\n", file->name);
        return 0;
    }

    text = malloc(size);
    if (text == NULL) {
        fputs("payctl: out of memory\n", stderr);
        return 0;
    }

    len = snprintf(text, size, "CREATE VIEW pay_check.%s AS\n%s", name,
                   file->text);
    ok = len > 0 && (size_t) len < size
         && pay_cli_exec(conn, file->name, text)
         && checks_about(conn, name, file->text);
    free(text);

    return ok;
}


/* "checks/what.sql" → "what", if that is a plain word */
static int
checks_name(const char *path, char name[CHECK_NAME_MAX + 1])
{
    size_t       len;
    const char  *word = strrchr(path, '/');

    word = word == NULL ? path : word + 1;
    len = strspn(word, "abcdefghijklmnopqrstuvwxyz_");

    if (len == 0 || len > CHECK_NAME_MAX || strcmp(word + len, ".sql") != 0) {
        return 0;
    }

    memcpy(name, word, len);
    name[len] = '\0';

    return 1;
}


/* The comment at the head of the file says what the check is for. */
static int
checks_about(PGconn *conn, const char *name, const char *text)
{
    int          ok = 0;
    char        *quoted, about[CHECK_ABOUT_MAX] = "";
    char         statement[CHECK_NAME_MAX + 2 * CHECK_ABOUT_MAX + CHECK_ROOM];
    size_t       used = 0, len;

    while (strncmp(text, "-- ", 3) == 0) {
        text += 3;
        len = strcspn(text, "\n");

        if (used + len + 2 > sizeof(about)) {
            break;
        }

        memcpy(about + used, text, len);
        used += len;
        about[used++] = ' ';
        text += len + (text[len] == '\n');
    }

    about[used > 0 ? used - 1 : 0] = '\0';

    /* The text comes from a file of the source and may hold an apostrophe. */
    quoted = PQescapeLiteral(conn, about, strlen(about));

    if (quoted != NULL) {
        ok = snprintf(statement, sizeof(statement),
                      "COMMENT ON VIEW pay_check.%s IS %s", name, quoted)
             < (int) sizeof(statement)
             && pay_cli_exec(conn, name, statement);
        PQfreemem(quoted);
    }

    return ok;
}
