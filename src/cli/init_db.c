/*
 * The database of payctl init: the database itself, its roles and schema by
 * payctl migrate, and the lines of pg_ident.conf and pg_hba.conf by which peer
 * authentication lets nginx, the timers and nobody else take a role.  No
 * password is ever set.
 */

#include "cli/cli.h"
#include "cli/db.h"
#include "cli/setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


#define CONF_MAX   (1024 * 1024)
#define LINE_MAX_  512                 /* bytes of a line that is added */

/* Roles of the line in pg_hba.conf. */
#define ROLES                                                                 \
    "payments_gateway,payments_console,payments_console_act,"                 \
    "payments_auditor,payments_operator"

typedef struct {
    const char  *user;                 /* of the host; NULL: nginx's */
    const char  *role;
} ident_t;

static int db_make(const setup_t *setup, const char *dsn, char *name);
static int db_name(const char *dsn, char *name);
static PGconn *db_any(const char *dsn);
static int db_create(PGconn *conn, const char *name);
static int db_migrate(const setup_t *setup, const char *dsn);
static int db_let_in(const setup_t *setup, PGconn *conn, const char *name);
static int ident_lines(const setup_t *setup, PGconn *conn, unsigned *added);
static int hba_line(PGconn *conn, const char *name, unsigned *added);
static int conf_add(PGconn *conn, const char *setting, const char *line,
    int is_first);
static int conf_add_to(const char *path, const char *line, int is_first);
static int conf_replace(const char *path, const char *text, size_t len,
    const char *line, int is_first);
static int db_reload(PGconn *conn, unsigned added);


static const ident_t  idents[] = {
    { NULL, "payments_gateway" },
    { NULL, "payments_console" },
    { NULL, "payments_console_act" },
    { "payments-auditor", "payments_auditor" },
    { "payments-operator", "payments_operator" },
    { NULL, NULL }
};

/* The views show the files as they are now, loaded or not. */
static const char  ident_sql[] =
    "SELECT count(*)::text FROM pg_ident_file_mappings"
    " WHERE map_name = '" SETUP_MAP "' AND sys_name = $1 AND pg_username = $2";

static const char  hba_sql[] =
    "SELECT count(*)::text FROM pg_hba_file_rules"
    " WHERE type = 'local' AND auth_method = 'peer' AND $1 = ANY (database)"
    " AND 'map=" SETUP_MAP "' = ANY (options)"
    " AND user_name @> string_to_array('" ROLES "', ',')";

static const char  error_sql[] =
    "SELECT (SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL)"
    " + (SELECT count(*) FROM pg_ident_file_mappings WHERE error IS NOT NULL)";


int
pay_cli_init_db(const setup_t *setup)
{
    int          ok;
    char         name[PAY_CLI_WORD];
    PGconn      *conn;
    const char  *dsn = pay_cli_setup_dsn(setup);

    if (!db_make(setup, dsn, name) || !db_migrate(setup, dsn)) {
        return 0;
    }

    conn = pay_cli_connect(dsn);
    ok = conn != NULL && db_let_in(setup, conn, name);
    PQfinish(conn);

    return ok;
}


static int
db_make(const setup_t *setup, const char *dsn, char *name)
{
    int     ok;
    char    found[PAY_CLI_WORD];
    PGconn  *conn;

    (void) setup;

    if (!db_name(dsn, name)) {
        return 0;
    }

    conn = db_any(dsn);
    if (conn == NULL) {
        return 0;
    }

    const char *const  values[] = { name };

    ok = pay_cli_word(conn, "init", "SELECT coalesce((SELECT"
                      " pg_encoding_to_char(encoding) FROM pg_database"
                      " WHERE datname = $1), '')", 1, values, found);

    if (ok && *found == '\0') {
        ok = db_create(conn, name);

    } else if (ok && strcmp(found, "UTF8") != 0) {
        fprintf(stderr, "payctl: init: database \"%s\" has the encoding %s,"
                " the schema needs UTF8: make another one\n", name, found);
        ok = 0;

    } else if (ok) {
        printf("kept      database %s\n", name);
    }

    PQfinish(conn);

    return ok;
}


