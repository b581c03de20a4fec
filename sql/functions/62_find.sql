-- find: leads from a name to its checkout: an id or the beginning of one, a
-- PSP's token or reference, a key, a request id, a seller, an amount, a buyer.
-- For payctl find, explain and timeline; no payment's request runs it.  Each
-- look uses an index: merchants and PSPs are few, so a key that begins with one
-- is looked up once for each.  A request id is a UUID of version 7 and so holds
-- the time when it was made: the events around that moment are read by a BRIN
-- index.  Amounts have no index, which each payment would have to pay for: the
-- newest 10,000 checkouts of each merchant are looked at.

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


-- Keys of the storefront's: one merchant's each.  object: the id of a thing
-- that is no order and no checkout.
CREATE OR REPLACE FUNCTION pay.find_by_merchant(
    p_merchant_id text, p_what text)
RETURNS TABLE (found_as text, merchant_id text, checkout_id text,
    payment_order_id text, psp text, object text)
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
    o.payment_order_id::text, NULL::text, NULL::text
FROM find_order(p_merchant_id, p_what) o
UNION ALL
SELECT 'checkout', c.merchant_id, c.checkout_id, NULL, c.psp, NULL
FROM (SELECT * FROM checkout x
      WHERE x.merchant_id = p_merchant_id AND x.checkout_id = p_what
      OFFSET 0) c
UNION ALL
SELECT 'idempotency key', k.merchant_id, k.checkout_id, NULL, NULL, NULL
FROM route r
CROSS JOIN LATERAL (
    SELECT * FROM idempotency_key x
    WHERE x.merchant_id = p_merchant_id AND x.route = r.name
        AND x.key = p_what
    OFFSET 0) k
UNION ALL
SELECT 'pay-out', p.merchant_id, NULL, NULL, p.provider, p.payout_id
FROM (SELECT * FROM payout x
      WHERE x.merchant_id = p_merchant_id AND x.payout_id = p_what
      OFFSET 0) p
UNION ALL
SELECT 'batch', b.merchant_id, NULL, NULL, b.provider, b.batch_id
FROM (SELECT * FROM payout_batch x
      WHERE x.merchant_id = p_merchant_id AND x.batch_id = p_what
      OFFSET 0) b
UNION ALL
SELECT 'seller', p_merchant_id, NULL, NULL, NULL, p_what
WHERE EXISTS (SELECT FROM wallet x
              WHERE x.merchant_id = p_merchant_id
                  AND x.seller_account = p_what)
$$;
COMMENT ON FUNCTION pay.find_by_merchant IS
    'Orders, checkouts, idempotency keys, pay-outs, batches and sellers of '
    'that name';


-- Names that a PSP gives, or that it was given.
CREATE OR REPLACE FUNCTION pay.find_by_psp(p_psp text, p_what text)
RETURNS TABLE (found_as text, merchant_id text, checkout_id text,
    payment_order_id text, psp text, object text)
LANGUAGE sql STABLE AS $$
SELECT 'nonce', r.merchant_id::text, r.checkout_id::text, NULL::text, p_psp,
    NULL::text
FROM (SELECT * FROM registration x WHERE x.psp = p_psp AND x.nonce = p_what
      OFFSET 0) r
UNION ALL
SELECT CASE WHEN t.is_reference THEN 'PSP''s payment' ELSE 'token' END,
    t.merchant_id, t.checkout_id, NULL, p_psp, NULL
FROM (SELECT * FROM psp_token x WHERE x.psp = p_psp AND x.token = p_what
      OFFSET 0) t
UNION ALL
SELECT 'PSP''s event', i.merchant_id, i.checkout_id, NULL, p_psp, i.event_id
FROM (SELECT * FROM webhook_inbox x
      WHERE x.psp = p_psp AND x.event_id = p_what
      OFFSET 0) i
UNION ALL
SELECT 'dispute', d.merchant_id, d.checkout_id, d.payment_order_id, p_psp, NULL
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
    payment_order_id text, psp text, object text)
LANGUAGE sql STABLE AS $$
SELECT DISTINCT 'request', e.merchant_id::text, o.checkout_id::text,
    e.payment_order_id::text, NULL::text, NULL::text
FROM (SELECT * FROM event x
      WHERE x.at >= request_time(p_what) - interval '10 minutes'
          AND x.at < request_time(p_what) + interval '1 hour'
          AND x.request_id = p_what
      OFFSET 0) e
CROSS JOIN LATERAL find_order(e.merchant_id, e.payment_order_id) o
$$;
COMMENT ON FUNCTION pay.find_request IS
    'Orders about which a request has written an event';


