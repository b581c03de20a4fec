-- What people see of changes: explain, the views, the sweep.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'])
FROM generate_series(1, 9) n
\g /dev/null
SELECT pg_temp.sold('a' || n, ARRAY['oa' || n || ':1000'], true)
FROM generate_series(1, 5) n
\g /dev/null
CREATE FUNCTION pg_temp.explained(p_order text) RETURNS jsonb
LANGUAGE sql AS $$
SELECT x.explanation::jsonb
FROM pay_api.explain_payment('{m1}', ARRAY[p_order], '{0}') x
$$;
-- who waits, what is next and when, whether another checkout is safe
CREATE FUNCTION pg_temp.short(p_order text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', e ->> 'waits_for', e #>> '{next_step,what}',
                 e #>> '{safe_to_retry,answer}')
FROM pg_temp.explained(p_order) e
$$;
CREATE FUNCTION pg_temp.sweep(p_limits text DEFAULT '{}') RETURNS text
LANGUAGE sql AS $$
UPDATE pay.round SET run_at = now() WHERE name = 'sweep';
SELECT s.outcome FROM pay_api.sweep('{w}', '{10000}', ARRAY[p_limits::jsonb]) s
$$;
CREATE FUNCTION pg_temp.letters(p_checkout text) RETURNS text
LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', d.kind, d.reason, d.state), ', '
                  ORDER BY d.dead_letter_id)
FROM pay.dead_letter d WHERE d.checkout_id = p_checkout
$$;

