-- A webhook that was applied belongs to the checkout that has its token or
-- alias (I3, I6), else its payment id, or else the change that it names.
-- Tokens and payment ids are two kinds of names: a token of one checkout may be
-- the payment id of another.  A webhook without a token is stored under its
-- payment id (by_payment).
SELECT i.psp, i.event_id, i.state, i.token, i.checkout_id,
    coalesce(t.checkout_id, k.checkout_id) AS owner
FROM pay.webhook_inbox i
LEFT JOIN pay.psp_token t ON t.psp = i.psp AND t.token = i.token
    AND NOT t.is_reference AND (i.about ? 'by_payment') IS NOT TRUE
LEFT JOIN pay.psp_token k ON k.psp = i.psp AND k.token = i.reference
    AND k.is_reference
WHERE i.state NOT IN ('parked', 'ignored')
    AND ((i.merchant_id, i.checkout_id)
         = (t.merchant_id, t.checkout_id)) IS NOT TRUE
    AND (t.checkout_id IS NULL
         AND (i.merchant_id, i.checkout_id)
             = (k.merchant_id, k.checkout_id)) IS NOT TRUE
    AND NOT EXISTS (
        SELECT FROM pay.change c
        WHERE c.change_id = i.about ->> 'operation_id' AND c.psp = i.psp
            AND c.merchant_id = i.merchant_id
            AND c.checkout_id = i.checkout_id);
