/*
 * payctl settlement: files of PSPs and banks, and their rows that wait for
 * operators.  list, files, ageing and show read pay_view (payments_auditor
 * may); the rest stands in the files that settlement.h names.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cells.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/settlement.h"
#include "cli/table.h"

#include <stdio.h>
#include <string.h>


#define AT  PAY_CLI_AT

static int settlement_list(int argc, char **argv);
static int settlement_files(int argc, char **argv);
static int settlement_ageing(int argc, char **argv);
static int settlement_all(int argc, char **argv,
    const pay_cli_list_t *query);
static int settlement_show(int argc, char **argv);
static int settlement_lines(PGconn *conn, void *data);


const char  pay_cli_settlement_usage[] =
    "usage: payctl settlement import [--dsn DSN] --source NAME [--jobs N]"
    " [-o json]\n"
    "                                [--keyring FILE] FILE ...\n"
    "       payctl settlement copy [--dsn DSN] --file ID --keyring FILE\n"
    "       payctl settlement list [--dsn DSN] [--class N] [--source NAME]"
    " [--all]\n"
    "                              [-o json|csv]\n"
    "       payctl settlement files|ageing [--dsn DSN] [-o json|csv]\n"
    "       payctl settlement balances [--dsn DSN] [--again SOURCE]"
    " [-o json|csv]\n"
    "       payctl settlement show [--dsn DSN] [-o json] ID\n"
    "       payctl settlement accept [--dsn DSN] ID [--as KIND]"
    " --who NAME --why REASON\n"
    "       payctl settlement resolve [--dsn DSN] ID [--with ID]"
    " --who NAME --why REASON\n"
    "       payctl settlement write-off [--dsn DSN] ID"
    " --who NAME --why REASON\n"
    "       payctl settlement overdue [--dsn DSN] --source NAME [-o json|csv]\n"
    "       payctl settlement source [--dsn DSN] NAME --format FORMAT"
    " --merchant ID\n"
    "                                [--psp PSP] [--account NAME]"
    " [--since DATE]\n"
    "                                [--overdue-days N]\n"
    "       payctl settlement limit [--dsn DSN] CURRENCY --alone AMOUNT"
    " --a-day AMOUNT\n"
    "\n"
    "list shows what waits for operators: rows of class 2 (they decide) and"
    " 3 (in\nsuspense), --all also what is closed; --class 0 the rows that"
    " agree, 1 those\nthat a rule has posted.  accept books what is proposed,"
    " or what --as says;\nwrite-off gives up what is missing, or keeps what is"
    " too much; resolve ends a\nmatter without an entry, or together with"
    " another one that it cancels out.\nAbove a limit a second person calls"
    " the same.  overdue queues what a file\nshould have brought by now.  A"
    " source without --psp is a bank.\n";

static const char  list_sql[] =
    "SELECT q.id, q.class, q.finding AS rule, q.psp, q.row_key AS row,"
    " coalesce(q.payment_order_id, q.our_ref, '') AS \"order\","
    " q.amount, q.currency, concat_ws(' ', q.proposed ->> 'kind',"
    " q.proposed ->> 'amount', q.proposed ->> 'currency') AS proposed,"
    " q.playbook, coalesce(q.closed_as, '') AS closed,"
    " " AT("q.opened_at") " AS opened_at"
    " FROM pay_view.settlement_queue q"
    " WHERE ($1::int IS NULL OR q.class = $1::int)"
    " AND ($2::text IS NULL OR q.source = $2)"
    " AND (q.closed_at IS NULL OR $3::boolean) AND $1::int IS DISTINCT FROM 0"
    " AND $1::int IS DISTINCT FROM 1"
    " UNION ALL"
    " SELECT r.row_id, r.class, r.finding, r.psp, r.row_key,"
    " coalesce((SELECT min(o.payment_order_id) FROM pay.payment_order o"
    " WHERE o.merchant_id = r.merchant_id AND o.checkout_id = r.checkout_id),"
    " r.our_ref, ''), r.net, r.currency, '', '', r.state, " AT("r.at")
    " FROM pay_view.settlement_rows r"
    " WHERE r.class < 2 AND r.class = $1::int"
    " AND ($2::text IS NULL OR r.source = $2)"
    " ORDER BY 1";

static const char  lines_sql[] =
    "SELECT json_build_object('id', q.id, 'class', q.class, 'rule', q.finding,"
    " 'psp', q.psp, 'source', q.source, 'row', q.row_key, 'entry', q.entry,"
    " 'order', coalesce(q.payment_order_id, q.our_ref), 'amount',"
    " q.amount::text, 'currency', q.currency, 'proposed', q.proposed,"
    " 'playbook', q.playbook, 'closed', q.closed_as)::text, q.id"
    " FROM pay_view.settlement_queue q"
    " WHERE ($1::int IS NULL OR q.class = $1::int)"
    " AND ($2::text IS NULL OR q.source = $2)"
    " AND (q.closed_at IS NULL OR $3::boolean) AND $1::int IS DISTINCT FROM 0"
    " AND $1::int IS DISTINCT FROM 1"
    " UNION ALL"
    " SELECT json_build_object('id', r.row_id, 'class', r.class, 'rule',"
    " r.finding, 'psp', r.psp, 'source', r.source, 'row', r.row_key,"
    " 'order', coalesce((SELECT min(o.payment_order_id)"
    " FROM pay.payment_order o WHERE o.merchant_id = r.merchant_id"
    " AND o.checkout_id = r.checkout_id), r.our_ref), 'amount', r.net::text,"
    " 'currency', r.currency, 'proposed', NULL, 'state', r.state)::text,"
    " r.row_id"
    " FROM pay_view.settlement_rows r"
    " WHERE r.class < 2 AND r.class = $1::int"
    " AND ($2::text IS NULL OR r.source = $2)"
    " ORDER BY 2";

static const char  show_sql[] =
    "SELECT q.id, q.class, q.finding AS rule, q.playbook, u.about,"
    " q.merchant_id AS merchant, q.psp, q.source, q.file_id AS file,"
    " q.row_key AS row, q.kind, q.entry, q.entry_kind,"
    " q.payment_order_id AS \"order\", q.checkout_id AS checkout,"
    " concat_ws(' ', q.amount, q.currency) AS amount, q.psp_ref,"
    " q.parent_ref, q.our_ref, concat_ws(' ', q.proposed ->> 'kind',"
    " q.proposed ->> 'amount', q.proposed ->> 'currency') AS proposed,"
    " " AT("q.opened_at") " AS opened_at,"
    " date_trunc('second', q.age) AS age, " AT("q.closed_at") " AS closed_at,"
    " q.closed_as"
    " FROM pay_view.settlement_queue q"
    " LEFT JOIN pay.settlement_rule u ON u.kind = q.kind"
    " AND u.finding = q.finding WHERE q.id = $1::bigint";

/* The row as the file has it, the payment's entries beside it, and every act
 * so far: an operator compares the first two and must see the third. */
