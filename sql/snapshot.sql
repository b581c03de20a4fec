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
-- Name: pay_ops; Type: SCHEMA; Schema: -; Owner: payments_owner
--

CREATE SCHEMA pay_ops;

ALTER SCHEMA pay_ops OWNER TO payments_owner;

--
-- Name: SCHEMA pay_ops; Type: COMMENT; Schema: -; Owner: payments_owner
--

COMMENT ON SCHEMA pay_ops IS 'What people on call may do';

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
	route text,
	key_windows integer[],
	late_success text
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
-- Name: standing; Type: TYPE; Schema: pay; Owner: payments_owner
--

CREATE TYPE pay.standing AS (
	status text,
	reason text,
	psp text,
	expires_at timestamp with time zone,
	late_success text,
	registered text,
	token text,
	sent text,
	sent_lease_until timestamp with time zone,
	key_until timestamp with time zone,
	capture text,
	job text,
	run_at timestamp with time zone,
	lease_until timestamp with time zone,
	job_code text,
	refund_at timestamp with time zone,
	refund_code text,
	letter text,
	letter_reason text,
	letter_attempts integer,
	late text,
	pending boolean,
	differs boolean,
	contradicted boolean,
	stuck boolean
);

ALTER TYPE pay.standing OWNER TO payments_owner;

