/*
 * Reads sql/ for payctl migrate.  Only *.sql with the names that the house
 * rules give counts; an editor's leftovers don't.
 */

#include "cli/sql_files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pay_crypto.h"


#define SQL_PATH_MAX  4096
#define SQL_SHARE     "/share/payctl/sql"


static int sql_load_dir(sql_files_t *sql, const char *root, const char *dir,
    sql_stage_t stage);
static int sql_is_sql(const struct dirent *entry);
static int sql_is_check(const struct dirent *entry);
static int sql_load_file(sql_files_t *sql, const char *root, const char *name,
    sql_stage_t stage);
static char *sql_read(const char *path);
static char *sql_read_open(FILE *file);
static int sql_digest(pay_str_t bytes, char hex[SQL_DIGEST_SIZE]);
static int sql_digest_reapplied(sql_files_t *sql);


/* /usr/bin/payctl has /usr/share/payctl/sql: the files of another release, or a
 * stranger's sql/ in the directory where the operator happens to be, would be
 * the wrong ones. */
const char *
pay_cli_sql_dir(void)
{
    int          i;
    char        *slash;
    ssize_t      len;
    const char  *named = getenv("PAYCTL_SQL");
    static char  path[SQL_PATH_MAX + sizeof(SQL_SHARE "/roles.sql")];

    if (named != NULL) {
        return named;
    }

    len = readlink("/proc/self/exe", path, SQL_PATH_MAX - 1);
    path[len > 0 ? len : 0] = '\0';

    /* without the name of the program and of bin/ */
    for (i = 0; i < 2; i++) {
        slash = strrchr(path, '/');
        if (slash == NULL) {
            return "sql";
        }
        *slash = '\0';
    }

    slash = path + strlen(path);
    memcpy(slash, SQL_SHARE "/roles.sql", sizeof(SQL_SHARE "/roles.sql"));

    if (access(path, R_OK) != 0) {
        return "sql";
    }

    slash[sizeof(SQL_SHARE) - 1] = '\0';

    return path;
}


/* Files are loaded in the order in which they are applied; all of them are
 * read before anything is changed in the database. */
sql_files_t *
pay_sql_files_load(const char *root)
{
    char          path[SQL_PATH_MAX];
    sql_files_t  *sql;
    struct stat   info;

    /* A directory without roles.sql is not ours: applying a stranger's sql/ by
     * mistake would be worse than a refusal. */
    if (snprintf(path, sizeof(path), "%s/roles.sql", root)
        >= (int) sizeof(path) || stat(path, &info) != 0)
    {
        fprintf(stderr, "payctl: \"%s\" has no roles.sql: name the directory "
                "sql/ of the source by --sql DIR or PAYCTL_SQL\n", root);
        return NULL;
    }

    sql = calloc(1, sizeof(sql_files_t));
    if (sql == NULL) {
        fputs("payctl: out of memory\n", stderr);
        return NULL;
    }

    if (!sql_load_file(sql, root, "roles.sql", SQL_ROLES)
        || !sql_load_dir(sql, root, "migrations", SQL_MIGRATION)
        || !sql_load_dir(sql, root, "functions", SQL_FUNCTION)
        || !sql_load_file(sql, root, "views.sql", SQL_LAST)
        || !sql_load_file(sql, root, "grants.sql", SQL_LAST)
        || !sql_load_dir(sql, root, "checks", SQL_CHECK)
        || !sql_digest_reapplied(sql))
    {
        pay_sql_files_free(sql);
        return NULL;
    }

    return sql;
}


void
pay_sql_files_free(sql_files_t *sql)
{
    unsigned  i;

    for (i = 0; i < sql->count; i++) {
        free(sql->files[i].name);
        free(sql->files[i].text);
    }

    free(sql);
}


/* alphasort() sorts bytes in the C locale, which payctl does not leave:
 * numbers in front of the names decide. */
