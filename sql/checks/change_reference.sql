-- A PSP's refund is one change of ours, once; one that was made at the PSP may
-- be split over orders, once for each.
SELECT c.psp, c.reference, count(*) AS changes
FROM pay.change c
WHERE c.kind = 'refund' AND c.reference IS NOT NULL
GROUP BY c.psp, c.reference
HAVING count(*) > 1 AND (bool_or(c.origin <> 'psp')
    OR count(*) <> count(DISTINCT (c.merchant_id, c.payment_order_id)));
