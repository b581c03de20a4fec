/*
 * payctl merchant: moves a merchant to another cell, and shows how it stands.
 * The state of a move is in the two databases, so the command may be killed
 * anywhere and called again: each step is repeated without harm.
 *
 *     ready? ─▶ fence ─▶ wait for earlier ones ─▶ moved ─▶ balances ─▶ proof
 */

#include "cli/merchant.h"
#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/help.h"
#include "cli/risk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


#define AT          PAY_CLI_AT
#define NAME        PAY_CLI_MERCHANT_NAME
#define WAIT_S      "60"
#define WAIT_MAX_S  86400
#define PAUSE_MS    50
#define LOCK_TRIES  60              /* with a pause between */

typedef struct {
    const char  *dsn;
    const char  *to_dsn;
    const char  *from;
    const char  *to;
    const char  *balances;
    const char  *wait;         /* seconds */
    const char  *who;
    int          dry;
    int          cancel;
} merchant_t;


typedef int (*act_pt)(const pay_cli_move_t *move, const merchant_t *args);


static int is_move(const merchant_t *args);
static int is_forget(const merchant_t *args);
static int merchant_both(const merchant_t *args, const char *id, act_pt act);
static int merchant_move(const pay_cli_move_t *move, const merchant_t *args);
static int merchant_forget(const pay_cli_move_t *move, const merchant_t *args);
static int is_other(const pay_cli_move_t *move);
static int is_alone(const pay_cli_move_t *move);
static int lock(PGconn *conn, const char *id);
static void wait_a_moment(void);
static int move_on(const pay_cli_move_t *move, const merchant_t *args);
static int move_note(const pay_cli_move_t *move);
static int move_fence(const pay_cli_move_t *move);
static int no_fence(const char *word);
static int move_wait(const pay_cli_move_t *move, long seconds);
static int move_cancel(const pay_cli_move_t *move);
static int move_end(const pay_cli_move_t *move, const merchant_t *args);


const char  pay_cli_merchant_usage[] =
    "usage: payctl merchant list [--dsn DSN] [-o json|csv]\n"
    "       payctl merchant show [--dsn DSN] ID [-o json|csv]\n"
    "       payctl merchant move [--dsn DSN] ID --from CELL --to CELL\n"
    "                            --to-dsn DSN --balances carry|leave\n"
    "                            [--wait SECONDS] [--who NAME] [--dry-run]\n"
    "       payctl merchant move [--dsn DSN] ID --from CELL --to CELL\n"
    "                            --to-dsn DSN --cancel [--who NAME]\n"
    "       payctl merchant forget [--dsn DSN] ID --to-dsn DSN [--who NAME]\n"
    "list has the merchants whose new payments begin in another cell.\n"
    "move moves one there: --dsn is the database of the cell that it comes\n"
    "from, --to-dsn that of the other one.  All nodes should have the new\n"
    "nginx.conf before (payments_merchant ID { cell CELL; from CELL; }).  New\n"
    "payments are kept out until all that began before have ended, for 60\n"
    "seconds at most or as --wait says, and begin in the other cell then.\n"
    "carry takes over what sellers may be paid now.  A call that was ended\n"
    "is called again, and goes on.  --dry-run names all that is missing.\n"
    "--cancel takes a fence back that has let nothing into the other cell.\n"
    "forget is for a merchant that has come back: when no key of its payments\n"
    "is valid any more in the other cell, whose database --to-dsn is, nodes\n"
    "need not ask there, and nginx.conf may lose the word from.\n"
    "Needs the role payments_operator in both.\n";

/* list is first, since it takes no id. */
static const char *const  verbs[] = { "list", "show", "move", "forget",
                                      NULL };

static const char  list_sql[] =
    "SELECT merchant_id AS merchant, state, cell, " AT("fenced_at")
    " AS fenced_at, fenced_by, " AT("moved_at") " AS moved_at"
    " FROM pay.merchant_move ORDER BY merchant_id";

static const pay_cli_list_t  list_query = {
    NAME " list", list_sql, 0, "all merchants begin their payments here",
    PAY_CLI_OK, NULL, "merchant", NULL
};

/* The end of the last valid key, "" when there is none. */
static const char  keys_sql[] =
    "SELECT CASE WHEN EXISTS (SELECT FROM pay.merchant_move"
    " WHERE merchant_id = $1 AND state = 'moved')"
    " THEN coalesce(to_char(max(expires_at) AT TIME ZONE 'UTC',"
    " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '') ELSE 'other' END"
    " FROM pay.idempotency_key WHERE merchant_id = $1"
    " AND route = 'POST /v1/payments' AND expires_at > now()";

