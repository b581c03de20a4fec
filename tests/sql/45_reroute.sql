-- reroute: a registration moves to the next PSP only while nothing can have
-- happened at the one it is at.

BEGIN;
\ir helpers.psql
SELECT no_plan();

-- psp, attempt, open attempts, refused, tried
CREATE FUNCTION pg_temp.reg(p_merchant text, p_checkout text)
RETURNS text LANGUAGE sql AS $$
SELECT format('%s %s %s %s %s', r.psp, r.attempt, r.open_attempts,
              r.refused_psps, r.tried_psps)
FROM pay.registration r
WHERE r.merchant_id = p_merchant AND r.checkout_id = p_checkout
$$;
-- everything that a call that changes nothing must leave alone
CREATE FUNCTION pg_temp.all_of(p_checkout text) RETURNS text
LANGUAGE sql AS $$
SELECT concat_ws(' ',
    (SELECT r::text FROM pay.registration r WHERE r.checkout_id = p_checkout),
    (SELECT c::text FROM pay.checkout c WHERE c.checkout_id = p_checkout),
    (SELECT string_agg(o::text, ' ') FROM pay.payment_order o
     WHERE o.checkout_id = p_checkout),
    (SELECT string_agg(j::text, ' ') FROM pay.job j
     WHERE j.checkout_id = p_checkout),
    (SELECT count(*) FROM pay.event), (SELECT count(*) FROM pay.mismatch),
    (SELECT count(*) FROM pay.psp_token))
$$;

SELECT b.outcome FROM generate_series(1, 40) n,
    pg_temp.begin('m1', 'k' || n, 'c' || n,
                  ARRAY['o' || n || ':100', 'p' || n || ':50'],
                  p_psps => 'stripe adyen square') b
\g /dev/null

-- the move
SELECT is(pg_temp.reg('m1', 'c1'), 'stripe 1 1 {} {}',
          'an attempt is open before its call goes out');
SELECT is(pg_temp.reroute('m1', 'c1', 'stripe', 'not_sent', 'connect', 7000),
          'rerouted adyen', 'not sent: the next PSP');
SELECT is(pg_temp.reg('m1', 'c1'), 'adyen 2 1 {} {stripe}',
          'the attempt there is open, stripe was tried');
SELECT is((g.psp, g.nonce, g.attempt, g.registration_state, g.code,
           g.version)::text, '(adyen,o1,2,REGISTERING,,2)',
          'same nonce, a new version') FROM pay_api.get_checkout('{m1}', '{c1}') g;
SELECT is((SELECT c.psp::text FROM pay.checkout c WHERE c.checkout_id = 'c1'),
          'adyen', 'the checkout follows');
SELECT is((j.kind, j.run_at, j.attempts, j.lease_owner, j.lease_until)::text,
          (row('register', now() + interval '7 s', 0, NULL::text,
               NULL::timestamptz))::text, 'a job goes on after the lease')
FROM pay.job j WHERE j.checkout_id = 'c1';
SELECT is(r.lease_until, now() + interval '7 s', 'which the caller has')
FROM pay.registration r WHERE r.checkout_id = 'c1';
SELECT is((e.seq, e.actor, e.old_status, e.new_status, e.reason, e.detail,
           e.request_id)::text,
    row(2, 'gateway', 'NOT_STARTED', 'NOT_STARTED', NULL::text,
        '{"from":"stripe","to":"adyen","code":"connect","why":"not_sent"}'
        ::jsonb, 'request-5')::text, 'the timeline says from where and why')
FROM pay.event e WHERE e.payment_order_id = 'p1' AND e.kind = 'rerouted';
SELECT is(string_agg(e ->> 'kind', ' '), 'created rerouted',
          'get_events shows it')
FROM pay_api.get_events('{m1}', '{o1}') g,
    jsonb_array_elements(g.events::jsonb) e;
