-- begin_change: writes a capture, a cancellation or a refund with its
-- idempotency record, its job and, for a refund, the money that it reserves,
-- before anything is sent: in one commit.  get_change and list_changes read.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.change_route(p_kind text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE p_kind WHEN 'refund' THEN 'POST refunds'
                   WHEN 'cancel' THEN 'POST cancel'
                   ELSE 'POST capture' END
$$;
COMMENT ON FUNCTION pay.change_route IS
    'The scope of an idempotency key, beside its merchant';


-- A cancellation is always one of everything.
CREATE OR REPLACE FUNCTION pay.read_change_items(
    p_merchant_id text[], p_payment_order_id text[], p_kind text[],
    p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[],
    p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[],
    p_reason text[], p_metadata jsonb[], p_lease_ms bigint[],
    p_request_id text[], p_asked_by jsonb[])
RETURNS change_item[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        SELECT ROW(u.n, u.merchant_id, o.checkout_id, u.payment_order_id,
            CASE u.kind WHEN 'final_capture' THEN 'capture'
                        WHEN 'covered_refund' THEN 'refund'
                        ELSE u.kind END,
            u.kind = 'final_capture', u.change_id,
            change_route(CASE u.kind WHEN 'covered_refund' THEN 'refund'
                                     ELSE u.kind END),
            u.key, u.fingerprint, make_interval(secs => u.ttl_s),
            u.amount_minor, nullif(u.currency, ''), nullif(u.reason, ''),
            u.metadata, make_interval(secs => u.lease_ms / 1000.0),
            u.request_id, u.kind = 'covered_refund', u.asked_by)::change_item
        FROM unnest(p_merchant_id, p_payment_order_id, p_kind, p_change_id,
            p_idempotency_key, p_fingerprint, p_ttl_s, p_amount_minor,
            p_currency, p_reason, p_metadata, p_lease_ms, p_request_id,
            p_asked_by)
            WITH ORDINALITY AS u (merchant_id, payment_order_id, kind,
            change_id, key, fingerprint, ttl_s, amount_minor, currency,
            reason, metadata, lease_ms, request_id, asked_by, n)
        LEFT JOIN LATERAL find_order(u.merchant_id, u.payment_order_id) o
            ON true
        WHERE id_ok(u.merchant_id) AND id_ok(u.payment_order_id)
            AND id_ok(u.key) AND octet_length(u.fingerprint) = 32
            AND u.kind IN ('capture', 'final_capture', 'cancel', 'refund',
                           'covered_refund')
            AND uuid_ok(u.change_id)
            AND u.ttl_s BETWEEN 1 AND 315360000
            AND coalesce(u.amount_minor BETWEEN 1 AND 999999999999999, true)
            AND coalesce(octet_length(u.currency), 0) IN (0, 3)
            AND (u.kind <> 'cancel' OR u.amount_minor IS NULL
                 AND coalesce(u.currency, '') = '')
            AND coalesce(octet_length(u.reason), 0) <= 1000
            AND u.lease_ms BETWEEN 0 AND 86400000
            AND asked_by_ok(u.asked_by)
        ORDER BY u.n);
END
$$;
COMMENT ON FUNCTION pay.read_change_items IS
    'Items of begin_change that pass their checks';


-- Inserts and locks keys first, in key order.  A key that is free or has
-- expired becomes this item's and has no change yet; one that has a change is
-- locked all the same.
CREATE OR REPLACE FUNCTION pay.claim_change_keys(p_items change_item[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO idempotency_key AS k (merchant_id, route, key, fingerprint,
        checkout_id, expires_at)
    SELECT DISTINCT ON (i.merchant_id, i.route, i.key)
        i.merchant_id, i.route, i.key, i.fingerprint, i.checkout_id,
        now() + i.ttl
    FROM unnest(p_items) i
    WHERE i.checkout_id IS NOT NULL
    ORDER BY i.merchant_id, i.route, i.key, i.item
    ON CONFLICT (merchant_id, route, key) DO UPDATE
    SET fingerprint = EXCLUDED.fingerprint,
        checkout_id = EXCLUDED.checkout_id, change_id = NULL,
        created_at = now(), expires_at = EXCLUDED.expires_at
    WHERE k.expires_at <= now();
END
$$;
COMMENT ON FUNCTION pay.claim_change_keys IS
    'Locks the idempotency keys of begin_change, and takes those that are free';


CREATE OR REPLACE FUNCTION pay.release_change_keys(p_items change_item[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM idempotency_key k
    USING unnest(p_items) i
    WHERE k.merchant_id = i.merchant_id AND k.route = i.route
        AND k.key = i.key AND k.change_id IS NULL;
END
$$;
COMMENT ON FUNCTION pay.release_change_keys IS
    'Leaves no key behind of items that came to nothing';


-- The request that began a change works on it while its lease lasts, unless the
-- change has an answer or a job has taken over.  A request that has sent nothing
-- for 5 seconds was answered already: there is no page, or no payment yet, that
-- the PSP would know.
CREATE OR REPLACE FUNCTION pay.change_in_progress(
    p_merchant_id text, p_change_id text)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_change change := find_change(p_merchant_id, p_change_id);
BEGIN
    RETURN coalesce(v_change.status = 'NOT_STARTED', false)
        AND EXISTS (
            SELECT FROM job j
            WHERE j.merchant_id = v_change.merchant_id
                AND j.checkout_id = v_change.checkout_id
                AND j.kind = 'change'
                AND j.operation_id = v_change.change_id
                AND j.attempts = 0 AND j.run_at > now())
        AND coalesce((
            SELECT bool_and(d.ended_at IS NULL) FROM dispatch d
            WHERE d.merchant_id = v_change.merchant_id
                AND d.checkout_id = v_change.checkout_id
                AND d.operation_id = v_change.change_id),
            v_change.created_at > now() - interval '5 seconds');
END
$$;
COMMENT ON FUNCTION pay.change_in_progress IS
    'Whether the request that began a change is still at it';


-- The amount that may still be paid back.
CREATE OR REPLACE FUNCTION pay.refund_terms(
    p_order payment_order, INOUT amount_minor bigint, OUT outcome text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_left bigint := p_order.captured_minor - p_order.refunding_minor
        - p_order.refunded_minor - p_order.charged_back_minor;
BEGIN
    outcome := CASE WHEN p_order.captured_minor = 0 THEN 'not_paid'
                    WHEN v_left <= 0 THEN 'nothing_left'
                    WHEN amount_minor > v_left THEN 'exceeds'
                    ELSE 'created' END;
    amount_minor := coalesce(amount_minor, v_left);
END
$$;
COMMENT ON FUNCTION pay.refund_terms IS
    'Whether this much of an order may be refunded, and how much that is';


-- The amount that is authorised and not yet on its way to be captured.  It is
-- nothing after a final capture or a cancellation that may still be done.
CREATE OR REPLACE FUNCTION pay.capture_terms(
    p_order payment_order, INOUT amount_minor bigint, OUT outcome text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_left  bigint;
    v_ended boolean;
BEGIN
    SELECT p_order.authorized_minor - coalesce(sum(c.amount_minor)
            FILTER (WHERE c.kind = 'capture'
                    AND c.payment_order_id = p_order.payment_order_id), 0),
        coalesce(bool_or(c.kind = 'cancel' OR c.is_final
            AND c.payment_order_id = p_order.payment_order_id), false)
    INTO v_left, v_ended
    FROM change c
    WHERE c.merchant_id = p_order.merchant_id
        AND c.checkout_id = p_order.checkout_id
        AND c.kind IN ('capture', 'cancel')
        AND c.status IN ('NOT_STARTED', 'EXECUTING');

    outcome := CASE
        WHEN p_order.authorized_minor = 0 AND p_order.captured_minor = 0
            THEN 'not_paid'
        WHEN v_ended OR v_left <= 0 THEN 'nothing_left'
        WHEN amount_minor > v_left THEN 'exceeds'
        ELSE 'created' END;
    amount_minor := coalesce(amount_minor, v_left);
END
$$;
COMMENT ON FUNCTION pay.capture_terms IS
    'Whether this much of an order may be captured, and how much that is';


-- The PSP holds money for an order that had failed before.
CREATE OR REPLACE FUNCTION pay.is_held_late(p_order payment_order)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_since timestamptz := events_since(p_order.merchant_id,
                                        p_order.checkout_id);
BEGIN
    RETURN p_order.status = 'FAILED'
        AND EXISTS (
            SELECT FROM event e
            WHERE e.merchant_id = p_order.merchant_id
                AND e.payment_order_id = p_order.payment_order_id
                AND e.at >= v_since AND e.kind = 'contradiction'
                AND e.detail ->> 'said' = 'authorized')
        AND NOT is_told(p_order.merchant_id, p_order.checkout_id,
                        p_order.payment_order_id, 'released', NULL);
END
$$;
COMMENT ON FUNCTION pay.is_held_late IS
    'Whether money is held for an order that has failed';


-- The PSP knows one payment, so all orders of the checkout are cancelled or
-- none, and of a partly captured payment all of the rest.
CREATE OR REPLACE FUNCTION pay.cancel_terms(
    p_order payment_order, INOUT amount_minor bigint, OUT outcome text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_taken boolean;
    v_open  text[];
BEGIN
    SELECT bool_or(o.status = 'SUCCESS' OR o.captured_minor > 0)
    INTO v_taken
    FROM payment_order o
    WHERE o.merchant_id = p_order.merchant_id
        AND o.checkout_id = p_order.checkout_id;

    SELECT coalesce(array_agg(c.kind), '{}') INTO v_open
    FROM change c
    WHERE c.merchant_id = p_order.merchant_id
        AND c.checkout_id = p_order.checkout_id
        AND c.status IN ('NOT_STARTED', 'EXECUTING');

    outcome := CASE
        WHEN 'capture' = ANY (v_open)
            OR v_taken AND p_order.authorized_minor = 0 THEN 'already_paid'
        WHEN 'cancel' = ANY (v_open)
            OR p_order.status = 'FAILED' AND NOT is_held_late(p_order)
            THEN 'nothing_left'
        ELSE 'created' END;
    amount_minor := CASE WHEN p_order.captured_minor > 0
                         THEN p_order.authorized_minor
                         ELSE p_order.amount_minor END;
END
$$;
COMMENT ON FUNCTION pay.cancel_terms IS
    'Whether a checkout, or the rest of the money that it holds, may be '
    'cancelled';


CREATE OR REPLACE FUNCTION pay.insert_change(
    p_item change_item, p_order payment_order, p_amount_minor bigint)
RETURNS change LANGUAGE plpgsql AS $$
DECLARE
    v_change change;
BEGIN
    INSERT INTO change (merchant_id, change_id, checkout_id,
        payment_order_id, kind, origin, psp, amount_minor, currency,
        seller_minor, seller_currency, is_final, reason, metadata,
        request_id)
    SELECT p_item.merchant_id, p_item.change_id, c.checkout_id,
        p_item.payment_order_id, p_item.kind, 'merchant', c.psp,
        p_amount_minor, p_order.currency,
        CASE WHEN p_item.kind = 'refund'
             THEN seller_share(p_order, p_amount_minor) END,
        CASE WHEN p_item.kind = 'refund'
             THEN coalesce(p_order.credit_currency, p_order.currency) END,
        p_item.is_final, p_item.reason, p_item.metadata, p_item.request_id
    FROM checkout c
    WHERE c.merchant_id = p_item.merchant_id
        AND c.checkout_id = p_item.checkout_id
    ON CONFLICT DO NOTHING
    RETURNING * INTO v_change;

    INSERT INTO job (merchant_id, checkout_id, kind, operation_id, run_at)
    SELECT v_change.merchant_id, v_change.checkout_id, 'change',
        v_change.change_id, now() + p_item.lease
    WHERE v_change.change_id IS NOT NULL;

    UPDATE idempotency_key k
    SET change_id = v_change.change_id, fingerprint = p_item.fingerprint,
        checkout_id = p_item.checkout_id, expires_at = now() + p_item.ttl
    WHERE k.merchant_id = p_item.merchant_id AND k.route = p_item.route
        AND k.key = p_item.key AND v_change.change_id IS NOT NULL;

    RETURN v_change;
END
$$;
COMMENT ON FUNCTION pay.insert_change IS
    'A change with its job and its idempotency record; NULL: its id is taken';


-- Writes the change, and the money that it reserves.
CREATE OR REPLACE FUNCTION pay.request_fact(
    p_change change, p_order payment_order, p_asked_by jsonb)
RETURNS fact LANGUAGE plpgsql AS $$
DECLARE
    v_word     fact;
    v_postings posting[];
BEGIN
    v_word.actor := 'merchant';
    v_word.request_id := p_change.request_id;

    IF p_change.kind = 'refund' THEN
        UPDATE payment_order o
        SET refunding_minor = o.refunding_minor + p_change.amount_minor
        WHERE o.merchant_id = p_change.merchant_id
            AND o.checkout_id = p_change.checkout_id
            AND o.payment_order_id = p_change.payment_order_id;

        v_postings := order_posting(p_order, 'change/' || p_change.change_id,
            'refund_reserved', p_change.psp, p_change.amount_minor,
            p_change.seller_minor, p_change.request_id);
    END IF;

    RETURN change_fact(p_change, v_word, p_change.kind || '_requested',
                       v_postings, asked_detail(p_asked_by));
END
$$;
COMMENT ON FUNCTION pay.request_fact IS
    'The request for a change and the money that it reserves, as a fact';


-- Where a seller's wallet must suffice for a refund, the wallets of all refunds
-- of the batch are locked before the first of them is checked: no other batch
-- spends them meanwhile.  The batch itself locks no wallets but these.
CREATE OR REPLACE FUNCTION pay.lock_refund_wallets(p_items change_item[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM unnest(p_items) i WHERE i.is_covered) THEN
        RETURN;
    END IF;

    PERFORM lock_wallets(array_agg(o.merchant_id::text),
        array_agg(o.seller_account::text),
        array_agg(coalesce(o.credit_currency, o.currency)::text))
    FROM unnest(p_items) i
    CROSS JOIN LATERAL find_order(i.merchant_id, i.payment_order_id) o
    WHERE i.kind = 'refund';
END
$$;
COMMENT ON FUNCTION pay.lock_refund_wallets IS
    'Locks the wallets that refunds may not overdraw';


-- Decides one item.  p_begun: changes that this batch has begun.  The money
-- that they reserve is not in the wallet yet, since a batch is booked at its
-- end.
CREATE OR REPLACE FUNCTION pay.overdraws(
    p_order payment_order, p_amount_minor bigint, p_begun text[])
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_currency  text := coalesce(p_order.credit_currency, p_order.currency);
    v_available bigint;
    v_reserved  bigint;
BEGIN
    SELECT w.available_minor INTO v_available
    FROM wallet w
    WHERE w.merchant_id = p_order.merchant_id
        AND w.seller_account = p_order.seller_account
        AND w.currency = v_currency;

    SELECT sum(c.seller_minor) INTO v_reserved
    FROM unnest(p_begun) AS b (change_id)
    JOIN change c ON c.merchant_id = p_order.merchant_id
        AND c.change_id = b.change_id
    JOIN payment_order o ON o.merchant_id = c.merchant_id
        AND o.checkout_id = c.checkout_id
        AND o.payment_order_id = c.payment_order_id
    WHERE c.kind = 'refund' AND c.seller_currency = v_currency
        AND o.seller_account = p_order.seller_account;

    RETURN coalesce(v_available, 0) - coalesce(v_reserved, 0)
        < seller_share(p_order, p_amount_minor);
END
$$;
COMMENT ON FUNCTION pay.overdraws IS
    'Whether a refund takes more than its seller has available';


CREATE OR REPLACE FUNCTION pay.known_change(
    p_merchant_id text, p_route text, p_key text, p_fingerprint bytea,
    OUT outcome text, OUT change_id text)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    v_key idempotency_key;
BEGIN
    SELECT * INTO v_key FROM idempotency_key k
    WHERE k.merchant_id = p_merchant_id AND k.route = p_route
        AND k.key = p_key AND k.expires_at > now();

    change_id := v_key.change_id;
    outcome := CASE
        WHEN v_key.change_id IS NULL AND EXISTS (
            SELECT FROM recovery r WHERE r.ended_at IS NULL) THEN 'recovering'
        WHEN v_key.change_id IS NULL THEN 'unknown'
        WHEN v_key.fingerprint <> p_fingerprint THEN 'key_reused'
        WHEN change_in_progress(p_merchant_id, v_key.change_id)
            THEN 'in_progress'
        ELSE 'replayed' END;
END
$$;
COMMENT ON FUNCTION pay.known_change IS
    'The change that has an idempotency key, and the answer to a repetition';


-- One item, its key and its checkout locked.
CREATE OR REPLACE FUNCTION pay.begin_one_change(
    p_item change_item, p_begun text[],
    OUT outcome text, OUT change_id text, OUT told fact)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_order  payment_order;
    v_change change;
    v_terms  record;
BEGIN
    SELECT k.outcome, k.change_id INTO outcome, change_id
    FROM known_change(p_item.merchant_id, p_item.route, p_item.key,
                      p_item.fingerprint) k;

    IF outcome <> 'unknown' THEN
        RETURN;
    END IF;

    SELECT * INTO v_order
    FROM find_order(p_item.merchant_id, p_item.payment_order_id);

    IF NOT FOUND THEN
        outcome := 'not_found';
        RETURN;
    ELSIF p_item.currency <> v_order.currency THEN
        outcome := 'currency';
        RETURN;
    END IF;

    v_terms := CASE p_item.kind
        WHEN 'refund' THEN refund_terms(v_order, p_item.amount_minor)
        WHEN 'capture' THEN capture_terms(v_order, p_item.amount_minor)
        ELSE cancel_terms(v_order, p_item.amount_minor) END;
    outcome := v_terms.outcome;

    IF outcome = 'created' AND p_item.is_covered
        AND overdraws(v_order, v_terms.amount_minor, p_begun)
    THEN
        outcome := 'overdraws';
    ELSIF outcome = 'created' AND p_item.kind = 'capture'
        AND p_item.route <> 'risk review' AND is_on_hold(v_order)
    THEN
        outcome := 'held';
    END IF;

    IF outcome = 'created' THEN
        v_change := insert_change(p_item, v_order, v_terms.amount_minor);
        change_id := v_change.change_id;

        IF change_id IS NULL THEN
            outcome := 'invalid';
        ELSE
            told := request_fact(v_change, v_order, p_item.asked_by);
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.begin_one_change IS
    'The outcome of one item of begin_change';


-- The columns of the shape change of src/op/rows.list.
CREATE OR REPLACE FUNCTION pay.change_columns(
    p_merchant_id text, p_change_id text)
RETURNS TABLE (
    checkout_id text, change_id text, change_kind text,
    payment_order_id text, change_status text, amount_minor bigint,
    change_currency text, reason text, change_code text, reference text,
    change_metadata text, created_at text, changed_at text,
    payment_reference text)
LANGUAGE plpgsql STABLE ROWS 1 AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT c.checkout_id::text, c.change_id::text,
        CASE WHEN c.is_final THEN 'final_capture'
             WHEN c.replaced_by IS NOT NULL THEN 'close' ELSE c.kind END,
        c.payment_order_id::text, c.status::text, c.amount_minor::bigint,
        c.currency::text, c.reason, c.code, c.reference::text,
        c.metadata::text, iso_time(c.created_at), iso_time(c.changed_at),
        (SELECT r.reference FROM registration r
         WHERE r.merchant_id = c.merchant_id
             AND r.checkout_id = c.checkout_id)
    FROM change c
    WHERE c.merchant_id = p_merchant_id AND c.change_id = p_change_id;
END
$$;
COMMENT ON FUNCTION pay.change_columns IS
    'A change as the operations return it, behind its checkout';


CREATE OR REPLACE FUNCTION pay_api.begin_change(
    p_merchant_id text[], p_payment_order_id text[], p_kind text[],
    p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[],
    p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[],
    p_reason text[], p_metadata jsonb[], p_lease_ms bigint[],
    p_request_id text[], p_asked_by jsonb[] DEFAULT NULL)
RETURNS SETOF pay_api.change_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_items   change_item[];
    v_item    change_item;
    v_one     record;
    v_begun   text[] := '{}';
    v_facts   fact[] := '{}';
    v_outcome text[] := array_fill('invalid'::text,
                                   ARRAY[cardinality(p_kind)]);
    v_change  text[] := array_fill(NULL::text, ARRAY[cardinality(p_kind)]);
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_payment_order_id),
        array_dims(p_kind), array_dims(p_change_id),
        array_dims(p_idempotency_key), array_dims(p_fingerprint),
        array_dims(p_ttl_s), array_dims(p_amount_minor),
        array_dims(p_currency), array_dims(p_reason), array_dims(p_metadata),
        array_dims(p_lease_ms), array_dims(p_request_id),
        coalesce(array_dims(p_asked_by), array_dims(p_kind)));

    v_items := read_change_items(p_merchant_id, p_payment_order_id, p_kind,
        p_change_id, p_idempotency_key, p_fingerprint, p_ttl_s,
        p_amount_minor, p_currency, p_reason, p_metadata, p_lease_ms,
        p_request_id, p_asked_by);

    PERFORM claim_change_keys(v_items);
    PERFORM lock_checkouts(
        ARRAY(SELECT i.merchant_id FROM unnest(v_items) i),
        ARRAY(SELECT i.checkout_id FROM unnest(v_items) i));
    PERFORM lock_refund_wallets(v_items);

    FOREACH v_item IN ARRAY v_items LOOP
        v_one := begin_one_change(v_item, v_begun);
        v_outcome[v_item.item] := v_one.outcome;
        v_change[v_item.item] := v_one.change_id;

        IF v_one.told IS DISTINCT FROM NULL THEN
            v_facts := v_facts || v_one.told;
            v_begun := v_begun || v_one.change_id;
        END IF;
    END LOOP;

    PERFORM release_change_keys(v_items);
    PERFORM record_facts(number_facts(v_facts, 0));

    RETURN QUERY
    SELECT u.n::int, u.outcome, k.change_id, k.change_kind,
        k.payment_order_id, k.change_status, k.amount_minor,
        k.change_currency, k.reason, k.change_code, k.reference,
        k.change_metadata, k.created_at, k.changed_at, k.payment_reference,
        s.*
    FROM unnest(v_outcome, v_change, p_merchant_id, p_payment_order_id)
        WITH ORDINALITY AS u (outcome, change_id, merchant_id,
        payment_order_id, n)
    LEFT JOIN LATERAL change_columns(u.merchant_id, u.change_id) k
        ON u.outcome IN ('created', 'replayed')
    LEFT JOIN LATERAL find_order(u.merchant_id, u.payment_order_id) o
        ON u.outcome NOT IN ('invalid', 'not_found', 'key_reused',
                             'in_progress')
    LEFT JOIN LATERAL state_of(o.merchant_id, o.checkout_id) s ON true
    ORDER BY 1, s.place;
END
$$;
COMMENT ON FUNCTION pay_api.begin_change IS
    'Begins captures, cancellations and refunds; held: a review decides '
    'about the money. Outcomes: created, '
    'replayed, in_progress, key_reused, not_found, not_paid, already_paid, '
    'nothing_left, exceeds, held, overdraws, currency, recovering, invalid';


-- For a change that is refused unless its key is known: the configuration may
-- have been another one when it began.
CREATE OR REPLACE FUNCTION pay_api.explain_change(
    p_merchant_id text[], p_kind text[], p_idempotency_key text[],
    p_fingerprint bytea[])
RETURNS SETOF pay_api.change_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_kind),
        array_dims(p_idempotency_key), array_dims(p_fingerprint));

    RETURN QUERY
    SELECT u.n::int, w.outcome, k.change_id, k.change_kind,
        k.payment_order_id, k.change_status, k.amount_minor,
        k.change_currency, k.reason, k.change_code, k.reference,
        k.change_metadata, k.created_at, k.changed_at, k.payment_reference,
        s.*
    FROM unnest(p_merchant_id, p_kind, p_idempotency_key, p_fingerprint)
        WITH ORDINALITY AS u (merchant_id, kind, key, fingerprint, n)
    CROSS JOIN LATERAL known_change(u.merchant_id, change_route(u.kind),
                                    u.key, u.fingerprint) w
    LEFT JOIN LATERAL change_columns(u.merchant_id, w.change_id) k
        ON w.outcome = 'replayed'
    LEFT JOIN LATERAL (
        SELECT s.* FROM checkout_state s
        WHERE s.merchant_id = u.merchant_id
            AND s.checkout_id = k.checkout_id
        OFFSET 0) s ON true
    ORDER BY 1, s.place;
END
$$;
COMMENT ON FUNCTION pay_api.explain_change IS
    'Whether begin_change knows this key. Outcomes: replayed, in_progress, '
    'key_reused, unknown, recovering';


CREATE OR REPLACE FUNCTION pay_api.get_change(
    p_merchant_id text[], p_payment_order_id text[], p_change_id text[])
RETURNS SETOF pay_api.change_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
        array_dims(p_payment_order_id), array_dims(p_change_id));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN k.change_id IS NULL THEN 'not_found' ELSE 'found' END,
        k.change_id, k.change_kind, k.payment_order_id, k.change_status,
        k.amount_minor, k.change_currency, k.reason, k.change_code,
        k.reference, k.change_metadata, k.created_at, k.changed_at,
        k.payment_reference, s.*
    FROM unnest(p_merchant_id, p_payment_order_id, p_change_id)
        WITH ORDINALITY AS u (merchant_id, payment_order_id, change_id, n)
    LEFT JOIN LATERAL change_columns(u.merchant_id, u.change_id) k
        ON coalesce(nullif(u.payment_order_id, ''), k.payment_order_id)
            = k.payment_order_id
    LEFT JOIN LATERAL (
        SELECT s.* FROM checkout_state s
        WHERE s.merchant_id = u.merchant_id
            AND s.checkout_id = k.checkout_id
        OFFSET 0) s ON true
    ORDER BY 1, s.place;
END
$$;
COMMENT ON FUNCTION pay_api.get_change IS
    'A change with its checkout. Outcomes: found, not_found';


-- At most the newest 1000, each once: a capture that was booked as made at the
-- PSP and is one of ours is listed as ours.
CREATE OR REPLACE FUNCTION pay.changes_of(
    p_order payment_order, p_kind text)
RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT coalesce(json_agg(json_build_object(
            'change_id', c.change_id,
            'kind', CASE WHEN c.is_final THEN 'final_capture'
                         ELSE c.kind END,
            'payment_order_id', c.payment_order_id, 'status', c.status,
            'amount_minor', c.amount_minor, 'currency', c.currency,
            'reason', c.reason, 'code', c.code, 'reference', c.reference,
            'metadata', c.metadata, 'created_at', iso_time(c.created_at),
            'changed_at', iso_time(c.changed_at))
            ORDER BY c.created_at, c.change_id), '[]')
        FROM (SELECT x.* FROM change x
              WHERE x.merchant_id = p_order.merchant_id
                  AND x.checkout_id = p_order.checkout_id
                  AND x.payment_order_id = p_order.payment_order_id
                  AND x.matched_to IS NULL
                  AND (p_kind IS NULL OR x.kind = p_kind)
              ORDER BY x.created_at DESC LIMIT 1000) c);
END
$$;
COMMENT ON FUNCTION pay.changes_of IS
    'The changes of an order, oldest first; of all kinds for NULL';


CREATE OR REPLACE FUNCTION pay_api.list_changes(
    p_merchant_id text[], p_payment_order_id text[], p_kind text[])
RETURNS SETOF pay_api.changes_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
        array_dims(p_payment_order_id), array_dims(p_kind));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN o.merchant_id IS NULL THEN 'not_found' ELSE 'found' END,
        CASE WHEN o.merchant_id IS NOT NULL
             THEN changes_of(o, coalesce(u.kind, ''))::text END
    FROM unnest(p_merchant_id, p_payment_order_id, p_kind)
        WITH ORDINALITY AS u (merchant_id, payment_order_id, kind, n)
    LEFT JOIN LATERAL find_order(u.merchant_id, u.payment_order_id) o
        ON true;
END
$$;
COMMENT ON FUNCTION pay_api.list_changes IS
    'The changes of this kind of an order, oldest first. Outcomes: found, '
    'not_found';