static int
db_name(const char *dsn, char *name)
{
    char              *trouble = NULL;
    PQconninfoOption  *options, *option;

    options = PQconninfoParse(dsn, &trouble);
    if (options == NULL) {
        fprintf(stderr, "payctl: init: %s", trouble != NULL ? trouble
                                                            : "no memory\n");
        PQfreemem(trouble);
        return 0;
    }

    snprintf(name, PAY_CLI_WORD, "%s", SETUP_DATABASE);

    for (option = options; option->keyword != NULL; option++) {
        if (strcmp(option->keyword, "dbname") == 0 && option->val != NULL) {
            snprintf(name, PAY_CLI_WORD, "%s", option->val);
        }
    }

    PQconninfoFree(options);

    return 1;
}


/* The same server's own database, since ours may not be there yet. */
static PGconn *
db_any(const char *dsn)
{
    PGconn             *conn;
    const char *const   keys[] = { "dbname", "dbname", NULL };
    const char *const   values[] = { dsn, "postgres", NULL };

    conn = PQconnectdbParams(keys, values, 1);

    if (PQstatus(conn) != CONNECTION_OK) {
        fprintf(stderr, "payctl: init: %s", PQerrorMessage(conn));
        PQfinish(conn);
        return NULL;
    }

    return conn;
}


/* The encoding and the sequence of bytes are those of the schema, whatever the
 * cluster was made with.  Values that a statement holds stay out of the log. */
static int
db_create(PGconn *conn, const char *name)
{
    int    ok;
    char   sql[LINE_MAX_], *quoted;

    quoted = PQescapeIdentifier(conn, name, strlen(name));
    if (quoted == NULL) {
        fprintf(stderr, "payctl: init: %s", PQerrorMessage(conn));
        return 0;
    }

    snprintf(sql, sizeof(sql), "CREATE DATABASE %s TEMPLATE template0"
             " ENCODING 'UTF8' LOCALE 'C.UTF-8'", quoted);
    ok = pay_cli_exec(conn, "init", sql);

    snprintf(sql, sizeof(sql), "ALTER DATABASE %s"
             " SET log_min_error_statement = panic", quoted);
    ok = ok && pay_cli_exec(conn, "init", sql);

    PQfreemem(quoted);

    if (ok) {
        printf("made      database %s\n", name);
    }

    return ok;
}


static int
db_migrate(const setup_t *setup, const char *dsn)
{
    int    argc = 3;
    char   name[] = "migrate", dsn_option[] = "--dsn", sql_option[] = "--sql";
    char  *argv[] = { name, dsn_option, NULL, NULL, NULL, NULL };
    char  *dsn_copy = strdup(dsn), *sql_copy = NULL;
    int    code = PAY_CLI_USAGE;

    if (setup->sql != NULL) {
        sql_copy = strdup(setup->sql);
        argv[3] = sql_option;
        argv[4] = sql_copy;
        argc = 5;
    }

    argv[2] = dsn_copy;

    if (dsn_copy != NULL && (setup->sql == NULL || sql_copy != NULL)) {
        code = pay_cli_migrate(argc, argv);
    }

    free(dsn_copy);
    free(sql_copy);

    return code == PAY_CLI_OK;
}


static int
db_let_in(const setup_t *setup, PGconn *conn, const char *name)
{
    unsigned  added = 0;

    return ident_lines(setup, conn, &added) && hba_line(conn, name, &added)
           && db_reload(conn, added);
}


static int
ident_lines(const setup_t *setup, PGconn *conn, unsigned *added)
{
    char            count[PAY_CLI_WORD], line[LINE_MAX_];
    const char     *values[2];
    const ident_t  *ident;

    for (ident = idents; ident->role != NULL; ident++) {
        values[0] = ident->user != NULL ? ident->user : setup->user;
        values[1] = ident->role;

        if (!pay_cli_word(conn, "init", ident_sql, 2, values, count)) {
            return 0;
        }

        if (strcmp(count, "0") != 0) {
            continue;
        }

        snprintf(line, sizeof(line), "%-9s %-18s %s\n", SETUP_MAP, values[0],
                 values[1]);

        if (!conf_add(conn, "ident_file", line, 0)) {
            return 0;
        }

        (*added)++;
    }

    return 1;
}


