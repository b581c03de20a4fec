-- The function with which operators close a row of the mismatch queue as
-- settled, with their name and the reason, in a row of its own and in the
-- timeline of the orders.  Nothing else moves; 74_assign.sql decides whose the
-- money is.  One row a call, for payments_operator; the gateway never calls it.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- By their key before all else, as letters_of().
CREATE OR REPLACE FUNCTION pay.open_mismatches(
    p_merchant_id text, p_checkout_id text)
RETURNS SETOF mismatch LANGUAGE sql STABLE AS $$
SELECT m.*
FROM (SELECT * FROM mismatch x
      WHERE x.merchant_id = p_merchant_id AND x.checkout_id = p_checkout_id
      OFFSET 0) m
WHERE NOT EXISTS (
    SELECT FROM mismatch_settlement s
    WHERE s.merchant_id = m.merchant_id AND s.checkout_id = m.checkout_id
        AND s.mismatch_id = m.mismatch_id)
$$;
COMMENT ON FUNCTION pay.open_mismatches IS
    'The open mismatch of a checkout with this number';


-- The record that an operator has settled it, for the timeline of the orders.
CREATE OR REPLACE FUNCTION pay.settled_fact(
    p_mismatch mismatch, p_who text, p_why text, p_more jsonb DEFAULT '{}')
RETURNS fact LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ROW(1, NULL, p_mismatch.merchant_id, p_mismatch.checkout_id,
        'mismatch_settled', 'operator', p_mismatch.psp, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL, NULL, jsonb_build_object(
            'mismatch_id', p_mismatch.mismatch_id, 'kind', p_mismatch.kind,
            'who', p_who, 'why', p_why, 'role', session_user)
            || jsonb_strip_nulls(p_more), NULL, NULL, NULL)::fact;
END
$$;
COMMENT ON FUNCTION pay.settled_fact IS
    'The record that an operator has settled a row of the mismatch queue';


-- Not while money of it is in suspense: that is assigned first
-- (74_assign.sql).
CREATE OR REPLACE FUNCTION pay_ops.settle_mismatch(
    p_id bigint, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_mismatch mismatch;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    SELECT * INTO v_mismatch FROM mismatch m WHERE m.mismatch_id = p_id;
    IF NOT FOUND THEN
        RETURN 'not_found';
    END IF;

    PERFORM lock_checkouts(ARRAY[v_mismatch.merchant_id]::text[],
                           ARRAY[v_mismatch.checkout_id]::text[]);

    IF suspended(v_mismatch) IS NOT NULL THEN
        RETURN 'suspense';
    END IF;

    INSERT INTO mismatch_settlement (merchant_id, checkout_id, mismatch_id,
        who, why)
    VALUES (v_mismatch.merchant_id, v_mismatch.checkout_id, p_id, p_who,
        p_why)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN 'closed';
    END IF;

    PERFORM record_facts(ARRAY[settled_fact(v_mismatch, p_who, p_why)]);

    RETURN 'settled';
END
$$;
COMMENT ON FUNCTION pay_ops.settle_mismatch IS
    'Closes a row of the mismatch queue by an operator''s decision: settled, '
    'closed, suspense, not_found or invalid';
