-- What facts mean to the books.  Private to schema pay; take_facts() calls
-- book_facts() last, with the checkouts locked.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Orders that have just been sold: what the PSP has taken belongs to their
-- sellers.  Where people have accepted a late payment it has been in suspense.
-- Captures of what was authorised book themselves.
CREATE OR REPLACE FUNCTION pay.sale_postings(p_facts fact[], p_moved int[])
RETURNS posting[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT ROW(o.merchant_id, 'order/' || o.payment_order_id,
            CASE f.actor WHEN 'operator' THEN 'late_accepted'
                         ELSE 'sale' END,
            o.checkout_id, o.payment_order_id, c.psp, o.seller_account,
            o.amount_minor, o.currency,
            coalesce(o.credit_minor, o.amount_minor),
            coalesce(o.credit_currency, o.currency), o.credit_rate,
            f.request_id)::posting
        FROM unnest(p_facts) f
        CROSS JOIN LATERAL (
            SELECT c.psp FROM checkout c
            WHERE c.merchant_id = f.merchant_id
                AND c.checkout_id = f.checkout_id
                AND c.capture = 'automatic'
            OFFSET 0) c
        CROSS JOIN LATERAL (
            SELECT o.* FROM payment_order o
            WHERE o.merchant_id = f.merchant_id
                AND o.checkout_id = f.checkout_id
            OFFSET 0) o
        WHERE f.kind = 'paid' AND f.item = ANY (p_moved)
        ORDER BY f.item, o.position);
END
$$;
COMMENT ON FUNCTION pay.sale_postings IS
    'Entries of orders that these facts have made sales of';


-- A quote holds for a while; what is sold after it is credited by the rate of
-- the day, which the order keeps.  What was authorised keeps its rate.
CREATE OR REPLACE FUNCTION pay.requote_orders(p_facts fact[], p_moved int[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payment_order o
    SET credit_rate = q.credit_rate, credit_minor = q.credit_minor
    FROM unnest(p_facts) f
    CROSS JOIN LATERAL (
        SELECT k.tableoid AS part, k.ctid AS tid, k.*
        FROM payment_order k
        JOIN checkout c ON c.merchant_id = k.merchant_id
            AND c.checkout_id = k.checkout_id
        WHERE k.merchant_id = f.merchant_id
            AND k.checkout_id = f.checkout_id
            AND k.credit_until < now() AND c.capture = 'automatic'
        OFFSET 0) k
    CROSS JOIN LATERAL current_credit(k.amount_minor, k.currency,
        k.credit_currency, k.credit_rate, k.credit_minor, k.credit_until) q
    WHERE f.kind = 'paid' AND f.item = ANY (p_moved) AND o.ctid = k.tid
        AND o.tableoid = k.part;
END
$$;
COMMENT ON FUNCTION pay.requote_orders IS
    'Converts what is sold after its quote by the rate of the day';


-- Late payments that are no sale: in suspense from the moment that they are
-- heard of, until people accept them or they have been paid back.
CREATE OR REPLACE FUNCTION pay.late_postings(p_facts fact[], p_late int[])
RETURNS posting[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT ROW(l.merchant_id, 'late/' || l.checkout_id,
            CASE f.kind WHEN 'late_refunded' THEN f.kind
                        ELSE 'late_held' END,
            l.checkout_id, NULL, l.psp, NULL, l.amount_minor, l.currency,
            NULL, NULL, NULL, f.request_id)::posting
        FROM unnest(p_facts) f
        CROSS JOIN LATERAL (
            SELECT l.* FROM late_success l
            WHERE l.merchant_id = f.merchant_id
                AND l.checkout_id = f.checkout_id
            OFFSET 0) l
        WHERE f.item = ANY (p_late) OR f.kind = 'late_refunded'
        ORDER BY f.item);
END
$$;
COMMENT ON FUNCTION pay.late_postings IS
    'Entries of payments that came too late';


-- p_booked: of what is captured by hand (move_orders); facts about changes
-- bring theirs with them.
CREATE OR REPLACE FUNCTION pay.book_facts(
    p_facts fact[], p_moved int[], p_late int[], p_booked posting[])
RETURNS posting[] LANGUAGE plpgsql AS $$
DECLARE
    v_postings posting[] := '{}';
    v_sold     boolean;
    v_repaid   boolean;
    v_brought  boolean;
BEGIN
    SELECT bool_or(f.kind = 'paid' AND f.item = ANY (p_moved)),
        bool_or(f.kind = 'late_refunded'), bool_or(f.postings <> '{}')
    INTO v_sold, v_repaid, v_brought
    FROM unnest(p_facts) f;

    IF v_sold THEN
        v_postings := sale_postings(p_facts, p_moved);

        IF EXISTS (SELECT FROM unnest(v_postings) p WHERE p.rate IS NOT NULL)
        THEN
            PERFORM requote_orders(p_facts, p_moved);
            v_postings := sale_postings(p_facts, p_moved);
        END IF;
    END IF;

    IF p_late <> '{}' OR v_repaid THEN
        v_postings := v_postings || late_postings(p_facts, p_late);
    END IF;

    v_postings := v_postings || p_booked;

    IF v_brought THEN
        v_postings := v_postings || ARRAY(
            SELECT p FROM unnest(p_facts) f
            CROSS JOIN LATERAL unnest(f.postings) p
            ORDER BY f.item);
    END IF;

    RETURN v_postings;
END
$$;
COMMENT ON FUNCTION pay.book_facts IS
    'What facts mean to the books, for post()';
