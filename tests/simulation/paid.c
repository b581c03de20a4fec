/*
 * What must be true of pay-outs, beside the providers' books (P1 to P6,
 * docs/payouts.md): before a call leaves it is in the journal; the same lines
 * are paid once; at the end each item is what became of its payment.
 */

#include "payout.h"


#define KEY_OF_LINES  32       /* of a key, before the attempt */


static int is_of_key(const sim_paid_t *one, const sim_paid_t *other);
static int is_live(const sim_paid_t *paid);
static void judge_item(sim_t *sim, int row);
static void judge_sums(sim_t *sim);
static void judge_books(sim_t *sim);
static const char *among(const char *state, const char *const *states);


/* P1: a call that may move money was journaled before, as one to the provider
 * of its item. */
void
sim_judge_payout_call(sim_t *sim, const sim_sent_t *sent)
{
    long               calls = 1, sends;
    const sim_sent_t  *other;

    if (sent->call != PAY_CALL_PAYOUT_SEND) {
        return;
    }

    for (other = sim->sent; other != NULL; other = other->next) {
        calls += other->psp->index >= SIM_PSPS
                 && pay_str_eq(other->key, sent->key);
    }

    (void) sim_db_ask(sim->db, "SELECT count(*) FROM pay.payout_dispatch d "
        "JOIN pay.payout p USING (merchant_id, payout_id) WHERE "
        "d.merchant_id = $1 AND d.call = 'send' AND p.provider = $3 AND "
        "concat(p.payout_key, '-', p.attempt) = $2", 3,
        sim_text(sim, sim->merchant.id), sim_text(sim, sent->key),
        sim_payers[sent->psp->index - SIM_PSPS]);
    sends = strtol(sim_db_cell(sim->db, 0, 0), NULL, 10);

    if (calls > sends) {
        sim_violation(sim, "P1: call %ld of %.*s leaves, the journal has %ld",
                      calls, pay_fmt(sent->key), sends);
    }
}


/* P2: no line is paid while an earlier payment of it may live, under whatever
 * key, and by whichever provider. */
void
sim_judge_payment(sim_t *sim, const sim_paid_t *paid)
{
    int                i;
    sim_rows_t         found;
    const sim_paid_t  *other;

    found = sim_db_ask(sim->db, "SELECT DISTINCT concat(o.payout_key, '-', "
        "o.attempt) FROM pay.payout p JOIN pay.payout_part t USING "
        "(merchant_id, payout_id) JOIN pay.payout_part u ON u.merchant_id = "
        "t.merchant_id AND u.seller_account = t.seller_account AND "
        "u.currency = t.currency AND u.wallet_seq = t.wallet_seq JOIN "
        "pay.payout o ON o.merchant_id = u.merchant_id AND o.payout_id = "
        "u.payout_id WHERE p.merchant_id = $1 AND concat(p.payout_key, '-', "
        "p.attempt) = $2", 2, sim_text(sim, sim->merchant.id),
        sim_text(sim, paid->key));

    for (other = paid->next; other != NULL; other = other->next) {
        for (i = 0; i < found.rows; i++) {
            if (pay_str_is(other->key, sim_db_cell(sim->db, i, 0))) {
                break;
            }
        }

        if (is_live(other) && (i < found.rows || is_of_key(paid, other))) {
            sim_violation(sim, "P2: %.*s is paid by %s while %.*s of %s is "
                          "%s", pay_fmt(paid->key), sim_payers[paid->payer],
                          pay_fmt(other->key), sim_payers[other->payer],
                          other->status);
        }
    }
}


/* Under whatever attempt. */
static int
is_of_key(const sim_paid_t *one, const sim_paid_t *other)
{
    return one->key.len > KEY_OF_LINES && other->key.len > KEY_OF_LINES
           && memcmp(one->key.data, other->key.data, KEY_OF_LINES) == 0;
}


static int
is_live(const sim_paid_t *paid)
{
    return !paid->is_back && strcmp(paid->status, "failed") != 0
           && strcmp(paid->status, "cancelled") != 0;
}


