-- Batches of pay-outs by the API: one operator makes them, others approve them,
-- each request once for its Idempotency-Key.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- An approval whose time is over is shown as expired before anything finds it
-- so.  hash: approvers send it back, so that they approve this batch.
CREATE OR REPLACE FUNCTION pay.payout_batch_json(p_batch payout_batch)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT json_build_object('batch_id', p_batch.batch_id,
    'state', CASE WHEN p_batch.state = 'approved' AND p_batch.until <= now()
                  THEN 'expired' ELSE p_batch.state END,
    'provider', p_batch.provider, 'currency', p_batch.currency,
    'amount', amount_text(p_batch.total_minor, p_batch.currency),
    'item_count', p_batch.item_count,
    'hash', encode(p_batch.hash, 'hex'), 'made_by', p_batch.made_by,
    'made_at', iso_time(p_batch.made_at),
    'approvals', coalesce((
        SELECT json_agg(json_build_object('approver', a.approver,
            'at', iso_time(a.at)) ORDER BY a.at, a.approver)
        FROM payout_approval a
        WHERE a.merchant_id = p_batch.merchant_id
            AND a.batch_id = p_batch.batch_id), '[]'),
    'approvals_missing', CASE p_batch.state WHEN 'open' THEN
        approvals_missing(p_batch.merchant_id, p_batch.batch_id)
        ELSE 0 END,
    'approved_at', iso_time(p_batch.approved_at),
    'until', iso_time(p_batch.until), 'send_at', iso_time(p_batch.send_at))
$$;
COMMENT ON FUNCTION pay.payout_batch_json IS 'A batch of items for the API';


-- The items as an approver compares them, with the operator who entered the
-- account, and its state, which may stop the item after the approval.
CREATE OR REPLACE FUNCTION pay.payout_batch_items_json(
    p_merchant_id text, p_batch_id text)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT coalesce(json_agg(json_build_object('payout_id', p.payout_id,
    'state', p.state, 'seller_account', p.seller_account,
    'amount', amount_text(p.amount_minor, p.currency),
    'account', d.shown, 'account_state', a.state,
    'entered_by', d.entered_by, 'made_by', p.made_by)
    ORDER BY p.payout_id), '[]')
FROM payout_batch_item i
JOIN payout p ON p.merchant_id = i.merchant_id AND p.payout_id = i.payout_id
JOIN payout_destination d ON d.merchant_id = p.merchant_id
    AND d.destination_id = p.destination_id
    AND d.version = p.destination_version
JOIN payout_account a ON a.merchant_id = p.merchant_id
    AND a.destination_id = p.destination_id
WHERE i.merchant_id = p_merchant_id AND i.batch_id = p_batch_id
$$;
COMMENT ON FUNCTION pay.payout_batch_items_json IS
    'The items of a batch for the API';


CREATE OR REPLACE FUNCTION pay.payout_batch_whole(
    p_merchant_id text, p_batch_id text)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT left(payout_batch_json(b)::text, -1) || ', "items" : '
    || payout_batch_items_json(b.merchant_id, b.batch_id)::text
    || ', "acts" : '
    || payout_acts_json(b.merchant_id, 'batch', b.batch_id)::text || '}'
FROM payout_batch b
WHERE b.merchant_id = p_merchant_id AND b.batch_id = p_batch_id
$$;
COMMENT ON FUNCTION pay.payout_batch_whole IS
    'A batch with its items and acts for the API';


