-- I4: the authorised amount of an order equals the sum of its pending entries.
SELECT o.merchant_id, o.payment_order_id, o.status, o.authorized_minor,
    e.booked
FROM pay.payment_order o
LEFT JOIN (
    SELECT e.merchant_id, e.payment_order_id,
        sum(CASE e.kind WHEN 'authorized' THEN e.amount_minor
                        ELSE -e.amount_minor END) AS booked
    FROM pay.journal_entry e
    WHERE e.kind IN ('authorized', 'unauthorized')
    GROUP BY e.merchant_id, e.payment_order_id) e
    USING (merchant_id, payment_order_id)
WHERE o.authorized_minor <> coalesce(e.booked, 0)
    OR (o.authorized_minor > 0 AND o.status NOT IN ('EXECUTING', 'SUCCESS'));
