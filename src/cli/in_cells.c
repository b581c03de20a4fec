/*
 * The walk over all cells, see cells.h.
 */

#include "cli/cells.h"
#include "cli/cli.h"
#include "cli/db.h"

#include <stdio.h>


static int in_cells_all(pay_cli_in_cell_pt run, void *data);


int
pay_cli_in_cells(const char *dsn, pay_cli_in_cell_pt run, void *data)
{
    int      done;
    PGconn  *conn;

    if (pay_cli_cells_all() && dsn == NULL) {
        return in_cells_all(run, data);
    }

    /* it complains where a database is named beside all cells */
    conn = pay_cli_connect(dsn);
    done = conn != NULL && run(conn, data);
    PQfinish(conn);

    return done ? PAY_CLI_OK : PAY_CLI_USAGE;
}


/* In turn and not at once: an answer is one of ordinary size, and a cell that
 * is away costs ten seconds (db.c). */
static int
in_cells_all(pay_cli_in_cell_pt run, void *data)
{
    int      i, answers = 0;
    PGconn  *conn;

    const int  count = pay_cli_cells_count();

    for (i = 0; i < count; i++) {
        pay_cli_cells_at(i);
        conn = pay_cli_connect(NULL);
        answers += conn != NULL && run(conn, data);
        PQfinish(conn);
    }

    pay_cli_cells_at(-1);

    if (answers == 0) {
        return PAY_CLI_USAGE;
    }

    if (answers < count) {
        fprintf(stderr, "payctl: %d of %d cells have not answered\n",
                count - answers, count);
    }

    return answers < count ? PAY_CLI_PART : PAY_CLI_OK;
}
