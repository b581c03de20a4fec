-- The operation sweep: opens a dead letter for work that has been in one state
-- for longer than its limit, and closes those whose cause is gone.  One worker
-- of all nodes at a time (table round).  Finished payments are never looked at:
-- checkouts are found by their jobs, calls and webhooks by partial indexes of
-- the open ones.  It waits for no checkout, so a dead letter may be opened for
-- work that has just ended; the next round closes it.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.sweep_ok(
    p_owner text, p_interval_ms bigint, p_limits jsonb)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN coalesce(id_ok(p_owner) AND p_interval_ms BETWEEN 0 AND 86400000
            AND jsonb_typeof(p_limits) = 'object'
            AND (NOT p_limits ? 'card_testing'
                 OR mode_terms_ok(p_limits -> 'card_testing')), false)
        AND NOT EXISTS (
            SELECT FROM jsonb_each(p_limits - 'card_testing') l
            WHERE CASE WHEN jsonb_typeof(l.value) = 'number'
                THEN l.value::numeric NOT BETWEEN 0 AND 315360000
                ELSE true END);
END
$$;
COMMENT ON FUNCTION pay.sweep_ok IS 'Whether sweep can take this item';


CREATE OR REPLACE FUNCTION pay.sweep_limit(p_limits jsonb, p_name text)
RETURNS interval LANGUAGE sql IMMUTABLE AS $$
SELECT make_interval(secs => nullif((p_limits ->> p_name)::float8, 0))
$$;
COMMENT ON FUNCTION pay.sweep_limit IS
    'The age limit of this name; NULL: there is none';


-- A registration that has its token is known, whatever became of a call.  So is
-- a capture of an order that is paid, an expiry of a checkout that has ended,
-- and a refund that an operator has settled with the PSP.  A change has its own
-- status.
CREATE OR REPLACE FUNCTION pay.is_unsettled(
    p_merchant_id text, p_checkout_id text, p_operation text,
    p_operation_id text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_change change := find_change(p_merchant_id, p_operation_id);
BEGIN
    IF v_change.change_id IS NOT NULL THEN
        RETURN v_change.status IN ('NOT_STARTED', 'EXECUTING');
    END IF;

    RETURN CASE p_operation
        WHEN 'register' THEN is_registering(p_merchant_id, p_checkout_id)
        WHEN 'capture' THEN order_is(p_merchant_id, p_checkout_id,
            '{NOT_STARTED,EXECUTING,FAILED}')
        WHEN 'expire' THEN order_is(p_merchant_id, p_checkout_id,
            '{NOT_STARTED,EXECUTING}')
        WHEN 'refund' THEN NOT EXISTS (
            SELECT FROM late_success l
            WHERE l.merchant_id = p_merchant_id
                AND l.checkout_id = p_checkout_id
                AND l.state IN ('refunded', 'resolved'))
        ELSE true END;
END
$$;
COMMENT ON FUNCTION pay.is_unsettled IS
    'Whether it matters that the outcome of a call is not known';


CREATE OR REPLACE FUNCTION pay.is_registering(
    p_merchant_id text, p_checkout_id text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM registration r
        WHERE r.merchant_id = p_merchant_id
            AND r.checkout_id = p_checkout_id AND r.state = 'REGISTERING');
END
$$;
COMMENT ON FUNCTION pay.is_registering IS
    'Whether the PSP has still to give a token, or to refuse';


CREATE OR REPLACE FUNCTION pay.order_is(
    p_merchant_id text, p_checkout_id text, p_statuses text[])
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM payment_order o
        WHERE o.merchant_id = p_merchant_id
            AND o.checkout_id = p_checkout_id AND o.position = 1
            AND o.status = ANY (p_statuses));
END
$$;
COMMENT ON FUNCTION pay.order_is IS
    'Whether a checkout''s orders have one of these statuses';


-- Money that is held waits for its merchant, for as long as the hold lasts.
CREATE OR REPLACE FUNCTION pay.is_unfinished(
    p_merchant_id text, p_checkout_id text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM payment_order o
        WHERE o.merchant_id = p_merchant_id
            AND o.checkout_id = p_checkout_id AND o.position = 1
            AND o.status = 'EXECUTING' AND o.authorized_minor = 0);
