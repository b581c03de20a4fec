-- Acts of operators on rows and entries that wait for them: each act has a name
-- and a reason, takes two operators above a limit, and is never an edit.  One
-- call is one act, for payments_operator; the gateway never calls these.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A row of a file as work, so that its entries are the same as when the row
-- came.  p_owner: its merchant and checkout, where these were found later.
CREATE OR REPLACE FUNCTION pay.work_of_row(
    p_row settlement_row, p_line int DEFAULT 1,
    p_owner settlement_owner DEFAULT NULL, p_file_id bigint DEFAULT 0)
RETURNS settlement_work LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_work settlement_work;
    v_own  boolean := p_row.kind IN ('fee', 'receipt', 'debit');
BEGIN
    v_work.file_id := p_file_id;
    v_work.of_file := p_file_id;
    v_work.line := p_line;
    v_work.source := p_row.source;
    v_work.psp := coalesce((SELECT s.psp FROM settlement_source s
                            WHERE s.source = p_row.source), '-');
    v_work.row_key := p_row.row_key;
    v_work.version := p_row.version;
    v_work.kind := p_row.kind;
    v_work.raw_type := p_row.raw_type;
    v_work.psp_ref := p_row.psp_ref;
    v_work.parent_ref := p_row.parent_ref;
    v_work.our_ref := p_row.our_ref;
    v_work.occurred_at := p_row.occurred_at;
    v_work.booked_on := p_row.booked_on;
    v_work.gross_minor := p_row.gross_minor;
    v_work.fee_minor := p_row.fee_minor;
    v_work.tax_minor := p_row.tax_minor;
    v_work.net_minor := p_row.net_minor;
    v_work.currency := p_row.currency;
    v_work.paid_minor := p_row.paid_minor;
    v_work.paid_currency := p_row.paid_currency;
    v_work.payout_ref := p_row.payout_ref;
    v_work.is_external := p_row.is_external;
    v_work.is_detail := p_row.is_detail;
    v_work.merchant_id := coalesce(p_owner.merchant_id, p_row.merchant_id);
    v_work.checkout_id := coalesce(p_owner.checkout_id, p_row.checkout_id);
    v_work.by_ref := p_owner.by_ref;
    v_work.family := settlement_family(p_row.kind);
    v_work.value_minor := CASE
        WHEN v_own THEN p_row.net_minor - p_row.tax_minor
        WHEN p_row.paid_currency <> p_row.currency THEN p_row.paid_minor
        ELSE p_row.gross_minor END;
    v_work.value_currency := CASE WHEN v_own THEN p_row.currency
        ELSE coalesce(p_row.paid_currency, p_row.currency) END;
    v_work.told := false;
    v_work.fee_booked := false;

    RETURN v_work;
END
$$;
COMMENT ON FUNCTION pay.work_of_row IS 'A kept row as work';


-- The same for a row in the queue: a proposed payment is that of the exception
-- alone, since nothing but its amount and its time speak for it.
CREATE OR REPLACE FUNCTION pay.work_of_exception(
    p_exception settlement_exception, p_row settlement_row)
RETURNS settlement_work LANGUAGE sql STABLE AS $$
SELECT work_of_row(p_row, 1, CASE WHEN p_exception.finding = 'proposed'
    THEN ROW(p_exception.merchant_id, p_exception.checkout_id,
             'person')::settlement_owner END)
$$;
COMMENT ON FUNCTION pay.work_of_exception IS 'A row in the queue as work';


-- The open entries that a row could settle: those of its payment, or the
-- payouts that a row of a bank names.
CREATE OR REPLACE FUNCTION pay.open_entries(
    p_exception settlement_exception, p_work settlement_work)
RETURNS TABLE (merchant_id text, source text, kind text, minor bigint,
    psp text)
