-- The pages of the console that sum up: the state of things now, a row for each
-- PSP, webhooks, money.  A tile counts the list that it links to
-- (99_console_list.sql), so that its figure is the number of rows there.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Beyond 1,000 a tile says "1,000 or more": nobody counts so many one by one,
-- and a page that is asked for every few seconds must stay cheap.
CREATE OR REPLACE FUNCTION pay.console_tile(
    p_id text, p_page text, p_scope text[], p_query jsonb)
RETURNS jsonb LANGUAGE sql STABLE AS $$
WITH i AS MATERIALIZED (
    SELECT x.item FROM console_items(p_page, p_scope, p_query, 1001, false) x
    WHERE x.item IS NOT NULL LIMIT 1001
)
SELECT jsonb_build_object('id', p_id,
    'count', least((SELECT count(*) FROM i), 1000),
    'is_capped', (SELECT count(*) FROM i) > 1000,
    'oldest_at', (SELECT min(coalesce(i.item ->> 'at', i.item ->> 'opened_at',
            i.item ->> 'first_sent_at', i.item ->> 'created_at',
            i.item ->> 'received_at', i.item ->> 'made_at',
            i.item ->> 'run_at', i.item ->> 'ended_at',
            i.item ->> 'changed_at')) FROM i),
    'amounts', (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'currency', a.currency,
            'amount', decimal_text(a.minor, a.currency))
            ORDER BY a.currency), '[]')
        FROM (SELECT i.item ->> 'currency' AS currency,
                  sum((i.item ->> 'amount_minor')::bigint)::bigint AS minor
              FROM (SELECT i.item FROM i LIMIT 1000) i
              WHERE i.item ->> 'amount_minor' IS NOT NULL
                  AND i.item ->> 'currency' IS NOT NULL
              GROUP BY 1) a),
    'link', jsonb_build_object('page', p_page, 'query', p_query))
$$;
COMMENT ON FUNCTION pay.console_tile IS
    'How many rows a list has, since when, and how much money they are about';


-- The newest 1,000 checkouts of the last day at most: `from` says since when,
-- so that the list from there on has as many.
CREATE OR REPLACE FUNCTION pay.console_statuses(p_scope text[])
RETURNS jsonb LANGUAGE sql STABLE AS $$
WITH span AS (
    SELECT date_trunc('second', now()) AS until,
        date_trunc('second', now()) - interval '1 day' AS since
), seen AS MATERIALIZED (
    SELECT c.merchant_id, c.checkout_id, c.created_at, c.psp
    FROM span, console_checkouts(p_scope, jsonb_build_object(
        'from', console_us(span.since)::text,
        'to', console_us(span.until)::text), 999) c
), told AS (
    -- of the oldest moment perhaps not all are among the thousand
    SELECT CASE WHEN (SELECT count(*) FROM seen) < 1000 THEN span.since
                ELSE (SELECT min(s.created_at) FROM seen s)
                    + interval '1 us' END AS since, span.until
    FROM span
), counted AS (
    SELECT o.status, s.psp, count(*) AS n
    FROM told
    JOIN seen s ON s.created_at >= told.since
    CROSS JOIN LATERAL (
        SELECT y.status FROM payment_order y
        WHERE y.merchant_id = s.merchant_id AND y.checkout_id = s.checkout_id
        ORDER BY y.position LIMIT 1) o
    GROUP BY o.status, s.psp
)
SELECT jsonb_build_object(
    'window', jsonb_build_object('from', iso_micros(told.since),
        'to', iso_micros(told.until),
        'is_cut', (SELECT count(*) FROM seen) >= 1000),
    'statuses', (
        SELECT jsonb_agg(jsonb_build_object('status', r.status,
            'count', coalesce((SELECT sum(c.n) FROM counted c
                               WHERE c.status = r.status), 0),
            'link', jsonb_build_object('page', 'payments',
                'query', jsonb_build_object('status', r.status,
                    'from', iso_micros(told.since),
                    'to', iso_micros(told.until)))) ORDER BY r.n)
        FROM unnest('{NOT_STARTED,EXECUTING,SUCCESS,FAILED}'::text[])
            WITH ORDINALITY AS r (status, n)),
    'by_psp', (
        SELECT coalesce(jsonb_object_agg(c.psp, c.counts), '{}')
        FROM (SELECT c.psp, jsonb_object_agg(c.status, c.n) AS counts
              FROM counted c GROUP BY c.psp) c))
