-- The seller's money of an order, as explain shows it: how much waits, the reason
-- and until when, and the pay-outs that have had it.  Reads only, so that lines
-- which no run has taken in are counted, too.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The lines of an order in the seller's available money.  Its checkout's entries
-- are looked at for lines that pay-outs have not taken in.
CREATE OR REPLACE FUNCTION pay.payout_lines_of(p_order payment_order)
RETURNS SETOF payout_line LANGUAGE sql STABLE AS $$
SELECT l.* FROM payout_line l
WHERE l.merchant_id = p_order.merchant_id
    AND l.payment_order_id = p_order.payment_order_id
UNION ALL
SELECT j.merchant_id, j.owner, j.currency, j.wallet_seq, j.source, j.kind,
    p_order.payment_order_id, -j.amount_minor, e.at, true
FROM (
    SELECT x.source, x.kind, x.at FROM journal_entry x
    WHERE x.merchant_id = p_order.merchant_id
        AND x.checkout_id = p_order.checkout_id
        AND x.payment_order_id = p_order.payment_order_id
    OFFSET 0) e
CROSS JOIN LATERAL (
    SELECT x.* FROM journal_line x
    WHERE x.merchant_id = p_order.merchant_id AND x.source = e.source
        AND x.kind = e.kind AND x.account = 'seller_available'
    OFFSET 0) j
WHERE NOT EXISTS (
    SELECT FROM payout_line l
    WHERE l.merchant_id = j.merchant_id AND l.seller_account = j.owner
        AND l.currency = j.currency AND l.wallet_seq = j.wallet_seq)
$$;
COMMENT ON FUNCTION pay.payout_lines_of IS
    'The lines of an order in its seller''s available money';


-- The order's share of each item that has or had its lines, the newest 100.
CREATE OR REPLACE FUNCTION pay.explain_payout_items(
    p_merchant_id text, p_lines payout_line[])
RETURNS json LANGUAGE sql STABLE AS $$
SELECT coalesce(json_agg(json_build_object('payout_id', i.payout_id,
    'state', i.state, 'provider', i.provider,
    'amount', decimal_text(i.amount_minor, i.currency),
    'of_order', decimal_text(i.of_order, i.currency),
    'currency', i.currency, 'created_at', iso_time(i.created_at),
    'changed_at', iso_time(i.changed_at))
    ORDER BY i.created_at, i.payout_id), '[]')
FROM (
    SELECT p.payout_id, p.state, p.provider, p.amount_minor, p.currency,
        p.created_at, p.changed_at, t.of_order
    FROM (SELECT w.seller_account, w.currency, min(w.at) AS at
          FROM unnest(p_lines) w GROUP BY w.seller_account, w.currency) w
    CROSS JOIN LATERAL (
        SELECT x.* FROM payout x
        WHERE x.seller_account = w.seller_account
            AND x.merchant_id = p_merchant_id AND x.created_at >= w.at
        OFFSET 0) p
    CROSS JOIN LATERAL (
        SELECT sum(l.amount_minor)::bigint AS of_order
        FROM unnest(p_lines) l
        WHERE l.currency = p.currency AND EXISTS (
            SELECT FROM payout_part t
            WHERE t.merchant_id = p_merchant_id
                AND t.payout_id = p.payout_id
                AND t.wallet_seq = l.wallet_seq)) t
    WHERE t.of_order IS NOT NULL
    ORDER BY p.created_at DESC, p.payout_id LIMIT 100) i
$$;
COMMENT ON FUNCTION pay.explain_payout_items IS
    'The pay-outs that have or had lines of an order';


-- The reason why the seller gets no item, whatever the order, and the end of a
-- cooling-off.
CREATE OR REPLACE FUNCTION pay.seller_payout_stop(
    p_merchant_id text, p_seller text, p_currency text, OUT stop text,
    OUT until timestamptz)
