-- Events for receivers as operators see them: figures for /metrics, the part of
-- explain about an order, and the end of old messages.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Changes without a message yet.  Counting ends at 10000; times are in seconds since
-- 1970.
CREATE OR REPLACE FUNCTION pay.untold_figures()
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object('untold', count(*),
    'untold_at', floor(extract(epoch FROM min(u.at)))::bigint)
FROM (SELECT o.at FROM outbox o
      UNION ALL
      SELECT a.at FROM payout_outbox o JOIN payout_act a USING (act_id)
      UNION ALL
      SELECT e.opened_at FROM settlement_outbox o
      JOIN settlement_exception e USING (exception_id)
      UNION ALL
      SELECT a.at FROM risk_outbox o JOIN risk_mode_act a USING (act_id)
      LIMIT 10000) u
$$;
COMMENT ON FUNCTION pay.untold_figures IS
    'How much waits to be published, and since when';


-- The first delivery of an endpoint that is due is the oldest one but for
-- repetitions, so that each endpoint costs one look.
CREATE OR REPLACE FUNCTION pay.delivery_figures()
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object(
    'due', coalesce(sum(d.count), 0),
    'due_at', floor(extract(epoch FROM min(m.published_at)))::bigint,
    'failing', count(*) FILTER (WHERE w.failures > 0
                                    AND w.state = 'enabled'),
    'disabled', count(*) FILTER (WHERE w.state = 'disabled'
                                     AND w.reason IN ('gone', 'failing')))
FROM webhook_endpoint w
LEFT JOIN LATERAL (
    SELECT count(*) AS count, min(x.position) AS position
    FROM (SELECT d.position FROM webhook_delivery d
          WHERE d.endpoint_id = w.endpoint_id
              AND d.merchant_id = w.merchant_id AND d.state = 'due'
          ORDER BY d.position LIMIT 10000) x
    OFFSET 0) d ON true
LEFT JOIN message m ON m.position = d.position
$$;
COMMENT ON FUNCTION pay.delivery_figures IS
    'How many deliveries are due, since when, and how endpoints do';


-- readers: how far each is behind the end of the log.
CREATE OR REPLACE FUNCTION pay.event_figures()
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_strip_nulls(untold_figures() || delivery_figures()
    || jsonb_build_object(
        'behind', (SELECT max(p.position - r.position)
                   FROM message_reader r),
        'behind_at', (
            SELECT floor(extract(epoch FROM min(m.published_at)))::bigint
            FROM message_reader r
            JOIN message m ON m.position = r.position + 1)))
FROM message_place p
$$;
COMMENT ON FUNCTION pay.event_figures IS
    'The figures of events for /metrics';


-- A worker that comes too early gets the figures of the last round.
CREATE OR REPLACE FUNCTION pay_api.watch_events(
    p_owner text[], p_interval_ms bigint[])
RETURNS SETOF pay_api.counts_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row pay_api.counts_row;
BEGIN
    PERFORM check_batch(array_dims(p_owner), array_dims(p_interval_ms));

    FOR v_item IN 1 .. coalesce(cardinality(p_owner), 0) LOOP
        v_row := ROW(v_item, 'invalid', NULL);

        IF id_ok(p_owner[v_item])
            AND p_interval_ms[v_item] BETWEEN 0 AND 86400000
        THEN
            v_row.outcome := CASE WHEN take_round('events') THEN 'checked'
                                  ELSE 'not_due' END;
        END IF;

        IF v_row.outcome = 'checked' THEN
            PERFORM end_round('events', event_figures(), make_interval(
                secs => p_interval_ms[v_item] / 1000.0));
        END IF;

        IF v_row.outcome <> 'invalid' THEN
            v_row.counts := round_counts('events');
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.watch_events IS
    'Gathers the figures of events, once an interval. Outcomes: checked, '
    'not_due, invalid';


-- The messages about an order, and who has heard of each: endpoints by their
-- deliveries, readers by their place.  The id of a message follows from its
-- event, so that no index by subject is needed.
CREATE OR REPLACE FUNCTION pay.explain_messages(p_order payment_order)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT coalesce(json_agg(json_build_object('event_id', m.message_id,
    'type', m.type, 'published_at', iso_time(m.published_at),
    'receivers', (
        SELECT coalesce(json_agg(json_build_object('receiver', r.receiver,
            'state', r.state, 'attempts', r.attempts) ORDER BY r.receiver),
            '[]')
        FROM (SELECT d.endpoint_id::text AS receiver, d.state, d.attempts
              FROM webhook_endpoint w
              CROSS JOIN LATERAL (
                  SELECT d.* FROM webhook_delivery d
                  WHERE d.endpoint_id = w.endpoint_id
                      AND d.merchant_id = w.merchant_id
                      AND d.position = m.position OFFSET 0) d
              WHERE w.merchant_id = p_order.merchant_id
              UNION ALL
              SELECT x.name::text,
                  CASE WHEN x.position >= m.position THEN 'delivered'
                       ELSE 'due' END, NULL
              FROM message_reader x) r)) ORDER BY m.position), '[]')
FROM (SELECT e.seq FROM event e
      WHERE e.merchant_id = p_order.merchant_id
          AND e.payment_order_id = p_order.payment_order_id
          AND e.at >= events_since(p_order.merchant_id, p_order.checkout_id)
      ORDER BY e.seq DESC LIMIT 100) e
CROSS JOIN LATERAL (
    SELECT m.* FROM message m
    WHERE m.message_id = message_id(p_order.merchant_id,
        p_order.payment_order_id || '/' || e.seq)
    OFFSET 0) m
$$;
COMMENT ON FUNCTION pay.explain_messages IS
    'The messages about an order, and which receivers have heard of them';
