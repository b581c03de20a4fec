-- The marketplace's fee: post() (12_ledger.sql) calls fee_postings() for
-- merchants that have fees.  A fee is always a function of the money that was
-- captured and of the money that has gone back, less the fee that is booked
-- already: so its parts sum to the whole in each sequence of events.  Private to
-- schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The fee of p_captured_minor of an order, before any money goes back.  Fee and
-- VAT are never more than the money that was captured.
CREATE OR REPLACE FUNCTION pay.whole_fee(
    p_fee order_fee, p_commission commission, p_amount_minor bigint,
    p_captured_minor bigint)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN p_captured_minor = 0 THEN 0 ELSE least(
    div(p_captured_minor::numeric * 100, 100 + (p_fee).tax_percent),
    CASE WHEN (p_fee).given_minor IS NOT NULL
         THEN pay.seller_part(p_amount_minor, (p_fee).given_minor, 0,
                              p_captured_minor)
         ELSE greatest((p_commission).minimum_minor, least(
            (p_commission).maximum_minor, (p_commission).fixed_minor
            + pay.half_even(p_captured_minor * (p_commission).percent * 0.01)))
    END)::bigint END
$$;
COMMENT ON FUNCTION pay.whole_fee IS
    'The fee of captured money, in the currency that the buyer pays';


CREATE OR REPLACE FUNCTION pay.kept_fee(
    p_returns text, p_fee_minor bigint, p_captured_minor bigint,
    p_back_minor bigint)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN p_returns = 'none' OR p_back_minor <= 0 THEN p_fee_minor
            WHEN p_returns = 'all' OR p_back_minor >= p_captured_minor THEN 0
            ELSE p_fee_minor - pay.seller_part(
                p_captured_minor, p_fee_minor, 0, p_back_minor) END
$$;
COMMENT ON FUNCTION pay.kept_fee IS
    'A fee, less the part that is given back with money that went back';


-- Read from the journal.  NULL: the order has no fee.  A fee is converted as a
-- whole, at the rate of the order.
CREATE OR REPLACE FUNCTION pay.fee_of(p_order payment_order)
RETURNS fee_due LANGUAGE plpgsql STABLE SET search_path = pay, pg_temp AS $$
DECLARE
    v_terms      order_fee;
    v_commission commission;
    v_sum        record;
    v_whole      bigint;
    v_credit     bigint := coalesce(p_order.credit_minor,
                                    p_order.amount_minor);
    v_due        fee_due;
BEGIN
    SELECT * INTO v_terms FROM order_fee f
    WHERE f.merchant_id = p_order.merchant_id
        AND f.payment_order_id = p_order.payment_order_id;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;

    SELECT * INTO v_commission FROM commission c
    WHERE c.commission_id = v_terms.commission_id;

    SELECT coalesce(sum(e.amount_minor) FILTER (
            WHERE e.kind IN ('sale', 'late_accepted')), 0)::bigint
            AS captured,
        coalesce(sum(CASE WHEN e.kind IN ('refund', 'refund_external',
                                          'dispute_lost')
                          THEN e.amount_minor
                          WHEN e.kind IN ('refund_returned',
                                          'dispute_loss_moved')
                          THEN -e.amount_minor END), 0)::bigint AS back,
        coalesce(sum(CASE e.kind WHEN 'platform_fee' THEN e.amount_minor
            WHEN 'platform_fee_returned' THEN -e.amount_minor END), 0)
            AS booked,
        coalesce(sum(CASE e.kind WHEN 'platform_fee_tax' THEN e.amount_minor
            WHEN 'platform_fee_tax_returned' THEN -e.amount_minor END), 0)
            AS booked_tax,
        count(DISTINCT e.source) FILTER (
            WHERE starts_with(e.kind, 'platform_fee'))
            AS entries
    INTO v_sum
    FROM journal_entry e
    WHERE e.checkout_id = p_order.checkout_id
        AND e.merchant_id = p_order.merchant_id
        AND e.payment_order_id = p_order.payment_order_id;

    v_whole := kept_fee(v_terms.returns, whole_fee(v_terms, v_commission,
        p_order.amount_minor, v_sum.captured), v_sum.captured, v_sum.back);
    -- rounded upwards by the conversion, it could be more than the sale
    v_due.fee_minor := least(
        seller_part(p_order.amount_minor, v_credit, 0, v_whole),
        div(seller_part(p_order.amount_minor, v_credit, 0,
                        v_sum.captured)::numeric * 100,
            100 + v_terms.tax_percent));
    v_due.tax_minor := half_even(v_due.fee_minor * v_terms.tax_percent
                                 * 0.01);
    v_due.booked_minor := v_sum.booked;
    v_due.booked_tax := v_sum.booked_tax;
    v_due.entries := v_sum.entries;

    RETURN v_due;
END
$$;
COMMENT ON FUNCTION pay.fee_of IS
    'The fee of an order as it should be, and as it is booked';


-- The function of releases before migration 0028 has no payment method.  It is
-- dropped here, in the commit that replaces its callers, and not in the
-- migration: a sale in between would find none.
DROP FUNCTION IF EXISTS pay.commission_at(text, text, text, text, timestamptz);

