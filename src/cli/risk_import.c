/*
 * payctl risk list import: a value from each line of a file, all of them in one
 * transaction or none, read and sent piece by piece, so that a list of millions
 * takes no more memory than one of thousands.  Empty lines and those that begin
 * with # are left out.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/risk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define LINE_MAX_LEN  512
#define ENTRIES_MAX   20000000
#define PIECE_MAX     20000
/* of a value, its quotes and a comma; a name of a domain is longer */
#define ENTRY_BYTES   260

/* The file, and the entries that have come of it so far. */
typedef struct {
    FILE              *file;
    const char        *kind;
    const pay_risk_t  *risk;
    int64_t            line;
    int64_t            entries;
    int64_t            added;
    int64_t            changed;
} import_t;


static int import_all(const pay_cli_risk_t *args, const char *const *words,
    import_t *import);
static int import_piece(PGconn *conn, const pay_cli_risk_t *args,
    const char *const *words, import_t *import, long *count);
static int read_piece(import_t *import, pay_buf_t *buf, long *count);
static int read_line(import_t *import, char *line, int *code);
static int read_value(import_t *import, pay_buf_t *buf, const char *line,
    long *count);
static size_t strip(char *line);
static int send_piece(PGconn *conn, const pay_cli_risk_t *args,
    const char *const *words, const char *array, long count,
    import_t *import);


static const char  import_sql[] =
    "SELECT r.outcome, r.added, r.changed"
    " FROM pay_ops.risk_list_import($1, array_fill($2::text,"
    " ARRAY[$3::int]), array_fill($4::text, ARRAY[$3::int]), $5::text[],"
    " array_fill($6::timestamptz, ARRAY[$3::int]), $7, $8) r";


int
pay_cli_risk_import(pay_cli_risk_t *args, const char *const *words)
{
    int         code;
    pay_risk_t  risk;
    import_t    import = { .kind = words[1], .risk = &risk };

    if (args->why == NULL) {
        return pay_cli_misuse(pay_cli_risk_usage, "risk list import: --why is "
                              "missing: the reason is kept");
    }

    if (!pay_cli_risk_keys(args, words[1], &risk)) {
        return PAY_CLI_USAGE;
    }

    import.file = fopen(words[2], "r");
    if (import.file == NULL) {
        fprintf(stderr, "payctl: risk list import: %s: %s\n", words[2],
                strerror(errno));
        return PAY_CLI_USAGE;
    }

    code = import_all(args, words, &import);
    fclose(import.file);

    return code;
}


/* A connection that is closed before its commit has done nothing. */
static int
import_all(const pay_cli_risk_t *args, const char *const *words,
    import_t *import)
{
    int      code;
    long     count;
    PGconn  *conn = pay_cli_connect(args->dsn);

    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    code = pay_cli_exec(conn, "risk list import", "BEGIN")
           ? PAY_CLI_OK : PAY_CLI_USAGE;

    do {
        count = 0;
        code = code == PAY_CLI_OK
               ? import_piece(conn, args, words, import, &count) : code;
    } while (code == PAY_CLI_OK && count == PIECE_MAX);

    if (code == PAY_CLI_OK
        && (import->entries == 0 || import->entries > ENTRIES_MAX))
    {
        code = pay_cli_misuse(pay_cli_risk_usage, "risk list import: a file "
                              "has 1 to %d values", ENTRIES_MAX);
    }

    if (code == PAY_CLI_OK
        && !pay_cli_exec(conn, "risk list import", "COMMIT"))
    {
        code = PAY_CLI_USAGE;
    }

    PQfinish(conn);

    if (code == PAY_CLI_OK) {
        printf("imported, added %" PRId64 ", changed %" PRId64 "\n",
               import->added, import->changed);
    }

    return code;
}


static int
import_piece(PGconn *conn, const pay_cli_risk_t *args,
    const char *const *words, import_t *import, long *count)
{
    int          code;
    pay_buf_t    buf;
    pay_str_t    text, array;
    pay_heap_t  *heap = pay_heap_create();

    if (heap == NULL) {
        return PAY_CLI_USAGE;
    }

    pay_buf_init(&buf, pay_heap_arena(heap), PIECE_MAX * ENTRY_BYTES);
    pay_buf_text(&buf, "{");
    code = read_piece(import, &buf, count);
    pay_buf_text(&buf, "}");
    import->entries += *count;

    if (code == PAY_CLI_OK && import->entries <= ENTRIES_MAX && *count > 0) {
        if (pay_buf_done(&buf, &text) != PAY_OK
            || pay_dup(pay_heap_arena(heap), text, &array) != PAY_OK)
        {
            fputs("payctl: risk list import: no memory\n", stderr);
            code = PAY_CLI_USAGE;

        } else {
            code = send_piece(conn, args, words, (const char *) array.data,
                              *count, import);
        }
    }

    pay_heap_destroy(heap);

    return code;
}


