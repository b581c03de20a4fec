/*
 * Money that is held while a review is open: an approval has the whole amount
 * captured, each order once, and nobody else has any of it captured.
 */

#include "risk.h"


/* The columns of sim_judge_held(). */
enum {
    HELD_UUID = 0, HELD_STATE, HELD_TOTAL, HELD_ORDERS, HELD_CAPTURES,
    HELD_COLUMNS
};


static void judge_hold(sim_t *sim, const char *const *cell);
static unsigned asked_captures(sim_t *sim, const char *reference,
    int64_t *minor);


/* Of money that is held for a review which has ended: its capture is begun, or
 * its release, unless a change of the storefront's is under way. */
void
sim_judge_review(sim_t *sim, const char *review)
{
    int         i;
    sim_rows_t  found;

    found = sim_db_ask(sim->db, "SELECT o.payment_order_id, r.state FROM "
        "pay.risk_review r JOIN pay.payment_order o USING (merchant_id, "
        "checkout_id) WHERE r.merchant_id = $1 AND r.captures AND r.state IN "
        "('approved', 'rejected') AND o.authorized_minor > 0 AND NOT EXISTS "
        "(SELECT FROM pay.change x WHERE x.merchant_id = o.merchant_id AND "
        "x.checkout_id = o.checkout_id AND (x.status IN ('NOT_STARTED', "
        "'EXECUTING') OR CASE r.state WHEN 'approved' THEN x.kind = 'capture' "
        "AND x.payment_order_id = o.payment_order_id ELSE x.kind = 'cancel' "
        "END)) AND (r.review_id = $2::bigint OR $2 IS NULL)", 2,
        sim_text(sim, sim->merchant.id), review);

    for (i = 0; i < found.rows; i++) {
        sim_violation(sim, "risk: %s is %s and held, and nothing is done",
                      sim_db_cell(sim->db, i, 0), sim_db_cell(sim->db, i, 1));
    }
}


/* Of storefronts that want their money at once, where a PSP can hold it.  The
 * word of a PSP about the card, or a person, may open an approved review again:
 * its captures stand. */
void
sim_judge_held(sim_t *sim)
{
    int          row, column;
    sim_rows_t   found;
    const char  *cells[HELD_COLUMNS];

    found = sim_db_ask(sim->db, "SELECT c.checkout_uuid, CASE WHEN EXISTS ("
        "SELECT FROM pay.risk_review_act a WHERE a.review_id = r.review_id AND "
        "a.act = 'approved') THEN 'approved' ELSE r.state END, "
        "sum(o.amount_minor), count(*), sum((SELECT count(*) FROM pay.change "
        "x WHERE x.merchant_id = o.merchant_id AND x.checkout_id = "
        "o.checkout_id AND x.payment_order_id = o.payment_order_id AND x.kind "
        "= 'capture' AND x.origin = 'merchant')) FROM pay.risk_review r "
        "JOIN pay.checkout c USING (merchant_id, checkout_id) JOIN "
        "pay.payment_order o USING (merchant_id, checkout_id) WHERE "
        "r.merchant_id = $1 AND r.captures GROUP BY 1, 2 ORDER BY 1", 1,
        sim_text(sim, sim->merchant.id));

    for (row = 0; row < found.rows; row++) {
        for (column = 0; column < HELD_COLUMNS; column++) {
            cells[column] = sim_db_cell(sim->db, row, column);
        }

        judge_hold(sim, cells);
    }
}


/* An approval has the whole amount captured, each order once; nobody else has
 * any of it captured. */
static void
judge_hold(sim_t *sim, const char *const *cell)
{
    int64_t   minor;
    unsigned  asked = asked_captures(sim, cell[HELD_UUID], &minor);

    sim->figures.holds++;

    if (strcmp(cell[HELD_STATE], "approved") != 0) {
        if (asked != 0 || strcmp(cell[HELD_CAPTURES], "0") != 0) {
            sim_violation(sim, "risk: %s is %s, and is captured",
                          cell[HELD_UUID], cell[HELD_STATE]);
        }

    } else if (atoll(cell[HELD_CAPTURES]) > atoll(cell[HELD_ORDERS])
               || (asked == (unsigned) atoll(cell[HELD_ORDERS])
                   && minor != atoll(cell[HELD_TOTAL])))
    {
        sim_violation(sim, "risk: %s has %s captures of %s orders, and of "
                      "%" PRId64 " of %s", cell[HELD_UUID],
                      cell[HELD_CAPTURES], cell[HELD_ORDERS], minor,
                      cell[HELD_TOTAL]);
    }
}


/* Those that PSPs were asked for, and have begun. */
static unsigned
asked_captures(sim_t *sim, const char *reference, int64_t *minor)
{
    unsigned           k, count = 0;
    const sim_move_t  *move;

    *minor = 0;

    for (k = 0; k < SIM_PSPS; k++) {
        for (move = sim->books[k].moves; move != NULL; move = move->next) {
            if (move->kind == SIM_CAPTURE && move->nonce.len != 0
                && pay_str_is(move->reg->reference, reference))
            {
                count++;
                *minor += move->minor;
            }
        }
    }

    sim->figures.held_captures += count;

    return count;
}
