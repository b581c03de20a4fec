-- A row that a version of a batch lacks is in a later version again: nothing is
-- booked twice, and nobody has it in the queue for nothing.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

-- a version of a batch with these fees; what became of it
CREATE FUNCTION pg_temp.version(p_batch text, p_name text,
    VARIADIC p_rows text[])
RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.import(p_name, p_rows, p_batch => p_batch)
$$;

-- the exceptions of a row: finding, amount, and how they ended
CREATE FUNCTION pg_temp.waits(p_key text) RETURNS text LANGUAGE sql AS $$
SELECT coalesce(string_agg(concat_ws(' ', r.version, x.finding,
    x.amount_minor, coalesce(x.closed_as, 'waits'),
    CASE WHEN x.is_suspended THEN 'suspended' END), ', '
    ORDER BY r.version), 'none')
FROM pay.settlement_exception x JOIN pay.settlement_row r USING (row_id)
WHERE r.row_key = p_key
$$;
CREATE FUNCTION pg_temp.open_id(p_key text) RETURNS bigint LANGUAGE sql AS $$
SELECT x.exception_id
FROM pay.settlement_exception x JOIN pay.settlement_row r USING (row_id)
WHERE r.row_key = p_key AND x.closed_at IS NULL
$$;
CREATE FUNCTION pg_temp.accept(p_key text) RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.accept_settlement(pg_temp.open_id(p_key), 'Ann', 'she asked')
$$;

-- nobody has acted: a, as it was
SELECT is(pg_temp.version('a', 'a1', 'a|fee||||0|-3|-3', 'ax|fee||||0|-1|-1'),
          'booked 2 0 2 0 0', 'a first version');
SELECT is(pg_temp.version('a', 'a2', 'ax|fee||||0|-1|-1'),
          'booked 1 0 0 1 0', 'a second one lacks a row');
SELECT is(pg_temp.waits('a'), '1 gone 3 waits', 'which waits');
SELECT is(pg_temp.version('a', 'a3', 'ax|fee||||0|-1|-1', 'a|fee||||0|-3|-3'),
          'booked 2 0 0 0 0', 'a third one has it again: it is no new row');
SELECT is(pg_temp.waits('a'), '1 gone 3 matched', 'and waits no more');
SELECT is(pg_temp.version('a', 'a4', 'ax|fee||||0|-1|-1'),
          'booked 1 0 0 1 0', 'a fourth one lacks it');
SELECT is(pg_temp.waits('a'), '1 gone 3 waits', 'it waits once more');
SELECT is(pg_temp.version('a', 'a5', 'ax|fee||||0|-1|-1', 'a|fee||||0|-4|-4'),
          'booked 2 0 0 1 0', 'a fifth one has it with another amount');
SELECT is(pg_temp.waits('a'), '1 gone 3 matched, 2 changed -1 waits',
          'the difference alone waits');
SELECT is(pg_temp.holds('USD', 'psp_fees'), '4', 'booked are the first two');

-- an operator has undone it: b
SELECT is(pg_temp.version('b', 'b1', 'b|fee||||0|-30|-30'),
          'booked 1 0 1 0 0', 'a first version');
SELECT is(pg_temp.version('b', 'b2', 'bx|fee||||0|-1|-1'),
          'booked 1 0 0 2 0', 'a second one has another row');
SELECT is(pg_temp.accept('b'), 'accepted', 'an operator believes that');
SELECT is(pg_temp.holds('USD', 'psp_fees'), '4', 'the fee is returned');
SELECT is(pg_temp.version('b', 'b3', 'bx|fee||||0|-1|-1',
                          'b|fee||||0|-30|-30'),
          'booked 2 0 0 1 0', 'a third one has it again');
SELECT is(pg_temp.waits('b'), '1 gone 30 accepted, 2 added -30 waits',
          'it waits as an added row');
