-- begin_payment: a checkout with its registration and its first call, its
-- orders, its idempotency record, its first events and its job, in one commit.  The steps below are private; each takes the operation's
-- arrays and the numbers of the items that are still in the race, and returns
-- those that got through.  A loser leaves nothing behind.
--
-- An item's values are read by its number, p_psp[n]: one function scan for a
-- statement, where unnest() of many arrays is a tuplestore for each of them.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.order_ok(
    p_id text, p_seller text, p_minor bigint)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(octet_length(p_id) BETWEEN 1 AND 255
    AND octet_length(p_seller) BETWEEN 1 AND 255
    AND p_minor BETWEEN 1 AND 999999999999999, false)
$$;
COMMENT ON FUNCTION pay.order_ok IS
    'Whether begin_payment can take an order of this id, seller and amount';


-- Reads p_terms, {"capture": "automatic|manual", "quote_ttl_s": 1…,
-- "rate_age_s": 1…, "replaces": a checkout's id, "change_id": a fresh UUID,
-- "can_close": whether its PSP closes pages, "fees": of its orders, see
-- keep_given_fees(), "payment_method": a word of the storefront's, "asked_by":
-- see asked_by_ok(), "explore": see explore_ok(), "holds": see
-- 29_review_capture.sql, "page": see page_ok()}.
-- The defaults are automatic, 15 minutes and 5.
CREATE OR REPLACE FUNCTION pay.term_seconds(p_seconds text, p_else text)
RETURNS interval LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN coalesce(p_seconds, p_else) ~ '^[1-9][0-9]*$'
                AND octet_length(coalesce(p_seconds, p_else)) <= 8
            THEN make_interval(secs => coalesce(p_seconds, p_else)::int) END
$$;
COMMENT ON FUNCTION pay.term_seconds IS
    'A term of begin_payment in seconds, NULL for one that is invalid';


