-- The ledger: post() books, and nothing else writes to the journal or to a
-- wallet.  posting_rule defines the lines of each kind of entry.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Rounds half of a minor unit to the even neighbour (banker's rounding), so
-- that over many amounts neither side gains.  round() itself rounds it away
-- from zero.
CREATE OR REPLACE FUNCTION pay.half_even(p_value numeric)
RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS $$
SELECT CASE WHEN abs(p_value - trunc(p_value)) = 0.5
            THEN 2 * round(p_value / 2, 0)
            ELSE round(p_value, 0) END
$$;
COMMENT ON FUNCTION pay.half_even IS 'Rounded to a whole, halves to even';


-- The part of an order's credit (p_credit_minor) that belongs to p_part of its
-- amount when p_before of the amount was taken already.  It is rounded
-- cumulatively, so that the parts of the whole sum to the whole.  20 decimals
-- distinguish a half from its neighbours; without them numeric gives a large
-- quotient four.
CREATE OR REPLACE FUNCTION pay.seller_part(
    p_amount_minor bigint, p_credit_minor bigint, p_before bigint,
    p_part bigint)
RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
SELECT (pay.half_even(round((p_before + p_part)::numeric * p_credit_minor, 20)
                      / p_amount_minor)
        - pay.half_even(round(p_before::numeric * p_credit_minor, 20)
                        / p_amount_minor))::bigint
$$;
COMMENT ON FUNCTION pay.seller_part IS
    'A part of an order''s amount in the currency that the seller is owed';


-- Wallets of new sellers, in key order.
CREATE OR REPLACE FUNCTION pay.make_wallets(
    p_merchant_id text[], p_seller text[], p_currency text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO wallet (merchant_id, seller_account, currency)
    SELECT DISTINCT u.merchant_id, u.seller, u.currency
    FROM unnest(p_merchant_id, p_seller, p_currency)
        AS u (merchant_id, seller, currency)
    ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION pay.make_wallets IS
    'Makes the wallets of sellers that have none';


-- Creates the wallets of new sellers and locks all wallets that this batch
-- touches, in key order: two batches cannot deadlock, since each locks its
-- wallets last and all at once.  post() keeps the same order: new ones first,
-- then the locks.
CREATE OR REPLACE FUNCTION pay.lock_wallets(
    p_merchant_id text[], p_seller text[], p_currency text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM unnest(p_merchant_id, p_seller, p_currency)
            AS u (merchant_id, seller, currency)
        LEFT JOIN LATERAL (
            SELECT w.seq FROM wallet w
            WHERE w.merchant_id = u.merchant_id
                AND w.seller_account = u.seller AND w.currency = u.currency
            OFFSET 0) w ON true
        WHERE w.seq IS NULL)
    THEN
        PERFORM make_wallets(p_merchant_id, p_seller, p_currency);
    END IF;

    PERFORM FROM (
        SELECT DISTINCT * FROM unnest(p_merchant_id, p_seller, p_currency)
        ORDER BY 1, 2, 3) AS u (merchant_id, seller, currency)
    CROSS JOIN LATERAL (
        SELECT FROM wallet w
        WHERE w.merchant_id = u.merchant_id
            AND w.seller_account = u.seller AND w.currency = u.currency
        FOR NO KEY UPDATE) w;
END
$$;
COMMENT ON FUNCTION pay.lock_wallets IS
    'Makes and locks the wallets of a batch in key order';


-- Entries that are new, by the numbers of their postings, in key order.  A
-- duplicate in the batch, and an entry that was booked before, is left out.
-- unowned: some seller has no wallet yet; has_fees: some order is of a merchant
-- that takes fees (14_fee.sql).
CREATE OR REPLACE FUNCTION pay.insert_entries(
    p_postings posting[], OUT new int[], OUT unowned boolean,
    OUT has_fees boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_owners  text[];
    v_sources text[];
    v_kinds   text[];
BEGIN
    WITH won AS (
        INSERT INTO journal_entry AS e (merchant_id, source, kind,
            checkout_id, payment_order_id, psp, seller_account, amount_minor,
            currency, seller_minor, seller_currency, rate, request_id)
        SELECT p.merchant_id, p.source, p.kind, p.checkout_id,
            p.payment_order_id, p.psp, p.seller_account, p.amount_minor,
            p.currency, coalesce(p.seller_minor, p.amount_minor),
            coalesce(p.seller_currency, p.currency), p.rate, p.request_id
        FROM unnest(p_postings) WITH ORDINALITY AS p
        ORDER BY p.merchant_id, p.source, p.kind, p.ordinality
        ON CONFLICT (merchant_id, source, kind) DO NOTHING
        RETURNING e.merchant_id, e.source, e.kind
    )
    SELECT array_agg(w.merchant_id::text), array_agg(w.source::text),
        array_agg(w.kind),
        EXISTS (SELECT FROM unnest(p_postings) p
                WHERE p.seller_account IS NOT NULL AND NOT EXISTS (
                    SELECT FROM wallet x
                    WHERE x.merchant_id = p.merchant_id
                        AND x.seller_account = p.seller_account
                        AND x.currency
                            = coalesce(p.seller_currency, p.currency)
                    OFFSET 0)),
        EXISTS (SELECT FROM (
                    SELECT DISTINCT p.merchant_id FROM unnest(p_postings) p
                    WHERE p.payment_order_id IS NOT NULL) m
                CROSS JOIN LATERAL (
                    SELECT FROM fee_policy f
                    WHERE f.merchant_id = m.merchant_id OFFSET 0) f)
    INTO v_owners, v_sources, v_kinds, unowned, has_fees
    FROM won w;

    IF cardinality(v_kinds) = cardinality(p_postings) THEN
        RETURN;
    END IF;

    new := ARRAY(
        SELECT min(p.ordinality)::int
        FROM unnest(p_postings) WITH ORDINALITY AS p
        WHERE (p.merchant_id, p.source, p.kind) IN (
            SELECT * FROM unnest(v_owners, v_sources, v_kinds))
        GROUP BY p.merchant_id, p.source, p.kind);
END
$$;
COMMENT ON FUNCTION pay.insert_entries IS
    'Journal entries of a batch; those that are new, NULL: all of them';


-- Lines of entries of which none moves a wallet: those of settlement files.
-- p_new: the numbers of the postings, NULL: all.
CREATE OR REPLACE FUNCTION pay.insert_plain_lines(
    p_postings posting[], p_new int[])
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_count int;
BEGIN
    INSERT INTO journal_line (merchant_id, source, kind, line, account,
        owner, currency, amount_minor)
    SELECT p.merchant_id, p.source, p.kind, r.line, r.account,
        CASE r.owner WHEN 'psp' THEN p.psp ELSE '-' END,
        CASE r.leg WHEN 'buyer' THEN p.currency
                   ELSE coalesce(p.seller_currency, p.currency) END,
        CASE r.side WHEN 'debit' THEN 1 ELSE -1 END
            * CASE r.leg WHEN 'buyer' THEN p.amount_minor
                         ELSE coalesce(p.seller_minor, p.amount_minor) END
    FROM unnest(p_postings) WITH ORDINALITY AS p
    JOIN (
        SELECT r.kind, r.line, r.account, r.side, r.leg, r.only_converted,
            k.owner
        FROM posting_rule r
        JOIN account_kind k ON k.account = r.account
        WHERE r.kind = ANY (ARRAY(SELECT DISTINCT u.kind
                                  FROM unnest(p_postings) u))
        OFFSET 0) r ON r.kind = p.kind
            AND (NOT r.only_converted OR p.rate IS NOT NULL)
    WHERE p_new IS NULL OR p.ordinality = ANY (p_new);
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.insert_plain_lines IS
    'Lines of entries between accounts that have no wallet: how many';


-- Books each posting that is not booked yet: once for each (source, kind).  The
-- caller holds the locks of the checkouts and calls this once, last: the
-- wallets are locked here, after everything else, in key order.  Entries that
-- are about no order lock none, and may be booked before.  The rules turn
-- the entries into lines, in the order of their wallets; each line states the
-- balance of its part of the wallet after it.  A credit increases what the
-- gateway owes the seller, so its sign is turned.
CREATE OR REPLACE FUNCTION pay.post(p_postings posting[])
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_made    record;
    v_line    record;
    v_wallet  wallet_state;
    v_wallets wallet_state[] := '{}';
    v_balance bigint;
    v_count   int;
    v_lines   journal_line[] := '{}';
BEGIN
    IF coalesce(cardinality(p_postings), 0) = 0 THEN
        RETURN 0;
    END IF;

    v_made := insert_entries(p_postings);
    IF v_made.new = '{}' THEN
        RETURN 0;
    END IF;

    IF NOT EXISTS (SELECT FROM unnest(p_postings) p
                   WHERE p.seller_account IS NOT NULL)
        AND NOT EXISTS (
            SELECT FROM (SELECT DISTINCT u.kind FROM unnest(p_postings) u) p
            CROSS JOIN LATERAL (
                SELECT FROM posting_rule r
                JOIN account_kind k ON k.account = r.account
                WHERE r.kind = p.kind AND k.wallet IS NOT NULL
                OFFSET 0) r)
    THEN
        RETURN insert_plain_lines(p_postings, v_made.new);
    END IF;

    IF v_made.unowned THEN
        PERFORM make_wallets(array_agg(p.merchant_id),
            array_agg(p.seller_account),
            array_agg(coalesce(p.seller_currency, p.currency)))
        FROM unnest(p_postings) p WHERE p.seller_account IS NOT NULL;
    END IF;

    IF v_made.has_fees THEN
        SELECT * INTO p_postings, v_made.new
        FROM with_fees(p_postings, v_made.new);
    END IF;

    FOR v_line IN
        SELECT l.*, w.*
        FROM (
            SELECT p.merchant_id, p.source, p.kind, r.line, r.account,
                r.wallet,
                CASE r.owner WHEN 'psp' THEN p.psp
                             WHEN 'seller' THEN p.seller_account
                             ELSE '-' END AS owner,
                CASE r.leg WHEN 'buyer' THEN p.currency
                    ELSE coalesce(p.seller_currency, p.currency)
                    END AS currency,
                CASE r.side WHEN 'debit' THEN 1 ELSE -1 END
                    * CASE r.leg WHEN 'buyer' THEN p.amount_minor
                        ELSE coalesce(p.seller_minor, p.amount_minor)
                      END AS amount_minor
            FROM unnest(p_postings) WITH ORDINALITY AS p
            CROSS JOIN LATERAL (
                SELECT r.line, r.account, r.side, r.leg, k.owner, k.wallet
                FROM posting_rule r
                JOIN account_kind k ON k.account = r.account
                WHERE r.kind = p.kind
                    AND (NOT r.only_converted OR p.rate IS NOT NULL)
                OFFSET 0) r
            WHERE v_made.new IS NULL OR p.ordinality = ANY (v_made.new)
            ORDER BY r.wallet IS NULL, p.merchant_id, p.seller_account,
                currency, p.ordinality, r.line
            ) l
        LEFT JOIN LATERAL (
            SELECT w.tableoid AS part, w.ctid AS tid,
                w.available_minor AS available, w.pending_minor AS pending,
                w.reserved_minor AS reserved, w.seq
            FROM wallet w
            WHERE l.wallet IS NOT NULL AND w.merchant_id = l.merchant_id
                AND w.seller_account = l.owner AND w.currency = l.currency
            FOR NO KEY UPDATE) w ON true
        WHERE l.amount_minor <> 0
    LOOP
        v_balance := NULL;

        IF v_line.wallet IS NOT NULL THEN
            IF (v_line.tid, v_line.part)
                IS DISTINCT FROM (v_wallet.tid, v_wallet.part)
            THEN
                IF v_wallet.tid IS NOT NULL THEN
                    v_wallets := v_wallets || v_wallet;
                END IF;
                v_wallet := ROW(v_line.part, v_line.tid, v_line.available,
                    v_line.pending, v_line.reserved, v_line.seq);
            END IF;

            CASE v_line.wallet
            WHEN 'available' THEN
                v_balance := v_wallet.available - v_line.amount_minor;
                v_wallet.available := v_balance;
            WHEN 'pending' THEN
                v_balance := v_wallet.pending - v_line.amount_minor;
                v_wallet.pending := v_balance;
            ELSE
                v_balance := v_wallet.reserved - v_line.amount_minor;
                v_wallet.reserved := v_balance;
            END CASE;
            v_wallet.seq := v_wallet.seq + 1;
        END IF;

        v_lines := v_lines || ROW(v_line.merchant_id, v_line.source,
            v_line.kind, v_line.line, v_line.account, v_line.owner,
            v_line.currency, v_line.amount_minor,
            CASE WHEN v_balance IS NOT NULL THEN v_wallet.seq END,
            v_balance)::journal_line;
    END LOOP;

    IF v_wallet.tid IS NOT NULL THEN
        v_wallets := v_wallets || v_wallet;
        UPDATE wallet w
        SET available_minor = m.available, pending_minor = m.pending,
            reserved_minor = m.reserved, seq = m.seq,
            changed_at = clock_timestamp()
        FROM unnest(v_wallets) m
        WHERE w.ctid = m.tid AND w.tableoid = m.part;

        GET DIAGNOSTICS v_count = ROW_COUNT;
        IF v_count <> cardinality(v_wallets) THEN
            RAISE EXCEPTION '% of % wallets were written', v_count,
                cardinality(v_wallets) USING ERRCODE = 'PAY23';
        END IF;
    END IF;

    INSERT INTO journal_line SELECT l.* FROM unnest(v_lines) l;

    RETURN cardinality(v_lines);
END
$$;
COMMENT ON FUNCTION pay.post IS
    'Books postings once each: entries, lines, wallets; how many lines';


-- Checked at the commit, for each entry.  An entry of one currency, as nearly
-- all are, is summed in one step.
CREATE OR REPLACE FUNCTION pay.entry_balances() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_lines int;
    v_plain boolean;
    v_wrong text;
BEGIN
    SELECT count(*), min(l.currency) = max(l.currency)
        AND sum(l.amount_minor) = 0
    INTO v_lines, v_plain
    FROM journal_line l
    WHERE l.merchant_id = NEW.merchant_id AND l.source = NEW.source
        AND l.kind = NEW.kind;

    IF v_lines >= 2 AND v_plain THEN
        RETURN NULL;
    END IF;

    SELECT min(l.currency) FILTER (WHERE l.total <> 0) INTO v_wrong
    FROM (SELECT l.currency, sum(l.amount_minor) AS total
          FROM journal_line l
          WHERE l.merchant_id = NEW.merchant_id AND l.source = NEW.source
              AND l.kind = NEW.kind
          GROUP BY l.currency) l;

    IF v_lines < 2 OR v_wrong IS NOT NULL THEN
        RAISE EXCEPTION 'entry % of % does not balance (% lines, %)',
            NEW.kind, NEW.source, v_lines, coalesce(v_wrong, 'too few')
            USING ERRCODE = 'PAY22';
    END IF;

    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pay.entry_balances IS
    'Double entry: two lines or more, that sum to nothing in each currency';
