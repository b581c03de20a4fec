-- The end of a settlement file whose parts are all booked, in steps of a bounded
-- number of rows.  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Holds whose dispute is lost by now, so many at most: a webhook says so, and no
-- row does.
CREATE OR REPLACE FUNCTION pay.lose_holds(p_psp text, p_limit int)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_holds settlement_hold[] := ARRAY(
        SELECT h FROM settlement_hold h
        WHERE h.psp = p_psp AND h.ended_at IS NULL AND EXISTS (
            SELECT FROM dispute d
            WHERE d.psp = h.psp AND d.dispute_id = h.dispute_id
                AND d.state = 'lost')
        ORDER BY h.merchant_id, h.checkout_id LIMIT p_limit
        FOR UPDATE);
    v_lines int;
BEGIN
    IF v_holds = '{}' THEN
        RETURN 0;
    END IF;

    WITH entries AS (
        SELECT h.row_id, e.merchant_id, e.source, e.kind
        FROM unnest(v_holds) h
        JOIN journal_entry e ON e.merchant_id = h.merchant_id
            AND e.checkout_id = h.checkout_id
            AND e.kind IN ('dispute_lost', 'unknown_dispute')
            AND entry_object(e.merchant_id, e.checkout_id, e.psp, e.source)
                = h.dispute_id
    ), closed AS (
        INSERT INTO settlement_closed (merchant_id, source, kind, match_id)
        SELECT e.merchant_id, e.source, e.kind, e.row_id FROM entries e
        ON CONFLICT DO NOTHING
    ), linked AS (
        INSERT INTO settlement_link (row_id, match_id, rule)
        SELECT h.row_id, h.row_id, 'object' FROM unnest(v_holds) h
        ON CONFLICT DO NOTHING
    )
    UPDATE settlement_hold h SET ended_at = clock_timestamp()
    FROM unnest(v_holds) x WHERE h.row_id = x.row_id;

    PERFORM end_settled(ARRAY(SELECT h.row_id FROM unnest(v_holds) h));
    v_lines := post(ARRAY(
        SELECT ROW(h.merchant_id, concat('settlement/', r.source, '/',
            r.version, '/', r.row_key), 'psp_dispute_lost', h.checkout_id,
            NULL, h.psp, NULL, h.amount_minor, h.currency, NULL, NULL, NULL,
            NULL)::posting
        FROM unnest(v_holds) h
        JOIN settlement_row r ON r.row_id = h.row_id));

    RETURN cardinality(v_holds);
END
$$;
COMMENT ON FUNCTION pay.lose_holds IS
    'Books the money of disputes that are lost by now: of how many';


-- The amount that the rows of a key stand for: that of each version, less those
-- that are gone.  Where it is not the amount of the newest row, money has been
-- given back since a version had lacked the key; is_in_suspense: all of it is in
-- suspense.  Rows that a file has twice stand for themselves.  p_row_key NULL:
-- nothing is looked for.
CREATE OR REPLACE FUNCTION pay.row_standing(p_source text, p_row_key text)
RETURNS TABLE (minor bigint, is_undone boolean, is_in_suspense boolean)
LANGUAGE sql STABLE AS $$
SELECT a.minor, a.minor <> a.newest, a.minor + a.suspended = a.newest
FROM (
    SELECT coalesce(sum(s.minor) FILTER (WHERE NOT s.is_undone),
                    0)::bigint AS minor,
        coalesce(sum(s.minor) FILTER (WHERE s.is_undone AND s.is_suspended),
                 0)::bigint AS suspended,
        (array_agg(s.net_minor ORDER BY s.version DESC))[1] AS newest
    FROM (
        SELECT r.version, r.net_minor,
            coalesce(x.amount_minor, r.net_minor) AS minor,
            coalesce(x.closed_as = 'gone', false) OR coalesce(g.is_suspended
                OR g.closed_as IN ('accepted', 'written_off'), false)
                AS is_undone,
            coalesce(g.is_suspended AND g.closed_at IS NULL, false)
                AS is_suspended
        FROM settlement_row r
        LEFT JOIN LATERAL (
            SELECT * FROM settlement_exception o
            WHERE o.row_id = r.row_id AND o.finding <> 'gone'
            OFFSET 0) x ON true
        LEFT JOIN LATERAL (
            SELECT * FROM settlement_exception o
            WHERE o.row_id = r.row_id AND o.finding = 'gone'
            OFFSET 0) g ON true
        WHERE p_row_key IS NOT NULL
            AND r.source = p_source AND r.row_key = p_row_key
            AND r.finding <> 'repeated'
            AND r.version >= coalesce((
                SELECT max(b.version) FROM settlement_row b
                WHERE b.source = p_source AND b.row_key = p_row_key
                    AND b.finding = 'back'), 0)) s) a
