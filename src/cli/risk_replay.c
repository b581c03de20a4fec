/*
 * payctl risk replay: other rules, windows, thresholds or another model on
 * stored decisions.  The core reads and compares (src/risk/trial.c); here rows
 * are read one by one, and sums are kept by decision and currency.  Reads one
 * view (payments_auditor may).
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/help.h"
#include "cli/risk.h"
#include "pay_risk_trial.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define WHAT        "risk replay"
#define CURRENCIES  64
#define WORDS       (PAY_RISK_ACTIONS + 1)     /* decisions, and unknown */
#define SCORE_LINE  PAY_RISK_TRIAL_LINES
#define LINES       (PAY_RISK_TRIAL_LINES + 1)

typedef enum { AS_TABLE = 0, AS_CSV, AS_JSON } form_t;

typedef struct {
    int64_t  checkouts;
    int64_t  minor;
    int64_t  frauds;
    int64_t  fraud_minor;
} sum_t;

/* - decisions: by the stored word, the tried one and the currency.
 * - lines: by line, known or not, and currency. */
typedef struct {
    pay_risk_trial_t       trial;
    const pay_currency_t  *currencies[CURRENCIES];
    unsigned               currency_count;
    sum_t                  decisions[PAY_RISK_ACTIONS][WORDS][CURRENCIES];
    sum_t                  lines[LINES][2][CURRENCIES];
    form_t                 form;
    int                    has_rows;
} replay_t;

typedef struct {
    const char  *dsn;
    const char  *rules;
    const char  *model;
    const char  *since;
    const char  *until;
    const char  *form;
    int          keeps_windows;
} replay_args_t;


static int replay_run(const replay_args_t *args, replay_t *replay,
    pay_arena_t *arena);
static int read_trial(const replay_args_t *args, replay_t *replay,
    pay_arena_t *arena);
static int replay_rows(PGconn *conn, replay_t *replay);
static int replay_row(const PGresult *row, replay_t *replay);
static unsigned currency_of(replay_t *replay, pay_str_t code);
static void add(sum_t *sum, int64_t minor, int64_t fraud_minor);
static pay_str_t column(const PGresult *row, int number);
static void print_all(replay_t *replay);
static void print_lines(replay_t *replay);
static void print_sums(replay_t *replay, const char *part, pay_str_t name,
    const char *const words[2], const sum_t *sums);
static void print_sum(replay_t *replay, const char *part, pay_str_t name,
    const char *const words[2], unsigned at, const sum_t *sum);
static void amount_of(int64_t minor, const pay_currency_t *currency,
    char text[32]);
static int complain(const char *why);


const char  pay_cli_risk_replay_usage[] =
    "usage: payctl risk replay --rules FILE [--model FILE] [--dsn DSN]\n"
    "                          [--since TIME] [--until TIME] [--keep-windows]"
    " [-o json|csv]\n"
    "\n"
    "Decides anew about stored decisions, and changes nothing.  FILE of rules"
    " has lines\npayments_risk_rule, payments_risk_velocity and"
    " payments_risk_score as nginx.conf\nhas them; the hits of lists are those"
    " of then.  A decision that hangs on a value\nthat is not stored is"
    " unknown: personal facts, counts of PostgreSQL.  With\n--keep-windows the"
    " hits of windows are those of then, too.  Frauds are checkouts\nwith a"
    " label of fraud.\n";

static const char  replay_sql[] =
    "SELECT o.merchant_id, o.currency, o.amount_minor, o.fraud_minor,"
    " floor(extract(epoch FROM o.at))::bigint, o.decision, o.hits, o.facts,"
    " o.features, o.score FROM pay_view.risk_outcomes o"
    " WHERE o.at >= coalesce($1::timestamptz, '-infinity')"
    " AND o.at < coalesce($2::timestamptz, 'infinity')";


int
pay_cli_risk_replay(int argc, char **argv)
{
    int            words, code = PAY_CLI_USAGE;
    replay_t      *replay;
    pay_heap_t    *heap;
    replay_args_t  args = { .dsn = NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &args.dsn, NULL },
        { "--rules", &args.rules, NULL },
        { "--model", &args.model, NULL },
        { "--since", &args.since, NULL },
        { "--until", &args.until, NULL },
        { "-o", &args.form, NULL },
        { "--keep-windows", NULL, &args.keeps_windows },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);

    if (words != 0) {
        return pay_cli_say_usage(words, pay_cli_risk_replay_usage);
    }

    if (args.rules == NULL) {
        return pay_cli_misuse(pay_cli_risk_replay_usage,
                              WHAT ": --rules is missing");
    }

    if (args.form != NULL && strcmp(args.form, "json") != 0
        && strcmp(args.form, "csv") != 0)
    {
        return pay_cli_misuse(pay_cli_risk_replay_usage,
                              "-o takes json or csv");
    }

    replay = calloc(1, sizeof(replay_t));
    heap = pay_heap_create();

    if (replay != NULL && heap != NULL) {
        replay->form = args.form == NULL ? AS_TABLE
                       : args.form[0] == 'c' ? AS_CSV : AS_JSON;
        code = replay_run(&args, replay, pay_heap_arena(heap));
    }

    if (heap != NULL) {
        pay_heap_destroy(heap);
    }

    free(replay);

    return code;
}


