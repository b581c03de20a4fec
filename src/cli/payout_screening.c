/*
 * payctl payout screening: sanctions lists are imported from files, merchants
 * are screened by them, and an operator's word ends a hold.  It downloads
 * nothing.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/payout.h"
#include "cli/sanctions.h"

#include "pay_crypto.h"

#include <stdio.h>
#include <string.h>


#define WHAT       "payout screening"
#define FILES_MAX  4
#define FILE_MAX   (128 * 1024 * 1024)
#define TEXT_MAX   (64 * 1024 * 1024)
#define DIGEST     (2 * PAY_SHA256_SIZE)


static int screening_set(int argc, char **argv);
static int screening_import(int argc, char **argv);
static int screening_list(int argc, char **argv);
static int screening_act(int argc, char **argv);
static int import_files(const char *const *paths, int count, const char *dsn,
    const char **values);
static int read_file(const char *path, pay_arena_t *arena, pay_str_t *text);
static pay_status_t read_all(pay_arena_t *arena, const char *const *paths,
    int count, const char **values, pay_sanctions_t *found,
    unsigned char *digest, const char **wrong);
static pay_status_t finish_text(pay_buf_t *buf, const char **text);


const char  pay_cli_payout_screening_usage[] =
    "usage: payctl payout screening import [--dsn DSN] --list ofac|eu\n"
    "                               --who NAME [--shrinks] FILE ...\n"
    "       payctl payout screening lists|held|waiting [--dsn DSN]"
    " [-o json|csv]\n"
    "       payctl payout screening set [--dsn DSN] --merchant ID\n"
    "                               --lists NAMES|none [--hours N]\n"
    "                               [--provider NAME]\n"
    "                               --who NAME --why REASON\n"
    "       payctl payout screening clear|reject [--dsn DSN] ID\n"
    "                               --who NAME --why REASON\n"
    "\n"
    "import replaces all names of a list with those of its files: of ofac,\n"
    "sdn.xml, or sdn.csv and alt.csv, both; of eu, csvFullSanctionsList_1_1.\n"
    "--shrinks takes a list that has less than half of the names, once two\n"
    "operators have given the command within a day.\n"
    "set says by which lists the pay-outs of a merchant are screened\n"
    "(\"ofac,eu\"), by which provider beside them, and how old lists and\n"
    "answers may be; less screening than before takes two operators.\n"
    "held shows the items that screening holds, and why.  waiting shows the\n"
    "providers whose answers are missing, for how long no worker has asked a\n"
    "question that is due, and why the last ones failed.  clear takes two\n"
    "operators; reject gives an item up.\n";

static const pay_cli_subcommand_t  subcommands[] = {
    { "clear", screening_act },
    { "held", screening_list },
    { "import", screening_import },
    { "lists", screening_list },
    { "reject", screening_act },
    { "set", screening_set },
    { "waiting", screening_list },
    { NULL, NULL }
};

static const pay_cli_refusal_t  refusals[] = {
    { "second", "another operator is needed" },
    { "maker", "who made the item does not clear it" },
    { "entered", "who entered its account does not clear it" },
    { "no_list", "a list is missing or too old, see payctl payout screening"
      " lists, or the provider has not answered" },
    { "no_way", "screening does not hold it" },
    { "not_found", "no such pay-out" },
    { "invalid", "--who and --why take 1 to 200 bytes each, --lists ofac and"
      " eu, --hours 1 to 720, --provider a name of payments_screening" },
    { NULL, NULL }
};

static const pay_cli_act_t  clear_act = {
    WHAT " clear", "SELECT pay_ops.clear_payout_screening(p.merchant_id,"
    " p.payout_id, $2, $3) FROM pay.payout p WHERE p.payout_id = $1", 3,
    "ready", refusals
};

static const pay_cli_act_t  reject_act = {
    WHAT " reject", "SELECT pay_ops.reject_payout_screening(p.merchant_id,"
    " p.payout_id, $2, $3) FROM pay.payout p WHERE p.payout_id = $1", 3,
    "cancelled", refusals
};

static const pay_cli_act_t  set_act = {
    WHAT " set", "SELECT pay_ops.set_payout_screening($1, $2 <> 'none',"
    " string_to_array(CASE $2 WHEN 'none' THEN 'ofac' ELSE $2 END, ','),"
    " coalesce($3, '48')::int, $4, $5, $6)", 6, "stored", refusals
};

static const pay_cli_list_t  lists_query = {
    WHAT " lists",
    "SELECT l.list, l.version, l.names, l.entries, "
    PAY_CLI_AT("l.imported_at") " AS imported_at, l.imported_by,"
    " encode(l.sha256, 'hex') AS sha256 FROM pay.sanction_list l"
    " ORDER BY l.version DESC LIMIT 20",
    0, "no lists", PAY_CLI_OK, NULL,
    "-imported_at", "20"
};

static const pay_cli_list_t  held_query = {
    WHAT " held",
    "SELECT p.payout_id AS id, p.merchant_id AS merchant, p.seller_account AS"
    " seller, f.why, f.list, f.entry_id AS entry, f.name"
    " FROM pay.payout p CROSS JOIN LATERAL (SELECT a.detail"
    " FROM pay.payout_act a WHERE a.merchant_id = p.merchant_id"
    " AND a.subject = 'screening' AND a.subject_id = p.payout_id"
    " AND a.act = 'held' ORDER BY a.act_id DESC LIMIT 1) a"
    " CROSS JOIN LATERAL jsonb_to_recordset(a.detail -> 'findings') AS"
    " f (why text, list text, entry_id text, name text)"
    " WHERE p.state = 'held' AND p.reason = 'screening'"
    " ORDER BY p.changed_at, p.payout_id",
    0, "screening holds nothing", PAY_CLI_OK, NULL, NULL, NULL
};

/* unasked: a worker asks within seconds where one has the provider's block. */
static const pay_cli_list_t  waiting_query = {
    WHAT " waiting",
    "SELECT w.merchant_id AS merchant, w.provider, count(*) AS accounts,"
    " sum(w.items) AS items, " PAY_CLI_AT("min(w.since)") " AS since,"
    " coalesce(date_trunc('second', now() - min(w.due_at)"
    " FILTER (WHERE w.due_at <= now()))::text, '') AS unasked,"
    " sum(w.questions) AS questions,"
    " coalesce(string_agg(DISTINCT w.code, ' '), '') AS failures"
    " FROM pay_view.screening_waits() w GROUP BY w.merchant_id, w.provider"
    " ORDER BY min(w.since)",
    0, "no account waits for a provider", PAY_CLI_OK, NULL,
    "since", NULL
};

