-- The operation store_no_token: a call to register has ended without a token,
-- or it is known that there will be no other.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The items of store_no_token that count, as facts: the most definite one for
-- each locked checkout that is still REGISTERING, and at that PSP.  A batch may
-- hold the outcomes of two calls; an outcome that is left out only leaves a
-- call open that could have been closed.  Every outcome that is stored ends its
-- attempt, so an outcome of an attempt that has ended is a repetition, whose
-- commit was lost to its sender, or that of a call beside the one that ended
-- it: it counts only if it says that there is no page.
CREATE OR REPLACE FUNCTION pay.read_no_tokens(
    p_merchant_id text[], p_checkout_id text[], p_psp text[],
    p_outcome text[], p_code text[], p_request_id text[], p_reach text[],
    p_http_status bigint[], p_attempt bigint[])
RETURNS fact[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT DISTINCT ON (r.merchant_id, r.checkout_id)
            ROW(u.n, NULL, r.merchant_id, r.checkout_id,
                CASE u.outcome WHEN 'unknown' THEN 'registration_unknown'
                               WHEN 'not_sent' THEN 'registration_not_sent'
                               ELSE u.outcome END,
                'gateway', r.psp, NULL, NULL, nullif(u.code, ''), NULL, NULL,
                NULL, NULL, u.request_id,
                CASE WHEN u.outcome <> 'expired'
                    THEN jsonb_strip_nulls(jsonb_build_object(
                        'reach', nullif(u.reach, ''),
                        'http_status', nullif(u.http_status, 0),
                        'sends', d.sends)) END, NULL, NULL, NULL)::fact
        FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_outcome, p_code,
            p_request_id, p_reach, p_http_status, p_attempt)
            WITH ORDINALITY AS u (merchant_id, checkout_id, psp, outcome,
            code, request_id, reach, http_status, attempt, n)
        CROSS JOIN LATERAL (
            SELECT r.* FROM registration r
            WHERE r.merchant_id = u.merchant_id
                AND r.checkout_id = u.checkout_id
            OFFSET 0) r
        LEFT JOIN LATERAL (
            SELECT d.sends FROM journal d
            WHERE d.merchant_id = u.merchant_id
                AND d.checkout_id = u.checkout_id
                AND d.operation = 'register' AND d.operation_id = r.nonce
            ORDER BY d.attempt DESC LIMIT 1) d ON true
        WHERE r.state = 'REGISTERING' AND r.psp = u.psp
            AND (u.attempt = r.attempt
                 OR u.outcome IN ('refused', 'expired'))
        ORDER BY r.merchant_id, r.checkout_id,
            array_position('{refused,expired,unknown,not_sent,held}',
                           u.outcome), u.n);
END
$$;
COMMENT ON FUNCTION pay.read_no_tokens IS
    'Items of store_no_token that count';


