-- An open checkout has a job that will go on with it, or people were told that
-- its poll has been given up; a settled one has none (I8), but the PSP may be
-- asked, for a while, about one that has failed.  What pays late money back
-- has late money to pay back.
SELECT c.merchant_id, c.checkout_id, r.state, min(o.status) AS status,
    j.kind, j.attempts
FROM pay.checkout c
JOIN pay.registration r USING (merchant_id, checkout_id)
JOIN pay.payment_order o USING (merchant_id, checkout_id)
LEFT JOIN pay.job j ON j.merchant_id = c.merchant_id
    AND j.checkout_id = c.checkout_id AND j.kind <> 'refund'
GROUP BY c.merchant_id, c.checkout_id, r.state, r.token, j.kind, j.attempts
HAVING j.kind IS DISTINCT FROM CASE
        WHEN min(o.status) IN ('SUCCESS', 'FAILED') THEN NULL
        WHEN r.state = 'REGISTERING' THEN 'register'
        ELSE 'poll' END
    AND (min(o.status) = 'FAILED' AND j.kind = 'poll' AND j.attempts <= 101
         AND r.token IS NOT NULL) IS NOT TRUE
    AND (j.kind IS NULL AND min(o.status) = 'EXECUTING' AND EXISTS (
            SELECT FROM pay.dead_letter d
            WHERE d.merchant_id = c.merchant_id
                AND d.checkout_id = c.checkout_id AND d.kind = 'poll'
                AND d.state IN ('open', 'resolved'))) IS NOT TRUE
UNION ALL
SELECT j.merchant_id, j.checkout_id, l.state, NULL, j.kind, j.attempts
FROM pay.job j
LEFT JOIN pay.late_success l USING (merchant_id, checkout_id)
WHERE j.kind = 'refund'
    AND (l.state IN ('refunding', 'refunded')) IS NOT TRUE;
