-- Endpoints that stand in nginx.conf.  Each node says every few minutes which it
-- has; one that no node has named for a while is disabled.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- As long as this an endpoint, or the newest of its secrets, holds without being
-- named: several questions of a node, and the time that a new nginx.conf takes
-- to come to all nodes.
CREATE OR REPLACE FUNCTION pay.declared_for()
RETURNS interval LANGUAGE sql IMMUTABLE AS
$$SELECT interval '15 minutes'$$;
COMMENT ON FUNCTION pay.declared_for IS
    'How long an endpoint of nginx.conf holds without being declared';


CREATE OR REPLACE FUNCTION pay.name_secret(
    p_endpoint webhook_endpoint, p_number int, p_fingerprint bytea)
RETURNS void LANGUAGE sql AS $$
UPDATE webhook_secret s
SET fingerprint = p_fingerprint, declared_at = now()
WHERE s.endpoint_id = p_endpoint.endpoint_id
    AND s.merchant_id = p_endpoint.merchant_id AND s.number = p_number
    AND coalesce(s.declared_at < now() - interval '1 minute', true)
$$;
COMMENT ON FUNCTION pay.name_secret IS
    'Keeps when a secret was last declared, to the minute';


-- While nginx.conf is changed, some nodes have the new secret and some still the
-- old one: an older secret is taken for theirs as long as the newest one is
-- declared, too, or the nodes would replace each other's for ever.  When nobody
-- declares the newest one any more, the operator wants the older one back.
CREATE OR REPLACE FUNCTION pay.declare_secret(
    p_endpoint webhook_endpoint, p_fingerprint bytea, p_sealed bytea,
    p_key_id text, p_overlap interval)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_newest   webhook_secret;
    v_is_known boolean;
BEGIN
    SELECT * INTO v_newest FROM webhook_secret s
    WHERE s.endpoint_id = p_endpoint.endpoint_id
        AND s.merchant_id = p_endpoint.merchant_id
    ORDER BY s.number DESC LIMIT 1;
    v_is_known := EXISTS (
        SELECT FROM webhook_secret s
        WHERE s.endpoint_id = p_endpoint.endpoint_id
            AND s.merchant_id = p_endpoint.merchant_id
            AND s.fingerprint = p_fingerprint);

    IF v_newest.fingerprint = p_fingerprint THEN
        PERFORM name_secret(p_endpoint, v_newest.number, p_fingerprint);
        RETURN false;
    ELSIF v_is_known AND v_newest.declared_at > now() - declared_for() THEN
        RETURN false;
    END IF;

    PERFORM rotate_secret(p_endpoint, p_sealed, p_key_id, p_overlap,
                          'nginx.conf');
    PERFORM name_secret(p_endpoint, v_newest.number + 1, p_fingerprint);

    RETURN true;
END
$$;
COMMENT ON FUNCTION pay.declare_secret IS
    'Keeps the secret of a line, if it is another one; whether it was';


