-- A merchant that moves to another cell has a fence for a moment only; behind it
-- no payment begins here.
SELECT m.merchant_id, m.cell, m.state, m.fenced_at,
    c.checkout_id AS begun_behind
FROM pay.merchant_move m
LEFT JOIN LATERAL (
    SELECT c.checkout_id FROM pay.checkout c
    WHERE c.merchant_id = m.merchant_id AND c.created_at > m.moved_at
    LIMIT 1) c ON true
WHERE c.checkout_id IS NOT NULL
    OR m.state = 'fencing' AND m.fenced_at < now() - interval '1 hour';
