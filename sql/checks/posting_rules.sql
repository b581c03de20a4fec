-- Rules balance: as many debits as credits of each leg, with and without the
-- lines of a conversion.
SELECT r.kind, c.converted
FROM pay.posting_rule r
CROSS JOIN (VALUES (true), (false)) AS c (converted)
WHERE c.converted OR NOT r.only_converted
GROUP BY r.kind, c.converted
HAVING count(*) FILTER (WHERE r.side = 'debit')
        <> count(*) FILTER (WHERE r.side = 'credit')
    OR c.converted
        AND count(*) FILTER (WHERE r.side = 'debit' AND r.leg = 'buyer')
            <> count(*) FILTER (WHERE r.side = 'credit' AND r.leg = 'buyer')
UNION ALL
SELECT k.kind, NULL FROM pay.posting_kind k
WHERE NOT EXISTS (SELECT FROM pay.posting_rule r WHERE r.kind = k.kind);
