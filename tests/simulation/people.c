/*
 * Those who pay sellers out: a treasurer who says what is delivered, makes
 * items and batches, holds, gives up and stops, and others who approve.  They
 * use payctl, or in half of the scenarios the API: then each request has a key,
 * and is repeated until its answer is heard.  At times a schedule makes items,
 * too.
 */

#include <jansson.h>

#include "payout.h"


#define ROUNDS       6
#define TRIES_MAX    300
#define EACH_MAX     32        /* of those that an act is about */
#define PIECE        1         /* wallets of a schedule's piece */
#define TTL_S        86400
#define OLD_ENOUGH   (6 * SIM_MIN)

/* Approvers come one after another, as long as another one is needed. */
typedef struct {
    const char  *id;
    const char  *hash;
    unsigned     who;
} batch_t;

struct sim_request_s {
    pay_payout_act_input_t   in;
    batch_t                 *batch;       /* that is approved, or NULL */
    unsigned                 tries;
    int                      is_over;
    pay_str_t                id;          /* of what was made */
    sim_request_t           *next;
};


static void treasurer(sim_t *sim, void *unused);
static const char *act(sim_t *sim, const char *sql, const char *first,
    const char *second, const char *third);
static void release_orders(sim_t *sim);
static void disturb(sim_t *sim);
static void for_each(sim_t *sim, const char *ids, const char *sql);
static void disturb_provider(sim_t *sim);
static void provider_starts(sim_t *sim, void *data);
static void decide(sim_t *sim);
static void make_batches(sim_t *sim, void *unused);
static void find_batches(sim_t *sim);
static void found_batch(sim_t *sim, const char *id, const char *hash);
static void approver(sim_t *sim, void *data);
static void approved(sim_t *sim, batch_t *batch, const char *said);
static void ask(sim_t *sim, pay_payout_act_kind_t kind, const char *who,
    pay_str_t body, batch_t *batch);
static void request_due(sim_t *sim, void *data);
static void answered(sim_flow_t *flow, const pay_reply_t *reply);
static void read_answer(sim_t *sim, sim_request_t *request, json_t *body);
static void schedule_looks(sim_t *sim, void *unused);
static void schedule_done(sim_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure);


/* The first one makes. */
static const char *const  people[] = { "max", "ann", "bob", "eve" };

#define PEOPLE  (sizeof(people) / sizeof(people[0]))


void
sim_people_plan(sim_t *sim)
{
    unsigned     i;
    const char  *cut_off;

    sim->payouts->by_api = sim_chance(sim, 500);
    sim->payouts->by_schedule = sim_chance(sim, 300);

    for (i = 0; i < ROUNDS; i++) {
        sim_after(sim, sim_between(sim, SIM_MIN, sim->heal_at - sim->now),
                  treasurer, NULL);
    }

    /* what was sold to the last is paid out, too */
    sim_at(sim, sim->heal_at + 10 * SIM_MIN, treasurer, NULL);
    sim_at(sim, sim->heal_at + 40 * SIM_MIN, treasurer, NULL);

    if (sim->payouts->by_schedule) {
        cut_off = (const char *) sim_format(sim, "00:%d",
            (int) sim_between(sim, 10, 40)).data;
        (void) sim_db_ask(sim->db, "SELECT pay_ops.set_payout_schedule($1, "
            "NULL, 'day', NULL, $2, 'UTC', NULL, 10, 'sue', 'test')", 2,
            sim_text(sim, sim->merchant.id), cut_off);
        sim_after(sim, SIM_MIN, schedule_looks, NULL);
    }
}


static void
treasurer(sim_t *sim, void *unused)
{
    unsigned  i;

    (void) unused;

    release_orders(sim);
    disturb(sim);
    disturb_provider(sim);
    decide(sim);
    find_batches(sim);

    if (!sim->payouts->by_api) {
        sim_say(sim, "people: make pay-outs: %s",
                act(sim, "SELECT coalesce(string_agg(concat_ws(' ', "
                    "m.currency, m.outcome, m.amount_minor), ', ' ORDER BY "
                    "m.currency), '') FROM pay_ops.make_payouts($1, '"
                    SIM_SELLER "', NULL, 'max') m", NULL, NULL, NULL));
        make_batches(sim, NULL);
        return;
    }

    for (i = 0; i < SIM_CURRENCIES; i++) {
        ask(sim, PAY_PAYOUT_ACT_MAKE, people[0], sim_format(sim,
            "{\"seller_account\":\"" SIM_SELLER "\",\"currency\":\"%s\"}",
            sim_currencies[i].code), NULL);
    }

    sim_after(sim, sim_between(sim, SIM_S, 3 * SIM_MIN), make_batches, NULL);
}


