/*
 * Of the books, at every step: behind each operation that may have booked
 * something the journal sums to nothing in each currency, each wallet is the
 * sum of its lines, no order has paid back more than it has captured, and its
 * money is what was booked of it, in this very transaction (I4).
 */

#include "sim.h"


static int may_book(const sim_call_t *call);
static void count_pages(sim_t *sim, const sim_call_t *call);
static void judge_parked(sim_t *sim);


/* $1: the merchant.  Refunds so small that their sellers' share is nothing
 * reserve nothing: those of converted orders are judged by their shares. */
static const char  question[] =
    "SELECT 'the journal is off by ' || sum(l.amount_minor) || ' ' || "
    "l.currency FROM pay.journal_line l WHERE l.merchant_id = $1 GROUP BY "
    "l.currency HAVING sum(l.amount_minor) <> 0 "

    "UNION ALL SELECT concat_ws(' ', 'the wallet of', w.seller_account, "
    "w.currency, w.available_minor, w.pending_minor, w.reserved_minor, "
    "'is not what its lines come to') FROM pay.wallet w LEFT JOIN (SELECT "
    "l.owner, l.currency, -sum(l.amount_minor) FILTER (WHERE l.account = "
    "'seller_available') AS available, -sum(l.amount_minor) FILTER (WHERE "
    "l.account = 'seller_pending') AS pending, -sum(l.amount_minor) FILTER "
    "(WHERE l.account IN ('seller_reserved', 'seller_paying')) AS reserved "
    "FROM pay.journal_line l WHERE l.merchant_id = $1 GROUP BY 1, 2) s ON "
    "s.owner = w.seller_account AND s.currency = w.currency WHERE "
    "w.merchant_id = $1 AND (w.available_minor, w.pending_minor, "
    "w.reserved_minor) <> (coalesce(s.available, 0), "
    "coalesce(s.pending, 0), coalesce(s.reserved, 0)) "

    "UNION ALL SELECT concat_ws(' ', o.payment_order_id, 'has', "
    "o.authorized_minor, o.captured_minor, o.refunding_minor, "
    "o.refunded_minor, 'of', o.amount_minor, 'and in the journal', "
    "e.authorized, e.captured, e.refunding, e.refunded) FROM "
    "pay.payment_order o CROSS JOIN LATERAL (SELECT coalesce(sum(CASE e.kind "
    "WHEN 'authorized' THEN e.amount_minor WHEN 'unauthorized' THEN "
    "-e.amount_minor END), 0) AS authorized, coalesce(sum(e.amount_minor) "
    "FILTER (WHERE e.kind IN ('sale', 'late_accepted')), 0) AS captured, "
    "coalesce(sum(CASE e.kind WHEN 'refund_reserved' THEN e.amount_minor "
    "WHEN 'refund' THEN -e.amount_minor WHEN 'refund_released' THEN "
    "-e.amount_minor END), 0) AS refunding, coalesce(sum(CASE e.kind WHEN "
    "'refund' THEN e.amount_minor WHEN 'refund_external' THEN e.amount_minor "
    "WHEN 'refund_returned' THEN -e.amount_minor END), 0) AS refunded FROM "
    "pay.journal_entry e WHERE e.merchant_id = o.merchant_id AND "
    "e.checkout_id = o.checkout_id AND e.payment_order_id = "
    "o.payment_order_id) e WHERE o.merchant_id = $1 AND "
    "((o.authorized_minor, o.captured_minor, o.refunded_minor) <> "
    "(e.authorized, e.captured, e.refunded) OR o.refunding_minor <> "
    "e.refunding AND o.credit_currency IS NULL OR o.authorized_minor + "
    "o.captured_minor > o.amount_minor OR o.refunding_minor + "
    "o.refunded_minor > o.captured_minor)";