END
$$;
COMMENT ON FUNCTION pay.is_unfinished IS
    'Whether the PSP has still to say how a payment ends';


-- A matter that an operator has resolved is not brought up again; work that an
-- operator has requeued has the whole limit again.
CREATE OR REPLACE FUNCTION pay.may_be_stuck(
    p_merchant_id text, p_checkout_id text, p_reason text,
    p_since timestamptz, p_limit interval)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN p_since < now() - p_limit AND NOT EXISTS (
        SELECT FROM dead_letter d
        WHERE d.merchant_id = p_merchant_id AND d.checkout_id = p_checkout_id
            AND d.kind = 'stuck' AND (d.state = 'open'
                OR d.reason = p_reason AND (
                    d.state = 'resolved' AND d.closed_at >= p_since
                    OR d.state = 'requeued'
                    AND d.closed_at >= now() - p_limit)));
END
$$;
COMMENT ON FUNCTION pay.may_be_stuck IS
    'Whether those on call should hear of a state that is this old';


-- One page of each kind a round, so that a round is short however much there
-- is; a page that is not full is the last one.
CREATE OR REPLACE FUNCTION pay.next_unknown(p_limit interval)
RETURNS dispatch[] LANGUAGE plpgsql AS $$
DECLARE
    v_page dispatch[];
    v_last int;
BEGIN
    v_page := ARRAY(
        SELECT d FROM dispatch d
        WHERE d.state = 'UNKNOWN' AND NOT d.settled
            AND d.first_sent_at < now() - p_limit
            AND d.first_sent_at > coalesce(
                (SELECT r.sent_at FROM round r WHERE r.name = 'sweep'),
                '-infinity')
        ORDER BY d.first_sent_at FETCH FIRST 1000 ROWS WITH TIES);
    v_last := cardinality(v_page);

    UPDATE round r
    SET sent_at = CASE WHEN v_last >= 1000
                       THEN (v_page[v_last]).first_sent_at END
    WHERE r.name = 'sweep';

    RETURN v_page;
END
$$;
COMMENT ON FUNCTION pay.next_unknown IS
    'The next calls whose outcome has not been known for that long';


CREATE OR REPLACE FUNCTION pay.next_parked(p_limit interval)
RETURNS webhook_inbox[] LANGUAGE plpgsql AS $$
DECLARE
    v_page webhook_inbox[];
    v_last int;
BEGIN
    v_page := ARRAY(
        SELECT i FROM webhook_inbox i
        WHERE i.state = 'parked' AND i.received_at < now() - p_limit
            AND i.received_at > coalesce(
                (SELECT r.received_at FROM round r WHERE r.name = 'sweep'),
                '-infinity')
        ORDER BY i.received_at FETCH FIRST 1000 ROWS WITH TIES);
    v_last := cardinality(v_page);

    UPDATE round r
    SET received_at = CASE WHEN v_last >= 1000
                           THEN (v_page[v_last]).received_at END
    WHERE r.name = 'sweep';

    RETURN v_page;
END
$$;
COMMENT ON FUNCTION pay.next_parked IS
    'The next webhooks that have been parked for that long';


CREATE OR REPLACE FUNCTION pay.next_letters()
RETURNS dead_letter[] LANGUAGE plpgsql AS $$
DECLARE
    v_page dead_letter[];
BEGIN
    v_page := ARRAY(
        SELECT d FROM dead_letter d
        WHERE d.state = 'open' AND d.dead_letter_id > coalesce(
            (SELECT r.letter_id FROM round r WHERE r.name = 'sweep'), 0)
        ORDER BY d.dead_letter_id LIMIT 1000);

    UPDATE round r
    SET letter_id = (v_page[1000]).dead_letter_id
    WHERE r.name = 'sweep';

    RETURN v_page;
END
$$;
COMMENT ON FUNCTION pay.next_letters IS 'The next open dead letters';


