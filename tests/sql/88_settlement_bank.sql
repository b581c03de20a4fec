-- Rows of a bank and the payouts that they are.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.payouts(p_name text, p_rows text[]) RETURNS text
LANGUAGE sql AS $$
SELECT pg_temp.import(p_name, p_rows)
$$;

SELECT is(pg_temp.import('payouts', ARRAY(
    SELECT format('p%s|payout|po-%s|||%s|0|%s||||po-%s', n, n, -n * 100,
                  -n * 100, n)
    FROM unnest('{1001,1002,1003,1004,1005,1017,1031,1099}'::int[]) n)),
    'booked 8 0 8 0 0', 'payouts');
SELECT is(pg_temp.import('negative', ARRAY['n1|payout|po-n|||77|0|77||||po-n']),
    'booked 1 0 1 0 0', 'one that the PSP collects');

SELECT is(pg_temp.import('statement', ARRAY[
    'b1|receipt||||100100|0|100100||||||STRIPE po-1001',
    'b2|receipt||||100200|0|100200||||||STRIPE PO -10 02 NOV',
    'b3|receipt||||100300|0|100300', 'b4|receipt||||200900|0|200900',
    'b5|receipt||||101600|0|101600||||||po-1017',
    'b6|receipt||||5|0|5||||||a friend', 'b7|debit||||-77|0|-77',
    'b8|debit||||-13|0|-13', 'b9|receipt||||0|0|0|||||||d'],
    p_source => 'bank'), 'booked 9 6 0 1 2', 'a statement');
SELECT is(pg_temp.found('b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7', 'b8', 'b9'),
    '0 matched text, 0 matched text, 0 matched window, 0 matched subset,'
    ' 2 amount, 3 unknown, 0 matched window, 3 unknown, 0 part',
    'by its text, by amount and day, by a sum');
SELECT is(pg_temp.entries('b1') || ' / ' || pg_temp.entries('b7') || ' / '
    || pg_temp.entries('b6'), 'psp_received 100100 USD / psp_collected 77 USD'
    ' / unknown_bank_receipt 5 USD', 'booked');
SELECT is(pay_ops.accept_settlement(x.exception_id, 'ann', 'its fee'),
          'accepted', 'the bank has kept a fee')
FROM pay.settlement_exception x WHERE x.finding = 'amount';
SELECT is(pg_temp.entries('b5'), 'payout_fee 100 USD, psp_received 101600 USD',
          'which is booked');
SELECT is(pay_ops.accept_settlement(x.exception_id, 'ann', 'found',
    'psp_received'), 'accepted', 'it is known what it was')
FROM pay.settlement_exception x JOIN pay.settlement_row r USING (row_id)
WHERE r.row_key = 'b6';
SELECT is(pg_temp.holds('USD', 'psp_in_transit'), (213000 - 5)::text,
          'two are on their way');
-- two of one amount: nobody knows which
SELECT is(pg_temp.import('twins', ARRAY['t1|payout|po-t1|||-900|0|-900',
    't2|payout|po-t2|||-900|0|-900']), 'booked 2 0 2 0 0', 'twins');
SELECT is(pg_temp.import('twin', ARRAY['t3|receipt||||900|0|900'],
    p_source => 'bank'), 'booked 1 0 0 0 1', 'are not guessed');

-- the name that the PSP has given the bank; a day or a short number is none
SELECT is(pg_temp.import('named', ARRAY[
    'w1|payout||||-5000|0|-5000||||7||||TX1XT',
    'w2|payout||||-5000|0|-5000||||1234||||TX2XT',
    'w3|payout||||-5000|0|-5000||||2026-11-20']),
    'booked 3 0 3 0 0', 'payouts of one amount');
SELECT is(pg_temp.import('their names', ARRAY[
    'v1|receipt||||5000|0|5000||||||1234 T X2XT 2026-11-20',
    'v2|receipt||||5000|0|5000||||||TX1XT BATCH 7'],
    p_source => 'bank'), 'booked 2 2 0 0 0', 'by the name at the bank');
SELECT is((SELECT string_agg(concat_ws(' ', r.row_key, c.source), ', '
                             ORDER BY r.row_key)
           FROM pay.settlement_row r
           JOIN pay.settlement_closed c ON c.match_id = r.row_id
           WHERE r.row_key IN ('v1', 'v2')),
    'v1 payout/stripe/1/w2, v2 payout/stripe/1/w1', 'each its own');
SELECT is(pay.payout_names('123456', 'po-1', '2026-11-20'), 'PO-1',
          'neither a short number nor a day');
SELECT is(pay.payout_names('12345678', NULL, NULL), '12345678',
          'but a long number');

-- one payout that comes in parts, all of them in one statement
SELECT is(pg_temp.import('to be split', ARRAY[
    'y1|payout|po-y1|||-6001|0|-6001||||po-y1',
    'y2|payout|po-y2|||-6003|0|-6003||||po-y2']), 'booked 2 0 2 0 0', 'two');
SELECT is(pg_temp.import('in parts', ARRAY[
    'z1|receipt||||4000|0|4000||||||po-y1', 'z2|receipt||||2001|0|2001||||||po-y1',
    'z3|receipt||||4000|0|4000||||||po-y2', 'z4|receipt||||2000|0|2000||||||po-y2'],
    p_source => 'bank'), 'booked 4 2 0 2 0', 'parts');
SELECT is(pg_temp.found('z1', 'z2', 'z3', 'z4'), '0 matched group,'
    ' 0 matched group, 2 amount, 2 amount', 'the whole, and less than it');
SELECT is(pg_temp.entries('z1') || ' / ' || pg_temp.entries('z2'),
    'psp_received 4000 USD / psp_received 2001 USD', 'booked');

-- a PSP that names two payouts alike: the bank's exact amount tells which
SELECT is(pg_temp.import('alike', ARRAY[
    'a1|payout||||-7004|0|-7004||||||||TX9XT',
    'a2|payout||||-7009|0|-7009||||||||TX9XT',
    'a3|payout||||-7020|0|-7020||||||||TX8XT',
    'a4|payout||||-7020|0|-7020||||||||TX8XT']),
    'booked 4 0 4 0 0', 'two payouts of one name, twice');
SELECT is(pg_temp.import('alike at the bank', ARRAY[
    'c1|receipt||||7001|0|7001||||||TX9XT', 'c2|receipt||||7004|0|7004||||||TX9XT',
    'c3|receipt||||7020|0|7020||||||TX8XT'],
    p_source => 'bank'), 'booked 3 1 0 2 0', 'three receipts');
SELECT is(pg_temp.found('c1', 'c2', 'c3'), '2 amount, 0 matched text, 2 amount',
    'one has the amount of one of the two, another that of both');
SELECT is(x.proposed #>> '{entries,0,source}' || ' '
    || jsonb_array_length(x.proposed -> 'entries'), 'payout/stripe/1/a2 1',
    'the other payout of the name is proposed for the rest')
FROM pay.settlement_exception x JOIN pay.settlement_row r USING (row_id)
WHERE r.row_key = 'c1';

\i :checks
SELECT * FROM finish();
ROLLBACK;
