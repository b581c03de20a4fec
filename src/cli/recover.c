/*
 * payctl recover: after a restore to an earlier moment, has the gateway search
 * the PSPs for all that the database has lost, waits for that, and prints the
 * findings.  Workers of the gateway search, since they have the PSPs' keys;
 * pay_ops.begin_recovery and end_recovery say from when to when.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/risk.h"
#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


#define AT           PAY_CLI_AT
#define NAME         "recover"
#define WAIT_S       "300"
#define WAIT_MAX_S   86400
#define PAUSE_MS     500

typedef struct {
    const char  *dsn;
    const char  *since;
    const char  *who;
    const char  *why;
    const char  *wait;         /* seconds */
    int          yes;
    int          accept;
} recover_t;


static int is_call(const recover_t *args);
static int recover_act(PGconn *conn, const recover_t *args);
static int recover_begin(PGconn *conn, const recover_t *args,
    const char *who);
static int is_begun(PGconn *conn, const recover_t *args, const char *who);
static int is_searched(PGconn *conn, long seconds);
static int recover_end(PGconn *conn, const char *who, const char *why);
static int recover_show(const recover_t *args, int code);
static int is_clear(const char *dsn);
static void rest(void);


const char  pay_cli_recover_usage[] =
    "usage: payctl recover [--dsn DSN] [-o json|csv]\n"
    "       payctl recover [--dsn DSN] --since TIME [--yes] [--wait SECONDS]\n"
    "                      [--who NAME] [-o json|csv]\n"
    "       payctl recover [--dsn DSN] --accept [--who NAME] --why REASON\n"
    "After a restore to TIME: the gateway reads the lists of all PSPs from\n"
    "TIME on, and asks about all open payments.  Until the end of the search\n"
    "new checkouts, changes and pay-outs wait (503).  payctl prints the\n"
    "findings, and ends the recovery when none is open.  Without --yes it\n"
    "prints the plan.  It waits for the search for 300 seconds, or as --wait\n"
    "says.  --accept ends a recovery with open findings.  Without an option\n"
    "the newest recovery is printed.  --since and --accept need the role\n"
    "payments_operator.\n";

static const char  record_sql[] =
    "SELECT recovery_id AS recovery, state, " AT("since") " AS since,"
    " " AT("begun_at") " AS begun_at, begun_by, lists_left, jobs_left,"
    " findings, findings_left AS open_findings, seal, message,"
    " " AT("ended_at") " AS ended_at, ended_by, ended_why"
    " FROM pay_view.recoveries ORDER BY recovery_id DESC LIMIT 1";

#define PSPS                                                                  \
    "WITH RECURSIVE n (psp) AS ((SELECT psp::text FROM pay.psp_token"         \
    " ORDER BY psp LIMIT 1) UNION ALL SELECT (SELECT psp::text"               \
    " FROM pay.psp_token WHERE psp > n.psp ORDER BY psp LIMIT 1) FROM n"      \
    " WHERE n.psp IS NOT NULL)"

#define ADVICE                                                                \
    "CASE WHEN NOT is_open AND finding = 'unknown'"                           \
    " THEN 'nothing: no money'"                                               \
    " WHEN finding = 'found' THEN 'nothing: it is booked'"                    \
    " WHEN finding = 'refund' THEN 'have the storefront compare it with its"  \
    " requests before it repeats one'"                                        \
    " WHEN fact = 'pending' THEN 'wait: the PSP does not know the outcome'"   \
    " WHEN fact IN ('paid', 'authorized') THEN 'money without an order: find" \
    " the storefront''s order at the PSP, pay it back there, or deliver by"   \
    " hand'"                                                                  \
    " ELSE 'belongs to a payment that is not known: look at the PSP' END"

static const char  findings_sql[] =
    "SELECT finding, CASE WHEN is_open THEN 'open' ELSE '' END AS state,"
    " " AT("at") " AS at, psp, coalesce(token, '') AS token,"
    " coalesce(reference, '') AS reference, fact, amount, currency,"
    " coalesce(merchant_id, '') AS merchant,"
    " coalesce(payment_order_id, '') AS \"order\", " ADVICE " AS todo"
    " FROM pay_view.recovery_findings"
    " ORDER BY is_open DESC, at, psp, token, payment_order_id";