-- Each key sorts bytewise, so a beginning is a range of it.  Twenty of a kind
-- are enough to see that more of the name is needed.
CREATE OR REPLACE FUNCTION pay.find_prefix(p_what text, p_merchant_id text)
RETURNS TABLE (found_as text, merchant_id text, checkout_id text,
    payment_order_id text, psp text, object text)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    v_last text := p_what || chr(1114111);
BEGIN
    RETURN QUERY
    (SELECT 'order', o.merchant_id::text, o.checkout_id::text,
        o.payment_order_id::text, NULL::text, NULL::text
    FROM payment_order o
    WHERE o.payment_order_id BETWEEN p_what AND v_last
        AND o.merchant_id = coalesce(p_merchant_id, o.merchant_id)
    ORDER BY o.payment_order_id, o.merchant_id LIMIT 20)
    UNION ALL
    (SELECT c.kind, c.merchant_id, c.checkout_id, c.payment_order_id, c.psp,
        c.change_id
    FROM change c
    WHERE c.change_id BETWEEN p_what AND v_last
        AND c.merchant_id = coalesce(p_merchant_id, c.merchant_id)
    ORDER BY c.change_id LIMIT 20)
    UNION ALL
    SELECT 'checkout', x.merchant_id, x.checkout_id, NULL, x.psp, NULL
    FROM all_merchants() m (id)
    CROSS JOIN LATERAL (
        SELECT c.* FROM checkout c
        WHERE c.merchant_id = m.id
            AND c.checkout_id BETWEEN p_what AND v_last
        ORDER BY c.checkout_id LIMIT 20) x
    WHERE m.id = coalesce(p_merchant_id, m.id)
    UNION ALL
    SELECT 'pay-out', x.merchant_id, NULL, NULL, x.provider, x.payout_id
    FROM all_merchants() m (id)
    CROSS JOIN LATERAL (
        SELECT p.* FROM payout p
        WHERE p.merchant_id = m.id AND p.payout_id BETWEEN p_what AND v_last
        ORDER BY p.payout_id LIMIT 20) x
    WHERE m.id = coalesce(p_merchant_id, m.id)
    UNION ALL
    SELECT CASE WHEN x.is_reference THEN 'PSP''s payment' ELSE 'token' END,
        x.merchant_id, x.checkout_id, NULL, x.psp, NULL
    FROM all_psps() p (name)
    CROSS JOIN LATERAL (
        SELECT t.* FROM psp_token t
        WHERE t.psp = p.name AND t.token BETWEEN p_what AND v_last
        ORDER BY t.token LIMIT 20) x
    WHERE x.merchant_id = coalesce(p_merchant_id, x.merchant_id);
END
$$;
COMMENT ON FUNCTION pay.find_prefix IS
    'Orders, changes, checkouts, pay-outs and tokens that begin so, 20 of each';


-- "12.34", "12.34 EUR" or "EUR 12.34"; NULL: it is none.
CREATE OR REPLACE FUNCTION pay.read_amount(
    p_what text, OUT amount numeric, OUT currency text)
LANGUAGE sql IMMUTABLE AS $$
SELECT (m.part)[2]::numeric, coalesce((m.part)[1], (m.part)[3])
FROM (SELECT regexp_match(p_what,
    '^(?:([A-Z]{3}) ?)?([0-9]{1,15}(?:\.[0-9]{1,3})?)(?: ?([A-Z]{3}))?$')
    AS part) m
WHERE (m.part)[1] IS NULL OR (m.part)[3] IS NULL
$$;
COMMENT ON FUNCTION pay.read_amount IS
    'An amount with or without its currency, as an operator writes it';


-- Checkouts and orders, the newest first.
CREATE OR REPLACE FUNCTION pay.find_amount(
    p_amount numeric, p_currency text, p_merchant_id text)
RETURNS TABLE (found_as text, merchant_id text, checkout_id text,
    payment_order_id text, psp text, object text)
LANGUAGE sql STABLE AS $$
SELECT 'amount', f.merchant_id::text, f.checkout_id::text,
    f.payment_order_id::text, f.psp::text, NULL::text
FROM (
    SELECT c.merchant_id, c.checkout_id, o.payment_order_id, c.psp, c.created_at
    FROM all_merchants() m (id)
    CROSS JOIN LATERAL (
        SELECT x.merchant_id, x.checkout_id, x.psp, x.currency, x.total_minor,
            x.created_at
        FROM checkout x
        WHERE x.merchant_id = m.id AND x.total_minor > 0
        ORDER BY x.created_at DESC LIMIT 10000) c
    JOIN currency k ON k.code = c.currency
    CROSS JOIN LATERAL (
        SELECT x.payment_order_id, x.amount_minor
        FROM payment_order x
        WHERE x.checkout_id = c.checkout_id AND x.merchant_id = c.merchant_id
        OFFSET 0) o
    WHERE m.id = coalesce(p_merchant_id, m.id)
        AND c.currency = coalesce(p_currency, c.currency)
        AND c.total_minor >= p_amount * 10 ^ k.exponent
        AND p_amount * 10 ^ k.exponent IN (o.amount_minor, c.total_minor)
    ORDER BY c.created_at DESC LIMIT 50) f
