-- find: leads from a name to its checkout: an id, a PSP's token or reference, a
-- key, a request id.  For payctl find, explain and timeline; no payment's
-- request runs it.  It uses an index wherever there is one: merchants and PSPs
-- are few, so a key that begins with one is looked up once for each.  A request
-- id is a UUID of version 7 and so holds the time when it was made: the events
-- around that moment are read by a BRIN index.  A PSP's id of a refund or a
-- capture has no index: the table of changes is read only for a name that is
-- found nowhere else.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.all_merchants()
RETURNS SETOF text LANGUAGE sql STABLE AS $$
WITH RECURSIVE merchant (id) AS (
    SELECT (SELECT c.merchant_id::text FROM checkout c
            ORDER BY c.merchant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT c.merchant_id::text FROM checkout c
            WHERE c.merchant_id > m.id
            ORDER BY c.merchant_id LIMIT 1)
    FROM merchant m
    WHERE m.id IS NOT NULL
)
SELECT m.id FROM merchant m WHERE m.id IS NOT NULL
$$;
COMMENT ON FUNCTION pay.all_merchants IS
    'Merchants with a checkout, from each to the next by the index';


CREATE OR REPLACE FUNCTION pay.all_psps()
RETURNS SETOF text LANGUAGE sql STABLE AS $$
WITH RECURSIVE registered (name) AS (
    SELECT (SELECT r.psp::text FROM registration r ORDER BY r.psp LIMIT 1)
    UNION ALL
    SELECT (SELECT r.psp::text FROM registration r WHERE r.psp > p.name
            ORDER BY r.psp LIMIT 1)
    FROM registered p WHERE p.name IS NOT NULL
), heard (name) AS (
    SELECT (SELECT i.psp::text FROM webhook_inbox i ORDER BY i.psp LIMIT 1)
    UNION ALL
    SELECT (SELECT i.psp::text FROM webhook_inbox i WHERE i.psp > p.name
            ORDER BY i.psp LIMIT 1)
    FROM heard p WHERE p.name IS NOT NULL
)
SELECT r.name FROM registered r WHERE r.name IS NOT NULL
UNION
SELECT h.name FROM heard h WHERE h.name IS NOT NULL
$$;
COMMENT ON FUNCTION pay.all_psps IS
    'PSPs with a registration or a webhook, by the index as all_merchants';


-- Keys of the storefront's: one merchant's each.
CREATE OR REPLACE FUNCTION pay.find_by_merchant(
    p_merchant_id text, p_what text)
RETURNS TABLE (found_as text, merchant_id text, checkout_id text,
    payment_order_id text, psp text)
LANGUAGE sql STABLE AS $$
WITH RECURSIVE route (name) AS (
    SELECT (SELECT k.route FROM idempotency_key k
            WHERE k.merchant_id = p_merchant_id ORDER BY k.route LIMIT 1)
    UNION ALL
    SELECT (SELECT k.route FROM idempotency_key k
            WHERE k.merchant_id = p_merchant_id AND k.route > r.name
            ORDER BY k.route LIMIT 1)
    FROM route r WHERE r.name IS NOT NULL
)
SELECT 'order', o.merchant_id::text, o.checkout_id::text,
    o.payment_order_id::text, NULL::text
FROM find_order(p_merchant_id, p_what) o
UNION ALL
SELECT 'checkout', c.merchant_id, c.checkout_id, NULL, c.psp
FROM (SELECT * FROM checkout x
      WHERE x.merchant_id = p_merchant_id AND x.checkout_id = p_what
      OFFSET 0) c
UNION ALL
SELECT 'idempotency key', k.merchant_id, k.checkout_id, NULL, NULL
FROM route r
CROSS JOIN LATERAL (
    SELECT * FROM idempotency_key x
    WHERE x.merchant_id = p_merchant_id AND x.route = r.name
        AND x.key = p_what
    OFFSET 0) k
$$;
COMMENT ON FUNCTION pay.find_by_merchant IS
    'Orders, checkouts and idempotency keys of that name';


-- Names that a PSP gives, or that it was given.
CREATE OR REPLACE FUNCTION pay.find_by_psp(p_psp text, p_what text)
RETURNS TABLE (found_as text, merchant_id text, checkout_id text,
    payment_order_id text, psp text)
