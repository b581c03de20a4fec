-- begin_backfill and end_backfill: one worker at a time, how far, and again.

BEGIN;
\ir helpers.psql
SELECT no_plan();

-- outcome, and the span as seconds before now
CREATE FUNCTION pg_temp.begins(
    p_psp text DEFAULT 'stripe', p_owner text DEFAULT 'w1',
    p_interval_ms bigint DEFAULT 600000, p_lease_ms bigint DEFAULT 60000)
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', b.outcome,
    floor(extract(epoch FROM now()))::bigint - b.since_s,
    floor(extract(epoch FROM now()))::bigint - b.until_s)
FROM pay_api.begin_backfill(ARRAY[p_psp], ARRAY[p_owner],
    ARRAY[p_interval_ms], ARRAY[p_lease_ms]) b
$$;
CREATE FUNCTION pg_temp.ends(
    p_ago bigint, p_psp text DEFAULT 'stripe', p_owner text DEFAULT 'w1',
    p_listed bigint DEFAULT 10, p_missed bigint DEFAULT 2,
    p_code text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT b.outcome FROM pay_api.end_backfill(ARRAY[p_psp], ARRAY[p_owner],
    ARRAY[floor(extract(epoch FROM now()))::bigint - p_ago],
    ARRAY[p_listed], ARRAY[p_missed], ARRAY[p_code]) b
$$;
CREATE FUNCTION pg_temp.stands(p_psp text DEFAULT 'stripe')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ',
    floor(extract(epoch FROM now())) - floor(extract(epoch FROM b.seen_until)),
    b.run_at - now(), b.lease_owner, b.runs, b.listed, b.missed, b.code)
FROM pay.backfill b WHERE b.psp = p_psp
$$;

SELECT is(pg_temp.begins(), 'due 3900 30',
          'the first look: an hour, overlapping, without the last 30 s');
SELECT is(pg_temp.stands(), '3600 00:10:00 w1 0 0 0', 'under a lease');
SELECT is(pg_temp.begins(p_owner => 'w2'), 'not_due', 'one worker at a time');
SELECT is(pg_temp.ends(30, p_owner => 'w2'), 'gone', 'another''s end');
SELECT is(pg_temp.ends(30), 'stored', 'the end');
SELECT is(pg_temp.stands(), '30 00:10:00 1 10 2', 'goes on there, later');
SELECT is(pg_temp.ends(30), 'gone', 'twice');
SELECT is(pg_temp.begins(), 'not_due', 'not before its time');

UPDATE pay.backfill SET run_at = now();
SELECT is(pg_temp.begins(), 'due 330 30', 'the next look overlaps');
SELECT is(pg_temp.ends(NULL, p_code => 'timeout', p_listed => NULL,
                       p_missed => NULL), 'stored', 'it failed');
SELECT is(pg_temp.stands(), '30 00:10:00 2 10 2 timeout',
          'the position stays, and so does the next time');
UPDATE pay.backfill SET run_at = now();
SELECT is(pg_temp.begins(), 'due 330 30', 'the same span again');
SELECT is(pg_temp.ends(900), 'stored', 'an end before the position');
SELECT is(pg_temp.stands(), '30 00:00:00 3 20 4', 'does not move it back');

-- a reload with a shorter interval: the next look follows it, and a longer one
-- does not take a look away that is due
SELECT is(pg_temp.begins(p_psp => 'short', p_interval_ms => 86400000),
          'due 3900 30', 'once a day');
SELECT is(pg_temp.ends(30, 'short'), 'stored', 'the end of it');
UPDATE pay.backfill SET run_at = run_at - interval '599 s'
WHERE psp = 'short';
SELECT is(pg_temp.begins(p_psp => 'short'), 'not_due',
          'nine minutes later, every ten of them');
UPDATE pay.backfill SET run_at = run_at - interval '1 s' WHERE psp = 'short';
SELECT is(pg_temp.begins(p_psp => 'short', p_interval_ms => 86400000),
          'not_due', 'ten minutes later, once a day');
SELECT is(pg_temp.begins(p_psp => 'short', p_interval_ms => 600001),
          'not_due', 'a millisecond longer');
SELECT is(pg_temp.begins(p_psp => 'short'), 'due 330 30',
          'ten minutes later, every ten of them');
SELECT is(pg_temp.ends(30, 'short'), 'stored', 'the end of that');
SELECT is(pg_temp.stands('short'), '30 00:10:00 2 20 4', 'every ten now');
UPDATE pay.backfill SET run_at = now() WHERE psp = 'short';
SELECT is(pg_temp.begins(p_psp => 'short', p_interval_ms => 86400000),
          'due 330 30', 'what is due stays due');
SELECT is(pg_temp.ends(NULL, 'short'), 'stored', 'it failed');
SELECT is(pg_temp.begins(p_psp => 'short', p_interval_ms => 86400000),
          'not_due', 'once a day again');
DELETE FROM pay.backfill WHERE psp = 'short';

