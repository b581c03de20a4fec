-- get_reread and end_reread: a settlement that was pulled is read again for ten
-- days; other rows are its next version, whose differences wait for an operator.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.first(p_name text) RETURNS bytea LANGUAGE sql AS $$
SELECT sha256(convert_to('pulled settlement ' || p_name, 'UTF8'))
$$;
CREATE FUNCTION pg_temp.digest(p_rows text[]) RETURNS bytea LANGUAGE sql AS $$
SELECT sha256(convert_to(p_rows::text, 'UTF8'))
$$;
-- until it is proven
CREATE FUNCTION pg_temp.proves(
    p_name text, p_sha256 bytea, p_rows text[], OUT file_id bigint,
    OUT state text)
LANGUAGE plpgsql AS $$
DECLARE
    v_row   record;
    v_count bigint;
BEGIN
    SELECT * INTO v_row
    FROM pay_api.open_settlement('{stripe}', ARRAY[p_sha256], ARRAY[p_name]);
    file_id := v_row.file_id;
    v_count := pg_temp.stage(file_id, p_rows, 'USD');
    SELECT p.outcome INTO state
    FROM pay_api.prove_settlement(ARRAY[file_id], ARRAY[v_row.attempt],
        ARRAY[p_name], ARRAY[v_count], '{"{}"}',
        ARRAY[pg_temp.digest(p_rows)]) p;
END
$$;
CREATE FUNCTION pg_temp.pulls(p_name text, p_sha256 bytea, p_rows text[])
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_file record := pg_temp.proves(p_name, p_sha256, p_rows);
BEGIN
    FOR v_n IN 1 .. 100 LOOP
        EXIT WHEN v_file.state NOT IN ('proven', 'booking');
        SELECT a.outcome INTO v_file.state
        FROM pay_api.advance_settlement(ARRAY[v_file.file_id], '{5000}') a;
    END LOOP;

    RETURN (SELECT concat_ws(' ', f.state, f.version, f.row_count, f.class1,
                             f.class2, f.repeats)
            FROM pay.settlement_file f WHERE f.file_id = v_file.file_id);
END
$$;
-- what is to be read again: its name, whether its digest is that of these rows,
-- whether its next version is begun
CREATE FUNCTION pg_temp.again(p_rows text[] DEFAULT '{}')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', r.outcome, r.name, r.digest = pg_temp.digest(p_rows),
                 r.is_begun, r.format)
FROM pay_api.get_reread('{stripe}') r
$$;
CREATE FUNCTION pg_temp.next() RETURNS bytea LANGUAGE sql AS $$
SELECT r.next_sha256 FROM pay_api.get_reread('{stripe}') r
$$;
CREATE FUNCTION pg_temp.ends(p_pause_ms bigint DEFAULT 86400000)
RETURNS text LANGUAGE sql AS $$
SELECT e.outcome
FROM pay_api.get_reread('{stripe}') r,
    pay_api.end_reread(ARRAY[r.file_id], ARRAY[p_pause_ms]) e
$$;
CREATE FUNCTION pg_temp.stands() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', f.version, f.state, f.reread_at - now()), ', '
                  ORDER BY f.version, f.file_id)
FROM pay.settlement_file f WHERE f.name = 'po_1'
$$;
CREATE FUNCTION pg_temp.due() RETURNS void LANGUAGE sql AS $$
UPDATE pay.settlement_file SET reread_at = now() WHERE reread_at IS NOT NULL
$$;

\set rows_a '{f1|fee||||0|-10|-10,f2|fee||||0|-20|-20}'
\set rows_b '{f1|fee||||0|-11|-11,f3|fee||||0|-30|-30}'

-- once a day
SELECT is(pg_temp.again(), 'not_found', 'nothing was pulled');
SELECT is(pg_temp.pulls('po_1', pg_temp.first('po_1'), :'rows_a'),
          'booked 1 2 2 0 0', 'a settlement');
SELECT is(pg_temp.stands(), '1 booked 1 day', 'is read again in a day');
SELECT is(pg_temp.again(), 'not_found', 'and not before');
SELECT pg_temp.due();
SELECT is(pg_temp.again(:'rows_a'), 'found po_1 t 0 generic',
          'then by its name, with the digest of its rows');
