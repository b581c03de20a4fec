-- Where the log is sealed at all, no event waits for its seal for more than an
-- hour, and no seal that was made leaves an event out.
SELECT e.merchant_id, e.payment_order_id, e.seq, e.at
FROM (
    SELECT DISTINCT ON (e.merchant_id, e.payment_order_id)
        e.merchant_id, e.payment_order_id, e.seq, e.at
    FROM pay.event e
    WHERE e.at < now() - interval '1 hour'
        OR e.tx < (SELECT max(s.until_tx) FROM pay.seal s
                   WHERE s.signature IS NOT NULL)
    ORDER BY e.merchant_id, e.payment_order_id, e.seq DESC) e
LEFT JOIN (
    SELECT l.merchant_id, l.payment_order_id, max(l.seq) AS seq
    FROM pay.seal_leaf l
    JOIN pay.seal s ON s.number = l.number AND s.signature IS NOT NULL
    GROUP BY l.merchant_id, l.payment_order_id) l
    USING (merchant_id, payment_order_id)
WHERE coalesce(l.seq, 0) < e.seq AND EXISTS (SELECT FROM pay.seal);
