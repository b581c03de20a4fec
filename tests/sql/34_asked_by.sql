-- Who at the merchant asked: in the events that a request makes, and chained.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.asker(p_order text, p_kind text)
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', e.actor, e.detail -> 'asked_by' ->> 'kid',
                 e.detail -> 'asked_by' ->> 'sub')
FROM pay.event e WHERE e.payment_order_id = p_order AND e.kind = p_kind
$$;

SELECT pg_temp.sold('c1', '{o1:1000,o2:500}',
    p_terms => '{"asked_by": {"kid": "k-1", "sub": "till \"7\""}}');
SELECT pg_temp.sold('c3', '{o3:1000}', true,
    '{"asked_by": {"kid": "k-3"}}');
SELECT pg_temp.sold('c4', '{o4:1000}');

SELECT is(pg_temp.asker(o, 'created'), 'merchant k-1 till "7"', o)
FROM unnest('{o1,o2}'::text[]) o;
SELECT is(pg_temp.asker('o3', 'created'), 'merchant k-3', 'without a sub');
SELECT is(pg_temp.asker('o4', 'created'), 'merchant', 'not said');
SELECT is(pg_temp.asker('o1', 'paid'), 'webhook', 'not the merchant''s word');

SELECT is(split_part(pg_temp.change(o, k, 'x' || o, 300,
    p_asked_by => jsonb_build_object('kid', 'k-2', 'sub', 'back-office')),
    ' ', 1), 'created', k)
FROM (VALUES ('o1', 'refund'), ('o3', 'capture')) t (o, k);
SELECT is(pg_temp.asker('o1', 'refund_requested'),
          'merchant k-2 back-office', 'a refund');
SELECT is(pg_temp.asker('o3', 'capture_requested'),
          'merchant k-2 back-office', 'a capture');
SELECT is(pg_temp.change('o4', 'refund', 'xo4', 1),
          'created refund NOT_STARTED 1', 'not said');
SELECT is(pg_temp.asker('o4', 'refund_requested'), 'merchant', 'at all');

-- a page that is closed since another checkout takes its place
SELECT b.outcome FROM pg_temp.begin('m1', 'k-p', 'p', '{op:100}') b
\g /dev/null
SELECT pg_temp.token('m1', 'p', 'tp')
\g /dev/null
SELECT is(b.outcome, 'waiting', 'it waits')
FROM pg_temp.begin('m1', 'k-p2', 'p2', '{op2:100}',
    p_terms => jsonb_build_object('replaces', 'p', 'can_close', true,
        'change_id', pg_temp.uuid('xp2'),
        'asked_by', '{"kid": "k-5", "sub": "s"}'::jsonb)) b;
SELECT is(pg_temp.asker('op', 'cancel_requested'), 'merchant k-5 s',
          'the old one''s timeline');
SELECT is(pg_temp.asker('op2', 'created'), 'merchant k-5 s', 'the new one''s');

-- what C never sends
SELECT is(pg_temp.change('o1', 'refund', 'y' || n, 1, p_asked_by => b),
          'invalid', b::text)
FROM (VALUES (1, '"k"'::jsonb), (2, 'null'), (3, '{}'), (4, '{"kid": 1}'),
    (5, '{"kid": "a b"}'), (6, '{"kid": "k", "sub": ""}'),
    (7, '{"kid": "k", "sub": "a\nb"}'), (8, '{"kid": "k", "sub": "é"}'),
    (9, '{"kid": "k", "sub": ["a"]}'), (10, '{"kid": "k", "who": "a"}'),
    (11, jsonb_build_object('kid', 'k', 'sub', repeat('a', 129)))) t (n, b);
SELECT is(b.outcome, 'invalid', 'begin_payment refuses it too')
FROM pg_temp.begin('m1', 'k-q', 'q', '{oq:100}',
                   p_terms => '{"asked_by": {"kid": "k", "sub": "\n"}}') b;

\i :checks
SELECT * FROM finish();
ROLLBACK;
