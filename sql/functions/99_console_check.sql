-- The last results of payctl check: kept by payctl, shown by the console.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- p_at is the time of the snapshot.  An older run that ends late does not cover
-- a newer one; checks that are no more are forgotten.
CREATE OR REPLACE FUNCTION pay_ops.keep_checks(
    p_name text[], p_violations bigint[], p_at timestamptz)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pay, pg_temp AS $$
BEGIN
    INSERT INTO check_result AS r (name, at, violations)
    SELECT u.name, p_at, u.violations
    FROM unnest(p_name, p_violations) AS u (name, violations)
    ON CONFLICT (name) DO UPDATE
    SET at = excluded.at, violations = excluded.violations
    WHERE r.at < excluded.at;

    DELETE FROM check_result r
    WHERE to_regclass(format('pay_check.%I', r.name)) IS NULL;
END
$$;
COMMENT ON FUNCTION pay_ops.keep_checks IS
    'Keeps how many rows each check had at that time';


-- All of the books are nobody's but those who see all merchants.
CREATE OR REPLACE FUNCTION pay.console_checks(p_scope text[])
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT CASE WHEN p_scope IS NULL THEN jsonb_build_object(
    'checked', count(*),
    'oldest_at', iso_time(min(r.at)),
    'at', iso_time(max(r.at)),
    'violated', coalesce(jsonb_agg(jsonb_build_object('name', r.name,
            'rows', r.violations, 'at', iso_time(r.at)) ORDER BY r.name)
        FILTER (WHERE r.violations > 0), '[]')) END
FROM check_result r
$$;
COMMENT ON FUNCTION pay.console_checks IS
    'When payctl check last ran, and the checks that did not hold then';
