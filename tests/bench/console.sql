-- Work for people, beside checkouts that are stored: as many rows (the psql
-- variable rows) of each kind that the console lists, one in so many of them
-- open (the psql variable open, else 10), for the checkouts behind the first
-- ones (the psql variable first).  Straight into the tables, with triggers and
-- references off, as nothing of it is measured but reading.  In a transaction.
-- For console.py and tests/sql/99_console_scale.sql.
\if :{?open}
\else
    \set open 10
\endif
SET LOCAL session_replication_role = replica;
SET LOCAL search_path = pay, pg_temp;

CREATE TEMP TABLE of_checkout AS
SELECT c.merchant_id, c.checkout_id, o.payment_order_id,
    c.created_at - (:first + row_number() OVER ()) * interval '1 ms'
        AS created_at,
    :first + row_number() OVER () AS n
FROM (SELECT x.* FROM checkout x ORDER BY x.merchant_id, x.checkout_id
      OFFSET :first LIMIT :rows) c
CROSS JOIN LATERAL (
    SELECT x.payment_order_id FROM payment_order x
    WHERE x.merchant_id = c.merchant_id AND x.checkout_id = c.checkout_id
    LIMIT 1) o;

INSERT INTO dead_letter (merchant_id, checkout_id, psp, kind, reason, at,
    state, closed_at, closed_by, closed_why)
SELECT c.merchant_id, c.checkout_id, 'stripe', 'stuck', 'bench', c.created_at,
    CASE WHEN c.n % :open = 0 THEN 'open' ELSE 'settled' END,
    CASE WHEN c.n % :open <> 0 THEN c.created_at END,
    CASE WHEN c.n % :open <> 0 THEN 'bench' END,
    CASE WHEN c.n % :open <> 0 THEN 'bench' END
FROM of_checkout c;

INSERT INTO mismatch (merchant_id, checkout_id, mismatch_id, kind, source, psp,
    total_minor, own_currency)
OVERRIDING SYSTEM VALUE
SELECT c.merchant_id, c.checkout_id, 1000000 + c.n, 'amount', 'webhook',
    'stripe', 100, 'USD'
FROM of_checkout c;
INSERT INTO mismatch_settlement (merchant_id, checkout_id, mismatch_id, who,
    why)
SELECT c.merchant_id, c.checkout_id, 1000000 + c.n, 'bench', 'bench'
FROM of_checkout c WHERE c.n % :open <> 0;

INSERT INTO dispute (psp, dispute_id, merchant_id, checkout_id,
    payment_order_id, state, amount_minor, currency, opened_at)
SELECT 'stripe', 'd' || c.n, c.merchant_id, c.checkout_id, c.payment_order_id,
    CASE WHEN c.n % :open = 0 THEN 'open' WHEN c.n % 10 = 1 THEN 'won'
         ELSE 'lost' END, 100, 'USD', c.created_at
FROM of_checkout c;

INSERT INTO change (merchant_id, checkout_id, change_id, payment_order_id,
    kind, origin, psp, status, amount_minor, currency, seller_minor,
    seller_currency, created_at)
SELECT c.merchant_id, c.checkout_id, 'change-' || c.n, c.payment_order_id,
    'refund', 'merchant', 'stripe',
    CASE WHEN c.n % :open = 0 THEN 'EXECUTING' ELSE 'SUCCESS' END, 100, 'USD',
    100, 'USD', c.created_at
FROM of_checkout c;

INSERT INTO dispatch (merchant_id, checkout_id, operation, operation_id, psp,
    state, first_sent_at, ended_at, key_until)
SELECT c.merchant_id, c.checkout_id, 'refund', 'change-' || c.n, 'stripe',
    CASE WHEN c.n % :open = 0 THEN 'UNKNOWN' ELSE 'DONE' END, c.created_at,
    c.created_at, c.created_at
FROM of_checkout c;