-- The row of the schedule that counts at a moment.  A row about the seller comes
-- before one about all sellers, then one about the payment method (NULL: not
-- known) before one about all methods, then one about the PSP before one about
-- all PSPs.  Of rows about the same the one that is valid last counts, and of
-- those of one time the last one.
CREATE OR REPLACE FUNCTION pay.commission_at(
    p_merchant_id text, p_seller text, p_psp text, p_currency text,
    p_at timestamptz, p_payment_method text DEFAULT NULL)
RETURNS commission LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_found commission;
BEGIN
    SELECT c.* INTO v_found
    FROM (VALUES (1, p_seller, p_payment_method, p_psp),
        (2, p_seller, p_payment_method, ''), (3, p_seller, '', p_psp),
        (4, p_seller, '', ''), (5, '', p_payment_method, p_psp),
        (6, '', p_payment_method, ''), (7, '', '', p_psp), (8, '', '', ''))
        AS k (rank, seller, method, psp)
    CROSS JOIN LATERAL (
        SELECT x.* FROM commission x
        WHERE x.merchant_id = p_merchant_id AND x.currency = p_currency
            AND x.seller_account = k.seller AND x.payment_method = k.method
            AND x.psp = k.psp AND x.valid_from <= p_at
        ORDER BY x.valid_from DESC, x.commission_id DESC LIMIT 1) c
    WHERE c.percent IS NOT NULL
    ORDER BY k.rank LIMIT 1;

    RETURN v_found;
END
$$;
COMMENT ON FUNCTION pay.commission_at IS
    'The commission on a sale of this seller by this payment method and PSP at '
    'this time';


