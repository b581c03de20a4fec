-- The operation store_token, on top of the steps in 40_registration.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay_api.store_token(
    p_merchant_id text[], p_checkout_id text[], p_psp text[],
    p_token text[], p_alias text[], p_hosted_url text[],
    p_poll_after_ms bigint[], p_request_id text[])
RETURNS SETOF pay_api.checkout_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_count   int;
    v_locked  int;
    v_started int;
    v_polled  int;
    v_items   int[];
    v_claim   record;
    v_set     record;
    v_names   record;
    v_parked  record;
BEGIN
    v_count := check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_psp), array_dims(p_token), array_dims(p_alias),
        array_dims(p_hosted_url), array_dims(p_poll_after_ms),
        array_dims(p_request_id));

    v_items := ARRAY(
        SELECT n FROM generate_subscripts(p_token, 1) n
        WHERE id_ok(p_merchant_id[n]) AND id_ok(p_checkout_id[n])
            AND id_ok(p_psp[n]) AND id_ok(p_token[n])
            AND coalesce(octet_length(p_alias[n]), 0) <= 255
            AND octet_length(p_hosted_url[n]) BETWEEN 1 AND 8192
            AND p_poll_after_ms[n] BETWEEN 0 AND 31536000000);

    v_claim := claim_tokens(v_items, p_merchant_id, p_checkout_id, p_psp,
                            p_token, p_alias);

    IF v_claim.parked THEN
        v_names := usable_names(v_items, p_token, p_alias);
        v_parked := parked_references(p_merchant_id || p_merchant_id,
            p_checkout_id || p_checkout_id, p_psp || p_psp,
            v_names.tokens || v_names.aliases);
        PERFORM claim_references(v_parked.merchants, v_parked.checkouts,
                                 v_parked.psps, v_parked.names);
    END IF;

    v_locked := lock_checkouts(p_merchant_id, p_checkout_id);

    v_set := set_tokens(v_items, p_merchant_id, p_checkout_id, p_psp,
                        p_token, p_alias, p_hosted_url, v_claim.sure);

    IF v_set.stored <> '{}' THEN
        v_started := start_orders(v_set.stored, p_merchant_id,
                                  p_checkout_id, p_request_id);
        v_polled := poll_later(v_set.stored, p_merchant_id, p_checkout_id,
                               p_poll_after_ms);
    END IF;

    IF v_set.journaled IS NOT NULL THEN
        PERFORM journal_tokens(v_set.journaled, p_merchant_id, p_checkout_id,
                               p_token);
    END IF;

    IF v_set.letters THEN
        PERFORM settle_dead_letters(
            ARRAY(SELECT p_merchant_id[n] FROM unnest(v_set.stored) n),
            ARRAY(SELECT p_checkout_id[n] FROM unnest(v_set.stored) n),
            '{register}', 'registered');
    END IF;

    IF v_claim.parked THEN
        PERFORM free_references(v_parked.merchants, v_parked.checkouts,
                                v_parked.psps, v_parked.names);
        PERFORM post(apply_parked(
            p_merchant_id || p_merchant_id || v_parked.merchants,
            p_checkout_id || p_checkout_id || v_parked.checkouts,
            p_psp || p_psp || v_parked.psps,
            v_names.tokens || v_names.aliases || v_parked.names));
        PERFORM adopt_cards(p_merchant_id || p_merchant_id,
            p_checkout_id || p_checkout_id, p_psp || p_psp,
            v_names.tokens || v_names.aliases);
        PERFORM count_declines(p_merchant_id || v_parked.merchants,
                               p_checkout_id || v_parked.checkouts);
        PERFORM judge_adopted(p_merchant_id, p_checkout_id);
    END IF;

    IF cardinality(v_set.stored) < v_count THEN
        v_names := usable_names(v_items, p_token, p_alias);
        PERFORM refuse_tokens(p_merchant_id, p_checkout_id, p_psp,
            v_names.tokens, v_names.aliases, p_request_id, v_set.late);
    END IF;

    RETURN QUERY
    SELECT n,
        CASE WHEN n <> ALL (v_items) THEN 'invalid'
             WHEN s.checkout_id IS NULL THEN 'not_found'
             WHEN n = ANY (v_set.stored) THEN 'stored'
             WHEN n = ANY (v_set.late) THEN 'mismatch'
             WHEN same_token(s.psp, s.token, s.alias, p_psp[n], p_token[n],
                             nullif(p_alias[n], '')) THEN 'already'
             ELSE 'mismatch' END,
        s.*
    FROM generate_subscripts(p_token, 1) n
    LEFT JOIN LATERAL state_of(p_merchant_id[n], p_checkout_id[n]) s
        ON n = ANY (v_items)
    ORDER BY 1, s.place;
END
$$;
COMMENT ON FUNCTION pay_api.store_token IS
    'Keeps the PSP''s token and alias, first wins. Outcomes: stored, '
    'already, mismatch, not_found, invalid';
