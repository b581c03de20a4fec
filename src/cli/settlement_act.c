/*
 * payctl settlement accept, resolve and write-off: the acts of operators on
 * rows of files, with name and reason; source, limit and overdue: their
 * settings.  All call pay_ops, which takes payments_operator.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/db.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/settlement.h"
#include "cli/table.h"

#include <stdio.h>
#include <string.h>


static int overdue_raise(const char *dsn, const char *source);


const char  pay_cli_settlement_act_usage[] =
    "usage: payctl settlement accept [--dsn DSN] ID [--as KIND]"
    " --who NAME --why REASON\n"
    "       payctl settlement resolve [--dsn DSN] ID [--with ID]"
    " --who NAME --why REASON\n"
    "       payctl settlement write-off [--dsn DSN] ID"
    " --who NAME --why REASON\n";

const char  pay_cli_settlement_set_usage[] =
    "usage: payctl settlement source [--dsn DSN] NAME --format FORMAT"
    " --merchant ID\n"
    "                                [--psp PSP] [--account NAME]"
    " [--since DATE]\n"
    "                                [--overdue-days N]\n"
    "       payctl settlement limit [--dsn DSN] CURRENCY --alone AMOUNT"
    " --a-day AMOUNT\n"
    "       payctl settlement overdue [--dsn DSN] --source NAME [-o json|csv]\n"
    "CURRENCY *** is for all that have no limit of their own.\n";

/* second is no error: the act is written down and waits for another
 * operator. */
static const pay_cli_refusal_t  refusals[] = {
    { "suspended", "its money is in suspense now, where it waits on" },
    { "second", "a second person has to say the same" },
    { "limit", "that is more than one person may write off in a day" },
    { "nothing", "nothing is proposed: say what it is with --as, or write it"
      " off; the balance of a PSP is resolved, since nothing of it is booked" },
    { "suspense", "its money is in suspense: accept it as something, write it"
      " off, or resolve it with the matter that it cancels out" },
    { "closed", "that is closed, see payctl settlement show" },
    { "not_found", "no such matter" },
    { "invalid", "--as is no kind for money that goes this way, --with is no"
      " matter that cancels it out, or --who and --why do not take 1 to 200"
      " bytes each" },
    { NULL, NULL }
};

static const pay_cli_refusal_t  set_refusals[] = {
    { "in_use", "it has brought files: its PSP and its merchant stay" },
    { "configured", "it stands in the gateway's configuration: change its"
      " payments_settlement there" },
    { "invalid", "names have small letters, digits, - and _; amounts are not"
      " negative" },
    { NULL, NULL }
};

static const pay_cli_act_t  acts[] = {
    { "settlement accept",
      "SELECT pay_ops.accept_settlement($1::bigint, $2, $3, $4)", 4,
      "accepted", refusals },
    { "settlement resolve",
      "SELECT pay_ops.resolve_settlement($1::bigint, $2, $3, $4::bigint)", 4,
      "resolved", refusals },
    { "settlement write-off",
      "SELECT pay_ops.write_off_settlement($1::bigint, $2, $3)", 3,
      "written_off", refusals }
};

static const pay_cli_act_t  source_act = {
    "settlement source", "SELECT pay_ops.set_settlement_source($1, $2, $3, $4,"
    " $5, $6::timestamptz, $7::int)", 7, "stored", set_refusals
};

static const pay_cli_act_t  limit_act = {
    "settlement limit", "SELECT pay_ops.set_settlement_limit($1, $2::numeric,"
    " $3::numeric)", 3, "stored", set_refusals
};

static const char  overdue_sql[] =
    "SELECT r.queued + $2::bigint, r.again FROM pay.settlement_source s,"
    " pay_ops.raise_overdue(s.source) r WHERE s.source = $1";

static const pay_cli_list_t  overdue_query = {
    "settlement overdue", "SELECT $1::bigint AS queued", 1, NULL,
    PAY_CLI_USAGE, NULL, NULL, NULL
};


/* The verb is argv[0]; --as and --with share the last parameter, because no
 * verb takes both. */
