-- Reviews: the queue of checkouts that reviewers look at.  A review is opened in
-- the commit of its decision, claimed with a lease, and ends by a decision of
-- reviewers, by its deadline, or by itself when nothing is left to decide.
-- A review is locked before its checkout, and nobody who has a checkout locked
-- waits for a review.  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- {"deadline_s": 172800, "overdue": "escalate", "second_minor": 500000,
-- "second_currency": "USD"}; the last two go together.
CREATE OR REPLACE FUNCTION pay.review_terms_ok(p_terms jsonb)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce(jsonb_typeof(p_terms) = 'object'
        AND p_terms - '{deadline_s,overdue,second_minor,second_currency}'
            ::text[] = '{}'
        AND term_seconds(p_terms ->> 'deadline_s', '0') BETWEEN
            '1 minute' AND '30 days'
        AND p_terms ->> 'overdue' IN ('approve', 'reject', 'escalate')
        AND (p_terms ? 'second_minor') = (p_terms ? 'second_currency')
        AND (NOT p_terms ? 'second_minor'
             OR p_terms ->> 'second_minor' ~ '^[0-9]{1,15}$'
             AND EXISTS (SELECT FROM currency k
                         WHERE k.code = p_terms ->> 'second_currency')),
        false);
END
$$;
COMMENT ON FUNCTION pay.review_terms_ok IS
    'Whether begin_payment can take this directive about reviews';