CREATE OR REPLACE FUNCTION pay.next_checkouts(
    OUT merchants text[], OUT checkouts text[])
LANGUAGE plpgsql AS $$
BEGIN
    SELECT array_agg(j.merchant_id), array_agg(j.checkout_id)
    INTO merchants, checkouts
    FROM round r
    CROSS JOIN LATERAL (
        SELECT j.merchant_id, j.checkout_id FROM job j
        WHERE (j.merchant_id, j.checkout_id)
            > (coalesce(r.merchant_id, ''), coalesce(r.checkout_id, ''))
        ORDER BY j.merchant_id, j.checkout_id LIMIT 1000) j
    WHERE r.name = 'sweep';

    UPDATE round r
    SET merchant_id = merchants[1000], checkout_id = checkouts[1000]
    WHERE r.name = 'sweep';
END
$$;
COMMENT ON FUNCTION pay.next_checkouts IS
    'The next checkouts that have a job, in the order of their key';


-- The worker that was to record the end of a capture, an expiry or a refund has
-- been gone for that long: the outcome is unknown.  A registration has a job
-- that finds out.
CREATE OR REPLACE FUNCTION pay.sweep_lost(p_limit interval)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE dispatch d
    SET state = 'UNKNOWN', ended_at = now(), lease_until = NULL
    FROM (
        SELECT k.tableoid AS part, k.ctid AS tid
        FROM dispatch k
        CROSS JOIN LATERAL (
            SELECT FROM checkout c
            WHERE c.merchant_id = k.merchant_id
                AND c.checkout_id = k.checkout_id
            FOR NO KEY UPDATE SKIP LOCKED) c
        WHERE k.state = 'OPEN' AND k.operation <> 'register'
            AND k.lease_until < now() - p_limit
        ORDER BY k.lease_until LIMIT 1000
        FOR UPDATE OF k SKIP LOCKED) x
    WHERE d.ctid = x.tid AND d.tableoid = x.part AND d.state = 'OPEN';
END
$$;
COMMENT ON FUNCTION pay.sweep_lost IS
    'Makes calls UNKNOWN whose workers are gone';


-- Without a limit only calls that have no effect any more are closed.
CREATE OR REPLACE FUNCTION pay.sweep_unknown(p_limit interval)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_page dispatch[] := next_unknown(coalesce(p_limit, '15 minutes'));
BEGIN
    INSERT INTO dead_letter (merchant_id, checkout_id, psp, kind, reason,
        code, attempts)
    SELECT DISTINCT ON (d.merchant_id, d.checkout_id, d.psp)
        d.merchant_id, d.checkout_id, d.psp, 'stuck', 'unknown', d.code,
        d.sends
    FROM unnest(v_page) d
    WHERE may_be_stuck(d.merchant_id, d.checkout_id, 'unknown',
                       d.first_sent_at, p_limit)
        AND is_unsettled(d.merchant_id, d.checkout_id, d.operation,
                         d.operation_id)
    ORDER BY d.merchant_id, d.checkout_id, d.psp, d.first_sent_at
    ON CONFLICT DO NOTHING;

    -- a session that locks a checkout finds its calls by their address, so even
    -- this changes a call only with that lock
    UPDATE dispatch d
    SET settled = true
    FROM (
        SELECT u.* FROM unnest(v_page) u
        WHERE NOT is_unsettled(u.merchant_id, u.checkout_id, u.operation,
                               u.operation_id)
        OFFSET 0) u
    CROSS JOIN LATERAL (
        SELECT FROM checkout c
        WHERE c.merchant_id = u.merchant_id AND c.checkout_id = u.checkout_id
        FOR NO KEY UPDATE SKIP LOCKED) c
    CROSS JOIN LATERAL (
        SELECT k.tableoid AS part, k.ctid AS tid FROM dispatch k
        WHERE k.merchant_id = u.merchant_id AND k.checkout_id = u.checkout_id
            AND k.operation = u.operation AND k.operation_id = u.operation_id
            AND k.attempt = u.attempt AND k.state = 'UNKNOWN'
        FOR UPDATE SKIP LOCKED) k
    WHERE d.ctid = k.tid AND d.tableoid = k.part;
