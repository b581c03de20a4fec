-- publish_events: messages for receivers, out of the rows that the commits of
-- payments, pay-outs, reconciliation and risk have left in their outboxes.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A row of an outbox on its way into the log.  n orders the messages of one
-- subject; source makes the id, so that no row is published under two of them.
DO $$
BEGIN
    IF to_regtype('pay.told') IS NULL THEN
        CREATE TYPE pay.told AS (merchant_id text, subject text, n bigint,
            type text, at timestamptz, source text, data json);
    END IF;
END
$$;


-- An amount where the exponent of its currency is at hand: a query for each
-- amount would cost more than the message.
CREATE OR REPLACE FUNCTION pay.scaled_text(p_minor bigint, p_exponent int)
RETURNS text LANGUAGE sql IMMUTABLE AS
'SELECT round(p_minor / 10::numeric ^ p_exponent, p_exponent)::text';
COMMENT ON FUNCTION pay.scaled_text IS
    'An amount in units of a currency with so many decimals';


-- The members of an order that never change, and its status behind the event:
-- the present amounts of the order may be those of a later event.
CREATE OR REPLACE FUNCTION pay.order_told(
    p_order payment_order, p_event event, p_psp text, p_amount text,
    p_credit text)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT json_build_object(
    'payment_order_id', p_order.payment_order_id,
    'checkout_id', p_order.checkout_id,
    'seller_account', p_order.seller_account,
    'amount', p_amount, 'currency', p_order.currency,
    'status', coalesce(p_event.new_status, p_order.status),
    'reason', CASE WHEN p_event.kind = 'authorized'
                   THEN hold_reason(p_order.merchant_id, p_order.checkout_id)
                   WHEN p_event.seq IS NULL THEN p_order.reason::text
                   ELSE p_event.reason END,
    'psp', p_psp, 'version', p_event.seq,
    'decline', p_event.detail -> 'decline',
    'credit', CASE WHEN p_credit IS NOT NULL
                   THEN json_build_object(
                       'currency', p_order.credit_currency,
                       'amount', p_credit) END)
$$;
COMMENT ON FUNCTION pay.order_told IS
    'An order as a message shows it';


-- The capture, cancellation, refund or dispute of an event.  NULL: it has none.
CREATE OR REPLACE FUNCTION pay.part_told(
    p_type text, p_event event, p_amount text, p_currency text)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT CASE WHEN p_type NOT LIKE 'payment.%' AND p_event.seq IS NOT NULL
    THEN json_build_object(
        split_part(p_type, '.', 1) || '_id',
        coalesce(p_event.detail ->> 'change_id',
                 p_event.detail ->> 'dispute_id'),
        'amount', p_amount, 'currency', p_currency) END
$$;
COMMENT ON FUNCTION pay.part_told IS
    'The capture, cancellation, refund or dispute that a message is about';


