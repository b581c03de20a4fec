-- The staged rows of a settlement file are checked and added up in pieces, so
-- that no statement grows with the file.  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The first of these rows with which something is wrong by itself, in words.
CREATE OR REPLACE FUNCTION pay.wrong_settlement_row(
    p_file_id bigint, p_from int, p_until int, OUT line int, OUT wrong text)
LANGUAGE sql STABLE AS $$
SELECT w.line, format('row %s: %s', w.line, w.wrong)
FROM (
    SELECT s.line, CASE
        WHEN k.code IS NULL THEN format('no such currency as %s', s.currency)
        WHEN s.paid_currency IS NOT NULL AND NOT EXISTS (
            SELECT FROM currency p WHERE p.code = s.paid_currency)
            THEN format('no such currency as %s', s.paid_currency)
        WHEN s.gross_minor::numeric + s.fee_minor + s.tax_minor
             <> s.net_minor
            THEN format('net is %s and should be %s', s.net_minor,
                        s.gross_minor::numeric + s.fee_minor + s.tax_minor)
        WHEN greatest(abs(s.gross_minor::numeric), abs(s.net_minor::numeric),
                      abs(s.fee_minor::numeric), abs(s.tax_minor::numeric))
             > 999999999999999 THEN 'the amount is out of range'
        WHEN (s.paid_minor IS NULL) <> (s.paid_currency IS NULL)
            -- a part of a batch has no amount but that of its payer
            OR (NOT s.is_detail AND sign(s.paid_minor) <> sign(s.gross_minor))
            THEN 'what the buyer paid does not go with the amount'
        END AS wrong
    FROM settlement_staging s
    LEFT JOIN currency k ON k.code = s.currency
    WHERE s.file_id = p_file_id AND s.bucket >= p_from
        AND s.bucket < p_until) w
WHERE w.wrong IS NOT NULL
ORDER BY w.line LIMIT 1
$$;
COMMENT ON FUNCTION pay.wrong_settlement_row IS
    'The fault of the first wrong row of some buckets of a file; NULL: none';


-- The rows of these buckets are added to the sums of their file.
CREATE OR REPLACE FUNCTION pay.sum_settlement(
    p_file_id bigint, p_from int, p_until int)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
BEGIN
    INSERT INTO settlement_sum AS o (file_id, currency, payout_ref, row_count,
        gross, fee, tax, net, payout_net, payouts, paid, returned, others)
    SELECT p_file_id, w.currency, coalesce(w.payout_ref, ''), count(*),
        coalesce(sum(w.gross_minor) FILTER (WHERE NOT w.is_external), 0),
        coalesce(sum(w.fee_minor) FILTER (WHERE NOT w.is_external), 0),
        coalesce(sum(w.tax_minor) FILTER (WHERE NOT w.is_external), 0),
        coalesce(sum(w.net_minor) FILTER (WHERE NOT w.is_external), 0),
        coalesce(sum(w.net_minor) FILTER (WHERE w.counts), 0),
        count(*) FILTER (WHERE w.counts AND w.kind = 'payout'),
        coalesce(sum(w.net_minor) FILTER (
            WHERE w.counts AND w.kind = 'payout'), 0),
        coalesce(sum(w.net_minor) FILTER (
            WHERE w.counts AND w.kind = 'payout_returned'), 0),
        count(*) FILTER (WHERE w.counts AND w.kind NOT IN (
            'payout', 'payout_returned'))
    FROM (
        SELECT s.*, s.payout_ref IS NOT NULL AND NOT s.is_external
            AND s.kind NOT IN ('receipt', 'debit') AS counts
        FROM settlement_staging s
        WHERE s.file_id = p_file_id AND s.bucket >= p_from
            AND s.bucket < p_until AND NOT s.is_detail) w
    GROUP BY w.currency, coalesce(w.payout_ref, '')
    ON CONFLICT (file_id, currency, payout_ref) DO UPDATE
    SET row_count = o.row_count + EXCLUDED.row_count,
        gross = o.gross + EXCLUDED.gross, fee = o.fee + EXCLUDED.fee,
        tax = o.tax + EXCLUDED.tax, net = o.net + EXCLUDED.net,
        payout_net = o.payout_net + EXCLUDED.payout_net,
        payouts = o.payouts + EXCLUDED.payouts,
        paid = o.paid + EXCLUDED.paid,
        returned = o.returned + EXCLUDED.returned,
        others = o.others + EXCLUDED.others;

    SELECT count(*) INTO v_count
    FROM settlement_staging s
    WHERE s.file_id = p_file_id AND s.bucket >= p_from
        AND s.bucket < p_until;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.sum_settlement IS
    'Adds some buckets of a file to its sums: how many rows they have';


