/*
 * Orders whose sellers are owed another currency, as the model counts: each
 * is quoted by the median of that moment, sold by its quote or, when that is
 * over, by the rate of the day; and the parts of what was captured, held,
 * paid back and disputed sum to the whole, halves to even.
 */

#include "sim.h"


#define PARTS_MAX  64


/* A refund or a dispute of an order. */
typedef struct {
    pay_str_t  id;
    int64_t    minor, seller;
    int        is_over;                  /* it takes nothing any more */
} part_t;

typedef struct {
    pay_str_t     order;
    int64_t       amount, credit;
    part_t        parts[PARTS_MAX];
    unsigned      count;
} shares_t;


static void judge_credit(sim_t *sim, int row);
static sim_credit_t *credit_of(sim_t *sim, int row);
static unsigned asked_for(const sim_t *sim, pay_str_t order);
static void sell(sim_t *sim, sim_credit_t *credit, int64_t amount,
    int is_manual);
static void judge_rate(sim_t *sim, sim_credit_t *credit, int row);
static sim_wide_t fixed(const char *text);
static void judge_parts(sim_t *sim, int row);
static int64_t part_of(int64_t amount, int64_t credit, int64_t minor);
static void judge_event(sim_t *sim, shares_t *shares, int row);
static void add_part(sim_t *sim, shares_t *shares, int row);
static int64_t number(sim_t *sim, int row, int column);


/* of judge_credits */
enum {
    ORDER = 0, CURRENCY, CREDIT, RATE, UNTIL, AMOUNT, CAPTURED, HELD, MANUAL,
    SOLD, PENDING
};

/* of judge_shares */
enum {
    S_ORDER = 0, S_AMOUNT, S_CREDIT, S_KIND, S_ID, S_MINOR, S_SELLER
};


/* PENDING: '' where nothing was ever authorised */
void
sim_judge_credits(sim_t *sim)
{
    int         i;
    sim_rows_t  found;

    found = sim_db_ask(sim->db, "SELECT o.payment_order_id, "
        "o.credit_currency, o.credit_minor, o.credit_rate, (extract(epoch "
        "FROM o.credit_until) * 1000000)::bigint, o.amount_minor, "
        "o.captured_minor, o.authorized_minor, c.capture = 'manual', "
        "e.sold, coalesce(e.pending::text, '') FROM pay.payment_order o JOIN "
        "pay.checkout c USING (merchant_id, checkout_id) CROSS JOIN LATERAL "
        "(SELECT coalesce(sum(e.seller_minor) FILTER (WHERE e.kind IN "
        "('sale', 'late_accepted')), 0) AS sold, sum(CASE e.kind WHEN "
        "'authorized' THEN e.seller_minor WHEN 'unauthorized' THEN "
        "-e.seller_minor END) AS pending FROM pay.journal_entry e WHERE "
        "e.merchant_id = o.merchant_id AND e.checkout_id = o.checkout_id AND "
        "e.payment_order_id = o.payment_order_id) e WHERE o.merchant_id = $1 "
        "AND o.credit_currency IS NOT NULL ORDER BY 1", 1,
        sim_text(sim, sim->merchant.id));

    for (i = 0; i < found.rows; i++) {
        judge_credit(sim, i);
    }
}


static void
judge_credit(sim_t *sim, int row)
{
    sim_credit_t  *credit = credit_of(sim, row);

    if (!credit->booked && (number(sim, row, CAPTURED) > 0
                            || number(sim, row, HELD) > 0))
    {
        credit->booked = 1;
        sell(sim, credit, number(sim, row, AMOUNT),
             *sim_db_cell(sim->db, row, MANUAL) == 't');
    }

    judge_rate(sim, credit, row);
    judge_parts(sim, row);
}


