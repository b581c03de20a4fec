-- Which refund a PSP's word is about: what could be laid to no order, what is
-- told in the wrong order, and refunds of one amount, ours and others'.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'])
FROM generate_series(1, 30) n
\g /dev/null
SELECT pg_temp.sold('d' || n, ARRAY[format('od%sa:100', n),
                                   format('od%sb:50', n)])
FROM generate_series(1, 9) n
\g /dev/null

-- what has gone back to the buyer by the books, and what is nobody's
CREATE FUNCTION pg_temp.gone(p_checkout text) RETURNS text LANGUAGE sql AS $$
SELECT nullif(concat_ws(' ',
    -sum(l.amount_minor) FILTER (WHERE l.account = 'refunds'),
    nullif(sum(l.amount_minor) FILTER (WHERE l.account = 'suspense'), 0)), '')
FROM pay.journal_entry e
JOIN pay.journal_line l USING (merchant_id, source, kind)
WHERE e.checkout_id = p_checkout
$$;
-- refunds that somebody has made at the PSP
CREATE FUNCTION pg_temp.others(p_checkout text) RETURNS text
LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', c.status, CASE WHEN c.returned
    THEN 'returned' END, c.code, c.reference), ', ' ORDER BY c.created_at)
FROM pay.change c WHERE c.checkout_id = p_checkout AND c.origin = 'psp'
$$;

-- in suspense, and back
SELECT is(pg_temp.news('refund', 'succeeded', 're-d1', 151, 't-d1'),
          'mismatch', 'more than both orders were');
SELECT is(pg_temp.gone('d1'), '151 151', 'nobody knows');
SELECT is(pg_temp.news('refund', 'pending', 're-d1', 151, 't-d1'),
          'unchanged', 'old news');
SELECT is(pg_temp.news('refund', 'failed', 're-d1', 151, 't-d1'), 'mismatch',
          'it has come back: people hear of that, too');
SELECT is(concat_ws(' / ', pg_temp.gone('d1'),
                    pg_temp.booked('event/stripe/re-d1'),
                    pg_temp.doubts('d1')),
          '0 / unknown_refund 151, unknown_refund_cleared 151 / '
          'refund exceeds re-d1, refund returned re-d1', 'as it went');
SELECT is(pg_temp.news('refund', 'failed', 're-d1', 151, 't-d1',
                       p_event => 'again'), 'unchanged', 'once');
SELECT is(pg_temp.news('refund', 'succeeded', 're-d1', 151, 't-d1',
                       p_event => 'late'), 'contradiction',
          'and gone again? people decide');
SELECT is(pg_temp.gone('d1'), '0', 'nothing moves');

SELECT is(pg_temp.whole('c1', 'o1', 'refund', 'r1', 600, 'REFUSED'),
          'FAILED', 'one that was refused,');
SELECT is(pg_temp.news('refund', 'succeeded', 're-1', 600, 't-c1',
                       p_operation => '-'), 'applied', 'was done by hand');
SELECT is(pg_temp.news('refund', 'succeeded', 're-1b', 600, 't-c1',
                       p_operation => pg_temp.uuid('r1')), 'mismatch',
          'and done after all: more than there is');
SELECT is(pg_temp.gone('c1'), '1200 600', 'in suspense');
SELECT is(pg_temp.news('refund', 'failed', 're-1', 600, 't-c1'), 'applied',
          'the first comes back');
SELECT is(pg_temp.news('refund', 'succeeded', 're-1b', 600, 't-c1',
                       p_event => e, p_operation => o), 'mismatch',
          'what is in suspense is not booked as a refund, too')
FROM (VALUES ('b1', pg_temp.uuid('r1')), ('b2', '-'), ('b3', NULL)) t (e, o);
SELECT is(concat_ws(' / ', pg_temp.gone('c1'), pg_temp.money('o1')),
          '600 600 / 0 1000 0 0 0', 'it stays there');
SELECT is(pg_temp.news('refund', 'failed', 're-1b', 600, 't-c1',
                       p_operation => pg_temp.uuid('r1')), 'mismatch',
          'until it comes back');
