-- The operations open_settlement, stage_settlement, prove_settlement,
-- refuse_settlement and advance_settlement: a worker imports a file with them,
-- as payctl does with COPY.  Each may be repeated, but for stage_settlement,
-- behind which a file is opened again.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay_api.open_settlement(
    p_source text[], p_sha256 bytea[], p_name text[])
RETURNS SETOF pay_api.settlement_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row  pay_api.settlement_row;
    v_made record;
BEGIN
    PERFORM check_batch(array_dims(p_source), array_dims(p_sha256),
                        array_dims(p_name));

    FOR v_item IN 1 .. coalesce(cardinality(p_source), 0) LOOP
        v_row := NULL;
        v_row.item := v_item;
        v_row.outcome := 'invalid';

        IF coalesce(id_ok(p_source[v_item])
                    AND octet_length(p_sha256[v_item]) = 32
                    AND p_name[v_item] <> '', false)
        THEN
            v_made := open_settlement(p_source[v_item], p_sha256[v_item],
                                      p_name[v_item]);
            v_row.outcome := v_made.outcome;
            SELECT (v_made.file).file_id, (v_made.file).attempt,
                (v_made.file).state, s.format, s.account
            INTO v_row.file_id, v_row.attempt, v_row.state, v_row.format,
                v_row.account
            FROM settlement_source s
            WHERE s.source = (v_made.file).source;
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.open_settlement IS
    'A settlement file by its bytes; again: begun before; clearing: the same, '
    'and to be opened once more; staged: a page whose rows are there; known: '
    'booked. Outcomes: opened, again, clearing, staged, known, not_found, '
    'invalid';


-- Rows of files that are not proven yet.  All of an item's, or none.  A worker
-- whose attempt is not the file's last one was too slow: another one reads it.
CREATE OR REPLACE FUNCTION pay_api.stage_settlement(
    p_file_id bigint[], p_attempt bigint[], p_rows_item bigint[],
    p_rows_line bigint[],
    p_rows_row_key text[], p_rows_kind text[], p_rows_raw_type text[],
    p_rows_psp_ref text[], p_rows_parent_ref text[], p_rows_our_ref text[],
    p_rows_occurred_us bigint[], p_rows_booked_on text[],
    p_rows_gross_minor bigint[], p_rows_fee_minor bigint[],
    p_rows_tax_minor bigint[], p_rows_net_minor bigint[],
    p_rows_currency text[], p_rows_paid_minor bigint[],
    p_rows_paid_currency text[], p_rows_rate text[],
    p_rows_payout_ref text[], p_rows_account text[], p_rows_bank_ref text[],
    p_rows_note text[], p_rows_flags bigint[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_file_id), array_dims(p_attempt));

    PERFORM FROM settlement_file f
    WHERE f.file_id = ANY (p_file_id)
    ORDER BY f.file_id FOR KEY SHARE;

    INSERT INTO settlement_staging (file_id, line, row_key, kind, raw_type,
        psp_ref, parent_ref, our_ref, occurred_at, booked_on, gross_minor,
        fee_minor, tax_minor, net_minor, currency, paid_minor, paid_currency,
        rate, payout_ref, account, bank_ref, note, is_external, is_detail)
    SELECT f.file_id, r.line, r.row_key, r.kind, r.raw_type, r.psp_ref,
        r.parent_ref, r.our_ref, to_timestamp(r.occurred_us / 1000000.0),
        r.booked_on::date, r.gross_minor, r.fee_minor, r.tax_minor,
        r.net_minor, r.currency, r.paid_minor, r.paid_currency,
        r.rate::numeric, r.payout_ref, r.account, r.bank_ref, r.note,
        r.flags & 1 <> 0, r.flags & 2 <> 0
    FROM unnest(p_rows_item, p_rows_line, p_rows_row_key, p_rows_kind,
        p_rows_raw_type, p_rows_psp_ref, p_rows_parent_ref, p_rows_our_ref,
        p_rows_occurred_us, p_rows_booked_on, p_rows_gross_minor,
        p_rows_fee_minor, p_rows_tax_minor, p_rows_net_minor,
        p_rows_currency, p_rows_paid_minor, p_rows_paid_currency,
        p_rows_rate, p_rows_payout_ref, p_rows_account, p_rows_bank_ref,
        p_rows_note, p_rows_flags) AS r (item, line, row_key, kind, raw_type, psp_ref,
        parent_ref, our_ref, occurred_us, booked_on, gross_minor, fee_minor,
        tax_minor, net_minor, currency, paid_minor, paid_currency, rate,
        payout_ref, account, bank_ref, note, flags)
    JOIN settlement_file f ON f.file_id = p_file_id[r.item]
        AND f.attempt = p_attempt[r.item]
        AND f.state IN ('received', 'booking');

    RETURN QUERY
    SELECT n, CASE WHEN f.file_id IS NULL THEN 'not_found'
                   WHEN f.state NOT IN ('received', 'booking')
                       OR f.attempt IS DISTINCT FROM p_attempt[n]
                   THEN 'invalid'
                   ELSE 'staged' END
    FROM generate_series(1, coalesce(cardinality(p_file_id), 0)) n
    LEFT JOIN settlement_file f ON f.file_id = p_file_id[n];
END
$$;
COMMENT ON FUNCTION pay_api.stage_settlement IS
    'Keeps rows of a settlement file until they are booked; flags: 1 settled '
    'by the scheme itself, 2 a part of another row. Outcomes: staged, not_found, '
    'invalid';


