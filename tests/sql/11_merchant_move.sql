-- A merchant moves to another cell: the fence in begin_payment and
-- explain_begin, its end, and the balances that are carried over.
-- tests/sql/test_merchant_move.py has the races.

BEGIN;
\ir helpers.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.asks(
    p_key text, p_checkout text, p_orders text DEFAULT 'o-new',
    p_body text DEFAULT 'body')
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(DISTINCT concat_ws(' ', l.outcome, l.checkout_id), ', ')
FROM pay_api.explain_begin('{m1}', ARRAY[p_key],
    ARRAY[sha256(p_body::bytea)], ARRAY[p_checkout], ARRAY[p_orders]) l
$$;
CREATE FUNCTION pg_temp.begins(
    p_key text, p_checkout text, p_orders text[] DEFAULT '{o-new:100}',
    p_body text DEFAULT 'body', p_merchant text DEFAULT 'm1',
    p_terms jsonb DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', b.outcome, b.checkout_id)
FROM pg_temp.begin(p_merchant, p_key, p_checkout, p_orders, p_body,
                   p_lease_ms => 0, p_terms => p_terms) b
$$;
-- a transaction of its own, as payctl's calls are
CREATE FUNCTION pg_temp.earlier() RETURNS void LANGUAGE sql AS
'UPDATE pay.merchant_move SET horizon = ''3''';

SELECT is(pg_temp.begins('k1', 'c1', '{o1:100,o2:50}'), 'created c1',
          'a merchant without a fence');
SELECT is(pg_temp.asks('k1', 'c1', 'o1 o2'), 'replayed c1', 'is known');
SELECT is(pg_temp.asks('k1', 'c1', 'o1 o2', 'other'), 'key_reused',
          'with its body');
SELECT is(pg_temp.asks('k2', 'c1'), 'exists c1', 'by its id');
SELECT is(pg_temp.asks('k2', 'c2', 'o9 o2'), 'exists c1', 'by an order');
SELECT is(pg_temp.asks('k2', 'c2'), 'unknown', 'a new one begins here');
SELECT is(pay_ops.end_fence('m1'), 'none', 'there is no fence');

SELECT is(pay_ops.fence_merchant(m, c, w), 'invalid',
          concat_ws(' ', 'a fence', m, c, w))
FROM (VALUES ('m1', 'B', 'ann'), ('m1', '', 'ann'), ('m1', NULL, 'ann'),
    ('m1', repeat('b', 33), 'ann'), (NULL, 'b', 'ann'), ('', 'b', 'ann'),
    ('m1', 'b', ''), ('m1', 'b', NULL)) v (m, c, w);

-- where it has come from
SELECT is(pay_ops.note_origin(m, c, w), 'invalid',
          concat_ws(' ', 'an origin', m, c, w))
FROM (VALUES ('m1', 'B', 'ann'), ('m1', NULL, 'ann'), (NULL, 'b', 'ann'),
    ('m1', 'b', '')) v (m, c, w);
SELECT is(pay_ops.note_origin('m9', 'a', 'ann'), 'noted', 'from a');
SELECT is(pay_ops.note_origin('m9', 'a', 'bob'), 'noted', 'again');
SELECT is(pay_ops.note_origin('m9', 'b', 'bob'), 'third', 'not from two');
SELECT is(pay_ops.fence_merchant('m9', 'b', 'ann'), 'third',
          'a third cell would not know the keys of the first');
SELECT is(pay_ops.fence_merchant('m9', 'a', 'ann'), 'fencing', 'back it may');
SELECT is(pay_ops.lift_fence('m9', false), 'lifted', 'or stay');

-- the fence
SELECT is(pay_ops.fence_merchant('m1', 'b', 'ann'), 'fencing', 'a fence');
SELECT is(pay_ops.fence_merchant('m1', 'b', 'bob'), 'fencing', 'again');
SELECT is(pay_ops.fence_merchant('m1', 'c', 'bob'), 'elsewhere',
          'not to two cells');
SELECT is(pay_ops.end_fence('m1'), 'waiting',
          'the transaction of the fence does not end it');
SELECT is((SELECT m.horizon FROM pay.merchant_move m), NULL,
          'nor keeps a horizon');
CREATE FUNCTION pg_temp.known(p_when text) RETURNS SETOF text
LANGUAGE sql AS $$
SELECT is(pg_temp.begins(k, c, o::text[], b), w,
          concat_ws(' ', p_when, k, c, o, b))
FROM (VALUES ('k1', 'c1', '{o1:100,o2:50}', 'body', 'replayed c1'),
    ('k1', 'c9', '{o9:1}', 'other', 'key_reused'),
    ('k9', 'c1', '{o9:1}', 'body', 'exists c1'),
    ('k9', 'c9', '{o9:1,o2:1}', 'body', 'exists c1'))
    v (k, c, o, b, w)
UNION ALL
SELECT is(pg_temp.asks('k1', 'c1', 'o1 o2'), 'replayed c1', p_when)
UNION ALL
SELECT is(pg_temp.begins('k1', 'c9', '{o9:1}', 'body', 'm2'), 'created c9',
          'another merchant begins, ' || p_when)
UNION ALL
SELECT is(count(*), 1::bigint, 'nothing is stored, ' || p_when)
FROM pay.checkout c WHERE c.merchant_id = 'm1'
$$;
SELECT pg_temp.known('while it is fenced');
SELECT is(pg_temp.begins('k2', 'c2'), 'moving', 'a new one waits');
SELECT is(pg_temp.asks('k2', 'c2'), 'moving', 'whoever asks');
SELECT is((SELECT string_agg(k.key, ' ') FROM pay.idempotency_key k
           WHERE k.merchant_id = 'm1'), 'k1', 'no key is left behind');

-- a batch with neighbours, each in its place
SELECT is(string_agg(DISTINCT concat_ws(' ', b.item, b.outcome), ', '
                     ORDER BY concat_ws(' ', b.item, b.outcome)),
          '1 moving, 2 replayed, 3 created', 'in one batch')
FROM pay_api.begin_payment('{m1,m1,m3}', '{k2,k1,k3}',
    array_fill(sha256('body'), ARRAY[3]), '{c2,c1,c3}',
    ARRAY(SELECT pg_temp.uuid(n::text) FROM generate_series(1, 3) n),
    '{h1,h2,h3}', '{stripe,stripe,stripe}', '{n1,n2,n3}',
    array_fill('https://shop.example/back'::text, ARRAY[3]),
    array_fill('https://pay.example'::text, ARRAY[3]),
    array_fill(NULL::jsonb, ARRAY[3]), array_fill(NULL::jsonb, ARRAY[3]),
    array_fill(NULL::jsonb, ARRAY[3]), '{USD,USD,USD}', '{1,1,1}',
    array_fill(1900000000::bigint, ARRAY[3]), '{1,2,3}', '{o7,o8,o9}',
    '{s,s,s}', '{1,1,1}', array_fill(NULL::text, ARRAY[3]), '{9,9,9}',
    '{0,0,0}', '{r,r,r}', array_fill(NULL::text, ARRAY[3]),
    array_fill(NULL::text, ARRAY[3]), array_fill(NULL::text, ARRAY[3]),
    array_fill(NULL::text, ARRAY[3]), array_fill(NULL::jsonb, ARRAY[3])) b;

-- lifted, and set again
SELECT is(pay_ops.lift_fence('m1', false), 'lifted', 'it is taken back');
SELECT is(pay_ops.lift_fence('m1', false), 'none', 'once');
SELECT is(pg_temp.begins('k3', 'c3', '{o3:100:s2}'), 'created c3',
          'it begins here again');
SELECT pay_ops.fence_merchant('m1', 'b', 'ann'), pg_temp.earlier()
\g /dev/null
CREATE FUNCTION pg_temp.carries(p_merchant_id text, p_after text, p_limit int,
    p_who text DEFAULT 'ann')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' behind ', o.carried, o.last)
