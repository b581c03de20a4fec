/*
 * Routing: which of a merchant's PSPs may take an order, the best first.  The
 * first rule that fits names the candidates and how they are sorted; then
 * those that cannot take a call now go last.  The reason is for the timeline.
 */

#include "flow_route.h"


/* Bytes of the reason, which the timeline keeps for ever; MORE stands for the
 * candidates that do not fit. */
#define REASON_MAX  500
#define NAME_MAX    64
#define ENTRY_MAX   (NAME_MAX + 32)    /* name, score, note */
#define MORE        ", ..."


static void find_candidates(choice_t *choice, const pay_merchant_t *merchant);
static int rule_fits(const pay_route_rule_t *rule,
    const pay_route_query_t *query);
static int listed(const pay_str_t *list, size_t count, pay_str_t word);
static int owns(const pay_merchant_t *merchant, const pay_psp_conf_t *psp);
static void add_of_cell(choice_t *choice, const pay_psp_conf_t *psp,
    uint64_t rank);
static void add(choice_t *choice, const pay_psp_conf_t *psp, uint64_t rank);
static int blocked(const candidate_t *candidate);
static pay_status_t tell(pay_arena_t *arena, const choice_t *choice,
    const candidate_t *const *best, unsigned count, pay_str_t *reason);
static pay_status_t entry(pay_arena_t *arena, const choice_t *choice,
    const candidate_t *candidate, pay_str_t *text);
static pay_status_t printable(pay_arena_t *arena, pay_str_t name,
    pay_str_t *text);


/* By pay_route_by_t: the word of the directive, and how it sorts.  NULL leaves
 * the candidates in the sequence of the directive. */
static const struct {
    const char        *name;
    pay_route_rank_pt  rank;
} ways[] = {
    [PAY_ROUTE_ORDER] = { "order", NULL },
    [PAY_ROUTE_WEIGHT] = { "weight", pay_route_by_weight },
    [PAY_ROUTE_SCORE] = { "score", pay_route_by_score }
};
PAY_ROWS(ways, PAY_ROUTE_COUNT);


/* PSPs that cannot take a call now stay in the list, at its end: a circuit may
 * close before fail-over comes to them, and an order must not be refused
 * because all PSPs are troubled for a moment. */
pay_status_t
pay_route_pick(pay_arena_t *arena, const pay_env_t *env,
    const pay_merchant_t *merchant, const pay_route_query_t *query,
    const pay_health_t *health, pay_route_t *route)
{
    unsigned            i, pass, count;
    choice_t            choice;
    pay_str_t           reason;
    const candidate_t  *best[PAY_ROUTE_PSPS_MAX];

    choice.query = query;
    choice.health = health;
    find_candidates(&choice, merchant);

    if (choice.count == 0) {
        return PAY_NOT_FOUND;
    }

    if ((size_t) choice.by >= sizeof(ways) / sizeof(ways[0])) {
        return PAY_BUG;
    }

    if (ways[choice.by].rank != NULL) {
        ways[choice.by].rank(&choice, &env->weights);
    }

    for (pass = 0, count = 0; pass < 2; pass++) {
        for (i = 0; i < choice.count && count < PAY_ROUTE_PSPS_MAX; i++) {
            if (blocked(&choice.list[i]) == (int) pass) {
                best[count++] = &choice.list[i];
            }
        }
    }

    PAY_TRY(tell(arena, &choice, best, count, &reason));

    memset(route, 0, sizeof(pay_route_t));

    for (i = 0; i < count; i++) {
        route->psps[i] = best[i]->psp;
        route->ranks[i] = (unsigned) best[i]->rank;
        route->blocked[i] = blocked(best[i]);
    }

    route->count = count;
    route->reason = reason;
    route->rule = choice.rule > 0 ? &merchant->rules[choice.rule - 1] : NULL;

    return PAY_OK;
}


/* A rule whose targets the merchant all has not does not fit.  When no rule
 * fits, the merchant's PSPs are taken in their order (rule 0). */
static void
find_candidates(choice_t *choice, const pay_merchant_t *merchant)
{
    size_t                   i;
    unsigned                 k;
    const pay_route_rule_t  *rule;

    choice->count = 0;

    for (i = 0; i < merchant->rule_count; i++) {
        rule = &merchant->rules[i];

        if (!rule_fits(rule, choice->query)) {
            continue;
        }

        for (k = 0; k < rule->target_count && k < PAY_ROUTE_PSPS_MAX; k++) {
            if (owns(merchant, rule->targets[k].psp)) {
                add_of_cell(choice, rule->targets[k].psp,
                            rule->targets[k].weight);
            }
        }

        if (choice->count > 0) {
            choice->by = rule->by;
            choice->rule = (unsigned) i + 1;
            return;
        }
    }

    choice->by = PAY_ROUTE_ORDER;
    choice->rule = 0;

    for (i = 0; i < merchant->psp_count; i++) {
        add_of_cell(choice, merchant->psps[i], 1);
    }
}


/* Both ends of the range are included; the range is in minor units of the one
 * currency that the rule has. */
