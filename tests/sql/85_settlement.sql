-- Settlement files: how they come in, prove themselves, and what is found and
-- booked of rows about sales, refunds, fees and payouts.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'])
FROM generate_series(1, 20) n
\g /dev/null
SELECT pg_temp.sold('d' || n, ARRAY[format('od%sa:100', n),
                                   format('od%sb:50', n)])
FROM generate_series(1, 4) n
\g /dev/null

-- a day of sales, a refund, a monthly fee and the payout
SELECT is(pg_temp.whole('c2', 'o2', 'refund', 'r1', 300, 'PENDING', 're-1'),
          'EXECUTING re-1', 'a refund is under way');
SELECT is(pg_temp.news('refund', 'succeeded', 're-1', 300, 't-c2'),
          'applied', 'and done');
SELECT is(pg_temp.import('day 1', ARRAY[
    'r1|sale|ch-1|pi-c1||1000|-30|970||||po-1',
    'r2|sale|ch-2|pi-c2||1000|-30|970||||po-1',
    'r3|refund|re-1|pi-c2||-300|0|-300||||po-1',
    'r4|fee||||0|-20|-20||||po-1', 'r5|payout|po-1|||-1620|0|-1620||||po-1'],
    p_batch => 'po-1'), 'booked 5 3 2 0 0', 'the file is booked');
SELECT is(pg_temp.found('r1', 'r2', 'r3', 'r4', 'r5'),
    '0 matched object, 0 matched object, 0 matched object, 1 charged,'
    ' 1 paid_out', 'what is found');
SELECT is(pg_temp.entries('r1'), 'psp_fee 30 USD', 'the fee in a sale');
SELECT is(pg_temp.entries('r3'), 'settled_refund 300 USD', 'a refund');
SELECT is(pg_temp.entries('r4'), 'psp_fee 20 USD', 'a fee of a month');
SELECT is(pg_temp.entries('r5'), 'psp_paid_out 1620 USD', 'a payout');
SELECT is(pg_temp.holds('USD', 'psp_in_transit', 'refunds'), '1620 0',
          'is on its way to the bank');
SELECT pg_temp.everything() AS before
\gset
SELECT is(pg_temp.import('day 1', '{}'), 'known', 'the same bytes again');
SELECT is(pg_temp.everything(), :'before', 'change nothing');

\i :checks
SELECT * FROM finish();
ROLLBACK;
