-- Rows of a settlement file and the entries that they settle.  All statements
-- are set-based and read stored rows by key alone, so that the work grows with
-- the file and not with the tables.  Work tables have no statistics; functions
-- that join only these switch nested loops off, since the planner can only
-- guess the number of their rows.  The costs that it computes then would have
-- the statements compiled, so that JIT is off, too.  Private to schema pay.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


DO $$
BEGIN
    IF to_regtype('pay.settlement_owner') IS NULL THEN
        CREATE TYPE pay.settlement_owner AS (
            merchant_id text, checkout_id text, by_ref text);
    END IF;
END
$$;


-- The checkout by the reference under which PSPs know it, a UUID of version 7:
-- its first 48 bits are the millisecond in which a worker made it, shortly
-- before PostgreSQL stored the checkout.  So the list of checkouts by time
-- finds it, without an index of its own that each new checkout would pay for.
-- Adyen's references end in "-held" where the money is to be held.
CREATE OR REPLACE FUNCTION pay.referenced_checkout(
    p_psp text, p_merchant_id text, p_our_ref text)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT c.checkout_id
FROM (SELECT left(p_our_ref, 36) AS uuid, to_timestamp(('x' || translate(
          left(p_our_ref, 13), '-', ''))::bit(48)::bigint / 1000.0) AS at
      WHERE p_our_ref ~ ('^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]'
          '[0-9a-f]{3}-[0-9a-f]{12}(-held)?$')
      OFFSET 0) r
CROSS JOIN LATERAL (
    SELECT c.checkout_id FROM checkout c
    WHERE c.merchant_id = p_merchant_id AND c.total_minor > 0
        AND c.created_at >= r.at - interval '2 s'
        AND c.created_at <= r.at + interval '30 s'
        AND c.checkout_uuid = r.uuid::uuid AND c.psp = p_psp
    LIMIT 1) c
$$;
COMMENT ON FUNCTION pay.referenced_checkout IS
    'The checkout that a PSP knows by this reference of ours, or NULL';


-- The merchant and the checkout of the payment that a row is about, found by
-- the PSP's ids, then by ours: the nonce of the registration, the id of a
-- change, of an order, of the checkout, its reference at PSPs.  It returns a
-- set, so that the planner writes it into the query that calls it: a function
-- of its own costs more than the look-ups.
CREATE OR REPLACE FUNCTION pay.settlement_owners(
    p_psp text, p_merchant_id text, p_parent_ref text, p_psp_ref text,
    p_our_ref text)
RETURNS SETOF settlement_owner LANGUAGE sql STABLE ROWS 1 AS $$
SELECT (o.owner).merchant_id, (o.owner).checkout_id, (o.owner).by_ref
FROM (SELECT coalesce(
    (SELECT ROW(t.merchant_id, t.checkout_id, 'object')::settlement_owner
     FROM psp_token t
     WHERE t.psp = p_psp AND t.token = p_parent_ref
         AND t.checkout_id IS NOT NULL
     ORDER BY t.is_reference DESC LIMIT 1),
    (SELECT ROW(t.merchant_id, t.checkout_id, 'object')::settlement_owner
     FROM psp_token t
     WHERE t.psp = p_psp AND t.token = p_psp_ref
         AND t.checkout_id IS NOT NULL
     ORDER BY t.is_reference DESC LIMIT 1),
    (SELECT ROW(c.merchant_id, c.checkout_id, 'reference')::settlement_owner
     FROM checkout c WHERE c.psp = p_psp AND c.nonce = p_our_ref),
    (SELECT ROW(c.merchant_id, c.checkout_id, 'reference')::settlement_owner
     FROM change c WHERE c.change_id = p_our_ref AND c.psp = p_psp),
    (SELECT ROW(o.merchant_id, o.checkout_id, 'reference')::settlement_owner
     FROM payment_order o
     JOIN checkout c ON c.merchant_id = o.merchant_id
         AND c.checkout_id = o.checkout_id AND c.psp = p_psp
     WHERE o.merchant_id = p_merchant_id
         AND o.payment_order_id = p_our_ref),
    (SELECT ROW(c.merchant_id, c.checkout_id, 'reference')::settlement_owner
     FROM checkout c
     WHERE c.merchant_id = p_merchant_id AND c.checkout_id = p_our_ref
         AND c.psp = p_psp),
    (SELECT ROW(p_merchant_id, r.checkout_id, 'reference')::settlement_owner
     FROM (SELECT referenced_checkout(p_psp, p_merchant_id, p_our_ref)
               AS checkout_id) r
     WHERE r.checkout_id IS NOT NULL)) AS owner
    OFFSET 0) o
