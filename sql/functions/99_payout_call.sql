-- The operation begin_payout_call: the next call to a pay-out provider, claimed
-- by a worker and journaled in one commit, before a byte of it leaves.  Any
-- worker of any node goes on with any item, because all that the bytes of a
-- call are made of is stored.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The row of an adapter is as the worker states it.
CREATE OR REPLACE FUNCTION pay.declare_payout_adapter(
    p_adapter text, p_facts jsonb)
RETURNS payout_adapter LANGUAGE plpgsql AS $$
DECLARE
    v_old  payout_adapter;
    v_said payout_adapter;
BEGIN
    v_said := jsonb_populate_record(NULL::payout_adapter,
        p_facts || jsonb_build_object('adapter', p_adapter));

    SELECT * INTO v_old FROM payout_adapter a WHERE a.adapter = p_adapter;

    IF v_old IS DISTINCT FROM v_said THEN
        INSERT INTO payout_adapter SELECT (v_said).*
        ON CONFLICT (adapter) DO UPDATE
        SET window_s = EXCLUDED.window_s, moves = EXCLUDED.moves,
            looks = EXCLUDED.looks, gap_s = EXCLUDED.gap_s,
            asks = EXCLUDED.asks, finds = EXCLUDED.finds,
            takes_back = EXCLUDED.takes_back, return_s = EXCLUDED.return_s;
    END IF;

    RETURN v_said;
EXCEPTION WHEN check_violation OR not_null_violation
    OR invalid_text_representation OR numeric_value_out_of_range THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pay.declare_payout_adapter IS
    'Stores the facts of an adapter; NULL: they cannot be';


-- The lock has the stop switch wait for this commit, or this one for the switch.
-- An open recovery stops all providers: items of the lost time may have been sent.
CREATE OR REPLACE FUNCTION pay.payout_stopped_at(
    p_merchant_id text, p_provider text)
RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    v_stopped timestamptz;
BEGIN
    SELECT v.stopped_at INTO v_stopped FROM payout_provider v
    WHERE v.merchant_id = p_merchant_id AND v.provider = p_provider
    FOR SHARE;

    RETURN coalesce(v_stopped, (open_recovery()).begun_at);
END
$$;
COMMENT ON FUNCTION pay.payout_stopped_at IS
    'Since when nothing is sent to a provider; NULL: it is not stopped';


-- The stop switch stops all that moves money towards sellers, repeats of
-- an earlier send, too; questions go on.  An item stays with the adapter that has
-- begun it, since no other one knows its keys.  Item and row are locked together, so
-- that a row that another worker has just leased is passed over.
CREATE OR REPLACE FUNCTION pay.next_payout_sending(
    p_merchant_id text, p_provider text, p_adapter text,
    p_is_stopped boolean)
RETURNS payout_sending LANGUAGE sql AS $$
SELECT s FROM payout p
JOIN payout_sending s ON s.merchant_id = p.merchant_id
    AND s.payout_id = p.payout_id
WHERE s.merchant_id = p_merchant_id AND s.provider = p_provider
    AND s.adapter = p_adapter
    AND s.run_at <= now() AND coalesce(s.lease_until <= now(), true)
    AND p.state IN ('sending', 'unknown', 'sent', 'paid')
    AND (s.call <> 'send' OR NOT p_is_stopped)
ORDER BY s.run_at
LIMIT 1
FOR NO KEY UPDATE OF p, s SKIP LOCKED
$$;
COMMENT ON FUNCTION pay.next_payout_sending IS
    'The row of an item that is being sent and whose next call is due, locked';


-- An item that nothing has been sent of.  Its batch is locked first, as in an
-- approval; begin_payout judges the approval and all that may stop the item.  An
-- item that cannot begin is no longer approved, so that the next one is looked
-- at.
CREATE OR REPLACE FUNCTION pay.next_payout_approved(
    p_merchant_id text, p_provider text, p_adapter text, p_who text)
RETURNS payout_sending LANGUAGE plpgsql AS $$
DECLARE
    v_item text;
    v_row  payout_sending;
