-- apply_event: declined attempts, which move no state.

BEGIN;
\ir helpers.psql
SELECT no_plan();

SELECT b.outcome FROM generate_series(1, 9) n,
    pg_temp.begin('m1', 'k' || n, 'c' || n, ARRAY['o' || n || ':100']) b
\g /dev/null
SELECT pg_temp.token('m1', 'c' || n, 't' || n) FROM generate_series(1, 8) n
\g /dev/null

CREATE FUNCTION pg_temp.attempt(
    p_token text, p_event text, p_attempt text,
    p_decline text DEFAULT 'insufficient_funds',
    p_fact text DEFAULT 'attempt_declined', p_retry text DEFAULT 'later',
    p_source text DEFAULT 'webhook')
RETURNS text LANGUAGE sql AS $$
SELECT e.outcome FROM pay_api.apply_event('{stripe}', ARRAY[p_source],
    ARRAY[p_event], '{charge.failed}', ARRAY[p_fact], ARRAY[p_token],
    '{NULL}', '{their_code}', '{NULL}', '{NULL}', ARRAY[sha256('body')],
    '{request-4}', ARRAY[p_decline], ARRAY[p_retry], ARRAY[p_attempt]) e
$$;
CREATE FUNCTION pg_temp.shown(p_order text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', d ->> 'code', d ->> 'can_retry', d ->> 'psp_code',
                 d ->> 'attempt', d ->> 'attempts')
FROM (SELECT g.decline::jsonb AS d
      FROM pay_api.get_order('{m1}', ARRAY[p_order]) g) x
$$;

SELECT is(pg_temp.attempt('t1', 'e1', 'ch_1'), 'unchanged', 'an attempt');
SELECT is(pg_temp.status('m1', 'o1'), 'EXECUTING', 'moves nothing');
SELECT is(pg_temp.kinds('m1', 'o1'), 'created registered attempt_declined',
          'but is told');
SELECT is(e.detail - 'type', '{"code": "their_code", "attempt": "ch_1",
    "decline": "insufficient_funds", "can_retry": "later"}'::jsonb,
    'with both codes, and whether to try again')
FROM pay.event e
WHERE e.payment_order_id = 'o1' AND e.kind = 'attempt_declined';
SELECT is(pg_temp.shown('o1'), 'insufficient_funds later their_code ch_1 1',
          'the order shows it');
SELECT is(c.version, 3, 'its readers see a new version')
FROM pay.checkout c WHERE c.checkout_id = 'c1';

SELECT is(pg_temp.attempt('t1', 'e1', 'ch_1'), 'duplicate', 'sent again');
SELECT is(pg_temp.attempt('t1', 'e2', 'ch_1'), 'unchanged',
          'told by another event');
SELECT is(pg_temp.kinds('m1', 'o1'), 'created registered attempt_declined',
          'is one attempt');
SELECT is(pg_temp.attempt('t1', 'e3', 'ch_2', 'expired_card',
                          p_retry => 'other_method'), 'unchanged', 'another');
SELECT is(pg_temp.shown('o1'), 'expired_card other_method their_code ch_2 2',
          'is the last of two');
SELECT is(pg_temp.fact('t1', 'paid'), 'applied', 'then the buyer pays');
SELECT is(pg_temp.shown('o1'), '', 'and nothing is declined any more');
SELECT is(pg_temp.attempt('t1', 'e4', 'ch_3'), 'unchanged', 'a late one');
SELECT is(pg_temp.status('m1', 'o1'), 'SUCCESS', 'does no harm');
SELECT is(pg_temp.kinds('m1', 'o1'), 'created registered attempt_declined '
    'attempt_declined paid attempt_declined', 'and is told');
SELECT is(pg_temp.shown('o1'), '', 'but not shown');

-- a failure for good
SELECT is(pg_temp.attempt('t2', 'f1', 'ch_1', 'fraud_suspected', 'declined',
                          'no'), 'applied', 'declined for good');
SELECT is(pg_temp.status('m1', 'o2'), 'FAILED/declined', 'fails the order');
SELECT is(pg_temp.shown('o2'), 'fraud_suspected no their_code ch_1 1',
          'which says why');
SELECT is(pg_temp.attempt('t3', 'g1', 'ch_1'), 'unchanged', 'an attempt');
SELECT is(pg_temp.attempt('t3', 'g2', NULL, 'unknown', 'declined'), 'applied',
          'a failure without a code');
SELECT is(pg_temp.shown('o3'), 'insufficient_funds later their_code ch_1 1',
          'says no more than the attempt');
SELECT is(pg_temp.attempt('t4', 'h1', 'ch_1'), 'unchanged', 'an attempt');
SELECT is(pg_temp.attempt('t4', 'h2', 'ch_1', p_fact => 'declined'), 'applied',
          'that was the last one');
SELECT is(pg_temp.shown('o4'), 'insufficient_funds later their_code ch_1 1',
          'is one');
SELECT is(s.decline::json ->> 'code', 'insufficient_funds',
          'the view of the checkout shows it')
FROM pay_api.get_checkout('{m1}', '{c4}') s;

-- before the token, and without one
SELECT is(pg_temp.attempt('t9', 'i1', 'ch_1'), 'parked', 'before the token');
SELECT pg_temp.token('m1', 'c9', 't9') \g /dev/null
SELECT is(pg_temp.kinds('m1', 'o9'), 'created registered attempt_declined',
          'waits for it');
SELECT is(pg_temp.shown('o9'), 'insufficient_funds later their_code ch_1 1',
          'with all that it said');
SELECT is(pg_temp.attempt('', 'i2', 'ch_1'), 'ignored', 'about nobody');
SELECT is(pg_temp.attempt('t-other', NULL, 'ch_1', p_source => 'query'),
          'not_found', 'a query about nobody');

-- a bound, and what is no item
SELECT pg_temp.attempt('t5', 'j' || n, 'ch_' || n)
FROM generate_series(1, 105) n
\g /dev/null
SELECT is(pg_temp.shown('o5'), 'insufficient_funds later their_code ch_100 '
          '100', 'a hundred attempts are told');
SELECT is(o.version, 102, 'and no more')
FROM pay.payment_order o WHERE o.payment_order_id = 'o5';
SELECT is(pg_temp.attempt('t6', 'k1', 'ch_1', NULL), 'invalid',
          'an attempt has a code of ours');
SELECT is(pg_temp.attempt('t6', 'k1', 'ch_1', 'No!'), 'invalid',
          'of its alphabet');
SELECT is(pg_temp.attempt('t6', 'k1', 'ch_1', p_retry => 'perhaps'),
          'invalid', 'and one of four answers');
SELECT is(pg_temp.attempt('t6', 'k1', repeat('a', 256)), 'invalid',
          'its id is bounded');
SELECT is(pg_temp.kinds('m1', 'o6'), 'created registered', 'none is told');
SELECT is((SELECT string_agg(m.kind || ' ' || m.why || ' ' || m.event_id, ',')
           FROM pay.mismatch m WHERE m.checkout_id = 'c6'), 'invalid form k1',
          'but operators see it');

SELECT * FROM finish();
ROLLBACK;
