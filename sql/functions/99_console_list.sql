-- The lists of the console: each returns items, newest or most urgent first,
-- with the place of each, from which the next page begins.  The tiles of the
-- page "now" count these very rows, so that a tile and its list cannot differ.
-- Each begins at an index that holds open rows alone, or walks one by its order.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The newest place that a page of checkouts may have: the end of the times that
-- are asked for, or the cursor.  Constants when it is planned.
CREATE OR REPLACE FUNCTION pay.console_until(p_query jsonb)
RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
SELECT least(coalesce(console_time(p_query, 'to'), 'infinity'),
             console_cursor_time(p_query))
$$;
COMMENT ON FUNCTION pay.console_until IS
    'No checkout of a page was created later';


-- No checkout has an empty id, so that all created at the end are behind it.
CREATE OR REPLACE FUNCTION pay.console_until_id(p_query jsonb)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN coalesce(console_time(p_query, 'to'), 'infinity')
                <= console_cursor_time(p_query) THEN ''
            ELSE coalesce(nullif(console_cursor_text(p_query, 2), ''), '~')
       END
$$;
COMMENT ON FUNCTION pay.console_until_id IS
    'No checkout of a page that was created at this time has a greater id';


-- The newest checkouts of these merchants, at most p_window + 1.
CREATE OR REPLACE FUNCTION pay.console_checkouts(
    p_scope text[], p_query jsonb, p_window int)
RETURNS SETOF checkout LANGUAGE sql STABLE AS $$
SELECT c.*
FROM (SELECT m.id FROM all_merchants() m (id)
      WHERE console_sees(p_scope, m.id)) m
CROSS JOIN LATERAL (
    SELECT x.* FROM checkout x
    WHERE x.merchant_id = m.id
        AND x.total_minor > 0                   -- checkout_created's own
        AND x.created_at >= coalesce(console_time(p_query, 'from'),
                                     '-infinity')
        -- One bound, at which the walk begins, and the exact one as a filter:
        -- of two bounds the walk might begin at the later one and read all
        -- that is newer than the times that are asked for.
        AND (x.created_at, x.checkout_id)
            <= (console_until(p_query), console_until_id(p_query))
        AND ((x.created_at, x.checkout_id::text, x.merchant_id::text)
             < (console_cursor_time(p_query), console_cursor_text(p_query, 2),
                console_cursor_text(p_query, 3))) IS TRUE
    ORDER BY x.created_at DESC, x.checkout_id DESC LIMIT p_window + 1) c
ORDER BY c.created_at DESC, c.checkout_id DESC, c.merchant_id DESC
LIMIT p_window + 1
$$;
COMMENT ON FUNCTION pay.console_checkouts IS
    'The newest checkouts of these merchants, from a time or a place on';


-- With a filter that no index has, a page looks at 2,000 checkouts at most: it
-- may be short, even empty, while there are more.
CREATE OR REPLACE FUNCTION pay.console_payments(
    p_scope text[], p_query jsonb, p_most int)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_window int := CASE WHEN p_query ?| '{psp,status,outcome,method,
        code,currency,min,max}'
                         THEN 2000 ELSE p_most END;
