-- The one place where an order's status moves and its timeline grows.  The
-- caller holds the locks (lock_checkouts) and has told mismatches apart
-- (fact_kind).  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- What a fact is to an order whose money is captured by hand, or would have
-- to be; NULL: the same as to any other.  The end of a checkout's life is not
-- that of an authorisation.  A PSP that says "paid" says that all is captured;
-- when what was authorised ends after a capture, the rest is released.
CREATE OR REPLACE FUNCTION pay.manual_kind(
    p_kind text, p_actor text, p_order_id text, p_capture text,
    p_order payment_order)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN p_kind = 'authorized' AND p_capture = 'automatic' THEN 'pending'
    WHEN p_kind = 'expired' AND p_actor = 'gateway'
        AND (p_order).authorized_minor > 0 THEN 'none'
    WHEN p_capture = 'automatic' OR (p_order).status <> 'SUCCESS' THEN NULL
    WHEN p_kind = 'paid' AND p_capture = 'manual' AND p_order_id IS NULL
        AND (p_order).captured_minor < (p_order).amount_minor
        THEN CASE WHEN (p_order).authorized_minor > 0 THEN 'captured'
                  ELSE 'contradiction' END
    WHEN p_kind IN ('expired', 'cancelled') AND p_capture = 'manual'
        THEN CASE WHEN (p_order).authorized_minor > 0 THEN 'released'
                  ELSE 'none' END
END
$$;
COMMENT ON FUNCTION pay.manual_kind IS
    'What a fact is to an order whose money is captured by hand';


