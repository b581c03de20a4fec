-- Rates: what sources say, the median of it, conversions, quotes.

BEGIN;
\ir helpers.psql
SELECT no_plan();

-- outcome and age
CREATE FUNCTION pg_temp.begins(
    p_source text DEFAULT 's1', p_owner text DEFAULT 'w1',
    p_interval_ms bigint DEFAULT 60000, p_lease_ms bigint DEFAULT 60000)
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', b.outcome, b.age_ms)
FROM pay_api.begin_rates(ARRAY[p_source], ARRAY[p_owner],
    ARRAY[p_interval_ms], ARRAY[p_lease_ms]) b
$$;
CREATE FUNCTION pg_temp.ends(
    p_rates jsonb, p_base text DEFAULT 'EUR', p_source text DEFAULT 's1',
    p_owner text DEFAULT 'w1', p_code text DEFAULT NULL,
    p_age_ms bigint DEFAULT 0, p_max_age_ms bigint DEFAULT 300000)
RETURNS text LANGUAGE sql AS $$
SELECT e.outcome FROM pay_api.end_rates(ARRAY[p_source], ARRAY[p_owner],
    ARRAY[p_base], ARRAY[p_rates], ARRAY[p_code], ARRAY[p_age_ms],
    ARRAY[p_max_age_ms]) e
$$;
-- a look at a source, whenever
CREATE FUNCTION pg_temp.said(
    p_source text, p_base text, p_rates jsonb, p_age_ms bigint DEFAULT 0,
    p_max_age_ms bigint DEFAULT 300000)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    UPDATE pay.rate_source SET run_at = now(), lease_owner = NULL,
        lease_until = NULL WHERE source = p_source;
    RETURN concat_ws(' ', split_part(pg_temp.begins(p_source), ' ', 1),
        pg_temp.ends(p_rates, p_base, p_source, p_age_ms => p_age_ms,
                     p_max_age_ms => p_max_age_ms));
END
$$;
CREATE FUNCTION pg_temp.rates(p_source text DEFAULT 's1')
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(r.base || r.quote || '=' || r.rate, ' ' ORDER BY r.quote)
FROM pay.rate r WHERE r.source = p_source
$$;
CREATE FUNCTION pg_temp.forget() RETURNS void LANGUAGE sql AS
'DELETE FROM pay.rate; DELETE FROM pay.rate_source';


-- One look: begun once, ended by whom it was leased to.
SELECT is(pg_temp.begins(), 'due', 'a new source is due, and has no age');
SELECT is(pg_temp.begins(p_owner => 'w2'), 'not_due', 'one worker at a time');
SELECT is(pg_temp.ends('{"USD":"1.1"}', p_owner => 'w2'), 'gone',
          'who has no lease ends nothing');
SELECT is(pg_temp.rates(), NULL, 'and stores nothing');
SELECT is(pg_temp.ends('{"USD":"1.0843","JPY":"163.9"}'), 'stored', 'stored');
SELECT is(pg_temp.rates(), 'EURJPY=163.9 EURUSD=1.0843', 'as they were said');
SELECT is(pg_temp.ends('{"USD":"2"}'), 'gone', 'once');
SELECT is(pg_temp.begins(), 'not_due 0', 'not before its interval is over');
SELECT is(pg_temp.begins(p_interval_ms => 10000), 'due 0',
          'an interval that was made shorter counts at once');
SELECT is(pg_temp.ends('{"USD":"1.2"}', p_age_ms => 90000), 'stored', 'older');
SELECT is(pg_temp.rates(), 'EURUSD=1.2', 'what it no longer names is gone');
SELECT is(pg_temp.begins(), 'not_due 90000', 'the age is that of the rates');

-- a lease that nobody ends
UPDATE pay.rate_source SET run_at = now();
SELECT is(pg_temp.begins(), 'due 90000', 'the next look');
UPDATE pay.rate_source SET run_at = now();
SELECT is(pg_temp.begins(p_owner => 'w2'), 'not_due 90000', 'is leased');
UPDATE pay.rate_source SET lease_until = now();
SELECT is(pg_temp.begins(p_owner => 'w2'), 'due 90000', 'until it ends');

