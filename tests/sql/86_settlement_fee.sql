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

\i :checks
SELECT * FROM finish();
ROLLBACK;
