-- Decisions when a PSP has spoken of a card: windows, lists, holds and voids.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir risk.psql
SELECT no_plan();

SELECT b.outcome FROM unnest('{m1,m2}'::text[]) m, generate_series(1, 40) n,
    pg_temp.begin(m, 'k' || n, m || 'c' || n, ARRAY[m || 'o' || n || ':100'],
        p_risk => pg_temp.risk(),
        p_terms => CASE n WHEN 25 THEN '{"capture": "manual"}'::jsonb END) b
\g /dev/null
SELECT pg_temp.token(m, m || 'c' || n, m || 't' || n)
FROM unnest('{m1,m2}'::text[]) m, generate_series(1, 39) n
\g /dev/null

-- a window of the terms, and the terms themselves
CREATE FUNCTION pg_temp.win(
    p_limit bigint, p_key text DEFAULT 'card', p_of text DEFAULT 'attempts',
    p_seconds int DEFAULT 60, p_then text DEFAULT 'review',
    p_shadow boolean DEFAULT false, p_currency text DEFAULT NULL,
    p_merchant text DEFAULT NULL)
RETURNS jsonb LANGUAGE sql AS $$
SELECT jsonb_strip_nulls(jsonb_build_object('name', p_key || '-' || p_of,
    'key', p_key, 'of', p_of, 'seconds', p_seconds, 'limit', p_limit,
    'then', p_then, 'shadow', p_shadow, 'currency', p_currency,
    'merchant', p_merchant))
$$;
CREATE FUNCTION pg_temp.terms(
    VARIADIC p_windows jsonb[] DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
SELECT jsonb_build_object('version', 'c0ffee', 'shadow', false, 'block',
    'hold', 'windows', to_jsonb(p_windows))
$$;

-- the PSP's word about a card: of several checkouts at once
CREATE FUNCTION pg_temp.say(
    p_tokens text[], p_cards text[], p_terms jsonb,
    p_fact text DEFAULT 'none', p_bin text DEFAULT NULL,
    p_country text DEFAULT NULL, p_attempt text DEFAULT NULL,
    p_before text DEFAULT NULL, p_event text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(DISTINCT e.outcome, ' ')
FROM (SELECT count(*)::int AS n FROM unnest(p_tokens)) c,
pay_api.apply_event(
    array_fill('stripe'::text, ARRAY[c.n]),
    array_fill('webhook'::text, ARRAY[c.n]),
    ARRAY(SELECT coalesce(p_event, p_fact || '-' || t || '-'
              || coalesce(p_attempt, 'ch-' || t) || coalesce(p_bin, ''))
              || CASE WHEN t = ANY (p_tokens[:n - 1]) THEN n::text ELSE '' END
          FROM unnest(p_tokens) WITH ORDINALITY u (t, n)),
    array_fill('charge.x'::text, ARRAY[c.n]),
    array_fill(p_fact, ARRAY[c.n]), p_tokens,
    array_fill(NULL::text, ARRAY[c.n]), array_fill(NULL::text, ARRAY[c.n]),
    array_fill(NULL::bigint, ARRAY[c.n]), array_fill(NULL::text, ARRAY[c.n]),
    array_fill(sha256('b'), ARRAY[c.n]),
    array_fill('r'::text, ARRAY[c.n]),
    p_decline => array_fill(CASE p_fact WHEN 'attempt_declined'
        THEN 'insufficient_funds' END, ARRAY[c.n]),
    p_can_retry => array_fill(NULL::text, ARRAY[c.n]),
    p_attempt => ARRAY(SELECT coalesce(p_attempt, 'ch-' || t)
                       FROM unnest(p_tokens) t),
    p_cards_item => ARRAY(SELECT generate_series(1, c.n)),
    p_cards_attempt => ARRAY(SELECT coalesce(p_attempt, 'ch-' || t)
                             FROM unnest(p_tokens) t),
    p_cards_card => ARRAY(SELECT pg_temp.hash(x) FROM unnest(p_cards) x),
    p_cards_bin => array_fill(p_bin, ARRAY[c.n]),
    p_cards_country => array_fill(p_country, ARRAY[c.n]),
    p_cards_funding => array_fill(NULL::text, ARRAY[c.n]),
    p_cards_three_d => array_fill(NULL::text, ARRAY[c.n]),
    p_cards_level => array_fill(NULL::text, ARRAY[c.n]),
    p_cards_score => array_fill(NULL::bigint, ARRAY[c.n]),
    p_cards_warning => array_fill(NULL::text, ARRAY[c.n]),
    p_cards_is_hint => array_fill(0::bigint, ARRAY[c.n]),
    p_cards_card_before => array_fill(pg_temp.hash(p_before), ARRAY[c.n]),
    p_after => array_fill(p_terms, ARRAY[c.n])) e
$$;

-- decisions of a checkout, and its review with its hold
CREATE FUNCTION pg_temp.after(p_checkout text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', a.decision, a.decided_by, a.effect, (
    SELECT string_agg(concat_ws('/', h ->> 'by', h ->> 'name', h ->> 'then',
        CASE WHEN h -> 'shadow' = 'true' THEN 'shadow' END,
        CASE WHEN h ? 'unknown' THEN 'unknown' END), ' ')
    FROM jsonb_array_elements(a.hits) h)), ', ' ORDER BY a.after_id)
