-- The log of messages: what commits leave becomes messages in order, once each,
-- whoever publishes; deliveries to endpoints, their retries and their ends.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
\ir payout.psql
-- one test in a line, also where a statement has several
\pset fieldsep '\n'
SELECT no_plan();

CREATE FUNCTION pg_temp.publish(p_most int DEFAULT 1000) RETURNS text
LANGUAGE sql AS $$
SELECT p.outcome FROM pay_api.publish_events('{w1}', ARRAY[p_most]) p
$$;

-- a lock is a write, and workers ask four times a second
SELECT is(pg_temp.publish(), 'not_due', 'nothing is to be published');
SELECT isnt((SELECT p.xmax::text FROM pay.message_place p),
            pg_current_xact_id()::xid::text,
            'who finds nothing locks nothing');

CREATE FUNCTION pg_temp.told(p_merchant text DEFAULT 'm1') RETURNS text
LANGUAGE sql AS $$
SELECT string_agg(m.type || ' ' || m.subject || ' ' || m.sequence, ', '
                  ORDER BY m.position)
FROM pay.message m WHERE m.merchant_id = p_merchant
$$;
CREATE FUNCTION pg_temp.events(
    p_after text DEFAULT NULL, p_limit int DEFAULT 100,
    p_id text DEFAULT NULL, p_type text DEFAULT NULL,
    p_merchant text DEFAULT 'm1')
RETURNS TABLE (outcome text, page json) LANGUAGE sql AS $$
SELECT l.outcome, l.page::json FROM pay_api.list_messages(ARRAY[p_merchant],
    ARRAY[p_id], ARRAY[p_after], ARRAY[p_type], ARRAY[p_limit]) l
$$;
CREATE FUNCTION pg_temp.endpoint(
    p_id text, p_types text DEFAULT '[]', p_ordered int DEFAULT 0,
    p_merchant text DEFAULT 'm1')
RETURNS text LANGUAGE sql AS $$
SELECT s.outcome FROM pay_api.store_endpoint(ARRAY[p_merchant], ARRAY[p_id],
    ARRAY['https://shop.example/hook'], ARRAY[p_types]::jsonb[], '{v1}',
    ARRAY[p_ordered], ARRAY['opaque'::bytea], '{k1}', '{sue}') s
$$;
CREATE FUNCTION pg_temp.act(
    p_id text, p_act text, p_overlap int DEFAULT 0,
    p_merchant text DEFAULT 'm1')
RETURNS TABLE (outcome text, page json) LANGUAGE sql AS $$
SELECT c.outcome, c.page::json FROM pay_api.change_endpoint(
    ARRAY[p_merchant], ARRAY[p_id], ARRAY[p_act], ARRAY['other'::bytea],
    '{k2}', ARRAY[p_overlap], '{sue}') c
$$;
-- as many slots
CREATE FUNCTION pg_temp.claim(p_slots int DEFAULT 10)
RETURNS TABLE (outcome text, endpoint_id text, "position" bigint,
    number bigint, message_id text, body text, number1 bigint,
    number2 bigint, number3 bigint)
LANGUAGE sql AS $$
SELECT d.outcome, d.endpoint_id, d.position, d.number, d.message_id, d.body,
    d.number1, d.number2, d.number3
FROM pay_api.begin_delivery(array_fill('w1'::text, ARRAY[p_slots]),
    array_fill(30000::bigint, ARRAY[p_slots])) d
ORDER BY d.item
$$;
CREATE FUNCTION pg_temp.ended(
    p_id text, p_position bigint, p_number bigint,
    p_outcome text DEFAULT 'delivered', p_status int DEFAULT 200,
    p_retry int DEFAULT 0, p_merchant text DEFAULT 'm1')
RETURNS text LANGUAGE sql AS $$
SELECT e.outcome FROM pay_api.end_delivery(ARRAY[p_merchant], ARRAY[p_id],
    ARRAY[p_position], ARRAY[p_number], ARRAY[p_outcome], ARRAY[p_status],
    ARRAY[CASE WHEN p_outcome <> 'delivered' THEN 'status' END],
    ARRAY[CASE WHEN p_outcome <> 'delivered' THEN 'no' END], '{12}',
    ARRAY[p_retry]) e
$$;
-- now() stands still in a transaction: time goes by for rows instead
CREATE FUNCTION pg_temp.pass(p_time interval) RETURNS void
LANGUAGE sql AS $$
UPDATE pay.webhook_endpoint SET look_at = look_at - p_time,
    paused_until = paused_until - p_time,
    failing_since = failing_since - p_time;
