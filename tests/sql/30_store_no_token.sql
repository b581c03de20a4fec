-- store_no_token: refused, not sent, unknown, expired.

BEGIN;
\ir helpers.psql
SELECT no_plan();

SELECT b.outcome FROM generate_series(1, 9) n,
    pg_temp.begin('m1', 'k' || n, 'c' || n, ARRAY['o' || n || ':100']) b
\g /dev/null

SELECT is(pg_temp.no_token('m1', 'c1', 'refused', 'amount_too_small'),
          'stored', 'refused');
SELECT is(pg_temp.status('m1', 'o1'), 'FAILED/rejected', 'fails the orders');
SELECT is(pg_temp.kinds('m1', 'o1'), 'created refused', 'with an event');
SELECT is((e.reason, e.detail)::text,
          '(rejected,"{""code"": ""amount_too_small"", ""sends"": 1}")',
          'that says why')
FROM pay.event e WHERE e.payment_order_id = 'o1' AND e.kind = 'refused';
SELECT is((g.registration_state, g.code, g.attempt)::text,
          '(REFUSED,amount_too_small,1)', 'the registration is refused')
FROM pay_api.get_checkout('{m1}', '{c1}') g;
SELECT is(pg_temp.job('m1', 'c1'), NULL, 'no job is left');
SELECT is(pg_temp.no_token('m1', 'c1', o), 'already', o || ' after that')
FROM unnest('{refused,not_sent,unknown,expired}'::text[]) o;
SELECT is(pg_temp.kinds('m1', 'o1'), 'created refused', 'changes nothing');

SELECT is(pg_temp.no_token('m1', 'c2', 'not_sent', 'connect', 7000),
          'stored', 'not sent');
SELECT is(pg_temp.status('m1', 'o2'), 'NOT_STARTED', 'leaves the order');
SELECT is(pg_temp.kinds('m1', 'o2'), 'created registration_not_sent',
          'with an event');
SELECT is((g.registration_state, g.attempt, g.version)::text,
          '(REGISTERING,2,1)', 'the next attempt is the second')
FROM pay_api.get_checkout('{m1}', '{c2}') g;
SELECT is((j.kind, j.attempts, j.run_at, j.lease_until, j.code)::text,
          (row('register', 1, now() + interval '7 s', NULL::timestamptz,
               'connect'))::text, 'and the job is put off')
FROM pay.job j WHERE j.checkout_id = 'c2';
SELECT is(r.lease_until, NULL, 'the lease is over')
FROM pay.registration r WHERE r.checkout_id = 'c2';

SELECT is(pg_temp.no_token('m1', 'c2', 'unknown'), 'stored', 'unknown');
SELECT is(pg_temp.status('m1', 'o2'), 'EXECUTING', 'may have been sent');
SELECT is(pg_temp.no_token('m1', 'c2', 'not_sent'), 'stored', 'not sent');
SELECT is(pg_temp.status('m1', 'o2'), 'EXECUTING', 'stays executing');
SELECT is((g.attempt, g.version)::text, '(4,2)', 'attempts are counted')
FROM pay_api.get_checkout('{m1}', '{c2}') g;
SELECT is(pg_temp.no_token('m1', 'c2', 'refused'), 'stored', 'refused late');
SELECT is(pg_temp.status('m1', 'o2'), 'FAILED/rejected', 'fails it');

SELECT is(pg_temp.no_token('m1', 'c3', 'expired', 'expired_unregistered'),
          'stored', 'expired');
SELECT is(pg_temp.status('m1', 'o3'), 'FAILED/expired', 'is its reason');
SELECT is(pg_temp.kinds('m1', 'o3'), 'created expired', 'and its event');
SELECT is((g.registration_state, g.code)::text,
          '(REFUSED,expired_unregistered)', 'the registration is over')
FROM pay_api.get_checkout('{m1}', '{c3}') g;
SELECT is(pg_temp.no_token('m1', 'c4', 'expired', NULL, NULL), 'stored',
          'ends need neither code nor time');

SELECT is(pg_temp.token('m1', 'c5', 't5'), 'stored', 'a registered one');
SELECT is(pg_temp.no_token('m1', 'c5', o), 'already', o || ' is too late')
FROM unnest('{refused,not_sent,unknown,expired}'::text[]) o;
SELECT is(pg_temp.status('m1', 'o5'), 'EXECUTING', 'and fails nothing');

SELECT is(pg_temp.no_token('m1', 'nope', 'refused'), 'not_found', 'absent');
SELECT is(pg_temp.no_token('m2', 'c6', 'refused'), 'not_found', 'foreign');
SELECT is(pg_temp.no_token('m1', 'c6', o), 'invalid', coalesce(o, 'NULL'))
FROM unnest(ARRAY[NULL, '', 'done', 'REFUSED']) o;
SELECT is(pg_temp.no_token('m1', 'c6', 'unknown', 'c', ms), 'invalid',
          'retry after ' || coalesce(ms::text, 'NULL'))
FROM unnest(ARRAY[NULL, -1, 9223372036854775807]) ms;
SELECT is(pg_temp.no_token('m1', 'c6', 'unknown', repeat('c', 256)),
          'invalid', 'a long code');
