-- Deliveries as lists, and made again.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.delivery_json(p_delivery webhook_delivery)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT json_build_object('event_id', m.message_id, 'type', m.type,
    'subject', m.subject, 'state', p_delivery.state,
    'attempts', p_delivery.attempts, 'status', p_delivery.status,
    'failure', p_delivery.failure, 'took_ms', p_delivery.took_ms,
    'next_at', CASE WHEN p_delivery.state = 'due'
                    THEN iso_time(p_delivery.run_at) END,
    'ended_at', iso_time(p_delivery.ended_at),
    'failed_attempts', (
        SELECT coalesce(json_agg(json_build_object('number', a.number,
            'at', iso_time(a.at), 'status', a.status, 'failure', a.failure,
            'took_ms', a.took_ms, 'answer', a.answer) ORDER BY a.at), '[]')
        FROM webhook_attempt a
        WHERE a.endpoint_id = p_delivery.endpoint_id
            AND a.merchant_id = p_delivery.merchant_id
            AND a.position = p_delivery.position))
FROM message m WHERE m.position = p_delivery.position
$$;
COMMENT ON FUNCTION pay.delivery_json IS
    'A delivery and its attempts for the API';


CREATE OR REPLACE FUNCTION pay.delivery_page(
    p_merchant_id text, p_endpoint_id text, p_state text, p_before bigint,
    p_limit int)
RETURNS text LANGUAGE sql STABLE AS $$
WITH seen AS (
    SELECT x.delivery, x.position,
        row_number() OVER (ORDER BY x.position DESC) AS n
    FROM (SELECT d AS delivery, d.position FROM webhook_delivery d
          WHERE d.endpoint_id = p_endpoint_id
              AND d.merchant_id = p_merchant_id
              AND d.position < coalesce(p_before, 9223372036854775807)
              AND (p_state IS NULL OR d.state = p_state)
          ORDER BY d.position DESC LIMIT p_limit + 1) x
)
SELECT json_build_object('deliveries', coalesce(
        json_agg(delivery_json(s.delivery) ORDER BY s.n)
            FILTER (WHERE s.n <= p_limit), '[]'),
    'next', CASE WHEN max(s.n) > p_limit
                 THEN max(s.position) FILTER (WHERE s.n = p_limit)::text
            END)::text
FROM seen s
$$;
COMMENT ON FUNCTION pay.delivery_page IS
    'A page of the deliveries to an endpoint, newest first';


CREATE OR REPLACE FUNCTION pay_api.list_deliveries(
    p_merchant_id text[], p_endpoint_id text[], p_state text[],
    p_before bigint[], p_limit bigint[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row pay_api.page_row;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_endpoint_id),
        array_dims(p_state), array_dims(p_before), array_dims(p_limit));

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_row.item := v_item;
        v_row.page := NULL;
        v_row.outcome := CASE
            WHEN (p_limit[v_item] BETWEEN 1 AND 1000
                  AND coalesce(p_state[v_item] IN ('due', 'delivered',
                                                   'failed'), true))
                 IS NOT TRUE
            THEN 'invalid'
            WHEN NOT EXISTS (
                SELECT FROM webhook_endpoint w
                WHERE w.endpoint_id = p_endpoint_id[v_item]
                    AND w.merchant_id = p_merchant_id[v_item])
            THEN 'not_found' ELSE 'found' END;

        IF v_row.outcome = 'found' THEN
            v_row.page := delivery_page(p_merchant_id[v_item],
                p_endpoint_id[v_item], p_state[v_item], p_before[v_item],
                p_limit[v_item]::int);
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.list_deliveries IS
    'Deliveries to an endpoint, newest first. Outcomes: found, not_found, '
    'invalid';


-- One message, where the endpoint may have it.
CREATE OR REPLACE FUNCTION pay.again_one(
    p_endpoint webhook_endpoint, p_message_id text, p_until timestamptz,
    p_only_failed boolean)
RETURNS SETOF bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT m.position FROM message m
    LEFT JOIN LATERAL (
        SELECT d.state, d.ended_at FROM webhook_delivery d
        WHERE d.endpoint_id = p_endpoint.endpoint_id
            AND d.merchant_id = p_endpoint.merchant_id
            AND d.position = m.position OFFSET 0) d ON true
    WHERE m.message_id = p_message_id
        AND m.merchant_id = p_endpoint.merchant_id
        AND (m.type <> 'endpoint.test'
             OR m.subject = 'endpoint/' || p_endpoint.endpoint_id)
        AND (NOT p_only_failed OR coalesce(d.state = 'failed', false))
        AND coalesce(CASE WHEN p_only_failed THEN d.ended_at
                          ELSE m.published_at END < p_until, true);
END
$$;
COMMENT ON FUNCTION pay.again_one IS
    'The position of a message that an endpoint is to get again';


-- By the index of failures, which are few, and not by the messages of the
-- merchant: an order by positions would lead the planner to all deliveries.
CREATE OR REPLACE FUNCTION pay.again_failed(
    p_endpoint webhook_endpoint, p_since timestamptz, p_until timestamptz)