/* By the first letter of the verb. */
static const pay_cli_list_t *const  lists[] = {
    ['h' - 'a'] = &held_query, ['l' - 'a'] = &lists_query,
    ['w' - 'a'] = &waiting_query
};

static const char  import_sql[] =
    "SELECT i.outcome, i.names, i.entries, i.released"
    " FROM pay_ops.import_sanctions($1, decode($2, 'hex'), $3::text[],"
    " $4::text[], $5::boolean, $6) i";


int
pay_cli_payout_screening(int argc, char **argv)
{
    return pay_cli_hand_over(WHAT, pay_cli_payout_screening_usage, subcommands,
                             argc, argv);
}


/* The verb is argv[0]. */
static int
screening_list(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);

    return words != 0 ? pay_cli_say_usage(words, pay_cli_payout_screening_usage)
                      : pay_cli_list(lists[argv[0][0] - 'a'], dsn, NULL);
}


/* The verb is argv[0]. */
static int
screening_act(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *values[3] = { NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--who", &values[1], NULL },
        { "--why", &values[2], NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, values, 1);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_payout_screening_usage);
    }

    if (words == 0 || values[1] == NULL || values[2] == NULL) {
        return pay_cli_misuse(pay_cli_payout_screening_usage,
                              "%s takes one ID, --who and --why",
                              argv[0]);
    }

    return pay_cli_act(argv[0][0] == 'c' ? &clear_act : &reject_act, dsn,
                       values);
}


static int
screening_set(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *values[6] = { NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--merchant", &values[0], NULL },
        { "--lists", &values[1], NULL },
        { "--hours", &values[2], NULL },
        { "--who", &values[3], NULL },
        { "--why", &values[4], NULL },
        { "--provider", &values[5], NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_payout_screening_usage);
    }

    return values[0] != NULL && values[1] != NULL && values[3] != NULL
               && values[4] != NULL
           ? pay_cli_act(&set_act, dsn, values)
           : pay_cli_misuse(pay_cli_payout_screening_usage,
                            "set takes --merchant, --lists, --who and"
                            " --why");
}


static int
screening_import(int argc, char **argv)
{
    int          words, shrinks = 0;
    const char  *dsn = NULL, *paths[FILES_MAX] = { NULL };
    const char  *values[6] = { NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--list", &values[0], NULL },
        { "--who", &values[5], NULL },
        { "--shrinks", NULL, &shrinks },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, paths, FILES_MAX);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_payout_screening_usage);
    }

    if (words == 0 || values[0] == NULL || values[5] == NULL
        || (strcmp(values[0], "ofac") != 0 && strcmp(values[0], "eu") != 0))
    {
        return pay_cli_misuse(pay_cli_payout_screening_usage,
                              "import takes --list ofac or --list eu,"
                              " --who, and 1 to %d FILEs", FILES_MAX);
    }

    values[4] = shrinks ? "t" : "f";

    return import_files(paths, words, dsn, values);
}


