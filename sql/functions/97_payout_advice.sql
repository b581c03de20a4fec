-- Remittance advice: the lines and the sums of a pay-out, made with the item,
-- and compared with the ledger at each reading.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The lines of an advice: those of the wallet's available money behind p_since
-- and before p_until (is_new), and older ones that the item pays.
CREATE OR REPLACE FUNCTION pay.advice_lines(
    p_merchant_id text, p_payout_id text, p_seller text, p_currency text,
    p_since bigint, p_until bigint)
RETURNS TABLE (wallet_seq bigint, at timestamptz, source text, kind text,
    part text, payment_order_id text, amount_minor bigint, is_new boolean,
    is_paid boolean)
LANGUAGE sql STABLE AS $$
SELECT l.wallet_seq, e.at, l.source, l.kind, coalesce(k.part, 'adjustments'),
    coalesce(e.payment_order_id, r.payment_order_id), -l.amount_minor,
    l.wallet_seq > p_since, t.wallet_seq IS NOT NULL
FROM (
    SELECT j.wallet_seq, j.source, j.kind, j.amount_minor
    FROM pay.journal_line j
    WHERE j.merchant_id = p_merchant_id AND j.owner = p_seller
        AND j.currency = p_currency AND j.wallet_seq IS NOT NULL
        AND j.wallet_seq > p_since AND j.wallet_seq < p_until
        AND j.account = 'seller_available'
    UNION ALL
    SELECT o.wallet_seq, j.source, j.kind, j.amount_minor
    FROM pay.payout_part o
    CROSS JOIN LATERAL (
        SELECT j.source, j.kind, j.amount_minor
        FROM pay.journal_line j
        WHERE j.merchant_id = p_merchant_id AND j.owner = p_seller
            AND j.currency = p_currency AND j.wallet_seq = o.wallet_seq
        OFFSET 0) j
    WHERE o.merchant_id = p_merchant_id AND o.payout_id = p_payout_id
        AND o.wallet_seq <= p_since) l
CROSS JOIN LATERAL (
    SELECT e.at, e.payment_order_id FROM pay.journal_entry e
    WHERE e.merchant_id = p_merchant_id AND e.source = l.source
        AND e.kind = l.kind
    OFFSET 0) e
LEFT JOIN pay.payout_advice_kind k ON k.kind = l.kind
LEFT JOIN LATERAL (
    SELECT r.payment_order_id FROM pay.payout_reserve r
    WHERE e.payment_order_id IS NULL AND r.merchant_id = p_merchant_id
        AND r.source = l.source
    OFFSET 0) r ON true
LEFT JOIN LATERAL (
    SELECT t.wallet_seq FROM pay.payout_part t
    WHERE t.merchant_id = p_merchant_id AND t.payout_id = p_payout_id
        AND t.wallet_seq = l.wallet_seq
    OFFSET 0) t ON true
$$;
COMMENT ON FUNCTION pay.advice_lines IS
    'The lines of the ledger that an advice tells of';


-- Each text of the digest is JSON, so that no two advices have the same text.  A
-- set of one row without a row for an argument, as payout_stops() is one: a part
-- of its caller's statement.
CREATE OR REPLACE FUNCTION pay.advice_of(
    p_merchant_id text, p_payout_id text, p_seller text, p_currency text,
    p_paid bigint, p_closing bigint, p_since bigint, p_until bigint,
    p_opening bigint)
RETURNS SETOF pay.payout_advice LANGUAGE sql STABLE AS $$
SELECT p_merchant_id, p_payout_id, p_seller, p_currency, p_since, p_until,
    p_opening, s.sales, s.refunds, s.disputes, s.fees, s.reserve, s.payouts,
    s.adjustments, p_paid, p_closing,
    sha256(convert_to(concat(json_build_array('advice 1', p_merchant_id,
        p_payout_id, p_seller, p_currency, p_since, p_until, p_opening,
        s.sales, s.refunds, s.disputes, s.fees, s.reserve, s.payouts,
        s.adjustments, p_paid, p_closing), s.lines), 'UTF8'))
