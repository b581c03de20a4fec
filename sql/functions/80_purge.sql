-- What may be deleted, for the operator's timer.  Nobody but the owner may
-- call it, the gateway never does.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- An expired key counts as absent, so its row can go at any time.  A webhook
-- that says nothing about a payment, or only had the PSP asked, is kept for
-- people only.  All others stay: what was applied is evidence, what is parked
-- may still find its token.  Skips rows that are in use; to be called until it returns zeros.
CREATE OR REPLACE FUNCTION pay.purge(
    p_limit int DEFAULT 10000, p_ignored_after interval DEFAULT '90 days',
    OUT idempotency_keys bigint, OUT ignored_webhooks bigint)
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
BEGIN
    DELETE FROM idempotency_key k
    WHERE k.ctid = ANY (ARRAY(
        SELECT e.ctid FROM idempotency_key e
        WHERE e.expires_at <= now()
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS idempotency_keys = ROW_COUNT;

    DELETE FROM webhook_inbox w
    WHERE w.ctid = ANY (ARRAY(
        SELECT i.ctid FROM webhook_inbox i
        WHERE (i.state = 'ignored' AND i.fact = 'none' OR i.state = 'asked')
            AND i.received_at < now() - p_ignored_after
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS ignored_webhooks = ROW_COUNT;
END
$$;
COMMENT ON FUNCTION pay.purge IS
    'Deletes expired idempotency keys and old webhooks that said nothing';
