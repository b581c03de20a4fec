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
CREATE OR REPLACE FUNCTION pay.decline_shares(p_since timestamptz)
RETURNS TABLE (merchant_id text, tries bigint, declines bigint)
LANGUAGE plpgsql STABLE SET search_path = pay, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT x.merchant_id::text, count(*), count(*) FILTER (WHERE x.is_declined)
    FROM (
        SELECT c.merchant_id, c.is_declined FROM risk_card c
        WHERE c.card IS NOT NULL AND c.at > p_since
            AND c.merchant_id IS NOT NULL
        UNION ALL
        SELECT d.merchant_id, d.declined_at IS NOT NULL
        FROM risk_decision d
        CROSS JOIN LATERAL (
            SELECT o.status, o.reason FROM payment_order o
            WHERE o.merchant_id = d.merchant_id
                AND o.checkout_id = d.checkout_id AND o.position = 1
            OFFSET 0) o
        WHERE d.keys IS NOT NULL AND d.at > p_since
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
    'Attempts to pay since a time that have ended, and the declined ones of '
    'them, merchant by merchant';


-- Each round in which the share is too large lengthens the mode: it ends when
-- the share was in its range for as long as the terms say.  Without terms all
-- end.
CREATE OR REPLACE FUNCTION pay.sweep_modes(p_terms jsonb)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_terms IS NOT NULL THEN
        WITH begun AS (
            INSERT INTO risk_mode AS m (merchant_id, word, is_shadow, tries,
                declines, until)
            SELECT s.merchant_id, p_terms ->> 'word',
                p_terms -> 'shadow' = 'true', s.tries, s.declines,
                now() + make_interval(secs => (p_terms ->> 'for_s')::int)
            FROM decline_shares(now() - make_interval(
                secs => (p_terms ->> 'window_s')::int)) s
            WHERE s.tries >= (p_terms ->> 'min')::bigint
                AND s.declines * 100 >= s.tries * (p_terms ->> 'share')::int
            ORDER BY s.merchant_id
            ON CONFLICT (merchant_id) DO UPDATE
            SET word = EXCLUDED.word, is_shadow = EXCLUDED.is_shadow,
                tries = EXCLUDED.tries, declines = EXCLUDED.declines,
                until = EXCLUDED.until
            RETURNING m.*, m.xmax = 0 AS is_new
        )
        INSERT INTO risk_mode_act (merchant_id, act, word, tries, declines)
        SELECT b.merchant_id, 'on', b.word, b.tries, b.declines
        FROM begun b WHERE b.is_new;
    END IF;

    WITH ended AS (
        DELETE FROM risk_mode m
        WHERE p_terms IS NULL OR m.until <= now()
        RETURNING m.*
    )
    INSERT INTO risk_mode_act (merchant_id, act, word, tries, declines)
    SELECT e.merchant_id, 'off', e.word, e.tries, e.declines FROM ended e;
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