/* One that was not there before has just been quoted. */
static sim_credit_t *
credit_of(sim_t *sim, int row)
{
    pay_str_t      order = pay_str_of(sim_db_cell(sim->db, row, ORDER));
    sim_credit_t  *credit;

    for (credit = sim->credits; credit != NULL; credit = credit->next) {
        if (pay_str_eq(credit->order, order)) {
            return credit;
        }
    }

    credit = sim_alloc(sim, sizeof(sim_credit_t));
    credit->order = sim_dup(sim, order);
    credit->currency = asked_for(sim, order);
    credit->rate = sim_rates_median(sim, credit->currency,
                                    sim->env.rate_age_s * SIM_S);
    credit->minor = sim_rates_convert(number(sim, row, AMOUNT),
                                      credit->currency, credit->rate);
    credit->until = sim->now + sim->db_off + sim->env.quote_ttl_s * SIM_S;
    credit->next = sim->credits;
    sim->credits = credit;
    sim->figures.converted++;

    return credit;
}


/* 0: nobody has asked for it. */
static unsigned
asked_for(const sim_t *sim, pay_str_t order)
{
    unsigned           i;
    const sim_post_t  *post;

    for (post = sim->posts; post != NULL; post = post->next) {
        for (i = 0; i < post->order_count; i++) {
            if (pay_str_eq(post->orders[i], order)) {
                return post->credits[i];
            }
        }
    }

    return 0;
}


static void
sell(sim_t *sim, sim_credit_t *credit, int64_t amount, int is_manual)
{
    sim_wide_t  rate;

    if (is_manual || credit->until >= sim->now + sim->db_off) {
        return;
    }

    rate = sim_rates_median(sim, credit->currency, INT64_MAX);

    if (rate != 0) {
        credit->rate = rate;
        credit->minor = sim_rates_convert(amount, credit->currency, rate);
    }
}


static void
judge_rate(sim_t *sim, sim_credit_t *credit, int row)
{
    const char  *currency = sim_db_cell(sim->db, row, CURRENCY);

    if (credit->rate != 0 && credit->currency != 0
        && strcmp(currency, sim_currencies[credit->currency].code) == 0
        && credit->rate == fixed(sim_db_cell(sim->db, row, RATE))
        && credit->minor == number(sim, row, CREDIT)
        && credit->until == number(sim, row, UNTIL))
    {
        return;
    }

    sim_violation(sim, "I4: %.*s is credited with %s minor units of %s by "
                  "%s, the model says %" PRId64 " of %s by %.12g",
                  pay_fmt(credit->order), sim_db_cell(sim->db, row, CREDIT),
                  currency, sim_db_cell(sim->db, row, RATE), credit->minor,
                  sim_currencies[credit->currency].code,
                  (double) credit->rate / (double) SIM_RATE_ONE);
    credit->rate = fixed(sim_db_cell(sim->db, row, RATE));
    credit->minor = number(sim, row, CREDIT);
}


/* As many decimals as a rate has; a rate has no more. */
static sim_wide_t
fixed(const char *text)
{
    int         decimals = -1;
    sim_wide_t  n = 0;

    for ( ; *text != '\0'; text++) {
        if (*text == '.') {
            decimals = 0;
            continue;
        }

        n = 10 * n + (*text - '0');
        decimals += decimals >= 0;
    }

    for (decimals = decimals < 0 ? 0 : decimals; decimals < 18; decimals++) {
        n *= 10;
    }

    return n;
}


/* At each step, so each part by itself is what the model says. */
static void
judge_parts(sim_t *sim, int row)
{
    int64_t      amount = number(sim, row, AMOUNT);
    int64_t      credit = number(sim, row, CREDIT), sold, pending;
    const char  *held = sim_db_cell(sim->db, row, PENDING);

    sold = part_of(amount, credit, number(sim, row, CAPTURED));
    pending = *held == '\0' ? 0
              : credit - part_of(amount, credit,
                                 amount - number(sim, row, HELD));

    if (number(sim, row, SOLD) != sold || strtoll(held, NULL, 10) != pending) {
        sim_violation(sim, "I4: %s was sold for %s and holds %s of its "
                      "seller's, the model says %" PRId64 " and %" PRId64,
                      sim_db_cell(sim->db, row, ORDER),
                      sim_db_cell(sim->db, row, SOLD), held, sold, pending);
    }
}


/* What the first `minor` of an order's amount are of its credit. */
static int64_t
part_of(int64_t amount, int64_t credit, int64_t minor)
{
    return (int64_t) sim_half_even((sim_wide_t) minor * credit, amount);
}


/* Along its timeline each refund and each dispute takes the part that follows
 * those before it, but for what came back in between. */
