-- The operation check_books: whatever has changed since the last look is
-- compared once more, orders with ledger, wallets and log, by key and in
-- small bites.  A difference is a row of the mismatch queue.  All of the books
-- at once: payctl check, which reads sql/checks.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The ledger's sums of an order.  A refund so small that the seller's part of
-- it rounds to nothing has no reserving entry (order_posting): its row counts
-- instead.
CREATE OR REPLACE FUNCTION pay.booked(
    p_merchant_id text, p_checkout_id text, p_payment_order_id text)
RETURNS TABLE (captured bigint, refunding bigint, refunded bigint,
    unbalanced bigint)
LANGUAGE sql STABLE AS $$
SELECT coalesce(sum(e.amount_minor) FILTER (
        WHERE e.kind IN ('sale', 'late_accepted')), 0)::bigint,
    (coalesce(sum(CASE e.kind WHEN 'refund_reserved' THEN e.amount_minor
                              WHEN 'refund_released' THEN -e.amount_minor
                              WHEN 'refund' THEN -e.amount_minor END)
              FILTER (WHERE e.seller_minor > 0), 0)
     + (SELECT coalesce(sum(c.amount_minor), 0) FROM change c
        WHERE c.merchant_id = p_merchant_id
            AND c.checkout_id = p_checkout_id
            AND c.payment_order_id = p_payment_order_id
            AND c.kind = 'refund' AND c.seller_minor = 0
            AND is_reserved(c)))::bigint,
    coalesce(sum(CASE e.kind WHEN 'refund' THEN e.amount_minor
                             WHEN 'refund_external' THEN e.amount_minor
                             WHEN 'refund_returned' THEN -e.amount_minor
                 END), 0)::bigint,
    count(*) FILTER (WHERE l.lines < 2 OR l.wrong)
FROM (
    SELECT * FROM journal_entry e
    WHERE e.merchant_id = p_merchant_id AND e.checkout_id = p_checkout_id
        AND e.payment_order_id = p_payment_order_id
    OFFSET 0) e
CROSS JOIN LATERAL (
    SELECT coalesce(sum(s.lines), 0) AS lines,
        coalesce(bool_or(s.total <> 0), false) AS wrong
    FROM (SELECT count(*) AS lines, sum(l.amount_minor) AS total
          FROM journal_line l
          WHERE l.merchant_id = e.merchant_id AND l.source = e.source
              AND l.kind = e.kind
          GROUP BY l.currency) s) l
$$;
COMMENT ON FUNCTION pay.booked IS 'The ledger''s sums of an order';


-- One sentence of JSON for each thing that is wrong with one of these orders.
CREATE OR REPLACE FUNCTION pay.order_differences(
    p_merchant_id text[], p_payment_order_id text[])
RETURNS TABLE (merchant_id text, checkout_id text, detail jsonb)
LANGUAGE sql STABLE AS $$
SELECT o.merchant_id, o.checkout_id,
    d.detail || jsonb_build_object('payment_order_id', o.payment_order_id)
FROM unnest(p_merchant_id, p_payment_order_id)
    AS u (merchant_id, payment_order_id)
CROSS JOIN LATERAL (
    SELECT * FROM payment_order o
    WHERE o.merchant_id = u.merchant_id
        AND o.payment_order_id = u.payment_order_id
    OFFSET 0) o
CROSS JOIN LATERAL booked(o.merchant_id, o.checkout_id,
                          o.payment_order_id) b
CROSS JOIN LATERAL (
    SELECT c.created_at - interval '1 day' AS since FROM checkout c
    WHERE c.merchant_id = o.merchant_id AND c.checkout_id = o.checkout_id
    OFFSET 0) c
LEFT JOIN LATERAL (
    SELECT e AS event, e.hash, e.new_status FROM event e
    WHERE e.merchant_id = o.merchant_id
        AND e.payment_order_id = o.payment_order_id
        AND e.seq = o.version AND e.at >= c.since
    OFFSET 0) e ON true
LEFT JOIN LATERAL (
    SELECT e.hash FROM event e
    WHERE e.merchant_id = o.merchant_id
        AND e.payment_order_id = o.payment_order_id
        AND e.seq = o.version - 1 AND e.at >= c.since
    OFFSET 0) p ON o.version > 1
