-- The operation reroute: a registration moves on to the next PSP of its list,
-- only while nothing can have happened at the one it is at.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The registrations of locked checkouts that may move to the next PSP.  Nothing
-- can have happened at the present one if the caller's call is the only open
-- one (open_attempts) and no earlier one has ended unknown (the order would be
-- EXECUTING).  The attempt says whose call that is: a move that lost its
-- connection, was given up by its sender and arrives while a job's call is open
-- must not pass for the job's.  A registration stays where another merchant's
-- registration has used the nonce at the next PSP.
CREATE OR REPLACE FUNCTION pay.find_moves(
    p_merchant_id text[], p_checkout_id text[], p_psp text[],
    p_outcome text[], p_attempt bigint[], OUT items int[], OUT nexts text[])
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT array_agg(m.n), array_agg(m.next) INTO items, nexts
    FROM (
        SELECT DISTINCT ON (f.next, f.nonce) f.n, f.next
        FROM (
            SELECT DISTINCT ON (r.merchant_id, r.checkout_id)
                u.n::int AS n, x.next, r.nonce
            FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_outcome,
                p_attempt) WITH ORDINALITY AS u (merchant_id, checkout_id,
                psp, outcome, attempt, n)
            CROSS JOIN LATERAL (
                SELECT r.* FROM checkout r
                WHERE r.merchant_id = u.merchant_id
                    AND r.checkout_id = u.checkout_id
                    AND r.expires_at > now()
                OFFSET 0) r
            CROSS JOIN LATERAL (
                SELECT FROM payment_order o
                WHERE o.merchant_id = u.merchant_id
                    AND o.checkout_id = u.checkout_id
                    AND o.position = 1 AND o.status = 'NOT_STARTED'
                OFFSET 0) o
            CROSS JOIN LATERAL (
                SELECT p.psp AS next
                FROM unnest(r.psps) WITH ORDINALITY AS p (psp, k)
                WHERE p.psp <> ALL (r.refused_psps || r.tried_psps)
                    AND p.psp <> r.psp
                ORDER BY p.k LIMIT 1) x
            WHERE u.outcome IS NOT NULL AND r.psp = u.psp
                AND r.state = 'REGISTERING' AND r.token IS NULL
                AND r.open_attempts = 1 AND r.attempt = u.attempt
            ORDER BY r.merchant_id, r.checkout_id, u.n) f
        CROSS JOIN LATERAL (
            SELECT count(*) AS count FROM checkout t
            WHERE t.psp = f.next AND t.nonce = f.nonce
            OFFSET 0) t
        WHERE t.count = 0
        ORDER BY f.next, f.nonce, f.n) m;
END
$$;
COMMENT ON FUNCTION pay.find_moves IS
    'Items of reroute that may move, and where to';


-- The registrations themselves, in the order of their new key.  A payment
-- that is just beginning at the next PSP with the same nonce is waited for,
-- and if it stays, the move is off: find_moves() then sees it.
CREATE OR REPLACE FUNCTION pay.move_registrations(
    p_merchant_id text[], p_checkout_id text[], p_psp text[],
    p_outcome text[], p_attempt bigint[], p_lease_ms bigint[],
    OUT items int[], OUT nexts text[])
LANGUAGE plpgsql AS $$
BEGIN
    FOR v_round IN 1 .. 3 LOOP
        SELECT m.items, m.nexts INTO items, nexts
        FROM find_moves(p_merchant_id, p_checkout_id, p_psp, p_outcome,
                        p_attempt) m;

        BEGIN
            PERFORM journal_calls(
                ARRAY(SELECT p_merchant_id[n] FROM unnest(items) n),
                ARRAY(SELECT p_checkout_id[n] FROM unnest(items) n));

            UPDATE checkout r
            SET psp = m.next, attempt = r.attempt + 1, open_attempts = 1,
                capture = CASE WHEN r.hold_psps IS NULL THEN r.capture
                    WHEN m.next = ANY (r.hold_psps) THEN 'manual'
                    ELSE 'automatic' END,
                code = NULL, version = r.version + 1,
                lease_until = now() + make_interval(
                    secs => p_lease_ms[m.item] / 1000.0),
                refused_psps = CASE p_outcome[m.item] WHEN 'refused'
                    THEN r.refused_psps || p_psp[m.item]
                    ELSE r.refused_psps END,
                tried_psps = CASE p_outcome[m.item] WHEN 'not_sent'
                    THEN r.tried_psps || p_psp[m.item]
                    ELSE r.tried_psps END
            FROM unnest(items, nexts) WITH ORDINALITY AS m (item, next, n)
            CROSS JOIN LATERAL (
                SELECT k.tableoid AS part, k.ctid AS tid FROM checkout k
                WHERE k.merchant_id = p_merchant_id[m.item]
                    AND k.checkout_id = p_checkout_id[m.item]
                OFFSET 0) k
            WHERE r.ctid = k.tid AND r.tableoid = k.part;

            RETURN;

        EXCEPTION WHEN unique_violation THEN
            items := '{}';
        END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.move_registrations IS
    'Moves registrations of locked checkouts to the next PSP';


