-- claim_jobs and finish_job: due, leased, run out, given back.

BEGIN;
\ir helpers.psql
SELECT no_plan();

SELECT is(c.outcome, 'none', 'nothing to do')
FROM pay_api.claim_jobs('{w1}', '{1000}') c;

SELECT b.outcome FROM generate_series(1, 5) n,
    pg_temp.begin('m1', 'k' || n, 'c' || n, ARRAY['o' || n || ':100']) b
\g /dev/null
SELECT is(c.outcome, 'none', 'a job that is not due')
FROM pay_api.claim_jobs('{w1}', '{1000}') c;

UPDATE pay.job SET run_at = now() - interval '1 s' * substr(checkout_id, 2)::int;
SELECT is(string_agg(c.item || c.outcome || c.kind || c.attempts
                     || c.checkout_id, ' ' ORDER BY c.item),
          '1jobregister1c5 2jobregister1c4', 'the oldest first')
FROM pay_api.claim_jobs('{w1,w2}', '{1000,2000}') c;
SELECT is((j.lease_owner, j.lease_until, j.attempts)::text,
          (row('w2', now() + interval '2 s', 1))::text, 'under a lease')
FROM pay.job j WHERE j.checkout_id = 'c4';
SELECT is(string_agg(c.item || c.outcome || coalesce(c.checkout_id, ''), ' '
                     ORDER BY c.item),
          '1jobc3 2invalid 3jobc2 4invalid 5jobc1 6none 7none',
          'leased ones are not handed out, bad slots get nothing')
FROM pay_api.claim_jobs('{w1,NULL,w1,w1,w1,w1,w1}',
                        '{1000,1000,1000,0,1000,1000,1000}') c;
SELECT is(c.outcome, 'none', 'all are leased')
FROM pay_api.claim_jobs('{w1}', '{1000}') c;

UPDATE pay.job SET lease_until = now() WHERE checkout_id = 'c4';
SELECT is((c.outcome, c.attempts, c.checkout_id, c.registration_state)::text,
          '(job,2,c4,REGISTERING)', 'a lease that ran out')
FROM pay_api.claim_jobs('{w3}', '{1000}') c;

SELECT is(f.outcome, 'gone', 'the first worker''s lease is gone')
FROM pay_api.finish_job('{m1}', '{c4}', '{register}', '{""}', '{w2}', '{0}',
                        '{late}', '{NULL}') f;
SELECT is(j.lease_owner, 'w3', 'and harms nobody')
FROM pay.job j WHERE j.checkout_id = 'c4';
SELECT is(f.outcome, 'done', 'the second''s counts')
FROM pay_api.finish_job('{m1}', '{c4}', '{register}', '{""}', '{w3}', '{4000}',
                        '{no_answer}', '{NULL}') f;
SELECT is((j.run_at, j.lease_owner, j.lease_until, j.code)::text,
          (row(now() + interval '4 s', NULL::text, NULL::timestamptz,
               'no_answer'))::text, 'it is put off')
FROM pay.job j WHERE j.checkout_id = 'c4';
SELECT is(f.outcome, 'gone', 'twice: gone')
FROM pay_api.finish_job('{m1}', '{c4}', '{register}', '{""}', '{w3}', '{0}',
                        '{x}', '{NULL}') f;

-- store_* and apply_event take a job away from its worker
SELECT is(pg_temp.no_token('m1', 'c5', 'unknown'), 'stored', 'unknown');
SELECT is(pg_temp.token('m1', 'c3', 't3'), 'stored', 'a token');
SELECT is(string_agg(f.item || f.outcome, ' ' ORDER BY f.item),
          '1gone 2gone 3gone', 'its lease is over')
FROM pay_api.finish_job('{m1,m1,m1}', '{c5,c3,c3}',
    '{register,register,poll}', '{NULL,"",""}', '{w1,w1,w1}', '{0,0,0}',
    '{x,x,x}', '{NULL,NULL,NULL}') f;