/* P2: no line is in two items that live; P3: the ledger has as much under way,
 * and as much paid, as the items. */
void
sim_judge_items(sim_t *sim)
{
    int         i;
    sim_rows_t  found;

    found = sim_db_ask(sim->db, "SELECT concat_ws(' ', 'P2: line', "
        "t.currency, t.wallet_seq, 'is in', count(*), 'live items') FROM "
        "pay.payout_part t JOIN pay.payout p USING (merchant_id, payout_id) "
        "WHERE t.merchant_id = $1 AND p.state NOT IN ('cancelled', 'failed', "
        "'returned') GROUP BY t.seller_account, t.currency, t.wallet_seq "
        "HAVING count(*) > 1 "

        "UNION ALL SELECT concat_ws(' ', 'P3:', currency, 'has', l.paying, "
        "'under way and', l.cleared, 'paid, its items', i.paying, i.cleared) "
        "FROM (SELECT currency, coalesce(-sum(amount_minor) FILTER (WHERE "
        "account = 'seller_paying'), 0) AS paying, coalesce(-sum("
        "amount_minor) FILTER (WHERE account = 'payout_clearing'), 0) AS "
        "cleared FROM pay.journal_line WHERE merchant_id = $1 GROUP BY 1) l "
        "FULL JOIN (SELECT currency, coalesce(sum(amount_minor) FILTER "
        "(WHERE state IN ('draft', 'held', 'ready', 'approved', 'sending', "
        "'unknown')), 0) AS paying, coalesce(sum(amount_minor) FILTER (WHERE "
        "state IN ('sent', 'paid', 'settled')), 0) AS cleared FROM "
        "pay.payout WHERE merchant_id = $1 GROUP BY 1) i USING (currency) "
        "WHERE (coalesce(l.paying, 0), coalesce(l.cleared, 0)) <> "
        "(coalesce(i.paying, 0), coalesce(i.cleared, 0))", 1,
        sim_text(sim, sim->merchant.id));

    for (i = 0; i < found.rows; i++) {
        sim_violation(sim, "%s", sim_db_cell(sim->db, i, 0));
    }
}


void
sim_judge_payouts(sim_t *sim)
{
    int                i;
    sim_rows_t         found;
    const sim_paid_t  *paid;

    if (sim->payouts == NULL) {
        return;
    }

    found = sim_db_ask(sim->db, "SELECT concat(payout_key, '-', attempt), "
        "state, (amount_minor / 10.0 ^ k.exponent)::numeric(20, 4), currency "
        "FROM pay.payout p JOIN pay.currency k ON k.code = p.currency WHERE "
        "merchant_id = $1 ORDER BY 1", 1, sim_text(sim, sim->merchant.id));

    sim->figures.items += (unsigned) found.rows;

    for (i = 0; i < found.rows; i++) {
        judge_item(sim, i);
    }

    for (paid = sim->payouts->paid; paid != NULL; paid = paid->next) {
        found = sim_db_ask(sim->db, "SELECT FROM pay.payout WHERE "
            "merchant_id = $1 AND concat(payout_key, '-', attempt) = $2 AND "
            "provider = $3", 3, sim_text(sim, sim->merchant.id),
            sim_text(sim, paid->key), sim_payers[paid->payer]);

        if (found.rows != 1) {
            sim_violation(sim, "P3: %s has %.*s, which is no item of it",
                          sim_payers[paid->payer], pay_fmt(paid->key));
        }
    }

    judge_sums(sim);
    judge_books(sim);
    sim_judge_requests(sim);
}


