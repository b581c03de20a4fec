-- The event log: chained, partitioned by month, append-only for everybody,
-- and dropped month by month only when it is sealed.

BEGIN;
\ir helpers.psql
\ir audit.psql
\getenv fixtures FIXTURES
\set export `cat "$FIXTURES"/audit/export.jsonl`
SELECT no_plan();

-- the worked example: what others have computed is what we compute
SAVEPOINT example;
CREATE TEMPORARY TABLE line AS
SELECT l.n, l.text, l.text::jsonb AS json
FROM string_to_table(:'export', E'\n') WITH ORDINALITY l (text, n)
WHERE l.text <> '';
INSERT INTO pay.event
SELECT (jsonb_populate_record(NULL::pay.event, l.json || jsonb_build_object(
    'hash', '\x' || (l.json ->> 'hash'),
    'detail', (l.json ->> 'detail')::jsonb))).*
FROM line l WHERE l.json ->> 't' = 'event';
INSERT INTO pay.seal_leaf
SELECT (jsonb_populate_record(NULL::pay.seal_leaf, l.json
    || jsonb_build_object('hash', '\x' || (l.json ->> 'hash')))).*
FROM line l WHERE l.json ->> 't' = 'leaf';
INSERT INTO pay.seal
SELECT (l.json ->> 'number')::bigint, m[4]::bigint, m[5]::bigint,
    m[3]::timestamptz, m[6]::int, decode(m[7], 'hex'), decode(m[8], 'hex'),
    l.json ->> 'message', l.json ->> 'key_id',
    decode(l.json ->> 'signature', 'base64')
FROM line l, regexp_match(l.json ->> 'message',
    '^(.*)\nnumber (.*)\nat (.*)\nfrom (.*)\nuntil (.*)\nleaves (.*)\n'
    || 'root (.*)\nprevious (.*)\n$') m
WHERE l.json ->> 't' = 'seal';
SELECT is(e.hash::bytea, pay.event_hash(lag(e.hash) OVER (
    PARTITION BY e.payment_order_id ORDER BY e.seq), e),
    'hashed as others do: ' || e.payment_order_id || ' ' || e.seq)
FROM pay.event e WHERE e.merchant_id = 'acme';
SELECT is(pay.event_bytes(NULL, e), '0:,4:acme,7:order-1,1:1,'
    || '27:2026-11-21T08:15:00.000700Z,3:700,7:created,8:merchant,-,'
    || '11:NOT_STARTED,-,17:{"psp": "stripe"},5:req-1,', 'these bytes')
FROM pay.event e WHERE e.payment_order_id = 'order-1' AND e.seq = 1;
SELECT is(pay.seal_root(s.number), s.root, 'root of ' || s.number)
FROM pay.seal s;
SELECT is(pay.seal_message(s), s.message, 'message of ' || s.number)
FROM pay.seal s;
SELECT is(s.previous, pay.seal_digest(lag(s.message) OVER (ORDER BY s.number)),
          'what ' || s.number || ' follows')
FROM pay.seal s;
SELECT results_eq('SELECT x FROM pay_view.audit_export() x',
                  'SELECT text FROM line ORDER BY n',
                  'and comes out as it went in');
-- what a session has set makes no difference
SET LOCAL timezone = 'Asia/Kolkata';
SET LOCAL datestyle = 'SQL, DMY';
SET LOCAL intervalstyle = 'sql_standard';
SET LOCAL bytea_output = 'escape';
SET LOCAL standard_conforming_strings = off;
SELECT is(e.hash::bytea, pay.event_hash(lag(e.hash) OVER (
    PARTITION BY e.payment_order_id ORDER BY e.seq), e),
    'wherever it is: ' || e.payment_order_id || ' ' || e.seq)
FROM pay.event e WHERE e.merchant_id = 'acme';
SELECT results_eq('SELECT x FROM pay_view.audit_export() x',
                  'SELECT text FROM line ORDER BY n', 'and it comes out so');
ROLLBACK TO example;

-- a chain as the operations write it
SELECT b.outcome FROM pg_temp.begin('m1', 'k1', 'c1', '{o1:100,o2:50}') b
\g /dev/null
SELECT pg_temp.token('m1', 'c1', 't1'), pg_temp.fact('t1', 'pending'),
    pg_temp.fact('t1', 'paid')
\g /dev/null
SELECT is(string_agg(e.kind, ' ' ORDER BY e.seq),
          'created registered pending paid', 'events of ' || o.payment_order_id)
