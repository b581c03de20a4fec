-- Remittance advice by the API: pages of its lines with the sums, newest first.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The lines from p_before back, the newest first.
CREATE OR REPLACE FUNCTION pay.advice_lines_json(
    p_advice payout_advice, p_before bigint, p_limit int,
    OUT lines json, OUT next bigint)
LANGUAGE sql STABLE AS $$
SELECT coalesce(json_agg(json_build_object('line', l.wallet_seq,
        'at', iso_time(l.at), 'part', l.part, 'kind', l.kind,
        'payment_order_id', l.payment_order_id,
        'amount', amount_text(l.amount_minor, p_advice.currency),
        'currency', p_advice.currency,
        'new', l.is_new, 'paid', l.is_paid) ORDER BY l.n)
        FILTER (WHERE l.n <= p_limit), '[]'),
    CASE WHEN count(*) > p_limit
         THEN min(l.wallet_seq) FILTER (WHERE l.n <= p_limit) END
FROM (
    SELECT a.*, row_number() OVER (ORDER BY a.wallet_seq DESC) AS n
    FROM advice_lines(p_advice.merchant_id, p_advice.payout_id,
        p_advice.seller_account, p_advice.currency, p_advice.since_seq,
        p_advice.until_seq) a
    WHERE a.wallet_seq < coalesce(p_before, p_advice.until_seq)
    ORDER BY a.wallet_seq DESC LIMIT p_limit + 1) l
$$;
COMMENT ON FUNCTION pay.advice_lines_json IS
    'A page of the lines of an advice, and where the next begins';


-- The state is that of the item as it is now: an advice of money that came back
-- says so.
CREATE OR REPLACE FUNCTION pay.advice_json(
    p_advice payout_advice, p_before bigint, p_limit int)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT json_build_object('payout_id', p.payout_id, 'state', p.state,
    'merchant_id', p.merchant_id, 'seller_account', p.seller_account,
    'currency', p.currency, 'provider', p.provider, 'account', d.shown,
    'made_at', iso_time(p.created_at),
    'opening', amount_text(p_advice.opening_minor, p.currency),
    'sales', amount_text(p_advice.sales_minor, p.currency),
    'refunds', amount_text(p_advice.refunds_minor, p.currency),
    'disputes', amount_text(p_advice.disputes_minor, p.currency),
    'fees', amount_text(p_advice.fees_minor, p.currency),
    'reserve', amount_text(p_advice.reserve_minor, p.currency),
    'payouts', amount_text(p_advice.payouts_minor, p.currency),
    'adjustments', amount_text(p_advice.adjustments_minor, p.currency),
    'paid', amount_text(p_advice.paid_minor, p.currency),
    'closing', amount_text(p_advice.closing_minor, p.currency),
    'sha256', encode(p_advice.sha256, 'hex'),
    'lines', l.lines, 'next', l.next)
FROM payout p
JOIN payout_destination d ON d.merchant_id = p.merchant_id
    AND d.destination_id = p.destination_id
    AND d.version = p.destination_version
CROSS JOIN LATERAL advice_lines_json(p_advice, p_before, p_limit) l
WHERE p.merchant_id = p_advice.merchant_id
    AND p.payout_id = p_advice.payout_id
$$;
COMMENT ON FUNCTION pay.advice_json IS 'An advice for the API';


CREATE OR REPLACE FUNCTION pay.advice_page(
    p_merchant_id text, p_payout_id text, p_before bigint, p_limit int,
    OUT outcome text, OUT page text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_advice payout_advice;
BEGIN
    SELECT * INTO v_advice FROM payout_advice a
    WHERE a.merchant_id = p_merchant_id AND a.payout_id = p_payout_id;

    outcome := CASE WHEN (p_limit BETWEEN 1 AND 1000) IS NOT TRUE
                    THEN 'invalid'
                    WHEN v_advice.payout_id IS NULL THEN 'not_found'
                    WHEN NOT advice_holds(v_advice) THEN 'contradiction'
                    ELSE 'found' END;
    IF outcome = 'found' THEN
        page := advice_json(v_advice, p_before, p_limit)::text;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.advice_page IS
    'A page of an advice that holds: found, contradiction, not_found or '
    'invalid';


CREATE OR REPLACE FUNCTION pay_api.get_payout_advice(
    p_merchant_id text[], p_payout_id text[], p_before bigint[],
    p_limit bigint[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_page record;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_payout_id),
        array_dims(p_before), array_dims(p_limit));

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_page := advice_page(p_merchant_id[v_item], p_payout_id[v_item],
            p_before[v_item], least(p_limit[v_item], 1001)::int);
        RETURN NEXT ROW(v_item, v_page.outcome, v_page.page)
            ::pay_api.page_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.get_payout_advice IS
    'A page of the lines of a remittance advice, newest first, with its sums. '
    'contradiction: the ledger or the act that made the item has another '
    'digest. Outcomes: found, not_found, contradiction, invalid';


CREATE OR REPLACE FUNCTION pay_view.payout_advice(
    p_payout_id text, p_before bigint DEFAULT NULL)
RETURNS TABLE (merchant_id text, outcome text, advice text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
SELECT p.merchant_id, a.outcome, a.page
FROM payout p
CROSS JOIN LATERAL advice_page(p.merchant_id, p.payout_id, p_before,
                               1000) a
WHERE p.payout_id = p_payout_id
$$;
COMMENT ON FUNCTION pay_view.payout_advice IS
    'The remittance advice of an item, with its newest 1000 lines before '
    'p_before: found, or contradiction or not_found without an advice';