SELECT is(pg_temp.job('m1', 'c5'), 'register 1',
          'put off; the call was counted when it was claimed');
SELECT is(pg_temp.job('m1', 'c3'), 'poll 0', 'a poll from scratch');

-- twins, drops, bad items
SELECT is(string_agg(f.item || f.outcome, ' ' ORDER BY f.item),
          '1done 2done 3gone 4gone 5gone 6invalid 7invalid 8invalid 9invalid',
          'a batch')
FROM pay_api.finish_job('{m1,m1,m1,m2,m1,m1,m1,NULL,m1}',
    '{c1,c1,c2,c2,c9,c2,c2,c2,c2}',
    '{register,register,poll,register,register,other,register,register,register}',
    '{"","","","","","","","",""}',
    '{w1,w1,w1,w1,w1,w1,NULL,w1,w1}',
    '{3000,9000,0,0,0,0,0,0,9223372036854775807}', '{a,b,c,d,e,f,g,h,i}', '{NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL}') f;
SELECT is((j.run_at, j.code)::text, (row(now() + interval '3 s', 'a'))::text,
          'of twins the first counts')
FROM pay.job j WHERE j.checkout_id = 'c1';
SELECT is(f.outcome, 'invalid', 'no delay is no answer')
FROM pay_api.finish_job('{m1}', '{c2}', '{register}', '{""}', '{w1}', '{NULL}',
                        '{x}', '{NULL}') f;

-- a job that is handed out is an attempt whose end nobody knows
SELECT is(string_agg(r.checkout_id || ' ' || r.open_attempts, ', '
                     ORDER BY r.checkout_id),
          'c1 2, c2 2, c3 2, c4 3, c5 2', 'each register job counts')
FROM pay.registration r;
UPDATE pay.job SET run_at = now() WHERE checkout_id = 'c3';
SELECT is((c.kind, c.checkout_id, c.token)::text, '(poll,c3,t3)', 'a poll')
FROM pay_api.claim_jobs('{w1}', '{1000}') c;
SELECT is(r.open_attempts::int, 2, 'does not')
FROM pay.registration r WHERE r.checkout_id = 'c3';

-- polls about failed orders end with the PSP's answer
SELECT b.outcome FROM generate_series(1, 4) n,
    pg_temp.begin('f', 'k' || n, 'f' || n, ARRAY['f' || n || ':100']) b
\g /dev/null
SELECT pg_temp.token('f', 'f' || n, 'f' || n) FROM generate_series(1, 4) n
\g /dev/null
SELECT pg_temp.fact('f' || n, 'declined') FROM generate_series(1, 3) n
\g /dev/null
CREATE FUNCTION pg_temp.round(p_code text, p_ms bigint DEFAULT 60000)
RETURNS text LANGUAGE sql AS $$
UPDATE pay.job SET run_at = now() WHERE merchant_id = 'f';
SELECT string_agg(c.checkout_id, ' ' ORDER BY c.checkout_id)
FROM pay_api.claim_jobs('{w,w,w,w,w}', '{1000,1000,1000,1000,1000}') c
WHERE c.merchant_id = 'f';
SELECT string_agg(f.outcome, ' ') FROM pay.job j,
    pay_api.finish_job(ARRAY['f'], ARRAY[j.checkout_id::text], '{poll}',
                       '{""}', '{w}', ARRAY[p_ms], ARRAY[p_code], '{NULL}') f
WHERE j.merchant_id = 'f';
SELECT string_agg(concat_ws(' ', j.checkout_id, j.run_at - now()), ', '
                  ORDER BY j.checkout_id)
FROM pay.job j WHERE j.merchant_id = 'f'
$$;
SELECT is(pg_temp.fact('f' || n, 'ask'), 'asked', 'f' || n || ' is asked for')
FROM generate_series(1, 2) n;
SELECT is((j.kind, j.attempts, j.again_at)::text, row('poll', 0, now())::text,
          'a job for it')
