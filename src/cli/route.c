/*
 * payctl route replay: where stored checkouts would have begun by another
 * route, and an estimate of how many would have been paid.  Only checkouts that
 * explored were placed by chance, so only these stand for others; each counts
 * by one over its stored chance.  Reads tables (payments_auditor may).
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/table.h"

#include <stddef.h>
#include <string.h>


static int route_replay(int argc, char **argv);


static const char  usage[] =
    "usage: payctl route replay [--dsn DSN] --since TIME [--until TIME]\n"
    "           [--merchant ID] --by score|order [--psps NAME,...] [--json]\n"
    "Where the checkouts created from --since on would have begun by a route\n"
    "--by score, or --by order among --psps, the first that could take the\n"
    "checkout.  \"cannot know\": no checkout of that kind has explored.\n";

/* seen: one row for each checkout, which its first order stands for.  A PSP
 * that the request has named stays.  Scores and circuits of the moment are
 * known where the route explored; elsewhere only that the PSP could take the
 * order.  The row "(all)" is the whole currency. */
static const char  replay_sql[] =
    "WITH seen AS (SELECT e.detail ->> 'psp' AS was, e.detail -> 'explore' AS"
    " x, coalesce(e.detail ->> 'route', 'named by the request') = 'named by the"
    " request' AS fixed, c.currency, c.total_minor, c.psps,"
    " o.status = 'SUCCESS' AS paid, o.status IN ('SUCCESS', 'FAILED')"
    " AND o.reason IS DISTINCT FROM 'risk' AS ended FROM pay.event e"
    " CROSS JOIN LATERAL (SELECT p.checkout_id, p.status, p.reason"
    " FROM pay.payment_order p WHERE p.merchant_id = e.merchant_id"
    " AND p.payment_order_id = e.payment_order_id AND p.position = 1"
    " OFFSET 0) o"
    " CROSS JOIN LATERAL (SELECT k.currency, k.total_minor, k.psps::text[]"
    " FROM pay.checkout k WHERE k.merchant_id = e.merchant_id"
    " AND k.checkout_id = o.checkout_id OFFSET 0) c"
    " WHERE e.kind = 'created' AND e.at >= $1::timestamptz"
    " AND e.at < coalesce($2::timestamptz, 'infinity')"
    " AND e.merchant_id = coalesce($3, e.merchant_id)),"
    " placed AS (SELECT s.*, CASE WHEN s.fixed THEN s.was"
    " WHEN $4 = 'score' THEN (SELECT j.key FROM jsonb_each_text("
    "s.x -> 'scores') j WHERE $5::text IS NULL"
    " OR j.key = ANY (string_to_array($5, ','))"
    " ORDER BY j.value::int DESC, j.key LIMIT 1)"
    " ELSE (SELECT u.p FROM unnest(string_to_array($5, ',')) WITH ORDINALITY"
    " AS u (p, n) WHERE CASE WHEN s.x IS NULL THEN u.p = ANY (s.psps)"
    " ELSE s.x -> 'scores' ? u.p END ORDER BY u.n LIMIT 1) END AS psp"
    " FROM seen s),"
    " weighed AS (SELECT p.*, CASE WHEN ended AND x ->> 'drawn' = psp"
    " THEN 1000000.0 / (x ->> 'chance')::int END AS w FROM placed p),"
    " summed AS (SELECT currency, coalesce(psp, '(not known)') AS psp,"
    " grouping(coalesce(psp, '(not known)')) AS is_all, count(*) AS n,"
    " sum(total_minor) AS minor, count(*) FILTER (WHERE was <> psp) AS moved,"
    " count(w) AS explored, sum(w) AS w, sum(w * paid::int) / sum(w) AS rate,"
    " sum(w * w) AS ww, sum(w * w * paid::int) AS wwp FROM weighed"
    " GROUP BY GROUPING SETS ((currency, coalesce(psp, '(not known)')),"
    " (currency)))"
    " SELECT CASE is_all WHEN 1 THEN '(all)' ELSE s.psp END AS psp, s.currency,"
    " s.n AS checkouts, round(s.minor / 10::numeric ^ k.exponent,"
    " k.exponent)::text AS amount, s.moved, s.explored,"
    " coalesce(round(s.rate, 4)::text, 'cannot know') AS paid,"
    " coalesce(round(sqrt(s.wwp * (1 - 2 * s.rate) + s.rate ^ 2 * s.ww) / s.w,"
    " 4)::text, '') AS error FROM summed s"
    " JOIN pay.currency k ON k.code = s.currency"
    " ORDER BY s.currency, s.is_all, s.n DESC, psp";

static const pay_cli_filter_t  filters[] = {
    { 2, PAY_CLI_MERCHANT }, { -1, NULL, NULL, NULL }
};

static const pay_cli_list_t  replay_query = {
    "route replay", replay_sql, 5, "no checkouts", PAY_CLI_OK, filters
};

static const pay_cli_subcommand_t  subcommands[] = {
    { "replay", route_replay }, { NULL, NULL }
};


int
pay_cli_route(int argc, char **argv)
{
    return pay_cli_hand_over("route", usage, subcommands, argc, argv);
}


static int
route_replay(int argc, char **argv)
{
    int          words, as_json = 0;
    const char  *dsn = NULL, *values[5] = { NULL };

    const pay_cli_option_t  options[] = {
        { "--dsn", &dsn, NULL },
        { "--since", &values[0], NULL },
        { "--until", &values[1], NULL },
        { "--merchant", &values[2], NULL },
        { "--by", &values[3], NULL },
        { "--psps", &values[4], NULL },
        { "--json", NULL, &as_json },
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);

    if (words != 0) {
        return pay_cli_say_usage(words, usage);
    }

    if (values[0] == NULL || values[3] == NULL
        || (strcmp(values[3], "score") != 0
            && strcmp(values[3], "order") != 0)
        || (strcmp(values[3], "order") == 0 && values[4] == NULL))
    {
        return pay_cli_misuse(usage, values[0] == NULL
                              ? "replay takes --since"
                              : "replay takes --by score, or --by order with"
                                " --psps");
    }

    return as_json ? pay_cli_list_json(&replay_query, dsn, values)
                   : pay_cli_list(&replay_query, dsn, values);
}
