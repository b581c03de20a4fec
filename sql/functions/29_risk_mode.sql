-- Card testing: a merchant whose share of declines is too large gets a mode, in
-- which each new checkout has a word.  A round of the sweep begins and ends it.
-- Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- {"share": 50, "min": 20, "window_s": 600, "for_s": 900, "word": "challenge",
-- "shadow": false}
CREATE OR REPLACE FUNCTION pay.mode_terms_ok(p_terms jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(has_members(p_terms, '{share,min,window_s,for_s,word,shadow}')
    AND p_terms ->> 'share' ~ '^[0-9]{1,3}$'
    AND (p_terms ->> 'share')::int BETWEEN 1 AND 100
    AND p_terms ->> 'min' ~ '^[0-9]{1,6}$'
    AND p_terms ->> 'window_s' ~ '^[0-9]{1,4}$'
    AND (p_terms ->> 'window_s')::int BETWEEN 60 AND 3600
    AND p_terms ->> 'for_s' ~ '^[0-9]{1,5}$'
    AND p_terms ->> 'word' IN ('challenge', 'review', 'block')
    AND p_terms ->> 'shadow' IN ('true', 'false'), false)
$$;
COMMENT ON FUNCTION pay.mode_terms_ok IS
    'Whether sweep can take these terms of card testing';


-- Attempts that PSPs spoke of, and checkouts without such a word that have
-- ended.  A checkout that is still open says nothing yet.
CREATE OR REPLACE FUNCTION pay.decline_shares(
    p_since timestamptz, p_until timestamptz)
RETURNS TABLE (merchant_id text, tries bigint, declines bigint)
LANGUAGE plpgsql STABLE SET search_path = pay, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT x.merchant_id::text, count(*), count(*) FILTER (WHERE x.is_declined)
    FROM (
        SELECT c.merchant_id, c.is_declined FROM risk_card c
        WHERE c.card IS NOT NULL AND c.at > p_since AND c.at <= p_until
            AND c.merchant_id IS NOT NULL
        UNION ALL
        SELECT d.merchant_id, d.declined_at IS NOT NULL
        FROM risk_decision d
        CROSS JOIN LATERAL (
            SELECT o.status, o.reason FROM payment_order o
            WHERE o.merchant_id = d.merchant_id
                AND o.checkout_id = d.checkout_id AND o.position = 1
            OFFSET 0) o
        WHERE d.keys IS NOT NULL AND d.at > p_since AND d.at <= p_until
            AND (d.declined_at IS NOT NULL OR o.status = 'SUCCESS')
            AND NOT EXISTS (
                SELECT FROM risk_card c
                WHERE c.merchant_id = d.merchant_id
                    AND c.checkout_id = d.checkout_id
                    AND c.card IS NOT NULL)) x
    GROUP BY 1;
END
$$;
COMMENT ON FUNCTION pay.decline_shares IS
    'Attempts to pay of a time that have ended, and the declined ones of '
    'them, merchant by merchant';


-- One hour in each round, so that a round stays short, and a day late, when
-- pages have ended.
CREATE OR REPLACE FUNCTION pay.count_usual()
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_hour timestamptz := (
        SELECT greatest(p.hour, this_hour() - interval '28 days')
        FROM risk_usual_place p);
BEGIN
    IF v_hour > this_hour() - interval '25 hours' THEN
        RETURN;
    END IF;

    INSERT INTO risk_usual AS u (merchant_id, day, tries, declines)
    SELECT s.merchant_id, (v_hour AT TIME ZONE 'UTC')::date, s.tries,
        s.declines
    FROM decline_shares(v_hour, v_hour + interval '1 hour') s
    ORDER BY s.merchant_id
    ON CONFLICT (merchant_id, day) DO UPDATE
    SET tries = u.tries + EXCLUDED.tries,
        declines = u.declines + EXCLUDED.declines;

    DELETE FROM risk_usual u
    WHERE u.day < (now() AT TIME ZONE 'UTC')::date - 28;
    UPDATE risk_usual_place SET hour = v_hour + interval '1 hour';
END
$$;
COMMENT ON FUNCTION pay.count_usual IS
    'Adds the next hour of attempts and declines to its day';


-- Days with fewer attempts say too little, and so do fewer days than seven.
-- Medians, so that an attack of some days is not taken for usual.
CREATE OR REPLACE FUNCTION pay.usual_share(
    p_merchant_id text, OUT share float8, OUT spread float8)
LANGUAGE sql STABLE AS $$
WITH days AS MATERIALIZED (
    SELECT u.declines::float8 / u.tries AS share FROM risk_usual u
    WHERE u.merchant_id = p_merchant_id AND u.tries >= 20
), middle AS (
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY d.share) AS share
    FROM days d HAVING count(*) >= 7
)
SELECT m.share,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(d.share - m.share))
FROM middle m, days d GROUP BY m.share
$$;
COMMENT ON FUNCTION pay.usual_share IS
    'The median of the daily shares of declines of a merchant, and the median '
    'of the differences from it; NULL: it is not known yet';


-- Three standard deviations above the usual share: of its days (1.4826 times
-- the median difference) or of so many attempts by chance, the larger one.
CREATE OR REPLACE FUNCTION pay.share_limit(
    p_share int, p_usual float8, p_spread float8, p_tries bigint)
RETURNS int LANGUAGE sql IMMUTABLE AS $$
SELECT greatest(p_share, CASE WHEN p_usual IS NOT NULL THEN least(95,
    ceil(100 * (p_usual + 3 * greatest(1.4826 * p_spread,
        sqrt(p_usual * (1 - p_usual) / p_tries))))) END::int)
