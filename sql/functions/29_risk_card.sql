-- Risk after the PSP: when a word about a card arrives, the card, its issuer
-- number (BIN) and the buyer's browser are counted, windows and lists are looked
-- at, and the decision is stored and carried out in the same commit.  The terms of a word are the
-- gateway's, NULL where nothing is looked at:
--   {"version": hex of the hash of its rules, "shadow": nothing acts,
--    "block": hold or void, "review": see review_terms_ok(), "windows":
--    [{"name", "merchant", "key", "seconds", "of", "limit", "currency", "then",
--      "shadow"}, …], "before": hex of the card under the key before this one}
-- Money goes back by the round that gives back for rejected reviews: wallets are
-- locked before counters, and here the counters are locked already.
-- Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.card_window_ok(p_window jsonb)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT coalesce(p_window ?& '{name,key,seconds,of,limit,then,shadow}'
    AND p_window - '{name,merchant,key,seconds,of,limit,currency,then,shadow}'
        ::text[] = '{}'
    AND octet_length(p_window ->> 'name') BETWEEN 1 AND 64
    AND (NOT p_window ? 'merchant' OR id_ok(p_window ->> 'merchant'))
    AND p_window ->> 'key' IN ('card', 'bin', 'browser')
    AND p_window ->> 'seconds' ~ '^[0-9]{1,7}$'
    AND (p_window ->> 'seconds')::int BETWEEN 1 AND 2592000
    AND p_window ->> 'limit' ~ '^[0-9]{1,15}$'
    AND p_window ->> 'then' IN ('review', 'block')
    AND p_window ->> 'shadow' IN ('true', 'false')
    AND CASE WHEN p_window ->> 'of' = 'amount'
        THEN EXISTS (SELECT FROM currency k
                     WHERE k.code = p_window ->> 'currency')
        ELSE p_window ->> 'of' IN ('attempts', 'declines')
            AND NOT p_window ? 'currency' END, false)
$$;
COMMENT ON FUNCTION pay.card_window_ok IS
    'Whether a window of cards can be taken';


CREATE OR REPLACE FUNCTION pay.card_terms_ok(p_terms jsonb)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce(has_members(p_terms - '{review,before}'::text[],
                                '{version,shadow,block,windows}')
        AND octet_length(p_terms ->> 'version') BETWEEN 1 AND 64
        AND p_terms ->> 'version' !~ '[^0-9a-f]'
        AND p_terms ->> 'shadow' IN ('true', 'false')
        AND p_terms ->> 'block' IN ('hold', 'void')
        AND jsonb_typeof(p_terms -> 'windows') = 'array'
        AND (NOT p_terms ? 'review' OR review_terms_ok(p_terms -> 'review')),
        false) AND NOT EXISTS (
            SELECT FROM jsonb_array_elements(p_terms -> 'windows') w
            WHERE NOT card_window_ok(w));
END
$$;
COMMENT ON FUNCTION pay.card_terms_ok IS
    'Whether apply_event can take these terms';


-- 1 the card, 2 its BIN, 4 its country, 32 the buyer's browser; 8, 16 and 64: that
-- an attempt with the card, with the BIN, in the browser, was declined.
CREATE OR REPLACE FUNCTION pay.card_parts(p_card risk_card, p_browser text)
RETURNS int LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN p_card.card IS NULL THEN 0
            WHEN p_card.is_declined THEN 9 ELSE 1 END
    | CASE WHEN p_card.bin IS NULL THEN 0
           WHEN p_card.is_declined THEN 18 ELSE 2 END
    | CASE WHEN p_card.country IS NULL THEN 0 ELSE 4 END
    | CASE WHEN p_browser IS NULL THEN 0
           WHEN p_card.is_declined THEN 96 ELSE 32 END
$$;
COMMENT ON FUNCTION pay.card_parts IS
    'The parts of a PSP''s word about a card that are known, as bits';


-- The words of attempts whose rows this transaction has locked, each with its
-- new parts, which are taken: a second event of an attempt finds none.
CREATE OR REPLACE FUNCTION pay.take_card_words(
    p_psp text[], p_attempt text[], p_before text[], p_terms jsonb[])
