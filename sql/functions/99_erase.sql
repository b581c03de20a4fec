-- The data of one buyer ends because the buyer has asked for it, whatever its age.
-- Orders, amounts, the ledger and the log know nobody and stay as they are.  The
-- act is a row of pay.console_act, and so an event of the sealed log; it does not
-- say whom it was about.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A payment that is under way still needs its buyer: a PSP may be asked again, a
-- reviewer looks, a dispute is answered.
CREATE OR REPLACE FUNCTION pay.needs_buyer(p_checkout checkout)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
            SELECT FROM orders_of(p_checkout.merchant_id,
                                  p_checkout.checkout_id) o
            WHERE o.status NOT IN ('SUCCESS', 'FAILED')
                OR o.authorized_minor > 0)
        OR EXISTS (
            SELECT FROM job j
            WHERE j.merchant_id = p_checkout.merchant_id
                AND j.checkout_id = p_checkout.checkout_id)
        OR EXISTS (
            SELECT FROM change c
            WHERE c.merchant_id = p_checkout.merchant_id
                AND c.checkout_id = p_checkout.checkout_id
                AND c.status NOT IN ('SUCCESS', 'FAILED'))
        OR EXISTS (
            SELECT FROM risk_review r
            WHERE r.merchant_id = p_checkout.merchant_id
                AND r.checkout_id = p_checkout.checkout_id
                AND r.state IN ('open', 'escalated'))
        OR EXISTS (
            SELECT FROM dispute d
            WHERE d.merchant_id = p_checkout.merchant_id
                AND d.checkout_id = p_checkout.checkout_id
                AND (d.state = 'open') IS TRUE);
END
$$;
COMMENT ON FUNCTION pay.needs_buyer IS
    'Whether something about a checkout is still to come that needs its buyer';


-- Only those that the storefront gave this very address or id with, so that an
-- id that many buyers share ends nobody else's data.
CREATE OR REPLACE FUNCTION pay.checkouts_of_buyer(
    p_merchant_id text, p_by text, p_value text)
RETURNS SETOF checkout LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_by = 'checkout' THEN
        RETURN QUERY
        SELECT * FROM checkout c
        WHERE c.merchant_id = p_merchant_id AND c.checkout_id = p_value;
    ELSE
        RETURN QUERY
        SELECT * FROM checkout c
        WHERE c.merchant_id = p_merchant_id AND CASE p_by
            WHEN 'email' THEN lower(c.buyer_info ->> 'email') = lower(p_value)
            ELSE c.buyer_info ->> 'id' = p_value END
        ORDER BY c.checkout_id LIMIT 1001;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.checkouts_of_buyer IS
    'The checkout of an id, or those of an address of mail or of a buyer''s id';


-- The checkouts are locked, and of one merchant.  Returns the rows of each class.
CREATE OR REPLACE FUNCTION pay.empty_checkouts(
    p_merchant_id text, p_checkouts text[])
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_rows  jsonb := '{}';
    v_count bigint;
    v_more  bigint;
BEGIN
    UPDATE checkout c
    SET buyer_info = NULL, credit_card_info = NULL, page = NULL
    WHERE c.merchant_id = p_merchant_id AND c.checkout_id = ANY (p_checkouts)
        AND num_nonnulls(c.buyer_info, c.credit_card_info, c.page) > 0;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_rows := v_rows || jsonb_build_object('buyer_info', v_count);

    UPDATE checkout c
    SET metadata = NULL
    WHERE c.merchant_id = p_merchant_id AND c.checkout_id = ANY (p_checkouts)
        AND c.metadata IS NOT NULL;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    UPDATE change c
    SET metadata = NULL
    WHERE c.merchant_id = p_merchant_id AND c.checkout_id = ANY (p_checkouts)
        AND c.metadata IS NOT NULL;
    GET DIAGNOSTICS v_more = ROW_COUNT;
    v_rows := v_rows || jsonb_build_object('metadata', v_count + v_more);

    UPDATE risk_decision d
    SET keys = NULL, has_address = false, counted = NULL, facts = NULL,
        features = NULL, buyer = NULL, device = NULL
    WHERE d.merchant_id = p_merchant_id AND d.checkout_id = ANY (p_checkouts)
        AND num_nonnulls(d.keys, d.facts, d.features, d.buyer, d.device) > 0;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_rows := v_rows || jsonb_build_object('risk_inputs', v_count);

    UPDATE risk_card c
    SET card = NULL, browser = NULL, waits = NULL
    WHERE c.merchant_id = p_merchant_id AND c.checkout_id = ANY (p_checkouts)
        AND num_nonnulls(c.card, c.browser, c.waits) > 0;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_rows := v_rows || jsonb_build_object('risk_cards', v_count);

    DELETE FROM risk_browser b
    WHERE b.merchant_id = p_merchant_id AND b.checkout_id = ANY (p_checkouts);
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_rows := v_rows || jsonb_build_object('risk_browsers', v_count);

    DELETE FROM webhook_body b
    USING (SELECT i.psp, i.digest FROM webhook_inbox i
           WHERE i.merchant_id = p_merchant_id
               AND i.checkout_id = ANY (p_checkouts)
               AND i.digest IS NOT NULL
           UNION
           -- events without a fact that name the payment
           SELECT i.psp, i.digest
           FROM psp_token t
           JOIN webhook_inbox i ON i.psp = t.psp AND i.checkout_id IS NULL
               AND i.reference = t.token
           WHERE t.merchant_id = p_merchant_id
               AND t.checkout_id = ANY (p_checkouts)
               AND i.state = 'ignored' AND i.fact = 'none'
               AND i.digest IS NOT NULL) i
    WHERE b.psp = i.psp AND b.digest = i.digest;
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_rows || jsonb_build_object('webhook_bodies', v_count);
END
$$;
COMMENT ON FUNCTION pay.empty_checkouts IS
    'Ends the data about buyers of checkouts';