CREATE OR REPLACE FUNCTION pay.is_money(p_news text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT p_news IN ('capture_requested', 'captured', 'capture_failed',
    'capture_matched', 'capture_parted', 'released', 'replaced', 'cancel_requested', 'cancel_failed', 'refund_requested',
    'refund_sent', 'refunded', 'refund_failed', 'refund_returned',
    'dispute_opened', 'dispute_won', 'dispute_lost', 'dispute_moved', 'fee')
$$;
COMMENT ON FUNCTION pay.is_money IS
    'Whether this is always an event: something about the money of an order';


-- Of locked checkouts, where one order is being sold at this moment.
CREATE OR REPLACE FUNCTION pay.all_sold(
    p_merchant_id text, p_checkout_id text, p_order_id text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN NOT EXISTS (
        SELECT FROM payment_order o
        WHERE o.merchant_id = p_merchant_id
            AND o.checkout_id = p_checkout_id
            AND o.payment_order_id <> p_order_id AND o.status <> 'SUCCESS');
END
$$;
COMMENT ON FUNCTION pay.all_sold IS
    'Whether all other orders of a checkout are SUCCESS';


-- A page that its merchant wants to be closed has not run out by itself,
-- whoever tells first that it is closed: nobody waits for its money any more.
CREATE OR REPLACE FUNCTION pay.is_closing(
    p_merchant_id text, p_checkout_id text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM change c
        WHERE c.merchant_id = p_merchant_id
            AND c.checkout_id = p_checkout_id AND c.kind = 'cancel'
            AND c.status IN ('NOT_STARTED', 'EXECUTING'));
END
$$;
COMMENT ON FUNCTION pay.is_closing IS
    'Whether a cancellation of a checkout is on its way';


-- What storefronts hear of, beside a payment that succeeds or fails.
CREATE OR REPLACE FUNCTION pay.outbox_kind(p_news text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE p_news WHEN 'authorized' THEN 'payment.authorized'
                   WHEN 'captured' THEN 'capture.succeeded'
                   WHEN 'capture_matched' THEN 'capture.succeeded'
                   WHEN 'capture_failed' THEN 'capture.failed'
                   WHEN 'cancel_failed' THEN 'cancel.failed'
                   WHEN 'refunded' THEN 'refund.succeeded'
                   WHEN 'refund_failed' THEN 'refund.failed'
                   WHEN 'refund_returned' THEN 'refund.returned'
                   WHEN 'dispute_opened' THEN 'dispute.opened'
                   WHEN 'dispute_won' THEN 'dispute.won'
                   WHEN 'dispute_lost' THEN 'dispute.lost' END
$$;
COMMENT ON FUNCTION pay.outbox_kind IS
    'As what an event is told that moves no status; NULL: it is not told';


-- What has come to rest has no job any more, and no open letter about one: as
-- settle_dead_letters() does; what is not known of an operation stays so,
-- whatever became of the payment.  A job that has been asked for outlives a
-- failure: what failed was heard before.  Where only we say that its time is
-- over, whoever has asked the PSP asks once more in the end (last_look).
CREATE OR REPLACE FUNCTION pay.end_jobs(p_moves move[])
RETURNS void LANGUAGE plpgsql AS $$
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
             OR j.again_at IS NULL
                AND NOT (m.is_ours AND j.kind = 'poll'));

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
END
$$;
COMMENT ON FUNCTION pay.end_jobs IS
    'Ends the jobs of checkouts that have come to rest';


-- The last declined attempt as the order shows it, with the number of them.  A
-- failure that comes without a code says no more than an attempt before it.
CREATE OR REPLACE FUNCTION pay.next_decline(
    p_old jsonb, p_detail jsonb, p_at timestamptz)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT CASE
    WHEN p_old IS NOT NULL AND p_detail ->> 'decline' = 'unknown'
        AND NOT p_detail ? 'attempt' THEN p_old
    ELSE jsonb_strip_nulls(jsonb_build_object(
        'code', p_detail -> 'decline', 'can_retry', p_detail -> 'can_retry',
        'psp_code', p_detail -> 'code', 'at', iso_time(p_at),
        'attempt', p_detail -> 'attempt',
        'attempts', coalesce((p_old ->> 'attempts')::int, 0)
            + CASE WHEN p_old ->> 'attempt' = p_detail ->> 'attempt'
                   THEN 0 ELSE 1 END)) END
$$;
COMMENT ON FUNCTION pay.next_decline IS
    'What an order shows of a declined attempt';


-- One turn: at most one fact about each checkout.  What is news depends on
-- where an order stands in its turn (news_kind).  Writes an event for each
-- order that moves, and for kinds that are news by themselves; a first
-- pending about an executing order is news, too, as are a declined attempt, a
-- first late success, and a webhook for which the PSP is asked or that
-- contradicts what we have, as one does that says of an order that has failed
-- that its money is held now.
-- Returns the items that moved a status, those that were a late success or a
-- contradiction, and the contradictions that were news.  A row's address
-- (ctid, and tableoid where there are hash partitions) stands for its key
-- between two looks at it: nobody else changes what belongs to a locked
-- checkout.  booked: what it means to the books where
-- money is captured by hand.  An order's head is the hash of the event that
-- is written with it.
CREATE OR REPLACE FUNCTION pay.move_orders(
    p_facts fact[], p_turn int, OUT moved int[], OUT late int[],
    OUT against int[], OUT told int[], OUT booked posting[])
LANGUAGE plpgsql AS $$
DECLARE
    v_now   timestamptz := clock_timestamp();
    v_at    text := iso_micros(v_now);
    v_tx    bigint := this_tx();
    v_moves move[];
    v_rest  boolean;
    v_books boolean;
BEGIN
    WITH step AS (
        SELECT f.item, f.merchant_id, f.checkout_id, f.order_id, f.kind,
            f.actor, f.request_id, o.part, o.tid, o.payment_order_id,
            o.status AS old_status, o.version + 1 AS version, o.was,
            greatest(o.head_tx, v_tx) AS tx, encode(o.head, 'hex') AS head,
            (o.version + 1)::text AS version_text,
            greatest(o.head_tx, v_tx)::text AS tx_text,
            d.about::text AS about_text,
            p.capture, k.news, d.takes_all, d.about, d.new_status,
            d.new_status <> o.status OR k.news IN ('authorized', 'released')
                OR d.takes_all AS changes,
            CASE WHEN d.new_status <> 'FAILED' THEN NULL
                 WHEN o.status = 'FAILED' THEN o.reason
                 WHEN k.news = 'refused' THEN 'rejected'
                 ELSE k.news END AS new_reason
        FROM unnest(p_facts) f
        CROSS JOIN LATERAL (
            SELECT o.tableoid AS part, o.ctid AS tid, o.payment_order_id,
                o.status, o.reason, o.version, o.head, o.head_tx, o AS was
            FROM payment_order o
            WHERE o.merchant_id = f.merchant_id
                AND o.checkout_id = f.checkout_id
                AND coalesce(f.order_id, o.payment_order_id)
                    = o.payment_order_id
            OFFSET 0) o
        LEFT JOIN LATERAL (
            SELECT c.capture,
                CASE WHEN f.kind = 'paid' AND f.actor <> 'operator'
                         AND o.status = 'FAILED'
                         AND (o.reason = 'expired'
                              OR c.replaced_by IS NOT NULL)
                         AND c.capture = 'automatic'
                     THEN nullif(c.late_success, 'accept') END AS policy
            FROM checkout c
            WHERE c.merchant_id = f.merchant_id
                AND c.checkout_id = f.checkout_id
            OFFSET 0) p ON f.kind IN ('paid', 'authorized')
                OR o.status = 'SUCCESS' AND f.kind IN ('expired', 'cancelled')
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN f.kind = 'authorized' AND o.status = 'FAILED'
                    AND p.capture = 'manual' AND NOT is_booked(f.merchant_id,
                        'order/' || o.payment_order_id, 'authorized')
                    THEN 'contradiction'
                WHEN f.kind IN ('cancelled', 'expired')
                    AND f.actor IN ('webhook', 'query')
                    AND o.status = 'FAILED' AND is_held_late(o.was)
                    THEN 'released'
                ELSE coalesce(manual_kind(f.kind, f.actor, f.order_id,
                                          p.capture, o.was),
                    CASE WHEN f.kind = 'expired'
                             AND o.status IN ('NOT_STARTED', 'EXECUTING')
                             AND is_closing(f.merchant_id, f.checkout_id)
                         THEN 'cancelled' END,
                    news_kind(f.kind, f.actor, o.status, p.policy))
                END AS news
            OFFSET 0) k
        CROSS JOIN LATERAL (
            SELECT t.takes_all, next_status(o.status, k.news) AS new_status,
                jsonb_strip_nulls(jsonb_build_object('type', f.type,
                'code', f.code, 'reference', f.reference,
                'policy', p.policy,
                'captured_minor', CASE WHEN t.takes_all
                                           AND p.capture = 'manual'
                                       THEN (o.was).amount_minor END,
                'said', CASE WHEN k.news = 'contradiction' THEN f.kind END,
                'amount_minor', CASE WHEN k.news IN (
                    'mismatch', 'contradiction') THEN f.amount_minor END,
                'currency', CASE WHEN k.news IN (
                    'mismatch', 'contradiction') THEN f.currency END))
                || coalesce(f.detail, '{}') AS about
            FROM (SELECT f.kind = 'paid' AND f.order_id IS NULL
                      AND k.news IN ('paid', 'captured') AS takes_all) t
            OFFSET 0) d
        WHERE f.turn = p_turn
    ), moved AS (
        UPDATE payment_order o
        SET status = s.new_status, reason = s.new_reason,
            version = s.version,
            captured_minor = CASE WHEN s.takes_all THEN o.amount_minor
                                  ELSE o.captured_minor END,
            authorized_minor = CASE
                WHEN s.news = 'authorized'
                    THEN o.amount_minor - o.captured_minor
                WHEN s.takes_all OR s.news = 'released'
                    OR s.new_status = 'FAILED' THEN 0
                ELSE o.authorized_minor END,
            decline = CASE WHEN s.new_status <> 'SUCCESS'
                               AND s.about ? 'decline'
                           THEN next_decline(o.decline, s.about, v_now)
                           ELSE o.decline END,
            head = chained_hash(s.head, s.merchant_id, s.payment_order_id,
                s.version_text, v_at, s.tx_text, s.news, s.actor,
                s.old_status, s.new_status, s.new_reason, s.about_text,
                s.request_id),
            head_tx = s.tx
        FROM step s
        WHERE o.ctid = s.tid AND o.tableoid = s.part
            AND (s.new_status <> s.old_status
                 OR s.news IN ('registered', 'registration_unknown',
                               'registration_not_sent', 'rerouted',
                               'mismatch', 'late_refunded',
                               'dead_letter_requeued',
                               'dead_letter_resolved', 'mismatch_settled')
                 OR is_money(s.news)
                 OR s.news = 'attempt_declined'
                    AND attempt_is_news(s.was, s.about ->> 'attempt')
                 OR s.news = 'authorized' AND s.old_status = 'EXECUTING'
                    AND (s.was).authorized_minor = 0
                 OR s.news = 'notified' AND s.actor = 'webhook'
                    AND s.old_status <> 'SUCCESS'
                 OR s.news = 'contradiction' AND s.actor = 'webhook'
                 OR (s.news = 'pending' AND s.old_status = 'EXECUTING'
                     OR s.news IN ('late_success', 'contradiction'))
                    AND NOT is_told(s.merchant_id, s.checkout_id,
                        s.payment_order_id, s.news,
                        CASE WHEN s.news = 'contradiction'
                             THEN s.actor END))
        RETURNING s.item, s.merchant_id, s.checkout_id, s.payment_order_id,
            s.version, s.tx, s.news, s.actor, s.old_status, s.new_status,
            s.new_reason, s.about, s.request_id, s.changes, o.head,
            CASE WHEN s.changes AND (s.new_status = 'FAILED'
                     OR s.new_status = 'SUCCESS' AND (s.order_id IS NULL
                         OR all_sold(s.merchant_id, s.checkout_id,
                                     s.order_id)))
                 THEN s.new_status END AS final,
            CASE WHEN s.news = 'authorized'
                     OR (s.was).authorized_minor > 0
                     OR s.takes_all AND s.capture = 'manual'
                 THEN manual_postings(s.was, o, s.news, s.request_id)
                 END AS booked
    ), logged AS (
        INSERT INTO event (merchant_id, payment_order_id, seq, at, tx, kind,
            actor, old_status, new_status, reason, detail, request_id, hash)
        SELECT m.merchant_id, m.payment_order_id, m.version, v_now, m.tx,
            m.news, m.actor, m.old_status, m.new_status, m.new_reason,
            m.about, m.request_id, m.head
        FROM moved m
    ), told AS (
        INSERT INTO outbox (merchant_id, payment_order_id, seq, at, kind)
        SELECT m.merchant_id, m.payment_order_id, m.version, v_now,
            CASE WHEN m.new_status = m.old_status THEN outbox_kind(m.news)
                 WHEN m.new_status = 'SUCCESS' THEN 'payment.succeeded'
                 ELSE 'payment.failed' END
        FROM moved m
        WHERE CASE WHEN m.new_status = m.old_status
                   THEN outbox_kind(m.news) IS NOT NULL
                   ELSE m.new_status IN ('SUCCESS', 'FAILED') END
    ), counted AS (
        -- what its readers see has changed: a status, money, or the address
        -- that "registered" brings; "paid" takes every order to SUCCESS, or
        -- the one that it is about
        UPDATE checkout c
        SET version = c.version + 1,
            is_payment_done = c.is_payment_done OR x.done
        FROM (SELECT m.merchant_id, m.checkout_id,
                  bool_or(m.news = 'paid' AND m.final IS NOT NULL) AS done
              FROM moved m
              WHERE m.new_status <> m.old_status
                  OR m.news IN ('registered', 'authorized',
                                'attempt_declined')
                  OR is_money(m.news)
              GROUP BY m.merchant_id, m.checkout_id) x
        CROSS JOIN LATERAL (
            SELECT k.tableoid AS part, k.ctid AS tid FROM checkout k
            WHERE k.merchant_id = x.merchant_id
                AND k.checkout_id = x.checkout_id
            OFFSET 0) k
        WHERE c.ctid = k.tid AND c.tableoid = k.part
    )
    SELECT m.moved, s.late, s.against, m.told, m.moves, m.rest, m.books
    INTO moved, late, against, told, v_moves, v_rest, v_books
    FROM (SELECT array_agg(s.item) FILTER (WHERE s.news = 'late_success')
                  AS late,
              array_agg(s.item) FILTER (WHERE s.news = 'contradiction')
                  AS against
          FROM step s) s
    CROSS JOIN (
        SELECT array_agg(DISTINCT m.item) FILTER (WHERE m.changes) AS moved,
            array_agg(m.item) FILTER (WHERE m.news = 'contradiction')
                AS told,
            array_agg(ROW(m.merchant_id, m.checkout_id, m.final, m.booked,
                          m.actor = 'gateway'
                              AND m.new_reason = 'expired')::move) AS moves,
            bool_or(m.final IS NOT NULL) AS rest,
            bool_or(m.booked IS NOT NULL) AS books
        FROM moved m) m;

    IF v_rest THEN
        PERFORM end_jobs(v_moves);
    END IF;

    IF v_books THEN
        booked := ARRAY(SELECT p FROM unnest(v_moves) m
                        CROSS JOIN LATERAL unnest(m.booked) p);
    END IF;
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
            AND m.kind IN ('amount', 'currency')
            AND m.amount_minor IS NOT DISTINCT FROM p_fact.amount_minor
            AND m.currency IS NOT DISTINCT FROM p_fact.currency);