-- Moves the jobs of registrations that go on.  A leased job was counted when it
-- was claimed.  Where there is no next attempt (p_dead) a dead letter is
-- opened, and the job only brings the checkout's end.
CREATE OR REPLACE FUNCTION pay.put_off_registers(
    p_facts fact[], p_retry_after_ms bigint[], p_dead text[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_fact     fact;
    v_attempts int;
BEGIN
    FOREACH v_fact IN ARRAY p_facts LOOP
        UPDATE job j
        SET attempts = j.attempts + (j.lease_owner IS NULL)::int,
            lease_owner = NULL, lease_until = NULL, code = v_fact.code,
            run_at = CASE WHEN p_dead[v_fact.item] <> ''
                THEN (SELECT c.expires_at FROM checkout c
                      WHERE c.merchant_id = v_fact.merchant_id
                          AND c.checkout_id = v_fact.checkout_id)
                ELSE now() + make_interval(
                    secs => p_retry_after_ms[v_fact.item] / 1000.0) END
        WHERE j.merchant_id = v_fact.merchant_id
            AND j.checkout_id = v_fact.checkout_id AND j.kind = 'register'
        RETURNING j.attempts INTO v_attempts;

        IF FOUND AND p_dead[v_fact.item] <> '' THEN
            PERFORM open_dead_letter(ARRAY[v_fact.merchant_id],
                ARRAY[v_fact.checkout_id], ARRAY[v_fact.psp], NULL,
                '{register}', p_dead[v_fact.item:v_fact.item],
                ARRAY[v_fact.code], ARRAY[v_attempts], NULL);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.put_off_registers IS
    'Puts register jobs off, or gives them up';


-- refused and expired end the registration; not_sent and unknown free its lease
-- for the next attempt.  A call that was refused or not sent has certainly come
-- to nothing; one with an unknown outcome stays open.  held says that the PSP
-- was only queried: nothing changes but the job.  Locked checkouts; returns the
-- items that counted.
CREATE OR REPLACE FUNCTION pay.keep_no_token(
    p_facts fact[], p_retry_after_ms bigint[], p_reach text[],
    p_http_status bigint[], p_dead text[])
RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
    v_facts fact[];
BEGIN
    v_facts := ARRAY(
        SELECT f FROM unnest(p_facts) f WHERE f.kind <> 'held');

    PERFORM journal_calls(
        ARRAY(SELECT f.merchant_id FROM unnest(v_facts) f),
        ARRAY(SELECT f.checkout_id FROM unnest(v_facts) f));

    UPDATE checkout r
    SET code = f.code, lease_until = NULL, tried_psps = '{}',
        open_attempts = CASE WHEN f.kind IN ('refused',
                                             'registration_not_sent')
                             THEN greatest(r.open_attempts - 1, 0)
                             ELSE r.open_attempts END,
        state = CASE WHEN f.kind IN ('refused', 'expired') THEN 'REFUSED'
                     ELSE r.state END,
        attempt = CASE WHEN f.kind IN ('refused', 'expired') THEN r.attempt
                       ELSE r.attempt + 1 END
    FROM unnest(v_facts) f
    WHERE r.merchant_id = f.merchant_id AND r.checkout_id = f.checkout_id;

    PERFORM end_registers(v_facts, p_reach, p_http_status);
    PERFORM record_facts(v_facts);

    PERFORM put_off_registers(ARRAY(
        SELECT f FROM unnest(p_facts) f
        WHERE f.kind NOT IN ('refused', 'expired')), p_retry_after_ms,
        p_dead);
    PERFORM settle_registers(v_facts, k)
    FROM unnest('{refused,expired}'::text[]) k;

    RETURN ARRAY(SELECT f.item FROM unnest(p_facts) f);
END
$$;
COMMENT ON FUNCTION pay.keep_no_token IS
    'Writes down how registrations without a token ended';


-- Ends jobs and dead letters of registrations that have ended.  There is hardly
-- ever a dead letter, and looking costs less than an update that finds none.
CREATE OR REPLACE FUNCTION pay.settle_registers(p_facts fact[], p_kind text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM unnest(p_facts) f
        CROSS JOIN LATERAL (
            SELECT FROM dead_letter d
            WHERE d.merchant_id = f.merchant_id
                AND d.checkout_id = f.checkout_id
                AND d.state = 'open' AND d.kind = 'register'
            OFFSET 0) d
        WHERE f.kind = p_kind)
    THEN
        PERFORM settle_dead_letters(
            ARRAY(SELECT f.merchant_id FROM unnest(p_facts) f
                  WHERE f.kind = p_kind),
            ARRAY(SELECT f.checkout_id FROM unnest(p_facts) f
                  WHERE f.kind = p_kind), '{register}', p_kind);
    END IF;
END
$$;
COMMENT ON FUNCTION pay.settle_registers IS
    'Closes the dead letters of registrations that have ended like this';


CREATE OR REPLACE FUNCTION pay_api.store_no_token(
    p_merchant_id text[], p_checkout_id text[], p_psp text[],
    p_outcome text[], p_code text[], p_retry_after_ms bigint[],
    p_request_id text[], p_reach text[], p_http_status bigint[],
    p_dead text[], p_attempt bigint[])
RETURNS SETOF pay_api.checkout_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_outcome text[];
    v_first   int[];
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_psp), array_dims(p_outcome), array_dims(p_code),
        array_dims(p_retry_after_ms), array_dims(p_request_id),
        array_dims(p_reach), array_dims(p_http_status), array_dims(p_dead),
        array_dims(p_attempt));

    -- a bad item has no outcome from here on
    v_outcome := ARRAY(
        SELECT CASE WHEN id_ok(u.merchant_id) AND id_ok(u.checkout_id)
                        AND id_ok(u.psp)
                        AND u.outcome IN ('refused', 'expired', 'not_sent',
                                          'unknown', 'held')
                        AND coalesce(octet_length(u.code), 0) <= 255
                        AND (u.after_ms BETWEEN 0 AND 31536000000
                             OR u.outcome IN ('refused', 'expired')
                             OR u.dead <> '')
                        AND reach_ok(u.reach, u.http_status)
                        AND u.attempt BETWEEN 1 AND 2147483647
                        AND coalesce(u.dead, '') IN ('', 'retry_limit',
                            'cancelled', 'key_window_over')
                    THEN u.outcome END
        FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_outcome, p_code,
            p_retry_after_ms, p_reach, p_http_status, p_dead, p_attempt)
            WITH ORDINALITY AS u (merchant_id, checkout_id, psp, outcome,
            code, after_ms, reach, http_status, dead, attempt, n)
        ORDER BY u.n);

    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    v_first := keep_no_token(
        read_no_tokens(p_merchant_id, p_checkout_id, p_psp, v_outcome,
                       p_code, p_request_id, p_reach, p_http_status,
                       p_attempt),
        p_retry_after_ms, p_reach, p_http_status, p_dead);

    -- twins in the batch share a result
    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN u.outcome IS NULL THEN 'invalid'
             WHEN s.checkout_id IS NULL THEN 'not_found'
             WHEN u.n = ANY (v_first) OR EXISTS (
                 SELECT FROM unnest(v_first) f
                 WHERE p_merchant_id[f] = u.merchant_id
                     AND p_checkout_id[f] = u.checkout_id
                     AND p_psp[f] = u.psp
                     AND (p_attempt[f] = u.attempt
                          OR u.outcome IN ('refused', 'expired')))
                 THEN 'stored'
             ELSE 'already' END,
        s.*
    FROM unnest(p_merchant_id, p_checkout_id, p_psp, v_outcome, p_attempt)
        WITH ORDINALITY AS u (merchant_id, checkout_id, psp, outcome,
        attempt, n)
    LEFT JOIN LATERAL state_of(u.merchant_id, u.checkout_id) s
        ON u.outcome IS NOT NULL
    ORDER BY 1, s.place;
END
$$;
COMMENT ON FUNCTION pay_api.store_no_token IS
    'Notes that a registration brought no token. Outcomes: stored, already, '
    'not_found, invalid';
