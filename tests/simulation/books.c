/*
 * The end of a scenario, in money: what the gateway says of each capture,
 * refund and dispute, and its sums, beside what the PSPs' books say.  Where
 * people have been told that an outcome is not known they may differ by that.
 */

#include "cells.h"


#define CELLS  8

/* Whether a webhook i is rightly parked at the end: it takes back more than
 * has come to a checkout that may still be paid, and operators have a dead
 * letter of the webhook, and one of the checkout. */
#define IS_EARLY                                                              \
    "(i.state = 'parked' AND EXISTS (SELECT FROM pay.payment_order o WHERE "  \
    "o.merchant_id = i.merchant_id AND o.checkout_id = i.checkout_id HAVING " \
    "bool_or(o.authorized_minor > 0 OR o.status IN ('NOT_STARTED', "          \
    "'EXECUTING')) AND sum(o.captured_minor - o.refunding_minor - "           \
    "o.refunded_minor - o.charged_back_minor) < i.amount_minor) AND EXISTS "  \
    "(SELECT FROM pay.dead_letter d WHERE d.psp = i.psp AND d.event_id = "    \
    "i.event_id AND d.kind = 'parked' AND d.state IN ('open', 'resolved')) "  \
    "AND EXISTS (SELECT FROM pay.dead_letter d WHERE d.merchant_id = "        \
    "i.merchant_id AND d.checkout_id = i.checkout_id AND d.kind <> "          \
    "'late_success' AND d.state IN ('open', 'resolved')))"


static void judge_changes(sim_t *sim);
static void judge_change(sim_t *sim, const char *const *cell);
static const char *as_psp_says(const sim_move_t *move);
static void judge_moves(sim_t *sim, sim_psp_t *psp);
static void judge_ours(sim_t *sim, const sim_move_t *move);
static void judge_outside(sim_t *sim, const sim_move_t *move);
static void judge_dispute(sim_t *sim, const sim_move_t *move);
static int dispute_is_early(sim_t *sim, const sim_move_t *move);
static void judge_sums(sim_t *sim, sim_reg_t *reg);
static void judge_fees(sim_t *sim, const sim_psp_t *psp);
static const char *psp_name(sim_t *sim, const sim_psp_t *psp);


/* of a change */
enum {
    ID = 0, KIND, ORIGIN, STATUS, RETURNED, AMOUNT, REFERENCE, TOLD
};


void
sim_judge_money(sim_t *sim)
{
    unsigned    i;
    sim_reg_t  *reg;

    judge_changes(sim);

    for (i = 0; i < SIM_PSPS; i++) {
        if (!sim_psp_is_here(sim, i)) {
            continue;
        }

        judge_moves(sim, &sim->books[i]);
        judge_fees(sim, &sim->books[i]);

        for (reg = sim->books[i].regs; reg != NULL; reg = reg->next) {
            judge_sums(sim, reg);
        }
    }

    sim_judge_shares(sim);
}


/* TOLD: people know that it is open. */
static void
judge_changes(sim_t *sim)
{
    int           row, column;
    sim_rows_t    found;
    const char  **cells;

    found = sim_db_ask(sim->db, "SELECT c.change_id, c.kind, c.origin, "
        "c.status, c.returned, c.amount_minor, coalesce(c.reference, ''), "
        "EXISTS (SELECT FROM pay.dead_letter d WHERE d.merchant_id = "
        "c.merchant_id AND d.checkout_id = c.checkout_id AND d.kind = "
        "'change' AND d.operation_id = c.change_id AND d.state IN ('open', "
        "'resolved')) FROM pay.change c WHERE c.merchant_id = $1 ORDER BY "
        "c.created_at, c.change_id", 1, sim_text(sim, sim->merchant.id));

    cells = sim_alloc(sim, (size_t) (found.rows * CELLS + 1)
                           * sizeof(char *));

    for (row = 0; row < found.rows; row++) {
        for (column = 0; column < CELLS; column++) {
            cells[row * CELLS + column] = sim_text(sim,
                pay_str_of(sim_db_cell(sim->db, row, column)));
        }
    }

    for (row = 0; row < found.rows; row++) {
        judge_change(sim, &cells[row * CELLS]);
    }
}


