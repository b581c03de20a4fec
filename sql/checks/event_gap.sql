-- A timeline runs from 1, or from the end of the months that were dropped, to
-- the order's version without a gap (I5).
SELECT o.merchant_id, o.payment_order_id, o.version, a.seq AS dropped,
    count(e.seq) AS events, max(e.seq) AS last
FROM pay.payment_order o
LEFT JOIN pay.event e USING (merchant_id, payment_order_id)
LEFT JOIN pay.event_anchor a USING (merchant_id, payment_order_id)
GROUP BY o.merchant_id, o.payment_order_id, a.seq
HAVING coalesce(a.seq, 0) + count(e.seq) <> o.version
    OR coalesce(max(e.seq), a.seq) IS DISTINCT FROM o.version;
