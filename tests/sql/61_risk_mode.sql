-- Card testing: a merchant whose declines are too many gets a mode.

BEGIN;
\ir helpers.psql
\ir risk.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.terms(p_more jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
SELECT jsonb_build_object('card_testing', '{"share": 50, "min": 4,
    "window_s": 600, "for_s": 900, "word": "challenge",
    "shadow": false}'::jsonb || p_more)
$$;
CREATE FUNCTION pg_temp.sweep(p_limits jsonb) RETURNS text LANGUAGE sql AS $$
UPDATE pay.round SET run_at = now() WHERE name = 'sweep';
SELECT s.outcome || coalesce(' ' || (s.counts::jsonb ->> 'risk_modes'), '')
FROM pay_api.sweep('{w}', '{10000}', ARRAY[p_limits]) s
$$;
CREATE FUNCTION pg_temp.acts() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', a.merchant_id, a.act, a.word, a.declines,
    'of', a.tries), ', ' ORDER BY a.act_id) FROM pay.risk_mode_act a
$$;
-- a checkout of a merchant that ends like this
CREATE FUNCTION pg_temp.sold(p_checkout text, p_fact text,
    p_merchant text DEFAULT 'm1') RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.look(p_checkout, pg_temp.risk(), p_merchant => p_merchant);
SELECT pg_temp.token(p_merchant, p_checkout, 't-' || p_checkout);
SELECT pg_temp.fact('t-' || p_checkout, p_fact);
$$;

-- three of five: too few attempts at first
SELECT is(pg_temp.sold('c' || n, 'declined'), 'applied', 'declined')
FROM generate_series(1, 3) n;
SELECT is(pg_temp.sweep(pg_temp.terms()), 'swept 0', 'too few say nothing');
SELECT is(pg_temp.sold('c' || n, 'paid'), 'applied', 'paid')
FROM generate_series(4, 5) n;
SELECT is(pg_temp.look('open', pg_temp.risk()), 'created', 'one is open');
SELECT is(pg_temp.sold('g' || n, 'paid', 'm2'), 'applied', 'another merchant')
FROM generate_series(1, 4) n;
SELECT is(pg_temp.sweep(pg_temp.terms('{"share": 61}')), 'swept 0',
    'a share within the range');
SELECT is(pg_temp.sweep(pg_temp.terms()), 'swept 1', 'one beyond it');
SELECT is(pg_temp.acts(), 'm1 on challenge 3 of 5', 'is told, by its counts');
SELECT is(pg_temp.sweep(pg_temp.terms()), 'swept 1', 'the next round');
SELECT is(pg_temp.acts(), 'm1 on challenge 3 of 5', 'tells nothing new');

-- while it lasts
SELECT is(pg_temp.look('new1', pg_temp.risk()), 'created', 'a checkout');
SELECT is(pg_temp.decided('new1'),
    'challenge mode mode/card_testing/challenge', 'has the word of the mode');
SELECT is(pg_temp.look('new2', pg_temp.risk(), p_merchant => 'm2'), 'created',
    'another merchant''s');
SELECT is(pg_temp.decided('new2'), 'allow none', 'has none');
SELECT is(pg_temp.look('new3', pg_temp.risk('review')), 'created', 'a rule');
SELECT is(pg_temp.decided('new3'),
    'review rule mode/card_testing/challenge', 'that is more severe counts');
SELECT is(pay_ops.risk_list_add('m1', 'allow', 'email', pg_temp.hash('ada'),
    NULL, 'ann', 'known'), 'added', 'a buyer who is allowed');
SELECT is(pg_temp.look('new4', pg_temp.risk(p_keys => pg_temp.key('ada'))),
    'created', 'comes');
SELECT is(split_part(pg_temp.decided('new4'), ' ', 1), 'allow', 'and passes');
SELECT is(pg_temp.sweep(pg_temp.terms('{"word": "block"}')), 'swept 1',
    'another word');
SELECT is(pg_temp.look('new5', pg_temp.risk()), 'blocked', 'counts at once');
SELECT is(pg_temp.sweep(pg_temp.terms('{"shadow": true}')), 'swept 1',
    'in shadow');
SELECT is(pg_temp.look('new6', pg_temp.risk()), 'created', 'nothing acts');
SELECT is(pg_temp.decided('new6'),
    'allow none mode/card_testing/challenge/shadow', 'and it is noted');

-- its end
UPDATE pay.risk_mode SET until = now() - interval '1 s';
SELECT is(pg_temp.sweep(pg_temp.terms('{"share": 100}')), 'swept 0',
    'when the share was in its range for long enough');
SELECT is(pg_temp.acts(), 'm1 on challenge 3 of 5, m1 off challenge 3 of 5',
    'the end is told, too');
SELECT is(pg_temp.look('new7', pg_temp.risk()), 'created', 'a checkout');
SELECT is(pg_temp.decided('new7'), 'allow none', 'has no mode');
SELECT is(pg_temp.sweep(pg_temp.terms()), 'swept 1', 'it comes again');
SELECT is(pg_temp.sweep('{}'), 'swept 0', 'and ends without the directive');

-- declined attempts of a checkout that stays open
SELECT is(count(e.outcome)::int, 5, 'five cards in one page')
FROM generate_series(1, 5) n, pay_api.apply_event('{stripe}', '{webhook}',
    ARRAY['try' || n], '{charge.failed}', '{attempt_declined}', '{t-g1}',
    '{NULL}', '{NULL}', '{NULL}', '{NULL}', ARRAY[sha256('b')], '{r}',
    '{insufficient_funds}', '{NULL}', ARRAY['ch' || n], '{1}',
    ARRAY['ch' || n], ARRAY[pg_temp.hash('card' || n)], '{NULL}', '{NULL}',
    '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{0}') e;
SELECT is((s.declines, s.tries)::text, '(5,8)', 'are five declines')
FROM pay.decline_shares(now() - interval '10 min') s
WHERE s.merchant_id = 'm2';

SELECT is(pg_temp.sweep(pg_temp.terms(t)), 'invalid', t::text)
FROM unnest(ARRAY['{"share": 0}', '{"share": 101}', '{"share": "x"}',
    '{"window_s": 59}', '{"word": "allow"}', '{"shadow": 1}', '{"x": 1}',
    '{"min": -1}']::jsonb[]) t;
SELECT throws_ok('DELETE FROM pay.risk_mode_act', 'PAY20', NULL,
    'acts stay');

\i :checks

SELECT finish();
ROLLBACK;
