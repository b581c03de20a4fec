-- A webhook that said "paid" and was taken into account left a paid order
-- (I3, I6).
SELECT i.psp, i.event_id, o.payment_order_id, o.status
FROM pay.webhook_inbox i
JOIN pay.payment_order o USING (merchant_id, checkout_id)
WHERE i.fact = 'paid' AND i.state IN ('applied', 'unchanged')
    AND o.status <> 'SUCCESS';
