/*
 * What must be true of risk: each decision is the model's, there is one for
 * each new checkout and none for anything else, a blocked one is never sent,
 * and all that was counted is a new checkout, once.
 */

#include "risk.h"


static void judge_new(sim_t *sim, const sim_call_t *call);
static sim_post_t *post_of(sim_t *sim, pay_str_t checkout_id);
static int64_t count_in(sim_t *sim, sim_velocity_t velocity, unsigned value,
    int64_t hour, int64_t minor);
static pay_risk_action_t expected(const sim_risk_t *risk,
    const sim_look_t *look, int64_t minor, unsigned windows);
static int is_decided(const sim_risk_t *risk, const sim_look_t *look,
    int64_t minor);
static int in_list(sim_list_t list, const sim_person_t *person);
static int rule_hits(sim_rule_t rule, const sim_term_t *term,
    const sim_person_t *person, int64_t minor);
static void judge_row(sim_t *sim, const sim_post_t *post,
    pay_risk_action_t word, pay_outcome_t outcome);
static void judge_looks(sim_t *sim);
static void judge_decisions(sim_t *sim);
static void judge_counters(sim_t *sim);
static void judge_sums(sim_t *sim, sim_velocity_t velocity, const char *kind);
static void judge_rest(sim_t *sim);
static void judge_blocked(sim_t *sim);


/* In each window there are those of its time that were not taken back, and at
 * most those of a sixteenth part more. */
void
sim_judge_count(sim_t *sim, const sim_attempt_t *attempt, uint32_t count)
{
    int64_t               now_s = attempt->counts_at_s;
    unsigned              least = 0, most = sim->risk->inexact;
    const sim_attempt_t  *other;
    const int64_t         window = sim_risk_window_s((sim_velocity_t)
                                                     attempt->velocity);
    const int64_t         part = (window + 14) / 15;

    for (other = sim->risk->attempts; other != NULL; other = other->next) {
        if (other->velocity != attempt->velocity || other->is_over
            || other->host != attempt->host
            || other->value != attempt->value)
        {
            continue;
        }

        least += other->counts_at_s > now_s - window;
        most += other->counts_at_s / part > now_s / part - 16;
    }

    if (count < least || count > most) {
        sim_violation(sim, "risk: a window in memory has %u, and should have "
                      "%u to %u", count, least, most);
    }
}


/* Calls of one operation, in the order in which PostgreSQL counts them. */
void
sim_judge_decided(sim_t *sim, sim_call_t **calls, unsigned count)
{
    int       is_new = 0;
    unsigned  i;

    for (i = 0; i < count; i++) {
        if (calls[i]->result.outcome == PAY_OUTCOME_CREATED
            || calls[i]->result.outcome == PAY_OUTCOME_WAITING
            || calls[i]->result.outcome == PAY_OUTCOME_BLOCKED)
        {
            judge_new(sim, calls[i]);
            is_new = 1;
        }
    }

    if (is_new) {
        judge_decisions(sim);
    }
}


static void
judge_new(sim_t *sim, const sim_call_t *call)
{
    int64_t                        hour, seen;
    unsigned                       v, windows;
    sim_post_t                    *post;
    sim_look_t                    *look = sim_risk_look(sim, call->data);
    const sim_risk_t              *risk = sim->risk;
    const pay_begin_payment_in_t  *in = call->args;

    post = post_of(sim, in->checkout_id);

    if (look == NULL || post->looked->created++ != 0) {
        sim_violation(sim, "risk: %.*s was not looked at, or is made twice",
                      pay_fmt(in->checkout_id));
        return;
    }

    hour = (sim->now + sim->db_off) / SIM_HOUR;
    windows = look->hits;

    for (v = SIM_BY_EMAIL; v <= SIM_BY_SUM; v++) {
        if (!risk->velocity[v].is_there
            || (v == SIM_BY_SUM && post->looked->person.buyer == 0))
        {
            continue;
        }

        seen = count_in(sim, (sim_velocity_t) v,
                        sim_risk_value((sim_velocity_t) v,
                                       &post->looked->person), hour,
                        in->total_minor);
        windows |= (unsigned) (seen > risk->velocity[v].limit) << v;
    }

    post->looked->word = expected(risk, look, in->total_minor, windows);
    judge_row(sim, post, post->looked->word, call->result.outcome);
    sim_judge_word(sim, look, in->total_minor,
                   is_decided(risk, look, in->total_minor));
    sim_judge_score(sim, look);
}


