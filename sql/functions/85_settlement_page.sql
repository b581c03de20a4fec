-- The pages of a report that comes in several files: each is a file of its own,
-- and waits, staged, until all of them are there.  Then they are proven together
-- and booked one behind the other, as one version of their batch.  Private to
-- schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Pages that are proven by themselves, and of which all rows are kept.
CREATE OR REPLACE FUNCTION pay.page_waits(p_file settlement_file)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT p_file.page IS NOT NULL AND p_file.state = 'staged'
    AND p_file.is_whole AND p_file.kept = p_file.row_count
$$;
COMMENT ON FUNCTION pay.page_waits IS
    'Whether a file is a page that waits for the others, with all its rows';


-- The newest file of each page: one that waits, or else that of the last version
-- that has the page.  A file of a whole report takes the place of all pages before
-- it.  The last page says how many there are; NULL: it is not there.
CREATE OR REPLACE FUNCTION pay.page_set(
    p_source text, p_batch_key text, OUT last_page int, OUT files bigint[],
    OUT missing int[], OUT is_new boolean)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_pages settlement_file[] := ARRAY(
        SELECT f
        FROM settlement_file f
        WHERE f.source = p_source AND f.batch_key = p_batch_key
            AND f.page IS NOT NULL
            AND (page_waits(f)
                 OR f.state IN ('proven', 'booking', 'booked')
                     AND f.version > coalesce((
                         SELECT max(w.version) FROM settlement_file w
                         WHERE w.source = p_source
                             AND w.batch_key = p_batch_key
                             AND w.page IS NULL
                             AND w.state IN ('proven', 'booking', 'booked')),
                         0))
        ORDER BY (f.state = 'staged') DESC, f.version DESC, f.file_id DESC);
BEGIN
    SELECT f.page INTO last_page
    FROM unnest(v_pages) WITH ORDINALITY AS f
    WHERE f.is_last_page
    ORDER BY f.ordinality LIMIT 1;

    SELECT coalesce(array_agg(s.file_id ORDER BY s.page), '{}'),
        coalesce(bool_and(s.state = 'staged'), true)
    INTO files, is_new
    FROM (SELECT DISTINCT ON (f.page) f.file_id, f.page, f.state
          FROM unnest(v_pages) WITH ORDINALITY AS f
          WHERE last_page IS NULL OR f.page < last_page AND NOT f.is_last_page
              OR f.page = last_page AND f.is_last_page
          ORDER BY f.page, f.ordinality) s;

    missing := ARRAY(
        SELECT n
        FROM generate_series(1, coalesce(last_page, (
            SELECT max(f.page) FROM unnest(v_pages) f))) n
        WHERE NOT EXISTS (SELECT FROM settlement_file f
                          WHERE f.file_id = ANY (files) AND f.page = n)
        ORDER BY n);
END
$$;
COMMENT ON FUNCTION pay.page_set IS
    'The pages of a report that are there, and the numbers of those that are '
    'not; is_new: none of them was booked before';