-- it failed
SELECT is(pg_temp.ends(NULL, p_owner => 'w2', p_code => 'timeout'), 'stored',
          'that it failed');
SELECT is(pg_temp.rates(), 'EURUSD=1.2', 'what it said before stays');
SELECT is((s.runs, s.failures, s.code, now() - s.fetched_at)::text,
          '(3,1,timeout,00:01:30)', 'counted, and no younger')
FROM pay.rate_source s;

-- hostile
SELECT is(pg_temp.said('bad', b, r), 'due ' || want, concat(b, r))
FROM (VALUES
    ('EUR', '{"USD":"0"}'::jsonb, 'invalid'),
    ('EUR', '{"USD":"-1"}', 'invalid'), ('EUR', '{"USD":"NaN"}', 'invalid'),
    ('EUR', '{"USD":"Infinity"}', 'invalid'),
    ('EUR', '{"USD":"1e5"}', 'invalid'), ('EUR', '{"USD":""}', 'invalid'),
    ('EUR', '{"USD":"1."}', 'invalid'), ('EUR', '{"USD":"01"}', 'invalid'),
    ('EUR', '{"USD":null}', 'invalid'), ('EUR', '{"USD":{}}', 'invalid'),
    ('EUR', '{"USD":" 1"}', 'invalid'),
    ('EUR', '{"USD":"1.2345678901234"}', 'invalid'),
    ('EUR', '{"USD":"1000000000000"}', 'invalid'),
    ('EUR', '{"USD":"0.0000000000009"}', 'invalid'),
    ('EUR', '{"USD":"1","BTC":"1"}', 'invalid'),
    ('EUR', '{"EUR":"1"}', 'invalid'), ('EUR', '{}', 'invalid'),
    ('EUR', '[]', 'invalid'), ('EUR', '"USD"', 'invalid'),
    ('XXX', '{"USD":"1"}', 'invalid'), (NULL, '{"USD":"1"}', 'invalid'),
    ('EUR', '{"USD":"999999999999","JPY":"0.000000000001"}', 'stored')
    ) AS v (b, r, want);
SELECT is(pg_temp.ends('{"USD":"1"}', p_age_ms => a, p_max_age_ms => m),
          'invalid', format('age %s of %s', a, m))
FROM (VALUES (-1, 1), (NULL, 1), (0, 0), (0, NULL), (9223372036854775807, 1),
             (0, 9223372036854775807)) AS v (a, m);
SELECT is(pg_temp.begins(s, o, i, l), 'invalid', concat_ws(' ', s, o, i, l))
FROM (VALUES ('', 'w', 1, 1), (NULL, 'w', 1, 1), ('s', NULL, 1, 1),
             ('s', 'w', 0, 1), ('s', 'w', 1, 0),
             ('s', 'w', 9223372036854775807, 1)) AS v (s, o, i, l);


-- Rounding: half to even, both ways.
SELECT is(pay.round_rate(r::numeric), want::numeric, 'rounded ' || r)
FROM (VALUES
    ('1.234567890125', '1.23456789012'), ('1.234567890135', '1.23456789014'),
    ('1.2345678901250000000000000001', '1.23456789013'),
    ('1.2345678901349999999999999999', '1.23456789013'),
    ('0.000001234567890125', '0.00000123456789012'),
    ('0.00000123456789013500', '0.00000123456789014'),
    ('123456789012.5', '123456789012'), ('123456789013.5', '123456789014'),
    ('1234567890125', '1234567890120'), ('1234567890135', '1234567890140'),
    ('999999999999.5', '1000000000000'), ('0.9999999999995', '1'),
    ('1', '1'), ('0.5', '0.5')) AS v (r, want);

