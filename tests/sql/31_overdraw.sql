-- begin_change: refunds that must be covered by what their seller has.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'])
FROM generate_series(1, 6) n
\g /dev/null
-- as if disputes had taken the rest
UPDATE pay.wallet SET available_minor = 500 WHERE seller_account = 'seller-1';

SELECT is(pg_temp.change('o1', 'covered_refund', 'r1', 501), 'overdraws',
          'more than the seller has');
SELECT is(pg_temp.money('o1'), '0 1000 0 0 0', 'reserves nothing');
SELECT is((SELECT count(*) FROM pay.change
           WHERE change_id = pg_temp.uuid('r1')), 0::bigint, 'and is not kept');
SELECT is((SELECT count(*) FROM pay.idempotency_key WHERE key = 'key-r1'),
          0::bigint, 'so that its key is free');
SELECT is(pg_temp.change('o1', 'covered_refund', 'r2'), 'overdraws',
          'nor does all of an order');
SELECT is(pg_temp.change('o1', 'covered_refund', 'r3', 500),
          'created refund NOT_STARTED 500', 'what there is may go');
SELECT is(pg_temp.wallet(), '0 0 500', 'to the last cent');
SELECT is(pg_temp.change('o1', 'covered_refund', 'r3b', 500, 'key-r3'),
          'in_progress', 'the same request again is the same refund');
SELECT is(pg_temp.change('o2', 'covered_refund', 'r4', 1), 'overdraws',
          'then nothing more');
SELECT is(pg_temp.change('o2', 'refund', 'r5', 1),
          'created refund NOT_STARTED 1', 'unless it need not be covered');
SELECT is(pg_temp.wallet(), '-1 0 501', 'which overdraws');
SELECT is(pg_temp.change('o3', 'covered_refund', 'r6', 1001), 'exceeds',
          'what the order has comes first');

-- in one batch: the wallet moves at its end
UPDATE pay.wallet SET available_minor = 500 WHERE seller_account = 'seller-1';

SELECT is(string_agg(c.outcome, ' ' ORDER BY c.item),
          'created overdraws created created overdraws',
          'each takes from what those before it have left')
FROM pay_api.begin_change(array_fill('m1'::text, ARRAY[5]),
    ARRAY['o3', 'o4', 'o4', 'o5', 'o6'],
    ARRAY['covered_refund', 'covered_refund', 'covered_refund', 'refund',
          'covered_refund'],
    ARRAY(SELECT pg_temp.uuid('b' || n) FROM generate_series(1, 5) n),
    ARRAY(SELECT 'key-b' || n FROM generate_series(1, 5) n),
    array_fill(sha256('x'), ARRAY[5]), array_fill(86400::bigint, ARRAY[5]),
    ARRAY[300, 300, 150, 50, 1]::bigint[], array_fill(NULL::text, ARRAY[5]),
    array_fill(NULL::text, ARRAY[5]), array_fill(NULL::jsonb, ARRAY[5]),
    array_fill(30000::bigint, ARRAY[5]), array_fill('r'::text, ARRAY[5])) c;
SELECT is((SELECT available_minor FROM pay.wallet
           WHERE seller_account = 'seller-1'), 0::bigint, 'and no more');

SELECT * FROM finish();
ROLLBACK;
