-- Items: the lines of a wallet that may be paid out, as one pay-out, whose
-- money is reserved in the same commit.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Locks the wallets, takes in their lines, and books the rolling reserves that
-- begin and end.  The lines of these entries are taken in, too.
CREATE OR REPLACE FUNCTION pay.refresh_payout_wallets(
    p_merchant_id text, p_seller text[], p_currency text[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_postings posting[];
BEGIN
    PERFORM lock_wallets(array_fill(p_merchant_id,
        ARRAY[cardinality(p_seller)]), p_seller, p_currency);
    PERFORM take_payout_lines(p_merchant_id, p_seller, p_currency);

    v_postings := begin_reserves(p_merchant_id, p_seller, p_currency)
        || end_reserves(p_merchant_id, p_seller, p_currency);
    IF v_postings <> '{}' THEN
        PERFORM post(v_postings);
        PERFORM take_payout_lines(p_merchant_id, p_seller, p_currency);
    END IF;
END
$$;
COMMENT ON FUNCTION pay.refresh_payout_wallets IS
    'Locks wallets, and brings the lines that may be paid out up to date';


-- The same lines to the same destination have the same key.
CREATE OR REPLACE FUNCTION pay.payout_key_of(
    p_merchant_id text, p_seller text, p_currency text,
    p_destination_id text, p_seqs bigint[])
RETURNS text LANGUAGE sql STABLE AS $$
SELECT left(encode(sha256(convert_to(concat_ws('|', p_merchant_id, p_seller,
    p_currency, p_destination_id, array_to_string(p_seqs, ',')), 'UTF8')),
    'hex'), 32)
$$;
COMMENT ON FUNCTION pay.payout_key_of IS
    'The key of an item: of its lines, in their order, and its destination';


-- A UUID of version 7: ids that are made together stand together in all indexes,
-- where those of version 4 touch another page for each item.
CREATE OR REPLACE FUNCTION pay.next_payout_id()
RETURNS text LANGUAGE sql VOLATILE AS $$
SELECT overlay(lpad(to_hex((extract(epoch FROM clock_timestamp())
        * 1000)::bigint), 12, '0') PLACING '-' FROM 9 FOR 0) || '-7'
    || substr(gen_random_uuid()::text, 16)
$$;
COMMENT ON FUNCTION pay.next_payout_id IS 'The id of a new item';


-- p_account NULL: the seller has none.
CREATE OR REPLACE FUNCTION pay.payout_stop_of(
    p_is_held boolean, p_account payout_account, p_usable_from timestamptz)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT CASE WHEN p_is_held THEN 'hold'
    WHEN p_account.destination_id IS NULL THEN 'no_destination'
    WHEN p_account.state <> 'open' THEN p_account.state
    WHEN p_usable_from > now() THEN 'cooling_off' END
$$;
COMMENT ON FUNCTION pay.payout_stop_of IS
    'The reason why a seller gets no item: hold, no_destination, suspect, '
    'blocked, cooling_off; NULL: there is none';


-- For each wallet the item that it could have, and the reason why it has none:
-- nothing (to pay), minimum, no_destination, suspect, blocked, cooling_off,
-- hold.  Each wallet looks its own rows up, whatever a plan knows of the tables.
CREATE OR REPLACE FUNCTION pay.plan_payouts(
    p_merchant_id text, p_seller text[], p_currency text[])
RETURNS SETOF payout_plan LANGUAGE sql STABLE AS $$
SELECT u.seller, u.currency, CASE
        WHEN coalesce(g.amount_minor, 0) <= 0 THEN 'nothing'
        WHEN s.stop IS NOT NULL THEN s.stop
        WHEN g.amount_minor < m.minimum_minor THEN 'minimum'
        ELSE 'made' END,
    next_payout_id(), g.amount_minor,
    w.available_minor - g.amount_minor, d.provider, (a.account).destination_id,
    (a.account).version, g.seqs
FROM unnest(p_seller, p_currency) AS u (seller, currency)
CROSS JOIN LATERAL (
    SELECT w.available_minor FROM wallet w
    WHERE w.merchant_id = p_merchant_id
        AND w.seller_account = u.seller AND w.currency = u.currency
    OFFSET 0) w
CROSS JOIN LATERAL (
    SELECT (sum(o.amount_minor) FILTER (WHERE s.n = 1))::bigint
            AS amount_minor,
        array_agg(s.seq ORDER BY s.seq) AS seqs
    FROM open_payout_orders(p_merchant_id, ARRAY[u.seller],
                            ARRAY[u.currency]) o
    CROSS JOIN LATERAL unnest(o.seqs) WITH ORDINALITY AS s (seq, n)
    WHERE o.stop IS NULL) g
LEFT JOIN LATERAL (
    SELECT x AS account FROM payout_account x
    WHERE x.merchant_id = p_merchant_id AND x.seller_account = u.seller
        AND x.currency = u.currency AND x.state <> 'closed'
    OFFSET 0) a ON true
LEFT JOIN LATERAL (
    SELECT d.provider, d.usable_from FROM payout_destination d
    WHERE d.merchant_id = p_merchant_id
        AND d.destination_id = (a.account).destination_id
        AND d.version = (a.account).version
    OFFSET 0) d ON true
LEFT JOIN LATERAL (
    SELECT m.minimum_minor FROM payout_minimum m
    WHERE m.merchant_id = p_merchant_id AND m.currency = u.currency
    OFFSET 0) m ON true
CROSS JOIN LATERAL (
    SELECT EXISTS (
        SELECT FROM payout_hold h
        WHERE h.merchant_id = p_merchant_id AND h.seller_account = u.seller
            AND h.payment_order_id = '') AS is_held
    OFFSET 0) h
CROSS JOIN LATERAL (
    SELECT payout_stop_of(h.is_held, a.account, d.usable_from) AS stop) s
$$;
COMMENT ON FUNCTION pay.plan_payouts IS
    'The items that locked wallets could have, and why others have none';


CREATE OR REPLACE FUNCTION pay.keep_payouts(
    p_merchant_id text, p_plan payout_plan[], p_who text)
RETURNS tid[] LANGUAGE plpgsql AS $$
DECLARE
    v_places tid[];
BEGIN
    WITH kept AS (
        INSERT INTO payout (merchant_id, payout_id, payout_key, attempt,
            seller_account, currency, amount_minor, left_minor, line_count,
            provider, destination_id, destination_version, made_by, state)
        SELECT p_merchant_id, m.payout_id, k.key,
            1 + (SELECT count(*) FROM payout p WHERE p.payout_key = k.key),
            m.seller_account, m.currency, m.amount_minor, m.left_minor,
            cardinality(m.seqs), m.provider, m.destination_id, m.version, p_who,
            'ready'
        FROM unnest(p_plan) m
        CROSS JOIN LATERAL (
            SELECT payout_key_of(p_merchant_id, m.seller_account, m.currency,
                                 m.destination_id, m.seqs) AS key
            OFFSET 0) k
        RETURNING ctid
    )
    SELECT array_agg(k.ctid) INTO v_places FROM kept k;

    INSERT INTO payout_part (merchant_id, payout_id, seller_account,
        currency, wallet_seq)
    SELECT p_merchant_id, m.payout_id, m.seller_account, m.currency, s
    FROM unnest(p_plan) m, unnest(m.seqs) s;

    -- from the plan to the lines, one by one: the merchant may have millions
    UPDATE payout_line l SET is_open = false
    FROM unnest(p_plan) m
    CROSS JOIN LATERAL unnest(m.seqs) s
    CROSS JOIN LATERAL (
        SELECT x.ctid AS place FROM payout_line x
        WHERE x.merchant_id = p_merchant_id
            AND x.seller_account = m.seller_account
            AND x.currency = m.currency AND x.wallet_seq = s
        OFFSET 0) x
    WHERE l.ctid = x.place;

    RETURN v_places;
END
$$;
COMMENT ON FUNCTION pay.keep_payouts IS
    'Writes items, with their lines: where their rows are';


-- One item for each of the wallets that has something to pay: all of them in
-- one commit, in which screening may still hold it.
CREATE OR REPLACE FUNCTION pay.make_payouts(
    p_merchant_id text, p_seller text[], p_currency text[], p_who text)
RETURNS SETOF payout_plan LANGUAGE plpgsql AS $$
DECLARE
    v_plan     payout_plan[];
    v_made     payout_plan[];
    v_places   tid[];
BEGIN
    PERFORM refresh_payout_wallets(p_merchant_id, p_seller, p_currency);
    v_plan := ARRAY(SELECT p FROM plan_payouts(p_merchant_id, p_seller,
                                               p_currency) p);
    v_made := ARRAY(SELECT p FROM unnest(v_plan) p
                    WHERE p.outcome = 'made');

    v_places := keep_payouts(p_merchant_id, v_made, p_who);
    PERFORM post(ARRAY(SELECT payout_posting(p, 'payout_reserved')
                       FROM payout p WHERE p.ctid = ANY (v_places)));
    PERFORM keep_payout_advices(v_places, p_who);
    IF EXISTS (SELECT FROM screening_policy s
               WHERE s.merchant_id = p_merchant_id AND s.is_on)
    THEN
        PERFORM hold_by_screening(p)
        FROM unnest(v_made) m
        CROSS JOIN LATERAL (
            SELECT x.* FROM payout x
            WHERE x.merchant_id = p_merchant_id
                AND x.payout_id = m.payout_id
            OFFSET 0) p;
    END IF;

    RETURN QUERY SELECT * FROM unnest(v_plan);
END
$$;
COMMENT ON FUNCTION pay.make_payouts IS
    'Makes the items of these wallets, and says why others have none';


CREATE OR REPLACE FUNCTION pay.payout_posting(p_payout payout, p_kind text)
RETURNS posting LANGUAGE sql IMMUTABLE AS $$
SELECT ROW(p_payout.merchant_id, 'pay-out/' || p_payout.payout_id, p_kind,
    NULL, NULL, p_payout.provider, p_payout.seller_account,
    p_payout.amount_minor, p_payout.currency, NULL, NULL, NULL,
    NULL)::posting
$$;
COMMENT ON FUNCTION pay.payout_posting IS 'An entry of an item';


-- Checked at the commit, for each item as it stands then.  Its entries are those
-- of its state, and its lines are live exactly as long as it is: so money is never
-- available again while a key is alive, and no item is without its reservation.
CREATE OR REPLACE FUNCTION pay.payout_is_booked() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_item record;
    v_due  text[];
BEGIN
    SELECT p.state, p.line_count, ARRAY(
            SELECT e.kind
            FROM journal_entry e
            WHERE e.merchant_id = p.merchant_id
                AND e.source = 'pay-out/' || p.payout_id
                AND e.amount_minor = p.amount_minor
                AND e.currency = p.currency
            ORDER BY e.kind) AS booked, (
            SELECT count(*) FROM payout_part t
            WHERE t.merchant_id = p.merchant_id
                AND t.payout_id = p.payout_id
                AND t.is_live = (p.voided_at IS NULL)) AS lines
    INTO v_item
    FROM payout p
    WHERE p.merchant_id = NEW.merchant_id AND p.payout_id = NEW.payout_id;

    v_due := CASE
        WHEN v_item.state IN ('failed', 'cancelled')
            THEN '{payout_released,payout_reserved}'
        WHEN v_item.state IN ('sent', 'paid', 'settled')
            THEN '{payout_reserved,payout_sent}'
        WHEN v_item.state = 'returned'
            THEN '{payout_reserved,payout_returned,payout_sent}'
        ELSE '{payout_reserved}' END;

    IF v_item.booked IS DISTINCT FROM v_due THEN
        RAISE EXCEPTION 'pay-out % is %, and % is booked', NEW.payout_id,
            v_item.state, coalesce(nullif(array_to_string(v_item.booked, ' '),
                                          ''), 'nothing') USING ERRCODE = 'PAY22';
    ELSIF v_item.lines IS DISTINCT FROM v_item.line_count THEN
        RAISE EXCEPTION 'the lines of pay-out % are not those of its state',
            NEW.payout_id USING ERRCODE = 'PAY22';
    END IF;

    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pay.payout_is_booked IS
    'The entries and the lines of an item are those of its state';


-- p_currency NULL: all wallets of the seller.
CREATE OR REPLACE FUNCTION pay_ops.make_payouts(
    p_merchant_id text, p_seller_account text, p_currency text, p_who text)
RETURNS TABLE (outcome text, seller_account text, currency text,
    payout_id text, amount_minor bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_wallets record;
BEGIN
    IF NOT is_statement(p_who) THEN
        outcome := 'invalid';
        RETURN NEXT;
        RETURN;
    END IF;

    SELECT array_agg(w.seller_account::text) AS sellers,
        array_agg(w.currency::text) AS currencies
    INTO v_wallets
    FROM wallet w
    WHERE w.merchant_id = p_merchant_id
        AND w.seller_account = p_seller_account
        AND coalesce(w.currency = p_currency, true);
    IF v_wallets.sellers IS NULL THEN
        outcome := 'not_found';
        RETURN NEXT;
        RETURN;
    END IF;

    RETURN QUERY
    SELECT m.outcome, m.seller_account, m.currency,
        CASE WHEN m.outcome = 'made' THEN m.payout_id END, m.amount_minor
    FROM make_payouts(p_merchant_id, v_wallets.sellers,
                      v_wallets.currencies, p_who) m
    ORDER BY m.currency;
END
$$;
COMMENT ON FUNCTION pay_ops.make_payouts IS
    'Makes the pay-outs of a seller, one for each currency: made, or why '
    'not: nothing, hold, no_destination, suspect, blocked, cooling_off, '
    'minimum; not_found or invalid';