$$;
COMMENT ON FUNCTION pay.row_standing IS
    'The amount that is left of the rows of a key';


-- Rows that later versions lack, and of which nothing is booked or the money is
-- in suspense: their exceptions end, and the money leaves suspense.  Rows that
-- their file has twice stay in the queue.  It locks the payments of these rows.
CREATE OR REPLACE FUNCTION pay.end_missed(p_rows settlement_row[])
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_ended    settlement_exception[];
    v_postings posting[];
BEGIN
    PERFORM lock_checkouts(array_agg(x.merchant_id::text),
                           array_agg(x.checkout_id::text))
    FROM unnest(p_rows) r
    JOIN settlement_exception x ON x.row_id = r.row_id
    WHERE x.closed_at IS NULL AND x.checkout_id IS NOT NULL;

    v_ended := ARRAY(
        SELECT x
        FROM unnest(p_rows) r
        JOIN settlement_exception x ON x.row_id = r.row_id
            AND x.finding = r.finding
        JOIN settlement_rule u ON u.kind = r.kind AND u.finding = r.finding
        WHERE x.closed_at IS NULL AND r.finding <> 'repeated'
            AND u.posts <> 'value'
        ORDER BY x.exception_id
        FOR UPDATE OF x);
    SELECT array_agg(settlement_posting(work_of_row(r), suspense_kind(x, r,
        'cleared'), abs(x.amount_minor), x.currency) ORDER BY x.exception_id)
    INTO v_postings
    FROM unnest(v_ended) x
    JOIN unnest(p_rows) r ON r.row_id = x.row_id
    WHERE x.amount_minor <> 0
        AND suspense_kind(x, r, 'cleared') IS NOT NULL;

    UPDATE settlement_exception x
    SET closed_at = clock_timestamp(), closed_as = 'gone',
        is_suspended = false
    FROM unnest(v_ended) e
    WHERE x.exception_id = e.exception_id;
    PERFORM post(coalesce(v_postings, '{}'));

    RETURN v_ended <> '{}';
END
$$;
COMMENT ON FUNCTION pay.end_missed IS
    'Ends the exceptions of rows that later versions lack: whether there was '
    'any';


-- Rows that later versions lack, and of which money is booked, wait for an
-- operator with that money, once more where a version between had them again.
CREATE OR REPLACE FUNCTION pay.queue_missed(
    p_rows settlement_row[], p_psp text)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_count int;
BEGIN
    INSERT INTO settlement_exception AS g (row_id, merchant_id, psp,
        checkout_id, class, finding, playbook, amount_minor, currency)
    SELECT r.row_id, r.merchant_id, coalesce(p_psp, '-'), r.checkout_id, 2,
        'gone', 'row-gone', -coalesce(x.amount_minor, r.net_minor),
        r.currency
    FROM unnest(p_rows) r
    JOIN settlement_rule u ON u.kind = r.kind AND u.finding = r.finding
    LEFT JOIN settlement_exception x ON x.row_id = r.row_id
        AND x.finding = r.finding
    WHERE x.row_id IS NULL
        OR x.closed_as IN ('matched', 'accepted', 'written_off')
        OR u.posts = 'value'
        OR u.posts = 'net' AND x.closed_as = 'resolved'
    ORDER BY r.row_id
    ON CONFLICT (row_id, (finding = 'gone')) DO UPDATE
    SET opened_at = clock_timestamp(), closed_at = NULL, closed_as = NULL
    WHERE g.closed_as = 'matched';
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.queue_missed IS
    'Queues booked rows that later versions lack: how many';


