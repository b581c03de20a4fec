-- The operation keep_webhook: raw bodies of verified webhooks, for operators.
-- It runs after the payment's own commit, and no payment waits for it.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.body_ok(
    p_psp text, p_digest bytea, p_body bytea, p_size bigint, p_left_out text,
    p_days bigint, p_message_id text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(id_ok(p_psp) AND octet_length(p_digest) = 32
    AND p_size BETWEEN 0 AND 1048576 AND p_days BETWEEN 1 AND 365
    AND (p_message_id IS NULL OR id_ok(p_message_id))
    AND CASE WHEN p_body IS NULL
             THEN p_left_out IN ('card_number', 'too_large')
             ELSE p_left_out IS NULL AND octet_length(p_body) = p_size
                 AND p_size <= 262144 AND sha256(p_body) = p_digest END,
    false)
$$;
COMMENT ON FUNCTION pay.body_ok IS
    'Whether keep_webhook can keep this body';


-- A body that is there stays as it is: a PSP that repeats a webhook makes it
-- no longer kept.  Only the ids of the messages are gathered in which it came,
-- the first sixteen, since a body without ids of its events is read with the
-- one of its message, see message_of().  In key order, as all batches.
CREATE OR REPLACE FUNCTION pay_api.keep_webhook(
    p_psp text[], p_digest bytea[], p_body bytea[], p_size bigint[],
    p_left_out text[], p_days bigint[], p_message_id text[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(
        array_dims(p_psp), array_dims(p_digest), array_dims(p_body),
        array_dims(p_size), array_dims(p_left_out), array_dims(p_days),
        array_dims(p_message_id));

    INSERT INTO webhook_body AS b (psp, digest, keep_until, size, left_out,
        body, message_ids)
    SELECT p_psp[u.n], p_digest[u.n],
        clock_timestamp() + make_interval(days => p_days[u.n]::int),
        p_size[u.n], p_left_out[u.n], p_body[u.n], u.ids
    FROM (
        SELECT min(n) AS n, (array_remove(array_agg(DISTINCT p_message_id[n]),
                                          NULL))[1:16] AS ids
        FROM generate_series(1, cardinality(p_psp)) n
        WHERE body_ok(p_psp[n], p_digest[n], p_body[n], p_size[n],
                      p_left_out[n], p_days[n], p_message_id[n])
        GROUP BY p_psp[n], p_digest[n]) u
    ORDER BY p_psp[u.n] COLLATE "C", p_digest[u.n]
    ON CONFLICT (psp, digest) DO UPDATE
    SET message_ids = (b.message_ids || EXCLUDED.message_ids)[1:16]
    WHERE NOT EXCLUDED.message_ids <@ b.message_ids
        AND cardinality(b.message_ids) < 16;

    RETURN QUERY
    SELECT n, CASE WHEN body_ok(p_psp[n], p_digest[n], p_body[n], p_size[n],
                                p_left_out[n], p_days[n],
                                p_message_id[n])
                   THEN 'kept' ELSE 'invalid' END
    FROM generate_series(1, cardinality(p_psp)) n;
END
$$;
COMMENT ON FUNCTION pay_api.keep_webhook IS
    'Keeps the raw body of a verified webhook. Outcomes: kept, invalid';


-- One webhook as it was stored, and its body if that is kept.
CREATE OR REPLACE FUNCTION pay_ops.show_webhook(
    p_psp text, p_event_id text)
RETURNS TABLE (
    psp text, event_id text, received_at timestamptz, state text, via text,
    type text, fact text, token text, reference text, code text,
    amount_minor bigint, currency text, merchant_id text, checkout_id text,
    request_id text, digest text, size bigint, keep_until timestamptz,
    body_state text, body bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT i.psp::text, i.event_id::text, i.received_at, i.state::text,
        i.via::text, i.type, i.fact, i.token::text, i.reference, i.code,
        i.amount_minor, i.currency, i.merchant_id::text, i.checkout_id::text,
        i.request_id, encode(i.digest, 'hex'), b.size, b.keep_until,
        CASE WHEN b.psp IS NULL THEN 'not_kept'
             ELSE coalesce(b.left_out, 'kept') END, b.body
    FROM webhook_inbox i
    LEFT JOIN webhook_body b ON b.psp = i.psp AND b.digest = i.digest
    WHERE i.psp = p_psp AND i.event_id = p_event_id;
END
$$;
COMMENT ON FUNCTION pay_ops.show_webhook IS
    'A stored webhook with its raw body; body_state is kept, not_kept, '
    'card_number or too_large';
