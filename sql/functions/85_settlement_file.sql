-- Files of PSPs and banks on their way in: opened once by their bytes, staged
-- row by row, and proven before anything of them is booked.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The count of an hour that is under way ends, done or not: behind the piece that
-- another one is counting.
CREATE OR REPLACE FUNCTION pay.end_count()
RETURNS void LANGUAGE sql AS $$
DELETE FROM settlement_count;
DELETE FROM settlement_count_line
$$;
COMMENT ON FUNCTION pay.end_count IS
    'Ends the count of entries that no file has brought';


-- Makes a source, or changes one.  Once the source has brought a file, its
-- medium, its PSP and its merchant stay, because rows and entries name them.
-- NULL: as it was, or the default.
CREATE OR REPLACE FUNCTION pay.store_settlement_source(
    p_source text, p_format text, p_merchant_id text, p_psp text,
    p_account text, p_since timestamptz, p_overdue_days int)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_old settlement_source;
BEGIN
    SELECT * INTO v_old FROM settlement_source s
    WHERE s.source = p_source FOR UPDATE;

    IF v_old.source IS NOT NULL
        AND (v_old.merchant_id <> p_merchant_id
             OR v_old.psp IS DISTINCT FROM nullif(p_psp, ''))
        AND EXISTS (SELECT FROM settlement_file f WHERE f.source = p_source)
    THEN
        RETURN 'in_use';
    END IF;

    INSERT INTO settlement_source AS s (source, medium, format, merchant_id,
        psp, account, since, overdue_days)
    VALUES (p_source, CASE WHEN p_psp <> '' THEN 'psp' ELSE 'bank' END,
        p_format, p_merchant_id, nullif(p_psp, ''), nullif(p_account, ''),
        coalesce(p_since, now()), coalesce(p_overdue_days, 9))
    ON CONFLICT (source) DO UPDATE
    SET medium = EXCLUDED.medium, format = EXCLUDED.format,
        merchant_id = EXCLUDED.merchant_id, psp = EXCLUDED.psp,
        account = EXCLUDED.account,
        since = coalesce(p_since, s.since),
        overdue_days = coalesce(p_overdue_days, s.overdue_days);

    -- other entries are expected now: all hours are counted again
    DELETE FROM settlement_hour;
    PERFORM end_count();

    RETURN 'stored';
EXCEPTION WHEN check_violation OR not_null_violation THEN
    RETURN 'invalid';
END
$$;
COMMENT ON FUNCTION pay.store_settlement_source IS
    'Makes or changes a source of settlement files: stored, in_use or '
    'invalid';


-- A source that stands in the gateway's configuration is changed there: its
-- format, merchant, PSP and account.  A worker says so at least once a day.
CREATE OR REPLACE FUNCTION pay_ops.set_settlement_source(
    p_source text, p_format text, p_merchant_id text, p_psp text,
    p_account text, p_since timestamptz, p_overdue_days int)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_old settlement_source;
BEGIN
    SELECT s.* INTO v_old
    FROM settlement_source s
    JOIN settlement_look l ON l.source = s.source
    WHERE s.source = p_source AND l.declared_at > now() - interval '2 days'
    FOR UPDATE OF s;

    IF v_old.format <> p_format OR v_old.merchant_id <> p_merchant_id
        OR v_old.source IS NOT NULL
            AND (v_old.psp IS DISTINCT FROM nullif(p_psp, '')
                 OR v_old.account IS DISTINCT FROM nullif(p_account, ''))
    THEN
        RETURN 'configured';
    END IF;

    RETURN store_settlement_source(p_source, p_format, p_merchant_id, p_psp,
                                   p_account, p_since, p_overdue_days);
END
$$;
COMMENT ON FUNCTION pay_ops.set_settlement_source IS
    'Makes or changes a source of settlement files: stored, in_use, '
    'configured or invalid; no PSP: a bank';


