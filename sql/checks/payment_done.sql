-- is_payment_done says that all orders are SUCCESS, and orders of one
-- checkout move together unless each is captured by hand.
SELECT c.merchant_id, c.checkout_id, c.is_payment_done
FROM pay.checkout c
JOIN pay.payment_order o USING (merchant_id, checkout_id)
GROUP BY c.merchant_id, c.checkout_id
HAVING c.is_payment_done <> bool_and(o.status = 'SUCCESS')
    OR (c.capture = 'automatic' AND count(DISTINCT o.status) > 1);