-- The smallest set of reasons that reports can be made of.
CREATE OR REPLACE FUNCTION pay.is_review_reason(p_act text, p_reason text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(p_reason = ANY (CASE p_act
    WHEN 'approve' THEN '{known_buyer,buyer_confirmed,documents_seen,'
                        'false_alarm}'::text[]
    WHEN 'reject' THEN '{stolen_card,card_testing,account_takeover,'
                       'false_identity,no_answer,against_policy}'
    WHEN 'escalate' THEN '{unclear,large_amount,needs_specialist}' END),
    false)
$$;
COMMENT ON FUNCTION pay.is_review_reason IS
    'Whether a person may give this reason for approve, reject or escalate';


CREATE OR REPLACE FUNCTION pay.keep_review_act(
    p_review_id bigint, p_act text, p_who text, p_reason text, p_note text)
RETURNS void LANGUAGE sql AS $$
INSERT INTO risk_review_act (review_id, act, who, reason, note)
VALUES (p_review_id, p_act, p_who, p_reason, nullif(p_note, ''))
$$;
COMMENT ON FUNCTION pay.keep_review_act IS 'Keeps an act about a review';


-- Without a directive a review has three days.  Where money is held, the deadline
-- is before the earliest end of that.  An amount that no rate converts needs a
-- second person.
CREATE OR REPLACE FUNCTION pay.open_reviews(
    p_items int[], p_merchant_id text[], p_checkout_id text[],
    p_currency text[], p_total_minor bigint[], p_terms jsonb[])
RETURNS void LANGUAGE sql AS $$
INSERT INTO risk_review (merchant_id, checkout_id, needs_second, deadline,
    overdue, captures)
SELECT p_merchant_id[n], p_checkout_id[n],
    coalesce(t.minor IS NOT NULL AND coalesce(amount_in(p_total_minor[n],
        p_currency[n], t.currency) > t.minor, true), false),
    now() + make_interval(secs => least(coalesce(t.deadline_s, 259200),
                                        (t.holds ->> 'window_s')::float8)),
    coalesce(t.overdue, 'escalate'), t.holds IS NOT NULL
FROM unnest(p_items) n
CROSS JOIN LATERAL (
    SELECT (r ->> 'deadline_s')::float8 AS deadline_s,
        r ->> 'overdue' AS overdue, (r ->> 'second_minor')::bigint AS minor,
        r ->> 'second_currency' AS currency, hold_terms(p_terms[n]) AS holds
    FROM (SELECT p_terms[n] -> 'review') x (r)) t
ORDER BY n
$$;
COMMENT ON FUNCTION pay.open_reviews IS
    'Opens reviews of checkouts whose decision is review';


-- The hold that the decision made.  One that an operator made says otherwise
-- and stays.
CREATE OR REPLACE FUNCTION pay.end_review_hold(
    p_review risk_review, p_who text, p_why text)
RETURNS void LANGUAGE sql AS $$
WITH unheld AS (
    DELETE FROM payout_hold h
    USING orders_of(p_review.merchant_id, p_review.checkout_id) o
    WHERE h.merchant_id = o.merchant_id
        AND h.seller_account = o.seller_account
        AND h.payment_order_id = o.payment_order_id
        AND h.why = 'to be reviewed'
    RETURNING h.merchant_id, h.payment_order_id
)
INSERT INTO payout_act (merchant_id, subject, subject_id, act, who, why,
    detail)
SELECT u.merchant_id, 'order', u.payment_order_id, 'unheld', p_who, p_why,
    '{}'
FROM unheld u
$$;
COMMENT ON FUNCTION pay.end_review_hold IS
    'Ends the holds of pay-outs that a decision has made';


CREATE OR REPLACE FUNCTION pay.end_review(
    p_review risk_review, p_state text, p_who text, p_reason text,
    p_note text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE risk_review r
    SET state = p_state, claimed_by = NULL, claimed_until = NULL,
        is_settled = false
    WHERE r.review_id = p_review.review_id;
    PERFORM keep_review_act(p_review.review_id, p_state, p_who, p_reason,
                            p_note);

    -- an order that has failed may still be paid late
    IF p_state = 'approved' OR p_reason = 'refunded' THEN
        PERFORM end_review_hold(p_review, p_who,
                                'review ' || p_state || ': ' || p_reason);
    END IF;

    -- a deadline that passes is nobody's opinion
    IF p_state = 'rejected' AND p_who <> 'gateway' THEN
        PERFORM label_order(o.merchant_id, o.payment_order_id, 'rejected',
                            'reviewer')
        FROM orders_of(p_review.merchant_id, p_review.checkout_id) o;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.end_review IS
    'Ends a review; the holds go when it is approved or refunded, and a person '
    'who rejects labels the orders';


-- Why there is nothing to decide any more; NULL: there is.  A refund that is
-- under way may fail.
CREATE OR REPLACE FUNCTION pay.review_is_moot(p_review risk_review)
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_failed   boolean;
    v_refunded boolean;
BEGIN
    IF EXISTS (
        SELECT FROM dispute d
        WHERE d.merchant_id = p_review.merchant_id
            AND d.checkout_id = p_review.checkout_id)
    THEN
        RETURN 'disputed';
    END IF;

    SELECT bool_and(o.status = 'FAILED'),
        bool_and(o.status = 'FAILED' OR o.captured_minor > 0
            AND o.refunded_minor >= o.captured_minor)
    INTO v_failed, v_refunded
    FROM orders_of(p_review.merchant_id, p_review.checkout_id) o;

    RETURN CASE WHEN v_failed THEN 'failed'
                WHEN v_refunded THEN 'refunded' END;
END
$$;
COMMENT ON FUNCTION pay.review_is_moot IS
    'disputed, failed or refunded, when a review has nothing to decide';


-- The last 20,000 decisions are compared, the newest first: there is no index
-- by key, which every sale would pay for.  Browsers have one; of one that opens
-- checkouts all day, as that of a shop's counter, the newest thousand count.
CREATE OR REPLACE FUNCTION pay.linked_checkouts(
    p_merchant_id text, p_checkout_id text, p_limit int)
RETURNS TABLE (checkout_id text, kinds text, decision text, at timestamptz)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT l.checkout_id::text, string_agg(DISTINCT l.kind, ' '),
        min(l.decision::text), min(l.at)
    FROM (
        SELECT d.checkout_id, k.kind, d.decision, d.at
        FROM (
            SELECT x.checkout_id, x.decision, x.at, x.keys, x.merchant_id
            FROM risk_decision x
            WHERE x.keys IS NOT NULL
            ORDER BY x.at DESC LIMIT 20000) d
        CROSS JOIN LATERAL (
            SELECT a ->> 0 AS kind
            FROM risk_decision mine
            CROSS JOIN LATERAL jsonb_array_elements(mine.keys) a
            WHERE mine.merchant_id = p_merchant_id
                AND mine.checkout_id = p_checkout_id
                AND a ->> 0 IN ('email', 'phone', 'buyer', 'device')
                AND d.keys @> jsonb_build_array(a)) k
        WHERE d.merchant_id = p_merchant_id
        UNION ALL
        SELECT d.checkout_id, 'browser', d.decision, d.at
        FROM risk_browser mine
        CROSS JOIN LATERAL (
            SELECT x.checkout_id FROM risk_browser x
            WHERE x.merchant_id = mine.merchant_id
                AND x.browser = mine.browser
            ORDER BY x.at DESC LIMIT 1000) x
        CROSS JOIN LATERAL (
            SELECT y.checkout_id, y.decision, y.at FROM risk_decision y
            WHERE y.merchant_id = mine.merchant_id
                AND y.checkout_id = x.checkout_id
            OFFSET 0) d
        WHERE mine.merchant_id = p_merchant_id
            AND mine.checkout_id = p_checkout_id) l
    WHERE l.checkout_id <> p_checkout_id
    GROUP BY l.checkout_id
    ORDER BY min(l.at) DESC LIMIT p_limit;
END
$$;
COMMENT ON FUNCTION pay.linked_checkouts IS
    'Checkouts of the merchant among the last 20,000 decisions that have an '
    'address of mail, a phone, a buyer or a device in common with this one, '
    'and those that were opened in the same browser';


-- For 90 days.
CREATE OR REPLACE FUNCTION pay.block_review_keys(
    p_review risk_review, p_who text, p_why text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_kinds  text[];
    v_values text[];
BEGIN
    SELECT array_agg(u.kind), array_agg(u.value) INTO v_kinds, v_values
    FROM (
        SELECT k ->> 0 AS kind, k ->> 1 AS value
        FROM risk_decision d
        CROSS JOIN LATERAL jsonb_array_elements(d.keys) k
        WHERE d.merchant_id = p_review.merchant_id
            AND d.checkout_id = p_review.checkout_id
            AND k ->> 0 IN ('email', 'phone', 'buyer', 'device')
        UNION ALL
        SELECT 'browser', b.browser
        FROM risk_browser b
        WHERE b.merchant_id = p_review.merchant_id
            AND b.checkout_id = p_review.checkout_id) u;

    IF v_kinds IS NOT NULL THEN
        PERFORM store_risk_entries(p_review.merchant_id,
            array_fill('block'::text, ARRAY[cardinality(v_kinds)]), v_kinds,
            v_values, array_fill(now() + interval '90 days',
                                 ARRAY[cardinality(v_kinds)]), p_who, p_why);
    END IF;
END
$$;
COMMENT ON FUNCTION pay.block_review_keys IS
    'Puts the keys and browsers of a rejected buyer on the merchant''s block '
    'list';
