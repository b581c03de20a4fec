-- begin_change, and how the ends of calls settle what it began.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'])
FROM generate_series(1, 30) n
\g /dev/null

-- a refund: row, reservation, job, key, event and entry in one commit
SELECT is(pg_temp.change('o1', 'refund', 'r1', 300),
          'created refund NOT_STARTED 300', 'a part is asked for');
SELECT is(pg_temp.money('o1'), '0 1000 300 0 0', 'it is held back');
SELECT is(pg_temp.booked('r1'), 'refund_reserved 300', 'in the books, too');
SELECT is(pg_temp.job_of('r1'), 'change 0 00:00:30',
          'a job goes on when the lease is over');
SELECT is((k.route, k.change_id, k.checkout_id)::text,
          format('("POST refunds",%s,c1)', pg_temp.uuid('r1')), 'the key')
FROM pay.idempotency_key k WHERE k.key = 'key-r1';
SELECT is((e.kind, e.actor, e.detail, e.request_id)::text,
    (ROW('refund_requested', 'merchant', jsonb_build_object('change_id',
        pg_temp.uuid('r1'), 'amount_minor', 300, 'currency', 'USD', 'why',
        'why not'), 'request-8'))::text, 'the timeline')
FROM pay.event e WHERE e.payment_order_id = 'o1' ORDER BY e.seq DESC LIMIT 1;
SELECT is((c.psp, c.origin, c.currency, c.seller_minor, c.metadata)::text,
          '(stripe,merchant,USD,300,"{""a"": 1}")', 'the row')
FROM pay.change c WHERE c.change_id = pg_temp.uuid('r1');
SELECT is((c.payment_reference, c.token, c.merchant_id)::text,
          '(pi-c1,t-c1,m1)', 'all that a call needs comes with it')
FROM pay_api.get_change('{m1}', '{o1}', ARRAY[pg_temp.uuid('r1')]) c;

-- the same key
SELECT pg_temp.everything() AS before
\gset
SELECT is(pg_temp.change('o1', 'refund', 'r1b', 300, 'key-r1'),
          'in_progress', 'somebody is at it')
FROM generate_series(1, 2);
SELECT is(pg_temp.change('o1', 'refund', 'r1b', 300, 'key-r1', 'other'),
          'key_reused', 'another body');
SELECT is(pg_temp.change('o2', 'refund', 'r1b', 1, 'key-r1', 'other'),
          'key_reused', 'another order');
SELECT is(pg_temp.change('nope', 'refund', 'r1b', 1, 'key-r1', 'other'),
          'key_reused', 'an order that is not there');
-- a repetition that the configuration refuses by now
CREATE FUNCTION pg_temp.explains(
    p_kind text, p_key text, p_body text, p_merchant text DEFAULT 'm1')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', e.outcome, e.change_kind, e.change_status,
                 e.amount_minor, e.checkout_id)
FROM pay_api.explain_change(ARRAY[p_merchant], ARRAY[p_kind], ARRAY[p_key],
                            ARRAY[sha256(p_body::bytea)]) e
$$;
SELECT is(pg_temp.explains(k, i, b, m), w, concat_ws(' ', 'explain', k, i, w))
FROM (VALUES ('refund', 'key-r1', 'body', 'm1', 'in_progress'),
    ('refund', 'key-r1', 'other', 'm1', 'key_reused'),
    ('capture', 'key-r1', 'body', 'm1', 'unknown'),
    ('cancel', 'key-r1', 'body', 'm1', 'unknown'),
    ('refund', 'key-r1', 'body', 'm2', 'unknown'),
    ('refund', 'key-none', 'body', 'm1', 'unknown')) v (k, i, b, m, w);
SELECT is(pg_temp.everything(), :'before', 'change nothing');
UPDATE pay.change SET created_at = now() - interval '6 seconds'
WHERE change_id = pg_temp.uuid('r1');
SELECT is(pg_temp.explains('refund', 'key-r1', 'body'),
          'replayed refund NOT_STARTED 300 c1', 'explained as it is stored');
SELECT is(pg_temp.change('o1', 'refund', 'r1b', 300, 'key-r1'),
          'replayed refund NOT_STARTED 300', 'nothing could be sent');
