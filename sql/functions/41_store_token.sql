-- The operation store_token, on top of the steps in 40_registration.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay_api.store_token(
    p_merchant_id text[], p_checkout_id text[], p_psp text[],
    p_token text[], p_alias text[], p_hosted_url text[],
    p_poll_after_ms bigint[], p_request_id text[])
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
    v_token  text[];
    v_alias  text[];
    v_set    record;
    v_stored int[];
    v_late   int[];
    v_facts  fact[];
    v_claim  record;
    v_parked record;
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_psp), array_dims(p_token), array_dims(p_alias),
        array_dims(p_hosted_url), array_dims(p_poll_after_ms),
        array_dims(p_request_id));

    -- a bad item has no token from here on
    SELECT array_agg(nullif(u.alias, '')),
        array_agg(CASE WHEN id_ok(u.merchant_id) AND id_ok(u.checkout_id)
                           AND id_ok(u.psp) AND id_ok(u.token)
                           AND coalesce(octet_length(u.alias), 0) <= 255
                           AND octet_length(u.hosted_url) BETWEEN 1 AND 8192
                           AND u.after_ms BETWEEN 0 AND 31536000000
                       THEN u.token END)
    INTO v_alias, v_token
    FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_token, p_alias,
        p_hosted_url, p_poll_after_ms) AS u (merchant_id, checkout_id, psp,
        token, alias, hosted_url, after_ms);

    v_claim := claim_tokens(p_merchant_id, p_checkout_id, p_psp, v_token,
                            v_alias);
    IF v_claim.parked THEN
        v_parked := parked_references(p_merchant_id || p_merchant_id,
            p_checkout_id || p_checkout_id, p_psp || p_psp,
            v_token || v_alias);
        PERFORM claim_references(v_parked.merchants, v_parked.checkouts,
                                 v_parked.psps, v_parked.names);
    END IF;

    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    v_set := set_tokens(p_merchant_id, p_checkout_id, p_psp, v_token, v_alias,
                        p_hosted_url, v_claim.sure);
    v_stored := v_set.stored;
    v_late := v_set.late;

    v_facts := ARRAY(
        SELECT ROW(u.n, NULL, u.merchant_id, u.checkout_id, 'registered',
            'gateway', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
            u.request_id, NULL, NULL, NULL, NULL)::fact
        FROM unnest(p_merchant_id, p_checkout_id, p_request_id)
            WITH ORDINALITY AS u (merchant_id, checkout_id, request_id, n)
        WHERE u.n = ANY (v_stored));
    PERFORM record_facts(v_facts);
    PERFORM settle_registers(v_facts, 'registered');
    PERFORM poll_later(p_merchant_id, p_checkout_id, p_poll_after_ms,
                       v_stored);

    IF v_claim.parked THEN
        PERFORM post(apply_parked(
            p_merchant_id || p_merchant_id || v_parked.merchants,
            p_checkout_id || p_checkout_id || v_parked.checkouts,
            p_psp || p_psp || v_parked.psps,
            v_token || v_alias || v_parked.names));
    END IF;

    IF cardinality(v_stored) IS DISTINCT FROM cardinality(v_token) THEN
        PERFORM refuse_tokens(p_merchant_id, p_checkout_id, p_psp, v_token,
                              v_alias, p_request_id, v_late);
    END IF;

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN u.token IS NULL THEN 'invalid'
             WHEN s.checkout_id IS NULL THEN 'not_found'
             WHEN u.n = ANY (v_stored) THEN 'stored'
             WHEN u.n = ANY (v_late) THEN 'mismatch'
             WHEN same_token(s.psp, s.token, s.alias, u.psp, u.token,
                             u.alias) THEN 'already'
             ELSE 'mismatch' END,
        s.*
    FROM unnest(p_merchant_id, p_checkout_id, p_psp, v_token, v_alias)
        WITH ORDINALITY AS u (merchant_id, checkout_id, psp, token, alias, n)
    LEFT JOIN checkout_state s ON u.token IS NOT NULL
        AND s.merchant_id = u.merchant_id AND s.checkout_id = u.checkout_id;
END
$$;
COMMENT ON FUNCTION pay_api.store_token IS
    'Keeps the PSP''s token and alias, first wins: stored, already, mismatch, '
    'not_found or invalid';