SELECT is(pg_temp.gone('c1'), '0', 'all is as it was');

-- failed before done: the failure is final
SELECT is(pg_temp.whole('c2', 'o2', 'refund', 'r2', 100, 'UNKNOWN'),
          'EXECUTING', 'one of ours');
SELECT is(pg_temp.news('refund', w, 're-2', 100, 't-c2',
                       p_operation => pg_temp.uuid('r2')), x, w)
FROM (VALUES ('failed', 'applied'), ('pending', 'unchanged'),
             ('succeeded', 'contradiction')) t (w, x);
SELECT is(concat_ws(' / ', pg_temp.how('r2'), pg_temp.money('o2'),
                    pg_temp.gone('c2'), pg_temp.doubts('c2')),
          'FAILED re-2 / 0 1000 0 0 0 / refund contradiction re-2', 'ours');
SELECT is(pg_temp.news('refund', w, 're-2b', 100, 't-c2'), x, w)
FROM (VALUES ('failed', 'applied'), ('succeeded', 'contradiction'),
             ('pending', 'unchanged')) t (w, x);
SELECT is(concat_ws(' / ', pg_temp.others('c2'), pg_temp.money('o2'),
                    pg_temp.gone('c2'), pg_temp.kinds('m1', 'o2')),
          'FAILED re-2b / 0 1000 0 0 0 / created registered paid '
          'refund_requested refund_sent refund_failed mismatch '
          'refund_failed mismatch', 'somebody else''s');
SELECT is(pg_temp.news('refund', w, 're-d2', 10, 't-d2'), x, w)
FROM (VALUES ('failed', 'mismatch'), ('succeeded', 'contradiction'),
             ('pending', 'contradiction')) t (w, x);
SELECT is(concat_ws(' / ', pg_temp.gone('d2'), pg_temp.doubts('d2')),
          'refund failed re-d2, refund contradiction re-d2, '
          'refund contradiction re-d2', 'nobody''s');
SELECT is(pg_temp.news('refund', 'failed', 're-2c', a, 't-c2', p_event =>
    'evt-amount' || coalesce(a, -1)), 'mismatch', 'of nobody knows how much')
FROM (VALUES (0), (NULL)) t (a);
SELECT pg_temp.begin('m1', 'k-w', 'w', '{ow:100}')
\g /dev/null
SELECT pg_temp.token('m1', 'w', 't-w')
\g /dev/null
SELECT is(pg_temp.news('refund', w, 're-w', 30, 't-w'), 'parked', w)
FROM (VALUES ('failed'), ('succeeded')) t (w);
SELECT is(pg_temp.fact('t-w', 'paid'), 'applied', 'of what is paid now');
SELECT is(concat_ws(' / ', pg_temp.money('ow'), pg_temp.doubts('w')),
          '0 100 0 0 0 / refund contradiction re-w', 'in their order');
SELECT pg_temp.begin('m1', 'k-l', 'l', '{ol:10}', p_late => 'refund')
\g /dev/null
SELECT pg_temp.token('m1', 'l', 't-l')
\g /dev/null
SELECT is(pg_temp.fact('t-l', f), w, 'a late payment')
FROM (VALUES ('expired', 'applied'), ('paid', 'held')) t (f, w);
SELECT is(pg_temp.news('refund', w, 're-l', 10, 't-l'), x, w)
FROM (VALUES ('failed', 'mismatch'), ('succeeded', 'contradiction')) t (w, x);
SELECT is((l.state, pg_temp.gone('l'))::text, '(refunding,-10)',
          'is not paid back') FROM pay.late_success l;

-- the refund of a late payment is known by its name, whatever its amount
SELECT pg_temp.begin('m1', 'k-l2', 'l2', '{ol2:10}', p_late => 'refund')
\g /dev/null
SELECT pg_temp.token('m1', 'l2', 't-l2')
\g /dev/null
SELECT is(pg_temp.fact('t-l2', f), w, 'another one')
FROM (VALUES ('expired', 'applied'), ('paid', 'held')) t (f, w);
SELECT is(d.outcome, 'send', 'its refund is sent')
FROM pay.late_success l, pay_api.begin_dispatch('{m1}', '{l2}', '{refund}',
    ARRAY[l.refund_id::text], '{stripe}', '{600}', '{30000}', '{r}') d
