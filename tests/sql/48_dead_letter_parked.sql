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

-- 100 are held and 60 of them captured; a refund of 30 is under way, so that a
-- dispute of 60 is early
SELECT pg_temp.sold(c, ARRAY['o' || c || ':100'], true)
FROM unnest('{p1,p2,p3}'::text[]) c
\g /dev/null
SELECT is(pg_temp.whole(c, 'o' || c, 'capture', 'c-' || c, 60, 'DONE'),
          'SUCCESS', 'a capture of ' || c)
FROM unnest('{p1,p2,p3}'::text[]) c;
SELECT is(pg_temp.whole(c, 'o' || c, 'refund', 'r-' || c, 30, 'PENDING',
                        're-' || c), 'EXECUTING re-' || c, 'a refund')
FROM unnest('{p1,p2,p3}'::text[]) c;
SELECT is(pg_temp.news('dispute', 'opened', 'dp-p1', 60, 't-p1'), 'parked',
          'by the page');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-p2', 60,
                       p_reference => 'pi-p2'), 'parked', 'by the payment');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-p3', 60, 't-nobody-has',
                       p_reference => 'pi-p3'), 'parked',
          'by both, the page unknown');
SELECT is(pg_temp.requeue('evt-dispute-opened-dp-' || c), 'nothing_to_do',
          'it waits on: ' || c)
FROM unnest('{p1,p2,p3}'::text[]) c;
SELECT is(pg_temp.news('refund', 'failed', 're-' || c, 30, 't-' || c),
          'applied', 'the refund comes to nothing')
FROM unnest('{p1,p2,p3}'::text[]) c;
UPDATE pay.dead_letter SET state = 'resolved', closed_at = now(),
    closed_by = 'ann', closed_why = 'x' WHERE kind = 'parked';
SELECT is(pg_temp.requeue('evt-dispute-opened-dp-' || c), 'requeued',
          'it is heard now: ' || c)
FROM unnest('{p1,p2,p3}'::text[]) c;
SELECT is(concat_ws(' / ', i.state, i.checkout_id,
                    pg_temp.booked('dispute/stripe/dp-' || i.checkout_id)),
          'applied / ' || i.checkout_id || ' / dispute_opened 60', 'booked')
FROM pay.webhook_inbox i WHERE i.event_id LIKE 'evt-dispute-opened-dp-p_';

\i :checks
SELECT * FROM finish();
ROLLBACK;