LANGUAGE sql STABLE AS $$
SELECT e.merchant_id, e.source, e.kind, x.sign * e.amount_minor, e.psp
FROM (
    SELECT e.* FROM journal_entry e
    WHERE e.checkout_id = p_work.checkout_id
        AND e.merchant_id = p_work.merchant_id AND e.psp = p_work.psp
        AND NOT starts_with(e.source, 'settlement/')
    UNION ALL
    SELECT e.*
    FROM jsonb_to_recordset(p_exception.proposed -> 'entries')
        AS p (source text, kind text)
    JOIN journal_entry e ON e.merchant_id = p_work.merchant_id
        AND e.source = p.source AND e.kind = p.kind
    WHERE p_work.family = 'payout') e
JOIN settlement_expected x ON x.kind = e.kind AND x.family = p_work.family
WHERE e.currency = p_work.value_currency
    AND NOT EXISTS (
        SELECT FROM settlement_closed c
        WHERE c.merchant_id = e.merchant_id AND c.source = e.source
            AND c.kind = e.kind)
$$;
COMMENT ON FUNCTION pay.open_entries IS
    'Entries of a payment that no row has settled';


-- Whether an operator may act: go, second (another operator has to agree; the
-- one who asked is stored) or limit (of the day).  p_amount: the amount that
-- the act moves.
CREATE OR REPLACE FUNCTION pay.may_act(
    p_exception settlement_exception, p_act text, p_who text, p_why text,
    p_amount bigint, p_detail jsonb)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_limit settlement_limit;
    v_unit  numeric := (SELECT 10::numeric ^ k.exponent FROM currency k
                        WHERE k.code = p_exception.currency);
    v_spent numeric;
    v_asked boolean := false;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('settlement_act'),
                                  hashtext(lower(p_who)));
    SELECT * INTO v_limit FROM settlement_limit l
    WHERE l.currency IN (p_exception.currency, '***')
    ORDER BY l.currency = '***' LIMIT 1;

    IF p_act = 'write_off' THEN
        v_spent := (SELECT coalesce(sum(a.amount_minor), 0)
            FROM settlement_act a
            WHERE lower(a.who) = lower(p_who) AND a.act = 'write_off'
                AND a.state = 'done' AND a.currency = p_exception.currency
                AND a.at >= date_trunc('day', now(), 'UTC'));
        IF v_spent + p_amount > v_limit.a_day * v_unit THEN
            RETURN 'limit';
        END IF;
    END IF;

    IF p_amount > v_limit.alone * v_unit THEN
        v_asked := EXISTS (
            SELECT FROM settlement_act a
            WHERE a.exception_id = p_exception.exception_id
                AND a.act = p_act AND a.state = 'asked'
                AND lower(a.who) <> lower(p_who)
                AND a.detail = p_detail AND a.at >= p_exception.opened_at);
    ELSE
        v_asked := true;
    END IF;

    INSERT INTO settlement_act (exception_id, seq, act, state, who, why,
        amount_minor, currency, detail)
    SELECT p_exception.exception_id, 1 + coalesce(max(a.seq), 0), p_act,
        CASE WHEN v_asked THEN 'done' ELSE 'asked' END, p_who, p_why,
        p_amount, p_exception.currency, p_detail
    FROM settlement_act a
    WHERE a.exception_id = p_exception.exception_id;

    RETURN CASE WHEN v_asked THEN 'go' ELSE 'second' END;
END
$$;
COMMENT ON FUNCTION pay.may_act IS
    'Notes an act: go, second (another operator has to agree) or limit';


CREATE OR REPLACE FUNCTION pay.close_exception(p_id bigint, p_as text)
RETURNS void LANGUAGE sql AS $$
UPDATE settlement_exception x
SET closed_at = clock_timestamp(), closed_as = p_as
WHERE x.exception_id = p_id
$$;
COMMENT ON FUNCTION pay.close_exception IS 'Takes a matter out of the queue';


-- Kinds of entries that an operator may call a row, by the way of its money.
CREATE OR REPLACE FUNCTION pay.as_kinds(p_kind text, p_amount bigint)
RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN p_kind IN ('receipt', 'debit') AND p_amount > 0
        THEN '{psp_received}'::text[]
    WHEN p_kind IN ('receipt', 'debit') THEN '{psp_collected}'
    WHEN p_amount > 0 THEN '{psp_fee_returned,psp_fee_vat_returned,psp_released,'
        'psp_payout_returned,psp_debited,settled_refund_returned,'
        'settled_chargeback_returned,written_up,rounded_up}'
    ELSE '{psp_fee,psp_fee_vat,psp_withheld,psp_paid_out,settled_refund,'
        'settled_chargeback,written_off,rounded}' END