LANGUAGE sql STABLE AS $$
SELECT payout_stop_of(h.is_held, a, d.usable_from),
    CASE WHEN payout_stop_of(h.is_held, a, d.usable_from) = 'cooling_off'
         THEN d.usable_from END
FROM (SELECT EXISTS (
          SELECT FROM payout_hold x
          WHERE x.merchant_id = p_merchant_id
              AND x.seller_account = p_seller
              AND x.payment_order_id = '') AS is_held) h
LEFT JOIN payout_account a ON a.merchant_id = p_merchant_id
    AND a.seller_account = p_seller AND a.currency = p_currency
    AND a.state <> 'closed'
LEFT JOIN LATERAL (
    SELECT x.usable_from FROM payout_destination x
    WHERE x.merchant_id = p_merchant_id
        AND x.destination_id = a.destination_id AND x.version = a.version
    OFFSET 0) d ON true
$$;
COMMENT ON FUNCTION pay.seller_payout_stop IS
    'Why a seller gets no item in a currency, and until when; NULL: nothing '
    'stops it';


CREATE OR REPLACE FUNCTION pay.explain_payout_wallet(
    p_order payment_order, p_lines payout_line[])
RETURNS json LANGUAGE sql STABLE AS $$
SELECT json_build_object('seller_account', w.seller_account,
    'currency', w.currency,
    'open', decimal_text(w.open_minor, w.currency),
    'reserved', decimal_text(r.amount_minor, w.currency),
    'reserved_until', iso_time(r.until), 'stop', s.stop,
    'until', iso_time(CASE WHEN s.stop = 'too_early'
        THEN w.sold_at + make_interval(days => p.release_days) END),
    'seller_stop', b.stop, 'seller_until', iso_time(b.until),
    'next_run_at', iso_time(n.next_at),
    'payouts', explain_payout_items(p_order.merchant_id, p_lines))
FROM (
    SELECT l.seller_account, l.currency,
        coalesce(sum(l.amount_minor) FILTER (WHERE l.is_open), 0)::bigint
            AS open_minor,
        max(l.at) FILTER (WHERE l.is_open
            AND l.kind IN ('sale', 'late_accepted')) AS sold_at
    FROM unnest(p_lines) l
    GROUP BY l.seller_account, l.currency
    ORDER BY max(l.wallet_seq) DESC LIMIT 1) w
CROSS JOIN LATERAL (
    SELECT coalesce(sum(x.amount_minor), 0)::bigint AS amount_minor,
        max(x.until) AS until
    FROM payout_reserve x
    WHERE x.merchant_id = p_order.merchant_id
        AND x.payment_order_id = p_order.payment_order_id
        AND x.released_at IS NULL) r
LEFT JOIN LATERAL payout_stops(p_order.merchant_id,
    p_order.payment_order_id, w.sold_at) AS s (stop) ON w.open_minor > 0
CROSS JOIN LATERAL seller_payout_stop(p_order.merchant_id,
    w.seller_account, w.currency) b
LEFT JOIN payout_policy p ON p.merchant_id = p_order.merchant_id
LEFT JOIN LATERAL (
    SELECT x.next_at FROM payout_schedule x
    WHERE x.merchant_id = p_order.merchant_id
        AND x.seller_account IN ('', w.seller_account)
    ORDER BY x.seller_account DESC LIMIT 1) n ON true
$$;
COMMENT ON FUNCTION pay.explain_payout_wallet IS
    'The seller''s money of an order by its lines';


CREATE OR REPLACE FUNCTION pay.explain_payout(p_order payment_order)
RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_lines payout_line[];
BEGIN
    v_lines := ARRAY(SELECT l FROM payout_lines_of(p_order) l);
    IF v_lines = '{}' THEN
        RETURN NULL;
    END IF;

    RETURN explain_payout_wallet(p_order, v_lines);
END
$$;
COMMENT ON FUNCTION pay.explain_payout IS
    'The seller''s money of an order: how much waits and why, and its '
    'pay-outs; NULL: none was sold';
