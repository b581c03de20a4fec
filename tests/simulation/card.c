/*
 * Cards: the words of model PSPs about them in webhooks, and the truths about
 * the decisions that the gateway makes then.  Each attempt counts once, however
 * often its events come; beyond the limit each sale is decided about; and the
 * money of a voided checkout is back at the end.
 */

#include "risk.h"


#define CARDS  3


static void judge_attempts(sim_t *sim);
static void judge_money_back(sim_t *sim);


void
sim_cards_plan(sim_t *sim)
{
    sim_risk_t  *risk = sim->risk;

    risk->conf.voids = sim_chance(sim, 500);

    if (pay_risk_after(pay_heap_arena(sim->heap), &risk->conf,
                       &risk->conf.after) != PAY_OK)
    {
        sim_die("no terms of cards");
    }
}


/* One card for each page, which is no draw. */
pay_str_t
sim_card_member(sim_t *sim, const sim_reg_t *reg, const char *type)
{
    size_t    i;
    unsigned  sum = 0;

    if (sim->risk == NULL
        || (strcmp(type, "paid") != 0 && strcmp(type, "authorized") != 0
            && strcmp(type, "declined") != 0))
    {
        return PAY_STR("");
    }

    for (i = 0; i < reg->token.len; i++) {
        sum += reg->token.data[i];
    }

    return sim_format(sim, ",\"risk\":{\"card\":\"card-%u\"}", sum % CARDS);
}


void
sim_judge_cards(sim_t *sim)
{
    sim_rows_t  found;

    judge_attempts(sim);
    judge_money_back(sim);

    found = sim_db_ask(sim->db, "SELECT count(*) FILTER (WHERE a.effect = "
        "'hold'), count(*) FILTER (WHERE a.effect = 'void') FROM "
        "pay.risk_after a WHERE a.merchant_id = $1", 1,
        sim_text(sim, sim->merchant.id));

    if (found.rows == 1) {
        sim->figures.card_holds += strtoull(sim_db_cell(sim->db, 0, 0), NULL,
                                            10);
        sim->figures.card_voids += strtoull(sim_db_cell(sim->db, 0, 1), NULL,
                                            10);
    }
}


/* Behind the limit of a day an attempt is decided about, unless it was
 * declined. */
static void
judge_attempts(sim_t *sim)
{
    int                i;
    sim_rows_t         found;
    const sim_term_t  *term = &sim->risk->velocity[SIM_BY_CARD];

    found = sim_db_ask(sim->db, "WITH w AS (SELECT c.card, count(*) AS n, "
        "count(*) FILTER (WHERE c.is_declined) AS d FROM pay.risk_card c "
        "WHERE c.merchant_id = $1 AND c.checkout_id IS NOT NULL AND c.card IS "
        "NOT NULL GROUP BY 1), k AS (SELECT r.value, sum(r.attempts) AS n, "
        "sum(r.declines) AS d FROM pay.risk_counter r WHERE r.merchant_id = "
        "$1 AND r.kind = 'card' GROUP BY 1), a AS (SELECT c.card, count(*) AS "
        "n, count(DISTINCT c.attempt) AS attempts FROM pay.risk_after x JOIN "
        "pay.risk_card c USING (psp, attempt) WHERE x.merchant_id = $1 GROUP "
        "BY 1) SELECT coalesce(w.n, 0), coalesce(w.d, 0), coalesce(k.n, 0), "
        "coalesce(k.d, 0), coalesce(a.n, 0) FROM w FULL JOIN k ON k.value = "
        "w.card LEFT JOIN a ON a.card = w.card WHERE CASE WHEN $2 = '1' THEN "
        "(w.n, w.d) IS DISTINCT FROM (k.n, k.d) OR coalesce(a.n, 0) NOT "
        "BETWEEN w.n - w.d - $3::int AND greatest(w.n - $3::int, 0) OR a.n <> "
        "a.attempts ELSE k.n IS NOT NULL OR a.n IS NOT NULL END", 3,
        sim_text(sim, sim->merchant.id), term->is_there ? "1" : "0",
        (const char *) sim_format(sim, "%d", (int) term->limit).data);

    for (i = 0; i < found.rows; i++) {
        sim_violation(sim, "risk: a card was in %s attempts, %s declined; %s "
                      "and %s are counted, and %s decided about",
                      sim_db_cell(sim->db, i, 0), sim_db_cell(sim->db, i, 1),
                      sim_db_cell(sim->db, i, 2), sim_db_cell(sim->db, i, 3),
                      sim_db_cell(sim->db, i, 4));
    }
}


/* Of a checkout that was voided for its card, or that a reviewer has rejected.
 * Unless the PSP has refused to give it back, which operators know.  Money in a
 * dispute cannot be refunded, and is the merchant's when the dispute is won. */
static void
judge_money_back(sim_t *sim)
{
    int         i;
    sim_rows_t  found;

    found = sim_db_ask(sim->db, "SELECT a.checkout_id, r.state FROM (SELECT "
        "merchant_id, checkout_id FROM pay.risk_after WHERE effect = 'void' "
        "UNION SELECT merchant_id, checkout_id FROM pay.risk_review WHERE "
        "state = 'rejected') a LEFT JOIN pay.risk_review r USING "
        "(merchant_id, checkout_id) WHERE a.merchant_id = $1 AND "
        "(r.state IS NULL OR r.state = 'rejected' AND EXISTS (SELECT FROM "
        "pay.payment_order o WHERE o.merchant_id = a.merchant_id AND "
        "o.checkout_id = a.checkout_id AND (o.authorized_minor > 0 OR "
        "o.captured_minor > o.refunded_minor + o.charged_back_minor + "
        "coalesce((SELECT sum(d.amount_minor) FROM pay.dispute d WHERE "
        "d.merchant_id = o.merchant_id AND d.checkout_id = o.checkout_id AND "
        "coalesce(d.payment_order_id, o.payment_order_id) = "
        "o.payment_order_id AND d.state = 'won'), 0))) AND NOT "
        "EXISTS (SELECT FROM pay.change c WHERE c.merchant_id = a.merchant_id "
        "AND c.checkout_id = a.checkout_id AND c.status = 'FAILED') AND NOT "
        "EXISTS (SELECT FROM pay.dead_letter d WHERE d.merchant_id = "
        "a.merchant_id AND d.checkout_id = a.checkout_id AND d.state IN "
        "('open', 'resolved')))", 1, sim_text(sim, sim->merchant.id));

    for (i = 0; i < found.rows; i++) {
        sim_violation(sim, "risk: %s has ended (%s), and its money is not "
                      "back", sim_db_cell(sim->db, i, 0),
                      sim_db_cell(sim->db, i, 1));
    }
}
