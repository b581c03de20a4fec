-- begin_payment: every outcome, alone and as twins in one batch.

BEGIN;
\ir helpers.psql
SELECT no_plan();

SELECT is(b.outcome, 'created', 'a new checkout is created')
FROM pg_temp.begin('m1', 'key-1', 'c1', '{o1:100,o2:250}') b;

SELECT is((c.total_minor, c.currency, c.is_payment_done, c.version)::text,
          '(350,USD,f,1)', 'the checkout is stored')
FROM pay.checkout c WHERE c.merchant_id = 'm1' AND c.checkout_id = 'c1';
SELECT is(pg_temp.status('m1', 'o1'), 'NOT_STARTED', 'orders begin');
SELECT is(pg_temp.kinds('m1', 'o2'), 'created', 'with one event each');
SELECT is(pg_temp.job('m1', 'c1'), 'register 0', 'and a job');
SELECT is(j.run_at, now() + interval '30 s', 'due when the lease ends')
FROM pay.job j WHERE j.merchant_id = 'm1';
SELECT is((e.actor, e.new_status, e.request_id)::text,
          '(merchant,NOT_STARTED,request-1)', 'the event says who')
FROM pay.event e WHERE e.payment_order_id = 'o1';

-- the view
SELECT is(b.orders, '[{"id":"o1","seller":"seller-1","amount":100,
    "status":"NOT_STARTED","reason":null},
    {"id":"o2","seller":"seller-1","amount":250,
    "status":"NOT_STARTED","reason":null}]'::jsonb,
    'orders come back in position order')
FROM pg_temp.begin('m1', 'key-1', 'c1', '{o1:100,o2:250}',
                   p_lease_ms => 0) b
WHERE b.orders IS NOT NULL
UNION ALL
SELECT is(string_agg(g.place || g.order_id, ' '), '1o1 2o2', 'o2 is second')
FROM pay_api.get_checkout('{m1}', '{c1}') g;

-- What a new checkout's answer is made of is in hand, not read again: it says
-- what the view says, whatever the terms, in one batch and alone.
CREATE TEMPORARY TABLE fresh (n int, orders jsonb, nonce text, terms jsonb);
INSERT INTO fresh VALUES
    (1, '[{"id":"f1","seller":"s1","amount":100,"currency":"USD"},
          {"id":"a1","seller":"s2","amount":250,"currency":"USD"}]', 'f1',
     NULL),
    (2, '[{"id":"f2","seller":"s\"1\u00e9","amount":3e2,"currency":"USD"}]',
     'f2', '{"asked_by":{"kid":"k","sub":"s"}}'),
    (3, '[{"id":"f3","seller":"s1","amount":100,"currency":"USD"}]', 'f3',
     '{"capture":"manual"}'),
    (4, '[{"id":"f4","seller":"s1","amount":100.0,"currency":"USD",
           "credit":"USD"}]', 'f1', NULL);
CREATE TEMPORARY TABLE answer AS
SELECT b.* FROM (VALUES ('f', '{1,2,3,4}'::int[]), ('g', '{1}'),
    ('h', '{2}'), ('i', '{3}'), ('j', '{4}')) x (m, n)
CROSS JOIN LATERAL (
    SELECT array_fill(x.m, ARRAY[cardinality(x.n)]) AS m,
        array_agg(f.n::text ORDER BY f.n) AS c,
        array_agg(pg_temp.uuid(x.m || f.n) ORDER BY f.n) AS u,
        array_agg(x.m || f.n ORDER BY f.n) AS h,
        array_agg(f.nonce ORDER BY f.n) AS o,
        array_agg(f.orders ORDER BY f.n) AS orders,
        array_agg(f.terms ORDER BY f.n) AS terms,
        array_agg((SELECT sum((e -> 'amount')::int)
                   FROM jsonb_array_elements(f.orders) e)::bigint
                  ORDER BY f.n) AS total,
        ARRAY[cardinality(x.n)] AS size
    FROM fresh f WHERE f.n = ANY (x.n)) a
