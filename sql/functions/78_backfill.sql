-- The operations begin_backfill and end_backfill: who compares a PSP's list
-- of events with the inbox, and how far that has come.  One worker of all
-- nodes at a time looks at one PSP, under a lease.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A round begins 5 minutes before the end of the last one, since a PSP may list
-- an event later than the time that the event has.  It leaves out the last
-- 30 s, whose webhooks may still be on their way.  If the end of the last one
-- is later than now (a clock was ahead), now counts instead: that round saw
-- nothing of the events to come.  A round that was put off by a longer interval
-- than today's is due when today's has passed since: the schedule follows the
-- configuration.  While a recovery is open, rounds begin no later than at the
-- restored moment and leave nothing out: a webhook of the last seconds may have
-- been acknowledged before the restore.
CREATE OR REPLACE FUNCTION pay.claim_backfill(
    p_psp text, p_owner text, p_interval interval, p_lease interval,
    OUT since_s bigint, OUT until_s bigint)
LANGUAGE plpgsql AS $$
DECLARE
    v_span_s int;
    v_open   recovery := open_recovery();
BEGIN
    INSERT INTO backfill (psp, seen_until, run_at)
    VALUES (p_psp, least(now() - interval '1 hour', v_open.since), now())
    ON CONFLICT (psp) DO NOTHING;

    UPDATE backfill b
    SET lease_owner = p_owner, lease_until = now() + p_lease,
        run_at = now() + p_interval, put_off = p_interval
    FROM (
        SELECT k.ctid AS tid FROM backfill k
        WHERE k.psp = p_psp
            AND k.run_at - greatest(k.put_off - p_interval, interval '0')
                <= now()
            AND coalesce(k.lease_until <= now(), true)
        FOR NO KEY UPDATE SKIP LOCKED) k
    WHERE b.ctid = k.tid
    RETURNING
        floor(extract(epoch FROM least(b.seen_until, now())))::bigint - 300,
        b.span_s
    INTO since_s, v_span_s;

    until_s := least(floor(extract(epoch FROM now()))::bigint
                         - CASE WHEN v_open.recovery_id IS NULL THEN 30
                                ELSE 0 END,
                     since_s + v_span_s);
    until_s := CASE WHEN since_s IS NOT NULL THEN until_s END;
END
$$;
COMMENT ON FUNCTION pay.claim_backfill IS
    'Leases a look at a PSP''s list of events, if one is due';


CREATE OR REPLACE FUNCTION pay_api.begin_backfill(
    p_psp text[], p_owner text[], p_interval_ms bigint[],
    p_lease_ms bigint[])
RETURNS SETOF pay_api.span_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row  pay_api.span_row;
    v_item record;
    v_mine record;
BEGIN
    PERFORM check_batch(array_dims(p_psp), array_dims(p_owner),
        array_dims(p_interval_ms), array_dims(p_lease_ms));

    FOR v_item IN
        SELECT u.*, coalesce(id_ok(u.psp) AND id_ok(u.owner)
            AND u.interval_ms BETWEEN 1 AND 31536000000
            AND u.lease_ms BETWEEN 1 AND 86400000, false) AS ok
        FROM unnest(p_psp, p_owner, p_interval_ms, p_lease_ms)
            WITH ORDINALITY AS u (psp, owner, interval_ms, lease_ms, n)
        ORDER BY u.psp COLLATE "C", u.n
    LOOP
        v_row.item := v_item.n;
        v_mine := NULL;
        IF v_item.ok THEN
            v_mine := claim_backfill(v_item.psp, v_item.owner,
                make_interval(secs => v_item.interval_ms / 1000.0),
                make_interval(secs => v_item.lease_ms / 1000.0));
            v_row.since_s := v_mine.since_s;
            v_row.until_s := v_mine.until_s;
            v_row.outcome := CASE WHEN v_row.since_s IS NULL
                                  THEN 'not_due' ELSE 'due' END;
        ELSE
            v_row.since_s := NULL;
            v_row.until_s := NULL;
            v_row.outcome := 'invalid';
        END IF;
        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.begin_backfill IS
    'From when to when a PSP''s list of events is to be looked at. Outcomes: '
    'due, not_due, invalid';


-- NULL until_s: it failed, and the same span is looked at again in the next
-- round, a quarter of it where there was too much (too_many).  Far behind:
-- more rounds follow at once.
CREATE OR REPLACE FUNCTION pay_api.end_backfill(
    p_psp text[], p_owner text[], p_until_s bigint[], p_listed bigint[],
    p_missed bigint[], p_code text[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row  pay_api.outcome_row;
    v_item record;
BEGIN
    PERFORM check_batch(array_dims(p_psp), array_dims(p_owner),
        array_dims(p_until_s), array_dims(p_listed), array_dims(p_missed),
        array_dims(p_code));

    FOR v_item IN
        SELECT u.*, coalesce(id_ok(u.psp) AND id_ok(u.owner)
            AND coalesce(u.until_s BETWEEN 1
                         AND extract(epoch FROM now()), true)
            AND coalesce(u.listed, 0) >= 0 AND coalesce(u.missed, 0) >= 0
            AND coalesce(octet_length(u.code), 0) <= 255, false) AS ok
        FROM unnest(p_psp, p_owner, p_until_s, p_listed, p_missed, p_code)
            WITH ORDINALITY AS u (psp, owner, until_s, listed, missed, code,
            n)
        ORDER BY u.psp COLLATE "C", u.n
    LOOP
        v_row.item := v_item.n;
        v_row.outcome := CASE WHEN v_item.ok THEN 'gone' ELSE 'invalid' END;

        UPDATE backfill b
        SET seen_until = greatest(least(b.seen_until, now()),
                                  to_timestamp(v_item.until_s)),
            run_at = CASE WHEN to_timestamp(v_item.until_s)
                                   < now() - interval '5 minutes'
                          THEN now() ELSE b.run_at END,
            span_s = CASE WHEN v_item.code = 'too_many'
                          THEN greatest(b.span_s / 4, 360)
                          WHEN v_item.until_s IS NULL THEN b.span_s
                          ELSE least(b.span_s * 2, 21600) END,
            lease_owner = NULL, lease_until = NULL, runs = b.runs + 1,
            listed = b.listed + coalesce(v_item.listed, 0),
            missed = b.missed + coalesce(v_item.missed, 0),
            code = nullif(v_item.code, '')
        WHERE v_item.ok AND b.psp = v_item.psp
            AND b.lease_owner = v_item.owner;

        IF FOUND THEN
            v_row.outcome := 'stored';
        END IF;
        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.end_backfill IS
    'Notes how far a PSP''s list of events has been looked at. Outcomes: '
    'stored, gone, invalid';
