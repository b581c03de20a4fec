-- The one place where an order's status moves and its timeline grows.  The
-- caller holds the locks (lock_checkouts) and has told mismatches apart
-- (fact_kind).  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- One turn: at most one fact about each checkout.  Writes an event for each
-- order that moves, and for kinds that are news by themselves; a first
-- pending about an executing order is news, too, and a webhook for which
-- the PSP is asked.  A job that has been asked for outlives a failure: what
-- failed was heard before.  Returns the items that moved a status.  A row's address (ctid) stands for its key between two
-- looks at it: nobody else changes what belongs to a locked checkout.
CREATE OR REPLACE FUNCTION pay.move_orders(p_facts fact[], p_turn int)
RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
    v_now   timestamptz := clock_timestamp();
    v_moved int[];
BEGIN
    WITH step AS (
        SELECT f.*, o.tid, o.payment_order_id, o.status AS old_status,
            next_status(o.status, f.kind) AS new_status,
            CASE WHEN next_status(o.status, f.kind) <> 'FAILED' THEN NULL
                 WHEN o.status = 'FAILED' THEN o.reason
                 WHEN f.kind = 'refused' THEN 'rejected'
                 ELSE f.kind END AS new_reason
        FROM unnest(p_facts) f
        CROSS JOIN LATERAL (
            SELECT o.ctid AS tid, o.payment_order_id, o.status, o.reason
            FROM payment_order o
            WHERE o.merchant_id = f.merchant_id
                AND o.checkout_id = f.checkout_id
            OFFSET 0) o
        WHERE f.turn = p_turn
    ), moved AS (
        UPDATE payment_order o
        SET status = s.new_status, reason = s.new_reason,
            version = o.version + 1
        FROM step s
        WHERE o.ctid = s.tid
            AND (s.new_status <> s.old_status
                 OR s.kind IN ('registered', 'registration_unknown',
                               'registration_not_sent', 'rerouted',
                               'mismatch')
                 OR s.kind = 'notified' AND s.actor = 'webhook'
                    AND s.old_status <> 'SUCCESS'
                 OR s.kind = 'pending' AND s.old_status = 'EXECUTING'
                    AND NOT EXISTS (
                        SELECT FROM event e
                        WHERE e.merchant_id = s.merchant_id
                            AND e.payment_order_id = s.payment_order_id
                            AND e.kind = 'pending'))
        RETURNING s.*, o.version
    ), logged AS (
        INSERT INTO event (merchant_id, payment_order_id, seq, at, kind,
            actor, old_status, new_status, reason, detail, request_id)
        SELECT m.merchant_id, m.payment_order_id, m.version, v_now, m.kind,
            m.actor, m.old_status, m.new_status, m.new_reason,
            jsonb_strip_nulls(jsonb_build_object('type', m.type,
                'code', m.code, 'reference', m.reference,
                'amount_minor', CASE WHEN m.kind = 'mismatch'
                                     THEN m.amount_minor END,
                'currency', CASE WHEN m.kind = 'mismatch'
                                 THEN m.currency END))
                || coalesce(m.detail, '{}'),
            m.request_id
        FROM moved m
    ), changed AS (
        SELECT DISTINCT m.item, m.merchant_id, m.checkout_id, m.kind,
            m.new_status
        FROM moved m
        WHERE m.new_status <> m.old_status
    ), counted AS (
        -- what its readers see has changed: a status, or the address that
        -- "registered" brings; "paid" takes every order to SUCCESS
        UPDATE checkout c
        SET version = c.version + 1,
            is_payment_done = c.is_payment_done OR x.kind = 'paid'
        FROM (SELECT DISTINCT m.merchant_id, m.checkout_id, m.kind
              FROM moved m
              WHERE m.new_status <> m.old_status
                  OR m.kind = 'registered') x
        CROSS JOIN LATERAL (
            SELECT k.ctid AS tid FROM checkout k
            WHERE k.merchant_id = x.merchant_id
                AND k.checkout_id = x.checkout_id
            OFFSET 0) k
        WHERE c.ctid = k.tid
    ), dropped AS (
        DELETE FROM job j
        USING (SELECT DISTINCT merchant_id, checkout_id, new_status
               FROM changed
               WHERE new_status IN ('SUCCESS', 'FAILED')) x
        CROSS JOIN LATERAL (
            SELECT k.ctid AS tid FROM job k
            WHERE k.merchant_id = x.merchant_id
                AND k.checkout_id = x.checkout_id
            OFFSET 0) k
        WHERE j.ctid = k.tid
            AND (x.new_status = 'SUCCESS' OR j.again_at IS NULL)
    )
    SELECT array_agg(DISTINCT x.item) INTO v_moved FROM changed x;

    RETURN v_moved;