CROSS JOIN LATERAL (
    SELECT array_agg(u.n ORDER BY u.n, e.k) AS item,
        array_agg(e.line ->> 'id' ORDER BY u.n, e.k) AS id,
        array_agg(e.line ->> 'seller' ORDER BY u.n, e.k) AS seller,
        array_agg((e.line -> 'amount')::bigint ORDER BY u.n, e.k) AS minor,
        array_agg(e.line ->> 'credit' ORDER BY u.n, e.k) AS credit
    FROM unnest(a.orders) WITH ORDINALITY AS u (orders, n)
    CROSS JOIN LATERAL jsonb_array_elements(u.orders)
        WITH ORDINALITY AS e (line, k)) o
CROSS JOIN LATERAL pay_api.begin_payment(a.m, a.c,
    array_fill(sha256('b'), a.size), a.c, a.u, a.h,
    array_fill('stripe'::text, a.size), a.o, array_fill('r'::text, a.size),
    array_fill('b'::text, a.size), array_fill(NULL::jsonb, a.size),
    array_fill(NULL::jsonb, a.size), array_fill(NULL::jsonb, a.size),
    array_fill('USD'::text, a.size), a.total,
    array_fill(1900000000::bigint, a.size), o.item, o.id, o.seller, o.minor,
    o.credit,
    array_fill(60::bigint, a.size), array_fill(60::bigint, a.size),
    array_fill('r'::text, a.size), array_fill(NULL::text, a.size),
    array_fill(NULL::text, a.size), array_fill(NULL::text, a.size),
    array_fill(NULL::text, a.size), a.terms) b;
SELECT is(count(*), 8::bigint, 'eight new checkouts') FROM answer a
WHERE a.outcome = 'created' AND a.place = 1;
SELECT is(count(*), 10::bigint, 'of ten orders') FROM answer a;
SELECT is(to_jsonb(a) - '{item,outcome}'::text[],
          to_jsonb(g) - '{item,outcome}'::text[],
          'the answer is the view: ' || a.handle || ' ' || a.order_id)
FROM answer a
JOIN LATERAL pay_api.get_checkout(ARRAY[a.merchant_id],
                                  ARRAY[a.checkout_id]) g
    ON g.place = a.place;

-- routes
SELECT is((e.kind, e.detail)::text, '(created,"{""psp"": ""stripe""}")',
          'the event names the PSP')
FROM pay.event e WHERE e.payment_order_id = 'o2';
SELECT is(b.outcome, 'created', 'a list of PSPs')
FROM pg_temp.begin('r1', 'key-1', 'c1', '{r1:100}', p_psp => 'adyen',
                   p_psps => 'stripe adyen', p_route => 'EUR, by weight') b;
SELECT is((r.psp, r.psps, r.open_attempts, r.refused_psps,
           r.tried_psps)::text, '(adyen,"{stripe,adyen}",1,{},{})',
          'is kept, and one attempt is open')
FROM pay.registration r WHERE r.merchant_id = 'r1';
SELECT is(e.detail, '{"psp": "adyen", "route": "EUR, by weight"}'::jsonb,
          'with the reason') FROM pay.event e WHERE e.merchant_id = 'r1';
CREATE TEMPORARY TABLE list (m text, psps text, want text[]);
INSERT INTO list VALUES
    ('l1', NULL, '{stripe}'), ('l2', '', '{stripe}'),
    ('l3', 'stripe', '{stripe}'),
    ('l4', 'a b c d e f g stripe', '{a,b,c,d,e,f,g,stripe}'),
    ('l5', 'a b c d e f g h stripe', NULL), ('l6', 'adyen', NULL),
    ('l6', 'Stripe', NULL), ('l6', ' stripe', NULL), ('l6', 'stripe ', NULL),
    ('l6', 'stripe  adyen', NULL), ('l6', ' ', NULL),
    ('l6', 'stripe,adyen', NULL), ('l6', 'stripe ' || repeat('x', 256), NULL);
SELECT is(b.outcome, CASE WHEN want IS NULL THEN 'invalid' ELSE 'created' END,
          'psps: ' || coalesce(psps, 'NULL'))