static sim_post_t *
post_of(sim_t *sim, pay_str_t checkout_id)
{
    sim_post_t  *post = sim->posts;

    while (post != NULL && !pay_str_eq(post->checkout_id, checkout_id)) {
        post = post->next;
    }

    if (post == NULL) {
        sim_die("nobody has sent that checkout");
    }

    return post;
}


/* Adds one, and returns what its window has then: attempts, or the sum. */
static int64_t
count_in(sim_t *sim, sim_velocity_t velocity, unsigned value, int64_t hour,
    int64_t minor)
{
    int64_t         seen = 0;
    const int64_t   hours = sim_risk_window_s(velocity) / 3600;
    sim_counter_t  *counter, *mine = NULL;

    for (counter = sim->risk->counters; counter; counter = counter->next) {
        if (counter->velocity == velocity && counter->value == value
            && counter->hour >= hour - hours)
        {
            seen += velocity == SIM_BY_SUM ? counter->minor
                                           : counter->attempts;
            mine = counter->hour == hour ? counter : mine;
        }
    }

    if (mine == NULL) {
        mine = sim_alloc(sim, sizeof(sim_counter_t));
        mine->velocity = velocity;
        mine->value = value;
        mine->hour = hour;
        mine->next = sim->risk->counters;
        sim->risk->counters = mine;
    }

    mine->attempts++;
    mine->minor += minor;

    return seen + (velocity == SIM_BY_SUM ? minor : 1);
}


/* The most severe of what hits, unless something allows. */
static pay_risk_action_t
expected(const sim_risk_t *risk, const sim_look_t *look, int64_t minor,
    unsigned windows)
{
    unsigned             i;
    const sim_term_t    *term;
    const sim_person_t  *person = &look->post->looked->person;
    pay_risk_action_t    word = sim_score_word(risk, look, 1);

    /* of a provider that was not asked it is `allow` */
    if (!risk->provider.is_shadow && !risk->conf.is_shadow
        && look->word > word)
    {
        word = look->word;
    }

    for (i = 0; i < SIM_RULES + SIM_LISTS + SIM_VELOCITIES; i++) {
        term = i < SIM_RULES ? &risk->rule[i]
               : i < SIM_RULES + SIM_LISTS ? &risk->list[i - SIM_RULES]
               : &risk->velocity[i - SIM_RULES - SIM_LISTS];

        if (!term->is_there || term->is_shadow || risk->conf.is_shadow
            || !(i < SIM_RULES ? rule_hits((sim_rule_t) i, term, person, minor)
                 : i < SIM_RULES + SIM_LISTS
                 ? in_list((sim_list_t) (i - SIM_RULES), person)
                 : (int) (windows >> (i - SIM_RULES - SIM_LISTS) & 1)))
        {
            continue;
        }

        if (term->then == PAY_RISK_ALLOW) {
            return PAY_RISK_ALLOW;
        }

        word = term->then > word ? term->then : word;
    }

    return word;
}


static int
rule_hits(sim_rule_t rule, const sim_term_t *term,
    const sim_person_t *person, int64_t minor)
{
    switch (rule) {

    case SIM_RULE_LARGE:
        return minor > term->limit;

    case SIM_RULE_BAD:
        return person->email == 2;

    case SIM_RULE_NOBODY:
        return person->buyer == 0;

    default:
        return person->device == 1;
    }
}


