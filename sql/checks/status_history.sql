-- The timeline is a path of the state machine, never down in rank, that ends
-- in the order's status, with its reason (I5).
SELECT h.merchant_id, h.payment_order_id, h.seq, h.previous, h.old_status,
    h.new_status, o.status
FROM (
    SELECT e.*, lag(e.new_status) OVER w AS previous,
        lead(e.seq) OVER w AS next_seq
    FROM pay.event e
    WINDOW w AS (PARTITION BY e.merchant_id, e.payment_order_id
                 ORDER BY e.seq)
    ) h
JOIN pay.payment_order o USING (merchant_id, payment_order_id)
WHERE (h.old_status IS DISTINCT FROM h.previous
       -- behind the events that were dropped with their month
       AND NOT EXISTS (
           SELECT FROM pay.event_anchor a
           WHERE a.merchant_id = h.merchant_id
               AND a.payment_order_id = h.payment_order_id
               AND a.seq = h.seq - 1))
    OR (h.seq = 1 AND h.new_status <> 'NOT_STARTED')
    OR (SELECT rank FROM pay.status_rank s WHERE s.status = h.new_status)
        < (SELECT rank FROM pay.status_rank s WHERE s.status = h.old_status)
    OR (h.next_seq IS NULL
        AND (h.new_status, h.reason) IS DISTINCT FROM (o.status, o.reason));
