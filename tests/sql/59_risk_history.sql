-- Risk, looked back at: outcomes and labels of decisions, and promotions.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir risk.psql
SELECT no_plan();

SELECT pg_temp.look('c-' || n, pg_temp.risk('allow'), 1000)
FROM generate_series(1, 7) n;
SELECT pg_temp.token('m1', 'c-' || n, 't-' || n),
    pg_temp.fact('t-' || n, CASE n WHEN 2 THEN 'declined' ELSE 'paid' END,
                 p_reference => 'pi-' || n)
FROM generate_series(1, 6) n;
UPDATE pay.payment_order SET refunding_minor = 0, refunded_minor = 100
WHERE payment_order_id = 'o-c-3';
UPDATE pay.payment_order SET charged_back_minor = 1
WHERE payment_order_id = 'o-c-4';
SELECT pg_temp.look('c-8', pg_temp.risk('block', pg_temp.key('b'),
    p_hits => '[{"name": "r", "then": "block", "shadow": false}]'));

CREATE FUNCTION pg_temp.outcome(p_checkout text) RETURNS text
LANGUAGE sql AS $$
SELECT concat_ws(' ', o.decision, o.outcome, o.captured_minor, o.fraud_minor)
FROM pay_view.risk_outcomes o WHERE o.checkout_id = p_checkout
$$;
SELECT results_eq($$
    SELECT pg_temp.outcome('c-' || n) FROM generate_series(1, 8) n
$$, ARRAY['allow paid 1000 0', 'allow failed 0 0', 'allow refunded 1000 0',
    'allow disputed 1000 0', 'allow paid 1000 0', 'allow paid 1000 0',
    'allow open 0 0', 'block failed 0 0'], 'each checkout has its outcome');

-- Labels

-- two orders, one of them with two words of fraud and one of a reviewer
SELECT b.outcome FROM pg_temp.begin('m1', 'k-two', 'two',
    ARRAY['o-a:700', 'o-b:300'], p_risk => pg_temp.risk('allow')) b;
SELECT pay.label_order('m1', 'o-a', 'fraud', 'dispute', now()
           + interval '10 days'),
    pay.label_order('m1', 'o-a', 'fraud', 'early_fraud_warning',
                    now() + interval '5 days'),
    pay.label_order('m1', 'o-b', 'rejected', 'reviewer', now());
SELECT is(pg_temp.outcome('two'), 'allow open 0 700',
    'the money of fraud is that of its orders, once');
SELECT results_eq($$
    SELECT l ->> 'label', l ->> 'source', round((l ->> 'after_days')::numeric),
        round((l ->> 'age_days')::numeric)
    FROM pay_view.risk_outcomes o, jsonb_array_elements(o.labels) l
    WHERE o.checkout_id = 'two'
$$, $$ VALUES ('rejected', 'reviewer', 0.0, 0.0),
    ('fraud', 'early_fraud_warning', 5, -5), ('fraud', 'dispute', 10, -10)
$$, 'labels come with their sources and ages');
SELECT results_eq($$
    SELECT o.labels::text FROM pay_view.risk_outcomes o
    WHERE o.checkout_id = 'c-1'
$$, ARRAY['[]'], 'no label is an empty list');

-- Privacy

SELECT ok(pay_ops.risk_list_add('*', 'block', 'email', pg_temp.hash('mallory'),
    NULL, 'ann', 'test') = 'added');
SELECT pg_temp.look('listed', pg_temp.risk('allow', pg_temp.key('mallory')));
SELECT results_eq($$
    SELECT o.hits::text FROM pay_view.risk_outcomes o
    WHERE o.checkout_id = 'listed'
$$, ARRAY['[{"by": "list", "name": "email", "then": "block", '
          '"shadow": false}]'], 'a hit of a list does not name its entry');
SELECT is_empty($$
    SELECT o FROM pay_view.risk_outcomes o
    WHERE o::text LIKE '%' || pg_temp.hash('mallory') || '%'
        OR o::text LIKE '%o-a%'
$$, 'neither keys nor orders are shown');
SELECT hasnt_column('pay_view', 'risk_outcomes', c, 'without ' || c)
FROM unnest('{keys,counted,inputs_hash}'::text[]) c;

-- Promotions

CREATE FUNCTION pg_temp.promote(
    p_sha text, p_name text DEFAULT 'cards', p_who text DEFAULT 'ann',
    p_why text DEFAULT 'better', p_report text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.promote_risk_model(p_name, p_sha, p_report, p_who, p_why)
$$;
SELECT results_eq($$
    SELECT pg_temp.promote(pg_temp.hash(n), p_report => r)
    FROM (VALUES ('1', NULL), ('1', NULL), ('2', pg_temp.hash('r')),
        ('1', NULL)) u (n, r)
$$, ARRAY['promoted', 'unchanged', 'promoted', 'promoted'],
    'the newest promotion of a name counts, and an older one may come back');
SELECT is(pg_temp.promote(pg_temp.hash('1'), p_name => 'other'), 'promoted',
    'of each name its own');
SELECT results_eq($$
    SELECT pg_temp.promote(s, n, w, y, r) FROM (VALUES
        ('abc', 'cards', 'ann', 'why', NULL),
        (upper(pg_temp.hash('3')), 'cards', 'ann', 'why', NULL),
        (NULL, 'cards', 'ann', 'why', NULL),
        (pg_temp.hash('3'), 'a b', 'ann', 'why', NULL),
        (pg_temp.hash('3'), NULL, 'ann', 'why', NULL),
        (pg_temp.hash('3'), 'cards', '', 'why', NULL),
        (pg_temp.hash('3'), 'cards', 'ann', ' ', NULL),
        (pg_temp.hash('3'), 'cards', 'ann', NULL, NULL),
        (pg_temp.hash('3'), 'cards', 'ann', 'why', 'x')) u (s, n, w, y, r)
$$, array_fill('invalid'::text, ARRAY[9]),
    'who, why, a name and a whole digest are needed');
SELECT throws_ok('UPDATE pay.risk_promotion SET who = ''bob''', 'PAY20');
SELECT throws_ok('DELETE FROM pay.risk_promotion', 'PAY20');
SELECT throws_ok('TRUNCATE pay.risk_promotion', 'PAY20');

ALTER TABLE pay.risk_decision DISABLE TRIGGER risk_decision_fixed;
UPDATE pay.risk_decision d
SET score = jsonb_build_object('model', jsonb_build_object('name', 'cards',
    'sha256', pg_temp.hash(CASE d.checkout_id WHEN 'c-1' THEN '1'
                                              ELSE '2' END)))
WHERE d.checkout_id IN ('c-1', 'c-2', 'c-3');
SELECT is(string_agg(concat_ws(' ', m.decisions, m.is_promoted, m.who), ', '
                     ORDER BY m.decisions), '1 t ann, 2 f',
    'a model that scores and is not the newest promotion is found')
FROM pay_view.risk_models m;

SELECT * FROM finish();
ROLLBACK;