FROM told
$$;
COMMENT ON FUNCTION pay.console_statuses IS
    'Newest checkouts by status and PSP, and the times between which they are';


-- Tiles of pages that the roles may not see are left out.
CREATE OR REPLACE FUNCTION pay.console_now(p_scope text[], p_roles jsonb)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_statuses jsonb := console_statuses(p_scope);
BEGIN
    RETURN jsonb_build_object('at', iso_time(now()),
        'window', v_statuses -> 'window',
        'statuses', v_statuses -> 'statuses',
        'tiles', (
            SELECT coalesce(jsonb_agg(console_tile(t.id, t.page, p_scope,
                                                   t.query) ORDER BY t.n),
                            '[]')
            FROM (VALUES
                (1, 'unknown', 'unknown', '{}'::jsonb),
                (2, 'late', 'late', '{"state":"held"}'),
                (3, 'letters', 'letters', '{"state":"open"}'),
                (4, 'mismatches', 'mismatches', '{"state":"open"}'),
                (5, 'disputes', 'disputes', '{"state":"open"}'),
                (6, 'reviews', 'risk', '{"state":"open"}'),
                (7, 'escalated', 'risk', '{"state":"escalated"}'),
                (8, 'changes', 'changes', '{}'),
                (9, 'jobs_late', 'jobs', '{"state":"late"}'),
                (10, 'inbox', 'inbox', '{}'),
                (11, 'quarantine', 'quarantine', '{}'),
                (12, 'deliveries', 'deliveries', '{"state":"failed"}'),
                (13, 'exceptions', 'exceptions', '{"state":"open"}'),
                (14, 'batches', 'batches', '{"state":"open"}'),
                (15, 'payouts_unknown', 'payouts', '{"state":"unknown"}'),
                (16, 'payouts_returned', 'payouts', '{"state":"returned"}')
                ) AS t (n, id, page, query)
            WHERE console_may(t.page, p_roles)),
        'psps', console_psps_of(p_scope, v_statuses -> 'by_psp'));
END
$$;
COMMENT ON FUNCTION pay.console_now IS
    'Work for operators, money at risk, and a row for each PSP';


CREATE OR REPLACE FUNCTION pay.console_psps_of(
    p_scope text[], p_counts jsonb)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT coalesce(jsonb_agg(jsonb_build_object('psp', p.name,
    'statuses', jsonb_build_object(
        'NOT_STARTED', coalesce(p_counts -> p.name -> 'NOT_STARTED', '0'),
        'EXECUTING', coalesce(p_counts -> p.name -> 'EXECUTING', '0'),
        'SUCCESS', coalesce(p_counts -> p.name -> 'SUCCESS', '0'),
        'FAILED', coalesce(p_counts -> p.name -> 'FAILED', '0')),
    'unknown', (SELECT count(*) FROM console_items('unknown', p_scope,
                    jsonb_build_object('psp', p.name), 1000, false)),
    'parked', (SELECT count(*) FROM console_items('inbox', p_scope,
                   jsonb_build_object('psp', p.name), 1000, false)),
    'backfill_until', (SELECT iso_time(b.seen_until) FROM backfill b
                       WHERE b.psp = p.name),
    'backfill_code', (SELECT b.code FROM backfill b WHERE b.psp = p.name))
    ORDER BY p.name), '[]')
FROM (SELECT a.name FROM all_psps() a (name)
      -- of those of one merchant alone: that it has used lately
      WHERE p_scope IS NULL OR p_counts ? a.name) p
$$;
COMMENT ON FUNCTION pay.console_psps_of IS
    'A row for each PSP: its newest checkouts, and open calls and webhooks';