/* As payctl does it; $1 is the merchant. */
static const char *
act(sim_t *sim, const char *sql, const char *first, const char *second,
    const char *third)
{
    unsigned     count = 1 + (first != NULL) + (second != NULL)
                         + (third != NULL);
    const char  *said;

    said = sim_db_operate(sim->db, sql, count,
                          sim_text(sim, sim->merchant.id), first, second,
                          third);

    if (said == NULL) {
        sim_violation(sim, "P6: an act fails: %s", sim_db_why(sim->db));
        return "";
    }

    said = sim_text(sim, pay_str_of(said));
    sim_judge_now(sim);

    return said;
}


static void
release_orders(sim_t *sim)
{
    int          i, count = 0;
    const char  *ids[32], *merchant = sim_text(sim, sim->merchant.id);
    sim_rows_t   found;

    found = sim_db_ask(sim->db, "SELECT payment_order_id FROM "
        "pay.payment_order WHERE merchant_id = $1 AND status = 'SUCCESS' "
        "ORDER BY 1", 1, merchant);

    for (i = 0; i < found.rows && i < 32; i++) {
        ids[count++] = sim_text(sim, pay_str_of(sim_db_cell(sim->db, i, 0)));
    }

    for (i = 0; i < count; i++) {
        if (sim->healed || sim_chance(sim, 700)) {
            (void) sim_db_ask(sim->db, "SELECT pay_ops.release_order($1, $2, "
                "'max', 'delivered')", 2, merchant, ids[i]);

        } else if (sim_chance(sim, 300)) {
            (void) sim_db_ask(sim->db, "SELECT pay_ops.unrelease_order($1, "
                "$2, 'max', 'an error')", 2, merchant, ids[i]);
        }
    }
}


/* What people may do to items and accounts at any time. */
static void
disturb(sim_t *sim)
{
    if (sim_fault(sim, 200)) {
        for_each(sim, "SELECT payout_id FROM pay.payout WHERE merchant_id = "
                 "$1 ORDER BY payout_id LIMIT 1",
                 "SELECT pay_ops.cancel_payout($1, $2, 'max', 'wrong')");
    }

    if (sim_chance(sim, 150)) {
        for_each(sim, "SELECT payout_id FROM (SELECT payout_id, state FROM "
                 "pay.payout WHERE merchant_id = $1 ORDER BY payout_id DESC "
                 "LIMIT 1) p WHERE state = 'held'",
                 "SELECT pay_ops.hold_payout($1, $2, false, 'max', 'ok')");

    } else if (sim_chance(sim, 150)) {
        for_each(sim, "SELECT payout_id FROM pay.payout WHERE merchant_id = "
                 "$1 ORDER BY payout_id DESC LIMIT 1",
                 "SELECT pay_ops.hold_payout($1, $2, true, 'max', 'a look')");
    }

    if (sim->healed || sim_chance(sim, 500)) {
        for_each(sim, "SELECT destination_id FROM pay.payout_account WHERE "
                 "merchant_id = $1 AND state = 'suspect' ORDER BY currency",
                 "SELECT pay_ops.settle_destination($1, $2, 'open', 'max', "
                 "'asked')");
    }

    if (sim_fault(sim, 80)) {
        sim_account_enter(sim, sim_currencies[sim_below(sim,
                                                        SIM_CURRENCIES)].code,
                          sim_payers[sim_below(sim, SIM_PAYERS)]);
    }
}


/* sql: an act about $2, which is each of the ids. */
static void
for_each(sim_t *sim, const char *ids, const char *sql)
{
    int          i, count = 0;
    sim_rows_t   found;
    const char  *id[EACH_MAX];

    found = sim_db_ask(sim->db, ids, 1, sim_text(sim, sim->merchant.id));

    for (i = 0; i < found.rows && i < EACH_MAX; i++) {
        id[count++] = sim_text(sim, pay_str_of(sim_db_cell(sim->db, i, 0)));
    }

    for (i = 0; i < count; i++) {
        sim_say(sim, "people: %s: %s", id[i], act(sim, sql, id[i], NULL,
                                                  NULL));
    }
}


