-- The background work: claim_jobs hands out due jobs under a lease, finish_job
-- gives them back.  The jobs of a worker that dies are not lost: the lease runs
-- out and another worker goes on.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Due jobs of checkouts that no session has locked; both are locked.  Money
-- that must go back comes first, then checkouts that have no page yet, and last
-- the polls of pending ones; the oldest of each first.  This never waits (SKIP
-- LOCKED), so the order of locks does not apply to it.
CREATE OR REPLACE FUNCTION pay.lock_due_jobs(
    p_limit int, OUT merchants text[], OUT checkouts text[], OUT kinds text[],
    OUT operations text[])
LANGUAGE plpgsql AS $$
DECLARE
    v_due record;
BEGIN
    FOR v_rank IN 1 .. 3 LOOP
        EXIT WHEN coalesce(cardinality(kinds), 0) >= p_limit;

        SELECT array_agg(d.merchant_id::text ORDER BY d.run_at) AS merchants,
            array_agg(d.checkout_id::text ORDER BY d.run_at) AS checkouts,
            array_agg(d.kind ORDER BY d.run_at) AS kinds,
            array_agg(d.operation_id ORDER BY d.run_at) AS operations
        INTO v_due
        FROM (
            SELECT j.merchant_id, j.checkout_id, j.kind, j.operation_id,
                j.run_at
            FROM (
                SELECT j.* FROM job j
                WHERE job_rank(j.kind) = v_rank AND j.run_at <= now()
                    AND (j.lease_until IS NULL OR j.lease_until <= now())
                ORDER BY j.run_at
                FOR UPDATE SKIP LOCKED) j
            CROSS JOIN LATERAL (
                SELECT FROM checkout c
                WHERE c.merchant_id = j.merchant_id
                    AND c.checkout_id = j.checkout_id
                FOR NO KEY UPDATE SKIP LOCKED) c
            LIMIT p_limit - coalesce(cardinality(kinds), 0)) d;

        merchants := merchants || v_due.merchants;
        checkouts := checkouts || v_due.checkouts;
        kinds := kinds || v_due.kinds;
        operations := operations || v_due.operations;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.lock_due_jobs IS
    'Jobs that may be handed out, with their checkouts locked';


-- The checkouts are read after the locks.  A register job goes out with the
-- kind that send_registers() gives it.
CREATE OR REPLACE FUNCTION pay_api.claim_jobs(
    p_owner text[], p_lease_ms bigint[])
RETURNS SETOF pay_api.job_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_slots int[];
    v_as    text[];
    v_due   record;
BEGIN
    PERFORM check_batch(array_dims(p_owner), array_dims(p_lease_ms));

    v_slots := ARRAY(
        SELECT u.n FROM unnest(p_owner, p_lease_ms)
            WITH ORDINALITY AS u (owner, lease_ms, n)
        WHERE id_ok(u.owner) AND u.lease_ms BETWEEN 1 AND 86400000
        ORDER BY u.n);

    v_due := lock_due_jobs(cardinality(v_slots));
    v_slots := v_slots[:coalesce(cardinality(v_due.kinds), 0)];

    UPDATE job j
    SET attempts = j.attempts + 1, lease_owner = p_owner[k.slot],
        lease_until = now() + make_interval(
            secs => p_lease_ms[k.slot] / 1000.0), again_at = NULL
    FROM unnest(v_due.merchants, v_due.checkouts, v_due.kinds,
        v_due.operations, v_slots)
        AS d (merchant_id, checkout_id, kind, operation_id, slot)
    CROSS JOIN LATERAL (
        SELECT k.tableoid AS part, k.ctid AS tid, d.slot FROM job k
        WHERE k.merchant_id = d.merchant_id
            AND k.checkout_id = d.checkout_id AND k.kind = d.kind
            AND k.operation_id = d.operation_id
        OFFSET 0) k
    WHERE j.ctid = k.tid AND j.tableoid = k.part;

    v_as := v_due.kinds;
    IF 'register' = ANY (v_as) THEN
        v_as := send_registers(v_due.merchants, v_due.checkouts, v_as,
            ARRAY(SELECT p_lease_ms[s] FROM unnest(v_slots)
                  WITH ORDINALITY AS u (s, n) ORDER BY u.n));
    END IF;

    RETURN QUERY
    SELECT d.slot, 'job', d.handed_as, j.attempts::bigint,
        coalesce(nullif(d.operation_id, ''), l.refund_id::text),
        CASE d.kind WHEN 'refund' THEN l.reference ELSE r.reference END, s.*
    FROM unnest(v_due.merchants, v_due.checkouts, v_due.kinds,
        v_due.operations, v_as, v_slots)
        AS d (merchant_id, checkout_id, kind, operation_id, handed_as, slot)
    CROSS JOIN LATERAL (
        SELECT j.attempts FROM job j
        WHERE j.merchant_id = d.merchant_id
            AND j.checkout_id = d.checkout_id AND j.kind = d.kind
            AND j.operation_id = d.operation_id
        OFFSET 0) j
    CROSS JOIN LATERAL (
        SELECT r.reference FROM registration r
        WHERE r.merchant_id = d.merchant_id
            AND r.checkout_id = d.checkout_id
        OFFSET 0) r
    LEFT JOIN LATERAL (
        SELECT l.refund_id, l.reference FROM late_success l
        WHERE l.merchant_id = d.merchant_id
            AND l.checkout_id = d.checkout_id
        OFFSET 0) l ON d.kind = 'refund'
    CROSS JOIN LATERAL state_of(d.merchant_id, d.checkout_id) s
    ORDER BY 1, s.place;

    RETURN QUERY
    SELECT n, CASE WHEN id_ok(p_owner[n])
                       AND p_lease_ms[n] BETWEEN 1 AND 86400000
                   THEN 'none' ELSE 'invalid' END,
        NULL, NULL::bigint, NULL, NULL, s.*
    FROM generate_series(1, cardinality(p_owner)) n
    LEFT JOIN checkout_state s ON false
    WHERE n <> ALL (v_slots);
