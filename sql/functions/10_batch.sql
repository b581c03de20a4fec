-- What every set-based function needs: the check of its arrays, the locks in
-- key order, the state machine, the view of a checkout.  Private to schema
-- pay; callers run with search_path = pay, pg_temp.
-- OFFSET 0, here and elsewhere, makes the planner look each item up by key.
-- Left alone it reads the whole table whenever it takes it to be small, and
-- when it is wrong it is wrong by the size of the table.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- array_dims() of each argument must be the same '[1:n]' (or all are empty);
-- anything else is the caller's bug, not bad input.
CREATE OR REPLACE FUNCTION pay.check_batch(VARIADIC p_dims text[])
RETURNS void LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_first text := p_dims[1];
    v_dims  text;
BEGIN
    FOREACH v_dims IN ARRAY p_dims LOOP
        IF v_dims IS DISTINCT FROM v_first THEN
            RAISE EXCEPTION 'the arrays differ in length'
                USING ERRCODE = 'PAY01';
        END IF;
    END LOOP;

    IF v_first !~ '^\[1:[0-9]{1,4}\]$' THEN
        RAISE EXCEPTION 'a batch is a flat array of at most 9999 items'
            USING ERRCODE = 'PAY01';
    END IF;
END
$$;
COMMENT ON FUNCTION pay.check_batch IS
    'Raises PAY01 unless all arrays have the same dimensions';


