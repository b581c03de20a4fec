-- Dead letters: work that the gateway has given up, or that an operator should
-- look at.  There is one open dead letter for each subject.  The caller holds
-- the lock of its checkout, so that none is opened while another call settles
-- the matter.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Parallel arrays; if an array is NULL as a whole, every element of it is.  A
-- dead letter that is open already stays as it was first written, since its age
-- is that of the trouble.
CREATE OR REPLACE FUNCTION pay.open_dead_letter(
    p_merchant_id text[], p_checkout_id text[], p_psp text[],
    p_event_id text[], p_kind text[], p_reason text[], p_code text[],
    p_attempts int[], p_operation_id text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dead_letter (merchant_id, checkout_id, psp, event_id, kind,
        reason, code, attempts, operation_id)
    SELECT u.merchant_id, u.checkout_id, u.psp, u.event_id, u.kind, u.reason,
        nullif(u.code, ''), coalesce(u.attempts, 0),
        nullif(u.operation_id, '')
    FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_event_id, p_kind,
        p_reason, p_code, p_attempts, p_operation_id) AS u (merchant_id,
        checkout_id, psp, event_id, kind, reason, code, attempts,
        operation_id)
    ORDER BY u.merchant_id, u.checkout_id, u.kind, u.psp, u.event_id,
        u.operation_id
    ON CONFLICT (merchant_id, checkout_id, kind, psp, event_id,
                 operation_id)
        WHERE state = 'open'
        DO NOTHING;
END
$$;
COMMENT ON FUNCTION pay.open_dead_letter IS
    'Opens dead letters for the operators, once for each subject while one is '
    'open';


-- Closes the open dead letters of these kinds about these checkouts, if there
-- are any: their cause is gone.
CREATE OR REPLACE FUNCTION pay.settle_dead_letters(
    p_merchant_id text[], p_checkout_id text[], p_kinds text[], p_why text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE dead_letter d
    SET state = 'settled', closed_at = clock_timestamp(),
        closed_by = 'gateway', closed_why = p_why
    FROM (SELECT DISTINCT * FROM unnest(p_merchant_id, p_checkout_id)) AS
        u (merchant_id, checkout_id)
    CROSS JOIN LATERAL (
        SELECT k.ctid AS tid FROM dead_letter k
        WHERE k.merchant_id = u.merchant_id
            AND k.checkout_id = u.checkout_id
            AND k.state = 'open' AND k.kind = ANY (p_kinds)
        OFFSET 0) k
    WHERE d.ctid = k.tid;
END
$$;
COMMENT ON FUNCTION pay.settle_dead_letters IS
    'Closes the dead letters of these kinds about these checkouts';
