-- The pages of the console's plots, from roll-ups (98_rollup.sql):
-- no page reads the payments that it counts.  A bucket is half-open, and its
-- payments are the rows of the list "payments" with the same times and filters.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.numeric_text(p_minor numeric, p_currency text)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT round(p_minor / 10::numeric ^ c.exponent, c.exponent)::text
FROM currency c WHERE c.code = p_currency
$$;
COMMENT ON FUNCTION pay.numeric_text IS
    'A sum of amounts in the currency''s own decimals';


CREATE OR REPLACE FUNCTION pay.share_of(p_part numeric, p_rest numeric)
RETURNS numeric LANGUAGE sql IMMUTABLE AS
'SELECT round(p_part / nullif(p_part + p_rest, 0), 4)';
COMMENT ON FUNCTION pay.share_of IS
    'A part of the whole; NULL: there is nothing, which is no rate of 0';


CREATE OR REPLACE FUNCTION pay.total_of(p_counts jsonb)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_total bigint := 0;
    v_count text;
BEGIN
    FOR v_count IN SELECT e.value FROM jsonb_each_text(p_counts) e LOOP
        v_total := v_total + v_count::bigint;
    END LOOP;

    RETURN v_total;
END
$$;
COMMENT ON FUNCTION pay.total_of IS 'The sum of counts by key';


-- As Prometheus estimates it: linear within the class.  The last class has no
-- end, so that its beginning is the answer.  A loop, since a page has hundreds.
CREATE OR REPLACE FUNCTION pay.quantile_of(p_counts jsonb, p_share numeric)
RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_edges bigint[] := '{0}'::bigint[] || rollup_edges();
    v_rest  numeric := p_share * total_of(p_counts);
    v_count bigint;
BEGIN
    FOR v_class IN 0 .. cardinality(v_edges) - 1 LOOP
        v_count := p_counts ->> v_class::text;

        IF v_count >= v_rest AND v_count > 0 THEN
            RETURN round(v_edges[v_class + 1] + v_rest / v_count
                * coalesce(v_edges[v_class + 2] - v_edges[v_class + 1], 0));
        END IF;

        v_rest := v_rest - coalesce(v_count, 0);
    END LOOP;

    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pay.quantile_of IS
    'A quantile of a histogram in milliseconds; NULL: it is empty';


