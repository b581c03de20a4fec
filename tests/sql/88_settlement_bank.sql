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

\i :checks
SELECT * FROM finish();
ROLLBACK;