-- All that is visible of an order goes together with its lowest event first, and
-- an order's rows are committed in their order.  So no row is left that belongs
-- before one that is taken; one that commits later has a higher number.
CREATE OR REPLACE FUNCTION pay.take_outbox(p_most int)
RETURNS SETOF told LANGUAGE sql AS $$
WITH chosen AS MATERIALIZED (
    SELECT x.merchant_id, x.payment_order_id, max(x.seq) AS seq
    FROM (SELECT o.merchant_id, o.payment_order_id, o.seq FROM outbox o
          LIMIT p_most) x
    GROUP BY x.merchant_id, x.payment_order_id
), taken AS MATERIALIZED (
    SELECT o.* FROM chosen s
    CROSS JOIN LATERAL (
        SELECT x.tableoid AS part, x.ctid AS tid, x.* FROM outbox x
        WHERE x.merchant_id = s.merchant_id
            AND x.payment_order_id = s.payment_order_id AND x.seq <= s.seq
        OFFSET 0) o
), gone AS (
    DELETE FROM outbox o USING taken r
    WHERE o.ctid = r.tid AND o.tableoid = r.part
    RETURNING o.merchant_id, o.payment_order_id, o.seq, o.at, o.kind
), known AS (
    SELECT g.merchant_id::text, g.payment_order_id::text, g.seq, g.at,
        g.kind::text, o.checkout_id::text, o AS payment_order,
        c.psp::text AS psp, e.event,
        scaled_text(o.amount_minor, k.exponent) AS amount,
        scaled_text(o.credit_minor, r.exponent) AS credit,
        scaled_text(e.amount_minor, x.exponent) AS part, x.code AS part_in
    FROM gone g
    CROSS JOIN LATERAL find_order(g.merchant_id, g.payment_order_id) o
    CROSS JOIN LATERAL (
        SELECT c.psp FROM checkout c
        WHERE c.merchant_id = o.merchant_id AND c.checkout_id = o.checkout_id
        OFFSET 0) c
    LEFT JOIN LATERAL (
        SELECT y AS event, (y.detail ->> 'amount_minor')::bigint
                AS amount_minor, y.detail ->> 'currency' AS currency
        FROM event y
        WHERE y.merchant_id = g.merchant_id
            AND y.payment_order_id = g.payment_order_id AND y.seq = g.seq
            AND y.at = g.at
        OFFSET 0) e ON true
    JOIN currency k ON k.code = o.currency
    LEFT JOIN currency r ON r.code = o.credit_currency
    LEFT JOIN currency x ON x.code = coalesce(e.currency, o.currency)
)
SELECT k.merchant_id, 'payment/' || k.payment_order_id, k.seq, k.kind, k.at,
    k.payment_order_id || '/' || k.seq,
    json_strip_nulls(json_build_object(
        'payment', order_told(k.payment_order, k.event, k.psp, k.amount,
                              k.credit),
        split_part(k.kind, '.', 1),
        CASE WHEN k.kind NOT LIKE 'payment.%' THEN
            part_told(k.kind, k.event, k.part, k.part_in) END))
FROM known k
UNION ALL
-- a checkout is completed with the last of its orders
SELECT k.merchant_id, 'checkout/' || k.checkout_id, 1, 'checkout.completed',
    max(k.at), 'checkout/' || k.checkout_id,
    json_build_object('checkout', json_build_object(
        'checkout_id', k.checkout_id, 'psp', min(k.psp),
        'payment_order_ids', (
            SELECT json_agg(o.payment_order_id ORDER BY o.position)
            FROM payment_order o
            WHERE o.merchant_id = k.merchant_id
                AND o.checkout_id = k.checkout_id)))
FROM known k
WHERE k.kind = 'payment.succeeded'
    AND NOT EXISTS (
        SELECT FROM payment_order o
        WHERE o.merchant_id = k.merchant_id AND o.checkout_id = k.checkout_id
            AND o.status <> 'SUCCESS')
GROUP BY k.merchant_id, k.checkout_id
$$;
COMMENT ON FUNCTION pay.take_outbox IS
    'Takes rows about payment orders out of their outbox';


-- Names of operators and ends of account numbers do not go out.
CREATE OR REPLACE FUNCTION pay.take_payout_outbox(p_most int)
RETURNS SETOF told LANGUAGE sql AS $$
WITH gone AS (
    DELETE FROM payout_outbox x
    WHERE x.act_id = ANY (ARRAY(SELECT o.act_id FROM payout_outbox o
                                ORDER BY o.act_id LIMIT p_most))
    RETURNING x.act_id, x.merchant_id, x.kind
)
SELECT g.merchant_id::text, a.subject || '/' || a.subject_id, g.act_id,
    g.kind::text, a.at, 'act/' || g.act_id,
    CASE a.subject WHEN 'destination'
        THEN json_build_object('destination', json_build_object(
            'destination_id', a.subject_id, 'seller_account',
            c.seller_account, 'currency', c.currency))
        ELSE json_build_object('payout', json_strip_nulls(json_build_object(
            'payout_id', a.subject_id,
            'state', CASE WHEN g.kind = 'payout.' || a.act
                          THEN a.act::text END,
            'seller_account', p.seller_account,
            'amount', decimal_text(p.amount_minor, p.currency),
            'currency', p.currency, 'provider', p.provider,
            'destination_id', p.destination_id,
            'destination_version', p.destination_version,
            'provider_key', p.payout_key || '-' || p.attempt)))
        END
FROM gone g
CROSS JOIN LATERAL (
    SELECT a.* FROM payout_act a WHERE a.act_id = g.act_id OFFSET 0) a
