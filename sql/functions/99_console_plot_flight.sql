-- The pages of the console about money on its way: open payments by age, PSP and
-- state, from roll-ups (98_rollup.sql), and the waterfall of a
-- settlement file, with the rows that make it.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Each age is read from buckets that begin and end where it does.
CREATE OR REPLACE FUNCTION pay.flight_ages()
RETURNS TABLE (n int, age text, level text, since timestamptz,
    until timestamptz)
LANGUAGE sql STABLE AS $$
WITH t AS (
    SELECT bucket_of('1 minute', now()) + interval '1 minute' AS soon,
        bucket_of('1 minute', now() - interval '15 minutes') AS quarter,
        bucket_of('1 minute', now() - interval '1 hour') AS hour,
        bucket_of('1 hour', now() - interval '1 day') AS day,
        bucket_of('1 day', now() - interval '7 days') AS week
)
SELECT v.* FROM t, LATERAL (VALUES
    (1, 'under_15m', 'minute', t.quarter, t.soon),
    (2, 'under_1h', 'minute', t.hour, t.quarter),
    (3, 'under_1d', 'minute', t.day, t.hour),
    (4, 'under_7d', 'hour', t.week, t.day),
    (5, 'older', 'day', NULL, t.week)) AS v (n, age, level, since, until)
$$;
COMMENT ON FUNCTION pay.flight_ages IS
    'The ages of open payments, and the times of creation of each';


CREATE OR REPLACE FUNCTION pay.console_flight(p_scope text[], p_query jsonb)
RETURNS jsonb LANGUAGE sql STABLE AS $$
WITH found AS (
    SELECT a.n, a.age, a.since, a.until, r.psp, r.currency, s.state,
        sum(s.count) AS count, sum(s.minor) AS minor
    FROM flight_ages() a
    CROSS JOIN LATERAL (
        SELECT m.id FROM all_merchants() m (id)
        WHERE console_sees(p_scope, m.id)) m
    CROSS JOIN LATERAL (
        SELECT x.* FROM rollup x
        WHERE x.level = a.level AND x.merchant_id = m.id
            AND (x.not_started > 0 OR x.executing > 0)  -- rollup_open's own
            AND x.bucket >= coalesce(a.since, '-infinity')
            AND x.bucket < a.until
            AND console_has(p_query, 'psp', x.psp)
            AND console_has(p_query, 'currency', x.currency)
        OFFSET 0) r
    CROSS JOIN LATERAL (VALUES
        ('NOT_STARTED', r.not_started, r.not_started_minor),
        ('EXECUTING', r.executing, r.executing_minor)) AS s (state, count,
                                                             minor)
    WHERE s.count > 0
    GROUP BY a.n, a.age, a.since, a.until, r.psp, r.currency, s.state
)
SELECT jsonb_build_object('counted_at', rollup_counted_at(),
    'items', coalesce(jsonb_agg(jsonb_build_object('age', f.age,
        'psp', f.psp, 'state', f.state, 'currency', f.currency,
        'count', f.count, 'amount', numeric_text(f.minor, f.currency),
        'link', plot_link(p_query - 'zone', f.since, f.until,
            jsonb_build_object('psp', f.psp, 'currency', f.currency,
                               'status', f.state)))
        ORDER BY f.n DESC, f.psp, f.state, f.currency), '[]'))
FROM found f
$$;
COMMENT ON FUNCTION pay.console_flight IS
    'Payments that are open, by age, PSP, state and currency';


