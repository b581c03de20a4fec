-- The words of PSPs about cards, and labels of orders.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

SELECT b.outcome FROM generate_series(1, 9) n,
    pg_temp.begin('m1', 'k' || n, 'c' || n, ARRAY['o' || n || ':100']) b
\g /dev/null
SELECT pg_temp.token('m1', 'c' || n, 't' || n) FROM generate_series(1, 8) n
\g /dev/null

CREATE FUNCTION pg_temp.said(
    p_token text, p_event text, p_attempt text, p_fact text DEFAULT 'none',
    p_card text DEFAULT repeat('a', 64), p_bin text DEFAULT '424242',
    p_country text DEFAULT 'DE', p_score bigint DEFAULT 12,
    p_level text DEFAULT 'normal', p_warning text DEFAULT NULL,
    p_reference text DEFAULT NULL, p_hint bigint DEFAULT 0,
    p_source text DEFAULT 'webhook', p_decline text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT e.outcome FROM pay_api.apply_event('{stripe}', ARRAY[p_source],
    ARRAY[p_event], '{charge.x}', ARRAY[p_fact], ARRAY[p_token],
    ARRAY[p_reference], '{NULL}', '{NULL}', '{NULL}', ARRAY[sha256('body')],
    '{request-4}', ARRAY[p_decline], '{NULL}', ARRAY[p_attempt], '{1}',
    ARRAY[p_attempt], ARRAY[p_card], ARRAY[p_bin], ARRAY[p_country],
    '{credit}', '{authenticated}', ARRAY[p_level], ARRAY[p_score],
    ARRAY[p_warning], ARRAY[p_hint]) e
$$;
CREATE FUNCTION pg_temp.cards(p_checkout text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', c.attempt, left(c.card, 2), c.bin, c.country,
    c.funding, c.three_d, c.level, c.score, c.warning,
    CASE WHEN c.is_hint THEN 'hint' END,
    CASE WHEN c.is_declined THEN 'declined' END), ', ' ORDER BY c.attempt)
