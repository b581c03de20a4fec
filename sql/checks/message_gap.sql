-- The messages of a subject are numbered without gaps in the order of the log,
-- up to the last one that was published; the oldest may have been purged.
SELECT m.merchant_id, m.subject, m.sequence
FROM (
    SELECT x.merchant_id, x.subject, x.sequence,
        lag(x.sequence) OVER (PARTITION BY x.merchant_id, x.subject
                              ORDER BY x.position) AS before,
        lead(x.sequence) OVER (PARTITION BY x.merchant_id, x.subject
                               ORDER BY x.position) AS behind
    FROM pay.message x) m
LEFT JOIN pay.message_subject s
    ON s.subject = m.subject AND s.merchant_id = m.merchant_id
WHERE m.sequence <> m.before + 1
    OR m.behind IS NULL AND s.sequence IS DISTINCT FROM m.sequence
UNION ALL
-- the place is that of the newest message
SELECT NULL, NULL, p.position
FROM pay.message_place p
WHERE EXISTS (SELECT FROM pay.message x WHERE x.position > p.position);