FROM pay_ops.carry_out(p_merchant_id, p_after, p_limit, p_who) o
$$;
SELECT is(pg_temp.carries('m1', '', 10), '-1',
          'nothing is carried in front of the end');

-- its end
SELECT is(pay_ops.end_fence('m1'), 'moved', 'all that began before has ended');
SELECT is(pay_ops.end_fence('m1'), 'moved', 'again');
SELECT is(pay_ops.lift_fence('m1', false), 'moved', 'for good');
SELECT is((SELECT count(*) FROM pay.merchant_move m
           WHERE m.moved_at IS NOT NULL), 1::bigint, 'it says when');
SELECT is(pg_temp.begins('k1', 'c1', '{o1:100,o2:50}'), 'replayed c1',
          'what is known stays known');
SELECT is(pg_temp.begins('k4', 'c4'), 'moved', 'a new one begins elsewhere');
SELECT is(pg_temp.asks('k4', 'c4'), 'moved', 'whoever asks');
SELECT is(pg_temp.asks('k9', 'c3'), 'exists c3', 'by its id');

-- a key that has expired counts as absent, its checkout does not
UPDATE pay.idempotency_key SET expires_at = now() - interval '1 s'
WHERE key = 'k3';
SELECT is(pg_temp.begins('k3', 'c4'), 'moved', 'an expired key is free');
SELECT is(pg_temp.begins('k3', 'c3'), 'exists c3', 'its checkout is not');
SELECT is((SELECT string_agg(k.key, ' ') FROM pay.idempotency_key k
           WHERE k.merchant_id = 'm1' AND k.expires_at > now()), 'k1',
          'and no key is taken');

