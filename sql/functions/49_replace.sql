-- A checkout that takes the place of another one.  begin_payment writes it
-- down, and with it a cancellation of the old checkout that closes its page;
-- nothing is sent for the new one until release_replacement finds that
-- cancellation done.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Money has come for it, or may have.
CREATE OR REPLACE FUNCTION pay.has_money(
    p_merchant_id text, p_checkout_id text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM payment_order o
        WHERE o.merchant_id = p_merchant_id
            AND o.checkout_id = p_checkout_id
            AND (o.status = 'SUCCESS' OR o.authorized_minor > 0
                 OR o.captured_minor > 0))
        OR EXISTS (
        SELECT FROM late_success l
        WHERE l.merchant_id = p_merchant_id
            AND l.checkout_id = p_checkout_id AND l.state <> 'refunded');
END
$$;
COMMENT ON FUNCTION pay.has_money IS
    'Whether a checkout was paid, or its money is held';


-- The checkout never had a page, and the page that it was to close first was
-- not closed for it: a checkout that replaced it would have a page beside that
-- one.
CREATE OR REPLACE FUNCTION pay.old_page_is_open(
    p_merchant_id text, p_checkout_id text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM checkout c
        WHERE c.merchant_id = p_merchant_id
            AND c.checkout_id = p_checkout_id
            AND c.waits AND c.replaces IS NOT NULL
            AND (has_money(c.merchant_id, c.replaces) OR NOT EXISTS (
                SELECT FROM checkout o
                JOIN change x ON x.merchant_id = o.merchant_id
                    AND x.checkout_id = o.checkout_id
                WHERE o.merchant_id = c.merchant_id
                    AND o.checkout_id = c.replaces
                    AND o.replaced_by = c.checkout_id
                    AND x.replaced_by = c.checkout_id
                    AND x.status = 'SUCCESS')));
END
$$;
COMMENT ON FUNCTION pay.old_page_is_open IS
    'Whether it was to replace a page that was not closed for it';


-- Its place is taken, but by one that has ended without a page, and the page
-- was not closed for it.
CREATE OR REPLACE FUNCTION pay.place_is_free(p_old checkout)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN p_old.replaced_by IS NULL OR EXISTS (
        SELECT FROM registration r
        JOIN change x ON x.merchant_id = r.merchant_id
            AND x.checkout_id = p_old.checkout_id
            AND x.replaced_by = r.checkout_id
        WHERE r.merchant_id = p_old.merchant_id
            AND r.checkout_id = p_old.replaced_by
            AND r.waits AND r.state <> 'REGISTERING'
            AND x.status = 'FAILED');
END
$$;
COMMENT ON FUNCTION pay.place_is_free IS
    'Whether no other checkout has taken its place';


-- The state of the page of a locked checkout: closed (it can take no payment
-- any more), close (it has to be closed first) or no (it cannot be replaced).
CREATE OR REPLACE FUNCTION pay.judge_replaced(
    p_old checkout, p_can_close boolean)
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_s standing;
BEGIN
    IF NOT place_is_free(p_old)
        OR has_money(p_old.merchant_id, p_old.checkout_id)
        OR old_page_is_open(p_old.merchant_id, p_old.checkout_id)
    THEN
        RETURN 'no';
    END IF;

    v_s := standing_of(p_old.merchant_id, (
        SELECT o.payment_order_id FROM payment_order o
        WHERE o.merchant_id = p_old.merchant_id
            AND o.checkout_id = p_old.checkout_id AND o.position = 1));

    RETURN CASE
        WHEN v_s.differs OR v_s.contradicted OR v_s.change IS NOT NULL
            OR v_s.registered = 'REGISTERING'
            OR v_s.capture IN ('OPEN', 'UNKNOWN', 'PENDING', 'DONE')
            OR v_s.pending AND v_s.status <> 'FAILED' THEN 'no'
        WHEN v_s.status = 'FAILED' AND (v_s.token IS NULL OR v_s.closed
            OR v_s.late = 'refunded') THEN 'closed'
        WHEN p_can_close THEN 'close'
        WHEN v_s.status = 'FAILED' AND (explain_retry(v_s,
            (explain_next(v_s)).at)).answer = 'yes' THEN 'closed'
        ELSE 'no' END;