-- At most p_limit staged rows of a file; the rest is left to sweep_staged().  Rows
-- that are kept go behind those that are not.
CREATE OR REPLACE FUNCTION pay.drop_staged(p_file_id bigint, p_limit int)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_more boolean;
BEGIN
    DELETE FROM ONLY settlement_staging s
    WHERE s.ctid = ANY (ARRAY(
        SELECT d.ctid FROM ONLY settlement_staging d
        WHERE d.file_id = p_file_id LIMIT p_limit));

    IF NOT FOUND AND EXISTS (SELECT FROM settlement_file f
                             WHERE f.file_id = p_file_id AND f.kept > 0)
    THEN
        DELETE FROM settlement_kept s
        WHERE s.ctid = ANY (ARRAY(
            SELECT d.ctid FROM settlement_kept d
            WHERE d.file_id = p_file_id LIMIT p_limit));
    END IF;

    v_more := EXISTS (SELECT FROM settlement_staging s
                      WHERE s.file_id = p_file_id);

    IF v_more THEN
        INSERT INTO settlement_leftover (file_id) VALUES (p_file_id)
        ON CONFLICT (file_id) DO NOTHING;
    ELSE
        DELETE FROM settlement_leftover l WHERE l.file_id = p_file_id;
        UPDATE settlement_file f SET kept = 0
        WHERE f.file_id = p_file_id AND f.kept > 0;
    END IF;

    RETURN v_more;
END
$$;
COMMENT ON FUNCTION pay.drop_staged IS
    'Deletes so many staged rows of a file: whether it has more';


-- The rows of a page are needed as long as they are: they may have moved from one
-- page to another, so that it is known behind the last page alone which rows of
-- earlier versions a version lacks.
CREATE OR REPLACE FUNCTION pay.has_more_pages(p_file settlement_file)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT p_file.page IS NOT NULL AND EXISTS (
    SELECT FROM settlement_file o
    WHERE o.source = p_file.source AND o.batch_key = p_file.batch_key
        AND o.version = p_file.version AND o.file_id <> p_file.file_id
        AND o.state IN ('proven', 'booking'))
$$;
COMMENT ON FUNCTION pay.has_more_pages IS
    'Whether other pages of the same version are not booked yet';


-- One file's, so that each look at a source deletes a bounded number of rows. A
-- file that is read again meanwhile is not touched.
CREATE OR REPLACE FUNCTION pay.sweep_staged(p_limit int)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_file_id bigint;
BEGIN
    SELECT f.file_id INTO v_file_id
    FROM settlement_leftover l
    JOIN settlement_file f ON f.file_id = l.file_id
    WHERE f.state = 'refused' OR f.state = 'booked' AND NOT has_more_pages(f)
    ORDER BY l.file_id LIMIT 1
    FOR UPDATE OF f SKIP LOCKED;

    -- the list of leftovers does not survive a crash, and kept rows do
    IF v_file_id IS NULL THEN
        SELECT f.file_id INTO v_file_id
        FROM settlement_file f
        WHERE f.kept > 0 AND (f.state = 'refused'
            OR f.state = 'booked' AND NOT has_more_pages(f))
        ORDER BY f.file_id LIMIT 1
        FOR UPDATE OF f SKIP LOCKED;
    END IF;

    IF v_file_id IS NOT NULL THEN
        PERFORM drop_staged(v_file_id, p_limit);
    END IF;
END
$$;
COMMENT ON FUNCTION pay.sweep_staged IS
    'Deletes staged rows that a booked or refused file has left';


-- The digest by which the version behind this one is known, as the first one is
-- by that of its name.
CREATE OR REPLACE FUNCTION pay.next_version_sha256(p_file settlement_file)
RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
SELECT sha256(convert_to(concat('pulled settlement ', p_file.name, ' behind '),
                         'UTF8') || p_file.sha256)
$$;
COMMENT ON FUNCTION pay.next_version_sha256 IS
    'The digest of the next version of a pulled settlement';


