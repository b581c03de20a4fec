/*
 * The exploring share of routes by score: how often it explores and where,
 * that each attempt at a checkout draws alike, and that it finds out when a PSP
 * has become better.
 */

#include "torture.h"

#include "pay_breaker.h"
#include "pay_route.h"

#include <stdio.h>
#include <stdlib.h>


#define PSPS   4
#define DRAWS  10000

/* Four standard deviations of a binomial share of the draws: the seeds are
 * fixed, so that a pass stays a pass. */
#define WITHIN(count, ppm)                                                    \
    (labs((long) (count) * 1000000 / DRAWS - (long) (ppm)) <= 4 * sd(ppm))


static pay_status_t
no_request(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_psp_checkout_t *checkout, pay_http_request_t *request,
    pay_err_t *err)
{
    (void) arena;
    (void) account;
    (void) checkout;
    (void) request;
    (void) err;

    return PAY_BUG;
}


static const pay_psp_adapter_t  hosted = {
    .name = "hosted", .register_request = no_request
};

static pay_psp_conf_t         psps[PSPS];
static pay_health_t           healths[PSPS];
static const pay_psp_conf_t  *owned[PSPS];
static pay_route_rule_t       rule;
static pay_merchant_t         merchant;
static pay_env_t              env;
static pay_route_query_t      query;
static pay_route_t            route;
static pay_heap_t            *heap;


/* a is the best, d the worst. */
static void
setup(void)
{
    unsigned           i;
    static const char  names[PSPS][2] = { "a", "b", "c", "d" };

    memset(&env, 0, sizeof(env));
    memset(&merchant, 0, sizeof(merchant));
    memset(psps, 0, sizeof(psps));
    memset(healths, 0, sizeof(healths));
    memset(&rule, 0, sizeof(rule));

    for (i = 0; i < PSPS; i++) {
        psps[i].name = pay_str_of(names[i]);
        psps[i].adapter = &hosted;
        psps[i].index = i;
        healths[i].success_permille = 1000 - 200 * i;
        owned[i] = &psps[i];
        rule.targets[i].psp = &psps[i];
    }

    rule.by = PAY_ROUTE_SCORE;
    rule.target_count = PSPS;
    rule.explore_ppm = 50000;
    rule.floor_ppm = 10000;
    rule.explore_seed = PAY_STR("42");

    env.psps = psps;
    env.psp_count = PSPS;
    env.weights.success = 1;
    merchant.id = PAY_STR("acme");
    merchant.psps = owned;
    merchant.psp_count = PSPS;
    merchant.rules = &rule;
    merchant.rule_count = 1;

    query.currency = PAY_STR("EUR");
    query.total_minor = 10000;
    query.country = PAY_STR("DE");
    query.method = PAY_STR("card");
    query.seed = PAY_STR("0199c0de-0000-7000-8000-000000000001");
    query.checkout_id = PAY_STR("c1");

    heap = pay_heap_create();
}


static void
teardown(void)
{
    pay_heap_destroy(heap);
}


TestSuite(pay_explore, .init = setup, .fini = teardown);


static pay_status_t
route_in(pay_arena_t *arena, pay_route_t *to)
{
    PAY_TRY(pay_route_pick(arena, &env, &merchant, &query, healths, to));

    return pay_route_explore(arena, &merchant, &query, to);
}


/* The PSP at which the n-th checkout begins.  The query keeps its id. */
static unsigned
first_of(unsigned n)
{
    static char   id[16];

    unsigned      first;
    pay_heap_t   *own = pay_heap_create();

    snprintf(id, sizeof(id), "c%u", n);
    query.checkout_id = pay_str_of(id);
    cr_assert_eq(route_in(pay_heap_arena(own), &route), PAY_OK);
    first = route.psps[0]->index;
    pay_heap_destroy(own);

    return first;
}


/* Of `explored` checkouts, by PSP; the sum is returned. */
static unsigned
explored(unsigned count[PSPS])
{
    unsigned  n, first, sum = 0;

    memset(count, 0, PSPS * sizeof(unsigned));

    for (n = 0; n < DRAWS; n++) {
        first = first_of(n);

        if (route.explored) {
            count[first]++;
            sum++;

        } else {
            cr_assert_eq(route.blocked[0], 0);
            cr_assert_eq(route.psps[0]->index,
                         healths[0].circuit == PAY_CIRCUIT_OPEN ? 1 : 0);
        }
    }

    return sum;
}


