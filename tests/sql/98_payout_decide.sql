-- Operators end an item that no provider answers about: two of them, neither its
-- maker, and an answer of the provider in between counts more.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir payout.psql
\ir payout_call.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.decide(
    p_who text, p_fact text DEFAULT 'failed', p_ref text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.decide_payout('m1', pg_temp.item(), p_fact, p_ref, p_who,
                             'the bank says so')
$$;
CREATE FUNCTION pg_temp.money() RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', w.available_minor, w.reserved_minor) FROM pay.wallet w
WHERE w.merchant_id = 'm1' AND w.seller_account = 'seller-1'
    AND w.currency = 'USD'
$$;
CREATE FUNCTION pg_temp.run_at() RETURNS text LANGUAGE sql AS $$
SELECT CASE WHEN s.run_at IS NULL THEN 'none' ELSE s.call END
FROM pay.payout_sending s WHERE s.payout_id = pg_temp.item()
$$;

SELECT pg_temp.provider(), pg_temp.account(p_who => 'sue'),
    pg_temp.limited()
\g /dev/null

-- not before it was sent, nor while a call is under way
SELECT pg_temp.ready()
\g /dev/null
SELECT is(pg_temp.decide('ann'), 'no_way', 'a ready item was not sent');
SELECT pg_temp.batch(), pg_temp.approve()
\g /dev/null
SELECT is(pg_temp.begin_call(), 'due send 0', 'it is sent');
SELECT is(pg_temp.decide('ann'), 'busy', 'a call is under way');
SELECT is(pg_temp.end_call('unknown'), 'stored', 'the answer is lost');
SELECT is(pg_temp.state(), 'unknown', 'nobody knows');
SELECT is(pg_temp.money(), '0 1000', 'its money is reserved');

-- who decides
SELECT is(pay_ops.decide_payout('m1', v.id, v.fact, v.ref, v.who, v.why),
          v.said, concat_ws(' ', v.fact, v.who, v.said))
FROM (VALUES
    (pg_temp.item(), 'sent', NULL, 'ann', 'x', 'invalid'),
    (pg_temp.item(), 'returned', NULL, 'ann', 'x', 'no_way'),
    (pg_temp.item(), NULL, NULL, 'ann', 'x', 'invalid'),
    (pg_temp.item(), 'failed', NULL, ' ', 'x', 'invalid'),
    (pg_temp.item(), 'failed', NULL, 'ann', NULL, 'invalid'),
    (pg_temp.item(), 'paid', '', 'ann', 'x', 'invalid'),
    (pg_temp.item(), 'paid', NULL, 'ann', 'x', 'other_ref'),
    (pg_temp.item(), 'failed', NULL, 'max', 'x', 'maker'),
    ('po_none', 'failed', NULL, 'ann', 'x', 'not_found'))
    v (id, fact, ref, who, why, said);
SELECT is(pg_temp.decide('ann'), 'second', 'the first operator asks');
SELECT is(pg_temp.decide('ann'), 'second', 'and is one operator');
SELECT is(pg_temp.decide('bob', 'paid', 'ref_1'), 'second',
          'another decision is another question');
SELECT is(pg_temp.state(), 'unknown', 'nothing is decided yet');
SELECT is(pg_temp.money(), '0 1000', 'and no money is moved');
SELECT is(pg_temp.decide('bob'), 'failed', 'a second operator decides');
SELECT is(pg_temp.state(), 'failed', 'it has failed');
SELECT is(p.proof, 'person', 'by the word of people')
FROM pay.payout p WHERE p.payout_id = pg_temp.item();
SELECT is(pg_temp.money(), '1000 0', 'its money is available');
SELECT is(pg_temp.run_at(), 'none', 'nothing is sent any more');
SELECT is(pg_temp.decide('cid'), 'no_way', 'once');
SELECT is(pg_temp.tell('paid', 'ref_9'), 'contradiction',
          'a provider that has paid it is heard');
SELECT is((SELECT string_agg(concat_ws(' ', a.act, a.who), ', '
                             ORDER BY a.act_id)
           FROM pay.payout_act a WHERE a.subject_id = pg_temp.item()
               AND a.who IN ('ann', 'bob') AND a.act <> 'approved'),
          'asked ann, asked ann, asked bob, failed bob', 'its acts');

-- paid, with the reference that the operators bring
SELECT is(pg_temp.send_next(), 'due send 0', 'the same lines again');
SELECT pg_temp.end_call('unknown')
\g /dev/null
SELECT is(pg_temp.decide('ann', 'paid', 'ref_2'), 'second', 'the first');
SELECT is(pg_temp.decide('bob', 'paid', 'ref_3'), 'second',
          'another reference is another question');
SELECT is(pg_temp.decide('bob', 'paid', 'ref_2'), 'paid', 'the second');
SELECT is(pg_temp.state(), 'paid ref_2', 'it is paid');
SELECT is(pg_temp.money(), '0 0', 'and its money has left');
SAVEPOINT decided;
-- a provider that tells a return to nobody who does not ask was never asked
SELECT is(pg_temp.run_at(), 'ask', 'it is asked about by that reference');
SELECT is(s.run_at, now() + interval '1 day', 'a day later')
FROM pay.payout_sending s WHERE s.payout_id = pg_temp.item();
SELECT pg_temp.later('1 day')
\g /dev/null
SELECT is(pg_temp.begin_call(), 'due ask 0 ref_2', 'it is asked');
SELECT is(pg_temp.end_call('done', p_ref => 'ref_2', p_state => 'returned'),
          'stored', 'and it has come back');
SELECT is(pg_temp.state(), 'returned ref_2', 'which counts');
ROLLBACK TO decided;
SELECT is(pg_temp.decide('ann'), 'no_way', 'it cannot fail any more');
SELECT is(pg_temp.decide('ann', 'returned'), 'second',
          'it may still come back: the first operator sees it at the bank');
SELECT is(pg_temp.decide('Max', 'returned'), 'maker', 'not its maker');
SELECT is(pg_temp.decide('Ann', 'returned'), 'second', 'nor the same one');
SELECT is(pg_temp.decide('bob', 'returned'), 'returned', 'and the second');
SELECT is(pg_temp.money(), '1000 0', 'the money is the seller''s again');
SELECT is(pg_temp.tell('returned'), 'unchanged',
          'the provider''s message of it counts no more');

-- an answer in between
SELECT pay_ops.settle_destination('m1', d.destination_id, 'open', 'ann', 'ok')
FROM pay.payout_account d
\g /dev/null
SELECT is(pg_temp.send_next(), 'due send 0', 'once more');
SELECT pg_temp.end_call('unknown')
\g /dev/null
SELECT is(pg_temp.decide('ann'), 'second', 'the first operator asks');
SELECT pg_temp.later('1 hour'), pg_temp.begin_call(),
    pg_temp.end_call('done', p_ref => 'po_7', p_state => 'sending')
\g /dev/null
SELECT is(pg_temp.state(), 'sending po_7', 'the provider has it');
SELECT is(pg_temp.decide('bob'), 'second', 'the question was another one');
SELECT is(pg_temp.decide('ann', 'paid', 'po_8'), 'other_ref',
          'and its reference is known');
SELECT is(pg_temp.decide('ann', 'paid'), 'second', 'ann has called the bank');
SELECT is(pg_temp.decide('bob', 'paid'), 'paid', 'and so has bob');
SELECT is(pg_temp.run_at(), 'ask', 'it is asked about, as it may come back');
SELECT is(pg_temp.run_as('payments_gateway', sql), '42501', sql)
FROM (VALUES ('SELECT pay_ops.decide_payout(NULL, NULL, NULL, NULL, NULL, '
              'NULL)')) s (sql);

\i :checks

SELECT finish();
ROLLBACK;