FROM (
    SELECT coalesce(sum(n.amount) FILTER (WHERE l.part = 'sales'), 0)::bigint
            AS sales,
        coalesce(sum(n.amount) FILTER (WHERE l.part = 'refunds'), 0)::bigint
            AS refunds,
        coalesce(sum(n.amount) FILTER (WHERE l.part = 'disputes'), 0)::bigint
            AS disputes,
        coalesce(sum(n.amount) FILTER (WHERE l.part = 'fees'), 0)::bigint
            AS fees,
        coalesce(sum(n.amount) FILTER (WHERE l.part = 'reserve'), 0)::bigint
            AS reserve,
        coalesce(sum(n.amount) FILTER (WHERE l.part = 'payouts'), 0)::bigint
            AS payouts,
        coalesce(sum(n.amount) FILTER (WHERE l.part = 'adjustments'), 0)
            ::bigint AS adjustments,
        string_agg(E'\n' || json_build_array(l.wallet_seq,
            (extract(epoch FROM l.at) * 1000000)::bigint, l.source, l.kind,
            l.payment_order_id, l.amount_minor, l.is_new, l.is_paid), ''
            ORDER BY l.wallet_seq) AS lines
    FROM pay.advice_lines(p_merchant_id, p_payout_id, p_seller, p_currency,
        p_since, p_until) l
    CROSS JOIN LATERAL (
        SELECT CASE WHEN l.is_new THEN l.amount_minor ELSE 0 END AS amount) n
    ) s
OFFSET 0
$$;
COMMENT ON FUNCTION pay.advice_of IS
    'The advice of an item by the ledger as it stands now';


-- The items were made, and their money is reserved: each opens with the closing
-- of the wallet's item before.  p_places: where the rows of the items are.
CREATE OR REPLACE FUNCTION pay.keep_payout_advices(
    p_places tid[], p_who text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH made AS MATERIALIZED (
        SELECT a.*, p.line_count
        FROM payout p
        CROSS JOIN LATERAL (
            SELECT l.wallet_seq FROM journal_line l
            WHERE l.merchant_id = p.merchant_id
                AND l.source = 'pay-out/' || p.payout_id
                AND l.kind = 'payout_reserved'
                AND l.account = 'seller_available'
            OFFSET 0) j
        LEFT JOIN LATERAL (
            SELECT o.until_seq, o.closing_minor
            FROM payout_advice o
            WHERE o.merchant_id = p.merchant_id
                AND o.seller_account = p.seller_account
                AND o.currency = p.currency
            ORDER BY o.until_seq DESC LIMIT 1) o ON true
        CROSS JOIN LATERAL advice_of(p.merchant_id, p.payout_id,
            p.seller_account, p.currency, p.amount_minor, p.left_minor,
            coalesce(o.until_seq, 0), j.wallet_seq,
            coalesce(o.closing_minor, 0)) a
        WHERE p.ctid = ANY (p_places)
    ), kept AS (
        INSERT INTO payout_advice
        SELECT m.merchant_id, m.payout_id, m.seller_account, m.currency,
            m.since_seq, m.until_seq, m.opening_minor, m.sales_minor,
            m.refunds_minor, m.disputes_minor, m.fees_minor,
            m.reserve_minor, m.payouts_minor, m.adjustments_minor,
            m.paid_minor, m.closing_minor, m.sha256
        FROM made m
    )
    INSERT INTO payout_act (merchant_id, subject, subject_id, act, who,
        detail)
    SELECT m.merchant_id, 'payout', m.payout_id, 'made', p_who,
        jsonb_build_object('amount_minor', m.paid_minor,
            'currency', m.currency, 'lines', m.line_count,
            'advice', encode(m.sha256, 'hex'))
    FROM made m;
END
$$;
COMMENT ON FUNCTION pay.keep_payout_advices IS
    'Writes the advices of new items, and the acts that made them, with the '
    'digests';


-- Whether the ledger, the advice and the act that made the item agree.
CREATE OR REPLACE FUNCTION pay.advice_holds(p_advice pay.payout_advice)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT coalesce((
        SELECT bool_and(a.detail ->> 'advice'
                        = encode(p_advice.sha256, 'hex'))
        FROM pay.payout_act a
        WHERE a.merchant_id = p_advice.merchant_id AND a.subject = 'payout'
            AND a.subject_id = p_advice.payout_id AND a.act = 'made'), false)
    AND (
        SELECT a = p_advice
        FROM pay.payout p
        CROSS JOIN LATERAL pay.advice_of(p.merchant_id, p.payout_id,
            p.seller_account, p.currency, p.amount_minor, p.left_minor,
            p_advice.since_seq, p_advice.until_seq, p_advice.opening_minor) a
        WHERE p.merchant_id = p_advice.merchant_id
            AND p.payout_id = p_advice.payout_id)
$$;
COMMENT ON FUNCTION pay.advice_holds IS
    'Whether an advice is that of the ledger, and its digest that of the act';