-- Rows of these buckets that name one payment get the place of the first of
-- them, so that they come into one part.
CREATE OR REPLACE FUNCTION pay.place_settlement(
    p_file_id bigint, p_from int, p_until int)
RETURNS void LANGUAGE sql AS $$
UPDATE ONLY settlement_staging s SET first_line = p.first
FROM (SELECT s.ctid AS tid, s.line, min(s.line) OVER (
          PARTITION BY coalesce(s.parent_ref::text, s.psp_ref, s.our_ref,
                                s.row_key)) AS first
      FROM ONLY settlement_staging s
      WHERE s.file_id = p_file_id AND s.bucket >= p_from
          AND s.bucket < p_until) p
WHERE s.ctid = p.tid AND p.first < p.line
$$;
COMMENT ON FUNCTION pay.place_settlement IS
    'Puts the rows of a payment, in some buckets of a file, in one place';


-- The first of the next rows, in the order of keys, that has the key of another
-- row and names another payment.  The two would come into different parts, and
-- the second one would be taken for the first one, which is booked already.  Keys
-- are compared with their neighbours, so that a key with any number of rows is
-- compared in pieces, too: each piece begins with the last row of the one
-- before.
CREATE OR REPLACE FUNCTION pay.wrong_settlement_key(
    p_file_id bigint, p_key text, p_line int, p_rows int,
    OUT line int, OUT wrong text, OUT last_key text, OUT last_line int,
    OUT is_end boolean)
LANGUAGE sql STABLE AS $$
WITH piece AS MATERIALIZED (
    SELECT s.row_key::text, s.line, coalesce(
        s.parent_ref::text, s.psp_ref, s.our_ref, s.row_key) AS name
    FROM settlement_staging s
    WHERE s.file_id = p_file_id
        AND (s.row_key, s.line) >= (p_key, p_line)
    ORDER BY s.row_key, s.line LIMIT p_rows + 1
), pairs AS (
    SELECT p.line, lag(p.line) OVER w AS other,
        p.row_key = lag(p.row_key) OVER w AND p.name <> lag(p.name) OVER w
            AS is_wrong
    FROM piece p
    WINDOW w AS (ORDER BY p.row_key COLLATE "C", p.line)
)
SELECT w.line, w.wrong, l.row_key, l.line,
    (SELECT count(*) FROM piece) <= p_rows
FROM (SELECT) x
LEFT JOIN LATERAL (
    SELECT p.line, format('row %s: it has the key of row %s and names another '
        'payment', p.line, p.other) AS wrong
    FROM pairs p WHERE p.is_wrong
    ORDER BY p.line LIMIT 1) w ON true
LEFT JOIN LATERAL (
    SELECT p.row_key, p.line FROM piece p
    ORDER BY p.row_key COLLATE "C" DESC, p.line DESC LIMIT 1) l ON true
$$;
COMMENT ON FUNCTION pay.wrong_settlement_key IS
    'The first of some rows of a file whose key stands for another payment, '
    'and how far the keys are compared';


-- A later piece may find a mistake in an earlier row: the first row counts.
CREATE OR REPLACE FUNCTION pay.keep_wrong_row(
    p_file_id bigint, p_line int, p_wrong text)