$$;
COMMENT ON FUNCTION pay.find_amount IS
    'Orders of that amount, or of a checkout of it, among the newest 10,000 '
    'checkouts of each merchant; 50 of them';


-- Where a buyer has an id with the merchant, the address of mail is only among
-- the keys of the decision, which no index has.
CREATE OR REPLACE FUNCTION pay.find_buyer(p_buyer text, p_merchant_id text)
RETURNS TABLE (found_as text, merchant_id text, checkout_id text,
    payment_order_id text, psp text, object text)
LANGUAGE sql STABLE AS $$
SELECT 'buyer', f.merchant_id::text, f.checkout_id::text, NULL::text,
    NULL::text, NULL::text
FROM (
    SELECT b.merchant_id, b.checkout_id, b.at
    FROM all_merchants() m (id)
    CROSS JOIN LATERAL (
        SELECT x.merchant_id, x.checkout_id, x.at FROM risk_decision x
        WHERE x.merchant_id = m.id AND x.buyer = decode(p_buyer, 'hex')
        ORDER BY x.at DESC LIMIT 50) b
    WHERE m.id = coalesce(p_merchant_id, m.id)
    UNION
    SELECT d.merchant_id, d.checkout_id, d.at
    FROM (SELECT x.merchant_id, x.checkout_id, x.at, x.keys
          FROM risk_decision x
          WHERE x.keys IS NOT NULL
          ORDER BY x.at DESC LIMIT 20000) d
    WHERE d.keys @> jsonb_build_array(jsonb_build_array('email', p_buyer))) f
WHERE f.merchant_id = coalesce(p_merchant_id, f.merchant_id)
ORDER BY f.at DESC LIMIT 50
$$;
COMMENT ON FUNCTION pay.find_buyer IS
    'Checkouts of a keyed hash of an address of mail, the newest 50';


CREATE OR REPLACE FUNCTION pay_view.find(
    p_what text, p_merchant_id text DEFAULT NULL, p_buyer text DEFAULT NULL)
RETURNS TABLE (found_as text, merchant_id text, checkout_id text,
    payment_order_id text, psp text, object text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_amount numeric;
    v_currency text;
    v_found boolean;
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
    SELECT 'buyer''s handle', c.merchant_id, c.checkout_id, NULL, c.psp, NULL
    FROM checkout c
    WHERE c.handle = p_what
        AND c.merchant_id = coalesce(p_merchant_id, c.merchant_id)
    UNION ALL
    SELECT c.kind, c.merchant_id, c.checkout_id, c.payment_order_id, c.psp,
        c.change_id
    FROM change c
    WHERE c.change_id = p_what
        AND c.merchant_id = coalesce(p_merchant_id, c.merchant_id)
    UNION ALL
    SELECT 'PSP''s ' || c.kind, c.merchant_id, c.checkout_id,
        c.payment_order_id, c.psp, c.change_id
    FROM change c
    WHERE c.reference = p_what
        AND c.merchant_id = coalesce(p_merchant_id, c.merchant_id)
    UNION ALL
    SELECT f.* FROM find_request(p_what) f
    WHERE f.merchant_id = coalesce(p_merchant_id, f.merchant_id);
    v_found := FOUND;

    IF p_buyer IS NOT NULL THEN
        RETURN QUERY SELECT f.* FROM find_buyer(p_buyer, p_merchant_id) f;
        v_found := v_found OR FOUND;
    END IF;

    SELECT a.amount, a.currency INTO v_amount, v_currency
    FROM read_amount(p_what) a;

    -- a bare number is mostly an id
    IF v_amount IS NOT NULL
        AND (NOT v_found OR v_currency IS NOT NULL OR strpos(p_what, '.') > 0)
    THEN
        RETURN QUERY
        SELECT f.* FROM find_amount(v_amount, v_currency, p_merchant_id) f;
        v_found := v_found OR FOUND;
    END IF;

    IF NOT v_found AND octet_length(p_what) >= 8 THEN
        RETURN QUERY SELECT f.* FROM find_prefix(p_what, p_merchant_id) f;
    END IF;
END
$$;
COMMENT ON FUNCTION pay_view.find(text, text, text) IS
    'The owner of an id or of eight bytes or more of its beginning, a token, a '
    'reference, a key, a request id, a seller, an amount or a buyer (the '
    'keyed hash of an address of mail, in hex), for operators; NULL for any '
    'merchant';
