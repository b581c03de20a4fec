/*
 * What must be true when all was told: the log has each event that storefronts
 * hear of, once and in its order, and nothing else; each receiver has heard
 * what it wants of the log, and nothing else; the reader has read the log
 * (docs/reliability.md, I10).
 */

#include "receivers.h"


#define ATTEMPTS_MAX  10               /* then it is given up */

/* A message of the log. */
typedef struct {
    pay_str_t  id, type, subject, body;
} told_t;

typedef struct {
    told_t  *rows;
    int      count;
} log_t;


static void judge_log(sim_t *sim);
static void judge_leftovers(sim_t *sim);
static log_t read_log(sim_t *sim);
static const told_t *log_find(const log_t *told, pay_str_t id);
static void judge_endpoint(sim_t *sim, const sim_endpoint_t *endpoint,
    const log_t *told);
static int concerns(const sim_endpoint_t *endpoint, const told_t *message);
static int is_given_up(sim_t *sim, const sim_endpoint_t *endpoint,
    const told_t *message);
static void judge_place(sim_t *sim, const sim_endpoint_t *endpoint,
    const log_t *told);
static void judge_reader(sim_t *sim, const log_t *told);


/* $1: the merchant, $2 and $3: tests and ends of endpoints.  An event is told
 * when its order ends, or when its kind is (src/core/transition.list). */
static const char  question[] =
    "WITH told AS (SELECT 'payment/' || e.payment_order_id AS subject, e.seq, "
    "CASE WHEN e.old_status IS NOT DISTINCT FROM e.new_status THEN "
    "nullif(k.told, '') WHEN e.new_status = 'SUCCESS' THEN "
    "'payment.succeeded' WHEN e.new_status = 'FAILED' THEN 'payment.failed' "
    "END AS type FROM pay.event e LEFT JOIN pay.news_kind k ON k.news = e.kind "
    "WHERE e.merchant_id = $1), placed AS (SELECT t.*, row_number() OVER "
    "(PARTITION BY t.subject ORDER BY t.seq) AS sequence FROM told t WHERE "
    "t.type IS NOT NULL), has AS (SELECT m.*, m.body::json #>> "
    "'{data,payment,version}' AS seq FROM pay.message m WHERE m.merchant_id = "
    "$1) SELECT concat_ws(' ', coalesce(p.subject, m.subject), 'is told as', "
    "coalesce(m.type, 'nothing'), m.seq, 'where', coalesce(p.type, 'nothing'), "
    "p.seq, 'belongs') FROM placed p FULL JOIN (SELECT * FROM has h WHERE "
    "h.subject LIKE 'payment/%') m ON m.subject = p.subject AND m.sequence = "
    "p.sequence WHERE (p.type, p.seq::text) IS DISTINCT FROM (m.type::text, "
    "m.seq) "

    "UNION ALL SELECT concat_ws(' ', coalesce(c.subject, m.subject), "
    "'is completed', m.count, 'times') FROM (SELECT 'checkout/' || "
    "o.checkout_id AS subject FROM pay.payment_order o WHERE o.merchant_id = "
    "$1 GROUP BY o.checkout_id HAVING bool_and(o.status = 'SUCCESS')) c FULL "
    "JOIN (SELECT h.subject::text, count(*) FROM has h WHERE h.type = "
    "'checkout.completed' GROUP BY h.subject) m USING (subject) WHERE "
    "c.subject IS NULL OR m.count IS DISTINCT FROM 1 "

    "UNION ALL SELECT concat_ws(' ', m.subject, m.type, 'is invented') FROM "
    "has m WHERE split_part(m.subject, '/', 1) IN ('payout', 'destination') "
    "AND NOT EXISTS (SELECT FROM pay.payout_act a WHERE a.merchant_id = $1 AND "
    "m.message_id = pay.message_id($1, 'act/' || a.act_id)) "

    "UNION ALL SELECT 'an exception is not told, or told twice' WHERE (SELECT "
    "count(*) FROM pay.settlement_exception x WHERE x.merchant_id = $1) <> "
    "(SELECT count(*) FROM has m WHERE m.type = 'reconciliation.exception') "

    "UNION ALL SELECT concat_ws(' ', 'endpoints were tested and ended', "
    "n.tests, n.ends, 'times') FROM (SELECT count(*) FILTER (WHERE m.type = "
    "'endpoint.test') AS tests, count(*) FILTER (WHERE m.type = "
    "'endpoint.disabled') AS ends FROM has m) n WHERE (n.tests, n.ends) <> "
    "($2::text::bigint, $3::text::bigint) "

    "UNION ALL SELECT concat_ws(' ', m.subject, 'has', count(*), 'up to', "
    "max(m.sequence)) FROM has m GROUP BY m.subject HAVING count(*) <> "
    "max(m.sequence) OR min(m.sequence) <> 1 "

    "UNION ALL SELECT concat_ws(' ', m.subject, m.sequence, 'stands too "
    "early') FROM (SELECT h.*, lag(h.sequence) OVER (PARTITION BY h.subject "
    "ORDER BY h.position) AS before FROM has h) m WHERE m.sequence < m.before";