CREATE OR REPLACE FUNCTION pay.id_ok(p_id text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS
'SELECT p_id IS NOT NULL AND octet_length(p_id) BETWEEN 1 AND 255';
COMMENT ON FUNCTION pay.id_ok IS 'What the CHECK constraints of ids say';


-- {"kid": the key that the token was signed with, "sub": what the token says
-- of its holder, if it is fit for the log}, or NULL: from src/core/jwt_asker.c
CREATE OR REPLACE FUNCTION pay.asked_by_ok(p_asked_by jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN p_asked_by IS NULL THEN true
    WHEN jsonb_typeof(p_asked_by) <> 'object' THEN false
    ELSE p_asked_by - 'kid' - 'sub' = '{}'
        AND jsonb_typeof(p_asked_by -> 'kid') IS NOT DISTINCT FROM 'string'
        AND p_asked_by ->> 'kid' ~ '^[A-Za-z0-9._-]{1,64}$'
        AND coalesce(jsonb_typeof(p_asked_by -> 'sub'), 'string') = 'string'
        AND coalesce(p_asked_by ->> 'sub', '?') ~ '^[\x20-\x7e]{1,128}$'
    END
$$;
COMMENT ON FUNCTION pay.asked_by_ok IS
    'Whether an event may say this of who at the merchant asked';


-- docs/architecture.md#order-states; src/core/state.c holds the same table.
CREATE OR REPLACE FUNCTION pay.next_status(p_status text, p_kind text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN p_kind = 'paid' THEN 'SUCCESS'
    WHEN p_status IN ('SUCCESS', 'FAILED') THEN p_status
    WHEN p_kind IN ('declined', 'expired', 'cancelled', 'rejected', 'refused')
        THEN 'FAILED'
    WHEN p_kind IN ('pending', 'authorized', 'registered',
                    'registration_unknown')
        THEN 'EXECUTING'
    ELSE p_status
END
$$;
COMMENT ON FUNCTION pay.next_status IS
    'Where an event of this kind takes an order: the state machine';


CREATE OR REPLACE FUNCTION pay.fact_kind(
    p_fact text, p_amount_minor bigint, p_currency text,
    p_total_minor bigint, p_own_currency text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN p_fact IN ('none', 'unknown') THEN p_fact
    WHEN p_fact IN ('ask', 'notified') THEN 'notified'
    WHEN p_amount_minor <> p_total_minor THEN 'mismatch'
    WHEN p_currency <> p_own_currency THEN 'mismatch'
    ELSE p_fact
END
$$;
COMMENT ON FUNCTION pay.fact_kind IS
    'The fact as an event''s kind, or mismatch when amount or currency is not '
    'the checkout''s';


-- Two things that a PSP may say move nothing: that an order is paid whose
-- checkout has expired, where that is not simply a sale (p_policy: hold or
-- refund), and a failure of what is paid.  The gateway's own conclusion that
-- a checkout is over contradicts nobody.
CREATE OR REPLACE FUNCTION pay.news_kind(
    p_kind text, p_actor text, p_status text, p_policy text)
RETURNS text LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN p_policy IS NOT NULL THEN 'late_success'
    WHEN p_status = 'SUCCESS' AND p_actor <> 'gateway'
        AND p_kind IN ('declined', 'expired', 'cancelled', 'rejected')
        THEN 'contradiction'
    ELSE p_kind
END
$$;
COMMENT ON FUNCTION pay.news_kind IS
    'What a fact is to an order in this status: its kind, or one of the two '
    'exceptions';


-- Whoever changes anything of an existing checkout (orders, registration,
-- jobs, events) holds its row first, and all rows of a batch are taken in
-- key order: two batches cannot deadlock.  Before this come, in this order,
-- idempotency keys, inbox rows and psp_token rows, each in key order too.
-- claim_jobs alone takes rows as they come, and so it never waits for one.
CREATE OR REPLACE FUNCTION pay.lock_checkouts(
    p_merchant_id text[], p_checkout_id text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM u.merchant_id
    FROM (SELECT DISTINCT * FROM unnest(p_merchant_id, p_checkout_id)
          ORDER BY 1, 2) AS u (merchant_id, checkout_id)
    CROSS JOIN LATERAL (
        SELECT FROM checkout c
        WHERE c.merchant_id = u.merchant_id
            AND c.checkout_id = u.checkout_id
        FOR NO KEY UPDATE) c;
END
$$;
COMMENT ON FUNCTION pay.lock_checkouts IS
    'Locks the rows of a batch in key order';


CREATE OR REPLACE FUNCTION pay.iso_time(p_at timestamptz)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;
COMMENT ON FUNCTION pay.iso_time IS 'A moment as JSON shows it, in UTC';


CREATE OR REPLACE FUNCTION pay.decimal_text(p_minor bigint, p_currency text)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT round(p_minor / 10::numeric ^ c.exponent, c.exponent)::text
FROM currency c WHERE c.code = p_currency
$$;
COMMENT ON FUNCTION pay.decimal_text IS
    'An amount as the API shows it, in the currency''s own decimals';


CREATE OR REPLACE FUNCTION pay.second_time(p_at timestamptz)
RETURNS text LANGUAGE sql STABLE AS $$
SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
$$;
COMMENT ON FUNCTION pay.second_time IS
    'A second as the API shows it, in UTC';


-- The last declined attempt to pay an order; NULL: there was none, or the
-- order was paid all the same.
CREATE OR REPLACE FUNCTION pay.shown_decline(p_order payment_order)
RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN (p_order).status <> 'SUCCESS' THEN (p_order).decline END
$$;
COMMENT ON FUNCTION pay.shown_decline IS
    'The last declined attempt to pay an order that is not paid';


-- What is not the same for each new order; NULL when there is none of it.
CREATE OR REPLACE FUNCTION pay.order_money(
    p_order payment_order, p_capture text)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT CASE WHEN (p_order).captured_minor <> 0
        OR (p_order).authorized_minor <> 0
        OR (p_order).charged_back_minor <> 0
        OR (p_order).credit_currency IS NOT NULL OR p_capture <> 'automatic'
        OR shown_decline(p_order) IS NOT NULL
    THEN json_build_object('manual', p_capture = 'manual',
        'authorized', (p_order).authorized_minor,
        'captured', (p_order).captured_minor,
        'refunding', (p_order).refunding_minor,
        'refunded', (p_order).refunded_minor,
        'charged_back', (p_order).charged_back_minor,
        'credit_currency', (p_order).credit_currency,
        'credit_minor', (p_order).credit_minor,
        'credit_rate', (p_order).credit_rate::text,
        'credit_until', second_time((p_order).credit_until),
        'decline', shown_decline(p_order))
    END
$$;
COMMENT ON FUNCTION pay.order_money IS
    'What became of an order''s money, for the view of a checkout';


-- The VIEW columns of src/op/op_table.c.
CREATE OR REPLACE VIEW pay.checkout_state AS
SELECT c.merchant_id::text, c.checkout_id::text,
    c.checkout_uuid::text AS checkout_uuid, c.psp::text, r.nonce::text,
    c.handle::text, r.token::text, r.alias::text, r.hosted_url,
    c.return_url::text, c.base_url::text,
    c.currency::text, c.total_minor::bigint,
    extract(epoch FROM c.expires_at)::bigint AS expires_s,
    r.state::text AS registration_state, r.attempt::bigint AS attempt,
    r.code, c.version::bigint AS version,
    (SELECT json_agg(json_build_object(
                'id', o.payment_order_id, 'seller', o.seller_account,
                'amount', o.amount_minor, 'currency', o.currency,
                'status', o.status, 'reason', o.reason,
                'money', order_money(o, c.capture))
            ORDER BY o.position)::text
     FROM payment_order o
     WHERE o.merchant_id = c.merchant_id
         AND o.checkout_id = c.checkout_id) AS orders
FROM checkout c
JOIN registration r ON r.merchant_id = c.merchant_id
    AND r.checkout_id = c.checkout_id;
COMMENT ON VIEW pay.checkout_state IS
    'A checkout as the operations return it, its orders as a JSON text';