UPDATE pay.change SET created_at = now()
WHERE change_id = pg_temp.uuid('r1');
UPDATE pay.job SET run_at = now() WHERE operation_id = pg_temp.uuid('r1');
SELECT is(pg_temp.change('o1', 'refund', 'r1b', 300, 'key-r1'),
          'replayed refund NOT_STARTED 300', 'the lease is over');
UPDATE pay.job SET run_at = now() + interval '1 min', attempts = 1
WHERE operation_id = pg_temp.uuid('r1');
SELECT is(pg_temp.change('o1', 'refund', 'r1b', 300, 'key-r1'),
          'replayed refund NOT_STARTED 300', 'a job has taken over');
UPDATE pay.job SET attempts = 0 WHERE operation_id = pg_temp.uuid('r1');
SELECT is(pg_temp.send('c1', 'refund', 'r1'), 'send 1 1', 'it goes out');
SELECT is(pg_temp.change('o1', 'refund', 'r1b', 300, 'key-r1'),
          'in_progress', 'and is out');
SELECT is(pg_temp.sent('c1', 'refund', 'r1', 'NOT_SENT'), 'stored',
          'it did not leave');
SELECT is(pg_temp.change('o1', 'refund', 'r1b', 300, 'key-r1'),
          'replayed refund NOT_STARTED 300', 'which the next one hears');
SELECT is(pg_temp.how('r1'), 'NOT_STARTED', 'it goes on');
SELECT is(pg_temp.job_of('r1'), 'change 0 00:01:00', 'by its job');
SELECT is(pg_temp.money('o1'), '0 1000 300 0 0', 'still held back');
SELECT is(pg_temp.change('o1', 'capture', 'k1', p_key => 'key-r1'),
          'nothing_left', 'the key of another route is another key');
SELECT is((SELECT count(*) FROM pay.idempotency_key k
           WHERE k.key = 'key-r1'), 1::bigint, 'a refusal keeps none');
SELECT is(pg_temp.send('c1', 'refund', 'r1'), 'send 2 1', 'once more');
SELECT is(pg_temp.sent('c1', 'refund', 'r1', 'DONE', 2, 're-1'), 'stored',
          'done');
SELECT is(pg_temp.how('r1'), 'SUCCESS re-1', 'the change');
SELECT is(pg_temp.money('o1'), '0 1000 0 300 0', 'the order');
SELECT is(pg_temp.wallet(), '29700 0 0', 'the wallet');
SELECT is(pg_temp.booked('r1'), 'refund 300, refund_reserved 300',
          'the books');
SELECT is(pg_temp.job_of('r1'), NULL, 'no job is left');
SELECT is(pg_temp.kinds('m1', 'o1'),
          'created registered paid refund_requested refunded', 'the story');
SELECT is(pg_temp.change('o1', 'refund', 'r1b', 300, 'key-r1'),
          'replayed refund SUCCESS 300', 'a repeat hears the end');
UPDATE pay.idempotency_key SET expires_at = now() WHERE key = 'key-r1';
SELECT is(pg_temp.change('o1', 'refund', 'r1b', 300, 'key-r1', 'other'),
          'created refund NOT_STARTED 300', 'a key whose time is over');

-- what is left
SELECT pg_temp.everything() AS before
\gset
SELECT is(pg_temp.change('o1', 'refund', 'x', 401), 'exceeds',
          'more than is left');
SELECT is(pg_temp.change('o1', 'refund', 'x', 999999999999999), 'exceeds',
          'far more');
SELECT is(pg_temp.everything(), :'before', 'and nothing stays of it');
SELECT is(pg_temp.change('o1', 'refund', 'r1c'),
          'created refund NOT_STARTED 400', 'all that is left');
SELECT is(pg_temp.change('o1', 'refund', 'x', 1), 'nothing_left',
          'nothing is left');
SELECT is(pg_temp.change('o1', 'refund', 'x'), 'nothing_left', 'of nothing');
SELECT is(pg_temp.whole('c2', 'o2', 'refund', 'r2', 1000, 'REFUSED'),
          'FAILED', 'refused');
SELECT is(pg_temp.money('o2'), '0 1000 0 0 0', 'may be tried again');
SELECT is(pg_temp.booked('r2'), 'refund_released 1000, refund_reserved 1000',
          'both entries stay');
SELECT is(pg_temp.kinds('m1', 'o2'),
          'created registered paid refund_requested refund_failed', 'told');
