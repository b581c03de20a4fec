/*
 * payctl route replay: where stored checkouts would have begun by another
 * route, and an estimate of how many would have been paid.  Only checkouts that
 * explored were placed by chance, so only these stand for others; each counts
 * by one over its stored chance.  Reads tables (payments_auditor may).
 */

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/route.h"
#include "cli/table.h"

#include <stddef.h>
#include <string.h>


/* - values: of the query: since, until, merchant, routes. */
typedef struct {
    const char  *dsn;
    const char  *values[4];
    const char  *routes;
    const char  *by;
    const char  *psps;
} replay_args_t;


static int route_replay(int argc, char **argv);
static const char *replay_mistake(const replay_args_t *args);
static int replay_run(replay_args_t *args, pay_arena_t *arena);


const char  pay_cli_route_usage[] =
    "usage: payctl route replay [--dsn DSN] --since TIME [--until TIME]\n"
    "           [--merchant ID] --routes FILE [-o json|csv]\n"
    "       payctl route replay ... --by score|order [--psps NAME,...]\n"
    "Where the checkouts created from --since on would have begun by other"
    " routes.\nFILE has lines route and psp as the merchant's block of"
    " nginx.conf has them.\n--by score, or --by order with --psps, is one route"
    " for all.  \"cannot know\": no\ncheckout of that kind has explored.\n";

/* seen: one row for each checkout, which its first order stands for.  A PSP
 * that the request has named stays.  Scores and circuits of the moment are
 * known where the route explored; elsewhere only that the PSP could take the
 * order.  routed: $4 has the routes, see route_read.c; without psps all of the
 * scores.  A draw by weight is another one than the gateway's, of the same
 * chances (exponential keys).  The row "(all)" is the whole currency. */
static const char  replay_sql[] =
    "WITH seen AS (SELECT e.detail ->> 'psp' AS was, e.detail -> 'explore' AS"
    " x, coalesce(e.detail ->> 'route', 'named by the request') = 'named by the"
    " request' AS fixed, c.*,"
    " o.status = 'SUCCESS' AS paid, o.status IN ('SUCCESS', 'FAILED')"
    " AND o.reason IS DISTINCT FROM 'risk' AS ended FROM pay.event e"
    " CROSS JOIN LATERAL (SELECT p.checkout_id, p.status, p.reason"
    " FROM pay.payment_order p WHERE p.merchant_id = e.merchant_id"
    " AND p.payment_order_id = e.payment_order_id AND p.position = 1"
    " OFFSET 0) o"
    " CROSS JOIN LATERAL (SELECT k.currency, k.total_minor,"
    " k.psps::text[] AS psps, k.checkout_uuid::text AS seed,"
    " k.payment_method::text AS method, k.buyer_info ->> 'country' AS country"
    " FROM pay.checkout k WHERE k.merchant_id = e.merchant_id"
    " AND k.checkout_id = o.checkout_id OFFSET 0) c"
    " WHERE e.kind = 'created' AND e.at >= $1::timestamptz"
    " AND e.at < coalesce($2::timestamptz, 'infinity')"
    " AND e.merchant_id = coalesce($3, e.merchant_id)),"
    " routed AS (SELECT s.*, r.route FROM seen s LEFT JOIN LATERAL ("
    "SELECT u.route FROM jsonb_array_elements($4::jsonb)"
    " WITH ORDINALITY u (route, n) WHERE coalesce(u.route -> 'currencies'"
    " ? s.currency::text, NOT u.route ? 'currencies')"
    " AND coalesce(u.route -> 'countries' ? s.country,"
    " NOT u.route ? 'countries') AND coalesce(u.route -> 'methods' ? s.method,"
    " NOT u.route ? 'methods') AND s.total_minor >= coalesce((u.route ->>"
    " 'min')::bigint, 0) AND s.total_minor <= coalesce((u.route ->>"
    " 'max')::bigint, s.total_minor) ORDER BY u.n LIMIT 1) r ON true),"
    " placed AS (SELECT s.*, CASE WHEN s.fixed THEN s.was ELSE (SELECT t.psp"
    " FROM (SELECT v.e ->> 'psp' AS psp, (v.e ->> 'weight')::int AS weight,"
    " v.n FROM jsonb_array_elements(coalesce(s.route -> 'psps',"
    " (SELECT jsonb_agg(jsonb_build_object('psp', k, 'weight', 1) ORDER BY k)"
    " FROM jsonb_object_keys(s.x -> 'scores') k))) WITH ORDINALITY v (e, n)) t"
    " WHERE s.route IS NOT NULL AND CASE WHEN s.x IS NOT NULL"
    " THEN s.x -> 'scores' ? t.psp ELSE s.route ->> 'by' <> 'score'"
    " AND t.psp = ANY (s.psps) END"
    " ORDER BY CASE s.route ->> 'by' WHEN 'order' THEN t.n"
    " WHEN 'score' THEN -(s.x -> 'scores' ->> t.psp)::int"
    " ELSE -ln(((hashtextextended(s.seed || t.psp, 0) & 4503599627370495) + 1)"
    " / 4503599627370497.0) / t.weight END, t.psp LIMIT 1) END AS psp"
    " FROM routed s),"
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
    { 2, PAY_CLI_MERCHANT }, PAY_CLI_NO_FILTER
};