WHERE l.checkout_id = 'l2';
SELECT is(d.outcome, 'stored', 'and on its way')
FROM pay.late_success l, pay_api.end_dispatch('{m1}', '{l2}', '{refund}',
    ARRAY[l.refund_id::text], '{1}', '{PENDING}', '{complete}', '{200}',
    '{NULL}', '{re-l2}', '{r}') d
WHERE l.checkout_id = 'l2';
SELECT is(pg_temp.news('refund', 'failed', 're-l2', 9, 't-l2'), 'applied',
          'what the PSP says of that name');
SELECT is(pg_temp.doubts('l2'), 'refund failed re-l2',
          'is about the late payment');

-- an operator has settled the refund of a late payment that nobody knew of, and
-- the PSP tells afterwards what became of it
SELECT pg_temp.begin('m1', 'k-' || c, c, ARRAY['o' || c || ':10'],
                     p_late => 'refund')
FROM unnest('{l3,l4}'::text[]) c
\g /dev/null
SELECT pg_temp.token('m1', c, 't-' || c) FROM unnest('{l3,l4}'::text[]) c
\g /dev/null
SELECT is(pg_temp.fact('t-' || c, f), w, 'a late payment of ' || c)
FROM unnest('{l3,l4}'::text[]) c,
    (VALUES (1, 'expired', 'applied'), (2, 'paid', 'held')) t (n, f, w)
ORDER BY c, n;
SELECT is(d.outcome, 'send', 'its refund is sent')
FROM pay.late_success l, pay_api.begin_dispatch('{m1}',
    ARRAY[l.checkout_id::text], '{refund}', ARRAY[l.refund_id::text],
    '{stripe}', '{600}', '{30000}', '{r}') d
WHERE l.checkout_id IN ('l3', 'l4');
SELECT is(d.outcome, 'stored', 'and nobody knows')
FROM pay.late_success l, pay_api.end_dispatch('{m1}',
    ARRAY[l.checkout_id::text], '{refund}', ARRAY[l.refund_id::text], '{1}',
    '{UNKNOWN}', '{complete}', '{500}', '{NULL}', '{NULL}', '{r}') d
WHERE l.checkout_id IN ('l3', 'l4');
INSERT INTO pay.dead_letter (merchant_id, checkout_id, psp, kind, reason)
SELECT 'm1', c, 'stripe', 'refund', 'key_window_over'
FROM unnest('{l3,l4}'::text[]) c;
SELECT is(pay_ops.resolve_dead_letter(max(d.dead_letter_id), 'ann',
                                      'paid back by hand'), 'resolved', 'ann')
FROM pay.dead_letter d
WHERE d.checkout_id IN ('l3', 'l4') AND d.kind = 'refund'
GROUP BY d.checkout_id;
CREATE FUNCTION pg_temp.tell_late(
    p_checkout text, p_news text, p_event text)
RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.news('refund', p_news, 're-' || p_checkout, 10,
    't-' || p_checkout, p_operation => l.refund_id::text, p_event => p_event)
FROM pay.late_success l WHERE l.checkout_id = p_checkout
$$;
SELECT is(pg_temp.tell_late('l3', w, w || '-l3-' || n), x, w)
FROM (VALUES (1, 'pending', 'unchanged'), (2, 'succeeded', 'applied'),
             (3, 'succeeded', 'unchanged')) t (n, w, x)
ORDER BY n;
SELECT is((l.state, pg_temp.gone('l3'), pg_temp.booked('late/l3'))::text,
          '(refunded,10,"late_held 10, late_refunded 10")', 'it went back')
FROM pay.late_success l WHERE l.checkout_id = 'l3';
SELECT is(pg_temp.tell_late('l3', 'failed', 'failed-l3'), 'applied',
          'it comes back');