-- The median of one to five; of an even count the mean of the two middle
-- ones, half to even at 12 digits.
SELECT pg_temp.forget();
SELECT is(pay.median_rate('EUR', 'USD', '5 min'), NULL, 'of none: NULL');
CREATE FUNCTION pg_temp.median_with(p_rate text) RETURNS numeric
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.said('s' || p_rate, 'EUR',
                         jsonb_build_object('USD', p_rate));
    RETURN pay.median_rate('EUR', 'USD', '5 min');
END
$$;
SELECT is(pg_temp.median_with(n), want, 'the median with ' || n)
FROM (VALUES ('5', 5.0), ('1', 3.0), ('4', 4.0), ('2', 3.0), ('3', 3.0))
    AS v (n, want);
SELECT pg_temp.forget();
SELECT is(pg_temp.said('s' || n, 'EUR', jsonb_build_object('USD', r)),
          'due stored', r)
FROM (VALUES (1, '1.00000000001'), (2, '1.00000000002')) AS v (n, r);
SELECT is(pay.median_rate('EUR', 'USD', '5 min'), 1.00000000002,
          'a mean of a half goes up to the even digit');
SELECT is(pg_temp.said('s1', 'EUR', '{"USD":"1.00000000003"}'), 'due stored',
          'and');
SELECT is(pay.median_rate('EUR', 'USD', '5 min'), 1.00000000002,
          'down to it');
-- one source that is wrong by a factor moves nothing much
SELECT is(pg_temp.said('s3', 'EUR', '{"USD":"108.43"}'), 'due stored',
          'a source out of its mind');
SELECT is(pay.median_rate('EUR', 'USD', '5 min'), 1.00000000003,
          'is not the one in the middle');

-- What is stale does not count: by the caller's age, and by the source's.
SELECT pg_temp.forget();
SELECT is(pg_temp.said('old', 'EUR', '{"USD":"9"}', 200000), 'due stored',
          'an old one');
SELECT is(pg_temp.said('new', 'EUR', '{"USD":"1.1"}', 1000), 'due stored',
          'and a new one');
SELECT is(pay.median_rate('EUR', 'USD', '5 min'), 5.05, 'both count');
SELECT is(pay.median_rate('EUR', 'USD', NULL), 5.05, 'without a limit, too');
SELECT is(pay.median_rate('EUR', 'USD', '60 s'), 1.1, 'one within a minute');
SELECT is(pay.median_rate('EUR', 'USD', '1 s'), NULL,
          'none within a second: the end is not within');
UPDATE pay.rate_source SET max_age = '3 min' WHERE source = 'old';
SELECT is(pay.median_rate('EUR', 'USD', '5 min'), 1.1,
          'its own max_age counts, too');
UPDATE pay.rate_source SET fetched_at = now() + interval '2 min'
WHERE source = 'new';
SELECT is(pay.median_rate('EUR', 'USD', '5 min'), NULL,
          'a clock that was ahead makes nothing fresh for ever');

-- Direct, inverted, across a source's base.
SELECT pg_temp.forget();
SELECT is(pg_temp.said('s1', 'EUR', '{"USD":"1.25","JPY":"160","KWD":"0.33"}'),
          'due stored', 'one source');
SELECT is(pay.median_rate(b, q, '5 min'), want::numeric, b || q)
FROM (VALUES ('EUR', 'USD', '1.25'), ('USD', 'EUR', '0.8'),
             ('USD', 'JPY', '128'), ('JPY', 'USD', '0.0078125'),
             ('JPY', 'EUR', '0.00625'), ('KWD', 'EUR', '3.0303030303'),
             ('KWD', 'USD', '3.78787878788'), ('EUR', 'EUR', '1'),
             ('EUR', 'CHF', NULL), ('CHF', 'EUR', NULL), ('CHF', 'USD', NULL),
             ('XXX', 'USD', NULL)) AS v (b, q, want);
SELECT is(pg_temp.said('s2', 'USD', '{"EUR":"0.5","GBP":"0.75"}'),
          'due stored', 'another one, of another base');
