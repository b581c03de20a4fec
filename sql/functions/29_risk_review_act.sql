-- Reviews: the acts of reviewers, and the round that ends those that nobody
-- decides.  Two reviewers are needed where needs_second says so; their names
-- are compared here.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The money of a rejected checkout goes back: one cancellation releases the part
-- that is not captured, and a refund of each captured order returns the rest.
-- The key is that of the review, so that each is asked for once and not again
-- when it fails.  Behind another refund it has the sums in it, as there may be
-- money again: a capture of the storefront's was open, or its refund comes back.  A
-- page that is closed, and money that a buyer had held meanwhile, take two
-- cancellations.
CREATE OR REPLACE FUNCTION pay.review_change_items(p_reviews risk_review[])
RETURNS change_item[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT ROW(row_number() OVER (ORDER BY x.review_id, x.position),
            x.merchant_id, x.checkout_id, x.payment_order_id, x.kind, false,
            gen_random_uuid(), 'risk review',
            concat_ws('/', x.review_id, x.name), sha256(convert_to(
                concat_ws('/', x.review_id, x.name), 'UTF8')),
            interval '10 years', NULL, NULL, 'risk', NULL, interval '0',
            'risk-review-' || x.review_id, false, NULL)::change_item
        FROM (
            SELECT r.review_id, o.*, 'refund' AS kind,
                concat_ws('/', 'refund', o.position,
                    CASE WHEN o.refunded_minor > 0
                         THEN o.captured_minor END,
                    nullif(o.refunded_minor, 0)) AS name
            FROM unnest(p_reviews) r
            CROSS JOIN LATERAL orders_of(r.merchant_id, r.checkout_id) o
            WHERE o.captured_minor > o.refunding_minor + o.refunded_minor
                + o.charged_back_minor
            UNION ALL
            SELECT r.review_id, o.*, 'cancel',
                CASE WHEN o.authorized_minor > 0 THEN 'release'
                     ELSE 'close' END
            FROM unnest(p_reviews) r
            CROSS JOIN LATERAL (
                SELECT y.* FROM orders_of(r.merchant_id, r.checkout_id) y
                WHERE y.authorized_minor > 0
                    OR y.captured_minor = 0 AND y.status <> 'FAILED'
                ORDER BY y.authorized_minor = 0, y.position LIMIT 1) o) x
        ORDER BY x.review_id, x.position);
END
$$;
COMMENT ON FUNCTION pay.review_change_items IS
    'The changes that give the money of rejected checkouts back';