END
$$;
COMMENT ON FUNCTION pay.sweep_unknown IS
    'Opens dead letters for calls whose outcome has been unknown for longer '
    'than the limit';


CREATE OR REPLACE FUNCTION pay.sweep_open(
    p_registering interval, p_executing interval)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_next record := next_checkouts();
BEGIN
    INSERT INTO dead_letter (merchant_id, checkout_id, psp, kind, reason,
        code, attempts)
    SELECT c.merchant_id, c.checkout_id, r.psp, 'stuck', w.reason, r.code,
        r.attempt
    FROM (SELECT DISTINCT * FROM unnest(v_next.merchants, v_next.checkouts))
        AS u (merchant_id, checkout_id)
    CROSS JOIN LATERAL (
        SELECT c.* FROM checkout c
        WHERE c.merchant_id = u.merchant_id AND c.checkout_id = u.checkout_id
        OFFSET 0) c
    CROSS JOIN LATERAL (
        SELECT r.* FROM registration r
        WHERE r.merchant_id = u.merchant_id AND r.checkout_id = u.checkout_id
        OFFSET 0) r
    CROSS JOIN LATERAL (
        SELECT 'registering' AS reason
        WHERE r.state = 'REGISTERING'
            AND may_be_stuck(c.merchant_id, c.checkout_id, 'registering',
                             c.created_at, p_registering)
        UNION ALL
        SELECT 'executing'
        WHERE may_be_stuck(c.merchant_id, c.checkout_id, 'executing',
                           c.expires_at, p_executing)
            AND is_unfinished(c.merchant_id, c.checkout_id)
        LIMIT 1) w
    ORDER BY c.merchant_id, c.checkout_id
    ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION pay.sweep_open IS
    'Dead letters for checkouts that have been open for too long';


CREATE OR REPLACE FUNCTION pay.next_changes(p_limit interval)
RETURNS change[] LANGUAGE plpgsql AS $$
DECLARE
    v_page change[];
    v_last int;
BEGIN
    v_page := ARRAY(
        SELECT c FROM change c
        WHERE status_rank(c.status) < 2                 -- change_open's
            AND c.created_at < now() - p_limit
            AND c.created_at > coalesce(
                (SELECT r.change_at FROM round r WHERE r.name = 'sweep'),
                '-infinity')
        ORDER BY c.created_at FETCH FIRST 1000 ROWS WITH TIES);
    v_last := cardinality(v_page);

    UPDATE round r
    SET change_at = CASE WHEN v_last >= 1000
                         THEN (v_page[v_last]).created_at END
    WHERE r.name = 'sweep';

    RETURN v_page;
END
$$;
COMMENT ON FUNCTION pay.next_changes IS
    'The next changes that have been open for that long';


-- A change that the PSP has taken and says nothing of has no job.
CREATE OR REPLACE FUNCTION pay.sweep_changes(p_limit interval)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dead_letter (merchant_id, checkout_id, psp, kind, reason,
        code)
    SELECT DISTINCT ON (c.merchant_id, c.checkout_id)
        c.merchant_id, c.checkout_id, c.psp, 'stuck', 'changing', c.kind
    FROM unnest(next_changes(p_limit)) c
    WHERE may_be_stuck(c.merchant_id, c.checkout_id, 'changing', c.created_at,
                       p_limit)
    ORDER BY c.merchant_id, c.checkout_id, c.created_at
    ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION pay.sweep_changes IS
    'Dead letters for changes that have been open for too long';


-- One letter for each webhook, ever.
CREATE OR REPLACE FUNCTION pay.sweep_parked(p_limit interval)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dead_letter (psp, event_id, kind, reason, code)
    SELECT i.psp, i.event_id, 'parked', 'parked', i.code
    FROM unnest(next_parked(p_limit)) i
    WHERE NOT EXISTS (
        SELECT FROM dead_letter d
        WHERE d.psp = i.psp AND d.event_id = i.event_id)
    ORDER BY i.psp, i.event_id
    ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION pay.sweep_parked IS
    'Opens dead letters for webhooks whose token no checkout has brought';


