-- apply_change: what PSPs say about refunds, disputes and fees; by which
-- names it finds its checkout, and what waits for them.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'])
FROM generate_series(1, 40) n
\g /dev/null
SELECT pg_temp.sold('d' || n, ARRAY[format('od%sa:100', n),
                                   format('od%sb:50', n)])
FROM generate_series(1, 4) n
\g /dev/null
CREATE FUNCTION pg_temp.inbox(p_event text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', i.state, i.fact, i.checkout_id)
FROM pay.webhook_inbox i WHERE i.event_id = p_event
$$;

-- a refund of ours: the PSP's word moves it, once
SELECT is(pg_temp.whole('c1', 'o1', 'refund', 'r1', 300, 'PENDING', 're-1'),
          'EXECUTING re-1', 'taken');
SELECT is(pg_temp.news('refund', 'pending', 're-1', 300, 't-c1'),
          'unchanged', 'which is known');
SELECT is(pg_temp.news('refund', 'succeeded', 're-1', 300, 't-c1'),
          'applied', 'done');
SELECT is(concat_ws(' / ', pg_temp.how('r1'), pg_temp.money('o1')),
          'SUCCESS re-1 / 0 1000 0 300 0', 'the buyer has it');
SELECT is(pg_temp.inbox('evt-refund-succeeded-re-1'),
          'applied refund.succeeded c1', 'the inbox');
SELECT is((e.kind, e.actor, e.detail ->> 'object', e.detail ->> 'type')::text,
          '(refunded,webhook,re-1,psp.refund)', 'the timeline')
FROM pay.event e WHERE e.payment_order_id = 'o1' ORDER BY e.seq DESC LIMIT 1;
SELECT pg_temp.everything() AS before
\gset
SELECT is(pg_temp.news('refund', 'succeeded', 're-1', 300, 't-c1'),
          'duplicate', 'the same event');
SELECT is(pg_temp.news('refund', 'succeeded', 're-1', 300, 't-c1',
                       p_event => 'other'), 'unchanged', 'another event');
SELECT is(pg_temp.news('refund', 'pending', 're-1', 300, 't-c1',
                       p_event => 'older'), 'unchanged', 'an older one');
SELECT is(pg_temp.news('refund', 'succeeded', 're-1', 300, 't-c1',
                       p_source => 'query'), 'unchanged', 'a query');
SELECT is(pg_temp.everything(), :'before', 'change nothing');
SELECT is(pg_temp.news('refund', 'failed', 're-1', 300, 't-c1'), 'applied',
          'it has come back');
SELECT is(concat_ws(' / ', pg_temp.how('r1'), pg_temp.money('o1')),
          'FAILED returned re-1 / 0 1000 0 0 0', 'the seller has it');
SELECT is(pg_temp.booked('r1'),
          'refund 300, refund_reserved 300, refund_returned 300', 'booked');
SELECT is(pg_temp.news('refund', 'succeeded', 're-1', 300, 't-c1',
    p_event => 'again'), 'contradiction', 'and gone again? people decide');
SELECT is(pg_temp.doubts('c1'), 'refund contradiction re-1', 'told');
SELECT is(pg_temp.money('o1'), '0 1000 0 0 0', 'nothing moves');

-- by which name it is found
SELECT is(pg_temp.change('o2', 'refund', 'r2', 10),
          'created refund NOT_STARTED 10', 'one of ours');
SELECT is(pg_temp.news('refund', 'succeeded', 're-2', 10,
                       p_operation => pg_temp.uuid('r2')), 'applied',
          'by our id alone, before our own call has ended');
SELECT is(concat_ws(' ', pg_temp.how('r2'), pg_temp.job_of('r2')),
          'SUCCESS re-2', 'done');
SELECT is(pg_temp.send('c2', 'refund', 'r2'), 'done', 'and never sent');
SELECT is(pg_temp.whole('c2', 'o2', 'refund', 'r2b', 20, 'UNKNOWN'),
          'EXECUTING', 'nobody knows');
SELECT is(pg_temp.news('refund', 'succeeded', 're-2b', 20,
                       p_reference => 'pi-c2'), 'applied',
          'by the payment''s id, and the amount');
SELECT is(concat_ws(' ', pg_temp.how('r2b'), pg_temp.money('o2')),
          'SUCCESS re-2b 0 1000 0 30 0', 'it was ours');
SELECT is((SELECT count(*) FROM pay.change WHERE origin = 'psp'), 0::bigint,
          'nobody else''s');
SELECT is(pg_temp.change('o2', 'refund', 'r2c', 40),
          'created refund NOT_STARTED 40', 'one that never went out');
SELECT is(pg_temp.news('refund', 'succeeded', 're-2c', 40, 't-c2'),
          'applied', 'a refund of that amount');
SELECT is(concat_ws(' ', pg_temp.how('r2c'), pg_temp.money('o2')),
          'NOT_STARTED 0 1000 40 70 0', 'is somebody else''s');
SELECT is(pg_temp.whole('c2', 'o2', 'refund', 'r2d', 50, 'UNKNOWN'),
          'EXECUTING', 'nobody knows');
SELECT is(pg_temp.news('refund', 'succeeded', 're-2d', 50, 't-c2',
    p_operation => 'merchants-own-id'), 'applied', 'one with another id');
SELECT is(concat_ws(' ', pg_temp.how('r2d'), pg_temp.money('o2')),
          'EXECUTING 0 1000 90 120 0', 'is not this one');
SELECT is(pg_temp.news('refund', 'succeeded', 're-2d', 51,
    p_operation => pg_temp.uuid('r2d'), p_event => 'wrong'), 'mismatch',
    'another amount');
SELECT is(pg_temp.how('r2d'), 'EXECUTING', 'is not believed');
SELECT is(pg_temp.news('refund', 'succeeded', 're-2d', 50, p_currency =>
    'EUR', p_operation => pg_temp.uuid('r2d'), p_event => 'eur'), 'mismatch',
    'nor another currency');
SELECT is(pg_temp.news('refund', 'succeeded', 're-x', 50, p_psp => 'adyen',
    p_operation => pg_temp.uuid('r2d')), 'ignored',
    'nor another PSP, which knows no more names');

-- one that failed for us, and was done after all
SELECT is(pg_temp.whole('c3', 'o3', 'refund', 'r3', 600, 'REFUSED'),
          'FAILED', 'refused');
SELECT is(pg_temp.news('refund', 'succeeded', 're-3', 600,
                       p_operation => pg_temp.uuid('r3')), 'applied',
          'and done');
SELECT is(concat_ws(' / ', pg_temp.how('r3'), pg_temp.money('o3'),
                    pg_temp.booked('r3')),
          'SUCCESS re-3 / 0 1000 0 600 0 / refund_external 600, '
          'refund_released 600, refund_reserved 600', 'as far as there is');
SELECT is(pg_temp.whole('c3', 'o3', 'refund', 'r3b', 300, 'REFUSED'),
          'FAILED', 'refused');
SELECT is(pg_temp.whole('c3', 'o3', 'refund', 'r3c', 300, 'DONE'), 'SUCCESS',
          'tried again');
SELECT is(pg_temp.news('refund', 'succeeded', 're-3b', 300,
                       p_operation => pg_temp.uuid('r3b')), 'mismatch',
          'and the first one was done, too: more than there is');
SELECT is(concat_ws(' / ', pg_temp.how('r3b'), pg_temp.money('o3'),
                    pg_temp.booked('event/stripe/re-3b')),
          'FAILED / 0 1000 0 900 0 / unknown_refund 300', 'in suspense');

-- somebody pays back at the PSP
SELECT is(pg_temp.news('refund', 'succeeded', 're-4', 250, 't-c4'),
          'applied', 'by hand');
SELECT is(concat_ws(' / ', pg_temp.money('o4'), c.origin, c.status,
                    c.reference, pg_temp.booked('change/' || c.change_id)),
          '0 1000 0 250 0 / psp / SUCCESS / re-4 / refund_external 250',
          'with a row of its own')
FROM pay.change c WHERE c.payment_order_id = 'o4';
SELECT is(pg_temp.news('refund', 'succeeded', 're-4', 250, 't-c4',
                       p_event => 'charge.refunded'), 'unchanged', 'once');
SELECT is(pg_temp.news('refund', 'pending', 're-4b', 700, 't-c4'),
          'applied', 'one that is on its way');
SELECT is(pg_temp.money('o4'), '0 1000 700 250 0', 'holds its amount');
SELECT is(pg_temp.change('o4', 'refund', 'x', 51), 'exceeds', 'for ours');
SELECT is(pg_temp.news('refund', 'succeeded', 're-4b', 700, 't-c4'),
          'applied', 'done');
SELECT is(pg_temp.money('o4'), '0 1000 0 950 0', 'once');
SELECT is(pg_temp.news('refund', 'failed', 're-4b', 700, 't-c4'),
          'applied', 'back');
SELECT is(pg_temp.money('o4'), '0 1000 0 250 0', 'once');
SELECT is(pg_temp.news('refund', 'pending', 're-4c', 50, 't-c4'), 'applied',
          'another');
SELECT is(pg_temp.news('refund', 'failed', 're-4c', 50, 't-c4'), 'applied',
          'that comes to nothing');
SELECT is(pg_temp.money('o4'), '0 1000 0 250 0', 'leaves nothing');
SELECT is(pg_temp.news('refund', 'succeeded', 're-4c', 50, 't-c4'),
          'contradiction', 'what was said before may come behind');
SELECT is(pg_temp.money('o4'), '0 1000 0 250 0', 'people decide');
SELECT is(pg_temp.news('refund', 'failed', 're-4d', 50, 't-c4'),
          'applied', 'one that failed before it was heard of');
SELECT is(pg_temp.money('o4'), '0 1000 0 250 0', 'moves nothing');
SELECT is(pg_temp.news('refund', 'succeeded', 're-4d', 50, 't-c4'),
          'contradiction', 'nor does what was said before that');
SELECT is(pg_temp.news('refund', 'pending', 're-4d', 50, 't-c4'),
          'unchanged', 'or even earlier');
SELECT is(concat_ws(' / ', c.origin, c.status, c.returned, pg_temp.money('o4'),
                    pg_temp.booked('change/' || c.change_id)),
          'psp / FAILED / f / 0 1000 0 250 0', 'it stays failed')
FROM pay.change c WHERE c.reference = 're-4d';
SELECT is(pg_temp.news('refund', 'succeeded', 're-4e', 751, 't-c4'),
          'mismatch', 'more than is left');
SELECT is(pg_temp.news('refund', 'succeeded', 're-4e', 751, 't-c4',
                       p_event => 'once more'), 'mismatch', 'told again');
SELECT is(pg_temp.booked('event/stripe/re-4e'), 'unknown_refund 751',
          'is in suspense, once');
SELECT is(pg_temp.news('refund', 'succeeded', 're-4f', NULL, 't-c4'),
          'mismatch', 'of nobody knows how much');
SELECT is(pg_temp.money('o4'), '0 1000 0 250 0', 'nothing moves');
SELECT is(pg_temp.news('refund', 'succeeded', 're-d1', 50, 't-d1'),
          'applied', 'whose is it?');
SELECT is(concat_ws(' / ', pg_temp.money('od1a'), pg_temp.money('od1b'),
                    pg_temp.booked('event/stripe/re-d1'),
                    pg_temp.doubts('d1')),
          '0 100 0 33 0 / 0 50 0 17 0 / refund split re-d1',
          'that of both');
SELECT pg_temp.begin('m1', 'k-u1', 'u1', '{ou1:10}')
\g /dev/null
SELECT pg_temp.token('m1', 'u1', 't-u1')
\g /dev/null
SELECT is(pg_temp.news('refund', 'succeeded', 're-u', 5, 't-u1'),
          'parked', 'of what is not paid yet');
SELECT is(pg_temp.news('dispute', w, 'dp-u', 4, 't-u1', p_fee => 15),
          'parked', 'a dispute, too: ' || w)
FROM (VALUES ('lost'), ('opened')) t (w);
SELECT is(pg_temp.money('ou1'), '0 0 0 0 0', 'nothing has moved');
SELECT is(pg_temp.inbox('evt-refund-succeeded-re-u'),
          'parked refund.succeeded u1', 'it waits, and it is known for whom');
SELECT is(pg_temp.fact('t-u1', 'paid', p_amount => 9), 'mismatch',
          'a wrong amount brings no money');
SELECT is(pg_temp.inbox('evt-refund-succeeded-re-u'),
          'parked refund.succeeded u1', 'it waits on');
SELECT is(pg_temp.fact('t-u1', 'paid', p_event_id => 'e-u1'), 'applied',
          'which is paid then');
SELECT is(concat_ws(' / ', pg_temp.money('ou1'),
                    pg_temp.booked('dispute/stripe/dp-u'),
                    pg_temp.inbox('evt-refund-succeeded-re-u')),
          '0 10 0 5 4 / dispute_lost 4, dispute_opened 4, psp_fee 15 / '
          'applied refund.succeeded u1', 'and all of it is heard');
SELECT is(pg_temp.news('refund', 'succeeded', 're-u', 5, 't-u1'),
          'duplicate', 'once');
SELECT pg_temp.begin('m1', 'k-u2', 'u2', '{ou2:100}',
                     p_terms => '{"capture": "manual"}')
\g /dev/null
SELECT pg_temp.token('m1', 'u2', 't-u2')
\g /dev/null
SELECT is(pg_temp.fact('t-u2', 'authorized'), 'applied', 'held money');
SELECT is(pg_temp.news('capture', 'succeeded', n::text, n, 't-u2'),
          'applied', n || ' of it captured')
FROM (VALUES (40)) t (n);
SELECT is(pg_temp.news('refund', 'succeeded', 're-u2', 50, 't-u2'), 'parked',
          'more than that is given back');
SELECT is(pg_temp.news('capture', 'succeeded', '90', 90, 't-u2'), 'applied',
          'as more was captured');
SELECT is(pg_temp.money('ou2'), '10 90 0 50 0', 'it was heard of later');
SELECT is(pg_temp.news('refund', 'succeeded', 're-u3', 60, 't-u2'), 'parked',
          'the last of it may come, too');
SELECT is(pg_temp.fact('t-u2', 'cancelled'), 'applied', 'but goes back');
SELECT is(concat_ws(' / ', pg_temp.money('ou2'), pg_temp.doubts('u2')),
          '0 90 0 50 0 / refund exceeds re-u3', 'and people hear of it');

-- nothing waits for money that will not come any more
SELECT pg_temp.begin('m1', 'k-f' || n, 'f' || n, ARRAY['of' || n || ':100'])
FROM generate_series(1, 5) n
\g /dev/null
SELECT pg_temp.token('m1', 'f' || n, 't-f' || n) FROM generate_series(1, 5) n
\g /dev/null
SELECT is(pg_temp.news(a, w, a || n, 5, 't-f' || n), 'parked', a || n)
FROM generate_series(1, 5) n, (VALUES ('refund', 'succeeded'),
                                      ('dispute', 'opened')) t (a, w);
SELECT is(pg_temp.fact('t-f' || n, f), 'applied', 'it fails: ' || f)
FROM (VALUES (1, 'declined'), (2, 'rejected'), (3, 'cancelled'),
             (4, 'expired')) t (n, f);
SELECT is(concat_ws(' / ', pg_temp.inbox('evt-refund-succeeded-refund' || n),
                    pg_temp.inbox('evt-dispute-opened-dispute' || n),
                    pg_temp.doubts('f' || n),
                    pg_temp.booked('event/stripe/refund' || n)),
          format('mismatch refund.succeeded f%1$s / mismatch dispute.opened '
                 'f%1$s / dispute exceeds dispute%1$s, refund exceeds '
                 'refund%1$s / unknown_refund 5', n), 'people hear of both')
FROM generate_series(1, 4) n;
SELECT is(pg_temp.news('refund', 'succeeded', 'refund6', 5, 't-f1'),
          'mismatch', 'what comes behind that does not wait at all');
SELECT is(pg_temp.inbox('evt-refund-succeeded-refund5'),
          'parked refund.succeeded f5', 'what may still be paid waits');
SELECT is(pg_temp.fact('t-f5', 'paid'), 'applied', 'for that');
SELECT is(pg_temp.money('of5'), '0 100 0 5 5', 'and both are heard');

-- The PSP captures by itself, and that fails: the money of a sale does not
-- come.  Nothing moves, since the PSP may capture again.
SELECT pg_temp.begin('m1', 'k-a' || n, 'a' || n, ARRAY['oa' || n || ':100'])
FROM generate_series(1, 3) n
\g /dev/null
SELECT pg_temp.token('m1', 'a' || n, 't-a' || n) FROM generate_series(1, 3) n
\g /dev/null
SELECT is(pg_temp.fact('t-a1', 'paid'), 'applied', 'paid');
SELECT is(pg_temp.news('capture', 'failed', 'ca-a1', 100, 't-a1'), 'mismatch',
          'but never captured');
SELECT is(concat_ws(' / ', pg_temp.status('m1', 'oa1'), pg_temp.money('oa1'),
                    pg_temp.doubts('a1')),
          'SUCCESS / 0 100 0 0 0 / capture failed ca-a1',
          'an operator hears of it');
SELECT is(pg_temp.news('capture', 'failed', 'ca-a' || n, x, 't-a' || n),
          'parked', 'before it is paid')
FROM (VALUES (2, NULL), (3, 100)) t (n, x);
SELECT is(concat_ws(' ', pg_temp.status('m1', 'oa2'), pg_temp.doubts('a2')),
          'EXECUTING', 'a page that may still be paid stays open');
SELECT is(pg_temp.fact('t-a2', 'paid'), 'applied', 'it is paid then');
SELECT is(concat_ws(' / ', pg_temp.status('m1', 'oa2'), pg_temp.doubts('a2'),
                    pg_temp.inbox('evt-capture-failed-ca-a2')),
          'SUCCESS / capture failed ca-a2 / mismatch capture.failed a2',
          'and heard of');
SELECT is(pg_temp.fact('t-a3', 'expired'), 'applied', 'or never');
SELECT is(concat_ws(' / ', pg_temp.status('m1', 'oa3'), pg_temp.doubts('a3'),
                    pg_temp.inbox('evt-capture-failed-ca-a3')),
          'FAILED/expired / unchanged capture.failed a3', 'then nothing is missing');

-- a late payment that goes back is no sale's refund
SELECT pg_temp.begin('m1', 'k-l' || n, 'l' || n, ARRAY['ol' || n || ':10'],
    p_late => w) FROM (VALUES (1, 'refund'), (2, 'refund'), (3, 'hold')) t
    (n, w)
\g /dev/null
SELECT pg_temp.token('m1', 'l' || n, 't-l' || n) FROM generate_series(1, 3) n
\g /dev/null
SELECT is(pg_temp.fact('t-l' || n, f, p_reference => 'pi-l' || n), w, f)
FROM generate_series(1, 3) n, (VALUES ('expired', 'applied'),
                                      ('paid', 'held')) t (f, w);
SELECT is(pg_temp.news('capture', 'failed', 'ca-l3', 10, 't-l3'), 'mismatch',
          'nor is money that does not come held');
SELECT is(pg_temp.news('refund', 'succeeded', 're-l1', 10,
    p_operation => l.refund_id::text, p_token => 't-l1'), 'applied',
    'by its id')
FROM pay.late_success l WHERE l.checkout_id = 'l1';
SELECT is(pg_temp.news('refund', 'succeeded', 're-l2', 10,
                       p_reference => 'pi-l2'), 'applied', 'by its amount');
SELECT is(string_agg(l.state, ' ' ORDER BY l.checkout_id),
          'refunded refunded held', 'they are back')
FROM pay.late_success l;
SELECT is(pg_temp.news('refund', 'succeeded', 're-l2', 10, 't-l2',
                       p_event => 'again-l2'), 'unchanged', 'once');

-- a refund of a late payment that fails after all: the money is in suspense
-- again, and an operator may have it refunded under another key
CREATE TEMP TABLE first_refund AS
SELECT l.refund_id FROM pay.late_success l WHERE l.checkout_id = 'l2';
SELECT is(pg_temp.news('refund', 'failed', 're-l2', 10, 't-l2'), 'applied',
          'it has failed after all');
SELECT is(concat_ws(' / ', l.state, l.refund_id <> f.refund_id,
                    pg_temp.booked('late/l2'), pg_temp.doubts('l2')),
          'refunding / t / late_held 10, late_refund_returned 10, '
          'late_refunded 10 / refund failed re-l2', 'it is in suspense')
FROM pay.late_success l, first_refund f WHERE l.checkout_id = 'l2';
SELECT is((d.kind, d.reason, d.state)::text, '(refund,returned,open)',
          'an operator hears of it')
FROM pay.dead_letter d WHERE d.checkout_id = 'l2';
SELECT is((e.kind, e.actor, e.detail ->> 'refund_reference')::text,
          '(late_refund_returned,webhook,re-l2)', 'the timeline tells it')
FROM pay.event e
WHERE e.payment_order_id = 'ol2' AND e.kind = 'late_refund_returned';
SELECT is(pg_temp.news('refund', w, 're-l2', 10, 't-l2',
                       p_event => 'again-' || w), x, 'once more: ' || w)
FROM (VALUES ('failed', 'unchanged'), ('succeeded', 'contradiction')) t (w, x);
SELECT is(pay_ops.requeue_dead_letter(d.dead_letter_id, 'ann', 'again'),
          'requeued', 'the operator has it tried again')
FROM pay.dead_letter d WHERE d.checkout_id = 'l2' AND d.state = 'open';
SELECT is(o.outcome, 'send', 'it goes out under the new key')
FROM pay.late_success l,
    pay_api.begin_dispatch('{m1}', '{l2}', '{refund}',
        ARRAY[l.refund_id::text], '{stripe}', '{86400}', '{1000}',
        '{request-8}') o
WHERE l.checkout_id = 'l2';
SELECT is(o.outcome, 'stored', 'and is done')
FROM pay.late_success l,
    pay_api.end_dispatch('{m1}', '{l2}', '{refund}',
        ARRAY[l.refund_id::text], '{1}', '{DONE}', '{NULL}', '{200}',
        '{NULL}', '{re-l2-b}', '{request-8}') o
WHERE l.checkout_id = 'l2';
SELECT is(concat_ws(' / ', l.state, pg_temp.booked('late/l2/1')),
          'refunded / late_refunded 10', 'it is paid back')
FROM pay.late_success l WHERE l.checkout_id = 'l2';
SELECT is(pg_temp.news('refund', 'failed', 're-l2', 10, 't-l2',
                       p_event => 'third-l2'), 'unchanged',
          'the first one fails no more');
SELECT is(pg_temp.news('refund', 'failed', 're-l2-b', 10, 't-l2'), 'applied',
          'the second one fails, too');
SELECT is(concat_ws(' / ', l.state, pg_temp.booked('late/l2/1')),
          'refunding / late_refund_returned 10, late_refunded 10',
          'and is taken back')
FROM pay.late_success l WHERE l.checkout_id = 'l2';
SELECT is(pg_temp.fact('t-l2', 'paid', 'again-' || n, p_reference => 'pi-l2'),
          'held', 'the PSP says once more that it was paid')
FROM generate_series(1, 2) n;
SELECT is(string_agg(concat_ws(' ', e.source, e.amount_minor), ', '),
          'late/l2 10', 'its money has come once')
FROM pay.journal_entry e
WHERE e.checkout_id = 'l2' AND e.kind = 'late_held';
SELECT is(pg_temp.news('refund', 'succeeded', 're-l3', 10, 't-l3'),
          'mismatch', 'of what nobody has decided about');
SELECT is(pg_temp.booked('event/stripe/re-l3'), 'unknown_refund 10',
          'is in suspense');

-- disputes
SELECT is(pg_temp.news('dispute', 'opened', 'dp-5', 400, 't-c5'), 'applied',
          'opened');
SELECT is(concat_ws(' / ', pg_temp.money('o5'),
                    pg_temp.booked('dispute/stripe/dp-5')),
          '0 1000 0 0 400 / dispute_opened 400', 'held back');
SELECT is(pg_temp.change('o5', 'refund', 'x', 601), 'exceeds',
          'no refund of that');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-5', 400, 't-c5',
                       p_event => 'updated'), 'unchanged', 'told anew');