/* In parts per million. */
static long
sd(unsigned ppm)
{
    long  root = 0;
    long  square = (long) ppm * (1000000 - (long) ppm) / DRAWS;

    while ((root + 1) * (root + 1) <= square) {
        root++;
    }

    return root;
}


static const char *
text_of(pay_str_t bytes)
{
    static char  text[1024];

    cr_assert_lt(bytes.len, sizeof(text));
    memcpy(text, bytes.data, bytes.len);
    text[bytes.len] = '\0';

    return text;
}


/* A checkout of which exploring draws this PSP. */
static void
find(unsigned psp)
{
    static char  id[16];

    unsigned     n;

    for (n = 0; n < DRAWS && (first_of(n) != psp || !route.explored); n++) {
        /* void */
    }

    cr_assert_lt(n, DRAWS);
    snprintf(id, sizeof(id), "c%u", n);
    query.checkout_id = pay_str_of(id);
    cr_assert_eq(route_in(pay_heap_arena(heap), &route), PAY_OK);
}


/* Without explore= a route is as it was, and nothing is stored. */
Test(pay_explore, nothing_explores_unless_it_is_said)
{
    unsigned  count[PSPS];

    rule.explore_ppm = 0;
    cr_expect_eq(explored(count), 0);
    cr_expect_eq(route_in(pay_heap_arena(heap), &route), PAY_OK);
    cr_expect_eq(route.explore.len, 0);
    cr_expect_str_eq(text_of(route.reason),
                     "rule 1 by score: a 1000, b 800, c 600, d 400");
}


Test(pay_explore, only_routes_by_score_explore)
{
    unsigned  by, chances[PAY_ROUTE_PSPS_MAX];

    for (by = 0; by < PAY_ROUTE_COUNT; by++) {
        rule.by = (pay_route_by_t) by;
        route = (pay_route_t) { .count = 0 };
        cr_assert_eq(route_in(pay_heap_arena(heap), &route), PAY_OK);
        cr_expect_eq(pay_route_chances(&route, chances),
                     by == PAY_ROUTE_SCORE);
    }
}


/* 5 % explore; each PSP has its floor of 1 %, and the rest of 1 % goes by
 * score, 1000 : 800 : 600 : 400. */
Test(pay_explore, the_share_and_each_floor_are_kept)
{
    unsigned  i, sum, count[PSPS], chances[PAY_ROUTE_PSPS_MAX];

    sum = explored(count);
    cr_expect(WITHIN(sum, 50000), "%u", sum);
    cr_assert_eq(pay_route_chances(&route, chances), 1);

    for (i = 0, sum = 0; i < PSPS; i++) {
        cr_expect_geq(chances[i], rule.floor_ppm);
        sum += chances[i];
    }

    cr_expect_eq(sum, 50000);
    cr_expect(WITHIN(count[0], 13572), "%u", count[0]);
    cr_expect(WITHIN(count[1], 12857), "%u", count[1]);
    cr_expect(WITHIN(count[2], 12142), "%u", count[2]);
    cr_expect(WITHIN(count[3], 11428), "%u", count[3]);
}


Test(pay_explore, a_small_floor_leaves_more_to_the_better)
{
    unsigned  sum, count[PSPS];

    rule.explore_ppm = 400000;
    rule.floor_ppm = 1000;
    sum = explored(count);

    cr_expect(WITHIN(sum, 400000), "%u", sum);
    cr_expect(WITHIN(count[0], 142432), "%u", count[0]);
    cr_expect(WITHIN(count[3], 57571), "%u", count[3]);
}


/* The directive refuses such a floor; the chances are equal then. */
Test(pay_explore, a_floor_that_is_too_large_never_exceeds_the_share)
{
    unsigned  i, chances[PAY_ROUTE_PSPS_MAX];

    rule.floor_ppm = 900000;
    cr_assert_eq(route_in(pay_heap_arena(heap), &route), PAY_OK);
    cr_assert_eq(pay_route_chances(&route, chances), 1);

    for (i = 0; i < PSPS; i++) {
        cr_expect_eq(chances[i], 12500);
    }
}


