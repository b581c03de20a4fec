-- As 90_plans_fresh.sql, with plans from tables that were counted while they
-- were empty, as VACUUM ANALYZE does on a fresh database: no table is taken
-- for a few pages then, and one index for as good as the other.  It comes
-- first, since what other tests roll back leaves pages behind.

BEGIN;
\ir helpers.psql
\ir plans.psql
SELECT no_plan();

SELECT format('ANALYZE %s', c.oid::regclass) FROM pg_class c
WHERE c.relnamespace = 'pay'::regnamespace AND c.relkind IN ('r', 'p')
\gexec

\ir plans_grow.psql

-- the invariants need not read what has grown by such plans
SELECT format('ANALYZE %s', c.oid::regclass) FROM pg_class c
WHERE c.relnamespace = 'pay'::regnamespace AND c.relkind IN ('r', 'p')
\gexec
\i :checks
SELECT finish();
ROLLBACK;
