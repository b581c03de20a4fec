-- begin_dispatch and end_dispatch: the journal of captures, cancellations,
-- refunds and expiries.

BEGIN;
\ir helpers.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.send(
    p_checkout text, p_operation text DEFAULT 'capture',
    p_id text DEFAULT NULL, p_psp text DEFAULT 'stripe',
    p_window_s bigint DEFAULT 600, p_lease_ms bigint DEFAULT 30000,
    p_merchant text DEFAULT 'm1')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', d.outcome, d.attempt, d.sends)
FROM pay_api.begin_dispatch(ARRAY[p_merchant], ARRAY[p_checkout],
    ARRAY[p_operation], ARRAY[coalesce(p_id, 'o' || substr(p_checkout, 2))],
    ARRAY[p_psp], ARRAY[p_window_s], ARRAY[p_lease_ms],
    ARRAY['request-6']) d
$$;
CREATE FUNCTION pg_temp.sent(
    p_checkout text, p_state text, p_attempt bigint DEFAULT 1,
    p_operation text DEFAULT 'capture', p_id text DEFAULT NULL,
    p_reach text DEFAULT 'complete', p_status bigint DEFAULT 200,
    p_code text DEFAULT NULL, p_reference text DEFAULT 'ref',
    p_merchant text DEFAULT 'm1')
RETURNS text LANGUAGE sql AS $$
SELECT d.outcome FROM pay_api.end_dispatch(ARRAY[p_merchant],
    ARRAY[p_checkout], ARRAY[p_operation],
    ARRAY[coalesce(p_id, 'o' || substr(p_checkout, 2))], ARRAY[p_attempt],
    ARRAY[p_state], ARRAY[p_reach], ARRAY[p_status], ARRAY[p_code],
    ARRAY[p_reference], ARRAY['request-7']) d
$$;
CREATE FUNCTION pg_temp.changes(p_checkout text) RETURNS text
LANGUAGE sql AS $$
SELECT string_agg(format('%s %s %s %s%s', d.operation, d.attempt, d.state,
    d.sends, CASE WHEN d.unsure THEN '?' ELSE '' END), ', '
    ORDER BY d.operation, d.operation_id, d.attempt)
FROM pay.dispatch d
WHERE d.checkout_id = p_checkout AND d.operation <> 'register'
$$;
-- whoever was sending has gone; and the PSP has forgotten the key
CREATE FUNCTION pg_temp.gone(p_checkout text) RETURNS void LANGUAGE sql AS $$
UPDATE pay.dispatch SET lease_until = now() - interval '1 s'
WHERE checkout_id = p_checkout AND state = 'OPEN'
$$;
CREATE FUNCTION pg_temp.age(p_checkout text) RETURNS void LANGUAGE sql AS $$
SELECT pg_temp.gone(p_checkout);
UPDATE pay.dispatch
SET first_sent_at = now() - interval '2 d', sent_at = now() - interval '2 d',
    key_until = now() - interval '1 d'
WHERE checkout_id = p_checkout AND operation <> 'register'
$$;
CREATE FUNCTION pg_temp.all_of() RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ',
    (SELECT md5(string_agg(d::text, ' ' ORDER BY d.ctid))
     FROM pay.dispatch d),
    (SELECT count(*) FROM pay.event), (SELECT count(*) FROM pay.dead_letter),
    (SELECT string_agg(l::text, ' ') FROM pay.late_success l))
$$;

SELECT b.outcome FROM generate_series(1, 20) n,
    pg_temp.begin('m1', 'k' || n, 'c' || n, ARRAY['o' || n || ':100'],
                  p_psps => 'stripe adyen') b
\g /dev/null
SELECT pg_temp.token('m1', 'c' || n, 't' || n) FROM generate_series(1, 20) n
\g /dev/null