SELECT is((l.state, pg_temp.gone('l3'))::text, '(refunding,"0 -10")', 'as any')
FROM pay.late_success l WHERE l.checkout_id = 'l3';
SELECT is(pg_temp.tell_late('l4', w, w || '-l4'), x, w || ', told late')
FROM (VALUES (1, 'failed', 'mismatch'), (2, 'succeeded', 'contradiction'))
    t (n, w, x)
ORDER BY n;
SELECT is((l.state, pg_temp.gone('l4'), pg_temp.doubts('l4'))::text,
          '(resolved,-10,"refund failed re-l4, refund contradiction re-l4")',
          'the failure counts: people decide')
FROM pay.late_success l WHERE l.checkout_id = 'l4';

-- a PSP that names a refund that is on its way: no job asks for it any more
SELECT is(pg_temp.whole('c30', 'o30', 'refund', 'r30', 100, 'UNKNOWN'),
          'EXECUTING', 'nobody knows whether it was made');
SELECT is(pg_temp.job_of('r30') IS NOT NULL, true, 'a job asks');
SELECT is(pg_temp.news('refund', 'pending', 're-30', 100, 't-c30',
                       p_operation => pg_temp.uuid('r30')),
          'unchanged', 'it was');
SELECT is(pg_temp.job_of('r30'), NULL, 'the PSP tells the rest');

-- a PSP that names what is ours: of one amount nothing follows
SELECT is(pg_temp.whole('c3', 'o3', 'refund', 'r3', 400, 'UNKNOWN'),
          'EXECUTING', 'ours may be there');
SELECT is(pg_temp.news('refund', 'succeeded', 'dash-3', 400, 't-c3',
                       p_operation => '-'), 'applied', 'another of 400');
SELECT is(concat_ws(' / ', pg_temp.how('r3'), pg_temp.others('c3'),
                    pg_temp.money('o3')),
          'EXECUTING / SUCCESS dash-3 / 0 1000 400 400 0', 'is not it');
SELECT is(pg_temp.send('c3', 'refund', 'r3'), 'send 1 2', 'it goes on');
SELECT is(pg_temp.sent('c3', 'refund', 'r3', 'DONE', p_reference => 're-3'),
          'stored', 'and is done');
SELECT is(concat_ws(' / ', pg_temp.how('r3'), pg_temp.others('c3'),
                    pg_temp.money('o3'), pg_temp.gone('c3')),
          'SUCCESS re-3 / SUCCESS dash-3 / 0 1000 0 800 0 / 800', 'both');
SELECT is(pg_temp.whole('c4', 'o4', 'refund', 'r4', 400, 'DONE', 're-4'),
          'SUCCESS re-4', 'ours first');
SELECT is(pg_temp.news('refund', 'succeeded', 'dash-4', 400, 't-c4',
                       p_operation => '-'), 'applied', 'then the other');
SELECT is(concat_ws(' / ', pg_temp.how('r4'), pg_temp.others('c4'),
                    pg_temp.money('o4'), pg_temp.gone('c4')),
          'SUCCESS re-4 / SUCCESS dash-4 / 0 1000 0 800 0 / 800', 'both');

-- a PSP that never names what is ours: the answer to our call tells
SELECT is(pg_temp.whole('c5', 'o5', 'refund', 'r5', 400, 'UNKNOWN'),
          'EXECUTING', 'ours may be there');
SELECT is(pg_temp.news('refund', w, 'dash-5', 400, 't-c5'), x, w)
FROM (VALUES ('pending', 'unchanged'), ('succeeded', 'applied')) t (w, x);
SELECT is(concat_ws(' / ', pg_temp.how('r5'), pg_temp.others('c5'),
                    pg_temp.money('o5')),
          'SUCCESS dash-5 / 0 1000 0 400 0', 'another one is taken for it');
SELECT is(pg_temp.sent('c5', 'refund', 'r5', 'DONE', p_reference => 're-5'),
          'stored', 'until it has its answer');
