/*
 * payctl events: the log of events, the endpoints of storefronts and the
 * deliveries to them.  list, show, endpoints, deliveries and lag read tables
 * (payments_auditor may); enable, disable and replay call pay_ops, which takes
 * payments_operator and keeps who did it and why.  tail stands in
 * events_tail.c.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/events.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/table.h"

#include <stddef.h>
#include <string.h>


#define AT  PAY_CLI_AT

/* The options behind the verb; each verb reads those that it knows. */
typedef struct {
    const char  *dsn;
    const char  *merchant;
    const char  *subject;
    const char  *type;
    const char  *state;
    const char  *event;
    const char  *since;
    const char  *until;
    const char  *who;
    const char  *why;
    int          failed;
} events_args_t;

typedef struct {
    const char  *verb;
    int          words;        /* behind it */
    int        (*run)(const events_args_t *args, const char *word);
} events_verb_t;


static int events_list(const events_args_t *args, const char *word);
static int events_show(const events_args_t *args, const char *word);
static int events_endpoints(const events_args_t *args, const char *word);
static int events_deliveries(const events_args_t *args, const char *word);
static int events_lag(const events_args_t *args, const char *word);
static int events_enable(const events_args_t *args, const char *word);
static int events_disable(const events_args_t *args, const char *word);
static int events_replay(const events_args_t *args, const char *word);
static int switch_endpoint(const events_args_t *args, const char *word,
    const char *enable);


const char  pay_cli_events_usage[] =
    "usage: payctl events list [--dsn DSN] [--merchant ID]\n"
    "                          [--subject KIND/ID] [--type TYPE]\n"
    "                          [-o json|csv]\n"
    "       payctl events show [--dsn DSN] [-o json] EVENT\n"
    "       payctl events tail [--dsn DSN] [--merchant ID] [--type TYPE]\n"
    "                          [--after EVENT] [--forward URL]\n"
    "       payctl events endpoints [--dsn DSN] [--merchant ID]"
    " [-o json|csv]\n"
    "       payctl events deliveries [--dsn DSN] ENDPOINT [--state STATE]"
    " [-o json|csv]\n"
    "       payctl events lag [--dsn DSN] [-o json|csv]\n"
    "       payctl events enable|disable [--dsn DSN] ENDPOINT --who NAME"
    " --why REASON\n"
    "       payctl events replay [--dsn DSN] ENDPOINT --event EVENT\n"
    "                            --who NAME --why REASON\n"
    "       payctl events replay [--dsn DSN] ENDPOINT --since TIME"
    " [--until TIME]\n"
    "                            [--failed] --who NAME --why REASON\n"
    "\n"
    "list shows the newest 100 events, newest first.  tail prints each event\n"
    "as a line of JSON as soon as it is published, from now on or behind the\n"
    "event that --after names, until it is interrupted; --forward sends each\n"
    "to an address of this machine, signed with a secret that it prints.\n"
    "deliveries shows the newest 100 to an endpoint; STATE is due, delivered\n"
    "or failed.  lag counts the events that wait for the publisher, for each\n"
    "endpoint, for each reader of the log.  replay delivers an event again,\n"
    "or those of a time; with --failed, those that were given up.  enable,\n"
    "disable and replay need the role payments_operator.\n";

/* An endpoint may be there before the first payment. */
#define EVENTS_MERCHANT                                                       \
    "SELECT merchant_id FROM pay.webhook_endpoint UNION "                     \
    "(" PAY_CLI_NAMES("pay.checkout", "merchant_id") ")",                     \
    "merchant", "has a checkout or an endpoint here"

static const pay_cli_filter_t  merchant_filters[] = {
    { 0, EVENTS_MERCHANT }, PAY_CLI_NO_FILTER
};

static const pay_cli_filter_t  delivery_filters[] = {
    { 0, "SELECT endpoint_id FROM pay.webhook_endpoint", "endpoint",
      "is declared here" },
    { 1, "due|delivered|failed", "state", "" },
    PAY_CLI_NO_FILTER
};

static const pay_cli_list_t  list_query = {
    "events list",
    "SELECT m.message_id AS id, m.merchant_id AS merchant, m.type, m.subject,"
    " m.sequence, " AT("m.at") " AS at, " AT("m.published_at")
    " AS published_at FROM pay.message m"
    " WHERE m.merchant_id = coalesce($1, m.merchant_id)"
    " AND m.subject = coalesce($2, m.subject)"
    " AND m.type = coalesce($3, m.type)"
    " ORDER BY m.position DESC LIMIT 100",
    3, "no such event", PAY_CLI_OK, merchant_filters,
    "-published_at", "100"
};