/* The stop switch, and batches that are taken back. */
static void
disturb_provider(sim_t *sim)
{
    const char  *payer = sim_payers[sim_below(sim, SIM_PAYERS)];

    if (sim_fault(sim, 60)) {
        sim_say(sim, "people: %s is %s", payer,
                act(sim, "SELECT pay_ops.stop_payout_provider($1, $2, true, "
                    "'max', 'a look')", payer, NULL, NULL));
        sim_after(sim, sim_between(sim, SIM_S, 20 * SIM_MIN),
                  provider_starts, (void *) payer);
    }

    if (sim_fault(sim, 60)) {
        for_each(sim, "SELECT batch_id FROM pay.payout_batch WHERE "
                 "merchant_id = $1 AND state IN ('open', 'approved') ORDER "
                 "BY batch_id", "SELECT pay_ops.withdraw_payout_batch($1, "
                 "$2, 'max', 'wrong')");
    }
}


static void
provider_starts(sim_t *sim, void *data)
{
    sim_say(sim, "people: %s is %s", (const char *) data,
            act(sim, "SELECT pay_ops.stop_payout_provider($1, $2, false, "
                "'max', 'it is right')", data, NULL, NULL));
}


/* Two of them end an item whose outcome is not known: they have called the
 * provider, who says what it has, and pays nothing later that it has not paid
 * yet. */
static void
decide(sim_t *sim)
{
    int                i;
    const char        *key, *said, *id;
    sim_rows_t         found;
    const sim_paid_t  *paid;

    if (!sim_fault(sim, 300)) {
        return;
    }

    found = sim_db_ask(sim->db, "SELECT payout_id, concat(payout_key, '-', "
        "attempt), provider = $2 FROM pay.payout WHERE merchant_id = $1 AND "
        "state = 'unknown' ORDER BY 2 LIMIT 1", 2,
        sim_text(sim, sim->merchant.id), sim_payers[1]);

    if (found.rows == 0) {
        return;
    }

    id = sim_text(sim, pay_str_of(sim_db_cell(sim->db, 0, 0)));
    key = sim_text(sim, pay_str_of(sim_db_cell(sim->db, 0, 1)));
    paid = sim_payer_end(sim, *sim_db_cell(sim->db, 0, 2) == 't',
                         pay_str_of(key));

    if (paid != NULL && (!paid->has_left || paid->is_back)) {
        return;
    }

    for (i = 1; i <= 2; i++) {
        said = paid != NULL
               ? act(sim, "SELECT pay_ops.decide_payout($1, $2, 'paid', $3, "
                     "$4, 'by telephone')", id, sim_text(sim, paid->id),
                     people[i])
               : act(sim, "SELECT pay_ops.decide_payout($1, $2, 'failed', "
                     "NULL, $3, 'by telephone')", id, people[i], NULL);
        sim_say(sim, "people: %s decides about %s: %s", people[i], key, said);
    }
}


static void
make_batches(sim_t *sim, void *unused)
{
    unsigned     i;
    const char  *currency, *payer;
    const char  *merchant = sim_text(sim, sim->merchant.id);

    (void) unused;

    for (i = 0; i < SIM_CURRENCIES * SIM_PAYERS; i++) {
        currency = sim_currencies[i / SIM_PAYERS].code;
        payer = sim_payers[i % SIM_PAYERS];

        if (sim->payouts->by_api) {
            ask(sim, PAY_PAYOUT_ACT_MAKE_BATCH, people[0], sim_format(sim,
                "{\"provider\":\"%s\",\"currency\":\"%s\",\"limit\":10}",
                payer, currency), NULL);
            continue;
        }

        (void) sim_db_ask(sim->db, "SELECT outcome, batch_id, hash FROM "
            "pay_ops.make_payout_batch($1, $3, $2, 10, 'max')", 3, merchant,
            currency, payer);

        if (strcmp(sim_db_cell(sim->db, 0, 0), "made") == 0) {
            found_batch(sim, sim_db_cell(sim->db, 0, 1),
                        sim_db_cell(sim->db, 0, 2));
        }
    }
}


