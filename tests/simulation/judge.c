/*
 * What must be true: before a call leaves, behind an answer, and when all is
 * quiet (docs/reliability.md, I1 to I8).  The PSPs' books are the oracle.
 */

#include "cells.h"


static void check_window(sim_t *sim, const sim_sent_t *sent);
static void check_journal(sim_t *sim, const sim_sent_t *sent);
static int requeue(sim_t *sim);
static void judge_orders(sim_t *sim);
static void judge_order(sim_t *sim, int row);
static int is_paid(const sim_reg_t *reg, const char *captures);
static const sim_reg_t *reg_of(sim_t *sim, const char *reference);
static void judge_paid(sim_t *sim, const sim_reg_t *reg, int row,
    int flagged);
static int late_refund(sim_t *sim, const sim_reg_t *reg, const char *id);
static void judge_second(sim_t *sim);
static void judge_leftovers(sim_t *sim);
static void judge_books(sim_t *sim);


void
sim_judge_call(sim_t *sim, const sim_sent_t *sent)
{
    sim_cell_enter(sim, sent->flow->core.cell);
    check_window(sim, sent);

    if (sent->psp->index >= SIM_PSPS) {
        sim_judge_payout_call(sim, sent);
    } else {
        check_journal(sim, sent);

        if (sim->risk != NULL) {
            sim_judge_sent(sim, sent);
        }
    }
}


/* A key is used again only while the PSP knows it for sure: since the first
 * call of which the gateway cannot know that nothing came of it. */
static void
check_window(sim_t *sim, const sim_sent_t *sent)
{
    int64_t            age;
    const sim_sent_t  *other;

    if (sent->call == PAY_CALL_EXPIRE) {
        return;                  /* harmless however often */
    }

    for (other = sim->sent; other != NULL; other = other->next) {
        age = sent->at - other->at;

        if (other->psp == sent->psp && pay_str_eq(other->key, sent->key)
            && !(other->definite && other->heard)
            && age > sent->psp->window + (sent->psp->window ? SIM_SLACK : 0))
        {
            sim_violation(sim, "%s %.*s is sent again after %d s, psp %u "
                          "knows a key for %d s", pay_call_name(sent->call),
                          pay_fmt(sent->key), (int) (age / SIM_S),
                          sent->psp->index,
                          (int) (sent->psp->window / SIM_S));
            return;
        }
    }
}


/* A row was committed before; each call of it is counted there. */
static void
check_journal(sim_t *sim, const sim_sent_t *sent)
{
    long               calls = 1, sends;
    pay_str_t          id = sent->key;
    const char        *colon;
    const sim_sent_t  *other;

    colon = memchr(id.data, ':', id.len);
    id.len = colon ? (size_t) (colon - (const char *) id.data) : id.len;

    for (other = sim->sent; other != NULL; other = other->next) {
        calls += other->psp == sent->psp && pay_str_eq(other->key, sent->key);
    }

    (void) sim_db_ask(sim->db,
        "SELECT coalesce(sum(sends), 0) FROM pay.journal WHERE merchant_id "
        "= $1 AND checkout_id IN ($2, (SELECT c.replaces FROM pay.checkout c "
        "WHERE c.merchant_id = $1 AND c.checkout_id = $2)) AND (operation = "
        "$3 OR $3 = 'expire' AND operation = 'cancel') AND operation_id = $4 "
        "AND psp = $5", 5,
        sim_text(sim, sent->flow->core.merchant_id),
        sim_text(sim, sent->flow->core.checkout_id),
        pay_call_name(sent->call),
        sim_text(sim, id), sim_text(sim, sim->psps[sent->psp->index].name));
    sends = strtol(sim_db_cell(sim->db, 0, 0), NULL, 10);

    if (calls > sends) {
        sim_violation(sim, "call %ld of %s %.*s leaves for psp %u, the "
                      "journal has %ld", calls, pay_call_name(sent->call),
                      pay_fmt(sent->key), sent->psp->index, sends);
    }
}


