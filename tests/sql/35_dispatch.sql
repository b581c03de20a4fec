-- The dispatch journal of registrations: what may be sent again, what only be
-- asked for, and what becomes of the words of several calls.  Captures and
-- refunds: 36_change.sql.

BEGIN;
\ir helpers.psql
SELECT no_plan();

-- all times of a journal as if it had begun two days ago
CREATE FUNCTION pg_temp.age(p_checkout text) RETURNS void LANGUAGE sql AS $$
SELECT pg_temp.journaled(p_checkout);
UPDATE pay.dispatch
SET first_sent_at = now() - interval '2 d', sent_at = now() - interval '2 d',
    lease_until = CASE WHEN state = 'OPEN'
                       THEN now() - interval '2 d' END,
    key_until = now() - interval '1 d'
WHERE checkout_id = p_checkout
$$;
CREATE FUNCTION pg_temp.reg(p_checkout text) RETURNS text LANGUAGE sql AS $$
SELECT format('%s %s %s', r.state, r.attempt, r.open_attempts)
FROM pay.registration r WHERE r.checkout_id = p_checkout
$$;
-- everything that a call that changes nothing must leave alone
CREATE FUNCTION pg_temp.all_of(p_checkout text) RETURNS text
LANGUAGE sql AS $$
SELECT concat_ws(' ',
    (SELECT r::text FROM pay.registration r WHERE r.checkout_id = p_checkout),
    (SELECT string_agg(d::text, ' ' ORDER BY d.attempt) FROM pay.journal d
     WHERE d.checkout_id = p_checkout),
    (SELECT string_agg(o::text, ' ') FROM pay.payment_order o
     WHERE o.checkout_id = p_checkout),
    (SELECT count(*) FROM pay.event))
$$;
CREATE FUNCTION pg_temp.letters(p_checkout text) RETURNS text
LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', d.kind, d.reason, d.code, d.attempts,
    d.state, d.closed_by, d.closed_why), ', ' ORDER BY d.dead_letter_id)
FROM pay.dead_letter d WHERE d.checkout_id = p_checkout
$$;

SELECT b.outcome FROM generate_series(1, 46) n,
    pg_temp.begin('m1', 'k' || n, 'c' || n, ARRAY['o' || n || ':100'],
                  p_psps => 'stripe adyen square', p_windows => '600 60 0',
                  p_late => CASE WHEN n = 1 THEN 'hold' END) b
\g /dev/null

-- before the first call there is a row
SELECT is((d.operation, d.operation_id, d.attempt, d.psp, d.state, d.sends,
           d.unsure, d.lease_until - d.first_sent_at,
           d.key_until - d.first_sent_at, d.sent_at = d.first_sent_at,
           d.ended_at, d.reach, d.request_id)::text,
          '(register,o1,1,stripe,OPEN,1,f,00:00:30,00:10:00,t,,,request-1)',
          'a checkout begins with its dispatch')
FROM pay.journal d WHERE d.checkout_id = 'c1';
SELECT is((c.late_success, r.key_windows)::text, '(hold,"{600,60,0}")',
          'late payments and key windows are kept')
FROM pay.checkout c, pay.registration r
WHERE c.checkout_id = 'c1' AND r.checkout_id = 'c1';
SELECT is((c.late_success)::text, 'accept', 'a late payment is a sale')
FROM pay.checkout c WHERE c.checkout_id = 'c2';
SELECT is(b.outcome, 'replayed', 'the same again')
FROM pg_temp.begin('m1', 'k-replay', 'replay', '{o-replay:1}',
                   p_lease_ms => 0) a,
    pg_temp.begin('m1', 'k-replay', 'replay', '{o-replay:1}') b;
SELECT is(b.outcome, 'exists', 'another key')
FROM pg_temp.begin('m1', 'k-other', 'replay', '{o-replay:1}') b;
SELECT is(pg_temp.journal('replay'), 'register 1 stripe OPEN 1',
          'sends nothing');
SELECT is(d.key_until - d.first_sent_at, interval '1 day',
          'a day, unless something is said')
FROM pay.journal d WHERE d.checkout_id = 'replay';
SELECT is(b.outcome, 'created', 'a nonce that somebody has')
FROM pg_temp.begin('m2', 'k', 'taken', '{o1:5}') b;
SELECT is((SELECT d.operation_id::text FROM pay.journal d
           WHERE d.checkout_id = 'taken'), pg_temp.uuid('m2taken'),
          'the nonce as it has become');