SELECT is(pg_temp.news('dispute', 'won', 'dp-5', 400, 't-c5'), 'applied',
          'won');
SELECT is(concat_ws(' / ', pg_temp.money('o5'),
                    pg_temp.booked('dispute/stripe/dp-5')),
          '0 1000 0 0 0 / dispute_opened 400, dispute_won 400', 'free again');
SELECT is(pg_temp.news('dispute', 'lost', 'dp-5', 400, 't-c5'),
          'contradiction', 'then lost? people decide');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-5', 400, 't-c5',
                       p_event => 'late'), 'unchanged', 'opened is old news');
SELECT is(pg_temp.money('o5'), '0 1000 0 0 0', 'nothing moves');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-6', 1000,
                       p_reference => 'pi-c6', p_fee => 1500), 'applied',
          'all of it, by the payment''s id');
SELECT is(pg_temp.news('dispute', 'lost', 'dp-6', 1000,
                       p_reference => 'pi-c6', p_fee => 1500), 'applied',
          'lost');
SELECT is(concat_ws(' / ', pg_temp.money('o6'),
                    pg_temp.booked('dispute/stripe/dp-6')),
          '0 1000 0 0 1000 / dispute_lost 1000, dispute_opened 1000, '
          'psp_fee 1500', 'gone, and one fee');
