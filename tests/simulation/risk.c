/*
 * Risk: what a scenario's merchant looks at, who buys there, the memory of the
 * hosts that workers count in, and reviewers.
 */

#include <limits.h>

#include "risk.h"


#define MEMORY    65536          /* bytes: nothing is evicted */
#define WORDS     16
#define EMAILS    3
#define IPS       4
#define BUYERS    3
#define DEVICES   2
#define REVIEWS   4
#define REJECTS   100            /* as many, so that some meet a capture */
#define NO_HOST   UINT_MAX       /* of attempts that a restart has wiped */


static void plan_rules(sim_t *sim, sim_risk_t *risk);
static void plan_rule(sim_t *sim, sim_risk_t *risk, sim_rule_t n);
static void plan_velocities(sim_t *sim, sim_risk_t *risk);
static sim_term_t draw(sim_t *sim, pay_risk_action_t then, int64_t limit);
static void plan_memory(sim_t *sim, sim_risk_t *risk);
static void host_restarts(sim_t *sim, void *data);
static unsigned host_of(const sim_risk_t *risk, unsigned worker);
static void add_entry(sim_t *sim, sim_list_t list, const char *kind,
    const char *value);
static const sim_post_t *post_of(sim_t *sim, pay_str_t checkout_id);
static void count(sim_t *sim, sim_look_t *look, pay_risk_count_t *item);
static int64_t newest(const sim_risk_t *risk, const sim_attempt_t *attempt);
static void review(sim_t *sim, void *unused);


static const struct {
    const char         *words;
    pay_risk_action_t   then;
} rules[SIM_RULES] = {
    [SIM_RULE_LARGE] = { NULL, PAY_RISK_REVIEW },
    [SIM_RULE_BAD] = { "email_domain=bad.example", PAY_RISK_BLOCK },
    [SIM_RULE_NOBODY] = { "buyer=missing", PAY_RISK_CHALLENGE },
    [SIM_RULE_OURS] = { "device=till", PAY_RISK_ALLOW }
};

static const struct {
    const char         *name;
    pay_risk_key_t      key;
    pay_risk_of_t       of;
    int64_t             window_s;
    pay_risk_action_t   then;
} velocities[SIM_WINDOWS] = {
    [SIM_BY_IP] = { "ip", PAY_RISK_BY_ip, PAY_RISK_ATTEMPTS, 600,
                    PAY_RISK_BLOCK },
    [SIM_BY_SHOP] = { "shop", PAY_RISK_BY_merchant, PAY_RISK_ATTEMPTS, 3600,
                      PAY_RISK_REVIEW },
    [SIM_BY_EMAIL] = { "email", PAY_RISK_BY_email, PAY_RISK_ATTEMPTS, 86400,
                       PAY_RISK_BLOCK },
    [SIM_BY_SUM] = { "sum", PAY_RISK_BY_buyer, PAY_RISK_SUM, 7200,
                     PAY_RISK_REVIEW },
    [SIM_BY_DECLINES] = { "declines", PAY_RISK_BY_device, PAY_RISK_DECLINES,
                          86400, PAY_RISK_CHALLENGE },
    [SIM_BY_CARD] = { "card", PAY_RISK_BY_card, PAY_RISK_ATTEMPTS, 86400,
                      PAY_RISK_BLOCK },
    [SIM_F_IP] = { .name = "feature ip", .window_s = 600 },
    [SIM_F_EMAIL] = { .name = "feature email", .window_s = 3600 },
    [SIM_F_BUYER] = { .name = "feature buyer", .window_s = 3600 },
    [SIM_F_DEVICE] = { .name = "feature device", .window_s = 3600 }
};

/* Rows: one value in the writings of several storefronts. */
static const char  *const emails[EMAILS][2] = {
    { "ada@shop.example", "ADA@Shop.Example" },
    { "bob@shop.example", "Bob@shop.example" },
    { "eve@bad.example", "eve@BAD.example" }
};
static const char  *const ips[IPS][2] = {
    { "192.0.2.7", "192.0.2.7" }, { "192.0.2.200", "192.0.2.200" },
    { "198.51.100.1", "198.51.100.1" },
    { "2001:db8::1", "2001:DB8:0::ffff:1" }
};
static const char  *const buyers[BUYERS] = { "", "buyer-1", "buyer-2" };
static const char  *const devices[DEVICES] = { "phone", "till" };