FROM pay.risk_after a WHERE a.checkout_id = p_checkout
$$;
CREATE FUNCTION pg_temp.review(p_checkout text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', r.state, CASE WHEN EXISTS (
    SELECT FROM pay.payout_hold h JOIN pay.payment_order o
        USING (merchant_id, payment_order_id)
    WHERE o.checkout_id = p_checkout) THEN 'held' END)
FROM pay.risk_review r WHERE r.checkout_id = p_checkout
$$;

-- nothing is configured, or it is no merchant's
SELECT is(pg_temp.say('{m1t1}', '{x}', NULL), 'ignored', 'without terms');
SELECT is(pg_temp.counts('x'), NULL, 'nothing is counted');
SELECT is(pg_temp.say('{m1t2}', '{x}', pg_temp.terms()), 'ignored',
    'without windows');
SELECT is(pg_temp.counts('x'), NULL, 'neither');
SELECT is(pg_temp.say('{m1t3}', '{x}', pg_temp.terms(
    pg_temp.win(0, p_merchant => 'm2'))), 'ignored', 'another merchant''s');
SELECT is(concat(pg_temp.counts('x'), pg_temp.after('m1c3')), '', 'nor there');

-- a limit of two attempts, one event each
SELECT is(pg_temp.say(ARRAY['m1t' || n], '{a}', pg_temp.terms(
    pg_temp.win(2))), 'ignored', 'attempt ' || n)
FROM generate_series(4, 6) n;
SELECT is(pg_temp.counts('a'), '3 0', 'each is counted');
SELECT is(pg_temp.after('m1c5'), NULL, 'the second is within the limit');
SELECT is(pg_temp.after('m1c6'),
    'review window hold window/card-attempts/review', 'the third is not');
SELECT is(pg_temp.review('m1c6'), 'open held', 'it waits for a reviewer');
SELECT is(pg_temp.say('{m1t31,m1t32,m2t1}', '{o,o,o}', pg_temp.terms(
    pg_temp.win(2))), 'ignored', 'another merchant');
SELECT is(pg_temp.after('m2c1'), NULL, 'has windows of its own');

-- once for an attempt
SELECT is(pg_temp.say('{m1t6}', '{a}', pg_temp.terms(pg_temp.win(2))),
    'duplicate', 'the event again');
SELECT is(pg_temp.say('{m1t6}', '{a}', pg_temp.terms(pg_temp.win(2)),
    p_event => 'e-2'), 'ignored', 'another event about the attempt');
SELECT is(pg_temp.counts('a'), '3 0', 'add nothing');
SELECT is((SELECT count(*)::int FROM pay.risk_after WHERE checkout_id
    = 'm1c6'), 1, 'and decide nothing');
SELECT is(pg_temp.say('{m1t6}', '{a}', pg_temp.terms(pg_temp.win(2)),
    p_bin => '424242', p_event => 'e-3'), 'ignored', 'one that fills a gap');
SELECT is(pg_temp.counts('a'), '3 0', 'counts its card no more');

