-- Calls go out only at PSPs that the registration has been at, and register
-- calls, captures and expiries only with its nonce or for a change (I1).
SELECT d.merchant_id, d.checkout_id, d.operation, d.operation_id, d.attempt,
    d.psp, r.psp AS registered_at, r.nonce
FROM pay.journal d
LEFT JOIN pay.registration r USING (merchant_id, checkout_id)
WHERE r.checkout_id IS NULL
    OR d.psp <> ALL (r.psps)
    OR (d.operation IN ('register', 'capture', 'expire')
        AND d.operation_id <> r.nonce
        AND (d.operation = 'register' OR NOT EXISTS (
            SELECT FROM pay.change c
            WHERE c.merchant_id = d.merchant_id
                AND c.checkout_id = d.checkout_id
                AND c.change_id = d.operation_id
                AND c.kind = CASE d.operation WHEN 'expire' THEN 'cancel'
                                              ELSE d.operation END)))
    OR NOT EXISTS (
        SELECT FROM pay.payment_order o
        JOIN pay.event e USING (merchant_id, payment_order_id)
        WHERE o.merchant_id = d.merchant_id
            AND o.checkout_id = d.checkout_id AND o.position = 1
            AND e.kind IN ('created', 'rerouted')
            AND coalesce(e.detail ->> 'to', e.detail ->> 'psp') = d.psp
        UNION ALL
        -- or it was dropped with its month
        SELECT FROM pay.payment_order o
        JOIN pay.event_anchor a USING (merchant_id, payment_order_id)
        WHERE o.merchant_id = d.merchant_id
            AND o.checkout_id = d.checkout_id AND o.position = 1);
