-- Lists of keys that are allowed, challenged, reviewed or blocked, for operators.
-- Every change is an act with the operator and the reason.  Decisions as
-- operators and auditors read them stand at the end.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Only prefixes of these lengths are looked up, each by its text.
CREATE OR REPLACE FUNCTION pay.is_risk_prefix(p_value text)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN p_value::cidr::text = p_value AND masklen(p_value::cidr) = ANY (
        CASE family(p_value::cidr) WHEN 4 THEN '{8,16,24,32}'::int[]
                                   ELSE '{32,48,64,128}' END);
EXCEPTION WHEN invalid_text_representation THEN
    RETURN false;
END
$$;
COMMENT ON FUNCTION pay.is_risk_prefix IS
    'Whether an address prefix can be looked up: its length, and its text';


CREATE OR REPLACE FUNCTION pay.risk_entry_ok(
    p_merchant_id text, p_effect text, p_kind text, p_value text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT id_ok(p_merchant_id)
    AND coalesce(severity(p_effect) IS NOT NULL, false)
    AND risk_value_ok(p_kind, p_value)
    AND (p_kind <> 'ip' OR is_risk_prefix(p_value))
    -- these are judged when the PSP was asked, too late for a challenge
    AND (p_effect <> 'challenge'
         OR p_kind NOT IN ('card', 'bin', 'card_country', 'browser'))
$$;
COMMENT ON FUNCTION pay.risk_entry_ok IS
    'Whether a list can have this entry';


-- One statement for any number of entries; of the same one twice the last counts.
-- An entry that is there already gets the new end, operator and reason.
CREATE OR REPLACE FUNCTION pay.store_risk_entries(
    p_merchant_id text, p_effect text[], p_kind text[], p_value text[],
    p_until timestamptz[], p_who text, p_why text,
    OUT added bigint, OUT changed bigint)
LANGUAGE plpgsql AS $$
BEGIN
    WITH stored AS (
        INSERT INTO risk_list AS l (merchant_id, effect, kind, value, until,
            who, why)
        SELECT DISTINCT ON (u.value COLLATE "C", u.kind COLLATE "C",
                            u.effect COLLATE "C")
            p_merchant_id, u.effect, u.kind, u.value, u.until, p_who, p_why
        FROM unnest(p_effect, p_kind, p_value, p_until) WITH ORDINALITY
            AS u (effect, kind, value, until, n)
        ORDER BY u.value COLLATE "C", u.kind COLLATE "C",
            u.effect COLLATE "C", u.n DESC
        ON CONFLICT (value, kind, merchant_id, effect) DO UPDATE
        SET until = EXCLUDED.until, who = EXCLUDED.who, why = EXCLUDED.why,
            at = EXCLUDED.at
        WHERE l.until IS DISTINCT FROM EXCLUDED.until
        RETURNING l.*, l.xmax = 0 AS is_new
    ), told AS (
        INSERT INTO risk_list_act (list_id, act, merchant_id, effect, kind,
            value, until, who, why)
        SELECT s.list_id, CASE WHEN s.is_new THEN 'added' ELSE 'changed' END,
            s.merchant_id, s.effect, s.kind, s.value, s.until, s.who, s.why
        FROM stored s
        RETURNING act
    )
    SELECT count(*) FILTER (WHERE t.act = 'added'),
        count(*) FILTER (WHERE t.act = 'changed')
    INTO added, changed
    FROM told t;
END
$$;
COMMENT ON FUNCTION pay.store_risk_entries IS
    'Writes entries of lists, and their acts';


CREATE OR REPLACE FUNCTION pay_ops.risk_list_add(
    p_merchant_id text, p_effect text, p_kind text, p_value text,
    p_until timestamptz, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_done record;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why)
        OR NOT risk_entry_ok(p_merchant_id, p_effect, p_kind, p_value)
        OR p_until <= now()
    THEN
        RETURN 'invalid';
    END IF;

    v_done := store_risk_entries(p_merchant_id, ARRAY[p_effect],
        ARRAY[p_kind], ARRAY[p_value], ARRAY[p_until], p_who, p_why);

    RETURN CASE WHEN v_done.added > 0 THEN 'added'
                WHEN v_done.changed > 0 THEN 'changed'
                ELSE 'unchanged' END;
END
$$;
COMMENT ON FUNCTION pay_ops.risk_list_add IS
    'Adds an entry to a list of a merchant (*: of all), or gives it another '
    'end: added, changed, unchanged or invalid';


CREATE OR REPLACE FUNCTION pay.list_values(
    p_merchant_id text, p_effect text, p_kind text, p_values text[],
    p_until timestamptz, p_who text, p_why text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_count int := cardinality(p_values);
    v_done  record;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why)
        OR (p_effect IN ('allow', 'review', 'block')) IS NOT TRUE
        OR p_until <= now()
    THEN
        RETURN 'invalid';
    ELSIF v_count = 0 THEN
        RETURN 'not_found';
    END IF;

    v_done := store_risk_entries(p_merchant_id,
        array_fill(p_effect, ARRAY[v_count]),
        array_fill(p_kind, ARRAY[v_count]), p_values,
        array_fill(p_until, ARRAY[v_count]), p_who, p_why);

    RETURN CASE WHEN v_done.added > 0 THEN 'added'
                WHEN v_done.changed > 0 THEN 'changed'
                ELSE 'unchanged' END;
END
$$;
COMMENT ON FUNCTION pay.list_values IS
    'Adds values of a kind that is judged after the PSP to a list: added, '
    'changed, unchanged, not_found (there are none) or invalid';


-- The cards and browsers of an order are known to operators by the order alone.
-- An order of another merchant is none.
CREATE OR REPLACE FUNCTION pay_ops.risk_list_add_cards(
    p_merchant_id text, p_effect text, p_payment_order_id text,
    p_until timestamptz, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    RETURN list_values(p_merchant_id, p_effect, 'card', ARRAY(
        SELECT DISTINCT c.card
        FROM find_order(p_merchant_id, p_payment_order_id) o
        JOIN risk_card c ON c.merchant_id = o.merchant_id
            AND c.checkout_id = o.checkout_id
        WHERE c.card IS NOT NULL), p_until, p_who, p_why);
END
$$;
COMMENT ON FUNCTION pay_ops.risk_list_add_cards IS
    'Adds the cards that an order was tried with to a list of its merchant: '
    'added, changed, unchanged, not_found or invalid';


CREATE OR REPLACE FUNCTION pay_ops.risk_list_add_browsers(
    p_merchant_id text, p_effect text, p_payment_order_id text,
    p_until timestamptz, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    RETURN list_values(p_merchant_id, p_effect, 'browser', ARRAY(
        SELECT DISTINCT b.browser
        FROM find_order(p_merchant_id, p_payment_order_id) o
        JOIN risk_browser b ON b.merchant_id = o.merchant_id
            AND b.checkout_id = o.checkout_id), p_until, p_who, p_why);
END
$$;
COMMENT ON FUNCTION pay_ops.risk_list_add_browsers IS
    'Adds the browsers in which the checkout of an order was opened to a list '
    'of its merchant: added, changed, unchanged, not_found or invalid';


CREATE OR REPLACE FUNCTION pay_ops.risk_list_remove(
    p_merchant_id text, p_effect text, p_kind text, p_value text,
    p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_entry risk_list;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    DELETE FROM risk_list l
    WHERE l.merchant_id = p_merchant_id AND l.effect = p_effect
        AND l.kind = p_kind AND l.value = p_value
    RETURNING * INTO v_entry;

    IF NOT FOUND THEN
        RETURN 'not_found';
    END IF;

    INSERT INTO risk_list_act (list_id, act, merchant_id, effect, kind, value,
        until, who, why)
    VALUES (v_entry.list_id, 'removed', p_merchant_id, p_effect, p_kind,
        p_value, v_entry.until, p_who, p_why);

    RETURN 'removed';
END
$$;
COMMENT ON FUNCTION pay_ops.risk_list_remove IS
    'Removes an entry from a list: removed, not_found or invalid';


-- All or nothing.  bad: the number of the first entry that is wrong.
CREATE OR REPLACE FUNCTION pay_ops.risk_list_import(
    p_merchant_id text, p_effect text[], p_kind text[], p_value text[],
    p_until timestamptz[], p_who text, p_why text,
    OUT outcome text, OUT added bigint, OUT changed bigint, OUT bad bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    outcome := 'invalid';
    IF NOT is_statement(p_who) OR NOT is_statement(p_why)
        OR (cardinality(p_value) BETWEEN 1 AND 100000
            AND cardinality(p_effect) = cardinality(p_value)
            AND cardinality(p_kind) = cardinality(p_value)
            AND cardinality(p_until) = cardinality(p_value)) IS NOT TRUE
    THEN
        RETURN;
    END IF;

    bad := (
        SELECT min(u.n)
        FROM unnest(p_effect, p_kind, p_value, p_until) WITH ORDINALITY
            AS u (effect, kind, value, until, n)
        WHERE NOT risk_entry_ok(p_merchant_id, u.effect, u.kind, u.value)
            OR u.until <= now());
    IF bad IS NOT NULL THEN
        RETURN;
    END IF;

    SELECT s.added, s.changed INTO added, changed
    FROM store_risk_entries(p_merchant_id, p_effect, p_kind, p_value,
                            p_until, p_who, p_why) s;
    outcome := 'imported';
END
$$;
COMMENT ON FUNCTION pay_ops.risk_list_import IS
    'Adds up to 100,000 entries at once, all of them or none: imported or '
    'invalid';


-- Page by page; it reads the whole list each time, which operators can wait for.
CREATE OR REPLACE FUNCTION pay_ops.risk_list_list(
    p_merchant_id text, p_after_id bigint DEFAULT 0, p_limit int DEFAULT 1000)
RETURNS SETOF risk_list
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
SELECT l.* FROM risk_list l
WHERE l.merchant_id = p_merchant_id AND l.list_id > p_after_id
ORDER BY l.list_id LIMIT p_limit
$$;
COMMENT ON FUNCTION pay_ops.risk_list_list IS
    'Entries of the lists of a merchant (*: of all), those that have expired '
    'included, in the sequence in which they came';


-- Without the keys, which name a buyer, and without the facts.
CREATE OR REPLACE VIEW pay_view.risk_decisions AS
SELECT d.merchant_id, d.checkout_id, d.at, d.decision, d.decided_by, d.hits,
    d.version, d.declined_at, c.currency,
    round(c.total_minor / 10::numeric ^ k.exponent, k.exponent) AS total
FROM pay.risk_decision d
JOIN pay.checkout c ON c.merchant_id = d.merchant_id
    AND c.checkout_id = d.checkout_id
JOIN pay.currency k ON k.code = c.currency;
COMMENT ON VIEW pay_view.risk_decisions IS
    'Decisions about checkouts before their PSP was asked, without keys';