-- one call at a time
SELECT is(pg_temp.send('c1'), 'send 1 1', 'a capture may go out');
SELECT is((d.operation, d.operation_id, d.psp, d.state, d.unsure,
           d.lease_until - d.sent_at, d.key_until - d.first_sent_at,
           d.request_id)::text,
          '(capture,o1,stripe,OPEN,f,00:00:30,00:10:00,request-6)',
          'and is written down first')
FROM pay.dispatch d WHERE d.checkout_id = 'c1' AND d.operation = 'capture';
SELECT pg_temp.all_of() AS before
\gset
SELECT is(pg_temp.send('c1'), 'busy 1 1', 'another worker waits');
SELECT is(pg_temp.send('c1', p_psp => 'adyen'), 'invalid 1 1',
          'a key is good for one PSP');
SELECT is(pg_temp.all_of(), :'before', 'nothing has changed');
SELECT is(pg_temp.sent('c1', 'DONE', p_code => 'captured'), 'stored', 'done');
SELECT is((d.state, d.reach, d.http_status, d.code, d.reference,
           d.lease_until, d.ended_at IS NULL)::text,
          '(DONE,complete,200,captured,ref,,f)', 'with its evidence')
FROM pay.dispatch d WHERE d.checkout_id = 'c1' AND d.operation = 'capture';
SELECT pg_temp.all_of() AS before
\gset
SELECT is(pg_temp.send('c1'), 'done 1 1', 'never again');
SELECT is(pg_temp.sent('c1', s), 'already', s || ' after that')
FROM unnest('{DONE,PENDING,REFUSED,NOT_SENT,UNKNOWN}'::text[]) s;
SELECT is(pg_temp.all_of(), :'before', 'changes nothing');
SELECT is(pg_temp.send('c1', 'expire'), 'send 1 1',
          'another operation is another matter');
SELECT is(pg_temp.send('c1', 'refund', 'r-1'), 'send 1 1', 'a refund');
SELECT is(pg_temp.send('c1', 'refund', 'r-2'), 'send 1 1', 'a second refund');
SELECT is(pg_temp.sent('c1', 'PENDING', p_operation => 'refund',
                       p_id => 'r-2'), 'stored', 'taken');
SELECT is(pg_temp.send('c1', 'refund', 'r-2'), 'done 1 1',
          'what the PSP has taken is not sent again');
SELECT is(pg_temp.changes('c1'), 'capture 1 DONE 1, expire 1 OPEN 1, '
          'refund 1 OPEN 1, refund 1 PENDING 1', 'each has its own row');

-- nothing happened for sure: a new attempt
SELECT is(pg_temp.send('c2'), 'send 1 1', 'one');
SELECT is(pg_temp.sent('c2', 'NOT_SENT', p_reach => 'resolved',
                       p_status => NULL), 'stored', 'not sent');
SELECT pg_temp.age('c2')
\g /dev/null
SELECT is(pg_temp.send('c2'), 'send 2 1', 'two');
SELECT is(pg_temp.sent('c2', s, 1), 'already',
          'a late word about the first: ' || s)
FROM unnest('{DONE,REFUSED,UNKNOWN}'::text[]) s;
SELECT is(pg_temp.sent('c2', 'REFUSED', 2), 'stored', 'refused');
SELECT is(pg_temp.send('c2'), 'send 3 1', 'three');
SELECT is(pg_temp.sent('c2', 'DONE', 4), 'already', 'there is no fourth');
SELECT is(pg_temp.changes('c2'),
          'capture 1 NOT_SENT 1, capture 2 REFUSED 1, capture 3 OPEN 1',
          'each in its row');

-- a worker died: the same attempt again, while the PSP knows the key
SELECT is(pg_temp.send('c3'), 'send 1 1', 'one');
SELECT pg_temp.gone('c3')
\g /dev/null
SELECT is(pg_temp.send('c3'), 'send 1 2', 'sent again');
SELECT is(pg_temp.changes('c3'), 'capture 1 OPEN 2?', 'the first may have '
          'arrived');
