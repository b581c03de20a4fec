-- Lists for finance, with the settings of the gateway's role: pages that hold
-- still, filters, and what each merchant sees.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'])
FROM generate_series(1, 6) n
\g /dev/null
SELECT pay_ops.set_settlement_source('other', 'generic', 'm2', 'adyen', '',
    now() - interval '1 year', 9)
\g /dev/null
SELECT is(pg_temp.import('file', ARRAY['r1|sale|ch-1|pi-c1||1000|-30|970',
        'r2|sale|ch-2|pi-c2||900|0|900', 'r3|unknown||||-40|0|-40',
        'r4|fee||||0|-5|-5', 'r5|sale|ch-3|pi-c3||1000|0|1000']),
    'booked 5 2 1 1 1', 'a file');
SELECT is(pg_temp.import('theirs', ARRAY['t1|unknown||||-7|0|-7'], 'other'),
    'booked 1 0 0 0 1', 'of another merchant');
SELECT is(pg_temp.import('wrong', ARRAY['w1|fee||||0|-7|-8']),
    'refused 1 0 0 0 0 row 1: net is -8 and should be -7', 'and a wrong one');

SET LOCAL enable_seqscan = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL plan_cache_mode = 'force_generic_plan';

CREATE FUNCTION pg_temp.files(
    p_merchant text, p_state text DEFAULT NULL, p_day text DEFAULT NULL,
    p_before bigint DEFAULT NULL, p_limit bigint DEFAULT 50,
    p_source text DEFAULT NULL, p_psp text DEFAULT NULL)
RETURNS json LANGUAGE sql AS $$
SELECT l.page::json FROM pay_api.list_settlement_files(ARRAY[p_merchant],
    ARRAY[NULL::bigint], ARRAY[p_source], ARRAY[p_psp], ARRAY[p_state],
    ARRAY[p_day], ARRAY[p_before], ARRAY[p_limit]) l
$$;
CREATE FUNCTION pg_temp.rows(
    p_merchant text, p_class bigint DEFAULT NULL, p_state text DEFAULT NULL,
    p_file bigint DEFAULT NULL, p_day text DEFAULT NULL,
    p_before bigint DEFAULT NULL, p_limit bigint DEFAULT 50,
    p_psp text DEFAULT NULL, p_currency text DEFAULT NULL)
RETURNS json LANGUAGE sql AS $$
SELECT l.page::json FROM pay_api.list_settlement_rows(ARRAY[p_merchant],
    ARRAY[p_file], ARRAY[p_psp], ARRAY[p_currency], ARRAY[p_class],
    ARRAY[p_state], ARRAY[p_day], ARRAY[p_before], ARRAY[p_limit]) l
$$;
CREATE FUNCTION pg_temp.exceptions(
    p_merchant text, p_state text DEFAULT NULL, p_class bigint DEFAULT NULL,
    p_before bigint DEFAULT NULL, p_limit bigint DEFAULT 50,
    p_psp text DEFAULT NULL, p_currency text DEFAULT NULL,
    p_day text DEFAULT NULL)
RETURNS json LANGUAGE sql AS $$
SELECT l.page::json FROM pay_api.list_settlement_exceptions(ARRAY[p_merchant],
    ARRAY[NULL::bigint], ARRAY[p_psp], ARRAY[p_currency], ARRAY[p_class],
    ARRAY[p_state], ARRAY[p_day], ARRAY[p_before], ARRAY[p_limit]) l
$$;
-- the values of one member of the items of a page, in order
CREATE FUNCTION pg_temp.each(p_page json, p_list text, p_member text)
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(i.item ->> p_member, ' ' ORDER BY i.n)
FROM json_array_elements(p_page -> p_list) WITH ORDINALITY AS i (item, n)
$$;
CREATE FUNCTION pg_temp.today(p_more int DEFAULT 0) RETURNS text
LANGUAGE sql AS
$$SELECT ((now() AT TIME ZONE 'UTC')::date + p_more)::text$$;

-- files
SELECT is(pg_temp.each(pg_temp.files('m1'), 'files', 'name'), 'wrong file',
          'the files of a merchant, newest first');
SELECT is(pg_temp.each(pg_temp.files('m2'), 'files', 'name'), 'theirs',
          'and of another');
SELECT is(pg_temp.files('m3')::text, '{"files" : [], "next" : null}',
          'and of one that has none');
SELECT is(pg_temp.each(pg_temp.files('m1', 'booked'), 'files', 'name'),
          'file', 'by state');
SELECT is(pg_temp.each(pg_temp.files('m1', 'refused'), 'files', 'reason'),
          'row 1: net is -8 and should be -7', 'why one is refused');
SELECT is(pg_temp.each(pg_temp.files('m1', p_source => 'bank'), 'files',
                       'name'), NULL, 'by source');
SELECT is(pg_temp.each(pg_temp.files('m1', p_psp => 'stripe'), 'files',
                       'name'), 'wrong file', 'by PSP');
