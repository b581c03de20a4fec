-- A delivery is of a message of its endpoint's merchant, and an endpoint is
-- looked at not later than its first delivery is due.
SELECT d.merchant_id, d.endpoint_id, d.position
FROM pay.webhook_delivery d
LEFT JOIN pay.message m ON m.position = d.position
WHERE m.merchant_id IS DISTINCT FROM d.merchant_id
UNION ALL
SELECT w.merchant_id, w.endpoint_id, d.position
FROM pay.webhook_endpoint w
CROSS JOIN LATERAL (
    SELECT x.position, x.run_at FROM pay.webhook_delivery x
    WHERE x.endpoint_id = w.endpoint_id AND x.merchant_id = w.merchant_id
        AND x.state = 'due'
    ORDER BY x.run_at LIMIT 1) d
WHERE w.state = 'disabled'
    OR w.look_at > greatest(d.run_at, w.paused_until) + interval '1 second'
        AND w.look_at > now() + interval '6 minutes';
