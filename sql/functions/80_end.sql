-- The functions that end data, one for each view of 79_retention.sql, and
-- end_class(), which pay.purge() and pay_ops.run_retention() call.
--
-- Each of these takes at most p_limit rows that are older than p_before, skips
-- rows that are locked, and returns how many it took: to be called until it
-- returns none.  An address (ctid) is one within a partition, so the tables that
-- may have some are asked for the age once more.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.end_buyer_info(
    p_before timestamptz, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    UPDATE checkout w
    SET buyer_info = NULL, credit_card_info = NULL, page = NULL
    WHERE w.created_at < p_before AND w.ctid = ANY (ARRAY(
        SELECT a.tid FROM aged_buyer a
        WHERE a.at < p_before
        ORDER BY a.at
        LIMIT p_limit
        FOR NO KEY UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_buyer_info IS
    'Empties the buyer details of old checkouts';


CREATE OR REPLACE FUNCTION pay.end_metadata(
    p_before timestamptz, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    UPDATE checkout w
    SET metadata = NULL
    WHERE w.created_at < p_before AND w.ctid = ANY (ARRAY(
        SELECT a.tid FROM aged_metadata a
        WHERE a.at < p_before
        ORDER BY a.at
        LIMIT p_limit
        FOR NO KEY UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_metadata IS
    'Empties the metadata of old checkouts';


CREATE OR REPLACE FUNCTION pay.end_change_metadata(
    p_before timestamptz, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    UPDATE change w
    SET metadata = NULL
    WHERE w.created_at < p_before AND w.ctid = ANY (ARRAY(
        SELECT a.tid FROM aged_change a
        WHERE a.at < p_before
        ORDER BY a.at
        LIMIT p_limit
        FOR NO KEY UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_change_metadata IS
    'Empties the metadata of old changes';


CREATE OR REPLACE FUNCTION pay.end_addresses(
    p_before timestamptz, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    UPDATE risk_decision w
    SET keys = (
        SELECT coalesce(jsonb_agg(k.key ORDER BY k.n), '[]')
        FROM jsonb_array_elements(w.keys) WITH ORDINALITY k (key, n)
        WHERE NOT (k.key ->> 0 = 'ip' AND k.key ->> 1 ~ '/(32|64|128)$')),
        has_address = false
    WHERE w.ctid = ANY (ARRAY(
        SELECT a.tid FROM aged_address a
        WHERE a.at < p_before
        ORDER BY a.at
        LIMIT p_limit
        FOR NO KEY UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_addresses IS
    'Takes single addresses from the keys of old decisions';


CREATE OR REPLACE FUNCTION pay.end_decisions(
    p_before timestamptz, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    UPDATE risk_decision w
    SET keys = NULL, has_address = false, counted = NULL, facts = NULL,
        features = NULL, buyer = NULL, device = NULL
    WHERE w.ctid = ANY (ARRAY(
        SELECT a.tid FROM aged_decision a
        WHERE a.at < p_before
        ORDER BY a.at
        LIMIT p_limit
        FOR NO KEY UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_decisions IS
    'Empties the inputs of old decisions, which themselves stay';


CREATE OR REPLACE FUNCTION pay.end_cards(
    p_before timestamptz, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    UPDATE risk_card w
    SET card = NULL, browser = NULL, waits = NULL
    WHERE w.ctid = ANY (ARRAY(
        SELECT a.tid FROM aged_card a
        WHERE a.at < p_before
        ORDER BY a.at
        LIMIT p_limit
        FOR NO KEY UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_cards IS
    'Empties the hashes of cards and browsers of old attempts';


CREATE OR REPLACE FUNCTION pay.end_browsers(
    p_before timestamptz, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    DELETE FROM risk_browser w
    WHERE w.ctid = ANY (ARRAY(
        SELECT a.tid FROM aged_browser a
        WHERE a.at < p_before
        ORDER BY a.at
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_browsers IS
    'Deletes old browsers of checkouts';


CREATE OR REPLACE FUNCTION pay.end_browser_addresses(
    p_before timestamptz, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    UPDATE risk_browser w
    SET address = network(set_masklen(w.address::inet,
        CASE family(w.address) WHEN 4 THEN 24 ELSE 48 END))
    WHERE w.ctid = ANY (ARRAY(
        SELECT a.tid FROM aged_browser_address a
        WHERE a.at < p_before
        ORDER BY a.at
        LIMIT p_limit
        FOR NO KEY UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_browser_addresses IS
    'Leaves of the addresses of old browsers their networks';


CREATE OR REPLACE FUNCTION pay.end_counters(
    p_before timestamptz, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    DELETE FROM risk_counter w
    WHERE w.ctid = ANY (ARRAY(
        SELECT a.tid FROM aged_counter a
        WHERE a.at < p_before
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_counters IS
    'Deletes counters that no window has any more';


CREATE OR REPLACE FUNCTION pay.end_entries(
    p_before timestamptz, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    DELETE FROM risk_list w
    WHERE w.ctid = ANY (ARRAY(
        SELECT a.tid FROM aged_entry a
        WHERE a.at < p_before
        ORDER BY a.at
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_entries IS
    'Deletes entries of lists whose end was long ago';


CREATE OR REPLACE FUNCTION pay.end_list_acts(
    p_before timestamptz, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    UPDATE risk_list_act w
    SET value = NULL
    WHERE w.ctid = ANY (ARRAY(
        SELECT a.tid FROM aged_list_act a
        WHERE a.at < p_before
        LIMIT p_limit
        FOR NO KEY UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_list_acts IS
    'Empties the values in old acts about entries that are gone';


CREATE OR REPLACE FUNCTION pay.end_quarantined(
    p_before timestamptz, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    DELETE FROM webhook_quarantine w
    WHERE w.ctid = ANY (ARRAY(
        SELECT a.tid FROM aged_quarantined a
        WHERE a.at < p_before
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_quarantined IS
    'Deletes old webhooks that proved nothing about their sender';


CREATE OR REPLACE FUNCTION pay.end_bodies(
    p_before timestamptz, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    DELETE FROM webhook_body w
    WHERE w.ctid = ANY (ARRAY(
        SELECT a.tid FROM aged_body a
        WHERE a.at < p_before
        ORDER BY a.at
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_bodies IS
    'Deletes bodies of webhooks that were kept long enough';


CREATE OR REPLACE FUNCTION pay.end_webhooks(
    p_before timestamptz, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    DELETE FROM webhook_inbox w
    WHERE w.ctid = ANY (ARRAY(
        SELECT a.tid FROM aged_webhook a
        WHERE a.at < p_before
        ORDER BY a.at
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_webhooks IS
    'Deletes old webhooks without effect';


CREATE OR REPLACE FUNCTION pay.end_payout_events(
    p_before timestamptz, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    DELETE FROM payout_event w
    WHERE w.ctid = ANY (ARRAY(
        SELECT a.tid FROM aged_payout_event a
        WHERE a.at < p_before
        ORDER BY a.at
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_payout_events IS
    'Deletes old messages of pay-out providers that had no effect';


CREATE OR REPLACE FUNCTION pay.end_letters(
    p_before timestamptz, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    DELETE FROM dead_letter w
    WHERE w.ctid = ANY (ARRAY(
        SELECT a.tid FROM aged_letter a
        WHERE a.at < p_before
        ORDER BY a.at
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_letters IS
    'Deletes old closed dead letters';


CREATE OR REPLACE FUNCTION pay.end_keys(
    p_before timestamptz, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    DELETE FROM idempotency_key w
    WHERE w.expires_at <= p_before AND w.ctid = ANY (ARRAY(
        SELECT a.tid FROM aged_key a
        WHERE a.at <= p_before
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_keys IS
    'Deletes expired idempotency keys';


CREATE OR REPLACE FUNCTION pay.end_payout_keys(
    p_before timestamptz, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    DELETE FROM payout_request w
    WHERE w.ctid = ANY (ARRAY(
        SELECT a.tid FROM aged_payout_key a
        WHERE a.at <= p_before
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_payout_keys IS
    'Deletes expired idempotency keys of pay-outs';


CREATE OR REPLACE FUNCTION pay.end_copies(
    p_before timestamptz, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    DELETE FROM settlement_copy w
    WHERE w.ctid = ANY (ARRAY(
        SELECT a.tid FROM aged_copy a
        WHERE a.at < p_before
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_copies IS
    'Deletes pieces of copies of settlement files that nobody needs any more';


CREATE OR REPLACE FUNCTION pay.end_messages(
    p_before timestamptz, p_limit int,
    OUT messages bigint, OUT deliveries bigint)
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_aged bigint[] := ARRAY(
        SELECT a.position FROM aged_message a
        WHERE a.at < p_before
        ORDER BY a.position LIMIT p_limit);
    v_gone bigint[];
BEGIN
    -- one that is delivered again at this moment stays: a replay locks it
    v_aged := ARRAY(
        SELECT m.position FROM message m
        WHERE m.position = ANY (v_aged)
        ORDER BY m.position FOR UPDATE SKIP LOCKED);
    v_gone := ARRAY(SELECT a.position FROM aged_message a
                    WHERE a.position = ANY (v_aged));

    DELETE FROM webhook_attempt t
    USING webhook_endpoint w
    WHERE t.endpoint_id = w.endpoint_id AND t.merchant_id = w.merchant_id
        AND t.position = ANY (v_gone);
    DELETE FROM webhook_delivery d
    USING webhook_endpoint w
    WHERE d.endpoint_id = w.endpoint_id AND d.merchant_id = w.merchant_id
        AND d.position = ANY (v_gone);
    GET DIAGNOSTICS deliveries = ROW_COUNT;
    DELETE FROM message m WHERE m.position = ANY (v_gone);
    GET DIAGNOSTICS messages = ROW_COUNT;
END
$$;
COMMENT ON FUNCTION pay.end_messages IS
    'Deletes old messages that all receivers have heard, with their '
    'deliveries';


CREATE OR REPLACE FUNCTION pay.end_class(
    p_class text, p_keep interval, p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_before timestamptz := now() - p_keep;
BEGIN
    RETURN CASE p_class
        WHEN 'buyer_info' THEN end_buyer_info(v_before, p_limit)
        WHEN 'metadata' THEN end_metadata(v_before, p_limit)
            + end_change_metadata(v_before, p_limit)
        WHEN 'risk_addresses' THEN end_addresses(v_before, p_limit)
            + end_browser_addresses(v_before, p_limit)
        WHEN 'risk_inputs' THEN end_decisions(v_before, p_limit)
        WHEN 'risk_cards' THEN end_cards(v_before, p_limit)
        WHEN 'risk_browsers' THEN end_browsers(v_before, p_limit)
        WHEN 'risk_counters' THEN end_counters(v_before, p_limit)
        WHEN 'risk_entries' THEN end_entries(v_before, p_limit)
            + end_list_acts(v_before, p_limit)
        WHEN 'webhook_quarantine' THEN end_quarantined(v_before, p_limit)
        WHEN 'webhook_bodies' THEN end_bodies(v_before, p_limit)
        WHEN 'webhooks' THEN end_webhooks(v_before, p_limit)
        WHEN 'payout_messages' THEN end_payout_events(v_before, p_limit)
        WHEN 'dead_letters' THEN end_letters(v_before, p_limit)
        WHEN 'settlement_copies' THEN end_copies(v_before, p_limit)
        WHEN 'idempotency_keys' THEN end_keys(v_before, p_limit)
            + end_payout_keys(v_before, p_limit)
        WHEN 'messages' THEN (end_messages(v_before, p_limit)).messages
        END;
END
$$;
COMMENT ON FUNCTION pay.end_class IS
    'Ends rows of a class that are older than p_keep, p_limit of each of its '
    'tables at most; NULL: there is no such class';
