-- Risk, the part of begin_payment that PostgreSQL decides: lists, and windows of
-- hours over counters.  The argument risk is NULL where nothing is looked at,
-- else an object that the gateway has made of the request:
--   {"version": hex of the hash of its rules,
--    "decision": the most severe of its rules and of its windows in memory,
--    "allowed": a rule says that nothing else counts,
--    "facts": {…}, without personal data, to be kept with the decision,
--    "buyer": hex of the keyed hash of who buys, see 29_risk_buyer.sql; absent:
--     nobody knows,
--    "provider": {…}, the word of an external provider, see provider_ok();
--     absent: none was asked}
-- and, where a checkout was scored, the members features and score, whose
-- members then and shadow say which decision the total asks for, see
-- risk_score_ok().  The decision has the score in it already.
-- Its rows are risk_hits (rules and windows that have hit), risk_keys (looked up
-- in the lists) and risk_windows (counted here); see wrong_risk_rows().
-- An attempt is counted first and judged by the sum that it is part of, in rows
-- that stay locked: of any number at once no more than the limit get through.
-- Private to schema pay.

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
            THEN has_members(p_object - p_optional, p_names)
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


CREATE OR REPLACE FUNCTION pay.risk_ok(p_risk jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(has_members_of(p_risk, '{version,decision,allowed,facts}',
                               '{buyer,provider,features,score}')
    AND (NOT p_risk ? 'buyer' OR risk_value_ok('buyer', p_risk ->> 'buyer'))
    AND (NOT p_risk ? 'provider' OR provider_ok(p_risk -> 'provider'))
    AND (NOT p_risk ? 'features'
         OR jsonb_typeof(p_risk -> 'features') = 'object'
            AND octet_length(p_risk ->> 'features') <= 4096)
    AND (NOT p_risk ? 'score' OR risk_score_ok(p_risk -> 'score'))
    AND jsonb_typeof(p_risk -> 'version') = 'string'
    AND octet_length(p_risk ->> 'version') BETWEEN 1 AND 64
    AND p_risk ->> 'version' !~ '[^0-9a-f]'
    AND jsonb_typeof(p_risk -> 'decision') = 'string'
    AND severity(p_risk ->> 'decision') IS NOT NULL
    AND jsonb_typeof(p_risk -> 'allowed') = 'boolean'
    AND jsonb_typeof(p_risk -> 'facts') = 'object'
    AND octet_length(p_risk ->> 'facts') <= 4096, false)
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
            WHERE (octet_length(w.name) BETWEEN 1 AND 64
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
                    END) IS NOT TRUE);
    END IF;

    IF cardinality(p_rows.window_item) > 1 THEN
        v_wrong := v_wrong || ARRAY(
            SELECT w.n::int
            FROM unnest(p_rows.window_item, p_rows.window_name,
                p_rows.window_key, p_rows.window_hash)
                AS w (n, name, key, hash)
            GROUP BY w.n, w.name, w.key, w.hash HAVING count(*) > 1);
    END IF;

    RETURN v_wrong;
END
$$;
COMMENT ON FUNCTION pay.wrong_risk_rows IS
    'Items of begin_payment with a hit, key or window that cannot be taken';


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
RETURNS void LANGUAGE plpgsql AS $$
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
END
$$;
COMMENT ON FUNCTION pay.count_attempts IS
    'Counts items of begin_payment with each key of their windows';


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
-- locked.  later: the attempts of items behind this one that come with the same
-- key.  All of a batch is counted before it is judged, and an item must not
-- suffer from those behind it.
CREATE OR REPLACE FUNCTION pay.count_findings(
    p_items int[], p_merchant_id text[], p_rows risk_rows)
RETURNS risk_findings LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_found risk_findings;
BEGIN
    IF NOT p_rows.window_measure && '{attempts,declines}' THEN
        RETURN no_findings();
    END IF;

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
            AS u (n, name, key, hash, hours, measure, threshold, word, shadow)
        WHERE u.n = ANY (p_items) AND u.measure <> 'amount') w
    CROSS JOIN LATERAL (
        SELECT sum(CASE w.measure WHEN 'attempts' THEN c.attempts
                                  ELSE c.declines END) AS seen
        FROM risk_counter c
        WHERE c.merchant_id = p_merchant_id[w.n] AND c.kind = w.key
            AND c.value = w.hash
            AND c.hour >= this_hour() - make_interval(hours => w.hours::int)
        OFFSET 0) c
    WHERE w.threshold < CASE w.measure
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
    p_total_minor bigint[], p_rows risk_rows)
RETURNS risk_findings LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_found risk_findings;
BEGIN
    IF NOT 'amount' = ANY (p_rows.window_measure) THEN
        RETURN no_findings();
    END IF;

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
            p_rows.window_word, p_rows.window_shadow)
            AS u (n, name, key, hash, hours, measure, threshold, currency,
                  word, shadow)
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
    WHERE s.is_unknown OR w.threshold < s.seen - w.later;

    RETURN v_found;
END
$$;
COMMENT ON FUNCTION pay.sum_findings IS
    'Windows of amounts of items of begin_payment that are beyond their limits';


-- The entries that are about keys of items.  A hit names its kind, not the value.
CREATE OR REPLACE FUNCTION pay.list_findings(
    p_items int[], p_merchant_id text[], p_rows risk_rows)
