-- read_page: a page of the console for a member of staff.  Here alone the right
-- to a page, the merchants and the masking are judged, before any row is read;
-- the functions of pages behind it get a scope and trust it.  All of it only
-- reads, as the role payments_console, whose transactions cannot write.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Several roles have the union of their rights.
CREATE OR REPLACE FUNCTION pay.console_may(p_page text, p_roles jsonb)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT EXISTS (SELECT FROM console_right r
               WHERE r.page = p_page AND p_roles ? r.role)
$$;
COMMENT ON FUNCTION pay.console_may IS
    'Whether one of these roles of staff may see the page';


-- NULL: all merchants.  An empty scope is of a merchant that is not theirs.
CREATE OR REPLACE FUNCTION pay.console_scope(p_merchants jsonb, p_query jsonb)
RETURNS text[] LANGUAGE sql STABLE AS $$
SELECT CASE
    WHEN p_merchants IS NULL AND NOT p_query ? 'merchant' THEN NULL
    WHEN NOT p_query ? 'merchant'
        THEN ARRAY(SELECT jsonb_array_elements_text(p_merchants))
    WHEN p_merchants IS NULL OR p_merchants ? (p_query ->> 'merchant')
        THEN ARRAY[p_query ->> 'merchant']
    ELSE '{}' END
$$;
COMMENT ON FUNCTION pay.console_scope IS
    'The merchants whose rows a page shows; NULL: all of them';


