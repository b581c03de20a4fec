-- A checkout that takes the place of another one: begin_payment with replaces,
-- release_replacement, and what may be said of the old one on the way.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

-- a checkout with a page
CREATE FUNCTION pg_temp.page(p_id text) RETURNS text LANGUAGE sql AS $$
SELECT b.outcome FROM pg_temp.begin('m1', 'k-' || p_id, p_id,
                                    ARRAY['o' || p_id || ':100']) b;
SELECT pg_temp.token('m1', p_id, 't' || p_id)
$$;
CREATE FUNCTION pg_temp.replace(
    p_new text, p_old text, p_can_close boolean DEFAULT true,
    p_merchant text DEFAULT 'm1', p_key text DEFAULT NULL,
    p_expires_s bigint DEFAULT 1900000000)
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', b.outcome, b.checkout_id, b.state)
FROM pg_temp.begin(p_merchant, coalesce(p_key, 'k-' || p_new), p_new,
    ARRAY['o' || p_new || ':100'], p_expires_s => p_expires_s,
    p_terms => jsonb_build_object('replaces', p_old, 'can_close', p_can_close,
                                  'change_id', pg_temp.uuid('x' || p_new))) b
$$;
CREATE FUNCTION pg_temp.release(p_new text, p_merchant text DEFAULT 'm1')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', r.outcome, r.registration_state, r.code)
FROM pay_api.release_replacement(ARRAY[p_merchant], ARRAY[p_new], '{30000}',
                                 '{request-9}') r
$$;
CREATE FUNCTION pg_temp.wait_of(p_new text, p_attempts int)
RETURNS TABLE (attempts int, wait interval) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE pay.job j SET attempts = p_attempts WHERE j.checkout_id = p_new;
    PERFORM pg_temp.release(p_new);
    RETURN QUERY SELECT p_attempts, j.run_at - now() FROM pay.job j
    WHERE j.checkout_id = p_new;
END
$$;
CREATE FUNCTION pg_temp.place(p_id text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', coalesce(c.replaces, '-'), coalesce(c.replaced_by, '-'),
                 CASE WHEN r.waits THEN 'waits' END, r.open_attempts)
FROM pay.checkout c JOIN pay.registration r USING (merchant_id, checkout_id)
WHERE c.merchant_id = 'm1' AND c.checkout_id = p_id
$$;

SELECT is(pg_temp.page(c), 'stored', c)
FROM unnest('{a,b,c,d,e,f,g,h,i,j,k,l,m,n}'::text[]) c;

-- one that is being registered in the same batch is not replaced, as one of an
-- earlier batch is not
CREATE FUNCTION pg_temp.batch(p_ids text[], p_olds text[])
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', b.checkout_id, b.outcome, b.version), ', '
                  ORDER BY b.item)
FROM pay_api.begin_payment(
    array_fill('m1'::text, ARRAY[cardinality(p_ids)]),
    ARRAY(SELECT 'k-' || i FROM unnest(p_ids) i),
    ARRAY(SELECT sha256(i::bytea) FROM unnest(p_ids) i), p_ids,
    ARRAY(SELECT pg_temp.uuid(i)::text FROM unnest(p_ids) i),
    ARRAY(SELECT md5(i) FROM unnest(p_ids) i),
    array_fill('stripe'::text, ARRAY[cardinality(p_ids)]),
    ARRAY(SELECT 'o' || i FROM unnest(p_ids) i),
    array_fill('https://s/'::text, ARRAY[cardinality(p_ids)]),
    array_fill('https://g/'::text, ARRAY[cardinality(p_ids)]),
    array_fill(NULL::jsonb, ARRAY[cardinality(p_ids)]),
    array_fill(NULL::jsonb, ARRAY[cardinality(p_ids)]),
    array_fill(NULL::jsonb, ARRAY[cardinality(p_ids)]),
    array_fill('USD'::text, ARRAY[cardinality(p_ids)]),
    array_fill(100::bigint, ARRAY[cardinality(p_ids)]),
    array_fill(1900000000::bigint, ARRAY[cardinality(p_ids)]),
    ARRAY(SELECT n::bigint FROM generate_subscripts(p_ids, 1) n),
    ARRAY(SELECT 'o' || i FROM unnest(p_ids) i),
    array_fill('s'::text, ARRAY[cardinality(p_ids)]),
    array_fill(100::bigint, ARRAY[cardinality(p_ids)]),
    array_fill(NULL::text, ARRAY[cardinality(p_ids)]),
    array_fill(86400::bigint, ARRAY[cardinality(p_ids)]),
    array_fill(30000::bigint, ARRAY[cardinality(p_ids)]),
    array_fill('request-1'::text, ARRAY[cardinality(p_ids)]),
    array_fill('stripe'::text, ARRAY[cardinality(p_ids)]),
    array_fill(NULL::text, ARRAY[cardinality(p_ids)]),
    array_fill('86400'::text, ARRAY[cardinality(p_ids)]),
    array_fill(NULL::text, ARRAY[cardinality(p_ids)]),
    ARRAY(
        SELECT CASE WHEN o <> '' THEN jsonb_build_object('replaces', o,
            'can_close', true, 'change_id', pg_temp.uuid('x' || i)) END
        FROM unnest(p_ids, p_olds) u (i, o))) b
