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
SET LOCAL jit = off;

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

-- acts: as payctl's, of one's own exceptions, and once whatever is repeated
CREATE FUNCTION pg_temp.act(
    p_act text, p_key text, p_who text DEFAULT 'ann',
    p_as text DEFAULT NULL, p_with text DEFAULT NULL,
    p_merchant text DEFAULT 'm1', p_why text DEFAULT 'looked')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', a.outcome, a.page::json ->> 'state',
    json_array_length(a.page::json -> 'acts'))
FROM pay_api.act_on_exception(ARRAY[p_merchant],
    ARRAY[(SELECT x.exception_id FROM pay.settlement_exception x
           JOIN pay.settlement_row r USING (row_id)
           WHERE r.row_key = p_key)], ARRAY[p_act], ARRAY[p_who],
    ARRAY[p_why], ARRAY[p_as],
    ARRAY[(SELECT x.exception_id FROM pay.settlement_exception x
           JOIN pay.settlement_row r USING (row_id)
           WHERE r.row_key = p_with)]) a
$$;
SET LOCAL search_path = pay, tap, pg_temp;
SELECT is(pg_temp.import('acts', ARRAY['a1|unknown||||-50000|0|-50000',
        'a2|unknown||||300|0|300', 'a3|unknown||||-300|0|-300',
        'a4|unknown||||-900000|0|-900000', 'a5|adjustment||||-7|0|-7',
        'a6|adjustment||||-8|0|-8']),
    'booked 6 0 0 2 4', 'more that waits');
SELECT is(pg_temp.act('accept', 'a1', p_as => 'psp_fee', p_merchant => 'm2'),
          'not_found', 'another merchant cannot act');
SELECT is(pg_temp.act('accept', 'a1'), 'refused', 'nothing is proposed');
SELECT is(pg_temp.act('accept', 'a1', p_as => 'sale'), 'invalid', 'no such kind');
SELECT is(pg_temp.act('accept', 'a1', p_as => 'psp_fee'), 'asked open 1',
          'above the limit another operator has to agree');
SELECT is(pg_temp.act('accept', 'a1', p_as => 'psp_fee'), 'asked open 2',
          'who is not the same');
SELECT is(pg_temp.act('accept', 'a1', 'bob', 'psp_fee'), 'done closed 3',
          'but another one');
SELECT is(pg_temp.act('accept', 'a1', 'bob', 'psp_fee'), 'done closed 3',
          'whose repetition is answered as the first time');
SELECT is(pg_temp.act('accept', 'a1', 'ann', 'psp_fee'), 'already',
          'and nobody else''s');
SELECT is(pg_temp.act('write_off', 'a1', 'bob'), 'already', 'nor another act');
SELECT is(pg_temp.act('resolve', 'a2'), 'held', 'money in suspense');
SELECT is(pg_temp.act('resolve', 'a2', p_with => 't1'), 'invalid',
          'does not go with that of another merchant');
SELECT is(pg_temp.act('resolve', 'a2', p_with => 'a3'), 'done closed 1',
          'but with its return');
SELECT is(pg_temp.act('write_off', 'a4'), 'exceeds', 'the limit of a day');
SELECT is(pg_temp.act('accept', 'a5'), 'done open 1', 'into suspense');
SELECT is(pg_temp.act('accept', 'a5'), 'done open 1', 'once');
SELECT is(pg_temp.act('resolve', 'a6'), 'done closed 1', 'without an entry');
SELECT is(pg_temp.act('resolve', 'a6', p_why => ' '), 'invalid', 'no reason');
SELECT is(pg_temp.act('delete', 'a6'), 'invalid', 'no such act');

-- entries that no file has brought
CREATE FUNCTION pg_temp.ageing(
    p_merchant text, p_psp text DEFAULT NULL, p_currency text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', i.item ->> 'psp', i.item ->> 'currency',
    i.item ->> 'family', i.item ->> 'days', i.item ->> 'entries',
    i.item ->> 'amount', i.item ->> 'overdue'), ', ' ORDER BY i.n)
