-- What operators do about rows of settlement files, and what ends by itself:
-- rows whose payment becomes known later, entries that no file brings.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'])
FROM generate_series(1, 20) n
\g /dev/null
SELECT pg_temp.sold('big', ARRAY['obig:5000000'])
\g /dev/null

CREATE FUNCTION pg_temp.matter(p_key text) RETURNS bigint LANGUAGE sql AS $$
SELECT x.exception_id FROM pay.settlement_exception x
JOIN pay.settlement_row r USING (row_id) WHERE r.row_key = p_key
ORDER BY r.version DESC LIMIT 1
$$;
CREATE FUNCTION pg_temp.accept(
    p_key text, p_as text DEFAULT NULL, p_who text DEFAULT 'ann')
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.accept_settlement(pg_temp.matter(p_key), p_who, 'looked', p_as)
$$;
CREATE FUNCTION pg_temp.write_off(p_key text, p_who text DEFAULT 'ann')
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.write_off_settlement(pg_temp.matter(p_key), p_who, 'looked')
$$;
CREATE FUNCTION pg_temp.resolve(
    p_key text, p_with text DEFAULT NULL, p_who text DEFAULT 'ann')
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.resolve_settlement(pg_temp.matter(p_key), p_who, 'looked',
                                  pg_temp.matter(p_with))
$$;
CREATE FUNCTION pg_temp.ended(p_key text) RETURNS text LANGUAGE sql AS $$
SELECT x.closed_as FROM pay.settlement_exception x
WHERE x.exception_id = pg_temp.matter(p_key)
$$;

SELECT is(pg_temp.import('file', ARRAY[
    'a1|sale|ch-1|pi-c1||900|-30|870', 'a2|sale|ch-2|pi-c2||1100|0|1100',
    'a3|sale|ch-3|pi-c3||1000|0|1000', 'a4|sale|ch-3|pi-c3||1000|-30|970',
    'a5|adjustment||||-7|0|-7', 'a6|unknown||||-40|0|-40',
    'a7|unknown||||300|0|300', 'a8|unknown||||-300|0|-300',
    'a9|sale|ch-big|pi-big||4900000|0|4900000', 'b1|unknown||||50|0|50',
    'b2|adjustment||||8|0|8', 'b3|sale|ch-l|pi-late||700|-7|693',
    'b4|unknown||||-5|0|-5', 'b5|adjustment||||9|0|9']),
    'booked 14 1 0 7 6', 'what waits');

-- another amount: the difference is written off
SELECT is(pg_temp.accept('a1'), 'accepted', 'less');
SELECT is(pg_temp.entries('a1'), 'psp_fee 30 USD, written_off 100 USD',
          'is written off');
SELECT is(pg_temp.accept('a1'), 'closed', 'once');
SELECT is(pg_temp.accept('a2'), 'accepted', 'more');
SELECT is(pg_temp.entries('a2'), 'written_up 100 USD', 'is kept');
SELECT is(pg_temp.accept('a9'), 'second', 'a large one takes a second person');
SELECT is(pg_temp.accept('a9', p_who => 'Ann'), 'second', 'not the same one');
SELECT is(pg_temp.entries('a9'), NULL, 'nothing is booked');
SELECT is(pg_temp.accept('a9', p_who => 'bob'), 'accepted', 'but another one');
SELECT is((SELECT string_agg(a.who || ' ' || a.state, ', ' ORDER BY a.seq)
    FROM pay.settlement_act a WHERE a.exception_id = pg_temp.matter('a9')),
    'ann asked, Ann asked, bob done', 'all of it is noted');

-- said what it is
SELECT is(pg_temp.accept('a6'), 'nothing', 'say what it is');
SELECT is(pg_temp.accept('a5', 'psp_released'), 'invalid', 'not that way');
SELECT is(pg_temp.accept('a5', 'psp_fee'), 'accepted', 'a fee');
SELECT is(pg_temp.accept('a6', 'psp_withheld'), 'accepted', 'in suspense');
SELECT is(pg_temp.entries('a5') || ' / ' || pg_temp.entries('a6'),
    'psp_fee 7 USD / psp_withheld 40 USD, unknown_debit 40 USD,'
    ' unknown_debit_cleared 40 USD', 'booked');