-- Fixes the terms of orders with their first sale.  A later capture has those
-- of the first one.  The row of the checkout is locked by this transaction; it
-- is read for merchants that take fees only.
CREATE OR REPLACE FUNCTION pay.fix_fees(p_postings posting[], p_new int[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO order_fee (merchant_id, payment_order_id, commission_id,
        returns, tax_percent)
    SELECT f.merchant_id, s.payment_order_id, c.commission_id, f.returns,
        f.tax_percent
    FROM (
        SELECT DISTINCT ON (p.merchant_id, p.payment_order_id) p.merchant_id,
            p.checkout_id, p.payment_order_id, p.psp, p.seller_account,
            p.currency
        FROM unnest(p_postings) WITH ORDINALITY AS p
        WHERE p.kind IN ('sale', 'late_accepted')
            AND p.payment_order_id IS NOT NULL
            AND coalesce(p.ordinality = ANY (p_new), true)
        ORDER BY p.merchant_id, p.payment_order_id, p.ordinality) s
    JOIN fee_policy f ON f.merchant_id = s.merchant_id
    CROSS JOIN LATERAL (
        SELECT min(e.at) AS at FROM journal_entry e
        WHERE e.checkout_id = s.checkout_id
            AND e.merchant_id = s.merchant_id
            AND e.payment_order_id = s.payment_order_id
            AND e.kind IN ('sale', 'late_accepted')) t
    LEFT JOIN LATERAL (
        SELECT k.payment_method FROM checkout k
        WHERE k.merchant_id = s.merchant_id AND k.checkout_id = s.checkout_id
        OFFSET 0) k ON true
    CROSS JOIN LATERAL commission_at(s.merchant_id, s.seller_account, s.psp,
                                     s.currency, t.at, k.payment_method) c
    WHERE c.commission_id IS NOT NULL
    ON CONFLICT (merchant_id, payment_order_id) DO NOTHING;
END
$$;
COMMENT ON FUNCTION pay.fix_fees IS
    'Keeps the terms of the fees of orders that are sold';


-- The entries of one order whose fee changes; their source has a number of its
-- own, because a fee may be given back and booked again.
CREATE OR REPLACE FUNCTION pay.fee_entries(
    p_order payment_order, p_due fee_due, p_psp text, p_request_id text)
RETURNS posting[] LANGUAGE sql IMMUTABLE AS $$
SELECT array_agg(ROW((p_order).merchant_id, concat('fee/',
        (p_order).payment_order_id, '/', (p_due).entries + 1),
    k.kind || CASE WHEN k.minor < 0 THEN '_returned' ELSE '' END,
    (p_order).checkout_id, (p_order).payment_order_id, p_psp,
    (p_order).seller_account, abs(k.minor),
    coalesce((p_order).credit_currency, (p_order).currency), NULL, NULL,
    NULL, p_request_id)::posting ORDER BY k.kind)
FROM (VALUES
    ('platform_fee', (p_due).fee_minor - (p_due).booked_minor),
    ('platform_fee_tax', (p_due).tax_minor - (p_due).booked_tax))
    AS k (kind, minor)
WHERE k.minor <> 0
$$;
COMMENT ON FUNCTION pay.fee_entries IS
    'Entries that bring the fee of an order to its amount';


-- The entries of fees that these postings bring about, of which p_new are new
-- (NULL: all).  The caller has booked their entries, and locks wallets after
-- this; the checkouts are locked.
CREATE OR REPLACE FUNCTION pay.fee_postings(p_postings posting[], p_new int[])
RETURNS posting[] LANGUAGE plpgsql AS $$
DECLARE
    v_row  record;
    v_due  fee_due;
    v_made posting[] := '{}';
BEGIN
    PERFORM fix_fees(p_postings, p_new);

    FOR v_row IN
        SELECT o, p.psp, p.request_id
        FROM (
            SELECT DISTINCT ON (x.merchant_id, x.payment_order_id) x.*
            FROM unnest(p_postings) WITH ORDINALITY AS x
            WHERE x.kind IN ('sale', 'late_accepted', 'refund',
                             'refund_external', 'refund_returned',
                             'dispute_lost', 'dispute_loss_moved')
                AND coalesce(x.ordinality = ANY (p_new), true)
            ORDER BY x.merchant_id, x.payment_order_id,
                x.ordinality DESC) p
        JOIN payment_order o ON o.merchant_id = p.merchant_id
            AND o.payment_order_id = p.payment_order_id
        WHERE EXISTS (
            SELECT FROM order_fee f
            WHERE f.merchant_id = p.merchant_id
                AND f.payment_order_id = p.payment_order_id)
        ORDER BY p.merchant_id, p.payment_order_id
    LOOP
        v_due := fee_of(v_row.o);
        UPDATE payment_order o
        SET fee_minor = v_due.fee_minor, fee_tax_minor = v_due.tax_minor
        WHERE o.merchant_id = (v_row.o).merchant_id
            AND o.payment_order_id = (v_row.o).payment_order_id
            AND (o.fee_minor, o.fee_tax_minor) IS DISTINCT FROM
                (v_due.fee_minor, v_due.tax_minor);
        v_made := v_made || coalesce(fee_entries(v_row.o, v_due, v_row.psp,
                                                 v_row.request_id), '{}');
    END LOOP;

    RETURN v_made;
END
$$;
COMMENT ON FUNCTION pay.fee_postings IS
    'Entries of the fees that sales bring about, and refunds give back';


-- The postings with those of fees behind them, whose entries are booked here.
-- A fee moves the wallet of its sale, which exists.
CREATE OR REPLACE FUNCTION pay.with_fees(
    INOUT p_postings posting[], INOUT p_new int[])
LANGUAGE plpgsql AS $$
DECLARE
    v_fees  posting[] := fee_postings(p_postings, p_new);
    v_first int := cardinality(p_postings) + 1;
BEGIN
    IF v_fees = '{}' THEN
        RETURN;
    END IF;

    PERFORM insert_entries(v_fees);
    p_postings := p_postings || v_fees;
    IF p_new IS NOT NULL THEN
        p_new := p_new || ARRAY(SELECT generate_series(v_first,
            cardinality(p_postings)));
    END IF;
END
$$;
COMMENT ON FUNCTION pay.with_fees IS
    'Postings and the fees that they bring about';


CREATE OR REPLACE FUNCTION pay.given_fees_ok(p_fees jsonb)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN jsonb_typeof(p_fees) = 'array' AND NOT EXISTS (
        SELECT FROM jsonb_array_elements(p_fees) f
        WHERE f::text !~ '^(null|0|[1-9][0-9]{0,14})$');
END
$$;
COMMENT ON FUNCTION pay.given_fees_ok IS
    'Whether these are fees of orders, in minor units or null';


-- Fees that the storefront gives with the orders of new checkouts, in their
-- sequence; null: the schedule decides when the order is sold.
CREATE OR REPLACE FUNCTION pay.keep_given_fees(
    p_items int[], p_item int[], p_place int[], p_id text[],
    p_minor bigint[], p_merchant_id text[], p_terms jsonb[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM generate_subscripts(p_item, 1) k
        WHERE p_item[k] = ANY (p_items)
            AND (p_terms[p_item[k]] -> 'fees' ->> (p_place[k] - 1))::bigint
                > p_minor[k])
    THEN
        RAISE EXCEPTION 'a fee is larger than its order'
            USING ERRCODE = 'PAY11';
    END IF;

    INSERT INTO fee_policy (merchant_id)
    SELECT DISTINCT p_merchant_id[n] FROM unnest(p_items) n
    WHERE p_terms[n] -> 'fees' IS NOT NULL
    ORDER BY 1
    ON CONFLICT DO NOTHING;

    INSERT INTO order_fee (merchant_id, payment_order_id, given_minor,
        returns, tax_percent)
    SELECT f.merchant_id, p_id[k], g.minor, f.returns, f.tax_percent
    FROM generate_subscripts(p_item, 1) k
    CROSS JOIN LATERAL (
        SELECT (p_terms[p_item[k]] -> 'fees' ->> (p_place[k] - 1))::bigint
            AS minor) g
    JOIN fee_policy f ON f.merchant_id = p_merchant_id[p_item[k]]
    WHERE p_item[k] = ANY (p_items) AND g.minor IS NOT NULL;
END
$$;
COMMENT ON FUNCTION pay.keep_given_fees IS
    'Keeps the fees that came with new orders';
