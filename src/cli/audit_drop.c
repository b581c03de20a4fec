/*
 * payctl audit drop-month: lets the oldest month of the event log go, once it
 * is sealed and old enough.  pay_ops decides, and takes payments_operator.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/audit.h"
#include "cli/cli.h"
#include "cli/help.h"

#include <string.h>


#define MONTH_LEN  7                   /* YYYY-MM */

typedef struct {
    const char  *dsn;
    const char  *keep;
    const char  *who;
    const char  *why;
} drop_args_t;


static int drop_is_month(const char *text);


const char  pay_cli_audit_drop_usage[] =
    "usage: payctl audit drop-month [--dsn DSN] [--keep TIME] YYYY-MM\n"
    "                               --who NAME --why REASON\n"
    "Deletes a month of the event log for good, the oldest one only, and"
    " only\nwhen it is older than TIME (default and least: '1 year') and all"
    " of it is\nin signed seals.  Export it first.  It needs the role"
    " payments_operator.\n";

/* PostgreSQL decides about every one of these in the transaction that
 * drops. */
static const pay_cli_refusal_t  refusals[] = {
    { "too_young", "it is younger than --keep says" },
    { "not_oldest", "there are events of an earlier month: that goes first" },
    { "not_sealed", "some of it is in no signed seal yet, see payctl audit"
      " status" },
    { "tangled", "a clock went back: an order's later event stands in this"
      " month" },
    { "busy", "somebody reads the log: try again" },
    { "not_found", "the log has no such month" },
    { "invalid", "--keep takes a year at least, --who and --why 1 to 200 bytes"
      " each" },
    { NULL, NULL }
};

static const pay_cli_act_t  drop = {
    "audit drop-month", "SELECT pay_ops.drop_month(($1 || '-01')::date,"
    " $2::interval, $3, $4)", 4, "dropped", refusals
};


int
pay_cli_audit_drop(int argc, char **argv)
{
    int          words;
    const char  *month = NULL, *values[4];
    drop_args_t  args;

    const pay_cli_option_t  options[] = {
        { "--dsn", &args.dsn, NULL },
        { "--keep", &args.keep, NULL },
        { "--who", &args.who, NULL },
        { "--why", &args.why, NULL },
        { NULL, NULL, NULL }
    };

    memset(&args, 0, sizeof(args));
    args.keep = "1 year";

    words = pay_cli_args(argc, argv, options, &month, 1);

    if (words != 1 || !drop_is_month(month) || args.who == NULL
        || args.why == NULL)
    {
        return pay_cli_say_usage(words, pay_cli_audit_drop_usage);
    }

    values[0] = month;
    values[1] = args.keep;
    values[2] = args.who;
    values[3] = args.why;

    return pay_cli_act(&drop, args.dsn, values);
}


/* Only the form; SQL makes a date of it and knows which months there are. */
static int
drop_is_month(const char *text)
{
    return strlen(text) == MONTH_LEN && strspn(text, "0123456789") == 4
           && text[4] == '-' && strspn(text + 5, "0123456789") == 2;
}
