-- A PSP's failure of what is paid: kept with its evidence, moves nothing.

BEGIN;
\ir helpers.psql
SELECT no_plan();

SELECT b.outcome FROM generate_series(1, 20) n,
    pg_temp.begin('m1', 'k' || n, 'c' || n,
                  ARRAY['o' || n || ':100', 'p' || n || ':50']) b
\g /dev/null
SELECT pg_temp.token('m1', 'c' || n, 't' || n, p_alias => 'a' || n)
FROM generate_series(1, 18) n
\g /dev/null
SELECT pg_temp.fact('t' || n, 'paid', p_reference => 'pi_' || n)
FROM generate_series(1, 10) n
\g /dev/null

CREATE FUNCTION pg_temp.kept(p_checkout text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', m.kind, m.source, m.event_id), ', '
                  ORDER BY m.mismatch_id)
FROM pay.mismatch m
WHERE m.merchant_id = 'm1' AND m.checkout_id = p_checkout
$$;

SELECT is((e.outcome, e.checkout_id, e.order_status)::text,
          '(contradiction,c1,SUCCESS)', 'a refusal of what is paid')
FROM pay_api.apply_event('{stripe}', '{webhook}', '{e1}', '{x.failed}',
    '{declined}', '{a1}', '{pi_other}', '{do_not_honor}', '{150}', '{USD}',
    ARRAY[sha256('b')], '{r1}') e;
SELECT is(pg_temp.status('m1', 'o1') || pg_temp.status('m1', 'p1'),
          'SUCCESSSUCCESS', 'moves nothing');
SELECT is((c.version, c.is_payment_done)::text, '(3,t)',
          'no reader sees anything')
FROM pay.checkout c WHERE c.checkout_id = 'c1';
SELECT is(r.reference, 'pi_1', 'its reference is not believed')
FROM pay.registration r WHERE r.checkout_id = 'c1';
SELECT is((m.kind, m.source, m.psp, m.event_id, m.token, m.amount_minor,
           m.currency, m.own_token, m.total_minor, m.own_currency,
           m.request_id)::text,
    '(contradiction,webhook,stripe,e1,a1,150,USD,t1,150,USD,r1)',
    'people have it in full')
FROM pay.mismatch m WHERE m.checkout_id = 'c1';
SELECT is((i.state, i.fact, i.checkout_id)::text, '(contradiction,declined,c1)',
          'the inbox has it')
FROM pay.webhook_inbox i WHERE i.event_id = 'e1';
SELECT is((e.seq, e.actor, e.old_status, e.new_status, e.reason,
           e.detail)::text,
    '(4,webhook,SUCCESS,SUCCESS,,"{""code"": ""do_not_honor"", ""said"": '
    '""declined"", ""type"": ""x.failed"", ""currency"": ""USD"", '
    '""reference"": ""pi_other"", ""amount_minor"": 150}")',
    'each timeline has it')
FROM pay.event e WHERE e.payment_order_id = 'p1' AND e.kind = 'contradiction';
SELECT is(pg_temp.fact('a1', 'declined', 'e1'), 'duplicate', 'redelivered');
SELECT is(pg_temp.kept('c1'), 'contradiction webhook e1', 'kept once');

-- every failure, of any amount that is ours or unsaid
SELECT is(pg_temp.fact('t2', f, 'e2' || f, p_amount => a), 'contradiction',
          concat_ws(' ', f, a))
FROM (VALUES ('declined', NULL), ('expired', 150), ('cancelled', NULL),
             ('rejected', 150)) t (f, a);
SELECT is((SELECT count(*) FROM pay.mismatch WHERE checkout_id = 'c2'),
          4::bigint, 'each webhook is evidence');
SELECT is(pg_temp.kinds('m1', 'o2'), 'created registered paid contradiction '
    'contradiction contradiction contradiction', 'and told');

-- a wrong amount is a mismatch first, and hides no contradiction
SELECT is(pg_temp.fact('t3', 'declined', 'e3', p_amount => 1), 'mismatch',
          'another amount');
SELECT is(pg_temp.fact('t3', 'declined', p_source => 'query'), 'contradiction',
          'a query');
SELECT is(pg_temp.fact('t3', 'declined', p_source => 'query'), 'contradiction',
          'that repeats itself')
FROM generate_series(1, 3);
SELECT is(pg_temp.fact('t3', 'expired', p_source => 'query'), 'contradiction',
          'in other words');
SELECT is(pg_temp.kept('c3'), 'amount webhook e3, contradiction query',
          'is no news');
SELECT is(pg_temp.kinds('m1', 'o3'),
          'created registered paid mismatch contradiction', 'nor told again');
SELECT is(pg_temp.fact('t3', 'declined', p_source => 'query', p_amount => 2),
          'mismatch', 'a query with another amount');
SELECT is(pg_temp.fact('t4', 'declined', p_source => 'query', p_amount => 150,
                       p_currency => 'USD'), 'contradiction', 'a query');
