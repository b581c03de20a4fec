-- The operations begin_close and end_close: which worker closes a day and signs
-- its document, as payctl close make does by hand.  One worker of all nodes at
-- a time.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A close that was made and never signed is handed out again: at once to the
-- one that has it, to another when its lease is over.  Days that were missed are
-- closed one by one, the oldest first; the very first close is yesterday's.
CREATE OR REPLACE FUNCTION pay.claim_close(
    p_owner text, p_delay interval, p_lease interval,
    OUT outcome text, OUT number bigint, OUT document text)
LANGUAGE plpgsql AS $$
DECLARE
    v_last record;
    v_day  date;
    v_made record;
BEGIN
    outcome := 'not_due';

    PERFORM FROM round r
    WHERE r.name = 'close'
        AND (coalesce(r.lease_until <= clock_timestamp(), true)
             OR r.lease_owner = p_owner)
    FOR UPDATE SKIP LOCKED;

    IF NOT FOUND THEN
        RETURN;
    END IF;

    SELECT c.number, c.document INTO number, document
    FROM settlement_close c WHERE c.signature IS NULL
    ORDER BY c.number LIMIT 1;

    IF NOT FOUND THEN
        SELECT c.day INTO v_last FROM settlement_close c
        ORDER BY c.number DESC LIMIT 1;
        v_day := coalesce(v_last.day + 1,
                          (now() AT TIME ZONE 'UTC')::date - 1);

        IF (v_day + 1)::timestamp AT TIME ZONE 'UTC' + p_delay <= now() THEN
            v_made := make_close(v_day);
            outcome := CASE WHEN v_made.outcome = 'again' THEN 'again'
                            ELSE 'not_due' END;
            number := v_made.number;
            document := v_made.document;
        END IF;
    END IF;

    IF document IS NOT NULL THEN
        outcome := 'due';
    END IF;

    IF outcome IN ('due', 'again') THEN
        UPDATE round r
        SET lease_owner = p_owner,
            lease_until = clock_timestamp() + p_lease
        WHERE r.name = 'close';
    END IF;
END
$$;
COMMENT ON FUNCTION pay.claim_close IS
    'Leases the close of the next day, if one is due: due, again or not_due';


CREATE OR REPLACE FUNCTION pay_api.begin_close(
    p_owner text[], p_delay_ms bigint[], p_lease_ms bigint[])
RETURNS SETOF pay_api.close_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row  pay_api.close_row;
    v_mine record;
BEGIN
    PERFORM check_batch(array_dims(p_owner), array_dims(p_delay_ms),
                        array_dims(p_lease_ms));

    FOR v_item IN 1 .. coalesce(cardinality(p_owner), 0) LOOP
        v_row := ROW(v_item, 'invalid', NULL, NULL);

        IF coalesce(id_ok(p_owner[v_item])
                    AND p_delay_ms[v_item] BETWEEN 0 AND 86400000
                    AND p_lease_ms[v_item] BETWEEN 1 AND 86400000, false)
        THEN
            v_mine := claim_close(p_owner[v_item],
                make_interval(secs => p_delay_ms[v_item] / 1000.0),
                make_interval(secs => p_lease_ms[v_item] / 1000.0));
            v_row := ROW(v_item, v_mine.outcome, v_mine.number,
                         v_mine.document);
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.begin_close IS
    'Closes the next day that is over, whose document is to be signed; again: '
    'a part of it is added up. Outcomes: due, again, not_due, invalid';


CREATE OR REPLACE FUNCTION pay_api.end_close(
    p_number bigint[], p_key_id text[], p_signature bytea[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE sql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
    SELECT * FROM keep_signatures('close', p_number, p_key_id, p_signature);
$$;
COMMENT ON FUNCTION pay_api.end_close IS
    'Keeps the signature of a closed day. Outcomes: stored, already, invalid';