END
$$;
COMMENT ON FUNCTION pay.judge_replaced IS
    'Whether another checkout may take the place of this one';


-- Items of begin_payment; the rows of the new ones are written and visible to
-- no other session.  An old checkout is replaced once: the first item wins.  A
-- checkout of the same batch is being registered, so it is not replaced either,
-- as judge_replaced() decides for one of an earlier batch.
CREATE OR REPLACE FUNCTION pay.take_places(
    p_items int[], p_merchant_id text[], p_checkout_id text[],
    p_terms jsonb[], OUT kept int[], OUT waits int[], OUT refused int[],
    OUT missing int[])
LANGUAGE plpgsql AS $$
DECLARE
    v_n    int;
    v_old  checkout;
    v_word text;
BEGIN
    kept := '{}';
    waits := '{}';
    PERFORM lock_checkouts(
        ARRAY(SELECT p_merchant_id[n] FROM unnest(p_items) n),
        ARRAY(SELECT p_terms[n] ->> 'replaces' FROM unnest(p_items) n));

    FOREACH v_n IN ARRAY p_items LOOP
        IF p_terms[v_n] ->> 'replaces' IS NOT NULL THEN
            SELECT * INTO v_old FROM checkout c
            WHERE c.merchant_id = p_merchant_id[v_n]
                AND c.checkout_id = p_terms[v_n] ->> 'replaces'
                AND c.checkout_id <> p_checkout_id[v_n];

            IF NOT FOUND THEN
                missing := missing || v_n;
                CONTINUE;
            END IF;

            v_word := CASE WHEN EXISTS (
                    SELECT FROM unnest(p_items) k
                    WHERE p_merchant_id[k] = v_old.merchant_id
                        AND p_checkout_id[k] = v_old.checkout_id)
                THEN 'no'
                ELSE judge_replaced(v_old, coalesce(
                    p_terms[v_n] -> 'can_close' = 'true', false)) END;

            IF v_word = 'no' THEN
                refused := refused || v_n;
                CONTINUE;
            END IF;

            UPDATE checkout c
            SET replaced_by = p_checkout_id[v_n]
            WHERE c.merchant_id = v_old.merchant_id
                AND c.checkout_id = v_old.checkout_id;

            IF v_word = 'close' THEN
                UPDATE checkout c
                SET waits = true, open_attempts = 0, first_call = NULL
                WHERE c.merchant_id = v_old.merchant_id
                    AND c.checkout_id = p_checkout_id[v_n];
                waits := waits || v_n;
            END IF;
        END IF;

        kept := kept || v_n;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.take_places IS
    'Items that replace no checkout, or one that may be replaced';


-- The word that both timelines get; the new one's begins with it.
CREATE OR REPLACE FUNCTION pay.replaced_fact(
    p_merchant_id text, p_old text, p_new text, p_psp text, p_actor text,
    p_request_id text, p_asked_by jsonb DEFAULT NULL)
RETURNS fact LANGUAGE sql IMMUTABLE AS $$
SELECT ROW(0, NULL, p_merchant_id, p_old, 'replaced', p_actor, p_psp, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, p_request_id,
    jsonb_build_object('replaced_by', p_new) || asked_detail(p_asked_by),
    NULL, NULL, NULL)::fact
$$;
COMMENT ON FUNCTION pay.replaced_fact IS
    'The record that another checkout has replaced this one';


