-- The rows by which explain() (61_explain.sql) judges an order: a few rows by
-- key.  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.standing_of(
    p_merchant_id text, p_payment_order_id text)
RETURNS standing LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_standing standing;
BEGIN
    SELECT o.status, o.reason, c.psp, c.expires_at, c.late_success, c.state,
        c.token, d.state, d.lease_until, d.key_until, k.state, j.kind,
        j.run_at, j.lease_until, j.code,
        greatest(f.run_at, f.lease_until), f.code, l.kind, l.reason,
        l.attempts, s.state,
        is_told(o.merchant_id, o.checkout_id, o.payment_order_id, 'pending',
                NULL),
        coalesce(m.differs, false), coalesce(m.contradicted, false)
            AND (o.status <> 'FAILED' OR s.state IS NOT NULL
                 OR is_held_late(o)),
        EXISTS (SELECT FROM letters_of(c.merchant_id, c.checkout_id) x
                WHERE x.state = 'open' AND x.kind = 'stuck'),
        o.authorized_minor > 0 AND o.status = 'EXECUTING', h.kind,
        h.run_at, h.letter, h.code,
        o.status = 'FAILED' AND page_is_closed(o), c.waits, c.replaces,
        c.replaced_by, c.replaces IS NOT NULL
            AND has_money(c.merchant_id, c.replaces),
        c.waits AND old_page_is_open(c.merchant_id, c.checkout_id)
    INTO v_standing
    FROM find_order(p_merchant_id, p_payment_order_id) o
    CROSS JOIN LATERAL (
        SELECT x.* FROM checkout x
        WHERE x.merchant_id = o.merchant_id AND x.checkout_id = o.checkout_id
        OFFSET 0) c
    LEFT JOIN LATERAL newest_dispatch(c.merchant_id, c.checkout_id,
                                      'register') d ON true
    LEFT JOIN LATERAL newest_dispatch(c.merchant_id, c.checkout_id,
                                      'capture') k ON true
    LEFT JOIN LATERAL (
        SELECT x.* FROM job x
        WHERE x.merchant_id = c.merchant_id AND x.checkout_id = c.checkout_id
            AND x.kind IN ('register', 'poll')
        ORDER BY x.kind DESC LIMIT 1) j ON true
    LEFT JOIN LATERAL (
        SELECT x.* FROM job x
        WHERE x.merchant_id = c.merchant_id AND x.checkout_id = c.checkout_id
            AND x.kind = 'refund'
        OFFSET 0) f ON true
    LEFT JOIN LATERAL (
        SELECT x.* FROM letters_of(c.merchant_id, c.checkout_id) x
        WHERE x.state = 'open' AND x.kind IN ('register', 'poll', 'refund')
        ORDER BY x.dead_letter_id DESC LIMIT 1) l ON true
    LEFT JOIN LATERAL (
        SELECT x.* FROM late_success x
        WHERE x.merchant_id = c.merchant_id AND x.checkout_id = c.checkout_id
        OFFSET 0) s ON true
    LEFT JOIN LATERAL (
        SELECT bool_or(x.kind IN ('amount', 'currency')) AS differs,
            bool_or(x.kind = 'contradiction') AS contradicted
        FROM open_mismatches(c.merchant_id, c.checkout_id) x) m ON true
    LEFT JOIN LATERAL open_change(o) h ON true;

    RETURN CASE WHEN FOUND THEN v_standing END;
END
$$;
COMMENT ON FUNCTION pay.standing_of IS
    'The rows by which explain() judges an order; NULL when there is no order';


-- A cancellation is one of all orders of its checkout.
CREATE OR REPLACE FUNCTION pay.open_change(
    p_order payment_order, OUT kind text, OUT run_at timestamptz,
    OUT letter boolean, OUT code text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT c.kind, greatest(j.run_at, j.lease_until),
        l.dead_letter_id IS NOT NULL, coalesce(j.code, l.code)
    INTO kind, run_at, letter, code
    FROM change c
    LEFT JOIN LATERAL (
        SELECT x.* FROM letters_of(c.merchant_id, c.checkout_id) x
        WHERE x.state = 'open' AND x.kind = 'change'
            AND x.operation_id = c.change_id) l ON true
    LEFT JOIN LATERAL (
        SELECT x.* FROM job x
        WHERE x.merchant_id = c.merchant_id
            AND x.checkout_id = c.checkout_id AND x.kind = 'change'
            AND x.operation_id = c.change_id
        OFFSET 0) j ON true
    WHERE c.merchant_id = p_order.merchant_id
        AND c.checkout_id = p_order.checkout_id
        AND (c.payment_order_id = p_order.payment_order_id
             OR c.kind = 'cancel')
        AND c.status IN ('NOT_STARTED', 'EXECUTING')
    ORDER BY 3 DESC, c.created_at, c.change_id LIMIT 1;
END
$$;
COMMENT ON FUNCTION pay.open_change IS
    'The open change of an order, first one that needs an operator';


CREATE OR REPLACE FUNCTION pay.newest_dispatch(
    p_merchant_id text, p_checkout_id text, p_operation text)
RETURNS journal LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_dispatch journal;
BEGIN
    SELECT d.* INTO v_dispatch FROM journal d
    WHERE d.merchant_id = p_merchant_id AND d.checkout_id = p_checkout_id
        AND d.operation = p_operation
    ORDER BY d.first_sent_at DESC, d.attempt DESC LIMIT 1;

    RETURN v_dispatch;
END
$$;
COMMENT ON FUNCTION pay.newest_dispatch IS
    'The newest attempt at an operation about a checkout';


-- The PSP has closed the page, or reports that it is closed.  A refusal of one
-- card does not end a page, and expiry by our clock proves nothing about the
-- PSP.
CREATE OR REPLACE FUNCTION pay.page_is_closed(p_order payment_order)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM dispatch d
        WHERE d.merchant_id = p_order.merchant_id
            AND d.checkout_id = p_order.checkout_id
            AND d.operation IN ('expire', 'cancel') AND d.state = 'DONE')
        OR EXISTS (
        SELECT FROM event e
        WHERE e.merchant_id = p_order.merchant_id
            AND e.payment_order_id = p_order.payment_order_id
            AND e.kind IN ('expired', 'cancelled')
            AND e.actor IN ('webhook', 'query', 'backfill'));
END
$$;
COMMENT ON FUNCTION pay.page_is_closed IS
    'Whether a PSP has confirmed that its page takes no payment any more';


-- By their key before all else: the index of all open ones is no short way to
-- those of one checkout.
CREATE OR REPLACE FUNCTION pay.letters_of(
    p_merchant_id text, p_checkout_id text)
RETURNS SETOF dead_letter LANGUAGE sql STABLE AS $$
SELECT x.* FROM dead_letter x
WHERE x.merchant_id = p_merchant_id AND x.checkout_id = p_checkout_id
OFFSET 0
$$;
COMMENT ON FUNCTION pay.letters_of IS
    'The dead letters about a checkout, open and closed';
