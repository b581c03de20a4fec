-- The operations begin_rates and end_rates: which worker reads a source of
-- rates, and the rates that it read.  One worker of all nodes at a time reads
-- one source, under a lease; so the stored rates are the cache of all nodes.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.claim_rates(
    p_source text, p_owner text, p_interval interval, p_lease interval,
    OUT is_due boolean, OUT age_ms bigint)
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rate_source (source) VALUES (p_source)
    ON CONFLICT (source) DO NOTHING;

    -- further ahead than the interval: it was made shorter, or a clock wrong
    UPDATE rate_source s
    SET lease_owner = p_owner, lease_until = now() + p_lease,
        run_at = now() + p_interval
    FROM (
        SELECT k.ctid AS tid FROM rate_source k
        WHERE k.source = p_source
            AND (k.run_at <= now()
                 OR k.run_at > now() + p_interval + interval '1 second')
            AND coalesce(k.lease_until <= now(), true)
        FOR NO KEY UPDATE SKIP LOCKED) k
    WHERE s.ctid = k.tid;

    is_due := FOUND;

    SELECT CASE WHEN s.fetched_at < now()
                THEN extract(epoch FROM now() - s.fetched_at) * 1000
                WHEN s.fetched_at IS NOT NULL THEN 0 END
    INTO age_ms
    FROM rate_source s WHERE s.source = p_source;
END
$$;
COMMENT ON FUNCTION pay.claim_rates IS
    'Leases a look at a source of rates, if one is due';


CREATE OR REPLACE FUNCTION pay_api.begin_rates(
    p_source text[], p_owner text[], p_interval_ms bigint[],
    p_lease_ms bigint[])
RETURNS SETOF pay_api.age_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row  pay_api.age_row;
    v_item record;
    v_mine record;
BEGIN
    PERFORM check_batch(array_dims(p_source), array_dims(p_owner),
        array_dims(p_interval_ms), array_dims(p_lease_ms));

    FOR v_item IN
        SELECT u.*, coalesce(id_ok(u.source) AND id_ok(u.owner)
            AND u.interval_ms BETWEEN 1 AND 31536000000
            AND u.lease_ms BETWEEN 1 AND 86400000, false) AS ok
        FROM unnest(p_source, p_owner, p_interval_ms, p_lease_ms)
            WITH ORDINALITY AS u (source, owner, interval_ms, lease_ms, n)
        ORDER BY u.source COLLATE "C", u.n
    LOOP
        v_row.item := v_item.n;
        v_row.outcome := 'invalid';
        v_row.age_ms := NULL;

        IF v_item.ok THEN
            v_mine := claim_rates(v_item.source, v_item.owner,
                make_interval(secs => v_item.interval_ms / 1000.0),
                make_interval(secs => v_item.lease_ms / 1000.0));
            v_row.outcome := CASE WHEN v_mine.is_due THEN 'due'
                                  ELSE 'not_due' END;
            v_row.age_ms := v_mine.age_ms;
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.begin_rates IS
    'Whether a source of rates is to be read now, and how old its rates are. '
    'Outcomes: due, not_due, invalid';


-- Replaces all rates of the source at once: a rate that it no longer names is
-- gone.
CREATE OR REPLACE FUNCTION pay.store_rates(
    p_source text, p_base text, p_rates jsonb, p_at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM rate r WHERE r.source = p_source AND NOT p_rates ? r.quote;

    INSERT INTO rate AS r (source, quote, base, rate, fetched_at)
    SELECT p_source, e.key, p_base, e.value::numeric, p_at
    FROM jsonb_each_text(p_rates) e
    ON CONFLICT (source, quote) DO UPDATE
    SET base = EXCLUDED.base, rate = EXCLUDED.rate,
        fetched_at = EXCLUDED.fetched_at;
END
$$;
COMMENT ON FUNCTION pay.store_rates IS
    'Puts a source''s rates in the place of those it gave before';


-- rates: {"USD": "1.0843", …} of known currencies but the base, or NULL: the
-- document had nothing fit to be stored, and the earlier rates stay for their
-- time. age_ms: how old they were when they were read (those of a file).
CREATE OR REPLACE FUNCTION pay_api.end_rates(
    p_source text[], p_owner text[], p_base text[], p_rates jsonb[],
    p_code text[], p_age_ms bigint[], p_max_age_ms bigint[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row  pay_api.outcome_row;
    v_item record;
    v_at   timestamptz;
    v_max  interval;
BEGIN
    PERFORM check_batch(array_dims(p_source), array_dims(p_owner),
        array_dims(p_base), array_dims(p_rates), array_dims(p_code),
        array_dims(p_age_ms), array_dims(p_max_age_ms));

    FOR v_item IN
        SELECT u.*, coalesce(id_ok(u.source) AND id_ok(u.owner)
            AND u.age_ms BETWEEN 0 AND 31536000000
            AND u.max_age_ms BETWEEN 1 AND 31536000000
            AND coalesce(octet_length(u.code), 0) <= 255
            AND (u.rates IS NULL OR rates_ok(u.base, u.rates)), false) AS ok
        FROM unnest(p_source, p_owner, p_base, p_rates, p_code, p_age_ms,
            p_max_age_ms)
            WITH ORDINALITY AS u (source, owner, base, rates, code, age_ms,
            max_age_ms, n)
        ORDER BY u.source COLLATE "C", u.n
    LOOP
        v_row.item := v_item.n;
        v_row.outcome := CASE WHEN v_item.ok THEN 'gone' ELSE 'invalid' END;
        -- others might not fit into an interval
        IF v_item.ok THEN
            v_at := now() - make_interval(secs => v_item.age_ms / 1000.0);
            v_max := make_interval(secs => v_item.max_age_ms / 1000.0);
        END IF;

        UPDATE rate_source s
        SET base = CASE WHEN v_item.rates IS NULL THEN s.base
                        ELSE v_item.base END,
            fetched_at = CASE WHEN v_item.rates IS NULL THEN s.fetched_at
                              ELSE v_at END,
            max_age = v_max,
            lease_owner = NULL, lease_until = NULL, runs = s.runs + 1,
            failures = s.failures + (v_item.rates IS NULL)::int,
            code = nullif(v_item.code, '')
        WHERE v_item.ok AND s.source = v_item.source
            AND s.lease_owner = v_item.owner;

        IF FOUND THEN
            v_row.outcome := 'stored';
            IF v_item.rates IS NOT NULL THEN
                PERFORM store_rates(v_item.source, v_item.base, v_item.rates,
                                    v_at);
            END IF;
        END IF;
        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.end_rates IS
    'Stores the rates of a source. Outcomes: stored, gone, invalid';
