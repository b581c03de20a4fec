-- The operation end_payout_call: the end of a call to a pay-out provider, as
-- the adapter has read it.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.payout_said_ok(
    p_said payout_said, p_retry_s bigint)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(p_said.outcome IN ('done', 'refused', 'not_sent', 'unknown')
    AND octet_length(coalesce(p_said.code, '')) <= 64
    AND coalesce(octet_length(p_said.reference), 1) BETWEEN 1 AND 255
    AND coalesce(octet_length(p_said.next), 1) BETWEEN 1 AND 255
    AND coalesce(p_said.state, 'sent') IN ('sending', 'sent', 'paid',
        'returned', 'failed', 'cancelled', 'unknown')
    AND p_retry_s BETWEEN 0 AND 86400, false)
$$;
COMMENT ON FUNCTION pay.payout_said_ok IS
    'Whether an end of a call is one that an adapter can have read';


-- A worker that was taken for dead brings its answer: the provider has the
-- payment, so nothing is sent any more.  Where the item has ended meanwhile,
-- that is a contradiction.
CREATE OR REPLACE FUNCTION pay.take_late_payout_end(
    p_row payout_sending, p_call payout_dispatch, p_said payout_said)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_is_last boolean;
BEGIN
    IF p_call.outcome <> 'unknown' OR p_said.outcome <> 'done'
        OR p_call.call <> 'send'
    THEN
        RETURN;
    END IF;

    UPDATE payout_sending s
    SET ids[s.step + 1] = p_said.reference, call = 'ask',
        is_doubtful = false, run_at = now()
    FROM payout_adapter a
    WHERE s.merchant_id = p_row.merchant_id AND s.payout_id = p_row.payout_id
        AND a.adapter = s.adapter AND p_call.step = s.step
        AND s.step + 1 = cardinality(a.moves)
        AND s.ids[s.step + 1] IS NULL;
    v_is_last := FOUND;

    PERFORM tell_payout(p_row.merchant_id, p_row.payout_id, 'accepted',
        'gateway', CASE WHEN v_is_last THEN p_said.reference END, NULL,
        'late');
END
$$;
COMMENT ON FUNCTION pay.take_late_payout_end IS
    'Takes the answer to a call that has ended as lost';


CREATE OR REPLACE FUNCTION pay.end_one_payout_call(
    p_merchant_id text, p_payout_id text, p_number bigint,
    p_said payout_said, p_amount_minor bigint, p_currency text,
    p_account_end text, p_retry_s bigint)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_payout payout := lock_payout(p_merchant_id, p_payout_id);
    v_row    payout_sending;
    v_after  payout_sending;
    v_call   payout_dispatch;
BEGIN
    SELECT * INTO v_row FROM payout_sending s
    WHERE s.merchant_id = p_merchant_id AND s.payout_id = p_payout_id
    FOR NO KEY UPDATE;
    SELECT * INTO v_call FROM payout_dispatch d
    WHERE d.merchant_id = p_merchant_id AND d.payout_id = p_payout_id
        AND d.number = p_number;

    IF v_payout.payout_id IS NULL OR v_call.payout_id IS NULL THEN
        RETURN 'not_found';
    ELSIF p_said.outcome = 'done' AND p_said.reference IS NULL
        AND v_call.call IN ('send', 'find')
    THEN
        RETURN 'invalid';
    ELSIF v_call.ended_at IS NOT NULL THEN
        PERFORM take_late_payout_end(v_row, v_call, p_said);
        RETURN 'gone';
    END IF;

    v_after := take_payout_end(v_row, (
            SELECT a FROM payout_adapter a
            WHERE a.adapter = v_row.adapter),
        p_number::int, p_said, p_amount_minor, p_currency, p_account_end,
        p_retry_s);

    -- messages that came before the answer
    UPDATE payout_event e
    SET payout_id = p_payout_id, outcome = 'ask'
    WHERE e.merchant_id = p_merchant_id AND e.provider = v_row.provider
        AND p_said.reference IN (e.reference, e.parcel)
        AND e.outcome = 'waiting';
    IF FOUND AND v_after.call = 'ask' THEN
        UPDATE payout_sending s SET run_at = now()
        WHERE s.merchant_id = p_merchant_id AND s.payout_id = p_payout_id;
    END IF;

    RETURN 'stored';
END
$$;
COMMENT ON FUNCTION pay.end_one_payout_call IS
    'Ends a call: stored, gone (it has ended before), not_found or invalid';


CREATE OR REPLACE FUNCTION pay_api.end_payout_call(
    p_merchant_id text[], p_payout_id text[], p_number bigint[],
    p_outcome text[], p_code text[], p_reference text[], p_state text[],
    p_amount_minor bigint[], p_currency text[], p_account_end text[],
    p_next text[], p_retry_s bigint[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row  pay_api.outcome_row;
    v_said payout_said;
    v_item int;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_payout_id),
        array_dims(p_number), array_dims(p_outcome), array_dims(p_code),
        array_dims(p_reference), array_dims(p_state),
        array_dims(p_amount_minor), array_dims(p_currency),
        array_dims(p_account_end), array_dims(p_next),
        array_dims(p_retry_s));

    -- in the order of items, so that two batches cannot deadlock
    FOR v_item IN
        SELECT u.n FROM unnest(p_merchant_id, p_payout_id)
            WITH ORDINALITY AS u (merchant_id, payout_id, n)
        ORDER BY u.merchant_id, u.payout_id, u.n
    LOOP
        v_said := ROW(p_outcome[v_item], p_code[v_item],
            p_reference[v_item], p_state[v_item],
            p_next[v_item])::payout_said;
        v_row.item := v_item;
        v_row.outcome := CASE
            WHEN payout_said_ok(v_said, p_retry_s[v_item])
            THEN end_one_payout_call(p_merchant_id[v_item],
                p_payout_id[v_item], p_number[v_item], v_said,
                p_amount_minor[v_item], p_currency[v_item],
                p_account_end[v_item], p_retry_s[v_item])
            ELSE 'invalid' END;
        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.end_payout_call IS
    'Ends a call to a pay-out provider in the journal, applies the provider''s '
    'statement to its item, and sets the next call. Outcomes: stored, gone, '
    'not_found, invalid';
