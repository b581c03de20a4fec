-- Pay-outs by the API: orders are released and items are made, each request
-- once for its Idempotency-Key.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Inserts and locks the keys of a batch, in key order, before anything else is
-- locked.  A key without a subject_id is new, or has expired.
CREATE OR REPLACE FUNCTION pay.claim_payout_keys(
    p_merchant_id text[], p_route text, p_key text[], p_fingerprint bytea[],
    p_ttl_s bigint[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO payout_request AS r (merchant_id, route, key, fingerprint,
        expires_at)
    SELECT DISTINCT ON (u.merchant_id, u.key) u.merchant_id, p_route, u.key,
        u.fingerprint, now() + make_interval(secs => u.ttl_s)
    FROM unnest(p_merchant_id, p_key, p_fingerprint, p_ttl_s)
        WITH ORDINALITY AS u (merchant_id, key, fingerprint, ttl_s, n)
    WHERE id_ok(u.merchant_id) AND id_ok(u.key)
        AND octet_length(u.fingerprint) = 32
        AND u.ttl_s BETWEEN 1 AND 315360000
    ORDER BY u.merchant_id, u.key, u.n
    ON CONFLICT (merchant_id, route, key) DO UPDATE
    SET fingerprint = EXCLUDED.fingerprint, subject_id = NULL,
        created_at = now(), expires_at = EXCLUDED.expires_at
    WHERE r.expires_at <= now();
END
$$;
COMMENT ON FUNCTION pay.claim_payout_keys IS
    'Locks the Idempotency-Keys of a batch, and takes those that are free';


CREATE OR REPLACE FUNCTION pay.payout_key_said(
    p_merchant_id text, p_route text, p_key text, p_fingerprint bytea,
    OUT outcome text, OUT subject_id text)
LANGUAGE plpgsql AS $$
DECLARE
    v_request payout_request;
BEGIN
    SELECT * INTO v_request FROM payout_request r
    WHERE r.merchant_id = p_merchant_id AND r.route = p_route
        AND r.key = p_key;

    subject_id := v_request.subject_id;
    outcome := CASE
        WHEN v_request.key IS NULL THEN 'invalid'
        WHEN v_request.fingerprint IS DISTINCT FROM p_fingerprint
        THEN 'key_reused'
        WHEN subject_id IS NOT NULL THEN 'replayed' END;
END
$$;
COMMENT ON FUNCTION pay.payout_key_said IS
    'A claimed key: invalid, key_reused, replayed (with the subject of the first '
    'request); NULL: the request is new';


-- The key of a request that came to something is kept with its subject.
CREATE OR REPLACE FUNCTION pay.keep_payout_key(
    p_merchant_id text, p_route text, p_key text, p_subject_id text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payout_request r SET subject_id = p_subject_id
    WHERE r.merchant_id = p_merchant_id AND r.route = p_route
        AND r.key = p_key;
END
$$;
COMMENT ON FUNCTION pay.keep_payout_key IS
    'Notes the subject of the request with this key';


CREATE OR REPLACE FUNCTION pay.free_payout_keys(
    p_merchant_id text[], p_route text, p_key text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM payout_request r
    USING unnest(p_merchant_id, p_key) AS u (merchant_id, key)
    WHERE r.merchant_id = u.merchant_id AND r.route = p_route
        AND r.key = u.key AND r.subject_id IS NULL;
END
$$;
COMMENT ON FUNCTION pay.free_payout_keys IS
    'Leaves no key behind of requests that came to nothing';


-- An amount as the API shows it, in units of its currency.
CREATE OR REPLACE FUNCTION pay.amount_text(p_minor bigint, p_currency text)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT round(p_minor / 10::numeric ^ k.exponent, k.exponent)::text
FROM currency k WHERE k.code = p_currency
$$;
COMMENT ON FUNCTION pay.amount_text IS
    'An amount in units of its currency, with all its decimals';


CREATE OR REPLACE FUNCTION pay.release_json(
    p_merchant_id text, p_payment_order_id text)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT json_build_object('payment_order_id', o.payment_order_id,
    'seller_account', o.seller_account,
    'currency', coalesce(o.credit_currency, o.currency),
    'released_at', iso_time(r.released_at))::text
FROM payment_order o
LEFT JOIN payout_release r ON r.merchant_id = o.merchant_id
    AND r.payment_order_id = o.payment_order_id
WHERE o.merchant_id = p_merchant_id
    AND o.payment_order_id = p_payment_order_id
$$;
COMMENT ON FUNCTION pay.release_json IS 'The release of an order for the API';


CREATE OR REPLACE FUNCTION pay.payout_json(p_payout payout)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT json_build_object('payout_id', p_payout.payout_id,
    'state', p_payout.state,
    'reason', nullif(p_payout.reason, 'screening'),
    'seller_account', p_payout.seller_account,
    'currency', p_payout.currency,
    'amount', amount_text(p_payout.amount_minor, p_payout.currency),
    'left', amount_text(p_payout.left_minor, p_payout.currency),
    'lines', p_payout.line_count, 'provider', p_payout.provider,
    'destination_id', p_payout.destination_id,
    'destination_version', p_payout.destination_version,
    'account', d.shown, 'batch_id', p_payout.batch_id,
    'provider_key', p_payout.payout_key || '-' || p_payout.attempt,
    'provider_ref', p_payout.provider_ref, 'proof', p_payout.proof,
    'made_by', p_payout.made_by,
    'created_at', iso_time(p_payout.created_at),
    'changed_at', iso_time(p_payout.changed_at))
FROM payout_destination d
WHERE d.merchant_id = p_payout.merchant_id
    AND d.destination_id = p_payout.destination_id
    AND d.version = p_payout.destination_version
$$;
COMMENT ON FUNCTION pay.payout_json IS 'An item for the API';


-- A provider's messages and a seller's changes may be many.
CREATE OR REPLACE FUNCTION pay.payout_acts_json(
    p_merchant_id text, p_subject text, p_subject_id text)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT coalesce(json_agg(json_build_object('at', iso_time(a.at),
    'act', a.act, 'who', a.who, 'why', a.why, 'detail', a.detail)
    ORDER BY a.act_id), '[]')
FROM (SELECT x.* FROM payout_act x
      WHERE x.merchant_id = p_merchant_id AND x.subject = p_subject
          AND x.subject_id = p_subject_id
      ORDER BY x.act_id DESC LIMIT 100) a
$$;
COMMENT ON FUNCTION pay.payout_acts_json IS
    'The last hundred acts about an item, a batch or an account for the API, '
    'the oldest first';


CREATE OR REPLACE FUNCTION pay.payout_with_acts(
    p_merchant_id text, p_payout_id text)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT left(payout_json(p)::text, -1) || ', "acts" : '
    || payout_acts_json(p.merchant_id, 'payout', p.payout_id)::text || '}'
FROM payout p
WHERE p.merchant_id = p_merchant_id AND p.payout_id = p_payout_id
$$;
COMMENT ON FUNCTION pay.payout_with_acts IS
    'An item and its acts for the API';


-- The wallets are locked at once, in their order, behind the keys.
CREATE OR REPLACE FUNCTION pay_api.release_order(
    p_merchant_id text[], p_payment_order_id text[], p_who text[],
    p_why text[], p_idempotency_key text[], p_fingerprint bytea[],
    p_ttl_s bigint[])
RETURNS SETOF pay_api.payout_act_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row  pay_api.payout_act_row;
    v_said record;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
        array_dims(p_payment_order_id), array_dims(p_who),
        array_dims(p_why), array_dims(p_idempotency_key),
        array_dims(p_fingerprint), array_dims(p_ttl_s));
    PERFORM claim_payout_keys(p_merchant_id, 'release', p_idempotency_key,
                              p_fingerprint, p_ttl_s);
    PERFORM lock_wallets(array_agg(o.merchant_id::text),
        array_agg(o.seller_account::text),
        array_agg(coalesce(o.credit_currency, o.currency)::text))
    FROM unnest(p_merchant_id, p_payment_order_id) AS u (merchant_id, id)
    JOIN payment_order o ON o.merchant_id = u.merchant_id
        AND o.payment_order_id = u.id;

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_said := payout_key_said(p_merchant_id[v_item], 'release',
            p_idempotency_key[v_item], p_fingerprint[v_item]);
        v_row := ROW(v_item, v_said.outcome, v_said.subject_id, NULL);

        IF v_said.outcome IS NULL THEN
            v_row.subject_id := p_payment_order_id[v_item];
            v_row.outcome := pay_ops.release_order(p_merchant_id[v_item],
                v_row.subject_id, p_who[v_item], p_why[v_item]);
        END IF;
        IF v_row.outcome IN ('released', 'replayed') THEN
            PERFORM keep_payout_key(p_merchant_id[v_item], 'release',
                p_idempotency_key[v_item], v_row.subject_id);
            v_row.page := release_json(p_merchant_id[v_item],
                                       v_row.subject_id);
        ELSE
            v_row.subject_id := NULL;
        END IF;

        RETURN NEXT v_row;
    END LOOP;

    PERFORM free_payout_keys(p_merchant_id, 'release', p_idempotency_key);
END
$$;
COMMENT ON FUNCTION pay_api.release_order IS
    'Notes that an order is delivered, so that it may be paid out. Outcomes: '
    'released, replayed, key_reused, not_found, invalid';


-- The item of a wallet, or why it has none.  A wallet that nobody has ever
-- booked to is not made.
CREATE OR REPLACE FUNCTION pay.make_one_payout(
    p_merchant_id text, p_seller text, p_currency text, p_who text,
    OUT outcome text, OUT payout_id text)
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT is_statement(p_who) THEN
        outcome := 'invalid';
    ELSIF NOT EXISTS (
        SELECT FROM wallet w
        WHERE w.merchant_id = p_merchant_id AND w.seller_account = p_seller
            AND w.currency = p_currency)
    THEN
        outcome := 'nothing';
    ELSE
        SELECT CASE m.outcome WHEN 'made' THEN 'created' ELSE m.outcome END,
            CASE m.outcome WHEN 'made' THEN m.payout_id END
        INTO outcome, payout_id
        FROM make_payouts(p_merchant_id, ARRAY[p_seller], ARRAY[p_currency],
                          p_who) m;
    END IF;
END
$$;
COMMENT ON FUNCTION pay.make_one_payout IS
    'Makes the item of a wallet, or says why there is none';


CREATE OR REPLACE FUNCTION pay_api.make_payout(
    p_merchant_id text[], p_seller_account text[], p_currency text[],
    p_who text[], p_idempotency_key text[], p_fingerprint bytea[],
    p_ttl_s bigint[])
RETURNS SETOF pay_api.payout_act_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row  pay_api.payout_act_row;
    v_said record;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
        array_dims(p_seller_account), array_dims(p_currency),
        array_dims(p_who), array_dims(p_idempotency_key),
        array_dims(p_fingerprint), array_dims(p_ttl_s));
    PERFORM claim_payout_keys(p_merchant_id, 'payout', p_idempotency_key,
                              p_fingerprint, p_ttl_s);
    PERFORM lock_wallets(array_agg(w.merchant_id::text),
        array_agg(w.seller_account::text), array_agg(w.currency::text))
    FROM unnest(p_merchant_id, p_seller_account, p_currency)
        AS u (merchant_id, seller, currency)
    JOIN wallet w ON w.merchant_id = u.merchant_id
        AND w.seller_account = u.seller AND w.currency = u.currency;

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_said := payout_key_said(p_merchant_id[v_item], 'payout',
            p_idempotency_key[v_item], p_fingerprint[v_item]);
        IF v_said.outcome IS NULL THEN
            v_said := make_one_payout(p_merchant_id[v_item],
                p_seller_account[v_item], p_currency[v_item],
                p_who[v_item]);
            IF v_said.payout_id IS NOT NULL THEN
                PERFORM keep_payout_key(p_merchant_id[v_item], 'payout',
                    p_idempotency_key[v_item], v_said.payout_id);
            END IF;
            v_row := ROW(v_item, v_said.outcome, v_said.payout_id, NULL);
            IF v_said.outcome NOT IN ('created', 'invalid') THEN
                v_row := ROW(v_item, 'refused', v_said.outcome, '{}');
            END IF;
        ELSE
            v_row := ROW(v_item, v_said.outcome, CASE v_said.outcome
                WHEN 'replayed' THEN v_said.subject_id END, NULL);
        END IF;

        IF v_row.outcome <> 'refused' THEN
            v_row.page := payout_with_acts(p_merchant_id[v_item],
                                           v_row.subject_id);
        END IF;
        RETURN NEXT v_row;
    END LOOP;

    PERFORM free_payout_keys(p_merchant_id, 'payout', p_idempotency_key);
END
$$;
COMMENT ON FUNCTION pay_api.make_payout IS
    'Makes the pay-out of a seller in a currency; refused: subject_id is the '
    'reason. Outcomes: created, replayed, key_reused, refused, invalid';


CREATE OR REPLACE FUNCTION pay.payout_page(
    p_merchant_id text, p_seller text, p_provider text, p_currency text,
    p_state text, p_day text, p_before bigint, p_limit int)
RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_day    record := day_bounds(p_day);
    v_window int := page_window(p_limit, num_nonnulls(p_seller, p_provider,
                                    p_currency, p_state, p_day) > 0);
BEGIN
    RETURN (
        WITH seen AS MATERIALIZED (
            SELECT x.number, row_number() OVER (ORDER BY x.number DESC) AS n,
                (p_seller IS NULL OR x.seller_account = p_seller)
                AND (p_provider IS NULL OR x.provider = p_provider)
                AND (p_currency IS NULL OR x.currency = p_currency)
                AND (p_state IS NULL OR x.state = p_state)
                AND x.created_at >= v_day.since
                AND x.created_at < v_day.until AS fits
            FROM (SELECT p.* FROM payout p
                  WHERE left(p.merchant_id, 255) = p_merchant_id
                      AND p.number < coalesce(p_before, 9223372036854775807)
                  ORDER BY p.number DESC LIMIT v_window + 1) x
        ), fit AS MATERIALIZED (
            SELECT s.n, s.number, row_number() OVER (ORDER BY s.n) AS place
            FROM seen s WHERE s.n <= v_window AND s.fits
        )
        SELECT json_build_object('payouts', coalesce((
                SELECT json_agg(payout_json(p) ORDER BY f.n)
                FROM fit f
                JOIN payout p ON left(p.merchant_id, 255) = p_merchant_id
                    AND p.number = f.number
                WHERE f.place <= p_limit), '[]'),
            'next', (SELECT s.number FROM seen s
                WHERE s.n = CASE
                    WHEN (SELECT count(*) FROM fit) > p_limit
                        THEN (SELECT f.n FROM fit f WHERE f.place = p_limit)
                    WHEN (SELECT count(*) FROM seen) > v_window
                        THEN v_window END)));
END
$$;
COMMENT ON FUNCTION pay.payout_page IS
    'A page of a merchant''s items, and where the next begins';


CREATE OR REPLACE FUNCTION pay_api.list_payouts(
    p_merchant_id text[], p_payout_id text[], p_seller_account text[],
    p_provider text[], p_currency text[], p_state text[], p_day text[],
    p_before bigint[], p_limit bigint[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row pay_api.page_row;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_payout_id),
        array_dims(p_seller_account), array_dims(p_provider),
        array_dims(p_currency), array_dims(p_state), array_dims(p_day),
        array_dims(p_before), array_dims(p_limit));

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_row := ROW(v_item, 'invalid', NULL);

        IF p_payout_id[v_item] IS NOT NULL THEN
            v_row.page := payout_with_acts(p_merchant_id[v_item],
                                           p_payout_id[v_item]);
            v_row.outcome := CASE WHEN v_row.page IS NULL THEN 'not_found'
                                  ELSE 'found' END;
        ELSIF p_limit[v_item] BETWEEN 1 AND 1000 THEN
            v_row.outcome := 'found';
            v_row.page := payout_page(p_merchant_id[v_item],
                p_seller_account[v_item], p_provider[v_item],
                p_currency[v_item], p_state[v_item], p_day[v_item],
                p_before[v_item], p_limit[v_item]::int)::text;
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.list_payouts IS
    'A page of pay-outs, newest first, or the one that is named with its acts. '
    'Outcomes: found, not_found, invalid';
