/*
 * payctl retention: shows the classes of data that end, and ends rows old
 * enough, batch by batch, each in a transaction of its own.  show and --dry-run
 * read only (payments_auditor may); run calls pay_ops, which takes
 * payments_operator.  PostgreSQL has the list of classes.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/retention.h"
#include "cli/risk.h"
#include "cli/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define BATCH  "1000"

typedef struct {
    const char  *dsn;
    const char  *classes;      /* with commas between them; NULL: all */
    const char  *keep;         /* NULL: as each class says */
    const char  *batch;
    const char  *who;
    int          dry;
} retention_t;


static int retention_show(const retention_t *args);
static int retention_run(const retention_t *args);
static int is_list(const char *classes);
static int is_known(PGconn *conn, const retention_t *args);
static int run_class(PGconn *conn, const retention_t *args,
    const char *class);
static int run_batch(PGconn *conn, const char *const *values,
    int64_t *ended);


const char  pay_cli_retention_usage[] =
    "usage: payctl retention show [--dsn DSN] [--class CLASS,...]"
    " [--keep TIME]\n"
    "                             [-o json|csv]\n"
    "       payctl retention run [--dsn DSN] [--class CLASS,...]"
    " [--keep TIME]\n"
    "                            [--batch N] [--who NAME] [--dry-run]\n"
    "       payctl retention erase [--dsn DSN] --merchant ID\n"
    "                              --checkout ID | --email ADDRESS | --buyer"
    " ID\n"
    "                              --who NAME --why REASON [--dry-run]\n"
    "show prints the classes of data that end, and how many rows are due.\n"
    "run empties or deletes them, N (1000) of a table at a time, and skips\n"
    "rows that are locked.  It may be stopped and begun again at any time.\n"
    "--keep is another age for the class that --class names.  --dry-run\n"
    "counts and changes nothing.  run needs the role payments_operator."
    "  erase\nends the data of one buyer, see payctl retention erase --help.\n";

#define SHOWN                                                                 \
    " FROM pay_view.retention(string_to_array($1, ','), $2::interval) r"

static const pay_cli_list_t  show_list = {
    "retention show",
    "SELECT r.class, r.keep::text AS keep, r.at_least::text AS at_least,"
    " r.act, r.due, coalesce(" PAY_CLI_AT("r.last_at") ", '') AS last_run,"
    " coalesce(r.last_who, '') AS last_who, r.total, r.data" SHOWN,
    2, "no such class", PAY_CLI_USAGE, NULL, NULL, NULL
};

/* The lines of a run, without running. */
static const pay_cli_list_t  dry_list = {
    "retention run", "SELECT r.class, r.act, r.due AS rows" SHOWN, 2,
    "no such class", PAY_CLI_USAGE, NULL, NULL, NULL
};

static const char  unknown_sql[] =
    "SELECT coalesce(min(u.class), '')"
    " FROM unnest(string_to_array($1, ',')) u (class)"
    " WHERE u.class NOT IN (SELECT c.class FROM pay.retention_class c)";

static const char  *const verb_names[] = { "show", "run", "erase", NULL };

static const char  classes_sql[] =
    "SELECT c.class, c.act FROM pay.retention_class c"
    " WHERE $1::text IS NULL OR c.class = ANY (string_to_array($1, ','))";

static const char  batch_sql[] =
    "SELECT r.outcome, coalesce(r.ended, 0)"
    " FROM pay_ops.run_retention($1, $2::interval, $3::int, $4) r";


int
pay_cli_retention(int argc, char **argv)
{
    int          words, code = PAY_CLI_USAGE;
    const char  *verb = NULL;
    retention_t  args = { .batch = BATCH };

    const pay_cli_option_t  options[] = {
        { "--dsn", &args.dsn, NULL },
        { "--class", &args.classes, NULL },
        { "--keep", &args.keep, NULL },
        { "--batch", &args.batch, NULL },
        { "--who", &args.who, NULL },
        { "--dry-run", NULL, &args.dry },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    if (argc > 1 && strcmp(argv[1], "erase") == 0) {
        return pay_cli_retention_erase(argc - 1, argv + 1);
    }

    words = pay_cli_args(argc, argv, options, &verb, 1);
    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_retention_usage);
    }

    if (args.classes != NULL && !is_list(args.classes)) {
        return pay_cli_misuse(pay_cli_retention_usage,
                              "retention: --class takes classes with commas"
                              " between them, and none of them is empty");
    }

    if (args.keep != NULL
        && (args.classes == NULL || strchr(args.classes, ',') != NULL))
    {
        return pay_cli_misuse(pay_cli_retention_usage,
                              "retention: --keep is for one class, "
                              "which --class names");
    }

    if (verb != NULL && strcmp(verb, "show") == 0) {
        code = retention_show(&args);

    } else if (verb != NULL && strcmp(verb, "run") == 0) {
        code = retention_run(&args);

    } else {
        code = pay_cli_no_verb("retention", pay_cli_retention_usage, verb_names,
                               verb);
    }

    return code;
}


