/*
 * payctl close: closes days, shows them, and checks their documents.  make
 * signs with the key of the event log's seals; verify needs no database,
 * close_verify.c.
 */

#include "cli/args.h"
#include "cli/audit.h"
#include "cli/cli.h"
#include "cli/close.h"
#include "cli/db.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/table.h"

#include <stdio.h>
#include <string.h>


static int close_make(int argc, char **argv);
static int close_show(int argc, char **argv);
static int close_export(int argc, char **argv);
static PGresult *close_add_up(PGconn *conn, const char *day);
static int close_sign(PGconn *conn, const pay_secret_t *key, PGresult *made);
static int close_print(const char *dsn, const char *what, const char *sql,
    int count, const char *const *values);


const char  pay_cli_close_usage[] =
    "usage: payctl close make [--dsn DSN] [--day DATE] --key PRIVATE.pem\n"
    "       payctl close show [--dsn DSN] --day DATE [-o json|csv]\n"
    "       payctl close export [--dsn DSN] > FILE\n"
    "       payctl close verify --key PUBLIC.pem ... [--part] FILE | -\n"
    "\n"
    "make closes a day, yesterday unless it is told another (UTC), in one"
    " document\nthat names the digest of the one before, and signs it with the"
    " key of the event\nlog's seals.  A closed day stays as it was.  verify"
    " checks what export, or show\n-o json, has printed, without a database:"
    " signatures, and that each document\nnames the one before it; --part: it"
    " may begin in the middle.\n"
    "Exit code of verify 0: valid; 1: invalid; 2: not checked.\n";

/* Yesterday in UTC: a day of the books ends at the same moment everywhere. */
static const char  make_sql[] =
    "SELECT c.outcome, c.number, c.document, c.document::json ->> 'day'"
    " FROM pay_ops.make_close("
    "coalesce($1::date, (now() AT TIME ZONE 'UTC')::date - 1)) c";

#define CLOSE_LINE                                                            \
    "SELECT json_build_object('number', c.number, 'day', c.day, 'document',"  \
    " c.document, 'key_id', c.key_id, 'signature', c.signature"

static const char  show_json_sql[] =
    CLOSE_LINE ", 'lines', c.document::json -> 'lines')::text"
    " FROM pay_view.closes c WHERE c.day = $1::date";

static const char  export_sql[] =
    CLOSE_LINE ")::text FROM pay_view.closes c ORDER BY c.number";

static const pay_cli_list_t  show_query = {
    "close show",
    "SELECT l.merchant_id AS merchant, l.psp, l.currency,"
    " coalesce(l.item, 'no lines') AS item, l.count, l.amount"
    " FROM pay_view.closes c LEFT JOIN json_to_recordset(c.document::json"
    " -> 'lines') AS l (merchant_id text, psp text, currency text, item text,"
    " count bigint, amount text) ON true WHERE c.day = $1::date"
    " ORDER BY 1, 2, 3, 4",
    1, "that day is not closed", PAY_CLI_NO, NULL,
    NULL, NULL
};

static const pay_cli_subcommand_t  subcommands[] = {
    { "export", close_export },
    { "make", close_make },
    { "show", close_show },
    { "verify", pay_cli_close_verify },
    { NULL, NULL }
};


int
pay_cli_close(int argc, char **argv)
{
    return pay_cli_hand_over("close", pay_cli_close_usage, subcommands, argc,
                             argv);
}


/* The key is read before anything is made: a day whose close nobody can sign
 * stays open. */
static int
close_make(int argc, char **argv)
{
    int            words, code;
    PGconn        *conn;
    PGresult      *made;
    const char    *dsn = NULL, *day = NULL, *path = NULL;
    pay_secret_t   key;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--day", &day, NULL },
        { "--key", &path, NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);
    if (words != 0 || path == NULL) {
        return words != 0 ? pay_cli_say_usage(words, pay_cli_close_usage)
                          : pay_cli_misuse(pay_cli_close_usage,
                                           "make takes --key");
    }

    code = pay_cli_audit_private(path, &key);
    if (code != PAY_CLI_OK) {
        return code;
    }

    conn = pay_cli_connect(dsn);
    made = conn == NULL ? NULL : close_add_up(conn, day);
    code = made == NULL ? PAY_CLI_USAGE : close_sign(conn, &key, made);

    pay_secret_wipe(&key);
    PQclear(made);
    PQfinish(conn);

    return code;
}


