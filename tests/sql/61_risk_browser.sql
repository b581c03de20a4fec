-- The buyer's own browser: it is seen once for each checkout, compared with
-- buyer_info, and judged when the PSP has spoken.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir risk.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.keys(p_ip text) RETURNS jsonb LANGUAGE sql AS $$
SELECT jsonb_agg(jsonb_build_array('ip',
    network(set_masklen(p_ip::inet, m))::text))
FROM unnest(CASE family(p_ip::inet) WHEN 4 THEN '{8,16,24,32}'::int[]
            ELSE '{32,48,64,128}' END) m
$$;

SELECT b.outcome FROM unnest('{m1,m2}'::text[]) m, generate_series(1, 30) n,
    pg_temp.begin(m, 'k' || n, m || 'c' || n, ARRAY[m || 'o' || n || ':100'],
        p_risk => pg_temp.risk(p_keys => CASE n
            WHEN 1 THEN pg_temp.keys('192.0.2.10')
            WHEN 2 THEN pg_temp.keys('2001:db8:1:2::7')
            ELSE '[]' END),
        p_terms => CASE n WHEN 14 THEN '{"capture": "manual"}'::jsonb END) b
\g /dev/null
SELECT pg_temp.token(m, m || 'c' || n, m || 't' || n)
FROM unnest('{m1,m2}'::text[]) m, generate_series(1, 29) n
\g /dev/null
UPDATE pay.checkout SET buyer_info = '{"user_agent": "Firefox"}'
WHERE checkout_id = 'm1c1';

-- browsers that open checkouts at once: the outcomes, and the rows of one
CREATE FUNCTION pg_temp.see(
    p_checkouts text[], p_browsers text[], p_address text DEFAULT NULL,
    p_agent text DEFAULT NULL, p_before text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(s.outcome, ' ' ORDER BY s.item)
FROM (SELECT count(*)::int AS n FROM unnest(p_checkouts)) c,
pay_api.see_browser(
    ARRAY(SELECT 'h-' || left(x, 2) || x FROM unnest(p_checkouts) x),
    ARRAY(SELECT CASE WHEN x ~ '!' THEN x ELSE pg_temp.hash(x) END
          FROM unnest(p_browsers) x),
    array_fill(pg_temp.hash(p_before), ARRAY[c.n]),
    array_fill(1::bigint, ARRAY[c.n]),
    array_fill(pg_temp.hash(p_agent), ARRAY[c.n]),
    array_fill(p_agent, ARRAY[c.n]), array_fill(p_address, ARRAY[c.n])) s
$$;
CREATE FUNCTION pg_temp.seen(p_checkout text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', b.place, b.address, b.distance,
    b.same_agent), ', ' ORDER BY b.place)
FROM pay.risk_browser b WHERE b.checkout_id = p_checkout
$$;

-- one row for a browser of a checkout
SELECT is(pg_temp.see('{m1c1}', '{a}', '192.0.2.10/32', 'Firefox'), 'found',
    'a browser');
SELECT is(pg_temp.seen('m1c1'), '1 192.0.2.10/32 same t', 'is kept');
SELECT is(pg_temp.see('{m1c1}', '{a}', '198.51.100.1/32', 'Opera'), 'found',
    'the page once more');
SELECT is(pg_temp.seen('m1c1'), '1 192.0.2.10/32 same t', 'adds nothing');
SELECT is(pg_temp.see('{m1c1,nobody,m1c1}', '{b,b,b}', '192.0.2.77/32',
    'Opera'), 'found not_found found', 'another one, twice at once');
SELECT is(pg_temp.seen('m1c1'),
    '1 192.0.2.10/32 same t, 2 192.0.2.77/32 network f', 'is one more');
SELECT is(pg_temp.see('{m1c1}', ARRAY['n' || n], CASE n
        WHEN 1 THEN '192.0.99.1/32' WHEN 2 THEN '203.0.113.1/32'
        WHEN 3 THEN '2001:db8::1/128' WHEN 4 THEN 'localhost' END), 'found',
    'browser ' || n)