SELECT is(pg_temp.send('c3'), 'busy 1 2', 'under its own lease');
SELECT is(pg_temp.sent('c3', 'NOT_SENT'), 'stored', 'one did not leave');
SELECT is(pg_temp.changes('c3'), 'capture 1 UNKNOWN 2?',
          'the other may have');
SELECT is(pg_temp.sent('c3', s), 'already', s || ' is no news')
FROM unnest('{NOT_SENT,UNKNOWN}'::text[]) s;
SELECT is(pg_temp.sent('c3', 'DONE'), 'stored',
          'the late word of the call that did is');
SELECT is(pg_temp.changes('c3'), 'capture 1 DONE 2?', 'done');

-- the first call ends unknown while the second is out, which is refused
SELECT is(pg_temp.send('c4'), 'send 1 1', 'one');
SELECT pg_temp.gone('c4')
\g /dev/null
SELECT is(pg_temp.send('c4'), 'send 1 2', 'two');
SELECT is(pg_temp.sent('c4', 'UNKNOWN', p_reach => 'written',
                       p_status => NULL), 'stored', 'a late unknown');
SELECT is(pg_temp.sent('c4', 'REFUSED', p_code => 'captured_already'),
          'stored', 'the refusal counts');
SELECT is(pg_temp.sent('c4', 'UNKNOWN'), 'already', 'unknown does not');
SELECT is(pg_temp.sent('c4', 'DONE'), 'stored',
          'that the first was done does');
SELECT is(pg_temp.sent('c4', 'REFUSED'), 'already', 'and is the end');
SELECT is(pg_temp.changes('c4'), 'capture 1 DONE 2?', 'done');

-- the PSP has forgotten the key: asked for, never sent
SELECT is(pg_temp.send('c5'), 'send 1 1', 'one');
SELECT is(pg_temp.sent('c5', 'UNKNOWN'), 'stored', 'unknown');
SELECT is(pg_temp.send('c5'), 'send 1 2', 'sent again in time');
SELECT is(pg_temp.sent('c5', 'UNKNOWN', p_reach => 'tls', p_code => 'cut'),
          'stored', 'unknown');
SELECT pg_temp.age('c5')
\g /dev/null
SELECT pg_temp.changes('c5') AS before
\gset
SELECT is(pg_temp.send('c5'), 'ask 1 2', 'ask')
FROM generate_series(1, 2);
SELECT is(pg_temp.changes('c5'), :'before', 'nothing is sent');
SELECT is((d.reach, d.code)::text, '(tls,cut)', 'nor forgotten')
FROM pay.dispatch d WHERE d.checkout_id = 'c5' AND d.operation = 'capture';
SELECT is(pg_temp.sent('c5', 'DONE'), 'stored', 'the PSP has done it');
SELECT is(pg_temp.send('c6'), 'send 1 1', 'one');
SELECT pg_temp.age('c6')
\g /dev/null
UPDATE pay.dispatch SET lease_until = now() + interval '1 s'
WHERE checkout_id = 'c6' AND operation = 'capture';
SELECT is(pg_temp.send('c6'), 'busy 1 1', 'still out');
SELECT pg_temp.gone('c6')
\g /dev/null
SELECT is(pg_temp.send('c6'), 'ask 1 1', 'gone without a word');
SELECT is(pg_temp.changes('c6'), 'capture 1 UNKNOWN 1', 'which is unknown');
SELECT is(pg_temp.sent('c6', 'REFUSED'), 'stored', 'the PSP has not');
SELECT is(pg_temp.send('c6'), 'send 2 1', 'so it may be sent');
SELECT is(pg_temp.send('c7', p_window_s => 0), 'send 1 1', 'without a key');
SELECT is(pg_temp.sent('c7', 'UNKNOWN'), 'stored', 'unknown');
SELECT is(pg_temp.send('c7', p_window_s => 86400), 'ask 1 1',
          'the window is that of the first call');

