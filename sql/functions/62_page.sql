-- Lists of checkouts, newest first, a page at a time.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- With a status a page looks at 500 checkouts at most: it may be short, even
-- empty, while next says that there are more.  A bitmap would read all checkouts
-- of a merchant for a page: a plan that was made while there were few keeps on.
CREATE OR REPLACE FUNCTION pay.checkout_page(
    p_merchant_id text, p_status text, p_after timestamptz,
    p_before timestamptz, p_before_id text, p_limit int)
RETURNS json LANGUAGE plpgsql STABLE SET enable_bitmapscan = off AS $$
DECLARE
    v_window int := CASE WHEN p_status IS NULL THEN p_limit ELSE 500 END;
BEGIN
    RETURN (
        WITH seen AS MATERIALIZED (
            SELECT c.*, row_number() OVER (
                ORDER BY c.created_at DESC, c.checkout_id DESC) AS n
            FROM (SELECT x.* FROM checkout x
                  WHERE x.merchant_id = p_merchant_id
                      AND x.total_minor > 0     -- checkout_created's own
                      AND x.created_at > coalesce(p_after, '-infinity')
                      AND (x.created_at, x.checkout_id)
                          < (coalesce(p_before, 'infinity'),
                             coalesce(p_before_id, ''))
                  ORDER BY x.created_at DESC, x.checkout_id DESC
                  LIMIT v_window + 1) c
        ), fit AS MATERIALIZED (
            SELECT s.*, o.status, row_number() OVER (ORDER BY s.n) AS place
            FROM seen s
            CROSS JOIN LATERAL (
                SELECT y.status FROM payment_order y
                WHERE y.merchant_id = s.merchant_id
                    AND y.checkout_id = s.checkout_id
                ORDER BY y.position LIMIT 1) o
            WHERE s.n <= v_window
                AND (p_status IS NULL OR o.status::text = p_status)
        ), ends AS (
            SELECT CASE WHEN (SELECT count(*) FROM fit) > p_limit
                            THEN (SELECT f.n FROM fit f
                                  WHERE f.place = p_limit)
                        WHEN (SELECT count(*) FROM seen) > v_window
                            THEN v_window END AS n
        )
        SELECT json_build_object('checkouts', coalesce((
                SELECT json_agg(json_build_object(
                    'checkout_id', f.checkout_id,
                    'created_at', iso_time(f.created_at),
                    'expires_at', iso_time(f.expires_at),
                    'psp', f.psp, 'status', f.status,
                    'is_payment_done', f.status = 'SUCCESS',
                    'is_final', f.status IN ('SUCCESS', 'FAILED'),
                    'amount', decimal_text(f.total_minor, f.currency),
                    'currency', f.currency,
                    'payment_orders', explain_orders(f.merchant_id,
                                                     f.checkout_id))
                    ORDER BY f.n)
                FROM fit f WHERE f.place <= p_limit), '[]'),
            'next', (SELECT encode(convert_to(to_char(
                    s.created_at AT TIME ZONE 'UTC',
                    'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || s.checkout_id,
                    'UTF8'), 'hex')
                FROM seen s, ends e WHERE s.n = e.n)));
END
$$;
COMMENT ON FUNCTION pay.checkout_page IS
    'A page of a merchant''s checkouts, and the cursor of the next';


CREATE OR REPLACE FUNCTION pay_api.list_checkouts(
    p_merchant_id text[], p_status text[], p_after_us bigint[],
    p_before_us bigint[], p_before_id text[], p_limit bigint[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_status),
        array_dims(p_after_us), array_dims(p_before_us),
        array_dims(p_before_id), array_dims(p_limit));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN v.fits THEN 'found' ELSE 'invalid' END,
        CASE WHEN v.fits
             THEN checkout_page(u.merchant_id, u.status,
                 'epoch'::timestamptz + u.after_us * interval '1 us',
                 'epoch'::timestamptz + u.before_us * interval '1 us',
                 u.before_id, u.size::int)::text END
    FROM unnest(p_merchant_id, p_status, p_after_us, p_before_us,
        p_before_id, p_limit) WITH ORDINALITY AS u (merchant_id, status,
        after_us, before_us, before_id, size, n)
    CROSS JOIN LATERAL (
        SELECT (u.merchant_id IS NOT NULL AND u.size BETWEEN 1 AND 100
            AND (u.before_us IS NULL) = (u.before_id IS NULL)) IS TRUE
            AS fits) v;
END
$$;
COMMENT ON FUNCTION pay_api.list_checkouts IS
    'A page of checkouts, newest first. Outcomes: found, invalid';