SELECT is(pg_temp.change('o2', 'refund', 'r2b', 1000),
          'created refund NOT_STARTED 1000', 'under a key of its own');
SELECT is(pg_temp.change('o2', 'refund', 'r2c', 1000, 'key-r2'),
          'replayed refund FAILED 1000', 'the old key has its answer');

-- the ends of calls
SELECT is(pg_temp.whole('c3', 'o3', 'refund', 'r3', 10, 'PENDING', 're-3'),
          'EXECUTING re-3', 'taken');
SELECT is(pg_temp.job_of('r3'), NULL, 'nobody asks any more');
SELECT is(pg_temp.money('o3'), '0 1000 10 0 0', 'held back');
SELECT is(pg_temp.kinds('m1', 'o3'),
          'created registered paid refund_requested refund_sent', 'told');
SELECT is(pg_temp.send('c3', 'refund', 'r3'), 'done 1 1', 'never again');
SELECT is(pg_temp.sent('c3', 'refund', 'r3', s), 'already', s || ' is late')
FROM unnest('{DONE,PENDING,REFUSED,NOT_SENT,UNKNOWN}'::text[]) s;
SELECT is(pg_temp.how('r3'), 'EXECUTING re-3', 'it stays so');

SELECT is(pg_temp.whole('c4', 'o4', 'refund', 'r4', 10, 'UNKNOWN', 're-4'),
          'EXECUTING', 'nobody knows');
SELECT is(pg_temp.job_of('r4'), 'change 0 00:00:30', 'the job goes on');
SELECT is(pg_temp.send('c4', 'refund', 'r4'), 'send 1 2', 'with its key');
SELECT is(pg_temp.sent('c4', 'refund', 'r4', 'REFUSED'), 'stored',
          'refused, which may mean that the first was done');
SELECT is(pg_temp.how('r4'), 'EXECUTING', 'so nobody knows');
SELECT is(pg_temp.money('o4'), '0 1000 10 0 0', 'and it is held back');
SELECT is(pg_temp.send('c4', 'refund', 'r4'), 'send 2 1', 'once more');
SELECT is(pg_temp.sent('c4', 'refund', 'r4', 'REFUSED', 2), 'stored',
          'refused');
SELECT is(pg_temp.how('r4'), 'EXECUTING', 'a refusal proves no more now');
UPDATE pay.dispatch SET key_until = now(),
    first_sent_at = now() - interval '1 h', sent_at = now() - interval '1 h'
WHERE operation_id = pg_temp.uuid('r4');
SELECT is(pg_temp.send('c4', 'refund', 'r4'), 'ask 2 1',
          'until the key is over');
UPDATE pay.job SET lease_owner = 'w', lease_until = now()
WHERE operation_id = pg_temp.uuid('r4');
SELECT is(f.outcome, 'done', 'the job gives up')
FROM pay_api.finish_job('{m1}', '{c4}', '{change}',
    ARRAY[pg_temp.uuid('r4')], '{w}', '{-1}', '{unknown}',
    '{key_window_over}') f;
SELECT is(concat_ws(' ', pg_temp.job_of('r4'), pg_temp.letter_of('r4')),
          'key_window_over open', 'people hear of it');
SELECT is(pg_temp.sent('c4', 'refund', 'r4', 'DONE', 2, 're-4'), 'stored',
          'the PSP was asked, and has done it');
SELECT is(concat_ws(' ', pg_temp.how('r4'), pg_temp.letter_of('r4')),
          'SUCCESS re-4 key_window_over settled', 'so it has ended');
SELECT is(pg_temp.money('o4'), '0 1000 0 10 0', 'and the buyer has it');

-- a batch of one order: as many as there is money for, in their order
SELECT is(string_agg(c.outcome || coalesce(' ' || c.amount_minor, ''), ', '
                     ORDER BY c.item),
          'created 400, created 600, nothing_left, in_progress, key_reused, '
          'not_found, invalid, currency', 'a batch')
