-- Where sellers want their money: a seller has one account in each currency,
-- and each change of it is another version.  An item keeps the version that it
-- was made with.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The part of an account's number that readers see.
CREATE OR REPLACE FUNCTION pay.shown_account(
    p_kind text, p_country text, p_number text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT concat(CASE WHEN p_kind <> 'payee' THEN p_country END, '…',
              CASE WHEN length(p_number) >= 12 THEN right(p_number, 4) END)
$$;
COMMENT ON FUNCTION pay.shown_account IS
    'A number of an account, masked: its country and its last characters';


-- Whether a provider pays to such an account, by its settings.
CREATE OR REPLACE FUNCTION pay.destination_fits(
    p_merchant_id text, p_provider text, p_kind text, p_country text,
    p_currency text)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT EXISTS (
    SELECT FROM payout_provider p
    WHERE p.merchant_id = p_merchant_id AND p.provider = p_provider
        AND p_kind = ANY (p.takes)
        AND coalesce(p_currency = ANY (p.currencies), true)
        AND coalesce(p_country = ANY (p.countries), true))
    AND EXISTS (SELECT FROM currency k WHERE k.code = p_currency)
$$;
COMMENT ON FUNCTION pay.destination_fits IS
    'Whether a provider pays in this currency to an account of this kind and '
    'country';


-- The account of a seller in a currency, locked; a first one is made.
CREATE OR REPLACE FUNCTION pay.lock_payout_account(
    p_merchant_id text, p_seller text, p_currency text)
RETURNS payout_account LANGUAGE plpgsql AS $$
DECLARE
    v_account payout_account;
BEGIN
    FOR v_try IN 1 .. 2 LOOP
        SELECT * INTO v_account FROM payout_account a
        WHERE a.merchant_id = p_merchant_id AND a.seller_account = p_seller
            AND a.currency = p_currency AND a.state <> 'closed'
        FOR UPDATE;
        IF FOUND THEN
            RETURN v_account;
        END IF;

        INSERT INTO payout_account (merchant_id, destination_id,
            seller_account, currency)
        VALUES (p_merchant_id, gen_random_uuid()::text, p_seller,
            p_currency)
        ON CONFLICT DO NOTHING
        RETURNING * INTO v_account;
        IF FOUND THEN
            v_account.version := NULL;
            RETURN v_account;
        END IF;
    END LOOP;

    RAISE EXCEPTION 'the account of % is closed all the time', p_seller
        USING ERRCODE = 'PAY24';
END
$$;
COMMENT ON FUNCTION pay.lock_payout_account IS
    'The account of a seller in a currency, locked; version NULL: it is new';


-- Stores a version.  p_shown: the masked number; details has the whole one,
-- encrypted.  p_name: the holder in Latin letters, of which digests are kept.  A seller that had an account before waits for the end of the
-- cooling-off, since a stolen login changes the account first.
CREATE OR REPLACE FUNCTION pay.enter_destination(
    p_merchant_id text, p_seller_account text, p_currency text,
    p_provider text, p_kind text, p_country text, p_shown text,
    p_details bytea, p_key_id text, p_who text, p_why text, p_name text,
    OUT outcome text, OUT destination_id text, OUT version int)
LANGUAGE plpgsql AS $$
DECLARE
    v_account payout_account;
    v_first   boolean;
    v_hours   int := coalesce((
        SELECT p.cooling_off_hours FROM payout_policy p
        WHERE p.merchant_id = p_merchant_id), 72);
BEGIN
    outcome := CASE
        WHEN NOT is_statement(p_who) OR NOT is_statement(p_why)
            OR coalesce(p_seller_account, '') = ''
            OR (octet_length(p_shown) BETWEEN 1 AND 16) IS NOT TRUE
            OR (octet_length(p_details) BETWEEN 1 AND 4096) IS NOT TRUE
            OR (p_country ~ '^[A-Z]{2}$') IS NOT TRUE
            OR (octet_length(p_key_id) BETWEEN 1 AND 255) IS NOT TRUE
        THEN 'invalid'
        WHEN NOT destination_fits(p_merchant_id, p_provider, p_kind,
                                  p_country, p_currency)
        THEN 'unfit' END;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;

    v_first := NOT EXISTS (
        SELECT FROM payout_account a
        WHERE a.merchant_id = p_merchant_id
            AND a.seller_account = p_seller_account);
    v_account := lock_payout_account(p_merchant_id, p_seller_account,
                                     p_currency);
    destination_id := v_account.destination_id;
    IF v_account.state = 'blocked' THEN
        outcome := 'blocked';
        RETURN;
    END IF;

    outcome := 'stored';
    version := coalesce(v_account.version + 1, 1);
    INSERT INTO payout_destination (merchant_id, destination_id, version,
        provider, kind, country, details, key_id, shown, entered_by,
        name_words, name_near, usable_from)
    VALUES (p_merchant_id, v_account.destination_id,
        enter_destination.version, p_provider, p_kind, p_country, p_details,
        p_key_id, p_shown, p_who, name_words(p_name),
        name_near(p_name),
        now() + CASE WHEN v_first THEN interval '0'
                     ELSE make_interval(hours => v_hours) END);
    UPDATE payout_account a
    SET version = enter_destination.version, state = 'open'
    WHERE a.merchant_id = p_merchant_id
        AND a.destination_id = v_account.destination_id;
    PERFORM keep_payout_act(p_merchant_id, 'destination',
        v_account.destination_id, CASE WHEN version = 1 THEN 'entered'
                                       ELSE 'changed' END, p_who, p_why,
        jsonb_build_object('version', version, 'provider', p_provider,
            'shown', p_shown),
        CASE WHEN version = 1 THEN 'destination.entered'
             ELSE 'destination.changed' END);
END
$$;
COMMENT ON FUNCTION pay.enter_destination IS
    'Enters or changes the account of a seller in a currency: stored, unfit '
    '(the provider does not pay there), blocked or invalid';


-- p_number: the number of the account in clear, which is checked and masked
-- here and kept nowhere.
CREATE OR REPLACE FUNCTION pay_ops.store_destination(
    p_merchant_id text, p_seller_account text, p_currency text,
    p_provider text, p_kind text, p_country text, p_number text,
    p_details bytea, p_key_id text, p_who text, p_why text,
    p_name text DEFAULT NULL)
RETURNS TABLE (outcome text, destination_id text, version int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    IF coalesce(p_number, '') = '' OR (p_country ~ '^[A-Z]{2}$') IS NOT TRUE
    THEN
        outcome := 'invalid';
    ELSIF p_kind = 'iban' AND (NOT is_iban(p_number)
                               OR left(p_number, 2) <> p_country)
    THEN
        outcome := 'invalid_account';
    ELSE
        SELECT e.outcome, e.destination_id, e.version
        INTO outcome, destination_id, version
        FROM enter_destination(p_merchant_id, p_seller_account, p_currency,
            p_provider, p_kind, p_country,
            shown_account(p_kind, p_country, p_number), p_details, p_key_id,
            p_who, p_why, p_name) e;
    END IF;

    RETURN NEXT;
END
$$;
COMMENT ON FUNCTION pay_ops.store_destination IS
    'Enters or changes the account of a seller in a currency: stored, '
    'invalid_account (the number), unfit (the provider does not pay there), '
    'blocked or invalid';


-- An operator has looked: a suspect account is open again, a blocked one is
-- closed for ever, and the seller enters another one.
CREATE OR REPLACE FUNCTION pay_ops.settle_destination(
    p_merchant_id text, p_destination_id text, p_state text, p_who text,
    p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_old text;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why)
        OR (p_state IN ('open', 'blocked', 'closed')) IS NOT TRUE
    THEN
        RETURN 'invalid';
    END IF;

    SELECT a.state INTO v_old FROM payout_account a
    WHERE a.merchant_id = p_merchant_id
        AND a.destination_id = p_destination_id FOR UPDATE;
    IF v_old IS NULL THEN
        RETURN 'not_found';
    ELSIF v_old = 'closed' OR v_old = 'blocked' AND p_state = 'open' THEN
        RETURN v_old;
    END IF;

    UPDATE payout_account a SET state = p_state
    WHERE a.merchant_id = p_merchant_id
        AND a.destination_id = p_destination_id;
    PERFORM keep_payout_act(p_merchant_id, 'destination', p_destination_id,
                            p_state, p_who, p_why);

    RETURN 'stored';
END
$$;
COMMENT ON FUNCTION pay_ops.settle_destination IS
    'Opens a suspect account again, blocks or closes one: stored, blocked or '
    'closed (it stays so), not_found or invalid';