FROM pay.payment_order o JOIN pay.event e USING (merchant_id, payment_order_id)
GROUP BY o.payment_order_id;
SELECT is(e.hash::bytea, pay.event_hash(lag(e.hash) OVER (
    PARTITION BY e.payment_order_id ORDER BY e.seq), e),
    'chained: ' || e.payment_order_id || ' ' || e.seq)
FROM pay.event e;
SELECT is(e.tx::bigint, pg_current_xact_id()::text::bigint, 'by this transaction')
FROM pay.event e LIMIT 1;
SELECT is((o.head, o.head_tx), (e.hash, e.tx::bigint), 'the head: ' || e.kind)
FROM pay.payment_order o
JOIN pay.event e USING (merchant_id, payment_order_id)
WHERE e.seq = o.version;

-- an order that another transaction has written to since this one began
SAVEPOINT other;
SELECT b.outcome FROM pg_temp.begin('m1', 'k3', 'c3', '{o3:100}') b
\g /dev/null
SELECT pg_temp.rewrite('o3', pay.this_tx() + 7, now()), pg_temp.token('m1', 'c3', 't3')
\g /dev/null
SELECT is(string_agg((e.tx - pay.this_tx())::text, ' ' ORDER BY e.seq), '7 7',
          'tx never falls along a timeline')
FROM pay.event e WHERE e.payment_order_id = 'o3';
ROLLBACK TO other;

-- heads and versions move together
SELECT throws_ok(sql, state, NULL, sql)
FROM (VALUES
    ('UPDATE pay.payment_order SET head = sha256(head)', 'PAY11'),
    ('UPDATE pay.payment_order SET version = version + 1', 'PAY11'),
    ('UPDATE pay.payment_order SET head = NULL', '23502'),
    ('UPDATE pay.payment_order SET head = ''x'', version = version + 1',
     '23514'),
    ('UPDATE pay.payment_order SET head_tx = head_tx - 1', 'PAY11')
    ) t (sql, state);

-- the months
SELECT is(string_agg(t.relid::regclass::text, ' ' ORDER BY t.relid::text),
          (SELECT string_agg('pay.event_' || to_char(date_trunc('month',
               now() AT TIME ZONE 'UTC') + make_interval(months => n),
               'YYYY_MM'), ' ' ORDER BY n) FROM generate_series(0, 2) n)
          || ' pay.event_default', 'this month, two more, and the rest')
FROM pg_partition_tree('pay.event') t WHERE t.isleaf;
SELECT is(pay.make_partitions(), 0, 'that is all there is to make');
SELECT is(pay.make_partitions(false), 0, 'for the sweep, too');
SELECT is((SELECT string_agg(g.tgenabled::text, '') FROM pg_trigger g
           WHERE g.tgrelid = t.relid AND NOT g.tgisinternal
               AND g.tgname = 'event_append_only'), 'A',
          'guarded always: ' || t.relid::regclass::text)
FROM pg_partition_tree('pay.event') t;

-- nobody changes anything, by whichever name
CREATE TEMPORARY TABLE attempt AS
SELECT format(s, t.name) AS sql
FROM (SELECT p.relid::regclass::text AS name
      FROM pg_partition_tree('pay.event') p
      UNION ALL VALUES ('pay.seal_leaf'), ('pay.dropped_month')) t,
    unnest('{DELETE FROM %s,DELETE FROM %s WHERE false,TRUNCATE %s}'
           ::text[]) s
UNION ALL
SELECT format('UPDATE %s SET seq = seq WHERE false', t.relid::regclass)
FROM pg_partition_tree('pay.event') t
UNION ALL VALUES ('UPDATE pay.seal_leaf SET seq = 1'),
    ('UPDATE pay.dropped_month SET why = ''x'''), ('DELETE FROM pay.seal'),
    ('TRUNCATE pay.seal'), ('DELETE FROM pay.event_anchor'),
    ('TRUNCATE pay.event_anchor');
SELECT throws_ok(sql, 'PAY20', NULL, 'a superuser: ' || sql) FROM attempt;
SELECT is(pg_temp.run_as('payments_owner', sql), 'PAY20', 'the owner: ' || sql)
FROM attempt;
SET LOCAL session_replication_role = replica;
SELECT throws_ok(sql, 'PAY20', NULL, 'as a replica: ' || sql) FROM attempt;
SET LOCAL session_replication_role = origin;
SELECT is(pg_temp.run_as(r, sql), '42501', r || ': ' || sql)
FROM attempt,
    unnest('{payments_gateway,payments_auditor,payments_operator}'::text[]) r;