$$;
SELECT is(pg_temp.batch('{za,zb}', '{"",za}'),
          'za created 1, not_replaced', 'a batch of both');
SELECT is(c.version, 1, 'the answer is no older than the checkout')
FROM pay.checkout c WHERE c.checkout_id = 'za';
SELECT is(pg_temp.batch('{zc}', '{za}'), 'not_replaced',
          'one after the other');
SELECT is(pg_temp.batch('{zd,ze}', '{n,""}'),
          'zd waiting 1, ze created 1', 'others of a batch may replace');

-- the whole way
SELECT is(pg_temp.replace('a2', 'a'), 'waiting a2 REGISTERING', 'it waits');
SELECT is(pg_temp.place('a') || ', ' || pg_temp.place('a2'),
          '- a2 1, a - waits 0', 'each knows the other');
SELECT is(pg_temp.journal('a2'), NULL, 'nothing is sent for it');
SELECT is(pg_temp.kinds('m1', 'oa'), 'created registered cancel_requested',
          'the old one is being closed');
SELECT is(e.detail ->> 'replaces', 'a', 'the new one''s story begins so')
FROM pay.event e WHERE e.payment_order_id = 'oa2' AND e.seq = 1;
SELECT is(pg_temp.release('a2'), 'waiting REGISTERING', 'it waits on');
SELECT is(pg_temp.claim('a2'), 'job replace a2 stripe 1',
          'its job only looks');
SELECT is(pg_temp.journal('a2'), NULL, 'and sends nothing');
SELECT is(pg_temp.replace('a2', 'a'), 'replayed a2 REGISTERING',
          'a repetition has its state');
SELECT is(pg_temp.replace('a3', 'a'), 'not_replaced', 'once only');
SELECT is((SELECT count(*) FROM pay.checkout WHERE checkout_id = 'a3')::int
          + (SELECT count(*) FROM pay.idempotency_key
             WHERE key = 'k-a3')::int, 0, 'a loser leaves nothing behind');
SELECT is(pg_temp.send('a', 'cancel', 'xa2'), 'send 1 1', 'the close is sent');
SELECT is(pg_temp.release('a2'), 'waiting REGISTERING', 'nobody knows');
SELECT is(pg_temp.sent('a', 'cancel', 'xa2', 'DONE'), 'stored', 'closed');
SELECT is(pg_temp.status('m1', 'oa'), 'FAILED/cancelled', 'the old one');
SELECT is(pg_temp.release('a2'), 'released REGISTERING', 'the new one goes');
SELECT is(pg_temp.journal('a2'), 'register 1 stripe OPEN 1', 'journaled');
SELECT is(pg_temp.place('a2'), 'a - 1', 'as any other');
SELECT is(pg_temp.release('a2'), 'already REGISTERING', 'once');
SELECT is(pg_temp.journal('a2'), 'register 1 stripe OPEN 1', 'one call');
SELECT is(pg_temp.kinds('m1', 'oa'),
          'created registered cancel_requested cancelled replaced', 'its end');
SELECT is(pg_temp.token('m1', 'a2', 'ta2'), 'stored', 'its page');
SELECT is(pg_temp.replace('a4', 'a2'), 'waiting a4 REGISTERING', 'a chain');

-- a refused card is no closed page, nor is our own word that time is over
SELECT is(pg_temp.replace('b2', 'b'), 'waiting b2 REGISTERING', 'it waits');
SELECT is(pg_temp.fact('tb', 'declined'), 'applied', 'declined meanwhile');
SELECT is(pg_temp.how('xb2') || ' ' || pg_temp.release('b2'),
          'NOT_STARTED waiting REGISTERING', 'it goes on');
SELECT is(pg_temp.fact('tb', 'expired', p_source => 'gateway'), 'unchanged',
          'we think that it is over');
