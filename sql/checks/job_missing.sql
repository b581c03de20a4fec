-- An open checkout has a job that will go on with it, or an open dead letter
-- says that it does not; a settled checkout has neither (I8).  There are two
-- exceptions: the PSP may be queried for a while about a failed checkout, and a
-- late payment may be on its way back.  Jobs of changes: change_job.sql.
WITH s AS (
    SELECT DISTINCT ON (c.merchant_id, c.checkout_id) c.merchant_id, c.checkout_id, r.state, r.token, o.status,
        l.state AS late,
        CASE WHEN l.state = 'refunding' THEN 'refund'
             WHEN o.status IN ('SUCCESS', 'FAILED') THEN NULL
             WHEN r.state = 'REGISTERING' THEN 'register'
             ELSE 'poll' END AS wanted
    FROM pay.checkout c
    JOIN pay.registration r USING (merchant_id, checkout_id)
    JOIN pay.payment_order o USING (merchant_id, checkout_id)
    LEFT JOIN pay.late_success l USING (merchant_id, checkout_id)
    ORDER BY c.merchant_id, c.checkout_id, o.status IN ('SUCCESS', 'FAILED')
)
SELECT 'missing' AS what, s.*, NULL AS kind, NULL::int AS attempts
FROM s
WHERE s.wanted IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM pay.job j
        WHERE j.merchant_id = s.merchant_id
            AND j.checkout_id = s.checkout_id AND j.kind = s.wanted)
    AND NOT EXISTS (
        SELECT FROM pay.dead_letter d
        WHERE d.merchant_id = s.merchant_id
            AND d.checkout_id = s.checkout_id AND d.kind = s.wanted
            AND d.state IN ('open', 'resolved'))
UNION ALL
SELECT 'unwanted', s.*, j.kind, j.attempts
FROM pay.job j
JOIN s USING (merchant_id, checkout_id)
WHERE j.kind IS DISTINCT FROM s.wanted AND j.kind <> 'change'
    AND (j.kind = 'poll' AND s.status = 'FAILED' AND s.token IS NOT NULL
         AND j.attempts <= 101) IS NOT TRUE;