/* A change of ours stands as the PSP says; one that the PSP does not know
 * was not done. */
static void
judge_change(sim_t *sim, const char *const *cell)
{
    unsigned     i;
    const char  *says = "nothing", *here;
    sim_move_t  *move = NULL;
    pay_str_t    nonce;

    here = *cell[RETURNED] == 't' ? "RETURNED" : cell[STATUS];

    if (strcmp(here, "NOT_STARTED") == 0 || strcmp(here, "EXECUTING") == 0) {
        if (*cell[TOLD] != 't') {
            sim_violation(sim, "I8: %s %s is %s at the end", cell[KIND],
                          cell[ID], here);
        }

        return;
    }

    if (strcmp(cell[KIND], "cancel") == 0
        || strcmp(cell[ORIGIN], "psp") == 0)
    {
        return;                  /* judged by what the PSP has */
    }

    nonce = sim_format(sim, "%s:%s", cell[ID], cell[KIND]);

    for (i = 0; i < SIM_PSPS && move == NULL; i++) {
        move = sim_money_find(&sim->books[i], nonce);
    }

    if (move != NULL) {
        says = as_psp_says(move);
    }

    /* of one that was done and came back, the end may be all that was heard:
     * the money is where it was before */
    if (strcmp(here, says) == 0
        || (move == NULL && strcmp(here, "FAILED") == 0)
        || (strcmp(says, "RETURNED") == 0 && strcmp(here, "FAILED") == 0))
    {
        return;
    }

    sim_violation(sim, "I3: %s %s of %s is %s here, the PSP says %s",
                  cell[KIND], cell[ID], cell[AMOUNT], here, says);
}


static const char *
as_psp_says(const sim_move_t *move)
{
    switch (move->state) {

    case SIM_MOVE_OPEN:
        return "EXECUTING";

    case SIM_MOVE_DONE:
        return "SUCCESS";

    case SIM_MOVE_FAILED:
        return "FAILED";

    default:
        return "RETURNED";
    }
}


static void
judge_moves(sim_t *sim, sim_psp_t *psp)
{
    const sim_move_t  *move;

    for (move = psp->moves; move != NULL; move = move->next) {
        if (move->kind == SIM_DISPUTE) {
            judge_dispute(sim, move);

        } else if (move->nonce.len != 0) {
            judge_ours(sim, move);

        } else {
            judge_outside(sim, move);
        }
    }
}


/* What we have asked for was written down before. */
static void
judge_ours(sim_t *sim, const sim_move_t *move)
{
    pay_str_t    id = move->nonce;
    sim_rows_t   found;
    const char  *colon = memchr(id.data, ':', id.len);

    id.len = colon ? (size_t) (colon - (const char *) id.data) : id.len;
    found = sim_db_ask(sim->db, "SELECT FROM pay.change WHERE merchant_id = "
        "$1 AND change_id = $2 AND amount_minor >= $3::text::bigint UNION "
        "ALL SELECT FROM pay.late_success l JOIN pay.dispatch d USING "
        "(merchant_id, checkout_id) WHERE merchant_id = $1 AND d.operation = "
        "'refund' AND d.operation_id = $2 AND l.amount_minor = "
        "$3::text::bigint UNION ALL "
        "SELECT FROM pay.dispatch WHERE merchant_id = $1 AND operation = "
        "'capture' AND operation_id = $2 AND NOT EXISTS (SELECT FROM "
        "pay.change WHERE merchant_id = $1 AND change_id = $2)", 3,
        sim_text(sim, sim->merchant.id), sim_text(sim, id),
        (const char *) sim_format(sim, "%" PRId64,
            move->kind == SIM_CANCEL ? 0 : move->minor).data);

    if (found.rows == 0) {
        sim_violation(sim, "I3: the PSP has %.*s, nobody here has asked for "
                      "it", pay_fmt(move->nonce));
    }
}


