-- An event is about an order, or is an act on the console; there is no foreign
-- key, the log outlives all.
SELECT e.merchant_id, e.payment_order_id, e.seq
FROM pay.event e
LEFT JOIN pay.payment_order o USING (merchant_id, payment_order_id)
WHERE o.payment_order_id IS NULL
    AND (e.merchant_id, e.payment_order_id) <> (':console', ':acts');
