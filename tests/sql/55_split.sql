-- Refunds and disputes of checkouts with several orders: over the orders in
-- proportion, as one afterwards, and as an operator says.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

-- the arithmetic
SELECT is(pay.split_amount(a, w, r)::text, p, format('%s over %s in %s', a, w,
                                                     r))
FROM (VALUES
    (50, '{100,50}'::bigint[], '{100,50}'::bigint[], '{33,17}'),
    (1, '{1,1,1}', '{1,1,1}', '{1,0,0}'),
    (2, '{1,1,1}', '{0,1,1}', '{0,1,1}'),
    (100, '{1,1,1}', '{100,100,100}', '{34,33,33}'),
    (100, '{100,100}', '{10,100}', '{10,90}'),
    (100, '{50,30,20}', '{10,40,60}', '{10,40,50}'),
    (149, '{100,50}', '{100,50}', '{99,50}'),
    (150, '{100,50}', '{100,50}', '{100,50}'),
    (151, '{100,50}', '{100,50}', NULL),
    (5, '{100,50}', '{0,0}', NULL),
    (999999999999999, '{999999999999999,999999999999999}',
     '{999999999999999,999999999999999}', '{500000000000000,499999999999999}')
    ) t (a, w, r, p);
SELECT is_empty($$
    SELECT s.a, s.w, s.r, p.parts
    FROM (SELECT i, (random() * 3000)::bigint + 1 AS a,
              ARRAY[(random() * 1000)::bigint + 1,
                    (random() * 1000)::bigint + 1,
                    (random() * 10)::bigint + 1] AS w,
              ARRAY[(random() * 1000)::bigint, (random() * 1000)::bigint,
                    (random() * 10)::bigint] AS r
          FROM generate_series(1, 2000) i OFFSET 0) s
    CROSS JOIN LATERAL (SELECT pay.split_amount(s.a, s.w, s.r) AS parts) p
    WHERE (p.parts IS NULL) <> (s.a > (SELECT sum(x) FROM unnest(s.r) x))
        OR s.a <> (SELECT sum(x) FROM unnest(p.parts) x)
        OR EXISTS (SELECT FROM unnest(p.parts, s.r) AS u (x, m)
                   WHERE x < 0 OR x > m)
$$, 'sums are exact and within what there is');

SELECT pg_temp.sold('d' || n, ARRAY[format('od%sa:100', n),
                                   format('od%sb:50', n)])
FROM generate_series(1, 20) n
\g /dev/null
CREATE FUNCTION pg_temp.both(p_n int) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' / ', pg_temp.money(format('od%sa', p_n)),
                 pg_temp.money(format('od%sb', p_n)))
$$;
CREATE FUNCTION pg_temp.left_over(p_n int) RETURNS bigint LANGUAGE sql AS $$
SELECT sum(l.amount_minor)::bigint FROM pay.journal_entry e
JOIN pay.journal_line l USING (merchant_id, source, kind)
WHERE e.checkout_id = 'd' || p_n AND l.account = 'suspense'
$$;
-- the first row of a checkout in the queue
CREATE FUNCTION pg_temp.row_of(p_n int) RETURNS bigint LANGUAGE sql AS $$
SELECT min(m.mismatch_id) FROM pay.mismatch m WHERE m.checkout_id = 'd' || p_n
$$;
CREATE FUNCTION pg_temp.assign(
    p_n int, p_parts text[], p_who text DEFAULT 'ann')
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.assign_mismatch(pg_temp.row_of(p_n),
    ARRAY(SELECT format('od%s%s', p_n, split_part(p, ':', 1))
          FROM unnest(p_parts) p),
    ARRAY(SELECT round(split_part(p, ':', 2)::bigint / 100.0, 2)::text
          FROM unnest(p_parts) p),
    p_who, 'the seller says so')
$$;

-- a refund: split, pending, done, back
SELECT is(pg_temp.news('refund', 'pending', 're-1', 50, 't-d1'), 'applied',
          'on its way');
SELECT is(pg_temp.both(1), '0 100 33 0 0 / 0 50 17 0 0', 'of both orders');
SELECT is(pg_temp.news('refund', 'succeeded', 're-1', 49, 't-d1',
                       p_event => 'less'), 'mismatch', 'another amount');
SELECT is(pg_temp.news('refund', 'succeeded', 're-1', 50, 't-d1'), 'applied',
          'done');
SELECT is(pg_temp.both(1), '0 100 0 33 0 / 0 50 0 17 0', 'both');
SELECT is(pg_temp.news('refund', 'succeeded', 're-1', 50, 't-d1',
                       p_event => 'again'), 'unchanged', 'once');
SELECT is(pg_temp.news('refund', 'failed', 're-1', 50, 't-d1'), 'applied',
          'back');