INSERT INTO late_success (merchant_id, checkout_id, at, psp, source,
    amount_minor, currency, state)
SELECT c.merchant_id, c.checkout_id, c.created_at, 'stripe', 'webhook', 100,
    'USD', CASE WHEN c.n % :open = 0 THEN 'held' ELSE 'refunded' END
FROM of_checkout c;

INSERT INTO job (merchant_id, checkout_id, kind, run_at)
SELECT c.merchant_id, c.checkout_id, 'refund',
    now() + interval '1 day' + c.n * interval '1 ms'
FROM of_checkout c WHERE c.n % :open = 0;

INSERT INTO webhook_inbox (psp, event_id, state, fact, token, received_at)
SELECT 'stripe', 'bench-' || c.n,
    CASE WHEN c.n % :open = 0 THEN 'parked' ELSE 'ignored' END, 'paid',
    'nobody-' || c.n, c.created_at
FROM of_checkout c;

INSERT INTO webhook_quarantine (psp, slot, number, reason, digest, headers,
    body, size)
SELECT 'bench', c.n % 1000, c.n, 'stale', sha256(c.n::text::bytea), '{}', '',
    0
FROM of_checkout c WHERE c.n <= 1000
ON CONFLICT DO NOTHING;

INSERT INTO webhook_endpoint (merchant_id, endpoint_id, url, types, scheme,
    is_ordered, created_by)
SELECT DISTINCT c.merchant_id, 'bench-' || i, 'https://shop.example/' || i,
    '{payment.succeeded}'::text[], 'v1', false, 'bench'
FROM of_checkout c, generate_series(1, 10) i WHERE c.n <= 10
ON CONFLICT DO NOTHING;
INSERT INTO webhook_delivery (endpoint_id, merchant_id, "position", state,
    run_at, ended_at)
SELECT 'bench-' || 1 + c.n % 10, c.merchant_id, 1000000000 + c.n,
    CASE c.n % :open WHEN 0 THEN 'failed' WHEN 1 THEN 'due'
                     ELSE 'delivered' END, c.created_at,
    CASE WHEN c.n % :open <> 1 THEN c.created_at END
FROM of_checkout c;

INSERT INTO wallet (merchant_id, seller_account, currency, available_minor)
SELECT c.merchant_id, 'bench-' || c.n, 'USD', 100 FROM of_checkout c;

INSERT INTO settlement_source (source, medium, format, merchant_id, psp)
SELECT 'bench', 'psp', 'bench', c.merchant_id, 'stripe'
FROM of_checkout c WHERE c.n = 1
ON CONFLICT DO NOTHING;
INSERT INTO settlement_file (file_id, source, sha256, name, batch_key, state)
OVERRIDING SYSTEM VALUE
SELECT 1000000 + c.n, 'bench', sha256(c.n::text::bytea), 'file', c.n, 'booked'
FROM of_checkout c;
INSERT INTO settlement_exception (exception_id, row_id, merchant_id, psp,
    class, finding, playbook, amount_minor, currency, opened_at, closed_at,
    closed_as)
OVERRIDING SYSTEM VALUE
SELECT 1000000 + c.n, c.n, c.merchant_id, 'stripe', 2, 'unknown', 'bench',
    100, 'USD', c.created_at,
    CASE WHEN c.n % :open <> 0 THEN c.created_at END,
    CASE WHEN c.n % :open <> 0 THEN 'accepted' END
FROM of_checkout c;

INSERT INTO risk_review (review_id, merchant_id, checkout_id, state,
    needs_second, deadline, overdue)
OVERRIDING SYSTEM VALUE
SELECT 1000000 + c.n, c.merchant_id, c.checkout_id,
    CASE WHEN c.n % :open = 0 THEN 'open' ELSE 'approved' END, false,
    c.created_at, 'approve'
FROM of_checkout c;

DROP TABLE of_checkout;
SET LOCAL session_replication_role = origin;
