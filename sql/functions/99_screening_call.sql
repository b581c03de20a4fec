-- The operations begin_screening and store_screening: a worker asks a provider
-- about the holder of an account.  An answer is about a version of an account,
-- and counts for all items that are paid to it.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- An answer is renewed when half of its time is over, so that an item that is
-- approved need not wait.  An item that another session has locked is left to
-- it.
CREATE OR REPLACE FUNCTION pay.claim_screening(
    p_merchant_id text, p_provider text, p_lease interval)
RETURNS screening_answer LANGUAGE plpgsql AS $$
DECLARE
    v_payout payout;
    v_row    screening_answer;
BEGIN
    SELECT p.* INTO v_payout
    FROM screening_policy s
    JOIN payout p ON p.merchant_id = s.merchant_id
    LEFT JOIN screening_answer a ON a.merchant_id = p.merchant_id
        AND a.destination_id = p.destination_id
        AND a.version = p.destination_version AND a.provider = s.provider
    WHERE s.merchant_id = p_merchant_id AND s.provider = p_provider
        AND s.is_on
        AND (p.state = 'held' AND p.reason = 'screening'
             OR p.state IN ('ready', 'approved'))
        AND coalesce(a.run_at <= now(), true)
        AND (a.asked_at > now()
             - make_interval(hours => s.max_age_hours) / 2) IS NOT TRUE
    ORDER BY a.run_at NULLS FIRST, p.payout_id
    LIMIT 1
    FOR NO KEY UPDATE OF p SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;

    -- another item of the account may have been first
    INSERT INTO screening_answer AS a (merchant_id, destination_id, version,
        provider, calls, run_at, begun_at)
    VALUES (p_merchant_id, v_payout.destination_id,
        v_payout.destination_version, p_provider, 1, now() + p_lease, now())
    ON CONFLICT (merchant_id, destination_id, version, provider) DO UPDATE
    SET calls = a.calls + 1, run_at = now() + p_lease, begun_at = now()
    WHERE a.run_at <= now()
    RETURNING a.* INTO v_row;

    RETURN v_row;
END
$$;
COMMENT ON FUNCTION pay.claim_screening IS
    'Claims the next account whose holder a provider is asked about: its row, '
    'or NULL';


CREATE OR REPLACE FUNCTION pay_api.begin_screening(
    p_merchant_id text[], p_provider text[], p_lease_ms bigint[])
RETURNS SETOF pay_api.screening_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row   pay_api.screening_row;
    v_claim screening_answer;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_provider),
        array_dims(p_lease_ms));

    FOR v_item IN 1 .. coalesce(cardinality(p_provider), 0) LOOP
        v_row := NULL;
        v_claim := NULL;
        v_row.item := v_item;
        v_row.outcome := 'invalid';

        IF coalesce(id_ok(p_merchant_id[v_item])
            AND p_lease_ms[v_item] BETWEEN 1 AND 3600000, false)
        THEN
            v_row.outcome := 'none';
            v_claim := claim_screening(p_merchant_id[v_item],
                p_provider[v_item],
                make_interval(secs => p_lease_ms[v_item] / 1000.0));
        END IF;

        IF v_claim.calls IS NOT NULL THEN
            SELECT v_item, 'due', d.destination_id, d.version, v_claim.calls,
                c.seller_account, c.currency, d.kind, d.country, d.details,
                d.key_id
            INTO v_row
            FROM payout_destination d
            JOIN payout_account c ON c.merchant_id = d.merchant_id
                AND c.destination_id = d.destination_id
            WHERE d.merchant_id = v_claim.merchant_id
                AND d.destination_id = v_claim.destination_id
                AND d.version = v_claim.version;
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.begin_screening IS
    'Claims the next account whose holder a provider is asked about. Outcomes: '
    'due, none, invalid';


-- Operators read why an item is held that was held already; its merchant does
-- not hear that something has changed.
CREATE OR REPLACE FUNCTION pay.keep_findings(p_payout payout)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_found jsonb := (
        SELECT jsonb_agg(to_jsonb(f))
        FROM (SELECT * FROM screen_payout(p_payout) s
              ORDER BY s.why, s.list, s.entry_id, s.name LIMIT 50) f);
BEGIN
    IF v_found IS DISTINCT FROM (
        SELECT a.detail -> 'findings' FROM payout_act a
        WHERE a.merchant_id = p_payout.merchant_id
            AND a.subject = 'screening' AND a.subject_id = p_payout.payout_id
            AND a.act = 'held'
        ORDER BY a.act_id DESC LIMIT 1)
    THEN
        PERFORM keep_payout_act(p_payout.merchant_id, 'screening',
            p_payout.payout_id, 'held', 'gateway', NULL,
            jsonb_build_object('findings', v_found));
    END IF;