SELECT is(pg_temp.both(1), '0 100 0 0 0 / 0 50 0 0 0', 'both');
SELECT is(pg_temp.news('refund', 'succeeded', 're-1', 50, 't-d1',
                       p_event => 'more'), 'contradiction', 'gone again?');
SELECT is(pg_temp.left_over(1), NULL, 'nothing was ever in suspense');
SELECT is((m.why, m.settled_by)::text, '(split,gateway)',
          'the queue has it, closed')
FROM pay_view.mismatches m WHERE m.mismatch_id = pg_temp.row_of(1);
SELECT is(pg_temp.whole('d2', 'od2a', 'refund', 'r2', 80, 'DONE', 're-2'),
          'SUCCESS re-2', 'one has 20 left');
SELECT is(pg_temp.news('refund', 'succeeded', 're-2b', 60, 't-d2'),
          'applied', 'of both');
SELECT is(pg_temp.both(2), '0 100 0 100 0 / 0 50 0 40 0',
          'the rest spills over');

-- a dispute: opened, won; opened, lost
SELECT is(pg_temp.news('dispute', w, 'dp-3', 30, 't-d3', p_fee => f),
          'applied', w)
FROM (VALUES ('opened', 15::bigint), ('won', NULL)) t (w, f);
SELECT is(pg_temp.both(3), '0 100 0 0 0 / 0 50 0 0 0', 'nobody bears it');
SELECT is(concat_ws(' / ', pg_temp.booked('dispute/stripe/dp-3'),
                    pg_temp.booked('dispute/stripe/dp-3 2')),
          'dispute_opened 20, dispute_won 20, psp_fee 15 / dispute_opened 10,'
          ' dispute_won 10', 'each part is booked');
SELECT is(pg_temp.news('dispute', 'lost', 'dp-4', 30, 't-d4'), 'applied',
          'one of which only the end is heard');
SELECT is(pg_temp.both(4), '0 100 0 0 20 / 0 50 0 0 10', 'both bear it');
SELECT is(pg_temp.news('dispute', 'won', 'dp-4', 30, 't-d4'),
          'contradiction', 'won after all?');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-4', 30, 't-d5',
                       p_event => 'stolen'), 'mismatch',
          'a dispute of another checkout');

-- parts that do not stand alike any more: an operator has settled one as failed,
-- and the PSP says that all of it was done
CREATE FUNCTION pg_temp.settle(p_n int, p_order text, p_done boolean)
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.settle_change('m1', c.change_id, p_done, 'ann', 'asked there')
FROM pay.change c
WHERE c.reference = 're-' || p_n
    AND c.payment_order_id = format('od%s%s', p_n, p_order)
$$;
CREATE FUNCTION pg_temp.tell(p_n int, p_news text, p_event text)
RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.news('refund', p_news, 're-' || p_n, 50, 't-d' || p_n,
                    p_event => p_event)
$$;
CREATE FUNCTION pg_temp.refused(p_n int) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', m.why, m.amount_minor), ', '
                  ORDER BY m.mismatch_id)
FROM pay.mismatch m
WHERE m.checkout_id = 'd' || p_n AND m.why <> 'split'
$$;
SELECT is(pg_temp.tell(n, 'pending', 'on-' || n), 'applied', 'on its way')
FROM unnest('{16,18,19,20}'::int[]) n;
SELECT is(pg_temp.settle(n, o, d), 'settled', 'one part by hand')
FROM (VALUES (16, 'b', true), (18, 'a', false), (20, 'b', false))
    t (n, o, d);
SELECT is(pg_temp.settle(19, o, false), 'settled', 'and both of another')
FROM unnest('{a,b}'::text[]) o;
SELECT is(pg_temp.tell(n, 'succeeded', 'done-' || n), 'contradiction',
          'the PSP says done: people decide about that part')
FROM unnest('{18,19,20}'::int[]) n;
SELECT is(concat_ws(' / ', pg_temp.both(n), pg_temp.refused(n)), w,
          'the other one is done')
FROM (VALUES
    (18, '0 100 0 0 0 / 0 50 0 17 0 / contradiction 33'),
    (19, '0 100 0 0 0 / 0 50 0 0 0 / contradiction 50'),
    (20, '0 100 0 33 0 / 0 50 0 0 0 / contradiction 17')) t (n, w);
SELECT is(pg_temp.tell(20, 'succeeded', 'again-20'), 'contradiction',
          'each word of it is kept');
SELECT is(pg_temp.news('refund', 'succeeded', 're-20', 50, 't-d20',
                       p_source => 'query'), 'contradiction', 'an answer');
SELECT is(concat_ws(' / ', pg_temp.both(20), pg_temp.refused(20)),
          '0 100 0 33 0 / 0 50 0 0 0 / contradiction 17, contradiction 17',
          'nothing moves twice');
