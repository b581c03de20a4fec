/*
 * payctl risk model: the models that a person has promoted, with who and why,
 * and those by which the gateways score.  A promotion changes no gateway: its
 * model is a directive's.  list and check read views and a table
 * (payments_auditor may); promote takes payments_operator.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/risk.h"
#include "pay_risk_model.h"

#include <stdio.h>
#include <string.h>


#define AT        PAY_CLI_AT
#define HEX_SIZE  (2 * PAY_SHA256_SIZE + 1)

typedef struct {
    const char  *dsn;
    const char  *sha256;
    const char  *file;
    const char  *report;
    const char  *who;
    const char  *why;
} model_args_t;


static int model_list(const model_args_t *args);
static int model_check(const model_args_t *args);
static int model_promote(const model_args_t *args, const char *name);
static int digest_file(const char *path, char hex[HEX_SIZE]);


const char  pay_cli_risk_model_usage[] =
    "usage: payctl risk model list [--dsn DSN] [-o json|csv]\n"
    "       payctl risk model check [--dsn DSN]\n"
    "       payctl risk model promote NAME --sha256 HEX|--file FILE"
    " --why REASON\n"
    "                         [--report FILE] [--who NAME]\n"
    "\n"
    "promote keeps that NAME, of these bytes, may decide, and who says so. "
    " The\nreport is the report.json of its training, whose SHA-256 is kept. "
    " It needs the\nrole payments_operator.  check prints the models by which"
    " the gateways have\nscored in the last day without a promotion; its exit"
    " code is 1 when there is one.\n";

static const char  *const verb_names[] = { "list", "check", "promote", NULL };

static const pay_cli_list_t  list_query = {
    "risk model list",
    "SELECT p.promotion_id AS promotion, p.name, p.sha256,"
    " coalesce(left(p.report_sha256, 12), '') AS report, p.who, p.why,"
    " " AT("p.at") " AS at, coalesce(m.decisions, 0) AS decisions_of_a_day"
    " FROM pay.risk_promotion p LEFT JOIN pay_view.risk_models m"
    " ON m.name = p.name AND m.sha256 = p.sha256 AND m.promoted_at = p.at"
    " ORDER BY p.promotion_id DESC LIMIT 1000",
    0, "no promotions", PAY_CLI_OK, NULL,
    "-at", "1000"
};

static const pay_cli_list_t  check_query = {
    "risk model check",
    "SELECT m.name, m.sha256, m.decisions, " AT("m.first_at") " AS first,"
    " " AT("m.last_at") " AS last"
    " FROM pay_view.risk_models m WHERE NOT m.is_promoted ORDER BY m.last_at",
    0, "every model that scores is promoted", PAY_CLI_OK, NULL, NULL, NULL
};

static const pay_cli_refusal_t  refusals[] = {
    { "unchanged", "it is the newest promotion of this name already" },
    { "invalid", "NAME takes 1 to 64 visible characters, --sha256 64 digits of"
      " hexadecimal in lower case, --who and --why 1 to 200 bytes each" },
    { NULL, NULL }
};

static const pay_cli_act_t  promote_act = {
    "risk model promote",
    "SELECT pay_ops.promote_risk_model($1, $2, $3, $4, $5)", 5, "promoted",
    refusals
};


int
pay_cli_risk_model(int argc, char **argv)
{
    int           words;
    const char   *word[2] = { NULL, NULL };
    model_args_t  args = { .dsn = NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &args.dsn, NULL },
        { "--sha256", &args.sha256, NULL },
        { "--file", &args.file, NULL },
        { "--report", &args.report, NULL },
        { "--who", &args.who, NULL },
        { "--why", &args.why, NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, word, 2);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_risk_model_usage);
    }

    if (words == 1 && strcmp(word[0], "list") == 0) {
        return model_list(&args);
    }

    if (words == 1 && strcmp(word[0], "check") == 0) {
        return model_check(&args);
    }

    if (words == 2 && strcmp(word[0], "promote") == 0) {
        return model_promote(&args, word[1]);
    }

    return pay_cli_no_verb("risk model", pay_cli_risk_model_usage, verb_names,
                           words > 0 ? word[0] : NULL);
}


static int
model_list(const model_args_t *args)
{
    return pay_cli_list(&list_query, args->dsn, NULL);
}


/* A row is a finding here. */
static int
model_check(const model_args_t *args)
{
    int        code = PAY_CLI_USAGE;
    PGconn    *conn = pay_cli_connect(args->dsn);
    PGresult  *rows;

    if (conn == NULL) {
        return code;
    }

    rows = pay_cli_query(conn, check_query.what, check_query.sql, 0, NULL);

    if (rows != NULL && PQntuples(rows) > 0) {
        pay_cli_table(rows);
        code = PAY_CLI_NO;

    } else if (rows != NULL) {
        puts(check_query.none);
        code = PAY_CLI_OK;
    }

    PQclear(rows);
    PQfinish(conn);

    return code;
}


static int
model_promote(const model_args_t *args, const char *name)
{
    char        model[HEX_SIZE], report[HEX_SIZE];
    const char  *values[5] = { name, args->sha256, NULL, NULL, args->why };

    const pay_cli_risk_t  who = { .who = args->who };

    if (args->why == NULL || (args->sha256 == NULL) == (args->file == NULL)) {
        return pay_cli_misuse(pay_cli_risk_model_usage, args->why == NULL
                              ? "promote: --why is missing: the reason is kept"
                              : "promote takes one of --sha256 and --file");
    }

    if (args->file != NULL) {
        if (!digest_file(args->file, model)) {
            return PAY_CLI_USAGE;
        }

        values[1] = model;
    }

    if (args->report != NULL) {
        if (!digest_file(args->report, report)) {
            return PAY_CLI_USAGE;
        }

        values[2] = report;
    }

    values[3] = pay_cli_risk_who(&who);

    return pay_cli_act(&promote_act, args->dsn, values);
}


/* 0 after a complaint. */
static int
digest_file(const char *path, char hex[HEX_SIZE])
{
    int            i, done;
    pay_str_t      text;
    pay_heap_t    *heap = pay_heap_create();
    unsigned char  digest[PAY_SHA256_SIZE];

    done = heap != NULL
           && pay_cli_risk_file("risk model", pay_heap_arena(heap), path,
                                PAY_RISK_MODEL_MAX, &text)
           && pay_sha256(text, digest) == PAY_OK;

    for (i = 0; done && i < PAY_SHA256_SIZE; i++) {
        snprintf(&hex[2 * i], 3, "%02x", digest[i]);
    }

    if (heap != NULL) {
        pay_heap_destroy(heap);
    }

    return done;
}