BEGIN
    RETURN QUERY
    WITH seen AS MATERIALIZED (
        SELECT c.*, row_number() OVER () AS n
        FROM console_checkouts(p_scope, p_query, v_window) c
    ), fit AS (
        SELECT s.*, o.status, o.reason, o.payment_order_id,
            approved_attempts(o) AS approved,
            declined_attempts(o) AS declined, decline_code(o) AS decline_code
        FROM seen s
        CROSS JOIN LATERAL (
            SELECT y.* FROM payment_order y
            WHERE y.merchant_id = s.merchant_id
                AND y.checkout_id = s.checkout_id
            ORDER BY y.position LIMIT 1) o
        WHERE s.n <= v_window
            AND console_has(p_query, 'psp', s.psp)
            AND console_has(p_query, 'currency', s.currency)
            AND console_has(p_query, 'status', o.status)
            AND (NOT p_query ? 'outcome' OR p_query ->> 'outcome'
                 = outcome_of(o.status, o.reason))
            AND (NOT p_query ? 'method' OR p_query ->> 'method'
                 = coalesce(s.payment_method, '-'))
            AND (NOT p_query ? 'code' OR p_query ->> 'code'
                 = decline_code(o))
            AND (NOT p_query ? 'min' OR s.total_minor
                 >= console_minor(p_query ->> 'min', s.currency))
            AND (NOT p_query ? 'max' OR s.total_minor
                 <= console_minor(p_query ->> 'max', s.currency))
        ORDER BY s.n LIMIT p_most
    )
    SELECT console_us(f.created_at) || ':' || f.checkout_id || ':'
            || f.merchant_id,
        jsonb_build_object('merchant_id', f.merchant_id,
            'checkout_id', f.checkout_id,
            'payment_order_id', f.payment_order_id,
            'created_at', iso_time(f.created_at),
            'expires_at', iso_time(f.expires_at), 'psp', f.psp,
            'status', f.status, 'reason', f.reason,
            'amount', decimal_text(f.total_minor, f.currency),
            'currency', f.currency, 'payment_method', f.payment_method,
            'attempts_approved', f.approved, 'attempts_declined', f.declined,
            'decline_code', f.decline_code,
            'orders', (SELECT count(*) FROM payment_order y
                       WHERE y.merchant_id = f.merchant_id
                           AND y.checkout_id = f.checkout_id))
    FROM fit f
    UNION ALL
    -- where the look ended
    SELECT console_us(s.created_at) || ':' || s.checkout_id || ':'
        || s.merchant_id, NULL
    FROM seen s
    WHERE s.n = v_window AND v_window > p_most
        AND (SELECT count(*) FROM seen) > v_window;
END
$$;
COMMENT ON FUNCTION pay.console_payments IS 'Checkouts, newest first';


-- NULL where the currency has fewer decimals: then nothing fits.
CREATE OR REPLACE FUNCTION pay.console_minor(p_amount text, p_currency text)
RETURNS numeric LANGUAGE sql STABLE AS $$
SELECT CASE WHEN trunc(v.minor) = v.minor THEN v.minor END
FROM (SELECT p_amount::numeric * 10::numeric ^ c.exponent AS minor
      FROM currency c WHERE c.code = p_currency) v
$$;
COMMENT ON FUNCTION pay.console_minor IS
    'An amount in the smallest unit of its currency';


CREATE OR REPLACE FUNCTION pay.console_letters(
    p_scope text[], p_query jsonb, p_most int)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT d.dead_letter_id::text,
        jsonb_build_object('dead_letter_id', d.dead_letter_id,
            'state', d.state, 'kind', d.kind, 'reason', d.reason,
            'code', d.code, 'attempts', d.attempts,
            'merchant_id', d.merchant_id, 'checkout_id', d.checkout_id,
            'psp', coalesce(d.psp, c.psp), 'at', iso_time(d.at),
            'closed_at', iso_time(d.closed_at), 'closed_by', d.closed_by,
            'closed_why', d.closed_why,
            'amount', decimal_text(c.total_minor, c.currency),
            'amount_minor', c.total_minor, 'currency', c.currency)
    FROM (SELECT x.* FROM dead_letter x
          WHERE x.dead_letter_id < console_cursor_number(p_query)
              AND (p_query ->> 'state' IS DISTINCT FROM 'open'
                   OR x.state = 'open')
              AND console_has(p_query, 'state', x.state)
              AND console_has(p_query, 'kind', x.kind)
              AND console_has(p_query, 'psp', x.psp)
              AND console_sees(p_scope, x.merchant_id)
          ORDER BY x.dead_letter_id DESC LIMIT p_most) d
    LEFT JOIN LATERAL (
        SELECT x.* FROM checkout x
        WHERE x.merchant_id = d.merchant_id
            AND x.checkout_id = d.checkout_id
        OFFSET 0) c ON true
    ORDER BY d.dead_letter_id DESC;
