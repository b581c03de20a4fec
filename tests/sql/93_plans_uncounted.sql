-- The same with plans from tables that have grown and have never been counted:
-- a connection that is opened while a fresh database fills.

BEGIN;
\ir helpers.psql
\ir plans.psql
SELECT no_plan();

SELECT pg_temp.run(w, 'early', 500)
FROM unnest('{begin,token,paid}'::text[]) w
\g /dev/null
DISCARD PLANS;
\ir plans_grow.psql

\i :checks
SELECT finish();
ROLLBACK;
