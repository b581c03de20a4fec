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


-- a checkout of two orders is one row
SELECT is(pg_temp.import('two orders', ARRAY[
    's1|sale|ch-d1|pi-d1||150|-5|145']), 'booked 1 1 0 0 0', 'two orders');
SELECT is(pg_temp.found('s1'), '0 matched sum', 'are one sum');

SELECT is(pg_temp.import('two orders twice', ARRAY[
    's2|sale|ch-d2|pi-d2||150|-5|145', 's3|sale|ch-d2b|pi-d2||150|0|150']),
    'booked 2 1 0 1 0', 'the sum of two orders stands there twice');
SELECT is(pg_temp.found('s2', 's3'), '0 matched sum, 2 duplicate',
          'one of the two is the sum');

-- found by our own reference, and only then by the PSP's
SELECT is(pg_temp.import('references', ARRAY[
    'n1|sale|ch-3||o3|1000|0|1000', 'n2|sale|ch-4||c4|1000|0|1000']),
    'booked 2 2 0 0 0', 'found by our ids');
SELECT is(pg_temp.found('n1', 'n2'),
    '0 matched reference, 0 matched reference', 'nonce and checkout');

-- what waits for operators: nothing of it is booked
SELECT pg_temp.holds('USD', 'psp_clearing', 'suspense') AS before
\gset
SELECT is(pg_temp.import('wrong', ARRAY[
    'w1|sale|ch-5|pi-c5||900|-30|870', 'w2|sale|ch-6|pi-c6||1000|0|1000|EUR',
    'w3|sale|ch-1|pi-c1||1000|-30|970', 'w5|adjustment||||7|0|7']),
    'booked 4 0 0 4 0', 'class 2');
SELECT is(pg_temp.found('w1', 'w2', 'w3', 'w5'), '2 amount, 2 currency,'
    ' 2 duplicate, 2 adjustment', 'why');
SELECT is(pg_temp.holds('USD', 'psp_clearing', 'suspense'), :'before',
          'no cent moves');

-- a refund of more than the order has: the mismatch queue has it, too
SELECT is(pg_temp.import('exceeds', ARRAY['w4|refund|re-9|pi-c6||-2000|0|-2000']),
    'booked 1 0 0 1 0', 'a refund of more than there is');
SELECT is(pg_temp.found('w4') || ' / ' || pg_temp.entries('w4') || ' / '
    || pg_temp.booked('event/stripe/re-9'),
    '2 exceeds object / settled_refund 2000 USD / unknown_refund 2000',
    'it is in suspense');

-- what nobody knows is in suspense at its net, so that the file balances
SELECT is(pg_temp.import('unknown', ARRAY[
    'u1|sale|ch-x|pi-x||500|-10|490', 'u2|unknown||||-40|0|-40',
    'u3|refund|re-x|pi-x||-70|0|-70', 'u4|payout|po-2|||-380|0|-380']),
    'booked 4 0 1 0 3', 'class 3');
SELECT is(pg_temp.entries('u1') || ' / ' || pg_temp.entries('u2') || ' / '
    || pg_temp.entries('u3'), 'unknown_receipt 490 USD / unknown_debit 40 USD'
    ' / unknown_debit 70 USD', 'at its net');
SELECT is(pg_temp.holds('USD', 'suspense'), '1620', 'suspense');

-- a file that does not prove is refused, whole
SELECT throws_like($$SELECT pg_temp.import('cut', ARRAY[
    'x1|sale|ch-7|pi-c7||1000|0|1000'], p_rows_read => 2)$$,
    'file % has 2 rows and 1 are staged: import it again',
    'but for one whose staged rows are lost');
SELECT is(pg_temp.import('net', ARRAY['x1|sale|ch-7|pi-c7||1000|-1|1000']),
    'refused 1 0 0 0 0 row 1: net is 1000 and should be 999', 'wrong net');
SELECT is(pg_temp.import('currency', ARRAY[
    'x1|sale|ch-7|pi-c7||1000|0|1000|XYZ']),
    'refused 1 0 0 0 0 row 1: no such currency as XYZ', 'wrong currency');
SELECT is(pg_temp.import('range', ARRAY[
    'x1|sale|ch-7|pi-c7||9223372036854775807|0|9223372036854775807']),
    'refused 1 0 0 0 0 row 1: the amount is out of range', 'out of range');
SELECT is(pg_temp.import('footer', ARRAY['x1|sale|ch-7|pi-c7||1000|-1|999'],
    p_stated => '{"USD": {"rows": 1, "gross": 1000, "net": 998}}'),
    'refused 1 0 0 0 0 net of USD is 999 and should be 998', 'wrong footer');
SELECT is(pg_temp.import('closing', ARRAY['x1|sale|ch-7|pi-c7||1000|0|1000'],
    p_stated => '{"USD": {"opening": 5, "closing": 1004}}'),
    'refused 1 0 0 0 0 the closing balance of USD is 1005 and should be 1004',
    'wrong balance');
SELECT is(pg_temp.import('payout', ARRAY[
    'x1|sale|ch-7|pi-c7||1000|0|1000||||po-3',
    'x2|payout|po-3|||-999|0|-999||||po-3']),
    'refused 2 0 0 0 0 payout po-3 of USD is 999 and its rows sum to 1000',
    'wrong payout');
SELECT is(pg_temp.import('withdrawal', ARRAY[
    'wd1|fee||||0|-20|-20||||day', 'wd2|payout|po-w|||-300|0|-300||||day'],
    p_stated => '{"USD": {"opening": 500, "closing": 180}}'),
    'booked 2 0 2 0 0', 'a withdrawal of a part of a balance');
