-- The same with plans from a queue that was counted when it was empty but had
-- been long before: its pages are still there.

BEGIN;
\ir helpers.psql
\ir plans.psql
SELECT no_plan();

SAVEPOINT before;
SELECT pg_temp.run('begin', 'gone', 500)
\g /dev/null
ROLLBACK TO before;
ANALYZE pay.job;
SELECT ok(c.relpages > 0 AND c.reltuples = 0, 'a drained queue')
FROM pg_class c WHERE c.oid = 'pay.job'::regclass;

\ir plans_grow.psql

\i :checks
SELECT finish();
ROLLBACK;