-- Batches are locked in their order, behind the keys and before their items.
CREATE OR REPLACE FUNCTION pay.lock_payout_batches(
    p_merchant_id text[], p_batch_id text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM payout_batch b
    WHERE (b.merchant_id, b.batch_id) IN (
        SELECT * FROM unnest(p_merchant_id, p_batch_id))
    ORDER BY b.merchant_id, b.batch_id FOR UPDATE;
END
$$;
COMMENT ON FUNCTION pay.lock_payout_batches IS
    'Locks batches in the order of their ids';


-- The act of one request: its outcome, and the batch that it was about.
CREATE OR REPLACE FUNCTION pay.act_on_payout_batch(
    p_act text, p_merchant_id text, p_subject text, p_currency text,
    p_limit bigint, p_hash text, p_why text, p_who text, OUT outcome text,
    OUT batch_id text)
LANGUAGE plpgsql AS $$
BEGIN
    batch_id := p_subject;

    IF p_act = 'approve' THEN
        outcome := pay_ops.approve_payout_batch(p_merchant_id, p_subject,
                                                p_hash, p_who);
        outcome := CASE outcome
            WHEN 'approved' THEN 'done' WHEN 'second' THEN 'asked'
            ELSE outcome END;
    ELSIF p_act = 'send' THEN
        outcome := pay_ops.send_payout_batch(p_merchant_id, p_subject,
                                             p_who);
        outcome := CASE outcome WHEN 'sent' THEN 'done' ELSE outcome END;
    ELSIF p_act = 'withdraw' THEN
        outcome := pay_ops.withdraw_payout_batch(p_merchant_id, p_subject,
                                                 p_who, p_why);
        outcome := CASE outcome WHEN 'withdrawn' THEN 'done'
                                ELSE outcome END;
    ELSE
        SELECT CASE m.outcome WHEN 'made' THEN 'created'
                              ELSE m.outcome END, m.batch_id
        INTO outcome, batch_id
        FROM pay_ops.make_payout_batch(p_merchant_id, p_subject, p_currency,
                                       p_limit::int, p_who) m;
    END IF;

    IF outcome NOT IN ('created', 'done', 'asked') THEN
        batch_id := NULL;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.act_on_payout_batch IS
    'Makes, approves, sends or withdraws a batch; without a batch_id nothing was '
    'done, and the outcome is the reason';


CREATE OR REPLACE FUNCTION pay_api.act_on_payout_batch(
    p_act text[], p_merchant_id text[], p_subject text[], p_currency text[],
    p_limit bigint[], p_hash text[], p_why text[], p_who text[],
    p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[])
RETURNS SETOF pay_api.payout_act_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row  pay_api.payout_act_row;
    v_said record;
BEGIN
    PERFORM check_batch(array_dims(p_act), array_dims(p_merchant_id),
        array_dims(p_subject), array_dims(p_currency), array_dims(p_limit),
        array_dims(p_hash), array_dims(p_why), array_dims(p_who),
        array_dims(p_idempotency_key), array_dims(p_fingerprint),
        array_dims(p_ttl_s));
    PERFORM claim_payout_keys(p_merchant_id, 'batch', p_idempotency_key,
                              p_fingerprint, p_ttl_s);
    PERFORM lock_payout_batches(p_merchant_id, p_subject);

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_said := payout_key_said(p_merchant_id[v_item], 'batch',
            p_idempotency_key[v_item], p_fingerprint[v_item]);
        v_row := ROW(v_item, v_said.outcome, CASE v_said.outcome
            WHEN 'replayed' THEN v_said.subject_id END, NULL);

        IF v_said.outcome IS NULL THEN
            v_said := act_on_payout_batch(p_act[v_item],
                p_merchant_id[v_item], p_subject[v_item],
                p_currency[v_item], p_limit[v_item], p_hash[v_item],
                p_why[v_item], p_who[v_item]);
            v_row := ROW(v_item, v_said.outcome, v_said.batch_id, NULL);
            IF v_said.batch_id IS NOT NULL THEN
                PERFORM keep_payout_key(p_merchant_id[v_item], 'batch',
                    p_idempotency_key[v_item], v_said.batch_id);
            ELSIF v_said.outcome NOT IN ('not_found', 'invalid') THEN
                v_row := ROW(v_item, 'refused', v_said.outcome, '{}');
            END IF;
        END IF;

        IF v_row.outcome <> 'refused' THEN
            v_row.page := payout_batch_whole(p_merchant_id[v_item],
                                             v_row.subject_id);
        END IF;
        RETURN NEXT v_row;
    END LOOP;

    PERFORM free_payout_keys(p_merchant_id, 'batch', p_idempotency_key);
END
$$;
COMMENT ON FUNCTION pay_api.act_on_payout_batch IS
    'Makes a batch of the items that are ready, approves, sends or withdraws '
    'one; '
    'asked: it takes another approver; refused: subject_id is the reason. '
    'Outcomes: created, done, asked, replayed, key_reused, refused, '
    'not_found, invalid';


CREATE OR REPLACE FUNCTION pay.payout_batch_page(
    p_merchant_id text, p_provider text, p_currency text, p_state text,
    p_day text, p_before bigint, p_limit int)
RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_day    record := day_bounds(p_day);
    v_window int := page_window(p_limit, num_nonnulls(p_provider, p_currency,
                                    p_state, p_day) > 0);
BEGIN
    RETURN (
        WITH seen AS MATERIALIZED (
            SELECT x.number, row_number() OVER (ORDER BY x.number DESC) AS n,
                (p_provider IS NULL OR x.provider = p_provider)
                AND (p_currency IS NULL OR x.currency = p_currency)
                AND (p_state IS NULL OR p_state = CASE
                    WHEN x.state = 'approved' AND x.until <= now()
                    THEN 'expired' ELSE x.state END)
                AND x.made_at >= v_day.since
                AND x.made_at < v_day.until AS fits
            FROM (SELECT b.* FROM payout_batch b
                  WHERE b.merchant_id = p_merchant_id
                      AND b.number < coalesce(p_before, 9223372036854775807)
                  ORDER BY b.number DESC LIMIT v_window + 1) x
        ), fit AS MATERIALIZED (
            SELECT s.n, s.number, row_number() OVER (ORDER BY s.n) AS place
            FROM seen s WHERE s.n <= v_window AND s.fits
        )
        SELECT json_build_object('batches', coalesce((
                SELECT json_agg(payout_batch_json(b) ORDER BY f.n)
                FROM fit f
                JOIN payout_batch b ON b.merchant_id = p_merchant_id
                    AND b.number = f.number
                WHERE f.place <= p_limit), '[]'),
            'next', (SELECT s.number FROM seen s
                WHERE s.n = CASE
                    WHEN (SELECT count(*) FROM fit) > p_limit
                        THEN (SELECT f.n FROM fit f WHERE f.place = p_limit)
                    WHEN (SELECT count(*) FROM seen) > v_window
                        THEN v_window END)));
END
$$;
COMMENT ON FUNCTION pay.payout_batch_page IS
    'A page of a merchant''s batches, and where the next begins';


CREATE OR REPLACE FUNCTION pay_api.list_payout_batches(
    p_merchant_id text[], p_batch_id text[], p_provider text[],
    p_currency text[], p_state text[], p_day text[], p_before bigint[],
    p_limit bigint[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row pay_api.page_row;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_batch_id),
        array_dims(p_provider), array_dims(p_currency), array_dims(p_state),
        array_dims(p_day), array_dims(p_before), array_dims(p_limit));

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_row := ROW(v_item, 'invalid', NULL);

        IF p_batch_id[v_item] IS NOT NULL THEN
            v_row.page := payout_batch_whole(p_merchant_id[v_item],
                                             p_batch_id[v_item]);
            v_row.outcome := CASE WHEN v_row.page IS NULL THEN 'not_found'
                                  ELSE 'found' END;
        ELSIF p_limit[v_item] BETWEEN 1 AND 1000 THEN
            v_row.outcome := 'found';
            v_row.page := payout_batch_page(p_merchant_id[v_item],
                p_provider[v_item], p_currency[v_item], p_state[v_item],
                p_day[v_item], p_before[v_item],
                p_limit[v_item]::int)::text;
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.list_payout_batches IS
    'A page of batches of pay-outs, newest first, or the one that is named '
    'with its items and acts. Outcomes: found, not_found, invalid';