FROM pay.risk_card c WHERE c.checkout_id = p_checkout
$$;
CREATE FUNCTION pg_temp.labels(p_order text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(l.label || '/' || l.source, ' ' ORDER BY l.source)
FROM pay.risk_label l
WHERE l.merchant_id = 'm1' AND l.payment_order_id = p_order
$$;

-- an event that moves nothing
SELECT is(pg_temp.said('t1', 'e1', 'ch_1'), 'ignored', 'a charge');
SELECT is(pg_temp.cards('c1'),
    'ch_1 aa 424242 DE credit authenticated normal 12', 'its card is kept');
SELECT is(pg_temp.status('m1', 'o1'), 'EXECUTING', 'and nothing moves');

-- once for an attempt
SELECT is(pg_temp.said('t1', 'e1', 'ch_9'), 'duplicate', 'the event again');
SELECT is(pg_temp.said('t1', 'e2', 'ch_1', p_card => repeat('b', 64)),
    'ignored', 'another event about the attempt');
SELECT is(pg_temp.cards('c1'),
    'ch_1 aa 424242 DE credit authenticated normal 12', 'add nothing');
SELECT is(pg_temp.said('t2', 'e3', 'ch_2', p_bin => NULL, p_hint => 1),
    'ignored', 'what is not known yet');
SELECT is(pg_temp.said('t2', 'e4', 'ch_2', 'paid'), 'applied',
    'comes with a later event');
SELECT is(pg_temp.cards('c2'),
    'ch_2 aa 424242 DE credit authenticated normal 12 hint',
    'is filled in, and stays a hint');
SELECT is(pg_temp.said('t3', 'e5', 'ch_2'), 'ignored',
    'an attempt of another checkout');
SELECT is(pg_temp.cards('c3'), NULL, 'stays with the first');

-- a decline
SELECT is(pg_temp.said('t4', 'e6', 'ch_4', 'attempt_declined',
    p_decline => 'insufficient_funds'), 'unchanged', 'a declined attempt');
SELECT is(pg_temp.cards('c4'),
    'ch_4 aa 424242 DE credit authenticated normal 12 declined', 'says so');

-- a query has no event
SELECT is(pg_temp.said('t5', NULL, 'tr_5', 'paid', p_source => 'query'),
    'applied', 'the answer to a query');
SELECT matches(pg_temp.cards('c5'), '^tr_5 aa', 'its card is kept');

-- hints refuse nothing
SELECT is(pg_temp.said('t6', 'e7', 'ch_6', 'paid', p_card => 'plain',
    p_bin => '4242424242424242', p_country => 'de', p_score => 101,
    p_level => 'low', p_warning => 'No Word'), 'applied',
    'values of a wrong form do not refuse the money');
SELECT is(pg_temp.cards('c6'), 'ch_6 credit authenticated', 'and are not kept');
SELECT is(pg_temp.labels('o6'), NULL, 'nor is a warning');
SELECT is(pg_temp.said('t6', 'e8', repeat('x', 256)), 'invalid',
    'an id that no attempt has');
SELECT throws_ok($$SELECT FROM pay_api.apply_event('{stripe}', '{query}',
    '{NULL}', '{x}', '{none}', '{t6}', '{NULL}', '{NULL}', '{NULL}', '{NULL}',
    '{NULL}', '{r}', '{NULL}', '{NULL}', '{NULL}', '{1}', '{a,b}')$$, 'PAY01',
    NULL, 'rows of two lengths');

-- before its token
SELECT is(pg_temp.said('t9', 'e9', 'ch_8', 'paid'), 'parked',
    'an unknown token');
SELECT is(pg_temp.said('t9', 'e10', 'ch_9'), 'ignored', 'and of a charge');
SELECT is(pg_temp.cards('c9'), NULL, 'whose card is nobody''s yet');
SELECT is(pg_temp.token('m1', 'c9', 't9'), 'stored', 'the token comes');
SELECT is(pg_temp.status('m1', 'o9'), 'SUCCESS', 'with the money');
SELECT matches(pg_temp.cards('c9'), '^ch_8 aa .*, ch_9 aa', 'and both cards');

-- an early warning names the payment alone
SELECT is(pg_temp.fact('t7', 'paid', p_reference => 'pi_7'), 'applied',
    'a payment');
SELECT is(pg_temp.said(NULL, 'e11', 'issfr_1', p_card => NULL, p_bin => NULL,
    p_country => NULL, p_score => NULL, p_level => NULL,
    p_warning => 'made_with_lost_card', p_reference => 'pi_7'), 'ignored',
    'its issuer warns');
SELECT is(pg_temp.labels('o7'), 'fraud/early_fraud_warning', 'it was fraud');
SELECT is(pg_temp.said(NULL, 'e12', 'issfr_2', p_warning => 'x',
    p_reference => 'pi_none'), 'ignored', 'of a payment that is not ours');
SELECT is(count(*), 0::bigint, 'nothing is kept')
FROM pay.risk_card c WHERE c.attempt = 'issfr_2';

-- disputes
CREATE FUNCTION pg_temp.dispute(p_n int, p_code text)
RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.fact('t' || p_n, 'paid', p_reference => 'pi_' || p_n) || ' '
    || (SELECT e.outcome FROM pay_api.apply_change('{stripe}', '{webhook}',
    ARRAY['d' || p_n], '{x}', '{dispute}', '{opened}', '{NULL}',
    ARRAY['pi_' || p_n], ARRAY['dp_' || p_n], '{NULL}', '{100}', '{USD}',
    '{NULL}', '{NULL}', ARRAY[p_code], ARRAY[sha256('body')], '{r}') e)
$$;
SELECT is(pg_temp.dispute(3, 'fraudulent'), 'applied applied', 'a dispute');
SELECT is(pg_temp.labels('o3'), 'fraud/dispute', 'about fraud');
SELECT is(pg_temp.dispute(4, 'product_not_received'), 'applied applied',
    'one of another reason');
SELECT is(pg_temp.labels('o4'), 'not_fraud/dispute', 'is not fraud');
SELECT is(pg_temp.dispute(8, NULL), 'applied applied', 'without a reason');
SELECT is(pg_temp.labels('o8'), NULL, 'nobody knows');

-- reviewers
SELECT ok(pay.label_order('m1', 'o8', 'rejected', 'reviewer'), 'a label');
SELECT ok(NOT pay.label_order('m1', 'o8', 'fraud', 'reviewer'),
    'the first of a source stays');
SELECT is(pg_temp.labels('o8'), 'rejected/reviewer', 'as it was');
SELECT throws_ok($$SELECT pay.label_order('m1', 'o8', 'bad', 'refund')$$,
    '23514', NULL, 'no such label');

-- refunds as fraud, once they are done
CREATE FUNCTION pg_temp.refund(
    p_name text, p_reason text, p_state text DEFAULT 'DONE')
RETURNS text LANGUAGE sql AS $$
SELECT FROM pay_api.begin_change('{m1}', '{o2}', '{refund}',
    ARRAY[pg_temp.uuid(p_name)], ARRAY['key-' || p_name],
    ARRAY[sha256('body')], '{86400}', '{10}', '{NULL}', ARRAY[p_reason],
    '{NULL}', '{30000}', '{request-8}', '{NULL}');
SELECT pg_temp.whole('c2', 'o2', 'refund', p_name, 10, p_state);
SELECT concat_ws(' ', c.status, pg_temp.labels('o2'))
FROM pay.change c WHERE c.change_id = pg_temp.uuid(p_name)
$$;
SELECT is(pg_temp.refund('f1', 'sent back'), 'SUCCESS', 'another reason');
SELECT is(pg_temp.refund('f2', NULL), 'SUCCESS', 'none');
SELECT is(pg_temp.refund('f3', 'fraudulent', 'REFUSED'), 'FAILED',
          'one that was refused');
SELECT is(pg_temp.refund('f4', 'FRAUD'), 'SUCCESS fraud/refund',
          'in the words of a PSP');
CREATE TEMP TABLE first AS
SELECT l.labelled_at FROM pay.risk_label l WHERE l.source = 'refund';
SELECT is(pg_temp.refund('f5', 'fraudulent'), 'SUCCESS fraud/refund', 'once');
SELECT is((SELECT l.labelled_at FROM pay.risk_label l
           WHERE l.source = 'refund'), f.labelled_at, 'the first one stays')
FROM first f;

-- for operators, without the card
SELECT is((pay.cards_of('m1', 'c2') -> 0) - 'at', '{"attempt": "ch_2",
    "bin": "424242", "country": "DE", "funding": "credit",
    "three_d_secure": "authenticated", "level": "normal", "score": 12,
    "is_signed": false, "is_declined": false}'::jsonb, 'what is shown');
SELECT is((pay.labels_of('m1', 'c3') -> 0) - 'at', '{"label": "fraud",
    "payment_order_id": "o3", "source": "dispute"}'::jsonb, 'and labels');
SELECT is(pg_temp.run_as(r, 'SELECT * FROM pay.risk_card'), s, r)
FROM (VALUES ('payments_gateway', '42501'), ('payments_operator', 'ok'),
             ('payments_relay', '42501')) t (r, s);

-- the card goes, what is not personal stays
SELECT is((pay.purge()).risk_rows, 0::bigint, 'nothing is old');
UPDATE pay.risk_card SET at = now() - interval '14 months'
WHERE attempt = 'ch_1';
SELECT is((pay.purge()).risk_rows, 1::bigint, 'one card is old');
SELECT is(pg_temp.cards('c1'),
    'ch_1 424242 DE credit authenticated normal 12', 'only its name goes');

-- a warning about an attempt that is known
SELECT is(pg_temp.said('t4', 'e13', 'ch_4', p_warning => 'card_stolen'),
    'ignored', 'one about an attempt that is known');
SELECT is(pg_temp.labels('o4'), 'not_fraud/dispute fraud/early_fraud_warning',
    'labels it, too');

\i :checks

SELECT finish();
ROLLBACK;