CREATE OR REPLACE FUNCTION pay.drop_proof(p_file_id bigint)
RETURNS void LANGUAGE sql AS $$
DELETE FROM settlement_sum s WHERE s.file_id = p_file_id;
DELETE FROM settlement_proof p WHERE p.file_id = p_file_id;
$$;
COMMENT ON FUNCTION pay.drop_proof IS
    'Forgets how far the rows of a file have been checked';


CREATE OR REPLACE FUNCTION pay.work_keys(p_file_id bigint)
RETURNS bigint[] LANGUAGE sql STABLE AS $$
SELECT array_agg(p.part_id) || p_file_id
FROM settlement_part p WHERE p.file_id = p_file_id
$$;
COMMENT ON FUNCTION pay.work_keys IS
    'The numbers under which the work of a file is kept';


-- The same bytes are the same file.  A file that is not booked yet, or was
-- refused, begins again; rows of it that are booked stay booked.  A page whose rows
-- are kept is not read again.
CREATE OR REPLACE FUNCTION pay.open_settlement(
    p_source text, p_sha256 bytea, p_name text,
    OUT outcome text, OUT file settlement_file)
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM settlement_source s
                   WHERE s.source = p_source)
    THEN
        outcome := 'not_found';
        RETURN;
    END IF;

    INSERT INTO settlement_file AS f (source, sha256, name)
    VALUES (p_source, p_sha256, left(p_name, 255))
    ON CONFLICT (source, sha256) DO NOTHING
    RETURNING f.* INTO file;

    IF FOUND THEN
        outcome := 'opened';
        RETURN;
    END IF;

    SELECT * INTO file FROM settlement_file f
    WHERE f.source = p_source AND f.sha256 = p_sha256 FOR UPDATE;

    IF file.state = 'booked' AND NOT has_more_pages(file) THEN
        outcome := 'known';
        RETURN;
    ELSIF file.page IS NOT NULL AND file.is_whole
        AND (file.kept = file.row_count OR file.state = 'booked')
        AND file.state <> 'refused'
    THEN
        outcome := 'staged';
        RETURN;
    END IF;

    outcome := CASE WHEN drop_staged(file.file_id, 5000) THEN 'clearing'
                    ELSE 'again' END;
    PERFORM drop_proof(file.file_id);
    DELETE FROM settlement_work w
    WHERE w.file_id = ANY (work_keys(file.file_id));
    DELETE FROM settlement_open o
    WHERE o.file_id = ANY (work_keys(file.file_id));
    UPDATE settlement_part p SET phase = 'take'
    WHERE p.file_id = file.file_id AND NOT p.is_done;

    IF file.state <> 'booking' THEN
        UPDATE settlement_file f
        SET state = 'received', reason = NULL, name = left(p_name, 255),
            batch_key = NULL, version = 1, page = NULL, page_sums = NULL,
            is_last_page = false
        WHERE f.file_id = file.file_id;
    END IF;

    UPDATE settlement_file f
    SET attempt = f.attempt + 1, is_whole = false,
        changed_at = clock_timestamp()
    WHERE f.file_id = file.file_id
    RETURNING f.* INTO file;
END
$$;
COMMENT ON FUNCTION pay.open_settlement IS
    'A file by its bytes: opened, again (begun before), clearing (begun before, '
    'and open it once more, since rows of it are left), staged (a page whose '
    'rows are there), known (booked) or not_found (no such source)';


CREATE OR REPLACE FUNCTION pay.refuse_settlement(
    p_file_id bigint, p_reason text)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    UPDATE settlement_file f
    SET state = 'refused', reason = left(p_reason, 500),
        changed_at = clock_timestamp()
    WHERE f.file_id = p_file_id AND f.state IN ('received', 'staged',
                                                'proven', 'refused');
    PERFORM drop_staged(p_file_id, 5000);
    PERFORM drop_proof(p_file_id);

    RETURN 'refused';
END
$$;
COMMENT ON FUNCTION pay.refuse_settlement IS
    'Refuses a file of which nothing is booked, whole';


