-- Risk, the buyer's own browser: it is seen when it opens a checkout, and judged
-- when the PSP has spoken, as cards are.  Nothing here answers the browser: no
-- look is faster or slower for one that is suspected.  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Where an address is, seen from the one that buyer_info named: the whole one
-- (of IPv6 the /64), the same network (/24, /48), the same region (/16, /32).
-- The networks of the named one are among the keys of the decision.
CREATE OR REPLACE FUNCTION pay.address_distance(p_address cidr, p_keys jsonb)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN NOT EXISTS (
        SELECT FROM jsonb_array_elements(p_keys) k
        WHERE k ->> 0 = 'ip'
            AND (k ->> 1 LIKE '%:%') = (family(p_address) = 6)) THEN NULL
    WHEN p_keys @> net.keys[1] THEN 'same'
    WHEN p_keys @> net.keys[2] THEN 'network'
    WHEN p_keys @> net.keys[3] THEN 'region'
    ELSE 'other' END
FROM (
    SELECT array_agg(jsonb_build_array(jsonb_build_array('ip',
        network(set_masklen(p_address::inet, m.bits))::text))
        ORDER BY m.bits DESC) AS keys
    FROM unnest(CASE family(p_address) WHEN 4 THEN '{32,24,16}'::int[]
                ELSE '{64,48,32}' END) m (bits)) net
$$;
COMMENT ON FUNCTION pay.address_distance IS
    'How far an address is from that of buyer_info: same, network, region or '
    'other; NULL: not known';