--
-- Name: accept_late(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.accept_late(p_merchant_id text, p_checkout_id text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE late_success l
    SET state = 'accepted'
    WHERE l.merchant_id = p_merchant_id AND l.checkout_id = p_checkout_id
        AND l.state = 'held'
        AND NOT EXISTS (
            SELECT FROM dispatch d
            WHERE d.merchant_id = l.merchant_id
                AND d.checkout_id = l.checkout_id
                AND d.operation = 'refund');

    RETURN FOUND;
END
$$;

ALTER FUNCTION pay.accept_late(p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION accept_late(p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.accept_late(p_merchant_id text, p_checkout_id text) IS 'Makes a held payment a sale';

--
-- Name: dead_letter; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.dead_letter (
    dead_letter_id bigint NOT NULL,
    merchant_id pay.id,
    checkout_id pay.id,
    psp pay.id,
    event_id pay.id,
    kind text NOT NULL COLLATE pg_catalog."C",
    reason pay.filled NOT NULL,
    code text,
    attempts integer DEFAULT 0 NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    state text DEFAULT 'open'::text NOT NULL COLLATE pg_catalog."C",
    closed_at timestamp with time zone,
    closed_by pay.filled,
    closed_why pay.filled,
    CONSTRAINT dead_letter_check CHECK (((state = 'open'::text) = (closed_at IS NULL))),
    CONSTRAINT dead_letter_check1 CHECK (((closed_at IS NULL) = (closed_by IS NULL))),
    CONSTRAINT dead_letter_check2 CHECK (((closed_at IS NULL) = (closed_why IS NULL))),
    CONSTRAINT dead_letter_check3 CHECK (((kind = 'parked'::text) = (checkout_id IS NULL))),
    CONSTRAINT dead_letter_check4 CHECK (((merchant_id IS NULL) = (checkout_id IS NULL))),
    CONSTRAINT dead_letter_check5 CHECK (((kind = 'parked'::text) = (event_id IS NOT NULL))),
    CONSTRAINT dead_letter_check6 CHECK (((event_id IS NULL) OR (psp IS NOT NULL))),
    CONSTRAINT dead_letter_kind_check CHECK ((kind = ANY (ARRAY['register'::text, 'poll'::text, 'refund'::text, 'late_success'::text, 'parked'::text, 'stuck'::text]))),
    CONSTRAINT dead_letter_state_check CHECK ((state = ANY (ARRAY['open'::text, 'requeued'::text, 'resolved'::text, 'settled'::text])))
);

ALTER TABLE pay.dead_letter OWNER TO payments_owner;

--
-- Name: apply_letter(pay.dead_letter, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.apply_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF p_checkout_id IS NULL THEN
        RETURN false;
    END IF;

    PERFORM apply_parked(ARRAY[p_merchant_id], ARRAY[p_checkout_id]);

    RETURN EXISTS (
        SELECT FROM webhook_inbox i
        WHERE i.psp = p_letter.psp AND i.event_id = p_letter.event_id
            AND i.state <> 'parked');
END
$$;

ALTER FUNCTION pay.apply_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION apply_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.apply_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text) IS 'Applies a parked webhook that has found its checkout';

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
    WHERE f.actor = 'webhook' AND f.checkout_id IS NULL
        AND f.kind NOT IN ('none', 'unknown') AND f.item <> ALL (p_duplicates)
    ORDER BY f.psp, f.token
    ON CONFLICT (psp, token) DO UPDATE SET psp = t.psp
    WHERE t.checkout_id IS NULL;

    RETURN ARRAY(
        SELECT ROW(f.item, f.turn, t.merchant_id, t.checkout_id,
            fact_kind(f.kind, f.amount_minor, f.currency, c.total_minor,
                      c.currency),
            f.actor, f.psp, f.event_id, f.type, f.code, f.token, f.reference,
            f.amount_minor, f.currency, f.request_id, f.detail, NULL)::fact
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
-- Name: claim_backfill(text, text, interval, interval); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.claim_backfill(p_psp text, p_owner text, p_interval interval, p_lease interval, OUT since_s bigint, OUT until_s bigint) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_span_s int;
BEGIN
    INSERT INTO backfill (psp, seen_until, run_at)
    VALUES (p_psp, now() - interval '1 hour', now())
    ON CONFLICT (psp) DO NOTHING;

    UPDATE backfill b
    SET lease_owner = p_owner, lease_until = now() + p_lease,
        run_at = now() + p_interval
    FROM (
        SELECT k.ctid AS tid FROM backfill k
        WHERE k.psp = p_psp AND k.run_at <= now()
            AND coalesce(k.lease_until <= now(), true)
        FOR NO KEY UPDATE SKIP LOCKED) k
    WHERE b.ctid = k.tid
    RETURNING
        floor(extract(epoch FROM least(b.seen_until, now())))::bigint - 300,
        b.span_s
    INTO since_s, v_span_s;

    until_s := least(floor(extract(epoch FROM now()))::bigint - 30,
                     since_s + v_span_s);
    until_s := CASE WHEN since_s IS NOT NULL THEN until_s END;
END
$$;

ALTER FUNCTION pay.claim_backfill(p_psp text, p_owner text, p_interval interval, p_lease interval, OUT since_s bigint, OUT until_s bigint) OWNER TO payments_owner;

--
-- Name: FUNCTION claim_backfill(p_psp text, p_owner text, p_interval interval, p_lease interval, OUT since_s bigint, OUT until_s bigint); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.claim_backfill(p_psp text, p_owner text, p_interval interval, p_lease interval, OUT since_s bigint, OUT until_s bigint) IS 'Leases a look at a PSP''s list of events, if one is due';

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
-- Name: close_letter(pay.dead_letter, text, text, text, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.close_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text, p_state text, p_who text, p_why text) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_detail jsonb := jsonb_build_object(
        'dead_letter_id', p_letter.dead_letter_id, 'kind', p_letter.kind,
        'who', p_who, 'why', p_why, 'role', session_user);
BEGIN
    UPDATE dead_letter d
    SET state = p_state, closed_at = clock_timestamp(), closed_by = p_who,
        closed_why = p_why
    WHERE d.dead_letter_id = p_letter.dead_letter_id;

    PERFORM record_facts(ARRAY(
        SELECT ROW(n, NULL, c.merchant_id, c.checkout_id,
            CASE n WHEN 1 THEN 'dead_letter_' || p_state ELSE 'paid' END,
            'operator', c.psp, NULL, NULL, NULL, NULL,
            CASE n WHEN 2 THEN l.reference END, NULL, NULL, NULL,
            v_detail || CASE n WHEN 2 THEN '{"late": true}'
                               ELSE '{}' END::jsonb, NULL)::fact
        FROM checkout c
        LEFT JOIN late_success l ON l.merchant_id = c.merchant_id
            AND l.checkout_id = c.checkout_id
        CROSS JOIN generate_series(1, CASE
            WHEN p_letter.kind = 'late_success' AND p_state = 'requeued'
            THEN 2 ELSE 1 END) n
        WHERE c.merchant_id = p_merchant_id
            AND c.checkout_id = p_checkout_id));
END
$$;

ALTER FUNCTION pay.close_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text, p_state text, p_who text, p_why text) OWNER TO payments_owner;

--
-- Name: FUNCTION close_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text, p_state text, p_who text, p_why text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.close_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text, p_state text, p_who text, p_why text) IS 'Closes a dead letter by somebody''s word';

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
-- Name: dispatch_ok(text, text, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.dispatch_ok(p_merchant_id text, p_checkout_id text, p_operation text, p_operation_id text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT pay.id_ok(p_merchant_id) AND pay.id_ok(p_checkout_id)
    AND pay.id_ok(p_operation_id)
    AND coalesce(p_operation IN ('capture', 'cancel', 'refund', 'expire'),
                 false)
$$;

ALTER FUNCTION pay.dispatch_ok(p_merchant_id text, p_checkout_id text, p_operation text, p_operation_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION dispatch_ok(p_merchant_id text, p_checkout_id text, p_operation text, p_operation_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.dispatch_ok(p_merchant_id text, p_checkout_id text, p_operation text, p_operation_id text) IS 'Whether begin_dispatch and end_dispatch can take this operation';

--
-- Name: end_registers(pay.fact[], text[], bigint[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.end_registers(p_facts pay.fact[], p_reach text[], p_http_status bigint[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE dispatch d
    SET state = x.state, ended_at = clock_timestamp(), lease_until = NULL,
        unsure = d.unsure AND x.state <> 'NOT_SENT',
        reach = CASE WHEN x.news THEN x.reach ELSE d.reach END,
        http_status = CASE WHEN x.news THEN x.http_status
                           ELSE d.http_status END,
        code = CASE WHEN x.news THEN x.code ELSE d.code END
    FROM (
        SELECT k.tid, f.code, nullif(p_reach[f.item], '') AS reach,
            nullif(p_http_status[f.item], 0) AS http_status,
            f.kind IN ('refused', 'registration_unknown')
                OR f.kind = 'registration_not_sent'
                   AND k.state <> 'UNKNOWN' AS news,
            CASE WHEN f.kind = 'refused' THEN 'REFUSED'
                 WHEN f.kind = 'registration_not_sent'
                     AND r.open_attempts = 0 AND o.status = 'NOT_STARTED'
                     THEN 'NOT_SENT'
                 ELSE 'UNKNOWN' END AS state
        FROM unnest(p_facts) f
        CROSS JOIN LATERAL (
            SELECT r.nonce, r.open_attempts FROM registration r
            WHERE r.merchant_id = f.merchant_id
                AND r.checkout_id = f.checkout_id
            OFFSET 0) r
        CROSS JOIN LATERAL (
            SELECT o.status FROM payment_order o
            WHERE o.merchant_id = f.merchant_id
                AND o.checkout_id = f.checkout_id AND o.position = 1
            OFFSET 0) o
        CROSS JOIN LATERAL (
            SELECT k.ctid AS tid, k.state FROM dispatch k
            WHERE k.merchant_id = f.merchant_id
                AND k.checkout_id = f.checkout_id
                AND k.operation = 'register' AND k.operation_id = r.nonce
            ORDER BY k.attempt DESC LIMIT 1) k
        WHERE f.kind <> 'expired' OR k.state = 'OPEN') x
    WHERE d.ctid = x.tid;
END
$$;

ALTER FUNCTION pay.end_registers(p_facts pay.fact[], p_reach text[], p_http_status bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION end_registers(p_facts pay.fact[], p_reach text[], p_http_status bigint[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.end_registers(p_facts pay.fact[], p_reach text[], p_http_status bigint[]) IS 'Journals how calls of registrations ended that brought no token';

--
-- Name: explain(text, text, boolean); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.explain(p_merchant_id text, p_payment_order_id text, p_inside boolean) RETURNS text
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_standing standing := standing_of(p_merchant_id, p_payment_order_id);
    v_answer   json;
BEGIN
    IF v_standing IS NULL THEN
        RETURN NULL;
    END IF;

    v_answer := explain_standing(v_standing);

    RETURN (
        SELECT json_build_object('payment_order_id', o.payment_order_id,
            'checkout_id', o.checkout_id, 'status', o.status,
            'reason', o.reason, 'psp', r.psp,
            'amount_minor', o.amount_minor, 'currency', o.currency,
            'expires_at', iso_time(c.expires_at),
            'registration', json_build_object('state', r.state,
                'nonce', r.nonce, 'token', r.token, 'attempt', r.attempt),
            'waits_for', v_answer -> 'waits_for', 'why', v_answer -> 'why',
            'next_step', v_answer -> 'next_step',
            'safe_to_retry', v_answer -> 'safe_to_retry',
            'dispatches', explain_dispatches(c.merchant_id, c.checkout_id),
            'dead_letters', explain_letters(c.merchant_id, c.checkout_id,
                                            p_inside),
            'exceptions', explain_exceptions(c.merchant_id, c.checkout_id),
            'late_success', explain_late(c.merchant_id, c.checkout_id),
            'events', timeline(o.merchant_id, o.payment_order_id,
                               p_inside))::text
        FROM find_order(p_merchant_id, p_payment_order_id) o
        CROSS JOIN LATERAL (
            SELECT x.* FROM checkout x
            WHERE x.merchant_id = o.merchant_id
                AND x.checkout_id = o.checkout_id
            OFFSET 0) c
        CROSS JOIN LATERAL (
            SELECT x.* FROM registration x
            WHERE x.merchant_id = o.merchant_id
                AND x.checkout_id = o.checkout_id
            OFFSET 0) r);
END
$$;

ALTER FUNCTION pay.explain(p_merchant_id text, p_payment_order_id text, p_inside boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION explain(p_merchant_id text, p_payment_order_id text, p_inside boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.explain(p_merchant_id text, p_payment_order_id text, p_inside boolean) IS 'How an order stands, as JSON text; NULL when there is none';

--
-- Name: explain_dispatches(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.explain_dispatches(p_merchant_id text, p_checkout_id text) RETURNS json
    LANGUAGE sql STABLE
    AS $$
SELECT coalesce(json_agg(json_build_object(
    'operation', d.operation, 'operation_id', d.operation_id,
    'attempt', d.attempt, 'psp', d.psp, 'state', d.state, 'sends', d.sends,
    'unsure', d.unsure, 'first_sent_at', iso_time(d.first_sent_at),
    'sent_at', iso_time(d.sent_at), 'ended_at', iso_time(d.ended_at),
    'key_until', iso_time(d.key_until), 'reach', d.reach,
    'http_status', d.http_status, 'code', d.code, 'reference', d.reference)
    ORDER BY d.first_sent_at, d.attempt), '[]')
FROM (SELECT * FROM dispatch x
      WHERE x.merchant_id = p_merchant_id AND x.checkout_id = p_checkout_id
      ORDER BY x.first_sent_at DESC, x.attempt DESC LIMIT 100) d
$$;

ALTER FUNCTION pay.explain_dispatches(p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION explain_dispatches(p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.explain_dispatches(p_merchant_id text, p_checkout_id text) IS 'The newest 100 calls about a checkout that may have changed something';

--
-- Name: explain_exceptions(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.explain_exceptions(p_merchant_id text, p_checkout_id text) RETURNS json
    LANGUAGE sql STABLE
    AS $$
SELECT coalesce(json_agg(json_build_object(
    'at', iso_time(m.at), 'kind', m.kind, 'source', m.source, 'psp', m.psp,
    'event_id', m.event_id, 'token', m.token, 'alias', m.alias,
    'amount_minor', m.amount_minor, 'currency', m.currency,
    'own_token', m.own_token, 'own_amount_minor', m.total_minor,
    'own_currency', m.own_currency, 'request_id', m.request_id)
    ORDER BY m.mismatch_id), '[]')
FROM (SELECT * FROM mismatch x
      WHERE x.merchant_id = p_merchant_id AND x.checkout_id = p_checkout_id
      ORDER BY x.mismatch_id DESC LIMIT 100) m
$$;

ALTER FUNCTION pay.explain_exceptions(p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION explain_exceptions(p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.explain_exceptions(p_merchant_id text, p_checkout_id text) IS 'The newest 100 words of a PSP about a checkout that changed nothing';

--
-- Name: explain_final(pay.standing); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.explain_final(p_s pay.standing, OUT waits_for text, OUT why text) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $_$
BEGIN
    SELECT v.waits_for, v.why INTO waits_for, why FROM (VALUES
        (p_s.status = 'SUCCESS' AND p_s.contradicted, 'nobody',
         'It is paid. %s has later said otherwise; that changed nothing '
         'here, but somebody should compare it with the books of %1$s.'),
        (p_s.status = 'SUCCESS', 'nobody', 'It is paid.'),
        (p_s.late = 'held', 'people',
         'It was paid after its time was over. Nothing is booked or paid '
         'back until somebody has decided.'),
        (p_s.letter = 'refund' AND p_s.letter_reason = 'refused', 'people',
         'It was paid after its time was over, and %s refuses to pay it '
         'back: somebody must look.'),
        (p_s.letter = 'refund' AND p_s.letter_reason = 'key_window_over',
         'people', 'It was paid after its time was over. %s may or may not '
         'have paid it back, and it is too late to tell it once more: '
         'somebody must ask %1$s.'),
        (p_s.letter = 'refund', 'people',
         'It was paid after its time was over, and paying it back has '
         'stopped after %2$s attempts: somebody must look.'),
        (p_s.late = 'refunding' AND p_s.refund_at IS NULL, 'people',
         'It was paid after its time was over, but no background work is '
         'left that would pay it back: somebody must look.'),
        (p_s.late = 'refunding' AND p_s.refund_code = 'psp_not_configured',
         'people', 'It was paid after its time was over, and %s, which would '
         'have to pay it back, is not set up here any more.'),
        (p_s.late = 'refunding', 'psp',
         'It was paid after its time was over, and %s is being asked to pay '
         'it back.'),
        (p_s.job = 'poll', 'psp',
         'It has failed, but there may be news: %s is being asked again.'),
        (p_s.late IS NULL AND p_s.differs, 'people',
         '%s says that another amount or currency was paid: somebody must '
         'compare it with the books of %1$s.'),
        (p_s.late = 'refunded', 'nobody',
         'It was paid after its time was over, and paid back.'),
        (p_s.late = 'resolved', 'nobody',
         'It was paid after its time was over, and somebody has settled '
         'that by hand.'),
        (p_s.reason = 'declined', 'nobody', '%s declined the payment.'),
        (p_s.reason = 'cancelled', 'nobody', 'It was cancelled.'),
        (p_s.reason = 'rejected', 'nobody',
         '%s refused to take it, so there never was a page to pay on.'),
        (p_s.reason = 'risk', 'nobody',
         'It was refused because the risk was too high.'),
        (p_s.token IS NULL, 'nobody',
         '%s gave no page before its time was over, so nobody could pay.'),
        (true, 'nobody', 'The buyer did not pay in time.')
        ) v (fits, waits_for, why)
    WHERE v.fits LIMIT 1;
END
$_$;

ALTER FUNCTION pay.explain_final(p_s pay.standing, OUT waits_for text, OUT why text) OWNER TO payments_owner;

--
-- Name: FUNCTION explain_final(p_s pay.standing, OUT waits_for text, OUT why text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.explain_final(p_s pay.standing, OUT waits_for text, OUT why text) IS 'Who waits for whom, and why, after an order has ended';

--
-- Name: explain_late(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.explain_late(p_merchant_id text, p_checkout_id text) RETURNS json
    LANGUAGE sql STABLE
    AS $$
SELECT json_build_object('at', iso_time(l.at), 'state', l.state,
    'psp', l.psp, 'source', l.source, 'event_id', l.event_id,
    'reference', l.reference, 'amount_minor', l.amount_minor,
    'currency', l.currency, 'refund_id', l.refund_id)
FROM late_success l
WHERE l.merchant_id = p_merchant_id AND l.checkout_id = p_checkout_id
$$;

ALTER FUNCTION pay.explain_late(p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION explain_late(p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.explain_late(p_merchant_id text, p_checkout_id text) IS 'The payment that came after a checkout had expired, if one did';

--
-- Name: explain_letters(text, text, boolean); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.explain_letters(p_merchant_id text, p_checkout_id text, p_inside boolean) RETURNS json
    LANGUAGE sql STABLE
    AS $$
SELECT coalesce(json_agg(json_build_object(
    'id', d.dead_letter_id, 'kind', d.kind, 'reason', d.reason,
    'code', d.code, 'attempts', d.attempts, 'at', iso_time(d.at),
    'state', d.state, 'closed_at', iso_time(d.closed_at),
    'closed_by', CASE WHEN p_inside THEN d.closed_by END,
    'closed_why', CASE WHEN p_inside THEN d.closed_why END)
    ORDER BY d.dead_letter_id), '[]')
FROM (SELECT * FROM letters_of(p_merchant_id, p_checkout_id) x
      ORDER BY x.dead_letter_id DESC LIMIT 100) d
$$;

ALTER FUNCTION pay.explain_letters(p_merchant_id text, p_checkout_id text, p_inside boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION explain_letters(p_merchant_id text, p_checkout_id text, p_inside boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.explain_letters(p_merchant_id text, p_checkout_id text, p_inside boolean) IS 'The newest 100 dead letters about a checkout, open and closed';

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
-- Name: explain_next(pay.standing); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.explain_next(p_s pay.standing, OUT what text, OUT at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_busy boolean := coalesce(p_s.lease_until > now(), false);
    v_then timestamptz;
BEGIN
    at := coalesce(p_s.refund_at, CASE WHEN v_busy THEN p_s.run_at
        ELSE greatest(p_s.run_at, p_s.lease_until) END);
    v_then := greatest(at, now());

    what := CASE
        WHEN at IS NULL THEN 'none'
        WHEN p_s.refund_at IS NOT NULL THEN 'refund'
        WHEN p_s.job = 'poll' THEN 'poll'
        WHEN v_busy AND p_s.sent = 'OPEN' THEN 'register'
        WHEN v_then >= p_s.expires_at THEN 'expire'
        WHEN p_s.sent IN ('OPEN', 'UNKNOWN') AND v_then >= p_s.key_until
            THEN 'find'
        ELSE 'register' END;
END
$$;

ALTER FUNCTION pay.explain_next(p_s pay.standing, OUT what text, OUT at timestamp with time zone) OWNER TO payments_owner;

--
-- Name: FUNCTION explain_next(p_s pay.standing, OUT what text, OUT at timestamp with time zone); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.explain_next(p_s pay.standing, OUT what text, OUT at timestamp with time zone) IS 'What the gateway does next about an order, and when';

--
-- Name: explain_registered(pay.standing); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.explain_registered(p_s pay.standing, OUT waits_for text, OUT why text) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $_$
BEGIN
    SELECT v.waits_for, v.why INTO waits_for, why FROM (VALUES
        (p_s.differs, 'people',
         '%s says that another amount or currency was paid: somebody must '
         'compare it with the books of %1$s.'),
        (p_s.letter = 'poll', 'people',
         '%s did not say how it stands in %2$s attempts, so the gateway has '
         'stopped asking: somebody must look.'),
        (p_s.job IS NULL, 'people',
         'No background work is left that would go on with it: somebody '
         'must look.'),
        (p_s.job_code = 'psp_not_configured', 'people',
         '%s is not set up here any more, so it cannot be asked.'),
        (p_s.capture IN ('OPEN', 'UNKNOWN'), 'psp',
         'The buyer has agreed and %s was told to take the money; whether it '
         'has is not known yet, so it is asked.'),
        (p_s.capture IN ('DONE', 'PENDING') OR p_s.pending, 'psp',
         'The buyer has paid; %s has not said yet whether the money comes.'),
        (now() < p_s.expires_at, 'buyer',
         'There is a page at %s to pay on, and no payment is known yet.'),
        (p_s.job_code = 'no_answer', 'psp',
         'The time to pay is over, and %s does not answer how it ended: it '
         'is asked again.'),
        (now() < p_s.expires_at + interval '15 minutes', 'psp',
         'The time to pay is over, and %s is asked how it ended.'),
        (true, 'psp',
         'The time to pay is over, and %s has not said how it ended: it is '
         'asked again.')
        ) v (fits, waits_for, why)
    WHERE v.fits LIMIT 1;
END
$_$;

ALTER FUNCTION pay.explain_registered(p_s pay.standing, OUT waits_for text, OUT why text) OWNER TO payments_owner;

--
-- Name: FUNCTION explain_registered(p_s pay.standing, OUT waits_for text, OUT why text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.explain_registered(p_s pay.standing, OUT waits_for text, OUT why text) IS 'Who waits for whom, and why, while there is a page to pay on';

--
-- Name: explain_retry(pay.standing, timestamp with time zone); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.explain_retry(p_s pay.standing, p_at timestamp with time zone, OUT answer text, OUT after timestamp with time zone, OUT reason text) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_page_over  timestamptz := p_s.expires_at + interval '15 minutes';
    v_sale_over  timestamptz := p_s.expires_at + interval '1 hour';
BEGIN
    SELECT v.answer, v.after, v.reason INTO answer, after, reason FROM (VALUES
        (p_s.status = 'SUCCESS', 'no', NULL::timestamptz,
         'It is paid: another checkout would be a second sale.'),
        (p_s.late = 'held', 'no', NULL,
         'It was paid late, and somebody has to decide first whether it is '
         'a sale.'),
        (p_s.letter = 'refund' OR p_s.late = 'refunding'
             AND (p_s.refund_at IS NULL
                  OR p_s.refund_code = 'psp_not_configured'), 'no', NULL,
         'It was paid late, and somebody has to see first that it is paid '
         'back.'),
        (p_s.late = 'resolved', 'no', NULL,
         'It was paid late and settled by hand: ask who settled it first.'),
        (p_s.late = 'refunding', 'yes', NULL,
         'It was paid late, and that is being paid back.'),
        (p_s.late = 'refunded', 'yes', NULL,
         'It was paid late, and that was paid back.'),
        (p_s.differs, 'no', NULL,
         '%s says that something was paid, but not this amount.'),
        (p_s.status = 'FAILED' AND p_s.job = 'poll', 'after',
         greatest(p_at, now()),
         'There may be news, and %s is being asked: look again then.'),
        (p_s.status = 'FAILED' AND p_s.token IS NULL, 'yes', NULL,
         'Nobody ever had a page to pay on.'),
        (p_s.reason = 'expired' AND p_s.late_success = 'hold', 'yes', NULL,
         'Its time is over: a late payment would be held and not be a '
         'sale.'),
        (p_s.reason = 'expired' AND p_s.late_success = 'refund', 'yes', NULL,
         'Its time is over: a late payment would be paid back.'),
        (p_s.reason = 'expired' AND now() < v_sale_over, 'after', v_sale_over,
         'Its time is over, but a payment that was under way would still be '
         'a sale.'),
        (p_s.status = 'FAILED', 'yes', NULL, 'It has failed for good.'),
        (p_s.registered = 'REGISTERING' AND now() < p_s.expires_at, 'after',
         p_s.expires_at,
         'It may still get a page to pay on. The same request with the same '
         'Idempotency-Key is safe at any time.'),
        (p_s.registered = 'REGISTERING' AND p_at IS NOT NULL, 'after',
         greatest(p_at, now()),
         'Its time is over, and it is about to be closed.'),
        (p_s.letter = 'poll' OR p_s.job IS NULL, 'no', NULL,
         'Nobody knows whether it was paid: somebody must ask %s first.'),
        (p_s.capture IN ('OPEN', 'UNKNOWN', 'PENDING', 'DONE')
             OR p_s.pending, 'no', NULL, 'A payment is under way.'),
        (now() < v_page_over, 'after', v_page_over,
         'There is a page on which the buyer may still pay.'),
        (true, 'no', NULL,
         'Nobody knows whether it was paid until %s has said so.')
        ) v (fits, answer, after, reason)
    WHERE v.fits LIMIT 1;
END
$$;

ALTER FUNCTION pay.explain_retry(p_s pay.standing, p_at timestamp with time zone, OUT answer text, OUT after timestamp with time zone, OUT reason text) OWNER TO payments_owner;

--
-- Name: FUNCTION explain_retry(p_s pay.standing, p_at timestamp with time zone, OUT answer text, OUT after timestamp with time zone, OUT reason text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.explain_retry(p_s pay.standing, p_at timestamp with time zone, OUT answer text, OUT after timestamp with time zone, OUT reason text) IS 'Whether a new checkout for the same goods is safe, and why';

--
-- Name: explain_standing(pay.standing); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.explain_standing(p_s pay.standing) RETURNS json
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_next  record;
    v_wait  record;
    v_retry record;
    v_why   text;
BEGIN
    v_next := explain_next(p_s);
    v_retry := explain_retry(p_s, v_next.at);

    IF p_s.status IN ('SUCCESS', 'FAILED') THEN
        v_wait := explain_final(p_s);
    ELSIF p_s.registered = 'REGISTERING' THEN
        v_wait := explain_unregistered(p_s, v_next.what);
    ELSE
        v_wait := explain_registered(p_s);
    END IF;

    v_why := format(v_wait.why, p_s.psp, p_s.letter_attempts)
        || CASE WHEN p_s.stuck THEN
            ' It takes longer than it should, and is on the list of those '
            'on call.' ELSE '' END
        || CASE WHEN v_next.at < now() - interval '1 minute'
            AND coalesce(p_s.lease_until <= now(), true) THEN
            ' The next step is late: nobody has taken it yet.' ELSE '' END;

    RETURN json_build_object(
        'waits_for', v_wait.waits_for, 'why', v_why,
        'next_step', json_build_object('what', v_next.what,
                                       'at', iso_time(v_next.at)),
        'safe_to_retry', json_build_object('answer', v_retry.answer,
            'after', iso_time(v_retry.after),
            'reason', format(v_retry.reason, p_s.psp)));
END
$$;

ALTER FUNCTION pay.explain_standing(p_s pay.standing) OWNER TO payments_owner;

--
-- Name: FUNCTION explain_standing(p_s pay.standing); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.explain_standing(p_s pay.standing) IS 'waits_for, why, next_step and safe_to_retry of an order';

--
-- Name: explain_unregistered(pay.standing, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.explain_unregistered(p_s pay.standing, p_what text, OUT waits_for text, OUT why text) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $_$
BEGIN
    SELECT v.waits_for, v.why INTO waits_for, why FROM (VALUES
        (p_s.letter = 'register' AND p_s.letter_reason = 'key_window_over',
         'people', '%s may or may not have it, and it is too late to send '
         'it once more: somebody must ask %1$s.'),
        (p_s.letter = 'register' AND p_s.letter_reason = 'cancelled',
         'people', 'The first attempt at %s brought no page, and no second '
         'one is to be made without somebody''s word.'),
        (p_s.letter = 'register' AND p_s.sent IN ('OPEN', 'UNKNOWN'),
         'people', '%s gave no page in %2$s attempts and may or may not have '
         'it; the gateway has stopped asking: somebody must look.'),
        (p_s.letter = 'register', 'people',
         '%s gave no page in %2$s attempts, so the gateway has stopped '
         'asking: somebody must look.'),
        (p_s.job IS NULL, 'people',
         'No background work is left that would go on with it: somebody '
         'must look.'),
        (p_s.job_code = 'psp_not_configured', 'people',
         '%s is not set up here any more, so it cannot be asked.'),
        (p_s.job_code = 'request_refused', 'people',
         'What is stored of it cannot be sent to %s: somebody must look.'),
        (p_s.sent = 'OPEN' AND p_s.sent_lease_until > now(), 'psp',
         '%s is being asked for a page at this moment.'),
        (p_s.lease_until > now(), 'psp',
         '%s is being asked at this moment whether it has it.'),
        (p_what = 'expire' AND p_s.expires_at <= now(), 'gateway',
         'Its time is over and it never got a page: the next step closes '
         'it.'),
        (p_s.sent IN ('OPEN', 'UNKNOWN') AND p_what = 'expire', 'gateway',
         '%s may or may not have it; nothing more is sent, and it is closed '
         'when its time is over.'),
        (p_s.sent IN ('OPEN', 'UNKNOWN') AND p_what = 'find', 'psp',
         '%s may or may not have it, and it is too late to send it once '
         'more: %1$s is asked what it has.'),
        (p_s.sent IN ('OPEN', 'UNKNOWN'), 'psp',
         '%s may or may not have it: the same request is sent again, which '
         'cannot make a second one.'),
        (p_what = 'expire', 'gateway',
         'It is not at %s, and it is closed when its time is over.'),
        (true, 'gateway',
         'It is not at %s: the last attempt came to nothing, and the next '
         'one follows by itself.')
        ) v (fits, waits_for, why)
    WHERE v.fits LIMIT 1;
END
$_$;

ALTER FUNCTION pay.explain_unregistered(p_s pay.standing, p_what text, OUT waits_for text, OUT why text) OWNER TO payments_owner;

--
-- Name: FUNCTION explain_unregistered(p_s pay.standing, p_what text, OUT waits_for text, OUT why text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.explain_unregistered(p_s pay.standing, p_what text, OUT waits_for text, OUT why text) IS 'Who waits for whom, and why, before there is a page to pay on';

--
-- Name: fact_kind(text, bigint, text, bigint, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.fact_kind(p_fact text, p_amount_minor bigint, p_currency text, p_total_minor bigint, p_own_currency text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT CASE
    WHEN p_fact IN ('none', 'unknown') THEN p_fact
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
-- Name: find_order(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.find_order(p_merchant_id text, p_payment_order_id text) RETURNS SETOF pay.payment_order
    LANGUAGE sql STABLE
    AS $$
SELECT o.*
FROM (SELECT x.* FROM payment_order x
      WHERE x.merchant_id = p_merchant_id
          AND x.payment_order_id >= p_payment_order_id
      ORDER BY x.payment_order_id LIMIT 1) o
WHERE o.payment_order_id = p_payment_order_id
$$;

ALTER FUNCTION pay.find_order(p_merchant_id text, p_payment_order_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION find_order(p_merchant_id text, p_payment_order_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.find_order(p_merchant_id text, p_payment_order_id text) IS 'An order, by its key';

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
-- Name: give_back_jobs(text[], text[], text[], bigint[], text[], text[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.give_back_jobs(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_delay_ms bigint[], p_code text[], p_dead text[], p_items integer[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_dead     int[];
    v_psps     text[];
    v_attempts int[];
BEGIN
    WITH first AS MATERIALIZED (
        SELECT f.n, j.tid, j.job, (j.job).attempts, k.anew,
            (j.job).again_at IS NULL AND p_dead[f.n] <> ''
                AND NOT (k.anew AND p_dead[f.n] = 'retry_limit') AS dead
        FROM (
            SELECT DISTINCT ON (p_merchant_id[n], p_checkout_id[n],
                                p_kind[n]) n
            FROM unnest(p_items) n
            ORDER BY p_merchant_id[n], p_checkout_id[n], p_kind[n], n) f
        CROSS JOIN LATERAL (
            SELECT j.ctid AS tid, j AS job FROM job j
            WHERE j.merchant_id = p_merchant_id[f.n]
                AND j.checkout_id = p_checkout_id[f.n]
                AND j.kind = p_kind[f.n]
            OFFSET 0) j
        CROSS JOIN LATERAL (
            SELECT coalesce((j.job).kind = 'poll'
                AND p_code[f.n] = 'no_answer' AND (j.job).code NOT IN (
                    'no_answer', 'psp_not_configured'), false) AS anew) k
    ), ended AS MATERIALIZED (
        SELECT f.n, f.tid, f.attempts, f.anew, f.dead IS TRUE AS dead,
            f.dead IS TRUE
                OR job_is_over(f.job, p_delay_ms[f.n], p_code[f.n]) AS over
        FROM first f
    ), later AS (
        UPDATE job j
        SET attempts = CASE WHEN f.anew THEN 1 ELSE j.attempts END,
            run_at = least(j.again_at, now() + make_interval(
                secs => p_delay_ms[f.n] / 1000.0)),
            lease_owner = NULL, lease_until = NULL,
            code = nullif(p_code[f.n], '')
        FROM ended f
        WHERE NOT f.over AND j.ctid = f.tid
    ), gone AS (
        DELETE FROM job j
        USING ended f
        WHERE f.over AND j.ctid = f.tid
    )
    SELECT array_agg(f.n), array_agg(c.psp::text), array_agg(f.attempts)
    INTO v_dead, v_psps, v_attempts
    FROM ended f
    CROSS JOIN LATERAL (
        SELECT c.psp FROM checkout c
        WHERE c.merchant_id = p_merchant_id[f.n]
            AND c.checkout_id = p_checkout_id[f.n]
        OFFSET 0) c
    WHERE f.dead;

    IF v_dead IS NOT NULL THEN
        PERFORM open_dead_letter(
            ARRAY(SELECT p_merchant_id[n] FROM unnest(v_dead) n),
            ARRAY(SELECT p_checkout_id[n] FROM unnest(v_dead) n), v_psps,
            NULL, ARRAY(SELECT p_kind[n] FROM unnest(v_dead) n),
            ARRAY(SELECT p_dead[n] FROM unnest(v_dead) n),
            ARRAY(SELECT p_code[n] FROM unnest(v_dead) n), v_attempts);
    END IF;
END
$$;

ALTER FUNCTION pay.give_back_jobs(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_delay_ms bigint[], p_code text[], p_dead text[], p_items integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION give_back_jobs(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_delay_ms bigint[], p_code text[], p_dead text[], p_items integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.give_back_jobs(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_delay_ms bigint[], p_code text[], p_dead text[], p_items integer[]) IS 'Puts jobs off, drops them, or gives them up';

--
-- Name: hear_dispatches(text[], text[], text[], text[], bigint[], text[], text[], bigint[], text[], text[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.hear_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_items integer[], OUT stored integer[]) RETURNS integer[]
    LANGUAGE plpgsql
    AS $$
BEGIN
    WITH told AS (
        SELECT DISTINCT ON (d.tid) u.n, d.tid
        FROM unnest(p_items) AS u (n)
        CROSS JOIN LATERAL (
            SELECT d.ctid AS tid, d.attempt, d.state FROM dispatch d
            WHERE d.merchant_id = p_merchant_id[u.n]
                AND d.checkout_id = p_checkout_id[u.n]
                AND d.operation = p_operation[u.n]
                AND d.operation_id = p_operation_id[u.n]
            ORDER BY d.attempt DESC LIMIT 1) d
        WHERE d.attempt = p_attempt[u.n]
            AND CASE WHEN p_state[u.n] IN ('DONE', 'PENDING')
                         THEN d.state NOT IN ('DONE', 'PENDING')
                     WHEN p_state[u.n] = 'REFUSED'
                         THEN d.state IN ('OPEN', 'UNKNOWN')
                     ELSE d.state = 'OPEN' END
        ORDER BY d.tid, array_position(
            '{DONE,PENDING,REFUSED,UNKNOWN,NOT_SENT}', p_state[u.n]), u.n
    ), ended AS (
        UPDATE dispatch d
        SET state = CASE WHEN p_state[t.n] = 'NOT_SENT' AND d.unsure
                         THEN 'UNKNOWN' ELSE p_state[t.n] END,
            ended_at = clock_timestamp(), lease_until = NULL,
            reach = nullif(p_reach[t.n], ''),
            http_status = nullif(p_http_status[t.n], 0),
            code = nullif(p_code[t.n], ''),
            reference = nullif(p_reference[t.n], '')
        FROM told t
        WHERE d.ctid = t.tid
        RETURNING t.n
    )
    SELECT array_agg(e.n) INTO stored FROM ended e;
END
$$;

ALTER FUNCTION pay.hear_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_items integer[], OUT stored integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION hear_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_items integer[], OUT stored integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.hear_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_items integer[], OUT stored integer[]) IS 'Journals how calls ended; returns the items that were news';

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
        OFFSET 0) r;
END
$$;

ALTER FUNCTION pay.insert_beginnings(p_items pay.payment_item[]) OWNER TO payments_owner;

--
-- Name: FUNCTION insert_beginnings(p_items pay.payment_item[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.insert_beginnings(p_items pay.payment_item[]) IS 'First events, jobs and dispatches of new checkouts';

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
            credit_card_info, currency, total_minor, expires_at,
            late_success)
        SELECT DISTINCT ON (i.merchant_id, i.checkout_id)
            i.merchant_id, i.checkout_id, i.checkout_uuid, i.handle, i.psp,
            i.return_url, i.base_url, i.buyer_info, i.metadata,
            i.credit_card_info, i.currency, i.total_minor, i.expires_at,
            i.late_success
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
            lease_until, psps, key_windows)
        SELECT i.merchant_id, i.checkout_id, i.psp, n.nonce,
            now() + i.lease, i.psps, i.key_windows
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
        INSERT INTO webhook_inbox AS w (psp, event_id, state, via, type,
            fact, token, reference, code, amount_minor, currency, digest,
            merchant_id, checkout_id, request_id)
        SELECT DISTINCT ON (f.psp, f.event_id)
            f.psp, f.event_id,
            CASE WHEN f.kind = 'none' THEN 'ignored'
                 WHEN f.checkout_id IS NULL THEN 'parked'
                 WHEN f.kind = 'mismatch' THEN 'mismatch'
                 WHEN f.kind = 'notified' THEN 'asked'
                 ELSE 'applied' END,
            coalesce(f.detail ->> 'via', 'webhook'), f.type, p_fact[f.item],
            f.token, f.reference, f.code, f.amount_minor, f.currency,
            p_digest[f.item], f.merchant_id, f.checkout_id, f.request_id
        FROM unnest(p_facts) f
        WHERE f.actor = 'webhook' AND f.kind <> 'unknown'
        ORDER BY f.psp, f.event_id, f.item
        ON CONFLICT (psp, event_id) DO NOTHING
        RETURNING w.psp, w.event_id
    )
    SELECT array_agg(psp), array_agg(event_id) INTO v_psps, v_events
    FROM won;

    SELECT count(*) INTO v_wanted
    FROM unnest(p_facts) f
    WHERE f.actor = 'webhook' AND f.kind <> 'unknown';

    IF coalesce(cardinality(v_psps), 0) = v_wanted THEN
        RETURN '{}';
    END IF;

    RETURN ARRAY(
        SELECT f.item FROM unnest(p_facts) f
        WHERE f.actor = 'webhook' AND f.kind <> 'unknown' AND f.item NOT IN (
            SELECT min(g.item) FROM unnest(p_facts) g
            WHERE g.actor = 'webhook' AND g.kind <> 'unknown'
                AND (g.psp, g.event_id) IN (
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
            AND m.kind IN ('amount', 'currency')
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
-- Name: is_over(pay.dead_letter); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.is_over(p_letter pay.dead_letter) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN NOT CASE p_letter.reason
        WHEN 'registering' THEN is_registering(p_letter.merchant_id,
            p_letter.checkout_id)
        WHEN 'executing' THEN order_is(p_letter.merchant_id,
            p_letter.checkout_id, '{EXECUTING}')
        -- one that is being sent again is as little known as before
        WHEN 'unknown' THEN EXISTS (
            SELECT FROM dispatch d
            WHERE d.merchant_id = p_letter.merchant_id
                AND d.checkout_id = p_letter.checkout_id
                AND d.state IN ('OPEN', 'UNKNOWN')
                AND is_unsettled(d.merchant_id, d.checkout_id, d.operation))
        WHEN 'parked' THEN EXISTS (
            SELECT FROM webhook_inbox i
            WHERE i.psp = p_letter.psp AND i.event_id = p_letter.event_id
                AND i.state = 'parked')
        ELSE true END;
END
$$;

ALTER FUNCTION pay.is_over(p_letter pay.dead_letter) OWNER TO payments_owner;

--
-- Name: FUNCTION is_over(p_letter pay.dead_letter); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.is_over(p_letter pay.dead_letter) IS 'Whether the state that a dead letter is about has come right';

--
-- Name: is_registering(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.is_registering(p_merchant_id text, p_checkout_id text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM registration r
        WHERE r.merchant_id = p_merchant_id
            AND r.checkout_id = p_checkout_id AND r.state = 'REGISTERING');
END
$$;

ALTER FUNCTION pay.is_registering(p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION is_registering(p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.is_registering(p_merchant_id text, p_checkout_id text) IS 'Whether the PSP has still to give a token, or to refuse';

--
-- Name: is_statement(text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.is_statement(p_text text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$SELECT coalesce(p_text ~ '\S' AND octet_length(p_text) <= 200, false)$$;

ALTER FUNCTION pay.is_statement(p_text text) OWNER TO payments_owner;

--
-- Name: FUNCTION is_statement(p_text text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.is_statement(p_text text) IS 'Whether this can stand for who did something, or why';

--
-- Name: is_unsettled(text, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.is_unsettled(p_merchant_id text, p_checkout_id text, p_operation text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN CASE p_operation
        WHEN 'register' THEN is_registering(p_merchant_id, p_checkout_id)
        WHEN 'capture' THEN order_is(p_merchant_id, p_checkout_id,
            '{NOT_STARTED,EXECUTING,FAILED}')
        WHEN 'expire' THEN order_is(p_merchant_id, p_checkout_id,
            '{NOT_STARTED,EXECUTING}')
        WHEN 'refund' THEN NOT EXISTS (
            SELECT FROM late_success l
            WHERE l.merchant_id = p_merchant_id
                AND l.checkout_id = p_checkout_id
                AND l.state IN ('refunded', 'resolved'))
        ELSE true END;
END
$$;

ALTER FUNCTION pay.is_unsettled(p_merchant_id text, p_checkout_id text, p_operation text) OWNER TO payments_owner;

--
-- Name: FUNCTION is_unsettled(p_merchant_id text, p_checkout_id text, p_operation text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.is_unsettled(p_merchant_id text, p_checkout_id text, p_operation text) IS 'Whether it matters that the outcome of a call is not known';

--
-- Name: iso_time(timestamp with time zone); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.iso_time(p_at timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE
    AS $$
SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

ALTER FUNCTION pay.iso_time(p_at timestamp with time zone) OWNER TO payments_owner;

--
-- Name: FUNCTION iso_time(p_at timestamp with time zone); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.iso_time(p_at timestamp with time zone) IS 'A moment as JSON shows it, in UTC';

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
    CONSTRAINT job_kind_check CHECK ((kind = ANY (ARRAY['register'::text, 'poll'::text, 'refund'::text])))
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
-- Name: job_rank(text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.job_rank(p_kind text) RETURNS integer
    LANGUAGE sql IMMUTABLE
    AS $$SELECT CASE p_kind WHEN 'refund' THEN 1 WHEN 'register' THEN 2
                    ELSE 3 END$$;

ALTER FUNCTION pay.job_rank(p_kind text) OWNER TO payments_owner;

--
-- Name: FUNCTION job_rank(p_kind text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.job_rank(p_kind text) IS 'In which order jobs are handed out';

--
-- Name: keep_late(pay.fact[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.keep_late(p_facts pay.fact[], p_items integer[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_merchants text[];
    v_checkouts text[];
    v_psps      text[];
    v_states    text[];
BEGIN
    WITH kept AS (
        INSERT INTO late_success AS l (merchant_id, checkout_id, psp,
            event_id, source, reference, amount_minor, currency, state)
        SELECT DISTINCT ON (c.merchant_id, c.checkout_id)
            c.merchant_id, c.checkout_id, c.psp, f.event_id, f.actor,
            coalesce((SELECT g.reference FROM unnest(p_facts) g
                      WHERE g.merchant_id = f.merchant_id
                          AND g.checkout_id = f.checkout_id
                          AND g.item = ANY (p_items)
                          AND g.reference IS NOT NULL
                      ORDER BY g.turn LIMIT 1), r.reference),
            c.total_minor, c.currency,
            CASE c.late_success WHEN 'refund' THEN 'refunding'
                                ELSE 'held' END
        FROM unnest(p_facts) f
        JOIN checkout c ON c.merchant_id = f.merchant_id
            AND c.checkout_id = f.checkout_id
        JOIN registration r ON r.merchant_id = f.merchant_id
            AND r.checkout_id = f.checkout_id
        WHERE f.item = ANY (p_items)
        ORDER BY c.merchant_id, c.checkout_id, f.turn
        ON CONFLICT (merchant_id, checkout_id) DO UPDATE
        SET reference = EXCLUDED.reference
        WHERE l.reference IS NULL AND EXCLUDED.reference IS NOT NULL
        RETURNING l.*, l.xmax = 0 AS new
    )
    SELECT array_agg(k.merchant_id), array_agg(k.checkout_id),
        array_agg(k.psp), array_agg(k.state)
    INTO v_merchants, v_checkouts, v_psps, v_states
    FROM kept k WHERE k.new;

    IF v_merchants IS NULL THEN
        RETURN;
    END IF;

    DELETE FROM job j
    USING unnest(v_merchants, v_checkouts) AS u (merchant_id, checkout_id)
    WHERE j.merchant_id = u.merchant_id AND j.checkout_id = u.checkout_id
        AND j.kind = 'poll';
    PERFORM settle_dead_letters(v_merchants, v_checkouts, '{poll}', 'paid');

    INSERT INTO job (merchant_id, checkout_id, kind, run_at)
    SELECT u.merchant_id, u.checkout_id, 'refund', now()
    FROM unnest(v_merchants, v_checkouts, v_states) AS
        u (merchant_id, checkout_id, state)
    WHERE u.state = 'refunding';

    PERFORM open_dead_letter(array_agg(u.merchant_id),
        array_agg(u.checkout_id), array_agg(u.psp), NULL,
        array_agg('late_success'::text), array_agg('held'::text), NULL, NULL)
    FROM unnest(v_merchants, v_checkouts, v_psps, v_states) AS
        u (merchant_id, checkout_id, psp, state)
    WHERE u.state = 'held'
    HAVING count(*) > 0;
END
$$;

ALTER FUNCTION pay.keep_late(p_facts pay.fact[], p_items integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION keep_late(p_facts pay.fact[], p_items integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.keep_late(p_facts pay.fact[], p_items integer[]) IS 'Holds late payments, or has them paid back';

--
-- Name: keep_mismatches(pay.fact[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.keep_mismatches(p_facts pay.fact[], p_told integer[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO mismatch (merchant_id, checkout_id, kind, source, psp,
        event_id, token, amount_minor, currency, own_token, total_minor,
        own_currency, request_id)
    SELECT c.merchant_id, c.checkout_id,
        CASE WHEN f.kind <> 'mismatch' THEN 'contradiction'
             WHEN f.currency <> c.currency THEN 'currency'
             ELSE 'amount' END,
        f.actor, f.psp, f.event_id, f.token, f.amount_minor, f.currency,
        r.token, c.total_minor, c.currency, f.request_id
    FROM unnest(p_facts) f
    JOIN checkout c ON c.merchant_id = f.merchant_id
        AND c.checkout_id = f.checkout_id
    JOIN registration r ON r.merchant_id = f.merchant_id
        AND r.checkout_id = f.checkout_id
    WHERE f.kind = 'mismatch' OR f.item = ANY (p_told)
    ORDER BY f.item;
END
$$;

ALTER FUNCTION pay.keep_mismatches(p_facts pay.fact[], p_told integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION keep_mismatches(p_facts pay.fact[], p_told integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.keep_mismatches(p_facts pay.fact[], p_told integer[]) IS 'Queues for people what a PSP said and was not believed';

--
-- Name: keep_no_token(pay.fact[], bigint[], text[], bigint[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.keep_no_token(p_facts pay.fact[], p_retry_after_ms bigint[], p_reach text[], p_http_status bigint[], p_dead text[]) RETURNS integer[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_facts fact[];
BEGIN
    v_facts := ARRAY(
        SELECT f FROM unnest(p_facts) f WHERE f.kind <> 'held');

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

    PERFORM end_registers(v_facts, p_reach, p_http_status);
    PERFORM record_facts(v_facts);

    PERFORM put_off_registers(ARRAY(
        SELECT f FROM unnest(p_facts) f
        WHERE f.kind NOT IN ('refused', 'expired')), p_retry_after_ms,
        p_dead);
    PERFORM settle_registers(v_facts, k)
    FROM unnest('{refused,expired}'::text[]) k;

    RETURN ARRAY(SELECT f.item FROM unnest(p_facts) f);
END
$$;

ALTER FUNCTION pay.keep_no_token(p_facts pay.fact[], p_retry_after_ms bigint[], p_reach text[], p_http_status bigint[], p_dead text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION keep_no_token(p_facts pay.fact[], p_retry_after_ms bigint[], p_reach text[], p_http_status bigint[], p_dead text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.keep_no_token(p_facts pay.fact[], p_retry_after_ms bigint[], p_reach text[], p_http_status bigint[], p_dead text[]) IS 'Writes down how registrations without a token ended';

--
-- Name: keep_references(pay.fact[], integer[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.keep_references(p_facts pay.fact[], p_moved integer[], p_against integer[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE registration r
    SET reference = x.reference
    FROM (SELECT DISTINCT ON (f.merchant_id, f.checkout_id) f.*
          FROM unnest(p_facts) f
          WHERE f.reference IS NOT NULL
              AND f.kind NOT IN ('mismatch', 'notified')
              AND f.item <> ALL (p_against)
          ORDER BY f.merchant_id, f.checkout_id,
              f.item = ANY (p_moved) DESC, f.turn DESC) x
    WHERE r.merchant_id = x.merchant_id
        AND r.checkout_id = x.checkout_id
        AND (r.reference IS NULL OR x.item = ANY (p_moved));
END
$$;

ALTER FUNCTION pay.keep_references(p_facts pay.fact[], p_moved integer[], p_against integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION keep_references(p_facts pay.fact[], p_moved integer[], p_against integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.keep_references(p_facts pay.fact[], p_moved integer[], p_against integer[]) IS 'Keeps the PSP''s payment id, the one that moved the order if any did';

--
-- Name: key_window(text[], integer[], text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.key_window(p_psps text[], p_key_windows integer[], p_psp text) RETURNS interval
    LANGUAGE sql IMMUTABLE
    AS $$SELECT make_interval(secs => p_key_windows[array_position(p_psps, p_psp)])$$;

ALTER FUNCTION pay.key_window(p_psps text[], p_key_windows integer[], p_psp text) OWNER TO payments_owner;

--
-- Name: FUNCTION key_window(p_psps text[], p_key_windows integer[], p_psp text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.key_window(p_psps text[], p_key_windows integer[], p_psp text) IS 'How long this PSP of a registration knows a key';

--
-- Name: letters_of(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.letters_of(p_merchant_id text, p_checkout_id text) RETURNS SETOF pay.dead_letter
    LANGUAGE sql STABLE
    AS $$
SELECT x.* FROM dead_letter x
WHERE x.merchant_id = p_merchant_id AND x.checkout_id = p_checkout_id
OFFSET 0
$$;

ALTER FUNCTION pay.letters_of(p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION letters_of(p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.letters_of(p_merchant_id text, p_checkout_id text) IS 'The dead letters about a checkout, open and closed';

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
-- Name: lock_dead_letter(bigint); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.lock_dead_letter(p_id bigint, OUT letter pay.dead_letter, OUT merchant text, OUT checkout text) RETURNS record
    LANGUAGE plpgsql
    AS $$
BEGIN
    SELECT coalesce(d.merchant_id, t.merchant_id),
        coalesce(d.checkout_id, t.checkout_id)
    INTO merchant, checkout
    FROM dead_letter d
    LEFT JOIN webhook_inbox i ON i.psp = d.psp AND i.event_id = d.event_id
    LEFT JOIN psp_token t ON t.psp = i.psp AND t.token = i.token
    WHERE d.dead_letter_id = p_id;

    IF checkout IS NOT NULL THEN
        PERFORM lock_checkouts(ARRAY[merchant], ARRAY[checkout]);
    END IF;

    SELECT * INTO letter FROM dead_letter d
    WHERE d.dead_letter_id = p_id
    FOR UPDATE;
END
$$;

ALTER FUNCTION pay.lock_dead_letter(p_id bigint, OUT letter pay.dead_letter, OUT merchant text, OUT checkout text) OWNER TO payments_owner;

--
-- Name: FUNCTION lock_dead_letter(p_id bigint, OUT letter pay.dead_letter, OUT merchant text, OUT checkout text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.lock_dead_letter(p_id bigint, OUT letter pay.dead_letter, OUT merchant text, OUT checkout text) IS 'A dead letter and its checkout, both locked';

--
-- Name: lock_due_jobs(integer); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_due record;
BEGIN
    FOR v_rank IN 1 .. 3 LOOP
        EXIT WHEN coalesce(cardinality(kinds), 0) >= p_limit;

        SELECT array_agg(d.merchant_id::text ORDER BY d.run_at) AS merchants,
            array_agg(d.checkout_id::text ORDER BY d.run_at) AS checkouts,
            array_agg(d.kind) AS kinds
        INTO v_due
        FROM (
            SELECT j.merchant_id, j.checkout_id, j.kind, j.run_at
            FROM (
                SELECT j.* FROM job j
                WHERE job_rank(j.kind) = v_rank AND j.run_at <= now()
                    AND (j.lease_until IS NULL OR j.lease_until <= now())
                ORDER BY j.run_at
                FOR UPDATE SKIP LOCKED) j
            CROSS JOIN LATERAL (
                SELECT FROM checkout c
                WHERE c.merchant_id = j.merchant_id
                    AND c.checkout_id = j.checkout_id
                FOR NO KEY UPDATE SKIP LOCKED) c
            LIMIT p_limit - coalesce(cardinality(kinds), 0)) d;

        merchants := merchants || v_due.merchants;
        checkouts := checkouts || v_due.checkouts;
        kinds := kinds || v_due.kinds;
    END LOOP;
END
$$;

ALTER FUNCTION pay.lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[]) IS 'Jobs that may be handed out, with their checkouts locked';

--
-- Name: may_be_stuck(text, text, text, timestamp with time zone, interval); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.may_be_stuck(p_merchant_id text, p_checkout_id text, p_reason text, p_since timestamp with time zone, p_limit interval) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN p_since < now() - p_limit AND NOT EXISTS (
        SELECT FROM dead_letter d
        WHERE d.merchant_id = p_merchant_id AND d.checkout_id = p_checkout_id
            AND d.kind = 'stuck' AND (d.state = 'open'
                OR d.reason = p_reason AND (
                    d.state = 'resolved' AND d.closed_at >= p_since
                    OR d.state = 'requeued'
                    AND d.closed_at >= now() - p_limit)));
END
$$;

ALTER FUNCTION pay.may_be_stuck(p_merchant_id text, p_checkout_id text, p_reason text, p_since timestamp with time zone, p_limit interval) OWNER TO payments_owner;

--
-- Name: FUNCTION may_be_stuck(p_merchant_id text, p_checkout_id text, p_reason text, p_since timestamp with time zone, p_limit interval); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.may_be_stuck(p_merchant_id text, p_checkout_id text, p_reason text, p_since timestamp with time zone, p_limit interval) IS 'Whether those on call should hear of a state that is this old';

--
-- Name: move_orders(pay.fact[], integer); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.move_orders(p_facts pay.fact[], p_turn integer, OUT moved integer[], OUT late integer[], OUT against integer[], OUT told integer[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_now timestamptz := clock_timestamp();
BEGIN
    WITH step AS (
        SELECT f.*, o.tid, o.payment_order_id, o.status AS old_status,
            p.policy, k.news, next_status(o.status, k.news) AS new_status,
            CASE WHEN next_status(o.status, k.news) <> 'FAILED' THEN NULL
                 WHEN o.status = 'FAILED' THEN o.reason
                 WHEN k.news = 'refused' THEN 'rejected'
                 ELSE k.news END AS new_reason
        FROM unnest(p_facts) f
        CROSS JOIN LATERAL (
            SELECT o.ctid AS tid, o.payment_order_id, o.status, o.reason
            FROM payment_order o
            WHERE o.merchant_id = f.merchant_id
                AND o.checkout_id = f.checkout_id
            OFFSET 0) o
        CROSS JOIN LATERAL (
            SELECT CASE WHEN f.kind = 'paid' AND f.actor <> 'operator'
                            AND o.status = 'FAILED' AND o.reason = 'expired'
                THEN (SELECT nullif(c.late_success, 'accept')
                      FROM checkout c
                      WHERE c.merchant_id = f.merchant_id
                          AND c.checkout_id = f.checkout_id)
                END AS policy
            OFFSET 0) p
        CROSS JOIN LATERAL (
            SELECT news_kind(f.kind, f.actor, o.status, p.policy) AS news
            OFFSET 0) k
        WHERE f.turn = p_turn
    ), moved AS (
        UPDATE payment_order o
        SET status = s.new_status, reason = s.new_reason,
            version = o.version + 1
        FROM step s
        WHERE o.ctid = s.tid
            AND (s.new_status <> s.old_status
                 OR s.news IN ('registered', 'registration_unknown',
                               'registration_not_sent', 'rerouted',
                               'mismatch', 'late_refunded',
                               'dead_letter_requeued',
                               'dead_letter_resolved')
                 OR s.news = 'notified' AND s.actor = 'webhook'
                    AND s.old_status <> 'SUCCESS'
                 OR s.news = 'contradiction' AND s.actor = 'webhook'
                 OR (s.news = 'pending' AND s.old_status = 'EXECUTING'
                     OR s.news IN ('late_success', 'contradiction'))
                    AND NOT EXISTS (
                        SELECT FROM event e
                        WHERE e.merchant_id = s.merchant_id
                            AND e.payment_order_id = s.payment_order_id
                            AND e.kind = s.news
                            AND (e.actor = s.actor
                                 OR s.news <> 'contradiction')))
        RETURNING s.*, o.version
    ), logged AS (
        INSERT INTO event (merchant_id, payment_order_id, seq, at, kind,
            actor, old_status, new_status, reason, detail, request_id)
        SELECT m.merchant_id, m.payment_order_id, m.version, v_now, m.news,
            m.actor, m.old_status, m.new_status, m.new_reason,
            jsonb_strip_nulls(jsonb_build_object('type', m.type,
                'code', m.code, 'reference', m.reference,
                'policy', m.policy,
                'said', CASE WHEN m.news = 'contradiction' THEN m.kind END,
                'amount_minor', CASE WHEN m.news IN (
                    'mismatch', 'contradiction') THEN m.amount_minor END,
                'currency', CASE WHEN m.news IN (
                    'mismatch', 'contradiction') THEN m.currency END))
                || coalesce(m.detail, '{}'),
            m.request_id
        FROM moved m
    ), changed AS (
        SELECT DISTINCT m.item, m.merchant_id, m.checkout_id, m.news,
            m.new_status
        FROM moved m
        WHERE m.new_status <> m.old_status
    ), counted AS (
        -- what its readers see has changed: a status, or the address that
        -- "registered" brings; "paid" takes every order to SUCCESS
        UPDATE checkout c
        SET version = c.version + 1,
            is_payment_done = c.is_payment_done OR x.news = 'paid'
        FROM (SELECT DISTINCT m.merchant_id, m.checkout_id, m.news
              FROM moved m
              WHERE m.new_status <> m.old_status
                  OR m.news = 'registered') x
        CROSS JOIN LATERAL (
            SELECT k.ctid AS tid FROM checkout k
            WHERE k.merchant_id = x.merchant_id
                AND k.checkout_id = x.checkout_id
            OFFSET 0) k
        WHERE c.ctid = k.tid
    ), final AS (
        SELECT DISTINCT x.merchant_id, x.checkout_id, x.new_status
        FROM changed x
        WHERE x.new_status IN ('SUCCESS', 'FAILED')
    ), dropped AS (
        DELETE FROM job j
        USING final x
        CROSS JOIN LATERAL (
            SELECT k.ctid AS tid FROM job k
            WHERE k.merchant_id = x.merchant_id
                AND k.checkout_id = x.checkout_id
            OFFSET 0) k
        WHERE j.ctid = k.tid
            AND (x.new_status = 'SUCCESS' OR j.again_at IS NULL)
    ), settled AS (
        -- as settle_dead_letters() does; what is not known of an operation
        -- stays so, whatever became of the payment
        UPDATE dead_letter d
        SET state = 'settled', closed_at = v_now, closed_by = 'gateway',
            closed_why = x.new_status
        FROM final x
        CROSS JOIN LATERAL (
            SELECT k.ctid AS tid FROM dead_letter k
            WHERE k.merchant_id = x.merchant_id
                AND k.checkout_id = x.checkout_id AND k.state = 'open'
                AND k.kind IN ('poll', 'stuck') AND k.reason <> 'unknown'
            OFFSET 0) k
        WHERE d.ctid = k.tid
    )
    SELECT (SELECT array_agg(DISTINCT x.item) FROM changed x),
        array_agg(DISTINCT s.item) FILTER (WHERE s.news = 'late_success'),
        array_agg(DISTINCT s.item) FILTER (WHERE s.news = 'contradiction'),
        (SELECT array_agg(DISTINCT m.item) FROM moved m
         WHERE m.news = 'contradiction')
    INTO moved, late, against, told
    FROM step s;
END
$$;

ALTER FUNCTION pay.move_orders(p_facts pay.fact[], p_turn integer, OUT moved integer[], OUT late integer[], OUT against integer[], OUT told integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION move_orders(p_facts pay.fact[], p_turn integer, OUT moved integer[], OUT late integer[], OUT against integer[], OUT told integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.move_orders(p_facts pay.fact[], p_turn integer, OUT moved integer[], OUT late integer[], OUT against integer[], OUT told integer[]) IS 'Moves the orders of one turn of facts and writes their events';

--
-- Name: move_registers(pay.fact[], text[], text[], bigint[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.move_registers(p_facts pay.fact[], p_outcome text[], p_reach text[], p_http_status bigint[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE dispatch d
    SET state = CASE p_outcome[f.item] WHEN 'refused' THEN 'REFUSED'
                     ELSE 'NOT_SENT' END,
        ended_at = clock_timestamp(), lease_until = NULL,
        unsure = d.unsure AND p_outcome[f.item] = 'refused',
        reach = nullif(p_reach[f.item], ''),
        http_status = nullif(p_http_status[f.item], 0), code = f.code
    FROM unnest(p_facts) f
    CROSS JOIN LATERAL (
        SELECT k.ctid AS tid FROM registration r
        CROSS JOIN LATERAL (
            SELECT k.ctid FROM dispatch k
            WHERE k.merchant_id = r.merchant_id
                AND k.checkout_id = r.checkout_id
                AND k.operation = 'register' AND k.operation_id = r.nonce
            ORDER BY k.attempt DESC LIMIT 1) k
        WHERE r.merchant_id = f.merchant_id
            AND r.checkout_id = f.checkout_id
        OFFSET 0) k
    WHERE d.ctid = k.tid;

    INSERT INTO dispatch (merchant_id, checkout_id, operation, operation_id,
        attempt, psp, first_sent_at, sent_at, lease_until, key_until,
        request_id)
    SELECT f.merchant_id, f.checkout_id, 'register', r.nonce, r.attempt,
        r.psp, now(), now(), r.lease_until,
        now() + key_window(r.psps, r.key_windows, r.psp), f.request_id
    FROM unnest(p_facts) f
    CROSS JOIN LATERAL (
        SELECT r.nonce, r.psp, r.lease_until, r.psps, r.key_windows,
            coalesce((SELECT max(d.attempt) FROM dispatch d
                      WHERE d.merchant_id = r.merchant_id
                          AND d.checkout_id = r.checkout_id
                          AND d.operation = 'register'
                          AND d.operation_id = r.nonce), 0) + 1 AS attempt
        FROM registration r
        WHERE r.merchant_id = f.merchant_id
            AND r.checkout_id = f.checkout_id
        OFFSET 0) r;
END
$$;

ALTER FUNCTION pay.move_registers(p_facts pay.fact[], p_outcome text[], p_reach text[], p_http_status bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION move_registers(p_facts pay.fact[], p_outcome text[], p_reach text[], p_http_status bigint[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.move_registers(p_facts pay.fact[], p_outcome text[], p_reach text[], p_http_status bigint[]) IS 'Journals that registrations go on at another PSP';

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
-- Name: dispatch; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.dispatch (
    merchant_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    operation text NOT NULL COLLATE pg_catalog."C",
    operation_id pay.id NOT NULL,
    attempt integer DEFAULT 1 NOT NULL,
    psp pay.id NOT NULL,
    state text DEFAULT 'OPEN'::text NOT NULL COLLATE pg_catalog."C",
    sends integer DEFAULT 1 NOT NULL,
    unsure boolean DEFAULT false NOT NULL,
    first_sent_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    sent_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    lease_until timestamp with time zone,
    ended_at timestamp with time zone,
    key_until timestamp with time zone NOT NULL,
    reach text COLLATE pg_catalog."C",
    http_status integer,
    code text,
    reference text,
    request_id text,
    settled boolean DEFAULT false NOT NULL,
    CONSTRAINT dispatch_attempt_check CHECK ((attempt >= 1)),
    CONSTRAINT dispatch_check CHECK (((state = 'OPEN'::text) = (ended_at IS NULL))),
    CONSTRAINT dispatch_check1 CHECK (((sends > 1) OR (NOT unsure))),
    CONSTRAINT dispatch_check2 CHECK (((sends = 1) OR (sent_at < key_until))),
    CONSTRAINT dispatch_operation_check CHECK ((operation = ANY (ARRAY['register'::text, 'capture'::text, 'cancel'::text, 'refund'::text, 'expire'::text]))),
    CONSTRAINT dispatch_reach_check CHECK ((reach = ANY (ARRAY['nothing'::text, 'resolved'::text, 'connected'::text, 'tls'::text, 'written'::text, 'status'::text, 'complete'::text]))),
    CONSTRAINT dispatch_sends_check CHECK ((sends >= 1)),
    CONSTRAINT dispatch_state_check CHECK ((state = ANY (ARRAY['OPEN'::text, 'DONE'::text, 'PENDING'::text, 'REFUSED'::text, 'NOT_SENT'::text, 'UNKNOWN'::text])))
)
WITH (fillfactor='80', autovacuum_analyze_threshold='1000', autovacuum_vacuum_threshold='1000');

ALTER TABLE pay.dispatch OWNER TO payments_owner;

--
-- Name: newest_dispatch(text, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.newest_dispatch(p_merchant_id text, p_checkout_id text, p_operation text) RETURNS pay.dispatch
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_dispatch dispatch;
BEGIN
    SELECT d.* INTO v_dispatch FROM dispatch d
    WHERE d.merchant_id = p_merchant_id AND d.checkout_id = p_checkout_id
        AND d.operation = p_operation
    ORDER BY d.first_sent_at DESC, d.attempt DESC LIMIT 1;

    RETURN v_dispatch;
END
$$;

ALTER FUNCTION pay.newest_dispatch(p_merchant_id text, p_checkout_id text, p_operation text) OWNER TO payments_owner;

--
-- Name: FUNCTION newest_dispatch(p_merchant_id text, p_checkout_id text, p_operation text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.newest_dispatch(p_merchant_id text, p_checkout_id text, p_operation text) IS 'The newest attempt at an operation about a checkout';

--
-- Name: news_kind(text, text, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.news_kind(p_kind text, p_actor text, p_status text, p_policy text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT CASE
    WHEN p_policy IS NOT NULL THEN 'late_success'
    WHEN p_status = 'SUCCESS' AND p_actor <> 'gateway'
        AND p_kind IN ('declined', 'expired', 'cancelled', 'rejected')
        THEN 'contradiction'
    ELSE p_kind
END
$$;

ALTER FUNCTION pay.news_kind(p_kind text, p_actor text, p_status text, p_policy text) OWNER TO payments_owner;

--
-- Name: FUNCTION news_kind(p_kind text, p_actor text, p_status text, p_policy text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.news_kind(p_kind text, p_actor text, p_status text, p_policy text) IS 'What a fact is to an order in this status: its kind, or one of the two exceptions';

--
-- Name: next_checkouts(); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.next_checkouts(OUT merchants text[], OUT checkouts text[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
BEGIN
    SELECT array_agg(j.merchant_id), array_agg(j.checkout_id)
    INTO merchants, checkouts
    FROM round r
    CROSS JOIN LATERAL (
        SELECT j.merchant_id, j.checkout_id FROM job j
        WHERE (j.merchant_id, j.checkout_id)
            > (coalesce(r.merchant_id, ''), coalesce(r.checkout_id, ''))
        ORDER BY j.merchant_id, j.checkout_id LIMIT 1000) j
    WHERE r.name = 'sweep';

    UPDATE round r
    SET merchant_id = merchants[1000], checkout_id = checkouts[1000]
    WHERE r.name = 'sweep';
END
$$;

ALTER FUNCTION pay.next_checkouts(OUT merchants text[], OUT checkouts text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION next_checkouts(OUT merchants text[], OUT checkouts text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.next_checkouts(OUT merchants text[], OUT checkouts text[]) IS 'The next checkouts that have a job, in the order of their key';

--
-- Name: next_letters(); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.next_letters() RETURNS pay.dead_letter[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_page dead_letter[];
BEGIN
    v_page := ARRAY(
        SELECT d FROM dead_letter d
        WHERE d.state = 'open' AND d.dead_letter_id > coalesce(
            (SELECT r.letter_id FROM round r WHERE r.name = 'sweep'), 0)
        ORDER BY d.dead_letter_id LIMIT 1000);

    UPDATE round r
    SET letter_id = (v_page[1000]).dead_letter_id
    WHERE r.name = 'sweep';

    RETURN v_page;
END
$$;

ALTER FUNCTION pay.next_letters() OWNER TO payments_owner;

--
-- Name: FUNCTION next_letters(); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.next_letters() IS 'The next open dead letters';

--
-- Name: webhook_inbox; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.webhook_inbox (
    psp pay.id NOT NULL,
    event_id pay.id NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    state text NOT NULL COLLATE pg_catalog."C",
    via text DEFAULT 'webhook'::text NOT NULL COLLATE pg_catalog."C",
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
    CONSTRAINT webhook_inbox_state_check CHECK ((state = ANY (ARRAY['applied'::text, 'unchanged'::text, 'asked'::text, 'parked'::text, 'mismatch'::text, 'ignored'::text, 'held'::text, 'contradiction'::text]))),
    CONSTRAINT webhook_inbox_via_check CHECK ((via = ANY (ARRAY['webhook'::text, 'backfill'::text])))
)
WITH (autovacuum_analyze_threshold='1000', autovacuum_vacuum_threshold='1000');

ALTER TABLE pay.webhook_inbox OWNER TO payments_owner;

--
-- Name: next_parked(interval); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.next_parked(p_limit interval) RETURNS pay.webhook_inbox[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_page webhook_inbox[];
    v_last int;
BEGIN
    v_page := ARRAY(
        SELECT i FROM webhook_inbox i
        WHERE i.state = 'parked' AND i.received_at < now() - p_limit
            AND i.received_at > coalesce(
                (SELECT r.received_at FROM round r WHERE r.name = 'sweep'),
                '-infinity')
        ORDER BY i.received_at FETCH FIRST 1000 ROWS WITH TIES);
    v_last := cardinality(v_page);

    UPDATE round r
    SET received_at = CASE WHEN v_last >= 1000
                           THEN (v_page[v_last]).received_at END
    WHERE r.name = 'sweep';

    RETURN v_page;
END
$$;

ALTER FUNCTION pay.next_parked(p_limit interval) OWNER TO payments_owner;

--
-- Name: FUNCTION next_parked(p_limit interval); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.next_parked(p_limit interval) IS 'The next webhooks that have been parked for that long';

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
-- Name: next_unknown(interval); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.next_unknown(p_limit interval) RETURNS pay.dispatch[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_page dispatch[];
    v_last int;
BEGIN
    v_page := ARRAY(
        SELECT d FROM dispatch d
        WHERE d.state = 'UNKNOWN' AND NOT d.settled
            AND d.first_sent_at < now() - p_limit
            AND d.first_sent_at > coalesce(
                (SELECT r.sent_at FROM round r WHERE r.name = 'sweep'),
                '-infinity')
        ORDER BY d.first_sent_at FETCH FIRST 1000 ROWS WITH TIES);
    v_last := cardinality(v_page);

    UPDATE round r
    SET sent_at = CASE WHEN v_last >= 1000
                       THEN (v_page[v_last]).first_sent_at END
    WHERE r.name = 'sweep';

    RETURN v_page;
END
$$;

ALTER FUNCTION pay.next_unknown(p_limit interval) OWNER TO payments_owner;

--
-- Name: FUNCTION next_unknown(p_limit interval); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.next_unknown(p_limit interval) IS 'The next calls whose outcome has not been known for that long';

--
-- Name: open_dead_letter(text[], text[], text[], text[], text[], text[], text[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.open_dead_letter(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_event_id text[], p_kind text[], p_reason text[], p_code text[], p_attempts integer[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO dead_letter (merchant_id, checkout_id, psp, event_id, kind,
        reason, code, attempts)
    SELECT u.merchant_id, u.checkout_id, u.psp, u.event_id, u.kind, u.reason,
        nullif(u.code, ''), coalesce(u.attempts, 0)
    FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_event_id, p_kind,
        p_reason, p_code, p_attempts) AS u (merchant_id, checkout_id, psp,
        event_id, kind, reason, code, attempts)
    ORDER BY u.merchant_id, u.checkout_id, u.kind, u.psp, u.event_id
    ON CONFLICT (merchant_id, checkout_id, kind, psp, event_id)
        WHERE state = 'open'
        DO NOTHING;
END
$$;

ALTER FUNCTION pay.open_dead_letter(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_event_id text[], p_kind text[], p_reason text[], p_code text[], p_attempts integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION open_dead_letter(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_event_id text[], p_kind text[], p_reason text[], p_code text[], p_attempts integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.open_dead_letter(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_event_id text[], p_kind text[], p_reason text[], p_code text[], p_attempts integer[]) IS 'Puts down what people should look at, once while it is open';

--
-- Name: order_is(text, text, text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.order_is(p_merchant_id text, p_checkout_id text, p_statuses text[]) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM payment_order o
        WHERE o.merchant_id = p_merchant_id
            AND o.checkout_id = p_checkout_id AND o.position = 1
            AND o.status = ANY (p_statuses));
END
$$;

ALTER FUNCTION pay.order_is(p_merchant_id text, p_checkout_id text, p_statuses text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION order_is(p_merchant_id text, p_checkout_id text, p_statuses text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.order_is(p_merchant_id text, p_checkout_id text, p_statuses text[]) IS 'Whether a checkout''s orders have one of these statuses';

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
                AND (o.status = 'EXECUTING'
                     OR o.status = 'FAILED' AND NOT EXISTS (
                         SELECT FROM late_success l
                         WHERE l.merchant_id = f.merchant_id
                             AND l.checkout_id = f.checkout_id))
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
-- Name: purge(integer, interval, interval); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.purge(p_limit integer DEFAULT 10000, p_ignored_after interval DEFAULT '90 days'::interval, p_closed_after interval DEFAULT '1 year'::interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint, OUT dead_letters bigint, OUT quarantined bigint) RETURNS record
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
        WHERE (i.state = 'asked' OR i.state = 'ignored' AND i.fact = 'none')
            AND i.received_at < now() - p_ignored_after
        ORDER BY i.received_at
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS ignored_webhooks = ROW_COUNT;

    dead_letters := purge_letters(p_limit, p_closed_after);

    DELETE FROM webhook_quarantine w
    WHERE w.ctid = ANY (ARRAY(
        SELECT q.ctid FROM webhook_quarantine q
        WHERE q.received_at < now() - interval '30 days'
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS quarantined = ROW_COUNT;
END
$$;

ALTER FUNCTION pay.purge(p_limit integer, p_ignored_after interval, p_closed_after interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint, OUT dead_letters bigint, OUT quarantined bigint) OWNER TO payments_owner;

--
-- Name: FUNCTION purge(p_limit integer, p_ignored_after interval, p_closed_after interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint, OUT dead_letters bigint, OUT quarantined bigint); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.purge(p_limit integer, p_ignored_after interval, p_closed_after interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint, OUT dead_letters bigint, OUT quarantined bigint) IS 'Deletes expired idempotency keys, old webhooks that said nothing, closed dead letters and what was quarantined';

--
-- Name: purge_letters(integer, interval); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.purge_letters(p_limit integer, p_closed_after interval) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'pay', 'pg_temp'
    AS $$
DECLARE
    v_count bigint;
BEGIN
    DELETE FROM dead_letter w
    WHERE w.ctid = ANY (ARRAY(
        SELECT d.ctid FROM dead_letter d
        WHERE d.state <> 'open' AND d.closed_at < now() - p_closed_after
            AND (d.kind NOT IN ('stuck', 'parked') OR is_over(d))
        ORDER BY d.closed_at
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;

ALTER FUNCTION pay.purge_letters(p_limit integer, p_closed_after interval) OWNER TO payments_owner;

--
-- Name: FUNCTION purge_letters(p_limit integer, p_closed_after interval); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.purge_letters(p_limit integer, p_closed_after interval) IS 'Deletes old closed dead letters';

--
-- Name: put_off_registers(pay.fact[], bigint[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.put_off_registers(p_facts pay.fact[], p_retry_after_ms bigint[], p_dead text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_fact     fact;
    v_attempts int;
BEGIN
    FOREACH v_fact IN ARRAY p_facts LOOP
        UPDATE job j
        SET attempts = j.attempts + (j.lease_owner IS NULL)::int,
            lease_owner = NULL, lease_until = NULL, code = v_fact.code,
            run_at = CASE WHEN p_dead[v_fact.item] <> ''
                THEN (SELECT c.expires_at FROM checkout c
                      WHERE c.merchant_id = v_fact.merchant_id
                          AND c.checkout_id = v_fact.checkout_id)
                ELSE now() + make_interval(
                    secs => p_retry_after_ms[v_fact.item] / 1000.0) END
        WHERE j.merchant_id = v_fact.merchant_id
            AND j.checkout_id = v_fact.checkout_id AND j.kind = 'register'
        RETURNING j.attempts INTO v_attempts;

        IF FOUND AND p_dead[v_fact.item] <> '' THEN
            PERFORM open_dead_letter(ARRAY[v_fact.merchant_id],
                ARRAY[v_fact.checkout_id], ARRAY[v_fact.psp], NULL,
                '{register}', p_dead[v_fact.item:v_fact.item],
                ARRAY[v_fact.code], ARRAY[v_attempts]);
        END IF;
    END LOOP;
END
$$;

ALTER FUNCTION pay.put_off_registers(p_facts pay.fact[], p_retry_after_ms bigint[], p_dead text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION put_off_registers(p_facts pay.fact[], p_retry_after_ms bigint[], p_dead text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.put_off_registers(p_facts pay.fact[], p_retry_after_ms bigint[], p_dead text[]) IS 'Puts register jobs off, or gives them up';

--
-- Name: quarantine_ok(text, text, bytea, jsonb, bytea, bigint); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.quarantine_ok(p_psp text, p_reason text, p_digest bytea, p_headers jsonb, p_body bytea, p_size bigint) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT coalesce(id_ok(p_psp) AND p_reason IN ('no_key', 'malformed', 'stale',
        'skew', 'wrong_key', 'altered_body', 'mismatch', 'certificate')
    AND octet_length(p_digest) = 32 AND jsonb_typeof(p_headers) IS NOT NULL
    AND octet_length(p_headers::text) <= 16384 AND octet_length(p_body) <= 4096
    AND p_size >= octet_length(p_body), false)
$$;

ALTER FUNCTION pay.quarantine_ok(p_psp text, p_reason text, p_digest bytea, p_headers jsonb, p_body bytea, p_size bigint) OWNER TO payments_owner;

--
-- Name: FUNCTION quarantine_ok(p_psp text, p_reason text, p_digest bytea, p_headers jsonb, p_body bytea, p_size bigint); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.quarantine_ok(p_psp text, p_reason text, p_digest bytea, p_headers jsonb, p_body bytea, p_size bigint) IS 'Whether quarantine_webhook can keep this webhook';

--
-- Name: reach_ok(text, bigint); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.reach_ok(p_reach text, p_http_status bigint) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT coalesce(p_reach, '') IN ('', 'nothing', 'resolved', 'connected',
                                 'tls', 'written', 'status', 'complete')
    AND coalesce(p_http_status, 0) BETWEEN 0 AND 999
$$;

ALTER FUNCTION pay.reach_ok(p_reach text, p_http_status bigint) OWNER TO payments_owner;

--
-- Name: FUNCTION reach_ok(p_reach text, p_http_status bigint); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.reach_ok(p_reach text, p_http_status bigint) IS 'Whether the journal can take how far a call came';

--
-- Name: read_facts(text[], text[], text[], text[], text[], text[], text[], text[], bigint[], text[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.read_facts(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_request_id text[]) RETURNS pay.fact[]
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN ARRAY(
        SELECT ROW(u.n, NULL, t.merchant_id, t.checkout_id,
            fact_kind(CASE WHEN u.source = 'backfill'
                               AND t.checkout_id IS NULL THEN 'unknown'
                           WHEN u.token <> '' THEN u.fact
                           ELSE 'none' END,
                      u.amount_minor, nullif(u.currency, ''),
                      c.total_minor, c.currency),
            CASE u.source WHEN 'backfill' THEN 'webhook' ELSE u.source END,
            u.psp, nullif(u.event_id, ''), nullif(u.type, ''),
            nullif(u.code, ''), nullif(u.token, ''), nullif(u.reference, ''),
            u.amount_minor, nullif(u.currency, ''), u.request_id,
            CASE u.source WHEN 'backfill'
                THEN jsonb_build_object('via', u.source) END,
            NULL)::fact
        FROM unnest(p_psp, p_source, p_event_id, p_type, p_fact, p_token,
            p_reference, p_code, p_amount_minor, p_currency, p_request_id)
            WITH ORDINALITY AS u (psp, source, event_id, type, fact, token,
            reference, code, amount_minor, currency, request_id, n)
        LEFT JOIN psp_token t ON t.psp = u.psp AND t.token = u.token
        LEFT JOIN checkout c ON c.merchant_id = t.merchant_id
            AND c.checkout_id = t.checkout_id
        WHERE id_ok(u.psp)
            AND CASE u.fact
                WHEN 'ask' THEN u.source IN ('webhook', 'backfill', 'hint')
                ELSE u.source IN ('webhook', 'backfill', 'query', 'gateway')
                END
            AND CASE WHEN u.source IN ('webhook', 'backfill')
                     THEN id_ok(u.event_id)
                     WHEN u.source = 'hint'
                     THEN coalesce(u.event_id, '') = ''
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
-- Name: read_no_tokens(text[], text[], text[], text[], text[], text[], text[], bigint[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.read_no_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_request_id text[], p_reach text[], p_http_status bigint[]) RETURNS pay.fact[]
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN ARRAY(
        SELECT DISTINCT ON (r.merchant_id, r.checkout_id)
            ROW(u.n, NULL, r.merchant_id, r.checkout_id,
                CASE u.outcome WHEN 'unknown' THEN 'registration_unknown'
                               WHEN 'not_sent' THEN 'registration_not_sent'
                               ELSE u.outcome END,
                'gateway', r.psp, NULL, NULL, nullif(u.code, ''), NULL, NULL,
                NULL, NULL, u.request_id,
                CASE WHEN u.outcome <> 'expired'
                    THEN jsonb_strip_nulls(jsonb_build_object(
                        'reach', nullif(u.reach, ''),
                        'http_status', nullif(u.http_status, 0),
                        'sends', d.sends)) END, NULL)::fact
        FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_outcome, p_code,
            p_request_id, p_reach, p_http_status) WITH ORDINALITY AS u
            (merchant_id, checkout_id, psp, outcome, code, request_id, reach,
            http_status, n)
        CROSS JOIN LATERAL (
            SELECT r.* FROM registration r
            WHERE r.merchant_id = u.merchant_id
                AND r.checkout_id = u.checkout_id
            OFFSET 0) r
        LEFT JOIN LATERAL (
            SELECT d.sends FROM dispatch d
            WHERE d.merchant_id = u.merchant_id
                AND d.checkout_id = u.checkout_id
                AND d.operation = 'register' AND d.operation_id = r.nonce
            ORDER BY d.attempt DESC LIMIT 1) d ON true
        WHERE r.state = 'REGISTERING' AND r.psp = u.psp
            AND u.outcome IS NOT NULL
        ORDER BY r.merchant_id, r.checkout_id,
            array_position('{refused,expired,unknown,not_sent,held}',
                           u.outcome), u.n);
END
$$;

ALTER FUNCTION pay.read_no_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_request_id text[], p_reach text[], p_http_status bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION read_no_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_request_id text[], p_reach text[], p_http_status bigint[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.read_no_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_request_id text[], p_reach text[], p_http_status bigint[]) IS 'Items of store_no_token that count';

--
-- Name: read_windows(text, integer); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.read_windows(p_windows text, p_count integer) RETURNS integer[]
    LANGUAGE sql IMMUTABLE
    AS $_$
SELECT CASE
    WHEN coalesce(p_windows, '') = '' THEN array_fill(86400, ARRAY[p_count])
    WHEN p_windows ~ '^[0-9]{1,9}( [0-9]{1,9}){0,7}$'
        THEN string_to_array(p_windows, ' ')::int[]
END
$_$;

ALTER FUNCTION pay.read_windows(p_windows text, p_count integer) OWNER TO payments_owner;

--
-- Name: FUNCTION read_windows(p_windows text, p_count integer); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.read_windows(p_windows text, p_count integer) IS 'key_windows of begin_payment as numbers, NULL if they are none';

--
-- Name: record_facts(pay.fact[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.record_facts(p_facts pay.fact[]) RETURNS pay.fact[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_facts   fact[];
    v_last    int;
    v_step    record;
    v_moved   int[] := '{}';
    v_late    int[] := '{}';
    v_against int[] := '{}';
    v_told    int[] := '{}';
    v_wrong   boolean;
    v_named   boolean;
    v_asked   boolean;
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
        v_step := move_orders(v_facts, v_turn);
        v_moved := v_moved || v_step.moved;
        v_late := v_late || v_step.late;
        v_against := v_against || v_step.against;
        v_told := v_told || v_step.told;
    END LOOP;

    IF v_wrong OR v_told <> '{}' THEN
        PERFORM keep_mismatches(v_facts, v_told);
    END IF;

    IF v_named THEN
        PERFORM keep_references(v_facts, v_moved, v_against);
    END IF;

    IF v_late <> '{}' THEN
        PERFORM keep_late(v_facts, v_late);
    END IF;

    IF v_asked THEN
        PERFORM poll_soon(v_facts);
    END IF;

    RETURN ARRAY(
        SELECT with_outcome(f, CASE
            WHEN f.kind = 'mismatch' THEN 'mismatch'
            WHEN f.kind = 'notified' THEN 'asked'
            WHEN f.item = ANY (v_moved) THEN 'applied'
            WHEN f.item = ANY (v_late) THEN 'held'
            WHEN f.item = ANY (v_against) THEN 'contradiction'
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
-- Name: retry_letter(pay.dead_letter, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.retry_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    CASE p_letter.kind
    WHEN 'late_success' THEN
        RETURN accept_late(p_merchant_id, p_checkout_id);
    WHEN 'parked' THEN
        RETURN apply_letter(p_letter, p_merchant_id, p_checkout_id);
    WHEN 'stuck' THEN
        RETURN start_job(p_merchant_id, p_checkout_id, 'register')
            OR start_job(p_merchant_id, p_checkout_id, 'refund')
            OR start_job(p_merchant_id, p_checkout_id, 'poll');
    ELSE
        RETURN start_job(p_merchant_id, p_checkout_id, p_letter.kind);
    END CASE;
END
$$;

ALTER FUNCTION pay.retry_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION retry_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.retry_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text) IS 'Does again what a dead letter has given up';

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
-- Name: send_dispatches(text[], text[], text[], text[], text[], bigint[], bigint[], text[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.send_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[], p_items integer[], OUT items integer[], OUT outcomes text[], OUT attempts bigint[], OUT sends bigint[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
BEGIN
    WITH due AS MATERIALIZED (
        SELECT u.*, d.tid, d.attempt, d.sends, o.key_until,
            now() + make_interval(secs => p_lease_ms[u.n] / 1000.0) AS lease,
            CASE WHEN p_psp[u.n] <> r.psp
                     OR u.operation IN ('capture', 'expire')
                        AND u.operation_id <> r.nonce THEN 'invalid'
                 WHEN l.state NOT IN ('refunding', 'refunded') THEN 'invalid'
                 WHEN l.state = 'refunded' THEN 'done'
                 WHEN d.state IN ('NOT_SENT', 'REFUSED')
                     AND now() >= o.key_until THEN 'ask'
                 WHEN d.state IS NULL OR d.state IN ('NOT_SENT', 'REFUSED')
                     THEN 'new'
                 WHEN d.state IN ('DONE', 'PENDING') THEN 'done'
                 WHEN d.psp <> p_psp[u.n] THEN 'invalid'
                 WHEN d.state = 'OPEN' AND d.lease_until > now() THEN 'busy'
                 WHEN now() + make_interval(secs => p_lease_ms[u.n] / 1000.0)
                     < d.key_until
                     AND d.first_sent_at < d.key_until THEN 'again'
                 ELSE 'ask' END AS step
        FROM (
            SELECT i.*, row_number() OVER (
                PARTITION BY i.merchant_id, i.checkout_id, i.operation,
                    i.operation_id ORDER BY i.n) = 1 AS first
            FROM unnest(p_merchant_id, p_checkout_id, p_operation,
                p_operation_id) WITH ORDINALITY AS i (merchant_id,
                checkout_id, operation, operation_id, n)
            WHERE i.n = ANY (p_items)) u
        CROSS JOIN LATERAL (
            SELECT r.psp, r.nonce FROM registration r
            WHERE r.merchant_id = u.merchant_id
                AND r.checkout_id = u.checkout_id
            OFFSET 0) r
        LEFT JOIN LATERAL (
            SELECT l.state FROM late_success l
            WHERE l.merchant_id = u.merchant_id
                AND l.checkout_id = u.checkout_id
                AND l.refund_id::text = u.operation_id
            OFFSET 0) l ON u.operation = 'refund'
        LEFT JOIN LATERAL (
            SELECT d.ctid AS tid, d.* FROM dispatch d
            WHERE d.merchant_id = u.merchant_id
                AND d.checkout_id = u.checkout_id
                AND d.operation = u.operation
                AND d.operation_id = u.operation_id
            ORDER BY d.attempt DESC LIMIT 1) d ON true
        LEFT JOIN LATERAL (
            SELECT min(x.key_until) AS key_until FROM dispatch x
            WHERE x.merchant_id = u.merchant_id
                AND x.checkout_id = u.checkout_id
                AND x.operation = u.operation
                AND x.operation_id = u.operation_id
                AND x.state = 'REFUSED' AND x.unsure) o
            ON d.state IN ('NOT_SENT', 'REFUSED')
    ), told AS (
        UPDATE dispatch d
        SET state = CASE u.step WHEN 'again' THEN 'OPEN' ELSE 'UNKNOWN' END,
            sends = d.sends + (u.step = 'again')::int,
            unsure = d.unsure OR u.step = 'again',
            sent_at = CASE u.step WHEN 'again' THEN now() ELSE d.sent_at END,
            lease_until = CASE u.step WHEN 'again' THEN u.lease END,
            ended_at = CASE u.step WHEN 'ask'
                           THEN coalesce(d.ended_at, now()) END
        FROM due u
        WHERE u.first AND u.step IN ('again', 'ask') AND d.ctid = u.tid
    ), begun AS (
        INSERT INTO dispatch (merchant_id, checkout_id, operation,
            operation_id, attempt, psp, first_sent_at, sent_at, lease_until,
            key_until, request_id)
        SELECT u.merchant_id, u.checkout_id, u.operation, u.operation_id,
            coalesce(u.attempt, 0) + 1, p_psp[u.n], now(), now(), u.lease,
            least(u.key_until,
                  now() + make_interval(secs => p_key_window_s[u.n])),
            p_request_id[u.n]
        FROM due u
        WHERE u.first AND u.step = 'new'
    )
    SELECT array_agg(u.n), array_agg(
            CASE WHEN u.step NOT IN ('new', 'again') THEN u.step
                 WHEN u.first THEN 'send'
                 ELSE 'busy' END),
        array_agg(CASE u.step WHEN 'new' THEN coalesce(u.attempt, 0) + 1
                              ELSE u.attempt END),
        array_agg(CASE u.step WHEN 'new' THEN 1
                              WHEN 'again' THEN u.sends + 1
                              ELSE u.sends END)
    INTO items, outcomes, attempts, sends
    FROM due u;
END
$$;

ALTER FUNCTION pay.send_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[], p_items integer[], OUT items integer[], OUT outcomes text[], OUT attempts bigint[], OUT sends bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION send_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[], p_items integer[], OUT items integer[], OUT outcomes text[], OUT attempts bigint[], OUT sends bigint[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.send_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[], p_items integer[], OUT items integer[], OUT outcomes text[], OUT attempts bigint[], OUT sends bigint[]) IS 'Journals what may be sent and says of the rest why not';

--
-- Name: send_registers(text[], text[], text[], bigint[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.send_registers(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_lease_ms bigint[]) RETURNS text[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_kinds text[];
BEGIN
    WITH due AS MATERIALIZED (
        SELECT u.n, u.merchant_id, u.checkout_id, u.kind, r.psp, r.nonce,
            r.tid AS registration, d.tid AS dispatch, d.attempt,
            now() + make_interval(secs => u.lease_ms / 1000.0) AS lease,
            now() + key_window(r.psps, r.key_windows, r.psp) AS key_until,
            CASE WHEN r.expired THEN 'over'
                 WHEN d.state IS NULL OR d.state IN ('NOT_SENT', 'REFUSED')
                     THEN 'new'
                 WHEN d.state NOT IN ('OPEN', 'UNKNOWN') THEN 'find'
                 WHEN now() + make_interval(secs => u.lease_ms / 1000.0)
                     < d.key_until
                     AND d.first_sent_at < d.key_until THEN 'again'
                 WHEN d.state = 'OPEN'
                     AND (d.lease_until > now()) IS NOT TRUE THEN 'lost'
                 ELSE 'find' END AS step
        FROM unnest(p_merchant_id, p_checkout_id, p_kind, p_lease_ms)
            WITH ORDINALITY AS u (merchant_id, checkout_id, kind, lease_ms,
                                  n)
        LEFT JOIN LATERAL (
            SELECT r.ctid AS tid, r.psp, r.nonce, r.psps, r.key_windows,
                c.expires_at <= now() AS expired
            FROM registration r
            JOIN checkout c ON c.merchant_id = r.merchant_id
                AND c.checkout_id = r.checkout_id
            WHERE r.merchant_id = u.merchant_id
                AND r.checkout_id = u.checkout_id
            OFFSET 0) r ON u.kind = 'register'
        LEFT JOIN LATERAL (
            SELECT d.ctid AS tid, d.* FROM dispatch d
            WHERE d.merchant_id = u.merchant_id
                AND d.checkout_id = u.checkout_id
                AND d.operation = 'register' AND d.operation_id = r.nonce
            ORDER BY d.attempt DESC LIMIT 1) d ON true
    ), raised AS (
        UPDATE registration r
        SET open_attempts = r.open_attempts + 1
        FROM due u
        WHERE u.kind = 'register' AND u.step IN ('new', 'again')
            AND r.ctid = u.registration
    ), told AS (
        UPDATE dispatch d
        SET state = CASE u.step WHEN 'again' THEN 'OPEN' ELSE 'UNKNOWN' END,
            sends = d.sends + (u.step = 'again')::int,
            unsure = d.unsure OR u.step = 'again',
            sent_at = CASE u.step WHEN 'again' THEN now() ELSE d.sent_at END,
            lease_until = CASE u.step WHEN 'again' THEN u.lease END,
            ended_at = CASE u.step WHEN 'lost' THEN now() END
        FROM due u
        WHERE u.kind = 'register' AND u.step IN ('again', 'lost')
            AND d.ctid = u.dispatch
    ), begun AS (
        INSERT INTO dispatch (merchant_id, checkout_id, operation,
            operation_id, attempt, psp, first_sent_at, sent_at, lease_until,
            key_until)
        SELECT u.merchant_id, u.checkout_id, 'register', u.nonce,
            coalesce(u.attempt, 0) + 1, u.psp, now(), now(), u.lease,
            u.key_until
        FROM due u
        WHERE u.kind = 'register' AND u.step = 'new'
    )
    SELECT array_agg(CASE WHEN u.kind <> 'register' THEN u.kind
                          WHEN u.step IN ('find', 'lost') THEN 'find'
                          WHEN u.step = 'over' THEN 'over'
                          ELSE u.kind END ORDER BY u.n)
    INTO v_kinds
    FROM due u;

    RETURN v_kinds;
END
$$;

ALTER FUNCTION pay.send_registers(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_lease_ms bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION send_registers(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_lease_ms bigint[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.send_registers(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_lease_ms bigint[]) IS 'Journals the calls of register jobs that are handed out';

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
            WHEN f.kind = 'unknown' THEN 'unknown'
            WHEN f.kind = 'none' OR f.actor = 'hint' THEN 'ignored'
            WHEN f.actor = 'webhook' THEN 'parked'
            ELSE 'not_found' END)
        FROM unnest(p_facts) f
        WHERE f.item = ANY (p_duplicates) OR f.kind IN ('none', 'unknown')
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
        RETURNING f.n::int AS n, r.state, r.merchant_id, r.checkout_id,
            r.nonce, r.token
    ), ended AS (
        UPDATE dispatch d
        SET state = 'DONE', ended_at = clock_timestamp(), lease_until = NULL,
            reach = 'complete', http_status = NULL, code = NULL,
            reference = k.token
        FROM (
            SELECT l.tid, x.token FROM done x
            CROSS JOIN LATERAL (
                SELECT l.ctid AS tid FROM dispatch l
                WHERE l.merchant_id = x.merchant_id
                    AND l.checkout_id = x.checkout_id
                    AND l.operation = 'register'
                    AND l.operation_id = x.nonce
                ORDER BY l.attempt DESC LIMIT 1) l) k
        WHERE d.ctid = k.tid
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
-- Name: settle_dead_letters(text[], text[], text[], text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.settle_dead_letters(p_merchant_id text[], p_checkout_id text[], p_kinds text[], p_why text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE dead_letter d
    SET state = 'settled', closed_at = clock_timestamp(),
        closed_by = 'gateway', closed_why = p_why
    FROM (SELECT DISTINCT * FROM unnest(p_merchant_id, p_checkout_id)) AS
        u (merchant_id, checkout_id)
    CROSS JOIN LATERAL (
        SELECT k.ctid AS tid FROM dead_letter k
        WHERE k.merchant_id = u.merchant_id
            AND k.checkout_id = u.checkout_id
            AND k.state = 'open' AND k.kind = ANY (p_kinds)
        OFFSET 0) k
    WHERE d.ctid = k.tid;
END
$$;

ALTER FUNCTION pay.settle_dead_letters(p_merchant_id text[], p_checkout_id text[], p_kinds text[], p_why text) OWNER TO payments_owner;

--
-- Name: FUNCTION settle_dead_letters(p_merchant_id text[], p_checkout_id text[], p_kinds text[], p_why text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.settle_dead_letters(p_merchant_id text[], p_checkout_id text[], p_kinds text[], p_why text) IS 'Closes the dead letters of these kinds about these checkouts';

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
        SELECT FROM unnest(v_facts) f
        WHERE f.outcome IN ('unchanged', 'held', 'contradiction'))
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
-- Name: settle_refunds(text[], text[], text[], text[], text[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.settle_refunds(p_merchant_id text[], p_checkout_id text[], p_operation_id text[], p_reference text[], p_request_id text[], p_items integer[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_facts fact[];
BEGIN
    WITH paid_back AS (
        UPDATE late_success l
        SET state = 'refunded'
        FROM unnest(p_items) n
        CROSS JOIN LATERAL (
            SELECT k.ctid AS tid FROM late_success k
            WHERE k.merchant_id = p_merchant_id[n]
                AND k.checkout_id = p_checkout_id[n]
                AND k.refund_id::text = p_operation_id[n]
                AND k.state IN ('refunding', 'resolved')
            OFFSET 0) k
        WHERE l.ctid = k.tid
        RETURNING n, l.merchant_id, l.checkout_id, l.psp, l.amount_minor,
            l.currency
    )
    SELECT array_agg(ROW(b.n, NULL, b.merchant_id, b.checkout_id,
        'late_refunded', 'gateway', b.psp, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL, p_request_id[b.n],
        jsonb_strip_nulls(jsonb_build_object(
            'refund_id', p_operation_id[b.n],
            'refund_reference', nullif(p_reference[b.n], ''),
            'amount_minor', b.amount_minor, 'currency', b.currency)),
        NULL)::fact)
    INTO v_facts
    FROM paid_back b;

    IF v_facts IS NOT NULL THEN
        DELETE FROM job j
        USING unnest(v_facts) f
        CROSS JOIN LATERAL (
            SELECT k.ctid AS tid FROM job k
            WHERE k.merchant_id = f.merchant_id
                AND k.checkout_id = f.checkout_id AND k.kind = 'refund'
            OFFSET 0) k
        WHERE j.ctid = k.tid;

        PERFORM record_facts(v_facts);
        PERFORM settle_dead_letters(
            ARRAY(SELECT f.merchant_id FROM unnest(v_facts) f),
            ARRAY(SELECT f.checkout_id FROM unnest(v_facts) f),
            '{refund,late_success}', 'refunded');
    END IF;
END
$$;

ALTER FUNCTION pay.settle_refunds(p_merchant_id text[], p_checkout_id text[], p_operation_id text[], p_reference text[], p_request_id text[], p_items integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION settle_refunds(p_merchant_id text[], p_checkout_id text[], p_operation_id text[], p_reference text[], p_request_id text[], p_items integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.settle_refunds(p_merchant_id text[], p_checkout_id text[], p_operation_id text[], p_reference text[], p_request_id text[], p_items integer[]) IS 'Late payments whose refund the PSP has taken';

--
-- Name: settle_registers(pay.fact[], text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.settle_registers(p_facts pay.fact[], p_kind text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (
        SELECT FROM unnest(p_facts) f
        CROSS JOIN LATERAL (
            SELECT FROM dead_letter d
            WHERE d.merchant_id = f.merchant_id
                AND d.checkout_id = f.checkout_id
                AND d.state = 'open' AND d.kind = 'register'
            OFFSET 0) d
        WHERE f.kind = p_kind)
    THEN
        PERFORM settle_dead_letters(
            ARRAY(SELECT f.merchant_id FROM unnest(p_facts) f
                  WHERE f.kind = p_kind),
            ARRAY(SELECT f.checkout_id FROM unnest(p_facts) f
                  WHERE f.kind = p_kind), '{register}', p_kind);
    END IF;
END
$$;

ALTER FUNCTION pay.settle_registers(p_facts pay.fact[], p_kind text) OWNER TO payments_owner;

--
-- Name: FUNCTION settle_registers(p_facts pay.fact[], p_kind text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.settle_registers(p_facts pay.fact[], p_kind text) IS 'Closes the dead letters of registrations that have ended like this';

--
-- Name: standing_of(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.standing_of(p_merchant_id text, p_payment_order_id text) RETURNS pay.standing
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_standing standing;
BEGIN
    SELECT o.status, o.reason, r.psp, c.expires_at, c.late_success, r.state,
        r.token, d.state, d.lease_until, d.key_until, k.state, j.kind,
        j.run_at, j.lease_until, j.code,
        greatest(f.run_at, f.lease_until), f.code, l.kind, l.reason,
        l.attempts, s.state,
        EXISTS (SELECT FROM event e
                WHERE e.merchant_id = o.merchant_id
                    AND e.payment_order_id = o.payment_order_id
                    AND e.kind = 'pending'),
        coalesce(m.differs, false), coalesce(m.contradicted, false),
        EXISTS (SELECT FROM letters_of(c.merchant_id, c.checkout_id) x
                WHERE x.state = 'open' AND x.kind = 'stuck')
    INTO v_standing
    FROM find_order(p_merchant_id, p_payment_order_id) o
    CROSS JOIN LATERAL (
        SELECT x.* FROM checkout x
        WHERE x.merchant_id = o.merchant_id AND x.checkout_id = o.checkout_id
        OFFSET 0) c
    CROSS JOIN LATERAL (
        SELECT x.* FROM registration x
        WHERE x.merchant_id = o.merchant_id AND x.checkout_id = o.checkout_id
        OFFSET 0) r
    LEFT JOIN LATERAL newest_dispatch(c.merchant_id, c.checkout_id,
                                      'register') d ON true
    LEFT JOIN LATERAL newest_dispatch(c.merchant_id, c.checkout_id,
                                      'capture') k ON true
    LEFT JOIN LATERAL (
        SELECT x.* FROM job x
        WHERE x.merchant_id = c.merchant_id AND x.checkout_id = c.checkout_id
            AND x.kind IN ('register', 'poll')
        ORDER BY x.kind DESC LIMIT 1) j ON true
    LEFT JOIN LATERAL (
        SELECT x.* FROM job x
        WHERE x.merchant_id = c.merchant_id AND x.checkout_id = c.checkout_id
            AND x.kind = 'refund'
        OFFSET 0) f ON true
    LEFT JOIN LATERAL (
        SELECT x.* FROM letters_of(c.merchant_id, c.checkout_id) x
        WHERE x.state = 'open' AND x.kind IN ('register', 'poll', 'refund')
        ORDER BY x.dead_letter_id DESC LIMIT 1) l ON true
    LEFT JOIN LATERAL (
        SELECT x.* FROM late_success x
        WHERE x.merchant_id = c.merchant_id AND x.checkout_id = c.checkout_id
        OFFSET 0) s ON true
    LEFT JOIN LATERAL (
        SELECT bool_or(x.kind IN ('amount', 'currency')) AS differs,
            bool_or(x.kind = 'contradiction') AS contradicted
        FROM mismatch x
        WHERE x.merchant_id = c.merchant_id
            AND x.checkout_id = c.checkout_id) m ON true;

    RETURN CASE WHEN FOUND THEN v_standing END;
END
$$;

ALTER FUNCTION pay.standing_of(p_merchant_id text, p_payment_order_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION standing_of(p_merchant_id text, p_payment_order_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.standing_of(p_merchant_id text, p_payment_order_id text) IS 'What explain() judges an order by; NULL when there is none';

--
-- Name: start_job(text, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.start_job(p_merchant_id text, p_checkout_id text, p_kind text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO job AS j (merchant_id, checkout_id, kind, run_at)
    SELECT r.merchant_id, r.checkout_id, p_kind, now()
    FROM registration r
    JOIN payment_order o ON o.merchant_id = r.merchant_id
        AND o.checkout_id = r.checkout_id AND o.position = 1
    LEFT JOIN late_success l ON l.merchant_id = r.merchant_id
        AND l.checkout_id = r.checkout_id
    WHERE r.merchant_id = p_merchant_id AND r.checkout_id = p_checkout_id
        AND CASE p_kind
            WHEN 'register' THEN r.state = 'REGISTERING'
            WHEN 'refund' THEN l.state = 'refunding'
            WHEN 'poll' THEN r.token IS NOT NULL AND l.state IS NULL
                AND o.status <> 'SUCCESS'
            END
    ON CONFLICT (merchant_id, checkout_id, kind) DO UPDATE
    SET run_at = least(j.run_at, now()), attempts = 0;

    RETURN FOUND;
END
$$;

ALTER FUNCTION pay.start_job(p_merchant_id text, p_checkout_id text, p_kind text) OWNER TO payments_owner;

--
-- Name: FUNCTION start_job(p_merchant_id text, p_checkout_id text, p_kind text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.start_job(p_merchant_id text, p_checkout_id text, p_kind text) IS 'Makes a job of a locked checkout due now, with all its attempts ahead';

--
-- Name: status_rank(text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.status_rank(p_status text) RETURNS integer
    LANGUAGE sql IMMUTABLE
    RETURN CASE p_status WHEN 'NOT_STARTED'::text THEN 0 WHEN 'EXECUTING'::text THEN 1 WHEN 'FAILED'::text THEN 2 WHEN 'SUCCESS'::text THEN 3 ELSE NULL::integer END;

ALTER FUNCTION pay.status_rank(p_status text) OWNER TO payments_owner;

--
-- Name: FUNCTION status_rank(p_status text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.status_rank(p_status text) IS 'How far an order is: a status may only rise';

--
-- Name: sweep_all(jsonb); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.sweep_all(p_limits jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM sweep_settled();
    PERFORM sweep_lost(coalesce(sweep_limit(p_limits, 'unknown_s'),
                                '15 minutes'));
    PERFORM sweep_unknown(sweep_limit(p_limits, 'unknown_s'));
    PERFORM sweep_open(sweep_limit(p_limits, 'registering_s'),
                       sweep_limit(p_limits, 'executing_s'));
    PERFORM sweep_parked(sweep_limit(p_limits, 'parked_s'));

    RETURN sweep_counts();
END
$$;

ALTER FUNCTION pay.sweep_all(p_limits jsonb) OWNER TO payments_owner;

--
-- Name: FUNCTION sweep_all(p_limits jsonb); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.sweep_all(p_limits jsonb) IS 'One round of the sweep';

--
-- Name: sweep_counts(); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.sweep_counts() RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN jsonb_build_object(
        'dead_letters', (
            SELECT jsonb_object_agg(k.kind, coalesce(d.count, 0))
            FROM unnest('{register,poll,refund,late_success,parked,stuck}'
                        ::text[]) k (kind)
            LEFT JOIN (
                SELECT x.kind, count(*) AS count
                FROM (SELECT y.kind FROM dead_letter y
                      WHERE y.state = 'open'
                      ORDER BY y.dead_letter_id LIMIT 10000) x
                GROUP BY x.kind) d ON d.kind = k.kind),
        'unknown', (
            SELECT count(*) FROM (
                SELECT FROM dispatch d
                WHERE d.state = 'UNKNOWN' AND NOT d.settled
                ORDER BY d.first_sent_at LIMIT 10000) d),
        'parked', (
            SELECT count(*) FROM (
                SELECT FROM webhook_inbox i
                WHERE i.state = 'parked'
                ORDER BY i.received_at LIMIT 10000) i),
        'quarantined', (SELECT count(*) FROM webhook_quarantine),
        'overdue_s', (
            SELECT coalesce(max(extract(epoch FROM now()
                - greatest(j.run_at, j.lease_until)))::bigint, 0)
            FROM generate_series(1, 3) AS k (rank)
            CROSS JOIN LATERAL (
                SELECT x.* FROM job x
                WHERE job_rank(x.kind) = k.rank AND x.run_at <= now()
                    AND coalesce(x.lease_until <= now(), true)
                ORDER BY x.run_at LIMIT 1000) j),
        'backfill_missed', (
            SELECT coalesce(sum(b.missed), 0) FROM backfill b));
END
$$;

ALTER FUNCTION pay.sweep_counts() OWNER TO payments_owner;

--
-- Name: FUNCTION sweep_counts(); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.sweep_counts() IS 'How much waits for people, and for how long jobs are overdue';

--
-- Name: sweep_limit(jsonb, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.sweep_limit(p_limits jsonb, p_name text) RETURNS interval
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT make_interval(secs => nullif((p_limits ->> p_name)::float8, 0))
$$;

ALTER FUNCTION pay.sweep_limit(p_limits jsonb, p_name text) OWNER TO payments_owner;

--
-- Name: FUNCTION sweep_limit(p_limits jsonb, p_name text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.sweep_limit(p_limits jsonb, p_name text) IS 'The age limit of this name; NULL: there is none';

--
-- Name: sweep_lost(interval); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.sweep_lost(p_limit interval) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE dispatch d
    SET state = 'UNKNOWN', ended_at = now(), lease_until = NULL
    FROM (
        SELECT k.ctid AS tid
        FROM dispatch k
        CROSS JOIN LATERAL (
            SELECT FROM checkout c
            WHERE c.merchant_id = k.merchant_id
                AND c.checkout_id = k.checkout_id
            FOR NO KEY UPDATE SKIP LOCKED) c
        WHERE k.state = 'OPEN' AND k.operation <> 'register'
            AND k.lease_until < now() - p_limit
        ORDER BY k.lease_until LIMIT 1000
        FOR UPDATE OF k SKIP LOCKED) x
    WHERE d.ctid = x.tid AND d.state = 'OPEN';
END
$$;

ALTER FUNCTION pay.sweep_lost(p_limit interval) OWNER TO payments_owner;

--
-- Name: FUNCTION sweep_lost(p_limit interval); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.sweep_lost(p_limit interval) IS 'Makes calls UNKNOWN whose senders have gone';

--
-- Name: sweep_ok(text, bigint, jsonb); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.sweep_ok(p_owner text, p_interval_ms bigint, p_limits jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    AS $$
BEGIN
    RETURN coalesce(id_ok(p_owner) AND p_interval_ms BETWEEN 0 AND 86400000
            AND jsonb_typeof(p_limits) = 'object', false)
        AND NOT EXISTS (
            SELECT FROM jsonb_each(p_limits) l
            WHERE CASE WHEN jsonb_typeof(l.value) = 'number'
                THEN l.value::numeric NOT BETWEEN 0 AND 315360000
                ELSE true END);
END
$$;

ALTER FUNCTION pay.sweep_ok(p_owner text, p_interval_ms bigint, p_limits jsonb) OWNER TO payments_owner;

--
-- Name: FUNCTION sweep_ok(p_owner text, p_interval_ms bigint, p_limits jsonb); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.sweep_ok(p_owner text, p_interval_ms bigint, p_limits jsonb) IS 'Whether sweep can take this item';

--
-- Name: sweep_open(interval, interval); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.sweep_open(p_registering interval, p_executing interval) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_next record := next_checkouts();
BEGIN
    INSERT INTO dead_letter (merchant_id, checkout_id, psp, kind, reason,
        code, attempts)
    SELECT c.merchant_id, c.checkout_id, r.psp, 'stuck', w.reason, r.code,
        r.attempt
    FROM (SELECT DISTINCT * FROM unnest(v_next.merchants, v_next.checkouts))
        AS u (merchant_id, checkout_id)
    CROSS JOIN LATERAL (
        SELECT c.* FROM checkout c
        WHERE c.merchant_id = u.merchant_id AND c.checkout_id = u.checkout_id
        OFFSET 0) c
    CROSS JOIN LATERAL (
        SELECT r.* FROM registration r
        WHERE r.merchant_id = u.merchant_id AND r.checkout_id = u.checkout_id
        OFFSET 0) r
    CROSS JOIN LATERAL (
        SELECT 'registering' AS reason
        WHERE r.state = 'REGISTERING'
            AND may_be_stuck(c.merchant_id, c.checkout_id, 'registering',
                             c.created_at, p_registering)
        UNION ALL
        SELECT 'executing'
        WHERE may_be_stuck(c.merchant_id, c.checkout_id, 'executing',
                           c.expires_at, p_executing)
            AND order_is(c.merchant_id, c.checkout_id, '{EXECUTING}')
        LIMIT 1) w
    ORDER BY c.merchant_id, c.checkout_id
    ON CONFLICT DO NOTHING;
END
$$;

ALTER FUNCTION pay.sweep_open(p_registering interval, p_executing interval) OWNER TO payments_owner;

--
-- Name: FUNCTION sweep_open(p_registering interval, p_executing interval); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.sweep_open(p_registering interval, p_executing interval) IS 'Dead letters for checkouts that have been open for too long';

--
-- Name: sweep_parked(interval); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.sweep_parked(p_limit interval) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO dead_letter (psp, event_id, kind, reason, code)
    SELECT i.psp, i.event_id, 'parked', 'parked', i.code
    FROM unnest(next_parked(p_limit)) i
    WHERE NOT EXISTS (
        SELECT FROM dead_letter d
        WHERE d.psp = i.psp AND d.event_id = i.event_id)
    ORDER BY i.psp, i.event_id
    ON CONFLICT DO NOTHING;
END
$$;

ALTER FUNCTION pay.sweep_parked(p_limit interval) OWNER TO payments_owner;

--
-- Name: FUNCTION sweep_parked(p_limit interval); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.sweep_parked(p_limit interval) IS 'Dead letters for webhooks whose token nobody has brought';

--
-- Name: sweep_settled(); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.sweep_settled() RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE dead_letter d
    SET state = 'settled', closed_at = clock_timestamp(),
        closed_by = 'gateway', closed_why = 'no longer ' || d.reason
    FROM unnest(next_letters()) l
    CROSS JOIN LATERAL (
        SELECT k.ctid AS tid FROM dead_letter k
        WHERE k.dead_letter_id = l.dead_letter_id AND k.state = 'open'
            AND k.kind IN ('stuck', 'parked') AND is_over(k)
        FOR UPDATE SKIP LOCKED) k
    WHERE d.ctid = k.tid;
END
$$;

ALTER FUNCTION pay.sweep_settled() OWNER TO payments_owner;

--
-- Name: FUNCTION sweep_settled(); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.sweep_settled() IS 'Closes dead letters about states that are over';

--
-- Name: sweep_unknown(interval); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.sweep_unknown(p_limit interval) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_page dispatch[] := next_unknown(coalesce(p_limit, '15 minutes'));
BEGIN
    INSERT INTO dead_letter (merchant_id, checkout_id, psp, kind, reason,
        code, attempts)
    SELECT DISTINCT ON (d.merchant_id, d.checkout_id, d.psp)
        d.merchant_id, d.checkout_id, d.psp, 'stuck', 'unknown', d.code,
        d.sends
    FROM unnest(v_page) d
    WHERE may_be_stuck(d.merchant_id, d.checkout_id, 'unknown',
                       d.first_sent_at, p_limit)
        AND is_unsettled(d.merchant_id, d.checkout_id, d.operation)
    ORDER BY d.merchant_id, d.checkout_id, d.psp, d.first_sent_at
    ON CONFLICT DO NOTHING;

    -- whoever holds a checkout finds its calls by their address, so not even
    -- this changes one without that lock
    UPDATE dispatch d
    SET settled = true
    FROM (
        SELECT u.* FROM unnest(v_page) u
        WHERE NOT is_unsettled(u.merchant_id, u.checkout_id, u.operation)
        OFFSET 0) u
    CROSS JOIN LATERAL (
        SELECT FROM checkout c
        WHERE c.merchant_id = u.merchant_id AND c.checkout_id = u.checkout_id
        FOR NO KEY UPDATE SKIP LOCKED) c
    CROSS JOIN LATERAL (
        SELECT k.ctid AS tid FROM dispatch k
        WHERE k.merchant_id = u.merchant_id AND k.checkout_id = u.checkout_id
            AND k.operation = u.operation AND k.operation_id = u.operation_id
            AND k.attempt = u.attempt AND k.state = 'UNKNOWN'
        FOR UPDATE SKIP LOCKED) k
    WHERE d.ctid = k.tid;
END
$$;

ALTER FUNCTION pay.sweep_unknown(p_limit interval) OWNER TO payments_owner;

--
-- Name: FUNCTION sweep_unknown(p_limit interval); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.sweep_unknown(p_limit interval) IS 'Dead letters for calls whose outcome has not been known for too long';

--
-- Name: timeline(text, text, boolean); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.timeline(p_merchant_id text, p_payment_order_id text, p_inside boolean) RETURNS json
    LANGUAGE sql STABLE
    AS $$
SELECT json_agg(json_build_object('seq', e.seq,
    'at', iso_time(e.at), 'kind', e.kind, 'actor', e.actor,
    'old_status', e.old_status, 'new_status', e.new_status,
    'reason', e.reason,
    'detail', CASE WHEN e.actor = 'operator' AND NOT p_inside
                   THEN e.detail - '{who,why,role}'::text[]
                   ELSE e.detail END,
    'request_id', e.request_id) ORDER BY e.seq)
FROM (SELECT * FROM event x
      WHERE x.merchant_id = p_merchant_id
          AND x.payment_order_id = p_payment_order_id
      ORDER BY x.seq DESC LIMIT 1000) e
$$;

ALTER FUNCTION pay.timeline(p_merchant_id text, p_payment_order_id text, p_inside boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION timeline(p_merchant_id text, p_payment_order_id text, p_inside boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.timeline(p_merchant_id text, p_payment_order_id text, p_inside boolean) IS 'An order''s events, oldest first; NULL when there is no such order';

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
            AND f.kind NOT IN ('none', 'unknown')
            AND f.item <> ALL (v_duplicates));
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

COMMENT ON FUNCTION pay_api.apply_event(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_digest bytea[], p_request_id text[]) IS 'Takes PSPs'' words into account: applied, unchanged, held, contradiction, asked, duplicate, parked, mismatch, ignored, unknown, not_found or invalid';

--
-- Name: begin_backfill(text[], text[], bigint[], bigint[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.begin_backfill(p_psp text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) RETURNS TABLE(item integer, outcome text, since_s bigint, until_s bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_item record;
    v_mine record;
BEGIN
    PERFORM check_batch(array_dims(p_psp), array_dims(p_owner),
        array_dims(p_interval_ms), array_dims(p_lease_ms));

    FOR v_item IN
        SELECT u.*, coalesce(id_ok(u.psp) AND id_ok(u.owner)
            AND u.interval_ms BETWEEN 1 AND 31536000000
            AND u.lease_ms BETWEEN 1 AND 86400000, false) AS ok
        FROM unnest(p_psp, p_owner, p_interval_ms, p_lease_ms)
            WITH ORDINALITY AS u (psp, owner, interval_ms, lease_ms, n)
        ORDER BY u.psp COLLATE "C", u.n
    LOOP
        item := v_item.n;
        v_mine := NULL;
        IF v_item.ok THEN
            v_mine := claim_backfill(v_item.psp, v_item.owner,
                make_interval(secs => v_item.interval_ms / 1000.0),
                make_interval(secs => v_item.lease_ms / 1000.0));
            since_s := v_mine.since_s;
            until_s := v_mine.until_s;
            outcome := CASE WHEN since_s IS NULL THEN 'not_due'
                            ELSE 'due' END;
        ELSE
            since_s := NULL;
            until_s := NULL;
            outcome := 'invalid';
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;

ALTER FUNCTION pay_api.begin_backfill(p_psp text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION begin_backfill(p_psp text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.begin_backfill(p_psp text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) IS 'From when to when a PSP''s list of events is to be looked at: due, not_due or invalid';

--
-- Name: begin_dispatch(text[], text[], text[], text[], text[], bigint[], bigint[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.begin_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[]) RETURNS TABLE(item integer, outcome text, attempt bigint, sends bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_valid int[];
    v_sent  record;
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_operation), array_dims(p_operation_id),
        array_dims(p_psp), array_dims(p_key_window_s),
        array_dims(p_lease_ms), array_dims(p_request_id));

    v_valid := ARRAY(
        SELECT n FROM generate_series(1, cardinality(p_psp)) n
        WHERE dispatch_ok(p_merchant_id[n], p_checkout_id[n], p_operation[n],
                          p_operation_id[n])
            AND id_ok(p_psp[n]) AND p_key_window_s[n] BETWEEN 0 AND 999999999
            AND p_lease_ms[n] BETWEEN 1 AND 86400000);

    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    v_sent := send_dispatches(p_merchant_id, p_checkout_id, p_operation,
        p_operation_id, p_psp, p_key_window_s, p_lease_ms, p_request_id,
        v_valid);

    RETURN QUERY
    SELECT s.* FROM unnest(v_sent.items, v_sent.outcomes, v_sent.attempts,
                           v_sent.sends) s;

    RETURN QUERY
    SELECT n, CASE WHEN n = ANY (v_valid) THEN 'not_found' ELSE 'invalid' END,
        NULL::bigint, NULL::bigint
    FROM generate_series(1, cardinality(p_psp)) n
    WHERE n <> ALL (coalesce(v_sent.items, '{}'));
END
$$;

ALTER FUNCTION pay_api.begin_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION begin_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.begin_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[]) IS 'Journals what is about to be sent: send, or busy, ask, done, not_found or invalid, and nothing may be sent';

--
-- Name: begin_payment(text[], text[], bytea[], text[], text[], text[], text[], text[], text[], text[], jsonb[], jsonb[], jsonb[], text[], bigint[], bigint[], jsonb[], bigint[], bigint[], text[], text[], text[], text[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[], p_key_windows text[], p_late_success text[]) RETURNS TABLE(item integer, outcome text, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
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
        array_dims(p_psps), array_dims(p_route), array_dims(p_key_windows),
        array_dims(p_late_success));

    v_items := ARRAY(
        SELECT ROW(u.n, u.merchant_id, u.key, u.fingerprint, u.checkout_id,
            u.uuid, u.handle, u.psp, u.nonce, u.return_url, u.base_url,
            u.buyer_info, u.metadata, u.credit_card_info, u.currency,
            u.total_minor, to_timestamp(u.expires_s), u.orders,
            make_interval(secs => u.ttl_s),
            make_interval(secs => u.lease_ms / 1000.0),
            u.request_id, l.psps, nullif(u.route, ''), w.key_windows,
            w.late_success)::payment_item
        FROM unnest(p_merchant_id, p_idempotency_key, p_fingerprint,
            p_checkout_id, p_checkout_uuid, p_handle, p_psp, p_nonce,
            p_return_url, p_base_url, p_buyer_info, p_metadata,
            p_credit_card_info, p_currency, p_total_minor, p_expires_s,
            p_orders, p_ttl_s, p_lease_ms, p_request_id, p_psps, p_route,
            p_key_windows, p_late_success)
            WITH ORDINALITY AS u (merchant_id, key, fingerprint,
            checkout_id, uuid, handle, psp, nonce, return_url, base_url,
            buyer_info, metadata, credit_card_info, currency, total_minor,
            expires_s, orders, ttl_s, lease_ms, request_id, psps, route,
            key_windows, late_success, n)
        JOIN currency k ON k.code = u.currency
        CROSS JOIN LATERAL (
            SELECT CASE WHEN u.psps <> '' THEN string_to_array(u.psps, ' ')
                        ELSE ARRAY[u.psp] END AS psps
            OFFSET 0) l
        CROSS JOIN LATERAL (
            SELECT read_windows(u.key_windows, cardinality(l.psps))
                    AS key_windows,
                coalesce(nullif(u.late_success, ''), 'accept')
                    AS late_success
            OFFSET 0) w
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
            AND cardinality(w.key_windows) = cardinality(l.psps)
            AND w.late_success IN ('accept', 'hold', 'refund')
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

ALTER FUNCTION pay_api.begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[], p_key_windows text[], p_late_success text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[], p_key_windows text[], p_late_success text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[], p_key_windows text[], p_late_success text[]) IS 'Creates checkouts: created, replayed, in_progress, key_reused, exists or invalid';

--
-- Name: claim_jobs(text[], bigint[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.claim_jobs(p_owner text[], p_lease_ms bigint[]) RETURNS TABLE(item integer, outcome text, kind text, attempts bigint, operation_id text, reference text, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_slots int[];
    v_as    text[];
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

    v_as := v_due.kinds;
    IF 'register' = ANY (v_as) THEN
        v_as := send_registers(v_due.merchants, v_due.checkouts, v_as,
            ARRAY(SELECT p_lease_ms[s] FROM unnest(v_slots)
                  WITH ORDINALITY AS u (s, n) ORDER BY u.n));
    END IF;

    RETURN QUERY
    SELECT d.slot, 'job', d.handed_as, j.attempts::bigint,
        l.refund_id::text,
        CASE d.kind WHEN 'refund' THEN l.reference ELSE r.reference END, s.*
    FROM unnest(v_due.merchants, v_due.checkouts, v_due.kinds, v_as, v_slots)
        AS d (merchant_id, checkout_id, kind, handed_as, slot)
    CROSS JOIN LATERAL (
        SELECT j.attempts FROM job j
        WHERE j.merchant_id = d.merchant_id
            AND j.checkout_id = d.checkout_id AND j.kind = d.kind
        OFFSET 0) j
    CROSS JOIN LATERAL (
        SELECT r.reference FROM registration r
        WHERE r.merchant_id = d.merchant_id
            AND r.checkout_id = d.checkout_id
        OFFSET 0) r
    LEFT JOIN LATERAL (
        SELECT l.refund_id, l.reference FROM late_success l
        WHERE l.merchant_id = d.merchant_id
            AND l.checkout_id = d.checkout_id
        OFFSET 0) l ON d.kind = 'refund'
    JOIN checkout_state s ON s.merchant_id = d.merchant_id
        AND s.checkout_id = d.checkout_id;

    RETURN QUERY
    SELECT n, CASE WHEN id_ok(p_owner[n])
                       AND p_lease_ms[n] BETWEEN 1 AND 86400000
                   THEN 'none' ELSE 'invalid' END,
        NULL, NULL::bigint, NULL, NULL, s.*
    FROM generate_series(1, cardinality(p_owner)) n
    LEFT JOIN checkout_state s ON false
    WHERE n <> ALL (v_slots);
END
$$;

ALTER FUNCTION pay_api.claim_jobs(p_owner text[], p_lease_ms bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION claim_jobs(p_owner text[], p_lease_ms bigint[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.claim_jobs(p_owner text[], p_lease_ms bigint[]) IS 'Fills free slots with due jobs under a lease, as register, find, over, poll or refund: job, none or invalid';

--
-- Name: end_backfill(text[], text[], bigint[], bigint[], bigint[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.end_backfill(p_psp text[], p_owner text[], p_until_s bigint[], p_listed bigint[], p_missed bigint[], p_code text[]) RETURNS TABLE(item integer, outcome text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_item record;
BEGIN
    PERFORM check_batch(array_dims(p_psp), array_dims(p_owner),
        array_dims(p_until_s), array_dims(p_listed), array_dims(p_missed),
        array_dims(p_code));

    FOR v_item IN
        SELECT u.*, coalesce(id_ok(u.psp) AND id_ok(u.owner)
            AND coalesce(u.until_s BETWEEN 1
                         AND extract(epoch FROM now()), true)
            AND coalesce(u.listed, 0) >= 0 AND coalesce(u.missed, 0) >= 0
            AND coalesce(octet_length(u.code), 0) <= 255, false) AS ok
        FROM unnest(p_psp, p_owner, p_until_s, p_listed, p_missed, p_code)
            WITH ORDINALITY AS u (psp, owner, until_s, listed, missed, code,
            n)
        ORDER BY u.psp COLLATE "C", u.n
    LOOP
        item := v_item.n;
        outcome := CASE WHEN v_item.ok THEN 'gone' ELSE 'invalid' END;

        UPDATE backfill b
        SET seen_until = greatest(least(b.seen_until, now()),
                                  to_timestamp(v_item.until_s)),
            run_at = CASE WHEN to_timestamp(v_item.until_s)
                                   < now() - interval '5 minutes'
                          THEN now() ELSE b.run_at END,
            span_s = CASE WHEN v_item.code = 'too_many'
                          THEN greatest(b.span_s / 4, 360)
                          WHEN v_item.until_s IS NULL THEN b.span_s
                          ELSE least(b.span_s * 2, 21600) END,
            lease_owner = NULL, lease_until = NULL, runs = b.runs + 1,
            listed = b.listed + coalesce(v_item.listed, 0),
            missed = b.missed + coalesce(v_item.missed, 0),
            code = nullif(v_item.code, '')
        WHERE v_item.ok AND b.psp = v_item.psp
            AND b.lease_owner = v_item.owner;

        IF FOUND THEN
            outcome := 'stored';
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;

ALTER FUNCTION pay_api.end_backfill(p_psp text[], p_owner text[], p_until_s bigint[], p_listed bigint[], p_missed bigint[], p_code text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION end_backfill(p_psp text[], p_owner text[], p_until_s bigint[], p_listed bigint[], p_missed bigint[], p_code text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.end_backfill(p_psp text[], p_owner text[], p_until_s bigint[], p_listed bigint[], p_missed bigint[], p_code text[]) IS 'Notes how far a PSP''s list of events has been looked at: stored, gone or invalid';

--
-- Name: end_dispatch(text[], text[], text[], text[], bigint[], text[], text[], bigint[], text[], text[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.end_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_request_id text[]) RETURNS TABLE(item integer, outcome text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_valid  int[];
    v_stored int[];
    v_refund int[];
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_operation), array_dims(p_operation_id),
        array_dims(p_attempt), array_dims(p_state), array_dims(p_reach),
        array_dims(p_http_status), array_dims(p_code),
        array_dims(p_reference), array_dims(p_request_id));

    v_valid := ARRAY(
        SELECT n FROM generate_series(1, cardinality(p_state)) n
        WHERE dispatch_ok(p_merchant_id[n], p_checkout_id[n], p_operation[n],
                          p_operation_id[n])
            AND p_attempt[n] >= 1
            AND p_state[n] IN ('DONE', 'PENDING', 'REFUSED', 'NOT_SENT',
                               'UNKNOWN')
            AND reach_ok(p_reach[n], p_http_status[n])
            AND coalesce(octet_length(p_code[n]), 0) <= 255
            AND coalesce(octet_length(p_reference[n]), 0) <= 255);

    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    v_stored := coalesce(hear_dispatches(p_merchant_id, p_checkout_id,
        p_operation, p_operation_id, p_attempt, p_state, p_reach,
        p_http_status, p_code, p_reference, v_valid), '{}');

    v_refund := ARRAY(
        SELECT n FROM unnest(v_stored) n
        WHERE p_operation[n] = 'refund'
            AND p_state[n] IN ('DONE', 'PENDING'));
    IF cardinality(v_refund) > 0 THEN
        PERFORM settle_refunds(p_merchant_id, p_checkout_id, p_operation_id,
                               p_reference, p_request_id, v_refund);
    END IF;

    RETURN QUERY
    SELECT n, CASE WHEN n <> ALL (v_valid) THEN 'invalid'
                   WHEN n = ANY (v_stored) THEN 'stored'
                   WHEN EXISTS (
                       SELECT FROM dispatch d
                       WHERE d.merchant_id = p_merchant_id[n]
                           AND d.checkout_id = p_checkout_id[n]
                           AND d.operation = p_operation[n]
                           AND d.operation_id = p_operation_id[n])
                       THEN 'already'
                   ELSE 'not_found' END
    FROM generate_series(1, cardinality(p_state)) n;
END
$$;

ALTER FUNCTION pay_api.end_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_request_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION end_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_request_id text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.end_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_request_id text[]) IS 'Journals how far a call came: stored, already, not_found or invalid';

--
-- Name: explain_payment(text[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.explain_payment(p_merchant_id text[], p_payment_order_id text[]) RETURNS TABLE(item integer, outcome text, explanation text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
                        array_dims(p_payment_order_id));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN x.explanation IS NULL THEN 'not_found' ELSE 'found' END,
        x.explanation
    FROM unnest(p_merchant_id, p_payment_order_id)
        WITH ORDINALITY AS u (merchant_id, payment_order_id, n)
    CROSS JOIN LATERAL (
        SELECT explain(u.merchant_id, u.payment_order_id, false)
            AS explanation
        OFFSET 0) x;
END
$$;

ALTER FUNCTION pay_api.explain_payment(p_merchant_id text[], p_payment_order_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION explain_payment(p_merchant_id text[], p_payment_order_id text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.explain_payment(p_merchant_id text[], p_payment_order_id text[]) IS 'How an order stands and what comes next: found or not_found';

--
-- Name: finish_job(text[], text[], text[], text[], bigint[], text[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_owner text[], p_delay_ms bigint[], p_code text[], p_dead text[]) RETURNS TABLE(item integer, outcome text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_kind  text[];
    v_mine  int[];
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_kind), array_dims(p_owner), array_dims(p_delay_ms),
        array_dims(p_code), array_dims(p_dead));
    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    -- find is what a register job may be handed out as; a bad item has no
    -- kind from here on
    v_kind := ARRAY(
        SELECT CASE WHEN id_ok(u.merchant_id) AND id_ok(u.checkout_id)
                        AND u.kind IN ('register', 'find', 'poll', 'refund')
                        AND id_ok(u.owner) AND u.delay_ms <= 31536000000
                        AND coalesce(octet_length(u.code), 0) <= 255
                        AND coalesce(u.dead, '') IN ('', 'retry_limit',
                            'cancelled', 'key_window_over', 'refused')
                    THEN CASE u.kind WHEN 'find' THEN 'register'
                                     ELSE u.kind END END
        FROM unnest(p_merchant_id, p_checkout_id, p_kind, p_owner,
            p_delay_ms, p_code, p_dead) WITH ORDINALITY AS u (merchant_id,
            checkout_id, kind, owner, delay_ms, code, dead, n)
        ORDER BY u.n);

    -- a twin in the batch gets its first's result
    v_mine := ARRAY(
        SELECT u.n FROM unnest(p_merchant_id, p_checkout_id, v_kind, p_owner)
            WITH ORDINALITY AS u (merchant_id, checkout_id, kind, owner, n)
        CROSS JOIN LATERAL (
            SELECT j.lease_owner FROM job j
            WHERE j.merchant_id = u.merchant_id
                AND j.checkout_id = u.checkout_id AND j.kind = u.kind
            OFFSET 0) j
        WHERE j.lease_owner = u.owner
        ORDER BY u.n);

    PERFORM give_back_jobs(p_merchant_id, p_checkout_id, v_kind, p_delay_ms,
                           p_code, p_dead, v_mine);

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN u.n = ANY (v_mine) THEN 'done'
             WHEN u.kind IS NOT NULL THEN 'gone'
             ELSE 'invalid' END
    FROM unnest(v_kind) WITH ORDINALITY AS u (kind, n);
END
$$;

ALTER FUNCTION pay_api.finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_owner text[], p_delay_ms bigint[], p_code text[], p_dead text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_owner text[], p_delay_ms bigint[], p_code text[], p_dead text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_owner text[], p_delay_ms bigint[], p_code text[], p_dead text[]) IS 'Puts a leased job off, drops it or gives it up: done, gone or invalid';

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
        SELECT timeline(u.merchant_id, u.payment_order_id, false)::text
            AS events
        OFFSET 0) l;
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
    LEFT JOIN LATERAL find_order(u.merchant_id, u.payment_order_id) o
        ON true
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
-- Name: quarantine_webhook(text[], text[], bytea[], jsonb[], bytea[], bigint[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.quarantine_webhook(p_psp text[], p_reason text[], p_digest bytea[], p_headers jsonb[], p_body bytea[], p_size bigint[], p_request_id text[]) RETURNS TABLE(item integer, outcome text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_kept   int[];
    v_item   int;
    v_number bigint;
BEGIN
    PERFORM check_batch(
        array_dims(p_psp), array_dims(p_reason), array_dims(p_digest),
        array_dims(p_headers), array_dims(p_body), array_dims(p_size),
        array_dims(p_request_id));

    v_kept := ARRAY(
        SELECT n FROM generate_series(1, cardinality(p_psp)) n
        WHERE quarantine_ok(p_psp[n], p_reason[n], p_digest[n], p_headers[n],
                            p_body[n], p_size[n])
        ORDER BY p_psp[n] COLLATE "C", n);

    FOREACH v_item IN ARRAY v_kept LOOP
        INSERT INTO quarantine_count AS q (psp, number)
        VALUES (p_psp[v_item], 1)
        ON CONFLICT (psp) DO UPDATE SET number = q.number + 1
        RETURNING q.number INTO v_number;

        INSERT INTO webhook_quarantine AS w (psp, slot, number, reason,
            digest, headers, body, size, request_id)
        VALUES (p_psp[v_item], v_number % 1000, v_number, p_reason[v_item],
            p_digest[v_item], p_headers[v_item], p_body[v_item],
            p_size[v_item], p_request_id[v_item])
        ON CONFLICT (psp, slot) DO UPDATE
        SET number = EXCLUDED.number, received_at = EXCLUDED.received_at,
            reason = EXCLUDED.reason, digest = EXCLUDED.digest,
            headers = EXCLUDED.headers, body = EXCLUDED.body,
            size = EXCLUDED.size, request_id = EXCLUDED.request_id;
    END LOOP;

    RETURN QUERY
    SELECT n, CASE WHEN n = ANY (v_kept) THEN 'stored' ELSE 'invalid' END
    FROM generate_series(1, cardinality(p_psp)) n;
END
$$;

ALTER FUNCTION pay_api.quarantine_webhook(p_psp text[], p_reason text[], p_digest bytea[], p_headers jsonb[], p_body bytea[], p_size bigint[], p_request_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION quarantine_webhook(p_psp text[], p_reason text[], p_digest bytea[], p_headers jsonb[], p_body bytea[], p_size bigint[], p_request_id text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.quarantine_webhook(p_psp text[], p_reason text[], p_digest bytea[], p_headers jsonb[], p_body bytea[], p_size bigint[], p_request_id text[]) IS 'Keeps a webhook that proved nothing about its sender: stored or invalid';

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
-- Name: reroute(text[], text[], text[], text[], text[], bigint[], text[], bigint[], text[], bigint[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[], p_reach text[], p_http_status bigint[]) RETURNS TABLE(item integer, outcome text, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_outcome text[];
    v_move    record;
    v_facts   fact[];
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_psp), array_dims(p_outcome), array_dims(p_code),
        array_dims(p_lease_ms), array_dims(p_request_id),
        array_dims(p_attempt), array_dims(p_reach),
        array_dims(p_http_status));

    -- a bad item has no outcome from here on
    v_outcome := ARRAY(
        SELECT CASE WHEN id_ok(u.merchant_id) AND id_ok(u.checkout_id)
                        AND id_ok(u.psp)
                        AND u.outcome IN ('not_sent', 'refused')
                        AND coalesce(octet_length(u.code), 0) <= 255
                        AND u.lease_ms BETWEEN 1 AND 86400000
                        AND u.attempt >= 1
                        AND reach_ok(u.reach, u.http_status)
                    THEN u.outcome END
        FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_outcome, p_code,
            p_lease_ms, p_attempt, p_reach, p_http_status)
            WITH ORDINALITY AS u (merchant_id, checkout_id, psp, outcome,
            code, lease_ms, attempt, reach, http_status, n)
        ORDER BY u.n);

    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    v_move := move_registrations(p_merchant_id, p_checkout_id, p_psp,
                                 v_outcome, p_attempt, p_lease_ms);

    IF cardinality(v_move.items) > 0 THEN
        v_facts := ARRAY(
            SELECT ROW(m.item, NULL, p_merchant_id[m.item],
                p_checkout_id[m.item], 'rerouted', 'gateway', p_psp[m.item],
                NULL, NULL, nullif(p_code[m.item], ''), NULL, NULL, NULL,
                NULL, p_request_id[m.item],
                jsonb_strip_nulls(jsonb_build_object(
                    'from', p_psp[m.item], 'to', m.next,
                    'why', v_outcome[m.item],
                    'reach', nullif(p_reach[m.item], ''),
                    'http_status', nullif(p_http_status[m.item], 0))),
                NULL)::fact
            FROM unnest(v_move.items, v_move.nexts)
                WITH ORDINALITY AS m (item, next, n)
            ORDER BY m.n);
        PERFORM move_registers(v_facts, v_outcome, p_reach, p_http_status);
        PERFORM follow_moves(v_facts, v_move.nexts, p_lease_ms);
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

ALTER FUNCTION pay_api.reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[], p_reach text[], p_http_status bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[], p_reach text[], p_http_status bigint[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[], p_reach text[], p_http_status bigint[]) IS 'Moves registrations on of which nothing can have happened: rerouted, stays, not_found or invalid';

--
-- Name: store_no_token(text[], text[], text[], text[], text[], bigint[], text[], text[], bigint[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[], p_reach text[], p_http_status bigint[], p_dead text[]) RETURNS TABLE(item integer, outcome text, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
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
        array_dims(p_retry_after_ms), array_dims(p_request_id),
        array_dims(p_reach), array_dims(p_http_status), array_dims(p_dead));

    -- a bad item has no outcome from here on
    v_outcome := ARRAY(
        SELECT CASE WHEN id_ok(u.merchant_id) AND id_ok(u.checkout_id)
                        AND id_ok(u.psp)
                        AND u.outcome IN ('refused', 'expired', 'not_sent',
                                          'unknown', 'held')
                        AND coalesce(octet_length(u.code), 0) <= 255
                        AND (u.after_ms BETWEEN 0 AND 31536000000
                             OR u.outcome IN ('refused', 'expired')
                             OR u.dead <> '')
                        AND reach_ok(u.reach, u.http_status)
                        AND coalesce(u.dead, '') IN ('', 'retry_limit',
                            'cancelled', 'key_window_over')
                    THEN u.outcome END
        FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_outcome, p_code,
            p_retry_after_ms, p_reach, p_http_status, p_dead)
            WITH ORDINALITY AS u (merchant_id, checkout_id, psp, outcome,
            code, after_ms, reach, http_status, dead, n)
        ORDER BY u.n);

    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    v_first := keep_no_token(
        read_no_tokens(p_merchant_id, p_checkout_id, p_psp, v_outcome,
                       p_code, p_request_id, p_reach, p_http_status),
        p_retry_after_ms, p_reach, p_http_status, p_dead);

    -- twins in the batch share a result
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

ALTER FUNCTION pay_api.store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[], p_reach text[], p_http_status bigint[], p_dead text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[], p_reach text[], p_http_status bigint[], p_dead text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[], p_reach text[], p_http_status bigint[], p_dead text[]) IS 'Notes that a registration brought no token: stored, already, not_found or invalid';

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
    v_facts  fact[];
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

    v_facts := ARRAY(
        SELECT ROW(u.n, NULL, u.merchant_id, u.checkout_id, 'registered',
            'gateway', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
            u.request_id, NULL, NULL)::fact
        FROM unnest(p_merchant_id, p_checkout_id, p_request_id)
            WITH ORDINALITY AS u (merchant_id, checkout_id, request_id, n)
        WHERE u.n = ANY (v_stored));
    PERFORM record_facts(v_facts);
    PERFORM settle_registers(v_facts, 'registered');
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
-- Name: sweep(text[], bigint[], jsonb[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.sweep(p_owner text[], p_interval_ms bigint[], p_limits jsonb[]) RETURNS TABLE(item integer, outcome text, counts text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_counts jsonb;
BEGIN
    PERFORM check_batch(array_dims(p_owner), array_dims(p_interval_ms),
                        array_dims(p_limits));

    FOR v_item IN 1 .. coalesce(cardinality(p_owner), 0) LOOP
        item := v_item;
        outcome := 'invalid';
        counts := NULL;

        IF sweep_ok(p_owner[v_item], p_interval_ms[v_item],
                    p_limits[v_item])
        THEN
            PERFORM FROM round r
            WHERE r.name = 'sweep' AND r.run_at <= now()
            FOR UPDATE SKIP LOCKED;

            outcome := CASE WHEN FOUND THEN 'swept' ELSE 'not_due' END;
        END IF;

        IF outcome = 'swept' THEN
            v_counts := sweep_all(p_limits[v_item]);

            UPDATE round r
            SET counts = v_counts,
                run_at = now() + make_interval(
                    secs => p_interval_ms[v_item] / 1000.0)
            WHERE r.name = 'sweep';
        END IF;

        IF outcome <> 'invalid' THEN
            counts := (SELECT r.counts FROM round r WHERE r.name = 'sweep');
        END IF;

        RETURN NEXT;
    END LOOP;
END
$$;

ALTER FUNCTION pay_api.sweep(p_owner text[], p_interval_ms bigint[], p_limits jsonb[]) OWNER TO payments_owner;

--
-- Name: FUNCTION sweep(p_owner text[], p_interval_ms bigint[], p_limits jsonb[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.sweep(p_owner text[], p_interval_ms bigint[], p_limits jsonb[]) IS 'Looks for what is stuck, once an interval: swept, not_due or invalid';

--
-- Name: requeue_dead_letter(bigint, text, text); Type: FUNCTION; Schema: pay_ops; Owner: payments_owner
--

CREATE FUNCTION pay_ops.requeue_dead_letter(p_id bigint, p_who text, p_why text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
DECLARE
    v_found record;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    v_found := lock_dead_letter(p_id);

    IF (v_found.letter).dead_letter_id IS NULL THEN
        RETURN 'not_found';
    ELSIF (v_found.letter).state <> 'open' THEN
        RETURN 'closed';
    ELSIF NOT retry_letter(v_found.letter, v_found.merchant,
                           v_found.checkout) THEN
        RETURN 'nothing_to_do';
    END IF;

    PERFORM close_letter(v_found.letter, v_found.merchant, v_found.checkout,
                         'requeued', p_who, p_why);

    RETURN 'requeued';
END
$$;

ALTER FUNCTION pay_ops.requeue_dead_letter(p_id bigint, p_who text, p_why text) OWNER TO payments_owner;

--
-- Name: FUNCTION requeue_dead_letter(p_id bigint, p_who text, p_why text); Type: COMMENT; Schema: pay_ops; Owner: payments_owner
--

COMMENT ON FUNCTION pay_ops.requeue_dead_letter(p_id bigint, p_who text, p_why text) IS 'Has the gateway try again, or take a held payment: requeued, nothing_to_do, closed, not_found or invalid';

--
-- Name: resolve_dead_letter(bigint, text, text); Type: FUNCTION; Schema: pay_ops; Owner: payments_owner
--

CREATE FUNCTION pay_ops.resolve_dead_letter(p_id bigint, p_who text, p_why text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
DECLARE
    v_found record;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    v_found := lock_dead_letter(p_id);

    IF (v_found.letter).dead_letter_id IS NULL THEN
        RETURN 'not_found';
    ELSIF (v_found.letter).state <> 'open' THEN
        RETURN 'closed';
    END IF;

    UPDATE late_success l
    SET state = 'resolved'
    WHERE l.merchant_id = v_found.merchant
        AND l.checkout_id = v_found.checkout
        AND ((v_found.letter).kind, l.state) IN (
            ('late_success', 'held'), ('refund', 'refunding'));
    DELETE FROM job j
    WHERE j.merchant_id = v_found.merchant
        AND j.checkout_id = v_found.checkout AND j.kind = 'refund'
        AND (v_found.letter).kind = 'refund';

    PERFORM close_letter(v_found.letter, v_found.merchant, v_found.checkout,
                         'resolved', p_who, p_why);

    RETURN 'resolved';
END
$$;

ALTER FUNCTION pay_ops.resolve_dead_letter(p_id bigint, p_who text, p_why text) OWNER TO payments_owner;

--
-- Name: FUNCTION resolve_dead_letter(p_id bigint, p_who text, p_why text); Type: COMMENT; Schema: pay_ops; Owner: payments_owner
--

COMMENT ON FUNCTION pay_ops.resolve_dead_letter(p_id bigint, p_who text, p_why text) IS 'Closes a dead letter that people have settled: resolved, closed, not_found or invalid';

--
-- Name: explain(text, text); Type: FUNCTION; Schema: pay_view; Owner: payments_owner
--

CREATE FUNCTION pay_view.explain(p_merchant_id text, p_payment_order_id text) RETURNS TABLE(merchant_id text, explanation text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH RECURSIVE merchant (id) AS (
        SELECT coalesce(p_merchant_id, (
            SELECT o.merchant_id::text FROM payment_order o
            ORDER BY o.merchant_id LIMIT 1))
        UNION ALL
        SELECT (SELECT o.merchant_id::text FROM payment_order o
                WHERE o.merchant_id > m.id
                ORDER BY o.merchant_id LIMIT 1)
        FROM merchant m
        WHERE m.id IS NOT NULL AND p_merchant_id IS NULL
    )
    SELECT m.id, x.explanation
    FROM merchant m
    CROSS JOIN LATERAL (
        SELECT explain(m.id, p_payment_order_id, true) AS explanation
        OFFSET 0) x
    WHERE x.explanation IS NOT NULL
    ORDER BY m.id;
END
$$;

ALTER FUNCTION pay_view.explain(p_merchant_id text, p_payment_order_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION explain(p_merchant_id text, p_payment_order_id text); Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON FUNCTION pay_view.explain(p_merchant_id text, p_payment_order_id text) IS 'How an order stands and what comes next, for people; NULL for any merchant';

--
-- Name: backfill; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.backfill (
    psp pay.id NOT NULL,
    seen_until timestamp with time zone NOT NULL,
    span_s integer DEFAULT 21600 NOT NULL,
    run_at timestamp with time zone NOT NULL,
    lease_owner text,
    lease_until timestamp with time zone,
    runs bigint DEFAULT 0 NOT NULL,
    listed bigint DEFAULT 0 NOT NULL,
    missed bigint DEFAULT 0 NOT NULL,
    code text,
    CONSTRAINT backfill_check CHECK (((lease_owner IS NULL) = (lease_until IS NULL))),
    CONSTRAINT backfill_span_s_check CHECK (((span_s >= 360) AND (span_s <= 21600)))
);

ALTER TABLE pay.backfill OWNER TO payments_owner;

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
    late_success text DEFAULT 'accept'::text NOT NULL COLLATE pg_catalog."C",
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT checkout_currency_check CHECK ((octet_length(currency) = 3)),
    CONSTRAINT checkout_late_success_check CHECK ((late_success = ANY (ARRAY['accept'::text, 'hold'::text, 'refund'::text]))),
    CONSTRAINT checkout_total_minor_check CHECK ((total_minor > 0))
)
WITH (fillfactor='80', autovacuum_analyze_threshold='1000', autovacuum_vacuum_threshold='1000');

ALTER TABLE pay.checkout OWNER TO payments_owner;

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
    key_windows integer[] NOT NULL,
    refused_psps text[] DEFAULT '{}'::text[] NOT NULL COLLATE pg_catalog."C",
    tried_psps text[] DEFAULT '{}'::text[] NOT NULL COLLATE pg_catalog."C",
    open_attempts integer DEFAULT 1 NOT NULL,
    hinted_at timestamp with time zone,
    CONSTRAINT registration_attempt_check CHECK ((attempt >= 1)),
    CONSTRAINT registration_check CHECK (((state <> 'REGISTERED'::text) OR ((token IS NOT NULL) AND (hosted_url IS NOT NULL)))),
    CONSTRAINT registration_check1 CHECK (((state <> 'REGISTERING'::text) OR (token IS NULL))),
    CONSTRAINT registration_check2 CHECK (((alias IS NULL) OR (token IS NOT NULL))),
    CONSTRAINT registration_check3 CHECK ((cardinality(key_windows) = cardinality((psps)::text[]))),
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
-- Name: dead_letter_dead_letter_id_seq; Type: SEQUENCE; Schema: pay; Owner: payments_owner
--

ALTER TABLE pay.dead_letter ALTER COLUMN dead_letter_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.dead_letter_dead_letter_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

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
    CONSTRAINT event_actor_check CHECK ((actor = ANY (ARRAY['merchant'::text, 'gateway'::text, 'webhook'::text, 'query'::text, 'operator'::text]))),
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
-- Name: late_success; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.late_success (
    merchant_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    psp pay.id NOT NULL,
    event_id pay.id,
    source text NOT NULL COLLATE pg_catalog."C",
    reference text,
    amount_minor bigint NOT NULL,
    currency text NOT NULL COLLATE pg_catalog."C",
    refund_id uuid DEFAULT gen_random_uuid() NOT NULL,
    state text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT late_success_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT late_success_state_check CHECK ((state = ANY (ARRAY['held'::text, 'refunding'::text, 'refunded'::text, 'accepted'::text, 'resolved'::text])))
);

ALTER TABLE pay.late_success OWNER TO payments_owner;

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
    CONSTRAINT mismatch_kind_check CHECK ((kind = ANY (ARRAY['amount'::text, 'currency'::text, 'token'::text, 'late_token'::text, 'left_psp'::text, 'contradiction'::text])))
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
-- Name: quarantine_count; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.quarantine_count (
    psp pay.id NOT NULL,
    number bigint NOT NULL
);

ALTER TABLE pay.quarantine_count OWNER TO payments_owner;

--
-- Name: round; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.round (
    name text NOT NULL COLLATE pg_catalog."C",
    run_at timestamp with time zone NOT NULL,
    merchant_id text COLLATE pg_catalog."C",
    checkout_id text COLLATE pg_catalog."C",
    sent_at timestamp with time zone,
    received_at timestamp with time zone,
    letter_id bigint,
    counts jsonb,
    CONSTRAINT round_check CHECK (((merchant_id IS NULL) = (checkout_id IS NULL)))
);

ALTER TABLE pay.round OWNER TO payments_owner;

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
-- Name: status_rank; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.status_rank (
    status pay.order_status NOT NULL,
    rank integer NOT NULL
);

ALTER TABLE pay.status_rank OWNER TO payments_owner;

--
-- Name: webhook_quarantine; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.webhook_quarantine (
    psp pay.id NOT NULL,
    slot integer NOT NULL,
    number bigint NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    reason text NOT NULL COLLATE pg_catalog."C",
    digest bytea NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    size bigint NOT NULL,
    request_id text,
    CONSTRAINT webhook_quarantine_body_check CHECK ((octet_length(body) <= 4096)),
    CONSTRAINT webhook_quarantine_digest_check CHECK ((octet_length(digest) = 32)),
    CONSTRAINT webhook_quarantine_headers_check CHECK ((octet_length((headers)::text) <= 16384)),
    CONSTRAINT webhook_quarantine_reason_check CHECK ((reason = ANY (ARRAY['no_key'::text, 'malformed'::text, 'stale'::text, 'skew'::text, 'wrong_key'::text, 'altered_body'::text, 'mismatch'::text, 'certificate'::text]))),
    CONSTRAINT webhook_quarantine_slot_check CHECK (((slot >= 0) AND (slot <= 999)))
);

ALTER TABLE pay.webhook_quarantine OWNER TO payments_owner;

--
-- Name: backfills; Type: VIEW; Schema: pay_view; Owner: payments_owner
--

CREATE VIEW pay_view.backfills AS
 SELECT b.psp,
    b.seen_until,
    (now() - b.seen_until) AS behind,
    b.run_at,
    COALESCE((b.lease_until > now()), false) AS running,
    b.lease_owner,
    b.runs,
    b.listed,
    b.missed,
    b.code
   FROM pay.backfill b;

ALTER TABLE pay_view.backfills OWNER TO payments_owner;

--
-- Name: VIEW backfills; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.backfills IS 'How far the list of events of each PSP has been compared with what came by itself; missed: events that only the list has brought';

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
-- Name: dead_letters; Type: VIEW; Schema: pay_view; Owner: payments_owner
--

CREATE VIEW pay_view.dead_letters AS
 SELECT d.dead_letter_id,
    d.state,
    d.kind,
    d.reason,
    d.merchant_id,
    d.checkout_id,
    ( SELECT o.payment_order_id
           FROM pay.payment_order o
          WHERE (((o.merchant_id)::text = (d.merchant_id)::text) AND ((o.checkout_id)::text = (d.checkout_id)::text) AND (o."position" = 1))) AS payment_order_id,
    COALESCE(d.psp, c.psp) AS psp,
    d.event_id,
    d.code,
    d.attempts,
    COALESCE(l.currency, c.currency, i.currency) AS currency,
    COALESCE(l.amount_minor, c.total_minor, i.amount_minor) AS amount_minor,
    round(((COALESCE(l.amount_minor, c.total_minor, i.amount_minor))::numeric / ((10)::numeric ^ (k.exponent)::numeric)), k.exponent) AS amount,
    d.at,
    (COALESCE(d.closed_at, now()) - d.at) AS age,
    d.closed_at,
    d.closed_by,
    d.closed_why,
    i.fact,
    i.token
   FROM ((((pay.dead_letter d
     LEFT JOIN pay.checkout c ON ((((c.merchant_id)::text = (d.merchant_id)::text) AND ((c.checkout_id)::text = (d.checkout_id)::text))))
     LEFT JOIN pay.late_success l ON ((((l.merchant_id)::text = (d.merchant_id)::text) AND ((l.checkout_id)::text = (d.checkout_id)::text) AND (d.kind = ANY (ARRAY['late_success'::text, 'refund'::text])))))
     LEFT JOIN pay.webhook_inbox i ON (((d.kind = 'parked'::text) AND ((i.psp)::text = (d.psp)::text) AND ((i.event_id)::text = (d.event_id)::text))))
     LEFT JOIN pay.currency k ON ((k.code = COALESCE(l.currency, c.currency, i.currency))));

ALTER TABLE pay_view.dead_letters OWNER TO payments_owner;

--
-- Name: VIEW dead_letters; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.dead_letters IS 'What the gateway has given up or wants somebody to look at, open and closed; age: until now, or until it was closed; fact and token: of a parked webhook';

--
-- Name: dispatches; Type: VIEW; Schema: pay_view; Owner: payments_owner
--

CREATE VIEW pay_view.dispatches AS
 SELECT d.merchant_id,
    d.checkout_id,
    d.operation,
    d.operation_id,
    d.attempt,
    d.psp,
    d.state,
        CASE
            WHEN ((d.state = 'OPEN'::text) AND COALESCE((d.lease_until <= now()), true)) THEN 'gone'::text
            WHEN (d.state = 'OPEN'::text) THEN 'sending'::text
            ELSE NULL::text
        END AS sender,
    d.sends,
    d.unsure,
    d.first_sent_at,
    d.sent_at,
    d.lease_until,
    d.ended_at,
    d.key_until,
    (d.key_until > now()) AS may_be_resent,
    d.reach,
    d.http_status,
    d.code,
    d.reference,
    d.request_id
   FROM pay.dispatch d;

ALTER TABLE pay_view.dispatches OWNER TO payments_owner;

--
-- Name: VIEW dispatches; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.dispatches IS 'The journal of calls that may have changed something at a PSP; sender of an OPEN one: sending, or gone without a word; may_be_resent: the PSP still knows the key';

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
    j.again_at,
    d.state AS dispatch_state,
    d.sends,
    d.key_until
   FROM ((pay.job j
     JOIN pay.checkout c ON ((((c.merchant_id)::text = (j.merchant_id)::text) AND ((c.checkout_id)::text = (j.checkout_id)::text))))
     LEFT JOIN LATERAL ( SELECT x.merchant_id,
            x.checkout_id,
            x.operation,
            x.operation_id,
            x.attempt,
            x.psp,
            x.state,
            x.sends,
            x.unsure,
            x.first_sent_at,
            x.sent_at,
            x.lease_until,
            x.ended_at,
            x.key_until,
            x.reach,
            x.http_status,
            x.code,
            x.reference,
            x.request_id,
            x.settled
           FROM pay.dispatch x
          WHERE (((x.merchant_id)::text = (j.merchant_id)::text) AND ((x.checkout_id)::text = (j.checkout_id)::text) AND (x.operation =
                CASE j.kind
                    WHEN 'poll'::text THEN 'capture'::text
                    ELSE j.kind
                END))
          ORDER BY x.first_sent_at DESC, x.attempt DESC
         LIMIT 1) d ON (true));

ALTER TABLE pay_view.jobs OWNER TO payments_owner;

--
-- Name: VIEW jobs; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.jobs IS 'Background work: what is due, since when, and who is at it; overdue by more than a minute means that no worker takes jobs.  dispatch_state, sends and key_until are of its newest call (register, refund; capture of a poll)';

--
-- Name: late_successes; Type: VIEW; Schema: pay_view; Owner: payments_owner
--

CREATE VIEW pay_view.late_successes AS
 SELECT l.merchant_id,
    l.checkout_id,
    l.state,
    l.at,
    (now() - l.at) AS age,
    l.psp,
    l.source,
    l.event_id,
    l.reference,
    l.currency,
    l.amount_minor,
    round(((l.amount_minor)::numeric / ((10)::numeric ^ (k.exponent)::numeric)), k.exponent) AS amount,
    l.refund_id,
    c.expires_at,
    ( SELECT d.dead_letter_id
           FROM pay.dead_letter d
          WHERE (((d.merchant_id)::text = (l.merchant_id)::text) AND ((d.checkout_id)::text = (l.checkout_id)::text) AND (d.state = 'open'::text) AND (d.kind = ANY (ARRAY['late_success'::text, 'refund'::text])))
          ORDER BY d.dead_letter_id DESC
         LIMIT 1) AS dead_letter_id
   FROM ((pay.late_success l
     JOIN pay.checkout c ON ((((c.merchant_id)::text = (l.merchant_id)::text) AND ((c.checkout_id)::text = (l.checkout_id)::text))))
     LEFT JOIN pay.currency k ON ((k.code = l.currency)));

ALTER TABLE pay_view.late_successes OWNER TO payments_owner;

--
-- Name: VIEW late_successes; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.late_successes IS 'Payments that were proved after their checkout had expired, and what became of them';

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
-- Name: quarantine; Type: VIEW; Schema: pay_view; Owner: payments_owner
--

CREATE VIEW pay_view.quarantine AS
 SELECT q.psp,
    q.number,
    q.received_at,
    (now() - q.received_at) AS age,
    q.reason,
    q.size,
    encode(q.digest, 'hex'::text) AS digest,
    q.request_id
   FROM pay.webhook_quarantine q;

ALTER TABLE pay_view.quarantine OWNER TO payments_owner;

--
-- Name: VIEW quarantine; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.quarantine IS 'Webhooks that were refused because their sender proved nothing: why, how large, and the SHA-256 of the body; never the body itself';

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
    s.job_code,
    s.dispatch_state,
    s.dead_letter_id
   FROM ( SELECT c.merchant_id,
            c.checkout_id,
            c.psp,
                CASE
                    WHEN (u.letter IS NOT NULL) THEN 'dead_letter'::text
                    WHEN (EXISTS ( SELECT
                       FROM pay.mismatch m
                      WHERE (((m.merchant_id)::text = (c.merchant_id)::text) AND ((m.checkout_id)::text = (c.checkout_id)::text) AND (m.kind <> 'contradiction'::text)))) THEN 'mismatch'::text
                    WHEN (j.code = ANY (ARRAY['psp_not_configured'::text, 'request_refused'::text])) THEN j.code
                    WHEN (j.overdue > '00:01:00'::interval) THEN 'no_worker'::text
                    WHEN (((o.status)::text <> 'FAILED'::text) AND (c.expires_at < (now() - '00:30:00'::interval))) THEN 'past_expiry'::text
                    WHEN ((j.kind = 'register'::text) AND (j.dispatch_state = 'UNKNOWN'::text) AND (c.created_at < (now() - '00:05:00'::interval))) THEN 'unknown'::text
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
            j.code AS job_code,
            j.dispatch_state,
            u.letter AS dead_letter_id
           FROM (((((( SELECT j_1.merchant_id,
                    j_1.checkout_id,
                    j_1.kind,
                    NULL::bigint AS letter
                   FROM pay.job j_1
                  WHERE (NOT (EXISTS ( SELECT
                           FROM pay.dead_letter d
                          WHERE (((d.merchant_id)::text = (j_1.merchant_id)::text) AND ((d.checkout_id)::text = (j_1.checkout_id)::text) AND (d.state = 'open'::text)))))
                UNION ALL
                 SELECT d.merchant_id,
                    d.checkout_id,
                    max(j_1.kind) AS max,
                    min(d.dead_letter_id) AS min
                   FROM (pay.dead_letter d
                     LEFT JOIN pay.job j_1 ON ((((j_1.merchant_id)::text = (d.merchant_id)::text) AND ((j_1.checkout_id)::text = (d.checkout_id)::text))))
                  WHERE ((d.state = 'open'::text) AND (d.kind <> 'parked'::text))
                  GROUP BY d.merchant_id, d.checkout_id) u
             JOIN pay.checkout c ON ((((c.merchant_id)::text = (u.merchant_id)::text) AND ((c.checkout_id)::text = (u.checkout_id)::text))))
             JOIN pay.registration r ON ((((r.merchant_id)::text = (u.merchant_id)::text) AND ((r.checkout_id)::text = (u.checkout_id)::text))))
             JOIN pay.payment_order o ON ((((o.merchant_id)::text = (u.merchant_id)::text) AND ((o.checkout_id)::text = (u.checkout_id)::text) AND (o."position" = 1))))
             JOIN pay.currency k ON ((k.code = c.currency)))
             LEFT JOIN pay_view.jobs j ON ((((j.merchant_id)::text = (u.merchant_id)::text) AND ((j.checkout_id)::text = (u.checkout_id)::text) AND (j.kind = u.kind))))) s
  WHERE (s.why IS NOT NULL);

ALTER TABLE pay_view.stuck OWNER TO payments_owner;

--
-- Name: VIEW stuck; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.stuck IS 'Checkouts that do not go on as they should: dead_letter, mismatch, psp_not_configured, request_refused, no_worker, past_expiry, unknown, not_registered or no_answer';

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
-- Name: backfill backfill_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.backfill
    ADD CONSTRAINT backfill_pkey PRIMARY KEY (psp);

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
-- Name: dead_letter dead_letter_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.dead_letter
    ADD CONSTRAINT dead_letter_pkey PRIMARY KEY (dead_letter_id);

--
-- Name: dispatch dispatch_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.dispatch
    ADD CONSTRAINT dispatch_pkey PRIMARY KEY (merchant_id, checkout_id, operation, operation_id, attempt);

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
-- Name: late_success late_success_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.late_success
    ADD CONSTRAINT late_success_pkey PRIMARY KEY (merchant_id, checkout_id);

--
-- Name: late_success late_success_refund_id_key; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.late_success
    ADD CONSTRAINT late_success_refund_id_key UNIQUE (refund_id);

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
-- Name: quarantine_count quarantine_count_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.quarantine_count
    ADD CONSTRAINT quarantine_count_pkey PRIMARY KEY (psp);

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
-- Name: round round_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.round
    ADD CONSTRAINT round_pkey PRIMARY KEY (name);

--
-- Name: schema_migration schema_migration_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (file);

--
-- Name: status_rank status_rank_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.status_rank
    ADD CONSTRAINT status_rank_pkey PRIMARY KEY (status);

--
-- Name: status_rank status_rank_rank_key; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.status_rank
    ADD CONSTRAINT status_rank_rank_key UNIQUE (rank);

--
-- Name: webhook_inbox webhook_inbox_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.webhook_inbox
    ADD CONSTRAINT webhook_inbox_pkey PRIMARY KEY (psp, event_id);

--
-- Name: webhook_quarantine webhook_quarantine_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.webhook_quarantine
    ADD CONSTRAINT webhook_quarantine_pkey PRIMARY KEY (psp, slot);

--
-- Name: dead_letter_checkout; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX dead_letter_checkout ON pay.dead_letter USING btree (merchant_id, checkout_id);

--
-- Name: dead_letter_closed; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX dead_letter_closed ON pay.dead_letter USING btree (closed_at) WHERE (state <> 'open'::text);

--
-- Name: dead_letter_event; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX dead_letter_event ON pay.dead_letter USING btree (psp, event_id) WHERE (event_id IS NOT NULL);

--
-- Name: dead_letter_one_open; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE UNIQUE INDEX dead_letter_one_open ON pay.dead_letter USING btree (merchant_id, checkout_id, kind, psp, event_id) NULLS NOT DISTINCT WHERE (state = 'open'::text);

--
-- Name: dead_letter_open; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX dead_letter_open ON pay.dead_letter USING btree (dead_letter_id) WHERE (state = 'open'::text);

--
-- Name: dispatch_one_open; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE UNIQUE INDEX dispatch_one_open ON pay.dispatch USING btree (merchant_id, checkout_id, operation, operation_id) WHERE (state = ANY (ARRAY['OPEN'::text, 'UNKNOWN'::text]));

--
-- Name: dispatch_open; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX dispatch_open ON pay.dispatch USING btree (lease_until) WHERE ((state = 'OPEN'::text) AND (operation <> 'register'::text));

--
-- Name: dispatch_unknown; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX dispatch_unknown ON pay.dispatch USING btree (first_sent_at) WHERE ((state = 'UNKNOWN'::text) AND (NOT settled));

--
-- Name: job_rank_run_at; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX job_rank_run_at ON pay.job USING btree (pay.job_rank(kind), run_at);

--
-- Name: webhook_inbox_idle; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX webhook_inbox_idle ON pay.webhook_inbox USING btree (received_at) WHERE ((state = 'asked'::text) OR ((state = 'ignored'::text) AND (fact = 'none'::text)));

--
-- Name: webhook_inbox_parked; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX webhook_inbox_parked ON pay.webhook_inbox USING btree (psp, token) WHERE (state = 'parked'::text);

--
-- Name: webhook_inbox_parked_at; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX webhook_inbox_parked_at ON pay.webhook_inbox USING btree (received_at) WHERE (state = 'parked'::text);

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
-- Name: late_success late_success_fixed; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER late_success_fixed BEFORE UPDATE OF merchant_id, checkout_id, psp, amount_minor, currency, refund_id ON pay.late_success FOR EACH ROW WHEN ((((((((new.merchant_id)::text IS DISTINCT FROM (old.merchant_id)::text) OR ((new.checkout_id)::text IS DISTINCT FROM (old.checkout_id)::text)) OR ((new.psp)::text IS DISTINCT FROM (old.psp)::text)) OR (new.amount_minor IS DISTINCT FROM old.amount_minor)) OR (new.currency IS DISTINCT FROM old.currency)) OR (new.refund_id IS DISTINCT FROM old.refund_id))) EXECUTE FUNCTION pay.refuse_change('one refund for ever', 'PAY11');

ALTER TABLE pay.late_success ENABLE ALWAYS TRIGGER late_success_fixed;

--
-- Name: late_success late_success_state; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER late_success_state BEFORE UPDATE OF state ON pay.late_success FOR EACH ROW WHEN (((new.state <> old.state) AND ((((((old.state <> 'held'::text) OR (new.state <> 'accepted'::text)) AND ((old.state <> 'held'::text) OR (new.state <> 'resolved'::text))) AND ((old.state <> 'refunding'::text) OR (new.state <> 'refunded'::text))) AND ((old.state <> 'refunding'::text) OR (new.state <> 'resolved'::text))) AND ((old.state <> 'resolved'::text) OR (new.state <> 'refunded'::text))))) EXECUTE FUNCTION pay.refuse_change('no such transition', 'PAY10');

ALTER TABLE pay.late_success ENABLE ALWAYS TRIGGER late_success_state;

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

CREATE TRIGGER payment_order_status BEFORE UPDATE OF status ON pay.payment_order FOR EACH ROW WHEN ((pay.status_rank((new.status)::text) < pay.status_rank((old.status)::text))) EXECUTE FUNCTION pay.refuse_change('no such transition', 'PAY10');

ALTER TABLE pay.payment_order ENABLE ALWAYS TRIGGER payment_order_status;

--
-- Name: payment_order payment_order_version; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER payment_order_version BEFORE UPDATE OF version ON pay.payment_order FOR EACH ROW WHEN ((new.version < old.version)) EXECUTE FUNCTION pay.refuse_change('versions grow', 'PAY11');

ALTER TABLE pay.payment_order ENABLE ALWAYS TRIGGER payment_order_version;

--
-- Name: registration registration_fixed; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER registration_fixed BEFORE UPDATE OF merchant_id, checkout_id, nonce, psps, key_windows ON pay.registration FOR EACH ROW WHEN (((((((new.merchant_id)::text IS DISTINCT FROM (old.merchant_id)::text) OR ((new.checkout_id)::text IS DISTINCT FROM (old.checkout_id)::text)) OR ((new.nonce)::text IS DISTINCT FROM (old.nonce)::text)) OR ((new.psps)::text[] IS DISTINCT FROM (old.psps)::text[])) OR (new.key_windows IS DISTINCT FROM old.key_windows))) EXECUTE FUNCTION pay.refuse_change('one nonce for ever', 'PAY11');

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
-- Name: dispatch dispatch_merchant_id_checkout_id_fkey; Type: FK CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.dispatch
    ADD CONSTRAINT dispatch_merchant_id_checkout_id_fkey FOREIGN KEY (merchant_id, checkout_id) REFERENCES pay.checkout(merchant_id, checkout_id);

--
-- Name: late_success late_success_merchant_id_checkout_id_fkey; Type: FK CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.late_success
    ADD CONSTRAINT late_success_merchant_id_checkout_id_fkey FOREIGN KEY (merchant_id, checkout_id) REFERENCES pay.checkout(merchant_id, checkout_id);

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
GRANT USAGE ON SCHEMA pay TO payments_operator;

--
-- Name: SCHEMA pay_api; Type: ACL; Schema: -; Owner: payments_owner
--

GRANT USAGE ON SCHEMA pay_api TO payments_gateway;

--
-- Name: SCHEMA pay_ops; Type: ACL; Schema: -; Owner: payments_owner
--

GRANT USAGE ON SCHEMA pay_ops TO payments_operator;

--
-- Name: SCHEMA pay_view; Type: ACL; Schema: -; Owner: payments_owner
--

GRANT USAGE ON SCHEMA pay_view TO payments_auditor;
GRANT USAGE ON SCHEMA pay_view TO payments_operator;

--
-- Name: SCHEMA public; Type: ACL; Schema: -; Owner: pg_database_owner
--

REVOKE USAGE ON SCHEMA public FROM PUBLIC;

--
-- Name: FUNCTION accept_late(p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.accept_late(p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: TABLE dead_letter; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.dead_letter TO payments_auditor;
GRANT SELECT ON TABLE pay.dead_letter TO payments_operator;

--
-- Name: FUNCTION apply_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.apply_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text) FROM PUBLIC;

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
-- Name: FUNCTION claim_backfill(p_psp text, p_owner text, p_interval interval, p_lease interval, OUT since_s bigint, OUT until_s bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.claim_backfill(p_psp text, p_owner text, p_interval interval, p_lease interval, OUT since_s bigint, OUT until_s bigint) FROM PUBLIC;

--
-- Name: FUNCTION claim_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], OUT sure boolean, OUT parked boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.claim_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], OUT sure boolean, OUT parked boolean) FROM PUBLIC;

--
-- Name: FUNCTION close_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text, p_state text, p_who text, p_why text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.close_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text, p_state text, p_who text, p_why text) FROM PUBLIC;

--
-- Name: FUNCTION delete_losers(p_keyed pay.payment_item[], p_placed pay.payment_item[], p_made pay.payment_item[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.delete_losers(p_keyed pay.payment_item[], p_placed pay.payment_item[], p_made pay.payment_item[]) FROM PUBLIC;

--
-- Name: FUNCTION dispatch_ok(p_merchant_id text, p_checkout_id text, p_operation text, p_operation_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.dispatch_ok(p_merchant_id text, p_checkout_id text, p_operation text, p_operation_id text) FROM PUBLIC;

--
-- Name: FUNCTION end_registers(p_facts pay.fact[], p_reach text[], p_http_status bigint[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.end_registers(p_facts pay.fact[], p_reach text[], p_http_status bigint[]) FROM PUBLIC;

--
-- Name: FUNCTION explain(p_merchant_id text, p_payment_order_id text, p_inside boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.explain(p_merchant_id text, p_payment_order_id text, p_inside boolean) FROM PUBLIC;

--
-- Name: FUNCTION explain_dispatches(p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.explain_dispatches(p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION explain_exceptions(p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.explain_exceptions(p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION explain_final(p_s pay.standing, OUT waits_for text, OUT why text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.explain_final(p_s pay.standing, OUT waits_for text, OUT why text) FROM PUBLIC;

--
-- Name: FUNCTION explain_late(p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.explain_late(p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION explain_letters(p_merchant_id text, p_checkout_id text, p_inside boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.explain_letters(p_merchant_id text, p_checkout_id text, p_inside boolean) FROM PUBLIC;

--
-- Name: FUNCTION explain_loss(p_item pay.payment_item, OUT outcome text, OUT checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.explain_loss(p_item pay.payment_item, OUT outcome text, OUT checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION explain_next(p_s pay.standing, OUT what text, OUT at timestamp with time zone); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.explain_next(p_s pay.standing, OUT what text, OUT at timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION explain_registered(p_s pay.standing, OUT waits_for text, OUT why text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.explain_registered(p_s pay.standing, OUT waits_for text, OUT why text) FROM PUBLIC;

--
-- Name: FUNCTION explain_retry(p_s pay.standing, p_at timestamp with time zone, OUT answer text, OUT after timestamp with time zone, OUT reason text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.explain_retry(p_s pay.standing, p_at timestamp with time zone, OUT answer text, OUT after timestamp with time zone, OUT reason text) FROM PUBLIC;

--
-- Name: FUNCTION explain_standing(p_s pay.standing); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.explain_standing(p_s pay.standing) FROM PUBLIC;

--
-- Name: FUNCTION explain_unregistered(p_s pay.standing, p_what text, OUT waits_for text, OUT why text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.explain_unregistered(p_s pay.standing, p_what text, OUT waits_for text, OUT why text) FROM PUBLIC;

--
-- Name: FUNCTION fact_kind(p_fact text, p_amount_minor bigint, p_currency text, p_total_minor bigint, p_own_currency text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.fact_kind(p_fact text, p_amount_minor bigint, p_currency text, p_total_minor bigint, p_own_currency text) FROM PUBLIC;

--
-- Name: FUNCTION find_moves(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], OUT items integer[], OUT nexts text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.find_moves(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], OUT items integer[], OUT nexts text[]) FROM PUBLIC;

--
-- Name: TABLE payment_order; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.payment_order TO payments_auditor;
GRANT SELECT ON TABLE pay.payment_order TO payments_operator;

--
-- Name: FUNCTION find_order(p_merchant_id text, p_payment_order_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.find_order(p_merchant_id text, p_payment_order_id text) FROM PUBLIC;

--
-- Name: FUNCTION follow_moves(p_facts pay.fact[], p_nexts text[], p_lease_ms bigint[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.follow_moves(p_facts pay.fact[], p_nexts text[], p_lease_ms bigint[]) FROM PUBLIC;

--
-- Name: FUNCTION follow_registration(); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.follow_registration() FROM PUBLIC;

--
-- Name: FUNCTION give_back_jobs(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_delay_ms bigint[], p_code text[], p_dead text[], p_items integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.give_back_jobs(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_delay_ms bigint[], p_code text[], p_dead text[], p_items integer[]) FROM PUBLIC;

--
-- Name: FUNCTION hear_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_items integer[], OUT stored integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.hear_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_items integer[], OUT stored integer[]) FROM PUBLIC;

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
-- Name: FUNCTION is_over(p_letter pay.dead_letter); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_over(p_letter pay.dead_letter) FROM PUBLIC;

--
-- Name: FUNCTION is_registering(p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_registering(p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION is_statement(p_text text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_statement(p_text text) FROM PUBLIC;

--
-- Name: FUNCTION is_unsettled(p_merchant_id text, p_checkout_id text, p_operation text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_unsettled(p_merchant_id text, p_checkout_id text, p_operation text) FROM PUBLIC;

--
-- Name: FUNCTION iso_time(p_at timestamp with time zone); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.iso_time(p_at timestamp with time zone) FROM PUBLIC;

--
-- Name: TABLE job; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.job TO payments_auditor;
GRANT SELECT ON TABLE pay.job TO payments_operator;

--
-- Name: FUNCTION job_is_over(p_job pay.job, p_delay_ms bigint, p_code text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.job_is_over(p_job pay.job, p_delay_ms bigint, p_code text) FROM PUBLIC;

--
-- Name: FUNCTION job_rank(p_kind text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.job_rank(p_kind text) FROM PUBLIC;

--
-- Name: FUNCTION keep_late(p_facts pay.fact[], p_items integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.keep_late(p_facts pay.fact[], p_items integer[]) FROM PUBLIC;

--
-- Name: FUNCTION keep_mismatches(p_facts pay.fact[], p_told integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.keep_mismatches(p_facts pay.fact[], p_told integer[]) FROM PUBLIC;

--
-- Name: FUNCTION keep_no_token(p_facts pay.fact[], p_retry_after_ms bigint[], p_reach text[], p_http_status bigint[], p_dead text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.keep_no_token(p_facts pay.fact[], p_retry_after_ms bigint[], p_reach text[], p_http_status bigint[], p_dead text[]) FROM PUBLIC;

--
-- Name: FUNCTION keep_references(p_facts pay.fact[], p_moved integer[], p_against integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.keep_references(p_facts pay.fact[], p_moved integer[], p_against integer[]) FROM PUBLIC;

--
-- Name: FUNCTION key_window(p_psps text[], p_key_windows integer[], p_psp text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.key_window(p_psps text[], p_key_windows integer[], p_psp text) FROM PUBLIC;

--
-- Name: FUNCTION letters_of(p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.letters_of(p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION lock_checkouts(p_merchant_id text[], p_checkout_id text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.lock_checkouts(p_merchant_id text[], p_checkout_id text[]) FROM PUBLIC;

--
-- Name: FUNCTION lock_dead_letter(p_id bigint, OUT letter pay.dead_letter, OUT merchant text, OUT checkout text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.lock_dead_letter(p_id bigint, OUT letter pay.dead_letter, OUT merchant text, OUT checkout text) FROM PUBLIC;

--
-- Name: FUNCTION lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[]) FROM PUBLIC;

--
-- Name: FUNCTION may_be_stuck(p_merchant_id text, p_checkout_id text, p_reason text, p_since timestamp with time zone, p_limit interval); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.may_be_stuck(p_merchant_id text, p_checkout_id text, p_reason text, p_since timestamp with time zone, p_limit interval) FROM PUBLIC;

--
-- Name: FUNCTION move_orders(p_facts pay.fact[], p_turn integer, OUT moved integer[], OUT late integer[], OUT against integer[], OUT told integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.move_orders(p_facts pay.fact[], p_turn integer, OUT moved integer[], OUT late integer[], OUT against integer[], OUT told integer[]) FROM PUBLIC;

--
-- Name: FUNCTION move_registers(p_facts pay.fact[], p_outcome text[], p_reach text[], p_http_status bigint[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.move_registers(p_facts pay.fact[], p_outcome text[], p_reach text[], p_http_status bigint[]) FROM PUBLIC;

--
-- Name: FUNCTION move_registrations(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], p_lease_ms bigint[], OUT items integer[], OUT nexts text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.move_registrations(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], p_lease_ms bigint[], OUT items integer[], OUT nexts text[]) FROM PUBLIC;

--
-- Name: TABLE dispatch; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.dispatch TO payments_auditor;
GRANT SELECT ON TABLE pay.dispatch TO payments_operator;

--
-- Name: FUNCTION newest_dispatch(p_merchant_id text, p_checkout_id text, p_operation text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.newest_dispatch(p_merchant_id text, p_checkout_id text, p_operation text) FROM PUBLIC;

--
-- Name: FUNCTION news_kind(p_kind text, p_actor text, p_status text, p_policy text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.news_kind(p_kind text, p_actor text, p_status text, p_policy text) FROM PUBLIC;

--
-- Name: FUNCTION next_checkouts(OUT merchants text[], OUT checkouts text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.next_checkouts(OUT merchants text[], OUT checkouts text[]) FROM PUBLIC;

--
-- Name: FUNCTION next_letters(); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.next_letters() FROM PUBLIC;

--
-- Name: TABLE webhook_inbox; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.webhook_inbox TO payments_auditor;
GRANT SELECT ON TABLE pay.webhook_inbox TO payments_operator;

--
-- Name: FUNCTION next_parked(p_limit interval); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.next_parked(p_limit interval) FROM PUBLIC;

--
-- Name: FUNCTION next_status(p_status text, p_kind text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.next_status(p_status text, p_kind text) FROM PUBLIC;

--
-- Name: FUNCTION next_unknown(p_limit interval); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.next_unknown(p_limit interval) FROM PUBLIC;

--
-- Name: FUNCTION open_dead_letter(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_event_id text[], p_kind text[], p_reason text[], p_code text[], p_attempts integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.open_dead_letter(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_event_id text[], p_kind text[], p_reason text[], p_code text[], p_attempts integer[]) FROM PUBLIC;

--
-- Name: FUNCTION order_is(p_merchant_id text, p_checkout_id text, p_statuses text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.order_is(p_merchant_id text, p_checkout_id text, p_statuses text[]) FROM PUBLIC;

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
-- Name: FUNCTION purge(p_limit integer, p_ignored_after interval, p_closed_after interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint, OUT dead_letters bigint, OUT quarantined bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.purge(p_limit integer, p_ignored_after interval, p_closed_after interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint, OUT dead_letters bigint, OUT quarantined bigint) FROM PUBLIC;

--
-- Name: FUNCTION purge_letters(p_limit integer, p_closed_after interval); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.purge_letters(p_limit integer, p_closed_after interval) FROM PUBLIC;

--
-- Name: FUNCTION put_off_registers(p_facts pay.fact[], p_retry_after_ms bigint[], p_dead text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.put_off_registers(p_facts pay.fact[], p_retry_after_ms bigint[], p_dead text[]) FROM PUBLIC;

--
-- Name: FUNCTION quarantine_ok(p_psp text, p_reason text, p_digest bytea, p_headers jsonb, p_body bytea, p_size bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.quarantine_ok(p_psp text, p_reason text, p_digest bytea, p_headers jsonb, p_body bytea, p_size bigint) FROM PUBLIC;

--
-- Name: FUNCTION reach_ok(p_reach text, p_http_status bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.reach_ok(p_reach text, p_http_status bigint) FROM PUBLIC;

--
-- Name: FUNCTION read_facts(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_request_id text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.read_facts(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_request_id text[]) FROM PUBLIC;

--
-- Name: FUNCTION read_no_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_request_id text[], p_reach text[], p_http_status bigint[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.read_no_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_request_id text[], p_reach text[], p_http_status bigint[]) FROM PUBLIC;

--
-- Name: FUNCTION read_windows(p_windows text, p_count integer); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.read_windows(p_windows text, p_count integer) FROM PUBLIC;

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
-- Name: FUNCTION retry_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.retry_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION same_token(p_own_psp text, p_own_token text, p_own_alias text, p_psp text, p_token text, p_alias text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.same_token(p_own_psp text, p_own_token text, p_own_alias text, p_psp text, p_token text, p_alias text) FROM PUBLIC;

--
-- Name: FUNCTION send_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[], p_items integer[], OUT items integer[], OUT outcomes text[], OUT attempts bigint[], OUT sends bigint[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.send_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[], p_items integer[], OUT items integer[], OUT outcomes text[], OUT attempts bigint[], OUT sends bigint[]) FROM PUBLIC;

--
-- Name: FUNCTION send_registers(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_lease_ms bigint[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.send_registers(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_lease_ms bigint[]) FROM PUBLIC;

--
-- Name: FUNCTION set_aside(p_facts pay.fact[], p_duplicates integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.set_aside(p_facts pay.fact[], p_duplicates integer[]) FROM PUBLIC;

--
-- Name: FUNCTION set_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_sure boolean, OUT stored integer[], OUT late integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.set_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_sure boolean, OUT stored integer[], OUT late integer[]) FROM PUBLIC;

--
-- Name: FUNCTION settle_dead_letters(p_merchant_id text[], p_checkout_id text[], p_kinds text[], p_why text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.settle_dead_letters(p_merchant_id text[], p_checkout_id text[], p_kinds text[], p_why text) FROM PUBLIC;

--
-- Name: FUNCTION settle_facts(p_facts pay.fact[], p_late boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.settle_facts(p_facts pay.fact[], p_late boolean) FROM PUBLIC;

--
-- Name: FUNCTION settle_refunds(p_merchant_id text[], p_checkout_id text[], p_operation_id text[], p_reference text[], p_request_id text[], p_items integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.settle_refunds(p_merchant_id text[], p_checkout_id text[], p_operation_id text[], p_reference text[], p_request_id text[], p_items integer[]) FROM PUBLIC;

--
-- Name: FUNCTION settle_registers(p_facts pay.fact[], p_kind text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.settle_registers(p_facts pay.fact[], p_kind text) FROM PUBLIC;

--
-- Name: FUNCTION standing_of(p_merchant_id text, p_payment_order_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.standing_of(p_merchant_id text, p_payment_order_id text) FROM PUBLIC;

--
-- Name: FUNCTION start_job(p_merchant_id text, p_checkout_id text, p_kind text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.start_job(p_merchant_id text, p_checkout_id text, p_kind text) FROM PUBLIC;

--
-- Name: FUNCTION status_rank(p_status text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.status_rank(p_status text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.status_rank(p_status text) TO payments_auditor;
GRANT ALL ON FUNCTION pay.status_rank(p_status text) TO payments_operator;

--
-- Name: FUNCTION sweep_all(p_limits jsonb); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.sweep_all(p_limits jsonb) FROM PUBLIC;

--
-- Name: FUNCTION sweep_counts(); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.sweep_counts() FROM PUBLIC;

--
-- Name: FUNCTION sweep_limit(p_limits jsonb, p_name text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.sweep_limit(p_limits jsonb, p_name text) FROM PUBLIC;

--
-- Name: FUNCTION sweep_lost(p_limit interval); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.sweep_lost(p_limit interval) FROM PUBLIC;

--
-- Name: FUNCTION sweep_ok(p_owner text, p_interval_ms bigint, p_limits jsonb); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.sweep_ok(p_owner text, p_interval_ms bigint, p_limits jsonb) FROM PUBLIC;

--
-- Name: FUNCTION sweep_open(p_registering interval, p_executing interval); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.sweep_open(p_registering interval, p_executing interval) FROM PUBLIC;

--
-- Name: FUNCTION sweep_parked(p_limit interval); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.sweep_parked(p_limit interval) FROM PUBLIC;

--
-- Name: FUNCTION sweep_settled(); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.sweep_settled() FROM PUBLIC;

--
-- Name: FUNCTION sweep_unknown(p_limit interval); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.sweep_unknown(p_limit interval) FROM PUBLIC;

--
-- Name: FUNCTION timeline(p_merchant_id text, p_payment_order_id text, p_inside boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.timeline(p_merchant_id text, p_payment_order_id text, p_inside boolean) FROM PUBLIC;

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
-- Name: FUNCTION begin_backfill(p_psp text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.begin_backfill(p_psp text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_backfill(p_psp text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) TO payments_gateway;

--
-- Name: FUNCTION begin_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.begin_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[]) TO payments_gateway;

--
-- Name: FUNCTION begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[], p_key_windows text[], p_late_success text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[], p_key_windows text[], p_late_success text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[], p_key_windows text[], p_late_success text[]) TO payments_gateway;

--
-- Name: FUNCTION claim_jobs(p_owner text[], p_lease_ms bigint[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.claim_jobs(p_owner text[], p_lease_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.claim_jobs(p_owner text[], p_lease_ms bigint[]) TO payments_gateway;

--
-- Name: FUNCTION end_backfill(p_psp text[], p_owner text[], p_until_s bigint[], p_listed bigint[], p_missed bigint[], p_code text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.end_backfill(p_psp text[], p_owner text[], p_until_s bigint[], p_listed bigint[], p_missed bigint[], p_code text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.end_backfill(p_psp text[], p_owner text[], p_until_s bigint[], p_listed bigint[], p_missed bigint[], p_code text[]) TO payments_gateway;

--
-- Name: FUNCTION end_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_request_id text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.end_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_request_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.end_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_request_id text[]) TO payments_gateway;

--
-- Name: FUNCTION explain_payment(p_merchant_id text[], p_payment_order_id text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.explain_payment(p_merchant_id text[], p_payment_order_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.explain_payment(p_merchant_id text[], p_payment_order_id text[]) TO payments_gateway;

--
-- Name: FUNCTION finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_owner text[], p_delay_ms bigint[], p_code text[], p_dead text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_owner text[], p_delay_ms bigint[], p_code text[], p_dead text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_owner text[], p_delay_ms bigint[], p_code text[], p_dead text[]) TO payments_gateway;

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
-- Name: FUNCTION quarantine_webhook(p_psp text[], p_reason text[], p_digest bytea[], p_headers jsonb[], p_body bytea[], p_size bigint[], p_request_id text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.quarantine_webhook(p_psp text[], p_reason text[], p_digest bytea[], p_headers jsonb[], p_body bytea[], p_size bigint[], p_request_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.quarantine_webhook(p_psp text[], p_reason text[], p_digest bytea[], p_headers jsonb[], p_body bytea[], p_size bigint[], p_request_id text[]) TO payments_gateway;

--
-- Name: FUNCTION ready(); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.ready() FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.ready() TO payments_gateway;

--
-- Name: FUNCTION reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[], p_reach text[], p_http_status bigint[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[], p_reach text[], p_http_status bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[], p_reach text[], p_http_status bigint[]) TO payments_gateway;

--
-- Name: FUNCTION store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[], p_reach text[], p_http_status bigint[], p_dead text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[], p_reach text[], p_http_status bigint[], p_dead text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[], p_reach text[], p_http_status bigint[], p_dead text[]) TO payments_gateway;

--
-- Name: FUNCTION store_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_poll_after_ms bigint[], p_request_id text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.store_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_poll_after_ms bigint[], p_request_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.store_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_poll_after_ms bigint[], p_request_id text[]) TO payments_gateway;

--
-- Name: FUNCTION sweep(p_owner text[], p_interval_ms bigint[], p_limits jsonb[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.sweep(p_owner text[], p_interval_ms bigint[], p_limits jsonb[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.sweep(p_owner text[], p_interval_ms bigint[], p_limits jsonb[]) TO payments_gateway;

--
-- Name: FUNCTION requeue_dead_letter(p_id bigint, p_who text, p_why text); Type: ACL; Schema: pay_ops; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_ops.requeue_dead_letter(p_id bigint, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.requeue_dead_letter(p_id bigint, p_who text, p_why text) TO payments_operator;

--
-- Name: FUNCTION resolve_dead_letter(p_id bigint, p_who text, p_why text); Type: ACL; Schema: pay_ops; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_ops.resolve_dead_letter(p_id bigint, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.resolve_dead_letter(p_id bigint, p_who text, p_why text) TO payments_operator;

--
-- Name: FUNCTION explain(p_merchant_id text, p_payment_order_id text); Type: ACL; Schema: pay_view; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_view.explain(p_merchant_id text, p_payment_order_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_view.explain(p_merchant_id text, p_payment_order_id text) TO payments_auditor;
GRANT ALL ON FUNCTION pay_view.explain(p_merchant_id text, p_payment_order_id text) TO payments_operator;

--
-- Name: TABLE backfill; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.backfill TO payments_auditor;
GRANT SELECT ON TABLE pay.backfill TO payments_operator;

--
-- Name: TABLE checkout; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.checkout TO payments_auditor;
GRANT SELECT ON TABLE pay.checkout TO payments_operator;

--
-- Name: TABLE registration; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.registration TO payments_auditor;
GRANT SELECT ON TABLE pay.registration TO payments_operator;

--
-- Name: TABLE checkout_state; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.checkout_state TO payments_auditor;
GRANT SELECT ON TABLE pay.checkout_state TO payments_operator;

--
-- Name: TABLE currency; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.currency TO payments_auditor;
GRANT SELECT ON TABLE pay.currency TO payments_operator;

--
-- Name: TABLE event; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.event TO payments_auditor;
GRANT SELECT ON TABLE pay.event TO payments_operator;

--
-- Name: TABLE idempotency_key; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.idempotency_key TO payments_auditor;
GRANT SELECT ON TABLE pay.idempotency_key TO payments_operator;

--
-- Name: TABLE late_success; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.late_success TO payments_auditor;
GRANT SELECT ON TABLE pay.late_success TO payments_operator;

--
-- Name: TABLE mismatch; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.mismatch TO payments_auditor;
GRANT SELECT ON TABLE pay.mismatch TO payments_operator;

--
-- Name: TABLE psp_token; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.psp_token TO payments_auditor;
GRANT SELECT ON TABLE pay.psp_token TO payments_operator;

--
-- Name: TABLE quarantine_count; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.quarantine_count TO payments_auditor;
GRANT SELECT ON TABLE pay.quarantine_count TO payments_operator;

--
-- Name: TABLE round; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.round TO payments_auditor;
GRANT SELECT ON TABLE pay.round TO payments_operator;

--
-- Name: TABLE schema_migration; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.schema_migration TO payments_auditor;
GRANT SELECT ON TABLE pay.schema_migration TO payments_operator;

--
-- Name: TABLE status_rank; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.status_rank TO payments_auditor;
GRANT SELECT ON TABLE pay.status_rank TO payments_operator;

--
-- Name: TABLE webhook_quarantine; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.webhook_quarantine TO payments_auditor;
GRANT SELECT ON TABLE pay.webhook_quarantine TO payments_operator;

--
-- Name: TABLE backfills; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.backfills TO payments_auditor;
GRANT SELECT ON TABLE pay_view.backfills TO payments_operator;

--
-- Name: TABLE checkouts; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.checkouts TO payments_auditor;
GRANT SELECT ON TABLE pay_view.checkouts TO payments_operator;

--
-- Name: TABLE dead_letters; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.dead_letters TO payments_auditor;
GRANT SELECT ON TABLE pay_view.dead_letters TO payments_operator;

--
-- Name: TABLE dispatches; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.dispatches TO payments_auditor;
GRANT SELECT ON TABLE pay_view.dispatches TO payments_operator;

--
-- Name: TABLE jobs; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.jobs TO payments_auditor;
GRANT SELECT ON TABLE pay_view.jobs TO payments_operator;

--
-- Name: TABLE late_successes; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.late_successes TO payments_auditor;
GRANT SELECT ON TABLE pay_view.late_successes TO payments_operator;

--
-- Name: TABLE mismatches; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.mismatches TO payments_auditor;
GRANT SELECT ON TABLE pay_view.mismatches TO payments_operator;

--
-- Name: TABLE orders; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.orders TO payments_auditor;
GRANT SELECT ON TABLE pay_view.orders TO payments_operator;

--
-- Name: TABLE parked; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.parked TO payments_auditor;
GRANT SELECT ON TABLE pay_view.parked TO payments_operator;

--
-- Name: TABLE quarantine; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.quarantine TO payments_auditor;
GRANT SELECT ON TABLE pay_view.quarantine TO payments_operator;

--
-- Name: TABLE stuck; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.stuck TO payments_auditor;
GRANT SELECT ON TABLE pay_view.stuck TO payments_operator;

--
-- Name: TABLE timeline; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.timeline TO payments_auditor;
GRANT SELECT ON TABLE pay_view.timeline TO payments_operator;

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

