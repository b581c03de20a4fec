-- An open checkout has a job that will go on with it, a settled one has
-- none (I8).
SELECT c.merchant_id, c.checkout_id, r.state, min(o.status) AS status,
    j.kind
FROM pay.checkout c
JOIN pay.registration r USING (merchant_id, checkout_id)
JOIN pay.payment_order o USING (merchant_id, checkout_id)
LEFT JOIN pay.job j USING (merchant_id, checkout_id)
GROUP BY c.merchant_id, c.checkout_id, r.state, j.kind
HAVING j.kind IS DISTINCT FROM CASE
    WHEN min(o.status) IN ('SUCCESS', 'FAILED') THEN NULL
    WHEN r.state = 'REGISTERING' THEN 'register'
    ELSE 'poll' END;
