-- Made by ci/sql-snapshot from sql/; not applied to anything.
--
--

--
-- Name: pay; Type: SCHEMA; Schema: -; Owner: payments_owner
--

CREATE SCHEMA pay;

ALTER SCHEMA pay OWNER TO payments_owner;

--
-- Name: SCHEMA pay; Type: COMMENT; Schema: -; Owner: payments_owner
--

COMMENT ON SCHEMA pay IS 'Tables and private helpers of the gateway';

--
-- Name: pay_api; Type: SCHEMA; Schema: -; Owner: payments_owner
--

CREATE SCHEMA pay_api;

ALTER SCHEMA pay_api OWNER TO payments_owner;

--
-- Name: SCHEMA pay_api; Type: COMMENT; Schema: -; Owner: payments_owner
--

COMMENT ON SCHEMA pay_api IS 'What the gateway''s role may EXECUTE';

--
-- Name: pay_view; Type: SCHEMA; Schema: -; Owner: payments_owner
--

CREATE SCHEMA pay_view;

ALTER SCHEMA pay_view OWNER TO payments_owner;

--
-- Name: SCHEMA pay_view; Type: COMMENT; Schema: -; Owner: payments_owner
--

COMMENT ON SCHEMA pay_view IS 'Reads for people';

--
-- Name: fact; Type: TYPE; Schema: pay; Owner: payments_owner
--

CREATE TYPE pay.fact AS (
	item integer,
	turn integer,
	merchant_id text,
	checkout_id text,
	kind text,
	actor text,
	psp text,
	event_id text,
	type text,
	code text,
	token text,
	reference text,
	amount_minor bigint,
	currency text,
	request_id text,
	detail jsonb,
	outcome text
);

ALTER TYPE pay.fact OWNER TO payments_owner;

--
-- Name: filled; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.filled AS text COLLATE pg_catalog."C"
	CONSTRAINT filled_check CHECK ((VALUE <> ''::text));

ALTER DOMAIN pay.filled OWNER TO payments_owner;

--
-- Name: DOMAIN filled; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.filled IS 'Any text but the empty one';

--
-- Name: id; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.id AS text COLLATE pg_catalog."C"
	CONSTRAINT id_check CHECK (((octet_length(VALUE) >= 1) AND (octet_length(VALUE) <= 255)));

ALTER DOMAIN pay.id OWNER TO payments_owner;

--
-- Name: DOMAIN id; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.id IS '1 to 255 bytes';

--
-- Name: order_status; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.order_status AS text COLLATE pg_catalog."C"
	CONSTRAINT order_status_check CHECK ((VALUE = ANY (ARRAY['NOT_STARTED'::text, 'EXECUTING'::text, 'SUCCESS'::text, 'FAILED'::text])));

ALTER DOMAIN pay.order_status OWNER TO payments_owner;

--
-- Name: DOMAIN order_status; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.order_status IS 'design.md, "Order states"';

--
-- Name: payment_item; Type: TYPE; Schema: pay; Owner: payments_owner
--

CREATE TYPE pay.payment_item AS (
	item integer,
	merchant_id text,
	idempotency_key text,
	fingerprint bytea,
	checkout_id text,
	checkout_uuid uuid,
	handle text,
	psp text,
	nonce text,
	return_url text,
	base_url text,
	buyer_info jsonb,
	metadata jsonb,
	credit_card_info jsonb,
	currency text,
	total_minor bigint,
	expires_at timestamp with time zone,
	orders jsonb,
	ttl interval,
	lease interval,
	request_id text,
	psps text[],
	route text
);

ALTER TYPE pay.payment_item OWNER TO payments_owner;

--
-- Name: psp_list; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.psp_list AS text[] COLLATE pg_catalog."C"
	CONSTRAINT psp_list_check CHECK (((cardinality(VALUE) >= 1) AND (cardinality(VALUE) <= 8)));

ALTER DOMAIN pay.psp_list OWNER TO payments_owner;

--
-- Name: DOMAIN psp_list; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.psp_list IS 'Names of PSPs, the best first';