SELECT is(b.outcome, 'invalid', 'key windows ' || quote_literal(w))
FROM unnest(ARRAY['x', '-1 1', '1', '1 2 3', '1  2', ' 1 2', '1 2 ', '1,2',
    '1.5 2', '1e3 2', '9999999999 1', '+1 2', E'1\n2', '1 NULL',
    '1 2 3 4 5 6 7 8 9']) w,
    pg_temp.begin('m1', 'bad', 'bad', '{bad:1}', p_psps => 'stripe adyen',
                  p_windows => w) b;
SELECT is(b.outcome, 'invalid', 'late ' || quote_literal(w))
FROM unnest(ARRAY['Accept', 'later', ' ', 'accept hold']) w,
    pg_temp.begin('m1', 'bad', 'bad', '{bad:1}', p_late => w) b;
SELECT is((SELECT count(*) FROM pay.journal WHERE checkout_id = 'bad'),
          0::bigint, 'none of them is written down');
SELECT is(b.outcome, 'created', 'nothing said at all')
FROM pg_temp.begin('m1', 'k-empty', 'empty', '{o-empty:1}', p_windows => '',
                   p_late => '') b;

-- a token
SELECT is(pg_temp.token('m1', 'c1', 't1'), 'stored', 'the token comes');
SELECT is((d.state, d.reach, d.reference, d.lease_until, d.ended_at IS NULL)
          ::text, '(DONE,complete,t1,,f)', 'done')
FROM pay.journal d WHERE d.checkout_id = 'c1';
SELECT pg_temp.all_of('c1') AS before
\gset
SELECT is(pg_temp.no_token('m1', 'c1', o), 'already', o || ' is too late')
FROM unnest('{refused,not_sent,unknown,expired,held}'::text[]) o;
SELECT is(pg_temp.token('m1', 'c1', 'other'), 'mismatch', 'another token');
SELECT is(pg_temp.reroute('m1', 'c1', 'stripe'), 'stays stripe', 'a move');
SELECT is(pg_temp.all_of('c1'), :'before', 'none of it is journaled');

-- not sent for sure: a new attempt with a new window
SELECT is(pg_temp.no_token('m1', 'c2', 'not_sent', 'connect',
                           p_reach => 'resolved'), 'stored', 'not sent');
SELECT is((d.state, d.reach, d.http_status, d.code, d.lease_until)::text,
          '(NOT_SENT,resolved,,connect,)', 'how far it came is kept')
FROM pay.journal d WHERE d.checkout_id = 'c2';
SELECT is(e.detail, '{"code":"connect","reach":"resolved","sends":1}'::jsonb,
          'the timeline says so, too')
FROM pay.event e WHERE e.payment_order_id = 'o2' AND e.seq = 2;
SELECT pg_temp.age('c2')
\g /dev/null
SELECT is(pg_temp.claim('c2'), 'job register c2 stripe 2', 'a job');
SELECT is(pg_temp.journal('c2'),
          'register 1 stripe NOT_SENT 1, register 2 stripe OPEN 1',
          'begins the second attempt');
SELECT is(d.key_until, now() + interval '10 min', 'with a fresh key window')
FROM pay.journal d WHERE d.checkout_id = 'c2' AND d.attempt = 2;
SELECT is(pg_temp.reg('c2'), 'REGISTERING 2 1', 'one call is open');
SELECT is(pg_temp.token('m1', 'c2', 't2'), 'stored', 'its token');
SELECT is(pg_temp.journal('c2'),
          'register 1 stripe NOT_SENT 1, register 2 stripe DONE 1',
          'the newest attempt is the one that is done');

-- a call may take as long as its lease: it must arrive while the key is known
SELECT is(pg_temp.no_token('m1', 'c46', 'unknown'), 'stored', 'unknown');
UPDATE pay.dispatch SET key_until = now() + interval '30 s'
WHERE checkout_id = 'c46';
SELECT is(pg_temp.claim('c46'), 'job find c46 stripe 2', 'too late by then');
SELECT is(pg_temp.journal('c46'), 'register 1 stripe UNKNOWN 1',
          'nothing is sent');
UPDATE pay.dispatch SET key_until = now() + interval '31 s'
WHERE checkout_id = 'c46';
SELECT is(pg_temp.claim('c46'), 'job register c46 stripe 2', 'in time');

-- unknown: the same attempt again, while the PSP knows the key
SELECT is(pg_temp.no_token('m1', 'c3', 'unknown', 'timeout',
                           p_reach => 'written', p_status => 0), 'stored',
          'unknown');
SELECT is((d.state, d.reach, d.http_status, d.code)::text,
          '(UNKNOWN,written,,timeout)', 'is a state')
FROM pay.journal d WHERE d.checkout_id = 'c3';
SELECT is(pg_temp.claim('c3'), 'job register c3 stripe 2', 'a job');
SELECT is(pg_temp.journal('c3'), 'register 1 stripe OPEN 2?',
          'sends the same attempt again');
