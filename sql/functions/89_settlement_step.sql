-- A step of a settlement file: its rows are kept, linked and booked.  Private
-- to schema pay, but for the operation itself.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The posting that accept would make for a row; its exception shows it to the
-- operator.
-- p_minor: the amount that waits.
CREATE OR REPLACE FUNCTION pay.proposed_posting(
    p_work settlement_work, p_rule settlement_rule, p_minor bigint)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object('kind', CASE
        WHEN p_rule.finding <> 'amount' OR p_work.family = 'payout' THEN
            CASE WHEN p_minor >= 0 THEN p_rule.posting
                 ELSE p_rule.back END
        WHEN l.minor > 0 THEN 'written_up' ELSE 'written_off' END,
    'amount_minor', abs(CASE
        WHEN p_rule.finding <> 'amount' OR p_work.family = 'payout'
            THEN p_minor ELSE l.minor END),
    'currency', CASE WHEN p_rule.finding <> 'amount' THEN p_work.currency
                     ELSE p_work.value_currency END)
    || coalesce(p_work.candidate, '{}')
FROM (SELECT p_work.value_minor - coalesce(sum(o.amount_minor), 0) AS minor
      FROM settlement_open o
      WHERE p_rule.finding = 'amount' AND o.file_id = p_work.file_id
          AND o.match IS NULL AND o.merchant_id = p_work.merchant_id
          AND o.checkout_id = p_work.checkout_id
          AND o.family = p_work.family
          AND o.currency = p_work.value_currency) l
$$;
COMMENT ON FUNCTION pay.proposed_posting IS
    'The proposal for a row that waits for an operator';


-- The rows of the work with their links, and the exceptions among them.
CREATE OR REPLACE FUNCTION pay.keep_rows(
    p_file settlement_file, p_source settlement_source)
RETURNS void LANGUAGE plpgsql SET enable_nestloop = off
SET jit = off AS $$
BEGIN
    WITH kept AS MATERIALIZED (
        INSERT INTO settlement_row (source, row_key, version, file_id, line,
            kind, raw_type, psp_ref, parent_ref, our_ref, occurred_at,
            booked_on, gross_minor, fee_minor, tax_minor, net_minor, currency,
            paid_minor, paid_currency, rate, payout_ref, account, bank_ref,
            note, is_external, is_detail, merchant_id, checkout_id, class, finding)
        SELECT w.source, w.row_key, w.version, w.of_file, w.line, w.kind,
            w.raw_type, w.psp_ref, w.parent_ref, w.our_ref, w.occurred_at,
            w.booked_on, w.gross_minor, w.fee_minor, w.tax_minor, w.net_minor,
            w.currency, w.paid_minor, w.paid_currency, w.rate, w.payout_ref,
            w.account, w.bank_ref, w.note, w.is_external, w.is_detail, w.merchant_id,
            w.checkout_id, r.class, w.finding
        FROM settlement_work w
        JOIN settlement_rule r ON r.kind = w.kind AND r.finding = w.finding
        WHERE w.file_id = p_file.file_id
        ORDER BY w.line
        RETURNING row_id, line, class
    ), linked AS (
        INSERT INTO settlement_link (row_id, match_id, rule)
        SELECT k.row_id, m.row_id, w.rule
        FROM settlement_work w
        JOIN kept k ON k.line = w.line
        JOIN kept m ON m.line = w.match
        WHERE w.file_id = p_file.file_id AND w.match IS NOT NULL
    ), closed AS (
        INSERT INTO settlement_closed (merchant_id, source, kind, match_id)
        SELECT o.merchant_id, o.source, o.kind, m.row_id
        FROM settlement_open o
        JOIN kept m ON m.line = o.match
        WHERE o.file_id = p_file.file_id AND o.match IS NOT NULL
    ), held AS (
        INSERT INTO settlement_hold (row_id, psp, dispute_id, merchant_id,
            checkout_id, amount_minor, currency)
        SELECT k.row_id, p_source.psp, d.dispute_id, w.merchant_id,
            w.checkout_id, abs(w.value_minor), w.value_currency
        FROM settlement_work w
        JOIN kept k ON k.line = w.line
        CROSS JOIN LATERAL row_dispute(w, p_source.psp) d
        WHERE w.file_id = p_file.file_id AND w.finding = 'disputed'
    )
    INSERT INTO settlement_exception (row_id, merchant_id, psp, checkout_id,
        class, finding, playbook, amount_minor, currency, proposed)
    SELECT k.row_id, w.merchant_id, w.psp,
        coalesce(w.checkout_id, w.candidate ->> 'checkout'), k.class,
        w.finding, r.playbook, w.net_minor - s.minor, w.currency,
        proposed_posting(w, r, w.net_minor - s.minor)
    FROM settlement_work w
    JOIN kept k ON k.line = w.line AND k.class >= 2
    JOIN settlement_rule r ON r.kind = w.kind AND r.finding = w.finding
    CROSS JOIN LATERAL (
        SELECT CASE WHEN w.finding IN ('changed', 'added') THEN (
            SELECT o.minor FROM row_standing(w.source, w.row_key) o)
            ELSE 0 END AS minor) s
    WHERE w.file_id = p_file.file_id
    ORDER BY w.line;