/* Those of schedules, and those whose approvers have not come. */
static void
find_batches(sim_t *sim)
{
    int          i;
    sim_rows_t   found;
    const char  *since = (const char *) sim_format(sim, "%" PRId64,
        (sim->now + sim->db_off - OLD_ENOUGH) / SIM_S).data;

    found = sim_db_ask(sim->db, "SELECT batch_id, encode(hash, 'hex') FROM "
        "pay.payout_batch WHERE merchant_id = $1 AND state = 'open' AND "
        "(made_by <> 'max' OR made_at < to_timestamp($2::float8)) ORDER BY "
        "made_at, batch_id", 2, sim_text(sim, sim->merchant.id), since);

    for (i = 0; i < found.rows; i++) {
        found_batch(sim, sim_db_cell(sim->db, i, 0),
                    sim_db_cell(sim->db, i, 1));
    }
}


/* At times the one who has made it tries first. */
static void
found_batch(sim_t *sim, const char *id, const char *hash)
{
    batch_t  *batch = sim_alloc(sim, sizeof(batch_t));

    batch->id = sim_text(sim, pay_str_of(id));
    batch->hash = sim_text(sim, pay_str_of(hash));
    batch->who = !sim_chance(sim, 100);
    sim_after(sim, sim_between(sim, SIM_S, 5 * SIM_MIN), approver, batch);

    if (sim_chance(sim, 200)) {
        sim_after(sim, sim_between(sim, SIM_S, 5 * SIM_MIN), approver, batch);
    }
}


static void
approver(sim_t *sim, void *data)
{
    batch_t     *batch = data;
    const char  *said, *who = people[batch->who];

    if (sim->payouts->by_api) {
        ask(sim, PAY_PAYOUT_ACT_APPROVE, who,
            sim_format(sim, "{\"hash\":\"%s\"}", batch->hash), batch);
        return;
    }

    said = act(sim, "SELECT pay_ops.approve_payout_batch($1, $2, $3, $4)",
               batch->id, batch->hash, who);
    approved(sim, batch, said);
}


static void
approved(sim_t *sim, batch_t *batch, const char *said)
{
    sim_say(sim, "people: %s approves a batch: %s", people[batch->who], said);

    (void) sim_db_ask(sim->db, "SELECT made_by = $3 FROM pay.payout_batch "
        "WHERE merchant_id = $1 AND batch_id = $2", 3,
        sim_text(sim, sim->merchant.id), batch->id, people[batch->who]);

    if (*sim_db_cell(sim->db, 0, 0) == 't'
        && (strcmp(said, "approved") == 0 || strcmp(said, "second") == 0))
    {
        sim_violation(sim, "P6: the maker of a batch has approved it");
    }

    if ((strcmp(said, "maker") == 0 || strcmp(said, "second") == 0)
        && batch->who + 1 < PEOPLE)
    {
        batch->who++;
        sim_after(sim, SIM_MIN, approver, batch);
    }
}


/* A request of the API, which has a key of its own. */
static void
ask(sim_t *sim, pay_payout_act_kind_t kind, const char *who, pay_str_t body,
    batch_t *batch)
{
    sim_request_t           *request = sim_alloc(sim, sizeof(sim_request_t));
    pay_payout_act_input_t  *in = &request->in;

    in->kind = kind;
    in->merchant_id = sim->merchant.id;
    in->id = batch != NULL ? pay_str_of(batch->id) : PAY_STR("");
    in->subject = pay_str_of(who);
    in->body = body;
    in->idempotency_key = sim_format(sim, "act-%" PRIu64 "-%u-0123456789",
                                     sim->scenario, ++sim->names);
    in->ttl_s = TTL_S;
    in->base_url = PAY_STR("https://pay.example.com");
    request->batch = batch;
    request->next = sim->payouts->requests;
    sim->payouts->requests = request;
    sim_after(sim, 0, request_due, request);
}


static void
request_due(sim_t *sim, void *data)
{
    unsigned        worker;
    sim_flow_t     *flow;
    sim_request_t  *request = data;

    if (request->is_over || request->tries == TRIES_MAX) {
        return;
    }

    request->tries++;

    /* at times twice at once */
    sim_after(sim, sim_fault(sim, sim->faults.twin)
                   ? sim_between(sim, 0, SIM_S)
                   : sim_between(sim, 4 * SIM_S, 40 * SIM_S), request_due,
              request);

    if (!sim_worker_pick(sim, &worker)) {
        return;
    }

    flow = sim_flow_new(sim, worker, answered, request);

    if (pay_flow_payout_act(&flow->core, &request->in) != PAY_OK) {
        sim_die("no flow of a request about pay-outs");
    }

    sim_flow_start(flow);
}