void
sim_judge_shares(sim_t *sim)
{
    int         i;
    pay_str_t   order;
    shares_t   *shares = sim_alloc(sim, sizeof(shares_t));
    sim_rows_t  found;

    found = sim_db_ask(sim->db, "SELECT o.payment_order_id, o.amount_minor, "
        "o.credit_minor, e.kind, p.id, p.minor, p.seller FROM "
        "pay.payment_order o JOIN pay.event e USING (merchant_id, "
        "payment_order_id) JOIN LATERAL (SELECT c.change_id AS id, "
        "c.amount_minor AS minor, c.seller_minor AS seller FROM pay.change c "
        "WHERE c.merchant_id = o.merchant_id AND c.change_id = e.detail ->> "
        "'change_id' AND c.kind = 'refund' UNION ALL SELECT d.dispute_id, "
        "d.amount_minor, d.seller_minor FROM pay.dispute d WHERE d.psp = "
        "(SELECT c.psp FROM pay.checkout c WHERE c.merchant_id = "
        "o.merchant_id AND c.checkout_id = o.checkout_id) AND d.dispute_id = "
        "e.detail ->> 'dispute_id' AND d.payment_order_id = "
        "o.payment_order_id) p ON true WHERE o.merchant_id = $1 AND "
        "o.credit_currency IS NOT NULL AND e.kind <> 'fee' ORDER BY 1, "
        "e.seq", 1, sim_text(sim, sim->merchant.id));

    for (i = 0; i < found.rows; i++) {
        order = pay_str_of(sim_db_cell(sim->db, i, S_ORDER));

        if (!pay_str_eq(order, shares->order)) {
            memset(shares, 0, sizeof(shares_t));
            shares->order = sim_dup(sim, order);
            shares->amount = number(sim, i, S_AMOUNT);
            shares->credit = number(sim, i, S_CREDIT);
        }

        judge_event(sim, shares, i);
    }
}


static void
judge_event(sim_t *sim, shares_t *shares, int row)
{
    size_t       k;
    part_t      *part;
    unsigned     i;
    const char  *kind = sim_db_cell(sim->db, row, S_KIND);

    static const struct {
        const char  *kind;
        int          is_over;
    } kinds[] = {
        { "refund_requested", 0 }, { "refund_sent", 0 }, { "refunded", 0 },
        { "dispute_opened", 0 }, { "dispute_lost", 0 }, { "refund_failed", 1 },
        { "refund_returned", 1 }, { "dispute_won", 1 }
    };

    for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        if (strcmp(kind, kinds[k].kind) != 0) {
            continue;
        }

        for (i = 0; i < shares->count; i++) {
            part = &shares->parts[i];

            if (pay_str_is(part->id, sim_db_cell(sim->db, row, S_ID))) {
                part->is_over = kinds[k].is_over;
                return;
            }
        }

        add_part(sim, shares, row);
        return;
    }
}


static void
add_part(sim_t *sim, shares_t *shares, int row)
{
    int64_t        taken = 0, before = 0, wanted;
    unsigned       i;
    part_t        *part = &shares->parts[shares->count];
    const part_t  *other;

    for (i = 0; i < shares->count; i++) {
        other = &shares->parts[i];
        before += other->is_over ? 0 : other->minor;
        taken += other->is_over ? 0 : other->seller;
    }

    if (shares->count == PARTS_MAX) {
        sim_die("too many refunds of %.*s", pay_fmt(shares->order));
    }

    part->id = sim_dup(sim, pay_str_of(sim_db_cell(sim->db, row, S_ID)));
    part->minor = number(sim, row, S_MINOR);
    part->seller = number(sim, row, S_SELLER);
    shares->count++;

    wanted = part_of(shares->amount, shares->credit, before + part->minor)
             - taken;
    wanted = wanted > 0 ? wanted : 0;

    if (part->seller != wanted) {
        sim_violation(sim, "I4: %.*s takes %" PRId64 " of %.*s, the model "
                      "says %" PRId64, pay_fmt(part->id), part->seller,
                      pay_fmt(shares->order), wanted);
    }
}


static int64_t
number(sim_t *sim, int row, int column)
{
    return strtoll(sim_db_cell(sim->db, row, column), NULL, 10);
}
