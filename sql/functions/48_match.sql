-- Captures that the merchant requested and that the PSP reports without our id.
-- Such a capture is booked as made at the PSP and matched with ours when the
-- PSP names it in its answer to our call, or by its amount until an answer
-- names it.  Refunds: 48_refund.sql.  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Finds ours as change_meant() does for refunds: without our id ("-" is an id
-- that is not ours), while our call may have arrived and no answer has named
-- the capture.
CREATE OR REPLACE FUNCTION pay.capture_of_amount(p_news news)
RETURNS change LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_change change;
BEGIN
    SELECT c.* INTO v_change
    FROM unnest(captures_out(p_news.merchant_id, p_news.checkout_id)) c
    WHERE p_news.operation_id IS NULL AND c.psp = p_news.psp
        AND c.origin = 'merchant' AND c.reference IS NULL
        AND c.amount_minor = p_news.amount_minor
    LIMIT 1;

    RETURN v_change;
END
$$;
COMMENT ON FUNCTION pay.capture_of_amount IS
    'The capture that may be meant by its amount alone, or NULL';


-- p_outside has ended, so p_change ends as it did; its money is booked.
CREATE OR REPLACE FUNCTION pay.match_capture(
    p_change change, p_outside change, p_word fact, p_by_amount boolean)
RETURNS fact LANGUAGE plpgsql AS $$
BEGIN
    UPDATE change c SET matched_to = p_change.change_id
    WHERE c.merchant_id = p_outside.merchant_id
        AND c.change_id = p_outside.change_id;

    UPDATE change c
    SET reference = p_outside.reference, by_amount = p_by_amount
    WHERE c.merchant_id = p_change.merchant_id
        AND c.change_id = p_change.change_id;

    p_word.reference := NULL;
    p_word.code := coalesce(p_outside.code, p_word.code);
    PERFORM set_change(p_change, p_outside.status, p_word);

    RETURN change_fact(p_change, p_word,
        CASE p_outside.status WHEN 'FAILED' THEN 'capture_failed'
                              ELSE 'capture_matched' END, NULL,
        jsonb_build_object('matched', p_outside.change_id,
            'by', CASE WHEN p_by_amount THEN 'amount' ELSE 'reference' END));
END
$$;
COMMENT ON FUNCTION pay.match_capture IS
    'Makes one of our capture and the one that was booked at the PSP';


-- Undoes a match by amount: the capture was not ours, and ours is open again.
CREATE OR REPLACE FUNCTION pay.part_capture(
    p_change change, p_word fact, OUT parted change, OUT told fact)
LANGUAGE plpgsql AS $$
DECLARE
    v_outside text;
BEGIN
    UPDATE change c SET matched_to = NULL
    WHERE c.merchant_id = p_change.merchant_id
        AND c.checkout_id = p_change.checkout_id
        AND c.matched_to = p_change.change_id
    RETURNING c.change_id INTO v_outside;

    UPDATE change c
    SET status = 'EXECUTING', reference = NULL, by_amount = false,
        changed_at = clock_timestamp()
    WHERE c.merchant_id = p_change.merchant_id
        AND c.change_id = p_change.change_id
    RETURNING c.* INTO parted;

    p_word.reference := NULL;
    p_word.code := NULL;
    told := change_fact(parted, p_word, 'capture_parted', NULL,
        jsonb_build_object('matched', v_outside));
END
$$;
COMMENT ON FUNCTION pay.part_capture IS
    'Undoes a match that was made by the amount alone';