SELECT is((d.lease_until, d.ended_at, d.key_until - d.first_sent_at)::text,
          row(now() + interval '30 s', NULL::timestamptz,
              interval '10 min')::text,
          'under its own lease, in the window of the first call')
FROM pay.journal d WHERE d.checkout_id = 'c3';
SELECT is(pg_temp.no_token('m1', 'c3', 'unknown', 'status',
                           p_reach => 'status', p_status => 502), 'stored',
          'unknown again');
SELECT is(e.detail,
    '{"code":"status","reach":"status","http_status":502,"sends":2}'::jsonb,
    'the second call''s evidence')
FROM pay.event e WHERE e.payment_order_id = 'o3' AND e.seq = 3;

-- T38: the first call's answer comes while the second is out
SELECT is(pg_temp.claim('c4'), 'job register c4 stripe 1',
          'the request''s lease is over');
SELECT is(pg_temp.journal('c4') || ' ' || pg_temp.reg('c4'),
          'register 1 stripe OPEN 2? REGISTERING 1 2', 'two calls are open');
SELECT is(pg_temp.token('m1', 'c4', 't4'), 'stored',
          'the first brings the token');
SELECT is(pg_temp.no_token('m1', 'c4', o), 'already',
          'what the second says is no news: ' || o)
FROM unnest('{unknown,not_sent,refused,held}'::text[]) o;
SELECT is(pg_temp.journal('c4'), 'register 1 stripe DONE 2?', 'done');

-- the first call did not leave, the second may have: neither is forgotten
SELECT is(pg_temp.claim('c5'), 'job register c5 stripe 1', 'two calls');
SELECT is(pg_temp.no_token('m1', 'c5', 'not_sent'), 'stored',
          'one was not sent');
SELECT is(pg_temp.journal('c5') || ' ' || pg_temp.reg('c5'),
          'register 1 stripe UNKNOWN 2? REGISTERING 2 1',
          'the other may have been');
SELECT is(pg_temp.token('m1', 'c5', 't5'), 'stored', 'and was');
SELECT is(pg_temp.journal('c5'), 'register 1 stripe DONE 2?', 'done');

-- neither left: only then a new attempt may begin
SELECT is(pg_temp.claim('c6'), 'job register c6 stripe 1', 'two calls');
SELECT is(pg_temp.no_token('m1', 'c6', 'not_sent'), 'stored', 'neither')
FROM generate_series(1, 2);
SELECT is(pg_temp.journal('c6') || ' ' || pg_temp.reg('c6'),
          'register 1 stripe NOT_SENT 2 REGISTERING 3 0', 'nothing is unsure');
SELECT is(pg_temp.claim('c6'), 'job register c6 stripe 3', 'a job');
SELECT is(pg_temp.journal('c6'),
          'register 1 stripe NOT_SENT 2, register 2 stripe OPEN 1',
          'begins afresh');

-- what has ended unknown stays so, whatever else did not leave: a new
-- attempt would have a new window, beyond the PSP's own
SELECT is(pg_temp.no_token('m1', 'c7', 'unknown', 'timeout',
                           p_reach => 'written'), 'stored', 'unknown');
SELECT is(pg_temp.no_token('m1', 'c7', 'not_sent', 'connect',
                           p_reach => 'nothing'), 'stored',
          'a stray word about a call that did not leave');
SELECT is(pg_temp.journal('c7') || ' ' || pg_temp.reg('c7'),
          'register 1 stripe UNKNOWN 1 REGISTERING 3 0', 'changes nothing');
SELECT is((d.reach, d.code)::text, '(written,timeout)',
          'nor the evidence of the one that may have arrived')
FROM pay.journal d WHERE d.checkout_id = 'c7';
SELECT is(pg_temp.claim('c7'), 'job register c7 stripe 3', 'a job');
SELECT is(pg_temp.no_token('m1', 'c7', 'not_sent'), 'stored', 'not sent');
SELECT is(pg_temp.journal('c7') || ' ' || pg_temp.reg('c7'),
          'register 1 stripe UNKNOWN 2? REGISTERING 4 0',
          'nor does the resend that did not leave');

-- a worker died with its call, twice: all of it is one attempt
SELECT is(pg_temp.claim('c8', 'w' || n), 'job register c8 stripe 1',
          'worker ' || n) FROM generate_series(1, 3) n;
SELECT is(pg_temp.journal('c8') || ' ' || pg_temp.reg('c8'),
          'register 1 stripe OPEN 4? REGISTERING 1 4', 'four calls');
SELECT is(pg_temp.no_token('m1', 'c8', 'refused', 'declined',
                           p_status => 402, p_reach => 'complete'), 'stored',
          'the PSP refuses it');
