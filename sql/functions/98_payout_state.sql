-- The states of items, and the entries that go with them.  Each step locks the
-- item, moves it, and books last, since post() locks the wallets.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.lock_payout(
    p_merchant_id text, p_payout_id text)
RETURNS payout LANGUAGE sql AS $$
SELECT p FROM payout p
WHERE p.merchant_id = p_merchant_id AND p.payout_id = p_payout_id
FOR NO KEY UPDATE
$$;
COMMENT ON FUNCTION pay.lock_payout IS 'An item, locked; NULL: there is none';


-- Moves an item whose money stays where it is.
CREATE OR REPLACE FUNCTION pay.move_payout(
    p_payout payout, p_state text, p_who text, p_why text,
    p_detail jsonb DEFAULT '{}')
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payout p
    SET state = p_state, reason = p_why, changed_at = clock_timestamp()
    WHERE p.merchant_id = p_payout.merchant_id
        AND p.payout_id = p_payout.payout_id;
    PERFORM keep_payout_act(p_payout.merchant_id, 'payout',
        p_payout.payout_id, p_state, p_who, p_why, p_detail);
END
$$;
COMMENT ON FUNCTION pay.move_payout IS
    'Moves an item to a state, and keeps the act';


-- Ends an item that paid nothing, or whose money came back: its key is void and
-- its lines are open again.  The caller posts the entry that is returned, in the
-- same commit.  p_state: cancelled, failed (p_proof: how it is known that
-- nothing was paid) or returned.
CREATE OR REPLACE FUNCTION pay.void_payout(
    p_payout payout, p_state text, p_proof text, p_who text, p_why text,
    p_detail jsonb DEFAULT '{}')
RETURNS posting LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payout p
    SET state = p_state, reason = p_why, proof = p_proof,
        voided_at = clock_timestamp(), changed_at = clock_timestamp()
    WHERE p.merchant_id = p_payout.merchant_id
        AND p.payout_id = p_payout.payout_id;

    UPDATE payout_part t SET is_live = false
    WHERE t.merchant_id = p_payout.merchant_id
        AND t.payout_id = p_payout.payout_id;
    UPDATE payout_line l SET is_open = true
    FROM payout_part t
    WHERE t.merchant_id = p_payout.merchant_id
        AND t.payout_id = p_payout.payout_id
        AND l.merchant_id = t.merchant_id
        AND l.seller_account = t.seller_account
        AND l.currency = t.currency AND l.wallet_seq = t.wallet_seq;

    PERFORM keep_payout_act(p_payout.merchant_id, 'payout',
        p_payout.payout_id, p_state, p_who, p_why,
        p_detail || jsonb_build_object('proof', p_proof),
        'payout.' || p_state);

    RETURN payout_posting(p_payout,
        CASE p_state WHEN 'returned' THEN 'payout_returned'
                     ELSE 'payout_released' END);
END
$$;
COMMENT ON FUNCTION pay.void_payout IS
    'Ends an item whose money is the seller''s again: the entry to be posted';


-- An item that was approved before its hold is approved anew behind it.
CREATE OR REPLACE FUNCTION pay.leave_payout_batch(p_payout payout)
RETURNS void LANGUAGE sql AS $$
UPDATE payout p SET batch_id = NULL
FROM payout_batch b
WHERE p.merchant_id = p_payout.merchant_id
    AND p.payout_id = p_payout.payout_id
    AND b.merchant_id = p.merchant_id AND b.batch_id = p.batch_id
    AND b.state <> 'open'
$$;
COMMENT ON FUNCTION pay.leave_payout_batch IS
    'Takes an item out of a batch that is approved or closed';


-- A hold of one item, until an operator ends it.
CREATE OR REPLACE FUNCTION pay_ops.hold_payout(
    p_merchant_id text, p_payout_id text, p_holds boolean, p_who text,
    p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_payout payout;
BEGIN
    -- a hold of that name is the screening's, and ends with its findings
    IF NOT is_statement(p_who) OR NOT is_statement(p_why)
        OR p_holds IS NULL OR p_holds AND p_why = 'screening'
    THEN
        RETURN 'invalid';
    END IF;

    v_payout := lock_payout(p_merchant_id, p_payout_id);
    IF v_payout.payout_id IS NULL THEN
        RETURN 'not_found';
    ELSIF v_payout.state <> ALL (CASE WHEN p_holds THEN '{ready,approved}'
                                      ELSE '{held}' END::text[])
        OR v_payout.reason = 'screening' AND NOT p_holds
    THEN
        RETURN 'no_way';
    END IF;

    PERFORM move_payout(v_payout, CASE WHEN p_holds THEN 'held'
                                       ELSE 'ready' END, p_who, p_why);
    IF NOT p_holds THEN
        PERFORM leave_payout_batch(v_payout);
    END IF;

    RETURN CASE WHEN p_holds THEN 'held' ELSE 'ready' END;
END
$$;
COMMENT ON FUNCTION pay_ops.hold_payout IS
    'Holds an item, or ends the hold: held, ready, no_way (not from its '
    'state), not_found or invalid';


-- Nothing has gone out to a provider yet, so no proof is needed.
CREATE OR REPLACE FUNCTION pay_ops.cancel_payout(
    p_merchant_id text, p_payout_id text, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_payout payout;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    v_payout := lock_payout(p_merchant_id, p_payout_id);
    IF v_payout.payout_id IS NULL THEN
        RETURN 'not_found';
    ELSIF v_payout.state NOT IN ('draft', 'held', 'ready', 'approved')
    THEN
        RETURN 'no_way';
    END IF;

    PERFORM post(ARRAY[void_payout(v_payout, 'cancelled', NULL, p_who,
                                   p_why)]);

    RETURN 'cancelled';
END
$$;
COMMENT ON FUNCTION pay_ops.cancel_payout IS
    'Gives up an item before it is sent; its money is available again: '
    'cancelled, no_way (not from its state), not_found or invalid';
