-- PSP events about captures beyond the captured sum (hear_capture): that one
-- capture was made by itself, and that no capture follows.  Private to schema
-- pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A single capture is known by the PSP's id of it.  A sum (from a query) may
-- have reported it before, without that id: a capture of the same amount is
-- taken for it; with any other amount operators decide.
CREATE OR REPLACE FUNCTION pay.name_capture(p_news news)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE change c
    SET reference = p_news.object
    WHERE (c.merchant_id, c.checkout_id, c.change_id) = (
        SELECT x.merchant_id, x.checkout_id, x.change_id FROM change x
        WHERE x.merchant_id = p_news.merchant_id
            AND x.checkout_id = p_news.checkout_id AND x.kind = 'capture'
            AND x.origin = 'psp' AND x.reference IS NULL
            AND x.amount_minor = p_news.amount_minor
        ORDER BY x.created_at LIMIT 1);

    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION pay.name_capture IS
    'Names a capture that was known as part of a sum; false: there is none';


-- Our captures are known by our id or the PSP's; until the PSP's is known, by
-- the amount (48_match.sql).
CREATE OR REPLACE FUNCTION pay.single_outside(
    p_news news, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_order   payment_order := only_order(p_news.merchant_id,
                                          p_news.checkout_id);
    v_ours    change := capture_of_amount(p_news);
    v_outside change;
    v_why     text;
BEGIN
    v_why := CASE
        WHEN p_news.object IS NULL OR v_order.payment_order_id IS NULL
            OR EXISTS (
                SELECT FROM change c
                WHERE c.merchant_id = p_news.merchant_id
                    AND c.checkout_id = p_news.checkout_id
                    AND c.kind = 'capture' AND c.origin = 'psp'
                    AND c.reference IS NULL) THEN 'unknown'
        WHEN v_order.captured_minor + p_news.amount_minor
            > v_order.amount_minor THEN 'exceeds' END;

    IF v_why IS NOT NULL THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, v_why);
    ELSE
        outcome := 'applied';
        v_outside := insert_outside(p_news, v_order, p_news.amount_minor);
        facts := move_change(v_outside, 'SUCCESS', news_word(p_news));

        IF v_ours.change_id IS NOT NULL THEN
            facts := facts || match_capture(v_ours, find_change(
                v_outside.merchant_id, v_outside.change_id),
                news_word(p_news), true);
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.single_outside IS
    'A capture without the id of any change; one of ours may be meant';


-- amount is that of this capture alone.
CREATE OR REPLACE FUNCTION pay.hear_single(
    p_news news, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_change change := change_meant(p_news);
BEGIN
    outcome := 'unchanged';
    facts := '{}';

    IF NOT (SELECT c.capture = 'manual' FROM checkout c
            WHERE c.merchant_id = p_news.merchant_id
                AND c.checkout_id = p_news.checkout_id)
    THEN
        RETURN;
    ELSIF v_change.change_id IS NULL THEN
        IF NOT name_capture(p_news) THEN
            SELECT * INTO outcome, facts FROM single_outside(p_news);
        END IF;
    ELSIF p_news.amount_minor <> v_change.amount_minor THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'amount');
    ELSE
        SELECT * INTO outcome, facts
        FROM hear_own_capture(v_change, p_news);
    END IF;
END
$$;
COMMENT ON FUNCTION pay.hear_single IS
    'The effects of a PSP event about a single capture';


-- The PSP captures by itself, and the payment was reported as paid.  When that
-- capture fails or will never be, the money does not come.  The order stays as it
-- is, because the PSP may capture again: operators decide.
CREATE OR REPLACE FUNCTION pay.hear_automatic(
    p_news news, p_captured bigint, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql STABLE AS $$
BEGIN
    outcome := 'unchanged';
    facts := '{}';

    IF p_news.news = 'failed' AND (p_captured > 0 OR EXISTS (
        SELECT FROM late_success l
        WHERE l.merchant_id = p_news.merchant_id
            AND l.checkout_id = p_news.checkout_id))
    THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'failed');
    END IF;
END
$$;
COMMENT ON FUNCTION pay.hear_automatic IS
    'The effects of a PSP event about a capture that nobody asked for';


-- Money that was captured had been authorised, whether or not the gateway has a
-- PSP event about that.  If it has, nothing is held any more after the last
-- capture.
CREATE OR REPLACE FUNCTION pay.is_untold(p_news news)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT bool_and(o.status IN ('NOT_STARTED', 'EXECUTING')
                        AND o.authorized_minor = 0
                        AND NOT is_booked(o.merchant_id,
                            'order/' || o.payment_order_id, 'authorized'))
            AND sum(o.captured_minor) BETWEEN 1 AND sum(o.amount_minor) - 1
        FROM payment_order o
        WHERE o.merchant_id = p_news.merchant_id
            AND o.checkout_id = p_news.checkout_id);
END
$$;
COMMENT ON FUNCTION pay.is_untold IS
    'Whether a part was captured of money that is not known to be held';


-- Whether a PSP event is the last one about the held money: of a sum, that the
-- ledger has the same sum.
CREATE OR REPLACE FUNCTION pay.hold_is_over(p_news news, p_word text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT (bool_or(o.authorized_minor > 0) OR is_untold(p_news))
            AND CASE p_word
            WHEN 'single' THEN sum(o.captured_minor) > 0
            WHEN 'ended' THEN sum(o.captured_minor) = p_news.amount_minor
            ELSE false END
        FROM payment_order o
        WHERE o.merchant_id = p_news.merchant_id
            AND o.checkout_id = p_news.checkout_id);
END
$$;
COMMENT ON FUNCTION pay.hold_is_over IS
    'Whether the PSP has released the money that it had not captured';


-- Books the authorisation before the first capture.  After the last one (ended,
-- single) the rest of the held money is released, as by the end of an
-- authorisation.
CREATE OR REPLACE FUNCTION pay.hear_captures(
    p_news news, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_word  text := p_news.news;
    v_first fact[] := '{}';
BEGIN
    IF v_word IN ('ended', 'single') THEN
        p_news.news := 'succeeded';
        IF coalesce(p_news.amount_minor, 0) = 0 THEN
            SELECT * INTO outcome, facts FROM news_doubt(p_news, 'amount');
            RETURN;
        END IF;
    END IF;

    IF v_word = 'single' THEN
        SELECT * INTO outcome, facts FROM hear_single(p_news);
    ELSE
        SELECT * INTO outcome, facts FROM hear_capture(p_news);
    END IF;

    IF outcome = 'applied' AND is_untold(p_news) THEN
        v_first := ARRAY[news_fact(p_news, 'authorized', NULL, NULL, '{}')];
    END IF;

    IF outcome IN ('applied', 'unchanged') AND hold_is_over(p_news, v_word)
    THEN
        outcome := 'applied';
        facts := facts || news_fact(p_news, 'cancelled', NULL, NULL, '{}');
    END IF;

    facts := v_first || facts;
END
$$;
COMMENT ON FUNCTION pay.hear_captures IS
    'The effects of PSP events about captures, and of those that follow from '
    'them';