-- The sums that the file states, by currency, against those of its rows; and
-- each payout that the file has against the rows that it pays out.  A payout
-- that came back is paid out again with others, or has come back by itself.
-- Where balances prove the file, a payout takes any part of them: a withdrawal
-- of PayPal is not the sum of its day.
CREATE OR REPLACE FUNCTION pay.wrong_settlement_sum(p_file_id bigint)
RETURNS text LANGUAGE sql STABLE AS $$
WITH sums AS (
    SELECT s.currency, sum(s.row_count) AS rows, sum(s.gross) AS gross,
        sum(s.fee) AS fee, sum(s.tax) AS tax, sum(s.net) AS net
    FROM settlement_sum s
    WHERE s.file_id = p_file_id
    GROUP BY s.currency
), said AS (
    SELECT j.key AS currency, j.value
    FROM settlement_file f, jsonb_each(f.stated) j
    WHERE f.file_id = p_file_id
)
(SELECT format('%s of %s is %s and should be %s', w.what,
        coalesce(d.currency, s.currency), w.has, w.said)
FROM said d
FULL JOIN sums s ON s.currency = d.currency
CROSS JOIN LATERAL (VALUES
    ('the number of rows', coalesce(s.rows, 0),
     (d.value ->> 'rows')::numeric),
    ('gross', coalesce(s.gross, 0), (d.value ->> 'gross')::numeric),
    ('fee', coalesce(s.fee, 0), (d.value ->> 'fee')::numeric),
    ('tax', coalesce(s.tax, 0), (d.value ->> 'tax')::numeric),
    ('net', coalesce(s.net, 0), (d.value ->> 'net')::numeric),
    ('the closing balance',
     coalesce(s.net, 0) + (d.value ->> 'opening')::numeric,
     (d.value ->> 'closing')::numeric)) AS w (what, has, said)
WHERE w.has <> w.said
    OR d.value IS NULL AND EXISTS (SELECT FROM said)
ORDER BY 1 LIMIT 1)
UNION ALL
(SELECT format('payout %s of %s is %s and its rows sum to %s', p.payout_ref,
        p.currency, -p.paid, p.payout_net - p.paid)
FROM settlement_sum p
WHERE p.file_id = p_file_id AND p.payouts > 0 AND p.others > 0
    AND p.payout_net <> 0 AND p.payout_net <> p.returned
    AND NOT EXISTS (SELECT FROM said d
                    WHERE d.currency = p.currency
                        AND d.value ->> 'opening' IS NOT NULL)
ORDER BY 1 LIMIT 1)
LIMIT 1
$$;
COMMENT ON FUNCTION pay.wrong_settlement_sum IS
    'The first sum of a file that does not hold; NULL: all do';


-- An API may list the rows of a settlement in another order, or other rows: the
-- lines of the parts that are booked are not theirs any more.  All rows are
-- divided anew; those that are booked are passed over, and stay counted.
CREATE OR REPLACE FUNCTION pay.carry_parts(p_file_id bigint)
RETURNS void LANGUAGE sql AS $$
WITH gone AS (
    DELETE FROM settlement_part p WHERE p.file_id = p_file_id
    RETURNING p.matched, p.class1, p.class2, p.class3
)
INSERT INTO settlement_part (file_id, first_line, until_line, is_done, matched,
    class1, class2, class3)
SELECT p_file_id, -1, 0, true, sum(g.matched)::bigint, sum(g.class1)::bigint,
    sum(g.class2)::bigint, sum(g.class3)::bigint
FROM gone g
HAVING count(*) > 0
$$;
COMMENT ON FUNCTION pay.carry_parts IS
    'Divides a pulled file anew that is partly booked';