/* Not by chance: the others depend on no draw. */
int
sim_has_risk(const sim_t *sim)
{
    return sim->risks_in != 0 && !sim_has_cells(sim)
           && sim->scenario / 3 % sim->risks_in == 1 % sim->risks_in;
}


void
sim_risk_plan(sim_t *sim)
{
    unsigned        i, reviews;
    sim_risk_t     *risk = sim_alloc(sim, sizeof(sim_risk_t));
    pay_keyring_t   ring = { .count = 2 };

    for (i = 0; i < ring.count; i++) {
        memset(ring.keys[i].bytes, (int) i + 1, PAY_KEYRING_KEY);
    }

    if (pay_risk_keys(&ring, &risk->conf) != PAY_OK) {
        sim_die("no keys for risk");
    }

    memcpy(risk->conf.version, "51", 3);
    risk->conf.rules = risk->rules;
    risk->conf.velocities = risk->velocities;
    risk->conf.is_shadow = sim_chance(sim, 60);
    sim->risk = risk;
    sim->figures.risks++;
    sim->env.risk = &risk->conf;
    plan_rules(sim, risk);
    plan_velocities(sim, risk);
    sim_cards_plan(sim);

    for (i = 0; i < SIM_LISTS; i++) {
        risk->list[i] = draw(sim, i == SIM_LIST_EMAIL ? PAY_RISK_BLOCK
                                  : i == SIM_LIST_BUYER ? PAY_RISK_ALLOW
                                  : PAY_RISK_REVIEW, 0);
        risk->list[i].is_there = sim_chance(sim, 250);
        risk->list[i].is_shadow = risk->conf.is_shadow;
    }

    plan_memory(sim, risk);
    sim_provider_plan(sim);
    sim_score_plan(sim);

    reviews = sim_steered(sim, SIM_STEER_REJECTS) ? REJECTS : REVIEWS;

    for (i = 0; i < reviews; i++) {
        sim_after(sim, sim_between(sim, SIM_MIN, sim->heal_at - sim->now),
                  review, NULL);
    }

    /* so that what was held is paid out */
    sim_at(sim, sim->heal_at + 5 * SIM_MIN, review, NULL);
    sim_at(sim, sim->heal_at + 30 * SIM_MIN, review, NULL);
}


static void
plan_rules(sim_t *sim, sim_risk_t *risk)
{
    unsigned  i;

    for (i = 0; i < SIM_RULES; i++) {
        risk->rule[i] = draw(sim, rules[i].then,
                             sim_between(sim, 20000, 150000));

        if (risk->rule[i].is_there) {
            plan_rule(sim, risk, (sim_rule_t) i);
        }
    }
}


static void
plan_rule(sim_t *sim, sim_risk_t *risk, sim_rule_t n)
{
    pay_err_t          err;
    pay_str_t          words[2] = { pay_string("if") };
    const sim_term_t  *term = &risk->rule[n];
    pay_risk_rule_t   *rule = &risk->rules[risk->conf.rule_count++];

    words[1] = rules[n].words != NULL ? pay_str_of(rules[n].words)
               : sim_format(sim, "amount>%d.%02dEUR",
                            (int) (term->limit / 100),
                            (int) (term->limit % 100));

    if (pay_risk_rule_read(pay_heap_arena(sim->heap), words, 2, rule, &err)
        != PAY_OK)
    {
        sim_die("no rule %u: %s", (unsigned) n, err.detail);
    }

    rule->name = sim_format(sim, "rule%u", (unsigned) n);
    rule->then = term->then;
    rule->is_shadow = term->is_shadow;
}


static void
plan_velocities(sim_t *sim, sim_risk_t *risk)
{
    unsigned              i;
    const sim_term_t     *term;
    pay_risk_velocity_t  *velocity;

    for (i = 0; i < SIM_VELOCITIES; i++) {
        risk->velocity[i] = draw(sim, velocities[i].then,
            i == SIM_BY_SUM ? sim_between(sim, 50000, 200000)
            : i == SIM_BY_SHOP ? sim_between(sim, 2, 6)
            : sim_between(sim, 0, 2));
        term = &risk->velocity[i];

        if (!term->is_there) {
            continue;
        }

        /* it is too late for 3-D Secure */
        if (i == SIM_BY_CARD && term->then == PAY_RISK_CHALLENGE) {
            risk->velocity[i].then = PAY_RISK_REVIEW;
        }

        velocity = &risk->velocities[risk->conf.velocity_count++];
        *velocity = (pay_risk_velocity_t) {
            .name = pay_str_of(velocities[i].name), .key = velocities[i].key,
            .of = velocities[i].of, .window_s = velocities[i].window_s,
            .limit = term->limit, .then = term->then,
            .is_shadow = term->is_shadow
        };

        if (velocity->of == PAY_RISK_SUM
            && pay_currency_find(PAY_STR("EUR"), &velocity->currency, NULL)
               != PAY_OK)
        {
            sim_die("no currency");
        }
    }
}


