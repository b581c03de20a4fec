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

SELECT is(pg_temp.sweep(pg_temp.terms('{"word": "block"}')), 'swept 1',
    'it acts');
SELECT is(pg_temp.sweep(pg_temp.terms('{"share": 100, "shadow": true}')),
    'swept 1', 'in shadow, when the share is in its range');
SELECT is(pg_temp.look('new8', pg_temp.risk()), 'created', 'nothing acts');
SELECT is(pg_temp.decided('new8'),
    'allow none mode/card_testing/challenge/shadow', 'as before');

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
FROM pay.decline_shares(now() - interval '10 min', 'infinity') s
WHERE s.merchant_id = 'm2';

-- receivers hear of each beginning and end, in their order
CREATE FUNCTION pg_temp.heard() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', m.type, m.subject, m.sequence,
    m.body::jsonb #>> '{data,card_testing}'), '; ' ORDER BY m.position)
FROM pay.message m WHERE m.type LIKE 'card_testing.%'
$$;
CREATE FUNCTION pg_temp.untold() RETURNS int
LANGUAGE sql SET search_path = pay, pg_temp AS
'SELECT (untold_figures() ->> ''untold'')::int';
SELECT is(pg_temp.untold() > 3, true, 'beginnings and ends wait');
SELECT is(p.outcome, 'again', 'and are published')
FROM pay_api.publish_events('{w}', '{1000}') p;
SELECT is(pg_temp.heard(), 'card_testing.began card_testing/m1 1 '
    '{"attempts": 5, "declines": 3, "is_acting": true, "limit_percent": 50}'
    '; card_testing.ended card_testing/m1 2 '
    '{"attempts": 5, "declines": 3, "is_acting": true, "limit_percent": 50}'
    '; card_testing.began card_testing/m1 3 '
    '{"attempts": 5, "declines": 3, "is_acting": true, "limit_percent": 50}'
    '; card_testing.ended card_testing/m1 4 '
    '{"attempts": 5, "declines": 3, "is_acting": true, "limit_percent": 50}',
    'with counts and no words of rules');
SELECT is(count(*)::int, 0, 'once each') FROM pay.risk_outbox;
SELECT is(string_agg(concat_ws(' ', v.word, v.attempts, v.declines, v.percent,
        v.limit_percent, v.ended_at IS NOT NULL), ', ' ORDER BY v.began_at),
    'challenge 5 3 60.0 50 t, challenge 5 3 60.0 50 t', 'finance sees both')
FROM pay_view.risk_modes v;

-- the usual share: days of a merchant, each with so many of 100 declined
CREATE FUNCTION pg_temp.days(p_merchant text, p_declines int[])
RETURNS void LANGUAGE sql AS $$
DELETE FROM pay.risk_usual WHERE merchant_id = p_merchant;
INSERT INTO pay.risk_usual (merchant_id, day, tries, declines)
SELECT p_merchant, (now() AT TIME ZONE 'UTC')::date - n::int, 100, d
FROM unnest(p_declines) WITH ORDINALITY x (d, n);
$$;
CREATE FUNCTION pg_temp.limit_of(
    p_share int, p_tries bigint, p_declines int[] DEFAULT NULL)
RETURNS text LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT pg_temp.days('m1', p_declines) WHERE p_declines IS NOT NULL;
SELECT concat_ws(' ', pay.share_limit(p_share, u.share, u.spread, p_tries),
    round(u.share::numeric, 4)::float8, round(u.spread::numeric, 4)::float8)
FROM pay.usual_share('m1') u
$$;
SELECT is(pg_temp.limit_of(50, 20), '50', 'nothing is known');
SELECT is(pg_temp.limit_of(50, 20, '{60,60,60,60,60,60}'), '50',
    'six days are too few');
SELECT is(pg_temp.limit_of(50, 20, '{60,60,60,60,60,60,60}'), '93 0.6 0',
    'few attempts vary much');
SELECT is(pg_temp.limit_of(50, 2000), '64 0.6 0', 'many do not');
SELECT is(pg_temp.limit_of(20, 20000, '{10,12,8,10,14,6,95,99,97}'),
    '30 0.12 0.04', 'days of an attack are not taken for usual');
SELECT is(pg_temp.limit_of(50, 20000), '50 0.12 0.04',
    'and the directive is the least');