FROM pay_api.begin_change('{m1,m1,m1,m1,m1,m1,m1,m1}',
    '{o5,o5,o5,o5,o5,none,o5,o5}',
    '{refund,refund,refund,refund,refund,refund,refund,refund}',
    ARRAY(SELECT pg_temp.uuid('b' || n) FROM generate_series(1, 8) n),
    '{b1,b2,b3,b1,b1,b6,b7,b8}',
    ARRAY[sha256('1'), sha256('2'), sha256('3'), sha256('1'), sha256('x'),
          sha256('6'), sha256('7'), sha256('8')],
    '{60,60,60,60,60,60,0,60}', '{400,NULL,1,400,400,1,1,1}',
    '{NULL,USD,NULL,NULL,NULL,NULL,NULL,EUR}',
    '{a,b,c,d,e,f,g,h}', ARRAY_FILL('{}'::jsonb, '{8}'),
    '{1000,1000,1000,1000,1000,1000,1000,1000}', '{r,r,r,r,r,r,r,r}') c;
SELECT is(pg_temp.money('o5'), '0 1000 1000 0 0', 'all of it is held back');
-- two of one amount are out: a webhook that names none of ours is taken for the
-- older one's until our own calls are answered
SELECT is(pg_temp.change('o21', 'refund', n, 50),
          'created refund NOT_STARTED 50',
          'one of three') FROM unnest('{r21a,r21b,r21c}'::text[]) n;
SELECT is(pg_temp.send('c21', 'refund', n), 'send 1 1', 'both are out')
FROM unnest('{r21a,r21b}'::text[]) n;
SELECT is(pg_temp.news('refund', 'succeeded', 're-21b', 50, 't-c21'),
          'applied', 'the second is done');
SELECT is(pg_temp.sent('c21', 'refund', 'r21b', 'DONE',
                       p_reference => 're-21b'), 'stored', 'and answered');
SELECT is(pg_temp.news('refund', 'succeeded', 're-21a', 50, 't-c21'),
          'unchanged', 'the first, before its answer');
SELECT is(pg_temp.sent('c21', 'refund', 'r21a', 'DONE',
                       p_reference => 're-21a'), 'stored', 'and after it');
SELECT is(pg_temp.news('refund', 'succeeded', 're-21' || x, 50, 't-c21',
                       p_event => 'again' || x), 'unchanged', 'told again')
FROM unnest('{a,b}'::text[]) x;
SELECT is(concat_ws(' / ', pg_temp.how('r21a'), pg_temp.how('r21b'),
                    pg_temp.how('r21c'), pg_temp.money('o21')),
          'SUCCESS re-21a / SUCCESS re-21b / NOT_STARTED / 0 1000 50 100 0',
          'each has its own name, and is paid back once');
SELECT is(pg_temp.news('refund', 'failed', 're-21a', 50, 't-c21'), 'applied',
          'one comes back');
SELECT is(concat_ws(' / ', pg_temp.how('r21a'), pg_temp.how('r21b')),
          'FAILED returned re-21a / SUCCESS re-21b', 'that one');

-- the first of twins is refused, the second is not
SELECT is(string_agg(c.outcome, ', ' ORDER BY c.item), 'exceeds, created',
          'a key that a refused twin has left')
FROM pay_api.begin_change('{m1,m1}', '{o6,o6}', '{refund,refund}',
    ARRAY[pg_temp.uuid('b9'), pg_temp.uuid('b10')], '{b9,b9}',
    ARRAY[sha256('1'), sha256('2')], '{60,60}', '{1001,1}', '{NULL,NULL}',
    '{a,b}', ARRAY_FILL('{}'::jsonb, '{2}'), '{1000,1000}', '{r,r}') c;
SELECT is(k.fingerprint::bytea, sha256('2'), 'is that of the other')
FROM pay.idempotency_key k WHERE k.key = 'b9';

-- not paid, not there, not well-formed
SELECT pg_temp.begin('m1', 'k-n1', 'n1', '{on1:500}')
\g /dev/null
SELECT pg_temp.everything() AS before
\gset
SELECT is(pg_temp.change('on1', 'refund', 'x'), 'not_paid', 'not yet');
SELECT is(pg_temp.change('on1', 'capture', 'x'), 'not_paid',
          'nothing is authorised');
SELECT is(pg_temp.change('o7', 'capture', 'x'), 'nothing_left',
          'a sale is captured');
SELECT is(pg_temp.change('o7', 'cancel', 'x'), 'already_paid',
          'a sale is no longer cancelled');
SELECT is(pg_temp.change('o7', 'refund', 'x', p_merchant => 'm2'),
          'not_found', 'of another merchant');
SELECT is(pg_temp.change('o7', 'refund', 'x', 1, p_currency => 'EUR'),
          'currency', 'another currency');
