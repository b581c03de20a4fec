-- A webhook that was taken into account belongs to the checkout that has its
-- token or alias (I3, I6), or the change that it names.
SELECT i.psp, i.event_id, i.state, i.token, i.checkout_id,
    t.checkout_id AS owner
FROM pay.webhook_inbox i
LEFT JOIN pay.psp_token t ON t.psp = i.psp AND t.token = i.token
WHERE i.state NOT IN ('parked', 'ignored')
    AND (i.merchant_id IS NULL
         OR t.merchant_id IS DISTINCT FROM i.merchant_id
         OR t.checkout_id IS DISTINCT FROM i.checkout_id)
    AND NOT EXISTS (
        SELECT FROM pay.change c
        WHERE c.change_id = i.about ->> 'operation_id' AND c.psp = i.psp
            AND c.merchant_id = i.merchant_id
            AND c.checkout_id = i.checkout_id);