$$;
COMMENT ON FUNCTION pay.as_kinds IS
    'As what kinds of entries an operator may accept a row';


-- The entry that puts a row into suspense, or takes it out again (cleared,
-- written_off); NULL: it is in none.
CREATE OR REPLACE FUNCTION pay.suspense_kind(
    p_exception settlement_exception, p_row settlement_row, p_what text)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT CASE
    WHEN p_what <> 'put' AND NOT p_exception.is_suspended AND NOT EXISTS (
        SELECT FROM settlement_rule u
        WHERE u.kind = p_row.kind AND u.finding = p_row.finding
            AND u.finding = p_exception.finding
            AND u.posts = 'net') THEN NULL
    WHEN p_what = 'written_off' THEN
        CASE WHEN p_exception.amount_minor > 0 THEN 'suspense_written_up'
             ELSE 'suspense_written_off' END
    ELSE concat('unknown_', CASE WHEN p_row.kind IN ('receipt', 'debit')
            THEN 'bank_' END,
        CASE WHEN p_exception.amount_minor > 0 THEN 'receipt'
             ELSE 'debit' END,
        CASE WHEN p_what = 'cleared' THEN '_cleared' END) END
$$;
COMMENT ON FUNCTION pay.suspense_kind IS
    'The entry by which a row goes into suspense, or leaves it';


-- The entry of a fee in a row of a payment, which a webhook has reported before.
CREATE OR REPLACE FUNCTION pay.close_fee(
    p_exception settlement_exception, p_row settlement_row,
    p_work settlement_work)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    p_work.family := 'fee';
    p_work.value_currency := p_work.currency;

    INSERT INTO settlement_closed (merchant_id, source, kind, match_id)
    SELECT o.merchant_id, o.source, o.kind, p_row.row_id
    FROM open_entries(p_exception, p_work) o
    WHERE o.minor = p_work.fee_minor AND p_work.fee_minor <> 0
    ORDER BY o.source, o.kind LIMIT 1;

    RETURN FOUND;
END
$$;
COMMENT ON FUNCTION pay.close_fee IS
    'Settles the entry of a row''s fee: whether there was one';


-- A row whose amount is not the one that is booked settles the entries all the
-- same: the difference is written off.
CREATE OR REPLACE FUNCTION pay.settle_amount(
    p_exception settlement_exception, p_row settlement_row)
RETURNS posting[] LANGUAGE plpgsql AS $$
DECLARE
    v_work  settlement_work := work_of_exception(p_exception, p_row);
    v_rule  settlement_rule;
    v_left  bigint;
    v_value bigint := v_work.value_minor;
BEGIN
    SELECT * INTO v_rule FROM settlement_rule u
    WHERE u.kind = p_row.kind AND u.finding = 'matched';

    SELECT v_value - coalesce(sum(o.minor), 0), coalesce(sum(o.minor), 0),
        coalesce(max(o.psp), v_work.psp)
    INTO v_left, v_value, v_work.psp
    FROM open_entries(p_exception, v_work) o;

    INSERT INTO settlement_closed (merchant_id, source, kind, match_id)
    SELECT o.merchant_id, o.source, o.kind, p_row.row_id
    FROM open_entries(p_exception, v_work) o;
    INSERT INTO settlement_link (row_id, match_id, rule)
    VALUES (p_row.row_id, p_row.row_id, 'person');

    v_work.fee_booked := v_work.family NOT IN ('fee', 'payout')
        AND close_fee(p_exception, p_row, v_work);
    PERFORM end_settled(ARRAY[p_row.row_id]);

    -- a bank's row is booked as it stands, a PSP's with the ledger's amount
    IF v_work.family <> 'payout' THEN
        v_work.value_minor := v_value;
    END IF;

    RETURN ARRAY(SELECT p FROM row_postings(v_work, v_rule) p)
        || CASE WHEN v_left <> 0 THEN
        ARRAY[settlement_posting(v_work, CASE
            WHEN v_work.family <> 'payout' AND v_left > 0 THEN 'written_up'
            WHEN v_work.family <> 'payout' THEN 'written_off'
            WHEN v_left > 0 THEN 'payout_written_up'
            ELSE 'payout_fee' END, abs(v_left), v_work.value_currency)] END;