-- A browser that is known at its checkout costs a look-up by key and writes
-- nothing.  The place is the row's limit: of two that take the same one at once
-- the second is not stored, and neither is a ninth.  Items with a value of
-- another form are not kept, and see their checkout all the same.
CREATE OR REPLACE FUNCTION pay.keep_browsers(
    p_handle text[], p_browser text[], p_before text[], p_is_new bigint[],
    p_agent text[], p_user_agent text[], p_address text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO risk_browser (merchant_id, checkout_id, place, browser, before,
        is_new, agent, same_agent, address, distance)
    SELECT c.merchant_id, c.checkout_id, c.taken + row_number() OVER (
            PARTITION BY c.merchant_id, c.checkout_id ORDER BY u.n),
        u.browser, u.before, u.is_new = 1, u.agent,
        c.user_agent = u.user_agent, a.address,
        address_distance(a.address, d.keys)
    FROM unnest(p_handle, p_browser, p_before, p_is_new, p_agent,
                p_user_agent, p_address) WITH ORDINALITY
        AS u (handle, browser, before, is_new, agent, user_agent, address, n)
    CROSS JOIN LATERAL (
        SELECT x.merchant_id, x.checkout_id,
            x.buyer_info ->> 'user_agent' AS user_agent, (
                SELECT coalesce(max(b.place), 0) FROM risk_browser b
                WHERE b.merchant_id = x.merchant_id
                    AND b.checkout_id = x.checkout_id) AS taken
        FROM checkout x
        WHERE x.handle = u.handle
        OFFSET 0) c
    CROSS JOIN LATERAL (
        SELECT CASE WHEN is_risk_prefix(u.address)
                    THEN u.address::cidr END AS address
        OFFSET 0) a
    LEFT JOIN LATERAL (
        SELECT x.keys FROM risk_decision x
        WHERE x.merchant_id = c.merchant_id AND x.checkout_id = c.checkout_id
        OFFSET 0) d ON true
    WHERE u.browser ~ '^[0-9a-f]{64}$' AND c.taken < 8
        AND NOT EXISTS (
            SELECT FROM risk_browser b
            WHERE b.merchant_id = c.merchant_id
                AND b.checkout_id = c.checkout_id AND b.browser = u.browser)
    ORDER BY c.merchant_id COLLATE "C", c.checkout_id COLLATE "C", u.n
    ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION pay.keep_browsers IS
    'Keeps the browsers in which checkouts are opened, eight of each at most';


-- The newest one is the one that went on to the PSP.
CREATE OR REPLACE FUNCTION pay.newest_browser(
    p_merchant_id text, p_checkout_id text)
RETURNS text LANGUAGE sql STABLE SET search_path = pay, pg_temp AS $$
SELECT b.browser FROM risk_browser b
WHERE b.merchant_id = p_merchant_id AND b.checkout_id = p_checkout_id
ORDER BY b.merchant_id, b.checkout_id, b.place DESC LIMIT 1
$$;
COMMENT ON FUNCTION pay.newest_browser IS
    'The browser in which a checkout was opened last for the first time';


-- A PSP that names no attempts says with the sale that there was one: it has the
-- checkout's token for a name.  Its checkout is locked.  Where an attempt
-- that was not declined is named already, that one has counted the browser.
CREATE OR REPLACE FUNCTION pay.name_attempts(
    p_facts fact[], p_fact text[], p_terms jsonb[], p_named bigint[])
RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
    v_items int[] := ARRAY(
        SELECT f.item FROM unnest(p_facts) f
        WHERE p_terms[f.item] IS NOT NULL
            AND p_fact[f.item] IN ('paid', 'authorized')
            AND f.actor IN ('webhook', 'query') AND f.token IS NOT NULL
            AND f.item <> ALL (p_named)
            AND newest_browser(f.merchant_id, f.checkout_id) IS NOT NULL
            AND NOT EXISTS (
                SELECT FROM risk_card c
                WHERE c.merchant_id = f.merchant_id
                    AND c.checkout_id = f.checkout_id AND NOT c.is_declined));
BEGIN
    IF v_items <> '{}' THEN
        INSERT INTO risk_card (psp, attempt, merchant_id, checkout_id, token,
            is_hint, is_declined)
        SELECT f.psp, f.token, f.merchant_id, f.checkout_id, f.token, false,
            false
        FROM unnest(p_facts) f
        WHERE f.item = ANY (v_items)
        ORDER BY f.psp COLLATE "C", f.token COLLATE "C"
        ON CONFLICT DO NOTHING;
    END IF;

    RETURN v_items;
END
$$;
COMMENT ON FUNCTION pay.name_attempts IS
    'Gives sales of checkouts whose PSP names no attempts one of their own';


-- Values of the browsers of a checkout that lists are looked up by: the cookie
-- under both keys, and the networks of the addresses.
CREATE OR REPLACE FUNCTION pay.browser_keys(
    p_merchant_id text, p_checkout_id text)
RETURNS TABLE (kind text, value text) LANGUAGE sql STABLE AS $$
SELECT DISTINCT k.kind, k.value
FROM risk_browser b
CROSS JOIN LATERAL (
    SELECT 'browser' AS kind, b.browser AS value
    UNION ALL SELECT 'browser', b.before
    UNION ALL
    SELECT 'ip', network(set_masklen(b.address::inet, m.bits))::text
    FROM unnest(CASE family(b.address) WHEN 4 THEN '{8,16,24,32}'::int[]
                ELSE '{32,48,64,128}' END) m (bits)
    WHERE m.bits <= masklen(b.address)) k
WHERE b.merchant_id = p_merchant_id AND b.checkout_id = p_checkout_id
    AND k.value IS NOT NULL
$$;
COMMENT ON FUNCTION pay.browser_keys IS
    'The values of a checkout''s browsers that lists are looked up by';


-- The part that operators see, without hashes and addresses.  others: further
-- checkouts of the merchant in the same browser, a hundred at most.
CREATE OR REPLACE FUNCTION pay.browsers_of(
    p_merchant_id text, p_checkout_id text)
RETURNS jsonb LANGUAGE sql STABLE SET search_path = pay, pg_temp AS $$
SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('place', b.place,
    'is_new', b.is_new, 'address', b.distance, 'same_user_agent', b.same_agent,
    'other_checkouts', o.count, 'at', iso_time(b.at))) ORDER BY b.place)
FROM risk_browser b
CROSS JOIN LATERAL (
    SELECT count(*) AS count FROM (
        SELECT FROM risk_browser x
        WHERE x.merchant_id = b.merchant_id AND x.browser = b.browser
            AND x.checkout_id <> b.checkout_id
        LIMIT 100) x
    OFFSET 0) o
WHERE b.merchant_id = p_merchant_id AND b.checkout_id = p_checkout_id
$$;
COMMENT ON FUNCTION pay.browsers_of IS
    'The browsers in which a checkout was opened; NULL: none was seen';
