-- No line without its entry.
SELECT l.merchant_id, l.source, l.kind, l.line
FROM pay.journal_line l
LEFT JOIN pay.journal_entry e ON e.merchant_id = l.merchant_id
    AND e.source = l.source AND e.kind = l.kind
WHERE e.kind IS NULL;