END
$$;
COMMENT ON FUNCTION pay.settle_amount IS
    'Settles the entries of a payment by a row of another amount';


-- How much a row of another amount leaves open.
CREATE OR REPLACE FUNCTION pay.amount_left(
    p_exception settlement_exception, p_row settlement_row)
RETURNS bigint LANGUAGE sql STABLE AS $$
SELECT abs(w.value_minor - coalesce((
    SELECT sum(o.minor) FROM open_entries(p_exception, w) o), 0))::bigint
FROM work_of_exception(p_exception, p_row) w
$$;
COMMENT ON FUNCTION pay.amount_left IS
    'By how much a row differs from what is booked';


-- An entry that no file has brought, and that nobody expects any more.
CREATE OR REPLACE FUNCTION pay.give_up_entry(
    p_exception settlement_exception)
RETURNS posting[] LANGUAGE plpgsql AS $$
DECLARE
    v_expected settlement_expected;
    v_kinds    text[];
BEGIN
    SELECT * INTO v_expected FROM settlement_expected x
    WHERE x.kind = p_exception.kind;

    v_kinds := CASE
        WHEN v_expected.family = 'payout' THEN ARRAY[
            CASE v_expected.sign WHEN 1 THEN 'payout_written_off'
                                 ELSE 'payout_written_up' END]
        ELSE ARRAY[CASE WHEN v_expected.sign < 0 THEN
            CASE v_expected.family WHEN 'refund' THEN 'settled_refund'
                WHEN 'dispute' THEN 'settled_chargeback' END
            ELSE CASE v_expected.family
                WHEN 'refund' THEN 'settled_refund_returned'
                WHEN 'dispute' THEN 'settled_chargeback_returned' END END,
            CASE v_expected.sign WHEN 1 THEN 'written_off'
                                 ELSE 'written_up' END] END;

    RETURN ARRAY(
        SELECT ROW(p_exception.merchant_id,
            'act/' || p_exception.exception_id, k.kind,
            p_exception.checkout_id, NULL, p_exception.psp, NULL,
            abs(p_exception.amount_minor), p_exception.currency, NULL, NULL,
            NULL, NULL)::posting
        FROM unnest(v_kinds) AS k (kind) WHERE k.kind IS NOT NULL);
END
$$;
COMMENT ON FUNCTION pay.give_up_entry IS
    'The entry that gives up one that no file has brought';


CREATE OR REPLACE FUNCTION pay.lock_exception(
    p_id bigint, OUT exception settlement_exception, OUT kept settlement_row,
    OUT psp text)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT * INTO exception FROM settlement_exception x
    WHERE x.exception_id = p_id;
    -- a page is locked behind its source, as complete_pages does
    PERFORM FROM settlement_source s
    WHERE exception.kind = 'page' AND s.source = split_part(exception.source,
                                                            '/', 2)
    FOR UPDATE;
    PERFORM lock_checkouts(ARRAY[exception.merchant_id]::text[],
                           ARRAY[exception.checkout_id]::text[]);
    SELECT * INTO exception FROM settlement_exception x
    WHERE x.exception_id = p_id FOR UPDATE;
    SELECT * INTO kept FROM settlement_row r
    WHERE r.row_id = exception.row_id;
    psp := exception.psp;
END
$$;
COMMENT ON FUNCTION pay.lock_exception IS
    'A matter of the queue, locked behind its payment';