SELECT is(pg_temp.limit_of(50, 20, '{99,99,99,99,99,99,99}'), '95 0.99 0',
    'cards of a bad shop can still be tested');
UPDATE pay.risk_usual SET tries = 19, declines = 1 WHERE merchant_id = 'm1';
SELECT is(pg_temp.limit_of(50, 20), '50', 'days of few attempts say nothing');

SELECT is(pg_temp.limit_of(40, 5, '{60,61,59,60,60,60,60}'), '95 0.6 0',
    'a merchant with many declines');
SELECT is(pg_temp.sweep(pg_temp.terms('{"share": 40}')), 'swept 1',
    'has no mode by its usual share, and the other merchant has one');
SELECT is(string_agg(m.merchant_id || ' ' || m.beyond, ', '), 'm2 40',
    'by the share of the directive') FROM pay.risk_mode m;
SELECT is(pg_temp.limit_of(40, 5, '{4,5,3,4,4,4,4}'), '40 0.04 0',
    'a merchant with few');
SELECT is(pg_temp.sweep(pg_temp.terms('{"share": 40}')), 'swept 2',
    'has one for the same');
SELECT is(concat_ws(' ', m.usual, m.beyond), '4 40', 'and it is kept')
FROM pay.risk_mode m WHERE m.merchant_id = 'm1';
SELECT is(pg_temp.sweep('{}'), 'swept 0', 'the end');

-- days are counted by the hour, a day later, each hour once
DELETE FROM pay.risk_usual;
ALTER TABLE pay.risk_decision DISABLE TRIGGER USER;
UPDATE pay.risk_decision SET at = at - interval '30 hours';
UPDATE pay.risk_card SET at = at - interval '30 hours';
UPDATE pay.risk_usual_place SET hour = pay.this_hour() - interval '32 hours';
SELECT is(count(pg_temp.sweep(pg_temp.terms()))::int, 12, 'rounds')
FROM generate_series(1, 12);
SELECT is((sum(u.tries), sum(u.declines))::text, '(5,3)', 'count them once')
FROM pay.risk_usual u WHERE u.merchant_id = 'm1';
SELECT is((sum(u.tries), sum(u.declines))::text, '(8,5)', 'of each merchant')
FROM pay.risk_usual u WHERE u.merchant_id = 'm2';
SELECT is(p.hour, pay.this_hour() - interval '24 hours', 'up to a day ago')
FROM pay.risk_usual_place p;
UPDATE pay.risk_usual SET day = day - 40 WHERE merchant_id = 'm2';
UPDATE pay.risk_usual_place SET hour = '-infinity';
SELECT is(pg_temp.sweep(pg_temp.terms()), 'swept 0', 'a first round');
SELECT is(p.hour, pay.this_hour() - interval '28 days' + interval '1 hour',
    'begins four weeks back') FROM pay.risk_usual_place p;
SELECT is(count(*)::int, 0, 'and older days go')
FROM pay.risk_usual u WHERE u.merchant_id = 'm2';

SELECT is(pg_temp.sweep(pg_temp.terms(t)), 'invalid', t::text)
FROM unnest(ARRAY['{"share": 0}', '{"share": 101}', '{"share": "x"}',
    '{"window_s": 59}', '{"word": "allow"}', '{"shadow": 1}', '{"x": 1}',
    '{"min": -1}']::jsonb[]) t;
SELECT throws_ok('DELETE FROM pay.risk_mode_act', 'PAY20', NULL,
    'acts stay');

-- a message that is alone is published, too
SELECT is(p.outcome, 'again', 'all others are published')
FROM pay_api.publish_events('{w}', '{1000}') p;
CREATE FUNCTION pg_temp.begins() RETURNS void
LANGUAGE sql SET search_path = pay, pg_temp AS $$
INSERT INTO risk_mode_act (merchant_id, act, word, declines, tries, beyond)
SELECT merchant_id, 'on', word, declines, tries, beyond
FROM risk_mode_act LIMIT 1
$$;
SELECT pg_temp.begins()
\g /dev/null
SELECT is(pg_temp.untold(), 1, 'one waits');
SELECT is(p.outcome, 'again', 'and does not wait for another kind')
FROM pay_api.publish_events('{w}', '{1000}') p;
SELECT is(pg_temp.untold(), 0, 'it is published');

\i :checks

SELECT finish();
ROLLBACK;
