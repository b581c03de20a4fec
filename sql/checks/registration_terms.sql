-- A checkout is registered at one of the PSPs that its route allows, one that
-- has not refused it and is not about to be passed over.  Its nonce is the id
-- of one of its orders, its UUID, or (both taken) a UUID that no other checkout
-- has (I1).
SELECT r.merchant_id, r.checkout_id, r.psp, r.psps, r.refused_psps,
    r.tried_psps, r.nonce
FROM pay.registration r
WHERE r.psp <> ALL (r.psps)
    OR r.psp = ANY (r.refused_psps || r.tried_psps)
    OR (r.nonce !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
        AND NOT EXISTS (
            SELECT FROM pay.payment_order o
            WHERE o.merchant_id = r.merchant_id
                AND o.checkout_id = r.checkout_id
                AND o.payment_order_id = r.nonce));
