-- Risk: the findings of lists, windows and providers about new checkouts.  An
-- attempt is counted first and judged by the sum that it is part of, in rows that
-- stay locked: of any number at once no more than the limit get through.
-- Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.this_hour()
RETURNS timestamptz LANGUAGE sql STABLE AS
'SELECT date_trunc(''hour'', now(), ''UTC'')';
COMMENT ON FUNCTION pay.this_hour IS 'The hour in which the transaction began';


CREATE OR REPLACE FUNCTION pay.add_amounts(p_a jsonb, p_b jsonb)
RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN p_b = '{}' THEN p_a WHEN p_a = '{}' THEN p_b ELSE (
    SELECT jsonb_object_agg(s.key, s.minor)
    FROM (SELECT u.key, sum(u.value::numeric) AS minor
          FROM (SELECT * FROM jsonb_each_text(p_a)
                UNION ALL SELECT * FROM jsonb_each_text(p_b)) u
          GROUP BY u.key) s) END
$$;
COMMENT ON FUNCTION pay.add_amounts IS 'Sums of amounts, currency by currency';


-- Not rounded: parts of a sum make the sum.
CREATE OR REPLACE FUNCTION pay.amount_in(
    p_minor numeric, p_from text, p_to text)
RETURNS numeric LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_from = p_to THEN
        RETURN p_minor;
    END IF;

    RETURN p_minor * median_rate(p_from, p_to, NULL)
        * concat('1e', (SELECT k.exponent FROM currency k
                        WHERE k.code = p_to)
                     - (SELECT k.exponent FROM currency k
                        WHERE k.code = p_from))::numeric;
END
$$;
COMMENT ON FUNCTION pay.amount_in IS
    'Minor units in those of another currency by the rates of now; NULL: there '
    'is no rate';


-- One row for each key and hour, locked in key order.  An amount is only
-- counted for a window of amounts.
CREATE OR REPLACE FUNCTION pay.count_attempts(
    p_items int[], p_merchant_id text[], p_currency text[],
    p_total_minor bigint[], p_rows risk_rows)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_count int;
BEGIN
    INSERT INTO risk_counter AS c (merchant_id, kind, value, hour, attempts,
        declines, amounts)
    SELECT k.merchant_id, k.kind, k.value, this_hour(), sum(k.attempts), 0,
        coalesce(jsonb_object_agg(k.currency, k.minor)
                 FILTER (WHERE k.minor IS NOT NULL), '{}')
    FROM (
        SELECT p_merchant_id[x.n] COLLATE "C" AS merchant_id, x.kind, x.value,
            p_currency[x.n] AS currency, count(*) AS attempts,
            sum(p_total_minor[x.n]) FILTER (WHERE x.has_amount) AS minor
        FROM (
            SELECT w.n, w.key COLLATE "C" AS kind,
                w.hash COLLATE "C" AS value,
                bool_or(w.measure = 'amount') AS has_amount
            FROM unnest(p_rows.window_item, p_rows.window_key,
                        p_rows.window_hash, p_rows.window_measure)
                AS w (n, key, hash, measure)
            WHERE w.n = ANY (p_items)
            GROUP BY 1, 2, 3) x
        GROUP BY 1, 2, 3, 4) k
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (merchant_id, kind, value, hour) DO UPDATE
    SET attempts = c.attempts + EXCLUDED.attempts,
        amounts = add_amounts(c.amounts, EXCLUDED.amounts);
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.count_attempts IS
    'Counts items of begin_payment with each key of their windows; how many '
    'keys';


-- The findings of lists and windows about items.
CREATE OR REPLACE FUNCTION pay.no_findings()
RETURNS risk_findings LANGUAGE sql IMMUTABLE AS
'SELECT ROW(''{}'', ''{}'', ''{}'', ''{}'', ''{}'')::risk_findings';
COMMENT ON FUNCTION pay.no_findings IS 'No lists and no windows';


CREATE OR REPLACE FUNCTION pay.join_findings(
    INOUT p_a risk_findings, p_b risk_findings)
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    p_a.items := p_a.items || p_b.items;
    p_a.bys := p_a.bys || p_b.bys;
    p_a.words := p_a.words || p_b.words;
    p_a.shadows := p_a.shadows || p_b.shadows;
    p_a.hits := p_a.hits || p_b.hits;
END
$$;
COMMENT ON FUNCTION pay.join_findings IS 'Those of both';


-- A window of h hours has the hour that has begun and the h whole ones before
-- it, so that it never misses a part of its time.  The rows of this hour are
-- locked.  All of a batch is counted before it is judged, so that these are more
-- than those that are beyond their limits, and nearly always none.  An amount in
-- another currency is left to sum_findings().
CREATE OR REPLACE FUNCTION pay.near_windows(
    p_items int[], p_merchant_id text[], p_rows risk_rows)
RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT w.place
        FROM unnest(p_rows.window_item, p_rows.window_key,
            p_rows.window_hash, p_rows.window_hours, p_rows.window_measure,
            p_rows.window_threshold, p_rows.window_currency) WITH ORDINALITY
            AS w (n, key, hash, hours, measure, threshold, currency, place)
        CROSS JOIN LATERAL (
            SELECT sum(CASE w.measure WHEN 'attempts' THEN c.attempts
                    WHEN 'declines' THEN c.declines
                    ELSE (c.amounts ->> w.currency)::numeric END) AS seen,
                bool_or(c.amounts - w.currency <> '{}') AS is_mixed
            FROM risk_counter c
            WHERE c.merchant_id = p_merchant_id[w.n] AND c.kind = w.key
                AND c.value = w.hash
                AND c.hour >= this_hour()
                    - make_interval(hours => w.hours::int)
            OFFSET 0) c
        WHERE w.n = ANY (p_items) AND (w.threshold < c.seen
            OR w.measure = 'amount' AND c.is_mixed));
END
$$;
COMMENT ON FUNCTION pay.near_windows IS
    'Places of windows of items of begin_payment that may be beyond their '
    'limits';


-- The near windows that are beyond.  later: the attempts of items behind this one
-- that come with the same key: an item must not suffer from those behind it.
CREATE OR REPLACE FUNCTION pay.count_findings(
    p_items int[], p_merchant_id text[], p_rows risk_rows, p_near bigint[])
