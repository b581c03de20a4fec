-- Risk, the part of begin_payment that PostgreSQL decides: lists, and windows of
-- hours over counters.  The argument risk is NULL where nothing is looked at,
-- else an object that the gateway has made of the request:
--   {"version": hex of the hash of its rules,
--    "decision": the most severe of its rules and of its windows in memory,
--    "allowed": a rule says that nothing else counts,
--    "hits": [{"name": …, "then": …, "shadow": …}, …],
--    "facts": {…}, without personal data, to be kept with the decision,
--    "keys": [[kind, value], …], looked up in the lists,
--    "windows": [{"name": …, "key": kind, "hash": value, "hours": 1 to 720,
--                 "of": "attempts", "declines" or "amount", "limit": …,
--                 "currency": of an amount, whose minor units limit is in,
--                 "then": …, "shadow": …}, …]}
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
    WHEN p_kind IN ('email', 'phone', 'buyer', 'device', 'card')
        THEN octet_length(p_value) = 64 AND p_value !~ '[^0-9a-f]'
    WHEN p_kind = 'ip'
        THEN octet_length(p_value) <= 49 AND p_value ~ '^[0-9a-f.:]+/[0-9]+$'
    WHEN p_kind = 'email_domain'
        THEN octet_length(p_value) BETWEEN 1 AND 253
            AND p_value !~ '[A-Z[:space:]]'
    WHEN p_kind = 'country'
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


CREATE OR REPLACE FUNCTION pay.risk_hit_ok(p_hit jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(jsonb_typeof(p_hit -> 'name') = 'string'
    AND octet_length(p_hit ->> 'name') BETWEEN 1 AND 64
    AND jsonb_typeof(p_hit -> 'shadow') = 'boolean'
    AND p_hit -> 'then' IN ('"allow"', '"challenge"', '"review"', '"block"'),
    false)
$$;
COMMENT ON FUNCTION pay.risk_hit_ok IS
    'Whether the members are right that hits and windows have in common';


CREATE OR REPLACE FUNCTION pay.risk_window_ok(p_window jsonb)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_names text[] := '{name,key,hash,hours,of,limit,then,shadow}';
    v_of    text;
BEGIN
    IF jsonb_typeof(p_window) IS DISTINCT FROM 'object' THEN
        RETURN false;
    END IF;

    v_of := p_window ->> 'of';
    RETURN coalesce(has_members(p_window, CASE v_of WHEN 'amount'
                THEN v_names || '{currency}'::text[] ELSE v_names END)
        AND risk_hit_ok(p_window) AND p_window ->> 'then' <> 'allow'
        AND v_of IN ('attempts', 'declines', 'amount')
        AND jsonb_typeof(p_window -> 'hash') = 'string'
        AND p_window ->> 'key' IN ('ip', 'ip_net', 'email', 'phone', 'buyer',
                                   'device', 'seller', 'merchant')
        AND octet_length(p_window ->> 'hash') = 64
        AND p_window ->> 'hash' !~ '[^0-9a-f]'
        AND jsonb_typeof(p_window -> 'hours') = 'number'
        AND octet_length(p_window ->> 'hours') <= 3
        AND p_window ->> 'hours' !~ '[^0-9]'
        AND (p_window ->> 'hours')::int BETWEEN 1 AND 720
        AND jsonb_typeof(p_window -> 'limit') = 'number'
        AND octet_length(p_window ->> 'limit') <= 15
        AND p_window ->> 'limit' !~ '[^0-9]'
        AND (v_of <> 'amount' OR EXISTS (
            SELECT FROM currency k WHERE k.code = p_window ->> 'currency'))
        , false);
END
$$;
COMMENT ON FUNCTION pay.risk_window_ok IS
    'Whether begin_payment can take this window';


CREATE OR REPLACE FUNCTION pay.risk_lists_ok(p_risk jsonb)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(bool_and(
                risk_hit_ok(h) AND has_members(h, '{name,then,shadow}')), true)
            FROM jsonb_array_elements(p_risk -> 'hits') h)
        AND (SELECT coalesce(bool_and(CASE
                WHEN jsonb_typeof(k) <> 'array' THEN false
                ELSE jsonb_array_length(k) = 2
                    AND jsonb_typeof(k -> 0) = 'string'
                    AND jsonb_typeof(k -> 1) = 'string'
                    AND risk_value_ok(k ->> 0, k ->> 1) END), true)
             FROM jsonb_array_elements(p_risk -> 'keys') k)
        -- of the same one twice nobody could say which attempt is whose
        AND (SELECT coalesce(bool_and(risk_window_ok(w)), true)
                 AND count(*) = count(DISTINCT (w ->> 'name', w ->> 'key',
                                                w ->> 'hash'))
             FROM jsonb_array_elements(p_risk -> 'windows') w);
