/*
 * The exploring share of a route by score: a small part of the checkouts begins
 * at a PSP that is drawn instead of the best one, so that the gateway goes on
 * measuring all of them.  The draw is a function of the seed, the merchant and
 * the checkout's id: no clock, no state, so that each attempt comes out alike,
 * in any worker.  The chances are stored with the order, for payctl route
 * replay.
 */

#include "pay_crypto.h"
#include "pay_route.h"
#include "pay_json.h"


#define PPM          1000000u
#define SUFFIX_MAX   160               /* bytes behind the reason */
#define REASON_MAX   (500 + SUFFIX_MAX)
#define EXPLORE_MAX  2048


static unsigned usable(const pay_route_t *route);
static pay_status_t draw(const pay_merchant_t *merchant,
    const pay_route_query_t *query, pay_str_t seed, unsigned *ppm);
static void move_to_front(pay_route_t *route, unsigned i);
static pay_status_t tell(pay_arena_t *arena, pay_route_t *route);
static void add_share(pay_buf_t *buf, unsigned ppm);
static pay_status_t store(pay_arena_t *arena, pay_route_t *route,
    const unsigned *chances, unsigned count, unsigned first);


/* Each PSP that can be called has the floor; the rest of the share goes by
 * score, so that the better one is explored more often.  A floor that is too
 * large for so many PSPs (the directive refuses it) makes all chances equal.
 * The rounding goes to the best. */
int
pay_route_chances(const pay_route_t *route,
    unsigned chances[PAY_ROUTE_PSPS_MAX])
{
    uint64_t                 sum = 0, rest, given = 0;
    unsigned                 i, count = usable(route), floor;
    const pay_route_rule_t  *rule = route->rule;

    if (rule == NULL || rule->by != PAY_ROUTE_SCORE || rule->explore_ppm == 0
        || rule->explore_ppm > PPM || count < 2)
    {
        return 0;
    }

    floor = rule->floor_ppm < rule->explore_ppm / count
            ? rule->floor_ppm : rule->explore_ppm / count;
    rest = rule->explore_ppm - (uint64_t) floor * count;

    for (i = 0; i < count; i++) {
        sum += route->ranks[i];
    }

    for (i = 0; i < PAY_ROUTE_PSPS_MAX; i++) {
        chances[i] = i >= count ? 0 : floor
                     + (unsigned) (sum > 0 ? rest * route->ranks[i] / sum
                                           : rest / count);
        given += chances[i];
    }

    chances[0] += (unsigned) (rule->explore_ppm - given);

    return 1;
}


/* One number decides both whether this checkout explores and where. */
pay_status_t
pay_route_explore(pay_arena_t *arena, const pay_merchant_t *merchant,
    const pay_route_query_t *query, pay_route_t *route)
{
    unsigned  i, hit, chances[PAY_ROUTE_PSPS_MAX], count = usable(route);

    if (!pay_route_chances(route, chances)) {
        return PAY_OK;
    }

    PAY_TRY(draw(merchant, query, route->rule->explore_seed, &hit));

    if (hit >= route->rule->explore_ppm) {
        return store(arena, route, chances, count, PAY_ROUTE_PSPS_MAX);
    }

    for (i = 0; i < count - 1 && hit >= chances[i]; i++) {
        hit -= chances[i];
    }

    PAY_TRY(store(arena, route, chances, count, i));
    move_to_front(route, i);
    route->explored = 1;

    return tell(arena, route);
}


/* Those whose circuit is open or that are full stand behind all others. */
static unsigned
usable(const pay_route_t *route)
{
    unsigned  i;

    for (i = 0; i < route->count && i < PAY_ROUTE_PSPS_MAX; i++) {
        if (route->blocked[i]) {
            break;
        }
    }

    return i;
}


/* Each part ends with a NUL, which none of them can hold, so that no two
 * checkouts make the same bytes.  The remainder's bias is below 1e-12. */
static pay_status_t
draw(const pay_merchant_t *merchant, const pay_route_query_t *query,
    pay_str_t seed, unsigned *ppm)
{
    unsigned       i;
    uint64_t       number = 0;
    pay_str_t      parts[5];
    unsigned char  digest[PAY_SHA256_SIZE];

    parts[0] = seed;
    parts[1] = (pay_str_t) { 1, (const unsigned char *) "" };
    parts[2] = merchant->id;
    parts[3] = parts[1];
    parts[4] = query->checkout_id;

    PAY_TRY(pay_sha256_parts(parts, 5, digest));

    for (i = 0; i < 8; i++) {
        number = number << 8 | digest[i];
    }

    *ppm = (unsigned) (number % PPM);

    return PAY_OK;
}


/* The others stay in their sequence: fail-over goes by score. */
static void
move_to_front(pay_route_t *route, unsigned i)
{
    unsigned               rank = route->ranks[i];
    const pay_psp_conf_t  *psp = route->psps[i];

    for ( /* void */ ; i > 0; i--) {
        route->psps[i] = route->psps[i - 1];
        route->ranks[i] = route->ranks[i - 1];
    }

    route->psps[0] = psp;
    route->ranks[0] = rank;
}


/* "…; explored 5%: dear" */
static pay_status_t
tell(pay_arena_t *arena, pay_route_t *route)
{
    pay_buf_t  buf;

    pay_buf_init(&buf, arena, REASON_MAX);
    pay_buf_add(&buf, route->reason);
    pay_buf_text(&buf, "; explored ");
    add_share(&buf, route->rule->explore_ppm);
    pay_buf_text(&buf, ": ");
    pay_buf_add(&buf, route->psps[0]->name);

    return pay_buf_done(&buf, &route->reason);
}


/* 12500 is 1.25%. */
static void
add_share(pay_buf_t *buf, unsigned ppm)
{
    unsigned       i, n = 0, rest = ppm % 10000;
    unsigned char  digits[5] = { '.', '0', '0', '0', '0' };

    for (i = 4; i > 0; i--) {
        digits[i] = (unsigned char) ('0' + rest % 10);
        rest /= 10;
        n = n == 0 && digits[i] != '0' ? i + 1 : n;
    }

    pay_buf_int(buf, ppm / 10000);
    pay_buf_add(buf, (pay_str_t) { n, digits });
    pay_buf_text(buf, "%");
}


/* {"share":50000,"drawn":"dear","chance":16000,"scores":{"cheap":912,…}}, the
 * chance in parts per million of the share's checkouts. */
static pay_status_t
store(pay_arena_t *arena, pay_route_t *route, const unsigned *chances,
    unsigned count, unsigned first)
{
    unsigned   i;
    uint64_t   share = route->rule->explore_ppm;
    pay_buf_t  buf;

    pay_buf_init(&buf, arena, EXPLORE_MAX);
    pay_buf_text(&buf, "{\"share\":");
    pay_buf_int(&buf, (int64_t) share);

    if (first < count) {
        pay_buf_text(&buf, ",\"drawn\":\"");
        pay_buf_json(&buf, route->psps[first]->name);
        pay_buf_text(&buf, "\",\"chance\":");
        pay_buf_int(&buf, (int64_t) (chances[first] * (uint64_t) PPM / share));
    }

    pay_buf_text(&buf, ",\"scores\":{");

    for (i = 0; i < count; i++) {
        pay_buf_text(&buf, i > 0 ? ",\"" : "\"");
        pay_buf_json(&buf, route->psps[i]->name);
        pay_buf_text(&buf, "\":");
        pay_buf_int(&buf, route->ranks[i]);
    }

    pay_buf_text(&buf, "}}");

    return pay_buf_done(&buf, &route->explore);
}
