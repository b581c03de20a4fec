-- The log by month, and where chains begin.  migrations/0005_audit.sql defines
-- the hash of an event, since it never changes.  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.this_tx() RETURNS bigint LANGUAGE sql STABLE AS
'SELECT pg_current_xact_id()::text::bigint';
COMMENT ON FUNCTION pay.this_tx IS 'The transaction that this is, with epoch';


-- event_hash() for the functions that write events: the same result, computed
-- from the texts of the event's members, so that it is an expression of the
-- statement instead of a call for each event.  It has one concat(), since each
-- function in an expression costs something whenever its statement starts.
-- Each argument occurs twice in it: pass columns, not expressions.
CREATE OR REPLACE FUNCTION pay.chained_hash(
    p_previous text, p_merchant_id text, p_payment_order_id text,
    p_seq text, p_at text, p_tx text, p_kind text, p_actor text,
    p_old_status text, p_new_status text, p_reason text, p_detail text,
    p_request_id text)
RETURNS bytea LANGUAGE sql STABLE AS $$
SELECT sha256(convert_to(concat(
    octet_length(p_previous), ':', p_previous, ',',
    octet_length(p_merchant_id), ':', p_merchant_id, ',',
    octet_length(p_payment_order_id), ':', p_payment_order_id, ',',
    octet_length(p_seq), ':', p_seq, ',',
    octet_length(p_at), ':', p_at, ',',
    octet_length(p_tx), ':', p_tx, ',',
    octet_length(p_kind), ':', p_kind, ',',
    octet_length(p_actor), ':', p_actor, ',',
    CASE WHEN p_old_status IS NULL THEN '-,'
         ELSE concat(octet_length(p_old_status), ':', p_old_status, ',') END,
    octet_length(p_new_status), ':', p_new_status, ',',
    CASE WHEN p_reason IS NULL THEN '-,'
         ELSE concat(octet_length(p_reason), ':', p_reason, ',') END,
    octet_length(p_detail), ':', p_detail, ',',
    CASE WHEN p_request_id IS NULL THEN '-,'
         ELSE concat(octet_length(p_request_id), ':', p_request_id, ',') END),
    'UTF8'))
$$;
COMMENT ON FUNCTION pay.chained_hash IS
    'The value of event_hash(), from texts, of which only old_status, reason '
    'and request_id may be NULL; p_previous: in hex, empty for the first';


CREATE OR REPLACE FUNCTION pay.first_detail(
    p_psp text, p_route text, p_replaces text, p_asked_by jsonb,
    p_explore jsonb)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT CASE WHEN p_route IS NOT NULL OR p_replaces IS NOT NULL
    THEN jsonb_strip_nulls(jsonb_build_object('psp', p_psp, 'route', p_route,
        'replaces', p_replaces, 'asked_by', p_asked_by,
        'explore', p_explore))
    WHEN p_asked_by IS NULL THEN jsonb_build_object('psp', p_psp)
    ELSE jsonb_build_object('psp', p_psp, 'asked_by', p_asked_by) END
$$;
COMMENT ON FUNCTION pay.first_detail IS
    'The detail of the event that begins an order''s timeline';


-- An order's events are in the partitions from there on only: its first one
-- came with its checkout.  A day for clocks that were set back.
CREATE OR REPLACE FUNCTION pay.events_since(
    p_merchant_id text, p_checkout_id text)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
SELECT c.created_at - interval '1 day' FROM checkout c
WHERE c.merchant_id = p_merchant_id AND c.checkout_id = p_checkout_id
$$;
COMMENT ON FUNCTION pay.events_since IS
    'From when on a checkout''s orders can have events';


