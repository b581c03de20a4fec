/*
 * One thing with its parts, one action with its outcome, see act.h.
 */

#include "cli/act.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/table.h"

#include <stdio.h>
#include <string.h>


static int act_parts(PGconn *conn, const pay_cli_show_t *show,
    const char *id);
static int act_say(const pay_cli_act_t *act, const char *outcome);


int
pay_cli_show(const pay_cli_show_t *show, const char *dsn, const char *id)
{
    int        code;
    PGconn    *conn;
    PGresult  *rows;

    conn = pay_cli_connect(dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    rows = pay_cli_query(conn, show->what, show->sql, 1, &id);

    if (rows == NULL) {
        code = PAY_CLI_USAGE;

    } else if (PQntuples(rows) == 0) {
        fprintf(stderr, "payctl: %s\n", show->none);
        code = PAY_CLI_NO;

    } else {
        pay_cli_record(rows, 0);
        code = act_parts(conn, show, id);
    }

    PQclear(rows);
    PQfinish(conn);

    return code;
}


static int
act_parts(PGconn *conn, const pay_cli_show_t *show, const char *id)
{
    PGresult              *rows;
    const pay_cli_part_t  *part;

    for (part = show->parts; part->title != NULL; part++) {
        rows = pay_cli_query(conn, show->what, part->sql, 1, &id);
        if (rows == NULL) {
            return PAY_CLI_USAGE;
        }

        if (PQntuples(rows) > 0) {
            printf("\n%s\n", part->title);
            pay_cli_table(rows);
        }

        PQclear(rows);
    }

    return PAY_CLI_OK;
}


int
pay_cli_act(const pay_cli_act_t *act, const char *dsn,
    const char *const *values)
{
    int        code;
    PGconn    *conn;
    PGresult  *rows;

    conn = pay_cli_connect(dsn);
    if (conn == NULL) {
        return PAY_CLI_USAGE;
    }

    rows = pay_cli_query(conn, act->what, act->sql, act->count, values);

    if (rows == NULL) {
        code = PAY_CLI_USAGE;

    } else {
        code = act_say(act, PQntuples(rows) == 0 ? "not_found"
                                                 : PQgetvalue(rows, 0, 0));
    }

    PQclear(rows);
    PQfinish(conn);

    return code;
}


static int
act_say(const pay_cli_act_t *act, const char *outcome)
{
    const pay_cli_refusal_t  *row;

    puts(outcome);

    if (strcmp(outcome, act->done) == 0) {
        return PAY_CLI_OK;
    }

    for (row = act->refusals; row->outcome != NULL; row++) {
        if (strcmp(outcome, row->outcome) == 0) {
            fprintf(stderr, "payctl: %s: %s\n", act->what, row->means);
        }
    }

    return PAY_CLI_NO;
}


int
pay_cli_is_number(const char *id)
{
    size_t  len = strlen(id);

    return len > 0 && len < 19 && strspn(id, "0123456789") == len;
}