SELECT is(pg_temp.ends(0), 'invalid', 'a pause of nothing');
SELECT is(pg_temp.ends(86400001), 'invalid', 'or of more than a day');
SELECT is(pg_temp.ends(), 'stored', 'it was the same');
SELECT is(pg_temp.stands(), '1 booked 1 day', 'tomorrow again');
SELECT is(pg_temp.import('by hand', :'rows_a'), 'booked 2 0 0 0 0',
          'a file that was imported');
SELECT is((SELECT count(*) FROM pay.settlement_file f
           WHERE f.reread_at IS NOT NULL), 1::bigint, 'is in no API');
SELECT is(e.outcome, 'gone', 'it is never read again')
FROM pay.settlement_file f,
    pay_api.end_reread(ARRAY[f.file_id], '{1000}') e
WHERE f.name = 'by hand';
SELECT is(r.outcome, 'invalid', 'a source without a name')
FROM pay_api.get_reread('{""}') r;
SELECT is(r.outcome, 'not_found', 'another source')
FROM pay_api.get_reread('{bank}') r;

-- an altered settlement
SELECT pg_temp.due();
SELECT pg_temp.next() AS second
\gset
SELECT isnt(:'second'::bytea, pg_temp.first('po_1'),
            'a version is a file of its own');
SELECT is((pg_temp.proves('po_1', :'second', :'rows_b')).state, 'proven',
          'it is proven, and its worker dies');
SELECT is(pg_temp.again(:'rows_a'), 'found po_1 t 1 generic',
          'the next look goes on with it');
SELECT is(pg_temp.next(), :'second'::bytea, 'by the same digest');
SELECT is(pg_temp.pulls('po_1', :'second', :'rows_b'), 'booked 2 2 0 3 0',
          'one row is changed, one added, one gone');
SELECT is(pg_temp.found('f1', 'f2', 'f3'),
          '1 charged, 2 changed, 1 charged, 2 added',
          'nothing of it is booked by itself');
SELECT is((SELECT array_agg(x.finding || x.amount_minor
                            ORDER BY x.finding)::text
           FROM pay.settlement_exception x), '{added-30,changed-1,gone20}',
          'an operator decides on each');
SELECT is(pg_temp.entries('f1'), 'psp_fee 10 USD', 'as it was');
SELECT is(pg_temp.stands(), '1 booked, 2 booked 1 day',
          'the version is read again in place of the first one');

-- altered back and forth: each is a version of its own, a row of which nothing
-- is booked waits no more when it is gone, and one that was there again waits
-- once more when it is gone again
SELECT pg_temp.due();
SELECT is(pg_temp.again(:'rows_b'), 'found po_1 t 0 generic', 'the version');
SELECT pg_temp.next() AS third
\gset
SELECT isnt(:'third'::bytea, :'second'::bytea, 'has a next one, too');
SELECT is(pg_temp.pulls('po_1', :'third', :'rows_a'), 'booked 3 2 0 1 1',
          'as it was at first');
SELECT pg_temp.due();
SELECT is(pg_temp.pulls('po_1', pg_temp.next(), :'rows_b'), 'booked 4 2 0 3 0',
          'and the second one once more');

-- a version that does not hold
SELECT pg_temp.due();
SELECT pg_temp.next() AS fifth
\gset
SELECT is((pg_temp.proves('po_1', :'fifth',
    '{f1|fee||||0|-11|-12}')).state, 'refused', 'a version that does not hold');
SELECT is(pg_temp.again(:'rows_b'), 'found po_1 t 0 generic',
          'is no version that was begun');
SELECT is(pg_temp.ends(), 'stored', 'tomorrow');
SELECT is(pg_temp.stands(), '1 booked, 1 refused, 2 booked, 3 booked, '
          '4 booked 1 day', 'it is tried again');