UPDATE pay.webhook_delivery SET run_at = run_at - p_time
$$;

SELECT is(pg_temp.publish(), 'not_due', 'nothing was left');
SELECT is(pg_temp.publish(0), 'invalid', 'no rows');

SELECT pg_temp.sold('c1', ARRAY['o1:1000:s1', 'o2:500:s2'])
\g /dev/null
SELECT is((SELECT count(*) FROM pay.outbox), 2::bigint, 'two orders are paid');
SELECT is(pg_temp.publish(), 'again', 'they are published');
SELECT is(pg_temp.publish(), 'not_due', 'once');
SELECT is(pg_temp.told(), 'checkout.completed checkout/c1 1, '
    'payment.succeeded payment/o1 1, payment.succeeded payment/o2 1',
    'with the completion of their checkout');
SELECT is((SELECT count(*) FROM pay.outbox), 0::bigint, 'the outbox is empty');

SELECT is(m.body::jsonb - 'time', jsonb_build_object(
    'specversion', '1.0', 'id', m.message_id, 'source', '/merchants/m1',
    'type', 'payment.succeeded', 'subject', 'payment/o1',
    'sequence', '0000000001', 'datacontenttype', 'application/json',
    'dataschema', 'urn:x-ngx-payments:payment.succeeded:1',
    'data', jsonb_build_object('payment', jsonb_build_object(
        'payment_order_id', 'o1', 'checkout_id', 'c1',
        'seller_account', 's1', 'amount', '10.00', 'currency', 'USD',
        'status', 'SUCCESS', 'psp', 'stripe', 'version', 3))),
    'a CloudEvent')
FROM pay.message m WHERE m.subject = 'payment/o1';
SELECT is((SELECT e.at FROM pay.event e
           WHERE e.payment_order_id = 'o1' AND e.seq = 3),
    (SELECT m.at FROM pay.message m WHERE m.subject = 'payment/o1'),
    'of the time of its event');
SELECT throws_ok('UPDATE pay.message SET type = ''x''', 'PAY20', NULL,
    'a message never changes');

-- the order of a subject is that of its events, whatever the table's is
INSERT INTO pay.outbox (merchant_id, payment_order_id, seq, at, kind)
VALUES ('m1', 'o1', 9, now(), 'refund.succeeded'),
    ('m1', 'o1', 8, now() + interval '1 h', 'refund.failed'),
    ('m1', 'o2', 7, now(), 'refund.failed');
SELECT is(pg_temp.publish(1), 'again', 'one row is looked at');
SELECT is((SELECT string_agg(m.type || ' ' || m.sequence, ', '
                             ORDER BY m.position)
           FROM pay.message m WHERE m.subject = 'payment/o1'),
    'payment.succeeded 1, refund.failed 2, refund.succeeded 3',
    'the row before it goes first, though its clock was ahead');
SELECT is((SELECT count(*) FROM pay.outbox), 1::bigint,
    'the other order waits');
SELECT pg_temp.publish()
\g /dev/null

-- the list
SELECT is(e.outcome, 'found', 'the log of a merchant'),
    is(json_array_length(e.page -> 'events'), 6, 'all of it'),
    is(e.page ->> 'next', NULL, 'that is all')
FROM pg_temp.events() e;
SELECT e.page ->> 'next' AS next FROM pg_temp.events(p_limit => 2) e \gset
SELECT is(json_array_length(e.page -> 'events'), 4, 'those behind two')
FROM pg_temp.events(:'next') e;
SELECT is(e.outcome, 'not_found', 'another merchant knows none of them')
FROM pg_temp.events(:'next', p_merchant => 'm2') e;
SELECT is(e.outcome, 'not_found', 'nor one of them')
FROM pg_temp.events(p_id => :'next', p_merchant => 'm2') e;
SELECT is(e.page ->> 'id', :'next'::text, 'one of them')
FROM pg_temp.events(p_id => :'next') e;
SELECT is(json_array_length(e.page -> 'events'), 2, 'of a type')
FROM pg_temp.events(p_type => 'refund.failed') e;
SELECT is(e.outcome, 'invalid', 'too many')
FROM pg_temp.events(p_limit => 1001) e;

-- endpoints
SELECT is(pg_temp.endpoint('all'), 'stored', 'an endpoint'),
    is(pg_temp.endpoint('some', '["refund.*", "payment.failed"]'), 'stored',
       'with types'),
    is(pg_temp.endpoint('bad', '["refund"]'), 'invalid', 'no type'),
    is(pg_temp.endpoint('bad', '{}'), 'invalid', 'no list'),
    is(pg_temp.endpoint('other', p_merchant => 'm2'), 'stored',
       'of another merchant');
