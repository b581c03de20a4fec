-- The status of a change agrees with the states of its calls in the journal.
SELECT c.merchant_id, c.change_id, c.kind, c.status, d.state
FROM pay.change c
JOIN LATERAL (
    SELECT x.state FROM pay.dispatch x
    WHERE x.merchant_id = c.merchant_id AND x.checkout_id = c.checkout_id
        AND x.operation_id = c.change_id
    ORDER BY x.attempt DESC LIMIT 1) d ON true
WHERE (d.state = 'DONE' AND c.status IN ('NOT_STARTED', 'EXECUTING'))
    OR (d.state IN ('PENDING', 'REFUSED') AND c.status = 'NOT_STARTED');