-- PostgreSQL knows more words, such as the zones of POSIX, which nobody means.
CREATE OR REPLACE FUNCTION pay.is_zone(p_zone text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM now() AT TIME ZONE p_zone;
    RETURN p_zone ~ '^(UTC|[A-Z][A-Za-z_]+(/[A-Za-z0-9_+-]+){1,2})$';
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN false;
END
$$;
COMMENT ON FUNCTION pay.is_zone IS 'Whether it is the name of a time zone';


CREATE OR REPLACE FUNCTION pay.step_of(
    p_step text, p_zone text, p_at timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE AS
'SELECT date_trunc(p_step, p_at, p_zone)';
COMMENT ON FUNCTION pay.step_of IS
    'The beginning of the minute, hour or day of a zone that a moment is in';


-- A day of a zone has 23, 24 or 25 hours, and may begin at one o'clock.
CREATE OR REPLACE FUNCTION pay.next_step(
    p_step text, p_zone text, p_at timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
SELECT CASE p_step
    WHEN 'day' THEN (date_trunc('day', p_at AT TIME ZONE p_zone)
                     + interval '1 day') AT TIME ZONE p_zone
    WHEN 'hour' THEN p_at + interval '1 hour'
    ELSE p_at + interval '1 minute' END
$$;
COMMENT ON FUNCTION pay.next_step IS 'The end of the step that begins then';


-- The beginnings of all steps, and behind them the end of the last one; at most
-- 401 steps, of which a page refuses the last.
CREATE OR REPLACE FUNCTION pay.steps_between(
    p_step text, p_zone text, p_from timestamptz, p_to timestamptz)
RETURNS timestamptz[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_at    timestamptz := step_of(p_step, p_zone, p_from);
    v_steps timestamptz[] := ARRAY[v_at];
BEGIN
    WHILE v_at < p_to AND cardinality(v_steps) < 402 LOOP
        v_at := next_step(p_step, p_zone, v_at);
        v_steps := v_steps || v_at;
    END LOOP;

    RETURN v_steps;
END
$$;
COMMENT ON FUNCTION pay.steps_between IS
    'The steps that a span of time touches, and the end of the last one';


-- Days of a zone begin at a whole hour of UTC, or at a quarter of one.
CREATE OR REPLACE FUNCTION pay.level_for(p_step text, p_steps timestamptz[])
RETURNS text LANGUAGE sql STABLE AS $$
SELECT CASE
    WHEN p_step = 'minute' THEN 'minute'
    WHEN p_step = 'day' AND bool_and(s.at = bucket_of('1 day', s.at))
        THEN 'day'
    WHEN bool_and(s.at = bucket_of('1 hour', s.at)) THEN 'hour'
    ELSE 'quarter' END
FROM unnest(p_steps) AS s (at)
$$;
COMMENT ON FUNCTION pay.level_for IS
    'The widest buckets that add up to these steps';


-- The parameters of a plot, made whole: the times are those of steps.
CREATE OR REPLACE FUNCTION pay.plot_query(p_query jsonb)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_zone  text := coalesce(p_query ->> 'zone', 'UTC');
    v_step  text := coalesce(p_query ->> 'step', 'hour');
    v_to    timestamptz := coalesce(console_time(p_query, 'to'), now());
    v_from  timestamptz := coalesce(console_time(p_query, 'from'),
                                    v_to - interval '1 day');
    v_steps timestamptz[];
    v_level text;
BEGIN
    IF v_step NOT IN ('minute', 'hour', 'day') THEN
        RETURN '{"invalid":"step must be minute, hour or day"}';
    ELSIF NOT is_zone(v_zone) THEN
        RETURN '{"invalid":"zone must be UTC or a name such as Europe/Paris"}';
    ELSIF v_from >= v_to OR v_from < '2000-01-01T00:00:00Z'
        OR v_to > '2200-01-01T00:00:00Z'
    THEN
        RETURN '{"invalid":"from must be before to, both after 1999"}';
    END IF;

    v_steps := steps_between(v_step, v_zone, v_from, v_to);
    v_level := level_for(v_step, v_steps);

    IF cardinality(v_steps) > 401 THEN
        RETURN '{"invalid":"a plot has 400 points at most: choose a wider '
            'step or a shorter time"}';
    ELSIF v_steps[1] < rollup_horizon(v_level) THEN
        RETURN jsonb_build_object('invalid', format(
            'roll-ups of this step and zone reach back to %s: choose a wider '
            'step, or days of UTC', iso_time(rollup_horizon(v_level))));
    END IF;

    RETURN jsonb_build_object('zone', v_zone, 'step', v_step,
        'level', v_level, 'steps', to_jsonb(v_steps),
        'filter', (SELECT coalesce(jsonb_object_agg(q.key, q.value), '{}')
                   FROM jsonb_each(p_query) q
                   WHERE q.key IN ('merchant', 'psp', 'method', 'currency')));
END
$$;
COMMENT ON FUNCTION pay.plot_query IS
    'The steps, the level and the filter of a plot';


-- The roll-ups of these merchants, added up by step: a bucket is a step here.
CREATE OR REPLACE FUNCTION pay.plot_rows(
    p_scope text[], p_level text, p_steps timestamptz[], p_filter jsonb)
RETURNS SETOF rollup LANGUAGE sql STABLE AS $$
SELECT p_level, 'all', p_steps[width_bucket(r.bucket, p_steps)], r.psp,
    r.method, r.currency, sum(r.success)::bigint, sum(r.failed)::bigint,
    sum(r.expired)::bigint, sum(r.not_started)::bigint,
    sum(r.executing)::bigint, sum(r.captured_minor),
    sum(r.not_started_minor), sum(r.executing_minor),
    sum(r.approved)::bigint, sum(r.declined)::bigint,
    sum_counts(array_agg(r.declines)), sum_counts(array_agg(r.registered)),
    sum_counts(array_agg(r.called))
FROM (SELECT a.id FROM all_merchants() a (id)
      WHERE console_sees(p_scope, a.id)) m
CROSS JOIN LATERAL (
    SELECT x.* FROM rollup x
    WHERE x.level = p_level AND x.merchant_id = m.id
        AND x.bucket >= p_steps[1]
        AND x.bucket < p_steps[cardinality(p_steps)]
        AND console_has(p_filter, 'psp', x.psp)
        AND console_has(p_filter, 'method', x.method)
        AND console_has(p_filter, 'currency', x.currency)
    OFFSET 0) r
GROUP BY width_bucket(r.bucket, p_steps), r.psp, r.method, r.currency
$$;
COMMENT ON FUNCTION pay.plot_rows IS 'The roll-ups that a plot is made of';


-- The list that a figure counts.
CREATE OR REPLACE FUNCTION pay.plot_link(
    p_filter jsonb, p_from timestamptz, p_to timestamptz, p_more jsonb)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object('page', 'payments', 'query',
    p_filter || jsonb_strip_nulls(p_more) || jsonb_strip_nulls(
        jsonb_build_object('from', iso_micros(p_from),
                           'to', iso_micros(p_to))))
$$;
COMMENT ON FUNCTION pay.plot_link IS
    'The list of the payments that a figure counts';


CREATE OR REPLACE FUNCTION pay.plot_quantiles(p_counts jsonb)
RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF p_counts IS NULL OR p_counts = '{}' THEN
        RETURN '{"count": 0, "p50_ms": null, "p95_ms": null, "p99_ms": null}';
    END IF;

    RETURN jsonb_build_object('count', total_of(p_counts),
        'p50_ms', quantile_of(p_counts, 0.5),
        'p95_ms', quantile_of(p_counts, 0.95),
        'p99_ms', quantile_of(p_counts, 0.99));
END
$$;
COMMENT ON FUNCTION pay.plot_quantiles IS 'Quantiles of a histogram';


CREATE OR REPLACE FUNCTION pay.plot_states(
    p_rows rollup[], p_steps timestamptz[])
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_agg(jsonb_build_object('at', second_time(s.at),
    'success', coalesce(c.success, 0), 'failed', coalesce(c.failed, 0),
    'expired', coalesce(c.expired, 0),
    'not_started', coalesce(c.not_started, 0),
    'executing', coalesce(c.executing, 0),
    'success_rate', share_of(c.success, c.failed),
    'finished_rate', share_of(c.success, c.failed + c.expired),
    'approved', coalesce(c.approved, 0), 'declined', coalesce(c.declined, 0),
    'registered', plot_quantiles(c.registered),
    'called', plot_quantiles(c.called)) ORDER BY s.at)
FROM unnest(trim_array(p_steps, 1)) AS s (at)
LEFT JOIN (
    SELECT r.bucket, sum(r.success) AS success, sum(r.failed) AS failed,
        sum(r.expired) AS expired, sum(r.not_started) AS not_started,
        sum(r.executing) AS executing, sum(r.approved) AS approved,
        sum(r.declined) AS declined,
        sum_counts(array_agg(r.registered)) AS registered,
        sum_counts(array_agg(r.called)) AS called
    FROM unnest(p_rows) r
    GROUP BY r.bucket) c ON c.bucket = s.at
$$;
COMMENT ON FUNCTION pay.plot_states IS
    'The payments of each step by outcome, and the times of calls';


CREATE OR REPLACE FUNCTION pay.plot_histogram(p_counts jsonb)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_agg(jsonb_build_object(
    'from_ms', coalesce((rollup_edges())[c.class], 0),
    'to_ms', (rollup_edges())[c.class + 1],
    'count', coalesce((p_counts ->> c.class::text)::bigint, 0))
    ORDER BY c.class)
FROM generate_series(0, cardinality(rollup_edges())) AS c (class)
$$;
COMMENT ON FUNCTION pay.plot_histogram IS 'The classes of a histogram';


CREATE OR REPLACE FUNCTION pay.plot_tile(
    p_id text, p_count numeric, p_filter jsonb, p_from timestamptz,
    p_to timestamptz, p_more jsonb)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object('id', p_id, 'count', coalesce(p_count, 0),
    'link', plot_link(p_filter, p_from, p_to, p_more))
$$;
COMMENT ON FUNCTION pay.plot_tile IS 'A count, and the list of its rows';


-- Counts of all steps together.
CREATE OR REPLACE FUNCTION pay.plot_totals(
    p_rows rollup[], p_filter jsonb, p_from timestamptz, p_to timestamptz)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object(
    'success_rate', share_of(sum(r.success), sum(r.failed)),
    'finished_rate', share_of(sum(r.success), sum(r.failed + r.expired)),
    'outcomes', jsonb_build_array(
        plot_tile('success', sum(r.success), p_filter, p_from, p_to,
                  '{"outcome":"success"}'),
        plot_tile('failed', sum(r.failed), p_filter, p_from, p_to,
                  '{"outcome":"failed"}'),
        plot_tile('expired', sum(r.expired), p_filter, p_from, p_to,
                  '{"outcome":"expired"}'),
        plot_tile('not_started', sum(r.not_started), p_filter, p_from, p_to,
                  '{"status":"NOT_STARTED"}'),
        plot_tile('executing', sum(r.executing), p_filter, p_from, p_to,
                  '{"status":"EXECUTING"}')),
    'registered', plot_quantiles(sum_counts(array_agg(r.registered)))
        || jsonb_build_object('histogram', plot_histogram(
               sum_counts(array_agg(r.registered)))),
    'called', plot_quantiles(sum_counts(array_agg(r.called)))
        || jsonb_build_object('histogram', plot_histogram(
               sum_counts(array_agg(r.called)))))
FROM unnest(p_rows) r
$$;
COMMENT ON FUNCTION pay.plot_totals IS
    'The figures of a plot''s whole time, each with its list';


-- The busiest first.  The method - is none: the storefront has named no method.
CREATE OR REPLACE FUNCTION pay.plot_rates(
    p_rows rollup[], p_filter jsonb, p_from timestamptz, p_to timestamptz)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT coalesce(jsonb_agg(jsonb_build_object('psp', g.psp,
    'method', g.method, 'currency', g.currency,
    'approved', g.approved, 'declined', g.declined,
    'rate', share_of(g.approved, g.declined),
    'link', plot_link(p_filter, p_from, p_to, jsonb_build_object(
        'psp', g.psp, 'method', g.method, 'currency', g.currency)))
    ORDER BY g.approved + g.declined DESC, g.psp, g.method, g.currency), '[]')
FROM (SELECT r.psp, r.method, r.currency, sum(r.approved) AS approved,
          sum(r.declined) AS declined
      FROM unnest(p_rows) r
      GROUP BY r.psp, r.method, r.currency
      HAVING sum(r.approved + r.declined) > 0
      ORDER BY sum(r.approved + r.declined) DESC, r.psp, r.method, r.currency
      LIMIT 100) g
$$;
COMMENT ON FUNCTION pay.plot_rates IS
    'Attempts to pay by PSP, method and currency: approved and declined';


-- A line for each of the eight busiest.
CREATE OR REPLACE FUNCTION pay.plot_psps(
    p_rows rollup[], p_steps timestamptz[])
RETURNS jsonb LANGUAGE sql STABLE AS $$
WITH c AS (
    SELECT r.psp, r.bucket, sum(r.approved) AS approved,
        sum(r.declined) AS declined
    FROM unnest(p_rows) r
    GROUP BY r.psp, r.bucket
), p AS (
    SELECT c.psp FROM c GROUP BY c.psp
    ORDER BY sum(c.approved + c.declined) DESC, c.psp LIMIT 8
)
SELECT coalesce(jsonb_agg(jsonb_build_object('psp', p.psp, 'rates', (
    SELECT jsonb_agg(share_of(c.approved, c.declined) ORDER BY s.at)
    FROM unnest(trim_array(p_steps, 1)) AS s (at)
    LEFT JOIN c ON c.bucket = s.at AND c.psp = p.psp)) ORDER BY p.psp), '[]')
FROM p
$$;
COMMENT ON FUNCTION pay.plot_psps IS
    'The share of approved attempts of each PSP in each step';


-- Never added up over currencies.
CREATE OR REPLACE FUNCTION pay.plot_volume(
    p_rows rollup[], p_steps timestamptz[], p_filter jsonb,
    p_from timestamptz, p_to timestamptz)
RETURNS jsonb LANGUAGE sql STABLE AS $$
WITH c AS (
    SELECT r.currency, r.bucket, sum(r.captured_minor) AS minor,
        sum(r.success) AS success
    FROM unnest(p_rows) r
    WHERE r.success > 0
    GROUP BY r.currency, r.bucket
)
SELECT coalesce(jsonb_agg(jsonb_build_object('currency', t.currency,
    'amount', numeric_text(t.minor, t.currency), 'count', t.success,
    'link', plot_link(p_filter, p_from, p_to, jsonb_build_object(
        'currency', t.currency, 'outcome', 'success')),
    'amounts', (
        SELECT jsonb_agg(round(coalesce(c.minor, 0) / 10::numeric ^ k.exponent,
                               k.exponent)::text ORDER BY s.at)
        FROM unnest(trim_array(p_steps, 1)) AS s (at)
        LEFT JOIN c ON c.bucket = s.at AND c.currency = t.currency))
    ORDER BY t.success DESC, t.currency), '[]')
FROM (SELECT c.currency, sum(c.minor) AS minor, sum(c.success) AS success
      FROM c GROUP BY c.currency) t
JOIN currency k ON k.code = t.currency
$$;
COMMENT ON FUNCTION pay.plot_volume IS
    'The amounts of payments that have succeeded, by currency and step';


CREATE OR REPLACE FUNCTION pay.plot_declines(
    p_rows rollup[], p_filter jsonb, p_from timestamptz, p_to timestamptz)
RETURNS jsonb LANGUAGE sql STABLE AS $$
WITH c AS (
    SELECT e.key AS code, e.value::bigint AS n,
        row_number() OVER (ORDER BY e.value::bigint DESC, e.key) AS place
    FROM (SELECT sum_counts(array_agg(r.declines)) AS counts
          FROM unnest(p_rows) r) d
    CROSS JOIN LATERAL jsonb_each_text(d.counts) e
)
SELECT jsonb_build_object(
    'codes', (
        SELECT coalesce(jsonb_agg(jsonb_build_object('code', c.code,
            'count', c.n, 'link', plot_link(p_filter, p_from, p_to,
                jsonb_build_object('code', c.code))) ORDER BY c.place), '[]')
        FROM c WHERE c.place <= 10),
    'other', (SELECT coalesce(sum(c.n), 0) FROM c WHERE c.place > 10))
$$;
COMMENT ON FUNCTION pay.plot_declines IS
    'Payments by the code of their last declined attempt: ten, and others';


CREATE OR REPLACE FUNCTION pay.console_plots(p_scope text[], p_query jsonb)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_plot   jsonb := plot_query(p_query);
    v_filter jsonb := v_plot -> 'filter';
    v_steps  timestamptz[];
    v_rows   rollup[];
    v_from   timestamptz;
    v_to     timestamptz;
BEGIN
    IF v_plot ? 'invalid' THEN
        RETURN v_plot;
    END IF;

    v_steps := ARRAY(SELECT e::timestamptz
                     FROM jsonb_array_elements_text(v_plot -> 'steps') e);
    v_from := v_steps[1];
    v_to := v_steps[cardinality(v_steps)];
    v_rows := ARRAY(SELECT p FROM plot_rows(p_scope, v_plot ->> 'level',
                                            v_steps, v_filter) p);

    RETURN jsonb_build_object('from', second_time(v_from),
        'to', second_time(v_to), 'step', v_plot ->> 'step',
        'zone', v_plot ->> 'zone',
        'filter', v_filter, 'counted_at', rollup_counted_at(),
        'young_from', iso_time(now() - interval '15 minutes'),
        'steps', plot_states(v_rows, v_steps),
        'totals', plot_totals(v_rows, v_filter, v_from, v_to),
        'rates', plot_rates(v_rows, v_filter, v_from, v_to),
        'psps', plot_psps(v_rows, v_steps),
        'volume', plot_volume(v_rows, v_steps, v_filter, v_from, v_to),
        'declines', plot_declines(v_rows, v_filter, v_from, v_to));
END
$$;
COMMENT ON FUNCTION pay.console_plots IS
    'Payments by the time of their creation: outcomes, rates, volume, times, '
    'declines';


CREATE OR REPLACE FUNCTION pay.rollup_counted_at()
RETURNS text LANGUAGE sql STABLE AS $$
SELECT iso_time(to_timestamp((round_counts('rollup') ->> 'counted_at')::bigint))
$$;
COMMENT ON FUNCTION pay.rollup_counted_at IS
    'All changes before it are in roll-ups';