$$;
COMMENT ON FUNCTION pay.share_limit IS
    'The share of declines, in per cent, from which on cards are being tested: '
    'that of the directive, or the upper end of the usual range';


-- Merchants that are beyond their limits, by the terms.
CREATE OR REPLACE FUNCTION pay.tested_merchants(p_terms jsonb)
RETURNS SETOF risk_mode LANGUAGE sql STABLE AS $$
SELECT s.merchant_id, p_terms ->> 'word', p_terms -> 'shadow' = 'true',
    s.tries, s.declines, clock_timestamp(),
    now() + make_interval(secs => (p_terms ->> 'for_s')::int),
    round(100 * u.share)::int, l.beyond
FROM decline_shares(now() - make_interval(
    secs => (p_terms ->> 'window_s')::int), 'infinity') s
CROSS JOIN LATERAL usual_share(s.merchant_id) u
CROSS JOIN LATERAL share_limit((p_terms ->> 'share')::int, u.share, u.spread,
                               s.tries) l (beyond)
WHERE s.tries >= (p_terms ->> 'min')::bigint
    AND s.declines * 100 >= s.tries * (p_terms ->> 'share')::int
    AND s.declines * 100 >= s.tries * l.beyond
ORDER BY s.merchant_id
$$;
COMMENT ON FUNCTION pay.tested_merchants IS
    'The modes of merchants whose share of declines is too large now';


-- Each round in which the share is too large lengthens the mode: it ends when
-- the share was in its range for as long as the terms say.  Without terms all
-- end.  Another word, or shadow, holds for modes that have begun, too: these
-- merchants may have no attempts any more, which would show it.
CREATE OR REPLACE FUNCTION pay.sweep_modes(p_terms jsonb)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_terms IS NOT NULL THEN
        PERFORM count_usual();

        UPDATE risk_mode m
        SET word = p_terms ->> 'word',
            is_shadow = (p_terms -> 'shadow')::boolean
        WHERE (m.word, m.is_shadow) IS DISTINCT FROM
            (p_terms ->> 'word', (p_terms -> 'shadow')::boolean);

        WITH begun AS (
            INSERT INTO risk_mode AS m
            SELECT * FROM tested_merchants(p_terms)
            ON CONFLICT (merchant_id) DO UPDATE
            SET word = EXCLUDED.word, is_shadow = EXCLUDED.is_shadow,
                tries = EXCLUDED.tries, declines = EXCLUDED.declines,
                until = EXCLUDED.until, usual = EXCLUDED.usual,
                beyond = EXCLUDED.beyond
            RETURNING m.*, m.xmax = 0 AS is_new
        )
        INSERT INTO risk_mode_act (merchant_id, act, word, tries, declines,
            is_shadow, usual, beyond)
        SELECT b.merchant_id, 'on', b.word, b.tries, b.declines, b.is_shadow,
            b.usual, b.beyond
        FROM begun b WHERE b.is_new;
    END IF;

    WITH ended AS (
        DELETE FROM risk_mode m
        WHERE p_terms IS NULL OR m.until <= now()
        RETURNING m.*
    )
    INSERT INTO risk_mode_act (merchant_id, act, word, tries, declines,
        is_shadow, usual, beyond)
    SELECT e.merchant_id, 'off', e.word, e.tries, e.declines, e.is_shadow,
        e.usual, e.beyond
    FROM ended e;
END
$$;
COMMENT ON FUNCTION pay.sweep_modes IS
    'Begins and ends the modes of merchants whose cards are being tested';


CREATE OR REPLACE FUNCTION pay.mode_findings(
    p_items int[], p_merchant_id text[])
RETURNS risk_findings LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_found risk_findings;
BEGIN
    SELECT coalesce(array_agg(x.n), '{}'),
        coalesce(array_agg('mode'::text), '{}'),
        coalesce(array_agg(m.word::text), '{}'),
        coalesce(array_agg(m.is_shadow), '{}'),
        coalesce(array_agg(jsonb_build_object('by', 'mode', 'name',
            'card_testing', 'then', m.word, 'shadow', m.is_shadow)), '{}')
    INTO v_found
    FROM unnest(p_items) x (n)
    CROSS JOIN LATERAL (
        SELECT y.word, y.is_shadow FROM risk_mode y
        WHERE y.merchant_id = p_merchant_id[x.n]
        OFFSET 0) m;

    RETURN v_found;
END
$$;
COMMENT ON FUNCTION pay.mode_findings IS
    'The modes of merchants about items of begin_payment';


-- An end has the beginning before it; until: of a mode that lasts.
CREATE OR REPLACE VIEW pay_view.risk_modes AS
SELECT b.merchant_id, b.at AS began_at, e.at AS ended_at,
    CASE WHEN e.act_id IS NULL THEN m.until END AS until,
    coalesce(CASE WHEN e.act_id IS NULL THEN m.word END, b.word) AS word,
    b.is_shadow, b.tries AS attempts, b.declines,
    round(100.0 * b.declines / b.tries, 1) AS percent,
    b.usual AS usual_percent, b.beyond AS limit_percent
FROM pay.risk_mode_act b
LEFT JOIN LATERAL (
    SELECT x.* FROM pay.risk_mode_act x
    WHERE x.merchant_id = b.merchant_id AND x.act = 'off'
        AND x.act_id > b.act_id
    ORDER BY x.act_id LIMIT 1) e ON true
LEFT JOIN pay.risk_mode m ON m.merchant_id = b.merchant_id
WHERE b.act = 'on';
COMMENT ON VIEW pay_view.risk_modes IS
    'Times in which the cards of merchants were being tested, with the counts '
    'by which they began';