-- All rows are there.  p_rows: how many were read.  p_stated: the sums of the
-- file by currency.  p_batch_key NULL: the file is no batch that could come
-- again.  p_digest: of the rows of an API.  p_page: {"number": 2, "last": true,
-- "own": …, "all": …}, the file is a page, which stays staged until all are there
-- (complete_pages).  Two files of one batch come one after the other.  Staged rows
-- are lost when the server crashes: that is no fault of the file, which is not
-- refused.
--
-- An API may have other rows of a settlement of which some are booked.  The rest
-- is booked as it is now; the digest stays that of the rows before, so that the
-- next reading finds the difference, and compares those that are booked, too.
CREATE OR REPLACE FUNCTION pay.prove_settlement(
    p_file_id bigint, p_batch_key text, p_rows bigint, p_stated jsonb,
    p_digest bytea DEFAULT NULL, p_page jsonb DEFAULT NULL)
RETURNS settlement_file LANGUAGE plpgsql AS $$
DECLARE
    v_file   settlement_file;
    v_rows   bigint;
    v_count  bigint;
    v_wrong  text;
BEGIN
    SELECT * INTO v_file FROM settlement_file f
    WHERE f.file_id = p_file_id FOR UPDATE;

    IF v_file.state NOT IN ('received', 'staged', 'booking') THEN
        RETURN v_file;
    END IF;

    -- most of it, or all, was done in pieces before
    WHILE check_settlement(p_file_id, 5000) LOOP
        NULL;
    END LOOP;

    SELECT p.row_count, p.wrong INTO v_count, v_wrong
    FROM settlement_proof p WHERE p.file_id = p_file_id;
    v_rows := CASE WHEN v_file.state = 'booking'
                       AND v_file.digest IS NOT DISTINCT FROM p_digest
                   THEN v_file.row_count ELSE p_rows END;

    IF v_count <> v_rows THEN
        RAISE EXCEPTION 'file % has % rows and % are staged: import it again',
            p_file_id, v_rows, v_count USING ERRCODE = 'PAY24';
    ELSIF v_file.state = 'booking' AND v_wrong IS NOT NULL THEN
        RAISE EXCEPTION 'file % was altered while it is booked: %', p_file_id,
            v_wrong USING ERRCODE = 'PAY24';
    ELSIF v_file.state = 'booking' THEN
        PERFORM drop_proof(p_file_id);
        IF p_digest IS NOT NULL THEN
            PERFORM carry_parts(p_file_id);
        END IF;
        -- rows that are booked, and were taken out since, are rows of it still
        UPDATE settlement_file f
        SET is_whole = true, row_count = CASE
            WHEN f.digest IS NOT DISTINCT FROM p_digest THEN f.row_count
            ELSE v_rows + (
                SELECT count(*) FROM settlement_row r
                WHERE r.file_id = p_file_id AND NOT EXISTS (
                    SELECT FROM settlement_staging s
                    WHERE s.file_id = p_file_id AND s.row_key = r.row_key))
            END
        WHERE f.file_id = p_file_id;
        RETURN v_file;
    END IF;

    ANALYZE settlement_staging;
    UPDATE settlement_file f
    SET state = 'staged', row_count = v_count, digest = p_digest,
        stated = coalesce(p_stated, '{}'), changed_at = clock_timestamp()
    WHERE f.file_id = p_file_id;

    v_wrong := coalesce(v_wrong, wrong_settlement_sum(p_file_id));

    IF v_wrong IS NOT NULL THEN
        PERFORM refuse_settlement(p_file_id, v_wrong);
    ELSIF p_page IS NOT NULL THEN
        UPDATE settlement_file f
        SET is_whole = true, batch_key = p_batch_key,
            page = (p_page ->> 'number')::int,
            is_last_page = (p_page ->> 'last')::boolean,
            page_sums = p_page - 'number' - 'last'
        WHERE f.file_id = p_file_id;
        PERFORM drop_proof(p_file_id);
    ELSE
        PERFORM FROM settlement_source s
        WHERE s.source = v_file.source FOR UPDATE;

        UPDATE settlement_file f
        SET state = 'proven', is_whole = true,
            batch_key = nullif(p_batch_key, ''), version = 1 + coalesce((
                SELECT max(o.version) FROM settlement_file o
                WHERE o.source = f.source AND o.batch_key = p_batch_key
                    AND o.file_id <> f.file_id
                    AND o.state IN ('proven', 'booking', 'booked')), 0)
        WHERE f.file_id = p_file_id;
        PERFORM drop_proof(p_file_id);
    END IF;

    SELECT * INTO v_file FROM settlement_file f WHERE f.file_id = p_file_id;

    RETURN v_file;
