-- Pay-outs: the settings of a merchant, and the seller's accounts.  Operators
-- call these; each act is kept with the name of the one who did it.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- p_told: the kind of the message about the act; NULL: nobody gets one.
CREATE OR REPLACE FUNCTION pay.keep_payout_act(
    p_merchant_id text, p_subject text, p_subject_id text, p_act text,
    p_who text, p_why text, p_detail jsonb DEFAULT '{}',
    p_told text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_id bigint;
BEGIN
    INSERT INTO payout_act (merchant_id, subject, subject_id, act, who, why,
        detail)
    VALUES (p_merchant_id, p_subject, p_subject_id, p_act, p_who, p_why,
        jsonb_strip_nulls(p_detail))
    RETURNING act_id INTO v_id;

    IF p_told IS NOT NULL THEN
        INSERT INTO payout_outbox (act_id, merchant_id, kind)
        VALUES (v_id, p_merchant_id, p_told);
    END IF;
END
$$;
COMMENT ON FUNCTION pay.keep_payout_act IS
    'Keeps an act about a pay-out, and its message';


-- Whether another operator has asked for the same setting within a day, and
-- nobody has set another one since, of the same currency.  Another case of the letters is no other
-- operator.  p_set: the act that a setting leaves.
CREATE OR REPLACE FUNCTION pay.is_setting_asked(
    p_merchant_id text, p_subject text, p_subject_id text, p_set text,
    p_detail jsonb, p_who text)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT EXISTS (
    SELECT FROM payout_act a
    WHERE a.merchant_id = p_merchant_id AND a.subject = p_subject
        AND a.subject_id = p_subject_id AND a.act = 'asked'
        AND a.at > clock_timestamp() - interval '1 day'
        AND a.detail = p_detail AND lower(a.who) <> lower(p_who)
        AND NOT EXISTS (
            SELECT FROM payout_act s
            WHERE s.merchant_id = a.merchant_id AND s.subject = a.subject
                AND s.subject_id = a.subject_id AND s.act = p_set
                AND s.detail -> 'currency'
                    IS NOT DISTINCT FROM a.detail -> 'currency'
                AND s.act_id > a.act_id))
$$;
COMMENT ON FUNCTION pay.is_setting_asked IS
    'Whether another operator has asked for this setting';


-- The check digits of ISO 13616: the first four characters behind the others,
-- letters as 10 to 35, and the number modulo 97 is 1.
CREATE OR REPLACE FUNCTION pay.is_iban(p_text text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_turned text := substr(p_text, 5) || left(p_text, 4);
    v_rest   int := 0;
    v_digit  int;
BEGIN
    IF (p_text ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$') IS NOT TRUE
        OR substr(p_text, 3, 2) NOT BETWEEN '02' AND '98'
        OR NOT EXISTS (
            SELECT FROM iban_country c
            WHERE c.country = left(p_text, 2) AND c.length = length(p_text))
    THEN
        RETURN false;
    END IF;

    FOR v_place IN 1 .. length(v_turned) LOOP
        v_digit := strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ',
                          substr(v_turned, v_place, 1)) - 1;
        v_rest := (v_rest * CASE WHEN v_digit > 9 THEN 100 ELSE 10 END
                   + v_digit) % 97;
    END LOOP;

    RETURN v_rest = 1;
END
$$;
COMMENT ON FUNCTION pay.is_iban IS
    'Whether this is an IBAN without blanks, with the length of its country '
    'and right check digits';


-- NULL: as it was, or the default.
CREATE OR REPLACE FUNCTION pay_ops.set_payout_policy(
    p_merchant_id text, p_who text, p_why text,
    p_release_by text DEFAULT NULL, p_release_days int DEFAULT NULL,
    p_needs_settled boolean DEFAULT NULL,
    p_reserve_percent numeric DEFAULT NULL, p_reserve_days int DEFAULT NULL,
    p_cooling_off_hours int DEFAULT NULL, p_sends_by text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_new payout_policy;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    INSERT INTO payout_policy (merchant_id) VALUES (p_merchant_id)
    ON CONFLICT DO NOTHING;
    UPDATE payout_policy p
    SET release_by = coalesce(p_release_by, p.release_by),
        release_days = coalesce(p_release_days, p.release_days),
        needs_settled = coalesce(p_needs_settled, p.needs_settled),
        reserve_percent = coalesce(p_reserve_percent, p.reserve_percent),
        reserve_days = coalesce(p_reserve_days, p.reserve_days),
        cooling_off_hours = coalesce(p_cooling_off_hours,
                                     p.cooling_off_hours),
        sends_by = coalesce(p_sends_by, p.sends_by)
    WHERE p.merchant_id = p_merchant_id
    RETURNING * INTO v_new;
    PERFORM keep_payout_act(p_merchant_id, 'policy', p_merchant_id, 'stored',
        p_who, p_why, to_jsonb(v_new));

    RETURN 'stored';
EXCEPTION WHEN check_violation OR not_null_violation
    OR numeric_value_out_of_range THEN
    RETURN 'invalid';
END
$$;
COMMENT ON FUNCTION pay_ops.set_payout_policy IS
    'Changes when a merchant''s orders are paid out: stored or invalid';


CREATE OR REPLACE FUNCTION pay_ops.set_payout_minimum(
    p_merchant_id text, p_currency text, p_minimum_minor bigint,
    p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why)
        OR NOT EXISTS (SELECT FROM currency k WHERE k.code = p_currency)
    THEN
        RETURN 'invalid';
    END IF;

    INSERT INTO payout_minimum AS m (merchant_id, currency, minimum_minor)
    VALUES (p_merchant_id, p_currency, p_minimum_minor)
    ON CONFLICT (merchant_id, currency) DO UPDATE
    SET minimum_minor = EXCLUDED.minimum_minor;
    PERFORM keep_payout_act(p_merchant_id, 'policy', p_merchant_id,
        'minimum', p_who, p_why, jsonb_build_object('currency', p_currency,
            'minimum_minor', p_minimum_minor));

    RETURN 'stored';
EXCEPTION WHEN check_violation OR not_null_violation THEN
    RETURN 'invalid';
END
$$;
COMMENT ON FUNCTION pay_ops.set_payout_minimum IS
    'Changes the least amount of a pay-out: stored or invalid';


CREATE OR REPLACE FUNCTION pay_ops.set_payout_provider(
    p_merchant_id text, p_provider text, p_adapter text, p_takes text[],
    p_currencies text[], p_countries text[], p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    -- a worker that claims a call waits for this commit, or this one for the claim
    PERFORM FROM payout_provider p
    WHERE p.merchant_id = p_merchant_id AND p.provider = p_provider
    FOR UPDATE;
    IF EXISTS (
        SELECT FROM payout_sending s
        JOIN payout p ON p.merchant_id = s.merchant_id
            AND p.payout_id = s.payout_id
        WHERE s.merchant_id = p_merchant_id AND s.provider = p_provider
            AND s.adapter <> p_adapter
            AND p.state IN ('sending', 'unknown', 'sent'))
    THEN
        RETURN 'under_way';
    END IF;

    INSERT INTO payout_provider AS p (merchant_id, provider, adapter, takes,
        currencies, countries)
    VALUES (p_merchant_id, p_provider, p_adapter, p_takes, p_currencies,
        p_countries)
    ON CONFLICT (merchant_id, provider) DO UPDATE
    SET adapter = EXCLUDED.adapter, takes = EXCLUDED.takes,
        currencies = EXCLUDED.currencies, countries = EXCLUDED.countries;
    PERFORM keep_payout_act(p_merchant_id, 'provider', p_provider, 'stored',
        p_who, p_why, jsonb_build_object('adapter', p_adapter,
            'takes', p_takes, 'currencies', p_currencies,
            'countries', p_countries));

    RETURN 'stored';
EXCEPTION WHEN check_violation OR not_null_violation THEN
    RETURN 'invalid';
END
$$;
COMMENT ON FUNCTION pay_ops.set_payout_provider IS
    'Makes or changes a pay-out provider of a merchant: stored, under_way (items '
    'that its adapter has begun have no end, and no other one knows their keys) '
    'or invalid';


-- The switch stops first sends and repeats of a send whose outcome is unknown;
-- questions about items that were sent go on.
CREATE OR REPLACE FUNCTION pay_ops.stop_payout_provider(
    p_merchant_id text, p_provider text, p_stops boolean, p_who text,
    p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why)
        OR p_stops IS NULL
    THEN
        RETURN 'invalid';
    END IF;

    UPDATE payout_provider p
    SET stopped_at = CASE WHEN p_stops
                          THEN coalesce(p.stopped_at, now()) END
    WHERE p.merchant_id = p_merchant_id AND p.provider = p_provider;
    IF NOT FOUND THEN
        RETURN 'not_found';
    END IF;

    PERFORM keep_payout_act(p_merchant_id, 'provider', p_provider,
        CASE WHEN p_stops THEN 'stopped' ELSE 'started' END, p_who, p_why);

    RETURN CASE WHEN p_stops THEN 'stopped' ELSE 'started' END;
END
$$;
COMMENT ON FUNCTION pay_ops.stop_payout_provider IS
    'Stops a pay-out provider, or starts it again: stopped, started, '
    'not_found or invalid';
