-- Every order belongs to a checkout, whose row holds its registration, too.
SELECT o.merchant_id, o.payment_order_id
FROM pay.payment_order o
LEFT JOIN pay.checkout c USING (merchant_id, checkout_id)
WHERE c.checkout_id IS NULL;