SELECT is(pg_temp.version('b', 'b4', 'bx|fee||||0|-1|-1',
                          'b|fee||||0|-30|-30', 'by|fee||||0|-1|-1'),
          'booked 3 0 0 1 0', 'and is no new row in the fourth one');
SELECT is(pg_temp.accept('b'), 'accepted', 'it is accepted');
SELECT is(pg_temp.holds('USD', 'psp_fees'), '34', 'the fee is booked once');

-- an operator has undone it, and its amount is another one now: c
SELECT is(pg_temp.version('c', 'c1', 'c|fee||||0|-50|-50'),
          'booked 1 0 1 0 0', 'a first version');
SELECT is(pg_temp.version('c', 'c2', 'cx|fee||||0|-1|-1'),
          'booked 1 0 0 2 0', 'a second one has another row');
SELECT is(pg_temp.accept('c'), 'accepted', 'an operator believes that');
SELECT is(pg_temp.version('c', 'c3', 'cx|fee||||0|-1|-1',
                          'c|fee||||0|-51|-51'),
          'booked 2 0 0 1 0', 'a third one has it with another amount');
SELECT is(pg_temp.waits('c'), '1 gone 50 accepted, 2 added -51 waits',
          'all of it waits, not the difference');
SELECT is(pg_temp.accept('c'), 'accepted', 'it is accepted');
SELECT is(pg_temp.holds('USD', 'psp_fees'), '85', 'and is booked once');

-- the sale of a payment, whose money an operator has put into suspense: d
SELECT pg_temp.sold('cd', ARRAY['od:700'])
\g /dev/null
SELECT is(pg_temp.version('d', 'd1', 'd|sale|ch-d|pi-cd||700|0|700'),
          'booked 1 1 0 0 0', 'a first version');
SELECT is(pg_temp.version('d', 'd2', 'dx|fee||||0|-1|-1'),
          'booked 1 0 0 2 0', 'a second one lacks the sale');
SELECT is(pg_temp.accept('d'), 'suspended', 'its money is put into suspense');
SELECT is(pg_temp.holds('USD', 'suspense'), '700', 'there it is');
SELECT is(pg_temp.version('d', 'd3', 'dx|fee||||0|-1|-1',
                          'd|sale|ch-d|pi-cd||700|0|700'),
          'booked 2 0 1 0 0', 'a third one has the sale again');
SELECT is(pg_temp.waits('d') || ': ' || pg_temp.found('d'),
    '1 gone -700 matched: 0 matched object, 1 back', 'nobody has to act');
SELECT is(pg_temp.holds('USD', 'suspense'), '0',
          'and its money has left suspense');
SELECT is(pg_temp.version('d', 'd4', 'dx|fee||||0|-1|-1'),
          'booked 1 0 0 1 0', 'a fourth one lacks it');
SELECT is(pg_temp.waits('d'),
    '1 gone -700 matched, 2 gone -700 waits', 'it waits once more');
SELECT is(pg_temp.accept('d'), 'suspended', 'its money is put into suspense');
SELECT is(pg_temp.holds('USD', 'suspense'), '700', 'there it is, once');
SELECT is(pay_ops.write_off_settlement(pg_temp.open_id('d'), 'Ann',
              'it never comes'), 'written_off', 'and is given up');
SELECT is(pg_temp.version('d', 'd5', 'dx|fee||||0|-1|-1',
                          'd|sale|ch-d|pi-cd||700|0|700'),
          'booked 2 0 0 1 0', 'a fifth one has it');
SELECT is(pg_temp.waits('d'), '1 gone -700 matched, '
    '2 gone -700 written_off suspended, 3 added 700 waits',
    'it waits as an added row');

-- money that was in suspense is given up between two steps of the import: e
SELECT pg_temp.sold('ce', ARRAY['oe:900'])
\g /dev/null
SELECT is(pg_temp.version('e', 'e1', 'e|sale|ch-e|pi-ce||900|0|900'),
          'booked 1 1 0 0 0', 'a first version');
