-- A report in several files, each a page of it: they come in any order, are proven
-- together, and are booked as one version of their batch, or not at all.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

-- a footer of rows: their number, and the sums of gross and fees both ways; of the
-- whole report with all that they may come to between its balances
CREATE FUNCTION pg_temp.foot(p_rows text[], p_is_all boolean DEFAULT false)
RETURNS jsonb LANGUAGE sql AS $$
SELECT jsonb_build_object('USD', CASE WHEN p_is_all THEN
    jsonb_build_object('rows', s.rows, 'in', s.gin, 'out', s.gout,
        'fees', jsonb_build_array(s.fout, s.fin),
        'nets', jsonb_build_array(s.gin + s.fin - s.gout - s.fout))
    ELSE jsonb_build_object('rows', s.rows, 'in', s.gin, 'out', s.gout,
        'fee_in', s.fin, 'fee_out', s.fout) END)
FROM (
    SELECT count(*) AS rows, sum(greatest(w[6]::bigint, 0)) AS gin,
        sum(greatest(-w[6]::bigint, 0)) AS gout,
        sum(greatest(w[7]::bigint, 0)) AS fin,
        sum(greatest(-w[7]::bigint, 0)) AS fout
    FROM unnest(p_rows) r (line), string_to_array(r.line, '|') AS w) s
$$;

-- opens, stages and proves a page, as payctl does; p_all: the footer of the last one
CREATE FUNCTION pg_temp.bring(
    p_name text, p_page int, p_rows text[], p_all jsonb DEFAULT NULL,
    p_batch text DEFAULT 'ACCT/day')
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_open  record := pay_ops.open_settlement('stripe',
        encode(sha256(convert_to(p_name, 'UTF8')), 'hex'), p_name);
BEGIN
    IF v_open.outcome IN ('known', 'staged') THEN
        RETURN v_open.outcome;
    END IF;

    RETURN v_open.outcome || ' ' || pay_ops.prove_settlement(v_open.file_id,
        p_batch, pg_temp.stage(v_open.file_id, p_rows, 'USD'), (
            SELECT jsonb_build_object('USD', jsonb_build_object(
                'rows', count(*), 'net', sum(split_part(r.line, '|', 8)::bigint)))
            FROM unnest(p_rows) r (line)),
        NULL, jsonb_build_object('number', p_page, 'last', p_all IS NOT NULL,
            'own', pg_temp.foot(p_rows), 'all', coalesce(p_all, '{}')));
END
$$;
CREATE FUNCTION pg_temp.id(p_name text) RETURNS bigint LANGUAGE sql AS $$
SELECT f.file_id FROM pay.settlement_file f WHERE f.name = p_name
$$;
-- p_step rows at a time until it is booked, or waits
CREATE FUNCTION pg_temp.go_on(p_name text, p_step int DEFAULT 5000)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_state text := 'booking';
BEGIN
    FOR v_n IN 1 .. 100 LOOP
        EXIT WHEN v_state <> 'booking';
        v_state := pay_ops.advance_settlement(pg_temp.id(p_name), p_step);
    END LOOP;

    RETURN (SELECT concat_ws(': ', v_state, f.reason)
            FROM pay.settlement_file f WHERE f.name = p_name);
END
$$;
CREATE FUNCTION pg_temp.page(
    p_name text, p_page int, p_rows text[], p_all jsonb DEFAULT NULL,
    p_batch text DEFAULT 'ACCT/day')
RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.bring(p_name, p_page, p_rows, p_all, p_batch);
SELECT pg_temp.go_on(p_name)
$$;
CREATE FUNCTION pg_temp.states(p_batch text DEFAULT 'ACCT/day')
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', f.name, f.version, f.state), ', '
                  ORDER BY f.version, f.page, f.file_id)
