-- Risk: the decisions about new checkouts are carried out, and declines counted.
-- Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Nothing was sent, nothing will be, and no page waits for its end.  A checkout
-- whose page it was to close first keeps its place, and the blocked one can then
-- not be replaced, see old_page_is_open().  One without an open page has lost its
-- place: two checkouts could take the places of these two, and both be paid.
CREATE OR REPLACE FUNCTION pay.block_checkouts(
    p_items int[], p_merchant_id text[], p_checkout_id text[], p_psp text[],
    p_request_id text[], p_terms jsonb[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE checkout c
    SET state = 'REFUSED', code = 'risk', lease_until = NULL,
        first_call = NULL, open_attempts = 0
    FROM unnest(p_items) n
    CROSS JOIN LATERAL (
        SELECT x.tableoid AS part, x.ctid AS tid FROM checkout x
        WHERE x.merchant_id = p_merchant_id[n]
            AND x.checkout_id = p_checkout_id[n]
        OFFSET 0) x
    WHERE c.ctid = x.tid AND c.tableoid = x.part;

    UPDATE checkout c
    SET replaced_by = NULL, version = c.version + 1
    FROM unnest(p_items) n
    CROSS JOIN LATERAL (
        SELECT x.tableoid AS part, x.ctid AS tid FROM checkout x
        WHERE x.merchant_id = p_merchant_id[n]
            AND x.checkout_id = p_terms[n] ->> 'replaces'
            AND x.replaced_by = p_checkout_id[n]
            AND EXISTS (
                SELECT FROM checkout w
                WHERE w.merchant_id = p_merchant_id[n]
                    AND w.checkout_id = p_checkout_id[n] AND w.waits)
        OFFSET 0) x
    WHERE p_terms[n] ->> 'replaces' IS NOT NULL
        AND c.ctid = x.tid AND c.tableoid = x.part;

    PERFORM record_facts(ARRAY(
        SELECT ROW(n, NULL, p_merchant_id[n], p_checkout_id[n], 'blocked',
            'gateway', p_psp[n], NULL, NULL, NULL, NULL, NULL, NULL, NULL,
            p_request_id[n], NULL, NULL, NULL, NULL)::fact
        FROM unnest(p_items) n ORDER BY n));
END
$$;
COMMENT ON FUNCTION pay.block_checkouts IS
    'Fails new checkouts of which nothing was sent';


-- Until the review ends, or an operator ends the hold alone.
CREATE OR REPLACE FUNCTION pay.hold_orders(
    p_items int[], p_merchant_id text[], p_checkout_id text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH held AS (
        INSERT INTO payout_hold (merchant_id, seller_account,
            payment_order_id, why)
        SELECT o.merchant_id, o.seller_account, o.payment_order_id,
            'to be reviewed'
        FROM unnest(p_items) n
        CROSS JOIN LATERAL orders_of(p_merchant_id[n], p_checkout_id[n]) o
        ORDER BY 1, 2, 3
        ON CONFLICT DO NOTHING
        RETURNING merchant_id, payment_order_id, why
    )
    INSERT INTO payout_act (merchant_id, subject, subject_id, act, who, why,
        detail)
    SELECT h.merchant_id, 'order', h.payment_order_id, 'held', 'risk', h.why,
        '{}'
    FROM held h;
END
$$;
COMMENT ON FUNCTION pay.hold_orders IS
    'Holds the pay-outs of the orders of checkouts';


CREATE OR REPLACE FUNCTION pay.hold_for_review(
    p_items int[], p_merchant_id text[], p_checkout_id text[],
    p_currency text[], p_total_minor bigint[], p_terms jsonb[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM open_reviews(p_items, p_merchant_id, p_checkout_id, p_currency,
                         p_total_minor, p_terms);
    PERFORM hold_orders(p_items, p_merchant_id, p_checkout_id);
    PERFORM hold_money(p_items, p_merchant_id, p_checkout_id, p_terms);
END
$$;
COMMENT ON FUNCTION pay.hold_for_review IS
    'Opens reviews of checkouts, holds the pay-outs of their orders, and their '
    'money where it can be held';


-- The end of begin_payment for items that were looked at.  It is behind all
-- rounds of it: counters are the last rows that a transaction locks, and many
-- payments wait for one of them.  changed: those that are no longer as they came.
CREATE OR REPLACE FUNCTION pay.look_at_risk(
    p_items int[], p_waits int[], p_merchant_id text[], p_checkout_id text[],
    p_psp text[], p_currency text[], p_total_minor bigint[],
    p_lease_ms bigint[], p_request_id text[], p_terms jsonb[],
    p_risk jsonb[], p_texts text[], p_rows risk_rows, p_replaces boolean,
    OUT blocked int[], OUT changed int[])
LANGUAGE plpgsql AS $$
DECLARE
    v_found  record := keep_decisions(p_items, p_merchant_id, p_checkout_id,
                           p_currency, p_total_minor, p_risk, p_texts, p_rows);
    v_review int[];
BEGIN
    blocked := '{}';
    changed := '{}';

    IF v_found.is_changed OR v_found.words && '{block,review}' THEN
        SELECT coalesce(array_agg(u.n) FILTER (WHERE u.word = 'block'), '{}'),
            coalesce(array_agg(u.n) FILTER (WHERE u.word = 'review'), '{}'),
            coalesce(array_agg(u.n), '{}')
        INTO blocked, v_review, changed
        FROM unnest(v_found.items, v_found.words) u (n, word)
        WHERE u.word IN ('block', 'review')
            OR u.word <> p_risk[u.n] ->> 'decision';
    END IF;

    IF v_review <> '{}' THEN
        PERFORM hold_for_review(v_review, p_merchant_id, p_checkout_id,
                                p_currency, p_total_minor, p_terms);
    END IF;

    IF blocked <> '{}' THEN
        PERFORM block_checkouts(blocked, p_merchant_id, p_checkout_id, p_psp,
                                p_request_id, p_terms);
    END IF;

    IF p_replaces THEN
        PERFORM close_replaced(ARRAY(
                SELECT n FROM unnest(p_items) n
                WHERE n <> ALL (blocked) OR n <> ALL (p_waits)),
            p_waits, p_merchant_id, p_checkout_id, p_lease_ms, p_request_id,
            p_terms);
    END IF;
END
$$;
COMMENT ON FUNCTION pay.look_at_risk IS
    'Decides about new checkouts, and carries the decisions out';


-- Locked checkouts that have just been declined count with each key of their
-- windows.  declined_at makes that once for each: webhooks come twice.
-- Counters are the last rows that a transaction locks, in key order.
CREATE OR REPLACE FUNCTION pay.count_declines(
    p_merchant_id text[], p_checkout_id text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH declined AS (
        UPDATE risk_decision d
        SET declined_at = clock_timestamp()
        FROM (SELECT DISTINCT * FROM unnest(p_merchant_id, p_checkout_id))
            AS u (merchant_id, checkout_id)
        CROSS JOIN LATERAL (
            SELECT x.ctid AS tid FROM risk_decision x
            WHERE x.merchant_id = u.merchant_id
                AND x.checkout_id = u.checkout_id
                AND x.declined_at IS NULL
            OFFSET 0) x
        CROSS JOIN LATERAL (
            SELECT FROM payment_order o
            WHERE o.merchant_id = u.merchant_id
                AND o.checkout_id = u.checkout_id AND o.status = 'FAILED'
                AND o.reason = 'declined'
            LIMIT 1) o
        WHERE d.ctid = x.tid
        RETURNING d.merchant_id, d.counted
    )
    INSERT INTO risk_counter AS c (merchant_id, kind, value, hour, attempts,
        declines, amounts)
    SELECT d.merchant_id COLLATE "C", (k ->> 0) COLLATE "C",
        (k ->> 1) COLLATE "C", this_hour(), 0, count(*), '{}'
    FROM declined d
    CROSS JOIN LATERAL jsonb_array_elements(d.counted) k
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (merchant_id, kind, value, hour) DO UPDATE
    SET declines = c.declines + EXCLUDED.declines;
END
$$;
COMMENT ON FUNCTION pay.count_declines IS
    'Counts checkouts that were declined with the keys of their windows';
