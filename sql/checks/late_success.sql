-- Money that came too late is a sale only if an operator accepted it, and is
-- never both accepted and paid back; each order's timeline has its arrival
-- once.  It is late when its checkout has expired or was replaced by another
-- one.
SELECT l.merchant_id, l.checkout_id, l.state, o.payment_order_id, o.status,
    o.reason, c.late_success
FROM pay.late_success l
LEFT JOIN pay.checkout c USING (merchant_id, checkout_id)
LEFT JOIN pay.payment_order o USING (merchant_id, checkout_id)
WHERE o.payment_order_id IS NULL
    OR c.late_success = 'accept'
    OR (l.state = 'accepted') <> (o.status = 'SUCCESS')
    OR (l.state <> 'accepted' AND (o.status, o.reason)
        IS DISTINCT FROM ('FAILED', 'expired')
        AND (o.status <> 'FAILED' OR c.replaced_by IS NULL AND NOT EXISTS (
            SELECT FROM pay.change x
            WHERE x.merchant_id = c.merchant_id
                AND x.checkout_id = c.checkout_id
                AND x.replaced_by IS NOT NULL)))
    OR (l.state = 'refunding' AND c.late_success <> 'refund')
    OR (l.amount_minor, l.currency) <> (c.total_minor, c.currency)
    OR (SELECT count(*) FROM pay.event e
        WHERE e.merchant_id = o.merchant_id
            AND e.payment_order_id = o.payment_order_id
            AND e.kind = 'late_success') <> 1
        -- unless it was dropped with its month
        AND NOT EXISTS (
            SELECT FROM pay.event_anchor a
            WHERE a.merchant_id = o.merchant_id
                AND a.payment_order_id = o.payment_order_id)
    OR EXISTS (
        SELECT FROM pay.dispatch d
        WHERE d.merchant_id = l.merchant_id
            AND d.checkout_id = l.checkout_id
            AND d.operation = 'refund'
            AND d.operation_id = l.refund_id::text
            AND l.state IN ('held', 'accepted'));
