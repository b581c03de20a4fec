-- The one place where an order's status moves and its timeline grows.  The
-- caller holds the locks (lock_checkouts) and has sorted out mismatches
-- (fact_kind).  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Ends the jobs of checkouts that are settled, and closes the dead letters
-- about these jobs as settle_dead_letters() does.  The dead letters of
-- operations with an unknown outcome stay open, whatever became of the payment.
-- A job that was requested to run again outlives a failure: the failure may be
-- older than the request.  Where the gateway alone says that the time is over
-- (p_ours: for some), a checkout whose PSP can be queried is queried once more
-- in the end (last_look).  p_letters: there are open dead letters.
CREATE OR REPLACE FUNCTION pay.end_jobs(
    p_moves move[], p_ours boolean, p_letters boolean)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_count int;
BEGIN
    DELETE FROM job j
    USING unnest(p_moves) m
    CROSS JOIN LATERAL (
        SELECT k.tableoid AS part, k.ctid AS tid FROM job k
        WHERE k.merchant_id = m.merchant_id
            AND k.checkout_id = m.checkout_id
        OFFSET 0) k
    WHERE m.final IS NOT NULL AND j.ctid = k.tid AND j.tableoid = k.part
        AND j.kind <> 'change'
        AND (m.final = 'SUCCESS'
             OR j.again_at IS NULL AND NOT (m.is_ours AND j.kind = 'poll'));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    IF p_ours THEN
        UPDATE job j
        SET attempts = 1
        FROM unnest(p_moves) m
        CROSS JOIN LATERAL (
            SELECT k.tableoid AS part, k.ctid AS tid FROM job k
            WHERE k.merchant_id = m.merchant_id
                AND k.checkout_id = m.checkout_id AND k.kind = 'poll'
            OFFSET 0) k
        WHERE m.final = 'FAILED' AND m.is_ours AND j.ctid = k.tid
            AND j.tableoid = k.part;
    END IF;

    IF p_letters THEN
        UPDATE dead_letter d
        SET state = 'settled', closed_at = clock_timestamp(),
            closed_by = 'gateway', closed_why = m.final
        FROM unnest(p_moves) m
        CROSS JOIN LATERAL (
            SELECT k.ctid AS tid FROM dead_letter k
            WHERE k.merchant_id = m.merchant_id
                AND k.checkout_id = m.checkout_id AND k.state = 'open'
                AND k.kind IN ('poll', 'stuck')
                AND k.reason NOT IN ('unknown', 'changing')
            OFFSET 0) k
        WHERE m.final IS NOT NULL AND d.ctid = k.tid;
    END IF;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_jobs IS
    'Ends the jobs of checkouts that have come to rest: how many';


-- A row's address (ctid, and tableoid where there are hash partitions) replaces
-- its key between two reads of it: no other session changes the rows of a
-- locked checkout.  If a row were somewhere else all the same, its update would
-- silently miss it, so the updated rows are counted: p_shown is the number of
-- checkouts whose readers see something new.  An order's head is the hash of
-- the event that is written with it.
CREATE OR REPLACE FUNCTION pay.write_moves(
    p_moves move[], p_shown bigint, p_at timestamptz)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_orders    int;
    v_checkouts int;
BEGIN
    UPDATE payment_order o
    SET status = m.status, reason = m.reason, version = m.version,
        captured_minor = m.captured_minor,
        authorized_minor = m.authorized_minor, decline = m.decline,
        head = m.head, head_tx = m.tx
    FROM unnest(p_moves) m
    WHERE o.ctid = m.tid AND o.tableoid = m.part;
    GET DIAGNOSTICS v_orders = ROW_COUNT;

    INSERT INTO event (merchant_id, payment_order_id, seq, at, tx, kind,
        actor, old_status, new_status, reason, detail, request_id, hash)
    SELECT m.merchant_id, m.payment_order_id, m.version, p_at, m.tx, m.news,
        m.actor, m.old_status, m.status, m.reason, m.about, m.request_id,
        m.head
    FROM unnest(p_moves) m;

    INSERT INTO outbox (merchant_id, payment_order_id, seq, at, kind)
    SELECT m.merchant_id, m.payment_order_id, m.version, p_at, m.told
    FROM unnest(p_moves) m WHERE m.told IS NOT NULL;

    -- its readers see a change; "paid" takes every order to SUCCESS, or the one
    -- that it is about; the payment id is the one that has moved its orders
    UPDATE checkout c
    SET version = c.version + 1,
        is_payment_done = c.is_payment_done OR x.done,
        reference = coalesce(x.reference, c.reference)
    FROM (SELECT m.checkout_part, m.checkout,
              bool_or(m.news = 'paid' AND m.final IS NOT NULL) AS done,
              max(m.reference) AS reference
          FROM unnest(p_moves) m WHERE m.is_shown
          GROUP BY m.checkout_part, m.checkout) x
    WHERE c.ctid = x.checkout AND c.tableoid = x.checkout_part;
    GET DIAGNOSTICS v_checkouts = ROW_COUNT;

    IF v_orders <> cardinality(p_moves) OR v_checkouts <> p_shown THEN
        RAISE EXCEPTION '% of % orders and % of % checkouts were written',
            v_orders, cardinality(p_moves), v_checkouts, p_shown
            USING ERRCODE = 'PAY23';
    END IF;

    RETURN v_orders;