/* By a rule or a window in memory: it blocks, or a rule allows. */
static int
is_decided(const sim_risk_t *risk, const sim_look_t *look, int64_t minor)
{
    int                decided = 0;
    unsigned           i;
    const sim_term_t  *term;

    for (i = 0; i < SIM_RULES + 2; i++) {
        term = i < SIM_RULES ? &risk->rule[i]
                             : &risk->velocity[SIM_BY_IP + i - SIM_RULES];

        if (term->is_there && !term->is_shadow && !risk->conf.is_shadow
            && (i < SIM_RULES ? rule_hits((sim_rule_t) i, term,
                                          &look->post->looked->person, minor)
                : (int) (look->hits >> (SIM_BY_IP + i - SIM_RULES) & 1)))
        {
            decided |= term->then == PAY_RISK_ALLOW
                       || term->then == PAY_RISK_BLOCK;
        }
    }

    return decided;
}


static int
in_list(sim_list_t list, const sim_person_t *person)
{
    switch (list) {

    case SIM_LIST_EMAIL:
        return person->email == 0;

    case SIM_LIST_NETWORK:
        return person->ip <= 1;

    default:
        return person->buyer == 2;
    }
}


/* A window of declines is believed: when an order is declined in the middle of
 * others is PostgreSQL's to say.  Its counters are judged at the end. */
static void
judge_row(sim_t *sim, const sim_post_t *post, pay_risk_action_t word,
    pay_outcome_t outcome)
{
    sim_rows_t           found;
    const char          *stored;
    const sim_term_t    *declines = &sim->risk->velocity[SIM_BY_DECLINES];
    pay_risk_action_t    other = word;

    found = sim_db_ask(sim->db, "SELECT d.decision, d.hits @> '[{\"name\": "
        "\"declines\", \"shadow\": false}]' FROM pay.risk_decision d WHERE "
        "d.merchant_id = $1 AND d.checkout_id = $2", 2,
        sim_text(sim, sim->merchant.id), sim_text(sim, post->checkout_id));

    if (found.rows != 1) {
        sim_violation(sim, "risk: %.*s has %d decisions",
                      pay_fmt(post->checkout_id), found.rows);
        return;
    }

    stored = sim_db_cell(sim->db, 0, 0);

    if (*sim_db_cell(sim->db, 0, 1) == 't' && declines->then > word
        && strcmp(stored, "allow") != 0)
    {
        other = declines->then;
    }

    sim_say(sim, "risk: %.*s: %s", pay_fmt(post->checkout_id), stored);

    if (strcmp(stored, pay_risk_action_name(other)) != 0
        || (strcmp(stored, "block") == 0) != (outcome == PAY_OUTCOME_BLOCKED))
    {
        sim_violation(sim, "risk: %.*s is %s and should be %s",
                      pay_fmt(post->checkout_id), stored,
                      pay_risk_action_name(other));
    }

    if (pay_risk_action_find(pay_str_of(stored), &post->looked->word)
        != PAY_OK)
    {
        sim_die("no such decision");
    }

    sim->figures.words[post->looked->word]++;
}


/* Nothing leaves for a checkout that is blocked, and 3-D Secure is asked for
 * where the decision says so. */
void
sim_judge_sent(sim_t *sim, const sim_sent_t *sent)
{
    int          asks = sim_find(sent->body, "\"challenge\":true") != NULL;
    sim_rows_t   found;
    const char  *word;

    found = sim_db_ask(sim->db, "SELECT d.decision FROM pay.risk_decision d "
        "WHERE d.merchant_id = $1 AND d.checkout_id = $2", 2,
        sim_text(sim, sent->flow->core.merchant_id),
        sim_text(sim, sent->flow->core.checkout_id));
    word = found.rows == 1 ? sim_db_cell(sim->db, 0, 0) : "not decided";

    if (sent->call != PAY_CALL_REGISTER) {
        return;
    }

    if (found.rows != 1 || strcmp(word, "block") == 0
        || asks != (strcmp(word, "challenge") == 0))
    {
        sim_violation(sim, "risk: a registration of %.*s leaves, which is %s",
                      pay_fmt(sent->flow->core.checkout_id), word);
    }
}


void
sim_judge_risk(sim_t *sim)
{
    judge_looks(sim);
    judge_decisions(sim);
    judge_counters(sim);
    judge_rest(sim);
    judge_blocked(sim);
    sim_judge_cards(sim);
    sim_judge_held(sim);
}