SELECT is(pg_temp.change('o6', 'refund', 'x'), 'nothing_left', 'no refund');
SELECT is(pg_temp.kinds('m1', 'o6'),
          'created registered paid dispute_opened fee dispute_lost', 'told');
SELECT is(pg_temp.news('dispute', 'won', 'dp-6', 1000, 't-c6'),
          'contradiction', 'lost stays lost');
SELECT is(pg_temp.news('dispute', 'lost', 'dp-7', 10, 't-c7'), 'applied',
          'lost before it was heard of');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-7', 10, 't-c7'),
          'unchanged', 'then opened');
SELECT is(concat_ws(' / ', pg_temp.money('o7'),
                    pg_temp.booked('dispute/stripe/dp-7')),
          '0 1000 0 0 10 / dispute_lost 10, dispute_opened 10', 'once each');
SELECT is(pg_temp.whole('c8', 'o8', 'refund', 'r8', 1000, 'DONE'), 'SUCCESS',
          'paid back');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-8', 1000, 't-c8'),
          'applied', 'and disputed all the same');
SELECT is(pg_temp.money('o8'), '0 1000 0 1000 1000', 'twice gone');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-8b', 1, 't-c8'), 'mismatch',
          'more than there ever was');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-d2', 151, 't-d2'),
          'mismatch', 'more than both orders were');
