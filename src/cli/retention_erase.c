/*
 * payctl retention erase: ends the data of one buyer, in one transaction.
 * pay_ops does it and writes it down in the log; it takes payments_operator.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/retention.h"

#include <stdio.h>
#include <string.h>


#define ERASE_VALUE  512               /* of a line on stdin */

typedef struct {
    const char  *dsn;
    const char  *merchant;
    const char  *checkout;
    const char  *email;
    const char  *buyer;
    const char  *who;
    const char  *why;
    int          dry;
} erase_t;

typedef struct {
    const char  *outcome;
    const char  *means;
} erase_no_t;


static const char *erase_value(const erase_t *args, const char **by,
    char *line, size_t size);
static int erase_run(const erase_t *args, const char *const *values);
static int erase_say(const PGresult *rows);


const char  pay_cli_retention_erase_usage[] =
    "usage: payctl retention erase [--dsn DSN] --merchant ID\n"
    "                              --checkout ID | --email ADDRESS | --buyer"
    " ID\n"
    "                              --who NAME --why REASON [--dry-run]\n"
    "Ends the data of one buyer, whatever its age: what checkouts with this\n"
    "very address or id say about the buyer, metadata, inputs of risk,"
    " hashes\nof cards, browsers and bodies of webhooks.  ADDRESS or ID - is"
    " read from\nstdin.  Checkouts that are under way are counted and kept:"
    " run it again\nlater.  --dry-run counts and changes nothing.  It needs"
    " the role\npayments_operator.\n";

static const char  erase_sql[] =
    "SELECT e.outcome, e.class, e.ended"
    " FROM pay_ops.erase_buyer($1, $2, $3, $4, $5) e";

static const erase_no_t  refusals[] = {
    { "not_found", "the merchant has no such checkout" },
    { "too_many", "more than 1000 checkouts have this value: it is not one"
      " buyer's" },
    { "invalid", "a value takes 1 to 320 bytes, --who and --why 1 to 200" },
    { NULL, NULL }
};


int
pay_cli_retention_erase(int argc, char **argv)
{
    int          words;
    char         line[ERASE_VALUE];
    erase_t      args;
    const char  *by, *value, *none;

    const pay_cli_option_t  options[] = {
        { "--dsn", &args.dsn, NULL },
        { "--merchant", &args.merchant, NULL },
        { "--checkout", &args.checkout, NULL },
        { "--email", &args.email, NULL },
        { "--buyer", &args.buyer, NULL },
        { "--who", &args.who, NULL },
        { "--why", &args.why, NULL },
        { "--dry-run", NULL, &args.dry },
        { NULL, NULL, NULL }
    };

    memset(&args, 0, sizeof(args));
    words = pay_cli_args(argc, argv, options, &none, 0);
    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_retention_erase_usage);
    }

    value = erase_value(&args, &by, line, sizeof(line));
    if (value == NULL || args.merchant == NULL || args.who == NULL
        || args.why == NULL)
    {
        return pay_cli_misuse(pay_cli_retention_erase_usage, "retention erase: "
                              "--merchant, --who, --why and one of --checkout, "
                              "--email and --buyer are needed");
    }

    const char  *values[] = { args.merchant, by, value, args.who, args.why };

    return erase_run(&args, values);
}


/* The one of the three that was given, and its name for pay_ops; NULL for none,
 * for several, and for a "-" without a line behind it. */
static const char *
erase_value(const erase_t *args, const char **by, char *line, size_t size)
{
    size_t       i, given = 0;
    const char  *value = NULL;

    const struct {
        const char  *by;
        const char  *value;
    } ways[] = {
        { "checkout", args->checkout },
        { "email", args->email },
        { "buyer", args->buyer }
    };

    for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (ways[i].value != NULL) {
            given++;
            *by = ways[i].by;
            value = ways[i].value;
        }
    }

    if (given != 1) {
        return NULL;
    }

    if (strcmp(value, "-") != 0) {
        return value;
    }

    if (fgets(line, (int) size, stdin) == NULL) {
        return NULL;
    }

    line[strcspn(line, "\r\n")] = '\0';

    return line;
}


/* A dry run is a run that is rolled back, so that it counts the same rows. */
static int
erase_run(const erase_t *args, const char *const *values)
{
    int        code = PAY_CLI_USAGE;
    PGconn    *conn;
    PGresult  *rows;

    conn = pay_cli_connect(args->dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    if (pay_cli_exec(conn, "retention erase", "BEGIN")) {
        rows = pay_cli_query(conn, "retention erase", erase_sql, 5, values);

        if (rows != NULL
            && pay_cli_exec(conn, "retention erase",
                            args->dry ? "ROLLBACK" : "COMMIT"))
        {
            code = erase_say(rows);
        }

        PQclear(rows);
    }

    PQfinish(conn);

    return code;
}


static int
erase_say(const PGresult *rows)
{
    int                row;
    const char        *outcome = PQgetvalue(rows, 0, 0);
    const erase_no_t  *no;

    for (no = refusals; no->outcome != NULL; no++) {
        if (strcmp(outcome, no->outcome) == 0) {
            fprintf(stderr, "payctl: retention erase: %s: %s\n", no->outcome,
                    no->means);
            return PAY_CLI_NO;
        }
    }

    for (row = 0; row < PQntuples(rows); row++) {
        printf("%-18s  %s %s\n", PQgetvalue(rows, row, 1),
               PQgetvalue(rows, row, 2),
               strcmp(PQgetvalue(rows, row, 1), "under_way") == 0
               ? "checkouts are kept" : "rows");
    }

    return PAY_CLI_OK;
}