static sim_term_t
draw(sim_t *sim, pay_risk_action_t then, int64_t limit)
{
    sim_term_t  term = { .then = then, .limit = limit };

    term.is_there = sim_chance(sim, 500);
    term.is_shadow = sim_chance(sim, 100);

    if (then == PAY_RISK_BLOCK && sim_chance(sim, 300)) {
        term.then = sim_chance(sim, 500) ? PAY_RISK_REVIEW
                                         : PAY_RISK_CHALLENGE;
    }

    if (sim_steered(sim, SIM_STEER_REJECTS)) {
        term.is_there = then == PAY_RISK_REVIEW;
        term.is_shadow = 0;
    }

    return term;
}


static void
plan_memory(sim_t *sim, sim_risk_t *risk)
{
    unsigned  i;

    risk->hosts = sim_chance(sim, 300) ? SIM_HOSTS : 1;

    for (i = 0; i < risk->hosts; i++) {
        risk->memory[i] = sim_alloc(sim, MEMORY);
        risk->tables[i] = pay_risk_table(risk->memory[i], MEMORY);

        if (sim_chance(sim, 200)) {
            sim_after(sim, sim_between(sim, 0, 5 * SIM_MIN), host_restarts,
                      &risk->memory[i]);
        }
    }
}


/* Its workers are gone, and so is all that was counted in memory: the time of
 * those attempts is forgotten, too. */
static void
host_restarts(sim_t *sim, void *data)
{
    void           **memory = data;
    unsigned         i;
    sim_risk_t      *risk = sim->risk;
    sim_attempt_t   *attempt;
    const unsigned   host = (unsigned) (memory - risk->memory);

    if (sim->healed) {
        return;
    }

    sim_say(sim, "host %u restarts", host);
    risk->tables[host] = pay_risk_table(risk->memory[host], MEMORY);

    for (i = 0; i < SIM_WORKERS; i++) {
        if (host_of(risk, i) == host) {
            sim_worker_kill(sim, &sim->workers[i]);
        }
    }

    for (attempt = risk->attempts; attempt; attempt = attempt->next) {
        if (attempt->host == host) {
            attempt->host = NO_HOST;
        }
    }
}


static unsigned
host_of(const sim_risk_t *risk, unsigned worker)
{
    return worker % risk->hosts;
}


/* Entries of the lists, once PostgreSQL's clock is set. */
void
sim_risk_lists(sim_t *sim)
{
    pay_str_t  kept;

    static const struct {
        const char  *kind, *value;
    } entries[SIM_LISTS] = {
        [SIM_LIST_EMAIL] = { "email", "Ada@shop.example" },
        [SIM_LIST_NETWORK] = { "ip", "192.0.2.0/24" },
        [SIM_LIST_BUYER] = { "buyer", "buyer-2" }
    };

    unsigned  i;

    for (i = 0; sim->risk != NULL && i < SIM_LISTS; i++) {
        if (!sim->risk->list[i].is_there) {
            continue;
        }

        /* by the second key: the first was exchanged since */
        if (pay_risk_list_value(pay_heap_arena(sim->heap), &sim->risk->conf,
                                sim->scenario % 2,
                                pay_str_of(entries[i].kind),
                                pay_str_of(entries[i].value), &kept)
            != PAY_OK)
        {
            sim_die("no entry of a list");
        }

        add_entry(sim, (sim_list_t) i, entries[i].kind, sim_text(sim, kept));
    }
}


static void
add_entry(sim_t *sim, sim_list_t list, const char *kind, const char *value)
{
    (void) sim_db_ask(sim->db, "SELECT pay_ops.risk_list_add($1, $2, $3, $4, "
        "NULL, 'sim', 'test')", 4, sim_text(sim, sim->merchant.id),
        pay_risk_action_name(sim->risk->list[list].then), kind, value);

    if (strcmp(sim_db_cell(sim->db, 0, 0), "added") != 0) {
        sim_die("an entry is %s", sim_db_cell(sim->db, 0, 0));
    }
}