SELECT is(pg_temp.news('dispute', 'lost', 'dp-d2', 151, 't-d2'), 'applied',
          'lost');
SELECT is(concat_ws(' / ', pg_temp.money('od2a'), pg_temp.money('od2b'),
                    pg_temp.booked('dispute/stripe/dp-d2')),
          '0 100 0 0 0 / 0 50 0 0 0 / unknown_dispute 151', 'in suspense');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-5', 5, 't-c9',
                       p_event => 'stolen'), 'mismatch',
          'a dispute of another checkout');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-9', a, 't-c9', p_currency =>
    c, p_event => w), 'mismatch', w)
FROM (VALUES ('no amount', NULL::bigint, 'USD'), ('nothing', 0, 'USD'),
    ('euros', 5, 'EUR'), ('none', 5, NULL)) t (w, a, c);
SELECT is(pg_temp.news('dispute', 'opened', NULL, 5, 't-c9',
                       p_event => 'nameless'), 'mismatch', 'no name');
SELECT is(pg_temp.money('o9'), '0 1000 0 0 0', 'nothing moves');
SELECT is(pg_temp.booked('dispute/stripe/dp-9'), NULL, 'nothing is booked');

-- fees
SELECT is(pg_temp.news('fee', 'succeeded', 'txn-1', 59, 't-c10'), 'applied',
          'charged');