FROM pay.job j WHERE j.checkout_id = 'f1';
SELECT is(pg_temp.round('no_answer'),
          'f1 00:01:00, f2 00:01:00, f4 00:01:00', 'no answer: goes on');
SELECT is(j.again_at, NULL, 'which is what was asked for')
FROM pay.job j WHERE j.checkout_id = 'f1';
SELECT is(pg_temp.round('psp_not_configured'),
          'f1 00:01:00, f2 00:01:00, f4 00:01:00', 'no PSP: goes on');
UPDATE pay.job SET attempts = 99, code = 'no_answer' WHERE checkout_id = 'f1';
SELECT is(pg_temp.round('no_answer'), 'f2 00:01:00, f4 00:01:00',
          'a hundred times');
SELECT is(pg_temp.round('open'), 'f4 00:01:00',
          'an answer ends it, but not an open order''s');
SELECT is(pg_temp.fact('f2', 'ask', 'again'), 'asked', 'a later webhook');
SELECT is(pg_temp.job('f', 'f2'), 'poll 0', 'begins anew');
SELECT is(pg_temp.round('applied'), 'f4 00:01:00', 'and ends again');
SELECT is(pg_temp.fact('f4', 'ask'), 'asked', 'the open one is asked for');
SELECT is(pg_temp.round(NULL), 'f4 00:01:00', 'and goes on');

-- the limit is one of looks in a row without an answer: a poll that has gone
-- on all day does not end with the first one
CREATE FUNCTION pg_temp.look(p_code text, p_dead text) RETURNS text
LANGUAGE sql AS $$
SELECT pg_temp.due('f4');
SELECT c.outcome FROM pay_api.claim_jobs('{w}', '{1000}') c;
SELECT f.outcome FROM pay_api.finish_job('{f}', '{f4}', '{poll}', '{""}', '{w}',
    '{1000}', ARRAY[p_code], ARRAY[p_dead]) f;
SELECT concat_ws(' ', pg_temp.job('f', 'f4'), (
    SELECT string_agg(concat_ws(' ', d.reason, d.attempts), ', ')
    FROM pay.dead_letter d WHERE d.checkout_id = 'f4'))
$$;
SAVEPOINT polls;
UPDATE pay.job SET run_at = now() + interval '1 h'
WHERE checkout_id <> 'f4';
UPDATE pay.job SET attempts = 500 WHERE checkout_id = 'f4';
SELECT is(pg_temp.look('open', NULL), 'poll 501', 'an answer');
SELECT is(pg_temp.look('no_answer', 'retry_limit'), 'poll 1',
          'the first look without one is counted anew');
SELECT is(pg_temp.look('no_answer', NULL), 'poll 2', 'so is the second');
SELECT is(pg_temp.look('psp_not_configured', NULL), 'poll 3', 'is no answer');
SELECT is(pg_temp.look('no_answer', 'retry_limit'), 'retry_limit 4',
          'the last one ends it');
ROLLBACK TO polls;
UPDATE pay.job SET run_at = now() + interval '1 h'
WHERE checkout_id <> 'f4';
UPDATE pay.job SET attempts = 500 WHERE checkout_id = 'f4';
SELECT is(pg_temp.look('applied', NULL), 'poll 501', 'an answer');
SELECT is(pg_temp.look('no_answer', 'cancelled'), 'cancelled 502',
          'where nothing is to be tried again nothing is');
ROLLBACK TO polls;