LEFT JOIN LATERAL (
    SELECT c.seller_account, c.currency FROM payout_account c
    WHERE c.merchant_id = a.merchant_id AND c.destination_id = a.subject_id
    OFFSET 0) c ON a.subject = 'destination'
LEFT JOIN LATERAL (
    SELECT p.* FROM payout p
    WHERE p.merchant_id = a.merchant_id AND p.payout_id = a.subject_id
    OFFSET 0) p ON a.subject = 'payout'
$$;
COMMENT ON FUNCTION pay.take_payout_outbox IS
    'Takes rows about pay-outs out of their outbox';


CREATE OR REPLACE FUNCTION pay.take_settlement_outbox(p_most int)
RETURNS SETOF told LANGUAGE sql AS $$
WITH gone AS (
    DELETE FROM settlement_outbox x
    WHERE x.exception_id = ANY (ARRAY(
        SELECT o.exception_id FROM settlement_outbox o
        ORDER BY o.exception_id LIMIT p_most))
    RETURNING x.exception_id
)
SELECT e.merchant_id::text, 'exception/' || e.exception_id, 1,
    'reconciliation.exception', e.opened_at, 'exception/' || e.exception_id,
    json_build_object('exception', json_strip_nulls(json_build_object(
        'exception_id', e.exception_id::text, 'psp', e.psp,
        'finding', e.finding, 'class', e.class,
        'amount', decimal_text(e.amount_minor, e.currency),
        'currency', e.currency, 'checkout_id', e.checkout_id)))
FROM gone g
CROSS JOIN LATERAL (
    SELECT e.* FROM settlement_exception e
    WHERE e.exception_id = g.exception_id OFFSET 0) e
$$;
COMMENT ON FUNCTION pay.take_settlement_outbox IS
    'Takes exceptions of reconciliation out of their outbox';


-- Tests and ends of endpoints, which the endpoint's owner hears of.
CREATE OR REPLACE FUNCTION pay.take_webhook_outbox(p_most int)
RETURNS SETOF told LANGUAGE sql AS $$
WITH gone AS (
    DELETE FROM webhook_outbox x
    WHERE x.number = ANY (ARRAY(SELECT o.number FROM webhook_outbox o
                                ORDER BY o.number LIMIT p_most))
    RETURNING x.*
)
SELECT g.merchant_id::text, 'endpoint/' || g.endpoint_id, g.number,
    g.kind::text, g.at, 'endpoint/' || g.number,
    json_build_object('endpoint', json_build_object(
        'endpoint_id', g.endpoint_id, 'url', w.url, 'reason', w.reason))
FROM gone g
CROSS JOIN LATERAL (
    SELECT w.* FROM webhook_endpoint w
    WHERE w.endpoint_id = g.endpoint_id AND w.merchant_id = g.merchant_id
    OFFSET 0) w
$$;
COMMENT ON FUNCTION pay.take_webhook_outbox IS
    'Takes rows about endpoints out of their outbox';


-- A merchant hears that its cards are being tested, and no word of the rules.
CREATE OR REPLACE FUNCTION pay.take_risk_outbox(p_most int)
RETURNS SETOF told LANGUAGE sql AS $$
WITH gone AS (
    DELETE FROM risk_outbox x
    WHERE x.act_id = ANY (ARRAY(SELECT o.act_id FROM risk_outbox o
                                ORDER BY o.act_id LIMIT p_most))
    RETURNING x.act_id
)
SELECT a.merchant_id::text, 'card_testing/' || a.merchant_id, a.act_id,
    'card_testing.' || CASE a.act WHEN 'on' THEN 'began' ELSE 'ended' END,
    a.at, 'card_testing/' || a.act_id,
    json_build_object('card_testing', json_strip_nulls(json_build_object(
        'attempts', a.tries, 'declines', a.declines,
        'usual_percent', a.usual, 'limit_percent', a.beyond,
        'is_acting', NOT a.is_shadow)))
FROM gone g
CROSS JOIN LATERAL (
    SELECT a.* FROM risk_mode_act a WHERE a.act_id = g.act_id OFFSET 0) a
$$;
COMMENT ON FUNCTION pay.take_risk_outbox IS
    'Takes beginnings and ends of card testing out of their outbox';


