-- A late payment is in suspense, once, until it is accepted or paid back; a
-- refund that has come back does not count.
SELECT l.merchant_id, l.checkout_id, l.state, e.kinds, e.held, e.refunds
FROM pay.late_success l
LEFT JOIN (
    SELECT e.merchant_id, e.checkout_id,
        array_agg(DISTINCT e.kind ORDER BY e.kind)
            FILTER (WHERE e.kind IN ('late_held', 'late_accepted')) AS kinds,
        count(*) FILTER (WHERE e.kind = 'late_held') AS held,
        sum(CASE e.kind WHEN 'late_refunded' THEN 1
                        WHEN 'late_refund_returned' THEN -1
                        ELSE 0 END) AS refunds
    FROM pay.journal_entry e
    WHERE e.kind IN ('late_held', 'late_accepted', 'late_refunded',
                     'late_refund_returned')
    GROUP BY e.merchant_id, e.checkout_id) e
    ON e.merchant_id = l.merchant_id AND e.checkout_id = l.checkout_id
WHERE e.kinds IS DISTINCT FROM CASE l.state
        WHEN 'accepted' THEN '{late_accepted,late_held}'::text[]
        ELSE '{late_held}' END
    OR e.held <> 1 OR e.refunds <> (l.state = 'refunded')::int;
