-- Encrypted copies of settlement files, in pieces that only the gateway and
-- payctl can open: the operation keep_settlement, and the functions of payctl.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Pieces of files that are being read.  All of an item's, or none; those of a
-- worker that was overtaken count no more.
CREATE OR REPLACE FUNCTION pay_api.keep_settlement(
    p_file_id bigint[], p_attempt bigint[], p_pieces_item bigint[],
    p_pieces_number bigint[], p_pieces_is_last bigint[],
    p_pieces_kid text[], p_pieces_nonce bytea[], p_pieces_bytes bytea[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_file_id), array_dims(p_attempt));

    PERFORM FROM settlement_file f
    WHERE f.file_id = ANY (p_file_id)
    ORDER BY f.file_id FOR KEY SHARE;

    INSERT INTO settlement_copy (file_id, attempt, number, is_last, kid,
        nonce, bytes)
    SELECT f.file_id, f.attempt, r.number, r.is_last <> 0, r.kid, r.nonce,
        r.bytes
    FROM unnest(p_pieces_item, p_pieces_number, p_pieces_is_last,
        p_pieces_kid, p_pieces_nonce, p_pieces_bytes)
        AS r (item, number, is_last, kid, nonce, bytes)
    JOIN settlement_file f ON f.file_id = p_file_id[r.item]
        AND f.attempt = p_attempt[r.item]
        AND f.state IN ('received', 'booking');

    RETURN QUERY
    SELECT n, CASE WHEN f.file_id IS NULL THEN 'not_found'
                   WHEN f.state NOT IN ('received', 'booking')
                       OR f.attempt IS DISTINCT FROM p_attempt[n]
                   THEN 'invalid'
                   ELSE 'kept' END
    FROM generate_series(1, coalesce(cardinality(p_file_id), 0)) n
    LEFT JOIN settlement_file f ON f.file_id = p_file_id[n];
END
$$;
COMMENT ON FUNCTION pay_api.keep_settlement IS
    'Keeps pieces of the encrypted copy of a settlement file. Outcomes: kept, '
    'not_found, invalid';


-- As hold_settlement() found it, in the same transaction.
CREATE OR REPLACE FUNCTION pay_ops.keep_settlement(
    p_file_id bigint, p_attempt bigint, p_number bigint, p_is_last boolean,
    p_kid text, p_nonce bytea, p_bytes bytea)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM pay_ops.hold_settlement(p_file_id, p_attempt);

    INSERT INTO settlement_copy (file_id, attempt, number, is_last, kid,
        nonce, bytes)
    VALUES (p_file_id, p_attempt, p_number, p_is_last, p_kid, p_nonce,
        p_bytes);

    RETURN 'kept';
END
$$;
COMMENT ON FUNCTION pay_ops.keep_settlement IS
    'Keeps a piece of the encrypted copy of a file';


-- is_pulled: the digest is that of the name, or of the version before, since the
-- file is made of answers of the PSP's API.
CREATE OR REPLACE FUNCTION pay_ops.copied_settlement(
    p_file_id bigint, OUT name text, OUT sha256 bytea, OUT attempt bigint,
    OUT pieces bigint, OUT is_whole boolean, OUT is_pulled boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
SELECT f.name, f.sha256, f.attempt, c.pieces, coalesce(c.is_whole, false),
    f.sha256 = sha256(convert_to('pulled settlement ' || f.name, 'UTF8'))
    OR EXISTS (
        SELECT FROM settlement_file o
        WHERE o.source = f.source AND o.name = f.name
            AND next_version_sha256(o) = f.sha256)
FROM settlement_file f
CROSS JOIN LATERAL (
    SELECT count(*) AS pieces,
        bool_or(c.is_last AND c.number = n.pieces) AS is_whole
    FROM settlement_copy c
    CROSS JOIN (SELECT count(*) AS pieces FROM settlement_copy p
                WHERE p.file_id = f.file_id AND p.attempt = f.attempt) n
    WHERE c.file_id = f.file_id AND c.attempt = f.attempt) c
WHERE f.file_id = p_file_id
$$;
COMMENT ON FUNCTION pay_ops.copied_settlement IS
    'How much there is of the encrypted copy of a file; NULL: no such file';


CREATE OR REPLACE FUNCTION pay_ops.settlement_piece(
    p_file_id bigint, p_attempt bigint, p_number bigint, OUT is_last boolean,
    OUT kid text, OUT nonce bytea, OUT bytes bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
SELECT c.is_last, c.kid, c.nonce, c.bytes
FROM settlement_copy c
WHERE c.file_id = p_file_id AND c.attempt = p_attempt
    AND c.number = p_number
$$;
COMMENT ON FUNCTION pay_ops.settlement_piece IS
    'A piece of the encrypted copy of a file';