static const pay_cli_part_t  parts[] = {
    { "PSPs",
      PSPS " SELECT p.psp, CASE WHEN b.psp IS NULL THEN 'no list: compare its"
      " dashboard or its settlement files' WHEN b.seen_until"
      " >= date_trunc('second', r.begun_at) THEN 'read' ELSE 'not read yet' END"
      " AS list, " AT("b.seen_until") " AS seen_until,"
      " coalesce(b.code, '') AS code"
      " FROM (SELECT psp FROM n WHERE psp IS NOT NULL"
      " UNION SELECT psp::text FROM pay.backfill) p"
      " LEFT JOIN pay_view.backfills b ON b.psp = p.psp"
      " CROSS JOIN (SELECT x.begun_at FROM pay_view.recoveries x"
      " ORDER BY x.recovery_id DESC LIMIT 1) r ORDER BY p.psp" },
    { "findings", findings_sql },
    { "beside it",
      "SELECT k.of, k.note FROM (SELECT * FROM pay_view.recoveries"
      " ORDER BY recovery_id DESC LIMIT 1) r CROSS JOIN LATERAL (VALUES"
      " (1, 'event log', 'seals behind number ' || r.seal || ' are lost, their"
      " numbers are given again: keep the roots that were published'),"
      " (2, 'messages', 'positions behind ' || r.message || ' are given again:"
      " readers and relays with a later mark go back to it'),"
      " (3, 'pay-outs', 'items of the time since the restored moment are not"
      " known: compare the providers'' lists before the recovery ends'))"
      " k (n, of, note) ORDER BY k.n" },
    { NULL, NULL }
};

static const pay_cli_show_t  show = {
    NAME, record_sql, "there was no recovery", parts
};

/* For programs that read rows. */
static const pay_cli_list_t  findings = {
    NAME, findings_sql, 0, "no findings", PAY_CLI_OK, NULL, NULL, NULL
};

/* The same numbers that a recovery would begin with. */
static const char  plan_sql[] =
    "SELECT (SELECT count(*) FROM pay.backfill) AS lists, (SELECT count(*)"
    " FROM pay.job WHERE kind IN ('register', 'poll') AND isfinite(run_at))"
    " AS payments, $1::timestamptz <= now() AS ok";

static const char  left_sql[] =
    "SELECT coalesce(max(lists_left + jobs_left), 0)"
    " FROM pay_view.recoveries WHERE state = 'open'";

static const char  clear_sql[] =
    "SELECT CASE WHEN state = 'ended' AND (findings_left = 0"
    " OR ended_why IS NOT NULL) THEN 'clear' ELSE 'open' END"
    " FROM pay_view.recoveries ORDER BY recovery_id DESC LIMIT 1";


