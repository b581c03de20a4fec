-- The list of open rows of the mismatch queue has those without a settlement,
-- each of them and no other.
SELECT coalesce(o.mismatch_id, m.mismatch_id) AS mismatch_id,
    o.mismatch_id IS NOT NULL AS is_listed
FROM pay.mismatch_open o
FULL JOIN (
    SELECT x.mismatch_id FROM pay.mismatch x
    WHERE NOT EXISTS (
        SELECT FROM pay.mismatch_settlement s
        WHERE s.merchant_id = x.merchant_id AND s.checkout_id = x.checkout_id
            AND s.mismatch_id = x.mismatch_id)) m
    ON m.mismatch_id = o.mismatch_id
WHERE o.mismatch_id IS NULL OR m.mismatch_id IS NULL;
