-- The release of orders to be paid out: the storefront says that the goods are
-- delivered, and takes it back until an item pays the order; operators hold an
-- order or a seller.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The order's wallet is locked: an item is made under that lock, so a release
-- is taken back before it or not at all.
CREATE OR REPLACE FUNCTION pay.lock_order_wallet(
    p_merchant_id text, p_order text)
RETURNS payment_order LANGUAGE plpgsql AS $$
DECLARE
    v_order payment_order;
BEGIN
    SELECT * INTO v_order FROM payment_order o
    WHERE o.merchant_id = p_merchant_id AND o.payment_order_id = p_order;

    IF v_order.payment_order_id IS NOT NULL THEN
        PERFORM lock_wallets(ARRAY[p_merchant_id],
            ARRAY[v_order.seller_account]::text[],
            ARRAY[coalesce(v_order.credit_currency, v_order.currency)]
                ::text[]);
    END IF;

    RETURN v_order;
END
$$;
COMMENT ON FUNCTION pay.lock_order_wallet IS
    'An order whose wallet is locked; NULL: there is none';


CREATE OR REPLACE FUNCTION pay_ops.release_order(
    p_merchant_id text, p_payment_order_id text, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_order payment_order;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    v_order := lock_order_wallet(p_merchant_id, p_payment_order_id);
    IF v_order.payment_order_id IS NULL THEN
        RETURN 'not_found';
    END IF;

    INSERT INTO payout_release (merchant_id, payment_order_id)
    VALUES (p_merchant_id, p_payment_order_id)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        PERFORM keep_payout_act(p_merchant_id, 'order', p_payment_order_id,
                                'released', p_who, p_why);
    END IF;

    RETURN 'released';
END
$$;
COMMENT ON FUNCTION pay_ops.release_order IS
    'Notes that an order is delivered: released, not_found or invalid';


CREATE OR REPLACE FUNCTION pay_ops.unrelease_order(
    p_merchant_id text, p_payment_order_id text, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_order payment_order;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    v_order := lock_order_wallet(p_merchant_id, p_payment_order_id);
    IF v_order.payment_order_id IS NULL THEN
        RETURN 'not_found';
    ELSIF EXISTS (
        SELECT FROM payout_line l
        WHERE l.merchant_id = p_merchant_id
            AND l.payment_order_id = p_payment_order_id AND NOT l.is_open)
    THEN
        RETURN 'paid_out';
    END IF;

    DELETE FROM payout_release r
    WHERE r.merchant_id = p_merchant_id
        AND r.payment_order_id = p_payment_order_id;
    IF FOUND THEN
        PERFORM keep_payout_act(p_merchant_id, 'order', p_payment_order_id,
                                'unreleased', p_who, p_why);
    END IF;

    RETURN 'unreleased';
END
$$;
COMMENT ON FUNCTION pay_ops.unrelease_order IS
    'Takes a release back: unreleased, paid_out (an item has the order''s '
    'money), not_found or invalid';


-- p_payment_order_id NULL: all orders of the seller.
CREATE OR REPLACE FUNCTION pay_ops.hold_payouts(
    p_merchant_id text, p_seller_account text, p_payment_order_id text,
    p_holds boolean, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_order text := coalesce(p_payment_order_id, '');
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why)
        OR p_holds IS NULL OR coalesce(p_seller_account, '') = ''
    THEN
        RETURN 'invalid';
    ELSIF v_order <> '' AND NOT EXISTS (
        SELECT FROM payment_order o
        WHERE o.merchant_id = p_merchant_id AND o.payment_order_id = v_order
            AND o.seller_account = p_seller_account)
    THEN
        RETURN 'not_found';
    END IF;

    IF p_holds THEN
        INSERT INTO payout_hold (merchant_id, seller_account,
            payment_order_id, why)
        VALUES (p_merchant_id, p_seller_account, v_order, p_why)
        ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM payout_hold h
        WHERE h.merchant_id = p_merchant_id
            AND h.seller_account = p_seller_account
            AND h.payment_order_id = v_order;
    END IF;
    IF FOUND THEN
        PERFORM keep_payout_act(p_merchant_id,
            CASE v_order WHEN '' THEN 'seller' ELSE 'order' END,
            CASE v_order WHEN '' THEN p_seller_account ELSE v_order END,
            CASE WHEN p_holds THEN 'held' ELSE 'unheld' END, p_who, p_why);
    END IF;

    RETURN CASE WHEN p_holds THEN 'held' ELSE 'unheld' END;
END
$$;
COMMENT ON FUNCTION pay_ops.hold_payouts IS
    'Holds the pay-outs of a seller or of an order, or ends the hold: held, '
    'unheld, not_found or invalid';