-- a database that was restored may have lost the key
SELECT pay_ops.begin_recovery(now() - interval '1 minute', 'ann')
\g /dev/null
SELECT is(pg_temp.begins('k4', 'c4'), 'recovering', 'behind a restore');
SELECT is(pg_temp.asks('k4', 'c4'), 'recovering', 'whoever asks');
SELECT is(pg_temp.asks('k1', 'c1', 'o1'), 'replayed c1', 'the known one');
DELETE FROM pay.recovery;

-- balances: out of this cell once, into the other one once
SELECT pg_temp.token('m1', 'c1', 't1'), pg_temp.token('m1', 'c3', 't3'),
    pg_temp.fact('t1', 'paid', 'e1'), pg_temp.fact('t3', 'paid', 'e3')
\g /dev/null
CREATE FUNCTION pg_temp.wallets() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', w.seller_account, w.available_minor), ', '
                  ORDER BY w.seller_account)
FROM pay.wallet w WHERE w.merchant_id = 'm1'
$$;
CREATE FUNCTION pg_temp.lines(p_kind text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', l.account, l.owner, l.amount_minor), ', '
                  ORDER BY l.amount_minor, l.line, l.owner DESC)
FROM pay.journal_line l WHERE l.kind = p_kind
$$;
SELECT is(pg_temp.wallets(), 's2 100, seller-1 150', 'two sellers');
SELECT is(pg_temp.carries('m1', a, l, w), '-1', concat_ws(' ', 'carry', a, l, w))
FROM (VALUES ('', 0, 'ann'), ('', 1001, 'ann'), ('', NULL, 'ann'), ('', 1, ''),
    (NULL, 1, 'ann')) v (a, l, w);
SELECT is(pg_temp.carries('m2', '', 10), '-1', 'only of one that moves');

-- what pay-outs would not take stays
INSERT INTO pay.payout_hold (merchant_id, seller_account, payment_order_id, why)
VALUES ('m1', 's2', '', 'w'), ('m1', 'seller-1', 'o2', 'w');
SELECT is(pg_temp.carries('m1', '', 10), '1 behind USD seller-1',
          'not of a seller that is held');
SELECT is(pg_temp.wallets(), 's2 100, seller-1 50', 'nor of an order');
DELETE FROM pay.payout_hold;
INSERT INTO pay.payout_policy (merchant_id) VALUES ('m1');
SELECT is(pg_temp.carries('m1', '', 10), '0 behind USD seller-1',
          'not what is not delivered');
INSERT INTO pay.payout_release (merchant_id, payment_order_id)
VALUES ('m1', 'o3');
SELECT is(pg_temp.carries('m1', '', 10), '1 behind USD seller-1',
          'what is delivered, later');
DELETE FROM pay.payout_policy;
SELECT is(pg_temp.carries('m1', '', 1), '1 behind USD seller-1',
          'a merchant that pays nobody out reports no delivery');
SELECT is(pg_temp.carries('m1', 'USD seller-1', 10), '0', 'no more');
SELECT is(pg_temp.wallets(), 's2 0, seller-1 0', 'nothing is left');
SELECT is(pg_temp.lines('carried_out'),
    'cell_transfer cell/b -100, cell_transfer cell/b -100, cell_transfer '
    'cell/b -50, seller_available seller-1 50, seller_available seller-1 '
    '100, seller_available s2 100', 'the other cell is owed it');
SELECT is((SELECT string_agg(concat_ws(' ', t.side, t.cell, t.seller_account,
               t.minor, t.ended_at), ', ' ORDER BY t.minor, t.seller_account)
           FROM pay.cell_transfer t),
    'out b seller-1 50, out b s2 100, out b seller-1 100',
    'all legs out are open');

-- into the other cell: here, of another name
CREATE FUNCTION pg_temp.carry_in(p_minor bigint[], p_ids text[])
RETURNS int LANGUAGE sql AS $$
SELECT pay_ops.carry_in('m1', 'a', ARRAY(SELECT md5(i)::uuid
                                         FROM unnest(p_ids) i),
    array_fill('s3'::text, ARRAY[cardinality(p_ids)]),
    array_fill('USD'::text, ARRAY[cardinality(p_ids)]), p_minor, 'ann')