static const char  record_sql[] =
    "SELECT $1::text AS merchant, coalesce(m.state, 'begins here') AS state,"
    " coalesce(m.cell, '') AS cell, coalesce(o.cell, '') AS came_from,"
    " CASE WHEN o.is_asked THEN 'yes' ELSE '' END AS is_asked, "
    AT("m.fenced_at") " AS fenced_at,"
    " coalesce(m.fenced_by, '') AS fenced_by, " AT("m.moved_at") " AS moved_at"
    " FROM (SELECT) x LEFT JOIN pay.merchant_move m ON m.merchant_id = $1"
    " LEFT JOIN pay.merchant_origin o ON o.merchant_id = $1"
    " WHERE m.merchant_id IS NOT NULL OR o.merchant_id IS NOT NULL OR EXISTS"
    " (SELECT FROM pay.checkout c WHERE c.merchant_id = $1)"
    " OR EXISTS (SELECT FROM pay.cell_transfer t WHERE t.merchant_id = $1)";

static const pay_cli_part_t  parts[] = {
    { "balances",
      "SELECT seller_account, currency, available_minor, pending_minor,"
      " reserved_minor FROM pay.wallet WHERE merchant_id = $1 AND"
      " (available_minor, pending_minor, reserved_minor) <> (0, 0, 0)"
      " ORDER BY seller_account, currency LIMIT 100" },
    { "transfers",
      "SELECT transfer_id, side, cell, seller_account, currency, minor, "
      AT("at") " AS at, CASE WHEN ended_at IS NULL THEN 'open' ELSE 'ended' END"
      " AS state FROM pay.cell_transfer WHERE merchant_id = $1"
      " ORDER BY ended_at IS NOT NULL, cell_transfer.at DESC LIMIT 100" },
    { NULL, NULL }
};

static const pay_cli_show_t  show = {
    NAME " show", record_sql, "the merchant has nothing in this database", parts
};

static const pay_cli_verbs_t  words_of = { NAME, pay_cli_merchant_usage, verbs,
                                           NULL, 0 };


int
pay_cli_merchant(int argc, char **argv)
{
    int          words, verb, code;
    merchant_t   args = { .dsn = NULL };
    const char  *word[2];

    const pay_cli_option_t  options[] = {
        { "--dsn", &args.dsn, NULL },
        { "--to-dsn", &args.to_dsn, NULL },
        { "--from", &args.from, NULL },
        { "--to", &args.to, NULL },
        { "--balances", &args.balances, NULL },
        { "--wait", &args.wait, NULL },
        { "--who", &args.who, NULL },
        { "--dry-run", NULL, &args.dry },
        { "--cancel", NULL, &args.cancel },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, word, 2);
    verb = pay_cli_verb(&words_of, words, word, &code);
    if (verb < 0) {
        return code;
    }

    if (verb == 0) {
        return pay_cli_list(&list_query, args.dsn, NULL);
    }

    if (verb == 1) {
        return pay_cli_show(&show, args.dsn, word[1]);
    }

    if (!pay_cli_no_format(NAME)) {
        return PAY_CLI_USAGE;
    }

    if (verb == 3) {
        return is_forget(&args) ? merchant_both(&args, word[1], merchant_forget)
                                : PAY_CLI_USAGE;
    }

    if (args.wait == NULL) {
        args.wait = WAIT_S;
    }

    return is_move(&args) ? merchant_both(&args, word[1], merchant_move)
                          : PAY_CLI_USAGE;
}


static int
is_forget(const merchant_t *args)
{
    if (args->to_dsn == NULL || args->from != NULL || args->to != NULL
        || args->balances != NULL || args->wait != NULL || args->dry
        || args->cancel)
    {
        (void) pay_cli_misuse(pay_cli_merchant_usage,
                              NAME " forget: takes --to-dsn DSN and --who NAME"
                              " alone");
        return 0;
    }

    return 1;
}


static int
is_move(const merchant_t *args)
{
    char       *end;
    long        seconds = strtol(args->wait, &end, 10);
    const char *wrong = NULL;

    if (args->from == NULL || args->to == NULL || args->to_dsn == NULL) {
        wrong = "takes --from CELL, --to CELL and --to-dsn DSN";

    } else if (strcmp(args->from, args->to) == 0) {
        wrong = "--from and --to are one cell";

    } else if (args->cancel && (args->dry || args->balances != NULL)) {
        wrong = "--cancel goes without --balances and --dry-run";

    } else if (!args->cancel
               && (args->balances == NULL
                   || (strcmp(args->balances, "carry") != 0
                       && strcmp(args->balances, "leave") != 0)))
    {
        wrong = "takes --balances carry or --balances leave";

    } else if (*args->wait == '\0' || *end != '\0' || seconds < 0
               || seconds > WAIT_MAX_S)
    {
        wrong = "--wait takes 0 to 86400 seconds";
    }

    if (wrong != NULL) {
        (void) pay_cli_misuse(pay_cli_merchant_usage, NAME " move: %s", wrong);
    }

    return wrong == NULL;
}


