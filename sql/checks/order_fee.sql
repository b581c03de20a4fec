-- The fee of an order is that of its terms and of the money that was captured
-- and has gone back, it is booked so, and no order without terms has one.
SELECT o.merchant_id, o.payment_order_id, o.fee_minor, o.fee_tax_minor,
    (d.due).fee_minor AS due_minor, (d.due).tax_minor AS due_tax,
    (d.due).booked_minor, (d.due).booked_tax
FROM pay.payment_order o
CROSS JOIN LATERAL (SELECT pay.fee_of(o) AS due OFFSET 0) d
WHERE (o.fee_minor IS NOT NULL OR EXISTS (
           SELECT FROM pay.order_fee f
           WHERE f.merchant_id = o.merchant_id
               AND f.payment_order_id = o.payment_order_id))
    AND ((coalesce(o.fee_minor, 0), coalesce(o.fee_tax_minor, 0))
             IS DISTINCT FROM ((d.due).fee_minor, (d.due).tax_minor)
         OR ((d.due).booked_minor, (d.due).booked_tax)
             IS DISTINCT FROM ((d.due).fee_minor, (d.due).tax_minor))
UNION ALL
SELECT e.merchant_id, e.payment_order_id, NULL, NULL, NULL, NULL, count(*),
    NULL
FROM pay.journal_entry e
WHERE starts_with(e.kind, 'platform_fee')
    AND NOT EXISTS (
        SELECT FROM pay.order_fee f
        WHERE f.merchant_id = e.merchant_id
            AND f.payment_order_id = e.payment_order_id)
GROUP BY e.merchant_id, e.payment_order_id;
