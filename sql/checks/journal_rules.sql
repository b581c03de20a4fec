-- Each line of the ledger has the account and the side that the posting rules
-- prescribe, and the amount of its leg.
SELECT l.merchant_id, l.source, l.kind, l.line
FROM pay.journal_line l
JOIN pay.journal_entry e ON e.merchant_id = l.merchant_id
    AND e.source = l.source AND e.kind = l.kind
LEFT JOIN pay.posting_rule r ON r.kind = l.kind AND r.line = l.line
    AND r.account = l.account
    AND (NOT r.only_converted OR e.rate IS NOT NULL)
    AND l.amount_minor = CASE r.side WHEN 'debit' THEN 1 ELSE -1 END
        * CASE r.leg WHEN 'buyer' THEN e.amount_minor
                     ELSE e.seller_minor END
    AND l.currency = CASE r.leg WHEN 'buyer' THEN e.currency
                                ELSE e.seller_currency END
WHERE r.kind IS NULL;
