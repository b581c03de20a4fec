/*
 * How routes sort: a draw by weight, or a score out of success rate, cost,
 * latency and load.  Integers only, no clock, no chance: a draw is a function
 * of the checkout's UUID, so that each attempt at it comes out alike.
 */

#include "flow_route.h"


#define PPM  INT64_C(1000000)


static unsigned draw(const choice_t *choice);
static uint64_t hash(pay_str_t seed);
static int64_t cost_of(const pay_psp_conf_t *psp, int64_t amount);
static uint64_t spared(uint64_t part, uint64_t whole);
static uint64_t score_of(const candidate_t *candidate,
    const pay_route_weights_t *weights, int64_t dearest, unsigned slowest);
static void sort(choice_t *choice, unsigned from);


/* Only the first place is drawn: it is where the shares of the directive are
 * to be met.  The others are for fail-over and follow by weight. */
void
pay_route_by_weight(choice_t *choice, const pay_route_weights_t *weights)
{
    unsigned     i;
    candidate_t  drawn;

    (void) weights;

    i = draw(choice);
    drawn = choice->list[i];

    for ( /* void */ ; i > 0; i--) {
        choice->list[i] = choice->list[i - 1];
    }

    choice->list[0] = drawn;

    sort(choice, 1);
}


/* Cost and latency are judged relative to the worst candidate, so that the
 * shares of payments_score need no unit. */
void
pay_route_by_score(choice_t *choice, const pay_route_weights_t *weights)
{
    int64_t       dearest = 0;
    unsigned      i, slowest = 0;
    candidate_t  *candidate;

    for (i = 0; i < choice->count; i++) {
        candidate = &choice->list[i];
        candidate->cost = cost_of(candidate->psp, choice->query->total_minor);

        if (candidate->cost > dearest) {
            dearest = candidate->cost;
        }

        if (candidate->health.latency_ms > slowest) {
            slowest = candidate->health.latency_ms;
        }
    }

    for (i = 0; i < choice->count; i++) {
        candidate = &choice->list[i];
        candidate->rank = score_of(candidate, weights, dearest, slowest);
    }

    sort(choice, 0);
}


/* The candidate that the seed hits; without any weight the first.  Ranks are
 * at most 1000 each, so the sum cannot overflow. */
static unsigned
draw(const choice_t *choice)
{
    uint64_t  sum, hit;
    unsigned  i;

    for (i = 0, sum = 0; i < choice->count; i++) {
        sum += choice->list[i].rank;
    }

    if (sum == 0) {
        return 0;
    }

    hit = hash(choice->query->seed) % sum;

    for (i = 0; i < choice->count - 1; i++) {
        if (hit < choice->list[i].rank) {
            break;
        }

        hit -= choice->list[i].rank;
    }

    return i;
}


/* FNV-1a; then bits are spread (MurmurHash3's finalizer), because UUIDs of one
 * moment differ in few bytes.  It needs no secrecy: a merchant chooses its PSP
 * anyway. */
static uint64_t
hash(pay_str_t seed)
{
    size_t    i;
    uint64_t  h = UINT64_C(0xcbf29ce484222325);

    for (i = 0; i < seed.len; i++) {
        h = (h ^ seed.data[i]) * UINT64_C(0x100000001b3);
    }

    h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);

    return h ^ (h >> 33);
}


/* In minor units, never negative, at most INT64_MAX.  The rate is in parts per
 * million; a rate of at most 100 % keeps each product within the amount. */
static int64_t
cost_of(const pay_psp_conf_t *psp, int64_t amount)
{
    int64_t  rate = psp->cost_ppm, fixed = psp->cost_fixed_minor, cost;

    amount = amount > 0 ? amount : 0;
    fixed = fixed > 0 ? fixed : 0;
    rate = rate > 0 ? rate : 0;
    rate = rate < PPM ? rate : PPM;

    cost = amount / PPM * rate + amount % PPM * rate / PPM;

    return cost > INT64_MAX - fixed ? INT64_MAX : cost + fixed;
}


/* PAY_ROUTE_FULL when the part is nothing (or there is no whole), 0 when it is
 * all of it.  A whole so large that the product would overflow is divided
 * first, at the cost of a rounding that no score shows. */
static uint64_t
spared(uint64_t part, uint64_t whole)
{
    uint64_t  taken;

    if (whole == 0) {
        return PAY_ROUTE_FULL;
    }

    if (part >= whole) {
        return 0;
    }

    taken = whole > UINT64_MAX / PAY_ROUTE_FULL
            ? part / (whole / PAY_ROUTE_FULL)
            : part * PAY_ROUTE_FULL / whole;

    return taken < PAY_ROUTE_FULL ? PAY_ROUTE_FULL - taken : 0;
}


/* The weighted mean of four marks of 0 to PAY_ROUTE_FULL.  Shares that are all
 * 0 would rank nothing, so they count as equal. */
static uint64_t
score_of(const candidate_t *candidate, const pay_route_weights_t *weights,
    int64_t dearest, unsigned slowest)
{
    uint64_t             sum, shares, success;
    pay_route_weights_t  w = *weights;
    const pay_health_t  *health = &candidate->health;

    success = health->success_permille < PAY_ROUTE_FULL
              ? health->success_permille : PAY_ROUTE_FULL;

    shares = (uint64_t) w.success + w.cost + w.latency + w.load;

    if (shares == 0) {
        w.success = w.cost = w.latency = w.load = 1;
        shares = 4;
    }

    sum = w.success * success;
    sum += w.cost * spared((uint64_t) candidate->cost, (uint64_t) dearest);
    sum += w.latency * spared(health->latency_ms, slowest);
    sum += w.load * spared(health->in_flight, health->in_flight_max);

    return sum / shares;
}


/* Insertion by rank, in falling order; equal ones stay as they stand, which is
 * the sequence of the directive. */
static void
sort(choice_t *choice, unsigned from)
{
    unsigned     i, k;
    candidate_t  moved;

    for (i = from + 1; i < choice->count; i++) {
        moved = choice->list[i];

        for (k = i; k > from && choice->list[k - 1].rank < moved.rank; k--) {
            choice->list[k] = choice->list[k - 1];
        }

        choice->list[k] = moved;
    }
}
