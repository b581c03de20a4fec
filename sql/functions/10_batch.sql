-- Shared by all set-based functions: the check of their arrays, the locks in
-- key order, the state machine, the view of a checkout.  Private to schema pay;
-- callers run with search_path = pay, pg_temp.  OFFSET 0, here and elsewhere,
-- makes the planner look each item up by key.  Without it the planner reads the
-- whole table whenever it estimates the table to be small, and the cost of a
-- wrong estimate grows with the table.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- array_dims() of each argument must be the same '[1:n]' (or all are empty);
-- anything else is the caller's bug, not bad input.  This one and other helpers
-- return a number so that they can be called by an assignment: PERFORM is a
-- statement of its own.
CREATE OR REPLACE FUNCTION pay.check_batch(VARIADIC p_dims text[])
RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF p_dims[1] = ALL (p_dims) AND p_dims[1] ~ '^\[1:[0-9]+\]$'
            AND octet_length(p_dims[1]) <= 8
    THEN
        RETURN substr(p_dims[1], 4, octet_length(p_dims[1]) - 4)::int;
    ELSIF num_nonnulls(VARIADIC p_dims) = 0 THEN
        RETURN 0;
    END IF;

    RAISE EXCEPTION 'not flat arrays of one length and at most 9999 items'
        USING ERRCODE = 'PAY01';
END
$$;
COMMENT ON FUNCTION pay.check_batch IS
    'The number of items; raises PAY01 unless all arrays have so many';


CREATE OR REPLACE FUNCTION pay.id_ok(p_id text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS
'SELECT p_id IS NOT NULL AND octet_length(p_id) BETWEEN 1 AND 255';
COMMENT ON FUNCTION pay.id_ok IS
    'The rule of the CHECK constraints of ids, as a function';


-- Here and elsewhere: a counted repetition in a regular expression ({36}) costs
-- several microseconds each time, whatever it reads; lengths are compared.
CREATE OR REPLACE FUNCTION pay.uuid_ok(p_uuid text)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT p_uuid LIKE '________-____-____-____-____________'
    AND octet_length(replace(p_uuid, '-', '')) = 32
    AND p_uuid !~ '[^0-9a-f-]'
$$;
COMMENT ON FUNCTION pay.uuid_ok IS 'Whether it is a UUID in small letters';


-- {"kid": the key that signed the token, "sub": the token's subject, if it is
-- fit for the log}, or NULL: from src/core/jwt_asker.c
CREATE OR REPLACE FUNCTION pay.asked_by_ok(p_asked_by jsonb)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT CASE
    WHEN p_asked_by IS NULL THEN true
    WHEN jsonb_typeof(p_asked_by) <> 'object' THEN false
    ELSE p_asked_by - 'kid' - 'sub' = '{}'
        AND jsonb_typeof(p_asked_by -> 'kid') IS NOT DISTINCT FROM 'string'
        AND octet_length(p_asked_by ->> 'kid') BETWEEN 1 AND 64
        AND p_asked_by ->> 'kid' !~ '[^A-Za-z0-9._-]'
        AND coalesce(jsonb_typeof(p_asked_by -> 'sub'), 'string') = 'string'
        AND octet_length(coalesce(p_asked_by ->> 'sub', '?'))
            BETWEEN 1 AND 128
        AND coalesce(p_asked_by ->> 'sub', '?') !~ '[^\x20-\x7e]'
    END
$$;
COMMENT ON FUNCTION pay.asked_by_ok IS
    'Whether an event may say this of who at the merchant asked';


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


-- A function that changes anything of an existing checkout (orders,
-- registration, jobs, events) locks the checkout's row first, and all rows of a
-- batch are locked in key order: two batches cannot deadlock.  Before the
-- checkouts come, in this order, idempotency keys, inbox rows and psp_token
-- rows, each in key order too.  claim_jobs alone takes rows in any order; it
-- skips locked ones and so never waits for one.
CREATE OR REPLACE FUNCTION pay.lock_checkouts(
    p_merchant_id text[], p_checkout_id text[])
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_count int;
BEGIN
    PERFORM u.merchant_id
    FROM (SELECT DISTINCT * FROM unnest(p_merchant_id, p_checkout_id)
          ORDER BY 1, 2) AS u (merchant_id, checkout_id)
    CROSS JOIN LATERAL (
        SELECT FROM checkout c
        WHERE c.merchant_id = u.merchant_id
            AND c.checkout_id = u.checkout_id
        FOR NO KEY UPDATE) c;

    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;
COMMENT ON FUNCTION pay.lock_checkouts IS
    'Locks the rows of a batch in key order; how many there are';


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


-- The storefront learns that its money is held, and not why.
CREATE OR REPLACE FUNCTION pay.hold_reason(
    p_merchant_id text, p_checkout_id text)
RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT 'on_hold' FROM checkout c
        WHERE c.merchant_id = p_merchant_id
            AND c.checkout_id = p_checkout_id AND c.hold_psps IS NOT NULL);
