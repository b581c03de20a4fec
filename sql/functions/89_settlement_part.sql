-- The parts of a settlement file: the rows of some lines each, booked in any
-- order and on several connections at once.  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The next parts, of about so many rows each, some at a time: a large file is not
-- read to its end at once.  The parts of a file that is staged again begin where
-- its last part ended, since the same bytes have the same lines.
CREATE OR REPLACE FUNCTION pay.make_parts(
    p_file_id bigint, p_rows int, p_parts int DEFAULT 32)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_first int;
    v_until int;
    v_count int := 0;
BEGIN
    SELECT coalesce(max(p.until_line), 0) INTO v_until
    FROM settlement_part p WHERE p.file_id = p_file_id;

    LOOP
        SELECT coalesce(s.first_line, s.line) INTO v_first
        FROM settlement_staging s
        WHERE s.file_id = p_file_id
            AND coalesce(s.first_line, s.line) >= v_until
        ORDER BY coalesce(s.first_line, s.line) LIMIT 1;

        EXIT WHEN NOT FOUND OR v_count = p_parts;

        SELECT coalesce(s.first_line, s.line) INTO v_until
        FROM settlement_staging s
        WHERE s.file_id = p_file_id
            AND coalesce(s.first_line, s.line) >= v_first
        ORDER BY coalesce(s.first_line, s.line) OFFSET p_rows LIMIT 1;
        v_until := greatest(coalesce(v_until, 2147483647), v_first + 1);
        v_count := v_count + 1;

        INSERT INTO settlement_part (file_id, first_line, until_line)
        VALUES (p_file_id, v_first, v_until);
    END LOOP;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.make_parts IS
    'Divides the next rows of a file into parts: into how many';


-- A part that no other connection works on, or else one that another does, when
-- that is over; nothing: there is no more.
CREATE OR REPLACE FUNCTION pay.lock_part(p_file_id bigint)
RETURNS settlement_part LANGUAGE plpgsql AS $$
DECLARE
    v_part settlement_part;
BEGIN
    SELECT * INTO v_part FROM settlement_part p
    WHERE p.file_id = p_file_id AND NOT p.is_done
    ORDER BY p.first_line LIMIT 1 FOR UPDATE SKIP LOCKED;

    IF NOT FOUND THEN
        SELECT * INTO v_part FROM settlement_part p
        WHERE p.file_id = p_file_id AND NOT p.is_done
        ORDER BY p.first_line LIMIT 1 FOR UPDATE;
    END IF;

    RETURN v_part;
END
$$;
COMMENT ON FUNCTION pay.lock_part IS 'An open part of a file, locked';


-- A step shares the file with steps of other parts.  An import that opens the file
-- again has it alone, and so have a step that makes parts, and the last one.
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