-- The sums of all pages against those that the last one states.  A currency that
-- was converted at once comes to 0 and has no footer.  The two totals of fees come
-- in either order; the balances have been compared with both, and nets are the sums
-- of all rows that they allow.
CREATE OR REPLACE FUNCTION pay.wrong_page_sum(p_files bigint[])
RETURNS text LANGUAGE sql STABLE AS $$
WITH own AS (
    SELECT j.key AS currency, sum((j.value ->> 'rows')::numeric) AS rows,
        sum((j.value ->> 'in')::numeric) AS gross_in,
        sum((j.value ->> 'out')::numeric) AS gross_out,
        sum((j.value ->> 'fee_in')::numeric) AS fee_in,
        sum((j.value ->> 'fee_out')::numeric) AS fee_out
    FROM settlement_file f, jsonb_each(f.page_sums -> 'own') j
    WHERE f.file_id = ANY (p_files)
    GROUP BY j.key
), last AS (
    SELECT f.page_sums -> 'all' AS said, f.page_sums -> 'rows' AS rows
    FROM settlement_file f
    WHERE f.file_id = p_files[cardinality(p_files)]
), said AS (
    SELECT j.key AS currency, j.value,
        (j.value -> 'fees' ->> 0)::numeric AS fee1,
        (j.value -> 'fees' ->> 1)::numeric AS fee2
    FROM last l, jsonb_each(l.said) j
), pairs AS (
    SELECT coalesce(s.currency, o.currency) AS currency, s.value,
        s.fee1, s.fee2, coalesce(o.rows, 0) AS rows,
        coalesce(o.gross_in, 0) AS gross_in,
        coalesce(o.gross_out, 0) AS gross_out,
        coalesce(o.fee_in, 0) AS fee_in, coalesce(o.fee_out, 0) AS fee_out
    FROM said s
    FULL JOIN own o ON o.currency = s.currency
)
(SELECT format('%s of %s is %s and should be %s', w.item, b.currency, w.has,
        w.said)
FROM pairs b
CROSS JOIN LATERAL (VALUES
    (1, 'the number of rows', b.rows, (b.value ->> 'rows')::numeric),
    (2, 'gross into the balance', b.gross_in, (b.value ->> 'in')::numeric),
    (3, 'gross out of the balance', b.gross_out,
     (b.value ->> 'out')::numeric),
    (4, 'the lower total of fees', least(b.fee_in, b.fee_out),
     least(b.fee1, b.fee2)),
    (5, 'the higher total of fees', greatest(b.fee_in, b.fee_out),
     greatest(b.fee1, b.fee2)),
    (6, 'the net between the balances',
     b.gross_in + b.fee_in - b.gross_out - b.fee_out,
     CASE WHEN NOT b.value -> 'nets' @> to_jsonb(
              b.gross_in + b.fee_in - b.gross_out - b.fee_out)
          THEN (b.value -> 'nets' ->> 0)::numeric END)) AS w (n, item, has,
    said)
WHERE w.has <> w.said
ORDER BY b.currency COLLATE "C", w.n LIMIT 1)
UNION ALL
(SELECT format('the footer of %s is missing', b.currency)
FROM pairs b
WHERE b.value IS NULL AND EXISTS (SELECT FROM said)
    AND b.gross_in + b.fee_in <> b.gross_out + b.fee_out
ORDER BY b.currency COLLATE "C" LIMIT 1)
UNION ALL
SELECT format('the number of all rows is %s and should be %s', o.rows, l.rows)
FROM last l
CROSS JOIN (SELECT sum(o.rows) AS rows FROM own o) o
WHERE o.rows <> (l.rows)::numeric
LIMIT 1
$$;
COMMENT ON FUNCTION pay.wrong_page_sum IS
    'The first sum of the pages of a report that does not hold; NULL: all do';