SELECT is((d.state, d.code, d.http_status)::text, '(REFUSED,declined,402)',
          'refused') FROM pay.journal d WHERE d.checkout_id = 'c8';
SELECT is(pg_temp.token('m1', 'c8', 't8'), 'mismatch',
          'and yet an earlier call has brought a token');
SELECT is(pg_temp.journal('c8') || ' ' || pg_temp.reg('c8'),
          'register 1 stripe DONE 4? REFUSED 1 3',
          'which the journal does not hide');

-- the key window is over: never sent again, only asked for
SELECT pg_temp.age('c9')
\g /dev/null
SELECT is(pg_temp.claim('c9'), 'job find c9 stripe 1', 'to be found');
SELECT is(pg_temp.journal('c9') || ' ' || pg_temp.reg('c9'),
          'register 1 stripe UNKNOWN 1 REGISTERING 1 1',
          'nobody is at it; nothing is sent');
SELECT is(d.ended_at, now(), 'it ended when that was seen')
FROM pay.journal d WHERE d.checkout_id = 'c9';
SELECT pg_temp.all_of('c9') AS before
\gset
SELECT is(pg_temp.no_token('m1', 'c9', 'held', 'not_found', 5000), 'stored',
          'found nothing');
SELECT is(pg_temp.all_of('c9'), :'before', 'changes nothing');
SELECT is((j.kind, j.attempts, j.run_at, j.lease_owner, j.code)::text,
          row('register', 1, now() + interval '5 s', NULL::text,
              'not_found')::text, 'but the job, which is put off')
FROM pay.job j WHERE j.checkout_id = 'c9';
SELECT is(pg_temp.claim('c9'), 'job find c9 stripe 1', 'asked again');
SELECT is(pg_temp.all_of('c9'), :'before', 'as often as it likes');
SELECT is(pg_temp.token('m1', 'c9', 't9'), 'stored', 'and found');
SELECT is(pg_temp.journal('c9'), 'register 1 stripe DONE 1', 'done');

-- the window ends between two calls of a job
SELECT is(pg_temp.no_token('m1', 'c10', 'unknown'), 'stored', 'unknown');
SELECT is(pg_temp.claim('c10'), 'job register c10 stripe 2', 'sent again');
SELECT is(pg_temp.no_token('m1', 'c10', 'unknown'), 'stored', 'unknown');
SELECT pg_temp.age('c10')
\g /dev/null
SELECT is(pg_temp.claim('c10'), 'job find c10 stripe 3', 'then looked for');
SELECT is(pg_temp.journal('c10') || ' ' || pg_temp.reg('c10'),
          'register 1 stripe UNKNOWN 2? REGISTERING 3 2', 'never sent');

-- a late word of the call itself while it is looked for
SELECT is(pg_temp.no_token('m1', 'c10', 'refused'), 'stored',
          'a late refusal');
SELECT is(pg_temp.no_token('m1', 'c10', 'held'), 'already',
          'the look is no news');
SELECT is(pg_temp.status('m1', 'o10'), 'FAILED/rejected', 'rejected');
SELECT is(pg_temp.journal('c10'), 'register 1 stripe REFUSED 2?', 'refused');

-- the window ends while a call is out
SELECT pg_temp.age('c11')
\g /dev/null
UPDATE pay.dispatch SET lease_until = now() + interval '1 s'
WHERE checkout_id = 'c11';
SELECT is(pg_temp.claim('c11'), 'job find c11 stripe 1', 'a job looks');
SELECT is(pg_temp.journal('c11'), 'register 1 stripe OPEN 1',
          'the call is still out');
SELECT is(pg_temp.no_token('m1', 'c11', 'held'), 'stored', 'nothing yet');
SELECT is(pg_temp.no_token('m1', 'c11', 'not_sent'), 'stored',
          'it never left');
SELECT is(pg_temp.journal('c11'), 'register 1 stripe NOT_SENT 1', 'not sent');
SELECT is(pg_temp.claim('c11'), 'job register c11 stripe 2',
          'so it may be sent');

-- a PSP without keys: one call only, unless it did not leave
SELECT b.outcome FROM pg_temp.begin('m1', 'k-bare', 'bare', '{o-bare:1}',
    p_psp => 'square', p_psps => 'square', p_windows => '0') b
\g /dev/null
SELECT is(d.key_until, d.first_sent_at, 'no key is known for long')
FROM pay.journal d WHERE d.checkout_id = 'bare';
SELECT is(pg_temp.claim('bare'), 'job find bare square 1', 'looked for');
SELECT is(pg_temp.no_token('m1', 'bare', 'not_sent', p_psp => 'square'),
          'stored', 'the call did not leave');
