-- An idempotency record leads to a checkout (I7).
SELECT k.merchant_id, k.key, k.checkout_id
FROM pay.idempotency_key k
LEFT JOIN pay.checkout c USING (merchant_id, checkout_id)
WHERE c.checkout_id IS NULL;
