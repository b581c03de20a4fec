-- A webhook that was taken into account belongs to the checkout that has its
-- token or alias (I3, I6), else its payment, or the change that it names.
SELECT i.psp, i.event_id, i.state, i.token, i.checkout_id,
    coalesce(t.checkout_id, k.checkout_id) AS owner
FROM pay.webhook_inbox i
LEFT JOIN pay.psp_token t ON t.psp = i.psp AND t.token = i.token
LEFT JOIN pay.psp_token k ON k.psp = i.psp AND k.token = i.reference
WHERE i.state NOT IN ('parked', 'ignored')
    AND (i.merchant_id IS NULL
         OR coalesce(t.merchant_id, k.merchant_id)
            IS DISTINCT FROM i.merchant_id
         OR coalesce(t.checkout_id, k.checkout_id)
            IS DISTINCT FROM i.checkout_id)
    AND NOT EXISTS (
        SELECT FROM pay.change c
        WHERE c.change_id = i.about ->> 'operation_id' AND c.psp = i.psp
            AND c.merchant_id = i.merchant_id
            AND c.checkout_id = i.checkout_id);