-- Writes the cancellations that close pages, in the commit of the checkouts
-- that wait for them.
CREATE OR REPLACE FUNCTION pay.close_replaced(
    p_items int[], p_waits int[], p_merchant_id text[],
    p_checkout_id text[], p_lease_ms bigint[], p_request_id text[],
    p_terms jsonb[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_n      int;
    v_old    text;
    v_change change;
    v_word   fact;
    v_facts  fact[] := '{}';
BEGIN
    FOREACH v_n IN ARRAY p_items LOOP
        v_old := p_terms[v_n] ->> 'replaces';
        CONTINUE WHEN v_old IS NULL;
        IF v_n <> ALL (p_waits) THEN
            v_facts := v_facts || replaced_fact(p_merchant_id[v_n], v_old,
                p_checkout_id[v_n], NULL, 'merchant', p_request_id[v_n],
                p_terms[v_n] -> 'asked_by');
            CONTINUE;
        END IF;

        INSERT INTO change (merchant_id, change_id, checkout_id,
            payment_order_id, kind, origin, psp, amount_minor, currency,
            reason, request_id, replaced_by)
        SELECT c.merchant_id, p_terms[v_n] ->> 'change_id',
            c.checkout_id, o.payment_order_id, 'cancel', 'merchant', c.psp,
            o.amount_minor, o.currency,
            'replaced by ' || p_checkout_id[v_n], p_request_id[v_n],
            p_checkout_id[v_n]
        FROM checkout c
        JOIN payment_order o ON o.merchant_id = c.merchant_id
            AND o.checkout_id = c.checkout_id AND o.position = 1
        WHERE c.merchant_id = p_merchant_id[v_n] AND c.checkout_id = v_old
        RETURNING * INTO v_change;

        INSERT INTO job (merchant_id, checkout_id, kind, operation_id, run_at)
        VALUES (v_change.merchant_id, v_change.checkout_id, 'change',
            v_change.change_id,
            now() + make_interval(secs => p_lease_ms[v_n] / 1000.0));

        v_word.actor := 'merchant';
        v_word.request_id := p_request_id[v_n];
        v_facts := v_facts || change_fact(v_change, v_word,
            'cancel_requested', NULL,
            jsonb_build_object('replaced_by', p_checkout_id[v_n])
            || asked_detail(p_terms[v_n] -> 'asked_by'));
    END LOOP;

    IF v_facts <> '{}' THEN
        PERFORM record_facts(number_facts(v_facts, 0));
    END IF;
END
$$;
COMMENT ON FUNCTION pay.close_replaced IS
    'Has the pages closed that new checkouts replace';


-- The state of locked checkouts: released, refused, waiting or already.
CREATE OR REPLACE FUNCTION pay.judge_release(p_new checkout)
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_change change;
BEGIN
    SELECT * INTO v_change FROM change c
    WHERE c.merchant_id = p_new.merchant_id
        AND c.checkout_id = p_new.replaces
        AND c.replaced_by = p_new.checkout_id;

    RETURN CASE
        WHEN NOT p_new.waits OR p_new.state <> 'REGISTERING' THEN 'already'
        WHEN p_new.expires_at <= now() THEN 'waiting'
        WHEN has_money(p_new.merchant_id, p_new.replaces)
            OR v_change.status = 'FAILED' THEN 'refused'
        WHEN v_change.status = 'SUCCESS' THEN 'released'
        ELSE 'waiting' END;
END
$$;
COMMENT ON FUNCTION pay.judge_release IS
    'The state of a checkout that waits for the end of another page';


-- The caller registers it as soon as this is committed, see
-- begin_payment(); a job does when its lease is over.
CREATE OR REPLACE FUNCTION pay.release_one(
    p_new checkout, p_word text, p_lease interval, p_request_id text)
RETURNS fact[] LANGUAGE plpgsql AS $$
DECLARE
    v_reg  checkout;
    v_fact fact;
BEGIN
    UPDATE checkout r
    SET waits = p_word <> 'released',
        open_attempts = (p_word = 'released')::int,
        state = CASE p_word WHEN 'refused' THEN 'REFUSED' ELSE r.state END,
        code = CASE p_word WHEN 'refused' THEN 'not_replaced' END,
        lease_until = CASE p_word WHEN 'released' THEN now() + p_lease END
    WHERE r.merchant_id = p_new.merchant_id
        AND r.checkout_id = p_new.checkout_id
    RETURNING * INTO v_reg;

    UPDATE job j
    SET lease_owner = NULL, lease_until = NULL,
        attempts = CASE p_word WHEN 'released' THEN 0 ELSE j.attempts END,
        -- every 2 s for a minute, then less and less often: the end of
        -- the old page may wait for an operator
        run_at = now() + CASE p_word
            WHEN 'released' THEN p_lease
            ELSE interval '2 s' * least(1 + j.attempts / 30, 30) END
    WHERE j.merchant_id = p_new.merchant_id
        AND j.checkout_id = p_new.checkout_id AND j.kind = 'register';

    IF p_word = 'waiting' THEN
        RETURN '{}';
    ELSIF p_word = 'released' THEN
        INSERT INTO dispatch (merchant_id, checkout_id, operation,
            operation_id, psp, first_sent_at, sent_at, lease_until, key_until,
            request_id)
        VALUES (v_reg.merchant_id, v_reg.checkout_id, 'register', v_reg.nonce,
            v_reg.psp, now(), now(), v_reg.lease_until,
            now() + key_window(v_reg.psps, v_reg.key_windows, v_reg.psp),
            p_request_id);

        RETURN ARRAY[replaced_fact(p_new.merchant_id, p_new.replaces,
            p_new.checkout_id, NULL, 'gateway', p_request_id)];
    END IF;

    -- its readers see a change
    UPDATE checkout c SET replaced_by = NULL, version = c.version + 1
    WHERE c.merchant_id = p_new.merchant_id
        AND c.checkout_id = p_new.replaces;

    v_fact.item := 0;
    v_fact.merchant_id := p_new.merchant_id;
    v_fact.checkout_id := p_new.checkout_id;
    v_fact.kind := 'cancelled';
    v_fact.actor := 'gateway';
    v_fact.code := 'not_replaced';
    v_fact.request_id := p_request_id;
    v_fact.detail := jsonb_build_object('replaces', p_new.replaces);

    RETURN ARRAY[v_fact];
END
$$;
COMMENT ON FUNCTION pay.release_one IS
    'Lets a checkout go on, or ends it, or has it wait on';


CREATE OR REPLACE FUNCTION pay_api.release_replacement(
    p_merchant_id text[], p_checkout_id text[], p_lease_ms bigint[],
    p_request_id text[])
RETURNS SETOF pay_api.checkout_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_new     checkout;
    v_outcome text[];
    v_facts   fact[] := '{}';
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_lease_ms), array_dims(p_request_id));

    PERFORM lock_checkouts(
        array_agg(u.merchant_id), array_agg(x.checkout_id))
    FROM unnest(p_merchant_id, p_checkout_id) u (merchant_id, checkout_id)
    JOIN checkout c ON c.merchant_id = u.merchant_id
        AND c.checkout_id = u.checkout_id
    CROSS JOIN unnest(ARRAY[c.checkout_id::text, c.replaces::text])
        x (checkout_id);

    FOR v_n IN 1 .. cardinality(p_merchant_id) LOOP
        SELECT * INTO v_new FROM checkout c
        WHERE c.merchant_id = p_merchant_id[v_n]
            AND c.checkout_id = p_checkout_id[v_n]
            AND c.replaces IS NOT NULL;

        v_outcome[v_n] := CASE
            WHEN NOT coalesce(p_lease_ms[v_n] BETWEEN 1 AND 86400000, false)
                THEN 'invalid'
            WHEN v_new.checkout_id IS NULL THEN 'not_found'
            ELSE judge_release(v_new) END;

        IF v_outcome[v_n] IN ('released', 'refused', 'waiting') THEN
            v_facts := v_facts || release_one(v_new, v_outcome[v_n],
                make_interval(secs => p_lease_ms[v_n] / 1000.0),
                p_request_id[v_n]);
        END IF;
    END LOOP;

    IF v_facts <> '{}' THEN
        PERFORM record_facts(number_facts(v_facts, 0));
    END IF;

    RETURN QUERY
    SELECT u.n::int, u.outcome, s.*
    FROM unnest(p_merchant_id, p_checkout_id, v_outcome)
        WITH ORDINALITY AS u (merchant_id, checkout_id, outcome, n)
    LEFT JOIN LATERAL state_of(u.merchant_id, u.checkout_id) s
        ON u.outcome NOT IN ('invalid', 'not_found')
    ORDER BY 1, s.place;
END
$$;
COMMENT ON FUNCTION pay_api.release_replacement IS
    'Goes on with checkouts that wait for the end of another page. Outcomes: '
    'released, refused, waiting, already, not_found, invalid';