FROM generate_series(1, 12) n;
SELECT is((SELECT string_agg(concat_ws(' ', b.address, b.distance), ', '
        ORDER BY b.place) FROM pay.risk_browser b
    WHERE b.checkout_id = 'm1c1' AND b.place > 2 AND b.address IS NOT NULL),
    '192.0.99.1/32 region, 203.0.113.1/32 other, 2001:db8::1/128',
    'addresses are compared within their family');
SELECT is((SELECT concat(count(*), ' ', max(place)) FROM pay.risk_browser
    WHERE checkout_id = 'm1c1'), '8 8', 'eight are the most');
SELECT is(pg_temp.see('{m1c2}', '{a}', a), 'found', a)
FROM (VALUES (1, '2001:db8:1:2:ffff::1/128')) t (n, a);
SELECT is(pg_temp.see('{m1c2}', ARRAY['v' || n], a), 'found', a)
FROM (VALUES (2, '2001:db8:1:3::1/128'), (3, '2001:db8:2::1/128'),
             (4, '2001:db9::1/128'), (5, '192.0.2.1/32')) t (n, a);
SELECT is((SELECT string_agg(coalesce(b.distance, '-'), ' ' ORDER BY b.place)
    FROM pay.risk_browser b WHERE b.checkout_id = 'm1c2'),
    'same network region other -', 'of IPv6 a household is one');
SELECT is(pg_temp.see('{m1c3}', '{a}', '192.0.2.10/32', 'Firefox'), 'found',
    'a buyer of whom nothing was said');
SELECT is(pg_temp.seen('m1c3'), '1 192.0.2.10/32', 'is compared with nothing');
SELECT is(pg_temp.see('{m1c4}', '{"no hash!"}', 'x'), 'found',
    'a value of another form');
SELECT is(pg_temp.seen('m1c4'), NULL, 'is not kept');
SELECT is(pg_temp.see('{m1c4}', '{z}', '192.0.2.10/33'), 'found',
    'an address that is none');
SELECT is(pg_temp.seen('m1c4'), '1', 'neither');
SELECT throws_ok(
    $$INSERT INTO pay.risk_browser (merchant_id, checkout_id, place, browser,
        is_new) VALUES ('m1', 'm1c4', 9, repeat('0', 64), true)$$,
    '23514', NULL, 'there is no ninth place');

-- a word about an attempt: of a PSP that names it, or of one that does not
CREATE FUNCTION pg_temp.terms(
    p_limit bigint DEFAULT NULL, p_seconds int DEFAULT 60,
    p_of text DEFAULT 'attempts', p_block text DEFAULT 'hold')
RETURNS jsonb LANGUAGE sql AS $$
SELECT jsonb_build_object('version', 'c0ffee', 'shadow', false, 'block',
    p_block, 'windows', CASE WHEN p_limit IS NULL THEN '[]' ELSE
    jsonb_build_array(jsonb_build_object('name', 'per-browser', 'key',
        'browser', 'of', p_of, 'seconds', p_seconds, 'limit', p_limit,
        'then', 'review', 'shadow', false)) END)