Test(pay_explore, scores_of_nothing_share_equally)
{
    unsigned  i, chances[PAY_ROUTE_PSPS_MAX];

    for (i = 0; i < PSPS; i++) {
        healths[i].success_permille = 0;
    }

    rule.floor_ppm = 0;
    cr_assert_eq(route_in(pay_heap_arena(heap), &route), PAY_OK);
    cr_assert_eq(pay_route_chances(&route, chances), 1);

    for (i = 0; i < PSPS; i++) {
        cr_expect_eq(chances[i], 12500);
    }
}


Test(pay_explore, an_open_circuit_or_a_full_psp_is_never_drawn)
{
    unsigned  sum, count[PSPS];

    rule.explore_ppm = 400000;
    healths[0].circuit = PAY_CIRCUIT_OPEN;
    healths[2].in_flight = healths[2].in_flight_max = 3;
    sum = explored(count);

    cr_expect(WITHIN(sum, 400000), "%u", sum);
    cr_expect_eq(count[0] + count[2], 0);
    cr_expect_gt(count[1], 0);
    cr_expect_gt(count[3], 0);
}


Test(pay_explore, with_one_psp_left_there_is_nothing_to_explore)
{
    unsigned  i, count[PSPS];

    for (i = 1; i < PSPS; i++) {
        healths[i].circuit = PAY_CIRCUIT_OPEN;
    }

    cr_expect_eq(explored(count), 0);
    cr_expect_eq(route.explore.len, 0);
}


/* Another worker, or a repetition of the key: the same checkout draws alike;
 * another seed, merchant or id draws on its own. */
Test(pay_explore, a_checkout_always_draws_alike)
{
    unsigned       n, same = 0, seeds = 0, merchants = 0;
    unsigned char  was[DRAWS];

    rule.explore_ppm = 400000;

    for (n = 0; n < DRAWS; n++) {
        was[n] = (unsigned char) first_of(n);
    }

    for (n = 0; n < DRAWS; n++) {
        query.seed = PAY_STR("0199c0de-ffff-7000-8000-000000000002");
        same += first_of(n) == was[n];
    }

    rule.explore_seed = PAY_STR("43");

    for (n = 0; n < DRAWS; n++) {
        seeds += first_of(n) == was[n];
    }

    rule.explore_seed = PAY_STR("42");
    merchant.id = PAY_STR("globex");

    for (n = 0; n < DRAWS; n++) {
        merchants += first_of(n) == was[n];
    }

    cr_expect_eq(same, DRAWS);
    cr_expect_lt(seeds, DRAWS * 7 / 10);
    cr_expect_lt(merchants, DRAWS * 7 / 10);
}


/* The parts of the draw cannot run into each other. */
Test(pay_explore, names_that_read_alike_draw_apart)
{
    unsigned       n, differ = 0;
    char           id[16], longer[16];
    pay_route_t    a, b;

    rule.explore_ppm = 500000;

    for (n = 0; n < 200; n++) {
        snprintf(id, sizeof(id), "%u", n);
        snprintf(longer, sizeof(longer), "1%u", n);
        rule.explore_seed = PAY_STR("");

        merchant.id = PAY_STR("m1");
        query.checkout_id = pay_str_of(id);
        cr_assert_eq(route_in(pay_heap_arena(heap), &a), PAY_OK);
        merchant.id = PAY_STR("m");
        query.checkout_id = pay_str_of(longer);
        cr_assert_eq(route_in(pay_heap_arena(heap), &b), PAY_OK);
        differ += a.explored != b.explored;
    }

    cr_expect_gt(differ, 50);
}


Test(pay_explore, the_timeline_says_it_with_its_share)
{
    find(2);
    cr_expect_str_eq(text_of(route.reason), "rule 1 by score: a 1000, b 800, "
                     "c 600, d 400; explored 5%: c");
    cr_expect_str_eq(text_of(route.explore), "{\"share\":50000,\"drawn\":\"c\","
                     "\"chance\":242840,\"scores\":{\"a\":1000,\"b\":800,"
                     "\"c\":600,\"d\":400}}");
}


