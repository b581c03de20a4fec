/*
 * payctl risk: the lists that allow, challenge, review or block, and what was
 * decided about checkouts.  list and decisions read tables (payments_auditor
 * may); add, remove and import call pay_ops, which takes payments_operator and
 * keeps who did it and why.  What is personal is hashed here, with the keyring
 * of the gateway, and never leaves this process in clear.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/keyring.h"
#include "cli/risk.h"
#include "pay_risk.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>


#define AT  PAY_CLI_AT

typedef struct {
    const char  *name;
    int          words;        /* behind it */
    int        (*run)(pay_cli_risk_t *args, const char *const *words);
} risk_verb_t;


static int risk_list(pay_cli_risk_t *args, const char *const *words);
static int risk_add(pay_cli_risk_t *args, const char *const *words);
static int risk_remove(pay_cli_risk_t *args, const char *const *words);
static int risk_decisions(pay_cli_risk_t *args, const char *const *words);
static int risk_show(pay_cli_risk_t *args, const char *const *words);
static int act_on(pay_cli_risk_t *args, const char *const *words,
    const pay_cli_act_t *act, int has_until);


const char  pay_cli_risk_usage[] =
    "usage: payctl risk list [--dsn DSN] [--merchant ID]\n"
    "       payctl risk list add EFFECT KIND VALUE --why REASON [--who NAME]\n"
    "                        [--merchant ID] [--until TIME] [--keyring FILE]\n"
    "       payctl risk list remove EFFECT KIND VALUE --why REASON"
    " [--who NAME]\n"
    "                        [--merchant ID] [--keyring FILE]\n"
    "       payctl risk list import EFFECT KIND FILE --why REASON"
    " [--who NAME]\n"
    "                        [--merchant ID] [--until TIME] [--keyring FILE]\n"
    "       payctl risk decisions [--dsn DSN] [--merchant ID]"
    " [--decision WORD]\n"
    "       payctl risk show [--dsn DSN] --merchant ID CHECKOUT\n"
    "\n"
    "EFFECT is block, review, challenge or allow; KIND is email, email_domain,\n"
    "phone, buyer, device, ip (an address, or one with /8, /16, /24; of IPv6\n"
    "/32, /48, /64) or country.  Without --merchant an entry is for all.\n"
    "email, phone, buyer and device are kept as hashes under the first key of\n"
    "the gateway's keyring: --keyring FILE, or PAYCTL_KEYRING.  --who is the\n"
    "user of this machine, if it is not said.  import reads a value from each\n"
    "line.  add, remove and import need the role payments_operator.\n";

static const pay_cli_list_t  list_query = {
    "risk list",
    "SELECT l.list_id AS entry, l.merchant_id AS merchant, l.effect, l.kind,"
    " CASE WHEN l.kind IN ('ip', 'country', 'email_domain') THEN l.value"
    " ELSE left(l.value, 12) || '...' END AS value,"
    " coalesce(" AT("l.until") ", '') AS until, l.who, l.why,"
    " " AT("l.at") " AS at FROM pay.risk_list l"
    " WHERE l.merchant_id IN (coalesce($1, l.merchant_id), '*')"
    " ORDER BY l.list_id DESC LIMIT 1000",
    1, "no entries", PAY_CLI_OK, NULL
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
    2, "no decisions", PAY_CLI_OK, NULL
};

static const pay_cli_list_t  show_query = {
    "risk show",
    "SELECT d.decision, d.decided_by AS by, d.hits, d.facts, d.version,"
    " encode(d.inputs_hash, 'hex') AS inputs_hash, " AT("d.at") " AS at"
    " FROM pay.risk_decision d"
    " WHERE d.merchant_id = $1 AND d.checkout_id = $2",
    2, "no decision about such a checkout", PAY_CLI_NO, NULL
};

