-- The background work: claim_jobs hands out what is due under a lease,
-- finish_job gives it back.  A worker that dies keeps nothing: its lease
-- runs out and another one goes on.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Never waits (SKIP LOCKED), so it needs no place in the order of locks.  A
-- job that is handed out is one more call that nobody knows the end of yet;
-- nobody else is at its checkout then, and what is read afterwards is how
-- the checkout stands.
CREATE OR REPLACE FUNCTION pay_api.claim_jobs(
    p_owner text[], p_lease_ms bigint[])
RETURNS TABLE (
    item int, outcome text, kind text, attempts bigint, merchant_id text,
    checkout_id text, checkout_uuid text, psp text, nonce text, handle text,
    token text, alias text, hosted_url text, return_url text,
    base_url text, currency text, total_minor bigint, expires_s bigint,
    registration_state text, attempt bigint, code text, version bigint,
    orders text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_slots     int[];
    v_items     int[];
    v_kinds     text[];
    v_attempts  bigint[];
    v_merchants text[];
    v_checkouts text[];
BEGIN
    PERFORM check_batch(array_dims(p_owner), array_dims(p_lease_ms));

    v_slots := ARRAY(
        SELECT u.n FROM unnest(p_owner, p_lease_ms)
            WITH ORDINALITY AS u (owner, lease_ms, n)
        WHERE id_ok(u.owner) AND u.lease_ms BETWEEN 1 AND 86400000
        ORDER BY u.n);

    WITH due AS (
        SELECT j.merchant_id, j.checkout_id, j.kind, j.run_at
        FROM (
            SELECT j.* FROM job j
            WHERE j.run_at <= now()
                AND (j.lease_until IS NULL OR j.lease_until <= now())
            ORDER BY j.run_at
            FOR UPDATE SKIP LOCKED) j
        CROSS JOIN LATERAL (
            SELECT FROM checkout c
            WHERE c.merchant_id = j.merchant_id
                AND c.checkout_id = j.checkout_id
            FOR NO KEY UPDATE SKIP LOCKED) c
        LIMIT cardinality(v_slots)
    ), slot AS (
        SELECT d.*, v_slots[row_number() OVER (ORDER BY d.run_at)] AS item
        FROM due d
    ), taken AS (
        UPDATE job j
        SET attempts = j.attempts + 1, lease_owner = p_owner[s.item],
            lease_until = now() + make_interval(
                secs => p_lease_ms[s.item] / 1000.0), again_at = NULL
        FROM slot s
        WHERE j.merchant_id = s.merchant_id
            AND j.checkout_id = s.checkout_id AND j.kind = s.kind
        RETURNING s.item, j.kind, j.attempts, j.merchant_id, j.checkout_id
    ), opened AS (
        UPDATE registration r
        SET open_attempts = r.open_attempts + 1
        FROM taken t
        WHERE t.kind = 'register' AND r.merchant_id = t.merchant_id
            AND r.checkout_id = t.checkout_id
    )
    SELECT array_agg(t.item), array_agg(t.kind), array_agg(t.attempts),
        array_agg(t.merchant_id), array_agg(t.checkout_id)
    INTO v_items, v_kinds, v_attempts, v_merchants, v_checkouts
    FROM taken t;

    RETURN QUERY
    SELECT t.item, 'job', t.kind, t.attempts, s.*
    FROM unnest(v_items, v_kinds, v_attempts, v_merchants, v_checkouts)
        AS t (item, kind, attempts, merchant_id, checkout_id)
    JOIN checkout_state s ON s.merchant_id = t.merchant_id
        AND s.checkout_id = t.checkout_id;

    RETURN QUERY
    SELECT n, CASE WHEN n = ANY (v_slots) THEN 'none' ELSE 'invalid' END,
        NULL, NULL::bigint, s.*
    FROM generate_series(1, cardinality(p_owner)) n
    LEFT JOIN checkout_state s ON false
    WHERE n <> ALL (coalesce(v_items, '{}'));
END
$$;
COMMENT ON FUNCTION pay_api.claim_jobs IS
    'Fills free slots with due jobs under a lease: job, none or invalid';


-- A job that somebody has asked for meanwhile goes on.  Else it ends where
-- its worker says so, and a poll about orders that are all final, once the
-- PSP has answered: what can still be news (a late payment) is asked for
-- again by whoever brings it.  A PSP that is down is asked for some hours.
CREATE OR REPLACE FUNCTION pay.job_is_over(
    p_job job, p_delay_ms bigint, p_code text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN p_job.again_at IS NULL AND (p_delay_ms < 0 OR (
        p_job.kind = 'poll'
        AND (p_job.attempts >= 100
             OR p_code IS DISTINCT FROM 'no_answer'
                AND p_code IS DISTINCT FROM 'psp_not_configured')
        AND NOT EXISTS (
            SELECT FROM payment_order o
            WHERE o.merchant_id = p_job.merchant_id
                AND o.checkout_id = p_job.checkout_id
                AND o.status NOT IN ('SUCCESS', 'FAILED'))));
END
$$;
COMMENT ON FUNCTION pay.job_is_over IS
    'Whether a job that is given back has nothing left to do';


CREATE OR REPLACE FUNCTION pay_api.finish_job(
    p_merchant_id text[], p_checkout_id text[], p_kind text[],
    p_owner text[], p_delay_ms bigint[], p_code text[])
RETURNS TABLE (item int, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_mine int[];
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_kind), array_dims(p_owner), array_dims(p_delay_ms),
        array_dims(p_code));
    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    -- a twin in the batch gets its first's result
    v_mine := ARRAY(
        SELECT u.n FROM unnest(p_merchant_id, p_checkout_id, p_kind,
            p_owner, p_delay_ms, p_code) WITH ORDINALITY AS u (merchant_id,
            checkout_id, kind, owner, delay_ms, code, n)
        JOIN job j ON j.merchant_id = u.merchant_id
            AND j.checkout_id = u.checkout_id AND j.kind = u.kind
            AND j.lease_owner = u.owner
        WHERE u.delay_ms <= 31536000000
            AND coalesce(octet_length(u.code), 0) <= 255
        ORDER BY u.n);

    WITH first AS (
        SELECT DISTINCT ON (p_merchant_id[n], p_checkout_id[n], p_kind[n]) n
        FROM unnest(v_mine) n
        ORDER BY p_merchant_id[n], p_checkout_id[n], p_kind[n], n
    ), later AS (
        UPDATE job j
        SET run_at = least(j.again_at, now() + make_interval(
                secs => p_delay_ms[n] / 1000.0)),
            lease_owner = NULL, lease_until = NULL,
            code = nullif(p_code[n], '')
        FROM first f
        WHERE NOT job_is_over(j, p_delay_ms[n], p_code[n])
            AND j.merchant_id = p_merchant_id[n]
            AND j.checkout_id = p_checkout_id[n] AND j.kind = p_kind[n]
    )
    DELETE FROM job j
    USING first f
    WHERE job_is_over(j, p_delay_ms[n], p_code[n])
        AND j.merchant_id = p_merchant_id[n]
        AND j.checkout_id = p_checkout_id[n] AND j.kind = p_kind[n];

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN u.n = ANY (v_mine) THEN 'done'
             WHEN id_ok(u.merchant_id) AND id_ok(u.checkout_id)
                 AND u.kind IN ('register', 'poll') AND id_ok(u.owner)
                 AND u.delay_ms <= 31536000000
                 AND coalesce(octet_length(u.code), 0) <= 255 THEN 'gone'
             ELSE 'invalid' END
    FROM unnest(p_merchant_id, p_checkout_id, p_kind, p_owner, p_delay_ms,
        p_code) WITH ORDINALITY AS u (merchant_id, checkout_id, kind, owner,
        delay_ms, code, n);
END
$$;
COMMENT ON FUNCTION pay_api.finish_job IS
    'Puts a leased job off or drops it: done, gone or invalid';


CREATE OR REPLACE FUNCTION pay_api.ready()
RETURNS TABLE (state text, schema_version text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
SELECT 'ok', max(substring(m.file FROM '^migrations/([0-9]{4})_'))
FROM schema_migration m
$$;
COMMENT ON FUNCTION pay_api.ready IS
    'ok and the number of the newest migration, for /readyz';
