-- The attempts of the last minutes, from which a gateway that has started anew
-- counts its windows in memory again: docs/risk.md#velocities.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- {"attempts": [[second, merchant, keys, sellers], …], newest first, "next":
-- [microsecond, merchant, checkout] or null}.  A second is rounded up: an
-- attempt must not leave its window too soon.  Decisions that are made
-- meanwhile are newer than the first page, and are counted by who makes them.
CREATE OR REPLACE FUNCTION pay.past_attempts(
    p_since timestamptz, p_before timestamptz, p_merchant_id text,
    p_checkout_id text, p_limit int)
RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        WITH found AS (
            SELECT d.at, d.merchant_id, d.checkout_id, d.keys
            FROM risk_decision d
            WHERE d.keys IS NOT NULL AND d.at > p_since
                AND d.at <= coalesce(p_before, 'infinity')
                AND (p_before IS NULL
                     OR (d.at, d.merchant_id, d.checkout_id)
                        < (p_before, p_merchant_id, p_checkout_id))
            ORDER BY d.at DESC, d.merchant_id DESC, d.checkout_id DESC
            LIMIT p_limit
        )
        SELECT json_build_object('attempts', coalesce(json_agg(
                json_build_array(ceil(extract(epoch FROM f.at)),
                    f.merchant_id, f.keys, s.sellers)), '[]'),
            'next', CASE WHEN count(*) = p_limit THEN
                (SELECT json_build_array(
                    (extract(epoch FROM l.at) * 1000000)::bigint,
                    l.merchant_id, l.checkout_id)
                 FROM found l
                 ORDER BY l.at, l.merchant_id, l.checkout_id LIMIT 1)
                END)::text
        FROM found f
        CROSS JOIN LATERAL (
            SELECT coalesce(json_agg(DISTINCT o.seller_account::text), '[]')
                AS sellers
            FROM payment_order o
            WHERE o.merchant_id = f.merchant_id
                AND o.checkout_id = f.checkout_id
            OFFSET 0) s);
END
$$;
COMMENT ON FUNCTION pay.past_attempts IS
    'A page of the attempts since a time, for windows in memory';


CREATE OR REPLACE FUNCTION pay_api.list_past_attempts(
    p_since_s bigint[], p_before_us bigint[], p_before_merchant_id text[],
    p_before_checkout_id text[], p_limit bigint[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_since_s), array_dims(p_before_us),
        array_dims(p_before_merchant_id), array_dims(p_before_checkout_id),
        array_dims(p_limit));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN v.fits THEN 'found' ELSE 'invalid' END,
        CASE WHEN v.fits
             THEN past_attempts(to_timestamp(u.since_s),
                 'epoch'::timestamptz + u.before_us * interval '1 us',
                 u.merchant_id, u.checkout_id, u.size::int) END
    FROM unnest(p_since_s, p_before_us, p_before_merchant_id,
        p_before_checkout_id, p_limit) WITH ORDINALITY
        AS u (since_s, before_us, merchant_id, checkout_id, size, n)
    CROSS JOIN LATERAL (
        SELECT (u.since_s > 0 AND u.size BETWEEN 1 AND 1000
            AND num_nulls(u.before_us, u.merchant_id, u.checkout_id)
                IN (0, 3)) IS TRUE AS fits) v;
END
$$;
COMMENT ON FUNCTION pay_api.list_past_attempts IS
    'A page of the attempts since a time, newest first. '
    'Outcomes: found, invalid';