SELECT is(t.detail ->> 'to', 'adyen', 'and the auditor sees it')
FROM pay_view.timeline t
WHERE t.payment_order_id = 'o1' AND t.kind = 'rerouted';
SELECT is((SELECT o.version FROM pay.payment_order o
           WHERE o.payment_order_id = 'o1'), 2, 'it counts');
SELECT is(pg_temp.reroute('m1', 'c1', 'adyen', 'refused', NULL),
          'rerouted square', 'refused: the next but one');
SELECT is(pg_temp.reg('m1', 'c1'), 'square 3 1 {adyen} {stripe}',
          'adyen has refused');
SELECT is(e.detail, '{"from":"adyen","to":"square","why":"refused"}'::jsonb,
          'without a code')
FROM pay.event e WHERE e.payment_order_id = 'o1' AND e.seq = 3;
SELECT is(pg_temp.reroute('m1', 'c1', 'square'), 'stays square',
          'no PSP is left in this round');
SELECT is(pg_temp.no_token('m1', 'c1', 'not_sent', p_psp => 'square'),
          'stored', 'which ends with it');
SELECT is(pg_temp.reg('m1', 'c1'), 'square 4 0 {adyen} {}',
          'nothing is open; who has refused is remembered');
SELECT is(pg_temp.claim('c1'), 'job register c1 square 4', 'a job goes on there');
SELECT is(pg_temp.reroute('m1', 'c1', 'square'), 'rerouted stripe',
          'the next round begins with the best');
SELECT is(pg_temp.reg('m1', 'c1'), 'stripe 5 1 {adyen} {square}',
          'the job''s lease is the caller''s now');
SELECT is((j.lease_owner, j.attempts)::text, '(,2)', 'and no longer its own')
FROM pay.job j WHERE j.checkout_id = 'c1';
SELECT is(pg_temp.reroute('m1', 'c1', 'stripe', 'refused'), 'stays stripe',
          'square was tried, adyen has refused');
SELECT is(pg_temp.no_token('m1', 'c1', 'refused'), 'stored', 'so it ends');
SELECT is(pg_temp.status('m1', 'o1'), 'FAILED/rejected', 'rejected');

-- a token at the PSP that it came to
SELECT is(pg_temp.reroute('m1', 'c2', 'stripe'), 'rerouted adyen', 'moves');
SELECT is(pg_temp.token('m1', 'c2', 't2', p_psp => 'adyen', p_alias => 'a2'),
          'stored', 'and is registered there');
SELECT is((g.psp, g.token, g.alias, g.code, g.version)::text,
          '(adyen,t2,a2,,3)', 'the view shows it')
FROM pay_api.get_checkout('{m1}', '{c2}') g;
SELECT is(pg_temp.reroute('m1', 'c2', 'adyen'), 'stays adyen',
          'what is registered stays');
SELECT is(pg_temp.fact('t2', 'paid', p_psp => 'adyen'), 'applied', 'paid');
SELECT is(pg_temp.kinds('m1', 'o2'), 'created rerouted registered paid',
          'the timeline tells');

-- a late token of the PSP that it has left
SELECT is(pg_temp.reroute('m1', 'c3', 'stripe'), 'rerouted adyen', 'moves');
SELECT is(pg_temp.token('m1', 'c3', 't3', p_alias => 'a3'), 'mismatch',
          'a token from stripe is late');
SELECT is((m.kind, m.source, m.psp, m.token, m.alias, m.own_token)::text,
          '(left_psp,gateway,stripe,t3,a3,)', 'people hear of it')
FROM pay.mismatch m WHERE m.checkout_id = 'c3';
SELECT is(pg_temp.token('m1', 'c3', 't3', p_alias => 'a3'), 'mismatch',
          'each time');
SELECT is((SELECT count(*) FROM pay.mismatch WHERE checkout_id = 'c3'),
          1::bigint, 'people once');
SELECT is((SELECT count(*) FROM pay.psp_token
           WHERE token IN ('t3', 'a3') AND checkout_id IS NOT NULL),
          0::bigint, 'and nothing is stored');
