-- Kept bodies of webhooks that are read again on an operator's request: the
-- operations claim_replay and end_replay, and pay_ops.replay_webhook.  An event
-- that was applied is never applied again: its row in the inbox makes it a
-- duplicate.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Removes a row that had no effect, under an open request for its body: the
-- event as it is read today replaces it, in the caller's transaction.  The
-- caller goes through the events of its batch in key order and stores each one
-- before it opens the next, since that is the order in which webhooks are
-- stored: else a batch could hold a row that another one waits for, and wait
-- itself for a row of that one.
CREATE OR REPLACE FUNCTION pay.reopen_webhook(
    p_psp text, p_event_id text, p_digest bytea)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_replay bigint;
    v_row    webhook_inbox;
BEGIN
    SELECT r.replay_id INTO v_replay FROM webhook_replay r
    WHERE r.psp = p_psp AND r.digest = p_digest AND r.state = 'open';

    IF v_replay IS NULL THEN
        RETURN;
    END IF;

    DELETE FROM webhook_inbox w
    WHERE w.psp = p_psp AND w.event_id = p_event_id AND w.state = 'ignored'
    RETURNING * INTO v_row;

    IF FOUND THEN
        UPDATE webhook_replay r
        SET replaced = r.replaced
            || jsonb_strip_nulls(to_jsonb(v_row) - 'psp')
        WHERE r.replay_id = v_replay;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.reopen_webhook IS
    'Removes a row of the inbox that had no effect, for the one that replaces '
    'it';


-- The event id of a body without ids of its events is that of the message, and
-- the same bytes may have come in several messages: this is the message of the
-- named event.
CREATE OR REPLACE FUNCTION pay.message_of(p_event_id text, p_ids text[])
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT m.id FROM unnest(p_ids) WITH ORDINALITY AS m (id, n)
ORDER BY m.id = p_event_id DESC, starts_with(p_event_id, m.id || ':') DESC,
    m.n
LIMIT 1
$$;
COMMENT ON FUNCTION pay.message_of IS
    'The id of the message in which an event came';


-- A body that has gone meanwhile, or that no worker brings to an end.
CREATE OR REPLACE FUNCTION pay.fail_replays()
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE webhook_replay r
    SET state = 'failed', ended_at = clock_timestamp(), outcome = k.outcome,
        lease_owner = NULL, lease_until = NULL
    FROM (
        SELECT o.replay_id,
            CASE WHEN o.claims >= 5 THEN 'gave_up' ELSE 'body_gone' END
                AS outcome
        FROM webhook_replay o
        WHERE o.state = 'open' AND coalesce(o.lease_until <= now(), true)
            AND (o.claims >= 5 OR NOT EXISTS (
                SELECT FROM webhook_body b
                WHERE b.psp = o.psp AND b.digest = o.digest
                    AND b.body IS NOT NULL))
        FOR NO KEY UPDATE OF o SKIP LOCKED) k
    WHERE r.replay_id = k.replay_id;
END
$$;
COMMENT ON FUNCTION pay.fail_replays IS
    'Ends requests to read a body again that cannot be met';


CREATE OR REPLACE FUNCTION pay_api.claim_replay(
    p_owner text[], p_lease_ms bigint[])
RETURNS SETOF pay_api.replay_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_ok boolean;
BEGIN
    PERFORM check_batch(array_dims(p_owner), array_dims(p_lease_ms));
    PERFORM fail_replays();

    FOR v_n IN 1 .. cardinality(p_owner) LOOP
        v_ok := coalesce(id_ok(p_owner[v_n])
                         AND p_lease_ms[v_n] BETWEEN 1 AND 86400000, false);

        RETURN QUERY
        UPDATE webhook_replay r
        SET claims = r.claims + 1, lease_owner = p_owner[v_n],
            lease_until = now()
                + make_interval(secs => p_lease_ms[v_n] / 1000.0)
        FROM (
            SELECT o.replay_id, b.body,
                message_of(o.event_id, b.message_ids) AS message_id
            FROM webhook_replay o
            JOIN webhook_body b ON b.psp = o.psp AND b.digest = o.digest
            WHERE v_ok AND o.state = 'open'
                AND coalesce(o.lease_until <= now(), true)
            ORDER BY o.replay_id
            LIMIT 1
            FOR NO KEY UPDATE OF o SKIP LOCKED) k
        WHERE r.replay_id = k.replay_id
        RETURNING v_n, 'due', r.replay_id, r.psp::text, r.event_id::text,
            k.message_id, k.body;

        IF NOT FOUND THEN
            RETURN QUERY
            SELECT v_n, CASE WHEN v_ok THEN 'none' ELSE 'invalid' END,
                NULL::bigint, NULL, NULL, NULL, NULL::bytea;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.claim_replay IS
    'The body of a webhook that an operator wants read again. Outcomes: due, '
    'none, invalid';