SELECT is(pg_temp.how('xb2') || ' ' || pg_temp.release('b2'),
          'NOT_STARTED waiting REGISTERING', 'it goes on');
SELECT is(pg_temp.send('b', 'cancel', 'xb2'), 'send 1 1', 'the close is sent');
SELECT is(pg_temp.sent('b', 'cancel', 'xb2', 'DONE'), 'stored', 'closed');
SELECT is(pg_temp.release('b2'), 'released REGISTERING', 'released');
SELECT is(pg_temp.status('m1', 'ob') || ' ' || pg_temp.kinds('m1', 'ob'),
    'FAILED/declined created registered cancel_requested declined replaced',
    'it stays declined');
SELECT is(pg_temp.replace('c2', 'c'), 'waiting c2 REGISTERING', 'it waits');
SELECT is(pg_temp.fact('tc', 'expired', p_source => 'gateway'), 'applied',
          'we think that it is over');
SELECT is(pg_temp.release('c2'), 'waiting REGISTERING', 'it goes on');
SELECT is(pg_temp.fact('tc', 'expired'), 'unchanged', 'the PSP says so');
SELECT is(pg_temp.how('xc2') || ' ' || pg_temp.release('c2'),
          'SUCCESS released REGISTERING', 'that is proof');

-- paid on the way
SELECT is(pg_temp.replace('d2', 'd'), 'waiting d2 REGISTERING', 'it waits');
SELECT is(pg_temp.fact('td', 'paid'), 'applied', 'paid meanwhile');
SELECT is(pg_temp.release('d2'), 'refused REFUSED not_replaced', 'refused');
SELECT is(pg_temp.status('m1', 'od2') || ' ' || pg_temp.kinds('m1', 'od2'),
          'FAILED/cancelled created cancelled', 'the new one has ended');
SELECT is(pg_temp.job('m1', 'd2'), NULL, 'and has no job');
SELECT is(pg_temp.place('d') || ', ' || pg_temp.place('d2'),
          '- - 1, d - waits 0', 'the old one as it was');
SELECT is(pg_temp.release('d2'), 'already REFUSED not_replaced', 'once');
SELECT is(pg_temp.replace('d2', 'd'), 'replayed d2 REFUSED', 'a repetition');
SELECT is(pg_temp.replace('d3', 'd'), 'not_replaced', 'paid is paid');

-- the PSP does not close it
SELECT is(pg_temp.replace('e2', 'e'), 'waiting e2 REGISTERING', 'it waits');
SELECT is(pg_temp.send('e', 'cancel', 'xe2'), 'send 1 1', 'the close is sent');
SELECT is(pg_temp.sent('e', 'cancel', 'xe2', 'REFUSED'), 'stored', 'refused');
SELECT c.version AS before FROM pay.checkout c WHERE c.checkout_id = 'e'
\gset
SELECT is(pg_temp.release('e2'), 'refused REFUSED not_replaced', 'refused');
SELECT is((c.replaced_by, c.version - :before)::text, '(,1)',
          'which its readers see by their ETag')
FROM pay.checkout c WHERE c.checkout_id = 'e';
SELECT is(pg_temp.status('m1', 'oe'), 'EXECUTING', 'the old one is open');
SELECT is(pg_temp.replace('e3', 'e'), 'waiting e3 REGISTERING',
          'it may be tried again');

-- what may not be replaced, and what needs no call
SELECT is(pg_temp.fact('tf', 'pending'), 'unchanged', 'pending');
SELECT is(pg_temp.replace('f2', 'f'), 'not_replaced', 'may be paid');
SELECT is(pg_temp.replace('g2', 'g', false), 'not_replaced',
          'a page that cannot be closed');
SELECT is(pg_temp.fact('tg', 'expired'), 'applied', 'the PSP has closed it');
SELECT is(pg_temp.replace('g3', 'g', false), 'created g3 REGISTERING',
          'needs no call');
SELECT is(pg_temp.journal('g3'), 'register 1 stripe OPEN 1', 'it is sent');
SELECT is(pg_temp.kinds('m1', 'og'), 'created registered expired replaced',
          'the old one''s end');
SELECT is(pg_temp.change('oh', 'cancel', 'vh'),
          'created cancel NOT_STARTED 100', 'a cancellation');
SELECT is(pg_temp.replace('h2', 'h'), 'not_replaced', 'is on its way');
SELECT b.outcome FROM pg_temp.begin('m1', 'k-u', 'u', '{ou:100}') b
\g /dev/null
SELECT is(pg_temp.replace('u2', 'u'), 'not_replaced',
          'what may still get a page');
