-- Deliveries of messages to endpoints: made, and handed out to workers under a
-- lease.

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


-- Functions of releases before, dropped in the commit that replaces their callers.
DROP FUNCTION IF EXISTS pay.due_deliveries(webhook_endpoint, int);
DROP FUNCTION IF EXISTS pay.endpoint_room(webhook_endpoint);
DROP FUNCTION IF EXISTS pay.next_look(webhook_endpoint);
DROP FUNCTION IF EXISTS pay.signing_secrets(text, text);


-- How many deliveries to an endpoint may be under way: an endpoint that wants its
-- order, or fails again and again, gets one.  Where the order is wanted, the
-- first one that is open goes or none.
CREATE OR REPLACE FUNCTION pay.due_deliveries(
    p_endpoints webhook_endpoint[], p_slots int)
RETURNS SETOF tid LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT f.tid FROM unnest(p_endpoints) w
    CROSS JOIN LATERAL (
        SELECT CASE WHEN w.is_ordered OR w.failures >= 5 THEN 1 ELSE 16 END
            - count(*) AS room
        FROM webhook_delivery d
        WHERE d.endpoint_id = w.endpoint_id AND d.merchant_id = w.merchant_id
            AND d.is_leased AND d.run_at > now() OFFSET 0) r
    CROSS JOIN LATERAL (
        (SELECT d.ctid AS tid FROM webhook_delivery d
         WHERE d.endpoint_id = w.endpoint_id
             AND d.merchant_id = w.merchant_id
             AND d.state = 'due' AND d.run_at <= now() AND NOT w.is_ordered
         ORDER BY d.run_at, d.position LIMIT greatest(r.room, 0))
        UNION ALL
        (SELECT o.tid
         FROM (SELECT d.ctid AS tid, d.run_at FROM webhook_delivery d
               WHERE d.endpoint_id = w.endpoint_id
                   AND d.merchant_id = w.merchant_id
                   AND d.state = 'due' AND w.is_ordered
               ORDER BY d.position LIMIT 1) o
         WHERE o.run_at <= now() AND r.room > 0)) f
    LIMIT p_slots;
END
$$;
COMMENT ON FUNCTION pay.due_deliveries IS
    'The addresses of the next deliveries to endpoints that may begin';


-- An endpoint is looked at again as soon as its next delivery is due, soon where
-- it has all that it may have, and every few minutes in any case.  With no slot
-- left, one that got some may have more at once, behind the others, and the rest
-- keep their places.
CREATE OR REPLACE FUNCTION pay.look_later(
    p_endpoints webhook_endpoint[], p_claimed webhook_delivery[],
    p_is_full boolean)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE webhook_endpoint w
    SET look_at = greatest(
        now() + CASE WHEN p_is_full AND NOT w.is_ordered AND w.failures < 5
                     THEN interval '0' ELSE interval '20 ms' END,
        least(now() + interval '5 minutes',
              (SELECT d.run_at FROM webhook_delivery d
               WHERE d.endpoint_id = w.endpoint_id
                   AND d.merchant_id = w.merchant_id AND d.state = 'due'
               ORDER BY d.run_at, d.position LIMIT 1)))
    FROM unnest(p_endpoints) p
    CROSS JOIN LATERAL (
        SELECT x.ctid AS tid FROM webhook_endpoint x
        WHERE x.merchant_id = p.merchant_id
            AND x.endpoint_id = p.endpoint_id OFFSET 0) x
    WHERE w.ctid = x.tid AND (NOT p_is_full
        OR EXISTS (SELECT FROM unnest(p_claimed) c
                   WHERE c.endpoint_id = p.endpoint_id
                       AND c.merchant_id = p.merchant_id));
END
$$;
COMMENT ON FUNCTION pay.look_later IS
    'Sets when endpoints are to be looked at again';


-- Each endpoint has its share, and one that is dead takes nobody's: it is not
-- looked at while it is paused, and then gets one attempt.  The endpoints are
-- locked in a statement of their own, so that the next one sees the claims of
-- others; no more are locked at a time than slots are left, for a few.
CREATE OR REPLACE FUNCTION pay.claim_deliveries(
    p_slots int, p_lease interval)