void
sim_judge_reply(sim_flow_t *flow, const pay_reply_t *reply)
{
    sim_t       *sim = flow->sim;
    sim_rows_t   found;

    if (reply->kind == PAY_REPLY_JSON
        && (sim_find(reply->body, "page0.psp")
            || sim_find(reply->body, "page1.psp")))
    {
        sim_violation(sim, "a hosted page stands in an answer");
    }

    if (sim_find(reply->location, ".psp.example/p/")) {
        found = sim_db_ask(sim->db, "SELECT FROM pay.registration WHERE "
            "hosted_url = $1 AND state = 'REGISTERED'", 1,
            sim_text(sim, reply->location));
        if (found.rows != 1) {
            sim_violation(sim, "%.*s is shown and not committed",
                          pay_fmt(reply->location));
        }
    }

    if (!flow->core.type->routes || reply->status >= 300) {
        return;
    }

    found = sim_db_ask(sim->db,
        "SELECT r.token IS NOT NULL FROM pay.registration r "
        "WHERE r.merchant_id = $1 AND r.checkout_id = $2", 2,
        sim_text(sim, sim->merchant.id),
        sim_text(sim, flow->core.checkout_id));

    if (found.rows != 1) {
        sim_violation(sim, "I3: %u for %.*s, which is not committed",
                      reply->status, pay_fmt(flow->core.checkout_id));

    } else if (sim_find(reply->body, "\"redirect_url\":\"")
               && *sim_db_cell(sim->db, 0, 0) != 't')
    {
        sim_violation(sim, "%.*s: the address is shown before the token is "
                      "committed", pay_fmt(flow->core.checkout_id));
    }
}


void
sim_judge_webhook(sim_t *sim, const sim_hook_t *hook)
{
    sim_rows_t  found;

    found = sim_db_ask(sim->db, "SELECT FROM pay.webhook_inbox WHERE psp = "
        "$1 AND event_id = $2", 2,
        sim_text(sim, sim->psps[hook->reg->psp->index].name),
        sim_text(sim, hook->id));

    if (found.rows != 1) {
        sim_violation(sim, "I6: webhook %.*s was answered 2xx and is not "
                      "stored", pay_fmt(hook->id));
    }
}


int
sim_judge_requeue(sim_t *sim)
{
    int       any = 0;
    unsigned  i;

    for (i = 0; i < sim_cell_count(sim); i++) {
        sim_cell_enter(sim, i);
        any |= requeue(sim);
    }

    sim->dirty = ~0u;

    return any;
}


static int
requeue(sim_t *sim)
{
    int          i, count = 0, any = 0;
    sim_rows_t   found;
    const char  *ids[32];

    found = sim_db_ask(sim->db, "SELECT dead_letter_id FROM pay.dead_letter "
        "WHERE state = 'open' AND (merchant_id = $1 OR psp IN ($2, $3)) "
        "ORDER BY dead_letter_id", 3, sim_text(sim, sim->merchant.id),
        sim_text(sim, sim->psps[0].name), sim_text(sim, sim->psps[1].name));

    for (i = 0; i < found.rows && i < 32; i++) {
        ids[count++] = sim_text(sim, pay_str_of(sim_db_cell(sim->db, i, 0)));
    }

    for (i = 0; i < count; i++) {
        (void) sim_db_ask(sim->db, sim_chance(sim, 800)
            ? "SELECT CASE WHEN d.kind = 'late_success'"
              " THEN pay_ops.accept_dead_letter($1::bigint, 'sim', 'ours')"
              " ELSE pay_ops.requeue_dead_letter($1::bigint, 'sim', 'again')"
              " END FROM pay.dead_letter d"
              " WHERE d.dead_letter_id = $1::bigint"
            : "SELECT pay_ops.resolve_dead_letter($1, 'sim', 'enough')", 1,
                          ids[i]);
        sim_say(sim, "people: %s", sim_db_cell(sim->db, 0, 0));
        any |= strcmp(sim_db_cell(sim->db, 0, 0), "requeued") == 0
               || strcmp(sim_db_cell(sim->db, 0, 0), "accepted") == 0;
    }

    return any;
}


