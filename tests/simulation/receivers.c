/*
 * The endpoints of a storefront: what they want and when they fail, their
 * secrets, and their ends.  Their owner's requests come to PostgreSQL at once
 * and whole: the API has tests of its own.
 */

#include <stdio.h>

#include "pay_endpoint.h"
#include "receivers.h"


#define DOWN_MAX  (30 * SIM_HOUR)      /* of a receiver */


static void plan_faults(sim_t *sim);
static void plan_endpoint(sim_t *sim, unsigned i);
static void store(sim_t *sim, sim_endpoint_t *endpoint);
static void plan_down(sim_t *sim, sim_endpoint_t *endpoint);
static void plan_owner(sim_t *sim, sim_endpoint_t *endpoint);
static const char *new_signer(sim_t *sim, sim_endpoint_t *endpoint);
static void rotate(sim_t *sim, void *data);
static void learn(sim_t *sim, void *data);
static void test(sim_t *sim, void *data);
static void disable(sim_t *sim, void *data);
static void enable(sim_t *sim, void *data);
static void change(sim_t *sim, const sim_endpoint_t *endpoint,
    const char *act, const char *sealed, int64_t overlap_s);


static const char  change_call[] =
    "SELECT c.outcome FROM pay_api.change_endpoint(ARRAY[$1], ARRAY[$2], "
    "ARRAY[$3], ARRAY[$4::text::bytea], ARRAY['k1'], "
    "ARRAY[$5::text::bigint], ARRAY['sue']) c";

static const sim_types_t  types[] = {
    { "[]", { NULL } },
    { "[]", { NULL } },
    { "[\"payment.*\"]", { "payment." } },
    { "[\"payment.succeeded\", \"checkout.completed\"]",
      { "payment.succeeded", "checkout.completed" } },
    { "[\"refund.*\", \"endpoint.*\"]", { "refund.", "endpoint." } }
};


int
sim_has_receivers(const sim_t *sim)
{
    return sim->receivers_in != 0 && !sim_has_cells(sim)
           && sim->scenario % sim->receivers_in == 1 % sim->receivers_in;
}


/* Its own database could not tell this scenario from the ones before: rows that
 * they have left would be published among its own, and the place of a row on
 * its page decides between endpoints that are due at one time. */
void
sim_receivers_plan(sim_t *sim)
{
    unsigned          i;
    sim_stream_t      before = sim_stream(sim, SIM_STREAM_RECEIVERS);
    sim_receivers_t  *receivers = sim_alloc(sim, sizeof(sim_receivers_t));

    sim_db_clock(sim->db, sim->now);
    (void) sim_db_ask(sim->db, "DO $$ BEGIN WHILE (SELECT p.outcome = 'again' "
        "FROM pay_api.publish_events(ARRAY['sim'], ARRAY[10000::bigint]) p) "
        "LOOP END LOOP; TRUNCATE pay.webhook_attempt, pay.webhook_delivery, "
        "pay.webhook_secret, pay.webhook_endpoint, pay.webhook_outbox, "
        "pay.message_reader, pay.outbox; END $$; SELECT", 0);

    if (pay_keyring_read(PAY_STR("k1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
                                 "Hh8=\n"), &receivers->ring, NULL)
        != PAY_OK)
    {
        sim_die("no keyring");
    }

    sim->receivers = receivers;
    sim->env.keyring = sim->env.keyring ? sim->env.keyring : &receivers->ring;
    sim->figures.receivers++;
    sim_db_seed(sim->db, sim_random(sim));
    receivers->deliver_at = INT64_MAX;
    plan_faults(sim);
    receivers->count = 1 + (unsigned) sim_below(sim, SIM_ENDPOINTS);

    for (i = 0; i < receivers->count; i++) {
        plan_endpoint(sim, i);
    }

    sim_reader_plan(sim);
    (void) sim_stream(sim, before);
}


/* In the others, payments take the course that they have without receivers. */
static void
plan_faults(sim_t *sim)
{
    sim_receivers_t  *receivers = sim->receivers;

    receivers->dies = sim->scenario / sim->receivers_in % 2 == 0 ? 0
                      : (unsigned) sim_below(sim, 80);
    receivers->holds = sim_chance(sim, 300) ? 0
                       : (unsigned) sim_below(sim, 200);
    receivers->tears = sim_chance(sim, 500) ? 0
                       : (unsigned) sim_below(sim, 200);
}