-- Whether a row settles the open entries of its payment: their sum is its
-- amount, or an operator decides about the difference of the amounts.
CREATE OR REPLACE FUNCTION pay.is_sum(
    p_exception settlement_exception, p_row settlement_row)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT p_exception.finding = 'amount'
    OR p_exception.finding NOT IN ('exceeds', 'gone', 'changed')
        AND (p_exception.finding <> 'added'
             OR p_exception.amount_minor = p_row.net_minor)
        AND suspense_kind(p_exception, p_row, 'cleared') IS NULL
        AND amount_left(p_exception, p_row) = 0
        AND EXISTS (SELECT FROM open_entries(p_exception,
            work_of_exception(p_exception, p_row)))
$$;
COMMENT ON FUNCTION pay.is_sum IS
    'Whether accepting a row links it with the entries of its payment';


-- A later version of a file has brought, changed or left out the row: the
-- entries of the difference are those that rows of its kind have.
CREATE OR REPLACE FUNCTION pay.version_postings(
    p_exception settlement_exception, p_row settlement_row)
RETURNS posting[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_work settlement_work := work_of_row(p_row);
    v_rule settlement_rule;
BEGIN
    SELECT * INTO v_rule FROM settlement_rule u
    WHERE u.kind = p_row.kind AND u.class = 1 AND u.finding IN ('charged',
        'reserved', 'paid_out', 'returned')
        AND p_exception.finding IN ('added', 'changed', 'gone');

    v_work.net_minor := p_exception.amount_minor;
    v_work.value_minor := p_exception.amount_minor;
    v_work.tax_minor := 0;

    RETURN CASE WHEN v_rule.kind IS NOT NULL
                THEN ARRAY(SELECT p FROM row_postings(v_work, v_rule) p) END;
END
$$;
COMMENT ON FUNCTION pay.version_postings IS
    'The entries of a difference between two versions of a file; NULL: its '
    'row is not of a kind that a rule posts';


-- p_as: the kind of the row's entry.  Without it the proposal is booked: the
-- payment of the row is settled, or the difference of two versions is booked,
-- or else the money goes into suspense, where it still waits.  Two versions may
-- differ in other contents than the amount.
CREATE OR REPLACE FUNCTION pay.accepted_postings(
    p_exception settlement_exception, p_row settlement_row, p_as text,
    OUT postings posting[], OUT is_suspended boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_work   settlement_work := work_of_row(p_row);
    v_clears text := suspense_kind(p_exception, p_row, 'cleared');
    v_amount bigint := abs(p_exception.amount_minor);
BEGIN
    is_suspended := false;

    IF v_amount = 0 AND NOT is_sum(p_exception, p_row) THEN
        postings := '{}';
    ELSIF p_as IS NOT NULL THEN
        postings := ARRAY[settlement_posting(v_work, p_as, v_amount,
                                             p_exception.currency)];
        IF v_clears IS NOT NULL THEN
            postings := postings || settlement_posting(v_work, v_clears,
                v_amount, p_exception.currency);
        END IF;
    ELSIF is_sum(p_exception, p_row) THEN
        postings := settle_amount(p_exception, p_row);
    ELSE
        postings := version_postings(p_exception, p_row);
        IF postings IS NULL THEN
            is_suspended := true;
            postings := ARRAY[settlement_posting(v_work,
                suspense_kind(p_exception, p_row, 'put'), v_amount,
                p_exception.currency)];
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.accepted_postings IS
    'The entry for a row that is accepted';


CREATE OR REPLACE FUNCTION pay_ops.accept_settlement(
    p_id bigint, p_who text, p_why text, p_as text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_it   record;
    v_may  text;
    v_done record;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    v_it := lock_exception(p_id);
    IF (v_it.exception).exception_id IS NULL THEN
        RETURN 'not_found';
    ELSIF (v_it.exception).closed_at IS NOT NULL THEN
        RETURN 'closed';
    ELSIF (v_it.kept).row_id IS NULL
        OR (v_it.exception).finding = 'exceeds'
        OR p_as IS NULL AND suspense_kind(v_it.exception, v_it.kept,
                                          'cleared') IS NOT NULL
    THEN
        RETURN 'nothing';
    ELSIF p_as <> ALL (as_kinds((v_it.kept).kind,
                                (v_it.exception).amount_minor))
    THEN
        RETURN 'invalid';
    END IF;

    v_may := may_act(v_it.exception, 'accept', p_who, p_why,
        CASE WHEN p_as IS NULL AND is_sum(v_it.exception, v_it.kept)
             THEN amount_left(v_it.exception, v_it.kept)
             ELSE abs((v_it.exception).amount_minor) END,
        jsonb_strip_nulls(jsonb_build_object('as', p_as)));
    IF v_may <> 'go' THEN
        RETURN v_may;
    END IF;

    v_done := accepted_postings(v_it.exception, v_it.kept, p_as);
    IF v_done.is_suspended THEN
        UPDATE settlement_exception x SET is_suspended = true, class = 3
        WHERE x.exception_id = p_id;
    ELSE
        PERFORM close_exception(p_id, 'accepted');
    END IF;
    PERFORM post_act(p_id, v_done.postings);

    RETURN CASE WHEN v_done.is_suspended THEN 'suspended'
                ELSE 'accepted' END;
END
$$;
COMMENT ON FUNCTION pay_ops.accept_settlement IS
    'Books a row that waits for an operator: accepted, suspended (it waits '
    'on, in suspense), second, limit, nothing (say as what), closed, '
    'not_found or invalid';


-- Money that a bank has moved goes through suspense: the PSPs owe none of it.
CREATE OR REPLACE FUNCTION pay.written_off_postings(
    p_exception settlement_exception, p_row settlement_row)
RETURNS posting[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_kinds text[] := ARRAY[suspense_kind(p_exception, p_row, 'written_off')];
BEGIN
    IF v_kinds[1] IS NULL AND p_row.kind IN ('receipt', 'debit') THEN
        p_exception.is_suspended := true;
        v_kinds := ARRAY[suspense_kind(p_exception, p_row, 'put'),
            suspense_kind(p_exception, p_row, 'written_off')];
    ELSIF v_kinds[1] IS NULL THEN
        v_kinds := ARRAY[CASE WHEN p_exception.amount_minor > 0
                              THEN 'written_up' ELSE 'written_off' END];
    END IF;

    RETURN ARRAY(
        SELECT settlement_posting(work_of_row(p_row), k.kind,
            abs(p_exception.amount_minor), p_exception.currency)
        FROM unnest(v_kinds) WITH ORDINALITY AS k (kind, n)
        WHERE p_exception.amount_minor <> 0 ORDER BY k.n);
END
$$;
COMMENT ON FUNCTION pay.written_off_postings IS
    'The entries of a row whose money is given up, or kept';


CREATE OR REPLACE FUNCTION pay_ops.write_off_settlement(
    p_id bigint, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_it       record;
    v_may      text;
    v_amount   bigint;
    v_is_sum   boolean;
    v_postings posting[];
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    v_it := lock_exception(p_id);
    IF (v_it.exception).exception_id IS NULL THEN
        RETURN 'not_found';
    ELSIF (v_it.exception).closed_at IS NOT NULL THEN
        RETURN 'closed';
    ELSIF (v_it.exception).finding = 'exceeds' THEN
        RETURN 'suspense';
    ELSIF (v_it.exception).kind IN ('balance', 'page') THEN
        RETURN 'nothing';
    END IF;

    v_is_sum := (v_it.exception).finding = 'amount';
    v_amount := CASE WHEN v_is_sum THEN amount_left(v_it.exception, v_it.kept)
        ELSE abs((v_it.exception).amount_minor) END;
    v_may := may_act(v_it.exception, 'write_off', p_who, p_why, v_amount,
                     '{}');
    IF v_may <> 'go' THEN
        RETURN v_may;
    END IF;

    IF (v_it.kept).row_id IS NULL THEN
        v_postings := give_up_entry(v_it.exception);
        INSERT INTO settlement_closed (merchant_id, source, kind, match_id)
        VALUES ((v_it.exception).merchant_id, (v_it.exception).source,
            (v_it.exception).kind, -p_id);
    ELSIF v_is_sum THEN
        v_postings := settle_amount(v_it.exception, v_it.kept);
    ELSE
        v_postings := written_off_postings(v_it.exception, v_it.kept);
    END IF;

    PERFORM close_exception(p_id, 'written_off');
    PERFORM post_act(p_id, v_postings);

    RETURN 'written_off';
END
$$;
COMMENT ON FUNCTION pay_ops.write_off_settlement IS
    'Gives up, or keeps, the money of a matter: written_off, second, limit, '
    'suspense, nothing (it is a balance or a page), closed, not_found or invalid';


-- Nothing is booked; a page of a report waits no more.  Money in suspense goes
-- with p_with, which is in suspense with the same amount the other way: a receipt
-- and its return.
CREATE OR REPLACE FUNCTION pay_ops.resolve_settlement(
    p_id bigint, p_who text, p_why text, p_with bigint DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_it    record;
    v_other record;
    v_may   text;
    v_ends  text;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) OR p_with = p_id
    THEN
        RETURN 'invalid';
    END IF;

    v_it := lock_exception(p_id);
    IF (v_it.exception).exception_id IS NULL THEN
        RETURN 'not_found';
    ELSIF (v_it.exception).closed_at IS NOT NULL THEN
        RETURN 'closed';
    END IF;

    v_ends := suspense_kind(v_it.exception, v_it.kept, 'cleared');
    IF (v_ends IS NOT NULL) <> (p_with IS NOT NULL) THEN
        RETURN CASE WHEN p_with IS NULL THEN 'suspense' ELSE 'invalid' END;
    END IF;

    IF p_with IS NOT NULL THEN
        v_other := lock_exception(p_with);
        IF suspense_kind(v_other.exception, v_other.kept,
                'cleared') IS NULL
            OR (v_other.exception).closed_at IS NOT NULL
            OR (v_other.kept).currency <> (v_it.kept).currency
            OR (v_other.exception).amount_minor
                <> -(v_it.exception).amount_minor
            OR (v_other.exception).merchant_id
                <> (v_it.exception).merchant_id
            OR v_other.psp <> v_it.psp
        THEN
            RETURN 'invalid';
        END IF;
    END IF;

    v_may := may_act(v_it.exception, 'resolve', p_who, p_why,
        abs((v_it.exception).amount_minor),
        jsonb_strip_nulls(jsonb_build_object('with', p_with)));
    IF v_may <> 'go' THEN
        RETURN v_may;
    END IF;

    PERFORM close_exception(p_id, 'resolved');
    IF (v_it.exception).kind = 'page' THEN
        PERFORM give_up_page(split_part((v_it.exception).source, '/',
                                        3)::bigint);
    END IF;
    IF p_with IS NOT NULL THEN
        PERFORM close_exception(p_with, 'resolved');
        PERFORM post_act(p_id, ARRAY[
            settlement_posting(work_of_row(v_it.kept), v_ends,
                abs((v_it.exception).amount_minor), (v_it.kept).currency),
            settlement_posting(work_of_row(v_other.kept),
                suspense_kind(v_other.exception, v_other.kept,
                'cleared'),
                abs((v_it.exception).amount_minor), (v_it.kept).currency)]);
    END IF;

    RETURN 'resolved';
END
$$;
COMMENT ON FUNCTION pay_ops.resolve_settlement IS
    'Ends a matter without an entry, or with the one that it cancels out: '
    'resolved, second, suspense, closed, not_found or invalid';


-- p_alone, p_a_day: in units of the currency; '***' for all others.
CREATE OR REPLACE FUNCTION pay_ops.set_settlement_limit(
    p_currency text, p_alone numeric, p_a_day numeric)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    INSERT INTO settlement_limit AS l (currency, alone, a_day)
    VALUES (p_currency, p_alone, p_a_day)
    ON CONFLICT (currency) DO UPDATE
    SET alone = EXCLUDED.alone, a_day = EXCLUDED.a_day;

    RETURN 'stored';
EXCEPTION WHEN check_violation OR not_null_violation THEN
    RETURN 'invalid';
END
$$;
COMMENT ON FUNCTION pay_ops.set_settlement_limit IS
    'Up to what one operator acts alone, and writes off in a day: stored or '
    'invalid';