/* Members of buyer_info. */
pay_str_t
sim_risk_buyer(sim_t *sim, sim_post_t *post)
{
    pay_str_t      id = PAY_STR("");
    sim_person_t  *person;

    if (post->looked == NULL) {
        post->looked = sim_alloc(sim, sizeof(*post->looked));
        person = &post->looked->person;
        person->email = (unsigned) sim_below(sim, EMAILS);
        person->ip = (unsigned) sim_below(sim, IPS);
        person->buyer = (unsigned) sim_below(sim, BUYERS);
        person->device = sim_chance(sim, 150);
    }

    person = &post->looked->person;

    if (person->buyer != 0) {
        id = sim_format(sim, ",\"id\":\"%s\"", buyers[person->buyer]);
    }

    return sim_format(sim, "\"email\":\"%s\",\"ip\":\"%s\",\"device\":\"%s\""
                      "%.*s", emails[person->email][post->number % 2],
                      ips[person->ip][post->number % 2],
                      devices[person->device], pay_fmt(id));
}


int64_t
sim_risk_window_s(sim_velocity_t velocity)
{
    return velocities[velocity].window_s;
}


unsigned
sim_risk_value(sim_velocity_t velocity, const sim_person_t *person)
{
    switch (velocity) {

    case SIM_BY_IP:
    case SIM_F_IP:
        return person->ip;

    case SIM_BY_EMAIL:
    case SIM_F_EMAIL:
        return person->email;

    case SIM_BY_SUM:
    case SIM_F_BUYER:
        return person->buyer;

    case SIM_BY_DECLINES:
    case SIM_F_DEVICE:
        return person->device;

    default:
        return 0;
    }
}


/* PAY_DO_COUNT */
void
sim_risk_count(sim_flow_t *flow)
{
    sim_t              *sim = flow->sim;
    unsigned            i;
    sim_look_t         *look = sim_alloc(sim, sizeof(sim_look_t));
    pay_input_t         input = { .kind = PAY_INPUT_COUNTED };
    pay_risk_counts_t  *counts = flow->effect.counts;

    sim->figures.looked++;
    look->flow = flow;
    look->post = post_of(sim, flow->core.checkout_id);
    look->was_stored = look->post->looked->created != 0;
    look->host = host_of(sim->risk, flow->worker);
    look->counts = counts;
    look->next = sim->risk->looks;
    sim->risk->looks = look;

    for (i = 0; i < counts->count; i++) {
        count(sim, look, &counts->items[i]);
    }

    sim_flow_event(flow, &input);
}


static const sim_post_t *
post_of(sim_t *sim, pay_str_t checkout_id)
{
    const sim_post_t  *post;

    for (post = sim->posts; post != NULL; post = post->next) {
        if (pay_str_eq(post->checkout_id, checkout_id)) {
            return post;
        }
    }

    sim_die("nobody has sent that checkout");
}


static void
count(sim_t *sim, sim_look_t *look, pay_risk_count_t *item)
{
    int64_t         at_s = look->counts->at_s;
    unsigned        n = 0;
    sim_risk_t     *risk = sim->risk;
    sim_attempt_t  *attempt = sim_alloc(sim, sizeof(sim_attempt_t));

    while (!pay_str_is(item->velocity->name, velocities[n].name)) {
        n++;
    }

    attempt->velocity = n;
    attempt->host = look->host;
    attempt->value = sim_risk_value((sim_velocity_t) attempt->velocity,
                                    &look->post->looked->person);
    attempt->at_s = at_s;
    attempt->counts_at_s = newest(risk, attempt);
    attempt->next = risk->attempts;
    risk->attempts = attempt;
    look->attempts[attempt->velocity] = attempt;

    item->count = pay_risk_table_add(risk->tables[look->host], item->key,
                                     item->velocity->window_s, at_s);
    sim_judge_count(sim, attempt, item->count);

    if (n == SIM_F_EMAIL) {
        look->mails = item->count;

    } else if (n < SIM_VELOCITIES && item->count > risk->velocity[n].limit) {
        look->hits |= 1u << n;
    }
}


/* The time of an attempt, or of the newest of its key: clocks differ. */
static int64_t
newest(const sim_risk_t *risk, const sim_attempt_t *attempt)
{
    int64_t               at_s = attempt->at_s;
    const sim_attempt_t  *other;

    for (other = risk->attempts; other != NULL; other = other->next) {
        if (other->velocity == attempt->velocity
            && other->host == attempt->host && other->value == attempt->value
            && other->counts_at_s > at_s)
        {
            at_s = other->counts_at_s;
        }
    }

    return at_s;
}