$$;
CREATE FUNCTION pg_temp.say(
    p_token text, p_fact text, p_terms jsonb, p_attempt text DEFAULT NULL,
    p_card text DEFAULT NULL, p_event text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT e.outcome
FROM (SELECT CASE WHEN p_attempt IS NULL THEN '{}' ELSE '{NULL}' END::text[]
    AS nothing) x,
pay_api.apply_event('{stripe}', '{webhook}',
    ARRAY[coalesce(p_event, concat_ws('-', p_fact, p_token, p_attempt))],
    '{x}', ARRAY[p_fact], ARRAY[p_token], '{NULL}', '{NULL}', '{NULL}',
    '{NULL}', ARRAY[sha256('b')], '{r}',
    p_decline => ARRAY[CASE p_fact WHEN 'attempt_declined'
        THEN 'insufficient_funds' END],
    p_can_retry => '{NULL}', p_attempt => ARRAY[p_attempt],
    p_cards_item => CASE WHEN p_attempt IS NULL THEN '{}'
                    ELSE '{1}' END::bigint[],
    p_cards_attempt => CASE WHEN p_attempt IS NULL THEN '{}'
                       ELSE ARRAY[p_attempt] END,
    p_cards_card => CASE WHEN p_attempt IS NULL THEN '{}'
                    ELSE ARRAY[pg_temp.hash(p_card)] END,
    p_cards_bin => x.nothing, p_cards_country => x.nothing,
    p_cards_funding => x.nothing, p_cards_three_d => x.nothing,
    p_cards_level => x.nothing, p_cards_score => x.nothing::bigint[],
    p_cards_warning => x.nothing, p_cards_is_hint => CASE
        WHEN p_attempt IS NULL THEN '{}' ELSE '{0}' END::bigint[],
    p_cards_card_before => x.nothing, p_after => ARRAY[p_terms]) e
$$;
CREATE FUNCTION pg_temp.after(p_checkout text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', a.decision, a.decided_by, a.effect, (
    SELECT string_agg(concat_ws('/', h ->> 'by', h ->> 'name', h ->> 'then'),
                      ' ')
    FROM jsonb_array_elements(a.hits) h)), ', ' ORDER BY a.after_id)
FROM pay.risk_after a WHERE a.checkout_id = p_checkout
$$;

-- a PSP that names no attempts: the sale is one
SELECT is(pg_temp.see(ARRAY['m1c' || n], '{s}'), 'found', 's opens ' || n)
FROM generate_series(5, 9) n;
SELECT is(pg_temp.say('m1t' || n, 'paid', pg_temp.terms(2)), 'applied',
    's pays ' || n)
FROM generate_series(5, 7) n;
SELECT is(pg_temp.counts('s'), '3 0', 'each is counted');
SELECT is(pg_temp.after('m1c6'), NULL, 'the second is within the limit');
SELECT is(pg_temp.after('m1c7'),
    'review window hold window/per-browser/review', 'the third is held');
SELECT is(pg_temp.say('m1t7', 'paid', pg_temp.terms(2)), 'duplicate',
    'the webhook again');
SELECT is(pg_temp.say('m1t7', 'paid', pg_temp.terms(2), p_event => 'e2'),
    'unchanged', 'another event about the sale');
SELECT is(pg_temp.counts('s'), '3 0', 'add nothing');
SELECT is((SELECT count(*)::int FROM pay.risk_after
    WHERE checkout_id = 'm1c7'), 1, 'and decide nothing');
SELECT is(pay.cards_of('m1', 'm1c7'), NULL, 'no card is known of it');
SELECT is(pg_temp.say('m1t8', 'declined', pg_temp.terms(2)), 'applied',
    'a decline without a name');
SELECT is(pg_temp.counts('s'), '3 0', 'is not counted');
SELECT is(pg_temp.say('m1t7', 'none', pg_temp.terms(2), 'ch-7', 'x'),
    'ignored', 'the name of the attempt comes late');
SELECT is(pg_temp.counts('s'), '3 0', 'and is the sale that was counted');
SELECT is(pg_temp.say('m1t9', 'paid', NULL), 'applied', 'without terms');
SELECT is(pg_temp.counts('s'), '3 0', 'nothing is counted');
SELECT is(pg_temp.say('m1t10', 'paid', pg_temp.terms(0)), 'applied',
    'no browser was seen');
SELECT is(pg_temp.after('m1c10'), NULL, 'so none is judged');

-- a PSP that names them
SELECT is(pg_temp.see('{m1c11,m1c12}', '{n,n}'), 'found found', 'n');
SELECT is(pg_temp.say('m1t11', 'attempt_declined', pg_temp.terms(2, 3600,
    'declines'), 'ch-' || n), 'unchanged', 'a decline') FROM unnest('{1,2,3}'
    ::int[]) n;
