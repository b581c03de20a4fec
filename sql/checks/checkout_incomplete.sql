-- A checkout has 1 to 20 orders: begin_payment writes all of it or nothing.
SELECT c.merchant_id, c.checkout_id, count(o.*) AS orders
FROM pay.checkout c
LEFT JOIN pay.payment_order o USING (merchant_id, checkout_id)
GROUP BY c.merchant_id, c.checkout_id
HAVING count(o.*) NOT BETWEEN 1 AND 20;
