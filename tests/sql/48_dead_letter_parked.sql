-- requeue_dead_letter() of what waits for the money that it takes back: it is
-- heard when it is early no more, by whichever name it came.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.requeue(p_event text) RETURNS text LANGUAGE sql AS $$
INSERT INTO pay.dead_letter (psp, event_id, kind, reason)
VALUES ('stripe', p_event, 'parked', 'parked');
SELECT pay_ops.requeue_dead_letter(max(d.dead_letter_id), 'ann', 'x')
FROM pay.dead_letter d WHERE d.event_id = p_event
$$;

-- 100 are held and 60 of them captured, so that a dispute of 80 is early
SELECT pg_temp.sold(c, ARRAY['o' || c || ':100'], true)
FROM unnest('{p1,p2,p3}'::text[]) c
\g /dev/null
SELECT is(pg_temp.whole(c, 'o' || c, 'capture', 'c-' || c, 60, 'DONE'),
          'SUCCESS', 'a capture of ' || c)
FROM unnest('{p1,p2,p3}'::text[]) c;
SELECT is(pg_temp.news('dispute', 'opened', 'dp-p1', 80, 't-p1'), 'parked',
          'by the page');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-p2', 80,
                       p_reference => 'pi-p2'), 'parked', 'by the payment');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-p3', 80, 't-nobody-has',
                       p_reference => 'pi-p3'), 'parked',
          'by both, the page unknown');
SELECT is(pg_temp.requeue('evt-dispute-opened-dp-' || c), 'nothing_to_do',
          'it waits on: ' || c)
FROM unnest('{p1,p2,p3}'::text[]) c;
-- the capture would take the dispute with it: it must not find it
UPDATE pay.webhook_inbox SET state = 'ignored'
WHERE event_id LIKE 'evt-dispute-opened-dp-p_';
SELECT is(pg_temp.whole(c, 'o' || c, 'capture', 'd-' || c, 40, 'DONE'),
          'SUCCESS', 'the rest of ' || c)
FROM unnest('{p1,p2,p3}'::text[]) c;
UPDATE pay.webhook_inbox SET state = 'parked'
WHERE event_id LIKE 'evt-dispute-opened-dp-p_';
UPDATE pay.dead_letter SET state = 'resolved', closed_at = now(),
    closed_by = 'ann', closed_why = 'x' WHERE kind = 'parked';
SELECT is(pg_temp.requeue('evt-dispute-opened-dp-' || c), 'requeued',
          'it is heard now: ' || c)
FROM unnest('{p1,p2,p3}'::text[]) c;
SELECT is(concat_ws(' / ', i.state, i.checkout_id,
                    pg_temp.booked('dispute/stripe/dp-' || i.checkout_id)),
          'applied / ' || i.checkout_id || ' / dispute_opened 80', 'booked')
FROM pay.webhook_inbox i WHERE i.event_id LIKE 'evt-dispute-opened-dp-p_';

-- a refund that fails, or comes back, and a dispute that is won leave room: a
-- refund that waited for it is taken then, and not before
SELECT pg_temp.sold(c, ARRAY['o' || c || ':100'], true)
FROM unnest('{w1,w2,w3,w4}'::text[]) c
\g /dev/null
SELECT is(pg_temp.whole(c, 'o' || c, 'capture', 'c-' || c, 60, 'DONE'),
          'SUCCESS', 'a capture of ' || c)
FROM unnest('{w1,w2,w3,w4}'::text[]) c;
SELECT is(pg_temp.whole(c, 'o' || c, 'refund', 'r-' || c, 30, s, 're-' || c),
          h || ' re-' || c, 'a refund of ' || c)
FROM (VALUES ('w1', 'PENDING', 'EXECUTING'), ('w2', 'DONE', 'SUCCESS'),
    ('w4', 'PENDING', 'EXECUTING')) t (c, s, h);
SELECT is(pg_temp.news('dispute', 'opened', 'dp-w3', 30, 't-w3'), 'applied',
          'a dispute');
SELECT is(pg_temp.news('refund', 'succeeded', 'rx-' || c, 50, 't-' || c,
                       p_operation => '-'), 'parked', 'no room for 50: ' || c)
FROM unnest('{w1,w2,w3,w4}'::text[]) c;
SELECT is(pg_temp.news('refund', 'failed', 're-' || c, 30, 't-' || c),
          'applied', 'the refund comes to nothing: ' || c)
FROM unnest('{w1,w2}'::text[]) c;
SELECT is(pg_temp.news('dispute', 'won', 'dp-w3', 30, 't-w3'), 'applied',
          'the dispute is won');
SELECT is(pay_ops.settle_change('m1', pg_temp.uuid('r-w4'), false, 'ann',
                                'b'), 'settled', 'an operator says so');
SELECT is(concat_ws(' / ', i.state, pg_temp.money('o' || i.checkout_id),
                    pg_temp.doubts(i.checkout_id)),
          'applied / 40 60 0 50 0', 'taken: ' || i.checkout_id)
FROM pay.webhook_inbox i WHERE i.event_id LIKE 'evt-refund-succeeded-rx-w_';

-- docs/ledger.md#several-orders: refunds leave no less room for a dispute
SELECT pg_temp.sold('w5', '{ow5:100}', true)
\g /dev/null
SELECT is(pg_temp.whole('w5', 'ow5', 'capture', 'c-w5', 60, 'DONE'),
          'SUCCESS', 'a capture');
SELECT is(pg_temp.whole('w5', 'ow5', 'refund', 'r-w5', 60, 'DONE', 're-w5'),
          'SUCCESS re-w5', 'all of it is paid back');
SELECT is(pg_temp.news('dispute', 'lost', 'dp-w5', 60, 't-w5'), 'applied',
          'and disputed all the same');
SELECT is(concat_ws(' / ', pg_temp.money('ow5'),
                    pg_temp.booked('dispute/stripe/dp-w5')),
          '40 60 0 60 60 / dispute_lost 60, dispute_opened 60', 'twice gone');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-w5b', 1, 't-w5'), 'parked',
          'more than was captured waits');

\i :checks
SELECT * FROM finish();
ROLLBACK;
