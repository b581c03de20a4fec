-- Deletes rows that are no longer needed, for the operator's timer.  Only the
-- owner may call it; the gateway never does.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- An expired key counts as absent, so its row can go at any time.  A webhook
-- that is not about a payment, or only caused a query, is kept for operators
-- only.  All others stay: one that was applied is evidence, one that is parked
-- may still find its token.  Skips rows that are locked; to be called until it
-- returns zeros.
CREATE OR REPLACE FUNCTION pay.purge(
    p_limit int DEFAULT 10000, p_ignored_after interval DEFAULT '90 days',
    p_closed_after interval DEFAULT '1 year',
    p_copies_after interval DEFAULT '2 years',
    OUT idempotency_keys bigint, OUT ignored_webhooks bigint,
    OUT dead_letters bigint, OUT quarantined bigint,
    OUT webhook_bodies bigint, OUT settlement_copies bigint,
    OUT risk_rows bigint)
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
BEGIN
    -- the expired rows themselves: an address is one within a partition
    DELETE FROM idempotency_key k
    WHERE k.expires_at <= now() AND k.ctid = ANY (ARRAY(
        SELECT e.ctid FROM idempotency_key e
        WHERE e.expires_at <= now()
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS idempotency_keys = ROW_COUNT;

    WITH gone AS (
        DELETE FROM payout_request r
        WHERE r.expires_at <= now() AND r.ctid = ANY (ARRAY(
            SELECT e.ctid FROM payout_request e
            WHERE e.expires_at <= now()
            LIMIT p_limit
            FOR UPDATE SKIP LOCKED))
        RETURNING 1
    )
    SELECT idempotency_keys + count(*) INTO idempotency_keys FROM gone;

    DELETE FROM webhook_inbox w
    WHERE w.ctid = ANY (ARRAY(
        SELECT i.ctid FROM webhook_inbox i
        WHERE (i.state = 'asked' OR i.state = 'ignored' AND i.fact = 'none')
            AND i.received_at < now() - p_ignored_after
        ORDER BY i.received_at
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS ignored_webhooks = ROW_COUNT;
    ignored_webhooks := ignored_webhooks
        + purge_payout_events(p_limit, p_ignored_after);

    dead_letters := purge_letters(p_limit, p_closed_after);

    DELETE FROM webhook_quarantine w
    WHERE w.ctid = ANY (ARRAY(
        SELECT q.ctid FROM webhook_quarantine q
        WHERE q.received_at < now() - interval '30 days'
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS quarantined = ROW_COUNT;

    DELETE FROM webhook_body w
    WHERE w.ctid = ANY (ARRAY(
        SELECT b.ctid FROM webhook_body b
        WHERE b.keep_until < now()
        ORDER BY b.keep_until
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS webhook_bodies = ROW_COUNT;

    settlement_copies := purge_copies(p_limit, p_copies_after);
    risk_rows := purge_risk(p_limit);
END
$$;
COMMENT ON FUNCTION pay.purge IS
    'Deletes expired idempotency keys, old webhooks without effect, closed '
    'dead letters, old samples of the quarantine, bodies and copies of '
    'settlement files that were kept long enough, and the counters and inputs '
    'of risk that no window and no dispute needs';


-- No window is longer than 30 days.  A dispute may come within 13 months; the
-- decision itself, without the keys that name a buyer, stays for ever.
CREATE OR REPLACE FUNCTION pay.purge_risk(p_limit int)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_counters bigint;
    v_count    bigint;
BEGIN
    DELETE FROM risk_counter w
    WHERE w.ctid = ANY (ARRAY(
        SELECT c.ctid FROM risk_counter c
        WHERE c.hour < now() - interval '31 days'
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_counters = ROW_COUNT;

    UPDATE risk_decision w
    SET keys = NULL, counted = NULL, facts = NULL
    WHERE w.ctid = ANY (ARRAY(
        SELECT d.ctid FROM risk_decision d
        WHERE d.keys IS NOT NULL AND d.at < now() - interval '13 months'
        ORDER BY d.at
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    v_counters := v_counters + v_count;

    UPDATE risk_card w
    SET card = NULL, waits = NULL
    WHERE w.ctid = ANY (ARRAY(
        SELECT c.ctid FROM risk_card c
        WHERE c.card IS NOT NULL AND c.at < now() - interval '13 months'
        ORDER BY c.at
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_counters + v_count;
END
$$;
COMMENT ON FUNCTION pay.purge_risk IS
    'Deletes counters that no window has, and the inputs of old decisions';


-- A message that was applied, and one that contradicts, is evidence and stays.
CREATE OR REPLACE FUNCTION pay.purge_payout_events(
    p_limit int, p_ignored_after interval)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    DELETE FROM payout_event w
    WHERE w.ctid = ANY (ARRAY(
        SELECT e.ctid FROM payout_event e
        WHERE e.at < now() - p_ignored_after
            AND e.outcome NOT IN ('applied', 'contradiction')
        ORDER BY e.at
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.purge_payout_events IS
    'Deletes old messages of pay-out providers that had no effect';


-- A letter about something that is still so stays: without it the sweep would
-- open the next one.  Who closed it, and why, stays in the timeline.
CREATE OR REPLACE FUNCTION pay.purge_letters(
    p_limit int, p_closed_after interval)
RETURNS bigint LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    DELETE FROM dead_letter w
    WHERE w.ctid = ANY (ARRAY(
        SELECT d.ctid FROM dead_letter d
        WHERE d.state <> 'open' AND d.closed_at < now() - p_closed_after
            AND (d.kind NOT IN ('stuck', 'parked') OR is_over(d))
        ORDER BY d.closed_at
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.purge_letters IS 'Deletes old closed dead letters';