SELECT is(pg_temp.claim('bare'), 'job register bare square 2', 'sent');
SELECT is(pg_temp.no_token('m1', 'bare', 'unknown', p_psp => 'square'),
          'stored', 'unknown');
SELECT is(pg_temp.claim('bare'), 'job find bare square 3', 'looked for');
-- found by the simulator: a clock that was set back made time for a repeat
UPDATE pay.dispatch SET first_sent_at = now() + interval '60 s',
    key_until = now() + interval '60 s' WHERE checkout_id = 'bare';
SELECT pg_temp.age('bare')
\g /dev/null
SELECT is(pg_temp.claim('bare'), 'job find bare square 3',
          'and not sent again when the clock is set back');
SELECT is(pg_temp.journal('bare'),
          'register 1 square NOT_SENT 1, register 2 square UNKNOWN 1',
          'each attempt went out once');

-- a checkout whose time is over: nothing is sent, the end comes
UPDATE pay.checkout SET expires_at = now()
WHERE checkout_id IN ('c12', 'c13', 'c14');
SELECT pg_temp.all_of('c12') AS before
\gset
SELECT is(pg_temp.claim('c12'), 'job over c12 stripe 1', 'past its time');
SELECT is(pg_temp.all_of('c12'), :'before', 'nothing is journaled');
SELECT is(pg_temp.no_token('m1', 'c12', 'expired', 'expired_unregistered',
                           NULL), 'stored', 'it ends');
SELECT is((d.state, d.reach, d.code)::text, '(UNKNOWN,,)',
          'what became of the call is not known')
FROM pay.journal d WHERE d.checkout_id = 'c12';
SELECT is(e.detail, '{"code":"expired_unregistered"}'::jsonb,
          'the end was no call')
FROM pay.event e WHERE e.payment_order_id = 'o12' AND e.kind = 'expired';
SELECT is(pg_temp.token('m1', 'c12', 't12'), 'mismatch',
          'its token comes later still');
SELECT is(pg_temp.journal('c12'), 'register 1 stripe DONE 1', 'it was done');
SELECT is(pg_temp.no_token('m1', 'c13', 'not_sent'), 'stored', 'not sent');
SELECT pg_temp.age('c13')
\g /dev/null
SELECT is(pg_temp.claim('c13'), 'job over c13 stripe 2',
          'the end of one that was not sent');
SELECT is(pg_temp.no_token('m1', 'c13', 'expired'), 'stored', 'it ends');
SELECT is(pg_temp.journal('c13'), 'register 1 stripe NOT_SENT 1', 'not sent');
SELECT is(pg_temp.no_token('m1', 'c14', 'unknown', 'timeout',
                           p_reach => 'tls'), 'stored', 'unknown');
SELECT pg_temp.age('c14')
\g /dev/null
SELECT is(pg_temp.claim('c14'), 'job over c14 stripe 2',
          'past its time it is not even looked for');
SELECT is(pg_temp.no_token('m1', 'c14', 'expired'), 'stored', 'it ends');
SELECT is((d.state, d.reach, d.code)::text, '(UNKNOWN,tls,timeout)',
          'with the evidence of its call')
FROM pay.journal d WHERE d.checkout_id = 'c14';

-- from one PSP to the next: a key is good for one only
SELECT is(pg_temp.reroute('m1', 'c15', 'stripe', 'not_sent', 'connect',
                          p_reach => 'nothing'), 'rerouted adyen', 'a move');
SELECT is(pg_temp.journal('c15'),
          'register 1 stripe NOT_SENT 1, register 2 adyen OPEN 1',
          'closes one attempt and begins another');
SELECT is((d.key_until, d.lease_until, d.request_id, d.operation_id)::text,
          row(now() + interval '1 min', now() + interval '30 s', 'request-5',
              'o15')::text, 'in the window of the next, with the same nonce')
FROM pay.journal d WHERE d.checkout_id = 'c15' AND d.attempt = 2;
SELECT is((d.reach, d.code)::text, '(nothing,connect)', 'and says why')
FROM pay.journal d WHERE d.checkout_id = 'c15' AND d.attempt = 1;
SELECT is(e.detail ->> 'reach', 'nothing', 'as the timeline does')
FROM pay.event e WHERE e.payment_order_id = 'o15' AND e.kind = 'rerouted';
SELECT is(pg_temp.reroute('m1', 'c15', 'adyen', 'refused', 'no',
                          p_reach => 'complete', p_status => 422),
          'rerouted square', 'refused');
SELECT is((d.state, d.http_status, d.code)::text, '(REFUSED,422,no)',
          'is its state')
