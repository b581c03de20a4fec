-- SUCCESS only where a PSP said "paid", once.
SELECT o.merchant_id, o.payment_order_id, count(e.seq) AS paid_events
FROM pay.payment_order o
LEFT JOIN pay.event e ON e.merchant_id = o.merchant_id
    AND e.payment_order_id = o.payment_order_id AND e.kind = 'paid'
    AND e.new_status = 'SUCCESS'
-- events that were dropped with their month cannot be compared
WHERE NOT EXISTS (
    SELECT FROM pay.event_anchor a
    WHERE a.merchant_id = o.merchant_id
        AND a.payment_order_id = o.payment_order_id)
GROUP BY o.merchant_id, o.payment_order_id
HAVING (o.status = 'SUCCESS') IS DISTINCT FROM (count(e.seq) = 1)
    OR count(e.seq) > 1;