END
$$;
COMMENT ON FUNCTION pay.write_moves IS
    'Writes the result of judge_facts(): orders, events, outbox, checkouts; '
    'returns the number of events';


-- A poll that says the same wrong thing again is no news; each webhook is.
CREATE OR REPLACE FUNCTION pay.is_new_mismatch(p_fact fact)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN p_fact.actor = 'webhook' OR NOT EXISTS (
        SELECT FROM mismatch m
        WHERE m.merchant_id = p_fact.merchant_id
            AND m.checkout_id = p_fact.checkout_id
            AND m.source = p_fact.actor
            AND m.kind IN ('amount', 'currency')
            AND m.amount_minor IS NOT DISTINCT FROM p_fact.amount_minor
            AND m.currency IS NOT DISTINCT FROM p_fact.currency);
END
$$;
COMMENT ON FUNCTION pay.is_new_mismatch IS
    'Whether operators should learn of this mismatch';


CREATE OR REPLACE FUNCTION pay.keep_mismatches(p_facts fact[], p_told int[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH kept AS (
        INSERT INTO mismatch AS m (merchant_id, checkout_id, kind, source, psp,
            event_id, token, amount_minor, currency, own_token, total_minor,
            own_currency, request_id, object, why)
        SELECT c.merchant_id, c.checkout_id,
            CASE WHEN f.detail ? 'about' THEN f.detail ->> 'about'
                 WHEN f.kind <> 'mismatch' THEN 'contradiction'
                 WHEN f.currency <> c.currency THEN 'currency'
                 ELSE 'amount' END,
            f.actor, f.psp, f.event_id, f.token, f.amount_minor, f.currency,
            c.token, c.total_minor, c.currency, f.request_id,
            coalesce(f.detail ->> 'object',
                     CASE WHEN f.kind = 'paid' AND c.capture = 'automatic'
                          THEN f.reference END),
            f.detail ->> 'why'
        FROM unnest(p_facts) f
        JOIN checkout c ON c.merchant_id = f.merchant_id
            AND c.checkout_id = f.checkout_id
        WHERE f.kind = 'mismatch' OR f.item = ANY (p_told)
        ORDER BY f.item
        RETURNING m.merchant_id, m.checkout_id, m.mismatch_id, m.why
    )
    INSERT INTO mismatch_settlement (merchant_id, checkout_id, mismatch_id,
        who, why)
    SELECT k.merchant_id, k.checkout_id, k.mismatch_id, 'gateway',
        'split over the orders in proportion to their amounts'
    FROM kept k WHERE k.why = 'split';
END
$$;
COMMENT ON FUNCTION pay.keep_mismatches IS
    'Queues for operators the PSP events that contradict the stored order';


-- Stores the PSP's payment id where none is known yet and no order has moved:
-- an event that moves an order brings its own, see write_moves().  Changes may
-- be waiting for the id.
CREATE OR REPLACE FUNCTION pay.keep_references(
    p_facts fact[], p_moved int[], p_against int[])
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_merchants text[];
    v_checkouts text[];
BEGIN
    WITH named AS (
        UPDATE checkout c
        SET reference = x.reference
        FROM (SELECT DISTINCT ON (f.merchant_id, f.checkout_id)
                  f.merchant_id, f.checkout_id, f.reference
              FROM unnest(p_facts) f
              WHERE f.reference IS NOT NULL
                  AND f.kind NOT IN ('mismatch', 'notified')
                  AND f.item <> ALL (p_moved)
                  AND (f.item <> ALL (p_against)
                       OR f.kind = 'authorized')
              ORDER BY f.merchant_id, f.checkout_id, f.turn DESC) x
        CROSS JOIN LATERAL (
            SELECT k.tableoid AS part, k.ctid AS tid FROM checkout k
            WHERE k.merchant_id = x.merchant_id
                AND k.checkout_id = x.checkout_id AND k.reference IS NULL
            OFFSET 0) k
        WHERE c.ctid = k.tid AND c.tableoid = k.part
        RETURNING c.merchant_id, c.checkout_id
    )
    SELECT array_agg(n.merchant_id::text), array_agg(n.checkout_id::text)
    INTO v_merchants, v_checkouts
    FROM named n;

    IF v_checkouts IS NULL THEN
        RETURN 0;
    END IF;

    UPDATE job j
    SET run_at = least(j.run_at, now()),
        again_at = CASE WHEN j.lease_owner IS NOT NULL THEN now() END
    FROM unnest(v_merchants, v_checkouts) AS n (merchant_id, checkout_id)
    CROSS JOIN LATERAL (
        SELECT k.tableoid AS part, k.ctid AS tid FROM job k
        WHERE k.merchant_id = n.merchant_id
            AND k.checkout_id = n.checkout_id
            AND k.kind IN ('change', 'refund')
        OFFSET 0) k
    WHERE j.ctid = k.tid AND j.tableoid = k.part;

    RETURN cardinality(v_checkouts);
END
$$;
COMMENT ON FUNCTION pay.keep_references IS
    'Keeps the PSP''s first payment id where nothing has moved; of how many '
    'checkouts';


CREATE OR REPLACE FUNCTION pay.with_outcome(p_fact fact, p_outcome text)
RETURNS fact LANGUAGE sql IMMUTABLE AS $$
SELECT ROW((p_fact).item, (p_fact).turn, (p_fact).merchant_id,
    (p_fact).checkout_id, (p_fact).kind, (p_fact).actor, (p_fact).psp,
    (p_fact).event_id, (p_fact).type, (p_fact).code, (p_fact).token,
    (p_fact).reference, (p_fact).amount_minor, (p_fact).currency,
    (p_fact).request_id, (p_fact).detail, p_outcome, (p_fact).order_id,
    (p_fact).postings)::fact
$$;
COMMENT ON FUNCTION pay.with_outcome IS 'The fact with its outcome';


-- Makes the jobs of checkouts query the PSP at once for the state that webhooks
-- and hints point at, unless the checkout is paid already, in time or late.  A
-- hint proves nothing about its sender: it may cause a query every 5 s, and
-- another hint in between waits for the next such moment.  A query that is
-- under way at this moment may get an answer that is too old, so again_at stays
-- until the job is claimed afresh.
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
                AND (o.status = 'EXECUTING'
                     OR o.status = 'FAILED' AND NOT EXISTS (
                         SELECT FROM late_success l
                         WHERE l.merchant_id = f.merchant_id
                             AND l.checkout_id = f.checkout_id))
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
    ON CONFLICT (merchant_id, checkout_id, kind, operation_id) DO UPDATE
    SET run_at = least(j.run_at, EXCLUDED.run_at),
        again_at = least(j.again_at, EXCLUDED.again_at)
    WHERE j.again_at IS NULL OR j.again_at > EXCLUDED.again_at;
END
$$;
COMMENT ON FUNCTION pay.poll_soon IS
    'Pulls the polls forward that webhooks and hints ask for';


-- Several facts about one checkout take turns in the sequence of their items.
-- p_is_plain: each fact has turn 1, is about another checkout and no mismatch.
-- facts: with their turns; their outcomes are NULL, with_outcomes() sets them.
-- postings: the entries to be booked by post(), once in each call, last.
CREATE OR REPLACE FUNCTION pay.take_facts(
    p_facts fact[], p_is_plain boolean DEFAULT false,
    OUT facts fact[], OUT postings posting[],
    OUT moved int[], OUT late int[], OUT against int[])
LANGUAGE plpgsql AS $$
DECLARE
    v_turns   bigint := 1;
    v_wrong   boolean := false;
    v_step    record;
    v_told    int[];
    v_by_hand boolean := false;
    v_has     text[];
    v_written int;
    v_ended   int;
    v_named   int;
BEGIN
    facts := p_facts;

    IF NOT p_is_plain THEN
        SELECT coalesce(array_agg(ROW(f.item, f.nth, f.merchant_id,
                f.checkout_id, f.kind, f.actor, f.psp, f.event_id, f.type,
                f.code, f.token, f.reference, f.amount_minor, f.currency,
                f.request_id, f.detail, NULL, f.order_id, f.postings)::fact),
                '{}'), coalesce(max(f.nth), 0), bool_or(f.kind = 'mismatch')
        INTO facts, v_turns, v_wrong
        FROM (SELECT u.*, row_number() OVER (
                  PARTITION BY u.merchant_id, u.checkout_id ORDER BY u.item)
                  AS nth
              FROM unnest(p_facts) u) f;
    END IF;

    p_facts := facts;
    IF v_wrong THEN
        p_facts := ARRAY(
            SELECT f FROM unnest(p_facts) f
            WHERE f.kind <> 'mismatch' OR is_new_mismatch(f));
    END IF;

    FOR v_turn IN 1 .. v_turns LOOP
        v_step := judge_facts(p_facts, v_turn);

        IF v_step.moves IS NOT NULL THEN
            v_written := write_moves(v_step.moves, v_step.shown, v_step.at);
        END IF;

        IF 'late_money' = ANY (v_step.has) THEN
            PERFORM unsettle_reviews(v_step.moves);
        END IF;

        IF v_step.rests THEN
            v_ended := end_jobs(v_step.moves, v_step.ours,
                                'letter' = ANY (v_step.has));
        END IF;

        moved := moved || v_step.moved;
        late := late || v_step.late;
        against := against || v_step.against;
        v_told := v_told || v_step.told;
        postings := postings || v_step.booked;
        v_by_hand := v_by_hand OR v_step.by_hand;
        v_has := v_has || v_step.has;
    END LOOP;

    IF v_wrong OR v_told IS NOT NULL THEN
        PERFORM keep_mismatches(p_facts, v_told);
    END IF;

    IF 'reference' = ANY (v_has) THEN
        v_named := keep_references(p_facts, coalesce(moved, '{}'),
                                   coalesce(against, '{}'));
    END IF;

    IF late IS NOT NULL THEN
        PERFORM keep_late(p_facts, late);
    END IF;

    IF 'question' = ANY (v_has) THEN
        PERFORM poll_soon(p_facts);
    END IF;

    IF v_by_hand OR 'failure' = ANY (v_has) THEN
        PERFORM end_changes(p_facts);
    END IF;

    IF late IS NOT NULL OR 'late_refund' = ANY (v_has) THEN
        postings := postings || late_postings(p_facts, late);
    END IF;

    IF 'posting' = ANY (v_has) THEN
        postings := postings || ARRAY(
            SELECT p FROM unnest(p_facts) f
            CROSS JOIN LATERAL unnest(f.postings) p
            ORDER BY f.item);
    END IF;

    IF 'early_news' = ANY (v_has) THEN
        postings := postings || take_early(p_facts);
    END IF;

    IF v_told IS NOT NULL THEN
        PERFORM void_late(p_facts, v_told);
    END IF;
END
$$;
COMMENT ON FUNCTION pay.take_facts IS
    'Takes facts about locked checkouts into account, in turn order; the facts '
    'that it returns have no outcomes';


-- The outcomes of facts that take_facts() has taken.
CREATE OR REPLACE FUNCTION pay.with_outcomes(
    p_facts fact[], p_moved int[], p_late int[], p_against int[])
RETURNS fact[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT with_outcome(f, CASE
            WHEN f.kind = 'mismatch' THEN 'mismatch'
            WHEN f.kind = 'notified' THEN 'asked'
            WHEN f.item = ANY (p_moved) THEN 'applied'
            WHEN f.item = ANY (p_late) THEN 'held'
            WHEN f.item = ANY (p_against) THEN 'contradiction'
            ELSE 'unchanged' END)
        FROM unnest(p_facts) f);
END
$$;
COMMENT ON FUNCTION pay.with_outcomes IS 'Facts with their outcomes';


-- Returns the facts as take_facts() does: their outcomes are NULL.
CREATE OR REPLACE FUNCTION pay.record_facts(p_facts fact[])
RETURNS fact[] LANGUAGE plpgsql AS $$
DECLARE
    v_taken record := take_facts(p_facts);
BEGIN
    PERFORM post(v_taken.postings);

    RETURN v_taken.facts;
END
$$;
COMMENT ON FUNCTION pay.record_facts IS
    'Takes facts about locked checkouts into account, and books them; the '
    'facts that it returns have no outcomes';
