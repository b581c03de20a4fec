-- An order's head is the hash of its newest event, also where that was
-- dropped with its month.
SELECT o.merchant_id, o.payment_order_id, o.version, o.head
FROM pay.payment_order o
WHERE o.head NOT IN (
    SELECT e.hash FROM pay.event e
    WHERE e.merchant_id = o.merchant_id
        AND e.payment_order_id = o.payment_order_id AND e.seq = o.version
    UNION ALL
    SELECT a.hash FROM pay.event_anchor a
    WHERE a.merchant_id = o.merchant_id
        AND a.payment_order_id = o.payment_order_id AND a.seq = o.version);
