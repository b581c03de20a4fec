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
FROM pay_api.finish_job('{m1}', '{c4}', '{register}', '{w2}', '{0}',
                        '{late}', '{NULL}') f;
SELECT is(j.lease_owner, 'w3', 'and harms nobody')
FROM pay.job j WHERE j.checkout_id = 'c4';
SELECT is(f.outcome, 'done', 'the second''s counts')
FROM pay_api.finish_job('{m1}', '{c4}', '{register}', '{w3}', '{4000}',
                        '{no_answer}', '{NULL}') f;
SELECT is((j.run_at, j.lease_owner, j.lease_until, j.code)::text,
          (row(now() + interval '4 s', NULL::text, NULL::timestamptz,
               'no_answer'))::text, 'it is put off')
FROM pay.job j WHERE j.checkout_id = 'c4';
SELECT is(f.outcome, 'gone', 'twice: gone')
FROM pay_api.finish_job('{m1}', '{c4}', '{register}', '{w3}', '{0}',
                        '{x}', '{NULL}') f;

-- store_* and apply_event take a job away from its worker
SELECT is(pg_temp.no_token('m1', 'c5', 'unknown'), 'stored', 'unknown');
SELECT is(pg_temp.token('m1', 'c3', 't3'), 'stored', 'a token');
SELECT is(string_agg(f.item || f.outcome, ' ' ORDER BY f.item),
          '1gone 2gone 3gone', 'its lease is over')
FROM pay_api.finish_job('{m1,m1,m1}', '{c5,c3,c3}',
    '{register,register,poll}', '{w1,w1,w1}', '{0,0,0}', '{x,x,x}', '{NULL,NULL,NULL}') f;
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
    '{w1,w1,w1,w1,w1,w1,NULL,w1,w1}',
    '{3000,9000,0,0,0,0,0,0,9223372036854775807}', '{a,b,c,d,e,f,g,h,i}', '{NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL}') f;
SELECT is((j.run_at, j.code)::text, (row(now() + interval '3 s', 'a'))::text,
          'of twins the first counts')
FROM pay.job j WHERE j.checkout_id = 'c1';
SELECT is(f.outcome, 'invalid', 'no delay is no answer')
FROM pay_api.finish_job('{m1}', '{c2}', '{register}', '{w1}', '{NULL}',
                        '{x}', '{NULL}') f;

-- a job that is handed out is an attempt whose end nobody knows
SELECT is(string_agg(r.checkout_id || ' ' || r.open_attempts, ', '
                     ORDER BY r.checkout_id),
          'c1 2, c2 2, c3 2, c4 3, c5 2', 'each register job counts')
FROM pay.registration r;
UPDATE pay.job SET run_at = now() WHERE checkout_id = 'c3';
SELECT is((c.kind, c.checkout_id, c.token)::text, '(poll,c3,t3)', 'a poll')
FROM pay_api.claim_jobs('{w1}', '{1000}') c;
SELECT is(r.open_attempts, 2, 'does not')
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
                       '{w}', ARRAY[p_ms], ARRAY[p_code], '{NULL}') f
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
UPDATE pay.job SET attempts = 99 WHERE checkout_id = 'f1';
SELECT is(pg_temp.round('no_answer'), 'f2 00:01:00, f4 00:01:00',
          'a hundred times');
SELECT is(pg_temp.round('open'), 'f4 00:01:00',
          'an answer ends it, but not an open order''s');
SELECT is(pg_temp.fact('f2', 'ask', 'again'), 'asked', 'a later webhook');
SELECT is(pg_temp.job('f', 'f2'), 'poll 0', 'begins anew');
SELECT is(pg_temp.round('applied'), 'f4 00:01:00', 'and ends again');
SELECT is(pg_temp.fact('f4', 'ask'), 'asked', 'the open one is asked for');
SELECT is(pg_temp.round(NULL), 'f4 00:01:00', 'and goes on');

-- asked for while its worker gives it back: neither dropped nor put off
UPDATE pay.job SET lease_owner = 'w', lease_until = now() + interval '1 s'
WHERE checkout_id = 'f4';
SELECT is(pg_temp.fact('f4', 'ask', 'meanwhile'), 'asked', 'meanwhile');
SELECT is(f.outcome, 'done', 'the worker would drop it')
FROM pay_api.finish_job('{f}', '{f4}', '{poll}', '{w}', '{-1}', '{x}', '{NULL}') f;
SELECT is(pg_temp.job('f', 'f4'), 'poll 6', 'it stays');
SELECT ok(j.run_at <= now(), 'and is due')
FROM pay.job j WHERE j.checkout_id = 'f4';

\i :checks

SELECT is(f.outcome, 'done', 'below 0 drops the job')
FROM pay_api.finish_job('{m1}', '{c2}', '{register}', '{w1}', '{-1}',
                        '{x}', '{NULL}') f;
SELECT is(pg_temp.job('m1', 'c2'), NULL, 'it is gone');

SELECT finish();
ROLLBACK;
