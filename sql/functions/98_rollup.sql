-- Roll-ups: payments counted by the minute, quarter, hour and day of their
-- creation, for the console's plots.  pay_api.roll_up() reads which orders the
-- event log has touched since its last round, marks the minutes in which their
-- checkouts were created, and counts marked minutes anew from the checkouts; the
-- wider buckets are added up of the narrower ones.  A count never depends on an
-- older one, so that a late event, a crash or a second run changes nothing else.
-- Nothing that pays waits for it, and it locks no row that a payment needs.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A payment is a checkout, with the status of its first order, as in the list.
CREATE OR REPLACE FUNCTION pay.outcome_of(p_status text, p_reason text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN p_status = 'SUCCESS' THEN 'success'
            WHEN p_status = 'FAILED' AND p_reason = 'expired' THEN 'expired'
            WHEN p_status = 'FAILED' THEN 'failed'
            ELSE 'open' END
$$;
COMMENT ON FUNCTION pay.outcome_of IS
    'success, failed, expired or open: buyers who leave are no failure of a PSP';


CREATE OR REPLACE FUNCTION pay.approved_attempts(p_order payment_order)
RETURNS int LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN p_order.status = 'SUCCESS' OR p_order.authorized_minor > 0
                 OR p_order.captured_minor > 0 THEN 1 ELSE 0 END
$$;
COMMENT ON FUNCTION pay.approved_attempts IS
    '1: a PSP has approved an attempt to pay the order';


-- Some PSPs say of a failed payment nothing about its attempts: that is one.
CREATE OR REPLACE FUNCTION pay.declined_attempts(p_order payment_order)
RETURNS int LANGUAGE sql IMMUTABLE AS $$
SELECT greatest((p_order.decline ->> 'attempts')::int,
    CASE WHEN p_order.decline IS NOT NULL
              OR p_order.reason IN ('declined', 'rejected')
         THEN 1 ELSE 0 END)
$$;
COMMENT ON FUNCTION pay.declined_attempts IS
    'The attempts to pay the order that were declined';


CREATE OR REPLACE FUNCTION pay.decline_code(p_order payment_order)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN declined_attempts(p_order) > 0
            THEN coalesce(p_order.decline ->> 'code', 'unknown') END
$$;
COMMENT ON FUNCTION pay.decline_code IS
    'Our code of the last declined attempt; NULL: none was declined';


-- The first call of a checkout: from its creation until its page was known.
CREATE OR REPLACE FUNCTION pay.registered_ms(p_checkout checkout)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN p_checkout.first_call = 'DONE'
    THEN greatest(floor(extract(epoch FROM p_checkout.first_ended_at
                                - p_checkout.created_at) * 1000), 0)::bigint
    END
$$;
COMMENT ON FUNCTION pay.registered_ms IS
    'Milliseconds from the creation of a checkout to the page of its PSP';


CREATE OR REPLACE FUNCTION pay.rollup_edges()
RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$
SELECT '{10,25,50,100,150,200,300,400,500,750,1000,1500,2000,3000,5000,7500,
10000,20000,30000}'::bigint[]
$$;
COMMENT ON FUNCTION pay.rollup_edges IS
    'The edges of histograms, in milliseconds: class n begins at edge n, and '
    'class 0 at 0';


CREATE OR REPLACE FUNCTION pay.rollup_class(p_ms bigint)
RETURNS text LANGUAGE sql IMMUTABLE AS
'SELECT width_bucket(p_ms, rollup_edges())::text';
COMMENT ON FUNCTION pay.rollup_class IS 'The class of a time in a histogram';


CREATE OR REPLACE FUNCTION pay.tally(p_keys text[])
RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(jsonb_object_agg(t.key, t.n), '{}')
FROM (SELECT u.key, count(*) AS n FROM unnest(p_keys) AS u (key)
      WHERE u.key IS NOT NULL GROUP BY u.key) t
$$;
COMMENT ON FUNCTION pay.tally IS 'How often each text is there';


