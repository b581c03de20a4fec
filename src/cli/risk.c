/*
 * payctl risk: the lists that allow, challenge, review or block, and decisions
 * about checkouts.  list and decisions read tables (payments_auditor
 * may); add, remove and import call pay_ops, which takes payments_operator and
 * keeps who did it and why.  Personal values are hashed here, with the keyring
 * of the gateway, and never leave this process in clear.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/risk.h"
#include "pay_risk.h"

#include <stddef.h>
#include <string.h>


#define AT        PAY_CLI_AT
#define CARD_LEN  64            /* hex digits of a hash */

typedef struct {
    const char  *name;
    int          words;        /* behind it */
    int        (*run)(pay_cli_risk_t *args, const char *const *words);
} risk_verb_t;


static int risk_list(pay_cli_risk_t *args, const char *const *words);
static int risk_add(pay_cli_risk_t *args, const char *const *words);
static int risk_remove(pay_cli_risk_t *args, const char *const *words);
static int risk_decisions(pay_cli_risk_t *args, const char *const *words);
static int risk_modes(pay_cli_risk_t *args, const char *const *words);
static int act_on(pay_cli_risk_t *args, const char *const *words,
    const pay_cli_act_t *act, int has_until);


/* A list may be there before the first payment. */
#define RISK_MERCHANT                                                         \
    "SELECT merchant_id FROM pay.risk_list UNION "                            \
    "(" PAY_CLI_NAMES("pay.checkout", "merchant_id") ")",                     \
    "merchant", "has a checkout or an entry here"

static const pay_cli_filter_t  list_filters[] = {
    { 0, RISK_MERCHANT }, PAY_CLI_NO_FILTER
};

static const pay_cli_filter_t  decision_filters[] = {
    { 0, PAY_CLI_MERCHANT },
    { 1, "allow|challenge|review|block", "decision", "" },
    PAY_CLI_NO_FILTER
};

static const pay_cli_filter_t  mode_filters[] = {
    { 0, PAY_CLI_MERCHANT }, PAY_CLI_NO_FILTER
};

static const pay_cli_list_t  list_query = {
    "risk list",
    "SELECT l.list_id AS entry, l.merchant_id AS merchant, l.effect, l.kind,"
    " CASE WHEN l.kind IN ('ip', 'country', 'email_domain', 'bin',"
    " 'card_country') THEN l.value"
    " ELSE left(l.value, 12) || '...' END AS value,"
    " coalesce(" AT("l.until") ", '') AS until, l.who, l.why,"
    " " AT("l.at") " AS at FROM pay.risk_list l"
    " WHERE l.merchant_id IN (coalesce($1, l.merchant_id), '*')"
    " ORDER BY l.list_id DESC LIMIT 1000",
    1, "no entries", PAY_CLI_OK, list_filters,
    "-at", "1000"
};

static const pay_cli_list_t  decisions_query = {
    "risk decisions",
    "SELECT d.merchant_id AS merchant, d.checkout_id AS checkout, d.decision,"
    " d.decided_by AS by, (SELECT string_agg(h ->> 'name' || CASE WHEN"
    " h -> 'shadow' = 'true' THEN ' (shadow)' ELSE '' END, ' ')"
    " FROM jsonb_array_elements(d.hits) h) AS hits,"
    " left(d.version, 12) AS version, " AT("d.at") " AS at"
    " FROM pay.risk_decision d"
    " WHERE d.merchant_id = coalesce($1, d.merchant_id)"
    " AND d.decision = coalesce($2, d.decision)"
    " ORDER BY d.at DESC LIMIT 100",
    2, "no decisions", PAY_CLI_OK, decision_filters,
    "-at", "100"
};

