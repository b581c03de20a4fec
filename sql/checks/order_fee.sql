-- The fee of an order is that of its terms and of the money that was captured
-- and has gone back, it is booked so, no order without terms has one, and the row
-- of the schedule in its terms is about its sale.
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
GROUP BY e.merchant_id, e.payment_order_id
UNION ALL
SELECT f.merchant_id, f.payment_order_id, NULL, NULL, NULL, NULL,
    f.commission_id, NULL
FROM pay.order_fee f
JOIN pay.commission c ON c.commission_id = f.commission_id
JOIN pay.payment_order o ON o.merchant_id = f.merchant_id
    AND o.payment_order_id = f.payment_order_id
JOIN pay.checkout k ON k.merchant_id = o.merchant_id
    AND k.checkout_id = o.checkout_id
WHERE c.merchant_id <> f.merchant_id OR c.currency <> o.currency
    OR c.seller_account NOT IN ('', o.seller_account)
    OR c.payment_method NOT IN ('', coalesce(k.payment_method, ''));