-- not known yet: into suspense, where it waits on
SELECT is(pg_temp.accept('b2'), 'suspended', 'into suspense');
SELECT is(pg_temp.entries('b2'), 'unknown_receipt 8 USD', 'booked');
SELECT is(pg_temp.accept('b2'), 'nothing', 'once');
SELECT is(pg_temp.resolve('b2'), 'suspense', 'and no further by itself');
SELECT is(pg_temp.accept('b2', 'psp_fee_returned'), 'accepted', 'known now');
SELECT is(pg_temp.entries('b2'), 'psp_fee_returned 8 USD,'
    ' unknown_receipt 8 USD, unknown_receipt_cleared 8 USD', 'cleared');

-- nothing is booked, or what cancels out
SELECT is(pg_temp.resolve('b5'), 'resolved', 'without an entry');
SELECT is(pg_temp.resolve('a7'), 'suspense', 'money in suspense stays');
SELECT is(pg_temp.resolve('a7', 'b1'), 'invalid', 'another amount');
SELECT is(pg_temp.resolve('a7', 'a8'), 'resolved', 'a receipt and its return');
SELECT is(pg_temp.ended('a8'), 'resolved', 'both');

-- given up, or kept
SELECT is(pg_temp.write_off('b1'), 'written_off', 'in suspense');
SELECT is(pg_temp.write_off('b4'), 'written_off', 'the other way');
SELECT is(pg_temp.entries('b1') || ' / ' || pg_temp.entries('b4'),
    'suspense_written_up 50 USD, unknown_receipt 50 USD'
    ' / suspense_written_off 5 USD, unknown_debit 5 USD', 'booked');
SELECT is(pay_ops.set_settlement_limit('USD', 1000, 0.01), 'stored',
          'a limit of a day');
SELECT is(pg_temp.write_off('a4'), 'limit', 'is kept to');
SELECT is(pay_ops.set_settlement_limit('USD', 1000, 1000), 'stored', 'more');
SELECT is(pg_temp.write_off('a4'), 'written_off', 'a double payment is kept');
SELECT is(pg_temp.entries('a4'), 'written_up 970 USD', 'at its net');
SELECT is(pay_ops.accept_settlement(0, 'ann', 'why'), 'not_found', 'no such');
SELECT is(pay_ops.accept_settlement(1, '', 'why'), 'invalid', 'nobody');
SELECT is(pay_ops.resolve_settlement(1, 'ann', ' '), 'invalid', 'no reason');

-- a payment that is known later: the row leaves suspense by itself
SELECT is(pg_temp.entries('b3'), 'unknown_receipt 693 USD', 'in suspense');
SELECT outcome FROM pg_temp.begin('m1', 'kl', 'late', ARRAY['ol:700'])
\g /dev/null
SELECT pg_temp.token('m1', 'late', 't-late')
\g /dev/null
SELECT is(pg_temp.fact('t-late', 'paid', p_reference => 'pi-late'), 'applied',
          'the webhook comes');
SELECT is(pg_temp.import('next file', ARRAY['c1|fee||||0|-1|-1']),
          'booked 1 0 1 0 0', 'and another file');
SELECT is(pg_temp.ended('b3') || ' / ' || pg_temp.entries('b3'),
    'matched / psp_fee 7 USD, unknown_receipt 693 USD,'
    ' unknown_receipt_cleared 693 USD', 'it is a sale');

-- what no file brings
SELECT is((pay_ops.raise_overdue('stripe', now() + interval '8 days'))
          .queued, 0,
          'nothing is overdue yet');
SELECT pg_temp.news('refund', 'succeeded', 're-o', 200, 't-c5')
\g /dev/null
SELECT is((pay_ops.raise_overdue('stripe', now() + interval '10 days'))
          .queued, 18,
          'overdue: sales and a refund');
SELECT is((pay_ops.raise_overdue('stripe', now() + interval '10 days'))
          .queued, 0,
          'once each');
