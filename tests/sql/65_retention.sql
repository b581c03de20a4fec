-- Personal data ends: what each class takes, what it leaves, and for whom.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir risk.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.run(
    p_class text, p_keep interval DEFAULT NULL, p_limit int DEFAULT 100,
    p_who text DEFAULT 'ann')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', r.outcome, r.ended)
FROM pay_ops.run_retention(p_class, p_keep, p_limit, p_who) r
$$;
CREATE FUNCTION pg_temp.due(p_class text, p_keep interval DEFAULT NULL)
RETURNS bigint LANGUAGE sql AS
'SELECT r.due FROM pay_view.retention(ARRAY[p_class], p_keep) r';
CREATE FUNCTION pg_temp.all_due() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(r.class || ' ' || r.due, ', ' ORDER BY r.class)
FROM pay_view.retention() r WHERE r.due > 0
$$;

SELECT is((SELECT count(*) FROM pay_view.retention()),
          (SELECT count(DISTINCT a.class) FROM (
              SELECT class FROM pay.retention_class
              UNION ALL SELECT v.class FROM pay.aged v) a),
          'each row of any class is in a class of the list');
SELECT is(pay.end_class(c.class, c.keep, 0), 0::bigint, 'ends: ' || c.class)
FROM pay.retention_class c;
SELECT is_empty($$SELECT FROM pay.retention_class c
                  WHERE now() - c.keep > now() - c.at_least$$,
          'no class ends sooner than it may');

-- four payments with all that a buyer may leave
SELECT pg_temp.look('c' || n, pg_temp.risk(
    p_keys => pg_temp.key('buyer-' || n) || pg_temp.key('192.0.2.7/32', 'ip')
        || pg_temp.key('192.0.2.0/24', 'ip')
        || pg_temp.key('2001:db8::/64', 'ip'),
    p_windows => pg_temp.window('buyer-' || n, 9)))
FROM generate_series(1, 4) n
\g /dev/null
SELECT pg_temp.token('m1', 'c' || n, 't' || n), pg_temp.fact('t' || n, 'paid')
FROM generate_series(1, 4) n
\g /dev/null
UPDATE pay.checkout SET buyer_info = '{"email": "ann@example.org"}',
    credit_card_info = CASE WHEN checkout_id = 'c2' THEN '"tok"'::jsonb END,
    metadata = '{"cart": 1}';
SELECT pg_temp.change('o-c1', 'refund', 'f1', 10) \g /dev/null
UPDATE pay.change SET metadata = '{"note": "x"}';
SELECT is(pg_temp.all_due(), NULL, 'nothing is old');
SELECT is(pg_temp.run(c.class), 'done 0', 'nothing ends: ' || c.class)
FROM pay.retention_class c;

-- two of them are old
UPDATE pay.checkout SET created_at = now() - interval '14 months'
WHERE checkout_id IN ('c1', 'c2');
UPDATE pay.change SET created_at = now() - interval '14 months';
SELECT is(pg_temp.all_due(), 'buyer_info 2, metadata 3', 'these are due');
CREATE TEMP TABLE kept AS
SELECT c.merchant_id, c.checkout_id, c.version, c.total_minor, e.hash
FROM pay.checkout c JOIN pay.payment_order o USING (merchant_id, checkout_id)
JOIN pay.event e USING (merchant_id, payment_order_id);
SELECT is(pg_temp.run('buyer_info', p_limit => 1), 'done 1', 'in pieces');
SELECT is(pg_temp.run('buyer_info', p_limit => 1), 'done 1', 'the next one');
SELECT is(pg_temp.run('buyer_info', p_limit => 1), 'done 0', 'until none is');
SELECT is(pg_temp.run('metadata'), 'done 3', 'of checkouts and of changes');
SELECT is((SELECT string_agg(concat_ws(' ', c.checkout_id,
        num_nonnulls(c.buyer_info, c.metadata, c.credit_card_info)), ', '
        ORDER BY c.checkout_id) FROM pay.checkout c),
    'c1 0, c2 0, c3 2, c4 2', 'what is young stays');
SELECT is((SELECT count(*) FROM kept k JOIN pay.event e USING (hash)
           JOIN pay.checkout c ON c.checkout_id = k.checkout_id
               AND c.version = k.version AND c.total_minor = k.total_minor),
          (SELECT count(*) FROM kept), 'checkouts and their log are as before');
SELECT is(pg_temp.all_due(), NULL, 'nothing is left');
SELECT is((SELECT concat_ws(' ', r.who, r.session, r.keep, r.total)
           FROM pay.retention_run r WHERE r.class = 'buyer_info'),
          'ann ' || session_user || ' 1 year 1 mon 2', 'who, and how much');

-- decisions: addresses first, then keys, facts and features; they stay
UPDATE pay.risk_decision SET has_address = NULL
WHERE checkout_id = (SELECT max(checkout_id) FROM pay.risk_decision);
SELECT is(pg_temp.due('risk_addresses', '-1 min'), 4::bigint,
          'addresses, also of rows that do not say that they have one');
