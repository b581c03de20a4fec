-- The balances in the newest close equal the sums of the journal's entries that
-- this close and the closes before it cover.
WITH last AS (
    SELECT * FROM pay.settlement_close c ORDER BY c.number DESC LIMIT 1
), said AS (
    SELECT x.merchant_id, x.psp, x.currency, substr(x.item, 9) AS account,
        x.minor
    FROM last, jsonb_to_recordset(last.document::jsonb -> 'lines')
        AS x (merchant_id text, psp text, currency text, item text,
              minor numeric)
    WHERE x.item LIKE 'balance/%'
), has AS (
    SELECT e.merchant_id, e.psp, l.currency, l.account,
        sum(l.amount_minor) AS minor
    FROM last, pay.journal_entry e
    JOIN pay.journal_line l ON l.merchant_id = e.merchant_id
        AND l.source = e.source AND l.kind = e.kind
    WHERE e.at < last.until_at AND e.tx < last.until_tx
        AND l.account NOT LIKE 'seller\_%' AND l.account <> 'fx'
    GROUP BY e.merchant_id, e.psp, l.currency, l.account
)
SELECT coalesce(s.psp, h.psp) AS psp, coalesce(s.currency, h.currency) AS
    currency, coalesce(s.account, h.account) AS account, s.minor AS said,
    h.minor AS has
FROM said s
FULL JOIN has h ON h.merchant_id = s.merchant_id AND h.psp = s.psp
    AND h.currency = s.currency AND h.account = s.account
WHERE coalesce(s.minor, 0) <> coalesce(h.minor, 0);
