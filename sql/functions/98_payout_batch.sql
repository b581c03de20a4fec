-- Batches: made by one, approved by others.  An approval names the digest that
-- its approver has seen.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A line for each item, in the order of the ids: its terms, which never change.
CREATE OR REPLACE FUNCTION pay.payout_batch_hash(
    p_merchant_id text, p_batch_id text, OUT hash bytea, OUT item_count int,
    OUT total_minor bigint)
LANGUAGE sql STABLE AS $$
SELECT sha256(convert_to(string_agg(concat_ws('|', p.payout_id, p.payout_key,
        p.attempt, p.amount_minor, p.currency, p.provider, p.destination_id,
        p.destination_version), E'\n' ORDER BY p.payout_id), 'UTF8')),
    count(*)::int, sum(p.amount_minor)::bigint
FROM payout_batch_item i
JOIN payout p ON p.merchant_id = i.merchant_id AND p.payout_id = i.payout_id
WHERE i.merchant_id = p_merchant_id AND i.batch_id = p_batch_id
$$;
COMMENT ON FUNCTION pay.payout_batch_hash IS
    'The digest over the items of a batch, their number and their sum';


-- The approvals that a sum takes: 1, 2 or 3.
CREATE OR REPLACE FUNCTION pay.approvals_needed(
    p_merchant_id text, p_currency text, p_total_minor bigint)
RETURNS int LANGUAGE sql STABLE AS $$
SELECT CASE WHEN u.total <= coalesce(l.one, 0) THEN 1
            WHEN u.total <= coalesce(l.two, 0) THEN 2
            WHEN l.currency IS NULL THEN 2
            ELSE 3 END
FROM (SELECT p_total_minor / 10::numeric ^ k.exponent AS total
      FROM currency k WHERE k.code = p_currency) u
LEFT JOIN LATERAL (
    SELECT l.currency, l.one, l.two FROM payout_limit l
    WHERE l.merchant_id = p_merchant_id
        AND l.currency IN (p_currency, '***')
    ORDER BY l.currency = '***' LIMIT 1) l ON true
$$;
COMMENT ON FUNCTION pay.approvals_needed IS
    'How many approvers a batch takes; without limits two';


CREATE OR REPLACE FUNCTION pay.approval_time(p_merchant_id text)
RETURNS interval LANGUAGE sql STABLE AS $$
SELECT make_interval(hours => coalesce((
    SELECT p.approval_hours FROM payout_policy p
    WHERE p.merchant_id = p_merchant_id), 24))
$$;
COMMENT ON FUNCTION pay.approval_time IS 'How long an approval holds';


-- Approvals that are not too old count.
CREATE OR REPLACE FUNCTION pay.approvals_missing(
    p_merchant_id text, p_batch_id text)
RETURNS int LANGUAGE sql STABLE AS $$
SELECT approvals_needed(b.merchant_id, b.currency, b.total_minor)
    - (SELECT count(*)::int FROM payout_approval a
       WHERE a.merchant_id = b.merchant_id AND a.batch_id = b.batch_id
           AND a.hash = b.hash
           AND a.at > now() - approval_time(p_merchant_id))
FROM payout_batch b
WHERE b.merchant_id = p_merchant_id AND b.batch_id = p_batch_id
$$;
COMMENT ON FUNCTION pay.approvals_missing IS
    'How many more approvers a batch takes';


-- Nobody approves a batch or an item that is his own work, nor an account that
-- he has entered.  Another case of the letters is no other person.
CREATE OR REPLACE FUNCTION pay.may_approve(
    p_merchant_id text, p_batch_id text, p_who text)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT CASE
    WHEN lower(b.made_by) = lower(p_who) OR EXISTS (
        SELECT FROM payout_batch_item i
        JOIN payout p ON p.merchant_id = i.merchant_id
            AND p.payout_id = i.payout_id
        WHERE i.merchant_id = b.merchant_id AND i.batch_id = b.batch_id
            AND lower(p.made_by) = lower(p_who)) THEN 'maker'
    WHEN EXISTS (
        SELECT FROM payout_batch_item i
        JOIN payout p ON p.merchant_id = i.merchant_id
            AND p.payout_id = i.payout_id
        JOIN payout_destination d ON d.merchant_id = p.merchant_id
            AND d.destination_id = p.destination_id
            AND d.version = p.destination_version
        WHERE i.merchant_id = b.merchant_id AND i.batch_id = b.batch_id
            AND lower(d.entered_by) = lower(p_who)) THEN 'entered'
    ELSE 'approved' END