SELECT is(pg_temp.no_token('m1', 'c3', o), 'already', o || ' from there')
FROM unnest('{refused,not_sent,unknown,expired}'::text[]) o;
SELECT is(pg_temp.reg('m1', 'c3'), 'adyen 2 1 {} {stripe}',
          'changes nothing either');
SELECT is(pg_temp.reroute('m1', 'c3', 'stripe'), 'stays adyen',
          'nor does a second move from there');
SELECT is(pg_temp.token('m1', 'c3', 't3', p_psp => 'adyen'), 'stored',
          'the same token at the new PSP is its own');
SELECT is(pg_temp.fact('t3', 'paid'), 'parked',
          'a webhook of the PSP that was left is nobody''s');
SELECT is(pg_temp.status('m1', 'o3'), 'EXECUTING', 'and pays nothing');

-- what may have happened: nothing changes at all
SELECT is(pg_temp.no_token('m1', 'c4', 'unknown'), 'stored', 'unknown');
SELECT is(pg_temp.reg('m1', 'c4'), 'stripe 2 1 {} {}', 'it stays open');
SELECT is(pg_temp.reroute('m1', 'c4', 'stripe', 'refused'), 'stays stripe',
          'an unknown attempt holds it, even if it is the only one');
SELECT is(pg_temp.claim('c4'), 'job register c4 stripe 2', 'a job goes on');
SELECT is(pg_temp.reroute('m1', 'c4', 'stripe'), 'stays stripe',
          'and stays, whatever becomes of it');
SELECT is(pg_temp.no_token('m1', 'c4', 'not_sent'), 'stored', 'not sent');
SELECT is(pg_temp.reg('m1', 'c4'), 'stripe 3 1 {} {}', 'that one is closed');
SELECT is(pg_temp.claim('c4'), 'job register c4 stripe 3', 'again');
SELECT is(pg_temp.reroute('m1', 'c4', 'stripe', 'refused'), 'stays stripe',
          'the unknown one never is');

SELECT is(pg_temp.claim('c5'), 'job register c5 stripe 1',
          'a job takes over while the request may still be calling');
SELECT is(pg_temp.reg('m1', 'c5'), 'stripe 1 2 {} {}', 'two are open');
SELECT pg_temp.all_of('c5') AS before
\gset
SELECT is(pg_temp.reroute('m1', 'c5', 'stripe', o), 'stays stripe',
          'neither moves it: ' || o)
FROM unnest('{not_sent,refused}'::text[]) o;
SELECT is(pg_temp.all_of('c5'), :'before', 'stays changes nothing at all');
SELECT is(pg_temp.claim('c5'), 'job register c5 stripe 1', 'its lease runs out, too');
SELECT is(pg_temp.reg('m1', 'c5'), 'stripe 1 3 {} {}', 'three');
SELECT pg_temp.no_token('m1', 'c5', 'not_sent') FROM generate_series(1, 2)
\g /dev/null
SELECT is(pg_temp.reg('m1', 'c5'), 'stripe 3 1 {} {}',
          'two report that nothing left');
SELECT is(pg_temp.reroute('m1', 'c5', 'stripe'), 'rerouted adyen',
          'the last one may move it');

SELECT is(pg_temp.no_token('m1', 'c6', 'not_sent'), 'stored', 'no claim');
SELECT is(pg_temp.no_token('m1', 'c6', 'not_sent'), 'stored', 'twice');
SELECT is(pg_temp.reg('m1', 'c6'), 'stripe 3 0 {} {}', 'never below 0');
SELECT is(pg_temp.reroute('m1', 'c6', 'stripe'), 'stays stripe',
          'nobody is at it, nobody moves it');

SELECT is(pg_temp.token('m1', 'c7', 't7'), 'stored', 'a registered one');
SELECT is(pg_temp.no_token('m1', 'c8', 'refused'), 'stored', 'a refused one');
UPDATE pay.checkout SET expires_at = now() WHERE checkout_id = 'c9';
SELECT b.outcome FROM pg_temp.begin('m1', 'k-alone', 'alone', '{o-alone:1}') b
UNION ALL SELECT b.outcome FROM pg_temp.begin('m1', 'k-self', 'self',
    '{o-self:1}', p_psps => 'stripe stripe') b