static const pay_cli_list_t  replay_query = {
    "route replay", replay_sql, 4, "no checkouts", PAY_CLI_OK, filters,
    NULL, NULL
};

static const pay_cli_subcommand_t  subcommands[] = {
    { "replay", route_replay }, { NULL, NULL }
};


int
pay_cli_route(int argc, char **argv)
{
    return pay_cli_hand_over("route", pay_cli_route_usage, subcommands, argc,
                             argv);
}


static int
route_replay(int argc, char **argv)
{
    int             words, code;
    pay_heap_t     *heap;
    replay_args_t   args = { .values = { NULL } };

    const pay_cli_option_t  options[] = {
        { "--dsn", &args.dsn, NULL },
        { "--since", &args.values[0], NULL },
        { "--until", &args.values[1], NULL },
        { "--merchant", &args.values[2], NULL },
        { "--routes", &args.routes, NULL },
        { "--by", &args.by, NULL },
        { "--psps", &args.psps, NULL },
        PAY_CLI_OUTPUT_OPTIONS,
        { NULL, NULL, NULL }
    };

    words = pay_cli_args(argc, argv, options, NULL, 0);

    if (words != 0) {
        return pay_cli_say_usage(words, pay_cli_route_usage);
    }

    if (replay_mistake(&args) != NULL) {
        return pay_cli_misuse(pay_cli_route_usage, "%s", replay_mistake(&args));
    }

    heap = pay_heap_create();
    if (heap == NULL) {
        return PAY_CLI_USAGE;
    }

    code = replay_run(&args, pay_heap_arena(heap));
    pay_heap_destroy(heap);

    return code;
}


/* NULL: there is none. */
static const char *
replay_mistake(const replay_args_t *args)
{
    if (args->values[0] == NULL) {
        return "replay takes --since";
    }

    if (args->routes != NULL) {
        return args->by == NULL && args->psps == NULL
               ? NULL : "--routes says it all: leave --by and --psps out";
    }

    return args->by != NULL && (strcmp(args->by, "score") == 0
                                || (strcmp(args->by, "order") == 0
                                    && args->psps != NULL))
           ? NULL : "replay takes --routes FILE, --by score, or --by order with"
                    " --psps";
}


static int
replay_run(replay_args_t *args, pay_arena_t *arena)
{
    pay_str_t  json, text;

    if (args->routes != NULL) {
        if (!pay_cli_route_read(arena, args->routes, &json)) {
            return PAY_CLI_USAGE;
        }

    } else if (pay_cli_route_one(arena, args->by, args->psps, &json)
               != PAY_OK)
    {
        return pay_cli_misuse(pay_cli_route_usage,
                              "--psps takes names with commas between "
                              "them");
    }

    /* with a NUL behind it */
    if (pay_dup(arena, json, &text) != PAY_OK) {
        return PAY_CLI_USAGE;
    }

    args->values[3] = (const char *) text.data;

    return pay_cli_list(&replay_query, args->dsn, args->values);
}
