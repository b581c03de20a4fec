-- The operation apply_event, on top of the steps in 50_event.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay_api.apply_event(
    p_psp text[], p_source text[], p_event_id text[], p_type text[],
    p_fact text[], p_token text[], p_reference text[], p_code text[],
    p_amount_minor bigint[], p_currency text[], p_digest bytea[],
    p_request_id text[], p_decline text[] DEFAULT NULL,
    p_can_retry text[] DEFAULT NULL, p_attempt text[] DEFAULT NULL,
    p_cards_item bigint[] DEFAULT '{}', p_cards_attempt text[] DEFAULT '{}',
    p_cards_card text[] DEFAULT '{}', p_cards_bin text[] DEFAULT '{}',
    p_cards_country text[] DEFAULT '{}', p_cards_funding text[] DEFAULT '{}',
    p_cards_three_d text[] DEFAULT '{}', p_cards_level text[] DEFAULT '{}',
    p_cards_score bigint[] DEFAULT '{}', p_cards_warning text[] DEFAULT '{}',
    p_cards_is_hint bigint[] DEFAULT '{}',
    p_cards_card_before text[] DEFAULT '{}', p_after jsonb[] DEFAULT NULL)
RETURNS SETOF pay_api.checkout_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_count      int;
    v_read       record;
    v_facts      fact[];
    v_aside      fact[] := '{}';
    v_duplicates int[] := '{}';
    v_late       boolean := false;
    v_named      int[] := '{}';
BEGIN
    v_count := check_batch(
        array_dims(p_psp), array_dims(p_source), array_dims(p_event_id),
        array_dims(p_type), array_dims(p_fact), array_dims(p_token),
        array_dims(p_reference), array_dims(p_code),
        array_dims(p_amount_minor), array_dims(p_currency),
        array_dims(p_digest), array_dims(p_request_id),
        coalesce(array_dims(p_decline), array_dims(p_psp)),
        coalesce(array_dims(p_can_retry), array_dims(p_psp)),
        coalesce(array_dims(p_attempt), array_dims(p_psp)),
        coalesce(array_dims(p_after), array_dims(p_psp)));

    v_read := read_facts(p_psp, p_source, p_event_id, p_type, p_fact,
        p_token, p_reference, p_code, p_amount_minor, p_currency,
        p_request_id, p_decline, p_can_retry, p_attempt);
    v_facts := v_read.facts;

    IF 'replay' = ANY (p_source) THEN
        v_duplicates := insert_replays(v_facts, p_source, p_fact, p_digest);
    ELSIF v_read.webhooks > 0 THEN
        v_duplicates := insert_webhooks(v_facts, p_fact, p_digest,
                                        v_read.webhooks);
    END IF;

    -- no other row is set aside: a token stays with its checkout
    IF v_read.unsure OR v_duplicates <> '{}' THEN
        v_late := EXISTS (
            SELECT FROM unnest(v_facts) f
            WHERE f.actor = 'webhook' AND f.checkout_id IS NULL
                AND f.kind NOT IN ('none', 'unknown')
                AND f.item <> ALL (v_duplicates));

        IF v_late THEN
            v_facts := await_tokens(v_facts, v_duplicates);
        END IF;

        v_aside := set_aside(v_facts, v_duplicates);
        v_facts := ARRAY(
            SELECT f FROM unnest(v_facts) f
            WHERE f.item NOT IN (SELECT a.item FROM unnest(v_aside) a));
    END IF;

    -- before the locks of checkouts, as the inbox is
    IF p_cards_item <> '{}' THEN
        PERFORM check_batch(array_dims(p_cards_item),
            array_dims(p_cards_attempt), array_dims(p_cards_card),
            array_dims(p_cards_bin), array_dims(p_cards_country),
            array_dims(p_cards_funding), array_dims(p_cards_three_d),
            array_dims(p_cards_level), array_dims(p_cards_score),
            array_dims(p_cards_warning), array_dims(p_cards_is_hint),
            coalesce(array_dims(p_cards_card_before),
                     array_dims(p_cards_item)));
        PERFORM keep_cards(v_facts || ARRAY(
                SELECT a FROM unnest(v_aside) a
                WHERE a.item <> ALL (v_duplicates)),
            p_fact, p_cards_item, p_cards_attempt, p_cards_card, p_cards_bin,
            p_cards_country, p_cards_funding, p_cards_three_d, p_cards_level,
            p_cards_score, p_cards_warning, p_cards_is_hint,
            p_cards_card_before, p_after);
    END IF;

    IF cardinality(v_facts) > 0 THEN
        v_facts := settle_facts(v_facts, v_late);
    END IF;

    -- behind the other counters
    IF num_nonnulls(VARIADIC p_after) > 0 THEN
        v_named := name_attempts(v_facts, p_fact, p_after, p_cards_item);

        PERFORM judge_cards(array_agg(p_psp[u.item]), array_agg(u.attempt),
            array_agg(u.before), array_agg(p_after[u.item]))
        FROM (
            SELECT * FROM unnest(p_cards_item, p_cards_attempt,
                                 p_cards_card_before)
            UNION ALL SELECT n, p_token[n], NULL FROM unnest(v_named) n)
            AS u (item, attempt, before)
        WHERE p_after[u.item] IS NOT NULL AND u.item <> ALL (v_duplicates)
        HAVING count(*) > 0;
    END IF;

    RETURN QUERY
    SELECT f.item, coalesce(f.outcome, 'applied'), s.*
    FROM unnest(v_facts || v_aside) f
    LEFT JOIN LATERAL state_of(f.merchant_id, f.checkout_id) s ON true
    ORDER BY 1, s.place;

    IF cardinality(v_read.facts) < v_count THEN
        PERFORM keep_invalid(ARRAY(
            SELECT n FROM generate_series(1, v_count) n
            WHERE n NOT IN (SELECT f.item FROM unnest(v_read.facts) f)),
            p_psp, p_source, p_event_id, p_token, p_reference, p_attempt,
            p_amount_minor, p_currency, p_request_id);

        RETURN QUERY
        SELECT n, 'invalid', s.*
        FROM generate_series(1, v_count) n
        LEFT JOIN checkout_state s ON false
        WHERE n NOT IN (SELECT f.item FROM unnest(v_read.facts) f);
    END IF;
END
$$;
COMMENT ON FUNCTION pay_api.apply_event IS
    'Takes PSPs'' words into account. Outcomes: applied, unchanged, held, '
    'contradiction, asked, duplicate, parked, mismatch, ignored, unknown, '
    'not_found, invalid';