END
$$;
COMMENT ON FUNCTION pay.risk_lists_ok IS
    'Whether begin_payment can take these hits, keys and windows';


CREATE OR REPLACE FUNCTION pay.risk_ok(p_risk jsonb)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT has_members(p_risk, '{version,decision,allowed,hits,facts,keys,'
                               'windows}')
        OR EXISTS (
            SELECT FROM unnest('{hits,keys,windows}'::text[]) a
            WHERE CASE jsonb_typeof(p_risk -> a)
                WHEN 'array' THEN jsonb_array_length(p_risk -> a) > 64
                ELSE true END)
    THEN
        RETURN false;
    END IF;

    RETURN jsonb_typeof(p_risk -> 'version') = 'string'
        AND octet_length(p_risk ->> 'version') BETWEEN 1 AND 64
        AND p_risk ->> 'version' !~ '[^0-9a-f]'
        AND p_risk -> 'decision' IN ('"allow"', '"challenge"', '"review"',
                                     '"block"')
        AND jsonb_typeof(p_risk -> 'allowed') = 'boolean'
        AND jsonb_typeof(p_risk -> 'facts') = 'object'
        AND octet_length(p_risk ->> 'facts') <= 4096
        AND risk_lists_ok(p_risk);
END
$$;
COMMENT ON FUNCTION pay.risk_ok IS
    'Whether begin_payment can take these findings';


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


-- The windows of items.  later, later_minor: the attempts and amounts of items
-- behind this one that come with the same key.  All of a batch is counted
-- before it is judged, and an item must not suffer from those behind it.
CREATE OR REPLACE FUNCTION pay.risk_windows(
    p_items int[], p_merchant_id text[], p_currency text[],
    p_total_minor bigint[], p_risk jsonb[])
RETURNS TABLE (
    n int, merchant_id text, kind text, value text, name text, hours int,
    measure text, threshold bigint, currency text, word text, is_shadow boolean,
    later bigint, later_minor numeric)
LANGUAGE sql STABLE AS $$
SELECT x.n, p_merchant_id[x.n], x.key, x.hash, x.name, x.hours, x."of",
    x."limit", x.currency, x."then", x.shadow, count(*) OVER w,
    coalesce(sum(CASE WHEN x."of" = 'amount' THEN amount_in(
        p_total_minor[x.n], p_currency[x.n], x.currency) END) OVER w, 0)
FROM (
    SELECT n, r.*
    FROM unnest(p_items) n
    CROSS JOIN LATERAL jsonb_to_recordset(p_risk[n] -> 'windows') AS r (
        name text, key text, hash text, hours int, "of" text, "limit" bigint,
        currency text, "then" text, shadow boolean)) x