-- far behind: at most 6 hours a look, and the next one at once
UPDATE pay.backfill SET seen_until = now() - interval '1 day', run_at = now();
SELECT is(pg_temp.begins(), 'due 86700 65100', 'six hours of it');
SELECT is(pg_temp.ends(65100), 'stored', 'done');
SELECT is(pg_temp.stands(), '65100 00:00:00 4 30 6', 'goes on at once');
SELECT is(pg_temp.begins(), 'due 65400 43800', 'from there');

-- too much in one look: shorter ones, longer again when they go well
SELECT is(pg_temp.ends(NULL, p_code => 'too_many'), 'stored', 'too much');
UPDATE pay.backfill SET run_at = now();
SELECT is(pg_temp.begins(), 'due 65400 60000', 'a quarter');
SELECT is(pg_temp.ends(60000), 'stored', 'which goes well');
SELECT is(pg_temp.begins(), 'due 60300 49500', 'twice as long again');
SELECT is(pg_temp.ends(NULL, p_code => 'no_answer'), 'stored', 'no answer');
UPDATE pay.backfill SET run_at = now();
SELECT is(pg_temp.begins(), 'due 60300 49500', 'says nothing about it');
UPDATE pay.backfill SET span_s = 400, run_at = now();
SELECT is(pg_temp.ends(NULL, p_code => 'too_many'), 'stored', 'still');
UPDATE pay.backfill SET run_at = now();
SELECT is(pg_temp.begins(), 'due 60300 59940',
          'never so short that the overlap is all of it');
UPDATE pay.backfill
SET span_s = 21600, seen_until = now() - interval '65100 s';

-- a worker that died
UPDATE pay.backfill SET lease_until = now(), run_at = now();
SELECT is(pg_temp.begins(p_owner => 'w2'), 'due 65400 43800',
          'the same span by another one');
SELECT is(pg_temp.ends(43800), 'gone', 'the first is late');
SELECT is(pg_temp.ends(43800, p_owner => 'w2'), 'stored', 'the second counts');

-- bad ones beside good ones
SELECT is(string_agg(b.item || b.outcome || (b.since_s IS NOT NULL)::int
                     || (b.until_s IS NOT NULL)::int, ' ' ORDER BY b.item),
    '1due11 2invalid00 3invalid00 4invalid00 5invalid00 6not_due00 7due11',
    'a batch')
FROM pay_api.begin_backfill('{z,NULL,b,b,b,z,a}', '{w,w,NULL,w,w,w,w}',
    '{1000,1000,1000,0,1000,1000,1000}',
    '{1000,1000,1000,1000,0,1000,1000}') b;
SELECT is(string_agg(b.item || b.outcome, ' ' ORDER BY b.item),
    '1invalid 2invalid 3invalid 4invalid 5invalid 6gone 7gone 8stored',
    'and their ends')
FROM pay_api.end_backfill('{NULL,z,z,z,z,no,z,z}', '{w,NULL,w,w,w,w,v,w}',
    ARRAY[1, 1, 99999999999, 1, 1, 1, 1, NULL]::bigint[],
    '{1,1,1,-1,1,1,1,1}', '{0,0,0,0,-1,0,0,0}',
    ARRAY['', '', '', '', '', '', '', '']) b;
SELECT is(pg_temp.ends(1, p_psp => 'a', p_owner => 'w',
                       p_code => repeat('x', 256)), 'invalid', 'a long code');
SELECT is(pg_temp.ends(-5, p_psp => 'a', p_owner => 'w'), 'invalid',
          'the future has not been seen');

SELECT is((b.psp, b.behind, b.running, b.runs, b.listed, b.missed)::text,
          row('a', now() - b.seen_until, true, 0, 0, 0)::text, 'for people')
FROM pay_view.backfills b WHERE b.psp = 'a';
SELECT is(pg_temp.run_as(r, sql), s, r || ' ' || sql)
FROM (VALUES
    ('payments_gateway', 'SELECT * FROM pay_api.begin_backfill(''{}'',
        ''{}'', ''{}'', ''{}'')', 'ok'),
    ('payments_gateway', 'SELECT * FROM pay_api.end_backfill(''{}'', ''{}'',
        ''{}'', ''{}'', ''{}'', ''{}'')', 'ok'),
    ('payments_gateway', 'SELECT * FROM pay_view.backfills', '42501'),
    ('payments_auditor', 'SELECT * FROM pay_view.backfills', 'ok')
    ) v (r, sql, s);

-- the clock that wrote the position was ahead
UPDATE pay.backfill
SET seen_until = now() + interval '1 day', run_at = now(),
    lease_owner = NULL, lease_until = NULL
WHERE psp = 'stripe';
SELECT is(pg_temp.begins(), 'due 300 30', 'nobody has seen the future');
SELECT is(pg_temp.ends(30), 'stored', 'the end');
SELECT ok(b.seen_until <= now(), 'it is forgotten')
FROM pay.backfill b WHERE b.psp = 'stripe';

\i :checks
SELECT finish();
ROLLBACK;
