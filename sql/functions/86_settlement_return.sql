-- A refund that failed before anybody reported that it was done, while the PSP
-- shows both in its files: the money went out and came back.  Nothing of it is
-- in the ledger, and the two rows come to nothing.  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The failure is a change of its own or, where it could be about several orders
-- or is that of a late payment, in the mismatch queue.  The entries of a late
-- payment do not name the refund: they may be this one.
CREATE OR REPLACE FUNCTION pay.is_unbooked_refund(
    p_merchant_id text, p_checkout_id text, p_psp text, p_object text)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT (EXISTS (
        SELECT FROM change c
        WHERE c.merchant_id = p_merchant_id
            AND c.checkout_id = p_checkout_id AND c.kind = 'refund'
            AND c.psp = p_psp AND c.reference = p_object
            AND c.status = 'FAILED' AND NOT c.returned)
        OR EXISTS (
        SELECT FROM mismatch m
        WHERE m.merchant_id = p_merchant_id
            AND m.checkout_id = p_checkout_id AND m.psp = p_psp
            AND m.kind = 'refund' AND m.why = 'failed'
            AND m.object = p_object))
    AND NOT EXISTS (
        SELECT FROM journal_entry e
        WHERE e.merchant_id = p_merchant_id
            AND e.checkout_id = p_checkout_id AND e.psp = p_psp
            AND e.kind IN (SELECT x.kind FROM settlement_expected x
                           WHERE x.family = 'refund')
            AND (starts_with(e.source, 'late/') OR p_object = entry_object(
                e.merchant_id, e.checkout_id, e.psp, e.source)))
$$;
COMMENT ON FUNCTION pay.is_unbooked_refund IS
    'Whether a refund has failed, and the ledger never had it';


-- Whether the queue has the row by which this refund came back: both are matched
-- at the end of the file, and there is nothing to report.
CREATE OR REPLACE FUNCTION pay.has_come_back(
    p_work settlement_work, p_psp text)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT EXISTS (
        SELECT FROM settlement_exception x
        JOIN settlement_row r ON r.row_id = x.row_id
        WHERE x.merchant_id = p_work.merchant_id
            AND x.checkout_id = p_work.checkout_id AND x.psp = p_psp
            AND x.closed_at IS NULL AND x.finding = 'early'
            AND r.source = p_work.source AND r.kind = 'refund_returned'
            AND r.psp_ref = p_work.psp_ref
            AND coalesce(r.paid_currency, r.currency) = p_work.value_currency
            AND CASE WHEN r.paid_currency <> r.currency THEN r.paid_minor
                     ELSE r.gross_minor END = -p_work.value_minor)
    AND is_unbooked_refund(p_work.merchant_id, p_work.checkout_id, p_psp,
                           p_work.psp_ref)
$$;
COMMENT ON FUNCTION pay.has_come_back IS
    'Whether the return of a refund that the ledger never had is in the queue';


-- The two rows of such a refund are one group, without an entry.
CREATE OR REPLACE FUNCTION pay.match_returns(p_file_id bigint, p_psp text)
RETURNS void LANGUAGE plpgsql SET enable_nestloop = off
SET jit = off AS $$
BEGIN
    WITH rows AS (
        SELECT w.*, row_number() OVER (
            PARTITION BY w.merchant_id, w.checkout_id, w.kind, w.psp_ref,
                w.value_currency, w.value_minor ORDER BY w.line) AS nth
        FROM settlement_work w
        WHERE w.file_id = p_file_id AND w.match IS NULL
            AND w.finding IS NULL AND w.checkout_id IS NOT NULL
            AND w.psp_ref IS NOT NULL AND NOT w.is_detail
            AND w.kind IN ('refund', 'refund_returned')
    ), pairs AS MATERIALIZED (
        SELECT r.merchant_id, r.checkout_id, r.psp_ref, r.line AS out_line,
            b.line AS in_line
        FROM rows r
        JOIN rows b ON b.merchant_id = r.merchant_id
            AND b.checkout_id = r.checkout_id AND b.psp_ref = r.psp_ref
            AND b.value_currency = r.value_currency
            AND b.value_minor = -r.value_minor AND b.nth = r.nth
        WHERE r.kind = 'refund' AND b.kind = 'refund_returned'
    ), unbooked AS MATERIALIZED (
        SELECT p.out_line, p.in_line FROM pairs p
        WHERE is_unbooked_refund(p.merchant_id, p.checkout_id, p_psp,
                                 p.psp_ref)
    )
    UPDATE settlement_work w
    SET match = least(u.out_line, u.in_line), rule = 'group'
    FROM unbooked u
    WHERE w.file_id = p_file_id AND w.line IN (u.out_line, u.in_line);
END
$$;
COMMENT ON FUNCTION pay.match_returns IS
    'Links a refund that the ledger never had with its return';
