-- The functions with which operators have the gateway try the work of a dead
-- letter again, or close it as settled.  Each action records the operator's
-- name and the reason, in the dead letter and in the timeline of the orders.
-- One dead letter a call, for payments_operator; the gateway never calls these.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.is_statement(p_text text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS
'SELECT coalesce(p_text ~ ''\S'' AND octet_length(p_text) <= 200, false)';
COMMENT ON FUNCTION pay.is_statement IS
    'Whether this text can be the name of an operator, or a reason';


-- The letter, and the checkout that it is about: its own, or the one that has
-- the token of a parked webhook.  The checkout is locked first, as everywhere.
CREATE OR REPLACE FUNCTION pay.lock_dead_letter(
    p_id bigint, OUT letter dead_letter, OUT merchant text,
    OUT checkout text)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT coalesce(d.merchant_id, t.merchant_id),
        coalesce(d.checkout_id, t.checkout_id)
    INTO merchant, checkout
    FROM dead_letter d
    LEFT JOIN webhook_inbox i ON i.psp = d.psp AND i.event_id = d.event_id
    LEFT JOIN psp_token t ON t.psp = i.psp AND t.checkout_id IS NOT NULL
        AND t.token = CASE WHEN t.is_reference THEN i.reference
                           WHEN i.about ? 'by_payment' THEN NULL
                           ELSE i.token END
    WHERE d.dead_letter_id = p_id
    ORDER BY t.is_reference LIMIT 1;

    IF checkout IS NOT NULL THEN
        PERFORM lock_checkouts(ARRAY[merchant], ARRAY[checkout]);
    END IF;

    SELECT * INTO letter FROM dead_letter d
    WHERE d.dead_letter_id = p_id
    FOR UPDATE;
END
$$;
COMMENT ON FUNCTION pay.lock_dead_letter IS
    'A dead letter and its checkout, both locked';


-- Requeues only work that can still have an effect: a register job before there
-- is a token, a poll once there is one and the order is not paid, in time or
-- late, a change that the PSP does not have as far as the gateway knows.
CREATE OR REPLACE FUNCTION pay.start_job(
    p_merchant_id text, p_checkout_id text, p_kind text,
    p_operation_id text DEFAULT '')
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO job AS j (merchant_id, checkout_id, kind, operation_id,
        run_at)
    SELECT r.merchant_id, r.checkout_id, p_kind, p_operation_id, now()
    FROM registration r
    JOIN payment_order o ON o.merchant_id = r.merchant_id
        AND o.checkout_id = r.checkout_id AND o.position = 1
    LEFT JOIN late_success l ON l.merchant_id = r.merchant_id
        AND l.checkout_id = r.checkout_id
    WHERE r.merchant_id = p_merchant_id AND r.checkout_id = p_checkout_id
        AND CASE p_kind
            WHEN 'register' THEN r.state = 'REGISTERING'
            WHEN 'refund' THEN l.state = 'refunding'
            WHEN 'poll' THEN r.token IS NOT NULL AND l.state IS NULL
                AND o.status <> 'SUCCESS'
            WHEN 'change' THEN change_needs_job(p_merchant_id,
                                                p_operation_id)
            END
    ON CONFLICT (merchant_id, checkout_id, kind, operation_id) DO UPDATE
    SET run_at = least(j.run_at, now()), attempts = 0;

    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION pay.start_job IS
    'Makes a job of a locked checkout due now, with all its attempts ahead';


CREATE OR REPLACE FUNCTION pay.start_changes(
    p_merchant_id text, p_checkout_id text)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM change c
    WHERE c.merchant_id = p_merchant_id AND c.checkout_id = p_checkout_id
        AND c.status IN ('NOT_STARTED', 'EXECUTING')
        AND start_job(p_merchant_id, p_checkout_id, 'change', c.change_id);

    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION pay.start_changes IS
    'Makes the jobs of all open changes of a locked checkout due now';


-- Held money may be accepted as long as its refund has not begun.
CREATE OR REPLACE FUNCTION pay.accept_late(
    p_merchant_id text, p_checkout_id text)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE late_success l
    SET state = 'accepted'
    WHERE l.merchant_id = p_merchant_id AND l.checkout_id = p_checkout_id
        AND l.state = 'held'
        AND NOT EXISTS (
            SELECT FROM dispatch d
            WHERE d.merchant_id = l.merchant_id
                AND d.checkout_id = l.checkout_id
                AND d.operation = 'refund');

    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION pay.accept_late IS
    'Makes a held payment a sale';


-- Applies a parked webhook whose token is known by now, to the locked checkout.
CREATE OR REPLACE FUNCTION pay.apply_letter(
    p_letter dead_letter, p_merchant_id text, p_checkout_id text)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF p_checkout_id IS NULL THEN
        RETURN false;
    END IF;

    PERFORM post(apply_parked(array_agg(p_merchant_id),
        array_agg(p_checkout_id), array_agg(p_letter.psp::text),
        array_agg(x.name)))
    FROM webhook_inbox i, unnest(ARRAY[i.token, i.reference]) x (name)
    WHERE i.psp = p_letter.psp AND i.event_id = p_letter.event_id;
    PERFORM count_declines(ARRAY[p_merchant_id], ARRAY[p_checkout_id]);

    RETURN EXISTS (
        SELECT FROM webhook_inbox i
        WHERE i.psp = p_letter.psp AND i.event_id = p_letter.event_id
            AND i.state <> 'parked');
END
$$;
COMMENT ON FUNCTION pay.apply_letter IS
    'Applies a parked webhook that has found its checkout';


-- Has the gateway go on: whether there was anything to go on with.
CREATE OR REPLACE FUNCTION pay.retry_letter(
    p_letter dead_letter, p_merchant_id text, p_checkout_id text)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    CASE p_letter.kind
    WHEN 'late_success' THEN
        RETURN accept_late(p_merchant_id, p_checkout_id);
    WHEN 'parked' THEN
        RETURN apply_letter(p_letter, p_merchant_id, p_checkout_id);
    WHEN 'stuck' THEN
        RETURN start_job(p_merchant_id, p_checkout_id, 'register')
            OR start_job(p_merchant_id, p_checkout_id, 'refund')
            OR start_changes(p_merchant_id, p_checkout_id)
            OR start_job(p_merchant_id, p_checkout_id, 'poll');
    ELSE
        RETURN start_job(p_merchant_id, p_checkout_id, p_letter.kind,
                         coalesce(p_letter.operation_id, ''));
    END CASE;
END
$$;
COMMENT ON FUNCTION pay.retry_letter IS
    'Repeats the work that a dead letter has given up';


-- Closes a dead letter and writes the decision into the timelines; a payment
-- that is accepted then follows, as paid.
CREATE OR REPLACE FUNCTION pay.close_letter(
    p_letter dead_letter, p_merchant_id text, p_checkout_id text,
    p_state text, p_who text, p_why text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_detail jsonb := jsonb_build_object(
        'dead_letter_id', p_letter.dead_letter_id, 'kind', p_letter.kind,
        'who', p_who, 'why', p_why, 'role', session_user)
        || CASE WHEN p_letter.kind = 'change' THEN jsonb_build_object(
            'change_id', p_letter.operation_id) ELSE '{}' END;
BEGIN
    UPDATE dead_letter d
    SET state = p_state, closed_at = clock_timestamp(), closed_by = p_who,
        closed_why = p_why
    WHERE d.dead_letter_id = p_letter.dead_letter_id;

    PERFORM record_facts(ARRAY(
        SELECT ROW(n, NULL, c.merchant_id, c.checkout_id,
            CASE n WHEN 1 THEN 'dead_letter_' || p_state ELSE 'paid' END,
            'operator', c.psp, NULL, NULL, NULL, NULL,
            CASE n WHEN 2 THEN l.reference END, NULL, NULL, NULL,
            v_detail || CASE n WHEN 2 THEN '{"late": true}'
                               ELSE '{}' END::jsonb, NULL, NULL, NULL)::fact
        FROM checkout c
        LEFT JOIN late_success l ON l.merchant_id = c.merchant_id
            AND l.checkout_id = c.checkout_id
        CROSS JOIN generate_series(1, CASE
            WHEN p_letter.kind = 'late_success' AND p_state = 'requeued'
            THEN 2 ELSE 1 END) n
        WHERE c.merchant_id = p_merchant_id
            AND c.checkout_id = p_checkout_id));
END
$$;
COMMENT ON FUNCTION pay.close_letter IS
    'Closes a dead letter by an operator''s decision';


-- Only accept makes a sale of held money, so that an operator who means to have
-- something tried again does not make a sale by mistake.
CREATE OR REPLACE FUNCTION pay.reopen_letter(
    p_id bigint, p_who text, p_why text, p_accept boolean)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_found record;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    v_found := lock_dead_letter(p_id);

    IF (v_found.letter).dead_letter_id IS NULL THEN
        RETURN 'not_found';
    ELSIF (v_found.letter).state <> 'open' THEN
        RETURN 'closed';
    ELSIF (v_found.letter).kind = 'late_success' AND NOT p_accept THEN
        RETURN 'late_payment';
    ELSIF (v_found.letter).kind <> 'late_success' AND p_accept THEN
        RETURN 'no_late_payment';
    ELSIF NOT retry_letter(v_found.letter, v_found.merchant,
                           v_found.checkout) THEN
        RETURN 'nothing_to_do';
    END IF;

    PERFORM close_letter(v_found.letter, v_found.merchant, v_found.checkout,
                         'requeued', p_who, p_why);

    RETURN CASE WHEN p_accept THEN 'accepted' ELSE 'requeued' END;
END
$$;
COMMENT ON FUNCTION pay.reopen_letter IS
    'The common part of requeue and accept';


CREATE OR REPLACE FUNCTION pay_ops.requeue_dead_letter(
    p_id bigint, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    RETURN reopen_letter(p_id, p_who, p_why, false);
END
$$;
COMMENT ON FUNCTION pay_ops.requeue_dead_letter IS
    'Has the gateway try again: requeued, nothing_to_do, late_payment (see '
    'accept_dead_letter), closed, not_found or invalid';


CREATE OR REPLACE FUNCTION pay_ops.accept_dead_letter(
    p_id bigint, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    RETURN reopen_letter(p_id, p_who, p_why, true);
END
$$;
COMMENT ON FUNCTION pay_ops.accept_dead_letter IS
    'Makes a held late payment a sale: accepted, nothing_to_do, '
    'no_late_payment, closed, not_found or invalid';


-- An operator who settles a late payment has paid it back, or kept it, outside
-- the gateway.  A change keeps its status until a PSP event, or
-- settle_change().
CREATE OR REPLACE FUNCTION pay_ops.resolve_dead_letter(
    p_id bigint, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_found record;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    v_found := lock_dead_letter(p_id);

    IF (v_found.letter).dead_letter_id IS NULL THEN
        RETURN 'not_found';
    ELSIF (v_found.letter).state <> 'open' THEN
        RETURN 'closed';
    END IF;

    UPDATE late_success l
    SET state = 'resolved'
    WHERE l.merchant_id = v_found.merchant
        AND l.checkout_id = v_found.checkout
        AND ((v_found.letter).kind, l.state) IN (
            ('late_success', 'held'), ('refund', 'refunding'));
    DELETE FROM job j
    WHERE j.merchant_id = v_found.merchant
        AND j.checkout_id = v_found.checkout
        AND (v_found.letter).kind IN ('refund', 'change')
        AND j.kind = (v_found.letter).kind
        AND j.operation_id = coalesce((v_found.letter).operation_id, '');

    PERFORM close_letter(v_found.letter, v_found.merchant, v_found.checkout,
                         'resolved', p_who, p_why);

    RETURN 'resolved';
END
$$;
COMMENT ON FUNCTION pay_ops.resolve_dead_letter IS
    'Closes a dead letter that operators have settled: resolved, closed, '
    'not_found or invalid';


-- The outcome of a change that only operators know: they have asked the PSP.
CREATE OR REPLACE FUNCTION pay_ops.settle_change(
    p_merchant_id text, p_change_id text, p_done boolean, p_who text,
    p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_change change := find_change(p_merchant_id, p_change_id);
    v_word   fact;
BEGIN
    IF p_done IS NULL OR NOT is_statement(p_who) OR NOT is_statement(p_why)
    THEN
        RETURN 'invalid';
    ELSIF v_change.change_id IS NULL THEN
        RETURN 'not_found';
    END IF;

    PERFORM lock_checkouts(ARRAY[p_merchant_id],
                           ARRAY[v_change.checkout_id]::text[]);
    v_change := find_change(p_merchant_id, p_change_id);

    IF v_change.status NOT IN ('NOT_STARTED', 'EXECUTING') THEN
        RETURN 'closed';
    END IF;

    v_word.actor := 'operator';
    v_word.detail := jsonb_build_object('who', p_who, 'why', p_why,
                                        'role', session_user);
    PERFORM record_facts(number_facts(move_change(v_change,
        CASE WHEN p_done THEN 'SUCCESS' ELSE 'FAILED' END, v_word), 0));

    RETURN 'settled';
END
$$;
COMMENT ON FUNCTION pay_ops.settle_change IS
    'Ends a change by an operator''s decision: settled, closed, not_found or '
    'invalid';
