-- The journal and the registration agree (I1).  A token comes from an attempt
-- that is done, at the PSP that has it.  A registration in progress has an
-- attempt there that may still bring a token, or each call of it has certainly
-- come to nothing.  An attempt of the journal has never a lower number than one
-- of the registration.  Nothing is sent for a checkout that waits for the end
-- of another one's page, nor for one that risk has blocked.
SELECT r.merchant_id, r.checkout_id, r.psp, r.state, r.token, r.attempt,
    r.open_attempts, o.status, d.attempt AS dispatch, d.psp AS sent_to,
    d.state AS dispatch_state, d.sends
FROM pay.registration r
JOIN pay.checkout c USING (merchant_id, checkout_id)
JOIN pay.payment_order o ON o.merchant_id = r.merchant_id
    AND o.checkout_id = r.checkout_id AND o.position = 1
LEFT JOIN LATERAL (
    SELECT x.* FROM pay.journal x
    WHERE x.merchant_id = r.merchant_id AND x.checkout_id = r.checkout_id
        AND x.operation = 'register' AND x.operation_id = r.nonce
    ORDER BY x.attempt DESC LIMIT 1) d ON true
WHERE (d.attempt IS NULL) <> (r.waits OR c.risk IS NOT DISTINCT FROM 'block')
    OR d.psp <> r.psp
    OR (r.token IS NOT NULL) <> (d.state = 'DONE')
    OR d.state = 'PENDING'
    OR (d.state = 'OPEN' AND r.state <> 'REGISTERING')
    OR (d.state = 'REFUSED' AND r.state <> 'REFUSED')
    OR d.attempt > r.attempt
    OR (r.state = 'REGISTERING' AND d.state = 'NOT_SENT'
        AND (r.open_attempts > 0 OR o.status <> 'NOT_STARTED'))
    OR (r.state = 'REGISTERING' AND d.state IN ('OPEN', 'UNKNOWN')
        AND r.open_attempts = 0 AND o.status = 'NOT_STARTED');