CREATE OR REPLACE FUNCTION pay.make_declared(
    p_merchant_id text, p_endpoint_id text, p_url text, p_types jsonb,
    p_is_ordered boolean, p_fingerprint bytea, p_sealed bytea,
    p_key_id text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_endpoint webhook_endpoint := make_endpoint(p_merchant_id,
        p_endpoint_id, p_url, p_types, 'v1', p_is_ordered, p_sealed,
        p_key_id, 'nginx.conf');
BEGIN
    IF v_endpoint.endpoint_id IS NULL THEN
        RETURN 'refused';
    END IF;

    UPDATE webhook_endpoint w SET source = 'directive', declared_at = now()
    WHERE w.endpoint_id = p_endpoint_id AND w.merchant_id = p_merchant_id;
    PERFORM name_secret(v_endpoint, 1, p_fingerprint);

    RETURN 'stored';
END
$$;
COMMENT ON FUNCTION pay.make_declared IS 'Makes the endpoint of a line';


-- One that failed for too long, or that an operator has disabled, stays so: the
-- line says that it shall be there, and nothing about its receiver.
CREATE OR REPLACE FUNCTION pay.renew_declared(
    p_endpoint webhook_endpoint, p_types text[], p_is_ordered boolean)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_is_back boolean := p_endpoint.reason IS NOT DISTINCT FROM 'undeclared';
    v_is_new  boolean := (p_endpoint.types, p_endpoint.is_ordered)
                         IS DISTINCT FROM (p_types, p_is_ordered);
BEGIN
    IF v_is_back THEN
        PERFORM act_on_endpoint(p_endpoint, 'enable', NULL, NULL, NULL,
                                'nginx.conf');
    END IF;

    UPDATE webhook_endpoint w
    SET declared_at = now(), types = p_types, is_ordered = p_is_ordered,
        changed_at = CASE WHEN v_is_new THEN clock_timestamp()
                          ELSE w.changed_at END
    WHERE w.endpoint_id = p_endpoint.endpoint_id
        AND w.merchant_id = p_endpoint.merchant_id
        AND (v_is_new OR v_is_back
             OR w.declared_at < now() - interval '1 minute');

    RETURN v_is_new OR v_is_back;
END
$$;
COMMENT ON FUNCTION pay.renew_declared IS
    'An endpoint is still in nginx.conf; whether anything is new';


-- The first locks bound the number of endpoints, as store_endpoint's; all of
-- them are taken before the first endpoint is locked.
CREATE OR REPLACE FUNCTION pay_api.declare_endpoints(
    p_merchant_id text[], p_endpoint_id text[], p_url text[],
    p_types jsonb[], p_is_ordered bigint[], p_fingerprint bytea[],
    p_sealed bytea[], p_key_id text[], p_overlap_s bigint[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row      pay_api.outcome_row;
    v_endpoint webhook_endpoint;
    v_types    text[];
    v_is_new   boolean;
    v_item     int;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_endpoint_id),
        array_dims(p_url), array_dims(p_types), array_dims(p_is_ordered),
        array_dims(p_fingerprint), array_dims(p_sealed),
        array_dims(p_key_id), array_dims(p_overlap_s));
    PERFORM pg_advisory_xact_lock(hashtext('endpoint ' || m.merchant_id))
    FROM (SELECT DISTINCT u.merchant_id FROM unnest(p_merchant_id)
              AS u (merchant_id) ORDER BY 1) m;

    FOR v_item IN
        SELECT n FROM generate_subscripts(p_merchant_id, 1) n
        ORDER BY p_endpoint_id[n], p_merchant_id[n]
    LOOP
        v_row.item := v_item;
        v_endpoint := lock_endpoint(p_merchant_id[v_item],
                                    p_endpoint_id[v_item]);
        v_row.outcome := CASE
            WHEN (id_ok(p_merchant_id[v_item]) AND id_ok(p_endpoint_id[v_item])
                  AND octet_length(p_url[v_item]) BETWEEN 1 AND 2048
                  AND types_ok(p_types[v_item])
                  AND octet_length(p_fingerprint[v_item]) = 32
                  AND octet_length(p_sealed[v_item]) BETWEEN 1 AND 1024
                  AND id_ok(p_key_id[v_item])
                  AND p_overlap_s[v_item] BETWEEN 0 AND 2592000
                  AND coalesce(v_endpoint.url = p_url[v_item]
                               AND v_endpoint.source = 'directive', true))
                 IS NOT TRUE
            THEN 'invalid'
            WHEN v_endpoint.endpoint_id IS NULL
            THEN make_declared(p_merchant_id[v_item], p_endpoint_id[v_item],
                p_url[v_item], p_types[v_item], p_is_ordered[v_item] <> 0,
                p_fingerprint[v_item], p_sealed[v_item], p_key_id[v_item])
            ELSE 'replayed' END;

        IF v_row.outcome = 'replayed' THEN
            v_types := ARRAY(SELECT jsonb_array_elements_text(
                                 p_types[v_item]));
            v_is_new := renew_declared(v_endpoint, v_types,
                                       p_is_ordered[v_item] <> 0);
            v_is_new := declare_secret(v_endpoint, p_fingerprint[v_item],
                p_sealed[v_item], p_key_id[v_item],
                make_interval(secs => p_overlap_s[v_item])) OR v_is_new;
            v_row.outcome := CASE WHEN v_is_new THEN 'stored'
                                  ELSE 'replayed' END;
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.declare_endpoints IS
    'Makes the endpoints of a node''s nginx.conf, or changes them as their '
    'lines have changed. Outcomes: stored, replayed, refused, invalid';


-- Time in which no node asked is none in which an endpoint was not named: behind
-- an outage of all of them, the first one would disable the endpoints of the
-- others.
CREATE OR REPLACE FUNCTION pay.end_undeclared()
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_endpoint webhook_endpoint;
BEGIN
    UPDATE webhook_endpoint w SET declared_at = now()
    WHERE w.source = 'directive' AND w.state = 'enabled'
        AND EXISTS (SELECT FROM round r
                    WHERE r.name = 'endpoints'
                        AND r.run_at < now() - interval '5 minutes');

    FOR v_endpoint IN
        SELECT * FROM webhook_endpoint w
        WHERE w.source = 'directive' AND w.state = 'enabled'
            AND w.declared_at < now() - declared_for()
        ORDER BY w.endpoint_id, w.merchant_id
        FOR UPDATE
    LOOP
        PERFORM disable_endpoint(v_endpoint.merchant_id,
                                 v_endpoint.endpoint_id, 'undeclared');
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.end_undeclared IS
    'Disables the endpoints that no nginx.conf has any more';


CREATE OR REPLACE FUNCTION pay_api.watch_endpoints(p_owner text[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row pay_api.outcome_row;
BEGIN
    PERFORM check_batch(array_dims(p_owner));

    FOR v_item IN 1 .. coalesce(cardinality(p_owner), 0) LOOP
        v_row.item := v_item;
        v_row.outcome := CASE
            WHEN id_ok(p_owner[v_item]) IS NOT TRUE THEN 'invalid'
            WHEN take_round('endpoints') THEN 'checked'
            ELSE 'not_due' END;

        IF v_row.outcome = 'checked' THEN
            PERFORM end_undeclared();
            PERFORM end_round('endpoints', NULL, interval '1 minute');
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.watch_endpoints IS
    'Disables endpoints that no nginx.conf has any more, once a minute. '
    'Outcomes: checked, not_due, invalid';
