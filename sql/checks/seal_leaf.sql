-- Each leaf of a seal is in its order's timeline, unless that event was dropped
-- with its month.
SELECT l.number, l.position, l.merchant_id, l.payment_order_id, l.seq
FROM pay.seal_leaf l
LEFT JOIN pay.event e USING (merchant_id, payment_order_id, seq)
LEFT JOIN pay.event_anchor a USING (merchant_id, payment_order_id)
WHERE e.hash IS NULL AND coalesce(a.seq, 0) < l.seq
    OR e.hash <> l.hash
    OR a.seq = l.seq AND a.hash <> l.hash;