/* As the text of an array of PostgreSQL: no value has a quote in it. */
static int
read_piece(import_t *import, pay_buf_t *buf, long *count)
{
    int   code = PAY_CLI_OK;
    char  line[LINE_MAX_LEN];

    while (*count < PIECE_MAX && read_line(import, line, &code)) {
        if (strip(line) == 0 || line[0] == '#') {
            continue;
        }

        code = read_value(import, buf, line, count);
        if (code != PAY_CLI_OK) {
            break;
        }
    }

    return code;
}


/* 0 at the end of the file, or with the exit code after a complaint: a read
 * error is not the end of the file, and a long line is refused, not split. */
static int
read_line(import_t *import, char *line, int *code)
{
    int     byte;
    size_t  len = 0;

    while ((byte = getc_unlocked(import->file)) != EOF && byte != '\n') {
        if (byte == '\0' || len == LINE_MAX_LEN - 1) {
            fprintf(stderr, "payctl: risk list import: line %" PRId64 " is"
                    " longer than %d bytes, or has a byte 0\n",
                    import->line + 1, LINE_MAX_LEN - 1);
            *code = PAY_CLI_USAGE;
            return 0;
        }

        line[len++] = (char) byte;
    }

    if (byte == EOF && ferror(import->file)) {
        fprintf(stderr, "payctl: risk list import: behind line %" PRId64
                ": %s\n", import->line, strerror(errno));
        *code = PAY_CLI_USAGE;
        return 0;
    }

    line[len] = '\0';
    import->line++;

    return byte != EOF || len > 0;
}


static int
read_value(import_t *import, pay_buf_t *buf, const char *line, long *count)
{
    int          code;
    pay_str_t    kept;
    pay_heap_t  *heap = pay_heap_create();

    if (heap == NULL) {
        return PAY_CLI_USAGE;
    }

    code = pay_cli_risk_value(pay_heap_arena(heap), import->risk, import->kind,
                              line, &kept);

    if (code == PAY_CLI_OK) {
        pay_buf_text(buf, *count == 0 ? "\"" : ",\"");
        pay_buf_add(buf, kept);
        pay_buf_text(buf, "\"");
        (*count)++;

    } else {
        fprintf(stderr, "payctl: risk list import: line %" PRId64 "\n",
                import->line);
    }

    pay_heap_destroy(heap);

    return code;
}


/* Blanks at both ends go; how long it is then. */
static size_t
strip(char *line)
{
    size_t  from = strspn(line, " \t"), len = strlen(line);

    while (len > from && strchr(" \t\r\n", line[len - 1]) != NULL) {
        len--;
    }

    memmove(line, line + from, len - from);
    line[len - from] = '\0';

    return len - from;
}


static int
send_piece(PGconn *conn, const pay_cli_risk_t *args, const char *const *words,
    const char *array, long count, import_t *import)
{
    int          done;
    char         number[24];
    PGresult    *rows;
    const char  *values[] = {
        args->merchant != NULL ? args->merchant : "*", words[0], number,
        words[1], array, args->until, pay_cli_risk_who(args), args->why
    };

    (void) snprintf(number, sizeof(number), "%ld", count);

    rows = pay_cli_query(conn, "risk list import", import_sql, 8, values);
    if (rows == NULL) {
        return PAY_CLI_USAGE;
    }

    done = strcmp(PQgetvalue(rows, 0, 0), "imported") == 0;

    if (done) {
        import->added += strtoll(PQgetvalue(rows, 0, 1), NULL, 10);
        import->changed += strtoll(PQgetvalue(rows, 0, 2), NULL, 10);

    } else {
        fputs("payctl: risk list import: invalid: --who and --why take 1 to"
              " 200 bytes each, EFFECT is block, review, challenge or allow,"
              " --until is to come\n", stderr);
    }

    PQclear(rows);

    return done ? PAY_CLI_OK : PAY_CLI_NO;
}
