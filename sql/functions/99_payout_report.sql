-- The bank's answers to files: pain.002, and the entries of its statements
-- (camt.053) and notifications (camt.054).
-- payctl reads a file to its end, has it checked as a whole, and brings each
-- statement about an item in a transaction of its own.  Each counts once, by its
-- id, so that a file that was cut off in the middle is read again.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.file_item_of(
    p_merchant_id text, p_provider text, p_key text)
RETURNS payout_file_item LANGUAGE sql STABLE AS $$
SELECT i FROM payout_file_item i
JOIN payout_file f ON f.msg_id = i.msg_id
WHERE i.key = p_key AND i.is_in AND f.merchant_id = p_merchant_id
    AND f.provider = p_provider AND f.state IN ('fixed', 'written', 'lost')
$$;
COMMENT ON FUNCTION pay.file_item_of IS
    'The item of a file of this provider that a bank may have, by its '
    'EndToEndId; NULL: there is none';


-- p_said: the statements of a report, in its order, credits behind the debits
-- that they may bring back.  One about a file is one about each of its items
-- that the report does not name itself.
CREATE OR REPLACE FUNCTION pay_ops.read_payout_report(
    p_merchant_id text, p_provider text, p_said jsonb)
RETURNS TABLE (outcome text, event_id text, key text, parcel text, state text,
    code text, amount_minor bigint, currency text, account_end text,
    occurred_us bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
WITH said AS MATERIALIZED (
    SELECT s.*
    FROM ROWS FROM (jsonb_to_recordset(p_said) AS (
        event_id text, key text, parcel text, state text, code text,
        amount_minor bigint, currency text, account_end text,
        occurred_us bigint, account text)) WITH ORDINALITY AS s (event_id,
            key, parcel, state, code, amount_minor, currency, account_end,
            occurred_us, account, n)
), one AS (
    SELECT s.*, i.msg_id, f.debtor_iban
    FROM said s
    LEFT JOIN LATERAL file_item_of(p_merchant_id, p_provider, s.key) i
        ON true
    LEFT JOIN payout_file f ON f.msg_id = i.msg_id
    WHERE s.key IS NOT NULL
), whole AS (
    SELECT s.*, f.msg_id
    FROM said s
    LEFT JOIN payout_file f ON f.msg_id = s.parcel
        AND f.merchant_id = p_merchant_id AND f.provider = p_provider
        AND f.state IN ('fixed', 'written', 'lost')
    WHERE s.key IS NULL
)
SELECT r.outcome, r.event_id, r.key, r.parcel, r.state, r.code,
    r.amount_minor, r.currency, r.account_end, r.occurred_us
FROM (
    SELECT 1 AS rank, o.n, CASE
            WHEN o.msg_id IS NULL THEN 'not_found'
            WHEN o.parcel <> o.msg_id THEN 'other_file'
            WHEN o.account <> o.debtor_iban THEN 'other_account'
            ELSE 'item' END AS outcome,
        o.event_id, o.key, o.parcel, o.state, o.code, o.amount_minor,
        o.currency, o.account_end, o.occurred_us
    FROM one o
    UNION ALL
    SELECT 2, w.n, CASE WHEN w.msg_id IS NULL THEN 'not_found'
                        ELSE 'item' END,
        w.event_id || coalesce('/' || i.key, ''), i.key, w.parcel, w.state,
        w.code, NULL, NULL, NULL, w.occurred_us
    FROM whole w
    LEFT JOIN payout_file_item i ON i.msg_id = w.msg_id AND i.is_in
    WHERE w.msg_id IS NULL
        OR w.state <> 'unknown'
           AND NOT EXISTS (SELECT FROM said s WHERE s.key = i.key)) r
ORDER BY r.rank, r.state = 'returned', r.n, r.key
$$;
COMMENT ON FUNCTION pay_ops.read_payout_report IS
    'The statements of a bank''s report, each about one item: item, not_found '
    '(of no file of this provider), other_file or other_account';


-- payctl has put this before the ids of entries of a camt.054.
CREATE OR REPLACE FUNCTION pay.is_notice_entry(p_event_id text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT p_event_id LIKE 'camt.054/%'
$$;
COMMENT ON FUNCTION pay.is_notice_entry IS
    'Whether an entry of a bank stands in a notification, not in a statement';


-- A bank that debits twice has paid twice.  It notifies of each debit and has
-- it on its statement, in either order: these two are one debit, and only the
-- second one of the same kind of message is another.
CREATE OR REPLACE FUNCTION pay.is_settled_twice(
    p_payout payout, p_event payout_event)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT p_event.state = 'settled'
    AND p_payout.state IN ('settled', 'returned')
    AND EXISTS (
        SELECT FROM payout_event e
        WHERE e.merchant_id = p_payout.merchant_id
            AND e.payout_id = p_payout.payout_id AND e.state = 'settled'
            AND is_notice_entry(e.event_id)
                = is_notice_entry(p_event.event_id)
            AND e.event_id <> p_event.event_id)
$$;
COMMENT ON FUNCTION pay.is_settled_twice IS
    'Whether a debit of the bank is the second one of an item';


-- A bank that has debited twice and credits once has taken the second debit
-- back: the seller still has the money, and would be paid anew.
CREATE OR REPLACE FUNCTION pay.is_debit_left(p_event payout_event)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT p_event.state = 'returned' AND coalesce((
    SELECT max(k.debits) > coalesce(max(k.credits) FILTER (
        WHERE k.is_notice = is_notice_entry(p_event.event_id)), 0)
    FROM (
        SELECT is_notice_entry(e.event_id) AS is_notice,
            count(*) FILTER (WHERE e.state = 'settled') AS debits,
            count(*) FILTER (WHERE e.state = 'returned') AS credits
        FROM payout_event e
        WHERE e.merchant_id = p_event.merchant_id
            AND e.payout_id = p_event.payout_id
        GROUP BY 1) k), false)
$$;
COMMENT ON FUNCTION pay.is_debit_left IS
    'Whether behind this credit of the bank, which is kept already, a debit of '
    'the item is left';


CREATE OR REPLACE FUNCTION pay.judge_payout_report(
    p_item payout_file_item, p_event payout_event, p_amount_minor bigint,
    p_currency text, p_account_end text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_payout payout := lock_payout(p_item.merchant_id, p_item.payout_id);
    v_row    payout_sending;
    v_fact   text := payout_word_fact(p_event.state);
    v_told   text;
BEGIN
    SELECT * INTO v_row FROM payout_sending s
    WHERE s.merchant_id = p_item.merchant_id
        AND s.payout_id = p_item.payout_id
    FOR NO KEY UPDATE;

    IF is_payout_event_behind(v_row, p_event) THEN
        RETURN 'behind';
    ELSIF v_fact IS NULL THEN
        RETURN 'unchanged';
    ELSIF is_settled_twice(v_payout, p_event) THEN
        PERFORM keep_payout_act(p_item.merchant_id, 'payout',
            p_item.payout_id, 'contradiction', p_event.provider,
            'debited_twice', jsonb_build_object('event', p_event.event_id),
            'payout.contradiction');
        RETURN 'contradiction';
    ELSIF is_debit_left(p_event) THEN
        PERFORM keep_payout_act(p_item.merchant_id, 'payout',
            p_item.payout_id, 'contradiction', p_event.provider,
            'debit_left', jsonb_build_object('event', p_event.event_id),
            'payout.contradiction');
        RETURN 'contradiction';
    END IF;

    UPDATE payout_sending s
    SET occurred_at = greatest(s.occurred_at, p_event.occurred_at)
    WHERE s.merchant_id = p_item.merchant_id
        AND s.payout_id = p_item.payout_id;
    v_told := tell_payout(p_item.merchant_id, p_item.payout_id, v_fact,
        p_event.provider, p_item.key,
        CASE v_fact WHEN 'failed' THEN 'pain002' END, p_event.code,
        p_amount_minor, p_currency, p_account_end);

    RETURN CASE WHEN v_told IN ('unchanged', 'contradiction', 'invalid')
                THEN v_told ELSE 'applied' END;
END
$$;
COMMENT ON FUNCTION pay.judge_payout_report IS
    'Applies a bank''s statement to the item that it is about';


CREATE OR REPLACE FUNCTION pay_ops.take_payout_report(
    p_merchant_id text, p_provider text, p_event_id text, p_key text,
    p_parcel text, p_state text, p_code text, p_amount_minor bigint,
    p_currency text, p_account_end text, p_occurred_us bigint)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_item  payout_file_item := file_item_of(p_merchant_id, p_provider,
                                             p_key);
    v_event payout_event;
BEGIN
    IF v_item.payout_id IS NULL THEN
        RETURN 'not_found';
    END IF;

    v_event := ROW(p_merchant_id, p_provider, p_event_id, clock_timestamp(),
        v_item.payout_id, NULL, p_parcel, p_state, p_code,
        to_timestamp(p_occurred_us / 1000000.0), NULL,
        'waiting')::payout_event;
    INSERT INTO payout_event SELECT v_event.*
    ON CONFLICT (merchant_id, provider, event_id) DO NOTHING;
    IF NOT FOUND THEN
        RETURN 'duplicate';
    END IF;

    v_event.outcome := judge_payout_report(v_item, v_event, p_amount_minor,
                                           p_currency, p_account_end);
    UPDATE payout_event e SET outcome = v_event.outcome
    WHERE e.merchant_id = p_merchant_id AND e.provider = p_provider
        AND e.event_id = p_event_id;

    RETURN v_event.outcome;
END
$$;
COMMENT ON FUNCTION pay_ops.take_payout_report IS
    'Applies a bank''s statement about an item, once by its id: applied, '
    'unchanged, duplicate, behind (a later one came before), contradiction, '
    'invalid or not_found';


CREATE OR REPLACE FUNCTION pay_ops.end_payout_report(
    p_merchant_id text, p_provider text, p_sha256 bytea, p_kind text,
    p_counts jsonb, p_who text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    IF NOT is_statement(p_who) THEN
        RETURN 'invalid';
    END IF;

    INSERT INTO payout_report (merchant_id, provider, sha256, kind, counts,
        read_by)
    VALUES (p_merchant_id, p_provider, p_sha256, p_kind, p_counts, p_who)
    ON CONFLICT DO NOTHING;

    RETURN CASE WHEN FOUND THEN 'read' ELSE 'known' END;
END
$$;
COMMENT ON FUNCTION pay_ops.end_payout_report IS
    'Keeps that a report of a bank was read to its end: read, known or '
    'invalid';