void
sim_judge_end(sim_t *sim)
{
    unsigned  i;

    for (i = 0; i < sim_cell_count(sim); i++) {
        sim_cell_enter(sim, i);
        judge_orders(sim);
        judge_second(sim);
        judge_leftovers(sim);
        judge_books(sim);
        sim_judge_settled(sim);
        sim_judge_payouts(sim);
        sim_judge_money(sim);

        if (sim->risk != NULL) {
            sim_judge_risk(sim);
        }

        sim_judge_checks(sim);
    }

    sim_judge_purchases(sim);

    if (sim->cells != NULL) {
        sim_judge_cells(sim);
    }

    sim_cell_enter(sim, 0);
}


static void
judge_orders(sim_t *sim)
{
    int         i;
    sim_rows_t  found;

    found = sim_db_ask(sim->db,
        "SELECT o.payment_order_id, o.status, coalesce(o.reason, ''), "
        "c.checkout_uuid, r.nonce, r.state, coalesce(l.state, ''), "
        "(SELECT count(*) FROM pay.event e WHERE e.merchant_id = "
        "o.merchant_id AND e.payment_order_id = o.payment_order_id AND "
        "e.kind = 'paid' AND e.new_status = 'SUCCESS'), "
        "(SELECT count(*) FROM pay.dead_letter d WHERE d.merchant_id = "
        "o.merchant_id AND d.checkout_id = o.checkout_id AND (d.state = "
        "'open' OR d.state = 'resolved')), coalesce(l.refund_id::text, ''), "
        "c.replaced_by IS NOT NULL OR EXISTS (SELECT FROM pay.change x WHERE "
        "x.merchant_id = o.merchant_id AND x.checkout_id = o.checkout_id AND "
        "x.replaced_by IS NOT NULL), coalesce((SELECT string_agg("
        "x.change_id || ':capture', ' ') FROM pay.change x WHERE "
        "x.merchant_id = o.merchant_id AND x.checkout_id = o.checkout_id AND "
        "x.payment_order_id = o.payment_order_id AND x.kind = 'capture'), '') "
        "FROM pay.payment_order o "
        "JOIN pay.checkout c USING (merchant_id, checkout_id) "
        "JOIN pay.registration r USING (merchant_id, checkout_id) "
        "LEFT JOIN pay.late_success l USING (merchant_id, checkout_id) "
        "WHERE o.merchant_id = $1 ORDER BY 1", 1,
        sim_text(sim, sim->merchant.id));

    for (i = 0; i < found.rows; i++) {
        judge_order(sim, i);
    }
}


static void
judge_order(sim_t *sim, int row)
{
    sim_db_t         *db = sim->db;
    const sim_reg_t  *reg = reg_of(sim, sim_db_cell(db, row, 3));
    int               paid = is_paid(reg, sim_db_cell(db, row, 11));
    int               flagged = strcmp(sim_db_cell(db, row, 8), "0") != 0;
    int               booked = strcmp(sim_db_cell(db, row, 7), "0") != 0;
    const char       *order = sim_db_cell(db, row, 0);
    const char       *status = sim_db_cell(db, row, 1);

    if (reg != NULL && !pay_str_is(reg->nonce, sim_db_cell(db, row, 4))) {
        sim_violation(sim, "I1: the PSP knows %s by another nonce", order);
    }

    if (strcmp(status, "SUCCESS") == 0) {
        if (strcmp(sim_db_cell(db, row, 7), "1") != 0) {
            sim_violation(sim, "I2: %s is booked %s times", order,
                          sim_db_cell(db, row, 7));
        }

        if (!paid || late_refund(sim, reg, sim_db_cell(db, row, 9))) {
            sim_violation(sim, "%s is SUCCESS and not paid, or paid back as "
                          "one that came late", order);
        }

        return;
    }

    if (booked) {
        sim_violation(sim, "I5: %s is %s and has been booked", order, status);
    }

    if (strcmp(status, "FAILED") != 0) {
        if (!flagged) {
            sim_violation(sim, "I8: %s is %s at the end, its registration %s",
                          order, status, sim_db_cell(db, row, 5));
        }

        return;
    }

    if (paid) {
        judge_paid(sim, reg, row, flagged);
    }
}


/* captures: nonces of the order's.  Of one page with several orders a review
 * may have held the money: each of their captures may fail alone. */