CREATE OR REPLACE FUNCTION pay.is_over(p_letter dead_letter)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN NOT CASE p_letter.reason
        WHEN 'registering' THEN is_registering(p_letter.merchant_id,
            p_letter.checkout_id)
        WHEN 'executing' THEN is_unfinished(p_letter.merchant_id,
            p_letter.checkout_id)
        WHEN 'changing' THEN EXISTS (
            SELECT FROM change c
            WHERE c.merchant_id = p_letter.merchant_id
                AND c.checkout_id = p_letter.checkout_id
                AND c.status IN ('NOT_STARTED', 'EXECUTING'))
        -- one that is being sent again is as little known as before
        WHEN 'unknown' THEN EXISTS (
            SELECT FROM dispatch d
            WHERE d.merchant_id = p_letter.merchant_id
                AND d.checkout_id = p_letter.checkout_id
                AND d.state IN ('OPEN', 'UNKNOWN')
                AND is_unsettled(d.merchant_id, d.checkout_id, d.operation,
                                 d.operation_id))
        WHEN 'parked' THEN EXISTS (
            SELECT FROM webhook_inbox i
            WHERE i.psp = p_letter.psp AND i.event_id = p_letter.event_id
                AND i.state = 'parked')
        ELSE true END;
END
$$;
COMMENT ON FUNCTION pay.is_over IS
    'Whether the state that a dead letter is about has come right';


-- Never waits: a dead letter that an operator's session has locked is left to
-- that.
CREATE OR REPLACE FUNCTION pay.sweep_settled()
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE dead_letter d
    SET state = 'settled', closed_at = clock_timestamp(),
        closed_by = 'gateway', closed_why = 'no longer ' || d.reason
    FROM unnest(next_letters()) l
    CROSS JOIN LATERAL (
        SELECT k.ctid AS tid FROM dead_letter k
        WHERE k.dead_letter_id = l.dead_letter_id AND k.state = 'open'
            AND k.kind IN ('stuck', 'parked') AND is_over(k)
        FOR UPDATE SKIP LOCKED) k
    WHERE d.ctid = k.tid;
END
$$;
COMMENT ON FUNCTION pay.sweep_settled IS
    'Closes dead letters about states that are over';


-- For the gauges.  Counting ends at 10000.
CREATE OR REPLACE FUNCTION pay.sweep_counts()
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN jsonb_build_object(
        'dead_letters', (
            SELECT jsonb_object_agg(k.kind, coalesce(d.count, 0))
            FROM unnest('{register,poll,refund,change,late_success,parked,'
                        'stuck}'::text[]) k (kind)
            LEFT JOIN (
                SELECT x.kind, count(*) AS count
                FROM (SELECT y.kind FROM dead_letter y
                      WHERE y.state = 'open'
                      ORDER BY y.dead_letter_id LIMIT 10000) x
                GROUP BY x.kind) d ON d.kind = k.kind),
        'unknown', (
            SELECT count(*) FROM (
                SELECT FROM dispatch d
                WHERE d.state = 'UNKNOWN' AND NOT d.settled
                ORDER BY d.first_sent_at LIMIT 10000) d),
        'parked', (
            SELECT count(*) FROM (
                SELECT FROM webhook_inbox i
                WHERE i.state = 'parked'
                ORDER BY i.received_at LIMIT 10000) i),
        'reviews', (
            SELECT jsonb_build_object(
                'open', count(*) FILTER (WHERE r.state = 'open'),
                'escalated', count(*) FILTER (WHERE r.state = 'escalated'),
                'overdue', count(*) FILTER (WHERE r.deadline <= now()),
                'oldest_s', coalesce(max(extract(epoch FROM now()
                    - r.at))::bigint, 0))
            FROM (SELECT x.* FROM risk_review x
                  WHERE x.state IN ('open', 'escalated')
                  ORDER BY x.deadline LIMIT 10000) r),
        'review_captures', count_watched_captures(),
        'quarantined', (SELECT count(*) FROM webhook_quarantine),
        'risk_modes', (SELECT count(*) FROM risk_mode),
        'overdue_s', (
            SELECT coalesce(max(extract(epoch FROM now()
                - greatest(j.run_at, j.lease_until)))::bigint, 0)
            FROM generate_series(1, 3) AS k (rank)
            CROSS JOIN LATERAL (
                SELECT x.* FROM job x
                WHERE job_rank(x.kind) = k.rank AND x.run_at <= now()
                    AND coalesce(x.lease_until <= now(), true)
                ORDER BY x.run_at LIMIT 1000) j),
        'backfill_missed', (
            SELECT coalesce(sum(b.missed), 0) FROM backfill b));