-- A later version of a batch may lack rows that the versions before it had.  So
-- many rows of these are looked for at most, by key.  Rows before
-- one that has taken their money out of suspense are that one.  A version may be
-- of some pages of a report alone, and leave the others as they were; and so it
-- may be of some statements of a file alone.
CREATE OR REPLACE FUNCTION pay.miss_rows(
    p_file settlement_file, p_source settlement_source, p_limit int)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_after  bigint := (SELECT e.rows_after FROM settlement_end e
                        WHERE e.file_id = p_file.file_id);
    v_rows   settlement_row[];
    v_missed settlement_row[];
    v_ended  boolean;
    v_gone   int;
    v_own    text[];
    v_files  settlement_file[] := ARRAY(
        SELECT f FROM settlement_file f
        WHERE f.file_id = p_file.file_id OR p_file.page IS NOT NULL
            AND f.source = p_file.source AND f.batch_key = p_file.batch_key
            AND f.version = p_file.version AND f.state = 'booked');
BEGIN
    v_rows := ARRAY(
        SELECT o.old
        FROM settlement_file f
        CROSS JOIN LATERAL (
            SELECT r AS old, r.row_id FROM settlement_row r
            WHERE r.file_id = f.file_id AND r.row_id > v_after
            ORDER BY r.row_id LIMIT p_limit) o
        WHERE f.source = p_file.source AND f.batch_key = p_file.batch_key
            AND f.version < p_file.version
            AND (f.page IS NULL OR p_file.page IS NULL OR EXISTS (
                SELECT FROM unnest(v_files) n
                WHERE n.page = f.page
                    OR n.page < f.page AND n.is_last_page))
        ORDER BY o.row_id LIMIT p_limit);
    v_missed := ARRAY(
        SELECT r FROM unnest(v_rows) r
        WHERE NOT EXISTS (
                SELECT FROM settlement_staging s
                WHERE s.file_id = ANY (ARRAY(
                        SELECT n.file_id FROM unnest(v_files) n))
                    AND s.row_key = r.row_key
                OFFSET 0)
            AND NOT EXISTS (
                SELECT FROM settlement_row b
                WHERE b.source = r.source AND b.row_key = r.row_key
                    AND b.version > r.version AND b.finding = 'back'
                OFFSET 0)
        ORDER BY r.row_id);

    IF has_statements(p_source) AND EXISTS (
        SELECT FROM unnest(v_missed) r WHERE NOT starts_with(
            p_file.batch_key, statement_name(r.account, r.payout_ref)))
    THEN
        v_own := own_statements(p_file.file_id);
        v_missed := ARRAY(
            SELECT r FROM unnest(v_missed) r
            CROSS JOIN LATERAL statement_name(r.account, r.payout_ref) n
            WHERE coalesce(n = ANY (v_own)
                           OR starts_with(p_file.batch_key, n), true)
            ORDER BY r.row_id);
    END IF;

    v_ended := end_missed(v_missed);
    v_gone := queue_missed(v_missed, p_source.psp);

    UPDATE settlement_end e
    SET rows_after = coalesce((SELECT max(r.row_id) FROM unnest(v_rows) r),
                              v_after),
        gone = e.gone + v_gone
    WHERE e.file_id = p_file.file_id;

    RETURN v_ended OR cardinality(v_rows) = p_limit;
