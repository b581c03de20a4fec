-- A file of several statements is a batch that its first one names: a file of some
-- of them says nothing about the others, and another statement is nothing added.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

-- a file of the bank: rows of the statements of which a row is one, "a1" of a
CREATE FUNCTION pg_temp.bank(p_name text, VARIADIC p_rows text[])
RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.import(p_name, ARRAY(
        SELECT format('%s|receipt||||%s|0|%2$s|EUR|||%s',
            split_part(r, ' ', 1), split_part(r, ' ', 2), left(r, 1))
        FROM unnest(p_rows) r),
    'bank', '/' || left(p_rows[1], 1) || '/EUR/0/0')
$$;
CREATE FUNCTION pg_temp.waits(p_finding text) RETURNS text LANGUAGE sql AS $$
SELECT coalesce(string_agg(r.row_key, ' ' ORDER BY r.row_key), 'none')
FROM pay.settlement_exception x
JOIN pay.settlement_row r ON r.row_id = x.row_id
WHERE x.finding = p_finding AND x.closed_at IS NULL
$$;

SELECT is(pg_temp.bank('1', 'a1 10', 'b1 20', 'b2 30'), 'booked 3 0 0 0 3',
          'a file of two statements');
SELECT is(pg_temp.bank('2', 'a1 10'), 'booked 1 0 0 0 0',
          'the first one by itself');
SELECT is(pg_temp.waits('gone'), 'none', 'says nothing about the second one');
SELECT is(pg_temp.bank('3', 'b1 20', 'b2 30', 'c1 40'), 'booked 3 0 0 0 1',
          'the second one and a third');
SELECT is(pg_temp.bank('4', 'a1 10', 'd1 50'), 'booked 2 0 0 0 1',
          'the first one and a fourth');
SELECT is(pg_temp.waits('added') || pg_temp.waits('gone'), 'nonenone',
          'which is nothing added');
SELECT is(pg_temp.bank('5', 'a1 10', 'a2 5', 'b1 20', 'd2 7'),
    'booked 4 0 0 2 0', 'later versions of three');
SELECT is(pg_temp.waits('added'), 'a2 d2', 'add rows to two');
SELECT is((SELECT string_agg(x.closed_as || ' ' || r.row_key, ', '
                             ORDER BY r.row_key)
           FROM pay.settlement_exception x
           JOIN pay.settlement_row r ON r.row_id = x.row_id
           WHERE x.closed_at IS NOT NULL), 'gone b2, gone d1',
    'and two have rows that are gone');

SET CONSTRAINTS ALL IMMEDIATE;
\i :checks

SELECT finish();
ROLLBACK;
