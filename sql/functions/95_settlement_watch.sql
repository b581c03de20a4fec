-- The round of settlement, which one worker of all nodes makes at a time: it
-- queues entries that are overdue, counts those that no file has brought by the
-- hour in which they were booked, adds up the ledger for the balances of PSPs,
-- and gathers the figures for /metrics.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The steps of pay_view.settlement_expected, whose readers may call no function.
CREATE OR REPLACE FUNCTION pay.age_in_days(p_age interval)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN p_age < interval '2 days' THEN '0-1'
            WHEN p_age < interval '4 days' THEN '2-3'
            WHEN p_age < interval '8 days' THEN '4-7'
            WHEN p_age < interval '31 days' THEN '8-30'
            ELSE '>30' END
$$;
COMMENT ON FUNCTION pay.age_in_days IS 'An age as a range of days';


-- In pieces, so that a source that begins in the past, or a busy hour, needs no
-- long statement; an account is looked at once a minute at most.
CREATE OR REPLACE FUNCTION pay.raise_all_overdue(p_end timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_source settlement_source;
BEGIN
    FOR v_source IN
        SELECT * FROM settlement_source s
        WHERE greatest(s.since, s.checked_until) < now()
            - make_interval(days => s.overdue_days) - interval '1 minute'
        ORDER BY s.source
    LOOP
        WHILE clock_timestamp() < p_end LOOP
            EXIT WHEN NOT (raise_overdue(v_source.source, now(), 5000)).again;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.raise_all_overdue IS
    'Queues the overdue entries of all sources, as far as the time suffices';


-- As pay_view.settlement_expected has them, of a piece of the hour that is under
-- way, added to those of the pieces before.  An entry is settled by its key: a
-- join would read all that were ever settled.
CREATE OR REPLACE FUNCTION pay.count_entries(
    p_from timestamptz, p_until timestamptz)
RETURNS void LANGUAGE sql
SET enable_seqscan = off SET enable_hashjoin = on SET jit = off AS $$
WITH entries AS MATERIALIZED (
    SELECT e.* FROM journal_entry e WHERE e.at >= p_from AND e.at < p_until
)
INSERT INTO settlement_count_line AS l (merchant_id, psp, family, currency,
    overdue_days, entries, minor, oldest_at)
SELECT e.merchant_id, e.psp, x.family, e.currency, min(s.overdue_days),
    count(*), sum(x.sign * e.amount_minor), min(e.at)
FROM entries e
JOIN settlement_expected x ON x.kind = e.kind
JOIN (SELECT u.medium, u.psp, CASE WHEN u.medium = 'bank'
          THEN u.merchant_id END AS merchant_id, min(u.since) AS since,
          min(u.overdue_days) AS overdue_days
      FROM settlement_source u GROUP BY 1, 2, 3) s
    ON (x.family = 'payout') = (s.medium = 'bank') AND e.at >= s.since
    AND CASE s.medium WHEN 'psp' THEN e.psp = s.psp
             ELSE e.merchant_id = s.merchant_id END
    AND (s.medium = 'bank' OR NOT starts_with(e.source, 'settlement/'))
LEFT JOIN LATERAL (
    SELECT c.match_id FROM settlement_closed c
    WHERE c.merchant_id = e.merchant_id AND c.source = e.source
        AND c.kind = e.kind
    OFFSET 0) c ON true
WHERE c.match_id IS NULL
GROUP BY e.merchant_id, e.psp, x.family, e.currency
ON CONFLICT (merchant_id, psp, family, currency) DO UPDATE
SET entries = l.entries + EXCLUDED.entries, minor = l.minor + EXCLUDED.minor,
    oldest_at = least(l.oldest_at, EXCLUDED.oldest_at)
$$;
COMMENT ON FUNCTION pay.count_entries IS
    'Counts the entries of a time that no file has brought';


-- The next entries of the hour that is under way, so many at most.  Its count
-- takes the place of the last one when all of them are counted; it is as old as
-- its first piece.  Whether it is done.
CREATE OR REPLACE FUNCTION pay.count_piece(p_rows int)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_count  settlement_count;
    v_until  timestamptz;
    v_groups bigint;
BEGIN
    SELECT * INTO v_count FROM settlement_count FOR UPDATE;

    IF NOT FOUND THEN
        RETURN true;
    END IF;

    v_until := entries_until(v_count.next_at,
                             v_count.hour + interval '1 hour', p_rows);
    PERFORM count_entries(v_count.next_at, v_until);

    IF v_until < v_count.hour + interval '1 hour' THEN
        UPDATE settlement_count c SET next_at = v_until;
        RETURN false;
    END IF;

    DELETE FROM settlement_aged a WHERE a.hour = v_count.hour;
    INSERT INTO settlement_aged (merchant_id, hour, psp, family, currency,
        overdue_days, entries, minor, oldest_at)
    SELECT l.merchant_id, v_count.hour, l.psp, l.family, l.currency,
        l.overdue_days, l.entries, l.minor, l.oldest_at
    FROM settlement_count_line l;
    GET DIAGNOSTICS v_groups = ROW_COUNT;

    -- an entry that is committed late has an hour that is long over
    INSERT INTO settlement_hour AS h (hour, counted_at, is_final)
    VALUES (v_count.hour, v_count.begun_at,
        v_groups = 0 AND v_count.hour < now() - interval '1 day')
    ON CONFLICT (hour) DO UPDATE
    SET counted_at = EXCLUDED.counted_at, is_final = EXCLUDED.is_final;
    PERFORM end_count();

    RETURN true;
END
$$;
COMMENT ON FUNCTION pay.count_piece IS
    'Counts the next entries of an hour: whether all of them are counted';


-- The last three hours are counted in each round, the others behind each file
-- that is booked, and once an hour: the longest ago is the first.  An hour that
-- the round before has left comes before all of them.  Entries older than 400
-- days are not counted.
CREATE OR REPLACE FUNCTION pay.count_expected(
    p_end timestamptz, p_rows int DEFAULT 5000)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_hour   timestamptz;
    v_since  timestamptz;
    v_booked timestamptz;
BEGIN
    SELECT greatest(min(s.since), now() - interval '400 days'),
        max((SELECT max(f.changed_at) FROM settlement_file f
             WHERE f.source = s.source AND f.state = 'booked'))
    INTO v_since, v_booked
    FROM settlement_source s;

    DELETE FROM settlement_aged a
    WHERE a.hour < now() - interval '401 days';
    DELETE FROM settlement_hour h
    WHERE h.hour < now() - interval '401 days';

    WHILE NOT count_piece(p_rows) LOOP
        IF clock_timestamp() >= p_end THEN
            RETURN;
        END IF;
    END LOOP;

    FOR v_hour IN
        SELECT s.hour
        FROM generate_series(date_trunc('hour', v_since, 'UTC'), now(),
                             interval '1 hour') AS s (hour)
        LEFT JOIN settlement_hour h ON h.hour = s.hour
        WHERE h.hour IS NULL
            OR NOT h.is_final AND (h.counted_at < v_booked
                OR h.counted_at < now() - least((now() - h.hour) / 20
                    - interval '10 minutes', interval '1 hour'))
        ORDER BY h.counted_at NULLS FIRST, s.hour DESC
    LOOP
        INSERT INTO settlement_count (hour, next_at) VALUES (v_hour, v_hour);

        WHILE NOT count_piece(p_rows) LOOP
            IF clock_timestamp() >= p_end THEN
                RETURN;
            END IF;
        END LOOP;

        EXIT WHEN clock_timestamp() >= p_end;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.count_expected IS
    'Counts the entries that no file has brought, as far as the time suffices';


-- Exceptions that wait.  Counting ends at 10000, the oldest first.
CREATE OR REPLACE FUNCTION pay.exception_figures()
RETURNS jsonb LANGUAGE sql STABLE AS $$
WITH waits AS MATERIALIZED (
    SELECT x.class, x.finding, x.opened_at, x.currency, x.amount_minor
    FROM settlement_exception x WHERE x.closed_at IS NULL
    ORDER BY x.exception_id LIMIT 10000
), classes AS (
    SELECT w.class::text AS class, count(*) AS count,
        floor(extract(epoch FROM min(w.opened_at)))::bigint AS at
    FROM waits w GROUP BY w.class
)
SELECT jsonb_build_object(
    'unexplained', (
        SELECT coalesce(jsonb_object_agg(c.class, c.count), '{}')
        FROM classes c),
    'unexplained_at', (
        SELECT coalesce(jsonb_object_agg(c.class, c.at), '{}')
        FROM classes c),
    'overdue', (SELECT count(*) FROM waits w WHERE w.finding = 'overdue'),
    'differ', (SELECT count(*) FROM waits w WHERE w.finding = 'differs'),
    'suspense', (
        SELECT coalesce(jsonb_object_agg(s.currency, s.minor), '{}')
        FROM (SELECT w.currency, sum(abs(w.amount_minor)) AS minor
              FROM waits w WHERE w.class = 3 GROUP BY w.currency) s))
$$;
COMMENT ON FUNCTION pay.exception_figures IS
    'How many rows and entries wait for operators, and since when';


-- file_at: the last file was booked, or the source began.  balance_at: the PSP
-- was last asked for its balance, and it could be compared.
CREATE OR REPLACE FUNCTION pay.source_figures()
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT coalesce(jsonb_agg(jsonb_build_object('source', s.source,
    'file_at', floor(extract(epoch FROM greatest(f.at, s.since)))::bigint,
    'matched', f.matched, 'class1', f.class1, 'class2', f.class2,
    'class3', f.class3, 'repeats', f.repeats, 'balance_at', (
        SELECT floor(extract(epoch FROM max(b.looked_at)))::bigint
        FROM psp_balance b
        WHERE b.source = s.source AND b.verdict <> 'unsettled'))
    ORDER BY s.source), '[]')
FROM settlement_source s
CROSS JOIN LATERAL (
    SELECT max(x.changed_at) AS at, sum(x.matched) AS matched,
        sum(x.class1) AS class1, sum(x.class2) AS class2,
        sum(x.class3) AS class3, sum(x.repeats) AS repeats
    FROM settlement_file x
    WHERE x.source = s.source AND x.state = 'booked'
    OFFSET 0) f
$$;
COMMENT ON FUNCTION pay.source_figures IS
    'The rows of each source by their outcome, and the age of its files';


-- Times are in seconds since 1970.
CREATE OR REPLACE FUNCTION pay.settlement_figures()
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT exception_figures() || jsonb_strip_nulls(jsonb_build_object(
    'sources', source_figures(),
    'expected_at', (
        SELECT floor(extract(epoch FROM min(a.oldest_at)))::bigint
        FROM settlement_aged a
        WHERE a.hour = (SELECT min(b.hour) FROM settlement_aged b)),
    'unfinished_at', (
        SELECT floor(extract(epoch FROM min(f.changed_at)))::bigint
        FROM settlement_file f
        WHERE f.state IN ('received', 'staged', 'proven', 'booking')),
    'closed_at', (
        SELECT floor(extract(epoch FROM c.until_at))::bigint
        FROM settlement_close c WHERE c.signature IS NOT NULL
        ORDER BY c.number DESC LIMIT 1)))
$$;
COMMENT ON FUNCTION pay.settlement_figures IS
    'The figures of settlement for /metrics';


-- So that the next look at a balance finds nearly all of it done.  The entries of
-- the last hours are left to the look: a run reads the day before once more.
CREATE OR REPLACE FUNCTION pay.sum_ahead(p_end timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WHILE EXISTS (SELECT FROM settlement_look l
                  WHERE l.way = 'pull'
                      AND l.declared_at > now() - interval '2 days')
        AND coalesce((SELECT NOT t.is_done
                          OR t.until_at < now() - interval '6 hours'
                      FROM settlement_tally t WHERE t.name = 'balance'), true)
    LOOP
        PERFORM sum_ledger(5000, now());
        EXIT WHEN clock_timestamp() >= p_end;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.sum_ahead IS
    'Adds up the ledger for the balances of PSPs, as far as the time suffices';


CREATE OR REPLACE FUNCTION pay.watch_settlement(p_time interval)
RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    PERFORM raise_all_overdue(clock_timestamp() + p_time / 3);
    PERFORM raise_pages();
    PERFORM count_expected(clock_timestamp() + p_time / 3);
    PERFORM sum_ahead(clock_timestamp() + p_time / 3);

    RETURN settlement_figures();
END
$$;
COMMENT ON FUNCTION pay.watch_settlement IS 'One round of settlement';


-- A worker that comes too early gets the figures of the last round, so that
-- every node can show them.  Rounds take a twentieth of the time at most, however
-- many entries an hour has.
CREATE OR REPLACE FUNCTION pay_api.watch_settlement(
    p_owner text[], p_interval_ms bigint[])
RETURNS SETOF pay_api.counts_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row    pay_api.counts_row;
    v_counts jsonb;
    v_begun  timestamptz;
BEGIN
    PERFORM check_batch(array_dims(p_owner), array_dims(p_interval_ms));

    FOR v_item IN 1 .. coalesce(cardinality(p_owner), 0) LOOP
        v_row := ROW(v_item, 'invalid', NULL);

        IF id_ok(p_owner[v_item])
            AND p_interval_ms[v_item] BETWEEN 0 AND 86400000
        THEN
            v_row.outcome := CASE WHEN take_round('settlement') THEN 'checked'
                                  ELSE 'not_due' END;
        END IF;

        IF v_row.outcome = 'checked' THEN
            v_begun := clock_timestamp();
            v_counts := watch_settlement('400 ms');

            PERFORM end_round('settlement', v_counts, greatest(
                make_interval(secs => p_interval_ms[v_item] / 1000.0),
                20 * (clock_timestamp() - v_begun)));
        END IF;

        IF v_row.outcome <> 'invalid' THEN
            v_row.counts := round_counts('settlement');
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.watch_settlement IS
    'Queues overdue entries and counts those that no file has brought, once '
    'an interval. Outcomes: checked, not_due, invalid';


-- oldest_at, counted_at: of the oldest of these entries, and since when at
-- least they are counted.
CREATE OR REPLACE FUNCTION pay.ageing_of(
    p_merchant_id text, p_psp text, p_currency text)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT json_build_object('ageing', coalesce(json_agg(json_build_object(
        'psp', g.psp, 'currency', g.currency, 'family', g.family,
        'days', g.days, 'entries', g.entries,
        'amount', round(g.minor / 10::numeric ^ k.exponent, k.exponent)::text,
        'overdue', g.overdue, 'oldest_at', iso_time(g.oldest_at),
        'counted_at', iso_time(g.counted_at))
        ORDER BY g.psp COLLATE "C", g.currency COLLATE "C",
            g.family COLLATE "C", g.oldest_at DESC), '[]'),
    'next', NULL)
FROM (
    SELECT a.psp, a.currency, a.family, age_in_days(now() - a.oldest_at) AS days,
        sum(a.entries) AS entries, sum(a.minor) AS minor,
        coalesce(sum(a.entries) FILTER (WHERE a.oldest_at
            < now() - make_interval(days => a.overdue_days)), 0) AS overdue,
        min(a.oldest_at) AS oldest_at, min(h.counted_at) AS counted_at
    FROM settlement_aged a
    LEFT JOIN settlement_hour h ON h.hour = a.hour
    WHERE a.merchant_id = p_merchant_id
        AND (p_psp IS NULL OR a.psp = p_psp)
        AND (p_currency IS NULL OR a.currency = p_currency)
    GROUP BY a.psp, a.currency, a.family,
        age_in_days(now() - a.oldest_at)) g
JOIN currency k ON k.code = g.currency
$$;
COMMENT ON FUNCTION pay.ageing_of IS
    'A merchant''s entries that no file has brought, by age, for the API';


CREATE OR REPLACE FUNCTION pay_api.list_settlement_ageing(
    p_merchant_id text[], p_psp text[], p_currency text[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_psp),
                        array_dims(p_currency));

    RETURN QUERY
    SELECT n, 'found', ageing_of(p_merchant_id[n], p_psp[n],
                                 p_currency[n])::text
    FROM generate_series(1, cardinality(p_merchant_id)) n;
END
$$;
COMMENT ON FUNCTION pay_api.list_settlement_ageing IS
    'Entries that no file has brought, by PSP, currency and age. Outcomes: '
    'found';
