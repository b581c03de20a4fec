-- Every order belongs to a checkout that is registered, or being registered.
SELECT o.merchant_id, o.payment_order_id
FROM pay.payment_order o
LEFT JOIN pay.checkout c USING (merchant_id, checkout_id)
LEFT JOIN pay.registration r USING (merchant_id, checkout_id)
WHERE c.checkout_id IS NULL OR r.checkout_id IS NULL;
