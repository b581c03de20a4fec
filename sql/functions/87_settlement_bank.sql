-- Rows of a bank and the payouts that they are.  A statement has few rows, and
-- few payouts are on their way at a time: rows are looked at one by one.
-- Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- By what a bank may name a payout: its id, its batch, and the reference that
-- the PSP has given the bank, a line each.  A day or a short number stands in
-- too many texts to name anything.
CREATE OR REPLACE FUNCTION pay.payout_names(
    p_payout_ref text, p_psp_ref text, p_bank_ref text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT string_agg(DISTINCT n.name, E'\n')
FROM (SELECT upper(regexp_replace(r.ref, '\s', '', 'g')) AS name
      FROM unnest(ARRAY[p_payout_ref, p_psp_ref, p_bank_ref]) AS r (ref)) n
WHERE length(n.name) >= 4 AND n.name !~ '^\d{1,7}$'
    AND n.name !~ '^\d{4}-\d\d-\d\d$'
$$;
COMMENT ON FUNCTION pay.payout_names IS
    'The names of a payout that the text of a bank may have, a line each';


-- The work gets the entries of payouts that PSPs have sent, or collect, and
-- that no row of a bank has settled.  object: the names of the payout.
CREATE OR REPLACE FUNCTION pay.take_payouts(
    p_file settlement_file, p_source settlement_source)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('settlement_bank'),
                                  hashtext(p_source.merchant_id));
    DELETE FROM settlement_open o WHERE o.file_id = p_file.file_id;

    INSERT INTO settlement_open (file_id, merchant_id, source, kind, family,
        object, amount_minor, currency, psp, on_day)
    SELECT p_file.file_id, e.merchant_id, e.source, e.kind, 'payout',
        payout_names(r.payout_ref, r.psp_ref, r.bank_ref),
        x.sign * e.amount_minor,
        e.currency, e.psp,
        coalesce(r.booked_on, (e.at AT TIME ZONE 'UTC')::date)
    FROM journal_entry e
    JOIN settlement_expected x ON x.kind = e.kind AND x.family = 'payout'
    LEFT JOIN LATERAL (
        SELECT r.payout_ref, r.psp_ref, r.bank_ref, r.booked_on
        FROM settlement_row r
        WHERE r.source = split_part(e.source, '/', 2)
            AND r.version = split_part(e.source, '/', 3)::int
            AND r.row_key = regexp_replace(e.source,
                                           '^payout/[^/]*/[0-9]*/', '')
        ) r ON true
    WHERE e.merchant_id = p_source.merchant_id
        AND e.at >= now() - interval '100 days'
        AND e.kind IN ('psp_paid_out', 'psp_debited', 'psp_payout_returned')
        AND NOT EXISTS (
            SELECT FROM settlement_closed c
            WHERE c.merchant_id = e.merchant_id AND c.source = e.source
                AND c.kind = e.kind);
END
$$;
COMMENT ON FUNCTION pay.take_payouts IS
    'Money that is on its way to the bank of a source''s merchant';


-- A bank breaks texts with blanks.
CREATE OR REPLACE FUNCTION pay.bank_text(p_work settlement_work)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT upper(regexp_replace(concat_ws(' ', p_work.our_ref, p_work.psp_ref,
    p_work.payout_ref, p_work.note), '\s', '', 'g'))
$$;
COMMENT ON FUNCTION pay.bank_text IS 'All texts of a row of a bank';


-- The only payout of the amount around the day, or else the only sum of 2 to 4
-- of one PSP; NULL: there is none, or more than one.
CREATE OR REPLACE FUNCTION pay.window_payouts(p_work settlement_work)
RETURNS tid[] LANGUAGE sql STABLE AS $$
WITH RECURSIVE near AS (
    SELECT o.ctid AS tid, o.psp, o.amount_minor,
        row_number() OVER (PARTITION BY o.psp ORDER BY o.on_day, o.source)
            AS n,
        count(*) OVER (PARTITION BY o.psp) AS among
    FROM settlement_open o
    WHERE o.file_id = p_work.file_id AND o.match IS NULL
        AND o.currency = p_work.value_currency
        AND coalesce(p_work.booked_on, current_date)
            BETWEEN o.on_day - 1 AND o.on_day + 7
), sums AS (
    SELECT ARRAY[n.tid] AS tids, n.psp, n.n AS last, n.among,
        n.amount_minor::numeric AS total
    FROM near n
    UNION ALL
    SELECT s.tids || n.tid, s.psp, n.n, s.among, s.total + n.amount_minor
    FROM sums s
    JOIN near n ON n.psp = s.psp AND n.n > s.last
    WHERE cardinality(s.tids) < 4 AND s.among <= 12
), fits AS (
    SELECT s.tids, count(*) OVER (PARTITION BY cardinality(s.tids) = 1)
        AS likes
    FROM sums s WHERE s.total = p_work.value_minor
)
SELECT CASE WHEN f.likes = 1 THEN f.tids END FROM fits f
ORDER BY cardinality(f.tids) LIMIT 1
$$;
COMMENT ON FUNCTION pay.window_payouts IS
    'The payouts that a row of a bank must be, by amount and day, or NULL';


