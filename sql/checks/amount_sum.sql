-- The orders add up to the checkout, in its currency, in positions 1 to n.
SELECT c.merchant_id, c.checkout_id, c.total_minor,
    sum(o.amount_minor) AS orders_minor
FROM pay.checkout c
JOIN pay.payment_order o USING (merchant_id, checkout_id)
GROUP BY c.merchant_id, c.checkout_id
HAVING sum(o.amount_minor) <> c.total_minor
    OR bool_or(o.currency <> c.currency)
    OR max(o.position) <> count(*);
