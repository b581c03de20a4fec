-- The operation see_browser: get_handle for a browser that opens its checkout.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay_api.see_browser(
    p_handle text[], p_browser text[], p_before text[], p_is_new bigint[],
    p_agent text[], p_user_agent text[], p_address text[])
RETURNS SETOF pay_api.visit_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_handle), array_dims(p_browser),
        array_dims(p_before), array_dims(p_is_new), array_dims(p_agent),
        array_dims(p_user_agent), array_dims(p_address));

    PERFORM keep_browsers(p_handle, p_browser, p_before, p_is_new, p_agent,
                          p_user_agent, p_address);

    RETURN QUERY SELECT * FROM pay_api.get_handle(p_handle);
END
$$;
COMMENT ON FUNCTION pay_api.see_browser IS
    'The checkout behind a buyer''s address, whose browser is kept. '
    'Outcomes: found, not_found';