FROM pay.journal d WHERE d.checkout_id = 'c15' AND d.attempt = 2;
SELECT is(d.key_until, d.first_sent_at, 'square knows no keys')
FROM pay.journal d WHERE d.checkout_id = 'c15' AND d.attempt = 3;
SELECT is(pg_temp.no_token('m1', 'c15', 'not_sent', p_psp => 'square'),
          'stored', 'not sent there');
SELECT is(pg_temp.claim('c15'), 'job register c15 square 4', 'a job');
SELECT is(pg_temp.reroute('m1', 'c15', 'square'), 'rerouted stripe',
          'the next round');
SELECT pg_temp.journal('c15') AS before
\gset
SELECT is(:'before'::text, 'register 1 stripe NOT_SENT 1, '
          'register 2 adyen REFUSED 1, register 3 square NOT_SENT 1, '
          'register 4 square NOT_SENT 1, register 5 stripe OPEN 1',
          'every attempt has its row');
SELECT is(pg_temp.token('m1', 'c15', 'late', p_psp => 'adyen'), 'mismatch',
          'a token of a PSP that was left');
SELECT is(pg_temp.no_token('m1', 'c15', o, p_psp => 'square'), 'already',
          o || ' from there')
FROM unnest('{refused,not_sent,unknown,expired,held}'::text[]) o;
SELECT is(pg_temp.reroute('m1', 'c15', 'square', p_attempt => 4),
          'stays stripe', 'a move from there');
SELECT is(pg_temp.journal('c15'), :'before', 'changes nothing');
SELECT is(pg_temp.token('m1', 'c15', 't15'), 'stored', 'its own does');
SELECT is((SELECT string_agg(d.psp, ' ') FROM pay.journal d
           WHERE d.checkout_id = 'c15' AND d.state = 'DONE'), 'stripe',
          'it is done once');

-- while it may have arrived there is no other attempt anywhere
SELECT is(pg_temp.no_token('m1', 'c16', 'unknown'), 'stored', 'unknown');
SELECT pg_temp.all_of('c16') AS before
\gset
SELECT is(pg_temp.reroute('m1', 'c16', 'stripe', o), 'stays stripe', o)
FROM unnest('{not_sent,refused}'::text[]) o;
SELECT is(pg_temp.all_of('c16'), :'before', 'nothing is journaled');
SELECT is(pg_temp.claim('c17'), 'job register c17 stripe 1', 'two calls');
SELECT is(pg_temp.no_token('m1', 'c17', 'not_sent'), 'stored',
          'one did not leave');
SELECT is(pg_temp.reroute('m1', 'c17', 'stripe'), 'rerouted adyen',
          'nor the other, which moves it');
SELECT is(pg_temp.journal('c17'),
          'register 1 stripe NOT_SENT 2, register 2 adyen OPEN 1',
          'nothing is left in doubt');
-- beside a call that is open, in its checkout (c18) or not, there is no other
SELECT throws_ok(sql, '23505', NULL, sql)
FROM (VALUES
    ('INSERT INTO pay.dispatch (merchant_id, checkout_id, operation,
      operation_id, attempt, psp, key_until)
      VALUES (''m1'', ''c16'', ''register'', ''o16'', 2, ''stripe'', now())'),
    ('INSERT INTO pay.dispatch (merchant_id, checkout_id, operation,
      operation_id, attempt, psp, key_until)
      VALUES (''m1'', ''c18'', ''register'', ''o18'', 2, ''adyen'', now())'),
    ('UPDATE pay.dispatch SET state = ''UNKNOWN''
      WHERE checkout_id = ''c17''')) t (sql);
SELECT is((SELECT count(*)::int FROM pay.dispatch WHERE checkout_id = 'c18')
          || pg_temp.journal('c18'), '0register 1 stripe OPEN 1',
          'a first call has no row of its own');
SELECT throws_ok(sql, '23514', NULL, sql)
FROM (VALUES
    ('UPDATE pay.checkout SET first_call = ''UNKNOWN''
      WHERE checkout_id = ''c18'''),
    ('UPDATE pay.checkout SET first_call = ''DONE''
      WHERE checkout_id = ''c18'''),
    ('UPDATE pay.checkout SET first_ended_at = now()
      WHERE checkout_id = ''c18''')) t (sql);