static const pay_cli_list_t  endpoints_query = {
    "events endpoints",
    "SELECT w.endpoint_id AS id, w.merchant_id AS merchant, w.state,"
    " coalesce(w.reason, '') AS reason, w.url,"
    " CASE w.types WHEN '{}' THEN 'all'"
    " ELSE array_to_string(w.types, ' ') END AS types, w.failures,"
    " coalesce(" AT("w.failing_since") ", '') AS failing_since,"
    " coalesce(" AT("w.paused_until") ", '') AS paused_until"
    " FROM pay.webhook_endpoint w"
    " WHERE w.merchant_id = coalesce($1, w.merchant_id)"
    " ORDER BY w.merchant_id, w.created_at",
    1, "no endpoint", PAY_CLI_OK, merchant_filters,
    "merchant", NULL
};

static const pay_cli_list_t  deliveries_query = {
    "events deliveries",
    "SELECT m.message_id AS event, m.type, m.subject, d.state, d.attempts,"
    " coalesce(d.status::text, '') AS status,"
    " coalesce(d.failure, '') AS failure,"
    " coalesce(d.took_ms::text, '') AS ms,"
    " " AT("coalesce(d.ended_at, d.run_at)") " AS ended_or_next_at"
    " FROM pay.webhook_endpoint w"
    " JOIN pay.webhook_delivery d ON d.endpoint_id = w.endpoint_id"
    " AND d.merchant_id = w.merchant_id"
    " JOIN pay.message m ON m.position = d.position"
    " WHERE w.endpoint_id = $1 AND d.state = coalesce($2, d.state)"
    " ORDER BY d.position DESC LIMIT 100",
    2, "no delivery", PAY_CLI_OK, delivery_filters,
    "-ended_or_next_at", "100"
};

static const pay_cli_list_t  lag_query = {
    "events lag",
    "SELECT 'publisher' AS receiver, '' AS merchant, count(*) AS waits,"
    " coalesce(" AT("min(o.at)") ", '') AS since,"
    " '' AS note FROM pay.outbox o"
    " UNION ALL"
    " SELECT 'reader ' || r.name, '', p.position - r.position,"
    " coalesce(" AT("m.published_at") ", ''), coalesce(r.owner, '')"
    " FROM pay.message_reader r CROSS JOIN pay.message_place p"
    " LEFT JOIN pay.message m ON m.position = r.position + 1"
    " UNION ALL"
    " SELECT w.endpoint_id, w.merchant_id, count(d.position),"
    " coalesce(" AT("min(m.published_at)") ", ''),"
    " CASE WHEN w.state = 'disabled' THEN 'disabled: ' || w.reason"
    " WHEN w.failures > 0 THEN w.failures || ' failures' ELSE '' END"
    " FROM pay.webhook_endpoint w"
    " LEFT JOIN pay.webhook_delivery d ON d.endpoint_id = w.endpoint_id"
    " AND d.merchant_id = w.merchant_id AND d.state = 'due'"
    " LEFT JOIN pay.message m ON m.position = d.position"
    " GROUP BY w.endpoint_id, w.merchant_id",
    0, "nothing", PAY_CLI_OK, NULL, NULL, NULL
};

static const pay_cli_part_t  parts[] = {
    { "deliveries",
      "SELECT d.endpoint_id AS endpoint, d.state, d.attempts,"
      " coalesce(d.status::text, '') AS status,"
      " coalesce(d.failure, '') AS failure,"
      " " AT("coalesce(d.ended_at, d.run_at)") " AS ended_or_next_at"
      " FROM pay.message m"
      " JOIN pay.webhook_endpoint w ON w.merchant_id = m.merchant_id"
      " JOIN pay.webhook_delivery d ON d.endpoint_id = w.endpoint_id"
      " AND d.merchant_id = w.merchant_id AND d.position = m.position"
      " WHERE m.message_id = $1" },
    { "attempts that failed",
      "SELECT a.endpoint_id AS endpoint, a.number, " AT("a.at") " AS at,"
      " coalesce(a.status::text, '') AS status, a.failure,"
      " coalesce(a.took_ms::text, '') AS ms, coalesce(a.answer, '') AS answer"
      " FROM pay.message m"
      " JOIN pay.webhook_endpoint w ON w.merchant_id = m.merchant_id"
      " JOIN pay.webhook_attempt a ON a.endpoint_id = w.endpoint_id"
      " AND a.merchant_id = w.merchant_id AND a.position = m.position"
      " WHERE m.message_id = $1 ORDER BY a.at" },
    { "readers",
      "SELECT r.name AS reader, CASE WHEN r.position >= m.position"
      " THEN 'delivered' ELSE 'due' END AS state"
      " FROM pay.message m, pay.message_reader r WHERE m.message_id = $1" },
    { NULL, NULL }
};

static const pay_cli_show_t  show_query = {
    "events show",
    "SELECT m.message_id AS id, m.position, m.merchant_id AS merchant, m.type,"
    " m.subject, m.sequence, " AT("m.at") " AS at, " AT("m.published_at")
    " AS published_at, m.body FROM pay.message m WHERE m.message_id = $1",
    "no such event", parts
};

