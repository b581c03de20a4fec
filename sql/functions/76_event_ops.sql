-- Acts of operators on endpoints; each is kept with the name of the one who did
-- it.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The ids of endpoints are unique over merchants by their making; an operator
-- need not name the merchant.
CREATE OR REPLACE FUNCTION pay.lock_endpoint_for(
    p_endpoint_id text, p_act text, p_who text, p_why text,
    OUT outcome text, OUT endpoint webhook_endpoint)
LANGUAGE plpgsql AS $$
BEGIN
    outcome := CASE WHEN is_statement(p_who) AND is_statement(p_why)
                    THEN 'done' ELSE 'invalid' END;
    IF outcome = 'invalid' THEN
        RETURN;
    END IF;

    SELECT * INTO endpoint FROM webhook_endpoint w
    WHERE w.endpoint_id = p_endpoint_id
    FOR UPDATE;
    IF NOT FOUND THEN
        outcome := 'not_found';
        RETURN;
    END IF;

    INSERT INTO webhook_act (merchant_id, endpoint_id, act, who, why)
    VALUES (endpoint.merchant_id, p_endpoint_id, p_act, p_who, p_why);
END
$$;
COMMENT ON FUNCTION pay.lock_endpoint_for IS
    'Locks an endpoint for an operator''s act, which is kept';


CREATE OR REPLACE FUNCTION pay_ops.enable_endpoint(
    p_endpoint_id text, p_enable boolean, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_found record := lock_endpoint_for(p_endpoint_id,
        CASE WHEN p_enable THEN 'enabled' ELSE 'disabled' END, p_who, p_why);
    v_endpoint webhook_endpoint := v_found.endpoint;
BEGIN
    IF v_found.outcome <> 'done' THEN
        RETURN v_found.outcome;
    ELSIF p_enable THEN
        PERFORM act_on_endpoint(v_endpoint, 'enable', NULL, NULL, NULL,
                                p_who);
        RETURN 'enabled';
    ELSIF v_endpoint.state = 'enabled' THEN
        PERFORM disable_endpoint(v_endpoint.merchant_id, p_endpoint_id,
                                 'operator');
    END IF;

    RETURN 'disabled';
END
$$;
COMMENT ON FUNCTION pay_ops.enable_endpoint IS
    'Enables or disables an endpoint: enabled, disabled, not_found, invalid';


CREATE OR REPLACE FUNCTION pay_ops.replay_events(
    p_endpoint_id text, p_message_id text, p_since timestamptz,
    p_until timestamptz, p_only_failed boolean, p_who text, p_why text)
RETURNS TABLE (outcome text, deliveries bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_found    record;
    v_endpoint webhook_endpoint;
BEGIN
    outcome := 'invalid';
    IF num_nonnulls(p_message_id, p_since) = 1 THEN
        v_found := lock_endpoint_for(p_endpoint_id, 'replayed', p_who, p_why);
        v_endpoint := v_found.endpoint;
        outcome := CASE WHEN v_found.outcome <> 'done' THEN v_found.outcome
                        WHEN v_endpoint.state = 'disabled' THEN 'refused'
                        ELSE 'replayed' END;
    END IF;

    IF outcome = 'replayed' THEN
        deliveries := replay(v_endpoint, p_message_id, p_since, p_until,
                             p_only_failed);
    END IF;

    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION pay_ops.replay_events IS
    'Delivers messages to an endpoint again: replayed, refused (it is '
    'disabled), not_found, invalid';