SELECT is(pg_temp.status('m1', 'o6'), 'NOT_STARTED', 'nothing happened');

-- the PSP must be the registration's own
SELECT is(pg_temp.no_token('m1', 'c6', o, p_psp => 'adyen'), 'already',
          'at another PSP: ' || o)
FROM unnest('{refused,not_sent,unknown,expired}'::text[]) o;
SELECT is(pg_temp.no_token('m1', 'c6', 'refused', p_psp => p), 'invalid',
          'no PSP') FROM unnest(ARRAY[NULL, '', repeat('p', 256)]) p;
SELECT is((r.state, r.attempt, r.open_attempts, r.code)::text,
          '(REGISTERING,1,1,)', 'nothing happened')
FROM pay.registration r WHERE r.checkout_id = 'c6';
SELECT is(string_agg(t.item || ' ' || t.outcome, ', ' ORDER BY t.item),
          '1 already, 2 stored, 3 already', 'not even as a twin')
FROM pay_api.store_no_token('{m1,m1,m1}', '{c6,c6,c6}',
    '{adyen,stripe,adyen}', '{refused,unknown,refused}', '{a,b,c}',
    '{1,2,3}', '{r,r,r}', '{NULL,NULL,NULL}', '{NULL,NULL,NULL}',
    '{NULL,NULL,NULL}', '{1,1,1}') t;
SELECT is(pg_temp.kinds('m1', 'o6'), 'created registration_unknown',
          'only its own counts');

-- what is known to have come to nothing
SELECT is(pg_temp.no_token('m1', 'c9', o), 'stored', o)
FROM unnest('{unknown,not_sent,not_sent}'::text[]) o;
SELECT is((r.open_attempts, r.attempt)::text, '(0,4)',
          'each that was not sent is closed')
FROM pay.registration r WHERE r.checkout_id = 'c9';

SELECT is(string_agg(t.item || ' ' || t.outcome || ' ' || t.attempt, ', '
                     ORDER BY t.item),
    '1 stored 2, 2 stored 2, 3 stored 1, 4 already 1', 'twins in one batch')
FROM pay_api.store_no_token('{m1,m1,m1,m1}', '{c7,c7,c8,c5}',
    '{stripe,stripe,stripe,stripe}', '{unknown,not_sent,refused,refused}',
    '{a,b,c,d}', '{1,2,3,4}', '{r,r,r,r}', '{NULL,NULL,NULL,NULL}',
    '{NULL,NULL,NULL,NULL}', '{NULL,NULL,NULL,NULL}', '{1,1,1,1}') t;
SELECT is(pg_temp.kinds('m1', 'o7'), 'created registration_unknown',
          'the first counted, once');

-- a repetition: whoever sent it has not heard that it was kept, and the next
-- call is out meanwhile
SELECT pg_temp.begin('m1', 'k10', 'c10', ARRAY['o10:100'],
                     p_psps => 'stripe adyen')
\g /dev/null
SELECT is(pg_temp.no_token('m1', 'c10', 'not_sent', p_ms => 0,
                           p_attempt => 1), 'stored', 'not sent');
SELECT is(pg_temp.claim('c10'), 'job register c10 stripe 2',
          'the next call goes out');
CREATE FUNCTION pg_temp.stands(p_checkout text) RETURNS text LANGUAGE sql
AS $$
SELECT concat_ws(' ', r, j, (SELECT array_agg(d ORDER BY d.attempt)
                             FROM pay.dispatch d
                             WHERE d.checkout_id = p_checkout))
FROM pay.registration r, pay.job j
WHERE r.checkout_id = p_checkout AND j.checkout_id = p_checkout
$$;
SELECT pg_temp.stands('c10') AS before
\gset
SELECT is(pg_temp.no_token('m1', 'c10', o, p_attempt => 1), 'already',
          o || ' once more')
FROM unnest('{not_sent,unknown,held}'::text[]) o;
SELECT is(pg_temp.stands('c10'), :'before', 'changes nothing');
SELECT is(r.open_attempts::int, 1, 'the second call stays open')
FROM pay.registration r WHERE r.checkout_id = 'c10';
SELECT is(pg_temp.no_token('m1', 'c10', 'unknown', p_attempt => 2), 'stored',
          'which nobody knows of');
SELECT is(pg_temp.no_token('m1', 'c10', 'not_sent', p_attempt => 1),
          'already', 'and not sent is not what becomes of it');
SELECT is(pg_temp.reroute('m1', 'c10', 'stripe'), 'stays stripe',
          'it is not registered anywhere else');
SELECT is(pg_temp.status('m1', 'o10'), 'EXECUTING', 'and may be there');
SELECT is(pg_temp.no_token('m1', 'c10', 'refused', p_attempt => 1), 'stored',
          'that there is no page counts, whichever call was told');
SELECT is(pg_temp.no_token('m1', 'c6', 'unknown', p_attempt => a), 'invalid',
          'attempt ' || a)
FROM unnest(ARRAY[0, -1, 9223372036854775807]) a;

\i :checks
SELECT finish();
ROLLBACK;
