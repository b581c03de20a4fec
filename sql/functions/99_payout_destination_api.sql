-- Accounts of sellers by the API: entered, read and closed, each request once
-- for its Idempotency-Key.  The gateway has checked, masked and sealed the
-- number; it never comes here in clear.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.destination_json(p_account payout_account)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT json_build_object('destination_id', p_account.destination_id,
    'seller_account', p_account.seller_account,
    'currency', p_account.currency, 'state', p_account.state,
    'version', d.version, 'provider', d.provider, 'kind', d.kind,
    'country', d.country, 'account', d.shown, 'entered_by', d.entered_by,
    'entered_at', iso_time(d.entered_at),
    'usable_from', iso_time(d.usable_from), 'returns', p_account.returns)
FROM payout_destination d
WHERE d.merchant_id = p_account.merchant_id
    AND d.destination_id = p_account.destination_id
    AND d.version = p_account.version
$$;
COMMENT ON FUNCTION pay.destination_json IS
    'The account of a seller for the API, its number masked';


CREATE OR REPLACE FUNCTION pay.destination_versions_json(
    p_merchant_id text, p_destination_id text)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT json_agg(json_build_object('version', d.version,
    'provider', d.provider, 'kind', d.kind, 'country', d.country,
    'account', d.shown, 'entered_by', d.entered_by,
    'entered_at', iso_time(d.entered_at),
    'usable_from', iso_time(d.usable_from)) ORDER BY d.version DESC)
FROM (SELECT x.* FROM payout_destination x
      WHERE x.merchant_id = p_merchant_id
          AND x.destination_id = p_destination_id
      ORDER BY x.version DESC LIMIT 100) d
$$;
COMMENT ON FUNCTION pay.destination_versions_json IS
    'The last hundred versions of an account for the API, the newest first';


CREATE OR REPLACE FUNCTION pay.destination_whole(
    p_merchant_id text, p_destination_id text)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT left(destination_json(a)::text, -1) || ', "versions" : '
    || destination_versions_json(a.merchant_id, a.destination_id)::text
    || ', "acts" : '
    || payout_acts_json(a.merchant_id, 'destination',
                        a.destination_id)::text || '}'
FROM payout_account a
WHERE a.merchant_id = p_merchant_id AND a.destination_id = p_destination_id
$$;
COMMENT ON FUNCTION pay.destination_whole IS
    'An account with its versions and acts for the API';


-- The requests of a batch lock accounts in the order of sellers, as every
-- other batch does: two batches never wait for each other.
CREATE OR REPLACE FUNCTION pay_api.enter_destination(
    p_merchant_id text[], p_seller_account text[], p_currency text[],
    p_provider text[], p_kind text[], p_country text[], p_shown text[],
    p_details bytea[], p_key_id text[], p_who text[], p_why text[],
    p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[],
    p_name text[] DEFAULT NULL)
RETURNS SETOF pay_api.payout_act_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row  pay_api.payout_act_row;
    v_item int;
    v_said record;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
        array_dims(p_seller_account), array_dims(p_currency),
        array_dims(p_provider), array_dims(p_kind), array_dims(p_country),
        array_dims(p_shown), array_dims(p_details), array_dims(p_key_id),
        array_dims(p_who), array_dims(p_why), array_dims(p_idempotency_key),
        array_dims(p_fingerprint), array_dims(p_ttl_s),
        coalesce(array_dims(p_name), array_dims(p_merchant_id)));
    PERFORM claim_payout_keys(p_merchant_id, 'destination',
        p_idempotency_key, p_fingerprint, p_ttl_s);

    FOR v_item IN
        SELECT u.n FROM unnest(p_merchant_id, p_seller_account, p_currency)
            WITH ORDINALITY AS u (merchant_id, seller, currency, n)
        ORDER BY u.merchant_id COLLATE "C", u.seller COLLATE "C",
            u.currency COLLATE "C", u.n
    LOOP
        v_said := payout_key_said(p_merchant_id[v_item], 'destination',
            p_idempotency_key[v_item], p_fingerprint[v_item]);
        v_row := ROW(v_item, v_said.outcome, CASE v_said.outcome
            WHEN 'replayed' THEN v_said.subject_id END, NULL);

        IF v_said.outcome IS NULL THEN
            v_said := enter_destination(p_merchant_id[v_item],
                p_seller_account[v_item], p_currency[v_item],
                p_provider[v_item], p_kind[v_item], p_country[v_item],
                p_shown[v_item], p_details[v_item], p_key_id[v_item],
                p_who[v_item], p_why[v_item], p_name[v_item]);
            IF v_said.outcome = 'stored' THEN
                v_row := ROW(v_item, 'created', v_said.destination_id, NULL);
                PERFORM keep_payout_key(p_merchant_id[v_item], 'destination',
                    p_idempotency_key[v_item], v_said.destination_id);
            ELSIF v_said.outcome = 'invalid' THEN
                v_row := ROW(v_item, 'invalid', NULL, NULL);
            ELSE
                v_row := ROW(v_item, 'refused', v_said.outcome, '{}');
            END IF;
        END IF;

        IF v_row.outcome <> 'refused' THEN
            v_row.page := destination_whole(p_merchant_id[v_item],
                                            v_row.subject_id);
        END IF;
        RETURN NEXT v_row;
    END LOOP;

    PERFORM free_payout_keys(p_merchant_id, 'destination',
                             p_idempotency_key);
