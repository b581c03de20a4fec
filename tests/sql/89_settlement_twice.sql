-- Two programmes import one settlement file: the one that has opened it last
-- goes on, the other one ends, and nothing of the file is passed over.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.open() RETURNS bigint LANGUAGE sql AS $$
SELECT o.attempt FROM pay_ops.open_settlement('stripe',
    encode(sha256('x'), 'hex'), 'x') o
$$;
CREATE FUNCTION pg_temp.rows(p_from int, p_until int)
RETURNS text[] LANGUAGE sql AS $$
SELECT array_agg(concat('x', n, '|fee||||0|-', n, '|-', n))
FROM generate_series(p_from, p_until) n
$$;

SELECT is(pg_temp.open(), 1::bigint, 'the first one opens it');
SELECT f.file_id AS id FROM pay.settlement_file f
WHERE f.name = 'x' \gset
SELECT is(pay_ops.hold_settlement(:id, 1), 'received', 'and holds it');
SELECT is(pg_temp.stage(:id, pg_temp.rows(1, 4), 'USD'), 4::bigint,
          'it stages the rows');
SELECT is(pg_temp.open(), 2::bigint, 'another one opens it, too');
SELECT is((SELECT count(*) FROM pay.settlement_staging s
           WHERE s.file_id = :id), 0::bigint, 'so that they are gone');

PREPARE late_hold AS SELECT pay_ops.hold_settlement(:id, 1);
SELECT throws_ok('late_hold', 'PAY24', 'file ' || :id || ' is being imported'
    ' by another one', 'the first one copies no rows any more');
PREPARE late_proof AS SELECT pay_ops.prove_settlement(:id, '', 4, '{}', 1);
SELECT throws_ok('late_proof', 'PAY24', 'file ' || :id || ' is being imported'
    ' by another one', 'and does not refuse the file since they are gone');
SELECT is((SELECT f.state FROM pay.settlement_file f WHERE f.file_id = :id),
          'received', 'it stays as it is');

SELECT is(pg_temp.stage(:id, pg_temp.rows(1, 4), 'USD'), 4::bigint,
          'the second one stages the rows');
SELECT is(pay_ops.prove_settlement(:id, '', 4, '{}', 2), 'proven',
          'it proves them');
SELECT is(pay_ops.advance_settlement(:id, 1), 'booking', 'and takes a step');

-- which both may take, as long as all rows are there
SELECT is(pg_temp.open(), 3::bigint, 'a third one begins it again');
SELECT is(pg_temp.stage(:id, pg_temp.rows(1, 2), 'USD'), 2::bigint,
          'and stages a part of the rows');
PREPARE half AS SELECT pay_ops.advance_settlement(:id, 100);
SELECT throws_ok('half', 'PAY24', 'file ' || :id || ' is being imported by'
    ' another one', 'no step is taken of them');
INSERT INTO pay.settlement_staging (file_id, line, row_key, kind, gross_minor,
    fee_minor, net_minor, currency)
SELECT :id, n, 'x' || n, 'fee', 0, -n, -n, 'USD' FROM generate_series(3, 4) n;
SELECT is(pay_ops.prove_settlement(:id, '', 4, '{}', 3), 'booking',
          'until all are there');
SELECT ok(bool_or(a.state = 'booked'), 'then it is booked')
FROM generate_series(1, 9) n
CROSS JOIN LATERAL (SELECT pay_ops.advance_settlement(:id, 100 + n) AS state) a;
SELECT is((SELECT concat_ws(' ', f.row_count, f.class1, f.repeats)
           FROM pay.settlement_file f WHERE f.file_id = :id), '4 4 0',
          'whole, each row once');

-- two files of one batch: the one that is proven first is the first version
CREATE FUNCTION pg_temp.prove(p_name text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_file bigint := (SELECT f.file_id FROM pay.settlement_file f
                      WHERE f.name = p_name);
    v_state text;
BEGIN
    PERFORM pg_temp.stage(v_file, pg_temp.rows(5, 5), 'USD');
    v_state := pay_ops.prove_settlement(v_file, 'batch', 1, '{}');

    RETURN v_state || ' ' || (SELECT f.version FROM pay.settlement_file f
                              WHERE f.file_id = v_file);
END
$$;
SELECT o.outcome FROM (VALUES ('y'), ('z')) n (name),
    pay_ops.open_settlement('stripe',
        encode(sha256(n.name::bytea), 'hex'), n.name) o
\g /dev/null
SELECT is(pg_temp.prove('y'), 'proven 1', 'one is proven');
SELECT is((SELECT o.outcome FROM pay_ops.open_settlement('stripe',
    encode(sha256('y'), 'hex'), 'y') o), 'again', 'and begun again');
SELECT is(pg_temp.prove('z'), 'proven 1', 'the other one is proven meanwhile');
SELECT is(pg_temp.prove('y'), 'proven 2', 'then the first one again');
SELECT pay_ops.advance_settlement(f.file_id, 100 + n)
FROM generate_series(1, 9) n, pay.settlement_file f WHERE f.name IN ('y', 'z')
\g /dev/null
SELECT is((SELECT string_agg(f.state, ' ') FROM pay.settlement_file f
           WHERE f.name IN ('y', 'z')), 'booked booked', 'both are booked');

\i :checks
SELECT * FROM finish();
ROLLBACK;
