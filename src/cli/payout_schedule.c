/*
 * payctl payout schedule, calendar, holiday: when workers make the items of a
 * merchant, and on which days banks work.  Sets need payments_operator;
 * schedules, runs and holidays read pay_view.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/payout.h"
#include "cli/table.h"

#include <stddef.h>
#include <string.h>


#define AT  PAY_CLI_AT


static const pay_cli_filter_t  filters[] = {
    { 0, PAY_CLI_MERCHANT }, PAY_CLI_NO_FILTER
};

static const pay_cli_list_t  schedules_query = {
    "payout schedules",
    "SELECT s.merchant_id AS merchant, coalesce(s.seller_account, '*')"
    " AS seller, s.every, coalesce(s.on_day::text, '') AS \"on\","
    " to_char(s.cut_off, 'HH24:MI') AS at, s.zone,"
    " coalesce(s.calendar, '') AS calendar,"
    " coalesce(s.batch_items::text, '') AS batch,"
    " coalesce(s.run_day::text, '') AS last_day,"
    " coalesce(s.next_day::text, '') AS next_day,"
    " coalesce(" AT("s.next_at") ", '') AS next_at"
    " FROM pay_view.payout_schedules s"
    " WHERE s.merchant_id = coalesce($1, s.merchant_id)"
    " ORDER BY s.merchant_id, s.seller_account NULLS FIRST",
    1, "no schedules", PAY_CLI_OK, filters,
    "merchant", NULL
};

static const pay_cli_list_t  runs_query = {
    "payout runs",
    "SELECT r.run_id AS run, coalesce(r.seller_account, '*') AS seller,"
    " r.due_day, " AT("r.due_at") " AS due_at, r.state, r.wallets, r.items,"
    " r.batches, r.outcomes, coalesce(" AT("r.ended_at") ", '') AS ended_at"
    " FROM pay_view.payout_runs r"
    " WHERE r.merchant_id = coalesce($1, r.merchant_id)"
    " ORDER BY r.run_id",
    1, "no runs", PAY_CLI_OK, filters,
    "due_at", NULL
};

static const pay_cli_list_t  holidays_query = {
    "payout holidays",
    "SELECT coalesce(h.day::text, '') AS day, coalesce(h.name, '') AS name,"
    " array_to_string(h.closed_on, ',') AS closed"
    " FROM pay_view.payout_holidays h WHERE h.calendar = $1 ORDER BY h.day",
    1, "no such calendar", PAY_CLI_NO, NULL,
    "day", NULL
};

static const pay_cli_refusal_t  refusals[] = {
    { "not_found", "no such schedule, calendar or holiday" },
    { "invalid", "see --help; --who and --why take 1 to 200 bytes each" },
    { NULL, NULL }
};

static const pay_cli_act_t  schedule_act = {
    "payout schedule",
    "SELECT pay_ops.set_payout_schedule($1, $2, $3, $4::int, $5, $6, $7,"
    " $8::int, $9, $10)", 10, "stored", refusals
};

static const pay_cli_act_t  drop_act = {
    "payout schedule",
    "SELECT pay_ops.drop_payout_schedule($1, $2, $3, $4)", 4, "removed",
    refusals
};

static const pay_cli_act_t  calendar_act = {
    "payout calendar",
    "SELECT pay_ops.set_payout_calendar($1, coalesce(string_to_array("
    "nullif($2, 'none'), ','), '{}')::int[], $3, $4)", 4, "stored", refusals
};

static const pay_cli_act_t  holiday_act = {
    "payout holiday",
    "SELECT pay_ops.set_payout_holiday($1, $2, $3, $4, $5)", 5, "stored",
    refusals
};

static const pay_cli_act_t  open_act = {
    "payout holiday",
    "SELECT pay_ops.set_payout_holiday($1, $2, $3, $4, $5)", 5, "removed",
    refusals
};


int
pay_cli_payout_schedules(int argc, char **argv)
{
    return pay_cli_payout_list(argc, argv, &schedules_query);
}


int
pay_cli_payout_runs(int argc, char **argv)
{
    return pay_cli_payout_list(argc, argv, &runs_query);
}


int
pay_cli_payout_holidays(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *calendar = NULL;

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, &calendar, 1);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_payout_usage);
    }

    return words == 1
           ? pay_cli_list(&holidays_query, dsn, &calendar)
           : pay_cli_misuse(pay_cli_payout_usage, "holidays takes a CALENDAR");
}


/* Places of the values are those of the parameters, from 0 on. */
int
pay_cli_payout_schedule(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *v[10] = { NULL }, *drop[4];

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--merchant", &v[0], NULL },
        { "--seller", &v[1], NULL },
        { "--every", &v[2], NULL },
        { "--on", &v[3], NULL },
        { "--at", &v[4], NULL },
        { "--zone", &v[5], NULL },
        { "--calendar", &v[6], NULL },
        { "--batch", &v[7], NULL },
        { "--who", &v[8], NULL },
        { "--why", &v[9], NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_payout_usage);
    }

    if (v[0] == NULL || v[2] == NULL || v[8] == NULL || v[9] == NULL) {
        return pay_cli_misuse(pay_cli_payout_usage, "schedule takes"
                              " --merchant, --every, --who and --why");
    }

    if ((v[3] != NULL && !pay_cli_is_number(v[3]))
        || (v[7] != NULL && !pay_cli_is_number(v[7])))
    {
        return pay_cli_misuse(pay_cli_payout_usage, "--on and --batch take"
                              " numbers");
    }

    if (strcmp(v[2], "none") != 0) {
        return pay_cli_act(&schedule_act, dsn, v);
    }

    drop[0] = v[0];
    drop[1] = v[1];
    drop[2] = v[8];
    drop[3] = v[9];

    return pay_cli_act(&drop_act, dsn, drop);
}


int
pay_cli_payout_calendar(int argc, char **argv)
{
    int          words;
    const char  *dsn = NULL, *v[4] = { NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--closed", &v[1], NULL },
        { "--who", &v[2], NULL },
        { "--why", &v[3], NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, v, 1);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_payout_usage);
    }

    return words == 1 && v[1] != NULL && v[2] != NULL && v[3] != NULL
           ? pay_cli_act(&calendar_act, dsn, v)
           : pay_cli_misuse(pay_cli_payout_usage, "calendar takes a CALENDAR,"
                            " --closed, --who and --why");
}


int
pay_cli_payout_holiday(int argc, char **argv)
{
    int          words, removes = 0;
    const char  *dsn = NULL, *v[5] = { NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--name", &v[2], NULL },
        { "--remove", NULL, &removes },
        { "--who", &v[3], NULL },
        { "--why", &v[4], NULL },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, v, 2);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_payout_usage);
    }

    return words == 2 && (v[2] == NULL) == removes && v[3] != NULL
               && v[4] != NULL
           ? pay_cli_act(removes ? &open_act : &holiday_act, dsn, v)
           : pay_cli_misuse(pay_cli_payout_usage, "holiday takes a CALENDAR,"
                            " a DAY, --name or --remove, --who and --why");
}