END
$$;
COMMENT ON FUNCTION pay.sweep_counts IS
    'How many rows wait for operators, and for how long jobs are overdue';


CREATE OR REPLACE FUNCTION pay.sweep_all(p_limits jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sweep_settled();
    PERFORM sweep_lost(coalesce(sweep_limit(p_limits, 'unknown_s'),
                                '15 minutes'));
    PERFORM sweep_unknown(sweep_limit(p_limits, 'unknown_s'));
    PERFORM sweep_open(sweep_limit(p_limits, 'registering_s'),
                       sweep_limit(p_limits, 'executing_s'));
    PERFORM sweep_changes(coalesce(sweep_limit(p_limits, 'changing_s'),
                                   '7 days'));
    PERFORM sweep_parked(sweep_limit(p_limits, 'parked_s'));
    PERFORM sweep_modes(p_limits -> 'card_testing');
    -- last, since it locks wallets
    PERFORM sweep_reviews();

    RETURN sweep_counts();
END
$$;
COMMENT ON FUNCTION pay.sweep_all IS 'One round of the sweep';


-- A payment that reads events waits for a session that attaches a partition: so
-- such a round does nothing else, or it would keep those payments waiting while
-- it looks for stuck work, and would wait for their wallets itself.  Its outcome
-- is not_due, as nothing was swept.  The clock, since now() would be due for
-- another item of the same call.
CREATE OR REPLACE FUNCTION pay.put_off_sweep()
RETURNS void LANGUAGE sql AS $$
UPDATE round r SET run_at = clock_timestamp() WHERE r.name = 'sweep'
$$;
COMMENT ON FUNCTION pay.put_off_sweep IS
    'Leaves the sweep to the next worker that asks';


-- A worker that comes too early gets the counts of the last round, so that
-- every node can show them.
CREATE OR REPLACE FUNCTION pay_api.sweep(
    p_owner text[], p_interval_ms bigint[], p_limits jsonb[])
RETURNS SETOF pay_api.counts_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row    pay_api.counts_row;
    v_counts jsonb;
BEGIN
    PERFORM check_batch(array_dims(p_owner), array_dims(p_interval_ms),
                        array_dims(p_limits));

    FOR v_item IN 1 .. coalesce(cardinality(p_owner), 0) LOOP
        v_row.item := v_item;
        v_row.outcome := 'invalid';
        v_row.counts := NULL;

        IF sweep_ok(p_owner[v_item], p_interval_ms[v_item],
                    p_limits[v_item])
        THEN
            v_row.outcome := CASE WHEN take_round('sweep') THEN 'swept'
                                  ELSE 'not_due' END;
        END IF;

        IF v_row.outcome = 'swept' AND make_partitions(false) > 0 THEN
            PERFORM put_off_sweep();
            v_row.outcome := 'not_due';
        ELSIF v_row.outcome = 'swept' THEN
            v_counts := sweep_all(p_limits[v_item]);
            PERFORM end_round('sweep', v_counts, make_interval(
                secs => p_interval_ms[v_item] / 1000.0));
        END IF;

        IF v_row.outcome <> 'invalid' THEN
            v_row.counts := round_counts('sweep');
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.sweep IS
    'Looks for stuck work, once an interval. Outcomes: swept, not_due, '
    'invalid';
