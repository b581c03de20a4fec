-- The console's search, and all of one payment: the answer of explain() for each
-- of its orders, which has the timeline, the calls to PSPs and the changes; the
-- ledger, the buyer and the decision about the risk beside it.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A number may be an amount, too, with or without its currency: then the newest
-- checkouts of that total are found.
CREATE OR REPLACE FUNCTION pay.console_find(p_scope text[], p_query jsonb)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_name   text := p_query ->> 'q';
    v_amount text[] := regexp_match(v_name,
        '^([0-9]{1,15}(?:\.[0-9]{1,4})?)(?: ([A-Z]{3}))?$');
BEGIN
    IF v_name IS NULL THEN
        RETURN '{"invalid":"find needs q, the name to look for"}';
    END IF;

    RETURN jsonb_build_object('items', coalesce((
        SELECT jsonb_agg(jsonb_build_object('found_as', f.found_as,
            'merchant_id', f.merchant_id, 'checkout_id', f.checkout_id,
            'payment_order_id', f.payment_order_id, 'psp', c.psp,
            'status', o.status, 'created_at', iso_time(c.created_at),
            'amount', decimal_text(c.total_minor, c.currency),
            'currency', c.currency)
            ORDER BY c.created_at DESC, f.checkout_id, f.found_as)
        FROM (
            SELECT DISTINCT x.found_as, x.merchant_id, x.checkout_id,
                x.payment_order_id
            FROM pay_view.find(v_name, CASE WHEN cardinality(p_scope) = 1
                                            THEN p_scope[1] END) x
            WHERE x.checkout_id IS NOT NULL
                AND console_sees(p_scope, x.merchant_id)
            UNION
            SELECT 'amount', x.item ->> 'merchant_id',
                x.item ->> 'checkout_id', x.item ->> 'payment_order_id'
            FROM console_payments(p_scope, jsonb_strip_nulls(
                jsonb_build_object('min', v_amount[1], 'max', v_amount[1],
                                   'currency', v_amount[2])), 20) x
            WHERE v_amount IS NOT NULL AND x.item IS NOT NULL
            LIMIT 100) f
        CROSS JOIN LATERAL (
            SELECT x.* FROM checkout x
            WHERE x.merchant_id = f.merchant_id
                AND x.checkout_id = f.checkout_id
            OFFSET 0) c
        CROSS JOIN LATERAL (
            SELECT x.* FROM payment_order x
            WHERE x.merchant_id = f.merchant_id
                AND x.checkout_id = f.checkout_id
            ORDER BY x.position LIMIT 1) o), '[]'));
END
$$;
COMMENT ON FUNCTION pay.console_find IS
    'The checkouts that a name leads to, with the kind of the name';


-- A row of the journal in each line, oldest first.
CREATE OR REPLACE FUNCTION pay.console_ledger(
    p_merchant_id text, p_checkout_id text)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT coalesce(jsonb_agg(jsonb_build_object('at', iso_time(e.at),
    'source', e.source, 'kind', e.kind, 'line', l.line,
    'account', l.account, 'owner', l.owner, 'currency', l.currency,
    'debit', CASE WHEN l.amount_minor > 0
                  THEN decimal_text(l.amount_minor, l.currency) END,
    'credit', CASE WHEN l.amount_minor < 0
                   THEN decimal_text(-l.amount_minor, l.currency) END,
    'payment_order_id', e.payment_order_id,
    'seller_account', e.seller_account, 'rate', e.rate::text,
    'request_id', e.request_id) ORDER BY e.at, e.source, e.kind, l.line), '[]')
FROM (SELECT x.* FROM journal_entry x
      WHERE x.checkout_id = p_checkout_id AND x.merchant_id = p_merchant_id
      ORDER BY x.at LIMIT 200) e
CROSS JOIN LATERAL (
    SELECT x.* FROM journal_line x
    WHERE x.merchant_id = e.merchant_id AND x.source = e.source
        AND x.kind = e.kind
    OFFSET 0) l
$$;
COMMENT ON FUNCTION pay.console_ledger IS
    'The lines of the journal about a checkout';


-- The order or the checkout that is asked for, of the only merchant that fits.
CREATE OR REPLACE FUNCTION pay.console_checkout_of(
    p_scope text[], p_query jsonb)
RETURNS SETOF checkout LANGUAGE sql STABLE AS $$
SELECT c.*
FROM (SELECT m.id FROM all_merchants() m (id)
      WHERE console_sees(p_scope, m.id)) m
CROSS JOIN LATERAL (
    SELECT o.checkout_id FROM find_order(m.id, p_query ->> 'order') o
    WHERE p_query ? 'order'
    UNION ALL
    SELECT p_query ->> 'checkout'
    WHERE p_query ? 'checkout' AND NOT p_query ? 'order') i (id)