static int
sql_load_dir(sql_files_t *sql, const char *root, const char *dir,
    sql_stage_t stage)
{
    int              i, n, ok;
    char             path[SQL_PATH_MAX];
    struct dirent  **entries;

    if (snprintf(path, sizeof(path), "%s/%s", root, dir)
        >= (int) sizeof(path))
    {
        fputs("payctl: the path of sql/ is too long\n", stderr);
        return 0;
    }

    n = scandir(path, &entries, stage == SQL_CHECK ? sql_is_check
                                                   : sql_is_sql, alphasort);
    if (n < 0) {
        perror(path);
        return 0;
    }

    ok = 1;

    for (i = 0; i < n; i++) {
        if (ok) {
            snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
            ok = sql_load_file(sql, root, path, stage);
        }

        free(entries[i]);
    }

    free(entries);

    return ok;
}


/* Digits, "_", anything, ".sql": an editor's backup ("0001_core.sql~") is
 * passed over. */
static int
sql_is_sql(const struct dirent *entry)
{
    size_t       len = strlen(entry->d_name);
    size_t       digits = strspn(entry->d_name, "0123456789");

    return digits >= 2 && entry->d_name[digits] == '_' && len > digits + 5
           && strcmp(entry->d_name + len - 4, ".sql") == 0;
}


/* letters or '_', ".sql" */
static int
sql_is_check(const struct dirent *entry)
{
    size_t  word = strspn(entry->d_name, "abcdefghijklmnopqrstuvwxyz_");

    return word > 0 && strcmp(entry->d_name + word, ".sql") == 0;
}


/* Files keep the sequence in which they are loaded, which is that of their
 * stages. */
static int
sql_load_file(sql_files_t *sql, const char *root, const char *name,
    sql_stage_t stage)
{
    char         path[SQL_PATH_MAX];
    sql_file_t  *file;

    if (sql->count == SQL_FILES_MAX
        || snprintf(path, sizeof(path), "%s/%s", root, name)
           >= (int) sizeof(path))
    {
        fputs("payctl: too many files, or too long a path\n", stderr);
        return 0;
    }

    file = &sql->files[sql->count++];
    file->stage = stage;
    file->name = strdup(name);
    file->text = sql_read(path);

    return file->name != NULL && file->text != NULL
           && sql_digest(pay_str_of(file->text), file->sha256);
}


/* the file as a string; NULL after a complaint */
static char *
sql_read(const char *path)
{
    char  *text;
    FILE  *file;

    file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return NULL;
    }

    text = sql_read_open(file);

    if (text == NULL) {
        fprintf(stderr, "payctl: %s: cannot be read, is too large or holds "
                "a zero byte\n", path);
    }

    fclose(file);

    return text;
}


/* The text is used as a C string, so that a NUL byte in it would cut it in
 * silence. */
static char *
sql_read_open(FILE *file)
{
    char         *text;
    size_t        len;
    struct stat   st;

    if (fstat(fileno(file), &st) != 0 || !S_ISREG(st.st_mode)
        || st.st_size > SQL_FILE_MAX)
    {
        return NULL;
    }

    text = calloc(1, (size_t) st.st_size + 1);
    if (text == NULL) {
        return NULL;
    }

    len = fread(text, 1, (size_t) st.st_size, file);

    if (len != (size_t) st.st_size || strlen(text) != len) {
        free(text);
        return NULL;
    }

    return text;
}


/* SHA-256 in hex; complains itself when it fails. */
static int
sql_digest(pay_str_t bytes, char hex[SQL_DIGEST_SIZE])
{
    unsigned       i;
    unsigned char  digest[PAY_SHA256_SIZE];

    if (pay_sha256(bytes, digest) != PAY_OK) {
        fputs("payctl: out of memory\n", stderr);
        return 0;
    }

    for (i = 0; i < PAY_SHA256_SIZE; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }

    return 1;
}


/* One digest over names and digests of everything that each deploy applies
 * again. */
static int
sql_digest_reapplied(sql_files_t *sql)
{
    int           ok;
    char         *list;
    FILE         *out;
    size_t        len;
    unsigned      i;
    sql_file_t   *file;

    out = open_memstream(&list, &len);
    if (out == NULL) {
        return 0;
    }

    for (i = 0; i < sql->count; i++) {
        file = &sql->files[i];

        if (file->stage != SQL_MIGRATION) {
            fprintf(out, "%s %s\n", file->sha256, file->name);
        }
    }

    if (fclose(out) != 0) {
        return 0;
    }

    ok = sql_digest(pay_str_of(list), sql->sha256);
    free(list);

    return ok;
}