-- in a batch the limit is exact, too
SELECT is(pg_temp.say(ARRAY(SELECT 'm1t' || n FROM generate_series(7, 10) n),
    '{b,b,b,b}', pg_temp.terms(pg_temp.win(2), pg_temp.win(3,
        p_key => 'bin', p_seconds => 7200)), p_bin => '510510'), 'ignored',
    'four at once');
SELECT is(string_agg(coalesce(pg_temp.after('m1c' || n), '-'), ', '
    ORDER BY n), '-, -, review window hold window/card-attempts/review, '
    'review window hold window/bin-attempts/review '
    'window/card-attempts/review', 'each is judged by those before it')
FROM generate_series(7, 10) n;

-- declines count, and are not held
SELECT is(pg_temp.say('{m1t11}', '{d}', pg_temp.terms(pg_temp.win(1,
    p_of => 'declines')), 'attempt_declined', p_attempt => 'ch-d' || n),
    'unchanged', 'decline ' || n)
FROM generate_series(1, 2) n;
SELECT is(pg_temp.counts('d'), '2 2', 'each attempt is counted');
SELECT is(pg_temp.after('m1c11'), NULL, 'there is no sale to hold');
SELECT is(pg_temp.say('{m1t11}', '{d}', pg_temp.terms(pg_temp.win(1,
    p_of => 'declines')), 'paid'), 'applied', 'then it is paid');
SELECT is(pg_temp.after('m1c11'),
    'review window hold window/card-declines/review', 'and held');
SELECT is(pg_temp.say('{m1t12}', '{late}', pg_temp.terms(pg_temp.win(9,
    p_of => 'declines')), p_event => 'l-1'), 'ignored', 'open at first');
SELECT is(pg_temp.say('{m1t12}', '{late}', pg_temp.terms(pg_temp.win(9,
    p_of => 'declines')), 'attempt_declined', p_event => 'l-2'), 'unchanged',
    'then declined');
SELECT is(pg_temp.counts('late'), '1 1', 'counts one of each');

-- amounts, by whole hours
SELECT is(pg_temp.say(ARRAY['m1t' || n], '{s}', pg_temp.terms(pg_temp.win(200,
    p_of => 'amount', p_seconds => 86400, p_currency => 'USD'))), 'ignored',
    'an amount')
FROM generate_series(13, 15) n;
SELECT is(pg_temp.counts('s'), '3 0 {"USD": 300}', 'the sum');
SELECT is(pg_temp.after('m1c15'),
    'review window hold window/card-amount/review', 'is beyond the limit');
SELECT is(pg_temp.say('{m1t16}', '{s}', pg_temp.terms(pg_temp.win(1000000,
    p_of => 'amount', p_seconds => 86400, p_currency => 'JPY',
    p_then => 'block'))), 'ignored', 'without a rate');
SELECT is(pg_temp.after('m1c16'),
    'allow none none window/card-amount/block/shadow/unknown',
    'nobody is held for an unknown sum');

-- shadow
SELECT is(pg_temp.say('{m1t17}', '{a}', pg_temp.terms(pg_temp.win(1,
    p_shadow => true))), 'ignored', 'a window in shadow');
SELECT is(pg_temp.after('m1c17'),
    'allow none none window/card-attempts/review/shadow', 'is stored');
SELECT is(pg_temp.review('m1c17'), NULL, 'and does nothing');

-- lists
SELECT is(pay_ops.risk_list_add('m1', e, k, v, NULL, 'ann', 'stolen'), o, k)
FROM (VALUES ('block', 'card', pg_temp.hash('listed'), 'added'),
    ('review', 'bin', '400000', 'added'), ('block', 'card_country', 'KP',
    'added'), ('allow', 'card', pg_temp.hash('good'), 'added'),
    ('challenge', 'card', pg_temp.hash('y'), 'invalid'),
    ('block', 'bin', '40000', 'invalid'), ('block', 'bin', '40000x',
    'invalid'), ('block', 'card_country', 'kp', 'invalid'),
    ('block', 'card', 'plain', 'invalid')) t (e, k, v, o);
SELECT is(pg_temp.say('{m1t18}', '{listed}', pg_temp.terms(), 'paid'),
    'applied', 'a listed card');
