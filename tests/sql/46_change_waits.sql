-- Changes that cannot be sent before the PSP has told its id of the payment.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

-- a poll knows of the money, and no webhook has come
SELECT pg_temp.begin('m1', 'k-' || c, c, ARRAY['o' || c || ':1000'],
        p_terms => jsonb_build_object('capture', t)),
    pg_temp.token('m1', c, 't-' || c),
    pg_temp.fact('t-' || c, f, p_source => 'query')
FROM (VALUES ('c1', 'automatic', 'paid'), ('c2', 'automatic', 'paid'),
      ('c3', 'automatic', 'paid'), ('c4', 'manual', 'authorized'))
    v (c, t, f)
\g /dev/null
CREATE FUNCTION pg_temp.says(p_order text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(': ', e ->> 'waits_for', e ->> 'why')
FROM pay_api.explain_payment('{m1}', ARRAY[p_order], '{0}') x
CROSS JOIN LATERAL (SELECT x.explanation::jsonb) t (e)
$$;
-- its job was claimed, found nothing to send under, and is given back
CREATE FUNCTION pg_temp.wait(
    p_name text, p_delay bigint, p_dead text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
UPDATE pay.job j SET lease_owner = 'w', lease_until = now() + interval '1 m',
    attempts = j.attempts + 1, again_at = NULL
WHERE j.operation_id = pg_temp.uuid(p_name);
SELECT f.outcome FROM pay.change c, pay_api.finish_job('{m1}',
    ARRAY[c.checkout_id]::text[], '{change}', ARRAY[c.change_id]::text[],
    '{w}', ARRAY[p_delay], '{no_reference}', ARRAY[p_dead]) f
WHERE c.change_id = pg_temp.uuid(p_name)
$$;

-- a refund
SELECT pg_temp.change('oc1', 'refund', 'r1', 10), pg_temp.wait('r1', 3600000)
\g /dev/null
SELECT is(pg_temp.job_of('r1'), 'change 1 01:00:00', 'it waits');
SELECT ok(e LIKE 'psp: It is paid. What is to follow (refund) waits for the '
          'id of the payment, which stripe has not reported yet.%', e)
FROM pg_temp.says('oc1') e;
SELECT is(pg_temp.fact('t-c1', 'paid', 'e-1', p_reference => 'pi-1'),
          'unchanged', 'the id is told');
SELECT is(pg_temp.job_of('r1'), 'change 1 00:00:00', 'it goes on at once');
SELECT is(pg_temp.wait('r1', 3600000), 'done', 'for another reason');
SELECT is(pg_temp.fact('t-c1', 'paid', 'e-2', p_reference => 'pi-1'),
          'unchanged', 'the id is told again');
SELECT is(pg_temp.job_of('r1'), 'change 2 01:00:00', 'that is no news');

-- told while a worker is at it
SELECT pg_temp.change('oc2', 'refund', 'r2', 10)
\g /dev/null
UPDATE pay.job SET lease_owner = 'w', lease_until = now() + interval '1 m'
WHERE operation_id = pg_temp.uuid('r2');
SELECT is(pg_temp.fact('t-c2', 'paid', 'e-3', p_reference => 'pi-2'),
          'unchanged', 'told too late for this attempt');
SELECT is(f.outcome, 'done', 'given back')
FROM pay_api.finish_job('{m1}', '{c2}', '{change}',
    ARRAY[pg_temp.uuid('r2')], '{w}', '{3600000}', '{no_reference}',
    '{NULL}') f;
SELECT is(pg_temp.job_of('r2'), 'change 0 00:00:00', 'the next is at once');

-- the end of the wait
SELECT pg_temp.change('oc3', 'refund', 'r3', 10),
    pg_temp.wait('r3', 3600000, 'retry_limit')
\g /dev/null
SELECT is(pg_temp.job_of('r3'), NULL, 'nobody waits any more');
SELECT is((d.kind, d.reason, d.code, d.state)::text,
          '(change,retry_limit,no_reference,open)', 'people are told why')
FROM pay.dead_letter d WHERE d.operation_id = pg_temp.uuid('r3');
SELECT ok(e LIKE 'people: It is paid. What was to follow (refund) cannot be '
          'sent: stripe never reported the id of the payment, %', e)
FROM pg_temp.says('oc3') e;
SELECT is(pay_ops.requeue_dead_letter(d.dead_letter_id, 'ann', 'told now'),
          'requeued', 'who have it tried again')
FROM pay.dead_letter d WHERE d.operation_id = pg_temp.uuid('r3');
SELECT is(pg_temp.job_of('r3'), 'change 0 00:00:00', 'with all its attempts');

-- a capture
SELECT pg_temp.change('oc4', 'capture', 'k1', 10), pg_temp.wait('k1', 5000)
\g /dev/null
SELECT ok(e LIKE 'psp: What was asked for (capture) waits for the id of the '
          'payment, which stripe has not reported yet.%', e)
FROM pg_temp.says('oc4') e;
SELECT pg_temp.wait('k1', 5000, 'retry_limit')
\g /dev/null
SELECT ok(e LIKE 'people: What was asked for (capture) cannot be sent: '
          'stripe never reported the id of the payment, %', e)
FROM pg_temp.says('oc4') e;

\i :checks
SELECT * FROM finish();
ROLLBACK;
