-- Pay-outs from ready to their end: batches and their approval, sending, each
-- fact of a provider in each state, returns.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir payout.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.entries_of(p_id text DEFAULT NULL) RETURNS text
LANGUAGE sql AS $$
SELECT pg_temp.booked('pay-out/' || coalesce(p_id, pg_temp.item()))
$$;
CREATE FUNCTION pg_temp.states() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', p.state, p.amount_minor), ', '
                  ORDER BY p.created_at)
FROM pay.payout p
$$;
-- an item of another order, approved by eve
CREATE SEQUENCE pg_temp.number;
CREATE FUNCTION pg_temp.approved(p_seller text DEFAULT 'seller-1')
RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.sold('c' || n.n, ARRAY['o' || n.n || ':1000']),
    pg_temp.release('o' || n.n), pg_temp.pay(p_currency => 'USD'),
    pg_temp.batch()
FROM nextval('pg_temp.number') n (n);
SELECT pg_temp.approve()
$$;
CREATE FUNCTION pg_temp.sent() RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.approved();
SELECT pg_temp.begin_send()
$$;

SELECT pg_temp.provider(), pg_temp.account(p_who => 'sue')
\g /dev/null

-- approval
SELECT pg_temp.sold('a' || n, ARRAY['b' || n || ':' || n * 1000])
FROM generate_series(1, 3) n
\g /dev/null
SELECT is(pg_temp.batch(), 'nothing', 'no item is ready');
SELECT pg_temp.release('b1'), pg_temp.pay(p_currency => 'USD')
\g /dev/null
SELECT is(pg_temp.begin_send(), 'no_way', 'nothing is sent unapproved');
SELECT is(pg_temp.tell('sent', 'r'), 'contradiction',
          'nobody can have paid it');
SELECT is(pg_temp.batch(), 'made 1 1000', 'a batch');
SELECT is(pg_temp.batch(), 'nothing', 'an item is in one batch');
SELECT is(pg_temp.approve('max'), 'maker', 'its maker does not approve it');
SELECT is(pg_temp.approve('Max'), 'maker', 'nor another spelling of him');
SELECT is(pg_temp.approve('sue'), 'entered',
          'nor the one who entered the account');
SELECT is(pg_temp.approve(' '), 'invalid', 'nor nobody');
SELECT is(pg_temp.approve('eve', repeat('0', 64)), 'other_hash',
          'nor another digest');
SELECT throws_ok(format('INSERT INTO pay.payout_approval (merchant_id, '
    'batch_id, approver, hash) SELECT merchant_id, batch_id, %L, %s '
    'FROM pay.payout_batch', who, hash), 'PAY10', NULL,
    who || ' by hand: ' || hash)
FROM (VALUES ('max', 'hash'), ('Max', 'hash'), ('sue', 'hash'), ('eve', 'sha256('''')'))
    t (who, hash);
SELECT throws_ok(sql, state, NULL, sql) FROM (VALUES
    ('UPDATE pay.payout_batch SET state = ''approved'', approved_at = now(), '
     'until = now()', 'PAY10'),
    ('UPDATE pay.payout SET state = ''approved''', 'PAY10'),
    ('UPDATE pay.payout_batch SET total_minor = 1', 'PAY11'),
    ('DELETE FROM pay.payout_batch', 'PAY20'),
    ('DELETE FROM pay.payout_batch_item', 'PAY20')) s (sql, state);
SELECT is(pg_temp.limited('EUR', 1000000, 2000000), 'stored',
          'of other money');
SELECT is(pg_temp.approve(), 'second', 'without limits it takes two');
SELECT is(pg_temp.approve(), 'again', 'who are not the same');
SELECT is(pg_temp.approve('ann'), 'approved', 'another one');
SELECT is(pg_temp.approve('joe'), 'closed', 'it is approved');
SELECT is(pg_temp.states(), 'approved 1000', 'with its item');
SELECT throws_ok('DELETE FROM pay.payout_approval', 'PAY20', NULL,
                 'an approval stays');
SELECT pg_temp.release('b2'), pg_temp.pay(p_currency => 'USD')
\g /dev/null
SELECT throws_ok('INSERT INTO pay.payout_batch_item SELECT b.merchant_id, '
    'b.batch_id, pg_temp.item() FROM pay.payout_batch b', 'PAY11', NULL,
    'no item is added to a batch');

-- limits are in units of the batch's currency
SELECT is(pay_ops.set_payout_limit('m1', v.currency, v.one, v.two, v.who, 'law'),
          v.said, concat_ws(' ', 'limit', v.currency, v.one, v.two, v.who))
