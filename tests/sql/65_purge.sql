-- pay.purge: what it deletes and what it must leave alone.

BEGIN;
\ir helpers.psql
SELECT no_plan();

SELECT b.outcome FROM generate_series(1, 4) n,
    pg_temp.begin('m1', 'k' || n, 'c' || n, ARRAY['o' || n || ':100']) b
\g /dev/null
SELECT pg_temp.token('m1', 'c1', 't1'),
    pg_temp.fact('t1', 'paid'), pg_temp.fact('t-early', 'paid'),
    pg_temp.fact('', 'none', 'e1'), pg_temp.fact('', 'none', 'e2'),
    pg_temp.fact('', 'none', 'e3'), pg_temp.fact('t1', 'ask', 'e4')
\g /dev/null
UPDATE pay.idempotency_key SET expires_at = now() - interval '1 s'
WHERE key IN ('k1', 'k2', 'k3');
UPDATE pay.idempotency_key SET expires_at = now() + interval '1 s'
WHERE key = 'k4';
UPDATE pay.webhook_inbox SET received_at = now() - interval '91 days'
WHERE event_id <> 'e3';

SELECT is(p::text, '(2,2,0,0,0,0,0)', 'stops at the limit') FROM pay.purge(2, '90 d') p;
SELECT is(p::text, '(1,1,0,0,0,0,0)', 'what only asked goes, too')
FROM pay.purge(2, '90 d') p;
UPDATE pay.webhook_inbox SET received_at = now() - interval '89 days'
WHERE event_id = 'e3';
SELECT is(pay.purge()::text, '(0,0,0,0,0,0,0)', 'until nothing is left to do');
SELECT is((SELECT string_agg(key, ' ') FROM pay.idempotency_key), 'k4',
          'a key that is alive stays');
SELECT is((SELECT string_agg(state || ' ' || event_id, ', ' ORDER BY event_id)
           FROM pay.webhook_inbox),
          'ignored e3, parked evt-t-earlypaid, applied evt-t1paid',
          'what was applied or waits stays, and what is young');

SELECT is(b.outcome, 'exists', 'a purged key is absent, its checkout is not')
FROM pg_temp.begin('m1', 'k1', 'c1', '{o1:100}') b;
SELECT is(pg_temp.fact('', 'none', 'e1'), 'ignored',
          'a purged webhook that comes again says nothing again');
SELECT is(pg_temp.token('m1', 'c2', 't-early'), 'stored', 'later');
SELECT is(pg_temp.status('m1', 'o2'), 'SUCCESS',
          'a webhook that was parked for months is applied');

SELECT is(pay.purge(n, i)::text, '(0,0,0,0,0,0,0)', 'nothing asked, nothing done')
FROM (VALUES (0, '1 d'::interval), (5, NULL)) t (n, i);

-- dead letters and the quarantine
INSERT INTO pay.dead_letter (merchant_id, checkout_id, kind, reason, state,
    closed_at, closed_by, closed_why)
SELECT 'm1', checkout_id, kind, reason, state,
    CASE WHEN state <> 'open' THEN now() - age::interval END,
    CASE WHEN state <> 'open' THEN 'ann' END,
    CASE WHEN state <> 'open' THEN 'done' END
FROM (VALUES
    ('c1', 'register', 'retry_limit', 'settled', '366 days'),
    ('c1', 'poll', 'retry_limit', 'requeued', '364 days'),
    ('c1', 'late_success', 'held', 'open', NULL),
    ('c3', 'stuck', 'registering', 'resolved', '400 days'),
    ('c1', 'stuck', 'registering', 'resolved', '400 days')
    ) v (checkout_id, kind, reason, state, age);
INSERT INTO pay.webhook_quarantine (psp, slot, number, received_at, reason,
    digest, headers, body, size)
SELECT 'stripe', n, n, now() - (28 + n) * interval '1 day', 'stale',
    sha256('x'), '{}', '', 0 FROM generate_series(1, 4) n;
SELECT is(pay.purge(1)::text, '(0,0,1,1,0,0,0)', 'stops at the limit');
SELECT is(pay.purge()::text, '(0,0,1,1,0,0,0)', 'letters of a year, 30 days');
SELECT is(string_agg(concat_ws(' ', checkout_id, kind, state), ', '
                     ORDER BY dead_letter_id),
    'c1 poll requeued, c1 late_success open, c3 stuck resolved',
    'what is open stays, what is young, and what is still so')
FROM pay.dead_letter;
SELECT is(pay.purge(10, '90 d', '1 d')::text, '(0,0,1,0,0,0,0)', 'or sooner');
SELECT is(pay.purge()::text, '(0,0,0,0,0,0,0)', 'until nothing is left');
DELETE FROM pay.dead_letter;

SELECT throws_ok('SELECT pay.purge(-1)', '2201W', NULL, 'a negative limit');
SELECT is(pg_temp.run_as(r, 'SELECT pay.purge()'), '42501', r || ' may not')
FROM unnest('{payments_gateway,payments_auditor}'::text[]) r;
SELECT is(pg_temp.run_as('payments_owner', 'SELECT pay.purge()'), 'ok',
          'the owner may');

\i :checks
SELECT finish();
ROLLBACK;
