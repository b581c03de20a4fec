-- begin_payment: a checkout with its orders, its registration, its
-- idempotency record, its first events, its job and the dispatch of its first
-- call, in one commit.  The
-- steps below are private; each takes the items that are still in the race
-- and returns those that got through.  A loser leaves nothing behind.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.credit_ok(p_credit jsonb)
RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN jsonb_typeof(p_credit) = 'string' AND EXISTS (
        SELECT FROM currency k
        WHERE k.code = p_credit #>> '{}' AND k.is_current);
END
$$;
COMMENT ON FUNCTION pay.credit_ok IS
    'Whether it is a currency that a seller can be credited in';


-- orders: [{"id","seller","amount","currency","credit"?}], 1 to 20 of them,
-- ids distinct, amounts whole, all in the checkout's currency and adding up;
-- credit: the currency that the seller is owed, where it may be another.
CREATE OR REPLACE FUNCTION pay.order_ok(p_order jsonb, p_currency text)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT CASE WHEN jsonb_typeof(p_order -> 'id') = 'string'
        AND jsonb_typeof(p_order -> 'seller') = 'string'
        AND jsonb_typeof(p_order -> 'amount') = 'number'
    THEN octet_length(p_order ->> 'id') BETWEEN 1 AND 255
        AND octet_length(p_order ->> 'seller') BETWEEN 1 AND 255
        AND (p_order -> 'amount')::numeric BETWEEN 1 AND 999999999999999
        AND scale(trim_scale((p_order -> 'amount')::numeric)) = 0
        AND coalesce(p_order ->> 'currency' = p_currency, false)
        AND NOT p_order ? 'quote'
        AND CASE WHEN p_order ? 'credit' THEN credit_ok(p_order -> 'credit')
                 ELSE true END
    ELSE false END
$$;
COMMENT ON FUNCTION pay.order_ok IS
    'Whether begin_payment can take this order';


-- Of p_terms, {"capture": "automatic|manual", "quote_ttl_s": 1…,
-- "rate_age_s": 1…, "replaces": a checkout's id, "change_id": a fresh UUID,
-- "can_close": whether its PSP closes pages, "asked_by": see asked_by_ok()}:
-- what is not said is automatic, 15 minutes and 5.
CREATE OR REPLACE FUNCTION pay.term_seconds(p_seconds text, p_else text)
RETURNS interval LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN coalesce(p_seconds, p_else) ~ '^[1-9][0-9]{0,7}$'
            THEN make_interval(secs => coalesce(p_seconds, p_else)::int) END
$$;
COMMENT ON FUNCTION pay.term_seconds IS
    'A term of begin_payment in seconds, NULL for what is none';


-- Keys first: the idempotency records, in key order.  An expired one counts
-- as absent.  A key that comes twice in a batch belongs to its first item.
CREATE OR REPLACE FUNCTION pay.insert_keys(p_items payment_item[])
RETURNS payment_item[] LANGUAGE plpgsql AS $$
DECLARE
    v_merchants text[];
    v_keys      text[];
BEGIN
    WITH won AS (
        INSERT INTO idempotency_key AS k (merchant_id, route, key,
            fingerprint, checkout_id, expires_at)
        SELECT DISTINCT ON (i.merchant_id, i.idempotency_key)
            i.merchant_id, 'POST /v1/payments', i.idempotency_key,
            i.fingerprint, i.checkout_id, now() + i.ttl
        FROM unnest(p_items) i
        ORDER BY i.merchant_id, i.idempotency_key, i.item
        ON CONFLICT (merchant_id, route, key) DO UPDATE
        SET fingerprint = EXCLUDED.fingerprint,
            checkout_id = EXCLUDED.checkout_id, created_at = now(),
            expires_at = EXCLUDED.expires_at
        WHERE k.expires_at <= now()
        RETURNING k.merchant_id, k.key
    )
    SELECT array_agg(merchant_id), array_agg(key)
    INTO v_merchants, v_keys
    FROM won;

    IF cardinality(v_keys) = cardinality(p_items) THEN
        RETURN p_items;
    END IF;

    RETURN ARRAY(
        SELECT f FROM (
            SELECT DISTINCT ON (i.merchant_id, i.idempotency_key) i AS f
            FROM unnest(p_items) i
            ORDER BY i.merchant_id, i.idempotency_key, i.item
            ) l
        WHERE ((f).merchant_id, (f).idempotency_key) IN (
            SELECT * FROM unnest(v_merchants, v_keys)));
END
$$;
COMMENT ON FUNCTION pay.insert_keys IS
    'Items of begin_payment that hold their idempotency key now';


CREATE OR REPLACE FUNCTION pay.insert_checkouts(p_items payment_item[])
RETURNS payment_item[] LANGUAGE plpgsql AS $$
DECLARE
    v_merchants text[];
    v_checkouts text[];
BEGIN
    WITH won AS (
        INSERT INTO checkout AS c (merchant_id, checkout_id, checkout_uuid,
            handle, psp, return_url, base_url, buyer_info, metadata,
            credit_card_info, currency, total_minor, expires_at,
            late_success, capture, replaces)
        SELECT DISTINCT ON (i.merchant_id, i.checkout_id)
            i.merchant_id, i.checkout_id, i.checkout_uuid, i.handle, i.psp,
            i.return_url, i.base_url, i.buyer_info, i.metadata,
            i.credit_card_info, i.currency, i.total_minor, i.expires_at,
            i.late_success, i.capture, i.replaces
        FROM unnest(p_items) i
        ORDER BY i.merchant_id, i.checkout_id, i.item
        ON CONFLICT DO NOTHING
        RETURNING c.merchant_id, c.checkout_id
    )
    SELECT array_agg(merchant_id), array_agg(checkout_id)
    INTO v_merchants, v_checkouts
    FROM won;

    IF cardinality(v_checkouts) = cardinality(p_items) THEN
        RETURN p_items;
    END IF;

    RETURN ARRAY(
        SELECT f FROM (
            SELECT DISTINCT ON (i.merchant_id, i.checkout_id) i AS f
            FROM unnest(p_items) i
            ORDER BY i.merchant_id, i.checkout_id, i.item
            ) l
        WHERE ((f).merchant_id, (f).checkout_id) IN (
            SELECT * FROM unnest(v_merchants, v_checkouts)));
END
$$;
COMMENT ON FUNCTION pay.insert_checkouts IS
    'Items of begin_payment whose checkout is new';


-- All orders of a checkout or none.
CREATE OR REPLACE FUNCTION pay.insert_orders(p_items payment_item[])
RETURNS payment_item[] LANGUAGE plpgsql AS $$
DECLARE
    v_merchants text[];
    v_checkouts text[];
    v_wanted    int;
    v_at        text := iso_micros(now());
    v_tx        bigint := this_tx();
BEGIN
    WITH won AS (
        INSERT INTO payment_order AS o (merchant_id, payment_order_id,
            checkout_id, position, seller_account, amount_minor, currency,
            credit_currency, credit_rate, credit_minor, credit_until, head,
            head_tx)
        SELECT i.merchant_id, q.id, i.checkout_id, e.n,
            e.line ->> 'seller', (e.line -> 'amount')::bigint, i.currency,
            CASE WHEN q.quote IS NOT NULL THEN e.line ->> 'credit' END,
            (q.quote -> 'rate')::numeric, (q.quote -> 'minor')::bigint,
            CASE WHEN q.quote IS NOT NULL THEN now() + i.quote_ttl END,
            chained_hash('', i.merchant_id, q.id, '1', v_at, v_tx::text,
                'created', 'merchant', NULL, 'NOT_STARTED', NULL, d.detail,
                i.request_id), v_tx
        FROM unnest(p_items) i
        CROSS JOIN LATERAL (
            SELECT first_detail(i.psp, i.route, i.replaces,
                                i.asked_by)::text AS detail
            OFFSET 0) d
        CROSS JOIN LATERAL jsonb_array_elements(i.orders)
            WITH ORDINALITY AS e (line, n)
        CROSS JOIN LATERAL (
            SELECT e.line ->> 'id' AS id, e.line -> 'quote' AS quote
            OFFSET 0) q
        ORDER BY i.merchant_id, q.id, i.item
        ON CONFLICT DO NOTHING
        RETURNING o.merchant_id, o.checkout_id
    )
    SELECT array_agg(merchant_id), array_agg(checkout_id), (
        SELECT sum(jsonb_array_length(i.orders)) FROM unnest(p_items) i)
    INTO v_merchants, v_checkouts, v_wanted
    FROM won;

    IF cardinality(v_checkouts) = v_wanted THEN
        RETURN p_items;
    END IF;

    RETURN ARRAY(
        SELECT i FROM unnest(p_items) i
        WHERE jsonb_array_length(i.orders) = (
            SELECT count(*)
            FROM unnest(v_merchants, v_checkouts) w (merchant_id, checkout_id)
            WHERE w.merchant_id = i.merchant_id
                AND w.checkout_id = i.checkout_id));
END
$$;
COMMENT ON FUNCTION pay.insert_orders IS
    'Items of begin_payment all of whose orders are new';


-- A nonce that is taken, whoever has it, is replaced by the checkout's UUID:
-- nobody may squat or learn of another merchant's order ids.
CREATE OR REPLACE FUNCTION pay.insert_registrations(p_items payment_item[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_nonce text;
    v_count bigint;
BEGIN
    FOREACH v_nonce IN ARRAY ARRAY['given', 'uuid', 'random'] LOOP
        INSERT INTO registration (merchant_id, checkout_id, psp, nonce,
            lease_until, psps, key_windows, waits, open_attempts)
        SELECT i.merchant_id, i.checkout_id, i.psp, n.nonce,
            now() + i.lease, i.psps, i.key_windows, i.waits IS TRUE,
            (i.waits IS NOT TRUE)::int
        FROM unnest(p_items) i,
            LATERAL (SELECT CASE v_nonce
                                WHEN 'given' THEN i.nonce
                                WHEN 'uuid' THEN i.checkout_uuid::text
                                ELSE gen_random_uuid()::text END) n (nonce)
        ORDER BY i.psp, n.nonce, i.item
        ON CONFLICT DO NOTHING;

        GET DIAGNOSTICS v_count = ROW_COUNT;

        EXIT WHEN v_count = cardinality(p_items);

        p_items := ARRAY(
            SELECT i FROM unnest(p_items) i
            WHERE NOT EXISTS (
                SELECT FROM registration r
                WHERE r.merchant_id = i.merchant_id
                    AND r.checkout_id = i.checkout_id));
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.insert_registrations IS
    'Registrations of new checkouts, each with a nonce of its own';


-- The caller calls the PSP as soon as this is committed: the journal says so,
-- unless a page is to be closed first.
-- Their first events: as insert_orders() has hashed them.
CREATE OR REPLACE FUNCTION pay.insert_beginnings(p_items payment_item[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO event (merchant_id, payment_order_id, seq, at, tx, kind,
        actor, new_status, detail, request_id, hash)
    SELECT i.merchant_id, o.payment_order_id, 1, now(), o.head_tx, 'created',
        'merchant', 'NOT_STARTED',
        first_detail(i.psp, i.route, i.replaces, i.asked_by), i.request_id,
        o.head
    FROM unnest(p_items) i
    CROSS JOIN LATERAL (
        SELECT o.payment_order_id, o.head, o.head_tx FROM payment_order o
        WHERE o.merchant_id = i.merchant_id
            AND o.checkout_id = i.checkout_id
        OFFSET 0) o;

    INSERT INTO job (merchant_id, checkout_id, kind, run_at)
    SELECT i.merchant_id, i.checkout_id, 'register', now() + i.lease
    FROM unnest(p_items) i;

    INSERT INTO dispatch (merchant_id, checkout_id, operation, operation_id,
        psp, first_sent_at, sent_at, lease_until, key_until, request_id)
    SELECT i.merchant_id, i.checkout_id, 'register', r.nonce, i.psp, now(),
        now(), now() + i.lease,
        now() + key_window(i.psps, i.key_windows, i.psp), i.request_id
    FROM unnest(p_items) i
    CROSS JOIN LATERAL (
        SELECT r.nonce FROM registration r
        WHERE r.merchant_id = i.merchant_id
            AND r.checkout_id = i.checkout_id
        OFFSET 0) r
    WHERE i.waits IS NOT TRUE;
END
$$;
COMMENT ON FUNCTION pay.insert_beginnings IS
    'First events, jobs and dispatches of new checkouts';


-- Takes back what items that lost on the way had already put down.
CREATE OR REPLACE FUNCTION pay.delete_losers(
    p_keyed payment_item[], p_placed payment_item[], p_made payment_item[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_made int[] := ARRAY(SELECT m.item FROM unnest(p_made) m);
BEGIN
    DELETE FROM payment_order o
    USING unnest(p_placed) i
    WHERE i.item <> ALL (v_made)
        AND o.merchant_id = i.merchant_id AND o.checkout_id = i.checkout_id;

    DELETE FROM checkout c
    USING unnest(p_placed) i
    WHERE i.item <> ALL (v_made)
        AND c.merchant_id = i.merchant_id AND c.checkout_id = i.checkout_id;

    DELETE FROM idempotency_key k
    USING unnest(p_keyed) i
    WHERE i.item <> ALL (v_made)
        AND k.merchant_id = i.merchant_id
        AND k.route = 'POST /v1/payments' AND k.key = i.idempotency_key;
END
$$;
COMMENT ON FUNCTION pay.delete_losers IS
    'Leaves nothing behind of items that collided';


-- The checkout that stands in this item's way: the one of its key, else the
-- one with its id, else one with one of its orders.  NULL outcome: none any
-- more (a batch-mate that lost itself).  The request that holds the key is in
-- progress while its lease lasts, unless a job has taken over since.
CREATE OR REPLACE FUNCTION pay.explain_loss(
    p_item payment_item, OUT outcome text, OUT checkout_id text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_key idempotency_key;
    v_reg registration;
BEGIN
    SELECT * INTO v_key FROM idempotency_key k
    WHERE k.merchant_id = p_item.merchant_id
        AND k.route = 'POST /v1/payments'
        AND k.key = p_item.idempotency_key;

    IF FOUND AND v_key.fingerprint <> p_item.fingerprint THEN
        outcome := 'key_reused';
        RETURN;
    END IF;

    IF FOUND THEN
        SELECT * INTO v_reg FROM registration r
        WHERE r.merchant_id = p_item.merchant_id
            AND r.checkout_id = v_key.checkout_id;

        checkout_id := v_key.checkout_id;
        outcome := CASE WHEN v_reg.state = 'REGISTERING'
                             AND v_reg.lease_until > now()
                             AND NOT EXISTS (
                                 SELECT FROM job j
                                 WHERE j.merchant_id = p_item.merchant_id
                                     AND j.checkout_id = v_key.checkout_id
                                     AND j.attempts > 0)
                        THEN 'in_progress' ELSE 'replayed' END;
        RETURN;
    END IF;

    SELECT c.checkout_id INTO checkout_id FROM checkout c
    WHERE c.merchant_id = p_item.merchant_id
        AND c.checkout_id = p_item.checkout_id;

    IF NOT FOUND THEN
        SELECT o.checkout_id INTO checkout_id
        FROM jsonb_array_elements(p_item.orders) WITH ORDINALITY e (line, n)
        JOIN payment_order o ON o.merchant_id = p_item.merchant_id
            AND o.payment_order_id = e.line ->> 'id'
        ORDER BY e.n LIMIT 1;
    END IF;

    IF checkout_id IS NOT NULL THEN
        outcome := 'exists';
    END IF;
END
$$;
COMMENT ON FUNCTION pay.explain_loss IS
    'Why begin_payment did not create this item';


-- All steps for a batch of checked items.  Items that lost only to a
-- batch-mate that lost itself go round again; each round settles at least
-- one.
CREATE OR REPLACE FUNCTION pay.begin_items(p_items payment_item[])
RETURNS TABLE (
    item int, outcome text, merchant_id text, checkout_id text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_left   payment_item[] := p_items;
    v_next   payment_item[];
    v_keyed  payment_item[];
    v_quotes record;
    v_placed payment_item[];
    v_taken  record;
    v_made   payment_item[];
    v_item   payment_item;
    v_loss   record;
BEGIN
    WHILE cardinality(v_left) > 0 LOOP
        v_keyed := insert_keys(v_left);
        v_quotes := quote_items(v_keyed);
        v_placed := insert_checkouts(v_quotes.quoted);
        v_taken := take_places(insert_orders(v_placed));
        v_made := v_taken.kept;
        PERFORM insert_registrations(v_made);
        PERFORM insert_beginnings(v_made);
        PERFORM close_replaced(v_made);

        RETURN QUERY
        SELECT m.item, CASE WHEN m.waits THEN 'waiting' ELSE 'created' END,
            m.merchant_id, m.checkout_id
        FROM unnest(v_made) m;

        EXIT WHEN cardinality(v_made) = cardinality(v_left);

        PERFORM delete_losers(v_keyed, v_placed, v_made);
        v_next := '{}';

        FOR v_item IN
            SELECT i.* FROM unnest(v_left) i
            WHERE i.item NOT IN (SELECT m.item FROM unnest(v_made) m)
            ORDER BY i.item
        LOOP
            v_loss := explain_loss(v_item);
            v_loss.outcome := coalesce(v_loss.outcome, CASE
                WHEN v_item.item = ANY (v_quotes.missing)
                    THEN 'rate_missing'
                WHEN v_item.item = ANY (v_quotes.too_large)
                    THEN 'credit_too_large'
                WHEN v_item.item = ANY (v_taken.missing)
                    THEN 'nothing_to_replace'
                WHEN v_item.item = ANY (v_taken.refused)
                    THEN 'not_replaced' END);

            IF v_loss.outcome IS NULL THEN
                v_next := v_next || v_item;
            ELSE
                RETURN QUERY SELECT v_item.item, v_loss.outcome,
                    v_item.merchant_id, v_loss.checkout_id;
            END IF;
        END LOOP;

        IF cardinality(v_next) = cardinality(v_left) THEN
            -- nothing to be seen in its way, and yet it does not go in:
            -- a handle that another checkout has
            RETURN QUERY SELECT v_next[1].item, 'invalid', NULL, NULL;
            v_next := v_next[2:];
        END IF;

        v_left := v_next;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.begin_items IS
    'begin_payment without its shape: what became of each item';
