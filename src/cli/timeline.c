/*
 * payctl timeline: what happened to a payment order, oldest first, as an
 * aligned table out of pay_view.timeline.  Reads only; payments_auditor may
 * run it.
 */

#include "cli/cli.h"
#include "cli/db.h"

#include <stdio.h>
#include <string.h>


#define TIMELINE_COLUMNS  9
#define TIMELINE_CELL     120


typedef struct {
    const char  *dsn;
    const char  *merchant;
    const char  *order;
} timeline_args_t;


static int timeline_parse(int argc, char **argv, timeline_args_t *args);
static void timeline_usage(FILE *out);
static void timeline_print(const PGresult *rows);
static void timeline_line(const PGresult *rows, int row, const int *widths);
static int timeline_width(const char *cell);


static const char  timeline_sql[] =
    "SELECT merchant_id AS merchant, seq, to_char(at AT TIME ZONE 'UTC',"
    " 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') AS at, kind, actor,"
    " concat_ws(' > ', old_status, new_status) AS status,"
    " coalesce(reason, '') AS reason,"
    " CASE detail WHEN '{}' THEN '' ELSE detail::text END AS detail,"
    " coalesce(request_id, '') AS request_id"
    " FROM pay_view.timeline"
    " WHERE payment_order_id = $1 AND merchant_id = coalesce($2, merchant_id)"
    " ORDER BY merchant_id, seq";


int
pay_cli_timeline(int argc, char **argv)
{
    int               code, found;
    PGconn           *conn;
    PGresult         *rows;
    const char       *values[2];
    timeline_args_t   args;

    code = timeline_parse(argc, argv, &args);
    if (code >= 0) {
        return code;
    }

    conn = pay_cli_connect(args.dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    values[0] = args.order;
    values[1] = args.merchant;
    rows = pay_cli_query(conn, "timeline", timeline_sql, 2, values);

    if (rows == NULL) {
        PQfinish(conn);
        return PAY_CLI_USAGE;
    }

    found = PQntuples(rows) > 0;

    if (found) {
        timeline_print(rows);

    } else {
        fputs("payctl: no such payment order\n", stderr);
    }

    PQclear(rows);
    PQfinish(conn);

    return found ? PAY_CLI_OK : PAY_CLI_NO;
}


/* -1: go on; else the exit code */
static int
timeline_parse(int argc, char **argv, timeline_args_t *args)
{
    int  i;

    memset(args, 0, sizeof(*args));

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            timeline_usage(stdout);
            return PAY_CLI_OK;
        }

        if (strcmp(argv[i], "--dsn") == 0 && i + 1 < argc) {
            args->dsn = argv[++i];

        } else if (strcmp(argv[i], "--merchant") == 0 && i + 1 < argc) {
            args->merchant = argv[++i];

        } else if (argv[i][0] != '-' && args->order == NULL) {
            args->order = argv[i];

        } else {
            timeline_usage(stderr);
            return PAY_CLI_USAGE;
        }
    }

    if (args->order == NULL) {
        timeline_usage(stderr);
        return PAY_CLI_USAGE;
    }

    return -1;
}


static void
timeline_usage(FILE *out)
{
    fputs("usage: payctl timeline [--dsn DSN] [--merchant ID] "
          "PAYMENT_ORDER_ID\n"
          "DSN defaults to $PAYCTL_DSN; an order id is one merchant's, so "
          "several\nmerchants may have it.\n", out);
}


static void
timeline_print(const PGresult *rows)
{
    int  i, row, width;
    int  widths[TIMELINE_COLUMNS];

    for (i = 0; i < TIMELINE_COLUMNS; i++) {
        widths[i] = timeline_width(PQfname(rows, i));

        for (row = 0; row < PQntuples(rows); row++) {
            width = timeline_width(PQgetvalue(rows, row, i));
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }

    for (row = -1; row < PQntuples(rows); row++) {
        timeline_line(rows, row, widths);
    }
}


/* row -1: the head.  Control bytes never reach a terminal. */
static void
timeline_line(const PGresult *rows, int row, const int *widths)
{
    int          i, n;
    const char  *cell;

    for (i = 0; i < TIMELINE_COLUMNS; i++) {
        cell = row < 0 ? PQfname(rows, i) : PQgetvalue(rows, row, i);

        for (n = 0; n < widths[i] && cell[n] != '\0'; n++) {
            putchar((unsigned char) cell[n] < ' ' || cell[n] == 0x7f
                    ? '?' : cell[n]);
        }

        if (i + 1 < TIMELINE_COLUMNS) {
            printf("%*s", widths[i] - n + 2, "");
        }
    }

    putchar('\n');
}


static int
timeline_width(const char *cell)
{
    return (int) strnlen(cell, TIMELINE_CELL);
}
