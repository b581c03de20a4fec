-- pay.purge(), which ends data by SQL alone: only the owner may call it, and the
-- gateway never does.  payctl retention run ends the same classes, and buyers'
-- details as well, for operators.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.keep_of(p_class text)
RETURNS interval LANGUAGE sql STABLE SET search_path = pay, pg_temp AS
'SELECT c.keep FROM retention_class c WHERE c.class = p_class';
COMMENT ON FUNCTION pay.keep_of IS
    'The age at which rows of a class of data end';


-- To be called until it returns zeros.
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
    idempotency_keys := end_class('idempotency_keys', '0', p_limit);
    ignored_webhooks := end_class('webhooks', p_ignored_after, p_limit)
        + end_class('payout_messages', p_ignored_after, p_limit);
    dead_letters := end_class('dead_letters', p_closed_after, p_limit);
    quarantined := end_class('webhook_quarantine', keep_of(
        'webhook_quarantine'), p_limit);
    webhook_bodies := end_class('webhook_bodies', '0', p_limit);
    settlement_copies := end_class('settlement_copies', p_copies_after,
                                   p_limit);
    risk_rows := (
        SELECT sum(end_class(c.class, c.keep, p_limit))
        FROM retention_class c WHERE c.class LIKE 'risk\_%');
END
$$;
COMMENT ON FUNCTION pay.purge IS
    'Deletes expired idempotency keys, old webhooks without effect, closed '
    'dead letters, old samples of the quarantine, bodies and copies of '
    'settlement files that were kept long enough, and the counters and inputs '
    'of risk that no window and no dispute needs';


-- For the operator's timer, as pay.purge().
CREATE OR REPLACE FUNCTION pay.purge_messages(
    p_limit int DEFAULT 10000, p_after interval DEFAULT '90 days',
    OUT messages bigint, OUT deliveries bigint)
LANGUAGE sql SET search_path = pay, pg_temp AS
'SELECT * FROM end_messages(now() - p_after, p_limit)';
COMMENT ON FUNCTION pay.purge_messages IS
    'Deletes old messages that all receivers have heard, with their '
    'deliveries';


-- The rule that no personal data ends sooner than disputes and windows need it
-- stands here: it binds operators.
CREATE OR REPLACE FUNCTION pay_ops.run_retention(
    p_class text, p_keep interval, p_limit int, p_who text,
    OUT outcome text, OUT ended bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_class retention_class;
    v_keep  interval;
BEGIN
    SELECT * INTO v_class FROM retention_class c WHERE c.class = p_class;

    IF NOT FOUND THEN
        outcome := 'not_found';
        RETURN;
    END IF;

    v_keep := coalesce(p_keep, v_class.keep);
    outcome := CASE
        WHEN NOT is_statement(p_who)
            OR (p_limit BETWEEN 1 AND 10000) IS NOT TRUE THEN 'invalid'
        WHEN now() - v_keep > now() - v_class.at_least THEN 'too_young'
        ELSE 'done' END;

    IF outcome = 'done' THEN
        ended := end_class(p_class, v_keep, p_limit);

        INSERT INTO retention_run AS r (class, at, keep, who, session, total)
        VALUES (p_class, clock_timestamp(), v_keep, p_who, session_user,
            ended)
        ON CONFLICT (class) DO UPDATE
        SET at = EXCLUDED.at, keep = EXCLUDED.keep, who = EXCLUDED.who,
            session = EXCLUDED.session, total = r.total + EXCLUDED.total;
    END IF;
END
$$;
COMMENT ON FUNCTION pay_ops.run_retention IS
    'Ends up to p_limit rows of each table of a class that are older than '
    'p_keep (NULL: as the class says), in one transaction; to be called until '
    'it ends none: done, not_found, too_young or invalid';


-- Counts and changes nothing.
CREATE OR REPLACE FUNCTION pay_view.retention(
    p_classes text[] DEFAULT NULL, p_keep interval DEFAULT NULL)
RETURNS TABLE (class text, keep interval, at_least interval, act text,
    data text, due bigint, last_at timestamptz, last_keep interval,
    last_who text, total bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
SELECT c.class, coalesce(p_keep, c.keep), c.at_least, c.act, c.data, (
    SELECT count(*) FROM aged a
    WHERE a.class = c.class AND a.at < now() - coalesce(p_keep, c.keep)),
    r.at, r.keep, r.who, coalesce(r.total, 0)
FROM retention_class c
LEFT JOIN retention_run r ON r.class = c.class
WHERE p_classes IS NULL OR c.class = ANY (p_classes)
$$;
COMMENT ON FUNCTION pay_view.retention IS
    'The classes of data that end, how many rows are due now, and the last '
    'run of each';
