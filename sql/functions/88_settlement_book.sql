-- The findings about the rows of a settlement file, and the entries that are
-- booked for them.  One step of a file is a transaction of its own: a crash
-- between two steps loses nothing and books nothing twice.  Private to schema
-- pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Both sides of a conversion name one parent, and stand in one file.
CREATE OR REPLACE FUNCTION pay.match_conversions(p_file_id bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH legs AS (
        SELECT w.line, coalesce(w.parent_ref, w.psp_ref) AS name,
            w.net_minor, w.currency, row_number() OVER (
                PARTITION BY coalesce(w.parent_ref, w.psp_ref),
                    w.net_minor < 0 ORDER BY w.line) AS nth
        FROM settlement_work w
        WHERE w.file_id = p_file_id AND w.kind = 'conversion'
            AND w.finding IS NULL AND w.net_minor <> 0
    ), pairs AS (
        SELECT l.line AS out_line, r.line AS in_line
        FROM legs l
        JOIN legs r ON r.name = l.name AND r.nth = l.nth
            AND r.net_minor > 0 AND r.currency <> l.currency
        WHERE l.net_minor < 0
    )
    UPDATE settlement_work w
    SET match = p.out_line, rule = 'group', finding = 'converted',
        candidate = CASE WHEN w.line = p.out_line THEN (
            SELECT jsonb_build_object('minor', i.net_minor,
                                      'currency', i.currency)
            FROM settlement_work i
            WHERE i.file_id = p_file_id AND i.line = p.in_line) END
    FROM pairs p
    WHERE w.file_id = p_file_id AND w.line IN (p.out_line, p.in_line);
END
$$;
COMMENT ON FUNCTION pay.match_conversions IS
    'Joins the two sides of conversions at a PSP';


-- Rows that name no payment, and the only open entry each of their amount within
-- three days of them, where it is no other row's: an operator is shown it,
-- nothing is booked.  Of many such rows none is looked for, since these are of
-- another account and the entries of a week would be read for them: by the
-- index of time, never by a scan.
CREATE OR REPLACE FUNCTION pay.propose_rows(
    p_file_id bigint, p_source settlement_source)
RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    v_lines int[];
    v_from  timestamptz;
    v_until timestamptz;
BEGIN
    SELECT array_agg(w.line), min(n.at) - interval '3 days',
        max(n.at) + interval '3 days'
    INTO v_lines, v_from, v_until
    FROM settlement_work w
    CROSS JOIN LATERAL (
        SELECT coalesce(w.occurred_at, w.booked_on::timestamptz) AS at) n
    WHERE w.file_id = p_file_id AND w.finding IS NULL
        AND w.checkout_id IS NULL AND num_nulls(w.parent_ref, w.our_ref) = 2
        AND w.family IN ('sale', 'refund', 'dispute') AND n.at IS NOT NULL;

    IF cardinality(v_lines) > 50 OR v_lines IS NULL THEN
        RETURN;
    END IF;

    WITH entries AS MATERIALIZED (
        SELECT e.*, x.family, x.sign
        FROM journal_entry e
        JOIN settlement_expected x ON x.kind = e.kind
        WHERE e.at BETWEEN v_from AND v_until AND e.psp = p_source.psp
            AND NOT starts_with(e.source, 'settlement/')
            AND (e.amount_minor, e.currency) IN (
                SELECT abs(w.value_minor), w.value_currency
                FROM settlement_work w
                WHERE w.file_id = p_file_id AND w.line = ANY (v_lines))
    ), pairs AS (
        SELECT w.line, e.merchant_id, e.checkout_id,
            count(*) OVER (PARTITION BY w.line) AS entries,
            count(*) OVER (PARTITION BY e.merchant_id, e.source, e.kind)
                AS rows
        FROM settlement_work w
        JOIN entries e ON e.family = w.family
            AND e.currency = w.value_currency
            AND e.sign * e.amount_minor = w.value_minor
            AND abs(extract(epoch FROM e.at
                - coalesce(w.occurred_at, w.booked_on::timestamptz)))
                <= 3 * 86400
        WHERE w.file_id = p_file_id AND w.line = ANY (v_lines)
            AND e.merchant_id = p_source.merchant_id
            AND NOT EXISTS (
                SELECT FROM settlement_closed c
                WHERE c.merchant_id = e.merchant_id AND c.source = e.source
                    AND c.kind = e.kind)
            AND NOT EXISTS (
                SELECT FROM settlement_open o
                WHERE o.file_id = p_file_id AND o.match IS NOT NULL
                    AND o.merchant_id = e.merchant_id
                    AND o.source = e.source AND o.kind = e.kind)
    )
    UPDATE settlement_work w
    SET finding = 'proposed', candidate = jsonb_build_object('checkout',
                                                             p.checkout_id)
    FROM pairs p
    WHERE w.file_id = p_file_id AND w.line = p.line AND p.entries = 1
        AND p.rows = 1;
END
$$;
COMMENT ON FUNCTION pay.propose_rows IS
    'Finds payments to propose for rows that name none, by amount and time';


-- No entry explains the row; its finding follows from the other entries,
-- disputes and rows of its payment.
CREATE OR REPLACE FUNCTION pay.unmatched_finding(
    p_work settlement_work, p_source settlement_source)
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_same  bigint;
    v_other bigint;
BEGIN
    IF p_work.checkout_id IS NULL THEN
        RETURN 'unknown';
    ELSIF p_work.kind = 'dispute' AND EXISTS (
        SELECT FROM row_dispute(p_work, p_source.psp) d
        WHERE d.amount_minor = -p_work.value_minor
            AND NOT EXISTS (
                SELECT FROM settlement_hold h
                WHERE h.psp = p_source.psp AND h.dispute_id = d.dispute_id
                    AND h.merchant_id = p_work.merchant_id))
    THEN
        RETURN 'disputed';
    ELSIF p_work.kind = 'dispute_returned' AND EXISTS (
        SELECT FROM row_dispute(p_work, p_source.psp) d
        JOIN settlement_hold h ON h.psp = p_source.psp
            AND h.dispute_id = d.dispute_id AND h.ended_at IS NULL
            AND h.amount_minor = p_work.value_minor
            AND h.currency = p_work.value_currency)
    THEN
        RETURN 'ended';
    ELSIF 'parked' = (
        SELECT i.state FROM webhook_inbox i
        WHERE i.psp = p_source.psp AND i.event_id
            = settlement_event(p_source.source, p_work.row_key))
    THEN
        RETURN 'early';
    ELSIF p_work.kind IN ('refund', 'refund_returned')
        AND is_unbooked_refund(p_work.merchant_id, p_work.checkout_id,
                               p_source.psp, p_work.psp_ref)
    THEN
        -- the other one of the two rows is still to come
        RETURN 'early';
    END IF;

    SELECT count(*) FILTER (WHERE o.currency = p_work.value_currency),
        count(*)
    INTO v_same, v_other
    FROM settlement_open o
    WHERE o.file_id = p_work.file_id AND o.merchant_id = p_work.merchant_id
        AND o.checkout_id = p_work.checkout_id AND o.family = p_work.family
        AND o.match IS NULL
        AND (p_work.family <> 'refund' OR o.object IS NULL
             OR p_work.psp_ref IS NULL OR o.object = p_work.psp_ref);

    -- a row that names its payment alone tells nobody that there is a dispute,
    -- and money comes back that is still to be taken: both wait
    RETURN CASE WHEN v_same > 0 THEN 'amount'
        WHEN v_other > 0 THEN 'currency'
        WHEN p_work.kind = 'dispute' AND p_work.psp_ref IS NULL THEN 'early'
        WHEN p_work.kind = 'dispute_returned' AND (
            p_work.psp_ref IS NULL OR EXISTS (
                SELECT FROM row_dispute(p_work, p_source.psp) d
                WHERE d.amount_minor = p_work.value_minor
                    AND NOT EXISTS (
                        SELECT FROM settlement_hold h
                        WHERE h.psp = p_source.psp
                            AND h.dispute_id = d.dispute_id
                            AND h.merchant_id = p_work.merchant_id)))
            THEN 'early'
        WHEN EXISTS (
            SELECT FROM journal_entry e
            JOIN settlement_expected x ON x.kind = e.kind
                AND x.family = p_work.family
            WHERE e.checkout_id = p_work.checkout_id
                AND e.merchant_id = p_work.merchant_id)
            THEN 'duplicate'
        ELSE 'contradiction' END;
END
$$;
COMMENT ON FUNCTION pay.unmatched_finding IS
    'The finding about a row that no entry explains';


CREATE OR REPLACE FUNCTION pay.find_rows(
    p_file_id bigint, p_source settlement_source)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE settlement_work w
    SET finding = CASE
        WHEN w.is_detail THEN 'part'
        WHEN w.kind = 'fee' AND w.match IS NULL THEN 'charged'
        WHEN w.kind = 'tax' THEN 'charged'
        WHEN w.kind IN ('withheld', 'released') THEN 'reserved'
        WHEN w.kind = 'payout' THEN 'paid_out'
        WHEN w.kind = 'payout_returned' THEN 'returned'
        WHEN w.kind = 'transfer' THEN 'carried'
        WHEN w.kind = 'memo' THEN 'moves_nothing'
        WHEN w.kind = 'adjustment' AND p_source.format = 'mollie'
            AND w.raw_type = 'rounding' THEN 'rounded'
        WHEN w.kind = 'adjustment' THEN 'adjustment'
        WHEN w.kind = 'conversion' THEN 'unpaired'
        WHEN w.kind IN ('unknown', 'sent', 'sent_returned') THEN 'unknown'
        WHEN w.match IS NULL THEN unmatched_finding(w, p_source)
        WHEN w.kind IN ('refund', 'dispute') AND EXISTS (
            SELECT FROM settlement_open o
            WHERE o.file_id = p_file_id AND o.match = w.match
                AND o.checkout_id = w.checkout_id
                AND o.kind IN ('unknown_refund', 'unknown_dispute'))
            THEN 'exceeds'
        WHEN w.told AND w.kind IN ('sale', 'refund', 'refund_returned',
                                   'dispute') THEN 'confirmed'
        ELSE 'matched' END
    WHERE w.file_id = p_file_id AND w.finding IS NULL;

    -- of two rows about one dispute, neither of them kept yet, one takes its
    -- money, and one gives it back; a row that does not name the dispute may be
    -- about another one, and is looked at again behind all rows
    UPDATE settlement_work w
    SET finding = CASE WHEN w.psp_ref IS NULL THEN 'early'
                       ELSE 'duplicate' END
    FROM (SELECT h.line, row_number() OVER (
              PARTITION BY h.merchant_id, h.checkout_id, d.dispute_id,
                  h.finding
              ORDER BY h.line) AS nth
          FROM settlement_work h
          CROSS JOIN LATERAL row_dispute(h, p_source.psp) d
          WHERE h.file_id = p_file_id
              AND h.finding IN ('disputed', 'ended')) n
    WHERE w.file_id = p_file_id AND w.line = n.line AND n.nth > 1;
END
$$;
COMMENT ON FUNCTION pay.find_rows IS 'The finding about each row of the work';


CREATE OR REPLACE FUNCTION pay.settlement_posting(
    p_work settlement_work, p_kind text, p_amount_minor bigint,
    p_currency text, p_seller_minor bigint DEFAULT NULL,
    p_seller_currency text DEFAULT NULL)
RETURNS posting LANGUAGE sql STABLE AS $$
SELECT ROW(p_work.merchant_id, concat(
        CASE WHEN p_kind IN ('psp_paid_out', 'psp_debited',
                             'psp_payout_returned') THEN 'payout/'
             WHEN p_work.kind IN ('receipt', 'debit') THEN 'bank/'
             ELSE 'settlement/' END,
        p_work.source, '/', p_work.version, '/', p_work.row_key), p_kind,
    p_work.checkout_id, NULL, p_work.psp, NULL, p_amount_minor, p_currency,
    p_seller_minor, p_seller_currency,
    CASE WHEN p_seller_currency <> p_currency
         THEN p_seller_minor::numeric / p_amount_minor END, NULL)::posting
$$;
COMMENT ON FUNCTION pay.settlement_posting IS
    'An entry that a row brings about';


-- The entries of a row, by its rule in settlement_rule: one for its own amount,
-- and one each for a fee, a tax, a conversion, the rounding of a conversion, and
-- an amount that another party than the PSP pays out.
CREATE OR REPLACE FUNCTION pay.row_postings(
    p_work settlement_work, p_rule settlement_rule)
RETURNS SETOF posting LANGUAGE sql STABLE AS $$
SELECT (settlement_posting(p_work, p.kind, abs(p.minor), p.currency,
                           p.seller_minor, p.seller_currency)).*
FROM (
    SELECT CASE WHEN m.minor > 0 THEN p_rule.posting ELSE p_rule.back END
               AS kind, m.minor, m.currency, m.seller_minor, m.seller_currency
    FROM (SELECT CASE
              WHEN p_rule.finding = 'converted' AND p_work.candidate IS NULL
                  THEN NULL
              WHEN p_rule.posts = 'net' OR p_work.family IS NULL
                  THEN p_work.net_minor
              ELSE p_work.value_minor END AS minor,
              CASE WHEN p_rule.posts = 'net' OR p_work.family IS NULL
                   THEN p_work.currency
                   ELSE p_work.value_currency END AS currency,
              (p_work.candidate ->> 'minor')::bigint AS seller_minor,
              p_work.candidate ->> 'currency' AS seller_currency) m
    UNION ALL
    SELECT CASE WHEN p_work.fee_minor < 0 THEN 'psp_fee'
                ELSE 'psp_fee_returned' END, p_work.fee_minor,
        p_work.currency, NULL, NULL
    WHERE p_rule.posts = 'value' AND NOT p_work.fee_booked AND p_work.family <> 'fee'
        AND p_work.family <> 'payout'
    UNION ALL
    SELECT CASE WHEN p_work.tax_minor < 0 THEN 'psp_fee_vat'
                ELSE 'psp_fee_vat_returned' END, p_work.tax_minor,
        p_work.currency, NULL, NULL
    WHERE p_rule.posts = 'value' AND p_work.family IS NOT NULL
    UNION ALL
    SELECT 'settled_fx', least(f.paid, f.gross), f.out_currency,
        abs(greatest(f.paid, f.gross)), f.in_currency
    FROM (SELECT -p_work.paid_minor AS paid, p_work.gross_minor AS gross,
              CASE WHEN p_work.gross_minor > 0 THEN p_work.paid_currency
                   ELSE p_work.currency END AS out_currency,
              CASE WHEN p_work.gross_minor > 0 THEN p_work.currency
                   ELSE p_work.paid_currency END AS in_currency) f
    WHERE p_rule.posts = 'value' AND p_work.paid_currency <> p_work.currency
        AND p_work.family <> 'fee'
    UNION ALL
    SELECT CASE WHEN p_work.net_minor > 0 THEN 'psp_paid_out'
                ELSE 'psp_debited' END, p_work.net_minor, p_work.currency,
        NULL, NULL
    WHERE p_rule.posts = 'value' AND p_work.is_external
    UNION ALL
    SELECT CASE WHEN p_work.rounding_minor > 0 THEN 'rounded_up'
                ELSE 'rounded' END, p_work.rounding_minor,
        p_work.rounding_currency, NULL, NULL
    ) p
WHERE p.minor <> 0 AND p.kind IS NOT NULL AND p_rule.posts <> 'none'
$$;
COMMENT ON FUNCTION pay.row_postings IS 'The entries that a row brings about';
