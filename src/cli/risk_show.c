/*
 * payctl risk show: a decision about a checkout with all that it was made of,
 * one table each.  It reads tables; payments_auditor may.
 */

#include "cli/act.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/risk.h"


#define AT     PAY_CLI_AT
#define OF     " WHERE d.merchant_id = $1 AND d.checkout_id = $2"
#define ABOUT  " FROM pay.risk_decision d"


static const pay_cli_part_t  parts[] = {
    { "hits",
      "SELECT h ->> 'name' AS name, h ->> 'by' AS by, h ->> 'then' AS asks_for,"
      " CASE WHEN h -> 'shadow' = 'true' THEN 'in shadow' ELSE '' END"
      " AS counts" ABOUT ", jsonb_array_elements(d.hits) h" OF },
    { "facts",
      "SELECT f.key AS name, f.value" ABOUT ", jsonb_each_text(d.facts) f" OF },
    { "parts of the score",
      "SELECT p.key AS part, p.value AS of_1" ABOUT
      ", jsonb_each_text(d.score -> 'parts') p" OF },
    { "reasons of the model",
      "SELECT r ->> 0 AS feature, r ->> 1 AS share" ABOUT
      ", jsonb_array_elements(d.score #> '{model,reasons}') r" OF },
    { "challengers",
      "SELECT c ->> 'name' AS name, c ->> 'probability' AS probability" ABOUT
      ", jsonb_array_elements(d.score -> 'challengers') c" OF },
    { "features",
      "SELECT f.key AS name, f.value" ABOUT
      ", jsonb_each_text(d.features) f" OF " AND f.value IS NOT NULL" },
    { "browsers that opened the checkout",
      "SELECT " AT("d.at") " AS at, d.browser, d.distance AS address,"
      " CASE WHEN d.same_agent THEN 'yes' WHEN NOT d.same_agent THEN 'no'"
      " END AS same_user_agent, (SELECT count(*) FROM ("
      " SELECT FROM pay.risk_browser x WHERE x.merchant_id = d.merchant_id"
      " AND x.browser = d.browser AND x.checkout_id <> d.checkout_id"
      " LIMIT 100) x) AS other_checkouts"
      " FROM pay.risk_browser d" OF " ORDER BY d.place" },
    { "cards, as the PSP says",
      "SELECT " AT("d.at") " AS at, d.card, d.bin, d.country, d.funding,"
      " d.three_d AS three_d_secure, d.level, d.score, d.warning,"
      " CASE WHEN d.is_hint THEN 'no' ELSE 'yes' END AS signed,"
      " CASE WHEN d.is_declined THEN 'yes' ELSE 'no' END AS declined"
      " FROM jsonb_array_elements(pay.cards_of($1, $2)) c"
      " JOIN pay.risk_card d ON d.attempt = c ->> 'attempt'" OF
      " ORDER BY d.at, d.attempt" },
    { "decisions after the PSP",
      "SELECT " AT("d.at") " AS at, d.decision, d.decided_by AS by, d.effect,"
      " (SELECT string_agg(h ->> 'name', ' ')"
      " FROM jsonb_array_elements(d.hits) h) AS hits"
      " FROM pay.risk_after d" OF " ORDER BY d.after_id" },
    { "labels",
      "SELECT l ->> 'at' AS at, l ->> 'payment_order_id' AS \"order\","
      " l ->> 'label' AS label, l ->> 'source' AS source"
      " FROM jsonb_array_elements(pay.labels_of($1, $2)) l" },
    { NULL, NULL }
};

static const pay_cli_show_t  show = {
    "risk show",
    "SELECT d.merchant_id AS merchant, d.checkout_id AS checkout,"
    " " AT("d.at") " AS at, d.decision, d.decided_by AS by,"
    " d.score ->> 'total' AS score, d.score #>> '{model,name}' AS model,"
    " d.version, encode(d.inputs_hash, 'hex') AS inputs_hash" ABOUT OF,
    "no decision about such a checkout", parts
};


int
pay_cli_risk_show(pay_cli_risk_t *args, const char *const *words)
{
    const char  *values[] = { args->merchant, words[0] };

    return args->merchant == NULL
           ? pay_cli_misuse(pay_cli_risk_usage, "risk show: --merchant is "
                            "missing: ids of checkouts are its own")
           : pay_cli_show_of(&show, args->dsn, 2, values);
}