SELECT is(pg_temp.no_token('m1', 'u', 'refused'), 'stored', 'or never will');
SELECT is(pg_temp.replace('u3', 'u'), 'created u3 REGISTERING', 'which is 1');
SELECT is(pg_temp.fact('ti', 'paid', p_amount => 5), 'mismatch', 'differs');
SELECT is(pg_temp.replace('i2', 'i'), 'not_replaced', 'something was paid');
SELECT is(pg_temp.replace('j2', o, p_merchant => m), 'nothing_to_replace',
          m || ' ' || o)
FROM (VALUES ('m2', 'j'), ('m1', 'none'), ('m1', 'j2')) t (m, o);
SELECT is(pg_temp.replace('j2', ''), 'invalid', 'no id');

-- two of one batch
SELECT is(string_agg(b.item || ' ' || b.outcome, ', ' ORDER BY b.item),
          '1 waiting, 2 not_replaced, 3 created', 'one of a batch')
FROM pay_api.begin_payment('{m1,m1,m1}', '{kk1,kk2,kk3}',
    array_fill(sha256('b'), '{3}'), '{k2,k3,k4}',
    ARRAY[pg_temp.uuid('k2'), pg_temp.uuid('k3'), pg_temp.uuid('k4')],
    '{hk2,hk3,hk4}', '{stripe,stripe,stripe}', '{ok2,ok3,ok4}',
    array_fill('https://shop/r'::text, '{3}'),
    array_fill('https://gw'::text, '{3}'), array_fill(NULL::jsonb, '{3}'),
    array_fill(NULL::jsonb, '{3}'), array_fill(NULL::jsonb, '{3}'),
    '{USD,USD,USD}', '{100,100,100}',
    '{1900000000,1900000000,1900000000}',
    '{1,2,3}', '{ok2,ok3,ok4}', '{s,s,s}', '{100,100,100}',
    '{NULL,NULL,NULL}', '{86400,86400,86400}',
    '{30000,30000,30000}', '{r,r,r}', '{stripe,stripe,stripe}',
    '{NULL,NULL,NULL}', '{86400,86400,86400}', '{NULL,NULL,NULL}',
    ARRAY[jsonb_build_object('replaces', 'k', 'can_close', true, 'change_id',
            pg_temp.uuid('xk2')),
        jsonb_build_object('replaces', 'k', 'can_close', true, 'change_id',
            pg_temp.uuid('xk3')), NULL]) b;

-- the new one's time is over before the page is closed
SELECT is(pg_temp.replace('l2', 'l'), 'waiting l2 REGISTERING', 'it waits');
UPDATE pay.checkout SET expires_at = now() - interval '1 s'
WHERE checkout_id = 'l2';
SELECT is(pg_temp.send('l', 'cancel', 'xl2'), 'send 1 1', 'the close is sent');
SELECT is(pg_temp.sent('l', 'cancel', 'xl2', 'DONE'), 'stored', 'closed');
SELECT is(pg_temp.release('l2'), 'waiting REGISTERING', 'too late');
SELECT is(pg_temp.claim('l2'), 'job over l2 stripe 1', 'its job ends it');
SELECT is(pg_temp.no_token('m1', 'l2', 'expired'), 'stored', 'ended');
SELECT is(pg_temp.replace('l3', 'l2'), 'created l3 REGISTERING',
          'the next one in the chain');

-- the same, and the page stays open: nothing stands beside it
SELECT is(pg_temp.page(c), 'stored', c) FROM unnest('{q,s}'::text[]) c;
SELECT is(pg_temp.replace(c || '2', c), format('waiting %s2 REGISTERING', c),
          'it waits')
FROM unnest('{q,s}'::text[]) c;
UPDATE pay.checkout SET expires_at = now() - interval '1 s'
WHERE checkout_id = 'q2';
SELECT is(pg_temp.send('q', 'cancel', 'xq2'), 'send 1 1', 'the close is sent');
SELECT is(pg_temp.claim('q2'), 'job over q2 stripe 1', 'its time is over');
SELECT is(pg_temp.no_token('m1', 'q2', 'expired'), 'stored', 'ended');
SELECT is(pg_temp.replace('q3', 'q2'), 'not_replaced', 'q may be paid');
SELECT is(pg_temp.replace('q4', 'q'), 'not_replaced', 'and is being closed');
SELECT is(x.explanation::json #>> '{safe_to_retry,answer}', 'no',
          'its story says so')