FROM list, pg_temp.begin(m, 'key-1', 'c1', '{r1:1}', p_psps => psps) b;
SELECT is(r.psps::text[], want, 'kept: ' || coalesce(l.psps, 'NULL'))
FROM list l LEFT JOIN pay.registration r ON r.merchant_id = l.m;
SELECT is(b.outcome, want, length(route) || ' characters of reason')
FROM (VALUES ('r8', repeat('x', 1000), 'created'),
    ('r9', repeat('x', 1001), 'invalid'),
    ('r9', repeat('é', 501), 'invalid')) t (m, route, want),
    pg_temp.begin(t.m, 'key-1', 'c1', '{r1:1}', p_route => t.route) b;
SELECT is(b.outcome, 'created', 'an empty reason')
FROM pg_temp.begin('r10', 'key-1', 'c1', '{r1:1}', p_route => '') b;
SELECT is(e.detail, '{"psp": "stripe"}'::jsonb, 'is none')
FROM pay.event e WHERE e.merchant_id = 'r10';

-- a route that explores: chances are kept with the reason
CREATE TEMPORARY TABLE chance (m text, explore jsonb, want text);
INSERT INTO chance
SELECT 'x' || n, e::jsonb, w FROM (VALUES
    (1, '{"share":50000,"scores":{"a":1000,"b":0}}', 'created'),
    (2, '{"share":1000000,"drawn":"a","chance":1000000,"scores":{"a":1}}',
     'created'),
    (3, '{"share":0,"scores":{}}', 'invalid'),
    (4, '{"share":1000001,"scores":{}}', 'invalid'),
    (5, '{"share":"5%","scores":{}}', 'invalid'),
    (6, '{"share":5,"scores":{},"more":1}', 'invalid'),
    (7, '{"share":5,"drawn":"a","scores":{"a":1}}', 'invalid'),
    (8, '{"share":5,"chance":5,"scores":{"a":1}}', 'invalid'),
    (9, '{"share":5,"drawn":"b","chance":5,"scores":{"a":1}}', 'invalid'),
    (10, '{"share":5,"drawn":"a","chance":0,"scores":{"a":1}}', 'invalid'),
    (11, '{"share":5,"drawn":null,"chance":5,"scores":{"a":1}}', 'invalid'),
    (12, '{"share":5,"scores":[]}', 'invalid'), (13, '{"share":5}', 'invalid'),
    (14, '{"share":5,"scores":{"":1}}', 'invalid'),
    (15, '{"share":5,"scores":{"a":-1}}', 'invalid'),
    (16, '{"share":5,"scores":{"a":10000}}', 'invalid'),
    (17, '{"share":5e9,"scores":{}}', 'invalid'), (18, '[]', 'invalid'),
    (19, '"x"', 'invalid'), (20, 'null', 'invalid'),
    (21, '{"share":5,"scores":{"' || repeat('x', 3000) || '":1}}',
     'invalid')) v (n, e, w);
SELECT is(b.outcome, want, left(explore::text, 60))
FROM chance, pg_temp.begin(m, 'key-1', 'c1', '{r1:1}', p_route => 'by score',
    p_terms => jsonb_build_object('explore', explore)) b;
SELECT is(e.detail, jsonb_build_object('psp', 'stripe', 'route', 'by score',
                                       'explore', c.explore), 'is kept')
FROM chance c JOIN pay.event e ON e.merchant_id = c.m;

-- the same key again
SELECT is(b.outcome, 'in_progress', 'while the first runs: in_progress')
FROM pg_temp.begin('m1', 'key-1', 'c1', '{o1:100,o2:250}') b;
SELECT is(b.checkout_id, NULL, 'in_progress shows nothing')
FROM pg_temp.begin('m1', 'key-1', 'c1', '{o1:100,o2:250}') b;
SELECT is(b.outcome, 'key_reused', 'other body: key_reused')
FROM pg_temp.begin('m1', 'key-1', 'c9', '{o9:100}', p_body => 'other') b;
SELECT is((b.merchant_id, b.orders)::text, '(,)', 'key_reused shows nothing')
FROM pg_temp.begin('m1', 'key-1', 'c9', '{o9:100}', p_body => 'other') b;
UPDATE pay.registration SET lease_until = now() - interval '1 s'
WHERE merchant_id = 'm1';
SELECT is((b.outcome, b.checkout_id, b.state)::text,
          '(replayed,c1,REGISTERING)', 'lease gone: replayed')
