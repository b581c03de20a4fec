-- Two views of the row of a checkout: as its registration, and as the journal
-- entry of its first call.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- It may be updated.  A statement that updates both names changes the row once
-- only.
CREATE OR REPLACE VIEW pay.registration AS
SELECT c.merchant_id, c.checkout_id, c.psp, c.nonce, c.state, c.attempt, c.token, c.alias, c.hosted_url, c.reference, c.code,
    c.lease_until, c.psps, c.key_windows, c.refused_psps, c.tried_psps,
    c.open_attempts, c.hinted_at, c.waits
FROM checkout c;
COMMENT ON VIEW pay.registration IS
    'The columns of a checkout''s row that are its registration';


CREATE OR REPLACE FUNCTION pay.key_window(
    p_psps text[], p_key_windows int[], p_psp text)
RETURNS interval LANGUAGE sql IMMUTABLE AS
'SELECT make_interval(secs => p_key_windows[array_position(p_psps, p_psp)])';
COMMENT ON FUNCTION pay.key_window IS
    'How long this PSP of a registration knows a key';


-- A first call went out with the commit of its checkout, and its sender's
-- lease is that of the registration.
CREATE OR REPLACE VIEW pay.journal AS
SELECT d.* FROM dispatch d
UNION ALL
SELECT c.merchant_id, c.checkout_id, 'register'::dispatch_operation, c.nonce,
    1::ordinal, c.psp, c.first_call::dispatch_state, 1::ordinal, false,
    c.created_at, c.created_at,
    CASE WHEN c.first_call = 'OPEN' THEN c.lease_until END, c.first_ended_at,
    c.created_at + key_window(c.psps, c.key_windows, c.psp),
    CASE WHEN c.first_call = 'DONE' THEN 'complete' END::dispatch_reach,
    NULL::int, NULL::text,
    CASE WHEN c.first_call = 'DONE' THEN c.token::text END, c.request_id,
    false
FROM checkout c
WHERE c.first_call IS NOT NULL;
COMMENT ON VIEW pay.journal IS
    'All calls that may change something at a PSP: those of dispatch, and '
    'first calls, which are in their checkouts';


-- Moves the first calls of locked checkouts to the table dispatch.  Called
-- before anything but a token is recorded about them.
CREATE OR REPLACE FUNCTION pay.journal_calls(
    p_merchant_id text[], p_checkout_id text[])
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_count int;
BEGIN
    WITH named AS (
        UPDATE checkout c
        SET first_call = NULL
        FROM (SELECT DISTINCT * FROM unnest(p_merchant_id, p_checkout_id))
            AS u (merchant_id, checkout_id)
        CROSS JOIN LATERAL (
            SELECT k.tableoid AS part, k.ctid AS tid FROM checkout k
            WHERE k.merchant_id = u.merchant_id
                AND k.checkout_id = u.checkout_id AND k.first_call = 'OPEN'
            OFFSET 0) k
        WHERE c.ctid = k.tid AND c.tableoid = k.part
        RETURNING c.merchant_id, c.checkout_id, c.nonce, c.psp, c.psps,
            c.key_windows, c.created_at, c.lease_until, c.request_id
    )
    INSERT INTO dispatch (merchant_id, checkout_id, operation, operation_id,
        psp, first_sent_at, sent_at, lease_until, key_until, request_id)
    SELECT n.merchant_id, n.checkout_id, 'register', n.nonce, n.psp,
        n.created_at, n.created_at, n.lease_until,
        n.created_at + key_window(n.psps, n.key_windows, n.psp), n.request_id
    FROM named n;

    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.journal_calls IS
    'Gives open first calls their rows in the journal; how many';