FROM pay.settlement_file f
WHERE f.batch_key = p_batch
$$;
-- the server crashes: unlogged tables are empty then
CREATE FUNCTION pg_temp.crash() RETURNS void LANGUAGE sql AS $$
DELETE FROM ONLY pay.settlement_staging;
DELETE FROM pay.settlement_leftover;
DELETE FROM pay.settlement_work;
DELETE FROM pay.settlement_open;
DELETE FROM pay.settlement_proof;
DELETE FROM pay.settlement_sum
$$;

-- the schema's own functions, as its operations call them
CREATE FUNCTION pg_temp.sweep() RETURNS void LANGUAGE sql
SET search_path = pay, pg_temp AS 'SELECT sweep_staged(5000)';
CREATE FUNCTION pg_temp.aged(p_now timestamptz) RETURNS int LANGUAGE sql
SET search_path = pay, pg_temp AS 'SELECT raise_pages(p_now)';
CREATE FUNCTION pg_temp.wrong(p_files bigint[]) RETURNS text LANGUAGE sql
SET search_path = pay, pg_temp AS 'SELECT wrong_page_sum(p_files)';

CREATE FUNCTION pg_temp.one() RETURNS text[] LANGUAGE sql AS
$$SELECT ARRAY['a1|fee||||0|-1|-1', 'a2|fee||||0|-2|-2']$$;
CREATE FUNCTION pg_temp.two() RETURNS text[] LANGUAGE sql AS
$$SELECT ARRAY['b1|fee||||0|-3|-3', 'b2|fee||||0|-4|-4']$$;
CREATE FUNCTION pg_temp.three() RETURNS text[] LANGUAGE sql AS
$$SELECT ARRAY['c1|fee||||0|-5|-5']$$;
CREATE FUNCTION pg_temp.total() RETURNS jsonb LANGUAGE sql AS $$
SELECT pg_temp.foot(pg_temp.one() || pg_temp.two() || pg_temp.three(), true)
$$;


-- in any order
SELECT is(pg_temp.page('1', 1, pg_temp.one()),
    'staged: page 1 waits for the last page', 'the first page waits');
SELECT is(pg_temp.page('3', 3, pg_temp.three(), pg_temp.total()),
    'staged: page 3 of 3 waits for page 2', 'and so does the last one');
SELECT is((SELECT f.reason FROM pay_view.settlement_files f
           WHERE f.name = '1'), 'page 1 of 3 waits for page 2',
    'all pages say which ones are missing');
SELECT is(pg_temp.page('1', 1, pg_temp.one()) || ' ' || (
    SELECT concat_ws(' ', count(*), sum(f.kept))
    FROM pay.settlement_file f),
    'staged: page 1 of 3 waits for page 2 2 3',
    'the same page twice changes nothing');
SELECT is((SELECT concat_ws(' ', count(*), count(*) FILTER (
    WHERE s.tableoid = 'pay.settlement_kept'::regclass))
    FROM pay.settlement_staging s), '3 3',
    'rows of pages that wait are where a crash does not take them');
SELECT pg_temp.crash();
SELECT pg_temp.sweep();
SELECT is((SELECT count(*) FROM pay.settlement_staging), 3::bigint,
    'nor does anything that deletes staged rows');
SELECT is((SELECT count(*) FROM pay.settlement_row), 0::bigint,
    'nothing of them is booked');
SELECT is(pg_temp.bring('2', 2, pg_temp.two()), 'opened proven',
    'the page that was missing');
SELECT is(pg_temp.go_on('2', 1), 'booked', 'comes, and it is booked');
SELECT is(pg_temp.states(), '1 1 booked, 2 1 booked, 3 1 booked',
    'and all others with it');
SELECT is((SELECT string_agg(concat_ws(' ', r.row_key, r.finding), ', '
                             ORDER BY r.row_id)
           FROM pay.settlement_row r),
    'a1 charged, a2 charged, b1 charged, b2 charged, c1 charged',
    'in the order of the pages, each row once');
