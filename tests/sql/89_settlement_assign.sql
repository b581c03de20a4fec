-- Settlement files beside an operator's assignment: the PSP has moved the money
-- once, whichever orders bear it.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY[format('o%sa:100', n),
                                    format('o%sb:50', n)])
FROM generate_series(1, 8) n
\g /dev/null
-- the last row of a checkout in the queue, laid to an order; {}: to nobody
CREATE FUNCTION pg_temp.assign(p_n int, p_order text, p_amount text)
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.assign_mismatch(max(m.mismatch_id),
    ARRAY[format('o%s%s', p_n, p_order)], ARRAY[p_amount], 'ann', 'a call')
FROM pay.mismatch m WHERE m.checkout_id = 'c' || p_n
$$;
-- entries that no file has brought, and what is in the queue
CREATE FUNCTION pg_temp.open(p_n int) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' / ', (
    SELECT coalesce(string_agg(concat_ws(' ', e.kind, e.amount_minor), ', '
                               ORDER BY e.kind, e.amount_minor), 'none')
    FROM pay.journal_entry e
    JOIN pay.settlement_expected x ON x.kind = e.kind AND x.family <> 'sale'
    WHERE e.checkout_id = 'c' || p_n AND NOT EXISTS (
        SELECT FROM pay.settlement_closed c
        WHERE c.merchant_id = e.merchant_id AND c.source = e.source
            AND c.kind = e.kind)), (
    SELECT string_agg(concat_ws(' ', x.kind, x.finding), ', ' ORDER BY x.kind)
    FROM pay.settlement_exception x
    WHERE x.checkout_id = 'c' || p_n AND x.kind <> 'sale'
        AND x.closed_at IS NULL))
$$;
CREATE FUNCTION pg_temp.overdue() RETURNS text LANGUAGE sql AS $$
UPDATE pay.settlement_source s SET checked_until = NULL;
SELECT 'looked' FROM pay_ops.raise_overdue('stripe', now() + interval '1 year')
$$;

-- assigned, and then in a file
SELECT is(pg_temp.news('refund', 'succeeded', 're-1', 50, 't-c1'), 'applied',
    'a refund of both orders');
SELECT is(pg_temp.open(1), 'refund_external 17, refund_external 33',
    'two entries');
SELECT is(pg_temp.assign(1, 'b', '0.50'), 'assigned', 'it is the second''s');
SELECT is(pg_temp.open(1), 'refund_external 50', 'one is left');
SELECT is(pg_temp.import('f1', ARRAY['r1|refund|re-1|pi-c1||-50|0|-50']),
    'booked 1 1 0 0 0', 'its row');
SELECT is(pg_temp.open(1), 'none', 'settles it');

-- in a file, and then assigned, twice
SELECT is(pg_temp.news('refund', 'succeeded', 're-2', 50, 't-c2'), 'applied',
    'another one');
SELECT is(pg_temp.import('f2', ARRAY['r2|refund|re-2|pi-c2||-50|0|-50']),
    'booked 1 1 0 0 0', 'is in a file');
SELECT is(pg_temp.assign(2, o, '0.50'), 'assigned', o)
FROM unnest('{b,a}'::text[]) o;
SELECT is(pg_temp.open(2), 'none', 'nothing is open');

-- a lost dispute, before and behind its row
SELECT is(pg_temp.news('dispute', 'lost', 'dp-' || n, 30, 't-c' || n),
    'applied', 'lost') FROM generate_series(3, 4) n;
SELECT is(pg_temp.assign(3, 'b', '0.30'), 'assigned', 'assigned');
SELECT is(pg_temp.open(3), 'dispute_lost 30', 'one is left');
SELECT is(pg_temp.import('f3', ARRAY['r3|dispute|dp-3|pi-c3||-30|0|-30',
    'r4|dispute|dp-4|pi-c4||-30|0|-30']), 'booked 2 2 0 0 0', 'their rows');
SELECT is(pg_temp.assign(4, 'b', '0.30'), 'assigned', 'behind its row');
SELECT is(concat_ws(' / ', pg_temp.open(3), pg_temp.open(4)), 'none / none',
    'nothing is open');

-- its money was taken while it was open
SELECT is(pg_temp.news('dispute', 'opened', 'dp-5', 30, 't-c5'), 'applied',
    'a dispute');
SELECT is(pg_temp.import('f5', ARRAY['r5|dispute|dp-5|pi-c5||-30|0|-30']),
    'booked 1 0 1 0 0', 'its row');
SELECT is(pg_temp.news('dispute', 'lost', 'dp-5', 30, 't-c5'), 'applied',
    'is lost');
SELECT is(pg_temp.assign(5, 'b', '0.30'), 'assigned', 'assigned at once');
SELECT is(pg_temp.import('f6', ARRAY['r6|fee||||0|-1|-1']),
    'booked 1 0 1 0 0', 'the next file');
SELECT is(concat(pg_temp.open(5), ' ', pg_temp.holds('USD', 'psp_reserve',
    'chargebacks')), 'none 0 0', 'books its money once');

-- in suspense until somebody knew its orders, and overdue in between
SELECT is(pg_temp.whole('c6', 'o6a', 'refund', 'x6', 100, 'DONE', 're-6a'),
    'SUCCESS re-6a', 'one order has nothing left');
SELECT is(pg_temp.news('refund', 'succeeded', 're-6', 60, 't-c6'), 'mismatch',
    'too much');
SELECT is(pg_temp.overdue(), 'looked', 'no file comes');
SELECT is(pg_temp.open(6), 'refund 100, unknown_refund 60 / '
    'refund overdue, unknown_refund overdue', 'both wait');
SELECT is(pg_temp.news('refund', 'failed', 're-6a', 100, 't-c6'), 'applied',
    'the first comes back');
SELECT is(pg_temp.assign(6, 'a', '0.60'), 'assigned', 'which has room for it');
SELECT is(pg_temp.open(6), 'refund 100, refund_external 60, refund_returned 100'
    ' / refund overdue', 'what is in no file any more is not waited for');
SELECT is(pg_temp.overdue(), 'looked', 'again');
SELECT is(pg_temp.open(6), 'refund 100, refund_external 60, refund_returned 100'
    ' / refund overdue, refund_external overdue, refund_returned overdue',
    'nor behind that');

-- a refund of ours that was taken for one made at the PSP
SELECT is(pg_temp.news('refund', 'succeeded', 're-7', 50,
    p_reference => 'pi-c7'), 'applied', 'made at the PSP, it seems');
SELECT pg_temp.whole('c7', 'o7a', 'refund', 'x7', 50, 'DONE', 're-7')
\g /dev/null
SELECT is(pg_temp.open(7), 'refund 50, refund_external 17, refund_external 33,'
    ' refund_returned 17, refund_returned 33', 'taken back, and booked anew');
SELECT is(pg_temp.import('f7', ARRAY['r7|refund|re-7|pi-c7||-50|0|-50']),
    'booked 1 1 0 0 0', 'its row');
SELECT is(pg_temp.open(7), 'none', 'settles all of it');

\i :checks
SELECT * FROM finish();
ROLLBACK;