-- "paid back already" is a refusal, too: after a call that may have arrived
-- nothing goes out under a key that the PSP has forgotten
SELECT is(pg_temp.send('c8', 'refund', 'r-8'), 'send 1 1', 'a refund');
SELECT is(pg_temp.sent('c8', 'UNKNOWN', 1, 'refund', 'r-8'), 'stored',
          'of unknown outcome');
SELECT is(pg_temp.send('c8', 'refund', 'r-8'), 'send 1 2', 'is sent again');
SELECT is(pg_temp.sent('c8', 'REFUSED', 1, 'refund', 'r-8'), 'stored',
          'and refused');
SELECT is(pg_temp.send('c8', 'refund', 'r-8', p_window_s => 86400),
          'send 2 1', 'once more in time');
SELECT is(max(d.key_until), min(d.key_until), 'the key is as old as it was')
FROM pay.dispatch d WHERE d.checkout_id = 'c8' AND d.operation = 'refund';
SELECT is(pg_temp.sent('c8', 'NOT_SENT', 2, 'refund', 'r-8'), 'stored',
          'it does not leave');
SELECT pg_temp.age('c8')
\g /dev/null
SELECT is(pg_temp.send('c8', 'refund', 'r-8'), 'ask 2 1', 'then never again')
FROM generate_series(1, 2);
SELECT is(pg_temp.changes('c8'), 'refund 1 REFUSED 2?, refund 2 UNKNOWN 1',
          'the PSP must be asked');
DELETE FROM pay.dispatch
WHERE checkout_id = 'c8' AND operation = 'refund';

-- a call may take as long as its lease: it must arrive while the key is known
SELECT is(pg_temp.send('c8', 'refund', 'r-9'), 'send 1 1', 'a refund');
SELECT is(pg_temp.sent('c8', 'UNKNOWN', 1, 'refund', 'r-9'), 'stored',
          'of unknown outcome');
UPDATE pay.dispatch SET key_until = now() + interval '31 s'
WHERE checkout_id = 'c8' AND operation = 'refund';
SELECT is(pg_temp.send('c8', 'refund', 'r-9'), 'send 1 2', 'in time');
SELECT is(pg_temp.sent('c8', 'UNKNOWN', 1, 'refund', 'r-9'), 'stored',
          'unknown again');
UPDATE pay.dispatch SET key_until = now() + interval '30 s'
WHERE checkout_id = 'c8' AND operation = 'refund';
SELECT is(pg_temp.send('c8', 'refund', 'r-9'), 'ask 1 2', 'too late');
DELETE FROM pay.dispatch
WHERE checkout_id = 'c8' AND operation = 'refund';

-- strangers and the bad
SELECT pg_temp.all_of() AS before
\gset
SELECT is(pg_temp.send('c99'), 'not_found', 'absent');
SELECT is(pg_temp.send('c8', p_merchant => 'm2'), 'not_found', 'foreign');
SELECT is(pg_temp.sent('c8', 'DONE'), 'not_found', 'never begun');
SELECT is(pg_temp.sent('c1', 'DONE', p_merchant => 'm2'), 'not_found',
          'foreign');