SELECT is((SELECT count(*) FROM pg_temp.claim() c WHERE c.outcome = 'due'),
    0::bigint, 'nothing is delivered that was before');
SELECT pg_temp.sold('c2', ARRAY['o3:1000:s1'])
\g /dev/null
INSERT INTO pay.outbox VALUES ('m1', 'o3', 9, now(), 'refund.failed');
SELECT pg_temp.publish()
\g /dev/null
SELECT pg_temp.pass('1 s')
\g /dev/null
SELECT string_agg(c.endpoint_id || ' ' || (c.body::json ->> 'type'), ', '
        ORDER BY c.endpoint_id, c.position) AS claimed,
    min(c.position) AS first, max(c.position) AS last
FROM pg_temp.claim() c WHERE c.outcome = 'due' \gset
SELECT is(:'claimed'::text, 'all checkout.completed, all payment.succeeded, '
    'all refund.failed, some refund.failed', 'who wants what');
SELECT is((SELECT count(*) FROM pg_temp.claim() c WHERE c.outcome = 'due'),
    0::bigint, 'once');
SELECT is(pg_temp.ended('all', :first, 2), 'gone', 'another attempt'),
    is(pg_temp.ended('all', :first, 1), 'stored', 'delivered'),
    is(pg_temp.ended('all', :first, 1), 'gone', 'once'),
    is(pg_temp.ended('some', :last, 1, 'failed', 500), 'stored', 'failed'),
    is(pg_temp.ended('some', :last, 1, 'lost'), 'invalid', 'no outcome');
SELECT is(d.run_at - now() BETWEEN '4 s' AND '6 s', true,
    'again in five seconds')
FROM pay.webhook_delivery d WHERE d.endpoint_id = 'some';

-- a lease that is over: the delivery goes to the next worker
SELECT pg_temp.pass('40 s')
\g /dev/null
SELECT is((SELECT string_agg(c.endpoint_id || ' ' || c.number, ', '
                             ORDER BY c.endpoint_id, c.position)
           FROM pg_temp.claim() c WHERE c.outcome = 'due'),
    'all 2, all 2, some 2', 'two leases and a repetition');

-- Retry-After, the end of the schedule, and 410
SELECT is(pg_temp.ended('some', :last, 2, 'failed', 503, 3600), 'stored',
    'later');
SELECT is(d.run_at, now() + interval '1 h', 'not before it has said')
FROM pay.webhook_delivery d WHERE d.endpoint_id = 'some';
UPDATE pay.webhook_delivery SET attempts = 9, run_at = now()
WHERE endpoint_id = 'some';
UPDATE pay.webhook_endpoint SET look_at = now();
SELECT is((SELECT c.number FROM pg_temp.claim() c WHERE c.outcome = 'due'),
    10::bigint, 'the tenth attempt');
SELECT is(pg_temp.ended('some', :last, 10, 'failed', 500), 'stored', 'fails');
SELECT is(d.state, 'failed', 'it is given up')
FROM pay.webhook_delivery d WHERE d.endpoint_id = 'some';
-- the time is that of the failure, behind that of the message
SELECT is(r.outcome, 'stored', 'all that failed'),
    is(r.page::json ->> 'deliveries', '1', 'again')
FROM pay.webhook_delivery d, pay_api.replay_deliveries('{m1}', '{some}',
    '{NULL}', ARRAY[(extract(epoch FROM d.ended_at) * 1000000)::bigint],
    '{NULL}', '{1}') r
WHERE d.endpoint_id = 'some';
SELECT is((SELECT c.number FROM pg_temp.claim() c WHERE c.outcome = 'due'),
    1::bigint, 'from the first attempt on');
SELECT is(pg_temp.ended('some', :last, 1, 'gone', 410), 'stored',
    'it wants no more');
SELECT is(w.state || ' ' || w.reason, 'disabled gone', 'it is disabled'),
    is((SELECT d.state || ' ' || d.failure FROM pay.webhook_delivery d
        WHERE d.endpoint_id = 'some'), 'failed status', 'with its deliveries')
FROM pay.webhook_endpoint w WHERE w.endpoint_id = 'some';
SELECT pg_temp.publish()
\g /dev/null
SELECT is((SELECT m.type || ' ' || m.subject FROM pay.message m
           ORDER BY m.position DESC LIMIT 1),
    'endpoint.disabled endpoint/some', 'its owner hears of it');
