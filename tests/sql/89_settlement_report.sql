-- announce_report, get_report and end_report: a report is announced once, and
-- waits until it was read, with longer and longer pauses behind failures.

BEGIN;
\ir helpers.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.announces(
    p_name text, p_url text DEFAULT 'https://r.example/x',
    p_psp text DEFAULT 'adyen')
RETURNS text LANGUAGE sql AS $$
SELECT a.outcome FROM pay_api.announce_report(ARRAY[p_psp], ARRAY[p_name],
                                              ARRAY[p_url]) a
$$;
CREATE FUNCTION pg_temp.gets(p_psp text DEFAULT 'adyen')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', g.outcome, g.name, g.url)
FROM pay_api.get_report(ARRAY[p_psp]) g
$$;
CREATE FUNCTION pg_temp.ends(
    p_name text, p_code text DEFAULT NULL, p_again_ms bigint DEFAULT 60000,
    p_file_id bigint DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT e.outcome FROM pay_api.end_report('{adyen}', ARRAY[p_name],
    ARRAY[p_file_id], ARRAY[p_code], ARRAY[p_again_ms]) e
$$;
CREATE FUNCTION pg_temp.stands(p_name text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', r.state, r.run_at - now(), r.tries, r.code, r.file_id)
FROM pay.settlement_report r WHERE r.name = p_name
$$;

SELECT is(pg_temp.gets(), 'not_found', 'nothing was announced');
SELECT is(pg_temp.announces('b'), 'stored', 'one is');
SELECT is(pg_temp.announces('b', 'https://other.example/'), 'duplicate',
          'once, whatever comes later');
SELECT is(pg_temp.announces('a', NULL), 'stored', 'one without a URL');
UPDATE pay.settlement_report SET run_at = now() - interval '1 s'
WHERE name = 'b';
SELECT is(pg_temp.gets(), 'found b https://r.example/x', 'the oldest first');
SELECT is(pg_temp.gets('stripe'), 'not_found', 'of that PSP alone');
SELECT is(pg_temp.gets(''), 'invalid', 'of a PSP');
SELECT is(pg_temp.announces(v.name, v.url, v.psp), 'invalid', v.about)
FROM (VALUES ('', 'u', 'adyen', 'no name'),
             ('a/b', 'u', 'adyen', 'a path'),
             ('..', 'u', 'adyen', 'a way up'),
             (E'a\nb', 'u', 'adyen', 'two lines'),
             (repeat('a', 129), 'u', 'adyen', 'a long name'),
             ('c', '', 'adyen', 'an empty URL'),
             ('c', repeat('u', 2049), 'adyen', 'a long URL'),
             ('c', 'u', NULL, 'no PSP')) AS v (name, url, psp, about);

SELECT is(pg_temp.ends('b', 'timeout'), 'stored', 'it cannot be had');
SELECT is(pg_temp.stands('b'), 'waiting 00:01:00 1 timeout',
          'is tried again after a while');
SELECT is(pg_temp.gets(), 'found a', 'and another one is first');
SELECT is(string_agg(pg_temp.ends('b', 'auth'), ' '), 'stored stored stored',
          'again')
FROM generate_series(1, 3);
SELECT is(pg_temp.stands('b'), 'waiting 00:08:00 4 auth',
          'each pause is twice the one before');
SELECT is(string_agg(DISTINCT pg_temp.ends('b', 'auth'), ' '), 'stored',
          'for long')
FROM generate_series(1, 40);
SELECT is(pg_temp.stands('b'), 'waiting 06:00:00 44 auth',
          'but a try comes every 6 hours');
SELECT is(pg_temp.ends('b', NULL, 0, 7), 'stored', 'it was read');
SELECT is(pg_temp.stands('b'), 'read 00:00:00 44 7', 'as that file');
SELECT is(pg_temp.ends('b'), 'gone', 'once');
SELECT is(pg_temp.announces('b'), 'duplicate', 'and is read no more');
SELECT is(pg_temp.ends('a', 'foreign-url', 0), 'stored', 'it stands elsewhere');
SELECT is(pg_temp.stands('a'), 'refused 00:00:00 1 foreign-url', 'for good');
SELECT is(pg_temp.gets(), 'not_found', 'nothing is left');
SELECT is(pg_temp.ends('x'), 'gone', 'one that nobody has announced');
SELECT is(pg_temp.ends('x', p_again_ms => -1), 'invalid', 'a bad pause');

\i :checks
SELECT * FROM finish();
ROLLBACK;
