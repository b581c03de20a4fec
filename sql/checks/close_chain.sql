-- Each close names the digest of the one before, and days follow each other.
SELECT c.number, c.day
FROM (SELECT c.*, lag(c.number) OVER w AS last_number,
          lag(c.day) OVER w AS last_day, lag(c.document) OVER w AS last
      FROM pay.settlement_close c
      WINDOW w AS (ORDER BY c.number)) c
WHERE c.number <> coalesce(c.last_number, 0) + 1 OR c.day <= c.last_day
    OR c.document::jsonb ->> 'previous' <> encode(
        CASE WHEN c.last IS NULL THEN decode(repeat('00', 32), 'hex')
             ELSE sha256(convert_to(c.last, 'UTF8')) END, 'hex')
    OR (c.document::jsonb ->> 'close')::bigint <> c.number
    OR (c.document::jsonb ->> 'day')::date <> c.day;