WINDOW w AS (PARTITION BY p_merchant_id[x.n], x.key, x.hash, x.name
             ORDER BY x.n RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
$$;
COMMENT ON FUNCTION pay.risk_windows IS
    'The windows of items of begin_payment, as rows';


-- One row for each key and hour, locked in key order.  An amount is only
-- counted for a window of amounts.
CREATE OR REPLACE FUNCTION pay.count_attempts(
    p_items int[], p_merchant_id text[], p_currency text[],
    p_total_minor bigint[], p_risk jsonb[])
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
            SELECT n, (w ->> 'key') COLLATE "C" AS kind,
                (w ->> 'hash') COLLATE "C" AS value,
                bool_or(w ->> 'of' = 'amount') AS has_amount
            FROM unnest(p_items) n
            CROSS JOIN LATERAL jsonb_array_elements(p_risk[n] -> 'windows') w
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
    'Counts items of begin_payment with each key of their windows';


-- A window of h hours has the hour that has begun and the h whole ones before
-- it, so that it never misses a part of its time.  An amount that no rate
-- converts makes the sum unknown.  That is a hit, but for it alone nobody is
-- blocked: review is the most.  The rows of this hour are locked.
CREATE OR REPLACE FUNCTION pay.window_hits(
    p_items int[], p_merchant_id text[], p_currency text[],
    p_total_minor bigint[], p_risk jsonb[])
RETURNS TABLE (n int, word text, is_shadow boolean, hit jsonb)
LANGUAGE sql STABLE AS $$
SELECT w.n, f.word, w.is_shadow,
    jsonb_strip_nulls(jsonb_build_object('by', 'window', 'name', w.name,
        'then', f.word, 'shadow', w.is_shadow,
        'unknown', nullif(s.is_unknown, false)))
FROM risk_windows(p_items, p_merchant_id, p_currency, p_total_minor, p_risk) w
CROSS JOIN LATERAL (
    SELECT sum(CASE w.measure WHEN 'attempts' THEN c.attempts
                              ELSE c.declines END) AS seen
    FROM risk_counter c
    WHERE c.merchant_id = w.merchant_id AND c.kind = w.kind
        AND c.value = w.value
        AND c.hour >= this_hour() - make_interval(hours => w.hours)
    OFFSET 0) c
LEFT JOIN LATERAL (
    SELECT sum(amount_in(m.minor, m.key, w.currency)) AS seen,
        bool_or(amount_in(m.minor, m.key, w.currency) IS NULL) AS is_unknown
    FROM (
        SELECT a.key, sum(a.value::numeric) AS minor
        FROM risk_counter c
        CROSS JOIN LATERAL jsonb_each_text(c.amounts) a
        WHERE w.measure = 'amount'
            AND c.merchant_id = w.merchant_id AND c.kind = w.kind
            AND c.value = w.value
            AND c.hour >= this_hour() - make_interval(hours => w.hours)
        GROUP BY a.key) m
    OFFSET 0) s ON true
CROSS JOIN LATERAL (
    SELECT CASE WHEN s.is_unknown AND w.word = 'block' THEN 'review'
                ELSE w.word END AS word) f
WHERE s.is_unknown OR w.threshold < CASE w.measure
    WHEN 'amount' THEN s.seen - w.later_minor
    WHEN 'attempts' THEN c.seen - w.later
    ELSE c.seen END
$$;
COMMENT ON FUNCTION pay.window_hits IS
    'Windows of items of begin_payment that are beyond their limits';


-- The entries that are about keys of items.  A hit names its kind, not the value.
CREATE OR REPLACE FUNCTION pay.list_hits(
    p_items int[], p_merchant_id text[], p_risk jsonb[])
RETURNS TABLE (n int, word text, hit jsonb)
LANGUAGE sql STABLE AS $$
SELECT n, l.effect, jsonb_build_object('by', 'list', 'name', l.kind,
    'then', l.effect, 'shadow', false, 'entry', l.list_id)
FROM unnest(p_items) n
CROSS JOIN LATERAL jsonb_array_elements(p_risk[n] -> 'keys') k
CROSS JOIN LATERAL (
    SELECT e.effect, e.kind, e.list_id FROM risk_list e
    WHERE e.value = k ->> 1 AND e.kind = k ->> 0
        AND e.merchant_id IN (p_merchant_id[n], '*')
        AND (e.until IS NULL OR e.until > now())
    OFFSET 0) l
$$;
COMMENT ON FUNCTION pay.list_hits IS
    'Entries of lists about keys of items of begin_payment';


-- 1 for allow up to 4 for block.
CREATE OR REPLACE FUNCTION pay.severity(p_word text)
RETURNS int LANGUAGE sql IMMUTABLE AS $$
SELECT array_position('{allow,challenge,review,block}', p_word)
$$;
COMMENT ON FUNCTION pay.severity IS 'How severe a decision is';


-- An allow, of a list or of a rule, ends all.  Else the most severe word of the
-- gateway, of the lists and of the windows counts.  Hits in shadow are written
-- down and count nowhere.
CREATE OR REPLACE FUNCTION pay.judge_risk(
    p_items int[], p_merchant_id text[], p_currency text[],
    p_total_minor bigint[], p_risk jsonb[])
RETURNS TABLE (n int, decision text, decided_by text, hits jsonb)
LANGUAGE sql STABLE AS $$
SELECT j.n, d.decision, CASE
        WHEN j.list_allows THEN 'list'
        WHEN j.rule_allows THEN 'rule'
        WHEN d.decision = 'allow' THEN 'none'
        WHEN j.list = severity(d.decision) THEN 'list'
        WHEN j.rule = severity(d.decision) THEN 'rule'
        ELSE 'window' END, j.hits
FROM (
    SELECT h.n, bool_or(h.by = 'list' AND h.word = 'allow') AS list_allows,
        bool_or(h.by = 'rule' AND h.is_allowed) AS rule_allows,
        max(severity(h.word)) FILTER (WHERE h.by = 'rule') AS rule,
        max(severity(h.word)) FILTER (WHERE h.by = 'list') AS list,
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
        SELECT n, 'hit', NULL, NULL, true, x.hit || '{"by": "rule"}', x.place
        FROM unnest(p_items) n
        CROSS JOIN LATERAL jsonb_array_elements(p_risk[n] -> 'hits')
            WITH ORDINALITY x (hit, place)
        UNION ALL
        SELECT l.n, 'list', l.word, NULL, false, l.hit, 100
        FROM list_hits(p_items, p_merchant_id, p_risk) l
        UNION ALL
        SELECT w.n, 'window', w.word, NULL, w.is_shadow, w.hit, 200
        FROM window_hits(p_items, p_merchant_id, p_currency, p_total_minor,
                         p_risk) w) h
    GROUP BY h.n) j