END
$$;
COMMENT ON FUNCTION pay.keep_findings IS
    'Keeps the findings about an item that is held, where they are others now';


-- The items of the account are locked.
CREATE OR REPLACE FUNCTION pay.take_screening(
    p_key screening_answer, p_answer text, p_reference text, p_code text,
    p_retry interval)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_payout payout;
    v_taken  boolean;
BEGIN
    UPDATE screening_answer a
    SET begun_at = NULL, run_at = now() + p_retry,
        answer = CASE p_answer WHEN 'failed' THEN a.answer ELSE p_answer END,
        asked_at = CASE p_answer WHEN 'failed' THEN a.asked_at
                                 ELSE a.begun_at END,
        reference = CASE p_answer WHEN 'failed' THEN a.reference
            WHEN 'hit' THEN coalesce(p_reference, 'question-' || a.calls) END,
        code = CASE p_answer WHEN 'failed' THEN p_code END
    WHERE a.merchant_id = p_key.merchant_id
        AND a.destination_id = p_key.destination_id
        AND a.version = p_key.version AND a.provider = p_key.provider
        AND a.calls = p_key.calls AND a.begun_at IS NOT NULL;
    v_taken := FOUND;

    IF v_taken AND p_answer <> 'failed' THEN
        PERFORM keep_payout_act(p_key.merchant_id, 'screening',
            p_key.destination_id, p_answer, 'gateway', NULL,
            jsonb_build_object('provider', p_key.provider,
                'version', p_key.version, 'number', p_key.calls,
                'reference', p_reference));

        FOR v_payout IN
            SELECT p.* FROM payout p
            WHERE p.merchant_id = p_key.merchant_id
                AND p.destination_id = p_key.destination_id
                AND p.destination_version = p_key.version
                AND (p.state = 'held' AND p.reason = 'screening'
                     OR p.state IN ('ready', 'approved'))
            ORDER BY p.payout_id FOR NO KEY UPDATE
        LOOP
            IF rescreen_payout(v_payout) = 'same' AND v_payout.state = 'held'
            THEN
                PERFORM keep_findings(v_payout);
            END IF;
        END LOOP;
    END IF;

    RETURN v_taken;
END
$$;
COMMENT ON FUNCTION pay.take_screening IS
    'Stores a provider''s answer about the holder of an account, and compares '
    'its items; false: another question has been asked since';


CREATE OR REPLACE FUNCTION pay_api.store_screening(
    p_merchant_id text[], p_provider text[], p_destination_id text[],
    p_version bigint[], p_number bigint[], p_answer text[],
    p_reference text[], p_code text[], p_retry_s bigint[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_key screening_answer;
    v_row pay_api.outcome_row;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_provider),
        array_dims(p_destination_id), array_dims(p_version),
        array_dims(p_number), array_dims(p_answer), array_dims(p_reference),
        array_dims(p_code), array_dims(p_retry_s));

    -- Before an answer is written, so that who sends or approves one of the
    -- items has seen it, or is waited for; in the order of an import.
    PERFORM FROM payout p
    JOIN unnest(p_merchant_id, p_destination_id, p_version, p_answer)
        AS u (merchant_id, destination_id, version, answer)
        ON p.merchant_id = u.merchant_id
            AND p.destination_id = u.destination_id
            AND p.destination_version = u.version
    WHERE u.answer <> 'failed'
        AND (p.state = 'held' AND p.reason = 'screening'
             OR p.state IN ('ready', 'approved'))
    ORDER BY p.merchant_id, p.payout_id FOR NO KEY UPDATE OF p;

    FOR v_item IN 1 .. coalesce(cardinality(p_provider), 0) LOOP
        v_row.item := v_item;
        IF (p_answer[v_item] IN ('clear', 'hit', 'failed')
            AND p_version[v_item] BETWEEN 1 AND 2147483647
            AND p_number[v_item] BETWEEN 1 AND 2147483647
            AND p_retry_s[v_item] BETWEEN 1 AND 86400
            AND coalesce(length(p_reference[v_item]), 1) BETWEEN 1 AND 255
            AND coalesce(length(p_code[v_item]), 1) BETWEEN 1 AND 64)
            IS NOT TRUE
        THEN
            v_row.outcome := 'invalid';
        ELSE
            v_key.merchant_id := p_merchant_id[v_item];
            v_key.provider := p_provider[v_item];
            v_key.destination_id := p_destination_id[v_item];
            v_key.version := p_version[v_item];
            v_key.calls := p_number[v_item];
            v_row.outcome := CASE WHEN take_screening(v_key, p_answer[v_item],
                p_reference[v_item], p_code[v_item],
                make_interval(secs => p_retry_s[v_item]))
                THEN 'stored' ELSE 'gone' END;
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.store_screening IS
    'Stores the answer of a screening provider, by which items are held or go '
    'on. Outcomes: stored, gone, invalid';