SELECT is(r.outcome, 'refused', 'a disabled endpoint gets nothing')
FROM pay_api.replay_deliveries('{m1}', '{some}', '{NULL}', '{0}', '{NULL}',
                               '{0}') r;
SELECT is(r.outcome, 'unknown', 'an event that nobody knows')
FROM pay_api.replay_deliveries('{m1}', '{some}', '{nobody-knows}', '{NULL}',
                               '{NULL}', '{0}') r;
SELECT is(a.outcome, 'refused', 'nor a test') FROM pg_temp.act('some', 'test')
    a;
SELECT is(a.outcome, 'not_found', 'another merchant has none')
FROM pg_temp.act('some', 'enable', p_merchant => 'm2') a;
SELECT is(a.page ->> 'state', 'enabled', 'enabled again')
FROM pg_temp.act('some', 'enable') a;

-- a test goes to its endpoint alone
SELECT is(a.outcome, 'stored', 'a test') FROM pg_temp.act('some', 'test') a;
SELECT pg_temp.publish(), pg_temp.pass('1 s')
\g /dev/null
SELECT is((SELECT string_agg(c.endpoint_id || ' '
                             || (c.body::json ->> 'type'), ', '
                             ORDER BY c.endpoint_id, c.position)
           FROM pg_temp.claim() c WHERE c.outcome = 'due'),
    'all endpoint.disabled, some endpoint.test', 'who hears of it');

-- secrets in rotation
SELECT is(json_array_length(a.page -> 'secrets'), 2, 'both sign')
FROM pg_temp.act('some', 'rotate', 3600) a;
SELECT is(json_array_length(a.page -> 'secrets'), 1, 'the old ones end now')
FROM pg_temp.act('some', 'rotate', 0) a;
SELECT is((SELECT array_agg(s.number::int) FROM pay.webhook_secret s
           WHERE s.endpoint_id = 'some' AND coalesce(s.until > now(), true)),
    '{3}'::int[], 'the newest signs');
SELECT a.outcome FROM pg_temp.act('some', 'test') a
\g /dev/null
SELECT pg_temp.publish(), pg_temp.pass('1 s')
\g /dev/null
SELECT is(concat_ws(' ', c.number1, c.number2, c.number3), '3',
    'and no other')
FROM pg_temp.claim() c WHERE c.endpoint_id = 'some';

-- the order, where it is wanted
SELECT pg_temp.endpoint('line', '["payment.*"]', 1)
\g /dev/null
SELECT pg_temp.sold('c3', ARRAY['o4:1:s1', 'o5:1:s1', 'o6:1:s1'])
\g /dev/null
SELECT pg_temp.publish(), pg_temp.pass('1 s')
\g /dev/null
SELECT c.position AS first, c.number FROM pg_temp.claim(100) c
WHERE c.endpoint_id = 'line' \gset
SELECT is((SELECT count(*) FROM pay.webhook_delivery d
           WHERE d.endpoint_id = 'line' AND d.is_leased), 1::bigint,
    'one at a time');
SELECT is(pg_temp.ended('line', :first, 1, 'failed', 500), 'stored', 'fails');
SELECT pg_temp.pass('3 s')
\g /dev/null
SELECT is((SELECT count(*) FROM pg_temp.claim(100) c
           WHERE c.endpoint_id = 'line'), 0::bigint, 'the others wait for it');
SELECT pg_temp.pass('6 s')
\g /dev/null
SELECT is((SELECT string_agg(c.position || ' ' || c.number, ', ')
           FROM pg_temp.claim(100) c WHERE c.endpoint_id = 'line'),
    :'first'::text || ' 2', 'it comes again first');
SELECT is(pg_temp.ended('line', :first, 2), 'stored', 'it has arrived');
SELECT is((SELECT c.position FROM pg_temp.claim(100) c
           WHERE c.endpoint_id = 'line'), :first::bigint + 1,
    'the next one');

-- a dead endpoint is paused, then gets one attempt, and is disabled after days
UPDATE pay.webhook_endpoint SET failures = 4, failing_since = now()
WHERE endpoint_id = 'all';
SELECT pg_temp.pass('1 min')
\g /dev/null
SELECT c.position AS first, c.number FROM pg_temp.claim(100) c
WHERE c.endpoint_id = 'all' ORDER BY c.position LIMIT 1 \gset
SELECT is(pg_temp.ended('all', :first, :number, 'failed', 500), 'stored',
    'the fifth failure');
