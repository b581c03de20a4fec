-- No webhook stays parked once its token or its payment id is known (I6), with
-- two exceptions: one that takes back money which has not arrived yet, and a
-- sum of captures while one of them is open.
SELECT i.psp, i.event_id, i.token
FROM pay.webhook_inbox i
JOIN pay.psp_token t ON t.psp = i.psp AND t.token = CASE WHEN t.is_reference
    THEN i.reference ELSE i.token END
    -- one without a token is stored under its payment
    AND (t.is_reference OR (i.about ? 'by_payment') IS NOT TRUE)
WHERE i.state = 'parked' AND t.checkout_id IS NOT NULL
    AND (i.checkout_id IS NULL OR i.about IS NULL OR NOT EXISTS (
        SELECT FROM pay.payment_order o
        WHERE o.merchant_id = i.merchant_id
            AND o.checkout_id = i.checkout_id
            AND (o.authorized_minor > 0
                 OR o.status IN ('NOT_STARTED', 'EXECUTING'))))
    AND NOT EXISTS (
        SELECT FROM pay.change c
        WHERE c.merchant_id = i.merchant_id
            AND c.checkout_id = i.checkout_id AND c.kind = 'capture'
            AND c.status IN ('NOT_STARTED', 'EXECUTING')
            AND i.about ->> 'about' = 'capture');
