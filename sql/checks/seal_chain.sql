-- Seals follow one another without a gap, each has the digest of the message
-- before it, and its message agrees with its columns; only the newest may be
-- without its signature.
SELECT h.number, h.at, h.key_id
FROM (
    SELECT s.number, s.at, s.key_id, s.from_tx, s.previous, s.message,
        s.signature, pay.seal_message(s) AS wanted,
        lag(s.number, 1, 0::bigint) OVER w AS last_number,
        lag(s.until_tx, 1, 0::bigint) OVER w AS last_until,
        pay.seal_digest(lag(s.message) OVER w) AS last_digest,
        lead(s.number) OVER w AS next_number
    FROM pay.seal s
    WINDOW w AS (ORDER BY s.number)
    ) h
WHERE h.number <> h.last_number + 1 OR h.from_tx <> h.last_until
    OR h.previous <> h.last_digest OR h.message <> h.wanted
    OR (h.signature IS NULL AND h.next_number IS NOT NULL);