/* P6: it is done, or refused with a reason; what a key has made stays so. */
static void
answered(sim_flow_t *flow, const pay_reply_t *reply)
{
    json_t         *body;
    sim_t          *sim = flow->sim;
    sim_request_t  *request = flow->data;

    if (reply->status == 429 || reply->status == 503
        || (reply->status == 500 && !sim->healed)
        || sim_fault(sim, sim->faults.reply_lost))
    {
        return;
    }

    body = json_loadb((const char *) reply->body.data, reply->body.len, 0,
                      NULL);

    if (reply->status == 200 || reply->status == 201) {
        read_answer(sim, request, body);

    } else if (reply->status != 404 && reply->status != 409) {
        sim_violation(sim, "P6: a request about pay-outs is answered %u",
                      reply->status);

    } else if (request->batch != NULL && !request->is_over
               && reply->detail != NULL
               && strncmp(reply->detail, "maker", 5) == 0)
    {
        approved(sim, request->batch, "maker");
    }

    request->is_over = 1;
    json_decref(body);
}


static void
read_answer(sim_t *sim, sim_request_t *request, json_t *body)
{
    int          is_item = request->in.kind == PAY_PAYOUT_ACT_MAKE;
    const char  *id;

    id = json_string_value(json_object_get(body, is_item ? "payout_id"
                                                         : "batch_id"));

    if (id == NULL || (request->id.len != 0 && !pay_str_is(request->id, id))) {
        sim_violation(sim, "P6: a key has made %.*s and %s",
                      pay_fmt(request->id), id != NULL ? id : "nothing");
        return;
    }

    if (request->id.len != 0) {
        return;
    }

    request->id = sim_dup(sim, pay_str_of(id));

    if (request->in.kind == PAY_PAYOUT_ACT_MAKE_BATCH) {
        found_batch(sim, id, json_string_value(json_object_get(body,
                                                               "hash")));

    } else if (request->batch != NULL) {
        approved(sim, request->batch,
                 json_integer_value(json_object_get(body,
                                    "approvals_missing")) > 0
                 ? "second" : "approved");
    }
}


void
sim_judge_people(sim_t *sim)
{
    const sim_request_t  *request = sim->payouts->requests;

    for ( ; request != NULL; request = request->next) {
        if (!request->is_over) {
            sim_violation(sim, "P6: %.*s is not answered after %u tries",
                          pay_fmt(request->in.idempotency_key),
                          request->tries);
        }
    }
}


/* As ngx_payments_schedule.c.  Later scenarios of this database are on later
 * days, and have no share in the schedule. */
static void
schedule_looks(sim_t *sim, void *unused)
{
    unsigned                    worker;
    sim_call_t                 *call = sim_alloc(sim, sizeof(sim_call_t));
    pay_make_due_payouts_in_t  *args = sim_alloc(sim, sizeof(*args));

    (void) unused;

    if (sim->now > sim->heal_at + 20 * SIM_MIN) {
        (void) sim_db_ask(sim->db, "SELECT pay_ops.drop_payout_schedule($1, "
            "NULL, 'sue', 'test')", 1, sim_text(sim, sim->merchant.id));
        return;
    }

    sim_after(sim, sim_between(sim, SIM_S, 2 * SIM_MIN), schedule_looks,
              NULL);

    if (!sim_worker_pick(sim, &worker)) {
        return;
    }

    args->owner = sim->workers[worker].owner;
    args->wallets = PIECE;
    call->worker = worker;
    call->op = PAY_OP_MAKE_DUE_PAYOUTS;
    call->args = args;
    call->done = schedule_done;
    sim_call(sim, call);
}


static void
schedule_done(sim_call_t *call, const pay_result_t *result,
    pay_db_failure_t failure)
{
    (void) failure;

    if (result != NULL && result->outcome == PAY_OUTCOME_AGAIN) {
        sim_say(call->sim, "w%u a piece of a schedule is made", call->worker);
    }
}
