-- apply_event: sources, facts, duplicates, mismatches, order of arrival.

BEGIN;
\ir helpers.psql
SELECT no_plan();

SELECT b.outcome FROM generate_series(1, 60) n,
    pg_temp.begin('m1', 'k' || n, 'c' || n,
                  ARRAY['o' || n || ':100', 'p' || n || ':50']) b
\g /dev/null
SELECT pg_temp.token('m1', 'c' || n, 't' || n) FROM generate_series(1, 55) n
\g /dev/null

SELECT is(pg_temp.fact('t1', 'paid', p_amount => 150, p_currency => 'USD',
                       p_reference => 'pi_1'), 'applied', 'paid');
SELECT is(pg_temp.status('m1', 'o1') || pg_temp.status('m1', 'p1'),
          'SUCCESSSUCCESS', 'pays all orders');
SELECT is((c.is_payment_done, c.version)::text, '(t,3)', 'it is done')
FROM pay.checkout c WHERE c.checkout_id = 'c1';
SELECT is(r.reference, 'pi_1', 'the reference is kept')
FROM pay.registration r WHERE r.checkout_id = 'c1';
SELECT is(pg_temp.job('m1', 'c1'), NULL, 'the job is gone');
SELECT is((e.actor, e.old_status, e.new_status, e.detail, e.request_id)::text,
    '(webhook,EXECUTING,SUCCESS,"{""type"": ""psp.paid"", ""reference"": '
    '""pi_1""}",request-4)', 'the event tells it all')
FROM pay.event e WHERE e.payment_order_id = 'p1' AND e.kind = 'paid';
SELECT is((i.state, i.fact, i.merchant_id, i.checkout_id)::text,
          '(applied,paid,m1,c1)', 'the inbox, too')
FROM pay.webhook_inbox i WHERE i.token = 't1';

SELECT is(pg_temp.fact('t1', 'paid', p_amount => 150, p_currency => 'USD'),
          'duplicate', 'delivered twice: duplicate');
SELECT is((e.outcome, e.checkout_id)::text, '(duplicate,c1)',
          'with the present view')
FROM pay_api.apply_event('{stripe}', '{webhook}', '{evt-t1paid}', '{x}',
    '{paid}', '{t1}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}',
    '{r}') e;
SELECT is(pg_temp.fact('t1', 'paid', 'evt-again'), 'unchanged',
          'said twice: unchanged');
SELECT is(pg_temp.fact('t1', 'pending'), 'unchanged', 'after SUCCESS: pending');
SELECT is(pg_temp.fact('t1', 'expired', p_source => 'gateway'), 'unchanged',
          'after SUCCESS: what the gateway concludes by itself');
SELECT is(pg_temp.status('m1', 'o1'), 'SUCCESS', 'SUCCESS never goes back');
SELECT is(pg_temp.kinds('m1', 'o1'), 'created registered paid',
          'and the timeline stays');

