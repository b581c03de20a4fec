-- Each change is in the timeline of its order, and its end is there as it
-- happened; each timeline event about a change names a change that exists.
SELECT 'untold' AS what, c.merchant_id, c.payment_order_id, c.change_id,
    c.kind, c.status
FROM pay.change c
WHERE NOT EXISTS (
    SELECT FROM pay.event e
    WHERE e.merchant_id = c.merchant_id
        AND e.payment_order_id = c.payment_order_id
        AND e.detail ->> 'change_id' = c.change_id
        AND (c.kind <> 'refund' OR e.kind = CASE
            WHEN c.status = 'SUCCESS' THEN 'refunded'
            WHEN c.returned THEN 'refund_returned'
            WHEN c.status = 'FAILED' THEN 'refund_failed'
            ELSE e.kind END))
    -- unless it was dropped with its month
    AND NOT EXISTS (
        SELECT FROM pay.event_anchor a
        WHERE a.merchant_id = c.merchant_id
            AND a.payment_order_id = c.payment_order_id)
UNION ALL
SELECT 'unknown', e.merchant_id, e.payment_order_id,
    e.detail ->> 'change_id', e.kind, e.new_status
FROM pay.event e
WHERE e.detail ? 'change_id'
    AND NOT EXISTS (
        SELECT FROM pay.change c
        WHERE c.merchant_id = e.merchant_id
            AND c.change_id = e.detail ->> 'change_id');
