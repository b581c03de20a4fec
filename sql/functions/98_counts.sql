-- Counters of orders and declined attempts for /metrics.  roll_up() reads each
-- event of the log once, in the transaction that keeps how far it has come,
-- and adds it to order_count and decline_count.  So nothing is counted twice or
-- left out, whichever worker reads it.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The kinds of orders beyond the 127th share a row, since each becomes four
-- series and the method's name is a storefront's.
CREATE OR REPLACE FUNCTION pay.add_order_counts(p_from bigint, p_until bigint)
RETURNS void LANGUAGE sql AS $$
WITH moved AS MATERIALIZED (
    SELECT c.psp::text AS psp, coalesce(c.payment_method, '-') AS method,
        c.currency::text AS currency, e.new_status AS status, count(*) AS n
    FROM (SELECT x.merchant_id, x.payment_order_id, x.new_status FROM event x
          WHERE x.tx >= p_from AND x.tx < p_until
              AND x.new_status IS DISTINCT FROM x.old_status) e
    CROSS JOIN LATERAL (
        SELECT x.merchant_id, x.checkout_id FROM payment_order x
        WHERE x.merchant_id = e.merchant_id
            AND x.payment_order_id = e.payment_order_id
        OFFSET 0) o
    CROSS JOIN LATERAL (
        SELECT x.psp, x.payment_method, x.currency FROM checkout x
        WHERE x.merchant_id = o.merchant_id AND x.checkout_id = o.checkout_id
        OFFSET 0) c
    GROUP BY 1, 2, 3, 4
), fresh AS (
    SELECT k.*, row_number() OVER (ORDER BY k.psp, k.currency, k.method)
        AS place
    FROM (SELECT DISTINCT m.psp, m.method, m.currency FROM moved m) k
    WHERE NOT EXISTS (
        SELECT FROM order_count x
        WHERE x.psp = k.psp AND x.method = k.method
            AND x.currency = k.currency)
), room AS (
    SELECT 127 - count(*) AS n
    FROM (SELECT DISTINCT x.psp, x.method, x.currency FROM order_count x
          WHERE x.psp <> 'other') k
)
INSERT INTO order_count AS x (psp, method, currency, status, n)
SELECT CASE WHEN w.fits THEN m.psp ELSE 'other' END,
    CASE WHEN w.fits THEN m.method ELSE '-' END,
    CASE WHEN w.fits THEN m.currency ELSE 'XXX' END, m.status, sum(m.n)
FROM moved m
LEFT JOIN fresh f ON f.psp = m.psp AND f.method = m.method
    AND f.currency = m.currency
CROSS JOIN room r
CROSS JOIN LATERAL (SELECT coalesce(f.place <= r.n, true) AS fits) w
GROUP BY 1, 2, 3, 4
ON CONFLICT (psp, method, currency, status) DO UPDATE
SET n = x.n + excluded.n
$$;
COMMENT ON FUNCTION pay.add_order_counts IS
    'Adds the orders whose status has moved in these transactions';


-- An attempt to pay a checkout is declined once, however many orders it has.
CREATE OR REPLACE FUNCTION pay.add_decline_counts(p_from bigint, p_until bigint)
RETURNS void LANGUAGE sql AS $$
WITH declined AS MATERIALIZED (
    SELECT c.psp::text AS psp, e.code, count(*) AS n
    FROM (SELECT x.merchant_id, x.payment_order_id,
              x.detail ->> 'decline' AS code
          FROM event x
          WHERE x.tx >= p_from AND x.tx < p_until
              AND x.detail ? 'decline') e
    CROSS JOIN LATERAL (
        SELECT x.merchant_id, x.checkout_id FROM payment_order x
        WHERE x.merchant_id = e.merchant_id
            AND x.payment_order_id = e.payment_order_id AND x.position = 1
        OFFSET 0) o
    CROSS JOIN LATERAL (
        SELECT x.psp FROM checkout x
        WHERE x.merchant_id = o.merchant_id AND x.checkout_id = o.checkout_id
        OFFSET 0) c
    GROUP BY 1, 2
), room AS (
    SELECT 127 - count(*) AS n FROM decline_count x WHERE x.psp <> 'other'
)
INSERT INTO decline_count AS x (psp, code, n)
SELECT CASE WHEN w.fits THEN d.psp ELSE 'other' END,
    CASE WHEN w.fits THEN d.code ELSE 'unknown' END, sum(d.n)
FROM (SELECT m.*, k.psp IS NOT NULL AS is_known,
          row_number() OVER (PARTITION BY k.psp IS NULL
                             ORDER BY m.psp, m.code) AS place
      FROM declined m
      LEFT JOIN decline_count k ON k.psp = m.psp AND k.code = m.code) d
CROSS JOIN room r
CROSS JOIN LATERAL (SELECT d.is_known OR d.place <= r.n AS fits) w
GROUP BY 1, 2
ON CONFLICT (psp, code) DO UPDATE
SET n = x.n + excluded.n
$$;
COMMENT ON FUNCTION pay.add_decline_counts IS
    'Adds the attempts that were declined in these transactions';


CREATE OR REPLACE FUNCTION pay.counted_figures()
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object(
    'orders', (
        SELECT coalesce(jsonb_agg(k.counts || jsonb_build_object(
                'psp', k.psp, 'method', k.method, 'currency', k.currency)
            ORDER BY k.psp, k.method, k.currency), '[]')
        FROM (SELECT x.psp, x.method, x.currency,
                  jsonb_object_agg(x.status, x.n) AS counts
              FROM order_count x
              GROUP BY x.psp, x.method, x.currency) k),
    'declines', (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
                'psp', x.psp, 'code', x.code, 'n', x.n)
            ORDER BY x.psp, x.code), '[]')
        FROM decline_count x))
$$;
COMMENT ON FUNCTION pay.counted_figures IS
    'The counters of orders and declined attempts for /metrics';
