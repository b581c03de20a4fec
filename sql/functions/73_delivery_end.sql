-- Deliveries that end: success, failure, pauses, and when the next attempt is.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The schedule of Standard Webhooks, with a tenth more or less by chance; NULL:
-- it is given up.
CREATE OR REPLACE FUNCTION pay.delivery_wait(p_attempts int)
RETURNS interval LANGUAGE sql VOLATILE AS $$
SELECT ('{5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h}'
        ::interval[])[p_attempts] * (0.9 + 0.2 * random())
$$;
COMMENT ON FUNCTION pay.delivery_wait IS
    'How long the next attempt waits behind so many';


-- It has worked: the pause is over, and where the order is wanted, the next one
-- may begin.
CREATE OR REPLACE FUNCTION pay.note_success(p_endpoint webhook_endpoint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_endpoint.failures > 0 OR p_endpoint.is_ordered THEN
        UPDATE webhook_endpoint w
        SET failures = 0, failing_since = NULL, paused_until = NULL,
            look_at = now()
        WHERE w.endpoint_id = p_endpoint.endpoint_id
            AND w.merchant_id = p_endpoint.merchant_id;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.note_success IS 'An endpoint has taken a message';


-- Behind five failures in a row the endpoint is paused, for a minute and more,
-- an hour at most.  After five days without success, or with 410, it is
-- disabled.
CREATE OR REPLACE FUNCTION pay.note_failure(
    p_endpoint webhook_endpoint, p_is_gone boolean, p_next timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_is_gone OR p_endpoint.failing_since < now() - interval '5 days' THEN
        PERFORM disable_endpoint(p_endpoint.merchant_id,
            p_endpoint.endpoint_id,
            CASE WHEN p_is_gone THEN 'gone' ELSE 'failing' END);
        RETURN;
    END IF;

    UPDATE webhook_endpoint w
    SET failures = w.failures + 1,
        failing_since = coalesce(w.failing_since, now()),
        paused_until = CASE WHEN w.failures + 1 >= 5 THEN now()
            + least(interval '1 hour', interval '1 minute'
                    * 2 ^ least(w.failures - 4, 10)) END,
        look_at = CASE WHEN w.failures + 1 >= 5 THEN now()
            + least(interval '1 hour', interval '1 minute'
                    * 2 ^ least(w.failures - 4, 10))
            ELSE least(w.look_at, p_next) END
    WHERE w.endpoint_id = p_endpoint.endpoint_id
        AND w.merchant_id = p_endpoint.merchant_id;
END
$$;
COMMENT ON FUNCTION pay.note_failure IS 'An endpoint has not taken a message';


-- The function of releases before, dropped in the commit that replaces its
-- caller.
DROP FUNCTION IF EXISTS pay.end_one_delivery(
    webhook_delivery, text, text, interval);


-- The end of an attempt.  way: together with others, alone, or invalid.
DO $$
BEGIN
    IF to_regtype('pay.delivery_end') IS NULL THEN
        CREATE TYPE pay.delivery_end AS (item int, way text,
            merchant_id text COLLATE "C", endpoint_id text COLLATE "C",
            position bigint, number int, outcome text, status int,
            failure text, answer text, took_ms int, retry interval);
    END IF;
END
$$;


-- A lease that is over may have brought the message to the storefront twice; the
-- answer of the first attempt is worth nothing then.
CREATE OR REPLACE FUNCTION pay.end_one_delivery(p_end delivery_end)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_endpoint webhook_endpoint := lock_endpoint(p_end.merchant_id,
                                                 p_end.endpoint_id);
    v_wait     interval := CASE WHEN p_end.outcome = 'failed'
        THEN delivery_wait(p_end.number) END;
BEGIN
    UPDATE webhook_delivery d
    SET state = CASE WHEN p_end.outcome = 'delivered' THEN 'delivered'
                     WHEN v_wait IS NULL THEN 'failed' ELSE 'due' END,
        is_leased = false,
        run_at = now() + greatest(v_wait, p_end.retry),
        status = p_end.status, failure = p_end.failure,
        took_ms = p_end.took_ms,
        ended_at = CASE WHEN v_wait IS NULL THEN clock_timestamp() END
    WHERE d.endpoint_id = p_end.endpoint_id
        AND d.merchant_id = p_end.merchant_id
        AND d.position = p_end.position
        AND d.attempts = p_end.number AND d.is_leased;
    IF NOT FOUND THEN
        RETURN 'gone';
    END IF;

    IF p_end.outcome = 'delivered' THEN
        PERFORM note_success(v_endpoint);
        RETURN 'stored';
    END IF;

    INSERT INTO webhook_attempt (endpoint_id, merchant_id, position, number,
        took_ms, status, failure, answer)
    VALUES (p_end.endpoint_id, p_end.merchant_id,
        p_end.position, p_end.number, p_end.took_ms,
        p_end.status, coalesce(p_end.failure, 'status'), p_end.answer);
    IF v_endpoint.state = 'enabled' THEN
        PERFORM note_failure(v_endpoint, p_end.outcome = 'gone',
                             now() + greatest(v_wait, p_end.retry));
    END IF;

    RETURN 'stored';
END
$$;
COMMENT ON FUNCTION pay.end_one_delivery IS
    'Keeps the end of an attempt';


-- Items of which none has failed, at endpoints that are locked: all at once.  Of
-- two about one attempt the first counts.
CREATE OR REPLACE FUNCTION pay.end_delivered(p_ends delivery_end[])
RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    WITH found AS MATERIALIZED (
        SELECT e.item, e.status, e.failure, e.took_ms, e.retry, d.tid,
            d.tid IS NOT NULL AND row_number() OVER (
                PARTITION BY d.tid ORDER BY e.item) = 1 AS counts
        FROM unnest(p_ends) e
        LEFT JOIN LATERAL (
            SELECT d.ctid AS tid FROM webhook_delivery d
            WHERE d.endpoint_id = e.endpoint_id
                AND d.merchant_id = e.merchant_id
                AND d.position = e.position
                AND d.attempts = e.number AND d.is_leased
            OFFSET 0) d ON true
        WHERE e.way = 'together'
    ), ended AS (
        UPDATE webhook_delivery d
        SET state = 'delivered', is_leased = false, run_at = now() + f.retry,
            status = f.status, failure = f.failure, took_ms = f.took_ms,
            ended_at = clock_timestamp()
        FROM found f
        WHERE d.ctid = f.tid AND f.counts
        RETURNING d.endpoint_id, d.merchant_id
    ), noted AS (
        UPDATE webhook_endpoint w
        SET failures = 0, failing_since = NULL, paused_until = NULL,
            look_at = now()
        FROM (SELECT DISTINCT x.endpoint_id, x.merchant_id FROM ended x) e
        CROSS JOIN LATERAL (
            SELECT x.ctid AS tid FROM webhook_endpoint x
            WHERE x.merchant_id = e.merchant_id
                AND x.endpoint_id = e.endpoint_id
                AND (x.failures > 0 OR x.is_ordered)
            OFFSET 0) x
        WHERE w.ctid = x.tid
    )
    SELECT f.item, CASE WHEN f.counts THEN 'stored' ELSE 'gone' END
    FROM found f;
END
$$;
COMMENT ON FUNCTION pay.end_delivered IS
    'Keeps the ends of attempts that have worked';


-- In the order of their ids, as in fan_out.
CREATE OR REPLACE FUNCTION pay.lock_endpoints(p_ends delivery_end[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM (
        SELECT DISTINCT e.endpoint_id, e.merchant_id FROM unnest(p_ends) e
        WHERE e.way <> 'invalid'
        ORDER BY e.endpoint_id, e.merchant_id) e
    CROSS JOIN LATERAL (
        SELECT FROM webhook_endpoint w
        WHERE w.merchant_id = e.merchant_id
            AND w.endpoint_id = e.endpoint_id
        FOR UPDATE) w;
END
$$;
COMMENT ON FUNCTION pay.lock_endpoints IS 'Locks the endpoints of attempts';


-- Where an attempt at an endpoint has failed, each one at it counts in its turn:
-- failures in a row pause and disable.
CREATE OR REPLACE FUNCTION pay_api.end_delivery(
    p_merchant_id text[], p_endpoint_id text[], p_position bigint[],
    p_number bigint[], p_outcome text[], p_status bigint[],
    p_failure text[], p_answer text[], p_took_ms bigint[],
    p_retry_s bigint[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_ends delivery_end[];
    v_row  pay_api.outcome_row;
    v_end  delivery_end;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_endpoint_id),
        array_dims(p_position), array_dims(p_number), array_dims(p_outcome),
        array_dims(p_status), array_dims(p_failure), array_dims(p_answer),
        array_dims(p_took_ms), array_dims(p_retry_s));

    v_ends := ARRAY(
        SELECT ROW(u.item, CASE WHEN NOT u.is_ok THEN 'invalid'
                WHEN bool_or(u.is_ok AND u.outcome <> 'delivered') OVER (
                    PARTITION BY u.endpoint_id, u.merchant_id)
                THEN 'alone' ELSE 'together' END,
            u.merchant_id, u.endpoint_id, u.position, u.number, u.outcome,
            u.status, u.failure, u.answer, u.took_ms,
            make_interval(secs => u.retry_s))::delivery_end
        FROM (SELECT x.*, (x.outcome IN ('delivered', 'failed', 'gone')
                  AND x.took_ms BETWEEN 0 AND 3600000
                  AND x.retry_s BETWEEN 0 AND 86400
                  AND octet_length(coalesce(x.answer, '')) <= 4096)
                  IS TRUE AS is_ok
              FROM unnest(p_merchant_id, p_endpoint_id, p_position, p_number,
                  p_outcome, p_status, p_failure, p_answer, p_took_ms,
                  p_retry_s) WITH ORDINALITY AS x (merchant_id, endpoint_id,
                  position, number, outcome, status, failure, answer, took_ms,
                  retry_s, item)) u
        ORDER BY u.item);
    PERFORM lock_endpoints(v_ends);

    RETURN QUERY SELECT * FROM end_delivered(v_ends);

    FOREACH v_end IN ARRAY v_ends LOOP
        CONTINUE WHEN v_end.way = 'together';
        v_row.item := v_end.item;
        v_row.outcome := CASE v_end.way WHEN 'invalid' THEN 'invalid'
                                        ELSE end_one_delivery(v_end) END;
        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.end_delivery IS
    'Keeps the ends of attempts. Outcomes: stored, gone, invalid';