/* Does that with both databases, which it locks. */
static int
merchant_both(const merchant_t *args, const char *id, act_pt act)
{
    int                   code = PAY_CLI_USAGE;
    const pay_cli_risk_t  operator = { .who = args->who };
    pay_cli_move_t        move = {
        .id = id, .who = pay_cli_risk_who(&operator),
        .from_name = args->from, .to_name = args->to
    };

    move.from = pay_cli_connect(args->dsn);
    move.to = move.from == NULL ? NULL : pay_cli_connect(args->to_dsn);

    if (move.to != NULL && is_other(&move) && is_alone(&move)) {
        code = act(&move, args);
    }

    PQfinish(move.to);
    PQfinish(move.from);

    return code;
}


/* One database under two names would fence the merchant out of both cells. */
static int
is_other(const pay_cli_move_t *move)
{
    char               from[PAY_CLI_WORD], to[PAY_CLI_WORD];
    static const char  sql[] =
        "SELECT md5(pg_postmaster_start_time()::text || oid || datname)"
        " FROM pg_database WHERE datname = current_database()";

    if (!pay_cli_word(move->from, NAME, sql, 0, NULL, from)
        || !pay_cli_word(move->to, NAME, sql, 0, NULL, to))
    {
        return 0;
    }

    if (strcmp(from, to) == 0) {
        fputs("payctl: " NAME ": --dsn and --to-dsn are one database\n",
              stderr);
        return 0;
    }

    return 1;
}


/* A second payctl that goes on late could lift the fence of a move that began
 * later.  Both locks end with their sessions, so that one that has lost both of
 * them can do nothing either. */
static int
is_alone(const pay_cli_move_t *move)
{
    return lock(move->from, move->id) && lock(move->to, move->id);
}


/* PostgreSQL needs a moment to see that a payctl was killed. */
static int
lock(PGconn *conn, const char *id)
{
    int   i;
    char  word[PAY_CLI_WORD];

    for (i = 0; i < LOCK_TRIES; i++) {
        if (!pay_cli_word(conn, NAME,
                          "SELECT pg_try_advisory_lock(hashtextextended("
                          "'payctl merchant move ' || $1, 0))::text", 1, &id,
                          word))
        {
            return 0;
        }

        if (strcmp(word, "true") == 0) {
            return 1;
        }

        wait_a_moment();
    }

    fputs("payctl: " NAME ": another payctl is moving the merchant\n", stderr);

    return 0;
}


static void
wait_a_moment(void)
{
    struct timespec  pause = { 0, PAUSE_MS * 1000000L };

    (void) nanosleep(&pause, NULL);
}


static int
merchant_move(const pay_cli_move_t *move, const merchant_t *args)
{
    return args->cancel ? move_cancel(move) : move_on(move, args);
}


/* A key that is valid there would begin a second time on a node that does not
 * ask for it.  Any other database has no keys either, so that it must be the
 * cell which the merchant has left: its fence stays. */
static int
merchant_forget(const pay_cli_move_t *move, const merchant_t *args)
{
    char        word[PAY_CLI_WORD];
    const char *values[] = { move->id, move->who };

    (void) args;

    if (!pay_cli_word(move->to, NAME, keys_sql, 1, &move->id, word)) {
        return PAY_CLI_USAGE;
    }

    if (strcmp(word, "other") == 0) {
        fputs("payctl: " NAME ": --to-dsn is not the cell from which the"
              " merchant has come back\n", stderr);
        return PAY_CLI_NO;
    }

    if (*word != '\0') {
        printf("missing: keys of payments are valid in the other cell until"
               " %s\n", word);
        return PAY_CLI_NO;
    }

    if (!pay_cli_word(move->from, NAME,
                      "SELECT pay_ops.forget_origin($1, $2)", 2, values, word))
    {
        return PAY_CLI_USAGE;
    }

    if (strcmp(word, "forgotten") != 0) {
        fprintf(stderr, "payctl: " NAME ": %s\n",
                strcmp(word, "none") == 0
                ? "the merchant has not come back to this cell, or it was"
                  " forgotten before"
                : "--who cannot be such a name");
        return PAY_CLI_NO;
    }

    printf("payments of %s begin without a question to the other cell\n",
           move->id);

    return PAY_CLI_OK;
}


