-- A timeline runs from 1 to the order's version without a gap (I5).
SELECT o.merchant_id, o.payment_order_id, o.version, count(e.seq) AS events,
    max(e.seq) AS last
FROM pay.payment_order o
LEFT JOIN pay.event e USING (merchant_id, payment_order_id)
GROUP BY o.merchant_id, o.payment_order_id
HAVING count(e.seq) <> o.version OR max(e.seq) <> o.version;