SELECT is((SELECT concat_ws(' ', (SELECT count(*) FROM pay.settlement_staging),
                            sum(f.kept), count(f.reason))
           FROM pay.settlement_file f), '0 0 0', 'nothing is left of them');
SELECT is(pg_temp.bring('2', 2, pg_temp.two()), 'known', 'a page is known then');


-- versions
CREATE FUNCTION pg_temp.two_b() RETURNS text[] LANGUAGE sql AS
$$SELECT ARRAY['b1|fee||||0|-4|-4', 'b3|fee||||0|-3|-3']$$;
SELECT is(pg_temp.page('2b', 2, pg_temp.two_b()), 'booked',
    'a page with other bytes that goes with the others is a version');
SELECT is(pg_temp.states(), '1 1 booked, 2 1 booked, 3 1 booked, 2b 2 booked',
    'of this page alone');
SELECT is((SELECT string_agg(concat_ws(' ', r.row_key, x.class, x.finding), ', '
                             ORDER BY r.row_key)
           FROM pay.settlement_exception x
           JOIN pay.settlement_row r ON r.row_id = x.row_id),
    'b1 2 changed, b2 2 gone, b3 2 added',
    'whose rows are compared, and those of other pages are not gone');
CREATE FUNCTION pg_temp.one_c() RETURNS text[] LANGUAGE sql AS
$$SELECT ARRAY['a1|fee||||0|-1|-1']$$;
CREATE FUNCTION pg_temp.two_c() RETURNS text[] LANGUAGE sql AS
$$SELECT pg_temp.two_b() || ARRAY['a2|fee||||0|-2|-2']$$;
SELECT is(pg_temp.page('1c', 1, pg_temp.one_c()),
    'staged: page 1 of 3 waits for another version of the other pages: the '
    'number of rows of USD is 4 and should be 5',
    'a page that does not go with the version before waits');
SELECT is(pg_temp.page('2c', 2, pg_temp.two_c()), 'booked',
    'until the others have come');
SELECT is(right(pg_temp.states(), 24), '1c 3 booked, 2c 3 booked',
    'and is of one version with them');
SELECT is((SELECT count(*) FROM pay.settlement_exception), 3::bigint,
    'a row that has moved to another page is neither gone nor added');


-- sums that do not hold
SELECT is(pg_temp.page('x1', 1, ARRAY['x1|fee||||0|-1|-1'], NULL, 'ACCT/x')
    || ', ' || pg_temp.page('x2', 2, ARRAY['x2|fee||||0|-1|-1'], pg_temp.foot(
        ARRAY['x1|fee||||0|-1|-1', 'x2|fee||||0|-2|-2'], true), 'ACCT/x'),
    'staged: page 1 waits for the last page, refused: the pages of the report '
    'together: the higher total of fees of USD is 2 and should be 3',
    'pages that do not come to the footer of the last one are refused');
SELECT is(pg_temp.states('ACCT/x'), 'x1 1 refused, x2 1 refused', 'all of them');
SELECT is((SELECT count(*) FROM pay.settlement_row r
           WHERE r.row_key LIKE 'x%')
    + (SELECT count(*) FROM pay.settlement_staging), 0::bigint,
    'and nothing is booked, nor left');
SELECT is(pg_temp.page('x2b', 2, ARRAY['x2|fee||||0|-1|-1'], pg_temp.foot(
        ARRAY['x1|fee||||0|-1|-1', 'x2|fee||||0|-1|-1'], true), 'ACCT/x'),
    'staged: page 2 of 2 waits for page 1', 'the right one comes');
SELECT is(pg_temp.page('x1', 1, ARRAY['x1|fee||||0|-1|-1'], NULL, 'ACCT/x'),
    'booked', 'and the first page, which was refused with the wrong one, again');
SELECT is(pg_temp.states('ACCT/x'),
    'x1 1 booked, x2 1 refused, x2b 1 booked', 'both are booked');
