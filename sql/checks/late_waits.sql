-- Money that is held has an open dead letter; money that is to be paid back has
-- a job that does it, or an open dead letter, too (I8).
SELECT l.merchant_id, l.checkout_id, l.state, l.at
FROM pay.late_success l
WHERE l.state IN ('held', 'refunding')
    AND NOT EXISTS (
        SELECT FROM pay.dead_letter d
        WHERE d.merchant_id = l.merchant_id
            AND d.checkout_id = l.checkout_id AND d.state = 'open'
            AND d.kind = CASE l.state WHEN 'held' THEN 'late_success'
                                      ELSE 'refund' END)
    AND (l.state = 'held' OR NOT EXISTS (
        SELECT FROM pay.job j
        WHERE j.merchant_id = l.merchant_id
            AND j.checkout_id = l.checkout_id AND j.kind = 'refund'));
