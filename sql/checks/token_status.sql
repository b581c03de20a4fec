-- A token is there: something was sent, so no order is NOT_STARTED; and a
-- registration that was refused leaves no order open.
SELECT r.merchant_id, r.checkout_id, r.state, o.payment_order_id, o.status
FROM pay.registration r
JOIN pay.payment_order o USING (merchant_id, checkout_id)
WHERE (r.state = 'REGISTERED' AND o.status = 'NOT_STARTED')
    OR (r.state = 'REFUSED' AND o.status IN ('NOT_STARTED', 'EXECUTING'))
    OR (r.state = 'REGISTERING' AND o.status NOT IN ('NOT_STARTED',
                                                     'EXECUTING'));
