-- The ledger's balance of the account bank equals the sum of the rows of the
-- bank's statements.  Rows that wait for an operator are left out.  Of a row
-- that a later version of the statement has changed, the difference counts, and
-- one that it lacks is taken away where an operator has accepted that.
SELECT coalesce(e.currency, r.currency) AS currency,
    coalesce(e.merchant_id, r.merchant_id) AS merchant_id,
    coalesce(e.minor, 0) AS booked_minor, coalesce(r.minor, 0) AS file_minor
FROM (
    SELECT l.merchant_id, l.currency, sum(l.amount_minor) AS minor
    FROM pay.journal_line l WHERE l.account = 'bank'
    GROUP BY l.merchant_id, l.currency) e
FULL JOIN (
    SELECT r.merchant_id, r.currency, sum(r.minor) AS minor
    FROM (
        SELECT r.merchant_id, r.currency,
            CASE WHEN r.finding IN ('changed', 'added') THEN x.amount_minor
                 ELSE r.net_minor END AS minor
        FROM pay.settlement_row r
        JOIN pay.settlement_source s ON s.source = r.source
        JOIN pay.settlement_rule u ON u.kind = r.kind
            AND u.finding = r.finding
        LEFT JOIN pay.settlement_exception x ON x.row_id = r.row_id
            AND x.finding = r.finding
        WHERE s.medium = 'bank' AND NOT r.is_detail
            AND x.closed_as IS DISTINCT FROM 'gone'
            AND (u.posts <> 'none' OR x.is_suspended
                 OR x.closed_as IN ('matched', 'accepted', 'written_off'))
        UNION ALL
        SELECT x.merchant_id, x.currency, x.amount_minor
        FROM pay.settlement_exception x
        JOIN pay.settlement_row r ON r.row_id = x.row_id
        JOIN pay.settlement_source s ON s.source = r.source
        WHERE s.medium = 'bank' AND NOT r.is_detail AND x.finding = 'gone'
            AND (x.is_suspended
                 OR x.closed_as IN ('accepted', 'written_off'))) r
    GROUP BY r.merchant_id, r.currency) r
    ON r.merchant_id = e.merchant_id AND r.currency = e.currency
WHERE coalesce(e.minor, 0) <> coalesce(r.minor, 0);