END
$$;
COMMENT ON FUNCTION pay.console_letters IS 'Dead letters, newest first';


CREATE OR REPLACE FUNCTION pay.console_mismatch(
    p_row mismatch, p_end mismatch_settlement, p_tokens boolean)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object('mismatch_id', p_row.mismatch_id,
    'kind', p_row.kind, 'source', p_row.source, 'at', iso_time(p_row.at),
    'merchant_id', p_row.merchant_id, 'checkout_id', p_row.checkout_id,
    'psp', p_row.psp, 'token', console_token(p_row.token, p_tokens),
    'psp_amount', decimal_text(p_row.amount_minor, p_row.currency),
    'psp_currency', p_row.currency, 'wrong', p_row.why,
    'amount', decimal_text(p_row.total_minor, p_row.own_currency),
    'amount_minor', p_row.total_minor, 'currency', p_row.own_currency,
    'state', CASE WHEN p_end.at IS NULL THEN 'open' ELSE 'settled' END,
    'settled_at', iso_time(p_end.at), 'settled_by', p_end.who,
    'settled_why', p_end.why)
$$;
COMMENT ON FUNCTION pay.console_mismatch IS
    'A contradiction as the console shows it, and how it was settled';


CREATE OR REPLACE FUNCTION pay.console_fits(
    p_row mismatch, p_scope text[], p_query jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT console_has(p_query, 'kind', p_row.kind)
    AND console_has(p_query, 'psp', p_row.psp)
    AND console_sees(p_scope, p_row.merchant_id)
$$;
COMMENT ON FUNCTION pay.console_fits IS
    'Whether a contradiction is one of those that are asked for';


-- Open ones begin at the list of them, however many were settled.
CREATE OR REPLACE FUNCTION pay.console_mismatches(
    p_scope text[], p_query jsonb, p_most int, p_tokens boolean)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_query ->> 'state' = 'open' THEN
        RETURN QUERY
        SELECT r.mismatch_id::text, console_mismatch(r.m, NULL, p_tokens)
        FROM (SELECT o.mismatch_id, x.m
              FROM mismatch_open o
              CROSS JOIN LATERAL (
                  SELECT m FROM mismatch m
                  WHERE m.mismatch_id = o.mismatch_id OFFSET 0) x
              WHERE o.mismatch_id < console_cursor_number(p_query)
                  AND console_fits(x.m, p_scope, p_query)
              ORDER BY o.mismatch_id DESC LIMIT p_most) r
        ORDER BY r.mismatch_id DESC;
        RETURN;
    END IF;

    RETURN QUERY
    SELECT (r.m).mismatch_id::text, console_mismatch(r.m, r.s, p_tokens)
    FROM (SELECT m, x.s
          FROM mismatch m
          LEFT JOIN LATERAL (
              SELECT s FROM mismatch_settlement s
              WHERE s.merchant_id = m.merchant_id
                  AND s.checkout_id = m.checkout_id
                  AND s.mismatch_id = m.mismatch_id OFFSET 0) x ON true
          WHERE m.mismatch_id < console_cursor_number(p_query)
              AND (p_query ->> 'state' IS DISTINCT FROM 'settled'
                   OR (x.s).mismatch_id IS NOT NULL)
              AND console_fits(m, p_scope, p_query)
          ORDER BY m.mismatch_id DESC LIMIT p_most) r
    ORDER BY (r.m).mismatch_id DESC;
END
$$;
COMMENT ON FUNCTION pay.console_mismatches IS
    'Contradictions between a PSP and the gateway, newest first';


CREATE OR REPLACE FUNCTION pay.console_late(
    p_scope text[], p_query jsonb, p_most int)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT console_us(l.at) || ':' || l.checkout_id || ':' || l.merchant_id,
        jsonb_build_object('merchant_id', l.merchant_id,
            'checkout_id', l.checkout_id, 'at', iso_time(l.at),
            'state', l.state, 'psp', l.psp, 'source', l.source,
            'amount', decimal_text(l.amount_minor, l.currency),
            'amount_minor', l.amount_minor, 'currency', l.currency)
    FROM late_success l
    WHERE l.state IN ('held', 'refunding')
        AND console_has(p_query, 'state', l.state)
        AND console_has(p_query, 'psp', l.psp)
        AND (l.at, l.checkout_id::text, l.merchant_id::text)
            < (console_cursor_time(p_query), console_cursor_text(p_query, 2),
               console_cursor_text(p_query, 3))
        AND console_sees(p_scope, l.merchant_id)
    ORDER BY l.at DESC, l.checkout_id DESC, l.merchant_id DESC
    LIMIT p_most;
END
$$;
COMMENT ON FUNCTION pay.console_late IS
    'Payments that came too late and wait for a decision or for their refund';


CREATE OR REPLACE FUNCTION pay.console_unknown(
    p_scope text[], p_query jsonb, p_most int)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT console_us(d.first_sent_at) || ':' || d.operation_id || ':'
            || d.merchant_id,
        jsonb_build_object('merchant_id', d.merchant_id,
            'checkout_id', d.checkout_id, 'kind', d.operation,
            'operation_id', d.operation_id, 'attempt', d.attempt,
            'psp', d.psp, 'first_sent_at', iso_time(d.first_sent_at),
            'sent_at', iso_time(d.sent_at), 'sends', d.sends,
            'reach', d.reach, 'http_status', d.http_status, 'code', d.code,
            'key_until', iso_time(d.key_until),
            'amount', decimal_text(c.total_minor, c.currency),
            'amount_minor', c.total_minor, 'currency', c.currency)
    FROM (SELECT x.* FROM dispatch x
          WHERE x.state = 'UNKNOWN' AND NOT x.settled
              AND console_has(p_query, 'kind', x.operation)
              AND console_has(p_query, 'psp', x.psp)
              AND (x.first_sent_at, x.operation_id::text,
                   x.merchant_id::text)
                  < (console_cursor_time(p_query),
                     console_cursor_text(p_query, 2),
                     console_cursor_text(p_query, 3))
              AND console_sees(p_scope, x.merchant_id)
          ORDER BY x.first_sent_at DESC, x.operation_id DESC,
              x.merchant_id DESC
          LIMIT p_most) d
    CROSS JOIN LATERAL (
        SELECT x.* FROM checkout x
        WHERE x.merchant_id = d.merchant_id
            AND x.checkout_id = d.checkout_id
        OFFSET 0) c
    ORDER BY d.first_sent_at DESC, d.operation_id DESC, d.merchant_id DESC;
END
$$;
COMMENT ON FUNCTION pay.console_unknown IS
    'Calls to PSPs of which nobody knows whether they had an effect';


CREATE OR REPLACE FUNCTION pay.console_changes(
    p_scope text[], p_query jsonb, p_most int, p_tokens boolean)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT console_us(c.created_at) || ':' || c.change_id,
        jsonb_build_object('merchant_id', c.merchant_id,
            'checkout_id', c.checkout_id,
            'payment_order_id', c.payment_order_id,
            'change_id', c.change_id, 'kind', c.kind, 'origin', c.origin,
            'psp', c.psp, 'status', c.status, 'reason', c.reason,
            'code', c.code, 'reference', console_token(c.reference, p_tokens),
            'created_at', iso_time(c.created_at),
            'changed_at', iso_time(c.changed_at),
            'amount', decimal_text(c.amount_minor, c.currency),
            'amount_minor', c.amount_minor, 'currency', c.currency)
    FROM change c
    WHERE status_rank(c.status) < 2             -- change_open's own
        AND console_has(p_query, 'kind', c.kind)
        AND console_has(p_query, 'psp', c.psp)
        AND (c.created_at, c.change_id::text)
            < (console_cursor_time(p_query), console_cursor_text(p_query, 2))
        AND console_sees(p_scope, c.merchant_id)
    ORDER BY c.created_at DESC, c.change_id DESC LIMIT p_most;
END
$$;
COMMENT ON FUNCTION pay.console_changes IS
    'Captures, cancellations and refunds under way, newest first';


CREATE OR REPLACE FUNCTION pay.console_disputes(
    p_scope text[], p_query jsonb, p_most int)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_query ->> 'state' = 'open' THEN
        RETURN QUERY
        SELECT * FROM console_open_disputes(p_scope, p_query, p_most);
        RETURN;
    END IF;

    RETURN QUERY
    SELECT console_us(d.opened_at) || ':' || d.dispute_id || ':' || d.part,
        console_dispute(d)
    FROM dispute d
    WHERE d.state <> 'moved'
        AND console_has(p_query, 'state', d.state)
        AND console_has(p_query, 'psp', d.psp)
        AND (d.opened_at, d.dispute_id::text, d.part::text)
            < (console_cursor_time(p_query), console_cursor_text(p_query, 2),
               console_cursor_text(p_query, 3))
        AND console_sees(p_scope, d.merchant_id)
    ORDER BY d.opened_at DESC, d.dispute_id DESC, d.part::text DESC
    LIMIT p_most;
END
$$;
COMMENT ON FUNCTION pay.console_disputes IS
    'Disputes of buyers, newest first; open ones by the deadline for '
    'evidence';


CREATE OR REPLACE FUNCTION pay.console_jobs(
    p_scope text[], p_query jsonb, p_most int)
RETURNS TABLE (place text, item jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT concat_ws(':', console_us(j.run_at), j.checkout_id, j.merchant_id,
                     j.kind, j.operation_id),
        jsonb_build_object('merchant_id', j.merchant_id,
            'checkout_id', j.checkout_id, 'kind', j.kind,
            'operation_id', j.operation_id, 'run_at', iso_time(j.run_at),
            'attempts', j.attempts, 'code', j.code,
            'lease_until', iso_time(j.lease_until), 'state', j.state)
    FROM (SELECT DISTINCT job_rank(k) AS rank
          FROM unnest('{register,poll,refund,change}'::text[]) k
          WHERE k = coalesce(p_query ->> 'kind', k)) r
    CROSS JOIN LATERAL (
        SELECT x.*, s.state FROM job x
        CROSS JOIN LATERAL console_job_state(x) s (state)
        WHERE job_rank(x.kind) = r.rank         -- job_rank_run_at's own
            AND console_has(p_query, 'kind', x.kind)
            AND console_has(p_query, 'state', s.state)
            -- so that no plan walks the jobs of the future
            AND x.run_at <= CASE WHEN p_query ->> 'state' IN ('late', 'due')
                                 THEN now() ELSE 'infinity' END
            AND (NOT p_query ? 'before'
                 OR (x.run_at, x.checkout_id::text, x.merchant_id::text,
                     x.kind::text, x.operation_id)
                    > (console_cursor_time(p_query),
                       console_cursor_text(p_query, 2),
                       console_cursor_text(p_query, 3),
                       console_cursor_text(p_query, 4),
                       console_cursor_text(p_query, 5)))
            AND console_sees(p_scope, x.merchant_id)
        ORDER BY x.run_at, x.checkout_id::text, x.merchant_id::text,
            x.kind::text, x.operation_id
        LIMIT p_most) j
    ORDER BY j.run_at, j.checkout_id::text, j.merchant_id::text,
        j.kind::text, j.operation_id
    LIMIT p_most;
END
$$;
COMMENT ON FUNCTION pay.console_jobs IS
    'Background work, that which has waited longest first';


CREATE OR REPLACE FUNCTION pay.console_job_state(p_job job)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT CASE WHEN p_job.lease_until > now() THEN 'running'
            WHEN p_job.run_at < now() - interval '1 minute' THEN 'late'
            WHEN p_job.run_at <= now() THEN 'due'
            ELSE 'planned' END
$$;
COMMENT ON FUNCTION pay.console_job_state IS
    'running, late (by more than a minute), due or planned';
