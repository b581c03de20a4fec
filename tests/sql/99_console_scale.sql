-- The pages of the console beside stored orders: no table that grows is read as
-- a whole, and beside twice as many orders, and work that is done with, a page
-- reads as many rows and blocks as before.

BEGIN;
\ir helpers.psql
\ir plans.psql
SELECT no_plan();

-- the planner's settings of the console's role
SELECT set_config(split_part(c, '=', 1), split_part(c, '=', 2), true)
FROM pg_db_role_setting s, unnest(s.setconfig) c
WHERE s.setrole = 'payments_console'::regrole AND s.setdatabase = 0
    AND c !~ '^(default|statement|lock|idle)'
\g /dev/null

-- One row for each merchant, PSP, source, address, check or file of SQL, and the
-- quarantine, which has at most 1,000 for each PSP.
CREATE TEMPORARY TABLE small (name) AS
SELECT unnest('{console_right,console_role,currency,settlement_source,
    webhook_endpoint,backfill,round,schema_migration,check_result,
    webhook_quarantine}'::text[]);

-- a page and its query
CREATE TEMPORARY TABLE view AS
SELECT v.view || coalesce(' of ' || m.merchants, '') AS name,
    split_part(v.view, ' ', 1) AS page,
    (SELECT coalesce(jsonb_object_agg(split_part(w, '=', 1),
                                      split_part(w, '=', 2)), '{}')
     FROM unnest((string_to_array(v.view, ' '))[2:]) w) AS query,
    to_jsonb(string_to_array(m.merchants, ' ')) AS merchants
FROM unnest(ARRAY['now', 'psps', 'webhooks', 'money',
    'find q=early1-7', 'find q=0.09', 'find q=nobody',
    'payment checkout=early1-7', 'payment order=early1-7',
    'payments', 'payments status=FAILED', 'payments psp=nobody',
    'payments currency=JPY', 'payments min=5 max=6', 'payments from=1 to=2',
    'payments before=1700000000000000:c:m',
    'letters', 'letters state=open', 'letters state=settled',
    'letters kind=poll', 'letters psp=nobody',
    'mismatches', 'mismatches state=open', 'mismatches state=settled',
    'mismatches kind=fee', 'mismatches psp=nobody',
    'disputes', 'disputes state=open', 'disputes psp=nobody',
    'changes', 'changes kind=capture', 'changes psp=nobody',
    'unknown', 'unknown kind=capture', 'unknown psp=nobody',
    'late', 'late state=refunding', 'late psp=nobody',
    'jobs', 'jobs state=late', 'jobs kind=register',
    'inbox', 'inbox psp=nobody', 'quarantine', 'quarantine psp=nobody',
    'deliveries', 'deliveries state=due',
    'wallets', 'wallets seller=nobody', 'wallets currency=JPY',
    'ledger', 'ledger account=suspense', 'ledger psp=nobody',
    'settlement', 'settlement state=refused', 'settlement psp=nobody',
    'exceptions', 'exceptions state=open', 'exceptions state=closed',
    'exceptions kind=gone', 'exceptions psp=nobody',
    'payouts', 'payouts state=sent', 'batches', 'batches state=open',
    'risk', 'risk state=rejected', 'audit']) AS v (view)
CROSS JOIN (VALUES (NULL), ('m1'), ('m1 nobody')) AS m (merchants);

-- What each of them reads: rows of all tables, blocks (an index may pass over
-- what no counter of rows has), and tables as a whole.
CREATE TEMPORARY TABLE seen (step text, name text, outcome text, rows numeric,
                             blocks numeric, scanned text);
