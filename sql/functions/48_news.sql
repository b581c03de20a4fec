-- PSP events about captures and refunds, one at a time, for locked checkouts.
-- Each hear_… writes the effects on changes and on the order's money, and
-- returns an outcome and facts for record_facts().  Private to schema pay;
-- 49_dispute.sql has disputes and fees, 52_apply_change.sql the callers.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The source of an event, as the facts about it begin.
CREATE OR REPLACE FUNCTION pay.news_word(p_news news)
RETURNS fact LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ROW(0, NULL, p_news.merchant_id, p_news.checkout_id, '',
        CASE WHEN p_news.source IN ('backfill', 'replay', 'settlement') THEN 'webhook'
             ELSE p_news.source END,
        p_news.psp, p_news.event_id, p_news.type, p_news.code, NULL,
        p_news.object, NULL, NULL, p_news.request_id,
        jsonb_strip_nulls(jsonb_build_object('object', p_news.object,
            'via', CASE WHEN p_news.source IN ('backfill', 'replay', 'settlement')
                        THEN p_news.source END)),
        NULL, NULL, NULL)::fact;
END
$$;
COMMENT ON FUNCTION pay.news_word IS 'The word of a PSP, before it is judged';


-- A fact about one order, or about all of its checkout.
CREATE OR REPLACE FUNCTION pay.news_fact(
    p_news news, p_kind text, p_order_id text, p_postings posting[],
    p_more jsonb)
RETURNS fact LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_fact fact := news_word(p_news);
BEGIN
    v_fact.kind := p_kind;
    v_fact.reference := NULL;
    v_fact.order_id := p_order_id;
    v_fact.postings := p_postings;
    v_fact.detail := v_fact.detail || jsonb_strip_nulls(p_more);

    RETURN v_fact;
END
$$;
COMMENT ON FUNCTION pay.news_fact IS 'A PSP''s word as a fact';