SELECT is(pg_temp.version('e', 'e2', 'ex|fee||||0|-1|-1'),
          'booked 1 0 0 2 0', 'a second one lacks the sale');
SELECT is(pg_temp.accept('e'), 'suspended', 'its money is put into suspense');
INSERT INTO pay.settlement_work (file_id, line, row_key, kind, raw_type,
    gross_minor, fee_minor, tax_minor, net_minor, currency, is_external,
    is_detail, source, psp, merchant_id, value_minor, value_currency, version,
    told, finding, of_file)
SELECT 0, 1, 'e', 'sale', 'psp.sale', 900, 0, 0, 900, 'USD', false, false,
    'stripe', 'stripe', 'm1', 900, 'USD', 2, false, 'back', 0;
SELECT is(pay_ops.write_off_settlement(pg_temp.open_id('e'), 'Ann',
              'it never comes'), 'written_off', 'and is given up');
CREATE FUNCTION pg_temp.cleared() RETURNS int LANGUAGE sql
SET search_path = pay, pg_temp AS 'SELECT cardinality(clear_gone(0))';
SELECT is(pg_temp.cleared(), 0, 'nothing leaves suspense');
SELECT is(w.finding, 'added', 'and the row waits as an added one')
FROM pay.settlement_work w WHERE w.file_id = 0;
DELETE FROM pay.settlement_work;

-- what one operator has asked for before the row came back agrees to nothing: g
CREATE FUNCTION pg_temp.accept_by(p_who text) RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.accept_settlement(pg_temp.open_id('g'), p_who, 'the PSP says so')
$$;
SELECT is(pg_temp.version('g', 'g1', 'g|fee||||0|-20000|-20000')
          || ', ' || pg_temp.version('g', 'g2', 'gx|fee||||0|-1|-1'),
          'booked 1 0 1 0 0, booked 1 0 0 2 0', 'a row above the limit is gone');
SELECT is(pg_temp.accept_by('Ann'), 'second', 'one operator asks');
SELECT is(pg_temp.version('g', 'g3', 'g|fee||||0|-20000|-20000',
                          'gx|fee||||0|-1|-1')
          || ', ' || pg_temp.version('g', 'g4', 'gx|fee||||0|-1|-1'),
          'booked 2 0 0 0 0, booked 1 0 0 1 0', 'it was there, and is gone');
SELECT is(pg_temp.accept_by('Bob') || ', ' || pg_temp.accept_by('Ann'),
          'second, accepted', 'both operators have to act again');

-- the receipt of a payout on a bank's statement: f
CREATE FUNCTION pg_temp.statement(p_name text, VARIADIC p_rows text[])
RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.import(p_name, p_rows, 'bank', 'f')
$$;
SELECT is(pg_temp.import('payout', ARRAY[
    'p1|payout|po_payout_1|||-600|0|-600||||po_payout_1']),
    'booked 1 0 1 0 0', 'a payout');
SELECT is(pg_temp.statement('f1',
    'f|receipt||||600|0|600||||||po_payout_1'),
    'booked 1 1 0 0 0', 'has come to the bank');
SELECT is(pg_temp.statement('f2', 'fx|receipt||||5|0|5'),
    'booked 1 0 0 2 0', 'a second version of the statement lacks it');
SELECT is(pg_temp.accept('f'), 'suspended', 'its money is put into suspense');
SELECT is(pg_temp.holds('USD', 'bank', 'suspense'), '0 600', 'there it is');

\i :checks
SELECT is(pg_temp.statement('f3',
    'f|receipt||||600|0|600||||||po_payout_1', 'fx|receipt||||5|0|5'),
    'booked 2 0 1 0 0', 'a third version has it again');
SELECT is(pg_temp.waits('f') || ': ' || pg_temp.holds('USD', 'bank',
                                                      'suspense'),
    '1 gone -600 matched: 600 0', 'its money is in the bank again');

\i :checks
SELECT * FROM finish();
ROLLBACK;