RETURNS risk_findings LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_found risk_findings;
BEGIN
    SELECT coalesce(array_agg(w.n), '{}'),
        coalesce(array_agg('window'::text), '{}'),
        coalesce(array_agg(w.word), '{}'),
        coalesce(array_agg(w.shadow = 1), '{}'),
        coalesce(array_agg(jsonb_build_object('by', 'window', 'name', w.name,
            'then', w.word, 'shadow', w.shadow = 1)), '{}')
    INTO v_found
    FROM (
        SELECT u.*, count(*) OVER (
            PARTITION BY p_merchant_id[u.n], u.key, u.hash, u.name ORDER BY u.n
            RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS later
        FROM unnest(p_rows.window_item, p_rows.window_name, p_rows.window_key,
            p_rows.window_hash, p_rows.window_hours, p_rows.window_measure,
            p_rows.window_threshold, p_rows.window_word, p_rows.window_shadow)
            WITH ORDINALITY AS u (n, name, key, hash, hours, measure,
                threshold, word, shadow, place)
        WHERE u.n = ANY (p_items) AND u.measure <> 'amount') w
    CROSS JOIN LATERAL (
        SELECT sum(CASE w.measure WHEN 'attempts' THEN c.attempts
                                  ELSE c.declines END) AS seen
        FROM risk_counter c
        WHERE c.merchant_id = p_merchant_id[w.n] AND c.kind = w.key
            AND c.value = w.hash
            AND c.hour >= this_hour() - make_interval(hours => w.hours::int)
        OFFSET 0) c
    WHERE w.place = ANY (p_near) AND w.threshold < CASE w.measure
        WHEN 'attempts' THEN c.seen - w.later ELSE c.seen END;

    RETURN v_found;
END
$$;
COMMENT ON FUNCTION pay.count_findings IS
    'Windows of attempts and declines of items of begin_payment that are '
    'beyond their limits';


-- The same of amounts.  An amount that no rate converts makes the sum unknown.
-- That is a hit, but for it alone nobody is blocked: review is the most.
CREATE OR REPLACE FUNCTION pay.sum_findings(
    p_items int[], p_merchant_id text[], p_currency text[],
    p_total_minor bigint[], p_rows risk_rows, p_near bigint[])
RETURNS risk_findings LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_found risk_findings;
BEGIN
    SELECT coalesce(array_agg(w.n), '{}'),
        coalesce(array_agg('window'::text), '{}'),
        coalesce(array_agg(f.word), '{}'),
        coalesce(array_agg(w.shadow = 1), '{}'),
        coalesce(array_agg(jsonb_strip_nulls(jsonb_build_object(
            'by', 'window', 'name', w.name, 'then', f.word,
            'shadow', w.shadow = 1,
            'unknown', nullif(s.is_unknown, false)))), '{}')
    INTO v_found
    FROM (
        SELECT u.*, coalesce(sum(CASE WHEN p_currency[u.n] = u.currency
                THEN p_total_minor[u.n] ELSE amount_in(p_total_minor[u.n],
                    p_currency[u.n], u.currency) END) OVER (
            PARTITION BY p_merchant_id[u.n], u.key, u.hash, u.name ORDER BY u.n
            RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), 0) AS later
        FROM unnest(p_rows.window_item, p_rows.window_name, p_rows.window_key,
            p_rows.window_hash, p_rows.window_hours, p_rows.window_measure,
            p_rows.window_threshold, p_rows.window_currency,
            p_rows.window_word, p_rows.window_shadow) WITH ORDINALITY
            AS u (n, name, key, hash, hours, measure, threshold, currency,
                  word, shadow, place)
        WHERE u.n = ANY (p_items) AND u.measure = 'amount') w
    CROSS JOIN LATERAL (
        SELECT sum(m.minor) AS seen, bool_or(m.minor IS NULL) AS is_unknown
        FROM (
            SELECT CASE WHEN a.key = w.currency THEN sum(a.value::numeric)
                ELSE amount_in(sum(a.value::numeric), a.key, w.currency)
                END AS minor
            FROM risk_counter c
            CROSS JOIN LATERAL jsonb_each_text(c.amounts) a
            WHERE c.merchant_id = p_merchant_id[w.n] AND c.kind = w.key
                AND c.value = w.hash
                AND c.hour >= this_hour()
                    - make_interval(hours => w.hours::int)
            GROUP BY a.key) m
        OFFSET 0) s
    CROSS JOIN LATERAL (
        SELECT CASE WHEN s.is_unknown AND w.word = 'block' THEN 'review'
                    ELSE w.word END AS word) f
    WHERE w.place = ANY (p_near)
        AND (s.is_unknown OR w.threshold < s.seen - w.later);

    RETURN v_found;
END
$$;
COMMENT ON FUNCTION pay.sum_findings IS
    'Windows of amounts of items of begin_payment that are beyond their limits';


-- The entries that are about keys of items.  A hit names its kind, not the value.
-- Most batches have no value that anybody lists: each different one is looked up
-- once, and only a key with a listed value is asked for by merchant.
CREATE OR REPLACE FUNCTION pay.list_findings(
    p_items int[], p_merchant_id text[], p_rows risk_rows)
RETURNS risk_findings LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_listed text[] := ARRAY(
        SELECT u.value
        FROM (SELECT DISTINCT value COLLATE "C" AS value
              FROM unnest(p_rows.key_value) value) u
        CROSS JOIN LATERAL (
            SELECT FROM risk_list e WHERE e.value::text || '' = u.value
            LIMIT 1) e);
    v_found  risk_findings;
BEGIN
    IF v_listed = '{}' THEN
        RETURN no_findings();
    END IF;

    SELECT coalesce(array_agg(k.n), '{}'),
        coalesce(array_agg('list'::text), '{}'),
        coalesce(array_agg(l.effect::text), '{}'),
        coalesce(array_agg(false), '{}'),
        coalesce(array_agg(jsonb_build_object('by', 'list', 'name', l.kind,
            'then', l.effect, 'shadow', false, 'entry', l.list_id)), '{}')
    INTO v_found
    FROM unnest(p_rows.key_item, p_rows.key_kind, p_rows.key_value)
        AS k (n, kind, value)
    CROSS JOIN LATERAL (
        SELECT e.effect, e.kind, e.list_id FROM risk_list e
        WHERE e.value = k.value AND e.kind = k.kind
            AND e.merchant_id IN (p_merchant_id[k.n], '*')
            AND (e.until IS NULL OR e.until > now())
        OFFSET 0) l
    WHERE k.n = ANY (p_items) AND k.value = ANY (v_listed);

    RETURN v_found;
END
$$;
COMMENT ON FUNCTION pay.list_findings IS
    'Entries of lists about keys of items of begin_payment';


-- The words of providers that were asked about items.  One that allows is a hit
-- like any other and ends nothing.
CREATE OR REPLACE FUNCTION pay.provider_findings(p_items int[], p_risk jsonb[])
RETURNS risk_findings LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_found risk_findings;
BEGIN
    SELECT coalesce(array_agg(w.n), '{}'),
        coalesce(array_agg('provider'::text), '{}'),
        coalesce(array_agg(w.word ->> 'then'), '{}'),
        coalesce(array_agg(w.word -> 'shadow' = 'true'), '{}'),
        coalesce(array_agg(w.word || '{"by": "provider"}'), '{}')
    INTO v_found
    FROM (SELECT n, p_risk[n] -> 'provider' AS word FROM unnest(p_items) n) w
    WHERE w.word IS NOT NULL;

    RETURN v_found;
END
$$;
COMMENT ON FUNCTION pay.provider_findings IS
    'Words of external providers about items of begin_payment';