static int
retention_show(const retention_t *args)
{
    const char  *values[] = { args->classes, args->keep };

    return pay_cli_list(&show_list, args->dsn, values);
}


static int
retention_run(const retention_t *args)
{
    int          row, code = PAY_CLI_USAGE;
    PGconn      *conn;
    PGresult    *rows = NULL;
    const char  *values[] = { args->classes, args->keep };

    if (!args->dry && !pay_cli_no_format("retention run")) {
        return PAY_CLI_USAGE;
    }

    conn = pay_cli_connect(args->dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    if (is_known(conn, args)) {
        rows = args->dry ? NULL
               : pay_cli_query(conn, "retention run", classes_sql, 1, values);
        code = args->dry ? pay_cli_list(&dry_list, args->dsn, values)
               : rows != NULL ? PAY_CLI_OK : PAY_CLI_USAGE;
    }

    for (row = 0; code == PAY_CLI_OK && row < PQntuples(rows); row++) {
        code = run_class(conn, args, PQgetvalue(rows, row, 0));
    }

    PQclear(rows);
    PQfinish(conn);

    return code;
}


/* An empty one comes of a script whose variable is not set: it would stand for
 * no class, and nothing would be done, with 0. */
static int
is_list(const char *classes)
{
    size_t  len = strlen(classes);

    return len > 0 && classes[0] != ',' && classes[len - 1] != ','
           && strstr(classes, ",,") == NULL;
}


/* A class that is not known is a mistake: personal data would stay. */
static int
is_known(PGconn *conn, const retention_t *args)
{
    char  word[PAY_CLI_WORD];

    if (!pay_cli_word(conn, "retention run", unknown_sql, 1, &args->classes,
                      word))
    {
        return 0;
    }

    if (word[0] != '\0') {
        fputs("payctl: retention run: there is no class ", stderr);
        (void) pay_cli_put(stderr, word, PAY_CLI_WORD);
        fputs(", see payctl retention show\n", stderr);
    }

    return word[0] == '\0';
}


/* Rows that another session has locked are left to the next run. */
static int
run_class(PGconn *conn, const retention_t *args, const char *class)
{
    int                   code;
    int64_t               ended, total = 0;
    const pay_cli_risk_t  operator = { .who = args->who };
    const char           *values[] = {
        class, args->keep, args->batch, pay_cli_risk_who(&operator)
    };

    do {
        ended = 0;
        code = run_batch(conn, values, &ended);
        total += ended;
    } while (code == PAY_CLI_OK && ended > 0);

    printf("%-18s  %" PRId64 " rows\n", class, total);
    fflush(stdout);

    return code;
}


static int
run_batch(PGconn *conn, const char *const *values, int64_t *ended)
{
    int          done;
    PGresult    *rows;
    const char  *outcome;

    rows = pay_cli_query(conn, "retention run", batch_sql, 4, values);
    if (rows == NULL) {
        return PAY_CLI_USAGE;
    }

    outcome = PQgetvalue(rows, 0, 0);
    done = strcmp(outcome, "done") == 0;

    if (done) {
        *ended = strtoll(PQgetvalue(rows, 0, 1), NULL, 10);

    } else {
        fprintf(stderr, "payctl: retention run: %s: %s\n", values[0],
                strcmp(outcome, "too_young") == 0
                ? "--keep is shorter than this class allows, see payctl"
                  " retention show"
                : "--batch takes 1 to 10000, --who 1 to 200 bytes");
    }

    PQclear(rows);

    return done ? PAY_CLI_OK : PAY_CLI_NO;
}