END
$$;
COMMENT ON FUNCTION pay.is_new_mismatch IS
    'Whether people should hear of this mismatch';


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
            r.token, c.total_minor, c.currency, f.request_id,
            f.detail ->> 'object', f.detail ->> 'why'
        FROM unnest(p_facts) f
        JOIN checkout c ON c.merchant_id = f.merchant_id
            AND c.checkout_id = f.checkout_id
        JOIN registration r ON r.merchant_id = f.merchant_id
            AND r.checkout_id = f.checkout_id
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
    'Queues for people what a PSP said and was not believed';


-- Changes may be waiting for it: not where this fact has brought the money, as
-- nothing can follow that yet.
CREATE OR REPLACE FUNCTION pay.keep_references(
    p_facts fact[], p_moved int[], p_against int[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_merchants text[];
    v_checkouts text[];
BEGIN
    WITH named AS (
        UPDATE registration r
        SET reference = x.reference
        FROM (SELECT DISTINCT ON (f.merchant_id, f.checkout_id) f.*
              FROM unnest(p_facts) f
              WHERE f.reference IS NOT NULL
                  AND f.kind NOT IN ('mismatch', 'notified')
                  AND (f.item <> ALL (p_against)
                       OR f.kind = 'authorized')
              ORDER BY f.merchant_id, f.checkout_id,
                  f.item = ANY (p_moved) DESC, f.turn DESC) x
        WHERE r.merchant_id = x.merchant_id
            AND r.checkout_id = x.checkout_id
            AND (r.reference IS NULL OR x.item = ANY (p_moved))
        RETURNING r.merchant_id, r.checkout_id,
            x.item = ANY (p_moved) AS is_first
    )
    SELECT array_agg(n.merchant_id::text), array_agg(n.checkout_id::text)
    INTO v_merchants, v_checkouts
    FROM named n WHERE NOT n.is_first;

    IF v_checkouts IS NULL THEN
        RETURN;
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
END
$$;
COMMENT ON FUNCTION pay.keep_references IS
    'Keeps the PSP''s payment id, the one that moved the order if any did';


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


-- Has the PSP asked at once about what webhooks and hints point at, unless
-- it is paid already, in time or late.  Nobody vouches for a hint: it may have the PSP asked
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


-- Several facts about one checkout take their turns in the order of items.
-- postings: what is to be booked, by post(), once in each call, last.
CREATE OR REPLACE FUNCTION pay.take_facts(
    p_facts fact[], OUT facts fact[], OUT postings posting[])
LANGUAGE plpgsql AS $$
DECLARE
    v_facts   fact[];
    v_last    int;
    v_step    record;
    v_moved   int[] := '{}';
    v_late    int[] := '{}';
    v_against int[] := '{}';
    v_told    int[] := '{}';
    v_booked  posting[] := '{}';
    v_wrong   boolean;
    v_named   boolean;
    v_asked   boolean;
    v_failed  boolean;
    v_final   boolean;
BEGIN
    SELECT coalesce(array_agg(ROW(f.item, f.nth, f.merchant_id,
            f.checkout_id, f.kind, f.actor, f.psp, f.event_id, f.type,
            f.code, f.token, f.reference, f.amount_minor, f.currency,
            f.request_id, f.detail, NULL, f.order_id, f.postings)::fact),
            '{}'),
        max(f.nth), bool_or(f.kind = 'mismatch'),
        bool_or(f.reference IS NOT NULL), bool_or(f.kind = 'notified'),
        bool_or(f.kind IN ('cancelled', 'expired', 'declined', 'rejected',
                           'refused')),
        bool_or(f.kind IN ('paid', 'captured', 'capture_failed'))
    INTO p_facts, v_last, v_wrong, v_named, v_asked, v_failed, v_final
    FROM (SELECT u.*, row_number() OVER (
              PARTITION BY u.merchant_id, u.checkout_id ORDER BY u.item) AS nth
          FROM unnest(p_facts) u) f;
    v_final := v_final OR v_failed;

    v_facts := p_facts;
    IF v_wrong THEN
        v_facts := ARRAY(
            SELECT f FROM unnest(p_facts) f
            WHERE f.kind <> 'mismatch' OR is_new_mismatch(f));
    END IF;

    FOR v_turn IN 1 .. coalesce(v_last, 0) LOOP
        v_step := move_orders(v_facts, v_turn);
        v_moved := v_moved || v_step.moved;
        v_late := v_late || v_step.late;
        v_against := v_against || v_step.against;
        v_told := v_told || v_step.told;
        v_booked := v_booked || v_step.booked;
    END LOOP;

    IF v_wrong OR v_told <> '{}' THEN
        PERFORM keep_mismatches(v_facts, v_told);
    END IF;

    IF v_named THEN
        PERFORM keep_references(v_facts, v_moved, v_against);
    END IF;

    IF v_late <> '{}' THEN
        PERFORM keep_late(v_facts, v_late);
    END IF;

    IF v_asked THEN
        PERFORM poll_soon(v_facts);
    END IF;

    IF v_booked <> '{}' OR v_failed THEN
        PERFORM end_changes(v_facts);
    END IF;

    postings := book_facts(v_facts, v_moved, v_late, v_booked);
    IF v_final THEN
        postings := postings || take_early(v_facts);
    END IF;

    IF v_told <> '{}' THEN
        PERFORM void_late(v_facts, v_told);
    END IF;

    facts := ARRAY(
        SELECT with_outcome(f, CASE
            WHEN f.kind = 'mismatch' THEN 'mismatch'
            WHEN f.kind = 'notified' THEN 'asked'
            WHEN f.item = ANY (v_moved) THEN 'applied'
            WHEN f.item = ANY (v_late) THEN 'held'
            WHEN f.item = ANY (v_against) THEN 'contradiction'
            ELSE 'unchanged' END)
        FROM unnest(p_facts) f);
END
$$;
COMMENT ON FUNCTION pay.take_facts IS
    'Takes facts about locked checkouts into account, in turn order';


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
    'Takes facts about locked checkouts into account, and books them';