-- Its cancellation, its timeline and its job follow.  The caller
-- goes on at once, and a job does when its lease is over.
CREATE OR REPLACE FUNCTION pay.follow_moves(
    p_facts fact[], p_nexts text[], p_lease_ms bigint[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_fact fact;
BEGIN
    UPDATE change c
    SET psp = m.next
    FROM unnest(p_nexts) WITH ORDINALITY AS m (next, n)
    CROSS JOIN LATERAL (
        SELECT k.tableoid AS part, k.ctid AS tid FROM change k
        WHERE k.merchant_id = p_facts[m.n].merchant_id
            AND k.checkout_id = p_facts[m.n].checkout_id
            AND k.kind = 'cancel' AND k.status = 'NOT_STARTED'
        OFFSET 0) k
    WHERE c.ctid = k.tid AND c.tableoid = k.part;

    PERFORM record_facts(p_facts);

    FOREACH v_fact IN ARRAY p_facts LOOP
        UPDATE job j
        SET lease_owner = NULL, lease_until = NULL,
            run_at = now() + make_interval(
                secs => p_lease_ms[v_fact.item] / 1000.0)
        WHERE j.merchant_id = v_fact.merchant_id
            AND j.checkout_id = v_fact.checkout_id AND j.kind = 'register';
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.follow_moves IS
    'The other columns that change with the PSP of a registration';


CREATE OR REPLACE FUNCTION pay_api.reroute(
    p_merchant_id text[], p_checkout_id text[], p_psp text[],
    p_outcome text[], p_code text[], p_lease_ms bigint[],
    p_request_id text[], p_attempt bigint[], p_reach text[],
    p_http_status bigint[])
RETURNS SETOF pay_api.checkout_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_outcome text[];
    v_move    record;
    v_facts   fact[];
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_psp), array_dims(p_outcome), array_dims(p_code),
        array_dims(p_lease_ms), array_dims(p_request_id),
        array_dims(p_attempt), array_dims(p_reach),
        array_dims(p_http_status));

    -- a bad item has no outcome from here on
    v_outcome := ARRAY(
        SELECT CASE WHEN id_ok(u.merchant_id) AND id_ok(u.checkout_id)
                        AND id_ok(u.psp)
                        AND u.outcome IN ('not_sent', 'refused')
                        AND coalesce(octet_length(u.code), 0) <= 255
                        AND u.lease_ms BETWEEN 1 AND 86400000
                        AND u.attempt >= 1
                        AND reach_ok(u.reach, u.http_status)
                    THEN u.outcome END
        FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_outcome, p_code,
            p_lease_ms, p_attempt, p_reach, p_http_status)
            WITH ORDINALITY AS u (merchant_id, checkout_id, psp, outcome,
            code, lease_ms, attempt, reach, http_status, n)
        ORDER BY u.n);

    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    v_move := move_registrations(p_merchant_id, p_checkout_id, p_psp,
                                 v_outcome, p_attempt, p_lease_ms);

    IF cardinality(v_move.items) > 0 THEN
        v_facts := ARRAY(
            SELECT ROW(m.item, NULL, p_merchant_id[m.item],
                p_checkout_id[m.item], 'rerouted', 'gateway', p_psp[m.item],
                NULL, NULL, nullif(p_code[m.item], ''), NULL, NULL, NULL,
                NULL, p_request_id[m.item],
                jsonb_strip_nulls(jsonb_build_object(
                    'from', p_psp[m.item], 'to', m.next,
                    'why', v_outcome[m.item],
                    'reach', nullif(p_reach[m.item], ''),
                    'http_status', nullif(p_http_status[m.item], 0))),
                NULL, NULL, NULL)::fact
            FROM unnest(v_move.items, v_move.nexts)
                WITH ORDINALITY AS m (item, next, n)
            ORDER BY m.n);
        PERFORM move_registers(v_facts, v_outcome, p_reach, p_http_status);
        PERFORM follow_moves(v_facts, v_move.nexts, p_lease_ms);
    END IF;

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN u.outcome IS NULL THEN 'invalid'
             WHEN s.checkout_id IS NULL THEN 'not_found'
             WHEN u.n = ANY (v_move.items) THEN 'rerouted'
             ELSE 'stays' END,
        s.*
    FROM unnest(p_merchant_id, p_checkout_id, v_outcome)
        WITH ORDINALITY AS u (merchant_id, checkout_id, outcome, n)
    LEFT JOIN LATERAL state_of(u.merchant_id, u.checkout_id) s
        ON u.outcome IS NOT NULL
    ORDER BY 1, s.place;
END
$$;
COMMENT ON FUNCTION pay_api.reroute IS
    'Moves registrations on of which nothing can have happened. Outcomes: '
    'rerouted, stays, not_found, invalid';
