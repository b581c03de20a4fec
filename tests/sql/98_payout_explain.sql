-- explain about the seller's money of an order: how much waits, what stops it
-- and until when, and the items that have had it.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
\ir payout.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.said(p_order text) RETURNS json LANGUAGE sql AS $$
SELECT x.explanation::json -> 'payout'
FROM pay_api.explain_payment('{m1}', ARRAY[p_order], '{0}') x
$$;
CREATE FUNCTION pg_temp.days(p_time text) RETURNS text LANGUAGE sql AS $$
SELECT '@' || round(extract(epoch FROM p_time::timestamptz - now()) / 86400)
$$;
-- open, reserved until / stop until / the seller's stop until / states of items
CREATE FUNCTION pg_temp.waits(p_order text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', e ->> 'open', e ->> 'reserved',
    pg_temp.days(e ->> 'reserved_until'), '/', e ->> 'stop',
    pg_temp.days(e ->> 'until'), '/', e ->> 'seller_stop',
    pg_temp.days(e ->> 'seller_until'), '/',
    (SELECT string_agg(concat_ws(' ', p ->> 'state', p ->> 'of_order', 'of',
                                 p ->> 'amount'), ', ' ORDER BY n)
     FROM json_array_elements(e -> 'payouts') WITH ORDINALITY x (p, n)))
FROM pg_temp.said(p_order) e
$$;

SELECT pg_temp.begin('m1', 'k0', 'c0', '{o0:100}')
\g /dev/null
SELECT is(json_typeof(pg_temp.said('o0')), 'null', 'nothing was sold');

SELECT pg_temp.provider(), pg_temp.policy('delivered', 14, false, 10)
\g /dev/null
SELECT pg_temp.sold('c1', '{o1:1000:s1,o2:500:s1}')
\g /dev/null
SELECT is(pg_temp.waits('o1'), '10.00 0.00 / not_delivered / no_destination /',
          'lines that no run has taken in');
SELECT is(pg_temp.pay('s1'), 'nothing USD', 'a look');
SELECT is(pg_temp.waits('o1'),
          '9.00 1.00 @90 / not_delivered / no_destination /', 'a reserve');

SELECT pg_temp.release('o1'), pg_temp.account(p_seller => 's1')
\g /dev/null
SELECT is(pg_temp.waits('o1'), '9.00 1.00 @90 / / /', 'nothing stops it');
SELECT is(pg_temp.waits('o2'), '4.50 0.50 @90 / not_delivered / /',
          'each order by itself');
SELECT pg_temp.account('DE02120300000000202051', p_seller => 's1')
\g /dev/null
SELECT is(pg_temp.waits('o1'), '9.00 1.00 @90 / / cooling_off @3 /',
          'the account was changed');
SELECT pg_temp.cooled()
\g /dev/null
SELECT pay_ops.hold_payouts('m1', 's1', NULL, true, 'ann', 'test')
\g /dev/null
SELECT is(pg_temp.waits('o1'), '9.00 1.00 @90 / / hold /',
          'the seller is held');
SELECT pay_ops.hold_payouts('m1', 's1', NULL, false, 'ann', 'test')
\g /dev/null

SELECT is(pg_temp.pay('s1'), 'made 900 USD', 'an item');
SELECT is(pg_temp.waits('o1'), '0.00 1.00 @90 / / / ready 9.00 of 9.00',
          'that has the order');
SELECT pg_temp.release('o2'), pay_ops.cancel_payout('m1', pg_temp.item(),
                                                    'ann', 'test')
\g /dev/null
SELECT is(pg_temp.pay('s1'), 'made 1350 USD', 'another one');
SELECT is(pg_temp.waits('o1'), '0.00 1.00 @90 / / / cancelled 9.00 of 9.00, '
          'ready 9.00 of 13.50', 'and the one before');
SELECT is(pg_temp.waits('o2'), '0.00 0.50 @90 / / / ready 4.50 of 13.50',
          'of the other order only its own');

SELECT pg_temp.policy('days', 14)
\g /dev/null
SELECT pg_temp.sold('c3', '{o3:1000:s2}')
\g /dev/null
SELECT is(pg_temp.waits('o3'), '10.00 0.00 / too_early @14 / no_destination /',
          'until when');
SELECT pay_ops.set_payout_schedule('m1', NULL, 'day', NULL, NULL, NULL, NULL,
    NULL, 'ann', 'test')
\g /dev/null
SELECT ok((pg_temp.said('o3') ->> 'next_run_at')::timestamptz > now(),
          'the next run');

SET CONSTRAINTS ALL IMMEDIATE;
\i :checks

SELECT finish();
ROLLBACK;
