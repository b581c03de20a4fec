-- Two things come late: a payment that a row named before the gateway knew it,
-- and an entry that no file has brought in its time.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The next exceptions of a PSP whose rows are matched again, so many at most.
CREATE OR REPLACE FUNCTION pay.begin_slice(
    p_file_id bigint, p_psp text, p_limit int)
RETURNS settlement_end LANGUAGE sql AS $$
UPDATE settlement_end e
SET queue_until = coalesce(x.last, e.queue_after),
    is_last_slice = x.count < p_limit
FROM settlement_end f
CROSS JOIN LATERAL (
    SELECT max(x.exception_id) AS last, count(*) AS count
    FROM (SELECT x.exception_id FROM settlement_exception x
          WHERE x.closed_at IS NULL AND x.psp = p_psp
              AND x.row_id IS NOT NULL
              AND x.finding IN ('unknown', 'early', 'proposed', 'amount')
              AND x.exception_id > f.queue_after
          ORDER BY x.exception_id LIMIT p_limit) x) x
WHERE e.file_id = p_file_id AND f.file_id = p_file_id
RETURNING e.*
$$;
COMMENT ON FUNCTION pay.begin_slice IS
    'The exceptions that the end of a file matches again next';


-- Rows whose payment nobody knew, or had come too early, that name one now, and
-- rows of another amount than that of the captures that were known.  They are
-- work of the file that is at its end.  Two rows that have waited for each other
-- come together, in whichever slices they are.
CREATE OR REPLACE FUNCTION pay.take_unknown(
    p_file_id bigint, p_source settlement_source, p_end settlement_end,
    p_limit int)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_count int;
BEGIN
    DELETE FROM settlement_work w WHERE w.file_id = p_file_id;

    INSERT INTO settlement_work
    SELECT (u.w).*
    FROM (
        SELECT work_of_row(r, (row_number() OVER (ORDER BY r.row_id))::int,
            ROW(o.merchant_id, o.checkout_id, o.by_ref)::settlement_owner,
            p_file_id) AS w
        FROM (WITH slice AS MATERIALIZED (
                  SELECT x.row_id, x.merchant_id, x.checkout_id, x.finding
                  FROM settlement_exception x
                  WHERE x.closed_at IS NULL AND x.psp = p_source.psp
                      AND x.row_id IS NOT NULL
                      AND x.finding IN ('unknown', 'early', 'proposed',
                                        'amount')
                      AND x.exception_id > p_end.queue_after
                      AND x.exception_id <= p_end.queue_until
                  ORDER BY x.exception_id LIMIT p_limit)
              SELECT s.row_id FROM slice s
              UNION
              SELECT o.row_id
              FROM slice s
              CROSS JOIN LATERAL (
                  SELECT x.row_id FROM settlement_exception x
                  WHERE x.merchant_id = s.merchant_id
                      AND x.checkout_id = s.checkout_id
                      AND x.psp = p_source.psp
                      AND x.closed_at IS NULL AND x.finding = 'early'
                  OFFSET 0) o
              WHERE s.finding = 'early') x
        JOIN settlement_row r ON r.row_id = x.row_id
            AND r.source = p_source.source
        CROSS JOIN LATERAL settlement_owners(p_source.psp,
            p_source.merchant_id, r.parent_ref, r.psp_ref, r.our_ref) o
        WHERE settlement_family(r.kind) IN ('sale', 'refund', 'dispute')
            AND o.checkout_id IS NOT NULL) u;
    GET DIAGNOSTICS v_count = ROW_COUNT;

    UPDATE settlement_work w SET told = true
    FROM webhook_inbox i
    WHERE w.file_id = p_file_id AND i.psp = p_source.psp
        AND i.event_id = settlement_event(p_source.source, w.row_key);

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.take_unknown IS
    'Makes work of rows whose payment is known by now: how many';


-- Rows of the queue about a dispute that is known by now, and not decided: one
-- takes its money, or gives it back.  Those that take come first.
CREATE OR REPLACE FUNCTION pay.rematch_disputes(
    p_file_id bigint, p_source settlement_source)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_work    settlement_work;
    v_finding text;
BEGIN
    FOR v_work IN
        SELECT * FROM settlement_work w
        WHERE w.file_id = p_file_id AND w.match IS NULL
            AND w.family = 'dispute'
        ORDER BY w.kind, w.line
    LOOP
        v_finding := unmatched_finding(v_work, p_source);
        CONTINUE WHEN v_finding NOT IN ('disputed', 'ended');

        UPDATE settlement_work w SET finding = v_finding
        WHERE w.file_id = p_file_id AND w.line = v_work.line;

        INSERT INTO settlement_hold (row_id, psp, dispute_id, merchant_id,
            checkout_id, amount_minor, currency)
        SELECT r.row_id, p_source.psp, d.dispute_id, v_work.merchant_id,
            v_work.checkout_id, abs(v_work.value_minor),
            v_work.value_currency
        FROM settlement_row r
        CROSS JOIN LATERAL row_dispute(v_work, p_source.psp) d
        WHERE v_finding = 'disputed' AND r.source = v_work.source
            AND r.row_key = v_work.row_key AND r.version = v_work.version;

        PERFORM end_holds(p_file_id, p_source);
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.rematch_disputes IS
    'Finds the disputes of rows of the queue';