SELECT is((SELECT count(*) FROM pay.settlement_row r WHERE r.row_key LIKE 'x_'),
          0::bigint, 'nothing of them is booked');
SELECT is(pg_temp.import('footer', ARRAY['x1|sale|ch-7|pi-c7||1000|-1|999'],
    p_stated => '{"USD": {"rows": 1, "gross": 1000, "net": 999}}'),
    'booked 1 1 0 0 0', 'the same bytes once the mistake was ours');

-- the same batch with other bytes: the difference waits for operators
SELECT is(pg_temp.import('v1', ARRAY['v1|sale|ch-8|pi-c8||1000|-10|990',
    'v2|fee||||0|-20|-20', 'v3|fee||||0|-5|-5'], p_batch => 'b'),
    'booked 3 1 2 0 0', 'first');
SELECT pg_temp.holds('USD', 'psp_clearing', 'psp_fees') AS before
\gset
SELECT is(pg_temp.import('v2', ARRAY['v1|sale|ch-8|pi-c8||1000|-10|990',
    'v2|fee||||0|-25|-25', 'v4|fee||||0|-1|-1'], p_batch => 'b'),
    'booked 3 0 0 3 0', 'second: one changed, one added, one gone');
SELECT is(pg_temp.found('v2', 'v4'), '1 charged, 2 changed, 2 added', 'why');
SELECT is((SELECT string_agg(concat_ws(' ', x.finding, r.row_key,
        x.amount_minor), ', ' ORDER BY x.exception_id)
    FROM pay.settlement_exception x JOIN pay.settlement_row r USING (row_id)
    WHERE r.row_key LIKE 'v_'), 'changed v2 -5, added v4 -1, gone v3 5',
    'all three');
SELECT is(pg_temp.holds('USD', 'psp_clearing', 'psp_fees'), :'before',
          'nothing is booked');
-- another file with a row that is known
SELECT is(pg_temp.import('again', ARRAY['v1|sale|ch-8|pi-c8||1000|-10|990',
    'v9|fee||||0|-1|-1', 'v9|fee||||0|-1|-1']), 'booked 3 0 1 1 0',
    'a repeat is nothing, a row told twice waits');
SELECT is(pg_temp.found('v9'), '1 charged, 2 repeated', 'told twice');

SELECT is(pg_temp.import('twice 1', ARRAY['y1|fee||||0|-1|-1',
    'y1|fee||||0|-1|-1'], p_batch => 'c'), 'booked 2 0 1 1 0', 'told twice');
SELECT is(pg_temp.import('twice 2', ARRAY['y1|fee||||0|-1|-1',
    'y1|fee||||0|-1|-1'], p_batch => 'c'), 'booked 2 0 0 0 0',
    'its second version has nothing new');
SELECT is(pg_temp.import('thrice', ARRAY['y1|fee||||0|-1|-1',
    'y1|fee||||0|-1|-1', 'y1|fee||||0|-1|-1'], p_batch => 'c'),
    'booked 3 0 0 1 0', 'but a third such row is one more');

-- a payout that came back is paid out again
SELECT is(pg_temp.import('paid again', ARRAY['z1|fee||||0|-10|-10||||po-n',
    'z2|payout_returned|po-old|||500|0|500||||po-n',
    'z3|payout|po-n|||-490|0|-490||||po-n']), 'booked 3 0 3 0 0',
    'it is in the sum of the payout');
SELECT is(pg_temp.import('not again', ARRAY['z4|fee||||0|-10|-10||||po-m',
    'z5|payout_returned|po-old|||500|0|500||||po-m',
    'z6|payout|po-m|||-491|0|-491||||po-m']), 'refused 3 0 0 0 0 payout po-m'
    ' of USD is 491 and its rows sum to 490', 'a sum that holds neither way');

-- a batch in another currency: its parts have no amount in the account's
SELECT is(pg_temp.import('batch 1', ARRAY[
    'f1/1|debit||f1||0|0|0|USD|-400|EUR||||d',
    'f1/2|debit||f1||0|0|0|USD|-100|EUR||||d', 'f1|debit||||-560|0|-560'],
    'bank'), 'booked 3 2 0 0 1', 'parts with an amount of the payer alone');
SELECT is(pg_temp.import('batch 2', ARRAY[
    'f2/1|debit||f2||0|0|0|USD||EUR||||d', 'f2|debit||||-560|0|-560'],
    'bank'), 'refused 2 0 0 0 0 row 1: what the buyer'
    ' paid does not go with the amount',
    'a part with a currency and no amount');
SELECT is(pg_temp.import('no batch', ARRAY[
    'f3|debit||||0|0|0|USD|-400|EUR'], 'bank'),
    'refused 1 0 0 0 0 row 1: what the buyer'
    ' paid does not go with the amount',
    'a row that is no part');

-- an entry that nobody expects in a file has its row found to be a duplicate
SELECT is_empty($$
    SELECT r.kind FROM pay.posting_rule r
    WHERE r.account IN ('psp_clearing', 'refunds', 'chargebacks')
        AND r.kind !~ '^(psp_|settled_|unknown_(debit|receipt)|rounded|written_)'
    EXCEPT SELECT x.kind FROM pay.settlement_expected x$$,
    'each kind that moves money at a PSP, and that no file has caused, is expected in one');

\i :checks
SELECT * FROM finish();
ROLLBACK;