CROSS JOIN LATERAL (
    SELECT CASE WHEN j.list_allows OR j.rule_allows THEN 'allow'
        ELSE ('{allow,challenge,review,block}'::text[])[j.worst]
        END AS decision
    OFFSET 0) d
$$;
COMMENT ON FUNCTION pay.judge_risk IS
    'The decisions about items of begin_payment, and their reasons';


-- Counts, decides, and writes it down.  The checkout has the gateway's word
-- already, see insert_checkouts().
CREATE OR REPLACE FUNCTION pay.keep_decisions(
    p_items int[], p_merchant_id text[], p_checkout_id text[],
    p_currency text[], p_total_minor bigint[], p_risk jsonb[],
    OUT items int[], OUT words text[])
LANGUAGE plpgsql AS $$
DECLARE
    v_counted int := count_attempts(p_items, p_merchant_id, p_currency,
                                    p_total_minor, p_risk);
    v_bys     text[];
    v_hits    jsonb[];
BEGIN
    SELECT array_agg(j.n), array_agg(j.decision), array_agg(j.decided_by),
        array_agg(j.hits)
    INTO items, words, v_bys, v_hits
    FROM judge_risk(p_items, p_merchant_id, p_currency, p_total_minor,
                    p_risk) j;

    INSERT INTO risk_decision (merchant_id, checkout_id, decision, decided_by,
        hits, facts, keys, counted, inputs_hash, version)
    SELECT p_merchant_id[n], p_checkout_id[n], words[k], v_bys[k], v_hits[k],
        p_risk[n] -> 'facts', p_risk[n] -> 'keys', (
            SELECT coalesce(jsonb_agg(DISTINCT
                jsonb_build_array(w -> 'key', w -> 'hash')), '[]')
            FROM jsonb_array_elements(p_risk[n] -> 'windows') w),
        sha256(convert_to(p_risk[n]::text, 'UTF8')), p_risk[n] ->> 'version'
    FROM unnest(items) WITH ORDINALITY u (n, k);

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


