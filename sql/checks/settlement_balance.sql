-- The ledger and the files of a PSP agree on the amount that the PSP owes: the
-- entries that rows have closed, and those that rows have caused, add up to the
-- net of all rows of which something is booked.  Rows that wait for an operator
-- are left out, and so are amounts that another party than the PSP pays out.
WITH entries AS (
    SELECT l.currency, l.owner AS psp, sum(l.amount_minor) AS minor
    FROM pay.journal_line l
    WHERE l.account IN ('psp_clearing', 'refunds', 'chargebacks')
        AND (l.source ~ '^(settlement|payout|act)/' OR EXISTS (
            SELECT FROM pay.settlement_closed c
            WHERE c.merchant_id = l.merchant_id AND c.source = l.source
                AND c.kind = l.kind))
    GROUP BY l.currency, l.owner
), rows AS (
    SELECT r.currency, s.psp, sum(
        CASE WHEN r.finding IN ('changed', 'added') THEN x.amount_minor
             ELSE r.net_minor END) AS minor
    FROM pay.settlement_row r
    JOIN pay.settlement_source s ON s.source = r.source
    JOIN pay.settlement_rule u ON u.kind = r.kind AND u.finding = r.finding
    LEFT JOIN pay.settlement_exception x ON x.row_id = r.row_id
        AND x.finding = r.finding
    WHERE s.medium = 'psp' AND NOT r.is_external AND NOT r.is_detail
        AND r.kind NOT IN ('transfer', 'memo')
        AND x.closed_as IS DISTINCT FROM 'gone'
        AND (u.posts <> 'none' OR x.is_suspended
             OR x.closed_as IN ('matched', 'accepted', 'written_off'))
    GROUP BY r.currency, s.psp
), gone AS (
    SELECT r.currency, s.psp, sum(x.amount_minor) AS minor
    FROM pay.settlement_exception x
    JOIN pay.settlement_row r ON r.row_id = x.row_id
    JOIN pay.settlement_source s ON s.source = r.source
    WHERE x.finding = 'gone'
        AND (x.is_suspended OR x.closed_as IN ('accepted', 'written_off'))
    GROUP BY r.currency, s.psp
)
SELECT coalesce(e.psp, r.psp) AS psp, coalesce(e.currency, r.currency) AS
    currency, coalesce(e.minor, 0) AS booked_minor,
    coalesce(r.minor, 0) + coalesce(g.minor, 0) AS file_minor
FROM entries e
FULL JOIN rows r ON r.psp = e.psp AND r.currency = e.currency
LEFT JOIN gone g ON g.psp = coalesce(e.psp, r.psp)
    AND g.currency = coalesce(e.currency, r.currency)
WHERE coalesce(e.minor, 0) <> coalesce(r.minor, 0) + coalesce(g.minor, 0);