SELECT is(pg_temp.news('fee', 'succeeded', 'txn-1', 59, 't-c10',
                       p_event => 'other-fee'), 'unchanged', 'once');
SELECT is(pg_temp.news('fee', 'succeeded', NULL, 7, 't-c10',
    p_event => 'evt:fee', p_currency => 'EUR'), 'applied',
    'in another currency');
SELECT is(pg_temp.news('fee', 'failed', 'txn-1', 59, 't-c10'), 'applied',
          'given back');
SELECT is(concat_ws(' / ', pg_temp.booked('event/stripe/txn-1'),
                    pg_temp.booked('event/stripe/evt:fee')),
          'psp_fee 59, psp_fee_returned 59 / psp_fee 7', 'booked');
SELECT is(pg_temp.news('fee', 'succeeded', 'txn-2', 0, 't-c10'),
          'unchanged', 'nothing');
SELECT is(pg_temp.news('fee', 'succeeded', 'txn-3', 1, 't-c10', p_currency =>
    'XXX'), 'mismatch', 'no such currency');
SELECT is(pg_temp.money('o10'), '0 1000 0 0 0', 'the order has its money');

-- before the names are known
SELECT is(pg_temp.news(a, w, 'early-' || a, n, p_reference => 'pi-early',
                       p_fee => f), 'parked', a || ' before its payment')