SELECT is(pg_temp.send(c, o, i, p, w, l, m), 'invalid', n)
FROM (VALUES
    ('no merchant', NULL, 'c8', 'capture', 'o8', 'stripe', 1::bigint,
     1::bigint),
    ('no checkout', 'm1', NULL, 'capture', 'o8', 'stripe', 1, 1),
    ('a registration', 'm1', 'c8', 'register', 'o8', 'stripe', 1, 1),
    ('a query', 'm1', 'c8', 'query', 'o8', 'stripe', 1, 1),
    ('no operation', 'm1', 'c8', NULL, 'o8', 'stripe', 1, 1),
    ('capital letters', 'm1', 'c8', 'CAPTURE', 'o8', 'stripe', 1, 1),
    ('no id', 'm1', 'c8', 'capture', '', 'stripe', 1, 1),
    ('long id', 'm1', 'c8', 'refund', repeat('i', 256), 'stripe', 1, 1),
    ('not its nonce', 'm1', 'c8', 'capture', 'o9', 'stripe', 1, 1),
    ('not its nonce', 'm1', 'c8', 'expire', 'o9', 'stripe', 1, 1),
    ('no PSP', 'm1', 'c8', 'capture', 'o8', NULL, 1, 1),
    ('nowhere near', 'm1', 'c8', 'capture', 'o8', 'mollie', 1, 1),
    ('where it might have been', 'm1', 'c8', 'capture', 'o8', 'adyen', 1, 1),
    ('no window', 'm1', 'c8', 'capture', 'o8', 'stripe', NULL, 1),
    ('window below 0', 'm1', 'c8', 'capture', 'o8', 'stripe', -1, 1),
    ('endless window', 'm1', 'c8', 'capture', 'o8', 'stripe',
     9223372036854775807, 1),
    ('no lease', 'm1', 'c8', 'capture', 'o8', 'stripe', 1, NULL),
    ('lease 0', 'm1', 'c8', 'capture', 'o8', 'stripe', 1, 0),
    ('endless lease', 'm1', 'c8', 'capture', 'o8', 'stripe', 1,
     9223372036854775807)) t (n, m, c, o, i, p, w, l);
SELECT is(d.outcome, 'invalid', 'no id')
FROM unnest(ARRAY[NULL, '']) i, pay_api.begin_dispatch('{m1}', '{c8}',
    '{capture}', ARRAY[i], '{stripe}', '{1}', '{1}', '{r}') d;
SELECT is(pg_temp.sent('c7', s, a, o, NULL, r, h, c, f), 'invalid', n)
FROM (VALUES
    ('no state', NULL, 1::bigint, 'capture', 'tls', 1::bigint, 'c', 'r'),
    ('open', 'OPEN', 1, 'capture', 'tls', 1, 'c', 'r'),
    ('small letters', 'done', 1, 'capture', 'tls', 1, 'c', 'r'),
    ('attempt 0', 'DONE', 0, 'capture', 'tls', 1, 'c', 'r'),
    ('no attempt', 'DONE', NULL, 'capture', 'tls', 1, 'c', 'r'),
    ('a registration', 'DONE', 1, 'register', 'tls', 1, 'c', 'r'),
    ('reach', 'DONE', 1, 'capture', 'half', 1, 'c', 'r'),
    ('status', 'DONE', 1, 'capture', 'tls', 1000, 'c', 'r'),
    ('long code', 'DONE', 1, 'capture', 'tls', 1, repeat('c', 256), 'r'),
    ('long reference', 'DONE', 1, 'capture', 'tls', 1, 'c',
     repeat('r', 256))) t (n, s, a, o, r, h, c, f);
SELECT is(pg_temp.all_of(), :'before', 'none of it has changed anything');
SELECT throws_ok(sql, 'PAY01', NULL, sql)
FROM (VALUES
    ('SELECT * FROM pay_api.begin_dispatch(''{a}'', ''{a}'', ''{a}'',
      ''{a}'', ''{a}'', ''{1}'', ''{1,2}'', ''{a}'')'),
    ('SELECT * FROM pay_api.end_dispatch(''{a}'', ''{a}'', ''{a}'', ''{a}'',
      ''{1}'', ''{a}'', ''{a}'', ''{1}'', ''{a}'', ''{a,b}'', ''{a}'')'))
    t (sql);
SELECT is_empty('SELECT * FROM pay_api.begin_dispatch(''{}'', ''{}'', ''{}'',
    ''{}'', ''{}'', ''{}'', ''{}'', ''{}'')', 'no items');
SELECT is_empty('SELECT * FROM pay_api.end_dispatch(''{}'', ''{}'', ''{}'',
    ''{}'', ''{}'', ''{}'', ''{}'', ''{}'', ''{}'', ''{}'', ''{}'')',
    'no items');