\g /dev/null
SELECT string_agg(pg_temp.all_of(c), ' ') AS before
FROM unnest('{c7,c8,c9,c10,alone,self}'::text[]) c
\gset
SELECT is(pg_temp.reroute('m1', c, 'stripe', o), 'stays stripe',
          o || ': ' || n)
FROM (VALUES ('registered', 'c7'), ('refused', 'c8'), ('past its time', 'c9'),
    ('the only PSP', 'alone'), ('itself again', 'self')) t (n, c),
    unnest('{not_sent,refused}'::text[]) o;
SELECT is(pg_temp.reroute('m1', 'c10', p), 'stays stripe', 'not at ' || p)
FROM unnest('{adyen,square,Stripe,nobody}'::text[]) p;
SELECT is(pg_temp.reroute('m1', 'c99', 'stripe'), 'not_found', 'absent');
SELECT is(pg_temp.reroute('m2', 'c10', 'stripe'), 'not_found', 'foreign');
SELECT is(pg_temp.reroute('m1', 'c10', 'stripe', p_attempt => a),
          CASE WHEN a < 1 THEN 'invalid' ELSE 'stays stripe' END,
          'attempt ' || a)
FROM unnest('{-1,0,2,9223372036854775807}'::bigint[]) a;
SELECT is(pg_temp.reroute(m, c, p, o, code, ms), 'invalid', n)
FROM (VALUES
    ('no merchant', NULL, 'c10', 'stripe', 'not_sent', 'x', 1),
    ('no checkout', 'm1', NULL, 'stripe', 'not_sent', 'x', 1),
    ('empty checkout', 'm1', '', 'stripe', 'not_sent', 'x', 1),
    ('no PSP', 'm1', 'c10', NULL, 'not_sent', 'x', 1),
    ('long PSP', 'm1', 'c10', repeat('p', 256), 'not_sent', 'x', 1),
    ('no outcome', 'm1', 'c10', 'stripe', NULL, 'x', 1),
    ('unknown', 'm1', 'c10', 'stripe', 'unknown', 'x', 1),
    ('expired', 'm1', 'c10', 'stripe', 'expired', 'x', 1),
    ('long code', 'm1', 'c10', 'stripe', 'refused', repeat('x', 256), 1),
    ('no lease', 'm1', 'c10', 'stripe', 'not_sent', 'x', NULL),
    ('lease 0', 'm1', 'c10', 'stripe', 'not_sent', 'x', 0),
    ('lease too long', 'm1', 'c10', 'stripe', 'not_sent', 'x',
     9223372036854775807)
    ) t (n, m, c, p, o, code, ms);
SELECT is(string_agg(pg_temp.all_of(c), ' '), :'before',
          'none of them has changed anything')
FROM unnest('{c7,c8,c9,c10,alone,self}'::text[]) c;

-- A connection is lost with a reroute on it, its caller says not_sent on
-- another, a job's call goes out, and only then the reroute arrives: the one
-- open call is the job's, which may bring a page.
SELECT is(pg_temp.no_token('m1', 'c16', 'not_sent'), 'stored', 'instead');
SELECT is(pg_temp.claim('c16'), 'job register c16 stripe 2', 'the job''s call is out');
SELECT pg_temp.all_of('c16') AS before
\gset
SELECT is(pg_temp.reroute('m1', 'c16', 'stripe', p_attempt => 1),
          'stays stripe', 'a move that comes too late is off');
SELECT is(pg_temp.all_of('c16'), :'before', 'and changes nothing');
SELECT is(pg_temp.reroute('m1', 'c16', 'stripe', p_attempt => 2),
          'rerouted adyen', 'the job''s own is not');

