-- The money that an order reserves, has paid back and has lost is the sum of
-- its refunds and disputes, and no more is paid back than was captured.
-- Captures add up to no more than the captured amount, except where a PSP has
-- taken more than was authorised, which is a mismatch for the operator.
SELECT o.merchant_id, o.payment_order_id, o.captured_minor,
    o.refunding_minor, o.refunded_minor, o.charged_back_minor, c.refunding,
    c.refunded, c.captured, d.charged_back
FROM pay.payment_order o
LEFT JOIN (
    SELECT c.merchant_id, c.payment_order_id,
        sum(c.amount_minor) FILTER (WHERE c.kind = 'refund'
            AND (c.status = 'EXECUTING' OR c.status = 'NOT_STARTED'
                 AND c.origin = 'merchant')) AS refunding,
        sum(c.amount_minor) FILTER (WHERE c.kind = 'refund'
            AND c.status = 'SUCCESS') AS refunded,
        sum(c.amount_minor) FILTER (WHERE c.kind = 'capture'
            AND c.status = 'SUCCESS' AND c.matched_to IS NULL) AS captured
    FROM pay.change c
    GROUP BY c.merchant_id, c.payment_order_id) c
    USING (merchant_id, payment_order_id)
LEFT JOIN (
    SELECT d.merchant_id, d.payment_order_id,
        sum(d.amount_minor) AS charged_back
    FROM pay.dispute d
    WHERE d.state IN ('open', 'lost')
    GROUP BY d.merchant_id, d.payment_order_id) d
    USING (merchant_id, payment_order_id)
WHERE o.refunding_minor <> coalesce(c.refunding, 0)
    OR o.refunded_minor <> coalesce(c.refunded, 0)
    OR o.charged_back_minor <> coalesce(d.charged_back, 0)
    OR o.refunding_minor + o.refunded_minor > o.captured_minor
    OR o.authorized_minor + o.captured_minor > o.amount_minor
    OR coalesce(c.captured, 0) > o.captured_minor AND NOT EXISTS (
        SELECT FROM pay.mismatch m
        WHERE m.merchant_id = o.merchant_id
            AND m.checkout_id = o.checkout_id
            AND m.kind = 'capture' AND m.why = 'exceeds');