RETURNS void LANGUAGE sql AS $$
UPDATE settlement_proof p SET wrong_line = p_line, wrong = p_wrong
WHERE p.file_id = p_file_id AND p_line IS NOT NULL
    AND coalesce(p_line < p.wrong_line, true)
$$;
COMMENT ON FUNCTION pay.keep_wrong_row IS
    'Keeps the mistake in a row of a file, if it is the first one';


-- Checks the next buckets of a file, of at most p_rows rows together (but never
-- a part of a bucket).
CREATE OR REPLACE FUNCTION pay.check_buckets(
    p_proof settlement_proof, p_rows int)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_file_id bigint := p_proof.file_id;
    v_until   int;
BEGIN
    SELECT s.bucket INTO v_until
    FROM settlement_staging s
    WHERE s.file_id = v_file_id AND s.bucket >= p_proof.next_bucket
    ORDER BY s.bucket OFFSET p_rows LIMIT 1;
    v_until := greatest(coalesce(v_until, 65536), p_proof.next_bucket + 1);

    PERFORM keep_wrong_row(v_file_id, w.line, w.wrong)
    FROM wrong_settlement_row(v_file_id, p_proof.next_bucket, v_until) w;

    UPDATE settlement_proof p
    SET next_bucket = v_until,
        row_count = p.row_count + sum_settlement(
            v_file_id, p_proof.next_bucket, v_until)
    WHERE p.file_id = v_file_id;
    PERFORM place_settlement(v_file_id, p_proof.next_bucket, v_until);
END
$$;
COMMENT ON FUNCTION pay.check_buckets IS
    'Checks the rows of the next buckets of a file';


CREATE OR REPLACE FUNCTION pay.check_keys(
    p_proof settlement_proof, p_rows int)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_piece record := wrong_settlement_key(p_proof.file_id,
        p_proof.last_key, p_proof.last_line, p_rows);
BEGIN
    PERFORM keep_wrong_row(p_proof.file_id, v_piece.line, v_piece.wrong);

    UPDATE settlement_proof p
    SET last_key = coalesce(v_piece.last_key, p.last_key),
        last_line = coalesce(v_piece.last_line, p.last_line),
        keys_end = v_piece.is_end
    WHERE p.file_id = p_proof.file_id;
END
$$;
COMMENT ON FUNCTION pay.check_keys IS
    'Compares the next keys of the rows of a file';


-- Checks the next rows of a file: so many at most in the order of buckets, and
-- so many in the order of keys.
CREATE OR REPLACE FUNCTION pay.check_settlement(
    p_file_id bigint, p_rows int)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_file  settlement_file;
    v_proof settlement_proof;
BEGIN
    SELECT * INTO v_file FROM settlement_file f
    WHERE f.file_id = p_file_id FOR UPDATE;

    IF v_file.file_id IS NULL
        OR v_file.state NOT IN ('received', 'staged', 'booking')
    THEN
        RETURN false;
    END IF;

    SELECT * INTO v_proof FROM settlement_proof p
    WHERE p.file_id = p_file_id AND p.attempt = v_file.attempt;

    IF v_proof.file_id IS NULL THEN
        PERFORM drop_proof(p_file_id);
        INSERT INTO settlement_proof (file_id, attempt)
        VALUES (p_file_id, v_file.attempt)
        RETURNING * INTO v_proof;
    END IF;

    IF v_proof.next_bucket < 65536 THEN
        PERFORM check_buckets(v_proof, p_rows);
    END IF;
    IF NOT v_proof.keys_end THEN
        PERFORM check_keys(v_proof, p_rows);
    END IF;

    RETURN (SELECT p.next_bucket < 65536 OR NOT p.keys_end
            FROM settlement_proof p WHERE p.file_id = p_file_id);
END
$$;
COMMENT ON FUNCTION pay.check_settlement IS
    'Checks the next staged rows of a file, so many at most: whether there are '
    'more';
