-- Rolling reserves whose time is over end without a run: of wallets in debt, and
-- of those whose seller has no schedule.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
\ir payout.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.due(p_wallets int DEFAULT 200) RETURNS text
LANGUAGE sql AS $$
SELECT d.outcome FROM pay_api.make_due_payouts('{w1}', ARRAY[p_wallets]) d
$$;
CREATE FUNCTION pg_temp.wallets() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', w.seller_account, w.available_minor,
    w.reserved_minor), ', ' ORDER BY w.seller_account)
FROM pay.wallet w
$$;
CREATE FUNCTION pg_temp.standing() RETURNS bigint LANGUAGE sql AS $$
SELECT count(*) FROM pay.payout_reserve r WHERE r.released_at IS NULL
$$;

SELECT pg_temp.provider(), pg_temp.policy('days', 0, false, 10)
\g /dev/null
SELECT pg_temp.sold('c1', '{o1:1000:s1}'), pg_temp.sold('c2', '{o2:500:s2}'),
    pg_temp.sold('c3', '{o3:700:s3}'),
    pg_temp.account(p_seller => 's1')
\g /dev/null
SELECT pay_ops.make_payouts('m1', s, NULL, 'ann')
FROM unnest('{s1,s2,s3}'::text[]) s
\g /dev/null
SELECT is(pg_temp.wallets(), 's1 0 1000, s2 450 50, s3 630 70',
          'one is paid out, and a part of each sale is held');
SELECT is(pg_temp.due(), 'not_due', 'their time is not over');

-- the order that was paid out is lost: the seller owes money
SELECT pg_temp.news('dispute', 'opened', 'dp-1', 800, 't-c1')
\g /dev/null
SELECT is(pg_temp.wallets(), 's1 -800 1800, s2 450 50, s3 630 70',
          'a seller in debt');
UPDATE pay.payout_reserve SET until = now() - interval '2 days';
SELECT is(pg_temp.due(1), 'again', 'a wallet of those whose time is over');
SELECT is(pg_temp.standing(), 2::bigint, 'one at a time');
SELECT is(pg_temp.due(), 'again', 'the others');
SELECT is(pg_temp.wallets(), 's1 -700 1700, s2 500 0, s3 700 0',
          'without a schedule, and with a debt');
SELECT is(pg_temp.standing(), 0::bigint, 'none stands');
SELECT is(pg_temp.due(), 'not_due', 'once');
SELECT is((SELECT count(*) FROM pay.payout), 1::bigint, 'no item is made');
SELECT is((SELECT count(*) FROM pay.journal_entry e
           WHERE e.kind = 'reserve_released'), 3::bigint, 'their entries');

-- a wallet whose entries cannot be written: its source is booked already
SELECT pg_temp.sold('c4', '{o4:900:s4}'), pg_temp.sold('c5', '{o5:300:s5}'),
    pay_ops.make_payouts('m1', s, NULL, 'ann')
FROM unnest('{s4,s5}'::text[]) s
\g /dev/null
SAVEPOINT whole;
UPDATE pay.payout_reserve SET until = now() - interval '2 days'
WHERE released_at IS NULL;
UPDATE pay.wallet SET reserved_minor = 0 WHERE seller_account = 's4';
SELECT is(pg_temp.due(), 'again', 'one of the two can be ended');
SELECT is((SELECT string_agg(r.seller_account, ' ') FROM pay.payout_reserve r
           WHERE r.released_at IS NULL), 's4', 'the other stays');
SELECT is(pg_temp.due(), 'not_due', 'and does not keep a worker busy');
ROLLBACK TO whole;

-- a reserve of a second capture, which is refunded before it is paid out: the
-- order owes no more than is taken from the seller's other orders
SELECT pg_temp.sold('c6', '{o6:1000:s6}', true),
    pg_temp.account('DE02120300000000202051', 's6')
\g /dev/null
SELECT is(pg_temp.news('capture', 'single', 'cap-1', 100, 't-c6'), 'applied',
          'a capture');
SELECT pg_temp.cooled()
\g /dev/null
SELECT is(pg_temp.pay('s6'), 'made 90 USD', 'is paid out but for its reserve');
SELECT is(pg_temp.news('capture', 'single', 'cap-2', 20, 't-c6'), 'applied',
          'another one');
SELECT is(pg_temp.change('o6', 'refund', 'r6', 20),
          'created refund NOT_STARTED 20', 'is refunded at once');
SELECT pg_temp.sold('c7', '{o7:50:s6}')
\g /dev/null
SELECT is(pg_temp.pay('s6'), 'made 43 USD', 'what is available is paid out');
SELECT is((SELECT concat_ws(' ', p.amount_minor, p.left_minor)
           FROM pay.payout p WHERE p.payout_id = pg_temp.item()), '43 0',
          'with the debt of the order');
UPDATE pay.payout_reserve SET until = now() - interval '2 days'
WHERE seller_account = 's6';
SELECT is(pg_temp.pay('s6'), 'made 5 USD', 'and the reserve of the other one');

SET CONSTRAINTS ALL IMMEDIATE;
\i :checks

SELECT finish();
ROLLBACK;
