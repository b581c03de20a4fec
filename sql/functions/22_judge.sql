-- The effects of facts on orders, by the rows of pay.transition and
-- pay.news_kind: the state machine.  The caller holds the locks
-- (lock_checkouts) and has sorted out mismatches (fact_kind).  Nothing is
-- written here but rates that have run out; 20_fact.sql writes the rest.
-- Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The locked checkouts with an order that is being sold at this moment.
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


-- A page that its merchant wants closed has not expired by itself, whichever
-- source first reports its end: its money is not expected any more.
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


-- An order can be paid twice, where a PSP takes two payments on one page.  A
-- payment that was proved without an id has the first one that is named.  A
-- settlement file may name a payment otherwise than the PSP's events do.  The
-- capture of the first payment may have failed: then another one may be the only
-- money.
CREATE OR REPLACE FUNCTION pay.is_second_payment(
    p_order payment_order, p_reference text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_since timestamptz := events_since((p_order).merchant_id,
                                        (p_order).checkout_id);
BEGIN
    RETURN (
        SELECT bool_and(NOT x.by_file AND x.reference <> p_reference)
        FROM (
            SELECT coalesce(e.detail ->> 'reference', c.reference)
                AS reference,
                coalesce(e.detail ->> 'via' = 'settlement', false) AS by_file
            FROM event e
            JOIN checkout c ON c.merchant_id = (p_order).merchant_id
                AND c.checkout_id = (p_order).checkout_id
            WHERE e.merchant_id = (p_order).merchant_id
                AND e.payment_order_id = (p_order).payment_order_id
                AND e.at >= v_since AND e.kind IN ('paid', 'late_success')
            UNION ALL
            SELECT l.reference, false
            FROM late_success l
            WHERE l.merchant_id = (p_order).merchant_id
                AND l.checkout_id = (p_order).checkout_id) x)
        AND NOT EXISTS (
            SELECT FROM mismatch m
            WHERE m.merchant_id = (p_order).merchant_id
                AND m.checkout_id = (p_order).checkout_id
                AND m.kind = 'capture' AND m.why = 'failed');
END
$$;
COMMENT ON FUNCTION pay.is_second_payment IS
    'Whether a PSP''s payment is another one than those that were proved';


-- The conditions of pay.transition beside its columns.
-- late: the payment is proved after its checkout has expired or was replaced,
-- and it is not simply a sale; a payment that is kept as late stays late,
-- although the PSP may refuse the replacement afterwards.
-- partly: all is captured at the PSP, but the ledger has only a part.
-- closing: see is_closing().
-- unbooked: no authorisation was ever booked.
-- held_late: money is held for an order that has failed.
-- again: the PSP names another payment than those that were proved before.
CREATE OR REPLACE FUNCTION pay.is_given(
    p_provided text, p_actor text, p_order_id text, p_reference text,
    p_part oid, p_tid tid, p_late_success text, p_replaced_by text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_order payment_order;
BEGIN
    SELECT o.* INTO v_order FROM payment_order o
    WHERE o.ctid = p_tid AND o.tableoid = p_part;

    RETURN CASE p_provided
        WHEN 'late' THEN p_actor <> 'operator'
            AND p_late_success <> 'accept'
            AND (v_order.reason = 'expired' OR p_replaced_by IS NOT NULL
                 OR EXISTS (
                     SELECT FROM late_success l
                     WHERE l.merchant_id = v_order.merchant_id
                         AND l.checkout_id = v_order.checkout_id))
        WHEN 'partly' THEN p_order_id IS NULL
            AND v_order.captured_minor < v_order.amount_minor
        WHEN 'closing' THEN is_closing(v_order.merchant_id,
                                       v_order.checkout_id)
        WHEN 'unbooked' THEN NOT is_booked(v_order.merchant_id,
            'order/' || v_order.payment_order_id, 'authorized')
        WHEN 'held_late' THEN is_held_late(v_order)
        WHEN 'again' THEN is_second_payment(v_order, p_reference)
    END;
END
$$;
COMMENT ON FUNCTION pay.is_given IS
    'Whether the circumstance is given that a transition asks for';


-- pay.news_kind.logged says which news that moves no status is an event.
CREATE OR REPLACE FUNCTION pay.is_event(
    p_logged text, p_news text, p_actor text, p_part oid, p_tid tid,
    p_attempt text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_order payment_order;
BEGIN
    SELECT o.* INTO v_order FROM payment_order o
    WHERE o.ctid = p_tid AND o.tableoid = p_part;

    RETURN CASE p_logged
        WHEN 'attempt' THEN attempt_is_news(v_order, p_attempt)
        WHEN 'held' THEN v_order.status = 'EXECUTING'
            AND v_order.authorized_minor = 0
        WHEN 'asked' THEN p_actor = 'webhook' AND v_order.status <> 'SUCCESS'
        WHEN 'waiting' THEN v_order.status = 'EXECUTING'
            AND NOT is_told(v_order.merchant_id, v_order.checkout_id,
                            v_order.payment_order_id, p_news, NULL)
        WHEN 'once' THEN NOT is_told(v_order.merchant_id,
            v_order.checkout_id, v_order.payment_order_id, p_news, NULL)
        WHEN 'doubted' THEN p_actor = 'webhook' OR NOT is_told(
            v_order.merchant_id, v_order.checkout_id,
            v_order.payment_order_id, p_news, p_actor)
    END;
END
$$;
COMMENT ON FUNCTION pay.is_event IS
    'Whether news that moves no status goes into the timeline';


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
    'The detail that an order shows of a declined attempt';


-- The detail of an event beyond its columns.  p_captured: the amount that
-- "paid" has taken of money that the merchant captures (capture: manual).
CREATE OR REPLACE FUNCTION pay.about_event(
    p_type text, p_code text, p_reference text, p_news text, p_kind text,
    p_policy text, p_captured bigint, p_amount bigint, p_currency text)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_strip_nulls(jsonb_build_object('type', p_type, 'code', p_code,
    'reference', p_reference, 'captured_minor', p_captured,
    'policy', CASE WHEN p_news = 'late_success' THEN p_policy END,
    'said', CASE WHEN p_news = 'contradiction' THEN p_kind END,
    'amount_minor', CASE WHEN p_news IN ('mismatch', 'contradiction')
                         THEN p_amount END,
    'currency', CASE WHEN p_news IN ('mismatch', 'contradiction')
                     THEN p_currency END))
$$;
COMMENT ON FUNCTION pay.about_event IS
    'The detail of an event beyond its columns';


-- The facts of one turn beside their orders, their checkouts, and the matching
-- rows of pay.transition and pay.news_kind.  Inlined where it is used, as
-- judged_facts() is.  said_…: the fact's own.
CREATE OR REPLACE FUNCTION pay.fact_orders(p_facts fact[], p_turn int)
RETURNS TABLE (
    item int, kind text, actor text, order_id text, merchant_id text,
    checkout_id text, reference text, type text, code text,
    said_amount bigint, said_currency text, request_id text, detail jsonb,
    brings boolean, part oid, tid tid, payment_order_id text,
    seller_account text, amount_minor bigint, currency text, status text,
    old_reason text, version int, captured_minor bigint,
    authorized_minor bigint, decline jsonb, old_head bytea, old_tx bigint,
    credit_currency text, credit_rate numeric, credit_minor bigint,
    credit_until timestamptz, checkout_part oid, checkout tid, psp text,
    capture text, late_success text, next_status text, news text,
    logged text, told text, is_shown boolean)
LANGUAGE sql STABLE AS $$
SELECT f.item, f.kind, f.actor, f.order_id, f.merchant_id, f.checkout_id,
    f.reference, f.type, f.code, f.amount_minor, f.currency, f.request_id,
    f.detail, f.postings <> '{}', o.part, o.tid, o.payment_order_id,
    o.seller_account, o.amount_minor, o.currency, o.status, o.reason,
    o.version, o.captured_minor, o.authorized_minor, o.decline, o.head,
    o.head_tx, o.credit_currency, o.credit_rate, o.credit_minor,
    o.credit_until, c.part, c.tid, c.psp, c.capture, c.late_success,
    coalesce(t.next_status, o.status), n.news, n.logged, n.told, n.is_shown
FROM unnest(p_facts) f
CROSS JOIN LATERAL (
    SELECT o.tableoid AS part, o.ctid AS tid, o.* FROM payment_order o
    WHERE o.merchant_id = f.merchant_id AND o.checkout_id = f.checkout_id
        AND coalesce(f.order_id, o.payment_order_id) = o.payment_order_id
    OFFSET 0) o
CROSS JOIN LATERAL (
    SELECT c.tableoid AS part, c.ctid AS tid, c.psp, c.capture,
        c.late_success, c.replaced_by
    FROM checkout c
    WHERE c.merchant_id = f.merchant_id AND c.checkout_id = f.checkout_id
    OFFSET 0) c
LEFT JOIN LATERAL (
    SELECT t.news, t.next_status FROM transition t
    WHERE t.kind = f.kind AND t.status = o.status
        AND CASE t.actor WHEN 'any' THEN true
                WHEN 'psp' THEN f.actor IN ('webhook', 'query')
                WHEN 'gateway' THEN f.actor = 'gateway'
                ELSE f.actor <> 'gateway' END
        AND t.capture IN ('any', c.capture)
        AND (NOT t.is_held OR o.authorized_minor > 0)
        AND (t.provided = 'always'
             OR is_given(t.provided, f.actor, f.order_id, f.reference, o.part,
                         o.tid, c.late_success, c.replaced_by))
    ORDER BY t.rank LIMIT 1) t ON true
LEFT JOIN LATERAL (
    SELECT n.* FROM news_kind n WHERE n.news = coalesce(t.news, f.kind)
    OFFSET 0) n ON true
WHERE f.turn = p_turn
$$;
COMMENT ON FUNCTION pay.fact_orders IS
    'Facts beside their orders, with the news that the state machine makes of '
    'them';


-- The effect of each fact on each order: a move, and the entry of a sale.
-- is_event: it goes into the timeline; changes: it moves the order; is_stale:
-- the quote has run out by the time of the sale.
CREATE OR REPLACE FUNCTION pay.judged_facts(
    p_facts fact[], p_turn int, p_now timestamptz, p_at text, p_tx bigint)
RETURNS TABLE (
    item int, kind text, merchant_id text, checkout_id text,
    reference text, brings boolean, news text, is_event boolean,
    changes boolean, move move, is_sale boolean, is_stale boolean,
    sale posting)
LANGUAGE sql STABLE AS $$
SELECT s.item, s.kind, s.merchant_id, s.checkout_id, s.reference, s.brings,
    s.news, s.is_event, s.changes,
    ROW(s.part, s.tid, s.checkout_part, s.checkout, s.merchant_id,
        s.checkout_id, s.payment_order_id, s.news, s.actor, s.status,
        s.next_status, s.reason, s.new_version,
        CASE WHEN s.takes_all THEN s.amount_minor ELSE s.captured_minor END,
        CASE WHEN s.news = 'authorized'
                 THEN s.amount_minor - s.captured_minor
             WHEN s.takes_all OR s.news = 'released'
                 OR s.next_status = 'FAILED' THEN 0
             ELSE s.authorized_minor END,
        CASE WHEN s.next_status <> 'SUCCESS' AND s.about ? 'decline'
             THEN next_decline(s.decline, s.about, p_now)
             ELSE s.decline END,
        s.about, s.request_id, s.tx,
        chained_hash(s.head_text, s.merchant_id, s.payment_order_id,
            s.version_text, p_at, s.tx_text, s.news, s.actor, s.status,
            s.next_status, s.reason, s.about_text, s.request_id),
        CASE WHEN NOT s.moves THEN s.told
             WHEN s.next_status = 'SUCCESS' THEN 'payment.succeeded'
             WHEN s.next_status = 'FAILED' THEN 'payment.failed' END,
        s.is_shown OR s.moves,
        CASE WHEN s.changes AND s.next_status IN ('SUCCESS', 'FAILED')
                 AND (s.next_status = 'FAILED' OR s.order_id IS NULL
                      OR all_sold(s.merchant_id, s.checkout_id, s.order_id))
             THEN s.next_status END,
        s.actor = 'gateway' AND s.reason = 'expired',
        s.news = 'authorized' OR s.authorized_minor > 0
            OR s.takes_all AND s.capture = 'manual',
        CASE WHEN s.changes THEN s.reference END)::move,
    s.is_sale, s.is_sale AND s.credit_until < now(),
    CASE WHEN s.is_sale THEN
        ROW(s.merchant_id, 'order/' || s.payment_order_id,
            CASE s.actor WHEN 'operator' THEN 'late_accepted'
                         ELSE 'sale' END,
            s.checkout_id, s.payment_order_id, s.psp, s.seller_account,
            s.amount_minor, s.currency,
            coalesce(s.credit_minor, s.amount_minor),
            coalesce(s.credit_currency, s.currency), s.credit_rate,
            s.request_id)::posting END
FROM (
    SELECT d.*, d.about::text AS about_text, e.is_event,
        e.is_event AND d.news = 'paid' AND d.capture = 'automatic' AS is_sale,
        d.moves OR d.takes_all
            OR d.news IN ('authorized', 'released') AS changes,
        CASE WHEN d.next_status <> 'FAILED' THEN NULL
             WHEN d.status = 'FAILED' THEN d.old_reason
             WHEN d.news = 'refused' THEN 'rejected'
             WHEN d.news = 'blocked' THEN 'risk'
             ELSE d.news END AS reason
    FROM (
        SELECT x.*, encode(x.old_head, 'hex') AS head_text,
            x.version + 1 AS new_version,
            (x.version + 1)::text AS version_text,
            greatest(x.old_tx, p_tx) AS tx,
            greatest(x.old_tx, p_tx)::text AS tx_text,
            x.next_status <> x.status AS moves, t.takes_all,
            about_event(x.type, x.code, x.reference, x.news, x.kind,
                x.late_success,
                CASE WHEN t.takes_all AND x.capture = 'manual'
                     THEN x.amount_minor END,
                x.said_amount, x.said_currency)
                || coalesce(x.detail, '{}') AS about
        FROM fact_orders(p_facts, p_turn) x
        CROSS JOIN LATERAL (
            SELECT x.kind = 'paid' AND x.order_id IS NULL
                AND x.news IN ('paid', 'captured') AS takes_all) t
        OFFSET 0) d
    CROSS JOIN LATERAL (
        SELECT d.moves OR d.logged = 'always' OR d.logged <> 'moved'
            AND is_event(d.logged, d.news, d.actor, d.part, d.tid,
                         d.about ->> 'attempt') AS is_event
        OFFSET 0) e
    OFFSET 0) s
OFFSET 0
$$;
COMMENT ON FUNCTION pay.judged_facts IS
    'The effects of facts on orders';


-- Orders whose quote has run out by the time of their sale are credited by the
-- rate of the day, which they keep.  An amount that was authorised keeps its
-- rate.
CREATE OR REPLACE FUNCTION pay.requote_orders(p_moves move[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payment_order o
    SET credit_rate = q.credit_rate, credit_minor = q.credit_minor
    FROM unnest(p_moves) m
    CROSS JOIN LATERAL (
        SELECT w.* FROM payment_order w
        WHERE w.ctid = m.tid AND w.tableoid = m.part
        OFFSET 0) w
    CROSS JOIN LATERAL current_credit(w.amount_minor, w.currency,
        w.credit_currency, w.credit_rate, w.credit_minor, w.credit_until) q
    WHERE o.ctid = m.tid AND o.tableoid = m.part;
END
$$;
COMMENT ON FUNCTION pay.requote_orders IS
    'Converts sales after the end of their quote by the rate of the day';


-- Entries of orders that the merchant captures (capture: manual), from their
-- rows before this turn.
CREATE OR REPLACE FUNCTION pay.hand_postings(p_moves move[])
RETURNS posting[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_move   move;
    v_was    payment_order;
    v_now    payment_order;
    v_booked posting[] := '{}';
BEGIN
    FOREACH v_move IN ARRAY p_moves LOOP
        CONTINUE WHEN NOT v_move.by_hand;

        SELECT o.* INTO v_was FROM payment_order o
        WHERE o.ctid = v_move.tid AND o.tableoid = v_move.part;
        v_now := v_was;
        v_now.captured_minor := v_move.captured_minor;
        v_now.authorized_minor := v_move.authorized_minor;
        v_booked := v_booked || manual_postings(v_was, v_now, v_move.news,
                                                v_move.request_id);
    END LOOP;

    RETURN v_booked;
END
$$;
COMMENT ON FUNCTION pay.hand_postings IS
    'Entries about the money of orders that the merchant captures';


-- One turn: at most one fact about each checkout.  A row of pay.transition
-- names the news that a fact is to an order in its status, and a row of
-- pay.news_kind has its effects.  An event is written for each order that
-- moves, and for each news that is an event by itself.  This writes nothing
-- but rates that have run out: moves is for write_moves().
-- moved: the items that move an order.
-- late, against: the items that are a late success or a contradiction.
-- told: the contradictions that are events.
-- booked: the postings.
-- shown: how many checkouts are changed to their readers.
-- rests, by_hand, ours: there are such moves.
-- has: the other kinds of rows among the facts and about their checkouts.
CREATE OR REPLACE FUNCTION pay.judge_facts(
    p_facts fact[], p_turn int, OUT at timestamptz, OUT moves move[],
    OUT moved int[], OUT late int[], OUT against int[], OUT told int[],
    OUT booked posting[], OUT shown bigint, OUT rests boolean, OUT ours boolean,
    OUT by_hand boolean, OUT has text[])
LANGUAGE plpgsql AS $$
DECLARE
    v_at      text;
    v_tx      bigint := this_tx();
    v_stale   move[];
    v_unknown text;
BEGIN
    at := clock_timestamp();
    v_at := iso_micros(at);

    FOR v_look IN 1 .. 2 LOOP
        SELECT array_agg(m.move) FILTER (WHERE m.is_event),
            array_agg(DISTINCT m.item)
                FILTER (WHERE m.is_event AND m.changes),
            array_agg(m.item) FILTER (WHERE m.news = 'late_success'),
            array_agg(m.item) FILTER (WHERE m.news = 'contradiction'),
            array_agg(m.item)
                FILTER (WHERE m.news = 'contradiction' AND m.is_event),
            array_agg(m.sale) FILTER (WHERE m.is_sale),
            count(DISTINCT m.item)
                FILTER (WHERE m.is_event AND (m.move).is_shown),
            bool_or(m.is_event AND (m.move).final IS NOT NULL),
            bool_or(m.is_event AND (m.move).is_ours),
            bool_or(m.is_event AND (m.move).by_hand),
            ARRAY[
                CASE WHEN bool_or(m.reference IS NOT NULL
                         AND NOT (m.is_event AND m.changes))
                     THEN 'reference' END,
                CASE WHEN bool_or(m.kind = 'notified')
                     THEN 'question' END,
                CASE WHEN bool_or(m.kind IN ('cancelled', 'expired',
                         'declined', 'rejected', 'refused'))
                     THEN 'failure' END,
                CASE WHEN bool_or(m.kind IN ('late_refunded',
                         'late_refund_returned'))
                     THEN 'late_refund' END,
                CASE WHEN bool_or(m.is_event
                         AND (m.news = 'refund_returned'
                              OR (m.move).old_status = 'FAILED'
                              AND (m.move).status = 'SUCCESS'))
                     THEN 'late_money' END,
                CASE WHEN bool_or(m.brings)
                     THEN 'posting' END,
                CASE WHEN bool_or(EXISTS (
                         SELECT FROM dead_letter d
                         WHERE d.merchant_id = m.merchant_id
                             AND d.checkout_id = m.checkout_id
                             AND d.state = 'open'
                         OFFSET 0)) THEN 'letter' END,
                CASE WHEN bool_or(m.kind IN ('paid', 'captured',
                             'capture_failed', 'cancelled', 'expired',
                             'declined', 'rejected', 'refused',
                             'refund_failed', 'refund_returned',
                             'dispute_won')
                         AND EXISTS (
                             SELECT FROM webhook_inbox w
                             WHERE w.merchant_id = m.merchant_id
                                 AND w.checkout_id = m.checkout_id
                                 AND w.state = 'parked'
                             OFFSET 0)) THEN 'early_news' END],
            array_agg(m.move) FILTER (WHERE m.is_stale),
            min(m.kind) FILTER (WHERE m.news IS NULL
                                       AND m.kind <> '')
        INTO moves, moved, late, against, told, booked, shown, rests, ours,
            by_hand, has, v_stale, v_unknown
        FROM judged_facts(p_facts, p_turn, at, v_at, v_tx) m;

        EXIT WHEN v_stale IS NULL OR v_look = 2;

        PERFORM requote_orders(v_stale);
    END LOOP;

    IF v_unknown IS NOT NULL THEN
        RAISE EXCEPTION 'no such kind of news: %', v_unknown
            USING ERRCODE = 'PAY01';
    END IF;

    IF by_hand THEN
        booked := booked || hand_postings(moves);
    END IF;
END
$$;
COMMENT ON FUNCTION pay.judge_facts IS
    'The result of one turn of facts: rows, events and entries';