/* P3: an item is paid once or not at all, and says so. */
static void
judge_item(sim_t *sim, int row)
{
    int                right;
    unsigned           count = 0, live = 0;
    const char        *key = sim_db_cell(sim->db, row, 0);
    const char        *state = sim_db_cell(sim->db, row, 1);
    const char        *minor = sim_db_cell(sim->db, row, 2);
    const sim_paid_t  *paid, *last = NULL;

    static const char *const  left[] = { "paid", "settled", NULL };
    static const char *const  open[] = { "sending", "unknown", "sent", NULL };

    for (paid = sim->payouts->paid; paid != NULL; paid = paid->next) {
        if (pay_str_is(paid->key, key)) {
            last = paid;
            count++;
            live += (unsigned) is_live(paid);
        }
    }

    if (among(state, open)) {
        sim_violation(sim, "P4: %s is still %s, the provider has it %s", key,
                      state, last != NULL ? last->status : "not");
        return;
    }

    right = among(state, left) ? live == 1 && last->has_left
            : strcmp(state, "returned") == 0 ? live == 0 && count == 1
                                               && last->is_back
            : live == 0 && (last == NULL || !last->has_left);

    if (!right || count > 1) {
        sim_violation(sim, "P3: %s is %s, the provider has %u, the last one "
                      "%s", key, state, count,
                      last != NULL ? last->status : "not");
    }

    if (last != NULL && strtod((const char *) last->amount.data, NULL)
                        != strtod(minor, NULL))
    {
        sim_violation(sim, "P3: %s has %s %s, the provider %.*s", key, minor,
                      sim_db_cell(sim->db, row, 3), pay_fmt(last->amount));
    }
}


/* P3: what has left by the ledger is what is paid. */
static void
judge_sums(sim_t *sim)
{
    int         i;
    sim_rows_t  found;

    found = sim_db_ask(sim->db, "SELECT coalesce(l.currency, p.currency), "
        "l.minor, p.minor FROM (SELECT currency, -sum(amount_minor) AS minor "
        "FROM pay.journal_line WHERE merchant_id = $1 AND account = "
        "'payout_clearing' GROUP BY currency) l FULL JOIN (SELECT currency, "
        "sum(amount_minor) AS minor FROM pay.payout WHERE merchant_id = $1 "
        "AND state IN ('sent', 'paid', 'settled') GROUP BY currency) p USING "
        "(currency) WHERE coalesce(l.minor, 0) <> coalesce(p.minor, 0)", 1,
        sim_text(sim, sim->merchant.id));

    for (i = 0; i < found.rows; i++) {
        sim_violation(sim, "P3: %s: the ledger has paid out %s, items %s",
                      sim_db_cell(sim->db, i, 0), sim_db_cell(sim->db, i, 1),
                      sim_db_cell(sim->db, i, 2));
    }
}


/* P3: it is also what the providers have paid, by their own books, and what has
 * not come back. */
static void
judge_books(sim_t *sim)
{
    unsigned           i, k;
    int64_t            minor, books;
    const sim_paid_t  *paid;

    for (i = 0; i < SIM_CURRENCIES; i++) {
        books = 0;

        for (paid = sim->payouts->paid; paid != NULL; paid = paid->next) {
            if (!is_live(paid) || !paid->has_left
                || !pay_str_is(paid->currency, sim_currencies[i].code))
            {
                continue;
            }

            minor = 1;

            for (k = 0; k < sim_currencies[i].decimals; k++) {
                minor *= 10;
            }

            books += (int64_t) (strtod((const char *) paid->amount.data, NULL)
                                * (double) minor + 0.5);
        }

        (void) sim_db_ask(sim->db, "SELECT coalesce(-sum(amount_minor), 0) "
            "FROM pay.journal_line WHERE merchant_id = $1 AND account = "
            "'payout_clearing' AND currency = $2", 2,
            sim_text(sim, sim->merchant.id), sim_currencies[i].code);

        if (strtoll(sim_db_cell(sim->db, 0, 0), NULL, 10) != books) {
            sim_violation(sim, "P3: the ledger has paid out %s %s, the "
                          "providers %" PRId64, sim_db_cell(sim->db, 0, 0),
                          sim_currencies[i].code, books);
        }
    }
}


static const char *
among(const char *state, const char *const *states)
{
    for ( ; *states != NULL; states++) {
        if (strcmp(*states, state) == 0) {
            return *states;
        }
    }

    return NULL;
}