END
$$;
COMMENT ON FUNCTION pay.hold_reason IS
    'on_hold where the money of a checkout is held because of a review';


-- An order in the columns of the shape line of src/op/rows.list.  A column
-- that is NULL costs nothing, so sums of nothing are.
CREATE OR REPLACE FUNCTION pay.order_line(p_order payment_order)
RETURNS TABLE (
    place bigint, order_id text, seller_account text, order_minor bigint,
    order_status text, order_reason text, authorized_minor bigint,
    captured_minor bigint, refunding_minor bigint, refunded_minor bigint,
    charged_back_minor bigint, credit_currency text, credit_minor bigint,
    credit_rate text, credit_until text, decline text, fee_minor bigint,
    fee_tax_minor bigint)
LANGUAGE sql STABLE ROWS 1 AS $$
SELECT (p_order).position::bigint, (p_order).payment_order_id::text,
    (p_order).seller_account::text, (p_order).amount_minor::bigint,
    (p_order).status::text,
    CASE WHEN (p_order).status = 'EXECUTING'
             AND (p_order).authorized_minor > 0
         THEN coalesce(hold_reason((p_order).merchant_id,
             (p_order).checkout_id), (p_order).reason::text)
         ELSE (p_order).reason::text END,
    nullif((p_order).authorized_minor, 0)::bigint,
    nullif((p_order).captured_minor, 0)::bigint,
    nullif((p_order).refunding_minor, 0)::bigint,
    nullif((p_order).refunded_minor, 0)::bigint,
    nullif((p_order).charged_back_minor, 0)::bigint,
    (p_order).credit_currency::text, (p_order).credit_minor::bigint,
    (p_order).credit_rate::text, second_time((p_order).credit_until),
    shown_decline(p_order)::text, (p_order).fee_minor::bigint,
    (p_order).fee_tax_minor::bigint
$$;
COMMENT ON FUNCTION pay.order_line IS
    'An order as the operations return it';


-- The planner writes this into the query that calls it, so that order_line()
-- takes columns: of a row that is a value, each would be looked for anew.
CREATE OR REPLACE FUNCTION pay.orders_of(
    p_merchant_id text, p_checkout_id text)
RETURNS SETOF payment_order LANGUAGE sql STABLE AS $$
SELECT o.* FROM payment_order o
WHERE o.merchant_id = p_merchant_id AND o.checkout_id = p_checkout_id
OFFSET 0
$$;
COMMENT ON FUNCTION pay.orders_of IS 'The orders of a checkout, by its key';


-- A view takes new columns at its end only: an older one is made again, and
-- with it state_of(), which follows.
DO $$
BEGIN
    IF to_regclass('pay.checkout_state') IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_attribute a
        WHERE a.attrelid = to_regclass('pay.checkout_state')
            AND a.attname = 'trace')
    THEN
        DROP VIEW pay.checkout_state CASCADE;
    END IF;
END
$$;


-- The columns of the shape checkout of src/op/rows.list, one row for each of
-- its orders.
CREATE OR REPLACE VIEW pay.checkout_state AS
SELECT c.merchant_id::text, c.checkout_id::text,
    c.checkout_uuid::text AS checkout_uuid, c.psp::text, c.nonce::text,
    c.handle::text, c.token::text, c.alias::text, c.hosted_url,
    c.return_url::text, c.base_url::text,
    c.currency::text, c.total_minor::bigint,
    extract(epoch FROM c.expires_at)::bigint AS expires_s,
    c.state::text AS registration_state, c.attempt::bigint AS attempt,
    c.code, c.version::bigint AS version, c.capture::text,
    c.replaces::text, c.replaced_by::text, c.risk, c.trace, l.*
FROM checkout c
CROSS JOIN LATERAL orders_of(c.merchant_id, c.checkout_id) o
CROSS JOIN LATERAL order_line(o) l;
COMMENT ON VIEW pay.checkout_state IS
    'A checkout as the operations return it: a row for each of its orders';


-- By its key before all else: a join may read all checkouts, where the plan was
-- made while there was none.
CREATE OR REPLACE FUNCTION pay.state_of(
    p_merchant_id text, p_checkout_id text)
RETURNS SETOF checkout_state LANGUAGE sql STABLE AS $$
SELECT s.* FROM checkout_state s
WHERE s.merchant_id = p_merchant_id AND s.checkout_id = p_checkout_id
OFFSET 0
$$;
COMMENT ON FUNCTION pay.state_of IS
    'A checkout as the operations return it, by its key';