-- Queues an event that contradicts the stored order: each webhook, but the
-- answers of queries once.
CREATE OR REPLACE FUNCTION pay.news_doubt(
    p_news news, p_why text, p_postings posting[] DEFAULT NULL,
    OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_fact fact := doubt(news_word(p_news), p_news.about, p_why,
        p_news.object, p_news.amount_minor, p_news.currency);
BEGIN
    outcome := CASE p_why WHEN 'contradiction' THEN p_why
                          ELSE 'mismatch' END;
    v_fact.reference := NULL;
    v_fact.postings := p_postings;
    facts := CASE WHEN p_news.source = 'query' AND EXISTS (
        SELECT FROM mismatch m
        WHERE m.merchant_id = p_news.merchant_id
            AND m.checkout_id = p_news.checkout_id
            AND m.kind = p_news.about AND m.why = p_why
            AND m.object IS NOT DISTINCT FROM p_news.object)
        THEN '{}' ELSE ARRAY[v_fact] END;
END
$$;
COMMENT ON FUNCTION pay.news_doubt IS
    'A PSP event about a capture or refund that contradicts what is stored';


-- An event may be stored under several event ids; the PSP's id of its subject
-- is one.
CREATE OR REPLACE FUNCTION pay.news_source(p_news news)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE (p_news).about WHEN 'dispute' THEN 'dispute/' ELSE 'event/' END
    || (p_news).psp || '/' || coalesce((p_news).object, (p_news).event_id,
                                       (p_news).reference, (p_news).token)
$$;
COMMENT ON FUNCTION pay.news_source IS
    'The source of entries of a refund that only a PSP event has made known';


-- An entry that is about no order.
CREATE OR REPLACE FUNCTION pay.psp_posting(
    p_news news, p_kind text, p_amount_minor bigint, p_currency text)
RETURNS posting[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY[ROW(p_news.merchant_id, news_source(p_news), p_kind,
        p_news.checkout_id, NULL, p_news.psp, NULL, p_amount_minor,
        p_currency, NULL, NULL, NULL, p_news.request_id)::posting];
END
$$;
COMMENT ON FUNCTION pay.psp_posting IS
    'An entry between accounts of a PSP';


-- The order of a checkout that has one; NULL when there are several.
CREATE OR REPLACE FUNCTION pay.only_order(
    p_merchant_id text, p_checkout_id text)
RETURNS payment_order LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_orders payment_order[];
BEGIN
    v_orders := ARRAY(
        SELECT o FROM payment_order o
        WHERE o.merchant_id = p_merchant_id
            AND o.checkout_id = p_checkout_id);

    RETURN CASE WHEN cardinality(v_orders) = 1 THEN v_orders[1] END;
END
$$;
COMMENT ON FUNCTION pay.only_order IS
    'The order that alone can own the money';


-- If the payment that a PSP names is one capture of several, the order that was
-- captured.
CREATE OR REPLACE FUNCTION pay.named_order(p_news news)
RETURNS payment_order LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_orders text[] := ARRAY(
        SELECT DISTINCT c.payment_order_id::text FROM change c
        WHERE c.merchant_id = p_news.merchant_id
            AND c.checkout_id = p_news.checkout_id AND c.kind = 'capture'
            AND c.psp = p_news.psp AND c.reference = p_news.reference);
    v_order  payment_order;
BEGIN
    IF cardinality(v_orders) <> 1 THEN
        RETURN only_order(p_news.merchant_id, p_news.checkout_id);
    END IF;

    SELECT * INTO v_order FROM find_order(p_news.merchant_id, v_orders[1]);

    RETURN v_order;
END
$$;
COMMENT ON FUNCTION pay.named_order IS
    'The order that a PSP event is about, if that is certain';


-- The change that an event is about: by our id, by the PSP's, or the oldest one
-- of this amount that the PSP may have and has not named yet.  The last way is
-- for PSPs that never echo our id; at others a refund without our id is not
-- ours ("-"), and one with another id is another one.  A change that is done
-- and has no PSP reference was matched to its duplicate (own_object).
CREATE OR REPLACE FUNCTION pay.change_meant(p_news news)
RETURNS change LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_change change;
BEGIN
    SELECT c.* INTO v_change FROM change c
    WHERE c.merchant_id = p_news.merchant_id
        AND c.checkout_id = p_news.checkout_id AND c.kind = p_news.about
        AND c.psp = p_news.psp
        AND (c.change_id = p_news.operation_id
             OR c.reference = p_news.object
             OR p_news.operation_id IS NULL AND p_news.news <> 'failed'
                AND p_news.about = 'refund'
                AND c.origin = 'merchant' AND c.reference IS NULL
                AND c.status <> 'FAILED'
                AND c.amount_minor = p_news.amount_minor
                AND EXISTS (
                    SELECT FROM dispatch d
                    WHERE d.merchant_id = c.merchant_id
                        AND d.checkout_id = c.checkout_id
                        AND d.operation = 'refund'
                        AND d.operation_id = c.change_id
                        -- a refusal of a repeat says nothing of the first send
                        AND (d.state IN ('OPEN', 'UNKNOWN', 'PENDING')
                             OR d.unsure)))
    ORDER BY (c.change_id = p_news.operation_id) IS TRUE DESC,
        (c.reference = p_news.object) IS TRUE DESC, c.status = 'SUCCESS',
        c.created_at LIMIT 1;

    RETURN v_change;
END
$$;
COMMENT ON FUNCTION pay.change_meant IS
    'The change that a PSP''s word is about, or NULL';


-- An event about a change that is known.  A final status counts once.  A refund
-- that was done may come back, and one that had failed may have been done after
-- all, as long as there is money that it can have been made of.  That does not
-- hold if an event of this very refund said that it failed: events arrive in
-- any sequence, and that one may be newer.
CREATE OR REPLACE FUNCTION pay.hear_change(
    p_change change, p_news news, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_open boolean := p_change.status IN ('NOT_STARTED', 'EXECUTING');
    v_to   text := CASE p_news.news WHEN 'pending' THEN 'EXECUTING'
                                    WHEN 'succeeded' THEN 'SUCCESS'
                                    ELSE 'FAILED' END;
BEGIN
    facts := '{}';
    outcome := 'unchanged';

    IF v_to = 'SUCCESS' AND p_change.kind = 'refund'
        AND p_change.reference <> p_news.object
    THEN
        -- a second one that was made of our request
        SELECT * INTO outcome, facts
        FROM news_doubt(p_news, 'contradiction');
    ELSIF v_open THEN
        outcome := CASE WHEN v_to = p_change.status THEN 'unchanged'
                        ELSE 'applied' END;
        facts := move_change(p_change, v_to, news_word(p_news));
        IF v_to = 'EXECUTING' AND p_news.object IS NOT NULL THEN
            PERFORM drop_change_job(p_change, 'pending');
        END IF;
    ELSIF v_to IN ('EXECUTING', p_change.status) THEN
        RETURN;
    ELSIF p_change.kind <> 'refund' OR p_change.returned
        OR v_to = 'SUCCESS' AND p_change.reference = p_news.object
    THEN
        SELECT * INTO outcome, facts
        FROM news_doubt(p_news, 'contradiction');
    ELSIF v_to = 'FAILED' OR (SELECT t.outcome = 'created'
        FROM find_order(p_change.merchant_id, p_change.payment_order_id) o,
            refund_terms(o, p_change.amount_minor) t)
    THEN
        outcome := 'applied';
        facts := move_change(p_change, v_to, news_word(p_news));
    ELSE
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'exceeds',
            psp_posting(p_news, 'unknown_refund', p_change.amount_minor,
                        p_change.currency));
    END IF;
END
$$;
COMMENT ON FUNCTION pay.hear_change IS
    'The effects of a PSP event about a change that is known';


-- A change that no merchant has requested here.
CREATE OR REPLACE FUNCTION pay.insert_outside(
    p_news news, p_order payment_order, p_amount_minor bigint)
RETURNS change LANGUAGE plpgsql AS $$
DECLARE
    v_change change;
BEGIN
    INSERT INTO change (merchant_id, change_id, checkout_id,
        payment_order_id, kind, origin, psp, amount_minor, currency,
        seller_minor, seller_currency, reference, request_id)
    VALUES (p_news.merchant_id, gen_random_uuid()::text, p_news.checkout_id,
        p_order.payment_order_id, p_news.about, 'psp', p_news.psp,
        p_amount_minor, p_order.currency,
        CASE p_news.about WHEN 'refund'
            THEN seller_share(p_order, p_amount_minor) END,
        CASE p_news.about WHEN 'refund'
            THEN coalesce(p_order.credit_currency, p_order.currency) END,
        p_news.object, p_news.request_id)
    RETURNING * INTO v_change;

    RETURN v_change;
END
$$;
COMMENT ON FUNCTION pay.insert_outside IS
    'A change that was made at the PSP';


-- One that is on its way holds its amount.
CREATE OR REPLACE FUNCTION pay.outside_pending(p_change change, p_news news)
RETURNS fact LANGUAGE plpgsql AS $$
DECLARE
    v_order payment_order;
BEGIN
    UPDATE payment_order o
    SET refunding_minor = o.refunding_minor + p_change.amount_minor
    WHERE o.merchant_id = p_change.merchant_id
        AND o.checkout_id = p_change.checkout_id
        AND o.payment_order_id = p_change.payment_order_id
    RETURNING * INTO v_order;

    PERFORM set_change(p_change, 'EXECUTING', news_word(p_news));

    RETURN change_fact(p_change, news_word(p_news), 'refund_sent',
        order_posting(v_order, 'change/' || p_change.change_id,
            'refund_reserved', p_change.psp, p_change.amount_minor,
            p_change.seller_minor, p_news.request_id));
END
$$;
COMMENT ON FUNCTION pay.outside_pending IS
    'A refund that was made at the PSP and is on its way';


-- A refund that we know nothing of.
CREATE OR REPLACE FUNCTION pay.outside_refund(
    p_news news, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_order  payment_order := named_order(p_news);
    v_split  record := split_orders(p_news);
    v_change change;
    v_why    text;
BEGIN
    IF p_news.news = 'failed' THEN
        SELECT * INTO outcome, facts FROM keep_failure(p_news, v_order);
        RETURN;
    ELSIF has_failed(p_news) THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'contradiction');
        RETURN;
    ELSIF coalesce(p_news.amount_minor, 0) = 0 THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'amount');
        RETURN;
    END IF;

    IF v_split.parts IS NOT NULL THEN
        outcome := 'applied';
        facts := lay_refund(p_news, v_split.orders, v_split.parts)
            || split_note(p_news);
        RETURN;
    END IF;

    v_why := CASE
        WHEN v_order.payment_order_id IS NULL THEN 'exceeds'
        WHEN (refund_terms(v_order, p_news.amount_minor)).outcome <> 'created'
            THEN 'exceeds' END;

    IF v_why IS NOT NULL THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, v_why,
            CASE p_news.news WHEN 'succeeded' THEN psp_posting(p_news,
                'unknown_refund', p_news.amount_minor, p_news.currency) END);
        RETURN;
    END IF;

    v_change := insert_outside(p_news, v_order, p_news.amount_minor);
    outcome := 'applied';
    facts := CASE p_news.news
        WHEN 'pending' THEN ARRAY[outside_pending(v_change, p_news)]
        ELSE move_change(v_change, 'SUCCESS', news_word(p_news)) END;
