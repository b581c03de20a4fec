-- The attempts of the past for windows in memory: which come, and in what pages.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir risk.psql
SELECT plan(12);

CREATE FUNCTION pg_temp.past(
    p_limit bigint, p_since bigint DEFAULT 1, p_next json DEFAULT NULL)
RETURNS json LANGUAGE sql AS $$
SELECT p.page::json FROM pay_api.list_past_attempts(ARRAY[p_since],
    ARRAY[(p_next ->> 0)::bigint], ARRAY[p_next ->> 1],
    ARRAY[p_next ->> 2], ARRAY[p_limit]) p
$$;
CREATE FUNCTION pg_temp.names(p_page json) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws('/', a ->> 1, a -> 2 -> 0 ->> 1, a ->> 3), ' '
                  ORDER BY n)
FROM json_array_elements(p_page -> 'attempts') WITH ORDINALITY a (a, n)
$$;

SELECT is(pg_temp.past(10)::text, '{"attempts" : [], "next" : null}', 'none');

SELECT pg_temp.look('c-' || n, pg_temp.risk('allow',
    pg_temp.key('192.0.2.' || n || '/32', 'ip')),
    p_merchant => 'm-' || n % 2)
FROM generate_series(1, 5) n;
-- two of one microsecond: neither may be lost between two pages
ALTER TABLE pay.risk_decision DISABLE TRIGGER risk_decision_fixed;
UPDATE pay.risk_decision d
SET at = date_trunc('second', now()) - make_interval(mins =>
    CASE d.checkout_id WHEN 'c-5' THEN 90 WHEN 'c-4' THEN 3
                       ELSE 5 - right(d.checkout_id, 1)::int END);
ALTER TABLE pay.risk_decision ENABLE ALWAYS TRIGGER risk_decision_fixed;

SELECT is(pg_temp.names(pg_temp.past(10, extract(epoch FROM now()
                                                 - interval '1 hour')::bigint)),
    'm-1/192.0.2.3/32/["seller-1"] m-0/192.0.2.4/32/["seller-1"]'
    ' m-0/192.0.2.2/32/["seller-1"] m-1/192.0.2.1/32/["seller-1"]',
    'newest first, with what they are counted by, none that is too old');
SELECT is(pg_temp.past(10) ->> 'next', NULL, 'the last page');
SELECT is((pg_temp.past(10) -> 'attempts' -> 0 ->> 0)::bigint,
    extract(epoch FROM date_trunc('second', now()))::bigint - 120,
    'with its second');

-- page by page they are all there, each once
CREATE TEMP TABLE walked AS
WITH RECURSIVE w AS (
    SELECT pg_temp.past(2) AS page, 1 AS n
    UNION ALL
    SELECT pg_temp.past(2, 1, w.page -> 'next'), w.n + 1 FROM w
    WHERE w.page ->> 'next' IS NOT NULL AND w.n < 9
)
SELECT w.n, w.page FROM w;
SELECT is((SELECT string_agg(pg_temp.names(w.page), ' ' ORDER BY w.n)
           FROM walked w), pg_temp.names(pg_temp.past(10)), 'in pages of two');
SELECT is((SELECT max(w.n) FROM walked w), 3, 'of which there are three');

-- an attempt leaves its window no sooner than it may
ALTER TABLE pay.risk_decision DISABLE TRIGGER risk_decision_fixed;
UPDATE pay.risk_decision d SET at = d.at + interval '1 us'
WHERE d.checkout_id = 'c-3';
ALTER TABLE pay.risk_decision ENABLE ALWAYS TRIGGER risk_decision_fixed;
SELECT is((pg_temp.past(1) -> 'attempts' -> 0 ->> 0)::bigint,
    extract(epoch FROM date_trunc('second', now()))::bigint - 119,
    'the second is rounded up');

-- keys that have ended count nowhere
UPDATE pay.risk_decision SET keys = NULL WHERE checkout_id = 'c-3';
SELECT is(json_array_length(pg_temp.past(10) -> 'attempts'), 4, 'four left');

SELECT is(p.outcome, 'invalid', 'a limit of ' || n)
FROM unnest('{0,1001}'::bigint[]) n,
    pay_api.list_past_attempts('{1}', '{NULL}', '{NULL}', '{NULL}', ARRAY[n])
    p;
SELECT is(p.outcome, 'invalid', 'half of a place')
FROM pay_api.list_past_attempts('{1}', '{5}', '{m}', '{NULL}', '{5}') p;
SELECT is(p.outcome, 'invalid', 'no time')
FROM pay_api.list_past_attempts('{NULL}', '{NULL}', '{NULL}', '{NULL}', '{5}')
    p;

SELECT * FROM finish();
ROLLBACK;