/* The effect's counts are taken back. */
void
sim_risk_take(sim_flow_t *flow)
{
    int64_t                   part;
    sim_t                    *sim = flow->sim;
    unsigned                  i;
    sim_look_t               *look = sim_risk_look(sim, flow);
    sim_attempt_t            *attempt;
    const pay_risk_counts_t  *counts = flow->effect.uncounts;

    if (look == NULL || look->counts != counts) {
        sim_violation(sim, "risk: what was not counted is taken back");
        return;
    }

    look->takes++;
    sim->figures.taken_back++;

    for (i = 0; i < counts->count; i++) {
        pay_risk_table_take(sim->risk->tables[look->host],
                            counts->items[i].key,
                            counts->items[i].velocity->window_s,
                            counts->at_s);
    }

    for (i = 0; i < SIM_WINDOWS; i++) {
        attempt = look->attempts[i];

        if (attempt != NULL) {
            part = (sim_risk_window_s((sim_velocity_t) i) + 14) / 15;
            sim->risk->inexact += attempt->at_s / part
                                  != attempt->counts_at_s / part;
            attempt->is_over = 1;
        }
    }
}


/* A question before begin_payment that fails has stored nothing. */
void
sim_risk_heard(sim_flow_t *flow, const pay_input_t *input)
{
    int          is_begun = flow->effect.op == PAY_OP_BEGIN_PAYMENT;
    sim_look_t  *look = sim_risk_look(flow->sim, flow);

    if (look == NULL || look->is_heard || flow->effect.kind != PAY_DO_DB
        || (!is_begun && input->kind == PAY_INPUT_ROW))
    {
        return;
    }

    look->is_heard = 1;
    look->outcome = input->kind == PAY_INPUT_ROW ? input->result.outcome
                                                 : PAY_OUTCOME_NONE;
    look->failure = is_begun ? input->db_failure : PAY_DB_ERROR;
}


sim_look_t *
sim_risk_look(sim_t *sim, const sim_flow_t *flow)
{
    sim_look_t  *look = sim->risk->looks;

    while (look != NULL && look->flow != flow) {
        look = look->next;
    }

    return look;
}


/* Reviewers take what is in the queue.  Some are content with all; some reject
 * what is held for a review, of which nothing is captured.  With STEER=rejects
 * they reject all that is captured by calls, while a capture is open. */
static void
review(sim_t *sim, void *unused)
{
    int          i, waits;
    sim_rows_t   found;
    const char  *ids[8], *said, *rejects;

    (void) unused;
    waits = sim_steered(sim, SIM_STEER_REJECTS) && !sim->healed;
    sim_db_clock(sim->db, sim->now + sim->db_off);
    found = sim_db_ask(sim->db, "SELECT r.review_id FROM pay.risk_review r "
        "WHERE r.merchant_id = $1 AND r.state IN ('open', 'escalated') AND "
        "($2 = '0' OR EXISTS (SELECT FROM pay.change x WHERE x.merchant_id = "
        "r.merchant_id AND x.checkout_id = r.checkout_id AND x.kind = "
        "'capture' AND x.status = 'EXECUTING')) ORDER BY 1 LIMIT 8", 2,
        sim_text(sim, sim->merchant.id), waits ? "1" : "0");

    for (i = 0; i < found.rows; i++) {
        ids[i] = sim_text(sim, pay_str_of(sim_db_cell(sim->db, i, 0)));
    }

    for (i = 0; i < found.rows; i++) {
        rejects = sim_chance(sim, 250) ? "held" : "none";

        if (sim_steered(sim, SIM_STEER_REJECTS)) {
            rejects = "manual";
        }

        said = sim_db_operate(sim->db, "SELECT pay_ops.decide_review($1, "
            "act, CASE act WHEN 'approve' THEN 'known_buyer' ELSE "
            "'stolen_card' END, NULL, false, 'rita') FROM (SELECT CASE WHEN "
            "c.capture = 'manual' AND ($2 = 'manual' OR $2 = 'held' AND "
            "r.captures) "
            "THEN 'reject' ELSE 'approve' END FROM pay.risk_review r JOIN "
            "pay.checkout c USING (merchant_id, checkout_id) WHERE "
            "r.review_id = $1::bigint) x (act)", 2, ids[i], rejects);
        sim_say(sim, "people: review %s: %s", ids[i],
                said != NULL ? said : sim_db_error(sim->db));
        sim_judge_review(sim, ids[i]);
    }

    sim->dirty = ~0u;
}
