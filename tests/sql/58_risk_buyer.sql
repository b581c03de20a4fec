-- A buyer's earlier checkouts, as the score of a new one gets them: by the rows
-- as they are now, of one merchant, and whatever is repeated counts once.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir risk.psql
SELECT no_plan();

-- a checkout of a buyer that is registered
CREATE FUNCTION pg_temp.buys(
    p_checkout text, p_buyer text DEFAULT 'ann', p_country text DEFAULT 'DE',
    p_merchant text DEFAULT 'm1', p_decision text DEFAULT 'allow')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', pg_temp.look(p_checkout, pg_temp.risk(p_decision,
        p_facts => jsonb_strip_nulls(jsonb_build_object('shipping_country',
            p_country))) || CASE WHEN p_buyer IS NULL THEN '{}'
        ELSE jsonb_build_object('buyer', pg_temp.hash(p_buyer)) END,
        p_merchant => p_merchant),
    CASE WHEN p_decision <> 'block'
    THEN pg_temp.token(p_merchant, p_checkout, 't-' || p_checkout) END)
$$;
-- orders, failures, disputes, ships, psp_risk and cents
CREATE FUNCTION pg_temp.history(
    p_buyer text DEFAULT 'ann', p_country text DEFAULT 'DE',
    p_merchant text DEFAULT 'm1', p_before text DEFAULT NULL,
    p_currency text DEFAULT 'USD', p_minor bigint DEFAULT 100)
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', h.orders, h.failures, h.disputes,
    coalesce(h.ships::text, '-'), coalesce(h.psp_risk::text, '-'),
    coalesce(h.cents::text, '-'))
FROM pay_api.get_buyer_history(ARRAY[p_merchant],
    ARRAY[pg_temp.hash(p_buyer)], ARRAY[pg_temp.hash(p_before)],
    ARRAY[p_country], ARRAY[p_currency], ARRAY[p_minor], '{NULL}',
    '{NULL}') h
