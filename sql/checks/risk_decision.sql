-- A checkout that risk has failed was decided to be blocked, and nothing was
-- ever sent for it; every decision has its checkout, which says the same.
SELECT coalesce(c.merchant_id, d.merchant_id) AS merchant_id,
    coalesce(c.checkout_id, d.checkout_id) AS checkout_id, c.state, c.risk,
    d.decision, o.failed
FROM (
    SELECT * FROM pay.checkout x WHERE x.risk IS NOT NULL) c
FULL JOIN pay.risk_decision d USING (merchant_id, checkout_id)
LEFT JOIN LATERAL (
    SELECT coalesce(bool_or(x.reason = 'risk'), false) AS failed,
        coalesce(bool_and(x.reason = 'risk'), false) AS all_failed
    FROM pay.payment_order x
    WHERE x.merchant_id = c.merchant_id AND x.checkout_id = c.checkout_id) o
    ON true
WHERE c.risk IS DISTINCT FROM d.decision
    OR (c.risk = 'block') IS DISTINCT FROM o.failed
    OR (c.risk = 'block' AND (
        NOT o.all_failed OR c.state <> 'REFUSED' OR c.token IS NOT NULL
        OR EXISTS (
            SELECT FROM pay.journal j
            WHERE j.merchant_id = c.merchant_id
                AND j.checkout_id = c.checkout_id)))
UNION ALL
SELECT o.merchant_id, o.checkout_id, NULL, NULL, NULL, true
FROM pay.payment_order o
JOIN pay.checkout c USING (merchant_id, checkout_id)
WHERE o.reason = 'risk' AND c.risk IS NULL;