SELECT is(concat_ws(' / ', pg_temp.how('r5'), pg_temp.others('c5'),
                    pg_temp.money('o5'), pg_temp.gone('c5')),
          'SUCCESS re-5 / SUCCESS dash-5 / 0 1000 0 800 0 / 800', 'both');
SELECT is(pg_temp.news('refund', 'succeeded', o, 400, 't-c5',
                       p_event => 'again-' || o), 'unchanged', o || ' is known')
FROM (VALUES ('re-5'), ('dash-5')) t (o);
SELECT is(pg_temp.news('refund', 'failed', o, 400, 't-c5'), 'applied',
          o || ' comes back')
FROM (VALUES ('re-5'), ('dash-5')) t (o);
SELECT is(concat_ws(' / ', pg_temp.how('r5'), pg_temp.others('c5'),
                    pg_temp.money('o5'), pg_temp.gone('c5')),
          'FAILED returned re-5 / FAILED returned dash-5 / 0 1000 0 0 0 / 0',
          'each its own');
SELECT is(pg_temp.whole('c6', 'o6', 'refund', 'r6', 400, 'DONE', 're-6'),
          'SUCCESS re-6', 'the answer first');
SELECT is(pg_temp.news('refund', 'succeeded', o, 400, 't-c6'), w, o)
FROM (VALUES ('dash-6', 'applied'), ('re-6', 'unchanged')) t (o, w);
SELECT is(concat_ws(' / ', pg_temp.how('r6'), pg_temp.others('c6'),
                    pg_temp.money('o6'), pg_temp.gone('c6')),
          'SUCCESS re-6 / SUCCESS dash-6 / 0 1000 0 800 0 / 800', 'both');
SELECT is(pg_temp.whole('c7', 'o7', 'refund', 'r7', 600, 'UNKNOWN'),
          'EXECUTING', 'two of which there is money for one');
SELECT is(pg_temp.news('refund', 'succeeded', 'dash-7', 600, 't-c7'),
          'applied', 'taken for ours');
SELECT is(pg_temp.sent('c7', 'refund', 'r7', 'DONE', p_reference => 're-7'),
          'stored', 'which is another');
SELECT is(concat_ws(' / ', pg_temp.how('r7'), pg_temp.others('c7'),
                    pg_temp.money('o7'), pg_temp.gone('c7'),
                    pg_temp.doubts('c7')),
          'SUCCESS re-7 / 0 1000 0 600 0 / 1200 600 / refund exceeds dash-7',
          'people decide about the other');
SELECT is(pg_temp.whole('c8', 'o8', 'refund', 'r8', 400, 'UNKNOWN'),
          'EXECUTING', 'one that is on its way');
SELECT is(pg_temp.news('refund', 'pending', 'dash-8', 400, 't-c8'),
          'unchanged', 'taken for ours');
SELECT is(pg_temp.sent('c8', 'refund', 'r8', 'PENDING',
                       p_reference => 're-8'), 'stored', 'is another');
SELECT is(concat_ws(' / ', pg_temp.how('r8'), pg_temp.others('c8'),
                    pg_temp.money('o8')),
          'EXECUTING re-8 / EXECUTING dash-8 / 0 1000 800 0 0', 'both wait');
SELECT is(pg_temp.news('refund', w, o, 400, 't-c8'), 'applied', o || ' ' || w)
FROM (VALUES ('dash-8', 'succeeded'), ('re-8', 'failed')) t (o, w);
SELECT is(concat_ws(' / ', pg_temp.how('r8'), pg_temp.others('c8'),
                    pg_temp.money('o8'), pg_temp.gone('c8')),
          'FAILED re-8 / SUCCESS dash-8 / 0 1000 0 400 0 / 400', 'and end');

-- ours was taken for done, and never was
SELECT is(pg_temp.change('o' || n, 'refund', 'r' || n, 700),
          'created refund NOT_STARTED 700', 'r' || n)