SELECT is(pg_temp.counts('n'), '3 3', 'attempts and declines');
SELECT is(pg_temp.after('m1c11'), NULL, 'there is no sale to hold');
SELECT is(pg_temp.say('m1t11', 'paid', pg_temp.terms(2, 3600, 'declines'),
    'ch-4', 'y'), 'applied', 'then it is paid');
SELECT is(pg_temp.after('m1c11'),
    'review window hold window/per-browser/review', 'and held');
SELECT is(pg_temp.counts('n'), '4 3', 'by one attempt more');
SELECT is(pg_temp.say('m1t12', 'attempt_declined', pg_temp.terms(9, 7200),
    'ch-5'), 'unchanged', 'a decline with a name');
SELECT is(pg_temp.say('m1t12', 'paid', pg_temp.terms(4, 7200)), 'applied',
    'a sale without one');
SELECT is(pg_temp.after('m1c12'),
    'review window hold window/per-browser/review',
    'is an attempt of its own, and hours are counted, too');
SELECT is(pg_temp.say('m2t1', 'paid', pg_temp.terms(0)), 'applied',
    'another merchant');
SELECT is(pg_temp.after('m2c1'), NULL, 'has browsers of its own');

-- lists: each browser of the checkout, under both keys, and their networks
SELECT is(pay_ops.risk_list_add('m1', e, k, v, NULL, 'ann', 'fraud'), o, k)
FROM (VALUES ('block', 'browser', pg_temp.hash('bad'), 'added'),
    ('review', 'ip', '203.0.113.0/24', 'added'),
    ('challenge', 'ip', '192.0.2.0/24', 'added'),
    ('challenge', 'browser', pg_temp.hash('bad'), 'invalid'),
    ('block', 'browser', 'plain', 'invalid')) t (e, k, v, o);
SELECT is(pg_temp.see('{m1c13,m1c13}', '{bad,good}'), 'found found', 'two');
SELECT is(pg_temp.after('m1c13'), NULL, 'a look decides nothing');
SELECT is((SELECT count(*)::int FROM pay.payout_hold
    WHERE payment_order_id = 'm1o13'), 0, 'and holds nothing');
SELECT is(pg_temp.say('m1t13', 'paid', pg_temp.terms(p_block => 'void')),
    'applied', 'the sale');
SELECT is(pg_temp.after('m1c13'), 'block list void list/browser/block',
    'is voided, whichever of both was the last');
SELECT is(pg_temp.see('{m1c14}', '{new}', p_before => 'bad'), 'found',
    'after a change of keys');
SELECT is(pg_temp.say('m1t14', 'authorized', pg_temp.terms()), 'applied',
    'a sale');
SELECT is(pg_temp.after('m1c14'), 'block list hold list/browser/block',
    'the old entry is found');
SELECT is(pg_temp.see('{m1c15}', '{far}', '203.0.113.9/32'), 'found', 'far');
SELECT is(pg_temp.say('m1t15', 'paid', pg_temp.terms(), 'ch-15', 'z'),
    'applied', 'a sale');
SELECT is(pg_temp.after('m1c15'), 'review list hold list/ip/review',
    'the network of the browser is looked up');
SELECT is(pg_temp.see('{m1c17}', '{near}', '192.0.2.9/32'), 'found', 'near');
SELECT is(pg_temp.say('m1t17', 'paid', pg_temp.terms()), 'applied', 'a sale');
SELECT is(pg_temp.after('m1c17'), NULL, 'it is too late for a challenge');
SELECT is(pg_temp.see('{m2c2}', '{bad}'), 'found', 'another merchant''s');
SELECT is(pg_temp.say('m2t2', 'paid', pg_temp.terms()), 'applied', 'sale');
SELECT is(pg_temp.after('m2c2'), NULL, 'has lists of its own');
SELECT is(pay_ops.risk_list_add_browsers(m, e, 'm1o16', NULL, 'ann', 'why'),
    o, concat(m, e))
FROM (VALUES ('m1', 'block', 'not_found'), ('m1', 'challenge', 'invalid'))
    t (m, e, o);