-- A bounded piece of the rows.  A worker that was overtaken checks nothing.
CREATE OR REPLACE FUNCTION pay_api.check_settlement(
    p_file_id bigint[], p_attempt bigint[], p_rows bigint[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row  pay_api.outcome_row;
    v_file settlement_file;
BEGIN
    PERFORM check_batch(array_dims(p_file_id), array_dims(p_attempt),
                        array_dims(p_rows));

    FOR v_item IN 1 .. coalesce(cardinality(p_file_id), 0) LOOP
        v_row.item := v_item;

        SELECT * INTO v_file FROM settlement_file f
        WHERE f.file_id = p_file_id[v_item] FOR UPDATE;

        v_row.outcome := CASE
            WHEN v_file.file_id IS NULL THEN 'not_found'
            WHEN v_file.attempt IS DISTINCT FROM p_attempt[v_item]
                OR v_file.state NOT IN ('received', 'booking')
                OR NOT coalesce(p_rows[v_item] BETWEEN 1 AND 1000000, false)
            THEN 'invalid'
            WHEN check_settlement(p_file_id[v_item], p_rows[v_item]::int)
            THEN 'again'
            ELSE 'checked' END;
        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.check_settlement IS
    'Checks the next staged rows of a settlement file, so many at most; again: '
    'there are more. Outcomes: again, checked, not_found, invalid';


CREATE OR REPLACE FUNCTION pay_api.prove_settlement(
    p_file_id bigint[], p_attempt bigint[], p_batch_key text[],
    p_rows bigint[], p_stated jsonb[], p_digest bytea[] DEFAULT NULL,
    p_page jsonb[] DEFAULT NULL)
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row  pay_api.outcome_row;
    v_file settlement_file;
BEGIN
    PERFORM check_batch(array_dims(p_file_id), array_dims(p_attempt),
        array_dims(p_batch_key), array_dims(p_rows), array_dims(p_stated),
        coalesce(array_dims(p_digest), array_dims(p_file_id)),
        coalesce(array_dims(p_page), array_dims(p_file_id)));

    FOR v_item IN 1 .. coalesce(cardinality(p_file_id), 0) LOOP
        v_row.item := v_item;

        SELECT * INTO v_file FROM settlement_file f
        WHERE f.file_id = p_file_id[v_item] FOR UPDATE;

        IF v_file.attempt IS NOT DISTINCT FROM p_attempt[v_item] THEN
            v_file := prove_settlement(p_file_id[v_item], p_batch_key[v_item],
                p_rows[v_item], p_stated[v_item], p_digest[v_item],
                p_page[v_item]);
        ELSE
            v_file.state := 'invalid';
        END IF;

        v_row.outcome := CASE
            WHEN v_file.file_id IS NULL THEN 'not_found'
            WHEN v_file.state IN ('staged', 'booking', 'booked') THEN 'proven'
            ELSE v_file.state END;
        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.prove_settlement IS
    'Proves a settlement file whose rows are staged. Outcomes: proven, '
    'refused, not_found, invalid';


-- A reader has found a mistake.  A file of which something is booked stays as
-- it is: those bytes were proven before.
CREATE OR REPLACE FUNCTION pay_api.refuse_settlement(
    p_file_id bigint[], p_attempt bigint[], p_reason text[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row    pay_api.outcome_row;
    v_file   settlement_file;
    v_answer text;
BEGIN
    PERFORM check_batch(array_dims(p_file_id), array_dims(p_attempt),
                        array_dims(p_reason));

    FOR v_item IN 1 .. coalesce(cardinality(p_file_id), 0) LOOP
        v_row.item := v_item;

        SELECT * INTO v_file FROM settlement_file f
        WHERE f.file_id = p_file_id[v_item] FOR UPDATE;

        v_row.outcome := CASE
            WHEN v_file.file_id IS NULL THEN 'not_found'
            WHEN v_file.attempt IS DISTINCT FROM p_attempt[v_item]
                OR v_file.state IN ('booking', 'booked')
                OR coalesce(p_reason[v_item], '') = ''
            THEN 'invalid' ELSE 'refused' END;

        IF v_row.outcome = 'refused' THEN
            v_answer := refuse_settlement(p_file_id[v_item],
                                          p_reason[v_item]);
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.refuse_settlement IS
    'Refuses a settlement file that cannot be read. Outcomes: refused, '
    'not_found, invalid';


CREATE OR REPLACE FUNCTION pay_api.advance_settlement(
    p_file_id bigint[], p_rows bigint[])
RETURNS SETOF pay_api.outcome_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row  pay_api.outcome_row;
    v_file settlement_file;
BEGIN
    PERFORM check_batch(array_dims(p_file_id), array_dims(p_rows));

    FOR v_item IN 1 .. coalesce(cardinality(p_file_id), 0) LOOP
        v_row.item := v_item;
        v_row.outcome := 'invalid';

        IF p_rows[v_item] BETWEEN 1 AND 100000 THEN
            v_file := advance_settlement(p_file_id[v_item],
                                         p_rows[v_item]::int);
            v_row.outcome := CASE
                WHEN v_file.file_id IS NULL THEN 'not_found'
                WHEN v_file.state IN ('staged', 'booking', 'booked',
                                      'refused')
                    THEN v_file.state
                ELSE 'invalid' END;
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.advance_settlement IS
    'Takes a proven settlement file a step further, of about so many rows; '
    'staged: it waits for other pages of its report; refused: all of them do '
    'not hold together. Outcomes: staged, booking, booked, refused, not_found, '
    'invalid';
