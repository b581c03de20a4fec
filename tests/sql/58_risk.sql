-- Risk as begin_payment decides it: the gateway's word, windows, what becomes of
-- a checkout that is blocked, reviewed or challenged.  59_risk_list.sql has the
-- lists.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir payout.psql
\ir risk.psql
SELECT no_plan();

-- off: nothing is looked at and nothing is written
SELECT is(pg_temp.look('off', NULL), 'created', 'without risk');
SELECT is(c.risk, NULL, 'and it says so') FROM pay.checkout c
WHERE c.checkout_id = 'off';
SELECT is((SELECT count(*) FROM pay.risk_decision)
          + (SELECT count(*) FROM pay.risk_counter), 0::bigint, 'no row');

-- the gateway's word
SELECT is(pg_temp.look('g-' || d, pg_temp.risk(d)),
          CASE d WHEN 'block' THEN 'blocked' ELSE 'created' END, d)
FROM unnest('{allow,challenge,review,block}'::text[]) d;
SELECT is(pg_temp.decided('g-' || d), d || CASE d WHEN 'allow' THEN ' none'
                                              ELSE ' rule' END, d || ' kept')
FROM unnest('{allow,challenge,review,block}'::text[]) d;
SELECT is(s.risk, d, 'the row says ' || d)
FROM unnest('{allow,challenge,review,block}'::text[]) d,
    pay_api.get_checkout('{m1}', ARRAY['g-' || d]) s;
SELECT is(d.version || ' ' || d.facts || ' ' || d.counted
          || ' ' || (d.inputs_hash = sha256(convert_to(
              pg_temp.risk_only(pg_temp.risk('review'))::text, 'UTF8'))),
          'c0ffee {"age": 3} [] true', 'what it was decided from')
FROM pay.risk_decision d WHERE d.checkout_id = 'g-review';

-- keys are put together as text: a domain may have what ends a text of JSON
SELECT is(pg_temp.look('odd', pg_temp.risk(p_keys => pg_temp.key('b', 'ip')
    || pg_temp.key(E'a"b\\c\x01,].example', 'email_domain'))), 'invalid',
    'no address');
SELECT is(pg_temp.look('net-' || p.n, pg_temp.risk(
    p_keys => pg_temp.key('10.0.0.0/8', 'ip') || pg_temp.key(p.ip, 'ip'))),
    'created', 'keys with ' || p.ip)
FROM unnest('{10.3.2.0/24,10.3.2.1/32,2001:db8::/48,2001:db8::/64,2001:db8::/128}'
            ::text[]) WITH ORDINALITY p (ip, n);
SELECT is(string_agg(d.has_address::text, ' ' ORDER BY d.checkout_id),
    'false true false true true', 'a single computer is an address')
FROM pay.risk_decision d WHERE d.checkout_id LIKE 'net-%';
SELECT is(d.checkout_id, NULL, 'as the retention finds it')
FROM (SELECT) x LEFT JOIN pay.risk_decision d ON d.has_address IS DISTINCT FROM
    d.keys @? 'strict $[*] ? (@[0] == "ip"
                              && @[1] like_regex "/(32|64|128)$")';
SELECT is(pg_temp.look('odd', pg_temp.risk(p_keys => pg_temp.key('a')
    || pg_temp.key(E'a"b\\c\x01,].example', 'email_domain'))), 'created',
    'a domain that needs escapes');
SELECT is(d.keys, pg_temp.key('a')
    || pg_temp.key(E'a"b\\c\x01,].example', 'email_domain'),
    'is kept as it came')
FROM pay.risk_decision d WHERE d.checkout_id = 'odd';