FROM (VALUES ('refund', 'succeeded', 10::bigint, NULL::bigint),
    ('dispute', 'opened', 20, 15), ('fee', 'succeeded', 3, NULL)) t
    (a, w, n, f);
SELECT is(pg_temp.news('refund', 'succeeded', 'early-refund', 10,
                       p_reference => 'pi-early'), 'duplicate', 'once');
SELECT is(pg_temp.inbox('evt-refund-succeeded-early-refund'),
          'parked refund.succeeded', 'it waits');
SELECT pg_temp.begin('m1', 'k-' || c, c, ARRAY['o' || c || ':1000']),
    pg_temp.token('m1', c, 't-' || c), pg_temp.fact('t-' || c, 'paid')
FROM unnest('{n1,n2}'::text[]) c
\g /dev/null
SELECT is(pg_temp.fact('t-n1', 'paid', p_reference => 'pi-early',
                       p_event_id => 'e-early'), 'unchanged',
          'the id of the payment');
SELECT is(concat_ws(' / ', pg_temp.money('on1'),
                    pg_temp.inbox('evt-refund-succeeded-early-refund'),
                    pg_temp.kinds('m1', 'on1')),
          '0 1000 0 10 20 / applied refund.succeeded n1 / '
          'created registered paid dispute_opened fee fee refunded',
          'brings them all');
SELECT pg_temp.begin('m1', 'k-p1', 'p1', '{op1:100}')
\g /dev/null
SELECT is(pg_temp.news('refund', 'succeeded', 're-p1', 30, 't-p1',
                       p_reference => 'pi-p1'), 'parked', 'a refund,');
SELECT is(pg_temp.news('refund', 'succeeded', 're-p1b', 40,
                       p_reference => 'pi-p1'), 'parked', 'another,');
SELECT is(pg_temp.fact('t-p1', 'paid', p_reference => 'pi-p1'), 'parked',
          'the payment');
SELECT is(pg_temp.token('m1', 'p1', 't-p1'), 'stored', 'and its name');
SELECT is(pg_temp.money('op1'), '0 100 0 70 0', 'are taken in their order');
SELECT is((SELECT count(*) FROM pay.webhook_inbox WHERE state = 'parked'),
          0::bigint, 'nothing is left');
SELECT pg_temp.begin('m1', 'k-p2', 'p2', '{op2:100}')
\g /dev/null
SELECT pg_temp.token('m1', 'p2', 't-p2')
\g /dev/null
SELECT is(pg_temp.news('refund', 'succeeded', 're-p2', 30,
                       p_reference => 'pi-p2'), 'parked', 'a refund');
SELECT is(pg_temp.fact('t-p2', 'paid', p_reference => 'pi-p2'), 'applied',
          'of what is just being paid');
SELECT is(pg_temp.money('op2'), '0 100 0 30 0', 'comes after it');
SELECT is(pg_temp.news('fee', 'succeeded', 'fee-p2', 5,
                       p_reference => 'pi-new'), 'parked', 'a fee');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-p2', 5, 't-p2',
                       p_reference => 'pi-new'), 'applied',
          'a dispute that names both');
SELECT is(pg_temp.booked('event/stripe/fee-p2'), 'psp_fee 5', 'finds it');
SELECT is(string_agg(e.outcome, ' '), 'parked parked', 'names of two PSPs')
FROM pay_api.apply_change('{stripe,adyen}', '{webhook,webhook}', '{n-1,n-2}',
    '{x,x}', '{refund,refund}', '{succeeded,succeeded}', '{n-a,n-b}',
    '{NULL,NULL}', '{o-1,o-2}', '{NULL,NULL}', '{1,1}', '{USD,USD}',
    '{NULL,NULL}', '{NULL,NULL}', '{NULL,NULL}',
    ARRAY[sha256('1'), sha256('2')], '{r,r}') e;
SELECT is(string_agg(concat_ws(' ', t.psp, t.token), ', ' ORDER BY t.ctid),
          'adyen n-b, stripe n-a', 'are kept in the order of their key, as '
          || 'whoever brings them does: no two batches wait for each other')
FROM pay.psp_token t WHERE t.token IN ('n-a', 'n-b');
SELECT is((t.checkout_id, t.is_reference)::text, '(p2,t)', 'by its name')
FROM pay.psp_token t WHERE t.token = 'pi-new';
SELECT is(pg_temp.news('refund', 'succeeded', 're-x', 5,
                       p_reference => 'pi-c1', p_token => 't-c2'), 'applied',
          'names of two checkouts');
SELECT is(c.checkout_id::text, 'c2', 'the registration counts')
FROM pay.change c WHERE c.reference = 're-x';

-- people: what has been parked for too long
SELECT is(pg_temp.news('refund', 'succeeded', 're-q', 5,
                       p_reference => 'pi-q'), 'parked', 'of nobody');
INSERT INTO pay.dead_letter (psp, event_id, kind, reason)
VALUES ('stripe', 'evt-refund-succeeded-re-q', 'parked', 'parked');
SELECT is(pay_ops.requeue_dead_letter(d.dead_letter_id, 'ann', 'x'),
          'nothing_to_do', 'still')
FROM pay.dead_letter d WHERE d.event_id = 'evt-refund-succeeded-re-q';
SELECT is(pg_temp.fact('t-n2', 'paid', p_reference => 'pi-q'), 'duplicate',
          'an event that was there');
SELECT is(pg_temp.fact('t-n2', 'paid', 'e-q', p_reference => 'pi-q'),
          'unchanged', 'a new one');
SELECT is(pg_temp.money('on2'), '0 1000 0 5 0', 'settles it');

-- lists of events, queries, the bad
SELECT pg_temp.everything() AS before
\gset
SELECT is(pg_temp.news('refund', 'succeeded', 're-z', 5, p_reference => 'z',
                       p_source => 'backfill'), 'unknown',
          'a list has others'' events');