FROM pg_temp.begin('m1', 'key-1', 'c1', '{o1:100,o2:250}') b;
UPDATE pay.registration SET lease_until = now() + interval '1 s', attempt = 2
WHERE merchant_id = 'm1';
SELECT is(b.outcome, 'in_progress', 'at the next PSP: in_progress')
FROM pg_temp.begin('m1', 'key-1', 'c1', '{o1:100,o2:250}') b;
UPDATE pay.job SET attempts = 1 WHERE merchant_id = 'm1';
SELECT is(b.outcome, 'replayed', 'a second attempt is a job''s: replayed')
FROM pg_temp.begin('m1', 'key-1', 'c1', '{o1:100,o2:250}') b;

-- another key
SELECT is((b.outcome, b.checkout_id)::text, '(exists,c1)',
          'same checkout, other key: exists')
FROM pg_temp.begin('m1', 'key-2', 'c1', '{o7:100}') b;
SELECT is((b.outcome, b.checkout_id)::text, '(exists,c1)',
          'an order of another checkout: exists, and shows that one')
FROM pg_temp.begin('m1', 'key-3', 'c3', '{o3:1,o2:250,o4:1}') b;
SELECT is((SELECT count(*) FROM pay.checkout c WHERE c.checkout_id = 'c3')
        + (SELECT count(*) FROM pay.payment_order o
           WHERE o.payment_order_id IN ('o3', 'o4', 'o7'))
        + (SELECT count(*) FROM pay.idempotency_key k
           WHERE k.key IN ('key-2', 'key-3'))
        + (SELECT count(*) FROM pay.event e
           WHERE e.payment_order_id IN ('o3', 'o4', 'o7')),
          0::bigint, 'a loser leaves nothing behind');
SELECT is(b.outcome, 'created', 'and its key and orders are free')
FROM pg_temp.begin('m1', 'key-3', 'c3', '{o3:1,o4:1}') b;

-- an expired key counts as absent
UPDATE pay.idempotency_key SET expires_at = now() - interval '1 s'
WHERE key = 'key-1';
SELECT is(b.outcome, 'exists', 'expired key, same checkout: exists')
FROM pg_temp.begin('m1', 'key-1', 'c1', '{o1:100,o2:250}') b;
SELECT is(b.outcome, 'created', 'expired key, new checkout: created')
FROM pg_temp.begin('m1', 'key-1', 'c5', '{o5:100}', p_body => 'new') b;

-- other merchants (T7)
SELECT is((b.outcome, b.merchant_id, b.checkout_id)::text,
          '(created,m2,c1)', 'another merchant''s key, ids: its own')
FROM pg_temp.begin('m2', 'key-1', 'c1', '{o1:100,o2:250}') b;
SELECT is(b.nonce, pg_temp.uuid('m2c1'), 'a taken nonce becomes the UUID')
FROM pay_api.get_checkout('{m2}', '{c1}') b;
SELECT is(b.nonce, 'o1', 'and stays with who had it')
FROM pay_api.get_checkout('{m1}', '{c1}') b;
SELECT is(b.nonce, 'o1', 'at another PSP it is another nonce')
FROM pg_temp.begin('m3', 'key-1', 'c1', '{o1:100}', p_psp => 'adyen') b;

-- bad items
SELECT is(b.outcome, 'invalid', t.name)
FROM (VALUES
    ('no merchant', NULL, 'k', 'c', '{o:1}', 'USD', NULL::bigint),
    ('empty merchant', '', 'k', 'c', '{o:1}', 'USD', NULL),
    ('no key', 'm', NULL, 'c', '{o:1}', 'USD', NULL),
    ('no checkout', 'm', 'k', NULL, '{o:1}', 'USD', NULL),
    ('long checkout', 'm', 'k', repeat('c', 256), '{o:1}', 'USD', NULL),
    ('zero amount', 'm', 'k', 'c', '{o:0}', 'USD', NULL),
    ('negative amount', 'm', 'k', 'c', '{o:-5}', 'USD', NULL),
    ('amount too large', 'm', 'k', 'c', '{o:1000000000000000}', 'USD', NULL),
    ('one bad of two', 'm', 'k', 'c', '{o:5,p:0}', 'USD', NULL),
    ('no such currency', 'm', 'k', 'c', '{o:1}', 'XXX', NULL),
    ('lower-case currency', 'm', 'k', 'c', '{o:1}', 'usd', NULL),
    ('no currency', 'm', 'k', 'c', '{o:1}', NULL, NULL),
    ('wrong total', 'm', 'k', 'c', '{o:1}', 'USD', 2),
    ('order twice', 'm', 'k', 'c', '{o:1,o:1}', 'USD', NULL),
    ('no orders', 'm', 'k', 'c', '{}', 'USD', 1),
    ('empty order id', 'm', 'k', 'c', '{:1}', 'USD', NULL)
    ) t (name, m, k, c, o, currency, total),
    pg_temp.begin(t.m, t.k, t.c, t.o::text[], p_currency => t.currency,
                  p_total => t.total, p_nonce => 'n', p_handle => 'h') b;