SELECT is(pg_temp.after('m1c18'), 'block list hold list/card/block',
    'is held, as the mildest effect is');
SELECT is(pg_temp.review('m1c18'), 'open held', 'for a reviewer');
SELECT is(pg_temp.status('m1', 'm1o18'), 'SUCCESS', 'the money has come');
SELECT is(pg_temp.say('{m1t19}', '{new}', pg_temp.terms(), 'paid',
    p_before => 'listed'), 'applied', 'under the key before');
SELECT is(pg_temp.after('m1c19'), 'block list hold list/card/block',
    'it is found, too');
SELECT is(pg_temp.say('{m1t20}', '{n}', pg_temp.terms(),
    p_bin => '40000012', p_country => 'KP'), 'ignored', 'a BIN, a country');
SELECT is(pg_temp.after('m1c20'),
    'block list hold list/bin/review list/card_country/block',
    'the most severe counts');
SELECT is(pg_temp.say('{m1t21}', '{good}', pg_temp.terms(pg_temp.win(0)),
    p_country => 'KP'), 'ignored', 'a card that is allowed');
SELECT is(pg_temp.after('m1c21'), 'allow list none list/card/allow '
    'list/card_country/block window/card-attempts/review', 'ends all');
SELECT is(pg_temp.review('m1c21'), NULL, 'and nothing is done');
SELECT is(pg_temp.say('{m2t2}', '{listed}', pg_temp.terms()), 'ignored',
    'another merchant');
SELECT is(pg_temp.after('m2c2'), NULL, 'has lists of its own');
SELECT is(pg_temp.say('{m1t22}', '{listed}', pg_temp.terms()
    || '{"shadow": true}'), 'ignored', 'in shadow');
SELECT is(pg_temp.after('m1c22'), NULL, 'no list is looked at');
SELECT is(pg_temp.say('{m1t23}', '{listed}', pg_temp.terms(),
    'attempt_declined'), 'unchanged', 'declined anyhow');
SELECT is(pg_temp.after('m1c23'), NULL, 'there is nothing to hold');

-- once for a checkout
SELECT is(pg_temp.say('{m1t18}', '{listed}', pg_temp.terms()
    || '{"block": "void"}', p_attempt => 'ch-second'), 'ignored',
    'a second attempt');
SELECT is(pg_temp.after('m1c18'), 'block list hold list/card/block, '
    'block list none list/card/block', 'is stored, and has no effect');

-- void: captured money goes back, authorised money is released
CREATE FUNCTION pg_temp.changes(p_checkout text) RETURNS text
LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', c.kind, c.reason), ', ' ORDER BY c.kind)
FROM pay.change c WHERE c.checkout_id = p_checkout
$$;
SELECT is(pg_temp.say('{m1t24}', '{listed}', pg_temp.terms()
    || '{"block": "void"}', 'paid'), 'applied', 'a payment');
SELECT is(pg_temp.after('m1c24'), 'block list void list/card/block',
    'is to be voided');
SELECT is(pg_temp.review('m1c24'), 'rejected held', 'in the same commit');
SELECT is((SELECT string_agg(concat_ws(' ', a.act, a.who, a.reason), ', ')
    FROM pay.risk_review r JOIN pay.risk_review_act a USING (review_id)
    WHERE r.checkout_id = 'm1c24'), 'rejected gateway card', 'by the gateway');
SELECT s.outcome FROM pay_api.sweep('{w1}', '{0}', '{"{}"}') s \g /dev/null
SELECT is(pg_temp.changes('m1c24'), 'refund risk', 'it is refunded');
SELECT s.outcome FROM pay_api.sweep('{w1}', '{0}', '{"{}"}') s \g /dev/null
SELECT is(pg_temp.changes('m1c24'), 'refund risk', 'once');
SELECT is((SELECT count(*)::int FROM pay.risk_label
    WHERE payment_order_id = 'm1o24'), 0, 'nobody has an opinion');
SELECT is(pg_temp.say('{m1t25}', '{listed}', pg_temp.terms()
    || '{"block": "void"}', 'authorized'), 'applied', 'money that is held');
