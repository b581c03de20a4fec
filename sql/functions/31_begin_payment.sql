-- The operation begin_payment, on top of the steps in 30_payment.sql.  Longer
-- than a function should be: 25 arguments stand here four times.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay_api.begin_payment(
    p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[],
    p_checkout_id text[], p_checkout_uuid text[], p_handle text[],
    p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[],
    p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[],
    p_currency text[], p_total_minor bigint[], p_expires_s bigint[],
    p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[],
    p_request_id text[], p_psps text[], p_route text[],
    p_key_windows text[], p_late_success text[], p_terms jsonb[])
RETURNS TABLE (
    item int, outcome text, merchant_id text, checkout_id text,
    checkout_uuid text, psp text, nonce text, handle text, token text,
    alias text, hosted_url text, return_url text, base_url text,
    currency text, total_minor bigint, expires_s bigint,
    registration_state text, attempt bigint, code text, version bigint,
    orders text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_items     payment_item[];
    v_item      int[];
    v_outcome   text[];
    v_merchant  text[];
    v_checkout  text[];
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_idempotency_key),
        array_dims(p_fingerprint), array_dims(p_checkout_id),
        array_dims(p_checkout_uuid), array_dims(p_handle),
        array_dims(p_psp), array_dims(p_nonce), array_dims(p_return_url),
        array_dims(p_base_url), array_dims(p_buyer_info),
        array_dims(p_metadata), array_dims(p_credit_card_info),
        array_dims(p_currency), array_dims(p_total_minor),
        array_dims(p_expires_s), array_dims(p_orders), array_dims(p_ttl_s),
        array_dims(p_lease_ms), array_dims(p_request_id),
        array_dims(p_psps), array_dims(p_route), array_dims(p_key_windows),
        array_dims(p_late_success), array_dims(p_terms));

    v_items := ARRAY(
        SELECT ROW(u.n, u.merchant_id, u.key, u.fingerprint, u.checkout_id,
            u.uuid, u.handle, u.psp, u.nonce, u.return_url, u.base_url,
            u.buyer_info, u.metadata, u.credit_card_info, u.currency,
            u.total_minor, to_timestamp(u.expires_s), u.orders,
            make_interval(secs => u.ttl_s),
            make_interval(secs => u.lease_ms / 1000.0),
            u.request_id, l.psps, nullif(u.route, ''), t.key_windows,
            t.late_success, t.capture, t.quote_ttl, t.rate_age, t.replaces,
            t.change_id, t.can_close, NULL, t.asked_by)::payment_item
        FROM unnest(p_merchant_id, p_idempotency_key, p_fingerprint,
            p_checkout_id, p_checkout_uuid, p_handle, p_psp, p_nonce,
            p_return_url, p_base_url, p_buyer_info, p_metadata,
            p_credit_card_info, p_currency, p_total_minor, p_expires_s,
            p_orders, p_ttl_s, p_lease_ms, p_request_id, p_psps, p_route,
            p_key_windows, p_late_success, p_terms)
            WITH ORDINALITY AS u (merchant_id, key, fingerprint,
            checkout_id, uuid, handle, psp, nonce, return_url, base_url,
            buyer_info, metadata, credit_card_info, currency, total_minor,
            expires_s, orders, ttl_s, lease_ms, request_id, psps, route,
            key_windows, late_success, terms, n)
        JOIN currency k ON k.code = u.currency AND k.is_current
        CROSS JOIN LATERAL (
            SELECT CASE WHEN u.psps <> '' THEN string_to_array(u.psps, ' ')
                        ELSE ARRAY[u.psp] END AS psps
            OFFSET 0) l
        CROSS JOIN LATERAL (
            SELECT read_windows(u.key_windows, cardinality(l.psps))
                    AS key_windows,
                coalesce(nullif(u.late_success, ''), 'accept')
                    AS late_success,
                coalesce(u.terms ->> 'capture', 'automatic') AS capture,
                term_seconds(u.terms ->> 'quote_ttl_s', '900') AS quote_ttl,
                term_seconds(u.terms ->> 'rate_age_s', '300') AS rate_age,
                u.terms ->> 'replaces' AS replaces,
                u.terms ->> 'change_id' AS change_id,
                coalesce(u.terms -> 'can_close' = 'true', false) AS can_close,
                u.terms -> 'asked_by' AS asked_by
            OFFSET 0) t
        CROSS JOIN LATERAL (
            SELECT count(*) AS count,
                bool_and(order_ok(e, u.currency)) AS ok,
                sum(CASE WHEN jsonb_typeof(e -> 'amount') = 'number'
                         THEN (e -> 'amount')::numeric END) AS total
            FROM jsonb_array_elements(CASE jsonb_typeof(u.orders)
                WHEN 'array' THEN u.orders ELSE '[]' END) e
            ) o
        WHERE id_ok(u.merchant_id) AND id_ok(u.key) AND id_ok(u.checkout_id)
            AND id_ok(u.handle) AND id_ok(u.psp) AND id_ok(u.nonce)
            AND octet_length(u.fingerprint) = 32
            AND u.uuid ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
            AND octet_length(u.return_url) BETWEEN 1 AND 8192
            AND octet_length(u.base_url) BETWEEN 1 AND 8192
            AND u.total_minor > 0
            AND u.expires_s BETWEEN 1 AND 253402300799
            AND u.ttl_s BETWEEN 1 AND 315360000
            AND u.lease_ms BETWEEN 0 AND 86400000
            AND u.psp = ANY (l.psps) AND cardinality(l.psps) <= 8
            AND (SELECT bool_and(id_ok(p)) FROM unnest(l.psps) p)
            AND cardinality(t.key_windows) = cardinality(l.psps)
            AND t.late_success IN ('accept', 'hold', 'refund')
            AND t.capture IN ('automatic', 'manual')
            AND t.quote_ttl IS NOT NULL AND t.rate_age IS NOT NULL
            AND (t.replaces IS NULL OR id_ok(t.replaces) AND t.change_id
                 ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
            AND coalesce(octet_length(u.route), 0) <= 1000
            AND asked_by_ok(t.asked_by)
            AND o.count BETWEEN 1 AND 20 AND o.ok
            AND o.total = u.total_minor
            AND CASE WHEN o.count > 1 THEN (
                SELECT count(DISTINCT e -> 'id') = o.count
                FROM jsonb_array_elements(u.orders) e) ELSE true END
        ORDER BY u.n);

    -- in a statement of its own: the next one sees what this one wrote
    SELECT array_agg(b.item), array_agg(b.outcome), array_agg(b.merchant_id),
        array_agg(b.checkout_id)
    INTO v_item, v_outcome, v_merchant, v_checkout
    FROM begin_items(v_items) b;

    RETURN QUERY
    SELECT b.item, b.outcome, s.*
    FROM unnest(v_item, v_outcome, v_merchant, v_checkout)
        AS b (item, outcome, merchant_id, checkout_id)
    LEFT JOIN checkout_state s
        ON b.outcome IN ('created', 'waiting', 'replayed', 'exists')
        AND s.merchant_id = b.merchant_id AND s.checkout_id = b.checkout_id;

    IF cardinality(v_items) < cardinality(p_merchant_id) THEN
        RETURN QUERY
        SELECT n, 'invalid', s.*
        FROM generate_series(1, cardinality(p_merchant_id)) n
        LEFT JOIN checkout_state s ON false
        WHERE n NOT IN (SELECT i.item FROM unnest(v_items) i);
    END IF;
END
$$;
COMMENT ON FUNCTION pay_api.begin_payment IS
    'Creates checkouts: created, waiting, replayed, in_progress, key_reused, '
    'exists, rate_missing, credit_too_large, nothing_to_replace, '
    'not_replaced or invalid';