-- asked for while its worker gives it back: neither dropped nor put off
UPDATE pay.job SET lease_owner = 'w', lease_until = now() + interval '1 s'
WHERE checkout_id = 'f4';
SELECT is(pg_temp.fact('f4', 'ask', 'meanwhile'), 'asked', 'meanwhile');
SELECT is(f.outcome, 'done', 'the worker would drop it')
FROM pay_api.finish_job('{f}', '{f4}', '{poll}', '{""}', '{w}', '{-1}', '{x}', '{NULL}') f;
SELECT is(pg_temp.job('f', 'f4'), 'poll 6', 'it stays');
SELECT ok(j.run_at <= now(), 'and is due')
FROM pay.job j WHERE j.checkout_id = 'f4';

-- money that goes back first, then registrations, polls last, however old
SELECT b.outcome FROM generate_series(1, 6) n,
    pg_temp.begin('p', 'k' || n, 'p' || n, ARRAY['q' || n || ':100'],
                  p_late => 'refund') b
\g /dev/null
SELECT pg_temp.token('p', 'p' || n, 'p' || n) FROM generate_series(1, 4) n
\g /dev/null
SELECT pg_temp.fact('p' || n, f) FROM unnest('{expired,paid}'::text[]) f,
    generate_series(1, 2) n
\g /dev/null
UPDATE pay.job SET run_at = now() + interval '1 h'
WHERE merchant_id <> 'p';
UPDATE pay.job SET run_at = now() - interval '1 h' * CASE kind
        WHEN 'poll' THEN 20 WHEN 'register' THEN 10 ELSE 0 END
    - interval '1 min' * substr(checkout_id, 2)::int
WHERE merchant_id = 'p';
SELECT is(string_agg(c.kind || ' ' || c.checkout_id, ', ' ORDER BY c.item),
          'refund p2, refund p1, register p6', 'few slots: money first')
FROM pay_api.claim_jobs('{w,w,w}', '{1000,1000,1000}') c;
SELECT is(string_agg(concat_ws(' ', c.kind, c.checkout_id), ', '
                     ORDER BY c.item),
          'register p5, poll p4, poll p3, ', 'then the rest')
FROM pay_api.claim_jobs('{w,w,w,w}', '{1000,1000,1000,1000}') c;
SELECT is((c.operation_id, c.reference)::text, '(,)',
          'only refunds have an id of their own')
FROM pg_temp.due('p5') d, pay_api.claim_jobs('{w}', '{1000}') c;
UPDATE pay.job SET run_at = now() + interval '1 h'
WHERE checkout_id <> 'p1';
UPDATE pay.registration SET reference = 'pi-reg' WHERE checkout_id = 'p1';
UPDATE pay.late_success SET reference = 'pi-late' WHERE checkout_id = 'p1';
SELECT pg_temp.due('p1')
\g /dev/null
SELECT is((c.kind, c.operation_id, c.reference)::text,
          row('refund', l.refund_id, 'pi-late')::text,
          'a refund is of the payment that came late')
FROM pay.late_success l, pay_api.claim_jobs('{w}', '{1000}') c
WHERE l.checkout_id = 'p1';

-- given up: no job, a dead letter
CREATE FUNCTION pg_temp.give_up(
    p_checkout text, p_kind text, p_dead text, p_owner text DEFAULT 'w',
    p_code text DEFAULT 'no_answer')
RETURNS text LANGUAGE sql AS $$
SELECT f.outcome FROM pay_api.finish_job('{p}', ARRAY[p_checkout],
    ARRAY[p_kind], '{""}', ARRAY[p_owner], '{1000}', ARRAY[p_code],
    ARRAY[p_dead]) f
$$;
CREATE FUNCTION pg_temp.letters(p_checkout text) RETURNS text
LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', d.kind, d.psp, d.reason, d.code, d.attempts,
    d.state), ', ' ORDER BY d.dead_letter_id)
FROM pay.dead_letter d WHERE d.checkout_id = p_checkout
$$;
UPDATE pay.job SET lease_owner = 'w', lease_until = now() + interval '1 s'
WHERE merchant_id = 'p';
SELECT is(pg_temp.give_up('p4', 'poll', d), 'invalid',
          'dead ' || quote_literal(d))
