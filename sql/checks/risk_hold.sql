-- Money is held for a review only where its decision is review, at the PSPs that
-- can, and the review knows it.  An approval captures it: no order of an approved
-- review is still authorised an hour after its last event while no change of it is
-- under way and the review has not asked for its capture.  A capture that the PSP
-- has refused was reported to the storefront, which may capture then.
SELECT c.merchant_id, c.checkout_id, c.psp, c.capture, c.hold_psps, c.risk,
    r.state, r.captures, NULL::text AS payment_order_id
FROM pay.checkout c
LEFT JOIN pay.risk_review r ON r.merchant_id = c.merchant_id
    AND r.checkout_id = c.checkout_id
WHERE (c.hold_psps IS NOT NULL) IS DISTINCT FROM coalesce(r.captures, false)
    OR c.hold_psps IS NOT NULL AND (c.risk IS DISTINCT FROM 'review'
        OR (c.capture = 'manual') <> (c.psp = ANY (c.hold_psps)))
UNION ALL
SELECT o.merchant_id, o.checkout_id, c.psp, c.capture, c.hold_psps, c.risk,
    r.state, r.captures, o.payment_order_id
FROM pay.risk_review r
JOIN pay.checkout c ON c.merchant_id = r.merchant_id
    AND c.checkout_id = r.checkout_id
JOIN pay.payment_order o ON o.merchant_id = r.merchant_id
    AND o.checkout_id = r.checkout_id
WHERE r.state = 'approved' AND r.captures AND o.authorized_minor > 0
    AND NOT EXISTS (
        SELECT FROM pay.change x
        WHERE x.merchant_id = o.merchant_id AND x.checkout_id = o.checkout_id
            AND (x.status IN ('NOT_STARTED', 'EXECUTING')
                 OR x.kind = 'capture'
                    AND x.payment_order_id = o.payment_order_id
                    AND x.request_id = 'risk-review-' || r.review_id))
    AND NOT EXISTS (
        SELECT FROM pay.event e
        WHERE e.merchant_id = o.merchant_id
            AND e.payment_order_id = o.payment_order_id
            AND e.at > now() - interval '1 hour')
    AND NOT EXISTS (
        SELECT FROM pay.risk_review_act a
        WHERE a.review_id = r.review_id AND a.at > now() - interval '1 hour');