SELECT s.outcome FROM pay_api.sweep('{w1}', '{0}', '{"{}"}') s \g /dev/null
SELECT is(pg_temp.changes('m1c25'), 'cancel risk', 'is released');

-- a dispute has the money when the card is known, and is won
SELECT is(pg_temp.fact('m1t29', 'paid', p_reference => 'pi-29'), 'applied',
    'a payment');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-29', 100,
    p_reference => 'pi-29'), 'applied', 'is disputed');
SELECT is(pg_temp.say('{m1t29}', '{listed}', pg_temp.terms()
    || '{"block": "void"}'), 'ignored', 'before its card is known');
SELECT is(pg_temp.review('m1c29'), 'rejected held', 'which rejects it');
SELECT s.outcome FROM pay_api.sweep('{w1}', '{0}', '{"{}"}') s \g /dev/null
SELECT is(concat(pg_temp.changes('m1c29'), r.is_settled), 't',
    'there is no money to give back')
FROM pay.risk_review r WHERE r.checkout_id = 'm1c29';
SELECT is(pg_temp.news('dispute', 'won', 'dp-29', 100,
    p_reference => 'pi-29'), 'applied', 'the money comes back');
SELECT s.outcome FROM pay_api.sweep('{w1}', '{0}', '{"{}"}') s \g /dev/null
SELECT is(pg_temp.changes('m1c29'), 'refund risk', 'and is given back');

-- a checkout that has a review already
SELECT is(pg_temp.look('old1', pg_temp.risk('review')), 'created',
    'a checkout for reviewers');
SELECT is(pg_temp.token('m1', 'old1', 'told1'), 'stored', 'its page');
SELECT is(pg_temp.say('{told1}', '{listed}', pg_temp.terms(), 'paid'),
    'applied', 'paid by a listed card');
SELECT is(pg_temp.review('old1'), 'open held', 'has one review');
SELECT is(pg_temp.look('old2', pg_temp.risk('review')), 'created', 'another');
SELECT is(pg_temp.token('m1', 'old2', 'told2'), 'stored', 'its page');
SELECT is(pay_ops.decide_review((SELECT review_id FROM pay.risk_review
    WHERE checkout_id = 'old2'), 'approve', 'known_buyer', NULL, false,
    'ann'), 'approved', 'which was approved');
SELECT is(pg_temp.review('old2'), 'approved', 'too early');
UPDATE pay.risk_review
SET asked = 'approve', asked_by = 'ann', deadline = now() - interval '1 h'
WHERE checkout_id = 'old2';
SELECT is(pg_temp.say('{told2}', '{listed}', pg_temp.terms(), 'paid'),
    'applied', 'when its card is known');
SELECT is(pg_temp.review('old2'), 'open held', 'it is open again');
SELECT is((r.asked, r.asked_by, r.deadline - now())::text, '(,,"3 days")',
    'with a time of its own, and nobody''s word')
FROM pay.risk_review r WHERE r.checkout_id = 'old2';
SELECT is(pg_temp.look('old3', pg_temp.risk('review')), 'created', 'a third');
SELECT is(pg_temp.token('m1', 'old3', 'told3'), 'stored', 'its page');
SELECT is(pg_temp.say('{told3}', '{listed}', pg_temp.terms()
    || '{"block": "void"}', 'paid'), 'applied', 'that is to be voided');
SELECT is(pg_temp.review('old3'), 'rejected held', 'is rejected');

-- before its token
SELECT is(pg_temp.say('{m1t40}', '{early}', pg_temp.terms(pg_temp.win(0)),
    'paid', p_before => 'listed'), 'parked', 'an unknown token');
SELECT is(concat(pg_temp.counts('early'), pg_temp.after('m1c40')), '',
    'is nobody''s yet');
SELECT is(pg_temp.token('m1', 'm1c40', 'm1t40'), 'stored', 'the token comes');
SELECT is(pg_temp.counts('early'), '1 0', 'and is counted');
SELECT is(pg_temp.after('m1c40'),
    'block list hold list/card/block window/card-attempts/review',
    'and judged, by both keys');
SELECT is((SELECT waits FROM pay.risk_card WHERE checkout_id = 'm1c40'), NULL,
    'nothing waits any more');