CROSS JOIN LATERAL (VALUES
    (CASE WHEN (b.captured, b.refunding, b.refunded)
              <> (o.captured_minor, o.refunding_minor, o.refunded_minor)
     THEN jsonb_build_object('check', 'order_ledger',
        'order', jsonb_build_array(o.captured_minor, o.refunding_minor,
                                   o.refunded_minor),
        'ledger', jsonb_build_array(b.captured, b.refunding, b.refunded)) END),
    (CASE WHEN b.unbalanced > 0
     THEN jsonb_build_object('check', 'journal_balances',
        'entries', b.unbalanced) END),
    (CASE WHEN (o.status = 'SUCCESS') <> (o.captured_minor > 0)
     THEN jsonb_build_object('check', 'sale_booked', 'status', o.status,
        'captured', o.captured_minor) END),
    (CASE WHEN e.hash IS DISTINCT FROM o.head
               OR e.new_status IS DISTINCT FROM o.status
               OR p.hash IS NOT NULL
                   AND event_hash(p.hash, e.event) <> e.hash
     THEN jsonb_build_object('check', 'event_head', 'seq', o.version) END)
    ) AS d (detail)
WHERE d.detail IS NOT NULL
$$;
COMMENT ON FUNCTION pay.order_differences IS
    'The differences of these orders from the ledger or the log';


-- The wallets of these sellers against their newest lines: each wallet has
-- numbers without a gap, and its balances are those after its newest lines.  A
-- difference is reported at the checkout that moved the wallet.
CREATE OR REPLACE FUNCTION pay.wallet_differences(
    p_merchant_id text[], p_seller text[], p_checkout_id text[])
RETURNS TABLE (merchant_id text, checkout_id text, detail jsonb)
LANGUAGE sql STABLE AS $$
SELECT w.merchant_id, u.checkout_id, jsonb_build_object('check',
    'wallet_lines', 'seller', w.seller_account, 'currency', w.currency)
FROM unnest(p_merchant_id, p_seller, p_checkout_id)
    AS u (merchant_id, seller, checkout_id)
CROSS JOIN LATERAL (
    SELECT * FROM wallet w
    WHERE w.merchant_id = u.merchant_id AND w.seller_account = u.seller
    OFFSET 0) w
CROSS JOIN LATERAL (
    SELECT max(l.wallet_seq) AS last, count(*) AS lines,
        max(l.wallet_seq) - min(l.wallet_seq) + 1 AS span,
        (max(ARRAY[l.wallet_seq, l.balance_minor])
         FILTER (WHERE l.account = 'seller_available'))[2] AS available,
        (max(ARRAY[l.wallet_seq, l.balance_minor])
         FILTER (WHERE l.account = 'seller_pending'))[2] AS pending,
        (max(ARRAY[l.wallet_seq, l.balance_minor])
         FILTER (WHERE l.account IN ('seller_reserved',
                                     'seller_paying')))[2] AS reserved
    FROM (SELECT * FROM journal_line x
          WHERE x.merchant_id = w.merchant_id
              AND x.owner = w.seller_account AND x.currency = w.currency
              AND x.wallet_seq IS NOT NULL
          ORDER BY x.wallet_seq DESC LIMIT 100) l) n
WHERE w.seq <> coalesce(n.last, 0) OR n.lines <> coalesce(n.span, 0)
    OR n.available <> w.available_minor
    OR n.pending <> w.pending_minor
    OR n.reserved <> w.reserved_minor
$$;
COMMENT ON FUNCTION pay.wallet_differences IS
    'Wallets of these sellers that do not agree with their newest lines';


-- Queues a difference as a mismatch, once: it is not repeated until an operator
-- has settled it.
CREATE OR REPLACE FUNCTION pay.keep_difference(
    p_merchant_id text, p_checkout_id text, p_detail jsonb)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO mismatch (merchant_id, checkout_id, kind, source, psp,
        own_token, total_minor, own_currency, detail)
    SELECT c.merchant_id, c.checkout_id, 'books', 'gateway', c.psp, NULL,
        c.total_minor, c.currency, p_detail
    FROM checkout c
    WHERE c.merchant_id = p_merchant_id AND c.checkout_id = p_checkout_id
        AND NOT EXISTS (
            SELECT FROM open_mismatches(c.merchant_id, c.checkout_id) m
            WHERE m.kind = 'books' AND m.detail = p_detail);
END
$$;
COMMENT ON FUNCTION pay.keep_difference IS
    'Queues contradictions within the ledger, for operators';