static int
rule_fits(const pay_route_rule_t *rule, const pay_route_query_t *query)
{
    if (rule->has_range && (query->total_minor < rule->min_minor
                            || query->total_minor > rule->max_minor))
    {
        return 0;
    }

    return listed(rule->currencies, rule->currency_count, query->currency)
           && listed(rule->countries, rule->country_count, query->country)
           && listed(rule->methods, rule->method_count, query->method);
}


/* An empty list takes all words; no other list takes the unknown one. */
static int
listed(const pay_str_t *list, size_t count, pay_str_t word)
{
    size_t  i;

    for (i = 0; i < count; i++) {
        if (word.len > 0 && pay_str_eq(list[i], word)) {
            return 1;
        }
    }

    return count == 0;
}


/* A rule may name PSPs that the merchant lost in a later configuration. */
static int
owns(const pay_merchant_t *merchant, const pay_psp_conf_t *psp)
{
    size_t  i;

    for (i = 0; i < merchant->psp_count; i++) {
        if (merchant->psps[i] == psp) {
            return 1;
        }
    }

    return 0;
}


/* A merchant that moves has PSPs of two cells; the events of each go to its
 * own. */
static void
add_of_cell(choice_t *choice, const pay_psp_conf_t *psp, uint64_t rank)
{
    if (psp != NULL && psp->cell == choice->query->cell) {
        add(choice, psp, rank);
    }
}


/* Once each, and only those that have a hosted page.  A PSP without
 * measurements counts as healthy, so that a new one gets its share. */
static void
add(choice_t *choice, const pay_psp_conf_t *psp, uint64_t rank)
{
    unsigned      i;
    candidate_t  *candidate;

    if (psp == NULL || choice->count == PAY_ROUTE_CANDIDATES_MAX
        || psp->adapter->register_request == NULL)
    {
        return;
    }

    for (i = 0; i < choice->count; i++) {
        if (choice->list[i].psp == psp) {
            return;
        }
    }

    candidate = &choice->list[choice->count++];
    memset(candidate, 0, sizeof(candidate_t));

    candidate->psp = psp;
    candidate->rank = rank;
    candidate->health.success_permille = PAY_ROUTE_FULL;

    if (choice->health != NULL) {
        candidate->health = choice->health[psp->index];
    }
}


/* 1 makes it go in the second pass.  The circuit is OPEN for a half-open PSP
 * whose probes are all under way, too. */
static int
blocked(const candidate_t *candidate)
{
    const pay_health_t  *health = &candidate->health;

    return health->circuit == PAY_CIRCUIT_OPEN
           || (health->in_flight_max > 0
               && health->in_flight >= health->in_flight_max);
}


/* The names, ranks and troubles of the candidates, best first, for the event
 * `created` (docs/routing.md#the-timeline). */
static pay_status_t
tell(pay_arena_t *arena, const choice_t *choice,
    const candidate_t *const *best, unsigned count, pay_str_t *reason)
{
    unsigned   i;
    pay_buf_t  buf;
    pay_str_t  text;

    pay_buf_init(&buf, arena, REASON_MAX);

    if (choice->rule > 0) {
        pay_buf_text(&buf, "rule ");
        pay_buf_int(&buf, choice->rule);
        pay_buf_text(&buf, " ");
    }

    pay_buf_text(&buf, "by ");
    pay_buf_text(&buf, ways[choice->by].name);
    pay_buf_text(&buf, ": ");

    for (i = 0; i < count; i++) {
        PAY_TRY(entry(arena, choice, best[i], &text));

        if (buf.len + 2 + text.len + sizeof(MORE) > REASON_MAX) {
            pay_buf_text(&buf, MORE);
            break;
        }

        pay_buf_text(&buf, i > 0 ? ", " : "");
        pay_buf_add(&buf, text);
    }

    return pay_buf_done(&buf, reason);
}


/* The rank is the weight or the score; by order it has no meaning and is left
 * out. */
static pay_status_t
entry(pay_arena_t *arena, const choice_t *choice,
    const candidate_t *candidate, pay_str_t *text)
{
    pay_buf_t            buf;
    pay_str_t            name;
    const pay_health_t  *health = &candidate->health;

    PAY_TRY(printable(arena, candidate->psp->name, &name));

    pay_buf_init(&buf, arena, ENTRY_MAX);
    pay_buf_add(&buf, name);

    if (choice->by != PAY_ROUTE_ORDER) {
        pay_buf_text(&buf, " ");
        pay_buf_int(&buf, (int64_t) candidate->rank);
    }

    if (blocked(candidate)) {
        pay_buf_text(&buf, health->circuit == PAY_CIRCUIT_OPEN
                           ? " (circuit open)" : " (full)");
    }

    return pay_buf_done(&buf, text);
}


/* The configuration allows only names of 64 such characters: this holds even
 * if another caller does not. */
static pay_status_t
printable(pay_arena_t *arena, pay_str_t name, pay_str_t *text)
{
    size_t          i;
    unsigned char  *bytes;

    name.len = name.len < NAME_MAX ? name.len : NAME_MAX;

    bytes = pay_alloc(arena, name.len + 1);
    if (bytes == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < name.len; i++) {
        bytes[i] = (name.data[i] > ' ' && name.data[i] < 0x7f) ? name.data[i]
                                                               : '?';
    }

    text->len = name.len;
    text->data = bytes;

    return PAY_OK;
}