FROM payout_batch b
WHERE b.merchant_id = p_merchant_id AND b.batch_id = p_batch_id
$$;
COMMENT ON FUNCTION pay.may_approve IS
    'Whether an operator may approve a batch: approved, maker or entered';


-- Whether these sums let fewer approve than those that hold now: of the currency,
-- else of all currencies, else none.
CREATE OR REPLACE FUNCTION pay.is_limit_raised(
    p_merchant_id text, p_currency text, p_one numeric, p_two numeric)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT p_one > coalesce(l.one, 0) OR p_two > coalesce(l.two, 'infinity')
FROM (VALUES (1)) x (x)
LEFT JOIN LATERAL (
    SELECT l.one, l.two FROM payout_limit l
    WHERE l.merchant_id = p_merchant_id
        AND l.currency IN (p_currency, '***')
    ORDER BY l.currency = '***' LIMIT 1) l ON true
$$;
COMMENT ON FUNCTION pay.is_limit_raised IS
    'Whether fewer operators would approve by these sums than now';


-- Sums by which fewer approve than before take two operators: else one of them
-- raises the limit and approves alone.  Those of a merchant are set one after
-- another, so that none is compared with a row that is about to change.
CREATE OR REPLACE FUNCTION pay_ops.set_payout_limit(
    p_merchant_id text, p_currency text, p_one numeric, p_two numeric,
    p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_detail jsonb := jsonb_build_object('currency', p_currency,
        'one', p_one, 'two', p_two);
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why)
        OR NOT id_ok(p_merchant_id) OR (p_one BETWEEN 0 AND p_two) IS NOT TRUE
        OR (p_currency = '***' OR EXISTS (
            SELECT FROM currency k WHERE k.code = p_currency)) IS NOT TRUE
    THEN
        RETURN 'invalid';
    END IF;

    PERFORM pg_advisory_xact_lock(hashtext('payout_limit'),
                                  hashtext(p_merchant_id));
    IF is_limit_raised(p_merchant_id, p_currency, p_one, p_two)
        AND NOT is_setting_asked(p_merchant_id, 'policy', p_merchant_id,
            'limit', v_detail, p_who)
    THEN
        PERFORM keep_payout_act(p_merchant_id, 'policy', p_merchant_id,
                                'asked', p_who, p_why, v_detail);
        RETURN 'second';
    END IF;

    INSERT INTO payout_limit AS l (merchant_id, currency, one, two)
    VALUES (p_merchant_id, p_currency, p_one, p_two)
    ON CONFLICT (merchant_id, currency) DO UPDATE
    SET one = EXCLUDED.one, two = EXCLUDED.two;
    PERFORM keep_payout_act(p_merchant_id, 'policy', p_merchant_id, 'limit',
        p_who, p_why, v_detail);

    RETURN 'stored';
END
$$;
COMMENT ON FUNCTION pay_ops.set_payout_limit IS
    'Changes the sums that one approver or two may approve: stored, second '
    '(another operator is needed, since fewer would approve) or invalid';


-- A batch of all items of a provider and currency that are ready, the oldest
-- first.
CREATE OR REPLACE FUNCTION pay_ops.make_payout_batch(
    p_merchant_id text, p_provider text, p_currency text, p_items int,
    p_who text)