FROM (VALUES ('USD', 10::numeric, 20::numeric, 'ann', 'second'),
    ('USD', 10, 20, 'ann', 'second'), ('USD', 10, 20, 'Ann', 'second'),
    ('USD', 11, 20, 'bob', 'second'), ('***', 10, 20, 'bob', 'second'),
    ('USD', 10, 20, 'bob', 'stored'), ('USD', 10, 20, 'ann', 'stored'),
    ('USD', 10, 21, 'ann', 'second'), ('USD', 9, 19, 'ann', 'stored'),
    ('USD', 10, 21, 'bob', 'second'), ('USD', 10, 20, 'ann', 'second'),
    ('USD', 10, 20, 'bob', 'stored'), ('***', 0, 20, 'ann', 'stored'),
    ('JPY', 0, 21, 'ann', 'second'), ('JPY', 0, 20, 'ann', 'stored'),
    ('***', 10, 20, 'ann', 'second'), ('***', 10, 20, 'bob', 'stored'),
    ('JPY', 10, 20, 'ann', 'second'), ('JPY', 10, 20, 'bob', 'stored'),
    ('USD', 'NaN', 'NaN', 'ann', 'second'), ('XXX', 10, 20, 'ann', 'invalid'),
    (NULL, 10, 20, 'ann', 'invalid'), ('USD', NULL, 20, 'ann', 'invalid'),
    ('USD', 10, 9, 'ann', 'invalid'), ('USD', -1, 9, 'ann', 'invalid'),
    ('USD', 1, 9, ' ', 'invalid')) v (currency, one, two, who, said);
SELECT is((SELECT string_agg(concat_ws(' ', l.currency, l.one, l.two), ', '
                             ORDER BY l.currency COLLATE "C")
           FROM pay.payout_limit l), '*** 10 20, EUR 1000000 2000000, '
          'JPY 10 20, USD 10 20', 'the limits that are stored');
-- each currency is asked for by itself
SELECT is(string_agg(pay_ops.set_payout_limit('m1', v.currency, 30, 40, v.who,
          'law'), ' '), 'second second stored stored', 'two scripts')
FROM (VALUES ('GBP', 'ann'), ('CHF', 'ann'), ('GBP', 'bob'), ('CHF', 'bob'))
    v (currency, who);
CREATE FUNCTION pg_temp.needed(p_currency text, p_minor bigint) RETURNS int
LANGUAGE sql SET search_path = pay, pg_temp AS
'SELECT approvals_needed(''m1'', p_currency, p_minor)';
SELECT is(pg_temp.needed(c, m), n, m || ' ' || c) FROM (VALUES
    ('USD', 1000, 1), ('USD', 1001, 2), ('USD', 2000, 2), ('USD', 2001, 3),
    ('JPY', 10, 1), ('JPY', 11, 2), ('KWD', 10000, 1), ('KWD', 20001, 3))
    t (c, m, n);
SELECT is(pg_temp.batch(), 'made 1 2000', 'another batch');
SELECT is(pg_temp.approve(), 'second', 'above the limit');
SELECT is(pay_ops.hold_payout('m1', pg_temp.item(), true, 'ann', 'odd'),
          'held', 'its item is held in between');
SELECT is(pg_temp.approve('ann'), 'changed', 'so it is not approved');
SELECT is(pay_ops.hold_payout('m1', pg_temp.item(), false, 'ann', 'ok'),
          'ready', 'the item is as it was');
SELECT is(pg_temp.approve('ann'), 'approved', 'and so is the batch');
SELECT is(pay_ops.hold_payout('m1', pg_temp.item(), true, 'ann', 'odd'),
          'held', 'a hold behind the approval');
SELECT is(pg_temp.begin_send(), 'no_way', 'is not sent');
SELECT is(pay_ops.hold_payout('m1', pg_temp.item(), false, 'ann', 'ok'),
          'ready', 'and takes');
SELECT is(pg_temp.batch(), 'made 1 2000', 'another batch');
SELECT is((SELECT pay_ops.withdraw_payout_batch('m1', b.batch_id, 'ann', 'x')
           FROM pay.payout_batch b WHERE b.state = 'open'), 'withdrawn',
          'which is withdrawn');
SELECT is(pg_temp.batch(), 'made 1 2000', 'its item is free');
SELECT is(pay_ops.set_payout_limit('m1', 'USD', 1000, 2000, 'eve', 'test'),
          'second', 'who approves does not raise the limit alone');
SELECT is(pg_temp.approve(), 'second', 'so a second one approves');
SELECT is(pay_ops.withdraw_payout_batch('m1', b.batch_id, 'ann', 'x'),
          'withdrawn', 'which is withdrawn')
FROM pay.payout_batch b WHERE b.state = 'open';
SELECT is(pg_temp.batch(), 'made 1 2000', 'and made anew');
SELECT is(pg_temp.limited('USD', 1000, 2000), 'stored', 'two raise the limit');
SELECT is(pg_temp.approve(), 'approved', 'one is enough');