static int
move_on(const pay_cli_move_t *move, const merchant_t *args)
{
    int  code = pay_cli_move_ready(move);

    if (code != PAY_CLI_OK) {
        return code;
    }

    if (args->dry) {
        printf("%s may move from %s to %s\n", move->id, move->from_name,
               move->to_name);
        return PAY_CLI_OK;
    }

    code = move_note(move);
    if (code == PAY_CLI_OK) {
        code = move_fence(move);
    }

    if (code == PAY_CLI_OK) {
        code = move_wait(move, strtol(args->wait, NULL, 10));
    }

    return code == PAY_CLI_OK ? move_end(move, args) : code;
}


static int
move_note(const pay_cli_move_t *move)
{
    char        word[PAY_CLI_WORD];
    const char *values[] = { move->id, move->from_name, move->who };

    if (!pay_cli_word(move->to, NAME,
                      "SELECT pay_ops.note_origin($1, $2, $3)", 3, values,
                      word))
    {
        return PAY_CLI_USAGE;
    }

    return strcmp(word, "noted") == 0 ? PAY_CLI_OK : no_fence(word);
}


static int
move_fence(const pay_cli_move_t *move)
{
    char        word[PAY_CLI_WORD];
    const char *values[] = { move->id, move->to_name, move->who };

    if (!pay_cli_word(move->from, NAME,
                      "SELECT pay_ops.fence_merchant($1, $2, $3)", 3, values,
                      word))
    {
        return PAY_CLI_USAGE;
    }

    if (strcmp(word, "fencing") == 0 || strcmp(word, "moved") == 0) {
        printf("%s is fenced in %s\n", move->id, move->from_name);
        return PAY_CLI_OK;
    }

    return no_fence(word);
}


static int
no_fence(const char *word)
{
    fprintf(stderr, "payctl: " NAME ": no fence: %s\n",
            strcmp(word, "elsewhere") == 0
            ? "the merchant moves to another cell: payctl merchant show"
            : strcmp(word, "third") == 0
            ? "the merchant has older payments in a third cell, and moves back"
              " there only: payctl merchant show"
            : strcmp(word, "again") == 0
            ? "another session took one back at this moment: call it again"
            : "ID, --from, --to or --who cannot be such a name");

    return PAY_CLI_NO;
}


static int
move_wait(const pay_cli_move_t *move, long seconds)
{
    char    word[PAY_CLI_WORD];
    time_t  end = time(NULL) + seconds;

    for ( ;; ) {
        if (!pay_cli_word(move->from, NAME, "SELECT pay_ops.end_fence($1)", 1,
                          &move->id, word))
        {
            return PAY_CLI_USAGE;
        }

        if (strcmp(word, "moved") == 0) {
            printf("new payments of %s begin in %s\n", move->id,
                   move->to_name);
            return PAY_CLI_OK;
        }

        if (strcmp(word, "none") == 0) {
            fputs("payctl: " NAME ": another session has lifted the fence\n",
                  stderr);
            return PAY_CLI_NO;
        }

        if (time(NULL) >= end) {
            break;
        }

        wait_a_moment();
    }

    fputs("payctl: " NAME ": transactions that began before the fence are still"
          " under way (pg_stat_activity, pg_prepared_xacts), and new payments"
          " of the merchant wait: end them and call this again, or take the"
          " fence back with --cancel\n", stderr);

    return PAY_CLI_NO;
}


static int
move_cancel(const pay_cli_move_t *move)
{
    char  word[PAY_CLI_WORD];

    if (!pay_cli_word(move->from, NAME,
                      "SELECT pay_ops.lift_fence($1, false)", 1, &move->id,
                      word))
    {
        return PAY_CLI_USAGE;
    }

    if (strcmp(word, "moved") == 0) {
        fputs("payctl: " NAME ": the merchant has moved; it comes back by a"
              " move from there to here\n", stderr);
        return PAY_CLI_NO;
    }

    printf("new payments of %s begin in %s\n", move->id, move->from_name);

    return PAY_CLI_OK;
}


/* The fence of an earlier move, in the other direction, goes now. */
static int
move_end(const pay_cli_move_t *move, const merchant_t *args)
{
    int   code, carries = strcmp(args->balances, "carry") == 0;
    char  word[PAY_CLI_WORD];

    if (!pay_cli_word(move->to, NAME, "SELECT pay_ops.lift_fence($1, true)", 1,
                      &move->id, word))
    {
        return PAY_CLI_USAGE;
    }

    code = pay_cli_move_balances(move, carries);

    return code == PAY_CLI_OK ? pay_cli_move_proof(move, carries) : code;
}