SELECT is(pg_temp.tell(n, 'failed', 'back-' || n), 'applied', 'it comes back')
FROM unnest('{16,20}'::int[]) n;
SELECT is(pg_temp.both(n), '0 100 0 0 0 / 0 50 0 0 0', 'what had gone')
FROM unnest('{16,20}'::int[]) n;

-- an operator knows better
SELECT is(pg_temp.news('refund', 'succeeded', 're-6', 50, 't-d6'), 'applied',
          'split');
SELECT is(pg_temp.assign(6, '{b:50}'), 'assigned', 'it was the second''s');
SELECT is(concat_ws(' / ', pg_temp.both(6), pg_temp.left_over(6)),
          '0 100 0 0 0 / 0 50 0 50 0', 'it bears it');
SELECT is(pg_temp.news('refund', 'failed', 're-6', 50, 't-d6'), 'applied',
          'back');
SELECT is(pg_temp.both(6), '0 100 0 0 0 / 0 50 0 0 0', 'to that one');
SELECT is(pg_temp.assign(6, '{a:50}'), 'nothing', 'nothing is left of it');
SELECT is(pg_temp.news('refund', 'pending', 're-7', 50, 't-d7'), 'applied',
          'one on its way');
SELECT is(pg_temp.assign(7, '{a:40,b:10}'), 'assigned', 'laid otherwise');
SELECT is(pg_temp.both(7), '0 100 40 0 0 / 0 50 10 0 0', 'held so');
SELECT is(pg_temp.news('refund', 'succeeded', 're-7', 50, 't-d7'), 'applied',
          'and done');
SELECT is(pg_temp.both(7), '0 100 0 40 0 / 0 50 0 10 0', 'so');
SELECT is(pg_temp.assign(7, w), o, w::text)
FROM (VALUES ('{a:49}'::text[], 'sum'), ('{b:50,a:1}', 'sum'),
    ('{}', 'invalid'), ('{a:25,a:25}', 'invalid'), ('{c:50}', 'invalid'),
    ('{a:51,b:-1}', 'invalid'), ('{a:50,b:0}', 'invalid')) t (w, o);
SELECT is(pg_temp.assign(7, '{a:50}', ''), 'invalid', 'somebody has to say so');
SELECT is(pay_ops.assign_mismatch(pg_temp.row_of(7), '{od7a}', ARRAY[a], 'a',
                                  'b'), 'invalid', a)
FROM unnest('{0.501,50c,-0.50,.50,1e1,9999999999999999}'::text[]) a;
SELECT is(pg_temp.whole('d7', 'od7b', 'refund', 'r7', 10, 'DONE', 're-7b'),
          'SUCCESS re-7b', 'the second has 40 left with it');
SELECT is(pg_temp.assign(7, '{b:50}'), 'exceeds', 'too much for it');
SELECT is(pg_temp.both(7), '0 100 0 40 0 / 0 50 0 20 0', 'nothing moves');
SELECT is(pay_ops.assign_mismatch(0, '{}', '{}', 'a', 'b'), 'not_found',
          'no such row');
SELECT is(pg_temp.news('dispute', w, 'dp-8', 30, 't-d8'), 'applied', w)
FROM unnest('{opened}'::text[]) w;
SELECT is(pg_temp.assign(8, '{a:30}'), 'assigned', 'an open dispute');
SELECT is(pg_temp.both(8), '0 100 0 0 30 / 0 50 0 0 0', 'is moved');
SELECT is(pg_temp.news('dispute', 'lost', 'dp-8', 30, 't-d8'), 'applied',
          'lost');
SELECT is(pg_temp.both(8), '0 100 0 0 30 / 0 50 0 0 0', 'by that order');
SELECT is(pg_temp.assign(8, '{b:30}'), 'assigned', 'a lost one, too');
SELECT is(concat_ws(' / ', pg_temp.both(8),
                    pg_temp.booked('dispute/stripe/dp-8 3'),
                    pg_temp.booked('dispute/stripe/dp-8 4')),
          '0 100 0 0 0 / 0 50 0 0 30 / dispute_loss_moved 30, dispute_lost 30,'
          ' dispute_opened 30 / dispute_lost 30, dispute_opened 30', 'moved');
SELECT is((e.actor, e.detail ->> 'who', e.detail -> 'assigned')::text,
          '(operator,ann,"{""od8b"": 30}")', 'the timeline')
FROM pay.event e WHERE e.payment_order_id = 'od8a'
    AND e.kind = 'mismatch_settled' ORDER BY e.seq DESC LIMIT 1;

-- more than the orders were is in suspense until somebody says whose it is
SELECT is(pg_temp.news('refund', 'succeeded', 're-9', 151, 't-d9'),
          'mismatch', 'too much');