SELECT is(b.outcome, 'invalid', 'an order with ' || t.name)
FROM (VALUES
    ('no item', NULL, 'o', 's', 1, NULL),
    ('item 0', 0, 'o', 's', 1, NULL),
    ('another item', 2, 'o', 's', 1, NULL),
    ('no id', 1, NULL, 's', 1, NULL),
    ('a long id', 1, repeat('o', 256), 's', 1, NULL),
    ('no seller', 1, 'o', NULL, 1, NULL),
    ('an empty seller', 1, 'o', '', 1, NULL),
    ('a long seller', 1, 'o', repeat('s', 256), 1, NULL),
    ('no amount', 1, 'o', 's', NULL, NULL),
    ('an empty credit', 1, 'o', 's', 1, ''),
    ('no such credit', 1, 'o', 's', 1, 'XXX'),
    ('a credit that was withdrawn', 1, 'o', 's', 1, 'BGN'))
    t (name, item, id, seller, minor, credit),
    pay_api.begin_payment('{m}', '{k}', ARRAY[sha256('b')], '{c}',
        ARRAY[pg_temp.uuid('x')], '{h}', '{stripe}', '{n}', '{u}', '{u}',
        '{NULL}', '{NULL}', '{NULL}', '{USD}', '{1}', '{1900000000}',
        ARRAY[t.item]::bigint[], ARRAY[t.id], ARRAY[t.seller],
        ARRAY[t.minor]::bigint[], ARRAY[t.credit], '{60}', '{60}', '{NULL}',
        '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}') b;
SELECT is(b.outcome, t.want, t.n || ' orders')
FROM (VALUES (0, 'invalid'), (21, 'invalid'), (20, 'created'))
    t (n, want),
    pay_api.begin_payment('{n}', '{k}', ARRAY[sha256('b')], '{c}',
        ARRAY[pg_temp.uuid('n')], '{hn}', '{stripe}', '{n1}', '{u}', '{u}',
        '{NULL}', '{NULL}', '{NULL}', '{USD}', ARRAY[t.n], '{1900000000}',
        array_fill(1::bigint, ARRAY[t.n]),
        ARRAY(SELECT 'n' || i FROM generate_series(1, t.n) i),
        array_fill('s'::text, ARRAY[t.n]), array_fill(1::bigint, ARRAY[t.n]),
        array_fill(NULL::text, ARRAY[t.n]), '{60}', '{60}', '{NULL}',
        '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}') b
WHERE coalesce(b.place, 1) = 1;
SELECT throws_ok($$SELECT pay_api.begin_payment('{m}', '{k}',
    ARRAY[sha256('b')], '{c}', ARRAY[pg_temp.uuid('x')], '{h}', '{stripe}',
    '{n}', '{u}', '{u}', '{NULL}', '{NULL}', '{NULL}', '{USD}', '{1}',
    '{1900000000}', '{1}', '{o,p}', '{s}', '{1}', '{NULL}', '{60}', '{60}',
    '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}')$$, 'PAY01',
    NULL, 'the columns of orders are of one length');