RETURNS risk_findings LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_found risk_findings;
BEGIN
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
    WHERE k.n = ANY (p_items);

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
-- an escape, see risk_value_ok().
CREATE OR REPLACE FUNCTION pay.insert_decisions(
    p_items int[], p_words text[], p_bys text[], p_hits jsonb[],
    p_merchant_id text[], p_checkout_id text[], p_risk jsonb[],
    p_rows risk_rows)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO risk_decision (merchant_id, checkout_id, decision, decided_by,
        hits, facts, keys, counted, inputs_hash, version, features, score,
        buyer)
    SELECT p_merchant_id[d.n], p_checkout_id[d.n], p_words[d.k], p_bys[d.k],
        p_hits[d.k], r.risk -> 'facts', coalesce(d.keys, '[]')::jsonb,
        concat('[', d.counted, ']')::jsonb,
        sha256(convert_to(concat_ws(E'\n', r.risk::text, d.keys, d.windows),
                          'UTF8')),
        r.risk ->> 'version', r.risk -> 'features', r.risk -> 'score',
        decode(r.risk ->> 'buyer', 'hex')
    FROM (
        SELECT x.n, max(x.k) AS k,
            '[' || string_agg(x.key, ', ') || ']' AS keys,
            string_agg(DISTINCT x.counted, ', ') AS counted,
            string_agg(x.line, E'\n') AS windows
        FROM (
            SELECT u.n, u.k, NULL AS key, NULL AS counted, NULL AS line
            FROM unnest(p_items) WITH ORDINALITY AS u (n, k)
            UNION ALL
            SELECT k.n::int, NULL, concat('["', k.kind, '", ',
                CASE WHEN k.kind = 'email_domain' THEN to_json(k.value)::text
                     ELSE concat('"', k.value, '"') END, ']'), NULL, NULL
            FROM unnest(p_rows.key_item, p_rows.key_kind, p_rows.key_value)
                AS k (n, kind, value)
            UNION ALL
            SELECT w.n::int, NULL, NULL,
                concat('["', w.key, '", "', w.hash, '"]'),
                concat_ws(' ', w.name, w.key, w.hash, w.hours, w.measure,
                    w.threshold, w.currency, w.word, w.shadow)
            FROM unnest(p_rows.window_item, p_rows.window_name,
                p_rows.window_key, p_rows.window_hash, p_rows.window_hours,
                p_rows.window_measure, p_rows.window_threshold,
                p_rows.window_currency, p_rows.window_word,
                p_rows.window_shadow)
                AS w (n, name, key, hash, hours, measure, threshold,
                      currency, word, shadow)) x
        GROUP BY x.n
        HAVING count(x.k) > 0) d
    CROSS JOIN LATERAL (SELECT p_risk[d.n] AS risk OFFSET 0) r;
END
$$;
COMMENT ON FUNCTION pay.insert_decisions IS
    'Writes the decisions about items of begin_payment';


-- Counts, decides, and writes it down.  The checkout has the gateway's word
-- already, see insert_checkouts().  Most payments meet no rule, no list and no
-- limit, and need no judgement.
CREATE OR REPLACE FUNCTION pay.keep_decisions(
    p_items int[], p_merchant_id text[], p_checkout_id text[],
    p_currency text[], p_total_minor bigint[], p_risk jsonb[],
    p_rows risk_rows, OUT items int[], OUT words text[])
LANGUAGE plpgsql AS $$
DECLARE
    v_found risk_findings := no_findings();
    v_more  risk_findings;
    v_has   record;
    v_bys   text[];
    v_hits  jsonb[];
BEGIN
    -- most batches have none of these, and a look for all costs one statement
    SELECT coalesce(bool_or(r ? 'provider'), false) AS provider,
        coalesce(bool_or(r -> 'score' ? 'then'), false) AS score,
        EXISTS (SELECT FROM risk_mode) AS mode
    INTO v_has
    FROM unnest(p_risk) r;

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
        PERFORM count_attempts(p_items, p_merchant_id, p_currency,
                               p_total_minor, p_rows);
        v_more := count_findings(p_items, p_merchant_id, p_rows);
        IF v_more.items <> '{}' THEN
            v_found := join_findings(v_found, v_more);
        END IF;

        v_more := sum_findings(p_items, p_merchant_id, p_currency,
                               p_total_minor, p_rows);
        IF v_more.items <> '{}' THEN
            v_found := join_findings(v_found, v_more);
        END IF;
    END IF;

    IF v_found.items = '{}' AND p_rows.hit_item = '{}' AND NOT v_has.score
    THEN
        SELECT array_agg(u.n), array_agg(u.word), array_agg(CASE
                WHEN u.word = 'allow' AND NOT u.is_allowed THEN 'none'
                ELSE 'rule' END), array_agg('[]'::jsonb)
        INTO items, words, v_bys, v_hits
        FROM (SELECT n, p_risk[n] ->> 'decision' AS word,
                  p_risk[n] -> 'allowed' = 'true' AS is_allowed
              FROM unnest(p_items) n) u;
    ELSE
        SELECT array_agg(j.n), array_agg(j.decision), array_agg(j.decided_by),
            array_agg(j.hits)
        INTO items, words, v_bys, v_hits
        FROM judge_risk(p_items, p_risk, p_rows, v_found) j;
    END IF;

    PERFORM insert_decisions(items, words, v_bys, v_hits, p_merchant_id,
                             p_checkout_id, p_risk, p_rows);

    -- a rule that allows ends all: the gateway's word has the other rules'
    IF v_found.items = '{}' AND p_rows.hit_item = '{}' THEN
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