RETURNS card_word[] LANGUAGE plpgsql AS $$
DECLARE
    v_words card_word[];
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT t FROM unnest(p_terms) t) t
               WHERE NOT card_terms_ok(t.t))
    THEN
        RAISE EXCEPTION 'terms of cards are wrong' USING ERRCODE = 'PAY01';
    END IF;

    v_words := ARRAY(
        SELECT ROW(row_number() OVER (ORDER BY u.n), c.psp, c.attempt,
            c.merchant_id, c.checkout_id, c.card,
            coalesce(u.before, u.terms ->> 'before'), c.bin, c.country,
            c.is_declined, card_parts(c, b.browser) & ~c.judged, k.currency,
            k.total_minor, u.terms, b.browser)::card_word
        FROM (
            SELECT DISTINCT ON (x.psp COLLATE "C", x.attempt COLLATE "C") x.*
            FROM unnest(p_psp, p_attempt, p_before, p_terms) WITH ORDINALITY
                AS x (psp, attempt, before, terms, n)
            ORDER BY x.psp COLLATE "C", x.attempt COLLATE "C", x.n) u
        CROSS JOIN LATERAL (
            SELECT * FROM risk_card y
            WHERE y.psp = u.psp AND y.attempt = u.attempt
                AND y.checkout_id IS NOT NULL
            OFFSET 0) c
        CROSS JOIN LATERAL (
            SELECT y.currency, y.total_minor FROM checkout y
            WHERE y.merchant_id = c.merchant_id
                AND y.checkout_id = c.checkout_id
            OFFSET 0) k
        -- not of an attempt that the sale without a name was, see
        -- name_attempts()
        -- nor of a warning, which is about an attempt that was counted
        CROSS JOIN LATERAL (
            SELECT coalesce(c.browser, CASE WHEN (c.attempt = c.token
                OR num_nonnulls(c.card, c.bin, c.country, c.level, c.score)
                    > 0 OR c.warning IS NULL) AND NOT EXISTS (
                SELECT FROM risk_card y
                WHERE y.merchant_id = c.merchant_id
                    AND y.checkout_id = c.checkout_id
                    AND y.attempt = y.token AND y.attempt <> c.attempt)
                THEN newest_browser(c.merchant_id, c.checkout_id) END)
                AS browser
            OFFSET 0) b
        WHERE card_parts(c, b.browser) & ~c.judged <> 0
            OR c.waits IS NOT NULL);

    UPDATE risk_card c
    SET judged = c.judged | w.parts, waits = NULL, browser = w.browser
    FROM unnest(v_words) w
    WHERE c.psp = w.psp AND c.attempt = w.attempt;

    RETURN v_words;
END
$$;
COMMENT ON FUNCTION pay.take_card_words IS
    'The new parts of PSPs'' words about cards, each of which comes once';


-- The windows that words are counted and judged in; behind: the attempts with the
-- same key that come later in the batch.
CREATE OR REPLACE FUNCTION pay.card_windows(p_words card_word[])
RETURNS TABLE (n int, name text, key text, value text, seconds int,
    measure text, threshold numeric, currency text, word text,
    is_shadow boolean, is_new boolean, is_decline boolean, behind bigint,
    declines_behind bigint)
LANGUAGE sql STABLE AS $$
SELECT w.n, t.w ->> 'name', k.key, k.value, (t.w ->> 'seconds')::int,
    t.w ->> 'of', (t.w ->> 'limit')::numeric, t.w ->> 'currency',
    t.w ->> 'then', t.w -> 'shadow' = 'true', w.parts & k.part <> 0,
    w.parts & k.decline <> 0,
    count(*) FILTER (WHERE w.parts & k.part <> 0) OVER later,
    count(*) FILTER (WHERE w.parts & k.decline <> 0) OVER later
