/*
 * payctl webhook show: a verified webhook as it was stored, with its raw body
 * while that is kept.  The body was written by a stranger: line by line, and
 * control characters are printed as "?".
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/help.h"
#include "cli/table.h"
#include "cli/webhook.h"

#include <stdint.h>
#include <string.h>


static int show_run(const char *dsn, const char *const *id);
static int show_replays(PGconn *conn, const char *const *id);
static int show_body(PGconn *conn, const char *const *id);
static void show_lines(unsigned char *body, size_t len);


const char  pay_cli_webhook_show_usage[] =
    "usage: payctl webhook show [--dsn DSN] [-o json] PSP EVENT_ID\n"
    "A verified webhook: what was read in it, what became of it, and its raw\n"
    "body.  body_state is kept, not_kept, card_number or too_large.  Below it\n"
    "stand the requests to read the body again (payctl webhook replay).\n"
    "With -o json the body is in base64, byte by byte as it came.\n"
    "Needs the role payments_operator.\n";

static const char  show_sql[] =
    "SELECT psp, event_id AS event, " PAY_CLI_AT("received_at") " AS at,"
    " state, via, type, fact, token, reference, code, amount_minor,"
    " currency, merchant_id AS merchant, checkout_id AS checkout,"
    " request_id, digest, size, body_state,"
    " " PAY_CLI_AT("keep_until") " AS keep_until"
    " FROM pay_ops.show_webhook($1, $2)";

static const char  replays_sql[] =
    "SELECT replay_id AS id, " PAY_CLI_AT("asked_at") " AS at, asked_by,"
    " why, state, coalesce(outcome, '') AS outcome,"
    " coalesce(events::text, '') AS events,"
    " coalesce(applied::text, '') AS applied"
    " FROM pay_view.webhook_replays WHERE psp = $1 AND event_id = $2"
    " ORDER BY replay_id";

static const char  body_sql[] =
    "SELECT body FROM pay_ops.show_webhook($1, $2) WHERE body IS NOT NULL";

/* JSON has no bytes, and a body need not be UTF-8. */
static const pay_cli_part_t  parts[] = {
    { "replays", replays_sql },
    { "body",
      "SELECT translate(encode(body, 'base64'), E'\\n', '') AS base64"
      " FROM pay_ops.show_webhook($1, $2) WHERE body IS NOT NULL" },
    { NULL, NULL }
};

static const pay_cli_show_t  as_json = {
    "webhook show", show_sql, "no such webhook", parts
};


int
pay_cli_webhook_show(int argc, char **argv)
{
    int                words;
    const char        *dsn = NULL, *id[2] = { NULL, NULL };
    pay_cli_format_t   format;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, id, 2);

    if (words != 2) {
        return pay_cli_say_usage(words < 0 ? words : PAY_CLI_MISUSE,
                                 pay_cli_webhook_show_usage);
    }

    if (!pay_cli_format("webhook show", &format)) {
        return PAY_CLI_USAGE;
    }

    return format == PAY_CLI_TABLE ? show_run(dsn, id)
                                   : pay_cli_show_of(&as_json, dsn, 2, id);
}


/* Through pay_ops, which notes nothing but takes the operator's role: the body
 * may hold a buyer's name. */
static int
show_run(const char *dsn, const char *const *id)
{
    int        code;
    PGconn    *conn;
    PGresult  *rows;

    conn = pay_cli_connect(dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    rows = pay_cli_query(conn, "webhook show", show_sql, 2, id);

    if (rows == NULL) {
        code = PAY_CLI_USAGE;

    } else if (PQntuples(rows) == 0) {
        fputs("payctl: no such webhook\n", stderr);
        code = PAY_CLI_NO;

    } else {
        pay_cli_record(rows, 0);
        code = show_replays(conn, id);
    }

    PQclear(rows);
    PQfinish(conn);

    return code;
}


/* A webhook may have been read again several times; all requests are shown. */
static int
show_replays(PGconn *conn, const char *const *id)
{
    PGresult  *rows;

    rows = pay_cli_query(conn, "webhook show", replays_sql, 2, id);
    if (rows == NULL) {
        return PAY_CLI_USAGE;
    }

    if (PQntuples(rows) > 0) {
        puts("\nreplays");
        pay_cli_table(rows);
    }

    PQclear(rows);

    return show_body(conn, id);
}


static int
show_body(PGconn *conn, const char *const *id)
{
    size_t          len;
    PGresult       *rows;
    unsigned char  *body;

    rows = pay_cli_query(conn, "webhook show", body_sql, 2, id);
    if (rows == NULL) {
        return PAY_CLI_USAGE;
    }

    if (PQntuples(rows) > 0) {
        body = PQunescapeBytea((unsigned char *) PQgetvalue(rows, 0, 0),
                               &len);
        if (body != NULL) {
            puts("\nbody");
            show_lines(body, len);
        }

        PQfreemem(body);
    }

    PQclear(rows);

    return PAY_CLI_OK;
}


/* PQunescapeBytea() ends what it returns with a NUL of its own. */
static void
show_lines(unsigned char *body, size_t len)
{
    size_t  i, start;

    for (i = 0, start = 0; i <= len; i++) {
        if (i < len && body[i] == '\0') {
            body[i] = '\x01';
        }

        if (i == len || body[i] == '\n') {
            body[i] = '\0';
            (void) pay_cli_put(stdout, (const char *) body + start,
                               SIZE_MAX);
            putchar('\n');
            start = i + 1;
        }
    }
}