SELECT is(pg_temp.see('{m1c16}', '{by-order}'), 'found', 'seen');
SELECT is(pay_ops.risk_list_add_browsers(m, 'block', 'm1o16', NULL, 'ann',
    'why'), o, m)
FROM (VALUES ('m2', 'not_found'), ('m1', 'added'), ('m1', 'unchanged'))
    t (m, o);
SELECT is((SELECT count(*)::int FROM pay.risk_list l
    WHERE l.kind = 'browser' AND l.value = pg_temp.hash('by-order')), 1,
    'an order names its browsers');

-- for operators
SELECT is((SELECT jsonb_agg(b - 'at') FROM jsonb_array_elements(
        pay.browsers_of('m1', 'm1c1')) b WHERE (b ->> 'place')::int < 3),
    '[{"place": 1, "is_new": true, "address": "same",
       "same_user_agent": true, "other_checkouts": 2},
      {"place": 2, "is_new": true, "address": "network",
       "same_user_agent": false, "other_checkouts": 0}]'::jsonb,
    'as they are shown');
SELECT is(jsonb_array_length(e.explanation::jsonb -> 'risk' -> 'browsers'), 8,
    'explained') FROM pay_api.explain_payment('{m1}', '{m1o1}', '{1}') e;
SELECT ok(NOT e.explanation::jsonb -> 'risk' ? 'browsers', 'where there are')
FROM pay_api.explain_payment('{m1}', '{m1o20}', '{1}') e;
SELECT is((SELECT string_agg(concat_ws(' ', l.checkout_id, l.kinds), ', '
        ORDER BY l.checkout_id)
    FROM pay.risk_review r, pay_ops.linked_to_review(r.review_id) l
    WHERE r.checkout_id = c), w, c || ' is linked')
FROM (VALUES ('m1c7', 'm1c5 browser, m1c6 browser, m1c8 browser, '
    'm1c9 browser'), ('m1c15', NULL)) t (c, w);
SELECT is(pay_ops.decide_review((SELECT review_id FROM pay.risk_review
    WHERE checkout_id = 'm1c15'), 'reject', 'stolen_card', NULL, true, 'ann'),
    'rejected', 'a reviewer rejects and blocks');
SELECT is((SELECT string_agg(concat_ws(' ', l.effect, l.until::date
        - now()::date), ', ')
    FROM pay.risk_list l WHERE l.value = pg_temp.hash('far')), 'block 90',
    'the browser, too');
SELECT is(pg_temp.run_as(r, 'SELECT * FROM pay.risk_browser'), s, r)
FROM (VALUES ('payments_gateway', '42501'), ('payments_operator', 'ok'),
             ('payments_relay', '42501')) t (r, s);

-- the end
UPDATE pay.risk_browser SET at = now() - interval '31 days';
SELECT is(pay.end_class('risk_addresses', '30 days', 100)::int, 13,
    'addresses end');
SELECT is((SELECT string_agg(b.address::text, ' ' ORDER BY b.place)
    FROM pay.risk_browser b WHERE b.checkout_id IN ('m1c1', 'm1c2')
        AND b.place < 4 AND b.address IS NOT NULL
        AND family(b.address) = 4), '192.0.2.0/24 192.0.2.0/24 192.0.99.0/24',
    'networks stay');
SELECT is(pay.end_class('risk_addresses', '30 days', 100)::int, 0,
    'once');
SELECT is(pay.end_class('risk_browsers', '13 months', 100)::int, 0,
    'browsers stay');
UPDATE pay.risk_browser SET at = now() - interval '14 months'
WHERE checkout_id = 'm1c1';
SELECT is(pay.end_class('risk_browsers', '13 months', 100)::int, 8,
    'for thirteen months');
UPDATE pay.risk_card SET at = now() - interval '14 months'
WHERE checkout_id = 'm1c5';
SELECT is(pay.end_class('risk_cards', '13 months', 100)::int, 1,
    'as attempts do');
SELECT is((SELECT browser FROM pay.risk_card WHERE checkout_id = 'm1c5'), NULL,
    'without a browser');

\i :checks

SELECT finish();
ROLLBACK;
