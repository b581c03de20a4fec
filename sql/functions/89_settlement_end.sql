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


-- A later version of a batch may lack rows that the versions before it had: each
-- of these rows waits for an operator, once more where a version between had it
-- again.  So many rows are looked for at most, by key: whether there are more.
CREATE OR REPLACE FUNCTION pay.miss_rows(
    p_file settlement_file, p_source settlement_source, p_limit int)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_after bigint := (SELECT e.rows_after FROM settlement_end e
                       WHERE e.file_id = p_file.file_id);
    v_rows  settlement_row[];
    v_gone  int;
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
        ORDER BY o.row_id LIMIT p_limit);

    INSERT INTO settlement_exception AS x (row_id, merchant_id, psp,
        checkout_id, class, finding, playbook, amount_minor, currency)
    SELECT r.row_id, r.merchant_id, coalesce(p_source.psp, '-'),
        r.checkout_id, 2, 'gone', 'row-gone', -r.net_minor, r.currency
    FROM unnest(v_rows) r
    WHERE NOT EXISTS (
            SELECT FROM settlement_staging s
            WHERE s.file_id = p_file.file_id AND s.row_key = r.row_key
            OFFSET 0)
        AND NOT EXISTS (
            SELECT FROM settlement_row b
            WHERE b.source = r.source AND b.row_key = r.row_key
                AND b.version > r.version AND b.finding IN ('back', 'added')
            OFFSET 0)
    ORDER BY r.row_id
    ON CONFLICT (row_id) DO UPDATE
    SET opened_at = clock_timestamp(), closed_at = NULL, closed_as = NULL
    WHERE x.finding = 'gone' AND x.closed_as = 'matched';
    GET DIAGNOSTICS v_gone = ROW_COUNT;

    UPDATE settlement_end e
    SET rows_after = coalesce((SELECT max(r.row_id) FROM unnest(v_rows) r),
                              v_after),
        gone = e.gone + v_gone
    WHERE e.file_id = p_file.file_id;

    RETURN cardinality(v_rows) = p_limit;
END
$$;
COMMENT ON FUNCTION pay.miss_rows IS
    'Queues rows that a later version of a batch has no more: whether it may '
    'lack more';


-- The next piece of the end of a file: rows of the queue are matched again, rows
-- of earlier versions are looked for, lost disputes are booked.
CREATE OR REPLACE FUNCTION pay.step_end(
    p_file settlement_file, p_source settlement_source, OUT phase text,
    OUT is_over boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_end settlement_end;
BEGIN
    INSERT INTO settlement_end (file_id) VALUES (p_file.file_id)
    ON CONFLICT DO NOTHING;
    SELECT * INTO v_end FROM settlement_end e
    WHERE e.file_id = p_file.file_id;
    phase := 'take';
    is_over := false;

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

    is_over := NOT (p_file.version > 1
                    AND miss_rows(p_file, p_source, 5000))
        AND (p_source.psp IS NULL
             OR lose_holds(p_source.psp, 1000) < 1000);
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
    PERFORM drop_staged(p_file.file_id, 5000);
END
$$;
COMMENT ON FUNCTION pay.end_settlement IS
    'All rows of a file are booked, and then those of the queue that are known '
    'by now';