SELECT d AS before FROM pay.journal d WHERE d.checkout_id = 'c18'
\gset
SELECT is(pg_temp.journaled('c18'), n, 'it gets its row once')
FROM unnest('{1,0}'::int[]) n;
SELECT is(d::text, :'before', 'and is the same')
FROM pay.journal d WHERE d.checkout_id = 'c18';
SELECT throws_ok(sql, '23514', NULL, sql)
FROM (VALUES
    ('UPDATE pay.dispatch SET sends = 2, sent_at = key_until
      WHERE checkout_id = ''c18'''),
    ('UPDATE pay.dispatch SET unsure = true WHERE checkout_id = ''c18'''),
    ('UPDATE pay.dispatch SET state = ''UNKNOWN''
      WHERE checkout_id = ''c18'''),
    ('UPDATE pay.dispatch SET ended_at = now() WHERE checkout_id = ''c18'''),
    ('UPDATE pay.dispatch SET reach = ''far'' WHERE checkout_id = ''c18'''),
    ('UPDATE pay.dispatch SET state = ''SENT'' WHERE checkout_id = ''c18''')
    ) t (sql);

-- no next attempt: people hear of it, the end still comes
SELECT is(pg_temp.no_token('m1', 'c20', 'unknown', 'timeout', -1,
                           p_dead => 'retry_limit'), 'stored', 'given up');
SELECT is(pg_temp.letters('c20'), 'register retry_limit timeout 1 open',
          'a dead letter');
SELECT is(j.run_at, to_timestamp(1900000000), 'a job for the end')
FROM pay.job j WHERE j.checkout_id = 'c20';
SELECT is(pg_temp.reg('c20'), 'REGISTERING 2 1', 'it stays open');
SELECT is(pg_temp.no_token('m1', 'c20', 'unknown', 'again',
                           p_dead => 'cancelled'), 'stored', 'once more');
SELECT is(pg_temp.letters('c20'), 'register retry_limit timeout 1 open',
          'is no second letter');
SELECT is(pg_temp.token('m1', 'c20', 't20'), 'stored', 'a late token');
SELECT is(pg_temp.letters('c20'), 'register retry_limit timeout 1 settled '
          'gateway registered', 'settles it');
SELECT is(pg_temp.no_token('m1', 'c21', 'not_sent', p_ms => NULL,
                           p_dead => 'cancelled'), 'stored', 'cancelled');
SELECT is(pg_temp.no_token('m1', 'c21', 'refused'), 'stored', 'refused');
SELECT is(pg_temp.letters('c21'),
          'register cancelled code 1 settled gateway refused', 'settles it');
SELECT pg_temp.age('c22')
\g /dev/null
SELECT is(pg_temp.claim('c22'), 'job find c22 stripe 1', 'looked for');
SELECT is(pg_temp.no_token('m1', 'c22', 'held', 'not_found',
                           p_dead => 'key_window_over'), 'stored', 'held');
SELECT is(pg_temp.letters('c22'), 'register key_window_over not_found 1 open',
          'nobody can find it');
SELECT is(pg_temp.no_token('m1', 'c22', 'expired'), 'stored', 'its time ends');
SELECT is(pg_temp.letters('c22'), 'register key_window_over not_found 1 '
          'settled gateway expired', 'and settles it');
SELECT is(pg_temp.no_token('m1', 'c23', o, p_dead => 'retry_limit'),
          'stored', 'what ends needs no letter: ' || o)
FROM (VALUES ('refused')) t (o);
SELECT is(pg_temp.letters('c23'), NULL, 'there is none');
SELECT pg_temp.all_of('c24') AS before
\gset
SELECT is(pg_temp.no_token('m1', 'c24', 'unknown', p_dead => d), 'invalid',
          'dead ' || quote_literal(d))
FROM unnest(ARRAY['held', 'refused', 'RETRY_LIMIT', ' ', 'x']) d;
SELECT is(pg_temp.no_token('m1', 'c24', 'unknown', p_reach => r,
                           p_status => s), 'invalid',
          'reach ' || coalesce(r, 'NULL') || ' ' || coalesce(s, 0))
FROM (VALUES ('far', NULL::bigint), ('Written', NULL), (' ', NULL),
    ('complete', -1), ('complete', 1000), (NULL, 9223372036854775807))
    t (r, s);
SELECT is(pg_temp.reroute('m1', 'c24', 'stripe', p_reach => r,
                          p_status => s), 'invalid', 'reroute: reach')
FROM (VALUES ('far', NULL::bigint), ('complete', 1000)) t (r, s);
SELECT is(pg_temp.no_token('m1', 'c24', 'held', p_ms => NULL), 'invalid',
          'held for how long');
SELECT is(pg_temp.no_token('m1', 'c24', 'held', p_psp => 'adyen'), 'already',
          'held elsewhere');
SELECT is(pg_temp.all_of('c24'), :'before', 'nothing of it counts');
SELECT is(pg_temp.letters('c24'), NULL, 'and nobody hears of it');