-- one batch: the first of twins is sent; the most definite word counts
SELECT is(string_agg(concat_ws(' ', d.item, d.outcome, d.attempt, d.sends),
                     ', ' ORDER BY d.item),
    '1 send 1 1, 2 busy 1 1, 3 invalid, 4 send 1 1, 5 not_found, 6 done 1 1, '
    '7 send 4 1', 'a batch')
FROM pay_api.end_dispatch('{m1}', '{c2}', '{capture}', '{o2}', '{3}',
    '{NOT_SENT}', '{nothing}', '{0}', '{x}', '{NULL}', '{r}') e,
    LATERAL (SELECT e.outcome) x,
    pay_api.begin_dispatch('{m1,m1,NULL,m1,m1,m1,m1}',
    '{c10,c10,c10,c11,nope,c1,c2}',
    '{capture,capture,capture,capture,capture,capture,capture}',
    '{o10,o10,o10,o11,o,o1,o2}',
    '{stripe,stripe,stripe,stripe,stripe,stripe,stripe}',
    '{1,2,3,4,5,6,7}', '{1000,2000,3000,4000,5000,6000,7000}',
    '{a,b,c,d,e,f,g}') d;
SELECT is((d.lease_until - d.sent_at, d.key_until - d.sent_at,
           d.request_id)::text, '(00:00:01,00:00:01,a)',
          'the first''s own terms')
FROM pay.dispatch d WHERE d.checkout_id = 'c10' AND d.operation = 'capture';
SELECT is(string_agg(d.item || ' ' || d.outcome, ', ' ORDER BY d.item),
    '1 already, 2 already, 3 stored, 4 stored, 5 already, 6 not_found, '
    '7 invalid', 'words about one attempt')
FROM pay_api.end_dispatch('{m1,m1,m1,m1,m1,m1,m1}',
    '{c10,c10,c10,c11,c11,c12,c11}',
    '{capture,capture,capture,capture,capture,capture,capture}',
    '{o10,o10,o10,o11,o11,o12,o11}', '{1,1,1,1,2,1,1}',
    '{UNKNOWN,REFUSED,DONE,UNKNOWN,DONE,DONE,NONE}',
    '{tls,complete,complete,tls,tls,tls,tls}', '{0,402,200,0,0,0,0}',
    '{a,b,c,d,e,f,g}', '{a,b,c,d,e,f,g}', '{r,r,r,r,r,r,r}') d;
SELECT is((d.state, d.code, d.reference)::text, '(DONE,c,c)',
          'the most definite')
FROM pay.dispatch d WHERE d.checkout_id = 'c10' AND d.operation = 'capture';

-- late payments on their way back
SELECT b.outcome FROM generate_series(1, 3) n,
    pg_temp.begin('m1', 'l' || n, 'l' || n, ARRAY['p' || n || ':700'],
                  p_late => 'refund') b
\g /dev/null
SELECT pg_temp.token('m1', 'l' || n, 'late' || n) FROM generate_series(1, 3) n
\g /dev/null
SELECT is(pg_temp.fact('late' || n, 'expired'), 'applied', 'its time is over')
FROM generate_series(1, 3) n;
SELECT is(pg_temp.fact('late' || n, 'paid', p_reference => 'pi-' || n),
          'held', 'and then it is paid') FROM generate_series(1, 3) n;
SELECT is((c.outcome, c.kind, c.operation_id, c.reference)::text,
          row('job', 'refund', l.refund_id, 'pi-1')::text,
          'a job to pay it back')
FROM pay.late_success l, pay_api.claim_jobs('{w}', '{1000}') c
WHERE l.checkout_id = 'l1' AND c.checkout_id = 'l1';
CREATE FUNCTION pg_temp.refund(p_checkout text) RETURNS text LANGUAGE sql AS
'SELECT l.refund_id::text FROM pay.late_success l
 WHERE l.checkout_id = p_checkout';
