/*
 * payctl risk list import: a value from each line of a file, all of them in one
 * transaction or none.  Empty lines and those that begin with # are left out.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/risk.h"
#include "cli/table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>


#define LINE_MAX_LEN  512
#define ENTRIES_MAX   100000
/* of a value, its quotes and a comma */
#define ENTRY_BYTES   72

static int read_values(FILE *file, const char *kind, const pay_risk_t *risk,
    pay_buf_t *buf, long *count);
static size_t strip(char *line);
static int import(const pay_cli_risk_t *args, const char *const *words,
    const char *array, long count);


static const char  import_sql[] =
    "SELECT r.outcome, coalesce(r.added::text, '') AS added,"
    " coalesce(r.changed::text, '') AS changed"
    " FROM pay_ops.risk_list_import($1, array_fill($2::text,"
    " ARRAY[$3::int]), array_fill($4::text, ARRAY[$3::int]), $5::text[],"
    " array_fill($6::timestamptz, ARRAY[$3::int]), $7, $8) r";


int
pay_cli_risk_import(pay_cli_risk_t *args, const char *const *words)
{
    int          code = PAY_CLI_USAGE;
    long         count = 0;
    FILE        *file;
    pay_buf_t    buf;
    pay_str_t    text, array;
    pay_heap_t  *heap;
    pay_risk_t   risk;

    if (args->why == NULL) {
        return pay_cli_misuse(pay_cli_risk_usage, "risk list import: --why is "
                              "missing: the reason is kept");
    }

    if (!pay_cli_risk_keys(args, words[1], &risk)) {
        return PAY_CLI_USAGE;
    }

    file = fopen(words[2], "r");
    if (file == NULL) {
        fprintf(stderr, "payctl: risk list import: %s: %s\n", words[2],
                strerror(errno));
        return PAY_CLI_USAGE;
    }

    heap = pay_heap_create();

    if (heap != NULL) {
        pay_buf_init(&buf, pay_heap_arena(heap), ENTRIES_MAX * ENTRY_BYTES);
        pay_buf_text(&buf, "{");
        code = read_values(file, words[1], &risk, &buf, &count);
        pay_buf_text(&buf, "}");

        if (code == PAY_CLI_OK
            && (pay_buf_done(&buf, &text) != PAY_OK
                || pay_dup(pay_heap_arena(heap), text, &array) != PAY_OK))
        {
            fputs("payctl: risk list import: no memory\n", stderr);
            code = PAY_CLI_USAGE;
        }

        code = code == PAY_CLI_OK
               ? import(args, words, (const char *) array.data, count) : code;
        pay_heap_destroy(heap);
    }

    fclose(file);

    return code;
}


/* As the text of an array of PostgreSQL: no value has a quote in it. */
static int
read_values(FILE *file, const char *kind, const pay_risk_t *risk,
    pay_buf_t *buf, long *count)
{
    int          code = PAY_CLI_OK;
    long         n = 0;
    char         line[LINE_MAX_LEN];
    pay_str_t    kept;
    pay_heap_t  *heap;

    while (code == PAY_CLI_OK && fgets(line, sizeof(line), file) != NULL) {
        n++;

        if (strip(line) == 0 || line[0] == '#') {
            continue;
        }

        heap = pay_heap_create();
        if (heap == NULL) {
            return PAY_CLI_USAGE;
        }

        code = pay_cli_risk_value(pay_heap_arena(heap), risk, kind, line,
                                  &kept);

        if (code == PAY_CLI_OK) {
            pay_buf_text(buf, *count == 0 ? "\"" : ",\"");
            pay_buf_add(buf, kept);
            pay_buf_text(buf, "\"");
            (*count)++;

        } else {
            fprintf(stderr, "payctl: risk list import: line %ld\n", n);
        }

        pay_heap_destroy(heap);
    }

    if (code == PAY_CLI_OK && (*count == 0 || *count > ENTRIES_MAX)) {
        return pay_cli_misuse(pay_cli_risk_usage, "risk list import: a file "
                              "has 1 to 100000 values, this one has %ld",
                              *count);
    }

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
import(const pay_cli_risk_t *args, const char *const *words,
    const char *array, long count)
{
    char         number[24];
    const char  *values[] = {
        args->merchant != NULL ? args->merchant : "*", words[0], number,
        words[1], array, args->until, pay_cli_risk_who(args), args->why
    };

    const pay_cli_list_t  query = {
        "risk list import", import_sql, 8, "nothing", PAY_CLI_NO, NULL
    };

    (void) snprintf(number, sizeof(number), "%ld", count);

    return pay_cli_list(&query, args->dsn, values);
}