-- a nonce that the next PSP knows from somebody else
SELECT b.outcome FROM pg_temp.begin('m9', 'k', 'c', '{o11:1}',
                                    p_psp => 'adyen') b
\g /dev/null
SELECT pg_temp.all_of('c11') AS before
\gset
SELECT is(pg_temp.reroute('m1', 'c11', 'stripe'), 'stays stripe',
          'a nonce that is taken there');
SELECT is(pg_temp.all_of('c11'), :'before', 'changes nothing');

-- one batch: the first of twins, strangers, the bad, two of one nonce
SELECT b.outcome FROM pg_temp.begin('m8', 'k', 'c', '{o20:1}',
    p_psp => 'mollie', p_psps => 'mollie adyen') b
\g /dev/null
SELECT is(string_agg(concat_ws(' ', t.item, t.outcome, t.psp), ', '
                     ORDER BY t.item),
    '1 rerouted adyen, 2 stays adyen, 3 rerouted adyen, 4 not_found, '
    '5 invalid, 6 rerouted adyen, 7 stays mollie', 'a batch')
FROM pay_api.reroute('{m1,m1,m1,m1,m1,m1,m8}',
    '{c12,c12,c13,nope,c14,c20,c}',
    '{stripe,stripe,stripe,stripe,stripe,stripe,mollie}',
    '{not_sent,refused,refused,refused,unknown,refused,refused}',
    '{a,b,c,d,e,f,g}', '{1,2,3,4,5,6,7}', '{r,r,r,r,r,r,r}',
    '{1,1,1,1,1,1,1}', '{NULL,NULL,NULL,NULL,NULL,NULL,NULL}',
    '{NULL,NULL,NULL,NULL,NULL,NULL,NULL}') t
WHERE coalesce(t.place, 1) = 1;
SELECT is(pg_temp.reg('m1', 'c12'), 'adyen 2 1 {} {stripe}',
          'the first of twins counts, once');
SELECT is(pg_temp.kinds('m1', 'p12'), 'created rerouted', 'and is told once');
SELECT is(pg_temp.reg('m1', 'c13'), 'adyen 2 1 {stripe} {}',
          'each has its own outcome');
SELECT is((SELECT r.lease_until FROM pay.registration r
           WHERE r.checkout_id = 'c13'), now() + interval '3 ms',
          'and its own lease');
SELECT is(pg_temp.reg('m1', 'c14'), 'stripe 1 1 {} {}', 'bad ones stay');
SELECT is_empty($$SELECT * FROM pay_api.reroute('{}', '{}', '{}', '{}', '{}',
                                                '{}', '{}', '{}', '{}',
                                                '{}')$$,
                'no items');
SELECT throws_ok($$SELECT * FROM pay_api.reroute('{a}', '{a}', '{a}', '{a}',
    '{a}', '{1}', '{a}', '{1,1}', '{a}', '{1}')$$, 'PAY01', NULL, 'arrays of one length');

-- the last of eight
SELECT b.outcome FROM pg_temp.begin('m1', 'k-eight', 'eight', '{o-eight:1}',
    p_psp => 'a', p_psps => 'a b c d e f g h') b
\g /dev/null
SELECT is(pg_temp.reroute('m1', 'eight', p, 'refused'),
          CASE p WHEN 'h' THEN 'stays h' ELSE 'rerouted ' || chr(ascii(p) + 1)
          END, 'from ' || p)
FROM unnest('{a,b,c,d,e,f,g,h}'::text[]) p;
SELECT is(pg_temp.reg('m1', 'eight'), 'h 8 1 {a,b,c,d,e,f,g} {}',
          'each has refused');

-- the request's key while its flow is at the next PSP
SELECT is(pg_temp.reroute('m1', 'c15', 'stripe'), 'rerouted adyen', 'moves');
SELECT is(b.outcome, 'in_progress', 'the key is in progress')
FROM pg_temp.begin('m1', 'k15', 'c15', '{o15:100,p15:50}') b;

\i :checks
SELECT finish();
ROLLBACK;