-- the words of two calls in one batch: the most definite counts
CREATE FUNCTION pg_temp.words(p_checkout text, p_words text[])
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(t.outcome, ' ' ORDER BY t.item)
FROM pay_api.store_no_token(
    array_fill('m1'::text, ARRAY[cardinality(p_words)]),
    array_fill(p_checkout, ARRAY[cardinality(p_words)]),
    array_fill('stripe'::text, ARRAY[cardinality(p_words)]), p_words,
    p_words, array_fill(1000::bigint, ARRAY[cardinality(p_words)]),
    p_words, array_fill(NULL::text, ARRAY[cardinality(p_words)]),
    array_fill(NULL::bigint, ARRAY[cardinality(p_words)]),
    array_fill(NULL::text, ARRAY[cardinality(p_words)]),
    array_fill((SELECT r.attempt::bigint FROM pay.registration r
                WHERE r.merchant_id = 'm1' AND r.checkout_id = p_checkout),
               ARRAY[cardinality(p_words)])) t
$$;
SELECT is(pg_temp.claim(c), 'job register ' || c || ' stripe 1', 'two calls')
FROM unnest('{c30,c31,c32,c33}'::text[]) c;
SELECT is(pg_temp.words('c30', '{not_sent,refused}'), 'stored stored',
          'a refusal behind what did not leave');
SELECT is(pg_temp.journal('c30'), 'register 1 stripe REFUSED 2?', 'counts');
SELECT is(pg_temp.words('c31', '{held,unknown}'), 'stored stored',
          'unknown behind a look');
SELECT is(pg_temp.journal('c31') || ' ' || pg_temp.reg('c31'),
          'register 1 stripe UNKNOWN 2? REGISTERING 2 2', 'counts');
SELECT is(pg_temp.words('c32', '{not_sent,unknown}'), 'stored stored',
          'unknown behind what did not leave');
SELECT is(pg_temp.journal('c32') || ' ' || pg_temp.reg('c32'),
          'register 1 stripe UNKNOWN 2? REGISTERING 2 2',
          'counts; a call that could be closed stays open');
SELECT is(pg_temp.words('c33', '{not_sent,not_sent}'), 'stored stored',
          'twice the same word');
SELECT is(pg_temp.journal('c33') || ' ' || pg_temp.reg('c33'),
          'register 1 stripe UNKNOWN 2? REGISTERING 2 1', 'counts once');

-- a batch of jobs: each goes out as what it is
SELECT is(pg_temp.no_token('m1', 'c40', 'not_sent'), 'stored', 'not sent');
SELECT is(pg_temp.token('m1', 'c43', 't43'), 'stored', 'a token');
SELECT pg_temp.age('c41')
\g /dev/null
UPDATE pay.checkout SET expires_at = now() WHERE checkout_id = 'c42';
UPDATE pay.job SET run_at = now() + interval '1 h';
SELECT pg_temp.due('c' || n) FROM generate_series(40, 44) n
\g /dev/null
SELECT is(string_agg(c.checkout_id || ' ' || c.kind, ', '
                     ORDER BY c.checkout_id),
    'c40 register, c41 find, c42 over, c43 poll, c44 register', 'a batch')
FROM pay_api.claim_jobs('{w,w,w,w,w}', '{1000,2000,3000,4000,5000}') c;
SELECT is(string_agg(pg_temp.journal('c' || n), ', ' ORDER BY n),
    'register 1 stripe NOT_SENT 1, register 2 stripe OPEN 1, '
    'register 1 stripe UNKNOWN 1, register 1 stripe OPEN 1, '
    'register 1 stripe DONE 1, register 1 stripe OPEN 2?', 'as journaled')
FROM generate_series(40, 44) n;
SELECT is(string_agg(pg_temp.reg('c' || n), ', ' ORDER BY n),
    'REGISTERING 2 1, REGISTERING 1 1, REGISTERING 1 1, REGISTERED 1 1, '
    'REGISTERING 1 2', 'and counted') FROM generate_series(40, 44) n;
SELECT is(d.lease_until - now(), j.lease_until - now(),
          'each under its own lease')
FROM pay.journal d, pay.job j
WHERE d.checkout_id = 'c44' AND j.checkout_id = 'c44';

-- the longest reference and code that a PSP may have
SELECT is(d.outcome, w, n || ' bytes')
FROM (VALUES (255, 'not_found'), (256, 'invalid')) t (n, w),
    unnest('{code,reference}'::text[]) what,
    pay_api.end_dispatch('{m1}', '{c45}', '{refund}',
        ARRAY[pg_temp.uuid('nobody')], '{1}', '{DONE}', '{complete}', '{200}',
        ARRAY[CASE what WHEN 'code' THEN repeat('x', n) END],
        ARRAY[CASE what WHEN 'reference' THEN repeat('x', n) END], '{r}') d;

\i :checks
SELECT finish();
ROLLBACK;