$$;
COMMENT ON FUNCTION pay.settlement_owners IS
    'The payment that a row is about, and by whose id it was found';


-- A row is matched by the family of its kind, and by the amount that the buyer
-- paid or got, in the buyer's currency.
CREATE OR REPLACE FUNCTION pay.settlement_family(p_kind text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN p_kind IN ('sale', 'sale_returned') THEN 'sale'
    WHEN p_kind IN ('refund', 'refund_returned') THEN 'refund'
    WHEN p_kind IN ('dispute', 'dispute_returned') THEN 'dispute'
    WHEN p_kind = 'fee' THEN 'fee'
    WHEN p_kind IN ('receipt', 'debit') THEN 'payout' END
$$;
COMMENT ON FUNCTION pay.settlement_family IS
    'Entries of which family a row of this kind settles; NULL: of none';


CREATE OR REPLACE FUNCTION pay.settlement_event(
    p_source text, p_row_key text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT 'settlement/' || p_source || '/'
    || CASE WHEN octet_length(p_row_key) <= 150 THEN p_row_key
            ELSE encode(sha256(convert_to(p_row_key, 'UTF8')), 'hex') END
$$;
COMMENT ON FUNCTION pay.settlement_event IS
    'Under what name a row that tells news stands in the inbox';


-- Rows of a part that a version before this one had lacked, where nothing was
-- booked about that: their exceptions end.  It is a step of its own, since it
-- locks the payments of these rows alone.
CREATE OR REPLACE FUNCTION pay.end_gone(
    p_file settlement_file, p_source settlement_source,
    p_part settlement_part)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_gone settlement_exception[];
BEGIN
    IF NOT EXISTS (SELECT FROM settlement_exception x
                   WHERE x.psp = coalesce(p_source.psp, '-')
                       AND x.finding = 'gone' AND x.closed_at IS NULL) THEN
        RETURN false;
    END IF;

    v_gone := ARRAY(
        SELECT x
        FROM settlement_staging s
        JOIN settlement_row r ON r.source = p_source.source
            AND r.row_key = s.row_key AND r.file_id <> p_file.file_id
        JOIN settlement_exception x ON x.row_id = r.row_id
            AND x.psp = coalesce(p_source.psp, '-')
            AND x.finding = 'gone' AND x.closed_at IS NULL
            AND NOT x.is_suspended
        WHERE s.file_id = p_file.file_id
            AND coalesce(s.first_line, s.line) >= p_part.first_line
            AND coalesce(s.first_line, s.line) < p_part.until_line);

    PERFORM lock_checkouts(array_agg(g.merchant_id::text),
                           array_agg(g.checkout_id::text))
    FROM unnest(v_gone) g WHERE g.checkout_id IS NOT NULL;

    UPDATE settlement_exception x
    SET closed_at = clock_timestamp(), closed_as = 'matched'
    FROM unnest(v_gone) g
    WHERE x.exception_id = g.exception_id AND x.closed_at IS NULL
        AND NOT x.is_suspended;

    RETURN v_gone <> '{}';
END
$$;
COMMENT ON FUNCTION pay.end_gone IS
    'Takes rows out of the queue that are there again: whether it has';


-- The staged rows of a part become work, with their payments.  A row
-- that is known with the same contents is a repeat and no work, and so is the
-- second row of a key that was known twice; a row that is known with other
-- contents is the next version of itself.  So is one whose money was given back
-- since a version had lacked it: it is added again, or takes its money out of
-- suspense.  nth: of the rows of its key in the file and in the pages before it.
CREATE OR REPLACE FUNCTION pay.take_work(
    p_file settlement_file, p_source settlement_source,
    p_part settlement_part)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_pages    bigint[] := pages_before(p_file);
    v_is_later boolean := is_later_version(p_file);
    v_others   text[] := other_statements(p_file, p_source, p_part);
BEGIN
    WITH staged AS (
        SELECT s.*, o.others, o.others + row_number() OVER (
            PARTITION BY s.row_key ORDER BY s.line) AS nth
        FROM settlement_staging s
        CROSS JOIN LATERAL (
            SELECT count(x.line) AS others FROM settlement_staging x
            WHERE p_file.page > 1 AND x.file_id = ANY (v_pages)
                AND x.row_key = s.row_key
            OFFSET 0) o
        WHERE s.file_id = p_file.file_id
            AND coalesce(s.first_line, s.line) >= p_part.first_line
            AND coalesce(s.first_line, s.line) < p_part.until_line
    ), known AS (
        SELECT s.*, o.file_id AS old_file, o.version AS old_version,
            coalesce(g.is_undone, false) AND s.nth = 1 AS is_undone,
            g.is_in_suspense, (o.kind, o.gross_minor, o.fee_minor, o.tax_minor, o.net_minor,
             o.currency, o.psp_ref, o.parent_ref, o.payout_ref)
            IS NOT DISTINCT FROM
            (s.kind, s.gross_minor, s.fee_minor, s.tax_minor, s.net_minor,
             s.currency, s.psp_ref, s.parent_ref, s.payout_ref)
            AND CASE WHEN s.nth > 1 THEN s.nth <= (
                SELECT count(*) FROM settlement_row r
                WHERE r.source = p_source.source AND r.row_key = s.row_key
                    AND r.net_minor = s.net_minor) ELSE true END AS is_same
        FROM staged s
        LEFT JOIN LATERAL (
            SELECT r.* FROM settlement_row r
            WHERE r.source = p_source.source AND r.row_key = s.row_key
            ORDER BY r.version DESC LIMIT 1) o ON true
        CROSS JOIN LATERAL row_standing(p_source.source,
            CASE WHEN o.row_id IS NOT NULL THEN s.row_key END) g
        WHERE o.row_id IS NULL OR o.file_id <> p_file.file_id
    )
    INSERT INTO settlement_work (file_id, line, row_key, kind, raw_type,
        psp_ref, parent_ref, our_ref, occurred_at, booked_on,
        gross_minor, fee_minor, tax_minor, net_minor, currency,
        paid_minor, paid_currency, rate, payout_ref, account, bank_ref, note,
        is_external, is_detail, source, psp, merchant_id, checkout_id,
        by_ref, family, value_minor, value_currency, version, told,
        finding, of_file)
    SELECT p_part.part_id, k.line, k.row_key, k.kind, k.raw_type, k.psp_ref,
        k.parent_ref, k.our_ref, k.occurred_at, k.booked_on,
        k.gross_minor, k.fee_minor, k.tax_minor, k.net_minor, k.currency,
        k.paid_minor, k.paid_currency, k.rate, k.payout_ref, k.account,
        k.bank_ref, k.note, k.is_external, k.is_detail, p_source.source,
        coalesce(p_source.psp, '-'),
        coalesce(o.merchant_id, p_source.merchant_id), o.checkout_id,
        o.by_ref, settlement_family(k.kind),
        CASE WHEN k.kind IN ('fee', 'receipt', 'debit')
             THEN k.net_minor - k.tax_minor
             WHEN k.paid_currency <> k.currency THEN k.paid_minor
             ELSE k.gross_minor END,
        CASE WHEN k.kind IN ('fee', 'receipt', 'debit') THEN k.currency
             ELSE coalesce(k.paid_currency, k.currency) END,
        coalesce(k.old_version + k.nth - k.others, k.nth),
        i.event_id IS NOT NULL,
        CASE WHEN k.nth > 1 THEN 'repeated'
             WHEN k.is_undone AND k.is_in_suspense AND k.is_same THEN 'back'
             WHEN k.is_undone THEN 'added'
             WHEN k.old_version IS NOT NULL THEN 'changed'
             WHEN v_is_later AND coalesce(statement_name(k.account,
                     k.payout_ref) = ANY (v_others), true)
                 THEN 'added' END, k.file_id
    FROM known k
    CROSS JOIN LATERAL (
        SELECT p_source.medium = 'psp' AND k.kind NOT IN ('payout',
            'payout_returned', 'transfer', 'memo') AS is_payment) n
    CROSS JOIN LATERAL settlement_owners(p_source.psp,
        p_source.merchant_id, CASE WHEN n.is_payment THEN k.parent_ref END,
        CASE WHEN n.is_payment THEN k.psp_ref END,
        CASE WHEN n.is_payment THEN k.our_ref END) o
    LEFT JOIN LATERAL (
        SELECT i.event_id FROM webhook_inbox i
        WHERE o.checkout_id IS NOT NULL AND i.psp = p_source.psp
            AND i.event_id = settlement_event(p_source.source, k.row_key)
        OFFSET 0) i ON true
    WHERE k.is_same IS NOT TRUE OR k.old_version IS NULL OR k.is_undone;
END
$$;
COMMENT ON FUNCTION pay.take_work IS
    'Makes work of the rows of a part of a file, with their payments';


-- The PSP's own id of the payment, capture, refund or dispute that an entry is
-- about, where there is one.  A refund that was taken for one made at the PSP has
-- the id of the refund of ours that it proved to be.
CREATE OR REPLACE FUNCTION pay.entry_object(
    p_merchant_id text, p_checkout_id text, p_psp text, p_source text)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT CASE
    WHEN starts_with(p_source, 'change/') THEN (
        SELECT coalesce(c.reference, o.reference)::text FROM change c
        LEFT JOIN change o ON o.merchant_id = c.merchant_id
            AND o.change_id = c.matched_to
        WHERE c.merchant_id = p_merchant_id AND c.checkout_id = p_checkout_id
            AND c.change_id = substr(p_source, 8))
    WHEN starts_with(p_source, concat('dispute/', p_psp, '/'))
        THEN split_part(substr(p_source, length(p_psp) + 10), ' ', 1)
    WHEN starts_with(p_source, concat('event/', p_psp, '/'))
        THEN substr(p_source, length(p_psp) + 8) END
$$;
COMMENT ON FUNCTION pay.entry_object IS
    'A PSP''s id of what an entry is about, or NULL';


-- The entries of the payments of this work that no row has settled yet.
CREATE OR REPLACE FUNCTION pay.take_open(
    p_file settlement_file, p_source settlement_source)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM settlement_open o WHERE o.file_id = p_file.file_id;

    INSERT INTO settlement_open (file_id, merchant_id, source, kind,
        checkout_id, family, object, amount_minor, currency, psp)
    SELECT p_file.file_id, e.merchant_id, e.source, e.kind, e.checkout_id,
        e.family, CASE WHEN NOT starts_with(e.source, 'order/')
            THEN entry_object(e.merchant_id, e.checkout_id, e.psp, e.source)
            END, e.sign * e.amount_minor, e.currency, e.psp
    FROM (SELECT DISTINCT w.merchant_id, w.checkout_id
          FROM settlement_work w
          WHERE w.file_id = p_file.file_id AND w.checkout_id IS NOT NULL) w
    CROSS JOIN LATERAL (
        SELECT j.*, x.family, x.sign
        FROM journal_entry j
        CROSS JOIN LATERAL (
            SELECT * FROM settlement_expected x WHERE x.kind = j.kind
            OFFSET 0) x
        WHERE j.checkout_id = w.checkout_id AND j.merchant_id = w.merchant_id
            AND j.psp = p_source.psp
            AND NOT starts_with(j.source, 'settlement/')
        OFFSET 0) e
    WHERE NOT EXISTS (
        SELECT FROM settlement_closed c
        WHERE c.merchant_id = e.merchant_id AND c.source = e.source
            AND c.kind = e.kind
        OFFSET 0);
END
$$;
COMMENT ON FUNCTION pay.take_open IS
    'The open entries of the payments of a file''s work';


-- The payments of which there is one row and one open entry of a family, and
-- both agree: nearly all of a file.  What is not linked here is looked at in
-- match_objects(), match_amounts() and match_sums(), which would link these the
-- same way.  The finding is known with the link, so that the row is written
-- once, unless the entry or a former step says more than that.
CREATE OR REPLACE FUNCTION pay.match_single(p_file_id bigint)
RETURNS void LANGUAGE plpgsql SET enable_nestloop = off
SET jit = off AS $$
BEGIN
    WITH rows AS (
        SELECT w.merchant_id, w.checkout_id, w.family, w.value_currency,
            min(w.value_minor) AS minor, min(w.psp_ref) AS object,
            min(w.line) AS line
        FROM settlement_work w
        WHERE w.file_id = p_file_id AND w.finding IS NULL
            AND w.checkout_id IS NOT NULL AND w.family <> 'payout'
        GROUP BY 1, 2, 3, 4
        HAVING count(*) = 1 AND NOT bool_or(w.is_detail)
    ), entries AS (
        SELECT o.merchant_id, o.checkout_id, o.family, o.currency,
            min(o.amount_minor) AS minor, min(o.object) AS object,
            min(o.ctid) AS tid, min(o.kind) AS kind
        FROM settlement_open o
        WHERE o.file_id = p_file_id
        GROUP BY 1, 2, 3, 4
        HAVING count(*) = 1
    ), pairs AS MATERIALIZED (
        SELECT r.line, e.tid, e.kind IN ('unknown_refund', 'unknown_dispute')
            AS is_suspended
        FROM rows r
        JOIN entries e ON e.merchant_id = r.merchant_id
            AND e.checkout_id = r.checkout_id AND e.family = r.family
            AND e.currency = r.value_currency AND e.minor = r.minor
            AND (r.family <> 'refund' OR e.object = r.object) IS NOT FALSE
    ), closed AS (
        UPDATE settlement_open o SET match = p.line
        FROM pairs p WHERE o.ctid = p.tid
    )
    UPDATE settlement_work w
    SET match = p.line, rule = w.by_ref,
        finding = CASE WHEN NOT w.told AND NOT p.is_suspended
                       THEN 'matched' END
    FROM pairs p
    WHERE w.file_id = p_file_id AND w.line = p.line;
END
$$;
COMMENT ON FUNCTION pay.match_single IS
    'Links rows whose payment has one entry that they can be';


-- One object of the PSP: its entries, which may be of several orders, and its
-- rows.  p_signed: money that goes out and money that comes back are looked at
-- apart, one row each, before all of it together is.
CREATE OR REPLACE FUNCTION pay.match_objects(
    p_file_id bigint, p_signed boolean)
RETURNS void LANGUAGE plpgsql SET enable_nestloop = off
SET jit = off AS $$
BEGIN
    WITH sums AS (
        SELECT o.merchant_id, o.checkout_id, o.family, o.object, o.currency,
            CASE WHEN p_signed THEN sign(o.amount_minor) END AS sign,
            sum(o.amount_minor) AS total
        FROM settlement_open o
        WHERE o.file_id = p_file_id AND o.match IS NULL
            AND o.object IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6
    ), told AS (
        SELECT w.merchant_id, w.checkout_id, w.family, w.psp_ref,
            w.value_currency, CASE WHEN p_signed THEN sign(w.value_minor) END
            AS sign, CASE WHEN p_signed THEN min(w.value_minor)
                          ELSE sum(w.value_minor) END AS total,
            min(w.line) AS line,
            count(*) AS rows
        FROM settlement_work w
        WHERE w.file_id = p_file_id AND w.match IS NULL
            AND w.finding IS NULL AND w.checkout_id IS NOT NULL
            AND w.psp_ref IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6, CASE WHEN p_signed THEN w.value_minor END
    ), pairs AS (
        SELECT s.*, t.line, t.rows
        FROM sums s
        JOIN told t ON t.merchant_id = s.merchant_id
            AND t.checkout_id = s.checkout_id AND t.family = s.family
            AND t.psp_ref = s.object AND t.value_currency = s.currency
            AND t.sign IS NOT DISTINCT FROM s.sign AND t.total = s.total
    ), closed AS (
        UPDATE settlement_open o SET match = p.line
        FROM pairs p
        WHERE o.file_id = p_file_id AND o.match IS NULL
            AND o.merchant_id = p.merchant_id
            AND o.checkout_id = p.checkout_id AND o.family = p.family
            AND o.object = p.object AND o.currency = p.currency
            AND (NOT p_signed OR sign(o.amount_minor) = p.sign)
    )
    UPDATE settlement_work w
    SET match = p.line,
        rule = CASE WHEN p_signed OR p.rows = 1 THEN w.by_ref ELSE 'group' END
    FROM pairs p
    WHERE w.file_id = p_file_id AND w.match IS NULL AND w.finding IS NULL
        AND CASE WHEN p_signed THEN w.line = p.line
            ELSE w.merchant_id = p.merchant_id
                AND w.checkout_id = p.checkout_id AND w.family = p.family
                AND w.psp_ref = p.object AND w.value_currency = p.currency
            END;
END
$$;
COMMENT ON FUNCTION pay.match_objects IS
    'Links rows and entries that name one object of the PSP';


-- One entry of the amount, within one payment.  Refunds have ids of their own,
-- so that two with different ids are two.
CREATE OR REPLACE FUNCTION pay.match_amounts(p_file_id bigint)
RETURNS void LANGUAGE plpgsql SET enable_nestloop = off
SET jit = off AS $$
BEGIN
    WITH pairs AS (
        SELECT w.line, o.tid
        FROM (SELECT w.*, row_number() OVER (
                  PARTITION BY w.merchant_id, w.checkout_id, w.family,
                      w.value_currency, w.value_minor,
                      w.family = 'refund' AND w.psp_ref IS NOT NULL
                  ORDER BY w.line) AS nth
              FROM settlement_work w
              WHERE w.file_id = p_file_id AND w.match IS NULL
                  AND w.finding IS NULL AND w.checkout_id IS NOT NULL
                  AND w.family <> 'payout') w
        JOIN (SELECT o.*, o.ctid AS tid, row_number() OVER (
                  PARTITION BY o.merchant_id, o.checkout_id, o.family,
                      o.currency, o.amount_minor,
                      o.family = 'refund' AND o.object IS NOT NULL
                  ORDER BY o.source, o.kind) AS nth
              FROM settlement_open o
              WHERE o.file_id = p_file_id AND o.match IS NULL) o
            ON o.merchant_id = w.merchant_id
            AND o.checkout_id = w.checkout_id AND o.family = w.family
            AND o.currency = w.value_currency
            AND o.amount_minor = w.value_minor AND o.nth = w.nth
            AND NOT (w.family = 'refund' AND w.psp_ref IS NOT NULL
                     AND o.object IS NOT NULL)
    ), closed AS (
        UPDATE settlement_open o SET match = p.line
        FROM pairs p WHERE o.ctid = p.tid
    )
    UPDATE settlement_work w SET match = p.line, rule = w.by_ref
    FROM pairs p
    WHERE w.file_id = p_file_id AND w.line = p.line;
END
$$;
COMMENT ON FUNCTION pay.match_amounts IS
    'Links rows with entries of the same payment and amount';


-- All that is left of a family of one payment: the rows sum to the entries.
-- p_single: one row alone does; of several that are equal the first one.
CREATE OR REPLACE FUNCTION pay.match_sums(p_file_id bigint, p_single boolean)
RETURNS void LANGUAGE plpgsql SET enable_nestloop = off
SET jit = off AS $$
BEGIN
    WITH wanted AS (
        SELECT w.merchant_id, w.checkout_id, w.family, w.value_currency,
            CASE WHEN p_single THEN min(w.value_minor)
                 ELSE sum(w.value_minor) END AS total, min(w.line) AS line
        FROM settlement_work w
        WHERE w.file_id = p_file_id AND w.match IS NULL
            AND w.finding IS NULL AND w.checkout_id IS NOT NULL
            AND (w.family IN ('sale', 'dispute')
                 OR w.family = 'refund' AND w.psp_ref IS NULL)
        GROUP BY 1, 2, 3, 4, CASE WHEN p_single THEN w.value_minor END
    ), groups AS (
        SELECT w.*, CASE WHEN p_single THEN 'sum' ELSE 'group' END AS rule
        FROM wanted w
        CROSS JOIN LATERAL (
            SELECT sum(o.amount_minor) AS total FROM settlement_open o
            WHERE o.file_id = p_file_id AND o.match IS NULL
                AND o.merchant_id = w.merchant_id
                AND o.checkout_id = w.checkout_id AND o.family = w.family
                AND o.currency = w.value_currency) o
        WHERE o.total = w.total
    ), closed AS (
        UPDATE settlement_open o SET match = g.line
        FROM groups g
        WHERE o.file_id = p_file_id AND o.match IS NULL
            AND o.merchant_id = g.merchant_id
            AND o.checkout_id = g.checkout_id AND o.family = g.family
            AND o.currency = g.value_currency
    )
    UPDATE settlement_work w SET match = g.line, rule = g.rule
    FROM groups g
    WHERE w.file_id = p_file_id AND w.match IS NULL AND w.finding IS NULL
        AND CASE WHEN p_single THEN w.line = g.line
            ELSE w.merchant_id = g.merchant_id
                AND w.checkout_id = g.checkout_id
                AND w.family = g.family
                AND w.value_currency = g.value_currency END;
END
$$;
COMMENT ON FUNCTION pay.match_sums IS
    'Links rows that together are what is left of a payment';


-- How many more rows of a source may be rounded this month: as many minor units
-- as one operator may write off alone.
CREATE OR REPLACE FUNCTION pay.roundings_left(p_source text, p_currency text)
RETURNS bigint LANGUAGE sql STABLE AS $$
SELECT greatest(0, floor(l.alone * 10::numeric ^ k.exponent) - coalesce((
    SELECT r.rows FROM settlement_rounding r
    WHERE r.source = p_source AND r.currency = p_currency
        AND r.month = date_trunc('month', now() AT TIME ZONE 'UTC')::date),
    0))::bigint
FROM currency k
CROSS JOIN settlement_limit l
WHERE k.code = p_currency AND l.currency IN (p_currency, '***')
ORDER BY l.currency = '***' LIMIT 1
$$;
COMMENT ON FUNCTION pay.roundings_left IS
    'How many more rows of a source may be rounded this month';


-- The only row of a payment's family that is left, converted by the PSP, a minor
-- unit away from its entries: the rate leaves no more than that.  The entries
-- count, the row's difference goes to rounding.
CREATE OR REPLACE FUNCTION pay.match_rounded(p_file_id bigint)
RETURNS void LANGUAGE plpgsql SET enable_nestloop = off
SET jit = off AS $$
BEGIN
    WITH rows AS (
        SELECT w.merchant_id, w.checkout_id, w.family, w.value_currency,
            min(w.value_minor) AS minor, min(w.psp_ref) AS object,
            min(w.line) AS line, min(w.source) AS source
        FROM settlement_work w
        WHERE w.file_id = p_file_id AND w.match IS NULL
            AND w.finding IS NULL AND w.checkout_id IS NOT NULL
            AND w.family IN ('sale', 'refund', 'dispute')
        GROUP BY 1, 2, 3, 4
        HAVING count(*) = 1 AND bool_and(w.paid_currency <> w.currency
                                         AND NOT w.is_detail)
    ), entries AS (
        SELECT o.merchant_id, o.checkout_id, o.family, o.currency,
            sum(o.amount_minor) AS minor, min(o.object) AS object
        FROM settlement_open o
        WHERE o.file_id = p_file_id AND o.match IS NULL
        GROUP BY 1, 2, 3, 4
        HAVING (count(*) = 1 OR o.family = 'sale')
            AND NOT bool_or(o.kind IN ('unknown_refund', 'unknown_dispute'))
    ), pairs AS MATERIALIZED (
        SELECT r.*, e.minor AS booked, row_number() OVER (
            PARTITION BY r.source, r.value_currency ORDER BY r.line) AS nth
        FROM rows r
        JOIN entries e ON e.merchant_id = r.merchant_id
            AND e.checkout_id = r.checkout_id AND e.family = r.family
            AND e.currency = r.value_currency
            AND (r.family <> 'refund' OR e.object = r.object) IS NOT FALSE
        WHERE abs(e.minor - r.minor) = 1 AND sign(e.minor) = sign(r.minor)
    ), rounded AS MATERIALIZED (
        SELECT p.* FROM pairs p
        WHERE p.nth <= roundings_left(p.source, p.value_currency)
    ), closed AS (
        UPDATE settlement_open o SET match = p.line
        FROM rounded p
        WHERE o.file_id = p_file_id AND o.match IS NULL
            AND o.merchant_id = p.merchant_id
            AND o.checkout_id = p.checkout_id AND o.family = p.family
            AND o.currency = p.value_currency
    )
    UPDATE settlement_work w
    SET match = p.line, rule = w.by_ref, finding = 'rounded',
        value_minor = p.booked, rounding_minor = p.minor - p.booked,
        rounding_currency = p.value_currency
    FROM rounded p
    WHERE w.file_id = p_file_id AND w.line = p.line;
END
$$;
COMMENT ON FUNCTION pay.match_rounded IS
    'Links converted rows that differ by a minor unit from their entries';


CREATE OR REPLACE FUNCTION pay.count_roundings(p_file_id bigint)
RETURNS void LANGUAGE sql AS $$
INSERT INTO settlement_rounding AS r (source, month, currency, rows)
SELECT w.source, date_trunc('month', now() AT TIME ZONE 'UTC')::date,
    w.rounding_currency, count(*)
FROM settlement_work w
WHERE w.file_id = p_file_id AND w.rounding_minor IS NOT NULL
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
ON CONFLICT (source, month, currency) DO UPDATE
SET rows = r.rows + EXCLUDED.rows
$$;
COMMENT ON FUNCTION pay.count_roundings IS
    'Counts the rows of the work that were rounded';


-- The fee of a converted row, a minor unit away from the only one that a webhook
-- has reported of its payment.
CREATE OR REPLACE FUNCTION pay.match_rounded_fees(p_file_id bigint)
RETURNS void LANGUAGE plpgsql SET enable_nestloop = off
SET jit = off AS $$
BEGIN
    WITH rows AS (
        SELECT w.merchant_id, w.checkout_id, w.currency,
            min(w.fee_minor) AS minor, min(w.line) AS line,
            min(w.source) AS source
        FROM settlement_work w
        WHERE w.file_id = p_file_id AND w.fee_minor <> 0
            AND w.checkout_id IS NOT NULL AND w.family <> 'fee'
            AND NOT w.fee_booked AND w.rounding_minor IS NULL
            AND w.finding IN ('matched', 'confirmed')
        GROUP BY 1, 2, 3
        HAVING count(*) = 1 AND bool_and(w.paid_currency <> w.currency)
    ), entries AS (
        SELECT o.merchant_id, o.checkout_id, o.currency,
            min(o.amount_minor) AS minor, min(o.ctid) AS tid
        FROM settlement_open o
        WHERE o.file_id = p_file_id AND o.match IS NULL AND o.family = 'fee'
        GROUP BY 1, 2, 3
        HAVING count(*) = 1
    ), pairs AS MATERIALIZED (
        SELECT r.*, e.minor AS booked, e.tid, row_number() OVER (
            PARTITION BY r.source, r.currency ORDER BY r.line) AS nth
        FROM rows r
        JOIN entries e ON e.merchant_id = r.merchant_id
            AND e.checkout_id = r.checkout_id AND e.currency = r.currency
        WHERE abs(e.minor - r.minor) = 1 AND sign(e.minor) = sign(r.minor)
    ), rounded AS MATERIALIZED (
        SELECT p.* FROM pairs p
        WHERE p.nth <= roundings_left(p.source, p.currency)
    ), closed AS (
        UPDATE settlement_open o SET match = p.line
        FROM rounded p WHERE o.ctid = p.tid
    )
    UPDATE settlement_work w
    SET fee_booked = true, rounding_minor = p.minor - p.booked,
        rounding_currency = p.currency
    FROM rounded p
    WHERE w.file_id = p_file_id AND w.line = p.line;
END
$$;
COMMENT ON FUNCTION pay.match_rounded_fees IS
    'Fees in converted rows that are booked already but for a minor unit';


-- A fee in a row is not booked again when a webhook has reported it before.
CREATE OR REPLACE FUNCTION pay.match_fees(p_file_id bigint)
RETURNS void LANGUAGE plpgsql SET enable_nestloop = off
SET jit = off AS $$
BEGIN
    WITH pairs AS (
        SELECT w.line, o.tid
        FROM (SELECT w.*, row_number() OVER (
                  PARTITION BY w.merchant_id, w.checkout_id, w.currency,
                      w.fee_minor ORDER BY w.line) AS nth
              FROM settlement_work w
              WHERE w.file_id = p_file_id AND w.fee_minor <> 0
                  AND w.checkout_id IS NOT NULL AND w.family <> 'fee') w
        JOIN (SELECT o.*, o.ctid AS tid, row_number() OVER (
                  PARTITION BY o.merchant_id, o.checkout_id, o.currency,
                      o.amount_minor ORDER BY o.source, o.kind) AS nth
              FROM settlement_open o
              WHERE o.file_id = p_file_id AND o.match IS NULL
                  AND o.family = 'fee') o
            ON o.merchant_id = w.merchant_id
            AND o.checkout_id = w.checkout_id AND o.currency = w.currency
            AND o.amount_minor = w.fee_minor AND o.nth = w.nth
        WHERE w.finding IN ('matched', 'confirmed', 'rounded', 'disputed',
            'ended', 'exceeds')
    ), closed AS (
        UPDATE settlement_open o SET match = p.line
        FROM pairs p WHERE o.ctid = p.tid
    )
    UPDATE settlement_work w SET fee_booked = true
    FROM pairs p
    WHERE w.file_id = p_file_id AND w.line = p.line;
END
$$;
COMMENT ON FUNCTION pay.match_fees IS
    'Fees in rows that are booked already';