FROM generate_series(9, 11) n;
SELECT is(pg_temp.send('c' || n, 'refund', 'r' || n), 'send 1 1', 'r' || n)
FROM generate_series(9, 11) n;
SELECT is(pg_temp.news('refund', CASE n WHEN 11 THEN 'pending'
                                        ELSE 'succeeded' END, 'dash-' || n,
                       700, 't-c' || n), 'applied', 'taken for r' || n)
FROM generate_series(9, 11) n;
SELECT is(pg_temp.sent('c' || n, 'refund', 'r' || n, s, p_code => 'why'),
          'stored', s)
FROM (VALUES (9, 'REFUSED'), (10, 'NOT_SENT'), (11, 'NOT_SENT')) t (n, s);
SELECT is(concat_ws(' / ', pg_temp.how('r' || n), pg_temp.others('c' || n),
                    pg_temp.money('o' || n), pg_temp.gone('c' || n)),
          format('FAILED returned why / SUCCESS dash-%s / 0 1000 0 700 0 / 700',
                 n), 'one refund, which is not ours')
FROM generate_series(9, 10) n;
SELECT is(concat_ws(' / ', pg_temp.how('r11'), pg_temp.job_of('r11'),
                    pg_temp.money('o11'), pg_temp.doubts('c11')),
          'EXECUTING / change 0 00:00:00 / 0 1000 700 0 0 / '
          'refund exceeds dash-11', 'ours goes on');

-- what is ours was taken for somebody else's
SELECT is(pg_temp.whole('c' || n, 'o' || n, 'refund', 'r' || n, 600,
                        'UNKNOWN'), 'EXECUTING', 'nobody knows')
FROM generate_series(12, 16) n;
SELECT is(pg_temp.news('refund', w, 're-' || n, 600, 't-c' || n,
                       p_operation => '-'), x, w || ' and not named')
FROM (VALUES (12, 'succeeded', 'mismatch'), (13, 'pending', 'mismatch'),
             (14, 'failed', 'applied')) t (n, w, x);
SELECT is(pg_temp.sent('c' || n, 'refund', 'r' || n, 'DONE',
                       p_reference => 're-' || n), 'stored', 'ours is it')
FROM generate_series(12, 14) n;
SELECT is(concat_ws(' / ', pg_temp.how('r12'), pg_temp.money('o12'),
                    pg_temp.gone('c12'),
                    pg_temp.booked('event/stripe/re-12'),
                    pg_temp.doubts('c12')),
          'SUCCESS re-12 / 0 1000 0 600 0 / 600 / unknown_refund 600, '
          'unknown_refund_cleared 600 / refund exceeds re-12, '
          'refund found re-12', 'out of suspense');
SELECT is(concat_ws(' / ', pg_temp.how('r13'), pg_temp.money('o13'),
                    pg_temp.gone('c13')),
          'SUCCESS re-13 / 0 1000 0 600 0 / 600', 'nothing was booked of it');
SELECT is(concat_ws(' / ', pg_temp.how('r14'), pg_temp.others('c14'),
                    pg_temp.money('o14'), pg_temp.gone('c14')),
          'FAILED re-14 / FAILED / 0 1000 0 0 0', 'and it failed');
SELECT is(pg_temp.news('refund', 'failed', 're-12', 600, 't-c12'), 'applied',
          'back');
SELECT is(concat_ws(' / ', pg_temp.how('r12'), pg_temp.gone('c12')),
          'FAILED returned re-12 / 0', 'from where it is now');
SELECT is(pg_temp.whole('c' || n, 'o' || n, 'refund', 'r' || n, 300,
                        'UNKNOWN'), 'EXECUTING', 'nobody knows')
FROM generate_series(17, 20) n;
SELECT is(pg_temp.news('refund', w, 're-' || n, 300, 't-c' || n,
                       p_operation => '-'), 'applied', w || ' and not named')
FROM (VALUES (17, 'succeeded'), (18, 'pending'), (19, 'succeeded'),
             (20, 'failed')) t (n, w);
SELECT is(pg_temp.sent('c' || n, 'refund', 'r' || n, s,
                       p_reference => 're-' || n), 'stored', 'ours is it')