-- The open payouts that a row of a bank names; same: those of them that have
-- the row's amount.
CREATE OR REPLACE FUNCTION pay.named_payouts(
    p_work settlement_work, OUT tids tid[], OUT same tid[], OUT total bigint,
    OUT psps int, OUT psp text, OUT entries jsonb)
LANGUAGE sql STABLE AS $$
SELECT array_agg(o.ctid ORDER BY o.source, o.kind),
    array_agg(o.ctid) FILTER (WHERE o.amount_minor = p_work.value_minor),
    sum(o.amount_minor)::bigint, count(DISTINCT o.psp)::int, min(o.psp),
    jsonb_agg(jsonb_build_object('source', o.source, 'kind', o.kind))
FROM settlement_open o
WHERE o.file_id = p_work.file_id AND o.match IS NULL
    AND o.currency = p_work.value_currency AND EXISTS (
        SELECT FROM unnest(string_to_array(o.object, E'\n')) AS n (name)
        WHERE position(n.name IN bank_text(p_work)) > 0)
$$;
COMMENT ON FUNCTION pay.named_payouts IS
    'The payouts on their way that a row of a bank names';


-- Several rows that name the same payouts and together are them: the bank got
-- the money in parts.
CREATE OR REPLACE FUNCTION pay.match_parts(p_file_id bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_whole record;
BEGIN
    FOR v_whole IN
        SELECT n.tids, n.psp, array_agg(w.line ORDER BY w.line) AS lines
        FROM settlement_work w
        CROSS JOIN LATERAL named_payouts(w) n
        WHERE w.file_id = p_file_id AND w.match IS NULL
            AND w.finding IS NULL AND NOT w.is_detail
            AND w.family = 'payout' AND n.psps = 1
        GROUP BY n.tids, n.psp, n.total
        HAVING count(*) > 1 AND sum(w.value_minor) = n.total
        ORDER BY min(w.line)
    LOOP
        UPDATE settlement_open o SET match = v_whole.lines[1]
        WHERE o.ctid = ANY (v_whole.tids) AND o.match IS NULL;
        UPDATE settlement_work w
        SET match = v_whole.lines[1], rule = 'group', psp = v_whole.psp
        WHERE w.file_id = p_file_id AND w.line = ANY (v_whole.lines);
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.match_parts IS
    'Links rows of a bank that together are the payouts that each of them '
    'names';


-- Payouts that a row names, all together or the only one of its amount, or that
-- it must be.  Those that it names with another sum are proposed.
CREATE OR REPLACE FUNCTION pay.match_bank(
    p_file settlement_file, p_source settlement_source)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_work  settlement_work;
    v_named record;
    v_tids  tid[];
    v_rule  text;
BEGIN
    PERFORM take_payouts(p_file, p_source);

    FOR v_round IN 1 .. 2 LOOP
        FOR v_work IN
            SELECT * FROM settlement_work w
            WHERE w.file_id = p_file.file_id AND w.match IS NULL
                AND w.finding IS NULL AND NOT w.is_detail
                AND w.family = 'payout'
            ORDER BY w.line
        LOOP
            v_named := named_payouts(v_work);
            v_tids := NULL;
            IF v_named.total = v_work.value_minor AND v_named.psps = 1 THEN
                v_tids := v_named.tids;
                v_rule := 'text';
            ELSIF cardinality(v_named.same) = 1 THEN
                v_tids := v_named.same;
                v_rule := 'text';
            ELSIF v_round = 2 AND v_named.tids IS NULL THEN
                v_tids := window_payouts(v_work);
                v_rule := CASE WHEN cardinality(v_tids) > 1 THEN 'subset'
                               ELSE 'window' END;
            ELSIF v_round = 2 THEN
                UPDATE settlement_work w
                SET finding = 'amount', candidate = jsonb_build_object(
                    'entries', v_named.entries)
                WHERE w.file_id = p_file.file_id AND w.line = v_work.line;
            END IF;

            CONTINUE WHEN v_tids IS NULL;
            UPDATE settlement_open o SET match = v_work.line
            WHERE o.ctid = ANY (v_tids);
            UPDATE settlement_work w
            SET match = w.line, rule = v_rule, psp = (
                SELECT min(o.psp) FROM settlement_open o
                WHERE o.file_id = p_file.file_id AND o.match = w.line)
            WHERE w.file_id = p_file.file_id AND w.line = v_work.line;
        END LOOP;

        IF v_round = 1 THEN
            PERFORM match_parts(p_file.file_id);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.match_bank IS
    'Links rows of a bank with the payouts that they are';