SELECT is(pay.end_class('risk_addresses', '-1 min', 3), 3::bigint, 'three');
SELECT is(pay.end_class('risk_addresses', '-1 min', 3), 1::bigint, 'and one');
SELECT is((SELECT string_agg(DISTINCT k ->> 1, ' ')
           FROM pay.risk_decision d, jsonb_array_elements(d.keys) k
           WHERE k ->> 0 = 'ip'), '192.0.2.0/24', 'the network stays');
SELECT is((SELECT string_agg(DISTINCT d.has_address::text, ' ')
           FROM pay.risk_decision d), 'false', 'and is no address');
SELECT is((SELECT count(*) FROM pay.risk_decision d
           WHERE d.keys @> pg_temp.key('buyer-' || right(d.checkout_id, 1))),
          4::bigint, 'and the other keys');
ALTER TABLE pay.risk_decision DISABLE TRIGGER USER;
UPDATE pay.risk_decision SET features = '{"hour": 3}',
    score = '{"total": 0.5}',
    at = now() - (10 + right(checkout_id, 1)::int) * interval '1 month';
ALTER TABLE pay.risk_decision ENABLE ALWAYS TRIGGER risk_decision_fixed,
    ENABLE ALWAYS TRIGGER risk_decision_emptied,
    ENABLE ALWAYS TRIGGER risk_decision_kept;
SELECT throws_ok($$UPDATE pay.risk_decision SET features = '{"hour": 4}'$$,
    'PAY20', NULL, 'features are not written anew');
SELECT throws_ok($$UPDATE pay.risk_decision SET score = NULL$$,
    'PAY20', NULL, 'a score stays');
SELECT is(pg_temp.run('risk_inputs'), 'done 1', 'one is older than 13 months');
SELECT is((SELECT concat_ws(' ', d.decision, d.score, num_nonnulls(d.keys,
        d.facts, d.counted, d.features)) FROM pay.risk_decision d
        WHERE d.checkout_id = 'c4'), 'allow {"total": 0.5} 0',
    'the decision and its score stay');
SELECT is(pg_temp.run('risk_inputs', '31 days'), 'done 3', 'or sooner');
UPDATE pay.risk_counter SET hour = hour - interval '32 days';
SELECT is(pg_temp.run('risk_counters'), 'done 4', 'counters');

-- entries of lists that are over, and their values in the acts
SELECT pay_ops.risk_list_add('m1', 'block', 'email', pg_temp.hash(v), u, 'ann',
                             'test')
FROM (VALUES ('over', now() + interval '1 h'), ('ever', NULL),
             ('gone', NULL)) t (v, u)
\g /dev/null
SELECT pay_ops.risk_list_remove('m1', 'block', 'email', pg_temp.hash('gone'),
                                'eve', 'test')
\g /dev/null
SELECT is(pg_temp.run('risk_entries'), 'done 0', 'none is over for so long');
SELECT is(pay.end_class('risk_entries', '-2 h', 10), 4::bigint,
          'an entry that is over; its act, and both of one that was removed');
SELECT is((SELECT string_agg(concat_ws(' ', a.act, a.who,
        a.value IS NOT NULL), ', ' ORDER BY a.act_id)
    FROM pay.risk_list_act a),
    'added ann f, added ann t, added ann f, removed eve f',
    'who did what stays, and the value of an entry that counts');
SELECT is((SELECT count(*) FROM pay.risk_list), 1::bigint, 'as the entry');
SELECT throws_ok($$UPDATE pay.risk_list_act SET value = 'x'$$, 'PAY20', NULL,
                 'no value is written anew');

-- for operators, within bounds
SELECT is(pg_temp.run('buyer_info', '27 days'), 'too_young', 'not so soon');
SELECT is(pg_temp.run(c, k, l, w), o, concat_ws(' ', c, k, l, w))
FROM (VALUES ('webhooks', '29 days'::interval, 10, 'ann', 'too_young'),
    ('webhooks', '30 days', 10, 'ann', 'done 0'),
    ('nothing', NULL, 10, 'ann', 'not_found'),
    ('metadata', NULL, 0, 'ann', 'invalid'),
    ('metadata', NULL, 10001, 'ann', 'invalid'),
    ('metadata', NULL, NULL, 'ann', 'invalid'),
    ('metadata', NULL, 10, ' ', 'invalid'),
    ('metadata', NULL, 10, NULL, 'invalid')) t (c, k, l, w, o);
SELECT is(pg_temp.run_as(r, $$SELECT pay_ops.run_retention('metadata', NULL, 1,
                                                           'ann')$$), s, r)
FROM (VALUES ('payments_gateway', '42501'), ('payments_auditor', '42501'),
             ('payments_operator', 'ok')) t (r, s);
SELECT is(pg_temp.run_as(r, 'SELECT * FROM pay_view.retention()'), s, r)
FROM (VALUES ('payments_gateway', '42501'), ('payments_auditor', 'ok'),
             ('payments_operator', 'ok')) t (r, s);

\i :checks
SELECT finish();
ROLLBACK;