END
$$;
COMMENT ON FUNCTION pay.keep_rows IS
    'Keeps the rows of the work, their links and what waits for operators';


-- Entries that were overdue, and have come after all.
CREATE OR REPLACE FUNCTION pay.end_overdue(p_file_id bigint)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_count int;
BEGIN
    UPDATE settlement_exception x
    SET closed_at = clock_timestamp(), closed_as = 'matched'
    FROM settlement_open o
    CROSS JOIN LATERAL (
        SELECT y.exception_id FROM settlement_exception y
        WHERE y.merchant_id = o.merchant_id AND y.source = o.source
            AND y.kind = o.kind AND y.closed_at IS NULL
        OFFSET 0) y
    WHERE o.file_id = p_file_id AND o.match IS NOT NULL
        AND x.exception_id = y.exception_id;
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.end_overdue IS
    'Takes entries out of the queue that have come after all: how many';


-- The same for entries that these rows have settled otherwise than by a match.
CREATE OR REPLACE FUNCTION pay.end_settled(p_matches bigint[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE settlement_exception x
    SET closed_at = clock_timestamp(), closed_as = 'matched'
    FROM unnest(p_matches) AS m (match_id)
    CROSS JOIN LATERAL (
        SELECT c.merchant_id, c.source, c.kind FROM settlement_closed c
        WHERE c.match_id = m.match_id
        OFFSET 0) c
    CROSS JOIN LATERAL (
        SELECT y.exception_id FROM settlement_exception y
        WHERE y.merchant_id = c.merchant_id AND y.source = c.source
            AND y.kind = c.kind AND y.closed_at IS NULL
        OFFSET 0) y
    WHERE x.exception_id = y.exception_id;
END
$$;
COMMENT ON FUNCTION pay.end_settled IS
    'Takes entries that these rows have settled out of the queue';


-- The entry of a row of a payout or of its return.
CREATE OR REPLACE FUNCTION pay.payout_entry(p_kind text, p_net_minor bigint)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN p_net_minor < 0 THEN 'psp_paid_out'
            WHEN p_kind = 'payout' THEN 'psp_debited'
            ELSE 'psp_payout_returned' END
$$;
COMMENT ON FUNCTION pay.payout_entry IS
    'The kind of the entry of a payout, or of one that came back';


-- The other half of a payout that came back: the payout of a return, or the
-- return of a payout, since rows come unsorted.  The return names the payout, by
-- its id, by its batch or by its name at the bank, or each is the only one of
-- the amount whose other half is missing.  A payout was made before it came
-- back; one in whose rows the return stands pays the money out again, as a rule.
CREATE OR REPLACE FUNCTION pay.returned_payout(
    p_work settlement_work, OUT row_key text, OUT version int, OUT kind text)
LANGUAGE sql STABLE AS $$
SELECT p.row_key, p.version, p.kind
FROM (
    SELECT o.row_key::text, o.version::int, n.is_named, o.row_id,
        payout_entry(o.kind, o.net_minor) AS kind,
        count(*) FILTER (WHERE NOT n.is_named) OVER () AS others
    FROM settlement_row o
    CROSS JOIN LATERAL (
        SELECT coalesce(o.bank_ref = p_work.bank_ref, false)
            OR coalesce(CASE p_work.kind
                WHEN 'payout' THEN o.psp_ref IN (p_work.psp_ref,
                                                 p_work.payout_ref)
                    OR o.parent_ref IN (p_work.psp_ref, p_work.payout_ref)
                ELSE p_work.psp_ref IN (o.psp_ref, o.payout_ref)
                    OR p_work.parent_ref IN (o.psp_ref, o.payout_ref)
                END, false) AS is_named,
            CASE p_work.kind WHEN 'payout' THEN 1 ELSE -1 END AS way,
            o.booked_on - p_work.booked_on AS days,
            o.occurred_at - p_work.occurred_at AS later) n
    WHERE o.source = p_work.source AND o.kind <> p_work.kind
        AND o.kind IN ('payout', 'payout_returned')
        AND o.net_minor = -p_work.net_minor AND o.currency = p_work.currency
        AND (n.is_named
             OR CASE WHEN o.payout_ref = p_work.payout_ref
                     THEN n.way * n.later > interval '0'
                     ELSE n.way * n.days >= 0 IS NOT FALSE END)
        AND NOT EXISTS (
            SELECT FROM settlement_closed c
            WHERE c.merchant_id = o.merchant_id
                AND c.kind = payout_entry(o.kind, o.net_minor)
                AND c.source = concat('payout/', o.source, '/', o.version,
                                      '/', o.row_key))
    ) p
WHERE p.is_named OR p.others = 1
ORDER BY p.is_named DESC, p.row_id LIMIT 1
$$;
COMMENT ON FUNCTION pay.returned_payout IS
    'The payout that a row says has come back, or the return of a payout that '
    'a row brings, or nothing';


-- A payout that came back closes the one that it was, whatever the bank says,
-- and whichever of their rows comes first.
CREATE OR REPLACE FUNCTION pay.close_returned(
    p_file_id bigint, p_source settlement_source)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_work settlement_work;
BEGIN
    FOR v_work IN
        SELECT * FROM settlement_work w
        WHERE w.file_id = p_file_id AND w.finding IN ('returned', 'paid_out')
        ORDER BY w.finding DESC, w.line
    LOOP
        INSERT INTO settlement_closed (merchant_id, source, kind, match_id)
        SELECT r.merchant_id, x.source, x.kind, r.row_id
        FROM settlement_row r
        CROSS JOIN LATERAL returned_payout(v_work) o
        CROSS JOIN LATERAL (VALUES
            (concat('payout/', r.source, '/', r.version, '/', r.row_key),
                payout_entry(r.kind, r.net_minor)),
            (concat('payout/', r.source, '/', o.version, '/', o.row_key),
                o.kind)) AS x (source, kind)
        WHERE r.source = v_work.source AND r.row_key = v_work.row_key
            AND r.version = v_work.version AND o.row_key IS NOT NULL
            AND NOT EXISTS (
                SELECT FROM settlement_closed c
                WHERE c.merchant_id = r.merchant_id
                    AND c.source = concat('payout/', r.source, '/',
                                          r.version, '/', r.row_key)
                    AND c.kind = payout_entry(r.kind, r.net_minor))
        ON CONFLICT DO NOTHING;
    END LOOP;

    PERFORM end_settled(ARRAY(
        SELECT r.row_id
        FROM settlement_work w
        JOIN settlement_row r ON r.source = w.source
            AND r.row_key = w.row_key AND r.version = w.version
        WHERE w.file_id = p_file_id
            AND w.finding IN ('returned', 'paid_out')));
END
$$;
COMMENT ON FUNCTION pay.close_returned IS
    'Closes payouts together with their return';


-- The money that a PSP has taken for a dispute is back, or is lost.  p_won: the
-- holds that rows of this work give back.
CREATE OR REPLACE FUNCTION pay.end_holds(
    p_file_id bigint, p_source settlement_source)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH won AS (
        UPDATE settlement_hold h SET ended_at = clock_timestamp()
        FROM settlement_work w
        JOIN settlement_row r ON r.source = w.source
            AND r.row_key = w.row_key AND r.version = w.version
        CROSS JOIN LATERAL row_dispute(w, p_source.psp) d
        WHERE w.file_id = p_file_id AND w.finding = 'ended'
            AND h.psp = p_source.psp AND h.dispute_id = d.dispute_id
            AND h.ended_at IS NULL
        RETURNING h.row_id AS hold_id, r.row_id
    )
    INSERT INTO settlement_link (row_id, match_id, rule)
    SELECT x.row_id, won.hold_id, 'object'
    FROM won, LATERAL (VALUES (won.hold_id), (won.row_id)) AS x (row_id)
    ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION pay.end_holds IS
    'Ends holds whose money a file gives back';


-- How many rows of the work are of each class, and whether there are any of some
-- rare kinds: without them statements about these are left out.
CREATE OR REPLACE FUNCTION pay.work_counts(
    p_file_id bigint, OUT matched bigint, OUT class1 bigint,
    OUT class2 bigint, OUT class3 bigint, OUT has_payouts boolean,
    OUT has_ended boolean, OUT has_roundings boolean)
LANGUAGE sql STABLE AS $$
SELECT count(*) FILTER (WHERE r.class = 0),
    count(*) FILTER (WHERE r.class = 1),
    count(*) FILTER (WHERE r.class = 2),
    count(*) FILTER (WHERE r.class = 3),
    coalesce(bool_or(w.finding IN ('returned', 'paid_out')), false),
    coalesce(bool_or(w.finding = 'ended'), false),
    coalesce(bool_or(w.rounding_minor IS NOT NULL), false)
FROM settlement_work w
JOIN settlement_rule r ON r.kind = w.kind AND r.finding = w.finding
WHERE w.file_id = p_file_id
$$;
COMMENT ON FUNCTION pay.work_counts IS
    'How many rows of the work are of each class, and whether it has rare ones';


-- Rows that are there again, whose money an operator has put into suspense since
-- a version had lacked them.  It leaves suspense by the entry of the row that
-- had put it there.  Where the operator has decided otherwise meanwhile, the
-- row waits as an added one.
CREATE OR REPLACE FUNCTION pay.clear_gone(p_file_id bigint)
RETURNS posting[] LANGUAGE plpgsql AS $$
DECLARE
    v_gone bigint[];
BEGIN
    v_gone := ARRAY(
        SELECT x.exception_id
        FROM settlement_work w
        JOIN settlement_row r ON r.source = w.source
            AND r.row_key = w.row_key AND r.version < w.version
        JOIN settlement_exception x ON x.row_id = r.row_id
        WHERE w.file_id = p_file_id AND w.finding = 'back'
            AND x.finding = 'gone' AND x.closed_at IS NULL AND x.is_suspended
        ORDER BY x.exception_id
        FOR UPDATE OF x);

    UPDATE settlement_work w SET finding = 'added'
    WHERE w.file_id = p_file_id AND w.finding = 'back' AND NOT EXISTS (
        SELECT FROM settlement_row r
        JOIN settlement_exception x ON x.row_id = r.row_id
        WHERE r.source = w.source AND r.row_key = w.row_key
            AND x.exception_id = ANY (v_gone));

    UPDATE settlement_exception x
    SET closed_at = clock_timestamp(), closed_as = 'matched',
        is_suspended = false
    WHERE x.exception_id = ANY (v_gone);

    RETURN ARRAY(
        SELECT settlement_posting(work_of_row(r), concat('unknown_',
            CASE WHEN r.kind IN ('receipt', 'debit') THEN 'bank_' END,
            CASE WHEN x.amount_minor > 0 THEN 'receipt' ELSE 'debit' END,
            '_cleared'), abs(x.amount_minor), x.currency)
        FROM settlement_exception x
        JOIN settlement_row r ON r.row_id = x.row_id
        WHERE x.exception_id = ANY (v_gone) AND x.amount_minor <> 0);
END
$$;
COMMENT ON FUNCTION pay.clear_gone IS
    'Takes rows that are there again out of suspense: the entries';


-- All that the work of a part comes to, in one commit.  p_file has the number of
-- the part.
CREATE OR REPLACE FUNCTION pay.book_work(
    p_file settlement_file, p_source settlement_source, p_of_file bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_postings posting[];
    v_cleared  posting[];
    v_counts   record;
    v_lines    int;
    v_late     int;
BEGIN
    PERFORM match_conversions(p_file.file_id);
    IF p_source.medium = 'psp' THEN
        PERFORM propose_rows(p_file.file_id, p_source);
    END IF;
    PERFORM find_rows(p_file.file_id, p_source);
    IF EXISTS (SELECT FROM settlement_open o
               WHERE o.file_id = p_file.file_id AND o.match IS NULL
                   AND o.family = 'fee')
    THEN
        PERFORM match_fees(p_file.file_id);
        PERFORM match_rounded_fees(p_file.file_id);
    END IF;
    IF EXISTS (SELECT FROM settlement_work w
               WHERE w.file_id = p_file.file_id AND w.finding = 'back')
    THEN
        v_cleared := clear_gone(p_file.file_id);
    END IF;
    v_counts := work_counts(p_file.file_id);

    v_postings := ARRAY(
        SELECT p
        FROM settlement_work w
        JOIN settlement_rule r ON r.kind = w.kind AND r.finding = w.finding
        CROSS JOIN LATERAL row_postings(w, r) p
        WHERE w.file_id = p_file.file_id
        ORDER BY w.line);

    PERFORM keep_rows(p_file, p_source);
    v_late := end_overdue(p_file.file_id);
    IF v_counts.has_payouts THEN
        PERFORM close_returned(p_file.file_id, p_source);
    END IF;
    IF v_counts.has_ended THEN
        PERFORM end_holds(p_file.file_id, p_source);
    END IF;
    IF v_counts.has_roundings THEN
        PERFORM count_roundings(p_file.file_id);
    END IF;
    v_lines := post(v_postings || v_cleared);

    UPDATE settlement_part p
    SET matched = v_counts.matched, class1 = v_counts.class1,
        class2 = v_counts.class2, class3 = v_counts.class3
    WHERE p.file_id = p_of_file AND p.part_id = p_file.file_id;

    DELETE FROM settlement_work w WHERE w.file_id = p_file.file_id;
    DELETE FROM settlement_open o WHERE o.file_id = p_file.file_id;
END
$$;
COMMENT ON FUNCTION pay.book_work IS
    'Keeps, links and books the rows of the work';


-- Entries and rows that this work can be about are nobody else's meanwhile.
-- The easy ones are linked: one row and one entry that agree.
CREATE OR REPLACE FUNCTION pay.match_easy(
    p_file settlement_file, p_source settlement_source)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lock_checkouts(array_agg(w.merchant_id::text),
                           array_agg(w.checkout_id::text))
    FROM (SELECT DISTINCT w.merchant_id, w.checkout_id
          FROM settlement_work w
          WHERE w.file_id = p_file.file_id AND w.checkout_id IS NOT NULL) w;

    UPDATE settlement_work w
    SET match = NULL, rule = NULL,
        finding = nullif(nullif(w.finding, 'matched'), 'rounded'),
        value_minor = w.value_minor + coalesce(w.rounding_minor, 0),
        rounding_minor = NULL, rounding_currency = NULL
    WHERE w.file_id = p_file.file_id AND w.match IS NOT NULL;

    IF p_source.medium = 'psp' THEN
        PERFORM take_open(p_file, p_source);
        PERFORM match_single(p_file.file_id);
    END IF;
END
$$;
COMMENT ON FUNCTION pay.match_easy IS
    'Locks the payments of the work, and links rows that are the only ones of '
    'an entry';


CREATE OR REPLACE FUNCTION pay.match_hard(
    p_file settlement_file, p_source settlement_source)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_source.medium = 'bank' THEN
        PERFORM match_bank(p_file, p_source);
        RETURN;
    ELSIF NOT EXISTS (
        SELECT FROM settlement_work w
        WHERE w.file_id = p_file.file_id AND w.match IS NULL
            AND w.finding IS NULL AND w.checkout_id IS NOT NULL)
    THEN
        RETURN;
    END IF;

    PERFORM match_objects(p_file.file_id, true);
    PERFORM match_objects(p_file.file_id, false);
    PERFORM match_returns(p_file.file_id, p_source.psp);
    PERFORM match_amounts(p_file.file_id);
    PERFORM match_sums(p_file.file_id, true);
    PERFORM match_sums(p_file.file_id, false);
    PERFORM match_rounded(p_file.file_id);
END
$$;
COMMENT ON FUNCTION pay.match_hard IS
    'Looks for the entries that the other rows of the work settle';


-- The rows of the work are linked, and booked, unless there is something to
-- report first: then the next phase does so.  It commits on its own and links
-- no row, since an event takes its locks in an order in which the locks of all
-- payments of the work cannot come first: inbox, tokens, payments, wallets.
CREATE OR REPLACE FUNCTION pay.match_and_book(
    p_file settlement_file, p_source settlement_source, p_of_file bigint)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM match_easy(p_file, p_source);

    IF p_file.phase = 'take' AND p_source.medium = 'psp'
        AND untold_sales(p_file.file_id, p_source) <> '{}'
    THEN
        RETURN 'tell';
    END IF;

    PERFORM match_hard(p_file, p_source);

    IF p_file.phase <> 'book' AND p_source.medium = 'psp'
        AND untold_changes(p_file.file_id, p_source) <> '{}'
    THEN
        RETURN 'change';
    END IF;

    PERFORM book_work(p_file, p_source, p_of_file);

    RETURN 'take';
END
$$;
COMMENT ON FUNCTION pay.match_and_book IS
    'Links and books the work, or says which phase has to come before';


-- One step, of the part's phase.  take: rows become work; tell: open orders
-- hear of their sales; change: refunds, disputes and captures that no webhook
-- has reported are reported; match and book: all other rows.  The work of a
-- part is kept under the part's number.
CREATE OR REPLACE FUNCTION pay.step_settlement(
    p_file settlement_file, p_source settlement_source,
    p_part settlement_part)
RETURNS void LANGUAGE plpgsql
SET enable_hashjoin = on SET enable_mergejoin = on SET enable_seqscan = on
SET plan_cache_mode = 'force_custom_plan' SET jit = off AS $$
DECLARE
    v_file  settlement_file := p_file;
    v_phase text := p_part.phase;
    v_count int;
BEGIN
    IF v_phase <> 'take' AND NOT EXISTS (
        SELECT FROM settlement_work w WHERE w.file_id = p_part.part_id)
    THEN
        v_phase := 'take';
    END IF;

    v_file.file_id := p_part.part_id;
    v_file.phase := v_phase;

    IF v_phase = 'take' THEN
        IF end_gone(p_file, p_source, p_part) THEN
            RETURN;
        END IF;

        DELETE FROM settlement_work w WHERE w.file_id = p_part.part_id;
        PERFORM take_work(p_file, p_source, p_part);
    END IF;

    IF v_phase = 'tell' THEN
        v_phase := CASE WHEN tell_sales(p_part.part_id, p_source)
                        THEN 'match' ELSE 'tell' END;
    ELSIF v_phase = 'change' THEN
        v_count := tell_changes(p_part.part_id, p_source);
        v_phase := 'book';
    ELSE
        v_phase := match_and_book(v_file, p_source, p_file.file_id);
    END IF;

    UPDATE settlement_part p SET phase = v_phase, is_done = v_phase = 'take'
    WHERE p.file_id = p_part.file_id
        AND p.first_line = p_part.first_line;
END
$$;
COMMENT ON FUNCTION pay.step_settlement IS
    'Takes a part of a file a step further';


-- Work and staged rows are gone when the server has crashed: then the file
-- begins to be staged again.  Rows that another attempt has begun to stage are
-- not all of them yet: a step would pass over those that are to come.
CREATE OR REPLACE FUNCTION pay.advance_file(p_file_id bigint, p_rows int)
RETURNS settlement_file LANGUAGE plpgsql AS $$
DECLARE
    v_held   record := hold_file(p_file_id);
    v_file   settlement_file := v_held.file;
    v_source settlement_source;
    v_part   settlement_part;
    v_made   int := 0;
    v_before bigint;
BEGIN
    IF coalesce(v_file.state, '') NOT IN ('proven', 'booking') THEN
        RETURN v_file;
    END IF;

    IF NOT v_file.is_whole THEN
        RAISE EXCEPTION 'file % is being imported by another one', p_file_id
            USING ERRCODE = 'PAY24';
    ELSIF v_file.row_count > 0 AND NOT EXISTS (
        SELECT FROM settlement_staging s WHERE s.file_id = p_file_id)
    THEN
        RAISE EXCEPTION 'the rows of file % are gone: import it again',
            p_file_id USING ERRCODE = 'PAY24';
    END IF;

    -- the rows of a version are compared with those of the versions before it
    v_before := file_due(v_file);

    IF v_before IS NOT NULL THEN
        PERFORM advance_file(v_before, p_rows);
        v_file.state := 'booking';
        RETURN v_file;
    END IF;

    IF v_held.is_alone THEN
        v_made := make_parts(p_file_id, p_rows);
    END IF;

    IF v_file.state = 'proven' THEN
        UPDATE settlement_file f
        SET state = 'booking', changed_at = clock_timestamp()
        WHERE f.file_id = p_file_id
        RETURNING f.* INTO v_file;
    END IF;

    -- other connections begin with the other parts
    IF v_made > 1 THEN
        RETURN v_file;
    END IF;

    SELECT * INTO v_source FROM settlement_source s
    WHERE s.source = v_file.source;
    v_part := lock_part(p_file_id);

    IF v_part.file_id IS NOT NULL THEN
        PERFORM step_settlement(v_file, v_source, v_part);
    ELSIF v_held.is_alone THEN
        PERFORM end_settlement(v_file, v_source);
    END IF;

    SELECT * INTO v_file FROM settlement_file f WHERE f.file_id = p_file_id;

    RETURN v_file;
END
$$;
COMMENT ON FUNCTION pay.advance_file IS
    'Takes a proven file a step further, until it is booked';


-- A page takes no lock before its source has been locked.
CREATE OR REPLACE FUNCTION pay.advance_settlement(
    p_file_id bigint, p_rows int DEFAULT 5000)
RETURNS settlement_file LANGUAGE plpgsql AS $$
DECLARE
    v_file settlement_file;
BEGIN
    SELECT * INTO v_file FROM settlement_file f WHERE f.file_id = p_file_id;

    IF v_file.page IS NOT NULL AND v_file.state IN ('staged', 'booked') THEN
        RETURN advance_page(v_file, p_rows);
    END IF;

    v_file := advance_file(p_file_id, p_rows);

    -- its other pages are booked behind it
    IF v_file.page IS NOT NULL AND v_file.state = 'booked'
        AND has_more_pages(v_file)
    THEN
        v_file.state := 'booking';
    END IF;

    RETURN v_file;
END
$$;
COMMENT ON FUNCTION pay.advance_settlement IS
    'Takes a file a step further: until it is booked, or waits for others';


CREATE OR REPLACE FUNCTION pay_ops.advance_settlement(
    p_file_id bigint, p_rows int DEFAULT 5000)
RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
SELECT (pay.advance_settlement(p_file_id, p_rows)).state
$$;
COMMENT ON FUNCTION pay_ops.advance_settlement IS
    'Takes a proven file a step further: its state, or booking when there is '
    'more to do';