CREATE OR REPLACE FUNCTION pay.console_sees(p_scope text[], p_merchant text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT p_scope IS NULL OR coalesce(p_merchant = ANY (p_scope), false)
$$;
COMMENT ON FUNCTION pay.console_sees IS
    'Whether a row of that merchant may be shown; one of nobody''s: to those '
    'who see all merchants';


-- Planned with the query's own values, a filter that is not there is no
-- condition; as `x = coalesce(NULL, x)` it was one, of which the planner thought
-- that one row in 200 fits, so that it sorted whole tables.
CREATE OR REPLACE FUNCTION pay.console_has(
    p_query jsonb, p_name text, p_value text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT NOT p_query ? p_name OR p_value = p_query ->> p_name
$$;
COMMENT ON FUNCTION pay.console_has IS
    'Whether a row has the value that a query asks for, if it asks for one';


CREATE OR REPLACE FUNCTION pay.console_time(p_query jsonb, p_name text)
RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
SELECT 'epoch'::timestamptz + (p_query ->> p_name)::bigint * interval '1 us'
$$;
COMMENT ON FUNCTION pay.console_time IS 'A parameter that is a time';


-- The parts of a cursor: a number, and texts between colons.
CREATE OR REPLACE FUNCTION pay.console_us(p_at timestamptz)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
SELECT (extract(epoch FROM p_at) * 1000000)::bigint
$$;
COMMENT ON FUNCTION pay.console_us IS 'A time as the first part of a cursor';


CREATE OR REPLACE FUNCTION pay.console_cursor_time(p_query jsonb)
RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce('epoch'::timestamptz
    + split_part(p_query ->> 'before', ':', 1)::bigint * interval '1 us',
    'infinity')
$$;
COMMENT ON FUNCTION pay.console_cursor_time IS
    'The time at which the page before this one ended';


CREATE OR REPLACE FUNCTION pay.console_cursor_number(p_query jsonb)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(split_part(p_query ->> 'before', ':', 1)::bigint,
                9223372036854775807)
$$;
COMMENT ON FUNCTION pay.console_cursor_number IS
    'The number at which the page before this one ended';


CREATE OR REPLACE FUNCTION pay.console_cursor_text(p_query jsonb, p_part int)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(split_part(p_query ->> 'before', ':', p_part), '')
$$;
COMMENT ON FUNCTION pay.console_cursor_text IS
    'A text at which the page before this one ended';


-- The last four characters tell two tokens apart and are of no use at a PSP.
CREATE OR REPLACE FUNCTION pay.console_token(p_token text, p_sees boolean)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN p_sees THEN p_token
            WHEN length(p_token) > 8 THEN '…' || right(p_token, 4)
            WHEN p_token IS NOT NULL THEN '…' END
$$;
COMMENT ON FUNCTION pay.console_token IS 'A token, or its end';


-- The source of an entry of the ledger, which may end with a PSP's id of the
-- event, of the dispute or of the row.
CREATE OR REPLACE FUNCTION pay.console_source(p_source text, p_sees boolean)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN p_sees OR n.name IS NULL THEN p_source
            ELSE n.name || console_token(substr(p_source,
                                                length(n.name) + 1), false) END
FROM (SELECT substring(p_source FROM '^(?:(?:event|dispute)/[^/]*/|'
          '(?:settlement|payout|bank)/[^/]*/[0-9]+/)') AS name) n
$$;
COMMENT ON FUNCTION pay.console_source IS
    'The source of an entry, with the end of a PSP''s id in it';


-- A document of other functions, walked to any depth that they have.
CREATE OR REPLACE FUNCTION pay.console_mask(p_document jsonb)
RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE jsonb_typeof(p_document)
        WHEN 'object' THEN (
            SELECT coalesce(jsonb_object_agg(m.key,
                CASE WHEN jsonb_typeof(m.value) = 'string' AND m.key IN (
                         'token', 'alias', 'own_token', 'reference', 'nonce',
                         'payment_reference', 'psp_reference', 'hosted_url',
                         'old_token', 'event_id')
                     THEN to_jsonb(console_token(m.value #>> '{}', false))
                     WHEN jsonb_typeof(m.value) = 'string' AND m.key = 'source'
                     THEN to_jsonb(console_source(m.value #>> '{}', false))
                     ELSE console_mask(m.value) END), '{}')
            FROM jsonb_each(p_document) m)
        WHEN 'array' THEN (
            SELECT coalesce(jsonb_agg(console_mask(e.value) ORDER BY e.n),
                            '[]')
            FROM jsonb_array_elements(p_document)
                WITH ORDINALITY AS e (value, n))
        ELSE p_document END;
END
$$;
COMMENT ON FUNCTION pay.console_mask IS
    'A document without tokens of PSPs';


-- The names of members stay, so that one sees that something is known.
CREATE OR REPLACE FUNCTION pay.console_blind(p_document jsonb)
RETURNS jsonb LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    RETURN CASE jsonb_typeof(p_document)
        WHEN 'object' THEN (
            SELECT coalesce(jsonb_object_agg(m.key, console_blind(m.value)),
                            '{}')
            FROM jsonb_each(p_document) m)
        WHEN 'array' THEN (
            SELECT coalesce(jsonb_agg(console_blind(e.value) ORDER BY e.n),
                            '[]')
            FROM jsonb_array_elements(p_document)
                WITH ORDINALITY AS e (value, n))
        WHEN 'null' THEN p_document
        WHEN 'string' THEN CASE WHEN p_document = '""' THEN p_document
                                ELSE '"***"' END
        ELSE '"***"' END;
END
$$;
COMMENT ON FUNCTION pay.console_blind IS
    'A document of which the values are hidden';


CREATE OR REPLACE FUNCTION pay.console_me(
    p_staff text, p_roles jsonb, p_merchants jsonb)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object('staff', p_staff, 'roles', p_roles,
    'merchants', coalesce(p_merchants, '"*"'),
    'pages', (SELECT coalesce(jsonb_agg(DISTINCT r.page ORDER BY r.page),
                              '[]')
              FROM console_right r WHERE p_roles ? r.role),
    'sees_tokens', coalesce(bool_or(r.tokens), false),
    'sees_personal', coalesce(bool_or(r.personal), false))
FROM console_role r WHERE p_roles ? r.role
$$;
COMMENT ON FUNCTION pay.console_me IS
    'A member of staff, and the pages that his roles may see';


-- A list: up to `limit` items, and where the next page begins.  A row without
-- an item says that the look ended there, although the page is not full.
CREATE OR REPLACE FUNCTION pay.console_list(
    p_page text, p_scope text[], p_query jsonb, p_tokens boolean)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_limit int := coalesce((p_query ->> 'limit')::int, 50);
BEGIN
    RETURN (
        SELECT jsonb_build_object(
            'items', coalesce(jsonb_agg(r.item ORDER BY r.n) FILTER (
                WHERE r.n <= v_limit AND r.item IS NOT NULL), '[]'),
            'next', CASE
                WHEN count(*) FILTER (WHERE r.item IS NOT NULL) > v_limit
                    THEN max(r.place) FILTER (WHERE r.n = v_limit)
                ELSE max(r.place) FILTER (WHERE r.item IS NULL) END)
        FROM (SELECT i.*, row_number() OVER () AS n
              FROM console_items(p_page, p_scope, p_query, v_limit + 1,
                                 p_tokens) i) r);
END
$$;
COMMENT ON FUNCTION pay.console_list IS 'A page of one of the lists';


-- The gateway says which cells it has; another caller has this one.
CREATE OR REPLACE FUNCTION pay.console_cells(p_query jsonb)
RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce((p_query ->> 'cells')::jsonb, '["default"]')
$$;
COMMENT ON FUNCTION pay.console_cells IS
    'The names of all cells, each of which the console asks for itself';


-- The lists that a page for one merchant leads to are that merchant's, too.
CREATE OR REPLACE FUNCTION pay.console_narrowed(
    p_document jsonb, p_merchant text)
RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN p_merchant IS NULL THEN p_document
    WHEN jsonb_typeof(p_document) = 'object' THEN (
        SELECT coalesce(jsonb_object_agg(m.key, CASE m.key
            -- quarantine has no merchants
            WHEN 'link' THEN CASE WHEN m.value ->> 'page' = 'quarantine'
                THEN m.value
                ELSE m.value || jsonb_build_object('query', m.value -> 'query'
                    || jsonb_build_object('merchant', p_merchant)) END
            ELSE console_narrowed(m.value, p_merchant) END), '{}')
        FROM jsonb_each(p_document) m)
    WHEN jsonb_typeof(p_document) = 'array' THEN (
        SELECT coalesce(jsonb_agg(console_narrowed(e.value, p_merchant)
                                  ORDER BY e.n), '[]')
        FROM jsonb_array_elements(p_document) WITH ORDINALITY AS e (value, n))
    ELSE p_document END
$$;
COMMENT ON FUNCTION pay.console_narrowed IS
    'A page whose links lead to the lists of one merchant';


CREATE OR REPLACE FUNCTION pay.console_page(
    p_page text, p_staff text, p_roles jsonb, p_merchants jsonb,
    p_query jsonb)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_scope    text[] := console_scope(p_merchants, p_query);
    v_tokens   boolean := EXISTS (SELECT FROM console_role r
                                  WHERE p_roles ? r.role AND r.tokens);
    v_personal boolean := p_query ->> 'personal' = '1'
        AND EXISTS (SELECT FROM console_role r
                    WHERE p_roles ? r.role AND r.personal);
BEGIN
    RETURN CASE p_page
        WHEN 'me' THEN console_me(p_staff, p_roles, p_merchants)
            || console_my_acts(p_roles, p_query)
            || jsonb_build_object('cells', console_cells(p_query))
        WHEN 'now' THEN console_narrowed(console_now(v_scope, p_roles),
                                         p_query ->> 'merchant')
        WHEN 'psps' THEN console_psp_page(v_scope, p_query)
        WHEN 'find' THEN console_find(v_scope, p_query)
        WHEN 'payment'
            THEN console_payment(v_scope, p_query, v_tokens,
                                 coalesce(v_personal, false), p_roles)
        WHEN 'webhooks' THEN console_narrowed(console_webhooks(v_scope),
                                              p_query ->> 'merchant')
        WHEN 'money' THEN console_narrowed(console_money(v_scope),
                                           p_query ->> 'merchant')
        WHEN 'settings' THEN console_settings(p_query)
        WHEN 'plots' THEN console_plots(v_scope, p_query)
        WHEN 'flight' THEN console_flight(v_scope, p_query)
        WHEN 'waterfall' THEN console_waterfall(v_scope, p_query)
        WHEN 'disputes'
            THEN console_list(p_page, v_scope, p_query, v_tokens)
                || jsonb_build_object(
                    'rate', console_dispute_rate(v_scope, p_query))
        ELSE console_list(p_page, v_scope, p_query, v_tokens) END;
END
$$;
COMMENT ON FUNCTION pay.console_page IS
    'A page for those who may see it; NULL: there is no such thing';


-- A role that may not see a page learns which role would do, and nothing of it.
CREATE OR REPLACE FUNCTION pay_console.read_page(
    p_page text[], p_staff text[], p_roles jsonb[], p_merchants jsonb[],
    p_query jsonb[])
RETURNS TABLE (item int, outcome text, page text, personal bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM check_batch(array_dims(p_page), array_dims(p_staff),
        array_dims(p_roles), array_dims(p_merchants), array_dims(p_query));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN NOT v.may THEN 'refused'
             WHEN d.document IS NULL THEN 'not_found'
             WHEN d.document ? 'invalid' THEN 'invalid'
             ELSE 'found' END,
        CASE WHEN v.may THEN coalesce(d.document ->> 'invalid',
                                      (d.document - 'personal')::text)
             ELSE (SELECT string_agg(r.role, ', ' ORDER BY r.role)
                   FROM console_right r WHERE r.page = u.page) END,
        CASE WHEN NOT v.may OR d.document IS NOT NULL
             THEN coalesce((d.document ->> 'personal')::bigint, 0) END
    FROM unnest(p_page, p_staff, p_roles, p_merchants, p_query)
        WITH ORDINALITY AS u (page, staff, roles, merchants, query, n)
    CROSS JOIN LATERAL (
        SELECT console_may(u.page, u.roles) AS may) v
    CROSS JOIN LATERAL (
        SELECT CASE WHEN v.may
                    THEN console_page(u.page, u.staff, u.roles, u.merchants,
                                      u.query) END AS document
        OFFSET 0) d;
END
$$;
COMMENT ON FUNCTION pay_console.read_page IS
    'A page of the console. Outcomes: found, not_found, refused, invalid';