static void
plan_endpoint(sim_t *sim, unsigned i)
{
    sim_endpoint_t  *endpoint = &sim->receivers->endpoints[i];

    endpoint->id = sim_format(sim, "ep%" PRIu64 "-%u", sim->scenario, i);
    endpoint->url = sim_format(sim, "https://hook%u.shop.example/%" PRIu64, i,
                               sim->scenario);
    endpoint->types = &types[sim_below(sim, sizeof(types)
                                            / sizeof(types[0]))];
    endpoint->is_ordered = sim_chance(sim, 400);
    endpoint->scheme = sim_chance(sim, 300) ? PAY_ENDPOINT_V1A
                                            : PAY_ENDPOINT_V1;
    store(sim, endpoint);
    plan_down(sim, endpoint);
    plan_owner(sim, endpoint);
}


static void
store(sim_t *sim, sim_endpoint_t *endpoint)
{
    (void) sim_db_ask(sim->db, "SELECT s.outcome FROM pay_api.store_endpoint("
        "ARRAY[$1], ARRAY[$2], ARRAY[$3], ARRAY[$4::text::jsonb], ARRAY[$5], "
        "ARRAY[$6::text::bigint], ARRAY[$7::text::bytea], ARRAY['k1'], "
        "ARRAY['sue']) s", 7, sim_text(sim, sim->merchant.id),
        sim_text(sim, endpoint->id), sim_text(sim, endpoint->url),
        endpoint->types->json,
        pay_endpoint_scheme_name((pay_endpoint_scheme_t) endpoint->scheme),
        endpoint->is_ordered ? "1" : "0", new_signer(sim, endpoint));

    if (strcmp(sim_db_cell(sim->db, 0, 0), "stored") != 0) {
        sim_die("an endpoint is %s", sim_db_cell(sim->db, 0, 0));
    }
}


/* 410 is for ever. */
static void
plan_down(sim_t *sim, sim_endpoint_t *endpoint)
{
    int64_t  longest, length = sim->heal_at - sim->now;

    if (sim_chance(sim, 500)) {
        return;
    }

    longest = sim_chance(sim, 500) ? 10 * SIM_MIN
              : sim_chance(sim, 700) ? 4 * SIM_HOUR : DOWN_MAX;
    endpoint->down = sim_chance(sim, 150) ? SIM_DOWN_GONE
                     : (sim_down_t) sim_below(sim, SIM_DOWN_GONE);
    endpoint->down_from = sim->now + sim_between(sim, 0, length);
    endpoint->down_until = endpoint->down == SIM_DOWN_GONE ? INT64_MAX
                           : endpoint->down_from
                             + sim_between(sim, SIM_S, longest);
}


static void
plan_owner(sim_t *sim, sim_endpoint_t *endpoint)
{
    int64_t  at, length = sim->heal_at - sim->now;

    if (sim_chance(sim, 500)) {
        sim_after(sim, sim_between(sim, 0, length), rotate, endpoint);
    }

    if (sim_chance(sim, 200)) {
        sim_after(sim, sim_between(sim, 0, length), rotate, endpoint);
    }

    if (sim_chance(sim, 200)) {
        sim_after(sim, sim_between(sim, 0, length), test, endpoint);
    }

    if (endpoint->down != SIM_DOWN_GONE && sim_chance(sim, 200)) {
        at = sim_between(sim, 0, length);
        sim_after(sim, at, disable, endpoint);

        if (sim_chance(sim, 500)) {
            sim_after(sim, at + sim_between(sim, 0, SIM_HOUR), enable,
                      endpoint);
        }
    }
}


sim_endpoint_t *
sim_endpoint_find(sim_t *sim, pay_str_t url)
{
    unsigned  i;

    for (i = 0; i < sim->receivers->count; i++) {
        if (pay_str_eq(sim->receivers->endpoints[i].url, url)) {
            return &sim->receivers->endpoints[i];
        }
    }

    sim_die("there is no endpoint %.*s", pay_fmt(url));
}


int
sim_endpoint_wants(const sim_endpoint_t *endpoint, pay_str_t type)
{
    unsigned     i;
    const char  *pattern;

    if (endpoint->types->patterns[0] == NULL) {
        return 1;
    }

    for (i = 0; i < SIM_PATTERNS; i++) {
        pattern = endpoint->types->patterns[i];

        if (pattern != NULL
            && (pattern[strlen(pattern) - 1] == '.'
                ? sim_find(type, pattern) == (const char *) type.data
                : pay_str_is(type, pattern)))
        {
            return 1;
        }
    }

    return 0;
}