-- an approval ends
UPDATE pay.payout_batch SET until = now() WHERE state = 'approved';
SELECT is(pg_temp.begin_send(), 'expired', 'an approval that is too old');
SELECT is(pg_temp.states(), 'approved 1000, ready 2000', 'is none');
SELECT is(pg_temp.batch(), 'made 1 2000', 'another batch of the item');
SELECT is(pg_temp.approve(), 'approved', 'is approved');

-- what stops an approved item
SELECT is(pay_ops.stop_payout_provider('m1', 'bank', true, 'ann', 'odd'),
          'stopped', 'the switch');
SELECT is(pg_temp.begin_send(), 'stopped', 'stops sending');
SELECT is(pg_temp.states(), 'approved 1000, approved 2000', 'no more');
SELECT is(pay_ops.stop_payout_provider('m1', 'bank', false, 'ann', 'ok'),
          'started', 'the switch');
SELECT is(pay_ops.hold_payouts('m1', 'seller-1', NULL, true, 'ann', 'odd'),
          'held', 'the seller is held');
SELECT is(pg_temp.begin_send(), 'held', 'and so is the item');
SELECT is(pay_ops.hold_payouts('m1', 'seller-1', NULL, false, 'ann', 'ok'),
          'unheld', 'no more');
SELECT is(pay_ops.cancel_payout('m1', pg_temp.item(), 'ann', 'odd'),
          'cancelled', 'a held item is given up');

-- the way of a good item
SELECT is(pg_temp.sent(), 'sending', 'an item is sent');
SELECT is(pg_temp.begin_send(), 'no_way', 'once');
SELECT is(pay_ops.cancel_payout('m1', pg_temp.item(), 'ann', 'odd'),
          'no_way', 'and is not given up any more');
SELECT is(pg_temp.tell('not_sent'), 'approved', 'nothing has left us');
SELECT is(pg_temp.begin_send(), 'sending', 'so it is sent again');
SELECT is(pg_temp.tell('accepted', 'r1'), 'unchanged', 'accepted');
SELECT is(pg_temp.entries_of(), 'payout_reserved 3000', 'the money waits');
SELECT is(pg_temp.tell('sent'), 'sent', 'the provider pays');
SELECT is(pg_temp.entries_of(), 'payout_reserved 3000, payout_sent 3000',
          'the entry');
SELECT is(pg_temp.tell('sent', 'r1'), 'unchanged', 'once');
SELECT is(pg_temp.tell('accepted', 'r1'), 'unchanged', 'an older message');
SELECT is(pg_temp.tell('sent', 'r2'), 'contradiction',
          'two payments of one item');
SELECT is(pg_temp.tell('paid', 'r1'), 'paid', 'it has arrived');
SELECT is(pg_temp.tell('sent', 'r1'), 'unchanged', 'a late message');
SELECT is(pg_temp.tell('settled', 'r1'), 'settled', 'it is in the file');
SELECT is(pg_temp.tell('bad', 'r1'), 'invalid', 'an unknown word');

-- unknown is never payable by time
SELECT is(pg_temp.sent(), 'sending', 'another item');
SELECT is(pg_temp.tell('unknown'), 'unknown', 'no answer');
SELECT throws_ok(format('UPDATE pay.payout SET state = %L WHERE payout_id = '
    'pg_temp.item()', s), state, NULL, s) FROM (VALUES
    ('ready', 'PAY10'), ('approved', 'PAY10'), ('cancelled', 'PAY10'),
    ('draft', 'PAY10'), ('held', 'PAY10'), ('failed', '23514')) t (s, state);
SELECT is(pg_temp.begin_send(), 'no_way', 'it is not sent again');
SELECT is(pg_temp.tell('failed'), 'unchanged', 'a failure without a proof');
SELECT is(pg_temp.tell('not_sent'), 'unchanged', 'nor this');
SELECT is(pg_temp.tell('failed', NULL, 'not_found'), 'failed',
          'the provider does not have it');
SELECT is(pg_temp.entries_of(), 'payout_released 1000, payout_reserved 1000',
          'the money is the seller''s');
SELECT is(pg_temp.tell('failed', NULL, 'not_found'), 'unchanged', 'once');
SELECT is(pg_temp.tell('sent', 'r3'), 'contradiction', 'it was there');
SELECT is((SELECT concat_ws(' ', p.state, p.provider_ref) FROM pay.payout p
           WHERE p.payout_id = pg_temp.item()), 'failed',
          'an operator decides');
SELECT is((SELECT count(*) FROM pay.payout_outbox o
           WHERE o.kind = 'payout.contradiction'), 3::bigint,
          'who is notified');
SELECT is(pg_temp.pay(p_currency => 'USD'), 'made 1000 USD',
          'its lines are paid again');