FROM unnest(p_words) w
CROSS JOIN LATERAL jsonb_array_elements(w.terms -> 'windows') t (w)
CROSS JOIN LATERAL (
    SELECT t.w ->> 'key' AS key, x.*
    FROM (VALUES ('card', w.card, 1, 8), ('bin', w.bin, 2, 16),
                 ('browser', w.browser, 32, 64))
        AS x (of, value, part, decline)
    WHERE x.of = t.w ->> 'key' AND x.value IS NOT NULL) k
WHERE coalesce(t.w ->> 'merchant', w.merchant_id) = w.merchant_id
    AND w.parts & (k.part | k.decline) <> 0
WINDOW later AS (
    PARTITION BY w.merchant_id, k.key, k.value, t.w ->> 'name' ORDER BY w.n
    RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
$$;
COMMENT ON FUNCTION pay.card_windows IS
    'The windows of PSPs'' words about cards';


-- One row for each key and hour, locked in key order.  Money that was declined is
-- not in a sum of amounts.
CREATE OR REPLACE FUNCTION pay.count_cards(p_words card_word[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO risk_counter AS c (merchant_id, kind, value, hour, attempts,
        declines, amounts)
    SELECT k.merchant_id, k.key, k.value, this_hour(), sum(k.attempts),
        sum(k.declines), coalesce(jsonb_object_agg(k.currency, k.minor)
            FILTER (WHERE k.minor IS NOT NULL), '{}')
    FROM (
        SELECT w.merchant_id COLLATE "C" AS merchant_id, x.key, x.value,
            w.currency, count(*) FILTER (WHERE x.is_new) AS attempts,
            count(*) FILTER (WHERE x.is_decline) AS declines,
            sum(w.total_minor) FILTER (WHERE x.is_new AND x.has_amount
                AND NOT w.is_declined) AS minor
        FROM (
            SELECT y.n, y.key COLLATE "C" AS key,
                y.value COLLATE "C" AS value,
                bool_or(y.is_new) AS is_new,
                bool_or(y.is_decline) AS is_decline,
                bool_or(y.measure = 'amount') AS has_amount
            FROM card_windows(p_words) y GROUP BY 1, 2, 3) x
        JOIN unnest(p_words) w ON w.n = x.n
        GROUP BY 1, 2, 3, 4) k
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (merchant_id, kind, value, hour) DO UPDATE
    SET attempts = c.attempts + EXCLUDED.attempts,
        declines = c.declines + EXCLUDED.declines,
        amounts = add_amounts(c.amounts, EXCLUDED.amounts);
END
$$;
COMMENT ON FUNCTION pay.count_cards IS
    'Counts PSPs'' words about cards with the keys of their windows';


-- How much a window has: of an hour at most by the words themselves, one by one
-- and to the second, else by whole hours.  NULL: no rate converts an amount.  The
-- rows of this hour's counters are locked, so that no word is missed.
CREATE OR REPLACE FUNCTION pay.card_window_sum(
    p_merchant_id text, p_key text, p_value text, p_seconds int,
    p_measure text, p_currency text, p_most numeric)
RETURNS numeric LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_since timestamptz := this_hour() - make_interval(secs => p_seconds);
BEGIN
    IF p_measure = 'amount' THEN
        RETURN (
            SELECT CASE WHEN bool_and(m.minor IS NOT NULL) THEN sum(m.minor)
                   END
            FROM (
                SELECT amount_in(sum(a.value::numeric), a.key, p_currency)
                    AS minor
                FROM risk_counter c
                CROSS JOIN LATERAL jsonb_each_text(c.amounts) a
                WHERE c.merchant_id = p_merchant_id AND c.kind = p_key
                    AND c.value = p_value AND c.hour >= v_since
                GROUP BY a.key
                -- no money yet is no unknown sum
                UNION ALL SELECT 0) m);
    ELSIF p_seconds > 3600 THEN
        RETURN (
            SELECT sum(CASE p_measure WHEN 'attempts' THEN c.attempts
                                      ELSE c.declines END)
            FROM risk_counter c
            WHERE c.merchant_id = p_merchant_id AND c.kind = p_key
                AND c.value = p_value AND c.hour >= v_since);
    END IF;

    v_since := clock_timestamp() - make_interval(secs => p_seconds);

    IF p_key = 'card' THEN
        RETURN (
            SELECT count(*) FROM (
                SELECT FROM risk_card c
                WHERE c.merchant_id = p_merchant_id AND c.card = p_value
                    AND c.at > v_since
                    AND (p_measure = 'attempts' OR c.is_declined)
                LIMIT p_most::bigint) c);
    END IF;

    IF p_key = 'browser' THEN
        RETURN (
            SELECT count(*) FROM (
                SELECT FROM risk_card c
                WHERE c.merchant_id = p_merchant_id AND c.browser = p_value
                    AND c.at > v_since
                    AND (p_measure = 'attempts' OR c.is_declined)
                LIMIT p_most::bigint) c);
    END IF;

    RETURN (
        SELECT count(*) FROM (
            SELECT FROM risk_card c
            WHERE c.merchant_id = p_merchant_id AND c.bin = p_value
                AND c.at > v_since
                AND (p_measure = 'attempts' OR c.is_declined)
            LIMIT p_most::bigint) c);
END
$$;
COMMENT ON FUNCTION pay.card_window_sum IS
    'Attempts, declines or amounts in a window of a card, BIN or browser';


-- A payment that was declined is no sale to be held; it has counted.  A sum that
-- no rate converts is a hit in shadow: the money is there already, and a rate
-- that is missing tells nothing about the buyer.
CREATE OR REPLACE FUNCTION pay.card_window_findings(p_words card_word[])
RETURNS risk_findings LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_found risk_findings;
BEGIN
    SELECT coalesce(array_agg(x.n), '{}'),
        coalesce(array_agg('window'::text), '{}'),
        coalesce(array_agg(x.word), '{}'),
        coalesce(array_agg(x.is_shadow OR s.seen IS NULL), '{}'),
        coalesce(array_agg(jsonb_strip_nulls(jsonb_build_object(
            'by', 'window', 'name', x.name, 'then', x.word,
            'shadow', x.is_shadow OR s.seen IS NULL,
            'unknown', CASE WHEN s.seen IS NULL THEN true END))), '{}')
    INTO v_found
    FROM card_windows(p_words) x
    JOIN unnest(p_words) w ON w.n = x.n AND NOT w.is_declined
    CROSS JOIN LATERAL (
        SELECT card_window_sum(w.merchant_id, x.key, x.value, x.seconds,
            x.measure, x.currency, x.threshold + 1 + x.behind) - CASE x.measure
                WHEN 'attempts' THEN x.behind
                WHEN 'declines' THEN x.declines_behind ELSE 0 END AS seen
        OFFSET 0) s
    WHERE s.seen IS NULL OR s.seen > x.threshold;

    RETURN v_found;
END
$$;
COMMENT ON FUNCTION pay.card_window_findings IS
    'Windows of PSPs'' words about cards that are beyond their limits';


-- A BIN of eight digits is in a list of six, too.  Of the browsers each one is
-- looked up that the checkout was opened in.  For a challenge it is too late.
CREATE OR REPLACE FUNCTION pay.card_list_findings(p_words card_word[])
RETURNS risk_findings LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_keys  risk_rows;
    v_found risk_findings;
BEGIN
    SELECT array_agg(w.n), array_agg(k.kind), array_agg(k.value)
    INTO v_keys.key_item, v_keys.key_kind, v_keys.key_value
    FROM unnest(p_words) w
    CROSS JOIN LATERAL (
        VALUES ('card', w.card, 1), ('card', w.before, 1), ('bin', w.bin, 2),
            ('bin', CASE WHEN length(w.bin) > 6 THEN left(w.bin, 6) END, 2),
            ('card_country', w.country, 4)
        UNION ALL
        SELECT b.kind, b.value, 32
        FROM browser_keys(w.merchant_id, w.checkout_id) b
        WHERE w.parts & 32 <> 0) k (kind, value, part)
    WHERE NOT w.is_declined AND w.terms -> 'shadow' = 'false'
        AND w.parts & k.part <> 0 AND k.value IS NOT NULL;

    IF v_keys.key_item IS NULL THEN
        RETURN no_findings();
    END IF;

    v_found := list_findings(ARRAY(SELECT w.n FROM unnest(p_words) w),
        ARRAY(SELECT w.merchant_id FROM unnest(p_words) w ORDER BY w.n),
        v_keys);

    IF 'challenge' = ANY (v_found.words) THEN
        SELECT coalesce(array_agg(f.item), '{}'),
            coalesce(array_agg(f.by), '{}'), coalesce(array_agg(f.word), '{}'),
            coalesce(array_agg(f.shadow), '{}'),
            coalesce(array_agg(f.hit), '{}')
        INTO v_found
        FROM unnest(v_found.items, v_found.bys, v_found.words,
                    v_found.shadows, v_found.hits)
            AS f (item, by, word, shadow, hit)
        WHERE f.word <> 'challenge';
    END IF;

    RETURN v_found;
END
$$;
COMMENT ON FUNCTION pay.card_list_findings IS
    'Entries of lists about PSPs'' words about cards';


-- The most severe hit decides, and an entry that allows ends all.  A checkout is
-- held or voided once: of its later words the decision is stored, too, without
-- an effect.  Returns those that have one.
CREATE OR REPLACE FUNCTION pay.keep_card_decisions(
    p_words card_word[], p_found risk_findings)
RETURNS TABLE (n int, effect text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_rows risk_after[];
    v_done bigint[];
BEGIN
    v_rows := ARRAY(
        SELECT ROW(w.n, w.merchant_id, w.checkout_id, w.psp, w.attempt,
            d.decision, CASE WHEN d.decision = 'allow' AND NOT j.allows
                THEN 'none' WHEN j.allows OR j.list = j.worst THEN 'list'
                ELSE 'window' END,
            CASE d.decision WHEN 'review' THEN 'hold'
                WHEN 'block' THEN w.terms ->> 'block' ELSE 'none' END,
            j.hits, w.terms ->> 'version', clock_timestamp())::risk_after
        FROM (
            SELECT f.n, bool_or(f.by = 'list' AND f.word = 'allow') AS allows,
                max(severity(f.word)) FILTER (WHERE f.by = 'list') AS list,
                max(severity(f.word)) FILTER (WHERE NOT f.shadow) AS worst,
                jsonb_agg(f.hit ORDER BY f.by, f.hit) AS hits
            FROM unnest(p_found.items, p_found.bys, p_found.words,
                        p_found.shadows, p_found.hits)
                AS f (n, by, word, shadow, hit)
            GROUP BY 1) j
        JOIN unnest(p_words) w ON w.n = j.n
        CROSS JOIN LATERAL (
            SELECT CASE WHEN j.allows THEN 'allow'
                ELSE ('{allow,challenge,review,block}'::text[])
                    [coalesce(j.worst, 1)] END AS decision) d
        ORDER BY w.merchant_id COLLATE "C", w.checkout_id COLLATE "C",
            severity(d.decision) DESC, w.n);

    WITH kept AS (
        INSERT INTO risk_after (merchant_id, checkout_id, psp, attempt,
            decision, decided_by, effect, hits, version)
        SELECT r.merchant_id, r.checkout_id, r.psp, r.attempt, r.decision,
            r.decided_by, r.effect, r.hits, r.version
        FROM unnest(v_rows) r
        ON CONFLICT (merchant_id, checkout_id) WHERE effect <> 'none'
            DO NOTHING
        RETURNING psp, attempt
    )
    SELECT coalesce(array_agg(r.after_id), '{}') INTO v_done
    FROM kept k
    JOIN unnest(v_rows) r ON r.psp = k.psp AND r.attempt = k.attempt;

    INSERT INTO risk_after (merchant_id, checkout_id, psp, attempt, decision,
        decided_by, effect, hits, version)
    SELECT r.merchant_id, r.checkout_id, r.psp, r.attempt, r.decision,
        r.decided_by, 'none', r.hits, r.version
    FROM unnest(v_rows) r
    WHERE r.after_id <> ALL (v_done);

    RETURN QUERY
    SELECT r.after_id::int, r.effect FROM unnest(v_rows) r
    WHERE r.after_id = ANY (v_done) AND r.effect <> 'none';
END
$$;
COMMENT ON FUNCTION pay.keep_card_decisions IS
    'Writes the decisions about PSPs'' words about cards';


-- A checkout with a review gets no second one: one that has ended is open again,
-- with a time of its own and nobody's word: those were about other evidence.
-- One that a reviewer has locked at this moment stays as it is: it is looked at,
-- and a lock is not waited for by those who have checkouts locked.
CREATE OR REPLACE FUNCTION pay.carry_out_cards(
    p_words card_word[], p_items int[], p_effects text[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_merchants text[];
    v_checkouts text[];
    v_new       int[];
    v_free      int[];
    v_review    risk_review;
BEGIN
    SELECT array_agg(w.merchant_id ORDER BY w.n),
        array_agg(w.checkout_id ORDER BY w.n)
    INTO v_merchants, v_checkouts
    FROM unnest(p_words) w;

    v_new := ARRAY(
        SELECT n FROM unnest(p_items) n
        WHERE NOT EXISTS (
            SELECT FROM risk_review r
            WHERE r.merchant_id = v_merchants[n]
                AND r.checkout_id = v_checkouts[n]));

    PERFORM open_reviews(v_new, v_merchants, v_checkouts,
        ARRAY(SELECT w.currency FROM unnest(p_words) w ORDER BY w.n),
        ARRAY(SELECT w.total_minor FROM unnest(p_words) w ORDER BY w.n),
        ARRAY(SELECT w.terms FROM unnest(p_words) w ORDER BY w.n));
    v_free := ARRAY(
        SELECT u.n FROM risk_review r
        JOIN unnest(p_items) u (n) ON r.merchant_id = v_merchants[u.n]
            AND r.checkout_id = v_checkouts[u.n]
        ORDER BY r.review_id
        FOR UPDATE OF r SKIP LOCKED);
    PERFORM hold_orders(v_free, v_merchants, v_checkouts);

    FOR v_review IN
        SELECT r.* FROM risk_review r
        JOIN unnest(p_items, p_effects) u (n, effect)
            ON r.merchant_id = v_merchants[u.n]
            AND r.checkout_id = v_checkouts[u.n]
        WHERE u.effect = 'void' AND r.state <> 'rejected'
        FOR UPDATE OF r SKIP LOCKED
    LOOP
        PERFORM end_review(v_review, 'rejected', 'gateway', 'card', NULL);
    END LOOP;

    UPDATE risk_review r
    SET state = 'open', is_settled = false, asked = NULL, asked_by = NULL,
        claimed_by = NULL, claimed_until = NULL, deadline = now()
            + make_interval(secs => least(coalesce(
                (w.terms -> 'review' ->> 'deadline_s')::float8, 259200),
                (hold_terms(w.terms) ->> 'window_s')::float8))
    FROM unnest(v_free) f (n)
    JOIN unnest(p_items, p_effects) u (n, effect) ON u.n = f.n
    JOIN unnest(p_words) w ON w.n = f.n
    WHERE r.merchant_id = v_merchants[f.n] AND r.checkout_id = v_checkouts[f.n]
        AND u.effect = 'hold' AND r.state IN ('approved', 'ended');
END
$$;
COMMENT ON FUNCTION pay.carry_out_cards IS
    'Holds checkouts for reviewers, or has their money given back';


-- The end of apply_event for words about cards.  Counters are the last rows that
-- a transaction locks, those of cards behind all others.
CREATE OR REPLACE FUNCTION pay.judge_cards(
    p_psp text[], p_attempt text[], p_before text[], p_terms jsonb[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_words card_word[] := take_card_words(p_psp, p_attempt, p_before,
                                           p_terms);
    v_found risk_findings;
    v_done  record;
BEGIN
    IF v_words = '{}' THEN
        RETURN;
    END IF;

    v_found := card_list_findings(v_words);

    IF EXISTS (SELECT FROM unnest(v_words) w
               WHERE w.terms -> 'windows' <> '[]')
    THEN
        PERFORM count_cards(v_words);
        v_found := join_findings(v_found, card_window_findings(v_words));
    END IF;

    IF v_found.items = '{}' THEN
        RETURN;
    END IF;

    SELECT array_agg(k.n) AS items, array_agg(k.effect) AS effects
    INTO v_done
    FROM keep_card_decisions(v_words, v_found) k;

    IF v_done.items IS NOT NULL THEN
        PERFORM carry_out_cards(v_words, v_done.items, v_done.effects);
    END IF;
END
$$;
COMMENT ON FUNCTION pay.judge_cards IS
    'Counts and judges PSPs'' words about cards, and carries the decisions out';


-- Words that came before their token, see adopt_cards().
CREATE OR REPLACE FUNCTION pay.judge_adopted(
    p_merchant_id text[], p_checkout_id text[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_cards risk_card[] := ARRAY(
        SELECT c.card
        FROM (SELECT DISTINCT * FROM unnest(p_merchant_id, p_checkout_id))
            AS u (merchant_id, checkout_id)
        CROSS JOIN LATERAL (
            SELECT x AS card FROM risk_card x
            WHERE x.merchant_id = u.merchant_id
                AND x.checkout_id = u.checkout_id AND x.waits IS NOT NULL
            OFFSET 0) c);
BEGIN
    IF v_cards <> '{}' THEN
        PERFORM judge_cards(ARRAY(SELECT c.psp::text FROM unnest(v_cards) c),
            ARRAY(SELECT c.attempt::text FROM unnest(v_cards) c), NULL,
            ARRAY(SELECT c.waits FROM unnest(v_cards) c));
    END IF;
END
$$;
COMMENT ON FUNCTION pay.judge_adopted IS
    'Judges the words about cards that came before the tokens of checkouts';


-- The decisions after the PSP about a checkout, as a list of JSON; NULL: none.
CREATE OR REPLACE FUNCTION pay.after_of(p_merchant_id text, p_checkout_id text)
RETURNS jsonb LANGUAGE sql STABLE SET search_path = pay, pg_temp AS $$
SELECT jsonb_agg(jsonb_build_object('attempt', a.attempt,
    'decision', a.decision, 'by', a.decided_by, 'effect', a.effect,
    'hits', a.hits, 'version', a.version, 'at', iso_time(a.at))
    ORDER BY a.after_id)
FROM risk_after a
WHERE a.merchant_id = p_merchant_id AND a.checkout_id = p_checkout_id
$$;
COMMENT ON FUNCTION pay.after_of IS
    'The decisions about a checkout after its PSP has spoken of cards';


CREATE OR REPLACE VIEW pay_view.risk_after AS
SELECT a.after_id, a.merchant_id, a.checkout_id, a.psp, a.attempt, a.at,
    a.decision, a.decided_by, a.effect, h.hits, a.version, c.currency,
    round(c.total_minor / 10::numeric ^ k.exponent, k.exponent) AS total,
    r.review_id, r.state AS review_state, r.is_settled
FROM pay.risk_after a
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(x.hit - 'entry' ORDER BY x.place), '[]') AS hits
    FROM jsonb_array_elements(a.hits) WITH ORDINALITY x (hit, place)
    OFFSET 0) h
JOIN pay.checkout c ON c.merchant_id = a.merchant_id
    AND c.checkout_id = a.checkout_id
JOIN pay.currency k ON k.code = c.currency
LEFT JOIN pay.risk_review r ON a.effect <> 'none'
    AND r.merchant_id = a.merchant_id AND r.checkout_id = a.checkout_id;
COMMENT ON VIEW pay_view.risk_after IS
    'Decisions about checkouts after their PSP has said something about a '
    'card, with the review that carries them out';
