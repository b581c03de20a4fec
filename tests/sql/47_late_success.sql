-- A payment that is proved after its checkout has expired: sold, held or paid
-- back, once, however often and in which order it is told.

BEGIN;
\ir helpers.psql
SELECT no_plan();

-- a1 .. are held, b1 .. paid back, c1 .. sold
SELECT b.outcome FROM unnest('{a,b,c}'::text[]) k, generate_series(1, 30) n,
    pg_temp.begin('m1', 'k-' || k || n, k || n,
                  ARRAY['o' || k || n || ':100', 'p' || k || n || ':50']) b
\g /dev/null
UPDATE pay.checkout
SET late_success = CASE left(checkout_id, 1) WHEN 'a' THEN 'hold'
                                             WHEN 'b' THEN 'refund'
                                             ELSE 'accept' END;
SELECT pg_temp.token('m1', k || n, 't' || k || n, p_alias => 'x' || k || n)
FROM unnest('{a,b,c}'::text[]) k, generate_series(1, 26) n
\g /dev/null
SELECT pg_temp.fact('t' || k || n, 'expired')
FROM unnest('{a,b,c}'::text[]) k, generate_series(1, 10) n
\g /dev/null

CREATE FUNCTION pg_temp.late(p_checkout text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', l.state, l.source, l.reference)
FROM pay.late_success l
WHERE l.merchant_id = 'm1' AND l.checkout_id = p_checkout
$$;
CREATE FUNCTION pg_temp.letters(p_checkout text) RETURNS text LANGUAGE sql AS
$$
SELECT string_agg(concat_ws(' ', d.kind, d.reason, d.state), ', '
                  ORDER BY d.kind, d.dead_letter_id)
FROM pay.dead_letter d
WHERE d.merchant_id = 'm1' AND d.checkout_id = p_checkout
$$;
CREATE FUNCTION pg_temp.version(p_checkout text) RETURNS int LANGUAGE sql AS $$
SELECT c.version FROM pay.checkout c
WHERE c.merchant_id = 'm1' AND c.checkout_id = p_checkout
$$;

-- held
SELECT is(pg_temp.version('a1'), 3, 'registered and expired');
SELECT is((e.outcome, e.checkout_id,
           e.order_status)::text, '(held,a1,FAILED)',
          'paid after the end: held, and the view says FAILED')
FROM pay_api.apply_event('{stripe}', '{webhook}', '{e-a1}', '{x.paid}',
    '{paid}', '{ta1}', '{pi_1}', '{ok}', '{150}', '{USD}',
    ARRAY[sha256('b')], '{r1}') e;
SELECT is(pg_temp.status('m1', 'oa1') || ' ' || pg_temp.status('m1', 'pa1'),
          'FAILED/expired FAILED/expired', 'no order moves');
SELECT is((c.is_payment_done, c.version)::text, '(f,3)',
          'it is not done, and no reader sees anything new')
FROM pay.checkout c WHERE c.checkout_id = 'a1';
SELECT is((l.psp, l.event_id, l.source, l.reference, l.amount_minor,
           l.currency, l.state)::text,
          '(stripe,e-a1,webhook,pi_1,150,USD,held)', 'what is held')
FROM pay.late_success l WHERE l.checkout_id = 'a1';
SELECT is((d.kind, d.reason, d.psp, d.state, d.event_id)::text,
          '(late_success,held,stripe,open,)', 'people hear of it')
FROM pay.dead_letter d WHERE d.checkout_id = 'a1';
SELECT is((i.state, i.checkout_id)::text, '(held,a1)', 'the inbox says so')
FROM pay.webhook_inbox i WHERE i.event_id = 'e-a1';
SELECT is((e.seq, e.actor, e.old_status, e.new_status, e.reason, e.detail,
           e.request_id)::text,
    '(4,webhook,FAILED,FAILED,expired,"{""code"": ""ok"", ""type"": '
    '""x.paid"", ""policy"": ""hold"", ""reference"": ""pi_1""}",r1)',
    'the timeline tells it')
FROM pay.event e WHERE e.payment_order_id = 'pa1' AND e.kind = 'late_success';
SELECT is(pg_temp.job('m1', 'a1'), NULL, 'nothing goes on by itself');

-- again and again
SELECT is(pg_temp.fact('ta1', 'paid', 'e-a1'), 'duplicate', 'redelivered');
SELECT is(pg_temp.fact('ta1', 'paid', 'e-a1-2', p_reference => 'pi_1'),
          'held', 'said by another webhook');
SELECT is(pg_temp.fact('xa1', 'paid', p_source => 'query'), 'held',
          'and by the PSP itself')
FROM generate_series(1, 3);
SELECT is(pg_temp.kinds('m1', 'oa1'),
          'created registered expired late_success', 'is told once');
SELECT is(pg_temp.late('a1'), 'held webhook pi_1', 'is kept once');
SELECT is(pg_temp.letters('a1'), 'late_success held open', 'is asked once');
SELECT is(i.state, 'held', 'each webhook is marked')
FROM pay.webhook_inbox i WHERE i.event_id = 'e-a1-2';

-- what else may be said of it
SELECT is(pg_temp.fact('ta1', f), 'unchanged', 'afterwards: ' || f)
FROM unnest('{pending,declined,cancelled,rejected}'::text[]) f;
SELECT is(pg_temp.fact('ta1', 'expired', p_source => 'gateway'), 'unchanged',
          'afterwards: the gateway''s own end');
SELECT is(pg_temp.fact('ta1', 'paid', 'e-a1-wrong', p_amount => 149),
          'mismatch', 'another amount is a mismatch');
SELECT is(pg_temp.fact('ta2', 'paid', 'e-a2-wrong', p_currency => 'EUR'),
          'mismatch', 'also when it comes first');
SELECT is(pg_temp.late('a2'), NULL, 'and holds nothing');
SELECT is(pg_temp.fact('ta1', 'ask', s.id, s.source), 'asked',
          'asked by a ' || s.source)
FROM (VALUES ('webhook', 'e-a1-ask'), ('hint', NULL)) s (source, id);
SELECT is(pg_temp.job('m1', 'a1'), NULL, 'but the PSP is asked no more');
SELECT is(pg_temp.status('m1', 'oa1'), 'FAILED/expired', 'nothing moved');
SELECT is(pg_temp.version('a1'), 3, 'nor was anything to be seen');

-- the payment id may come late, and is never replaced
SELECT is(pg_temp.fact('ta3', 'paid', p_source => 'query'), 'held', 'a poll');
SELECT is(pg_temp.late('a3'), 'held query', 'knew no reference');
SELECT is(pg_temp.fact('ta3', 'paid', 'e-a3', p_reference => 'pi_3'), 'held',
          'a webhook does');
SELECT is(pg_temp.late('a3'), 'held query pi_3', 'it is filled in');
SELECT is(pg_temp.fact('ta3', 'paid', 'e-a3-2', p_reference => 'pi_4'),
          'contradiction', 'another one');
SELECT is(pg_temp.late('a3'), 'held query pi_3', 'is not taken');
SELECT is(r.reference, 'pi_3', 'nor for the registration')
FROM pay.registration r WHERE r.checkout_id = 'a3';

-- paid back
SELECT is(pg_temp.fact('tb1', 'paid', p_reference => 'pi_b'), 'held',
          'a payment that goes back is held');
SELECT is(pg_temp.late('b1'), 'refunding webhook pi_b', 'for a while');
SELECT is((j.kind, j.attempts, j.run_at = now(), j.lease_owner)::text,
          '(refund,0,t,)', 'a job pays it back, at once')
FROM pay.job j WHERE j.checkout_id = 'b1';
SELECT is(pg_temp.letters('b1'), NULL, 'people need not decide');
SELECT is(pg_temp.status('m1', 'ob1'), 'FAILED/expired', 'no order moves');
UPDATE pay.job SET attempts = 3, run_at = now() + interval '1 h',
    lease_owner = 'w', lease_until = now() + interval '1 min'
WHERE checkout_id = 'b1';
SELECT is(pg_temp.fact('tb1', 'paid', 'e-b1-' || n), 'held', 'repeated')
FROM generate_series(1, 2) n;
SELECT is((j.attempts, j.run_at > now(), j.lease_owner)::text, '(3,t,w)',
          'whoever is at it is not disturbed')
FROM pay.job j WHERE j.checkout_id = 'b1';
SELECT is(pg_temp.fact('tb1', 'ask', 'e-b1-ask'), 'asked', 'an ask');
SELECT is(pg_temp.job('m1', 'b1'), 'refund 3', 'brings no poll');
UPDATE pay.late_success SET state = 'refunded' WHERE checkout_id = 'b1';
CREATE FUNCTION pg_temp.paid_back(p_checkout text) RETURNS void
LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT post(array_agg(ROW(l.merchant_id, 'late/' || l.checkout_id,
    'late_refunded', l.checkout_id, NULL, l.psp, NULL, l.amount_minor,
    l.currency, NULL, NULL, NULL, NULL)::posting))
FROM late_success l WHERE l.checkout_id = p_checkout
$$;
SELECT pg_temp.paid_back('b1')
\g /dev/null
DELETE FROM pay.job WHERE checkout_id = 'b1';
SELECT is(pg_temp.fact('tb1', 'paid', 'e-b1-late'), 'held',
          'said again after it went back');
SELECT is(concat_ws('/', pg_temp.late('b1'), pg_temp.job('m1', 'b1')),
          'refunded webhook pi_b', 'it does not go back twice');

-- sold
SELECT is(pg_temp.fact('tc1', 'paid'), 'applied', 'accepted: paid');
SELECT is(pg_temp.status('m1', 'oc1'), 'SUCCESS', 'is a sale');
SELECT is(pg_temp.late('c1'), NULL, 'and nothing else');

-- only after the end, and only after that end
SELECT is(pg_temp.fact('t' || k || '11', 'paid'), 'applied', k || ': in time')
FROM unnest('{a,b,c}'::text[]) k;
SELECT is(pg_temp.fact('t' || k || n, f), 'applied', concat_ws(' ', k, f))
FROM unnest('{a,b}'::text[]) k,
    unnest('{declined,cancelled,rejected}'::text[]) WITH ORDINALITY AS
    v (f, i), LATERAL (SELECT 11 + v.i AS n) x;
SELECT is(pg_temp.fact('t' || k || n, 'paid'), 'applied',
          concat_ws(' ', k, n, 'paid after all'))
FROM unnest('{a,b}'::text[]) k, generate_series(12, 14) n;
SELECT is(pg_temp.status('m1', 'ob13'), 'SUCCESS', 'a sale');
SELECT is((SELECT count(*) FROM pay.late_success
           WHERE checkout_id ~ '^[ab]1[1-4]$'), 0::bigint, 'nothing is held');

-- a poll is under way
UPDATE pay.job SET lease_owner = 'w', lease_until = now() + interval '30 s',
    again_at = now()
WHERE checkout_id IN ('a15', 'b15');
SELECT is(pg_temp.fact('t' || c, 'expired'), 'applied', c || ' expired')
FROM unnest('{a15,b15}'::text[]) c;
SELECT is(pg_temp.job('m1', 'a15'), 'poll 0', 'a poll that was asked for stays');
SELECT is(pg_temp.fact('t' || c, 'paid', p_source => 'query'), 'held',
          c || ' is held')
FROM unnest('{a15,b15}'::text[]) c;
SELECT is(pg_temp.job('m1', 'a15'), NULL, 'it ends with that');
SELECT is(pg_temp.job('m1', 'b15'), 'refund 0', 'for the refund');

-- one batch: turns
SELECT is(string_agg(e.item || ' ' || e.outcome, ', ' ORDER BY e.item),
    '1 asked, 2 applied, 3 held, 4 applied, 5 held, 6 held, 7 unchanged, '
    '8 contradiction, 9 asked, 10 asked, 11 duplicate',
    'end, money and questions in one batch')
FROM pay_api.apply_event(array_fill('stripe'::text, '{11}'),
    '{hint,gateway,webhook,webhook,query,webhook,webhook,webhook,webhook,hint,webhook}',
    '{NULL,NULL,f1,f2,NULL,f3,f4,f5,f6,NULL,f1}',
    array_fill('x'::text, '{11}'),
    '{ask,expired,paid,paid,paid,paid,declined,expired,ask,ask,paid}',
    '{ta16,ta16,ta16,ta17,xa16,ta16,ta16,ta17,ta16,ta16,ta16}',
    '{NULL,NULL,NULL,NULL,pi_16,NULL,NULL,NULL,NULL,NULL,NULL}',
    array_fill(NULL::text, '{11}'), array_fill(NULL::bigint, '{11}'),
    array_fill(NULL::text, '{11}'), array_fill(NULL::bytea, '{11}'),
    array_fill('r'::text, '{11}')) e
WHERE coalesce(e.place, 1) = 1;
SELECT is(pg_temp.kinds('m1', 'oa16'),
          'created registered expired late_success notified',
          'told in the order of items');
SELECT is(pg_temp.late('a16'), 'held webhook pi_16',
          'kept once, as it came first, with what the batch knows');
SELECT is(pg_temp.letters('a16'), 'late_success held open', 'asked once');
SELECT is(pg_temp.job('m1', 'a16'), NULL, 'and no poll is left');
SELECT is(pg_temp.status('m1', 'oa17'), 'SUCCESS',
          'paid before the end is paid');

-- all orders of four facts: money before the end sells, after it is held
SELECT is(string_agg(pg_temp.fact('t' || c || n, f, concat('p', c, n, f)), ' '
                     ORDER BY i), w, concat_ws(' ', c, n))
FROM (VALUES ('a', 18, '{declined,expired,paid}', 'applied unchanged applied'),
    ('a', 19, '{expired,declined,paid}', 'applied unchanged held'),
    ('a', 20, '{expired,paid,declined}', 'applied held unchanged'),
    ('a', 21, '{paid,expired,declined}',
     'applied contradiction contradiction'),
    ('b', 18, '{pending,expired,paid}', 'unchanged applied held'),
    ('b', 19, '{expired,pending,paid}', 'applied unchanged held')
    ) v (c, n, fs, w), unnest(v.fs::text[]) WITH ORDINALITY AS f (f, i)
GROUP BY c, n, w;

-- parked
SELECT is(pg_temp.fact('early' || k, f, concat('early', k, i, f)), 'parked',
          concat_ws(' ', 'early', k, f))
FROM unnest('{a,b}'::text[]) k,
    unnest('{expired,paid}'::text[]) WITH ORDINALITY AS f (f, i);
SELECT is(pg_temp.token('m1', k || '27', 'early' || k), 'stored', 'its token')
FROM unnest('{a,b}'::text[]) k;
SELECT is(pg_temp.kinds('m1', 'oa27'),
          'created registered expired late_success', 'joined in their order');
SELECT is(string_agg(i.state, ' ' ORDER BY i.event_id), 'applied held',
          'the inbox follows')
FROM pay.webhook_inbox i WHERE i.token = 'earlyb';
SELECT is(pg_temp.job('m1', 'a27'), NULL, 'no poll is left');
SELECT is(pg_temp.job('m1', 'b27'), 'refund 0', 'but the refund');
SELECT is(pg_temp.fact('tooearly', 'paid'), 'parked', 'a payment is parked');
SELECT is(pg_temp.no_token('m1', 'a28', 'expired'), 'stored',
          'its checkout gives up without a token');
SELECT is(pg_temp.token('m1', 'a28', 'tooearly'), 'mismatch',
          'then the token comes');
SELECT is(pg_temp.late('a28'), 'held webhook', 'and the payment is held');
SELECT is((SELECT i.state FROM pay.webhook_inbox i
           WHERE i.token = 'tooearly'), 'held', 'so says the inbox');
SELECT is(pg_temp.status('m1', 'oa28'), 'FAILED/expired', 'no order moves');

-- what people were told of the poll is settled by the money
INSERT INTO pay.dead_letter (merchant_id, checkout_id, psp, kind, reason)
VALUES ('m1', 'a4', 'stripe', 'poll', 'retry_limit'),
    ('m1', 'a4', 'stripe', 'stuck', 'unknown'),
    ('m1', 'b4', 'stripe', 'poll', 'retry_limit');
SELECT is(pg_temp.fact('ta4', 'paid'), 'held', 'held');
SELECT is(pg_temp.letters('a4'), 'late_success held open, '
    'poll retry_limit settled, stuck unknown open',
    'the letter about the poll is settled');
SELECT is(pg_temp.letters('b4'), 'poll retry_limit open', 'another''s is not');

-- and by any final word
INSERT INTO pay.dead_letter (merchant_id, checkout_id, psp, kind, reason)
SELECT 'm1', c, 'stripe', k.kind, k.reason
FROM unnest('{c12,c13}'::text[]) c,
    unnest('{poll,stuck,register,refund,late_success}'::text[],
           '{retry_limit,executing,cancelled,refused,held}'::text[])
        AS k (kind, reason);
SELECT is(pg_temp.fact('tc12', 'pending'), 'unchanged', 'pending');
SELECT is((SELECT count(*) FROM pay.dead_letter d
           WHERE d.checkout_id = 'c12' AND d.state <> 'open'), 0::bigint,
          'is no final word');
SELECT is(pg_temp.fact('tc12', 'paid'), 'applied', 'paid');
SELECT is(pg_temp.fact('tc13', 'declined'), 'applied', 'declined');
SELECT is(pg_temp.letters(c), 'late_success held open, poll retry_limit '
    'settled, refund refused open, register cancelled open, '
    'stuck executing settled', c || ': poll and stuck are settled')
FROM unnest('{c12,c13}'::text[]) c;
SELECT is((d.closed_by, d.closed_why, d.attempts)::text, '(gateway,SUCCESS,0)',
          'by whom and why')
FROM pay.dead_letter d WHERE d.checkout_id = 'c12' AND d.kind = 'poll';
DELETE FROM pay.dead_letter WHERE checkout_id IN ('c12', 'c13');

-- the schema keeps it so
CREATE FUNCTION pg_temp.go(p_from text, p_to text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pay.late_success (merchant_id, checkout_id, psp, source,
        amount_minor, currency, state)
    VALUES ('m1', 'c5', 'stripe', 'webhook', 150, 'USD', p_from);
    UPDATE pay.late_success SET state = p_to WHERE checkout_id = 'c5';
    RAISE EXCEPTION USING ERRCODE = 'TTT00';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
SELECT is(pg_temp.go(a, b), CASE WHEN a = b OR (a, b) IN (
    ('held', 'accepted'), ('held', 'resolved'), ('refunding', 'refunded'),
    ('refunding', 'resolved'), ('resolved', 'refunded'), ('refunded', 'refunding'))
    THEN 'TTT00'
    ELSE 'PAY10' END, a || ' to ' || b)
FROM unnest('{held,refunding,refunded,accepted,resolved}'::text[]) a,
    unnest('{held,refunding,refunded,accepted,resolved}'::text[]) b;
SELECT throws_ok(sql, state, NULL, sql)
FROM (VALUES
    ('UPDATE pay.late_success SET refund_id = gen_random_uuid()', 'PAY11'),
    ('UPDATE pay.late_success SET amount_minor = 1', 'PAY11'),
    ('UPDATE pay.late_success SET currency = ''EUR''', 'PAY11'),
    ('UPDATE pay.late_success SET psp = ''adyen''', 'PAY11'),
    ('UPDATE pay.late_success SET checkout_id = ''c9''', 'PAY11'),
    ('UPDATE pay.late_success SET merchant_id = ''m2''', 'PAY11'),
    ('UPDATE pay.late_success SET state = ''paid''', 'PAY10')
    ) t (sql, state);
SET LOCAL session_replication_role = replica;
SELECT throws_ok(sql, state, NULL, 'as a replica: ' || sql)
FROM (VALUES
    ('UPDATE pay.late_success SET refund_id = gen_random_uuid()', 'PAY11'),
    ('UPDATE pay.late_success SET state = ''held''', 'PAY10')) t (sql, state);
SET LOCAL session_replication_role = origin;

-- tidy up what was planted by hand
UPDATE pay.dead_letter SET state = 'settled', closed_at = now(),
    closed_by = 'test', closed_why = 'test'
WHERE checkout_id IN ('a4', 'b4') AND kind IN ('poll', 'stuck')
    AND state = 'open';

\i :checks
SELECT finish();
ROLLBACK;