static const pay_cli_list_t  modes_query = {
    "risk modes",
    "SELECT a.merchant_id AS merchant, a.act, a.word AS then, a.declines,"
    " a.tries, " AT("a.at") " AS at, CASE WHEN a.act = 'on' AND a.act_id ="
    " (SELECT max(x.act_id) FROM pay.risk_mode_act x"
    " WHERE x.merchant_id = a.merchant_id) THEN (SELECT " AT("m.until")
    " FROM pay.risk_mode m WHERE m.merchant_id = a.merchant_id) END AS until"
    " FROM pay.risk_mode_act a"
    " WHERE a.merchant_id = coalesce($1, a.merchant_id)"
    " ORDER BY a.act_id DESC LIMIT 100",
    1, "no merchant ever had a mode", PAY_CLI_OK, mode_filters,
    "-at", "100"
};

static const pay_cli_refusal_t  refusals[] = {
    { "not_found", "no such entry" },
    { "invalid", "--who and --why take 1 to 200 bytes each, EFFECT is block,"
      " review, challenge (not of card, bin, card_country and browser) or"
      " allow, --until is to come" },
    { "unchanged", "it is there already, with this end" },
    { NULL, NULL }
};

static const pay_cli_refusal_t  card_refusals[] = {
    { "not_found", "the merchant has no order of that id whose card, or whose"
      " browser, is known" },
    { "invalid", "--who and --why take 1 to 200 bytes each, EFFECT is block,"
      " review or allow, --until is to come" },
    { "unchanged", "they are there already, with this end" },
    { NULL, NULL }
};

static const pay_cli_act_t  add_act = {
    "risk list add",
    "SELECT CASE o WHEN 'changed' THEN 'added' ELSE o END"
    " FROM pay_ops.risk_list_add($1, $2, $3, $4, $5::timestamptz, $6, $7) o",
    7, "added", refusals
};

/* Lists all cards that an order was tried with. */
static const pay_cli_act_t  add_cards_act = {
    "risk list add",
    "SELECT CASE o WHEN 'changed' THEN 'added' ELSE o END"
    " FROM pay_ops.risk_list_add_cards($1, $2, $4, $5::timestamptz, $6, $7) o"
    " WHERE $3::text IS NOT NULL",
    7, "added", card_refusals
};

/* Lists all browsers in which its checkout was opened. */
static const pay_cli_act_t  add_browsers_act = {
    "risk list add",
    "SELECT CASE o WHEN 'changed' THEN 'added' ELSE o END"
    " FROM pay_ops.risk_list_add_browsers($1, $2, $4, $5::timestamptz, $6, $7)"
    " o WHERE $3::text IS NOT NULL",
    7, "added", card_refusals
};

static const pay_cli_act_t  remove_act = {
    "risk list remove",
    "SELECT pay_ops.risk_list_remove($1, $2, $3, $4, $5, $6)", 6, "removed",
    refusals
};

static const risk_verb_t  list_verbs[] = {
    { "add", 3, risk_add },
    { "remove", 3, risk_remove },
    { "import", 3, pay_cli_risk_import }
};

static const risk_verb_t  verbs[] = {
    { "list", 0, risk_list },
    { "decisions", 0, risk_decisions },
    { "show", 1, pay_cli_risk_show },
    { "modes", 0, risk_modes }
};

static const char  *const list_names[] = { "add", "remove", "import", NULL };

static const char  *const verb_names[] = {
    "list", "decisions", "show", "modes", "review", "export", "model",
    "replay", NULL
};

/* with options of their own */
static const pay_cli_subcommand_t  subs[] = {
    { "review", pay_cli_risk_review },
    { "export", pay_cli_risk_export },
    { "model", pay_cli_risk_model },
    { "replay", pay_cli_risk_replay }
};


