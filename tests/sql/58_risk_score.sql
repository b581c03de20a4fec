-- The score of risk as begin_payment takes it: which decision it makes, and that
-- vector and score stay with the decision as they were.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir risk.psql
SELECT no_plan();

-- as the gateway makes it
CREATE FUNCTION pg_temp.scored(
    p_decision text, p_then text DEFAULT NULL, p_shadow boolean DEFAULT false,
    p_hits jsonb DEFAULT '[]', p_allowed boolean DEFAULT false,
    p_keys jsonb DEFAULT '[]', p_windows jsonb DEFAULT '[]')
RETURNS jsonb LANGUAGE sql AS $$
SELECT pg_temp.risk(p_decision, p_keys, p_windows, p_hits, p_allowed)
    || jsonb_build_object('features', '{"hour": 11, "psp_risk": null}'::jsonb,
        'score', '{"total": 0.45, "parts": {"model": 0.9, "rules": 0,
            "velocity": 0, "device": 0.9}, "model": {"name": "m",
            "sha256": "5ha", "probability": 0.9,
            "reasons": [["hour", 0.75]]}, "challengers": []}'::jsonb
        || CASE WHEN p_then IS NULL THEN '{}'
           ELSE jsonb_build_object('then', p_then, 'shadow', p_shadow) END)
$$;
CREATE FUNCTION pg_temp.hit(p_then text, p_shadow boolean DEFAULT false)
RETURNS jsonb LANGUAGE sql AS $$
SELECT jsonb_build_array(jsonb_build_object('name', 'r', 'then', p_then,
                                            'shadow', p_shadow))
$$;