/* All files are read before anything is written: a list is never half. */
static int
import_files(const char *const *paths, int count, const char *dsn,
    const char **values)
{
    int              code = PAY_CLI_USAGE;
    char             hex[DIGEST + 1];
    size_t           i;
    PGconn          *conn;
    PGresult        *rows = NULL;
    const char      *wrong = "no memory";
    pay_heap_t      *heap = pay_heap_create();
    pay_sanctions_t  found;
    unsigned char    digest[PAY_SHA256_SIZE];

    if (heap == NULL
        || read_all(pay_heap_arena(heap), paths, count, values, &found, digest,
                    &wrong) != PAY_OK)
    {
        fprintf(stderr, "payctl: " WHAT ": %s\n", wrong);
        pay_heap_destroy(heap);
        return PAY_CLI_USAGE;
    }

    for (i = 0; i < PAY_SHA256_SIZE; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }

    values[1] = hex;
    conn = pay_cli_connect(dsn);

    if (conn != NULL) {
        rows = pay_cli_query(conn, WHAT, import_sql, 6, values);
    }

    if (rows != NULL) {
        code = strcmp(PQgetvalue(rows, 0, 0), "imported") == 0
               ? PAY_CLI_OK : PAY_CLI_NO;
        printf("%s\n", PQgetvalue(rows, 0, 0));

        if (code == PAY_CLI_OK) {
            printf("names:%s, entries:%s, in other letters:%zu, weak:%zu, "
                   "released:%s\n",
                   PQgetvalue(rows, 0, 1), PQgetvalue(rows, 0, 2),
                   found.unread, found.weak, PQgetvalue(rows, 0, 3));
        }
    }

    PQclear(rows);
    PQfinish(conn);
    pay_heap_destroy(heap);

    return code;
}


static pay_status_t
read_all(pay_arena_t *arena, const char *const *paths, int count,
    const char **values, pay_sanctions_t *found, unsigned char *digest,
    const char **wrong)
{
    int                     i;
    pay_str_t               parts[FILES_MAX];
    pay_sanctions_format_t  format = (values[0][0] == 'e')
                                     ? PAY_SANCTIONS_EU : PAY_SANCTIONS_OFAC;

    memset(found, 0, sizeof(*found));
    pay_buf_init(&found->ids, arena, TEXT_MAX);
    pay_buf_init(&found->names, arena, TEXT_MAX);
    pay_buf_text(&found->ids, "{");
    pay_buf_text(&found->names, "{");

    for (i = 0; i < count; i++) {
        *wrong = "a FILE cannot be read, or is too large";

        if (!read_file(paths[i], arena, &parts[i])) {
            return PAY_INVALID;
        }

        PAY_TRY(pay_sanctions_read(arena, parts[i], format, found, wrong));
    }

    PAY_TRY(pay_sanctions_complete(found, format, wrong));

    if (found->count == 0) {
        *wrong = "the list has no name";
        return PAY_INVALID;
    }

    *wrong = "no memory";
    pay_buf_text(&found->ids, "}");
    pay_buf_text(&found->names, "}");
    PAY_TRY(finish_text(&found->ids, &values[2]));
    PAY_TRY(finish_text(&found->names, &values[3]));

    return pay_sha256_parts(parts, (unsigned) count, digest);
}


static pay_status_t
finish_text(pay_buf_t *buf, const char **text)
{
    pay_str_t  done;

    pay_buf_add(buf, (pay_str_t) { 1, (unsigned char *) "" });
    PAY_TRY(pay_buf_done(buf, &done));
    *text = (const char *) done.data;

    return PAY_OK;
}


static int
read_file(const char *path, pay_arena_t *arena, pay_str_t *text)
{
    int    whole = 0;
    long   size;
    FILE  *file = fopen(path, "rb");
    void  *data;

    if (file == NULL) {
        return 0;
    }

    if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) > 0
        && size <= FILE_MAX && fseek(file, 0, SEEK_SET) == 0)
    {
        text->len = (size_t) size;
        data = pay_alloc(arena, text->len);
        text->data = data;
        whole = data != NULL
                && fread(data, 1, text->len, file) == text->len;
    }

    fclose(file);

    return whole;
}