-- The transactions since the last round, up to the oldest that is still open.
-- Bounded, as a seal is, without reading the events that are left to the next
-- round.  The functions that compare are STABLE, so each call reads one
-- snapshot, however much moves meanwhile.
CREATE OR REPLACE FUNCTION pay.compare_books(
    p_from bigint, p_limit int, OUT until_tx bigint, OUT orders bigint,
    OUT more boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_open    bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
    v_orders  record;
    v_sellers record;
BEGIN
    until_tx := seal_end(p_from, v_open, 1024, p_limit);
    more := until_tx < v_open;

    SELECT array_agg(o.merchant_id::text) AS merchants,
        array_agg(o.payment_order_id::text) AS ids,
        array_agg(o.seller_account::text) AS sellers,
        array_agg(o.checkout_id::text) AS checkouts
    INTO v_orders
    FROM (SELECT DISTINCT e.merchant_id, e.payment_order_id FROM event e
          WHERE e.tx >= p_from AND e.tx < until_tx) e
    CROSS JOIN LATERAL (
        SELECT * FROM payment_order o
        WHERE o.merchant_id = e.merchant_id
            AND o.payment_order_id = e.payment_order_id
        OFFSET 0) o;

    SELECT array_agg(u.merchant) AS merchants, array_agg(u.seller) AS sellers,
        array_agg(u.checkout) AS checkouts
    INTO v_sellers
    FROM (SELECT DISTINCT ON (1, 2) *
          FROM unnest(v_orders.merchants, v_orders.sellers,
                      v_orders.checkouts) AS u (merchant, seller, checkout)
          ORDER BY 1, 2) u;

    PERFORM keep_difference(d.merchant_id, d.checkout_id, d.detail)
    FROM order_differences(v_orders.merchants, v_orders.ids) d;
    PERFORM keep_difference(d.merchant_id, d.checkout_id, d.detail)
    FROM wallet_differences(v_sellers.merchants, v_sellers.sellers,
                            v_sellers.checkouts) d;

    orders := coalesce(cardinality(v_orders.ids), 0);
END
$$;
COMMENT ON FUNCTION pay.compare_books IS
    'Compares everything that was written since transaction p_from';


CREATE OR REPLACE FUNCTION pay_api.check_books(
    p_owner text[], p_interval_ms bigint[])
RETURNS SETOF pay_api.counts_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_round round;
    v_done  record;
    v_first int;
BEGIN
    PERFORM check_batch(array_dims(p_owner), array_dims(p_interval_ms));

    SELECT min(n) INTO v_first
    FROM generate_series(1, cardinality(p_owner)) n
    WHERE id_ok(p_owner[n]) AND p_interval_ms[n] BETWEEN 0 AND 86400000;

    SELECT * INTO v_round FROM round r
    WHERE r.name = 'books' AND r.run_at <= now()
        AND v_first IS NOT NULL
    FOR UPDATE SKIP LOCKED;

    IF FOUND THEN
        v_done := compare_books(coalesce(v_round.from_tx, 0), 2000);

        UPDATE round r
        SET from_tx = v_done.until_tx,
            run_at = now() + CASE WHEN v_done.more
                THEN interval '200 ms'
                ELSE make_interval(
                    secs => p_interval_ms[v_first] / 1000.0) END,
            counts = jsonb_build_object('orders', v_done.orders,
                'differences', (
                    SELECT count(*) FROM mismatch m
                    WHERE m.kind = 'books' AND NOT EXISTS (
                        SELECT FROM mismatch_settlement s
                        WHERE s.merchant_id = m.merchant_id
                            AND s.checkout_id = m.checkout_id
                            AND s.mismatch_id = m.mismatch_id)))
        WHERE r.name = 'books'
        RETURNING r.* INTO v_round;
    ELSE
        v_first := NULL;
        SELECT * INTO v_round FROM round r WHERE r.name = 'books';
    END IF;

    RETURN QUERY
    SELECT n,
        CASE WHEN n = v_first THEN 'checked'
             WHEN id_ok(p_owner[n]) AND p_interval_ms[n] BETWEEN 0 AND 86400000
             THEN 'not_due' ELSE 'invalid' END,
        v_round.counts::text
    FROM generate_series(1, cardinality(p_owner)) n;
END
$$;
COMMENT ON FUNCTION pay_api.check_books IS
    'Compares the rows that have changed since the last round. Outcomes: '
    'checked, not_due, invalid';
