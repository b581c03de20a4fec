-- I4: each entry has two lines or more, which sum to nothing in each
-- currency.
SELECT e.merchant_id, e.source, e.kind, l.currency, l.total
FROM pay.journal_entry e
LEFT JOIN (
    SELECT l.merchant_id, l.source, l.kind, l.currency,
        sum(l.amount_minor) AS total,
        sum(count(*)) OVER (PARTITION BY l.merchant_id, l.source, l.kind)
            AS lines
    FROM pay.journal_line l
    GROUP BY l.merchant_id, l.source, l.kind, l.currency) l
    ON l.merchant_id = e.merchant_id AND l.source = e.source
    AND l.kind = e.kind
WHERE l.total IS DISTINCT FROM 0 OR l.lines < 2;
