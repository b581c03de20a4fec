-- A booked file has all of its rows, each once: those of each class are as many
-- as it says, the others were known before.
SELECT f.file_id, f.source, f.row_count, f.repeats, r.rows
FROM pay.settlement_file f
LEFT JOIN LATERAL (
    SELECT count(*) AS rows, count(*) FILTER (WHERE r.class = 0) AS matched,
        count(*) FILTER (WHERE r.class = 1) AS class1,
        count(*) FILTER (WHERE r.class = 3) AS class3
    FROM pay.settlement_row r WHERE r.file_id = f.file_id) r ON true
WHERE CASE f.state WHEN 'booked' THEN
        r.rows + f.repeats <> f.row_count
        OR (r.matched, r.class1, r.class3) <> (f.matched, f.class1, f.class3)
    WHEN 'booking' THEN r.rows > f.row_count
    ELSE r.rows > 0 END;