/* Chances are kept for those that did not explore, too: they say which PSPs
 * could be called, and how good they were. */
Test(pay_explore, a_checkout_that_does_not_explore_keeps_the_scores)
{
    cr_assert_eq(route_in(pay_heap_arena(heap), &route), PAY_OK);
    cr_assert_eq(route.explored, 0);
    cr_expect_str_eq(text_of(route.explore), "{\"share\":50000,\"scores\":"
                     "{\"a\":1000,\"b\":800,\"c\":600,\"d\":400}}");
}


Test(pay_explore, shares_are_written_as_the_directive_has_them)
{
    unsigned                i;
    static const struct {
        unsigned     ppm;
        const char  *text;
    }                       shares[] = {
        { 100000, "10%" }, { 12500, "1.25%" }, { 100, "0.01%" },
        { 123456, "12.3456%" }, { 500000, "50%" }, { 30500, "3.05%" }
    };

    for (i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        rule.explore_ppm = shares[i].ppm;
        rule.floor_ppm = 1;
        find(0);
        cr_expect_neq(strstr(text_of(route.reason), shares[i].text), NULL,
                      "%s", text_of(route.reason));
    }
}


/* Fail-over goes by score behind the PSP that was drawn. */
Test(pay_explore, the_others_stay_by_score)
{
    find(2);
    cr_expect_eq(route.count, PSPS);
    cr_expect_eq(route.psps[0]->index, 2);
    cr_expect_eq(route.psps[1]->index, 0);
    cr_expect_eq(route.psps[2]->index, 1);
    cr_expect_eq(route.psps[3]->index, 3);
    cr_expect_eq(route.ranks[0], 600);
    cr_expect_eq(route.ranks[1], 1000);
}


static pay_status_t
torture_route(pay_arena_t *arena, void *result)
{
    pay_route_t  found;

    PAY_TRY(route_in(arena, &found));
    memcpy(result, &found, sizeof(found));

    return PAY_OK;
}


Test(pay_explore, survives_every_failed_allocation)
{
    find(2);
    cr_expect_gt(torture(torture_route, sizeof(pay_route_t)), 5);
}


/* One hour of DRAWS checkouts within one window of an hour.  a is good in nine
 * calls of ten; b was good in twelve of twenty, and is good in all since then.
 * How many of the last thousand checkouts begin at b. */
static unsigned
last_at_b(void)
{
    unsigned             n, i, first, count = 0, calls[PSPS] = { 0 };
    int64_t              now_ms = 7200000;
    pay_breaker_t        breakers[PSPS];
    pay_breaker_conf_t   conf = { .window_ms = 3600000 };

    memset(breakers, 0, sizeof(breakers));
    merchant.psp_count = 2;

    for (n = 0; n < 20; n++) {
        pay_breaker_record(&breakers[0], &conf, now_ms, n % 10 != 0, 100);
        pay_breaker_record(&breakers[1], &conf, now_ms, n % 5 < 3, 100);
    }

    for (n = 0; n < DRAWS; n++) {
        now_ms += 3000000 / DRAWS;

        for (i = 0; i < 2; i++) {
            pay_breaker_read(&breakers[i], &conf, now_ms, &healths[i]);
        }

        first = first_of(n);
        calls[first]++;
        pay_breaker_record(&breakers[first], &conf, now_ms,
                           first == 1 || calls[0] % 10 != 0, 100);
        count += first == 1 && n >= DRAWS - 1000;
    }

    return count;
}


Test(pay_explore, without_exploring_a_psp_that_got_better_is_not_found)
{
    rule.explore_ppm = 0;
    cr_expect_eq(last_at_b(), 0);
}


/* All but the share go to b, which costs b's own exploring share nothing. */
Test(pay_explore, with_exploring_a_psp_that_got_better_takes_over)
{
    unsigned  i, count;
    char      seed[8];

    for (i = 0; i < 5; i++) {
        snprintf(seed, sizeof(seed), "%u", i);
        rule.explore_seed = pay_str_of(seed);
        count = last_at_b();
        cr_expect_gt(count, 930, "seed %u: %u", i, count);
    }
}
