-- The operations announce_report, get_report and end_report: a settlement
-- report that a PSP's webhook announces is kept until a worker that has the
-- lease of its source has downloaded and read it.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A PSP repeats its webhooks: a report that was announced is announced once.
CREATE OR REPLACE FUNCTION pay_api.announce_report(
    p_psp text[], p_name text[], p_url text[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row pay_api.outcome_row;
BEGIN
    PERFORM check_batch(array_dims(p_psp), array_dims(p_name),
                        array_dims(p_url));

    FOR v_item IN 1 .. coalesce(cardinality(p_psp), 0) LOOP
        v_row.item := v_item;
        v_row.outcome := 'invalid';

        IF coalesce(id_ok(p_psp[v_item])
            AND p_name[v_item] ~ '^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$'
            AND coalesce(octet_length(p_url[v_item]), 1) BETWEEN 1 AND 2048,
            false)
        THEN
            INSERT INTO settlement_report (psp, name, url)
            VALUES (p_psp[v_item], p_name[v_item], p_url[v_item])
            ON CONFLICT (psp, name) DO NOTHING;
            v_row.outcome := CASE WHEN FOUND THEN 'stored'
                                  ELSE 'duplicate' END;
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.announce_report IS
    'Keeps a settlement report that a webhook announces, until it is read. '
    'Outcomes: stored, duplicate, invalid';


CREATE OR REPLACE FUNCTION pay_api.get_report(p_psp text[])
RETURNS SETOF pay_api.report_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_psp));

    RETURN QUERY
    SELECT u.n::int, CASE WHEN NOT coalesce(id_ok(u.psp), false) THEN 'invalid'
                          WHEN r.name IS NULL THEN 'not_found'
                          ELSE 'found' END, r.name::text, r.url::text
    FROM unnest(p_psp) WITH ORDINALITY AS u (psp, n)
    LEFT JOIN LATERAL (
        SELECT w.name, w.url
        FROM settlement_report w
        WHERE w.psp = u.psp AND w.state = 'waiting' AND w.run_at <= now()
        ORDER BY w.run_at, w.name
        LIMIT 1) r ON true;
END
$$;
COMMENT ON FUNCTION pay_api.get_report IS
    'The report of a PSP that has waited longest and is due. Outcomes: found, '
    'not_found, invalid';


-- p_again_ms: how long the first pause is behind a download that failed; each
-- next one is twice as long, up to 6 hours.  0: nobody is to try again.
CREATE OR REPLACE FUNCTION pay_api.end_report(
    p_psp text[], p_name text[], p_file_id bigint[], p_code text[],
    p_again_ms bigint[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row pay_api.outcome_row;
BEGIN
    PERFORM check_batch(array_dims(p_psp), array_dims(p_name),
        array_dims(p_file_id), array_dims(p_code), array_dims(p_again_ms));

    FOR v_item IN 1 .. coalesce(cardinality(p_psp), 0) LOOP
        v_row.item := v_item;
        v_row.outcome := CASE
            WHEN coalesce(p_again_ms[v_item] BETWEEN 0 AND 86400000
                          AND octet_length(coalesce(p_code[v_item], ''))
                              <= 255, false)
            THEN 'gone' ELSE 'invalid' END;

        UPDATE settlement_report r
        SET state = CASE WHEN p_code[v_item] IS NULL THEN 'read'
                         WHEN p_again_ms[v_item] = 0 THEN 'refused'
                         ELSE 'waiting' END,
            run_at = now() + least(interval '6 hours', make_interval(secs =>
                p_again_ms[v_item] / 1000.0 * 2 ^ least(r.tries, 20))),
            tries = r.tries + (p_code[v_item] IS NOT NULL)::int,
            code = p_code[v_item],
            file_id = coalesce(p_file_id[v_item], r.file_id),
            changed_at = now()
        WHERE v_row.outcome = 'gone' AND r.psp = p_psp[v_item]
            AND r.name = p_name[v_item] AND r.state = 'waiting';

        IF FOUND THEN
            v_row.outcome := 'stored';
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.end_report IS
    'A report was read, could not be downloaded, or is refused. Outcomes: '
    'stored, gone, invalid';
