-- Risk, the part of begin_payment that PostgreSQL decides: lists, and windows of
-- hours over counters.  The argument risk is NULL where nothing is looked at,
-- else an object that the gateway has made of the request:
--   {"version": hex of the hash of its rules,
--    "decision": the most severe of its rules and of its windows in memory,
--    "allowed": a rule says that nothing else counts,
--    "facts": {…}, without personal data, to be kept with the decision,
--    "buyer": hex of the keyed hash of who buys, see 29_risk_buyer.sql; absent:
--     nobody knows,
--    "device": hex of that of the device; absent: it is not given, or no model has
--     scored the checkout,
--    "provider": {…}, the word of an external provider, see provider_ok();
--     absent: none was asked}
-- and, where a checkout was scored, the members features and score, whose
-- members then and shadow say which decision the total asks for, see
-- risk_score_ok().  The decision has the score in it already.
-- Its rows are risk_hits (rules and windows that have hit), risk_keys (looked up
-- in the lists) and risk_windows (counted here); see wrong_risk_rows().
-- 28_risk_find.sql has the findings of lists and windows.  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A prefix is not compared with its canonical text here: one that is written
-- otherwise is in no list, and is no reason to refuse a payment.
CREATE OR REPLACE FUNCTION pay.risk_value_ok(p_kind text, p_value text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(CASE
    WHEN p_kind IN ('email', 'phone', 'buyer', 'device', 'card', 'browser')
        THEN octet_length(p_value) = 64 AND p_value !~ '[^0-9a-f]'
    WHEN p_kind = 'ip'
        THEN octet_length(p_value) <= 49 AND p_value ~ '^[0-9a-f.:]+/[0-9]+$'
    WHEN p_kind = 'email_domain'
        THEN octet_length(p_value) BETWEEN 1 AND 253
            AND p_value !~ '[A-Z[:space:]]'
    WHEN p_kind = 'bin'
        THEN octet_length(p_value) BETWEEN 6 AND 8 AND p_value !~ '[^0-9]'
    WHEN p_kind IN ('country', 'card_country')
        THEN octet_length(p_value) = 2 AND p_value !~ '[^A-Z]' END, false)
$$;
COMMENT ON FUNCTION pay.risk_value_ok IS
    'Whether a value has the form of its kind';


-- Members beyond these are refused: a gateway that knows more than this database
-- would believe that it is heard.
CREATE OR REPLACE FUNCTION pay.has_members(p_object jsonb, p_names text[])
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN jsonb_typeof(p_object) = 'object'
            THEN p_object ?& p_names AND p_object - p_names = '{}'
            ELSE false END
$$;
COMMENT ON FUNCTION pay.has_members IS
    'Whether it is an object with these members and no others';


CREATE OR REPLACE FUNCTION pay.has_members_of(
    p_object jsonb, p_names text[], p_optional text[])
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN jsonb_typeof(p_object) = 'object'
            THEN p_object ?& p_names
                AND p_object - (p_names || p_optional) = '{}'
            ELSE false END
$$;
COMMENT ON FUNCTION pay.has_members_of IS
    'The same, when it may have some others, too';


-- 1 for allow up to 4 for block.
CREATE OR REPLACE FUNCTION pay.severity(p_word text)
RETURNS int LANGUAGE sql IMMUTABLE AS $$
SELECT array_position('{allow,challenge,review,block}', p_word)
$$;
COMMENT ON FUNCTION pay.severity IS 'How severe a decision is';


-- failed: it gave none, and why; then is the gateway's word for that case.
CREATE OR REPLACE FUNCTION pay.provider_ok(p_word jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(has_members_of(p_word, '{name,then,shadow}',
                               '{failed,reference}')
    AND octet_length(p_word ->> 'name') BETWEEN 1 AND 32
    AND severity(p_word ->> 'then') IS NOT NULL
    AND jsonb_typeof(p_word -> 'shadow') = 'boolean'
    AND octet_length(coalesce(p_word ->> 'failed', 'no')) BETWEEN 1 AND 32
    AND octet_length(coalesce(p_word ->> 'reference', 'no'))
        BETWEEN 1 AND 64, false)
$$;
COMMENT ON FUNCTION pay.provider_ok IS
    'Whether begin_payment can take this word of a provider';


-- then and shadow come together, where a threshold was reached.
CREATE OR REPLACE FUNCTION pay.risk_score_ok(p_score jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(jsonb_typeof(p_score) = 'object'
    AND octet_length(p_score::text) <= 8192
    AND jsonb_typeof(p_score -> 'total') = 'number'
    AND (p_score -> 'total')::numeric BETWEEN 0 AND 1
    AND jsonb_typeof(p_score -> 'parts') = 'object'
    AND p_score ? 'then' = p_score ? 'shadow'
    AND (NOT p_score ? 'then'
         OR p_score ->> 'then' IN ('challenge', 'review', 'block')
            AND jsonb_typeof(p_score -> 'shadow') = 'boolean'), false)
$$;
COMMENT ON FUNCTION pay.risk_score_ok IS
    'Whether begin_payment can take this score';


-- p_text: the same as text.  A member is no longer than the whole, which most
-- often is short enough.
CREATE OR REPLACE FUNCTION pay.risk_ok(p_risk jsonb, p_text text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(has_members_of(p_risk, '{version,decision,allowed,facts}',
                               '{buyer,device,provider,features,score}')
    AND (NOT p_risk ? 'buyer' OR risk_value_ok('buyer', p_risk ->> 'buyer'))
    AND (NOT p_risk ? 'device' OR risk_value_ok('device', p_risk ->> 'device'))
    AND (NOT p_risk ? 'provider' OR provider_ok(p_risk -> 'provider'))
    AND (NOT p_risk ? 'features'
         OR jsonb_typeof(p_risk -> 'features') = 'object'
            AND (octet_length(p_text) <= 4096
                 OR octet_length(p_risk ->> 'features') <= 4096))
    AND (NOT p_risk ? 'score' OR risk_score_ok(p_risk -> 'score'))
    AND jsonb_typeof(p_risk -> 'version') = 'string'
    AND octet_length(p_risk ->> 'version') BETWEEN 1 AND 64
    AND p_risk ->> 'version' !~ '[^0-9a-f]'
    AND jsonb_typeof(p_risk -> 'decision') = 'string'
    AND severity(p_risk ->> 'decision') IS NOT NULL
    AND jsonb_typeof(p_risk -> 'allowed') = 'boolean'
    AND jsonb_typeof(p_risk -> 'facts') = 'object'
    -- a count for each window and seller of a large checkout
    AND (octet_length(p_text) <= 16384
         OR octet_length(p_risk ->> 'facts') <= 16384), false)
$$;
COMMENT ON FUNCTION pay.risk_ok IS
    'Whether begin_payment can take these findings';


-- Items with a row that cannot be taken.  Of a window hours are 1 to 720, and the
-- threshold is attempts, declines, or of amounts minor units of the currency; of
-- the same one twice nobody could say which attempt is whose.  Checks stand in
-- the statements, since a function with a query is planned at each call.
CREATE OR REPLACE FUNCTION pay.wrong_risk_rows(p_rows risk_rows)
RETURNS int[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_wrong int[] := '{}';
BEGIN
    IF p_rows.hit_item <> '{}' THEN
        v_wrong := v_wrong || ARRAY(
            SELECT h.n::int
            FROM unnest(p_rows.hit_item, p_rows.hit_name, p_rows.hit_word,
                        p_rows.hit_shadow) AS h (n, name, word, shadow)
            WHERE (octet_length(h.name) BETWEEN 1 AND 64
                AND severity(h.word) IS NOT NULL
                AND h.shadow IN (0, 1)) IS NOT TRUE);
    END IF;

    IF p_rows.key_item <> '{}' THEN
        v_wrong := v_wrong || ARRAY(
            SELECT k.n::int
            FROM unnest(p_rows.key_item, p_rows.key_kind, p_rows.key_value)
                AS k (n, kind, value)
            WHERE NOT risk_value_ok(k.kind, k.value));
    END IF;

    IF p_rows.window_item <> '{}' THEN
        v_wrong := v_wrong || ARRAY(
            SELECT w.n::int
            FROM unnest(p_rows.window_item, p_rows.window_name,
                p_rows.window_key, p_rows.window_hash, p_rows.window_hours,
                p_rows.window_measure, p_rows.window_threshold,
                p_rows.window_currency, p_rows.window_word,
                p_rows.window_shadow) AS w (n, name, key, hash, hours,
                measure, threshold, currency, word, shadow)
            GROUP BY w.n, w.name, w.key, w.hash
            HAVING count(*) > 1 OR NOT bool_and((
                octet_length(w.name) BETWEEN 1 AND 64
                AND w.key IN ('ip', 'ip_net', 'email', 'phone', 'buyer',
                              'device', 'seller', 'merchant')
                AND octet_length(w.hash) = 64 AND w.hash !~ '[^0-9a-f]'
                AND w.hours BETWEEN 1 AND 720
                AND w.threshold BETWEEN 0 AND 999999999999999
                AND w.word IN ('challenge', 'review', 'block')
                AND w.shadow IN (0, 1)
                AND CASE w.measure
                    WHEN 'attempts' THEN w.currency IS NULL
                    WHEN 'declines' THEN w.currency IS NULL
                    WHEN 'amount' THEN EXISTS (
                        SELECT FROM currency k WHERE k.code = w.currency)
                    END) IS TRUE));
    END IF;

    RETURN v_wrong;
END
$$;
COMMENT ON FUNCTION pay.wrong_risk_rows IS
    'Items of begin_payment with a hit, key or window that cannot be taken';


-- An allow, of a list or of a rule, ends all.  Else the most severe word of the
-- gateway, of the lists, of a provider and of the windows counts.  Hits in
-- shadow are written down and count nowhere.  The score has decided when no rule
-- and no window in memory asks for as much.
CREATE OR REPLACE FUNCTION pay.judge_risk(
    p_items int[], p_risk jsonb[], p_rows risk_rows, p_found risk_findings)
RETURNS TABLE (n int, decision text, decided_by text, hits jsonb)
LANGUAGE sql STABLE AS $$
SELECT j.n, d.decision, CASE
        WHEN j.list_allows THEN 'list'
        WHEN j.rule_allows THEN 'rule'
        WHEN d.decision = 'allow' THEN 'none'
        WHEN j.list = severity(d.decision) THEN 'list'
        WHEN j.score = severity(d.decision)
            AND j.hit IS DISTINCT FROM j.score THEN 'score'
        WHEN j.rule = severity(d.decision) THEN 'rule'
        WHEN j.provider = severity(d.decision) THEN 'provider'
        WHEN j.mode = severity(d.decision) THEN 'mode'
        ELSE 'window' END, j.hits
FROM (
    SELECT h.n, bool_or(h.by = 'list' AND h.word = 'allow') AS list_allows,
        bool_or(h.is_allowed) AS rule_allows,
        max(severity(h.word)) FILTER (WHERE h.by = 'rule') AS rule,
        max(severity(h.word)) FILTER (WHERE h.by = 'list') AS list,
        max(severity(h.word)) FILTER (WHERE h.by = 'provider'
            AND NOT h.is_shadow) AS provider,
        max(severity(h.word)) FILTER (WHERE h.by = 'hit') AS hit,
        max(severity(h.word)) FILTER (WHERE h.by = 'score') AS score,
        max(severity(h.word)) FILTER (WHERE h.by = 'mode'
            AND NOT h.is_shadow) AS mode,
        max(severity(h.word)) FILTER (WHERE NOT h.is_shadow) AS worst,
        coalesce(jsonb_agg(h.hit ORDER BY h.place, h.hit)
                 FILTER (WHERE h.hit IS NOT NULL), '[]') AS hits
    FROM (
        SELECT n, 'rule' AS by, p_risk[n] ->> 'decision' AS word,
            p_risk[n] -> 'allowed' = 'true' AS is_allowed,
            false AS is_shadow, NULL::jsonb AS hit, 0::bigint AS place
        FROM unnest(p_items) n
        UNION ALL
        -- their words are in the gateway's decision
        SELECT x.n::int, 'hit', CASE WHEN x.shadow = 0 THEN x.word END,
            false, true, jsonb_build_object(
            'by', 'rule', 'name', x.name, 'then', x.word,
            'shadow', x.shadow = 1), x.place
        FROM unnest((p_rows).hit_item, (p_rows).hit_name, (p_rows).hit_word,
                    (p_rows).hit_shadow) WITH ORDINALITY
            AS x (n, name, word, shadow, place)
        WHERE x.n = ANY (p_items)
        UNION ALL
        SELECT n, 'score', CASE WHEN s.score -> 'shadow' = 'false'
                                THEN s.score ->> 'then' END,
            false, true, jsonb_build_object('by', 'score', 'name', 'score',
                'then', s.score -> 'then', 'shadow', s.score -> 'shadow'),
            999999999
        FROM unnest(p_items) n
        CROSS JOIN LATERAL (SELECT p_risk[n] -> 'score' AS score) s
        WHERE s.score ? 'then'
        UNION ALL
        -- lists come before windows
        SELECT f.n::int, f.by, f.word, false, f.shadow, f.hit,
            1000000000 + (f.by <> 'list')::int
        FROM unnest((p_found).items, (p_found).bys, (p_found).words,
                    (p_found).shadows, (p_found).hits)
            AS f (n, by, word, shadow, hit)) h
    GROUP BY h.n) j
CROSS JOIN LATERAL (
    SELECT CASE WHEN j.list_allows OR j.rule_allows THEN 'allow'
        ELSE ('{allow,challenge,review,block}'::text[])[j.worst]
        END AS decision
    OFFSET 0) d
$$;
COMMENT ON FUNCTION pay.judge_risk IS
    'The decisions about items of begin_payment, and their reasons';


-- Rows of all kinds are grouped at once: a join of them would read all rows for
-- each item.  Lists are put together as text, as jsonb is written, which costs
-- less than a list of jsonb for each row: of their values only a domain may need
-- an escape, see risk_value_ok().  p_texts: p_risk as text.
CREATE OR REPLACE FUNCTION pay.insert_decisions(
    p_items int[], p_words text[], p_bys text[], p_hits jsonb[],
    p_merchant_id text[], p_checkout_id text[], p_risk jsonb[],
    p_texts text[], p_rows risk_rows)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_count int;
BEGIN
    INSERT INTO risk_decision (merchant_id, checkout_id, decision, decided_by,
        hits, facts, keys, has_address, counted, inputs_hash, version,
        features, score, buyer, device)
    SELECT p_merchant_id[d.n], p_checkout_id[d.n], p_words[d.k], p_bys[d.k],
        p_hits[d.k], r.risk -> 'facts', coalesce(d.keys, '[]')::jsonb,
        coalesce(d.has_address, false),
        ('[' || coalesce(d.counted, '') || ']')::jsonb,
        sha256(convert_to(concat_ws(E'\n', p_texts[d.n], d.keys, d.windows),
                          'UTF8')),
        r.risk ->> 'version', r.risk -> 'features', r.risk -> 'score',
        decode(r.risk ->> 'buyer', 'hex'), decode(r.risk ->> 'device', 'hex')
    FROM (
        SELECT x.n, max(x.k) AS k,
            '[' || string_agg(x.key, ', ') || ']' AS keys,
            bool_or(x.is_address) AS has_address,
            max(x.counted) AS counted, max(x.lines) AS windows
        FROM (
            SELECT u.n, u.k, NULL AS key, NULL::boolean AS is_address,
                NULL AS counted, NULL AS lines
            FROM unnest(p_items) WITH ORDINALITY AS u (n, k)
            UNION ALL
            SELECT k.n::int, NULL, CASE WHEN k.kind = 'email_domain'
                    THEN '["email_domain", ' || to_json(k.value)::text || ']'
                    ELSE '["' || k.kind || '", "' || k.value || '"]' END,
                k.kind = 'ip' AND (k.value LIKE '%/32'
                    OR k.value LIKE '%/64' OR k.value LIKE '%/128'),
                NULL, NULL
            FROM unnest(p_rows.key_item, p_rows.key_kind, p_rows.key_value)
                AS k (n, kind, value)
            UNION ALL
            SELECT w.n::int, NULL, NULL, NULL, string_agg(DISTINCT
                '["' || w.key || '", "' || w.hash || '"]', ', '),
                string_agg(concat_ws(' ', w.name, w.key, w.hash, w.hours,
                    w.measure, w.threshold, w.currency, w.word, w.shadow),
                    E'\n')
            FROM unnest(p_rows.window_item, p_rows.window_name,
                p_rows.window_key, p_rows.window_hash, p_rows.window_hours,
                p_rows.window_measure, p_rows.window_threshold,
                p_rows.window_currency, p_rows.window_word,
                p_rows.window_shadow)
                AS w (n, name, key, hash, hours, measure, threshold,
                      currency, word, shadow)
            GROUP BY w.n) x
        GROUP BY x.n
        HAVING count(x.k) > 0) d
    CROSS JOIN LATERAL (SELECT p_risk[d.n] AS risk OFFSET 0) r;
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.insert_decisions IS
    'Writes the decisions about items of begin_payment; how many';


-- Counts, decides, and writes it down.  The checkout has the gateway's word
-- already, see insert_checkouts().  Most payments meet no rule, no list and no
-- limit, and need no judgement.  is_changed: a word may be another than the
-- gateway's.
CREATE OR REPLACE FUNCTION pay.keep_decisions(
    p_items int[], p_merchant_id text[], p_checkout_id text[],
    p_currency text[], p_total_minor bigint[], p_risk jsonb[],
    p_texts text[], p_rows risk_rows, OUT items int[], OUT words text[],
    OUT is_changed boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_found risk_findings := no_findings();
    v_has   record;
    v_bys   text[];
    v_hits  jsonb[];
    v_near  bigint[];
    v_count int;
BEGIN
    -- as it is when nobody finds anything; a look for all costs one statement
    SELECT array_agg(u.n) AS items, array_agg(u.risk ->> 'decision') AS words,
        array_agg(CASE WHEN u.risk ->> 'decision' = 'allow'
                           AND u.risk -> 'allowed' = 'false' THEN 'none'
                       ELSE 'rule' END) AS bys,
        array_agg('[]'::jsonb) AS hits,
        bool_or(u.risk ? 'provider') AS provider,
        coalesce(bool_or(u.risk -> 'score' ? 'then'), false) AS score,
        EXISTS (SELECT FROM risk_mode) AS mode
    INTO v_has
    FROM (SELECT n, p_risk[n] AS risk FROM unnest(p_items) n OFFSET 0) u;

    IF p_rows.key_item <> '{}' THEN
        v_found := list_findings(p_items, p_merchant_id, p_rows);
    END IF;

    IF v_has.provider THEN
        v_found := join_findings(v_found, provider_findings(p_items, p_risk));
    END IF;

    IF v_has.mode THEN
        v_found := join_findings(v_found,
                                 mode_findings(p_items, p_merchant_id));
    END IF;

    IF p_rows.window_item <> '{}' THEN
        v_count := count_attempts(p_items, p_merchant_id, p_currency,
                                  p_total_minor, p_rows);
        v_near := near_windows(p_items, p_merchant_id, p_rows);
        IF v_near <> '{}' THEN
            v_found := join_findings(join_findings(v_found,
                count_findings(p_items, p_merchant_id, p_rows, v_near)),
                sum_findings(p_items, p_merchant_id, p_currency,
                             p_total_minor, p_rows, v_near));
        END IF;
    END IF;

    IF v_found.items = '{}' AND p_rows.hit_item = '{}' AND NOT v_has.score
    THEN
        items := v_has.items;
        words := v_has.words;
        v_bys := v_has.bys;
        v_hits := v_has.hits;
    ELSE
        SELECT array_agg(j.n), array_agg(j.decision), array_agg(j.decided_by),
            array_agg(j.hits)
        INTO items, words, v_bys, v_hits
        FROM judge_risk(p_items, p_risk, p_rows, v_found) j;
    END IF;

    v_count := insert_decisions(items, words, v_bys, v_hits, p_merchant_id,
                                p_checkout_id, p_risk, p_texts, p_rows);

    -- a rule that allows ends all: the gateway's word has the other rules'
    is_changed := v_found.items <> '{}' OR p_rows.hit_item <> '{}';
    IF NOT is_changed THEN
        RETURN;
    END IF;

    UPDATE checkout c
    SET risk = words[u.k]
    FROM unnest(items) WITH ORDINALITY u (n, k)
    CROSS JOIN LATERAL (
        SELECT x.tableoid AS part, x.ctid AS tid FROM checkout x
        WHERE x.merchant_id = p_merchant_id[u.n]
            AND x.checkout_id = p_checkout_id[u.n]
        OFFSET 0) x
    WHERE words[u.k] <> p_risk[u.n] ->> 'decision'
        AND c.ctid = x.tid AND c.tableoid = x.part;
END
$$;
COMMENT ON FUNCTION pay.keep_decisions IS
    'Decides about items of begin_payment, and keeps the decisions';
