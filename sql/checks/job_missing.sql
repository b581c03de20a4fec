-- An open checkout has a job that will go on with it, a settled one has none
-- (I8); but the PSP may be asked, for a while, about one that has failed.
SELECT c.merchant_id, c.checkout_id, r.state, min(o.status) AS status,
    j.kind, j.attempts
FROM pay.checkout c
JOIN pay.registration r USING (merchant_id, checkout_id)
JOIN pay.payment_order o USING (merchant_id, checkout_id)
LEFT JOIN pay.job j USING (merchant_id, checkout_id)
GROUP BY c.merchant_id, c.checkout_id, r.state, r.token, j.kind, j.attempts
HAVING j.kind IS DISTINCT FROM CASE
        WHEN min(o.status) IN ('SUCCESS', 'FAILED') THEN NULL
        WHEN r.state = 'REGISTERING' THEN 'register'
        ELSE 'poll' END
    AND (min(o.status) = 'FAILED' AND j.kind = 'poll' AND j.attempts <= 101
         AND r.token IS NOT NULL) IS NOT TRUE;