SELECT is(pg_temp.inbox('evt-refund-succeeded-re-z'), NULL, 'not kept');
SELECT is(pg_temp.news('refund', 'succeeded', 're-z', 5, p_reference => 'z',
                       p_source => 'query'), 'not_found', 'nor asked for');
SELECT is(pg_temp.news('refund', 'succeeded', 're-z', 5,
                       p_event => 'nameless-2'), 'ignored', 'no name at all');
SELECT is(pg_temp.news('refund', 'succeeded', 're-z', 5, 't-c13',
                       p_source => s, p_event => ''), 'invalid', s)
FROM unnest('{webhook,backfill,hint,gateway,operator}'::text[]) s;
SELECT is(pg_temp.news(a, n, o, m, t, p_event => 'bad', p_currency => c,
                       p_fee => f), 'invalid',
          concat_ws(' ', a, n, left(o, 9), m, left(t, 9), c, f))
FROM (VALUES
    ('payment', 'succeeded', 'o', 1::bigint, 't-c13', 'USD', NULL::bigint),
    (NULL, 'succeeded', 'o', 1, 't-c13', 'USD', NULL),
    ('refund', NULL, 'o', 1, 't-c13', 'USD', NULL),
    ('refund', 'won', 'o', 1, 't-c13', 'USD', NULL),
    ('refund', 'paid', 'o', 1, 't-c13', 'USD', NULL),
    ('dispute', 'succeeded', 'o', 1, 't-c13', 'USD', NULL),
    ('dispute', 'pending', 'o', 1, 't-c13', 'USD', NULL),
    ('fee', 'pending', 'o', 1, 't-c13', 'USD', NULL),
    ('capture', 'opened', 'o', 1, 't-c13', 'USD', NULL),
    ('refund', 'succeeded', 'o', -1, 't-c13', 'USD', NULL),
    ('refund', 'succeeded', 'o', 9223372036854775807, 't-c13', 'USD', NULL),
    ('refund', 'succeeded', repeat('o', 256), 1, 't-c13', 'USD', NULL),
    ('refund', 'succeeded', 'o', 1, repeat('t', 256), 'USD', NULL),
    ('refund', 'succeeded', 'o', 1, 't-c13', repeat('U', 17), NULL),
    ('dispute', 'opened', 'o', 1, 't-c13', 'USD', -1)) t
    (a, n, o, m, t, c, f);
SELECT is(pg_temp.news('capture', n, 'cap', 5, 't-c13', p_event => n),
          'unchanged', 'captured at once, ' || n)
FROM unnest('{pending,succeeded}'::text[]) n;
SELECT is(pg_temp.everything(), :'before', 'none of it has changed anything');
SELECT is(pg_temp.news('refund', 'succeeded', 're-13', 5, 't-c13',
                       p_source => 'backfill'), 'applied', 'from a list');
SELECT is((i.via, e.detail ->> 'via', e.actor)::text,
          '(backfill,backfill,webhook)', 'which is told')
FROM pay.webhook_inbox i, pay.event e
WHERE i.event_id = 'evt-refund-succeeded-re-13'
    AND e.payment_order_id = 'o13' AND e.kind = 'refunded';
SELECT is(pg_temp.news('refund', 'succeeded', 're-14', 1500, 't-c14',
                       p_source => 'query'), 'mismatch', 'from a query')
FROM generate_series(1, 3);
SELECT is(pg_temp.doubts('c14'), 'refund exceeds re-14', 'told once');

-- a batch: all of one order, in their order
SELECT is(string_agg(a.outcome, ', ' ORDER BY a.item),
          'applied, applied, duplicate, mismatch, invalid, applied, parked',
          'a batch')
FROM pay_api.apply_change(array_fill('stripe'::text, '{7}'),
    array_fill('webhook'::text, '{7}'), '{b1,b2,b1,b4,b5,b6,b7}',
    array_fill('x'::text, '{7}'),
    '{refund,refund,refund,refund,refund,dispute,fee}',
    '{pending,succeeded,pending,succeeded,opened,opened,succeeded}',
    '{t-c15,t-c15,t-c15,t-c15,t-c15,t-c15,NULL}',
    '{NULL,NULL,NULL,NULL,NULL,NULL,nowhere}',
    '{re-b,re-b,re-b,re-c,re-d,dp-b,fee-b}',
    array_fill(NULL::text, '{7}'), '{700,700,700,301,1,300,1}',
    array_fill('USD'::text, '{7}'), array_fill(NULL::bigint, '{7}'),
    array_fill(NULL::text, '{7}'), array_fill(NULL::text, '{7}'),
    array_fill(NULL::bytea, '{7}'), array_fill('r'::text, '{7}')) a;
SELECT is(pg_temp.money('o15'), '0 1000 0 700 300', 'adds up');

-- what cannot be read goes to the queue, once
CREATE FUNCTION pg_temp.unread(p_id text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', m.kind, m.why, m.event_id, m.object,
                            m.amount_minor), ', ' ORDER BY m.mismatch_id)
FROM pay.mismatch m WHERE m.checkout_id = p_id AND m.kind = 'invalid'
$$;
SELECT is(pg_temp.unread('c15'), 'invalid form b5 re-d 1', 'a row of it');
SELECT is(pg_temp.news('refund', 'succeeded', 're-16', 1000000000000000,
                       't-c16'), 'invalid', 'an amount out of range')
FROM generate_series(1, 3);
SELECT is(pg_temp.unread('c16'), 'invalid amount evt-refund-succeeded-re-16 '
          're-16 1000000000000000', 'is told once');
SELECT is(pg_temp.money('o16'), '0 1000 0 0 0', 'and moves nothing');
SELECT is(pg_temp.news('refund', 'succeeded', 're-16', -1, 't-nobody',
                       p_event => 'nobody-1'), 'invalid', 'about nobody');
SELECT is((SELECT count(*) FROM pay.mismatch m
           WHERE m.event_id = 'nobody-1'), 0::bigint,
          'only the log can tell it');
