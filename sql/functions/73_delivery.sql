-- Deliveries of messages to endpoints: made, handed out to workers under a
-- lease, ended, listed, and made again.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The locks of endpoints are taken in the order of their ids, here and in
-- end_delivery.  With its endpoint locked a message is not overlooked by a
-- claim that is under way.
CREATE OR REPLACE FUNCTION pay.fan_out(p_messages message[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_endpoints webhook_endpoint[] := ARRAY(
        SELECT w FROM webhook_endpoint w
        WHERE w.merchant_id IN (SELECT m.merchant_id
                                FROM unnest(p_messages) m)
            AND w.state = 'enabled'
        ORDER BY w.endpoint_id, w.merchant_id
        FOR UPDATE);
BEGIN
    IF cardinality(v_endpoints) = 0 THEN
        RETURN;
    END IF;

    WITH made AS (
        INSERT INTO webhook_delivery (endpoint_id, merchant_id, position)
        SELECT w.endpoint_id, w.merchant_id, m.position
        FROM unnest(v_endpoints) w
        JOIN unnest(p_messages) m ON m.merchant_id = w.merchant_id
        WHERE CASE m.type
            WHEN 'endpoint.test' THEN m.subject = 'endpoint/' || w.endpoint_id
            ELSE is_wanted(w.types, m.type) END
        RETURNING endpoint_id, merchant_id
    )
    UPDATE webhook_endpoint w
    SET look_at = coalesce(w.paused_until, now())
    FROM (SELECT DISTINCT * FROM made) d
    WHERE w.endpoint_id = d.endpoint_id AND w.merchant_id = d.merchant_id
        AND w.look_at > coalesce(w.paused_until, now());
END
$$;
COMMENT ON FUNCTION pay.fan_out IS
    'Makes the deliveries of new messages to the endpoints that want them';


-- How many deliveries to an endpoint may be under way: an endpoint that fails
-- again and again gets one, to see whether it is back.
CREATE OR REPLACE FUNCTION pay.endpoint_room(p_endpoint webhook_endpoint)
RETURNS int LANGUAGE sql STABLE AS $$
SELECT greatest(CASE WHEN p_endpoint.is_ordered OR p_endpoint.failures >= 5
                     THEN 1 ELSE 16 END
    - (SELECT count(*) FROM webhook_delivery d
       WHERE d.endpoint_id = p_endpoint.endpoint_id
           AND d.merchant_id = p_endpoint.merchant_id
           AND d.is_leased AND d.run_at > now()), 0)::int
$$;
COMMENT ON FUNCTION pay.endpoint_room IS
    'How many more deliveries to an endpoint may begin';


-- Where the order is wanted, the first one that is open goes or none.
CREATE OR REPLACE FUNCTION pay.due_deliveries(
    p_endpoint webhook_endpoint, p_room int)
RETURNS SETOF tid LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_endpoint.is_ordered THEN
        RETURN QUERY
        SELECT f.ctid
        FROM (SELECT d.ctid, d.run_at FROM webhook_delivery d
              WHERE d.endpoint_id = p_endpoint.endpoint_id
                  AND d.merchant_id = p_endpoint.merchant_id
                  AND d.state = 'due'
              ORDER BY d.position LIMIT 1) f
        WHERE f.run_at <= now() AND p_room > 0;
    ELSE
        RETURN QUERY
        SELECT d.ctid FROM webhook_delivery d
        WHERE d.endpoint_id = p_endpoint.endpoint_id
            AND d.merchant_id = p_endpoint.merchant_id
            AND d.state = 'due' AND d.run_at <= now()
        ORDER BY d.run_at, d.position LIMIT p_room;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.due_deliveries IS
    'The addresses of the next deliveries to an endpoint that may begin';


-- An endpoint is looked at again as soon as its next delivery is due, soon where
-- there is no room, and every few minutes in any case.
CREATE OR REPLACE FUNCTION pay.next_look(p_endpoint webhook_endpoint)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
SELECT greatest(now() + interval '20 ms', least(
    now() + interval '5 minutes',
    (SELECT d.run_at FROM webhook_delivery d
     WHERE d.endpoint_id = p_endpoint.endpoint_id
         AND d.merchant_id = p_endpoint.merchant_id AND d.state = 'due'
     ORDER BY d.run_at, d.position LIMIT 1)))
$$;
COMMENT ON FUNCTION pay.next_look IS
    'When an endpoint is to be looked at again';


-- Each endpoint has its share, and one that is dead takes nobody's: it is not
-- looked at while it is paused, and then gets one attempt.
CREATE OR REPLACE FUNCTION pay.claim_deliveries(
    p_slots int, p_lease interval)
RETURNS SETOF webhook_delivery LANGUAGE plpgsql AS $$
DECLARE
    v_endpoint webhook_endpoint;
    v_left     int := p_slots;
    v_count    int;
BEGIN
    FOR v_endpoint IN
        SELECT * FROM webhook_endpoint w
        WHERE w.state = 'enabled' AND w.look_at <= now()
        ORDER BY w.look_at LIMIT p_slots
        FOR UPDATE SKIP LOCKED
    LOOP
        EXIT WHEN v_left = 0;

        RETURN QUERY
        UPDATE webhook_delivery d
        SET attempts = d.attempts + 1, is_leased = true,
            run_at = now() + p_lease
        WHERE d.ctid = ANY (ARRAY(
            SELECT * FROM due_deliveries(v_endpoint,
                least(v_left, endpoint_room(v_endpoint)))))
        RETURNING d.*;
        GET DIAGNOSTICS v_count = ROW_COUNT;
        v_left := v_left - v_count;

        UPDATE webhook_endpoint w SET look_at = next_look(v_endpoint)
        WHERE w.endpoint_id = v_endpoint.endpoint_id
            AND w.merchant_id = v_endpoint.merchant_id;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.claim_deliveries IS
    'Hands out deliveries that are due under a lease';


-- The secrets that sign, newest first; NULL: there is none more.
CREATE OR REPLACE FUNCTION pay.signing_secrets(
    p_merchant_id text, p_endpoint_id text)
RETURNS webhook_secret[] LANGUAGE sql STABLE AS $$
SELECT ARRAY(
    SELECT s FROM webhook_secret s
    WHERE s.endpoint_id = p_endpoint_id AND s.merchant_id = p_merchant_id
        AND coalesce(s.until > now(), true)
    ORDER BY s.number DESC LIMIT 3)
$$;
COMMENT ON FUNCTION pay.signing_secrets IS
    'The secrets that an endpoint''s messages are signed with';


CREATE OR REPLACE FUNCTION pay_api.begin_delivery(
    p_owner text[], p_lease_ms bigint[])
RETURNS SETOF pay_api.delivery_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_slots int[];
    v_due   webhook_delivery[];
BEGIN
    PERFORM check_batch(array_dims(p_owner), array_dims(p_lease_ms));

    v_slots := ARRAY(
        SELECT u.n FROM unnest(p_owner, p_lease_ms)
            WITH ORDINALITY AS u (owner, lease_ms, n)
        WHERE id_ok(u.owner) AND u.lease_ms BETWEEN 1 AND 3600000
        ORDER BY u.n);
    v_due := ARRAY(
        SELECT d FROM claim_deliveries(cardinality(v_slots),
            make_interval(secs => p_lease_ms[v_slots[1]] / 1000.0)) d);

    RETURN QUERY
    SELECT v_slots[d.n], 'due', d.merchant_id::text, d.endpoint_id::text,
        d.position, d.attempts::bigint, w.url::text, w.scheme::text,
        m.message_id::text, m.body,
        s.all[1].number::bigint, s.all[1].sealed, s.all[1].key_id::text,
        s.all[2].number::bigint, s.all[2].sealed, s.all[2].key_id::text,
        s.all[3].number::bigint, s.all[3].sealed, s.all[3].key_id::text
    FROM unnest(v_due) WITH ORDINALITY AS d (endpoint_id, merchant_id,
        position, state, attempts, run_at, is_leased, status, failure,
        took_ms, ended_at, n)
    CROSS JOIN LATERAL (
        SELECT w.url, w.scheme FROM webhook_endpoint w
        WHERE w.endpoint_id = d.endpoint_id
            AND w.merchant_id = d.merchant_id OFFSET 0) w
    CROSS JOIN LATERAL (
        SELECT m.message_id, m.body FROM message m
        WHERE m.position = d.position OFFSET 0) m
    CROSS JOIN LATERAL (
        SELECT signing_secrets(d.merchant_id, d.endpoint_id) AS all
        OFFSET 0) s;

    RETURN QUERY
    SELECT n, CASE WHEN n = ANY (v_slots) THEN 'none' ELSE 'invalid' END,
        NULL, NULL, NULL::bigint, NULL::bigint, NULL, NULL, NULL, NULL,
        NULL::bigint, NULL::bytea, NULL, NULL::bigint, NULL::bytea, NULL,
        NULL::bigint, NULL::bytea, NULL
    FROM generate_series(1, cardinality(p_owner)) n
    WHERE n <> ALL (v_slots[:cardinality(v_due)]);
END
$$;
COMMENT ON FUNCTION pay_api.begin_delivery IS
    'Fills free slots with deliveries under a lease. Outcomes: due, none, '
    'invalid';


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


-- A lease that is over may have brought the message to the storefront twice; the
-- answer of the first attempt is worth nothing then.
CREATE OR REPLACE FUNCTION pay.end_one_delivery(
    p_delivery webhook_delivery, p_outcome text, p_answer text,
    p_retry interval)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_endpoint webhook_endpoint := lock_endpoint(p_delivery.merchant_id,
                                                 p_delivery.endpoint_id);
    v_wait     interval := CASE WHEN p_outcome = 'failed'
        THEN delivery_wait(p_delivery.attempts) END;
BEGIN
    UPDATE webhook_delivery d
    SET state = CASE WHEN p_outcome = 'delivered' THEN 'delivered'
                     WHEN v_wait IS NULL THEN 'failed' ELSE 'due' END,
        is_leased = false,
        run_at = now() + greatest(v_wait, p_retry),
        status = p_delivery.status, failure = p_delivery.failure,
        took_ms = p_delivery.took_ms,
        ended_at = CASE WHEN v_wait IS NULL THEN clock_timestamp() END
    WHERE d.endpoint_id = p_delivery.endpoint_id
        AND d.merchant_id = p_delivery.merchant_id
        AND d.position = p_delivery.position
        AND d.attempts = p_delivery.attempts AND d.is_leased;
    IF NOT FOUND THEN
        RETURN 'gone';
    END IF;

    IF p_outcome = 'delivered' THEN
        PERFORM note_success(v_endpoint);
        RETURN 'stored';
    END IF;

    INSERT INTO webhook_attempt (endpoint_id, merchant_id, position, number,
        took_ms, status, failure, answer)
    VALUES (p_delivery.endpoint_id, p_delivery.merchant_id,
        p_delivery.position, p_delivery.attempts, p_delivery.took_ms,
        p_delivery.status, coalesce(p_delivery.failure, 'status'), p_answer);
    IF v_endpoint.state = 'enabled' THEN
        PERFORM note_failure(v_endpoint, p_outcome = 'gone',
                             now() + greatest(v_wait, p_retry));
    END IF;

    RETURN 'stored';
END
$$;
COMMENT ON FUNCTION pay.end_one_delivery IS
    'Keeps the end of an attempt';


CREATE OR REPLACE FUNCTION pay_api.end_delivery(
    p_merchant_id text[], p_endpoint_id text[], p_position bigint[],
    p_number bigint[], p_outcome text[], p_status bigint[],
    p_failure text[], p_answer text[], p_took_ms bigint[],
    p_retry_s bigint[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_item record;
    v_row  pay_api.outcome_row;
    v_one  webhook_delivery;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_endpoint_id),
        array_dims(p_position), array_dims(p_number), array_dims(p_outcome),
        array_dims(p_status), array_dims(p_failure), array_dims(p_answer),
        array_dims(p_took_ms), array_dims(p_retry_s));

    -- in the order of locks
    FOR v_item IN
        SELECT n, p_outcome[n] AS outcome
        FROM generate_subscripts(p_merchant_id, 1) n
        ORDER BY p_endpoint_id[n], p_merchant_id[n]
    LOOP
        v_one.merchant_id := p_merchant_id[v_item.n];
        v_one.endpoint_id := p_endpoint_id[v_item.n];
        v_one.position := p_position[v_item.n];
        v_one.attempts := p_number[v_item.n];
        v_one.status := p_status[v_item.n];
        v_one.failure := p_failure[v_item.n];
        v_one.took_ms := p_took_ms[v_item.n];
        v_row.item := v_item.n;
        v_row.outcome := CASE
            WHEN (v_item.outcome IN ('delivered', 'failed', 'gone')
                  AND p_took_ms[v_item.n] BETWEEN 0 AND 3600000
                  AND p_retry_s[v_item.n] BETWEEN 0 AND 86400
                  AND octet_length(coalesce(p_answer[v_item.n], '')) <= 4096)
                 IS NOT TRUE
            THEN 'invalid'
            ELSE end_one_delivery(v_one, v_item.outcome, p_answer[v_item.n],
                make_interval(secs => p_retry_s[v_item.n])) END;
        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.end_delivery IS
    'Keeps the ends of attempts. Outcomes: stored, gone, invalid';


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


-- Ten thousand at most in one request, the oldest first; those that are due
-- already stay as they are.  The time is that of the failure, or else that of
-- the message.
CREATE OR REPLACE FUNCTION pay.replay(
    p_endpoint webhook_endpoint, p_message_id text, p_since timestamptz,
    p_until timestamptz, p_only_failed boolean)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
BEGIN
    WITH again AS (
        SELECT m.position FROM message m
        LEFT JOIN webhook_delivery d
            ON d.endpoint_id = p_endpoint.endpoint_id
            AND d.merchant_id = p_endpoint.merchant_id
            AND d.position = m.position
        WHERE m.merchant_id = p_endpoint.merchant_id
            AND (p_message_id IS NULL OR m.message_id = p_message_id)
            AND coalesce(CASE WHEN p_only_failed THEN d.ended_at
                              ELSE m.published_at END >= p_since, true)
            AND coalesce(CASE WHEN p_only_failed THEN d.ended_at
                              ELSE m.published_at END < p_until, true)
            AND (m.type <> 'endpoint.test'
                 OR m.subject = 'endpoint/' || p_endpoint.endpoint_id)
            AND CASE WHEN p_only_failed
                     THEN coalesce(d.state = 'failed', false)
                     WHEN p_message_id IS NOT NULL THEN true
                     ELSE m.type = 'endpoint.test'
                         OR is_wanted(p_endpoint.types, m.type) END
        ORDER BY m.position LIMIT 10000
    )
    INSERT INTO webhook_delivery AS d (endpoint_id, merchant_id, position)
    SELECT p_endpoint.endpoint_id, p_endpoint.merchant_id, a.position
    FROM again a
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
            WHEN v_endpoint.endpoint_id IS NULL
                OR p_message_id[v_item] IS NOT NULL AND NOT EXISTS (
                    SELECT FROM message m
                    WHERE m.message_id = p_message_id[v_item]
                        AND m.merchant_id = p_merchant_id[v_item])
            THEN 'not_found'
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
    'Delivers messages again. Outcomes: stored, not_found, refused, invalid';