/* What a create has counted in memory stays when it is new, or may be; else it
 * is taken back, once. */
static void
judge_looks(sim_t *sim)
{
    unsigned           takes;
    const sim_look_t  *look;

    for (look = sim->risk->looks; look != NULL; look = look->next) {
        switch (look->outcome) {

        case PAY_OUTCOME_CREATED:
        case PAY_OUTCOME_WAITING:
        case PAY_OUTCOME_BLOCKED:
            takes = 0;
            break;

        case PAY_OUTCOME_NONE:
            takes = look->is_heard && look->failure != PAY_DB_UNKNOWN;
            break;

        default:
            takes = 1;
        }

        if (look->takes != takes) {
            sim_violation(sim, "risk: %.*s was counted and taken back %u "
                          "times", pay_fmt(look->post->checkout_id),
                          look->takes);
        }
    }
}


/* One for each checkout, and no other; it is what it was. */
static void
judge_decisions(sim_t *sim)
{
    int                i;
    sim_rows_t         found;
    const sim_post_t  *post;

    found = sim_db_ask(sim->db, "SELECT coalesce(c.checkout_id, "
        "d.checkout_id), coalesce(c.risk, 'none'), coalesce(d.decision, "
        "'none') FROM (SELECT * FROM pay.checkout WHERE merchant_id = $1) c "
        "FULL JOIN (SELECT * FROM pay.risk_decision WHERE merchant_id = $1) d "
        "USING (checkout_id) ORDER BY 1", 1,
        sim_text(sim, sim->merchant.id));

    for (i = 0; i < found.rows; i++) {
        post = post_of(sim, pay_str_of(sim_db_cell(sim->db, i, 0)));

        if (post->looked->created != 1
            || strcmp(sim_db_cell(sim->db, i, 1),
                      pay_risk_action_name(post->looked->word)) != 0
            || strcmp(sim_db_cell(sim->db, i, 1),
                      sim_db_cell(sim->db, i, 2)) != 0)
        {
            sim_violation(sim, "risk: %.*s is %s, its decision is %s, and "
                          "was %s", pay_fmt(post->checkout_id),
                          sim_db_cell(sim->db, i, 1),
                          sim_db_cell(sim->db, i, 2), post->looked->created
                          ? pay_risk_action_name(post->looked->word)
                          : "never made");
        }
    }
}


/* Attempts are new checkouts, each once; declines are declined ones. */
static void
judge_counters(sim_t *sim)
{
    sim_rows_t  found;

    judge_sums(sim, SIM_BY_EMAIL, "email");
    judge_sums(sim, SIM_BY_SUM, "buyer");

    found = sim_db_ask(sim->db, "SELECT (SELECT coalesce(sum(c.declines), 0) "
        "FROM pay.risk_counter c WHERE c.merchant_id = $1 AND c.kind = "
        "'device') <> count(*) FILTER (WHERE d.declined_at IS NOT NULL AND "
        "d.counted::text LIKE '%\"device\"%') OR bool_or(d.declined_at IS NULL "
        "AND EXISTS (SELECT FROM pay.payment_order o WHERE o.merchant_id = $1 "
        "AND o.checkout_id = d.checkout_id AND o.status = 'FAILED' AND "
        "o.reason = 'declined')) FROM pay.risk_decision d WHERE "
        "d.merchant_id = $1", 1, sim_text(sim, sim->merchant.id));

    if (found.rows != 1 || *sim_db_cell(sim->db, 0, 0) == 't') {
        sim_violation(sim, "risk: declines are not those of the orders");
    }
}


/* Hour by hour, without the hashes: the model knows none.  An hour may have
 * declines alone, of attempts of the hour before. */