SELECT is(pg_temp.change('o7', 'refund', 'r1', 1, 'key-x'), 'invalid',
          'an id that is taken');
SELECT is(pg_temp.change(o, k, 'x', a, key, cur, cur, l, m, t), 'invalid', w)
FROM (VALUES
    ('no order', '', 'refund', 1::bigint, 'x', NULL, 1::bigint, 'm1',
     60::bigint),
    ('no kind', 'o7', NULL, 1, 'x', NULL, 1, 'm1', 60),
    ('another kind', 'o7', 'payout', 1, 'x', NULL, 1, 'm1', 60),
    ('capital letters', 'o7', 'REFUND', 1, 'x', NULL, 1, 'm1', 60),
    ('nothing', 'o7', 'refund', 0, 'x', NULL, 1, 'm1', 60),
    ('less than nothing', 'o7', 'refund', -1, 'x', NULL, 1, 'm1', 60),
    ('more than there is', 'o7', 'refund', 9223372036854775807, 'x', NULL, 1,
     'm1', 60),
    ('long currency', 'o7', 'refund', 1, 'x', 'EURO', 1, 'm1', 60),
    ('no key', 'o7', 'refund', 1, '', NULL, 1, 'm1', 60),
    ('long key', 'o7', 'refund', 1, repeat('k', 256), NULL, 1, 'm1', 60),
    ('no lease', 'o7', 'refund', 1, 'x', NULL, NULL, 'm1', 60),
    ('endless lease', 'o7', 'refund', 1, 'x', NULL, 9223372036854775807,
     'm1', 60),
    ('no merchant', 'o7', 'refund', 1, 'x', NULL, 1, NULL, 60),
    ('no ttl', 'o7', 'refund', 1, 'x', NULL, 1, 'm1', 0),
    ('part of a cancellation', 'on1', 'cancel', 1, 'x', NULL, 1, 'm1', 60),
    ('a cancellation in a currency', 'on1', 'cancel', NULL, 'x', 'USD', 1,
     'm1', 60)) t (w, o, k, a, key, cur, l, m, t);
SELECT is(c.outcome, 'invalid', 'id ' || coalesce(id, '-'))
FROM unnest(ARRAY[NULL, '', 'x', upper(pg_temp.uuid('q')),
    '../../etc/passwd']) id, pay_api.begin_change('{m1}', '{o7}',
    '{refund}', ARRAY[id], '{x}', ARRAY[sha256('x')], '{60}', '{1}',
    '{NULL}', '{x}', ARRAY['{}']::jsonb[], '{1}', '{r}') c;
SELECT is(c.outcome, 'invalid', 'half a fingerprint')
FROM pay_api.begin_change('{m1}', '{o7}', '{refund}',
    ARRAY[pg_temp.uuid('x')], '{x}', ARRAY['\x00']::bytea[], '{60}', '{1}',
    '{NULL}', '{x}', ARRAY['{}']::jsonb[], '{1}', '{r}') c;
SELECT is(pg_temp.everything(), :'before', 'none of it has changed anything');
SELECT throws_ok('SELECT * FROM pay_api.begin_change(''{a}'', ''{a}'',
    ''{a}'', ''{a}'', ''{a}'', ARRAY[sha256(''a'')], ''{1,2}'', ''{1}'',
    ''{a}'', ''{a}'', ARRAY[''{}'']::jsonb[], ''{1}'', ''{a}'')', 'PAY01',
    NULL, 'arrays of different lengths');
SELECT is_empty('SELECT * FROM pay_api.begin_change(''{}'', ''{}'', ''{}'',
    ''{}'', ''{}'', ''{}'', ''{}'', ''{}'', ''{}'', ''{}'', ''{}'', ''{}'',
    ''{}'')', 'no items');

-- what may be sent
SELECT is(pg_temp.change('o8', 'refund', 'r8', 5),
          'created refund NOT_STARTED 5', 'a refund');
SELECT is(pg_temp.send('c8', 'capture', 'r8'), 'invalid', 'is no capture');
SELECT is(pg_temp.send('c8', 'expire', 'r8'), 'invalid', 'nor an expiry');
SELECT is(d.outcome, 'invalid', 'nor for another PSP')
FROM pay_api.begin_dispatch('{m1}', '{c8}', '{refund}',
    ARRAY[pg_temp.uuid('r8')], '{adyen}', '{600}', '{30000}', '{r}') d;

