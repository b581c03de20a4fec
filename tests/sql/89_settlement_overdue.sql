-- An entry that is overdue is settled by another way than a row that matches:
-- it leaves the queue as well.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':3000'])
FROM generate_series(1, 5) n
\g /dev/null
SELECT pg_temp.news('fee', 'succeeded', 'fee-2', 30, 't-c2'),
    pg_temp.news('dispute', 'opened', 'dp-4', 3000, 't-c4'),
    pg_temp.news('dispute', 'lost', 'dp-5', 3000, 't-c5')
\g /dev/null

CREATE FUNCTION pg_temp.overdue() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', x.source, x.kind), ', '
                  ORDER BY x.source, x.kind)
FROM pay.settlement_exception x
WHERE x.finding = 'overdue' AND x.closed_at IS NULL
$$;
CREATE FUNCTION pg_temp.of_row(p_key text) RETURNS bigint LANGUAGE sql AS $$
SELECT x.exception_id FROM pay.settlement_exception x
JOIN pay.settlement_row r USING (row_id) WHERE r.row_key = p_key
$$;
CREATE FUNCTION pg_temp.of_entry(p_source text, p_kind text) RETURNS bigint
LANGUAGE sql AS $$
SELECT x.exception_id FROM pay.settlement_exception x
WHERE x.source = p_source AND x.kind = p_kind
$$;

SELECT is(pg_temp.import('early', ARRAY['d5|dispute|dp-5|pi-c5||-3000|0|-3000']),
          'booked 1 1 0 0 0', 'a row that matches');
SELECT is((pay_ops.raise_overdue('stripe', now() + interval '10 days'))
          .queued, 6, 'nothing else has come');
SELECT is(pg_temp.overdue(), 'event/stripe/fee-2 psp_fee, order/o1 sale,'
    ' order/o2 sale, order/o3 sale, order/o4 sale, order/o5 sale',
    'it is overdue');

-- rows of other amounts, which operators accept or write off
SELECT is(pg_temp.import('late', ARRAY['a1|sale|ch-1|pi-c1||2900|0|2900',
    'a2|sale|ch-2|pi-c2||2900|-30|2870', 'a3|sale|ch-3|pi-c3||2900|0|2900']),
    'booked 3 0 0 3 0', 'they come with other amounts');
SELECT is(pay_ops.accept_settlement(pg_temp.of_row('a1'), 'ann', 'looked'),
          'accepted', 'one is accepted');
SELECT is(pg_temp.overdue(), 'event/stripe/fee-2 psp_fee, order/o2 sale,'
    ' order/o3 sale, order/o4 sale, order/o5 sale', 'its sale waits no more');
SELECT is(pay_ops.write_off_settlement(pg_temp.of_entry('order/o1', 'sale'),
    'ann', 'looked'), 'closed', 'and cannot be given up');
SELECT is(pay_ops.accept_settlement(pg_temp.of_row('a2'), 'ann', 'looked'),
          'accepted', 'one whose fee is overdue, too');
SELECT is(pay_ops.write_off_settlement(pg_temp.of_row('a3'), 'ann', 'looked'),
          'written_off', 'one is written off');
SELECT is(pg_temp.overdue(), 'order/o4 sale, order/o5 sale',
          'all of them wait no more');

-- a lost dispute, whose money a row took when it was opened
SELECT is(pg_temp.import('dispute', ARRAY[
    'd4|dispute|dp-4|pi-c4||-3000|0|-3000']), 'booked 1 0 1 0 0', 'a hold');
SELECT pg_temp.news('dispute', 'lost', 'dp-4', 3000, 't-c4')
\g /dev/null
UPDATE pay.settlement_source SET checked_until = NULL WHERE source = 'stripe';
SELECT is((pay_ops.raise_overdue('stripe', now() + interval '10 days'))
          .queued, 1, 'no file comes for days');
SELECT is(pg_temp.overdue(), 'dispute/stripe/dp-4 dispute_lost,'
    ' order/o4 sale, order/o5 sale', 'the loss is overdue');
SELECT is(pg_temp.import('next', ARRAY['x|fee||||0|-1|-1']),
          'booked 1 0 1 0 0', 'a file comes');
SELECT is(pg_temp.overdue(), 'order/o4 sale, order/o5 sale',
          'the loss waits no more');

-- a payout that came back to the PSP and never was at the bank
SELECT is(pg_temp.import('payout', ARRAY[
    'p1|payout|po-1|||-500|0|-500||||po-1']), 'booked 1 0 1 0 0', 'a payout');
SELECT is((pay_ops.raise_overdue('bank', now() + interval '10 days'))
          .queued, 1, 'is overdue at the bank');
SELECT is(pg_temp.import('back', ARRAY[
    'p2|payout_returned|po-1|||500|0|500||||po-2']), 'booked 1 0 1 0 0',
    'it came back');
SELECT is(pg_temp.overdue(), 'order/o4 sale, order/o5 sale',
          'and waits no more');
SELECT is(pay_ops.write_off_settlement(pg_temp.of_entry('payout/stripe/1/p1',
    'psp_paid_out'), 'ann', 'looked'), 'closed', 'nor can it be given up');

\i :checks
SELECT * FROM finish();
ROLLBACK;