static const pay_cli_refusal_t  refusals[] = {
    { "not_found", "no such entry" },
    { "invalid", "--who and --why take 1 to 200 bytes each, EFFECT is block,"
      " review, challenge or allow, --until is to come" },
    { "unchanged", "it is there already, with this end" },
    { NULL, NULL }
};

static const pay_cli_act_t  add_act = {
    "risk list add",
    "SELECT CASE o WHEN 'changed' THEN 'added' ELSE o END"
    " FROM pay_ops.risk_list_add($1, $2, $3, $4, $5::timestamptz, $6, $7) o",
    7, "added", refusals
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
    { "show", 1, risk_show }
};


int
pay_cli_risk(int argc, char **argv)
{
    int                 count;
    size_t              i, size = sizeof(verbs) / sizeof(verbs[0]);
    const char         *word[5] = { NULL };
    const char *const  *words = word;
    const risk_verb_t  *verb = verbs;
    pay_cli_risk_t      args = { .dsn = NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &args.dsn, NULL },
        { "--merchant", &args.merchant, NULL },
        { "--decision", &args.decision, NULL },
        { "--until", &args.until, NULL },
        { "--who", &args.who, NULL },
        { "--why", &args.why, NULL },
        { "--keyring", &args.keyring, NULL },
        { NULL, NULL, NULL }
    };

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
        if (strcmp(words[0], verb[i].name) == 0 && count == 1 + verb[i].words)
        {
            return verb[i].run(&args, words + 1);
        }
    }

    return pay_cli_misuse(pay_cli_risk_usage, "payctl risk: which?");
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
risk_show(pay_cli_risk_t *args, const char *const *words)
{
    const char  *values[] = { args->merchant, words[0] };

    return args->merchant == NULL
           ? pay_cli_misuse(pay_cli_risk_usage, "risk show: --merchant is "
                            "missing: ids of checkouts are its own")
           : pay_cli_list(&show_query, args->dsn, values);
}


static int
risk_add(pay_cli_risk_t *args, const char *const *words)
{
    return act_on(args, words, &add_act, 1);
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


const char *
pay_cli_risk_who(const pay_cli_risk_t *args)
{
    const char  *user = getenv("LOGNAME");

    user = user != NULL && *user != '\0' ? user : getenv("USER");

    return args->who != NULL ? args->who
           : user != NULL && *user != '\0' ? user : "payctl";
}


int
pay_cli_risk_keys(const pay_cli_risk_t *args, const char *kind,
    pay_risk_t *risk)
{
    int             done;
    size_t          i;
    const char     *path = args->keyring;
    pay_keyring_t   ring;

    static const char  *const clear[] = { "ip", "country", "email_domain" };

    memset(risk, 0, sizeof(pay_risk_t));

    for (i = 0; i < sizeof(clear) / sizeof(clear[0]); i++) {
        if (strcmp(kind, clear[i]) == 0) {
            return 1;
        }
    }

    path = path != NULL ? path : getenv("PAYCTL_KEYRING");

    if (path == NULL) {
        (void) pay_cli_misuse(pay_cli_risk_usage, "risk list: %s is kept as a "
                              "hash: give --keyring or set PAYCTL_KEYRING",
                              kind);
        return 0;
    }

    if (!pay_cli_keyring("risk list", path, &ring)) {
        return 0;
    }

    done = pay_risk_keys(&ring, risk) == PAY_OK;
    pay_keyring_wipe(&ring);

    return done;
}


int
pay_cli_risk_value(pay_arena_t *arena, const pay_risk_t *risk,
    const char *kind, const char *value, pay_str_t *kept)
{
    pay_str_t  text;

    if (pay_risk_list_value(arena, risk, 0, pay_str_of(kind),
                            pay_str_of(value), &text) != PAY_OK
        || pay_dup(arena, text, kept) != PAY_OK)
    {
        return pay_cli_misuse(pay_cli_risk_usage, "risk list: %s is no value "
                              "of %s", value, kind);
    }

    return PAY_CLI_OK;
}