SELECT is(b.outcome, 'invalid', t.name)
FROM (VALUES
    ('short fingerprint', '\x00'::bytea, 'a', 1900000000, 60, 60),
    ('no fingerprint', NULL, 'a', 1900000000, 60, 60),
    ('no URL', sha256('b'), NULL, 1900000000, 60, 60),
    ('empty URL', sha256('b'), '', 1900000000, 60, 60),
    ('no expiry', sha256('b'), 'a', NULL, 60, 60),
    ('expiry beyond time', sha256('b'), 'a', 9223372036854775807, 60, 60),
    ('ttl 0', sha256('b'), 'a', 1900000000, 0, 60),
    ('lease below 0', sha256('b'), 'a', 1900000000, 60, -1),
    ('no lease', sha256('b'), 'a', 1900000000, 60, NULL)
    ) t (name, fingerprint, url, expires, ttl, lease),
    pay_api.begin_payment('{m}', '{k}', ARRAY[t.fingerprint], '{c}',
        ARRAY[pg_temp.uuid('x')], '{h}', '{stripe}', '{n}', ARRAY[t.url],
        '{u}', '{NULL}', '{NULL}', '{NULL}', '{USD}', '{1}',
        ARRAY[t.expires]::bigint[],
        '{1}', '{o}', '{s}', '{1}', '{NULL}',
        ARRAY[t.ttl]::bigint[], ARRAY[t.lease]::bigint[], '{NULL}', '{NULL}',
        '{NULL}', '{NULL}', '{NULL}', '{NULL}') b;

SELECT is(b.outcome, w, 'a key that lives ' || ttl || ' s')
FROM (VALUES (1, 'created'), (315360000, 'created'), (315360001, 'invalid'))
    t (ttl, w),
    pg_temp.begin('m1', 'ttl-' || ttl, 'ttl-' || ttl,
                  ARRAY['ttl-' || ttl || ':1'], p_ttl_s => ttl) b;
SELECT is(b.outcome, 'invalid', 'uuid ' || coalesce(t.uuid, 'NULL'))
FROM (VALUES (NULL), (''), ('x'), ('{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'),
    ('a0eebc999c0b4ef8bb6d6bb9bd380a11')) t (uuid),
    pay_api.begin_payment('{m}', '{k}', ARRAY[sha256('b')], '{c}',
        ARRAY[t.uuid], '{h}', '{stripe}', '{n}', '{u}', '{u}', '{NULL}',
        '{NULL}', '{NULL}', '{USD}', '{1}', '{1900000000}',
        '{1}', '{o}', '{s}', '{1}', '{NULL}',
        '{60}', '{60}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}',
        '{NULL}') b;

SELECT is(b.outcome, t.want, 'terms ' || coalesce(t.terms, 'NULL'))
FROM (VALUES (NULL, 'created'), ('{}', 'created'),
    ('{"capture":"manual"}', 'created'),
    ('{"capture":"later"}', 'invalid'), ('{"capture":1}', 'invalid'),
    ('{"quote_ttl_s":0}', 'invalid'), ('{"quote_ttl_s":"x"}', 'invalid'),
    ('{"quote_ttl_s":-5}', 'invalid'), ('{"quote_ttl_s":60}', 'created'),
    ('{"rate_age_s":1e9}', 'invalid'), ('{"rate_age_s":60}', 'created'))
    t (terms, want),
    pg_temp.begin('terms', 'k-' || coalesce(t.terms, ''),
        'c-' || coalesce(t.terms, ''), ARRAY[md5(coalesce(t.terms, '')) || ':1'],
        p_handle => md5('terms' || coalesce(t.terms, '')),
        p_terms => t.terms::jsonb) b;
SELECT is(b.outcome, 'invalid', 'a handle that somebody has')
FROM pg_temp.begin('m1', 'key-h', 'ch', '{oh:1}', p_handle => 'h-m1c1') b;
SELECT is((SELECT count(*) FROM pay.checkout WHERE checkout_id = 'ch'),
          0::bigint, 'is left out altogether');

-- one batch: item, merchant, key, body, checkout, orders -> outcome
CREATE TEMPORARY TABLE batch (n int, m text, k text, body text, c text,
                              o text[], want text);
