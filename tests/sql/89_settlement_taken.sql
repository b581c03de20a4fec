-- A later version of a file lacks a row whose fee a webhook has taken over, or
-- whose entry is that of an act before: what an operator accepts is booked.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'])
FROM generate_series(1, 4) n
\g /dev/null

CREATE FUNCTION pg_temp.gone(p_key text) RETURNS bigint LANGUAGE sql AS $$
SELECT x.exception_id
FROM pay.settlement_exception x JOIN pay.settlement_row r USING (row_id)
WHERE r.row_key = p_key AND x.finding = 'gone'
$$;
CREATE FUNCTION pg_temp.acted(p_key text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', e.kind, e.amount_minor), ', ')
FROM pay.journal_entry e
WHERE e.source LIKE '%/_/' || p_key || ' act/' || pg_temp.gone(p_key)
$$;

SELECT is(pg_temp.import('one', ARRAY['k1|fee|fee-1|pi-c1||0|-47|-47',
    'k2|fee|fee-2|pi-c2||0|-30|-30', 'k3|sale|ch-3|pi-c3||900|0|900',
    'k4|sale|ch-4|pi-c4||1000|-20|980', 'x|fee||||0|-1|-1'],
    p_batch => 'b'), 'booked 5 1 3 1 0', 'fees of two payments');
SELECT is(pay_ops.accept_settlement(x.exception_id, 'ann', 'looked'),
          'accepted', 'a sale of less is written off')
FROM pay.settlement_exception x WHERE x.finding = 'amount';
SELECT pg_temp.news('fee', 'succeeded', 'fee-' || n, m, 't-c' || n)
FROM (VALUES (1, 47), (2, 30), (4, 20)) v (n, m)
\g /dev/null
SELECT is(pg_temp.holds('USD', 'psp_fees', 'psp_clearing'), '98 3802',
          'the webhooks take them over');

SELECT is(pg_temp.import('two', ARRAY['x|fee||||0|-1|-1'], p_batch => 'b'),
          'booked 1 0 0 4 0', 'a second version lacks all of them');
SELECT is(pay_ops.accept_settlement(pg_temp.gone('k1'), 'ann', 'looked'),
          'accepted', 'it is accepted that a fee is gone');
SELECT is(pg_temp.acted('k1'), 'psp_fee_returned 47', 'under its own source');
SELECT is(pg_temp.holds('USD', 'psp_fees', 'psp_clearing'), '51 3849',
          'the money is back');
SELECT is(pay_ops.accept_settlement(pg_temp.gone('k2'), 'ann', 'looked',
    'psp_fee_returned'), 'accepted', 'and by the name of the entry');
SELECT is(pg_temp.holds('USD', 'psp_fees', 'psp_clearing'), '21 3879',
          'that of the other one, too');
SELECT is(pay_ops.write_off_settlement(pg_temp.gone('k3'), 'ann', 'looked'),
          'written_off', 'a sale that has written off before is given up');
SELECT is(pg_temp.acted('k3'), 'written_off 900', 'under its own source');
SELECT is(pay_ops.accept_settlement(pg_temp.gone('k4'), 'ann', 'looked'),
          'suspended', 'the sale with a fee');
SELECT is(pay_ops.accept_settlement(pg_temp.gone('k4'), 'ann', 'looked',
    'psp_fee'), 'accepted', 'is called a fee');
SELECT is(pg_temp.acted('k4'), 'psp_fee 980', 'under its own source');

SELECT is((SELECT count(*) FROM pay_view.settlement_expected e
           WHERE e.source LIKE '% act/%'), 0::bigint,
          'no file is expected to bring these');
SELECT is(pg_temp.import('three', ARRAY['x|fee||||0|-1|-1',
    'k1|fee|fee-1|pi-c1||0|-47|-47'], p_batch => 'b'),
    'booked 2 0 0 1 0', 'a third version has the fee again');
SELECT is(pay_ops.accept_settlement(x.exception_id, 'ann', 'looked'),
          'accepted', 'it is booked again')
FROM pay.settlement_exception x WHERE x.finding = 'added';
SELECT is(pg_temp.entries('k1'), 'psp_fee 47 USD, psp_fee 47 USD,'
    ' psp_fee_returned 47 USD', 'as its newest row');

-- whatever else would be lost is an error
CREATE FUNCTION pg_temp.twice() RETURNS int LANGUAGE plpgsql
SET search_path = pay, pg_temp AS $$
DECLARE
    v_row settlement_row := (SELECT r FROM settlement_row r
                             WHERE r.row_key = 'k4');
BEGIN
    RETURN post_act(pg_temp.gone('k4'), ARRAY[settlement_posting(
        work_of_row(v_row), 'psp_fee', 980, 'USD')]);
END
$$;
SELECT throws_ok('SELECT pg_temp.twice()', 'PAY22', NULL,
                 'an entry of an act that is booked already');

\i :checks
SELECT * FROM finish();
ROLLBACK;