/* Somebody's at the PSP: a change of its own, or for people. */
static void
judge_outside(sim_t *sim, const sim_move_t *move)
{
    sim_rows_t  found;

    if (move->state == SIM_MOVE_FAILED) {
        return;
    }

    found = sim_db_ask(sim->db, "SELECT FROM pay.change WHERE merchant_id = "
        "$1 AND reference = $2 AND amount_minor = $3::text::bigint UNION "
        "ALL SELECT FROM pay.mismatch WHERE merchant_id = $1 AND object = $2 "
        "UNION ALL SELECT FROM pay.webhook_inbox i JOIN pay.late_success l "
        "USING (merchant_id, checkout_id) WHERE i.merchant_id = $1 AND "
        "i.about ->> 'object' = $2 UNION ALL SELECT FROM pay.webhook_inbox i "
        "JOIN pay.dead_letter d USING (psp, event_id) WHERE i.merchant_id = "
        "$1 AND i.about ->> 'object' = $2 AND d.kind = 'parked' AND d.state "
        "IN ('open', 'resolved')", 3, sim_text(sim, sim->merchant.id),
        sim_text(sim, move->id),
        (const char *) sim_format(sim, "%" PRId64, move->minor).data);

    if (found.rows == 0) {
        sim_violation(sim, "I6: nobody here knows of %.*s, a refund that was "
                      "made at the PSP", pay_fmt(move->id));
    }
}


static void
judge_dispute(sim_t *sim, const sim_move_t *move)
{
    sim_rows_t  found;

    static const char  *const states[] = {
        [SIM_MOVE_OPEN] = "open", [SIM_MOVE_DONE] = "lost",
        [SIM_MOVE_RETURNED] = "won"
    };

    found = sim_db_ask(sim->db, "SELECT FROM pay.dispute WHERE merchant_id = "
        "$1 AND dispute_id = $2 AND state = $3 GROUP BY dispute_id HAVING "
        "sum(amount_minor) = $4::text::bigint", 4,
        sim_text(sim, sim->merchant.id), sim_text(sim, move->id),
        states[move->state],
        (const char *) sim_format(sim, "%" PRId64, move->minor).data);

    if (found.rows != 1 && !dispute_is_early(sim, move)) {
        sim_violation(sim, "I3: dispute %.*s is %s at the PSP, and not here",
                      pay_fmt(move->id), states[move->state]);
    }
}


/* An operator has resolved the dead letter of the poll, so the gateway does not
 * learn of the payment: each webhook about the dispute is parked until it does,
 * and the last one, too, has arrived. */
static int
dispute_is_early(sim_t *sim, const sim_move_t *move)
{
    static const char  *const facts[] = {
        [SIM_MOVE_OPEN] = "dispute.opened", [SIM_MOVE_DONE] = "dispute.lost",
        [SIM_MOVE_RETURNED] = "dispute.won"
    };

    return sim_db_ask(sim->db, "SELECT FROM pay.webhook_inbox i WHERE "
        "i.merchant_id = $1 AND i.about ->> 'about' = 'dispute' AND i.about "
        "->> 'object' = $2 HAVING bool_and(" IS_EARLY " AND i.amount_minor = "
        "$4::text::bigint) AND bool_or(i.fact = $3) AND NOT EXISTS (SELECT "
        "FROM pay.dispute p WHERE p.merchant_id = $1 AND p.dispute_id = $2)",
        4, sim_text(sim, sim->merchant.id), sim_text(sim, move->id),
        facts[move->state],
        (const char *) sim_format(sim, "%" PRId64, move->minor).data
        ).rows == 1;
}