int
pay_cli_risk(int argc, char **argv)
{
    int                 count;
    size_t              i, size = sizeof(verbs) / sizeof(verbs[0]);
    const char         *word[5] = { NULL };
    const char *const  *words = word;
    const risk_verb_t  *verb = verbs, *known = NULL;
    pay_cli_risk_t      args = { .dsn = NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &args.dsn, NULL },
        { "--merchant", &args.merchant, NULL },
        { "--decision", &args.decision, NULL },
        { "--until", &args.until, NULL },
        { "--who", &args.who, NULL },
        { "--why", &args.why, NULL },
        { "--keyring", &args.keyring, NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    for (i = 0; i < sizeof(subs) / sizeof(subs[0]) && argc > 1; i++) {
        if (strcmp(argv[1], subs[i].name) == 0) {
            return subs[i].run(argc - 1, argv + 1);
        }
    }

    count = pay_cli_args(argc, argv, options, word, 5);

    if (count < 0) {
        return pay_cli_say_usage(count, pay_cli_risk_usage);
    }

    if (count > 1 && strcmp(word[0], "list") == 0) {
        verb = list_verbs;
        size = sizeof(list_verbs) / sizeof(list_verbs[0]);
        words++;
        count--;
    }

    for (i = 0; i < size && count > 0; i++) {
        if (strcmp(words[0], verb[i].name) != 0) {
            continue;
        }

        if (count == 1 + verb[i].words) {
            return verb[i].run(&args, words + 1);
        }

        known = &verb[i];
    }

    if (known != NULL) {
        return pay_cli_misuse(pay_cli_risk_usage, "risk %s%s takes %d words",
                              verb == list_verbs ? "list " : "", known->name,
                              known->words);
    }

    return pay_cli_no_verb(verb == list_verbs ? "risk list" : "risk",
                           pay_cli_risk_usage, verb == list_verbs
                           ? list_names : verb_names, words[0]);
}


static int
risk_list(pay_cli_risk_t *args, const char *const *words)
{
    (void) words;

    return pay_cli_list(&list_query, args->dsn, &args->merchant);
}


static int
risk_decisions(pay_cli_risk_t *args, const char *const *words)
{
    const char  *values[] = { args->merchant, args->decision };

    (void) words;

    return pay_cli_list(&decisions_query, args->dsn, values);
}


static int
risk_modes(pay_cli_risk_t *args, const char *const *words)
{
    (void) words;

    return pay_cli_list(&modes_query, args->dsn, &args->merchant);
}


/* The hash of a card or browser has 64 digits, an order's id seldom. */
static int
risk_add(pay_cli_risk_t *args, const char *const *words)
{
    int          is_browser = strcmp(words[1], "browser") == 0;
    const char  *values[] = {
        args->merchant, words[0], words[1], words[2], args->until,
        pay_cli_risk_who(args), args->why
    };

    if ((strcmp(words[1], "card") != 0 && !is_browser)
        || (strlen(words[2]) == CARD_LEN
            && strspn(words[2], "0123456789abcdef") == CARD_LEN))
    {
        return act_on(args, words, &add_act, 1);
    }

    return args->why == NULL || args->merchant == NULL
           ? pay_cli_misuse(pay_cli_risk_usage, "risk list add: by an order a "
                            "%s needs --merchant, whose id it is, and --why",
                            words[1])
           : pay_cli_act(is_browser ? &add_browsers_act : &add_cards_act,
                         args->dsn, values);
}


static int
risk_remove(pay_cli_risk_t *args, const char *const *words)
{
    return act_on(args, words, &remove_act, 0);
}


static int
act_on(pay_cli_risk_t *args, const char *const *words,
    const pay_cli_act_t *act, int has_until)
{
    int          code, n = 0;
    pay_str_t    kept;
    pay_heap_t  *heap;
    pay_risk_t   risk;
    const char  *values[7];

    if (args->why == NULL) {
        return pay_cli_misuse(pay_cli_risk_usage, "%s: --why is missing: the "
                              "reason is kept", act->what);
    }

    heap = pay_heap_create();
    if (heap == NULL) {
        return PAY_CLI_USAGE;
    }

    code = pay_cli_risk_keys(args, words[1], &risk)
           ? pay_cli_risk_value(pay_heap_arena(heap), &risk, words[1],
                                words[2], &kept)
           : PAY_CLI_USAGE;

    if (code == PAY_CLI_OK) {
        values[n++] = args->merchant != NULL ? args->merchant : "*";
        values[n++] = words[0];
        values[n++] = words[1];
        values[n++] = (const char *) kept.data;

        if (has_until) {
            values[n++] = args->until;
        }

        values[n++] = pay_cli_risk_who(args);
        values[n++] = args->why;
        code = pay_cli_act(act, args->dsn, values);
    }

    pay_heap_destroy(heap);

    return code;
}
