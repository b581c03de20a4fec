-- What a PSP says about disputes and fees, as 48_news.sql does it, and which
-- of all these a word is.  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The first that is heard of a dispute.  Where nobody can say whose money it
-- is, people decide; and where another checkout has just got it.
CREATE OR REPLACE FUNCTION pay.open_dispute(
    p_news news, OUT outcome text, OUT facts fact[], OUT is_ours boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_order  payment_order := named_order(p_news);
    v_fits   boolean := coalesce(p_news.amount_minor
        <= v_order.captured_minor - v_order.charged_back_minor, false);
    v_seller bigint := CASE WHEN v_fits
        THEN seller_share(v_order, p_news.amount_minor) END;
BEGIN
    INSERT INTO dispute (psp, dispute_id, merchant_id, checkout_id,
        payment_order_id, state, amount_minor, currency, seller_minor,
        seller_currency, code)
    VALUES (p_news.psp, p_news.object, p_news.merchant_id,
        p_news.checkout_id, CASE WHEN v_fits THEN v_order.payment_order_id
        END, 'open', p_news.amount_minor, p_news.currency, v_seller,
        CASE WHEN v_fits THEN coalesce(v_order.credit_currency,
                                       v_order.currency) END, p_news.code)
    ON CONFLICT (psp, dispute_id) DO NOTHING;
    is_ours := FOUND;

    IF NOT v_fits OR NOT is_ours THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news,
            CASE WHEN is_ours AND v_order.payment_order_id IS NOT NULL
                 THEN 'exceeds' ELSE 'unknown' END);
        RETURN;
    END IF;

    UPDATE payment_order o
    SET charged_back_minor = o.charged_back_minor + p_news.amount_minor
    WHERE o.merchant_id = p_news.merchant_id
        AND o.checkout_id = p_news.checkout_id
        AND o.payment_order_id = v_order.payment_order_id;

    outcome := 'applied';
    facts := ARRAY[news_fact(p_news, 'dispute_opened',
        v_order.payment_order_id, order_posting(v_order,
            news_source(p_news), 'dispute_opened', p_news.psp,
            p_news.amount_minor, v_seller, p_news.request_id),
        jsonb_build_object('dispute_id', p_news.object,
            'amount_minor', p_news.amount_minor,
            'currency', p_news.currency))];
END
$$;
COMMENT ON FUNCTION pay.open_dispute IS 'A buyer has disputed a payment';


CREATE OR REPLACE FUNCTION pay.end_dispute(
    p_news news, p_dispute dispute)
RETURNS fact LANGUAGE plpgsql AS $$
DECLARE
    v_order payment_order;
BEGIN
    UPDATE dispute d
    SET state = p_news.news, code = coalesce(p_news.code, d.code),
        changed_at = clock_timestamp()
    WHERE d.psp = p_dispute.psp AND d.dispute_id = p_dispute.dispute_id;

    UPDATE payment_order o
    SET charged_back_minor = o.charged_back_minor
        - CASE p_news.news WHEN 'won' THEN p_dispute.amount_minor ELSE 0 END
    WHERE o.merchant_id = p_dispute.merchant_id
        AND o.checkout_id = p_dispute.checkout_id
        AND o.payment_order_id = p_dispute.payment_order_id
    RETURNING * INTO v_order;

    RETURN news_fact(p_news, 'dispute_' || p_news.news,
        p_dispute.payment_order_id,
        CASE WHEN v_order.payment_order_id IS NOT NULL
            THEN order_posting(v_order, news_source(p_news),
                'dispute_' || p_news.news, p_dispute.psp,
                p_dispute.amount_minor, p_dispute.seller_minor,
                p_news.request_id)
            WHEN p_news.news = 'lost'
            THEN psp_posting(p_news, 'unknown_dispute',
                p_dispute.amount_minor, p_dispute.currency) END,
        jsonb_build_object('dispute_id', p_dispute.dispute_id,
            'amount_minor', p_dispute.amount_minor,
            'currency', p_dispute.currency));
END
$$;
COMMENT ON FUNCTION pay.end_dispute IS 'A dispute was decided';