-- Rows of the queue that are linked now, or whose dispute is known, are booked
-- and leave the queue.  The money of a row leaves suspense, where it was the
-- money of the source's merchant.
CREATE OR REPLACE FUNCTION pay.book_rematch(p_file_id bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_postings posting[];
    v_late     int;
BEGIN
    SELECT array_agg(p ORDER BY k.row_id) INTO v_postings
    FROM settlement_work w
    JOIN settlement_row k ON k.source = w.source AND k.row_key = w.row_key
        AND k.version = w.version
    JOIN settlement_exception x ON x.row_id = k.row_id
        AND x.finding <> 'gone'
    JOIN settlement_rule u ON u.kind = w.kind
        AND u.finding = coalesce(w.finding, 'matched')
    CROSS JOIN LATERAL unnest(ARRAY(SELECT r FROM row_postings(w, u) r)
        || CASE WHEN suspense_kind(x, k, 'cleared') IS NOT NULL
                THEN settlement_posting(work_of_row(k),
                    suspense_kind(x, k, 'cleared'), abs(x.amount_minor),
                    w.currency) END) p
    WHERE w.file_id = p_file_id
        AND (w.match IS NOT NULL OR w.finding IN ('disputed', 'ended'))
        AND p.kind IS NOT NULL;

    PERFORM link_work(p_file_id);
    PERFORM count_roundings(p_file_id);
    v_late := end_overdue(p_file_id);

    UPDATE settlement_exception x
    SET closed_at = clock_timestamp(), closed_as = 'matched'
    FROM settlement_work w
    JOIN settlement_row k ON k.source = w.source AND k.row_key = w.row_key
        AND k.version = w.version
    WHERE w.file_id = p_file_id AND x.row_id = k.row_id
        AND x.finding <> 'gone'
        AND (w.match IS NOT NULL OR w.finding IN ('disputed', 'ended'));

    PERFORM post(v_postings);
END
$$;
COMMENT ON FUNCTION pay.book_rematch IS
    'Books rows of the queue whose payment is known by now';


-- An exception closes by itself when the payment of its row is known now: the
-- row is booked as if it came now.  News in it that nobody has heard are reported
-- before, in the phases and commits of match_and_book().  It returns the next
-- phase; take: the slice is over, and settlement_end says whether it was the
-- last one.  All phases of a slice are about the same exceptions.
CREATE OR REPLACE FUNCTION pay.rematch_settlement(
    p_file settlement_file, p_source settlement_source, p_limit int)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_end   settlement_end;
    v_count int;
BEGIN
    IF p_file.phase = 'tell' THEN
        RETURN CASE WHEN tell_sales(p_file.file_id, p_source)
                    THEN 'match' ELSE 'tell' END;
    ELSIF p_file.phase = 'change' THEN
        v_count := tell_changes(p_file.file_id, p_source);
        RETURN 'book';
    END IF;

    PERFORM pg_advisory_xact_lock(hashtext('rematch_settlement'));

    IF p_file.phase = 'take' THEN
        v_end := begin_slice(p_file.file_id, p_source.psp, p_limit);
    ELSE
        SELECT * INTO v_end FROM settlement_end e
        WHERE e.file_id = p_file.file_id;
    END IF;

    IF take_unknown(p_file.file_id, p_source, v_end, p_limit) > 0 THEN
        PERFORM match_easy(p_file, p_source);
        IF p_file.phase = 'take'
            AND untold_sales(p_file.file_id, p_source) <> '{}'
        THEN
            RETURN 'tell';
        END IF;

        PERFORM match_hard(p_file, p_source);
        IF p_file.phase <> 'book'
            AND untold_changes(p_file.file_id, p_source) <> '{}'
        THEN
            RETURN 'change';
        END IF;

        PERFORM rematch_disputes(p_file.file_id, p_source);
        UPDATE settlement_work w SET finding = 'matched'
        WHERE w.file_id = p_file.file_id AND w.match IS NOT NULL
            AND w.finding IS NULL;
        PERFORM match_fees(p_file.file_id);
        PERFORM match_rounded_fees(p_file.file_id);
        PERFORM book_rematch(p_file.file_id);
        DELETE FROM settlement_work w WHERE w.file_id = p_file.file_id;
        DELETE FROM settlement_open o WHERE o.file_id = p_file.file_id;
    END IF;

    UPDATE settlement_end e SET queue_after = e.queue_until
    WHERE e.file_id = p_file.file_id;

    RETURN 'take';
END
$$;
COMMENT ON FUNCTION pay.rematch_settlement IS
    'Links rows of the queue whose payment is known by now: the next phase';


-- Links of rows that are kept already.
CREATE OR REPLACE FUNCTION pay.link_work(p_file_id bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH kept AS (
        SELECT w.line, w.match, w.rule, r.row_id
        FROM settlement_work w
        JOIN settlement_row r ON r.source = w.source
            AND r.row_key = w.row_key AND r.version = w.version
        WHERE w.file_id = p_file_id
            AND (w.match IS NOT NULL OR w.fee_booked)
    ), linked AS (
        INSERT INTO settlement_link (row_id, match_id, rule)
        SELECT k.row_id, m.row_id, k.rule
        FROM kept k JOIN kept m ON m.line = k.match
    )
    INSERT INTO settlement_closed (merchant_id, source, kind, match_id)
    SELECT o.merchant_id, o.source, o.kind, m.row_id
    FROM settlement_open o JOIN kept m ON m.line = o.match
    WHERE o.file_id = p_file_id;
END
$$;
COMMENT ON FUNCTION pay.link_work IS 'Links kept rows that are work again';


-- Up to which time entries are read next: so many of them at most, but for those
-- of the same ten microseconds.
CREATE OR REPLACE FUNCTION pay.entries_until(
    p_from timestamptz, p_until timestamptz, p_rows int)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_width interval := least(p_until - p_from, interval '1 hour');
BEGIN
    IF tally_count(p_from, p_from + v_width, 0, p_rows) <= p_rows THEN
        WHILE p_from + v_width < p_until AND tally_count(p_from,
            least(p_until, p_from + 2 * v_width), 0, p_rows) <= p_rows
        LOOP
            v_width := 2 * v_width;
        END LOOP;
    ELSE
        LOOP
            v_width := v_width / 2;
            EXIT WHEN v_width <= interval '10 us' OR tally_count(p_from,
                p_from + v_width, 0, p_rows) <= p_rows;
        END LOOP;
    END IF;

    RETURN least(p_until, p_from + v_width);
END
$$;
COMMENT ON FUNCTION pay.entries_until IS
    'Up to which time entries are read next, so many at most';


-- Entries that no row has settled within the time that the source's PSP takes.
-- Each is looked at once, when its time is over; a row that comes later takes
-- it out of the queue.  So many entries are read at most: there are more where
-- it says again.
CREATE OR REPLACE FUNCTION pay.raise_overdue(
    p_source text, p_now timestamptz, p_rows int,
    OUT queued int, OUT again boolean)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = on SET jit = off AS $$
DECLARE
    v_source settlement_source;
    v_from   timestamptz;
    v_end    timestamptz;
    v_until  timestamptz;
BEGIN
    SELECT * INTO v_source FROM settlement_source s
    WHERE s.source = p_source FOR UPDATE;
    v_from := greatest(v_source.since, v_source.checked_until);
    v_end := p_now - make_interval(days => v_source.overdue_days);
    queued := 0;
    again := false;

    IF v_end > v_from IS NOT TRUE THEN
        RETURN;
    END IF;

    v_until := entries_until(v_from, v_end, p_rows);
    again := v_until < v_end;

    INSERT INTO settlement_exception (merchant_id, psp, source, kind,
        checkout_id, class, finding, playbook, amount_minor, currency)
    SELECT e.merchant_id, e.psp, e.source, e.kind, e.checkout_id, 2,
        'overdue', CASE x.family WHEN 'payout' THEN 'payout-not-at-the-bank'
                                 ELSE 'not-in-any-file' END,
        x.sign * e.amount_minor, e.currency
    FROM journal_entry e
    JOIN settlement_expected x ON x.kind = e.kind
        AND (x.family = 'payout') = (v_source.medium = 'bank')
    WHERE e.at >= v_from AND e.at < v_until
        AND CASE v_source.medium WHEN 'psp' THEN e.psp = v_source.psp
                 ELSE e.merchant_id = v_source.merchant_id END
        AND (v_source.medium = 'bank'
             OR NOT starts_with(e.source, 'settlement/'))
        AND NOT EXISTS (
            SELECT FROM settlement_closed c
            WHERE c.merchant_id = e.merchant_id AND c.source = e.source
                AND c.kind = e.kind
            OFFSET 0)
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS queued = ROW_COUNT;

    UPDATE settlement_source s SET checked_until = v_until
    WHERE s.source = p_source;
END
$$;
COMMENT ON FUNCTION pay.raise_overdue IS
    'Queues the next entries that should have come in a file of this source: '
    'how many, and whether there may be more';


CREATE OR REPLACE FUNCTION pay_ops.raise_overdue(
    p_source text, p_now timestamptz DEFAULT now(), OUT queued int,
    OUT again boolean)
LANGUAGE sql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
SELECT r.queued, r.again FROM pay.raise_overdue(p_source, p_now, 5000) r
$$;
COMMENT ON FUNCTION pay_ops.raise_overdue IS
    'Queues entries that should have come in a file of this source: how many '
    'of the next 5000 entries, and whether to call it again';