static int
is_paid(const sim_reg_t *reg, const char *captures)
{
    const sim_move_t  *move;

    if (reg == NULL || !reg->is_manual) {
        return reg != NULL && reg->payments > 0;
    }

    for (move = reg->psp->moves; move != NULL; move = move->next) {
        if (move->reg == reg && move->kind == SIM_CAPTURE
            && move->state == SIM_MOVE_DONE && move->nonce.len != 0
            && strstr(captures, (const char *) move->nonce.data) != NULL)
        {
            return 1;
        }
    }

    return 0;
}


static const sim_reg_t *
reg_of(sim_t *sim, const char *reference)
{
    unsigned          i;
    const sim_reg_t  *reg;

    for (i = 0; i < SIM_PSPS; i++) {
        for (reg = sim->books[i].regs; reg != NULL; reg = reg->next) {
            if (pay_str_is(reg->reference, reference)) {
                return reg;
            }
        }
    }

    return NULL;
}


/* The PSP has the money of a FAILED order: only a late one, kept as such. */
static void
judge_paid(sim_t *sim, const sim_reg_t *reg, int row, int flagged)
{
    int          known;
    const char  *order = sim_db_cell(sim->db, row, 0);
    const char  *reason = sim_db_cell(sim->db, row, 2);
    const char  *late = sim_db_cell(sim->db, row, 6);

    known = sim->env.late != PAY_LATE_ACCEPT && *late != '\0'
            && (strcmp(reason, "expired") == 0
                || *sim_db_cell(sim->db, row, 10) == 't');

    if (!known && !flagged) {
        sim_violation(sim, "I3: %s is paid at the PSP and FAILED (%s) here",
                      order, reason);
        return;
    }

    if (strcmp(late, "refunded") == 0) {
        if (reg->refunded + reg->refunding != reg->captured
            && !late_refund(sim, reg, sim_db_cell(sim->db, row, 9)))
        {
            sim_violation(sim, "%s is said to be paid back", order);
        }

    } else if (known && !flagged) {
        sim_violation(sim, "I8: the late payment of %s is %s at the end",
                      order, late);
    }
}


/* Whether the PSP was told to pay a late payment back. */
static int
late_refund(sim_t *sim, const sim_reg_t *reg, const char *id)
{
    return *id != '\0' && sim_money_find(reg->psp,
               sim_format(sim, "%s:refund", id)) != NULL;
}


/* A second payment that the gateway has heard of is in the operators' queue,
 * unless it heard of it first and takes the other one for the second. */
static void
judge_second(sim_t *sim)
{
    unsigned          i;
    sim_rows_t        found;
    const sim_reg_t  *reg;

    for (i = 0; i < SIM_PSPS; i++) {
        reg = sim_psp_is_here(sim, i) ? sim->books[i].regs : NULL;

        for (; reg != NULL; reg = reg->next) {
            if (reg->second == NULL || !reg->second->settled) {
                continue;
            }

            found = sim_db_ask(sim->db, "SELECT FROM pay.registration r LEFT "
                "JOIN pay.late_success l USING (merchant_id, checkout_id) "
                "WHERE r.token = $1 AND ($2 IN (r.reference, l.reference)) IS "
                "NOT TRUE AND NOT EXISTS (SELECT FROM pay.mismatch m WHERE "
                "m.merchant_id = r.merchant_id AND m.checkout_id = "
                "r.checkout_id AND m.object = $2)", 2,
                sim_text(sim, reg->token), sim_text(sim, reg->second_id));

            if (found.rows > 0) {
                sim_violation(sim, "I3: the second payment %.*s of %.*s is in "
                              "no queue", pay_fmt(reg->second_id),
                              pay_fmt(reg->token));
            }
        }
    }
}


