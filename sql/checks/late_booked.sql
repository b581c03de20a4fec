-- A late payment is in suspense until it is accepted or paid back.
SELECT l.merchant_id, l.checkout_id, l.state, e.kinds
FROM pay.late_success l
LEFT JOIN (
    SELECT e.merchant_id, e.checkout_id,
        array_agg(DISTINCT e.kind ORDER BY e.kind) AS kinds
    FROM pay.journal_entry e
    WHERE e.kind IN ('late_held', 'late_accepted', 'late_refunded')
    GROUP BY e.merchant_id, e.checkout_id) e
    ON e.merchant_id = l.merchant_id AND e.checkout_id = l.checkout_id
WHERE e.kinds IS DISTINCT FROM CASE l.state
    WHEN 'accepted' THEN '{late_accepted,late_held}'::text[]
    WHEN 'refunded' THEN '{late_held,late_refunded}'
    ELSE '{late_held}' END;
