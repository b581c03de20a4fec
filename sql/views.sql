-- Reads for people: support, finance, payctl.  Amounts stand in the
-- currency's own decimals beside the minor units.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE VIEW pay_view.checkouts AS
SELECT c.merchant_id, c.checkout_id, c.checkout_uuid, c.psp, c.currency,
    c.total_minor,
    round(c.total_minor / 10::numeric ^ k.exponent, k.exponent) AS total,
    c.created_at, c.expires_at, c.is_payment_done, c.version,
    r.state AS registration_state, r.attempt, r.nonce, r.token, r.reference,
    r.code, j.kind AS job, j.run_at AS job_run_at,
    j.attempts AS job_attempts, j.code AS job_code
FROM pay.checkout c
JOIN pay.currency k ON k.code = c.currency
LEFT JOIN pay.registration r ON r.merchant_id = c.merchant_id
    AND r.checkout_id = c.checkout_id
LEFT JOIN pay.job j ON j.merchant_id = c.merchant_id
    AND j.checkout_id = c.checkout_id;
COMMENT ON VIEW pay_view.checkouts IS
    'Checkouts with their registration and job, without buyer details';


CREATE OR REPLACE VIEW pay_view.orders AS
SELECT o.merchant_id, o.payment_order_id, o.checkout_id, o.position,
    o.seller_account, o.currency, o.amount_minor,
    round(o.amount_minor / 10::numeric ^ k.exponent, k.exponent) AS amount,
    o.status, o.reason, c.psp, c.created_at, o.version AS events
FROM pay.payment_order o
JOIN pay.checkout c ON c.merchant_id = o.merchant_id
    AND c.checkout_id = o.checkout_id
JOIN pay.currency k ON k.code = o.currency;
COMMENT ON VIEW pay_view.orders IS 'Payment orders and where they stand';


CREATE OR REPLACE VIEW pay_view.timeline AS
SELECT e.merchant_id, o.checkout_id, e.payment_order_id, e.seq, e.at, e.kind,
    e.actor, e.old_status, e.new_status, e.reason, e.detail, e.request_id
FROM pay.event e
JOIN pay.payment_order o ON o.merchant_id = e.merchant_id
    AND o.payment_order_id = e.payment_order_id;
COMMENT ON VIEW pay_view.timeline IS 'What happened to each order, in order';
