-- Pay-outs: the fees that a merchant keeps of its sellers' sales.  Operators
-- call these; each act is kept with the name of the one who did it.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- NULL: as it was, or the default.  Orders that are sold keep their terms.
CREATE OR REPLACE FUNCTION pay_ops.set_fee_policy(
    p_merchant_id text, p_returns text, p_tax_percent numeric, p_who text,
    p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_new fee_policy;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why)
        OR p_tax_percent <> round(p_tax_percent, 4)
    THEN
        RETURN 'invalid';
    END IF;

    INSERT INTO fee_policy (merchant_id) VALUES (p_merchant_id)
    ON CONFLICT DO NOTHING;
    UPDATE fee_policy p
    SET returns = coalesce(p_returns, p.returns),
        tax_percent = coalesce(p_tax_percent, p.tax_percent)
    WHERE p.merchant_id = p_merchant_id
    RETURNING * INTO v_new;
    PERFORM keep_payout_act(p_merchant_id, 'policy', p_merchant_id, 'fees',
        p_who, p_why, to_jsonb(v_new));

    RETURN 'stored';
EXCEPTION WHEN check_violation OR not_null_violation
    OR numeric_value_out_of_range THEN
    RETURN 'invalid';
END
$$;
COMMENT ON FUNCTION pay_ops.set_fee_policy IS
    'Changes the part of fees that refunds give back, and their VAT: stored or '
    'invalid';


-- p_seller_account, p_payment_method and p_psp NULL: all.  p_percent NULL: the
-- row of this seller, method, PSP and currency ends.  p_valid_from NULL: now; not
-- in the past, because sales that are booked keep their terms.
CREATE OR REPLACE FUNCTION pay_ops.set_commission(
    p_merchant_id text, p_seller_account text, p_psp text, p_currency text,
    p_percent numeric, p_fixed_minor bigint, p_minimum_minor bigint,
    p_maximum_minor bigint, p_valid_from timestamptz, p_who text,
    p_why text, p_payment_method text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_new commission;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why)
        OR NOT EXISTS (SELECT FROM currency k WHERE k.code = p_currency)
        OR p_percent <> round(p_percent, 4)
    THEN
        RETURN 'invalid';
    ELSIF p_valid_from < now() THEN
        RETURN 'past';
    END IF;

    INSERT INTO fee_policy (merchant_id) VALUES (p_merchant_id)
    ON CONFLICT DO NOTHING;
    INSERT INTO commission (merchant_id, seller_account, psp, currency,
        percent, fixed_minor, minimum_minor, maximum_minor, valid_from,
        entered_by, payment_method)
    VALUES (p_merchant_id, coalesce(p_seller_account, ''),
        coalesce(p_psp, ''), p_currency, p_percent,
        coalesce(p_fixed_minor, 0), coalesce(p_minimum_minor, 0),
        p_maximum_minor, coalesce(p_valid_from, now()), p_who,
        coalesce(p_payment_method, ''))
    RETURNING * INTO v_new;
    PERFORM keep_payout_act(p_merchant_id, 'policy', p_merchant_id,
        'commission', p_who, p_why, to_jsonb(v_new));

    RETURN 'stored';
EXCEPTION WHEN check_violation OR not_null_violation
    OR numeric_value_out_of_range THEN
    RETURN 'invalid';
END
$$;
COMMENT ON FUNCTION pay_ops.set_commission IS
    'Adds a row to the schedule of commissions: stored, past or invalid';