$$;
SELECT is(pg_temp.carry_in('{70,-30}', '{x,y}'), 2, 'two balances come');
SELECT is(pg_temp.carry_in('{70,-30}', '{x,y}'), 0, 'once');
SELECT is(pg_temp.carry_in('{70,5}', '{x,z}'), 1, 'one of them is new');
SELECT is(pg_temp.wallets(), 's2 0, s3 45, seller-1 0', 'what a seller owes, too');
SELECT is(pg_temp.lines('carried_in_debt'),
    'cell_transfer cell/a -30, seller_available s3 30', 'the other way round');
SELECT throws_ok('SELECT pg_temp.carry_in(''{71}'', ''{x}'')', 'PAY24', NULL,
                 'not with another amount');
SELECT throws_ok('SELECT pay_ops.carry_in(''m1'', ''a'', ARRAY[md5(''x'')'
    '::uuid], ''{s4}'', ''{USD}'', ''{70}'', ''ann'')', 'PAY24', NULL,
    'nor of another seller');
SELECT is(pay_ops.end_transfers(ARRAY(
    SELECT t.transfer_id FROM pay.cell_transfer t)), 3, 'the legs are ended');
SELECT is(pay_ops.end_transfers(ARRAY(
    SELECT t.transfer_id FROM pay.cell_transfer t)), 0, 'once');

-- the checks
CREATE FUNCTION pg_temp.finds(p_check text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE v_n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM pay_check.%I', p_check) INTO v_n;
    RETURN v_n;
END
$$;
SELECT is((pg_temp.finds('merchant_moved'), pg_temp.finds('cell_transfer')),
          (0::bigint, 0::bigint), 'the checks find nothing');
SAVEPOINT s;
UPDATE pay.cell_transfer SET ended_at = NULL, at = now() - interval '61 min'
WHERE side = 'out' AND minor = 50;
SELECT is(pg_temp.finds('cell_transfer'), 1::bigint, 'an open leg');
ROLLBACK TO s;
DELETE FROM pay.cell_transfer WHERE minor = 70;
SELECT is(pg_temp.finds('cell_transfer'), 1::bigint, 'an entry without one');
ROLLBACK TO s;
UPDATE pay.merchant_move SET moved_at = now() - interval '1 min';
SELECT is(pg_temp.finds('merchant_moved'), 1::bigint,
          'a payment that has begun behind the fence');
UPDATE pay.merchant_move SET state = 'fencing', moved_at = NULL,
    fenced_at = now() - interval '61 min';
SELECT is(pg_temp.finds('merchant_moved'), 1::bigint, 'a fence that stays');
ROLLBACK TO s;

SELECT is(pay_ops.forget_origin('m1', 'ann'), 'none', 'it has come from none');
SELECT is(pay_ops.note_origin('m1', 'b', 'ann'), 'noted', 'it leaves b');
SELECT is(pay_ops.forget_origin('m1', 'ann'), 'none', 'it is not back yet');
SELECT is(pg_temp.begins('k4', 'c4'), 'moved', 'nor begins here');
SELECT is(pay_ops.lift_fence('m1', true), 'lifted', 'it comes back');

-- a node that knows this cell alone would begin keys of the other one again
SELECT is(pg_temp.begins('k4', 'c4'), 'moving', 'only behind a question');
SELECT is(pg_temp.begins('k4', 'c4', p_terms => '{"both_cells": false}'),
          'moving', 'that was asked');
SELECT is(pg_temp.begins('k1', 'c1', '{o1:100,o2:50}'), 'replayed c1',
          'what is known here needs none');
SELECT is(pg_temp.asks('k4', 'c4'), 'unknown', 'an explanation is one');
SELECT is(pg_temp.begins('k4', 'c4', p_terms => '{"both_cells": true}'),
          'created c4', 'and begins here');
SELECT is(pg_temp.begins('k5', 'c5', '{o5:1}', p_merchant => 'm2'),
          'created c5', 'another merchant needs none');
SELECT is(pg_temp.begins('k6', 'c6', p_terms => '{"both_cells": 1}'),
          'invalid', 'yes or no');
SELECT is(pay_ops.forget_origin('m1', ''), 'invalid', 'somebody forgets');
SELECT is(pay_ops.forget_origin('m1', 'bob'), 'forgotten', 'that cell');
SELECT is(pay_ops.forget_origin('m1', 'bob'), 'none', 'once');
SELECT is(pg_temp.begins('k6', 'c6', '{o6:1}'), 'created c6',
          'then nothing has to be asked');
SELECT is(pay_ops.note_origin('m1', 'c', 'ann'), 'third',
          'where it came from stays known');

SELECT * FROM finish();
ROLLBACK;