-- A function, so that a query that needs no old event opens no partition.
CREATE OR REPLACE FUNCTION pay.is_told(
    p_merchant_id text, p_checkout_id text, p_payment_order_id text,
    p_kind text, p_actor text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_since timestamptz := events_since(p_merchant_id, p_checkout_id);
BEGIN
    RETURN EXISTS (
        SELECT FROM event e
        WHERE e.merchant_id = p_merchant_id
            AND e.payment_order_id = p_payment_order_id
            AND e.at >= v_since AND e.kind = p_kind
            AND (p_actor IS NULL OR e.actor = p_actor));
END
$$;
COMMENT ON FUNCTION pay.is_told IS
    'Whether an order''s timeline has such an event (NULL: of any actor)';


-- Several messages of a PSP may be about one attempt (Stripe's of the charge
-- and of the payment).  The bound keeps a buyer who tries many stolen cards on
-- one page from filling the timeline.
CREATE OR REPLACE FUNCTION pay.attempt_is_news(
    p_order payment_order, p_attempt text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_since timestamptz := events_since((p_order).merchant_id,
                                        (p_order).checkout_id);
BEGIN
    RETURN coalesce(((p_order).decline ->> 'attempts')::int, 0) < 100
        AND (p_attempt IS NULL OR NOT EXISTS (
            SELECT FROM event e
            WHERE e.merchant_id = (p_order).merchant_id
                AND e.payment_order_id = (p_order).payment_order_id
                AND e.at >= v_since AND e.detail ->> 'attempt' = p_attempt));
END
$$;
COMMENT ON FUNCTION pay.attempt_is_news IS
    'Whether a declined attempt is not in an order''s timeline yet';


-- Dynamic SQL: a table's name and bounds cannot be parameters.  The partition
-- is attached, not created in place, so that no session that writes events
-- waits for it.
CREATE OR REPLACE FUNCTION pay.make_partition(p_month date)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_name  text := 'event_' || to_char(p_month, 'YYYY_MM');
    v_from  timestamptz := p_month::timestamp AT TIME ZONE 'UTC';
    v_until timestamptz := (p_month + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
    EXECUTE format('CREATE TABLE pay.%1$I (LIKE pay.event INCLUDING ALL)'
        ' WITH (autovacuum_analyze_threshold = 1000,'
        ' autovacuum_vacuum_insert_threshold = 500000,'
        ' autovacuum_vacuum_insert_scale_factor = 0);'
        ' ALTER TABLE pay.%1$I OWNER TO payments_owner', v_name);

    IF EXISTS (SELECT FROM event_default e
               WHERE e.at >= v_from AND e.at < v_until)
    THEN
        ALTER TABLE event_default DISABLE TRIGGER event_append_only;
        EXECUTE format('WITH gone AS (DELETE FROM pay.event_default'
            ' WHERE at >= %L AND at < %L RETURNING *)'
            ' INSERT INTO pay.%I SELECT * FROM gone', v_from, v_until,
            v_name);
        ALTER TABLE event_default ENABLE ALWAYS TRIGGER event_append_only;
    END IF;

    EXECUTE format('CREATE TRIGGER event_append_only'
        ' BEFORE UPDATE OR DELETE OR TRUNCATE ON pay.%1$I FOR EACH STATEMENT'
        ' EXECUTE FUNCTION pay.refuse_change(''the log is append-only'','
        ' ''PAY20''); ALTER TABLE pay.%1$I ENABLE ALWAYS TRIGGER'
        ' event_append_only; GRANT SELECT ON pay.%1$I TO payments_auditor,'
        ' payments_operator', v_name);
    EXECUTE format('ALTER TABLE pay.event ATTACH PARTITION pay.%I'
        ' FOR VALUES FROM (%L) TO (%L)', v_name, v_from, v_until);
END
$$;
COMMENT ON FUNCTION pay.make_partition IS
    'Makes the partition of a month and moves its events there from '
    'event_default';


-- Makes the partitions of this month and the next two, and with p_move those of
-- all months that have events in event_default: that may take long, and
-- event_default is locked until the transaction ends, so that its callers' are
-- short.  The function does not wait for a session that has a lock on the table
-- (a dump): there is time until the next round.
CREATE OR REPLACE FUNCTION pay.make_partitions(p_move boolean DEFAULT true)
RETURNS int LANGUAGE plpgsql
SET search_path = pay, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
    v_months date[];
    v_month  date;
BEGIN
    v_months := ARRAY(
        SELECT w.month
        FROM (SELECT (date_trunc('month', now() AT TIME ZONE 'UTC')
                      + make_interval(months => n))::date AS month
              FROM generate_series(0, 2) n
              UNION
              SELECT date_trunc('month', e.at AT TIME ZONE 'UTC')::date
              FROM event_default e
              WHERE p_move) w
        WHERE to_regclass('pay.event_' || to_char(w.month, 'YYYY_MM')) IS NULL
            AND (p_move OR NOT EXISTS (
                SELECT FROM event_default e
                WHERE e.at >= w.month::timestamp AT TIME ZONE 'UTC'
                    AND e.at < (w.month + interval '1 month')
                        AT TIME ZONE 'UTC'))
        ORDER BY w.month);

    IF v_months <> '{}' THEN
        LOCK TABLE event IN SHARE UPDATE EXCLUSIVE MODE;
        LOCK TABLE event_default IN ACCESS EXCLUSIVE MODE;
    END IF;

    FOREACH v_month IN ARRAY v_months LOOP
        PERFORM make_partition(v_month);
    END LOOP;

    RETURN cardinality(v_months);
EXCEPTION WHEN lock_not_available OR duplicate_table THEN
    RETURN 0;
END
$$;
COMMENT ON FUNCTION pay.make_partitions IS
    'Makes the partitions of the log that will be needed: how many';

SELECT pay.make_partitions();
