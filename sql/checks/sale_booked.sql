-- I2, I4: the captured amount of an order equals the amount booked as sold,
-- once; no order is SUCCESS without that entry, and nothing is booked for an
-- order that is not.
SELECT o.merchant_id, o.payment_order_id, o.status, o.captured_minor,
    e.booked
FROM pay.payment_order o
LEFT JOIN (
    SELECT e.merchant_id, e.payment_order_id, sum(e.amount_minor) AS booked
    FROM pay.journal_entry e
    WHERE e.kind IN ('sale', 'late_accepted')
    GROUP BY e.merchant_id, e.payment_order_id) e
    ON e.merchant_id = o.merchant_id
    AND e.payment_order_id = o.payment_order_id
WHERE o.captured_minor IS DISTINCT FROM coalesce(e.booked, 0)
    OR (o.status = 'SUCCESS') <> (o.captured_minor > 0);
