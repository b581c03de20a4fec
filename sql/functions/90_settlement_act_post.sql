-- The entries of an act of an operator.  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A row may have such an entry already: a webhook has taken its fee over, or an
-- act has written its difference off.  The entry of the act is another one, and
-- has a source of its own, which no file is expected to bring.  Money goes into
-- suspense and out of it under the source of the row alone.  An act that books
-- less than it says is an error.
CREATE OR REPLACE FUNCTION pay.post_act(p_id bigint, p_postings posting[])
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_postings posting[];
    v_lost     text;
BEGIN
    v_postings := ARRAY(
        SELECT ROW(p.merchant_id, CASE
                WHEN p.kind ~ '^(unknown|suspense)_' OR NOT is_booked(
                    p.merchant_id, p.source, p.kind) THEN p.source
                ELSE concat(p.source, ' act/', p_id) END, p.kind,
            p.checkout_id, p.payment_order_id, p.psp, p.seller_account,
            p.amount_minor, p.currency, p.seller_minor, p.seller_currency,
            p.rate, p.request_id)::posting
        FROM unnest(p_postings) WITH ORDINALITY AS p
        ORDER BY p.ordinality);
    v_lost := (
        SELECT min(p.kind) FROM unnest(v_postings) p
        WHERE is_booked(p.merchant_id, p.source, p.kind));

    IF v_lost IS NOT NULL THEN
        RAISE EXCEPTION 'entry % of the act on % is booked already', v_lost,
            p_id USING ERRCODE = 'PAY22';
    END IF;

    RETURN post(v_postings);
END
$$;
COMMENT ON FUNCTION pay.post_act IS
    'Books the entries of an act, each of them: how many lines';