-- The outcome of the named event, by its row in the inbox: the row names the
-- request if this replay has stored it, whichever worker it was.  The successor
-- of a worker that died before the end finds nothing but duplicates.
CREATE OR REPLACE FUNCTION pay.replay_outcome(p_replay webhook_replay)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT coalesce((
    SELECT w.state::text FROM webhook_inbox w
    WHERE w.psp = (p_replay).psp AND w.event_id = (p_replay).event_id
        AND w.via = 'replay'
        AND w.request_id = 'replay-' || (p_replay).replay_id), 'duplicate')
$$;
COMMENT ON FUNCTION pay.replay_outcome IS
    'The outcome, after a replay, of the event that the operator named';


-- failure: why the named event had no effect, where no row has the cause: it
-- was refused (invalid), or is not in the body.  Everything else, outcome and
-- applied, follows from the inbox.
CREATE OR REPLACE FUNCTION pay_api.end_replay(
    p_replay_id bigint[], p_owner text[], p_failure text[], p_events bigint[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row pay_api.outcome_row;
BEGIN
    PERFORM check_batch(array_dims(p_replay_id), array_dims(p_owner),
        array_dims(p_failure), array_dims(p_events));

    FOR v_n IN 1 .. cardinality(p_replay_id) LOOP
        v_row.item := v_n;
        v_row.outcome := 'invalid';
        IF p_replay_id[v_n] > 0 AND p_events[v_n] BETWEEN 0 AND 10000
            AND coalesce(p_failure[v_n], 'invalid') IN ('invalid',
                'unreadable', 'not_in_body', 'unknown_psp')
        THEN
            UPDATE webhook_replay r
            SET state = CASE WHEN p_failure[v_n] IS NULL THEN 'done'
                             ELSE 'failed' END,
                ended_at = clock_timestamp(), events = p_events[v_n],
                outcome = coalesce(p_failure[v_n], replay_outcome(r)),
                applied = (
                    SELECT count(*) FROM webhook_inbox w
                    WHERE w.via = 'replay'
                        AND w.request_id = 'replay-' || r.replay_id),
                lease_owner = NULL, lease_until = NULL
            WHERE r.replay_id = p_replay_id[v_n] AND r.state = 'open'
                AND r.lease_owner = p_owner[v_n];
            v_row.outcome := CASE WHEN FOUND THEN 'stored' ELSE 'gone' END;
        END IF;
        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.end_replay IS
    'Stores the result of a replay. Outcomes: stored, gone, invalid';


CREATE OR REPLACE FUNCTION pay_ops.replay_webhook(
    p_psp text, p_event_id text, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_found record;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    SELECT i.psp, i.event_id, i.digest, b.left_out, b.body IS NOT NULL AS kept
    INTO v_found
    FROM webhook_inbox i
    LEFT JOIN webhook_body b ON b.psp = i.psp AND b.digest = i.digest
    WHERE i.psp = p_psp AND i.event_id = p_event_id;

    IF v_found.psp IS NULL THEN
        RETURN 'not_found';
    ELSIF NOT v_found.kept THEN
        RETURN coalesce(v_found.left_out, 'not_kept');
    END IF;

    INSERT INTO webhook_replay (psp, event_id, digest, asked_by, why)
    VALUES (v_found.psp, v_found.event_id, v_found.digest, p_who, p_why)
    ON CONFLICT (psp, digest) WHERE state = 'open' DO NOTHING;

    RETURN CASE WHEN FOUND THEN 'requested' ELSE 'open' END;
END
$$;
COMMENT ON FUNCTION pay_ops.replay_webhook IS
    'Has the kept body of a webhook read again: requested, open (another '
    'request for this body is), not_found, not_kept, card_number, too_large or '
    'invalid';
