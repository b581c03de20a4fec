-- Plans that were made while all tables were empty and nothing was counted
-- look rows up by key when the tables have grown.

BEGIN;
\ir helpers.psql
\ir plans.psql
SELECT no_plan();

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

-- Its entries that do not fit are no rows, so the counts above have none.
SELECT is(pg_stat_get_xact_numscans('pay.checkout_created'::regclass), 0::bigint,
    'one checkout is not looked up among all of its merchant');
SELECT * FROM pay_api.list_checkouts(ARRAY['m1'], ARRAY[NULL], ARRAY[NULL]::bigint[],
    ARRAY[NULL]::bigint[], ARRAY[NULL], ARRAY[20::bigint])
\g /dev/null
SELECT is(pg_stat_get_xact_numscans('pay.checkout_created'::regclass), 1::bigint,
    'a page of a list reads the index for lists');

\i :checks
SELECT finish();
ROLLBACK;