-- a round of the sweep that makes a partition does nothing else
CREATE FUNCTION pg_temp.sweep(p_items int DEFAULT 1) RETURNS text
LANGUAGE sql AS $$
UPDATE pay.round SET run_at = now() WHERE name = 'sweep';
SELECT string_agg(s.outcome, ' ' ORDER BY s.item)
FROM pay_api.sweep(array_fill('w'::text, ARRAY[p_items]),
    array_fill(60000::bigint, ARRAY[p_items]),
    array_fill('{}'::jsonb, ARRAY[p_items])) s
$$;
CREATE FUNCTION pg_temp.last_month() RETURNS text LANGUAGE sql AS $$
SELECT 'pay.event_' || to_char(now() AT TIME ZONE 'UTC'
                               + interval '2 months', 'YYYY_MM')
$$;
UPDATE pay.round SET counts = '{"a": 1}' WHERE name = 'sweep';
DO $$
BEGIN
    EXECUTE 'DROP TABLE ' || pg_temp.last_month();
END
$$;
SELECT is(pg_temp.sweep(2), 'not_due not_due', 'a round without a partition');
SELECT isnt(to_regclass(pg_temp.last_month()), NULL, 'makes it');
SELECT is(r.counts, '{"a": 1}', 'and looks for no work')
FROM pay.round r WHERE r.name = 'sweep';
SELECT ok(r.run_at <= clock_timestamp(), 'the next one is due')
FROM pay.round r WHERE r.name = 'sweep';
SELECT is(pg_temp.sweep(), 'swept', 'and comes');
SELECT ok(r.counts ? 'unknown', 'with its figures')
FROM pay.round r WHERE r.name = 'sweep';

-- what finds no month is kept, and the sweep does not touch it
SELECT pg_temp.then('old1', 300, '2024-03-31 23:59:58'),
    pg_temp.then('old2', 310, '2024-03-20'),
    pg_temp.then('old3', 320, '2024-04-15')
\g /dev/null
SELECT pg_temp.fact('old2', 'paid')
\g /dev/null
SELECT is((SELECT count(*) FROM pay.event_default), 6::bigint, 'kept');
SELECT is(pay.make_partitions(false), 0, 'and left alone');
SELECT is(pay.make_partitions(), 2, 'until somebody asks for it');
SELECT is(string_agg(e.tableoid::regclass || ' ' || e.payment_order_id || ' '
                     || e.seq, ', ' ORDER BY e.tableoid, e.payment_order_id,
                     e.seq),
          'pay.event_2024_03 old1 1, pay.event_2024_03 old2 1, '
          || 'pay.event_2024_03 old2 2, pay.event_2024_04 old1 2, '
          || 'pay.event_2024_04 old3 1, pay.event_2024_04 old3 2',
          'each in its month')
FROM pay.event e WHERE e.at < '2025-01-01';
SELECT is((SELECT count(*) FROM pay.event_default), 0::bigint,
          'nothing is left');
SELECT throws_ok('DELETE FROM pay.event_2024_03', 'PAY20', NULL,
                 'it is guarded there');
SELECT throws_ok('DELETE FROM pay.event_default', 'PAY20', NULL,
                 'and still where it was');
SELECT is(pg_temp.run_as('payments_auditor',
                         'SELECT FROM pay.event_2024_03'), 'ok',
          'auditors read it');

-- look-ups go by the key, and leave out what is older than the order
CREATE FUNCTION pg_temp.scans(p_table text) RETURNS bigint LANGUAGE sql AS
'SELECT coalesce(sum(seq_scan + idx_scan), 0)::bigint
 FROM pg_stat_xact_user_tables WHERE relname = p_table';
