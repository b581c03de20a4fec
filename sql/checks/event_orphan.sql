-- An event is about an order; there is no foreign key, the log outlives all.
SELECT e.merchant_id, e.payment_order_id, e.seq
FROM pay.event e
LEFT JOIN pay.payment_order o USING (merchant_id, payment_order_id)
WHERE o.payment_order_id IS NULL;