INSERT INTO batch VALUES
    (1, 'b', 'k1', 'x', 'c1', '{b1:1}', 'created'),
    (2, 'b', 'k1', 'x', 'c1', '{b1:1}', 'in_progress'),
    (3, 'b', 'k1', 'y', 'c1', '{b1:1}', 'key_reused'),
    (4, 'b', 'k2', 'x', 'c1', '{b9:1}', 'exists'),
    (5, 'b', 'k3', 'x', 'c5', '{b5:1,b1:1}', 'exists'),
    (6, 'b', 'k4', 'x', 'c6', '{b5:1}', 'created'),
    (7, 'b', 'k5', 'x', 'c7', '{b7:0}', 'invalid'),
    (8, 'b', 'k5', 'x', 'c8', '{b8:1}', 'created'),
    (9, 'b2', 'k1', 'z', 'c1', '{b1:1}', 'created'),
    -- 10 loses its order to 1; 11, its twin by key, then stands alone
    (10, 'b', 'k6', 'x', 'c10', '{b1:1}', 'exists'),
    (11, 'b', 'k6', 'y', 'c11', '{b11:1}', 'created'),
    -- 12 loses its order to 1; 13, its twin by checkout, stands alone
    (12, 'b', 'k7', 'x', 'c12', '{b1:1,b12:1}', 'exists'),
    (13, 'b', 'k8', 'x', 'c12', '{b13:1}', 'created');

SELECT is(string_agg(r.item || ' ' || r.outcome, ', ' ORDER BY r.item),
          (SELECT string_agg(n || ' ' || want, ', ' ORDER BY n) FROM batch),
          'twins in one batch: the first wins')
FROM pay_api.begin_payment(
    ARRAY(SELECT m FROM batch ORDER BY n),
    ARRAY(SELECT k FROM batch ORDER BY n),
    ARRAY(SELECT sha256(body::bytea) FROM batch ORDER BY n),
    ARRAY(SELECT c FROM batch ORDER BY n),
    ARRAY(SELECT pg_temp.uuid(n::text) FROM batch ORDER BY n),
    ARRAY(SELECT 'batch-' || n FROM batch ORDER BY n),
    ARRAY(SELECT 'stripe' FROM batch),
    ARRAY(SELECT split_part(o[1], ':', 1) FROM batch ORDER BY n),
    ARRAY(SELECT 'u' FROM batch), ARRAY(SELECT 'u' FROM batch),
    ARRAY(SELECT NULL::jsonb FROM batch),
    ARRAY(SELECT NULL::jsonb FROM batch),
    ARRAY(SELECT NULL::jsonb FROM batch), ARRAY(SELECT 'USD' FROM batch),
    ARRAY(SELECT (SELECT sum(split_part(x, ':', 2)::bigint)
                  FROM unnest(o) x)::bigint FROM batch ORDER BY n),
    ARRAY(SELECT 1900000000::bigint FROM batch),
    ARRAY(SELECT n::bigint FROM batch, unnest(o) x ORDER BY n),
    ARRAY(SELECT split_part(x, ':', 1) FROM batch, unnest(o)
          WITH ORDINALITY AS l (x, place) ORDER BY n, place),
    ARRAY(SELECT 's' FROM batch, unnest(o)),
    ARRAY(SELECT split_part(x, ':', 2)::bigint FROM batch, unnest(o)
          WITH ORDINALITY AS l (x, place) ORDER BY n, place),
    ARRAY(SELECT NULL::text FROM batch, unnest(o)),
    ARRAY(SELECT 60::bigint FROM batch), ARRAY(SELECT 5000::bigint FROM batch),
    ARRAY(SELECT 'r' FROM batch), ARRAY(SELECT NULL FROM batch),
    ARRAY(SELECT NULL FROM batch), ARRAY(SELECT NULL FROM batch),
    ARRAY(SELECT NULL FROM batch), ARRAY(SELECT NULL::jsonb FROM batch)) r;

SELECT is((SELECT string_agg(checkout_id, ' ' ORDER BY checkout_id)
           FROM pay.checkout WHERE merchant_id = 'b'),
          'c1 c11 c12 c6 c8', 'and only they are there');
SELECT is((SELECT string_agg(payment_order_id, ' '
                             ORDER BY payment_order_id)
           FROM pay.payment_order WHERE merchant_id = 'b'),
          'b1 b11 b13 b5 b8', 'with their orders');

\i :checks
SELECT finish();
ROLLBACK;
