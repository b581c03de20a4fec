-- Each message of the outbox belongs to an event of the timeline.
SELECT x.merchant_id, x.payment_order_id, x.seq, x.kind
FROM pay.outbox x
WHERE NOT EXISTS (
    SELECT FROM pay.event e
    WHERE e.merchant_id = x.merchant_id
        AND e.payment_order_id = x.payment_order_id AND e.seq = x.seq
    UNION ALL
    -- or it was dropped with its month
    SELECT FROM pay.event_anchor a
    WHERE a.merchant_id = x.merchant_id
        AND a.payment_order_id = x.payment_order_id AND a.seq >= x.seq);
