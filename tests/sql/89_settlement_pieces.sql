-- A file of any size is checked, cleared and swept in pieces: no call touches
-- more rows than it is told, and what it finds is what one look would find.

BEGIN;
\ir helpers.psql
SELECT no_plan();

SELECT is(pay_ops.set_settlement_source('inbox', 'generic', 'm', 'stripe',
    NULL, NULL, NULL), 'stored', 'a source');

CREATE FUNCTION pg_temp.opens(p_name text, OUT outcome text, OUT id bigint,
    OUT attempt bigint)
LANGUAGE sql AS $$
SELECT o.outcome, o.file_id, o.attempt
FROM pay_api.open_settlement('{inbox}', ARRAY[sha256(p_name::bytea)],
                             ARRAY[p_name]) o
$$;
CREATE FUNCTION pg_temp.stages(p_id bigint, p_count int) RETURNS void
LANGUAGE sql AS $$
INSERT INTO pay.settlement_staging (file_id, line, row_key, kind, gross_minor,
    fee_minor, net_minor, currency, payout_ref)
SELECT p_id, n, 'r' || n, 'sale', 100, -3, 97,
    CASE WHEN n % 2 = 0 THEN 'EUR' ELSE 'USD' END, 'po_' || n % 3
FROM generate_series(1, p_count) n
$$;
CREATE FUNCTION pg_temp.checks(p_id bigint, p_rows bigint,
    p_attempt bigint DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT c.outcome FROM pay_api.check_settlement(ARRAY[p_id],
    ARRAY[coalesce(p_attempt, (SELECT f.attempt FROM pay.settlement_file f
                               WHERE f.file_id = p_id))], ARRAY[p_rows]) c
$$;
CREATE FUNCTION pg_temp.proves(p_id bigint, p_rows bigint, p_stated jsonb)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_state text := pay_ops.prove_settlement(p_id, NULL, p_rows, p_stated);
BEGIN
    RETURN concat_ws(' ', v_state, (SELECT f.reason FROM pay.settlement_file f
                                    WHERE f.file_id = p_id));
END
$$;
-- how many rows each call has checked, until there are no more
CREATE FUNCTION pg_temp.pieces(p_id bigint, p_rows bigint) RETURNS bigint[]
LANGUAGE plpgsql AS $$
DECLARE
    v_pieces bigint[] := '{}';
    v_before bigint := 0;
    v_after  bigint;
    v_said   text := 'again';
BEGIN
    WHILE v_said = 'again' LOOP
        v_said := pg_temp.checks(p_id, p_rows);
        v_after := (SELECT p.row_count FROM pay.settlement_proof p
                    WHERE p.file_id = p_id);
        v_pieces := v_pieces || v_after - v_before;
        v_before := v_after;
    END LOOP;
    RETURN v_pieces || CASE WHEN v_said <> 'checked' THEN -1 END;
END
$$;

SELECT o.id FROM pg_temp.opens('a') o
\gset
SELECT pg_temp.stages(:id, 200);
SELECT ok(max(n) <= 7 AND count(*) BETWEEN 29 AND 60 AND sum(n) = 200,
          'no call checks more than 7 rows, and all are checked')
FROM unnest(pg_temp.pieces(:id, 7)) n;
SELECT is(sum(s.net)::bigint || ' ' || count(*), '19400 6',
          'the sums of all, by currency and payout')
FROM pay.settlement_sum s;
SELECT is(pg_temp.checks(:id, 7), 'checked', 'once more changes nothing');
SELECT is((SELECT sum(s.net) FROM pay.settlement_sum s), 19400::numeric,
          'nothing is added twice');
SELECT is(pg_temp.proves(:id, 200, '{"EUR": {"rows": 100, "net": 9700},
    "USD": {"rows": 100, "net": 9700}}'), 'proven', 'the sums hold');
SELECT is((SELECT count(*) FROM pay.settlement_sum)
          + (SELECT count(*) FROM pay.settlement_proof), 0::bigint,
          'and are not needed any more');
SELECT is(pg_temp.checks(:id, 7), 'invalid', 'it is proven');

-- what no call has checked, the proof does
SELECT o.id FROM pg_temp.opens('b') o
\gset
SELECT pg_temp.stages(:id, 50);
SELECT is(pg_temp.checks(:id, 10), 'again', 'one piece');
SELECT is(pg_temp.proves(:id, 50, '{"EUR": {"rows": 25, "net": 2425},
    "USD": {"rows": 25, "net": 2426}}'),
    'refused net of USD is 2425 and should be 2426', 'and all the rest');

-- the first wrong row is told, whichever piece it is in
SELECT o.id FROM pg_temp.opens('c') o
\gset
SELECT pg_temp.stages(:id, 60);
UPDATE pay.settlement_staging s SET net_minor = 98
WHERE s.file_id = :id AND s.line IN (23, 40, 57);
SELECT ok(cardinality(pg_temp.pieces(:id, 5)) > 5, 'many pieces');
SELECT is(pg_temp.proves(:id, 60, '{}'),
    'refused row 23: net is 98 and should be 97', 'the first one');

-- a payout whose rows are in several pieces
SELECT o.id FROM pg_temp.opens('d') o
\gset
INSERT INTO pay.settlement_staging (file_id, line, row_key, kind, gross_minor,
    net_minor, currency, payout_ref)
SELECT :id, n, 'p' || n, CASE n WHEN 1 THEN 'payout' ELSE 'sale' END,
    m.minor, m.minor, 'EUR', 'po_x'
FROM generate_series(1, 40) n,
    LATERAL (SELECT CASE n WHEN 1 THEN -3901 ELSE 100 END AS minor) m;
SELECT ok(cardinality(pg_temp.pieces(:id, 5)) > 5, 'many pieces');
SELECT is(pg_temp.proves(:id, 40, '{}'), 'refused payout po_x of EUR is 3901 '
    'and its rows sum to 3900', 'is added up');

-- another attempt begins anew
SELECT o.id FROM pg_temp.opens('e') o
\gset
SELECT pg_temp.stages(:id, 20);
SELECT is(pg_temp.checks(:id, 5), 'again', 'a piece');
SELECT is(o.outcome, 'again', 'another worker') FROM pg_temp.opens('e') o;
SELECT is(pg_temp.checks(:id, 5, 1), 'invalid', 'the first one is too slow');
SELECT pg_temp.stages(:id, 20);
SELECT is(pg_temp.proves(:id, 20, '{}'), 'proven', 'no row is counted twice');
SELECT is(c.outcome, 'not_found', 'no such file')
FROM pay_api.check_settlement('{0}', '{1}', '{5}') c;
SELECT is(pg_temp.checks(:id, v.rows), 'invalid', 'a bad number')
FROM (VALUES (0), (-1), (NULL), (1000001)) v (rows);

-- what a broken attempt has left is deleted in pieces
SELECT o.id FROM pg_temp.opens('f') o
\gset
SELECT pg_temp.stages(:id, 12000);
CREATE FUNCTION pg_temp.left_of(p_id bigint) RETURNS bigint
LANGUAGE sql AS $$
SELECT count(*) FROM pay.settlement_staging s WHERE s.file_id = p_id
$$;
SELECT is(o.outcome || ' ' || pg_temp.left_of(:id), 'clearing 7000',
          'many rows') FROM pg_temp.opens('f') o;
SELECT is(o.outcome || ' ' || pg_temp.left_of(:id), 'clearing 2000',
          'are not deleted at once') FROM pg_temp.opens('f') o;
SELECT is(o.outcome || ' ' || o.attempt || ' ' || pg_temp.left_of(:id),
          'again 4 0', 'until none is left') FROM pg_temp.opens('f') o;

-- and so is what a refused file has left
SELECT pg_temp.stages(:id, 12000);
SELECT is(pay_ops.refuse_settlement(:id, 'why'), 'refused', 'it is refused');
SELECT is(pg_temp.left_of(:id), 7000::bigint, 'a part goes at once');
CREATE FUNCTION pg_temp.looks() RETURNS text LANGUAGE sql AS $$
SELECT b.outcome FROM pay_api.begin_look('{inbox}', '{generic}', '{m}',
    '{stripe}', '{NULL}', '{dir}', '{w}', '{600000}', '{60000}') b
$$;
SELECT is(pg_temp.looks() || ' ' || pg_temp.left_of(:id), 'due 2000',
          'each look takes a part');
SELECT is(pg_temp.looks() || ' ' || pg_temp.left_of(:id), 'not_due 0',
          'due or not');
SELECT is((SELECT count(*) FROM pay.settlement_leftover), 0::bigint,
          'and nothing is left');

-- a part is the payments that lines side by side name first: their pages are
-- read and written once, and all rows of a payment are in one part
SELECT o.id FROM pg_temp.opens('g') o
\gset
SELECT pg_temp.stages(:id, 60);
UPDATE pay.settlement_staging s SET our_ref = 'known'
WHERE s.file_id = :id AND s.line IN (4, 31, 58);
SELECT is(pg_temp.proves(:id, 60, '{}'), 'proven', 'a file of parts');
CREATE FUNCTION pg_temp.steps(p_id bigint) RETURNS text LANGUAGE sql AS $$
SELECT a.outcome FROM pay_api.advance_settlement(ARRAY[p_id], '{10}') a
$$;
CREATE FUNCTION pg_temp.lines(p_id bigint) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(r.line::text, ' ' ORDER BY r.line)
FROM pay.settlement_row r WHERE r.file_id = p_id
$$;
SELECT is(pg_temp.steps(:id), 'booking', 'it is divided first');
SELECT is(concat_ws(' ', count(*), min(p.first_line), max(p.until_line)),
          '6 1 2147483647', 'into all of its lines')
FROM pay.settlement_part p WHERE p.file_id = :id;
SELECT is(pg_temp.steps(:id), 'booking', 'a step');
SELECT is(pg_temp.lines(:id), '1 2 3 4 5 6 7 8 31 58',
          'books lines that follow each other, and rows of their payments');
SELECT is(pg_temp.steps(:id), 'booking', 'another step');
SELECT is(pg_temp.lines(:id),
    '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 31 58', 'goes on behind');
SELECT is(o.outcome, 'again', 'another import of the file')
FROM pg_temp.opens('g') o;
SELECT pg_temp.stages(:id, 60);
UPDATE pay.settlement_staging s SET our_ref = 'known'
WHERE s.file_id = :id AND s.line IN (4, 31, 58);
SELECT is(pg_temp.proves(:id, 60, '{}'), 'booking', 'has the same parts');
SELECT is(bool_or(pg_temp.steps(:id) = 'booked'), true, 'and books the rest')
FROM generate_series(1, 8);
SELECT is(concat_ws(' ', count(*), count(DISTINCT r.line)), '60 60',
          'each row once')
FROM pay.settlement_row r WHERE r.file_id = :id;

-- a large file is divided piece by piece, behind what is booked
SELECT o.id FROM pg_temp.opens('h') o
\gset
INSERT INTO pay.settlement_staging (file_id, line, row_key, kind, gross_minor,
    net_minor, currency)
SELECT :id, n, 'h' || n, 'fee', 0, 0, 'EUR' FROM generate_series(1, 340) n;
SELECT is(pg_temp.proves(:id, 340, '{}'), 'proven', 'of 34 parts');
SELECT is(pg_temp.steps(:id), 'booking', 'it is divided');
SELECT is(count(*), 32::bigint, 'into no more than 32 at once')
FROM pay.settlement_part p WHERE p.file_id = :id;
SELECT is(bool_or(pg_temp.steps(:id) = 'booked'), true, 'all are booked')
FROM generate_series(1, 36);
SELECT is(count(*), 340::bigint, 'each row once')
FROM pay.settlement_row r WHERE r.file_id = :id;

-- a key stands for rows of one payment: rows of two payments come into two parts,
-- of which the second would pass over its row, as if it were booked
CREATE FUNCTION pg_temp.names(p_id bigint, p_lines int[], p_key text,
    p_ref text) RETURNS void LANGUAGE sql AS $$
UPDATE pay.settlement_staging s SET row_key = p_key, psp_ref = p_ref
WHERE s.file_id = p_id AND s.line = ANY (p_lines)
$$;
SELECT o.id FROM pg_temp.opens('k1') o
\gset
SELECT pg_temp.stages(:id, 60);
SELECT pg_temp.names(:id, '{7, 31}', 'twice', 'ch_1');
SELECT pg_temp.names(:id, '{58}', 'twice', 'ch_2');
SELECT is(pg_temp.proves(:id, 60, '{}'), 'refused row 58: it has the key of'
    ' row 31 and names another payment', 'a key of two payments');
SELECT is(pg_temp.lines(:id), NULL, 'and nothing is booked');

SELECT o.id FROM pg_temp.opens('k2') o
\gset
SELECT pg_temp.stages(:id, 60);
SELECT pg_temp.names(:id, '{7, 31, 58}', 'twice', 'ch_1');
SELECT is(pg_temp.proves(:id, 60, '{}'), 'proven',
          'a key of one payment, three times, is no mistake of the file');
SELECT is(bool_or(pg_temp.steps(:id) = 'booked'), true, 'it is booked')
FROM generate_series(1, 9);
SELECT is(string_agg(concat_ws(' ', r.line, r.class, r.finding), ', '
                     ORDER BY r.line), '7 3 unknown, 31 2 repeated,'
    ' 58 2 repeated', 'and operators see the two')
FROM pay.settlement_row r WHERE r.file_id = :id AND r.row_key = 'twice';

-- keys are compared in pieces, too, and no piece is larger for a key that all
-- rows have
SELECT o.id FROM pg_temp.opens('k3') o
\gset
SELECT pg_temp.stages(:id, 60);
SELECT pg_temp.names(:id, ARRAY(SELECT generate_series(1, 59)), 'same', 'ch_1');
SELECT pg_temp.names(:id, '{60}', 'same', 'ch_2');
SELECT is(pg_temp.checks(:id, 5), 'again', 'a piece of keys');
SELECT is(p.last_key || ' ' || p.last_line, 'same 6', 'is no larger')
FROM pay.settlement_proof p WHERE p.file_id = :id;
SELECT is(count(*) FILTER (WHERE c.said = 'again') || ' '
          || count(*) FILTER (WHERE c.said = 'checked'), '10 1',
          'the next ones go on behind it')
FROM (SELECT pg_temp.checks(:id, 5) AS said FROM generate_series(1, 11)) c;
SELECT is(pg_temp.proves(:id, 60, '{}'), 'refused row 60: it has the key of'
    ' row 59 and names another payment', 'and find the row');

-- the first wrong row counts, whichever check has found it
SELECT o.id FROM pg_temp.opens('k4') o
\gset
SELECT pg_temp.stages(:id, 60);
SELECT pg_temp.names(:id, '{20}', 'r9', 'ch_2');
UPDATE pay.settlement_staging s SET net_minor = 98
WHERE s.file_id = :id AND s.line = 23;
SELECT is(pg_temp.proves(:id, 60, '{}'), 'refused row 20: it has the key of'
    ' row 9 and names another payment', 'the key');
SELECT o.id FROM pg_temp.opens('k5') o
\gset
SELECT pg_temp.stages(:id, 60);
SELECT pg_temp.names(:id, '{20}', 'r9', 'ch_2');
UPDATE pay.settlement_staging s SET net_minor = 98
WHERE s.file_id = :id AND s.line = 13;
SELECT is(pg_temp.proves(:id, 60, '{}'), 'refused row 13: net is 98 and should'
    ' be 97', 'or the sum');

\i :checks
SELECT * FROM finish();
ROLLBACK;