END
$$;
COMMENT ON FUNCTION pay.move_orders IS
    'Moves the orders of one turn of facts and writes their events';


-- A poll that says the same wrong thing again is no news; each webhook is.
CREATE OR REPLACE FUNCTION pay.is_new_mismatch(p_fact fact)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN p_fact.actor = 'webhook' OR NOT EXISTS (
        SELECT FROM mismatch m
        WHERE m.merchant_id = p_fact.merchant_id
            AND m.checkout_id = p_fact.checkout_id
            AND m.source = p_fact.actor
            AND m.amount_minor IS NOT DISTINCT FROM p_fact.amount_minor
            AND m.currency IS NOT DISTINCT FROM p_fact.currency);
END
$$;
COMMENT ON FUNCTION pay.is_new_mismatch IS
    'Whether people should hear of this mismatch';


CREATE OR REPLACE FUNCTION pay.keep_mismatches(p_facts fact[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO mismatch (merchant_id, checkout_id, kind, source, psp,
        event_id, token, amount_minor, currency, own_token, total_minor,
        own_currency, request_id)
    SELECT c.merchant_id, c.checkout_id,
        CASE WHEN f.currency <> c.currency THEN 'currency'
             ELSE 'amount' END,
        f.actor, f.psp, f.event_id, f.token, f.amount_minor, f.currency,
        r.token, c.total_minor, c.currency, f.request_id
    FROM unnest(p_facts) f
    JOIN checkout c ON c.merchant_id = f.merchant_id
        AND c.checkout_id = f.checkout_id
    JOIN registration r ON r.merchant_id = f.merchant_id
        AND r.checkout_id = f.checkout_id
    WHERE f.kind = 'mismatch';
END
$$;
COMMENT ON FUNCTION pay.keep_mismatches IS
    'Queues for people what a PSP said and was not believed';


CREATE OR REPLACE FUNCTION pay.keep_references(p_facts fact[], p_moved int[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE registration r
    SET reference = x.reference
    FROM (SELECT DISTINCT ON (f.merchant_id, f.checkout_id) f.*
          FROM unnest(p_facts) f
          WHERE f.reference IS NOT NULL
              AND f.kind NOT IN ('mismatch', 'notified')
          ORDER BY f.merchant_id, f.checkout_id,
              f.item = ANY (p_moved) DESC, f.turn DESC) x
    WHERE r.merchant_id = x.merchant_id
        AND r.checkout_id = x.checkout_id
        AND (r.reference IS NULL OR x.item = ANY (p_moved));
END
$$;
COMMENT ON FUNCTION pay.keep_references IS
    'Keeps the PSP''s payment id, the one that moved the order if any did';


CREATE OR REPLACE FUNCTION pay.with_outcome(p_fact fact, p_outcome text)
RETURNS fact LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    p_fact.outcome := p_outcome;
    RETURN p_fact;
END
$$;
COMMENT ON FUNCTION pay.with_outcome IS 'The fact with its outcome';


-- Has the PSP asked at once about what webhooks and hints point at, unless
-- it is paid already.  Nobody vouches for a hint: it may have the PSP asked
-- every 5 s, and another one in between waits for the next such moment.
-- Whoever is asking at this moment may get an answer that is too old, so
-- again_at stays until the job is claimed afresh.
CREATE OR REPLACE FUNCTION pay.poll_soon(p_facts fact[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH due AS (
        SELECT f.merchant_id, f.checkout_id, f.signed, r.hinted_at,
            CASE WHEN f.signed THEN now()
                 WHEN r.hinted_at > now() THEN r.hinted_at
                 ELSE greatest(now(), r.hinted_at + interval '5 s')
            END AS run_at
        FROM (SELECT n.merchant_id, n.checkout_id,
                  bool_or(n.actor = 'webhook') AS signed
              FROM unnest(p_facts) n
              WHERE n.kind = 'notified'
              GROUP BY n.merchant_id, n.checkout_id) f
        CROSS JOIN LATERAL (
            SELECT r.hinted_at FROM registration r
            WHERE r.merchant_id = f.merchant_id
                AND r.checkout_id = f.checkout_id
            OFFSET 0) r
        CROSS JOIN LATERAL (
            SELECT FROM payment_order o
            WHERE o.merchant_id = f.merchant_id
                AND o.checkout_id = f.checkout_id AND o.position = 1
                AND o.status IN ('EXECUTING', 'FAILED')
            OFFSET 0) o
    ), noted AS (
        UPDATE registration r
        SET hinted_at = d.run_at
        FROM due d
        WHERE r.merchant_id = d.merchant_id
            AND r.checkout_id = d.checkout_id
            AND NOT d.signed AND d.hinted_at IS DISTINCT FROM d.run_at
    )
    INSERT INTO job AS j (merchant_id, checkout_id, kind, run_at, again_at)
    SELECT d.merchant_id, d.checkout_id, 'poll', d.run_at, d.run_at
    FROM due d
    ORDER BY d.merchant_id, d.checkout_id
    ON CONFLICT (merchant_id, checkout_id, kind) DO UPDATE
    SET run_at = least(j.run_at, EXCLUDED.run_at),
        again_at = least(j.again_at, EXCLUDED.again_at)
    WHERE j.again_at IS NULL OR j.again_at > EXCLUDED.again_at;
END
$$;
COMMENT ON FUNCTION pay.poll_soon IS
    'Pulls the polls forward that webhooks and hints ask for';


-- Several facts about one checkout take their turns in the order of items.
CREATE OR REPLACE FUNCTION pay.record_facts(p_facts fact[])
RETURNS fact[] LANGUAGE plpgsql AS $$
DECLARE
    v_facts fact[];
    v_last  int;
    v_moved int[] := '{}';
    v_wrong boolean;
    v_named boolean;
    v_asked boolean;
BEGIN
    p_facts := ARRAY(
        SELECT ROW(f.item,
            row_number() OVER (PARTITION BY f.merchant_id, f.checkout_id
                               ORDER BY f.item),
            f.merchant_id, f.checkout_id, f.kind, f.actor, f.psp, f.event_id,
            f.type, f.code, f.token, f.reference, f.amount_minor, f.currency,
            f.request_id, f.detail, NULL)::fact
        FROM unnest(p_facts) f);

    SELECT max(f.turn), bool_or(f.kind = 'mismatch'),
        bool_or(f.reference IS NOT NULL), bool_or(f.kind = 'notified')
    INTO v_last, v_wrong, v_named, v_asked
    FROM unnest(p_facts) f;

    v_facts := p_facts;
    IF v_wrong THEN
        v_facts := ARRAY(
            SELECT f FROM unnest(p_facts) f
            WHERE f.kind <> 'mismatch' OR is_new_mismatch(f));
    END IF;

    FOR v_turn IN 1 .. coalesce(v_last, 0) LOOP
        v_moved := v_moved || move_orders(v_facts, v_turn);
    END LOOP;

    IF v_wrong THEN
        PERFORM keep_mismatches(v_facts);
    END IF;

    IF v_named THEN
        PERFORM keep_references(v_facts, v_moved);
    END IF;

    IF v_asked THEN
        PERFORM poll_soon(v_facts);
    END IF;

    RETURN ARRAY(
        SELECT with_outcome(f, CASE
            WHEN f.kind = 'mismatch' THEN 'mismatch'
            WHEN f.kind = 'notified' THEN 'asked'
            WHEN f.item = ANY (v_moved) THEN 'applied'
            ELSE 'unchanged' END)
        FROM unnest(p_facts) f);
END
$$;
COMMENT ON FUNCTION pay.record_facts IS
    'Takes facts about locked checkouts into account, in turn order';
