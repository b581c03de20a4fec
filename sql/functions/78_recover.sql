-- After a restore to an earlier moment: pay_ops.begin_recovery has each PSP's
-- list of events read again from that moment on, and each open payment asked
-- about; pay_ops.end_recovery lets new work in.  In between nothing new begins
-- that could be done a second time: begin_payment() and begin_change() answer
-- "recovering", and no call to a pay-out provider moves money.  Lists are read
-- up to now, and their events about tokens that no checkout has are parked, as
-- webhooks are.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.open_recovery()
RETURNS recovery LANGUAGE sql STABLE AS $$
SELECT r FROM recovery r WHERE r.ended_at IS NULL
$$;
COMMENT ON FUNCTION pay.open_recovery IS
    'The recovery that has not ended, or NULL';


-- Items of begin_payment whose key is not stored.  The storefront may have had
-- an answer that is lost: the PSP may have its page, and the buyer may be about
-- to pay there.
CREATE OR REPLACE FUNCTION pay.unknown_items(
    p_items int[], p_merchant_id text[], p_idempotency_key text[])
RETURNS int[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT n FROM unnest(p_items) n
        WHERE NOT EXISTS (
            SELECT FROM idempotency_key k
            WHERE k.merchant_id = p_merchant_id[n]
                AND k.route = 'POST /v1/payments'
                AND k.key = p_idempotency_key[n] AND k.expires_at > now())
        ORDER BY n);
END
$$;
COMMENT ON FUNCTION pay.unknown_items IS
    'Items of begin_payment that would store something new';


-- The look that a worker has begun before is not enough: it loses its lease,
-- and may end without moving the position.
CREATE OR REPLACE FUNCTION pay.rewind_lists(p_recovery recovery)
RETURNS void LANGUAGE sql AS $$
UPDATE backfill b
SET seen_until = least(b.seen_until, (p_recovery).since), run_at = now(),
    lease_owner = NULL, lease_until = NULL
$$;
COMMENT ON FUNCTION pay.rewind_lists IS
    'Has the lists of all PSPs read again from the restored moment on';


-- Only checkouts that have not ended: the last look at one that has ended comes
-- when it is due.  A job that a worker has at this moment asks anyway.  Jobs of a
-- restored database are mostly overdue: these have the moment, too, by which
-- those are counted that are still to be made.  A session that has locked a
-- checkout writes its jobs by their addresses: so the checkouts are locked
-- first, and none is skipped, which would not be counted.
CREATE OR REPLACE FUNCTION pay.hasten_jobs(p_recovery recovery)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lock_checkouts(array_agg(k.merchant_id::text),
                           array_agg(k.checkout_id::text))
    FROM job k
    WHERE k.kind IN ('register', 'poll') AND isfinite(k.run_at);

    UPDATE job j
    SET run_at = (p_recovery).begun_at
    FROM (
        SELECT k.merchant_id, k.checkout_id, k.kind
        FROM job k
        WHERE k.kind IN ('register', 'poll')
            AND isfinite(k.run_at)
            AND coalesce(k.lease_until <= now(), true)
            AND (k.kind = 'register'
                 OR is_unfinished(k.merchant_id, k.checkout_id))
        ORDER BY k.merchant_id, k.checkout_id, k.kind
        FOR NO KEY UPDATE SKIP LOCKED) k
    WHERE j.merchant_id = k.merchant_id AND j.checkout_id = k.checkout_id
        AND j.kind = k.kind;
END
$$;
COMMENT ON FUNCTION pay.hasten_jobs IS
    'Has the PSPs asked about all open payments at once';


-- Again with the same moment: the open recovery goes on, and lists that could
-- not be read are tried at once; one that has ended stays so, since a second
-- restore would have taken its row away.  An earlier moment counts for the open
-- one from then on.
CREATE OR REPLACE FUNCTION pay_ops.begin_recovery(
    p_since timestamptz, p_who text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_open recovery := open_recovery();
BEGIN
    IF NOT is_statement(p_who) OR NOT isfinite(p_since)
        OR p_since > now() OR p_since < now() - interval '30 days'
        OR p_since IS NULL
    THEN
        RETURN 'invalid';
    ELSIF v_open.recovery_id IS NULL AND EXISTS (
        SELECT FROM recovery r WHERE r.since = p_since)
    THEN
        RETURN 'ended';
    ELSIF v_open.recovery_id IS NULL THEN
        INSERT INTO recovery (since, begun_by, seal, message)
        SELECT p_since, p_who,
            coalesce((SELECT max(s.number) FROM seal s), 0),
            coalesce((SELECT max(m.position) FROM message m), 0)
        ON CONFLICT DO NOTHING
        RETURNING * INTO v_open;
    ELSIF p_since < v_open.since THEN
        UPDATE recovery r SET since = p_since, begun_at = now()
        WHERE r.recovery_id = v_open.recovery_id AND r.ended_at IS NULL
        RETURNING * INTO v_open;
    ELSE
        UPDATE backfill b SET run_at = now()
        WHERE b.seen_until < date_trunc('second', v_open.begun_at)
            AND b.run_at > now();
        RETURN 'open';
    END IF;

    -- another session was faster
    IF v_open.recovery_id IS NULL THEN
        RETURN 'open';
    END IF;

    PERFORM rewind_lists(v_open);
    PERFORM hasten_jobs(v_open);
    RETURN 'begun';
END
$$;
COMMENT ON FUNCTION pay_ops.begin_recovery IS
    'Searches the PSPs for payments that the restored database lacks: begun, '
    'open, ended (one of this moment) or invalid';


-- Without a reason only when all lists are read, all open payments asked about,
-- and no finding waits for an operator.
CREATE OR REPLACE FUNCTION pay_ops.end_recovery(p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_left record;
BEGIN
    IF NOT is_statement(p_who) OR p_why IS NOT NULL AND NOT is_statement(p_why)
    THEN
        RETURN 'invalid';
    END IF;

    SELECT r.lists_left, r.jobs_left, r.findings_left INTO v_left
    FROM pay_view.recoveries r WHERE r.ended_at IS NULL;

    IF NOT FOUND THEN
        RETURN 'none';
    ELSIF p_why IS NULL AND v_left.lists_left + v_left.jobs_left > 0 THEN
        RETURN 'searching';
    ELSIF p_why IS NULL AND v_left.findings_left > 0 THEN
        RETURN 'findings';
    END IF;

    UPDATE recovery r
    SET ended_at = clock_timestamp(), ended_by = p_who, ended_why = p_why
    WHERE r.ended_at IS NULL;
    RETURN CASE WHEN FOUND THEN 'ended' ELSE 'none' END;
END
$$;
COMMENT ON FUNCTION pay_ops.end_recovery IS
    'Lets new payments, changes and pay-outs in again: ended, none, searching, '
    'findings or invalid';
