-- The daily close: the entries and rows of a day by PSP and currency, in one
-- document that names the one before it and is signed with the key of the event
-- log's seals.  A closed day stays as it was: an entry or a row that comes
-- later belongs to the day on which it comes.  A day is added up in pieces, each
-- in a transaction of its own.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


DO $$
BEGIN
    IF to_regtype('pay.close_line') IS NULL THEN
        CREATE TYPE pay.close_line AS (
            merchant_id text, psp text, currency text, item text,
            count bigint, minor numeric);
    END IF;
END
$$;


-- An entry that came before the last look counts only where its transaction was
-- still under way then: from this one on.
CREATE OR REPLACE FUNCTION pay.tally_tx(p_tally settlement_tally)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN p_tally.next_at < p_tally.from_at
            THEN p_tally.from_tx::text::bigint ELSE 0 END
$$;
COMMENT ON FUNCTION pay.tally_tx IS
    'Entries of which transactions are added up next: this one and later ones';


-- How many entries, or rows of files, of these transactions came in a time:
-- p_rows + 1 where they are more, so that no more are read.
CREATE OR REPLACE FUNCTION pay.tally_count(
    p_from timestamptz, p_until timestamptz, p_tx bigint, p_rows int)
RETURNS bigint LANGUAGE sql STABLE
SET enable_seqscan = off AS $$
SELECT greatest(
    (SELECT count(*) FROM (
        SELECT FROM journal_entry e
        WHERE e.at >= p_from AND e.at < p_until
            AND e.tx::text::bigint >= p_tx LIMIT p_rows + 1) e),
    (SELECT count(*) FROM (
        SELECT FROM settlement_row r
        WHERE r.at >= p_from AND r.at < p_until
            AND r.tx::text::bigint >= p_tx LIMIT p_rows + 1) r))
$$;
COMMENT ON FUNCTION pay.tally_count IS
    'How many entries or rows came in a time';


