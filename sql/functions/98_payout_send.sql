-- Sending: an item begins to be sent under an approval that still holds, and
-- each answer and message of its provider is a fact.  A fact in the wrong order
-- changes nothing, and one that cannot be true is kept for an operator.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Why an approved item is not sent now: stopped, account or hold; NULL: it is.
CREATE OR REPLACE FUNCTION pay.sending_stop(p_payout payout)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT CASE
    WHEN v.stopped_at IS NOT NULL THEN 'stopped'
    WHEN a.state <> 'open' THEN 'account'
    WHEN EXISTS (
        SELECT FROM payout_hold h
        WHERE h.merchant_id = p_payout.merchant_id
            AND h.seller_account = p_payout.seller_account
            AND h.payment_order_id = '') THEN 'hold' END
FROM payout_provider v, payout_account a
WHERE v.merchant_id = p_payout.merchant_id
    AND v.provider = p_payout.provider
    AND a.merchant_id = p_payout.merchant_id
    AND a.destination_id = p_payout.destination_id
$$;
COMMENT ON FUNCTION pay.sending_stop IS
    'Why an approved item is not sent: stopped, account or hold';


-- The batch is locked first, as in an approval.
CREATE OR REPLACE FUNCTION pay.begin_payout(
    p_merchant_id text, p_payout_id text, p_who text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_batch  payout_batch;
    v_payout payout;
    v_stop   text;
BEGIN
    SELECT b.* INTO v_batch
    FROM payout p
    JOIN payout_batch b ON b.merchant_id = p.merchant_id
        AND b.batch_id = p.batch_id
    WHERE p.merchant_id = p_merchant_id AND p.payout_id = p_payout_id
    FOR UPDATE OF b;
    v_payout := lock_payout(p_merchant_id, p_payout_id);

    IF v_payout.payout_id IS NULL THEN
        RETURN 'not_found';
    ELSIF v_payout.state <> 'approved' THEN
        RETURN 'no_way';
    ELSIF v_batch.batch_id IS DISTINCT FROM v_payout.batch_id THEN
        RETURN 'again';
    ELSIF v_batch.state <> 'approved' OR v_batch.until <= now() THEN
        PERFORM close_payout_batch(p_merchant_id, v_batch.batch_id,
            CASE v_batch.state WHEN 'withdrawn' THEN 'withdrawn'
                               ELSE 'expired' END, p_who, 'too late');
        RETURN 'expired';
    END IF;

    v_stop := sending_stop(v_payout);
    IF v_stop = 'stopped' THEN
        RETURN 'stopped';
    ELSIF v_stop IS NOT NULL THEN
        PERFORM move_payout(v_payout, 'held', p_who, v_stop);
        RETURN 'held';
    ELSIF hold_by_screening(v_payout) THEN
        RETURN 'held';
    END IF;

    PERFORM move_payout(v_payout, 'sending', p_who, NULL);

    RETURN 'sending';
END
$$;
COMMENT ON FUNCTION pay.begin_payout IS
    'Begins to send an item: sending, held (its seller or its account is), '
    'stopped (the provider is), expired (the approval; it is ready again), '
    'again (its batch has changed), no_way (not from its state) or not_found';


-- A return counts against the account that the item went to.
CREATE OR REPLACE FUNCTION pay.suspect_account(p_payout payout, p_who text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
BEGIN
    UPDATE payout_account a
    SET returns = a.returns + 1,
        state = CASE
            WHEN a.state IN ('closed', 'blocked')
                OR a.version <> p_payout.destination_version THEN a.state
            WHEN a.returns > 0 THEN 'blocked'
            ELSE 'suspect' END
    WHERE a.merchant_id = p_payout.merchant_id
        AND a.destination_id = p_payout.destination_id
    RETURNING a.state INTO v_state;
    PERFORM keep_payout_act(p_payout.merchant_id, 'destination',
        p_payout.destination_id, 'returned', p_who, NULL,
        jsonb_build_object('payout_id', p_payout.payout_id,
            'state', v_state), 'destination.' || v_state);
END
$$;
COMMENT ON FUNCTION pay.suspect_account IS
    'Makes the account of a returned item suspect; a second return blocks it';


-- Whether the provider means this item: its amount, its currency and the end of
-- the account's number, as far as it says them.
CREATE OR REPLACE FUNCTION pay.is_echo(
    p_payout payout, p_amount_minor bigint, p_currency text,
    p_account_end text)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT coalesce(p_amount_minor = p_payout.amount_minor, true)
    AND coalesce(p_currency = p_payout.currency, true)
    AND (p_account_end IS NULL OR d.kind = 'payee' OR d.shown LIKE '%…'
         OR right(d.shown, 4) = right(p_account_end, 4))
FROM payout_destination d
WHERE d.merchant_id = p_payout.merchant_id
    AND d.destination_id = p_payout.destination_id
    AND d.version = p_payout.destination_version
$$;
COMMENT ON FUNCTION pay.is_echo IS
    'Whether the provider repeats the terms of an item';


-- The meaning of a fact for an item in its state: the state that it goes to,
-- unchanged, or contradiction: the provider has paid an item whose money the
-- seller has again, or one that nobody has sent.
CREATE OR REPLACE FUNCTION pay.judge_payout(p_state text, p_fact text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN p_state IN ('failed', 'returned', 'cancelled', 'draft', 'held',
                     'ready', 'approved')
    THEN CASE WHEN p_fact IN ('sent', 'paid', 'settled')
                   AND p_state <> 'returned'
                   OR p_fact = 'accepted' AND p_state <> 'returned'
              THEN 'contradiction' ELSE 'unchanged' END
    WHEN p_state IN ('sending', 'unknown') THEN CASE
        WHEN p_fact = 'accepted' AND p_state = 'unknown' THEN 'sending'
        WHEN p_fact = 'not_sent' AND p_state = 'sending' THEN 'approved'
        WHEN p_fact = 'unknown' AND p_state = 'sending' THEN 'unknown'
        WHEN p_fact IN ('sent', 'paid', 'settled', 'failed', 'returned')
        THEN p_fact
        ELSE 'unchanged' END
    WHEN p_fact IN ('failed', 'returned') THEN 'returned'
    WHEN p_fact = 'paid' AND p_state = 'sent' THEN 'paid'
    WHEN p_fact = 'settled' AND p_state <> 'settled' THEN 'settled'
    ELSE 'unchanged' END
$$;
COMMENT ON FUNCTION pay.judge_payout IS
    'Where a fact takes an item: a state, unchanged or contradiction';


-- Moves an item, and books.  The proof that the money has left comes first,
-- even where the provider reports the end alone.
CREATE OR REPLACE FUNCTION pay.apply_payout_fact(
    p_payout payout, p_state text, p_ref text, p_proof text, p_who text,
    p_code text, p_detail jsonb)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_postings posting[] := '{}';
BEGIN
    IF p_state IN ('sent', 'paid', 'settled', 'returned')
        AND p_payout.state IN ('sending', 'unknown')
    THEN
        UPDATE payout p SET state = 'sent', provider_ref = p_ref
        WHERE p.merchant_id = p_payout.merchant_id
            AND p.payout_id = p_payout.payout_id;
        v_postings := ARRAY[payout_posting(p_payout, 'payout_sent')];
    ELSE
        UPDATE payout p SET provider_ref = p_ref
        WHERE p.merchant_id = p_payout.merchant_id
            AND p.payout_id = p_payout.payout_id;
    END IF;

    IF p_state IN ('failed', 'returned') THEN
        v_postings := v_postings || void_payout(p_payout, p_state,
            CASE p_state WHEN 'failed' THEN p_proof END, p_who, p_code,
            p_detail);
    ELSE
        PERFORM move_payout(p_payout, p_state, p_who, p_code, p_detail);
    END IF;
    IF p_state = 'returned' THEN
        PERFORM suspect_account(p_payout, p_who);
    END IF;

    PERFORM post(v_postings);
END
$$;
COMMENT ON FUNCTION pay.apply_payout_fact IS
    'Moves an item to a state that a fact has led to, and books the entries';


-- p_proof: how it is known that a failed item was not paid; without it the item
-- is unknown, whatever the provider answers.  p_account_end: the last characters
-- of the account's number as the provider repeats them.
CREATE OR REPLACE FUNCTION pay.tell_payout(
    p_merchant_id text, p_payout_id text, p_fact text, p_who text,
    p_ref text DEFAULT NULL, p_proof text DEFAULT NULL,
    p_code text DEFAULT NULL, p_amount_minor bigint DEFAULT NULL,
    p_currency text DEFAULT NULL, p_account_end text DEFAULT NULL)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_payout payout := lock_payout(p_merchant_id, p_payout_id);
    v_ref    text := coalesce(v_payout.provider_ref, p_ref);
    v_next   text;
    v_detail jsonb := jsonb_build_object('fact', p_fact, 'ref', p_ref,
        'code', p_code, 'amount_minor', p_amount_minor,
        'currency', p_currency);
BEGIN
    IF v_payout.payout_id IS NULL THEN
        RETURN 'not_found';
    ELSIF (p_fact IN ('accepted', 'not_sent', 'sent', 'paid', 'settled',
                      'failed', 'returned', 'unknown')) IS NOT TRUE
        OR p_fact IN ('sent', 'paid', 'settled') AND v_ref IS NULL
    THEN
        RETURN 'invalid';
    END IF;

    v_next := CASE
        WHEN p_ref <> v_payout.provider_ref
            OR NOT is_echo(v_payout, p_amount_minor, p_currency,
                           p_account_end)
        THEN 'contradiction'
        ELSE judge_payout(v_payout.state, p_fact) END;
    IF v_next = 'failed' AND p_proof IS NULL THEN
        v_next := CASE v_payout.state WHEN 'sending' THEN 'unknown'
                                      ELSE 'unchanged' END;
    END IF;

    IF v_next = 'contradiction' THEN
        PERFORM keep_payout_act(p_merchant_id, 'payout', p_payout_id,
            'contradiction', p_who, p_code, v_detail,
            'payout.contradiction');
        IF v_payout.state = 'sending' THEN
            PERFORM move_payout(v_payout, 'unknown', p_who,
                                'contradiction');
        END IF;
    ELSIF v_next <> 'unchanged' THEN
        PERFORM apply_payout_fact(v_payout, v_next, v_ref, p_proof, p_who,
                                  p_code, v_detail);
    ELSIF v_payout.provider_ref IS NULL AND p_ref IS NOT NULL
        AND v_payout.state IN ('sending', 'unknown')
    THEN
        UPDATE payout p SET provider_ref = p_ref
        WHERE p.merchant_id = p_merchant_id AND p.payout_id = p_payout_id;
    END IF;

    RETURN v_next;
END
$$;
COMMENT ON FUNCTION pay.tell_payout IS
    'Applies a fact of a provider about an item: the state that it is in '
    'now, unchanged, contradiction, invalid or not_found';