CREATE FUNCTION pg_temp.of_entry(p_source text) RETURNS bigint
LANGUAGE sql AS $$
SELECT x.exception_id FROM pay.settlement_exception x
WHERE x.source = p_source AND x.kind IN ('sale', 'refund_external')
$$;
SELECT is(pg_temp.import('after all', ARRAY[
    'd1|sale|ch-6|pi-c6||1000|0|1000']), 'booked 1 1 0 0 0', 'late');
SELECT is((SELECT x.closed_as FROM pay.settlement_exception x
           WHERE x.exception_id = pg_temp.of_entry('order/o6')), 'matched',
          'takes it out of the queue');
SELECT is(pay_ops.write_off_settlement(pg_temp.of_entry('order/o7'), 'eve',
    'never came'), 'written_off', 'given up');
SELECT is(pg_temp.booked('act/' || pg_temp.of_entry('order/o7')),
          'written_off 1000', 'booked');
SELECT is(pay_ops.write_off_settlement(x.exception_id, 'eve', 'never made'),
    'written_off', 'a refund that the PSP has never made')
FROM pay.settlement_exception x WHERE x.kind = 'refund_external';
SELECT is(pg_temp.booked('act/' || x.exception_id),
          'settled_refund 200, written_up 200', 'booked')
FROM pay.settlement_exception x WHERE x.kind = 'refund_external';
SELECT is(pg_temp.import('too late', ARRAY[
    'd2|sale|ch-7|pi-c7||1000|0|1000']), 'booked 1 0 0 1 0',
    'what comes after that waits for operators');

-- as people read it
SELECT is((SELECT string_agg(concat_ws(' ', q.class, q.finding, q.row_key,
        q.payment_order_id, q.amount, q.currency, q.proposed), ', ')
    FROM pay_view.settlement_queue q WHERE q.row_key = 'd2'), '2 duplicate d2'
    ' o7 10.00 USD {"kind": "unknown_receipt", "amount": "10.00",'
    ' "currency": "USD"}', 'the queue');
SELECT is((SELECT string_agg(concat_ws(' ', a.family, a.days, a.entries,
        a.amount, a.overdue), ', ' ORDER BY a.family)
    FROM pay_view.settlement_ageing a), 'sale 0-1 15 150.00 0', 'what is expected');
SELECT is((SELECT string_agg(concat_ws(' ', r.row_key, r.state), ', '
                             ORDER BY r.row_key)
    FROM pay_view.settlement_rows r
    WHERE r.row_key IN ('a1', 'a3', 'a5', 'a6', 'b3', 'd2', 'c1')),
    'a1 matched, a3 matched, a5 resolved, a6 resolved, b3 matched,'
    ' c1 posted, d2 exception', 'states of rows');

-- a day is closed, in pieces of any size
CREATE FUNCTION pg_temp.adds(p_rows int) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_tally settlement_tally := begin_tally('close', current_date, NULL, NULL,
                                            now() + interval '1 day');
    v_step  record;
    v_rows  bigint[] := '{}';
BEGIN
    DELETE FROM settlement_tally_line;
    -- the entries of this transaction, too
    UPDATE settlement_tally t SET until_tx = '9999999999'
    RETURNING t.* INTO v_tally;
    WHILE NOT v_tally.is_done LOOP
        SELECT s.tally, s.rows INTO v_step FROM step_tally(v_tally, p_rows) s;
        v_tally := v_step.tally;
        v_rows := v_rows || v_step.rows;
    END LOOP;
    RETURN v_rows;
END
$$;
CREATE FUNCTION pg_temp.close_says() RETURNS text LANGUAGE sql
SET search_path = pay, pg_temp AS $$
SELECT string_agg(concat_ws(' ', l.item, l.count, l.minor), ', '
                  ORDER BY l.item COLLATE "C")
FROM pay.close_lines(NULL) l
WHERE l.item IN ('balance/psp_clearing', 'balance/suspense', 'open/2/overdue',
                 'class/0/sale/matched', 'entry/written_off')