END
$$;
COMMENT ON FUNCTION pay.outside_refund IS
    'A refund that was made at the PSP';


-- The refund of a late payment was accepted and has failed, or has come back:
-- the money is in suspense again.  It goes out a second time only when an
-- operator has the dead letter tried again, and then under another key, since
-- the PSP answers the old one with the refund that has failed.  The fact is for
-- record_facts().
CREATE OR REPLACE FUNCTION pay.return_late_refund(
    p_news news, p_late late_success)
RETURNS fact LANGUAGE plpgsql AS $$
DECLARE
    v_fact fact := news_word(p_news);
BEGIN
    UPDATE late_success l
    SET state = 'refunding', refund_id = gen_random_uuid()
    WHERE l.merchant_id = p_late.merchant_id
        AND l.checkout_id = p_late.checkout_id;

    PERFORM open_dead_letter(ARRAY[p_late.merchant_id]::text[],
        ARRAY[p_late.checkout_id]::text[], ARRAY[p_late.psp]::text[], NULL,
        '{refund}', '{returned}', ARRAY[v_fact.code], NULL, NULL);

    v_fact.kind := 'late_refund_returned';
    v_fact.reference := NULL;
    v_fact.detail := jsonb_strip_nulls(jsonb_build_object(
        'refund_id', p_late.refund_id, 'refund_reference', p_news.object,
        'amount_minor', p_late.amount_minor, 'currency', p_late.currency));

    RETURN v_fact;
