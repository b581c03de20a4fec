-- Two versions of a batch are imported at the same time: the second one is
-- proven, and its importer goes on, before the first one is booked.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.proven(p_name text, p_rows text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_id bigint := (SELECT o.file_id FROM pay_ops.open_settlement('stripe',
        encode(sha256(p_name::bytea), 'hex'), p_name) o);
BEGIN
    RETURN pay_ops.prove_settlement(v_id, 'batch',
        pg_temp.stage(v_id, p_rows, 'USD'), '{}');
END
$$;
CREATE FUNCTION pg_temp.step(p_name text) RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.advance_settlement(f.file_id)
FROM pay.settlement_file f WHERE f.name = p_name
$$;
CREATE FUNCTION pg_temp.states() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(f.name || ' ' || f.version || ' ' || f.state, ', '
                  ORDER BY f.version)
FROM pay.settlement_file f
$$;

SELECT is(pg_temp.proven('a', ARRAY['a1|fee||||0|-1|-1', 'a2|fee||||0|-2|-2']),
          'proven', 'the first version');
SELECT is(pg_temp.proven('b', ARRAY['a1|fee||||0|-1|-1', 'a3|fee||||0|-3|-3']),
          'proven', 'and the second one, before the first is booked');
SELECT is(pg_temp.step('b') || ': ' || pg_temp.states(),
    'booking: a 1 booking, b 2 proven',
    'a step of the second one is a step of the first');
SELECT is(pg_temp.step('b') || ': ' || pg_temp.states(),
    'booking: a 1 booked, b 2 proven', 'until that is booked');
SELECT is(pg_temp.step('b') || ', ' || pg_temp.step('b') || ': '
          || pg_temp.states(),
    'booking, booked: a 1 booked, b 2 booked', 'then it is booked itself');
SELECT is(
    (SELECT string_agg(format('%s %s %s', r.row_key, r.class, r.finding), ', '
                       ORDER BY r.row_key)
     FROM pay.settlement_row r),
    'a1 1 charged, a2 1 charged, a3 2 added', 'of the second one the difference alone is new');


-- the server crashes when some of the first version is booked, and the second one
-- is imported before the first comes again
CREATE FUNCTION pg_temp.id(p_name text) RETURNS bigint LANGUAGE sql AS $$
SELECT f.file_id FROM pay.settlement_file f WHERE f.name = p_name
$$;
CREATE FUNCTION pg_temp.opened(p_name text, p_rows text[], p_batch text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_open record := pay_ops.open_settlement('stripe',
        encode(sha256(p_name::bytea), 'hex'), p_name);
BEGIN
    RETURN v_open.outcome || ' ' || pay_ops.prove_settlement(v_open.file_id,
        p_batch, pg_temp.stage(v_open.file_id, p_rows, 'USD'), '{}');
END
$$;
CREATE FUNCTION pg_temp.go_on(p_name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
BEGIN
    FOR v_n IN 1 .. 50 LOOP
        v_state := pay_ops.advance_settlement(pg_temp.id(p_name), 1);
        EXIT WHEN v_state = 'booked';
    END LOOP;

    RETURN v_state;
END
$$;
CREATE FUNCTION pg_temp.crash() RETURNS void LANGUAGE sql AS $$
DELETE FROM ONLY pay.settlement_staging;
DELETE FROM pay.settlement_work;
DELETE FROM pay.settlement_open;
DELETE FROM pay.settlement_proof;
DELETE FROM pay.settlement_sum
$$;
CREATE FUNCTION pg_temp.kept(p_prefix text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(format('%s %s %s %s', r.row_key, r.version, r.class,
                         r.finding), ', ' ORDER BY r.row_key, r.version)
FROM pay.settlement_row r WHERE starts_with(r.row_key, p_prefix)
$$;
CREATE FUNCTION pg_temp.charged(p_prefix text) RETURNS numeric LANGUAGE sql AS $$
SELECT sum(e.amount_minor) FROM pay.journal_entry e
WHERE e.kind = 'psp_fee'
    AND e.source LIKE 'settlement/stripe/%/' || p_prefix || '%'
$$;

SELECT pg_temp.opened('c', ARRAY['c1|fee||||0|-1|-1', 'c2|fee||||0|-2|-2',
    'c3|fee||||0|-4|-4', 'c4|fee||||0|-8|-8'], 'overtaken');
SELECT pay_ops.advance_settlement(pg_temp.id('c'), 1) FROM generate_series(1, 2);
SELECT is(pg_temp.kept('c'), 'c1 1 1 charged', 'one row of the first version is booked');
SELECT pg_temp.crash();
SELECT is(pg_temp.opened('d', ARRAY['c1|fee||||0|-1|-1', 'c2|fee||||0|-2|-2',
    'c3|fee||||0|-5|-5', 'c5|fee||||0|-16|-16'], 'overtaken') || ' '
    || pg_temp.go_on('d'), 'opened proven booked', 'the second one overtakes it');
SELECT is(pg_temp.kept('c'), 'c1 1 1 charged, c2 1 1 charged, c3 1 1 charged, '
    'c5 1 1 charged', 'and books what the first has not');
SELECT is(pg_temp.opened('c', ARRAY['c1|fee||||0|-1|-1', 'c2|fee||||0|-2|-2',
    'c3|fee||||0|-4|-4', 'c4|fee||||0|-8|-8'], 'overtaken') || ' '
    || pg_temp.go_on('c'), 'again booking booked', 'then the first comes again');
SELECT is(pg_temp.kept('c'), 'c1 1 1 charged, c2 1 1 charged, c3 1 1 charged, '
    'c3 2 2 changed, c4 1 2 added, c5 1 1 charged',
    'the rows that only it has, or has otherwise, wait for an operator');
SELECT is(pg_temp.charged('c'), 24::numeric, 'each row is booked once');

-- nothing of the first version was booked
SELECT pg_temp.opened('e', ARRAY['e1|fee||||0|-1|-1', 'e2|fee||||0|-2|-2'], 'unbegun');
SELECT pg_temp.crash();
SELECT is(pg_temp.opened('f', ARRAY['e1|fee||||0|-1|-1', 'e3|fee||||0|-4|-4'],
    'unbegun') || ' ' || pg_temp.go_on('f'), 'opened proven booked',
    'the second one overtakes a version of which nothing is booked');
SELECT is(pg_temp.kept('e'), 'e1 1 1 charged, e3 1 1 charged',
    'it is the first that is booked');
SELECT is(pg_temp.opened('e', ARRAY['e1|fee||||0|-1|-1', 'e2|fee||||0|-2|-2'],
    'unbegun') || ' ' || pg_temp.go_on('e'), 'again proven booked',
    'the first comes again, as the latest version');
SELECT is(pg_temp.kept('e'), 'e1 1 1 charged, e2 1 2 added, e3 1 1 charged',
    'whose differences wait for an operator');
SELECT is((SELECT x.finding FROM pay.settlement_exception x
           JOIN pay.settlement_row r ON r.row_id = x.row_id
           WHERE r.row_key = 'e3'), 'gone', 'the row that it lacks, too');

\i :checks
SELECT * FROM finish();
ROLLBACK;