CREATE OR REPLACE FUNCTION pay.sum_counts(p_counts jsonb[])
RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(jsonb_object_agg(t.key, t.n), '{}')
FROM (SELECT e.key, sum(e.value::bigint) AS n
      FROM unnest(p_counts) AS u (counts)
      CROSS JOIN LATERAL jsonb_each_text(u.counts) e
      GROUP BY e.key) t
$$;
COMMENT ON FUNCTION pay.sum_counts IS 'Counts by key, added up';


-- In UTC, whatever the zone of the session.
CREATE OR REPLACE FUNCTION pay.bucket_of(p_width interval, p_at timestamptz)
RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
'SELECT date_bin(p_width, p_at, ''2000-01-01T00:00:00Z'')';
COMMENT ON FUNCTION pay.bucket_of IS 'The beginning of the bucket of a moment';


-- A whole bucket of the next level ends at once.
CREATE OR REPLACE FUNCTION pay.rollup_horizon(p_level text)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
SELECT coalesce(bucket_of(a.width, now() - l.keep), '-infinity')
FROM rollup_level l
LEFT JOIN rollup_level a ON a.rank = l.rank + 1
WHERE l.level = p_level
$$;
COMMENT ON FUNCTION pay.rollup_horizon IS
    'The time before which buckets of a level have ended';


-- Where minutes have ended, all minutes of the narrowest bucket that is kept are
-- counted again, since that bucket is added up of them.
CREATE OR REPLACE FUNCTION pay.rollup_minutes(p_minute timestamptz)
RETURNS SETOF timestamptz LANGUAGE sql STABLE AS $$
SELECT generate_series(w.bucket, w.bucket + w.width - interval '1 minute',
                       '1 minute')
FROM (SELECT l.width, bucket_of(l.width, p_minute) AS bucket
      FROM rollup_level l
      WHERE p_minute >= rollup_horizon(l.level)
      ORDER BY l.rank LIMIT 1) w
$$;
COMMENT ON FUNCTION pay.rollup_minutes IS
    'The minutes that are to be counted when something in one of them changed';


-- A young minute is counted again soon, an older one at leisure: most payments
-- end within minutes, and each count reads all of its minute.  The more it has,
-- the longer it waits, so that busy minutes do not cost more than a small part
-- of the time.
CREATE OR REPLACE FUNCTION pay.rollup_wait(
    p_merchant_id text, p_minute timestamptz, p_interval interval)
RETURNS interval LANGUAGE sql STABLE AS $$
SELECT greatest(p_interval, least(interval '2 minutes',
        greatest(now() - p_minute, interval '1 minute') / 2),
    least(interval '15 minutes', interval '10 ms' * coalesce(sum(
        r.success + r.failed + r.expired + r.not_started
        + r.executing), 0)::float8))
FROM rollup r
WHERE r.level = 'minute' AND r.merchant_id = p_merchant_id
    AND r.bucket = p_minute
$$;
COMMENT ON FUNCTION pay.rollup_wait IS
    'How long a changed minute waits for more changes before it is counted';


