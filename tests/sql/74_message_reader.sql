-- Readers of the log of messages: one owner at a time, who alone moves the mark;
-- what is claimed and not marked is claimed again.

BEGIN;
\ir helpers.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.next(
    p_owner text, p_after bigint DEFAULT 0, p_most int DEFAULT 10,
    p_name text DEFAULT 'kafka', p_lease bigint DEFAULT 30000)
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', c.outcome, c.position, c.merchant_id,
                            c.subject), ', ' ORDER BY c.position)
FROM pay_relay.claim_messages(p_name, p_owner, p_lease, p_after, p_most) c
$$;
CREATE FUNCTION pg_temp.mark(
    p_owner text, p_position bigint, p_lease bigint DEFAULT 30000,
    p_name text DEFAULT 'kafka')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', m.outcome, m.lag)
FROM pay_relay.mark_messages(p_name, p_owner, p_lease, p_position) m
$$;
CREATE FUNCTION pg_temp.expire() RETURNS void LANGUAGE sql AS $$
UPDATE pay.message_reader SET until = clock_timestamp() - interval '1 ms'
$$;

SELECT is(pg_temp.next('r1'), 'empty 0', 'an empty log');

INSERT INTO pay.message (position, merchant_id, message_id, type, subject,
    sequence, at, body)
SELECT n, 'm' || n % 2, 'evt_' || n, 'payment.succeeded', 'payment/o' || n, 1,
    now(), '{"n":' || n || '}'
FROM generate_series(1, 5) n;
UPDATE pay.message_place SET position = 5;

SELECT is(pg_temp.next('r1', 0, 2),
    'message 1 m1 payment/o1, message 2 m0 payment/o2', 'the first two');
SELECT is(c.message_id || ' ' || c.type || ' ' || c.body,
    'evt_1 payment.succeeded {"n":1}', 'with id, type and body')
FROM pay_relay.claim_messages('kafka', 'r1', 30000, 0, 1) c;
SELECT is(pg_temp.next('r1', 2, 2),
    'message 3 m1 payment/o3, message 4 m0 payment/o4',
    'the next two before the first are marked');
SELECT is(pg_temp.next('r1', 5), 'empty 0', 'none behind the last');

SELECT is(pg_temp.next('r2'), 'taken', 'another owner has to wait');
SELECT is(pg_temp.mark('r2', 2), 'lost', 'and moves no mark');
SELECT is(pg_temp.next('r2', 0, 1, 'audit'), 'message 1 m1 payment/o1',
    'a reader of another name has a mark of its own');

SELECT is(pg_temp.mark('r1', 2), 'marked 3', 'two have arrived, three have not');
SELECT is(pg_temp.next('r1', 0, 1), 'message 3 m1 payment/o3',
    'what was claimed and not marked comes again');
SELECT is(pg_temp.mark('r1', 1), 'marked 3', 'a mark never goes back');
SELECT is(pg_temp.mark('r1', 0), 'marked 3', 'a sign of life moves none');
SELECT is(pg_temp.mark('r1', 6), 'invalid', 'nor can one pass the log''s end');
SELECT is((SELECT r.position::bigint FROM pay.message_reader r WHERE r.name = 'kafka'),
    2::bigint, 'the mark is where it was');

SELECT pg_temp.expire()
\g /dev/null
SELECT is(pg_temp.mark('r1', 3), 'marked 2',
    'a lease that nobody else took is still its owner''s');
SELECT pg_temp.expire()
\g /dev/null
SELECT is(pg_temp.next('r2', 0, 1), 'message 4 m0 payment/o4',
    'after its time another goes on from the mark');
SELECT is(pg_temp.mark('r1', 5), 'lost', 'the first owner is fenced');
SELECT is(pg_temp.next('r1'), 'taken', 'and waits');

SELECT is(pg_temp.mark('r2', 5, 0), 'marked 0', 'a lease is given back');
SELECT is(pg_temp.next('r1'), 'empty 5', 'and can be taken at once');

-- a reader that finds nothing new writes nothing
UPDATE pay.message_reader SET changed_at = '2000-01-01' WHERE name = 'kafka';
SELECT pg_temp.next('r1')
\g /dev/null
SELECT is(r.changed_at, '2000-01-01'::timestamptz, 'a fresh lease is kept')
FROM pay.message_reader r WHERE r.name = 'kafka';
UPDATE pay.message_reader SET until = clock_timestamp() + interval '14 s'
WHERE name = 'kafka';
SELECT pg_temp.next('r1')
\g /dev/null
SELECT cmp_ok(r.until, '>', clock_timestamp() + interval '20 s',
    'half a lease is renewed')
FROM pay.message_reader r WHERE r.name = 'kafka';

SELECT is(pg_temp.next(owner, after, most, name, lease), 'invalid', why)
FROM (VALUES
    ('', 0, 1, 'kafka', 30000, 'no owner'),
    ('r1', -1, 1, 'kafka', 30000, 'a negative position'),
    ('r1', NULL, 1, 'kafka', 30000, 'no position'),
    ('r1', 0, 0, 'kafka', 30000, 'no rows'),
    ('r1', 0, 10001, 'kafka', 30000, 'too many rows'),
    ('r1', 0, 1, 'Kafka', 30000, 'a name with a capital'),
    ('r1', 0, 1, 'kafka', 999, 'too short a lease'),
    ('r1', 0, 1, 'kafka', 3600001, 'too long a lease')
    ) s (owner, after, most, name, lease, why);
SELECT is(pg_temp.mark('r1', 0, -1), 'invalid', 'a negative lease');
SELECT is(pg_temp.mark('r1', NULL), 'invalid', 'no position to mark');
SELECT is(pg_temp.mark('r1', 1, 1000, 'nobody'), 'lost', 'no such reader');

SELECT finish();
ROLLBACK;