SELECT is(w.paused_until, now() + interval '1 min', 'it is paused')
FROM pay.webhook_endpoint w WHERE w.endpoint_id = 'all';
SELECT pg_temp.pass('30 s')
\g /dev/null
SELECT is((SELECT count(*) FROM pg_temp.claim(100) c
           WHERE c.endpoint_id = 'all'), 0::bigint, 'it gets nothing');
SELECT pg_temp.pass('5 min')
\g /dev/null
SELECT c.position AS first, c.number, count(*) OVER () AS claimed
FROM pg_temp.claim(100) c WHERE c.endpoint_id = 'all' \gset
SELECT is(:claimed, 1, 'one attempt');
SELECT pg_temp.pass('5 days')
\g /dev/null
SELECT is(pg_temp.ended('all', :first, :number, 'failed', 500), 'stored',
    'it fails for days');
SELECT is(w.state || ' ' || w.reason, 'disabled failing', 'it is disabled')
FROM pay.webhook_endpoint w WHERE w.endpoint_id = 'all';
SELECT is((SELECT count(*) FROM pay.webhook_delivery d
           WHERE d.endpoint_id = 'all' AND d.state = 'due'), 0::bigint,
    'nothing of it is due');

-- what others see
SELECT is(json_array_length(l.page::json -> 'endpoints'), 1,
    'the endpoints of a merchant')
FROM pay_api.list_endpoints('{m2}', '{NULL}') l;
SELECT is(l.outcome, 'not_found', 'those of others are none')
FROM pay_api.list_endpoints('{m2}', '{all}') l;
SELECT is(l.outcome, 'not_found', 'nor their deliveries')
FROM pay_api.list_deliveries('{m2}', '{all}', '{NULL}', '{NULL}', '{10}') l;
SELECT is(l.page::json -> 'deliveries' -> 0 ->> 'state', 'failed',
    'the newest delivery')
FROM pay_api.list_deliveries('{m1}', '{all}', '{failed}', '{NULL}', '{1}') l;

-- what operators see
INSERT INTO pay.message_reader (name, position) VALUES ('kafka', 3);
SELECT is(f.counts::jsonb ->> 'behind', (p.position - 3)::text,
    'how far a reader is behind'),
    is(f.counts::jsonb ->> 'disabled', '1', 'endpoints that have ended'),
    is(f.outcome, 'checked', 'once an interval')
FROM pay_api.watch_events('{w1}', '{1000}') f, pay.message_place p;
SELECT is(f.outcome, 'not_due', 'the others get the same figures'),
    is(f.counts::jsonb ->> 'disabled', '1', 'of the last round')
FROM pay_api.watch_events('{w2}', '{1000}') f;
SELECT is(x.page ->> 'type', 'payment.succeeded', 'explain has the message'),
    is(x.page -> 'receivers' -> 0 ->> 'receiver', 'all', 'an endpoint'),
    is(x.page -> 'receivers' -> 0 ->> 'state', 'failed', 'that was disabled'),
    is(x.page -> 'receivers' -> 1 ->> 'receiver', 'kafka', 'and a reader'),
    is(x.page -> 'receivers' -> 1 ->> 'state', 'due', 'that is behind')
FROM (SELECT e.explanation::json -> 'messages' -> 0 AS page
      FROM pay_api.explain_payment('{m1}', '{o3}', '{0}') e) x;

-- what is old goes when everybody has heard it
SELECT is(pay.purge_messages()::text, '(0,0)', 'nothing is old');
SELECT is((pay.purge_messages(1000, '-1 day')).messages, 3::bigint,
    'what the reader has passed');
UPDATE pay.message_reader SET position = 1000;
SELECT cmp_ok((pay.purge_messages(1000, '-1 day')).messages, '>', 5::bigint,
    'the rest');
SELECT is((SELECT count(*) FROM pay.message m
           WHERE NOT EXISTS (SELECT FROM pay.webhook_delivery d
                             WHERE d.position = m.position
                                 AND d.state = 'due')), 0::bigint,
    'but for what is still to be delivered');
INSERT INTO pay.outbox VALUES ('m1', 'o1', 12, now(), 'refund.failed');
SELECT pg_temp.publish()
\g /dev/null
SELECT is((SELECT m.sequence::int FROM pay.message m
           WHERE m.subject = 'payment/o1' ORDER BY m.position DESC LIMIT 1),
    4, 'a subject counts on');

SELECT * FROM finish();
ROLLBACK;