-- The part of a waterfall that a row belongs to.
CREATE OR REPLACE FUNCTION pay.waterfall_part(p_kind text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN p_kind IN ('sale', 'sale_returned') THEN 'gross'
    WHEN p_kind IN ('fee', 'tax') THEN 'fees'
    WHEN p_kind IN ('refund', 'refund_returned') THEN 'refunds'
    WHEN p_kind IN ('dispute', 'dispute_returned') THEN 'disputes'
    WHEN p_kind IN ('payout', 'payout_returned', 'receipt', 'debit')
        THEN 'paid'
    ELSE 'other' END
$$;
COMMENT ON FUNCTION pay.waterfall_part IS
    'gross, fees, refunds, disputes, other or paid';


CREATE OR REPLACE FUNCTION pay.is_charged(p_row settlement_row)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT waterfall_part(p_row.kind) = 'fees'
    OR waterfall_part(p_row.kind) <> 'paid'
        AND (p_row.fee_minor <> 0 OR p_row.tax_minor <> 0)
$$;
COMMENT ON FUNCTION pay.is_charged IS
    'Whether a row of a settlement file is a fee, or has one';


-- Rows that count in the balance of the file's account, of the merchants that
-- are seen: an account may have payments of several.
CREATE OR REPLACE FUNCTION pay.waterfall_rows(p_scope text[], p_file_id bigint)
RETURNS SETOF settlement_row LANGUAGE sql STABLE AS $$
SELECT r.* FROM settlement_row r
WHERE r.file_id = p_file_id AND NOT r.is_external AND NOT r.is_detail
    AND console_sees(p_scope, r.merchant_id)
$$;
COMMENT ON FUNCTION pay.waterfall_rows IS
    'The rows of a settlement file that its sums are of';


-- A sale's own fee stands in its row, and is one of the fees here.
CREATE OR REPLACE FUNCTION pay.waterfall_of(p_scope text[], p_file_id bigint)
RETURNS jsonb LANGUAGE sql STABLE AS $$
WITH c AS (
    SELECT r.currency, waterfall_part(r.kind) AS part, count(*) AS rows,
        count(*) FILTER (WHERE is_charged(r)) AS charged,
        sum(r.gross_minor) AS gross, sum(r.fee_minor + r.tax_minor) AS fees,
        sum(r.net_minor) AS net
    FROM waterfall_rows(p_scope, p_file_id) r
    GROUP BY r.currency, waterfall_part(r.kind)
)
SELECT coalesce(jsonb_agg(jsonb_build_object('currency', t.currency,
    'steps', (
        SELECT jsonb_agg(jsonb_build_object('part', s.part,
            'amount', numeric_text(s.minor, t.currency),
            'rows', s.rows,
            'link', jsonb_build_object('page', 'lines',
                'query', jsonb_build_object('file', p_file_id::text,
                    'currency', t.currency, 'kind', s.kind))) ORDER BY s.n)
        FROM (VALUES
            (1, 'gross', 'gross', t.gross, t.gross_rows),
            (2, 'fees', 'charged', t.fees, t.fee_rows),
            (3, 'refunds', 'refunds', t.refunds, t.refund_rows),
            (4, 'disputes', 'disputes', t.disputes, t.dispute_rows),
            (5, 'other', 'other', t.others, t.other_rows),
            (6, 'net', 'net', t.net, t.net_rows),
            (7, 'paid', 'paid', t.paid, t.paid_rows))
            AS s (n, part, kind, minor, rows)))
    ORDER BY t.currency), '[]')
FROM (SELECT c.currency,
          coalesce(sum(c.gross) FILTER (WHERE c.part = 'gross'), 0) AS gross,
          coalesce(sum(c.fees) FILTER (WHERE c.part <> 'paid'), 0)
              + coalesce(sum(c.gross) FILTER (WHERE c.part = 'fees'), 0)
              AS fees,
          coalesce(sum(c.gross) FILTER (WHERE c.part = 'refunds'), 0)
              AS refunds,
          coalesce(sum(c.gross) FILTER (WHERE c.part = 'disputes'), 0)
              AS disputes,
          coalesce(sum(c.gross) FILTER (WHERE c.part = 'other'), 0) AS others,
          coalesce(sum(c.net) FILTER (WHERE c.part <> 'paid'), 0) AS net,
          coalesce(sum(c.net) FILTER (WHERE c.part = 'paid'), 0) AS paid,
          coalesce(sum(c.rows) FILTER (WHERE c.part = 'gross'), 0)
              AS gross_rows,
          sum(c.charged) AS fee_rows,
          coalesce(sum(c.rows) FILTER (WHERE c.part = 'refunds'), 0)
              AS refund_rows,
          coalesce(sum(c.rows) FILTER (WHERE c.part = 'disputes'), 0)
              AS dispute_rows,
          coalesce(sum(c.rows) FILTER (WHERE c.part = 'other'), 0)
              AS other_rows,
          coalesce(sum(c.rows) FILTER (WHERE c.part <> 'paid'), 0)
              AS net_rows,
          coalesce(sum(c.rows) FILTER (WHERE c.part = 'paid'), 0)
              AS paid_rows
      FROM c GROUP BY c.currency) t
$$;
COMMENT ON FUNCTION pay.waterfall_of IS
    'Gross, fees, refunds, disputes, other, net and pay-outs of a file, by '
    'currency';


-- Without a number the newest of the last thousand that is booked.
CREATE OR REPLACE FUNCTION pay.waterfall_file(p_scope text[], p_file text)
RETURNS bigint LANGUAGE sql STABLE AS $$
SELECT f.file_id
FROM (SELECT x.file_id, x.source, x.state FROM settlement_file x
      WHERE p_file IS NULL OR x.file_id = p_file::bigint
      ORDER BY x.file_id DESC LIMIT 1000) f
JOIN settlement_source s ON s.source = f.source
WHERE (f.state = 'booked' OR p_file IS NOT NULL)
    AND console_sees(p_scope, s.merchant_id)
ORDER BY f.file_id DESC LIMIT 1
$$;
COMMENT ON FUNCTION pay.waterfall_file IS
    'The number of the settlement file that is asked for';


CREATE OR REPLACE FUNCTION pay.console_waterfall(
    p_scope text[], p_query jsonb)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_file bigint := waterfall_file(p_scope, p_query ->> 'file');
BEGIN
    IF v_file IS NULL THEN
        RETURN CASE WHEN NOT p_query ? 'file'
                    THEN '{"file": null, "currencies": []}'::jsonb END;
    END IF;

    RETURN (
        SELECT jsonb_build_object('file', jsonb_build_object(
                'file_id', f.file_id, 'name', f.name, 'source', f.source,
                'psp', s.psp, 'merchant_id', s.merchant_id,
                'state', f.state, 'received_at', iso_time(f.received_at)),
            'currencies', waterfall_of(p_scope, f.file_id))
        FROM settlement_file f
        JOIN settlement_source s ON s.source = f.source
        WHERE f.file_id = v_file);
END
$$;
COMMENT ON FUNCTION pay.console_waterfall IS
    'How the gross of a settlement file becomes its net';


-- kind: a part of the waterfall; charged, the rows with a fee; net, all but
-- pay-outs.
CREATE OR REPLACE FUNCTION pay.console_lines(
    p_scope text[], p_query jsonb, p_most int, p_tokens boolean)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT r.row_id::text,
        jsonb_build_object('row_id', r.row_id, 'line', r.line,
            'kind', r.kind, 'part', waterfall_part(r.kind),
            'merchant_id', r.merchant_id, 'checkout_id', r.checkout_id,
            'occurred_at', iso_time(r.occurred_at),
            'booked_on', r.booked_on, 'class', r.class,
            'finding', r.finding,
            'reference', console_token(r.psp_ref, p_tokens),
            'payout', console_token(r.payout_ref, p_tokens),
            'gross', decimal_text(r.gross_minor, r.currency),
            'fee', decimal_text(r.fee_minor + r.tax_minor, r.currency),
            'net', decimal_text(r.net_minor, r.currency),
            'currency', r.currency)
    FROM (SELECT x.* FROM settlement_file f
          JOIN settlement_source s ON s.source = f.source
          CROSS JOIN LATERAL (
              SELECT y.* FROM settlement_row y
              WHERE y.file_id = f.file_id
                  AND y.row_id < console_cursor_number(p_query)
                  AND console_sees(p_scope, y.merchant_id)
                  AND NOT y.is_external AND NOT y.is_detail
                  AND console_has(p_query, 'currency', y.currency)
                  AND CASE p_query ->> 'kind'
                      WHEN 'charged' THEN is_charged(y)
                      WHEN 'net' THEN waterfall_part(y.kind) <> 'paid'
                      ELSE waterfall_part(y.kind) = coalesce(
                          p_query ->> 'kind', waterfall_part(y.kind)) END
              ORDER BY y.row_id DESC LIMIT p_most) x
          WHERE f.file_id = (p_query ->> 'file')::bigint
              AND console_sees(p_scope, s.merchant_id)) r
    ORDER BY r.row_id DESC;
END
$$;
COMMENT ON FUNCTION pay.console_lines IS
    'The rows of a settlement file, newest first';
