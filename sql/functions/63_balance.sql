-- The balances of sellers: their wallets, and the lines that add up to them.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay_api.get_balance(
    p_merchant_id text[], p_seller_account text[])
RETURNS SETOF pay_api.balances_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
                        array_dims(p_seller_account));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN l.balances IS NULL THEN 'not_found' ELSE 'found' END,
        l.balances::text
    FROM unnest(p_merchant_id, p_seller_account)
        WITH ORDINALITY AS u (merchant_id, seller, n)
    CROSS JOIN LATERAL (
        SELECT json_agg(json_build_object('currency', w.currency,
            'available', decimal_text(w.available_minor, w.currency),
            'pending', decimal_text(w.pending_minor, w.currency),
            'reserved', decimal_text(w.reserved_minor, w.currency))
            ORDER BY w.currency) AS balances
        FROM wallet w
        WHERE w.merchant_id = u.merchant_id AND w.seller_account = u.seller
        OFFSET 0) l;
END
$$;
COMMENT ON FUNCTION pay_api.get_balance IS
    'A seller''s wallets. Outcomes: found, not_found';


-- The newest lines before a number, newest first.
CREATE OR REPLACE FUNCTION pay.statement(
    p_merchant_id text, p_seller text, p_currency text, p_before bigint,
    p_limit int)
RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_lines json;
    v_last  bigint;
BEGIN
    SELECT json_agg(json_build_object('seq', l.wallet_seq,
            'at', iso_time(e.at), 'kind', l.kind,
            'account', k.wallet,
            'amount', decimal_text(-l.amount_minor, l.currency),
            'balance', decimal_text(l.balance_minor, l.currency),
            'payment_order_id', e.payment_order_id, 'source', l.source)
            ORDER BY l.wallet_seq DESC),
        min(l.wallet_seq)
    INTO v_lines, v_last
    FROM (
        SELECT * FROM journal_line x
        WHERE x.merchant_id = p_merchant_id AND x.owner = p_seller
            AND x.currency = p_currency AND x.wallet_seq IS NOT NULL
            AND x.wallet_seq < coalesce(p_before, 9223372036854775807)
        ORDER BY x.wallet_seq DESC LIMIT p_limit) l
    CROSS JOIN LATERAL (
        SELECT e.at, e.payment_order_id FROM journal_entry e
        WHERE e.merchant_id = l.merchant_id AND e.source = l.source
            AND e.kind = l.kind
        OFFSET 0) e
    CROSS JOIN LATERAL (
        SELECT k.wallet FROM account_kind k WHERE k.account = l.account
        OFFSET 0) k;

    RETURN json_build_object('lines', coalesce(v_lines, '[]'),
        'next', CASE WHEN v_last > 1 THEN v_last END);
END
$$;
COMMENT ON FUNCTION pay.statement IS
    'A page of a wallet''s lines, newest first, and where the next begins';


CREATE OR REPLACE FUNCTION pay_api.get_statement(
    p_merchant_id text[], p_seller_account text[], p_currency text[],
    p_before_seq bigint[], p_limit bigint[])
RETURNS SETOF pay_api.statement_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
        array_dims(p_seller_account), array_dims(p_currency),
        array_dims(p_before_seq), array_dims(p_limit));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN NOT coalesce(u.before >= 1, true)
                 OR (u.page BETWEEN 1 AND 100) IS NOT TRUE THEN 'invalid'
             WHEN w.found IS NULL THEN 'not_found'
             ELSE 'found' END,
        CASE WHEN w.found AND coalesce(u.before >= 1, true)
                 AND u.page BETWEEN 1 AND 100
             THEN statement(u.merchant_id, u.seller, u.currency, u.before,
                            u.page::int)::text END
    FROM unnest(p_merchant_id, p_seller_account, p_currency, p_before_seq,
        p_limit) WITH ORDINALITY AS u (merchant_id, seller, currency, before,
        page, n)
    LEFT JOIN LATERAL (
        SELECT true AS found FROM wallet w
        WHERE w.merchant_id = u.merchant_id AND w.seller_account = u.seller
            AND w.currency = u.currency
        OFFSET 0) w ON true;
END
$$;
COMMENT ON FUNCTION pay_api.get_statement IS
    'A page of a seller''s statement in a currency. Outcomes: found, '
    'not_found, invalid';
