-- The daily close: the entries and rows of a day by PSP and currency, in one
-- document that names the one before it and is signed with the key of the event
-- log's seals.  A closed day stays as it was: an entry or a row that comes
-- later belongs to the day on which it comes.

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


-- Entries of the transactions that this close is the first to see: those of its
-- days, and those that were under way when the close before it was made.
CREATE OR REPLACE FUNCTION pay.close_entries(
    p_last settlement_close, p_end timestamptz, p_until_tx xid8)
RETURNS SETOF journal_entry LANGUAGE sql STABLE AS $$
SELECT e.* FROM journal_entry e
WHERE e.at >= coalesce(p_last.until_at, '-infinity') AND e.at < p_end
    AND e.tx < p_until_tx
UNION ALL
SELECT e.* FROM journal_entry e
WHERE e.at >= p_last.until_at - interval '1 day' AND e.at < p_last.until_at
    AND e.tx >= p_last.until_tx AND e.tx < p_until_tx
$$;
COMMENT ON FUNCTION pay.close_entries IS
    'Entries that the close of a day is the first to see';


-- Four kinds of lines: the movements on the accounts of PSPs, the entries by
-- kind, the rows of files by class and finding, and the open exceptions.
CREATE OR REPLACE FUNCTION pay.close_movements(
    p_last settlement_close, p_end timestamptz, p_until_tx xid8)
RETURNS SETOF close_line LANGUAGE sql STABLE AS $$
WITH entries AS MATERIALIZED (
    SELECT * FROM close_entries(p_last, p_end, p_until_tx)
)
SELECT e.merchant_id, e.psp, l.currency, 'account/' || l.account, count(*),
    sum(l.amount_minor)
FROM entries e
JOIN journal_line l ON l.merchant_id = e.merchant_id AND l.source = e.source
    AND l.kind = e.kind
WHERE l.account NOT LIKE 'seller\_%' AND l.account <> 'fx'
GROUP BY 1, 2, 3, 4
UNION ALL
SELECT e.merchant_id, e.psp, e.currency, 'entry/' || e.kind, count(*),
    sum(e.amount_minor)
FROM entries e
GROUP BY 1, 2, 3, 4
UNION ALL
SELECT r.merchant_id, coalesce(s.psp, s.source), r.currency,
    concat('class/', r.class, '/', r.kind, '/', r.finding), count(*),
    sum(r.net_minor)
FROM settlement_row r
JOIN settlement_source s ON s.source = r.source
WHERE r.at >= coalesce(p_last.until_at, '-infinity') - interval '1 day'
    AND r.at < p_end AND r.tx < p_until_tx
    AND (r.at >= coalesce(p_last.until_at, '-infinity')
         OR r.tx >= p_last.until_tx)
GROUP BY 1, 2, 3, 4
UNION ALL
SELECT x.merchant_id, x.psp, x.currency, concat('open/', x.class, '/',
    x.finding), count(*), sum(x.amount_minor)
FROM settlement_exception x
WHERE x.closed_at IS NULL
GROUP BY 1, 2, 3, 4
$$;
COMMENT ON FUNCTION pay.close_movements IS
    'The content of a close, but for balances';


-- The balance of an account is its balance in the close before, plus its
-- movements since.
CREATE OR REPLACE FUNCTION pay.close_lines(
    p_last settlement_close, p_end timestamptz, p_until_tx xid8)
RETURNS SETOF close_line LANGUAGE sql STABLE AS $$
WITH moved AS MATERIALIZED (
    SELECT * FROM close_movements(p_last, p_end, p_until_tx)
)
SELECT * FROM moved
UNION ALL
SELECT b.merchant_id, b.psp, b.currency, b.item, NULL, sum(b.minor)
FROM (SELECT m.merchant_id, m.psp, m.currency,
          'balance/' || substr(m.item, 9) AS item, m.minor
      FROM moved m WHERE m.item LIKE 'account/%'
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
    p_number bigint, p_day date, p_last settlement_close, p_end timestamptz,
    p_until_tx xid8)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT json_build_object('close', p_number, 'day', p_day,
    'from', CASE WHEN p_last.until_at IS NOT NULL
                 THEN iso_micros(p_last.until_at) END,
    'until', iso_micros(p_end),
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
        FROM close_lines(p_last, p_end, p_until_tx) l
        JOIN currency k ON k.code = l.currency), '[]'::json))::text
$$;
COMMENT ON FUNCTION pay.close_document IS 'The document of a day';


-- Days are closed one after the other, each once, and none before it is over
-- (UTC).  A day that was left out is part of the next one that is closed.
CREATE OR REPLACE FUNCTION pay.make_close(
    p_day date, p_now timestamptz DEFAULT clock_timestamp(),
    OUT outcome text, OUT number bigint, OUT document text)
LANGUAGE plpgsql
SET enable_hashjoin = on SET enable_seqscan = on SET enable_mergejoin = on
AS $$
DECLARE
    v_last  settlement_close;
    v_end   timestamptz := (p_day + 1)::timestamp AT TIME ZONE 'UTC';
    v_until xid8 := pg_snapshot_xmin(pg_current_snapshot());
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('settlement_close'));
    SELECT * INTO v_last FROM settlement_close c
    ORDER BY c.number DESC LIMIT 1;

    IF p_day <= v_last.day THEN
        outcome := 'closed';
        SELECT c.number, c.document INTO number, document
        FROM settlement_close c WHERE c.day = p_day;
        RETURN;
    ELSIF p_day IS NULL OR v_end > p_now THEN
        outcome := 'not_over';
        RETURN;
    END IF;

    outcome := 'made';
    number := coalesce(v_last.number, 0) + 1;
    document := close_document(number, p_day, v_last, v_end, v_until);

    INSERT INTO settlement_close (number, day, document, until_at, until_tx)
    VALUES (number, p_day, document, v_end, v_until);
END
$$;
COMMENT ON FUNCTION pay.make_close IS
    'Closes a day: made, closed (it was) or not_over';


CREATE OR REPLACE FUNCTION pay_ops.make_close(
    p_day date, OUT outcome text, OUT number bigint, OUT document text)
LANGUAGE sql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
SELECT c.outcome, c.number, c.document FROM pay.make_close(p_day) c
$$;
COMMENT ON FUNCTION pay_ops.make_close IS
    'Closes a day: made, closed (it was) or not_over';


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
