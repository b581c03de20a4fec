-- The operations get_reread and end_reread: a settlement that was pulled is
-- pulled again once a day, for 10 days after it was first read, since a PSP may
-- alter it.  Another digest of its rows makes a new version.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The first version that was pulled began the 10 days.
CREATE OR REPLACE FUNCTION pay.next_reread(
    p_file settlement_file, p_pause interval)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
SELECT now() + p_pause
WHERE p_file.digest IS NOT NULL
    AND now() + p_pause <= interval '10 days' + least(p_file.received_at, (
        SELECT min(o.received_at) FROM settlement_file o
        WHERE o.source = p_file.source AND o.batch_key = p_file.batch_key
            AND o.state <> 'refused' AND o.digest IS NOT NULL))
$$;
COMMENT ON FUNCTION pay.next_reread IS
    'When a pulled settlement is read again, so long from now; NULL: no more';


-- is_begun: the next version was found before, and a worker has left it.
CREATE OR REPLACE FUNCTION pay_api.get_reread(p_source text[])
RETURNS SETOF pay_api.reread_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_source));

    RETURN QUERY
    SELECT u.n::int, CASE WHEN NOT coalesce(id_ok(u.source), false)
                          THEN 'invalid'
                          WHEN r.file_id IS NULL THEN 'not_found'
                          ELSE 'found' END,
        r.file_id, r.name, r.digest::bytea, r.next_sha256, r.is_begun,
        r.format::text, r.account::text
    FROM unnest(p_source) WITH ORDINALITY AS u (source, n)
    LEFT JOIN LATERAL (
        SELECT f.file_id, f.name, f.digest, x.next_sha256, (EXISTS (
                SELECT FROM settlement_file o
                WHERE o.source = f.source AND o.sha256 = x.next_sha256
                    AND o.state NOT IN ('booked', 'refused'))
            )::int::bigint AS is_begun, s.format, s.account
        FROM settlement_file f
        JOIN settlement_source s ON s.source = f.source
        CROSS JOIN LATERAL (
            SELECT next_version_sha256(f) AS next_sha256) x
        WHERE f.source = u.source AND f.reread_at <= now()
        ORDER BY f.reread_at, f.file_id LIMIT 1) r ON true;
END
$$;
COMMENT ON FUNCTION pay_api.get_reread IS
    'The pulled settlement of a source that is to be read again first. '
    'Outcomes: found, not_found, invalid';


CREATE OR REPLACE FUNCTION pay_api.end_reread(
    p_file_id bigint[], p_pause_ms bigint[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row pay_api.outcome_row;
BEGIN
    PERFORM check_batch(array_dims(p_file_id), array_dims(p_pause_ms));

    FOR v_item IN 1 .. coalesce(cardinality(p_file_id), 0) LOOP
        v_row.item := v_item;
        v_row.outcome := CASE
            WHEN p_pause_ms[v_item] BETWEEN 1 AND 86400000 THEN 'gone'
            ELSE 'invalid' END;

        UPDATE settlement_file f
        SET reread_at = next_reread(f, make_interval(
            secs => p_pause_ms[v_item] / 1000.0))
        WHERE v_row.outcome = 'gone' AND f.file_id = p_file_id[v_item]
            AND f.reread_at IS NOT NULL;

        IF FOUND THEN
            v_row.outcome := 'stored';
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.end_reread IS
    'A pulled settlement was read again, or could not be: when it is next. '
    'Outcomes: stored, gone, invalid';
