-- The functions with which operators drop the oldest month of the log.  The
-- gateway never calls them.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Orders in the month whose newest event there is in no signed seal.
CREATE OR REPLACE FUNCTION pay.is_sealed(
    p_from timestamptz, p_until timestamptz)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN NOT EXISTS (
        SELECT FROM (
            SELECT e.merchant_id, e.payment_order_id, max(e.seq) AS seq
            FROM event e
            WHERE e.at >= p_from AND e.at < p_until
            GROUP BY e.merchant_id, e.payment_order_id) e
        LEFT JOIN (
            SELECT l.merchant_id, l.payment_order_id, max(l.seq) AS seq
            FROM seal_leaf l
            JOIN seal s ON s.number = l.number AND s.signature IS NOT NULL
            GROUP BY l.merchant_id, l.payment_order_id) l
            USING (merchant_id, payment_order_id)
        WHERE coalesce(l.seq, 0) < e.seq);
END
$$;
COMMENT ON FUNCTION pay.is_sealed IS
    'Whether all events of this time are in signed seals';


-- A clock that was set back may have put an order's later event into the
-- earlier month: that is a gap once the month is gone.
CREATE OR REPLACE FUNCTION pay.is_tangled(
    p_from timestamptz, p_until timestamptz)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM event e
        JOIN event n USING (merchant_id, payment_order_id)
        WHERE e.at >= p_from AND e.at < p_until AND n.at >= p_until
            AND n.seq < e.seq);
END
$$;
COMMENT ON FUNCTION pay.is_tangled IS
    'Whether an order has an event of this time behind one of a later time';


-- The remainder of a month: its orders' newest events, from which their chains
-- go on, and the first seal from which on the log has every sealed event.
CREATE OR REPLACE FUNCTION pay.keep_anchors(
    p_month date, p_until timestamptz, p_who text, p_why text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_events bigint;
    v_tx     bigint;
BEGIN
    SELECT count(*), coalesce(max(e.tx), 0) INTO v_events, v_tx
    FROM event e WHERE e.at < p_until;

    INSERT INTO event_anchor (merchant_id, payment_order_id, seq, hash)
    SELECT DISTINCT ON (e.merchant_id, e.payment_order_id)
        e.merchant_id, e.payment_order_id, e.seq, e.hash
    FROM event e
    WHERE e.at < p_until
    ORDER BY e.merchant_id, e.payment_order_id, e.seq DESC
    ON CONFLICT (merchant_id, payment_order_id) DO UPDATE
    SET seq = EXCLUDED.seq, hash = EXCLUDED.hash;

    INSERT INTO dropped_month (month, events, max_tx, first_seal, who, why)
    VALUES (p_month, v_events, v_tx, (
        SELECT coalesce(max(s.number), 0) + 1 FROM seal s
        WHERE s.from_tx <= v_tx), p_who, p_why);
END
$$;
COMMENT ON FUNCTION pay.keep_anchors IS
    'Writes down where chains and seals begin once a month is gone';


-- Dynamic SQL: a table's name cannot be a parameter.  The months go from the
-- oldest on, so that chains and seals are cut at their beginning only.  Less
-- than a year is not for on-call to decide.  Who writes events waits while the
-- lock on the whole log is waited for, which therefore is not for long.
CREATE OR REPLACE FUNCTION pay_ops.drop_month(
    p_month date, p_keep interval, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pay, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    v_name  text := 'event_' || to_char(p_month, 'YYYY_MM');
    v_from  timestamptz := p_month::timestamp AT TIME ZONE 'UTC';
    v_until timestamptz := (p_month + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
    IF coalesce(extract(day FROM p_month) <> 1
                OR now() - p_keep > now() - interval '1 year'
                OR NOT is_statement(p_who) OR NOT is_statement(p_why), true)
    THEN
        RETURN 'invalid';
    END IF;

    LOCK TABLE event IN SHARE UPDATE EXCLUSIVE MODE;

    IF to_regclass('pay.' || v_name) IS NULL THEN
        RETURN 'not_found';
    END IF;

    EXECUTE format('LOCK TABLE pay.%I IN SHARE ROW EXCLUSIVE MODE', v_name);

    IF v_until > now() - p_keep THEN
        RETURN 'too_young';
    ELSIF EXISTS (SELECT FROM event e WHERE e.at < v_from) THEN
        RETURN 'not_oldest';
    ELSIF NOT is_sealed(v_from, v_until) THEN
        RETURN 'not_sealed';
    ELSIF is_tangled(v_from, v_until) THEN
        RETURN 'tangled';
    END IF;

    PERFORM keep_anchors(p_month, v_until, p_who, p_why);
    EXECUTE format('ALTER TABLE pay.event DETACH PARTITION pay.%1$I;'
                   ' DROP TABLE pay.%1$I', v_name);

    RETURN 'dropped';
EXCEPTION WHEN lock_not_available THEN
    RETURN 'busy';
END
$$;
COMMENT ON FUNCTION pay_ops.drop_month IS
    'Lets the oldest month of the log go, where it is older than p_keep (a '
    'year at least) and all of it is in signed seals: dropped, too_young, '
    'not_oldest, not_sealed, tangled, busy (others have it locked), not_found '
    'or invalid';