CREATE FUNCTION pg_temp.looked(p_order text, p_table text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_before bigint := pg_temp.scans(p_table);
BEGIN
    PERFORM FROM pay_api.get_events('{m1}', ARRAY[p_order]);
    PERFORM FROM pay_api.explain_payment('{m1}', ARRAY[p_order], '{0}');
    RETURN pg_temp.scans(p_table) - v_before;
END
$$;
-- the timeline twice, whether it was pending, and its messages
SELECT is(pg_temp.looked(o, t), n::bigint, o || ' in ' || t)
FROM (VALUES ('old2', 'event_2024_03', 4), ('old3', 'event_2024_03', 0),
    ('old3', 'event_2024_04', 4), ('o1', 'event_2024_03', 0),
    ('o1', 'event_2024_04', 0)) v (o, t, n);

-- a month goes when it is old, sealed and the oldest
CREATE FUNCTION pg_temp.drop_month(
    p_month date, p_keep interval DEFAULT '1 year', p_who text DEFAULT 'me',
    p_why text DEFAULT 'retention')
RETURNS text LANGUAGE sql AS
'SELECT pay_ops.drop_month(p_month, p_keep, p_who, p_why)';
SELECT is(pg_temp.drop_month(m, k, w, y), 'invalid', concat_ws(' ', m, k, w, y))
FROM (VALUES ('2024-03-02'::date, '1 year'::interval, 'me', 'why'),
    (NULL, '1 year', 'me', 'why'), ('2024-03-01', '364 days', 'me', 'why'),
    ('2024-03-01', NULL, 'me', 'why'), ('2024-03-01', '1 year', '', 'why'),
    ('2024-03-01', '1 year', 'me', NULL)) v (m, k, w, y);
SELECT is(pg_temp.drop_month('2023-01-01'), 'not_found', 'no such month');
SELECT is(pg_temp.drop_month('2024-03-01', '90 years'), 'too_young',
          'younger than what is kept');
SELECT is(pg_temp.drop_month(date_trunc('month', now())::date), 'too_young',
          'never the present one');
SELECT is(pg_temp.drop_month('2024-04-01'), 'not_oldest', 'not from within');
SELECT is(pg_temp.drop_month('2024-03-01'), 'not_sealed', 'not unsealed');
SELECT is(pg_temp.seal(), 'due 1', 'sealed');
SELECT is(pg_temp.drop_month('2024-03-01'), 'not_sealed', 'but not signed');
SELECT pg_temp.signed(1)
\g /dev/null
SELECT is(pg_temp.run_as(r, $$SELECT pay_ops.drop_month('2024-03-01',
    '1 year', 'me', 'why')$$), '42501', r || ' may not')
FROM unnest('{payments_gateway,payments_auditor}'::text[]) r;

SAVEPOINT tangled;
SELECT pg_temp.guards(false)
\g /dev/null
UPDATE pay.event SET at = '2024-03-02'
WHERE payment_order_id = 'old3' AND seq = 2;
SELECT is(pg_temp.drop_month('2024-03-01'), 'tangled',
          'not out of the middle of a chain');
ROLLBACK TO tangled;

SELECT is(pg_temp.drop_month('2024-03-01'), 'dropped', 'it may go');
SELECT hasnt_table('pay', 'event_2024_03', 'and is gone');
SELECT is((d.events, d.max_tx, d.first_seal, d.who, d.why)::text,
          '(3,311,2,me,retention)', 'which is written down')
FROM pay.dropped_month d;
SELECT is(string_agg(a.payment_order_id || ' ' || a.seq, ', '
                     ORDER BY a.payment_order_id), 'old1 1, old2 2',
          'with where chains go on')
FROM pay.event_anchor a;
SELECT throws_ok(sql, 'PAY20', NULL, sql)
FROM (VALUES ('UPDATE pay.event_anchor SET hash = sha256(hash)'),
    ('UPDATE pay.event_anchor SET seq = 1'),
    ('UPDATE pay.event_anchor SET seq = 9, merchant_id = ''x''')) t (sql);

-- and all goes on
SELECT is(jsonb_array_length(e.events::jsonb), n, o || ' has its younger events')
FROM (VALUES ('old1', 1), ('old3', 2)) v (o, n),
    LATERAL pay_api.get_events('{m1}', ARRAY[o]) e;
SELECT is(pg_temp.fact('old1', 'paid'), 'applied', 'an old order is paid');
SELECT is(string_agg(e.seq || ' ' || e.kind, ', ' ORDER BY e.seq),
          '2 registered, 3 paid', 'its chain goes on')
FROM pay.event e WHERE e.payment_order_id = 'old1';
SELECT is(string_agg(concat_ws(' ', l.json ->> 't',
              l.json ->> 'payment_order_id', l.json ->> 'seq'), ', '
              ORDER BY l.n),
          'anchor old1 1, event old1 2, event old1 3, anchor old2 2, '
          || 'event old2 3, event old3 1, event old3 2',
          'an export begins with an anchor')
FROM (SELECT x::json, n FROM pay_view.audit_export()
          WITH ORDINALITY AS y (x, n)) l (json, n)
WHERE l.json ->> 'payment_order_id' LIKE 'old%';
SELECT is((SELECT count(*) FROM pay_view.audit_export() x
           WHERE x LIKE '{"t":"leaf"%' OR x LIKE '{"t":"seal"%'), 0::bigint,
          'and has no seal of which something is missing');

\i :checks
SELECT finish();
ROLLBACK;
