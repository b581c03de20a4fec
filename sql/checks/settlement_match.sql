-- The rows of a match come to the entries that it closes, and to those of their
-- rounding.  Fees that stand in rows of payments are apart, and so is money that
-- an operator gave up.
SELECT l.match_id, l.minor AS rows_minor, c.minor AS entries_minor
FROM (
    SELECT l.match_id, l.currency, sum(l.minor) AS minor
    FROM (SELECT l.match_id, coalesce(r.paid_currency, r.currency)
              AS currency, CASE
              WHEN r.kind IN ('fee', 'receipt', 'debit')
                  THEN r.net_minor - r.tax_minor
              WHEN r.paid_currency <> r.currency THEN r.paid_minor
              ELSE r.gross_minor END - CASE r.finding WHEN 'rounded' THEN
                  coalesce((
                      SELECT sum(e.amount_minor * CASE e.kind
                          WHEN 'rounded_up' THEN 1 ELSE -1 END)
                      FROM pay.journal_entry e
                      WHERE e.source = concat('settlement/', r.source, '/',
                                              r.version, '/', r.row_key)
                          AND e.merchant_id = r.merchant_id
                          AND e.kind IN ('rounded', 'rounded_up')), 0)
                  ELSE 0 END AS minor
          FROM pay.settlement_link l
          JOIN pay.settlement_row r ON r.row_id = l.row_id
          WHERE r.kind <> 'conversion' AND l.rule <> 'person') l
    GROUP BY l.match_id, l.currency) l
FULL JOIN (
    SELECT c.match_id, e.currency, sum(x.sign * e.amount_minor) AS minor
    FROM pay.settlement_closed c
    JOIN pay.journal_entry e ON e.merchant_id = c.merchant_id
        AND e.source = c.source AND e.kind = c.kind
    JOIN pay.settlement_expected x ON x.kind = e.kind
    JOIN pay.settlement_row r ON r.row_id = c.match_id
    WHERE (x.family <> 'fee' OR r.kind = 'fee') AND NOT EXISTS (
        SELECT FROM pay.settlement_link p
        WHERE p.match_id = c.match_id AND p.rule = 'person')
    GROUP BY c.match_id, e.currency) c
    ON c.match_id = l.match_id AND c.currency = l.currency
WHERE coalesce(l.minor, 0) <> coalesce(c.minor, 0);
