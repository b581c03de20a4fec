-- A checkout has its registration and 1 to 20 orders: begin_payment writes
-- all of it or nothing.
SELECT c.merchant_id, c.checkout_id, count(o.*) AS orders,
    count(r.*) AS registrations
FROM pay.checkout c
LEFT JOIN pay.payment_order o USING (merchant_id, checkout_id)
LEFT JOIN pay.registration r USING (merchant_id, checkout_id)
GROUP BY c.merchant_id, c.checkout_id
HAVING count(r.*) = 0 OR count(o.*) NOT BETWEEN 1 AND 20;