-- no threshold is reached: it is kept and decides nothing
SELECT is(pg_temp.look('calm', pg_temp.scored('allow')), 'created', 'calm');
SELECT is(pg_temp.decided('calm'), 'allow none', 'nothing has decided');
SELECT is(d.features::text || ' ' || (d.score ->> 'total') || ' '
          || (d.score #>> '{model,reasons,0,0}'),
    '{"hour": 11, "psp_risk": null} 0.45 hour', 'vector, total and reason')
FROM pay.risk_decision d WHERE d.checkout_id = 'calm';
SELECT is(pg_temp.look('bare', pg_temp.risk('allow')), 'created', 'no score');
SELECT is(num_nulls(d.features, d.score), 2, 'and nothing of one is kept')
FROM pay.risk_decision d WHERE d.checkout_id = 'bare';

-- a threshold is reached
SELECT is(pg_temp.look('t-' || d, pg_temp.scored(d, d)),
          CASE d WHEN 'block' THEN 'blocked' ELSE 'created' END, d)
FROM unnest('{challenge,review,block}'::text[]) d;
SELECT is(pg_temp.decided('t-' || d), d || ' score score/score/' || d,
          d || ' is the score''s')
FROM unnest('{challenge,review,block}'::text[]) d;
SELECT is(pg_temp.status('m1', 'o-t-block'), 'FAILED/risk', 'it has failed');
SELECT is(pg_temp.journal('t-block'), NULL, 'no PSP was asked');
SELECT is(h.why, 'to be reviewed', 'a review holds pay-outs')
FROM pay.payout_hold h WHERE h.payment_order_id = 'o-t-review';

-- beside rules: the more severe one, of two equal ones the rule
SELECT is(pg_temp.look('mild', pg_temp.scored('block', 'block',
    p_hits => pg_temp.hit('review'))), 'blocked', 'a mild rule');
SELECT is(pg_temp.decided('mild'),
    'block score rule/r/review score/score/block', 'the score has decided');
SELECT is(pg_temp.look('equal', pg_temp.scored('review', 'review',
    p_hits => pg_temp.hit('review'))), 'created', 'as severe');
SELECT is(pg_temp.decided('equal'),
    'review rule rule/r/review score/score/review', 'the rule has decided');
SELECT is(pg_temp.look('hard', pg_temp.scored('block', 'review',
    p_hits => pg_temp.hit('block'))), 'blocked', 'a hard rule');
SELECT is(pg_temp.decided('hard'),
    'block rule rule/r/block score/score/review', 'the rule has decided');
SELECT is(pg_temp.look('dim', pg_temp.scored('review', 'review',
    p_hits => pg_temp.hit('review', true))), 'created', 'a rule in shadow');
SELECT is(pg_temp.decided('dim'),
    'review score rule/r/review/shadow score/score/review',
    'has not decided');

-- in shadow
SELECT is(pg_temp.look('dark', pg_temp.scored('allow', 'block', true)),
          'created', 'in shadow it never acts');
SELECT is(pg_temp.decided('dark'), 'allow none score/score/block/shadow',
          'and is written down');

-- an allow ends all, of a rule as of a list
SELECT is(pg_temp.look('free', pg_temp.scored('block', 'block',
    p_hits => pg_temp.hit('allow'), p_allowed => true)), 'created', 'allowed');
SELECT is(pg_temp.decided('free'), 'allow rule rule/r/allow score/score/block',
          'by a rule');
INSERT INTO pay.risk_list (merchant_id, effect, kind, value, who, why) VALUES
('*', 'allow', 'email', pg_temp.hash('ann'), 'eve', 'a test'),
('*', 'block', 'email', pg_temp.hash('bob'), 'eve', 'a test');
SELECT is(pg_temp.look('friend', pg_temp.scored('block', 'block',
    p_keys => pg_temp.key('ann'))), 'created', 'allowed');
SELECT is(pg_temp.decided('friend'),
    'allow list score/score/block list/email/allow', 'by a list');
SELECT is(pg_temp.look('foe', pg_temp.scored('review', 'review',
    p_keys => pg_temp.key('bob'))), 'blocked', 'a list that blocks');
SELECT is(pg_temp.decided('foe'),
    'block list score/score/review list/email/block', 'is more severe');
SELECT is(pg_temp.look('often', pg_temp.scored('review', 'review',
    p_windows => pg_temp.window('cat', 0))), 'blocked', 'a window');
SELECT is(pg_temp.decided('often'),
    'block window score/score/review window/per-email/block',
    'is more severe');

-- a repetition gets the stored decision, whatever it is scored now
SELECT is(pg_temp.look('t-block', pg_temp.scored('allow')), 'replayed',
          'the key again');
SELECT is((SELECT count(*) || ' ' || min(d.score ->> 'then')
           FROM pay.risk_decision d WHERE d.checkout_id = 't-block'),
    '1 block', 'one decision, the first');
SELECT throws_ok($$UPDATE pay.risk_decision SET score = '{}'
    WHERE checkout_id = 't-block'$$, 'PAY20', NULL, 'a score is fixed');
SELECT throws_ok($$UPDATE pay.risk_decision SET features = '{"hour": 1}'
    WHERE checkout_id = 't-block'$$, 'PAY20', NULL, 'so is a vector');

-- those that cannot be taken
SELECT is(pg_temp.look('bad', pg_temp.scored('allow') || x), 'invalid',
          x::text)
FROM unnest(ARRAY['{"score": 1}', '{"score": {}}', '{"features": []}',
    '{"features": null}', '{"score": {"total": 1.1, "parts": {}}}',
    '{"score": {"total": 0.5, "parts": []}}',
    '{"score": {"total": "0.5", "parts": {}}}',
    '{"score": {"total": 0.5, "parts": {}, "then": "block"}}',
    '{"score": {"total": 0.5, "parts": {}, "shadow": true}}',
    '{"score": {"total": 0.5, "parts": {}, "then": "allow",
                "shadow": false}}',
    '{"score": {"total": 0.5, "parts": {}, "then": "block", "shadow": 1}}',
    '{"scores": {}}']::jsonb[]) x;
SELECT is(pg_temp.look('long', pg_temp.scored('allow') || jsonb_build_object(
    'features', jsonb_build_object('x', repeat('y', 5000)))), 'invalid',
    'a vector that is too long');

-- operators see it, storefronts do not
SELECT is(x.explanation::jsonb #>> '{risk,score,parts,model}', '0.9',
          'explained')
FROM pay_view.explain('m1', 'o-t-block') x;
SELECT is(x.explanation::jsonb #> '{risk,score}', 'null', 'nothing was scored')
FROM pay_view.explain('m1', 'o-bare') x;
SELECT ok(NOT x.explanation::jsonb ? 'risk', 'storefronts see none')
FROM pay_api.explain_payment('{m1}', '{o-t-block}', '{0}') x;

\i :checks

SELECT finish();
ROLLBACK;