static int
replay_run(const replay_args_t *args, replay_t *replay, pay_arena_t *arena)
{
    int          code;
    PGconn      *conn;
    const char  *values[] = { args->since, args->until };

    if (!read_trial(args, replay, arena)) {
        return PAY_CLI_USAGE;
    }

    conn = pay_cli_connect(args->dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    if (!pay_cli_exec(conn, WHAT, "SET timezone = 'UTC'")) {
        code = PAY_CLI_USAGE;

    } else if (PQsendQueryParams(conn, replay_sql, 2, NULL, values, NULL, NULL,
                                 0) != 1
               || PQsetSingleRowMode(conn) != 1)
    {
        code = complain(PQerrorMessage(conn));

    } else {
        code = replay_rows(conn, replay);
    }

    PQfinish(conn);

    if (code == PAY_CLI_OK) {
        print_all(replay);
    }

    return code;
}


/* 0 after a complaint. */
static int
read_trial(const replay_args_t *args, replay_t *replay, pay_arena_t *arena)
{
    unsigned   line = 0;
    pay_str_t  text;
    pay_err_t  err = { .slug = NULL, .detail = "no memory" };

    replay->trial.keeps_windows = args->keeps_windows;

    if (!pay_cli_risk_file(WHAT, arena, args->rules, PAY_RISK_TRIAL_MAX, &text))
    {
        return 0;
    }

    if (pay_risk_trial_read(arena, text, &replay->trial, &line, &err)
        != PAY_OK)
    {
        fprintf(stderr, "payctl: " WHAT ": %s: the line that begins at %u "
                "%s\n", args->rules, line, err.detail);
        return 0;
    }

    if (args->model == NULL) {
        return 1;
    }

    if (!pay_cli_risk_file(WHAT, arena, args->model, PAY_RISK_MODEL_MAX, &text))
    {
        return 0;
    }

    if (pay_risk_model_read(arena, text, pay_risk_features(),
                            &replay->trial.model, &err) != PAY_OK)
    {
        fprintf(stderr, "payctl: " WHAT ": %s: %s\n", args->model, err.detail);
        return 0;
    }

    return 1;
}


/* One row at a time: the decisions of years need no more memory than one. */
static int
replay_rows(PGconn *conn, replay_t *replay)
{
    int        code = PAY_CLI_OK;
    PGresult  *row;

    while ((row = PQgetResult(conn)) != NULL) {
        if (PQresultStatus(row) == PGRES_SINGLE_TUPLE) {
            if (code == PAY_CLI_OK && !replay_row(row, replay)) {
                code = complain("a row cannot be read, or there are more than "
                                "64 currencies");
            }

        } else if (PQresultStatus(row) != PGRES_TUPLES_OK) {
            code = complain(PQerrorMessage(conn));
        }

        PQclear(row);
    }

    return code;
}


static int
replay_row(const PGresult *row, replay_t *replay)
{
    int64_t            fraud;
    unsigned           i, at, lines;
    pay_risk_tried_t   tried;
    pay_risk_action_t  decision;
    pay_risk_stored_t  stored = {
        .merchant_id = column(row, 0), .currency = column(row, 1),
        .amount_minor = strtoll(PQgetvalue(row, 0, 2), NULL, 10),
        .at_s = strtoll(PQgetvalue(row, 0, 4), NULL, 10),
        .hits = column(row, 6), .facts = column(row, 7),
        .features = column(row, 8), .score = column(row, 9)
    };

    if (pay_risk_action_find(column(row, 5), &decision) != PAY_OK
        || pay_risk_try(&replay->trial, &stored, &tried) != PAY_OK)
    {
        return 0;
    }

    at = currency_of(replay, stored.currency);
    if (at == CURRENCIES) {
        return 0;
    }

    fraud = strtoll(PQgetvalue(row, 0, 3), NULL, 10);
    add(&replay->decisions[decision]
        [tried.is_known ? tried.decision : PAY_RISK_ACTIONS][at],
        stored.amount_minor, fraud);

    lines = replay->trial.rule_count + replay->trial.velocity_count;

    for (i = 0; i < lines; i++) {
        if (tried.lines[i] != PAY_RISK_NO) {
            add(&replay->lines[i][tried.lines[i] == PAY_RISK_YES][at],
                stored.amount_minor, fraud);
        }
    }

    if (tried.score != PAY_RISK_NO) {
        add(&replay->lines[SCORE_LINE][tried.score == PAY_RISK_YES][at],
            stored.amount_minor, fraud);
    }

    return 1;
}


/* CURRENCIES: there is no room, or none of that name. */
static unsigned
currency_of(replay_t *replay, pay_str_t code)
{
    unsigned               i;
    pay_err_t              unused;
    const pay_currency_t  *currency;

    if (pay_currency_find(code, &currency, &unused) != PAY_OK) {
        return CURRENCIES;
    }

    for (i = 0; i < replay->currency_count; i++) {
        if (replay->currencies[i] == currency) {
            return i;
        }
    }

    if (i < CURRENCIES) {
        replay->currencies[replay->currency_count++] = currency;
    }

    return i;
}


static void
add(sum_t *sum, int64_t minor, int64_t fraud_minor)
{
    sum->checkouts++;
    sum->minor += minor;
    sum->frauds += fraud_minor > 0;
    sum->fraud_minor += fraud_minor;
}


static pay_str_t
column(const PGresult *row, int number)
{
    return (pay_str_t) { (size_t) PQgetlength(row, 0, number),
                         (const unsigned char *) PQgetvalue(row, 0, number) };
}


static void
print_all(replay_t *replay)
{
    unsigned     was, now;
    const char  *words[2];

    if (replay->form == AS_JSON) {
        printf("[");

    } else {
        printf(replay->form == AS_CSV
               ? "part,name,decided,replayed,currency,checkouts,amount,"
                 "frauds,fraud_amount\r\n"
               : "part      name                              decided    "
                 "replayed   currency  checkouts  amount            frauds  "
                 "fraud_amount\n");
    }

    for (was = 0; was < PAY_RISK_ACTIONS; was++) {
        for (now = 0; now < WORDS; now++) {
            words[0] = pay_risk_action_name((pay_risk_action_t) was);
            words[1] = now < PAY_RISK_ACTIONS
                       ? pay_risk_action_name((pay_risk_action_t) now)
                       : "unknown";
            print_sums(replay, "decision", PAY_STR(""), words,
                       replay->decisions[was][now]);
        }
    }

    print_lines(replay);

    if (replay->form == AS_JSON) {
        printf("]\n");
    }
}


static void
print_lines(replay_t *replay)
{
    int               known;
    unsigned          i, rules = replay->trial.rule_count;
    const unsigned    count = rules + replay->trial.velocity_count;
    const char       *part, *words[2] = { "", "" };
    pay_str_t         name;

    for (i = 0; i <= count; i++) {
        part = i < rules ? "rule" : i < count ? "velocity" : "score";
        name = i < rules ? replay->trial.rules[i].name
               : i < count ? replay->trial.velocities[i - rules].name
               : PAY_STR("");

        for (known = 1; known >= 0; known--) {
            words[1] = known ? "hit" : "unknown";
            print_sums(replay, part, name, words,
                       replay->lines[i < count ? i : SCORE_LINE][known]);
        }
    }
}


static void
print_sums(replay_t *replay, const char *part, pay_str_t name,
    const char *const words[2], const sum_t *sums)
{
    unsigned  i;

    for (i = 0; i < replay->currency_count; i++) {
        if (sums[i].checkouts != 0) {
            print_sum(replay, part, name, words, i, &sums[i]);
        }
    }
}


/* Names have neither quotes nor backslashes, and need no escape. */
static void
print_sum(replay_t *replay, const char *part, pay_str_t name,
    const char *const words[2], unsigned at, const sum_t *sum)
{
    char         amount[32], fraud[32];
    const char  *code = replay->currencies[at]->code;

    amount_of(sum->minor, replay->currencies[at], amount);
    amount_of(sum->fraud_minor, replay->currencies[at], fraud);

    switch (replay->form) {

    case AS_JSON:
        printf("%s{\"part\":\"%s\",\"name\":\"%.*s\",\"decided\":\"%s\","
               "\"replayed\":\"%s\",\"currency\":\"%s\",\"checkouts\":%"
               PRId64 ",\"amount\":\"%s\",\"frauds\":%" PRId64
               ",\"fraud_amount\":\"%s\"}", replay->has_rows ? ",\n" : "",
               part, pay_fmt(name), words[0], words[1], code, sum->checkouts,
               amount, sum->frauds, fraud);
        break;

    case AS_CSV:
        printf("%s,\"%.*s\",%s,%s,%s,%" PRId64 ",%s,%" PRId64 ",%s\r\n", part,
               pay_fmt(name), words[0], words[1], code, sum->checkouts, amount,
               sum->frauds, fraud);
        break;

    default:
        printf("%-8s  %-32.*s  %-9s  %-9s  %-8s  %9" PRId64 "  %-16s  %6"
               PRId64 "  %s\n", part, pay_fmt(name), words[0], words[1], code,
               sum->checkouts, amount, sum->frauds, fraud);
    }

    replay->has_rows = 1;
}


static void
amount_of(int64_t minor, const pay_currency_t *currency, char text[32])
{
    pay_str_t    found;
    pay_heap_t  *heap = pay_heap_create();

    text[0] = '\0';

    if (heap != NULL
        && pay_amount_format(pay_heap_arena(heap), minor, currency, &found)
           == PAY_OK)
    {
        snprintf(text, 32, "%.*s", pay_fmt(found));
    }

    if (heap != NULL) {
        pay_heap_destroy(heap);
    }
}


static int
complain(const char *why)
{
    fprintf(stderr, "payctl: " WHAT ": %s%s", why,
            strchr(why, '\n') != NULL ? "" : "\n");

    return PAY_CLI_USAGE;
}
