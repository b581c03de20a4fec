-- The disk, WAL, cores and connections that a rate of payments takes.
-- docs/sizing.md says where the constants come from, and has a table that a test
-- compares with this.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Estimates of the planner's, since a count would read all rows.  bytes: of a
-- payment, NULL where there are too few for a mean.
CREATE OR REPLACE FUNCTION pay.stored_payments(
    OUT payments bigint, OUT bytes bigint, OUT a_day numeric, OUT peak numeric)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_disk bigint;
BEGIN
    SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint INTO payments
    FROM pg_class c
    WHERE c.oid = 'checkout'::regclass
        OR c.oid IN (SELECT i.inhrelid FROM pg_inherits i
                     WHERE i.inhparent = 'checkout'::regclass);

    SELECT sum(pg_total_relation_size(c.oid)) INTO v_disk
    FROM pg_class c
    WHERE c.relnamespace = 'pay'::regnamespace AND c.relkind = 'r';
    bytes := CASE WHEN payments >= 10000 THEN v_disk / payments END;

    SELECT sum(r.success + r.failed + r.expired + r.not_started
               + r.executing) / 7
    INTO a_day
    FROM rollup r
    WHERE r.level = 'hour' AND r.bucket >= now() - interval '7 days';

    SELECT max(m.n) / 60.0 INTO peak
    FROM (SELECT sum(r.success + r.failed + r.expired + r.not_started
                     + r.executing) AS n
          FROM rollup r
          WHERE r.level = 'minute' AND r.bucket >= now() - interval '7 days'
          GROUP BY r.bucket) m;
END
$$;
COMMENT ON FUNCTION pay.stored_payments IS
    'How many payments there are, how large they are and how many come';


-- p_day: payments a day; p_peak: in the busiest second.  NULL: as in the last
-- seven days, and a peak of ten times the mean where that is more.
CREATE OR REPLACE FUNCTION pay_view.capacity(
    p_day numeric DEFAULT NULL, p_peak numeric DEFAULT NULL)
RETURNS TABLE (figure text, value numeric, unit text, source text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_has   record := stored_payments();
    v_day   numeric := coalesce(p_day, v_has.a_day, 0);
    v_peak  numeric := coalesce(p_peak, greatest(
        CASE WHEN p_day IS NULL THEN v_has.peak END, v_day * 10 / 86400));
    v_bytes numeric := coalesce(v_has.bytes, 8000);
    -- milliseconds of a core: calls that come together share their cost
    v_pg    numeric := greatest(0.75, 3.0 - 2.25 * v_peak / 500);
BEGIN
    RETURN QUERY
    SELECT f.figure, f.value, f.unit, f.source
    FROM (VALUES
        ('payments stored', v_has.payments::numeric, '', 'here'),
        ('payments a day', round(v_day, 1), '',
         CASE WHEN p_day IS NULL THEN 'here' ELSE 'given' END),
        ('payments in the busiest second', round(v_peak, 2), '', CASE
            WHEN p_peak IS NOT NULL THEN 'given'
            WHEN v_peak = v_has.peak AND p_day IS NULL THEN 'here'
            ELSE 'ten times the mean' END),
        ('disk of a payment', v_bytes, 'bytes',
         CASE WHEN v_has.bytes IS NULL THEN 'sizing' ELSE 'here' END),
        ('disk a year', round(v_day * v_bytes * 365 / 1e9, 2), 'GB',
         'calculated'),
        ('WAL a day', round(v_day * 10000 / 1e9, 3), 'GB', 'sizing'),
        ('cores of PostgreSQL', round(v_peak * v_pg / 700, 2), 'at 70 % load',
         'sizing'),
        ('cores of nginx', round(v_peak * 0.2 / 700, 2), 'at 70 % load',
         'sizing'),
        ('workers of nginx', greatest(1, ceil(v_peak * 0.2 / 700)), '', 'sizing'),
        ('connections to PostgreSQL',
         2 * greatest(1, ceil(v_peak * 0.2 / 700)),
         'of ' || current_setting('max_connections'), 'sizing'),
        ('memory of payments at a PSP', round(v_peak * 10 * 0.045, 1),
         'MB, 10 s each', 'sizing')
        ) f (figure, value, unit, source);
END
$$;
COMMENT ON FUNCTION pay_view.capacity IS
    'Disk, WAL, cores and connections that a rate of payments takes, and which '
    'of the figures were measured here';
