-- Changes and disputes are about orders of their checkouts, in the currency
-- that the buyer pays.
SELECT 'change' AS what, c.merchant_id, c.checkout_id, c.payment_order_id,
    c.change_id AS id
FROM pay.change c
LEFT JOIN pay.payment_order o USING (merchant_id, payment_order_id)
WHERE (c.checkout_id = o.checkout_id AND c.currency = o.currency)
    IS NOT TRUE
UNION ALL
SELECT 'dispute', d.merchant_id, d.checkout_id, d.payment_order_id,
    d.dispute_id
FROM pay.dispute d
LEFT JOIN pay.payment_order o USING (merchant_id, payment_order_id)
WHERE d.payment_order_id IS NOT NULL
    AND (d.checkout_id = o.checkout_id AND d.currency = o.currency)
        IS NOT TRUE;
