-- Plans that were made while all tables were empty and nothing was counted
-- look rows up by key when the tables have grown.

BEGIN;
\ir helpers.psql
\ir plans.psql
SELECT no_plan();

\ir plans_grow.psql

-- Its entries that do not fit are no rows, so the counts above have none.
SELECT is(pg_stat_get_xact_numscans('pay.checkout_created'::regclass), 0::bigint,
    'one checkout is not looked up among all of its merchant');
SELECT * FROM pay_api.list_checkouts(ARRAY['m1'], ARRAY[NULL], ARRAY[NULL]::bigint[],
    ARRAY[NULL]::bigint[], ARRAY[NULL], ARRAY[20::bigint])
\g /dev/null
SELECT is(pg_stat_get_xact_numscans('pay.checkout_created'::regclass), 1::bigint,
    'a page of a list reads the index for lists');

SELECT is_empty($$SELECT i.indexrelid::regclass FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = 'pay.payment_order'::regclass AND a.attname = 'merchant_id'$$,
    'no index of orders could be read by merchant alone');

\i :checks
SELECT finish();
ROLLBACK;