-- As in compare_books(): up to the oldest transaction that is still open, and
-- at most so many events.
CREATE OR REPLACE FUNCTION pay.mark_minutes(
    p_from bigint, p_limit int, p_interval interval, OUT until_tx bigint,
    OUT more boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_open bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
BEGIN
    until_tx := seal_end(p_from, v_open, 1024, p_limit);
    more := until_tx < v_open;

    INSERT INTO rollup_due (merchant_id, minute, due_at)
    SELECT t.merchant_id, m.minute,
        now() + rollup_wait(t.merchant_id, m.minute, p_interval)
    FROM (SELECT DISTINCT o.merchant_id,
              bucket_of('1 minute', c.created_at) AS minute
          FROM (SELECT DISTINCT e.merchant_id, e.payment_order_id
                FROM event e
                WHERE e.tx >= p_from AND e.tx < until_tx) e
          CROSS JOIN LATERAL (
              SELECT x.merchant_id, x.checkout_id FROM payment_order x
              WHERE x.merchant_id = e.merchant_id
                  AND x.payment_order_id = e.payment_order_id
              OFFSET 0) o
          CROSS JOIN LATERAL (
              SELECT x.created_at FROM checkout x
              WHERE x.merchant_id = o.merchant_id
                  AND x.checkout_id = o.checkout_id
              OFFSET 0) c) t
    CROSS JOIN LATERAL rollup_minutes(t.minute) AS m (minute)
    ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION pay.mark_minutes IS
    'Marks the minutes whose payments have an event since transaction p_from';


-- The call that a checkout's own row has is no dispatch.
CREATE OR REPLACE FUNCTION pay.count_minute(
    p_merchant_id text, p_minute timestamptz)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
BEGIN
    DELETE FROM rollup r
    WHERE r.level = 'minute' AND r.merchant_id = p_merchant_id
        AND r.bucket = p_minute;

    WITH made AS (
        INSERT INTO rollup
        SELECT 'minute', p_merchant_id, p_minute, c.psp,
            coalesce(c.payment_method, '-'), c.currency,
            count(*) FILTER (WHERE w.outcome = 'success'),
            count(*) FILTER (WHERE w.outcome = 'failed'),
            count(*) FILTER (WHERE w.outcome = 'expired'),
            count(*) FILTER (WHERE o.status = 'NOT_STARTED'),
            count(*) FILTER (WHERE o.status = 'EXECUTING'),
            coalesce(sum(c.total_minor)
                     FILTER (WHERE w.outcome = 'success'), 0),
            coalesce(sum(c.total_minor)
                     FILTER (WHERE o.status = 'NOT_STARTED'), 0),
            coalesce(sum(c.total_minor)
                     FILTER (WHERE o.status = 'EXECUTING'), 0),
            sum(w.approved), sum(w.declined), tally(array_agg(w.code)),
            tally(array_agg(rollup_class(w.registered))),
            tally(string_to_array(string_agg(d.classes, ' '), ' '))
        FROM (SELECT x.* FROM checkout x
              WHERE x.merchant_id = p_merchant_id
                  AND x.total_minor > 0         -- checkout_created's own
                  AND x.created_at >= p_minute
                  AND x.created_at < p_minute + interval '1 minute'
              ORDER BY x.merchant_id, x.created_at, x.checkout_id
              OFFSET 0) c
        CROSS JOIN LATERAL (
            SELECT x.* FROM payment_order x
            WHERE x.merchant_id = c.merchant_id
                AND x.checkout_id = c.checkout_id
            ORDER BY x.position LIMIT 1) o
        CROSS JOIN LATERAL (
            SELECT string_agg(rollup_class(greatest(floor(extract(
                    epoch FROM x.ended_at - x.sent_at) * 1000), 0)::bigint),
                ' ') AS classes
            FROM dispatch x
            WHERE x.merchant_id = c.merchant_id
                AND x.checkout_id = c.checkout_id AND x.reach = 'complete'
                AND x.ended_at IS NOT NULL) d
        CROSS JOIN LATERAL (
            SELECT outcome_of(o.status, o.reason) AS outcome,
                approved_attempts(o) AS approved,
                declined_attempts(o) AS declined, decline_code(o) AS code,
                registered_ms(c) AS registered
            OFFSET 0) w
        GROUP BY c.psp, coalesce(c.payment_method, '-'), c.currency
        RETURNING success + failed + expired + not_started + executing AS n
    )
    SELECT coalesce(sum(m.n), 0) INTO v_count FROM made m;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.count_minute IS
    'Counts the payments that were created in a minute: how many there are';


CREATE OR REPLACE FUNCTION pay.add_up_rollup(
    p_level text, p_merchant_id text, p_bucket timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM rollup r
    WHERE r.level = p_level AND r.merchant_id = p_merchant_id
        AND r.bucket = p_bucket;

    INSERT INTO rollup
    SELECT p_level, p_merchant_id, p_bucket, r.psp, r.method, r.currency,
        sum(r.success), sum(r.failed), sum(r.expired), sum(r.not_started),
        sum(r.executing), sum(r.captured_minor), sum(r.not_started_minor),
        sum(r.executing_minor), sum(r.approved), sum(r.declined),
        sum_counts(array_agg(r.declines)), sum_counts(array_agg(r.registered)),
        sum_counts(array_agg(r.called))
    FROM rollup_level l
    JOIN rollup_level b ON b.rank = l.rank - 1
    CROSS JOIN LATERAL (
        SELECT x.* FROM rollup x
        WHERE x.level = b.level AND x.merchant_id = p_merchant_id
            AND x.bucket >= p_bucket AND x.bucket < p_bucket + l.width
        OFFSET 0) r
    WHERE l.level = p_level
    GROUP BY r.psp, r.method, r.currency;
END
$$;
COMMENT ON FUNCTION pay.add_up_rollup IS
    'Adds a bucket up of those of the level below';


-- Where minutes have ended, a bucket is added up when all of its minutes have been
-- counted again, and not before.
CREATE OR REPLACE FUNCTION pay.add_up_rollups(
    p_merchants text[], p_minutes timestamptz[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_level  rollup_level;
    v_ended  timestamptz := rollup_horizon('minute');
BEGIN
    FOR v_level IN
        SELECT * FROM rollup_level l WHERE l.level <> 'minute' ORDER BY l.rank
    LOOP
        PERFORM add_up_rollup(v_level.level, b.merchant_id, b.bucket)
        FROM (SELECT DISTINCT u.merchant_id,
                  bucket_of(v_level.width, u.minute) AS bucket
              FROM unnest(p_merchants, p_minutes) AS u (merchant_id, minute)
              ) b
        WHERE NOT EXISTS (
            SELECT FROM rollup_due d
            WHERE d.merchant_id = b.merchant_id AND d.minute >= b.bucket
                AND d.minute < least(b.bucket + v_level.width, v_ended));
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.add_up_rollups IS
    'Adds up the buckets that these minutes are in';


-- Minutes that are due, oldest first, until p_most payments were read.
CREATE OR REPLACE FUNCTION pay.count_minutes(p_most bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_due       rollup_due;
    v_read      bigint := 0;
    v_merchants text[] := '{}';
    v_minutes   timestamptz[] := '{}';
BEGIN
    FOR v_due IN
        SELECT * FROM rollup_due d WHERE d.due_at <= now()
        ORDER BY d.due_at LIMIT 60
    LOOP
        EXIT WHEN v_read >= p_most;

        v_read := v_read + 20 + count_minute(v_due.merchant_id, v_due.minute);
        v_merchants := v_merchants || v_due.merchant_id::text;
        v_minutes := v_minutes || v_due.minute;
    END LOOP;

    DELETE FROM rollup_due d
    USING unnest(v_merchants, v_minutes) AS u (merchant_id, minute)
    WHERE d.merchant_id = u.merchant_id AND d.minute = u.minute;

    PERFORM add_up_rollups(v_merchants, v_minutes);

    RETURN EXISTS (SELECT FROM rollup_due d WHERE d.due_at <= now());
END
$$;
COMMENT ON FUNCTION pay.count_minutes IS
    'Counts minutes that are due; true: more of them are';


-- A day in which minutes are counted again keeps all that it has.
CREATE OR REPLACE FUNCTION pay.end_rollups(p_limit int)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_level rollup_level;
    v_count bigint;
    v_all   bigint := 0;
BEGIN
    FOR v_level IN
        SELECT * FROM rollup_level l WHERE l.keep IS NOT NULL ORDER BY l.rank
    LOOP
        DELETE FROM rollup r
        USING (SELECT x.level, x.merchant_id, x.bucket
               FROM all_merchants() m (id)
               CROSS JOIN LATERAL (
                   SELECT y.level, y.merchant_id, y.bucket FROM rollup y
                   WHERE y.level = v_level.level AND y.merchant_id = m.id
                       AND y.bucket < rollup_horizon(v_level.level)
                       AND NOT EXISTS (
                           SELECT FROM rollup_due d
                           WHERE d.merchant_id = y.merchant_id
                               AND d.minute >= bucket_of('1 day', y.bucket)
                               AND d.minute < bucket_of('1 day', y.bucket)
                                   + interval '1 day')
                   ORDER BY y.bucket LIMIT p_limit) x
               LIMIT p_limit) o
        WHERE r.level = o.level AND r.merchant_id = o.merchant_id
            AND r.bucket = o.bucket;
        GET DIAGNOSTICS v_count = ROW_COUNT;
        v_all := v_all + v_count;
    END LOOP;

    RETURN v_all;
END
$$;
COMMENT ON FUNCTION pay.end_rollups IS
    'Deletes buckets that were kept long enough: how many rows';


-- due: minutes that wait.  counted_at: all changes before it are counted.
CREATE OR REPLACE FUNCTION pay.rollup_figures(
    p_last jsonb, p_is_behind boolean)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object(
    'due', count(*),
    'counted_at', CASE WHEN p_is_behind THEN p_last -> 'counted_at'
        ELSE to_jsonb(floor(extract(epoch FROM coalesce(
            min(d.marked_at), now())))::bigint) END)
FROM (SELECT x.marked_at FROM rollup_due x LIMIT 10000) d
$$;
COMMENT ON FUNCTION pay.rollup_figures IS
    'The figures of roll-ups for /metrics';


CREATE OR REPLACE FUNCTION pay.roll_up(
    p_round round, p_interval interval, p_most bigint)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_marked record;
    v_behind boolean;
    v_more   boolean;
BEGIN
    v_marked := mark_minutes(coalesce(p_round.from_tx, 0), p_most::int,
                             p_interval);
    v_behind := count_minutes(p_most) OR v_marked.more;
    PERFORM add_order_counts(coalesce(p_round.from_tx, 0), v_marked.until_tx);
    PERFORM add_decline_counts(coalesce(p_round.from_tx, 0), v_marked.until_tx);

    IF NOT v_behind THEN
        v_behind := end_rollups(1000) >= 1000;
    END IF;

    -- plots are not behind while the ledger is added up
    v_more := v_behind OR sum_accounts(least(p_most, 5000)::int);

    UPDATE round r
    SET from_tx = v_marked.until_tx,
        run_at = now() + CASE WHEN v_more THEN interval '0'
                              ELSE p_interval END,
        counts = rollup_figures(p_round.counts, v_behind)
            || counted_figures()
    WHERE r.name = 'rollup';

    RETURN v_more;
END
$$;
COMMENT ON FUNCTION pay.roll_up IS 'One round of roll-ups; true: more is due';


-- A worker that comes too early gets the figures of the last round.
CREATE OR REPLACE FUNCTION pay_api.roll_up(
    p_owner text[], p_interval_ms bigint[], p_most bigint[])
RETURNS SETOF pay_api.counts_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row   pay_api.counts_row;
    v_round round;
BEGIN
    PERFORM check_batch(array_dims(p_owner), array_dims(p_interval_ms),
                        array_dims(p_most));

    FOR v_item IN 1 .. coalesce(cardinality(p_owner), 0) LOOP
        v_row := ROW(v_item, 'invalid', NULL);

        IF id_ok(p_owner[v_item])
            AND p_interval_ms[v_item] BETWEEN 0 AND 86400000
            AND p_most[v_item] BETWEEN 1 AND 100000
        THEN
            SELECT * INTO v_round FROM round r
            WHERE r.name = 'rollup' AND r.run_at <= now()
            FOR UPDATE SKIP LOCKED;

            v_row.outcome := CASE WHEN NOT FOUND THEN 'not_due'
                WHEN roll_up(v_round, make_interval(
                         secs => p_interval_ms[v_item] / 1000.0),
                         p_most[v_item])
                THEN 'again' ELSE 'checked' END;
            v_row.counts := round_counts('rollup');
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.roll_up IS
    'Counts the payments of minutes that have changed, one worker of all nodes '
    'at a time. Outcomes: checked, again, not_due, invalid';