void
sim_judge_receivers(sim_t *sim)
{
    log_t             told = read_log(sim);
    unsigned          i;
    sim_receivers_t  *receivers = sim->receivers;

    sim->figures.messages += (unsigned) told.count;
    judge_log(sim);
    judge_leftovers(sim);

    for (i = 0; i < receivers->count; i++) {
        judge_endpoint(sim, &receivers->endpoints[i], &told);
    }

    judge_reader(sim, &told);
    sim_judge_checks(sim);
}


static void
judge_log(sim_t *sim)
{
    int         i;
    pay_str_t   tests, ends;
    sim_rows_t  found;

    tests = sim_format(sim, "%" PRId64, sim->receivers->tests);
    ends = sim_format(sim, "%" PRId64, sim->receivers->ends);
    found = sim_db_ask(sim->db, question, 3, sim_text(sim, sim->merchant.id),
                       (const char *) tests.data, (const char *) ends.data);

    for (i = 0; i < found.rows; i++) {
        sim_violation(sim, "I10: %s", sim_db_cell(sim->db, i, 0));
    }
}


static void
judge_leftovers(sim_t *sim)
{
    int         i;
    sim_rows_t  found;

    found = sim_db_ask(sim->db, "SELECT 'an outbox has rows' WHERE EXISTS "
        "(SELECT FROM pay.outbox UNION ALL SELECT FROM pay.payout_outbox UNION "
        "ALL SELECT FROM pay.settlement_outbox UNION ALL SELECT FROM "
        "pay.webhook_outbox) UNION ALL SELECT concat_ws(' ', d.endpoint_id, "
        "d.position, 'is', d.state, 'behind', d.attempts, 'attempts') FROM "
        "pay.webhook_delivery d JOIN pay.webhook_endpoint w USING "
        "(endpoint_id, merchant_id) WHERE d.merchant_id = $1 AND w.state = "
        "'enabled' AND d.state <> 'delivered' AND (d.state = 'due' OR "
        "d.attempts < $2::text::int)", 2, sim_text(sim, sim->merchant.id),
        (const char *) sim_format(sim, "%d", ATTEMPTS_MAX).data);

    for (i = 0; i < found.rows; i++) {
        sim_violation(sim, "I10: left over: %s", sim_db_cell(sim->db, i, 0));
    }
}


static log_t
read_log(sim_t *sim)
{
    int         i;
    log_t       told;
    told_t     *row;
    sim_rows_t  found;

    found = sim_db_ask(sim->db, "SELECT m.message_id, m.type, m.subject, "
        "m.body FROM pay.message m WHERE m.merchant_id = $1 ORDER BY "
        "m.position", 1, sim_text(sim, sim->merchant.id));
    told.count = found.rows;
    told.rows = sim_alloc(sim, ((size_t) found.rows + 1) * sizeof(told_t));

    for (i = 0; i < found.rows; i++) {
        row = &told.rows[i];
        row->id = sim_dup(sim, pay_str_of(sim_db_cell(sim->db, i, 0)));
        row->type = sim_dup(sim, pay_str_of(sim_db_cell(sim->db, i, 1)));
        row->subject = sim_dup(sim, pay_str_of(sim_db_cell(sim->db, i, 2)));
        row->body = sim_dup(sim, pay_str_of(sim_db_cell(sim->db, i, 3)));
    }

    return told;
}