WHERE h.item = 1 AND h.outcome = 'found'
$$;
-- a PSP's word about a card, which moves nothing
CREATE FUNCTION pg_temp.rated(
    p_checkout text, p_attempt text, p_score bigint, p_level text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT e.outcome FROM pay_api.apply_event('{stripe}', '{webhook}',
    ARRAY['e-' || p_attempt], '{charge.x}', '{none}',
    ARRAY['t-' || p_checkout], '{NULL}', '{NULL}', '{NULL}', '{NULL}',
    ARRAY[sha256('body')], '{request-4}', '{NULL}', '{NULL}',
    ARRAY[p_attempt], '{1}', ARRAY[p_attempt], ARRAY[repeat('a', 64)],
    '{424242}', '{DE}', '{credit}', '{authenticated}', ARRAY[p_level],
    ARRAY[p_score], '{NULL}', '{0}') e
$$;

SELECT is(pg_temp.history(), '0 0 0 - - 100', 'nobody is known yet');
SELECT is(pg_temp.buys('a1'), 'created stored', 'a checkout');
SELECT is(encode(d.buyer, 'hex'), pg_temp.hash('ann'), 'has its buyer')
FROM pay.risk_decision d WHERE d.checkout_id = 'a1';
SELECT is(pg_temp.history(), '0 0 0 - - 100', 'an open page says nothing');

-- paid, and what is repeated
SELECT is(pg_temp.fact('t-a1', 'paid'), 'applied', 'paid');
SELECT is(pg_temp.fact('t-a1', 'paid'), 'duplicate', 'the webhook again');
SELECT is(pg_temp.fact('t-a1', 'paid', 'other'), 'unchanged', 'and another');
SELECT is(pg_temp.buys('a1'), 'replayed already', 'the request again');
SELECT is(pg_temp.history(), '1 0 0 1 - 100', 'one is paid');
SELECT is(pg_temp.history(p_country => 'FR'), '1 0 0 0 - 100',
          'none went to France');
SELECT is(pg_temp.history(p_country => NULL), '1 0 0 - - 100',
          'without a country nothing differs');

-- failures: the buyer's alone
SELECT is(pg_temp.buys(c, p_country => 'FR'), 'created stored', c)
FROM unnest('{a2,a3,a4}'::text[]) c;
SELECT is(pg_temp.fact('t-a2', 'declined'), 'applied', 'declined');
SELECT is(pg_temp.fact('t-a3', 'expired'), 'applied', 'left');
SELECT is(pg_temp.fact('t-a4', 'declined'), 'applied', 'declined, and …');
SELECT is(pg_temp.history(p_country => 'FR'), '1 3 0 0 - 100',
          'nothing was shipped to where nobody has paid');
SELECT is(pg_temp.fact('t-a4', 'paid'), 'applied', '… paid late');
SELECT is(pg_temp.history(p_country => 'FR'), '2 2 0 1 - 100', 'is paid');
SELECT is(pg_temp.buys('a5', p_decision => 'block'), 'blocked', 'blocked');
SELECT is(pg_temp.look('a6', pg_temp.risk() || jsonb_build_object('buyer',
    pg_temp.hash('ann'))), 'created', 'one that …');
SELECT is(pg_temp.no_token('m1', 'a6', 'refused'), 'stored',
          '… no PSP takes');
SELECT is(pg_temp.history(), '2 2 0 1 - 100', 'are no failures of hers');

-- disputes: about fraud, and once
SELECT is(pay.label_order('m1', 'o-a1', 'not_fraud', 'dispute'), true, 'goods');
SELECT is(pay.label_order('m1', 'o-a4', 'fraud', 'reviewer'), true, 'opinion');
SELECT is(pg_temp.history(), '2 2 0 1 - 100', 'are no disputes about fraud');
SELECT is(pay.label_order('m1', 'o-a4', 'fraud', 'dispute'), true, 'a dispute');
SELECT is(pay.label_order('m1', 'o-a4', 'fraud', 'dispute'), false, 'again');
SELECT is(pg_temp.history(), '2 2 1 1 - 100', 'counts once');

-- the newest word of a PSP
SELECT is(pg_temp.rated(c, 'ch-' || n, s, l), 'ignored', concat(c, s, l))
FROM (VALUES (1, 'a1', 12, 'highest'), (2, 'a2', 50, NULL),
             (3, 'a2', NULL, NULL)) v (n, c, s, l);
SELECT is(pg_temp.history(), '2 2 1 1 2 100', 'a score goes by quarters');
SELECT is(pg_temp.rated('a4', 'ch-4', 100), 'ignored', 'all of it');
SELECT is(pg_temp.history(), '2 2 1 1 3 100', 'the last quarter');
SELECT is(pg_temp.rated('a1', 'ch-5', NULL, 'elevated'), 'ignored', 'a level');
SELECT is(pg_temp.history(), '2 2 1 1 2 100', 'where there is no score');
SELECT is(pg_temp.rated('a1', 'ch-1', 99), 'duplicate', 'an old word again');
SELECT is(pg_temp.history(), '2 2 1 1 2 100', 'is not the newest');

-- whose they are
SELECT is(pg_temp.history(p_merchant => 'm2'), '0 0 0 - - 100',
          'another merchant knows nobody');
SELECT is(pg_temp.history('bob'), '0 0 0 - - 100', 'nor is anybody else known');
SELECT is(pg_temp.history('new', p_before => 'ann'), '2 2 1 1 2 100',
          'under the key before this one');
SELECT is(pg_temp.history('ann', p_before => 'ann'), '2 2 1 1 2 100', 'once');
SELECT is(pg_temp.buys('n1', NULL), 'created stored', 'nobody''s');
SELECT is(d.buyer, NULL, 'has no buyer')
FROM pay.risk_decision d WHERE d.checkout_id = 'n1';
SELECT is((SELECT count(*) FROM pay_api.get_buyer_history('{m1,m1}',
    ARRAY[NULL, 'no hash'], '{NULL,NULL}', '{DE,DE}', '{USD,USD}',
    '{1,2}', '{NULL,"no hash"}', '{NULL,NULL}') h WHERE h.orders + h.failures = 0 AND h.cents = h.item),
    2::bigint, 'who has no hash is nobody');

-- devices: from how many was paid, and whether from this one, once
CREATE FUNCTION pg_temp.pays(
    p_checkout text, p_device text, p_fact text DEFAULT 'paid')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', pg_temp.look(p_checkout, pg_temp.risk()
        || jsonb_build_object('buyer', pg_temp.hash('dee'))
        || CASE WHEN p_device IS NULL THEN '{}'
           ELSE jsonb_build_object('device', pg_temp.hash(p_device)) END),
    pg_temp.token('m1', p_checkout, 't-' || p_checkout),
    pg_temp.fact('t-' || p_checkout, p_fact))
