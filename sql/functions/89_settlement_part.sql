-- The parts of a settlement file: the rows of some buckets each, booked in any
-- order and on several connections at once.  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Parts of about so many rows.
CREATE OR REPLACE FUNCTION pay.make_parts(p_file settlement_file, p_rows int)
RETURNS void LANGUAGE sql AS $$
INSERT INTO settlement_part (file_id, first_bucket, until_bucket)
SELECT p_file.file_id, n, least(65536, n + w.width)
FROM (SELECT least(65536, greatest(1,
          65536::bigint * p_rows / greatest(p_file.row_count, 1)))::int
          AS width) w
CROSS JOIN LATERAL generate_series(0, 65535, w.width) n
ORDER BY n
$$;
COMMENT ON FUNCTION pay.make_parts IS 'Divides a file into parts';


-- A part that no other connection works on, or else one that another does, when
-- that is over; nothing: there is no more.
CREATE OR REPLACE FUNCTION pay.lock_part(p_file_id bigint)
RETURNS settlement_part LANGUAGE plpgsql AS $$
DECLARE
    v_part settlement_part;
BEGIN
    SELECT * INTO v_part FROM settlement_part p
    WHERE p.file_id = p_file_id AND NOT p.is_done
    ORDER BY p.first_bucket LIMIT 1 FOR UPDATE SKIP LOCKED;

    IF NOT FOUND THEN
        SELECT * INTO v_part FROM settlement_part p
        WHERE p.file_id = p_file_id AND NOT p.is_done
        ORDER BY p.first_bucket LIMIT 1 FOR UPDATE;
    END IF;

    RETURN v_part;
END
$$;
COMMENT ON FUNCTION pay.lock_part IS 'An open part of a file, locked';


-- A step shares the file with steps of other parts.  An import that opens the file
-- again has it alone, and so have the first step, which makes the parts, and the
-- last.
CREATE OR REPLACE FUNCTION pay.hold_file(
    p_file_id bigint, OUT file settlement_file, OUT is_alone boolean)
LANGUAGE plpgsql AS $$
BEGIN
    is_alone := NOT EXISTS (
        SELECT FROM settlement_part p
        WHERE p.file_id = p_file_id AND NOT p.is_done);

    IF is_alone THEN
        SELECT * INTO file FROM settlement_file f
        WHERE f.file_id = p_file_id FOR UPDATE;
    ELSE
        SELECT * INTO file FROM settlement_file f
        WHERE f.file_id = p_file_id FOR SHARE;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.hold_file IS
    'A file for a step: locked, and alone unless parts of it are open';
