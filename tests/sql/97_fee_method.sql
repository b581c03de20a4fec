-- Commissions by payment method: the row that counts for a sale, and that rows
-- without a method count as they did before there were any with one.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir payout.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.fee(p_order text) RETURNS bigint LANGUAGE sql AS $$
SELECT o.fee_minor FROM pay.payment_order o WHERE o.payment_order_id = p_order
$$;
CREATE FUNCTION pg_temp.commission(
    p_percent numeric, p_method text DEFAULT NULL,
    p_seller text DEFAULT NULL, p_psp text DEFAULT NULL,
    p_from timestamptz DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.set_commission('m1', p_seller, p_psp, 'USD', p_percent, NULL,
    NULL, NULL, p_from, 'ann', 'test', p_method)
$$;
-- of 10.00 by this method
CREATE FUNCTION pg_temp.by(
    p_id text, p_method text, p_manual boolean DEFAULT false)
RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.sold(p_id, ARRAY[p_id || ':1000'], p_manual,
    jsonb_build_object('payment_method', p_method))
$$;
CREATE FUNCTION pg_temp.rate(
    p_seller text, p_method text, p_psp text, p_at timestamptz DEFAULT now())
RETURNS numeric LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT (pay.commission_at('m1', p_seller, p_psp, 'USD', p_at,
                          p_method)).percent
$$;

-- a checkout keeps the method
SELECT pg_temp.by('k1', 'card'), pg_temp.by('k2', NULL),
    pg_temp.sold('k3', '{k3:1000}'), pg_temp.by('k4', repeat('x', 64))
\g /dev/null
SELECT is(c.payment_method, w.method, w.id || ' keeps its method')
FROM (VALUES ('k1', 'card'), ('k2', NULL), ('k3', NULL),
             ('k4', repeat('x', 64))) AS w (id, method)
JOIN pay_view.checkouts c ON c.checkout_id = w.id;
SELECT throws_ok($$UPDATE pay.checkout SET payment_method = 'paypal'
    WHERE checkout_id = 'k1'$$, 'PAY11', NULL, 'which is fixed');
SELECT throws_ok($$UPDATE pay.checkout SET payment_method = 'paypal'
    WHERE checkout_id = 'k2'$$, 'PAY11', NULL, 'also when there was none');
SELECT is(b.outcome, 'invalid', 'refused: ' || to_json(m))
FROM unnest(ARRAY['', 'a b', 'caf' || chr(233), 'a"b', E'a\nb',
                  repeat('x', 65)]) m,
    pg_temp.begin('m1', 'k-k5', 'k5', '{k5:1000}',
                  p_terms => jsonb_build_object('payment_method', m)) b;
SELECT is((SELECT b.outcome FROM pg_temp.begin('m1', 'k-k6', 'k6', '{k6:1}',
    p_terms => '{"payment_method": {"a": 1}}') b), 'invalid', 'no object');

-- rows of the schedule
SELECT is(pg_temp.commission(10, m), 'invalid', 'no row for: ' || m)
FROM unnest(ARRAY['a b', 'caf' || chr(233), repeat('x', 65)]) m;
SELECT is(pg_temp.commission(50, repeat('x', 64)), 'stored', '64 bytes');
SELECT is(pg_temp.commission(33, 'card'), 'stored', 'a row for cards');
SELECT is((SELECT concat_ws(' ', v.payment_method, v.percent)
           FROM pay_view.commissions v ORDER BY v.commission_id DESC LIMIT 1),
          'card 33.0000', 'the view shows it');
SELECT is((SELECT a.detail ->> 'payment_method' FROM pay.payout_act a
           WHERE a.act = 'commission' ORDER BY a.act_id DESC LIMIT 1), 'card',
          'and so does the act');

-- with rows about methods alone
SELECT pg_temp.by('m1', 'card'), pg_temp.by('m2', NULL),
    pg_temp.by('m3', 'paypal'), pg_temp.by('m4', 'Card'),
    pg_temp.by('m5', repeat('x', 64)), pg_temp.sold('m6', '{m6:1000}')
\g /dev/null
-- begin_payment looks for these words in the text of its terms
SELECT is(pg_temp.by('m-' || w, w), 'applied', 'a method by the name of ' || w)
FROM unnest('{fees,replaces}'::text[]) w;
SELECT is(pg_temp.fee('m1'), 330::bigint, 'a sale by this method');
SELECT is(pg_temp.fee('m2'), NULL, 'a payment without one has no fee');
SELECT is(pg_temp.fee('m3'), NULL, 'nor has one by a method without a row');
SELECT is(pg_temp.fee('m4'), NULL, 'nor one by another case');
SELECT is(pg_temp.fee('m5'), 500::bigint, 'another row');
SELECT is(pg_temp.fee('m6'), NULL, 'terms without the member');
SELECT pg_temp.commission(10)
\g /dev/null
SELECT pg_temp.by('n1', 'card'), pg_temp.by('n2', NULL),
    pg_temp.by('n3', 'paypal')
\g /dev/null
SELECT is(pg_temp.fee('n1'), 330::bigint, 'the method before all');
SELECT is(pg_temp.fee('n2'), 100::bigint, 'all: without a method');
SELECT is(pg_temp.fee('n3'), 100::bigint, 'all: by a method without a row');

-- sales of one batch, each by its method
SELECT b.outcome
FROM (VALUES ('b1', 'card'), ('b2', NULL), ('b3', 'paypal'),
             ('b4', repeat('x', 64))) AS w (id, method)
CROSS JOIN LATERAL pg_temp.begin('m1', 'k-' || w.id, w.id,
    ARRAY[w.id || ':1000'],
    p_terms => jsonb_build_object('payment_method', w.method)) b
\g /dev/null
SELECT pg_temp.token('m1', i, 't-' || i) FROM unnest('{b1,b2,b3,b4}'::text[]) i
\g /dev/null
SELECT is((SELECT string_agg(e.outcome, ' ')
    FROM pay_api.apply_event(array_fill('stripe'::text, '{4}'),
        array_fill('webhook'::text, '{4}'), '{e1,e2,e3,e4}',
        array_fill('psp.paid'::text, '{4}'), array_fill('paid'::text, '{4}'),
        '{t-b1,t-b2,t-b3,t-b4}', '{pi-b1,pi-b2,pi-b3,pi-b4}',
        array_fill(NULL::text, '{4}'), array_fill(NULL::bigint, '{4}'),
        array_fill(NULL::text, '{4}'), array_fill(sha256('body'), '{4}'),
        array_fill('request-4'::text, '{4}')) e),
    'applied applied applied applied', 'a batch of sales');
SELECT is((SELECT string_agg(pg_temp.fee(i)::text, ' ')
           FROM unnest('{b1,b2,b3,b4}'::text[]) i), '330 100 100 500',
          'the methods do not mix');

-- a refund gives back by the row that was booked; later captures keep it
SELECT pg_temp.by('r1', 'card'), pg_temp.by('h1', 'card', true),
    pg_temp.by('h2', 'card', true),
    pg_temp.whole('h1', 'h1', 'capture', 'h1-a', 400, 'DONE', 'cap-a')
\g /dev/null
SELECT is(pg_temp.fee('h1'), 132::bigint, 'a part is captured');
SELECT is(pg_temp.commission(80, 'card'), 'stored', 'a later row');
SELECT pg_temp.whole('r1', 'r1', 'refund', 'r1-a', 500, 'DONE', 're-a'),
    pg_temp.whole('h1', 'h1', 'capture', 'h1-b', 600, 'DONE', 'cap-b'),
    pg_temp.whole('h2', 'h2', 'capture', 'h2-a', 1000, 'DONE', 'cap-c')
\g /dev/null
SELECT is(pg_temp.fee('r1'), 165::bigint, 'half of 33 %, not of 80 %');
SELECT is(pg_temp.fee('h1'), 330::bigint, '33 % of the whole');
SELECT is(pg_temp.fee('h2'), 800::bigint, 'the first sale is later: 80 %');
SELECT is(pg_temp.commission(NULL, 'card'), 'stored', 'the row ends');
SELECT pg_temp.whole('r1', 'r1', 'refund', 'r1-b', 500, 'DONE', 're-b'),
    pg_temp.whole('h2', 'h2', 'refund', 'h2-b', 250, 'DONE', 're-c'),
    pg_temp.by('e1', 'card')
\g /dev/null
SELECT is(pg_temp.fee('r1'), 0::bigint, 'the whole is given back');
SELECT is(pg_temp.fee('h2'), 600::bigint, '80 % of what is left');
SELECT is(pg_temp.fee('e1'), 100::bigint, 'a row that ended: then all');

-- a late payment that an operator accepts
SELECT pg_temp.commission(33, 'card'), (SELECT b.outcome
    FROM pg_temp.begin('m1', 'k-l1', 'l1', '{l1:1000}', p_late => 'hold',
                       p_terms => '{"payment_method": "card"}') b)
\g /dev/null
SELECT pg_temp.token('m1', 'l1', 't-l1'), pg_temp.fact('t-l1', 'expired'),
    pg_temp.fact('t-l1', 'paid')
\g /dev/null
SELECT is((SELECT pay_ops.accept_dead_letter(d.dead_letter_id, 'ann', 'test')
           FROM pay.dead_letter d
           WHERE d.checkout_id = 'l1' AND d.kind = 'late_success'),
          'accepted', 'an operator accepts it');
SELECT is(pg_temp.fee('l1'), 330::bigint, 'a late sale, by its method');

-- the fee of the storefront counts in place of each row
SELECT pg_temp.sold('g1', '{g1:1000}',
    p_terms => '{"payment_method": "card", "fees": [7]}')
\g /dev/null
SELECT is(pg_temp.fee('g1'), 7::bigint, 'the fee that was given');

-- each precedence: rows are added from the least to the most specific one
SELECT is(pg_temp.rate('s', 'ideal', 'adyen'), 10.0000, 'all');
SELECT is(pg_temp.commission(p, m, s, a), 'stored', 'a row of ' || p)
FROM (VALUES (11, NULL, NULL, 'adyen'), (12, 'ideal', NULL, NULL),
    (13, 'ideal', NULL, 'adyen'), (14, NULL, 's', NULL),
    (15, NULL, 's', 'adyen'), (16, 'ideal', 's', NULL),
    (17, 'ideal', 's', 'adyen')) AS w (p, m, s, a);
SELECT is(pg_temp.rate(s, m, a), p::numeric,
          concat_ws(' ', 'the row of', s, coalesce(m, 'no method'), a))
FROM (VALUES (17, 's', 'ideal', 'adyen'), (16, 's', 'ideal', 'mollie'),
    (15, 's', 'other', 'adyen'), (15, 's', NULL, 'adyen'),
    (15, 's', '', 'adyen'), (14, 's', 'other', 'mollie'),
    (14, 's', NULL, 'mollie'), (13, 'x', 'ideal', 'adyen'),
    (12, 'x', 'ideal', 'mollie'), (11, 'x', 'other', 'adyen'),
    (11, 'x', NULL, 'adyen'), (10, 'x', 'other', 'mollie'),
    (10, 'x', NULL, 'mollie')) AS w (p, s, m, a);
SELECT is(pg_temp.commission(NULL, m, s, a), 'stored', 'a row that ends')
FROM (VALUES ('ideal', 's', 'adyen')) AS w (m, s, a);
SELECT is(pg_temp.rate('s', 'ideal', 'adyen'), 16.0000,
          'then the seller and the method, at each PSP');
SELECT pg_temp.commission(NULL, 'ideal', 's')
\g /dev/null
SELECT is(pg_temp.rate('s', 'ideal', 'adyen'), 15.0000,
          'then the seller and the PSP');
SELECT pg_temp.commission(NULL, NULL, 's', 'adyen')
\g /dev/null
SELECT is(pg_temp.rate('s', 'ideal', 'adyen'), 14.0000,
          'the seller, before the method and the PSP together');
SELECT pg_temp.commission(NULL, NULL, 's')
\g /dev/null
SELECT is(pg_temp.rate('s', 'ideal', 'adyen'), 13.0000,
          'then the method and the PSP');
SELECT pg_temp.commission(NULL, 'ideal', NULL, 'adyen')
\g /dev/null
SELECT is(pg_temp.rate('s', 'ideal', 'adyen'), 12.0000,
          'the method before the PSP');
SELECT pg_temp.commission(4, 'ideal', p_from => now() + interval '1 day'),
    pg_temp.commission(NULL, 'ideal', p_from => now() + interval '2 days')
\g /dev/null
SELECT is(pg_temp.rate('s', 'ideal', 'adyen', now() + d * interval '1 day'),
          w, 'after ' || d || ' days')
FROM (VALUES (0, 12.0000), (1, 4.0000), (2, 11.0000)) AS t (d, w);

-- Random schedules.  Of rows without a method the one counts that counted
-- before there were methods, whatever method a sale has; of all rows the first
-- one in the written sequence.
CREATE FUNCTION pg_temp.before_0028(
    p_merchant_id text, p_seller text, p_psp text, p_currency text,
    p_at timestamptz)
RETURNS bigint LANGUAGE sql AS $$
SELECT c.commission_id
FROM (VALUES (1, p_seller, p_psp), (2, p_seller, ''), (3, '', p_psp),
    (4, '', '')) AS k (rank, seller, psp)
CROSS JOIN LATERAL (
    SELECT x.* FROM pay.commission x
    WHERE x.merchant_id = p_merchant_id AND x.currency = p_currency
        AND x.seller_account = k.seller AND x.psp = k.psp
        AND x.valid_from <= p_at
    ORDER BY x.valid_from DESC, x.commission_id DESC LIMIT 1) c
WHERE c.percent IS NOT NULL
ORDER BY k.rank LIMIT 1
$$;
-- the newest row of each key that matches; of these the one with the most
-- weight
CREATE FUNCTION pg_temp.as_written(
    p_merchant_id text, p_seller text, p_psp text, p_currency text,
    p_at timestamptz, p_method text)
RETURNS bigint LANGUAGE sql AS $$
SELECT n.commission_id
FROM (
    SELECT DISTINCT ON (x.seller_account, x.payment_method, x.psp) x.*
    FROM pay.commission x
    WHERE x.merchant_id = p_merchant_id AND x.currency = p_currency
        AND x.valid_from <= p_at
    ORDER BY x.seller_account, x.payment_method, x.psp, x.valid_from DESC,
        x.commission_id DESC) n
WHERE n.percent IS NOT NULL AND n.seller_account IN ('', p_seller)
    AND n.psp IN ('', p_psp)
    AND (n.payment_method = '' OR n.payment_method = p_method)
ORDER BY 4 * (n.seller_account <> '')::int
    + 2 * (n.payment_method <> '')::int + (n.psp <> '')::int DESC
LIMIT 1
$$;
CREATE FUNCTION pg_temp.as_booked(
    p_merchant_id text, p_seller text, p_psp text, p_currency text,
    p_at timestamptz, p_method text)
RETURNS bigint LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT (pay.commission_at(p_merchant_id, p_seller, p_psp, p_currency, p_at,
                          p_method)).commission_id
$$;
CREATE FUNCTION pg_temp.schedule(p_merchant text, p_methods text[])
RETURNS bigint LANGUAGE sql AS $$
SELECT count(*) FILTER (WHERE pay_ops.set_commission(p_merchant,
    (ARRAY[NULL, 's1', 's2'])[1 + floor(random() * 3)],
    (ARRAY[NULL, 'p1', 'p2'])[1 + floor(random() * 3)],
    (ARRAY['USD', 'EUR'])[1 + floor(random() * 2)],
    CASE WHEN random() < 0.8 THEN round((random() * 90)::numeric, 4) END,
    NULL, NULL, NULL, now() + floor(random() * 4) * interval '1 day', 'ann',
    'test', p_methods[1 + floor(random() * cardinality(p_methods))::int])
    = 'stored')
FROM generate_series(1, 30)
$$;
CREATE TEMPORARY TABLE question AS
SELECT s, p, c, now() + d * interval '1 day' AS at, m
FROM unnest('{s1,s2,s3}'::text[]) s, unnest('{p1,p2,p3}'::text[]) p,
    unnest('{USD,EUR}'::text[]) c, generate_series(0, 3) d,
    unnest('{NULL,a,b,c}'::text[]) m;
SELECT setseed(0.28)
\g /dev/null
SELECT is(pg_temp.schedule('q' || n, '{NULL}')
          + pg_temp.schedule('w' || n, '{NULL,a,b}'), 60::bigint,
          'random rows ' || n)
FROM generate_series(1, 6) n;
SELECT is((SELECT count(*)
           FROM generate_series(1, 6) n, question q
           WHERE pg_temp.as_booked('q' || n, q.s, q.p, q.c, q.at, q.m)
               IS DISTINCT FROM pg_temp.before_0028('q' || n, q.s, q.p, q.c,
                                                    q.at)), 0::bigint,
          'rows without a method count as before, for each method');
SELECT is((SELECT count(*)
           FROM generate_series(1, 6) n, question q
           WHERE pg_temp.as_booked('w' || n, q.s, q.p, q.c, q.at, q.m)
               IS DISTINCT FROM pg_temp.as_written('w' || n, q.s, q.p, q.c,
                                                   q.at, q.m)), 0::bigint,
          'rows with and without: seller, method, PSP');
SELECT ok((SELECT count(DISTINCT x.payment_method) = 3
           FROM generate_series(1, 6) n
           CROSS JOIN question q
           CROSS JOIN LATERAL (SELECT pg_temp.as_booked('w' || n, q.s, q.p,
               q.c, q.at, q.m) AS id OFFSET 0) b
           JOIN pay.commission x ON x.commission_id = b.id),
          'rows of each method were found');

SET CONSTRAINTS ALL IMMEDIATE;
\i :checks

SELECT finish();
ROLLBACK;