CROSS JOIN LATERAL (
    SELECT x.* FROM checkout x
    WHERE x.merchant_id = m.id AND x.checkout_id = i.id
    OFFSET 0) c
LIMIT 2
$$;
COMMENT ON FUNCTION pay.console_checkout_of IS
    'The checkouts of that name: two where two merchants have it';


-- Data of a buyer is shown when it is asked for, by those who may see it;
-- `personal` says so, and the gateway logs it.
CREATE OR REPLACE FUNCTION pay.console_payment(
    p_scope text[], p_query jsonb, p_tokens boolean, p_personal boolean,
    p_roles jsonb)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_checkout checkout[];
    v_page     jsonb;
BEGIN
    IF NOT p_query ?| '{order,checkout}' THEN
        RETURN '{"invalid":"payment needs order or checkout"}';
    END IF;

    SELECT array_agg(c) INTO v_checkout
    FROM console_checkout_of(p_scope, p_query) c;

    IF cardinality(v_checkout) > 1 THEN
        RETURN '{"invalid":"two merchants have that name: name the merchant"}';
    ELSIF v_checkout IS NULL THEN
        RETURN NULL;
    END IF;

    SELECT console_head(c) || jsonb_build_object(
        'orders', (
            SELECT jsonb_agg(console_order(o, p_roles) ORDER BY o.position)
            FROM payment_order o
            WHERE o.merchant_id = c.merchant_id
                AND o.checkout_id = c.checkout_id),
        'ledger', console_ledger(c.merchant_id, c.checkout_id),
        'acts', console_acts_of(c.merchant_id, c.checkout_id),
        'proposals', console_proposals_of(c.merchant_id, c.checkout_id))
    INTO v_page FROM unnest(v_checkout) c;

    IF NOT p_tokens THEN
        v_page := console_mask(v_page);
    END IF;

    RETURN v_page || (
        SELECT jsonb_build_object(
            'buyer', CASE WHEN p_personal THEN c.buyer_info
                          ELSE console_blind(c.buyer_info) END,
            'card', CASE WHEN p_personal THEN c.credit_card_info
                         ELSE console_blind(c.credit_card_info) END,
            'metadata', CASE WHEN p_personal THEN c.metadata
                             ELSE console_blind(c.metadata) END,
            'is_masked', NOT p_personal,
            'personal', CASE WHEN p_personal THEN 1 ELSE 0 END)
        FROM unnest(v_checkout) c);
END
$$;
COMMENT ON FUNCTION pay.console_payment IS
    'All that is known of a checkout and its orders';


CREATE OR REPLACE FUNCTION pay.console_head(p_checkout checkout)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object('merchant_id', p_checkout.merchant_id,
    'checkout_id', p_checkout.checkout_id, 'psp', p_checkout.psp,
    'psps', to_jsonb(p_checkout.psps::text[]),
    'amount', decimal_text(p_checkout.total_minor, p_checkout.currency),
    'currency', p_checkout.currency,
    'created_at', iso_time(p_checkout.created_at),
    'expires_at', iso_time(p_checkout.expires_at),
    'payment_method', p_checkout.payment_method,
    'capture', p_checkout.capture, 'risk', p_checkout.risk,
    'request_id', p_checkout.request_id)
$$;
COMMENT ON FUNCTION pay.console_head IS 'The head of a payment''s page';


-- The reasons of risk are shown to those who may see reviews.
CREATE OR REPLACE FUNCTION pay.console_order(
    p_order payment_order, p_roles jsonb)
RETURNS jsonb LANGUAGE sql STABLE AS $$
SELECT jsonb_build_object('payment_order_id', p_order.payment_order_id,
    'seller_account', p_order.seller_account, 'status', p_order.status,
    'reason', p_order.reason,
    'amount', decimal_text(p_order.amount_minor, p_order.currency),
    'authorized', decimal_text(p_order.authorized_minor, p_order.currency),
    'captured', decimal_text(p_order.captured_minor, p_order.currency),
    'refunding', decimal_text(p_order.refunding_minor, p_order.currency),
    'refunded', decimal_text(p_order.refunded_minor, p_order.currency),
    'charged_back', decimal_text(p_order.charged_back_minor,
                                 p_order.currency),
    'refundable', decimal_text(greatest(p_order.captured_minor
        - p_order.refunding_minor - p_order.refunded_minor
        - p_order.charged_back_minor, 0), p_order.currency),
    'explain', explain(p_order.merchant_id, p_order.payment_order_id, true,
                       console_may('risk', p_roles))::jsonb)
$$;
COMMENT ON FUNCTION pay.console_order IS
    'An order: its amounts, and the answer of explain()';
