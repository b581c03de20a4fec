-- The lines of wallets that pay-outs take in, the rolling reserve of sales, and
-- why an order's money stays.  The caller has locked the wallets.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Lines since the last look.  A line of the rolling reserve belongs to the
-- order of its sale; all others have their order themselves.  Each wallet looks
-- its own rows up: a plan that was made in an empty database would read those of
-- all wallets of the merchant for each.
CREATE OR REPLACE FUNCTION pay.take_payout_lines(
    p_merchant_id text, p_seller text[], p_currency text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO payout_line (merchant_id, seller_account, currency,
        wallet_seq, source, kind, payment_order_id, amount_minor, at)
    SELECT p_merchant_id, u.seller, u.currency, l.wallet_seq, l.source,
        l.kind, coalesce(e.payment_order_id, r.payment_order_id),
        -l.amount_minor, e.at
    FROM unnest(p_seller, p_currency) AS u (seller, currency)
    LEFT JOIN LATERAL (
        SELECT s.seen_seq FROM payout_wallet s
        WHERE s.merchant_id = p_merchant_id
            AND s.seller_account = u.seller AND s.currency = u.currency
        OFFSET 0) s ON true
    CROSS JOIN LATERAL (
        SELECT l.wallet_seq, l.source, l.kind, l.amount_minor
        FROM journal_line l
        WHERE l.merchant_id = p_merchant_id AND l.owner = u.seller
            AND l.currency = u.currency AND l.wallet_seq IS NOT NULL
            AND l.wallet_seq > coalesce(s.seen_seq, 0)
            AND l.account = 'seller_available'
            AND l.kind NOT IN ('payout_reserved', 'payout_released',
                               'payout_returned')
        OFFSET 0) l
    CROSS JOIN LATERAL (
        SELECT e.payment_order_id, e.at FROM journal_entry e
        WHERE e.merchant_id = p_merchant_id AND e.source = l.source
            AND e.kind = l.kind
        OFFSET 0) e
    LEFT JOIN LATERAL (
        SELECT r.payment_order_id FROM payout_reserve r
        WHERE e.payment_order_id IS NULL AND r.merchant_id = p_merchant_id
            AND r.source = l.source
        OFFSET 0) r ON true;

    INSERT INTO payout_wallet AS s (merchant_id, seller_account, currency,
        seen_seq)
    SELECT p_merchant_id, u.seller, u.currency, w.seq
    FROM unnest(p_seller, p_currency) AS u (seller, currency)
    CROSS JOIN LATERAL (
        SELECT w.seq FROM wallet w
        WHERE w.merchant_id = p_merchant_id
            AND w.seller_account = u.seller AND w.currency = u.currency
        OFFSET 0) w
    ON CONFLICT (merchant_id, seller_account, currency) DO UPDATE
    SET seen_seq = EXCLUDED.seen_seq
    WHERE s.seen_seq <> EXCLUDED.seen_seq;
END
$$;
COMMENT ON FUNCTION pay.take_payout_lines IS
    'Takes in the lines of locked wallets that pay-outs have not seen';


CREATE OR REPLACE FUNCTION pay.open_payout_lines(
    p_merchant_id text, p_seller text, p_currency text)
RETURNS SETOF payout_line LANGUAGE sql STABLE AS $$
SELECT l.* FROM payout_line l
WHERE l.merchant_id = p_merchant_id AND l.seller_account = p_seller
    AND l.currency = p_currency AND l.is_open
OFFSET 0
$$;
COMMENT ON FUNCTION pay.open_payout_lines IS
    'The lines of a wallet that are in no item';


-- The share of a sale that is held, rounded half to even.
CREATE OR REPLACE FUNCTION pay.begin_reserves(
    p_merchant_id text, p_seller text[], p_currency text[])
RETURNS posting[] LANGUAGE plpgsql AS $$
DECLARE
    v_policy payout_policy;
    v_made   posting[];
BEGIN
    SELECT * INTO v_policy FROM payout_policy p
    WHERE p.merchant_id = p_merchant_id;
    IF coalesce(v_policy.reserve_percent, 0) = 0 THEN
        RETURN '{}';
    END IF;

    WITH made AS (
        INSERT INTO payout_reserve AS r (merchant_id, source, seller_account,
            currency, payment_order_id, psp, amount_minor, until)
        SELECT p_merchant_id, 'reserve/' || l.source, l.seller_account,
            l.currency, l.payment_order_id, e.psp,
            half_even(l.amount_minor * v_policy.reserve_percent / 100),
            l.at + make_interval(days => v_policy.reserve_days)
        FROM unnest(p_seller, p_currency) AS u (seller, currency)
        CROSS JOIN LATERAL open_payout_lines(p_merchant_id, u.seller,
                                             u.currency) l
        CROSS JOIN LATERAL (
            SELECT e.psp FROM journal_entry e
            WHERE e.merchant_id = p_merchant_id AND e.source = l.source
                AND e.kind = l.kind
            OFFSET 0) e
        WHERE l.kind IN ('sale', 'late_accepted') AND l.at + make_interval(days => v_policy.reserve_days) > now()
            AND half_even(l.amount_minor * v_policy.reserve_percent / 100)
                >= 1
        ON CONFLICT (merchant_id, source) DO NOTHING
        RETURNING r.*
    )
    SELECT array_agg(reserve_posting(m, 'reserve_held')) INTO v_made
    FROM made m;

    RETURN coalesce(v_made, '{}');
END
$$;
COMMENT ON FUNCTION pay.begin_reserves IS
    'Entries that hold a part of the sales of these wallets';


CREATE OR REPLACE FUNCTION pay.reserve_posting(
    p_reserve payout_reserve, p_kind text)
RETURNS posting LANGUAGE sql IMMUTABLE AS $$
SELECT ROW(p_reserve.merchant_id, p_reserve.source, p_kind, NULL, NULL,
    p_reserve.psp, p_reserve.seller_account, p_reserve.amount_minor,
    p_reserve.currency, NULL, NULL, NULL, NULL)::posting
$$;
COMMENT ON FUNCTION pay.reserve_posting IS
    'An entry of the rolling reserve of a sale';


-- Orders of these wallets of which less is left, behind refunds and disputes,
-- than is reserved.
CREATE OR REPLACE FUNCTION pay.overtaken_reserves(
    p_merchant_id text, p_seller text[], p_currency text[])
RETURNS SETOF text LANGUAGE sql STABLE AS $$
SELECT t.payment_order_id
FROM (
    SELECT DISTINCT l.payment_order_id
    FROM unnest(p_seller, p_currency) AS u (seller, currency)
    CROSS JOIN LATERAL open_payout_lines(p_merchant_id, u.seller,
                                         u.currency) l
    WHERE l.amount_minor < 0 AND l.kind <> 'reserve_held') t
CROSS JOIN LATERAL (
    SELECT sum(r.amount_minor) AS reserved
    FROM payout_reserve r
    WHERE r.merchant_id = p_merchant_id
        AND r.payment_order_id = t.payment_order_id
        AND r.released_at IS NULL) r
WHERE r.reserved > (
    SELECT coalesce(sum(l.amount_minor), 0) FROM payout_line l
    WHERE l.merchant_id = p_merchant_id
        AND l.payment_order_id = t.payment_order_id
        AND l.kind NOT IN ('reserve_held', 'reserve_released'))
$$;
COMMENT ON FUNCTION pay.overtaken_reserves IS
    'Orders whose reserve is more than the money left of them';


-- Reserves whose time is over, and those of orders that have lost their money:
-- refunded money is not reserved as well, or another order would be short of it.
CREATE OR REPLACE FUNCTION pay.end_reserves(
    p_merchant_id text, p_seller text[], p_currency text[])
RETURNS posting[] LANGUAGE plpgsql AS $$
DECLARE
    v_ended posting[];
    v_short text[];
BEGIN
    IF NOT EXISTS (SELECT FROM payout_reserve r
                   WHERE r.merchant_id = p_merchant_id
                       AND r.released_at IS NULL)
    THEN
        RETURN '{}';
    END IF;

    v_short := ARRAY(SELECT overtaken_reserves(p_merchant_id, p_seller,
                                               p_currency));
    WITH ended AS (
        UPDATE payout_reserve r SET released_at = now()
        FROM unnest(p_seller, p_currency) AS u (seller, currency)
        CROSS JOIN LATERAL (
            SELECT x.ctid AS place FROM payout_reserve x
            WHERE x.merchant_id = p_merchant_id
                AND x.seller_account = u.seller AND x.currency = u.currency
                AND x.released_at IS NULL
                AND (x.until <= now() OR x.payment_order_id = ANY (v_short))
            OFFSET 0) x
        WHERE r.ctid = x.place
        RETURNING r.*
    )
    SELECT array_agg(reserve_posting(e, 'reserve_released')) INTO v_ended
    FROM ended e;

    RETURN coalesce(v_ended, '{}');
END
$$;
COMMENT ON FUNCTION pay.end_reserves IS
    'Entries that release the reserves of these wallets that are over';


-- Why the money of an order stays, the first reason that holds; NULL: it may be
-- paid out.  p_sold_at: its last sale; NULL: it has none that is open.  A set of
-- one row, so that it becomes a part of its caller's statement: one of its own
-- for each order costs several times as much.
CREATE OR REPLACE FUNCTION pay.payout_stops(
    p_merchant_id text, p_order text, p_sold_at timestamptz)
RETURNS SETOF text LANGUAGE sql STABLE AS $$
SELECT CASE
    WHEN h.payment_order_id IS NOT NULL THEN 'hold'
    WHEN EXISTS (
        SELECT FROM dispute d
        WHERE d.merchant_id = o.merchant_id
            AND d.checkout_id = o.checkout_id AND d.state = 'open'
            AND coalesce(d.payment_order_id = o.payment_order_id, true))
    THEN 'dispute'
    WHEN o.refunding_minor > 0 THEN 'refund'
    WHEN NOT CASE coalesce(p.release_by, 'delivered')
        WHEN 'delivered' THEN r.payment_order_id IS NOT NULL
        WHEN 'days' THEN p_sold_at <= t.latest
        WHEN 'either' THEN r.payment_order_id IS NOT NULL
            OR p_sold_at <= t.latest
        ELSE r.payment_order_id IS NOT NULL AND p_sold_at <= t.latest END
    THEN CASE WHEN p.release_by = 'days' OR p.release_by = 'both'
                   AND r.payment_order_id IS NOT NULL
              THEN 'too_early' ELSE 'not_delivered' END
    WHEN p.needs_settled AND EXISTS (
        SELECT FROM payout_line l
        WHERE l.merchant_id = o.merchant_id
            AND l.payment_order_id = o.payment_order_id AND l.is_open
            AND l.kind IN ('sale', 'late_accepted') AND NOT EXISTS (
                SELECT FROM settlement_closed c
                WHERE c.merchant_id = l.merchant_id
                    AND c.source = CASE l.kind WHEN 'sale' THEN l.source
                        ELSE 'late/' || o.checkout_id END
                    AND c.kind = CASE l.kind WHEN 'sale' THEN l.kind
                                 ELSE 'late_held' END))
    THEN 'not_settled' END
FROM payment_order o
LEFT JOIN payout_policy p ON p.merchant_id = o.merchant_id
LEFT JOIN payout_release r ON r.merchant_id = o.merchant_id
    AND r.payment_order_id = o.payment_order_id
LEFT JOIN payout_hold h ON h.merchant_id = o.merchant_id
    AND h.seller_account = o.seller_account
    AND h.payment_order_id = o.payment_order_id
CROSS JOIN LATERAL (
    SELECT clock_timestamp() - make_interval(days => p.release_days)
        AS latest) t
WHERE o.payment_order_id = p_order AND o.merchant_id = p_merchant_id
OFFSET 0
$$;
COMMENT ON FUNCTION pay.payout_stops IS
    'Why an order''s money is not paid out: hold, dispute, refund, '
    'not_delivered, too_early, not_settled; NULL: it may be';


-- The open lines of wallets by order, with the reason why they stay.  An order
-- that owes money, its reserve left out, is netted at once, whatever stops it.
-- So is one whose reserve is more than the money that stays: no item is larger
-- than the available money.
CREATE OR REPLACE FUNCTION pay.open_payout_orders(
    p_merchant_id text, p_seller text[], p_currency text[])
RETURNS TABLE (seller_account text, currency text, payment_order_id text,
    amount_minor bigint, seqs bigint[], stop text)
LANGUAGE sql STABLE AS $$
SELECT g.seller_account, g.currency, g.payment_order_id, g.amount_minor,
    g.seqs, s.stop
FROM (
    SELECT l.seller_account, l.currency, l.payment_order_id,
        sum(l.amount_minor)::bigint AS amount_minor,
        least(sum(l.amount_minor), coalesce(sum(l.amount_minor) FILTER (
            WHERE l.kind NOT IN ('reserve_held', 'reserve_released')), 0))
            >= 0 AS is_owed,
        array_agg(l.wallet_seq) AS seqs,
        max(l.at) FILTER (WHERE l.kind IN ('sale', 'late_accepted'))
            AS sold_at
    FROM unnest(p_seller, p_currency) AS u (seller, currency)
    CROSS JOIN LATERAL open_payout_lines(p_merchant_id, u.seller,
                                         u.currency) l
    GROUP BY l.seller_account, l.currency, l.payment_order_id) g
LEFT JOIN LATERAL payout_stops(p_merchant_id, g.payment_order_id, g.sold_at)
    AS s (stop) ON g.is_owed
$$;
COMMENT ON FUNCTION pay.open_payout_orders IS
    'The open lines of wallets by order, and why they stay';


-- The money that pay-outs would take now.  Where it is held, disputed, being
-- refunded or not released, it stays in the cell that knows.  A debt goes when
-- the wallet is below zero: less may be open than was carried before, since a
-- dispute has begun.  Nobody reports deliveries of a merchant without pay-outs.
CREATE OR REPLACE FUNCTION pay.carried_balances(
    p_merchant_id text, p_seller text[], p_currency text[])
RETURNS TABLE (seller_account text, currency text, minor bigint)
LANGUAGE sql STABLE AS $$
SELECT o.seller_account, o.currency, m.minor
FROM (
    SELECT o.seller_account, o.currency, sum(o.amount_minor)::bigint AS open
    FROM open_payout_orders(p_merchant_id, p_seller, p_currency) o
    CROSS JOIN (
        SELECT EXISTS (SELECT FROM payout_policy p
                       WHERE p.merchant_id = p_merchant_id)
            OR EXISTS (SELECT FROM payout_account a
                       WHERE a.merchant_id = p_merchant_id) AS pays_out) m
    WHERE o.stop IS NULL OR o.stop = 'not_delivered' AND NOT m.pays_out
    GROUP BY o.seller_account, o.currency) o
JOIN wallet w ON w.merchant_id = p_merchant_id
    AND w.seller_account = o.seller_account AND w.currency = o.currency
CROSS JOIN LATERAL (
    SELECT greatest(least(o.open, w.available_minor),
                    least(w.available_minor, 0))) m (minor)
WHERE m.minor <> 0
    AND NOT EXISTS (
        SELECT FROM payout_hold h
        WHERE h.merchant_id = p_merchant_id
            AND h.seller_account = o.seller_account
            AND h.payment_order_id = '')
$$;
COMMENT ON FUNCTION pay.carried_balances IS
    'The money of these wallets that may be carried to another cell';