FROM unnest(ARRAY['x', 'held', ' ', 'Refused', 'stuck']) d;
SELECT is(pg_temp.give_up('p4', 'poll', 'retry_limit', 'w2'), 'gone',
          'a stranger gives nothing up');
SELECT is(pg_temp.give_up('p4', k, 'retry_limit'), 'gone',
          'there is no such job: ' || k)
FROM unnest('{register,find,refund}'::text[]) k;
SELECT is(pg_temp.letters('p4'), NULL, 'nobody hears of it');
SELECT is(pg_temp.give_up('p4', 'poll', 'retry_limit'), 'done', 'given up');
SELECT is(pg_temp.job('p', 'p4'), NULL, 'the job is gone');
SELECT is(pg_temp.letters('p4'), 'poll stripe retry_limit no_answer 1 open',
          'and people hear of it');
SELECT is(pg_temp.give_up('p4', 'poll', 'retry_limit'), 'gone', 'once');
SELECT is(pg_temp.fact('p4', 'ask'), 'asked', 'a webhook asks');
SELECT is(pg_temp.job('p', 'p4'), 'poll 0', 'and it goes on');
SELECT is(pg_temp.fact('p3', 'ask'), 'asked', 'a webhook asks meanwhile');
SELECT is(pg_temp.give_up('p3', 'poll', 'cancelled'), 'done',
          'what somebody has asked for');
SELECT is(pg_temp.job('p', 'p3'), 'poll 1', 'goes on');
SELECT is(pg_temp.letters('p3'), NULL, 'and is no dead letter');
SELECT is(pg_temp.give_up('p1', 'refund', 'refused'), 'done', 'a refund');
SELECT is(pg_temp.letters('p1'), 'refund stripe refused no_answer 2 open',
          'that the PSP refuses');
SELECT is(pg_temp.give_up('p2', 'refund', NULL), 'done', 'another');
SELECT is(pg_temp.job('p', 'p2'), 'refund 1', 'is put off');
SELECT is(pg_temp.give_up('p6', 'find', ''), 'done',
          'a find is a register job');
SELECT is(pg_temp.job('p', 'p6'), 'register 1', 'and is put off');
SELECT is(string_agg(f.item || f.outcome, ' ' ORDER BY f.item),
          '1done 2done 3gone', 'twins of which one gives up')
FROM pay_api.finish_job('{p,p,p}', '{p5,p5,p6}', '{find,register,find}',
    '{NULL,NULL,NULL}', '{w,w,w}', '{1000,1000,1000}', '{a,b,c}',
    '{NULL,retry_limit,retry_limit}') f;
SELECT is(pg_temp.letters('p5'), NULL, 'the first counts');
SELECT is(b.outcome, 'created', 'a checkout at another PSP')
FROM pg_temp.begin('p', 'k-p7', 'p7', '{o-p7:1}', p_psp => 'adyen') b;
UPDATE pay.job SET lease_owner = 'w', lease_until = now() + interval '1 s'
WHERE checkout_id = 'p7';
SELECT is(pg_temp.give_up('p7', 'register', 'retry_limit'), 'done',
          'is given up');
SELECT is(pg_temp.letters('p7'), 'register adyen retry_limit no_answer 0 open',
          'by its own PSP');
SELECT throws_ok($$SELECT pay_api.finish_job('{p,p}', '{p7}', '{poll}', '{""}',
    '{w}', '{0}', '{x}', '{NULL}')$$, 'PAY01', NULL,
    'all columns have one length');

\i :checks

SELECT is(f.outcome, 'done', 'below 0 drops the job')
FROM pay_api.finish_job('{m1}', '{c2}', '{register}', '{""}', '{w1}', '{-1}',
                        '{x}', '{NULL}') f;
SELECT is(pg_temp.job('m1', 'c2'), NULL, 'it is gone');

SELECT finish();
ROLLBACK;