/* What is still under way when nothing moves any more. */
static void
judge_leftovers(sim_t *sim)
{
    int         i;
    sim_rows_t  found;

    found = sim_db_ask(sim->db,
        "SELECT 'a job, ' || j.kind FROM pay.job j WHERE j.merchant_id = $1 "
        "UNION ALL "
        "SELECT concat_ws(' ', 'a dispatch,', d.operation, d.operation_id, "
        "d.state) FROM pay.journal d JOIN pay.registration r USING "
        "(merchant_id, checkout_id) JOIN pay.checkout c USING (merchant_id, "
        "checkout_id) WHERE d.merchant_id = $1 AND "
        "d.state IN ('OPEN', 'UNKNOWN') AND CASE d.operation WHEN 'register' "
        "THEN r.state = 'REGISTERING' WHEN 'capture' THEN NOT c."
        "is_payment_done AND NOT EXISTS (SELECT FROM pay.change x WHERE "
        "x.merchant_id = d.merchant_id AND x.change_id = d.operation_id AND "
        "x.status IN ('SUCCESS', 'FAILED')) "
        "WHEN 'expire' THEN EXISTS (SELECT FROM "
        "pay.payment_order o WHERE o.merchant_id = d.merchant_id AND "
        "o.checkout_id = d.checkout_id AND o.status IN ('NOT_STARTED', "
        "'EXECUTING')) ELSE NOT EXISTS (SELECT FROM pay.change x WHERE "
        "x.merchant_id = d.merchant_id AND x.change_id = d.operation_id AND "
        "x.status IN ('SUCCESS', 'FAILED')) AND NOT EXISTS (SELECT FROM "
        "pay.late_success l WHERE l.merchant_id = d.merchant_id AND "
        "l.refund_id::text = d.operation_id AND l.state = 'refunded') END "
        "AND NOT EXISTS (SELECT "
        "FROM pay.dead_letter x WHERE x.merchant_id = d.merchant_id AND "
        "x.checkout_id = d.checkout_id AND x.state IN ('open', 'resolved', "
        "'requeued')) UNION ALL "
        "SELECT 'a parked webhook, ' || i.event_id FROM pay.webhook_inbox i "
        "WHERE i.psp IN ($2, $3) AND i.state = 'parked' AND NOT EXISTS "
        "(SELECT FROM pay.dead_letter x WHERE x.psp = i.psp AND x.event_id "
        "= i.event_id)", 3, sim_text(sim, sim->merchant.id),
        sim_text(sim, sim->psps[0].name), sim_text(sim, sim->psps[1].name));

    for (i = 0; i < found.rows; i++) {
        sim_violation(sim, "I8: left over: %s", sim_db_cell(sim->db, i, 0));
    }
}


/* What was accepted is there; what the PSP has came from there. */
static void
judge_books(sim_t *sim)
{
    unsigned           i;
    sim_rows_t         found;
    const char        *merchant = sim_text(sim, sim->merchant.id);
    const sim_reg_t   *reg;
    const sim_post_t  *post;

    /* of several cells: moved.c */
    for (post = sim->cells ? NULL : sim->posts; post != NULL;
         post = post->next)
    {
        found = sim_db_ask(sim->db, "SELECT FROM pay.payment_order WHERE "
            "merchant_id = $1 AND checkout_id = $2", 2, merchant,
            sim_text(sim, post->checkout_id));

        if (post->accepted && found.rows != (int) post->order_count) {
            sim_violation(sim, "I3: %.*s was accepted, %d rows are there",
                          pay_fmt(post->checkout_id), found.rows);
        }
    }

    for (i = 0; i < SIM_PSPS; i++) {
        for (reg = sim_psp_is_here(sim, i) ? sim->books[i].regs : NULL;
             reg != NULL; reg = reg->next)
        {
            found = sim_db_ask(sim->db, "SELECT FROM pay.checkout WHERE "
                "merchant_id = $1 AND checkout_uuid = $2::text::uuid", 2,
                merchant, sim_text(sim, reg->reference));

            if (found.rows != 1) {
                sim_violation(sim, "psp %u has %.*s, nobody else", i,
                              pay_fmt(reg->token));
            }
        }
    }
}


/* Each view of pay_check, which are the queries of sql/checks, is empty. */
void
sim_judge_checks(sim_t *sim)
{
    int         i;
    sim_rows_t  found = sim_db_ask(sim->db, "EXECUTE checks", 0);

    for (i = 0; i < found.rows; i++) {
        sim_violation(sim, "sql/checks/%s.sql: %s",
                      sim_db_cell(sim->db, i, 0),
                      sim_db_cell(sim->db, i, 1));
    }
}
