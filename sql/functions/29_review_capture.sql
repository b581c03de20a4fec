-- Money that is held while a review is open.  The terms of begin_payment say at
-- which PSPs of the route that can be:
--   "holds": {"psps": "stripe gen", "window_s": 561600}
-- window_s: how long all of them hold money at least; absent: unknown.  They are
-- absent where the storefront wants manual capture itself.
-- While the review is open nobody captures; an approval captures all, each order
-- once; a rejection releases it (give_back()).  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- NULL: an approval has nothing to capture, since the storefront captures or no
-- PSP of the route can hold money.
CREATE OR REPLACE FUNCTION pay.hold_terms(p_terms jsonb)
RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN coalesce(p_terms ->> 'capture', 'automatic') = 'automatic'
            THEN p_terms -> 'holds' END
$$;
COMMENT ON FUNCTION pay.hold_terms IS
    'The terms of holding the money of a checkout under review';


-- Nothing was sent yet: this is in the commit that begins the checkout.
CREATE OR REPLACE FUNCTION pay.hold_money(
    p_items int[], p_merchant_id text[], p_checkout_id text[],
    p_terms jsonb[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE checkout c
    SET hold_psps = h.psps,
        capture = CASE WHEN c.psp = ANY (h.psps) THEN 'manual'
                       ELSE c.capture END
    FROM unnest(p_items) n
    CROSS JOIN LATERAL (
        SELECT string_to_array(hold_terms(p_terms[n]) ->> 'psps', ' ')
            AS psps OFFSET 0) h
    CROSS JOIN LATERAL (
        SELECT x.tableoid AS part, x.ctid AS tid FROM checkout x
        WHERE x.merchant_id = p_merchant_id[n]
            AND x.checkout_id = p_checkout_id[n]
        OFFSET 0) x
    WHERE h.psps IS NOT NULL AND c.ctid = x.tid AND c.tableoid = x.part;
END
$$;
COMMENT ON FUNCTION pay.hold_money IS
    'Has PSPs only authorise new checkouts that wait for reviewers';


-- A storefront that captures would decide in place of the reviewer, or take a
-- part of the money that an approval captures.  It may where the review has ended without
-- a decision, and where the capture of the review was begun and has failed.
CREATE OR REPLACE FUNCTION pay.is_on_hold(p_order payment_order)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM risk_review r
        WHERE r.merchant_id = p_order.merchant_id
            AND r.checkout_id = p_order.checkout_id AND r.captures
            AND (r.state IN ('open', 'escalated', 'rejected')
                 OR r.state = 'approved' AND NOT r.is_settled));
END
$$;
COMMENT ON FUNCTION pay.is_on_hold IS
    'Whether a review, and not the storefront, decides about the money of an '
    'order';


CREATE OR REPLACE FUNCTION pay.review_capture_key(
    p_review_id bigint, p_position int)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT concat_ws('/', p_review_id, 'capture', p_position)
$$;
COMMENT ON FUNCTION pay.review_capture_key IS
    'The idempotency key of the capture of an order by its review';


-- All that is held of each order.  The key is the review's: each order is
-- captured once, however often its review is decided or looked at.
CREATE OR REPLACE FUNCTION pay.capture_change_items(p_reviews risk_review[])
RETURNS change_item[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT ROW(row_number() OVER (ORDER BY r.review_id, o.position),
            o.merchant_id, o.checkout_id, o.payment_order_id, 'capture',
            false, gen_random_uuid(), 'risk review', k.key,
            sha256(convert_to(k.key, 'UTF8')), interval '10 years', NULL,
            NULL, NULL, NULL, interval '0', 'risk-review-' || r.review_id,
            false, NULL)::change_item
        FROM unnest(p_reviews) r
        CROSS JOIN LATERAL orders_of(r.merchant_id, r.checkout_id) o
        CROSS JOIN LATERAL (
            SELECT review_capture_key(r.review_id, o.position::int) AS key
            OFFSET 0) k
        WHERE r.captures AND o.authorized_minor > 0
        ORDER BY r.review_id, o.position);
END
$$;
COMMENT ON FUNCTION pay.capture_change_items IS
    'The captures of approved checkouts whose money is held';


-- An order that may still be paid keeps the review unsettled; so does one whose
-- cancellation by the storefront is under way, which may fail.
CREATE OR REPLACE FUNCTION pay.settle_captures(p_reviews risk_review[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE risk_review r
    SET is_settled = true, is_watched = r.captures
    FROM unnest(p_reviews) u
    WHERE r.review_id = u.review_id AND r.state = 'approved' AND NOT EXISTS (
        SELECT FROM orders_of(r.merchant_id, r.checkout_id) o
        WHERE (o.authorized_minor > 0
               OR o.status <> 'FAILED' AND o.captured_minor = 0)
            AND NOT EXISTS (
                SELECT FROM idempotency_key k
                WHERE k.merchant_id = r.merchant_id
                    AND k.route = 'risk review'
                    AND k.key = review_capture_key(r.review_id,
                                               o.position::int)
                    AND k.change_id IS NOT NULL));
END
$$;
COMMENT ON FUNCTION pay.settle_captures IS
    'Reviews are settled whose orders have their captures, or can have none';


-- The reviews and their checkouts are locked, and approved.  Money that
-- is not authorised yet is captured by a later round.
CREATE OR REPLACE FUNCTION pay.capture_approved(p_reviews risk_review[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_items change_item[];
    v_item  change_item;
    v_one   record;
    v_facts fact[] := '{}';
BEGIN
    IF p_reviews = '{}' THEN
        RETURN;
    END IF;

    v_items := capture_change_items(p_reviews);
    PERFORM claim_change_keys(v_items);

    FOREACH v_item IN ARRAY v_items LOOP
        v_one := begin_one_change(v_item, '{}');
        IF v_one.told IS DISTINCT FROM NULL THEN
            v_facts := v_facts || v_one.told;
        END IF;
    END LOOP;

    PERFORM release_change_keys(v_items);
    PERFORM record_facts(number_facts(v_facts, 0));
    PERFORM settle_captures(p_reviews);
END
$$;
COMMENT ON FUNCTION pay.capture_approved IS
    'Captures the held money of approved checkouts, each order once';


-- The round behind one that has found p_limit goes on behind the last of them, and
-- any other one begins anew.
CREATE OR REPLACE FUNCTION pay.move_review_cursor(
    p_state text, p_reviews risk_review[], p_limit int)
RETURNS void LANGUAGE sql AS $$
UPDATE review_cursor c
SET review_id = n.review_id
FROM (SELECT CASE WHEN cardinality(p_reviews) < p_limit THEN 0
                  ELSE p_reviews[p_limit].review_id END AS review_id) n
WHERE c.state = p_state AND c.review_id <> n.review_id
$$;
COMMENT ON FUNCTION pay.move_review_cursor IS
    'Keeps where the next round goes on with reviews';


-- Like all of the sweep it waits for no row.
CREATE OR REPLACE FUNCTION pay.sweep_captures(p_limit int)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_after   bigint := (SELECT c.review_id FROM review_cursor c
                         WHERE c.state = 'approved');
    v_reviews risk_review[];
BEGIN
    v_reviews := ARRAY(
        SELECT r FROM risk_review r
        CROSS JOIN LATERAL (
            SELECT FROM checkout c
            WHERE c.merchant_id = r.merchant_id
                AND c.checkout_id = r.checkout_id
            FOR NO KEY UPDATE SKIP LOCKED) c
        WHERE r.state = 'approved' AND r.captures AND NOT r.is_settled
            AND r.review_id > v_after
        ORDER BY r.review_id LIMIT p_limit
        FOR UPDATE OF r SKIP LOCKED);
    PERFORM move_review_cursor('approved', v_reviews, p_limit);
    PERFORM capture_approved(v_reviews);
END
$$;
COMMENT ON FUNCTION pay.sweep_captures IS
    'Captures the money of approved checkouts that buyers have paid since, and '
    'of those that a deadline has approved';


-- Each order of a checkout that an approval captures.  waiting: nothing was asked
-- for yet; asked: the PSP is asked; failed: the PSP has refused, and the money is
-- still held; released: it has refused, and nothing is held any more; unpaid:
-- there was never anything to capture.
CREATE OR REPLACE VIEW pay_view.risk_captures AS
SELECT r.review_id, r.merchant_id, r.checkout_id, o.payment_order_id, c.psp,
    CASE WHEN x.status IN ('NOT_STARTED', 'EXECUTING') THEN 'asked'
        WHEN x.status = 'FAILED' AND o.authorized_minor > 0 THEN 'failed'
        WHEN o.captured_minor > 0 OR x.status = 'SUCCESS' THEN 'captured'
        WHEN x.status = 'FAILED' THEN 'released'
        WHEN o.status = 'FAILED' AND o.authorized_minor = 0 THEN 'unpaid'
        ELSE 'waiting' END AS state,
    x.change_id, x.code, x.created_at AS asked_at, x.changed_at, c.currency,
    round(o.authorized_minor / 10::numeric ^ k.exponent, k.exponent) AS held,
    round(o.captured_minor / 10::numeric ^ k.exponent, k.exponent)
        AS captured, r.is_watched
FROM pay.risk_review r
JOIN pay.checkout c ON c.merchant_id = r.merchant_id
    AND c.checkout_id = r.checkout_id
JOIN pay.currency k ON k.code = c.currency
JOIN pay.payment_order o ON o.merchant_id = r.merchant_id
    AND o.checkout_id = r.checkout_id
LEFT JOIN LATERAL (
    SELECT y.* FROM pay.change y
    WHERE y.merchant_id = o.merchant_id AND y.checkout_id = o.checkout_id
        AND y.payment_order_id = o.payment_order_id AND y.kind = 'capture'
        AND y.request_id = 'risk-review-' || r.review_id
    ORDER BY y.created_at DESC LIMIT 1) x ON true
WHERE r.state = 'approved' AND r.captures;
COMMENT ON VIEW pay_view.risk_captures IS
    'Captures of orders whose money a review held and that were approved';


-- Most captures are done within a round.  Waits for no row.
CREATE OR REPLACE FUNCTION pay.sweep_watched_captures()
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE risk_review r
    SET is_watched = false
    WHERE r.review_id = ANY (ARRAY(
        SELECT w.review_id FROM risk_review w
        WHERE w.is_watched AND NOT EXISTS (
            SELECT FROM orders_of(w.merchant_id, w.checkout_id) o
            WHERE o.authorized_minor > 0)
        ORDER BY w.review_id LIMIT 1000
        FOR UPDATE SKIP LOCKED));
END
$$;
COMMENT ON FUNCTION pay.sweep_watched_captures IS
    'Lets go of captures of reviews whose orders have no money on hold';


-- For the gauges.  Counting ends at 10000 reviews.
CREATE OR REPLACE FUNCTION pay.count_watched_captures()
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object(
    'asked', count(*) FILTER (WHERE x.status IN ('NOT_STARTED', 'EXECUTING')),
    'failed', count(*) FILTER (WHERE x.status = 'FAILED'
        AND o.authorized_minor > 0))
FROM (
    SELECT * FROM risk_review w
    WHERE w.is_watched ORDER BY w.review_id LIMIT 10000) r
CROSS JOIN LATERAL orders_of(r.merchant_id, r.checkout_id) o
CROSS JOIN LATERAL (
    SELECT y.status FROM change y
    WHERE y.merchant_id = o.merchant_id AND y.checkout_id = o.checkout_id
        AND y.payment_order_id = o.payment_order_id AND y.kind = 'capture'
        AND y.request_id = 'risk-review-' || r.review_id
    ORDER BY y.created_at DESC LIMIT 1) x
$$;
COMMENT ON FUNCTION pay.count_watched_captures IS
    'How many captures of approved reviews are under way, and have failed with '
    'money still held';