SELECT is(pg_temp.fact('t4', 'declined', 'e4'), 'contradiction',
          'a webhook is evidence of its own');
SELECT is(pg_temp.kept('c4'),
          'contradiction query, contradiction webhook e4', 'both are kept');

-- what contradicts nothing
SELECT is(pg_temp.fact('t5', f, 'e5' || f), w, 'paid, then ' || f)
FROM (VALUES ('pending', 'unchanged'), ('paid', 'unchanged'),
             ('none', 'ignored'), ('ask', 'asked')) v (f, w);
SELECT is(pg_temp.fact('t5', f, p_source => 'gateway'), 'unchanged',
          'the gateway''s own conclusion: ' || f)
FROM unnest('{declined,expired,cancelled,rejected}'::text[]) f;
SELECT is(pg_temp.kept('c5'), NULL, 'none is kept');
SELECT is(pg_temp.kinds('m1', 'o5'), 'created registered paid', 'or told');
SELECT is(pg_temp.fact('t11', f, 'e11' || f), w, 'not paid: ' || f)
FROM (VALUES ('declined', 'applied'), ('expired', 'unchanged'),
             ('cancelled', 'unchanged')) v (f, w);
SELECT is(pg_temp.fact('t11', 'paid', 'e11'), 'applied', 'paid after all');
SELECT is(pg_temp.kept('c11'), NULL, 'earlier failures contradict nothing');
SELECT is(pg_temp.fact('t11', 'declined', 'e11declined'), 'duplicate',
          'and are not heard again');

-- one batch
SELECT is(string_agg(e.item || ' ' || e.outcome, ', ' ORDER BY e.item),
    '1 applied, 2 applied, 3 contradiction, 4 contradiction, 5 contradiction, '
    '6 unchanged, 7 duplicate, 8 contradiction, 9 applied, 10 mismatch',
    'in the order of items')
FROM pay_api.apply_event(array_fill('stripe'::text, '{10}'),
    '{webhook,webhook,webhook,query,query,gateway,webhook,webhook,webhook,webhook}',
    '{b1,b2,b3,NULL,NULL,NULL,b3,b4,b5,b6}', array_fill('x'::text, '{10}'),
    '{declined,paid,expired,expired,expired,expired,expired,cancelled,declined,declined}',
    '{t12,t12,t12,t12,a12,t12,t12,t6,t13,t12}',
    '{NULL,pi_12,pi_z,pi_z,NULL,NULL,NULL,NULL,NULL,NULL}',
    array_fill(NULL::text, '{10}'),
    '{NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,3}',
    array_fill(NULL::text, '{10}'), array_fill(NULL::bytea, '{10}'),
    array_fill('r'::text, '{10}')) e
WHERE coalesce(e.place, 1) = 1;
SELECT is(pg_temp.kinds('m1', 'p12'), 'created registered declined paid '
    'contradiction contradiction mismatch', 'each is told once');
SELECT is(pg_temp.kept('c12'), 'contradiction webhook b3, contradiction query, '
    'amount webhook b6', 'and kept once');
SELECT is(r.reference, 'pi_12', 'the reference is that of the payment')
FROM pay.registration r WHERE r.checkout_id = 'c12';
SELECT is(pg_temp.status('m1', 'o13'), 'FAILED/declined',
          'a neighbour''s refusal is one');

-- parked, back-filled, and after a sale that came late
SELECT is(pg_temp.fact('t-early', f, 'early' || f), 'parked', f)
FROM unnest('{paid,expired}'::text[]) f;
UPDATE pay.webhook_inbox SET received_at = now() - interval '1 s'
WHERE event_id = 'earlypaid';
SELECT is(pg_temp.token('m1', 'c19', 't-early'), 'stored', 'the token');
SELECT is(string_agg(i.event_id || ' ' || i.state, ', ' ORDER BY i.event_id),
          'earlyexpired contradiction, earlypaid applied', 'parked ones join')
FROM pay.webhook_inbox i WHERE i.token = 't-early';
SELECT is(pg_temp.kept('c19'), 'contradiction webhook earlyexpired', 'kept');
SELECT is(pg_temp.fact('t7', 'cancelled', 'e7', 'backfill'), 'contradiction',
          'from the PSP''s list');
SELECT is(e.detail ->> 'via', 'backfill', 'told how it came')
FROM pay.event e WHERE e.payment_order_id = 'o7' AND e.kind = 'contradiction';
SELECT is(pg_temp.fact('t14', f, 'e14' || f), w, 'late: ' || f)
FROM (VALUES (1, 'expired', 'applied'), (2, 'paid', 'applied'),
             (3, 'declined', 'contradiction')) v (i, f, w);
SELECT is(pg_temp.status('m1', 'o14'), 'SUCCESS', 'the sale stays');

\i :checks
SELECT finish();
ROLLBACK;
