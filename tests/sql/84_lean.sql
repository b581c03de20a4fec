-- tests/bench/lean, which the gateway is measured against, does what it says:
-- each step alone and in sets.

BEGIN;
\ir helpers.psql
\ir ../bench/lean/schema.sql
\ir ../bench/lean/steps.sql
\ir ../bench/lean/sets.sql
SELECT no_plan();

CREATE FUNCTION pg_temp.created(
    p_n text, p_key text DEFAULT NULL, p_fingerprint bytea DEFAULT '\x01')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', outcome, payment_order_id, status, redirect_url)
FROM lean.create_payment('m1', coalesce(p_key, 'k' || p_n), p_fingerprint,
    'c' || p_n, 'o' || p_n, 's1', 1234, 'USD', 'stripe', 'https://shop/',
    '{}', now() + interval '1 hour')
$$;
CREATE FUNCTION pg_temp.paid(
    p_n text, p_event text, p_kind text DEFAULT 'paid',
    p_amount bigint DEFAULT 1234)
RETURNS text LANGUAGE sql AS $$
SELECT lean.apply_webhook('stripe', p_event, p_kind, 't' || p_n, 'pi' || p_n,
    p_amount, 'USD', '\x02')
$$;
CREATE FUNCTION pg_temp.rows() RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', (SELECT count(*) FROM lean.checkout),
    (SELECT count(*) FROM lean.event), (SELECT count(*) FROM lean.ledger_line),
    (SELECT count(*) FROM lean.outbox),
    (SELECT count(*) FROM lean.webhook_inbox),
    (SELECT sum(balance_minor) FROM lean.wallet))
$$;

-- one by one
SELECT is(pg_temp.created('1'), 'created o1 NOT_STARTED', 'a create');
SELECT is(pg_temp.created('1'), 'replayed o1 NOT_STARTED', 'its replay');
SELECT is(pg_temp.created('9', 'k1', '\x09'), 'key_reused o1 NOT_STARTED',
          'its key with another request');
SELECT throws_ok($$SELECT pg_temp.created('1', 'k2')$$, '23505', NULL,
                 'its id with another key');
SELECT is(lean.store_token('m1', 'o1', 't1', 'u1'), 'stored', 'a token');
SELECT is(lean.store_token('m1', 'o1', 't1', 'u1'), 'already', 'once');
SELECT is(lean.store_token('m1', 'o1', 't2', 'u2'), 'conflict', 'another');
SELECT is(lean.store_token('m1', 'o7', 't7', 'u7'), 'not_found', 'of none');
SELECT is(pg_temp.created('1'), 'replayed o1 EXECUTING u1',
          'a replay names the page');
SELECT is(pg_temp.paid('1', 'e0', 'paid', 1233), 'mismatch', 'another amount');
SELECT is(pg_temp.paid('7', 'e1'), 'unknown', 'a token that is not there');
SELECT is(pg_temp.rows(), '1 2 0 0 1', 'neither books anything');
SELECT is(pg_temp.paid('1', 'e1', 'failed'), 'applied', 'a decline');
SELECT is(pg_temp.paid('1', 'e2'), 'applied', 'and a late success');
SELECT is(pg_temp.paid('1', 'e2'), 'duplicate', 'the same again');
SELECT is(pg_temp.paid('1', 'e3'), 'unchanged', 'another event says so again');
SELECT is(pg_temp.paid('1', 'e4', 'failed'), 'unchanged', 'none takes it back');
SELECT is(pg_temp.rows(), '1 4 2 2 5 1234', 'booked once');

-- in sets: two of one key, one that was there, one of its key with other bytes
SELECT set_eq($$SELECT item, outcome, payment_order_id
    FROM lean.create_payments(
        array_fill('m1'::text, '{5}'), '{k3,k2,k3,k1,k1}',
        '{"\\x01","\\x01","\\x01","\\x01","\\x02"}',
        '{c3,c2,c3,c1,c1}', '{o3,o2,o3,o1,o1}', '{s2,s1,s2,s1,s1}',
        array_fill(1234::bigint, '{5}'), array_fill('USD'::text, '{5}'),
        array_fill('stripe'::text, '{5}'), array_fill('https://s'::text, '{5}'),
        array_fill('{}'::jsonb, '{5}'), array_fill(now(), '{5}'))$$,
    $$VALUES (1, 'created', 'o3'), (2, 'created', 'o2'), (3, 'replayed', 'o3'),
             (4, 'replayed', 'o1'), (5, 'key_reused', 'o1')$$,
    'a set of creates');
SELECT set_eq($$SELECT item, outcome FROM lean.store_tokens(
        '{m1,m1,m1,m1}', '{o3,o2,o1,o7}', '{t3,t2,t9,t7}', '{u3,u2,u9,u7}')$$,
    $$VALUES (1, 'stored'), (2, 'stored'), (3, 'conflict'), (4, 'not_found')$$,
    'a set of tokens');
SELECT set_eq($$SELECT item, outcome FROM lean.apply_webhooks(
        array_fill('stripe'::text, '{6}'), '{f3,f2,f2,e2,f7,f4}',
        array_fill('paid'::text, '{6}'), '{t3,t2,t2,t1,t7,t1}',
        '{p3,p2,p2,p1,p7,p1}', '{1234,1234,1234,1234,1234,1}',
        array_fill('USD'::text, '{6}'), array_fill('\x02'::bytea, '{6}'))$$,
    $$VALUES (1, 'applied'), (2, 'applied'), (3, 'duplicate'),
             (4, 'duplicate'), (5, 'unknown'), (6, 'mismatch')$$,
    'a set of webhooks');
SELECT is(pg_temp.rows(), '3 10 6 4 8 3702', 'each booked once');

-- what holds at the end
SELECT is_empty($$SELECT payment_order_id FROM lean.ledger_line
    GROUP BY merchant_id, payment_order_id, currency
    HAVING sum(amount_minor) <> 0$$, 'the lines of an order sum to zero');
SELECT is_empty($$SELECT w.* FROM lean.wallet w FULL JOIN (
        SELECT merchant_id, substr(account, 8) AS seller_account, currency,
            -sum(amount_minor) AS balance_minor
        FROM lean.ledger_line WHERE account LIKE 'seller:%' GROUP BY 1, 2, 3) l
        USING (merchant_id, seller_account, currency)
    WHERE w.balance_minor IS DISTINCT FROM l.balance_minor$$,
    'a wallet is the sum of its lines');
SELECT is_empty($$SELECT e.* FROM (
        SELECT *, lag(hash, 1, '') OVER (PARTITION BY merchant_id,
            payment_order_id ORDER BY seq) AS previous
        FROM lean.event) e
    WHERE hash <> lean.event_hash(previous, merchant_id, payment_order_id, seq,
        kind, at)$$, 'each event is chained to the one before it');
SELECT is_empty($$SELECT o.* FROM lean.payment_order o
    JOIN lean.event e USING (merchant_id, payment_order_id, seq)
    WHERE o.head <> e.hash OR EXISTS (
        SELECT FROM lean.event n WHERE n.merchant_id = o.merchant_id
        AND n.payment_order_id = o.payment_order_id AND n.seq > o.seq)$$,
    'an order knows its newest event');

SELECT * FROM finish();
ROLLBACK;