$$;
CREATE FUNCTION pg_temp.devices(
    p_device text, p_before text DEFAULT NULL, p_buyer text DEFAULT 'dee')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', h.devices, (
    SELECT d.checkout_id FROM pay.risk_decision d
    WHERE floor(extract(epoch FROM d.at)) = h.device_at
        AND d.device IS NOT NULL
    ORDER BY d.at LIMIT 1))
FROM pay_api.get_buyer_history('{m1}', ARRAY[pg_temp.hash(p_buyer)], '{NULL}',
    '{NULL}', '{USD}', '{1}', ARRAY[pg_temp.hash(p_device)],
    ARRAY[pg_temp.hash(p_before)]) h
$$;
-- one a day
CREATE FUNCTION pg_temp.aged() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    ALTER TABLE pay.risk_decision DISABLE TRIGGER risk_decision_fixed;
    UPDATE pay.risk_decision d
    SET at = now() - (9 - substr(d.checkout_id, 2)::int) * interval '1 day'
    WHERE d.checkout_id ~ '^d[0-9]$';
    ALTER TABLE pay.risk_decision ENABLE ALWAYS TRIGGER risk_decision_fixed;
END
$$;
SELECT is(pg_temp.devices('x'), '0', 'nothing was paid');
SELECT is(pg_temp.pays('d' || n, d, f), 'created stored applied',
          concat_ws(' ', n, d, f))
FROM (VALUES (1, 'x', 'declined'), (2, NULL, 'paid'), (3, 'x', 'paid'),
             (4, 'y', 'declined'), (5, 'z', 'paid'), (6, 'x', 'paid'))
    v (n, d, f);
SELECT pg_temp.aged() \g /dev/null
SELECT is(encode(d.device, 'hex'), pg_temp.hash('x'), 'the decision has it')
FROM pay.risk_decision d WHERE d.checkout_id = 'd3';
SELECT is(pg_temp.devices('x'), '2 d3', 'the first payment from it');
SELECT is(pg_temp.devices('y'), '2', 'one without a payment is new');
SELECT is(pg_temp.devices(NULL), '2', 'none is given');
SELECT is(pg_temp.devices('new', 'x'), '2 d3', 'under the key before this one');
SELECT is(pg_temp.devices('x', p_buyer => 'bob'), '0', 'another buyer''s');
SELECT is(pay.label_order('m1', 'o-d5', 'fraud', 'dispute'), true, 'a thief');
SELECT is(pg_temp.devices('z'), '1', 'whose device is none of the buyer''s');

-- amounts
SELECT is(pg_temp.history(p_currency => 'EUR'), '2 2 1 1 2 -', 'no rate');
SELECT b.outcome FROM pay_api.begin_rates('{ecb}', '{w}', '{1}', '{1}') b
\g /dev/null
SELECT is(e.outcome, 'stored', 'rates') FROM pay_api.end_rates('{ecb}', '{w}',
    '{EUR}', '{"{\"USD\": \"1.1\", \"JPY\": \"165\"}"}', '{NULL}', '{0}',
    '{60000}') e;
SELECT is(pg_temp.history(p_currency => c, p_minor => m), '2 2 1 1 2 ' || d, c)
FROM (VALUES ('EUR', 1000, 1100), ('JPY', 150, 100)) v (c, m, d);
SELECT is(pg_temp.history(p_currency => 'GBP'), '2 2 1 1 2 -',
          'a currency without a rate');