SELECT is((SELECT p.attempt::int FROM pay.payout p
           WHERE p.payout_id = pg_temp.item()), 2, 'by the next attempt');
SELECT pg_temp.batch(), pg_temp.approve(), pg_temp.begin_send()
\g /dev/null

-- the echo
SELECT is(pg_temp.tell('sent', 'r4', p_amount => 999), 'contradiction',
          'another amount');
SELECT is(pg_temp.tell('paid', 'r4', p_end => '6199'), 'contradiction',
          'another account');
SELECT is(pg_temp.tell('paid', 'r4', p_currency => 'EUR'), 'contradiction',
          'another currency');
SELECT is((SELECT p.state::text FROM pay.payout p
           WHERE p.payout_id = pg_temp.item()), 'unknown', 'is unknown');
SELECT is(pg_temp.tell('accepted', 'r4', p_amount => 1000, p_end => '3000'),
          'sending', 'the provider has it after all');
SELECT is(pg_temp.tell('failed', 'r4'), 'unknown',
          'a refusal without a proof');
SELECT is(pg_temp.tell('returned', 'r4', p_amount => 1000), 'returned',
          'the news of its end comes first');
SELECT is(pg_temp.entries_of(), 'payout_reserved 1000, payout_returned 1000, '
          'payout_sent 1000', 'all three entries');
SELECT is((SELECT concat_ws(' ', a.state, a.returns)
           FROM pay.payout_account a), 'suspect 1',
          'the account is suspect');
SELECT is(pg_temp.pay(p_currency => 'USD'), 'suspect 1000 USD',
          'nothing more is made');
SELECT is((SELECT pay_ops.settle_destination('m1', a.destination_id, 'open',
               'ann', 'called') FROM pay.payout_account a), 'stored',
          'an operator has looked');

-- a return after the settlement, and the second one
SELECT pg_temp.pay(p_currency => 'USD'), pg_temp.batch(), pg_temp.approve(),
    pg_temp.begin_send(), pg_temp.tell('settled', 'r5')
\g /dev/null
SELECT is(pg_temp.tell('failed', 'r5'), 'returned',
          'a failure behind the payment is a return');
SELECT is(pg_temp.tell('returned', 'r5'), 'unchanged', 'booked once');
SELECT is((SELECT concat_ws(' ', a.state, a.returns)
           FROM pay.payout_account a), 'blocked 2', 'it is blocked');
SELECT is(pg_temp.account(), 'blocked', 'a new number does not help');
SELECT is((SELECT pay_ops.settle_destination('m1', a.destination_id, s, 'ann',
               'called') FROM pay.payout_account a), o, s)
FROM (VALUES ('open', 'blocked'), ('closed', 'stored'), ('open', 'closed'),
             ('shut', 'invalid')) t (s, o);
SELECT is(pg_temp.account(), 'stored 1', 'another account');
SELECT is((SELECT string_agg(o.kind, ', ' ORDER BY o.act_id)
           FROM pay.payout_outbox o WHERE o.kind LIKE 'destination%'),
          'destination.entered, destination.suspect, destination.blocked, '
          'destination.entered', 'each is a message');
SELECT is((SELECT concat_ws(' ', w.available_minor, w.reserved_minor)
           FROM pay.wallet w), '4000 1000', 'the wallet at the end');

-- every state and every fact: nothing but the table of states
CREATE FUNCTION pg_temp.judged(p_state text, p_fact text) RETURNS text
LANGUAGE sql SET search_path = pay, pg_temp AS
'SELECT judge_payout(p_state, p_fact)';
SELECT is_empty($$
    SELECT s, f, pg_temp.judged(s, f)
    FROM unnest('{draft,held,ready,approved,sending,sent,paid,settled,
        returned,failed,cancelled,unknown}'::text[]) s,
        unnest('{accepted,not_sent,sent,paid,settled,failed,returned,
        unknown}'::text[]) f
    WHERE pg_temp.judged(s, f) NOT IN ('unchanged', 'contradiction')
        AND NOT EXISTS (
            SELECT FROM pay.payout_transition t
            WHERE t.old_state = s AND t.new_state = pg_temp.judged(s, f))
        -- by way of sent
        AND NOT (s IN ('sending', 'unknown')
                 AND pg_temp.judged(s, f) IN ('settled', 'returned'))
$$, 'no fact asks for a way that there is not');
SELECT is((SELECT count(*) FROM pay.payout_transition t
           WHERE t.new_state = 'unknown' OR t.old_state = 'unknown'
               AND t.new_state NOT IN ('sending', 'sent', 'paid', 'failed')),
          1::bigint, 'unknown has no other way out');

SET CONSTRAINTS ALL IMMEDIATE;
\i :checks

SELECT finish();
ROLLBACK;