-- p_wrong: all pages are there, and do not go together.
CREATE OR REPLACE FUNCTION pay.page_reason(
    p_page int, p_last_page int, p_missing int[], p_wrong text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN p_page > p_last_page
        THEN format('page %s: page %s says that it is the last one', p_page,
                    p_last_page)
    WHEN p_wrong IS NOT NULL
        THEN format('page %s of %s waits for another version of the other '
                    'pages: %s', p_page, p_last_page, p_wrong)
    ELSE format('page %s%s waits for %s', p_page, ' of ' || p_last_page,
        concat_ws(' and ', 'page ' || nullif(array_to_string(
                      p_missing[1:20], ', '), '')
                  || CASE WHEN cardinality(p_missing) > 20 THEN ' …'
                     ELSE '' END,
            CASE WHEN p_last_page IS NULL THEN 'the last page' END)) END
$$;
COMMENT ON FUNCTION pay.page_reason IS 'The pages for which a page waits, in words';


-- Rows of a page that waits go into the table that survives a crash.
CREATE OR REPLACE FUNCTION pay.keep_page(p_file_id bigint, p_rows int)
RETURNS settlement_file LANGUAGE plpgsql AS $$
DECLARE
    v_file settlement_file;
    v_kept bigint;
BEGIN
    SELECT * INTO v_file FROM settlement_file f
    WHERE f.file_id = p_file_id FOR UPDATE;

    IF NOT v_file.is_whole THEN
        RAISE EXCEPTION 'file % is being imported by another one', p_file_id
            USING ERRCODE = 'PAY24';
    ELSIF v_file.state <> 'staged' OR v_file.kept = v_file.row_count THEN
        RETURN v_file;
    END IF;

    WITH moved AS (
        DELETE FROM ONLY settlement_staging s
        WHERE s.ctid = ANY (ARRAY(
            SELECT d.ctid FROM ONLY settlement_staging d
            WHERE d.file_id = p_file_id LIMIT p_rows))
        RETURNING s.*
    )
    INSERT INTO settlement_kept (file_id, line, row_key, kind, raw_type,
        psp_ref, parent_ref, our_ref, occurred_at, booked_on, gross_minor,
        fee_minor, tax_minor, net_minor, currency, paid_minor, paid_currency,
        rate, payout_ref, account, bank_ref, note, is_external, is_detail,
        first_line)
    SELECT m.file_id, m.line, m.row_key, m.kind, m.raw_type, m.psp_ref,
        m.parent_ref, m.our_ref, m.occurred_at, m.booked_on, m.gross_minor,
        m.fee_minor, m.tax_minor, m.net_minor, m.currency, m.paid_minor,
        m.paid_currency, m.rate, m.payout_ref, m.account, m.bank_ref, m.note,
        m.is_external, m.is_detail, m.first_line
    FROM moved m;
    GET DIAGNOSTICS v_kept = ROW_COUNT;

    IF v_kept = 0 THEN
        RAISE EXCEPTION 'the rows of file % are gone: import it again',
            p_file_id USING ERRCODE = 'PAY24';
    END IF;

    UPDATE settlement_file f SET kept = f.kept + v_kept
    WHERE f.file_id = p_file_id RETURNING f.* INTO v_file;

    RETURN v_file;
END
$$;
COMMENT ON FUNCTION pay.keep_page IS
    'Keeps the next staged rows of a page, so many at most';


-- The pages of a set that holds become the next version of their batch.  A file
-- that another one of the same page has replaced is refused, so that it waits no
-- more.
CREATE OR REPLACE FUNCTION pay.prove_pages(
    p_file settlement_file, p_pages bigint[], p_last_page int)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_file bigint;
BEGIN
    UPDATE settlement_file f
    SET state = 'proven', reason = NULL, changed_at = clock_timestamp(),
        version = v.version
    FROM (SELECT 1 + coalesce(max(o.version), 0) AS version
          FROM settlement_file o
          WHERE o.source = p_file.source AND o.batch_key = p_file.batch_key
              AND o.state IN ('proven', 'booking', 'booked')) v
    WHERE f.file_id = ANY (p_pages) AND f.state = 'staged';

    FOR v_file IN
        SELECT f.file_id FROM settlement_file f
        WHERE f.source = p_file.source AND f.batch_key = p_file.batch_key
            AND f.page <= p_last_page AND page_waits(f)
        ORDER BY f.file_id
    LOOP
        PERFORM refuse_settlement(v_file, 'another file of this page of the '
            'report came behind it');
    END LOOP;

    UPDATE settlement_exception x
    SET closed_at = clock_timestamp(), closed_as = 'matched'
    FROM settlement_file f
    WHERE f.source = p_file.source AND f.batch_key = p_file.batch_key
        AND f.state IN ('proven', 'refused') AND f.page IS NOT NULL
        AND x.merchant_id = (SELECT s.merchant_id FROM settlement_source s
                             WHERE s.source = p_file.source)
        AND x.source = page_matter(f) AND x.kind = 'page'
        AND x.closed_at IS NULL;
END
$$;
COMMENT ON FUNCTION pay.prove_pages IS
    'All pages of a report hold together: they are to be booked';


-- Where no page was booked before, sums that do not hold refuse all of them; a
-- page with other bytes than the one that is booked may wait for others of its
-- version.  Files come one after the other, under the lock of their source.
CREATE OR REPLACE FUNCTION pay.complete_pages(p_file_id bigint)
RETURNS settlement_file LANGUAGE plpgsql AS $$
DECLARE
    v_file  settlement_file;
    v_set   record;
    v_wrong text;
BEGIN
    PERFORM FROM settlement_source s
    WHERE s.source = (SELECT f.source FROM settlement_file f
                      WHERE f.file_id = p_file_id) FOR UPDATE;
    SELECT * INTO v_file FROM settlement_file f WHERE f.file_id = p_file_id;

    IF NOT page_waits(v_file) THEN
        RETURN v_file;
    END IF;

    v_set := page_set(v_file.source, v_file.batch_key);

    IF v_set.last_page IS NOT NULL AND v_set.missing = '{}' THEN
        v_wrong := wrong_page_sum(v_set.files);

        IF v_wrong IS NULL THEN
            PERFORM prove_pages(v_file, v_set.files, v_set.last_page);
        ELSIF v_set.is_new THEN
            PERFORM refuse_settlement(u.file_id,
                'the pages of the report together: ' || v_wrong)
            FROM unnest(v_set.files) u (file_id);
        END IF;
    END IF;

    UPDATE settlement_file f
    SET reason = page_reason(f.page, v_set.last_page, v_set.missing, v_wrong)
    WHERE f.source = v_file.source AND f.batch_key = v_file.batch_key
        AND page_waits(f);

    SELECT * INTO v_file FROM settlement_file f WHERE f.file_id = p_file_id;

    RETURN v_file;
END
$$;
COMMENT ON FUNCTION pay.complete_pages IS
    'Proves the pages of a report together, when all of them are there';


-- The source is locked.  Another page says then for which ones it waits.
CREATE OR REPLACE FUNCTION pay.give_up_page(p_file_id bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_file  settlement_file;
    v_other bigint;
BEGIN
    SELECT * INTO v_file FROM settlement_file f WHERE f.file_id = p_file_id;

    IF NOT page_waits(v_file) THEN
        RETURN;
    END IF;

    PERFORM refuse_settlement(p_file_id, 'an operator has given it up');

    SELECT f.file_id INTO v_other
    FROM settlement_file f
    WHERE f.source = v_file.source AND f.batch_key = v_file.batch_key
        AND page_waits(f)
    ORDER BY f.file_id LIMIT 1;

    IF v_other IS NOT NULL THEN
        PERFORM complete_pages(v_other);
    END IF;
END
$$;
COMMENT ON FUNCTION pay.give_up_page IS
    'Refuses a page that waits for others that never come';


-- The earliest file that is to be booked before this one, or, when this one is
-- booked, behind it: files of the versions before, and the pages of this one, by
-- their numbers.  A file whose rows are not there is passed over until it has been
-- imported again; it is the latest version then, unless some of it was booked
-- before.
CREATE OR REPLACE FUNCTION pay.file_due(p_file settlement_file)
RETURNS bigint LANGUAGE sql STABLE AS $$
SELECT o.file_id
FROM settlement_file o
WHERE o.source = p_file.source AND o.batch_key = p_file.batch_key
    AND o.file_id <> p_file.file_id
    AND (o.version < p_file.version
         OR o.version = p_file.version
             AND (o.page < p_file.page OR p_file.state = 'booked'))
    AND o.state IN ('proven', 'booking') AND o.is_whole
    AND (o.row_count = 0 OR EXISTS (
        SELECT FROM settlement_staging s WHERE s.file_id = o.file_id))
ORDER BY o.version, o.page
LIMIT 1
$$;
COMMENT ON FUNCTION pay.file_due IS
    'The file of the same batch that is to be booked next, but this one';


-- A step of a page: its rows are kept, all pages are proven together, and then
-- they are booked, by the importer of any of them.  state is that of the page, or
-- booking as long as there is more to do.
CREATE OR REPLACE FUNCTION pay.advance_page(
    p_file settlement_file, p_rows int)
RETURNS settlement_file LANGUAGE plpgsql AS $$
DECLARE
    v_file settlement_file := p_file;
    v_due  bigint;
BEGIN
    IF page_waits(v_file) THEN
        v_file := complete_pages(v_file.file_id);
    ELSIF v_file.state = 'staged' THEN
        v_file := keep_page(v_file.file_id, p_rows);
        v_file.state := 'booking';
    END IF;

    IF v_file.state = 'proven' THEN
        v_file.state := 'booking';
    END IF;

    IF v_file.state <> 'booked' THEN
        RETURN v_file;
    END IF;

    v_due := file_due(v_file);

    IF v_due IS NOT NULL THEN
        PERFORM advance_file(v_due, p_rows);
        v_file.state := 'booking';
    END IF;

    RETURN v_file;
END
$$;
COMMENT ON FUNCTION pay.advance_page IS
    'Takes a page that waits, or another page of its report, a step further';


-- A file that is given up, and comes again, is another matter.
CREATE OR REPLACE FUNCTION pay.page_matter(p_file settlement_file)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT concat_ws('/', 'page', p_file.source, p_file.file_id, p_file.attempt)
$$;
COMMENT ON FUNCTION pay.page_matter IS
    'The name of a page that waits for too long in the queue';


-- Reports come in one go: a page that has waited for a day misses others.
CREATE OR REPLACE FUNCTION pay.raise_pages(p_now timestamptz DEFAULT now())
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_count int;
BEGIN
    INSERT INTO settlement_exception (merchant_id, psp, source, kind, class,
        finding, playbook, amount_minor, currency)
    SELECT s.merchant_id, coalesce(s.psp, '-'),
        page_matter(f), u.kind, u.class, u.finding,
        u.playbook, m.net, m.currency
    FROM settlement_file f
    JOIN settlement_source s ON s.source = f.source
    JOIN settlement_rule u ON u.kind = 'page' AND u.finding = 'incomplete'
    CROSS JOIN LATERAL (
        SELECT j.key AS currency, (j.value ->> 'net')::bigint AS net
        FROM jsonb_each(f.stated) j
        ORDER BY abs((j.value ->> 'net')::bigint) DESC, j.key LIMIT 1) m
    WHERE f.state IN ('received', 'staged', 'proven', 'booking')
        AND page_waits(f) AND f.changed_at < p_now - interval '1 day'
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.raise_pages IS
    'Queues pages of reports that have waited for others for a day: how many';


-- They are booked, and their rows are still there.
CREATE OR REPLACE FUNCTION pay.pages_before(p_file settlement_file)
RETURNS bigint[] LANGUAGE sql STABLE AS $$
SELECT array_agg(f.file_id)
FROM settlement_file f
WHERE p_file.page > 1 AND f.source = p_file.source
    AND f.batch_key = p_file.batch_key AND f.version = p_file.version
    AND f.page < p_file.page AND f.state = 'booked'
$$;
COMMENT ON FUNCTION pay.pages_before IS
    'The pages of a report before this one, of the same version';


-- A file of a bank may have several statements, also of several accounts, and its
-- batch is then named by the first one.  A report of a PSP is compared as a whole:
-- a batch that its next version leaves out is gone.
CREATE OR REPLACE FUNCTION pay.has_statements(p_source settlement_source)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT p_source.format IN ('camt.053', 'mt940')
$$;
COMMENT ON FUNCTION pay.has_statements IS
    'Whether one file of a source may have several statements';


-- As it stands at the head of the batch's key.  NULL: the row is of no statement.
CREATE OR REPLACE FUNCTION pay.statement_name(
    p_account text, p_payout_ref text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(p_account, '') || '/' || p_payout_ref || '/'
$$;
COMMENT ON FUNCTION pay.statement_name IS
    'The statement that a row of a source is of';


-- The statements of which the other versions of this batch have brought rows: a
-- row of any other one is nothing added.  NULL: the part has rows of the statement
-- alone that names the batch, or of none.
CREATE OR REPLACE FUNCTION pay.other_statements(
    p_file settlement_file, p_source settlement_source,
    p_part settlement_part)
RETURNS text[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT has_statements(p_source) OR NOT EXISTS (
        SELECT FROM settlement_staging s
        WHERE s.file_id = p_file.file_id
            AND coalesce(s.first_line, s.line) >= p_part.first_line
            AND coalesce(s.first_line, s.line) < p_part.until_line
            AND NOT starts_with(p_file.batch_key,
                                statement_name(s.account, s.payout_ref)))
    THEN
        RETURN NULL;
    END IF;

    RETURN ARRAY(
        SELECT DISTINCT r.name
        FROM settlement_file f
        CROSS JOIN LATERAL (
            SELECT statement_name(w.account, w.payout_ref) AS name
            FROM settlement_row w WHERE w.file_id = f.file_id
            OFFSET 0) r
        WHERE f.source = p_file.source AND f.batch_key = p_file.batch_key
            AND f.version <> p_file.version AND f.state = 'booked');
END
$$;
COMMENT ON FUNCTION pay.other_statements IS
    'The statements of the other versions of a batch';


-- The statements of a file whose rows are staged.
CREATE OR REPLACE FUNCTION pay.own_statements(p_file_id bigint)
RETURNS text[] LANGUAGE sql STABLE AS $$
SELECT ARRAY(
    SELECT DISTINCT statement_name(s.account, s.payout_ref)
    FROM settlement_staging s WHERE s.file_id = p_file_id)
$$;
COMMENT ON FUNCTION pay.own_statements IS 'The statements of a staged file';


-- The number of the other version may be higher: this one was overtaken when its
-- booking had begun, and comes again.
CREATE OR REPLACE FUNCTION pay.is_later_version(p_file settlement_file)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT EXISTS (
    SELECT FROM settlement_file f
    WHERE f.source = p_file.source AND f.batch_key = p_file.batch_key
        AND f.version <> p_file.version AND f.state = 'booked')
$$;
COMMENT ON FUNCTION pay.is_later_version IS
    'Whether another version of the same batch is booked, with which the rows of '
    'this file are compared';