CREATE OR REPLACE FUNCTION pay_ops.erase_buyer(
    p_merchant_id text, p_by text, p_value text, p_who text, p_why text)
RETURNS TABLE (outcome text, class text, ended bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_all   checkout[];
    v_ready text[];
    v_act   console_act;
    v_seq   int;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why)
        OR NOT coalesce(id_ok(p_merchant_id)
            AND p_by IN ('checkout', 'email', 'buyer')
            AND octet_length(p_value) BETWEEN 1 AND 320, false)
    THEN
        RETURN QUERY SELECT 'invalid', NULL, NULL::bigint;
        RETURN;
    END IF;

    v_all := ARRAY(SELECT c FROM checkouts_of_buyer(p_merchant_id, p_by,
                                                    p_value) c);
    IF v_all = '{}' OR cardinality(v_all) > 1000 THEN
        RETURN QUERY SELECT CASE WHEN v_all = '{}' THEN 'not_found'
                                 ELSE 'too_many' END, NULL, NULL::bigint;
        RETURN;
    END IF;

    -- an act of the console takes this lock before it locks checkouts, and an
    -- event locks the cards
    PERFORM pg_advisory_xact_lock(hashtext('console acts'));
    PERFORM FROM risk_card k
    WHERE k.merchant_id = p_merchant_id AND k.checkout_id = ANY (ARRAY(
        SELECT c.checkout_id::text FROM unnest(v_all) c))
    ORDER BY k.psp, k.attempt FOR UPDATE;
    PERFORM lock_checkouts(array_agg(c.merchant_id::text),
                           array_agg(c.checkout_id::text))
    FROM unnest(v_all) c;
    v_ready := ARRAY(
        SELECT c.checkout_id::text FROM unnest(v_all) c
        WHERE NOT needs_buyer(c) ORDER BY 1);

    v_act.answer := empty_checkouts(p_merchant_id, v_ready)
        || jsonb_build_object('under_way',
                              cardinality(v_all) - cardinality(v_ready));
    v_act.who := p_who;
    v_act.roles := jsonb_build_array(session_user);
    v_act.act := 'erase';
    v_act.object := CASE p_by WHEN 'checkout' THEN p_value
                              ELSE 'a buyer by ' || p_by END;
    v_act.merchant_id := p_merchant_id;
    v_act.checkout_id := CASE p_by WHEN 'checkout' THEN p_value END;
    v_act.reason := p_why;
    v_act.result := 'done';
    v_act.detail := jsonb_build_object('rows', v_act.answer, 'checkouts',
        cardinality(v_ready), 'checkouts_sha256', encode(sha256(convert_to(
            array_to_string(v_ready, E'\n'), 'UTF8')), 'hex'));
    v_act.fingerprint := sha256(convert_to(
        'erase ' || v_act.detail::text, 'UTF8'));

    v_seq := keep_console_act(v_act);

    RETURN QUERY
    SELECT 'done', r.key, r.value::bigint
    FROM jsonb_each_text(v_act.answer) r
    ORDER BY r.key = 'under_way', r.key;
END
$$;
COMMENT ON FUNCTION pay_ops.erase_buyer IS
    'Ends the data of one buyer, but for checkouts that are under way, and '
    'writes that down in the log: done with the rows of each class, not_found, '
    'too_many (more than 1,000 checkouts) or invalid';