LANGUAGE sql STABLE AS $$
SELECT 'nonce', r.merchant_id::text, r.checkout_id::text, NULL::text, p_psp
FROM (SELECT * FROM registration x WHERE x.psp = p_psp AND x.nonce = p_what
      OFFSET 0) r
UNION ALL
SELECT CASE WHEN t.is_reference THEN 'PSP''s payment' ELSE 'token' END,
    t.merchant_id, t.checkout_id, NULL, p_psp
FROM (SELECT * FROM psp_token x WHERE x.psp = p_psp AND x.token = p_what
      OFFSET 0) t
UNION ALL
SELECT 'PSP''s event', i.merchant_id, i.checkout_id, NULL, p_psp
FROM (SELECT * FROM webhook_inbox x
      WHERE x.psp = p_psp AND x.event_id = p_what
      OFFSET 0) i
UNION ALL
SELECT 'dispute', d.merchant_id, d.checkout_id, d.payment_order_id, p_psp
FROM (SELECT * FROM dispute x WHERE x.psp = p_psp AND x.dispute_id = p_what
      OFFSET 0) d
$$;
COMMENT ON FUNCTION pay.find_by_psp IS
    'Registrations, tokens, payments, events and disputes of that name';


-- NULL when it is no request id of ours.
CREATE OR REPLACE FUNCTION pay.request_time(p_request_id text)
RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN p_request_id
    ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
    THEN to_timestamp(('x' || lpad(translate(left(p_request_id, 13), '-', ''),
                                   16, '0'))::bit(64)::bigint / 1000.0) END
$$;
COMMENT ON FUNCTION pay.request_time IS
    'When a request began, out of its id';


-- A request writes its events within an hour; clocks differ by minutes at most.
CREATE OR REPLACE FUNCTION pay.find_request(p_what text)
RETURNS TABLE (found_as text, merchant_id text, checkout_id text,
    payment_order_id text, psp text)
LANGUAGE sql STABLE AS $$
SELECT DISTINCT 'request', e.merchant_id::text, o.checkout_id::text,
    e.payment_order_id::text, NULL::text
FROM (SELECT * FROM event x
      WHERE x.at >= request_time(p_what) - interval '10 minutes'
          AND x.at < request_time(p_what) + interval '1 hour'
          AND x.request_id = p_what
      OFFSET 0) e
CROSS JOIN LATERAL find_order(e.merchant_id, e.payment_order_id) o
$$;
COMMENT ON FUNCTION pay.find_request IS
    'Orders about which a request has written an event';


CREATE OR REPLACE FUNCTION pay_view.find(
    p_what text, p_merchant_id text DEFAULT NULL)
RETURNS TABLE (found_as text, merchant_id text, checkout_id text,
    payment_order_id text, psp text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT f.* FROM all_merchants() m (id)
    CROSS JOIN LATERAL find_by_merchant(m.id, p_what) f
    WHERE m.id = coalesce(p_merchant_id, m.id)
    UNION ALL
    SELECT f.* FROM all_psps() p (name)
    CROSS JOIN LATERAL find_by_psp(p.name, p_what) f
    WHERE f.merchant_id IS NOT DISTINCT FROM
        coalesce(p_merchant_id, f.merchant_id)
    UNION ALL
    SELECT 'buyer''s handle', c.merchant_id, c.checkout_id, NULL, c.psp
    FROM checkout c
    WHERE c.handle = p_what
        AND c.merchant_id = coalesce(p_merchant_id, c.merchant_id)
    UNION ALL
    SELECT c.kind, c.merchant_id, c.checkout_id, c.payment_order_id, c.psp
    FROM change c
    WHERE c.change_id = p_what
        AND c.merchant_id = coalesce(p_merchant_id, c.merchant_id)
    UNION ALL
    SELECT f.* FROM find_request(p_what) f
    WHERE f.merchant_id = coalesce(p_merchant_id, f.merchant_id);

    IF NOT FOUND THEN
        RETURN QUERY
        SELECT 'PSP''s ' || c.kind, c.merchant_id::text, c.checkout_id::text,
            c.payment_order_id::text, c.psp::text
        FROM change c
        WHERE c.reference = p_what
            AND c.merchant_id = coalesce(p_merchant_id, c.merchant_id);
    END IF;
END
$$;
COMMENT ON FUNCTION pay_view.find(text, text) IS
    'The owner of an id, a token, a reference, a key or a request id, for '
    'operators; NULL for any merchant';