/* The first line that fits decides: it stands in front of Debian's. */
static int
hba_line(PGconn *conn, const char *name, unsigned *added)
{
    char               count[PAY_CLI_WORD], line[LINE_MAX_];
    const char *const  values[] = { name };

    if (!pay_cli_word(conn, "init", hba_sql, 1, values, count)) {
        return 0;
    }

    if (strcmp(count, "0") != 0) {
        return 1;
    }

    snprintf(line, sizeof(line), "local  %s  " ROLES "  peer map=%s\n", name,
             SETUP_MAP);
    (*added)++;

    return conf_add(conn, "hba_file", line, 1);
}


/* The file of another host is its operator's: the line is printed. */
static int
conf_add(PGconn *conn, const char *setting, const char *line, int is_first)
{
    char               path[PAY_CLI_WORD * 4];
    PGresult          *rows;
    const char *const  values[] = { setting };

    rows = pay_cli_query(conn, "init", "SELECT current_setting($1)", 1,
                         values);
    if (rows == NULL) {
        return 0;
    }

    snprintf(path, sizeof(path), "%s", PQgetvalue(rows, 0, 0));
    PQclear(rows);

    if (conf_add_to(path, line, is_first)) {
        return 1;
    }

    printf("left      %s: %s: %s the line\n          %s", path,
           strerror(errno), is_first ? "begin with" : "add", line);

    return 1;
}


static int
conf_add_to(const char *path, const char *line, int is_first)
{
    int          done;
    char        *text;
    FILE        *file;
    size_t       len;

    file = fopen(path, "rb");
    if (file == NULL) {
        return 0;
    }

    text = malloc(CONF_MAX);
    len = text == NULL ? 0 : fread(text, 1, CONF_MAX, file);
    fclose(file);

    if (text == NULL || len == CONF_MAX) {
        free(text);
        errno = EFBIG;
        return 0;
    }

    done = conf_replace(path, text, len, line, is_first);
    free(text);

    if (done) {
        printf("made      %s: %s", path, line);
    }

    return done;
}


/* A new file takes the old one's place at once, with its mode: half a
 * pg_hba.conf would lock everybody out. */
static int
conf_replace(const char *path, const char *text, size_t len, const char *line,
    int is_first)
{
    int           ok, missing = len > 0 && text[len - 1] != '\n';
    char          fresh[SETUP_PATH];
    FILE         *file;
    struct stat   info;

    snprintf(fresh, sizeof(fresh), "%.1000s.payctl", path);

    if (stat(path, &info) != 0) {
        return 0;
    }

    file = fopen(fresh, "wbx");
    if (file == NULL) {
        return 0;
    }

    ok = (!is_first || fputs(line, file) >= 0)
         && fwrite(text, 1, len, file) == len
         && (!missing || fputc('\n', file) != EOF)
         && (is_first || fputs(line, file) >= 0)
         && fchmod(fileno(file), info.st_mode & 07777) == 0
         && (geteuid() != 0
             || fchown(fileno(file), info.st_uid, info.st_gid) == 0)
         && fflush(file) == 0 && fsync(fileno(file)) == 0;

    ok = fclose(file) == 0 && ok && rename(fresh, path) == 0;

    if (!ok) {
        (void) unlink(fresh);
    }

    return ok;
}


static int
db_reload(PGconn *conn, unsigned added)
{
    char  count[PAY_CLI_WORD];

    if (!pay_cli_word(conn, "init", error_sql, 0, NULL, count)) {
        return 0;
    }

    if (strcmp(count, "0") != 0) {
        fprintf(stderr, "payctl: init: %s lines of pg_hba.conf or"
                " pg_ident.conf are wrong: SELECT * FROM pg_hba_file_rules"
                " WHERE error IS NOT NULL\n", count);
        return 0;
    }

    return added == 0
           || pay_cli_exec(conn, "init", "SELECT pg_reload_conf()");
}