END
$$;
COMMENT ON FUNCTION pay.return_late_refund IS
    'Takes the paying back of a late payment back';


-- The refund of a late payment is not one of a sale.  A dead letter about it may
-- have been resolved before its outcome was known: the PSP's word still counts.
CREATE OR REPLACE FUNCTION pay.hear_late_refund(
    p_news news, p_late late_success, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_open boolean := p_late.state IN ('refunding', 'resolved');
BEGIN
    outcome := 'unchanged';
    facts := '{}';

    IF p_news.news = 'failed' AND has_failed(p_news) THEN
        RETURN;
    ELSIF p_news.news = 'failed' AND v_open THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'failed');
    ELSIF p_news.news = 'succeeded' AND has_failed(p_news) THEN
        SELECT * INTO outcome, facts
        FROM news_doubt(p_news, 'contradiction');
    ELSIF p_news.news = 'succeeded' AND v_open THEN
        outcome := 'applied';
        facts := settle_refunds(ARRAY[p_late.merchant_id]::text[],
            ARRAY[p_late.checkout_id]::text[],
            ARRAY[p_late.refund_id::text], ARRAY[p_news.object],
            ARRAY[p_news.request_id], '{1}');
    ELSIF p_news.news = 'failed' AND p_late.state = 'refunded' THEN
        outcome := 'applied';
        facts := ARRAY[return_late_refund(p_news, p_late)]
            || (news_doubt(p_news, 'failed')).facts;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.hear_late_refund IS
    'The effects of a PSP event about the refund of a late payment';