END
$$;
COMMENT ON FUNCTION pay_api.claim_jobs IS
    'Fills free slots with due jobs under a lease, as register, find, over, '
    'poll, refund or change. Outcomes: job, none, invalid';


-- Whether a job that is given back ends.
-- A job that was requested to run again meanwhile goes on.
-- Otherwise it ends when its worker says so; and a poll ends when all orders
-- are final and the PSP has answered, since an event that could still change
-- them (a late payment) requests a poll again.  It runs once more, if its
-- worker says so, when the PSP has not confirmed the end of the page.  A PSP
-- that is down is queried for some hours.
-- The job of a change ends when the PSP has the change, whatever its worker
-- says.
CREATE OR REPLACE FUNCTION pay.job_is_over(
    p_job job, p_delay_ms bigint, p_code text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_job.kind = 'change' THEN
        RETURN NOT change_needs_job(p_job.merchant_id, p_job.operation_id);
    END IF;

    RETURN p_job.again_at IS NULL AND (p_delay_ms < 0 OR (
        p_job.kind = 'poll'
        AND (p_job.attempts >= 100
             OR coalesce(p_code, '') NOT IN ('no_answer', 'last_look',
                                             'psp_not_configured'))
        AND NOT EXISTS (
            SELECT FROM payment_order o
            WHERE o.merchant_id = p_job.merchant_id
                AND o.checkout_id = p_job.checkout_id
                AND o.status NOT IN ('SUCCESS', 'FAILED'))));
END
$$;
COMMENT ON FUNCTION pay.job_is_over IS
    'Whether a job that is given back has nothing left to do';


-- Jobs that are given back, the first of duplicates: which of them have ended,
-- and which of those were given up and get a dead letter.  The limit of polls
-- counts polls in a row that brought nothing: after one that did, counting
-- begins anew, so one silent moment of a PSP does not end a checkout that was
-- polled all day.
CREATE OR REPLACE FUNCTION pay.give_back_jobs(
    p_merchant_id text[], p_checkout_id text[], p_kind text[],
    p_operation_id text[], p_delay_ms bigint[], p_code text[], p_dead text[],
    p_items int[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_dead     int[];
    v_psps     text[];
    v_attempts int[];
BEGIN
    WITH first AS MATERIALIZED (
        SELECT f.n, j.part, j.tid, j.job, (j.job).attempts, k.anew,
            (j.job).again_at IS NULL AND p_dead[f.n] <> ''
                AND NOT (k.anew AND p_dead[f.n] = 'retry_limit')
                AND (p_kind[f.n] <> 'change'
                     OR change_needs_job(p_merchant_id[f.n],
                                         p_operation_id[f.n])) AS dead
        FROM (
            SELECT DISTINCT ON (p_merchant_id[n], p_checkout_id[n],
                                p_kind[n], p_operation_id[n]) n
            FROM unnest(p_items) n
            ORDER BY p_merchant_id[n], p_checkout_id[n], p_kind[n],
                p_operation_id[n], n) f
        CROSS JOIN LATERAL (
            SELECT j.tableoid AS part, j.ctid AS tid, j AS job FROM job j
            WHERE j.merchant_id = p_merchant_id[f.n]
                AND j.checkout_id = p_checkout_id[f.n]
                AND j.kind = p_kind[f.n]
                AND j.operation_id = p_operation_id[f.n]
            OFFSET 0) j
        CROSS JOIN LATERAL (
            SELECT coalesce((j.job).kind = 'poll'
                AND p_code[f.n] = 'no_answer' AND (j.job).code NOT IN (
                    'no_answer', 'psp_not_configured'), false) AS anew) k
    ), ended AS MATERIALIZED (
        SELECT f.n, f.part, f.tid, f.attempts, f.anew, f.dead IS TRUE AS dead,
            f.dead IS TRUE
                OR job_is_over(f.job, p_delay_ms[f.n], p_code[f.n]) AS over
        FROM first f
    ), later AS (
        UPDATE job j
        SET attempts = CASE WHEN f.anew THEN 1 ELSE j.attempts END,
            run_at = least(j.again_at, now() + make_interval(
                secs => CASE WHEN p_delay_ms[f.n] < 0 THEN 60
                             ELSE p_delay_ms[f.n] / 1000.0 END)),
            lease_owner = NULL, lease_until = NULL,
            code = nullif(p_code[f.n], '')
        FROM ended f
        WHERE NOT f.over AND j.ctid = f.tid AND j.tableoid = f.part
    ), gone AS (
        DELETE FROM job j
        USING ended f
        WHERE f.over AND j.ctid = f.tid AND j.tableoid = f.part
    )
    SELECT array_agg(f.n), array_agg(c.psp::text), array_agg(f.attempts)
    INTO v_dead, v_psps, v_attempts
    FROM ended f
    CROSS JOIN LATERAL (
        SELECT c.psp FROM checkout c
        WHERE c.merchant_id = p_merchant_id[f.n]
            AND c.checkout_id = p_checkout_id[f.n]
        OFFSET 0) c
    WHERE f.dead;

    IF v_dead IS NOT NULL THEN
        PERFORM open_dead_letter(
            ARRAY(SELECT p_merchant_id[n] FROM unnest(v_dead) n),
            ARRAY(SELECT p_checkout_id[n] FROM unnest(v_dead) n), v_psps,
            NULL, ARRAY(SELECT p_kind[n] FROM unnest(v_dead) n),
            ARRAY(SELECT p_dead[n] FROM unnest(v_dead) n),
            ARRAY(SELECT p_code[n] FROM unnest(v_dead) n), v_attempts,
            ARRAY(SELECT p_operation_id[n] FROM unnest(v_dead) n));
    END IF;
END
$$;
COMMENT ON FUNCTION pay.give_back_jobs IS
    'Puts jobs off, drops them, or gives them up';


CREATE OR REPLACE FUNCTION pay_api.finish_job(
    p_merchant_id text[], p_checkout_id text[], p_kind text[],
    p_operation_id text[], p_owner text[], p_delay_ms bigint[],
    p_code text[], p_dead text[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_kind      text[];
    v_operation text[];
    v_mine      int[];
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_kind), array_dims(p_operation_id), array_dims(p_owner),
        array_dims(p_delay_ms), array_dims(p_code), array_dims(p_dead));
    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    v_operation := ARRAY(
        SELECT coalesce(u.operation_id, '')
        FROM unnest(p_operation_id) WITH ORDINALITY AS u (operation_id, n)
        ORDER BY u.n);

    -- find is a kind that a register job may be handed out as; an invalid item
    -- has no kind from here on
    v_kind := ARRAY(
        SELECT CASE WHEN id_ok(u.merchant_id) AND id_ok(u.checkout_id)
                        AND u.kind IN ('register', 'find', 'poll', 'refund',
                                       'change')
                        AND (u.kind = 'change') = (u.operation_id <> '')
                        AND octet_length(u.operation_id) <= 255
                        AND id_ok(u.owner) AND u.delay_ms <= 31536000000
                        AND coalesce(octet_length(u.code), 0) <= 255
                        AND coalesce(u.dead, '') IN ('', 'retry_limit',
                            'cancelled', 'key_window_over', 'refused')
                    THEN CASE u.kind WHEN 'find' THEN 'register'
                                     ELSE u.kind END END
        FROM unnest(p_merchant_id, p_checkout_id, p_kind, v_operation,
            p_owner, p_delay_ms, p_code, p_dead) WITH ORDINALITY AS u
            (merchant_id, checkout_id, kind, operation_id, owner, delay_ms,
            code, dead, n)
        ORDER BY u.n);

    -- a twin in the batch gets its first's result
    v_mine := ARRAY(
        SELECT u.n FROM unnest(p_merchant_id, p_checkout_id, v_kind,
            v_operation, p_owner) WITH ORDINALITY AS u (merchant_id,
            checkout_id, kind, operation_id, owner, n)
        CROSS JOIN LATERAL (
            SELECT j.lease_owner FROM job j
            WHERE j.merchant_id = u.merchant_id
                AND j.checkout_id = u.checkout_id AND j.kind = u.kind
                AND j.operation_id = u.operation_id
            OFFSET 0) j
        WHERE j.lease_owner = u.owner
        ORDER BY u.n);

    PERFORM give_back_jobs(p_merchant_id, p_checkout_id, v_kind, v_operation,
                           p_delay_ms, p_code, p_dead, v_mine);

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN u.n = ANY (v_mine) THEN 'done'
             WHEN u.kind IS NOT NULL THEN 'gone'
             ELSE 'invalid' END
    FROM unnest(v_kind) WITH ORDINALITY AS u (kind, n);
END
$$;
COMMENT ON FUNCTION pay_api.finish_job IS
    'Puts a leased job off, drops it or gives it up. Outcomes: done, gone, '
    'invalid';


CREATE OR REPLACE FUNCTION pay_api.ready()
RETURNS TABLE (state text, schema_version text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
SELECT 'ok', max(substring(m.file FROM '^migrations/([0-9]{4})_'))
FROM schema_migration m
$$;
COMMENT ON FUNCTION pay_api.ready IS
    'ok and the number of the newest migration, for /readyz';
