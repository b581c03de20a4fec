-- The operation apply_event, on top of the steps in 50_event.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay_api.apply_event(
    p_psp text[], p_source text[], p_event_id text[], p_type text[],
    p_fact text[], p_token text[], p_reference text[], p_code text[],
    p_amount_minor bigint[], p_currency text[], p_digest bytea[],
    p_request_id text[], p_decline text[] DEFAULT NULL,
    p_can_retry text[] DEFAULT NULL, p_attempt text[] DEFAULT NULL)
RETURNS TABLE (
    item int, outcome text, merchant_id text, checkout_id text,
    checkout_uuid text, psp text, nonce text, handle text, token text,
    alias text, hosted_url text, return_url text, base_url text,
    currency text, total_minor bigint, expires_s bigint,
    registration_state text, attempt bigint, code text, version bigint,
    orders text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_facts      fact[];
    v_aside      fact[] := '{}';
    v_valid      fact[];
    v_duplicates int[];
    v_late       boolean;
    v_idle       boolean;
BEGIN
    PERFORM check_batch(
        array_dims(p_psp), array_dims(p_source), array_dims(p_event_id),
        array_dims(p_type), array_dims(p_fact), array_dims(p_token),
        array_dims(p_reference), array_dims(p_code),
        array_dims(p_amount_minor), array_dims(p_currency),
        array_dims(p_digest), array_dims(p_request_id),
        coalesce(array_dims(p_decline), array_dims(p_psp)),
        coalesce(array_dims(p_can_retry), array_dims(p_psp)),
        coalesce(array_dims(p_attempt), array_dims(p_psp)));

    v_facts := read_facts(p_psp, p_source, p_event_id, p_type, p_fact,
        p_token, p_reference, p_code, p_amount_minor, p_currency,
        p_request_id, p_decline, p_can_retry, p_attempt);
    v_valid := v_facts;
    v_duplicates := insert_webhooks(v_facts, p_fact, p_digest);

    -- nothing else is set aside: whoever has a checkout keeps it
    SELECT bool_or(f.actor = 'webhook' AND f.checkout_id IS NULL
                   AND f.kind NOT IN ('none', 'unknown')
                   AND f.item <> ALL (v_duplicates)),
        bool_or(f.checkout_id IS NULL OR f.kind IN ('none', 'unknown')
                OR f.item = ANY (v_duplicates))
    INTO v_late, v_idle
    FROM unnest(v_facts) f;

    IF v_late THEN
        v_facts := await_tokens(v_facts, v_duplicates);
    END IF;

    IF v_idle THEN
        v_aside := set_aside(v_facts, v_duplicates);
    END IF;

    IF cardinality(v_aside) > 0 THEN
        v_facts := ARRAY(
            SELECT f FROM unnest(v_facts) f
            WHERE f.item NOT IN (SELECT a.item FROM unnest(v_aside) a));
    END IF;

    IF cardinality(v_facts) > 0 THEN
        v_facts := settle_facts(v_facts, v_late);
    END IF;

    RETURN QUERY
    SELECT f.item, f.outcome, s.*
    FROM unnest(v_facts || v_aside) f
    LEFT JOIN checkout_state s ON s.merchant_id = f.merchant_id
        AND s.checkout_id = f.checkout_id;

    IF cardinality(v_valid) < cardinality(p_psp) THEN
        PERFORM keep_invalid(ARRAY(
            SELECT n FROM generate_series(1, cardinality(p_psp)) n
            WHERE n NOT IN (SELECT f.item FROM unnest(v_valid) f)),
            p_psp, p_source, p_event_id, p_token, p_reference, p_attempt,
            p_amount_minor, p_currency, p_request_id);

        RETURN QUERY
        SELECT n, 'invalid', s.*
        FROM generate_series(1, cardinality(p_psp)) n
        LEFT JOIN checkout_state s ON false
        WHERE n NOT IN (SELECT f.item FROM unnest(v_valid) f);
    END IF;
END
$$;
COMMENT ON FUNCTION pay_api.apply_event IS
    'Takes PSPs'' words into account: applied, unchanged, held, contradiction, '
    'asked, duplicate, parked, mismatch, ignored, unknown, not_found or '
    'invalid';