static const told_t *
log_find(const log_t *told, pay_str_t id)
{
    int  i;

    for (i = 0; i < told->count; i++) {
        if (pay_str_eq(told->rows[i].id, id)) {
            return &told->rows[i];
        }
    }

    return NULL;
}


static void
judge_endpoint(sim_t *sim, const sim_endpoint_t *endpoint, const log_t *told)
{
    int                 i;
    const told_t       *message;
    const sim_heard_t  *heard;

    for (heard = endpoint->heard; heard != NULL; heard = heard->next) {
        message = log_find(told, heard->id);

        if (message == NULL || !concerns(endpoint, message)
            || !pay_str_eq(message->body, heard->body))
        {
            sim_violation(sim, "I10: %.*s heard %.*s, which is not so in the "
                          "log", pay_fmt(endpoint->id), pay_fmt(heard->id));
        }
    }

    if (endpoint->is_ordered) {
        judge_place(sim, endpoint, told);
    }

    for (i = 0; i < told->count && endpoint->disabled_at == 0; i++) {
        message = &told->rows[i];

        if (concerns(endpoint, message)
            && sim_heard_find(endpoint->heard, message->id) == NULL
            && !is_given_up(sim, endpoint, message))
        {
            sim_violation(sim, "I10: %.*s never heard of %.*s, %.*s",
                          pay_fmt(endpoint->id), pay_fmt(message->subject),
                          pay_fmt(message->type));
        }
    }
}


static int
concerns(const sim_endpoint_t *endpoint, const told_t *message)
{
    if (pay_str_is(message->type, "endpoint.test")) {
        return sim_find(message->subject, "endpoint/") != NULL
               && sim_find(message->subject,
                           (const char *) endpoint->id.data) != NULL;
    }

    return sim_endpoint_wants(endpoint, message->type);
}


/* What an endpoint has missed before it was enabled again is replayed by its
 * types; a test may be too old, and its own end is nothing that it hears. */
static int
is_given_up(sim_t *sim, const sim_endpoint_t *endpoint, const told_t *message)
{
    sim_rows_t  found;

    found = sim_db_ask(sim->db, "SELECT FROM pay.webhook_delivery d JOIN "
        "pay.message m USING (position) WHERE m.message_id = $1 AND "
        "d.endpoint_id = $2 AND d.state = 'failed' AND d.attempts >= "
        "$3::text::int", 3, sim_text(sim, message->id),
        sim_text(sim, endpoint->id),
        (const char *) sim_format(sim, "%d", ATTEMPTS_MAX).data);

    return found.rows == 1
           || (endpoint->was_replayed
               && sim_find(message->type, "endpoint.") != NULL);
}


/* For the first time, an ordered endpoint hears all in the order of the log. */
static void
judge_place(sim_t *sim, const sim_endpoint_t *endpoint, const log_t *told)
{
    const told_t       *message, *behind = NULL;
    const sim_heard_t  *heard;

    for (heard = endpoint->heard; heard != NULL; heard = heard->next) {
        if (heard->is_again) {
            continue;
        }

        message = log_find(told, heard->id);

        if (behind != NULL && message != NULL && message > behind) {
            sim_violation(sim, "I10: %.*s heard %.*s before %.*s",
                          pay_fmt(endpoint->id), pay_fmt(message->id),
                          pay_fmt(behind->id));
        }

        behind = message != NULL ? message : behind;
    }
}


static void
judge_reader(sim_t *sim, const log_t *told)
{
    int                 i = told->count;
    const sim_heard_t  *read;

    for (read = sim->receivers->read; read != NULL; read = read->next) {
        if (read->is_again) {
            continue;
        }

        if (i == 0 || !pay_str_eq(told->rows[i - 1].id, read->id)
            || !pay_str_eq(told->rows[i - 1].body, read->body))
        {
            sim_violation(sim, "I10: the reader has not read the log, or in "
                          "another order");
            return;
        }

        i--;
    }

    if (i != 0) {
        sim_violation(sim, "I10: the reader has missed %d messages", i);
    }
}


const sim_heard_t *
sim_heard_find(const sim_heard_t *heard, pay_str_t id)
{
    for ( ; heard != NULL; heard = heard->next) {
        if (pay_str_eq(heard->id, id)) {
            return heard;
        }
    }

    return NULL;
}
