-- Settlement files: a fee that a file has brought before its webhook.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'])
FROM generate_series(1, 5) n
\g /dev/null

SELECT is(pg_temp.import('first', ARRAY[
    'a1|sale|ch-1|pi-c1||1000|-30|970', 'a2|fee|fee-2|pi-c2||0|-25|-25',
    'a3|dispute|dp-3|pi-c3||-1000|-15|-1015|USD']), 'booked 3 1 2 0 0',
    'a fee in a row, a fee of its own, and one of a dispute');
SELECT is(pg_temp.holds('USD', 'psp_fees'), '70', 'are booked');

SELECT is(pg_temp.news('fee', 'succeeded', 'fee-1', 30, 't-c1'), 'applied',
          'the webhook about the first comes later');
SELECT is(pg_temp.news('fee', 'succeeded', 'fee-2', 25, 't-c2'), 'applied',
          'that about the second, too');
SELECT is(pg_temp.holds('USD', 'psp_fees'), '70', 'they are charged once');
SELECT is(pg_temp.entries('a1') || ' / ' || pg_temp.entries('a2'),
    'psp_fee 30 USD, psp_fee_returned 30 USD'
    ' / psp_fee 25 USD, psp_fee_returned 25 USD', 'the file''s entries give way');
SELECT is((SELECT count(*) FROM pay.settlement_closed c
           WHERE c.kind = 'psp_fee'), 2::bigint,
          'and its rows have settled those of the webhooks');

SELECT is(pg_temp.news('fee', 'succeeded', 'fee-1', 30, 't-c1'), 'duplicate',
          'the same webhook again');
SELECT is(pg_temp.news('fee', 'succeeded', 'fee-1b', 30, 't-c1'), 'applied',
          'another fee of the same amount');
SELECT is(pg_temp.holds('USD', 'psp_fees'), '100', 'is another one');

-- of a dispute: each of its webhooks has it
SELECT is(pg_temp.import('euros', ARRAY[
    'b1|fee|dp-4|pi-c4||0|-15|-15|EUR']), 'booked 1 0 1 0 0',
    'the fee of a dispute that nobody has heard of');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-4', 1000, 't-c4',
    p_fee => 15), 'applied', 'it is opened');
SELECT is(pg_temp.news('dispute', 'won', 'dp-4', 1000, 't-c4', p_fee => 15),
          'applied', 'and won');
SELECT is(pg_temp.holds('EUR', 'psp_fees'), '15', 'its fee is one');

SELECT is(pg_temp.news('fee', 'succeeded', 'fee-5', 9, 't-c5'), 'applied',
          'a fee that no file has brought');
SELECT is(pg_temp.import('last', ARRAY['d1|fee|fee-5|pi-c5||0|-9|-9']),
          'booked 1 1 0 0 0', 'matches the row that comes later');
SELECT is(pg_temp.holds('USD', 'psp_fees'), '109', 'as before');

-- a row that has waited for its payment: its fee has come by a webhook since
SELECT is(pg_temp.import('early', ARRAY[
    'e6|sale|ch-6|pi-c6||1000|-30|970']), 'booked 1 0 0 0 1',
    'a payment that nobody knows yet');
SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'])
FROM generate_series(6, 7) n
\g /dev/null
SELECT pg_temp.news('fee', 'succeeded', 'fee-' || n, m, 't-c' || n)
FROM (VALUES (6, 30), (7, 40)) v (n, m)
\g /dev/null
SELECT is(pg_temp.holds('USD', 'psp_fees'), '179', 'two webhooks with fees');
SELECT pg_temp.import('next', ARRAY['f1|fee|fee-8|pi-c5||0|-1|-1',
    'f7|sale|ch-7|pi-c7||990|-40|950'])
\g /dev/null
SELECT is(pg_temp.holds('USD', 'psp_fees'), '180',
          'the fee of the row that leaves the queue is not booked again');
SELECT is((SELECT count(*) FROM pay.settlement_closed c
           JOIN pay.journal_entry e USING (merchant_id, source, kind)
           WHERE e.kind = 'psp_fee' AND e.checkout_id = 'c6'), 1::bigint,
          'its entry is settled');
SELECT is(pay_ops.write_off_settlement(x.exception_id, 'ann', 'why'),
          'written_off', 'the other one has another amount')
FROM pay.settlement_exception x WHERE x.closed_at IS NULL;
SELECT is(pg_temp.holds('USD', 'psp_fees'), '180', 'once');
SELECT is((SELECT count(*) FROM pay.settlement_closed c
           JOIN pay.journal_entry e USING (merchant_id, source, kind)
           WHERE e.kind = 'psp_fee' AND e.checkout_id = 'c7'), 1::bigint,
          'and settled');

-- of a converted row a fee may be a minor unit away, as where the webhook is
-- first: each way, and no further
SELECT pg_temp.sold('d' || n, ARRAY['q' || n || ':1000'])
FROM generate_series(1, 5) n
\g /dev/null
SELECT pg_temp.holds('EUR', 'psp_fees', 'rounding') AS before
\gset
SELECT is(pg_temp.import('rounded', ARRAY[
    'g1|sale|ch-d1|pi-d1||925|-48|877|EUR|1000|USD',
    'g2|sale|ch-d2|pi-d2||925|-48|877|EUR|1000|USD',
    'g3|sale|ch-d3|pi-d3||925|-48|877|EUR|1000|USD',
    'g4|sale|ch-d4|pi-d4||1000|-48|952',
    'g5|sale|ch-d5|pi-d5||925|48|973|EUR|1000|USD']),
    'booked 5 5 0 0 0', 'converted rows, and one that is not');
SELECT is(:'before' || ' / ' || pg_temp.holds('EUR', 'psp_fees', 'rounding'),
          '15 0 / 111 0', 'with fees, one of them given back');
SELECT is(pg_temp.news('fee', CASE n WHEN 5 THEN 'failed' ELSE 'succeeded' END,
    'fee-d' || n, m, 't-d' || n, p_currency => c), 'applied', 'webhook ' || n)
FROM (VALUES (1, 47, 'EUR'), (2, 49, 'EUR'), (3, 46, 'EUR'), (4, 47, 'USD'),
    (5, 47, 'EUR')) v (n, m, c);
SELECT is(pg_temp.holds('EUR', 'psp_fees', 'rounding'), '158 -1',
          'three are one fee each, with a rounding; the third is another fee');
SELECT is(pg_temp.entries('g' || n), e, 'row ' || n)
FROM (VALUES (1, 'psp_fee 48 EUR, psp_fee_returned 48 EUR, rounded 1 EUR,'
          ' settled_fx 1000 USD 925 EUR'),
      (2, 'psp_fee 48 EUR, psp_fee_returned 48 EUR, rounded_up 1 EUR,'
          ' settled_fx 1000 USD 925 EUR'),
      (3, 'psp_fee 48 EUR, settled_fx 1000 USD 925 EUR'),
      (4, 'psp_fee 48 USD'),
      (5, 'psp_fee 48 EUR, psp_fee_returned 48 EUR, rounded_up 1 EUR,'
          ' settled_fx 1000 USD 925 EUR')) v (n, e);
SELECT is((SELECT r.rows::int FROM pay.settlement_rounding r
           WHERE r.currency = 'EUR'), 3, 'counted');
SELECT is(pg_temp.news('fee', 'succeeded', 'fee-d1b', 47, 't-d1',
    p_currency => 'EUR'), 'applied', 'another fee of the first');
SELECT is(pg_temp.holds('EUR', 'psp_fees', 'rounding'), '205 -1',
          'is another one');

\i :checks
SELECT * FROM finish();
ROLLBACK;