static const pay_cli_part_t  parts[] = {
    { "the row of the file",
      "SELECT r.row_key AS row, r.version, r.kind, r.raw_type AS type,"
      " r.gross, r.fee, r.tax, r.net, r.currency,"
      " " AT("r.occurred_at") " AS occurred_at, r.payout_ref AS payout,"
      " coalesce(r.note, '') AS note"
      " FROM pay_view.settlement_rows r WHERE r.exception_id = $1::bigint" },
    { "entries of the payment",
      "SELECT DISTINCT " AT("l.at") " AS at, l.kind, l.source, l.debit AS"
      " amount, l.currency"
      " FROM pay_view.ledger l JOIN pay_view.settlement_queue q"
      " ON q.merchant_id = l.merchant_id AND q.checkout_id = l.checkout_id"
      " WHERE q.id = $1::bigint AND l.debit > 0 ORDER BY 1, 2" },
    { "what operators have done",
      "SELECT a.seq, " AT("a.at") " AS at, a.act, a.state, a.who, a.why,"
      " a.amount, a.currency, a.detail"
      " FROM pay_view.settlement_acts a WHERE a.id = $1::bigint"
      " ORDER BY a.seq" },
    { NULL, NULL }
};

static const pay_cli_show_t  show = {
    "settlement show", show_sql, "no such matter", parts
};

static const pay_cli_filter_t  filters[] = {
    { 1, "SELECT source FROM pay.settlement_source", "source",
      "is set here" },
    PAY_CLI_NO_FILTER
};

static const pay_cli_list_t  list_query = {
    "settlement list", list_sql, 3, "nothing waits", PAY_CLI_OK, filters,
    "opened_at", NULL
};

static const pay_cli_list_t  files_query = {
    "settlement files",
    "SELECT f.file_id AS file, f.source, f.name, f.state, f.rows, f.matched,"
    " f.class1, f.class2, f.class3, f.repeats, " AT("f.received_at")
    " AS received_at, coalesce(f.reason, '') AS reason"
    " FROM pay_view.settlement_files f ORDER BY f.file_id",
    0, "no files", PAY_CLI_OK, NULL,
    "received_at", NULL
};