-- ten days, of the first version
UPDATE pay.settlement_file SET received_at = now() - interval '9 days'
WHERE name = 'po_1' AND version = 1 AND state = 'booked';
SELECT pg_temp.due();
SELECT is(pg_temp.ends(), 'stored', 'the ninth day');
SELECT ok(pg_temp.stands() LIKE '%4 booked 1 day', 'has a tenth behind it');
UPDATE pay.settlement_file SET received_at = now() - interval '9 days 1 minute'
WHERE name = 'po_1' AND version = 1 AND state = 'booked';
SELECT pg_temp.due();
SELECT is(pg_temp.ends(3600000), 'stored', 'one that could not be read');
SELECT ok(pg_temp.stands() LIKE '%4 booked 01:00:00', 'is tried in an hour');
SELECT pg_temp.due();
SELECT is(pg_temp.ends(), 'stored', 'the last time');
SELECT ok(pg_temp.stands() LIKE '%4 booked', 'it is read no more');
SELECT is(pg_temp.again(), 'not_found', 'nothing is');

-- altered while it is booked: one row is, the worker dies
SELECT f.file_id AS half, f.state
FROM pg_temp.proves('po_2', pg_temp.first('po_2'),
    '{h1|fee|h1|||0|-1|-1,h2|fee|h2|||0|-2|-2,h3|fee|h3|||0|-3|-3}') f
\gset
DO $$
BEGIN
    FOR v_n IN 1 .. 100 LOOP
        EXIT WHEN (SELECT count(*) FROM pay.settlement_row r
                   WHERE r.row_key LIKE 'h_') > 0;
        PERFORM pay_ops.advance_settlement(f.file_id, 1)
        FROM pay.settlement_file f WHERE f.name = 'po_2';
    END LOOP;
END
$$;
SELECT is((SELECT count(*) FROM pay.settlement_row r
           WHERE r.row_key LIKE 'h_'), 1::bigint, 'one row is booked');
\set rows_c '{h1|fee|h1|||0|-7|-7,h2|fee|h2|||0|-7|-7}'
SELECT throws_ok($$SELECT pg_temp.proves('po_2', pg_temp.first('po_2'),
    '{h1|fee|h1|||0|-7|-7,h2|fee|h2|||0|-7|-8}')$$, 'PAY24', NULL,
    'rows that contradict themselves are not booked');
SELECT matches(pg_temp.pulls('po_2', pg_temp.first('po_2'), :'rows_c'),
    '^booked 1 2 ', 'what is left is booked as it is now');
SELECT pg_temp.due();
SELECT is(pg_temp.again(:'rows_c'), 'found po_2 f 0 generic',
          'under the digest of before, which differs');
SELECT matches(pg_temp.pulls('po_2', pg_temp.next(), :'rows_c'),
    '^booked 2 2 0 1 1$', 'so that the row that was booked before is seen');
SELECT is((SELECT array_agg(f.name || f.version || coalesce(
               (f.reread_at - now())::text, '') ORDER BY f.file_id)::text
           FROM pay.settlement_file f WHERE f.name = 'po_2'),
          '{po_21,"po_221 day"}', 'and then it agrees');

-- the row that is booked is taken out
UPDATE pay.settlement_file SET reread_at = NULL WHERE name = 'po_2';
SELECT f.file_id AS less
FROM pg_temp.proves('po_3', pg_temp.first('po_3'),
    '{k1|fee|k1|||0|-1|-1,k2|fee|k2|||0|-2|-2,k3|fee|k3|||0|-3|-3}') f
\gset
DO $$
BEGIN
    FOR v_n IN 1 .. 100 LOOP
        EXIT WHEN (SELECT count(*) FROM pay.settlement_row r
                   WHERE r.row_key LIKE 'k_') > 0;
        PERFORM pay_ops.advance_settlement(f.file_id, 1)
        FROM pay.settlement_file f WHERE f.name = 'po_3';
    END LOOP;
END
$$;
SELECT is(pg_temp.found('k1', 'k2', 'k3'), '1 charged', 'one row is booked');
SELECT is(pg_temp.pulls('po_3', pg_temp.first('po_3'), '{k4|fee|k4|||0|-4|-4}'),
    'booked 1 2 2 0 0', 'and is a row of the file still');
SELECT pg_temp.due();
SELECT is(pg_temp.pulls('po_3', pg_temp.next(), '{k4|fee|k4|||0|-4|-4}'),
    'booked 2 1 0 1 1', 'which the next version lacks');

\i :checks
SELECT * FROM finish();
ROLLBACK;