CREATE OR REPLACE FUNCTION pay.late_meant(p_news news)
RETURNS late_success LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_late late_success;
BEGIN
    SELECT l.* INTO v_late FROM late_success l
    WHERE l.merchant_id = p_news.merchant_id
        AND l.checkout_id = p_news.checkout_id
        AND (l.refund_id::text = p_news.operation_id
             OR EXISTS (
                 SELECT FROM dispatch d
                 WHERE d.merchant_id = l.merchant_id
                     AND d.checkout_id = l.checkout_id
                     AND d.operation = 'refund'
                     AND (d.reference = p_news.object
                          OR d.operation_id = p_news.operation_id)
                     AND NOT EXISTS (
                         SELECT FROM change c
                         WHERE c.merchant_id = d.merchant_id
                             AND c.change_id = d.operation_id))
             OR p_news.operation_id IS NULL
                AND l.state IN ('refunding', 'refunded')
                AND coalesce(p_news.amount_minor, l.amount_minor)
                    = l.amount_minor);

    RETURN v_late;
END
$$;
COMMENT ON FUNCTION pay.late_meant IS
    'The late payment whose refund a PSP event is about, or NULL';


-- A refund in suspense stays there until an event has our id.
CREATE OR REPLACE FUNCTION pay.hear_refund(
    p_news news, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_change change := change_meant(p_news);
    v_held   record := in_suspense(p_news.merchant_id, p_news.psp,
                                   p_news.object);
    v_parts  change[];
    v_late   late_success;
BEGIN
    IF v_change.change_id IS NULL THEN
        v_late := late_meant(p_news);
    END IF;

    IF v_held.amount_minor IS NOT NULL AND (
        v_change.reference = p_news.object
        OR v_change.reference IS NULL AND v_change.status <> 'FAILED'
            AND v_change.change_id = p_news.operation_id) IS NOT TRUE
    THEN
        SELECT * INTO outcome, facts FROM hear_suspended(p_news,
            v_held.amount_minor, v_held.currency, v_held.is_over,
            v_held.is_borne);
        RETURN;
    ELSIF v_change.origin = 'psp' THEN
        v_parts := parts_of(p_news.merchant_id, p_news.checkout_id,
                            p_news.psp, p_news.object);
    END IF;

    IF cardinality(v_parts) > 1 THEN
        SELECT * INTO outcome, facts FROM hear_parts(v_parts, p_news);
    ELSIF p_news.amount_minor <> v_change.amount_minor THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'amount');
    ELSIF v_change.change_id IS NOT NULL THEN
        SELECT * INTO outcome, facts FROM hear_own_refund(v_change, p_news);
    ELSIF v_late.checkout_id IS NOT NULL THEN
        SELECT * INTO outcome, facts FROM hear_late_refund(p_news, v_late);
    ELSE
        SELECT * INTO outcome, facts FROM outside_refund(p_news);
    END IF;
END
$$;
COMMENT ON FUNCTION pay.hear_refund IS
    'The effects of a PSP event about a refund';


-- Captures of a checkout that the PSP may have done and has not reported.
CREATE OR REPLACE FUNCTION pay.captures_out(
    p_merchant_id text, p_checkout_id text)
RETURNS change[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT c FROM change c
        WHERE c.merchant_id = p_merchant_id
            AND c.checkout_id = p_checkout_id AND c.kind = 'capture'
            AND c.status IN ('NOT_STARTED', 'EXECUTING')
            AND (c.reference IS NOT NULL OR EXISTS (
                SELECT FROM dispatch d
                WHERE d.merchant_id = c.merchant_id
                    AND d.checkout_id = c.checkout_id
                    AND d.operation = 'capture'
                    AND d.operation_id = c.change_id
                    AND d.state <> 'NOT_SENT'))
        ORDER BY c.created_at, c.change_id);
END
$$;
COMMENT ON FUNCTION pay.captures_out IS
    'Captures that are at the PSP, or may be';


-- p_left is the money that the PSP has captured and that none of our captures
-- explains: it was captured at the PSP.  With several orders its owner is not
-- certain, unless it is all of the money.
CREATE OR REPLACE FUNCTION pay.outside_captures(
    p_news news, p_left bigint, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_order payment_order;
BEGIN
    IF p_left <> (
        SELECT CASE WHEN count(*) = 1 THEN p_left
                    ELSE sum(o.amount_minor - o.captured_minor) END
        FROM payment_order o
        WHERE o.merchant_id = p_news.merchant_id
            AND o.checkout_id = p_news.checkout_id)
    THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'unknown');
        RETURN;
    END IF;

    facts := '{}';
    outcome := 'applied';

    FOR v_order IN
        SELECT o.* FROM payment_order o
        WHERE o.merchant_id = p_news.merchant_id
            AND o.checkout_id = p_news.checkout_id
            AND o.captured_minor < o.amount_minor
        ORDER BY o.position
    LOOP
        facts := facts || move_change(insert_outside(p_news, v_order, least(
            p_left, v_order.amount_minor - v_order.captured_minor)),
            'SUCCESS', news_word(p_news));
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.outside_captures IS
    'Captures that were made at the PSP';