RETURNS SETOF webhook_delivery LANGUAGE plpgsql AS $$
DECLARE
    v_endpoints webhook_endpoint[];
    v_claimed   webhook_delivery[];
    v_left      int := p_slots;
    v_looks     int := p_slots + 8;
BEGIN
    WHILE v_left > 0 AND v_looks > 0 LOOP
        v_endpoints := ARRAY(
            SELECT w FROM webhook_endpoint w
            WHERE w.state = 'enabled' AND w.look_at <= now()
            ORDER BY w.look_at LIMIT least(v_left, v_looks, 8)
            FOR UPDATE SKIP LOCKED);
        EXIT WHEN cardinality(v_endpoints) = 0;

        WITH claimed AS (
            UPDATE webhook_delivery d
            SET attempts = d.attempts + 1, is_leased = true,
                run_at = now() + p_lease
            WHERE d.ctid = ANY (ARRAY(
                SELECT due_deliveries(v_endpoints, v_left)))
            RETURNING d
        )
        SELECT coalesce(array_agg(c.d), '{}') INTO v_claimed FROM claimed c;

        v_left := v_left - cardinality(v_claimed);
        v_looks := v_looks - cardinality(v_endpoints);
        PERFORM look_later(v_endpoints, v_claimed, v_left = 0);
        RETURN QUERY SELECT * FROM unnest(v_claimed);
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.claim_deliveries IS
    'Hands out deliveries that are due under a lease';


-- In PL/pgSQL, so that its plan is kept.
CREATE OR REPLACE FUNCTION pay.trace_of(p_merchant_id text, p_subject text)
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_kind text := split_part(p_subject, '/', 1);
    v_id   text := substr(p_subject, length(v_kind) + 2);
BEGIN
    IF v_kind = 'payment' THEN
        SELECT o.checkout_id INTO v_id
        FROM find_order(p_merchant_id, v_id) o;
    ELSIF v_kind <> 'checkout' THEN
        RETURN NULL;
    END IF;

    RETURN (SELECT c.trace FROM checkout c
            WHERE c.merchant_id = p_merchant_id AND c.checkout_id = v_id);
END
$$;
COMMENT ON FUNCTION pay.trace_of IS
    'The trace of the payment that a message is about';


-- The three newest secrets that are not over sign; NULL: there is none more.  They
-- are looked up in place: a function with a subquery would be parsed and planned
-- anew in each call.
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
        s.all[3].number::bigint, s.all[3].sealed, s.all[3].key_id::text,
        trace_of(d.merchant_id, m.subject)
    FROM unnest(v_due) WITH ORDINALITY AS d (endpoint_id, merchant_id,
        position, state, attempts, run_at, is_leased, status, failure,
        took_ms, ended_at, n)
    CROSS JOIN LATERAL (
        SELECT w.url, w.scheme FROM webhook_endpoint w
        WHERE w.endpoint_id = d.endpoint_id
            AND w.merchant_id = d.merchant_id OFFSET 0) w
    CROSS JOIN LATERAL (
        SELECT m.message_id, m.body, m.subject FROM message m
        WHERE m.position = d.position OFFSET 0) m
    CROSS JOIN LATERAL (
        SELECT ARRAY(
            SELECT s FROM webhook_secret s
            WHERE s.endpoint_id = d.endpoint_id
                AND s.merchant_id = d.merchant_id
                AND coalesce(s.until > now(), true)
            ORDER BY s.number DESC LIMIT 3) AS all
        OFFSET 0) s;

    RETURN QUERY
    SELECT n, CASE WHEN n = ANY (v_slots) THEN 'none' ELSE 'invalid' END,
        NULL, NULL, NULL::bigint, NULL::bigint, NULL, NULL, NULL, NULL,
        NULL::bigint, NULL::bytea, NULL, NULL::bigint, NULL::bytea, NULL,
        NULL::bigint, NULL::bytea, NULL, NULL
    FROM generate_series(1, cardinality(p_owner)) n
    WHERE n <> ALL (v_slots[:cardinality(v_due)]);
END
$$;
COMMENT ON FUNCTION pay_api.begin_delivery IS
    'Fills free slots with deliveries under a lease. Outcomes: due, none, '
    'invalid';