CREATE FUNCTION pg_temp.look(p_step text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_view    record;
    v_outcome text;
    v_rows    numeric;
    v_before  jsonb;
    v_plan    jsonb;
BEGIN
    FOR v_view IN SELECT * FROM pg_temp.view LOOP
        v_before := pg_temp.scans();
        v_rows := pg_temp.reads();
        SELECT r.outcome INTO v_outcome
        FROM pay_console.read_page(ARRAY[v_view.page], '{ann}',
            '{"[\"auditor\"]"}', ARRAY[v_view.merchants],
            ARRAY[v_view.query]) r;
        v_rows := pg_temp.reads() - v_rows;
        EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)
            SELECT FROM pay_console.read_page(ARRAY[%L], ''{ann}'',
                ''{"[\"auditor\"]"}'', ARRAY[%L::jsonb], ARRAY[%L::jsonb])',
            v_view.page, v_view.merchants, v_view.query) INTO v_plan;
        INSERT INTO seen
        SELECT p_step, v_view.name, v_outcome, v_rows,
            (v_plan #>> '{0,Plan,Shared Hit Blocks}')::numeric
                + (v_plan #>> '{0,Plan,Shared Read Blocks}')::numeric,
            (SELECT string_agg(a.key, ' ')
             FROM jsonb_each_text(pg_temp.scans()) a
             WHERE a.value <> coalesce(v_before ->> a.key, '0'));
    END LOOP;
END
$$;
CREATE FUNCTION pg_temp.scans() RETURNS jsonb LANGUAGE sql AS $$
SELECT coalesce(jsonb_object_agg(t.relname, t.seq_scan), '{}')
FROM pg_stat_xact_user_tables t
WHERE t.schemaname = 'pay' AND t.seq_scan > 0
    AND t.relname NOT IN (SELECT s.name FROM small s)
$$;

-- Not all of the same moment, as those of one transaction are.
CREATE FUNCTION pg_temp.spread() RETURNS void LANGUAGE sql AS $$
UPDATE pay.job j SET run_at = now() + n.n * interval '1 s'
FROM (SELECT x.checkout_id, row_number() OVER (ORDER BY x.checkout_id) AS n
      FROM pay.job x) n
WHERE j.checkout_id = n.checkout_id;
UPDATE pay.checkout c SET created_at = now() - n.n * interval '1 s'
FROM (SELECT x.checkout_id, row_number() OVER (ORDER BY x.checkout_id) AS n
      FROM pay.checkout x) n
WHERE c.checkout_id = n.checkout_id;
$$;

SELECT pg_temp.run('begin', 'early' || i, 500) FROM generate_series(1, 6) i
\g /dev/null
\set first 0
\set rows 3000
\ir ../bench/console.sql
SET search_path = tap, pg_temp;
SELECT pg_temp.spread()
\g /dev/null
ANALYZE;
SELECT pg_temp.look('before')
\g /dev/null
SELECT pg_temp.run('begin', 'later' || i, 500) FROM generate_series(1, 6) i
\g /dev/null
SELECT pg_temp.spread()
\g /dev/null
SELECT pg_temp.look('after')
\g /dev/null
\set first 3000
\set open 1000000
\ir ../bench/console.sql
SET search_path = tap, pg_temp;
SELECT pg_temp.look('more')
\g /dev/null

SELECT is_empty($$
    SELECT s.name, s.outcome FROM seen s
    WHERE s.outcome NOT IN ('found', 'not_found')
$$, 'each page is one');
SELECT is_empty($$
    SELECT DISTINCT s.name, s.scanned FROM seen s WHERE s.scanned IS NOT NULL
$$, 'no table that grows is read as a whole');
SELECT is_empty($$
    SELECT b.name, b.rows, a.rows
    FROM seen b JOIN seen a ON a.name = b.name AND a.step = 'after'
    WHERE b.step = 'before' AND a.rows > 1.2 * b.rows + 200
        -- it looks at the newest 10,000
        AND b.name NOT LIKE 'find q=0.09%'
$$, 'twice as many orders are no more to read');
SELECT is_empty($$
    SELECT b.name, b.blocks, a.blocks
    FROM seen b JOIN seen a ON a.name = b.name AND a.step = 'after'
    WHERE b.step = 'before' AND b.name LIKE 'payments from=%'
        AND a.blocks > b.blocks + 10
$$, 'nor is it more to pass over: times are looked up');
-- A filter that no index has reads the list's history, and the share of
-- disputes that were won those of 180 days.
SELECT is_empty($$
    SELECT b.name, b.rows, a.rows
    FROM seen b JOIN seen a ON a.name = b.name AND a.step = 'more'
    WHERE b.step = 'after' AND a.rows > 1.2 * b.rows + 200
        AND b.name !~ '^(letters|mismatches|exceptions|settlement) (kind|psp)='
        AND b.name !~ '^(settlement state=refused|risk state=rejected)'
        AND b.name !~ '^disputes'
$$, 'work that is done with is no more to read');

SELECT finish();
ROLLBACK;
