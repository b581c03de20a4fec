-- The operation quarantine_webhook: webhooks that proved nothing about their
-- sender, kept so that operators can see why.  A sender who floods a webhook
-- address only pushes out earlier ones: the newest 1000 of each PSP stay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.quarantine_ok(
    p_psp text, p_reason text, p_digest bytea, p_headers jsonb, p_body bytea,
    p_size bigint)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(id_ok(p_psp) AND p_reason IN ('no_key', 'malformed', 'stale',
        'skew', 'wrong_key', 'altered_body', 'mismatch', 'certificate')
    AND octet_length(p_digest) = 32 AND jsonb_typeof(p_headers) IS NOT NULL
    AND octet_length(p_headers::text) <= 16384 AND octet_length(p_body) <= 4096
    AND p_size >= octet_length(p_body), false)
$$;
COMMENT ON FUNCTION pay.quarantine_ok IS
    'Whether quarantine_webhook can keep this webhook';


-- PSPs' counters are taken in the order of their names, as all batches do.
CREATE OR REPLACE FUNCTION pay_api.quarantine_webhook(
    p_psp text[], p_reason text[], p_digest bytea[], p_headers jsonb[],
    p_body bytea[], p_size bigint[], p_request_id text[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_kept   int[];
    v_item   int;
    v_number bigint;
BEGIN
    PERFORM check_batch(
        array_dims(p_psp), array_dims(p_reason), array_dims(p_digest),
        array_dims(p_headers), array_dims(p_body), array_dims(p_size),
        array_dims(p_request_id));

    v_kept := ARRAY(
        SELECT n FROM generate_series(1, cardinality(p_psp)) n
        WHERE quarantine_ok(p_psp[n], p_reason[n], p_digest[n], p_headers[n],
                            p_body[n], p_size[n])
        ORDER BY p_psp[n] COLLATE "C", n);

    FOREACH v_item IN ARRAY v_kept LOOP
        INSERT INTO quarantine_count AS q (psp, number)
        VALUES (p_psp[v_item], 1)
        ON CONFLICT (psp) DO UPDATE SET number = q.number + 1
        RETURNING q.number INTO v_number;

        INSERT INTO webhook_quarantine AS w (psp, slot, number, reason,
            digest, headers, body, size, request_id)
        VALUES (p_psp[v_item], v_number % 1000, v_number, p_reason[v_item],
            p_digest[v_item], p_headers[v_item], p_body[v_item],
            p_size[v_item], p_request_id[v_item])
        ON CONFLICT (psp, slot) DO UPDATE
        SET number = EXCLUDED.number, received_at = EXCLUDED.received_at,
            reason = EXCLUDED.reason, digest = EXCLUDED.digest,
            headers = EXCLUDED.headers, body = EXCLUDED.body,
            size = EXCLUDED.size, request_id = EXCLUDED.request_id;
    END LOOP;

    RETURN QUERY
    SELECT n, CASE WHEN n = ANY (v_kept) THEN 'stored' ELSE 'invalid' END
    FROM generate_series(1, cardinality(p_psp)) n;
END
$$;
COMMENT ON FUNCTION pay_api.quarantine_webhook IS
    'Keeps a webhook that proved nothing about its sender. Outcomes: stored, '
    'invalid';
