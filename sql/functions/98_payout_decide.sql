-- Operators end an item that no provider answers about, or whose bank's entries
-- do not say so that it came back.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The first operator asks, and a second one decides the same.  An answer of the
-- provider in between makes the question void, since the item has changed.
CREATE OR REPLACE FUNCTION pay.is_decision_asked(
    p_payout payout, p_detail jsonb, p_who text)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT EXISTS (
    SELECT FROM payout_act a
    WHERE a.merchant_id = p_payout.merchant_id AND a.subject = 'payout'
        AND a.subject_id = p_payout.payout_id AND a.act = 'asked'
        AND a.at >= p_payout.changed_at AND a.detail = p_detail
        AND lower(a.who) <> lower(p_who))
$$;
COMMENT ON FUNCTION pay.is_decision_asked IS
    'Whether another operator has asked for this decision about an item';


-- Nothing is sent any more.  A payment is asked about as others are, since it
-- may come back, and some providers tell that to nobody who does not ask: where
-- no answer has brought its reference, by that of the operators.
CREATE OR REPLACE FUNCTION pay.end_payout_sending(p_payout payout)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_row     payout_sending;
    v_adapter payout_adapter;
    v_ref     text := (
        SELECT p.provider_ref FROM payout p
        WHERE p.merchant_id = p_payout.merchant_id
            AND p.payout_id = p_payout.payout_id AND p.state = 'paid');
BEGIN
    SELECT s.* INTO v_row FROM payout_sending s
    WHERE s.merchant_id = p_payout.merchant_id
        AND s.payout_id = p_payout.payout_id
    FOR NO KEY UPDATE;
    SELECT * INTO v_adapter FROM payout_adapter a
    WHERE a.adapter = v_row.adapter;

    IF v_ref IS NOT NULL AND v_adapter.asks
        AND v_row.step + 1 = cardinality(v_adapter.moves)
        AND v_row.ids[v_row.step + 1] IS NULL
    THEN
        v_row.ids[v_row.step + 1] := v_ref;
        v_row.call := 'ask';
    END IF;

    v_row.run_at := NULL;
    v_row := rest_payout_sending(v_row, v_adapter, 'person');
    UPDATE payout_sending s
    SET call = v_row.call, ids = v_row.ids, run_at = v_row.run_at,
        is_doubtful = false
    WHERE s.merchant_id = p_payout.merchant_id
        AND s.payout_id = p_payout.payout_id;
END
$$;
COMMENT ON FUNCTION pay.end_payout_sending IS
    'Ends the calls about an item that operators have decided about';


-- p_fact: paid (p_ref: the provider's reference, if no answer has brought one),
-- failed, or, when the money has left, returned.  The word of two operators is
-- the proof.
CREATE OR REPLACE FUNCTION pay_ops.decide_payout(
    p_merchant_id text, p_payout_id text, p_fact text, p_ref text,
    p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_payout payout := lock_payout(p_merchant_id, p_payout_id);
    v_detail jsonb := jsonb_strip_nulls(
        jsonb_build_object('decision', p_fact, 'ref', p_ref));
    v_told   text;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why)
        OR (p_fact IN ('paid', 'failed', 'returned')) IS NOT TRUE
        OR p_ref IS NOT NULL AND NOT id_ok(p_ref)
    THEN
        RETURN 'invalid';
    ELSIF v_payout.payout_id IS NULL THEN
        RETURN 'not_found';
    ELSIF v_payout.state <> ALL (CASE p_fact
            WHEN 'returned' THEN '{sent,paid,settled}'
            ELSE '{sending,unknown}' END::text[])
    THEN
        RETURN 'no_way';
    ELSIF p_fact = 'paid' AND coalesce(v_payout.provider_ref, p_ref) IS NULL
        OR p_ref <> v_payout.provider_ref
    THEN
        RETURN 'other_ref';
    ELSIF lower(v_payout.made_by) = lower(p_who) THEN
        RETURN 'maker';
    ELSIF EXISTS (
        SELECT FROM payout_dispatch d
        WHERE d.merchant_id = p_merchant_id AND d.payout_id = p_payout_id
            AND d.ended_at IS NULL)
    THEN
        RETURN 'busy';
    ELSIF NOT is_decision_asked(v_payout, v_detail, p_who) THEN
        PERFORM keep_payout_act(p_merchant_id, 'payout', p_payout_id,
                                'asked', p_who, p_why, v_detail);
        RETURN 'second';
    END IF;

    v_told := tell_payout(p_merchant_id, p_payout_id, p_fact, p_who, p_ref,
        CASE p_fact WHEN 'failed' THEN 'person' END, p_why);
    PERFORM end_payout_sending(v_payout);

    RETURN v_told;
END
$$;
COMMENT ON FUNCTION pay_ops.decide_payout IS
    'Ends an item that was sent by the word of two operators: paid, failed, '
    'returned, '
    'second (another operator is needed), maker, other_ref (paid takes the '
    'provider''s reference, and no other one than the known), busy (a call is '
    'under way), no_way (not from its state), not_found or invalid';
