-- Money in suspense belongs to an open row of the mismatch queue, so that an
-- operator decides whose it is: no settled row leaves any there, and none is
-- there without a row.  Late payments: late_booked.sql.
SELECT l.merchant_id, l.source, l.currency, sum(l.amount_minor) AS left_minor
FROM pay.journal_line l
WHERE l.account = 'suspense' AND l.kind LIKE 'unknown\_%'
GROUP BY l.merchant_id, l.source, l.currency
HAVING sum(l.amount_minor) <> 0 AND NOT EXISTS (
    SELECT FROM pay.mismatch m
    LEFT JOIN pay.mismatch_settlement s USING (merchant_id, checkout_id,
                                               mismatch_id)
    WHERE m.merchant_id = l.merchant_id AND s.mismatch_id IS NULL
        AND m.kind IN ('refund', 'dispute')
        AND l.source = concat(CASE m.kind WHEN 'refund' THEN 'event/'
                                          ELSE 'dispute/' END,
                              m.psp, '/', m.object));