SELECT is(pg_temp.page('y1', 1, ARRAY['y1|fee||||0|-1|-1'], NULL, 'ACCT/y')
    || ', ' || pg_temp.page('y2', 2, ARRAY['y2|fee||||0|-1|-1'],
        '{"USD": {"rows": 2, "in": 0, "out": 0, "fees": [0, 2],
          "nets": [-2]}}'::jsonb, 'ACCT/y')
,
    'staged: page 1 waits for the last page, booked',
    'the two totals of fees come in either order');
SELECT is(pg_temp.wrong(ARRAY(
        SELECT f.file_id FROM (VALUES (pg_temp.bring('z1', 1,
            ARRAY['z1|fee||||0|-1|-1'], jsonb_build_object('USD', jsonb_build_object(
                'rows', 1, 'in', 0, 'out', 0, 'fees', '[0, 1]'::jsonb,
                'nets', '[1]'::jsonb)), 'ACCT/z'))) v (x),
            LATERAL (SELECT pg_temp.id('z1') AS file_id) f)),
    'the net between the balances of USD is -1 and should be 1',
    'and the balances hold for the order that is meant');


-- one row on two pages
SELECT pg_temp.page('d1', 1, ARRAY['d|fee||||0|-1|-1', 'd9|fee||||0|-1|-1'], NULL,
                    'ACCT/d');
SELECT is(pg_temp.page('d2', 2, ARRAY['d|fee||||0|-1|-1'], pg_temp.foot(
        ARRAY['|||||0|-1|', '|||||0|-1|', '|||||0|-1|'], true), 'ACCT/d'), 'booked', 'a row that stands on two pages');
SELECT is((SELECT string_agg(concat_ws(' ', r.version, r.class, r.finding), ', '
                             ORDER BY r.version)
           FROM pay.settlement_row r WHERE r.row_key = 'd'),
    '1 1 charged, 2 2 repeated', 'is reported twice, and booked once');


-- importers that end in the middle
SELECT pg_temp.bring('e1', 1, pg_temp.one(), NULL, 'ACCT/e');
SELECT is(pay_ops.advance_settlement(pg_temp.id('e1'), 1), 'booking',
    'a page is kept');
SELECT is((SELECT f.kept::bigint FROM pay.settlement_file f
           WHERE f.name = 'e1'), 1::bigint,
    'in pieces');
SELECT pg_temp.crash();
SELECT throws_ok($$SELECT pay_ops.advance_settlement(pg_temp.id('e1'), 1)$$,
    'PAY24', 'the rows of file ' || pg_temp.id('e1')
        || ' are gone: import it again', 'of which a crash has taken some');
SELECT is((pay_ops.open_settlement('stripe', encode(sha256('e1'), 'hex'),
                                   'e1')).outcome, 'again', 'it begins again');
SELECT is(pg_temp.page('e1', 1, ARRAY['e1|fee||||0|-1|-1'], NULL, 'ACCT/e'),
    'staged: page 1 waits for the last page', 'with all of its rows');
SELECT pg_temp.bring('e2', 2, ARRAY['e2|fee||||0|-1|-1'], pg_temp.foot(
    ARRAY['|||||0|-1|', '|||||0|-1|'], true), 'ACCT/e');
SELECT is(pay_ops.advance_settlement(pg_temp.id('e2'))
    || ' ' || pay_ops.advance_settlement(pg_temp.id('e2'))
    || ' ' || pg_temp.states('ACCT/e'),
    'booking booking e1 1 proven, e2 1 proven', 'both are proven, and the importer ends');
SELECT pg_temp.crash();
SELECT is(pg_temp.bring('e1', 1, ARRAY['e1|fee||||0|-1|-1'], NULL, 'ACCT/e')
    || ' ' || pay_ops.advance_settlement(pg_temp.id('e1'))
    || ' ' || pay_ops.advance_settlement(pg_temp.id('e1'))
    || ' ' || pg_temp.states('ACCT/e'),
    'staged booking booking e1 1 booked, e2 1 proven',
    'the importer of any page goes on with it');