SELECT is(pay.median_rate('EUR', 'USD', '5 min'), 1.625,
          'the mean of a direct and an inverted one');
SELECT is(pay.median_rate('USD', 'EUR', '5 min'), 0.65,
          'which is not the inverse of the mean');
SELECT is(pay.median_rate('GBP', 'EUR', '5 min'), 0.666666666667,
          'across the one that knows both');
SELECT is(pay.median_rate('GBP', 'JPY', '5 min'), NULL,
          'never half by one source and half by another');
SELECT is(pg_temp.said('s1', 'GBP', '{"USD":"1.25"}'), 'due stored',
          'a source with another base than before');
SELECT is(pay.median_rate('EUR', 'JPY', '5 min'), NULL,
          'keeps nothing of the old one');
-- the widest quotients
SELECT is(pg_temp.said('s1', 'GBP',
          '{"USD":"0.000000000001","JPY":"999999999999"}'), 'due stored',
          'extreme rates');
SELECT is(pay.median_rate('JPY', 'USD', '5 min'), 1e-24::numeric,
          '12 digits of the smallest');
SELECT is(pay.median_rate('USD', 'JPY', '5 min'), 999999999999e12::numeric,
          'and all of the largest');


-- Conversion between all exponents, half to even.
SELECT is(pay.convert(m, f, t, r), want, concat_ws(' ', m, f, t, r))
FROM (VALUES
    (1000::bigint, 'EUR', 'USD', 1.0843::numeric, 1084::bigint),
    (100, 'USD', 'JPY', 150, 150), (1, 'JPY', 'USD', 0.0067, 1),
    (150, 'JPY', 'USD', 0.00666666666667, 100),
    (100, 'EUR', 'KWD', 0.33, 330), (330, 'KWD', 'EUR', 3.0303030303, 100),
    (1000, 'JPY', 'KWD', 0.002, 2000), (1, 'KWD', 'JPY', 500, 0),
    (3, 'KWD', 'JPY', 500, 2), (5, 'KWD', 'JPY', 500, 2),
    (100, 'CLP', 'CLF', 0.000025, 25), (25, 'CLF', 'CLP', 40000, 100),
    (1, 'EUR', 'CLF', 0.5, 50), (123, 'CLF', 'KWD', 1, 12),
    (1, 'EUR', 'USD', 0.5, 0), (1, 'EUR', 'USD', 1.5, 2),
    (1, 'EUR', 'USD', 2.5, 2), (3, 'EUR', 'USD', 1.5, 4),
    (1, 'EUR', 'USD', 0.500000000001, 1), (5, 'EUR', 'JPY', 10, 0),
    (15, 'EUR', 'JPY', 10, 2), (25, 'EUR', 'JPY', 10, 2),
    (999999999999999, 'EUR', 'EUR', 1, 999999999999999),
    (9223372036854775807, 'EUR', 'USD', 1, 9223372036854775807),
    (9223372036854775807, 'EUR', 'USD', 1.00000000001, NULL),
    (999999999999999, 'EUR', 'IRR', 999999999999, NULL),
    (9223372036854775807, 'JPY', 'CLF', 1, NULL),
    (0, 'EUR', 'USD', 1, 0), (NULL, 'EUR', 'USD', 1, NULL),
    (1, 'EUR', 'USD', NULL, NULL), (1, 'XXX', 'USD', 1, NULL),
    (1, 'EUR', 'XXX', 1, NULL)) AS v (m, f, t, r, want);


-- Quotes: stored with the order, in its commit.
SELECT pg_temp.forget();
SELECT is(pg_temp.said('s1', 'EUR', '{"USD":"1.0843","JPY":"163.9"}'),
          'due stored', 'rates');
CREATE FUNCTION pg_temp.quoted(
    p_checkout text, p_orders jsonb, p_terms jsonb DEFAULT NULL,
    p_currency text DEFAULT 'EUR', p_key text DEFAULT NULL,
    p_merchant text DEFAULT 'q1')