END
$$;
COMMENT ON FUNCTION pay.prove_settlement IS
    'Proves a file whose rows are staged, or refuses it';


CREATE OR REPLACE FUNCTION pay_ops.open_settlement(
    p_source text, p_sha256 text, p_name text,
    OUT outcome text, OUT file_id bigint, OUT attempt bigint,
    OUT format text, OUT account text, OUT state text, OUT keep text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_opened record := pay.open_settlement(p_source, decode(p_sha256, 'hex'),
                                           p_name);
BEGIN
    outcome := v_opened.outcome;
    file_id := (v_opened.file).file_id;
    attempt := (v_opened.file).attempt;
    state := (v_opened.file).state;
    SELECT s.format, s.account, s.keep INTO format, account, keep
    FROM settlement_source s WHERE s.source = p_source;
END
$$;
COMMENT ON FUNCTION pay_ops.open_settlement IS
    'A settlement file by its bytes: opened, again, clearing, staged, known or '
    'not_found';


-- The last one that has opened a file goes on with it, any other import of the
-- file ends here.  Nobody opens it until the transaction ends, so that rows
-- which are copied in this transaction are those of its last attempt.
CREATE OR REPLACE FUNCTION pay_ops.hold_settlement(
    p_file_id bigint, p_attempt bigint)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_state text;
BEGIN
    SELECT f.state INTO v_state FROM settlement_file f
    WHERE f.file_id = p_file_id AND f.attempt = p_attempt FOR SHARE;

    IF NOT FOUND THEN
        RAISE EXCEPTION 'file % is being imported by another one', p_file_id
            USING ERRCODE = 'PAY24';
    END IF;

    RETURN v_state;
END
$$;
COMMENT ON FUNCTION pay_ops.hold_settlement IS
    'The state of a file that nobody has opened since, until the transaction '
    'ends';


CREATE OR REPLACE FUNCTION pay_ops.check_settlement(
    p_file_id bigint, p_rows int, p_attempt bigint)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM FROM settlement_file f
    WHERE f.file_id = p_file_id FOR UPDATE;
    PERFORM pay_ops.hold_settlement(p_file_id, p_attempt);

    RETURN CASE WHEN pay.check_settlement(p_file_id, p_rows) THEN 'again'
                ELSE 'checked' END;
END
$$;
COMMENT ON FUNCTION pay_ops.check_settlement IS
    'Checks the next staged rows of a file: again or checked';


-- p_attempt NULL: that of the last import
CREATE OR REPLACE FUNCTION pay_ops.prove_settlement(
    p_file_id bigint, p_batch_key text, p_rows bigint, p_stated jsonb,
    p_attempt bigint DEFAULT NULL, p_page jsonb DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_file settlement_file;
BEGIN
    IF p_attempt IS NOT NULL THEN
        PERFORM FROM settlement_file f
        WHERE f.file_id = p_file_id FOR UPDATE;
        PERFORM pay_ops.hold_settlement(p_file_id, p_attempt);
    END IF;

    v_file := pay.prove_settlement(p_file_id, p_batch_key, p_rows, p_stated,
                                   NULL, p_page);

    RETURN CASE WHEN v_file.state = 'staged' THEN 'proven'
                ELSE v_file.state END;
END
$$;
COMMENT ON FUNCTION pay_ops.prove_settlement IS
    'Proves a staged file: proven, refused, or the state it was in';


CREATE OR REPLACE FUNCTION pay_ops.refuse_settlement(
    p_file_id bigint, p_reason text)
RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
SELECT pay.refuse_settlement(p_file_id, p_reason)
$$;
COMMENT ON FUNCTION pay_ops.refuse_settlement IS
    'Refuses a file that cannot be read';