void
sim_judge_step(sim_t *sim, sim_call_t **calls, unsigned count)
{
    int       books = 0;
    unsigned  i;

    for (i = 0; i < count; i++) {
        if (calls[i]->result.outcome == PAY_OUTCOME_NONE) {
            continue;
        }

        books |= may_book(calls[i]);
        count_pages(sim, calls[i]);

        if (calls[i]->op == PAY_OP_END_RATES) {
            sim_rates_stored(sim, calls[i]);
        }

        if (calls[i]->result.outcome == PAY_OUTCOME_RATE_MISSING
            && sim_rates_median(sim, 1, sim->env.rate_age_s * SIM_S) != 0)
        {
            sim_violation(sim, "a rate is said to be missing");
        }
    }

    if (sim->risk != NULL && calls[0]->op == PAY_OP_BEGIN_PAYMENT) {
        sim_judge_decided(sim, calls, count);
    }

    if (sim->risk != NULL && calls[0]->result.outcome == PAY_OUTCOME_SWEPT) {
        sim_judge_review(sim, NULL);
    }

    if (books) {
        sim_judge_now(sim);
        judge_parked(sim);
    }
}


static int
may_book(const sim_call_t *call)
{
    size_t  i;

    static const struct {
        pay_op_id_t    op;
        pay_outcome_t  outcome;          /* PAY_OUTCOME_NONE: any */
    } words[] = {
        { PAY_OP_BEGIN_PAYMENT, PAY_OUTCOME_CREATED },
        { PAY_OP_BEGIN_PAYMENT, PAY_OUTCOME_WAITING },
        { PAY_OP_BEGIN_PAYMENT, PAY_OUTCOME_BLOCKED },
        { PAY_OP_STORE_TOKEN, PAY_OUTCOME_NONE },
        { PAY_OP_APPLY_EVENT, PAY_OUTCOME_APPLIED },
        { PAY_OP_APPLY_EVENT, PAY_OUTCOME_MISMATCH },
        { PAY_OP_APPLY_CHANGE, PAY_OUTCOME_APPLIED },
        { PAY_OP_APPLY_CHANGE, PAY_OUTCOME_MISMATCH },
        { PAY_OP_BEGIN_CHANGE, PAY_OUTCOME_CREATED },
        { PAY_OP_END_DISPATCH, PAY_OUTCOME_NONE },
        { PAY_OP_FINISH_JOB, PAY_OUTCOME_NONE },
        { PAY_OP_ADVANCE_SETTLEMENT, PAY_OUTCOME_NONE },
        { PAY_OP_END_PAYOUT_CALL, PAY_OUTCOME_NONE },
        { PAY_OP_TELL_PAYOUT_EVENT, PAY_OUTCOME_APPLIED },
        { PAY_OP_MAKE_PAYOUT, PAY_OUTCOME_CREATED },
        { PAY_OP_ACT_ON_PAYOUT_BATCH, PAY_OUTCOME_DONE },
        { PAY_OP_MAKE_DUE_PAYOUTS, PAY_OUTCOME_AGAIN }
    };

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (words[i].op == call->op
            && (words[i].outcome == PAY_OUTCOME_NONE
                || words[i].outcome == call->result.outcome))
        {
            return 1;
        }
    }

    return 0;
}


static void
count_pages(sim_t *sim, const sim_call_t *call)
{
    pay_outcome_t  outcome = call->result.outcome;

    sim->figures.closing += call->op == PAY_OP_BEGIN_PAYMENT
                            && outcome == PAY_OUTCOME_WAITING;
    sim->figures.replaced += call->op == PAY_OP_RELEASE_REPLACEMENT
                             && outcome == PAY_OUTCOME_RELEASED;
}


void
sim_judge_now(sim_t *sim)
{
    int         i;
    sim_rows_t  found;

    sim->figures.judged++;
    found = sim_db_ask(sim->db, question, 1,
                       sim_text(sim, sim->merchant.id));

    for (i = 0; i < found.rows; i++) {
        sim_violation(sim, "I4: %s", sim_db_cell(sim->db, i, 0));
    }

    if (sim->source_count != 0) {
        sim_judge_credits(sim);
    }

    if (sim->payouts != NULL) {
        sim_judge_items(sim);
    }
}


/* I6: what came before its token, or before the money that it takes back, is
 * heard with it.  At the end it would be too late to look: an hour later an
 * operator has a dead letter of the webhook, and has it applied. */
static void
judge_parked(sim_t *sim)
{
    sim_rows_t  found;

    found = sim_db_ask(sim->db, "SELECT w.event_id FROM "
                       "pay_check.webhook_parked w", 0);

    if (found.rows != 0) {
        sim_violation(sim, "I6: webhook %s waits, and its token or its money "
                      "has come", sim_db_cell(sim->db, 0, 0));
    }
}
