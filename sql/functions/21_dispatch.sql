-- The dispatch journal of registrations: a row before each call that may
-- change something at a PSP, and how far it came.  The callers hold the locks
-- of the checkouts; the newest attempt of an operation is the only one that
-- changes.  Other operations: 43_dispatch.sql.  A first call that is open or
-- has brought the token has no row: see journal_calls().

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Names with a blank between; nothing said is the one.
CREATE OR REPLACE FUNCTION pay.psp_names(p_psps text, p_psp text)
RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN p_psps <> '' THEN string_to_array(p_psps, ' ')
            ELSE ARRAY[p_psp] END
$$;
COMMENT ON FUNCTION pay.psp_names IS
    'psps of begin_payment as an array: those that may have a registration';


-- Seconds with a blank between; nothing said is a day for each PSP.
CREATE OR REPLACE FUNCTION pay.read_windows(p_windows text, p_count int)
RETURNS int[] LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN coalesce(p_windows, '') = '' THEN array_fill(86400, ARRAY[p_count])
    WHEN p_windows ~ '^[0-9]+$' AND octet_length(p_windows) <= 9
        THEN ARRAY[p_windows::int]
    WHEN p_windows ~ '^[0-9]{1,9}( [0-9]{1,9}){0,7}$'
        THEN string_to_array(p_windows, ' ')::int[]
END
$$;
COMMENT ON FUNCTION pay.read_windows IS
    'key_windows of begin_payment as numbers, NULL if they are none';


CREATE OR REPLACE FUNCTION pay.reach_ok(p_reach text, p_http_status bigint)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(p_reach, '') IN ('', 'nothing', 'resolved', 'connected',
                                 'tls', 'written', 'status', 'complete')
    AND coalesce(p_http_status, 0) BETWEEN 0 AND 999
$$;
COMMENT ON FUNCTION pay.reach_ok IS
    'Whether the journal can take how far a call came';


-- The register jobs among those that are handed out, each with the kind under
-- which it is handed out.
--   register  a new attempt, after one that was provably without effect; or
--             the same call again with its key, while the PSP is sure to know
--             the key when the call arrives, which may take as long as the
--             lease
--   find      the PSP may have forgotten the key and would register a second
--             time, so it is only searched for the registration
--   over      the checkout has expired: nothing is sent and nothing journaled;
--             the worker goes by this kind, not by its own clock
--   replace   another page must be closed first: nothing is sent
-- A call that goes out is one more call that is not known to have come to
-- nothing (open_attempts).
CREATE OR REPLACE FUNCTION pay.send_registers(
    p_merchant_id text[], p_checkout_id text[], p_kind text[],
    p_lease_ms bigint[])
RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    v_kinds text[];
BEGIN
    PERFORM journal_calls(p_merchant_id, p_checkout_id);

    WITH due AS MATERIALIZED (
        SELECT u.n, u.merchant_id, u.checkout_id, u.kind, r.psp, r.nonce,
            r.part AS registration_part, r.tid AS registration,
            d.part AS dispatch_part, d.tid AS dispatch, d.attempt,
            now() + make_interval(secs => u.lease_ms / 1000.0) AS lease,
            now() + key_window(r.psps, r.key_windows, r.psp) AS key_until,
            CASE WHEN r.expired THEN 'over'
                 WHEN r.waits THEN 'replace'
                 WHEN d.state IS NULL OR d.state IN ('NOT_SENT', 'REFUSED')
                     THEN 'new'
                 WHEN d.state NOT IN ('OPEN', 'UNKNOWN') THEN 'find'
                 WHEN now() + make_interval(secs => u.lease_ms / 1000.0)
                     < d.key_until
                     AND d.first_sent_at < d.key_until THEN 'again'
                 WHEN d.state = 'OPEN'
                     AND (d.lease_until > now()) IS NOT TRUE THEN 'lost'
                 ELSE 'find' END AS step
        FROM unnest(p_merchant_id, p_checkout_id, p_kind, p_lease_ms)
            WITH ORDINALITY AS u (merchant_id, checkout_id, kind, lease_ms,
                                  n)
        LEFT JOIN LATERAL (
            SELECT r.tableoid AS part, r.ctid AS tid, r.psp, r.nonce, r.psps,
                r.key_windows, r.waits, r.expires_at <= now() AS expired
            FROM checkout r
            WHERE r.merchant_id = u.merchant_id
                AND r.checkout_id = u.checkout_id
            OFFSET 0) r ON u.kind = 'register'
        LEFT JOIN LATERAL (
            SELECT d.tableoid AS part, d.ctid AS tid, d.* FROM dispatch d
            WHERE d.merchant_id = u.merchant_id
                AND d.checkout_id = u.checkout_id
                AND d.operation = 'register' AND d.operation_id = r.nonce
            ORDER BY d.attempt DESC LIMIT 1) d ON true
    ), raised AS (
        UPDATE checkout r
        SET open_attempts = r.open_attempts + 1
        FROM due u
        WHERE u.kind = 'register' AND u.step IN ('new', 'again')
            AND r.ctid = u.registration AND r.tableoid = u.registration_part
    ), told AS (
        UPDATE dispatch d
        SET state = CASE u.step WHEN 'again' THEN 'OPEN' ELSE 'UNKNOWN' END,
            sends = d.sends + (u.step = 'again')::int,
            unsure = d.unsure OR u.step = 'again',
            sent_at = CASE u.step WHEN 'again' THEN now() ELSE d.sent_at END,
            lease_until = CASE u.step WHEN 'again' THEN u.lease END,
            ended_at = CASE u.step WHEN 'lost' THEN now() END
        FROM due u
        WHERE u.kind = 'register' AND u.step IN ('again', 'lost')
            AND d.ctid = u.dispatch AND d.tableoid = u.dispatch_part
    ), begun AS (
        INSERT INTO dispatch (merchant_id, checkout_id, operation,
            operation_id, attempt, psp, first_sent_at, sent_at, lease_until,
            key_until)
        SELECT u.merchant_id, u.checkout_id, 'register', u.nonce,
            coalesce(u.attempt, 0) + 1, u.psp, now(), now(), u.lease,
            u.key_until
        FROM due u
        WHERE u.kind = 'register' AND u.step = 'new'
    )
    SELECT array_agg(CASE WHEN u.kind <> 'register' THEN u.kind
                          WHEN u.step IN ('find', 'lost') THEN 'find'
                          WHEN u.step IN ('over', 'replace') THEN u.step
                          ELSE u.kind END ORDER BY u.n)
    INTO v_kinds
    FROM due u;

    RETURN v_kinds;
END
$$;
COMMENT ON FUNCTION pay.send_registers IS
    'Journals the calls of register jobs that are handed out';


