-- The same with plans from the smallest numbers that autovacuum counts (see
-- the thresholds in 0001_core.sql), and a table of jobs that is nearly empty.

BEGIN;
\ir helpers.psql
\ir plans.psql
SELECT no_plan();

SELECT pg_temp.run('begin', 'open', 2), pg_temp.run('token', 'open', 1)
\g /dev/null
ANALYZE pay.job;
SELECT pg_temp.run(w, 'done', 300) FROM unnest('{begin,token,paid}'::text[]) w
\g /dev/null
ANALYZE pay.checkout, pay.payment_order, pay.registration, pay.psp_token,
    pay.idempotency_key, pay.webhook_inbox, pay.event;

\ir plans_grow.psql

-- a page reads what it shows; one by status no more than its window
CREATE FUNCTION pg_temp.page_reads(p_status text) RETURNS numeric
LANGUAGE plpgsql AS $$
DECLARE
    v_before numeric := pg_temp.reads();
BEGIN
    PERFORM FROM pay_api.list_checkouts('{m1}', ARRAY[p_status],
        ARRAY[NULL::bigint], ARRAY[NULL::bigint], ARRAY[NULL::text], '{50}');
    RETURN pg_temp.reads() - v_before;
END
$$;
SELECT cmp_ok(pg_temp.page_reads(NULL), '<=', 250.0, 'a page reads few rows');
SELECT cmp_ok(pg_temp.page_reads('FAILED'), '<=', 1600.0,
              'a page of a status reads its window');

\i :checks
SELECT finish();
ROLLBACK;