SELECT is(pg_temp.left_over(9), 151::bigint, 'is in suspense');
SELECT is(pay_ops.settle_mismatch(pg_temp.row_of(9), 'ann', 'done'),
          'suspense', 'and not settled by a word');
SELECT is(pg_temp.assign(9, '{a:101,b:50}'), 'exceeds', 'nor laid to them');
SELECT is(pg_temp.assign(9, '{}'), 'assigned', 'the merchant bears it');
SELECT is(pg_temp.left_over(9), 0::bigint, 'nothing is left');
SELECT is(pg_temp.news('refund', 'failed', 're-9', 151, 't-d9'), 'mismatch',
          'it comes back: told');
SELECT is(pg_temp.booked('event/stripe/re-9'), 'unknown_refund 151, '
          'unknown_refund_borne 151, unknown_refund_borne_returned 151',
          'to the merchant');
SELECT is(pg_temp.whole('d10', 'od10a', 'refund', 'r10', 100, 'DONE', 're-a'),
          'SUCCESS re-a', 'an order without money left');
SELECT is(pg_temp.news('refund', 'succeeded', 're-10', 60, 't-d10'),
          'mismatch', 'too much');
SELECT is(pg_temp.news('refund', 'failed', 're-a', 100, 't-d10'), 'applied',
          'the other one comes back');
SELECT is(pg_temp.assign(10, '{a:20,b:40}'), 'assigned', 'now they can');
SELECT is(concat_ws(' / ', pg_temp.both(10), pg_temp.left_over(10)),
          '0 100 0 20 0 / 0 50 0 40 0 / 0', 'and do');
SELECT is(pg_temp.news('refund', 'failed', 're-10', 60, 't-d10'), 'applied',
          'it comes back');
SELECT is(pg_temp.both(10), '0 100 0 0 0 / 0 50 0 0 0', 'to both');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-11', 151, 't-d11'),
          'mismatch', 'a dispute of too much');
SELECT is(pay_ops.settle_mismatch(pg_temp.row_of(11), 'ann', 'seen'),
          'settled', 'nothing is in suspense yet');
SELECT is(pg_temp.news('dispute', 'lost', 'dp-11', 151, 't-d11'), 'mismatch',
          'it is lost: people hear of it again');
SELECT is(pg_temp.left_over(11), 151::bigint, 'now it is');
SELECT is(pay_ops.assign_mismatch(max(m.mismatch_id), '{}', '{}', 'ann',
                                  'ours'), 'assigned', 'the merchant''s loss')
FROM pay.mismatch m WHERE m.checkout_id = 'd11';
SELECT is(concat_ws(' / ', pg_temp.left_over(11),
                    pg_temp.booked('dispute/stripe/dp-11')),
          '0 / unknown_dispute 151, unknown_dispute_borne 151', 'booked');
SELECT is(pg_temp.assign(11, '{a:100,b:51}'), 'nothing', 'once');

-- the sellers are owed euros: each part is converted along its order
SELECT pg_temp.begin('m1', 'k-e1', 'e1', '{oe1a:100,oe1b:50}'),
    pg_temp.token('m1', 'e1', 't-e1')
\g /dev/null
UPDATE pay.payment_order
SET credit_currency = 'EUR', credit_rate = 0.93,
    credit_minor = pay.half_even(amount_minor * 0.93),
    credit_until = now() + interval '1 day'
WHERE checkout_id = 'e1'
\g /dev/null
SELECT is(pg_temp.fact('t-e1', 'paid'), 'applied', 'sold');
SELECT is(pg_temp.news('refund', 'succeeded', 're-e', 50, 't-e1'), 'applied',
          'a part goes back');
SELECT is(pg_temp.news('dispute', 'lost', 'dp-e', 100, 't-e1'), 'applied',
          'and what is left is disputed');
SELECT is(string_agg(concat_ws(' ', w.available_minor, w.reserved_minor), ','),
          '0 0', 'no cent of euros is left over')
FROM pay.wallet w WHERE w.currency = 'EUR';
SELECT is((SELECT min(m.mismatch_id) FROM pay.mismatch m
           WHERE m.checkout_id = 'e1' AND m.kind = 'dispute') IS NOT NULL,
          true, 'the dispute was split');
SELECT is(pay_ops.assign_mismatch(min(m.mismatch_id), '{oe1a,oe1b}',
    '{0.90,0.1}', 'ann', 'as agreed'), 'assigned', 'laid otherwise')
FROM pay.mismatch m WHERE m.checkout_id = 'e1' AND m.kind = 'dispute';
SELECT is((SELECT sum(l.amount_minor) FROM pay.journal_line l
           WHERE l.account = 'seller_available' AND l.currency = 'EUR'),
          0::numeric, 'as much for both together');

\i :checks
SELECT * FROM finish();
ROLLBACK;