UPDATE pay.rate_source SET fetched_at = now() - interval '61 s';
SELECT is(pg_temp.history(p_currency => 'EUR'), '2 2 1 1 2 -', 'a stale rate');

-- bounded
SELECT pg_temp.buys('many-' || n, 'mob') FROM generate_series(1, 52) n
\g /dev/null
SELECT is(pg_temp.fact('t-many-' || n, 'paid'), 'applied', 'paid ' || n)
FROM generate_series(1, 52, 17) n;
SELECT is(pg_temp.history('mob'), '3 0 0 1 - 100', 'the newest 50');

-- by the index of buyers, although nobody has analysed the tables; the files
-- before this one may have had them vacuumed while they were empty
UPDATE pg_class SET reltuples = -1, relpages = 0
WHERE oid IN ('pay.risk_decision'::regclass, 'pay.risk_card'::regclass,
              'pay.risk_label'::regclass);
CREATE TEMP TABLE scans AS
SELECT i AS name, pg_stat_get_xact_numscans(i::regclass) AS scans
FROM unnest('{pay.risk_decision,pay.risk_decision_pkey,pay.risk_decision_buyer,
              pay.risk_card,pay.risk_card_of,pay.risk_label,pay.risk_label_pkey,
              pay.risk_decision_age}'::text[]) i;
SELECT is(pg_temp.history('mob'), '3 0 0 1 - 100', 'once more');
SELECT is(string_agg(s.name || ' '
        || pg_stat_get_xact_numscans(s.name::regclass) - s.scans, ', '
        ORDER BY s.name),
    'pay.risk_card_of 50, pay.risk_decision_buyer 1, pay.risk_label_pkey 50',
    'rows are looked up by key')
FROM scans s WHERE pg_stat_get_xact_numscans(s.name::regclass) > s.scans;

-- hostile, and what is fixed
SELECT is(pg_temp.look('x', pg_temp.risk() || jsonb_build_object('buyer', b)),
          'invalid', b::text)
FROM unnest(ARRAY['"ann"', '1', 'null',
                  to_jsonb(repeat('A', 64))]::jsonb[]) b;
SELECT is(pg_temp.look('x', pg_temp.risk() || jsonb_build_object('device', b)),
          'invalid', b::text)
FROM unnest('{"\"ann\"",1,null}'::jsonb[]) b;
SELECT throws_ok($$UPDATE pay.risk_decision SET device = sha256('x')$$,
                 'PAY20', NULL, 'a device is not written anew');
SELECT throws_ok($$UPDATE pay.risk_decision SET buyer = sha256('x')$$,
                 'PAY20', NULL, 'a buyer is not written anew');
SELECT throws_ok($$INSERT INTO pay.risk_decision (merchant_id, checkout_id,
    decision, decided_by, hits, inputs_hash, version, buyer) VALUES ('m1',
    'x', 'allow', 'none', '[]', sha256('x'), '1', 'x')$$, '23514', NULL,
    'nor is it another text');
SELECT is(pay.end_class('risk_inputs', '-1 min', 1000),
    (SELECT count(*) FROM pay.risk_decision), 'their time is over');
SELECT is(pg_temp.history(), '0 0 0 - - 100', 'and nobody is known');
SELECT is(count(d.device), 0::bigint, 'nor is a device')
FROM pay.risk_decision d;
SELECT is(pg_temp.run_as('payments_gateway', $$SELECT FROM
    pay_api.get_buyer_history('{m1}', '{NULL}', '{NULL}', '{NULL}', '{USD}',
    '{1}', '{NULL}', '{NULL}')$$), 'ok', 'the gateway may ask');
SELECT is(pg_temp.run_as('payments_gateway', $$SELECT
    pay.buyer_history('m1', '{}', NULL, '{}')$$), '42501', 'by this alone');

\i :checks
SELECT finish();
ROLLBACK;
