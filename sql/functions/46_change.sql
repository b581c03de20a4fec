-- The effects of outcomes and PSP events on changes: captures, cancellations
-- and refunds.  Each move writes the change and the order's money, and returns
-- facts for record_facts(), which writes the timeline and books.  The callers
-- hold the locks of the checkouts.  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.find_change(
    p_merchant_id text, p_change_id text)
RETURNS change LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_change change;
BEGIN
    SELECT * INTO v_change FROM change c
    WHERE c.merchant_id = p_merchant_id AND c.change_id = p_change_id;

    RETURN v_change;
END
$$;
COMMENT ON FUNCTION pay.find_change IS 'A change by its key, or NULL';


-- The change is open, and as far as the gateway knows the PSP does not have it.
-- The PSP reports on a change that it has taken.
CREATE OR REPLACE FUNCTION pay.change_needs_job(
    p_merchant_id text, p_change_id text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_change change := find_change(p_merchant_id, p_change_id);
BEGIN
    RETURN coalesce(v_change.status IN ('NOT_STARTED', 'EXECUTING'), false)
        AND v_change.reference IS NULL
        AND NOT EXISTS (
            SELECT FROM dispatch d
            WHERE d.merchant_id = v_change.merchant_id
                AND d.checkout_id = v_change.checkout_id
                AND d.operation_id = v_change.change_id
                AND d.operation IN ('capture', 'cancel', 'refund', 'expire')
                AND d.state IN ('DONE', 'PENDING'));
END
$$;
COMMENT ON FUNCTION pay.change_needs_job IS
    'Whether a change goes nowhere without its job';


-- The part of the seller's credit that a refund or a dispute takes.  The last
-- of all parts takes the remainder, whatever was released in between.
CREATE OR REPLACE FUNCTION pay.seller_share(
    p_order payment_order, p_amount_minor bigint)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_taken numeric;
BEGIN
    IF p_order.credit_currency IS NULL THEN
        RETURN p_amount_minor;
    END IF;

    SELECT coalesce(sum(t.seller_minor), 0) INTO v_taken
    FROM (
        SELECT c.seller_minor FROM change c
        WHERE c.merchant_id = p_order.merchant_id
            AND c.checkout_id = p_order.checkout_id
            AND c.payment_order_id = p_order.payment_order_id
            AND c.kind = 'refund' AND c.status <> 'FAILED'
        UNION ALL
        SELECT d.seller_minor FROM dispute d
        WHERE d.merchant_id = p_order.merchant_id
            AND d.checkout_id = p_order.checkout_id
            AND d.payment_order_id = p_order.payment_order_id
            AND d.state NOT IN ('won', 'moved')) t;

    RETURN greatest(0, seller_part(p_order.amount_minor, p_order.credit_minor,
        0, p_order.refunding_minor + p_order.refunded_minor
            + p_order.charged_back_minor + p_amount_minor) - v_taken);
END
$$;
COMMENT ON FUNCTION pay.seller_share IS
    'The part of the seller''s credit that the next refund or dispute takes';


-- None where nothing moves: a part so small that the seller's share of it is
-- nothing.
CREATE OR REPLACE FUNCTION pay.order_posting(
    p_order payment_order, p_source text, p_kind text, p_psp text,
    p_amount_minor bigint, p_seller_minor bigint, p_request_id text)
RETURNS posting[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_amount_minor = 0 OR p_seller_minor = 0 AND NOT EXISTS (
        SELECT FROM posting_rule r
        WHERE r.kind = p_kind AND r.leg = 'buyer')
    THEN
        RETURN '{}';
    END IF;

    RETURN ARRAY[ROW(p_order.merchant_id, p_source, p_kind,
        p_order.checkout_id, p_order.payment_order_id, p_psp,
        p_order.seller_account, p_amount_minor, p_order.currency,
        p_seller_minor, coalesce(p_order.credit_currency, p_order.currency),
        p_order.credit_rate, p_request_id)::posting];
END
$$;
COMMENT ON FUNCTION pay.order_posting IS
    'An entry about a part of an order''s money';


-- A part of an order's amount that is authorised, captured or released.
CREATE OR REPLACE FUNCTION pay.part_posting(
    p_order payment_order, p_source text, p_kind text, p_psp text,
    p_before bigint, p_part bigint, p_request_id text)
RETURNS posting[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN order_posting(p_order, p_source, p_kind, p_psp, p_part,
        CASE WHEN p_order.credit_currency IS NULL THEN p_part
             ELSE seller_part(p_order.amount_minor, p_order.credit_minor,
                              p_before, p_part) END, p_request_id);
END
$$;
COMMENT ON FUNCTION pay.part_posting IS
    'A posting about the part of an order that follows the parts before it';


-- p_word: who says so.  A cancellation is about all orders of its checkout.
CREATE OR REPLACE FUNCTION pay.change_fact(
    p_change change, p_word fact, p_kind text, p_postings posting[],
    p_more jsonb DEFAULT '{}')
RETURNS fact LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ROW(0, NULL, p_change.merchant_id, p_change.checkout_id, p_kind,
        p_word.actor, p_change.psp, p_word.event_id, p_word.type,
        nullif(p_word.code, ''), NULL, NULL, NULL, NULL, p_word.request_id,
        jsonb_strip_nulls(jsonb_build_object('change_id', p_change.change_id,
            'amount_minor', p_change.amount_minor,
            'currency', p_change.currency,
            'why', CASE WHEN p_word.actor = 'merchant'
                        THEN p_change.reason END))
            || coalesce(p_word.detail, '{}') || p_more, NULL,
        CASE WHEN p_change.kind <> 'cancel'
             THEN p_change.payment_order_id END, p_postings)::fact;
END
$$;
COMMENT ON FUNCTION pay.change_fact IS
    'The present state of a change as a fact, for the timeline and the ledger';


CREATE OR REPLACE FUNCTION pay.asked_detail(p_asked_by jsonb)
RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN p_asked_by IS NULL THEN '{}'
            ELSE jsonb_build_object('asked_by', p_asked_by) END
$$;
COMMENT ON FUNCTION pay.asked_detail IS
    'The member of an event''s detail that names who at the merchant '
    'requested it';


-- Queues a PSP event that contradicts the stored change, for operators, too.
CREATE OR REPLACE FUNCTION pay.doubt(
    p_word fact, p_about text, p_why text, p_object text,
    p_amount_minor bigint, p_currency text)
RETURNS fact LANGUAGE plpgsql STABLE AS $$
BEGIN
    p_word.item := 0;
    p_word.kind := 'mismatch';
    p_word.amount_minor := p_amount_minor;
    p_word.currency := p_currency;
    p_word.detail := coalesce(p_word.detail, '{}') || jsonb_strip_nulls(
        jsonb_build_object('about', p_about, 'why', p_why,
                           'object', p_object));

    RETURN p_word;
END
$$;
COMMENT ON FUNCTION pay.doubt IS
    'A PSP event about a capture, refund or dispute that contradicts what is '
    'stored';


-- Updates the row of a change; a change that has ended has no lease.
CREATE OR REPLACE FUNCTION pay.set_change(
    p_change change, p_status text, p_word fact,
    p_returned boolean DEFAULT false)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE change c
    SET status = p_status, returned = p_returned,
        code = coalesce(nullif(p_word.code, ''), c.code),
        reference = coalesce(c.reference, nullif(p_word.reference, '')),
        changed_at = clock_timestamp()
    WHERE c.merchant_id = p_change.merchant_id
        AND c.change_id = p_change.change_id;

    IF p_status IN ('SUCCESS', 'FAILED') THEN
        PERFORM drop_change_job(p_change, p_status);
    END IF;
END
$$;
COMMENT ON FUNCTION pay.set_change IS 'Writes the status of a change';


CREATE OR REPLACE FUNCTION pay.drop_change_job(p_change change, p_why text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM job j
    WHERE j.merchant_id = p_change.merchant_id
        AND j.checkout_id = p_change.checkout_id AND j.kind = 'change'
        AND j.operation_id = p_change.change_id;

    UPDATE dead_letter d
    SET state = 'settled', closed_at = clock_timestamp(),
        closed_by = 'gateway', closed_why = p_why
    FROM letters_of(p_change.merchant_id, p_change.checkout_id) x
    WHERE x.state = 'open' AND x.kind = 'change'
        AND x.operation_id = p_change.change_id
        AND d.dead_letter_id = x.dead_letter_id;
END
$$;
COMMENT ON FUNCTION pay.drop_change_job IS
    'Ends the job of a change and closes its dead letters';


-- Reserves the money of a refund, since the merchant has requested it or the
-- PSP has reported that it is on its way.
CREATE OR REPLACE FUNCTION pay.is_reserved(p_change change)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT (p_change).status = 'EXECUTING'
    OR (p_change).status = 'NOT_STARTED' AND (p_change).origin = 'merchant'
$$;
COMMENT ON FUNCTION pay.is_reserved IS 'Whether a refund holds its amount';


-- A refund that reserved nothing takes from the available money: one that was
-- made at the PSP, and one that had failed for us and was done after all.
-- The latter may be the last part now, so its share is computed anew.
CREATE OR REPLACE FUNCTION pay.refund_done(p_change change, p_word fact)
RETURNS fact[] LANGUAGE plpgsql AS $$
DECLARE
    v_reserved boolean := is_reserved(p_change);
    v_order    payment_order;
BEGIN
    IF p_change.status = 'FAILED' THEN
        SELECT * INTO v_order
        FROM find_order(p_change.merchant_id, p_change.payment_order_id);
        UPDATE change c
        SET status = 'SUCCESS',
            seller_minor = seller_share(v_order, c.amount_minor)
        WHERE c.merchant_id = p_change.merchant_id
            AND c.change_id = p_change.change_id
        RETURNING c.* INTO p_change;
    END IF;

    UPDATE payment_order o
    SET refunding_minor = o.refunding_minor - CASE WHEN v_reserved
            THEN p_change.amount_minor ELSE 0 END,
        refunded_minor = o.refunded_minor + p_change.amount_minor
    WHERE o.merchant_id = p_change.merchant_id
        AND o.checkout_id = p_change.checkout_id
        AND o.payment_order_id = p_change.payment_order_id
    RETURNING * INTO v_order;

    PERFORM set_change(p_change, 'SUCCESS', p_word);
    PERFORM label_refund(p_change);

    RETURN ARRAY[change_fact(p_change, p_word, 'refunded', order_posting(
        v_order, 'change/' || p_change.change_id,
        CASE WHEN v_reserved THEN 'refund' ELSE 'refund_external' END,
        p_change.psp, p_change.amount_minor, p_change.seller_minor,
        p_word.request_id))];
END
$$;
COMMENT ON FUNCTION pay.refund_done IS 'The buyer has been paid back';


-- One that had been done has come back.
CREATE OR REPLACE FUNCTION pay.refund_failed(p_change change, p_word fact)
RETURNS fact[] LANGUAGE plpgsql AS $$
DECLARE
    v_done  boolean := p_change.status = 'SUCCESS';
    v_order payment_order;
BEGIN
    UPDATE payment_order o
    SET refunding_minor = o.refunding_minor - CASE WHEN v_done
            THEN 0 ELSE p_change.amount_minor END,
        refunded_minor = o.refunded_minor - CASE WHEN v_done
            THEN p_change.amount_minor ELSE 0 END
    WHERE o.merchant_id = p_change.merchant_id
        AND o.checkout_id = p_change.checkout_id
        AND o.payment_order_id = p_change.payment_order_id
    RETURNING * INTO v_order;

    PERFORM set_change(p_change, 'FAILED', p_word, v_done);

    RETURN ARRAY[change_fact(p_change, p_word,
        CASE WHEN v_done THEN 'refund_returned' ELSE 'refund_failed' END,
        order_posting(v_order, 'change/' || p_change.change_id,
            CASE WHEN v_done THEN 'refund_returned' ELSE 'refund_released' END,
            p_change.psp, p_change.amount_minor, p_change.seller_minor,
            p_word.request_id))];
END
$$;
COMMENT ON FUNCTION pay.refund_failed IS
    'A refund has come to nothing, or back';


-- Captures as much of the authorised money as the amount says; the rest is
-- released when no capture follows.  The first capture makes the order a sale.
CREATE OR REPLACE FUNCTION pay.capture_done(p_change change, p_word fact)
RETURNS fact[] LANGUAGE plpgsql AS $$
DECLARE
    v_order    payment_order;
    v_source   text := 'change/' || p_change.change_id;
    v_held     bigint;
    v_postings posting[];
    v_facts    fact[];
BEGIN
    PERFORM set_change(p_change, 'SUCCESS', p_word);
    SELECT * INTO v_order
    FROM find_order(p_change.merchant_id, p_change.payment_order_id);

    IF v_order.captured_minor + p_change.amount_minor > v_order.amount_minor
    THEN
        RETURN ARRAY[doubt(change_fact(p_change, p_word, '', NULL), 'capture',
            'exceeds', p_change.reference, p_change.amount_minor,
            p_change.currency)];
    END IF;

    v_held := least(p_change.amount_minor, v_order.authorized_minor);
    v_postings := part_posting(v_order, v_source, 'sale', p_change.psp,
            v_order.captured_minor, p_change.amount_minor, p_word.request_id)
        || part_posting(v_order, v_source, 'unauthorized', p_change.psp,
            v_order.amount_minor - v_order.authorized_minor, v_held,
            p_word.request_id)
        || CASE WHEN p_change.is_final THEN part_posting(v_order,
            'order/' || v_order.payment_order_id, 'unauthorized',
            p_change.psp,
            v_order.amount_minor - v_order.authorized_minor + v_held,
            v_order.authorized_minor - v_held, p_word.request_id) END;

    UPDATE payment_order o
    SET captured_minor = o.captured_minor + p_change.amount_minor,
        authorized_minor = CASE WHEN p_change.is_final THEN 0
                                ELSE o.authorized_minor - v_held END
    WHERE o.merchant_id = p_change.merchant_id
        AND o.checkout_id = p_change.checkout_id
        AND o.payment_order_id = p_change.payment_order_id;

    v_facts := ARRAY[change_fact(p_change, p_word, 'captured', v_postings)];
    IF v_order.status <> 'SUCCESS' THEN
        v_facts := v_facts || change_fact(p_change, p_word, 'paid', NULL,
            jsonb_build_object('captured_minor', p_change.amount_minor));
    END IF;

    RETURN v_facts;
END
$$;
COMMENT ON FUNCTION pay.capture_done IS
    'A PSP has captured a part of the authorised money';


CREATE OR REPLACE FUNCTION pay.is_failed(p_change change)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT o.status = 'FAILED' FROM find_order(
        p_change.merchant_id, p_change.payment_order_id) o);
END
$$;
COMMENT ON FUNCTION pay.is_failed IS
    'Whether the order that a change is about has failed';


-- Moves a change to the status that the PSP states; no change if it is there
-- already.
CREATE OR REPLACE FUNCTION pay.move_change(
    p_change change, p_to text, p_word fact)
RETURNS fact[] LANGUAGE plpgsql AS $$
BEGIN
    IF p_change.kind = 'refund' AND p_to = 'SUCCESS' THEN
        RETURN refund_done(p_change, p_word);
    ELSIF p_change.kind = 'refund' AND p_to = 'FAILED' THEN
        RETURN refund_failed(p_change, p_word);
    ELSIF p_change.kind = 'capture' AND p_to = 'SUCCESS' THEN
        RETURN capture_done(p_change, p_word);
    END IF;

    PERFORM set_change(p_change, p_to, p_word);

    RETURN CASE
        WHEN p_to = 'FAILED' THEN ARRAY[change_fact(p_change, p_word,
            p_change.kind || '_failed', NULL)]
        WHEN p_to = 'SUCCESS' AND p_change.replaced_by IS NOT NULL
            AND is_failed(p_change) THEN '{}'
        WHEN p_to = 'SUCCESS' THEN ARRAY[change_fact(p_change, p_word,
            CASE WHEN is_failed(p_change) THEN 'released'
                 ELSE 'cancelled' END, NULL)]
        WHEN p_change.kind = 'refund' AND p_change.status = 'NOT_STARTED'
            THEN ARRAY[change_fact(p_change, p_word, 'refund_sent', NULL)]
        ELSE '{}' END;
END
$$;
COMMENT ON FUNCTION pay.move_change IS
    'Takes a change on: EXECUTING, SUCCESS or FAILED';


-- Facts of one call in their order, behind those that have a number already.
CREATE OR REPLACE FUNCTION pay.number_facts(p_facts fact[], p_after int)
RETURNS fact[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    FOR v_n IN 1 .. cardinality(p_facts) LOOP
        p_facts[v_n].item := p_after + v_n;
    END LOOP;

    RETURN p_facts;
END
$$;
COMMENT ON FUNCTION pay.number_facts IS 'Facts with numbers of their own';


-- Books an order with manual capture that has just been authorised, sold as a
-- whole, or released.
CREATE OR REPLACE FUNCTION pay.manual_postings(
    p_was payment_order, p_now payment_order, p_news text, p_request_id text)
RETURNS posting[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_source text := 'order/' || p_now.payment_order_id;
    v_psp    text := (SELECT c.psp FROM checkout c
                      WHERE c.merchant_id = p_now.merchant_id
                          AND c.checkout_id = p_now.checkout_id);
BEGIN
    IF p_news = 'authorized' THEN
        RETURN part_posting(p_now, v_source, 'authorized', v_psp,
            p_now.captured_minor, p_now.authorized_minor, p_request_id);
    END IF;

    RETURN part_posting(p_now, v_source, 'sale', v_psp, p_was.captured_minor,
            p_now.captured_minor - p_was.captured_minor, p_request_id)
        || part_posting(p_now, v_source, 'unauthorized', v_psp,
            p_now.amount_minor - p_was.authorized_minor,
            p_was.authorized_minor - p_now.authorized_minor, p_request_id);
END
$$;
COMMENT ON FUNCTION pay.manual_postings IS
    'Entries of an order that was authorised, sold or released as a whole';


-- Ends changes that a fact about the payment itself has settled: captures of an
-- order that is captured, cancellations of an order that has failed or was
-- released.  The cancellation of a page that is replaced waits until the PSP
-- has confirmed that the page is closed.
CREATE OR REPLACE FUNCTION pay.end_changes(p_facts fact[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_change change;
    v_word   fact;
BEGIN
    FOR v_change IN
        SELECT c.*
        FROM (SELECT DISTINCT f.merchant_id, f.checkout_id
              FROM unnest(p_facts) f) f
        CROSS JOIN LATERAL (
            SELECT c.* FROM change c
            WHERE c.merchant_id = f.merchant_id
                AND c.checkout_id = f.checkout_id
                AND c.status IN ('NOT_STARTED', 'EXECUTING')
                AND c.kind IN ('capture', 'cancel')
            OFFSET 0) c
        CROSS JOIN LATERAL find_order(c.merchant_id, c.payment_order_id) o
        WHERE CASE WHEN c.replaced_by IS NOT NULL
                  THEN o.status = 'FAILED' AND EXISTS (
                      SELECT FROM unnest(p_facts) x
                      WHERE x.merchant_id = c.merchant_id
                          AND x.checkout_id = c.checkout_id
                          AND x.kind IN ('expired', 'cancelled')
                          AND x.actor IN ('webhook', 'query', 'backfill'))
              WHEN c.kind = 'capture'
                  THEN o.captured_minor = o.amount_minor
                  ELSE o.status = 'FAILED' OR o.status = 'SUCCESS'
                      AND o.authorized_minor = 0 AND c.amount_minor
                          <= o.amount_minor - o.captured_minor END
    LOOP
        PERFORM set_change(v_change, 'SUCCESS', v_word);
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.end_changes IS
    'Ends the changes of orders that have reached the status that the changes '
    'lead to';
