-- A refund that was matched has failed and has no PSP reference any more.  A
-- capture that was matched belongs to the order, PSP and PSP reference of the
-- capture that the merchant requested, and has its amount unless it failed;
-- both have ended alike, the money is booked under one of them, and no two are
-- matched to one.  A capture that was identified by its amount alone has its
-- match.
SELECT o.merchant_id, o.change_id, o.matched_to, o.status, c.status AS ours
FROM pay.change o
LEFT JOIN pay.change c ON c.merchant_id = o.merchant_id
    AND c.checkout_id = o.checkout_id AND c.change_id = o.matched_to
WHERE o.matched_to IS NOT NULL AND o.kind = 'capture'
    AND ((c.origin, c.kind, c.payment_order_id, c.psp, c.reference, c.status)
         IS DISTINCT FROM ('merchant', 'capture', o.payment_order_id, o.psp,
                           o.reference, o.status)
         OR o.status NOT IN ('SUCCESS', 'FAILED')
         OR o.status = 'SUCCESS' AND o.amount_minor <> c.amount_minor
         OR EXISTS (
             SELECT FROM pay.journal_entry e
             WHERE e.merchant_id = c.merchant_id
                 AND e.source = 'change/' || c.change_id)
         OR EXISTS (
             SELECT FROM pay.change x
             WHERE x.merchant_id = o.merchant_id
                 AND x.checkout_id = o.checkout_id
                 AND x.matched_to = o.matched_to
                 AND x.change_id <> o.change_id))
UNION ALL
SELECT o.merchant_id, o.change_id, o.matched_to, o.status, c.status
FROM pay.change o
LEFT JOIN pay.change c ON c.merchant_id = o.merchant_id
    AND c.checkout_id = o.checkout_id AND c.change_id = o.matched_to
WHERE o.matched_to IS NOT NULL AND o.kind = 'refund'
    AND ((c.origin, c.kind, o.status)
         IS DISTINCT FROM ('merchant', 'refund', 'FAILED')
         OR o.reference IS NOT NULL)
UNION ALL
SELECT c.merchant_id, c.change_id, NULL, NULL, c.status
FROM pay.change c
WHERE c.kind = 'capture' AND c.by_amount
    AND NOT EXISTS (
        SELECT FROM pay.change o
        WHERE o.merchant_id = c.merchant_id
            AND o.checkout_id = c.checkout_id
            AND o.matched_to = c.change_id);
