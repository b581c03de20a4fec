-- Money in suspense belongs to a row of the mismatch queue or to a row of a
-- settlement file that is open, so that an operator decides whose it is: rows
-- that are settled leave none there, and none lies outside of both queues.
-- late_booked.sql checks late payments.
SELECT l.merchant_id, l.source, l.currency, sum(l.amount_minor) AS left_minor
FROM pay.journal_line l
WHERE l.account = 'suspense'
    AND (l.kind LIKE 'unknown\_%' OR l.kind LIKE 'suspense\_%')
GROUP BY l.merchant_id, l.source, l.currency
HAVING sum(l.amount_minor) <> 0 AND NOT EXISTS (
    SELECT FROM pay.mismatch m
    LEFT JOIN pay.mismatch_settlement s USING (merchant_id, checkout_id,
                                               mismatch_id)
    WHERE m.merchant_id = l.merchant_id AND s.mismatch_id IS NULL
        AND m.kind IN ('refund', 'dispute')
        AND l.source = concat(CASE m.kind WHEN 'refund' THEN 'event/'
                                          ELSE 'dispute/' END,
                              m.psp, '/', m.object))
    AND NOT EXISTS (
        SELECT FROM pay.settlement_exception x
        JOIN pay.settlement_row r USING (row_id)
        WHERE x.merchant_id = l.merchant_id AND x.closed_at IS NULL
            AND l.source IN (
                concat('settlement/', r.source, '/', r.version, '/',
                       r.row_key),
                concat('bank/', r.source, '/', r.version, '/', r.row_key)));