/* I4: the journal has what the PSP has. */
static void
judge_sums(sim_t *sim, sim_reg_t *reg)
{
    int64_t  taken, back, held;

    if (sim_reg_is_open(sim, reg)) {
        return;
    }

    (void) sim_db_ask(sim->db, "SELECT coalesce(sum(e.amount_minor) FILTER "
        "(WHERE e.kind IN ('sale', 'late_held')), 0), "
        "coalesce(sum(CASE WHEN e.kind IN ('refund_returned', "
        "'late_refund_returned', 'unknown_refund_cleared') THEN "
        "-e.amount_minor ELSE e.amount_minor END) FILTER (WHERE e.kind IN "
        "('refund', 'refund_external', 'refund_returned', 'unknown_refund', "
        "'unknown_refund_cleared', 'late_refunded', 'late_refund_returned')), "
        "0), coalesce(sum(CASE e.kind WHEN 'authorized' "
        "THEN e.amount_minor WHEN 'unauthorized' THEN -e.amount_minor END), "
        "0) FROM pay.checkout c JOIN pay.journal_entry e "
        "USING (merchant_id, checkout_id) WHERE c.merchant_id = $1 AND "
        "c.checkout_uuid = $2::text::uuid", 2,
        sim_text(sim, sim->merchant.id), sim_text(sim, reg->reference));

    taken = strtoll(sim_db_cell(sim->db, 0, 0), NULL, 10);
    back = strtoll(sim_db_cell(sim->db, 0, 1), NULL, 10);

    held = strtoll(sim_db_cell(sim->db, 0, 2), NULL, 10);

    if (taken != reg->captured || back != reg->refunded || held != reg->held) {
        sim_violation(sim, "I4: %.*s: the PSP has taken %" PRId64 ", paid "
                      "back %" PRId64 " and holds %" PRId64 ", the journal "
                      "says %" PRId64 ", %" PRId64 " and %" PRId64,
                      pay_fmt(reg->token), reg->captured, reg->refunded,
                      reg->held, taken, back, held);
    }
}


/* People have been told that something about it is not known. */
int
sim_reg_is_open(sim_t *sim, const sim_reg_t *reg)
{
    return sim_db_ask(sim->db, "SELECT FROM pay.checkout c JOIN "
        "pay.dead_letter d USING (merchant_id, checkout_id) WHERE "
        "c.merchant_id = $1 AND c.checkout_uuid = $2::text::uuid AND d.state "
        "IN ('open', 'resolved') AND d.kind <> 'late_success'", 2,
        sim_text(sim, sim->merchant.id),
        sim_text(sim, reg->reference)).rows != 0;
}


/* The fee in a parked webhook is booked when the webhook is applied. */
static void
judge_fees(sim_t *sim, const sim_psp_t *psp)
{
    int64_t  booked, early, charged;

    (void) sim_db_ask(sim->db, "SELECT coalesce(sum(CASE e.kind WHEN "
        "'psp_fee' THEN e.amount_minor ELSE -e.amount_minor END), 0), "
        "(SELECT coalesce(sum((i.about ->> 'fee_minor')::bigint), 0) FROM "
        "pay.webhook_inbox i WHERE i.merchant_id = $1 AND i.psp = $2 AND "
        IS_EARLY ") FROM "
        "pay.journal_entry e WHERE e.merchant_id = $1 AND e.psp = $2 AND "
        "e.kind IN ('psp_fee', 'psp_fee_returned') AND e.currency = 'EUR'", 2,
        sim_text(sim, sim->merchant.id), psp_name(sim, psp));
    booked = strtoll(sim_db_cell(sim->db, 0, 0), NULL, 10);
    early = strtoll(sim_db_cell(sim->db, 0, 1), NULL, 10);

    charged = psp->fees + sim_settled_fees(sim, psp);

    if (booked + early != charged) {
        sim_violation(sim, "I4: psp %u has charged %" PRId64 ", the journal "
                      "says %" PRId64 ", and %" PRId64 " is parked",
                      psp->index, charged, booked, early);
    }
}


static const char *
psp_name(sim_t *sim, const sim_psp_t *psp)
{
    return sim_text(sim, sim->psps[psp->index].name);
}
