-- Only an order that is paid can be contradicted, and it stays paid, or one
-- that has failed by money that is held, or by a second payment behind a late
-- one.  The timeline and the mismatch queue both have the contradiction.
SELECT o.merchant_id, o.checkout_id, o.payment_order_id, e.seq, e.actor,
    e.old_status, e.new_status
FROM pay.event e
JOIN pay.payment_order o USING (merchant_id, payment_order_id)
WHERE e.kind = 'contradiction'
    AND (e.new_status <> e.old_status OR e.old_status <> CASE
             WHEN e.detail ->> 'said' = 'authorized'
                 OR e.detail ->> 'said' = 'paid' AND EXISTS (
                     SELECT FROM pay.late_success l
                     WHERE l.merchant_id = o.merchant_id
                         AND l.checkout_id = o.checkout_id)
                     AND e.old_status = 'FAILED' THEN 'FAILED'
             ELSE 'SUCCESS' END
         OR NOT EXISTS (
             SELECT FROM pay.mismatch m
             WHERE m.merchant_id = o.merchant_id
                 AND m.checkout_id = o.checkout_id
                 AND m.kind = 'contradiction' AND m.source = e.actor));
