-- The ledger's balance of the account bank equals the sum of the rows of the
-- bank's statements.  Rows that wait for an operator are left out.
SELECT coalesce(e.currency, r.currency) AS currency,
    coalesce(e.merchant_id, r.merchant_id) AS merchant_id,
    coalesce(e.minor, 0) AS booked_minor, coalesce(r.minor, 0) AS file_minor
FROM (
    SELECT l.merchant_id, l.currency, sum(l.amount_minor) AS minor
    FROM pay.journal_line l WHERE l.account = 'bank'
    GROUP BY l.merchant_id, l.currency) e
FULL JOIN (
    SELECT r.merchant_id, r.currency, sum(r.net_minor) AS minor
    FROM pay.settlement_row r
    JOIN pay.settlement_source s ON s.source = r.source
    JOIN pay.settlement_rule u ON u.kind = r.kind AND u.finding = r.finding
    LEFT JOIN pay.settlement_exception x ON x.row_id = r.row_id
    WHERE s.medium = 'bank' AND NOT r.is_detail
        AND (u.posts <> 'none' OR x.is_suspended
             OR x.closed_as IN ('matched', 'accepted'))
    GROUP BY r.merchant_id, r.currency) r
    ON r.merchant_id = e.merchant_id AND r.currency = e.currency
WHERE coalesce(e.minor, 0) <> coalesce(r.minor, 0);
