-- The ledger: post() books, and nothing else writes to the journal or to a
-- wallet.  What an entry of a kind consists of stands in posting_rule.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Half of a minor unit goes to the even neighbour (banker's rounding): over
-- many amounts nobody gains.  round() itself goes away from zero.
CREATE OR REPLACE FUNCTION pay.half_even(p_value numeric)
RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS $$
SELECT CASE WHEN abs(p_value - trunc(p_value)) = 0.5
            THEN 2 * round(p_value / 2, 0)
            ELSE round(p_value, 0) END
$$;
COMMENT ON FUNCTION pay.half_even IS 'Rounded to a whole, halves to even';


-- The part of what the seller is owed for an order (p_credit_minor) that
-- belongs to p_part of its amount when p_before of it was taken already.
-- Rounded along the way, so that the parts of the whole sum to the whole.
-- 20 decimals tell a half from what is near it; without them numeric gives a
-- large quotient four.
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


-- Wallets of new sellers, and the lock of all that this batch touches, in key
-- order: two batches cannot deadlock, since each takes its wallets last and
-- all at once.
CREATE OR REPLACE FUNCTION pay.lock_wallets(
    p_merchant_id text[], p_seller text[], p_currency text[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_wanted bigint;
    v_locked bigint;
BEGIN
    SELECT count(*), count(w.seq) INTO v_wanted, v_locked
    FROM (SELECT DISTINCT * FROM unnest(p_merchant_id, p_seller, p_currency)
          ORDER BY 1, 2, 3) AS u (merchant_id, seller, currency)
    LEFT JOIN LATERAL (
        SELECT w.seq FROM wallet w
        WHERE w.merchant_id = u.merchant_id
            AND w.seller_account = u.seller AND w.currency = u.currency
        OFFSET 0) w ON true;

    IF v_locked < v_wanted THEN
        INSERT INTO wallet (merchant_id, seller_account, currency)
        SELECT DISTINCT u.merchant_id, u.seller, u.currency
        FROM unnest(p_merchant_id, p_seller, p_currency)
            AS u (merchant_id, seller, currency)
        ORDER BY 1, 2, 3
        ON CONFLICT DO NOTHING;
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


-- Entries that are new, by the numbers of their postings.  A twin in the
-- batch, and what was booked before, is left out.
CREATE OR REPLACE FUNCTION pay.insert_entries(p_postings posting[])
RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
    v_sources text[];
    v_kinds   text[];
    v_owners  text[];
BEGIN
    WITH won AS (
        INSERT INTO journal_entry AS e (merchant_id, source, kind,
            checkout_id, payment_order_id, psp, seller_account, amount_minor,
            currency, seller_minor, seller_currency, rate, request_id)
        SELECT DISTINCT ON (p.merchant_id, p.source, p.kind)
            p.merchant_id, p.source, p.kind, p.checkout_id,
            p.payment_order_id, p.psp, p.seller_account, p.amount_minor,
            p.currency, coalesce(p.seller_minor, p.amount_minor),
            coalesce(p.seller_currency, p.currency), p.rate, p.request_id
        FROM unnest(p_postings) WITH ORDINALITY AS p
        ORDER BY p.merchant_id, p.source, p.kind, p.ordinality
        ON CONFLICT (merchant_id, source, kind) DO NOTHING
        RETURNING e.merchant_id, e.source, e.kind
    )
    SELECT array_agg(w.merchant_id::text), array_agg(w.source::text),
        array_agg(w.kind)
    INTO v_owners, v_sources, v_kinds
    FROM won w;

    IF cardinality(v_kinds) = cardinality(p_postings) THEN
        RETURN ARRAY(SELECT generate_series(1, cardinality(p_postings)));
    END IF;

    RETURN ARRAY(
        SELECT min(p.ordinality)::int
        FROM unnest(p_postings) WITH ORDINALITY AS p
        WHERE (p.merchant_id, p.source, p.kind) IN (
            SELECT * FROM unnest(v_owners, v_sources, v_kinds))
        GROUP BY p.merchant_id, p.source, p.kind);
END
$$;
COMMENT ON FUNCTION pay.insert_entries IS
    'Journal entries of a batch; returns those that are new';


-- What the rules make of new entries, numbered along their wallets; grown is
-- what this part of the wallet has grown by with this line.  A credit is what
-- a seller is owed more, so it is turned.
CREATE OR REPLACE FUNCTION pay.ruled_lines(p_postings posting[], p_new int[])
RETURNS TABLE (
    merchant_id text, source text, kind text, line int, account text,
    wallet text, owner text, currency text, amount_minor bigint, nth bigint,
    grown numeric)
LANGUAGE sql STABLE AS $$
SELECT l.merchant_id, l.source, l.kind, l.line, l.account, l.wallet,
    l.owner, l.currency, l.amount_minor,
    row_number() OVER w,
    CASE l.wallet
        WHEN 'available'
            THEN -sum(l.amount_minor) FILTER (WHERE l.wallet = 'available')
                     OVER w
        WHEN 'pending'
            THEN -sum(l.amount_minor) FILTER (WHERE l.wallet = 'pending')
                     OVER w
        WHEN 'reserved'
            THEN -sum(l.amount_minor) FILTER (WHERE l.wallet = 'reserved')
                     OVER w END
FROM (
    SELECT p.ordinality AS n, p.merchant_id, p.source, p.kind, r.line,
        r.account, r.wallet,
        CASE r.owner WHEN 'psp' THEN p.psp
                     WHEN 'seller' THEN p.seller_account
                     ELSE '-' END AS owner,
        CASE r.leg WHEN 'buyer' THEN p.currency
            ELSE coalesce(p.seller_currency, p.currency) END AS currency,
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
    WHERE p.ordinality = ANY (p_new)
    ) l
WHERE l.amount_minor <> 0
WINDOW w AS (PARTITION BY l.wallet IS NULL, l.merchant_id, l.owner, l.currency
             ORDER BY l.n, l.line)
$$;
COMMENT ON FUNCTION pay.ruled_lines IS
    'The lines of postings by the rules, without what is nothing';


-- The lines of new entries and their sellers' wallets: one update a wallet,
-- however many lines it has in this batch.  All parts of the statement see
-- the wallets as they were, locked and not yet moved.
CREATE OR REPLACE FUNCTION pay.insert_lines(p_postings posting[], p_new int[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH line AS MATERIALIZED (
        SELECT * FROM ruled_lines(p_postings, p_new)
    ), moved AS (
        SELECT l.merchant_id, l.owner, l.currency, count(*) AS lines,
            coalesce(-sum(l.amount_minor)
                     FILTER (WHERE l.wallet = 'available'), 0) AS available,
            coalesce(-sum(l.amount_minor)
                     FILTER (WHERE l.wallet = 'pending'), 0) AS pending,
            coalesce(-sum(l.amount_minor)
                     FILTER (WHERE l.wallet = 'reserved'), 0) AS reserved
        FROM line l
        WHERE l.wallet IS NOT NULL
        GROUP BY l.merchant_id, l.owner, l.currency
    ), changed AS (
        UPDATE wallet w
        SET available_minor = w.available_minor + m.available,
            pending_minor = w.pending_minor + m.pending,
            reserved_minor = w.reserved_minor + m.reserved,
            seq = w.seq + m.lines, changed_at = clock_timestamp()
        FROM moved m
        CROSS JOIN LATERAL (
            SELECT k.tableoid AS part, k.ctid AS tid FROM wallet k
            WHERE k.merchant_id = m.merchant_id
                AND k.seller_account = m.owner AND k.currency = m.currency
            OFFSET 0) k
        WHERE w.ctid = k.tid AND w.tableoid = k.part
    )
    INSERT INTO journal_line (merchant_id, source, kind, line, account,
        owner, currency, amount_minor, wallet_seq, balance_minor)
    SELECT l.merchant_id, l.source, l.kind, l.line, l.account, l.owner,
        l.currency, l.amount_minor, w.seq + l.nth, w.held + l.grown
    FROM line l
    LEFT JOIN LATERAL (
        SELECT w.seq, CASE l.wallet WHEN 'available' THEN w.available_minor
                                    WHEN 'pending' THEN w.pending_minor
                                    ELSE w.reserved_minor END AS held
        FROM wallet w
        WHERE w.merchant_id = l.merchant_id AND w.seller_account = l.owner
            AND w.currency = l.currency
        OFFSET 0) w ON l.wallet IS NOT NULL;
END
$$;
COMMENT ON FUNCTION pay.insert_lines IS
    'Lines of new entries, and the wallets that they move';


-- Books what is not booked yet: once for each (source, kind).  The caller
-- holds the locks of the checkouts, and calls this once, last: the wallets
-- are locked here, after everything else.
CREATE OR REPLACE FUNCTION pay.post(p_postings posting[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_new int[];
BEGIN
    IF coalesce(cardinality(p_postings), 0) = 0 THEN
        RETURN;
    END IF;

    v_new := insert_entries(p_postings);
    IF v_new = '{}' THEN
        RETURN;
    END IF;

    PERFORM lock_wallets(array_agg(p.merchant_id),
        array_agg(p.seller_account),
        array_agg(coalesce(p.seller_currency, p.currency)))
    FROM unnest(p_postings) WITH ORDINALITY AS p
    WHERE p.ordinality = ANY (v_new) AND p.seller_account IS NOT NULL
    HAVING count(*) > 0;

    PERFORM insert_lines(p_postings, v_new);
END
$$;
COMMENT ON FUNCTION pay.post IS
    'Books postings once each: entries, lines, wallets';


-- At the commit, for each entry: what is of one currency, as nearly all of
-- them, is summed in one go.
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
