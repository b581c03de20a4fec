-- Payments whose first events went with their month, and what comes later.

BEGIN;
\ir helpers.psql
\ir audit.psql
SELECT no_plan();

-- a payment came too late, and its refund is asked for
SELECT pg_temp.begin('m1', 'k-late', 'late', '{late:100}', p_late => 'refund'),
    pg_temp.token('m1', 'late', 'late'), pg_temp.fact('late', 'expired'),
    pg_temp.fact('late', 'paid', 'e-1', p_amount => 100, p_currency => 'USD',
                 p_reference => 'pay-1'),
    pg_temp.rewrite('late', 300, '2024-03-20'),
    pay.make_partitions(), pg_temp.seal(), pg_temp.signed(1)
\g /dev/null
CREATE FUNCTION pg_temp.dropped() RETURNS text LANGUAGE sql AS
'SELECT pay_ops.drop_month(''2024-03-01'', ''1 year'', ''me'', ''retention'')';
SELECT is(pg_temp.dropped(), 'dropped', 'its month goes');
SELECT is((SELECT count(*) FROM pay.event e
           WHERE e.payment_order_id = 'late'), 0::bigint, 'with its payment');

-- a second payment contradicts an order that has failed, as before
SELECT is(pg_temp.fact('late', 'paid', 'e-2', p_amount => 100,
    p_currency => 'USD', p_reference => 'pay-2'), 'contradiction', 'another');
SELECT is((e.kind, e.old_status, e.new_status)::text,
          '(contradiction,FAILED,FAILED)', 'told')
FROM pay.event e WHERE e.payment_order_id = 'late';

\i :checks
SELECT * FROM finish();
ROLLBACK;