-- A sum of captures.  The capture that it names is done, whatever the sum, as
-- events overtake each other.  Other open ones are done if together they are
-- the rest of the sum.  If they are not, each is reported in its turn, and a
-- webhook waits until it is (take_early).  A rest when none is open was
-- captured at the PSP.
CREATE OR REPLACE FUNCTION pay.take_captures(
    p_news news, p_named change, p_captured bigint, OUT outcome text,
    OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_word   fact := news_word(p_news);
    v_left   bigint := p_news.amount_minor - p_captured;
    v_out    change[];
    v_change change;
    v_more   record;
BEGIN
    facts := '{}';
    outcome := 'unchanged';

    IF p_named.change_id = p_news.operation_id
        AND p_named.amount_minor > p_news.amount_minor
    THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'amount');
        RETURN;
    ELSIF p_named.status IN ('NOT_STARTED', 'EXECUTING')
        AND (p_named.change_id = p_news.operation_id
             OR p_named.amount_minor <= v_left)
    THEN
        facts := move_change(p_named, 'SUCCESS', v_word);
        outcome := 'applied';
        v_left := v_left - p_named.amount_minor;
    END IF;

    v_out := captures_out(p_news.merchant_id, p_news.checkout_id);

    IF v_left <= 0 THEN
        RETURN;
    ELSIF v_out = '{}' THEN
        v_more := outside_captures(p_news, v_left);
        outcome := v_more.outcome;
        facts := facts || v_more.facts;
    ELSIF v_left = (SELECT sum(c.amount_minor) FROM unnest(v_out) c) THEN
        outcome := 'applied';
        -- the PSP's name is that of one of them
        v_word.reference := CASE WHEN cardinality(v_out) = 1
                                 THEN v_word.reference END;
        FOREACH v_change IN ARRAY v_out LOOP
            facts := facts || move_change(v_change, 'SUCCESS', v_word);
        END LOOP;
    ELSIF p_news.source <> 'query' THEN
        outcome := 'parked';
    END IF;
END
$$;
COMMENT ON FUNCTION pay.take_captures IS
    'The captures that a PSP''s sum of them is about';


-- amount is the sum of all captures so far.
CREATE OR REPLACE FUNCTION pay.hear_capture(
    p_news news, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_change   change := change_meant(p_news);
    v_captured bigint;
    v_total    bigint;
    v_manual   boolean;
BEGIN
    SELECT sum(o.captured_minor), sum(o.amount_minor),
        bool_and(c.capture = 'manual')
    INTO v_captured, v_total, v_manual
    FROM payment_order o
    JOIN checkout c ON c.merchant_id = o.merchant_id
        AND c.checkout_id = o.checkout_id
    WHERE o.merchant_id = p_news.merchant_id
        AND o.checkout_id = p_news.checkout_id;

    outcome := 'unchanged';
    facts := '{}';

    IF NOT v_manual THEN
        SELECT * INTO outcome, facts FROM hear_automatic(p_news, v_captured);
    ELSIF p_news.news <> 'succeeded' OR p_news.amount_minor IS NULL THEN
        IF v_change.change_id IS NOT NULL THEN
            SELECT * INTO outcome, facts
            FROM hear_own_capture(v_change, p_news);
        ELSIF p_news.news = 'failed' THEN
            SELECT * INTO outcome, facts FROM keep_failed_capture(p_news);
        ELSIF p_news.news = 'succeeded' THEN
            SELECT * INTO outcome, facts FROM news_doubt(p_news, 'amount');
        END IF;
    ELSIF p_news.amount_minor > v_total THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'exceeds');
    ELSE
        SELECT * INTO outcome, facts
        FROM take_captures(p_news, v_change, v_captured);
    END IF;
END
$$;
COMMENT ON FUNCTION pay.hear_capture IS
    'The effects of PSP events about captures';
