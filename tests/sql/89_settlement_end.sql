-- The end of a file in pieces: rows of the queue are matched again, however many
-- wait, and rows that a later version of a batch lacks are found, however many
-- there are.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

-- sales that nobody knows: each waits in suspense
CREATE FUNCTION pg_temp.unknown(p_from int, p_until int) RETURNS text[]
LANGUAGE sql AS $$
SELECT array_agg(concat('u', n, '|sale|ch-', n, '|pi-u', n, '||100|0|100'))
FROM generate_series(p_from, p_until) n
$$;
CREATE FUNCTION pg_temp.pays(p_n int) RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.begin('m1', 'k-u' || p_n, 'u' || p_n, ARRAY['ou' || p_n || ':100']);
SELECT pg_temp.token('m1', 'u' || p_n, 't-u' || p_n);
SELECT pg_temp.fact('t-u' || p_n, 'paid', p_reference => 'pi-u' || p_n)
$$;
CREATE FUNCTION pg_temp.ended(VARIADIC p_keys text[]) RETURNS text
LANGUAGE sql AS $$
SELECT string_agg(coalesce(x.closed_as, 'waits'), ' '
                  ORDER BY array_position(p_keys, r.row_key::text))
FROM pay.settlement_exception x
JOIN pay.settlement_row r USING (row_id)
WHERE r.row_key = ANY (p_keys)
$$;

SELECT is(pg_temp.import('many', pg_temp.unknown(1, 2300)),
          'booked 2300 0 0 0 2300', 'more than two slices wait');
SELECT is(pg_temp.pays(1) || ' ' || pg_temp.pays(1500) || ' '
          || pg_temp.pays(2299), 'applied applied applied',
          'three of them are paid after all');
SELECT is(pg_temp.import('next', ARRAY['c1|fee||||0|-1|-1']),
          'booked 1 0 1 0 0', 'another file');
SELECT is(pg_temp.ended('u1', 'u2', 'u1500', 'u2299', 'u2300'),
    'matched waits matched matched waits',
    'matches all that are known, behind the first 1000, too');
SELECT is(pg_temp.entries('u1500'),
    'unknown_receipt 100 USD, unknown_receipt_cleared 100 USD',
    'whose money leaves suspense');

-- a slice whose news are reported first is finished before the next one begins
CREATE FUNCTION pg_temp.sells(p_n int) RETURNS text LANGUAGE sql AS $$
SELECT b.outcome FROM pg_temp.begin('m1', 'k-u' || p_n, 'u' || p_n,
    ARRAY['ou' || p_n || ':100']) b;
SELECT pg_temp.token('m1', 'u' || p_n, 't-u' || p_n, p_alias => 'pi-u' || p_n)
$$;
CREATE FUNCTION pg_temp.steps(p_name text, p_rows text[]) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    v_id    bigint := (SELECT o.file_id FROM pay_ops.open_settlement('stripe',
        encode(sha256(p_name::bytea), 'hex'), p_name) o);
    v_state text;
    v_ends  text[] := '{}';
BEGIN
    v_state := pay_ops.prove_settlement(v_id, NULL,
        pg_temp.stage(v_id, p_rows, 'USD'), '{}');
    WHILE v_state <> 'booked' LOOP
        v_state := pay_ops.advance_settlement(v_id);
        v_ends := v_ends || (
            SELECT format('%s %s-%s', f.phase,
                (SELECT count(*) FROM pay.settlement_exception x
                 WHERE x.exception_id <= e.queue_after),
                (SELECT count(*) FROM pay.settlement_exception x
                 WHERE x.exception_id <= e.queue_until))
            FROM pay.settlement_end e
            JOIN pay.settlement_file f USING (file_id)
            WHERE e.file_id = v_id);
    END LOOP;
    RETURN array_remove(v_ends, NULL);
END
$$;
SELECT is(pg_temp.sells(1400), 'stored', 'an order that no webhook has paid');
SELECT is(pg_temp.steps('news', ARRAY['c2|fee||||0|-1|-1']),
    ARRAY['take 1001-1001', 'tell 1001-2002', 'match 1001-2002',
          'take 2002-2002'],
    'each slice ends before the next one begins');
SELECT is(pg_temp.ended('u1400'), 'matched', 'the file has paid it');
SELECT is((SELECT count(*) FROM pay.settlement_end), 0::bigint,
          'nothing of the end is left');

-- an empty file has an end, too
SELECT is(pg_temp.import('empty', '{}'), 'booked 0 0 0 0 0', 'no row at all');

-- a version that lacks most of the one before
CREATE FUNCTION pg_temp.fees(p_from int, p_until int) RETURNS text[]
LANGUAGE sql AS $$
SELECT array_agg(concat('f', n, '|fee||||0|-1|-1'))
FROM generate_series(p_from, p_until) n
$$;
SELECT is(pg_temp.import('v1', pg_temp.fees(1, 11000), p_batch => 'b'),
          'booked 11000 0 11000 0 0', 'a batch');
SELECT is(pg_temp.import('v2', pg_temp.fees(6001, 6003), p_batch => 'b'),
          'booked 3 0 0 10997 0', 'its next version lacks nearly all of it');
SELECT is(concat_ws(' ', count(*), count(DISTINCT x.row_id),
                    count(*) FILTER (WHERE r.row_key IN ('f6001', 'f6003'))),
          '10997 10997 0', 'each row that is gone waits once')
FROM pay.settlement_exception x
JOIN pay.settlement_row r USING (row_id) WHERE x.finding = 'gone';
SELECT is(pg_temp.import('v3', pg_temp.fees(6001, 6003) || pg_temp.fees(1, 1),
                         p_batch => 'b'), 'booked 4 0 0 0 0',
          'a third version has one of them again, and it is not gone twice');

-- no step looks for more rows than it is to
CREATE FUNCTION pg_temp.misses(p_limit int) RETURNS int[]
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_file   settlement_file;
    v_source settlement_source;
    v_pieces int[] := '{}';
    v_more   boolean := true;
BEGIN
    SELECT * INTO v_file FROM settlement_file f WHERE f.name = 'v3';
    SELECT * INTO v_source FROM settlement_source s
    WHERE s.source = v_file.source;
    INSERT INTO settlement_end (file_id) VALUES (v_file.file_id);
    DELETE FROM settlement_exception x WHERE x.finding = 'gone';
    WHILE v_more LOOP
        v_more := miss_rows(v_file, v_source, p_limit);
        v_pieces := v_pieces || (
            SELECT e.gone::int - (SELECT coalesce(sum(n), 0)::int
                                  FROM unnest(v_pieces) n)
            FROM settlement_end e WHERE e.file_id = v_file.file_id);
    END LOOP;
    DELETE FROM settlement_exception x WHERE x.finding = 'gone';
    DELETE FROM settlement_end;
    RETURN v_pieces;
END
$$;
SELECT is(m, '{4000,4000,3000}', 'no piece has more rows than it is told')
FROM pg_temp.misses(4000) m;

\i :checks
SELECT * FROM finish();
ROLLBACK;
