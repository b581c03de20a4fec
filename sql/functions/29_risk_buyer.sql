-- Risk: the outcome of a buyer's earlier checkouts with a merchant, for the vector
-- of features of a new one.  tools/risk/features.py has the same rules.  It is
-- read from the rows of these checkouts, as they are now, in place of counts
-- beside them: a repeated webhook changes nothing, and data that has ended does
-- not count.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The newest 50 checkouts under each hash: that bounds the time that an
-- attacker's thousand attempts cost.  One that is paid late is paid; one that
-- the gateway has blocked, or that no PSP has taken, is no failure.  ships: whether
-- a paid one went to this country; NULL: no country is known, there or here.
-- psp_risk: the newest word of a PSP, 0 to 3: its score by quarters, or where it
-- gives none its level.  devices: from how many the buyer has paid; device_at: when
-- first from this one, in seconds since 1970, NULL: never.  A payment that was
-- disputed as fraud counts for neither, since it may have been the thief's.
CREATE OR REPLACE FUNCTION pay.buyer_history(
    p_merchant_id text, p_buyers bytea[], p_country text, p_devices bytea[],
    OUT orders bigint, OUT failures bigint, OUT disputes bigint,
    OUT ships bigint, OUT psp_risk bigint, OUT devices bigint,
    OUT device_at bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT count(*) FILTER (WHERE s.is_paid),
        count(*) FILTER (WHERE s.is_failed AND NOT s.is_paid),
        count(*) FILTER (WHERE s.is_denied),
        max((d.country = p_country)::int) FILTER (WHERE s.is_paid),
        (array_agg(c.risk ORDER BY c.at DESC, d.at DESC)
            FILTER (WHERE c.risk IS NOT NULL))[1],
        count(DISTINCT d.device)
            FILTER (WHERE s.is_paid AND s.is_denied IS NULL),
        floor(extract(epoch FROM min(d.at) FILTER (WHERE s.is_paid
            AND s.is_denied IS NULL AND d.device = ANY (p_devices))))
    INTO orders, failures, disputes, ships, psp_risk, devices, device_at
    FROM unnest(p_buyers) b (buyer)
    CROSS JOIN LATERAL (
        SELECT x.checkout_id, x.at, x.device,
            x.facts ->> 'shipping_country' AS country
        FROM risk_decision x
        WHERE x.buyer = b.buyer AND x.merchant_id = p_merchant_id
        ORDER BY x.at DESC LIMIT 50) d
    CROSS JOIN LATERAL (
        SELECT bool_or(o.status = 'SUCCESS') AS is_paid,
            bool_or(o.status = 'FAILED'
                AND o.reason IN ('declined', 'expired', 'cancelled'))
                AS is_failed,
            bool_or(l.is_denied) AS is_denied
        FROM payment_order o
        LEFT JOIN LATERAL (
            SELECT true AS is_denied FROM risk_label x
            WHERE x.merchant_id = o.merchant_id
                AND x.payment_order_id = o.payment_order_id
                AND x.source = 'dispute' AND x.label = 'fraud'
            OFFSET 0) l ON true
        WHERE o.merchant_id = p_merchant_id AND o.checkout_id = d.checkout_id
        OFFSET 0) s
    LEFT JOIN LATERAL (
        SELECT x.at, CASE WHEN x.score IS NOT NULL THEN least(x.score / 25, 3)
            WHEN x.level = 'normal' THEN 0 WHEN x.level = 'elevated' THEN 2
            ELSE 3 END AS risk
        FROM risk_card x
        WHERE x.merchant_id = p_merchant_id AND x.checkout_id = d.checkout_id
            AND num_nonnulls(x.score, x.level) > 0
        ORDER BY x.at DESC, x.attempt DESC LIMIT 1) c ON true;
END
$$;
COMMENT ON FUNCTION pay.buyer_history IS
    'The outcome of a buyer''s earlier checkouts with a merchant';


-- A hash of another form is nobody's.  An amount that no rate converts is not
-- known.
CREATE OR REPLACE FUNCTION pay_api.get_buyer_history(
    p_merchant_id text[], p_buyer text[], p_buyer_before text[],
    p_country text[], p_currency text[], p_total_minor bigint[],
    p_device text[], p_device_before text[])
RETURNS SETOF pay_api.buyer_history_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_buyer),
        array_dims(p_buyer_before), array_dims(p_country),
        array_dims(p_currency), array_dims(p_total_minor),
        array_dims(p_device), array_dims(p_device_before));

    RETURN QUERY
    SELECT u.n::int, 'found', h.orders, h.failures, h.disputes, h.ships,
        h.psp_risk, CASE WHEN u.currency = 'USD' THEN u.minor
            ELSE convert(u.minor, u.currency, 'USD',
                         median_rate(u.currency, 'USD', NULL)) END,
        h.devices, h.device_at
    FROM unnest(p_merchant_id, p_buyer, p_buyer_before, p_country, p_currency,
        p_total_minor, p_device, p_device_before) WITH ORDINALITY
        AS u (merchant_id, buyer, before, country, currency, minor, device,
              device_before, n)
    CROSS JOIN LATERAL buyer_history(u.merchant_id, ARRAY(
        SELECT DISTINCT decode(b, 'hex') FROM unnest(ARRAY[u.buyer, u.before]) b
        WHERE risk_value_ok('buyer', b)), u.country, ARRAY(
        SELECT decode(d, 'hex')
        FROM unnest(ARRAY[u.device, u.device_before]) d
        WHERE risk_value_ok('device', d))) h
    ORDER BY 1;
END
$$;
COMMENT ON FUNCTION pay_api.get_buyer_history IS
    'The buyers'' earlier checkouts, for the score of new ones. Outcomes: found';