RETURNS text LANGUAGE sql AS $$
SELECT b.outcome FROM pay_api.begin_payment(ARRAY[p_merchant],
    ARRAY[coalesce(p_key, 'key-' || p_checkout)],
    ARRAY[sha256(convert_to(p_checkout, 'UTF8'))], ARRAY[p_checkout],
    ARRAY[pg_temp.uuid(p_merchant || p_checkout)],
    ARRAY['h-' || p_merchant || p_checkout], ARRAY['stripe'],
    ARRAY[p_orders #>> '{0,id}'],
    ARRAY['https://shop.example/back'],
    ARRAY['https://pay.example'], ARRAY[NULL]::jsonb[], ARRAY[NULL]::jsonb[],
    ARRAY[NULL]::jsonb[], ARRAY[p_currency],
    ARRAY[(SELECT sum((o ->> 'amount')::numeric)
           FROM jsonb_array_elements(p_orders) o)]::bigint[],
    '{1900000000}',
    array_fill(1::bigint, ARRAY[jsonb_array_length(p_orders)]),
    ARRAY(SELECT o ->> 'id' FROM jsonb_array_elements(p_orders) o),
    ARRAY(SELECT coalesce(o ->> 'seller', 'seller-1')
          FROM jsonb_array_elements(p_orders) o),
    ARRAY(SELECT (o ->> 'amount')::bigint
          FROM jsonb_array_elements(p_orders) o),
    ARRAY(SELECT o ->> 'credit' FROM jsonb_array_elements(p_orders) o),
    '{86400}', '{0}',
    '{request-1}', '{NULL}', '{NULL}', '{NULL}', '{NULL}',
    ARRAY[p_terms]) b
$$;
CREATE FUNCTION pg_temp.credit(p_order text) RETURNS text
LANGUAGE sql AS $$
SELECT concat_ws(' ', o.credit_minor, o.credit_currency, o.credit_rate,
                 o.credit_until - now())
FROM pay.payment_order o WHERE o.payment_order_id = p_order
$$;
SELECT is(pg_temp.quoted('c1',
    '[{"id":"o1","amount":1000,"credit":"USD"},{"id":"o2","amount":250},
      {"id":"o3","amount":305,"credit":"JPY"},
      {"id":"o4","amount":10,"credit":"EUR"}]', '{"quote_ttl_s":600}'),
    'created', 'a checkout with every kind of order');
SELECT is(pg_temp.credit(o), want, o)
FROM (VALUES ('o1', '1084 USD 1.0843 00:10:00'), ('o2', ''),
             ('o3', '500 JPY 163.9 00:10:00'), ('o4', '')) AS v (o, want);
SELECT is(pg_temp.quoted('c2', '[{"id":"o5","amount":100,"credit":"USD"}]'),
          'created', 'without terms');
SELECT is(pg_temp.credit('o5'), '108 USD 1.0843 00:15:00', '15 minutes');

-- a replay gives the first quote
SELECT is(pg_temp.said('s1', 'EUR', '{"USD":"2"}'), 'due stored', 'moved');
SELECT is(pg_temp.quoted('c2', '[{"id":"o5","amount":100,"credit":"USD"}]'),
          'replayed', 'a replay');
SELECT is(pg_temp.credit('o5'), '108 USD 1.0843 00:15:00', 'the first quote');
SELECT is(pg_temp.said('s1', 'EUR', NULL), 'due stored', 'and the source');
SELECT pg_temp.forget();
SELECT is(pg_temp.quoted('c2', '[{"id":"o5","amount":100,"credit":"USD"}]'),
          'replayed', 'without any rate, too');

-- no rate: nothing is stored, and the key is free again
SELECT is(pg_temp.quoted('c3', '[{"id":"o6","amount":100,"credit":"USD"}]'),
          'rate_missing', 'no rate');
SELECT is(pg_temp.quoted('c3', '[{"id":"o6","amount":100,"credit":"USD"}]'),
          'rate_missing', 'again');
SELECT is((SELECT count(*) FROM pay.checkout c WHERE c.checkout_id = 'c3')
          + (SELECT count(*) FROM pay.payment_order o
             WHERE o.payment_order_id = 'o6')
          + (SELECT count(*) FROM pay.idempotency_key k
             WHERE k.key = 'key-c3')
          + (SELECT count(*) FROM pay.job j WHERE j.checkout_id = 'c3')
          + (SELECT count(*) FROM pay.event e
             WHERE e.payment_order_id = 'o6'), 0::bigint,
          'nothing is left of it');
SELECT is(pg_temp.quoted('c3', '[{"id":"o6","amount":100}]'), 'created',
          'the key, the checkout and the order are free');
SELECT is(pg_temp.quoted('c3', '[{"id":"o6","amount":100,"credit":"USD"}]',
                         p_key => 'key-other'), 'exists',
          'what is there already is there, with a rate or without');
SELECT is(pg_temp.quoted('c4', '[{"id":"o7","amount":1},
          {"id":"o8","amount":100,"credit":"USD"}]'), 'rate_missing',
          'one order without a rate is the whole checkout');

-- stale for the terms
SELECT is(pg_temp.said('s1', 'EUR', '{"USD":"2"}', 30000), 'due stored',
          'of half a minute ago');
SELECT is(pg_temp.quoted('c5', '[{"id":"o9","amount":1,"credit":"USD"}]',
                         '{"rate_age_s":30}'), 'rate_missing', 'is too old');
SELECT is(pg_temp.quoted('c5', '[{"id":"o9","amount":1,"credit":"USD"}]',
                         '{"rate_age_s":31}'), 'created', 'is not');
SELECT is(pg_temp.quoted('c6', '[{"id":"o10","amount":1,"credit":"CHF"}]'),
          'rate_missing', 'a currency that no source knows');

-- what is no currency, and what would be too much
SELECT is(pg_temp.quoted('c7', jsonb_build_array('{"id":"o11","amount":1}'
              ::jsonb || x)), 'invalid', x::text)
FROM unnest(ARRAY['{"credit":"usd"}', '{"credit":"XXX"}',
    '{"credit":"BGN"}', '{"credit":""}', '{"credit":" USD"}']::jsonb[]) x;
SELECT is(pg_temp.said('s1', 'EUR', '{"IRR":"1000000"}'), 'due stored', 'IRR');
SELECT is(pg_temp.quoted('c8',
    '[{"id":"o12","amount":999999999,"credit":"IRR"}]'), 'created', 'much');
SELECT is(pg_temp.quoted('c9',
    '[{"id":"o13","amount":1000000000,"credit":"IRR"}]'), 'credit_too_large',
    'too much for one order');
SELECT is(pg_temp.quoted('c9',
    '[{"id":"o13","amount":999999999999999,"credit":"IRR"}]'),
    'credit_too_large', 'more than a bigint');
SELECT is(pg_temp.quoted('c9', '[{"id":"o13","amount":1}]'), 'created',
          'and nothing was left of it');

SELECT is(pg_temp.quoted('c10', '[{"id":"o14","amount":1}]', NULL, 'BGN'),
          'invalid', 'no new payment in what has been withdrawn');

-- a batch: each by itself, whoever has lost; the key's first item decides
SELECT is(array_agg(b.outcome ORDER BY b.item), '{created,rate_missing,
    created,rate_missing,replayed,rate_missing}'::text[], 'in one batch')
FROM pay_api.begin_payment('{b,b,b,b,b,b}', '{k1,k2,k3,k4,k1,k2}',
    ARRAY[sha256('1'), sha256('2'), sha256('3'), sha256('4'), sha256('1'),
          sha256('2')], '{bc1,bc2,bc3,bc4,bc1,bc2}',
    ARRAY[pg_temp.uuid('b1'), pg_temp.uuid('b2'), pg_temp.uuid('b3'),
          pg_temp.uuid('b4'), pg_temp.uuid('b5'), pg_temp.uuid('b6')],
    '{b1,b2,b3,b4,b5,b6}', '{stripe,stripe,stripe,stripe,stripe,stripe}',
    '{bo1,bo2,bo3,bo4,bo1,bo2}', '{u,u,u,u,u,u}', '{u,u,u,u,u,u}',
    '{NULL,NULL,NULL,NULL,NULL,NULL}', '{NULL,NULL,NULL,NULL,NULL,NULL}',
    '{NULL,NULL,NULL,NULL,NULL,NULL}', '{EUR,EUR,EUR,EUR,EUR,EUR}',
    '{100,100,100,100,100,100}', '{1900000000,1900000000,1900000000,
    1900000000,1900000000,1900000000}',
    '{1,2,3,4,5,6}', '{bo1,bo2,bo3,bo4,bo1,bo2}', '{s,s,s,s,s,s}',
    '{100,100,100,100,100,100}', '{IRR,USD,EUR,CHF,IRR,USD}',
    '{60,60,60,60,60,60}', '{0,0,0,0,0,0}', '{r,r,r,r,r,r}',
    '{NULL,NULL,NULL,NULL,NULL,NULL}', '{NULL,NULL,NULL,NULL,NULL,NULL}',
    '{NULL,NULL,NULL,NULL,NULL,NULL}', '{NULL,NULL,NULL,NULL,NULL,NULL}',
    '{NULL,NULL,NULL,NULL,NULL,NULL}') b;