int
pay_cli_settlement_act(int argc, char **argv)
{
    int                  words, n;
    const char          *dsn = NULL, *as = NULL, *with = NULL;
    const char          *values[4] = { NULL, NULL, NULL, NULL };
    const pay_cli_act_t *act;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--who", &values[1], NULL },
        { "--why", &values[2], NULL },
        { "--as", &as, NULL },
        { "--with", &with, NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, values, 1);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_settlement_act_usage);
    }

    n = strcmp(argv[0], "accept") == 0 ? 0
        : strcmp(argv[0], "resolve") == 0 ? 1 : 2;
    act = &acts[n];

    if (words == 0 || !pay_cli_is_number(values[0])) {
        return pay_cli_misuse(pay_cli_settlement_act_usage,
                              "%s takes one ID, the first column of"
                              " payctl settlement list", argv[0]);
    }

    if (values[1] == NULL || values[2] == NULL) {
        return pay_cli_misuse(pay_cli_settlement_act_usage, "%s is missing",
                              values[1] == NULL
                              ? "--who" : "--why");
    }

    if ((as != NULL && n != 0) || (with != NULL && n != 1)
        || (with != NULL && !pay_cli_is_number(with)))
    {
        return pay_cli_misuse(pay_cli_settlement_act_usage,
                              "--as KIND goes with accept, --with ID"
                              " with resolve");
    }

    values[3] = n == 0 ? as : with;

    return pay_cli_act(act, dsn, values);
}


/* Options that are not given are NULL, for which SQL has its own defaults.  The
 * format is checked here, since PostgreSQL does not know the readers. */
int
pay_cli_settlement_source(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *values[7] = { NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--format", &values[1], NULL },
        { "--merchant", &values[2], NULL },
        { "--psp", &values[3], NULL },
        { "--account", &values[4], NULL },
        { "--since", &values[5], NULL },
        { "--overdue-days", &values[6], NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, values, 1);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_settlement_set_usage);
    }

    if (words == 0 || values[1] == NULL || values[2] == NULL) {
        return pay_cli_misuse(pay_cli_settlement_set_usage,
                              "source takes a NAME, --format and"
                              " --merchant");
    }

    if (!pay_settle_is_known(pay_str_of(values[1]))) {
        return pay_cli_misuse(pay_cli_settlement_set_usage,
                              "there is no format \"%s\"",
                              values[1]);
    }

    return pay_cli_act(&source_act, dsn, values);
}


int
pay_cli_settlement_limit(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *values[3] = { NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--alone", &values[1], NULL },
        { "--a-day", &values[2], NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, values, 1);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_settlement_set_usage);
    }

    return words == 1 && values[1] != NULL && values[2] != NULL
           ? pay_cli_act(&limit_act, dsn, values)
           : pay_cli_misuse(pay_cli_settlement_set_usage,
                            "limit takes a CURRENCY, --alone and"
                            " --a-day");
}


int
pay_cli_settlement_overdue(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *source = NULL;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--source", &source, NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_settlement_set_usage);
    }

    return source != NULL ? overdue_raise(dsn, source)
                          : pay_cli_misuse(pay_cli_settlement_set_usage,
                                           "overdue takes"
                                           " --source");
}


/* In pieces, each in a transaction of its own.  Only the last one says that
 * all is done: behind one that has failed, entries are left. */
static int
overdue_raise(const char *dsn, const char *source)
{
    int          code = PAY_CLI_USAGE, again = 1;
    char         queued[24] = "0";
    PGconn      *conn;
    PGresult    *rows;
    const char  *count = queued, *values[2] = { source, queued };

    conn = pay_cli_connect(dsn);

    while (conn != NULL && again) {
        rows = pay_cli_query(conn, "settlement overdue", overdue_sql, 2,
                             values);
        again = 0;
        code = PAY_CLI_USAGE;

        if (rows != NULL && PQntuples(rows) == 0) {
            fprintf(stderr, "payctl settlement overdue: no such source\n");

        } else if (rows != NULL) {
            snprintf(queued, sizeof(queued), "%s", PQgetvalue(rows, 0, 0));
            again = PQgetvalue(rows, 0, 1)[0] == 't';
            code = PAY_CLI_OK;
        }

        PQclear(rows);
    }

    PQfinish(conn);

    return code == PAY_CLI_OK ? pay_cli_list(&overdue_query, dsn, &count)
                              : code;
}