FROM pay_api.explain_payment('{m1}', '{oq2}', '{0}') x;
SELECT is(pg_temp.sent('q', 'cancel', 'xq2', 'REFUSED'), 'stored', 'refused');
SELECT is(pg_temp.replace('q3', 'q2'), 'not_replaced', 'q is open');
SELECT is(pg_temp.replace('q4', 'q'), 'waiting q4 REGISTERING',
          'its place is free again');
SELECT is(pg_temp.replace('q5', 'q'), 'not_replaced', 'for one');
SELECT is(pg_temp.replace('q3', 'q2'), 'not_replaced', 'of the two');

-- nor beside one that the PSP has not closed, whatever had ended
SELECT is(pg_temp.send('s', 'cancel', 'xs2'), 'send 1 1', 'the close is sent');
SELECT is(pg_temp.sent('s', 'cancel', 'xs2', 'REFUSED'), 'stored', 'refused');
SELECT is(pg_temp.release('s2'), 'refused REFUSED not_replaced', 'refused');
SELECT is(pg_temp.replace('s3', 's2'), 'not_replaced', 's is open');
SELECT is(x.explanation::json #>> '{safe_to_retry,answer}', 'no',
          'its story says so')
FROM pay_api.explain_payment('{m1}', '{os2}', '{0}') x;

-- late money on a page that was closed
SELECT b.outcome FROM pg_temp.begin('m1', 'k-z', 'z', '{oz:100}',
                                    p_late => 'hold') b
\g /dev/null
SELECT is(pg_temp.token('m1', 'z', 'tz'), 'stored', 'one that holds late money');
SELECT is(pg_temp.replace('z2', 'z'), 'waiting z2 REGISTERING', 'it waits');
SELECT pg_temp.send('z', 'cancel', 'xz2')
\g /dev/null
SELECT is(pg_temp.sent('z', 'cancel', 'xz2', 'DONE'), 'stored', 'closed');
SELECT is(pg_temp.release('z2'), 'released REGISTERING', 'released');
SELECT is(pg_temp.fact('tz', 'paid'), 'held', 'is held, as it is after expiry');
SELECT is(x.explanation::json #>> '{safe_to_retry,answer}', 'no',
          'the new one says so')
FROM pay_api.explain_payment('{m1}', '{oz2}', '{0}') x;

-- late money that came while the page was being closed stays late, although
-- the PSP then refuses to close it: it is not a sale as well
SELECT b.outcome FROM pg_temp.begin('m1', 'k-v', 'v', '{ov:100}',
                                    p_late => 'refund') b
\g /dev/null
SELECT is(pg_temp.token('m1', 'v', 'tv'), 'stored', 'one that pays it back');
SELECT is(pg_temp.fact('tv', 'declined'), 'applied', 'declined');
SELECT is(pg_temp.replace('v2', 'v'), 'waiting v2 REGISTERING', 'it waits');
SELECT pg_temp.send('v', 'cancel', 'xv2')
\g /dev/null
SELECT is(pg_temp.fact('tv', 'paid'), 'held', 'it came too late');
SELECT is(pg_temp.sent('v', 'cancel', 'xv2', 'REFUSED'), 'stored', 'refused');
SELECT is(pg_temp.release('v2'), 'refused REFUSED not_replaced', 'refused');
SELECT is(pg_temp.fact('tv', 'paid', p_source => 'query'), 'held',
          'the PSP says again that it was paid');
SELECT is(l.state || ' ' || pg_temp.status('m1', 'ov'),
          'refunding FAILED/declined', 'it goes back')
FROM pay.late_success l WHERE l.checkout_id = 'v';

-- who waits for long asks less often
SELECT is(pg_temp.page('y'), 'stored', 'y');
SELECT is(pg_temp.replace('y2', 'y'), 'waiting y2 REGISTERING', 'it waits');
SELECT is(array_agg(x.wait ORDER BY x.attempts), '{00:00:02,00:00:06,00:01}',
          'from 2 s to a minute')
FROM (VALUES (1), (60), (2000)) a (attempts)
CROSS JOIN LATERAL pg_temp.wait_of('y2', a.attempts) x;

SELECT is(r.outcome, 'not_found', 'nothing to release')
FROM pay_api.release_replacement('{m1,m2,m1}', '{none,a2,n}', '{1,1,1}',
                                 '{r,r,r}') r;
SELECT is(r.outcome, 'invalid', 'lease ' || coalesce(r.item, 0))
FROM pay_api.release_replacement('{m1,m1}', '{a4,a4}', '{0,NULL}',
                                 '{r,r}') r;

\i :checks
SELECT finish();
ROLLBACK;