SELECT is(pg_temp.each(pg_temp.files('m1', p_day => pg_temp.today()), 'files',
                       'name'), 'wrong file', 'by day');
SELECT is(pg_temp.each(pg_temp.files('m1', p_day => pg_temp.today(1)), 'files',
                       'name'), NULL, 'and by another day');
SELECT is(pg_temp.each(pg_temp.files('m1', p_limit => 1), 'files', 'name'),
          'wrong', 'a page');
SELECT is(pg_temp.each(pg_temp.files('m1', p_limit => 1,
        p_before => (pg_temp.files('m1', p_limit => 1) ->> 'next')::bigint),
    'files', 'name'), 'file', 'and the next one');
SELECT is((pg_temp.files('m1', p_limit => 1,
        p_before => (pg_temp.files('m1', p_limit => 1) ->> 'next')::bigint)
    ->> 'next'), NULL, 'which is the last');

-- one file
SELECT file_id AS id FROM pay.settlement_file WHERE name = 'file'
\gset
SELECT is(array_agg(concat_ws(' ', l.outcome, l.page::json ->> 'rows',
        l.page::json ->> 'matched') ORDER BY l.item)::text,
    '{"found 5 2",not_found,not_found,invalid}', 'one, or none')
FROM pay_api.list_settlement_files('{m1,m2,m1,m1}',
    ARRAY[:id, :id, 0, NULL]::bigint[], '{NULL,NULL,NULL,NULL}',
    '{NULL,NULL,NULL,NULL}', '{NULL,NULL,NULL,NULL}', '{NULL,NULL,NULL,NULL}',
    '{NULL,NULL,NULL,NULL}', '{1,1,1,0}') l;

-- rows
SELECT is(pg_temp.each(pg_temp.rows('m1'), 'rows', 'row_key'),
          'r5 r4 r3 r2 r1', 'rows, newest first');
SELECT is(pg_temp.each(pg_temp.rows('m2'), 'rows', 'row_key'), 't1',
          'of another merchant');
SELECT is(pg_temp.each(pg_temp.rows('m1', 2), 'rows', 'row_key'), 'r2',
          'by class');
SELECT is(pg_temp.each(pg_temp.rows('m1', p_state => 'matched'), 'rows',
                       'row_key'), 'r5 r1', 'by state');
SELECT is(pg_temp.each(pg_temp.rows('m1', p_file => :id), 'rows', 'row_key'),
          'r5 r4 r3 r2 r1', 'by file');
SELECT is(pg_temp.each(pg_temp.rows('m2', p_file => :id), 'rows', 'row_key'),
          NULL, 'which is of another merchant');
SELECT is(pg_temp.each(pg_temp.rows('m1', p_file => 0), 'rows', 'row_key'),
          NULL, 'which there is not');
SELECT is(pg_temp.each(pg_temp.rows('m1', p_psp => 'adyen'), 'rows',
                       'row_key'), NULL, 'by PSP');
SELECT is(pg_temp.each(pg_temp.rows('m1', p_currency => 'EUR'), 'rows',
                       'row_key'), NULL, 'by currency');
SELECT is(pg_temp.each(pg_temp.rows('m1', p_day => pg_temp.today()), 'rows',
                       'row_key'), 'r5 r4 r3 r2 r1', 'by day');
SELECT is(pg_temp.each(pg_temp.rows('m1', p_day => pg_temp.today(-1)), 'rows',
                       'row_key'), NULL, 'and by another day');
SELECT is(pg_temp.each(pg_temp.rows('m1', 1), 'rows', 'fee'), '-0.05',
          'amounts are decimals');

-- pages hold still: each row comes once, whatever comes meanwhile
CREATE FUNCTION pg_temp.walk(p_limit bigint, p_class bigint DEFAULT NULL)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_page   json;
    v_before bigint;
    v_seen   text;
BEGIN
    LOOP
        v_page := pg_temp.rows('m1', p_class, p_before => v_before,
                               p_limit => p_limit);
        v_seen := concat_ws(' ', v_seen, pg_temp.each(v_page, 'rows',
                                                      'row_key'));
        v_before := (v_page ->> 'next')::bigint;
        EXIT WHEN v_before IS NULL;
    END LOOP;
    RETURN v_seen;
END
$$;
SELECT is(pg_temp.walk(1), 'r5 r4 r3 r2 r1', 'one by one');
SELECT is(pg_temp.walk(2), 'r5 r4 r3 r2 r1', 'two by two');
SELECT is(pg_temp.walk(5), 'r5 r4 r3 r2 r1', 'all at once');
SELECT is(pg_temp.walk(1, 0), 'r5 r1', 'of a class');

-- exceptions
SELECT is(pg_temp.each(pg_temp.exceptions('m1'), 'exceptions', 'row_key'),
          'r3 r2', 'exceptions, newest first');
SELECT is(pg_temp.each(pg_temp.exceptions('m2'), 'exceptions', 'row_key'),
          't1', 'of another merchant');