SELECT is(pg_temp.bring('e1', 1, ARRAY['e1|fee||||0|-1|-1'], NULL, 'ACCT/e')
    || ' ' || pg_temp.go_on('e1') || ' ' || pg_temp.states('ACCT/e'),
    'staged booked e1 1 booked, e2 1 booked', 'until all of them are booked');


-- pages that stay alone
SELECT is(pg_temp.page('f2', 2, ARRAY['f2|fee||||0|-7|-7'], NULL, 'ACCT/f'),
    'staged: page 2 waits for page 1 and the last page', 'a page alone');
SELECT is(pg_temp.aged(now() + interval '23 hours'), 0, 'waits');
SELECT is(pg_temp.aged(now() + interval '25 hours'), 1, 'for a day');
SELECT is(pg_temp.aged(now() + interval '26 hours'), 0, 'it is queued once');
SELECT is((SELECT concat_ws(' ', x.psp, x.class, x.finding, x.playbook,
                            x.amount_minor, x.currency, x.closed_as)
           FROM pay.settlement_exception x WHERE x.kind = 'page'),
    'stripe 2 incomplete page-missing -7 USD', 'for operators');
SELECT is(pg_temp.page('f3', 3, ARRAY['f3|fee||||0|-1|-1'], NULL, 'ACCT/f')
    || ', ' || pg_temp.page('f2b', 2, ARRAY['f2|fee||||0|-7|-7'], pg_temp.foot(
        ARRAY['|||||0|-7|', '|||||0|-1|'], true), 'ACCT/f')
    || ', ' || pg_temp.page('f1', 1, ARRAY['f1|fee||||0|-1|-1'], NULL, 'ACCT/f'),
    'staged: page 3 waits for page 1 and the last page, staged: page 2 of 2 '
    'waits for page 1, booked', 'the newest file of a page counts');
SELECT is((SELECT string_agg(concat_ws(' ', f.name, f.state, f.reason), ', '
                             ORDER BY f.name)
           FROM pay.settlement_file f WHERE f.batch_key = 'ACCT/f'),
    'f1 booked, f2 refused another file of this page of the report came behind '
    'it, f2b booked, f3 staged page 3: page 2 says that it is the last one',
    'and the one before it waits no more');
SELECT is((SELECT x.closed_as FROM pay.settlement_exception x
           WHERE x.kind = 'page'), 'matched', 'nor does the operator');

SELECT pg_temp.aged(now() + interval '2 days');
CREATE TEMPORARY TABLE matter AS
SELECT x.exception_id AS id FROM pay.settlement_exception x
WHERE x.kind = 'page' AND x.closed_at IS NULL
    AND starts_with(x.source, format('page/stripe/%s/', pg_temp.id('f3')));
SELECT is(pay_ops.accept_settlement((SELECT id FROM matter), 'ann', 'it is fine')
    || ' ' || pay_ops.write_off_settlement((SELECT id FROM matter), 'ann', 'lost'),
    'nothing nothing', 'nothing of a page can be booked');
SELECT is(pay_ops.resolve_settlement((SELECT id FROM matter), 'ann', 'a test file'),
    'resolved', 'an operator gives it up');
SELECT is((SELECT concat_ws(' ', f.state, f.reason, f.kept)
           FROM pay.settlement_file f WHERE f.name = 'f3'),
    'refused an operator has given it up 0', 'then it waits no more');
SELECT is(pg_temp.page('f3', 3, ARRAY['f3|fee||||0|-1|-1'], NULL, 'ACCT/f'),
    'staged: page 3: page 2 says that it is the last one', 'it may come again');
SELECT is(pg_temp.aged(now() + interval '4 days'), 1, 'and is queued again');

\i :checks
SELECT * FROM finish();
ROLLBACK;