static const pay_cli_list_t  ageing_query = {
    "settlement ageing",
    "SELECT a.psp, a.currency, a.family AS what, a.days, a.entries, a.amount,"
    " a.overdue FROM pay_view.settlement_ageing a ORDER BY 1, 2, 3, 4",
    0, "nothing is expected", PAY_CLI_OK, NULL,
    "psp, currency, what, days", NULL
};

static const pay_cli_subcommand_t  subcommands[] = {
    { "accept", pay_cli_settlement_act },
    { "ageing", settlement_ageing },
    { "balances", pay_cli_settlement_balances },
    { "copy", pay_cli_settlement_copy },
    { "files", settlement_files },
    { "import", pay_cli_settlement_import },
    { "limit", pay_cli_settlement_limit },
    { "list", settlement_list },
    { "overdue", pay_cli_settlement_overdue },
    { "resolve", pay_cli_settlement_act },
    { "show", settlement_show },
    { "source", pay_cli_settlement_source },
    { "write-off", pay_cli_settlement_act },
    { NULL, NULL }
};


int
pay_cli_settlement(int argc, char **argv)
{
    const char  *unit;

    if (pay_settle_self_test(&unit) != PAY_OK) {
        fprintf(stderr, "payctl: settlement: this build reads amounts of"
                " \"%s\" wrong and must not be used: install another one\n",
                unit);
        return PAY_CLI_USAGE;
    }

    return pay_cli_hand_over("settlement", pay_cli_settlement_usage,
                             subcommands,
                             argc, argv);
}


/* Classes 2 and 3 wait for operators and are shown by default; 0 and 1 are
 * closed by rules and shown when they are asked for. */
static int
settlement_list(int argc, char **argv)
{
    int                words, all = 0;
    const char        *dsn = NULL;
    const char        *values[3] = { NULL, NULL, NULL };
    pay_cli_format_t   format;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--class", &values[0], NULL },
        { "--source", &values[1], NULL },
        { "--all", NULL, &all },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);
    if (words != 0) {
        return pay_cli_say_usage(words, pay_cli_settlement_usage);
    }

    if (values[0] != NULL && (strlen(values[0]) != 1
                              || strchr("0123", values[0][0]) == NULL))
    {
        return pay_cli_misuse(pay_cli_settlement_usage, "--class takes 0 to 3");
    }

    if (!pay_cli_format("settlement list", &format)) {
        return PAY_CLI_USAGE;
    }

    values[2] = all ? "t" : "f";

    return format == PAY_CLI_JSON
           ? pay_cli_in_cells(dsn, settlement_lines, values)
           : pay_cli_list(&list_query, dsn, values);
}


/* One object a line; with --all-cells its first member is the cell. */
static int
settlement_lines(PGconn *conn, void *data)
{
    int                 i;
    PGresult           *rows;
    const char         *cell = pay_cli_cells_all() ? pay_cli_cell() : NULL;
    const char *const  *values = data;

    rows = pay_cli_query(conn, "settlement list", lines_sql, 3, values);

    for (i = 0; rows != NULL && i < PQntuples(rows); i++) {
        if (cell != NULL) {
            printf("{\"cell\" : \"%s\", %s\n", cell,
                   PQgetvalue(rows, i, 0) + 1);

        } else {
            puts(PQgetvalue(rows, i, 0));
        }
    }

    PQclear(rows);

    return rows != NULL;
}


static int
settlement_files(int argc, char **argv)
{
    return settlement_all(argc, argv, &files_query);
}


static int
settlement_ageing(int argc, char **argv)
{
    return settlement_all(argc, argv, &ageing_query);
}


/* A list without options of its own. */
static int
settlement_all(int argc, char **argv, const pay_cli_list_t *query)
{
    int          words;
    const char  *dsn = NULL;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);

    return words != 0 ? pay_cli_say_usage(words, pay_cli_settlement_usage)
                      : pay_cli_list(query, dsn, NULL);
}


static int
settlement_show(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *id = NULL;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, &id, 1);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_settlement_usage);
    }

    return words == 1 && pay_cli_is_number(id)
           ? pay_cli_show(&show, dsn, id)
           : pay_cli_misuse(pay_cli_settlement_usage,
                            "show takes the ID of a matter,"
                            " the first column of payctl settlement list");
}