BEGIN
    FOR v_try IN 1 .. 20 LOOP
        SELECT p.payout_id INTO v_item
        FROM payout p
        JOIN payout_batch b ON b.merchant_id = p.merchant_id
            AND b.batch_id = p.batch_id
        WHERE p.merchant_id = p_merchant_id AND p.provider = p_provider
            AND p.state = 'approved' AND least(b.send_at, b.until) <= now()
            AND NOT EXISTS (
                SELECT FROM payout_sending s
                WHERE s.merchant_id = p.merchant_id
                    AND s.payout_id = p.payout_id AND s.run_at > now())
        ORDER BY p.payout_id
        LIMIT 1
        FOR UPDATE OF b;
        EXIT WHEN NOT FOUND;

        IF begin_payout(p_merchant_id, v_item, p_who) = 'sending' THEN
            INSERT INTO payout_sending AS s (merchant_id, payout_id,
                provider, adapter)
            VALUES (p_merchant_id, v_item, p_provider, p_adapter)
            ON CONFLICT (merchant_id, payout_id) DO UPDATE
            SET call = 'send', run_at = now()
            RETURNING s.* INTO v_row;
            RETURN v_row;
        END IF;
    END LOOP;

    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pay.next_payout_approved IS
    'Begins the next approved item of a provider: its row, or NULL';


-- The first send of a step opens the window of its key.  Behind the window the
-- step is not sent again: it is looked for, or an operator decides.  So it is
-- with an item that a message has shown to be paid meanwhile.
CREATE OR REPLACE FUNCTION pay.choose_payout_call(
    p_row payout_sending, p_adapter payout_adapter, p_lease interval)
RETURNS payout_sending LANGUAGE plpgsql AS $$
BEGIN
    IF p_row.call IN ('send', 'find') AND NOT EXISTS (
        SELECT FROM payout p
        WHERE p.merchant_id = p_row.merchant_id
            AND p.payout_id = p_row.payout_id
            AND p.state IN ('sending', 'unknown'))
    THEN
        p_row.call := 'ask';
    END IF;

    IF p_row.call = 'ask' AND (p_row.ids[p_row.step + 1] IS NULL
                               OR NOT p_adapter.asks)
    THEN
        p_row.run_at := NULL;
    ELSIF p_row.call <> 'send' OR NOT p_adapter.moves[p_row.step + 1] THEN
        RETURN p_row;
    ELSIF NOT p_row.is_doubtful THEN
        p_row.key_until := now()
            + make_interval(secs => p_adapter.window_s[p_row.step + 1]);
    ELSIF p_row.key_until <= now() + p_lease THEN
        p_row.call := CASE WHEN p_adapter.finds THEN 'find' ELSE 'ask' END;
        p_row.run_at := CASE WHEN p_adapter.finds THEN p_row.run_at END;
    END IF;

    RETURN p_row;
END
$$;
COMMENT ON FUNCTION pay.choose_payout_call IS
    'The row of an item with the call that is right at this time; run_at '
    'NULL: none is';


-- The call that is claimed, in the journal.
CREATE OR REPLACE FUNCTION pay.journal_payout_call(
    p_row payout_sending, p_owner text, p_lease interval)
RETURNS payout_sending LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payout_sending s
    SET call = p_row.call, key_until = p_row.key_until, run_at = p_row.run_at,
        calls = s.calls + 1, lease_until = now() + p_lease
    WHERE s.merchant_id = p_row.merchant_id
        AND s.payout_id = p_row.payout_id
    RETURNING s.* INTO p_row;

    INSERT INTO payout_dispatch (merchant_id, payout_id, number, call, step,
        key, owner, key_until)
    SELECT p.merchant_id, p.payout_id, p_row.calls, p_row.call,
        CASE p_row.call WHEN 'cancel' THEN 0 ELSE p_row.step END,
        p.payout_key || '-' || p.attempt, p_owner,
        CASE p_row.call WHEN 'send' THEN p_row.key_until END
    FROM payout p
    WHERE p.merchant_id = p_row.merchant_id
        AND p.payout_id = p_row.payout_id;

    RETURN p_row;
END
$$;
COMMENT ON FUNCTION pay.journal_payout_call IS
    'Journals the next call of an item, and leases the item';


-- A call without an end: its worker is gone, and nobody knows how far it came.
-- The call that follows from that is claimed at once.  No item is begun behind
-- one that has no call now: it is locked, and a batch is locked before its items.
CREATE OR REPLACE FUNCTION pay.claim_payout_call(
    p_merchant_id text, p_provider text, p_adapter payout_adapter,
    p_owner text, p_lease interval)
RETURNS payout_sending LANGUAGE plpgsql AS $$
DECLARE
    v_row     payout_sending;
    v_stopped timestamptz := payout_stopped_at(p_merchant_id, p_provider);