RETURNS TABLE (outcome text, batch_id text, item_count int,
    total_minor bigint, hash text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_ids text[];
    v_sum record;
BEGIN
    IF NOT is_statement(p_who) OR (p_items BETWEEN 1 AND 10000) IS NOT TRUE
    THEN
        outcome := 'invalid';
        RETURN NEXT;
        RETURN;
    END IF;

    v_ids := ARRAY(
        SELECT p.payout_id FROM payout p
        WHERE p.merchant_id = p_merchant_id AND p.provider = p_provider
            AND p.currency = p_currency AND p.state = 'ready'
            AND p.batch_id IS NULL
        ORDER BY p.created_at, p.payout_id LIMIT p_items
        FOR NO KEY UPDATE SKIP LOCKED);
    IF v_ids = '{}' THEN
        outcome := 'nothing';
        RETURN NEXT;
        RETURN;
    END IF;

    batch_id := gen_random_uuid()::text;
    SELECT sha256(convert_to(string_agg(concat_ws('|', p.payout_id,
            p.payout_key, p.attempt, p.amount_minor, p.currency, p.provider,
            p.destination_id, p.destination_version), E'\n'
            ORDER BY p.payout_id), 'UTF8')) AS hash,
        count(*)::int AS items, sum(p.amount_minor)::bigint AS total
    INTO v_sum
    FROM payout p
    WHERE p.merchant_id = p_merchant_id AND p.payout_id = ANY (v_ids);

    INSERT INTO payout_batch (merchant_id, batch_id, provider, currency,
        item_count, total_minor, hash, made_by)
    VALUES (p_merchant_id, make_payout_batch.batch_id, p_provider,
        p_currency, v_sum.items, v_sum.total, v_sum.hash, p_who);
    INSERT INTO payout_batch_item (merchant_id, batch_id, payout_id)
    SELECT p_merchant_id, make_payout_batch.batch_id, u
    FROM unnest(v_ids) u;
    UPDATE payout p SET batch_id = make_payout_batch.batch_id
    WHERE p.merchant_id = p_merchant_id AND p.payout_id = ANY (v_ids);
    PERFORM keep_payout_act(p_merchant_id, 'batch', batch_id, 'made', p_who,
        NULL, jsonb_build_object('items', v_sum.items,
            'total_minor', v_sum.total, 'currency', p_currency,
            'hash', encode(v_sum.hash, 'hex')));

    outcome := 'made';
    item_count := v_sum.items;
    total_minor := v_sum.total;
    hash := encode(v_sum.hash, 'hex');
    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION pay_ops.make_payout_batch IS
    'Makes a batch of the items that are ready: made, nothing or invalid';


-- The batch and its items are locked, so that of two approvers at once each
-- sees the other one.
CREATE OR REPLACE FUNCTION pay_ops.approve_payout_batch(
    p_merchant_id text, p_batch_id text, p_hash text, p_who text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_batch payout_batch;
    v_may   text;
BEGIN
    IF NOT is_statement(p_who) THEN
        RETURN 'invalid';
    END IF;

    SELECT * INTO v_batch FROM payout_batch b
    WHERE b.merchant_id = p_merchant_id AND b.batch_id = p_batch_id
    FOR UPDATE;
    PERFORM FROM payout p
    WHERE p.merchant_id = p_merchant_id AND p.batch_id = p_batch_id
    ORDER BY p.payout_id FOR NO KEY UPDATE;
    IF v_batch.state = 'open' THEN
        PERFORM hold_by_screening(p)
        FROM payout p
        WHERE p.merchant_id = p_merchant_id AND p.batch_id = p_batch_id
            AND p.state = 'ready';
    END IF;

    v_may := CASE
        WHEN v_batch.batch_id IS NULL THEN 'not_found'
        WHEN v_batch.state <> 'open' THEN 'closed'
        WHEN encode(v_batch.hash, 'hex') IS DISTINCT FROM p_hash
        THEN 'other_hash'
        WHEN EXISTS (
            SELECT FROM payout_approval a
            WHERE a.merchant_id = p_merchant_id
                AND a.batch_id = p_batch_id
                AND lower(a.approver) = lower(p_who))
        THEN 'again'
        WHEN (SELECT count(*) FROM payout p
              WHERE p.merchant_id = p_merchant_id
                  AND p.batch_id = p_batch_id AND p.state = 'ready')
            <> v_batch.item_count
        THEN 'changed'
        ELSE may_approve(p_merchant_id, p_batch_id, p_who) END;
    IF v_may <> 'approved' THEN
        RETURN v_may;
    END IF;

    INSERT INTO payout_approval (merchant_id, batch_id, approver, hash)
    VALUES (p_merchant_id, p_batch_id, p_who, v_batch.hash);
    PERFORM keep_payout_act(p_merchant_id, 'batch', p_batch_id, 'approved',
        p_who, NULL, jsonb_build_object('hash', p_hash));
    IF approvals_missing(p_merchant_id, p_batch_id) > 0 THEN
        RETURN 'second';
    END IF;

    UPDATE payout_batch b
    SET state = 'approved', approved_at = now(),
        until = now() + approval_time(p_merchant_id),
        send_at = CASE WHEN NOT EXISTS (
            SELECT FROM payout_policy p
            WHERE p.merchant_id = p_merchant_id AND p.sends_by = 'act')
            THEN now() END
    WHERE b.merchant_id = p_merchant_id AND b.batch_id = p_batch_id;
    UPDATE payout p SET state = 'approved', changed_at = clock_timestamp()
    WHERE p.merchant_id = p_merchant_id AND p.batch_id = p_batch_id;
    INSERT INTO payout_act (merchant_id, subject, subject_id, act, who,
        detail)
    SELECT p_merchant_id, 'payout', p.payout_id, 'approved', p_who,
        jsonb_build_object('batch_id', p_batch_id)
    FROM payout p
    WHERE p.merchant_id = p_merchant_id AND p.batch_id = p_batch_id;

    RETURN 'approved';
END
$$;
COMMENT ON FUNCTION pay_ops.approve_payout_batch IS
    'Approves a batch: approved, second (another approver is needed), maker '
    '(made by the same one), entered (so was an account of it), other_hash, '
    'again, changed (an item is held or gone), closed, not_found or invalid';


CREATE OR REPLACE FUNCTION pay_ops.send_payout_batch(
    p_merchant_id text, p_batch_id text, p_who text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_batch payout_batch;
BEGIN
    IF NOT is_statement(p_who) THEN
        RETURN 'invalid';
    END IF;

    SELECT * INTO v_batch FROM payout_batch b
    WHERE b.merchant_id = p_merchant_id AND b.batch_id = p_batch_id
    FOR UPDATE;
    IF v_batch.batch_id IS NULL THEN
        RETURN 'not_found';
    ELSIF v_batch.state = 'open' THEN
        RETURN 'not_approved';
    ELSIF v_batch.state <> 'approved' OR v_batch.until <= now() THEN
        RETURN 'closed';
    ELSIF v_batch.send_at IS NULL THEN
        UPDATE payout_batch b SET send_at = now()
        WHERE b.merchant_id = p_merchant_id AND b.batch_id = p_batch_id;
        PERFORM keep_payout_act(p_merchant_id, 'batch', p_batch_id, 'sent',
                                p_who, NULL);
    END IF;

    RETURN 'sent';
END
$$;
COMMENT ON FUNCTION pay_ops.send_payout_batch IS
    'Lets the items of an approved batch be sent: sent, not_approved, closed '
    '(expired or withdrawn), not_found or invalid';


-- Items that nothing was sent of are ready again, for another batch.  They are
-- locked before: one that is held or released in the meantime would be in neither
-- statement.
CREATE OR REPLACE FUNCTION pay.close_payout_batch(
    p_merchant_id text, p_batch_id text, p_state text, p_who text,
    p_why text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM payout p
    WHERE p.merchant_id = p_merchant_id AND p.batch_id = p_batch_id
    ORDER BY p.payout_id FOR NO KEY UPDATE;

    UPDATE payout p
    SET state = 'ready', batch_id = NULL, changed_at = clock_timestamp()
    WHERE p.merchant_id = p_merchant_id AND p.batch_id = p_batch_id
        AND p.state IN ('approved', 'ready');
    UPDATE payout p SET batch_id = NULL
    WHERE p.merchant_id = p_merchant_id AND p.batch_id = p_batch_id
        AND p.state = 'held';
    UPDATE payout_batch b SET state = p_state
    WHERE b.merchant_id = p_merchant_id AND b.batch_id = p_batch_id;
    PERFORM keep_payout_act(p_merchant_id, 'batch', p_batch_id, p_state,
                            p_who, p_why);
END
$$;
COMMENT ON FUNCTION pay.close_payout_batch IS
    'Ends a batch: its items that are not sent are ready again';


CREATE OR REPLACE FUNCTION pay_ops.withdraw_payout_batch(
    p_merchant_id text, p_batch_id text, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_state text;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    SELECT b.state INTO v_state FROM payout_batch b
    WHERE b.merchant_id = p_merchant_id AND b.batch_id = p_batch_id
    FOR UPDATE;
    IF v_state IS NULL THEN
        RETURN 'not_found';
    ELSIF v_state NOT IN ('open', 'approved') THEN
        RETURN 'closed';
    END IF;

    PERFORM close_payout_batch(p_merchant_id, p_batch_id, 'withdrawn', p_who,
                               p_why);

    RETURN 'withdrawn';
END
$$;
COMMENT ON FUNCTION pay_ops.withdraw_payout_batch IS
    'Takes a batch back: withdrawn, closed, not_found or invalid';
