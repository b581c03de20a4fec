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

\i :checks
SELECT * FROM finish();
ROLLBACK;