int
pay_cli_recover(int argc, char **argv)
{
    int               words, code;
    PGconn           *conn;
    recover_t         args = { .wait = WAIT_S };
    pay_cli_format_t  format;

    const pay_cli_option_t  options[] = {
        { "--dsn", &args.dsn, NULL },
        { "--since", &args.since, NULL },
        { "--who", &args.who, NULL },
        { "--why", &args.why, NULL },
        { "--wait", &args.wait, NULL },
        { "--yes", NULL, &args.yes },
        { "--accept", NULL, &args.accept },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);
    if (words != 0) {
        return pay_cli_say_usage(words, pay_cli_recover_usage);
    }

    if (!is_call(&args) || !pay_cli_format(NAME, &format)) {
        return PAY_CLI_USAGE;
    }

    if (args.since == NULL && !args.accept) {
        return recover_show(&args, PAY_CLI_OK);
    }

    conn = pay_cli_connect(args.dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    code = recover_act(conn, &args);
    PQfinish(conn);

    return code == PAY_CLI_USAGE || (args.since != NULL && !args.yes)
           ? code : recover_show(&args, code);
}


static int
is_call(const recover_t *args)
{
    char       *end;
    long        seconds;
    const char *wrong = NULL;

    seconds = strtol(args->wait, &end, 10);

    if (args->accept && args->since != NULL) {
        wrong = "--since begins a recovery, --accept ends one";

    } else if (args->accept && args->why == NULL) {
        wrong = "--accept takes --why REASON";

    } else if (!args->accept && args->why != NULL) {
        wrong = "--why is for --accept";

    } else if (args->yes && args->since == NULL) {
        wrong = "--yes is for --since";

    } else if (*args->wait == '\0' || *end != '\0' || seconds < 0
               || seconds > WAIT_MAX_S)
    {
        wrong = "--wait takes 0 to 86400 seconds";
    }

    if (wrong != NULL) {
        (void) pay_cli_misuse(pay_cli_recover_usage, NAME ": %s", wrong);
    }

    return wrong == NULL;
}


static int
recover_act(PGconn *conn, const recover_t *args)
{
    int                   code;
    PGresult             *rows;
    const char           *who;
    const pay_cli_risk_t  operator = { .who = args->who };

    who = pay_cli_risk_who(&operator);

    if (args->accept) {
        return recover_end(conn, who, args->why);
    }

    if (args->yes) {
        return recover_begin(conn, args, who);
    }

    rows = pay_cli_query(conn, NAME, plan_sql, 1, &args->since);
    if (rows == NULL) {
        return PAY_CLI_USAGE;
    }

    code = *PQgetvalue(rows, 0, 2) == 't' ? PAY_CLI_NO : PAY_CLI_USAGE;
    if (code == PAY_CLI_NO) {
        printf("%s lists of events would be read from %s on, %s payments asked "
               "about\nnothing was changed: add --yes\n",
               PQgetvalue(rows, 0, 0), args->since, PQgetvalue(rows, 0, 1));

    } else {
        fputs("payctl: " NAME ": --since lies in the future\n", stderr);
    }

    PQclear(rows);

    return code;
}


/* The search may be over before, and the recovery of an earlier call may have
 * ended. */
static int
recover_begin(PGconn *conn, const recover_t *args, const char *who)
{
    if (!is_begun(conn, args, who)
        || !is_searched(conn, strtol(args->wait, NULL, 10)))
    {
        return PAY_CLI_USAGE;
    }

    return recover_end(conn, who, NULL);
}


static int
is_begun(PGconn *conn, const recover_t *args, const char *who)
{
    char        word[PAY_CLI_WORD];
    const char *values[] = { args->since, who };

    if (!pay_cli_word(conn, NAME,
                      "SELECT pay_ops.begin_recovery($1::timestamptz, $2)", 2,
                      values, word))
    {
        return 0;
    }

    if (strcmp(word, "invalid") == 0) {
        fputs("payctl: " NAME ": --since takes a time of the last 30 days,"
              " --who 1 to 200 bytes\n", stderr);
        return 0;
    }

    return 1;
}


/* 0 after a complaint of the database; the record shows lists and jobs that are
 * left when the time is over. */
static int
is_searched(PGconn *conn, long seconds)
{
    char    word[PAY_CLI_WORD];
    time_t  end;

    end = time(NULL) + seconds;

    for ( ;; ) {
        if (!pay_cli_word(conn, NAME, left_sql, 0, NULL, word)) {
            return 0;
        }

        if (strcmp(word, "0") == 0 || time(NULL) >= end) {
            return 1;
        }

        rest();
    }
}


/* None of its outcomes is a failure of this call: the record shows how it
 * stands. */
static int
recover_end(PGconn *conn, const char *who, const char *why)
{
    char        word[PAY_CLI_WORD];
    const char *values[] = { who, why };

    if (!pay_cli_word(conn, NAME, "SELECT pay_ops.end_recovery($1, $2)", 2,
                      values, word))
    {
        return PAY_CLI_USAGE;
    }

    if (strcmp(word, "invalid") == 0) {
        fputs("payctl: " NAME ": --who and --why take 1 to 200 bytes each\n",
              stderr);
        return PAY_CLI_USAGE;
    }

    if (why != NULL && strcmp(word, "none") == 0) {
        fputs("payctl: " NAME ": no recovery is open\n", stderr);
        return PAY_CLI_NO;
    }

    return PAY_CLI_OK;
}


/* A no stays a no; else it is one while something is left to do. */
static int
recover_show(const recover_t *args, int code)
{
    int               shown;
    pay_cli_format_t  format = PAY_CLI_TABLE;

    shown = !pay_cli_format(NAME, &format) ? PAY_CLI_USAGE
            : format == PAY_CLI_CSV ? pay_cli_list(&findings, args->dsn, NULL)
            : pay_cli_show_of(&show, args->dsn, 0, NULL);

    if (shown != PAY_CLI_OK || code != PAY_CLI_OK) {
        return shown != PAY_CLI_OK ? shown : code;
    }

    return is_clear(args->dsn) ? PAY_CLI_OK : PAY_CLI_NO;
}


static int
is_clear(const char *dsn)
{
    int      clear;
    char     word[PAY_CLI_WORD];
    PGconn  *conn;

    conn = pay_cli_connect(dsn);
    clear = conn != NULL && pay_cli_word(conn, NAME, clear_sql, 0, NULL, word)
            && strcmp(word, "clear") == 0;
    PQfinish(conn);

    return clear;
}


static void
rest(void)
{
    struct timespec  pause = { 0, PAUSE_MS * 1000000L };

    (void) nanosleep(&pause, NULL);
}
