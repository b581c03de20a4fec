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

-- the plans are made here
SELECT is(pg_temp.reads_of(w, 'first', 1, o), 'few', 'one item: ' || w)
FROM (VALUES ('begin', 'created'), ('no_token', 'stored'), ('resend', 'job'),
    ('token', 'stored'), ('send', 'send'), ('sent', 'stored'), ('hint', 'asked'), ('ask', 'asked'),
    ('claim', 'job'), ('finish', 'done'), ('paid', 'applied'),
    ('get', 'found'), ('order', 'found'), ('payment', 'found'),
    ('refund', 'created'),
    ('send_refund', 'send'), ('sent_refund', 'stored'), ('told', 'applied'),
    ('dispute', 'applied'), ('change', 'found'), ('changes', 'found'),
    ('explain', 'found')) v (w, o);
SELECT is(pg_temp.reads_of(w, 'moves', 1, o), 'few', 'one item: ' || w)
FROM (VALUES ('begin', 'created'), ('reroute', 'rerouted')) v (w, o);

SELECT pg_temp.run('begin', 'many' || i, 500) FROM generate_series(1, 6) i
\g /dev/null
SELECT pg_temp.run('token', 'many' || i, 500) FROM generate_series(1, 2) i
\g /dev/null
SELECT is(pg_temp.reads_of(w, 'last', 100, o), 'few', 'a hundred: ' || w)
FROM (VALUES ('begin', 'created'), ('no_token', 'stored'), ('resend', 'job'),
    ('token', 'stored'), ('send', 'send'), ('sent', 'stored'), ('hint', 'asked'), ('ask', 'asked'),
    ('claim', 'job'), ('finish', 'done'), ('paid', 'applied'),
    ('get', 'found'), ('order', 'found'), ('payment', 'found'),
    ('refund', 'created'),
    ('send_refund', 'send'), ('sent_refund', 'stored'), ('told', 'applied'),
    ('dispute', 'applied'), ('change', 'found'), ('changes', 'found'),
    ('explain', 'found')) v (w, o);
SELECT is(pg_temp.reads_of(w, 'move', 100, o), 'few', 'a hundred: ' || w)
FROM (VALUES ('begin', 'created'), ('reroute', 'rerouted')) v (w, o);

-- the invariants need not read what has grown by such plans
SELECT format('ANALYZE %s', c.oid::regclass) FROM pg_class c
WHERE c.relnamespace = 'pay'::regnamespace AND c.relkind IN ('r', 'p')
\gexec
\i :checks
SELECT finish();
ROLLBACK;
