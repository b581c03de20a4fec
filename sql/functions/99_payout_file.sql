-- Files for a bank: payctl claims approved items into a file, fixes its bytes,
-- and says whether it got its final name.  A call stands in the journal before
-- the file can be seen, and an item that went into a file that may have been
-- seen goes into no other one.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.lock_payout_file(
    p_merchant_id text, p_provider text, p_msg_id text)
RETURNS payout_file LANGUAGE sql AS $$
SELECT f FROM payout_file f
WHERE f.msg_id = p_msg_id AND f.merchant_id = p_merchant_id
    AND f.provider = p_provider
FOR UPDATE
$$;
COMMENT ON FUNCTION pay.lock_payout_file IS
    'A file of a provider, locked; NULL: there is none';


-- An item does not go with its file, which was never seen: it is approved
-- again, and all that may stop it is judged anew.  An amount or a currency that
-- the bank's file cannot have stays so: the item fails, as with any other
-- provider, instead of coming again for ever.
CREATE OR REPLACE FUNCTION pay.leave_payout_file(
    p_item payout_file_item, p_code text, p_retry_s bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payout_file_item i SET is_in = false
    WHERE i.msg_id = p_item.msg_id AND i.payout_id = p_item.payout_id;
    PERFORM end_one_payout_call(p_item.merchant_id, p_item.payout_id,
        p_item.number, ROW(CASE WHEN p_code IN ('amount_unfit',
                'currency_unfit') THEN 'refused' ELSE 'not_sent' END,
            p_code, NULL, NULL, NULL)::payout_said,
        NULL, NULL, NULL, p_retry_s);
    IF p_retry_s = 0 THEN
        UPDATE payout_sending s SET run_at = now()
        WHERE s.merchant_id = p_item.merchant_id
            AND s.payout_id = p_item.payout_id;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.leave_payout_file IS
    'Takes an item out of a file that was never seen';


CREATE OR REPLACE FUNCTION pay.drop_payout_file(
    p_file payout_file, p_code text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_item payout_file_item;
BEGIN
    FOR v_item IN
        SELECT * FROM payout_file_item i
        WHERE i.msg_id = p_file.msg_id AND i.is_in
        ORDER BY i.payout_id
    LOOP
        PERFORM leave_payout_file(v_item, p_code, 0);
    END LOOP;

    UPDATE payout_file f
    SET state = 'dropped', ended_at = clock_timestamp()
    WHERE f.msg_id = p_file.msg_id;
END
$$;
COMMENT ON FUNCTION pay.drop_payout_file IS
    'Gives up a file that was never seen';


-- The calls of at most p_most approved items, journaled.  No worker goes on
-- with them: no time is set for a next call.
CREATE OR REPLACE FUNCTION pay.claim_payout_items(
    p_merchant_id text, p_provider text, p_adapter payout_adapter,
    p_most int, p_who text)
RETURNS SETOF payout_sending LANGUAGE plpgsql AS $$
DECLARE
    v_row payout_sending;
BEGIN
    FOR v_item IN 1 .. p_most LOOP
        v_row := next_payout_approved(p_merchant_id, p_provider,
                                      p_adapter.adapter, p_who);
        EXIT WHEN v_row.payout_id IS NULL;

        v_row := choose_payout_call(v_row, p_adapter, interval '0');
        v_row.run_at := NULL;
        RETURN NEXT journal_payout_call(v_row, p_who, interval '0');
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.claim_payout_items IS
    'Begins approved items of a provider, and journals their calls';


-- The id is that of the calls, and a call is in one file: no id occurs twice.
CREATE OR REPLACE FUNCTION pay.make_payout_file(
    p_merchant_id text, p_provider text, p_adapter payout_adapter,
    p_most int, p_debtor_iban text, p_execute_on date, p_place text,
    p_who text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_items text[];
    v_id    text;
BEGIN
    SELECT array_agg(c.payout_id::text ORDER BY c.payout_id) INTO v_items
    FROM claim_payout_items(p_merchant_id, p_provider, p_adapter, p_most,
                            p_who) c;
    IF v_items IS NULL THEN
        RETURN NULL;
    END IF;

    SELECT left(encode(sha256(convert_to(concat_ws(E'\n',
            'payments payout file 1', p_merchant_id, p_provider,
            string_agg(s.payout_id || '/' || s.calls, E'\n'
                       ORDER BY s.payout_id)), 'UTF8')), 'hex'), 32)
    INTO v_id
    FROM payout_sending s
    WHERE s.merchant_id = p_merchant_id AND s.payout_id = ANY (v_items);

    INSERT INTO payout_file (msg_id, merchant_id, provider, debtor_iban,
        execute_on, place, made_by)
    VALUES (v_id, p_merchant_id, p_provider, p_debtor_iban, p_execute_on,
        p_place, p_who);
    INSERT INTO payout_file_item (msg_id, merchant_id, payout_id, number, key)
    SELECT v_id, d.merchant_id, d.payout_id, d.number, d.key
    FROM payout_sending s
    JOIN payout_dispatch d ON d.merchant_id = s.merchant_id
        AND d.payout_id = s.payout_id AND d.number = s.calls
    WHERE s.merchant_id = p_merchant_id AND s.payout_id = ANY (v_items);

    RETURN v_id;
END
$$;
COMMENT ON FUNCTION pay.make_payout_file IS
    'Claims approved items into a new file: its id, or NULL: none may be sent';


-- p_facts: as begin_payout_call has them.  p_execute_on NULL: the next day that
-- banks of the euro work.
CREATE OR REPLACE FUNCTION pay_ops.begin_payout_file(
    p_merchant_id text, p_provider text, p_adapter text, p_facts jsonb,
    p_most int, p_debtor_iban text, p_execute_on date, p_place text,
    p_who text, OUT outcome text, OUT msg_id text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_provider payout_provider;
    v_adapter  payout_adapter;
    v_stopped  timestamptz := payout_stopped_at(p_merchant_id, p_provider);
    v_today    date := (now() AT TIME ZONE 'Europe/Berlin')::date;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_place)
        OR (p_most BETWEEN 1 AND 10000) IS NOT TRUE
        OR NOT is_iban(p_debtor_iban)
        OR p_execute_on NOT BETWEEN v_today AND v_today + 366
    THEN
        outcome := 'invalid';
        RETURN;
    END IF;

    SELECT * INTO v_provider FROM payout_provider v
    WHERE v.merchant_id = p_merchant_id AND v.provider = p_provider;
    v_adapter := declare_payout_adapter(p_adapter, p_facts);
    outcome := CASE
        WHEN v_provider.provider IS NULL THEN 'not_found'
        WHEN v_provider.adapter <> p_adapter THEN 'mismatch'
        WHEN v_adapter.adapter IS NULL THEN 'invalid'
        WHEN v_stopped IS NOT NULL THEN 'stopped'
        WHEN EXISTS (
            SELECT FROM payout_file f
            WHERE f.merchant_id = p_merchant_id
                AND f.provider = p_provider AND f.ended_at IS NULL)
        THEN 'open' END;

    IF outcome IS NULL THEN
        msg_id := make_payout_file(p_merchant_id, p_provider, v_adapter,
            p_most, p_debtor_iban, coalesce(p_execute_on,
                bank_day_from('TARGET', v_today)), p_place, p_who);
        outcome := CASE WHEN msg_id IS NULL THEN 'none' ELSE 'claimed' END;
    END IF;
END
$$;
COMMENT ON FUNCTION pay_ops.begin_payout_file IS
    'Claims approved items of a provider into a file: claimed, none, stopped, '
    'open (an earlier file has no end), not_found, mismatch (the provider has '
    'another adapter) or invalid';


-- p_left: items whose account cannot be opened or that the bank does not take,
-- with a code each.  The others are in the file, whose bytes are on the disk.
CREATE OR REPLACE FUNCTION pay_ops.fix_payout_file(
    p_merchant_id text, p_provider text, p_msg_id text, p_left text[],
    p_codes text[], p_items int, p_total_minor bigint, p_sha256 bytea)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_stopped timestamptz := payout_stopped_at(p_merchant_id, p_provider);
    v_file    payout_file;
    v_item    payout_file_item;
BEGIN
    v_file := lock_payout_file(p_merchant_id, p_provider, p_msg_id);

    IF v_file.state IS DISTINCT FROM 'claimed' THEN
        RETURN 'gone';
    ELSIF v_stopped IS NOT NULL THEN
        PERFORM drop_payout_file(v_file, 'stopped');
        RETURN 'stopped';
    END IF;

    FOR v_item IN
        SELECT * FROM payout_file_item i
        WHERE i.msg_id = p_msg_id AND i.payout_id = ANY (p_left)
        ORDER BY i.payout_id
    LOOP
        PERFORM leave_payout_file(v_item,
            p_codes[array_position(p_left, v_item.payout_id::text)], 600);
    END LOOP;

    IF p_items = 0 THEN
        PERFORM drop_payout_file(v_file, 'empty');
        RETURN 'empty';
    ELSIF (p_items, p_total_minor) IS DISTINCT FROM (
            SELECT (count(*)::int, sum(p.amount_minor)::bigint)
            FROM payout_file_item i
            JOIN payout p ON p.merchant_id = i.merchant_id
                AND p.payout_id = i.payout_id
            WHERE i.msg_id = p_msg_id AND i.is_in AND p.currency = 'EUR')
        OR EXISTS (
            SELECT FROM payout_file_item i
            JOIN payout p ON p.merchant_id = i.merchant_id
                AND p.payout_id = i.payout_id
            WHERE i.msg_id = p_msg_id AND i.is_in
                AND (p.state <> 'sending' OR p.currency <> 'EUR'))
    THEN
        RAISE EXCEPTION 'file % is not that of its items', p_msg_id
            USING ERRCODE = 'PAY11';
    END IF;

    UPDATE payout_file f
    SET state = 'fixed', item_count = p_items, total_minor = p_total_minor,
        sha256 = p_sha256
    WHERE f.msg_id = p_msg_id;

    RETURN 'fixed';
END
$$;
COMMENT ON FUNCTION pay_ops.fix_payout_file IS
    'The bytes of a file are on the disk, and it may be seen from now on: '
    'fixed, stopped or empty (it is dropped), or gone (it has an end)';


-- p_how: written: it has its final name; dropped: it was never seen; lost:
-- nobody knows.  A claimed file is always dropped: it had no bytes.
CREATE OR REPLACE FUNCTION pay_ops.end_payout_file(
    p_merchant_id text, p_provider text, p_msg_id text, p_how text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_file payout_file;
    v_item payout_file_item;
BEGIN
    v_file := lock_payout_file(p_merchant_id, p_provider, p_msg_id);

    IF (p_how IN ('written', 'dropped', 'lost')) IS NOT TRUE THEN
        RETURN 'invalid';
    ELSIF v_file.ended_at IS NOT NULL OR v_file.msg_id IS NULL
        OR v_file.state = 'claimed' AND p_how <> 'dropped'
    THEN
        RETURN 'gone';
    ELSIF p_how = 'dropped' THEN
        PERFORM drop_payout_file(v_file, 'file_dropped');
        RETURN 'dropped';
    END IF;

    FOR v_item IN
        SELECT * FROM payout_file_item i
        WHERE i.msg_id = p_msg_id AND i.is_in
        ORDER BY i.payout_id
    LOOP
        PERFORM end_payout_file_item(v_item, p_how);
    END LOOP;

    UPDATE payout_file f SET state = p_how, ended_at = clock_timestamp()
    WHERE f.msg_id = p_msg_id;

    RETURN p_how;
END
$$;
COMMENT ON FUNCTION pay_ops.end_payout_file IS
    'Ends a file: written, dropped or lost; gone: it has an end, or cannot '
    'have this one; invalid';


-- The bank may have answered meanwhile: then its word counts, and the journal
-- alone is ended.  Nothing is asked or repeated from here on.
CREATE OR REPLACE FUNCTION pay.end_payout_file_item(
    p_item payout_file_item, p_how text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_payout payout := lock_payout(p_item.merchant_id, p_item.payout_id);
BEGIN
    IF v_payout.state IN ('sending', 'unknown') THEN
        PERFORM end_one_payout_call(p_item.merchant_id, p_item.payout_id,
            p_item.number, CASE p_how
                WHEN 'written' THEN ROW('done', NULL, p_item.key, 'sending',
                                        NULL)::payout_said
                ELSE ROW('unknown', 'file_lost', NULL, NULL,
                         NULL)::payout_said END,
            NULL, NULL, NULL, 0);
    ELSE
        UPDATE payout_dispatch d
        SET outcome = CASE p_how WHEN 'written' THEN 'done'
                                 ELSE 'unknown' END,
            reference = p_item.key, ended_at = clock_timestamp()
        WHERE d.merchant_id = p_item.merchant_id
            AND d.payout_id = p_item.payout_id AND d.number = p_item.number
            AND d.ended_at IS NULL;
    END IF;

    UPDATE payout_sending s SET run_at = NULL, lease_until = NULL
    WHERE s.merchant_id = p_item.merchant_id
        AND s.payout_id = p_item.payout_id;
END
$$;
COMMENT ON FUNCTION pay.end_payout_file_item IS
    'Ends the call of an item whose file may be at the bank';
