-- The operation tell_payout_event: a message of a pay-out provider.  It counts
-- once, by its id; of two about an item the later one counts, by the provider's
-- number of it or by its time; a message that proves nothing only has the
-- provider asked.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- By our key, else by the provider's reference of the payment or of the call
-- that it was sent with.  A key of another merchant or provider is none.
CREATE OR REPLACE FUNCTION pay.find_payout_of_event(
    p_event payout_event, p_key text)
RETURNS payout LANGUAGE sql STABLE AS $$
SELECT p FROM payout p
WHERE p.merchant_id = p_event.merchant_id AND p.provider = p_event.provider
    AND (p_key IS NOT NULL AND p.payout_key::text || '-' || p.attempt = p_key
             AND p.payout_key = left(p_key, 32)
         OR p_key IS NULL AND p.payout_id IN (
             SELECT s.payout_id FROM payout_sending s
             WHERE s.merchant_id = p_event.merchant_id
                 AND s.provider = p_event.provider
                 AND (s.ids && ARRAY[p_event.reference, p_event.parcel])))
LIMIT 1
$$;
COMMENT ON FUNCTION pay.find_payout_of_event IS
    'The item that a message is about; NULL: none is known';


-- Adyen numbers the messages about a transfer, Wise rolls states back: the one
-- that was made later counts, whichever comes first.
CREATE OR REPLACE FUNCTION pay.is_payout_event_behind(
    p_row payout_sending, p_event payout_event)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN p_event.sequence IS NOT NULL AND p_row.sequence IS NOT NULL
    THEN p_event.sequence < p_row.sequence
    ELSE coalesce(p_event.occurred_at < p_row.occurred_at, false) END
$$;
COMMENT ON FUNCTION pay.is_payout_event_behind IS
    'Whether a later message about the item has come before';


-- The reference in a message belongs to the item's row: the provider has the
-- payment, so that nothing is sent or looked for any more.  A batch of one call
-- is asked about by its own id, not by that of its payment.
CREATE OR REPLACE FUNCTION pay.learn_payout_event(
    p_row payout_sending, p_event payout_event)
RETURNS void LANGUAGE sql AS $$
UPDATE payout_sending s
SET occurred_at = greatest(s.occurred_at, p_event.occurred_at),
    sequence = greatest(s.sequence, p_event.sequence),
    ids[s.step + 1] = CASE
        WHEN NOT l.learns THEN s.ids[s.step + 1]
        WHEN s.step = 0 THEN coalesce(p_event.parcel, p_event.reference)
        ELSE p_event.reference END,
    call = CASE WHEN l.learns THEN 'ask' ELSE s.call END,
    is_doubtful = s.is_doubtful AND NOT l.learns
FROM payout_adapter a, LATERAL (
    SELECT a.adapter = p_row.adapter
        AND p_row.step + 1 = cardinality(a.moves)
        AND p_row.ids[p_row.step + 1] IS NULL
        AND p_event.reference IS NOT NULL
        AND p_event.reference IS DISTINCT FROM p_event.parcel
        AND p_event.state IN ('sending', 'sent', 'paid')) l (learns)
WHERE s.merchant_id = p_row.merchant_id AND s.payout_id = p_row.payout_id
    AND a.adapter = s.adapter
$$;
COMMENT ON FUNCTION pay.learn_payout_event IS
    'Keeps the place of a message, and the reference that it brings';


-- The provider is asked soon.  An item that nothing is known of yet at the
-- provider goes on as it is.
CREATE OR REPLACE FUNCTION pay.ask_payout_soon(
    p_row payout_sending, p_call text)
RETURNS void LANGUAGE sql AS $$
UPDATE payout_sending s SET call = p_call, run_at = now(), tries = 0
WHERE s.merchant_id = p_row.merchant_id AND s.payout_id = p_row.payout_id
    AND (p_call = 'cancel' OR s.call = 'ask')
$$;
COMMENT ON FUNCTION pay.ask_payout_soon IS
    'Makes the next question about an item due now';


CREATE OR REPLACE FUNCTION pay.judge_payout_event(
    p_payout payout, p_event payout_event, p_amount_minor bigint,
    p_currency text, p_account_end text, p_must_ask boolean)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_row     payout_sending;
    v_adapter payout_adapter;
    v_fact    text := payout_word_fact(p_event.state);
    v_told    text;