-- Ends calls that brought no token, after their registrations have been
-- updated.  NOT_SENT counts only if it is certain of every call of the attempt:
-- none is open, and none has ended unknown (the order would be EXECUTING).  The
-- outcome of a call that may have arrived is not overwritten by a later outcome
-- of one that has not.
CREATE OR REPLACE FUNCTION pay.end_registers(
    p_facts fact[], p_reach text[], p_http_status bigint[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE dispatch d
    SET state = x.state, ended_at = clock_timestamp(), lease_until = NULL,
        unsure = d.unsure AND x.state <> 'NOT_SENT',
        reach = CASE WHEN x.news THEN x.reach ELSE d.reach END,
        http_status = CASE WHEN x.news THEN x.http_status
                           ELSE d.http_status END,
        code = CASE WHEN x.news THEN x.code ELSE d.code END
    FROM (
        SELECT k.part, k.tid, f.code, nullif(p_reach[f.item], '') AS reach,
            nullif(p_http_status[f.item], 0) AS http_status,
            f.kind IN ('refused', 'registration_unknown')
                OR f.kind = 'registration_not_sent'
                   AND k.state <> 'UNKNOWN' AS news,
            CASE WHEN f.kind = 'refused' THEN 'REFUSED'
                 WHEN f.kind = 'registration_not_sent'
                     AND r.open_attempts = 0 AND o.status = 'NOT_STARTED'
                     THEN 'NOT_SENT'
                 ELSE 'UNKNOWN' END AS state
        FROM unnest(p_facts) f
        CROSS JOIN LATERAL (
            SELECT r.nonce, r.open_attempts FROM registration r
            WHERE r.merchant_id = f.merchant_id
                AND r.checkout_id = f.checkout_id
            OFFSET 0) r
        CROSS JOIN LATERAL (
            SELECT o.status FROM payment_order o
            WHERE o.merchant_id = f.merchant_id
                AND o.checkout_id = f.checkout_id AND o.position = 1
            OFFSET 0) o
        CROSS JOIN LATERAL (
            SELECT k.tableoid AS part, k.ctid AS tid, k.state FROM dispatch k
            WHERE k.merchant_id = f.merchant_id
                AND k.checkout_id = f.checkout_id
                AND k.operation = 'register' AND k.operation_id = r.nonce
            ORDER BY k.attempt DESC LIMIT 1) k
        WHERE f.kind <> 'expired' OR k.state = 'OPEN') x
    WHERE d.ctid = x.tid AND d.tableoid = x.part;
END
$$;
COMMENT ON FUNCTION pay.end_registers IS
    'Journals how calls of registrations ended that brought no token';


-- Registrations that have just moved to another PSP: the call that came to
-- nothing, then the one that goes out there.
CREATE OR REPLACE FUNCTION pay.move_registers(
    p_facts fact[], p_outcome text[], p_reach text[],
    p_http_status bigint[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE dispatch d
    SET state = CASE p_outcome[f.item] WHEN 'refused' THEN 'REFUSED'
                     ELSE 'NOT_SENT' END,
        ended_at = clock_timestamp(), lease_until = NULL,
        unsure = d.unsure AND p_outcome[f.item] = 'refused',
        reach = nullif(p_reach[f.item], ''),
        http_status = nullif(p_http_status[f.item], 0), code = f.code
    FROM unnest(p_facts) f
    CROSS JOIN LATERAL (
        SELECT k.tableoid AS part, k.ctid AS tid FROM registration r
        CROSS JOIN LATERAL (
            SELECT k.tableoid, k.ctid FROM dispatch k
            WHERE k.merchant_id = r.merchant_id
                AND k.checkout_id = r.checkout_id
                AND k.operation = 'register' AND k.operation_id = r.nonce
            ORDER BY k.attempt DESC LIMIT 1) k
        WHERE r.merchant_id = f.merchant_id
            AND r.checkout_id = f.checkout_id
        OFFSET 0) k
    WHERE d.ctid = k.tid AND d.tableoid = k.part;

    INSERT INTO dispatch (merchant_id, checkout_id, operation, operation_id,
        attempt, psp, first_sent_at, sent_at, lease_until, key_until,
        request_id)
    SELECT f.merchant_id, f.checkout_id, 'register', r.nonce, r.attempt,
        r.psp, now(), now(), r.lease_until,
        now() + key_window(r.psps, r.key_windows, r.psp), f.request_id
    FROM unnest(p_facts) f
    CROSS JOIN LATERAL (
        SELECT r.nonce, r.psp, r.lease_until, r.psps, r.key_windows,
            coalesce((SELECT max(d.attempt) FROM dispatch d
                      WHERE d.merchant_id = r.merchant_id
                          AND d.checkout_id = r.checkout_id
                          AND d.operation = 'register'
                          AND d.operation_id = r.nonce), 0) + 1 AS attempt
        FROM registration r
        WHERE r.merchant_id = f.merchant_id
            AND r.checkout_id = f.checkout_id
        OFFSET 0) r;
END
$$;
COMMENT ON FUNCTION pay.move_registers IS
    'Journals that registrations go on at another PSP';
