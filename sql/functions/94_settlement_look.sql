-- The operations begin_look, keep_look and end_look: which worker reads a
-- source of settlement files that stands in the configuration.  One worker of
-- all nodes at a time reads one source, under a lease that it renews as long
-- as a file takes.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The row of a source follows its directive.  p_account NULL: as it was; p_keep
-- NULL: digest.
CREATE OR REPLACE FUNCTION pay.declare_settlement_source(
    p_source text, p_format text, p_merchant_id text, p_psp text,
    p_account text, p_way text, p_keep text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_old    settlement_source;
    v_stored text := 'stored';
BEGIN
    SELECT * INTO v_old FROM settlement_source s WHERE s.source = p_source;

    IF v_old.source IS NULL OR v_old.format <> p_format
        OR v_old.merchant_id <> p_merchant_id
        OR v_old.psp IS DISTINCT FROM p_psp
        OR v_old.account IS DISTINCT FROM coalesce(p_account, v_old.account)
    THEN
        v_stored := store_settlement_source(p_source, p_format, p_merchant_id,
            p_psp, coalesce(p_account, v_old.account), NULL, NULL);
    END IF;

    IF v_stored = 'stored' THEN
        INSERT INTO settlement_look (source, way) VALUES (p_source, p_way)
        ON CONFLICT (source) DO NOTHING;
        UPDATE settlement_source s SET keep = coalesce(p_keep, 'digest')
        WHERE s.source = p_source AND s.keep <> coalesce(p_keep, 'digest');
    END IF;

    RETURN v_stored;
END
$$;
COMMENT ON FUNCTION pay.declare_settlement_source IS
    'Makes the row of a source follow its directive: stored, in_use or '
    'invalid';


-- A pull looks back for 10 days behind the last one, since a settlement may
-- become final days after it was made; never before the source's own beginning.
CREATE OR REPLACE FUNCTION pay.claim_look(
    p_source text, p_way text, p_owner text, p_interval interval,
    p_lease interval, OUT since_s bigint, OUT balance_due bigint)
LANGUAGE plpgsql AS $$
BEGIN
    -- further ahead than the interval: it was made shorter, or a clock wrong
    UPDATE settlement_look l
    SET lease_owner = p_owner, lease_until = now() + p_lease, way = p_way,
        run_at = now() + p_interval, declared_at = now()
    FROM (
        SELECT k.ctid AS tid, s.since
        FROM settlement_look k
        JOIN settlement_source s ON s.source = k.source
        WHERE k.source = p_source
            AND (k.run_at <= now()
                 OR k.run_at > now() + p_interval + interval '1 second')
            AND coalesce(k.lease_until <= now(), true)
        FOR NO KEY UPDATE OF k SKIP LOCKED) k
    WHERE l.ctid = k.tid
    RETURNING floor(extract(epoch FROM greatest(k.since, least(
        coalesce(l.seen_until - interval '10 days', k.since), now()))))::bigint,
        (p_way = 'pull' AND l.balance_at <= now())::int
    INTO since_s, balance_due;
END
$$;
COMMENT ON FUNCTION pay.claim_look IS
    'Leases a look at a source of settlement files, if one is due';


-- A second worker, and no more, books parts of the file that another one has read:
-- payments need the database, too.  A file of one part is not worth it.
CREATE OR REPLACE FUNCTION pay.claim_help(
    p_source text, p_owner text, p_lease interval)
RETURNS bigint LANGUAGE sql AS $$
UPDATE settlement_look l
SET helper = p_owner, helper_until = now() + p_lease
FROM (
    SELECT k.ctid AS tid, f.file_id
    FROM settlement_look k
    JOIN settlement_file f ON f.source = k.source AND f.state = 'booking'
        AND f.is_whole
    WHERE k.source = p_source AND k.lease_until > now()
        AND k.lease_owner <> p_owner
        AND coalesce(k.helper_until <= now(), true)
        AND EXISTS (SELECT FROM settlement_part p
                    WHERE p.file_id = f.file_id AND NOT p.is_done
                    OFFSET 1)
    ORDER BY f.file_id LIMIT 1
    FOR NO KEY UPDATE OF k SKIP LOCKED) k
WHERE l.ctid = k.tid
RETURNING k.file_id
$$;
COMMENT ON FUNCTION pay.claim_help IS
    'The file whose parts this worker may book beside the one that has read it';


CREATE OR REPLACE FUNCTION pay_api.begin_look(
    p_source text[], p_format text[], p_merchant_id text[], p_psp text[],
    p_account text[], p_way text[], p_owner text[], p_interval_ms bigint[],
    p_lease_ms bigint[], p_keep text[] DEFAULT NULL)
RETURNS SETOF pay_api.look_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row    pay_api.look_row;
    v_item   record;
    v_stored text;
BEGIN
    PERFORM check_batch(array_dims(p_source), array_dims(p_format),
        array_dims(p_merchant_id), array_dims(p_psp), array_dims(p_account),
        array_dims(p_way), array_dims(p_owner), array_dims(p_interval_ms),
        array_dims(p_lease_ms),
        coalesce(array_dims(p_keep), array_dims(p_source)));
    PERFORM sweep_staged(5000);

    FOR v_item IN
        SELECT u.*, coalesce(id_ok(u.source) AND id_ok(u.owner)
            AND u.way IN ('dir', 'pull', 'report')
            AND coalesce(u.keep, 'digest') IN ('digest', 'copy')
            AND u.interval_ms BETWEEN 1 AND 31536000000
            AND u.lease_ms BETWEEN 1 AND 86400000, false) AS ok
        FROM unnest(p_source, p_format, p_merchant_id, p_psp, p_account,
                    p_way, p_owner, p_interval_ms, p_lease_ms, p_keep)
            WITH ORDINALITY AS u (source, format, merchant_id, psp, account,
            way, owner, interval_ms, lease_ms, keep, n)
        ORDER BY u.source COLLATE "C", u.n
    LOOP
        v_row.item := v_item.n;
        v_row.since_s := NULL;
        v_row.balance_due := NULL;
        v_row.file_id := NULL;
        v_stored := CASE WHEN v_item.ok THEN declare_settlement_source(
            v_item.source, v_item.format, v_item.merchant_id, v_item.psp,
            v_item.account, v_item.way, v_item.keep) END;

        IF v_stored = 'stored' THEN
            SELECT c.since_s, c.balance_due
            INTO v_row.since_s, v_row.balance_due
            FROM claim_look(v_item.source, v_item.way, v_item.owner,
                make_interval(secs => v_item.interval_ms / 1000.0),
                make_interval(secs => v_item.lease_ms / 1000.0)) c;
        END IF;

        IF v_stored = 'stored' AND v_row.since_s IS NULL THEN
            v_row.file_id := claim_help(v_item.source, v_item.owner,
                make_interval(secs => v_item.lease_ms / 1000.0));
        END IF;

        v_row.outcome := CASE
            WHEN v_row.since_s IS NOT NULL THEN 'due'
            WHEN v_row.file_id IS NOT NULL THEN 'booking'
            WHEN v_stored = 'stored' THEN 'not_due'
            WHEN v_stored = 'in_use' THEN 'exists'
            ELSE 'invalid' END;

        -- a row has all of its columns, or none
        IF v_row.outcome IN ('due', 'booking') THEN
            v_row.since_s := coalesce(v_row.since_s, 0);
            v_row.balance_due := coalesce(v_row.balance_due, 0);
            v_row.file_id := coalesce(v_row.file_id, 0);
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.begin_look IS
    'Whether a source of settlement files is to be looked at; its row follows '
    'its directive; booking: another worker books a file of it, of which this '
    'one may book parts. Outcomes: due, booking, not_due, exists, invalid';


CREATE OR REPLACE FUNCTION pay_api.keep_look(
    p_source text[], p_owner text[], p_lease_ms bigint[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row pay_api.outcome_row;
BEGIN
    PERFORM check_batch(array_dims(p_source), array_dims(p_owner),
                        array_dims(p_lease_ms));

    FOR v_item IN 1 .. coalesce(cardinality(p_source), 0) LOOP
        v_row.item := v_item;
        v_row.outcome := CASE
            WHEN p_lease_ms[v_item] BETWEEN 1 AND 86400000
            THEN 'gone' ELSE 'invalid' END;

        UPDATE settlement_look l
        SET lease_until = CASE WHEN l.lease_owner = p_owner[v_item]
                               THEN v.until ELSE l.lease_until END,
            helper_until = CASE WHEN l.helper = p_owner[v_item]
                                THEN v.until ELSE l.helper_until END
        FROM (SELECT now() + make_interval(
                  secs => p_lease_ms[v_item] / 1000.0) AS until) v
        WHERE v_row.outcome = 'gone' AND l.source = p_source[v_item]
            AND p_owner[v_item] IN (l.lease_owner, l.helper);

        IF FOUND THEN
            v_row.outcome := 'kept';
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.keep_look IS
    'Renews the lease of a look that takes longer. Outcomes: kept, gone, '
    'invalid';


CREATE OR REPLACE FUNCTION pay_api.end_look(
    p_source text[], p_owner text[], p_seen_s bigint[], p_files bigint[],
    p_again bigint[], p_code text[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row  pay_api.outcome_row;
    v_item record;
BEGIN
    PERFORM check_batch(array_dims(p_source), array_dims(p_owner),
        array_dims(p_seen_s), array_dims(p_files), array_dims(p_again),
        array_dims(p_code));

    FOR v_item IN
        SELECT u.*, coalesce(id_ok(u.source) AND id_ok(u.owner)
            AND coalesce(u.seen_s BETWEEN 1
                         AND extract(epoch FROM now()) + 60, true)
            AND u.files >= 0 AND u.again IN (0, 1)
            AND coalesce(octet_length(u.code), 0) <= 255, false) AS ok
        FROM unnest(p_source, p_owner, p_seen_s, p_files, p_again, p_code)
            WITH ORDINALITY AS u (source, owner, seen_s, files, again, code,
            n)
        ORDER BY u.source COLLATE "C", u.n
    LOOP
        v_row.item := v_item.n;
        v_row.outcome := CASE WHEN v_item.ok THEN 'gone' ELSE 'invalid' END;

        UPDATE settlement_look l
        SET lease_owner = NULL, lease_until = NULL, looked_at = now(),
            run_at = CASE v_item.again WHEN 1 THEN now() ELSE l.run_at END,
            seen_until = coalesce(to_timestamp(v_item.seen_s), l.seen_until),
            runs = l.runs + 1, files = l.files + v_item.files,
            failures = l.failures + (coalesce(v_item.code, '') <> '')::int,
            code = nullif(v_item.code, '')
        WHERE v_item.ok AND l.source = v_item.source
            AND l.lease_owner = v_item.owner;

        IF FOUND THEN
            v_row.outcome := 'stored';
        ELSIF v_item.ok THEN
            UPDATE settlement_look l SET helper = NULL, helper_until = NULL
            WHERE l.source = v_item.source AND l.helper = v_item.owner;
            v_row.outcome := CASE WHEN FOUND THEN 'stored' ELSE 'gone' END;
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.end_look IS
    'Ends a look at a source of settlement files. Outcomes: stored, gone, '
    'invalid';
