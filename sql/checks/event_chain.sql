-- Each event's hash covers its members and the hash before it; a chain begins
-- at 1, or behind the events that were dropped with their month.
SELECT h.merchant_id, h.payment_order_id, h.seq, h.at
FROM (
    SELECT e.merchant_id, e.payment_order_id, e.seq, e.at, e.hash,
        lag(e.seq, 1, coalesce(a.seq, 0)) OVER w AS previous_seq,
        pay.event_hash(lag(e.hash, 1, a.hash) OVER w, e) AS wanted
    FROM pay.event e
    LEFT JOIN pay.event_anchor a USING (merchant_id, payment_order_id)
    WINDOW w AS (PARTITION BY e.merchant_id, e.payment_order_id
                 ORDER BY e.seq)
    ) h
WHERE h.hash <> h.wanted OR h.seq <> h.previous_seq + 1;