-- The end of the next piece of time: so many entries came in it at most, and so
-- many rows of files, but for those of the same ten microseconds.  The time
-- before the last look is a piece of its own, since few entries of it count.
CREATE OR REPLACE FUNCTION pay.tally_piece(
    p_tally settlement_tally, p_rows int, OUT until timestamptz,
    OUT rows bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_tx bigint := tally_tx(p_tally);
BEGIN
    until := least(p_tally.until_at, p_tally.next_at + 2 * p_tally.width,
        CASE WHEN p_tally.next_at < p_tally.from_at THEN p_tally.from_at END);
    rows := tally_count(p_tally.next_at, until, v_tx, p_rows);

    WHILE rows > p_rows AND until - p_tally.next_at > interval '10 us'
    LOOP
        until := p_tally.next_at + (until - p_tally.next_at) / 2;
        rows := tally_count(p_tally.next_at, until, v_tx, p_rows);
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.tally_piece IS
    'Up to which time entries and rows are added up next, and how many';


-- Three kinds of lines: the movements on the accounts of PSPs, the entries by
-- kind, and the rows of files by class and finding.  The lines of an entry are
-- found by its key.
CREATE OR REPLACE FUNCTION pay.tally_movements(
    p_tally settlement_tally, p_until timestamptz)
RETURNS SETOF close_line LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
DECLARE
    v_tx bigint := tally_tx(p_tally);
BEGIN
    RETURN QUERY
    WITH entries AS MATERIALIZED (
        SELECT * FROM journal_entry e
        WHERE e.at >= p_tally.next_at AND e.at < p_until
            AND e.tx::text::bigint >= v_tx AND e.tx < p_tally.until_tx
    )
    SELECT e.merchant_id::text, e.psp::text, l.currency::text,
        'account/' || l.account, count(*), sum(l.amount_minor)
    FROM entries e
    CROSS JOIN LATERAL (
        SELECT * FROM journal_line l
        WHERE l.merchant_id = e.merchant_id AND l.source = e.source
            AND l.kind = e.kind
        OFFSET 0) l
    WHERE l.account NOT LIKE 'seller\_%' AND l.account <> 'fx'
    GROUP BY 1, 2, 3, 4
    UNION ALL
    SELECT e.merchant_id::text, e.psp::text, e.currency::text,
        'entry/' || e.kind, count(*), sum(e.amount_minor)
    FROM entries e
    GROUP BY 1, 2, 3, 4
    UNION ALL
    SELECT r.merchant_id::text, coalesce(s.psp, s.source)::text,
        r.currency::text,
        concat('class/', r.class, '/', r.kind, '/', r.finding), count(*),
        sum(r.net_minor)
    FROM settlement_row r
    JOIN settlement_source s ON s.source = r.source
    WHERE r.at >= p_tally.next_at AND r.at < p_until
        AND r.tx::text::bigint >= v_tx AND r.tx < p_tally.until_tx
    GROUP BY 1, 2, 3, 4;
END
$$;
COMMENT ON FUNCTION pay.tally_movements IS
    'The entries and rows of a piece of time, added up';


-- The movements on all accounts, under the PSP of the entry.
CREATE OR REPLACE FUNCTION pay.account_movements(
    p_tally settlement_tally, p_until timestamptz)
RETURNS SETOF close_line LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
BEGIN
    RETURN QUERY
    SELECT e.merchant_id::text, e.psp::text, l.currency::text,
        'account/' || l.account, count(*), sum(l.amount_minor)
    FROM journal_entry e
    CROSS JOIN LATERAL (
        SELECT x.account, x.currency, sum(x.amount_minor) AS amount_minor
        FROM journal_line x
        WHERE x.merchant_id = e.merchant_id AND x.source = e.source
            AND x.kind = e.kind
        GROUP BY x.account, x.currency OFFSET 0) l
    WHERE e.at >= p_tally.next_at AND e.at < p_until
        AND e.tx::text::bigint >= tally_tx(p_tally)
        AND e.tx < p_tally.until_tx
    GROUP BY 1, 2, 3, 4;
END
$$;
COMMENT ON FUNCTION pay.account_movements IS
    'The entries of a piece of time on each account, added up';


-- The next open exceptions, as they are now.
CREATE OR REPLACE FUNCTION pay.tally_open(
    p_after bigint, p_rows int, OUT lines close_line[], OUT last bigint,
    OUT rows bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    WITH piece AS MATERIALIZED (
        SELECT * FROM settlement_exception x
        WHERE x.closed_at IS NULL AND x.exception_id > p_after
        ORDER BY x.exception_id LIMIT p_rows
    ), sums AS (
        SELECT x.merchant_id, x.psp, x.currency,
            concat('open/', x.class, '/', x.finding) AS item, count(*) AS count,
            sum(x.amount_minor) AS minor
        FROM piece x
        GROUP BY 1, 2, 3, 4
    )
    SELECT ARRAY(SELECT ROW(s.*)::close_line FROM sums s),
        (SELECT max(x.exception_id) FROM piece x),
        (SELECT count(*) FROM piece x)
    INTO lines, last, rows;
END
$$;
COMMENT ON FUNCTION pay.tally_open IS
    'The next open exceptions, added up';


CREATE OR REPLACE FUNCTION pay.add_tally_lines(
    p_name text, p_lines close_line[])
RETURNS void LANGUAGE sql AS $$
INSERT INTO settlement_tally_line AS t (name, merchant_id, psp, currency,
    item, count, minor)
SELECT p_name, l.* FROM unnest(p_lines) l
ON CONFLICT (name, merchant_id, psp, currency, item) DO UPDATE
SET count = t.count + EXCLUDED.count, minor = t.minor + EXCLUDED.minor
$$;
COMMENT ON FUNCTION pay.add_tally_lines IS 'Adds lines to those of a tally';


-- One piece; tally: the row as it is behind it.  rows: how many are read for it.
CREATE OR REPLACE FUNCTION pay.step_tally(
    p_tally settlement_tally, p_rows int, OUT tally settlement_tally,
    OUT rows bigint)
LANGUAGE plpgsql AS $$
DECLARE
    v_until timestamptz;
    v_lines close_line[];
BEGIN
    tally := p_tally;

    IF tally.next_at < tally.until_at THEN
        SELECT p.until, p.rows INTO v_until, rows
        FROM tally_piece(tally, p_rows) p;
        v_lines := CASE WHEN tally.name = 'accounts'
            THEN ARRAY(SELECT m FROM account_movements(tally, v_until) m)
            ELSE ARRAY(SELECT m FROM tally_movements(tally, v_until) m
                       WHERE tally.name = 'close'
                           OR m.item LIKE 'account/%') END;
        tally.width := v_until - tally.next_at;
        tally.next_at := v_until;
        tally.is_done := tally.next_at >= tally.until_at
            AND tally.open_after IS NULL;
    ELSE
        SELECT o.lines, o.rows, coalesce(o.last, tally.open_after)
        INTO v_lines, rows, tally.open_after
        FROM tally_open(tally.open_after, p_rows) o;
        tally.is_done := rows < p_rows;
    END IF;

    PERFORM add_tally_lines(tally.name, v_lines);
    UPDATE settlement_tally t
    SET next_at = tally.next_at, width = tally.width,
        open_after = tally.open_after, is_done = tally.is_done
    WHERE t.name = tally.name;
END
$$;
COMMENT ON FUNCTION pay.step_tally IS
    'Adds the next piece to a tally: how many rows were read for it';


-- Pieces of so many rows together, at least one.
CREATE OR REPLACE FUNCTION pay.run_tally(
    p_tally settlement_tally, p_rows int)
RETURNS settlement_tally LANGUAGE plpgsql AS $$
DECLARE
    v_step record;
    v_rows bigint := 0;
BEGIN
    LOOP
        SELECT s.tally, s.rows INTO v_step FROM step_tally(p_tally, p_rows) s;
        p_tally := v_step.tally;
        v_rows := v_rows + v_step.rows;
        EXIT WHEN p_tally.is_done OR v_rows >= p_rows;
    END LOOP;

    RETURN p_tally;
END
$$;
COMMENT ON FUNCTION pay.run_tally IS
    'Adds the next pieces to a tally, of so many rows';


-- A tally begins behind the one before it (p_from).  Transactions that were under
-- way then have come up to a day before.  With nothing before, it begins before
-- all entries.
CREATE OR REPLACE FUNCTION pay.begin_tally(
    p_name text, p_day date, p_from_at timestamptz, p_from_tx xid8,
    p_until timestamptz)
RETURNS settlement_tally LANGUAGE sql AS $$
INSERT INTO settlement_tally AS t (name, day, from_at, from_tx, until_at,
    until_tx, next_at, width, open_after)
SELECT p_name, p_day, p_from_at, p_from_tx, p_until,
    pg_snapshot_xmin(pg_current_snapshot()), s.at, p_until - s.at,
    CASE WHEN p_name = 'close' THEN 0 END
FROM (SELECT coalesce(p_from_at - interval '1 day',
                      '0001-01-01 00:00Z'::timestamptz) AS at) s
ON CONFLICT (name) DO UPDATE
SET day = EXCLUDED.day, from_at = EXCLUDED.from_at,
    from_tx = EXCLUDED.from_tx, until_at = EXCLUDED.until_at,
    until_tx = EXCLUDED.until_tx, next_at = EXCLUDED.next_at,
    width = EXCLUDED.width, open_after = EXCLUDED.open_after,
    is_done = false
RETURNING t.*
$$;
COMMENT ON FUNCTION pay.begin_tally IS
    'Begins to add up all that has come since';


-- The balance of an account is its balance in the close before, plus its
-- movements since.
CREATE OR REPLACE FUNCTION pay.close_lines(p_last settlement_close)
RETURNS SETOF close_line LANGUAGE sql STABLE AS $$
SELECT t.merchant_id, t.psp, t.currency, t.item, t.count, t.minor
FROM settlement_tally_line t WHERE t.name = 'close'
UNION ALL
SELECT b.merchant_id, b.psp, b.currency, b.item, NULL, sum(b.minor)
FROM (SELECT t.merchant_id::text, t.psp::text, t.currency::text,
          'balance/' || substr(t.item, 9) AS item, t.minor
      FROM settlement_tally_line t
      WHERE t.name = 'close' AND t.item LIKE 'account/%'
      UNION ALL
      SELECT l.merchant_id, l.psp, l.currency, l.item, l.minor
      FROM jsonb_populate_recordset(NULL::close_line,
          coalesce(p_last.document::jsonb -> 'lines', '[]')) l
      WHERE l.item LIKE 'balance/%') b
GROUP BY 1, 2, 3, 4
$$;
COMMENT ON FUNCTION pay.close_lines IS 'All that a close says';


-- JSON with its members in this order, its lines sorted: the bytes that are
-- signed.
CREATE OR REPLACE FUNCTION pay.close_document(
    p_number bigint, p_last settlement_close, p_tally settlement_tally)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT json_build_object('close', p_number, 'day', p_tally.day,
    'from', CASE WHEN p_last.until_at IS NOT NULL
                 THEN iso_micros(p_last.until_at) END,
    'until', iso_micros(p_tally.until_at),
    'previous', encode(CASE WHEN p_last.document IS NULL
        THEN decode(repeat('00', 32), 'hex')
        ELSE sha256(convert_to(p_last.document, 'UTF8')) END, 'hex'),
    'lines', coalesce((
        SELECT json_agg(json_build_object('merchant_id', l.merchant_id,
            'psp', l.psp, 'currency', l.currency, 'item', l.item,
            'count', l.count, 'minor', l.minor,
            'amount', round(l.minor / 10::numeric ^ k.exponent, k.exponent)
                ::text)
            ORDER BY l.merchant_id COLLATE "C", l.psp COLLATE "C",
                l.currency COLLATE "C", l.item COLLATE "C")
        FROM close_lines(p_last) l
        JOIN currency k ON k.code = l.currency), '[]'::json))::text
$$;
COMMENT ON FUNCTION pay.close_document IS 'The document of a day';


-- The day that is being added up, or else this one, is closed when all of it is.
CREATE OR REPLACE FUNCTION pay.step_close(
    p_last settlement_close, p_day date, p_rows int,
    OUT day date, OUT number bigint, OUT document text)
LANGUAGE plpgsql AS $$
DECLARE
    v_tally settlement_tally;
BEGIN
    SELECT * INTO v_tally FROM settlement_tally t WHERE t.name = 'close';

    IF NOT FOUND THEN
        v_tally := begin_tally('close', p_day, p_last.until_at,
            p_last.until_tx, (p_day + 1)::timestamp AT TIME ZONE 'UTC');
    END IF;

    v_tally := run_tally(v_tally, p_rows);

    IF v_tally.is_done THEN
        day := v_tally.day;
        number := coalesce(p_last.number, 0) + 1;
        document := close_document(number, p_last, v_tally);

        INSERT INTO settlement_close (number, day, document, until_at,
            until_tx)
        VALUES (number, day, document, v_tally.until_at, v_tally.until_tx);
        DELETE FROM settlement_tally_line t WHERE t.name = 'close';
        DELETE FROM settlement_tally t WHERE t.name = 'close';
    END IF;
END
$$;
COMMENT ON FUNCTION pay.step_close IS
    'Adds up the next rows of a day, and closes it behind the last ones';


-- Days are closed one after the other, each once, and none before it is over
-- (UTC).  A day that was left out is part of the next one that is closed.  One
-- that is being added up comes first.
CREATE OR REPLACE FUNCTION pay.make_close(
    p_day date, p_now timestamptz DEFAULT clock_timestamp(),
    p_rows int DEFAULT 5000,
    OUT outcome text, OUT number bigint, OUT document text)
LANGUAGE plpgsql AS $$
DECLARE
    v_last settlement_close;
    v_made record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('settlement_close'));
    SELECT * INTO v_last FROM settlement_close c
    ORDER BY c.number DESC LIMIT 1;

    IF p_day <= v_last.day THEN
        outcome := 'closed';
        SELECT c.number, c.document INTO number, document
        FROM settlement_close c WHERE c.day = p_day;
        RETURN;
    ELSIF p_day IS NULL
        OR (p_day + 1)::timestamp AT TIME ZONE 'UTC' > p_now
    THEN
        outcome := 'not_over';
        RETURN;
    END IF;

    v_made := step_close(v_last, p_day, p_rows);
    outcome := 'again';

    IF v_made.day = p_day THEN
        outcome := 'made';
        number := v_made.number;
        document := v_made.document;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.make_close IS
    'Closes a day: made, again (the next rows of it are added up), closed (it '
    'was) or not_over';


CREATE OR REPLACE FUNCTION pay_ops.make_close(
    p_day date, OUT outcome text, OUT number bigint, OUT document text)
LANGUAGE sql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
SELECT c.outcome, c.number, c.document FROM pay.make_close(p_day) c
$$;
COMMENT ON FUNCTION pay_ops.make_close IS
    'Closes a day: made, again (once more, it is large), closed (it was) or '
    'not_over';


-- The document does not depend on the key that signs it, so that the first
-- signature stays.
CREATE OR REPLACE FUNCTION pay_ops.sign_close(
    p_number bigint, p_key_id text, p_signature text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    UPDATE settlement_close c
    SET key_id = p_key_id, signature = decode(p_signature, 'hex')
    WHERE c.number = p_number AND c.signature IS NULL;

    RETURN CASE WHEN FOUND THEN 'signed'
        WHEN EXISTS (SELECT FROM settlement_close c
                     WHERE c.number = p_number) THEN 'already'
        ELSE 'not_found' END;
EXCEPTION WHEN check_violation OR invalid_parameter_value THEN
    RETURN 'invalid';
END
$$;
COMMENT ON FUNCTION pay_ops.sign_close IS
    'Keeps the signature of a closed day: signed, already, not_found or '
    'invalid';