-- At the booking: the quote while it holds, then the rate of the day.
SELECT pg_temp.forget();
SELECT is(pg_temp.said('s1', 'EUR', '{"USD":"1.5"}'), 'due stored', 'today');
SELECT is((c.credit_rate, c.credit_minor)::text, want, about)
FROM (VALUES
    ('it holds', now() + interval '1 s', '(1.1,1100)'),
    ('to its end', now(), '(1.1,1100)'),
    ('it is over', now() - interval '1 s', '(1.5,1500)')
    ) AS v (about, until, want),
    pay.current_credit(1000, 'EUR', 'USD', 1.1, 1100, v.until) c;
SELECT is((c.credit_rate, c.credit_minor)::text, '(,)', 'never converted')
FROM pay.current_credit(1000, 'EUR', NULL, NULL, NULL, NULL) c;
UPDATE pay.rate_source SET fetched_at = now() - interval '6 min';
SELECT is((c.credit_rate, c.credit_minor)::text, '(1.1,1100)',
          'nothing fresh: the quote')
FROM pay.current_credit(1000, 'EUR', 'USD', 1.1, 1100,
                        now() - interval '1 s') c;
SELECT is(pg_temp.said('s1', 'EUR', '{"USD":"999999999999"}'), 'due stored',
          'a rate that makes too much of it');
SELECT is((c.credit_rate, c.credit_minor)::text, '(1.1,1100)', 'the quote')
FROM pay.current_credit(100000, 'EUR', 'USD', 1.1, 1100,
                        now() - interval '1 s') c;


-- Parts of a converted order: exact where the amounts are large, and their
-- sum is the whole.
SELECT is(pay.seller_part(400000000000007, 400000000000035, 0,
          321428505689185), 321428505689207::bigint,
          '….49999539 is less than a half');
SELECT is(sum(pay.seller_part(1000, 1084, 37 * n, least(37, 1000 - 37 * n))),
          1084::numeric, 'parts sum to the whole')
FROM generate_series(0, 27) n;
SELECT is(string_agg(pay.seller_part(4, c, n, 1)::text, ' ' ORDER BY n), want,
          format('quarters of %s', c))
FROM generate_series(0, 3) n, (VALUES (2, '0 1 1 0'), (6, '2 1 1 2'),
    (1, '0 0 1 0'), (3, '1 1 0 1'), (0, '0 0 0 0')) AS v (c, want)
GROUP BY c, want;


\i :checks
SELECT * FROM finish();
ROLLBACK;
