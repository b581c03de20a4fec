-- The lines that payctl audit export writes and payctl audit verify reads: the
-- log, the leaves and the seals as lines of JSON.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A part of the log is cut between seals, so that it has all that its seals
-- have: events of transactions from from_tx up to, and without, until_tx, and
-- seals from first to last.  Where months were dropped, seals begin behind
-- them.  Nothing sealed: all of the log.
CREATE OR REPLACE FUNCTION pay.export_range(
    p_since timestamptz, p_until timestamptz, OUT from_tx bigint,
    OUT until_tx bigint, OUT first bigint, OUT last bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_newest bigint := (SELECT max(s.number) FROM pay.seal s);
BEGIN
    from_tx := 0;
    until_tx := 9223372036854775807;
    first := 1;
    -- leaves whose seal was deleted are exported, too
    last := 9223372036854775807;

    IF p_since IS NOT NULL AND v_newest IS NOT NULL THEN
        SELECT coalesce(min(s.number), v_newest + 1) INTO first
        FROM pay.seal s WHERE s.at >= p_since;
        SELECT coalesce(max(s.until_tx), 0) INTO from_tx
        FROM pay.seal s WHERE s.number < first;
    END IF;

    IF p_until IS NOT NULL AND v_newest IS NOT NULL THEN
        SELECT max(s.number), coalesce(max(s.until_tx), 0)
        INTO last, until_tx
        FROM pay.seal s WHERE s.at < p_until;
    END IF;

    first := greatest(first, (SELECT max(d.first_seal)
                              FROM pay.dropped_month d));
END
$$;
COMMENT ON FUNCTION pay.export_range IS
    'The transactions and seals that an export of this moment has';


-- Lines of JSON: the events by merchant, order and seq, then the leaves and the
-- seals by their numbers.  If an order's first event is not the first that
-- there was, an anchor precedes it, with seq and hash of the event before it.
-- Not parallel, and so in this sequence.
CREATE OR REPLACE FUNCTION pay_view.audit_export(
    p_since timestamptz DEFAULT NULL, p_until timestamptz DEFAULT NULL)
RETURNS SETOF text LANGUAGE sql STABLE AS $$
(SELECT l.line
FROM (
    SELECT e.*, lag(e.seq) OVER (
            PARTITION BY e.merchant_id, e.payment_order_id ORDER BY e.seq)
            AS previous_seq
    FROM pay.export_range(p_since, p_until) r, pay.event e
    WHERE e.tx >= r.from_tx AND e.tx < r.until_tx
    ) e
CROSS JOIN LATERAL (
    SELECT 1 AS n, row_to_json(a)::text AS line
    FROM (
        SELECT 'anchor' AS t, e.merchant_id, e.payment_order_id, b.seq,
            encode(b.hash, 'hex') AS hash
        FROM (SELECT p.seq, p.hash FROM pay.event p
              WHERE p.merchant_id = e.merchant_id
                  AND p.payment_order_id = e.payment_order_id
                  AND p.seq = e.seq - 1
              UNION ALL
              SELECT p.seq, p.hash FROM pay.event_anchor p
              WHERE p.merchant_id = e.merchant_id
                  AND p.payment_order_id = e.payment_order_id
                  AND p.seq = e.seq - 1
              LIMIT 1) b
        WHERE e.seq > 1 AND e.previous_seq IS NULL) a
    UNION ALL
    SELECT 2, row_to_json(x)::text
    FROM (SELECT 'event' AS t, e.merchant_id, e.payment_order_id, e.seq,
              pay.iso_micros(e.at) AS at, e.tx, e.kind, e.actor, e.old_status,
              e.new_status, e.reason, e.detail::text AS detail, e.request_id,
              encode(e.hash, 'hex') AS hash) x
    ) l
ORDER BY e.merchant_id, e.payment_order_id, e.seq, e.at, l.n)
UNION ALL
(SELECT row_to_json(x)::text
 FROM pay.export_range(p_since, p_until) r, pay.seal_leaf f,
    LATERAL (SELECT 'leaf' AS t, f.number, f.position, f.merchant_id,
        f.payment_order_id, f.seq, encode(f.hash, 'hex') AS hash) x
 WHERE f.number BETWEEN r.first AND r.last
 ORDER BY f.number, f.position)
UNION ALL
(SELECT row_to_json(x)::text
 FROM pay.export_range(p_since, p_until) r, pay.seal s,
    LATERAL (SELECT 'seal' AS t, s.number, s.message, s.key_id,
        translate(encode(s.signature, 'base64'), E'\n', '') AS signature) x
 WHERE s.number BETWEEN r.first AND r.last
 ORDER BY s.number)
$$;
COMMENT ON FUNCTION pay_view.audit_export IS
    'The event log as lines of JSON, for payctl audit verify: all of it, or '
    'the seals that were made from p_since up to, and without, p_until';