BEGIN
    FOR v_try IN 1 .. 20 LOOP
        v_row := next_payout_sending(p_merchant_id, p_provider,
            p_adapter.adapter, v_stopped IS NOT NULL);
        IF v_row.payout_id IS NULL AND v_stopped IS NULL AND v_try = 1 THEN
            v_row := next_payout_approved(p_merchant_id, p_provider,
                                          p_adapter.adapter, p_owner);
        END IF;
        EXIT WHEN v_row.payout_id IS NULL;

        IF v_row.lease_until IS NOT NULL THEN
            v_row := take_payout_end(v_row, p_adapter, v_row.calls,
                ROW('unknown', 'lost', NULL, NULL, NULL)::payout_said,
                NULL, NULL, NULL, 0);
        END IF;

        v_row := choose_payout_call(v_row, p_adapter, p_lease);
        IF v_row.run_at IS NOT NULL
            AND (v_row.call <> 'send' OR v_stopped IS NULL)
        THEN
            RETURN journal_payout_call(v_row, p_owner, p_lease);
        END IF;

        UPDATE payout_sending s
        SET call = v_row.call, run_at = v_row.run_at
        WHERE s.merchant_id = v_row.merchant_id
            AND s.payout_id = v_row.payout_id;
    END LOOP;

    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pay.claim_payout_call IS
    'Claims and journals the next call to a provider: the row of its item, or '
    'NULL';


CREATE OR REPLACE FUNCTION pay.payout_call_row(
    p_item int, p_row payout_sending)
RETURNS SETOF pay_api.payout_call_row LANGUAGE sql STABLE AS $$
SELECT p_item, 'due', p.payout_id::text, p_row.calls::bigint,
    p_row.call::text, d.step::bigint, p.payout_key || '-' || p.attempt,
    p.amount_minor::bigint, p.currency::text, n.kind::text,
    n.country::text, n.destination_id::text, n.version::bigint, n.details,
    n.key_id::text, p_row.ids[1], p_row.ids[2], p_row.ids[3], p_row.ids[4],
    floor(extract(epoch FROM p_row.made_at))::bigint, p_row.cursor,
    p.seller_account::text
FROM payout p
JOIN payout_dispatch d ON d.merchant_id = p.merchant_id
    AND d.payout_id = p.payout_id AND d.number = p_row.calls
JOIN payout_destination n ON n.merchant_id = p.merchant_id
    AND n.destination_id = p.destination_id
    AND n.version = p.destination_version
WHERE p.merchant_id = p_row.merchant_id AND p.payout_id = p_row.payout_id
$$;
COMMENT ON FUNCTION pay.payout_call_row IS
    'A call that was claimed, with all that its bytes are made of';


-- p_facts: the columns of pay.payout_adapter but its name.
CREATE OR REPLACE FUNCTION pay_api.begin_payout_call(
    p_merchant_id text[], p_provider text[], p_adapter text[],
    p_facts jsonb[], p_owner text[], p_lease_ms bigint[])
RETURNS SETOF pay_api.payout_call_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row     pay_api.payout_call_row;
    v_adapter payout_adapter;
    v_stored  text;
    v_call    payout_sending;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_provider),
        array_dims(p_adapter), array_dims(p_facts), array_dims(p_owner),
        array_dims(p_lease_ms));

    FOR v_item IN 1 .. coalesce(cardinality(p_provider), 0) LOOP
        v_row := NULL;
        v_row.item := v_item;
        v_row.outcome := 'invalid';
        v_adapter := NULL;
        v_call := NULL;

        IF coalesce(id_ok(p_owner[v_item]) AND id_ok(p_adapter[v_item])
            AND p_lease_ms[v_item] BETWEEN 1 AND 3600000
            AND jsonb_typeof(p_facts[v_item]) = 'object', false)
        THEN
            v_adapter := declare_payout_adapter(p_adapter[v_item],
                                                p_facts[v_item]);
        END IF;

        IF v_adapter.adapter IS NOT NULL THEN
            SELECT v.adapter INTO v_stored FROM payout_provider v
            WHERE v.merchant_id = p_merchant_id[v_item]
                AND v.provider = p_provider[v_item];
            v_row.outcome := CASE
                WHEN NOT FOUND THEN 'not_found'
                WHEN v_stored <> p_adapter[v_item] THEN 'mismatch'
                ELSE 'none' END;
        END IF;

        IF v_row.outcome = 'none' THEN
            v_call := claim_payout_call(p_merchant_id[v_item],
                p_provider[v_item], v_adapter, p_owner[v_item],
                make_interval(secs => p_lease_ms[v_item] / 1000.0));
        END IF;

        IF v_call.payout_id IS NOT NULL THEN
            RETURN QUERY SELECT * FROM payout_call_row(v_item, v_call);
        ELSE
            RETURN NEXT v_row;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.begin_payout_call IS
    'Claims and journals the next call to a pay-out provider; mismatch: the '
    'provider has another adapter. Outcomes: due, none, not_found, mismatch, '
    'invalid';