CREATE OR REPLACE FUNCTION pay.message_id(p_merchant_id text, p_source text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT 'evt_' || left(encode(sha256(convert_to(
    p_merchant_id || E'\n' || p_source, 'UTF8')), 'hex'), 32)
$$;
COMMENT ON FUNCTION pay.message_id IS
    'The id of a message: the same whenever its row is published';


-- CloudEvents 1.0 in its JSON format; sequence is that of its extension.
CREATE OR REPLACE FUNCTION pay.message_body(
    p_id text, p_told told, p_sequence bigint)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT json_build_object('specversion', '1.0', 'id', p_id,
    'source', '/merchants/' || p_told.merchant_id, 'type', p_told.type,
    'subject', p_told.subject, 'time', iso_time(p_told.at),
    'sequence', lpad(p_sequence::text, 10, '0'),
    'datacontenttype', 'application/json',
    'dataschema', 'urn:x-ngx-payments:' || p_told.type || ':1',
    'data', p_told.data)::text
$$;
COMMENT ON FUNCTION pay.message_body IS 'A message as receivers get it';


-- The messages of each subject keep their order, whatever the clock says.
CREATE OR REPLACE FUNCTION pay.number_messages(p_told told[], p_position bigint)
RETURNS SETOF message LANGUAGE sql STABLE AS $$
WITH placed AS (
    SELECT t.told, row_number() OVER (
            PARTITION BY (t.told).merchant_id, (t.told).subject
            ORDER BY (t.told).n) AS place,
        max((t.told).at) OVER (
            PARTITION BY (t.told).merchant_id, (t.told).subject
            ORDER BY (t.told).n) AS moment
    FROM (SELECT u AS told FROM unnest(p_told) u) t
), named AS (
    SELECT p.told, p.place + coalesce(s.sequence, 0) AS sequence,
        p_position + row_number() OVER (ORDER BY p.moment,
            (p.told).merchant_id, (p.told).subject, p.place) AS position,
        message_id((p.told).merchant_id, (p.told).source) AS id
    FROM placed p
    LEFT JOIN LATERAL (
        SELECT s.sequence FROM message_subject s
        WHERE s.subject = (p.told).subject
            AND s.merchant_id = (p.told).merchant_id
        OFFSET 0) s ON true
)
SELECT n.position, (n.told).merchant_id, n.id, (n.told).type,
    (n.told).subject, n.sequence::int, (n.told).at,
    message_body(n.id, n.told, n.sequence), clock_timestamp()
FROM named n
$$;
COMMENT ON FUNCTION pay.number_messages IS
    'Messages with their positions, and with numbers in their subjects';


-- A checkout is completed once, and a late capture completes none again.
CREATE OR REPLACE FUNCTION pay.untold(p_told told[])
RETURNS told[] LANGUAGE sql STABLE AS $$
SELECT coalesce(array_agg(t), '{}')
FROM unnest(p_told) t
WHERE t.type <> 'checkout.completed'
    OR NOT EXISTS (SELECT FROM message_subject s
                   WHERE s.subject = t.subject
                       AND s.merchant_id = t.merchant_id)
$$;
COMMENT ON FUNCTION pay.untold IS
    'Without the completions that were published before';


-- One publisher at a time; its messages are the log's next ones.
CREATE OR REPLACE FUNCTION pay.publish(p_most int)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_place    bigint;
    v_told     told[];
    v_messages message[];
BEGIN
    -- Workers ask four times a second, and mostly find nothing: a function in
    -- SQL is planned anew for each call, and a lock is a write.
    IF NOT (EXISTS (SELECT FROM outbox)
            OR EXISTS (SELECT FROM payout_outbox)
            OR EXISTS (SELECT FROM settlement_outbox)
            OR EXISTS (SELECT FROM webhook_outbox)
            OR EXISTS (SELECT FROM risk_outbox))
    THEN
        RETURN 0;
    END IF;

    SELECT p.position INTO v_place FROM message_place p
    FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;

    v_told := untold(ARRAY(
        SELECT t FROM take_outbox(p_most) t
        UNION ALL SELECT t FROM take_payout_outbox(p_most) t
        UNION ALL SELECT t FROM take_settlement_outbox(p_most) t
        UNION ALL SELECT t FROM take_risk_outbox(p_most) t
        UNION ALL SELECT t FROM take_webhook_outbox(p_most) t));
    IF cardinality(v_told) = 0 THEN
        RETURN 0;
    END IF;

    v_messages := ARRAY(SELECT m FROM number_messages(v_told, v_place) m
                        ORDER BY m.position);
    INSERT INTO message SELECT * FROM unnest(v_messages);

    INSERT INTO message_subject AS s (subject, merchant_id, sequence)
    SELECT m.subject, m.merchant_id, max(m.sequence)
    FROM unnest(v_messages) m GROUP BY m.subject, m.merchant_id
    ON CONFLICT (subject, merchant_id) DO UPDATE
    SET sequence = excluded.sequence;

    UPDATE message_place SET position = v_place + cardinality(v_messages);
    PERFORM fan_out(v_messages);

    RETURN cardinality(v_messages);
END
$$;
COMMENT ON FUNCTION pay.publish IS
    'Moves the rows of the outboxes into the log: how many messages';


CREATE OR REPLACE FUNCTION pay_api.publish_events(
    p_owner text[], p_most bigint[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row pay_api.outcome_row;
BEGIN
    PERFORM check_batch(array_dims(p_owner), array_dims(p_most));

    FOR v_item IN 1 .. coalesce(cardinality(p_owner), 0) LOOP
        v_row.item := v_item;
        v_row.outcome := CASE
            WHEN NOT id_ok(p_owner[v_item])
                OR (p_most[v_item] BETWEEN 1 AND 10000) IS NOT TRUE
            THEN 'invalid'
            WHEN publish(p_most[v_item]::int) > 0
            THEN 'again' ELSE 'not_due' END;
        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.publish_events IS
    'Publishes the messages that commits have left. Outcomes: again, not_due, '
    'invalid';


-- The whole log of a merchant in its order; next is the id that after takes.
CREATE OR REPLACE FUNCTION pay.message_page(
    p_merchant_id text, p_after bigint, p_type text, p_limit int)
RETURNS text LANGUAGE sql STABLE AS $$
WITH seen AS (
    SELECT m.position, m.message_id, m.body,
        row_number() OVER (ORDER BY m.position) AS n
    FROM (SELECT * FROM message x
          WHERE x.merchant_id = p_merchant_id AND x.position > p_after
              AND (p_type IS NULL OR x.type = p_type)
          ORDER BY x.position LIMIT p_limit + 1) m
)
SELECT json_build_object('events', coalesce(
        json_agg(s.body::json ORDER BY s.n) FILTER (WHERE s.n <= p_limit),
        '[]'),
    'next', CASE WHEN max(s.n) > p_limit
                 THEN max(s.message_id) FILTER (WHERE s.n = p_limit) END)::text
FROM seen s
$$;
COMMENT ON FUNCTION pay.message_page IS
    'The messages of a merchant behind a position';


CREATE OR REPLACE FUNCTION pay_api.list_messages(
    p_merchant_id text[], p_message_id text[], p_after text[], p_type text[],
    p_limit bigint[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row   pay_api.page_row;
    v_after bigint;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_message_id),
        array_dims(p_after), array_dims(p_type), array_dims(p_limit));

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_row.item := v_item;
        v_row.page := NULL;
        v_after := 0;

        IF p_message_id[v_item] IS NOT NULL THEN
            v_row.page := (
                SELECT m.body FROM message m
                WHERE m.message_id = p_message_id[v_item]
                    AND m.merchant_id = p_merchant_id[v_item]);
        ELSIF p_after[v_item] IS NOT NULL THEN
            v_after := (
                SELECT m.position FROM message m
                WHERE m.message_id = p_after[v_item]
                    AND m.merchant_id = p_merchant_id[v_item]);
        END IF;

        IF p_message_id[v_item] IS NULL AND v_after IS NOT NULL
            AND p_limit[v_item] BETWEEN 1 AND 1000
        THEN
            v_row.page := message_page(p_merchant_id[v_item], v_after,
                p_type[v_item], p_limit[v_item]::int);
        END IF;

        v_row.outcome := CASE WHEN v_row.page IS NOT NULL THEN 'found'
            WHEN p_limit[v_item] BETWEEN 1 AND 1000 THEN 'not_found'
            ELSE 'invalid' END;
        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.list_messages IS
    'A message, or those of a merchant behind one. Outcomes: found, not_found, '
    'invalid';