-- explain
SELECT is(pg_temp.short('o1'), 'nobody none no', 'a sale');
SELECT is((e -> 'changes', e -> 'disputes')::text, '([],[])', 'nothing else')
FROM pg_temp.explained('o1') e;
SELECT pg_temp.change('o1', 'refund', 'r1', 10)
\g /dev/null
SELECT is(pg_temp.short('o1'), 'psp change no', 'a refund is on its way');
SELECT ok(e ->> 'why' LIKE '%(refund) is on its way at stripe.%', e ->> 'why')
FROM pg_temp.explained('o1') e;
SELECT is(e #>> '{changes,0,status}', 'NOT_STARTED', 'and is shown')
FROM pg_temp.explained('o1') e;
SELECT pg_temp.send('c1', 'refund', 'r1'),
    pg_temp.sent('c1', 'refund', 'r1', 'UNKNOWN')
\g /dev/null
UPDATE pay.job SET lease_owner = 'w', lease_until = now()
WHERE operation_id = pg_temp.uuid('r1');
SELECT f.outcome FROM pay_api.finish_job('{m1}', '{c1}', '{change}',
    ARRAY[pg_temp.uuid('r1')], '{w}', '{0}', '{unknown}',
    '{retry_limit}') f
\g /dev/null
SELECT is(pg_temp.short('o1'), 'people none no', 'one that has stopped');
SELECT is(e #>> '{dead_letters,0,operation_id}', pg_temp.uuid('r1'),
          'with what it is about')
FROM pg_temp.explained('o1') e;
SELECT is(pg_temp.short('oa1'), 'merchant poll no', 'an authorisation');
SELECT pg_temp.change('oa1', 'capture', 'k1', 10)
\g /dev/null
SELECT is(pg_temp.short('oa1'), 'psp poll no', 'that is being captured');
UPDATE pay.job SET run_at = now() WHERE operation_id = pg_temp.uuid('k1');
SELECT is(pg_temp.short('oa1'), 'psp change no', 'at once');
SELECT pg_temp.change('oa2', 'cancel', 'v2')
\g /dev/null
SELECT ok(e ->> 'why' LIKE 'stripe is being told to cancel it.%', e ->> 'why')
FROM pg_temp.explained('oa2') e;
SELECT pg_temp.news('dispute', 'opened', 'dp-2', 10, 't-c2'),
    pg_temp.news('refund', 'succeeded', 're-2', 2000, 't-c2')
\g /dev/null
SELECT is((e #>> '{disputes,0,dispute_id}', e #>> '{disputes,0,state}',
           e #>> '{exceptions,0,kind}', e #>> '{exceptions,0,object}',
           e #>> '{exceptions,0,wrong}')::text,
          '(dp-2,open,refund,re-2,exceeds)', 'disputes and doubts')
FROM pg_temp.explained('o2') e;
SELECT is(pg_temp.short('o2'), 'nobody none no', 'do not make it unpaid');

-- views
SELECT is((c.kind, c.status, c.amount, c.dispatch_state, c.job_attempts,
           c.dead_letter_id IS NULL)::text,
          '(refund,EXECUTING,0.10,UNKNOWN,,f)', 'changes')
FROM pay_view.changes c WHERE c.change_id = pg_temp.uuid('r1');
SELECT is((d.state, d.amount, d.payment_order_id)::text, '(open,0.10,o2)',
          'disputes')
FROM pay_view.disputes d;
SELECT is((m.kind, m.why, m.object, m.amount)::text,
          '(refund,exceeds,re-2,20.00)', 'mismatches')
FROM pay_view.mismatches m;
SELECT is((l.kind, l.reason, l.operation_id)::text,
          format('(change,retry_limit,%s)', pg_temp.uuid('r1')), 'letters')
FROM pay_view.dead_letters l;
SELECT is((SELECT count(*) FROM pay_view.checkouts c
           WHERE c.checkout_id = 'oa1'), 0::bigint, 'an order is none');
SELECT is((SELECT count(*) FROM pay_view.checkouts c
           WHERE c.checkout_id = 'a1'), 1::bigint, 'one row a checkout');
SELECT is(string_agg(s.checkout_id || ' ' || s.why, ', '
                     ORDER BY s.checkout_id), 'c1 dead_letter', 'stuck')
FROM pay_view.stuck s;
UPDATE pay.checkout SET expires_at = now() - interval '1 day'
WHERE checkout_id = 'c3';
SELECT pg_temp.whole('c3', 'o3', 'refund', 'r3', 10, 'UNKNOWN')
\g /dev/null
SELECT is_empty('SELECT * FROM pay_view.stuck WHERE checkout_id = ''c3''',
                'a sale has no expiry to pass');
UPDATE pay.job SET attempts = 5 WHERE checkout_id = 'c3';
SELECT is(s.why, 'unknown', 'but it may be stuck')
FROM pay_view.stuck s WHERE s.checkout_id = 'c3';

-- the sweep
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT is(pg_temp.letters('c3'), NULL, 'all is young');
UPDATE pay.dispatch SET first_sent_at = now() - interval '1 h',
    sent_at = now() - interval '1 h'
WHERE operation_id IN (pg_temp.uuid('r3'), pg_temp.uuid('r1'));
SELECT is(pg_temp.sweep('{"unknown_s": 900}'), 'swept', 'a round');
SELECT is(pg_temp.letters('c3'), 'stuck unknown open', 'a call grows old');
SELECT is(pg_temp.news('refund', 'succeeded', 're-3', 10,
                       p_operation => pg_temp.uuid('r3')), 'applied', 'told');
SELECT is(pg_temp.sweep('{"unknown_s": 900}'), 'swept', 'a round');
SELECT is(pg_temp.letters('c3'), 'stuck unknown settled', 'and is known');
SELECT is(pg_temp.sweep('{"unknown_s": 900}'), 'swept', 'a round');
SELECT is(d.settled, true, 'so it matters no more')
FROM pay.dispatch d WHERE d.operation_id = pg_temp.uuid('r3');
SELECT pg_temp.whole('c4', 'o4', 'refund', 'r4', 10, 'PENDING')
\g /dev/null
UPDATE pay.change SET created_at = now() - interval '6 days'
WHERE change_id = pg_temp.uuid('r4');
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT is(pg_temp.letters('c4'), NULL, 'a bank may take days');
UPDATE pay.change SET created_at = now() - interval '8 days'
WHERE change_id = pg_temp.uuid('r4');
SELECT is(pg_temp.sweep(), 'swept', 'a round') FROM generate_series(1, 2);
SELECT is(pg_temp.letters('c4'), 'stuck changing open', 'but not for ever');
SELECT is(pay_ops.requeue_dead_letter(d.dead_letter_id, 'ann', 'x'),
          'nothing_to_do', 'the PSP has it')
FROM pay.dead_letter d WHERE d.checkout_id = 'c4';
SELECT is(pg_temp.fact('t-c4', 'paid', 'again'), 'unchanged', 'its payment');
SELECT is(pg_temp.letters('c4'), 'stuck changing open', 'is another matter');
SELECT is(pay_ops.settle_change('m1', pg_temp.uuid('r4'), true, 'ann',
                                'the bank says so'), 'settled', 'settled');
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT is(pg_temp.letters('c4'), 'stuck changing settled', 'over');
SELECT pg_temp.change('o5', 'refund', 'r5', 10),
    pg_temp.send('c5', 'refund', 'r5')
\g /dev/null
UPDATE pay.dispatch SET lease_until = now() - interval '1 h'
WHERE operation_id = pg_temp.uuid('r5');
SELECT is(pg_temp.sweep('{"unknown_s": 900}'), 'swept', 'a round');
SELECT is(d.state, 'UNKNOWN', 'whoever sent it has gone')
FROM pay.dispatch d WHERE d.operation_id = pg_temp.uuid('r5');
SELECT is(pg_temp.send('c5', 'refund', 'r5'), 'send 1 2', 'its job goes on');
SELECT is(pay_ops.requeue_dead_letter(d.dead_letter_id, 'ann', 'x'),
          'requeued', 'people send one on its way again')
FROM pay.dead_letter d WHERE d.checkout_id = 'c1' AND d.state = 'open'
    AND d.kind = 'change';
SELECT is(s.counts::jsonb #>> '{dead_letters,change}', '1',
          'counted by the last round')
FROM pay_api.sweep('{w}', '{10000}', '{"{}"}') s;

\i :checks
SELECT * FROM finish();
ROLLBACK;
