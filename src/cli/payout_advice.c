/*
 * payctl payout advice: the remittance advice of a pay-out, for reading, as the
 * API's JSON, or as CSV with all lines.  One whose digest is wrong is not
 * printed.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/payout.h"

#include "pay_arena.h"
#include "pay_finance.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>


#define WHAT  "payout advice"

/* A page of lines; an advice never changes, so pages fit each other. */
static const char  advice_sql[] =
    "SELECT outcome, advice FROM pay_view.payout_advice($1, $2::bigint)";

#define ADVICE  " FROM pay_view.payout_advice($1) a"

/* The sums in the order in which they add up. */
static const char  show_sql[] =
    "SELECT j ->> 'payout_id' AS payout, j ->> 'state' AS state,"
    " a.merchant_id AS merchant, j ->> 'seller_account' AS seller,"
    " concat_ws(' ', j ->> 'provider', j ->> 'account') AS account,"
    " j ->> 'made_at' AS made_at, j ->> 'currency' AS currency,"
    " j ->> 'opening' AS opening, j ->> 'sales' AS sales,"
    " j ->> 'refunds' AS refunds, j ->> 'disputes' AS disputes,"
    " j ->> 'fees' AS fees, j ->> 'reserve' AS reserve,"
    " j ->> 'payouts' AS payouts, j ->> 'adjustments' AS adjustments,"
    " j ->> 'paid' AS paid, j ->> 'closing' AS closing,"
    " j ->> 'sha256' AS sha256" ADVICE
    " CROSS JOIN LATERAL (SELECT a.advice::json AS j) j";

static const pay_cli_part_t  parts[] = {
    { "lines",
      "SELECT l.line, l.at, l.part, l.kind, coalesce(l.payment_order_id, '')"
      " AS \"order\", l.amount, CASE WHEN l.paid THEN 'yes' ELSE 'no' END AS"
      " paid" ADVICE " CROSS JOIN LATERAL json_to_recordset(a.advice::json ->"
      " 'lines') AS l (line bigint, at text, part text, kind text,"
      " payment_order_id text, amount text, paid boolean)"
      " ORDER BY l.line DESC" },
    { NULL, NULL }
};

static const pay_cli_show_t  show = { WHAT, show_sql, "no such pay-out",
                                      parts };


static PGresult *advice_page(PGconn *conn, const char *id, const char *before,
    int *code);
static int advice_json(PGconn *conn, const char *id);
static int advice_csv(PGconn *conn, const char *id);
static pay_status_t advice_part(PGconn *conn, const char *id,
    pay_arena_t *arena, pay_finance_query_t *query, int *code);


int
pay_cli_payout_advice(int argc, char **argv)
{
    int          words, code;
    PGconn      *conn;
    PGresult    *page;
    const char  *dsn = NULL, *id = NULL, *format = NULL;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "-o", &format, NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, &id, 1);
    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_payout_usage);
    }

    if (words == 0 || (format != NULL && strcmp(format, "json") != 0
                       && strcmp(format, "csv") != 0))
    {
        return pay_cli_misuse(pay_cli_payout_usage, words == 0
                              ? "advice takes the ID of a pay-out"
                              : "-o takes json or csv");
    }

    conn = pay_cli_connect(dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    if (format != NULL) {
        code = (format[0] == 'j') ? advice_json(conn, id)
                                  : advice_csv(conn, id);

    } else {
        page = advice_page(conn, id, NULL, &code);
        PQclear(page);
        code = page != NULL ? pay_cli_show(&show, dsn, id) : code;
    }

    PQfinish(conn);

    return code;
}


/* NULL: it is said why not, and *code is the exit code. */
static PGresult *
advice_page(PGconn *conn, const char *id, const char *before, int *code)
{
    PGresult    *page;
    const char  *values[2] = { id, before };

    *code = PAY_CLI_USAGE;
    page = pay_cli_query(conn, WHAT, advice_sql, 2, values);

    if (page == NULL) {
        return NULL;
    }

    if (PQntuples(page) == 1
        && strcmp(PQgetvalue(page, 0, 0), "found") == 0)
    {
        *code = PAY_CLI_OK;
        return page;
    }

    *code = PAY_CLI_NO;
    fputs(PQntuples(page) == 1
          && strcmp(PQgetvalue(page, 0, 0), "contradiction") == 0
          ? "payctl: " WHAT ": the ledger or the act that made the pay-out has"
            " another digest, see payctl check\n"
          : "payctl: " WHAT ": no such pay-out, or it has no advice\n", stderr);
    PQclear(page);

    return NULL;
}


static int
advice_json(PGconn *conn, const char *id)
{
    int        code;
    PGresult  *page = advice_page(conn, id, NULL, &code);

    if (page != NULL) {
        (void) pay_cli_put(stdout, PQgetvalue(page, 0, 1), SIZE_MAX);
        putchar('\n');
        PQclear(page);
    }

    return code;
}


/* As the API's. */
static int
advice_csv(PGconn *conn, const char *id)
{
    int                  code = PAY_CLI_OK;
    pay_heap_t          *heap;
    pay_status_t         status = PAY_OK;
    pay_finance_query_t  query;

    memset(&query, 0, sizeof(query));
    query.list = PAY_FINANCE_ADVICE;

    do {
        heap = pay_heap_create();
        status = heap == NULL ? PAY_NO_MEMORY
                 : advice_part(conn, id, pay_heap_arena(heap), &query, &code);
        pay_heap_destroy(heap);
    } while (status == PAY_OK && code == PAY_CLI_OK && query.before.is_set);

    if (status != PAY_OK) {
        fputs("payctl: " WHAT ": the answer cannot be read\n", stderr);
        return PAY_CLI_USAGE;
    }

    return code;
}


/* A page; query->before is where the next one begins. */
static pay_status_t
advice_part(PGconn *conn, const char *id, pay_arena_t *arena,
    pay_finance_query_t *query, int *code)
{
    char           before[32];
    size_t         rows = 0;
    PGresult      *page;
    pay_buf_t      buf;
    pay_str_t      text, csv;
    pay_int_t      next;
    pay_status_t   status;

    snprintf(before, sizeof(before), "%lld", (long long) query->before.number);
    page = advice_page(conn, id, query->before.is_set ? before : NULL, code);

    if (page == NULL) {
        return PAY_OK;
    }

    pay_buf_init(&buf, arena, PAY_EXPORT_SIZE_MAX);

    if (!query->before.is_set) {
        pay_finance_csv_head(query, &buf);
    }

    text.data = (unsigned char *) PQgetvalue(page, 0, 1);
    text.len = (size_t) PQgetlength(page, 0, 1);
    status = pay_finance_csv_rows(arena, query, text, &buf, &rows, &next);
    PQclear(page);

    if (status == PAY_OK) {
        status = pay_buf_done(&buf, &csv);
    }

    if (status == PAY_OK) {
        (void) fwrite(csv.data, 1, csv.len, stdout);
        query->before = next;
    }

    return status;
}