--
-- Name: apply_parked(text[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.apply_parked(p_merchant_id text[], p_checkout_id text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_facts fact[];
BEGIN
    v_facts := ARRAY(
        SELECT ROW(row_number() OVER (ORDER BY i.received_at, i.event_id),
            NULL, c.merchant_id, c.checkout_id,
            fact_kind(i.fact, i.amount_minor, i.currency, c.total_minor,
                      c.currency),
            'webhook', i.psp, i.event_id, i.type, i.code, i.token,
            i.reference, i.amount_minor, i.currency, i.request_id, NULL,
            NULL)::fact
        FROM (SELECT DISTINCT * FROM unnest(p_merchant_id, p_checkout_id)) AS
            u (merchant_id, checkout_id)
        JOIN registration r ON r.merchant_id = u.merchant_id
            AND r.checkout_id = u.checkout_id
        JOIN psp_token t ON t.psp = r.psp AND t.token IN (r.token, r.alias)
            AND t.merchant_id = u.merchant_id
            AND t.checkout_id = u.checkout_id
        JOIN webhook_inbox i ON i.psp = t.psp AND i.token = t.token
            AND i.state = 'parked'
        JOIN checkout c ON c.merchant_id = u.merchant_id
            AND c.checkout_id = u.checkout_id);

    IF cardinality(v_facts) > 0 THEN
        UPDATE webhook_inbox i
        SET state = f.outcome, merchant_id = f.merchant_id,
            checkout_id = f.checkout_id
        FROM unnest(record_facts(v_facts)) f
        WHERE i.psp = f.psp AND i.event_id = f.event_id;
    END IF;
END
$$;

ALTER FUNCTION pay.apply_parked(p_merchant_id text[], p_checkout_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION apply_parked(p_merchant_id text[], p_checkout_id text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.apply_parked(p_merchant_id text[], p_checkout_id text[]) IS 'Applies webhooks that waited for the tokens of these checkouts';

--
-- Name: await_tokens(pay.fact[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.await_tokens(p_facts pay.fact[], p_duplicates integer[]) RETURNS pay.fact[]
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO psp_token AS t (psp, token)
    SELECT DISTINCT f.psp, f.token
    FROM unnest(p_facts) f
    WHERE f.actor = 'webhook' AND f.checkout_id IS NULL AND f.kind <> 'none'
        AND f.item <> ALL (p_duplicates)
    ORDER BY f.psp, f.token
    ON CONFLICT (psp, token) DO UPDATE SET psp = t.psp
    WHERE t.checkout_id IS NULL;

    RETURN ARRAY(
        SELECT ROW(f.item, f.turn, t.merchant_id, t.checkout_id,
            fact_kind(f.kind, f.amount_minor, f.currency, c.total_minor,
                      c.currency),
            f.actor, f.psp, f.event_id, f.type, f.code, f.token, f.reference,
            f.amount_minor, f.currency, f.request_id, NULL, NULL)::fact
        FROM unnest(p_facts) f
        LEFT JOIN psp_token t ON t.psp = f.psp AND t.token = f.token
        LEFT JOIN checkout c ON c.merchant_id = t.merchant_id
            AND c.checkout_id = t.checkout_id);
END
$$;

ALTER FUNCTION pay.await_tokens(p_facts pay.fact[], p_duplicates integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION await_tokens(p_facts pay.fact[], p_duplicates integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.await_tokens(p_facts pay.fact[], p_duplicates integer[]) IS 'Looks unknown tokens up again, behind a lock';

--
-- Name: begin_items(pay.payment_item[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.begin_items(p_items pay.payment_item[]) RETURNS TABLE(item integer, outcome text, merchant_id text, checkout_id text)
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
DECLARE
    v_left   payment_item[] := p_items;
    v_next   payment_item[];
    v_keyed  payment_item[];
    v_placed payment_item[];
    v_made   payment_item[];
    v_item   payment_item;
    v_loss   record;
BEGIN
    WHILE cardinality(v_left) > 0 LOOP
        v_keyed := insert_keys(v_left);
        v_placed := insert_checkouts(v_keyed);
        v_made := insert_orders(v_placed);
        PERFORM insert_registrations(v_made);
        PERFORM insert_beginnings(v_made);

        RETURN QUERY
        SELECT m.item, 'created', m.merchant_id, m.checkout_id
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

ALTER FUNCTION pay.begin_items(p_items pay.payment_item[]) OWNER TO payments_owner;

--
-- Name: FUNCTION begin_items(p_items pay.payment_item[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.begin_items(p_items pay.payment_item[]) IS 'begin_payment without its shape: what became of each item';

--
-- Name: check_batch(text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.check_batch(VARIADIC p_dims text[]) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    AS $_$
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
$_$;

ALTER FUNCTION pay.check_batch(VARIADIC p_dims text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION check_batch(VARIADIC p_dims text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.check_batch(VARIADIC p_dims text[]) IS 'Raises PAY01 unless all arrays have the same dimensions';

--
-- Name: claim_tokens(text[], text[], text[], text[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.claim_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], OUT sure boolean, OUT parked boolean) RETURNS record
    LANGUAGE plpgsql
    AS $$
BEGIN
    WITH wanted AS (
        SELECT u.psp, x.name, u.merchant_id, u.checkout_id, u.n
        FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_token, p_alias)
            WITH ORDINALITY AS u (merchant_id, checkout_id, psp, token,
                                  alias, n)
        CROSS JOIN LATERAL unnest(CASE WHEN u.alias <> u.token
                                       THEN ARRAY[u.token, u.alias]
                                       ELSE ARRAY[u.token] END) x (name)
    ), claim AS (
        INSERT INTO psp_token AS t (psp, token, merchant_id, checkout_id)
        SELECT DISTINCT ON (w.psp, w.name)
            w.psp, w.name, w.merchant_id, w.checkout_id
        FROM wanted w
        CROSS JOIN LATERAL (
            SELECT r.psp, r.token FROM registration r
            WHERE r.merchant_id = w.merchant_id
                AND r.checkout_id = w.checkout_id
            OFFSET 0) r
        WHERE r.psp = w.psp AND r.token IS NULL AND w.name IS NOT NULL
        ORDER BY w.psp, w.name, w.n
        ON CONFLICT (psp, token) DO UPDATE
        SET merchant_id = EXCLUDED.merchant_id,
            checkout_id = EXCLUDED.checkout_id
        WHERE t.checkout_id IS NULL
        RETURNING t.xmax <> 0 AS parked
    )
    SELECT count(*) = (SELECT count(*) FROM wanted),
        coalesce(bool_or(c.parked), false)
    INTO sure, parked
    FROM claim c;
END
$$;

ALTER FUNCTION pay.claim_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], OUT sure boolean, OUT parked boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION claim_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], OUT sure boolean, OUT parked boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.claim_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], OUT sure boolean, OUT parked boolean) IS 'Makes tokens and aliases the property of checkouts, first wins';

--
-- Name: delete_losers(pay.payment_item[], pay.payment_item[], pay.payment_item[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.delete_losers(p_keyed pay.payment_item[], p_placed pay.payment_item[], p_made pay.payment_item[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

ALTER FUNCTION pay.delete_losers(p_keyed pay.payment_item[], p_placed pay.payment_item[], p_made pay.payment_item[]) OWNER TO payments_owner;

--
-- Name: FUNCTION delete_losers(p_keyed pay.payment_item[], p_placed pay.payment_item[], p_made pay.payment_item[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.delete_losers(p_keyed pay.payment_item[], p_placed pay.payment_item[], p_made pay.payment_item[]) IS 'Leaves nothing behind of items that collided';

--
-- Name: explain_loss(pay.payment_item); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.explain_loss(p_item pay.payment_item, OUT outcome text, OUT checkout_id text) RETURNS record
    LANGUAGE plpgsql
    AS $$
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

ALTER FUNCTION pay.explain_loss(p_item pay.payment_item, OUT outcome text, OUT checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION explain_loss(p_item pay.payment_item, OUT outcome text, OUT checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.explain_loss(p_item pay.payment_item, OUT outcome text, OUT checkout_id text) IS 'Why begin_payment did not create this item';

--
-- Name: fact_kind(text, bigint, text, bigint, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.fact_kind(p_fact text, p_amount_minor bigint, p_currency text, p_total_minor bigint, p_own_currency text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT CASE
    WHEN p_fact = 'none' THEN 'none'
    WHEN p_fact IN ('ask', 'notified') THEN 'notified'
    WHEN p_amount_minor <> p_total_minor THEN 'mismatch'
    WHEN p_currency <> p_own_currency THEN 'mismatch'
    ELSE p_fact
END
$$;

ALTER FUNCTION pay.fact_kind(p_fact text, p_amount_minor bigint, p_currency text, p_total_minor bigint, p_own_currency text) OWNER TO payments_owner;

--
-- Name: FUNCTION fact_kind(p_fact text, p_amount_minor bigint, p_currency text, p_total_minor bigint, p_own_currency text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.fact_kind(p_fact text, p_amount_minor bigint, p_currency text, p_total_minor bigint, p_own_currency text) IS 'The fact as an event''s kind, or mismatch when amount or currency is not the checkout''s';

--
-- Name: find_moves(text[], text[], text[], text[], bigint[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.find_moves(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], OUT items integer[], OUT nexts text[]) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    SELECT array_agg(m.n), array_agg(m.next) INTO items, nexts
    FROM (
        SELECT DISTINCT ON (f.next, f.nonce) f.n, f.next
        FROM (
            SELECT DISTINCT ON (r.merchant_id, r.checkout_id)
                u.n::int AS n, x.next, r.nonce
            FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_outcome,
                p_attempt) WITH ORDINALITY AS u (merchant_id, checkout_id,
                psp, outcome, attempt, n)
            CROSS JOIN LATERAL (
                SELECT r.* FROM registration r
                WHERE r.merchant_id = u.merchant_id
                    AND r.checkout_id = u.checkout_id
                OFFSET 0) r
            CROSS JOIN LATERAL (
                SELECT FROM checkout c
                WHERE c.merchant_id = u.merchant_id
                    AND c.checkout_id = u.checkout_id
                    AND c.expires_at > now()
                OFFSET 0) c
            CROSS JOIN LATERAL (
                SELECT FROM payment_order o
                WHERE o.merchant_id = u.merchant_id
                    AND o.checkout_id = u.checkout_id
                    AND o.position = 1 AND o.status = 'NOT_STARTED'
                OFFSET 0) o
            CROSS JOIN LATERAL (
                SELECT p.psp AS next
                FROM unnest(r.psps) WITH ORDINALITY AS p (psp, k)
                WHERE p.psp <> ALL (r.refused_psps || r.tried_psps)
                    AND p.psp <> r.psp
                ORDER BY p.k LIMIT 1) x
            WHERE u.outcome IS NOT NULL AND r.psp = u.psp
                AND r.state = 'REGISTERING' AND r.token IS NULL
                AND r.open_attempts = 1 AND r.attempt = u.attempt
            ORDER BY r.merchant_id, r.checkout_id, u.n) f
        CROSS JOIN LATERAL (
            SELECT count(*) AS count FROM registration t
            WHERE t.psp = f.next AND t.nonce = f.nonce
            OFFSET 0) t
        WHERE t.count = 0
        ORDER BY f.next, f.nonce, f.n) m;
END
$$;

ALTER FUNCTION pay.find_moves(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], OUT items integer[], OUT nexts text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION find_moves(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], OUT items integer[], OUT nexts text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.find_moves(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], OUT items integer[], OUT nexts text[]) IS 'Items of reroute that may move, and where to';

--
-- Name: follow_moves(pay.fact[], text[], bigint[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.follow_moves(p_facts pay.fact[], p_nexts text[], p_lease_ms bigint[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_fact fact;
BEGIN
    UPDATE checkout c
    SET psp = m.next, version = c.version + 1
    FROM unnest(p_nexts) WITH ORDINALITY AS m (next, n)
    CROSS JOIN LATERAL (
        SELECT k.ctid AS tid FROM checkout k
        WHERE k.merchant_id = p_facts[m.n].merchant_id
            AND k.checkout_id = p_facts[m.n].checkout_id
        OFFSET 0) k
    WHERE c.ctid = k.tid;

    PERFORM record_facts(p_facts);

    FOREACH v_fact IN ARRAY p_facts LOOP
        UPDATE job j
        SET lease_owner = NULL, lease_until = NULL,
            run_at = now() + make_interval(
                secs => p_lease_ms[v_fact.item] / 1000.0)
        WHERE j.merchant_id = v_fact.merchant_id
            AND j.checkout_id = v_fact.checkout_id AND j.kind = 'register';
    END LOOP;
END
$$;

ALTER FUNCTION pay.follow_moves(p_facts pay.fact[], p_nexts text[], p_lease_ms bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION follow_moves(p_facts pay.fact[], p_nexts text[], p_lease_ms bigint[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.follow_moves(p_facts pay.fact[], p_nexts text[], p_lease_ms bigint[]) IS 'What else changes with the PSP of a registration';

--
-- Name: follow_registration(); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.follow_registration() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pay', 'pg_temp'
    AS $$
DECLARE
    v_reg registration;
BEGIN
    SELECT * INTO v_reg FROM registration r
    WHERE r.merchant_id = NEW.merchant_id
        AND r.checkout_id = NEW.checkout_id;

    IF (v_reg.psp = NEW.psp AND v_reg.state = 'REGISTERING') IS NOT TRUE THEN
        RAISE EXCEPTION 'UPDATE on checkout is refused: not the PSP of its '
            'registration' USING ERRCODE = 'PAY11';
    END IF;

    RETURN NEW;
END
$$;

ALTER FUNCTION pay.follow_registration() OWNER TO payments_owner;

--
-- Name: id_ok(text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.id_ok(p_id text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$SELECT p_id IS NOT NULL AND octet_length(p_id) BETWEEN 1 AND 255$$;

ALTER FUNCTION pay.id_ok(p_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION id_ok(p_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.id_ok(p_id text) IS 'What the CHECK constraints of ids say';

--
-- Name: insert_beginnings(pay.payment_item[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.insert_beginnings(p_items pay.payment_item[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO event (merchant_id, payment_order_id, seq, at, kind, actor,
        new_status, detail, request_id)
    SELECT i.merchant_id, e ->> 'id', 1, clock_timestamp(), 'created',
        'merchant', 'NOT_STARTED', jsonb_strip_nulls(jsonb_build_object(
            'psp', i.psp, 'route', i.route)), i.request_id
    FROM unnest(p_items) i, jsonb_array_elements(i.orders) e;

    INSERT INTO job (merchant_id, checkout_id, kind, run_at)
    SELECT i.merchant_id, i.checkout_id, 'register', now() + i.lease
    FROM unnest(p_items) i;
END
$$;

ALTER FUNCTION pay.insert_beginnings(p_items pay.payment_item[]) OWNER TO payments_owner;

--
-- Name: FUNCTION insert_beginnings(p_items pay.payment_item[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.insert_beginnings(p_items pay.payment_item[]) IS 'First events and jobs of new checkouts';

--
-- Name: insert_checkouts(pay.payment_item[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.insert_checkouts(p_items pay.payment_item[]) RETURNS pay.payment_item[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_merchants text[];
    v_checkouts text[];
BEGIN
    WITH won AS (
        INSERT INTO checkout AS c (merchant_id, checkout_id, checkout_uuid,
            handle, psp, return_url, base_url, buyer_info, metadata,
            credit_card_info, currency, total_minor, expires_at)
        SELECT DISTINCT ON (i.merchant_id, i.checkout_id)
            i.merchant_id, i.checkout_id, i.checkout_uuid, i.handle, i.psp,
            i.return_url, i.base_url, i.buyer_info, i.metadata,
            i.credit_card_info, i.currency, i.total_minor, i.expires_at
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

ALTER FUNCTION pay.insert_checkouts(p_items pay.payment_item[]) OWNER TO payments_owner;

--
-- Name: FUNCTION insert_checkouts(p_items pay.payment_item[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.insert_checkouts(p_items pay.payment_item[]) IS 'Items of begin_payment whose checkout is new';

--
-- Name: insert_keys(pay.payment_item[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.insert_keys(p_items pay.payment_item[]) RETURNS pay.payment_item[]
    LANGUAGE plpgsql
    AS $$
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

ALTER FUNCTION pay.insert_keys(p_items pay.payment_item[]) OWNER TO payments_owner;

--
-- Name: FUNCTION insert_keys(p_items pay.payment_item[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.insert_keys(p_items pay.payment_item[]) IS 'Items of begin_payment that hold their idempotency key now';

--
-- Name: insert_orders(pay.payment_item[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.insert_orders(p_items pay.payment_item[]) RETURNS pay.payment_item[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_merchants text[];
    v_checkouts text[];
    v_wanted    int;
BEGIN
    WITH won AS (
        INSERT INTO payment_order AS o (merchant_id, payment_order_id,
            checkout_id, position, seller_account, amount_minor, currency)
        SELECT i.merchant_id, e.line ->> 'id', i.checkout_id, e.n,
            e.line ->> 'seller', (e.line -> 'amount')::bigint, i.currency
        FROM unnest(p_items) i,
            jsonb_array_elements(i.orders) WITH ORDINALITY AS e (line, n)
        ORDER BY i.merchant_id, e.line ->> 'id', i.item
        ON CONFLICT DO NOTHING
        RETURNING o.merchant_id, o.checkout_id
    )
    SELECT array_agg(merchant_id), array_agg(checkout_id)
    INTO v_merchants, v_checkouts
    FROM won;

    SELECT sum(jsonb_array_length(i.orders)) INTO v_wanted
    FROM unnest(p_items) i;

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

ALTER FUNCTION pay.insert_orders(p_items pay.payment_item[]) OWNER TO payments_owner;

--
-- Name: FUNCTION insert_orders(p_items pay.payment_item[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.insert_orders(p_items pay.payment_item[]) IS 'Items of begin_payment all of whose orders are new';

--
-- Name: insert_registrations(pay.payment_item[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.insert_registrations(p_items pay.payment_item[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_nonce text;
    v_count bigint;
BEGIN
    FOREACH v_nonce IN ARRAY ARRAY['given', 'uuid', 'random'] LOOP
        INSERT INTO registration (merchant_id, checkout_id, psp, nonce,
            lease_until, psps)
        SELECT i.merchant_id, i.checkout_id, i.psp, n.nonce,
            now() + i.lease, i.psps
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

ALTER FUNCTION pay.insert_registrations(p_items pay.payment_item[]) OWNER TO payments_owner;

--
-- Name: FUNCTION insert_registrations(p_items pay.payment_item[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.insert_registrations(p_items pay.payment_item[]) IS 'Registrations of new checkouts, each with a nonce of its own';

--
-- Name: insert_webhooks(pay.fact[], text[], bytea[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.insert_webhooks(p_facts pay.fact[], p_fact text[], p_digest bytea[]) RETURNS integer[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_psps   text[];
    v_events text[];
    v_wanted int;
BEGIN
    WITH won AS (
        INSERT INTO webhook_inbox AS w (psp, event_id, state, type, fact,
            token, reference, code, amount_minor, currency, digest,
            merchant_id, checkout_id, request_id)
        SELECT DISTINCT ON (f.psp, f.event_id)
            f.psp, f.event_id,
            CASE WHEN f.kind = 'none' THEN 'ignored'
                 WHEN f.checkout_id IS NULL THEN 'parked'
                 WHEN f.kind = 'mismatch' THEN 'mismatch'
                 WHEN f.kind = 'notified' THEN 'asked'
                 ELSE 'applied' END,
            f.type, p_fact[f.item], f.token, f.reference, f.code,
            f.amount_minor, f.currency, p_digest[f.item], f.merchant_id,
            f.checkout_id, f.request_id
        FROM unnest(p_facts) f
        WHERE f.actor = 'webhook'
        ORDER BY f.psp, f.event_id, f.item
        ON CONFLICT (psp, event_id) DO NOTHING
        RETURNING w.psp, w.event_id
    )
    SELECT array_agg(psp), array_agg(event_id) INTO v_psps, v_events
    FROM won;

    SELECT count(*) INTO v_wanted
    FROM unnest(p_facts) f WHERE f.actor = 'webhook';

    IF coalesce(cardinality(v_psps), 0) = v_wanted THEN
        RETURN '{}';
    END IF;

    RETURN ARRAY(
        SELECT f.item FROM unnest(p_facts) f
        WHERE f.actor = 'webhook' AND f.item NOT IN (
            SELECT min(g.item) FROM unnest(p_facts) g
            WHERE g.actor = 'webhook' AND (g.psp, g.event_id) IN (
                SELECT * FROM unnest(v_psps, v_events))
            GROUP BY g.psp, g.event_id));
END
$$;

ALTER FUNCTION pay.insert_webhooks(p_facts pay.fact[], p_fact text[], p_digest bytea[]) OWNER TO payments_owner;

--
-- Name: FUNCTION insert_webhooks(p_facts pay.fact[], p_fact text[], p_digest bytea[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.insert_webhooks(p_facts pay.fact[], p_fact text[], p_digest bytea[]) IS 'Stores webhooks once; returns the items that are duplicates';

--
-- Name: is_new_mismatch(pay.fact); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.is_new_mismatch(p_fact pay.fact) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN p_fact.actor = 'webhook' OR NOT EXISTS (
        SELECT FROM mismatch m
        WHERE m.merchant_id = p_fact.merchant_id
            AND m.checkout_id = p_fact.checkout_id
            AND m.source = p_fact.actor
            AND m.amount_minor IS NOT DISTINCT FROM p_fact.amount_minor
            AND m.currency IS NOT DISTINCT FROM p_fact.currency);
END
$$;

ALTER FUNCTION pay.is_new_mismatch(p_fact pay.fact) OWNER TO payments_owner;

--
-- Name: FUNCTION is_new_mismatch(p_fact pay.fact); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.is_new_mismatch(p_fact pay.fact) IS 'Whether people should hear of this mismatch';

--
-- Name: job; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.job (
    merchant_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    run_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner text,
    lease_until timestamp with time zone,
    code text,
    again_at timestamp with time zone,
    CONSTRAINT job_check CHECK (((lease_owner IS NULL) = (lease_until IS NULL))),
    CONSTRAINT job_check1 CHECK (((again_at IS NULL) OR (kind = 'poll'::text))),
    CONSTRAINT job_kind_check CHECK ((kind = ANY (ARRAY['register'::text, 'poll'::text])))
)
WITH (autovacuum_vacuum_scale_factor='0.02');

ALTER TABLE pay.job OWNER TO payments_owner;

--
-- Name: job_is_over(pay.job, bigint, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.job_is_over(p_job pay.job, p_delay_ms bigint, p_code text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN p_job.again_at IS NULL AND (p_delay_ms < 0 OR (
        p_job.kind = 'poll'
        AND (p_job.attempts >= 100
             OR p_code IS DISTINCT FROM 'no_answer'
                AND p_code IS DISTINCT FROM 'psp_not_configured')
        AND NOT EXISTS (
            SELECT FROM payment_order o
            WHERE o.merchant_id = p_job.merchant_id
                AND o.checkout_id = p_job.checkout_id
                AND o.status NOT IN ('SUCCESS', 'FAILED'))));
END
$$;

ALTER FUNCTION pay.job_is_over(p_job pay.job, p_delay_ms bigint, p_code text) OWNER TO payments_owner;

--
-- Name: FUNCTION job_is_over(p_job pay.job, p_delay_ms bigint, p_code text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.job_is_over(p_job pay.job, p_delay_ms bigint, p_code text) IS 'Whether a job that is given back has nothing left to do';

--
-- Name: keep_mismatches(pay.fact[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.keep_mismatches(p_facts pay.fact[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO mismatch (merchant_id, checkout_id, kind, source, psp,
        event_id, token, amount_minor, currency, own_token, total_minor,
        own_currency, request_id)
    SELECT c.merchant_id, c.checkout_id,
        CASE WHEN f.currency <> c.currency THEN 'currency'
             ELSE 'amount' END,
        f.actor, f.psp, f.event_id, f.token, f.amount_minor, f.currency,
        r.token, c.total_minor, c.currency, f.request_id
    FROM unnest(p_facts) f
    JOIN checkout c ON c.merchant_id = f.merchant_id
        AND c.checkout_id = f.checkout_id
    JOIN registration r ON r.merchant_id = f.merchant_id
        AND r.checkout_id = f.checkout_id
    WHERE f.kind = 'mismatch';
END
$$;

ALTER FUNCTION pay.keep_mismatches(p_facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION keep_mismatches(p_facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.keep_mismatches(p_facts pay.fact[]) IS 'Queues for people what a PSP said and was not believed';

--
-- Name: keep_no_token(text[], text[], text[], text[], text[], bigint[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.keep_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[]) RETURNS integer[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_facts fact[];
    v_fact  fact;
BEGIN
    v_facts := ARRAY(
        SELECT DISTINCT ON (r.merchant_id, r.checkout_id)
            ROW(u.n, NULL, r.merchant_id, r.checkout_id,
                CASE u.outcome WHEN 'unknown' THEN 'registration_unknown'
                               WHEN 'not_sent' THEN 'registration_not_sent'
                               ELSE u.outcome END,
                'gateway', r.psp, NULL, NULL, nullif(u.code, ''), NULL, NULL,
                NULL, NULL, u.request_id, NULL, NULL)::fact
        FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_outcome, p_code,
            p_request_id) WITH ORDINALITY AS u (merchant_id, checkout_id,
            psp, outcome, code, request_id, n)
        CROSS JOIN LATERAL (
            SELECT r.* FROM registration r
            WHERE r.merchant_id = u.merchant_id
                AND r.checkout_id = u.checkout_id
            OFFSET 0) r
        WHERE r.state = 'REGISTERING' AND r.psp = u.psp
            AND u.outcome IS NOT NULL
        ORDER BY r.merchant_id, r.checkout_id, u.n);

    UPDATE registration r
    SET code = f.code, lease_until = NULL, tried_psps = '{}',
        open_attempts = CASE WHEN f.kind IN ('refused',
                                             'registration_not_sent')
                             THEN greatest(r.open_attempts - 1, 0)
                             ELSE r.open_attempts END,
        state = CASE WHEN f.kind IN ('refused', 'expired') THEN 'REFUSED'
                     ELSE r.state END,
        attempt = CASE WHEN f.kind IN ('refused', 'expired') THEN r.attempt
                       ELSE r.attempt + 1 END
    FROM unnest(v_facts) f
    WHERE r.merchant_id = f.merchant_id AND r.checkout_id = f.checkout_id;

    PERFORM record_facts(v_facts);

    -- the job of an ended registration is gone by now
    FOREACH v_fact IN ARRAY v_facts LOOP
        UPDATE job j
        SET attempts = j.attempts + 1, lease_owner = NULL,
            lease_until = NULL, code = v_fact.code,
            run_at = now() + make_interval(
                secs => p_retry_after_ms[v_fact.item] / 1000.0)
        WHERE j.merchant_id = v_fact.merchant_id
            AND j.checkout_id = v_fact.checkout_id AND j.kind = 'register';
    END LOOP;

    RETURN ARRAY(SELECT f.item FROM unnest(v_facts) f);
END
$$;

ALTER FUNCTION pay.keep_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION keep_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.keep_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[]) IS 'Writes down how registrations without a token ended';

--
-- Name: keep_references(pay.fact[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.keep_references(p_facts pay.fact[], p_moved integer[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE registration r
    SET reference = x.reference
    FROM (SELECT DISTINCT ON (f.merchant_id, f.checkout_id) f.*
          FROM unnest(p_facts) f
          WHERE f.reference IS NOT NULL
              AND f.kind NOT IN ('mismatch', 'notified')
          ORDER BY f.merchant_id, f.checkout_id,
              f.item = ANY (p_moved) DESC, f.turn DESC) x
    WHERE r.merchant_id = x.merchant_id
        AND r.checkout_id = x.checkout_id
        AND (r.reference IS NULL OR x.item = ANY (p_moved));
END
$$;

ALTER FUNCTION pay.keep_references(p_facts pay.fact[], p_moved integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION keep_references(p_facts pay.fact[], p_moved integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.keep_references(p_facts pay.fact[], p_moved integer[]) IS 'Keeps the PSP''s payment id, the one that moved the order if any did';

--
-- Name: lock_checkouts(text[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.lock_checkouts(p_merchant_id text[], p_checkout_id text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

ALTER FUNCTION pay.lock_checkouts(p_merchant_id text[], p_checkout_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION lock_checkouts(p_merchant_id text[], p_checkout_id text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.lock_checkouts(p_merchant_id text[], p_checkout_id text[]) IS 'Locks the rows of a batch in key order';

--
-- Name: lock_due_jobs(integer); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
BEGIN
    SELECT array_agg(d.merchant_id ORDER BY d.run_at),
        array_agg(d.checkout_id ORDER BY d.run_at),
        array_agg(d.kind ORDER BY d.run_at)
    INTO merchants, checkouts, kinds
    FROM (
        SELECT j.merchant_id, j.checkout_id, j.kind, j.run_at
        FROM (
            SELECT j.* FROM job j
            WHERE j.run_at <= now()
                AND (j.lease_until IS NULL OR j.lease_until <= now())
            ORDER BY j.run_at
            FOR UPDATE SKIP LOCKED) j
        CROSS JOIN LATERAL (
            SELECT FROM checkout c
            WHERE c.merchant_id = j.merchant_id
                AND c.checkout_id = j.checkout_id
            FOR NO KEY UPDATE SKIP LOCKED) c
        LIMIT p_limit) d;
END
$$;

ALTER FUNCTION pay.lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[]) IS 'Jobs that may be handed out, with their checkouts locked';

--
-- Name: move_orders(pay.fact[], integer); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.move_orders(p_facts pay.fact[], p_turn integer) RETURNS integer[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_now   timestamptz := clock_timestamp();
    v_moved int[];
BEGIN
    WITH step AS (
        SELECT f.*, o.tid, o.payment_order_id, o.status AS old_status,
            next_status(o.status, f.kind) AS new_status,
            CASE WHEN next_status(o.status, f.kind) <> 'FAILED' THEN NULL
                 WHEN o.status = 'FAILED' THEN o.reason
                 WHEN f.kind = 'refused' THEN 'rejected'
                 ELSE f.kind END AS new_reason
        FROM unnest(p_facts) f
        CROSS JOIN LATERAL (
            SELECT o.ctid AS tid, o.payment_order_id, o.status, o.reason
            FROM payment_order o
            WHERE o.merchant_id = f.merchant_id
                AND o.checkout_id = f.checkout_id
            OFFSET 0) o
        WHERE f.turn = p_turn
    ), moved AS (
        UPDATE payment_order o
        SET status = s.new_status, reason = s.new_reason,
            version = o.version + 1
        FROM step s
        WHERE o.ctid = s.tid
            AND (s.new_status <> s.old_status
                 OR s.kind IN ('registered', 'registration_unknown',
                               'registration_not_sent', 'rerouted',
                               'mismatch')
                 OR s.kind = 'notified' AND s.actor = 'webhook'
                    AND s.old_status <> 'SUCCESS'
                 OR s.kind = 'pending' AND s.old_status = 'EXECUTING'
                    AND NOT EXISTS (
                        SELECT FROM event e
                        WHERE e.merchant_id = s.merchant_id
                            AND e.payment_order_id = s.payment_order_id
                            AND e.kind = 'pending'))
        RETURNING s.*, o.version
    ), logged AS (
        INSERT INTO event (merchant_id, payment_order_id, seq, at, kind,
            actor, old_status, new_status, reason, detail, request_id)
        SELECT m.merchant_id, m.payment_order_id, m.version, v_now, m.kind,
            m.actor, m.old_status, m.new_status, m.new_reason,
            jsonb_strip_nulls(jsonb_build_object('type', m.type,
                'code', m.code, 'reference', m.reference,
                'amount_minor', CASE WHEN m.kind = 'mismatch'
                                     THEN m.amount_minor END,
                'currency', CASE WHEN m.kind = 'mismatch'
                                 THEN m.currency END))
                || coalesce(m.detail, '{}'),
            m.request_id
        FROM moved m
    ), changed AS (
        SELECT DISTINCT m.item, m.merchant_id, m.checkout_id, m.kind,
            m.new_status
        FROM moved m
        WHERE m.new_status <> m.old_status
    ), counted AS (
        -- what its readers see has changed: a status, or the address that
        -- "registered" brings; "paid" takes every order to SUCCESS
        UPDATE checkout c
        SET version = c.version + 1,
            is_payment_done = c.is_payment_done OR x.kind = 'paid'
        FROM (SELECT DISTINCT m.merchant_id, m.checkout_id, m.kind
              FROM moved m
              WHERE m.new_status <> m.old_status
                  OR m.kind = 'registered') x
        CROSS JOIN LATERAL (
            SELECT k.ctid AS tid FROM checkout k
            WHERE k.merchant_id = x.merchant_id
                AND k.checkout_id = x.checkout_id
            OFFSET 0) k
        WHERE c.ctid = k.tid
    ), dropped AS (
        DELETE FROM job j
        USING (SELECT DISTINCT merchant_id, checkout_id, new_status
               FROM changed
               WHERE new_status IN ('SUCCESS', 'FAILED')) x
        CROSS JOIN LATERAL (
            SELECT k.ctid AS tid FROM job k
            WHERE k.merchant_id = x.merchant_id
                AND k.checkout_id = x.checkout_id
            OFFSET 0) k
        WHERE j.ctid = k.tid
            AND (x.new_status = 'SUCCESS' OR j.again_at IS NULL)
    )
    SELECT array_agg(DISTINCT x.item) INTO v_moved FROM changed x;

    RETURN v_moved;
END
$$;

ALTER FUNCTION pay.move_orders(p_facts pay.fact[], p_turn integer) OWNER TO payments_owner;

--
-- Name: FUNCTION move_orders(p_facts pay.fact[], p_turn integer); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.move_orders(p_facts pay.fact[], p_turn integer) IS 'Moves the orders of one turn of facts and writes their events';

--
-- Name: move_registrations(text[], text[], text[], text[], bigint[], bigint[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.move_registrations(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], p_lease_ms bigint[], OUT items integer[], OUT nexts text[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
BEGIN
    FOR v_round IN 1 .. 3 LOOP
        SELECT m.items, m.nexts INTO items, nexts
        FROM find_moves(p_merchant_id, p_checkout_id, p_psp, p_outcome,
                        p_attempt) m;

        BEGIN
            UPDATE registration r
            SET psp = m.next, attempt = r.attempt + 1, open_attempts = 1,
                code = NULL, lease_until = now() + make_interval(
                    secs => p_lease_ms[m.item] / 1000.0),
                refused_psps = CASE p_outcome[m.item] WHEN 'refused'
                    THEN r.refused_psps || p_psp[m.item]
                    ELSE r.refused_psps END,
                tried_psps = CASE p_outcome[m.item] WHEN 'not_sent'
                    THEN r.tried_psps || p_psp[m.item]
                    ELSE r.tried_psps END
            FROM unnest(items, nexts) WITH ORDINALITY AS m (item, next, n)
            CROSS JOIN LATERAL (
                SELECT k.ctid AS tid FROM registration k
                WHERE k.merchant_id = p_merchant_id[m.item]
                    AND k.checkout_id = p_checkout_id[m.item]
                OFFSET 0) k
            WHERE r.ctid = k.tid;

            RETURN;

        EXCEPTION WHEN unique_violation THEN
            items := '{}';
        END;
    END LOOP;
END
$$;

ALTER FUNCTION pay.move_registrations(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], p_lease_ms bigint[], OUT items integer[], OUT nexts text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION move_registrations(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], p_lease_ms bigint[], OUT items integer[], OUT nexts text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.move_registrations(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], p_lease_ms bigint[], OUT items integer[], OUT nexts text[]) IS 'Moves registrations of locked checkouts to the next PSP';

--
-- Name: next_status(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.next_status(p_status text, p_kind text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT CASE
    WHEN p_kind = 'paid' THEN 'SUCCESS'
    WHEN p_status IN ('SUCCESS', 'FAILED') THEN p_status
    WHEN p_kind IN ('declined', 'expired', 'cancelled', 'rejected', 'refused')
        THEN 'FAILED'
    WHEN p_kind IN ('pending', 'registered', 'registration_unknown')
        THEN 'EXECUTING'
    ELSE p_status
END
$$;

ALTER FUNCTION pay.next_status(p_status text, p_kind text) OWNER TO payments_owner;

--
-- Name: FUNCTION next_status(p_status text, p_kind text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.next_status(p_status text, p_kind text) IS 'Where an event of this kind takes an order: the state machine';

--
-- Name: order_ok(jsonb, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.order_ok(p_order jsonb, p_currency text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT CASE WHEN jsonb_typeof(p_order -> 'id') = 'string'
        AND jsonb_typeof(p_order -> 'seller') = 'string'
        AND jsonb_typeof(p_order -> 'amount') = 'number'
    THEN octet_length(p_order ->> 'id') BETWEEN 1 AND 255
        AND octet_length(p_order ->> 'seller') BETWEEN 1 AND 255
        AND (p_order -> 'amount')::numeric BETWEEN 1 AND 999999999999999
        AND scale(trim_scale((p_order -> 'amount')::numeric)) = 0
        AND coalesce(p_order ->> 'currency' = p_currency, false)
    ELSE false END
$$;

ALTER FUNCTION pay.order_ok(p_order jsonb, p_currency text) OWNER TO payments_owner;

--
-- Name: FUNCTION order_ok(p_order jsonb, p_currency text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.order_ok(p_order jsonb, p_currency text) IS 'Whether begin_payment can take this order';

--
-- Name: poll_later(text[], text[], bigint[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.poll_later(p_merchant_id text[], p_checkout_id text[], p_poll_after_ms bigint[], p_items integer[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_item   int;
    v_run_at timestamptz;
BEGIN
    FOREACH v_item IN ARRAY coalesce(p_items, '{}') LOOP
        v_run_at := now() + make_interval(
            secs => p_poll_after_ms[v_item] / 1000.0);

        UPDATE job j
        SET kind = 'poll', attempts = 0, lease_owner = NULL,
            lease_until = NULL, code = NULL, run_at = v_run_at
        WHERE j.merchant_id = p_merchant_id[v_item]
            AND j.checkout_id = p_checkout_id[v_item]
            AND j.kind = 'register';

        IF NOT FOUND THEN
            INSERT INTO job (merchant_id, checkout_id, kind, run_at)
            VALUES (p_merchant_id[v_item], p_checkout_id[v_item], 'poll',
                v_run_at)
            ON CONFLICT DO NOTHING;
        END IF;
    END LOOP;
END
$$;

ALTER FUNCTION pay.poll_later(p_merchant_id text[], p_checkout_id text[], p_poll_after_ms bigint[], p_items integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION poll_later(p_merchant_id text[], p_checkout_id text[], p_poll_after_ms bigint[], p_items integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.poll_later(p_merchant_id text[], p_checkout_id text[], p_poll_after_ms bigint[], p_items integer[]) IS 'Turns register jobs into poll jobs';

--
-- Name: poll_soon(pay.fact[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.poll_soon(p_facts pay.fact[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    WITH due AS (
        SELECT f.merchant_id, f.checkout_id, f.signed, r.hinted_at,
            CASE WHEN f.signed THEN now()
                 WHEN r.hinted_at > now() THEN r.hinted_at
                 ELSE greatest(now(), r.hinted_at + interval '5 s')
            END AS run_at
        FROM (SELECT n.merchant_id, n.checkout_id,
                  bool_or(n.actor = 'webhook') AS signed
              FROM unnest(p_facts) n
              WHERE n.kind = 'notified'
              GROUP BY n.merchant_id, n.checkout_id) f
        CROSS JOIN LATERAL (
            SELECT r.hinted_at FROM registration r
            WHERE r.merchant_id = f.merchant_id
                AND r.checkout_id = f.checkout_id
            OFFSET 0) r
        CROSS JOIN LATERAL (
            SELECT FROM payment_order o
            WHERE o.merchant_id = f.merchant_id
                AND o.checkout_id = f.checkout_id AND o.position = 1
                AND o.status IN ('EXECUTING', 'FAILED')
            OFFSET 0) o
    ), noted AS (
        UPDATE registration r
        SET hinted_at = d.run_at
        FROM due d
        WHERE r.merchant_id = d.merchant_id
            AND r.checkout_id = d.checkout_id
            AND NOT d.signed AND d.hinted_at IS DISTINCT FROM d.run_at
    )
    INSERT INTO job AS j (merchant_id, checkout_id, kind, run_at, again_at)
    SELECT d.merchant_id, d.checkout_id, 'poll', d.run_at, d.run_at
    FROM due d
    ORDER BY d.merchant_id, d.checkout_id
    ON CONFLICT (merchant_id, checkout_id, kind) DO UPDATE
    SET run_at = least(j.run_at, EXCLUDED.run_at),
        again_at = least(j.again_at, EXCLUDED.again_at)
    WHERE j.again_at IS NULL OR j.again_at > EXCLUDED.again_at;
END
$$;

ALTER FUNCTION pay.poll_soon(p_facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION poll_soon(p_facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.poll_soon(p_facts pay.fact[]) IS 'Pulls the polls forward that webhooks and hints ask for';

--
-- Name: purge(integer, interval); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.purge(p_limit integer DEFAULT 10000, p_ignored_after interval DEFAULT '90 days'::interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pay', 'pg_temp'
    AS $$
BEGIN
    DELETE FROM idempotency_key k
    WHERE k.ctid = ANY (ARRAY(
        SELECT e.ctid FROM idempotency_key e
        WHERE e.expires_at <= now()
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS idempotency_keys = ROW_COUNT;

    DELETE FROM webhook_inbox w
    WHERE w.ctid = ANY (ARRAY(
        SELECT i.ctid FROM webhook_inbox i
        WHERE (i.state = 'ignored' AND i.fact = 'none' OR i.state = 'asked')
            AND i.received_at < now() - p_ignored_after
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS ignored_webhooks = ROW_COUNT;
END
$$;

ALTER FUNCTION pay.purge(p_limit integer, p_ignored_after interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint) OWNER TO payments_owner;

--
-- Name: FUNCTION purge(p_limit integer, p_ignored_after interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.purge(p_limit integer, p_ignored_after interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint) IS 'Deletes expired idempotency keys and old webhooks that said nothing';

--
-- Name: read_facts(text[], text[], text[], text[], text[], text[], text[], text[], bigint[], text[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.read_facts(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_request_id text[]) RETURNS pay.fact[]
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN ARRAY(
        SELECT ROW(u.n, NULL, t.merchant_id, t.checkout_id,
            fact_kind(CASE WHEN u.token <> '' THEN u.fact ELSE 'none' END,
                      u.amount_minor, nullif(u.currency, ''),
                      c.total_minor, c.currency),
            u.source, u.psp, nullif(u.event_id, ''), nullif(u.type, ''),
            nullif(u.code, ''), nullif(u.token, ''), nullif(u.reference, ''),
            u.amount_minor, nullif(u.currency, ''), u.request_id, NULL,
            NULL)::fact
        FROM unnest(p_psp, p_source, p_event_id, p_type, p_fact, p_token,
            p_reference, p_code, p_amount_minor, p_currency, p_request_id)
            WITH ORDINALITY AS u (psp, source, event_id, type, fact, token,
            reference, code, amount_minor, currency, request_id, n)
        LEFT JOIN psp_token t ON t.psp = u.psp AND t.token = u.token
        LEFT JOIN checkout c ON c.merchant_id = t.merchant_id
            AND c.checkout_id = t.checkout_id
        WHERE id_ok(u.psp)
            AND CASE u.fact WHEN 'ask' THEN u.source IN ('webhook', 'hint')
                            ELSE u.source IN ('webhook', 'query', 'gateway')
                END
            AND CASE u.source WHEN 'webhook' THEN id_ok(u.event_id)
                              WHEN 'hint' THEN coalesce(u.event_id, '') = ''
                              ELSE true END
            AND u.fact IN ('none', 'pending', 'paid', 'declined', 'expired',
                           'cancelled', 'rejected', 'ask')
            AND coalesce(octet_length(u.type), 0) <= 255
            AND coalesce(octet_length(u.token), 0) <= 255
            AND coalesce(octet_length(u.reference), 0) <= 255
            AND coalesce(octet_length(u.code), 0) <= 255
            AND coalesce(octet_length(u.currency), 0) <= 16
            AND coalesce(u.amount_minor, 0) >= 0
        ORDER BY u.n);
END
$$;

ALTER FUNCTION pay.read_facts(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_request_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION read_facts(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_request_id text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.read_facts(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_request_id text[]) IS 'Items of apply_event that pass their checks';

--
-- Name: record_facts(pay.fact[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.record_facts(p_facts pay.fact[]) RETURNS pay.fact[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_facts fact[];
    v_last  int;
    v_moved int[] := '{}';
    v_wrong boolean;
    v_named boolean;
    v_asked boolean;
BEGIN
    p_facts := ARRAY(
        SELECT ROW(f.item,
            row_number() OVER (PARTITION BY f.merchant_id, f.checkout_id
                               ORDER BY f.item),
            f.merchant_id, f.checkout_id, f.kind, f.actor, f.psp, f.event_id,
            f.type, f.code, f.token, f.reference, f.amount_minor, f.currency,
            f.request_id, f.detail, NULL)::fact
        FROM unnest(p_facts) f);

    SELECT max(f.turn), bool_or(f.kind = 'mismatch'),
        bool_or(f.reference IS NOT NULL), bool_or(f.kind = 'notified')
    INTO v_last, v_wrong, v_named, v_asked
    FROM unnest(p_facts) f;

    v_facts := p_facts;
    IF v_wrong THEN
        v_facts := ARRAY(
            SELECT f FROM unnest(p_facts) f
            WHERE f.kind <> 'mismatch' OR is_new_mismatch(f));
    END IF;

    FOR v_turn IN 1 .. coalesce(v_last, 0) LOOP
        v_moved := v_moved || move_orders(v_facts, v_turn);
    END LOOP;

    IF v_wrong THEN
        PERFORM keep_mismatches(v_facts);
    END IF;

    IF v_named THEN
        PERFORM keep_references(v_facts, v_moved);
    END IF;

    IF v_asked THEN
        PERFORM poll_soon(v_facts);
    END IF;

    RETURN ARRAY(
        SELECT with_outcome(f, CASE
            WHEN f.kind = 'mismatch' THEN 'mismatch'
            WHEN f.kind = 'notified' THEN 'asked'
            WHEN f.item = ANY (v_moved) THEN 'applied'
            ELSE 'unchanged' END)
        FROM unnest(p_facts) f);
END
$$;

ALTER FUNCTION pay.record_facts(p_facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION record_facts(p_facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.record_facts(p_facts pay.fact[]) IS 'Takes facts about locked checkouts into account, in turn order';

--
-- Name: refuse_change(); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pay', 'pg_temp'
    AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = TG_ARGV[1];
END
$$;

ALTER FUNCTION pay.refuse_change() OWNER TO payments_owner;

--
-- Name: refuse_tokens(text[], text[], text[], text[], text[], text[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.refuse_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_request_id text[], p_late integer[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE psp_token t
    SET merchant_id = NULL, checkout_id = NULL
    FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_token, p_alias)
        AS u (merchant_id, checkout_id, psp, token, alias)
    JOIN registration r ON r.merchant_id = u.merchant_id
        AND r.checkout_id = u.checkout_id
    WHERE t.psp = u.psp AND t.token IN (u.token, u.alias)
        AND t.merchant_id = u.merchant_id
        AND t.checkout_id = u.checkout_id
        AND (t.psp = r.psp AND t.token IN (r.token, r.alias)) IS NOT TRUE;

    -- readers see a late token as the buyer's address
    UPDATE checkout c
    SET version = c.version + 1
    FROM unnest(p_merchant_id, p_checkout_id)
        WITH ORDINALITY AS u (merchant_id, checkout_id, n)
    WHERE u.n = ANY (p_late)
        AND c.merchant_id = u.merchant_id AND c.checkout_id = u.checkout_id;

    INSERT INTO mismatch (merchant_id, checkout_id, kind, source, psp,
        token, alias, own_token, total_minor, own_currency, request_id)
    SELECT DISTINCT ON (c.merchant_id, c.checkout_id, u.psp, u.token,
                        u.alias)
        c.merchant_id, c.checkout_id, k.kind, 'gateway', u.psp, u.token,
        u.alias, r.token, c.total_minor, c.currency, u.request_id
    FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_token, p_alias,
        p_request_id) WITH ORDINALITY AS u (merchant_id, checkout_id, psp,
        token, alias, request_id, n)
    JOIN checkout c ON c.merchant_id = u.merchant_id
        AND c.checkout_id = u.checkout_id
    JOIN registration r ON r.merchant_id = u.merchant_id
        AND r.checkout_id = u.checkout_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN u.psp <> r.psp THEN 'left_psp'
                    WHEN u.n = ANY (p_late) THEN 'late_token'
                    ELSE 'token' END AS kind) k
    WHERE u.token IS NOT NULL
        AND (NOT same_token(r.psp, r.token, r.alias, u.psp, u.token,
                            u.alias) OR u.n = ANY (p_late))
        AND NOT EXISTS (
            SELECT FROM mismatch m
            WHERE m.merchant_id = u.merchant_id
                AND m.checkout_id = u.checkout_id
                AND m.kind = k.kind AND m.psp = u.psp AND m.token = u.token
                AND m.alias IS NOT DISTINCT FROM u.alias)
    ORDER BY c.merchant_id, c.checkout_id, u.psp, u.token, u.alias, u.n;
END
$$;

ALTER FUNCTION pay.refuse_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_request_id text[], p_late integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION refuse_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_request_id text[], p_late integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.refuse_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_request_id text[], p_late integer[]) IS 'Queues tokens that contradict what is stored';

--
-- Name: same_token(text, text, text, text, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.same_token(p_own_psp text, p_own_token text, p_own_alias text, p_psp text, p_token text, p_alias text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT p_psp = p_own_psp AND coalesce(p_token = p_own_token, false)
    AND (p_alias IS NULL OR p_alias = p_token
         OR coalesce(p_alias = p_own_alias, false))
$$;

ALTER FUNCTION pay.same_token(p_own_psp text, p_own_token text, p_own_alias text, p_psp text, p_token text, p_alias text) OWNER TO payments_owner;

--
-- Name: FUNCTION same_token(p_own_psp text, p_own_token text, p_own_alias text, p_psp text, p_token text, p_alias text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.same_token(p_own_psp text, p_own_token text, p_own_alias text, p_psp text, p_token text, p_alias text) IS 'Whether a PSP has said again what is stored of a registration';

--
-- Name: set_aside(pay.fact[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.set_aside(p_facts pay.fact[], p_duplicates integer[]) RETURNS pay.fact[]
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN ARRAY(
        SELECT with_outcome(f, CASE
            WHEN f.item = ANY (p_duplicates) THEN 'duplicate'
            WHEN f.kind = 'none' OR f.actor = 'hint' THEN 'ignored'
            WHEN f.actor = 'webhook' THEN 'parked'
            ELSE 'not_found' END)
        FROM unnest(p_facts) f
        WHERE f.item = ANY (p_duplicates) OR f.kind = 'none'
            OR f.checkout_id IS NULL);
END
$$;

ALTER FUNCTION pay.set_aside(p_facts pay.fact[], p_duplicates integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION set_aside(p_facts pay.fact[], p_duplicates integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.set_aside(p_facts pay.fact[], p_duplicates integer[]) IS 'Facts that cannot move an order, with their outcome';

--
-- Name: set_tokens(text[], text[], text[], text[], text[], text[], boolean); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.set_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_sure boolean, OUT stored integer[], OUT late integer[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
BEGIN
    WITH first AS (
        SELECT DISTINCT ON (r.merchant_id, r.checkout_id)
            u.n, r.ctid AS tid, u.token, u.alias, u.hosted_url
        FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_token, p_alias,
            p_hosted_url) WITH ORDINALITY AS u (merchant_id, checkout_id,
            psp, token, alias, hosted_url, n)
        CROSS JOIN LATERAL (
            SELECT r.ctid, r.* FROM registration r
            WHERE r.merchant_id = u.merchant_id
                AND r.checkout_id = u.checkout_id
            OFFSET 0) r
        WHERE r.token IS NULL AND r.psp = u.psp AND (p_sure OR (
            SELECT count(*) FROM psp_token t
            WHERE t.psp = u.psp AND t.token IN (u.token, u.alias)
                AND t.merchant_id = r.merchant_id
                AND t.checkout_id = r.checkout_id)
            = CASE WHEN u.alias <> u.token THEN 2 ELSE 1 END)
        ORDER BY r.merchant_id, r.checkout_id, u.n
    ), done AS (
        UPDATE registration r
        SET token = f.token, alias = f.alias, lease_until = NULL,
            hosted_url = CASE WHEN r.state = 'REGISTERING'
                              THEN f.hosted_url END,
            code = CASE WHEN r.state <> 'REGISTERING' THEN r.code END,
            state = CASE WHEN r.state = 'REGISTERING' THEN 'REGISTERED'
                         ELSE r.state END
        FROM first f
        WHERE r.ctid = f.tid
        RETURNING f.n::int AS n, r.state
    )
    SELECT array_agg(d.n) FILTER (WHERE d.state = 'REGISTERED'),
        array_agg(d.n) FILTER (WHERE d.state <> 'REGISTERED')
    INTO stored, late
    FROM done d;
END
$$;

ALTER FUNCTION pay.set_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_sure boolean, OUT stored integer[], OUT late integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION set_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_sure boolean, OUT stored integer[], OUT late integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.set_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_sure boolean, OUT stored integer[], OUT late integer[]) IS 'Gives registrations their tokens, once';

--
-- Name: settle_facts(pay.fact[], boolean); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.settle_facts(p_facts pay.fact[], p_late boolean) RETURNS pay.fact[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_facts fact[];
BEGIN
    PERFORM lock_checkouts(
        ARRAY(SELECT f.merchant_id FROM unnest(p_facts) f),
        ARRAY(SELECT f.checkout_id FROM unnest(p_facts) f));

    v_facts := record_facts(p_facts);

    IF p_late OR EXISTS (
        SELECT FROM unnest(v_facts) f WHERE f.outcome = 'unchanged')
    THEN
        UPDATE webhook_inbox w
        SET state = f.outcome, merchant_id = f.merchant_id,
            checkout_id = f.checkout_id
        FROM unnest(v_facts) f
        WHERE f.actor = 'webhook' AND w.psp = f.psp
            AND w.event_id = f.event_id AND w.state <> f.outcome;
    END IF;

    RETURN v_facts;
END
$$;

ALTER FUNCTION pay.settle_facts(p_facts pay.fact[], p_late boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION settle_facts(p_facts pay.fact[], p_late boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.settle_facts(p_facts pay.fact[], p_late boolean) IS 'Takes facts about known checkouts into account';

--
-- Name: with_outcome(pay.fact, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.with_outcome(p_fact pay.fact, p_outcome text) RETURNS pay.fact
    LANGUAGE plpgsql IMMUTABLE
    AS $$
BEGIN
    p_fact.outcome := p_outcome;
    RETURN p_fact;
END
$$;

ALTER FUNCTION pay.with_outcome(p_fact pay.fact, p_outcome text) OWNER TO payments_owner;

--
-- Name: FUNCTION with_outcome(p_fact pay.fact, p_outcome text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.with_outcome(p_fact pay.fact, p_outcome text) IS 'The fact with its outcome';

--
-- Name: apply_event(text[], text[], text[], text[], text[], text[], text[], text[], bigint[], text[], bytea[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.apply_event(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_digest bytea[], p_request_id text[]) RETURNS TABLE(item integer, outcome text, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_facts      fact[];
    v_aside      fact[];
    v_valid      int[];
    v_duplicates int[];
    v_late       boolean;
BEGIN
    PERFORM check_batch(
        array_dims(p_psp), array_dims(p_source), array_dims(p_event_id),
        array_dims(p_type), array_dims(p_fact), array_dims(p_token),
        array_dims(p_reference), array_dims(p_code),
        array_dims(p_amount_minor), array_dims(p_currency),
        array_dims(p_digest), array_dims(p_request_id));

    v_facts := read_facts(p_psp, p_source, p_event_id, p_type, p_fact,
        p_token, p_reference, p_code, p_amount_minor, p_currency,
        p_request_id);
    v_valid := ARRAY(SELECT f.item FROM unnest(v_facts) f);
    v_duplicates := insert_webhooks(v_facts, p_fact, p_digest);

    v_late := EXISTS (
        SELECT FROM unnest(v_facts) f
        WHERE f.actor = 'webhook' AND f.checkout_id IS NULL
            AND f.kind <> 'none' AND f.item <> ALL (v_duplicates));
    IF v_late THEN
        v_facts := await_tokens(v_facts, v_duplicates);
    END IF;

    v_aside := set_aside(v_facts, v_duplicates);
    IF cardinality(v_aside) > 0 THEN
        v_facts := ARRAY(
            SELECT f FROM unnest(v_facts) f
            WHERE f.item NOT IN (SELECT a.item FROM unnest(v_aside) a));
    END IF;

    IF cardinality(v_facts) > 0 THEN
        v_facts := settle_facts(v_facts, v_late);
    END IF;

    RETURN QUERY
    SELECT f.item, f.outcome, s.*
    FROM unnest(v_facts || v_aside) f
    LEFT JOIN checkout_state s ON s.merchant_id = f.merchant_id
        AND s.checkout_id = f.checkout_id;

    IF cardinality(v_valid) < cardinality(p_psp) THEN
        RETURN QUERY
        SELECT n, 'invalid', s.*
        FROM generate_series(1, cardinality(p_psp)) n
        LEFT JOIN checkout_state s ON false
        WHERE n <> ALL (v_valid);
    END IF;
END
$$;

ALTER FUNCTION pay_api.apply_event(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_digest bytea[], p_request_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION apply_event(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_digest bytea[], p_request_id text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.apply_event(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_digest bytea[], p_request_id text[]) IS 'Takes PSPs'' words into account: applied, unchanged, asked, duplicate, parked, mismatch, ignored, not_found or invalid';

--
-- Name: begin_payment(text[], text[], bytea[], text[], text[], text[], text[], text[], text[], text[], jsonb[], jsonb[], jsonb[], text[], bigint[], bigint[], jsonb[], bigint[], bigint[], text[], text[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[]) RETURNS TABLE(item integer, outcome text, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $_$
#variable_conflict use_column
DECLARE
    v_items     payment_item[];
    v_item      int[];
    v_outcome   text[];
    v_merchant  text[];
    v_checkout  text[];
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_idempotency_key),
        array_dims(p_fingerprint), array_dims(p_checkout_id),
        array_dims(p_checkout_uuid), array_dims(p_handle),
        array_dims(p_psp), array_dims(p_nonce), array_dims(p_return_url),
        array_dims(p_base_url), array_dims(p_buyer_info),
        array_dims(p_metadata), array_dims(p_credit_card_info),
        array_dims(p_currency), array_dims(p_total_minor),
        array_dims(p_expires_s), array_dims(p_orders), array_dims(p_ttl_s),
        array_dims(p_lease_ms), array_dims(p_request_id),
        array_dims(p_psps), array_dims(p_route));

    v_items := ARRAY(
        SELECT ROW(u.n, u.merchant_id, u.key, u.fingerprint, u.checkout_id,
            u.uuid, u.handle, u.psp, u.nonce, u.return_url, u.base_url,
            u.buyer_info, u.metadata, u.credit_card_info, u.currency,
            u.total_minor, to_timestamp(u.expires_s), u.orders,
            make_interval(secs => u.ttl_s),
            make_interval(secs => u.lease_ms / 1000.0),
            u.request_id, l.psps, nullif(u.route, ''))::payment_item
        FROM unnest(p_merchant_id, p_idempotency_key, p_fingerprint,
            p_checkout_id, p_checkout_uuid, p_handle, p_psp, p_nonce,
            p_return_url, p_base_url, p_buyer_info, p_metadata,
            p_credit_card_info, p_currency, p_total_minor, p_expires_s,
            p_orders, p_ttl_s, p_lease_ms, p_request_id, p_psps, p_route)
            WITH ORDINALITY AS u (merchant_id, key, fingerprint,
            checkout_id, uuid, handle, psp, nonce, return_url, base_url,
            buyer_info, metadata, credit_card_info, currency, total_minor,
            expires_s, orders, ttl_s, lease_ms, request_id, psps, route, n)
        JOIN currency k ON k.code = u.currency
        CROSS JOIN LATERAL (
            SELECT CASE WHEN u.psps <> '' THEN string_to_array(u.psps, ' ')
                        ELSE ARRAY[u.psp] END AS psps
            OFFSET 0) l
        CROSS JOIN LATERAL (
            SELECT count(*) AS count,
                bool_and(order_ok(e, u.currency)) AS ok,
                sum(CASE WHEN jsonb_typeof(e -> 'amount') = 'number'
                         THEN (e -> 'amount')::numeric END) AS total
            FROM jsonb_array_elements(CASE jsonb_typeof(u.orders)
                WHEN 'array' THEN u.orders ELSE '[]' END) e
            ) o
        WHERE id_ok(u.merchant_id) AND id_ok(u.key) AND id_ok(u.checkout_id)
            AND id_ok(u.handle) AND id_ok(u.psp) AND id_ok(u.nonce)
            AND octet_length(u.fingerprint) = 32
            AND u.uuid ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
            AND octet_length(u.return_url) BETWEEN 1 AND 8192
            AND octet_length(u.base_url) BETWEEN 1 AND 8192
            AND u.total_minor > 0
            AND u.expires_s BETWEEN 1 AND 253402300799
            AND u.ttl_s BETWEEN 1 AND 315360000
            AND u.lease_ms BETWEEN 0 AND 86400000
            AND u.psp = ANY (l.psps) AND cardinality(l.psps) <= 8
            AND (SELECT bool_and(id_ok(p)) FROM unnest(l.psps) p)
            AND coalesce(octet_length(u.route), 0) <= 1000
            AND o.count BETWEEN 1 AND 20 AND o.ok
            AND o.total = u.total_minor
            AND CASE WHEN o.count > 1 THEN (
                SELECT count(DISTINCT e -> 'id') = o.count
                FROM jsonb_array_elements(u.orders) e) ELSE true END
        ORDER BY u.n);

    -- in a statement of its own: the next one sees what this one wrote
    SELECT array_agg(b.item), array_agg(b.outcome), array_agg(b.merchant_id),
        array_agg(b.checkout_id)
    INTO v_item, v_outcome, v_merchant, v_checkout
    FROM begin_items(v_items) b;

    RETURN QUERY
    SELECT b.item, b.outcome, s.*
    FROM unnest(v_item, v_outcome, v_merchant, v_checkout)
        AS b (item, outcome, merchant_id, checkout_id)
    LEFT JOIN checkout_state s
        ON b.outcome IN ('created', 'replayed', 'exists')
        AND s.merchant_id = b.merchant_id AND s.checkout_id = b.checkout_id;

    IF cardinality(v_items) < cardinality(p_merchant_id) THEN
        RETURN QUERY
        SELECT n, 'invalid', s.*
        FROM generate_series(1, cardinality(p_merchant_id)) n
        LEFT JOIN checkout_state s ON false
        WHERE n NOT IN (SELECT i.item FROM unnest(v_items) i);
    END IF;
END
$_$;

ALTER FUNCTION pay_api.begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[]) IS 'Creates checkouts: created, replayed, in_progress, key_reused, exists or invalid';

--
-- Name: claim_jobs(text[], bigint[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.claim_jobs(p_owner text[], p_lease_ms bigint[]) RETURNS TABLE(item integer, outcome text, kind text, attempts bigint, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_slots int[];
    v_due   record;
BEGIN
    PERFORM check_batch(array_dims(p_owner), array_dims(p_lease_ms));

    v_slots := ARRAY(
        SELECT u.n FROM unnest(p_owner, p_lease_ms)
            WITH ORDINALITY AS u (owner, lease_ms, n)
        WHERE id_ok(u.owner) AND u.lease_ms BETWEEN 1 AND 86400000
        ORDER BY u.n);

    v_due := lock_due_jobs(cardinality(v_slots));
    v_slots := v_slots[:coalesce(cardinality(v_due.kinds), 0)];

    UPDATE job j
    SET attempts = j.attempts + 1, lease_owner = p_owner[k.slot],
        lease_until = now() + make_interval(
            secs => p_lease_ms[k.slot] / 1000.0), again_at = NULL
    FROM unnest(v_due.merchants, v_due.checkouts, v_due.kinds, v_slots)
        AS d (merchant_id, checkout_id, kind, slot)
    CROSS JOIN LATERAL (
        SELECT k.ctid AS tid, d.slot FROM job k
        WHERE k.merchant_id = d.merchant_id
            AND k.checkout_id = d.checkout_id AND k.kind = d.kind
        OFFSET 0) k
    WHERE j.ctid = k.tid;

    UPDATE registration r
    SET open_attempts = r.open_attempts + 1
    FROM unnest(v_due.merchants, v_due.checkouts, v_due.kinds)
        AS d (merchant_id, checkout_id, kind)
    CROSS JOIN LATERAL (
        SELECT k.ctid AS tid FROM registration k
        WHERE k.merchant_id = d.merchant_id
            AND k.checkout_id = d.checkout_id
        OFFSET 0) k
    WHERE d.kind = 'register' AND r.ctid = k.tid;

    RETURN QUERY
    SELECT d.slot, 'job', d.kind, j.attempts::bigint, s.*
    FROM unnest(v_due.merchants, v_due.checkouts, v_due.kinds, v_slots)
        AS d (merchant_id, checkout_id, kind, slot)
    CROSS JOIN LATERAL (
        SELECT j.attempts FROM job j
        WHERE j.merchant_id = d.merchant_id
            AND j.checkout_id = d.checkout_id AND j.kind = d.kind
        OFFSET 0) j
    JOIN checkout_state s ON s.merchant_id = d.merchant_id
        AND s.checkout_id = d.checkout_id;

    RETURN QUERY
    SELECT n, CASE WHEN id_ok(p_owner[n])
                       AND p_lease_ms[n] BETWEEN 1 AND 86400000
                   THEN 'none' ELSE 'invalid' END,
        NULL, NULL::bigint, s.*
    FROM generate_series(1, cardinality(p_owner)) n
    LEFT JOIN checkout_state s ON false
    WHERE n <> ALL (v_slots);
END
$$;

ALTER FUNCTION pay_api.claim_jobs(p_owner text[], p_lease_ms bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION claim_jobs(p_owner text[], p_lease_ms bigint[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.claim_jobs(p_owner text[], p_lease_ms bigint[]) IS 'Fills free slots with due jobs under a lease: job, none or invalid';

--
-- Name: finish_job(text[], text[], text[], text[], bigint[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_owner text[], p_delay_ms bigint[], p_code text[]) RETURNS TABLE(item integer, outcome text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_mine int[];
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_kind), array_dims(p_owner), array_dims(p_delay_ms),
        array_dims(p_code));
    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    -- a twin in the batch gets its first's result
    v_mine := ARRAY(
        SELECT u.n FROM unnest(p_merchant_id, p_checkout_id, p_kind,
            p_owner, p_delay_ms, p_code) WITH ORDINALITY AS u (merchant_id,
            checkout_id, kind, owner, delay_ms, code, n)
        CROSS JOIN LATERAL (
            SELECT j.lease_owner FROM job j
            WHERE j.merchant_id = u.merchant_id
                AND j.checkout_id = u.checkout_id AND j.kind = u.kind
            OFFSET 0) j
        WHERE j.lease_owner = u.owner AND u.delay_ms <= 31536000000
            AND coalesce(octet_length(u.code), 0) <= 255
        ORDER BY u.n);

    WITH first AS (
        SELECT f.n, j.tid, job_is_over(j.job, p_delay_ms[f.n],
                                       p_code[f.n]) AS over
        FROM (
            SELECT DISTINCT ON (p_merchant_id[n], p_checkout_id[n],
                                p_kind[n]) n
            FROM unnest(v_mine) n
            ORDER BY p_merchant_id[n], p_checkout_id[n], p_kind[n], n) f
        CROSS JOIN LATERAL (
            SELECT j.ctid AS tid, j AS job FROM job j
            WHERE j.merchant_id = p_merchant_id[f.n]
                AND j.checkout_id = p_checkout_id[f.n]
                AND j.kind = p_kind[f.n]
            OFFSET 0) j
    ), later AS (
        UPDATE job j
        SET run_at = least(j.again_at, now() + make_interval(
                secs => p_delay_ms[f.n] / 1000.0)),
            lease_owner = NULL, lease_until = NULL,
            code = nullif(p_code[f.n], '')
        FROM first f
        WHERE NOT f.over AND j.ctid = f.tid
    )
    DELETE FROM job j
    USING first f
    WHERE f.over AND j.ctid = f.tid;

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN u.n = ANY (v_mine) THEN 'done'
             WHEN id_ok(u.merchant_id) AND id_ok(u.checkout_id)
                 AND u.kind IN ('register', 'poll') AND id_ok(u.owner)
                 AND u.delay_ms <= 31536000000
                 AND coalesce(octet_length(u.code), 0) <= 255 THEN 'gone'
             ELSE 'invalid' END
    FROM unnest(p_merchant_id, p_checkout_id, p_kind, p_owner, p_delay_ms,
        p_code) WITH ORDINALITY AS u (merchant_id, checkout_id, kind, owner,
        delay_ms, code, n);
END
$$;

ALTER FUNCTION pay_api.finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_owner text[], p_delay_ms bigint[], p_code text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_owner text[], p_delay_ms bigint[], p_code text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_owner text[], p_delay_ms bigint[], p_code text[]) IS 'Puts a leased job off or drops it: done, gone or invalid';

--
-- Name: get_checkout(text[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.get_checkout(p_merchant_id text[], p_checkout_id text[]) RETURNS TABLE(item integer, outcome text, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
                        array_dims(p_checkout_id));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN s.checkout_id IS NULL THEN 'not_found' ELSE 'found' END,
        s.*
    FROM unnest(p_merchant_id, p_checkout_id)
        WITH ORDINALITY AS u (merchant_id, checkout_id, n)
    LEFT JOIN checkout_state s ON s.merchant_id = u.merchant_id
        AND s.checkout_id = u.checkout_id;
END
$$;

ALTER FUNCTION pay_api.get_checkout(p_merchant_id text[], p_checkout_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION get_checkout(p_merchant_id text[], p_checkout_id text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.get_checkout(p_merchant_id text[], p_checkout_id text[]) IS 'A checkout with its orders: found or not_found';

--
-- Name: get_events(text[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.get_events(p_merchant_id text[], p_payment_order_id text[]) RETURNS TABLE(item integer, outcome text, events text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
                        array_dims(p_payment_order_id));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN l.events IS NULL THEN 'not_found' ELSE 'found' END,
        l.events
    FROM unnest(p_merchant_id, p_payment_order_id)
        WITH ORDINALITY AS u (merchant_id, payment_order_id, n)
    CROSS JOIN LATERAL (
        SELECT json_agg(json_build_object('seq', e.seq,
                'at', to_char(e.at AT TIME ZONE 'UTC',
                              'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                'kind', e.kind, 'actor', e.actor,
                'old_status', e.old_status, 'new_status', e.new_status,
                'reason', e.reason, 'detail', e.detail,
                'request_id', e.request_id) ORDER BY e.seq)::text AS events
        FROM (SELECT * FROM event e
              WHERE e.merchant_id = u.merchant_id
                  AND e.payment_order_id = u.payment_order_id
              ORDER BY e.seq DESC LIMIT 1000) e
        ) l;
END
$$;

ALTER FUNCTION pay_api.get_events(p_merchant_id text[], p_payment_order_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION get_events(p_merchant_id text[], p_payment_order_id text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.get_events(p_merchant_id text[], p_payment_order_id text[]) IS 'An order''s timeline, oldest first, at most its newest 1000 events: found or not_found';

--
-- Name: get_handle(text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.get_handle(p_handle text[]) RETURNS TABLE(item integer, outcome text, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    PERFORM check_batch(array_dims(p_handle));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN s.checkout_id IS NULL THEN 'not_found' ELSE 'found' END,
        s.*
    FROM unnest(p_handle) WITH ORDINALITY AS u (handle, n)
    LEFT JOIN checkout c ON c.handle = u.handle
    LEFT JOIN checkout_state s ON s.merchant_id = c.merchant_id
        AND s.checkout_id = c.checkout_id;
END
$$;

ALTER FUNCTION pay_api.get_handle(p_handle text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION get_handle(p_handle text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.get_handle(p_handle text[]) IS 'The checkout behind a buyer''s address: found or not_found';

--
-- Name: get_payment(text[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.get_payment(p_merchant_id text[], p_payment_order_id text[]) RETURNS TABLE(item integer, outcome text, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
                        array_dims(p_payment_order_id));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN s.checkout_id IS NULL THEN 'not_found' ELSE 'found' END,
        s.*
    FROM unnest(p_merchant_id, p_payment_order_id)
        WITH ORDINALITY AS u (merchant_id, payment_order_id, n)
    LEFT JOIN payment_order o ON o.merchant_id = u.merchant_id
        AND o.payment_order_id = u.payment_order_id
    LEFT JOIN checkout_state s ON s.merchant_id = o.merchant_id
        AND s.checkout_id = o.checkout_id;
END
$$;

ALTER FUNCTION pay_api.get_payment(p_merchant_id text[], p_payment_order_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION get_payment(p_merchant_id text[], p_payment_order_id text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.get_payment(p_merchant_id text[], p_payment_order_id text[]) IS 'The checkout that an order is part of: found or not_found';

--
-- Name: ready(); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.ready() RETURNS TABLE(state text, schema_version text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
SELECT 'ok', max(substring(m.file FROM '^migrations/([0-9]{4})_'))
FROM schema_migration m
$$;

ALTER FUNCTION pay_api.ready() OWNER TO payments_owner;

--
-- Name: FUNCTION ready(); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.ready() IS 'ok and the number of the newest migration, for /readyz';

--
-- Name: reroute(text[], text[], text[], text[], text[], bigint[], text[], bigint[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[]) RETURNS TABLE(item integer, outcome text, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_outcome text[];
    v_move    record;
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_psp), array_dims(p_outcome), array_dims(p_code),
        array_dims(p_lease_ms), array_dims(p_request_id),
        array_dims(p_attempt));

    -- a bad item has no outcome from here on
    v_outcome := ARRAY(
        SELECT CASE WHEN id_ok(u.merchant_id) AND id_ok(u.checkout_id)
                        AND id_ok(u.psp)
                        AND u.outcome IN ('not_sent', 'refused')
                        AND coalesce(octet_length(u.code), 0) <= 255
                        AND u.lease_ms BETWEEN 1 AND 86400000
                        AND u.attempt >= 1
                    THEN u.outcome END
        FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_outcome, p_code,
            p_lease_ms, p_attempt) WITH ORDINALITY AS u (merchant_id,
            checkout_id, psp, outcome, code, lease_ms, attempt, n)
        ORDER BY u.n);

    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    v_move := move_registrations(p_merchant_id, p_checkout_id, p_psp,
                                 v_outcome, p_attempt, p_lease_ms);

    IF cardinality(v_move.items) > 0 THEN
        PERFORM follow_moves(ARRAY(
            SELECT ROW(m.item, NULL, p_merchant_id[m.item],
                p_checkout_id[m.item], 'rerouted', 'gateway', p_psp[m.item],
                NULL, NULL, nullif(p_code[m.item], ''), NULL, NULL, NULL,
                NULL, p_request_id[m.item], jsonb_build_object(
                    'from', p_psp[m.item], 'to', m.next,
                    'why', v_outcome[m.item]), NULL)::fact
            FROM unnest(v_move.items, v_move.nexts)
                WITH ORDINALITY AS m (item, next, n)
            ORDER BY m.n), v_move.nexts, p_lease_ms);
    END IF;

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN u.outcome IS NULL THEN 'invalid'
             WHEN s.checkout_id IS NULL THEN 'not_found'
             WHEN u.n = ANY (v_move.items) THEN 'rerouted'
             ELSE 'stays' END,
        s.*
    FROM unnest(p_merchant_id, p_checkout_id, v_outcome)
        WITH ORDINALITY AS u (merchant_id, checkout_id, outcome, n)
    LEFT JOIN checkout_state s ON u.outcome IS NOT NULL
        AND s.merchant_id = u.merchant_id AND s.checkout_id = u.checkout_id;
END
$$;

ALTER FUNCTION pay_api.reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[]) IS 'Moves registrations on of which nothing can have happened: rerouted, stays, not_found or invalid';

--
-- Name: store_no_token(text[], text[], text[], text[], text[], bigint[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[]) RETURNS TABLE(item integer, outcome text, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_outcome text[];
    v_first   int[];
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_psp), array_dims(p_outcome), array_dims(p_code),
        array_dims(p_retry_after_ms), array_dims(p_request_id));

    -- a bad item has no outcome from here on
    v_outcome := ARRAY(
        SELECT CASE WHEN id_ok(u.merchant_id) AND id_ok(u.checkout_id)
                        AND id_ok(u.psp) AND u.outcome IN ('refused', 'expired', 'not_sent',
                                          'unknown')
                        AND coalesce(octet_length(u.code), 0) <= 255
                        AND (u.after_ms BETWEEN 0 AND 31536000000
                             OR u.outcome IN ('refused', 'expired'))
                    THEN u.outcome END
        FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_outcome, p_code,
            p_retry_after_ms) WITH ORDINALITY AS u (merchant_id, checkout_id,
            psp, outcome, code, after_ms, n)
        ORDER BY u.n);

    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    v_first := keep_no_token(p_merchant_id, p_checkout_id, p_psp, v_outcome,
                             p_code, p_retry_after_ms, p_request_id);

    -- a twin in the batch gets its first's result
    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN u.outcome IS NULL THEN 'invalid'
             WHEN s.checkout_id IS NULL THEN 'not_found'
             WHEN u.n = ANY (v_first) OR EXISTS (
                 SELECT FROM unnest(v_first) f
                 WHERE p_merchant_id[f] = u.merchant_id
                     AND p_checkout_id[f] = u.checkout_id
                     AND p_psp[f] = u.psp) THEN 'stored'
             ELSE 'already' END,
        s.*
    FROM unnest(p_merchant_id, p_checkout_id, p_psp, v_outcome)
        WITH ORDINALITY AS u (merchant_id, checkout_id, psp, outcome, n)
    LEFT JOIN checkout_state s ON u.outcome IS NOT NULL
        AND s.merchant_id = u.merchant_id AND s.checkout_id = u.checkout_id;
END
$$;

ALTER FUNCTION pay_api.store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[]) IS 'Notes that a registration brought no token: stored, already, not_found or invalid';

--
-- Name: store_token(text[], text[], text[], text[], text[], text[], bigint[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.store_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_poll_after_ms bigint[], p_request_id text[]) RETURNS TABLE(item integer, outcome text, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_token  text[];
    v_alias  text[];
    v_stored int[];
    v_late   int[];
    v_claim  record;
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_psp), array_dims(p_token), array_dims(p_alias),
        array_dims(p_hosted_url), array_dims(p_poll_after_ms),
        array_dims(p_request_id));

    -- a bad item has no token from here on
    v_alias := ARRAY(
        SELECT nullif(u.alias, '')
        FROM unnest(p_alias) WITH ORDINALITY AS u (alias, n)
        ORDER BY u.n);
    v_token := ARRAY(
        SELECT CASE WHEN id_ok(u.merchant_id) AND id_ok(u.checkout_id)
                        AND id_ok(u.psp) AND id_ok(u.token)
                        AND coalesce(octet_length(u.alias), 0) <= 255
                        AND octet_length(u.hosted_url) BETWEEN 1 AND 8192
                        AND u.after_ms BETWEEN 0 AND 31536000000
                    THEN u.token END
        FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_token, p_alias,
            p_hosted_url, p_poll_after_ms) WITH ORDINALITY AS u (merchant_id,
            checkout_id, psp, token, alias, hosted_url, after_ms, n)
        ORDER BY u.n);

    v_claim := claim_tokens(p_merchant_id, p_checkout_id, p_psp, v_token,
                            v_alias);
    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    SELECT t.stored, t.late INTO v_stored, v_late
    FROM set_tokens(p_merchant_id, p_checkout_id, p_psp, v_token, v_alias,
        p_hosted_url, v_claim.sure) t;

    PERFORM record_facts(ARRAY(
        SELECT ROW(u.n, NULL, u.merchant_id, u.checkout_id, 'registered',
            'gateway', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
            u.request_id, NULL, NULL)::fact
        FROM unnest(p_merchant_id, p_checkout_id, p_request_id)
            WITH ORDINALITY AS u (merchant_id, checkout_id, request_id, n)
        WHERE u.n = ANY (v_stored)));
    PERFORM poll_later(p_merchant_id, p_checkout_id, p_poll_after_ms,
                       v_stored);

    IF v_claim.parked THEN
        PERFORM apply_parked(p_merchant_id, p_checkout_id);
    END IF;

    IF cardinality(v_stored) IS DISTINCT FROM cardinality(v_token) THEN
        PERFORM refuse_tokens(p_merchant_id, p_checkout_id, p_psp, v_token,
                              v_alias, p_request_id, v_late);
    END IF;

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN u.token IS NULL THEN 'invalid'
             WHEN s.checkout_id IS NULL THEN 'not_found'
             WHEN u.n = ANY (v_stored) THEN 'stored'
             WHEN u.n = ANY (v_late) THEN 'mismatch'
             WHEN same_token(s.psp, s.token, s.alias, u.psp, u.token,
                             u.alias) THEN 'already'
             ELSE 'mismatch' END,
        s.*
    FROM unnest(p_merchant_id, p_checkout_id, p_psp, v_token, v_alias)
        WITH ORDINALITY AS u (merchant_id, checkout_id, psp, token, alias, n)
    LEFT JOIN checkout_state s ON u.token IS NOT NULL
        AND s.merchant_id = u.merchant_id AND s.checkout_id = u.checkout_id;
END
$$;

ALTER FUNCTION pay_api.store_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_poll_after_ms bigint[], p_request_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION store_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_poll_after_ms bigint[], p_request_id text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.store_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_poll_after_ms bigint[], p_request_id text[]) IS 'Keeps the PSP''s token and alias, first wins: stored, already, mismatch, not_found or invalid';

--
-- Name: checkout; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.checkout (
    merchant_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    checkout_uuid uuid NOT NULL,
    handle pay.id NOT NULL,
    psp pay.id NOT NULL,
    return_url pay.filled NOT NULL,
    base_url pay.filled NOT NULL,
    buyer_info jsonb,
    metadata jsonb,
    credit_card_info jsonb,
    currency text NOT NULL COLLATE pg_catalog."C",
    total_minor bigint NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    is_payment_done boolean DEFAULT false NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT checkout_currency_check CHECK ((octet_length(currency) = 3)),
    CONSTRAINT checkout_total_minor_check CHECK ((total_minor > 0))
)
WITH (fillfactor='80', autovacuum_analyze_threshold='1000', autovacuum_vacuum_threshold='1000');

ALTER TABLE pay.checkout OWNER TO payments_owner;

--
-- Name: payment_order; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.payment_order (
    merchant_id pay.id NOT NULL,
    payment_order_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    "position" integer NOT NULL,
    seller_account pay.filled NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL COLLATE pg_catalog."C",
    status pay.order_status DEFAULT 'NOT_STARTED'::text NOT NULL,
    reason text COLLATE pg_catalog."C",
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT payment_order_amount_minor_check CHECK (((amount_minor >= 1) AND (amount_minor <= '999999999999999'::bigint))),
    CONSTRAINT payment_order_check CHECK ((((status)::text = 'FAILED'::text) = (reason IS NOT NULL))),
    CONSTRAINT payment_order_currency_check CHECK ((octet_length(currency) = 3)),
    CONSTRAINT payment_order_position_check CHECK (("position" >= 1)),
    CONSTRAINT payment_order_reason_check CHECK ((reason = ANY (ARRAY['declined'::text, 'expired'::text, 'cancelled'::text, 'rejected'::text, 'risk'::text])))
)
WITH (fillfactor='80', autovacuum_analyze_threshold='1000', autovacuum_vacuum_threshold='1000');

ALTER TABLE pay.payment_order OWNER TO payments_owner;

--
-- Name: registration; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.registration (
    merchant_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    psp pay.id NOT NULL,
    nonce pay.id NOT NULL,
    state text DEFAULT 'REGISTERING'::text NOT NULL COLLATE pg_catalog."C",
    attempt integer DEFAULT 1 NOT NULL,
    token pay.id,
    alias pay.id,
    hosted_url text,
    reference text,
    code text,
    lease_until timestamp with time zone,
    psps pay.psp_list NOT NULL,
    refused_psps text[] DEFAULT '{}'::text[] NOT NULL COLLATE pg_catalog."C",
    tried_psps text[] DEFAULT '{}'::text[] NOT NULL COLLATE pg_catalog."C",
    open_attempts integer DEFAULT 1 NOT NULL,
    hinted_at timestamp with time zone,
    CONSTRAINT registration_attempt_check CHECK ((attempt >= 1)),
    CONSTRAINT registration_check CHECK (((state <> 'REGISTERED'::text) OR ((token IS NOT NULL) AND (hosted_url IS NOT NULL)))),
    CONSTRAINT registration_check1 CHECK (((state <> 'REGISTERING'::text) OR (token IS NULL))),
    CONSTRAINT registration_check2 CHECK (((alias IS NULL) OR (token IS NOT NULL))),
    CONSTRAINT registration_open_attempts_check CHECK ((open_attempts >= 0)),
    CONSTRAINT registration_state_check CHECK ((state = ANY (ARRAY['REGISTERING'::text, 'REGISTERED'::text, 'REFUSED'::text])))
)
WITH (fillfactor='80', autovacuum_analyze_threshold='1000', autovacuum_vacuum_threshold='1000');

ALTER TABLE pay.registration OWNER TO payments_owner;

--
-- Name: checkout_state; Type: VIEW; Schema: pay; Owner: payments_owner
--

CREATE VIEW pay.checkout_state AS
 SELECT (c.merchant_id)::text AS merchant_id,
    (c.checkout_id)::text AS checkout_id,
    (c.checkout_uuid)::text AS checkout_uuid,
    (c.psp)::text AS psp,
    (r.nonce)::text AS nonce,
    (c.handle)::text AS handle,
    (r.token)::text AS token,
    (r.alias)::text AS alias,
    r.hosted_url,
    (c.return_url)::text AS return_url,
    (c.base_url)::text AS base_url,
    c.currency,
    c.total_minor,
    (EXTRACT(epoch FROM c.expires_at))::bigint AS expires_s,
    r.state AS registration_state,
    (r.attempt)::bigint AS attempt,
    r.code,
    (c.version)::bigint AS version,
    ( SELECT (json_agg(json_build_object('id', o.payment_order_id, 'seller', o.seller_account, 'amount', o.amount_minor, 'currency', o.currency, 'status', o.status, 'reason', o.reason) ORDER BY o."position"))::text AS json_agg
           FROM pay.payment_order o
          WHERE (((o.merchant_id)::text = (c.merchant_id)::text) AND ((o.checkout_id)::text = (c.checkout_id)::text))) AS orders
   FROM (pay.checkout c
     JOIN pay.registration r ON ((((r.merchant_id)::text = (c.merchant_id)::text) AND ((r.checkout_id)::text = (c.checkout_id)::text))));

ALTER TABLE pay.checkout_state OWNER TO payments_owner;

--
-- Name: VIEW checkout_state; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON VIEW pay.checkout_state IS 'A checkout as the operations return it, its orders as a JSON text';

--
-- Name: currency; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.currency (
    code text NOT NULL COLLATE pg_catalog."C",
    exponent integer NOT NULL,
    CONSTRAINT currency_code_check CHECK ((code ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT currency_exponent_check CHECK ((exponent = ANY (ARRAY[0, 2, 3, 4])))
);

ALTER TABLE pay.currency OWNER TO payments_owner;

--
-- Name: event; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.event (
    merchant_id pay.id NOT NULL,
    payment_order_id pay.id NOT NULL,
    seq integer NOT NULL,
    at timestamp with time zone NOT NULL,
    kind pay.filled NOT NULL,
    actor text NOT NULL COLLATE pg_catalog."C",
    old_status pay.order_status,
    new_status pay.order_status NOT NULL,
    reason text COLLATE pg_catalog."C",
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    request_id text,
    CONSTRAINT event_actor_check CHECK ((actor = ANY (ARRAY['merchant'::text, 'gateway'::text, 'webhook'::text, 'query'::text]))),
    CONSTRAINT event_check CHECK (((seq = 1) = (old_status IS NULL))),
    CONSTRAINT event_seq_check CHECK ((seq >= 1))
)
WITH (autovacuum_analyze_threshold='1000');

ALTER TABLE pay.event OWNER TO payments_owner;

--
-- Name: idempotency_key; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.idempotency_key (
    merchant_id pay.id NOT NULL,
    route text NOT NULL COLLATE pg_catalog."C",
    key pay.id NOT NULL,
    fingerprint bytea NOT NULL,
    checkout_id pay.id NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT idempotency_key_fingerprint_check CHECK ((octet_length(fingerprint) = 32))
)
WITH (autovacuum_analyze_threshold='1000', autovacuum_vacuum_threshold='1000');

ALTER TABLE pay.idempotency_key OWNER TO payments_owner;

--
-- Name: mismatch; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.mismatch (
    merchant_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    mismatch_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    source text NOT NULL COLLATE pg_catalog."C",
    psp pay.id NOT NULL,
    event_id text COLLATE pg_catalog."C",
    token pay.id,
    alias pay.id,
    amount_minor bigint,
    currency text COLLATE pg_catalog."C",
    own_token text COLLATE pg_catalog."C",
    total_minor bigint NOT NULL,
    own_currency text NOT NULL COLLATE pg_catalog."C",
    request_id text,
    CONSTRAINT mismatch_kind_check CHECK ((kind = ANY (ARRAY['amount'::text, 'currency'::text, 'token'::text, 'late_token'::text, 'left_psp'::text])))
);

ALTER TABLE pay.mismatch OWNER TO payments_owner;

--
-- Name: mismatch_mismatch_id_seq; Type: SEQUENCE; Schema: pay; Owner: payments_owner
--

ALTER TABLE pay.mismatch ALTER COLUMN mismatch_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.mismatch_mismatch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: psp_token; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.psp_token (
    psp pay.id NOT NULL,
    token pay.id NOT NULL,
    merchant_id pay.id,
    checkout_id pay.id,
    CONSTRAINT psp_token_check CHECK (((merchant_id IS NULL) = (checkout_id IS NULL)))
)
WITH (autovacuum_analyze_threshold='1000', autovacuum_vacuum_threshold='1000');

ALTER TABLE pay.psp_token OWNER TO payments_owner;

--
-- Name: schema_migration; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.schema_migration (
    file text NOT NULL COLLATE pg_catalog."C",
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT schema_migration_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text))
);

ALTER TABLE pay.schema_migration OWNER TO payments_owner;

--
-- Name: webhook_inbox; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.webhook_inbox (
    psp pay.id NOT NULL,
    event_id pay.id NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    state text NOT NULL COLLATE pg_catalog."C",
    type text,
    fact text NOT NULL COLLATE pg_catalog."C",
    token pay.id,
    reference text,
    code text,
    amount_minor bigint,
    currency text COLLATE pg_catalog."C",
    digest bytea,
    merchant_id pay.id,
    checkout_id pay.id,
    request_id text,
    CONSTRAINT webhook_inbox_check CHECK (((state <> 'parked'::text) OR (token IS NOT NULL))),
    CONSTRAINT webhook_inbox_state_check CHECK ((state = ANY (ARRAY['applied'::text, 'unchanged'::text, 'asked'::text, 'parked'::text, 'mismatch'::text, 'ignored'::text])))
)
WITH (autovacuum_analyze_threshold='1000', autovacuum_vacuum_threshold='1000');

ALTER TABLE pay.webhook_inbox OWNER TO payments_owner;

--
-- Name: checkouts; Type: VIEW; Schema: pay_view; Owner: payments_owner
--

CREATE VIEW pay_view.checkouts AS
 SELECT c.merchant_id,
    c.checkout_id,
    c.checkout_uuid,
    c.psp,
    c.currency,
    c.total_minor,
    round(((c.total_minor)::numeric / ((10)::numeric ^ (k.exponent)::numeric)), k.exponent) AS total,
    c.created_at,
    c.expires_at,
    c.is_payment_done,
    c.version,
    r.state AS registration_state,
    r.attempt,
    r.nonce,
    r.token,
    r.alias,
    r.reference,
    r.code,
    r.psps,
    r.refused_psps,
    r.open_attempts,
    j.kind AS job,
    j.run_at AS job_run_at,
    j.attempts AS job_attempts,
    j.code AS job_code
   FROM (((pay.checkout c
     JOIN pay.currency k ON ((k.code = c.currency)))
     LEFT JOIN pay.registration r ON ((((r.merchant_id)::text = (c.merchant_id)::text) AND ((r.checkout_id)::text = (c.checkout_id)::text))))
     LEFT JOIN pay.job j ON ((((j.merchant_id)::text = (c.merchant_id)::text) AND ((j.checkout_id)::text = (c.checkout_id)::text))));

ALTER TABLE pay_view.checkouts OWNER TO payments_owner;

--
-- Name: VIEW checkouts; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.checkouts IS 'Checkouts with their registration and job, without buyer details; open_attempts counts calls of which nobody knows that they came to nothing';

--
-- Name: jobs; Type: VIEW; Schema: pay_view; Owner: payments_owner
--

CREATE VIEW pay_view.jobs AS
 SELECT j.merchant_id,
    j.checkout_id,
    c.psp,
    j.kind,
        CASE
            WHEN (j.lease_until > now()) THEN 'leased'::text
            WHEN (j.run_at > now()) THEN 'waiting'::text
            ELSE 'due'::text
        END AS state,
    j.run_at,
        CASE
            WHEN (GREATEST(j.run_at, j.lease_until) <= now()) THEN (now() - GREATEST(j.run_at, j.lease_until))
            ELSE NULL::interval
        END AS overdue,
    j.attempts,
    j.code,
    j.lease_owner,
    j.lease_until,
    j.again_at
   FROM (pay.job j
     JOIN pay.checkout c ON ((((c.merchant_id)::text = (j.merchant_id)::text) AND ((c.checkout_id)::text = (j.checkout_id)::text))));

ALTER TABLE pay_view.jobs OWNER TO payments_owner;

--
-- Name: VIEW jobs; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.jobs IS 'Background work: what is due, since when, and who is at it; overdue by more than a minute means that no worker takes jobs';

--
-- Name: mismatches; Type: VIEW; Schema: pay_view; Owner: payments_owner
--

CREATE VIEW pay_view.mismatches AS
 SELECT m.mismatch_id,
    m.at,
    m.merchant_id,
    m.checkout_id,
    m.kind,
    m.source,
    m.psp,
    m.event_id,
    m.token,
    m.alias,
    m.own_token,
    m.currency,
    round(((m.amount_minor)::numeric / ((10)::numeric ^ (k.exponent)::numeric)), k.exponent) AS amount,
    m.own_currency,
    round(((m.total_minor)::numeric / ((10)::numeric ^ (o.exponent)::numeric)), o.exponent) AS total,
    ( SELECT p.status
           FROM pay.payment_order p
          WHERE (((p.merchant_id)::text = (m.merchant_id)::text) AND ((p.checkout_id)::text = (m.checkout_id)::text) AND (p."position" = 1))) AS status,
    m.request_id
   FROM ((pay.mismatch m
     JOIN pay.currency o ON ((o.code = m.own_currency)))
     LEFT JOIN pay.currency k ON ((k.code = m.currency)));

ALTER TABLE pay_view.mismatches OWNER TO payments_owner;

--
-- Name: VIEW mismatches; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.mismatches IS 'What a PSP said and was not believed (token, alias, currency, amount) beside what is ours (own_token, own_currency, total), and the orders'' status';

--
-- Name: orders; Type: VIEW; Schema: pay_view; Owner: payments_owner
--

CREATE VIEW pay_view.orders AS
 SELECT o.merchant_id,
    o.payment_order_id,
    o.checkout_id,
    o."position",
    o.seller_account,
    o.currency,
    o.amount_minor,
    round(((o.amount_minor)::numeric / ((10)::numeric ^ (k.exponent)::numeric)), k.exponent) AS amount,
    o.status,
    o.reason,
    c.psp,
    c.created_at,
    o.version AS events
   FROM ((pay.payment_order o
     JOIN pay.checkout c ON ((((c.merchant_id)::text = (o.merchant_id)::text) AND ((c.checkout_id)::text = (o.checkout_id)::text))))
     JOIN pay.currency k ON ((k.code = o.currency)));

ALTER TABLE pay_view.orders OWNER TO payments_owner;

--
-- Name: VIEW orders; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.orders IS 'Payment orders and where they stand';

--
-- Name: parked; Type: VIEW; Schema: pay_view; Owner: payments_owner
--

CREATE VIEW pay_view.parked AS
 SELECT i.psp,
    i.event_id,
    i.received_at,
    (now() - i.received_at) AS age,
    i.type,
    i.fact,
    i.token,
    i.reference,
    i.code,
    i.currency,
    i.amount_minor,
    round(((i.amount_minor)::numeric / ((10)::numeric ^ (k.exponent)::numeric)), k.exponent) AS amount,
    i.request_id
   FROM (pay.webhook_inbox i
     LEFT JOIN pay.currency k ON ((k.code = i.currency)))
  WHERE (i.state = 'parked'::text);

ALTER TABLE pay_view.parked OWNER TO payments_owner;

--
-- Name: VIEW parked; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.parked IS 'Webhooks about tokens that nobody has: normal for seconds; an old one that says paid is money that is not ours, or not booked';

--
-- Name: stuck; Type: VIEW; Schema: pay_view; Owner: payments_owner
--

CREATE VIEW pay_view.stuck AS
 SELECT s.merchant_id,
    s.checkout_id,
    s.psp,
    s.why,
    s.status,
    s.currency,
    s.total,
    s.created_at,
    s.expires_at,
    s.registration_state,
    s.attempt,
    s.code,
    s.token,
    s.job,
    s.job_run_at,
    s.job_attempts,
    s.job_code
   FROM ( SELECT j.merchant_id,
            j.checkout_id,
            j.psp,
                CASE
                    WHEN (EXISTS ( SELECT
                       FROM pay.mismatch m
                      WHERE (((m.merchant_id)::text = (j.merchant_id)::text) AND ((m.checkout_id)::text = (j.checkout_id)::text)))) THEN 'mismatch'::text
                    WHEN (j.code = ANY (ARRAY['psp_not_configured'::text, 'request_refused'::text])) THEN j.code
                    WHEN (j.overdue > '00:01:00'::interval) THEN 'no_worker'::text
                    WHEN (((o.status)::text <> 'FAILED'::text) AND (c.expires_at < (now() - '00:30:00'::interval))) THEN 'past_expiry'::text
                    WHEN ((j.kind = 'register'::text) AND (c.created_at < (now() - '00:05:00'::interval))) THEN 'not_registered'::text
                    WHEN ((j.code = 'no_answer'::text) AND (j.attempts >= 5)) THEN 'no_answer'::text
                    ELSE NULL::text
                END AS why,
            o.status,
            c.currency,
            round(((c.total_minor)::numeric / ((10)::numeric ^ (k.exponent)::numeric)), k.exponent) AS total,
            c.created_at,
            c.expires_at,
            r.state AS registration_state,
            r.attempt,
            r.code,
            r.token,
            j.kind AS job,
            j.run_at AS job_run_at,
            j.attempts AS job_attempts,
            j.code AS job_code
           FROM ((((pay_view.jobs j
             JOIN pay.checkout c ON ((((c.merchant_id)::text = (j.merchant_id)::text) AND ((c.checkout_id)::text = (j.checkout_id)::text))))
             JOIN pay.registration r ON ((((r.merchant_id)::text = (j.merchant_id)::text) AND ((r.checkout_id)::text = (j.checkout_id)::text))))
             JOIN pay.payment_order o ON ((((o.merchant_id)::text = (j.merchant_id)::text) AND ((o.checkout_id)::text = (j.checkout_id)::text) AND (o."position" = 1))))
             JOIN pay.currency k ON ((k.code = c.currency)))) s
  WHERE (s.why IS NOT NULL);

ALTER TABLE pay_view.stuck OWNER TO payments_owner;

--
-- Name: VIEW stuck; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.stuck IS 'Open checkouts that do not go on as they should: mismatch, psp_not_configured, request_refused, no_worker, past_expiry, not_registered or no_answer';

--
-- Name: timeline; Type: VIEW; Schema: pay_view; Owner: payments_owner
--

CREATE VIEW pay_view.timeline AS
 SELECT e.merchant_id,
    o.checkout_id,
    e.payment_order_id,
    e.seq,
    e.at,
    e.kind,
    e.actor,
    e.old_status,
    e.new_status,
    e.reason,
    e.detail,
    e.request_id
   FROM (pay.event e
     JOIN pay.payment_order o ON ((((o.merchant_id)::text = (e.merchant_id)::text) AND ((o.payment_order_id)::text = (e.payment_order_id)::text))));

ALTER TABLE pay_view.timeline OWNER TO payments_owner;

--
-- Name: VIEW timeline; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.timeline IS 'What happened to each order, in order';

--
-- Name: checkout checkout_handle_key; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.checkout
    ADD CONSTRAINT checkout_handle_key UNIQUE (handle);

--
-- Name: checkout checkout_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.checkout
    ADD CONSTRAINT checkout_pkey PRIMARY KEY (merchant_id, checkout_id);

--
-- Name: currency currency_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.currency
    ADD CONSTRAINT currency_pkey PRIMARY KEY (code);

--
-- Name: event event_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (merchant_id, payment_order_id, seq);

--
-- Name: idempotency_key idempotency_key_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.idempotency_key
    ADD CONSTRAINT idempotency_key_pkey PRIMARY KEY (merchant_id, route, key);

--
-- Name: job job_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (merchant_id, checkout_id, kind);

--
-- Name: mismatch mismatch_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.mismatch
    ADD CONSTRAINT mismatch_pkey PRIMARY KEY (merchant_id, checkout_id, mismatch_id);

--
-- Name: payment_order payment_order_merchant_id_checkout_id_position_key; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.payment_order
    ADD CONSTRAINT payment_order_merchant_id_checkout_id_position_key UNIQUE (merchant_id, checkout_id, "position");

--
-- Name: payment_order payment_order_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.payment_order
    ADD CONSTRAINT payment_order_pkey PRIMARY KEY (merchant_id, payment_order_id);

--
-- Name: psp_token psp_token_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.psp_token
    ADD CONSTRAINT psp_token_pkey PRIMARY KEY (psp, token);

--
-- Name: registration registration_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.registration
    ADD CONSTRAINT registration_pkey PRIMARY KEY (merchant_id, checkout_id);

--
-- Name: registration registration_psp_nonce_key; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.registration
    ADD CONSTRAINT registration_psp_nonce_key UNIQUE (psp, nonce);

--
-- Name: schema_migration schema_migration_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (file);

--
-- Name: webhook_inbox webhook_inbox_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.webhook_inbox
    ADD CONSTRAINT webhook_inbox_pkey PRIMARY KEY (psp, event_id);

--
-- Name: job_run_at; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX job_run_at ON pay.job USING btree (run_at);

--
-- Name: webhook_inbox_parked; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX webhook_inbox_parked ON pay.webhook_inbox USING btree (psp, token) WHERE (state = 'parked'::text);

--
-- Name: checkout checkout_fixed; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER checkout_fixed BEFORE UPDATE OF merchant_id, checkout_id, checkout_uuid, handle, base_url, currency, total_minor ON pay.checkout FOR EACH ROW WHEN (((((((((new.merchant_id)::text IS DISTINCT FROM (old.merchant_id)::text) OR ((new.checkout_id)::text IS DISTINCT FROM (old.checkout_id)::text)) OR (new.checkout_uuid IS DISTINCT FROM old.checkout_uuid)) OR ((new.handle)::text IS DISTINCT FROM (old.handle)::text)) OR ((new.base_url)::text IS DISTINCT FROM (old.base_url)::text)) OR (new.currency IS DISTINCT FROM old.currency)) OR (new.total_minor IS DISTINCT FROM old.total_minor))) EXECUTE FUNCTION pay.refuse_change('a checkout''s terms are fixed', 'PAY11');

ALTER TABLE pay.checkout ENABLE ALWAYS TRIGGER checkout_fixed;

--
-- Name: checkout checkout_psp; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER checkout_psp BEFORE UPDATE OF psp ON pay.checkout FOR EACH ROW WHEN (((new.psp)::text <> (old.psp)::text)) EXECUTE FUNCTION pay.follow_registration();

ALTER TABLE pay.checkout ENABLE ALWAYS TRIGGER checkout_psp;

--
-- Name: checkout checkout_version; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER checkout_version BEFORE UPDATE OF version, is_payment_done ON pay.checkout FOR EACH ROW WHEN (((new.version < old.version) OR (old.is_payment_done AND (NOT new.is_payment_done)))) EXECUTE FUNCTION pay.refuse_change('versions grow, done is done', 'PAY11');

ALTER TABLE pay.checkout ENABLE ALWAYS TRIGGER checkout_version;

--
-- Name: event event_append_only; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER event_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.event FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the log is append-only', 'PAY20');

ALTER TABLE pay.event ENABLE ALWAYS TRIGGER event_append_only;

--
-- Name: mismatch mismatch_append_only; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER mismatch_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.mismatch FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the queue is append-only', 'PAY20');

ALTER TABLE pay.mismatch ENABLE ALWAYS TRIGGER mismatch_append_only;

--
-- Name: payment_order payment_order_fixed; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER payment_order_fixed BEFORE UPDATE OF merchant_id, payment_order_id, checkout_id, "position", seller_account, amount_minor, currency ON pay.payment_order FOR EACH ROW WHEN (((((((((new.merchant_id)::text IS DISTINCT FROM (old.merchant_id)::text) OR ((new.payment_order_id)::text IS DISTINCT FROM (old.payment_order_id)::text)) OR ((new.checkout_id)::text IS DISTINCT FROM (old.checkout_id)::text)) OR (new."position" IS DISTINCT FROM old."position")) OR ((new.seller_account)::text IS DISTINCT FROM (old.seller_account)::text)) OR (new.amount_minor IS DISTINCT FROM old.amount_minor)) OR (new.currency IS DISTINCT FROM old.currency))) EXECUTE FUNCTION pay.refuse_change('an order''s terms are fixed', 'PAY11');

ALTER TABLE pay.payment_order ENABLE ALWAYS TRIGGER payment_order_fixed;

--
-- Name: payment_order payment_order_start; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER payment_order_start BEFORE INSERT ON pay.payment_order FOR EACH ROW WHEN ((((new.status)::text <> 'NOT_STARTED'::text) OR (new.version <> 1))) EXECUTE FUNCTION pay.refuse_change('an order begins NOT_STARTED', 'PAY10');

ALTER TABLE pay.payment_order ENABLE ALWAYS TRIGGER payment_order_start;

--
-- Name: payment_order payment_order_status; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER payment_order_status BEFORE UPDATE OF status ON pay.payment_order FOR EACH ROW WHEN ((((new.status)::text <> (old.status)::text) AND (((new.status)::text = 'NOT_STARTED'::text) OR ((old.status)::text = 'SUCCESS'::text) OR (((old.status)::text = 'FAILED'::text) AND ((new.status)::text <> 'SUCCESS'::text))))) EXECUTE FUNCTION pay.refuse_change('no such transition', 'PAY10');

ALTER TABLE pay.payment_order ENABLE ALWAYS TRIGGER payment_order_status;

--
-- Name: payment_order payment_order_version; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER payment_order_version BEFORE UPDATE OF version ON pay.payment_order FOR EACH ROW WHEN ((new.version < old.version)) EXECUTE FUNCTION pay.refuse_change('versions grow', 'PAY11');

ALTER TABLE pay.payment_order ENABLE ALWAYS TRIGGER payment_order_version;

--
-- Name: registration registration_fixed; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER registration_fixed BEFORE UPDATE OF merchant_id, checkout_id, nonce, psps ON pay.registration FOR EACH ROW WHEN ((((((new.merchant_id)::text IS DISTINCT FROM (old.merchant_id)::text) OR ((new.checkout_id)::text IS DISTINCT FROM (old.checkout_id)::text)) OR ((new.nonce)::text IS DISTINCT FROM (old.nonce)::text)) OR ((new.psps)::text[] IS DISTINCT FROM (old.psps)::text[]))) EXECUTE FUNCTION pay.refuse_change('one nonce for ever', 'PAY11');

ALTER TABLE pay.registration ENABLE ALWAYS TRIGGER registration_fixed;

--
-- Name: registration registration_psp; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER registration_psp BEFORE UPDATE OF psp ON pay.registration FOR EACH ROW WHEN ((((new.psp)::text <> (old.psp)::text) AND ((old.state <> 'REGISTERING'::text) OR (new.state <> 'REGISTERING'::text) OR (old.token IS NOT NULL) OR (old.open_attempts > 1) OR (new.attempt <= old.attempt) OR (new.open_attempts <> 1) OR ((new.psp)::text <> ALL ((old.psps)::text[])) OR ((new.psp)::text = ANY (old.refused_psps))))) EXECUTE FUNCTION pay.refuse_change('something may have happened there', 'PAY11');

ALTER TABLE pay.registration ENABLE ALWAYS TRIGGER registration_psp;

--
-- Name: registration registration_token; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER registration_token BEFORE UPDATE OF token, alias, attempt ON pay.registration FOR EACH ROW WHEN ((((new.token)::text <> (old.token)::text) OR ((new.token IS NULL) AND (old.token IS NOT NULL)) OR ((old.token IS NOT NULL) AND ((new.alias)::text IS DISTINCT FROM (old.alias)::text)) OR (new.attempt < old.attempt))) EXECUTE FUNCTION pay.refuse_change('one token for ever', 'PAY11');

ALTER TABLE pay.registration ENABLE ALWAYS TRIGGER registration_token;

--
-- Name: payment_order payment_order_merchant_id_checkout_id_fkey; Type: FK CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.payment_order
    ADD CONSTRAINT payment_order_merchant_id_checkout_id_fkey FOREIGN KEY (merchant_id, checkout_id) REFERENCES pay.checkout(merchant_id, checkout_id);

--
-- Name: registration registration_merchant_id_checkout_id_fkey; Type: FK CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.registration
    ADD CONSTRAINT registration_merchant_id_checkout_id_fkey FOREIGN KEY (merchant_id, checkout_id) REFERENCES pay.checkout(merchant_id, checkout_id);

--
-- Name: SCHEMA pay; Type: ACL; Schema: -; Owner: payments_owner
--

GRANT USAGE ON SCHEMA pay TO payments_auditor;

--
-- Name: SCHEMA pay_api; Type: ACL; Schema: -; Owner: payments_owner
--

GRANT USAGE ON SCHEMA pay_api TO payments_gateway;

--
-- Name: SCHEMA pay_view; Type: ACL; Schema: -; Owner: payments_owner
--

GRANT USAGE ON SCHEMA pay_view TO payments_auditor;

--
-- Name: SCHEMA public; Type: ACL; Schema: -; Owner: pg_database_owner
--

REVOKE USAGE ON SCHEMA public FROM PUBLIC;

--
-- Name: FUNCTION apply_parked(p_merchant_id text[], p_checkout_id text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.apply_parked(p_merchant_id text[], p_checkout_id text[]) FROM PUBLIC;

--
-- Name: FUNCTION await_tokens(p_facts pay.fact[], p_duplicates integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.await_tokens(p_facts pay.fact[], p_duplicates integer[]) FROM PUBLIC;

--
-- Name: FUNCTION begin_items(p_items pay.payment_item[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.begin_items(p_items pay.payment_item[]) FROM PUBLIC;

--
-- Name: FUNCTION check_batch(VARIADIC p_dims text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.check_batch(VARIADIC p_dims text[]) FROM PUBLIC;

--
-- Name: FUNCTION claim_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], OUT sure boolean, OUT parked boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.claim_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], OUT sure boolean, OUT parked boolean) FROM PUBLIC;

--
-- Name: FUNCTION delete_losers(p_keyed pay.payment_item[], p_placed pay.payment_item[], p_made pay.payment_item[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.delete_losers(p_keyed pay.payment_item[], p_placed pay.payment_item[], p_made pay.payment_item[]) FROM PUBLIC;

--
-- Name: FUNCTION explain_loss(p_item pay.payment_item, OUT outcome text, OUT checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.explain_loss(p_item pay.payment_item, OUT outcome text, OUT checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION fact_kind(p_fact text, p_amount_minor bigint, p_currency text, p_total_minor bigint, p_own_currency text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.fact_kind(p_fact text, p_amount_minor bigint, p_currency text, p_total_minor bigint, p_own_currency text) FROM PUBLIC;

--
-- Name: FUNCTION find_moves(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], OUT items integer[], OUT nexts text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.find_moves(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], OUT items integer[], OUT nexts text[]) FROM PUBLIC;

--
-- Name: FUNCTION follow_moves(p_facts pay.fact[], p_nexts text[], p_lease_ms bigint[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.follow_moves(p_facts pay.fact[], p_nexts text[], p_lease_ms bigint[]) FROM PUBLIC;

--
-- Name: FUNCTION follow_registration(); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.follow_registration() FROM PUBLIC;

--
-- Name: FUNCTION id_ok(p_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.id_ok(p_id text) FROM PUBLIC;

--
-- Name: FUNCTION insert_beginnings(p_items pay.payment_item[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.insert_beginnings(p_items pay.payment_item[]) FROM PUBLIC;

--
-- Name: FUNCTION insert_checkouts(p_items pay.payment_item[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.insert_checkouts(p_items pay.payment_item[]) FROM PUBLIC;

--
-- Name: FUNCTION insert_keys(p_items pay.payment_item[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.insert_keys(p_items pay.payment_item[]) FROM PUBLIC;

--
-- Name: FUNCTION insert_orders(p_items pay.payment_item[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.insert_orders(p_items pay.payment_item[]) FROM PUBLIC;

--
-- Name: FUNCTION insert_registrations(p_items pay.payment_item[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.insert_registrations(p_items pay.payment_item[]) FROM PUBLIC;

--
-- Name: FUNCTION insert_webhooks(p_facts pay.fact[], p_fact text[], p_digest bytea[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.insert_webhooks(p_facts pay.fact[], p_fact text[], p_digest bytea[]) FROM PUBLIC;

--
-- Name: FUNCTION is_new_mismatch(p_fact pay.fact); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_new_mismatch(p_fact pay.fact) FROM PUBLIC;

--
-- Name: TABLE job; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.job TO payments_auditor;

--
-- Name: FUNCTION job_is_over(p_job pay.job, p_delay_ms bigint, p_code text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.job_is_over(p_job pay.job, p_delay_ms bigint, p_code text) FROM PUBLIC;

--
-- Name: FUNCTION keep_mismatches(p_facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.keep_mismatches(p_facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION keep_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.keep_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[]) FROM PUBLIC;

--
-- Name: FUNCTION keep_references(p_facts pay.fact[], p_moved integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.keep_references(p_facts pay.fact[], p_moved integer[]) FROM PUBLIC;

--
-- Name: FUNCTION lock_checkouts(p_merchant_id text[], p_checkout_id text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.lock_checkouts(p_merchant_id text[], p_checkout_id text[]) FROM PUBLIC;

--
-- Name: FUNCTION lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[]) FROM PUBLIC;

--
-- Name: FUNCTION move_orders(p_facts pay.fact[], p_turn integer); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.move_orders(p_facts pay.fact[], p_turn integer) FROM PUBLIC;

--
-- Name: FUNCTION move_registrations(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], p_lease_ms bigint[], OUT items integer[], OUT nexts text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.move_registrations(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], p_lease_ms bigint[], OUT items integer[], OUT nexts text[]) FROM PUBLIC;

--
-- Name: FUNCTION next_status(p_status text, p_kind text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.next_status(p_status text, p_kind text) FROM PUBLIC;

--
-- Name: FUNCTION order_ok(p_order jsonb, p_currency text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.order_ok(p_order jsonb, p_currency text) FROM PUBLIC;

--
-- Name: FUNCTION poll_later(p_merchant_id text[], p_checkout_id text[], p_poll_after_ms bigint[], p_items integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.poll_later(p_merchant_id text[], p_checkout_id text[], p_poll_after_ms bigint[], p_items integer[]) FROM PUBLIC;

--
-- Name: FUNCTION poll_soon(p_facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.poll_soon(p_facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION purge(p_limit integer, p_ignored_after interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.purge(p_limit integer, p_ignored_after interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint) FROM PUBLIC;

--
-- Name: FUNCTION read_facts(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_request_id text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.read_facts(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_request_id text[]) FROM PUBLIC;

--
-- Name: FUNCTION record_facts(p_facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.record_facts(p_facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION refuse_change(); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.refuse_change() FROM PUBLIC;

--
-- Name: FUNCTION refuse_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_request_id text[], p_late integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.refuse_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_request_id text[], p_late integer[]) FROM PUBLIC;

--
-- Name: FUNCTION same_token(p_own_psp text, p_own_token text, p_own_alias text, p_psp text, p_token text, p_alias text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.same_token(p_own_psp text, p_own_token text, p_own_alias text, p_psp text, p_token text, p_alias text) FROM PUBLIC;

--
-- Name: FUNCTION set_aside(p_facts pay.fact[], p_duplicates integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.set_aside(p_facts pay.fact[], p_duplicates integer[]) FROM PUBLIC;

--
-- Name: FUNCTION set_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_sure boolean, OUT stored integer[], OUT late integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.set_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_sure boolean, OUT stored integer[], OUT late integer[]) FROM PUBLIC;

--
-- Name: FUNCTION settle_facts(p_facts pay.fact[], p_late boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.settle_facts(p_facts pay.fact[], p_late boolean) FROM PUBLIC;

--
-- Name: FUNCTION with_outcome(p_fact pay.fact, p_outcome text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.with_outcome(p_fact pay.fact, p_outcome text) FROM PUBLIC;

--
-- Name: FUNCTION apply_event(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_digest bytea[], p_request_id text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.apply_event(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_digest bytea[], p_request_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.apply_event(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_digest bytea[], p_request_id text[]) TO payments_gateway;

--
-- Name: FUNCTION begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[]) TO payments_gateway;

--
-- Name: FUNCTION claim_jobs(p_owner text[], p_lease_ms bigint[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.claim_jobs(p_owner text[], p_lease_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.claim_jobs(p_owner text[], p_lease_ms bigint[]) TO payments_gateway;

--
-- Name: FUNCTION finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_owner text[], p_delay_ms bigint[], p_code text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_owner text[], p_delay_ms bigint[], p_code text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_owner text[], p_delay_ms bigint[], p_code text[]) TO payments_gateway;

--
-- Name: FUNCTION get_checkout(p_merchant_id text[], p_checkout_id text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.get_checkout(p_merchant_id text[], p_checkout_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_checkout(p_merchant_id text[], p_checkout_id text[]) TO payments_gateway;

--
-- Name: FUNCTION get_events(p_merchant_id text[], p_payment_order_id text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.get_events(p_merchant_id text[], p_payment_order_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_events(p_merchant_id text[], p_payment_order_id text[]) TO payments_gateway;

--
-- Name: FUNCTION get_handle(p_handle text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.get_handle(p_handle text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_handle(p_handle text[]) TO payments_gateway;

--
-- Name: FUNCTION get_payment(p_merchant_id text[], p_payment_order_id text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.get_payment(p_merchant_id text[], p_payment_order_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_payment(p_merchant_id text[], p_payment_order_id text[]) TO payments_gateway;

--
-- Name: FUNCTION ready(); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.ready() FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.ready() TO payments_gateway;

--
-- Name: FUNCTION reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[]) TO payments_gateway;

--
-- Name: FUNCTION store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[]) TO payments_gateway;

--
-- Name: FUNCTION store_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_poll_after_ms bigint[], p_request_id text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.store_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_poll_after_ms bigint[], p_request_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.store_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_poll_after_ms bigint[], p_request_id text[]) TO payments_gateway;

--
-- Name: TABLE checkout; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.checkout TO payments_auditor;

--
-- Name: TABLE payment_order; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.payment_order TO payments_auditor;

--
-- Name: TABLE registration; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.registration TO payments_auditor;

--
-- Name: TABLE checkout_state; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.checkout_state TO payments_auditor;

--
-- Name: TABLE currency; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.currency TO payments_auditor;

--
-- Name: TABLE event; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.event TO payments_auditor;

--
-- Name: TABLE idempotency_key; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.idempotency_key TO payments_auditor;

--
-- Name: TABLE mismatch; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.mismatch TO payments_auditor;

--
-- Name: TABLE psp_token; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.psp_token TO payments_auditor;

--
-- Name: TABLE schema_migration; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.schema_migration TO payments_auditor;

--
-- Name: TABLE webhook_inbox; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.webhook_inbox TO payments_auditor;

--
-- Name: TABLE checkouts; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.checkouts TO payments_auditor;

--
-- Name: TABLE jobs; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.jobs TO payments_auditor;

--
-- Name: TABLE mismatches; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.mismatches TO payments_auditor;

--
-- Name: TABLE orders; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.orders TO payments_auditor;

--
-- Name: TABLE parked; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.parked TO payments_auditor;

--
-- Name: TABLE stuck; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.stuck TO payments_auditor;

--
-- Name: TABLE timeline; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.timeline TO payments_auditor;

--
-- Name: DEFAULT PRIVILEGES FOR TYPES; Type: DEFAULT ACL; Schema: -; Owner: payments_owner
--

ALTER DEFAULT PRIVILEGES FOR ROLE payments_owner REVOKE ALL ON TYPES  FROM PUBLIC;

--
-- Name: DEFAULT PRIVILEGES FOR FUNCTIONS; Type: DEFAULT ACL; Schema: -; Owner: payments_owner
--

ALTER DEFAULT PRIVILEGES FOR ROLE payments_owner REVOKE ALL ON FUNCTIONS  FROM PUBLIC;

--
--