SELECT throws_ok('SELECT * FROM pay_api.apply_change(''{a}'', ''{a}'',
    ''{a}'', ''{a}'', ''{a}'', ''{a}'', ''{a}'', ''{a}'', ''{a}'', ''{a}'',
    ''{1,2}'', ''{a}'', ''{1}'', ''{a}'', ''{a}'', ''{NULL}'', ''{a}'')',
    'PAY01', NULL, 'arrays of different lengths');
SELECT is_empty('SELECT * FROM pay_api.apply_change(''{}'', ''{}'', ''{}'',
    ''{}'', ''{}'', ''{}'', ''{}'', ''{}'', ''{}'', ''{}'', ''{}'', ''{}'',
    ''{}'', ''{}'', ''{}'', ''{}'', ''{}'')', 'no items');

-- converted: parts of what the seller is owed add up to all of it
CREATE FUNCTION pg_temp.converted(p_checkout text, p_manual boolean)
RETURNS void LANGUAGE sql AS $$
SELECT pg_temp.begin('m1', 'k-' || p_checkout, p_checkout,
    ARRAY[format('o%s:1000', p_checkout)], p_terms => jsonb_build_object(
    'capture', CASE WHEN p_manual THEN 'manual' ELSE 'automatic' END));
UPDATE pay.payment_order
SET credit_currency = 'JPY', credit_rate = 15.7, credit_minor = 157,
    credit_until = now() + interval '1 h'
WHERE checkout_id = p_checkout;
SELECT pg_temp.token('m1', p_checkout, 't-' || p_checkout);
SELECT pg_temp.fact('t-' || p_checkout, CASE WHEN p_manual
    THEN 'authorized' ELSE 'paid' END)
$$;
SELECT pg_temp.converted('x' || n, n = 3) FROM generate_series(1, 3) n
\g /dev/null
SELECT is(pg_temp.wallet('JPY'), '314 157 0', 'three sales in another money');
SELECT is(pg_temp.whole('x1', 'ox1', 'refund', 'rx' || n, 333, s), w, w)
FROM (VALUES (1, 'PENDING', 'EXECUTING'), (2, 'DONE', 'SUCCESS')) t (n, s, w);
SELECT is(pay_ops.settle_change('m1', pg_temp.uuid('rx1'), false, 'a', 'b'),
          'settled', 'the first comes to nothing');
SELECT is(pg_temp.news('dispute', 'lost', 'dp-x', 500, 't-x1'), 'applied',
          'a part is lost');
SELECT is(pg_temp.whole('x1', 'ox1', 'refund', 'rx3', NULL, 'DONE'),
          'SUCCESS', 'the rest goes back');
SELECT is(concat_ws(' / ', pg_temp.money('ox1'), pg_temp.wallet('JPY')),
          '0 1000 0 500 500 / 157 157 0', 'nothing of it is left');
SELECT is(pg_temp.whole('x3', 'ox3', k, 'kx' || n, a, 'DONE'), 'SUCCESS', k)
FROM (VALUES (1, 'capture', 333), (2, 'capture', 333),
    (3, 'final_capture', 33)) t (n, k, a);
SELECT is(pg_temp.wallet('JPY'), '267 0 0', 'as much as was captured');
SELECT is(pg_temp.change('ox2', 'refund', 'rx9' || n, 1),
          'created refund NOT_STARTED 1', 'less than one yen')
FROM generate_series(1, 4) n;
SELECT is(string_agg(concat_ws(' ', c.seller_minor,
    coalesce(pg_temp.booked('rx9' || n), '-')), ', ' ORDER BY n),
    '0 -, 0 -, 0 -, 1 refund_reserved 1 1', 'is nothing, until it is one')
FROM generate_series(1, 4) n
JOIN pay.change c ON c.change_id = pg_temp.uuid('rx9' || n);
CREATE FUNCTION pg_temp.differences(p_order text) RETURNS SETOF jsonb
LANGUAGE sql SET search_path = pay, pg_temp AS
'SELECT d.detail FROM order_differences(ARRAY[''m1''], ARRAY[p_order]) d';
SELECT is_empty($$SELECT pg_temp.differences('ox2')$$, 'the books agree');
SELECT is(pg_temp.sent('x2', 'refund', 'rx9' || n, 'DONE'), 'not_found',
          'unsent')
FROM generate_series(1, 4) n;
SELECT is(pg_temp.news('refund', 'succeeded', 're-x' || n, 1,
    p_operation => pg_temp.uuid('rx9' || n)), 'applied', 'done')
FROM generate_series(1, 4) n;
SELECT is(pg_temp.wallet('JPY'), '266 0 0', 'one yen less');
SELECT is_empty($$SELECT pg_temp.differences('ox2')$$, 'and the books agree');

-- one that had failed, and was done behind the other one: it is the last part
SELECT pg_temp.converted('x4', false)
\g /dev/null
SELECT is(pg_temp.whole('x4', 'ox4', 'refund', 'rx41', 500, 'PENDING'),
          'EXECUTING', 'a half');
SELECT is(pay_ops.settle_change('m1', pg_temp.uuid('rx41'), false, 'a', 'b'),
          'settled', 'comes to nothing');
SELECT is(pg_temp.whole('x4', 'ox4', 'refund', 'rx42', 500, 'DONE'),
          'SUCCESS', 'the other half');
SELECT is(pg_temp.news('refund', 'succeeded', 're-x41', 500,
    p_operation => pg_temp.uuid('rx41')), 'applied', 'the first was done');
SELECT is(string_agg(c.seller_minor::text, ' ' ORDER BY c.seller_minor),
    '78 79', 'halves of 157 yen')
FROM pay.change c WHERE c.checkout_id = 'x4';
SELECT is(pg_temp.wallet('JPY'), '266 0 0', 'no yen is left');
SELECT is_empty($$SELECT pg_temp.differences('ox4')$$, 'and the books agree');
SELECT throws_ok($$UPDATE pay.change SET seller_minor = 1
    WHERE checkout_id = 'x4'$$, 'PAY11', NULL, 'a share is fixed');


\i :checks
SELECT * FROM finish();
ROLLBACK;