-- two words about one attempt in a batch
SELECT is(pg_temp.say('{m1t31,m1t31}', '{NULL,twice}', pg_temp.terms(
    pg_temp.win(9)), p_attempt => 'ch-31'), 'ignored', 'the second has its card');
SELECT is(pg_temp.counts('twice'), '1 0', 'which is counted');
SELECT is(count(*)::int, 1, 'as one attempt') FROM pay.risk_card
WHERE checkout_id = 'm1c31' AND attempt = 'ch-31';

-- by an order
SELECT is(pay_ops.risk_list_add_cards('m1', 'block', 'm1o26', NULL, 'ann',
    'stolen'), 'not_found', 'no card of it is known');
SELECT is(pg_temp.say('{m1t26}', '{of-26}', NULL), 'ignored', 'now it is');
SELECT is(pay_ops.risk_list_add_cards('m2', 'block', 'm1o26', NULL, 'ann',
    'stolen'), 'not_found', 'another merchant''s order');
SELECT is(pay_ops.risk_list_add_cards('m1', 'challenge', 'm1o26', NULL, 'ann',
    'stolen'), 'invalid', 'too late for a challenge');
SELECT is(pay_ops.risk_list_add_cards('m1', 'block', 'm1o26', NULL, 'ann',
    'stolen'), 'added', 'its card is listed');
SELECT is(pay_ops.risk_list_add_cards('m1', 'block', 'm1o26', NULL, 'ann',
    'stolen'), 'unchanged', 'once');
SELECT is(pg_temp.say('{m1t27}', '{of-26}', pg_temp.terms()), 'ignored',
    'it comes again');
SELECT is(pg_temp.after('m1c27'), 'block list hold list/card/block',
    'and is known');

-- for operators
SELECT is(pay.after_of('m1', 'm1c27') -> 0 #- '{at}' #- '{hits,0,entry}',
    '{"attempt": "ch-m1t27", "decision": "block", "by": "list",
      "effect": "hold", "version": "c0ffee", "hits": [{"by": "list",
      "name": "card", "then": "block", "shadow": false}]}'::jsonb,
    'a decision as it is shown');
SELECT is((e.explanation::jsonb -> 'risk' -> 'after' -> 0 ->> 'effect'),
    'hold', 'explained')
FROM pay_api.explain_payment('{m1}', '{m1o27}', '{1}') e;
SELECT ok(NOT e.explanation::jsonb -> 'risk' ? 'after', 'where there is one')
FROM pay_api.explain_payment('{m1}', '{m1o30}', '{1}') e;
SELECT throws_ok('UPDATE pay.risk_after SET effect = ''none''', 'PAY20', NULL,
    'a decision is fixed');
SELECT throws_ok('DELETE FROM pay.risk_after', 'PAY20', NULL, 'and stays');
SELECT is(pg_temp.run_as(r, 'SELECT * FROM pay.risk_after'), s, r)
FROM (VALUES ('payments_gateway', '42501'), ('payments_operator', 'ok'),
             ('payments_relay', '42501')) t (r, s);

-- terms that no gateway sends
SELECT throws_ok(format('SELECT pg_temp.say(''{m1t30}'', ''{z}'', %L::jsonb)',
    pg_temp.terms(pg_temp.win(1)) || w), 'PAY01', NULL, w::text)
FROM unnest(ARRAY['{"block": "sell"}', '{"shadow": 1}', '{"x": 1}',
    '{"version": "X"}', '{"windows": {}}', '{"review": {}}',
    '{"windows": [{"name": "x"}]}']::jsonb[]) w;
SELECT throws_ok(format('SELECT pg_temp.say(''{m1t30}'', ''{z}'', %L::jsonb)',
    pg_temp.terms(pg_temp.win(1) || w)), 'PAY01', NULL, w::text)
FROM unnest(ARRAY['{"key": "ip"}', '{"then": "challenge"}',
    '{"then": "allow"}', '{"seconds": 0}', '{"limit": -1}',
    '{"of": "amount"}', '{"currency": "USD"}', '{"name": ""}',
    '{"merchant": ""}', '{"shadow": "maybe"}', '{"x": 1}']::jsonb[]) w;

\i :checks

SELECT finish();
ROLLBACK;
