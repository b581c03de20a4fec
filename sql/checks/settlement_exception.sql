-- Each row of class 2 or 3 is in the queue, each link and each entry that is
-- closed is there, and nobody has a row in the queue whose money is gone.
SELECT r.row_id AS id, 'not queued' AS what
FROM pay.settlement_row r
LEFT JOIN pay.settlement_exception x ON x.row_id = r.row_id
WHERE r.class >= 2 AND x.row_id IS NULL
UNION ALL
SELECT l.row_id, 'no such row'
FROM pay.settlement_link l
LEFT JOIN pay.settlement_row r ON r.row_id = l.row_id
LEFT JOIN pay.settlement_row m ON m.row_id = l.match_id
WHERE r.row_id IS NULL OR m.row_id IS NULL
UNION ALL
SELECT c.match_id, 'no such entry'
FROM pay.settlement_closed c
LEFT JOIN pay.journal_entry e ON e.merchant_id = c.merchant_id
    AND e.source = c.source AND e.kind = c.kind
WHERE e.kind IS NULL
UNION ALL
SELECT r.row_id, 'no link'
FROM pay.settlement_row r
LEFT JOIN pay.settlement_link l ON l.row_id = r.row_id
WHERE (r.finding IN ('matched', 'confirmed', 'exceeds', 'converted')
       OR r.finding = 'rounded' AND r.kind <> 'adjustment')
    AND l.row_id IS NULL;