FROM (VALUES (17, 'DONE'), (18, 'PENDING')) t (n, s);
SELECT is(pg_temp.news('refund', 'succeeded', 're-' || n, 300,
    p_operation => pg_temp.uuid('r' || n), p_event => 'named-' || n),
    'applied', 'it is named')
FROM generate_series(19, 20) n;
SELECT is(concat_ws(' / ', pg_temp.how('r' || n), pg_temp.others('c' || n),
                    pg_temp.money('o' || n), pg_temp.gone('c' || n)), w,
          'r' || n || ': once')
FROM (VALUES
    (17, 'SUCCESS re-17 / FAILED returned own_refund / 0 1000 0 300 0 / 300'),
    (18, 'EXECUTING re-18 / FAILED own_refund / 0 1000 300 0 0'),
    (19, 'SUCCESS re-19 / FAILED returned own_refund / 0 1000 0 300 0 / 300'),
    (20, 'FAILED re-20 / FAILED / 0 1000 0 0 0')) t (n, w);
SELECT is(pg_temp.whole('d3', 'od3b', 'refund', 'rd3', 20, 'UNKNOWN'),
          'EXECUTING', 'one of two orders');
SELECT is(pg_temp.news('refund', 'succeeded', 're-d3', 20, 't-d3',
                       p_operation => '-'), 'applied',
          'one of theirs is split over both');
SELECT is(pg_temp.news('refund', 'succeeded', 're-d3', 20, p_operation =>
    pg_temp.uuid('rd3'), p_event => 'named-d3'), 'applied', 'that one''s');
SELECT is(concat_ws(' / ', pg_temp.how('rd3'), pg_temp.money('od3b'),
                    pg_temp.gone('d3'), pg_temp.doubts('d3')),
          'SUCCESS re-d3 / 0 50 0 20 0 / 20 / refund split re-d3',
          'booked once');

-- two of one request
SELECT is(pg_temp.whole('c21', 'o21', 'refund', 'r21', 300, 'DONE', 're-21'),
          'SUCCESS re-21', 'done');
SELECT is(pg_temp.news('refund', 'succeeded', 'twice', 300, 't-c21',
                       p_operation => pg_temp.uuid('r21')), 'contradiction',
          'and done again under its name: people decide');
SELECT is(concat_ws(' / ', pg_temp.how('r21'), pg_temp.money('o21')),
          'SUCCESS re-21 / 0 1000 0 300 0', 'nothing moves');

-- twins: ours, of one amount
SELECT is(pg_temp.whole('c22', 'o22', 'refund', 'r22' || x, 400, 'UNKNOWN'),
          'EXECUTING', x) FROM (VALUES ('a'), ('b')) t (x);
SELECT is(pg_temp.news('refund', 'succeeded', 're-22b', 400, 't-c22'),
          'applied', 'one of them is done');
SELECT is(pg_temp.sent('c22', 'refund', 'r22b', 'DONE',
                       p_reference => 're-22b'), 'stored', 'that one');
SELECT is(pg_temp.news('refund', 'succeeded', 're-22a', 400, 't-c22'),
          'unchanged', 'the other one was taken for it');
SELECT is(pg_temp.news('refund', 'failed', 're-22a', 400, 't-c22'),
          'applied', 'and comes back');
SELECT is(concat_ws(' / ', pg_temp.how('r22a'), pg_temp.how('r22b'),
                    pg_temp.money('o22'), pg_temp.gone('c22')),
          'FAILED returned re-22a / SUCCESS re-22b / 0 1000 0 400 0 / 400',
          'each its own');

-- no word about a refund without its name
SELECT is(pg_temp.news('refund', w, o, 5, 't-c23', p_event => 'nameless'),
          'invalid', w)
FROM unnest('{pending,succeeded,failed}'::text[]) w,
    unnest('{NULL,""}'::text[]) o;
SELECT is((SELECT count(*) FROM pay.webhook_inbox
           WHERE event_id = 'nameless'), 0::bigint, 'not kept');

SET CONSTRAINTS ALL IMMEDIATE;
\i :checks
SELECT finish();
ROLLBACK;