SELECT is(pg_temp.each(pg_temp.exceptions('m1', 'open', 2), 'exceptions',
                       'amount'), '9.00', 'by class');
SELECT is(pg_temp.each(pg_temp.exceptions('m1', p_limit => 1), 'exceptions',
                       'row_key'), 'r3', 'a page');
SELECT is(pg_temp.each(pg_temp.exceptions('m1', 'open', p_limit => 1,
        p_before => (pg_temp.exceptions('m1', 'open', p_limit => 1)
                     ->> 'next')::bigint), 'exceptions', 'row_key'), 'r2',
    'and the next one');
SELECT is(pg_temp.each(pg_temp.exceptions('m1', p_psp => 'adyen'),
                       'exceptions', 'row_key'), NULL, 'by PSP');
SELECT is(pg_temp.each(pg_temp.exceptions('m1', p_currency => 'EUR'),
                       'exceptions', 'row_key'), NULL, 'by currency');
SELECT is(pg_temp.each(pg_temp.exceptions('m1', p_day => pg_temp.today(-1)),
                       'exceptions', 'row_key'), NULL, 'by day');
SELECT exception_id AS open FROM pay.settlement_exception x
JOIN pay.settlement_row r USING (row_id) WHERE r.row_key = 'r2'
\gset
SELECT is(pay_ops.accept_settlement(:open, 'ann', 'looked'), 'accepted',
          'one is accepted');
SELECT is(pg_temp.each(pg_temp.exceptions('m1', 'open'), 'exceptions',
                       'row_key'), 'r3', 'which is open no more');
SELECT is(pg_temp.each(pg_temp.exceptions('m1', 'closed'), 'exceptions',
                       'closed_as'), 'accepted', 'but closed');
SELECT is(array_agg(concat_ws(' ', l.outcome, l.page::json ->> 'state',
        l.page::json #>> '{acts,0,who}') ORDER BY l.item)::text,
    '{"found closed ann",not_found,not_found,invalid}', 'one with its acts')
FROM pay_api.list_settlement_exceptions('{m1,m2,m1,m1}',
    ARRAY[:open, :open, 0, NULL]::bigint[], '{NULL,NULL,NULL,NULL}',
    '{NULL,NULL,NULL,NULL}', '{NULL,NULL,NULL,NULL}', '{NULL,NULL,NULL,NULL}',
    '{NULL,NULL,NULL,NULL}', '{NULL,NULL,NULL,NULL}', '{1,1,1,1001}') l;

-- closes
SET LOCAL search_path = pay, tap, pg_temp;
SELECT is(c.outcome, 'made', 'a day is closed')
FROM pay.make_close(pg_temp.today()::date, now() + interval '2 days') c;
SELECT is(c.outcome, 'made', 'and the next one')
FROM pay.make_close(pg_temp.today(1)::date, now() + interval '3 days') c;
SELECT is(pg_temp.each(l.page::json, 'closes', 'day'),
    pg_temp.today(1) || ' ' || pg_temp.today(), 'closes, newest first')
FROM pay_api.list_closes('{m1}', '{NULL}', '{NULL}', '{50}') l;
SELECT is(pg_temp.each(l.page::json, 'closes', 'number') || ' '
    || (l.page::json ->> 'next'), '2 2', 'a page')
FROM pay_api.list_closes('{m1}', '{NULL}', '{NULL}', '{1}') l;
SELECT is(concat_ws(' ', pg_temp.each(l.page::json, 'closes', 'number'),
    l.page::json ->> 'next'), '1', 'and the next one')
FROM pay_api.list_closes('{m1}', '{NULL}', '{2}', '{1}') l;
SELECT is(l.page::json -> 'lines' IS NOT NULL, true, 'one with its lines')
FROM pay_api.list_closes('{m1}', ARRAY[pg_temp.today()], '{NULL}', '{1}') l;
SELECT is(string_agg(pg_temp.each(l.page::json, 'lines', 'amount'), ', '
                     ORDER BY l.item), '-0.40, -0.07',
          'a merchant sees its own lines')
FROM pay_api.list_closes('{m1,m2}', array_fill(pg_temp.today(), '{2}'),
                         '{NULL,NULL}', '{1,1}') l;
SELECT is((
    SELECT l.page::json ->> 'sha256'
    FROM pay_api.list_closes('{m1}', ARRAY[pg_temp.today()], '{NULL}',
                             '{1}') l),
    (SELECT l.page::json ->> 'previous'
    FROM pay_api.list_closes('{m1}', ARRAY[pg_temp.today(1)], '{NULL}',
                             '{1}') l), 'a close names the one before it');
SELECT is(array_agg(l.outcome ORDER BY l.item)::text, '{not_found,invalid}',
          'a day that is not closed, and no page')
FROM pay_api.list_closes('{m1,m1}', '{2020-01-01,NULL}', '{NULL,NULL}',
                         '{1,0}') l;

\i :checks
SELECT * FROM finish();
ROLLBACK;