-- The reviews are locked, so that nobody else has their idempotency keys.
-- Checkouts are locked in key order, and all are booked at once, since that
-- locks wallets.  A change without an outcome may still bring money.
CREATE OR REPLACE FUNCTION pay.give_back(p_reviews risk_review[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_items change_item[];
    v_item  change_item;
    v_one   record;
    v_begun text[] := '{}';
    v_facts fact[] := '{}';
BEGIN
    PERFORM lock_checkouts(
        ARRAY(SELECT r.merchant_id::text FROM unnest(p_reviews) r),
        ARRAY(SELECT r.checkout_id::text FROM unnest(p_reviews) r));
    v_items := review_change_items(p_reviews);
    PERFORM claim_change_keys(v_items);

    FOREACH v_item IN ARRAY v_items LOOP
        v_one := begin_one_change(v_item, v_begun);
        IF v_one.told IS DISTINCT FROM NULL THEN
            v_facts := v_facts || v_one.told;
            v_begun := v_begun || v_one.change_id;
        END IF;
    END LOOP;

    PERFORM release_change_keys(v_items);
    PERFORM record_facts(number_facts(v_facts, 0));

    UPDATE risk_review r
    SET is_settled = true
    FROM unnest(p_reviews) u
    WHERE r.review_id = u.review_id AND (
        SELECT bool_and(o.authorized_minor = 0 AND (o.status = 'FAILED'
            OR o.captured_minor > 0 AND o.captured_minor
                <= o.refunded_minor + o.charged_back_minor))
        FROM orders_of(r.merchant_id, r.checkout_id) o)
        AND NOT EXISTS (
            SELECT FROM change c
            WHERE c.merchant_id = r.merchant_id
                AND c.checkout_id = r.checkout_id
                AND c.status IN ('NOT_STARTED', 'EXECUTING'));
END
$$;
COMMENT ON FUNCTION pay.give_back IS
    'Cancels or refunds rejected checkouts, each once';


-- A sale after a failure: the buyer had paid before the page ended.  Or a refund
-- of the storefront's that the PSP could not pay out.  The caller has locked the
-- checkouts; a decision about a rejected review locks none, so that the two never
-- wait for each other.
CREATE OR REPLACE FUNCTION pay.unsettle_reviews(p_moves move[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE risk_review r
    SET is_settled = false
    FROM (SELECT DISTINCT m.merchant_id, m.checkout_id
          FROM unnest(p_moves) m
          WHERE m.news = 'refund_returned'
              OR m.old_status = 'FAILED' AND m.status = 'SUCCESS') m
    WHERE r.merchant_id = m.merchant_id AND r.checkout_id = m.checkout_id
        AND r.state = 'rejected' AND r.is_settled;
END
$$;
COMMENT ON FUNCTION pay.unsettle_reviews IS
    'Has the next round look at rejected checkouts that have money again';


-- A dispute that is won, or that an operator lays to another order, gives the
-- order its money back.  The caller has locked the checkout.
CREATE OR REPLACE FUNCTION pay.unsettle_disputed(p_dispute dispute)
RETURNS void LANGUAGE sql AS $$
UPDATE risk_review r
SET is_settled = false
WHERE r.merchant_id = (p_dispute).merchant_id
    AND r.checkout_id = (p_dispute).checkout_id
    AND r.state = 'rejected' AND r.is_settled
$$;
COMMENT ON FUNCTION pay.unsettle_disputed IS
    'Has the next round look at a rejected checkout whose dispute has ended';


-- The states are those of the table; of two decisions about one review in a batch
-- only the first is there.  All checkouts are locked in key order first.
CREATE OR REPLACE FUNCTION pay.carry_out_reviews(p_reviews risk_review[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_rejected risk_review[] := ARRAY(
        SELECT r FROM risk_review r
        JOIN unnest(p_reviews) u ON u.review_id = r.review_id
        WHERE r.state = 'rejected');
    v_approved risk_review[] := ARRAY(
        SELECT r FROM risk_review r
        JOIN unnest(p_reviews) u ON u.review_id = r.review_id
        WHERE r.state = 'approved' AND r.captures);
BEGIN
    PERFORM lock_checkouts(
        ARRAY(SELECT r.merchant_id::text
              FROM unnest(v_rejected || v_approved) r),
        ARRAY(SELECT r.checkout_id::text
              FROM unnest(v_rejected || v_approved) r));

    IF v_rejected <> '{}' THEN
        PERFORM give_back(v_rejected);
    END IF;

    PERFORM capture_approved(v_approved);
END
$$;
COMMENT ON FUNCTION pay.carry_out_reviews IS
    'Gives the money of rejected checkouts back, and captures that of approved '
    'ones';


-- Locks it, and ends it when there is nothing to decide.
CREATE OR REPLACE FUNCTION pay.take_review(p_review_id bigint)
RETURNS risk_review LANGUAGE plpgsql AS $$
DECLARE
    v_review risk_review;
    v_moot   text;
BEGIN
    SELECT * INTO v_review FROM risk_review r
    WHERE r.review_id = p_review_id FOR UPDATE;

    IF v_review.state IN ('open', 'escalated') THEN
        v_moot := review_is_moot(v_review);
        IF v_moot IS NOT NULL THEN
            PERFORM end_review(v_review, 'ended', 'gateway', v_moot, NULL);
            v_review.state := 'ended';
        END IF;
    END IF;

    RETURN v_review;
END
$$;
COMMENT ON FUNCTION pay.take_review IS
    'A review, locked; ended when its orders leave nothing to decide';


CREATE OR REPLACE FUNCTION pay.review_is_free(p_review risk_review, p_who text)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT p_review.claimed_by IS NULL OR p_review.claimed_until <= now()
    OR lower(p_review.claimed_by) = lower(p_who)
$$;
COMMENT ON FUNCTION pay.review_is_free IS
    'Whether nobody else has claimed it, or no longer has';


CREATE OR REPLACE FUNCTION pay_ops.claim_review(
    p_review_id bigint, p_lease_s bigint, p_who text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_review risk_review;
BEGIN
    IF NOT is_statement(p_who) OR (p_lease_s BETWEEN 1 AND 86400) IS NOT TRUE
    THEN
        RETURN 'invalid';
    END IF;

    v_review := take_review(p_review_id);

    IF v_review.review_id IS NULL THEN
        RETURN 'not_found';
    ELSIF v_review.state NOT IN ('open', 'escalated') THEN
        RETURN 'ended';
    ELSIF NOT review_is_free(v_review, p_who) THEN
        RETURN 'taken';
    END IF;

    UPDATE risk_review r
    SET claimed_by = p_who,
        claimed_until = now() + make_interval(secs => p_lease_s)
    WHERE r.review_id = p_review_id;
    PERFORM keep_review_act(p_review_id, 'claimed', p_who, NULL, NULL);

    RETURN 'claimed';
END
$$;
COMMENT ON FUNCTION pay_ops.claim_review IS
    'Keeps others from deciding about a review for so many seconds: claimed, '
    'taken (by another), ended, not_found or invalid';


-- The word of the first of two reviewers; NULL: the word counts now.
CREATE OR REPLACE FUNCTION pay.ask_second(
    p_review risk_review, p_act text, p_who text, p_reason text, p_note text)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF NOT p_review.needs_second THEN
        RETURN NULL;
    ELSIF p_review.asked = p_act THEN
        RETURN CASE WHEN lower(p_review.asked_by) = lower(p_who)
                    THEN 'same_person' END;
    END IF;

    UPDATE risk_review r
    SET asked = p_act, asked_by = p_who, claimed_by = NULL,
        claimed_until = NULL
    WHERE r.review_id = p_review.review_id;
    PERFORM keep_review_act(p_review.review_id, 'asked_' || p_act, p_who,
                            p_reason, p_note);

    RETURN 'second';
END
$$;
COMMENT ON FUNCTION pay.ask_second IS
    'second: another reviewer has to say the same; same_person: the word is '
    'that reviewer''s own; NULL: no other is needed';


-- decided: the review if it is approved or rejected now.  The caller has to
-- capture its money, or to give it back.
CREATE OR REPLACE FUNCTION pay.decide_one_review(
    p_review_id bigint, p_act text, p_reason text, p_note text,
    p_blocks boolean, p_who text, OUT outcome text, OUT decided risk_review)
LANGUAGE plpgsql AS $$
DECLARE
    v_review risk_review;
    v_asks   text;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_review_reason(p_act, p_reason)
        OR octet_length(p_note) > 1000
        OR coalesce(p_blocks, false) AND p_act <> 'reject'
    THEN
        outcome := 'invalid';
        RETURN;
    END IF;

    v_review := take_review(p_review_id);

    IF v_review.review_id IS NULL THEN
        outcome := 'not_found';
    ELSIF v_review.state NOT IN ('open', 'escalated') THEN
        outcome := 'ended';
    ELSIF NOT review_is_free(v_review, p_who) THEN
        outcome := 'taken';
    ELSIF p_act = 'escalate' THEN
        PERFORM end_review(v_review, 'escalated', p_who, p_reason, p_note);
        outcome := 'escalated';
    ELSE
        v_asks := ask_second(v_review, p_act, p_who, p_reason, p_note);
        outcome := coalesce(v_asks, CASE p_act WHEN 'approve' THEN 'approved'
                                               ELSE 'rejected' END);
        IF v_asks IS NULL THEN
            PERFORM end_review(v_review, outcome, p_who, p_reason, p_note);
        END IF;
    END IF;

    IF outcome IN ('approved', 'rejected') THEN
        decided := v_review;
    END IF;

    IF outcome = 'rejected' AND p_blocks THEN
        PERFORM block_review_keys(v_review, p_who, 'review: ' || p_reason);
    END IF;
END
$$;
COMMENT ON FUNCTION pay.decide_one_review IS
    'The decision of a reviewer, without its effect on the money: '
    'outcomes as those of pay_ops.decide_review';


CREATE OR REPLACE FUNCTION pay_ops.decide_review(
    p_review_id bigint, p_act text, p_reason text, p_note text,
    p_blocks boolean, p_who text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_done record;
BEGIN
    v_done := decide_one_review(p_review_id, p_act, p_reason, p_note,
                                p_blocks, p_who);
    IF (v_done.decided).review_id IS NOT NULL THEN
        PERFORM carry_out_reviews(ARRAY[v_done.decided]);
    END IF;

    RETURN v_done.outcome;
END
$$;
COMMENT ON FUNCTION pay_ops.decide_review IS
    'approve, reject or escalate: approved, rejected, escalated, second '
    '(another reviewer has to say the same), same_person, taken (claimed by '
    'another), ended, not_found or invalid';


-- Its keys name the buyer, so only operators see the links of a review.
CREATE OR REPLACE FUNCTION pay_ops.linked_to_review(p_review_id bigint)
RETURNS TABLE (checkout_id text, kinds text, decision text, at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
SELECT l.*
FROM risk_review r
CROSS JOIN LATERAL linked_checkouts(r.merchant_id, r.checkout_id, 50) l
WHERE r.review_id = p_review_id
$$;
COMMENT ON FUNCTION pay_ops.linked_to_review IS
    'Up to 50 checkouts of the same buyer, the newest first';


-- A deadline is no second reviewer: a review that needs two is escalated instead
-- of approved.
CREATE OR REPLACE FUNCTION pay.sweep_overdue_reviews()
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_review risk_review;
BEGIN
    FOR v_review IN
        SELECT * FROM risk_review r
        WHERE r.state = 'open' AND r.deadline <= now()
        ORDER BY r.deadline LIMIT 1000
        FOR UPDATE SKIP LOCKED
    LOOP
        PERFORM end_review(v_review, CASE
                WHEN v_review.overdue = 'reject' THEN 'rejected'
                WHEN v_review.overdue = 'approve'
                    AND NOT v_review.needs_second THEN 'approved'
                ELSE 'escalated' END, 'gateway', 'overdue', NULL);
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.sweep_overdue_reviews IS
    'Ends overdue reviews as the directive said when they were opened';


-- Like all of the sweep it waits for no row: a review or a checkout that is
-- locked at this moment is left to the next round.  So are those behind p_limit
-- whose money is to be moved.
CREATE OR REPLACE FUNCTION pay.sweep_reviews(p_limit int DEFAULT 1000)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_review  risk_review;
    v_moot    text;
    v_after   bigint := (SELECT c.review_id FROM review_cursor c
                         WHERE c.state = 'rejected');
    v_reviews risk_review[];
BEGIN
    FOR v_review IN
        SELECT * FROM risk_review r
        WHERE r.state IN ('open', 'escalated')
            AND review_is_moot(r) IS NOT NULL
        ORDER BY r.deadline DESC LIMIT 1000
        FOR UPDATE SKIP LOCKED
    LOOP
        v_moot := review_is_moot(v_review);

        -- it may not be so any more
        IF v_moot IS NOT NULL THEN
            PERFORM end_review(v_review, 'ended', 'gateway', v_moot, NULL);
        END IF;
    END LOOP;

    PERFORM sweep_overdue_reviews();

    v_reviews := ARRAY(
        SELECT r FROM risk_review r
        CROSS JOIN LATERAL (
            SELECT FROM checkout c
            WHERE c.merchant_id = r.merchant_id
                AND c.checkout_id = r.checkout_id
            FOR NO KEY UPDATE SKIP LOCKED) c
        WHERE r.state = 'rejected' AND NOT r.is_settled
            AND r.review_id > v_after
        ORDER BY r.review_id LIMIT p_limit
        FOR UPDATE OF r SKIP LOCKED);
    PERFORM move_review_cursor('rejected', v_reviews, p_limit);
    IF v_reviews <> '{}' THEN
        PERFORM give_back(v_reviews);
    END IF;

    PERFORM sweep_captures(p_limit);
    PERFORM sweep_watched_captures();
END
$$;
COMMENT ON FUNCTION pay.sweep_reviews IS
    'Ends reviews without anything to decide and overdue ones, gives back money '
    'that came for rejected ones meanwhile, and captures that of approved ones';


CREATE OR REPLACE VIEW pay_view.risk_reviews AS
SELECT r.review_id, r.merchant_id, r.checkout_id, r.state, r.needs_second,
    r.deadline, r.overdue, r.claimed_by, r.claimed_until, r.asked, r.asked_by,
    r.is_settled, r.at, c.currency,
    round(c.total_minor / 10::numeric ^ k.exponent, k.exponent) AS total
FROM pay.risk_review r
JOIN pay.checkout c ON c.merchant_id = r.merchant_id
    AND c.checkout_id = r.checkout_id
JOIN pay.currency k ON k.code = c.currency;
COMMENT ON VIEW pay_view.risk_reviews IS
    'Reviews of checkouts, with who has claimed them and until when';
