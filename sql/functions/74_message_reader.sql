-- The log of messages for readers that follow it in order, as the relay to Kafka
-- does (docs/events-kafka.md): claim, deliver, mark.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A lease of which more than half is left is not written again, so that a reader
-- that finds nothing new writes nothing.
CREATE OR REPLACE FUNCTION pay.hold_reader(
    p_name text, p_owner text, p_lease_ms bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_lease    interval := p_lease_ms * interval '1 ms';
    v_position bigint;
BEGIN
    SELECT r.position INTO v_position FROM message_reader r
    WHERE r.name = p_name AND r.owner = p_owner
        AND r.until > clock_timestamp() + v_lease / 2;
    IF FOUND THEN
        RETURN v_position;
    END IF;

    INSERT INTO message_reader (name, position) VALUES (p_name, 0)
    ON CONFLICT (name) DO NOTHING;

    UPDATE message_reader r
    SET owner = p_owner, until = clock_timestamp() + v_lease,
        changed_at = clock_timestamp()
    WHERE r.name = p_name
        AND (r.owner = p_owner OR r.until <= clock_timestamp()
             OR r.until IS NULL)
    RETURNING r.position INTO v_position;

    RETURN v_position;
END
$$;
COMMENT ON FUNCTION pay.hold_reader IS
    'Takes or keeps the lease of a reader: its position, or NULL when the lease '
    'is another owner''s';


-- The rows behind the mark and behind p_after, which are on their way already.
CREATE OR REPLACE FUNCTION pay_relay.claim_messages(
    p_name text, p_owner text, p_lease_ms bigint, p_after bigint, p_most int)
RETURNS TABLE (outcome text, "position" bigint, merchant_id text,
    message_id text, type text, subject text, body text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_mark bigint;
BEGIN
    IF (p_name ~ '^[a-z0-9][a-z0-9_-]{0,62}$' AND id_ok(p_owner)
        AND p_lease_ms BETWEEN 1000 AND 3600000 AND p_after >= 0
        AND p_most BETWEEN 1 AND 10000) IS NOT TRUE
    THEN
        outcome := 'invalid';
        RETURN NEXT;
        RETURN;
    END IF;

    v_mark := hold_reader(p_name, p_owner, p_lease_ms);
    IF v_mark IS NULL THEN
        outcome := 'taken';
        RETURN NEXT;
        RETURN;
    END IF;

    RETURN QUERY
    SELECT 'message', m.position, m.merchant_id::text, m.message_id::text,
        m.type::text, m.subject::text, m.body
    FROM message m
    WHERE m.position > greatest(v_mark, p_after)
    ORDER BY m.position LIMIT p_most;

    IF NOT FOUND THEN
        outcome := 'empty';
        position := v_mark;
        RETURN NEXT;
    END IF;
END
$$;
COMMENT ON FUNCTION pay_relay.claim_messages IS
    'The next messages of a reader, under a lease. Outcomes: message, empty, '
    'taken, invalid';


-- Without a new position it only keeps the lease; a lease of 0 ms gives it back.
CREATE OR REPLACE FUNCTION pay_relay.mark_messages(
    p_name text, p_owner text, p_lease_ms bigint, p_position bigint)
RETURNS TABLE (outcome text, lag bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_end bigint := (SELECT p.position FROM message_place p);
BEGIN
    IF (p_lease_ms BETWEEN 0 AND 3600000
        AND p_position BETWEEN 0 AND v_end) IS NOT TRUE
    THEN
        outcome := 'invalid';
        RETURN NEXT;
        RETURN;
    END IF;

    UPDATE message_reader r
    SET position = greatest(r.position, p_position),
        until = clock_timestamp() + p_lease_ms * interval '1 ms',
        changed_at = clock_timestamp()
    WHERE r.name = p_name AND r.owner = p_owner
    RETURNING v_end - r.position INTO lag;

    outcome := CASE WHEN FOUND THEN 'marked' ELSE 'lost' END;
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION pay_relay.mark_messages IS
    'Notes up to where all messages have arrived; lag is the number of those '
    'behind it. Outcomes: marked, lost, invalid';