FROM pay_api.list_settlement_ageing(ARRAY[p_merchant], ARRAY[p_psp],
        ARRAY[p_currency]) l,
    json_array_elements(l.page::json -> 'ageing')
        WITH ORDINALITY AS i (item, n)
$$;
CREATE FUNCTION pg_temp.watch() RETURNS text LANGUAGE sql AS $$
DELETE FROM pay.settlement_hour;
SELECT pay.watch_settlement('1 hour')::text
$$;
UPDATE pay.settlement_source SET since = now() - interval '40 days';
SET LOCAL search_path = pay, tap, pg_temp;
SELECT is(pg_temp.ageing('m1'), NULL, 'before it is counted');
SELECT is(w.outcome, 'checked', 'a round counts')
FROM pay_api.watch_settlement('{w1}', '{60000}') w;
SELECT is(string_agg(w.outcome, ' ' ORDER BY w.item), 'not_due not_due invalid',
          'once an interval')
FROM pay_api.watch_settlement('{w1,w2,NULL}', '{60000,60000,60000}') w;
SELECT is(pg_temp.ageing('m1'), 'stripe USD sale 0-1 3 30.00 0',
          'sales that no file has brought');
SELECT is(pg_temp.ageing('m2'), NULL, 'a merchant sees its own');
SELECT is(pg_temp.ageing('m1', 'adyen'), NULL, 'by PSP');
SELECT is(pg_temp.ageing('m1', 'stripe', 'EUR'), NULL, 'by currency');
SELECT is(pg_temp.ageing('m1', 'stripe', 'USD'),
          'stripe USD sale 0-1 3 30.00 0', 'all that is asked for');
-- another merchant's files of the same account count its entries once
SELECT is(pay_ops.set_settlement_source('shared', 'generic', 'm2', 'stripe',
    '', now() - interval '40 days', 9), 'stored', 'a shared account');
SELECT pg_temp.watch()
\g /dev/null
SELECT is(pg_temp.ageing('m1'), 'stripe USD sale 0-1 3 30.00 0', 'once');
SELECT is((
    SELECT string_agg(concat_ws(' ', a.psp, a.family, a.entries), ', ')
    FROM pay_view.settlement_ageing a), 'stripe sale 3', 'in the view, too');
SELECT is(pg_temp.import('later', ARRAY['l1|sale|ch-4|pi-c4||1000|0|1000']),
    'booked 1 1 0 0 0', 'a file brings one of them');
SELECT pg_temp.watch()
\g /dev/null
SELECT is(pg_temp.ageing('m1'), 'stripe USD sale 0-1 2 20.00 0',
          'counts the others');

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
                     ORDER BY l.item), '-0.07 -9000.40, -0.07',
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

-- with the time: entries are backdated, which no role may do
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE pay.journal_entry DISABLE TRIGGER journal_entry_append_only;
UPDATE pay.journal_entry SET at = at - interval '20 days'
WHERE source = 'order/o5';
UPDATE pay.settlement_source SET checked_until = NULL;
ALTER TABLE pay.journal_entry ENABLE ALWAYS TRIGGER journal_entry_append_only;
SELECT pg_temp.watch()
\g /dev/null
SELECT is(pg_temp.ageing('m1'), 'stripe USD sale 0-1 1 10.00 0, '
    'stripe USD sale 8-30 1 10.00 1', 'age and overdue');
SELECT is((SELECT array_agg(concat_ws(' ', x.finding, x.class, x.amount_minor))
    FROM pay.settlement_exception x WHERE x.finding = 'overdue')::text, '{"overdue 2 1000"}',
    'the overdue entry is queued');
SELECT is((SELECT string_agg(DISTINCT h.is_final::text, '')
    FROM pay.settlement_hour h
    WHERE h.hour < now() - interval '25 hours'
        AND h.hour NOT IN (SELECT a.hour FROM pay.settlement_aged a)), 'true',
    'hours without such entries are not counted again');

\i :checks
SELECT * FROM finish();
ROLLBACK;