static void
judge_sums(sim_t *sim, sim_velocity_t velocity, const char *kind)
{
    int                   i;
    unsigned              rows = 0;
    sim_rows_t            found;
    const sim_counter_t  *counter = sim->risk->counters;

    for ( ; counter != NULL; counter = counter->next) {
        rows += counter->velocity == velocity;
    }

    found = sim_db_ask(sim->db, "SELECT extract(epoch FROM c.hour)::bigint / "
        "3600, c.attempts, coalesce((c.amounts ->> 'EUR')::bigint, 0) FROM "
        "pay.risk_counter c WHERE c.merchant_id = $1 AND c.kind = $2 AND "
        "(c.attempts <> 0 OR c.declines = 0)", 2,
        sim_text(sim, sim->merchant.id), kind);

    if (found.rows != (int) rows) {
        sim_violation(sim, "risk: %d counters by %s, and should be %u",
                      found.rows, kind, rows);
    }

    for (i = 0; i < found.rows; i++) {
        for (counter = sim->risk->counters; counter; counter = counter->next) {
            if (counter->velocity == velocity
                && counter->hour == atoll(sim_db_cell(sim->db, i, 0))
                && counter->attempts == atoll(sim_db_cell(sim->db, i, 1))
                && (velocity != SIM_BY_SUM
                    || counter->minor == atoll(sim_db_cell(sim->db, i, 2))))
            {
                break;
            }
        }

        if (counter == NULL) {
            sim_violation(sim, "risk: a counter by %s has %s attempts and %s, "
                          "which nobody has made", kind,
                          sim_db_cell(sim->db, i, 1),
                          sim_db_cell(sim->db, i, 2));
        }
    }
}


/* One review for each decision that asks for it, and orders for each. */
static void
judge_rest(sim_t *sim)
{
    int         i;
    sim_rows_t  found;

    found = sim_db_ask(sim->db, "SELECT d.checkout_id, d.decision, r.count, "
        "o.count FROM pay.risk_decision d CROSS JOIN LATERAL (SELECT count(*) "
        "FROM pay.risk_review r WHERE r.merchant_id = d.merchant_id AND "
        "r.checkout_id = d.checkout_id) r CROSS JOIN LATERAL (SELECT count(*) "
        "FROM pay.payment_order o WHERE o.merchant_id = d.merchant_id AND "
        "o.checkout_id = d.checkout_id) o WHERE d.merchant_id = $1 AND "
        "(r.count <> (d.decision = 'review' OR EXISTS (SELECT FROM "
        "pay.risk_after a WHERE a.merchant_id = d.merchant_id AND "
        "a.checkout_id = d.checkout_id AND a.effect <> 'none'))::int "
        "OR o.count = 0)", 1,
        sim_text(sim, sim->merchant.id));

    for (i = 0; i < found.rows; i++) {
        sim_violation(sim, "risk: %s is %s, and has %s reviews and %s orders",
                      sim_db_cell(sim->db, i, 0), sim_db_cell(sim->db, i, 1),
                      sim_db_cell(sim->db, i, 2), sim_db_cell(sim->db, i, 3));
    }
}


/* A blocked checkout has FAILED orders with reason risk, and no PSP has ever
 * heard of it. */
static void
judge_blocked(sim_t *sim)
{
    int               i, k;
    sim_rows_t        found;
    const sim_reg_t  *reg;

    found = sim_db_ask(sim->db, "SELECT c.checkout_uuid, o.status, o.reason "
        "FROM pay.checkout c JOIN pay.payment_order o USING (merchant_id, "
        "checkout_id) WHERE c.merchant_id = $1 AND c.risk = 'block'", 1,
        sim_text(sim, sim->merchant.id));

    for (i = 0; i < found.rows; i++) {
        if (strcmp(sim_db_cell(sim->db, i, 1), "FAILED") != 0
            || strcmp(sim_db_cell(sim->db, i, 2), "risk") != 0)
        {
            sim_violation(sim, "risk: a blocked order is %s, %s",
                          sim_db_cell(sim->db, i, 1),
                          sim_db_cell(sim->db, i, 2));
        }

        for (k = 0; k < SIM_PSPS; k++) {
            for (reg = sim->books[k].regs; reg != NULL; reg = reg->next) {
                if (pay_str_is(reg->reference, sim_db_cell(sim->db, i, 0))) {
                    sim_violation(sim, "risk: psp %d has %.*s, which is "
                                  "blocked", k, pay_fmt(reg->token));
                }
            }
        }
    }
}