$$;
CREATE FUNCTION pg_temp.all_lines() RETURNS text LANGUAGE sql
SET search_path = pay, pg_temp AS $$
SELECT string_agg(l::text, E'\n' ORDER BY l::text COLLATE "C")
FROM pay.close_lines(NULL) l
$$;
SELECT is(cardinality(pg_temp.adds(100000)), 2, 'all of it at once');
SELECT is(pg_temp.close_says(), 'balance/psp_clearing 4920638,'
    ' balance/suspense 0, class/0/sale/matched 2 2000,'
    ' entry/written_off 3 101100, open/2/overdue 15 15000',
    'what a close says');
SELECT pg_temp.all_lines() AS lines \gset
SELECT ok(cardinality(pg_temp.adds(5)) > 10, 'in small pieces');
SELECT is(pg_temp.all_lines(), :'lines', 'it says the same');
SELECT is(pg_temp.all_lines(), (
    SELECT string_agg(l::text, E'\n' ORDER BY l::text COLLATE "C")
    FROM (
        SELECT e.merchant_id::text, e.psp::text, l.currency::text,
            x.word || l.account, CASE x.word WHEN 'account/' THEN count(*) END,
            sum(l.amount_minor)
        FROM pay.journal_entry e
        JOIN pay.journal_line l USING (merchant_id, source, kind)
        CROSS JOIN (VALUES ('account/'), ('balance/')) x (word)
        WHERE l.account NOT LIKE 'seller\_%' AND l.account <> 'fx'
        GROUP BY 1, 2, 3, x.word, l.account
        UNION ALL
        SELECT e.merchant_id, e.psp, e.currency, 'entry/' || e.kind, count(*),
            sum(e.amount_minor)
        FROM pay.journal_entry e GROUP BY 1, 2, 3, 4
        UNION ALL
        SELECT r.merchant_id, coalesce(s.psp, s.source), r.currency,
            concat('class/', r.class, '/', r.kind, '/', r.finding), count(*),
            sum(r.net_minor)
        FROM pay.settlement_row r JOIN pay.settlement_source s USING (source)
        GROUP BY 1, 2, 3, 4
        UNION ALL
        SELECT x.merchant_id, x.psp, x.currency,
            concat('open/', x.class, '/', x.finding), count(*),
            sum(x.amount_minor)
        FROM pay.settlement_exception x WHERE x.closed_at IS NULL
        GROUP BY 1, 2, 3, 4) l), 'which is all that there is');
DELETE FROM pay.settlement_tally_line;
DELETE FROM pay.settlement_tally;
CREATE FUNCTION pg_temp.close(p_days int, p_now int DEFAULT 0) RETURNS text
LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT (pay.make_close(current_date + p_days,
                       now() + make_interval(days => p_now))).outcome
$$;
SELECT is(pg_temp.close(0), 'not_over',
          'not before it is over');
SELECT is(pg_temp.close(-1), 'made', 'yesterday');
SELECT is(pg_temp.close(-1), 'closed', 'once');
SELECT is(pg_temp.close(-2), 'closed',
          'in their order');
SELECT is(pg_temp.close(0, 2),
          'made', 'the next');
SELECT is(pay_ops.sign_close(1, 'k', repeat('00', 64)), 'signed', 'signed');
SELECT is(pay_ops.sign_close(1, 'k', repeat('01', 64)), 'already', 'once');
SELECT is(pay_ops.sign_close(9, 'k', repeat('00', 64)), 'not_found', 'none');
SELECT is(pay_ops.sign_close(2, 'k', 'zz'), 'invalid', 'no signature');
SELECT throws_ok('UPDATE pay.settlement_close SET document = ''x''', 'PAY20',
                 NULL, 'a closed day stays closed');

-- versions: the difference is booked once an operator agrees
SELECT is(pg_temp.import('va', ARRAY['e1|fee||||0|-20|-20',
    'e2|fee||||0|-5|-5', 'e3|sale|ch-8|pi-c8||1000|0|1000'], p_batch => 'v'),
    'booked 3 1 2 0 0', 'a file');