BEGIN
    SELECT * INTO v_row FROM payout_sending s
    WHERE s.merchant_id = p_payout.merchant_id
        AND s.payout_id = p_payout.payout_id
    FOR NO KEY UPDATE;
    SELECT * INTO v_adapter FROM payout_adapter a
    WHERE a.adapter = v_row.adapter;

    IF is_payout_event_behind(v_row, p_event) THEN
        RETURN 'behind';
    END IF;

    PERFORM learn_payout_event(v_row, p_event);

    IF p_must_ask OR v_fact IS NULL THEN
        PERFORM ask_payout_soon(v_row, 'ask');
        RETURN 'ask';
    ELSIF v_row.call = 'cancel' AND v_fact IN ('failed', 'returned') THEN
        -- it is being taken back: the answer to that tells the end
        RETURN 'ask';
    ELSIF v_fact = 'failed' AND v_adapter.takes_back
        AND true = ANY (v_adapter.moves[1:v_row.step])
    THEN
        PERFORM ask_payout_soon(v_row, 'cancel');
        RETURN 'ask';
    END IF;

    v_told := tell_payout(p_payout.merchant_id, p_payout.payout_id, v_fact,
        p_payout.provider,
        CASE WHEN p_event.reference IS DISTINCT FROM p_event.parcel
             THEN p_event.reference END,
        CASE v_fact WHEN 'failed' THEN 'returned_by_provider' END,
        p_event.code, p_amount_minor, p_currency, p_account_end);
    IF v_told IN ('returned', 'failed', 'contradiction', 'settled') THEN
        UPDATE payout_sending s SET run_at = NULL
        WHERE s.merchant_id = v_row.merchant_id
            AND s.payout_id = v_row.payout_id;
    END IF;

    RETURN CASE WHEN v_told IN ('unchanged', 'contradiction', 'invalid')
                THEN v_told ELSE 'applied' END;
END
$$;
COMMENT ON FUNCTION pay.judge_payout_event IS
    'Applies a message to its item, which is locked';


CREATE OR REPLACE FUNCTION pay.take_payout_event(
    p_event payout_event, p_key text, p_amount_minor bigint,
    p_currency text, p_account_end text, p_must_ask boolean)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_payout payout;
BEGIN
    INSERT INTO payout_event SELECT p_event.*
    ON CONFLICT (merchant_id, provider, event_id) DO NOTHING;
    IF NOT FOUND THEN
        RETURN 'duplicate';
    END IF;

    v_payout := find_payout_of_event(p_event, p_key);
    IF v_payout.payout_id IS NOT NULL THEN
        v_payout := lock_payout(v_payout.merchant_id, v_payout.payout_id);
        p_event.outcome := judge_payout_event(v_payout, p_event,
            p_amount_minor, p_currency, p_account_end, p_must_ask);
        UPDATE payout_event e
        SET payout_id = v_payout.payout_id, outcome = p_event.outcome
        WHERE e.merchant_id = p_event.merchant_id
            AND e.provider = p_event.provider
            AND e.event_id = p_event.event_id;
    END IF;

    RETURN p_event.outcome;
END
$$;
COMMENT ON FUNCTION pay.take_payout_event IS
    'Keeps a message of a provider once, and applies it to its item';


CREATE OR REPLACE FUNCTION pay_api.tell_payout_event(
    p_merchant_id text[], p_provider text[], p_event_id text[],
    p_key text[], p_reference text[], p_parcel text[], p_state text[],
    p_code text[], p_amount_minor bigint[], p_currency text[],
    p_account_end text[], p_occurred_us bigint[], p_sequence bigint[],
    p_must_ask bigint[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row  pay_api.outcome_row;
    v_item int;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_provider),
        array_dims(p_event_id), array_dims(p_key), array_dims(p_reference),
        array_dims(p_parcel), array_dims(p_state), array_dims(p_code),
        array_dims(p_amount_minor), array_dims(p_currency),
        array_dims(p_account_end), array_dims(p_occurred_us),
        array_dims(p_sequence), array_dims(p_must_ask));

    -- in the order of the inbox, so that two batches cannot deadlock
    FOR v_item IN
        SELECT u.n
        FROM unnest(p_merchant_id, p_provider, p_event_id)
            WITH ORDINALITY AS u (merchant_id, provider, event_id, n)
        ORDER BY u.merchant_id, u.provider, u.event_id, u.n
    LOOP
        v_row.item := v_item;
        v_row.outcome := 'invalid';

        IF coalesce(id_ok(p_event_id[v_item])
            AND p_provider[v_item] ~ '^[a-z0-9][a-z0-9_-]*$'
            AND octet_length(p_provider[v_item]) <= 63
            AND id_ok(p_merchant_id[v_item])
            AND p_state[v_item] IN ('sending', 'sent', 'paid', 'returned',
                                    'failed', 'cancelled', 'unknown')
            AND num_nonnulls(p_key[v_item], p_reference[v_item],
                             p_parcel[v_item]) > 0
            AND octet_length(concat(p_reference[v_item],
                                    p_parcel[v_item])) <= 510, false)
        THEN
            v_row.outcome := take_payout_event(ROW(p_merchant_id[v_item],
                    p_provider[v_item], p_event_id[v_item],
                    clock_timestamp(), NULL, p_reference[v_item],
                    p_parcel[v_item], p_state[v_item], p_code[v_item],
                    to_timestamp(p_occurred_us[v_item] / 1000000.0),
                    p_sequence[v_item], 'waiting')::payout_event,
                p_key[v_item], p_amount_minor[v_item], p_currency[v_item],
                p_account_end[v_item], p_must_ask[v_item] = 1);
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.tell_payout_event IS
    'Keeps a message of a pay-out provider once, and applies it. Outcomes: '
    'applied, unchanged, duplicate, behind, contradiction, ask, waiting, '
    'invalid';
