-- The word of an external provider in begin_payment: it joins the findings of
-- rules, lists and windows, and the most severe counts.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir payout.psql
\ir risk.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.word(p_then text, p_more jsonb DEFAULT '{}')
RETURNS jsonb LANGUAGE sql AS $$
SELECT jsonb_build_object('provider', jsonb_build_object('name', 'watch',
    'then', p_then, 'shadow', false) || p_more)
$$;

-- alone
SELECT is(pg_temp.look('p-' || d, pg_temp.risk() || pg_temp.word(d)),
          CASE d WHEN 'block' THEN 'blocked' ELSE 'created' END, d)
FROM unnest('{allow,challenge,review,block}'::text[]) d;
SELECT is(pg_temp.decided('p-' || d), format('%s %s provider/watch/%s', d,
    CASE d WHEN 'allow' THEN 'none' ELSE 'provider' END, d), d || ' kept')
FROM unnest('{allow,challenge,review,block}'::text[]) d;
SELECT is(pg_temp.status('m1', 'o-p-block'), 'FAILED/risk', 'its order');
SELECT is(h.why, 'to be reviewed', 'a review holds')
FROM pay.payout_hold h WHERE h.payment_order_id = 'o-p-review';
SELECT is(d.inputs_hash = sha256(convert_to((pg_temp.risk_only(
    pg_temp.risk()) || pg_temp.word('block'))::text, 'UTF8')), true,
    'its word is an input of the decision')
FROM pay.risk_decision d WHERE d.checkout_id = 'p-block';

-- with others: the most severe counts, and its allow ends nothing
SELECT is(pg_temp.look('r-' || r || d, pg_temp.risk(r) || pg_temp.word(d)),
          CASE 'block' WHEN r THEN 'blocked' WHEN d THEN 'blocked'
                       ELSE 'created' END, format('rule %s, word %s', r, d))
FROM unnest('{challenge,block}'::text[]) r,
    unnest('{allow,review}'::text[]) d;
SELECT is(pg_temp.decided('r-challengeallow'),
          'challenge rule provider/watch/allow', 'the rule');
SELECT is(pg_temp.decided('r-challengereview'),
          'review provider provider/watch/review', 'the provider');
SELECT is(pg_temp.decided('r-blockreview'),
          'block rule provider/watch/review', 'the rule again');
SELECT is(pg_temp.look('same', pg_temp.risk('review')
          || pg_temp.word('review')), 'created', 'the same word');
SELECT is(pg_temp.decided('same'), 'review rule provider/watch/review',
          'is the rule''s');
SELECT is(pg_temp.look('allowed', pg_temp.risk(p_allowed => true)
          || pg_temp.word('block')), 'created', 'a rule that allows ends all');
SELECT is(pg_temp.look('window', pg_temp.risk(
          p_windows => pg_temp.window('ann', 0, 'review'))
          || pg_temp.word('review')), 'created', 'a window says the same');
SELECT is(pg_temp.decided('window'), 'review provider '
    'provider/watch/review window/per-email/review', 'it is the provider''s');

-- shadow, and no answer
SELECT is(pg_temp.look('shadow', pg_temp.risk()
          || pg_temp.word('block', '{"shadow": true}')), 'created', 'shadow');
SELECT is(pg_temp.decided('shadow'), 'allow none provider/watch/block/shadow',
          'is written down');
SELECT is(pg_temp.look('failed', pg_temp.risk() || pg_temp.word('review',
          '{"failed": "timeout"}')), 'created', 'no answer');
SELECT is(d.hits, '[{"by": "provider", "name": "watch", "then": "review",
    "shadow": false, "failed": "timeout"}]'::jsonb, 'and why')
FROM pay.risk_decision d WHERE d.checkout_id = 'failed';

-- several items of one call
CREATE TEMP TABLE words AS
SELECT ARRAY[pg_temp.word('block'), '{}',
             pg_temp.word('allow', '{"shadow": true}')] AS risk;
SELECT current_setting('search_path') AS path \gset
SET LOCAL search_path = pay, pg_temp;
CREATE TEMP TABLE findings AS
SELECT f.* FROM words w CROSS JOIN provider_findings('{1,2,3}', w.risk) p,
    unnest(p.items, p.words, p.shadows) f (n, word, shadow);
SET LOCAL search_path = :path;
SELECT is(string_agg(concat(f.n, f.word, f.shadow), ' ' ORDER BY f.n),
          '1blockf 3allowt', 'items without a word have no finding')
FROM findings f;

-- a word of another form
SELECT is(pg_temp.look('bad' || n, pg_temp.risk() || bad), 'invalid',
          bad::text)
FROM (SELECT row_number() OVER () AS n, b AS bad FROM unnest(ARRAY[
    '{"provider": null}', '{"provider": "watch"}', '{"provider": []}',
    '{"provider": {"name": "watch"}}',
    pg_temp.word('maybe'), pg_temp.word('block', '{"more": 1}'),
    pg_temp.word('block', '{"shadow": 1}'),
    pg_temp.word('block', '{"name": ""}'),
    pg_temp.word('block', '{"failed": ""}'),
    pg_temp.word('block', jsonb_build_object('name', repeat('x', 33))),
    pg_temp.word('block', jsonb_build_object('reference', repeat('x', 65)))
    ]::jsonb[]) b) x;

\i :checks

SELECT finish();
ROLLBACK;