-- As src/api/payment_parse.c takes it.
CREATE OR REPLACE FUNCTION pay.payment_method_ok(p_method text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT octet_length(p_method) BETWEEN 1 AND 64
    AND p_method !~ '[^A-Za-z0-9._~-]'
$$;
COMMENT ON FUNCTION pay.payment_method_ok IS
    'The rule of the CHECK constraints of payment methods, as a function';


-- As src/flow/flow_route_explore.c makes it: shares and chances in parts per
-- million, scores from 0 to 1000.
CREATE OR REPLACE FUNCTION pay.explore_ok(p_explore jsonb)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN p_explore IS NULL
        OR coalesce(jsonb_typeof(p_explore) = 'object'
            AND octet_length(p_explore::text) <= 2048
            AND p_explore - '{share,drawn,chance,scores}'::text[] = '{}'
            AND (p_explore ->> 'share')::int BETWEEN 1 AND 1000000
            AND CASE WHEN p_explore ? 'drawn'
                THEN id_ok(p_explore ->> 'drawn')
                    AND (p_explore ->> 'chance')::int BETWEEN 1 AND 1000000
                    AND p_explore -> 'scores' ? (p_explore ->> 'drawn')
                ELSE NOT p_explore ? 'chance' END
            AND jsonb_typeof(p_explore -> 'scores') = 'object'
            AND NOT EXISTS (
                SELECT FROM jsonb_each_text(p_explore -> 'scores') s
                WHERE NOT id_ok(s.key) OR s.value !~ '^[0-9]{1,4}$'), false);
EXCEPTION WHEN data_exception THEN
    RETURN false;
END
$$;
COMMENT ON FUNCTION pay.explore_ok IS
    'Whether begin_payment can take these chances of an exploring route';


-- See 29_review_capture.sql.
CREATE OR REPLACE FUNCTION pay.hold_terms_ok(p_holds jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce(has_members_of(p_holds, '{psps}', '{window_s}')
    AND jsonb_typeof(p_holds -> 'psps') = 'string'
    AND octet_length(p_holds ->> 'psps') BETWEEN 1 AND 2048
    AND (NOT p_holds ? 'window_s'
         OR term_seconds(p_holds ->> 'window_s', '0') IS NOT NULL), false)
$$;
COMMENT ON FUNCTION pay.hold_terms_ok IS
    'Whether begin_payment can take these terms of holding money';


-- As src/api/payment_parse.c and order_parse.c take it: a language tag, and
-- texts or nulls.
CREATE OR REPLACE FUNCTION pay.page_ok(p_page jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT jsonb_typeof(p_page) = 'object'
    AND p_page - '{locale,descriptions}'::text[] = '{}'
    AND coalesce(octet_length(p_page ->> 'locale') BETWEEN 2 AND 35
                 AND p_page ->> 'locale' !~ '[^A-Za-z0-9-]', true)
    AND CASE jsonb_typeof(coalesce(p_page -> 'descriptions', '[]'))
        WHEN 'array' THEN NOT EXISTS (
            SELECT FROM jsonb_array_elements(p_page -> 'descriptions') d
            WHERE d <> 'null' AND (jsonb_typeof(d) <> 'string'
                OR octet_length(d #>> '{}') NOT BETWEEN 1 AND 256))
            AND coalesce(jsonb_array_length(p_page -> 'descriptions'), 0) <= 20
        ELSE false END
$$;
COMMENT ON FUNCTION pay.page_ok IS
    'The rule of the words for the buyer''s page that come with a checkout';


CREATE OR REPLACE FUNCTION pay.terms_ok(p_terms jsonb)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN coalesce(p_terms ->> 'capture', 'automatic')
            IN ('automatic', 'manual')
        AND (p_terms -> 'quote_ttl_s' IS NULL
             OR term_seconds(p_terms ->> 'quote_ttl_s', '900') IS NOT NULL)
        AND (p_terms -> 'rate_age_s' IS NULL
             OR term_seconds(p_terms ->> 'rate_age_s', '300') IS NOT NULL)
        AND (p_terms ->> 'replaces' IS NULL
             OR id_ok(p_terms ->> 'replaces')
                AND uuid_ok(p_terms ->> 'change_id'))
        AND (p_terms -> 'fees' IS NULL OR given_fees_ok(p_terms -> 'fees'))
        AND (p_terms ->> 'payment_method' IS NULL
             OR payment_method_ok(p_terms ->> 'payment_method'))
        AND (p_terms -> 'review' IS NULL
             OR review_terms_ok(p_terms -> 'review'))
        AND (p_terms -> 'holds' IS NULL OR hold_terms_ok(p_terms -> 'holds'))
        AND (p_terms -> 'explore' IS NULL OR explore_ok(p_terms -> 'explore'))
        AND (p_terms -> 'page' IS NULL OR page_ok(p_terms -> 'page'))
        AND coalesce(p_terms ->> 'trace'
                     ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$', true)
        AND coalesce(p_terms -> 'both_cells', 'true') IN ('true', 'false')
        AND asked_by_ok(p_terms -> 'asked_by');
END
$$;
COMMENT ON FUNCTION pay.terms_ok IS
    'Whether begin_payment can take these terms';


-- Keys first: the idempotency records, in key order.  An expired one counts
-- as absent.  A key that comes twice in a batch belongs to its first item.
CREATE OR REPLACE FUNCTION pay.insert_keys(
    p_items int[], p_merchant_id text[], p_idempotency_key text[],
    p_fingerprint bytea[], p_checkout_id text[], p_ttl_s bigint[])
RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
    v_merchants text[];
    v_keys      text[];
BEGIN
    WITH won AS (
        INSERT INTO idempotency_key AS k (merchant_id, route, key,
            fingerprint, checkout_id, expires_at)
        SELECT DISTINCT ON (p_merchant_id[n], p_idempotency_key[n])
            p_merchant_id[n], 'POST /v1/payments', p_idempotency_key[n],
            p_fingerprint[n], p_checkout_id[n],
            now() + make_interval(secs => p_ttl_s[n])
        FROM unnest(p_items) n
        ORDER BY p_merchant_id[n], p_idempotency_key[n], n
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
        SELECT n FROM (
            SELECT DISTINCT ON (p_merchant_id[n], p_idempotency_key[n]) n
            FROM unnest(p_items) n
            ORDER BY p_merchant_id[n], p_idempotency_key[n], n) l
        WHERE (p_merchant_id[n], p_idempotency_key[n]) IN (
            SELECT * FROM unnest(v_merchants, v_keys)));
END
$$;
COMMENT ON FUNCTION pay.insert_keys IS
    'Items of begin_payment that hold their idempotency key now';


-- Inserts checkouts with their registrations and their first calls, since the
-- caller calls the PSP as soon as this is committed; take_places() takes the
-- calls back of those that wait for the end of another page.  A nonce that is
-- taken, by any merchant, is replaced by the checkout's UUID: no merchant may
-- squat on another one's order ids or learn of them.  nonces: of all items.
CREATE OR REPLACE FUNCTION pay.insert_checkouts(
    p_items int[], p_merchant_id text[], p_checkout_id text[],
    p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[],
    p_return_url text[], p_base_url text[], p_buyer_info jsonb[],
    p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[],
    p_total_minor bigint[], p_expires_s bigint[], p_lease_ms bigint[],
    p_request_id text[], p_psps text[], p_key_windows text[],
    p_late_success text[], p_terms jsonb[], p_risk jsonb[],
    OUT placed int[], OUT nonces text[])
LANGUAGE plpgsql AS $$
DECLARE
    v_left      int[] := p_items;
    v_item      int;
    v_merchants text[];
    v_checkouts text[];
BEGIN
    nonces := p_nonce;
    placed := '{}';

    FOR v_round IN 1 .. 3 LOOP
        WITH won AS (
            INSERT INTO checkout AS c (merchant_id, checkout_id,
                checkout_uuid, handle, psp, return_url, base_url, buyer_info,
                metadata, credit_card_info, currency, total_minor, expires_at,
                late_success, capture, replaces, nonce, lease_until, psps,
                key_windows, first_call, request_id, payment_method, risk,
                page, trace)
            SELECT DISTINCT ON (p_merchant_id[n], p_checkout_id[n])
                p_merchant_id[n], p_checkout_id[n], p_checkout_uuid[n]::uuid,
                p_handle[n], p_psp[n], p_return_url[n], p_base_url[n],
                p_buyer_info[n], p_metadata[n], p_credit_card_info[n],
                p_currency[n], p_total_minor[n],
                to_timestamp(p_expires_s[n]),
                coalesce(nullif(p_late_success[n], ''), 'accept'),
                coalesce(p_terms[n] ->> 'capture', 'automatic'),
                p_terms[n] ->> 'replaces', nonces[n],
                now() + make_interval(secs => p_lease_ms[n] / 1000.0),
                l.psps, read_windows(p_key_windows[n], cardinality(l.psps)),
                'OPEN', p_request_id[n], p_terms[n] ->> 'payment_method',
                p_risk[n] ->> 'decision', p_terms[n] -> 'page',
                p_terms[n] ->> 'trace'
            FROM unnest(v_left) n
            CROSS JOIN LATERAL (
                SELECT psp_names(p_psps[n], p_psp[n]) AS psps OFFSET 0) l
            ORDER BY p_merchant_id[n], p_checkout_id[n], n
            ON CONFLICT DO NOTHING
            RETURNING c.merchant_id, c.checkout_id
        )
        SELECT array_agg(merchant_id), array_agg(checkout_id)
        INTO v_merchants, v_checkouts
        FROM won;

        IF cardinality(v_checkouts) = cardinality(p_items) THEN
            placed := p_items;
            RETURN;
        END IF;

        placed := placed || ARRAY(
            SELECT n FROM (
                SELECT DISTINCT ON (p_merchant_id[n], p_checkout_id[n]) n
                FROM unnest(v_left) n
                ORDER BY p_merchant_id[n], p_checkout_id[n], n) l
            WHERE (p_merchant_id[n], p_checkout_id[n]) IN (
                SELECT * FROM unnest(v_merchants, v_checkouts)));
        v_left := ARRAY(
            SELECT n FROM unnest(v_left) n
            WHERE NOT EXISTS (
                SELECT FROM checkout c
                WHERE c.merchant_id = p_merchant_id[n]
                    AND c.checkout_id = p_checkout_id[n]));

        FOREACH v_item IN ARRAY v_left LOOP
            nonces[v_item] := CASE v_round
                WHEN 1 THEN p_checkout_uuid[v_item]
                ELSE gen_random_uuid()::text END;
        END LOOP;

        EXIT WHEN v_left = '{}';
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.insert_checkouts IS
    'Items of begin_payment whose checkout is new, each with a nonce of its '
    'own';


-- The order lines of checked items as parallel arrays, in the key order of
-- payment_order, each with the number of its item, the event with which its
-- timeline begins, and that event's hash.
CREATE OR REPLACE FUNCTION pay.read_lines(
    p_items int[], p_merchant_id text[], p_psp text[],
    p_orders_item bigint[], p_orders_id text[],
    p_orders_seller_account text[], p_orders_amount_minor bigint[],
    p_orders_credit_currency text[], p_request_id text[], p_route text[],
    p_terms jsonb[],
    OUT item int[], OUT place int[], OUT id text[], OUT seller text[],
    OUT minor bigint[], OUT credit text[], OUT detail jsonb[],
    OUT hash bytea[])
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_at text := iso_micros(now());
    v_tx text := this_tx();
BEGIN
    SELECT array_agg(l.n), array_agg(l.place), array_agg(l.id),
        array_agg(l.seller), array_agg(l.minor), array_agg(l.credit),
        array_agg(l.detail), array_agg(chained_hash('', l.merchant_id, l.id,
            '1', v_at, v_tx, 'created', 'merchant', NULL, 'NOT_STARTED', NULL,
            l.detail_text, l.request_id))
    INTO item, place, id, seller, minor, credit, detail, hash
    FROM (
        SELECT u.n, p_merchant_id[u.n] AS merchant_id, u.place, u.id,
            u.seller, u.minor, u.credit, d.detail,
            d.detail::text AS detail_text, p_request_id[u.n] AS request_id
        FROM (
            SELECT o.item AS n, o.id, o.seller, o.minor, o.credit,
                (row_number() OVER (PARTITION BY o.item ORDER BY o.k))::int
                    AS place
            FROM unnest(p_orders_item::int[], p_orders_id,
                    p_orders_seller_account, p_orders_amount_minor,
                    p_orders_credit_currency)
                WITH ORDINALITY AS o (item, id, seller, minor, credit, k)
            WHERE o.item = ANY (p_items)) u
        CROSS JOIN LATERAL (
            SELECT first_detail(p_psp[u.n], nullif(p_route[u.n], ''),
                p_terms[u.n] ->> 'replaces', p_terms[u.n] -> 'asked_by',
                p_terms[u.n] -> 'explore') AS detail
            OFFSET 0) d
        ORDER BY merchant_id, id, n) l;
END
$$;
COMMENT ON FUNCTION pay.read_lines IS
    'The orders of items of begin_payment, line by line';


-- All orders of a checkout or none.  p_rate, p_credit_minor: quotes of lines
-- that are converted, NULL as a whole where none is.  A new checkout has no
-- order but those that this has inserted.
CREATE OR REPLACE FUNCTION pay.insert_orders(
    p_items int[], p_item int[], p_place int[], p_id text[], p_seller text[],
    p_minor bigint[], p_credit text[], p_hash bytea[], p_rate numeric[],
    p_credit_minor bigint[], p_merchant_id text[], p_checkout_id text[],
    p_currency text[], p_terms jsonb[])
RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
    v_tx     bigint := this_tx();
    v_wanted int := cardinality(p_item);
    v_count  int;
BEGIN
    IF p_rate IS NULL THEN
        INSERT INTO payment_order (merchant_id, payment_order_id,
            checkout_id, position, seller_account, amount_minor, currency,
            head, head_tx)
        SELECT p_merchant_id[p_item[k]], p_id[k], p_checkout_id[p_item[k]],
            p_place[k], p_seller[k], p_minor[k], p_currency[p_item[k]],
            p_hash[k], v_tx
        FROM generate_series(1, v_wanted) k
        ON CONFLICT DO NOTHING;
    ELSE
        INSERT INTO payment_order (merchant_id, payment_order_id,
            checkout_id, position, seller_account, amount_minor, currency,
            credit_currency, credit_rate, credit_minor, credit_until, head,
            head_tx)
        SELECT p_merchant_id[p_item[k]], p_id[k], p_checkout_id[p_item[k]],
            p_place[k], p_seller[k], p_minor[k], p_currency[p_item[k]],
            CASE WHEN p_rate[k] IS NOT NULL THEN p_credit[k] END, p_rate[k],
            p_credit_minor[k], CASE WHEN p_rate[k] IS NOT NULL THEN now()
                + term_seconds(p_terms[p_item[k]] ->> 'quote_ttl_s', '900')
                END, p_hash[k], v_tx
        FROM generate_series(1, v_wanted) k
        WHERE p_item[k] = ANY (p_items)
        ON CONFLICT DO NOTHING;
    END IF;

    GET DIAGNOSTICS v_count = ROW_COUNT;

    IF v_count = v_wanted THEN
        RETURN p_items;
    END IF;

    RETURN ARRAY(
        SELECT n FROM unnest(p_items) n
        WHERE (SELECT count(*) FROM unnest(p_item) i WHERE i = n) = (
            SELECT count(*) FROM payment_order o
            WHERE o.merchant_id = p_merchant_id[n]
                AND o.checkout_id = p_checkout_id[n]));
END
$$;
COMMENT ON FUNCTION pay.insert_orders IS
    'Items of begin_payment all of whose orders are new';


-- First events, as their orders were hashed, and jobs.
CREATE OR REPLACE FUNCTION pay.insert_beginnings(
    p_items int[], p_item int[], p_id text[], p_detail jsonb[],
    p_hash bytea[], p_merchant_id text[], p_checkout_id text[],
    p_lease_ms bigint[], p_request_id text[])
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_tx    bigint := this_tx();
    v_count int;
BEGIN
    INSERT INTO event (merchant_id, payment_order_id, seq, at, tx, kind,
        actor, new_status, detail, request_id, hash)
    SELECT p_merchant_id[p_item[k]], p_id[k], 1, now(), v_tx, 'created',
        'merchant', 'NOT_STARTED', p_detail[k], p_request_id[p_item[k]],
        p_hash[k]
    FROM generate_subscripts(p_item, 1) k
    WHERE p_item[k] = ANY (p_items);

    INSERT INTO job (merchant_id, checkout_id, kind, run_at)
    SELECT p_merchant_id[n], p_checkout_id[n], 'register',
        now() + make_interval(secs => p_lease_ms[n] / 1000.0)
    FROM unnest(p_items) n;

    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.insert_beginnings IS
    'First events and jobs of new checkouts; how many jobs';


-- Deletes the rows that items had already written before they lost.
CREATE OR REPLACE FUNCTION pay.delete_losers(
    p_keyed int[], p_placed int[], p_made int[], p_merchant_id text[],
    p_idempotency_key text[], p_checkout_id text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM payment_order o
    USING unnest(p_placed) n
    WHERE n <> ALL (p_made) AND o.merchant_id = p_merchant_id[n]
        AND o.checkout_id = p_checkout_id[n];

    DELETE FROM checkout c
    USING unnest(p_placed) n
    WHERE n <> ALL (p_made) AND c.merchant_id = p_merchant_id[n]
        AND c.checkout_id = p_checkout_id[n];

    DELETE FROM idempotency_key k
    USING unnest(p_keyed) n
    WHERE n <> ALL (p_made) AND k.merchant_id = p_merchant_id[n]
        AND k.route = 'POST /v1/payments' AND k.key = p_idempotency_key[n];
END
$$;
COMMENT ON FUNCTION pay.delete_losers IS
    'Leaves nothing behind of items that collided';


-- The checkout that conflicts with this item: the one of its key, else the one
-- with its id, else one with one of its orders.  A NULL outcome: it is gone
-- (another item of the batch that lost, too).  The request that holds the key
-- is in progress while its lease lasts, unless a job has taken over since.
CREATE OR REPLACE FUNCTION pay.explain_loss(
    p_merchant_id text, p_idempotency_key text, p_fingerprint bytea,
    p_checkout_id text, p_orders text[], OUT outcome text,
    OUT checkout_id text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_key idempotency_key;
    v_reg checkout;
BEGIN
    SELECT * INTO v_key FROM idempotency_key k
    WHERE k.merchant_id = p_merchant_id
        AND k.route = 'POST /v1/payments'
        AND k.key = p_idempotency_key AND k.expires_at > now();

    IF FOUND AND v_key.fingerprint <> p_fingerprint THEN
        outcome := 'key_reused';
        RETURN;
    END IF;

    IF FOUND THEN
        SELECT * INTO v_reg FROM checkout r
        WHERE r.merchant_id = p_merchant_id
            AND r.checkout_id = v_key.checkout_id;

        checkout_id := v_key.checkout_id;
        outcome := CASE WHEN v_reg.state = 'REGISTERING'
                             AND v_reg.lease_until > now()
                             AND NOT EXISTS (
                                 SELECT FROM job j
                                 WHERE j.merchant_id = p_merchant_id
                                     AND j.checkout_id = v_key.checkout_id
                                     AND j.attempts > 0)
                        THEN 'in_progress' ELSE 'replayed' END;
        RETURN;
    END IF;

    SELECT c.checkout_id INTO checkout_id FROM checkout c
    WHERE c.merchant_id = p_merchant_id
        AND c.checkout_id = p_checkout_id;

    IF NOT FOUND THEN
        SELECT o.checkout_id INTO checkout_id
        FROM unnest(p_orders) WITH ORDINALITY e (id, n)
        JOIN payment_order o ON o.merchant_id = p_merchant_id
            AND o.payment_order_id = e.id
        ORDER BY e.n LIMIT 1;
    END IF;

    IF checkout_id IS NOT NULL THEN
        outcome := 'exists';
    END IF;
END
$$;
COMMENT ON FUNCTION pay.explain_loss IS
    'Why begin_payment did not create this item';


CREATE OR REPLACE FUNCTION pay.orders_of_item(
    p_item int, p_orders_item bigint[], p_orders_id text[])
RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
SELECT ARRAY(
    SELECT u.id
    FROM unnest(p_orders_item, p_orders_id) WITH ORDINALITY AS u (item, id, k)
    WHERE u.item = p_item ORDER BY u.k)
$$;
COMMENT ON FUNCTION pay.orders_of_item IS
    'The ids of the orders of an item of begin_payment, in their sequence';