END
$$;
COMMENT ON FUNCTION pay.miss_rows IS
    'Takes rows that a later version of a batch has no more: whether the next '
    'step is one of its own';


-- The next piece of the end of a file: rows of earlier versions are looked for,
-- rows of the queue are matched again, lost disputes are booked.  Rows that are
-- gone are not matched any more; a piece that looks for them locks the payments
-- of these alone.
CREATE OR REPLACE FUNCTION pay.step_end(
    p_file settlement_file, p_source settlement_source, OUT phase text,
    OUT is_over boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_end settlement_end;
BEGIN
    INSERT INTO settlement_end (file_id) VALUES (p_file.file_id)
    ON CONFLICT DO NOTHING;
    phase := 'take';
    is_over := false;

    IF p_file.phase = 'take' AND p_file.version > 1
        AND NOT has_more_pages(p_file)
        AND miss_rows(p_file, p_source, 5000)
    THEN
        RETURN;
    END IF;

    SELECT * INTO v_end FROM settlement_end e
    WHERE e.file_id = p_file.file_id;
    IF p_source.psp IS NOT NULL
        AND NOT (v_end.is_last_slice AND v_end.queue_after = v_end.queue_until)
    THEN
        phase := rematch_settlement(p_file, p_source, 1000);
        SELECT * INTO v_end FROM settlement_end e
        WHERE e.file_id = p_file.file_id;

        IF phase <> 'take' OR NOT v_end.is_last_slice THEN
            RETURN;
        END IF;
    END IF;

    is_over := p_source.psp IS NULL OR lose_holds(p_source.psp, 1000) < 1000;
END
$$;
COMMENT ON FUNCTION pay.step_end IS
    'Takes the end of a file a step further: its phase, and whether it is over';


CREATE OR REPLACE FUNCTION pay.end_settlement(
    p_file settlement_file, p_source settlement_source)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_step record := step_end(p_file, p_source);
BEGIN
    IF NOT v_step.is_over THEN
        UPDATE settlement_file f
        SET state = 'booking', changed_at = clock_timestamp(),
            phase = v_step.phase
        WHERE f.file_id = p_file.file_id;
        RETURN;
    END IF;

    UPDATE settlement_file f
    SET state = 'booked', phase = 'take', changed_at = clock_timestamp(),
        matched = c.matched, class1 = c.class1, class2 = c.class2 + e.gone,
        class3 = c.class3,
        repeats = f.row_count - c.matched - c.class1 - c.class2 - c.class3,
        reread_at = next_reread(f, interval '1 day')
    FROM settlement_end e
    CROSS JOIN (
        SELECT coalesce(sum(p.matched), 0) AS matched,
            coalesce(sum(p.class1), 0) AS class1,
            coalesce(sum(p.class2), 0) AS class2,
            coalesce(sum(p.class3), 0) AS class3
        FROM settlement_part p WHERE p.file_id = p_file.file_id) c
    WHERE f.file_id = p_file.file_id AND e.file_id = p_file.file_id;

    UPDATE settlement_file f SET reread_at = NULL
    WHERE f.source = p_file.source AND f.batch_key = p_file.batch_key
        AND f.version < p_file.version AND f.state <> 'refused'
        AND f.reread_at IS NOT NULL;
    DELETE FROM settlement_part p WHERE p.file_id = p_file.file_id;
    DELETE FROM settlement_end e WHERE e.file_id = p_file.file_id;
    PERFORM drop_staged(f.file_id, 5000)
    FROM settlement_file f
    WHERE NOT has_more_pages(p_file)
        AND (f.file_id = p_file.file_id OR f.page IS NOT NULL
             AND f.source = p_file.source AND f.batch_key = p_file.batch_key
             AND f.version = p_file.version AND f.state = 'booked');
END
$$;
COMMENT ON FUNCTION pay.end_settlement IS
    'All rows of a file are booked, and then those of the queue that are known '
    'by now';