/* The secret, sealed as PostgreSQL takes it. */
static const char *
new_signer(sim_t *sim, sim_endpoint_t *endpoint)
{
    char           *hex;
    size_t          i;
    pay_str_t       sealed;
    sim_signer_t   *signer = &endpoint->signers[endpoint->signer_count++];
    unsigned char   entropy[PAY_ENDPOINT_ENTROPY];

    for (i = 0; i < sizeof(entropy); i++) {
        entropy[i] = (unsigned char) sim_random(sim);
    }

    signer->made_at = sim->now;
    signer->until = INT64_MAX;

    if (pay_secret_set(&signer->secret,
                       (pay_str_t) { PAY_ENDPOINT_SECRET,
                                     &entropy[PAY_KEYRING_NONCE] }) != PAY_OK
        || pay_endpoint_seal(pay_heap_arena(sim->heap),
                             &sim->receivers->ring, sim->merchant.id,
                             endpoint->id, entropy, &sealed) != PAY_OK)
    {
        sim_die("a secret cannot be sealed");
    }

    hex = sim_alloc(sim, 2 * sealed.len + 3);
    hex[0] = '\\';
    hex[1] = 'x';

    for (i = 0; i < sealed.len; i++) {
        (void) snprintf(&hex[2 + 2 * i], 3, "%02x", sealed.data[i]);
    }

    return hex;
}


/* Two secrets sign for a time, in which the receiver takes to the new one. */
static void
rotate(sim_t *sim, void *data)
{
    int64_t          overlap;
    unsigned         i;
    sim_endpoint_t  *endpoint = data;

    static const int64_t  overlaps[] = { 0, 60 * SIM_S, 600 * SIM_S, SIM_HOUR };

    overlap = overlaps[sim_below(sim, sizeof(overlaps)
                                      / sizeof(overlaps[0]))];

    for (i = 0; i < endpoint->signer_count; i++) {
        if (endpoint->signers[i].until > sim->now + overlap) {
            endpoint->signers[i].until = sim->now + overlap;
        }
    }

    sim_say(sim, "the secret of %.*s is another one", pay_fmt(endpoint->id));
    change(sim, endpoint, "rotate", new_signer(sim, endpoint),
           overlap / SIM_S);
    sim_after(sim, sim_between(sim, 0, overlap), learn, endpoint);
}


static void
learn(sim_t *sim, void *data)
{
    sim_endpoint_t  *endpoint = data;

    (void) sim;
    endpoint->known = endpoint->signer_count - 1;
}


static void
test(sim_t *sim, void *data)
{
    sim_endpoint_t  *endpoint = data;

    if (endpoint->disabled_at == 0) {
        change(sim, endpoint, "test", NULL, 0);
        sim->receivers->tests++;
    }
}


static void
disable(sim_t *sim, void *data)
{
    sim_endpoint_t  *endpoint = data;

    if (endpoint->disabled_at == 0) {
        sim_say(sim, "%.*s is disabled", pay_fmt(endpoint->id));
        change(sim, endpoint, "disable", NULL, 0);
        endpoint->disabled_at = sim->now;
        sim->receivers->ends++;
    }
}


/* Whatever it has missed comes again. */
static void
enable(sim_t *sim, void *data)
{
    sim_endpoint_t  *endpoint = data;

    sim_say(sim, "%.*s is enabled", pay_fmt(endpoint->id));
    change(sim, endpoint, "enable", NULL, 0);
    (void) sim_db_ask(sim->db, "SELECT r.outcome FROM "
        "pay_api.replay_deliveries(ARRAY[$1], ARRAY[$2], ARRAY[NULL::text], "
        "ARRAY[0::bigint], ARRAY[NULL::bigint], ARRAY[0::bigint]) r", 2,
        sim_text(sim, sim->merchant.id), sim_text(sim, endpoint->id));
    endpoint->disabled_at = 0;
    endpoint->was_replayed = 1;
    sim_deliver_soon(sim, sim->now);
}


static void
change(sim_t *sim, const sim_endpoint_t *endpoint, const char *act,
    const char *sealed, int64_t overlap_s)
{
    sim_db_clock(sim->db, sim->now + sim->db_off);
    (void) sim_db_ask(sim->db, change_call, 5,
        sim_text(sim, sim->merchant.id), sim_text(sim, endpoint->id), act,
        sealed,
        (const char *) sim_format(sim, "%" PRId64, overlap_s).data);

    if (strcmp(sim_db_cell(sim->db, 0, 0), "stored") != 0) {
        sim_violation(sim, "I10: to %s %.*s is %s", act,
                      pay_fmt(endpoint->id), sim_db_cell(sim->db, 0, 0));
    }

    sim_publish_soon(sim);
}


void
sim_receivers_end(sim_t *sim)
{
    (void) sim_db_ask(sim->db, "UPDATE pay.webhook_endpoint SET state = "
        "'disabled', reason = 'operator' WHERE merchant_id = $1 AND state = "
        "'enabled' RETURNING endpoint_id", 1,
        sim_text(sim, sim->merchant.id));
}
