-- The end of a call to a pay-out provider, and which call is next.  An outcome
-- that nobody knows stays so: the step is sent again under its key as long as
-- the provider remembers that, and is looked for behind it.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The fact that a provider's word is; NULL: it says nothing.
CREATE OR REPLACE FUNCTION pay.payout_word_fact(p_state text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE p_state
    WHEN 'sending' THEN 'accepted'
    WHEN 'cancelled' THEN 'failed'
    WHEN 'unknown' THEN NULL
    ELSE p_state END
$$;
COMMENT ON FUNCTION pay.payout_word_fact IS
    'The fact about an item that a provider''s word is';


-- Each pause is twice as long as the one before.
CREATE OR REPLACE FUNCTION pay.payout_pause(
    p_first_s int, p_most_s int, p_tries int)
RETURNS interval LANGUAGE sql IMMUTABLE AS $$
SELECT make_interval(secs => least(p_most_s,
                                   p_first_s * 2 ^ least(p_tries, 20)))
$$;
COMMENT ON FUNCTION pay.payout_pause IS 'How long to wait for the next call';


-- A send whose outcome is not known, or another one of a step that may have
-- arrived before: that this copy was refused proves nothing about the other.
CREATE OR REPLACE FUNCTION pay.judge_payout_send(
    p_row payout_sending, p_adapter payout_adapter, p_outcome text)
RETURNS payout_next LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_after payout_sending := p_row;
    v_fact  text;
    v_proof text;
    v_moves boolean := p_adapter.moves[p_row.step + 1];
    v_moved boolean := true = ANY (p_adapter.moves[1:p_row.step]);
BEGIN
    v_after.run_at := now() + payout_pause(2, 600, p_row.tries);

    IF p_outcome = 'unknown' AND v_moves THEN
        v_after.is_doubtful := true;
        v_fact := 'unknown';
    END IF;

    IF v_after.is_doubtful THEN
        -- the call is chosen when it is due, by the window
        RETURN ROW(v_after, v_fact, v_proof)::payout_next;
    ELSIF p_outcome = 'not_sent' AND NOT v_moved AND p_row.step = 0 THEN
        v_after.key_until := NULL;
        v_fact := 'not_sent';
    ELSIF p_outcome = 'refused' AND v_moved THEN
        v_after.call := 'cancel';
        v_after.run_at := now();
    ELSIF p_outcome = 'refused' THEN
        v_after.run_at := NULL;
        v_fact := 'failed';
        v_proof := 'refused';
    END IF;

    RETURN ROW(v_after, v_fact, v_proof)::payout_next;
END
$$;
COMMENT ON FUNCTION pay.judge_payout_send IS
    'The next call behind a send that has not gone well';


-- A look-up counts when it was complete and has found nothing, and when the
-- others are so far from it as the adapter demands: run_at sees to that.
CREATE OR REPLACE FUNCTION pay.judge_payout_find(
    p_row payout_sending, p_adapter payout_adapter, p_said payout_said)
RETURNS payout_next LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_after payout_sending := p_row;
    v_fact  text;
    v_proof text;
BEGIN
    v_after.run_at := now() + payout_pause(10, 3600, p_row.tries);

    IF p_said.outcome = 'unknown' AND p_said.next IS NOT NULL THEN
        v_after.cursor := p_said.next;
        v_after.run_at := now();
    ELSIF p_said.outcome = 'not_sent' AND p_said.code = 'not_found' THEN
        v_after.looks := p_row.looks + 1;
        v_after.run_at := now() + make_interval(secs => greatest(1,
                                                  p_adapter.gap_s));

        IF p_adapter.looks = 0 OR v_after.looks < p_adapter.looks THEN
            RETURN ROW(v_after, v_fact, v_proof)::payout_next;
        ELSIF true = ANY (p_adapter.moves[1:p_row.step]) THEN
            v_after.call := 'cancel';
            v_after.run_at := now();
        ELSE
            v_after.run_at := NULL;
            v_fact := 'failed';
            v_proof := 'not_found';
        END IF;
    END IF;

    RETURN ROW(v_after, v_fact, v_proof)::payout_next;
END
$$;
COMMENT ON FUNCTION pay.judge_payout_find IS
    'The next call behind a look-up that has not found the payment';


-- The provider has the step.
CREATE OR REPLACE FUNCTION pay.judge_payout_done(
    p_row payout_sending, p_adapter payout_adapter, p_said payout_said)
RETURNS payout_next LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_after payout_sending := p_row;
    v_fact  text;
    v_proof text;
BEGIN
    v_after.ids[p_row.step + 1] := p_said.reference;
    v_after.is_doubtful := false;
    v_after.key_until := NULL;
    v_after.looks := 0;
    v_after.tries := 0;
    v_fact := 'accepted';

    IF p_row.step + 1 < cardinality(p_adapter.moves) THEN
        v_after.step := p_row.step + 1;
        v_after.call := 'send';
        v_after.run_at := now();
    ELSE
        RETURN judge_payout_asked(v_after, p_adapter, ROW(p_said.outcome,
            p_said.code, p_said.reference,
            coalesce(nullif(p_said.state, 'unknown'), 'sending'),
            NULL)::payout_said);
    END IF;

    RETURN ROW(v_after, v_fact, v_proof)::payout_next;
END
$$;
COMMENT ON FUNCTION pay.judge_payout_done IS
    'The next call behind a step that the provider has';


-- The provider states how the payment stands.
CREATE OR REPLACE FUNCTION pay.judge_payout_asked(
    p_row payout_sending, p_adapter payout_adapter, p_said payout_said)
RETURNS payout_next LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_after payout_sending := p_row;
    v_fact  text;
    v_proof text;
BEGIN
    v_after.call := 'ask';
    v_after.run_at := now() + payout_pause(5, 3600, p_row.tries);
    v_fact := payout_word_fact(p_said.state);

    IF p_said.next IS NOT NULL AND v_fact IS NULL THEN
        v_after.cursor := p_said.next;
        v_after.run_at := now();
    ELSIF v_fact = 'failed' AND p_adapter.takes_back
        AND true = ANY (p_adapter.moves[1:p_row.step])
    THEN
        v_after.call := 'cancel';
        v_after.run_at := now();
        v_fact := NULL;
    ELSIF v_fact = 'failed' THEN
        v_proof := 'returned_by_provider';
    END IF;

    RETURN ROW(v_after, v_fact, v_proof)::payout_next;
END
$$;
COMMENT ON FUNCTION pay.judge_payout_asked IS
    'The next call behind a provider''s statement about a payment';


-- p_call: of the journal; the row may have learned more meanwhile.
CREATE OR REPLACE FUNCTION pay.judge_payout_call(
    p_row payout_sending, p_adapter payout_adapter, p_call text,
    p_said payout_said)
RETURNS payout_next LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_after payout_sending := p_row;
    v_fact  text;
    v_proof text;
BEGIN
    IF p_call IN ('send', 'find') AND p_said.outcome = 'done' THEN
        RETURN judge_payout_done(p_row, p_adapter, p_said);
    END IF;

    v_after.tries := p_row.tries + 1;
    v_after.cursor := NULL;

    IF p_call IN ('send', 'find') AND p_row.ids[p_row.step + 1] IS NOT NULL
    THEN
        -- a message has shown it meanwhile
        v_after.call := 'ask';
        v_after.run_at := now();
    ELSIF p_call = 'send' THEN
        RETURN judge_payout_send(v_after, p_adapter, p_said.outcome);
    ELSIF p_call = 'find' THEN
        RETURN judge_payout_find(v_after, p_adapter, p_said);
    ELSIF p_call = 'ask' AND p_said.outcome = 'done' THEN
        RETURN judge_payout_asked(v_after, p_adapter, p_said);
    ELSIF p_call = 'cancel' AND p_said.outcome = 'done' THEN
        v_after.run_at := NULL;
        v_fact := 'failed';
        v_proof := 'returned_by_provider';
    ELSE
        v_after.run_at := CASE
            WHEN p_call = 'cancel' AND p_said.outcome = 'refused' THEN NULL
            ELSE now() + payout_pause(10, 3600, p_row.tries) END;
    END IF;

    RETURN ROW(v_after, v_fact, v_proof)::payout_next;
END
$$;
COMMENT ON FUNCTION pay.judge_payout_call IS
    'The next call behind the end of a call: the row of its item as it is then, '
    'and the fact about the item with its v_proof, if there is one';


-- Behind paid the payment is asked for once a day, as long as it may come back:
-- some providers tell a return to nobody who does not ask.
CREATE OR REPLACE FUNCTION pay.rest_payout_sending(
    p_row payout_sending, p_adapter payout_adapter, p_told text)
RETURNS payout_sending LANGUAGE plpgsql AS $$
DECLARE
    v_payout payout;
BEGIN
    SELECT * INTO v_payout FROM payout p
    WHERE p.merchant_id = p_row.merchant_id
        AND p.payout_id = p_row.payout_id;

    IF p_told = 'contradiction'
        OR v_payout.state IN ('settled', 'returned', 'failed', 'cancelled')
    THEN
        p_row.run_at := NULL;
    ELSIF v_payout.state = 'paid' AND p_row.call = 'ask' THEN
        p_row.run_at := CASE
            WHEN v_payout.changed_at
                + make_interval(secs => p_adapter.return_s) > now()
            THEN now() + interval '1 day' END;
    END IF;

    RETURN p_row;
END
$$;
COMMENT ON FUNCTION pay.rest_payout_sending IS
    'When the next call about an item is due, by the state that it is in now';


-- The item is locked before its row, as everywhere.  A reference of an earlier
-- step is not the payment's.
CREATE OR REPLACE FUNCTION pay.take_payout_end(
    p_row payout_sending, p_adapter payout_adapter, p_number int,
    p_said payout_said, p_amount_minor bigint, p_currency text,
    p_account_end text, p_retry_s bigint)
RETURNS payout_sending LANGUAGE plpgsql AS $$
DECLARE
    v_call  payout_dispatch;
    v_after payout_sending;
    v_next  payout_next;
    v_told  text;
BEGIN
    UPDATE payout_dispatch d
    SET outcome = p_said.outcome, code = p_said.code,
        reference = p_said.reference, ended_at = clock_timestamp()
    WHERE d.merchant_id = p_row.merchant_id
        AND d.payout_id = p_row.payout_id AND d.number = p_number
        AND d.ended_at IS NULL
    RETURNING d.* INTO v_call;

    v_next := judge_payout_call(p_row, p_adapter, v_call.call, p_said);
    v_after := v_next.after;

    IF v_next.fact IS NOT NULL THEN
        v_told := tell_payout(p_row.merchant_id, p_row.payout_id,
            v_next.fact, 'gateway',
            CASE WHEN p_row.step + 1 = cardinality(p_adapter.moves)
                     AND v_call.call <> 'cancel' THEN p_said.reference END,
            v_next.proof, p_said.code, p_amount_minor, p_currency,
            p_account_end);
    END IF;

    v_after := rest_payout_sending(v_after, p_adapter, v_told);
    UPDATE payout_sending s
    SET call = v_after.call, step = v_after.step, ids = v_after.ids,
        cursor = v_after.cursor, key_until = v_after.key_until,
        is_doubtful = v_after.is_doubtful, looks = v_after.looks,
        tries = v_after.tries, lease_until = NULL,
        run_at = CASE WHEN p_said.code = 'lost' THEN
                     CASE WHEN v_after.run_at IS NOT NULL THEN now() END
                 ELSE greatest(v_after.run_at,
                     CASE WHEN v_after.run_at IS NOT NULL
                          THEN now() + make_interval(secs => p_retry_s) END)
                 END
    WHERE s.merchant_id = p_row.merchant_id
        AND s.payout_id = p_row.payout_id
    RETURNING s.* INTO v_after;

    RETURN v_after;
END
$$;
COMMENT ON FUNCTION pay.take_payout_end IS
    'Ends a call in the journal, tells its item, and sets the next call';