-- Whatever it costs is booked once.
CREATE OR REPLACE FUNCTION pay.dispute_fee(p_news news)
RETURNS fact[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF coalesce(p_news.fee_minor, 0) = 0
        OR NOT is_currency(p_news.fee_currency)
        OR is_booked(p_news.merchant_id, news_source(p_news), 'psp_fee')
    THEN
        RETURN '{}';
    END IF;

    RETURN ARRAY[news_fact(p_news, 'fee', NULL, psp_posting(p_news,
        'psp_fee', p_news.fee_minor, p_news.fee_currency),
        jsonb_build_object('dispute_id', p_news.object,
            'amount_minor', p_news.fee_minor,
            'currency', p_news.fee_currency))];
END
$$;
COMMENT ON FUNCTION pay.dispute_fee IS 'What a PSP charges for a dispute';


CREATE OR REPLACE FUNCTION pay.is_booked(
    p_merchant_id text, p_source text, p_kind text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM journal_entry e
        WHERE e.merchant_id = p_merchant_id AND e.source = p_source
            AND e.kind = p_kind);
END
$$;
COMMENT ON FUNCTION pay.is_booked IS 'Whether the journal has this entry';


CREATE OR REPLACE FUNCTION pay.is_currency(p_currency text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM currency k WHERE k.code = p_currency);
END
$$;
COMMENT ON FUNCTION pay.is_currency IS 'Whether there is such a currency';


-- A decision may be the first that is heard of it.
CREATE OR REPLACE FUNCTION pay.hear_dispute(
    p_news news, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
DECLARE
    v_dispute dispute;
    v_new     boolean;
    v_ours    boolean := true;
BEGIN
    SELECT * INTO v_dispute FROM dispute d
    WHERE d.psp = p_news.psp AND d.dispute_id = p_news.object;
    v_new := NOT FOUND;

    outcome := 'unchanged';
    facts := '{}';

    IF p_news.object IS NULL OR (v_dispute.merchant_id,
        v_dispute.checkout_id) <> (p_news.merchant_id, p_news.checkout_id)
    THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'unknown');
        RETURN;
    ELSIF v_new AND coalesce(p_news.amount_minor, 0) = 0 THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'amount');
        RETURN;
    ELSIF v_new THEN
        SELECT * INTO outcome, facts, v_ours FROM open_dispute(p_news);
        SELECT * INTO v_dispute FROM dispute d
        WHERE d.psp = p_news.psp AND d.dispute_id = p_news.object;
    END IF;

    IF NOT v_ours THEN
        RETURN;
    ELSIF v_dispute.state = 'open' AND p_news.news <> 'opened' THEN
        facts := facts || end_dispute(p_news, v_dispute);
        outcome := CASE outcome WHEN 'mismatch' THEN outcome
                                ELSE 'applied' END;
    ELSIF p_news.news NOT IN ('opened', v_dispute.state) THEN
        SELECT * INTO outcome, facts
        FROM news_doubt(p_news, 'contradiction');
    END IF;

    facts := facts || dispute_fee(p_news);
END
$$;
COMMENT ON FUNCTION pay.hear_dispute IS 'What a PSP says about a dispute';


-- Charged, or given back.
CREATE OR REPLACE FUNCTION pay.hear_fee(
    p_news news, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_kind text := CASE p_news.news WHEN 'failed' THEN 'psp_fee_returned'
                                    ELSE 'psp_fee' END;
BEGIN
    outcome := 'unchanged';
    facts := '{}';

    IF coalesce(p_news.amount_minor, 0) = 0
        OR is_booked(p_news.merchant_id, news_source(p_news), v_kind)
    THEN
        RETURN;
    END IF;

    outcome := 'applied';
    facts := ARRAY[news_fact(p_news, 'fee', NULL, psp_posting(p_news, v_kind,
        p_news.amount_minor, p_news.currency),
        jsonb_build_object('amount_minor', p_news.amount_minor,
            'currency', p_news.currency,
            'returned', CASE WHEN p_news.news = 'failed' THEN true END))];
END
$$;
COMMENT ON FUNCTION pay.hear_fee IS 'What a PSP has charged';


-- Refunds, captures and disputes are in the currency that the buyer pays; a
-- fee may be in another one.
CREATE OR REPLACE FUNCTION pay.hear_news(
    p_news news, OUT outcome text, OUT facts fact[])
LANGUAGE plpgsql AS $$
BEGIN
    IF p_news.amount_minor IS NOT NULL AND NOT (CASE p_news.about
        WHEN 'fee' THEN is_currency(p_news.currency)
        ELSE coalesce(p_news.currency = (
            SELECT c.currency FROM checkout c
            WHERE c.merchant_id = p_news.merchant_id
                AND c.checkout_id = p_news.checkout_id), false) END)
    THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'currency');
        RETURN;
    END IF;

    CASE p_news.about
    WHEN 'refund' THEN
        SELECT * INTO outcome, facts FROM hear_refund(p_news);
    WHEN 'capture' THEN
        SELECT * INTO outcome, facts FROM hear_captures(p_news);
    WHEN 'dispute' THEN
        SELECT * INTO outcome, facts FROM hear_dispute(p_news);
    ELSE
        SELECT * INTO outcome, facts FROM hear_fee(p_news);
    END CASE;
END
$$;
COMMENT ON FUNCTION pay.hear_news IS
    'What a PSP says about what follows a sale';
