-- A timeline with a late payment belongs to a checkout that has one, and so
-- does a webhook that was held.
SELECT o.merchant_id, o.checkout_id, e.payment_order_id AS told_by
FROM pay.event e
JOIN pay.payment_order o USING (merchant_id, payment_order_id)
LEFT JOIN pay.late_success l USING (merchant_id, checkout_id)
WHERE e.kind IN ('late_success', 'late_refunded',
                 'late_refund_returned') AND l.checkout_id IS NULL
UNION ALL
SELECT i.merchant_id, i.checkout_id, i.event_id
FROM pay.webhook_inbox i
LEFT JOIN pay.late_success l USING (merchant_id, checkout_id)
WHERE i.state = 'held' AND (i.fact <> 'paid' OR l.checkout_id IS NULL);