RETURNS SETOF bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT f.position
    FROM (SELECT d.position FROM webhook_delivery d
          WHERE d.endpoint_id = p_endpoint.endpoint_id
              AND d.merchant_id = p_endpoint.merchant_id
              AND d.state = 'failed'
              AND d.ended_at >= coalesce(p_since, '-infinity')
              AND d.ended_at < coalesce(p_until, 'infinity') OFFSET 0) f
    ORDER BY f.position LIMIT 10000;
END
$$;
COMMENT ON FUNCTION pay.again_failed IS
    'The positions of messages that have failed to reach an endpoint';


CREATE OR REPLACE FUNCTION pay.again_since(
    p_endpoint webhook_endpoint, p_since timestamptz, p_until timestamptz)
RETURNS SETOF bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT m.position FROM message m
    WHERE m.merchant_id = p_endpoint.merchant_id
        AND m.published_at >= coalesce(p_since, '-infinity')
        AND m.published_at < coalesce(p_until, 'infinity')
        AND CASE m.type
            WHEN 'endpoint.test'
            THEN m.subject = 'endpoint/' || p_endpoint.endpoint_id
            ELSE is_wanted(p_endpoint.types, m.type) END
    ORDER BY m.position LIMIT 10000;
END
$$;
COMMENT ON FUNCTION pay.again_since IS
    'The positions of messages of a time that an endpoint wants';


-- Ten thousand at most in one request, the oldest first; those that are due
-- already stay as they are.  The time is that of the failure, or else that of
-- the message.
CREATE OR REPLACE FUNCTION pay.replay(
    p_endpoint webhook_endpoint, p_message_id text, p_since timestamptz,
    p_until timestamptz, p_only_failed boolean)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_again bigint[];
    v_count bigint;
BEGIN
    IF p_message_id IS NOT NULL THEN
        v_again := ARRAY(SELECT again_one(p_endpoint, p_message_id, p_until,
                                          p_only_failed));
    ELSIF p_only_failed THEN
        v_again := ARRAY(SELECT again_failed(p_endpoint, p_since, p_until));
    ELSE
        v_again := ARRAY(SELECT again_since(p_endpoint, p_since, p_until));
    END IF;

    -- retention leaves them; one that is gone already has no delivery
    v_again := ARRAY(
        SELECT m.position FROM message m
        WHERE m.position = ANY (v_again)
        ORDER BY m.position FOR KEY SHARE);

    INSERT INTO webhook_delivery AS d (endpoint_id, merchant_id, position)
    SELECT p_endpoint.endpoint_id, p_endpoint.merchant_id, a.position
    FROM unnest(v_again) a (position)
    ON CONFLICT (endpoint_id, merchant_id, position) DO UPDATE
    SET state = 'due', attempts = 0, run_at = now(), ended_at = NULL
    WHERE d.state <> 'due';
    GET DIAGNOSTICS v_count = ROW_COUNT;

    UPDATE webhook_endpoint w
    SET look_at = least(w.look_at, coalesce(w.paused_until, now()))
    WHERE w.endpoint_id = p_endpoint.endpoint_id
        AND w.merchant_id = p_endpoint.merchant_id;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.replay IS
    'Makes deliveries of messages again: how many';


CREATE OR REPLACE FUNCTION pay_api.replay_deliveries(
    p_merchant_id text[], p_endpoint_id text[], p_message_id text[],
    p_since_us bigint[], p_until_us bigint[], p_only_failed bigint[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row      pay_api.page_row;
    v_endpoint webhook_endpoint;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_endpoint_id),
        array_dims(p_message_id), array_dims(p_since_us),
        array_dims(p_until_us), array_dims(p_only_failed));

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_row.item := v_item;
        v_row.page := NULL;
        v_endpoint := lock_endpoint(p_merchant_id[v_item],
                                    p_endpoint_id[v_item]);
        v_row.outcome := CASE
            WHEN num_nonnulls(p_message_id[v_item], p_since_us[v_item]) <> 1
            THEN 'invalid'
            WHEN v_endpoint.endpoint_id IS NULL THEN 'not_found'
            WHEN p_message_id[v_item] IS NOT NULL AND NOT EXISTS (
                    SELECT FROM message m
                    WHERE m.message_id = p_message_id[v_item]
                        AND m.merchant_id = p_merchant_id[v_item])
            THEN 'unknown'
            WHEN v_endpoint.state = 'disabled' THEN 'refused'
            ELSE 'stored' END;

        IF v_row.outcome = 'stored' THEN
            v_row.page := json_build_object('deliveries', replay(v_endpoint,
                p_message_id[v_item],
                'epoch'::timestamptz + p_since_us[v_item] * interval '1 us',
                'epoch'::timestamptz + p_until_us[v_item] * interval '1 us',
                p_only_failed[v_item] <> 0))::text;
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.replay_deliveries IS
    'Delivers messages again. Outcomes: stored, not_found, unknown, refused, '
    'invalid';