-- hits are written down; only the gateway's decision acts for them
SELECT is(pg_temp.look('hits', pg_temp.risk('challenge', p_hits => '[
    {"name": "far", "then": "block", "shadow": true},
    {"name": "large", "then": "challenge", "shadow": false}]')), 'created',
    'shadow never acts');
SELECT is(pg_temp.decided('hits'),
    'challenge rule rule/far/block/shadow rule/large/challenge',
    'and is written down');

-- a rule that allows ends all: the row must not keep the other rule's word,
-- which asks the PSP for 3-D Secure
SELECT is(pg_temp.look('both', pg_temp.risk(d, p_allowed => true, p_hits => '[
    {"name": "far", "then": "challenge", "shadow": false},
    {"name": "ours", "then": "allow", "shadow": false}]'),
    p_merchant => 'm-' || d), 'created', 'allowed beside ' || d)
FROM unnest('{challenge,block}'::text[]) d;
SELECT is(c.risk || ' ' || d.decision || ' ' || d.decided_by,
          'allow allow rule', 'the row, and the decision')
FROM pay.checkout c JOIN pay.risk_decision d USING (merchant_id, checkout_id)
WHERE c.checkout_id = 'both';

-- a block: failed in the same commit, nothing sent, nothing left to do
SELECT is(concat_ws(' ', c.state, c.code, c.token, c.first_call,
                    c.open_attempts, c.lease_until),
          'REFUSED risk 0', 'no registration')
FROM pay.checkout c WHERE c.checkout_id = 'g-block';
SELECT is(pg_temp.status('m1', 'o-g-block'), 'FAILED/risk', 'its order');
SELECT is(pg_temp.kinds('m1', 'o-g-block'), 'created blocked', 'its timeline');
SELECT is(concat_ws(' ', e.actor, e.old_status, e.new_status, e.reason,
                    e.detail), 'gateway NOT_STARTED FAILED risk {}',
    'its event names no rule')
FROM pay.event e
WHERE e.payment_order_id = 'o-g-block' AND e.kind = 'blocked';
SELECT is(pg_temp.job('m1', 'g-block'), NULL, 'no job');
SELECT is(pg_temp.journal('g-block'), NULL, 'no call');
SELECT is(x.kind, 'payment.failed', 'storefronts hear of it')
FROM pay.outbox x WHERE x.payment_order_id = 'o-g-block';
SELECT is((SELECT b.orders -> 0 ->> 'reason' || ' ' || b.state || ' '
               || b.version
           FROM pg_temp.begin('m1', 'k-b2', 'b2', ARRAY['o-b2:100'],
                              p_risk => pg_temp.risk('block')) b),
    'risk REFUSED 2', 'the row of the answer is the one of the end');
SELECT is(pg_temp.look('g-block', pg_temp.risk('block')), 'replayed',
          'the key again');
SELECT is(pg_temp.look('g-block', NULL), 'replayed',
          'also when nothing is looked at any more');
SELECT is((SELECT concat_ws(' ', s.outcome, s.registration_state,
                            s.order_reason, s.risk)
           FROM pay_api.get_checkout('{m1}', '{g-block}') s),
    'found REFUSED risk block', 'as it is read');
-- several orders are one payment
SELECT is((SELECT b.outcome || ' ' || jsonb_array_length(b.orders)
           FROM pg_temp.begin('m1', 'k-two', 'two', '{o-1:1,o-2:2}',
                              p_risk => pg_temp.risk('block')) b),
    'blocked 2', 'both rows come');
SELECT is(pg_temp.status('m1', o), 'FAILED/risk', o)
FROM unnest('{o-1,o-2}'::text[]) o;

-- an operator's explanation has it, a storefront's has not
SELECT is(x.explanation::jsonb -> 'risk' ->> 'decision', 'block',
          'operators see it')
FROM pay_view.explain('m1', 'o-g-block') x;
SELECT is(x.explanation::jsonb -> 'risk' -> 'hits' -> 1 ->> 'name', 'large',
          'and the hits')
FROM pay_view.explain('m1', 'o-hits') x;
SELECT ok(NOT x.explanation::jsonb ? 'risk', 'nothing was looked at')
FROM pay_view.explain('m1', 'o-off') x;
SELECT ok(NOT x.explanation::jsonb ? 'risk', 'storefronts see none')
FROM pay_api.explain_payment('{m1}', '{o-hits}', '{0}') x;
SELECT is(x.explanation::jsonb -> 'risk' ->> 'decision', 'block',
          'finance, too')
FROM pay_api.explain_payment('{m1}', '{o-g-block}', '{1}') x;
SELECT is(x.explanation::jsonb ->> 'why',
          'It was refused because the risk was too high.', 'but the reason')
FROM pay_api.explain_payment('{m1}', '{o-g-block}', '{0}') x;
SELECT is(x.explanation::jsonb -> 'safe_to_retry' ->> 'answer', 'yes',
          'there is no page')
FROM pay_api.explain_payment('{m1}', '{o-g-block}', '{0}') x;

SELECT is(concat_ws(' ', v.decision, v.decided_by, v.total, v.currency),
          'block rule 1.00 USD', 'the view')
FROM pay_view.risk_decisions v WHERE v.checkout_id = 'g-block';
SELECT hasnt_column('pay_view', 'risk_decisions', c, 'without ' || c)
FROM unnest('{keys,counted,facts,inputs_hash}'::name[]) c;

-- a review holds the pay-outs of its orders, until an operator says otherwise
SELECT is(h.seller_account || ' ' || h.why, 'seller-1 to be reviewed', 'held')
FROM pay.payout_hold h WHERE h.payment_order_id = 'o-g-review';
SELECT is(a.act || ' ' || a.who, 'held risk', 'and by whom')
FROM pay.payout_act a WHERE a.subject_id = 'o-g-review';
SELECT is((SELECT count(*) FROM pay.payout_hold), 1::bigint, 'no other one');
SELECT is(pay_ops.hold_payouts('m1', 'seller-1', 'o-g-review', false, 'eve',
                               'looked at'), 'unheld', 'an operator ends it');
SELECT is((SELECT count(*) FROM pay.payout_hold), 0::bigint, 'it is gone');

-- windows of attempts: the limit passes, the next one does not
SELECT is(pg_temp.look('w' || n, pg_temp.risk(
        p_windows => pg_temp.window('ann', 3))),
    CASE WHEN n > 3 THEN 'blocked' ELSE 'created' END, 'attempt ' || n)
FROM generate_series(1, 5) n;
SELECT is(pg_temp.counts('ann'), '5 0', 'an attempt that is blocked counts');
SELECT is(pg_temp.decided('w4'), 'block window window/per-email/block',
          'it is a window''s');
SELECT is(pg_temp.look('w2', pg_temp.risk(
    p_windows => pg_temp.window('ann', 3))), 'in_progress', 'a replay');
SELECT is(b.outcome, 'key_reused', 'another body')
FROM pg_temp.begin('m1', 'k-w2', 'w2', '{o-w2:100}', p_body => 'other',
    p_risk => pg_temp.risk(p_windows => pg_temp.window('ann', 3))) b;
SELECT is(b.outcome, 'exists', 'another key')
FROM pg_temp.begin('m1', 'k-w2b', 'w2', '{o-w2:100}',
    p_risk => pg_temp.risk(p_windows => pg_temp.window('ann', 3))) b;
SELECT is(pg_temp.counts('ann'), '5 0', 'none of them counts');
SELECT is(pg_temp.look('other', pg_temp.risk(
    p_windows => pg_temp.window('ann', 1)), p_merchant => 'm2'), 'created',
    'another merchant has counters of its own');

SELECT is(pg_temp.look('s' || n, pg_temp.risk(
        p_windows => pg_temp.window('sue', 1, p_shadow => true))), 'created',
    'in shadow ' || n)
FROM generate_series(1, 2) n;
SELECT is(pg_temp.decided('s2'), 'allow none window/per-email/block/shadow',
          'it is written down');
SELECT is(pg_temp.look('mild' || n, pg_temp.risk('challenge',
        p_windows => pg_temp.window('mia', 0, 'review'))), 'created', 'mild')
FROM generate_series(1, 1) n;
SELECT is(pg_temp.decided('mild1'), 'review window window/per-email/review',
          'the most severe word counts');
SELECT is(pg_temp.look('allowed', pg_temp.risk('block', p_allowed => true,
    p_windows => pg_temp.window('mia', 0))), 'created', 'allow ends all');
SELECT is(pg_temp.decided('allowed'), 'allow rule window/per-email/block',
          'by a rule');
SELECT is(pg_temp.counts('mia'), '2 0', 'it counts all the same');

-- the edges: the hour that has begun, and h whole ones before it
CREATE FUNCTION pg_temp.older(p_name text, p_hours int) RETURNS void
LANGUAGE sql AS $$
UPDATE pay.risk_counter
SET hour = date_trunc('hour', now(), 'UTC') - make_interval(hours => p_hours)
WHERE value = pg_temp.hash(p_name)
$$;
SELECT is(pg_temp.look('e' || n, pg_temp.risk(
        p_windows => pg_temp.window('e' || n, 1))), 'created', 'edge ' || n)
FROM unnest('{0,1,24,25,720,721}'::int[]) n;
SELECT pg_temp.older('e' || n, n)
FROM unnest('{0,1,24,25,720,721}'::int[]) n \g /dev/null
SELECT is(pg_temp.look('f' || n, pg_temp.risk(
        p_windows => pg_temp.window('e' || n, 1, p_hours => h))), outcome,
    format('%s hours ago, in a window of %s', n, h))
FROM (VALUES (0, 1, 'blocked'), (24, 24, 'blocked'),
             (25, 24, 'created'), (720, 720, 'blocked'),
             (721, 720, 'created')) t (n, h, outcome);
SELECT is(pg_temp.look('g1', pg_temp.risk(
        p_windows => pg_temp.window('e1', 1, p_hours => 1))), 'blocked',
    'the oldest hour counts as a whole');

-- declines
SELECT is(pg_temp.look('d' || n, pg_temp.risk(
        p_windows => pg_temp.window('dan', 1, 'challenge', 'declines'))),
    'created', 'declined ' || n)
FROM generate_series(1, 2) n;
SELECT is(pg_temp.token('m1', 'd' || n, 't-d' || n), 'stored', 'page ' || n)
FROM generate_series(1, 2) n;
SELECT is(pg_temp.fact('t-d1', 'declined'), 'applied', 'the first');
SELECT is(pg_temp.fact('t-d1', 'declined'), 'duplicate', 'the same again');
SELECT is(pg_temp.fact('t-d1', 'declined', 'evt-2'), 'unchanged', 'a second');
SELECT is(pg_temp.fact('t-d1', 'declined', p_source => 'query'), 'unchanged',
          'a query');
SELECT is(pg_temp.counts('dan'), '2 1', 'counts once');
SELECT is(pg_temp.look('d3', pg_temp.risk(
    p_windows => pg_temp.window('dan', 1, 'challenge', 'declines'))),
    'created', 'one is not beyond one');
SELECT is(pg_temp.decided('d3'), 'allow none', 'no hit');
SELECT is(pg_temp.fact('t-d2', 'declined'), 'applied', 'the second');
SELECT is(pg_temp.look('d4', pg_temp.risk(
    p_windows => pg_temp.window('dan', 1, 'challenge', 'declines'))),
    'created', 'two are');
SELECT is(pg_temp.decided('d4'),
    'challenge window window/per-email/challenge', 'a hit');
SELECT is(pg_temp.token('m1', 'd4', 't-d4') || pg_temp.fact('t-d4', 'expired'),
    'storedapplied', 'one that expires');
SELECT is(pg_temp.counts('dan'), '4 2', 'is no decline');
-- a webhook that came before the token
SELECT is(pg_temp.look('d5', pg_temp.risk(
    p_windows => pg_temp.window('early', 1))), 'created', 'an early one');
SELECT is(pg_temp.fact('t-d5', 'declined'), 'parked', 'waits');
SELECT is(pg_temp.token('m1', 'd5', 't-d5'), 'stored', 'its token');
SELECT is(pg_temp.status('m1', 'o-d5') || ' ' || pg_temp.counts('early'),
    'FAILED/declined 1 1', 'it counts then');
-- one that nobody has looked at
SELECT is(pg_temp.token('m1', 'off', 't-off')
          || pg_temp.fact('t-off', 'declined'), 'storedapplied', 'no keys');

-- sums of amounts, in several currencies
SELECT is(pg_temp.look('a1', pg_temp.risk(p_windows => pg_temp.window('amy',
    1000, p_of => 'amount', p_currency => 'USD')), 600), 'created', '600');
SELECT is(pg_temp.look('a2', pg_temp.risk(p_windows => pg_temp.window('amy',
    1000, p_of => 'amount', p_currency => 'USD')), 400), 'created',
    'exactly the limit');
SELECT is(pg_temp.look('a3', pg_temp.risk(p_windows => pg_temp.window('amy',
    1000, p_of => 'amount', p_currency => 'USD')), 1), 'blocked',
    'one cent more');
SELECT is(pg_temp.counts('amy'), '3 0 {"USD": 1001}', 'the sum');
SELECT is(pg_temp.look('a4', pg_temp.risk(p_windows => pg_temp.window('bea',
    1000, p_of => 'amount', p_currency => 'USD')), 1, 'JPY'), 'created',
    'no rate: nobody is blocked for that');
SELECT is(pg_temp.decided('a4'), 'review window window/per-email/review/unknown',
    'but somebody looks');
SELECT is(pg_temp.look('a5', pg_temp.risk(p_windows => pg_temp.window('cat',
    1000, 'challenge', 'amount', p_currency => 'USD')), 1, 'JPY') || ' '
    || pg_temp.decided('a5'),
    'created challenge window window/per-email/challenge/unknown',
    'or asks for more');
SELECT is(pg_temp.counts('bea'), '1 0 {"JPY": 1}', 'it is kept as it came');
SELECT is((SELECT e.outcome
           FROM pay_api.begin_rates('{s1}', '{w}', '{60000}', '{60000}') b,
               pay_api.end_rates('{s1}', '{w}', '{USD}',
                   ARRAY['{"JPY": "100", "EUR": "0.5"}'::jsonb], '{NULL}',
                   '{0}', '{300000}') e), 'stored', 'rates');
SELECT is(pg_temp.look('a6', pg_temp.risk(p_windows => pg_temp.window('bea',
    1000, p_of => 'amount', p_currency => 'USD')), 990, 'JPY'), 'created',
    'JPY 991 are USD 9.91');
SELECT is(pg_temp.decided('a6'), 'allow none', 'the sum is known by now');
SELECT is(pg_temp.look('a7', pg_temp.risk(p_windows => pg_temp.window('bea',
    1000, p_of => 'amount', p_currency => 'USD')), 4, 'EUR'), 'created',
    'EUR 0.04 are USD 0.08');
SELECT is(pg_temp.look('a8', pg_temp.risk(p_windows => pg_temp.window('bea',
    1000, p_of => 'amount', p_currency => 'USD')), 2), 'blocked',
    'USD 0.02 are one cent too much');
SELECT is(pg_temp.counts('bea'), '4 0 {"EUR": 4, "JPY": 991, "USD": 2}',
          'each in its own currency');
SELECT is(pg_temp.look('a9', pg_temp.risk(p_windows => pg_temp.window('bea',
    99)), 5), 'created', 'a window of attempts');
SELECT is(pg_temp.counts('bea'), '5 0 {"EUR": 4, "JPY": 991, "USD": 2}',
          'adds no amount');

-- one call for all of them
CREATE FUNCTION pg_temp.look_all(
    p_ids text[], p_amounts bigint[], p_risks jsonb[],
    p_terms jsonb[] DEFAULT NULL, p_keys text[] DEFAULT NULL)
RETURNS TABLE (n int, outcome text, risk text) LANGUAGE sql AS $$
SELECT b.item, b.outcome, b.risk
FROM pg_temp.risk_rows(p_risks) r, pay_api.begin_payment(
    array_fill('m1'::text, ARRAY[cardinality(p_ids)]),
    coalesce(p_keys, p_ids),
    ARRAY(SELECT sha256(i::bytea) FROM unnest(coalesce(p_keys, p_ids)) i),
    p_ids, ARRAY(SELECT pg_temp.uuid(i) FROM unnest(p_ids) i), p_ids,
    array_fill('stripe'::text, ARRAY[cardinality(p_ids)]), p_ids,
    array_fill('https://s/'::text, ARRAY[cardinality(p_ids)]),
    array_fill('https://g/'::text, ARRAY[cardinality(p_ids)]),
    array_fill(NULL::jsonb, ARRAY[cardinality(p_ids)]),
    array_fill(NULL::jsonb, ARRAY[cardinality(p_ids)]),
    array_fill(NULL::jsonb, ARRAY[cardinality(p_ids)]),
    array_fill('USD'::text, ARRAY[cardinality(p_ids)]), p_amounts,
    array_fill(1900000000::bigint, ARRAY[cardinality(p_ids)]),
    ARRAY(SELECT n::bigint FROM generate_subscripts(p_ids, 1) n), p_ids,
    array_fill('s'::text, ARRAY[cardinality(p_ids)]), p_amounts,
    array_fill(NULL::text, ARRAY[cardinality(p_ids)]),
    array_fill(60::bigint, ARRAY[cardinality(p_ids)]),
    array_fill(60000::bigint, ARRAY[cardinality(p_ids)]),
    array_fill('r'::text, ARRAY[cardinality(p_ids)]),
    array_fill(NULL::text, ARRAY[cardinality(p_ids)]),
    array_fill(NULL::text, ARRAY[cardinality(p_ids)]),
    array_fill(NULL::text, ARRAY[cardinality(p_ids)]),
    array_fill(NULL::text, ARRAY[cardinality(p_ids)]),
    coalesce(p_terms, array_fill(NULL::jsonb, ARRAY[cardinality(p_ids)])),
    ARRAY(SELECT pg_temp.risk_only(x.risk)
          FROM unnest(p_risks) WITH ORDINALITY x (risk, n) ORDER BY x.n),
    r.hit_item, r.hit_name, r.hit_word, r.hit_shadow,
    r.key_item, r.key_kind, r.key_value, r.window_item,
    r.window_name, r.window_key, r.window_hash, r.window_hours,
    r.window_measure, r.window_threshold, r.window_currency,
    r.window_word, r.window_shadow) b
$$;

-- 64 at once are as 64 one after the other: item n has one of three addresses,
-- windows of attempts and amounts, and every seventh is not looked at
CREATE FUNCTION pg_temp.mixed(p_prefix text, n int) RETURNS jsonb
LANGUAGE sql AS $$
SELECT CASE WHEN n % 7 <> 0 THEN pg_temp.risk(
    p_keys => pg_temp.key(p_prefix || n % 3),
    p_windows => pg_temp.window(p_prefix || n % 3, 9, 'review')
        || jsonb_set(pg_temp.window(p_prefix || n % 3, 500 + n, 'challenge',
            'amount', p_currency => 'EUR'), '{0,name}', '"sum"')
        || jsonb_set(pg_temp.window(p_prefix, 31), '{0,name}', '"all"')) END
$$;
CREATE TEMPORARY TABLE one AS
SELECT i AS n, b.outcome, b.risk
FROM generate_series(1, 64) i,
    pg_temp.look_all(ARRAY['one-' || i], ARRAY[i * 10], ARRAY[
        pg_temp.mixed('one', i)]) b;
CREATE TEMPORARY TABLE batch AS
SELECT b.n, b.outcome, b.risk
FROM pg_temp.look_all(
    ARRAY(SELECT 'batch-' || n FROM generate_series(1, 64) n),
    ARRAY(SELECT n * 10 FROM generate_series(1, 64) n),
    ARRAY(SELECT pg_temp.mixed('batch', n) FROM generate_series(1, 64) n)) b;
SELECT results_eq('SELECT * FROM batch ORDER BY n',
                  'SELECT * FROM one ORDER BY n', 'one by one and at once');
SELECT is(string_agg(DISTINCT coalesce(b.risk, '-'), ' '),
    '- allow block challenge review', 'everything occurs') FROM batch b;
SELECT is(string_agg(DISTINCT x.hits || x.decided_by, E'\n'), NULL,
          'for the same reasons')
FROM (SELECT d.hits, d.decided_by FROM pay.risk_decision d
      JOIN pay.risk_decision o ON o.checkout_id = 'one-' || substr(
          d.checkout_id, 7)
      WHERE d.checkout_id LIKE 'batch-%'
          AND (d.hits, d.decided_by) <> (o.hits, o.decided_by)) x;
-- twins of a batch
SELECT is(string_agg(b.outcome, ' ' ORDER BY b.n), 'created in_progress exists',
          'a key and a checkout that come twice')
FROM pg_temp.look_all('{tw,tw,tw}', '{1,1,1}', ARRAY(
        SELECT pg_temp.risk(p_windows => pg_temp.window('tw', 9))
        FROM generate_series(1, 3)), p_keys => '{tw,tw,tw3}') b;
SELECT is(pg_temp.counts('tw'), '1 0', 'count once');
-- one goes round again, since its key was that of one that exists: it is answered
-- as it came, and what was made before it from what is stored
SELECT is(string_agg(concat_ws(' ', b.outcome, b.risk), ', ' ORDER BY b.n),
    'exists allow, created challenge, created review, created',
    'two rounds of a batch')
FROM pg_temp.look_all('{tw,rn2,rn3,rn4}', '{1,1,1,1}', ARRAY[pg_temp.risk(),
        pg_temp.risk('challenge'), pg_temp.risk('review'), NULL],
    p_keys => '{rn,rn,rn3,rn4}') b;
SELECT is(string_agg(pg_temp.decided(c), ', ' ORDER BY c),
    'challenge rule, review rule', 'each is decided once')
FROM unnest('{rn2,rn3,rn4}'::text[]) c;

-- a blocked checkout takes no place, and one of its batch gets it
SELECT is(pg_temp.look('old', NULL), 'created', 'an old one');
SELECT is(pg_temp.token('m1', 'old', 't-old'), 'stored', 'with a page');
SELECT c.version AS before FROM pay.checkout c WHERE c.checkout_id = 'old'
\gset
SELECT is(b.outcome || ' ' || b.state, 'blocked REFUSED', 'its replacement')
FROM pg_temp.begin('m1', 'k-new', 'new', '{o-new:100}',
    p_terms => jsonb_build_object('replaces', 'old', 'can_close', true,
        'change_id', pg_temp.uuid('new')),
    p_risk => pg_temp.risk('block')) b;
SELECT is(c.replaced_by, NULL, 'the place is free') FROM pay.checkout c
WHERE c.checkout_id = 'old';
SELECT is(c.version - :before, 1, 'its readers see a change')
FROM pay.checkout c WHERE c.checkout_id = 'old';
SELECT is((SELECT count(*) FROM pay.change c WHERE c.checkout_id = 'old'),
          0::bigint, 'and its page stays');
SELECT is(x.explanation::jsonb ->> 'why',
          'It was refused because the risk was too high.', 'why')
FROM pay_api.explain_payment('{m1}', '{o-new}', '{0}') x;
SELECT is(b.outcome, 'waiting', 'another one may replace it')
FROM pg_temp.begin('m1', 'k-new2', 'new2', '{o-new2:100}',
    p_terms => jsonb_build_object('replaces', 'old', 'can_close', true,
        'change_id', pg_temp.uuid('new2')),
    p_risk => pg_temp.risk('review')) b;
SELECT is(c.kind || ' ' || c.status, 'cancel NOT_STARTED', 'its page closes')
FROM pay.change c WHERE c.checkout_id = 'old';
SELECT is(pg_temp.kinds('m1', 'o-old'), 'created registered cancel_requested',
          'its timeline');

-- of a chain of ended checkouts only the last one can be replaced: two could be
-- paid otherwise
CREATE FUNCTION pg_temp.replacing(
    p_new text, p_old text, p_word text DEFAULT 'allow')
RETURNS text LANGUAGE sql AS $$
SELECT b.outcome
FROM pg_temp.begin('m1', 'k-' || p_new, p_new, ARRAY['o-' || p_new || ':100'],
    p_terms => jsonb_build_object('replaces', p_old, 'can_close', true,
        'change_id', pg_temp.uuid(p_new)),
    p_risk => pg_temp.risk(p_word)) b
$$;
SELECT is(pg_temp.look('link1', pg_temp.risk('block')), 'blocked', 'the first');
SELECT is(pg_temp.replacing('link2', 'link1', 'block'), 'blocked', 'the next');
SELECT is(pg_temp.replacing('link3', 'link1'), 'not_replaced', 'not again');
SELECT is(pg_temp.replacing('link4', 'link2'), 'created', 'the last one is');
SELECT is(pg_temp.replacing('link5', 'link2'), 'not_replaced', 'but once');
SELECT is(pg_temp.kinds('m1', 'o-link1'), 'created blocked replaced',
          'the first one''s timeline says so');
SELECT is(pg_temp.replacing('new3', 'new'), 'not_replaced',
          'nor one beside whose page another one waits');

-- a checkout may take the place of a blocked one
SELECT is(b.outcome, 'created', 'after a block')
FROM pg_temp.begin('m1', 'k-after', 'after', '{o-after:100}',
    p_terms => jsonb_build_object('replaces', 'g-block', 'can_close', true,
        'change_id', pg_temp.uuid('after')),
    p_risk => pg_temp.risk()) b;

-- what cannot be read is refused as a whole
SELECT is(pg_temp.look('bad' || n, bad), 'invalid', bad::text)
FROM (
    SELECT row_number() OVER () AS n, jsonb_set(pg_temp.risk(
        p_keys => pg_temp.key('x'), p_windows => pg_temp.window('x', 1),
        p_hits => '[{"name": "a", "then": "block", "shadow": true}]'),
        path::text[], value::jsonb) AS bad
    FROM (VALUES
        ('{other}', '1'), ('{version}', '1'), ('{version}', '"XY"'),
        ('{version}', '""'), ('{version}', 'null'),
        ('{decision}', '"deny"'), ('{decision}', 'null'),
        ('{decision}', '["block"]'), ('{allowed}', '"true"'),
        ('{allowed}', 'null'), ('{facts}', '[]'), ('{facts}', 'null'),
        ('{facts}', to_jsonb('{"a": "' || repeat('x', 16384) || '"}') #>> '{}'),
        ('{hits,0,name}', '""'), ('{hits,0,name}', 'null'),
        ('{hits,0,name}', to_jsonb(repeat('x', 65))::text),
        ('{hits,0,then}', '"deny"'), ('{hits,0,then}', 'null'),
        ('{hits,0,shadow}', '2'), ('{hits,0,shadow}', 'null'),
        ('{keys,0,0}', '"mail"'), ('{keys,0,0}', 'null'),
        ('{keys,0,1}', 'null'), ('{keys,0,1}', '"ann@example.com"'),
        ('{keys,0}', '["ip", "192.0.2.1"]'), ('{keys,0}', '["ip", ""]'),
        ('{keys,0}', '["country", "de"]'), ('{keys,0}', '["country", "DEU"]'),
        ('{keys,0}', '["email_domain", "Example.org"]'),
        ('{keys,0}', '["email_domain", ""]'),
        ('{windows,0,key}', '"mail"'), ('{windows,0,key}', 'null'),
        ('{windows,0,hash}', '"short"'), ('{windows,0,hash}', 'null'),
        ('{windows,0,hash}', to_jsonb(repeat('X', 64))::text),
        ('{windows,0,hours}', '0'), ('{windows,0,hours}', '721'),
        ('{windows,0,hours}', '-1'), ('{windows,0,hours}', 'null'),
        ('{windows,0,of}', '"cards"'), ('{windows,0,of}', '"amount"'),
        ('{windows,0,of}', 'null'), ('{windows,0,limit}', '-1'),
        ('{windows,0,limit}', '1000000000000000'),
        ('{windows,0,limit}', 'null'),
        ('{windows,0,currency}', '"USD"'), ('{windows,0,then}', '"allow"'),
        ('{windows,0,then}', '"deny"'), ('{windows,0,then}', 'null'),
        ('{windows,0,shadow}', 'null'), ('{windows,0,shadow}', '2'),
        ('{windows,0,name}', '""'),
        ('{windows,0,name}', to_jsonb(repeat('x', 65))::text)
        ) v (path, value)) x;
SELECT is(pg_temp.look('bad-' || n, bad), 'invalid', 'as a whole ' || bad::text)
FROM (VALUES (1, '1'::jsonb), (2, 'null'), (3, '[]'), (4, '{}'), (5, '"x"'),
    (6, pg_temp.risk() - 'version'), (7, pg_temp.risk() - 'facts'),
    (8, pg_temp.risk(p_windows => pg_temp.window('x', 1)
                         || pg_temp.window('x', 2))),
    (9, pg_temp.risk(p_windows => pg_temp.window('x', 1, p_of => 'amount',
                                                  p_currency => 'XXX')))
    ) v (n, bad);
SELECT is((SELECT count(*) FROM pay.checkout c WHERE c.checkout_id LIKE 'bad%'),
          0::bigint, 'nothing of it is stored');
SELECT is(pg_temp.counts('x'), NULL, 'and nothing was counted');
SELECT is(string_agg(b.outcome, ' ' ORDER BY b.n), 'created invalid created',
          'one item spoils no other')
FROM pg_temp.look_all('{i1,i2,i3}', '{1,1,1}',
                      ARRAY[pg_temp.risk(), '[]', NULL]) b;

-- keys of each kind, and both hashes while a key is replaced
SELECT is(pg_temp.look('kinds', pg_temp.risk(p_keys => pg_temp.key('a')
    || pg_temp.key('b') || pg_temp.key('c', 'phone')
    || pg_temp.key('d', 'buyer') || pg_temp.key('e', 'device')
    || pg_temp.key('f', 'card') || pg_temp.key('192.0.2.1/32', 'ip')
    || pg_temp.key('192.0.2.0/24', 'ip') || pg_temp.key('2001:db8::/32', 'ip')
    || pg_temp.key('example.org', 'email_domain')
    || pg_temp.key('DE', 'country'))), 'created', 'all kinds of keys');

-- a decision is fixed, and kept
SELECT throws_ok(sql, 'PAY20', NULL, sql) FROM (VALUES
    ('UPDATE pay.risk_decision SET decision = ''allow'''),
    ('UPDATE pay.risk_decision SET hits = ''[]'''),
    ('DELETE FROM pay.risk_decision'),
    ('TRUNCATE pay.risk_decision')) t (sql);
SELECT is(pg_temp.run_as(r, 'SELECT * FROM pay.risk_decision'), s, r)
FROM (VALUES ('payments_gateway', '42501'), ('payments_auditor', 'ok'),
             ('payments_operator', 'ok'), ('payments_relay', '42501'))
    t (r, s);

-- what is old goes: counters that no window has, and what names a buyer
SELECT is((pay.purge()).risk_rows, 0::bigint, 'nothing is old');
SELECT pg_temp.older('ann', 745), pg_temp.older('amy', 743) \g /dev/null
ALTER TABLE pay.risk_decision DISABLE TRIGGER ALL;
UPDATE pay.risk_decision SET at = now() - interval '14 months'
WHERE checkout_id = 'w1';
ALTER TABLE pay.risk_decision ENABLE ALWAYS TRIGGER risk_decision_fixed;
ALTER TABLE pay.risk_decision ENABLE ALWAYS TRIGGER risk_decision_kept;
SELECT is((pay.purge()).risk_rows, 3::bigint,
          'counters of two merchants, and a decision');
SELECT is(pg_temp.counts('ann'), NULL, 'the counter is gone');
SELECT isnt(pg_temp.counts('amy'), NULL, 'a younger one is not');
SELECT is((d.keys, d.counted, d.facts, d.decision)::text, '(,,,allow)',
          'the decision stays without its inputs')
FROM pay.risk_decision d WHERE d.checkout_id = 'w1';
SELECT is((pay.purge()).risk_rows, 0::bigint, 'until nothing is left');

\i :checks

SELECT finish();
ROLLBACK;