SELECT is(pg_temp.import('vb', ARRAY['e1|fee||||0|-25|-25',
    'e3|sale|ch-8|pi-c8||1000|0|1000', 'e4|sale|ch-9|pi-c9||1000|0|1000',
    'e5|payout|po-v|||-9|0|-9'], p_batch => 'v'), 'booked 4 0 0 4 0',
    'its second version');
SELECT is(array_agg(pg_temp.accept(k) ORDER BY k)::text,
          '{accepted,accepted,accepted,accepted}', 'all are accepted')
FROM unnest('{e1,e2,e4,e5}'::text[]) k;
SELECT is(pg_temp.entries('e1') || ' / ' || pg_temp.entries('e2') || ' / '
    || pg_temp.entries('e5'), 'psp_fee 20 USD, psp_fee 5 USD / psp_fee 5 USD,'
    ' psp_fee_returned 5 USD / psp_paid_out 9 USD', 'booked');
SELECT is(pg_temp.found('e4'), '2 added person', 'a sale is linked');

-- append-only
SELECT throws_ok('UPDATE pay.settlement_row SET net_minor = 1', 'PAY20', NULL,
                 'rows');
SELECT throws_ok('DELETE FROM pay.settlement_link', 'PAY20', NULL, 'links');
SELECT throws_ok('DELETE FROM pay.settlement_closed', 'PAY20', NULL,
                 'what is closed');
SELECT throws_ok('UPDATE pay.settlement_act SET who = ''x''', 'PAY20', NULL,
                 'acts');
SELECT throws_ok('UPDATE pay.settlement_file SET state = ''proven''', 'PAY10',
                 NULL, 'a booked file');
SELECT throws_ok('UPDATE pay.settlement_rule SET class = 1', 'PAY20', NULL,
                 'rules');

-- rows that name no payment: nothing but amount and time
SELECT pg_temp.sold('p' || n, ARRAY[format('op%s:%s', n, 770 + n)])
FROM generate_series(1, 4) n
\g /dev/null
SELECT is(pg_temp.import('nameless', ARRAY['y1|sale|ch-y1|||771|-7|764',
    'y2|sale|ch-y2|||772|0|772', 'y3|sale|ch-y3|||772|0|772',
    'y4|sale|ch-y4|pi-y4||773|0|773', 'y5|sale|ch-y5|||775|0|775',
    'y6|sale|ch-y6|||1000|0|1000', 'y7|refund|re-y7|||-774|0|-774']),
    'booked 7 0 0 1 6', 'rows that name no payment');
SELECT is(pg_temp.found('y1', 'y2', 'y3', 'y4', 'y5', 'y6', 'y7'),
    '2 proposed, 3 unknown, 3 unknown, 3 unknown, 3 unknown, 3 unknown,'
    ' 3 unknown', 'one row and one entry make a proposal');
SELECT is((SELECT concat_ws(' ', x.checkout_id, x.proposed ->> 'checkout',
        r.checkout_id) FROM pay.settlement_exception x
    JOIN pay.settlement_row r USING (row_id)
    WHERE x.exception_id = pg_temp.matter('y1')), 'p1 p1',
    'the operator sees the payment, the row keeps what it says');
SELECT is(pg_temp.entries('y1'), NULL, 'nothing is booked');
SELECT is(pg_temp.accept('y1'), 'accepted', 'it is that payment');
SELECT is(pg_temp.entries('y1') || ' / ' || pg_temp.found('y1'),
    'psp_fee 7 USD / 2 proposed person', 'and is settled');
SELECT is((SELECT count(*) FROM pay.settlement_closed c
           WHERE c.source = 'order/op1'), 1::bigint, 'its entry is closed');
SELECT is(pg_temp.import('its own row', ARRAY[
    'y8|sale|ch-y8|pi-p1||771|-7|764']), 'booked 1 0 0 1 0',
    'another row of the payment is a second one');
SELECT is(pg_temp.import('of another account', ARRAY(
    SELECT format('z%1$s|sale|ch-z%1$s|||%2$s|0|%2$s', n, 771 + n)
    FROM generate_series(1, 51) n)), 'booked 51 0 0 0 51',
    'of many nothing is proposed');

\i :checks
SELECT * FROM finish();
ROLLBACK;