END
$$;
COMMENT ON FUNCTION pay_api.enter_destination IS
    'Enters or changes the account of a seller in a currency; refused: '
    'subject_id is the reason. Outcomes: created, replayed, key_reused, '
    'refused, invalid';


-- An account that pay-outs came back from is an operator's to judge: its
-- merchant cannot put another in its place.  One that is closed stays so.
CREATE OR REPLACE FUNCTION pay.close_destination(
    p_merchant_id text, p_destination_id text, p_who text, p_why text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    SELECT a.state INTO v_state FROM payout_account a
    WHERE a.merchant_id = p_merchant_id
        AND a.destination_id = p_destination_id FOR UPDATE;
    IF v_state = 'open' THEN
        PERFORM pay_ops.settle_destination(p_merchant_id, p_destination_id,
                                           'closed', p_who, p_why);
        v_state := 'closed';
    END IF;

    RETURN CASE WHEN v_state = 'closed' THEN 'done'
                ELSE coalesce(v_state, 'not_found') END;
END
$$;
COMMENT ON FUNCTION pay.close_destination IS
    'Closes an account that nothing has come back from: done, suspect, blocked, '
    'not_found or invalid';


CREATE OR REPLACE FUNCTION pay_api.close_destination(
    p_merchant_id text[], p_destination_id text[], p_who text[],
    p_why text[], p_idempotency_key text[], p_fingerprint bytea[],
    p_ttl_s bigint[])
RETURNS SETOF pay_api.payout_act_row
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row  pay_api.payout_act_row;
    v_said record;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
        array_dims(p_destination_id), array_dims(p_who), array_dims(p_why),
        array_dims(p_idempotency_key), array_dims(p_fingerprint),
        array_dims(p_ttl_s));
    PERFORM claim_payout_keys(p_merchant_id, 'destination',
        p_idempotency_key, p_fingerprint, p_ttl_s);
    PERFORM FROM payout_account a
    WHERE (a.merchant_id, a.destination_id) IN (
        SELECT * FROM unnest(p_merchant_id, p_destination_id))
    ORDER BY a.merchant_id, a.seller_account, a.currency FOR UPDATE;

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        v_said := payout_key_said(p_merchant_id[v_item], 'destination',
            p_idempotency_key[v_item], p_fingerprint[v_item]);
        v_row := ROW(v_item, v_said.outcome, CASE v_said.outcome
            WHEN 'replayed' THEN v_said.subject_id END, NULL);

        IF v_said.outcome IS NULL THEN
            v_row.outcome := close_destination(p_merchant_id[v_item],
                p_destination_id[v_item], p_who[v_item], p_why[v_item]);
            IF v_row.outcome = 'done' THEN
                v_row.subject_id := p_destination_id[v_item];
                PERFORM keep_payout_key(p_merchant_id[v_item], 'destination',
                    p_idempotency_key[v_item], v_row.subject_id);
            ELSIF v_row.outcome IN ('suspect', 'blocked') THEN
                v_row := ROW(v_item, 'refused', v_row.outcome, '{}');
            END IF;
        END IF;

        IF v_row.outcome <> 'refused' THEN
            v_row.page := destination_whole(p_merchant_id[v_item],
                                            v_row.subject_id);
        END IF;
        RETURN NEXT v_row;
    END LOOP;

    PERFORM free_payout_keys(p_merchant_id, 'destination',
                             p_idempotency_key);
END
$$;
COMMENT ON FUNCTION pay_api.close_destination IS
    'Closes the account of a seller; refused: subject_id is its state. '
    'Outcomes: done, replayed, key_reused, refused, not_found, invalid';


-- A seller has one account in each currency that is not closed.
CREATE OR REPLACE FUNCTION pay_api.list_destinations(
    p_merchant_id text[], p_destination_id text[], p_seller_account text[])
RETURNS SETOF pay_api.page_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_row pay_api.page_row;
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
        array_dims(p_destination_id), array_dims(p_seller_account));

    FOR v_item IN 1 .. coalesce(cardinality(p_merchant_id), 0) LOOP
        IF p_destination_id[v_item] IS NOT NULL THEN
            v_row := ROW(v_item, 'found', destination_whole(
                p_merchant_id[v_item], p_destination_id[v_item]));
            IF v_row.page IS NULL THEN
                v_row.outcome := 'not_found';
            END IF;
        ELSE
            v_row := ROW(v_item, 'found', json_build_object(
                'destinations', coalesce((
                    SELECT json_agg(destination_json(a) ORDER BY a.currency)
                    FROM payout_account a
                    WHERE a.merchant_id = p_merchant_id[v_item]
                        AND a.seller_account = p_seller_account[v_item]
                        AND a.state <> 'closed'), '[]'),
                'next', NULL)::text);
        END IF;

        RETURN NEXT v_row;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay_api.list_destinations IS
    'The accounts of a seller that are not closed, or the one that is named '
    'with its versions and acts. Outcomes: found, not_found';