static const pay_cli_refusal_t  refusals[] = {
    { "refused", "it is disabled, see payctl events enable" },
    { "not_found", "no such endpoint" },
    { "invalid", "--who and --why take 1 to 200 bytes each; replay takes"
      " --event or --since" },
    { NULL, NULL }
};

static const pay_cli_act_t  enable_act = {
    "events enable", "SELECT pay_ops.enable_endpoint($1, $2::boolean, $3, $4)",
    4, "enabled", refusals
};

static const pay_cli_act_t  disable_act = {
    "events disable", "SELECT pay_ops.enable_endpoint($1, $2::boolean, $3,"
    " $4)", 4, "disabled", refusals
};

static const pay_cli_act_list_t  replay_act = {
    { "events replay",
    "SELECT r.outcome, coalesce(r.deliveries::text, '') AS deliveries"
    " FROM pay_ops.replay_events($1, $2, $3::timestamptz, $4::timestamptz,"
    " $5::boolean, $6, $7) r",
    7, "nothing", PAY_CLI_NO, NULL, NULL, NULL }, "replayed", refusals
};

static const events_verb_t  verbs[] = {
    { "list", 0, events_list },
    { "show", 1, events_show },
    { "endpoints", 0, events_endpoints },
    { "deliveries", 1, events_deliveries },
    { "lag", 0, events_lag },
    { "enable", 1, events_enable },
    { "disable", 1, events_disable },
    { "replay", 1, events_replay }
};

static const char  *const verb_names[] = {
    "list", "show", "tail", "endpoints", "deliveries", "lag", "enable",
    "disable", "replay", NULL
};


int
pay_cli_events(int argc, char **argv)
{
    int                   words;
    size_t                i;
    const char           *word[2] = { NULL, NULL };
    events_args_t         args = { .dsn = NULL };
    const events_verb_t  *known = NULL;

    const pay_cli_option_t  options[] = {
        { "--dsn", &args.dsn, NULL },
        { "--merchant", &args.merchant, NULL },
        { "--subject", &args.subject, NULL },
        { "--type", &args.type, NULL },
        { "--state", &args.state, NULL },
        { "--event", &args.event, NULL },
        { "--since", &args.since, NULL },
        { "--until", &args.until, NULL },
        { "--who", &args.who, NULL },
        { "--why", &args.why, NULL },
        { "--failed", NULL, &args.failed },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    if (argc > 1 && strcmp(argv[1], "tail") == 0) {
        return pay_cli_events_tail(argc - 1, argv + 1);
    }

    words = pay_cli_args(argc, argv, options, word, 2);

    if (words < 0) {
        return pay_cli_say_usage(words, pay_cli_events_usage);
    }

    for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]) && words > 0; i++) {
        if (strcmp(word[0], verbs[i].verb) != 0) {
            continue;
        }

        if (words == 1 + verbs[i].words) {
            return verbs[i].run(&args, word[1]);
        }

        known = &verbs[i];
    }

    if (known != NULL) {
        return pay_cli_misuse(pay_cli_events_usage, known->words > 0
                              ? "events %s takes one word, the id of it"
                              : "events %s takes no word", known->verb);
    }

    return pay_cli_no_verb("events", pay_cli_events_usage, verb_names,
                           word[0]);
}


static int
events_list(const events_args_t *args, const char *word)
{
    const char  *values[] = { args->merchant, args->subject, args->type };

    (void) word;

    return pay_cli_list(&list_query, args->dsn, values);
}


static int
events_show(const events_args_t *args, const char *word)
{
    return pay_cli_show(&show_query, args->dsn, word);
}


static int
events_endpoints(const events_args_t *args, const char *word)
{
    (void) word;

    return pay_cli_list(&endpoints_query, args->dsn, &args->merchant);
}


static int
events_deliveries(const events_args_t *args, const char *word)
{
    const char  *values[] = { word, args->state };

    return pay_cli_list(&deliveries_query, args->dsn, values);
}


static int
events_lag(const events_args_t *args, const char *word)
{
    (void) word;

    return pay_cli_list(&lag_query, args->dsn, NULL);
}


static int
events_enable(const events_args_t *args, const char *word)
{
    return switch_endpoint(args, word, "true");
}


static int
events_disable(const events_args_t *args, const char *word)
{
    return switch_endpoint(args, word, "false");
}


static int
switch_endpoint(const events_args_t *args, const char *word,
    const char *enable)
{
    const char  *values[] = { word, enable, args->who, args->why };

    return pay_cli_act(strcmp(enable, "true") == 0 ? &enable_act
                                                   : &disable_act,
                       args->dsn, values);
}


static int
events_replay(const events_args_t *args, const char *word)
{
    const char  *values[] = {
        word, args->event, args->since, args->until,
        args->failed ? "true" : "false", args->who, args->why
    };

    return pay_cli_act_list(&replay_act, args->dsn, values);
}
