-- The endpoints that storefronts take webhooks at: made, listed and changed.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.endpoint_json(p_endpoint webhook_endpoint)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT json_build_object('endpoint_id', p_endpoint.endpoint_id,
    'url', p_endpoint.url, 'types', to_json(p_endpoint.types),
    'scheme', p_endpoint.scheme, 'ordered', p_endpoint.is_ordered,
    'source', p_endpoint.source,
    'state', p_endpoint.state, 'reason', p_endpoint.reason,
    'failures', p_endpoint.failures,
    'failing_since', iso_time(p_endpoint.failing_since),
    'paused_until', iso_time(p_endpoint.paused_until),
    'secrets', (
        SELECT json_agg(json_build_object('number', s.number,
            'made_at', iso_time(s.made_at), 'until', iso_time(s.until))
            ORDER BY s.number)
        FROM webhook_secret s
        WHERE s.endpoint_id = p_endpoint.endpoint_id
            AND s.merchant_id = p_endpoint.merchant_id
            AND coalesce(s.until > now(), true)),
    'created_at', iso_time(p_endpoint.created_at),
    'changed_at', iso_time(p_endpoint.changed_at))
$$;
COMMENT ON FUNCTION pay.endpoint_json IS 'An endpoint for the API';


-- Names of types: payment.succeeded, payment.*
CREATE OR REPLACE FUNCTION pay.types_ok(p_types jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(jsonb_typeof(p_types) = 'array'
    AND jsonb_array_length(p_types) <= 50
    AND NOT EXISTS (
        SELECT FROM jsonb_array_elements(p_types) t (value)
        WHERE jsonb_typeof(t.value) <> 'string'
            OR (t.value #>> '{}') !~ '^[a-z_]+\.([a-z_]+|\*)$'
            OR octet_length(t.value #>> '{}') > 64), false)
$$;
COMMENT ON FUNCTION pay.types_ok IS 'Whether it is a list of types';


CREATE OR REPLACE FUNCTION pay.is_wanted(p_types text[], p_type text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT p_types = '{}' OR p_type = ANY (p_types)
    OR split_part(p_type, '.', 1) || '.*' = ANY (p_types)
$$;
COMMENT ON FUNCTION pay.is_wanted IS
    'Whether an endpoint of these types gets messages of the type';


CREATE OR REPLACE FUNCTION pay.keep_secret(
    p_merchant_id text, p_endpoint_id text, p_number int, p_sealed bytea,
    p_key_id text, p_who text)
RETURNS void LANGUAGE sql AS $$
INSERT INTO webhook_secret (endpoint_id, merchant_id, number, sealed, key_id,
    made_by)
VALUES (p_endpoint_id, p_merchant_id, p_number, p_sealed, p_key_id, p_who)
$$;
COMMENT ON FUNCTION pay.keep_secret IS 'Keeps a secret of an endpoint';


-- The caller has the lock of the merchant's endpoints.  Those that stand in no
-- nginx.conf any more take no place.
CREATE OR REPLACE FUNCTION pay.make_endpoint(
    p_merchant_id text, p_endpoint_id text, p_url text, p_types jsonb,
    p_scheme text, p_is_ordered boolean, p_sealed bytea, p_key_id text,
    p_who text)
RETURNS webhook_endpoint LANGUAGE plpgsql AS $$
DECLARE
    v_endpoint webhook_endpoint;
BEGIN
    IF (SELECT count(*) FROM webhook_endpoint w
        WHERE w.merchant_id = p_merchant_id
            AND w.reason IS DISTINCT FROM 'undeclared') >= 100
    THEN
        RETURN NULL;
    END IF;

    INSERT INTO webhook_endpoint (merchant_id, endpoint_id, url, types,
        scheme, is_ordered, created_by)
    VALUES (p_merchant_id, p_endpoint_id, p_url,
        ARRAY(SELECT jsonb_array_elements_text(p_types)), p_scheme,
        p_is_ordered, p_who)
    RETURNING * INTO v_endpoint;
    PERFORM keep_secret(p_merchant_id, p_endpoint_id, 1, p_sealed, p_key_id,
                        p_who);

    RETURN v_endpoint;
END
$$;
COMMENT ON FUNCTION pay.make_endpoint IS
    'Makes an endpoint; NULL: the merchant has as many as it may';


-- An endpoint's id may come from an Idempotency-Key: one that is there was made
-- by the first request, whose secret nobody can read again.  The lock bounds
-- the number of endpoints for requests at one time, and has the second of two
-- with one id see the endpoint of the first.
CREATE OR REPLACE FUNCTION pay_api.store_endpoint(
    p_merchant_id text[], p_endpoint_id text[], p_url text[],
    p_types jsonb[], p_scheme text[], p_is_ordered bigint[],
    p_sealed bytea[], p_key_id text[], p_who text[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row      pay_api.page_row;
    v_endpoint webhook_endpoint;
    v_item     int;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_endpoint_id),
        array_dims(p_url), array_dims(p_types), array_dims(p_scheme),
        array_dims(p_is_ordered), array_dims(p_sealed), array_dims(p_key_id),
        array_dims(p_who));

    -- in the order of locks
    FOR v_item IN
        SELECT n FROM generate_subscripts(p_merchant_id, 1) n
        ORDER BY p_merchant_id[n], p_endpoint_id[n]
    LOOP
        v_row.item := v_item;
        v_row.page := NULL;
        v_row.outcome := 'invalid';

        IF id_ok(p_merchant_id[v_item]) AND id_ok(p_endpoint_id[v_item])
            AND octet_length(p_url[v_item]) BETWEEN 1 AND 2048
            AND types_ok(p_types[v_item])
            AND p_scheme[v_item] IN ('v1', 'v1a')
            AND octet_length(p_sealed[v_item]) BETWEEN 1 AND 1024
            AND id_ok(p_key_id[v_item]) AND p_who[v_item] <> ''
        THEN
            PERFORM pg_advisory_xact_lock(
                hashtext('endpoint ' || p_merchant_id[v_item]));
            v_endpoint := lock_endpoint(p_merchant_id[v_item],
                                        p_endpoint_id[v_item]);
            v_row.outcome := CASE
                WHEN v_endpoint.endpoint_id IS NULL THEN 'refused'
                WHEN (v_endpoint.url, to_jsonb(v_endpoint.types),
                      v_endpoint.scheme, v_endpoint.is_ordered)
                     = (p_url[v_item], p_types[v_item], p_scheme[v_item],
                        p_is_ordered[v_item] <> 0)
                THEN 'replayed' ELSE 'key_reused' END;

            IF v_row.outcome = 'refused' THEN
                v_endpoint := make_endpoint(p_merchant_id[v_item],
                    p_endpoint_id[v_item], p_url[v_item], p_types[v_item],
                    p_scheme[v_item], p_is_ordered[v_item] <> 0,
                    p_sealed[v_item], p_key_id[v_item], p_who[v_item]);
                v_row.outcome := CASE WHEN v_endpoint.endpoint_id IS NULL
                    THEN 'refused' ELSE 'stored' END;
            END IF;

            v_row.page := CASE WHEN v_row.outcome IN ('stored', 'replayed')
                THEN endpoint_json(v_endpoint)::text END;
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.store_endpoint IS
    'Makes an endpoint of a merchant. Outcomes: stored, replayed, key_reused, '
    'refused, invalid';


-- Its deliveries that are due end with it; replay_deliveries brings them back.
CREATE OR REPLACE FUNCTION pay.disable_endpoint(
    p_merchant_id text, p_endpoint_id text, p_reason text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE webhook_endpoint w
    SET state = 'disabled', reason = p_reason, changed_at = clock_timestamp()
    WHERE w.endpoint_id = p_endpoint_id AND w.merchant_id = p_merchant_id;

    UPDATE webhook_delivery d
    SET state = 'failed', failure = 'disabled', is_leased = false,
        ended_at = clock_timestamp()
    WHERE d.endpoint_id = p_endpoint_id AND d.merchant_id = p_merchant_id
        AND d.state = 'due';

    INSERT INTO webhook_outbox (endpoint_id, merchant_id, kind)
    VALUES (p_endpoint_id, p_merchant_id, 'endpoint.disabled');
END
$$;
COMMENT ON FUNCTION pay.disable_endpoint IS
    'Ends the deliveries to an endpoint, and tells the other receivers';


-- A secret that is over signs no more; the new one signs at once.  Of more than
-- three the oldest end.
CREATE OR REPLACE FUNCTION pay.rotate_secret(
    p_endpoint webhook_endpoint, p_sealed bytea, p_key_id text,
    p_overlap interval, p_who text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_number int := (
        SELECT max(s.number) + 1 FROM webhook_secret s
        WHERE s.endpoint_id = p_endpoint.endpoint_id
            AND s.merchant_id = p_endpoint.merchant_id);
BEGIN
    UPDATE webhook_secret s
    SET until = CASE WHEN s.number < v_number - 2 THEN now()
                     ELSE least(s.until, now() + p_overlap) END
    WHERE s.endpoint_id = p_endpoint.endpoint_id
        AND s.merchant_id = p_endpoint.merchant_id
        AND coalesce(s.until > now(), true);
    PERFORM keep_secret(p_endpoint.merchant_id, p_endpoint.endpoint_id,
                        v_number, p_sealed, p_key_id, p_who);
END
$$;
COMMENT ON FUNCTION pay.rotate_secret IS
    'A new secret; the ones before sign for some time more';


CREATE OR REPLACE FUNCTION pay.act_on_endpoint(
    p_endpoint webhook_endpoint, p_act text, p_sealed bytea, p_key_id text,
    p_overlap interval, p_who text)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF p_act = 'test' AND p_endpoint.state = 'disabled' THEN
        RETURN 'refused';
    ELSIF p_act = 'test' THEN
        INSERT INTO webhook_outbox (endpoint_id, merchant_id, kind)
        VALUES (p_endpoint.endpoint_id, p_endpoint.merchant_id,
                'endpoint.test');
    ELSIF p_act = 'rotate' THEN
        PERFORM rotate_secret(p_endpoint, p_sealed, p_key_id, p_overlap,
                              p_who);
    ELSIF p_act = 'disable' AND p_endpoint.state = 'enabled' THEN
        PERFORM disable_endpoint(p_endpoint.merchant_id,
            p_endpoint.endpoint_id, 'merchant');
    ELSIF p_act = 'enable' THEN
        UPDATE webhook_endpoint w
        SET state = 'enabled', reason = NULL, failures = 0,
            failing_since = NULL, paused_until = NULL, look_at = now(),
            changed_at = clock_timestamp()
        WHERE w.endpoint_id = p_endpoint.endpoint_id
            AND w.merchant_id = p_endpoint.merchant_id;
    END IF;

    RETURN 'stored';
END
$$;
COMMENT ON FUNCTION pay.act_on_endpoint IS
    'Enables, disables, tests or rotates; the endpoint is locked';


CREATE OR REPLACE FUNCTION pay.lock_endpoint(
    p_merchant_id text, p_endpoint_id text)
RETURNS webhook_endpoint LANGUAGE sql AS $$
SELECT w.* FROM webhook_endpoint w
WHERE w.endpoint_id = p_endpoint_id AND w.merchant_id = p_merchant_id
FOR UPDATE
$$;
COMMENT ON FUNCTION pay.lock_endpoint IS 'An endpoint, locked';


-- The words of a line of nginx.conf are changed there.  A test, and enabling one
-- that has failed for too long, change none of them.
CREATE OR REPLACE FUNCTION pay.is_declared(
    p_endpoint webhook_endpoint, p_act text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT p_endpoint.source = 'directive'
    AND (p_act IN ('disable', 'rotate')
         OR p_act = 'enable'
            AND p_endpoint.reason IS NOT DISTINCT FROM 'undeclared')
$$;
COMMENT ON FUNCTION pay.is_declared IS
    'Whether an act is nginx.conf''s, and not the merchant''s';


CREATE OR REPLACE FUNCTION pay_api.change_endpoint(
    p_merchant_id text[], p_endpoint_id text[], p_act text[],
    p_sealed bytea[], p_key_id text[], p_overlap_s bigint[], p_who text[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row      pay_api.page_row;
    v_endpoint webhook_endpoint;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_endpoint_id),
        array_dims(p_act), array_dims(p_sealed), array_dims(p_key_id),
        array_dims(p_overlap_s), array_dims(p_who));

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_row.item := v_item;
        v_row.page := NULL;
        v_endpoint := lock_endpoint(p_merchant_id[v_item],
                                    p_endpoint_id[v_item]);

        v_row.outcome := CASE
            WHEN (p_act[v_item] IN ('enable', 'disable', 'test', 'rotate')
                  AND p_overlap_s[v_item] BETWEEN 0 AND 2592000
                  AND p_who[v_item] <> ''
                  AND (p_act[v_item] <> 'rotate'
                       OR octet_length(p_sealed[v_item]) BETWEEN 1 AND 1024
                           AND id_ok(p_key_id[v_item]))) IS NOT TRUE
            THEN 'invalid'
            WHEN v_endpoint.endpoint_id IS NULL THEN 'not_found'
            WHEN is_declared(v_endpoint, p_act[v_item]) THEN 'declared'
            ELSE act_on_endpoint(v_endpoint, p_act[v_item], p_sealed[v_item],
                p_key_id[v_item],
                make_interval(secs => p_overlap_s[v_item]), p_who[v_item])
            END;

        IF v_row.outcome = 'stored' THEN
            v_row.page := endpoint_json(lock_endpoint(p_merchant_id[v_item],
                p_endpoint_id[v_item]))::text;
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.change_endpoint IS
    'Enables, disables, tests or rotates the secret of an endpoint. Outcomes: '
    'stored, not_found, declared, refused, invalid';


CREATE OR REPLACE FUNCTION pay_api.list_endpoints(
    p_merchant_id text[], p_endpoint_id text[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
                        array_dims(p_endpoint_id));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN NOT id_ok(u.merchant_id) THEN 'invalid'
             WHEN l.page IS NULL THEN 'not_found' ELSE 'found' END,
        CASE WHEN id_ok(u.merchant_id) THEN l.page END
    FROM unnest(p_merchant_id, p_endpoint_id)
        WITH ORDINALITY AS u (merchant_id, endpoint_id, n)
    LEFT JOIN LATERAL (
        SELECT CASE WHEN u.endpoint_id IS NULL
            THEN (SELECT json_build_object('endpoints', coalesce(
                      json_agg(endpoint_json(w) ORDER BY w.created_at), '[]'))
                  FROM webhook_endpoint w
                  WHERE w.merchant_id = u.merchant_id)
            ELSE (SELECT endpoint_json(w) FROM webhook_endpoint w
                  WHERE w.endpoint_id = u.endpoint_id
                      AND w.merchant_id = u.merchant_id) END::text AS page
        OFFSET 0) l ON true;
END
$$;
COMMENT ON FUNCTION pay_api.list_endpoints IS
    'The endpoints of a merchant, or one. Outcomes: found, not_found, invalid';