CREATE OR REPLACE FUNCTION pay.console_psps(p_scope text[])
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT console_psps_of(p_scope, console_statuses(p_scope) -> 'by_psp')
$$;
COMMENT ON FUNCTION pay.console_psps IS 'A row for each PSP';


CREATE OR REPLACE FUNCTION pay.console_webhooks(p_scope text[])
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object(
    'inbox', console_tile('inbox', 'inbox', p_scope, '{}'),
    'quarantine', CASE WHEN p_scope IS NULL
        THEN console_tile('quarantine', 'quarantine', p_scope, '{}') END,
    'failed', console_tile('failed', 'deliveries', p_scope,
                           '{"state":"failed"}'),
    'due', console_tile('due', 'deliveries', p_scope, '{"state":"due"}'),
    'endpoints', (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'merchant_id', e.merchant_id, 'endpoint_id', e.endpoint_id,
            'url', split_part(e.url, '?', 1), 'state', e.state,
            'reason', e.reason, 'failures', e.failures,
            'failing_since', iso_time(e.failing_since),
            'paused_until', iso_time(e.paused_until))
            ORDER BY e.failures DESC, e.merchant_id, e.endpoint_id), '[]')
        FROM (SELECT x.* FROM webhook_endpoint x
              WHERE console_sees(p_scope, x.merchant_id)
              ORDER BY x.failures DESC, x.merchant_id, x.endpoint_id
              LIMIT 100) e))
$$;
COMMENT ON FUNCTION pay.console_webhooks IS
    'Webhooks of PSPs and messages to storefronts, in short';


-- No page adds up the journal: the ages are those that the hourly look at
-- settlement has kept, and balances those that PSPs have stated.
CREATE OR REPLACE FUNCTION pay.console_money(p_scope text[])
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object(
    'ageing', (
        SELECT coalesce(jsonb_agg(jsonb_build_object('merchant_id', m.id)
            || a.line::jsonb ORDER BY m.id, a.n), '[]')
        FROM all_merchants() m (id)
        CROSS JOIN LATERAL json_array_elements(
            ageing_of(m.id, NULL, NULL) -> 'ageing')
            WITH ORDINALITY AS a (line, n)
        WHERE console_sees(p_scope, m.id)),
    'balances', (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'merchant_id', s.merchant_id, 'source', s.source, 'psp', s.psp,
            'currency', b.currency, 'looked_at', iso_time(b.looked_at),
            'available', decimal_text(b.available_minor, b.currency),
            'pending', decimal_text(b.pending_minor, b.currency),
            'ledger', decimal_text(b.our_minor, b.currency),
            'difference', decimal_text(b.difference_minor, b.currency),
            'verdict', b.verdict) ORDER BY s.source, b.currency), '[]')
        FROM settlement_source s
        CROSS JOIN currency k
        CROSS JOIN LATERAL (
            SELECT x.* FROM psp_balance x
            WHERE x.source = s.source AND x.currency = k.code
            ORDER BY x.balance_id DESC LIMIT 1) b
        WHERE console_sees(p_scope, s.merchant_id)),
    'suspense', console_tile('suspense', 'exceptions', p_scope,
                             '{"state":"open"}'),
    'checks', console_checks(p_scope),
    'books', (
        SELECT jsonb_build_object('run_at', iso_time(r.run_at))
        FROM round r WHERE r.name = 'books'))
$$;
COMMENT ON FUNCTION pay.console_money IS
    'Money on its way by age, the balances that PSPs state, exceptions';


CREATE OR REPLACE FUNCTION pay.console_settings(p_query jsonb)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object(
    'settings', (p_query ->> 'settings')::jsonb,
    'database', jsonb_build_object(
        'migration', (SELECT max(m.file) FROM schema_migration m
                      WHERE m.file LIKE 'migrations/%'),
        'migrated_at', (SELECT iso_time(max(m.applied_at))
                        FROM schema_migration m),
        'server_version', current_setting('server_version'),
        'is_standby', pg_is_in_recovery()))
$$;
COMMENT ON FUNCTION pay.console_settings IS
    'The configuration of the gateway, without secrets, and of the database';
