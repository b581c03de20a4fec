-- Money in suspense belongs to a row of the mismatch queue that is open, so
-- that somebody says whose it is: none is left there by what was settled, or
-- where nobody looks.  Late payments: late_booked.sql.
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