-- what the database itself refuses
SELECT throws_ok(format(sql, pg_temp.uuid('r1')), code, NULL, sql)
FROM (VALUES
    ('UPDATE pay.change SET amount_minor = 1 WHERE change_id = %L', 'PAY11'),
    ('UPDATE pay.change SET psp = ''x'' WHERE change_id = %L', 'PAY11'),
    ('UPDATE pay.change SET seller_minor = 1 WHERE change_id = %L', 'PAY11'),
    ('UPDATE pay.change SET is_final = true WHERE change_id = %L', 'PAY11'),
    ('UPDATE pay.change SET status = ''FAILED'' WHERE change_id = %L',
     'PAY10'),
    ('UPDATE pay.change SET status = ''EXECUTING'' WHERE change_id = %L',
     'PAY10'),
    ('UPDATE pay.payment_order SET refunded_minor = 1001, refunding_minor = 0
      WHERE payment_order_id = ''o1'' AND %L <> ''''', '23514'),
    ('UPDATE pay.payment_order SET refunding_minor = -1
      WHERE payment_order_id = ''o1'' AND %L <> ''''', '23514'),
    ('INSERT INTO pay.job (merchant_id, checkout_id, kind, run_at)
      SELECT ''m1'', ''c1'', ''change'', now() WHERE %L <> ''''', '23514'))
    t (sql, code);

-- jobs: several of one checkout, each with its id
SELECT is(pg_temp.change('o9', 'refund', 'r9' || n, 1, p_lease_ms => 0),
          'created refund NOT_STARTED 1', 'refund ' || n)
FROM generate_series(1, 3) n;
SELECT is(string_agg(concat_ws(' ', j.kind, j.attempts, j.reference,
              (SELECT n FROM generate_series(1, 3) n
               WHERE pg_temp.uuid('r9' || n) = j.operation_id)), ', '
              ORDER BY j.operation_id),
          (SELECT string_agg('change 1 pi-c9 ' || n, ', '
                             ORDER BY pg_temp.uuid('r9' || n))
           FROM generate_series(1, 3) n), 'three jobs of one checkout')
FROM pay_api.claim_jobs('{w,w,w,w,w,w}', '{9,9,9,9,9,9}') j
WHERE j.checkout_id = 'c9';
SELECT is(string_agg(f.outcome, ' ' ORDER BY f.item),
          'done gone gone invalid invalid invalid', 'are given back by id')
FROM pay_api.finish_job('{m1,m1,m1,m1,m1,m1}', '{c9,c9,c9,c9,c9,c9}',
    '{change,change,change,change,poll,change}',
    ARRAY[pg_temp.uuid('r91'), pg_temp.uuid('r92'), 'none', '', 'x', NULL],
    '{w,v,w,w,w,w}', '{5000,5000,5000,5000,5000,5000}', '{a,b,c,d,e,f}',
    '{NULL,NULL,NULL,NULL,NULL,NULL}') f;
SELECT is(string_agg(concat_ws(' ', j.lease_owner, j.code), ', '
                     ORDER BY j.code NULLS LAST), 'a, w, w',
          'the others keep theirs')
FROM pay.job j WHERE j.checkout_id = 'c9';
SELECT is(f.outcome, 'done', 'dropped by a worker that is wrong')
FROM pay_api.finish_job('{m1}', '{c9}', '{change}',
    ARRAY[pg_temp.uuid('r92')], '{w}', '{-1}', '{done}', '{NULL}') f;
SELECT is(pg_temp.job_of('r92'), 'change 1 00:01:00',
          'what is open goes on all the same');
SELECT is(pg_temp.send('c9', 'refund', 'r93'), 'send 1 1', 'sent');
SELECT is(pg_temp.sent('c9', 'refund', 'r93', 'PENDING'), 'stored', 'taken');
SELECT is(pg_temp.job_of('r93'), NULL, 'what the PSP has needs no job');
SELECT is(f.outcome, 'gone', 'and cannot be given up')
FROM pay_api.finish_job('{m1}', '{c9}', '{change}',
    ARRAY[pg_temp.uuid('r93')], '{w}', '{-1}', '{x}', '{retry_limit}') f;
SELECT is(pg_temp.letter_of('r93'), NULL, 'nobody is told');

-- people: again, settled elsewhere, or by their word
UPDATE pay.job SET lease_owner = 'w', lease_until = now()
WHERE checkout_id = 'c9';
SELECT is(f.outcome, 'done', 'given up')
FROM generate_series(1, 2) n, pay_api.finish_job('{m1}', '{c9}', '{change}',
    ARRAY[pg_temp.uuid('r9' || n)], '{w}', '{0}', '{no_answer}',
    '{retry_limit}') f;
SELECT is(pg_temp.letter_of('r91'), 'retry_limit open', 'told');
SELECT is(pay_ops.requeue_dead_letter(d.dead_letter_id, 'ann', 'up again'),
          'requeued', 'again')
FROM pay.dead_letter d WHERE d.operation_id = pg_temp.uuid('r91');
SELECT is(pg_temp.job_of('r91'), 'change 0 00:00:00', 'at once');
SELECT is(pay_ops.resolve_dead_letter(d.dead_letter_id, 'ann', 'by phone'),
          'resolved', 'settled')
FROM pay.dead_letter d WHERE d.operation_id = pg_temp.uuid('r92');
SELECT is(concat_ws(' ', pg_temp.job_of('r92'), pg_temp.how('r92')),
          'NOT_STARTED', 'no job, and as open as before');
SELECT is(pay_ops.settle_change('m1', pg_temp.uuid(n), true, w, y), o, n)
FROM (VALUES ('none', 'ann', 'x', 'not_found'), ('r92', '', 'x', 'invalid'),
    ('r92', 'ann', NULL, 'invalid'), ('r92', 'ann', 'asked', 'settled'),
    ('r92', 'ann', 'asked', 'closed')) t (n, w, y, o);
SELECT is(pay_ops.settle_change('m1', pg_temp.uuid('r93'), NULL, 'a', 'b'),
          'invalid', 'neither done nor not');
SELECT is(pay_ops.settle_change('m1', pg_temp.uuid('r93'), false, 'a', 'b'),
          'settled', 'it has failed');
SELECT is(pg_temp.money('o9'), '0 1000 1 1 0', 'one open, one done');
SELECT is((e.kind, e.actor, e.detail ->> 'who', e.detail ->> 'role')::text,
          '(refund_failed,operator,a,postgres)', 'with who said so')
FROM pay.event e WHERE e.payment_order_id = 'o9' ORDER BY e.seq DESC LIMIT 1;
SELECT is(pg_temp.run_as('payments_gateway',
    'SELECT pay_ops.settle_change(''m1'', ''x'', true, ''a'', ''b'')'),
    '42501', 'not for the gateway');

-- reads
SELECT is(pg_temp.whole('c10', 'o10', 'refund', 'r10' || n, n, s), w, w)
FROM (VALUES (1, 'DONE', 'SUCCESS'), (2, 'REFUSED', 'FAILED'),
    (3, 'PENDING', 'EXECUTING')) t (n, s, w);
SELECT is((SELECT string_agg(concat_ws(' ', x ->> 'status',
               x ->> 'amount_minor', x ->> 'kind', x ->> 'metadata'), ', ')
           FROM jsonb_array_elements(l.changes::jsonb) x),
          'SUCCESS 1 refund {"a": 1}, FAILED 2 refund {"a": 1}, '
          'EXECUTING 3 refund {"a": 1}', 'a list, oldest first')
FROM pay_api.list_changes('{m1}', '{o10}', '{refund}') l;
SELECT is(string_agg(concat_ws(' ', l.outcome, l.changes), ', '
                     ORDER BY l.item),
          'found [], found [], not_found, not_found', 'lists')
FROM pay_api.list_changes('{m1,m1,m2,m1}', '{o10,o10,o10,none}',
                          '{capture,nonsense,refund,refund}') l;
SELECT is(string_agg(concat_ws(' ', g.outcome, g.amount_minor), ', '
                     ORDER BY g.item),
          'found 1, found 1, not_found, not_found, not_found', 'one')
FROM pay_api.get_change('{m1,m1,m1,m2,m1}', '{o10,NULL,o9,o10,o10}',
    ARRAY[pg_temp.uuid('r101'), pg_temp.uuid('r101'), pg_temp.uuid('r101'),
          pg_temp.uuid('r101'), 'none']) g;


\i :checks
SELECT * FROM finish();
ROLLBACK;