-- the checkout's row is written once, with the payment's id in it; of several
-- words in one batch the one that has moved the order brings it
CREATE TABLE pg_temp.written (checkout_id text);
GRANT INSERT ON pg_temp.written TO PUBLIC;
CREATE FUNCTION pg_temp.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pg_temp.written VALUES (NEW.checkout_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER note AFTER UPDATE ON pay.checkout FOR EACH ROW
    EXECUTE FUNCTION pg_temp.note();
SELECT b.outcome FROM unnest('{w1,w2,w3}'::text[]) c,
    pg_temp.begin('m1', 'k-' || c, c, ARRAY['o' || c || ':100']) b
\g /dev/null
SELECT pg_temp.token('m1', c, 't' || c) FROM unnest('{w1,w2,w3}'::text[]) c
\g /dev/null
TRUNCATE pg_temp.written;
SELECT is(pg_temp.fact('tw1', 'paid', p_reference => 'pi-1'), 'applied',
          'paid');
SELECT is((SELECT count(*) FROM pg_temp.written), 1::bigint, 'one update');
SELECT is(string_agg(e.outcome, ' ' ORDER BY e.item),
          'unchanged applied contradiction applied', 'a batch')
FROM pay_api.apply_event(array_fill('stripe'::text, '{4}'),
    array_fill('webhook'::text, '{4}'), '{w2a,w2b,w2c,w3}',
    array_fill('x'::text, '{4}'), '{pending,paid,paid,paid}',
    '{tw2,tw2,tw2,tw3}', '{pi-2a,pi-2b,pi-2c,pi-3}',
    array_fill(NULL::text, '{4}'), array_fill(NULL::bigint, '{4}'),
    array_fill(NULL::text, '{4}'), array_fill(NULL::bytea, '{4}'),
    array_fill('r'::text, '{4}')) e;
SELECT is((SELECT count(*) FROM pg_temp.written), 3::bigint,
          'one for each of them');
SELECT is(string_agg(r.reference, ' ' ORDER BY r.checkout_id),
          'pi-1 pi-2b pi-3', 'of the word that counts')
FROM pay.registration r WHERE r.checkout_id IN ('w1', 'w2', 'w3');
SELECT is(pg_temp.fact('tw1', 'paid', 'w1b', p_reference => 'pi-9'),
          'contradiction', 'another payment, with an id of its own');
SELECT is(r.reference, 'pi-1', 'which stays')
FROM pay.registration r WHERE r.checkout_id = 'w1';
DROP TRIGGER note ON pay.checkout;

-- failures, and the late success
SELECT is(pg_temp.fact('t' || n, f), 'applied', f)
FROM unnest('{declined,expired,cancelled,rejected}'::text[])
    WITH ORDINALITY AS t (f, n) WHERE n > 1
UNION ALL SELECT is(pg_temp.fact('t10', 'declined'), 'applied', 'declined');
SELECT is(pg_temp.status('m1', 'o2'), 'FAILED/expired', 'has its reason');
SELECT is(pg_temp.job('m1', 'c2'), NULL, 'and no job');
SELECT is(pg_temp.fact('t2', 'declined'), 'unchanged', 'the first reason');
SELECT is(pg_temp.status('m1', 'o2'), 'FAILED/expired', 'stays');
SELECT is(pg_temp.fact('t2', 'paid'), 'applied', 'late: paid');
SELECT is(pg_temp.status('m1', 'o2'), 'SUCCESS', 'FAILED to SUCCESS');
SELECT is(c.version, 4, 'each change counts')
FROM pay.checkout c WHERE c.checkout_id = 'c2';

-- pending: once
SELECT is(pg_temp.fact('t11', 'pending', 'e-' || n), 'unchanged', 'pending')
FROM generate_series(1, 3) n;
SELECT is(pg_temp.kinds('m1', 'o11'), 'created registered pending', 'once');
SELECT is(pg_temp.fact('t11', 'pending', p_source => 'query'), 'unchanged',
          'a query, too');
SELECT is(pg_temp.kinds('m1', 'o11'), 'created registered pending', 'once');
SELECT is(pg_temp.job('m1', 'c11'), 'poll 0', 'the job goes on');

-- other sources
SELECT is(pg_temp.fact('t12', 'paid', p_source => 'query'), 'applied', 'query');
SELECT is(pg_temp.fact('t13', 'expired', p_source => 'gateway'), 'applied',
          'gateway');
SELECT is((SELECT count(*) FROM pay.webhook_inbox
           WHERE token IN ('t12', 't13')), 0::bigint,
          'neither goes into the inbox');
SELECT is(e.actor::text, 'query', 'the event names its source')
FROM pay.event e WHERE e.payment_order_id = 'o12' AND e.kind = 'paid';
SELECT is(pg_temp.fact('t-nobody', 'paid', p_source => 'query'), 'not_found',
          'a query about an unknown token');

-- nothing to do
SELECT is(pg_temp.fact('t14', 'none'), 'ignored', 'no fact');
SELECT is(pg_temp.fact('t14', 'none', p_source => 'query'), 'ignored',
          'no fact in a query');
SELECT is(pg_temp.fact('t14', 'none', 'e-none', p_amount => 1), 'ignored',
          'whatever its amount');
SELECT is(pg_temp.fact(NULL, 'paid', 'e-null'), 'ignored', 'no token');
SELECT is(pg_temp.fact('', 'paid', 'e-empty'), 'ignored', 'empty token');
SELECT is(pg_temp.fact(NULL, 'paid', 'e-null'), 'duplicate', 'kept, though');
SELECT is(pg_temp.fact('t-other', 'none'), 'ignored',
          'an unknown token without a fact is not parked');
SELECT is((SELECT count(*) FROM pay.webhook_inbox WHERE state = 'ignored'),
          5::bigint, 'ignored rows stay');

-- mismatches (T6)
SELECT is(pg_temp.fact('t15', 'paid', concat('e-15-', a, c),
                       p_amount => a, p_currency => c), 'mismatch',
          concat_ws(' ', a, c))
FROM (VALUES (149, 'USD'), (151, 'USD'), (0, 'USD'), (150, 'EUR'),
             (150, 'usd'), (NULL, 'EUR'), (15000, NULL)) t (a, c);
SELECT is(pg_temp.fact('t15', 'declined', p_amount => 1), 'mismatch',
          'whatever the fact');
SELECT is(pg_temp.status('m1', 'o15'), 'EXECUTING', 'moves nothing');
SELECT is((SELECT count(*) FROM pay.mismatch WHERE checkout_id = 'c15'),
          8::bigint, 'each is in the queue');
SELECT is((m.kind, m.source, m.event_id, m.amount_minor, m.currency,
           m.total_minor, m.own_currency)::text,
          '(currency,webhook,e-15-150EUR,150,EUR,150,USD)', 'in full')
FROM pay.mismatch m WHERE m.event_id = 'e-15-150EUR';
SELECT is((SELECT count(*) FROM pay.event
           WHERE payment_order_id = 'o15' AND kind = 'mismatch'), 8::bigint,
          'and in the timeline');
SELECT is(pg_temp.fact('t15', 'paid', p_source => 'query', p_amount => 1,
                       p_currency => 'USD'), 'mismatch', 'in a query')
FROM generate_series(1, 3);
SELECT is((SELECT count(*) FROM pay.mismatch
           WHERE checkout_id = 'c15' AND source = 'query'), 1::bigint,
          'a poll repeats itself, the queue does not');
SELECT is(pg_temp.fact('t15', 'paid', p_amount => 150, p_currency => 'USD'),
          'applied', 'the right amount pays');

-- parked
SELECT is(pg_temp.fact('t-early', 'paid'), 'parked', 'an unknown token');
SELECT is(pg_temp.fact('t-early', 'paid'), 'duplicate', 'is kept once');
SELECT is(pg_temp.fact('t1', 'paid', p_psp => 'adyen'), 'parked',
          'a known token at another PSP is unknown');
SELECT is(pg_temp.status('m1', 'o1'), 'SUCCESS', 'no crossing over');

-- asks: a webhook that is only a hint of what the PSP would say
SELECT b.outcome FROM generate_series(1, 20) n,
    pg_temp.begin('q', 'k' || n, 'c' || n,
                  ARRAY['o' || n || ':100', 'p' || n || ':50']) b
\g /dev/null
SELECT pg_temp.token('q', 'c' || n, 'q' || n, p_alias => 'qa' || n)
FROM generate_series(1, 19) n
\g /dev/null
-- run_at from now, owner, whether it must run again
CREATE FUNCTION pg_temp.poll(p_checkout text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', j.kind, j.run_at - now(), j.lease_owner,
                 j.again_at - now())
FROM pay.job j WHERE j.merchant_id = 'q' AND j.checkout_id = p_checkout
$$;
SELECT is(pg_temp.poll('c1'), 'poll 00:00:05', 'the poll is not due');
SELECT is((e.outcome, e.checkout_id, e.token)::text, '(asked,c1,q1)',
          'an ask is asked, and shows the checkout')
FROM pay_api.apply_event('{stripe}', '{webhook}', '{e-ask}', '{x.changed}',
    '{ask}', '{qa1}', '{pi_x}', '{NULL}', '{7}', '{EUR}', ARRAY[sha256('b')],
    '{r}') e;
SELECT is(pg_temp.poll('c1'), 'poll 00:00:00 00:00:00', 'it is due at once');
SELECT is(pg_temp.status('q', 'o1'), 'EXECUTING', 'and moves nothing');
SELECT is(g.version, 2::bigint, 'no reader sees anything new')
FROM pay_api.get_checkout('{q}', '{c1}') g;
SELECT is((e.actor, e.old_status, e.new_status, e.detail)::text,
    '(webhook,EXECUTING,EXECUTING,"{""type"": ""x.changed"", '
    '""reference"": ""pi_x""}")', 'the timeline tells that it came')
FROM pay.event e WHERE e.merchant_id = 'q' AND e.payment_order_id = 'p1'
    AND e.kind = 'notified';
SELECT is(r.reference, NULL, 'its reference is not believed')
FROM pay.registration r WHERE r.merchant_id = 'q' AND r.checkout_id = 'c1';
SELECT is((SELECT count(*) FROM pay.mismatch WHERE merchant_id = 'q'),
          0::bigint, 'nor is its amount');
SELECT is((i.state, i.fact, i.token, i.checkout_id)::text,
          '(asked,ask,qa1,c1)', 'the inbox has it')
FROM pay.webhook_inbox i WHERE i.event_id = 'e-ask';
UPDATE pay.job SET run_at = now() + interval '1 h', again_at = NULL
WHERE merchant_id = 'q' AND checkout_id = 'c1';
SELECT is(pg_temp.fact('qa1', 'ask', 'e-ask'), 'duplicate', 'once');
SELECT is(pg_temp.poll('c1'), 'poll 01:00:00', 'and not again');
SELECT is(pg_temp.kinds('q', 'o1'), 'created registered notified', 'told once');
UPDATE pay.job SET run_at = now() - interval '1 h'
WHERE merchant_id = 'q' AND checkout_id = 'c1';
SELECT is(pg_temp.fact('q1', 'ask', 'e-ask-2'), 'asked', 'by the token, too');
SELECT is(pg_temp.poll('c1'), 'poll -01:00:00 00:00:00',
          'a poll that is due stays so');

-- final orders
SELECT is(pg_temp.fact('q2', 'paid'), 'applied', 'paid');
SELECT is(pg_temp.fact('q2', 'ask', s.id, s.source), 'asked',
          'after SUCCESS: ' || s.source)
FROM (VALUES ('webhook', 'e-late'), ('hint', NULL)) s (source, id);
SELECT is(pg_temp.poll('c2'), NULL, 'nobody is asked');
SELECT is(pg_temp.kinds('q', 'o2'), 'created registered paid',
          'and the timeline stays');
SELECT is(pg_temp.fact('q3', 'declined'), 'applied', 'declined');
SELECT is(pg_temp.poll('c3'), NULL, 'the job is gone');
SELECT is(pg_temp.fact('qa3', 'ask'), 'asked', 'a late payment may be news');
SELECT is(pg_temp.poll('c3'), 'poll 00:00:00 00:00:00',
          'so the PSP is asked');
SELECT is(pg_temp.status('q', 'o3'), 'FAILED/declined', 'it stays failed');
SELECT is(pg_temp.fact('q3', 'paid', p_source => 'query'), 'applied',
          'until it says so');
SELECT is(pg_temp.poll('c3'), NULL, 'which settles it');

-- whoever is asking already may have been too early
UPDATE pay.job SET lease_owner = 'w', lease_until = now() + interval '30 s'
WHERE merchant_id = 'q' AND checkout_id IN ('c4', 'c5');
SELECT is(pg_temp.fact(t, 'ask'), 'asked', 'while a worker asks: ' || t)
FROM unnest('{q4,q5}'::text[]) t;
SELECT is(pg_temp.poll('c4'), 'poll 00:00:00 w 00:00:00',
          'the worker keeps its lease');
SELECT is(f.outcome, 'done', 'it puts the job off')
FROM pay_api.finish_job('{q}', '{c4}', '{poll}', '{""}', '{w}', '{300000}',
                        '{open}', '{NULL}') f;
SELECT is(pg_temp.poll('c4'), 'poll 00:00:00 00:00:00', 'but not for long');
SELECT is(pg_temp.fact('q5', 'declined', p_source => 'query'), 'applied',
          'what it heard was declined');
SELECT is(pg_temp.poll('c5'), 'poll 00:00:00 w 00:00:00',
          'the ask outlives that');
SELECT is(pg_temp.fact('q6', 'ask'), 'asked', 'asked, no worker yet');
SELECT is(pg_temp.fact('q6', 'expired', p_source => 'query'), 'applied',
          'an answer to an older question');
SELECT is(pg_temp.poll('c6'), 'poll 00:00:00 00:00:00', 'does not end it');
SELECT is(pg_temp.fact('q6', 'paid', p_source => 'query'), 'applied', 'paid');
SELECT is(pg_temp.poll('c6'), NULL, 'does');

-- hints, that nobody vouches for
SELECT is((e.outcome, e.checkout_id)::text, '(asked,c7)', 'a hint is asked')
FROM pay_api.apply_event('{stripe}', '{hint}', '{NULL}', '{x}', '{ask}',
    '{qa7}', '{pi_h}', '{NULL}', '{1}', '{EUR}', '{NULL}', '{r}') e;
SELECT is(pg_temp.poll('c7'), 'poll 00:00:00 00:00:00', 'at once');
SELECT is((SELECT count(*) FROM pay.webhook_inbox WHERE token = 'qa7'),
          0::bigint, 'and is not kept');
SELECT is(pg_temp.kinds('q', 'o7'), 'created registered', 'nor told');
SELECT is(r.reference, NULL, 'nor believed')
FROM pay.registration r WHERE r.merchant_id = 'q' AND r.checkout_id = 'c7';
UPDATE pay.job SET run_at = now() + interval '1 h', again_at = NULL
WHERE merchant_id = 'q' AND checkout_id = 'c7';
SELECT is(pg_temp.fact('q7', 'ask', p_source => 'hint'), 'asked', 'again')
FROM generate_series(1, 3);
SELECT is(pg_temp.poll('c7'), 'poll 00:00:05 00:00:05', 'waits for 5 s');
UPDATE pay.job SET run_at = now() + interval '1 h', again_at = NULL
WHERE merchant_id = 'q' AND checkout_id = 'c7';
SELECT is(pg_temp.fact('q7', 'ask', p_source => 'hint'), 'asked', 'again');
SELECT is(pg_temp.poll('c7'), 'poll 00:00:05 00:00:05',
          'for the moment that was set, not for ever');
SELECT is(pg_temp.fact('q7', 'ask', 'e-sure'), 'asked', 'a webhook');
SELECT is(pg_temp.poll('c7'), 'poll 00:00:00 00:00:00', 'does not wait');
UPDATE pay.registration SET hinted_at = now() - interval '4 s'
WHERE merchant_id = 'q' AND checkout_id IN ('c8', 'c9');
SELECT is(pg_temp.fact('q8', 'declined'), 'applied', 'declined');
SELECT is(pg_temp.fact('q8', 'ask', p_source => 'hint'), 'asked', 'a hint');
SELECT is(pg_temp.poll('c8'), 'poll 00:00:01 00:00:01',
          'after a failure is kept to the same pace');
SELECT is(pg_temp.fact(t, 'ask', p_source => 'hint'), 'ignored',
          'a hint about nobody')
FROM unnest(ARRAY['t-nobody', '', NULL]) t;
SELECT is(pg_temp.fact('q9', 'ask', p_source => 'hint', p_psp => 'adyen'),
          'ignored', 'or at another PSP');
SELECT is((SELECT count(*) FROM pay.psp_token WHERE token = 't-nobody'),
          0::bigint, 'leaves no trace');
SELECT is(pg_temp.fact('t-nobody', 'ask'), 'parked', 'a webhook is parked');
SELECT is(pg_temp.fact(NULL, 'ask', 'e-no-token'), 'ignored',
          'unless it names nothing');
SELECT is(pg_temp.fact('q9', f, e, s), 'invalid', concat_ws(' ', s, f, e))
FROM (VALUES ('ask', NULL, 'query'), ('ask', NULL, 'gateway'),
    ('ask', '', 'webhook'), ('ask', 'e-hint', 'hint'), ('paid', NULL, 'hint'),
    ('none', NULL, 'hint'), ('declined', NULL, 'hint'),
    ('notified', 'e-n', 'webhook'), ('Ask', 'e-A', 'webhook')) t (f, e, s);
SELECT is(pg_temp.poll('c9'), 'poll 00:00:05', 'moved nothing');

-- one batch: asks among facts, in the order of items
SELECT is(string_agg(e.item || ' ' || e.outcome, ', ' ORDER BY e.item),
    '1 asked, 2 applied, 3 asked, 4 asked, 5 duplicate, 6 asked, 7 parked, '
    '8 applied, 9 asked', 'asks in a batch')
FROM pay_api.apply_event(
    array_fill('stripe'::text, '{9}'),
    '{webhook,webhook,webhook,hint,webhook,hint,webhook,webhook,webhook}',
    '{h1,h2,h3,NULL,h1,NULL,h4,h5,h6}', array_fill('x'::text, '{9}'),
    '{ask,paid,ask,ask,ask,ask,ask,declined,ask}',
    '{q10,q10,q10,q10,q10,q11,t-z,q12,q12}',
    array_fill(NULL::text, '{9}'), array_fill(NULL::text, '{9}'),
    array_fill(NULL::bigint, '{9}'), array_fill(NULL::text, '{9}'),
    array_fill(NULL::bytea, '{9}'), array_fill('r'::text, '{9}')) e
WHERE coalesce(e.place, 1) = 1;
SELECT is(pg_temp.kinds('q', 'o10'), 'created registered notified paid',
          'told while it was open');
SELECT is(pg_temp.poll(c), p, c || ' afterwards')
FROM (VALUES ('c10', NULL), ('c11', 'poll 00:00:00 00:00:00'),
    ('c12', 'poll 00:00:00 00:00:00')) t (c, p);

-- back-fill: a webhook that comes by way of the PSP's list
SELECT b.outcome FROM generate_series(1, 9) n,
    pg_temp.begin('bf', 'k' || n, 'c' || n, ARRAY['o' || n || ':100']) b
\g /dev/null
SELECT pg_temp.token('bf', 'c' || n, 'bf' || n) FROM generate_series(1, 8) n
\g /dev/null
SELECT is(pg_temp.fact('bf1', 'paid', 'l1', 'backfill', p_reference => 'pi_l'),
          'applied', 'a missed event is applied');
SELECT is(pg_temp.status('bf', 'o1'), 'SUCCESS', 'as if it had come');
SELECT is((i.state, i.via, i.fact, i.checkout_id, i.digest IS NULL)::text,
          '(applied,backfill,paid,c1,f)', 'the inbox knows how it came')
FROM pay.webhook_inbox i WHERE i.event_id = 'l1';
SELECT is((e.actor, e.detail)::text, '(webhook,"{""via"": ""backfill"", '
    '""type"": ""psp.paid"", ""reference"": ""pi_l""}")', 'the timeline, too')
FROM pay.event e WHERE e.merchant_id = 'bf' AND e.kind = 'paid';
SELECT is(pg_temp.fact('bf1', 'paid', 'l1', s), 'duplicate', 'then by ' || s)
FROM unnest('{webhook,backfill}'::text[]) s;
SELECT is(pg_temp.fact('bf2', 'paid', 'l2'), 'applied', 'a webhook');
SELECT is(pg_temp.fact('bf2', 'paid', 'l2', 'backfill'), 'duplicate',
          'is not missed');
SELECT is(i.via, 'webhook', 'and stays one')
FROM pay.webhook_inbox i WHERE i.event_id = 'l2';
SELECT is(pg_temp.fact(t, f, 'l-un' || f, 'backfill'), 'unknown',
          concat_ws(' ', 'nobody''s:', t, f))
FROM (VALUES ('t-unknown', 'paid'), ('t-unknown', 'none'), ('', 'declined'),
    (NULL, 'none'), ('t-early', 'pending'), ('t-unknown', 'ask')) v (t, f);
SELECT is(pg_temp.fact('t-unknown', 'paid', 'l-far', 'backfill',
                       p_amount => 7, p_currency => 'EUR'), 'unknown',
          'whatever its amount');
SELECT is(pg_temp.fact('bf3', 'paid', 'l3', 'backfill', p_psp => 'adyen'),
          'unknown', 'or at another PSP');
SELECT is((SELECT count(*) FROM pay.webhook_inbox
           WHERE event_id LIKE 'l-%' OR event_id = 'l3'), 0::bigint,
          'is not kept');
SELECT is((SELECT count(*) FROM pay.psp_token WHERE token = 't-unknown'),
          0::bigint, 'leaves no trace');
SELECT is(pg_temp.fact('t-unknown', 'paid', 'l-unpaid'), 'parked',
          'the webhook itself is parked');
SELECT is(pg_temp.fact('t-unknown', 'paid', 'l-unpaid', 'backfill'),
          'unknown', 'listing it again changes nothing');
SELECT is((i.state, i.via)::text, '(parked,webhook)', 'it is still parked')
FROM pay.webhook_inbox i WHERE i.event_id = 'l-unpaid';
SELECT is(pg_temp.fact('bf3', f, 'l3' || f, 'backfill', p_amount => a), w,
          'listed: ' || f)
FROM (VALUES ('none', NULL, 'ignored'), ('pending', NULL, 'unchanged'),
    ('ask', NULL, 'asked'), ('paid', 7, 'mismatch'),
    ('declined', NULL, 'applied')) v (f, a, w);
SELECT is(pg_temp.kinds('bf', 'o3'), 'created registered pending notified '
    'mismatch declined', 'each as its webhook');
SELECT is(string_agg(DISTINCT i.via, ' '), 'backfill', 'each told apart')
FROM pay.webhook_inbox i WHERE i.token = 'bf3';
SELECT is(m.source, 'webhook', 'its mismatch is a webhook''s')
FROM pay.mismatch m WHERE m.merchant_id = 'bf' AND m.checkout_id = 'c3';
SELECT is(pg_temp.fact('bf4', 'paid', e, 'backfill'), 'invalid', 'no event id')
FROM unnest(ARRAY['', NULL, repeat('e', 256)]) e;
SELECT is(pg_temp.fact('bf4', 'refunded', 'l4', 'backfill'), 'invalid',
          'no such fact');
SELECT is(pg_temp.fact('bf4', 'paid', 'l4', 'Backfill'), 'invalid',
          'no such source');
SELECT is(string_agg(e.item || ' ' || e.outcome, ', ' ORDER BY e.item),
    '1 unknown, 2 parked, 3 unknown, 4 duplicate, 5 applied, 6 duplicate, '
    '7 unchanged, 8 duplicate, 9 contradiction', 'both ways in one batch')
FROM pay_api.apply_event(array_fill('stripe'::text, '{9}'),
    '{backfill,webhook,backfill,webhook,backfill,webhook,webhook,backfill,backfill}',
    '{v1,v1,v2,v1,v3,v3,v4,v4,v5}', array_fill('x'::text, '{9}'),
    '{paid,paid,paid,paid,paid,paid,paid,paid,declined}',
    '{t-v,t-v,t-v,t-v,bf5,bf5,bf5,bf5,bf5}',
    array_fill(NULL::text, '{9}'), array_fill(NULL::text, '{9}'),
    array_fill(NULL::bigint, '{9}'), array_fill(NULL::text, '{9}'),
    array_fill(NULL::bytea, '{9}'), array_fill('r'::text, '{9}')) e;
SELECT is(string_agg(concat_ws(' ', i.event_id, i.via, i.state), ', '
                     ORDER BY i.event_id),
    'v1 webhook parked, v3 backfill applied, v4 webhook unchanged, '
    'v5 backfill contradiction', 'kept as they came first')
FROM pay.webhook_inbox i WHERE i.event_id IN ('v1', 'v2', 'v3', 'v4', 'v5');
SELECT is(pg_temp.token('bf', 'c9', 't-v'), 'stored', 'the token comes');
SELECT is(pg_temp.status('bf', 'o9'), 'SUCCESS', 'what was parked pays');
SELECT is(pg_temp.fact('t-v', 'paid', 'v2', 'backfill'), 'unchanged',
          'the next look at the list finds it');

-- bad items
SELECT is(pg_temp.fact('t20', f), 'invalid', 'fact ' || coalesce(f, 'NULL'))
FROM unnest(ARRAY[NULL, '', 'PAID', 'refunded']) f;
SELECT is(pg_temp.fact('t20', 'paid', 'e20', s), 'invalid',
          'source ' || coalesce(s, 'NULL'))
FROM unnest(ARRAY[NULL, '', 'merchant']) s;
SELECT is(pg_temp.fact('t20', 'paid', e), 'invalid', 'event id')
FROM unnest(ARRAY['', repeat('e', 256)]) e;
SELECT is(pg_temp.fact('t20', 'paid', p_psp => p), 'invalid', 'psp')
FROM unnest(ARRAY[NULL, '']) p;
SELECT is(pg_temp.fact(repeat('t', 256), 'paid', 'e20'), 'invalid', 'token');
SELECT is(pg_temp.fact('t20', 'paid', p_amount => -1), 'invalid', 'amount');
SELECT is(pg_temp.fact('t20', 'paid', p_reference => repeat('r', 256)),
          'invalid', 'reference');
SELECT is(pg_temp.status('m1', 'o20'), 'EXECUTING', 'moved nothing');
SELECT is((SELECT count(*) FROM pay.webhook_inbox WHERE token = 't20'),
          0::bigint, 'kept nothing');

-- all orders of four facts end alike (T4): money wins, else the first failure
SELECT string_agg(pg_temp.fact('t' || 20 + p.n, f, 'p' || p.n || f), ' '
                  ORDER BY i)
FROM (SELECT row_number() OVER () AS n, ARRAY[a, b, c, d] AS facts
      FROM unnest('{pending,declined,expired,paid}'::text[]) a,
          unnest('{pending,declined,expired,paid}'::text[]) b,
          unnest('{pending,declined,expired,paid}'::text[]) c,
          unnest('{pending,declined,expired,paid}'::text[]) d
      WHERE a NOT IN (b, c, d) AND b NOT IN (c, d) AND c <> d) p,
    unnest(p.facts) WITH ORDINALITY AS f (f, i)
GROUP BY p.n
\g /dev/null
SELECT is(count(*), 24::bigint, 'all 24 permutations end in SUCCESS')
FROM generate_series(21, 44) n
WHERE pg_temp.status('m1', 'o' || n) = 'SUCCESS';

-- one batch, same event, same checkout, mixed sources
SELECT is(string_agg(e.item || ' ' || e.outcome, ', ' ORDER BY e.item),
    '1 applied, 2 duplicate, 3 applied, 4 contradiction, 5 parked, 6 parked, '
    '7 invalid, 8 ignored, 9 mismatch, 10 not_found, 11 unchanged',
    'twins in one batch: in the order of items')
FROM pay_api.apply_event(
    '{stripe,stripe,stripe,stripe,stripe,stripe,stripe,stripe,stripe,stripe,stripe}',
    '{webhook,webhook,webhook,query,webhook,webhook,webhook,webhook,webhook,query,gateway}',
    '{b1,b1,b2,NULL,b3,b4,NULL,b5,b6,NULL,NULL}',
    '{x,x,x,x,x,x,x,x,x,x,x}',
    '{declined,declined,paid,paid,paid,paid,paid,none,paid,paid,expired}',
    '{t45,t45,t45,t45,t-x,t-x,t46,t46,t46,t-y,t45}',
    '{NULL,NULL,pi_2,pi_3,NULL,NULL,NULL,NULL,NULL,NULL,NULL}',
    '{NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL}',
    '{NULL,NULL,150,NULL,NULL,NULL,NULL,NULL,7,NULL,NULL}',
    '{NULL,NULL,USD,NULL,NULL,NULL,NULL,NULL,USD,NULL,NULL}',
    '{NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL}',
    '{r,r,r,r,r,r,r,r,r,r,r}') e
WHERE coalesce(e.place, 1) = 1;
SELECT is(pg_temp.kinds('m1', 'o45'),
          'created registered declined paid contradiction',
          'both moves are told');
SELECT is(r.reference, 'pi_2', 'the reference is that of the payment')
FROM pay.registration r WHERE r.checkout_id = 'c45';

\i :checks
SELECT finish();
ROLLBACK;