SELECT is(pg_temp.send('l1', 'refund', 'another'), 'send 1 1', 'some refund');
SELECT is(pg_temp.sent('l1', 'DONE', 1, 'refund', 'another'), 'stored',
          'is done');
SELECT is(l.state, 'refunding', 'which is not the one')
FROM pay.late_success l WHERE l.checkout_id = 'l1';
SELECT is(pg_temp.send('l1', 'refund', pg_temp.refund('l1')), 'send 1 1',
          'the refund');
SELECT is(f.outcome, 'done', 'is given up for now')
FROM pay_api.finish_job('{m1}', '{l1}', '{refund}', '{""}', '{w}', '{1000}',
                        '{no_answer}', '{retry_limit}') f;
SELECT is((d.kind, d.reason, d.code, d.attempts, d.state)::text,
          '(refund,retry_limit,no_answer,1,open)', 'people hear of it')
FROM pay.dead_letter d WHERE d.checkout_id = 'l1';
SELECT is(pg_temp.sent('l1', 'UNKNOWN', 1, 'refund', pg_temp.refund('l1')),
          'stored', 'unknown');
SELECT is(l.state, 'refunding', 'is not refunded')
FROM pay.late_success l WHERE l.checkout_id = 'l1';
SELECT is(pg_temp.sent('l1', 'PENDING', 1, 'refund', pg_temp.refund('l1'),
                       p_reference => 're-1'), 'stored',
          'the PSP had taken it after all');
SELECT is(l.state, 'refunded', 'refunded')
FROM pay.late_success l WHERE l.checkout_id = 'l1';
SELECT is((d.state, d.closed_by, d.closed_why)::text,
          '(settled,gateway,refunded)', 'which settles the dead letter')
FROM pay.dead_letter d WHERE d.checkout_id = 'l1';
SELECT is((e.kind, e.actor, e.old_status, e.new_status, e.reason,
           e.request_id)::text,
          '(late_refunded,gateway,FAILED,FAILED,expired,request-7)',
          'the timeline ends with it')
FROM pay.event e WHERE e.payment_order_id = 'p1'
ORDER BY e.seq DESC LIMIT 1;
SELECT is(e.detail, jsonb_build_object('refund_id', pg_temp.refund('l1'),
    'refund_reference', 're-1', 'amount_minor', 700, 'currency', 'USD'),
    'and says how much')
FROM pay.event e
WHERE e.payment_order_id = 'p1' AND e.kind = 'late_refunded';
SELECT is(pg_temp.status('m1', 'p1'), 'FAILED/expired', 'the order stays');
SELECT is(pg_temp.sent('l1', 'DONE', 1, 'refund', pg_temp.refund('l1')),
          'already', 'twice');
SELECT is((SELECT count(*) FROM pay.event WHERE kind = 'late_refunded'),
          1::bigint, 'is told once');
SELECT is(pg_temp.claim('l2'), 'job refund l2 stripe 1', 'another job');
SELECT is(pg_temp.send('l2', 'refund', pg_temp.refund('l2')), 'send 1 1',
          'its refund');
SELECT is(pg_temp.sent('l2', 'DONE', 1, 'refund', pg_temp.refund('l2')),
          'stored', 'is done');
SELECT is(pg_temp.job('m1', 'l2'), NULL, 'and so is its job');
SELECT is(pg_temp.send('l3', 'capture', pg_temp.refund('l3')), 'invalid',
          'no capture goes by the id of a refund');
SELECT is(pg_temp.send('l3', 'cancel', pg_temp.refund('l3')), 'send 1 1',
          'a cancellation with its id');
SELECT is(pg_temp.sent('l3', 'DONE', 1, 'cancel', pg_temp.refund('l3')),
          'stored', 'is done');
SELECT is(l.state, 'refunding', 'and pays nothing back')
FROM pay.late_success l WHERE l.checkout_id = 'l3';


\i :checks
SELECT finish();
ROLLBACK;
