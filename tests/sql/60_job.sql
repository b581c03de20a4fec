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
                        '{late}') f;
SELECT is(j.lease_owner, 'w3', 'and harms nobody')
FROM pay.job j WHERE j.checkout_id = 'c4';
SELECT is(f.outcome, 'done', 'the second''s counts')
FROM pay_api.finish_job('{m1}', '{c4}', '{register}', '{w3}', '{4000}',
                        '{no_answer}') f;
SELECT is((j.run_at, j.lease_owner, j.lease_until, j.code)::text,
          (row(now() + interval '4 s', NULL::text, NULL::timestamptz,
               'no_answer'))::text, 'it is put off')
FROM pay.job j WHERE j.checkout_id = 'c4';
SELECT is(f.outcome, 'gone', 'twice: gone')
FROM pay_api.finish_job('{m1}', '{c4}', '{register}', '{w3}', '{0}',
                        '{x}') f;

-- store_* and apply_event take a job away from its worker
SELECT is(pg_temp.no_token('m1', 'c5', 'unknown'), 'stored', 'unknown');
SELECT is(pg_temp.token('m1', 'c3', 't3'), 'stored', 'a token');
SELECT is(string_agg(f.item || f.outcome, ' ' ORDER BY f.item),
          '1gone 2gone 3gone', 'its lease is over')
FROM pay_api.finish_job('{m1,m1,m1}', '{c5,c3,c3}',
    '{register,register,poll}', '{w1,w1,w1}', '{0,0,0}', '{x,x,x}') f;
SELECT is(pg_temp.job('m1', 'c5'), 'register 2', 'put off with one more');
SELECT is(pg_temp.job('m1', 'c3'), 'poll 0', 'a poll from scratch');

-- twins, drops, bad items
SELECT is(string_agg(f.item || f.outcome, ' ' ORDER BY f.item),
          '1done 2done 3gone 4gone 5gone 6invalid 7invalid 8invalid 9invalid',
          'a batch')
FROM pay_api.finish_job('{m1,m1,m1,m2,m1,m1,m1,NULL,m1}',
    '{c1,c1,c2,c2,c9,c2,c2,c2,c2}',
    '{register,register,poll,register,register,other,register,register,register}',
    '{w1,w1,w1,w1,w1,w1,NULL,w1,w1}',
    '{3000,9000,0,0,0,0,0,0,9223372036854775807}', '{a,b,c,d,e,f,g,h,i}') f;
SELECT is((j.run_at, j.code)::text, (row(now() + interval '3 s', 'a'))::text,
          'of twins the first counts')
FROM pay.job j WHERE j.checkout_id = 'c1';
SELECT is(f.outcome, 'invalid', 'no delay is no answer')
FROM pay_api.finish_job('{m1}', '{c2}', '{register}', '{w1}', '{NULL}',
                        '{x}') f;

\i :checks

SELECT is(f.outcome, 'done', 'below 0 drops the job')
FROM pay_api.finish_job('{m1}', '{c2}', '{register}', '{w1}', '{-1}',
                        '{x}') f;
SELECT is(pg_temp.job('m1', 'c2'), NULL, 'it is gone');

SELECT finish();
ROLLBACK;