-- The PSP names our capture (in its answer, or in an event with our id), or
-- says that there is none (p_is_none).  A match by amount is confirmed or
-- undone; a capture that was booked under that name before is ours.  If its
-- amount differs, the PSP has made another capture than the merchant requested,
-- which operators decide.
CREATE OR REPLACE FUNCTION pay.sort_capture(
    p_change change, p_name text, p_word fact, p_is_none boolean,
    OUT sorted change, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_parted  record;
    v_outside change;
BEGIN
    sorted := p_change;
    facts := '{}';

    IF p_name IS NULL AND NOT (p_is_none AND p_change.by_amount) THEN
        RETURN;
    ELSIF p_change.by_amount AND p_change.reference = p_name THEN
        UPDATE change c SET by_amount = false
        WHERE c.merchant_id = p_change.merchant_id
            AND c.change_id = p_change.change_id
        RETURNING c.* INTO sorted;
        RETURN;
    ELSIF p_change.by_amount THEN
        v_parted := part_capture(p_change, p_word);
        sorted := v_parted.parted;
        facts := ARRAY[v_parted.told];
        IF p_name IS NULL THEN
            PERFORM start_job(p_change.merchant_id, p_change.checkout_id,
                              'change', p_change.change_id);
        END IF;
    END IF;

    SELECT c.* INTO v_outside FROM change c
    WHERE c.merchant_id = sorted.merchant_id
        AND c.checkout_id = sorted.checkout_id AND c.kind = 'capture'
        AND c.origin = 'psp' AND c.psp = sorted.psp
        AND c.reference = p_name AND c.matched_to IS NULL
        -- captures that were there before the request are not ours
        AND c.created_at >= sorted.created_at;

    IF v_outside.change_id IS NULL
        OR sorted.status NOT IN ('NOT_STARTED', 'EXECUTING')
    THEN
        RETURN;
    ELSIF v_outside.amount_minor = sorted.amount_minor
        OR v_outside.status = 'FAILED'
    THEN
        facts := facts || match_capture(sorted, v_outside, p_word, false);
    ELSE
        p_word.code := 'amount';
        facts := facts || move_change(sorted, 'FAILED', p_word)
            || doubt(change_fact(sorted, p_word, '', NULL), 'capture',
                'amount', p_name, v_outside.amount_minor,
                v_outside.currency);
    END IF;

    sorted := find_change(sorted.merchant_id, sorted.change_id);
END
$$;
COMMENT ON FUNCTION pay.sort_capture IS
    'Separates our capture from one that was matched to it, or to another one';


-- A capture that is known, by our id or the PSP's: an event with our id says
-- which of the PSP's captures is ours.
CREATE OR REPLACE FUNCTION pay.hear_own_capture(
    p_change change, p_news news, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_sorted record;
    v_heard  record;
BEGIN
    v_sorted := sort_capture(p_change, CASE WHEN p_change.change_id
        = p_news.operation_id THEN p_news.object END, news_word(p_news),
        false);
    v_heard := hear_change(v_sorted.sorted, p_news);

    facts := v_sorted.facts || v_heard.facts;
    outcome := CASE WHEN v_sorted.facts <> '{}' THEN 'applied'
                    ELSE v_heard.outcome END;
END
$$;
COMMENT ON FUNCTION pay.hear_own_capture IS
    'The effects of a PSP event about a capture that is known';


-- A capture that has failed before any event has named it may be ours: the
-- failure is kept for the answer to our call, since no other event will report
-- its end.
CREATE OR REPLACE FUNCTION pay.keep_failed_capture(
    p_news news, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_ours   change;
    v_order  payment_order;
    v_change change;
BEGIN
    outcome := 'unchanged';
    facts := '{}';

    SELECT c.* INTO v_ours
    FROM unnest(captures_out(p_news.merchant_id, p_news.checkout_id)) c
    WHERE p_news.operation_id IS NULL AND c.psp = p_news.psp
        AND c.reference IS NULL
    LIMIT 1;

    IF v_ours.change_id IS NULL OR p_news.object IS NULL THEN
        RETURN;
    END IF;

    SELECT * INTO v_order
    FROM find_order(v_ours.merchant_id, v_ours.payment_order_id);
    v_change := insert_outside(p_news, v_order, coalesce(
        nullif(p_news.amount_minor, 0), v_ours.amount_minor));
    PERFORM set_change(v_change, 'FAILED', news_word(p_news));

    outcome := 'applied';
    facts := ARRAY[change_fact(v_change, news_word(p_news),
                               'capture_failed', NULL)];
END
$$;
COMMENT ON FUNCTION pay.keep_failed_capture IS
    'A capture of which nothing is known but that it has failed';
