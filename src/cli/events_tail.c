/*
 * payctl events tail: the log as it grows, an event a line.  Positions of the
 * log become visible in their order, so that a cursor misses nothing.
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/events.h"
#include "cli/events_forward.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>


#define PAUSE_MS  200

static volatile sig_atomic_t  is_over;

static const char  begin_sql[] =
    "SELECT CASE WHEN $1::text IS NULL THEN p.position ELSE"
    " (SELECT m.position FROM pay.message m WHERE m.message_id = $1) END"
    " FROM pay.message_place p";

static const char  next_sql[] =
    "SELECT m.position, m.body, m.message_id FROM pay.message m"
    " WHERE m.position > $1::bigint"
    " AND m.merchant_id = coalesce($2, m.merchant_id)"
    " AND m.type = coalesce($3, m.type) ORDER BY m.position LIMIT 500";


static void stop(int number);
static int follow(PGconn *conn, pay_cli_forward_t *forward, char *position,
    const char *merchant, const char *type);
static int tell(const PGresult *rows, pay_cli_forward_t *forward,
    char *position);
static void rest(void);


int
pay_cli_events_tail(int argc, char **argv)
{
    int                 words, code;
    char                position[PAY_CLI_WORD];
    PGconn             *conn;
    const char         *dsn = NULL, *merchant = NULL, *type = NULL;
    const char         *after = NULL, *url = NULL;
    pay_cli_forward_t  *forward = NULL;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--merchant", &merchant, NULL },
        { "--type", &type, NULL },
        { "--after", &after, NULL },
        { "--forward", &url, NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);

    if (words != 0) {
        return pay_cli_say_usage(words, pay_cli_events_usage);
    }

    if (url != NULL) {
        forward = pay_cli_forward_begin(url);

        if (forward == NULL) {
            return PAY_CLI_USAGE;
        }
    }

    code = PAY_CLI_USAGE;
    conn = pay_cli_connect(dsn);

    if (conn == NULL
        || !pay_cli_word(conn, "events tail", begin_sql, 1, &after, position))
    {
        goto done;
    }

    if (*position == '\0') {
        fprintf(stderr, "payctl events tail: no such event\n");
        code = PAY_CLI_NO;
        goto done;
    }

    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    code = follow(conn, forward, position, merchant, type);

done:

    PQfinish(conn);
    pay_cli_forward_end(forward);

    return code;
}


static void
stop(int number)
{
    (void) number;

    is_over = 1;
}


static int
follow(PGconn *conn, pay_cli_forward_t *forward, char *position,
    const char *merchant, const char *type)
{
    int          told;
    PGresult    *rows;
    const char  *values[] = { position, merchant, type };

    while (!is_over) {
        rows = pay_cli_query(conn, "events tail", next_sql, 3, values);

        if (rows == NULL) {
            return PAY_CLI_USAGE;
        }

        told = tell(rows, forward, position);
        PQclear(rows);

        if (told < 0) {
            return PAY_CLI_USAGE;
        }

        if (told == 0) {
            rest();
        }
    }

    return PAY_CLI_OK;
}


/* How many events were printed; -1: nobody reads them any more. */
static int
tell(const PGresult *rows, pay_cli_forward_t *forward, char *position)
{
    int  row;

    for (row = 0; row < PQntuples(rows); row++) {
        puts(PQgetvalue(rows, row, 1));

        if (forward != NULL) {
            pay_cli_forward(forward, PQgetvalue(rows, row, 2),
                            PQgetvalue(rows, row, 1));
        }

        (void) snprintf(position, PAY_CLI_WORD, "%s",
                        PQgetvalue(rows, row, 0));
    }

    return fflush(stdout) == 0 ? PQntuples(rows) : -1;
}


static void
rest(void)
{
    struct timespec  pause = { 0, PAUSE_MS * 1000000L };

    (void) nanosleep(&pause, NULL);
}