-- Nothing was sent, nothing will be, and no page waits for its end.  A checkout
-- whose place it was to take keeps it.
CREATE OR REPLACE FUNCTION pay.block_checkouts(
    p_items int[], p_merchant_id text[], p_checkout_id text[], p_psp text[],
    p_request_id text[], p_terms jsonb[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE checkout c
    SET state = 'REFUSED', code = 'risk', lease_until = NULL,
        first_call = NULL, open_attempts = 0
    FROM unnest(p_items) n
    CROSS JOIN LATERAL (
        SELECT x.tableoid AS part, x.ctid AS tid FROM checkout x
        WHERE x.merchant_id = p_merchant_id[n]
            AND x.checkout_id = p_checkout_id[n]
        OFFSET 0) x
    WHERE c.ctid = x.tid AND c.tableoid = x.part;

    UPDATE checkout c
    SET replaced_by = NULL
    FROM unnest(p_items) n
    CROSS JOIN LATERAL (
        SELECT x.tableoid AS part, x.ctid AS tid FROM checkout x
        WHERE x.merchant_id = p_merchant_id[n]
            AND x.checkout_id = p_terms[n] ->> 'replaces'
            AND x.replaced_by = p_checkout_id[n]
        OFFSET 0) x
    WHERE p_terms[n] ->> 'replaces' IS NOT NULL
        AND c.ctid = x.tid AND c.tableoid = x.part;

    PERFORM record_facts(ARRAY(
        SELECT ROW(n, NULL, p_merchant_id[n], p_checkout_id[n], 'blocked',
            'gateway', p_psp[n], NULL, NULL, NULL, NULL, NULL, NULL, NULL,
            p_request_id[n], NULL, NULL, NULL, NULL)::fact
        FROM unnest(p_items) n ORDER BY n));
END
$$;
COMMENT ON FUNCTION pay.block_checkouts IS
    'Fails new checkouts of which nothing was sent';


-- Until an operator ends the hold, see pay_ops.hold_payouts().
CREATE OR REPLACE FUNCTION pay.hold_for_review(
    p_items int[], p_merchant_id text[], p_checkout_id text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH held AS (
        INSERT INTO payout_hold (merchant_id, seller_account,
            payment_order_id, why)
        SELECT o.merchant_id, o.seller_account, o.payment_order_id,
            'to be reviewed'
        FROM unnest(p_items) n
        CROSS JOIN LATERAL orders_of(p_merchant_id[n], p_checkout_id[n]) o
        ORDER BY 1, 2, 3
        ON CONFLICT DO NOTHING
        RETURNING merchant_id, payment_order_id, why
    )
    INSERT INTO payout_act (merchant_id, subject, subject_id, act, who, why,
        detail)
    SELECT h.merchant_id, 'order', h.payment_order_id, 'held', 'risk', h.why,
        '{}'
    FROM held h;
END
$$;
COMMENT ON FUNCTION pay.hold_for_review IS
    'Holds the pay-outs of orders that are to be reviewed';


-- The end of begin_payment for items that were looked at.  It is behind all
-- rounds of it: counters are the last rows that a transaction locks, and many
-- payments wait for one of them.
CREATE OR REPLACE FUNCTION pay.look_at_risk(
    p_items int[], p_waits int[], p_merchant_id text[], p_checkout_id text[],
    p_psp text[], p_currency text[], p_total_minor bigint[],
    p_lease_ms bigint[], p_request_id text[], p_terms jsonb[],
    p_risk jsonb[])
RETURNS SETOF pay_api.checkout_row LANGUAGE plpgsql AS $$
DECLARE
    v_found   record := keep_decisions(p_items, p_merchant_id, p_checkout_id,
                                       p_currency, p_total_minor, p_risk);
    v_blocked int[];
    v_review  int[];
BEGIN
    SELECT coalesce(array_agg(u.n) FILTER (WHERE u.word = 'block'), '{}'),
        coalesce(array_agg(u.n) FILTER (WHERE u.word = 'review'), '{}')
    INTO v_blocked, v_review
    FROM unnest(v_found.items, v_found.words) u (n, word);

    IF v_review <> '{}' THEN
        PERFORM hold_for_review(v_review, p_merchant_id, p_checkout_id);
    END IF;

    IF v_blocked <> '{}' THEN
        PERFORM block_checkouts(v_blocked, p_merchant_id, p_checkout_id,
                                p_psp, p_request_id, p_terms);
    END IF;

    IF p_terms::text LIKE '%"replaces%' THEN
        PERFORM close_replaced(ARRAY(
                SELECT n FROM unnest(p_items) n WHERE n <> ALL (v_blocked)),
            p_waits, p_merchant_id, p_checkout_id, p_lease_ms, p_request_id,
            p_terms);
    END IF;

    RETURN QUERY
    SELECT n, CASE WHEN n = ANY (v_blocked) THEN 'blocked'
                   WHEN n = ANY (p_waits) THEN 'waiting'
                   ELSE 'created' END, s.*
    FROM unnest(p_items) n
    CROSS JOIN LATERAL state_of(p_merchant_id[n], p_checkout_id[n]) s
    ORDER BY 1, s.place;
END
$$;
COMMENT ON FUNCTION pay.look_at_risk IS
    'Decides about new checkouts, and carries the decisions out';


-- Locked checkouts that have just been declined count with each key of their
-- windows.  declined_at makes that once for each: webhooks come twice.
-- Counters are the last rows that a transaction locks, in key order.
CREATE OR REPLACE FUNCTION pay.count_declines(
    p_merchant_id text[], p_checkout_id text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH declined AS (
        UPDATE risk_decision d
        SET declined_at = clock_timestamp()
        FROM (SELECT DISTINCT * FROM unnest(p_merchant_id, p_checkout_id))
            AS u (merchant_id, checkout_id)
        CROSS JOIN LATERAL (
            SELECT x.ctid AS tid FROM risk_decision x
            WHERE x.merchant_id = u.merchant_id
                AND x.checkout_id = u.checkout_id
                AND x.declined_at IS NULL
            OFFSET 0) x
        CROSS JOIN LATERAL (
            SELECT FROM payment_order o
            WHERE o.merchant_id = u.merchant_id
                AND o.checkout_id = u.checkout_id AND o.status = 'FAILED'
                AND o.reason = 'declined'
            LIMIT 1) o
        WHERE d.ctid = x.tid
        RETURNING d.merchant_id, d.counted
    )
    INSERT INTO risk_counter AS c (merchant_id, kind, value, hour, attempts,
        declines, amounts)
    SELECT d.merchant_id COLLATE "C", (k ->> 0) COLLATE "C",
        (k ->> 1) COLLATE "C", this_hour(), 0, count(*), '{}'
    FROM declined d
    CROSS JOIN LATERAL jsonb_array_elements(d.counted) k
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (merchant_id, kind, value, hour) DO UPDATE
    SET declines = c.declines + EXCLUDED.declines;
END
$$;
COMMENT ON FUNCTION pay.count_declines IS
    'Counts checkouts that were declined with the keys of their windows';