/* A day is added up in pieces, each in a transaction of its own; NULL: it is
 * said why not. */
static PGresult *
close_add_up(PGconn *conn, const char *day)
{
    PGresult  *made;

    for ( ;; ) {
        made = pay_cli_query(conn, "close make", make_sql, 1, &day);

        if (made == NULL || strcmp(PQgetvalue(made, 0, 0), "again") != 0) {
            return made;
        }

        PQclear(made);
    }
}


/* The document is signed byte for byte as PostgreSQL has stored it.  A process
 * that dies between the two statements leaves a close without a signature,
 * which the next make of that day signs. */
static int
close_sign(PGconn *conn, const pay_secret_t *key, PGresult *made)
{
    char            id[PAY_ED25519_KEY_ID + 1];
    char            hex[2 * PAY_ED25519_SIGNATURE + 1];
    size_t          i;
    PGresult       *rows;
    pay_str_t       document;
    const char     *outcome = PQgetvalue(made, 0, 0), *values[3];
    unsigned char   public_key[PAY_ED25519_KEY];
    unsigned char   signature[PAY_ED25519_SIGNATURE];

    /* No document: the day is not over, or it was left out and is part of a
     * later close. */
    if (PQgetisnull(made, 0, 2)) {
        fprintf(stderr, "payctl: close make: %s\n",
                strcmp(outcome, "not_over") == 0
                ? "the day is not over (UTC)"
                : "a later day is closed, and this one with it");
        return PAY_CLI_NO;
    }

    document.data = (const unsigned char *) PQgetvalue(made, 0, 2);
    document.len = (size_t) PQgetlength(made, 0, 2);

    if (pay_ed25519_public(key, public_key) != PAY_OK
        || pay_ed25519_key_id(public_key, id) != PAY_OK
        || pay_ed25519_sign(key, document, signature) != PAY_OK)
    {
        return pay_cli_audit_complain("close make", "libcrypto failed");
    }

    for (i = 0; i < sizeof(signature); i++) {
        snprintf(&hex[2 * i], 3, "%02x", signature[i]);
    }

    /* A second statement, since only payctl has the key; the first signature
     * stays. */
    values[0] = PQgetvalue(made, 0, 1);
    values[1] = id;
    values[2] = hex;
    rows = pay_cli_query(conn, "close make", "SELECT pay_ops.sign_close("
                         "$1::bigint, $2, $3)", 3, values);
    if (rows == NULL) {
        return PAY_CLI_USAGE;
    }

    printf("close %s of %s: %s, %s\n", values[0], PQgetvalue(made, 0, 3),
           outcome, PQgetvalue(rows, 0, 0));
    PQclear(rows);

    return PAY_CLI_OK;
}


/* -o json prints the line that close verify reads, with the lines of the
 * document taken out beside it for programs. */
static int
close_show(int argc, char **argv)
{
    int                words;
    const char        *dsn = NULL, *day = NULL;
    pay_cli_format_t   format;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--day", &day, NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);

    if (words != 0) {
        return pay_cli_say_usage(words, pay_cli_close_usage);
    }

    if (day == NULL) {
        return pay_cli_misuse(pay_cli_close_usage, "show takes --day");
    }

    if (!pay_cli_format("close show", &format)) {
        return PAY_CLI_USAGE;
    }

    return format == PAY_CLI_JSON
           ? close_print(dsn, "close show", show_json_sql, 1, &day)
           : pay_cli_list(&show_query, dsn, &day);
}


static int
close_export(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL }, { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);

    return words != 0 ? pay_cli_say_usage(words, pay_cli_close_usage)
           : close_print(dsn, "close export", export_sql, 0, NULL);
}


/* Prints one JSON object a line, as close verify reads them. */
static int
close_print(const char *dsn, const char *what, const char *sql, int count,
    const char *const *values)
{
    int        i, code = PAY_CLI_USAGE;
    PGconn    *conn = pay_cli_connect(dsn);
    PGresult  *rows;

    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    rows = pay_cli_query(conn, what, sql, count, values);

    if (rows != NULL) {
        code = PQntuples(rows) > 0 || count == 0 ? PAY_CLI_OK : PAY_CLI_NO;

        for (i = 0; i < PQntuples(rows); i++) {
            puts(PQgetvalue(rows, i, 0));
        }

        if (code == PAY_CLI_NO) {
            fprintf(stderr, "payctl: %s: that day is not closed\n", what);
        }
    }

    PQclear(rows);
    PQfinish(conn);

    return code;
}
