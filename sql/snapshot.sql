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
-- Name: pay_check; Type: SCHEMA; Schema: -; Owner: payments_owner
--

CREATE SCHEMA pay_check;

ALTER SCHEMA pay_check OWNER TO payments_owner;

--
-- Name: SCHEMA pay_check; Type: COMMENT; Schema: -; Owner: payments_owner
--

COMMENT ON SCHEMA pay_check IS 'Invariants: each view is empty while all is well';

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
-- Name: capture_mode; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.capture_mode AS text COLLATE pg_catalog."C"
	CONSTRAINT capture_mode_check CHECK ((VALUE = ANY (ARRAY['automatic'::text, 'manual'::text])));

ALTER DOMAIN pay.capture_mode OWNER TO payments_owner;

--
-- Name: DOMAIN capture_mode; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.capture_mode IS 'automatic: the PSP takes the money when the buyer pays; manual: it is authorised, and captured by a call of its own';

--
-- Name: change_item; Type: TYPE; Schema: pay; Owner: payments_owner
--

CREATE TYPE pay.change_item AS (
	item integer,
	merchant_id text,
	checkout_id text,
	payment_order_id text,
	kind text,
	is_final boolean,
	change_id text,
	route text,
	key text,
	fingerprint bytea,
	ttl interval,
	amount_minor bigint,
	currency text,
	reason text,
	metadata jsonb,
	lease interval,
	request_id text,
	is_covered boolean,
	asked_by jsonb
);

ALTER TYPE pay.change_item OWNER TO payments_owner;

--
-- Name: currency_code; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.currency_code AS text COLLATE pg_catalog."C"
	CONSTRAINT currency_code_check CHECK ((octet_length(VALUE) = 3));

ALTER DOMAIN pay.currency_code OWNER TO payments_owner;

--
-- Name: DOMAIN currency_code; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.currency_code IS 'ISO 4217';

--
-- Name: dispatch_operation; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.dispatch_operation AS text COLLATE pg_catalog."C"
	CONSTRAINT dispatch_operation_check CHECK ((VALUE = ANY (ARRAY['register'::text, 'capture'::text, 'cancel'::text, 'refund'::text, 'expire'::text])));

ALTER DOMAIN pay.dispatch_operation OWNER TO payments_owner;

--
-- Name: DOMAIN dispatch_operation; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.dispatch_operation IS 'What may change something at a PSP';

--
-- Name: dispatch_reach; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.dispatch_reach AS text COLLATE pg_catalog."C"
	CONSTRAINT dispatch_reach_check CHECK ((VALUE = ANY (ARRAY['nothing'::text, 'resolved'::text, 'connected'::text, 'tls'::text, 'written'::text, 'status'::text, 'complete'::text])));

ALTER DOMAIN pay.dispatch_reach OWNER TO payments_owner;

--
-- Name: DOMAIN dispatch_reach; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.dispatch_reach IS 'How far a call came';

--
-- Name: dispatch_state; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.dispatch_state AS text COLLATE pg_catalog."C"
	CONSTRAINT dispatch_state_check CHECK ((VALUE = ANY (ARRAY['OPEN'::text, 'DONE'::text, 'PENDING'::text, 'REFUSED'::text, 'NOT_SENT'::text, 'UNKNOWN'::text])));

ALTER DOMAIN pay.dispatch_state OWNER TO payments_owner;

--
-- Name: DOMAIN dispatch_state; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.dispatch_state IS 'What became of an attempt';

--
-- Name: event_actor; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.event_actor AS text COLLATE pg_catalog."C"
	CONSTRAINT event_actor_check CHECK ((VALUE = ANY (ARRAY['merchant'::text, 'gateway'::text, 'webhook'::text, 'query'::text, 'operator'::text])));

ALTER DOMAIN pay.event_actor OWNER TO payments_owner;

--
-- Name: DOMAIN event_actor; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.event_actor IS 'Who has brought an event about';

--
-- Name: posting; Type: TYPE; Schema: pay; Owner: payments_owner
--

CREATE TYPE pay.posting AS (
	merchant_id text,
	source text,
	kind text,
	checkout_id text,
	payment_order_id text,
	psp text,
	seller_account text,
	amount_minor bigint,
	currency text,
	seller_minor bigint,
	seller_currency text,
	rate numeric,
	request_id text
);

ALTER TYPE pay.posting OWNER TO payments_owner;

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
	outcome text,
	order_id text,
	postings pay.posting[]
);

ALTER TYPE pay.fact OWNER TO payments_owner;

--
-- Name: failure_reason; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.failure_reason AS text COLLATE pg_catalog."C"
	CONSTRAINT failure_reason_check CHECK ((VALUE = ANY (ARRAY['declined'::text, 'expired'::text, 'cancelled'::text, 'rejected'::text, 'risk'::text])));

ALTER DOMAIN pay.failure_reason OWNER TO payments_owner;

--
-- Name: DOMAIN failure_reason; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.failure_reason IS 'Why an order is FAILED';

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
-- Name: hash; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.hash AS bytea
	CONSTRAINT hash_check CHECK ((octet_length(VALUE) = 32));

ALTER DOMAIN pay.hash OWNER TO payments_owner;

--
-- Name: DOMAIN hash; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.hash IS 'A SHA-256';

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
-- Name: job_kind; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.job_kind AS text COLLATE pg_catalog."C"
	CONSTRAINT job_kind_check CHECK ((VALUE = ANY (ARRAY['register'::text, 'poll'::text, 'refund'::text, 'change'::text])));

ALTER DOMAIN pay.job_kind OWNER TO payments_owner;

--
-- Name: DOMAIN job_kind; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.job_kind IS 'What goes on in the background';

--
-- Name: journal_source; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.journal_source AS text COLLATE pg_catalog."C"
	CONSTRAINT journal_source_check CHECK (((octet_length(VALUE) >= 1) AND (octet_length(VALUE) <= 600)));

ALTER DOMAIN pay.journal_source OWNER TO payments_owner;

--
-- Name: DOMAIN journal_source; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.journal_source IS 'Of what an entry is made';

--
-- Name: late_policy; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.late_policy AS text COLLATE pg_catalog."C"
	CONSTRAINT late_policy_check CHECK ((VALUE = ANY (ARRAY['accept'::text, 'hold'::text, 'refund'::text])));

ALTER DOMAIN pay.late_policy OWNER TO payments_owner;

--
-- Name: DOMAIN late_policy; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.late_policy IS 'What becomes of a payment that is proved after it has expired';

--
-- Name: line_number; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.line_number AS integer
	CONSTRAINT line_number_check CHECK (((VALUE >= 1) AND (VALUE <= 9)));

ALTER DOMAIN pay.line_number OWNER TO payments_owner;

--
-- Name: DOMAIN line_number; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.line_number IS 'An entry has 9 lines at most';

--
-- Name: minor; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.minor AS bigint
	CONSTRAINT minor_check CHECK ((VALUE >= 0));

ALTER DOMAIN pay.minor OWNER TO payments_owner;

--
-- Name: DOMAIN minor; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.minor IS 'An amount in minor units, or nothing';

--
-- Name: move; Type: TYPE; Schema: pay; Owner: payments_owner
--

CREATE TYPE pay.move AS (
	merchant_id text,
	checkout_id text,
	final text,
	booked pay.posting[],
	is_ours boolean
);

ALTER TYPE pay.move OWNER TO payments_owner;

--
-- Name: news; Type: TYPE; Schema: pay; Owner: payments_owner
--

CREATE TYPE pay.news AS (
	item integer,
	merchant_id text,
	checkout_id text,
	psp text,
	source text,
	event_id text,
	type text,
	about text,
	news text,
	token text,
	reference text,
	object text,
	operation_id text,
	amount_minor bigint,
	currency text,
	fee_minor bigint,
	fee_currency text,
	code text,
	digest bytea,
	request_id text,
	outcome text
);

ALTER TYPE pay.news OWNER TO payments_owner;

--
-- Name: order_minor; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.order_minor AS bigint
	CONSTRAINT order_minor_check CHECK (((VALUE >= 1) AND (VALUE <= '999999999999999'::bigint)));

ALTER DOMAIN pay.order_minor OWNER TO payments_owner;

--
-- Name: DOMAIN order_minor; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.order_minor IS 'An amount in minor units that can be ordered';

--
-- Name: order_status; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.order_status AS text COLLATE pg_catalog."C"
	CONSTRAINT order_status_check CHECK ((VALUE = ANY (ARRAY['NOT_STARTED'::text, 'EXECUTING'::text, 'SUCCESS'::text, 'FAILED'::text])));

ALTER DOMAIN pay.order_status OWNER TO payments_owner;

--
-- Name: DOMAIN order_status; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.order_status IS 'docs/architecture.md#order-states';

--
-- Name: ordinal; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.ordinal AS integer
	CONSTRAINT ordinal_check CHECK ((VALUE >= 1));

ALTER DOMAIN pay.ordinal OWNER TO payments_owner;

--
-- Name: DOMAIN ordinal; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.ordinal IS 'A number in a row, from 1 on';

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
	late_success text,
	capture text,
	quote_ttl interval,
	rate_age interval,
	replaces text,
	change_id text,
	can_close boolean,
	waits boolean,
	asked_by jsonb
);

ALTER TYPE pay.payment_item OWNER TO payments_owner;

--
-- Name: positive_minor; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.positive_minor AS bigint
	CONSTRAINT positive_minor_check CHECK ((VALUE > 0));

ALTER DOMAIN pay.positive_minor OWNER TO payments_owner;

--
-- Name: DOMAIN positive_minor; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.positive_minor IS 'An amount in minor units';

--
-- Name: positive_rate; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.positive_rate AS numeric
	CONSTRAINT positive_rate_check CHECK ((VALUE > (0)::numeric));

ALTER DOMAIN pay.positive_rate OWNER TO payments_owner;

--
-- Name: DOMAIN positive_rate; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.positive_rate IS 'A rate of exchange';

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
-- Name: registration_state; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.registration_state AS text COLLATE pg_catalog."C"
	CONSTRAINT registration_state_check CHECK ((VALUE = ANY (ARRAY['REGISTERING'::text, 'REGISTERED'::text, 'REFUSED'::text])));

ALTER DOMAIN pay.registration_state OWNER TO payments_owner;

--
-- Name: DOMAIN registration_state; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.registration_state IS 'REGISTERING: the outcome is open; REGISTERED: the token is ours; REFUSED: the PSP will never have it, or its time ran out before it had';

--
-- Name: signed_minor; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.signed_minor AS bigint
	CONSTRAINT signed_minor_check CHECK ((VALUE <> 0));

ALTER DOMAIN pay.signed_minor OWNER TO payments_owner;

--
-- Name: DOMAIN signed_minor; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.signed_minor IS 'What a line moves in minor units: a debit is positive, a credit negative';

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
	stuck boolean,
	authorized boolean,
	change text,
	change_at timestamp with time zone,
	change_letter boolean,
	change_code text,
	closed boolean,
	waits boolean,
	replaces text,
	replaced_by text,
	old_paid boolean,
	old_open boolean
);

ALTER TYPE pay.standing OWNER TO payments_owner;

--
-- Name: tally; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.tally AS integer
	CONSTRAINT tally_check CHECK ((VALUE >= 0));

ALTER DOMAIN pay.tally OWNER TO payments_owner;

--
-- Name: DOMAIN tally; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.tally IS 'How many there are';

--
-- Name: webhook_state; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.webhook_state AS text COLLATE pg_catalog."C"
	CONSTRAINT webhook_state_check CHECK ((VALUE = ANY (ARRAY['applied'::text, 'unchanged'::text, 'asked'::text, 'parked'::text, 'mismatch'::text, 'ignored'::text, 'held'::text, 'contradiction'::text])));

ALTER DOMAIN pay.webhook_state OWNER TO payments_owner;

--
-- Name: DOMAIN webhook_state; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.webhook_state IS 'What became of a webhook, see webhook_inbox';

--
-- Name: webhook_way; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.webhook_way AS text COLLATE pg_catalog."C"
	CONSTRAINT webhook_way_check CHECK ((VALUE = ANY (ARRAY['webhook'::text, 'backfill'::text])));

ALTER DOMAIN pay.webhook_way OWNER TO payments_owner;

--
-- Name: DOMAIN webhook_way; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.webhook_way IS 'How a webhook came: by itself, or by a look at the PSP''s list';

--
-- Name: whole; Type: DOMAIN; Schema: pay; Owner: payments_owner
--

CREATE DOMAIN pay.whole AS bigint
	CONSTRAINT whole_check CHECK ((VALUE >= 0));

ALTER DOMAIN pay.whole OWNER TO payments_owner;

--
-- Name: DOMAIN whole; Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON DOMAIN pay.whole IS 'A number that is not negative';

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
-- Name: all_merchants(); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.all_merchants() RETURNS SETOF text
    LANGUAGE sql STABLE
    AS $$
WITH RECURSIVE merchant (id) AS (
    SELECT (SELECT c.merchant_id::text FROM checkout c
            ORDER BY c.merchant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT c.merchant_id::text FROM checkout c
            WHERE c.merchant_id > m.id
            ORDER BY c.merchant_id LIMIT 1)
    FROM merchant m
    WHERE m.id IS NOT NULL
)
SELECT m.id FROM merchant m WHERE m.id IS NOT NULL
$$;

ALTER FUNCTION pay.all_merchants() OWNER TO payments_owner;

--
-- Name: FUNCTION all_merchants(); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.all_merchants() IS 'Merchants with a checkout, from each to the next by the index';

--
-- Name: all_psps(); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.all_psps() RETURNS SETOF text
    LANGUAGE sql STABLE
    AS $$
WITH RECURSIVE registered (name) AS (
    SELECT (SELECT r.psp::text FROM registration r ORDER BY r.psp LIMIT 1)
    UNION ALL
    SELECT (SELECT r.psp::text FROM registration r WHERE r.psp > p.name
            ORDER BY r.psp LIMIT 1)
    FROM registered p WHERE p.name IS NOT NULL
), heard (name) AS (
    SELECT (SELECT i.psp::text FROM webhook_inbox i ORDER BY i.psp LIMIT 1)
    UNION ALL
    SELECT (SELECT i.psp::text FROM webhook_inbox i WHERE i.psp > p.name
            ORDER BY i.psp LIMIT 1)
    FROM heard p WHERE p.name IS NOT NULL
)
SELECT r.name FROM registered r WHERE r.name IS NOT NULL
UNION
SELECT h.name FROM heard h WHERE h.name IS NOT NULL
$$;

ALTER FUNCTION pay.all_psps() OWNER TO payments_owner;

--
-- Name: FUNCTION all_psps(); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.all_psps() IS 'PSPs with a registration or a webhook, by the index as all_merchants';

--
-- Name: all_sold(text, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.all_sold(p_merchant_id text, p_checkout_id text, p_order_id text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN NOT EXISTS (
        SELECT FROM payment_order o
        WHERE o.merchant_id = p_merchant_id
            AND o.checkout_id = p_checkout_id
            AND o.payment_order_id <> p_order_id AND o.status <> 'SUCCESS');
END
$$;

ALTER FUNCTION pay.all_sold(p_merchant_id text, p_checkout_id text, p_order_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION all_sold(p_merchant_id text, p_checkout_id text, p_order_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.all_sold(p_merchant_id text, p_checkout_id text, p_order_id text) IS 'Whether all other orders of a checkout are SUCCESS';

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
    operation_id pay.id,
    CONSTRAINT dead_letter_check CHECK (((state = 'open'::text) = (closed_at IS NULL))),
    CONSTRAINT dead_letter_check1 CHECK (((closed_at IS NULL) = (closed_by IS NULL))),
    CONSTRAINT dead_letter_check2 CHECK (((closed_at IS NULL) = (closed_why IS NULL))),
    CONSTRAINT dead_letter_check3 CHECK (((kind = 'parked'::text) = (checkout_id IS NULL))),
    CONSTRAINT dead_letter_check4 CHECK (((merchant_id IS NULL) = (checkout_id IS NULL))),
    CONSTRAINT dead_letter_check5 CHECK (((kind = 'parked'::text) = (event_id IS NOT NULL))),
    CONSTRAINT dead_letter_check6 CHECK (((event_id IS NULL) OR (psp IS NOT NULL))),
    CONSTRAINT dead_letter_check7 CHECK (((kind <> 'change'::text) OR (operation_id IS NOT NULL))),
    CONSTRAINT dead_letter_kind_check CHECK ((kind = ANY (ARRAY['register'::text, 'poll'::text, 'refund'::text, 'change'::text, 'late_success'::text, 'parked'::text, 'stuck'::text]))),
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

    PERFORM post(apply_parked(array_agg(p_merchant_id),
        array_agg(p_checkout_id), array_agg(p_letter.psp::text),
        array_agg(x.name)))
    FROM webhook_inbox i, unnest(ARRAY[i.token, i.reference]) x (name)
    WHERE i.psp = p_letter.psp AND i.event_id = p_letter.event_id;

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
-- Name: apply_named(integer[], text[], text[], text[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.apply_named(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[]) RETURNS pay.posting[]
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF p_items = '{}' THEN
        RETURN '{}';
    END IF;

    RETURN apply_parked(
        ARRAY(SELECT p_merchant_id[n] FROM unnest(p_items) n),
        ARRAY(SELECT p_checkout_id[n] FROM unnest(p_items) n),
        ARRAY(SELECT p_psp[n] FROM unnest(p_items) n),
        ARRAY(SELECT p_name[n] FROM unnest(p_items) n));
END
$$;

ALTER FUNCTION pay.apply_named(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION apply_named(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.apply_named(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[]) IS 'Applies webhooks that waited for the names of some items';

--
-- Name: apply_parked(text[], text[], text[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.apply_parked(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[]) RETURNS pay.posting[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_parked record := find_parked(p_merchant_id, p_checkout_id, p_psp,
                                   p_name);
    v_taken  record;
    v_booked posting[];
BEGIN
    v_taken := take_facts(v_parked.facts);
    v_booked := v_taken.postings;

    UPDATE webhook_inbox i
    SET state = f.outcome, merchant_id = f.merchant_id,
        checkout_id = f.checkout_id
    FROM unnest(v_taken.facts) f
    WHERE i.psp = f.psp AND i.event_id = f.event_id;

    IF cardinality(v_parked.told) > 0 THEN
        v_booked := v_booked || (take_news(v_parked.told)).postings;
    END IF;

    RETURN v_booked;
END
$$;

ALTER FUNCTION pay.apply_parked(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION apply_parked(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.apply_parked(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[]) IS 'Applies webhooks that waited for these names; what is to be booked';

--
-- Name: asked_by_ok(jsonb); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.asked_by_ok(p_asked_by jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $_$
SELECT CASE
    WHEN p_asked_by IS NULL THEN true
    WHEN jsonb_typeof(p_asked_by) <> 'object' THEN false
    ELSE p_asked_by - 'kid' - 'sub' = '{}'
        AND jsonb_typeof(p_asked_by -> 'kid') IS NOT DISTINCT FROM 'string'
        AND p_asked_by ->> 'kid' ~ '^[A-Za-z0-9._-]{1,64}$'
        AND coalesce(jsonb_typeof(p_asked_by -> 'sub'), 'string') = 'string'
        AND coalesce(p_asked_by ->> 'sub', '?') ~ '^[\x20-\x7e]{1,128}$'
    END
$_$;

ALTER FUNCTION pay.asked_by_ok(p_asked_by jsonb) OWNER TO payments_owner;

--
-- Name: FUNCTION asked_by_ok(p_asked_by jsonb); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.asked_by_ok(p_asked_by jsonb) IS 'Whether an event may say this of who at the merchant asked';

--
-- Name: asked_detail(jsonb); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.asked_detail(p_asked_by jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT CASE WHEN p_asked_by IS NULL THEN '{}'
            ELSE jsonb_build_object('asked_by', p_asked_by) END
$$;

ALTER FUNCTION pay.asked_detail(p_asked_by jsonb) OWNER TO payments_owner;

--
-- Name: FUNCTION asked_detail(p_asked_by jsonb); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.asked_detail(p_asked_by jsonb) IS 'Who at the merchant asked, in the detail of an event';

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
    object text,
    why text COLLATE pg_catalog."C",
    detail jsonb,
    CONSTRAINT mismatch_check CHECK (((kind = ANY (ARRAY['capture'::text, 'cancel'::text, 'refund'::text, 'dispute'::text, 'fee'::text, 'invalid'::text])) = (why IS NOT NULL))),
    CONSTRAINT mismatch_check1 CHECK (((kind = 'books'::text) <= (detail IS NOT NULL))),
    CONSTRAINT mismatch_kind_check CHECK ((kind = ANY (ARRAY['amount'::text, 'currency'::text, 'token'::text, 'late_token'::text, 'left_psp'::text, 'contradiction'::text, 'capture'::text, 'cancel'::text, 'refund'::text, 'dispute'::text, 'fee'::text, 'invalid'::text, 'books'::text])))
);

ALTER TABLE pay.mismatch OWNER TO payments_owner;

--
-- Name: assign_money(pay.mismatch, text[], bigint[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.assign_money(p_mismatch pay.mismatch, p_orders text[], p_amounts bigint[], OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_laid   record := to_be_laid(p_mismatch);
    v_held   bigint := suspended(p_mismatch);
    v_orders payment_order[] := orders_named(p_mismatch, p_orders,
                                             p_amounts);
    v_news   news := news_of_mismatch(p_mismatch,
        CASE WHEN p_mismatch.kind = 'dispute' THEN 'opened'
             ELSE v_laid.state END, v_laid.amount_minor);
BEGIN
    outcome := CASE
        WHEN v_laid.state IS NULL THEN 'nothing'
        WHEN v_orders IS NULL THEN 'invalid'
        WHEN p_orders = '{}' AND v_held IS NULL THEN 'invalid'
        WHEN p_orders <> '{}' AND v_laid.amount_minor
            <> (SELECT sum(a) FROM unnest(p_amounts) a) THEN 'sum' END;

    IF outcome IS NOT NULL THEN
        RETURN;
    ELSIF p_orders = '{}' THEN
        outcome := 'assigned';
        facts := ARRAY[news_fact(v_news, 'none', NULL, psp_posting(v_news,
            'unknown_' || v_news.about || '_borne', v_held,
            v_news.currency), '{}')];
        RETURN;
    END IF;

    facts := take_up(v_news, v_held);
    v_orders := orders_named(p_mismatch, p_orders, p_amounts);

    IF EXISTS (
        SELECT FROM generate_subscripts(p_amounts, 1) n
        WHERE p_amounts[n] > room_of(v_orders[n], p_mismatch.kind))
    THEN
        RAISE EXCEPTION 'more than an order can bear' USING ERRCODE = 'PAY30';
    END IF;

    facts := facts || lay_down(v_news, v_laid.state, v_orders, p_amounts);
    outcome := 'assigned';
END
$$;

ALTER FUNCTION pay.assign_money(p_mismatch pay.mismatch, p_orders text[], p_amounts bigint[], OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION assign_money(p_mismatch pay.mismatch, p_orders text[], p_amounts bigint[], OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.assign_money(p_mismatch pay.mismatch, p_orders text[], p_amounts bigint[], OUT outcome text, OUT facts pay.fact[]) IS 'Lays a refund or a dispute to the orders that an operator names';

--
-- Name: payment_order; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.payment_order (
    merchant_id pay.id NOT NULL,
    payment_order_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    "position" pay.ordinal NOT NULL,
    seller_account pay.filled NOT NULL,
    amount_minor pay.order_minor NOT NULL,
    currency pay.currency_code NOT NULL,
    status pay.order_status DEFAULT 'NOT_STARTED'::text NOT NULL,
    reason pay.failure_reason,
    version integer DEFAULT 1 NOT NULL,
    decline jsonb,
    authorized_minor pay.minor DEFAULT 0 NOT NULL,
    captured_minor pay.minor DEFAULT 0 NOT NULL,
    refunding_minor pay.minor DEFAULT 0 NOT NULL,
    refunded_minor pay.minor DEFAULT 0 NOT NULL,
    charged_back_minor pay.minor DEFAULT 0 NOT NULL,
    credit_currency pay.currency_code,
    credit_rate pay.positive_rate,
    credit_minor pay.minor,
    credit_until timestamp with time zone,
    head pay.hash NOT NULL,
    head_tx bigint NOT NULL,
    CONSTRAINT payment_order_check CHECK ((((status)::text = 'FAILED'::text) = (reason IS NOT NULL))),
    CONSTRAINT payment_order_check1 CHECK (((GREATEST(authorized_minor, captured_minor))::bigint <= (amount_minor)::bigint)),
    CONSTRAINT payment_order_check2 CHECK ((((refunding_minor)::bigint + (refunded_minor)::bigint) <= (captured_minor)::bigint)),
    CONSTRAINT payment_order_check3 CHECK ((num_nulls(credit_currency, credit_rate, credit_minor, credit_until) = ANY (ARRAY[0, 4]))),
    CONSTRAINT payment_order_check4 CHECK (((credit_currency)::text <> (currency)::text))
)
WITH (fillfactor='80', autovacuum_analyze_threshold='1000', autovacuum_vacuum_threshold='1000');

ALTER TABLE pay.payment_order OWNER TO payments_owner;

--
-- Name: attempt_is_news(pay.payment_order, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.attempt_is_news(p_order pay.payment_order, p_attempt text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_since timestamptz := events_since((p_order).merchant_id,
                                        (p_order).checkout_id);
BEGIN
    RETURN coalesce(((p_order).decline ->> 'attempts')::int, 0) < 100
        AND (p_attempt IS NULL OR NOT EXISTS (
            SELECT FROM event e
            WHERE e.merchant_id = (p_order).merchant_id
                AND e.payment_order_id = (p_order).payment_order_id
                AND e.at >= v_since AND e.detail ->> 'attempt' = p_attempt));
END
$$;

ALTER FUNCTION pay.attempt_is_news(p_order pay.payment_order, p_attempt text) OWNER TO payments_owner;

--
-- Name: FUNCTION attempt_is_news(p_order pay.payment_order, p_attempt text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.attempt_is_news(p_order pay.payment_order, p_attempt text) IS 'Whether a declined attempt is not in an order''s timeline yet';

--
-- Name: await_names(pay.news[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.await_names(p_news pay.news[]) RETURNS pay.news[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_found news[];
BEGIN
    IF NOT EXISTS (SELECT FROM unnest(p_news) n WHERE n.outcome = 'parked')
    THEN
        RETURN p_news;
    END IF;

    INSERT INTO psp_token AS t (psp, token, is_reference)
    SELECT DISTINCT n.psp, x.name, x.is_reference
    FROM unnest(p_news) n,
        unnest(ARRAY[n.token, n.reference], '{f,t}'::boolean[])
            x (name, is_reference)
    WHERE n.outcome = 'parked' AND x.name IS NOT NULL
    ORDER BY 1, 2, 3
    ON CONFLICT (psp, token, is_reference) DO UPDATE SET psp = t.psp
    WHERE t.checkout_id IS NULL;

    v_found := locate_news(p_news);
    FOR v_n IN 1 .. cardinality(p_news) LOOP
        IF p_news[v_n].outcome = 'parked'
            AND v_found[v_n].checkout_id IS NOT NULL
        THEN
            p_news[v_n] := v_found[v_n];
            p_news[v_n].outcome := NULL;
        END IF;
    END LOOP;

    RETURN p_news;
END
$$;

ALTER FUNCTION pay.await_names(p_news pay.news[]) OWNER TO payments_owner;

--
-- Name: FUNCTION await_names(p_news pay.news[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.await_names(p_news pay.news[]) IS 'Looks unknown names up again, behind a lock';

--
-- Name: await_tokens(pay.fact[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.await_tokens(p_facts pay.fact[], p_duplicates integer[]) RETURNS pay.fact[]
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO psp_token AS t (psp, token, is_reference)
    SELECT DISTINCT f.psp, x.name, x.is_reference
    FROM unnest(p_facts) f,
        unnest(ARRAY[f.token, f.reference], '{f,t}'::boolean[])
            x (name, is_reference)
    WHERE f.actor = 'webhook' AND f.checkout_id IS NULL
        AND f.kind NOT IN ('none', 'unknown') AND f.item <> ALL (p_duplicates)
        AND x.name IS NOT NULL
    ORDER BY f.psp, x.name, x.is_reference
    ON CONFLICT (psp, token, is_reference) DO UPDATE SET psp = t.psp
    WHERE t.checkout_id IS NULL;

    RETURN ARRAY(
        SELECT ROW(f.item, f.turn, c.merchant_id, c.checkout_id,
            fact_kind(f.kind, f.amount_minor, f.currency, c.total_minor,
                      c.currency),
            f.actor, f.psp, f.event_id, f.type, f.code, f.token, f.reference,
            f.amount_minor, f.currency, f.request_id, f.detail, NULL, NULL,
            NULL)::fact
        FROM unnest(p_facts) f
        LEFT JOIN psp_token t ON t.psp = f.psp AND t.token = f.token
            AND NOT t.is_reference
        LEFT JOIN LATERAL (
            SELECT k.merchant_id, k.checkout_id FROM psp_token k
            WHERE t.checkout_id IS NULL AND f.token IS NOT NULL
                AND k.psp = f.psp AND k.token = f.reference
                AND k.is_reference
            OFFSET 0) k ON true
        LEFT JOIN checkout c
            ON c.merchant_id = coalesce(t.merchant_id, k.merchant_id)
            AND c.checkout_id = coalesce(t.checkout_id, k.checkout_id));
END
$$;

ALTER FUNCTION pay.await_tokens(p_facts pay.fact[], p_duplicates integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION await_tokens(p_facts pay.fact[], p_duplicates integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.await_tokens(p_facts pay.fact[], p_duplicates integer[]) IS 'Looks unknown names up again, behind a lock';

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

ALTER FUNCTION pay.begin_items(p_items pay.payment_item[]) OWNER TO payments_owner;

--
-- Name: FUNCTION begin_items(p_items pay.payment_item[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.begin_items(p_items pay.payment_item[]) IS 'begin_payment without its shape: what became of each item';

--
-- Name: begin_one_change(pay.change_item, text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.begin_one_change(p_item pay.change_item, p_begun text[], OUT outcome text, OUT change_id text, OUT told pay.fact) RETURNS record
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
DECLARE
    v_key    idempotency_key;
    v_order  payment_order;
    v_change change;
    v_terms  record;
BEGIN
    SELECT * INTO v_key FROM idempotency_key k
    WHERE k.merchant_id = p_item.merchant_id AND k.route = p_item.route
        AND k.key = p_item.key AND k.expires_at > now();

    IF v_key.change_id IS NOT NULL THEN
        change_id := v_key.change_id;
        outcome := CASE
            WHEN v_key.fingerprint <> p_item.fingerprint THEN 'key_reused'
            WHEN change_in_progress(p_item.merchant_id, v_key.change_id)
                THEN 'in_progress'
            ELSE 'replayed' END;
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

ALTER FUNCTION pay.begin_one_change(p_item pay.change_item, p_begun text[], OUT outcome text, OUT change_id text, OUT told pay.fact) OWNER TO payments_owner;

--
-- Name: FUNCTION begin_one_change(p_item pay.change_item, p_begun text[], OUT outcome text, OUT change_id text, OUT told pay.fact); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.begin_one_change(p_item pay.change_item, p_begun text[], OUT outcome text, OUT change_id text, OUT told pay.fact) IS 'What becomes of one item of begin_change';

--
-- Name: body_ok(text, bytea, bytea, bigint, text, bigint); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.body_ok(p_psp text, p_digest bytea, p_body bytea, p_size bigint, p_left_out text, p_days bigint) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT coalesce(id_ok(p_psp) AND octet_length(p_digest) = 32
    AND p_size BETWEEN 0 AND 1048576 AND p_days BETWEEN 1 AND 365
    AND CASE WHEN p_body IS NULL
             THEN p_left_out IN ('card_number', 'too_large')
             ELSE p_left_out IS NULL AND octet_length(p_body) = p_size
                 AND p_size <= 262144 AND sha256(p_body) = p_digest END,
    false)
$$;

ALTER FUNCTION pay.body_ok(p_psp text, p_digest bytea, p_body bytea, p_size bigint, p_left_out text, p_days bigint) OWNER TO payments_owner;

--
-- Name: FUNCTION body_ok(p_psp text, p_digest bytea, p_body bytea, p_size bigint, p_left_out text, p_days bigint); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.body_ok(p_psp text, p_digest bytea, p_body bytea, p_size bigint, p_left_out text, p_days bigint) IS 'Whether keep_webhook can keep this body';

--
-- Name: book_facts(pay.fact[], integer[], integer[], pay.posting[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.book_facts(p_facts pay.fact[], p_moved integer[], p_late integer[], p_booked pay.posting[]) RETURNS pay.posting[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_postings posting[] := '{}';
    v_sold     boolean;
    v_repaid   boolean;
    v_brought  boolean;
BEGIN
    SELECT bool_or(f.kind = 'paid' AND f.item = ANY (p_moved)),
        bool_or(f.kind = 'late_refunded'), bool_or(f.postings <> '{}')
    INTO v_sold, v_repaid, v_brought
    FROM unnest(p_facts) f;

    IF v_sold THEN
        v_postings := sale_postings(p_facts, p_moved);

        IF EXISTS (SELECT FROM unnest(v_postings) p WHERE p.rate IS NOT NULL)
        THEN
            PERFORM requote_orders(p_facts, p_moved);
            v_postings := sale_postings(p_facts, p_moved);
        END IF;
    END IF;

    IF p_late <> '{}' OR v_repaid THEN
        v_postings := v_postings || late_postings(p_facts, p_late);
    END IF;

    v_postings := v_postings || p_booked;

    IF v_brought THEN
        v_postings := v_postings || ARRAY(
            SELECT p FROM unnest(p_facts) f
            CROSS JOIN LATERAL unnest(f.postings) p
            ORDER BY f.item);
    END IF;

    RETURN v_postings;
END
$$;

ALTER FUNCTION pay.book_facts(p_facts pay.fact[], p_moved integer[], p_late integer[], p_booked pay.posting[]) OWNER TO payments_owner;

--
-- Name: FUNCTION book_facts(p_facts pay.fact[], p_moved integer[], p_late integer[], p_booked pay.posting[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.book_facts(p_facts pay.fact[], p_moved integer[], p_late integer[], p_booked pay.posting[]) IS 'What facts mean to the books, for post()';

--
-- Name: booked(text, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.booked(p_merchant_id text, p_checkout_id text, p_payment_order_id text) RETURNS TABLE(captured bigint, refunding bigint, refunded bigint, unbalanced bigint)
    LANGUAGE sql STABLE
    AS $$
SELECT coalesce(sum(e.amount_minor) FILTER (
        WHERE e.kind IN ('sale', 'late_accepted')), 0)::bigint,
    (coalesce(sum(CASE e.kind WHEN 'refund_reserved' THEN e.amount_minor
                              WHEN 'refund_released' THEN -e.amount_minor
                              WHEN 'refund' THEN -e.amount_minor END)
              FILTER (WHERE e.seller_minor > 0), 0)
     + (SELECT coalesce(sum(c.amount_minor), 0) FROM change c
        WHERE c.merchant_id = p_merchant_id
            AND c.checkout_id = p_checkout_id
            AND c.payment_order_id = p_payment_order_id
            AND c.kind = 'refund' AND c.seller_minor = 0
            AND is_reserved(c)))::bigint,
    coalesce(sum(CASE e.kind WHEN 'refund' THEN e.amount_minor
                             WHEN 'refund_external' THEN e.amount_minor
                             WHEN 'refund_returned' THEN -e.amount_minor
                 END), 0)::bigint,
    count(*) FILTER (WHERE l.lines < 2 OR l.wrong)
FROM (
    SELECT * FROM journal_entry e
    WHERE e.merchant_id = p_merchant_id AND e.checkout_id = p_checkout_id
        AND e.payment_order_id = p_payment_order_id
    OFFSET 0) e
CROSS JOIN LATERAL (
    SELECT coalesce(sum(s.lines), 0) AS lines,
        coalesce(bool_or(s.total <> 0), false) AS wrong
    FROM (SELECT count(*) AS lines, sum(l.amount_minor) AS total
          FROM journal_line l
          WHERE l.merchant_id = e.merchant_id AND l.source = e.source
              AND l.kind = e.kind
          GROUP BY l.currency) s) l
$$;

ALTER FUNCTION pay.booked(p_merchant_id text, p_checkout_id text, p_payment_order_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION booked(p_merchant_id text, p_checkout_id text, p_payment_order_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.booked(p_merchant_id text, p_checkout_id text, p_payment_order_id text) IS 'What the journal says of an order';

--
-- Name: cancel_terms(pay.payment_order, bigint); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.cancel_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
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

ALTER FUNCTION pay.cancel_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text) OWNER TO payments_owner;

--
-- Name: FUNCTION cancel_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.cancel_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text) IS 'Whether a checkout, or the rest of what it holds, may be cancelled';

--
-- Name: change; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.change (
    merchant_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    change_id pay.id NOT NULL,
    payment_order_id pay.id NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    origin text NOT NULL COLLATE pg_catalog."C",
    psp pay.id NOT NULL,
    status pay.order_status DEFAULT 'NOT_STARTED'::text NOT NULL,
    amount_minor pay.positive_minor NOT NULL,
    currency pay.currency_code NOT NULL,
    seller_minor pay.minor,
    seller_currency pay.currency_code,
    is_final boolean DEFAULT false NOT NULL,
    returned boolean DEFAULT false NOT NULL,
    reason text,
    metadata jsonb,
    code text,
    reference pay.id,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    request_id text,
    replaced_by pay.id,
    by_amount boolean DEFAULT false NOT NULL,
    matched_to pay.id,
    CONSTRAINT change_check CHECK (((kind = 'refund'::text) = (seller_minor IS NOT NULL))),
    CONSTRAINT change_check1 CHECK (((seller_minor IS NULL) = (seller_currency IS NULL))),
    CONSTRAINT change_check2 CHECK (((NOT returned) OR ((kind = 'refund'::text) AND ((status)::text = 'FAILED'::text)))),
    CONSTRAINT change_check3 CHECK (((NOT is_final) OR (kind = 'capture'::text))),
    CONSTRAINT change_check4 CHECK (((matched_to IS NULL) OR ((origin = 'psp'::text) AND ((kind = 'capture'::text) OR ((kind = 'refund'::text) AND ((status)::text = 'FAILED'::text)))))),
    CONSTRAINT change_kind_check CHECK ((kind = ANY (ARRAY['capture'::text, 'cancel'::text, 'refund'::text]))),
    CONSTRAINT change_origin_check CHECK ((origin = ANY (ARRAY['merchant'::text, 'psp'::text])))
)
WITH (fillfactor='80', autovacuum_analyze_threshold='1000', autovacuum_vacuum_threshold='1000');

ALTER TABLE pay.change OWNER TO payments_owner;

--
-- Name: capture_done(pay.change, pay.fact); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.capture_done(p_change pay.change, p_word pay.fact) RETURNS pay.fact[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_order    payment_order;
    v_source   text := 'change/' || p_change.change_id;
    v_held     bigint;
    v_postings posting[];
    v_facts    fact[];
BEGIN
    PERFORM set_change(p_change, 'SUCCESS', p_word);
    SELECT * INTO v_order
    FROM find_order(p_change.merchant_id, p_change.payment_order_id);

    IF v_order.captured_minor + p_change.amount_minor > v_order.amount_minor
    THEN
        RETURN ARRAY[doubt(change_fact(p_change, p_word, '', NULL), 'capture',
            'exceeds', p_change.reference, p_change.amount_minor,
            p_change.currency)];
    END IF;

    v_held := least(p_change.amount_minor, v_order.authorized_minor);
    v_postings := part_posting(v_order, v_source, 'sale', p_change.psp,
            v_order.captured_minor, p_change.amount_minor, p_word.request_id)
        || part_posting(v_order, v_source, 'unauthorized', p_change.psp,
            v_order.amount_minor - v_order.authorized_minor, v_held,
            p_word.request_id)
        || CASE WHEN p_change.is_final THEN part_posting(v_order,
            'order/' || v_order.payment_order_id, 'unauthorized',
            p_change.psp,
            v_order.amount_minor - v_order.authorized_minor + v_held,
            v_order.authorized_minor - v_held, p_word.request_id) END;

    UPDATE payment_order o
    SET captured_minor = o.captured_minor + p_change.amount_minor,
        authorized_minor = CASE WHEN p_change.is_final THEN 0
                                ELSE o.authorized_minor - v_held END
    WHERE o.merchant_id = p_change.merchant_id
        AND o.checkout_id = p_change.checkout_id
        AND o.payment_order_id = p_change.payment_order_id;

    v_facts := ARRAY[change_fact(p_change, p_word, 'captured', v_postings)];
    IF v_order.status <> 'SUCCESS' THEN
        v_facts := v_facts || change_fact(p_change, p_word, 'paid', NULL,
            jsonb_build_object('captured_minor', p_change.amount_minor));
    END IF;

    RETURN v_facts;
END
$$;

ALTER FUNCTION pay.capture_done(p_change pay.change, p_word pay.fact) OWNER TO payments_owner;

--
-- Name: FUNCTION capture_done(p_change pay.change, p_word pay.fact); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.capture_done(p_change pay.change, p_word pay.fact) IS 'A PSP has taken a part of what was authorised';

--
-- Name: capture_names(text[], text[], text[], text[], text[], text[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.capture_names(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_state text[], p_reference text[], p_items integer[], OUT psps text[], OUT names text[]) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    SELECT array_agg(d.psp::text ORDER BY n),
        array_agg(CASE WHEN d.psp IS NOT NULL THEN p_reference[n] END
                  ORDER BY n)
    INTO psps, names
    FROM generate_subscripts(p_operation, 1) n
    LEFT JOIN LATERAL (
        SELECT d.psp FROM dispatch d
        WHERE n = ANY (p_items) AND p_operation[n] = 'capture'
            AND p_state[n] IN ('DONE', 'PENDING')
            AND p_reference[n] <> ''
            AND d.merchant_id = p_merchant_id[n]
            AND d.checkout_id = p_checkout_id[n]
            AND d.operation = 'capture'
            AND d.operation_id = p_operation_id[n]
        ORDER BY d.attempt DESC LIMIT 1) d ON true;
END
$$;

ALTER FUNCTION pay.capture_names(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_state text[], p_reference text[], p_items integer[], OUT psps text[], OUT names text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION capture_names(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_state text[], p_reference text[], p_items integer[], OUT psps text[], OUT names text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.capture_names(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_state text[], p_reference text[], p_items integer[], OUT psps text[], OUT names text[]) IS 'The PSPs'' ids of captures, as they end';

--
-- Name: capture_of_amount(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.capture_of_amount(p_news pay.news) RETURNS pay.change
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_change change;
BEGIN
    SELECT c.* INTO v_change
    FROM unnest(captures_out(p_news.merchant_id, p_news.checkout_id)) c
    WHERE p_news.operation_id IS NULL AND c.psp = p_news.psp
        AND c.origin = 'merchant' AND c.reference IS NULL
        AND c.amount_minor = p_news.amount_minor
    LIMIT 1;

    RETURN v_change;
END
$$;

ALTER FUNCTION pay.capture_of_amount(p_news pay.news) OWNER TO payments_owner;

--
-- Name: FUNCTION capture_of_amount(p_news pay.news); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.capture_of_amount(p_news pay.news) IS 'The capture that may be meant by its amount alone, or NULL';

--
-- Name: capture_terms(pay.payment_order, bigint); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.capture_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
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

ALTER FUNCTION pay.capture_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text) OWNER TO payments_owner;

--
-- Name: FUNCTION capture_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.capture_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text) IS 'Whether this much of an order may be captured, and how much that is';

--
-- Name: captures_out(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.captures_out(p_merchant_id text, p_checkout_id text) RETURNS pay.change[]
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN ARRAY(
        SELECT c FROM change c
        WHERE c.merchant_id = p_merchant_id
            AND c.checkout_id = p_checkout_id AND c.kind = 'capture'
            AND c.status IN ('NOT_STARTED', 'EXECUTING')
            AND (c.reference IS NOT NULL OR EXISTS (
                SELECT FROM dispatch d
                WHERE d.merchant_id = c.merchant_id
                    AND d.checkout_id = c.checkout_id
                    AND d.operation = 'capture'
                    AND d.operation_id = c.change_id
                    AND d.state <> 'NOT_SENT'))
        ORDER BY c.created_at, c.change_id);
END
$$;

ALTER FUNCTION pay.captures_out(p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION captures_out(p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.captures_out(p_merchant_id text, p_checkout_id text) IS 'Captures that are at the PSP, or may be';

--
-- Name: chained_hash(text, text, text, text, text, text, text, text, text, text, text, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.chained_hash(p_previous text, p_merchant_id text, p_payment_order_id text, p_seq text, p_at text, p_tx text, p_kind text, p_actor text, p_old_status text, p_new_status text, p_reason text, p_detail text, p_request_id text) RETURNS bytea
    LANGUAGE sql STABLE
    AS $$
SELECT sha256(convert_to(concat(
    octet_length(p_previous), ':', p_previous, ',',
    octet_length(p_merchant_id), ':', p_merchant_id, ',',
    octet_length(p_payment_order_id), ':', p_payment_order_id, ',',
    octet_length(p_seq), ':', p_seq, ',',
    octet_length(p_at), ':', p_at, ',',
    octet_length(p_tx), ':', p_tx, ',',
    octet_length(p_kind), ':', p_kind, ',',
    octet_length(p_actor), ':', p_actor, ',',
    CASE WHEN p_old_status IS NULL THEN '-,'
         ELSE concat(octet_length(p_old_status), ':', p_old_status, ',') END,
    octet_length(p_new_status), ':', p_new_status, ',',
    CASE WHEN p_reason IS NULL THEN '-,'
         ELSE concat(octet_length(p_reason), ':', p_reason, ',') END,
    octet_length(p_detail), ':', p_detail, ',',
    CASE WHEN p_request_id IS NULL THEN '-,'
         ELSE concat(octet_length(p_request_id), ':', p_request_id, ',') END),
    'UTF8'))
$$;

ALTER FUNCTION pay.chained_hash(p_previous text, p_merchant_id text, p_payment_order_id text, p_seq text, p_at text, p_tx text, p_kind text, p_actor text, p_old_status text, p_new_status text, p_reason text, p_detail text, p_request_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION chained_hash(p_previous text, p_merchant_id text, p_payment_order_id text, p_seq text, p_at text, p_tx text, p_kind text, p_actor text, p_old_status text, p_new_status text, p_reason text, p_detail text, p_request_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.chained_hash(p_previous text, p_merchant_id text, p_payment_order_id text, p_seq text, p_at text, p_tx text, p_kind text, p_actor text, p_old_status text, p_new_status text, p_reason text, p_detail text, p_request_id text) IS 'What event_hash() is, from texts, of which only old_status, reason and request_id may be NULL; p_previous: in hex, empty for the first';

--
-- Name: change_after(pay.change); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.change_after(p_change pay.change, OUT state text, OUT status text) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_unsure boolean;
BEGIN
    SELECT (array_agg(d.state ORDER BY d.attempt DESC))[1],
        bool_or(d.unsure)
    INTO state, v_unsure
    FROM dispatch d
    WHERE d.merchant_id = p_change.merchant_id
        AND d.checkout_id = p_change.checkout_id
        AND d.operation_id = p_change.change_id
        AND d.operation IN (p_change.kind, CASE p_change.kind
            WHEN 'cancel' THEN 'expire' END);

    status := CASE
        WHEN state = 'DONE' THEN 'SUCCESS'
        WHEN state = 'REFUSED' AND NOT v_unsure THEN 'FAILED'
        WHEN state IN ('PENDING', 'UNKNOWN', 'REFUSED') THEN 'EXECUTING' END;
END
$$;

ALTER FUNCTION pay.change_after(p_change pay.change, OUT state text, OUT status text) OWNER TO payments_owner;

--
-- Name: FUNCTION change_after(p_change pay.change, OUT state text, OUT status text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.change_after(p_change pay.change, OUT state text, OUT status text) IS 'How a change stands by the journal';

--
-- Name: change_columns(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.change_columns(p_merchant_id text, p_change_id text) RETURNS TABLE(checkout_id text, change_id text, change_kind text, payment_order_id text, change_status text, amount_minor bigint, change_currency text, reason text, change_code text, reference text, change_metadata text, created_at text, changed_at text, payment_reference text)
    LANGUAGE plpgsql STABLE ROWS 1
    AS $$
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

ALTER FUNCTION pay.change_columns(p_merchant_id text, p_change_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION change_columns(p_merchant_id text, p_change_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.change_columns(p_merchant_id text, p_change_id text) IS 'A change as the operations return it, behind its checkout';

--
-- Name: change_fact(pay.change, pay.fact, text, pay.posting[], jsonb); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.change_fact(p_change pay.change, p_word pay.fact, p_kind text, p_postings pay.posting[], p_more jsonb DEFAULT '{}'::jsonb) RETURNS pay.fact
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN ROW(0, NULL, p_change.merchant_id, p_change.checkout_id, p_kind,
        p_word.actor, p_change.psp, p_word.event_id, p_word.type,
        nullif(p_word.code, ''), NULL, NULL, NULL, NULL, p_word.request_id,
        jsonb_strip_nulls(jsonb_build_object('change_id', p_change.change_id,
            'amount_minor', p_change.amount_minor,
            'currency', p_change.currency,
            'why', CASE WHEN p_word.actor = 'merchant'
                        THEN p_change.reason END))
            || coalesce(p_word.detail, '{}') || p_more, NULL,
        CASE WHEN p_change.kind <> 'cancel'
             THEN p_change.payment_order_id END, p_postings)::fact;
END
$$;

ALTER FUNCTION pay.change_fact(p_change pay.change, p_word pay.fact, p_kind text, p_postings pay.posting[], p_more jsonb) OWNER TO payments_owner;

--
-- Name: FUNCTION change_fact(p_change pay.change, p_word pay.fact, p_kind text, p_postings pay.posting[], p_more jsonb); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.change_fact(p_change pay.change, p_word pay.fact, p_kind text, p_postings pay.posting[], p_more jsonb) IS 'What has become of a change, for the timeline and the books';

--
-- Name: change_in_progress(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.change_in_progress(p_merchant_id text, p_change_id text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
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
        AND NOT EXISTS (
            SELECT FROM dispatch d
            WHERE d.merchant_id = v_change.merchant_id
                AND d.checkout_id = v_change.checkout_id
                AND d.operation_id = v_change.change_id
                AND d.ended_at IS NOT NULL);
END
$$;

ALTER FUNCTION pay.change_in_progress(p_merchant_id text, p_change_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION change_in_progress(p_merchant_id text, p_change_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.change_in_progress(p_merchant_id text, p_change_id text) IS 'Whether the request that began a change is still at it';

--
-- Name: change_meant(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.change_meant(p_news pay.news) RETURNS pay.change
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_change change;
BEGIN
    SELECT c.* INTO v_change FROM change c
    WHERE c.merchant_id = p_news.merchant_id
        AND c.checkout_id = p_news.checkout_id AND c.kind = p_news.about
        AND c.psp = p_news.psp
        AND (c.change_id = p_news.operation_id
             OR c.reference = p_news.object
             OR p_news.operation_id IS NULL AND p_news.news <> 'failed'
                AND p_news.about = 'refund'
                AND c.origin = 'merchant' AND c.reference IS NULL
                AND c.status <> 'FAILED'
                AND c.amount_minor = p_news.amount_minor
                AND EXISTS (
                    SELECT FROM dispatch d
                    WHERE d.merchant_id = c.merchant_id
                        AND d.checkout_id = c.checkout_id
                        AND d.operation = 'refund'
                        AND d.operation_id = c.change_id
                        AND d.state IN ('OPEN', 'UNKNOWN', 'PENDING')))
    ORDER BY (c.change_id = p_news.operation_id) IS TRUE DESC,
        (c.reference = p_news.object) IS TRUE DESC, c.status = 'SUCCESS',
        c.created_at LIMIT 1;

    RETURN v_change;
END
$$;

ALTER FUNCTION pay.change_meant(p_news pay.news) OWNER TO payments_owner;

--
-- Name: FUNCTION change_meant(p_news pay.news); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.change_meant(p_news pay.news) IS 'The change that a PSP''s word is about, or NULL';

--
-- Name: change_needs_job(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.change_needs_job(p_merchant_id text, p_change_id text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_change change := find_change(p_merchant_id, p_change_id);
BEGIN
    RETURN coalesce(v_change.status IN ('NOT_STARTED', 'EXECUTING'), false)
        AND v_change.reference IS NULL
        AND NOT EXISTS (
            SELECT FROM dispatch d
            WHERE d.merchant_id = v_change.merchant_id
                AND d.checkout_id = v_change.checkout_id
                AND d.operation_id = v_change.change_id
                AND d.operation IN ('capture', 'cancel', 'refund', 'expire')
                AND d.state IN ('DONE', 'PENDING'));
END
$$;

ALTER FUNCTION pay.change_needs_job(p_merchant_id text, p_change_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION change_needs_job(p_merchant_id text, p_change_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.change_needs_job(p_merchant_id text, p_change_id text) IS 'Whether a change goes nowhere without its job';

--
-- Name: change_route(text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.change_route(p_kind text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT CASE p_kind WHEN 'refund' THEN 'POST refunds'
                   WHEN 'cancel' THEN 'POST cancel'
                   ELSE 'POST capture' END
$$;

ALTER FUNCTION pay.change_route(p_kind text) OWNER TO payments_owner;

--
-- Name: FUNCTION change_route(p_kind text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.change_route(p_kind text) IS 'The scope of an idempotency key, beside its merchant';

--
-- Name: changes_of(pay.payment_order, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.changes_of(p_order pay.payment_order, p_kind text) RETURNS json
    LANGUAGE plpgsql STABLE
    AS $$
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

ALTER FUNCTION pay.changes_of(p_order pay.payment_order, p_kind text) OWNER TO payments_owner;

--
-- Name: FUNCTION changes_of(p_order pay.payment_order, p_kind text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.changes_of(p_order pay.payment_order, p_kind text) IS 'The changes of an order, oldest first; of all kinds for NULL';

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
-- Name: checkout_page(text, text, timestamp with time zone, timestamp with time zone, text, integer); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.checkout_page(p_merchant_id text, p_status text, p_after timestamp with time zone, p_before timestamp with time zone, p_before_id text, p_limit integer) RETURNS json
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_window int := CASE WHEN p_status IS NULL THEN p_limit ELSE 500 END;
BEGIN
    RETURN (
        WITH seen AS MATERIALIZED (
            SELECT c.*, row_number() OVER (
                ORDER BY c.created_at DESC, c.checkout_id DESC) AS n
            FROM (SELECT x.* FROM checkout x
                  WHERE x.merchant_id = p_merchant_id
                      AND x.created_at > coalesce(p_after, '-infinity')
                      AND (x.created_at, x.checkout_id)
                          < (coalesce(p_before, 'infinity'),
                             coalesce(p_before_id, ''))
                  ORDER BY x.created_at DESC, x.checkout_id DESC
                  LIMIT v_window + 1) c
        ), fit AS MATERIALIZED (
            SELECT s.*, o.status, row_number() OVER (ORDER BY s.n) AS place
            FROM seen s
            CROSS JOIN LATERAL (
                SELECT y.status FROM payment_order y
                WHERE y.merchant_id = s.merchant_id
                    AND y.checkout_id = s.checkout_id
                ORDER BY y.position LIMIT 1) o
            WHERE s.n <= v_window
                AND (p_status IS NULL OR o.status::text = p_status)
        ), ends AS (
            SELECT CASE WHEN (SELECT count(*) FROM fit) > p_limit
                            THEN (SELECT f.n FROM fit f
                                  WHERE f.place = p_limit)
                        WHEN (SELECT count(*) FROM seen) > v_window
                            THEN v_window END AS n
        )
        SELECT json_build_object('checkouts', coalesce((
                SELECT json_agg(json_build_object(
                    'checkout_id', f.checkout_id,
                    'created_at', iso_time(f.created_at),
                    'expires_at', iso_time(f.expires_at),
                    'psp', f.psp, 'status', f.status,
                    'is_payment_done', f.status = 'SUCCESS',
                    'is_final', f.status IN ('SUCCESS', 'FAILED'),
                    'amount', decimal_text(f.total_minor, f.currency),
                    'currency', f.currency,
                    'payment_orders', explain_orders(f.merchant_id,
                                                     f.checkout_id))
                    ORDER BY f.n)
                FROM fit f WHERE f.place <= p_limit), '[]'),
            'next', (SELECT encode(convert_to(to_char(
                    s.created_at AT TIME ZONE 'UTC',
                    'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || s.checkout_id,
                    'UTF8'), 'hex')
                FROM seen s, ends e WHERE s.n = e.n)));
END
$$;

ALTER FUNCTION pay.checkout_page(p_merchant_id text, p_status text, p_after timestamp with time zone, p_before timestamp with time zone, p_before_id text, p_limit integer) OWNER TO payments_owner;

--
-- Name: FUNCTION checkout_page(p_merchant_id text, p_status text, p_after timestamp with time zone, p_before timestamp with time zone, p_before_id text, p_limit integer); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.checkout_page(p_merchant_id text, p_status text, p_after timestamp with time zone, p_before timestamp with time zone, p_before_id text, p_limit integer) IS 'A page of a merchant''s checkouts, and the cursor of the next';

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
        run_at = now() + p_interval, put_off = p_interval
    FROM (
        SELECT k.ctid AS tid FROM backfill k
        WHERE k.psp = p_psp
            AND k.run_at - greatest(k.put_off - p_interval, interval '0')
                <= now()
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
-- Name: claim_change_keys(pay.change_item[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.claim_change_keys(p_items pay.change_item[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

ALTER FUNCTION pay.claim_change_keys(p_items pay.change_item[]) OWNER TO payments_owner;

--
-- Name: FUNCTION claim_change_keys(p_items pay.change_item[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.claim_change_keys(p_items pay.change_item[]) IS 'Locks the idempotency keys of begin_change, and takes those that are free';

--
-- Name: claim_rates(text, text, interval, interval); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.claim_rates(p_source text, p_owner text, p_interval interval, p_lease interval, OUT is_due boolean, OUT age_ms bigint) RETURNS record
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO rate_source (source) VALUES (p_source)
    ON CONFLICT (source) DO NOTHING;

    -- further ahead than the interval: it was made shorter, or a clock wrong
    UPDATE rate_source s
    SET lease_owner = p_owner, lease_until = now() + p_lease,
        run_at = now() + p_interval
    FROM (
        SELECT k.ctid AS tid FROM rate_source k
        WHERE k.source = p_source
            AND (k.run_at <= now()
                 OR k.run_at > now() + p_interval + interval '1 second')
            AND coalesce(k.lease_until <= now(), true)
        FOR NO KEY UPDATE SKIP LOCKED) k
    WHERE s.ctid = k.tid;

    is_due := FOUND;

    SELECT CASE WHEN s.fetched_at < now()
                THEN extract(epoch FROM now() - s.fetched_at) * 1000
                WHEN s.fetched_at IS NOT NULL THEN 0 END
    INTO age_ms
    FROM rate_source s WHERE s.source = p_source;
END
$$;

ALTER FUNCTION pay.claim_rates(p_source text, p_owner text, p_interval interval, p_lease interval, OUT is_due boolean, OUT age_ms bigint) OWNER TO payments_owner;

--
-- Name: FUNCTION claim_rates(p_source text, p_owner text, p_interval interval, p_lease interval, OUT is_due boolean, OUT age_ms bigint); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.claim_rates(p_source text, p_owner text, p_interval interval, p_lease interval, OUT is_due boolean, OUT age_ms bigint) IS 'Leases a look at a source of rates, if one is due';

--
-- Name: claim_references(text[], text[], text[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.claim_references(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_reference text[]) RETURNS integer[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_psps  text[];
    v_names text[];
BEGIN
    WITH claim AS (
        INSERT INTO psp_token AS t (psp, token, merchant_id, checkout_id,
            is_reference)
        SELECT DISTINCT ON (u.psp, u.reference)
            u.psp, u.reference, u.merchant_id, u.checkout_id, true
        FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_reference)
            WITH ORDINALITY AS u (merchant_id, checkout_id, psp, reference,
                                  n)
        LEFT JOIN LATERAL (
            SELECT k.checkout_id FROM psp_token k
            WHERE k.psp = u.psp AND k.token = u.reference
                AND k.is_reference
            OFFSET 0) k ON true
        WHERE u.checkout_id IS NOT NULL AND u.reference <> ''
            AND k.checkout_id IS NULL
        ORDER BY u.psp, u.reference, u.n
        ON CONFLICT (psp, token, is_reference) DO UPDATE
        SET merchant_id = EXCLUDED.merchant_id,
            checkout_id = EXCLUDED.checkout_id
        WHERE t.checkout_id IS NULL
        RETURNING t.psp, t.token, t.xmax <> 0 AS parked
    )
    SELECT array_agg(c.psp::text), array_agg(c.token::text)
    INTO v_psps, v_names
    FROM claim c WHERE c.parked;

    RETURN CASE WHEN v_psps IS NULL THEN '{}' ELSE ARRAY(
        SELECT n FROM generate_subscripts(p_psp, 1) n
        WHERE (p_psp[n], p_reference[n]) IN (
            SELECT * FROM unnest(v_psps, v_names))) END;
END
$$;

ALTER FUNCTION pay.claim_references(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_reference text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION claim_references(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_reference text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.claim_references(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_reference text[]) IS 'Makes PSPs'' ids of payments the property of checkouts, first wins';

--
-- Name: claim_seal(text, interval, interval); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.claim_seal(p_owner text, p_interval interval, p_lease interval, OUT outcome text, OUT number bigint, OUT message text) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_round round;
    v_seal  seal;
    v_made  record;
    v_full  boolean;
BEGIN
    outcome := 'not_due';

    SELECT * INTO v_round FROM round r
    WHERE r.name = 'seal'
        AND (coalesce(r.lease_until <= clock_timestamp(), true)
             OR r.lease_owner = p_owner)
    FOR UPDATE SKIP LOCKED;

    IF NOT FOUND THEN
        RETURN;
    END IF;

    SELECT * INTO v_seal FROM seal s WHERE s.signature IS NULL;

    IF NOT FOUND AND v_round.run_at <= now() THEN
        v_made := make_seal(20000);
        v_seal := v_made.made;
        v_full := v_made.is_full;
        outcome := CASE WHEN v_made.is_behind THEN 'behind' ELSE outcome END;

        UPDATE round r
        SET run_at = CASE WHEN v_full THEN now() ELSE now() + p_interval END
        WHERE r.name = 'seal';
    END IF;

    IF v_seal.number IS NOT NULL THEN
        outcome := 'due';
        number := v_seal.number;
        message := v_seal.message;

        UPDATE round r
        SET lease_owner = p_owner,
            lease_until = clock_timestamp() + p_lease
        WHERE r.name = 'seal';
    END IF;
END
$$;

ALTER FUNCTION pay.claim_seal(p_owner text, p_interval interval, p_lease interval, OUT outcome text, OUT number bigint, OUT message text) OWNER TO payments_owner;

--
-- Name: FUNCTION claim_seal(p_owner text, p_interval interval, p_lease interval, OUT outcome text, OUT number bigint, OUT message text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.claim_seal(p_owner text, p_interval interval, p_lease interval, OUT outcome text, OUT number bigint, OUT message text) IS 'Leases the signing of the next seal, if one is due';

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
        ON CONFLICT (psp, token, is_reference) DO UPDATE
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
-- Name: cleared_as(boolean); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.cleared_as(p_is_borne boolean) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT CASE WHEN p_is_borne THEN 'unknown_refund_borne_returned'
            ELSE 'unknown_refund_cleared' END
$$;

ALTER FUNCTION pay.cleared_as(p_is_borne boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION cleared_as(p_is_borne boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.cleared_as(p_is_borne boolean) IS 'As what a refund comes back that was laid to no order';

--
-- Name: close_letter(pay.dead_letter, text, text, text, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.close_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text, p_state text, p_who text, p_why text) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_detail jsonb := jsonb_build_object(
        'dead_letter_id', p_letter.dead_letter_id, 'kind', p_letter.kind,
        'who', p_who, 'why', p_why, 'role', session_user)
        || CASE WHEN p_letter.kind = 'change' THEN jsonb_build_object(
            'change_id', p_letter.operation_id) ELSE '{}' END;
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
                               ELSE '{}' END::jsonb, NULL, NULL, NULL)::fact
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
-- Name: close_replaced(pay.payment_item[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.close_replaced(p_items pay.payment_item[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_item   payment_item;
    v_change change;
    v_word   fact;
    v_facts  fact[] := '{}';
BEGIN
    FOREACH v_item IN ARRAY p_items LOOP
        CONTINUE WHEN v_item.replaces IS NULL;
        IF NOT v_item.waits THEN
            v_facts := v_facts || replaced_fact(v_item.merchant_id,
                v_item.replaces, v_item.checkout_id, NULL, 'merchant',
                v_item.request_id, v_item.asked_by);
            CONTINUE;
        END IF;

        INSERT INTO change (merchant_id, change_id, checkout_id,
            payment_order_id, kind, origin, psp, amount_minor, currency,
            reason, request_id, replaced_by)
        SELECT c.merchant_id, v_item.change_id, c.checkout_id,
            o.payment_order_id, 'cancel', 'merchant', c.psp, o.amount_minor,
            o.currency, 'replaced by ' || v_item.checkout_id,
            v_item.request_id, v_item.checkout_id
        FROM checkout c
        JOIN payment_order o ON o.merchant_id = c.merchant_id
            AND o.checkout_id = c.checkout_id AND o.position = 1
        WHERE c.merchant_id = v_item.merchant_id
            AND c.checkout_id = v_item.replaces
        RETURNING * INTO v_change;

        INSERT INTO job (merchant_id, checkout_id, kind, operation_id, run_at)
        VALUES (v_change.merchant_id, v_change.checkout_id, 'change',
            v_change.change_id, now() + v_item.lease);

        v_word.actor := 'merchant';
        v_word.request_id := v_item.request_id;
        v_facts := v_facts || change_fact(v_change, v_word,
            'cancel_requested', NULL,
            jsonb_build_object('replaced_by', v_item.checkout_id)
            || asked_detail(v_item.asked_by));
    END LOOP;

    IF v_facts <> '{}' THEN
        PERFORM record_facts(number_facts(v_facts, 0));
    END IF;
END
$$;

ALTER FUNCTION pay.close_replaced(p_items pay.payment_item[]) OWNER TO payments_owner;

--
-- Name: FUNCTION close_replaced(p_items pay.payment_item[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.close_replaced(p_items pay.payment_item[]) IS 'Has the pages closed that new checkouts replace';

--
-- Name: compare_books(bigint, integer); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.compare_books(p_from bigint, p_limit integer, OUT until_tx bigint, OUT orders bigint, OUT more boolean) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_open    bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
    v_orders  record;
    v_sellers record;
BEGIN
    until_tx := seal_end(p_from, v_open, 1024, p_limit);
    more := until_tx < v_open;

    SELECT array_agg(o.merchant_id::text) AS merchants,
        array_agg(o.payment_order_id::text) AS ids,
        array_agg(o.seller_account::text) AS sellers,
        array_agg(o.checkout_id::text) AS checkouts
    INTO v_orders
    FROM (SELECT DISTINCT e.merchant_id, e.payment_order_id FROM event e
          WHERE e.tx >= p_from AND e.tx < until_tx) e
    CROSS JOIN LATERAL (
        SELECT * FROM payment_order o
        WHERE o.merchant_id = e.merchant_id
            AND o.payment_order_id = e.payment_order_id
        OFFSET 0) o;

    SELECT array_agg(u.merchant) AS merchants, array_agg(u.seller) AS sellers,
        array_agg(u.checkout) AS checkouts
    INTO v_sellers
    FROM (SELECT DISTINCT ON (1, 2) *
          FROM unnest(v_orders.merchants, v_orders.sellers,
                      v_orders.checkouts) AS u (merchant, seller, checkout)
          ORDER BY 1, 2) u;

    PERFORM keep_difference(d.merchant_id, d.checkout_id, d.detail)
    FROM order_differences(v_orders.merchants, v_orders.ids) d;
    PERFORM keep_difference(d.merchant_id, d.checkout_id, d.detail)
    FROM wallet_differences(v_sellers.merchants, v_sellers.sellers,
                            v_sellers.checkouts) d;

    orders := coalesce(cardinality(v_orders.ids), 0);
END
$$;

ALTER FUNCTION pay.compare_books(p_from bigint, p_limit integer, OUT until_tx bigint, OUT orders bigint, OUT more boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION compare_books(p_from bigint, p_limit integer, OUT until_tx bigint, OUT orders bigint, OUT more boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.compare_books(p_from bigint, p_limit integer, OUT until_tx bigint, OUT orders bigint, OUT more boolean) IS 'Compares what has been written since transaction p_from';

--
-- Name: convert(bigint, text, text, numeric); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.convert(p_minor bigint, p_from text, p_to text, p_rate numeric) RETURNS bigint
    LANGUAGE sql STABLE
    AS $$
SELECT CASE WHEN c.minor BETWEEN -9223372036854775807 AND 9223372036854775807
            THEN c.minor::bigint END
FROM pay.currency f, pay.currency t
CROSS JOIN LATERAL (
    SELECT pay.half_even(p_minor * p_rate
                     * concat('1e', t.exponent - f.exponent)::numeric)
        AS minor) c
WHERE f.code = p_from AND t.code = p_to
$$;

ALTER FUNCTION pay.convert(p_minor bigint, p_from text, p_to text, p_rate numeric) OWNER TO payments_owner;

--
-- Name: FUNCTION convert(p_minor bigint, p_from text, p_to text, p_rate numeric); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.convert(p_minor bigint, p_from text, p_to text, p_rate numeric) IS 'Minor units of one currency in those of another, half to even; NULL: too many, or an unknown currency';

--
-- Name: credit_ok(jsonb); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.credit_ok(p_credit jsonb) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN jsonb_typeof(p_credit) = 'string' AND EXISTS (
        SELECT FROM currency k
        WHERE k.code = p_credit #>> '{}' AND k.is_current);
END
$$;

ALTER FUNCTION pay.credit_ok(p_credit jsonb) OWNER TO payments_owner;

--
-- Name: FUNCTION credit_ok(p_credit jsonb); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.credit_ok(p_credit jsonb) IS 'Whether it is a currency that a seller can be credited in';

--
-- Name: current_credit(bigint, text, text, numeric, bigint, timestamp with time zone); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.current_credit(p_amount_minor bigint, p_currency text, p_credit_currency text, p_credit_rate numeric, p_credit_minor bigint, p_credit_until timestamp with time zone, OUT credit_rate numeric, OUT credit_minor bigint) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    IF p_credit_until < now() THEN
        credit_rate := pay.median_rate(p_currency, p_credit_currency, NULL);
        credit_minor := pay.convert(p_amount_minor, p_currency,
                                p_credit_currency, credit_rate);
    END IF;

    IF credit_minor IS NULL OR credit_minor > 999999999999999 THEN
        credit_rate := p_credit_rate;
        credit_minor := p_credit_minor;
    END IF;
END
$$;

ALTER FUNCTION pay.current_credit(p_amount_minor bigint, p_currency text, p_credit_currency text, p_credit_rate numeric, p_credit_minor bigint, p_credit_until timestamp with time zone, OUT credit_rate numeric, OUT credit_minor bigint) OWNER TO payments_owner;

--
-- Name: FUNCTION current_credit(p_amount_minor bigint, p_currency text, p_credit_currency text, p_credit_rate numeric, p_credit_minor bigint, p_credit_until timestamp with time zone, OUT credit_rate numeric, OUT credit_minor bigint); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.current_credit(p_amount_minor bigint, p_currency text, p_credit_currency text, p_credit_rate numeric, p_credit_minor bigint, p_credit_until timestamp with time zone, OUT credit_rate numeric, OUT credit_minor bigint) IS 'Rate and amount that a converted order is booked with now; the columns of payment_order go in, those to be kept come out';

--
-- Name: decimal_text(bigint, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.decimal_text(p_minor bigint, p_currency text) RETURNS text
    LANGUAGE sql STABLE
    AS $$
SELECT round(p_minor / 10::numeric ^ c.exponent, c.exponent)::text
FROM currency c WHERE c.code = p_currency
$$;

ALTER FUNCTION pay.decimal_text(p_minor bigint, p_currency text) OWNER TO payments_owner;

--
-- Name: FUNCTION decimal_text(p_minor bigint, p_currency text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.decimal_text(p_minor bigint, p_currency text) IS 'An amount as the API shows it, in the currency''s own decimals';

--
-- Name: decline_detail(text, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.decline_detail(p_decline text, p_can_retry text, p_attempt text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT CASE WHEN p_decline <> '' THEN jsonb_strip_nulls(jsonb_build_object(
    'decline', p_decline, 'can_retry', p_can_retry,
    'attempt', nullif(p_attempt, ''))) END
$$;

ALTER FUNCTION pay.decline_detail(p_decline text, p_can_retry text, p_attempt text) OWNER TO payments_owner;

--
-- Name: FUNCTION decline_detail(p_decline text, p_can_retry text, p_attempt text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.decline_detail(p_decline text, p_can_retry text, p_attempt text) IS 'A declined attempt as the detail of an event';

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
-- Name: dispute; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.dispute (
    psp pay.id NOT NULL,
    dispute_id pay.id NOT NULL,
    merchant_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    payment_order_id pay.id,
    state text NOT NULL COLLATE pg_catalog."C",
    amount_minor pay.positive_minor NOT NULL,
    currency pay.currency_code NOT NULL,
    seller_minor pay.minor,
    seller_currency pay.currency_code,
    code text,
    opened_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    part integer DEFAULT 1 NOT NULL,
    CONSTRAINT dispute_part_check CHECK ((part >= 1)),
    CONSTRAINT dispute_state_check CHECK ((state = ANY (ARRAY['open'::text, 'won'::text, 'lost'::text, 'moved'::text])))
);

ALTER TABLE pay.dispute OWNER TO payments_owner;

--
-- Name: dispute_fact(pay.news, pay.dispute, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.dispute_fact(p_news pay.news, p_dispute pay.dispute, p_kind text) RETURNS pay.fact
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_order payment_order;
    v_about jsonb := jsonb_build_object('dispute_id', p_dispute.dispute_id,
        'amount_minor', p_dispute.amount_minor,
        'currency', p_dispute.currency);
BEGIN
    UPDATE payment_order o
    SET charged_back_minor = o.charged_back_minor + p_dispute.amount_minor
        * CASE WHEN p_kind = 'dispute_opened' THEN 1
               WHEN p_kind = 'dispute_lost' THEN 0 ELSE -1 END
    WHERE o.merchant_id = p_dispute.merchant_id
        AND o.checkout_id = p_dispute.checkout_id
        AND o.payment_order_id = p_dispute.payment_order_id
    RETURNING * INTO v_order;

    RETURN news_fact(p_news,
        CASE WHEN p_kind IN ('dispute_moved', 'dispute_loss_moved')
             THEN 'dispute_moved' ELSE p_kind END,
        p_dispute.payment_order_id, order_posting(v_order,
            dispute_source(p_dispute), p_kind, p_dispute.psp,
            p_dispute.amount_minor, p_dispute.seller_minor,
            p_news.request_id), v_about);
END
$$;

ALTER FUNCTION pay.dispute_fact(p_news pay.news, p_dispute pay.dispute, p_kind text) OWNER TO payments_owner;

--
-- Name: FUNCTION dispute_fact(p_news pay.news, p_dispute pay.dispute, p_kind text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.dispute_fact(p_news pay.news, p_dispute pay.dispute, p_kind text) IS 'What becomes of a part of a dispute that an order bears';

--
-- Name: dispute_fee(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.dispute_fee(p_news pay.news) RETURNS pay.fact[]
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    IF coalesce(p_news.fee_minor, 0) = 0
        OR NOT is_currency(p_news.fee_currency)
        OR is_booked(p_news.merchant_id, news_source(p_news), 'psp_fee')
    THEN
        RETURN '{}';
    END IF;

    RETURN ARRAY[news_fact(p_news, 'fee', NULL, psp_posting(p_news,
        'psp_fee', p_news.fee_minor, p_news.fee_currency),
        jsonb_build_object('dispute_id', p_news.object,
            'amount_minor', p_news.fee_minor,
            'currency', p_news.fee_currency))];
END
$$;

ALTER FUNCTION pay.dispute_fee(p_news pay.news) OWNER TO payments_owner;

--
-- Name: FUNCTION dispute_fee(p_news pay.news); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.dispute_fee(p_news pay.news) IS 'What a PSP charges for a dispute';

--
-- Name: dispute_parts(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.dispute_parts(p_psp text, p_object text) RETURNS pay.dispute[]
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN ARRAY(
        SELECT d FROM dispute d
        WHERE d.psp = p_psp AND d.dispute_id = p_object
            AND d.state <> 'moved'
        ORDER BY d.part);
END
$$;

ALTER FUNCTION pay.dispute_parts(p_psp text, p_object text) OWNER TO payments_owner;

--
-- Name: FUNCTION dispute_parts(p_psp text, p_object text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.dispute_parts(p_psp text, p_object text) IS 'The parts of a dispute that count';

--
-- Name: dispute_source(pay.dispute); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.dispute_source(p_dispute pay.dispute) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT concat('dispute/', (p_dispute).psp, '/', (p_dispute).dispute_id,
    CASE WHEN (p_dispute).part > 1 THEN ' ' || (p_dispute).part END)
$$;

ALTER FUNCTION pay.dispute_source(p_dispute pay.dispute) OWNER TO payments_owner;

--
-- Name: FUNCTION dispute_source(p_dispute pay.dispute); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.dispute_source(p_dispute pay.dispute) IS 'The source of entries of a part of a dispute';

--
-- Name: doubt(pay.fact, text, text, text, bigint, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.doubt(p_word pay.fact, p_about text, p_why text, p_object text, p_amount_minor bigint, p_currency text) RETURNS pay.fact
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    p_word.item := 0;
    p_word.kind := 'mismatch';
    p_word.amount_minor := p_amount_minor;
    p_word.currency := p_currency;
    p_word.detail := coalesce(p_word.detail, '{}') || jsonb_strip_nulls(
        jsonb_build_object('about', p_about, 'why', p_why,
                           'object', p_object));

    RETURN p_word;
END
$$;

ALTER FUNCTION pay.doubt(p_word pay.fact, p_about text, p_why text, p_object text, p_amount_minor bigint, p_currency text) OWNER TO payments_owner;

--
-- Name: FUNCTION doubt(p_word pay.fact, p_about text, p_why text, p_object text, p_amount_minor bigint, p_currency text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.doubt(p_word pay.fact, p_about text, p_why text, p_object text, p_amount_minor bigint, p_currency text) IS 'A word about what follows a sale that is not believed';

--
-- Name: drop_change_job(pay.change, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.drop_change_job(p_change pay.change, p_why text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM job j
    WHERE j.merchant_id = p_change.merchant_id
        AND j.checkout_id = p_change.checkout_id AND j.kind = 'change'
        AND j.operation_id = p_change.change_id;

    UPDATE dead_letter d
    SET state = 'settled', closed_at = clock_timestamp(),
        closed_by = 'gateway', closed_why = p_why
    FROM letters_of(p_change.merchant_id, p_change.checkout_id) x
    WHERE x.state = 'open' AND x.kind = 'change'
        AND x.operation_id = p_change.change_id
        AND d.dead_letter_id = x.dead_letter_id;
END
$$;

ALTER FUNCTION pay.drop_change_job(p_change pay.change, p_why text) OWNER TO payments_owner;

--
-- Name: FUNCTION drop_change_job(p_change pay.change, p_why text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.drop_change_job(p_change pay.change, p_why text) IS 'Ends the job of a change, and what people were told of it';

--
-- Name: end_changes(pay.fact[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.end_changes(p_facts pay.fact[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_change change;
    v_word   fact;
BEGIN
    FOR v_change IN
        SELECT c.*
        FROM (SELECT DISTINCT f.merchant_id, f.checkout_id
              FROM unnest(p_facts) f) f
        CROSS JOIN LATERAL (
            SELECT c.* FROM change c
            WHERE c.merchant_id = f.merchant_id
                AND c.checkout_id = f.checkout_id
                AND c.status IN ('NOT_STARTED', 'EXECUTING')
                AND c.kind IN ('capture', 'cancel')
            OFFSET 0) c
        CROSS JOIN LATERAL find_order(c.merchant_id, c.payment_order_id) o
        WHERE CASE WHEN c.replaced_by IS NOT NULL
                  THEN o.status = 'FAILED' AND EXISTS (
                      SELECT FROM unnest(p_facts) x
                      WHERE x.merchant_id = c.merchant_id
                          AND x.checkout_id = c.checkout_id
                          AND x.kind IN ('expired', 'cancelled')
                          AND x.actor IN ('webhook', 'query', 'backfill'))
              WHEN c.kind = 'capture'
                  THEN o.captured_minor = o.amount_minor
                  ELSE o.status = 'FAILED' OR o.status = 'SUCCESS'
                      AND o.authorized_minor = 0 AND c.amount_minor
                          <= o.amount_minor - o.captured_minor END
    LOOP
        PERFORM set_change(v_change, 'SUCCESS', v_word);
    END LOOP;
END
$$;

ALTER FUNCTION pay.end_changes(p_facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION end_changes(p_facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.end_changes(p_facts pay.fact[]) IS 'Ends the changes of orders that stand where they were to lead';

--
-- Name: end_dispute(pay.news, pay.dispute[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.end_dispute(p_news pay.news, p_parts pay.dispute[], OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_part dispute;
BEGIN
    facts := '{}';
    outcome := 'applied';

    UPDATE dispute d
    SET state = p_news.news, code = coalesce(p_news.code, d.code),
        changed_at = clock_timestamp()
    FROM unnest(p_parts) x
    WHERE d.psp = x.psp AND d.dispute_id = x.dispute_id AND d.part = x.part;

    FOREACH v_part IN ARRAY p_parts LOOP
        IF v_part.payment_order_id IS NOT NULL THEN
            facts := facts || dispute_fact(p_news, v_part,
                                           'dispute_' || p_news.news);
            CONTINUE;
        END IF;

        facts := facts || news_fact(p_news, 'dispute_' || p_news.news, NULL,
            CASE p_news.news WHEN 'lost' THEN psp_posting(p_news,
                'unknown_dispute', v_part.amount_minor, v_part.currency) END,
            jsonb_build_object('dispute_id', v_part.dispute_id,
                'amount_minor', v_part.amount_minor,
                'currency', v_part.currency));

        IF p_news.news = 'lost' AND NOT EXISTS (
            SELECT FROM open_mismatches(v_part.merchant_id,
                                        v_part.checkout_id) m
            WHERE m.kind = 'dispute' AND m.object = p_news.object)
        THEN
            facts := facts || (news_doubt(p_news, 'exceeds')).facts;
            outcome := 'mismatch';
        END IF;
    END LOOP;
END
$$;

ALTER FUNCTION pay.end_dispute(p_news pay.news, p_parts pay.dispute[], OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION end_dispute(p_news pay.news, p_parts pay.dispute[], OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.end_dispute(p_news pay.news, p_parts pay.dispute[], OUT outcome text, OUT facts pay.fact[]) IS 'A dispute was decided';

--
-- Name: end_jobs(pay.move[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.end_jobs(p_moves pay.move[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM job j
    USING unnest(p_moves) m
    CROSS JOIN LATERAL (
        SELECT k.tableoid AS part, k.ctid AS tid FROM job k
        WHERE k.merchant_id = m.merchant_id
            AND k.checkout_id = m.checkout_id
        OFFSET 0) k
    WHERE m.final IS NOT NULL AND j.ctid = k.tid AND j.tableoid = k.part
        AND j.kind <> 'change'
        AND (m.final = 'SUCCESS'
             OR j.again_at IS NULL
                AND NOT (m.is_ours AND j.kind = 'poll'));

    UPDATE job j
    SET attempts = 1
    FROM unnest(p_moves) m
    CROSS JOIN LATERAL (
        SELECT k.tableoid AS part, k.ctid AS tid FROM job k
        WHERE k.merchant_id = m.merchant_id
            AND k.checkout_id = m.checkout_id AND k.kind = 'poll'
        OFFSET 0) k
    WHERE m.final = 'FAILED' AND m.is_ours AND j.ctid = k.tid
        AND j.tableoid = k.part;

    UPDATE dead_letter d
    SET state = 'settled', closed_at = clock_timestamp(),
        closed_by = 'gateway', closed_why = m.final
    FROM unnest(p_moves) m
    CROSS JOIN LATERAL (
        SELECT k.ctid AS tid FROM dead_letter k
        WHERE k.merchant_id = m.merchant_id
            AND k.checkout_id = m.checkout_id AND k.state = 'open'
            AND k.kind IN ('poll', 'stuck')
            AND k.reason NOT IN ('unknown', 'changing')
        OFFSET 0) k
    WHERE m.final IS NOT NULL AND d.ctid = k.tid;
END
$$;

ALTER FUNCTION pay.end_jobs(p_moves pay.move[]) OWNER TO payments_owner;

--
-- Name: FUNCTION end_jobs(p_moves pay.move[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.end_jobs(p_moves pay.move[]) IS 'Ends the jobs of checkouts that have come to rest';

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
        SELECT k.part, k.tid, f.code, nullif(p_reach[f.item], '') AS reach,
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
            SELECT k.tableoid AS part, k.ctid AS tid, k.state FROM dispatch k
            WHERE k.merchant_id = f.merchant_id
                AND k.checkout_id = f.checkout_id
                AND k.operation = 'register' AND k.operation_id = r.nonce
            ORDER BY k.attempt DESC LIMIT 1) k
        WHERE f.kind <> 'expired' OR k.state = 'OPEN') x
    WHERE d.ctid = x.tid AND d.tableoid = x.part;
END
$$;

ALTER FUNCTION pay.end_registers(p_facts pay.fact[], p_reach text[], p_http_status bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION end_registers(p_facts pay.fact[], p_reach text[], p_http_status bigint[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.end_registers(p_facts pay.fact[], p_reach text[], p_http_status bigint[]) IS 'Journals how calls of registrations ended that brought no token';

--
-- Name: entry_balances(); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.entry_balances() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
DECLARE
    v_lines int;
    v_plain boolean;
    v_wrong text;
BEGIN
    SELECT count(*), min(l.currency) = max(l.currency)
        AND sum(l.amount_minor) = 0
    INTO v_lines, v_plain
    FROM journal_line l
    WHERE l.merchant_id = NEW.merchant_id AND l.source = NEW.source
        AND l.kind = NEW.kind;

    IF v_lines >= 2 AND v_plain THEN
        RETURN NULL;
    END IF;

    SELECT min(l.currency) FILTER (WHERE l.total <> 0) INTO v_wrong
    FROM (SELECT l.currency, sum(l.amount_minor) AS total
          FROM journal_line l
          WHERE l.merchant_id = NEW.merchant_id AND l.source = NEW.source
              AND l.kind = NEW.kind
          GROUP BY l.currency) l;

    IF v_lines < 2 OR v_wrong IS NOT NULL THEN
        RAISE EXCEPTION 'entry % of % does not balance (% lines, %)',
            NEW.kind, NEW.source, v_lines, coalesce(v_wrong, 'too few')
            USING ERRCODE = 'PAY22';
    END IF;

    RETURN NULL;
END
$$;

ALTER FUNCTION pay.entry_balances() OWNER TO payments_owner;

--
-- Name: FUNCTION entry_balances(); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.entry_balances() IS 'Double entry: two lines or more, that sum to nothing in each currency';

--
-- Name: event; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.event (
    merchant_id pay.id NOT NULL,
    payment_order_id pay.id NOT NULL,
    seq pay.ordinal NOT NULL,
    at timestamp with time zone NOT NULL,
    tx pay.whole NOT NULL,
    kind pay.filled NOT NULL,
    actor pay.event_actor NOT NULL,
    old_status pay.order_status,
    new_status pay.order_status NOT NULL,
    reason text COLLATE pg_catalog."C",
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    request_id text,
    hash pay.hash NOT NULL,
    CONSTRAINT event_begins CHECK ((((seq)::integer = 1) = (old_status IS NULL)))
)
PARTITION BY RANGE (at);

ALTER TABLE pay.event OWNER TO payments_owner;

--
-- Name: event_bytes(bytea, pay.event); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.event_bytes(p_previous bytea, p_event pay.event) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    AS $$
DECLARE
    v_previous text := coalesce(encode(p_previous, 'hex'), '');
    v_seq      text := p_event.seq;
    v_at       text := pay.iso_micros(p_event.at);
    v_tx       text := p_event.tx;
    v_detail   text := p_event.detail;
BEGIN
    RETURN pay.hash_field(v_previous)
        || pay.hash_field(p_event.merchant_id)
        || pay.hash_field(p_event.payment_order_id)
        || pay.hash_field(v_seq)
        || pay.hash_field(v_at)
        || pay.hash_field(v_tx)
        || pay.hash_field(p_event.kind)
        || pay.hash_field(p_event.actor)
        || pay.hash_field(p_event.old_status)
        || pay.hash_field(p_event.new_status)
        || pay.hash_field(p_event.reason)
        || pay.hash_field(v_detail)
        || pay.hash_field(p_event.request_id);
END
$$;

ALTER FUNCTION pay.event_bytes(p_previous bytea, p_event pay.event) OWNER TO payments_owner;

--
-- Name: FUNCTION event_bytes(p_previous bytea, p_event pay.event); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.event_bytes(p_previous bytea, p_event pay.event) IS 'What the hash of an event is over, each member with its length, NULL as -; p_previous: the hash before it, NULL for an order''s first';

--
-- Name: event_hash(bytea, pay.event); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.event_hash(p_previous bytea, p_event pay.event) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE
    AS $$
BEGIN
    RETURN sha256(convert_to(pay.event_bytes(p_previous, p_event), 'UTF8'));
END
$$;

ALTER FUNCTION pay.event_hash(p_previous bytea, p_event pay.event) OWNER TO payments_owner;

--
-- Name: FUNCTION event_hash(p_previous bytea, p_event pay.event); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.event_hash(p_previous bytea, p_event pay.event) IS 'What an event''s hash has to be';

--
-- Name: events_since(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.events_since(p_merchant_id text, p_checkout_id text) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
SELECT c.created_at - interval '1 day' FROM checkout c
WHERE c.merchant_id = p_merchant_id AND c.checkout_id = p_checkout_id
$$;

ALTER FUNCTION pay.events_since(p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION events_since(p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.events_since(p_merchant_id text, p_checkout_id text) IS 'From when on a checkout''s orders can have events';

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
            'reason', o.reason, 'decline', shown_decline(o), 'psp', r.psp,
            'amount', decimal_text(o.amount_minor, o.currency),
            'currency', o.currency,
            'payment_orders', explain_orders(c.merchant_id, c.checkout_id),
            'expires_at', iso_time(c.expires_at),
            'replaces', c.replaces, 'replaced_by', c.replaced_by,
            'registration', json_build_object('state', r.state,
                'nonce', r.nonce, 'token', r.token, 'attempt', r.attempt),
            'waits_for', v_answer -> 'waits_for', 'why', v_answer -> 'why',
            'next_step', v_answer -> 'next_step',
            'safe_to_retry', v_answer -> 'safe_to_retry',
            'dispatches', explain_dispatches(c.merchant_id, c.checkout_id),
            'dead_letters', explain_letters(c.merchant_id, c.checkout_id,
                                            p_inside),
            'exceptions', explain_exceptions(c.merchant_id, c.checkout_id,
                                             p_inside),
            'late_success', explain_late(c.merchant_id, c.checkout_id),
            'changes', explain_changes(o),
            'disputes', explain_disputes(c.merchant_id, c.checkout_id),
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
-- Name: explain_changes(pay.payment_order); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.explain_changes(p_order pay.payment_order) RETURNS json
    LANGUAGE sql STABLE
    AS $$
SELECT coalesce(json_agg(json_build_object('change_id', c -> 'change_id',
    'kind', c -> 'kind', 'payment_order_id', c -> 'payment_order_id',
    'status', c -> 'status',
    'amount', decimal_text((c ->> 'amount_minor')::bigint, c ->> 'currency'),
    'currency', c -> 'currency', 'reason', c -> 'reason',
    'code', c -> 'code', 'reference', c -> 'reference',
    'metadata', c -> 'metadata', 'created_at', c -> 'created_at',
    'changed_at', c -> 'changed_at') ORDER BY n), '[]')
FROM json_array_elements(changes_of(p_order, NULL)) WITH ORDINALITY x (c, n)
$$;

ALTER FUNCTION pay.explain_changes(p_order pay.payment_order) OWNER TO payments_owner;

--
-- Name: FUNCTION explain_changes(p_order pay.payment_order); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.explain_changes(p_order pay.payment_order) IS 'The changes of an order, with amounts as the API shows them';

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
-- Name: explain_disputes(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.explain_disputes(p_merchant_id text, p_checkout_id text) RETURNS json
    LANGUAGE sql STABLE
    AS $$
SELECT coalesce(json_agg(json_build_object(
    'dispute_id', d.dispute_id, 'psp', d.psp,
    'payment_order_id', d.payment_order_id, 'state', d.state,
    'amount', decimal_text(d.amount_minor, d.currency),
    'currency', d.currency, 'code', d.code,
    'opened_at', iso_time(d.opened_at), 'changed_at', iso_time(d.changed_at))
    ORDER BY d.opened_at, d.dispute_id, d.part), '[]')
FROM (SELECT * FROM dispute x
      WHERE x.merchant_id = p_merchant_id AND x.checkout_id = p_checkout_id
          AND x.state <> 'moved'
      ORDER BY x.opened_at DESC, x.part LIMIT 100) d
$$;

ALTER FUNCTION pay.explain_disputes(p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION explain_disputes(p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.explain_disputes(p_merchant_id text, p_checkout_id text) IS 'The newest 100 disputes about a checkout';

--
-- Name: explain_exceptions(text, text, boolean); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.explain_exceptions(p_merchant_id text, p_checkout_id text, p_inside boolean) RETURNS json
    LANGUAGE sql STABLE
    AS $$
SELECT coalesce(json_agg(json_build_object(
    'id', m.mismatch_id, 'at', iso_time(m.at), 'kind', m.kind,
    'source', m.source, 'psp', m.psp,
    'event_id', m.event_id, 'token', m.token, 'alias', m.alias,
    'amount', decimal_text(m.amount_minor, m.currency),
    'currency', m.currency, 'own_token', m.own_token,
    'own_amount', decimal_text(m.total_minor, m.own_currency),
    'own_currency', m.own_currency, 'object', m.object, 'wrong', m.why,
    'request_id', m.request_id, 'settled_at', iso_time(s.at),
    'settled_by', CASE WHEN p_inside THEN s.who END,
    'settled_why', CASE WHEN p_inside THEN s.why END)
    ORDER BY m.mismatch_id), '[]')
FROM (SELECT * FROM mismatch x
      WHERE x.merchant_id = p_merchant_id AND x.checkout_id = p_checkout_id
      ORDER BY x.mismatch_id DESC LIMIT 100) m
LEFT JOIN mismatch_settlement s ON s.merchant_id = m.merchant_id
    AND s.checkout_id = m.checkout_id AND s.mismatch_id = m.mismatch_id
$$;

ALTER FUNCTION pay.explain_exceptions(p_merchant_id text, p_checkout_id text, p_inside boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION explain_exceptions(p_merchant_id text, p_checkout_id text, p_inside boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.explain_exceptions(p_merchant_id text, p_checkout_id text, p_inside boolean) IS 'The newest 100 words of a PSP about a checkout that changed nothing';

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
        (p_s.status = 'SUCCESS' AND p_s.change_letter
             AND p_s.change_code = 'no_reference', 'people',
         'It is paid. What was to follow (%3$s) cannot be sent: %1$s never '
         'told the id of the payment, and the gateway has stopped waiting. '
         'Somebody must look.'),
        (p_s.status = 'SUCCESS' AND p_s.change_code = 'no_reference', 'psp',
         'It is paid. What is to follow (%3$s) waits for the id of the '
         'payment, which %1$s has not told yet.'),
        (p_s.status = 'SUCCESS' AND p_s.change_letter, 'people',
         'It is paid. Of what was to follow (%3$s) nobody knows whether %1$s '
         'has done it, and the gateway has stopped asking: somebody must '
         'look.'),
        (p_s.status = 'SUCCESS' AND p_s.change IS NOT NULL, 'psp',
         'It is paid, and what is to follow (%3$s) is on its way at %1$s.'),
        (p_s.status = 'SUCCESS', 'nobody', 'It is paid.'),
        (p_s.status = 'FAILED' AND p_s.contradicted AND p_s.change_letter,
         'people', 'It has failed, but %1$s says that it holds the buyer''s '
         'money. Nobody knows whether it has given it back as it was told '
         'to, and the gateway has stopped asking: somebody must look.'),
        (p_s.status = 'FAILED' AND p_s.contradicted
             AND p_s.change = 'cancel', 'psp',
         'It has failed, but %1$s says that it holds the buyer''s money, and '
         'is being told to give it back.'),
        (p_s.status = 'FAILED' AND p_s.contradicted, 'people',
         'It has failed, but %s says that it holds the buyer''s money. That '
         'cannot become a sale any more: it is given back when somebody '
         'cancels the payment, or when the hold ends.'),
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
        (p_s.job = 'poll' AND p_s.job_code IS DISTINCT FROM 'last_look',
         'psp',
         'It has failed, but there may be news: %s is being asked again.'),
        (p_s.late IS NULL AND p_s.differs, 'people',
         '%s says that another amount or currency was paid: somebody must '
         'compare it with the books of %1$s.'),
        (p_s.late = 'refunded', 'nobody',
         'It was paid after its time was over, and paid back.'),
        (p_s.late = 'resolved', 'nobody',
         'It was paid after its time was over, and somebody has settled '
         'that by hand.'),
        (p_s.waits AND p_s.reason = 'cancelled', 'nobody',
         'The page that it was to replace was paid or could not be closed, '
         'so it never got one.'),
        (p_s.waits, 'nobody', 'Its time was over before the page that it '
         'was to replace was closed.'),
        (p_s.reason = 'declined', 'nobody', '%s declined the payment.'),
        (p_s.reason = 'cancelled', 'nobody', 'It was cancelled.'),
        (p_s.reason = 'rejected', 'nobody',
         '%s refused to take it, so there never was a page to pay on.'),
        (p_s.reason = 'risk', 'nobody',
         'It was refused because the risk was too high.'),
        (p_s.token IS NULL, 'nobody',
         '%s gave no page before its time was over, so nobody could pay.'),
        (p_s.job_code = 'last_look', 'nobody',
         'The buyer did not pay in time. %s has not confirmed that, and is '
         'asked once more.'),
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
    'reference', l.reference,
    'amount', decimal_text(l.amount_minor, l.currency),
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
    'id', d.dead_letter_id, 'kind', d.kind, 'operation_id', d.operation_id,
    'reason', d.reason, 'code', d.code, 'attempts', d.attempts, 'at', iso_time(d.at),
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

    IF p_s.change_at IS NOT NULL
        AND coalesce(p_s.change_at <= at, true)
    THEN
        what := 'change';
        at := p_s.change_at;
        RETURN;
    END IF;

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
-- Name: explain_orders(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.explain_orders(p_merchant_id text, p_checkout_id text) RETURNS json
    LANGUAGE sql STABLE
    AS $$
SELECT json_agg(json_build_object('payment_order_id', o.payment_order_id,
    'seller_account', o.seller_account, 'status', o.status,
    'amount', decimal_text(o.amount_minor, o.currency)) ORDER BY o.position)
FROM payment_order o
WHERE o.merchant_id = p_merchant_id AND o.checkout_id = p_checkout_id
$$;

ALTER FUNCTION pay.explain_orders(p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION explain_orders(p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.explain_orders(p_merchant_id text, p_checkout_id text) IS 'All orders of a checkout in a line each';

--
-- Name: explain_registered(pay.standing); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.explain_registered(p_s pay.standing, OUT waits_for text, OUT why text) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $_$
BEGIN
    SELECT v.waits_for, v.why INTO waits_for, why FROM (VALUES
        (p_s.change_letter AND p_s.change_code = 'no_reference', 'people',
         'What was asked for (%3$s) cannot be sent: %1$s never told the id '
         'of the payment, and the gateway has stopped waiting. Somebody must '
         'look.'),
        (p_s.change_code = 'no_reference', 'psp',
         'What was asked for (%3$s) waits for the id of the payment, which '
         '%1$s has not told yet.'),
        (p_s.change_letter, 'people',
         'Nobody knows whether %1$s has done what it was told (%3$s), and '
         'the gateway has stopped asking: somebody must look.'),
        (p_s.change = 'cancel', 'psp', '%s is being told to cancel it.'),
        (p_s.change = 'capture', 'psp',
         'The buyer has authorised the payment, and %s is being told to take '
         'the money.'),
        (p_s.differs, 'people',
         '%s says that another amount or currency was paid: somebody must '
         'compare it with the books of %1$s.'),
        (p_s.authorized, 'merchant',
         'The buyer has authorised the payment at %s, and nobody has asked '
         'for the money yet.'),
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
        (p_s.old_paid, 'no', NULL,
         'The checkout that it replaces was paid, or may be: another one '
         'would be a second sale.'),
        (p_s.status = 'FAILED' AND p_s.old_open, 'no', NULL,
         'The page that it was to replace is not known to be closed, and the '
         'buyer may pay there: look at the checkout that it replaces.'),
        (p_s.replaced_by IS NOT NULL, 'no', NULL,
         'Another checkout has taken its place: look at that one.'),
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
        (p_s.status = 'FAILED' AND p_s.contradicted, 'no', NULL,
         '%s holds the buyer''s money: cancel the payment first.'),
        (p_s.status = 'FAILED' AND p_s.job = 'poll'
             AND p_s.job_code IS DISTINCT FROM 'last_look', 'after',
         greatest(p_at, now()),
         'There may be news, and %s is being asked: look again then.'),
        (p_s.status = 'FAILED' AND p_s.token IS NULL, 'yes', NULL,
         'Nobody ever had a page to pay on.'),
        (p_s.status = 'FAILED' AND p_s.closed, 'yes', NULL,
         '%s has closed the page: nobody can pay on it any more.'),
        (p_s.status = 'FAILED' AND now() < v_page_over, 'after',
         v_sale_over,
         'It has failed, but there is a page at %s on which the buyer may '
         'still pay.'),
        (p_s.status = 'FAILED' AND p_s.job = 'poll', 'after',
         greatest(p_at, now()),
         'Its time is over, but %s has not confirmed that nobody can pay any '
         'more, and is asked once more then.'),
        (p_s.status = 'FAILED' AND now() < v_sale_over, 'after', v_sale_over,
         'Its time is over, but a payment that was under way would still '
         'arrive.'),
        (p_s.status = 'FAILED', 'yes', NULL,
         'It has failed, and the time to pay is over.'),
        (p_s.registered = 'REGISTERING' AND now() < p_s.expires_at, 'after',
         p_s.expires_at,
         'It may still get a page to pay on. The same request with the same '
         'Idempotency-Key is safe at any time.'),
        (p_s.registered = 'REGISTERING' AND p_at IS NOT NULL, 'after',
         greatest(p_at, now()),
         'Its time is over, and it is about to be closed.'),
        (p_s.authorized, 'no', NULL,
         'The buyer has authorised the payment: cancel it first.'),
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

    v_why := format(v_wait.why, p_s.psp, p_s.letter_attempts, p_s.change)
        || CASE WHEN p_s.stuck THEN
            ' It takes longer than it should, and is on the list of those '
            'on call.' ELSE '' END
        || CASE WHEN v_next.at < now() - interval '1 minute'
            AND coalesce(p_s.lease_until <= now(), true) THEN
            ' The next step is late: nobody has taken it yet.' ELSE '' END;

    IF p_s.old_paid THEN
        v_why := v_why || ' The checkout that it replaces was paid all the '
            'same, or its money is held.';
    END IF;

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
        (p_s.waits AND p_s.job IS NOT NULL AND p_what <> 'expire', 'psp',
         'The page that it replaces is being closed first; it gets its own '
         'when that is done.'),
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
-- Name: export_range(timestamp with time zone, timestamp with time zone); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.export_range(p_since timestamp with time zone, p_until timestamp with time zone, OUT from_tx bigint, OUT until_tx bigint, OUT first bigint, OUT last bigint) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_newest bigint := (SELECT max(s.number) FROM pay.seal s);
BEGIN
    from_tx := 0;
    until_tx := 9223372036854775807;
    first := 1;
    -- leaves whose seal somebody has taken away are not hidden
    last := 9223372036854775807;

    IF p_since IS NOT NULL AND v_newest IS NOT NULL THEN
        SELECT coalesce(min(s.number), v_newest + 1) INTO first
        FROM pay.seal s WHERE s.at >= p_since;
        SELECT coalesce(max(s.until_tx), 0) INTO from_tx
        FROM pay.seal s WHERE s.number < first;
    END IF;

    IF p_until IS NOT NULL AND v_newest IS NOT NULL THEN
        SELECT max(s.number), coalesce(max(s.until_tx), 0)
        INTO last, until_tx
        FROM pay.seal s WHERE s.at < p_until;
    END IF;

    first := greatest(first, (SELECT max(d.first_seal)
                              FROM pay.dropped_month d));
END
$$;

ALTER FUNCTION pay.export_range(p_since timestamp with time zone, p_until timestamp with time zone, OUT from_tx bigint, OUT until_tx bigint, OUT first bigint, OUT last bigint) OWNER TO payments_owner;

--
-- Name: FUNCTION export_range(p_since timestamp with time zone, p_until timestamp with time zone, OUT from_tx bigint, OUT until_tx bigint, OUT first bigint, OUT last bigint); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.export_range(p_since timestamp with time zone, p_until timestamp with time zone, OUT from_tx bigint, OUT until_tx bigint, OUT first bigint, OUT last bigint) IS 'Which transactions and seals an export of this time has';

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
-- Name: find_by_merchant(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.find_by_merchant(p_merchant_id text, p_what text) RETURNS TABLE(found_as text, merchant_id text, checkout_id text, payment_order_id text, psp text)
    LANGUAGE sql STABLE
    AS $$
WITH RECURSIVE route (name) AS (
    SELECT (SELECT k.route FROM idempotency_key k
            WHERE k.merchant_id = p_merchant_id ORDER BY k.route LIMIT 1)
    UNION ALL
    SELECT (SELECT k.route FROM idempotency_key k
            WHERE k.merchant_id = p_merchant_id AND k.route > r.name
            ORDER BY k.route LIMIT 1)
    FROM route r WHERE r.name IS NOT NULL
)
SELECT 'order', o.merchant_id::text, o.checkout_id::text,
    o.payment_order_id::text, NULL::text
FROM find_order(p_merchant_id, p_what) o
UNION ALL
SELECT 'checkout', c.merchant_id, c.checkout_id, NULL, c.psp
FROM (SELECT * FROM checkout x
      WHERE x.merchant_id = p_merchant_id AND x.checkout_id = p_what
      OFFSET 0) c
UNION ALL
SELECT 'idempotency key', k.merchant_id, k.checkout_id, NULL, NULL
FROM route r
CROSS JOIN LATERAL (
    SELECT * FROM idempotency_key x
    WHERE x.merchant_id = p_merchant_id AND x.route = r.name
        AND x.key = p_what
    OFFSET 0) k
$$;

ALTER FUNCTION pay.find_by_merchant(p_merchant_id text, p_what text) OWNER TO payments_owner;

--
-- Name: FUNCTION find_by_merchant(p_merchant_id text, p_what text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.find_by_merchant(p_merchant_id text, p_what text) IS 'Orders, checkouts and idempotency keys of that name';

--
-- Name: find_by_psp(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.find_by_psp(p_psp text, p_what text) RETURNS TABLE(found_as text, merchant_id text, checkout_id text, payment_order_id text, psp text)
    LANGUAGE sql STABLE
    AS $$
SELECT 'nonce', r.merchant_id::text, r.checkout_id::text, NULL::text, p_psp
FROM (SELECT * FROM registration x WHERE x.psp = p_psp AND x.nonce = p_what
      OFFSET 0) r
UNION ALL
SELECT CASE WHEN t.is_reference THEN 'PSP''s payment' ELSE 'token' END,
    t.merchant_id, t.checkout_id, NULL, p_psp
FROM (SELECT * FROM psp_token x WHERE x.psp = p_psp AND x.token = p_what
      OFFSET 0) t
UNION ALL
SELECT 'PSP''s event', i.merchant_id, i.checkout_id, NULL, p_psp
FROM (SELECT * FROM webhook_inbox x
      WHERE x.psp = p_psp AND x.event_id = p_what
      OFFSET 0) i
UNION ALL
SELECT 'dispute', d.merchant_id, d.checkout_id, d.payment_order_id, p_psp
FROM (SELECT * FROM dispute x WHERE x.psp = p_psp AND x.dispute_id = p_what
      OFFSET 0) d
$$;

ALTER FUNCTION pay.find_by_psp(p_psp text, p_what text) OWNER TO payments_owner;

--
-- Name: FUNCTION find_by_psp(p_psp text, p_what text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.find_by_psp(p_psp text, p_what text) IS 'Registrations, tokens, payments, events and disputes of that name';

--
-- Name: find_change(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.find_change(p_merchant_id text, p_change_id text) RETURNS pay.change
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_change change;
BEGIN
    SELECT * INTO v_change FROM change c
    WHERE c.merchant_id = p_merchant_id AND c.change_id = p_change_id;

    RETURN v_change;
END
$$;

ALTER FUNCTION pay.find_change(p_merchant_id text, p_change_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION find_change(p_merchant_id text, p_change_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.find_change(p_merchant_id text, p_change_id text) IS 'A change by its key, or NULL';

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
-- Name: find_order(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.find_order(p_merchant_id text, p_payment_order_id text) RETURNS SETOF pay.payment_order
    LANGUAGE sql STABLE
    AS $$
SELECT o.*
FROM payment_order o
WHERE o.merchant_id = p_merchant_id
    AND o.payment_order_id BETWEEN p_payment_order_id AND p_payment_order_id
ORDER BY o.payment_order_id LIMIT 1
$$;

ALTER FUNCTION pay.find_order(p_merchant_id text, p_payment_order_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION find_order(p_merchant_id text, p_payment_order_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.find_order(p_merchant_id text, p_payment_order_id text) IS 'An order, by its key';

--
-- Name: find_parked(text[], text[], text[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.find_parked(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[], OUT facts pay.fact[], OUT told pay.news[]) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    SELECT array_agg(ROW(w.n, NULL, w.merchant_id, w.checkout_id,
            fact_kind(w.fact, w.amount_minor, w.currency, c.total_minor,
                      c.currency),
            'webhook', w.psp, w.event_id, w.type, w.code, w.token,
            w.reference, w.amount_minor, w.currency, w.request_id,
            w.decline, NULL, NULL, NULL)::fact ORDER BY w.n)
            FILTER (WHERE w.about IS NULL),
        array_agg(ROW(w.n, w.merchant_id, w.checkout_id, w.psp, w.via,
            w.event_id, w.type, w.about ->> 'about', w.about ->> 'news',
            w.token, w.reference, w.about ->> 'object',
            w.about ->> 'operation_id', w.amount_minor, w.currency,
            (w.about ->> 'fee_minor')::bigint, w.about ->> 'fee_currency',
            w.code, NULL, w.request_id, NULL)::news ORDER BY w.n)
            FILTER (WHERE w.about IS NOT NULL)
    INTO facts, told
    FROM (
        SELECT x.*,
            row_number() OVER (ORDER BY x.received_at, x.event_id) AS n
        FROM (
            SELECT DISTINCT ON (i.psp, i.event_id) i.psp, i.event_id, i.type,
                i.fact, i.token, i.reference, i.code, i.amount_minor,
                i.currency, i.via, i.about, i.decline, i.request_id,
                i.received_at,
                t.merchant_id, t.checkout_id
            FROM (SELECT DISTINCT * FROM unnest(p_merchant_id, p_checkout_id,
                                                p_psp, p_name)) AS
                u (merchant_id, checkout_id, psp, name)
            JOIN registration r ON r.merchant_id = u.merchant_id
                AND r.checkout_id = u.checkout_id
            JOIN psp_token t ON t.psp = u.psp AND t.token = u.name
                AND t.merchant_id = u.merchant_id
                AND t.checkout_id = u.checkout_id
                AND (t.is_reference OR t.token IN (r.token, r.alias))
            CROSS JOIN LATERAL (
                SELECT * FROM webhook_inbox p
                WHERE p.psp = t.psp AND p.token = t.token
                    AND p.state = 'parked'
                    AND t.is_reference
                        = coalesce(p.about ? 'by_payment', false)
                UNION ALL
                SELECT * FROM webhook_inbox p
                WHERE t.is_reference
                    AND p.psp = t.psp AND p.reference = t.token
                    AND p.reference <> p.token AND p.state = 'parked'
                    AND p.checkout_id IS NULL) i
            ORDER BY i.psp, i.event_id, i.token = t.token DESC) x) w
    JOIN checkout c ON c.merchant_id = w.merchant_id
        AND c.checkout_id = w.checkout_id;

    facts := coalesce(facts, '{}');
    told := coalesce(told, '{}');
END
$$;

ALTER FUNCTION pay.find_parked(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[], OUT facts pay.fact[], OUT told pay.news[]) OWNER TO payments_owner;

--
-- Name: FUNCTION find_parked(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[], OUT facts pay.fact[], OUT told pay.news[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.find_parked(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[], OUT facts pay.fact[], OUT told pay.news[]) IS 'Webhooks that waited for these names';

--
-- Name: find_request(text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.find_request(p_what text) RETURNS TABLE(found_as text, merchant_id text, checkout_id text, payment_order_id text, psp text)
    LANGUAGE sql STABLE
    AS $$
SELECT DISTINCT 'request', e.merchant_id::text, o.checkout_id::text,
    e.payment_order_id::text, NULL::text
FROM (SELECT * FROM event x
      WHERE x.at >= request_time(p_what) - interval '10 minutes'
          AND x.at < request_time(p_what) + interval '1 hour'
          AND x.request_id = p_what
      OFFSET 0) e
CROSS JOIN LATERAL find_order(e.merchant_id, e.payment_order_id) o
$$;

ALTER FUNCTION pay.find_request(p_what text) OWNER TO payments_owner;

--
-- Name: FUNCTION find_request(p_what text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.find_request(p_what text) IS 'Orders to which a request has told something';

--
-- Name: first_detail(text, text, text, jsonb); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.first_detail(p_psp text, p_route text, p_replaces text, p_asked_by jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
SELECT jsonb_strip_nulls(jsonb_build_object('psp', p_psp, 'route', p_route,
    'replaces', p_replaces, 'asked_by', p_asked_by))
$$;

ALTER FUNCTION pay.first_detail(p_psp text, p_route text, p_replaces text, p_asked_by jsonb) OWNER TO payments_owner;

--
-- Name: FUNCTION first_detail(p_psp text, p_route text, p_replaces text, p_asked_by jsonb); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.first_detail(p_psp text, p_route text, p_replaces text, p_asked_by jsonb) IS 'What the event says with which an order''s timeline begins';

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
        SELECT k.tableoid AS part, k.ctid AS tid FROM checkout k
        WHERE k.merchant_id = p_facts[m.n].merchant_id
            AND k.checkout_id = p_facts[m.n].checkout_id
        OFFSET 0) k
    WHERE c.ctid = k.tid AND c.tableoid = k.part;

    UPDATE change c
    SET psp = m.next
    FROM unnest(p_nexts) WITH ORDINALITY AS m (next, n)
    CROSS JOIN LATERAL (
        SELECT k.tableoid AS part, k.ctid AS tid FROM change k
        WHERE k.merchant_id = p_facts[m.n].merchant_id
            AND k.checkout_id = p_facts[m.n].checkout_id
            AND k.kind = 'cancel' AND k.status = 'NOT_STARTED'
        OFFSET 0) k
    WHERE c.ctid = k.tid AND c.tableoid = k.part;

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
-- Name: give_back_jobs(text[], text[], text[], text[], bigint[], text[], text[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.give_back_jobs(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_operation_id text[], p_delay_ms bigint[], p_code text[], p_dead text[], p_items integer[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_dead     int[];
    v_psps     text[];
    v_attempts int[];
BEGIN
    WITH first AS MATERIALIZED (
        SELECT f.n, j.part, j.tid, j.job, (j.job).attempts, k.anew,
            (j.job).again_at IS NULL AND p_dead[f.n] <> ''
                AND NOT (k.anew AND p_dead[f.n] = 'retry_limit')
                AND (p_kind[f.n] <> 'change'
                     OR change_needs_job(p_merchant_id[f.n],
                                         p_operation_id[f.n])) AS dead
        FROM (
            SELECT DISTINCT ON (p_merchant_id[n], p_checkout_id[n],
                                p_kind[n], p_operation_id[n]) n
            FROM unnest(p_items) n
            ORDER BY p_merchant_id[n], p_checkout_id[n], p_kind[n],
                p_operation_id[n], n) f
        CROSS JOIN LATERAL (
            SELECT j.tableoid AS part, j.ctid AS tid, j AS job FROM job j
            WHERE j.merchant_id = p_merchant_id[f.n]
                AND j.checkout_id = p_checkout_id[f.n]
                AND j.kind = p_kind[f.n]
                AND j.operation_id = p_operation_id[f.n]
            OFFSET 0) j
        CROSS JOIN LATERAL (
            SELECT coalesce((j.job).kind = 'poll'
                AND p_code[f.n] = 'no_answer' AND (j.job).code NOT IN (
                    'no_answer', 'psp_not_configured'), false) AS anew) k
    ), ended AS MATERIALIZED (
        SELECT f.n, f.part, f.tid, f.attempts, f.anew, f.dead IS TRUE AS dead,
            f.dead IS TRUE
                OR job_is_over(f.job, p_delay_ms[f.n], p_code[f.n]) AS over
        FROM first f
    ), later AS (
        UPDATE job j
        SET attempts = CASE WHEN f.anew THEN 1 ELSE j.attempts END,
            run_at = least(j.again_at, now() + make_interval(
                secs => CASE WHEN p_delay_ms[f.n] < 0 THEN 60
                             ELSE p_delay_ms[f.n] / 1000.0 END)),
            lease_owner = NULL, lease_until = NULL,
            code = nullif(p_code[f.n], '')
        FROM ended f
        WHERE NOT f.over AND j.ctid = f.tid AND j.tableoid = f.part
    ), gone AS (
        DELETE FROM job j
        USING ended f
        WHERE f.over AND j.ctid = f.tid AND j.tableoid = f.part
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
            ARRAY(SELECT p_code[n] FROM unnest(v_dead) n), v_attempts,
            ARRAY(SELECT p_operation_id[n] FROM unnest(v_dead) n));
    END IF;
END
$$;

ALTER FUNCTION pay.give_back_jobs(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_operation_id text[], p_delay_ms bigint[], p_code text[], p_dead text[], p_items integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION give_back_jobs(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_operation_id text[], p_delay_ms bigint[], p_code text[], p_dead text[], p_items integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.give_back_jobs(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_operation_id text[], p_delay_ms bigint[], p_code text[], p_dead text[], p_items integer[]) IS 'Puts jobs off, drops them, or gives them up';

--
-- Name: half_even(numeric); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.half_even(p_value numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT
    AS $$
SELECT CASE WHEN abs(p_value - trunc(p_value)) = 0.5
            THEN 2 * round(p_value / 2, 0)
            ELSE round(p_value, 0) END
$$;

ALTER FUNCTION pay.half_even(p_value numeric) OWNER TO payments_owner;

--
-- Name: FUNCTION half_even(p_value numeric); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.half_even(p_value numeric) IS 'Rounded to a whole, halves to even';

--
-- Name: has_failed(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.has_failed(p_news pay.news) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM mismatch m
        WHERE m.merchant_id = p_news.merchant_id
            AND m.checkout_id = p_news.checkout_id AND m.psp = p_news.psp
            AND m.kind = 'refund' AND m.why = 'failed'
            AND m.object = p_news.object);
END
$$;

ALTER FUNCTION pay.has_failed(p_news pay.news) OWNER TO payments_owner;

--
-- Name: FUNCTION has_failed(p_news pay.news); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.has_failed(p_news pay.news) IS 'Whether people know that this refund has failed';

--
-- Name: has_money(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.has_money(p_merchant_id text, p_checkout_id text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM payment_order o
        WHERE o.merchant_id = p_merchant_id
            AND o.checkout_id = p_checkout_id
            AND (o.status = 'SUCCESS' OR o.authorized_minor > 0
                 OR o.captured_minor > 0))
        OR EXISTS (
        SELECT FROM late_success l
        WHERE l.merchant_id = p_merchant_id
            AND l.checkout_id = p_checkout_id AND l.state <> 'refunded');
END
$$;

ALTER FUNCTION pay.has_money(p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION has_money(p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.has_money(p_merchant_id text, p_checkout_id text) IS 'Whether a checkout was paid, or its money is held';

--
-- Name: hash_field(text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.hash_field(p_value text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT coalesce(octet_length(p_value)::text || ':'::text || p_value
                || ','::text, '-,'::text)
$$;

ALTER FUNCTION pay.hash_field(p_value text) OWNER TO payments_owner;

--
-- Name: FUNCTION hash_field(p_value text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.hash_field(p_value text) IS 'A member of what is hashed: its length, itself; NULL is -,';

--
-- Name: hear_capture(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.hear_capture(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_change   change := change_meant(p_news);
    v_captured bigint;
    v_total    bigint;
    v_manual   boolean;
BEGIN
    SELECT sum(o.captured_minor), sum(o.amount_minor),
        bool_and(c.capture = 'manual')
    INTO v_captured, v_total, v_manual
    FROM payment_order o
    JOIN checkout c ON c.merchant_id = o.merchant_id
        AND c.checkout_id = o.checkout_id
    WHERE o.merchant_id = p_news.merchant_id
        AND o.checkout_id = p_news.checkout_id;

    outcome := 'unchanged';
    facts := '{}';

    IF NOT v_manual THEN
        RETURN;
    ELSIF p_news.news <> 'succeeded' OR p_news.amount_minor IS NULL THEN
        IF v_change.change_id IS NOT NULL THEN
            SELECT * INTO outcome, facts
            FROM hear_own_capture(v_change, p_news);
        ELSIF p_news.news = 'failed' THEN
            SELECT * INTO outcome, facts FROM keep_failed_capture(p_news);
        ELSIF p_news.news = 'succeeded' THEN
            SELECT * INTO outcome, facts FROM news_doubt(p_news, 'amount');
        END IF;
    ELSIF p_news.amount_minor > v_total THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'exceeds');
    ELSE
        SELECT * INTO outcome, facts
        FROM take_captures(p_news, v_change, v_captured);
    END IF;
END
$$;

ALTER FUNCTION pay.hear_capture(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION hear_capture(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.hear_capture(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) IS 'What a PSP says about captures';

--
-- Name: hear_captures(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.hear_captures(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_word  text := p_news.news;
    v_first fact[] := '{}';
BEGIN
    IF v_word IN ('ended', 'single') THEN
        p_news.news := 'succeeded';
        IF coalesce(p_news.amount_minor, 0) = 0 THEN
            SELECT * INTO outcome, facts FROM news_doubt(p_news, 'amount');
            RETURN;
        END IF;
    END IF;

    IF v_word = 'single' THEN
        SELECT * INTO outcome, facts FROM hear_single(p_news);
    ELSE
        SELECT * INTO outcome, facts FROM hear_capture(p_news);
    END IF;

    IF outcome = 'applied' AND is_untold(p_news) THEN
        v_first := ARRAY[news_fact(p_news, 'authorized', NULL, NULL, '{}')];
    END IF;

    IF outcome IN ('applied', 'unchanged') AND hold_is_over(p_news, v_word)
    THEN
        outcome := 'applied';
        facts := facts || news_fact(p_news, 'cancelled', NULL, NULL, '{}');
    END IF;

    facts := v_first || facts;
END
$$;

ALTER FUNCTION pay.hear_captures(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION hear_captures(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.hear_captures(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) IS 'What a PSP says about captures, and of what follows them';

--
-- Name: hear_change(pay.change, pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.hear_change(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_open boolean := p_change.status IN ('NOT_STARTED', 'EXECUTING');
    v_to   text := CASE p_news.news WHEN 'pending' THEN 'EXECUTING'
                                    WHEN 'succeeded' THEN 'SUCCESS'
                                    ELSE 'FAILED' END;
BEGIN
    facts := '{}';
    outcome := 'unchanged';

    IF v_to = 'SUCCESS' AND p_change.kind = 'refund'
        AND p_change.reference <> p_news.object
    THEN
        -- a second one that was made of our request
        SELECT * INTO outcome, facts
        FROM news_doubt(p_news, 'contradiction');
    ELSIF v_open THEN
        outcome := CASE WHEN v_to = p_change.status THEN 'unchanged'
                        ELSE 'applied' END;
        facts := move_change(p_change, v_to, news_word(p_news));
        IF v_to = 'EXECUTING' AND p_news.object IS NOT NULL THEN
            PERFORM drop_change_job(p_change, 'pending');
        END IF;
    ELSIF v_to IN ('EXECUTING', p_change.status) THEN
        RETURN;
    ELSIF p_change.kind <> 'refund' OR p_change.returned
        OR v_to = 'SUCCESS' AND p_change.reference = p_news.object
    THEN
        SELECT * INTO outcome, facts
        FROM news_doubt(p_news, 'contradiction');
    ELSIF v_to = 'FAILED' OR (SELECT t.outcome = 'created'
        FROM find_order(p_change.merchant_id, p_change.payment_order_id) o,
            refund_terms(o, p_change.amount_minor) t)
    THEN
        outcome := 'applied';
        facts := move_change(p_change, v_to, news_word(p_news));
    ELSE
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'exceeds',
            psp_posting(p_news, 'unknown_refund', p_change.amount_minor,
                        p_change.currency));
    END IF;
END
$$;

ALTER FUNCTION pay.hear_change(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION hear_change(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.hear_change(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]) IS 'What a PSP says about a change that we know';

--
-- Name: hear_dispatches(text[], text[], text[], text[], bigint[], text[], text[], bigint[], text[], text[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.hear_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_items integer[], OUT stored integer[]) RETURNS integer[]
    LANGUAGE plpgsql
    AS $$
BEGIN
    WITH told AS (
        SELECT DISTINCT ON (d.part, d.tid) u.n, d.part, d.tid
        FROM unnest(p_items) AS u (n)
        CROSS JOIN LATERAL (
            SELECT d.tableoid AS part, d.ctid AS tid, d.attempt, d.state
            FROM dispatch d
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
        ORDER BY d.part, d.tid, array_position(
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
        WHERE d.ctid = t.tid AND d.tableoid = t.part
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
-- Name: hear_dispute(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.hear_dispute(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_parts dispute[] := dispute_parts(p_news.psp, p_news.object);
    v_first dispute := v_parts[1];
    v_ours  boolean := true;
    v_new   boolean := false;
    v_ended record;
BEGIN
    outcome := 'unchanged';
    facts := '{}';

    IF p_news.object IS NULL OR (v_first.merchant_id,
        v_first.checkout_id) <> (p_news.merchant_id, p_news.checkout_id)
    THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'unknown');
        RETURN;
    ELSIF v_parts = '{}' AND coalesce(p_news.amount_minor, 0) = 0 THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'amount');
        RETURN;
    ELSIF v_parts = '{}' THEN
        SELECT * INTO outcome, facts, v_ours FROM open_dispute(p_news);
        v_new := outcome = 'mismatch';
        v_parts := dispute_parts(p_news.psp, p_news.object);
        v_first := v_parts[1];
    END IF;

    IF NOT v_ours THEN
        RETURN;
    ELSIF v_first.state = 'open' AND p_news.news <> 'opened' THEN
        v_ended := end_dispute(p_news, v_parts);
        facts := facts || CASE WHEN v_new THEN v_ended.facts[:1]
                               ELSE v_ended.facts END;
        outcome := CASE outcome WHEN 'mismatch' THEN outcome
                                ELSE v_ended.outcome END;
    ELSIF p_news.news NOT IN ('opened', v_first.state) THEN
        SELECT * INTO outcome, facts
        FROM news_doubt(p_news, 'contradiction');
    END IF;

    facts := facts || dispute_fee(p_news);
END
$$;

ALTER FUNCTION pay.hear_dispute(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION hear_dispute(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.hear_dispute(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) IS 'What a PSP says about a dispute';

--
-- Name: hear_fee(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.hear_fee(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_kind text := CASE p_news.news WHEN 'failed' THEN 'psp_fee_returned'
                                    ELSE 'psp_fee' END;
BEGIN
    outcome := 'unchanged';
    facts := '{}';

    IF coalesce(p_news.amount_minor, 0) = 0
        OR is_booked(p_news.merchant_id, news_source(p_news), v_kind)
    THEN
        RETURN;
    END IF;

    outcome := 'applied';
    facts := ARRAY[news_fact(p_news, 'fee', NULL, psp_posting(p_news, v_kind,
        p_news.amount_minor, p_news.currency),
        jsonb_build_object('amount_minor', p_news.amount_minor,
            'currency', p_news.currency,
            'returned', CASE WHEN p_news.news = 'failed' THEN true END))];
END
$$;

ALTER FUNCTION pay.hear_fee(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION hear_fee(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.hear_fee(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) IS 'What a PSP has charged';

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
    amount_minor pay.positive_minor NOT NULL,
    currency text NOT NULL COLLATE pg_catalog."C",
    refund_id uuid DEFAULT gen_random_uuid() NOT NULL,
    state text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT late_success_state_check CHECK ((state = ANY (ARRAY['held'::text, 'refunding'::text, 'refunded'::text, 'accepted'::text, 'resolved'::text])))
);

ALTER TABLE pay.late_success OWNER TO payments_owner;

--
-- Name: hear_late_refund(pay.news, pay.late_success); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.hear_late_refund(p_news pay.news, p_late pay.late_success, OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
BEGIN
    outcome := 'unchanged';
    facts := '{}';

    IF p_news.news = 'failed' AND p_late.state = 'refunding' THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'failed');
    ELSIF p_news.news = 'succeeded' AND p_late.state = 'refunding'
        AND has_failed(p_news)
    THEN
        SELECT * INTO outcome, facts
        FROM news_doubt(p_news, 'contradiction');
    ELSIF p_news.news = 'succeeded' AND p_late.state = 'refunding' THEN
        outcome := 'applied';
        facts := settle_refunds(ARRAY[p_late.merchant_id]::text[],
            ARRAY[p_late.checkout_id]::text[],
            ARRAY[p_late.refund_id::text], ARRAY[p_news.object],
            ARRAY[p_news.request_id], '{1}');
    ELSIF p_news.news = 'failed' AND p_late.state = 'refunded' THEN
        SELECT * INTO outcome, facts
        FROM news_doubt(p_news, 'contradiction');
    END IF;
END
$$;

ALTER FUNCTION pay.hear_late_refund(p_news pay.news, p_late pay.late_success, OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION hear_late_refund(p_news pay.news, p_late pay.late_success, OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.hear_late_refund(p_news pay.news, p_late pay.late_success, OUT outcome text, OUT facts pay.fact[]) IS 'What a PSP says about the refund of a late payment';

--
-- Name: hear_news(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.hear_news(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF p_news.amount_minor IS NOT NULL AND NOT (CASE p_news.about
        WHEN 'fee' THEN is_currency(p_news.currency)
        ELSE coalesce(p_news.currency = (
            SELECT c.currency FROM checkout c
            WHERE c.merchant_id = p_news.merchant_id
                AND c.checkout_id = p_news.checkout_id), false) END)
    THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'currency');
        RETURN;
    END IF;

    CASE p_news.about
    WHEN 'refund' THEN
        SELECT * INTO outcome, facts FROM hear_refund(p_news);
    WHEN 'capture' THEN
        SELECT * INTO outcome, facts FROM hear_captures(p_news);
    WHEN 'dispute' THEN
        SELECT * INTO outcome, facts FROM hear_dispute(p_news);
    ELSE
        SELECT * INTO outcome, facts FROM hear_fee(p_news);
    END CASE;
END
$$;

ALTER FUNCTION pay.hear_news(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION hear_news(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.hear_news(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) IS 'What a PSP says about what follows a sale';

--
-- Name: hear_own_capture(pay.change, pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.hear_own_capture(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_sorted record;
    v_heard  record;
BEGIN
    v_sorted := sort_capture(p_change, CASE WHEN p_change.change_id
        = p_news.operation_id THEN p_news.object END, news_word(p_news),
        false);
    v_heard := hear_change(v_sorted.sorted, p_news);

    facts := v_sorted.facts || v_heard.facts;
    outcome := CASE WHEN v_sorted.facts <> '{}' THEN 'applied'
                    ELSE v_heard.outcome END;
END
$$;

ALTER FUNCTION pay.hear_own_capture(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION hear_own_capture(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.hear_own_capture(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]) IS 'What a PSP says about a capture that we know';

--
-- Name: hear_own_refund(pay.change, pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.hear_own_refund(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_is_named boolean := coalesce(p_change.change_id = p_news.operation_id,
                                   false);
    v_own      record;
    v_heard    record;
BEGIN
    facts := '{}';

    IF p_change.reference IS NULL AND v_is_named THEN
        v_own := own_object(p_change, p_news.object, news_word(p_news));
        facts := v_own.facts;
        p_news.news := CASE WHEN v_own.failed THEN 'failed'
                            WHEN v_own.done AND p_news.news = 'pending'
                            THEN 'succeeded'
                            ELSE p_news.news END;
    END IF;

    IF p_change.reference IS NULL AND p_change.status <> 'FAILED'
        AND (p_change.status <> 'SUCCESS' OR p_news.news <> 'failed')
    THEN
        UPDATE change c
        SET reference = p_news.object, by_amount = NOT v_is_named
        WHERE c.merchant_id = p_change.merchant_id
            AND c.change_id = p_change.change_id
        RETURNING c.* INTO p_change;
    END IF;

    v_heard := hear_change(p_change, p_news);
    outcome := CASE WHEN facts <> '{}' AND v_heard.outcome = 'unchanged'
                    THEN 'applied' ELSE v_heard.outcome END;
    facts := facts || v_heard.facts;
END
$$;

ALTER FUNCTION pay.hear_own_refund(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION hear_own_refund(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.hear_own_refund(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]) IS 'What a PSP says about a refund that was asked for';

--
-- Name: hear_parts(pay.change[], pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.hear_parts(p_parts pay.change[], p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_part change;
    v_news news := p_news;
    v_one  record;
BEGIN
    facts := '{}';

    IF p_news.amount_minor <> (SELECT sum(c.amount_minor)
                               FROM unnest(p_parts) c)
    THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'amount');
        RETURN;
    END IF;

    FOREACH v_part IN ARRAY p_parts LOOP
        v_news.amount_minor := v_part.amount_minor;
        v_one := hear_change(v_part, v_news);
        outcome := v_one.outcome;

        IF outcome IN ('mismatch', 'contradiction') THEN
            SELECT * INTO outcome, facts FROM news_doubt(p_news,
                CASE outcome WHEN 'mismatch' THEN 'exceeds'
                             ELSE 'contradiction' END);
            RETURN;
        END IF;
        facts := facts || v_one.facts;
    END LOOP;
END
$$;

ALTER FUNCTION pay.hear_parts(p_parts pay.change[], p_news pay.news, OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION hear_parts(p_parts pay.change[], p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.hear_parts(p_parts pay.change[], p_news pay.news, OUT outcome text, OUT facts pay.fact[]) IS 'What a PSP says about a refund that was split over orders';

--
-- Name: hear_refund(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.hear_refund(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_change change := change_meant(p_news);
    v_held   record := in_suspense(p_news.merchant_id, p_news.psp,
                                   p_news.object);
    v_parts  change[];
    v_late   late_success;
BEGIN
    IF v_change.change_id IS NULL THEN
        v_late := late_meant(p_news);
    END IF;

    IF v_held.amount_minor IS NOT NULL AND (
        v_change.reference = p_news.object
        OR v_change.reference IS NULL AND v_change.status <> 'FAILED'
            AND v_change.change_id = p_news.operation_id) IS NOT TRUE
    THEN
        SELECT * INTO outcome, facts FROM hear_suspended(p_news,
            v_held.amount_minor, v_held.currency, v_held.is_over,
            v_held.is_borne);
        RETURN;
    ELSIF v_change.origin = 'psp' THEN
        v_parts := parts_of(p_news.merchant_id, p_news.checkout_id,
                            p_news.psp, p_news.object);
    END IF;

    IF cardinality(v_parts) > 1 THEN
        SELECT * INTO outcome, facts FROM hear_parts(v_parts, p_news);
    ELSIF p_news.amount_minor <> v_change.amount_minor THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'amount');
    ELSIF v_change.change_id IS NOT NULL THEN
        SELECT * INTO outcome, facts FROM hear_own_refund(v_change, p_news);
    ELSIF v_late.checkout_id IS NOT NULL THEN
        SELECT * INTO outcome, facts FROM hear_late_refund(p_news, v_late);
    ELSE
        SELECT * INTO outcome, facts FROM outside_refund(p_news);
    END IF;
END
$$;

ALTER FUNCTION pay.hear_refund(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION hear_refund(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.hear_refund(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) IS 'What a PSP says about a refund';

--
-- Name: hear_single(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.hear_single(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_change change := change_meant(p_news);
BEGIN
    outcome := 'unchanged';
    facts := '{}';

    IF NOT (SELECT c.capture = 'manual' FROM checkout c
            WHERE c.merchant_id = p_news.merchant_id
                AND c.checkout_id = p_news.checkout_id)
    THEN
        RETURN;
    ELSIF v_change.change_id IS NULL THEN
        IF NOT name_capture(p_news) THEN
            SELECT * INTO outcome, facts FROM single_outside(p_news);
        END IF;
    ELSIF p_news.amount_minor <> v_change.amount_minor THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'amount');
    ELSE
        SELECT * INTO outcome, facts
        FROM hear_own_capture(v_change, p_news);
    END IF;
END
$$;

ALTER FUNCTION pay.hear_single(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION hear_single(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.hear_single(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) IS 'What a PSP says about one capture by itself';

--
-- Name: hear_suspended(pay.news, bigint, text, boolean, boolean); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.hear_suspended(p_news pay.news, p_amount_minor bigint, p_currency text, p_is_over boolean, p_is_borne boolean, OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    outcome := 'unchanged';
    facts := '{}';

    IF p_news.news = 'succeeded' THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news,
            CASE WHEN p_is_over THEN 'contradiction' ELSE 'unknown' END);
        facts := CASE WHEN p_news.source = 'query' AND NOT p_is_over
                      THEN '{}' ELSE facts END;
    ELSIF p_news.news = 'failed' AND NOT p_is_over THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'returned',
            psp_posting(p_news, cleared_as(p_is_borne), p_amount_minor,
                        p_currency));
    END IF;
END
$$;

ALTER FUNCTION pay.hear_suspended(p_news pay.news, p_amount_minor bigint, p_currency text, p_is_over boolean, p_is_borne boolean, OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION hear_suspended(p_news pay.news, p_amount_minor bigint, p_currency text, p_is_over boolean, p_is_borne boolean, OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.hear_suspended(p_news pay.news, p_amount_minor bigint, p_currency text, p_is_over boolean, p_is_borne boolean, OUT outcome text, OUT facts pay.fact[]) IS 'What a PSP says about a refund that is in suspense';

--
-- Name: hold_is_over(pay.news, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.hold_is_over(p_news pay.news, p_word text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN (
        SELECT (bool_or(o.authorized_minor > 0) OR is_untold(p_news))
            AND CASE p_word
            WHEN 'single' THEN sum(o.captured_minor) > 0
            WHEN 'ended' THEN sum(o.captured_minor) = p_news.amount_minor
            ELSE false END
        FROM payment_order o
        WHERE o.merchant_id = p_news.merchant_id
            AND o.checkout_id = p_news.checkout_id);
END
$$;

ALTER FUNCTION pay.hold_is_over(p_news pay.news, p_word text) OWNER TO payments_owner;

--
-- Name: FUNCTION hold_is_over(p_news pay.news, p_word text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.hold_is_over(p_news pay.news, p_word text) IS 'Whether the PSP has given back what it had not captured';

--
-- Name: holds_names(text, text, text, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.holds_names(p_merchant_id text, p_checkout_id text, p_psp text, p_token text, p_alias text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN (
        SELECT count(*) FROM psp_token t
        WHERE t.psp = p_psp AND t.token IN (p_token, p_alias)
            AND NOT t.is_reference
            AND t.merchant_id = p_merchant_id
            AND t.checkout_id = p_checkout_id)
        = CASE WHEN p_alias <> p_token THEN 2 ELSE 1 END;
END
$$;

ALTER FUNCTION pay.holds_names(p_merchant_id text, p_checkout_id text, p_psp text, p_token text, p_alias text) OWNER TO payments_owner;

--
-- Name: FUNCTION holds_names(p_merchant_id text, p_checkout_id text, p_psp text, p_token text, p_alias text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.holds_names(p_merchant_id text, p_checkout_id text, p_psp text, p_token text, p_alias text) IS 'Whether a token and its alias are those of this checkout';

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
-- Name: in_suspense(text, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.in_suspense(p_merchant_id text, p_psp text, p_object text, OUT amount_minor bigint, OUT currency text, OUT is_over boolean, OUT is_borne boolean) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_source text := concat('event/', p_psp, '/', p_object);
BEGIN
    SELECT e.amount_minor, e.currency INTO amount_minor, currency
    FROM journal_entry e
    WHERE e.merchant_id = p_merchant_id AND e.source = v_source
        AND e.kind = 'unknown_refund';

    is_over := amount_minor IS NOT NULL
        AND (is_booked(p_merchant_id, v_source, 'unknown_refund_cleared')
             OR is_booked(p_merchant_id, v_source,
                          'unknown_refund_borne_returned'));
    is_borne := NOT is_over
        AND is_booked(p_merchant_id, v_source, 'unknown_refund_borne');
END
$$;

ALTER FUNCTION pay.in_suspense(p_merchant_id text, p_psp text, p_object text, OUT amount_minor bigint, OUT currency text, OUT is_over boolean, OUT is_borne boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION in_suspense(p_merchant_id text, p_psp text, p_object text, OUT amount_minor bigint, OUT currency text, OUT is_over boolean, OUT is_borne boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.in_suspense(p_merchant_id text, p_psp text, p_object text, OUT amount_minor bigint, OUT currency text, OUT is_over boolean, OUT is_borne boolean) IS 'What is booked of a refund that could be laid to no order';

--
-- Name: insert_beginnings(pay.payment_item[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.insert_beginnings(p_items pay.payment_item[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

ALTER FUNCTION pay.insert_beginnings(p_items pay.payment_item[]) OWNER TO payments_owner;

--
-- Name: FUNCTION insert_beginnings(p_items pay.payment_item[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.insert_beginnings(p_items pay.payment_item[]) IS 'First events, jobs and dispatches of new checkouts';

--
-- Name: insert_change(pay.change_item, pay.payment_order, bigint); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.insert_change(p_item pay.change_item, p_order pay.payment_order, p_amount_minor bigint) RETURNS pay.change
    LANGUAGE plpgsql
    AS $$
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

ALTER FUNCTION pay.insert_change(p_item pay.change_item, p_order pay.payment_order, p_amount_minor bigint) OWNER TO payments_owner;

--
-- Name: FUNCTION insert_change(p_item pay.change_item, p_order pay.payment_order, p_amount_minor bigint); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.insert_change(p_item pay.change_item, p_order pay.payment_order, p_amount_minor bigint) IS 'A change with its job and its idempotency record; NULL: its id is taken';

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

ALTER FUNCTION pay.insert_checkouts(p_items pay.payment_item[]) OWNER TO payments_owner;

--
-- Name: FUNCTION insert_checkouts(p_items pay.payment_item[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.insert_checkouts(p_items pay.payment_item[]) IS 'Items of begin_payment whose checkout is new';

--
-- Name: insert_dispute(pay.news, pay.payment_order, bigint, integer); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.insert_dispute(p_news pay.news, p_order pay.payment_order, p_amount_minor bigint, p_part integer) RETURNS pay.dispute
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_dispute dispute;
    v_seller  bigint;
BEGIN
    IF p_order.payment_order_id IS NOT NULL THEN
        v_seller := seller_share(p_order, p_amount_minor);
    END IF;

    INSERT INTO dispute (psp, dispute_id, part, merchant_id, checkout_id,
        payment_order_id, state, amount_minor, currency, seller_minor,
        seller_currency, code)
    VALUES (p_news.psp, p_news.object, p_part, p_news.merchant_id,
        p_news.checkout_id, p_order.payment_order_id, 'open',
        p_amount_minor, p_news.currency, v_seller,
        CASE WHEN v_seller IS NOT NULL THEN coalesce(
            p_order.credit_currency, p_order.currency) END, p_news.code)
    ON CONFLICT (psp, dispute_id, part) DO NOTHING
    RETURNING * INTO v_dispute;

    RETURN v_dispute;
END
$$;

ALTER FUNCTION pay.insert_dispute(p_news pay.news, p_order pay.payment_order, p_amount_minor bigint, p_part integer) OWNER TO payments_owner;

--
-- Name: FUNCTION insert_dispute(p_news pay.news, p_order pay.payment_order, p_amount_minor bigint, p_part integer); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.insert_dispute(p_news pay.news, p_order pay.payment_order, p_amount_minor bigint, p_part integer) IS 'A dispute, or a part of it, of an order';

--
-- Name: insert_entries(pay.posting[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.insert_entries(p_postings pay.posting[]) RETURNS integer[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_sources text[];
    v_kinds   text[];
    v_owners  text[];
BEGIN
    WITH won AS (
        INSERT INTO journal_entry AS e (merchant_id, source, kind,
            checkout_id, payment_order_id, psp, seller_account, amount_minor,
            currency, seller_minor, seller_currency, rate, request_id)
        SELECT DISTINCT ON (p.merchant_id, p.source, p.kind)
            p.merchant_id, p.source, p.kind, p.checkout_id,
            p.payment_order_id, p.psp, p.seller_account, p.amount_minor,
            p.currency, coalesce(p.seller_minor, p.amount_minor),
            coalesce(p.seller_currency, p.currency), p.rate, p.request_id
        FROM unnest(p_postings) WITH ORDINALITY AS p
        ORDER BY p.merchant_id, p.source, p.kind, p.ordinality
        ON CONFLICT (merchant_id, source, kind) DO NOTHING
        RETURNING e.merchant_id, e.source, e.kind
    )
    SELECT array_agg(w.merchant_id::text), array_agg(w.source::text),
        array_agg(w.kind)
    INTO v_owners, v_sources, v_kinds
    FROM won w;

    IF cardinality(v_kinds) = cardinality(p_postings) THEN
        RETURN ARRAY(SELECT generate_series(1, cardinality(p_postings)));
    END IF;

    RETURN ARRAY(
        SELECT min(p.ordinality)::int
        FROM unnest(p_postings) WITH ORDINALITY AS p
        WHERE (p.merchant_id, p.source, p.kind) IN (
            SELECT * FROM unnest(v_owners, v_sources, v_kinds))
        GROUP BY p.merchant_id, p.source, p.kind);
END
$$;

ALTER FUNCTION pay.insert_entries(p_postings pay.posting[]) OWNER TO payments_owner;

--
-- Name: FUNCTION insert_entries(p_postings pay.posting[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.insert_entries(p_postings pay.posting[]) IS 'Journal entries of a batch; returns those that are new';

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
-- Name: insert_lines(pay.posting[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.insert_lines(p_postings pay.posting[], p_new integer[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    WITH line AS MATERIALIZED (
        SELECT * FROM ruled_lines(p_postings, p_new)
    ), moved AS (
        SELECT l.merchant_id, l.owner, l.currency, count(*) AS lines,
            coalesce(-sum(l.amount_minor)
                     FILTER (WHERE l.wallet = 'available'), 0) AS available,
            coalesce(-sum(l.amount_minor)
                     FILTER (WHERE l.wallet = 'pending'), 0) AS pending,
            coalesce(-sum(l.amount_minor)
                     FILTER (WHERE l.wallet = 'reserved'), 0) AS reserved
        FROM line l
        WHERE l.wallet IS NOT NULL
        GROUP BY l.merchant_id, l.owner, l.currency
    ), changed AS (
        UPDATE wallet w
        SET available_minor = w.available_minor + m.available,
            pending_minor = w.pending_minor + m.pending,
            reserved_minor = w.reserved_minor + m.reserved,
            seq = w.seq + m.lines, changed_at = clock_timestamp()
        FROM moved m
        CROSS JOIN LATERAL (
            SELECT k.tableoid AS part, k.ctid AS tid FROM wallet k
            WHERE k.merchant_id = m.merchant_id
                AND k.seller_account = m.owner AND k.currency = m.currency
            OFFSET 0) k
        WHERE w.ctid = k.tid AND w.tableoid = k.part
    )
    INSERT INTO journal_line (merchant_id, source, kind, line, account,
        owner, currency, amount_minor, wallet_seq, balance_minor)
    SELECT l.merchant_id, l.source, l.kind, l.line, l.account, l.owner,
        l.currency, l.amount_minor, w.seq + l.nth, w.held + l.grown
    FROM line l
    LEFT JOIN LATERAL (
        SELECT w.seq, CASE l.wallet WHEN 'available' THEN w.available_minor
                                    WHEN 'pending' THEN w.pending_minor
                                    ELSE w.reserved_minor END AS held
        FROM wallet w
        WHERE w.merchant_id = l.merchant_id AND w.seller_account = l.owner
            AND w.currency = l.currency
        OFFSET 0) w ON l.wallet IS NOT NULL;
END
$$;

ALTER FUNCTION pay.insert_lines(p_postings pay.posting[], p_new integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION insert_lines(p_postings pay.posting[], p_new integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.insert_lines(p_postings pay.posting[], p_new integer[]) IS 'Lines of new entries, and the wallets that they move';

--
-- Name: insert_news(pay.news[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.insert_news(p_news pay.news[]) RETURNS pay.news[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_psps   text[];
    v_events text[];
BEGIN
    FOR v_n IN 1 .. cardinality(p_news) LOOP
        p_news[v_n].outcome := CASE
            WHEN p_news[v_n].checkout_id IS NOT NULL THEN NULL
            WHEN p_news[v_n].source = 'query' THEN 'not_found'
            WHEN p_news[v_n].source = 'backfill' THEN 'unknown'
            WHEN p_news[v_n].token IS NULL AND p_news[v_n].reference IS NULL
                THEN 'ignored'
            ELSE 'parked' END;
    END LOOP;

    WITH won AS (
        INSERT INTO webhook_inbox AS w (psp, event_id, state, via, type,
            fact, token, reference, code, amount_minor, currency, digest,
            merchant_id, checkout_id, request_id, about)
        SELECT DISTINCT ON (n.psp, n.event_id)
            n.psp, n.event_id, coalesce(n.outcome, 'applied'), n.source,
            n.type, n.about || '.' || n.news,
            coalesce(n.token, n.reference), n.reference, n.code,
            n.amount_minor, n.currency, n.digest, n.merchant_id,
            n.checkout_id, n.request_id,
            jsonb_strip_nulls(jsonb_build_object('about', n.about,
                'news', n.news, 'object', n.object,
                'operation_id', n.operation_id, 'fee_minor', n.fee_minor,
                'fee_currency', n.fee_currency,
                'by_payment', CASE WHEN n.token IS NULL THEN true END))
        FROM unnest(p_news) n
        WHERE n.source <> 'query' AND n.outcome IS DISTINCT FROM 'unknown'
        ORDER BY n.psp, n.event_id, n.item
        ON CONFLICT (psp, event_id) DO NOTHING
        RETURNING w.psp, w.event_id
    )
    SELECT array_agg(w.psp::text), array_agg(w.event_id::text)
    INTO v_psps, v_events
    FROM won w;

    RETURN mark_duplicates(p_news, v_psps, v_events);
END
$$;

ALTER FUNCTION pay.insert_news(p_news pay.news[]) OWNER TO payments_owner;

--
-- Name: FUNCTION insert_news(p_news pay.news[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.insert_news(p_news pay.news[]) IS 'Stores words about what follows a sale, once';

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

ALTER FUNCTION pay.insert_orders(p_items pay.payment_item[]) OWNER TO payments_owner;

--
-- Name: FUNCTION insert_orders(p_items pay.payment_item[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.insert_orders(p_items pay.payment_item[]) IS 'Items of begin_payment all of whose orders are new';

--
-- Name: insert_outside(pay.news, pay.payment_order, bigint); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.insert_outside(p_news pay.news, p_order pay.payment_order, p_amount_minor bigint) RETURNS pay.change
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_change change;
BEGIN
    INSERT INTO change (merchant_id, change_id, checkout_id,
        payment_order_id, kind, origin, psp, amount_minor, currency,
        seller_minor, seller_currency, reference, request_id)
    VALUES (p_news.merchant_id, gen_random_uuid()::text, p_news.checkout_id,
        p_order.payment_order_id, p_news.about, 'psp', p_news.psp,
        p_amount_minor, p_order.currency,
        CASE p_news.about WHEN 'refund'
            THEN seller_share(p_order, p_amount_minor) END,
        CASE p_news.about WHEN 'refund'
            THEN coalesce(p_order.credit_currency, p_order.currency) END,
        p_news.object, p_news.request_id)
    RETURNING * INTO v_change;

    RETURN v_change;
END
$$;

ALTER FUNCTION pay.insert_outside(p_news pay.news, p_order pay.payment_order, p_amount_minor bigint) OWNER TO payments_owner;

--
-- Name: FUNCTION insert_outside(p_news pay.news, p_order pay.payment_order, p_amount_minor bigint); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.insert_outside(p_news pay.news, p_order pay.payment_order, p_amount_minor bigint) IS 'A change that was made at the PSP';

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
            merchant_id, checkout_id, request_id, decline)
        SELECT DISTINCT ON (f.psp, f.event_id)
            f.psp, f.event_id,
            CASE WHEN f.kind = 'none' THEN 'ignored'
                 WHEN f.checkout_id IS NULL THEN 'parked'
                 WHEN f.kind = 'mismatch' THEN 'mismatch'
                 WHEN f.kind = 'notified' THEN 'asked'
                 ELSE 'applied' END,
            coalesce(f.detail ->> 'via', 'webhook'), f.type, p_fact[f.item],
            f.token, f.reference, f.code, f.amount_minor, f.currency,
            p_digest[f.item], f.merchant_id, f.checkout_id, f.request_id,
            CASE WHEN f.detail ? 'decline' THEN f.detail - 'via' END
        FROM unnest(p_facts) f
        WHERE f.actor = 'webhook' AND f.kind <> 'unknown'
        ORDER BY f.psp, f.event_id, f.item
        ON CONFLICT (psp, event_id) DO NOTHING
        RETURNING w.psp, w.event_id
    )
    SELECT array_agg(psp), array_agg(event_id), (
        SELECT count(*) FROM unnest(p_facts) f
        WHERE f.actor = 'webhook' AND f.kind <> 'unknown')
    INTO v_psps, v_events, v_wanted
    FROM won;

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
-- Name: is_booked(text, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.is_booked(p_merchant_id text, p_source text, p_kind text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM journal_entry e
        WHERE e.merchant_id = p_merchant_id AND e.source = p_source
            AND e.kind = p_kind);
END
$$;

ALTER FUNCTION pay.is_booked(p_merchant_id text, p_source text, p_kind text) OWNER TO payments_owner;

--
-- Name: FUNCTION is_booked(p_merchant_id text, p_source text, p_kind text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.is_booked(p_merchant_id text, p_source text, p_kind text) IS 'Whether the journal has this entry';

--
-- Name: is_closing(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.is_closing(p_merchant_id text, p_checkout_id text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM change c
        WHERE c.merchant_id = p_merchant_id
            AND c.checkout_id = p_checkout_id AND c.kind = 'cancel'
            AND c.status IN ('NOT_STARTED', 'EXECUTING'));
END
$$;

ALTER FUNCTION pay.is_closing(p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION is_closing(p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.is_closing(p_merchant_id text, p_checkout_id text) IS 'Whether a cancellation of a checkout is on its way';

--
-- Name: is_currency(text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.is_currency(p_currency text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN EXISTS (SELECT FROM currency k WHERE k.code = p_currency);
END
$$;

ALTER FUNCTION pay.is_currency(p_currency text) OWNER TO payments_owner;

--
-- Name: FUNCTION is_currency(p_currency text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.is_currency(p_currency text) IS 'Whether there is such a currency';

--
-- Name: is_early(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.is_early(p_news pay.news) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_order text := (named_order(p_news)).payment_order_id;
BEGIN
    RETURN p_news.about IN ('refund', 'dispute')
        AND p_news.source <> 'query'
        AND (
            SELECT sum(o.captured_minor - o.refunding_minor
                       - o.refunded_minor - o.charged_back_minor)
                    < p_news.amount_minor
                AND bool_or(o.authorized_minor > 0
                            OR o.status IN ('NOT_STARTED', 'EXECUTING'))
            FROM payment_order o
            WHERE o.merchant_id = p_news.merchant_id
                AND o.checkout_id = p_news.checkout_id
                AND o.payment_order_id
                    = coalesce(v_order, o.payment_order_id))
        AND (change_meant(p_news)).change_id IS NULL
        AND NOT EXISTS (
            SELECT FROM late_success l
            WHERE l.merchant_id = p_news.merchant_id
                AND l.checkout_id = p_news.checkout_id)
        AND NOT EXISTS (
            SELECT FROM dispute d
            WHERE d.psp = p_news.psp AND d.dispute_id = p_news.object);
END
$$;

ALTER FUNCTION pay.is_early(p_news pay.news) OWNER TO payments_owner;

--
-- Name: FUNCTION is_early(p_news pay.news); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.is_early(p_news pay.news) IS 'Whether a word about taking money back comes before that money';

--
-- Name: is_failed(pay.change); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.is_failed(p_change pay.change) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN (SELECT o.status = 'FAILED' FROM find_order(
        p_change.merchant_id, p_change.payment_order_id) o);
END
$$;

ALTER FUNCTION pay.is_failed(p_change pay.change) OWNER TO payments_owner;

--
-- Name: FUNCTION is_failed(p_change pay.change); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.is_failed(p_change pay.change) IS 'Whether the order that a change is about has failed';

--
-- Name: is_held_late(pay.payment_order); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.is_held_late(p_order pay.payment_order) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN p_order.status = 'FAILED'
        AND is_told(p_order.merchant_id, p_order.checkout_id,
                    p_order.payment_order_id, 'contradiction', NULL)
        AND NOT is_told(p_order.merchant_id, p_order.checkout_id,
                        p_order.payment_order_id, 'released', NULL);
END
$$;

ALTER FUNCTION pay.is_held_late(p_order pay.payment_order) OWNER TO payments_owner;

--
-- Name: FUNCTION is_held_late(p_order pay.payment_order); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.is_held_late(p_order pay.payment_order) IS 'Whether money is held for an order that has failed';

--
-- Name: is_money(text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.is_money(p_news text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT p_news IN ('capture_requested', 'captured', 'capture_failed',
    'capture_matched', 'capture_parted', 'released', 'replaced', 'cancel_requested', 'cancel_failed', 'refund_requested',
    'refund_sent', 'refunded', 'refund_failed', 'refund_returned',
    'dispute_opened', 'dispute_won', 'dispute_lost', 'dispute_moved', 'fee')
$$;

ALTER FUNCTION pay.is_money(p_news text) OWNER TO payments_owner;

--
-- Name: FUNCTION is_money(p_news text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.is_money(p_news text) IS 'Whether this is always an event: something about the money of an order';

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
        WHEN 'executing' THEN is_unfinished(p_letter.merchant_id,
            p_letter.checkout_id)
        WHEN 'changing' THEN EXISTS (
            SELECT FROM change c
            WHERE c.merchant_id = p_letter.merchant_id
                AND c.checkout_id = p_letter.checkout_id
                AND c.status IN ('NOT_STARTED', 'EXECUTING'))
        -- one that is being sent again is as little known as before
        WHEN 'unknown' THEN EXISTS (
            SELECT FROM dispatch d
            WHERE d.merchant_id = p_letter.merchant_id
                AND d.checkout_id = p_letter.checkout_id
                AND d.state IN ('OPEN', 'UNKNOWN')
                AND is_unsettled(d.merchant_id, d.checkout_id, d.operation,
                                 d.operation_id))
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
-- Name: is_reserved(pay.change); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.is_reserved(p_change pay.change) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT (p_change).status = 'EXECUTING'
    OR (p_change).status = 'NOT_STARTED' AND (p_change).origin = 'merchant'
$$;

ALTER FUNCTION pay.is_reserved(p_change pay.change) OWNER TO payments_owner;

--
-- Name: FUNCTION is_reserved(p_change pay.change); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.is_reserved(p_change pay.change) IS 'Whether a refund holds its amount';

--
-- Name: is_sealed(timestamp with time zone, timestamp with time zone); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.is_sealed(p_from timestamp with time zone, p_until timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN NOT EXISTS (
        SELECT FROM (
            SELECT e.merchant_id, e.payment_order_id, max(e.seq) AS seq
            FROM event e
            WHERE e.at >= p_from AND e.at < p_until
            GROUP BY e.merchant_id, e.payment_order_id) e
        LEFT JOIN (
            SELECT l.merchant_id, l.payment_order_id, max(l.seq) AS seq
            FROM seal_leaf l
            JOIN seal s ON s.number = l.number AND s.signature IS NOT NULL
            GROUP BY l.merchant_id, l.payment_order_id) l
            USING (merchant_id, payment_order_id)
        WHERE coalesce(l.seq, 0) < e.seq);
END
$$;

ALTER FUNCTION pay.is_sealed(p_from timestamp with time zone, p_until timestamp with time zone) OWNER TO payments_owner;

--
-- Name: FUNCTION is_sealed(p_from timestamp with time zone, p_until timestamp with time zone); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.is_sealed(p_from timestamp with time zone, p_until timestamp with time zone) IS 'Whether all events of this time are in signed seals';

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
-- Name: is_tangled(timestamp with time zone, timestamp with time zone); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.is_tangled(p_from timestamp with time zone, p_until timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM event e
        JOIN event n USING (merchant_id, payment_order_id)
        WHERE e.at >= p_from AND e.at < p_until AND n.at >= p_until
            AND n.seq < e.seq);
END
$$;

ALTER FUNCTION pay.is_tangled(p_from timestamp with time zone, p_until timestamp with time zone) OWNER TO payments_owner;

--
-- Name: FUNCTION is_tangled(p_from timestamp with time zone, p_until timestamp with time zone); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.is_tangled(p_from timestamp with time zone, p_until timestamp with time zone) IS 'Whether an order has an event of this time behind one of a later time';

--
-- Name: is_told(text, text, text, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.is_told(p_merchant_id text, p_checkout_id text, p_payment_order_id text, p_kind text, p_actor text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_since timestamptz := events_since(p_merchant_id, p_checkout_id);
BEGIN
    RETURN EXISTS (
        SELECT FROM event e
        WHERE e.merchant_id = p_merchant_id
            AND e.payment_order_id = p_payment_order_id
            AND e.at >= v_since AND e.kind = p_kind
            AND (p_actor IS NULL OR e.actor = p_actor));
END
$$;

ALTER FUNCTION pay.is_told(p_merchant_id text, p_checkout_id text, p_payment_order_id text, p_kind text, p_actor text) OWNER TO payments_owner;

--
-- Name: FUNCTION is_told(p_merchant_id text, p_checkout_id text, p_payment_order_id text, p_kind text, p_actor text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.is_told(p_merchant_id text, p_checkout_id text, p_payment_order_id text, p_kind text, p_actor text) IS 'Whether an order''s timeline has such an event (NULL: of any actor)';

--
-- Name: is_unfinished(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.is_unfinished(p_merchant_id text, p_checkout_id text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM payment_order o
        WHERE o.merchant_id = p_merchant_id
            AND o.checkout_id = p_checkout_id AND o.position = 1
            AND o.status = 'EXECUTING' AND o.authorized_minor = 0);
END
$$;

ALTER FUNCTION pay.is_unfinished(p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION is_unfinished(p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.is_unfinished(p_merchant_id text, p_checkout_id text) IS 'Whether the PSP has still to say how a payment ends';

--
-- Name: is_unsettled(text, text, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.is_unsettled(p_merchant_id text, p_checkout_id text, p_operation text, p_operation_id text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_change change := find_change(p_merchant_id, p_operation_id);
BEGIN
    IF v_change.change_id IS NOT NULL THEN
        RETURN v_change.status IN ('NOT_STARTED', 'EXECUTING');
    END IF;

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

ALTER FUNCTION pay.is_unsettled(p_merchant_id text, p_checkout_id text, p_operation text, p_operation_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION is_unsettled(p_merchant_id text, p_checkout_id text, p_operation text, p_operation_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.is_unsettled(p_merchant_id text, p_checkout_id text, p_operation text, p_operation_id text) IS 'Whether it matters that the outcome of a call is not known';

--
-- Name: is_untold(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.is_untold(p_news pay.news) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN (
        SELECT bool_and(o.status IN ('NOT_STARTED', 'EXECUTING')
                        AND o.authorized_minor = 0
                        AND NOT is_booked(o.merchant_id,
                            'order/' || o.payment_order_id, 'authorized'))
            AND sum(o.captured_minor) BETWEEN 1 AND sum(o.amount_minor) - 1
        FROM payment_order o
        WHERE o.merchant_id = p_news.merchant_id
            AND o.checkout_id = p_news.checkout_id);
END
$$;

ALTER FUNCTION pay.is_untold(p_news pay.news) OWNER TO payments_owner;

--
-- Name: FUNCTION is_untold(p_news pay.news); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.is_untold(p_news pay.news) IS 'Whether a part was captured of what is not known to be held';

--
-- Name: iso_micros(timestamp with time zone); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.iso_micros(p_at timestamp with time zone) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    AS $$
BEGIN
    RETURN to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
END
$$;

ALTER FUNCTION pay.iso_micros(p_at timestamp with time zone) OWNER TO payments_owner;

--
-- Name: FUNCTION iso_micros(p_at timestamp with time zone); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.iso_micros(p_at timestamp with time zone) IS 'A moment as hashes and exports have it: UTC, microseconds';

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
    kind pay.job_kind NOT NULL,
    run_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner text,
    lease_until timestamp with time zone,
    code text,
    again_at timestamp with time zone,
    operation_id text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT job_check CHECK (((lease_owner IS NULL) = (lease_until IS NULL))),
    CONSTRAINT job_check1 CHECK (((again_at IS NULL) OR ((kind)::text <> 'register'::text))),
    CONSTRAINT job_check2 CHECK ((((kind)::text = 'change'::text) = (operation_id <> ''::text)))
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
    IF p_job.kind = 'change' THEN
        RETURN NOT change_needs_job(p_job.merchant_id, p_job.operation_id);
    END IF;

    RETURN p_job.again_at IS NULL AND (p_delay_ms < 0 OR (
        p_job.kind = 'poll'
        AND (p_job.attempts >= 100
             OR coalesce(p_code, '') NOT IN ('no_answer', 'last_look',
                                             'psp_not_configured'))
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
    AS $$SELECT CASE p_kind WHEN 'refund' THEN 1 WHEN 'change' THEN 1
                    WHEN 'register' THEN 2 ELSE 3 END$$;

ALTER FUNCTION pay.job_rank(p_kind text) OWNER TO payments_owner;

--
-- Name: FUNCTION job_rank(p_kind text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.job_rank(p_kind text) IS 'In which order jobs are handed out';

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
    currency pay.currency_code NOT NULL,
    total_minor pay.positive_minor NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    is_payment_done boolean DEFAULT false NOT NULL,
    late_success pay.late_policy DEFAULT 'accept'::text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    capture pay.capture_mode DEFAULT 'automatic'::text NOT NULL,
    replaces pay.id,
    replaced_by pay.id
)
WITH (fillfactor='80', autovacuum_analyze_threshold='1000', autovacuum_vacuum_threshold='1000');

ALTER TABLE pay.checkout OWNER TO payments_owner;

--
-- Name: judge_release(pay.checkout); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.judge_release(p_new pay.checkout) RETURNS text
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_reg    registration;
    v_change change;
BEGIN
    SELECT * INTO v_reg FROM registration r
    WHERE r.merchant_id = p_new.merchant_id
        AND r.checkout_id = p_new.checkout_id;
    SELECT * INTO v_change FROM change c
    WHERE c.merchant_id = p_new.merchant_id
        AND c.checkout_id = p_new.replaces
        AND c.replaced_by = p_new.checkout_id;

    RETURN CASE
        WHEN NOT v_reg.waits OR v_reg.state <> 'REGISTERING' THEN 'already'
        WHEN p_new.expires_at <= now() THEN 'waiting'
        WHEN has_money(p_new.merchant_id, p_new.replaces)
            OR v_change.status = 'FAILED' THEN 'refused'
        WHEN v_change.status = 'SUCCESS' THEN 'released'
        ELSE 'waiting' END;
END
$$;

ALTER FUNCTION pay.judge_release(p_new pay.checkout) OWNER TO payments_owner;

--
-- Name: FUNCTION judge_release(p_new pay.checkout); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.judge_release(p_new pay.checkout) IS 'What becomes of a checkout that waits for the end of another page';

--
-- Name: judge_replaced(pay.checkout, boolean); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.judge_replaced(p_old pay.checkout, p_can_close boolean) RETURNS text
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_s standing;
BEGIN
    IF NOT place_is_free(p_old)
        OR has_money(p_old.merchant_id, p_old.checkout_id)
        OR old_page_is_open(p_old.merchant_id, p_old.checkout_id)
    THEN
        RETURN 'no';
    END IF;

    v_s := standing_of(p_old.merchant_id, (
        SELECT o.payment_order_id FROM payment_order o
        WHERE o.merchant_id = p_old.merchant_id
            AND o.checkout_id = p_old.checkout_id AND o.position = 1));

    RETURN CASE
        WHEN v_s.differs OR v_s.contradicted OR v_s.change IS NOT NULL
            OR v_s.registered = 'REGISTERING'
            OR v_s.capture IN ('OPEN', 'UNKNOWN', 'PENDING', 'DONE')
            OR v_s.pending AND v_s.status <> 'FAILED' THEN 'no'
        WHEN v_s.status = 'FAILED' AND (v_s.token IS NULL OR v_s.closed
            OR v_s.late = 'refunded') THEN 'closed'
        WHEN p_can_close THEN 'close'
        WHEN v_s.status = 'FAILED' AND (explain_retry(v_s,
            (explain_next(v_s)).at)).answer = 'yes' THEN 'closed'
        ELSE 'no' END;
END
$$;

ALTER FUNCTION pay.judge_replaced(p_old pay.checkout, p_can_close boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION judge_replaced(p_old pay.checkout, p_can_close boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.judge_replaced(p_old pay.checkout, p_can_close boolean) IS 'Whether another checkout may take the place of this one';

--
-- Name: keep_anchors(date, timestamp with time zone, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.keep_anchors(p_month date, p_until timestamp with time zone, p_who text, p_why text) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_events bigint;
    v_tx     bigint;
BEGIN
    SELECT count(*), coalesce(max(e.tx), 0) INTO v_events, v_tx
    FROM event e WHERE e.at < p_until;

    INSERT INTO event_anchor (merchant_id, payment_order_id, seq, hash)
    SELECT DISTINCT ON (e.merchant_id, e.payment_order_id)
        e.merchant_id, e.payment_order_id, e.seq, e.hash
    FROM event e
    WHERE e.at < p_until
    ORDER BY e.merchant_id, e.payment_order_id, e.seq DESC
    ON CONFLICT (merchant_id, payment_order_id) DO UPDATE
    SET seq = EXCLUDED.seq, hash = EXCLUDED.hash;

    INSERT INTO dropped_month (month, events, max_tx, first_seal, who, why)
    VALUES (p_month, v_events, v_tx, (
        SELECT coalesce(max(s.number), 0) + 1 FROM seal s
        WHERE s.from_tx <= v_tx), p_who, p_why);
END
$$;

ALTER FUNCTION pay.keep_anchors(p_month date, p_until timestamp with time zone, p_who text, p_why text) OWNER TO payments_owner;

--
-- Name: FUNCTION keep_anchors(p_month date, p_until timestamp with time zone, p_who text, p_why text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.keep_anchors(p_month date, p_until timestamp with time zone, p_who text, p_why text) IS 'Writes down where chains and seals begin once a month is gone';

--
-- Name: keep_difference(text, text, jsonb); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.keep_difference(p_merchant_id text, p_checkout_id text, p_detail jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO mismatch (merchant_id, checkout_id, kind, source, psp,
        own_token, total_minor, own_currency, detail)
    SELECT c.merchant_id, c.checkout_id, 'books', 'gateway', c.psp, NULL,
        c.total_minor, c.currency, p_detail
    FROM checkout c
    WHERE c.merchant_id = p_merchant_id AND c.checkout_id = p_checkout_id
        AND NOT EXISTS (
            SELECT FROM open_mismatches(c.merchant_id, c.checkout_id) m
            WHERE m.kind = 'books' AND m.detail = p_detail);
END
$$;

ALTER FUNCTION pay.keep_difference(p_merchant_id text, p_checkout_id text, p_detail jsonb) OWNER TO payments_owner;

--
-- Name: FUNCTION keep_difference(p_merchant_id text, p_checkout_id text, p_detail jsonb); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.keep_difference(p_merchant_id text, p_checkout_id text, p_detail jsonb) IS 'Tells people that the books contradict each other';

--
-- Name: keep_failed_capture(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.keep_failed_capture(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_ours   change;
    v_order  payment_order;
    v_change change;
BEGIN
    outcome := 'unchanged';
    facts := '{}';

    SELECT c.* INTO v_ours
    FROM unnest(captures_out(p_news.merchant_id, p_news.checkout_id)) c
    WHERE p_news.operation_id IS NULL AND c.psp = p_news.psp
        AND c.reference IS NULL
    LIMIT 1;

    IF v_ours.change_id IS NULL OR p_news.object IS NULL THEN
        RETURN;
    END IF;

    SELECT * INTO v_order
    FROM find_order(v_ours.merchant_id, v_ours.payment_order_id);
    v_change := insert_outside(p_news, v_order, coalesce(
        nullif(p_news.amount_minor, 0), v_ours.amount_minor));
    PERFORM set_change(v_change, 'FAILED', news_word(p_news));

    outcome := 'applied';
    facts := ARRAY[change_fact(v_change, news_word(p_news),
                               'capture_failed', NULL)];
END
$$;

ALTER FUNCTION pay.keep_failed_capture(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION keep_failed_capture(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.keep_failed_capture(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) IS 'A capture of which nothing is known but that it has failed';

--
-- Name: keep_failure(pay.news, pay.payment_order); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.keep_failure(p_news pay.news, p_order pay.payment_order, OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_change change;
BEGIN
    IF p_order.payment_order_id IS NULL
        OR coalesce(p_news.amount_minor, 0) = 0
    THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'failed');
        RETURN;
    END IF;

    v_change := insert_outside(p_news, p_order, p_news.amount_minor);
    PERFORM set_change(v_change, 'FAILED', news_word(p_news));
    outcome := 'applied';
    facts := ARRAY[change_fact(v_change, news_word(p_news), 'refund_failed',
                               NULL)];
END
$$;

ALTER FUNCTION pay.keep_failure(p_news pay.news, p_order pay.payment_order, OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION keep_failure(p_news pay.news, p_order pay.payment_order, OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.keep_failure(p_news pay.news, p_order pay.payment_order, OUT outcome text, OUT facts pay.fact[]) IS 'A refund of which nothing is known but that it has failed';

--
-- Name: keep_invalid(integer[], text[], text[], text[], text[], text[], text[], bigint[], text[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.keep_invalid(p_items integer[], p_psp text[], p_source text[], p_event_id text[], p_token text[], p_reference text[], p_object text[], p_amount_minor bigint[], p_currency text[], p_request_id text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO mismatch (merchant_id, checkout_id, kind, source, psp,
        event_id, amount_minor, currency, own_token, total_minor,
        own_currency, request_id, object, why)
    SELECT DISTINCT ON (c.merchant_id, c.checkout_id, u.psp, u.event_id)
        c.merchant_id, c.checkout_id, 'invalid',
        coalesce(u.source, 'webhook'), u.psp, left(u.event_id, 255),
        u.amount_minor, left(u.currency, 16), r.token, c.total_minor,
        c.currency, u.request_id, left(u.object, 255),
        CASE WHEN u.amount_minor NOT BETWEEN 0 AND 999999999999999
             THEN 'amount' ELSE 'form' END
    FROM unnest(p_psp, p_source, p_event_id, p_token, p_reference, p_object,
        p_amount_minor, p_currency, p_request_id) WITH ORDINALITY AS
        u (psp, source, event_id, token, reference, object, amount_minor,
           currency, request_id, n)
    CROSS JOIN LATERAL (
        SELECT t.merchant_id, t.checkout_id FROM psp_token t
        WHERE t.psp = u.psp AND t.token IN (u.token, u.reference)
            AND t.checkout_id IS NOT NULL
        ORDER BY t.token = u.token DESC LIMIT 1) o
    JOIN checkout c ON c.merchant_id = o.merchant_id
        AND c.checkout_id = o.checkout_id
    JOIN registration r ON r.merchant_id = c.merchant_id
        AND r.checkout_id = c.checkout_id
    WHERE u.n = ANY (p_items) AND NOT EXISTS (
        SELECT FROM mismatch m
        WHERE m.merchant_id = c.merchant_id
            AND m.checkout_id = c.checkout_id AND m.kind = 'invalid'
            AND m.psp = u.psp
            AND m.event_id IS NOT DISTINCT FROM left(u.event_id, 255))
    ORDER BY c.merchant_id, c.checkout_id, u.psp, u.event_id, u.n;
END
$$;

ALTER FUNCTION pay.keep_invalid(p_items integer[], p_psp text[], p_source text[], p_event_id text[], p_token text[], p_reference text[], p_object text[], p_amount_minor bigint[], p_currency text[], p_request_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION keep_invalid(p_items integer[], p_psp text[], p_source text[], p_event_id text[], p_token text[], p_reference text[], p_object text[], p_amount_minor bigint[], p_currency text[], p_request_id text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.keep_invalid(p_items integer[], p_psp text[], p_source text[], p_event_id text[], p_token text[], p_reference text[], p_object text[], p_amount_minor bigint[], p_currency text[], p_request_id text[]) IS 'Queues for operators what a PSP said and cannot be read';

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
        array_agg('late_success'::text), array_agg('held'::text), NULL, NULL,
        NULL)
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
    WITH kept AS (
        INSERT INTO mismatch AS m (merchant_id, checkout_id, kind, source, psp,
            event_id, token, amount_minor, currency, own_token, total_minor,
            own_currency, request_id, object, why)
        SELECT c.merchant_id, c.checkout_id,
            CASE WHEN f.detail ? 'about' THEN f.detail ->> 'about'
                 WHEN f.kind <> 'mismatch' THEN 'contradiction'
                 WHEN f.currency <> c.currency THEN 'currency'
                 ELSE 'amount' END,
            f.actor, f.psp, f.event_id, f.token, f.amount_minor, f.currency,
            r.token, c.total_minor, c.currency, f.request_id,
            f.detail ->> 'object', f.detail ->> 'why'
        FROM unnest(p_facts) f
        JOIN checkout c ON c.merchant_id = f.merchant_id
            AND c.checkout_id = f.checkout_id
        JOIN registration r ON r.merchant_id = f.merchant_id
            AND r.checkout_id = f.checkout_id
        WHERE f.kind = 'mismatch' OR f.item = ANY (p_told)
        ORDER BY f.item
        RETURNING m.merchant_id, m.checkout_id, m.mismatch_id, m.why
    )
    INSERT INTO mismatch_settlement (merchant_id, checkout_id, mismatch_id,
        who, why)
    SELECT k.merchant_id, k.checkout_id, k.mismatch_id, 'gateway',
        'split over the orders in proportion to their amounts'
    FROM kept k WHERE k.why = 'split';
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
DECLARE
    v_merchants text[];
    v_checkouts text[];
BEGIN
    WITH named AS (
        UPDATE registration r
        SET reference = x.reference
        FROM (SELECT DISTINCT ON (f.merchant_id, f.checkout_id) f.*
              FROM unnest(p_facts) f
              WHERE f.reference IS NOT NULL
                  AND f.kind NOT IN ('mismatch', 'notified')
                  AND (f.item <> ALL (p_against)
                       OR f.kind = 'authorized')
              ORDER BY f.merchant_id, f.checkout_id,
                  f.item = ANY (p_moved) DESC, f.turn DESC) x
        WHERE r.merchant_id = x.merchant_id
            AND r.checkout_id = x.checkout_id
            AND (r.reference IS NULL OR x.item = ANY (p_moved))
        RETURNING r.merchant_id, r.checkout_id,
            x.item = ANY (p_moved) AS is_first
    )
    SELECT array_agg(n.merchant_id::text), array_agg(n.checkout_id::text)
    INTO v_merchants, v_checkouts
    FROM named n WHERE NOT n.is_first;

    IF v_checkouts IS NULL THEN
        RETURN;
    END IF;

    UPDATE job j
    SET run_at = least(j.run_at, now()),
        again_at = CASE WHEN j.lease_owner IS NOT NULL THEN now() END
    FROM unnest(v_merchants, v_checkouts) AS n (merchant_id, checkout_id)
    CROSS JOIN LATERAL (
        SELECT k.tableoid AS part, k.ctid AS tid FROM job k
        WHERE k.merchant_id = n.merchant_id
            AND k.checkout_id = n.checkout_id
            AND k.kind IN ('change', 'refund')
        OFFSET 0) k
    WHERE j.ctid = k.tid AND j.tableoid = k.part;
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
-- Name: late_meant(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.late_meant(p_news pay.news) RETURNS pay.late_success
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_late late_success;
BEGIN
    SELECT l.* INTO v_late FROM late_success l
    WHERE l.merchant_id = p_news.merchant_id
        AND l.checkout_id = p_news.checkout_id
        AND (l.refund_id::text = p_news.operation_id
             OR EXISTS (
                 SELECT FROM dispatch d
                 WHERE d.merchant_id = l.merchant_id
                     AND d.checkout_id = l.checkout_id
                     AND d.operation = 'refund'
                     AND d.operation_id = l.refund_id::text
                     AND d.reference = p_news.object)
             OR p_news.operation_id IS NULL
                AND l.state IN ('refunding', 'refunded')
                AND coalesce(p_news.amount_minor, l.amount_minor)
                    = l.amount_minor);

    RETURN v_late;
END
$$;

ALTER FUNCTION pay.late_meant(p_news pay.news) OWNER TO payments_owner;

--
-- Name: FUNCTION late_meant(p_news pay.news); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.late_meant(p_news pay.news) IS 'The late payment whose refund a PSP''s word is about, or NULL';

--
-- Name: late_postings(pay.fact[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.late_postings(p_facts pay.fact[], p_late integer[]) RETURNS pay.posting[]
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN ARRAY(
        SELECT ROW(l.merchant_id, 'late/' || l.checkout_id,
            CASE f.kind WHEN 'late_refunded' THEN f.kind
                        ELSE 'late_held' END,
            l.checkout_id, NULL, l.psp, NULL, l.amount_minor, l.currency,
            NULL, NULL, NULL, f.request_id)::posting
        FROM unnest(p_facts) f
        CROSS JOIN LATERAL (
            SELECT l.* FROM late_success l
            WHERE l.merchant_id = f.merchant_id
                AND l.checkout_id = f.checkout_id
            OFFSET 0) l
        WHERE f.item = ANY (p_late) OR f.kind = 'late_refunded'
        ORDER BY f.item);
END
$$;

ALTER FUNCTION pay.late_postings(p_facts pay.fact[], p_late integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION late_postings(p_facts pay.fact[], p_late integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.late_postings(p_facts pay.fact[], p_late integer[]) IS 'Entries of payments that came too late';

--
-- Name: lay_dispute(pay.news, pay.payment_order[], bigint[], integer); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.lay_dispute(p_news pay.news, p_orders pay.payment_order[], p_parts bigint[], p_first integer, OUT facts pay.fact[]) RETURNS pay.fact[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_dispute dispute;
BEGIN
    FOR v_n IN 1 .. cardinality(p_parts) LOOP
        v_dispute := insert_dispute(p_news, p_orders[v_n], p_parts[v_n],
                                    p_first + v_n - 1);
        IF v_dispute.dispute_id IS NULL THEN
            RETURN;
        END IF;

        facts := facts || dispute_fact(p_news, v_dispute, 'dispute_opened');
    END LOOP;
END
$$;

ALTER FUNCTION pay.lay_dispute(p_news pay.news, p_orders pay.payment_order[], p_parts bigint[], p_first integer, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION lay_dispute(p_news pay.news, p_orders pay.payment_order[], p_parts bigint[], p_first integer, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.lay_dispute(p_news pay.news, p_orders pay.payment_order[], p_parts bigint[], p_first integer, OUT facts pay.fact[]) IS 'Lays a dispute to orders; NULL: another checkout has it';

--
-- Name: lay_down(pay.news, text, pay.payment_order[], bigint[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.lay_down(p_news pay.news, p_state text, p_orders pay.payment_order[], p_parts bigint[]) RETURNS pay.fact[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_first int;
    v_facts fact[];
BEGIN
    IF p_news.about = 'refund' THEN
        RETURN lay_refund(p_news, p_orders, p_parts);
    END IF;

    v_first := (SELECT max(d.part) + 1 FROM dispute d
                WHERE d.psp = p_news.psp AND d.dispute_id = p_news.object);
    v_facts := lay_dispute(p_news, p_orders, p_parts, v_first);

    IF p_state = 'lost' THEN
        p_news.news := 'lost';
        v_facts := v_facts || (end_dispute(p_news, dispute_parts(
            p_news.psp, p_news.object))).facts;
    END IF;

    RETURN v_facts;
END
$$;

ALTER FUNCTION pay.lay_down(p_news pay.news, p_state text, p_orders pay.payment_order[], p_parts bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION lay_down(p_news pay.news, p_state text, p_orders pay.payment_order[], p_parts bigint[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.lay_down(p_news pay.news, p_state text, p_orders pay.payment_order[], p_parts bigint[]) IS 'Lays a refund or a dispute to orders';

--
-- Name: lay_refund(pay.news, pay.payment_order[], bigint[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.lay_refund(p_news pay.news, p_orders pay.payment_order[], p_parts bigint[]) RETURNS pay.fact[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_change change;
    v_facts  fact[] := '{}';
BEGIN
    FOR v_n IN 1 .. cardinality(p_parts) LOOP
        v_change := insert_outside(p_news, p_orders[v_n], p_parts[v_n]);
        v_facts := v_facts || CASE p_news.news
            WHEN 'pending' THEN ARRAY[outside_pending(v_change, p_news)]
            ELSE move_change(v_change, 'SUCCESS', news_word(p_news)) END;
    END LOOP;

    RETURN v_facts;
END
$$;

ALTER FUNCTION pay.lay_refund(p_news pay.news, p_orders pay.payment_order[], p_parts bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION lay_refund(p_news pay.news, p_orders pay.payment_order[], p_parts bigint[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.lay_refund(p_news pay.news, p_orders pay.payment_order[], p_parts bigint[]) IS 'Lays a refund that was made at the PSP to orders';

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
-- Name: lines_with_entry(); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.lines_with_entry() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pay', 'pg_temp'
    AS $$
BEGIN
    IF EXISTS (
        SELECT FROM added n
        LEFT JOIN LATERAL (
            SELECT e.tx FROM journal_entry e
            WHERE e.merchant_id = n.merchant_id AND e.source = n.source
                AND e.kind = n.kind
            OFFSET 0) e ON true
        WHERE e.tx IS DISTINCT FROM pg_current_xact_id())
    THEN
        RAISE EXCEPTION 'a line without an entry of this transaction'
            USING ERRCODE = 'PAY21';
    END IF;

    RETURN NULL;
END
$$;

ALTER FUNCTION pay.lines_with_entry() OWNER TO payments_owner;

--
-- Name: locate_news(pay.news[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.locate_news(p_news pay.news[]) RETURNS pay.news[]
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_owner record;
BEGIN
    FOR v_n IN 1 .. cardinality(p_news) LOOP
        SELECT o.* INTO v_owner FROM (
            SELECT t.merchant_id, t.checkout_id, 1 AS k FROM psp_token t
            WHERE t.psp = p_news[v_n].psp AND t.token = p_news[v_n].token
                AND NOT t.is_reference
            UNION ALL
            SELECT c.merchant_id, c.checkout_id, 2 FROM change c
            WHERE c.change_id = p_news[v_n].operation_id
                AND c.psp = p_news[v_n].psp
            UNION ALL
            SELECT t.merchant_id, t.checkout_id, 3 FROM psp_token t
            WHERE t.psp = p_news[v_n].psp
                AND t.token = p_news[v_n].reference AND t.is_reference
            ) o
        WHERE o.checkout_id IS NOT NULL
        ORDER BY o.k LIMIT 1;

        p_news[v_n].merchant_id := v_owner.merchant_id;
        p_news[v_n].checkout_id := v_owner.checkout_id;
    END LOOP;

    RETURN p_news;
END
$$;

ALTER FUNCTION pay.locate_news(p_news pay.news[]) OWNER TO payments_owner;

--
-- Name: FUNCTION locate_news(p_news pay.news[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.locate_news(p_news pay.news[]) IS 'Items of apply_change with their checkouts, where these are known';

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
    LEFT JOIN psp_token t ON t.psp = i.psp AND t.checkout_id IS NOT NULL
        AND t.token = CASE WHEN t.is_reference THEN i.reference
                           WHEN i.about ? 'by_payment' THEN NULL
                           ELSE i.token END
    WHERE d.dead_letter_id = p_id
    ORDER BY t.is_reference LIMIT 1;

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

CREATE FUNCTION pay.lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[], OUT operations text[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_due record;
BEGIN
    FOR v_rank IN 1 .. 3 LOOP
        EXIT WHEN coalesce(cardinality(kinds), 0) >= p_limit;

        SELECT array_agg(d.merchant_id::text ORDER BY d.run_at) AS merchants,
            array_agg(d.checkout_id::text ORDER BY d.run_at) AS checkouts,
            array_agg(d.kind ORDER BY d.run_at) AS kinds,
            array_agg(d.operation_id ORDER BY d.run_at) AS operations
        INTO v_due
        FROM (
            SELECT j.merchant_id, j.checkout_id, j.kind, j.operation_id,
                j.run_at
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
        operations := operations || v_due.operations;
    END LOOP;
END
$$;

ALTER FUNCTION pay.lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[], OUT operations text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[], OUT operations text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[], OUT operations text[]) IS 'Jobs that may be handed out, with their checkouts locked';

--
-- Name: lock_refund_wallets(pay.change_item[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.lock_refund_wallets(p_items pay.change_item[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

ALTER FUNCTION pay.lock_refund_wallets(p_items pay.change_item[]) OWNER TO payments_owner;

--
-- Name: FUNCTION lock_refund_wallets(p_items pay.change_item[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.lock_refund_wallets(p_items pay.change_item[]) IS 'Locks what refunds may not overdraw';

--
-- Name: lock_wallets(text[], text[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.lock_wallets(p_merchant_id text[], p_seller text[], p_currency text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_wanted bigint;
    v_locked bigint;
BEGIN
    SELECT count(*), count(w.seq) INTO v_wanted, v_locked
    FROM (SELECT DISTINCT * FROM unnest(p_merchant_id, p_seller, p_currency)
          ORDER BY 1, 2, 3) AS u (merchant_id, seller, currency)
    LEFT JOIN LATERAL (
        SELECT w.seq FROM wallet w
        WHERE w.merchant_id = u.merchant_id
            AND w.seller_account = u.seller AND w.currency = u.currency
        OFFSET 0) w ON true;

    IF v_locked < v_wanted THEN
        INSERT INTO wallet (merchant_id, seller_account, currency)
        SELECT DISTINCT u.merchant_id, u.seller, u.currency
        FROM unnest(p_merchant_id, p_seller, p_currency)
            AS u (merchant_id, seller, currency)
        ORDER BY 1, 2, 3
        ON CONFLICT DO NOTHING;
    END IF;

    PERFORM FROM (
        SELECT DISTINCT * FROM unnest(p_merchant_id, p_seller, p_currency)
        ORDER BY 1, 2, 3) AS u (merchant_id, seller, currency)
    CROSS JOIN LATERAL (
        SELECT FROM wallet w
        WHERE w.merchant_id = u.merchant_id
            AND w.seller_account = u.seller AND w.currency = u.currency
        FOR NO KEY UPDATE) w;
END
$$;

ALTER FUNCTION pay.lock_wallets(p_merchant_id text[], p_seller text[], p_currency text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION lock_wallets(p_merchant_id text[], p_seller text[], p_currency text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.lock_wallets(p_merchant_id text[], p_seller text[], p_currency text[]) IS 'Makes and locks the wallets of a batch in key order';

--
-- Name: make_partition(date); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.make_partition(p_month date) RETURNS void
    LANGUAGE plpgsql
    AS $_$
DECLARE
    v_name  text := 'event_' || to_char(p_month, 'YYYY_MM');
    v_from  timestamptz := p_month::timestamp AT TIME ZONE 'UTC';
    v_until timestamptz := (p_month + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
    EXECUTE format('CREATE TABLE pay.%1$I (LIKE pay.event INCLUDING ALL)'
        ' WITH (autovacuum_analyze_threshold = 1000,'
        ' autovacuum_vacuum_insert_threshold = 500000,'
        ' autovacuum_vacuum_insert_scale_factor = 0);'
        ' ALTER TABLE pay.%1$I OWNER TO payments_owner', v_name);

    IF EXISTS (SELECT FROM event_default e
               WHERE e.at >= v_from AND e.at < v_until)
    THEN
        ALTER TABLE event_default DISABLE TRIGGER event_append_only;
        EXECUTE format('WITH gone AS (DELETE FROM pay.event_default'
            ' WHERE at >= %L AND at < %L RETURNING *)'
            ' INSERT INTO pay.%I SELECT * FROM gone', v_from, v_until,
            v_name);
        ALTER TABLE event_default ENABLE ALWAYS TRIGGER event_append_only;
    END IF;

    EXECUTE format('CREATE TRIGGER event_append_only'
        ' BEFORE UPDATE OR DELETE OR TRUNCATE ON pay.%1$I FOR EACH STATEMENT'
        ' EXECUTE FUNCTION pay.refuse_change(''the log is append-only'','
        ' ''PAY20''); ALTER TABLE pay.%1$I ENABLE ALWAYS TRIGGER'
        ' event_append_only; GRANT SELECT ON pay.%1$I TO payments_auditor,'
        ' payments_operator', v_name);
    EXECUTE format('ALTER TABLE pay.event ATTACH PARTITION pay.%I'
        ' FOR VALUES FROM (%L) TO (%L)', v_name, v_from, v_until);
END
$_$;

ALTER FUNCTION pay.make_partition(p_month date) OWNER TO payments_owner;

--
-- Name: FUNCTION make_partition(p_month date); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.make_partition(p_month date) IS 'Makes the partition of a month, with what event_default has of it';

--
-- Name: make_partitions(boolean); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.make_partitions(p_move boolean DEFAULT true) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pay', 'pg_temp'
    SET lock_timeout TO '200ms'
    AS $$
DECLARE
    v_months date[];
    v_month  date;
BEGIN
    v_months := ARRAY(
        SELECT w.month
        FROM (SELECT (date_trunc('month', now() AT TIME ZONE 'UTC')
                      + make_interval(months => n))::date AS month
              FROM generate_series(0, 2) n
              UNION
              SELECT date_trunc('month', e.at AT TIME ZONE 'UTC')::date
              FROM event_default e
              WHERE p_move) w
        WHERE to_regclass('pay.event_' || to_char(w.month, 'YYYY_MM')) IS NULL
            AND (p_move OR NOT EXISTS (
                SELECT FROM event_default e
                WHERE e.at >= w.month::timestamp AT TIME ZONE 'UTC'
                    AND e.at < (w.month + interval '1 month')
                        AT TIME ZONE 'UTC'))
        ORDER BY w.month);

    IF v_months <> '{}' THEN
        LOCK TABLE event IN SHARE UPDATE EXCLUSIVE MODE;
        LOCK TABLE event_default IN ACCESS EXCLUSIVE MODE;
    END IF;

    FOREACH v_month IN ARRAY v_months LOOP
        PERFORM make_partition(v_month);
    END LOOP;

    RETURN cardinality(v_months);
EXCEPTION WHEN lock_not_available OR duplicate_table THEN
    RETURN 0;
END
$$;

ALTER FUNCTION pay.make_partitions(p_move boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION make_partitions(p_move boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.make_partitions(p_move boolean) IS 'Makes the partitions of the log that will be needed: how many';

--
-- Name: seal; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.seal (
    number bigint NOT NULL,
    from_tx bigint NOT NULL,
    until_tx bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    count integer NOT NULL,
    root bytea NOT NULL,
    previous bytea NOT NULL,
    message text NOT NULL,
    key_id pay.id,
    signature bytea,
    CONSTRAINT seal_check CHECK ((from_tx < until_tx)),
    CONSTRAINT seal_check1 CHECK (((key_id IS NULL) = (signature IS NULL))),
    CONSTRAINT seal_count_check CHECK ((count >= 1)),
    CONSTRAINT seal_number_check CHECK ((number >= 1)),
    CONSTRAINT seal_previous_check CHECK ((octet_length(previous) = 32)),
    CONSTRAINT seal_root_check CHECK ((octet_length(root) = 32)),
    CONSTRAINT seal_signature_check CHECK ((octet_length(signature) = 64))
);

ALTER TABLE pay.seal OWNER TO payments_owner;

--
-- Name: make_seal(integer); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.make_seal(p_most integer, OUT made pay.seal, OUT is_full boolean, OUT is_behind boolean) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_last  seal;
    v_until bigint :=
        pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
BEGIN
    SELECT * INTO v_last FROM seal s ORDER BY s.number DESC LIMIT 1;
    made.from_tx := coalesce(v_last.until_tx, 0);
    is_behind := v_until < made.from_tx OR EXISTS (
        SELECT FROM event e
        WHERE e.tx > greatest(this_tx(), pg_snapshot_xmax(
            pg_current_snapshot())::text::bigint - 1));

    IF is_behind OR v_until = made.from_tx THEN
        made := NULL;
        RETURN;
    END IF;

    made.number := coalesce(v_last.number, 0) + 1;
    made.until_tx := seal_end(made.from_tx, v_until,
        coalesce(v_last.until_tx - v_last.from_tx, 1024), p_most);
    is_full := made.until_tx < v_until;
    made.count := take_leaves(made.number, made.from_tx, made.until_tx);

    IF made.count = 0 THEN
        made := NULL;
        RETURN;
    END IF;

    made.at := clock_timestamp();
    made.root := seal_root(made.number);
    made.previous := seal_digest(v_last.message);
    made.message := seal_message(made);
    INSERT INTO seal SELECT (made).*;
END
$$;

ALTER FUNCTION pay.make_seal(p_most integer, OUT made pay.seal, OUT is_full boolean, OUT is_behind boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION make_seal(p_most integer, OUT made pay.seal, OUT is_full boolean, OUT is_behind boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.make_seal(p_most integer, OUT made pay.seal, OUT is_full boolean, OUT is_behind boolean) IS 'Begins the next seal over at most p_most events, and whether more wait';

--
-- Name: manual_kind(text, text, text, text, pay.payment_order); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.manual_kind(p_kind text, p_actor text, p_order_id text, p_capture text, p_order pay.payment_order) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT CASE
    WHEN p_kind = 'authorized' AND p_capture = 'automatic' THEN 'pending'
    WHEN p_kind = 'expired' AND p_actor = 'gateway'
        AND (p_order).authorized_minor > 0 THEN 'none'
    WHEN p_capture = 'automatic' OR (p_order).status <> 'SUCCESS' THEN NULL
    WHEN p_kind = 'paid' AND p_capture = 'manual' AND p_order_id IS NULL
        AND (p_order).captured_minor < (p_order).amount_minor
        THEN CASE WHEN (p_order).authorized_minor > 0 THEN 'captured'
                  ELSE 'contradiction' END
    WHEN p_kind IN ('expired', 'cancelled') AND p_capture = 'manual'
        THEN CASE WHEN (p_order).authorized_minor > 0 THEN 'released'
                  ELSE 'none' END
END
$$;

ALTER FUNCTION pay.manual_kind(p_kind text, p_actor text, p_order_id text, p_capture text, p_order pay.payment_order) OWNER TO payments_owner;

--
-- Name: FUNCTION manual_kind(p_kind text, p_actor text, p_order_id text, p_capture text, p_order pay.payment_order); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.manual_kind(p_kind text, p_actor text, p_order_id text, p_capture text, p_order pay.payment_order) IS 'What a fact is to an order whose money is captured by hand';

--
-- Name: manual_postings(pay.payment_order, pay.payment_order, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.manual_postings(p_was pay.payment_order, p_now pay.payment_order, p_news text, p_request_id text) RETURNS pay.posting[]
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_source text := 'order/' || p_now.payment_order_id;
    v_psp    text := (SELECT c.psp FROM checkout c
                      WHERE c.merchant_id = p_now.merchant_id
                          AND c.checkout_id = p_now.checkout_id);
BEGIN
    IF p_news = 'authorized' THEN
        RETURN part_posting(p_now, v_source, 'authorized', v_psp,
            p_now.captured_minor, p_now.authorized_minor, p_request_id);
    END IF;

    RETURN part_posting(p_now, v_source, 'sale', v_psp, p_was.captured_minor,
            p_now.captured_minor - p_was.captured_minor, p_request_id)
        || part_posting(p_now, v_source, 'unauthorized', v_psp,
            p_now.amount_minor - p_was.authorized_minor,
            p_was.authorized_minor - p_now.authorized_minor, p_request_id);
END
$$;

ALTER FUNCTION pay.manual_postings(p_was pay.payment_order, p_now pay.payment_order, p_news text, p_request_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION manual_postings(p_was pay.payment_order, p_now pay.payment_order, p_news text, p_request_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.manual_postings(p_was pay.payment_order, p_now pay.payment_order, p_news text, p_request_id text) IS 'Entries of an order that was authorised, sold or released as a whole';

--
-- Name: mark_duplicates(pay.news[], text[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.mark_duplicates(p_news pay.news[], p_psps text[], p_events text[]) RETURNS pay.news[]
    LANGUAGE plpgsql IMMUTABLE
    AS $$
DECLARE
    v_first int[] := ARRAY(
        SELECT min(n.item) FROM unnest(p_news) n
        WHERE (n.psp, n.event_id) IN (
            SELECT * FROM unnest(p_psps, p_events))
        GROUP BY n.psp, n.event_id);
BEGIN
    FOR v_n IN 1 .. cardinality(p_news) LOOP
        IF p_news[v_n].source <> 'query'
            AND p_news[v_n].outcome IS DISTINCT FROM 'unknown'
            AND p_news[v_n].item <> ALL (v_first)
        THEN
            p_news[v_n].outcome := 'duplicate';
        END IF;
    END LOOP;

    RETURN p_news;
END
$$;

ALTER FUNCTION pay.mark_duplicates(p_news pay.news[], p_psps text[], p_events text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION mark_duplicates(p_news pay.news[], p_psps text[], p_events text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.mark_duplicates(p_news pay.news[], p_psps text[], p_events text[]) IS 'Items of apply_change whose events were stored before';

--
-- Name: match_capture(pay.change, pay.change, pay.fact, boolean); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.match_capture(p_change pay.change, p_outside pay.change, p_word pay.fact, p_by_amount boolean) RETURNS pay.fact
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE change c SET matched_to = p_change.change_id
    WHERE c.merchant_id = p_outside.merchant_id
        AND c.change_id = p_outside.change_id;

    UPDATE change c
    SET reference = p_outside.reference, by_amount = p_by_amount
    WHERE c.merchant_id = p_change.merchant_id
        AND c.change_id = p_change.change_id;

    p_word.reference := NULL;
    p_word.code := coalesce(p_outside.code, p_word.code);
    PERFORM set_change(p_change, p_outside.status, p_word);

    RETURN change_fact(p_change, p_word,
        CASE p_outside.status WHEN 'FAILED' THEN 'capture_failed'
                              ELSE 'capture_matched' END, NULL,
        jsonb_build_object('matched', p_outside.change_id,
            'by', CASE WHEN p_by_amount THEN 'amount' ELSE 'reference' END));
END
$$;

ALTER FUNCTION pay.match_capture(p_change pay.change, p_outside pay.change, p_word pay.fact, p_by_amount boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION match_capture(p_change pay.change, p_outside pay.change, p_word pay.fact, p_by_amount boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.match_capture(p_change pay.change, p_outside pay.change, p_word pay.fact, p_by_amount boolean) IS 'Makes one of our capture and the one that was booked at the PSP';

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
-- Name: median_rate(text, text, interval); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.median_rate(p_base text, p_quote text, p_age interval) RETURNS numeric
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_rates numeric[];
    v_count int;
BEGIN
    SELECT array_agg(r.rate ORDER BY r.rate), count(*)
    INTO v_rates, v_count
    FROM pay.rate_source s
    CROSS JOIN LATERAL (
        SELECT CASE WHEN s.base = p_base THEN 1
                    ELSE (SELECT r.rate FROM pay.rate r
                          WHERE r.source = s.source AND r.quote = p_base)
               END AS base,
            CASE WHEN s.base = p_quote THEN 1
                 ELSE (SELECT r.rate FROM pay.rate r
                       WHERE r.source = s.source AND r.quote = p_quote)
            END AS quote
        OFFSET 0) k
    -- 60 decimals: more than enough to tell a half from what is near it
    CROSS JOIN LATERAL (
        SELECT pay.round_rate(round(k.quote, 60) / k.base) AS rate OFFSET 0) r
    WHERE s.fetched_at > now() - least(p_age, s.max_age)
        AND s.fetched_at < now() + interval '1 minute'
        AND r.rate IS NOT NULL;

    IF v_count = 0 THEN
        RETURN NULL;
    END IF;

    RETURN pay.round_rate((v_rates[(v_count + 1) / 2]
                       + v_rates[v_count / 2 + 1]) / 2.0);
END
$$;

ALTER FUNCTION pay.median_rate(p_base text, p_quote text, p_age interval) OWNER TO payments_owner;

--
-- Name: FUNCTION median_rate(p_base text, p_quote text, p_age interval); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.median_rate(p_base text, p_quote text, p_age interval) IS 'The median rate of the sources that have a fresh one; NULL: none has';

--
-- Name: merkle_root(bytea[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.merkle_root(p_hashes bytea[]) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE
    AS $$
DECLARE
    v_level bytea[] := p_hashes;
BEGIN
    WHILE cardinality(v_level) > 1 LOOP
        v_level := ARRAY(
            SELECT CASE WHEN p.next IS NULL THEN p.hash
                        ELSE sha256('\x01'::bytea || p.hash || p.next) END
            FROM (SELECT u.n, u.hash, lead(u.hash) OVER (ORDER BY u.n) AS next
                  FROM unnest(v_level) WITH ORDINALITY u (hash, n)) p
            WHERE p.n % 2 = 1
            ORDER BY p.n);
    END LOOP;

    RETURN v_level[1];
END
$$;

ALTER FUNCTION pay.merkle_root(p_hashes bytea[]) OWNER TO payments_owner;

--
-- Name: FUNCTION merkle_root(p_hashes bytea[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.merkle_root(p_hashes bytea[]) IS 'The root of a Merkle tree over these hashes of leaves; NULL of none';

--
-- Name: minor_of(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.minor_of(p_amount text, p_currency text) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $_$
DECLARE
    v_minor numeric;
BEGIN
    IF p_amount !~ '^[0-9]{1,15}(\.[0-9]{1,4})?$' THEN
        RETURN NULL;
    END IF;

    v_minor := (SELECT p_amount::numeric * 10::numeric ^ k.exponent
                FROM currency k WHERE k.code = p_currency);

    RETURN CASE WHEN v_minor = trunc(v_minor)
                     AND v_minor <= 999999999999999 THEN v_minor END;
END
$_$;

ALTER FUNCTION pay.minor_of(p_amount text, p_currency text) OWNER TO payments_owner;

--
-- Name: FUNCTION minor_of(p_amount text, p_currency text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.minor_of(p_amount text, p_currency text) IS 'A decimal amount in minor units, exactly, or NULL';

--
-- Name: move_change(pay.change, text, pay.fact); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.move_change(p_change pay.change, p_to text, p_word pay.fact) RETURNS pay.fact[]
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF p_change.kind = 'refund' AND p_to = 'SUCCESS' THEN
        RETURN refund_done(p_change, p_word);
    ELSIF p_change.kind = 'refund' AND p_to = 'FAILED' THEN
        RETURN refund_failed(p_change, p_word);
    ELSIF p_change.kind = 'capture' AND p_to = 'SUCCESS' THEN
        RETURN capture_done(p_change, p_word);
    END IF;

    PERFORM set_change(p_change, p_to, p_word);

    RETURN CASE
        WHEN p_to = 'FAILED' THEN ARRAY[change_fact(p_change, p_word,
            p_change.kind || '_failed', NULL)]
        WHEN p_to = 'SUCCESS' AND p_change.replaced_by IS NOT NULL
            AND is_failed(p_change) THEN '{}'
        WHEN p_to = 'SUCCESS' THEN ARRAY[change_fact(p_change, p_word,
            CASE WHEN is_failed(p_change) THEN 'released'
                 ELSE 'cancelled' END, NULL)]
        WHEN p_change.kind = 'refund' AND p_change.status = 'NOT_STARTED'
            THEN ARRAY[change_fact(p_change, p_word, 'refund_sent', NULL)]
        ELSE '{}' END;
END
$$;

ALTER FUNCTION pay.move_change(p_change pay.change, p_to text, p_word pay.fact) OWNER TO payments_owner;

--
-- Name: FUNCTION move_change(p_change pay.change, p_to text, p_word pay.fact); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.move_change(p_change pay.change, p_to text, p_word pay.fact) IS 'Takes a change on: EXECUTING, SUCCESS or FAILED';

--
-- Name: move_orders(pay.fact[], integer); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.move_orders(p_facts pay.fact[], p_turn integer, OUT moved integer[], OUT late integer[], OUT against integer[], OUT told integer[], OUT booked pay.posting[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_now   timestamptz := clock_timestamp();
    v_at    text := iso_micros(v_now);
    v_tx    bigint := this_tx();
    v_moves move[];
    v_rest  boolean;
    v_books boolean;
BEGIN
    WITH step AS (
        SELECT f.item, f.merchant_id, f.checkout_id, f.order_id, f.kind,
            f.actor, f.request_id, o.part, o.tid, o.payment_order_id,
            o.status AS old_status, o.version + 1 AS version, o.was,
            greatest(o.head_tx, v_tx) AS tx, encode(o.head, 'hex') AS head,
            (o.version + 1)::text AS version_text,
            greatest(o.head_tx, v_tx)::text AS tx_text,
            d.about::text AS about_text,
            p.capture, k.news, d.takes_all, d.about, d.new_status,
            d.new_status <> o.status OR k.news IN ('authorized', 'released')
                OR d.takes_all AS changes,
            CASE WHEN d.new_status <> 'FAILED' THEN NULL
                 WHEN o.status = 'FAILED' THEN o.reason
                 WHEN k.news = 'refused' THEN 'rejected'
                 ELSE k.news END AS new_reason
        FROM unnest(p_facts) f
        CROSS JOIN LATERAL (
            SELECT o.tableoid AS part, o.ctid AS tid, o.payment_order_id,
                o.status, o.reason, o.version, o.head, o.head_tx, o AS was
            FROM payment_order o
            WHERE o.merchant_id = f.merchant_id
                AND o.checkout_id = f.checkout_id
                AND coalesce(f.order_id, o.payment_order_id)
                    = o.payment_order_id
            OFFSET 0) o
        LEFT JOIN LATERAL (
            SELECT c.capture,
                CASE WHEN f.kind = 'paid' AND f.actor <> 'operator'
                         AND o.status = 'FAILED'
                         AND (o.reason = 'expired'
                              OR c.replaced_by IS NOT NULL)
                         AND c.capture = 'automatic'
                     THEN nullif(c.late_success, 'accept') END AS policy
            FROM checkout c
            WHERE c.merchant_id = f.merchant_id
                AND c.checkout_id = f.checkout_id
            OFFSET 0) p ON f.kind IN ('paid', 'authorized')
                OR o.status = 'SUCCESS' AND f.kind IN ('expired', 'cancelled')
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN f.kind = 'authorized' AND o.status = 'FAILED'
                    AND p.capture = 'manual' AND NOT is_booked(f.merchant_id,
                        'order/' || o.payment_order_id, 'authorized')
                    THEN 'contradiction'
                WHEN f.kind IN ('cancelled', 'expired')
                    AND f.actor IN ('webhook', 'query')
                    AND o.status = 'FAILED' AND is_held_late(o.was)
                    THEN 'released'
                ELSE coalesce(manual_kind(f.kind, f.actor, f.order_id,
                                          p.capture, o.was),
                    CASE WHEN f.kind = 'expired'
                             AND o.status IN ('NOT_STARTED', 'EXECUTING')
                             AND is_closing(f.merchant_id, f.checkout_id)
                         THEN 'cancelled' END,
                    news_kind(f.kind, f.actor, o.status, p.policy))
                END AS news
            OFFSET 0) k
        CROSS JOIN LATERAL (
            SELECT t.takes_all, next_status(o.status, k.news) AS new_status,
                jsonb_strip_nulls(jsonb_build_object('type', f.type,
                'code', f.code, 'reference', f.reference,
                'policy', p.policy,
                'captured_minor', CASE WHEN t.takes_all
                                           AND p.capture = 'manual'
                                       THEN (o.was).amount_minor END,
                'said', CASE WHEN k.news = 'contradiction' THEN f.kind END,
                'amount_minor', CASE WHEN k.news IN (
                    'mismatch', 'contradiction') THEN f.amount_minor END,
                'currency', CASE WHEN k.news IN (
                    'mismatch', 'contradiction') THEN f.currency END))
                || coalesce(f.detail, '{}') AS about
            FROM (SELECT f.kind = 'paid' AND f.order_id IS NULL
                      AND k.news IN ('paid', 'captured') AS takes_all) t
            OFFSET 0) d
        WHERE f.turn = p_turn
    ), moved AS (
        UPDATE payment_order o
        SET status = s.new_status, reason = s.new_reason,
            version = s.version,
            captured_minor = CASE WHEN s.takes_all THEN o.amount_minor
                                  ELSE o.captured_minor END,
            authorized_minor = CASE
                WHEN s.news = 'authorized'
                    THEN o.amount_minor - o.captured_minor
                WHEN s.takes_all OR s.news = 'released'
                    OR s.new_status = 'FAILED' THEN 0
                ELSE o.authorized_minor END,
            decline = CASE WHEN s.new_status <> 'SUCCESS'
                               AND s.about ? 'decline'
                           THEN next_decline(o.decline, s.about, v_now)
                           ELSE o.decline END,
            head = chained_hash(s.head, s.merchant_id, s.payment_order_id,
                s.version_text, v_at, s.tx_text, s.news, s.actor,
                s.old_status, s.new_status, s.new_reason, s.about_text,
                s.request_id),
            head_tx = s.tx
        FROM step s
        WHERE o.ctid = s.tid AND o.tableoid = s.part
            AND (s.new_status <> s.old_status
                 OR s.news IN ('registered', 'registration_unknown',
                               'registration_not_sent', 'rerouted',
                               'mismatch', 'late_refunded',
                               'dead_letter_requeued',
                               'dead_letter_resolved', 'mismatch_settled')
                 OR is_money(s.news)
                 OR s.news = 'attempt_declined'
                    AND attempt_is_news(s.was, s.about ->> 'attempt')
                 OR s.news = 'authorized' AND s.old_status = 'EXECUTING'
                    AND (s.was).authorized_minor = 0
                 OR s.news = 'notified' AND s.actor = 'webhook'
                    AND s.old_status <> 'SUCCESS'
                 OR s.news = 'contradiction' AND s.actor = 'webhook'
                 OR (s.news = 'pending' AND s.old_status = 'EXECUTING'
                     OR s.news IN ('late_success', 'contradiction'))
                    AND NOT is_told(s.merchant_id, s.checkout_id,
                        s.payment_order_id, s.news,
                        CASE WHEN s.news = 'contradiction'
                             THEN s.actor END))
        RETURNING s.item, s.merchant_id, s.checkout_id, s.payment_order_id,
            s.version, s.tx, s.news, s.actor, s.old_status, s.new_status,
            s.new_reason, s.about, s.request_id, s.changes, o.head,
            CASE WHEN s.changes AND (s.new_status = 'FAILED'
                     OR s.new_status = 'SUCCESS' AND (s.order_id IS NULL
                         OR all_sold(s.merchant_id, s.checkout_id,
                                     s.order_id)))
                 THEN s.new_status END AS final,
            CASE WHEN s.news = 'authorized'
                     OR (s.was).authorized_minor > 0
                     OR s.takes_all AND s.capture = 'manual'
                 THEN manual_postings(s.was, o, s.news, s.request_id)
                 END AS booked
    ), logged AS (
        INSERT INTO event (merchant_id, payment_order_id, seq, at, tx, kind,
            actor, old_status, new_status, reason, detail, request_id, hash)
        SELECT m.merchant_id, m.payment_order_id, m.version, v_now, m.tx,
            m.news, m.actor, m.old_status, m.new_status, m.new_reason,
            m.about, m.request_id, m.head
        FROM moved m
    ), told AS (
        INSERT INTO outbox (merchant_id, payment_order_id, seq, at, kind)
        SELECT m.merchant_id, m.payment_order_id, m.version, v_now,
            CASE WHEN m.new_status = m.old_status THEN outbox_kind(m.news)
                 WHEN m.new_status = 'SUCCESS' THEN 'payment.succeeded'
                 ELSE 'payment.failed' END
        FROM moved m
        WHERE CASE WHEN m.new_status = m.old_status
                   THEN outbox_kind(m.news) IS NOT NULL
                   ELSE m.new_status IN ('SUCCESS', 'FAILED') END
    ), counted AS (
        -- what its readers see has changed: a status, money, or the address
        -- that "registered" brings; "paid" takes every order to SUCCESS, or
        -- the one that it is about
        UPDATE checkout c
        SET version = c.version + 1,
            is_payment_done = c.is_payment_done OR x.done
        FROM (SELECT m.merchant_id, m.checkout_id,
                  bool_or(m.news = 'paid' AND m.final IS NOT NULL) AS done
              FROM moved m
              WHERE m.new_status <> m.old_status
                  OR m.news IN ('registered', 'authorized',
                                'attempt_declined')
                  OR is_money(m.news)
              GROUP BY m.merchant_id, m.checkout_id) x
        CROSS JOIN LATERAL (
            SELECT k.tableoid AS part, k.ctid AS tid FROM checkout k
            WHERE k.merchant_id = x.merchant_id
                AND k.checkout_id = x.checkout_id
            OFFSET 0) k
        WHERE c.ctid = k.tid AND c.tableoid = k.part
    )
    SELECT m.moved, s.late, s.against, m.told, m.moves, m.rest, m.books
    INTO moved, late, against, told, v_moves, v_rest, v_books
    FROM (SELECT array_agg(s.item) FILTER (WHERE s.news = 'late_success')
                  AS late,
              array_agg(s.item) FILTER (WHERE s.news = 'contradiction')
                  AS against
          FROM step s) s
    CROSS JOIN (
        SELECT array_agg(DISTINCT m.item) FILTER (WHERE m.changes) AS moved,
            array_agg(m.item) FILTER (WHERE m.news = 'contradiction')
                AS told,
            array_agg(ROW(m.merchant_id, m.checkout_id, m.final, m.booked,
                          m.actor = 'gateway'
                              AND m.new_reason = 'expired')::move) AS moves,
            bool_or(m.final IS NOT NULL) AS rest,
            bool_or(m.booked IS NOT NULL) AS books
        FROM moved m) m;

    IF v_rest THEN
        PERFORM end_jobs(v_moves);
    END IF;

    IF v_books THEN
        booked := ARRAY(SELECT p FROM unnest(v_moves) m
                        CROSS JOIN LATERAL unnest(m.booked) p);
    END IF;
END
$$;

ALTER FUNCTION pay.move_orders(p_facts pay.fact[], p_turn integer, OUT moved integer[], OUT late integer[], OUT against integer[], OUT told integer[], OUT booked pay.posting[]) OWNER TO payments_owner;

--
-- Name: FUNCTION move_orders(p_facts pay.fact[], p_turn integer, OUT moved integer[], OUT late integer[], OUT against integer[], OUT told integer[], OUT booked pay.posting[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.move_orders(p_facts pay.fact[], p_turn integer, OUT moved integer[], OUT late integer[], OUT against integer[], OUT told integer[], OUT booked pay.posting[]) IS 'Moves the orders of one turn of facts and writes their events';

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
        SELECT k.tableoid AS part, k.ctid AS tid FROM registration r
        CROSS JOIN LATERAL (
            SELECT k.tableoid, k.ctid FROM dispatch k
            WHERE k.merchant_id = r.merchant_id
                AND k.checkout_id = r.checkout_id
                AND k.operation = 'register' AND k.operation_id = r.nonce
            ORDER BY k.attempt DESC LIMIT 1) k
        WHERE r.merchant_id = f.merchant_id
            AND r.checkout_id = f.checkout_id
        OFFSET 0) k
    WHERE d.ctid = k.tid AND d.tableoid = k.part;

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
                SELECT k.tableoid AS part, k.ctid AS tid FROM registration k
                WHERE k.merchant_id = p_merchant_id[m.item]
                    AND k.checkout_id = p_checkout_id[m.item]
                OFFSET 0) k
            WHERE r.ctid = k.tid AND r.tableoid = k.part;

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
-- Name: name_capture(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.name_capture(p_news pay.news) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE change c
    SET reference = p_news.object
    WHERE (c.merchant_id, c.checkout_id, c.change_id) = (
        SELECT x.merchant_id, x.checkout_id, x.change_id FROM change x
        WHERE x.merchant_id = p_news.merchant_id
            AND x.checkout_id = p_news.checkout_id AND x.kind = 'capture'
            AND x.origin = 'psp' AND x.reference IS NULL
            AND x.amount_minor = p_news.amount_minor
        ORDER BY x.created_at LIMIT 1);

    RETURN FOUND;
END
$$;

ALTER FUNCTION pay.name_capture(p_news pay.news) OWNER TO payments_owner;

--
-- Name: FUNCTION name_capture(p_news pay.news); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.name_capture(p_news pay.news) IS 'Names a capture that was known as part of a sum; false: there is none';

--
-- Name: named_order(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.named_order(p_news pay.news) RETURNS pay.payment_order
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_orders text[] := ARRAY(
        SELECT DISTINCT c.payment_order_id::text FROM change c
        WHERE c.merchant_id = p_news.merchant_id
            AND c.checkout_id = p_news.checkout_id AND c.kind = 'capture'
            AND c.psp = p_news.psp AND c.reference = p_news.reference);
    v_order  payment_order;
BEGIN
    IF cardinality(v_orders) <> 1 THEN
        RETURN only_order(p_news.merchant_id, p_news.checkout_id);
    END IF;

    SELECT * INTO v_order FROM find_order(p_news.merchant_id, v_orders[1]);

    RETURN v_order;
END
$$;

ALTER FUNCTION pay.named_order(p_news pay.news) OWNER TO payments_owner;

--
-- Name: FUNCTION named_order(p_news pay.news); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.named_order(p_news pay.news) IS 'Whose money a PSP''s word is about, where that can be told';

--
-- Name: dispatch; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.dispatch (
    merchant_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    operation pay.dispatch_operation NOT NULL,
    operation_id pay.id NOT NULL,
    attempt pay.ordinal DEFAULT 1 NOT NULL,
    psp pay.id NOT NULL,
    state pay.dispatch_state DEFAULT 'OPEN'::text NOT NULL,
    sends pay.ordinal DEFAULT 1 NOT NULL,
    unsure boolean DEFAULT false NOT NULL,
    first_sent_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    sent_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    lease_until timestamp with time zone,
    ended_at timestamp with time zone,
    key_until timestamp with time zone NOT NULL,
    reach pay.dispatch_reach,
    http_status integer,
    code text,
    reference text,
    request_id text,
    settled boolean DEFAULT false NOT NULL,
    CONSTRAINT dispatch_check CHECK ((((state)::text = 'OPEN'::text) = (ended_at IS NULL))),
    CONSTRAINT dispatch_check1 CHECK ((((sends)::integer > 1) OR (NOT unsure))),
    CONSTRAINT dispatch_check2 CHECK ((((sends)::integer = 1) OR (sent_at < key_until)))
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
-- Name: news_doubt(pay.news, text, pay.posting[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.news_doubt(p_news pay.news, p_why text, p_postings pay.posting[] DEFAULT NULL::pay.posting[], OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_fact fact := doubt(news_word(p_news), p_news.about, p_why,
        p_news.object, p_news.amount_minor, p_news.currency);
BEGIN
    outcome := CASE p_why WHEN 'contradiction' THEN p_why
                          ELSE 'mismatch' END;
    v_fact.reference := NULL;
    v_fact.postings := p_postings;
    facts := CASE WHEN p_news.source = 'query' AND EXISTS (
        SELECT FROM mismatch m
        WHERE m.merchant_id = p_news.merchant_id
            AND m.checkout_id = p_news.checkout_id
            AND m.kind = p_news.about AND m.why = p_why
            AND m.object IS NOT DISTINCT FROM p_news.object)
        THEN '{}' ELSE ARRAY[v_fact] END;
END
$$;

ALTER FUNCTION pay.news_doubt(p_news pay.news, p_why text, p_postings pay.posting[], OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION news_doubt(p_news pay.news, p_why text, p_postings pay.posting[], OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.news_doubt(p_news pay.news, p_why text, p_postings pay.posting[], OUT outcome text, OUT facts pay.fact[]) IS 'A PSP''s word about what follows a sale that is not believed';

--
-- Name: news_fact(pay.news, text, text, pay.posting[], jsonb); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.news_fact(p_news pay.news, p_kind text, p_order_id text, p_postings pay.posting[], p_more jsonb) RETURNS pay.fact
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_fact fact := news_word(p_news);
BEGIN
    v_fact.kind := p_kind;
    v_fact.reference := NULL;
    v_fact.order_id := p_order_id;
    v_fact.postings := p_postings;
    v_fact.detail := v_fact.detail || jsonb_strip_nulls(p_more);

    RETURN v_fact;
END
$$;

ALTER FUNCTION pay.news_fact(p_news pay.news, p_kind text, p_order_id text, p_postings pay.posting[], p_more jsonb) OWNER TO payments_owner;

--
-- Name: FUNCTION news_fact(p_news pay.news, p_kind text, p_order_id text, p_postings pay.posting[], p_more jsonb); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.news_fact(p_news pay.news, p_kind text, p_order_id text, p_postings pay.posting[], p_more jsonb) IS 'A PSP''s word as a fact';

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
-- Name: news_of(pay.change, text, pay.fact); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.news_of(p_change pay.change, p_object text, p_word pay.fact) RETURNS pay.news
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN ROW(0, p_change.merchant_id, p_change.checkout_id, p_change.psp,
        p_word.actor, p_word.event_id, p_word.type, 'refund',
        CASE p_change.status WHEN 'SUCCESS' THEN 'succeeded'
                             WHEN 'FAILED' THEN 'failed'
                             ELSE 'pending' END,
        NULL, NULL, p_object, NULL, p_change.amount_minor, p_change.currency,
        NULL, NULL, NULL, NULL, p_word.request_id, NULL)::news;
END
$$;

ALTER FUNCTION pay.news_of(p_change pay.change, p_object text, p_word pay.fact) OWNER TO payments_owner;

--
-- Name: FUNCTION news_of(p_change pay.change, p_object text, p_word pay.fact); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.news_of(p_change pay.change, p_object text, p_word pay.fact) IS 'What has been heard of a refund, as news';

--
-- Name: news_of_mismatch(pay.mismatch, text, bigint); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.news_of_mismatch(p_mismatch pay.mismatch, p_news text, p_amount_minor bigint) RETURNS pay.news
    LANGUAGE sql STABLE
    AS $$
SELECT ROW(0, (p_mismatch).merchant_id, (p_mismatch).checkout_id,
    (p_mismatch).psp, 'operator', NULL, NULL, (p_mismatch).kind, p_news,
    NULL, NULL, (p_mismatch).object, NULL, p_amount_minor,
    (SELECT c.currency FROM checkout c
     WHERE c.merchant_id = (p_mismatch).merchant_id
         AND c.checkout_id = (p_mismatch).checkout_id),
    NULL, NULL, NULL, NULL, NULL, NULL)::news
$$;

ALTER FUNCTION pay.news_of_mismatch(p_mismatch pay.mismatch, p_news text, p_amount_minor bigint) OWNER TO payments_owner;

--
-- Name: FUNCTION news_of_mismatch(p_mismatch pay.mismatch, p_news text, p_amount_minor bigint); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.news_of_mismatch(p_mismatch pay.mismatch, p_news text, p_amount_minor bigint) IS 'A row of the mismatch queue as news';

--
-- Name: news_ok(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.news_ok(p_about text, p_news text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT coalesce(CASE
    WHEN p_about = 'capture'
        THEN p_news IN ('pending', 'succeeded', 'failed', 'ended', 'single')
    WHEN p_about = 'refund'
        THEN p_news IN ('pending', 'succeeded', 'failed')
    WHEN p_about = 'dispute' THEN p_news IN ('opened', 'won', 'lost')
    WHEN p_about = 'fee' THEN p_news IN ('succeeded', 'failed') END, false)
$$;

ALTER FUNCTION pay.news_ok(p_about text, p_news text) OWNER TO payments_owner;

--
-- Name: FUNCTION news_ok(p_about text, p_news text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.news_ok(p_about text, p_news text) IS 'Whether this can be said about it';

--
-- Name: news_source(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.news_source(p_news pay.news) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT CASE (p_news).about WHEN 'dispute' THEN 'dispute/' ELSE 'event/' END
    || (p_news).psp || '/' || coalesce((p_news).object, (p_news).event_id,
                                       (p_news).reference, (p_news).token)
$$;

ALTER FUNCTION pay.news_source(p_news pay.news) OWNER TO payments_owner;

--
-- Name: FUNCTION news_source(p_news pay.news); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.news_source(p_news pay.news) IS 'The source of entries of what is known by a PSP''s word alone';

--
-- Name: news_word(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.news_word(p_news pay.news) RETURNS pay.fact
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN ROW(0, NULL, p_news.merchant_id, p_news.checkout_id, '',
        CASE p_news.source WHEN 'backfill' THEN 'webhook'
                           ELSE p_news.source END,
        p_news.psp, p_news.event_id, p_news.type, p_news.code, NULL,
        p_news.object, NULL, NULL, p_news.request_id,
        jsonb_strip_nulls(jsonb_build_object('object', p_news.object,
            'via', CASE p_news.source WHEN 'backfill' THEN 'backfill' END)),
        NULL, NULL, NULL)::fact;
END
$$;

ALTER FUNCTION pay.news_word(p_news pay.news) OWNER TO payments_owner;

--
-- Name: FUNCTION news_word(p_news pay.news); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.news_word(p_news pay.news) IS 'The word of a PSP, before it is judged';

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
-- Name: next_decline(jsonb, jsonb, timestamp with time zone); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.next_decline(p_old jsonb, p_detail jsonb, p_at timestamp with time zone) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
SELECT CASE
    WHEN p_old IS NOT NULL AND p_detail ->> 'decline' = 'unknown'
        AND NOT p_detail ? 'attempt' THEN p_old
    ELSE jsonb_strip_nulls(jsonb_build_object(
        'code', p_detail -> 'decline', 'can_retry', p_detail -> 'can_retry',
        'psp_code', p_detail -> 'code', 'at', iso_time(p_at),
        'attempt', p_detail -> 'attempt',
        'attempts', coalesce((p_old ->> 'attempts')::int, 0)
            + CASE WHEN p_old ->> 'attempt' = p_detail ->> 'attempt'
                   THEN 0 ELSE 1 END)) END
$$;

ALTER FUNCTION pay.next_decline(p_old jsonb, p_detail jsonb, p_at timestamp with time zone) OWNER TO payments_owner;

--
-- Name: FUNCTION next_decline(p_old jsonb, p_detail jsonb, p_at timestamp with time zone); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.next_decline(p_old jsonb, p_detail jsonb, p_at timestamp with time zone) IS 'What an order shows of a declined attempt';

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
    state pay.webhook_state NOT NULL,
    via pay.webhook_way DEFAULT 'webhook'::text NOT NULL,
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
    decline jsonb,
    about jsonb,
    CONSTRAINT webhook_inbox_check CHECK ((((state)::text <> 'parked'::text) OR (token IS NOT NULL)))
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
    WHEN p_kind IN ('pending', 'authorized', 'registered',
                    'registration_unknown')
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
-- Name: number_facts(pay.fact[], integer); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.number_facts(p_facts pay.fact[], p_after integer) RETURNS pay.fact[]
    LANGUAGE plpgsql IMMUTABLE
    AS $$
BEGIN
    FOR v_n IN 1 .. cardinality(p_facts) LOOP
        p_facts[v_n].item := p_after + v_n;
    END LOOP;

    RETURN p_facts;
END
$$;

ALTER FUNCTION pay.number_facts(p_facts pay.fact[], p_after integer) OWNER TO payments_owner;

--
-- Name: FUNCTION number_facts(p_facts pay.fact[], p_after integer); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.number_facts(p_facts pay.fact[], p_after integer) IS 'Facts with numbers of their own';

--
-- Name: old_page_is_open(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.old_page_is_open(p_merchant_id text, p_checkout_id text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM checkout c
        JOIN registration r ON r.merchant_id = c.merchant_id
            AND r.checkout_id = c.checkout_id AND r.waits
        WHERE c.merchant_id = p_merchant_id
            AND c.checkout_id = p_checkout_id
            AND c.replaces IS NOT NULL
            AND (has_money(c.merchant_id, c.replaces) OR NOT EXISTS (
                SELECT FROM checkout o
                JOIN change x ON x.merchant_id = o.merchant_id
                    AND x.checkout_id = o.checkout_id
                WHERE o.merchant_id = c.merchant_id
                    AND o.checkout_id = c.replaces
                    AND o.replaced_by = c.checkout_id
                    AND x.replaced_by = c.checkout_id
                    AND x.status = 'SUCCESS')));
END
$$;

ALTER FUNCTION pay.old_page_is_open(p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION old_page_is_open(p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.old_page_is_open(p_merchant_id text, p_checkout_id text) IS 'Whether it was to replace a page that was not closed for it';

--
-- Name: only_order(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.only_order(p_merchant_id text, p_checkout_id text) RETURNS pay.payment_order
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_orders payment_order[];
BEGIN
    v_orders := ARRAY(
        SELECT o FROM payment_order o
        WHERE o.merchant_id = p_merchant_id
            AND o.checkout_id = p_checkout_id);

    RETURN CASE WHEN cardinality(v_orders) = 1 THEN v_orders[1] END;
END
$$;

ALTER FUNCTION pay.only_order(p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION only_order(p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.only_order(p_merchant_id text, p_checkout_id text) IS 'Whose money it must be, where nobody else''s it can be';

--
-- Name: open_change(pay.payment_order); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.open_change(p_order pay.payment_order, OUT kind text, OUT run_at timestamp with time zone, OUT letter boolean, OUT code text) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    SELECT c.kind, greatest(j.run_at, j.lease_until),
        l.dead_letter_id IS NOT NULL, coalesce(j.code, l.code)
    INTO kind, run_at, letter, code
    FROM change c
    LEFT JOIN LATERAL (
        SELECT x.* FROM letters_of(c.merchant_id, c.checkout_id) x
        WHERE x.state = 'open' AND x.kind = 'change'
            AND x.operation_id = c.change_id) l ON true
    LEFT JOIN LATERAL (
        SELECT x.* FROM job x
        WHERE x.merchant_id = c.merchant_id
            AND x.checkout_id = c.checkout_id AND x.kind = 'change'
            AND x.operation_id = c.change_id
        OFFSET 0) j ON true
    WHERE c.merchant_id = p_order.merchant_id
        AND c.checkout_id = p_order.checkout_id
        AND (c.payment_order_id = p_order.payment_order_id
             OR c.kind = 'cancel')
        AND c.status IN ('NOT_STARTED', 'EXECUTING')
    ORDER BY 3 DESC, c.created_at, c.change_id LIMIT 1;
END
$$;

ALTER FUNCTION pay.open_change(p_order pay.payment_order, OUT kind text, OUT run_at timestamp with time zone, OUT letter boolean, OUT code text) OWNER TO payments_owner;

--
-- Name: FUNCTION open_change(p_order pay.payment_order, OUT kind text, OUT run_at timestamp with time zone, OUT letter boolean, OUT code text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.open_change(p_order pay.payment_order, OUT kind text, OUT run_at timestamp with time zone, OUT letter boolean, OUT code text) IS 'The change of an order that is open, one that needs people first';

--
-- Name: open_dead_letter(text[], text[], text[], text[], text[], text[], text[], integer[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.open_dead_letter(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_event_id text[], p_kind text[], p_reason text[], p_code text[], p_attempts integer[], p_operation_id text[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO dead_letter (merchant_id, checkout_id, psp, event_id, kind,
        reason, code, attempts, operation_id)
    SELECT u.merchant_id, u.checkout_id, u.psp, u.event_id, u.kind, u.reason,
        nullif(u.code, ''), coalesce(u.attempts, 0),
        nullif(u.operation_id, '')
    FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_event_id, p_kind,
        p_reason, p_code, p_attempts, p_operation_id) AS u (merchant_id,
        checkout_id, psp, event_id, kind, reason, code, attempts,
        operation_id)
    ORDER BY u.merchant_id, u.checkout_id, u.kind, u.psp, u.event_id,
        u.operation_id
    ON CONFLICT (merchant_id, checkout_id, kind, psp, event_id,
                 operation_id)
        WHERE state = 'open'
        DO NOTHING;
END
$$;

ALTER FUNCTION pay.open_dead_letter(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_event_id text[], p_kind text[], p_reason text[], p_code text[], p_attempts integer[], p_operation_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION open_dead_letter(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_event_id text[], p_kind text[], p_reason text[], p_code text[], p_attempts integer[], p_operation_id text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.open_dead_letter(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_event_id text[], p_kind text[], p_reason text[], p_code text[], p_attempts integer[], p_operation_id text[]) IS 'Puts down what people should look at, once while it is open';

--
-- Name: open_dispute(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.open_dispute(p_news pay.news, OUT outcome text, OUT facts pay.fact[], OUT is_ours boolean) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_order  payment_order := named_order(p_news);
    v_nobody payment_order;
    v_split  record := split_orders(p_news);
BEGIN
    IF p_news.amount_minor <= room_of(v_order, 'dispute') THEN
        SELECT ARRAY[v_order] AS orders, ARRAY[p_news.amount_minor] AS parts
        INTO v_split;
    END IF;

    IF v_split.parts IS NULL THEN
        is_ours := (insert_dispute(p_news, v_nobody, p_news.amount_minor,
                                   1)).dispute_id IS NOT NULL;
        SELECT * INTO outcome, facts FROM news_doubt(p_news,
            CASE WHEN is_ours THEN 'exceeds' ELSE 'unknown' END);
        RETURN;
    END IF;

    facts := lay_dispute(p_news, v_split.orders, v_split.parts, 1);
    is_ours := facts IS NOT NULL;
    outcome := 'applied';

    IF NOT is_ours THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'unknown');
    ELSIF cardinality(v_split.orders) > 1
        OR v_order.payment_order_id IS NULL
    THEN
        facts := facts || split_note(p_news);
    END IF;
END
$$;

ALTER FUNCTION pay.open_dispute(p_news pay.news, OUT outcome text, OUT facts pay.fact[], OUT is_ours boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION open_dispute(p_news pay.news, OUT outcome text, OUT facts pay.fact[], OUT is_ours boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.open_dispute(p_news pay.news, OUT outcome text, OUT facts pay.fact[], OUT is_ours boolean) IS 'A buyer has disputed a payment';

--
-- Name: open_mismatches(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.open_mismatches(p_merchant_id text, p_checkout_id text) RETURNS SETOF pay.mismatch
    LANGUAGE sql STABLE
    AS $$
SELECT m.*
FROM (SELECT * FROM mismatch x
      WHERE x.merchant_id = p_merchant_id AND x.checkout_id = p_checkout_id
      OFFSET 0) m
WHERE NOT EXISTS (
    SELECT FROM mismatch_settlement s
    WHERE s.merchant_id = m.merchant_id AND s.checkout_id = m.checkout_id
        AND s.mismatch_id = m.mismatch_id)
$$;

ALTER FUNCTION pay.open_mismatches(p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION open_mismatches(p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.open_mismatches(p_merchant_id text, p_checkout_id text) IS 'What was not believed of a checkout and nobody has settled';

--
-- Name: order_differences(text[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.order_differences(p_merchant_id text[], p_payment_order_id text[]) RETURNS TABLE(merchant_id text, checkout_id text, detail jsonb)
    LANGUAGE sql STABLE
    AS $$
SELECT o.merchant_id, o.checkout_id,
    d.detail || jsonb_build_object('payment_order_id', o.payment_order_id)
FROM unnest(p_merchant_id, p_payment_order_id)
    AS u (merchant_id, payment_order_id)
CROSS JOIN LATERAL (
    SELECT * FROM payment_order o
    WHERE o.merchant_id = u.merchant_id
        AND o.payment_order_id = u.payment_order_id
    OFFSET 0) o
CROSS JOIN LATERAL booked(o.merchant_id, o.checkout_id,
                          o.payment_order_id) b
CROSS JOIN LATERAL (
    SELECT c.created_at - interval '1 day' AS since FROM checkout c
    WHERE c.merchant_id = o.merchant_id AND c.checkout_id = o.checkout_id
    OFFSET 0) c
LEFT JOIN LATERAL (
    SELECT e AS event, e.hash, e.new_status FROM event e
    WHERE e.merchant_id = o.merchant_id
        AND e.payment_order_id = o.payment_order_id
        AND e.seq = o.version AND e.at >= c.since
    OFFSET 0) e ON true
LEFT JOIN LATERAL (
    SELECT e.hash FROM event e
    WHERE e.merchant_id = o.merchant_id
        AND e.payment_order_id = o.payment_order_id
        AND e.seq = o.version - 1 AND e.at >= c.since
    OFFSET 0) p ON o.version > 1
CROSS JOIN LATERAL (VALUES
    (CASE WHEN (b.captured, b.refunding, b.refunded)
              <> (o.captured_minor, o.refunding_minor, o.refunded_minor)
     THEN jsonb_build_object('check', 'order_ledger',
        'order', jsonb_build_array(o.captured_minor, o.refunding_minor,
                                   o.refunded_minor),
        'ledger', jsonb_build_array(b.captured, b.refunding, b.refunded)) END),
    (CASE WHEN b.unbalanced > 0
     THEN jsonb_build_object('check', 'journal_balances',
        'entries', b.unbalanced) END),
    (CASE WHEN (o.status = 'SUCCESS') <> (o.captured_minor > 0)
     THEN jsonb_build_object('check', 'sale_booked', 'status', o.status,
        'captured', o.captured_minor) END),
    (CASE WHEN e.hash IS DISTINCT FROM o.head
               OR e.new_status IS DISTINCT FROM o.status
               OR p.hash IS NOT NULL
                   AND event_hash(p.hash, e.event) <> e.hash
     THEN jsonb_build_object('check', 'event_head', 'seq', o.version) END)
    ) AS d (detail)
WHERE d.detail IS NOT NULL
$$;

ALTER FUNCTION pay.order_differences(p_merchant_id text[], p_payment_order_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION order_differences(p_merchant_id text[], p_payment_order_id text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.order_differences(p_merchant_id text[], p_payment_order_id text[]) IS 'What of these orders does not agree with the ledger or the log';

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
-- Name: order_money(pay.payment_order, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.order_money(p_order pay.payment_order, p_capture text) RETURNS json
    LANGUAGE sql STABLE
    AS $$
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

ALTER FUNCTION pay.order_money(p_order pay.payment_order, p_capture text) OWNER TO payments_owner;

--
-- Name: FUNCTION order_money(p_order pay.payment_order, p_capture text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.order_money(p_order pay.payment_order, p_capture text) IS 'What became of an order''s money, for the view of a checkout';

--
-- Name: order_ok(jsonb, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.order_ok(p_order jsonb, p_currency text) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
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

ALTER FUNCTION pay.order_ok(p_order jsonb, p_currency text) OWNER TO payments_owner;

--
-- Name: FUNCTION order_ok(p_order jsonb, p_currency text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.order_ok(p_order jsonb, p_currency text) IS 'Whether begin_payment can take this order';

--
-- Name: order_posting(pay.payment_order, text, text, text, bigint, bigint, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.order_posting(p_order pay.payment_order, p_source text, p_kind text, p_psp text, p_amount_minor bigint, p_seller_minor bigint, p_request_id text) RETURNS pay.posting[]
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    IF p_amount_minor = 0 OR p_seller_minor = 0 AND NOT EXISTS (
        SELECT FROM posting_rule r
        WHERE r.kind = p_kind AND r.leg = 'buyer')
    THEN
        RETURN '{}';
    END IF;

    RETURN ARRAY[ROW(p_order.merchant_id, p_source, p_kind,
        p_order.checkout_id, p_order.payment_order_id, p_psp,
        p_order.seller_account, p_amount_minor, p_order.currency,
        p_seller_minor, coalesce(p_order.credit_currency, p_order.currency),
        p_order.credit_rate, p_request_id)::posting];
END
$$;

ALTER FUNCTION pay.order_posting(p_order pay.payment_order, p_source text, p_kind text, p_psp text, p_amount_minor bigint, p_seller_minor bigint, p_request_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION order_posting(p_order pay.payment_order, p_source text, p_kind text, p_psp text, p_amount_minor bigint, p_seller_minor bigint, p_request_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.order_posting(p_order pay.payment_order, p_source text, p_kind text, p_psp text, p_amount_minor bigint, p_seller_minor bigint, p_request_id text) IS 'An entry about a part of an order''s money';

--
-- Name: orders_named(pay.mismatch, text[], bigint[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.orders_named(p_mismatch pay.mismatch, p_orders text[], p_amounts bigint[]) RETURNS pay.payment_order[]
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_orders payment_order[] := ARRAY(
        SELECT o FROM unnest(p_orders) WITH ORDINALITY AS u (id, n)
        CROSS JOIN LATERAL find_order(p_mismatch.merchant_id, u.id) o
        WHERE o.checkout_id = p_mismatch.checkout_id
        ORDER BY u.n);
BEGIN
    RETURN CASE WHEN cardinality(v_orders) = cardinality(p_orders)
        AND cardinality(p_orders) = cardinality(p_amounts)
        AND cardinality(p_orders) = (SELECT count(DISTINCT i)
                                     FROM unnest(p_orders) i)
        AND array_position(p_amounts, NULL) IS NULL
        AND 0 < ALL (p_amounts) THEN v_orders END;
END
$$;

ALTER FUNCTION pay.orders_named(p_mismatch pay.mismatch, p_orders text[], p_amounts bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION orders_named(p_mismatch pay.mismatch, p_orders text[], p_amounts bigint[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.orders_named(p_mismatch pay.mismatch, p_orders text[], p_amounts bigint[]) IS 'The orders that an operator has named, or NULL';

--
-- Name: outbox_kind(text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.outbox_kind(p_news text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT CASE p_news WHEN 'authorized' THEN 'payment.authorized'
                   WHEN 'captured' THEN 'capture.succeeded'
                   WHEN 'capture_matched' THEN 'capture.succeeded'
                   WHEN 'capture_failed' THEN 'capture.failed'
                   WHEN 'cancel_failed' THEN 'cancel.failed'
                   WHEN 'refunded' THEN 'refund.succeeded'
                   WHEN 'refund_failed' THEN 'refund.failed'
                   WHEN 'refund_returned' THEN 'refund.returned'
                   WHEN 'dispute_opened' THEN 'dispute.opened'
                   WHEN 'dispute_won' THEN 'dispute.won'
                   WHEN 'dispute_lost' THEN 'dispute.lost' END
$$;

ALTER FUNCTION pay.outbox_kind(p_news text) OWNER TO payments_owner;

--
-- Name: FUNCTION outbox_kind(p_news text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.outbox_kind(p_news text) IS 'As what an event is told that moves no status; NULL: it is not told';

--
-- Name: outside_captures(pay.news, bigint); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.outside_captures(p_news pay.news, p_left bigint, OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_order payment_order;
BEGIN
    IF p_left <> (
        SELECT CASE WHEN count(*) = 1 THEN p_left
                    ELSE sum(o.amount_minor - o.captured_minor) END
        FROM payment_order o
        WHERE o.merchant_id = p_news.merchant_id
            AND o.checkout_id = p_news.checkout_id)
    THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'unknown');
        RETURN;
    END IF;

    facts := '{}';
    outcome := 'applied';

    FOR v_order IN
        SELECT o.* FROM payment_order o
        WHERE o.merchant_id = p_news.merchant_id
            AND o.checkout_id = p_news.checkout_id
            AND o.captured_minor < o.amount_minor
        ORDER BY o.position
    LOOP
        facts := facts || move_change(insert_outside(p_news, v_order, least(
            p_left, v_order.amount_minor - v_order.captured_minor)),
            'SUCCESS', news_word(p_news));
    END LOOP;
END
$$;

ALTER FUNCTION pay.outside_captures(p_news pay.news, p_left bigint, OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION outside_captures(p_news pay.news, p_left bigint, OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.outside_captures(p_news pay.news, p_left bigint, OUT outcome text, OUT facts pay.fact[]) IS 'Captures that somebody has made at the PSP';

--
-- Name: outside_pending(pay.change, pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.outside_pending(p_change pay.change, p_news pay.news) RETURNS pay.fact
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_order payment_order;
BEGIN
    UPDATE payment_order o
    SET refunding_minor = o.refunding_minor + p_change.amount_minor
    WHERE o.merchant_id = p_change.merchant_id
        AND o.checkout_id = p_change.checkout_id
        AND o.payment_order_id = p_change.payment_order_id
    RETURNING * INTO v_order;

    PERFORM set_change(p_change, 'EXECUTING', news_word(p_news));

    RETURN change_fact(p_change, news_word(p_news), 'refund_sent',
        order_posting(v_order, 'change/' || p_change.change_id,
            'refund_reserved', p_change.psp, p_change.amount_minor,
            p_change.seller_minor, p_news.request_id));
END
$$;

ALTER FUNCTION pay.outside_pending(p_change pay.change, p_news pay.news) OWNER TO payments_owner;

--
-- Name: FUNCTION outside_pending(p_change pay.change, p_news pay.news); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.outside_pending(p_change pay.change, p_news pay.news) IS 'A refund that was made at the PSP and is on its way';

--
-- Name: outside_refund(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.outside_refund(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_order  payment_order := named_order(p_news);
    v_split  record := split_orders(p_news);
    v_change change;
    v_why    text;
BEGIN
    IF p_news.news = 'failed' THEN
        SELECT * INTO outcome, facts FROM keep_failure(p_news, v_order);
        RETURN;
    ELSIF has_failed(p_news) THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'contradiction');
        RETURN;
    ELSIF coalesce(p_news.amount_minor, 0) = 0 THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'amount');
        RETURN;
    END IF;

    IF v_split.parts IS NOT NULL THEN
        outcome := 'applied';
        facts := lay_refund(p_news, v_split.orders, v_split.parts)
            || split_note(p_news);
        RETURN;
    END IF;

    v_why := CASE
        WHEN v_order.payment_order_id IS NULL THEN 'exceeds'
        WHEN (refund_terms(v_order, p_news.amount_minor)).outcome <> 'created'
            THEN 'exceeds' END;

    IF v_why IS NOT NULL THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, v_why,
            CASE p_news.news WHEN 'succeeded' THEN psp_posting(p_news,
                'unknown_refund', p_news.amount_minor, p_news.currency) END);
        RETURN;
    END IF;

    v_change := insert_outside(p_news, v_order, p_news.amount_minor);
    outcome := 'applied';
    facts := CASE p_news.news
        WHEN 'pending' THEN ARRAY[outside_pending(v_change, p_news)]
        ELSE move_change(v_change, 'SUCCESS', news_word(p_news)) END;
END
$$;

ALTER FUNCTION pay.outside_refund(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION outside_refund(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.outside_refund(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) IS 'A refund that somebody has made at the PSP';

--
-- Name: overdraws(pay.payment_order, bigint, text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.overdraws(p_order pay.payment_order, p_amount_minor bigint, p_begun text[]) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
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

ALTER FUNCTION pay.overdraws(p_order pay.payment_order, p_amount_minor bigint, p_begun text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION overdraws(p_order pay.payment_order, p_amount_minor bigint, p_begun text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.overdraws(p_order pay.payment_order, p_amount_minor bigint, p_begun text[]) IS 'Whether a refund takes more than its seller has available';

--
-- Name: own_object(pay.change, text, pay.fact); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.own_object(p_change pay.change, p_object text, p_word pay.fact, OUT facts pay.fact[], OUT failed boolean, OUT done boolean) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_other change;
    v_held  record := in_suspense(p_change.merchant_id, p_change.psp,
                                  p_object);
BEGIN
    facts := '{}';
    failed := v_held.is_over;
    done := v_held.amount_minor IS NOT NULL;
    p_word.code := 'own_refund';
    p_word.reference := NULL;

    FOR v_other IN
        SELECT c.* FROM change c
        WHERE c.merchant_id = p_change.merchant_id
            AND c.checkout_id = p_change.checkout_id AND c.kind = 'refund'
            AND c.psp = p_change.psp AND c.reference = p_object
            AND c.change_id <> p_change.change_id
    LOOP
        failed := failed OR v_other.status = 'FAILED';
        done := done OR v_other.status = 'SUCCESS';
        IF v_other.origin = 'psp' AND v_other.status <> 'FAILED' THEN
            facts := facts || move_change(v_other, 'FAILED', p_word);
        END IF;

        UPDATE change c
        SET reference = NULL, matched_to = CASE v_other.origin
            WHEN 'psp' THEN p_change.change_id END
        WHERE c.merchant_id = v_other.merchant_id
            AND c.change_id = v_other.change_id;
    END LOOP;

    IF v_held.amount_minor IS NOT NULL AND NOT v_held.is_over
        AND p_change.status <> 'FAILED'
    THEN
        facts := facts || doubt(change_fact(p_change, p_word, '',
            psp_posting(news_of(p_change, p_object, p_word),
                cleared_as(v_held.is_borne), v_held.amount_minor,
                v_held.currency)),
            'refund', 'found', p_object, v_held.amount_minor,
            v_held.currency);
    END IF;
END
$$;

ALTER FUNCTION pay.own_object(p_change pay.change, p_object text, p_word pay.fact, OUT facts pay.fact[], OUT failed boolean, OUT done boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION own_object(p_change pay.change, p_object text, p_word pay.fact, OUT facts pay.fact[], OUT failed boolean, OUT done boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.own_object(p_change pay.change, p_object text, p_word pay.fact, OUT facts pay.fact[], OUT failed boolean, OUT done boolean) IS 'Takes back what was booked of a refund that is ours';

--
-- Name: page_is_closed(pay.payment_order); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.page_is_closed(p_order pay.payment_order) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM dispatch d
        WHERE d.merchant_id = p_order.merchant_id
            AND d.checkout_id = p_order.checkout_id
            AND d.operation IN ('expire', 'cancel') AND d.state = 'DONE')
        OR EXISTS (
        SELECT FROM event e
        WHERE e.merchant_id = p_order.merchant_id
            AND e.payment_order_id = p_order.payment_order_id
            AND e.kind IN ('expired', 'cancelled')
            AND e.actor IN ('webhook', 'query', 'backfill'));
END
$$;

ALTER FUNCTION pay.page_is_closed(p_order pay.payment_order) OWNER TO payments_owner;

--
-- Name: FUNCTION page_is_closed(p_order pay.payment_order); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.page_is_closed(p_order pay.payment_order) IS 'Whether a PSP has confirmed that nobody can pay on a page any more';

--
-- Name: parked_references(text[], text[], text[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.parked_references(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[], OUT merchants text[], OUT checkouts text[], OUT psps text[], OUT names text[]) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    SELECT array_agg(u.merchant_id), array_agg(u.checkout_id),
        array_agg(u.psp), array_agg(i.reference)
    INTO merchants, checkouts, psps, names
    FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_name) AS
        u (merchant_id, checkout_id, psp, name)
    JOIN webhook_inbox i ON i.psp = u.psp AND i.token = u.name
        AND i.state = 'parked'
    JOIN checkout c ON c.merchant_id = u.merchant_id
        AND c.checkout_id = u.checkout_id
    WHERE i.reference <> i.token
        AND (i.about IS NOT NULL
             OR fact_kind(i.fact, i.amount_minor, i.currency, c.total_minor,
                          c.currency) NOT IN ('mismatch', 'notified'));
END
$$;

ALTER FUNCTION pay.parked_references(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[], OUT merchants text[], OUT checkouts text[], OUT psps text[], OUT names text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION parked_references(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[], OUT merchants text[], OUT checkouts text[], OUT psps text[], OUT names text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.parked_references(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[], OUT merchants text[], OUT checkouts text[], OUT psps text[], OUT names text[]) IS 'Ids of payments in webhooks that wait for these names';

--
-- Name: part_capture(pay.change, pay.fact); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.part_capture(p_change pay.change, p_word pay.fact, OUT parted pay.change, OUT told pay.fact) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_outside text;
BEGIN
    UPDATE change c SET matched_to = NULL
    WHERE c.merchant_id = p_change.merchant_id
        AND c.checkout_id = p_change.checkout_id
        AND c.matched_to = p_change.change_id
    RETURNING c.change_id INTO v_outside;

    UPDATE change c
    SET status = 'EXECUTING', reference = NULL, by_amount = false,
        changed_at = clock_timestamp()
    WHERE c.merchant_id = p_change.merchant_id
        AND c.change_id = p_change.change_id
    RETURNING c.* INTO parted;

    p_word.reference := NULL;
    p_word.code := NULL;
    told := change_fact(parted, p_word, 'capture_parted', NULL,
        jsonb_build_object('matched', v_outside));
END
$$;

ALTER FUNCTION pay.part_capture(p_change pay.change, p_word pay.fact, OUT parted pay.change, OUT told pay.fact) OWNER TO payments_owner;

--
-- Name: FUNCTION part_capture(p_change pay.change, p_word pay.fact, OUT parted pay.change, OUT told pay.fact); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.part_capture(p_change pay.change, p_word pay.fact, OUT parted pay.change, OUT told pay.fact) IS 'Undoes a match that was made by the amount alone';

--
-- Name: part_posting(pay.payment_order, text, text, text, bigint, bigint, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.part_posting(p_order pay.payment_order, p_source text, p_kind text, p_psp text, p_before bigint, p_part bigint, p_request_id text) RETURNS pay.posting[]
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN order_posting(p_order, p_source, p_kind, p_psp, p_part,
        CASE WHEN p_order.credit_currency IS NULL THEN p_part
             ELSE seller_part(p_order.amount_minor, p_order.credit_minor,
                              p_before, p_part) END, p_request_id);
END
$$;

ALTER FUNCTION pay.part_posting(p_order pay.payment_order, p_source text, p_kind text, p_psp text, p_before bigint, p_part bigint, p_request_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION part_posting(p_order pay.payment_order, p_source text, p_kind text, p_psp text, p_before bigint, p_part bigint, p_request_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.part_posting(p_order pay.payment_order, p_source text, p_kind text, p_psp text, p_before bigint, p_part bigint, p_request_id text) IS 'An entry about the part of an order that follows what came before';

--
-- Name: parts_of(text, text, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.parts_of(p_merchant_id text, p_checkout_id text, p_psp text, p_object text) RETURNS pay.change[]
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN ARRAY(
        SELECT c FROM change c
        WHERE c.merchant_id = p_merchant_id
            AND c.checkout_id = p_checkout_id AND c.kind = 'refund'
            AND c.origin = 'psp' AND c.psp = p_psp AND c.reference = p_object
        ORDER BY c.created_at, c.change_id);
END
$$;

ALTER FUNCTION pay.parts_of(p_merchant_id text, p_checkout_id text, p_psp text, p_object text) OWNER TO payments_owner;

--
-- Name: FUNCTION parts_of(p_merchant_id text, p_checkout_id text, p_psp text, p_object text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.parts_of(p_merchant_id text, p_checkout_id text, p_psp text, p_object text) IS 'What a refund that was made at the PSP was laid to';

--
-- Name: place_is_free(pay.checkout); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.place_is_free(p_old pay.checkout) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN p_old.replaced_by IS NULL OR EXISTS (
        SELECT FROM registration r
        JOIN change x ON x.merchant_id = r.merchant_id
            AND x.checkout_id = p_old.checkout_id
            AND x.replaced_by = r.checkout_id
        WHERE r.merchant_id = p_old.merchant_id
            AND r.checkout_id = p_old.replaced_by
            AND r.waits AND r.state <> 'REGISTERING'
            AND x.status = 'FAILED');
END
$$;

ALTER FUNCTION pay.place_is_free(p_old pay.checkout) OWNER TO payments_owner;

--
-- Name: FUNCTION place_is_free(p_old pay.checkout); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.place_is_free(p_old pay.checkout) IS 'Whether no other checkout has taken its place';

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
    ON CONFLICT (merchant_id, checkout_id, kind, operation_id) DO UPDATE
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
-- Name: post(pay.posting[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.post(p_postings pay.posting[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_new int[];
BEGIN
    IF coalesce(cardinality(p_postings), 0) = 0 THEN
        RETURN;
    END IF;

    v_new := insert_entries(p_postings);
    IF v_new = '{}' THEN
        RETURN;
    END IF;

    PERFORM lock_wallets(array_agg(p.merchant_id),
        array_agg(p.seller_account),
        array_agg(coalesce(p.seller_currency, p.currency)))
    FROM unnest(p_postings) WITH ORDINALITY AS p
    WHERE p.ordinality = ANY (v_new) AND p.seller_account IS NOT NULL
    HAVING count(*) > 0;

    PERFORM insert_lines(p_postings, v_new);
END
$$;

ALTER FUNCTION pay.post(p_postings pay.posting[]) OWNER TO payments_owner;

--
-- Name: FUNCTION post(p_postings pay.posting[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.post(p_postings pay.posting[]) IS 'Books postings once each: entries, lines, wallets';

--
-- Name: psp_posting(pay.news, text, bigint, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.psp_posting(p_news pay.news, p_kind text, p_amount_minor bigint, p_currency text) RETURNS pay.posting[]
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN ARRAY[ROW(p_news.merchant_id, news_source(p_news), p_kind,
        p_news.checkout_id, NULL, p_news.psp, NULL, p_amount_minor,
        p_currency, NULL, NULL, NULL, p_news.request_id)::posting];
END
$$;

ALTER FUNCTION pay.psp_posting(p_news pay.news, p_kind text, p_amount_minor bigint, p_currency text) OWNER TO payments_owner;

--
-- Name: FUNCTION psp_posting(p_news pay.news, p_kind text, p_amount_minor bigint, p_currency text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.psp_posting(p_news pay.news, p_kind text, p_amount_minor bigint, p_currency text) IS 'An entry between accounts of a PSP';

--
-- Name: purge(integer, interval, interval); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.purge(p_limit integer DEFAULT 10000, p_ignored_after interval DEFAULT '90 days'::interval, p_closed_after interval DEFAULT '1 year'::interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint, OUT dead_letters bigint, OUT quarantined bigint, OUT webhook_bodies bigint) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pay', 'pg_temp'
    AS $$
BEGIN
    -- what is expired itself: an address is one of a partition
    DELETE FROM idempotency_key k
    WHERE k.expires_at <= now() AND k.ctid = ANY (ARRAY(
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

    DELETE FROM webhook_body w
    WHERE w.ctid = ANY (ARRAY(
        SELECT b.ctid FROM webhook_body b
        WHERE b.keep_until < now()
        ORDER BY b.keep_until
        LIMIT p_limit
        FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS webhook_bodies = ROW_COUNT;
END
$$;

ALTER FUNCTION pay.purge(p_limit integer, p_ignored_after interval, p_closed_after interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint, OUT dead_letters bigint, OUT quarantined bigint, OUT webhook_bodies bigint) OWNER TO payments_owner;

--
-- Name: FUNCTION purge(p_limit integer, p_ignored_after interval, p_closed_after interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint, OUT dead_letters bigint, OUT quarantined bigint, OUT webhook_bodies bigint); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.purge(p_limit integer, p_ignored_after interval, p_closed_after interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint, OUT dead_letters bigint, OUT quarantined bigint, OUT webhook_bodies bigint) IS 'Deletes expired idempotency keys, old webhooks that said nothing, closed dead letters, what was quarantined and bodies that were kept long enough';

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
                ARRAY[v_fact.code], ARRAY[v_attempts], NULL);
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
-- Name: quote_items(pay.payment_item[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.quote_items(p_items pay.payment_item[], OUT quoted pay.payment_item[], OUT missing integer[], OUT too_large integer[]) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $_$
DECLARE
    v_item  payment_item;
    v_quote record;
BEGIN
    quoted := p_items;
    missing := '{}';
    too_large := '{}';

    IF NOT EXISTS (SELECT FROM unnest(p_items) i
                   WHERE i.orders @? '$[*].credit')
    THEN
        RETURN;
    END IF;

    quoted := '{}';
    FOREACH v_item IN ARRAY p_items LOOP
        v_quote := quote_orders(v_item);
        IF v_quote.orders IS NOT NULL THEN
            v_item.orders := v_quote.orders;
            quoted := quoted || v_item;
        ELSIF v_quote.too_large THEN
            too_large := too_large || v_item.item;
        ELSE
            missing := missing || v_item.item;
        END IF;
    END LOOP;
END
$_$;

ALTER FUNCTION pay.quote_items(p_items pay.payment_item[], OUT quoted pay.payment_item[], OUT missing integer[], OUT too_large integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION quote_items(p_items pay.payment_item[], OUT quoted pay.payment_item[], OUT missing integer[], OUT too_large integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.quote_items(p_items pay.payment_item[], OUT quoted pay.payment_item[], OUT missing integer[], OUT too_large integer[]) IS 'Items of begin_payment with the quotes of their orders';

--
-- Name: quote_orders(pay.payment_item); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.quote_orders(p_item pay.payment_item, OUT orders jsonb, OUT too_large boolean) RETURNS record
    LANGUAGE sql STABLE
    AS $$
SELECT CASE WHEN bool_and(e.line ->> 'credit' IS NULL
                          OR e.line ->> 'credit' = p_item.currency
                          OR coalesce(c.minor <= 999999999999999, false))
       THEN jsonb_agg(CASE WHEN c.minor IS NULL THEN e.line
                ELSE e.line || jsonb_build_object('quote',
                    jsonb_build_object('rate', r.rate, 'minor', c.minor)) END
                ORDER BY e.n) END,
    coalesce(bool_or(r.rate IS NOT NULL
                     AND coalesce(c.minor > 999999999999999, true)), false)
FROM jsonb_array_elements(p_item.orders) WITH ORDINALITY AS e (line, n)
CROSS JOIN LATERAL (
    SELECT CASE WHEN e.line ->> 'credit' <> p_item.currency
                THEN pay.median_rate(p_item.currency, e.line ->> 'credit',
                                 p_item.rate_age) END AS rate
    OFFSET 0) r
LEFT JOIN LATERAL (
    SELECT pay.convert((e.line -> 'amount')::bigint, p_item.currency,
                   e.line ->> 'credit', r.rate) AS minor
    OFFSET 0) c ON r.rate IS NOT NULL
$$;

ALTER FUNCTION pay.quote_orders(p_item pay.payment_item, OUT orders jsonb, OUT too_large boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION quote_orders(p_item pay.payment_item, OUT orders jsonb, OUT too_large boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.quote_orders(p_item pay.payment_item, OUT orders jsonb, OUT too_large boolean) IS 'Orders of begin_payment with their quotes; NULL: a rate is missing';

--
-- Name: rate_ok(text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.rate_ok(p_rate text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $_$
SELECT CASE WHEN p_rate ~ '^(0|[1-9][0-9]{0,11})(\.[0-9]{1,24})?$'
    THEN p_rate::numeric BETWEEN 0.000000000001 AND 999999999999
        AND length(trim('0' FROM replace(p_rate, '.', ''))) <= 12
    ELSE false END
$_$;

ALTER FUNCTION pay.rate_ok(p_rate text) OWNER TO payments_owner;

--
-- Name: FUNCTION rate_ok(p_rate text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.rate_ok(p_rate text) IS 'Whether it is a plain decimal number that may be a rate';

--
-- Name: rates_ok(text, jsonb); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.rates_ok(p_base text, p_rates jsonb) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN jsonb_typeof(p_rates) = 'object' AND p_rates <> '{}'
        AND NOT p_rates ? p_base
        AND EXISTS (SELECT FROM pay.currency k WHERE k.code = p_base)
        AND (SELECT bool_and(pay.rate_ok(e.value)
                             AND EXISTS (SELECT FROM pay.currency k
                                         WHERE k.code = e.key))
             FROM jsonb_each_text(p_rates) e);
END
$$;

ALTER FUNCTION pay.rates_ok(p_base text, p_rates jsonb) OWNER TO payments_owner;

--
-- Name: FUNCTION rates_ok(p_base text, p_rates jsonb); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.rates_ok(p_base text, p_rates jsonb) IS 'Whether these are rates of known currencies to another one';

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
-- Name: read_change_items(text[], text[], text[], text[], text[], bytea[], bigint[], bigint[], text[], text[], jsonb[], bigint[], text[], jsonb[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.read_change_items(p_merchant_id text[], p_payment_order_id text[], p_kind text[], p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[], p_reason text[], p_metadata jsonb[], p_lease_ms bigint[], p_request_id text[], p_asked_by jsonb[]) RETURNS pay.change_item[]
    LANGUAGE plpgsql STABLE
    AS $_$
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
            AND u.change_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
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
$_$;

ALTER FUNCTION pay.read_change_items(p_merchant_id text[], p_payment_order_id text[], p_kind text[], p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[], p_reason text[], p_metadata jsonb[], p_lease_ms bigint[], p_request_id text[], p_asked_by jsonb[]) OWNER TO payments_owner;

--
-- Name: FUNCTION read_change_items(p_merchant_id text[], p_payment_order_id text[], p_kind text[], p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[], p_reason text[], p_metadata jsonb[], p_lease_ms bigint[], p_request_id text[], p_asked_by jsonb[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.read_change_items(p_merchant_id text[], p_payment_order_id text[], p_kind text[], p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[], p_reason text[], p_metadata jsonb[], p_lease_ms bigint[], p_request_id text[], p_asked_by jsonb[]) IS 'Items of begin_change that pass their checks';

--
-- Name: read_facts(text[], text[], text[], text[], text[], text[], text[], text[], bigint[], text[], text[], text[], text[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.read_facts(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_request_id text[], p_decline text[], p_can_retry text[], p_attempt text[]) RETURNS pay.fact[]
    LANGUAGE plpgsql STABLE
    AS $_$
BEGIN
    RETURN ARRAY(
        SELECT ROW(u.n, NULL, c.merchant_id, c.checkout_id,
            fact_kind(CASE WHEN u.source = 'backfill'
                               AND c.checkout_id IS NULL THEN 'unknown'
                           WHEN u.token <> '' THEN u.fact
                           ELSE 'none' END,
                      u.amount_minor, nullif(u.currency, ''),
                      c.total_minor, c.currency),
            CASE u.source WHEN 'backfill' THEN 'webhook' ELSE u.source END,
            u.psp, nullif(u.event_id, ''), nullif(u.type, ''),
            nullif(u.code, ''), nullif(u.token, ''), nullif(u.reference, ''),
            u.amount_minor, nullif(u.currency, ''), u.request_id,
            nullif(coalesce(decline_detail(u.decline, u.can_retry, u.attempt),
                            '{}')
                || CASE u.source WHEN 'backfill'
                       THEN jsonb_build_object('via', u.source)
                       ELSE '{}' END, '{}'),
            NULL, NULL, NULL)::fact
        FROM unnest(p_psp, p_source, p_event_id, p_type, p_fact, p_token,
            p_reference, p_code, p_amount_minor, p_currency, p_request_id,
            p_decline, p_can_retry, p_attempt)
            WITH ORDINALITY AS u (psp, source, event_id, type, fact, token,
            reference, code, amount_minor, currency, request_id, decline,
            can_retry, attempt, n)
        LEFT JOIN psp_token t ON t.psp = u.psp AND t.token = u.token
            AND NOT t.is_reference
        LEFT JOIN LATERAL (
            SELECT k.merchant_id, k.checkout_id FROM psp_token k
            WHERE t.checkout_id IS NULL AND u.token <> ''
                AND k.psp = u.psp AND k.token = u.reference
                AND k.is_reference
            OFFSET 0) k ON true
        LEFT JOIN checkout c
            ON c.merchant_id = coalesce(t.merchant_id, k.merchant_id)
            AND c.checkout_id = coalesce(t.checkout_id, k.checkout_id)
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
            AND u.fact IN ('none', 'pending', 'authorized', 'paid',
                           'declined', 'expired', 'cancelled', 'rejected',
                           'attempt_declined', 'ask')
            AND (u.fact <> 'attempt_declined' OR u.decline <> '')
            AND coalesce(u.decline, 'unknown') ~ '^[a-z_]{1,32}$'
            AND coalesce(u.can_retry, 'no')
                IN ('same_method', 'later', 'other_method', 'no')
            AND coalesce(octet_length(u.attempt), 0) <= 255
            AND coalesce(octet_length(u.type), 0) <= 255
            AND coalesce(octet_length(u.token), 0) <= 255
            AND coalesce(octet_length(u.reference), 0) <= 255
            AND coalesce(octet_length(u.code), 0) <= 255
            AND coalesce(octet_length(u.currency), 0) <= 16
            AND coalesce(u.amount_minor, 0) >= 0
        ORDER BY u.n);
END
$_$;

ALTER FUNCTION pay.read_facts(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_request_id text[], p_decline text[], p_can_retry text[], p_attempt text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION read_facts(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_request_id text[], p_decline text[], p_can_retry text[], p_attempt text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.read_facts(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_request_id text[], p_decline text[], p_can_retry text[], p_attempt text[]) IS 'Items of apply_event that pass their checks';

--
-- Name: read_news(text[], text[], text[], text[], text[], text[], text[], text[], text[], text[], bigint[], text[], bigint[], text[], text[], bytea[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.read_news(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_about text[], p_news text[], p_token text[], p_reference text[], p_object text[], p_operation_id text[], p_amount_minor bigint[], p_currency text[], p_fee_minor bigint[], p_fee_currency text[], p_code text[], p_digest bytea[], p_request_id text[]) RETURNS pay.news[]
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN ARRAY(
        SELECT ROW(u.n, NULL, NULL, u.psp, u.source, nullif(u.event_id, ''),
            nullif(u.type, ''), u.about, u.news, nullif(u.token, ''),
            nullif(u.reference, ''), nullif(u.object, ''),
            nullif(u.operation_id, ''), u.amount_minor,
            nullif(u.currency, ''), u.fee_minor, nullif(u.fee_currency, ''),
            nullif(u.code, ''), u.digest, u.request_id, NULL)::news
        FROM unnest(p_psp, p_source, p_event_id, p_type, p_about, p_news,
            p_token, p_reference, p_object, p_operation_id, p_amount_minor,
            p_currency, p_fee_minor, p_fee_currency, p_code, p_digest,
            p_request_id) WITH ORDINALITY AS u (psp, source, event_id, type,
            about, news, token, reference, object, operation_id,
            amount_minor, currency, fee_minor, fee_currency, code, digest,
            request_id, n)
        WHERE id_ok(u.psp)
            AND u.source IN ('webhook', 'backfill', 'query')
            AND (u.source = 'query' OR id_ok(u.event_id))
            AND news_ok(u.about, u.news)
            AND (u.about <> 'refund' OR u.object <> '')
            AND greatest(octet_length(u.type), octet_length(u.token),
                octet_length(u.reference), octet_length(u.object),
                octet_length(u.operation_id), octet_length(u.code), 0) <= 255
            AND greatest(octet_length(u.currency),
                         octet_length(u.fee_currency), 0) <= 16
            AND coalesce(u.amount_minor, 0) BETWEEN 0 AND 999999999999999
            AND coalesce(u.fee_minor, 0) BETWEEN 0 AND 999999999999999
        ORDER BY u.n);
END
$$;

ALTER FUNCTION pay.read_news(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_about text[], p_news text[], p_token text[], p_reference text[], p_object text[], p_operation_id text[], p_amount_minor bigint[], p_currency text[], p_fee_minor bigint[], p_fee_currency text[], p_code text[], p_digest bytea[], p_request_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION read_news(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_about text[], p_news text[], p_token text[], p_reference text[], p_object text[], p_operation_id text[], p_amount_minor bigint[], p_currency text[], p_fee_minor bigint[], p_fee_currency text[], p_code text[], p_digest bytea[], p_request_id text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.read_news(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_about text[], p_news text[], p_token text[], p_reference text[], p_object text[], p_operation_id text[], p_amount_minor bigint[], p_currency text[], p_fee_minor bigint[], p_fee_currency text[], p_code text[], p_digest bytea[], p_request_id text[]) IS 'Items of apply_change that pass their checks';

--
-- Name: read_no_tokens(text[], text[], text[], text[], text[], text[], text[], bigint[], bigint[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.read_no_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_request_id text[], p_reach text[], p_http_status bigint[], p_attempt bigint[]) RETURNS pay.fact[]
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
                        'sends', d.sends)) END, NULL, NULL, NULL)::fact
        FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_outcome, p_code,
            p_request_id, p_reach, p_http_status, p_attempt)
            WITH ORDINALITY AS u (merchant_id, checkout_id, psp, outcome,
            code, request_id, reach, http_status, attempt, n)
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
            AND (u.attempt = r.attempt
                 OR u.outcome IN ('refused', 'expired'))
        ORDER BY r.merchant_id, r.checkout_id,
            array_position('{refused,expired,unknown,not_sent,held}',
                           u.outcome), u.n);
END
$$;

ALTER FUNCTION pay.read_no_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_request_id text[], p_reach text[], p_http_status bigint[], p_attempt bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION read_no_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_request_id text[], p_reach text[], p_http_status bigint[], p_attempt bigint[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.read_no_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_request_id text[], p_reach text[], p_http_status bigint[], p_attempt bigint[]) IS 'Items of store_no_token that count';

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
    v_taken record := take_facts(p_facts);
BEGIN
    PERFORM post(v_taken.postings);

    RETURN v_taken.facts;
END
$$;

ALTER FUNCTION pay.record_facts(p_facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION record_facts(p_facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.record_facts(p_facts pay.fact[]) IS 'Takes facts about locked checkouts into account, and books them';

--
-- Name: refund_done(pay.change, pay.fact); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.refund_done(p_change pay.change, p_word pay.fact) RETURNS pay.fact[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_reserved boolean := is_reserved(p_change);
    v_order    payment_order;
BEGIN
    UPDATE payment_order o
    SET refunding_minor = o.refunding_minor - CASE WHEN v_reserved
            THEN p_change.amount_minor ELSE 0 END,
        refunded_minor = o.refunded_minor + p_change.amount_minor
    WHERE o.merchant_id = p_change.merchant_id
        AND o.checkout_id = p_change.checkout_id
        AND o.payment_order_id = p_change.payment_order_id
    RETURNING * INTO v_order;

    PERFORM set_change(p_change, 'SUCCESS', p_word);

    RETURN ARRAY[change_fact(p_change, p_word, 'refunded', order_posting(
        v_order, 'change/' || p_change.change_id,
        CASE WHEN v_reserved THEN 'refund' ELSE 'refund_external' END,
        p_change.psp, p_change.amount_minor, p_change.seller_minor,
        p_word.request_id))];
END
$$;

ALTER FUNCTION pay.refund_done(p_change pay.change, p_word pay.fact) OWNER TO payments_owner;

--
-- Name: FUNCTION refund_done(p_change pay.change, p_word pay.fact); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.refund_done(p_change pay.change, p_word pay.fact) IS 'The buyer has been paid back';

--
-- Name: refund_failed(pay.change, pay.fact); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.refund_failed(p_change pay.change, p_word pay.fact) RETURNS pay.fact[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_done  boolean := p_change.status = 'SUCCESS';
    v_order payment_order;
BEGIN
    UPDATE payment_order o
    SET refunding_minor = o.refunding_minor - CASE WHEN v_done
            THEN 0 ELSE p_change.amount_minor END,
        refunded_minor = o.refunded_minor - CASE WHEN v_done
            THEN p_change.amount_minor ELSE 0 END
    WHERE o.merchant_id = p_change.merchant_id
        AND o.checkout_id = p_change.checkout_id
        AND o.payment_order_id = p_change.payment_order_id
    RETURNING * INTO v_order;

    PERFORM set_change(p_change, 'FAILED', p_word, v_done);

    RETURN ARRAY[change_fact(p_change, p_word,
        CASE WHEN v_done THEN 'refund_returned' ELSE 'refund_failed' END,
        order_posting(v_order, 'change/' || p_change.change_id,
            CASE WHEN v_done THEN 'refund_returned' ELSE 'refund_released' END,
            p_change.psp, p_change.amount_minor, p_change.seller_minor,
            p_word.request_id))];
END
$$;

ALTER FUNCTION pay.refund_failed(p_change pay.change, p_word pay.fact) OWNER TO payments_owner;

--
-- Name: FUNCTION refund_failed(p_change pay.change, p_word pay.fact); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.refund_failed(p_change pay.change, p_word pay.fact) IS 'A refund has come to nothing, or back';

--
-- Name: refund_terms(pay.payment_order, bigint); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.refund_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
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

ALTER FUNCTION pay.refund_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text) OWNER TO payments_owner;

--
-- Name: FUNCTION refund_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.refund_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text) IS 'Whether this much of an order may be refunded, and how much that is';

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
        AND t.merchant_id = u.merchant_id AND NOT t.is_reference
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
-- Name: release_change_keys(pay.change_item[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.release_change_keys(p_items pay.change_item[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM idempotency_key k
    USING unnest(p_items) i
    WHERE k.merchant_id = i.merchant_id AND k.route = i.route
        AND k.key = i.key AND k.change_id IS NULL;
END
$$;

ALTER FUNCTION pay.release_change_keys(p_items pay.change_item[]) OWNER TO payments_owner;

--
-- Name: FUNCTION release_change_keys(p_items pay.change_item[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.release_change_keys(p_items pay.change_item[]) IS 'Leaves no key behind of items that came to nothing';

--
-- Name: release_one(pay.checkout, text, interval, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.release_one(p_new pay.checkout, p_word text, p_lease interval, p_request_id text) RETURNS pay.fact[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_reg  registration;
    v_fact fact;
BEGIN
    UPDATE registration r
    SET waits = p_word <> 'released',
        open_attempts = (p_word = 'released')::int,
        state = CASE p_word WHEN 'refused' THEN 'REFUSED' ELSE r.state END,
        code = CASE p_word WHEN 'refused' THEN 'not_replaced' END,
        lease_until = CASE p_word WHEN 'released' THEN now() + p_lease END
    WHERE r.merchant_id = p_new.merchant_id
        AND r.checkout_id = p_new.checkout_id
    RETURNING * INTO v_reg;

    UPDATE job j
    SET lease_owner = NULL, lease_until = NULL,
        attempts = CASE p_word WHEN 'released' THEN 0 ELSE j.attempts END,
        run_at = now() + CASE p_word WHEN 'released' THEN p_lease
                              ELSE interval '2 s' END
    WHERE j.merchant_id = p_new.merchant_id
        AND j.checkout_id = p_new.checkout_id AND j.kind = 'register';

    IF p_word = 'waiting' THEN
        RETURN '{}';
    ELSIF p_word = 'released' THEN
        INSERT INTO dispatch (merchant_id, checkout_id, operation,
            operation_id, psp, first_sent_at, sent_at, lease_until, key_until,
            request_id)
        VALUES (v_reg.merchant_id, v_reg.checkout_id, 'register', v_reg.nonce,
            v_reg.psp, now(), now(), v_reg.lease_until,
            now() + key_window(v_reg.psps, v_reg.key_windows, v_reg.psp),
            p_request_id);

        RETURN ARRAY[replaced_fact(p_new.merchant_id, p_new.replaces,
            p_new.checkout_id, NULL, 'gateway', p_request_id)];
    END IF;

    UPDATE checkout c SET replaced_by = NULL
    WHERE c.merchant_id = p_new.merchant_id
        AND c.checkout_id = p_new.replaces;

    v_fact.item := 0;
    v_fact.merchant_id := p_new.merchant_id;
    v_fact.checkout_id := p_new.checkout_id;
    v_fact.kind := 'cancelled';
    v_fact.actor := 'gateway';
    v_fact.code := 'not_replaced';
    v_fact.request_id := p_request_id;
    v_fact.detail := jsonb_build_object('replaces', p_new.replaces);

    RETURN ARRAY[v_fact];
END
$$;

ALTER FUNCTION pay.release_one(p_new pay.checkout, p_word text, p_lease interval, p_request_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION release_one(p_new pay.checkout, p_word text, p_lease interval, p_request_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.release_one(p_new pay.checkout, p_word text, p_lease interval, p_request_id text) IS 'Lets a checkout go on, or ends it, or has it wait on';

--
-- Name: reopen_letter(bigint, text, text, boolean); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.reopen_letter(p_id bigint, p_who text, p_why text, p_accept boolean) RETURNS text
    LANGUAGE plpgsql
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
    ELSIF (v_found.letter).kind = 'late_success' AND NOT p_accept THEN
        RETURN 'late_payment';
    ELSIF (v_found.letter).kind <> 'late_success' AND p_accept THEN
        RETURN 'no_late_payment';
    ELSIF NOT retry_letter(v_found.letter, v_found.merchant,
                           v_found.checkout) THEN
        RETURN 'nothing_to_do';
    END IF;

    PERFORM close_letter(v_found.letter, v_found.merchant, v_found.checkout,
                         'requeued', p_who, p_why);

    RETURN CASE WHEN p_accept THEN 'accepted' ELSE 'requeued' END;
END
$$;

ALTER FUNCTION pay.reopen_letter(p_id bigint, p_who text, p_why text, p_accept boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION reopen_letter(p_id bigint, p_who text, p_why text, p_accept boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.reopen_letter(p_id bigint, p_who text, p_why text, p_accept boolean) IS 'What requeue and accept have in common';

--
-- Name: replaced_fact(text, text, text, text, text, text, jsonb); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.replaced_fact(p_merchant_id text, p_old text, p_new text, p_psp text, p_actor text, p_request_id text, p_asked_by jsonb DEFAULT NULL::jsonb) RETURNS pay.fact
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT ROW(0, NULL, p_merchant_id, p_old, 'replaced', p_actor, p_psp, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, p_request_id,
    jsonb_build_object('replaced_by', p_new) || asked_detail(p_asked_by),
    NULL, NULL, NULL)::fact
$$;

ALTER FUNCTION pay.replaced_fact(p_merchant_id text, p_old text, p_new text, p_psp text, p_actor text, p_request_id text, p_asked_by jsonb) OWNER TO payments_owner;

--
-- Name: FUNCTION replaced_fact(p_merchant_id text, p_old text, p_new text, p_psp text, p_actor text, p_request_id text, p_asked_by jsonb); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.replaced_fact(p_merchant_id text, p_old text, p_new text, p_psp text, p_actor text, p_request_id text, p_asked_by jsonb) IS 'That another checkout has taken the place of this one';

--
-- Name: request_fact(pay.change, pay.payment_order, jsonb); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.request_fact(p_change pay.change, p_order pay.payment_order, p_asked_by jsonb) RETURNS pay.fact
    LANGUAGE plpgsql
    AS $$
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

ALTER FUNCTION pay.request_fact(p_change pay.change, p_order pay.payment_order, p_asked_by jsonb) OWNER TO payments_owner;

--
-- Name: FUNCTION request_fact(p_change pay.change, p_order pay.payment_order, p_asked_by jsonb); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.request_fact(p_change pay.change, p_order pay.payment_order, p_asked_by jsonb) IS 'That a change was asked for, and what it reserves';

--
-- Name: request_time(text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.request_time(p_request_id text) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE
    AS $_$
SELECT CASE WHEN p_request_id
    ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
    THEN to_timestamp(('x' || lpad(translate(left(p_request_id, 13), '-', ''),
                                   16, '0'))::bit(64)::bigint / 1000.0) END
$_$;

ALTER FUNCTION pay.request_time(p_request_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION request_time(p_request_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.request_time(p_request_id text) IS 'When a request began, out of its id';

--
-- Name: requote_orders(pay.fact[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.requote_orders(p_facts pay.fact[], p_moved integer[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE payment_order o
    SET credit_rate = q.credit_rate, credit_minor = q.credit_minor
    FROM unnest(p_facts) f
    CROSS JOIN LATERAL (
        SELECT k.tableoid AS part, k.ctid AS tid, k.*
        FROM payment_order k
        JOIN checkout c ON c.merchant_id = k.merchant_id
            AND c.checkout_id = k.checkout_id
        WHERE k.merchant_id = f.merchant_id
            AND k.checkout_id = f.checkout_id
            AND k.credit_until < now() AND c.capture = 'automatic'
        OFFSET 0) k
    CROSS JOIN LATERAL current_credit(k.amount_minor, k.currency,
        k.credit_currency, k.credit_rate, k.credit_minor, k.credit_until) q
    WHERE f.kind = 'paid' AND f.item = ANY (p_moved) AND o.ctid = k.tid
        AND o.tableoid = k.part;
END
$$;

ALTER FUNCTION pay.requote_orders(p_facts pay.fact[], p_moved integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION requote_orders(p_facts pay.fact[], p_moved integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.requote_orders(p_facts pay.fact[], p_moved integer[]) IS 'Converts what is sold after its quote by the rate of the day';

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
            OR start_changes(p_merchant_id, p_checkout_id)
            OR start_job(p_merchant_id, p_checkout_id, 'poll');
    ELSE
        RETURN start_job(p_merchant_id, p_checkout_id, p_letter.kind,
                         coalesce(p_letter.operation_id, ''));
    END CASE;
END
$$;

ALTER FUNCTION pay.retry_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION retry_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.retry_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text) IS 'Does again what a dead letter has given up';

--
-- Name: room_of(pay.payment_order, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.room_of(p_order pay.payment_order, p_about text) RETURNS bigint
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT greatest(0, (p_order).captured_minor - (p_order).charged_back_minor
    - CASE p_about WHEN 'refund' THEN (p_order).refunding_minor
                                      + (p_order).refunded_minor
                   ELSE 0 END)
$$;

ALTER FUNCTION pay.room_of(p_order pay.payment_order, p_about text) OWNER TO payments_owner;

--
-- Name: FUNCTION room_of(p_order pay.payment_order, p_about text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.room_of(p_order pay.payment_order, p_about text) IS 'How much of a refund or a dispute an order can bear';

--
-- Name: round_rate(numeric); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.round_rate(p_rate numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT
    AS $$
SELECT trim_scale(pay.half_even(p_rate * concat('1e', 12 - d.digits)::numeric)
                  * concat('1e', d.digits - 12)::numeric)
FROM (SELECT CASE
    WHEN p_rate >= 1 THEN length(trunc(p_rate)::text)
    ELSE -length(substring(p_rate::text FROM '^0\.(0*)')) END AS digits) d
$$;

ALTER FUNCTION pay.round_rate(p_rate numeric) OWNER TO payments_owner;

--
-- Name: FUNCTION round_rate(p_rate numeric); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.round_rate(p_rate numeric) IS 'A positive rate with 12 significant digits, half to even';

--
-- Name: ruled_lines(pay.posting[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.ruled_lines(p_postings pay.posting[], p_new integer[]) RETURNS TABLE(merchant_id text, source text, kind text, line integer, account text, wallet text, owner text, currency text, amount_minor bigint, nth bigint, grown numeric)
    LANGUAGE sql STABLE
    AS $$
SELECT l.merchant_id, l.source, l.kind, l.line, l.account, l.wallet,
    l.owner, l.currency, l.amount_minor,
    row_number() OVER w,
    CASE l.wallet
        WHEN 'available'
            THEN -sum(l.amount_minor) FILTER (WHERE l.wallet = 'available')
                     OVER w
        WHEN 'pending'
            THEN -sum(l.amount_minor) FILTER (WHERE l.wallet = 'pending')
                     OVER w
        WHEN 'reserved'
            THEN -sum(l.amount_minor) FILTER (WHERE l.wallet = 'reserved')
                     OVER w END
FROM (
    SELECT p.ordinality AS n, p.merchant_id, p.source, p.kind, r.line,
        r.account, r.wallet,
        CASE r.owner WHEN 'psp' THEN p.psp
                     WHEN 'seller' THEN p.seller_account
                     ELSE '-' END AS owner,
        CASE r.leg WHEN 'buyer' THEN p.currency
            ELSE coalesce(p.seller_currency, p.currency) END AS currency,
        CASE r.side WHEN 'debit' THEN 1 ELSE -1 END
            * CASE r.leg WHEN 'buyer' THEN p.amount_minor
                ELSE coalesce(p.seller_minor, p.amount_minor)
              END AS amount_minor
    FROM unnest(p_postings) WITH ORDINALITY AS p
    CROSS JOIN LATERAL (
        SELECT r.line, r.account, r.side, r.leg, k.owner, k.wallet
        FROM posting_rule r
        JOIN account_kind k ON k.account = r.account
        WHERE r.kind = p.kind
            AND (NOT r.only_converted OR p.rate IS NOT NULL)
        OFFSET 0) r
    WHERE p.ordinality = ANY (p_new)
    ) l
WHERE l.amount_minor <> 0
WINDOW w AS (PARTITION BY l.wallet IS NULL, l.merchant_id, l.owner, l.currency
             ORDER BY l.n, l.line)
$$;

ALTER FUNCTION pay.ruled_lines(p_postings pay.posting[], p_new integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION ruled_lines(p_postings pay.posting[], p_new integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.ruled_lines(p_postings pay.posting[], p_new integer[]) IS 'The lines of postings by the rules, without what is nothing';

--
-- Name: sale_postings(pay.fact[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.sale_postings(p_facts pay.fact[], p_moved integer[]) RETURNS pay.posting[]
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN ARRAY(
        SELECT ROW(o.merchant_id, 'order/' || o.payment_order_id,
            CASE f.actor WHEN 'operator' THEN 'late_accepted'
                         ELSE 'sale' END,
            o.checkout_id, o.payment_order_id, c.psp, o.seller_account,
            o.amount_minor, o.currency,
            coalesce(o.credit_minor, o.amount_minor),
            coalesce(o.credit_currency, o.currency), o.credit_rate,
            f.request_id)::posting
        FROM unnest(p_facts) f
        CROSS JOIN LATERAL (
            SELECT c.psp FROM checkout c
            WHERE c.merchant_id = f.merchant_id
                AND c.checkout_id = f.checkout_id
                AND c.capture = 'automatic'
            OFFSET 0) c
        CROSS JOIN LATERAL (
            SELECT o.* FROM payment_order o
            WHERE o.merchant_id = f.merchant_id
                AND o.checkout_id = f.checkout_id
            OFFSET 0) o
        WHERE f.kind = 'paid' AND f.item = ANY (p_moved)
        ORDER BY f.item, o.position);
END
$$;

ALTER FUNCTION pay.sale_postings(p_facts pay.fact[], p_moved integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION sale_postings(p_facts pay.fact[], p_moved integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.sale_postings(p_facts pay.fact[], p_moved integer[]) IS 'Entries of orders that these facts have made sales of';

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
-- Name: seal_digest(text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.seal_digest(p_message text) RETURNS bytea
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT coalesce(sha256(convert_to(p_message, 'UTF8')),
                decode(repeat('00', 32), 'hex'))
$$;

ALTER FUNCTION pay.seal_digest(p_message text) OWNER TO payments_owner;

--
-- Name: FUNCTION seal_digest(p_message text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.seal_digest(p_message text) IS 'The digest of a seal''s message; NULL: there is no seal';

--
-- Name: seal_end(bigint, bigint, bigint, integer); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.seal_end(p_from bigint, p_until bigint, p_span bigint, p_most integer) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_total bigint := p_until - p_from;
    v_span  bigint := least(greatest(p_span, 1), v_total);
    v_least bigint := 0;
    v_some  boolean := false;
    v_over  bigint;
    v_count int;
BEGIN
    LOOP
        v_count := (
            SELECT count(*)
            FROM (SELECT FROM event e
                  WHERE e.tx >= p_from AND e.tx < p_from + v_span
                  LIMIT p_most + 1) e);

        IF v_count > p_most AND v_some THEN
            v_span := v_least;
            EXIT;
        ELSIF v_count > p_most THEN
            EXIT WHEN v_span = v_least + 1;
            v_over := v_span;
        ELSE
            EXIT WHEN v_span = v_total OR v_over > 0 AND v_count > 0;
            v_least := v_span;
            v_some := v_count > 0;
        END IF;

        v_span := CASE WHEN v_over IS NULL THEN least(2 * v_span, v_total)
                       ELSE v_least + greatest((v_over - v_least) / 2, 1) END;
    END LOOP;

    RETURN p_from + v_span;
END
$$;

ALTER FUNCTION pay.seal_end(p_from bigint, p_until bigint, p_span bigint, p_most integer) OWNER TO payments_owner;

--
-- Name: FUNCTION seal_end(p_from bigint, p_until bigint, p_span bigint, p_most integer); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.seal_end(p_from bigint, p_until bigint, p_span bigint, p_most integer) IS 'The transaction before which a seal of bounded size ends';

--
-- Name: seal_message(pay.seal); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.seal_message(p_seal pay.seal) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    AS $$
BEGIN
    RETURN concat('ngx_payments seal 1', E'\n',
        'number ', p_seal.number, E'\n',
        'at ', pay.iso_micros(p_seal.at), E'\n',
        'from ', p_seal.from_tx, E'\n',
        'until ', p_seal.until_tx, E'\n',
        'leaves ', p_seal.count, E'\n',
        'root ', encode(p_seal.root, 'hex'), E'\n',
        'previous ', encode(p_seal.previous, 'hex'), E'\n');
END
$$;

ALTER FUNCTION pay.seal_message(p_seal pay.seal) OWNER TO payments_owner;

--
-- Name: FUNCTION seal_message(p_seal pay.seal); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.seal_message(p_seal pay.seal) IS 'What is signed of a seal';

--
-- Name: seal_root(bigint); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.seal_root(p_number bigint) RETURNS bytea
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN pay.merkle_root(ARRAY(
        SELECT sha256('\x00'::bytea || convert_to(concat(l.merchant_id, E'\n',
            l.payment_order_id, E'\n', l.seq, E'\n', encode(l.hash, 'hex')),
            'UTF8'))
        FROM pay.seal_leaf l
        WHERE l.number = p_number
        ORDER BY l.position));
END
$$;

ALTER FUNCTION pay.seal_root(p_number bigint) OWNER TO payments_owner;

--
-- Name: FUNCTION seal_root(p_number bigint); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.seal_root(p_number bigint) IS 'The root of the Merkle tree over a seal''s leaves';

--
-- Name: second_time(timestamp with time zone); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.second_time(p_at timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE
    AS $$
SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
$$;

ALTER FUNCTION pay.second_time(p_at timestamp with time zone) OWNER TO payments_owner;

--
-- Name: FUNCTION second_time(p_at timestamp with time zone); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.second_time(p_at timestamp with time zone) IS 'A second as the API shows it, in UTC';

--
-- Name: seller_part(bigint, bigint, bigint, bigint); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.seller_part(p_amount_minor bigint, p_credit_minor bigint, p_before bigint, p_part bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT (pay.half_even(round((p_before + p_part)::numeric * p_credit_minor, 20)
                      / p_amount_minor)
        - pay.half_even(round(p_before::numeric * p_credit_minor, 20)
                        / p_amount_minor))::bigint
$$;

ALTER FUNCTION pay.seller_part(p_amount_minor bigint, p_credit_minor bigint, p_before bigint, p_part bigint) OWNER TO payments_owner;

--
-- Name: FUNCTION seller_part(p_amount_minor bigint, p_credit_minor bigint, p_before bigint, p_part bigint); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.seller_part(p_amount_minor bigint, p_credit_minor bigint, p_before bigint, p_part bigint) IS 'A part of an order''s amount in the currency that the seller is owed';

--
-- Name: seller_share(pay.payment_order, bigint); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.seller_share(p_order pay.payment_order, p_amount_minor bigint) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_taken numeric;
BEGIN
    IF p_order.credit_currency IS NULL THEN
        RETURN p_amount_minor;
    END IF;

    SELECT coalesce(sum(t.seller_minor), 0) INTO v_taken
    FROM (
        SELECT c.seller_minor FROM change c
        WHERE c.merchant_id = p_order.merchant_id
            AND c.checkout_id = p_order.checkout_id
            AND c.payment_order_id = p_order.payment_order_id
            AND c.kind = 'refund' AND c.status <> 'FAILED'
        UNION ALL
        SELECT d.seller_minor FROM dispute d
        WHERE d.merchant_id = p_order.merchant_id
            AND d.checkout_id = p_order.checkout_id
            AND d.payment_order_id = p_order.payment_order_id
            AND d.state NOT IN ('won', 'moved')) t;

    RETURN greatest(0, seller_part(p_order.amount_minor, p_order.credit_minor,
        0, p_order.refunding_minor + p_order.refunded_minor
            + p_order.charged_back_minor + p_amount_minor) - v_taken);
END
$$;

ALTER FUNCTION pay.seller_share(p_order pay.payment_order, p_amount_minor bigint) OWNER TO payments_owner;

--
-- Name: FUNCTION seller_share(p_order pay.payment_order, p_amount_minor bigint); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.seller_share(p_order pay.payment_order, p_amount_minor bigint) IS 'What the next refund or dispute takes of what the seller is owed';

--
-- Name: send_dispatches(text[], text[], text[], text[], text[], bigint[], bigint[], text[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.send_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[], p_items integer[], OUT items integer[], OUT outcomes text[], OUT attempts bigint[], OUT sends bigint[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
BEGIN
    WITH due AS MATERIALIZED (
        SELECT u.*, d.part, d.tid, d.attempt, d.sends, o.key_until,
            now() + make_interval(secs => p_lease_ms[u.n] / 1000.0) AS lease,
            CASE WHEN p_psp[u.n] <> r.psp
                     OR u.operation IN ('capture', 'expire')
                        AND u.operation_id <> r.nonce AND x.kind IS NULL
                     OR x.kind <> CASE WHEN u.operation = 'expire'
                                       THEN 'cancel' ELSE u.operation END
                     THEN 'invalid'
                 WHEN x.status IN ('SUCCESS', 'FAILED') THEN 'done'
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
                     < d.known_until
                     AND d.first_sent_at < d.known_until THEN 'again'
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
            SELECT c.kind, c.status FROM change c
            WHERE c.merchant_id = u.merchant_id
                AND c.change_id = u.operation_id
                AND c.checkout_id = u.checkout_id
            OFFSET 0) x ON true
        LEFT JOIN LATERAL (
            SELECT d.tableoid AS part, d.ctid AS tid, d.*,
                least(d.key_until, d.first_sent_at
                    + make_interval(secs => p_key_window_s[u.n]))
                    AS known_until
            FROM dispatch d
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
            AND d.tableoid = u.part
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
            r.part AS registration_part, r.tid AS registration,
            d.part AS dispatch_part, d.tid AS dispatch, d.attempt,
            now() + make_interval(secs => u.lease_ms / 1000.0) AS lease,
            now() + key_window(r.psps, r.key_windows, r.psp) AS key_until,
            CASE WHEN r.expired THEN 'over'
                 WHEN r.waits THEN 'replace'
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
            SELECT r.tableoid AS part, r.ctid AS tid, r.psp, r.nonce, r.psps,
                r.key_windows, r.waits, c.expires_at <= now() AS expired
            FROM registration r
            JOIN checkout c ON c.merchant_id = r.merchant_id
                AND c.checkout_id = r.checkout_id
            WHERE r.merchant_id = u.merchant_id
                AND r.checkout_id = u.checkout_id
            OFFSET 0) r ON u.kind = 'register'
        LEFT JOIN LATERAL (
            SELECT d.tableoid AS part, d.ctid AS tid, d.* FROM dispatch d
            WHERE d.merchant_id = u.merchant_id
                AND d.checkout_id = u.checkout_id
                AND d.operation = 'register' AND d.operation_id = r.nonce
            ORDER BY d.attempt DESC LIMIT 1) d ON true
    ), raised AS (
        UPDATE registration r
        SET open_attempts = r.open_attempts + 1
        FROM due u
        WHERE u.kind = 'register' AND u.step IN ('new', 'again')
            AND r.ctid = u.registration AND r.tableoid = u.registration_part
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
            AND d.ctid = u.dispatch AND d.tableoid = u.dispatch_part
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
                          WHEN u.step IN ('over', 'replace') THEN u.step
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
-- Name: set_change(pay.change, text, pay.fact, boolean); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.set_change(p_change pay.change, p_status text, p_word pay.fact, p_returned boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE change c
    SET status = p_status, returned = p_returned,
        code = coalesce(nullif(p_word.code, ''), c.code),
        reference = coalesce(c.reference, nullif(p_word.reference, '')),
        changed_at = clock_timestamp()
    WHERE c.merchant_id = p_change.merchant_id
        AND c.change_id = p_change.change_id;

    IF p_status IN ('SUCCESS', 'FAILED') THEN
        PERFORM drop_change_job(p_change, p_status);
    END IF;
END
$$;

ALTER FUNCTION pay.set_change(p_change pay.change, p_status text, p_word pay.fact, p_returned boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION set_change(p_change pay.change, p_status text, p_word pay.fact, p_returned boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.set_change(p_change pay.change, p_status text, p_word pay.fact, p_returned boolean) IS 'Writes down how a change stands';

--
-- Name: set_tokens(text[], text[], text[], text[], text[], text[], boolean); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.set_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_sure boolean, OUT stored integer[], OUT late integer[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
BEGIN
    WITH first AS (
        SELECT DISTINCT ON (r.merchant_id, r.checkout_id)
            u.n, r.tableoid AS part, r.ctid AS tid, u.token, u.alias,
            u.hosted_url
        FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_token, p_alias,
            p_hosted_url) WITH ORDINALITY AS u (merchant_id, checkout_id,
            psp, token, alias, hosted_url, n)
        CROSS JOIN LATERAL (
            SELECT r.tableoid, r.ctid, r.* FROM registration r
            WHERE r.merchant_id = u.merchant_id
                AND r.checkout_id = u.checkout_id
            OFFSET 0) r
        WHERE r.token IS NULL AND r.psp = u.psp
            AND (p_sure OR holds_names(r.merchant_id, r.checkout_id, u.psp,
                                       u.token, u.alias))
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
        WHERE r.ctid = f.tid AND r.tableoid = f.part
        RETURNING f.n::int AS n, r.state, r.merchant_id, r.checkout_id,
            r.nonce, r.token
    ), ended AS (
        UPDATE dispatch d
        SET state = 'DONE', ended_at = clock_timestamp(), lease_until = NULL,
            reach = 'complete', http_status = NULL, code = NULL,
            reference = k.token
        FROM (
            SELECT l.part, l.tid, x.token FROM done x
            CROSS JOIN LATERAL (
                SELECT l.tableoid AS part, l.ctid AS tid FROM dispatch l
                WHERE l.merchant_id = x.merchant_id
                    AND l.checkout_id = x.checkout_id
                    AND l.operation = 'register'
                    AND l.operation_id = x.nonce
                ORDER BY l.attempt DESC LIMIT 1) l) k
        WHERE d.ctid = k.tid AND d.tableoid = k.part
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
-- Name: settle_changes(text[], text[], text[], text[], text[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.settle_changes(p_merchant_id text[], p_operation_id text[], p_code text[], p_reference text[], p_request_id text[], p_items integer[]) RETURNS pay.fact[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_change  change;
    v_after   record;
    v_sorted  record;
    v_word    fact;
    v_facts   fact[] := '{}';
    v_is_none boolean;
    v_n       int;
BEGIN
    FOREACH v_n IN ARRAY p_items LOOP
        v_change := find_change(p_merchant_id[v_n], p_operation_id[v_n]);
        CONTINUE WHEN v_change.change_id IS NULL;

        v_after := change_after(v_change);
        v_word.actor := 'gateway';
        v_word.code := p_code[v_n];
        v_word.request_id := p_request_id[v_n];
        v_word.reference := CASE WHEN v_after.state IN ('DONE', 'PENDING')
                                 THEN p_reference[v_n] END;

        IF v_change.kind IN ('refund', 'capture') THEN
            v_is_none := coalesce(v_after.status = 'FAILED'
                                  OR v_after.state = 'NOT_SENT', false);
            IF v_change.kind = 'refund' THEN
                v_sorted := sort_refund(v_change, v_word, v_is_none);
            ELSE
                v_sorted := sort_capture(v_change, nullif(v_word.reference,
                    ''), v_word, v_is_none);
            END IF;
            v_change := v_sorted.sorted;
            v_facts := v_facts || v_sorted.facts;
        END IF;

        IF v_change.status IN ('NOT_STARTED', 'EXECUTING') THEN
            IF v_after.status IS NOT NULL THEN
                v_facts := v_facts
                    || move_change(v_change, v_after.status, v_word);
            END IF;

            IF v_after.state = 'PENDING' THEN
                PERFORM drop_change_job(v_change, 'PENDING');
            END IF;
        ELSIF v_change.status = 'FAILED' AND v_after.status = 'SUCCESS' THEN
            v_facts := v_facts || doubt(change_fact(v_change, v_word, '',
                NULL), v_change.kind, 'contradiction', p_reference[v_n],
                v_change.amount_minor, v_change.currency);
        END IF;
    END LOOP;

    RETURN v_facts;
END
$$;

ALTER FUNCTION pay.settle_changes(p_merchant_id text[], p_operation_id text[], p_code text[], p_reference text[], p_request_id text[], p_items integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION settle_changes(p_merchant_id text[], p_operation_id text[], p_code text[], p_reference text[], p_request_id text[], p_items integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.settle_changes(p_merchant_id text[], p_operation_id text[], p_code text[], p_reference text[], p_request_id text[], p_items integer[]) IS 'Changes after the end of a call';

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
    v_merchants text[];
    v_checkouts text[];
    v_psps      text[];
    v_names     text[];
    v_parked    int[] := '{}';
    v_taken     record;
BEGIN
    SELECT array_agg(f.merchant_id), array_agg(f.checkout_id),
        array_agg(f.psp),
        array_agg(CASE WHEN f.actor IN ('webhook', 'query')
                           AND f.kind NOT IN ('mismatch', 'notified')
                           AND f.reference IS DISTINCT FROM f.token
                       THEN f.reference END)
    INTO v_merchants, v_checkouts, v_psps, v_names
    FROM unnest(p_facts) f;

    IF array_remove(v_names, NULL) <> '{}' THEN
        v_parked := claim_references(v_merchants, v_checkouts, v_psps,
                                     v_names);
    END IF;

    PERFORM lock_checkouts(v_merchants, v_checkouts);

    v_taken := take_facts(p_facts);

    PERFORM post(v_taken.postings || apply_named(v_parked, v_merchants,
                                                 v_checkouts, v_psps,
                                                 v_names));

    IF p_late OR EXISTS (
        SELECT FROM unnest(v_taken.facts) f
        WHERE f.outcome IN ('unchanged', 'held', 'contradiction'))
    THEN
        UPDATE webhook_inbox w
        SET state = f.outcome, merchant_id = f.merchant_id,
            checkout_id = f.checkout_id
        FROM unnest(v_taken.facts) f
        WHERE f.actor = 'webhook' AND w.psp = f.psp
            AND w.event_id = f.event_id AND w.state <> f.outcome;
    END IF;

    RETURN v_taken.facts;
END
$$;

ALTER FUNCTION pay.settle_facts(p_facts pay.fact[], p_late boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION settle_facts(p_facts pay.fact[], p_late boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.settle_facts(p_facts pay.fact[], p_late boolean) IS 'Takes facts about known checkouts into account';

--
-- Name: settle_news(pay.news[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.settle_news(p_news pay.news[]) RETURNS pay.news[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_merchants text[] := ARRAY(SELECT n.merchant_id FROM unnest(p_news) n);
    v_checkouts text[] := ARRAY(
        SELECT CASE WHEN n.outcome IS NULL THEN n.checkout_id END
        FROM unnest(p_news) n);
    v_psps      text[] := ARRAY(SELECT n.psp FROM unnest(p_news) n);
    v_names     text[] := ARRAY(
        SELECT CASE WHEN n.reference IS DISTINCT FROM n.token
                    THEN n.reference END
        FROM unnest(p_news) n) || ARRAY(
        SELECT CASE WHEN n.about = 'capture' AND n.news <> 'failed'
                    THEN n.object END
        FROM unnest(p_news) n);
    v_parked    int[];
    v_taken     record;
BEGIN
    v_merchants := v_merchants || v_merchants;
    v_checkouts := v_checkouts || v_checkouts;
    v_psps := v_psps || v_psps;
    v_parked := claim_references(v_merchants, v_checkouts, v_psps, v_names);
    PERFORM lock_checkouts(v_merchants, v_checkouts);

    v_taken := take_news(p_news);
    PERFORM post(v_taken.postings || apply_named(v_parked, v_merchants,
        v_checkouts, v_psps, v_names));

    RETURN v_taken.told;
END
$$;

ALTER FUNCTION pay.settle_news(p_news pay.news[]) OWNER TO payments_owner;

--
-- Name: FUNCTION settle_news(p_news pay.news[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.settle_news(p_news pay.news[]) IS 'Takes words about known checkouts into account, and books them';

--
-- Name: settle_refunds(text[], text[], text[], text[], text[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.settle_refunds(p_merchant_id text[], p_checkout_id text[], p_operation_id text[], p_reference text[], p_request_id text[], p_items integer[]) RETURNS pay.fact[]
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
        NULL, NULL, NULL)::fact)
    INTO v_facts
    FROM paid_back b;

    IF v_facts IS NOT NULL THEN
        DELETE FROM job j
        USING unnest(v_facts) f
        CROSS JOIN LATERAL (
            SELECT k.tableoid AS part, k.ctid AS tid FROM job k
            WHERE k.merchant_id = f.merchant_id
                AND k.checkout_id = f.checkout_id AND k.kind = 'refund'
            OFFSET 0) k
        WHERE j.ctid = k.tid AND j.tableoid = k.part;

        PERFORM settle_dead_letters(
            ARRAY(SELECT f.merchant_id FROM unnest(v_facts) f),
            ARRAY(SELECT f.checkout_id FROM unnest(v_facts) f),
            '{refund,late_success}', 'refunded');
    END IF;

    RETURN coalesce(v_facts, '{}');
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
-- Name: settled_fact(pay.mismatch, text, text, jsonb); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.settled_fact(p_mismatch pay.mismatch, p_who text, p_why text, p_more jsonb DEFAULT '{}'::jsonb) RETURNS pay.fact
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN ROW(1, NULL, p_mismatch.merchant_id, p_mismatch.checkout_id,
        'mismatch_settled', 'operator', p_mismatch.psp, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL, NULL, jsonb_build_object(
            'mismatch_id', p_mismatch.mismatch_id, 'kind', p_mismatch.kind,
            'who', p_who, 'why', p_why, 'role', session_user)
            || jsonb_strip_nulls(p_more), NULL, NULL, NULL)::fact;
END
$$;

ALTER FUNCTION pay.settled_fact(p_mismatch pay.mismatch, p_who text, p_why text, p_more jsonb) OWNER TO payments_owner;

--
-- Name: FUNCTION settled_fact(p_mismatch pay.mismatch, p_who text, p_why text, p_more jsonb); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.settled_fact(p_mismatch pay.mismatch, p_who text, p_why text, p_more jsonb) IS 'That an operator has settled a row of the mismatch queue';

--
-- Name: shown_decline(pay.payment_order); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.shown_decline(p_order pay.payment_order) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT CASE WHEN (p_order).status <> 'SUCCESS' THEN (p_order).decline END
$$;

ALTER FUNCTION pay.shown_decline(p_order pay.payment_order) OWNER TO payments_owner;

--
-- Name: FUNCTION shown_decline(p_order pay.payment_order); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.shown_decline(p_order pay.payment_order) IS 'The last declined attempt to pay an order that is not paid';

--
-- Name: single_outside(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.single_outside(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_order   payment_order := only_order(p_news.merchant_id,
                                          p_news.checkout_id);
    v_ours    change := capture_of_amount(p_news);
    v_outside change;
    v_why     text;
BEGIN
    v_why := CASE
        WHEN p_news.object IS NULL OR v_order.payment_order_id IS NULL
            OR EXISTS (
                SELECT FROM change c
                WHERE c.merchant_id = p_news.merchant_id
                    AND c.checkout_id = p_news.checkout_id
                    AND c.kind = 'capture' AND c.origin = 'psp'
                    AND c.reference IS NULL) THEN 'unknown'
        WHEN v_order.captured_minor + p_news.amount_minor
            > v_order.amount_minor THEN 'exceeds' END;

    IF v_why IS NOT NULL THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, v_why);
    ELSE
        outcome := 'applied';
        v_outside := insert_outside(p_news, v_order, p_news.amount_minor);
        facts := move_change(v_outside, 'SUCCESS', news_word(p_news));

        IF v_ours.change_id IS NOT NULL THEN
            facts := facts || match_capture(v_ours, find_change(
                v_outside.merchant_id, v_outside.change_id),
                news_word(p_news), true);
        END IF;
    END IF;
END
$$;

ALTER FUNCTION pay.single_outside(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION single_outside(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.single_outside(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) IS 'A capture that is not named as ours; one of ours may be meant';

--
-- Name: sort_capture(pay.change, text, pay.fact, boolean); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.sort_capture(p_change pay.change, p_name text, p_word pay.fact, p_is_none boolean, OUT sorted pay.change, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_parted  record;
    v_outside change;
BEGIN
    sorted := p_change;
    facts := '{}';

    IF p_name IS NULL AND NOT (p_is_none AND p_change.by_amount) THEN
        RETURN;
    ELSIF p_change.by_amount AND p_change.reference = p_name THEN
        UPDATE change c SET by_amount = false
        WHERE c.merchant_id = p_change.merchant_id
            AND c.change_id = p_change.change_id
        RETURNING c.* INTO sorted;
        RETURN;
    ELSIF p_change.by_amount THEN
        v_parted := part_capture(p_change, p_word);
        sorted := v_parted.parted;
        facts := ARRAY[v_parted.told];
        IF p_name IS NULL THEN
            PERFORM start_job(p_change.merchant_id, p_change.checkout_id,
                              'change', p_change.change_id);
        END IF;
    END IF;

    SELECT c.* INTO v_outside FROM change c
    WHERE c.merchant_id = sorted.merchant_id
        AND c.checkout_id = sorted.checkout_id AND c.kind = 'capture'
        AND c.origin = 'psp' AND c.psp = sorted.psp
        AND c.reference = p_name AND c.matched_to IS NULL
        -- what was there before we asked is not ours
        AND c.created_at >= sorted.created_at;

    IF v_outside.change_id IS NULL
        OR sorted.status NOT IN ('NOT_STARTED', 'EXECUTING')
    THEN
        RETURN;
    ELSIF v_outside.amount_minor = sorted.amount_minor
        OR v_outside.status = 'FAILED'
    THEN
        facts := facts || match_capture(sorted, v_outside, p_word, false);
    ELSE
        p_word.code := 'amount';
        facts := facts || move_change(sorted, 'FAILED', p_word)
            || doubt(change_fact(sorted, p_word, '', NULL), 'capture',
                'amount', p_name, v_outside.amount_minor,
                v_outside.currency);
    END IF;

    sorted := find_change(sorted.merchant_id, sorted.change_id);
END
$$;

ALTER FUNCTION pay.sort_capture(p_change pay.change, p_name text, p_word pay.fact, p_is_none boolean, OUT sorted pay.change, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION sort_capture(p_change pay.change, p_name text, p_word pay.fact, p_is_none boolean, OUT sorted pay.change, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.sort_capture(p_change pay.change, p_name text, p_word pay.fact, p_is_none boolean, OUT sorted pay.change, OUT facts pay.fact[]) IS 'Tells a capture of ours from what was taken for it, or for another''s';

--
-- Name: sort_refund(pay.change, pay.fact, boolean); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.sort_refund(p_change pay.change, p_word pay.fact, p_is_none boolean, OUT sorted pay.change, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_name text := nullif(p_word.reference, '');
    v_own  record;
BEGIN
    sorted := p_change;
    facts := '{}';

    IF v_name IS NULL AND NOT (p_is_none AND p_change.by_amount) THEN
        RETURN;
    END IF;

    v_own := own_object(p_change, v_name, p_word);
    facts := v_own.facts;

    UPDATE change c SET reference = v_name, by_amount = false
    WHERE c.merchant_id = p_change.merchant_id
        AND c.change_id = p_change.change_id
    RETURNING c.* INTO sorted;

    IF p_change.status <> 'FAILED' AND v_own.failed
        OR p_change.status = 'SUCCESS' AND v_name IS NULL
    THEN
        facts := facts || move_change(sorted, 'FAILED', p_word);
        sorted := find_change(p_change.merchant_id, p_change.change_id);
    ELSIF p_change.status IN ('NOT_STARTED', 'EXECUTING') AND v_own.done THEN
        facts := facts || move_change(sorted, 'SUCCESS', p_word);
        sorted := find_change(p_change.merchant_id, p_change.change_id);
    ELSIF p_change.status = 'EXECUTING' AND v_name IS NULL THEN
        PERFORM start_job(p_change.merchant_id, p_change.checkout_id,
                          'change', p_change.change_id);
    END IF;

    IF p_change.by_amount AND p_change.reference <> coalesce(v_name, '') THEN
        facts := facts || (hear_refund(news_of(p_change, p_change.reference,
                                               p_word))).facts;
    END IF;
END
$$;

ALTER FUNCTION pay.sort_refund(p_change pay.change, p_word pay.fact, p_is_none boolean, OUT sorted pay.change, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION sort_refund(p_change pay.change, p_word pay.fact, p_is_none boolean, OUT sorted pay.change, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.sort_refund(p_change pay.change, p_word pay.fact, p_is_none boolean, OUT sorted pay.change, OUT facts pay.fact[]) IS 'Tells a refund of ours from what was taken for it';

--
-- Name: split_amount(bigint, bigint[], bigint[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.split_amount(p_amount bigint, p_weights bigint[], p_rooms bigint[]) RETURNS bigint[]
    LANGUAGE plpgsql IMMUTABLE
    AS $$
DECLARE
    v_parts  bigint[] := array_fill(0::bigint,
                                    ARRAY[cardinality(p_weights)]);
    v_open   int[] := ARRAY(
        SELECT n FROM generate_subscripts(p_rooms, 1) n
        WHERE p_rooms[n] > 0);
    v_left   bigint := p_amount;
    v_weight numeric;
    v_full   int[];
    v_n      int;
BEGIN
    LOOP
        v_weight := (SELECT sum(p_weights[n]) FROM unnest(v_open) n);
        v_full := ARRAY(
            SELECT n FROM unnest(v_open) n
            WHERE v_left::numeric * p_weights[n] > p_rooms[n] * v_weight);
        EXIT WHEN v_full = '{}';

        FOREACH v_n IN ARRAY v_full LOOP
            v_parts[v_n] := p_rooms[v_n];
            v_left := v_left - p_rooms[v_n];
        END LOOP;
        v_open := ARRAY(SELECT n FROM unnest(v_open) n
                        WHERE n <> ALL (v_full));
    END LOOP;

    IF v_open = '{}' AND v_left > 0 THEN
        RETURN NULL;
    END IF;

    FOREACH v_n IN ARRAY v_open LOOP
        v_parts[v_n] := div(v_left::numeric * p_weights[v_n], v_weight);
    END LOOP;

    FOR v_n IN
        SELECT n FROM unnest(v_open) n
        ORDER BY mod(v_left::numeric * p_weights[n], v_weight) DESC, n
        LIMIT v_left - (SELECT coalesce(sum(v_parts[n]), 0)
                        FROM unnest(v_open) n)
    LOOP
        v_parts[v_n] := v_parts[v_n] + 1;
    END LOOP;

    RETURN v_parts;
END
$$;

ALTER FUNCTION pay.split_amount(p_amount bigint, p_weights bigint[], p_rooms bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION split_amount(p_amount bigint, p_weights bigint[], p_rooms bigint[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.split_amount(p_amount bigint, p_weights bigint[], p_rooms bigint[]) IS 'An amount in proportion to weights, exactly, within rooms, or NULL';

--
-- Name: split_note(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.split_note(p_news pay.news) RETURNS pay.fact
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_note fact := doubt(news_word(p_news), p_news.about, 'split',
        p_news.object, p_news.amount_minor, p_news.currency);
BEGIN
    v_note.reference := NULL;
    v_note.postings := NULL;

    RETURN v_note;
END
$$;

ALTER FUNCTION pay.split_note(p_news pay.news) OWNER TO payments_owner;

--
-- Name: FUNCTION split_note(p_news pay.news); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.split_note(p_news pay.news) IS 'That a refund or a dispute was split over several orders';

--
-- Name: split_orders(pay.news); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.split_orders(p_news pay.news, OUT orders pay.payment_order[], OUT parts bigint[]) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_parts bigint[];
BEGIN
    IF (named_order(p_news)).payment_order_id IS NOT NULL THEN
        RETURN;
    END IF;

    orders := ARRAY(
        SELECT o FROM payment_order o
        WHERE o.merchant_id = p_news.merchant_id
            AND o.checkout_id = p_news.checkout_id
        ORDER BY o.position);

    v_parts := split_amount(p_news.amount_minor,
        ARRAY(SELECT o.amount_minor FROM unnest(orders) o
              ORDER BY o.position),
        ARRAY(SELECT room_of(o, p_news.about) FROM unnest(orders) o
              ORDER BY o.position));

    SELECT array_agg(orders[n] ORDER BY n), array_agg(v_parts[n] ORDER BY n)
    INTO orders, parts
    FROM generate_subscripts(v_parts, 1) n
    WHERE v_parts[n] > 0;
END
$$;

ALTER FUNCTION pay.split_orders(p_news pay.news, OUT orders pay.payment_order[], OUT parts bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION split_orders(p_news pay.news, OUT orders pay.payment_order[], OUT parts bigint[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.split_orders(p_news pay.news, OUT orders pay.payment_order[], OUT parts bigint[]) IS 'The orders that bear a refund or a dispute, and how much of it; or NULL';

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
        is_told(o.merchant_id, o.checkout_id, o.payment_order_id, 'pending',
                NULL),
        coalesce(m.differs, false), coalesce(m.contradicted, false)
            AND (o.status <> 'FAILED' OR is_held_late(o)),
        EXISTS (SELECT FROM letters_of(c.merchant_id, c.checkout_id) x
                WHERE x.state = 'open' AND x.kind = 'stuck'),
        o.authorized_minor > 0 AND o.status = 'EXECUTING', h.kind,
        h.run_at, h.letter, h.code,
        o.status = 'FAILED' AND page_is_closed(o), r.waits, c.replaces,
        c.replaced_by, c.replaces IS NOT NULL
            AND has_money(c.merchant_id, c.replaces),
        r.waits AND old_page_is_open(c.merchant_id, c.checkout_id)
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
        FROM open_mismatches(c.merchant_id, c.checkout_id) x) m ON true
    LEFT JOIN LATERAL open_change(o) h ON true;

    RETURN CASE WHEN FOUND THEN v_standing END;
END
$$;

ALTER FUNCTION pay.standing_of(p_merchant_id text, p_payment_order_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION standing_of(p_merchant_id text, p_payment_order_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.standing_of(p_merchant_id text, p_payment_order_id text) IS 'What explain() judges an order by; NULL when there is none';

--
-- Name: start_changes(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.start_changes(p_merchant_id text, p_checkout_id text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM FROM change c
    WHERE c.merchant_id = p_merchant_id AND c.checkout_id = p_checkout_id
        AND c.status IN ('NOT_STARTED', 'EXECUTING')
        AND start_job(p_merchant_id, p_checkout_id, 'change', c.change_id);

    RETURN FOUND;
END
$$;

ALTER FUNCTION pay.start_changes(p_merchant_id text, p_checkout_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION start_changes(p_merchant_id text, p_checkout_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.start_changes(p_merchant_id text, p_checkout_id text) IS 'Makes the jobs of all open changes of a locked checkout due now';

--
-- Name: start_job(text, text, text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.start_job(p_merchant_id text, p_checkout_id text, p_kind text, p_operation_id text DEFAULT ''::text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO job AS j (merchant_id, checkout_id, kind, operation_id,
        run_at)
    SELECT r.merchant_id, r.checkout_id, p_kind, p_operation_id, now()
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
            WHEN 'change' THEN change_needs_job(p_merchant_id,
                                                p_operation_id)
            END
    ON CONFLICT (merchant_id, checkout_id, kind, operation_id) DO UPDATE
    SET run_at = least(j.run_at, now()), attempts = 0;

    RETURN FOUND;
END
$$;

ALTER FUNCTION pay.start_job(p_merchant_id text, p_checkout_id text, p_kind text, p_operation_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION start_job(p_merchant_id text, p_checkout_id text, p_kind text, p_operation_id text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.start_job(p_merchant_id text, p_checkout_id text, p_kind text, p_operation_id text) IS 'Makes a job of a locked checkout due now, with all its attempts ahead';

--
-- Name: statement(text, text, text, bigint, integer); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.statement(p_merchant_id text, p_seller text, p_currency text, p_before bigint, p_limit integer) RETURNS json
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_lines json;
    v_last  bigint;
BEGIN
    SELECT json_agg(json_build_object('seq', l.wallet_seq,
            'at', iso_time(e.at), 'kind', l.kind,
            'account', k.wallet,
            'amount', decimal_text(-l.amount_minor, l.currency),
            'balance', decimal_text(l.balance_minor, l.currency),
            'payment_order_id', e.payment_order_id, 'source', l.source)
            ORDER BY l.wallet_seq DESC),
        min(l.wallet_seq)
    INTO v_lines, v_last
    FROM (
        SELECT * FROM journal_line x
        WHERE x.merchant_id = p_merchant_id AND x.owner = p_seller
            AND x.currency = p_currency AND x.wallet_seq IS NOT NULL
            AND x.wallet_seq < coalesce(p_before, 9223372036854775807)
        ORDER BY x.wallet_seq DESC LIMIT p_limit) l
    CROSS JOIN LATERAL (
        SELECT e.at, e.payment_order_id FROM journal_entry e
        WHERE e.merchant_id = l.merchant_id AND e.source = l.source
            AND e.kind = l.kind
        OFFSET 0) e
    CROSS JOIN LATERAL (
        SELECT k.wallet FROM account_kind k WHERE k.account = l.account
        OFFSET 0) k;

    RETURN json_build_object('lines', coalesce(v_lines, '[]'),
        'next', CASE WHEN v_last > 1 THEN v_last END);
END
$$;

ALTER FUNCTION pay.statement(p_merchant_id text, p_seller text, p_currency text, p_before bigint, p_limit integer) OWNER TO payments_owner;

--
-- Name: FUNCTION statement(p_merchant_id text, p_seller text, p_currency text, p_before bigint, p_limit integer); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.statement(p_merchant_id text, p_seller text, p_currency text, p_before bigint, p_limit integer) IS 'A page of a wallet''s lines, newest first, and where the next begins';

--
-- Name: status_rank(text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.status_rank(p_status text) RETURNS integer
    LANGUAGE sql IMMUTABLE
    RETURN (array_position('{NOT_STARTED,EXECUTING,FAILED,SUCCESS}'::text[], p_status) - 1);

ALTER FUNCTION pay.status_rank(p_status text) OWNER TO payments_owner;

--
-- Name: FUNCTION status_rank(p_status text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.status_rank(p_status text) IS 'How far an order is: a status may only rise';

--
-- Name: store_rates(text, text, jsonb, timestamp with time zone); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.store_rates(p_source text, p_base text, p_rates jsonb, p_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM rate r WHERE r.source = p_source AND NOT p_rates ? r.quote;

    INSERT INTO rate AS r (source, quote, base, rate, fetched_at)
    SELECT p_source, e.key, p_base, e.value::numeric, p_at
    FROM jsonb_each_text(p_rates) e
    ON CONFLICT (source, quote) DO UPDATE
    SET base = EXCLUDED.base, rate = EXCLUDED.rate,
        fetched_at = EXCLUDED.fetched_at;
END
$$;

ALTER FUNCTION pay.store_rates(p_source text, p_base text, p_rates jsonb, p_at timestamp with time zone) OWNER TO payments_owner;

--
-- Name: FUNCTION store_rates(p_source text, p_base text, p_rates jsonb, p_at timestamp with time zone); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.store_rates(p_source text, p_base text, p_rates jsonb, p_at timestamp with time zone) IS 'Puts a source''s rates in the place of those it gave before';

--
-- Name: suspended(pay.mismatch); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.suspended(p_mismatch pay.mismatch) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_source text := news_source(news_of_mismatch(p_mismatch, NULL, NULL));
    v_kind   text := 'unknown_' || p_mismatch.kind;
BEGIN
    IF p_mismatch.kind NOT IN ('refund', 'dispute')
        OR p_mismatch.object IS NULL
        OR is_booked(p_mismatch.merchant_id, v_source, v_kind || '_cleared')
        OR is_booked(p_mismatch.merchant_id, v_source, v_kind || '_borne')
    THEN
        RETURN NULL;
    END IF;

    RETURN (
        SELECT e.amount_minor FROM journal_entry e
        WHERE e.merchant_id = p_mismatch.merchant_id AND e.source = v_source
            AND e.kind = v_kind);
END
$$;

ALTER FUNCTION pay.suspended(p_mismatch pay.mismatch) OWNER TO payments_owner;

--
-- Name: FUNCTION suspended(p_mismatch pay.mismatch); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.suspended(p_mismatch pay.mismatch) IS 'How much money of a refund or a dispute is in suspense';

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
    PERFORM sweep_changes(coalesce(sweep_limit(p_limits, 'changing_s'),
                                   '7 days'));
    PERFORM sweep_parked(sweep_limit(p_limits, 'parked_s'));
    PERFORM make_partitions(false);

    RETURN sweep_counts();
END
$$;

ALTER FUNCTION pay.sweep_all(p_limits jsonb) OWNER TO payments_owner;

--
-- Name: FUNCTION sweep_all(p_limits jsonb); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.sweep_all(p_limits jsonb) IS 'One round of the sweep';

--
-- Name: sweep_changes(interval); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.sweep_changes(p_limit interval) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO dead_letter (merchant_id, checkout_id, psp, kind, reason,
        code)
    SELECT DISTINCT ON (c.merchant_id, c.checkout_id)
        c.merchant_id, c.checkout_id, c.psp, 'stuck', 'changing', c.kind
    FROM (
        SELECT x.* FROM change x
        WHERE status_rank(x.status) < 2
            AND x.created_at < now() - p_limit
            AND may_be_stuck(x.merchant_id, x.checkout_id, 'changing',
                             x.created_at, p_limit)
        ORDER BY x.created_at LIMIT 1000) c
    ORDER BY c.merchant_id, c.checkout_id, c.created_at
    ON CONFLICT DO NOTHING;
END
$$;

ALTER FUNCTION pay.sweep_changes(p_limit interval) OWNER TO payments_owner;

--
-- Name: FUNCTION sweep_changes(p_limit interval); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.sweep_changes(p_limit interval) IS 'Dead letters for changes that have been open for too long';

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
            FROM unnest('{register,poll,refund,change,late_success,parked,'
                        'stuck}'::text[]) k (kind)
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
        SELECT k.tableoid AS part, k.ctid AS tid
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
    WHERE d.ctid = x.tid AND d.tableoid = x.part AND d.state = 'OPEN';
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
            AND is_unfinished(c.merchant_id, c.checkout_id)
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
        AND is_unsettled(d.merchant_id, d.checkout_id, d.operation,
                         d.operation_id)
    ORDER BY d.merchant_id, d.checkout_id, d.psp, d.first_sent_at
    ON CONFLICT DO NOTHING;

    -- whoever holds a checkout finds its calls by their address, so not even
    -- this changes one without that lock
    UPDATE dispatch d
    SET settled = true
    FROM (
        SELECT u.* FROM unnest(v_page) u
        WHERE NOT is_unsettled(u.merchant_id, u.checkout_id, u.operation,
                               u.operation_id)
        OFFSET 0) u
    CROSS JOIN LATERAL (
        SELECT FROM checkout c
        WHERE c.merchant_id = u.merchant_id AND c.checkout_id = u.checkout_id
        FOR NO KEY UPDATE SKIP LOCKED) c
    CROSS JOIN LATERAL (
        SELECT k.tableoid AS part, k.ctid AS tid FROM dispatch k
        WHERE k.merchant_id = u.merchant_id AND k.checkout_id = u.checkout_id
            AND k.operation = u.operation AND k.operation_id = u.operation_id
            AND k.attempt = u.attempt AND k.state = 'UNKNOWN'
        FOR UPDATE SKIP LOCKED) k
    WHERE d.ctid = k.tid AND d.tableoid = k.part;
END
$$;

ALTER FUNCTION pay.sweep_unknown(p_limit interval) OWNER TO payments_owner;

--
-- Name: FUNCTION sweep_unknown(p_limit interval); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.sweep_unknown(p_limit interval) IS 'Dead letters for calls whose outcome has not been known for too long';

--
-- Name: take_captures(pay.news, pay.change, bigint); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.take_captures(p_news pay.news, p_named pay.change, p_captured bigint, OUT outcome text, OUT facts pay.fact[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_word   fact := news_word(p_news);
    v_left   bigint := p_news.amount_minor - p_captured;
    v_out    change[];
    v_change change;
    v_more   record;
BEGIN
    facts := '{}';
    outcome := 'unchanged';

    IF p_named.change_id = p_news.operation_id
        AND p_named.amount_minor > p_news.amount_minor
    THEN
        SELECT * INTO outcome, facts FROM news_doubt(p_news, 'amount');
        RETURN;
    ELSIF p_named.status IN ('NOT_STARTED', 'EXECUTING')
        AND (p_named.change_id = p_news.operation_id
             OR p_named.amount_minor <= v_left)
    THEN
        facts := move_change(p_named, 'SUCCESS', v_word);
        outcome := 'applied';
        v_left := v_left - p_named.amount_minor;
    END IF;

    v_out := captures_out(p_news.merchant_id, p_news.checkout_id);

    IF v_left <= 0 THEN
        RETURN;
    ELSIF v_out = '{}' THEN
        v_more := outside_captures(p_news, v_left);
        outcome := v_more.outcome;
        facts := facts || v_more.facts;
    ELSIF v_left = (SELECT sum(c.amount_minor) FROM unnest(v_out) c) THEN
        outcome := 'applied';
        -- the PSP's name is that of one of them
        v_word.reference := CASE WHEN cardinality(v_out) = 1
                                 THEN v_word.reference END;
        FOREACH v_change IN ARRAY v_out LOOP
            facts := facts || move_change(v_change, 'SUCCESS', v_word);
        END LOOP;
    ELSIF p_news.source <> 'query' THEN
        outcome := 'parked';
    END IF;
END
$$;

ALTER FUNCTION pay.take_captures(p_news pay.news, p_named pay.change, p_captured bigint, OUT outcome text, OUT facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION take_captures(p_news pay.news, p_named pay.change, p_captured bigint, OUT outcome text, OUT facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.take_captures(p_news pay.news, p_named pay.change, p_captured bigint, OUT outcome text, OUT facts pay.fact[]) IS 'Which captures a PSP''s sum of them tells of';

--
-- Name: take_early(pay.fact[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.take_early(p_facts pay.fact[]) RETURNS pay.posting[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_news news[] := ARRAY(
        SELECT ROW(row_number() OVER (ORDER BY i.received_at, i.event_id),
            i.merchant_id, i.checkout_id, i.psp, i.via, i.event_id, i.type,
            i.about ->> 'about', i.about ->> 'news', i.token, i.reference,
            i.about ->> 'object', i.about ->> 'operation_id',
            i.amount_minor, i.currency, (i.about ->> 'fee_minor')::bigint,
            i.about ->> 'fee_currency', i.code, NULL, i.request_id,
            NULL)::news
        FROM (SELECT DISTINCT f.merchant_id, f.checkout_id
              FROM unnest(p_facts) f
              WHERE f.kind IN ('paid', 'captured', 'capture_failed',
                               'cancelled', 'expired', 'declined',
                               'rejected', 'refused')) f
        CROSS JOIN LATERAL (
            SELECT w.* FROM webhook_inbox w
            WHERE w.merchant_id = f.merchant_id
                AND w.checkout_id = f.checkout_id AND w.state = 'parked'
            OFFSET 0) i
        ORDER BY i.received_at, i.event_id);
BEGIN
    RETURN CASE WHEN v_news = '{}' THEN '{}'
                ELSE (take_news(v_news)).postings END;
END
$$;

ALTER FUNCTION pay.take_early(p_facts pay.fact[]) OWNER TO payments_owner;

--
-- Name: FUNCTION take_early(p_facts pay.fact[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.take_early(p_facts pay.fact[]) IS 'Hears what came before its money, now that these facts are known';

--
-- Name: take_facts(pay.fact[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.take_facts(p_facts pay.fact[], OUT facts pay.fact[], OUT postings pay.posting[]) RETURNS record
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
    v_booked  posting[] := '{}';
    v_wrong   boolean;
    v_named   boolean;
    v_asked   boolean;
    v_failed  boolean;
    v_final   boolean;
BEGIN
    SELECT coalesce(array_agg(ROW(f.item, f.nth, f.merchant_id,
            f.checkout_id, f.kind, f.actor, f.psp, f.event_id, f.type,
            f.code, f.token, f.reference, f.amount_minor, f.currency,
            f.request_id, f.detail, NULL, f.order_id, f.postings)::fact),
            '{}'),
        max(f.nth), bool_or(f.kind = 'mismatch'),
        bool_or(f.reference IS NOT NULL), bool_or(f.kind = 'notified'),
        bool_or(f.kind IN ('cancelled', 'expired', 'declined', 'rejected',
                           'refused')),
        bool_or(f.kind IN ('paid', 'captured', 'capture_failed'))
    INTO p_facts, v_last, v_wrong, v_named, v_asked, v_failed, v_final
    FROM (SELECT u.*, row_number() OVER (
              PARTITION BY u.merchant_id, u.checkout_id ORDER BY u.item) AS nth
          FROM unnest(p_facts) u) f;
    v_final := v_final OR v_failed;

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
        v_booked := v_booked || v_step.booked;
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

    IF v_booked <> '{}' OR v_failed THEN
        PERFORM end_changes(v_facts);
    END IF;

    postings := book_facts(v_facts, v_moved, v_late, v_booked);
    IF v_final THEN
        postings := postings || take_early(v_facts);
    END IF;

    IF v_told <> '{}' THEN
        PERFORM void_late(v_facts, v_told);
    END IF;

    facts := ARRAY(
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

ALTER FUNCTION pay.take_facts(p_facts pay.fact[], OUT facts pay.fact[], OUT postings pay.posting[]) OWNER TO payments_owner;

--
-- Name: FUNCTION take_facts(p_facts pay.fact[], OUT facts pay.fact[], OUT postings pay.posting[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.take_facts(p_facts pay.fact[], OUT facts pay.fact[], OUT postings pay.posting[]) IS 'Takes facts about locked checkouts into account, in turn order';

--
-- Name: take_leaves(bigint, bigint, bigint); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.take_leaves(p_number bigint, p_from bigint, p_until bigint) RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_count int;
BEGIN
    INSERT INTO seal_leaf (number, position, merchant_id, payment_order_id,
        seq, hash)
    SELECT p_number,
        row_number() OVER (ORDER BY l.merchant_id, l.payment_order_id),
        l.merchant_id, l.payment_order_id, l.seq, l.hash
    FROM (SELECT DISTINCT ON (e.merchant_id, e.payment_order_id)
              e.merchant_id, e.payment_order_id, e.seq, e.hash
          FROM event e
          WHERE e.tx >= p_from AND e.tx < p_until
          ORDER BY e.merchant_id, e.payment_order_id, e.seq DESC) l;
    GET DIAGNOSTICS v_count = ROW_COUNT;

    RETURN v_count;
END
$$;

ALTER FUNCTION pay.take_leaves(p_number bigint, p_from bigint, p_until bigint) OWNER TO payments_owner;

--
-- Name: FUNCTION take_leaves(p_number bigint, p_from bigint, p_until bigint); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.take_leaves(p_number bigint, p_from bigint, p_until bigint) IS 'Puts down the leaves of a seal over these transactions: how many';

--
-- Name: take_news(pay.news[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.take_news(p_news pay.news[], OUT told pay.news[], OUT postings pay.posting[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_one   record;
    v_facts fact[] := '{}';
BEGIN
    FOR v_n IN 1 .. cardinality(p_news) LOOP
        CONTINUE WHEN p_news[v_n].outcome IS NOT NULL;
        IF is_early(p_news[v_n]) THEN
            p_news[v_n].outcome := 'parked';
            CONTINUE;
        END IF;
        v_one := hear_news(p_news[v_n]);
        p_news[v_n].outcome := v_one.outcome;
        v_facts := v_facts || v_one.facts;
    END LOOP;

    SELECT t.postings INTO postings
    FROM take_facts(number_facts(v_facts, 0)) t;

    UPDATE webhook_inbox w
    SET state = n.outcome, merchant_id = n.merchant_id,
        checkout_id = n.checkout_id
    FROM unnest(p_news) n
    WHERE n.source <> 'query' AND n.checkout_id IS NOT NULL
        AND n.outcome <> 'duplicate'
        AND w.psp = n.psp AND w.event_id = n.event_id
        AND (w.state <> n.outcome OR w.checkout_id IS NULL);

    told := p_news;
END
$$;

ALTER FUNCTION pay.take_news(p_news pay.news[], OUT told pay.news[], OUT postings pay.posting[]) OWNER TO payments_owner;

--
-- Name: FUNCTION take_news(p_news pay.news[], OUT told pay.news[], OUT postings pay.posting[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.take_news(p_news pay.news[], OUT told pay.news[], OUT postings pay.posting[]) IS 'Takes words about what follows a sale into account';

--
-- Name: take_places(pay.payment_item[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.take_places(p_items pay.payment_item[], OUT kept pay.payment_item[], OUT refused integer[], OUT missing integer[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_item payment_item;
    v_old  checkout;
    v_word text;
BEGIN
    IF NOT EXISTS (SELECT FROM unnest(p_items) i
                   WHERE i.replaces IS NOT NULL)
    THEN
        kept := p_items;
        RETURN;
    END IF;

    kept := '{}';
    PERFORM lock_checkouts(
        ARRAY(SELECT i.merchant_id FROM unnest(p_items) i),
        ARRAY(SELECT i.replaces FROM unnest(p_items) i));

    FOREACH v_item IN ARRAY p_items LOOP
        IF v_item.replaces IS NOT NULL THEN
            SELECT * INTO v_old FROM checkout c
            WHERE c.merchant_id = v_item.merchant_id
                AND c.checkout_id = v_item.replaces
                AND c.checkout_id <> v_item.checkout_id;

            IF NOT FOUND THEN
                missing := missing || v_item.item;
                CONTINUE;
            END IF;

            v_word := judge_replaced(v_old, v_item.can_close);

            IF v_word = 'no' THEN
                refused := refused || v_item.item;
                CONTINUE;
            END IF;

            UPDATE checkout c
            SET replaced_by = v_item.checkout_id
            WHERE c.merchant_id = v_item.merchant_id
                AND c.checkout_id = v_item.replaces;
            v_item.waits := v_word = 'close';
        END IF;

        kept := kept || v_item;
    END LOOP;
END
$$;

ALTER FUNCTION pay.take_places(p_items pay.payment_item[], OUT kept pay.payment_item[], OUT refused integer[], OUT missing integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION take_places(p_items pay.payment_item[], OUT kept pay.payment_item[], OUT refused integer[], OUT missing integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.take_places(p_items pay.payment_item[], OUT kept pay.payment_item[], OUT refused integer[], OUT missing integer[]) IS 'Items that replace nothing, or what they may replace';

--
-- Name: take_up(pay.news, bigint); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.take_up(p_news pay.news, p_held bigint) RETURNS pay.fact[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_facts fact[] := '{}';
    v_word  fact := news_word(p_news);
    v_part  change;
    v_row   dispute;
BEGIN
    v_word.code := 'reassigned';
    v_word.reference := NULL;

    FOREACH v_part IN ARRAY CASE p_news.about WHEN 'refund' THEN parts_of(
        p_news.merchant_id, p_news.checkout_id, p_news.psp, p_news.object)
        ELSE '{}' END
    LOOP
        v_facts := v_facts || move_change(v_part, 'FAILED', v_word);
        UPDATE change c SET reference = NULL
        WHERE c.merchant_id = v_part.merchant_id
            AND c.change_id = v_part.change_id;
    END LOOP;

    FOREACH v_row IN ARRAY CASE p_news.about WHEN 'dispute'
        THEN dispute_parts(p_news.psp, p_news.object) ELSE '{}' END
    LOOP
        UPDATE dispute d
        SET state = 'moved', changed_at = clock_timestamp()
        WHERE d.psp = v_row.psp AND d.dispute_id = v_row.dispute_id
            AND d.part = v_row.part;
        CONTINUE WHEN v_row.payment_order_id IS NULL;
        v_facts := v_facts || dispute_fact(p_news, v_row,
            CASE v_row.state WHEN 'lost' THEN 'dispute_loss_moved'
                             ELSE 'dispute_moved' END);
    END LOOP;

    IF p_held IS NOT NULL THEN
        v_facts := v_facts || news_fact(p_news, 'none', NULL, psp_posting(
            p_news, 'unknown_' || p_news.about || '_cleared', p_held,
            p_news.currency), '{}');
    END IF;

    RETURN v_facts;
END
$$;

ALTER FUNCTION pay.take_up(p_news pay.news, p_held bigint) OWNER TO payments_owner;

--
-- Name: FUNCTION take_up(p_news pay.news, p_held bigint); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.take_up(p_news pay.news, p_held bigint) IS 'Takes back what a refund or a dispute was laid to';

--
-- Name: term_seconds(text, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.term_seconds(p_seconds text, p_else text) RETURNS interval
    LANGUAGE sql IMMUTABLE
    AS $_$
SELECT CASE WHEN coalesce(p_seconds, p_else) ~ '^[1-9][0-9]{0,7}$'
            THEN make_interval(secs => coalesce(p_seconds, p_else)::int) END
$_$;

ALTER FUNCTION pay.term_seconds(p_seconds text, p_else text) OWNER TO payments_owner;

--
-- Name: FUNCTION term_seconds(p_seconds text, p_else text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.term_seconds(p_seconds text, p_else text) IS 'A term of begin_payment in seconds, NULL for what is none';

--
-- Name: this_tx(); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.this_tx() RETURNS bigint
    LANGUAGE sql STABLE
    AS $$SELECT pg_current_xact_id()::text::bigint$$;

ALTER FUNCTION pay.this_tx() OWNER TO payments_owner;

--
-- Name: FUNCTION this_tx(); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.this_tx() IS 'The transaction that this is, with epoch';

--
-- Name: timeline(text, text, boolean); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.timeline(p_merchant_id text, p_payment_order_id text, p_inside boolean) RETURNS json
    LANGUAGE plpgsql STABLE
    AS $$
DECLARE
    v_since timestamptz := (
        SELECT events_since(o.merchant_id, o.checkout_id)
        FROM find_order(p_merchant_id, p_payment_order_id) o);
BEGIN
    IF v_since IS NULL THEN
        RETURN NULL;
    END IF;

    RETURN (
        SELECT coalesce(json_agg(json_build_object('seq', e.seq,
            'at', iso_time(e.at), 'kind', e.kind, 'actor', e.actor,
            'old_status', e.old_status, 'new_status', e.new_status,
            'reason', e.reason,
            'detail', CASE WHEN e.actor = 'operator' AND NOT p_inside
                           THEN e.detail - '{who,why,role}'::text[]
                           ELSE e.detail END,
            'request_id', e.request_id) ORDER BY e.seq), '[]')
        FROM (SELECT * FROM event x
              WHERE x.merchant_id = p_merchant_id
                  AND x.payment_order_id = p_payment_order_id
                  AND x.at >= v_since
              ORDER BY x.seq DESC LIMIT 1000) e);
END
$$;

ALTER FUNCTION pay.timeline(p_merchant_id text, p_payment_order_id text, p_inside boolean) OWNER TO payments_owner;

--
-- Name: FUNCTION timeline(p_merchant_id text, p_payment_order_id text, p_inside boolean); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.timeline(p_merchant_id text, p_payment_order_id text, p_inside boolean) IS 'An order''s events, oldest first; NULL when there is no such order';

--
-- Name: to_be_laid(pay.mismatch); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.to_be_laid(p_mismatch pay.mismatch, OUT state text, OUT amount_minor bigint) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    IF p_mismatch.kind = 'refund' THEN
        SELECT max(CASE c.status WHEN 'SUCCESS' THEN 'succeeded'
                                 ELSE 'pending' END), sum(c.amount_minor)
        INTO state, amount_minor
        FROM unnest(parts_of(p_mismatch.merchant_id, p_mismatch.checkout_id,
            p_mismatch.psp, p_mismatch.object)) c
        WHERE c.status IN ('EXECUTING', 'SUCCESS');

        IF state IS NULL THEN
            amount_minor := suspended(p_mismatch);
            state := CASE WHEN amount_minor IS NOT NULL
                          THEN 'succeeded' END;
        END IF;
    ELSIF p_mismatch.kind = 'dispute' THEN
        SELECT max(d.state), sum(d.amount_minor) INTO state, amount_minor
        FROM unnest(dispute_parts(p_mismatch.psp, p_mismatch.object)) d
        WHERE d.state IN ('open', 'lost')
            AND d.merchant_id = p_mismatch.merchant_id
            AND d.checkout_id = p_mismatch.checkout_id
            AND NOT is_booked(d.merchant_id, dispute_source(d),
                              'unknown_dispute_borne');
    END IF;
END
$$;

ALTER FUNCTION pay.to_be_laid(p_mismatch pay.mismatch, OUT state text, OUT amount_minor bigint) OWNER TO payments_owner;

--
-- Name: FUNCTION to_be_laid(p_mismatch pay.mismatch, OUT state text, OUT amount_minor bigint); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.to_be_laid(p_mismatch pay.mismatch, OUT state text, OUT amount_minor bigint) IS 'The refund or the dispute that a row of the mismatch queue is about';

--
-- Name: void_late(pay.fact[], integer[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.void_late(p_facts pay.fact[], p_told integer[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    v_change change;
    v_word   fact;
    v_facts  fact[] := '{}';
BEGIN
    v_word.actor := 'gateway';

    FOR v_change IN
        INSERT INTO change (merchant_id, change_id, checkout_id,
            payment_order_id, kind, origin, psp, amount_minor, currency,
            reason, request_id)
        SELECT DISTINCT ON (c.merchant_id, c.checkout_id)
            c.merchant_id, gen_random_uuid()::text, c.checkout_id,
            o.payment_order_id, 'cancel', 'merchant', c.psp, o.amount_minor,
            o.currency, 'authorized late', f.request_id
        FROM unnest(p_facts) f
        JOIN checkout c ON c.merchant_id = f.merchant_id
            AND c.checkout_id = f.checkout_id
        JOIN payment_order o ON o.merchant_id = c.merchant_id
            AND o.checkout_id = c.checkout_id AND o.position = 1
        WHERE f.kind = 'authorized' AND f.item = ANY (p_told)
            AND c.late_success = 'refund' AND is_held_late(o)
            AND NOT EXISTS (
                SELECT FROM change x
                WHERE x.merchant_id = c.merchant_id
                    AND x.checkout_id = c.checkout_id AND x.kind = 'cancel'
                    AND x.status IN ('NOT_STARTED', 'EXECUTING'))
        RETURNING *
    LOOP
        INSERT INTO job (merchant_id, checkout_id, kind, operation_id, run_at)
        VALUES (v_change.merchant_id, v_change.checkout_id, 'change',
            v_change.change_id, now());
        v_word.request_id := v_change.request_id;
        v_facts := v_facts
            || change_fact(v_change, v_word, 'cancel_requested', NULL);
    END LOOP;

    PERFORM take_facts(number_facts(v_facts, 0));
END
$$;

ALTER FUNCTION pay.void_late(p_facts pay.fact[], p_told integer[]) OWNER TO payments_owner;

--
-- Name: FUNCTION void_late(p_facts pay.fact[], p_told integer[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.void_late(p_facts pay.fact[], p_told integer[]) IS 'Gives money back that is held for orders that have failed';

--
-- Name: wallet_differences(text[], text[], text[]); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.wallet_differences(p_merchant_id text[], p_seller text[], p_checkout_id text[]) RETURNS TABLE(merchant_id text, checkout_id text, detail jsonb)
    LANGUAGE sql STABLE
    AS $$
SELECT w.merchant_id, u.checkout_id, jsonb_build_object('check',
    'wallet_lines', 'seller', w.seller_account, 'currency', w.currency)
FROM unnest(p_merchant_id, p_seller, p_checkout_id)
    AS u (merchant_id, seller, checkout_id)
CROSS JOIN LATERAL (
    SELECT * FROM wallet w
    WHERE w.merchant_id = u.merchant_id AND w.seller_account = u.seller
    OFFSET 0) w
CROSS JOIN LATERAL (
    SELECT max(l.wallet_seq) AS last, count(*) AS lines,
        max(l.wallet_seq) - min(l.wallet_seq) + 1 AS span,
        (max(ARRAY[l.wallet_seq, l.balance_minor])
         FILTER (WHERE l.account = 'seller_available'))[2] AS available,
        (max(ARRAY[l.wallet_seq, l.balance_minor])
         FILTER (WHERE l.account = 'seller_pending'))[2] AS pending,
        (max(ARRAY[l.wallet_seq, l.balance_minor])
         FILTER (WHERE l.account = 'seller_reserved'))[2] AS reserved
    FROM (SELECT * FROM journal_line x
          WHERE x.merchant_id = w.merchant_id
              AND x.owner = w.seller_account AND x.currency = w.currency
              AND x.wallet_seq IS NOT NULL
          ORDER BY x.wallet_seq DESC LIMIT 100) l) n
WHERE w.seq <> coalesce(n.last, 0) OR n.lines <> coalesce(n.span, 0)
    OR n.available <> w.available_minor
    OR n.pending <> w.pending_minor
    OR n.reserved <> w.reserved_minor
$$;

ALTER FUNCTION pay.wallet_differences(p_merchant_id text[], p_seller text[], p_checkout_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION wallet_differences(p_merchant_id text[], p_seller text[], p_checkout_id text[]); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.wallet_differences(p_merchant_id text[], p_seller text[], p_checkout_id text[]) IS 'Wallets of these sellers that do not agree with their newest lines';

--
-- Name: with_outcome(pay.fact, text); Type: FUNCTION; Schema: pay; Owner: payments_owner
--

CREATE FUNCTION pay.with_outcome(p_fact pay.fact, p_outcome text) RETURNS pay.fact
    LANGUAGE sql IMMUTABLE
    AS $$
SELECT ROW((p_fact).item, (p_fact).turn, (p_fact).merchant_id,
    (p_fact).checkout_id, (p_fact).kind, (p_fact).actor, (p_fact).psp,
    (p_fact).event_id, (p_fact).type, (p_fact).code, (p_fact).token,
    (p_fact).reference, (p_fact).amount_minor, (p_fact).currency,
    (p_fact).request_id, (p_fact).detail, p_outcome, (p_fact).order_id,
    (p_fact).postings)::fact
$$;

ALTER FUNCTION pay.with_outcome(p_fact pay.fact, p_outcome text) OWNER TO payments_owner;

--
-- Name: FUNCTION with_outcome(p_fact pay.fact, p_outcome text); Type: COMMENT; Schema: pay; Owner: payments_owner
--

COMMENT ON FUNCTION pay.with_outcome(p_fact pay.fact, p_outcome text) IS 'The fact with its outcome';

--
-- Name: apply_change(text[], text[], text[], text[], text[], text[], text[], text[], text[], text[], bigint[], text[], bigint[], text[], text[], bytea[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.apply_change(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_about text[], p_news text[], p_token text[], p_reference text[], p_object text[], p_operation_id text[], p_amount_minor bigint[], p_currency text[], p_fee_minor bigint[], p_fee_currency text[], p_code text[], p_digest bytea[], p_request_id text[]) RETURNS TABLE(item integer, outcome text, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_news news[];
BEGIN
    PERFORM check_batch(
        array_dims(p_psp), array_dims(p_source), array_dims(p_event_id),
        array_dims(p_type), array_dims(p_about), array_dims(p_news),
        array_dims(p_token), array_dims(p_reference), array_dims(p_object),
        array_dims(p_operation_id), array_dims(p_amount_minor),
        array_dims(p_currency), array_dims(p_fee_minor),
        array_dims(p_fee_currency), array_dims(p_code),
        array_dims(p_digest), array_dims(p_request_id));

    v_news := settle_news(await_names(insert_news(locate_news(read_news(
        p_psp, p_source, p_event_id, p_type, p_about, p_news, p_token,
        p_reference, p_object, p_operation_id, p_amount_minor, p_currency,
        p_fee_minor, p_fee_currency, p_code, p_digest, p_request_id)))));

    RETURN QUERY
    SELECT n.item, n.outcome, s.*
    FROM unnest(v_news) n
    LEFT JOIN checkout_state s ON s.merchant_id = n.merchant_id
        AND s.checkout_id = n.checkout_id;

    IF cardinality(v_news) < cardinality(p_psp) THEN
        PERFORM keep_invalid(ARRAY(
            SELECT n FROM generate_series(1, cardinality(p_psp)) n
            WHERE n NOT IN (SELECT x.item FROM unnest(v_news) x)),
            p_psp, p_source, p_event_id, p_token, p_reference, p_object,
            p_amount_minor, p_currency, p_request_id);
    END IF;

    RETURN QUERY
    SELECT n, 'invalid', s.*
    FROM generate_series(1, cardinality(p_psp)) n
    LEFT JOIN checkout_state s ON false
    WHERE n NOT IN (SELECT x.item FROM unnest(v_news) x);
END
$$;

ALTER FUNCTION pay_api.apply_change(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_about text[], p_news text[], p_token text[], p_reference text[], p_object text[], p_operation_id text[], p_amount_minor bigint[], p_currency text[], p_fee_minor bigint[], p_fee_currency text[], p_code text[], p_digest bytea[], p_request_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION apply_change(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_about text[], p_news text[], p_token text[], p_reference text[], p_object text[], p_operation_id text[], p_amount_minor bigint[], p_currency text[], p_fee_minor bigint[], p_fee_currency text[], p_code text[], p_digest bytea[], p_request_id text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.apply_change(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_about text[], p_news text[], p_token text[], p_reference text[], p_object text[], p_operation_id text[], p_amount_minor bigint[], p_currency text[], p_fee_minor bigint[], p_fee_currency text[], p_code text[], p_digest bytea[], p_request_id text[]) IS 'Takes PSPs'' words about what follows a sale into account: applied, unchanged, contradiction, duplicate, parked, mismatch, ignored, unknown, not_found or invalid';

--
-- Name: apply_event(text[], text[], text[], text[], text[], text[], text[], text[], bigint[], text[], bytea[], text[], text[], text[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.apply_event(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_digest bytea[], p_request_id text[], p_decline text[] DEFAULT NULL::text[], p_can_retry text[] DEFAULT NULL::text[], p_attempt text[] DEFAULT NULL::text[]) RETURNS TABLE(item integer, outcome text, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_facts      fact[];
    v_aside      fact[] := '{}';
    v_valid      fact[];
    v_duplicates int[];
    v_late       boolean;
    v_idle       boolean;
BEGIN
    PERFORM check_batch(
        array_dims(p_psp), array_dims(p_source), array_dims(p_event_id),
        array_dims(p_type), array_dims(p_fact), array_dims(p_token),
        array_dims(p_reference), array_dims(p_code),
        array_dims(p_amount_minor), array_dims(p_currency),
        array_dims(p_digest), array_dims(p_request_id),
        coalesce(array_dims(p_decline), array_dims(p_psp)),
        coalesce(array_dims(p_can_retry), array_dims(p_psp)),
        coalesce(array_dims(p_attempt), array_dims(p_psp)));

    v_facts := read_facts(p_psp, p_source, p_event_id, p_type, p_fact,
        p_token, p_reference, p_code, p_amount_minor, p_currency,
        p_request_id, p_decline, p_can_retry, p_attempt);
    v_valid := v_facts;
    v_duplicates := insert_webhooks(v_facts, p_fact, p_digest);

    -- nothing else is set aside: whoever has a checkout keeps it
    SELECT bool_or(f.actor = 'webhook' AND f.checkout_id IS NULL
                   AND f.kind NOT IN ('none', 'unknown')
                   AND f.item <> ALL (v_duplicates)),
        bool_or(f.checkout_id IS NULL OR f.kind IN ('none', 'unknown')
                OR f.item = ANY (v_duplicates))
    INTO v_late, v_idle
    FROM unnest(v_facts) f;

    IF v_late THEN
        v_facts := await_tokens(v_facts, v_duplicates);
    END IF;

    IF v_idle THEN
        v_aside := set_aside(v_facts, v_duplicates);
    END IF;

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
        PERFORM keep_invalid(ARRAY(
            SELECT n FROM generate_series(1, cardinality(p_psp)) n
            WHERE n NOT IN (SELECT f.item FROM unnest(v_valid) f)),
            p_psp, p_source, p_event_id, p_token, p_reference, p_attempt,
            p_amount_minor, p_currency, p_request_id);

        RETURN QUERY
        SELECT n, 'invalid', s.*
        FROM generate_series(1, cardinality(p_psp)) n
        LEFT JOIN checkout_state s ON false
        WHERE n NOT IN (SELECT f.item FROM unnest(v_valid) f);
    END IF;
END
$$;

ALTER FUNCTION pay_api.apply_event(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_digest bytea[], p_request_id text[], p_decline text[], p_can_retry text[], p_attempt text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION apply_event(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_digest bytea[], p_request_id text[], p_decline text[], p_can_retry text[], p_attempt text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.apply_event(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_digest bytea[], p_request_id text[], p_decline text[], p_can_retry text[], p_attempt text[]) IS 'Takes PSPs'' words into account: applied, unchanged, held, contradiction, asked, duplicate, parked, mismatch, ignored, unknown, not_found or invalid';

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
-- Name: begin_change(text[], text[], text[], text[], text[], bytea[], bigint[], bigint[], text[], text[], jsonb[], bigint[], text[], jsonb[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.begin_change(p_merchant_id text[], p_payment_order_id text[], p_kind text[], p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[], p_reason text[], p_metadata jsonb[], p_lease_ms bigint[], p_request_id text[], p_asked_by jsonb[] DEFAULT NULL::jsonb[]) RETURNS TABLE(item integer, outcome text, change_id text, change_kind text, payment_order_id text, change_status text, amount_minor bigint, change_currency text, reason text, change_code text, reference text, change_metadata text, created_at text, changed_at text, payment_reference text, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
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
    LEFT JOIN checkout_state s ON s.merchant_id = o.merchant_id
        AND s.checkout_id = o.checkout_id;
END
$$;

ALTER FUNCTION pay_api.begin_change(p_merchant_id text[], p_payment_order_id text[], p_kind text[], p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[], p_reason text[], p_metadata jsonb[], p_lease_ms bigint[], p_request_id text[], p_asked_by jsonb[]) OWNER TO payments_owner;

--
-- Name: FUNCTION begin_change(p_merchant_id text[], p_payment_order_id text[], p_kind text[], p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[], p_reason text[], p_metadata jsonb[], p_lease_ms bigint[], p_request_id text[], p_asked_by jsonb[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.begin_change(p_merchant_id text[], p_payment_order_id text[], p_kind text[], p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[], p_reason text[], p_metadata jsonb[], p_lease_ms bigint[], p_request_id text[], p_asked_by jsonb[]) IS 'Begins captures, cancellations and refunds: created, replayed, in_progress, key_reused, not_found, not_paid, already_paid, nothing_left, exceeds, overdraws, currency or invalid';

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
-- Name: begin_payment(text[], text[], bytea[], text[], text[], text[], text[], text[], text[], text[], jsonb[], jsonb[], jsonb[], text[], bigint[], bigint[], jsonb[], bigint[], bigint[], text[], text[], text[], text[], text[], jsonb[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[], p_key_windows text[], p_late_success text[], p_terms jsonb[]) RETURNS TABLE(item integer, outcome text, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
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
        array_dims(p_late_success), array_dims(p_terms));

    v_items := ARRAY(
        SELECT ROW(u.n, u.merchant_id, u.key, u.fingerprint, u.checkout_id,
            u.uuid, u.handle, u.psp, u.nonce, u.return_url, u.base_url,
            u.buyer_info, u.metadata, u.credit_card_info, u.currency,
            u.total_minor, to_timestamp(u.expires_s), u.orders,
            make_interval(secs => u.ttl_s),
            make_interval(secs => u.lease_ms / 1000.0),
            u.request_id, l.psps, nullif(u.route, ''), t.key_windows,
            t.late_success, t.capture, t.quote_ttl, t.rate_age, t.replaces,
            t.change_id, t.can_close, NULL, t.asked_by)::payment_item
        FROM unnest(p_merchant_id, p_idempotency_key, p_fingerprint,
            p_checkout_id, p_checkout_uuid, p_handle, p_psp, p_nonce,
            p_return_url, p_base_url, p_buyer_info, p_metadata,
            p_credit_card_info, p_currency, p_total_minor, p_expires_s,
            p_orders, p_ttl_s, p_lease_ms, p_request_id, p_psps, p_route,
            p_key_windows, p_late_success, p_terms)
            WITH ORDINALITY AS u (merchant_id, key, fingerprint,
            checkout_id, uuid, handle, psp, nonce, return_url, base_url,
            buyer_info, metadata, credit_card_info, currency, total_minor,
            expires_s, orders, ttl_s, lease_ms, request_id, psps, route,
            key_windows, late_success, terms, n)
        JOIN currency k ON k.code = u.currency AND k.is_current
        CROSS JOIN LATERAL (
            SELECT CASE WHEN u.psps <> '' THEN string_to_array(u.psps, ' ')
                        ELSE ARRAY[u.psp] END AS psps
            OFFSET 0) l
        CROSS JOIN LATERAL (
            SELECT read_windows(u.key_windows, cardinality(l.psps))
                    AS key_windows,
                coalesce(nullif(u.late_success, ''), 'accept')
                    AS late_success,
                coalesce(u.terms ->> 'capture', 'automatic') AS capture,
                term_seconds(u.terms ->> 'quote_ttl_s', '900') AS quote_ttl,
                term_seconds(u.terms ->> 'rate_age_s', '300') AS rate_age,
                u.terms ->> 'replaces' AS replaces,
                u.terms ->> 'change_id' AS change_id,
                coalesce(u.terms -> 'can_close' = 'true', false) AS can_close,
                u.terms -> 'asked_by' AS asked_by
            OFFSET 0) t
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
            AND cardinality(t.key_windows) = cardinality(l.psps)
            AND t.late_success IN ('accept', 'hold', 'refund')
            AND t.capture IN ('automatic', 'manual')
            AND t.quote_ttl IS NOT NULL AND t.rate_age IS NOT NULL
            AND (t.replaces IS NULL OR id_ok(t.replaces) AND t.change_id
                 ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
            AND coalesce(octet_length(u.route), 0) <= 1000
            AND asked_by_ok(t.asked_by)
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
        ON b.outcome IN ('created', 'waiting', 'replayed', 'exists')
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

ALTER FUNCTION pay_api.begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[], p_key_windows text[], p_late_success text[], p_terms jsonb[]) OWNER TO payments_owner;

--
-- Name: FUNCTION begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[], p_key_windows text[], p_late_success text[], p_terms jsonb[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[], p_key_windows text[], p_late_success text[], p_terms jsonb[]) IS 'Creates checkouts: created, waiting, replayed, in_progress, key_reused, exists, rate_missing, credit_too_large, nothing_to_replace, not_replaced or invalid';

--
-- Name: begin_rates(text[], text[], bigint[], bigint[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.begin_rates(p_source text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) RETURNS TABLE(item integer, outcome text, age_ms bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_item record;
    v_mine record;
BEGIN
    PERFORM check_batch(array_dims(p_source), array_dims(p_owner),
        array_dims(p_interval_ms), array_dims(p_lease_ms));

    FOR v_item IN
        SELECT u.*, coalesce(id_ok(u.source) AND id_ok(u.owner)
            AND u.interval_ms BETWEEN 1 AND 31536000000
            AND u.lease_ms BETWEEN 1 AND 86400000, false) AS ok
        FROM unnest(p_source, p_owner, p_interval_ms, p_lease_ms)
            WITH ORDINALITY AS u (source, owner, interval_ms, lease_ms, n)
        ORDER BY u.source COLLATE "C", u.n
    LOOP
        item := v_item.n;
        outcome := 'invalid';
        age_ms := NULL;

        IF v_item.ok THEN
            v_mine := claim_rates(v_item.source, v_item.owner,
                make_interval(secs => v_item.interval_ms / 1000.0),
                make_interval(secs => v_item.lease_ms / 1000.0));
            outcome := CASE WHEN v_mine.is_due THEN 'due'
                            ELSE 'not_due' END;
            age_ms := v_mine.age_ms;
        END IF;

        RETURN NEXT;
    END LOOP;
END
$$;

ALTER FUNCTION pay_api.begin_rates(p_source text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION begin_rates(p_source text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.begin_rates(p_source text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) IS 'Whether a source of rates is to be read now, and how old its rates are: due, not_due or invalid';

--
-- Name: begin_seal(text[], bigint[], bigint[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.begin_seal(p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) RETURNS TABLE(item integer, outcome text, number bigint, message text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_mine record;
BEGIN
    PERFORM check_batch(array_dims(p_owner), array_dims(p_interval_ms),
                        array_dims(p_lease_ms));

    FOR v_item IN 1 .. coalesce(cardinality(p_owner), 0) LOOP
        item := v_item;
        outcome := 'invalid';
        number := NULL;
        message := NULL;

        IF coalesce(id_ok(p_owner[v_item])
                    AND p_interval_ms[v_item] BETWEEN 0 AND 31536000000
                    AND p_lease_ms[v_item] BETWEEN 1 AND 86400000, false)
        THEN
            v_mine := claim_seal(p_owner[v_item],
                make_interval(secs => p_interval_ms[v_item] / 1000.0),
                make_interval(secs => p_lease_ms[v_item] / 1000.0));
            outcome := v_mine.outcome;
            number := v_mine.number;
            message := v_mine.message;
        END IF;

        -- so that each host can tell how old it is
        IF outcome = 'not_due' THEN
            SELECT s.number, s.message INTO number, message FROM seal s
            WHERE s.signature IS NOT NULL ORDER BY s.number DESC LIMIT 1;
        END IF;

        RETURN NEXT;
    END LOOP;
END
$$;

ALTER FUNCTION pay_api.begin_seal(p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION begin_seal(p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.begin_seal(p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) IS 'The message of the next seal, to be signed: due, not_due (then the newest one that is signed), behind (the last seal is of a cluster that had come further) or invalid';

--
-- Name: check_books(text[], bigint[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.check_books(p_owner text[], p_interval_ms bigint[]) RETURNS TABLE(item integer, outcome text, counts text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_round round;
    v_done  record;
    v_first int;
BEGIN
    PERFORM check_batch(array_dims(p_owner), array_dims(p_interval_ms));

    SELECT min(n) INTO v_first
    FROM generate_series(1, cardinality(p_owner)) n
    WHERE id_ok(p_owner[n]) AND p_interval_ms[n] BETWEEN 0 AND 86400000;

    SELECT * INTO v_round FROM round r
    WHERE r.name = 'books' AND r.run_at <= now()
        AND v_first IS NOT NULL
    FOR UPDATE SKIP LOCKED;

    IF FOUND THEN
        v_done := compare_books(coalesce(v_round.from_tx, 0), 2000);

        UPDATE round r
        SET from_tx = v_done.until_tx,
            run_at = now() + CASE WHEN v_done.more
                THEN interval '200 ms'
                ELSE make_interval(
                    secs => p_interval_ms[v_first] / 1000.0) END,
            counts = jsonb_build_object('orders', v_done.orders,
                'differences', (
                    SELECT count(*) FROM mismatch m
                    WHERE m.kind = 'books' AND NOT EXISTS (
                        SELECT FROM mismatch_settlement s
                        WHERE s.merchant_id = m.merchant_id
                            AND s.checkout_id = m.checkout_id
                            AND s.mismatch_id = m.mismatch_id)))
        WHERE r.name = 'books'
        RETURNING r.* INTO v_round;
    ELSE
        v_first := NULL;
        SELECT * INTO v_round FROM round r WHERE r.name = 'books';
    END IF;

    RETURN QUERY
    SELECT n,
        CASE WHEN n = v_first THEN 'checked'
             WHEN id_ok(p_owner[n]) AND p_interval_ms[n] BETWEEN 0 AND 86400000
             THEN 'not_due' ELSE 'invalid' END,
        v_round.counts::text
    FROM generate_series(1, cardinality(p_owner)) n;
END
$$;

ALTER FUNCTION pay_api.check_books(p_owner text[], p_interval_ms bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION check_books(p_owner text[], p_interval_ms bigint[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.check_books(p_owner text[], p_interval_ms bigint[]) IS 'Compares what has changed since the last look: checked, not_due or invalid';

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
    FROM unnest(v_due.merchants, v_due.checkouts, v_due.kinds,
        v_due.operations, v_slots)
        AS d (merchant_id, checkout_id, kind, operation_id, slot)
    CROSS JOIN LATERAL (
        SELECT k.tableoid AS part, k.ctid AS tid, d.slot FROM job k
        WHERE k.merchant_id = d.merchant_id
            AND k.checkout_id = d.checkout_id AND k.kind = d.kind
            AND k.operation_id = d.operation_id
        OFFSET 0) k
    WHERE j.ctid = k.tid AND j.tableoid = k.part;

    v_as := v_due.kinds;
    IF 'register' = ANY (v_as) THEN
        v_as := send_registers(v_due.merchants, v_due.checkouts, v_as,
            ARRAY(SELECT p_lease_ms[s] FROM unnest(v_slots)
                  WITH ORDINALITY AS u (s, n) ORDER BY u.n));
    END IF;

    RETURN QUERY
    SELECT d.slot, 'job', d.handed_as, j.attempts::bigint,
        coalesce(nullif(d.operation_id, ''), l.refund_id::text),
        CASE d.kind WHEN 'refund' THEN l.reference ELSE r.reference END, s.*
    FROM unnest(v_due.merchants, v_due.checkouts, v_due.kinds,
        v_due.operations, v_as, v_slots)
        AS d (merchant_id, checkout_id, kind, operation_id, handed_as, slot)
    CROSS JOIN LATERAL (
        SELECT j.attempts FROM job j
        WHERE j.merchant_id = d.merchant_id
            AND j.checkout_id = d.checkout_id AND j.kind = d.kind
            AND j.operation_id = d.operation_id
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

COMMENT ON FUNCTION pay_api.claim_jobs(p_owner text[], p_lease_ms bigint[]) IS 'Fills free slots with due jobs under a lease, as register, find, over, poll, refund or change: job, none or invalid';

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
    v_facts  fact[] := '{}';
    v_named  record;
    v_parked int[];
    v_taken  record;
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

    v_named := capture_names(p_merchant_id, p_checkout_id, p_operation,
        p_operation_id, p_state, p_reference, v_valid);
    v_parked := claim_references(p_merchant_id, p_checkout_id, v_named.psps,
                                 v_named.names);
    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    v_stored := coalesce(hear_dispatches(p_merchant_id, p_checkout_id,
        p_operation, p_operation_id, p_attempt, p_state, p_reach,
        p_http_status, p_code, p_reference, v_valid), '{}');

    v_refund := ARRAY(
        SELECT n FROM unnest(v_stored) n
        WHERE p_operation[n] = 'refund'
            AND p_state[n] IN ('DONE', 'PENDING'));
    IF cardinality(v_refund) > 0 THEN
        v_facts := settle_refunds(p_merchant_id, p_checkout_id,
            p_operation_id, p_reference, p_request_id, v_refund);
    END IF;

    v_facts := v_facts || settle_changes(p_merchant_id, p_operation_id,
        p_code, p_reference, p_request_id, v_stored);
    v_taken := take_facts(number_facts(v_facts, 0));
    PERFORM post(v_taken.postings || apply_named(v_parked, p_merchant_id,
        p_checkout_id, v_named.psps, v_named.names));

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
-- Name: end_rates(text[], text[], text[], jsonb[], text[], bigint[], bigint[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.end_rates(p_source text[], p_owner text[], p_base text[], p_rates jsonb[], p_code text[], p_age_ms bigint[], p_max_age_ms bigint[]) RETURNS TABLE(item integer, outcome text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_item record;
    v_at   timestamptz;
    v_max  interval;
BEGIN
    PERFORM check_batch(array_dims(p_source), array_dims(p_owner),
        array_dims(p_base), array_dims(p_rates), array_dims(p_code),
        array_dims(p_age_ms), array_dims(p_max_age_ms));

    FOR v_item IN
        SELECT u.*, coalesce(id_ok(u.source) AND id_ok(u.owner)
            AND u.age_ms BETWEEN 0 AND 31536000000
            AND u.max_age_ms BETWEEN 1 AND 31536000000
            AND coalesce(octet_length(u.code), 0) <= 255
            AND (u.rates IS NULL OR rates_ok(u.base, u.rates)), false) AS ok
        FROM unnest(p_source, p_owner, p_base, p_rates, p_code, p_age_ms,
            p_max_age_ms)
            WITH ORDINALITY AS u (source, owner, base, rates, code, age_ms,
            max_age_ms, n)
        ORDER BY u.source COLLATE "C", u.n
    LOOP
        item := v_item.n;
        outcome := CASE WHEN v_item.ok THEN 'gone' ELSE 'invalid' END;
        -- others might not fit into an interval
        IF v_item.ok THEN
            v_at := now() - make_interval(secs => v_item.age_ms / 1000.0);
            v_max := make_interval(secs => v_item.max_age_ms / 1000.0);
        END IF;

        UPDATE rate_source s
        SET base = CASE WHEN v_item.rates IS NULL THEN s.base
                        ELSE v_item.base END,
            fetched_at = CASE WHEN v_item.rates IS NULL THEN s.fetched_at
                              ELSE v_at END,
            max_age = v_max,
            lease_owner = NULL, lease_until = NULL, runs = s.runs + 1,
            failures = s.failures + (v_item.rates IS NULL)::int,
            code = nullif(v_item.code, '')
        WHERE v_item.ok AND s.source = v_item.source
            AND s.lease_owner = v_item.owner;

        IF FOUND THEN
            outcome := 'stored';
            IF v_item.rates IS NOT NULL THEN
                PERFORM store_rates(v_item.source, v_item.base, v_item.rates,
                                    v_at);
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$$;

ALTER FUNCTION pay_api.end_rates(p_source text[], p_owner text[], p_base text[], p_rates jsonb[], p_code text[], p_age_ms bigint[], p_max_age_ms bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION end_rates(p_source text[], p_owner text[], p_base text[], p_rates jsonb[], p_code text[], p_age_ms bigint[], p_max_age_ms bigint[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.end_rates(p_source text[], p_owner text[], p_base text[], p_rates jsonb[], p_code text[], p_age_ms bigint[], p_max_age_ms bigint[]) IS 'Notes what a source of rates has said: stored, gone or invalid';

--
-- Name: end_seal(bigint[], text[], bytea[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.end_seal(p_number bigint[], p_key_id text[], p_signature bytea[]) RETURNS TABLE(item integer, outcome text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_item record;
BEGIN
    PERFORM check_batch(array_dims(p_number), array_dims(p_key_id),
                        array_dims(p_signature));

    FOR v_item IN
        SELECT u.*, coalesce(id_ok(u.key_id)
            AND octet_length(u.signature) = 64, false) AS ok
        FROM unnest(p_number, p_key_id, p_signature)
            WITH ORDINALITY AS u (number, key_id, signature, n)
        ORDER BY u.number, u.n
    LOOP
        item := v_item.n;
        outcome := 'invalid';

        UPDATE seal s
        SET key_id = v_item.key_id, signature = v_item.signature
        WHERE v_item.ok AND s.number = v_item.number
            AND s.signature IS NULL;

        IF FOUND THEN
            outcome := 'stored';
            UPDATE round r SET lease_owner = NULL, lease_until = NULL
            WHERE r.name = 'seal';
        ELSIF v_item.ok AND EXISTS (SELECT FROM seal s
                                    WHERE s.number = v_item.number) THEN
            outcome := 'already';
        END IF;

        RETURN NEXT;
    END LOOP;
END
$$;

ALTER FUNCTION pay_api.end_seal(p_number bigint[], p_key_id text[], p_signature bytea[]) OWNER TO payments_owner;

--
-- Name: FUNCTION end_seal(p_number bigint[], p_key_id text[], p_signature bytea[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.end_seal(p_number bigint[], p_key_id text[], p_signature bytea[]) IS 'Keeps the signature of a seal: stored, already or invalid';

--
-- Name: explain_checkout(text[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.explain_checkout(p_merchant_id text[], p_checkout_id text[]) RETURNS TABLE(item integer, outcome text, explanation text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
                        array_dims(p_checkout_id));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN x.explanation IS NULL THEN 'not_found' ELSE 'found' END,
        x.explanation
    FROM unnest(p_merchant_id, p_checkout_id)
        WITH ORDINALITY AS u (merchant_id, checkout_id, n)
    LEFT JOIN LATERAL (
        SELECT explain(o.merchant_id, o.payment_order_id, false)
            AS explanation
        FROM payment_order o
        WHERE o.merchant_id = u.merchant_id
            AND o.checkout_id = u.checkout_id
        ORDER BY o.position LIMIT 1) x ON true;
END
$$;

ALTER FUNCTION pay_api.explain_checkout(p_merchant_id text[], p_checkout_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION explain_checkout(p_merchant_id text[], p_checkout_id text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.explain_checkout(p_merchant_id text[], p_checkout_id text[]) IS 'How a checkout stands and what comes next: found or not_found';

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
-- Name: finish_job(text[], text[], text[], text[], text[], bigint[], text[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_operation_id text[], p_owner text[], p_delay_ms bigint[], p_code text[], p_dead text[]) RETURNS TABLE(item integer, outcome text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_kind      text[];
    v_operation text[];
    v_mine      int[];
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_kind), array_dims(p_operation_id), array_dims(p_owner),
        array_dims(p_delay_ms), array_dims(p_code), array_dims(p_dead));
    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    v_operation := ARRAY(
        SELECT coalesce(u.operation_id, '')
        FROM unnest(p_operation_id) WITH ORDINALITY AS u (operation_id, n)
        ORDER BY u.n);

    -- find is what a register job may be handed out as; a bad item has no
    -- kind from here on
    v_kind := ARRAY(
        SELECT CASE WHEN id_ok(u.merchant_id) AND id_ok(u.checkout_id)
                        AND u.kind IN ('register', 'find', 'poll', 'refund',
                                       'change')
                        AND (u.kind = 'change') = (u.operation_id <> '')
                        AND octet_length(u.operation_id) <= 255
                        AND id_ok(u.owner) AND u.delay_ms <= 31536000000
                        AND coalesce(octet_length(u.code), 0) <= 255
                        AND coalesce(u.dead, '') IN ('', 'retry_limit',
                            'cancelled', 'key_window_over', 'refused')
                    THEN CASE u.kind WHEN 'find' THEN 'register'
                                     ELSE u.kind END END
        FROM unnest(p_merchant_id, p_checkout_id, p_kind, v_operation,
            p_owner, p_delay_ms, p_code, p_dead) WITH ORDINALITY AS u
            (merchant_id, checkout_id, kind, operation_id, owner, delay_ms,
            code, dead, n)
        ORDER BY u.n);

    -- a twin in the batch gets its first's result
    v_mine := ARRAY(
        SELECT u.n FROM unnest(p_merchant_id, p_checkout_id, v_kind,
            v_operation, p_owner) WITH ORDINALITY AS u (merchant_id,
            checkout_id, kind, operation_id, owner, n)
        CROSS JOIN LATERAL (
            SELECT j.lease_owner FROM job j
            WHERE j.merchant_id = u.merchant_id
                AND j.checkout_id = u.checkout_id AND j.kind = u.kind
                AND j.operation_id = u.operation_id
            OFFSET 0) j
        WHERE j.lease_owner = u.owner
        ORDER BY u.n);

    PERFORM give_back_jobs(p_merchant_id, p_checkout_id, v_kind, v_operation,
                           p_delay_ms, p_code, p_dead, v_mine);

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN u.n = ANY (v_mine) THEN 'done'
             WHEN u.kind IS NOT NULL THEN 'gone'
             ELSE 'invalid' END
    FROM unnest(v_kind) WITH ORDINALITY AS u (kind, n);
END
$$;

ALTER FUNCTION pay_api.finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_operation_id text[], p_owner text[], p_delay_ms bigint[], p_code text[], p_dead text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_operation_id text[], p_owner text[], p_delay_ms bigint[], p_code text[], p_dead text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_operation_id text[], p_owner text[], p_delay_ms bigint[], p_code text[], p_dead text[]) IS 'Puts a leased job off, drops it or gives it up: done, gone or invalid';

--
-- Name: get_balance(text[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.get_balance(p_merchant_id text[], p_seller_account text[]) RETURNS TABLE(item integer, outcome text, balances text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
                        array_dims(p_seller_account));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN l.balances IS NULL THEN 'not_found' ELSE 'found' END,
        l.balances::text
    FROM unnest(p_merchant_id, p_seller_account)
        WITH ORDINALITY AS u (merchant_id, seller, n)
    CROSS JOIN LATERAL (
        SELECT json_agg(json_build_object('currency', w.currency,
            'available', decimal_text(w.available_minor, w.currency),
            'pending', decimal_text(w.pending_minor, w.currency),
            'reserved', decimal_text(w.reserved_minor, w.currency))
            ORDER BY w.currency) AS balances
        FROM wallet w
        WHERE w.merchant_id = u.merchant_id AND w.seller_account = u.seller
        OFFSET 0) l;
END
$$;

ALTER FUNCTION pay_api.get_balance(p_merchant_id text[], p_seller_account text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION get_balance(p_merchant_id text[], p_seller_account text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.get_balance(p_merchant_id text[], p_seller_account text[]) IS 'A seller''s wallets: found or not_found';

--
-- Name: get_change(text[], text[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.get_change(p_merchant_id text[], p_payment_order_id text[], p_change_id text[]) RETURNS TABLE(item integer, outcome text, change_id text, change_kind text, payment_order_id text, change_status text, amount_minor bigint, change_currency text, reason text, change_code text, reference text, change_metadata text, created_at text, changed_at text, payment_reference text, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
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
        OFFSET 0) s ON true;
END
$$;

ALTER FUNCTION pay_api.get_change(p_merchant_id text[], p_payment_order_id text[], p_change_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION get_change(p_merchant_id text[], p_payment_order_id text[], p_change_id text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.get_change(p_merchant_id text[], p_payment_order_id text[], p_change_id text[]) IS 'A change with its checkout: found or not_found';

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
-- Name: get_order(text[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.get_order(p_merchant_id text[], p_payment_order_id text[]) RETURNS TABLE(item integer, outcome text, checkout_id text, psp text, handle text, token text, base_url text, expires_s bigint, version bigint, first_status text, payment_order_id text, seller_account text, currency text, amount_minor bigint, status text, reason text, authorized_minor bigint, captured_minor bigint, refunding_minor bigint, refunded_minor bigint, charged_back_minor bigint, credit_currency text, credit_minor bigint, credit_rate text, credit_until text, decline text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
                        array_dims(p_payment_order_id));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN r.checkout_id IS NULL THEN 'not_found' ELSE 'found' END,
        c.checkout_id::text, c.psp::text, c.handle::text, r.token::text,
        c.base_url::text, extract(epoch FROM c.expires_at)::bigint,
        c.version::bigint,
        CASE WHEN o.position > 1
             THEN (SELECT f.status FROM payment_order f
                   WHERE f.merchant_id = o.merchant_id
                       AND f.checkout_id = o.checkout_id
                   ORDER BY f.position LIMIT 1) END::text,
        o.payment_order_id::text, o.seller_account::text,
        c.currency::text, o.amount_minor::bigint, o.status::text,
        o.reason::text, nullif(o.authorized_minor, 0)::bigint,
        nullif(o.captured_minor, 0)::bigint,
        nullif(o.refunding_minor, 0)::bigint,
        nullif(o.refunded_minor, 0)::bigint,
        nullif(o.charged_back_minor, 0)::bigint, o.credit_currency::text,
        o.credit_minor::bigint, o.credit_rate::text,
        second_time(o.credit_until),
        CASE WHEN o.status <> 'SUCCESS' THEN o.decline END::text
    FROM unnest(p_merchant_id, p_payment_order_id)
        WITH ORDINALITY AS u (merchant_id, payment_order_id, n)
    LEFT JOIN LATERAL find_order(u.merchant_id, u.payment_order_id) o
        ON true
    LEFT JOIN checkout c ON c.merchant_id = o.merchant_id
        AND c.checkout_id = o.checkout_id
    LEFT JOIN registration r ON r.merchant_id = c.merchant_id
        AND r.checkout_id = c.checkout_id;
END
$$;

ALTER FUNCTION pay_api.get_order(p_merchant_id text[], p_payment_order_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION get_order(p_merchant_id text[], p_payment_order_id text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.get_order(p_merchant_id text[], p_payment_order_id text[]) IS 'An order and what its checkout says of it: found or not_found';

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
-- Name: get_statement(text[], text[], text[], bigint[], bigint[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.get_statement(p_merchant_id text[], p_seller_account text[], p_currency text[], p_before_seq bigint[], p_limit bigint[]) RETURNS TABLE(item integer, outcome text, statement text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
        array_dims(p_seller_account), array_dims(p_currency),
        array_dims(p_before_seq), array_dims(p_limit));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN NOT coalesce(u.before >= 1, true)
                 OR (u.page BETWEEN 1 AND 100) IS NOT TRUE THEN 'invalid'
             WHEN w.found IS NULL THEN 'not_found'
             ELSE 'found' END,
        CASE WHEN w.found AND coalesce(u.before >= 1, true)
                 AND u.page BETWEEN 1 AND 100
             THEN statement(u.merchant_id, u.seller, u.currency, u.before,
                            u.page::int)::text END
    FROM unnest(p_merchant_id, p_seller_account, p_currency, p_before_seq,
        p_limit) WITH ORDINALITY AS u (merchant_id, seller, currency, before,
        page, n)
    LEFT JOIN LATERAL (
        SELECT true AS found FROM wallet w
        WHERE w.merchant_id = u.merchant_id AND w.seller_account = u.seller
            AND w.currency = u.currency
        OFFSET 0) w ON true;
END
$$;

ALTER FUNCTION pay_api.get_statement(p_merchant_id text[], p_seller_account text[], p_currency text[], p_before_seq bigint[], p_limit bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION get_statement(p_merchant_id text[], p_seller_account text[], p_currency text[], p_before_seq bigint[], p_limit bigint[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.get_statement(p_merchant_id text[], p_seller_account text[], p_currency text[], p_before_seq bigint[], p_limit bigint[]) IS 'A page of a seller''s statement in a currency: found, not_found or invalid';

--
-- Name: keep_webhook(text[], bytea[], bytea[], bigint[], text[], bigint[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.keep_webhook(p_psp text[], p_digest bytea[], p_body bytea[], p_size bigint[], p_left_out text[], p_days bigint[]) RETURNS TABLE(item integer, outcome text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    PERFORM check_batch(
        array_dims(p_psp), array_dims(p_digest), array_dims(p_body),
        array_dims(p_size), array_dims(p_left_out), array_dims(p_days));

    INSERT INTO webhook_body (psp, digest, keep_until, size, left_out, body)
    SELECT p_psp[n], p_digest[n],
        clock_timestamp() + make_interval(days => p_days[n]::int), p_size[n],
        p_left_out[n], p_body[n]
    FROM generate_series(1, cardinality(p_psp)) n
    WHERE body_ok(p_psp[n], p_digest[n], p_body[n], p_size[n], p_left_out[n],
                  p_days[n])
    ORDER BY p_psp[n] COLLATE "C", p_digest[n], n
    ON CONFLICT (psp, digest) DO NOTHING;

    RETURN QUERY
    SELECT n, CASE WHEN body_ok(p_psp[n], p_digest[n], p_body[n], p_size[n],
                                p_left_out[n], p_days[n])
                   THEN 'kept' ELSE 'invalid' END
    FROM generate_series(1, cardinality(p_psp)) n;
END
$$;

ALTER FUNCTION pay_api.keep_webhook(p_psp text[], p_digest bytea[], p_body bytea[], p_size bigint[], p_left_out text[], p_days bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION keep_webhook(p_psp text[], p_digest bytea[], p_body bytea[], p_size bigint[], p_left_out text[], p_days bigint[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.keep_webhook(p_psp text[], p_digest bytea[], p_body bytea[], p_size bigint[], p_left_out text[], p_days bigint[]) IS 'Keeps the raw body of a verified webhook: kept or invalid';

--
-- Name: list_changes(text[], text[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.list_changes(p_merchant_id text[], p_payment_order_id text[], p_kind text[]) RETURNS TABLE(item integer, outcome text, changes text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
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

ALTER FUNCTION pay_api.list_changes(p_merchant_id text[], p_payment_order_id text[], p_kind text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION list_changes(p_merchant_id text[], p_payment_order_id text[], p_kind text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.list_changes(p_merchant_id text[], p_payment_order_id text[], p_kind text[]) IS 'The changes of this kind of an order, oldest first: found or not_found';

--
-- Name: list_checkouts(text[], text[], bigint[], bigint[], text[], bigint[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.list_checkouts(p_merchant_id text[], p_status text[], p_after_us bigint[], p_before_us bigint[], p_before_id text[], p_limit bigint[]) RETURNS TABLE(item integer, outcome text, page text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id), array_dims(p_status),
        array_dims(p_after_us), array_dims(p_before_us),
        array_dims(p_before_id), array_dims(p_limit));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN v.fits THEN 'found' ELSE 'invalid' END,
        CASE WHEN v.fits
             THEN checkout_page(u.merchant_id, u.status,
                 'epoch'::timestamptz + u.after_us * interval '1 us',
                 'epoch'::timestamptz + u.before_us * interval '1 us',
                 u.before_id, u.size::int)::text END
    FROM unnest(p_merchant_id, p_status, p_after_us, p_before_us,
        p_before_id, p_limit) WITH ORDINALITY AS u (merchant_id, status,
        after_us, before_us, before_id, size, n)
    CROSS JOIN LATERAL (
        SELECT (u.merchant_id IS NOT NULL AND u.size BETWEEN 1 AND 100
            AND (u.before_us IS NULL) = (u.before_id IS NULL)) IS TRUE
            AS fits) v;
END
$$;

ALTER FUNCTION pay_api.list_checkouts(p_merchant_id text[], p_status text[], p_after_us bigint[], p_before_us bigint[], p_before_id text[], p_limit bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION list_checkouts(p_merchant_id text[], p_status text[], p_after_us bigint[], p_before_us bigint[], p_before_id text[], p_limit bigint[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.list_checkouts(p_merchant_id text[], p_status text[], p_after_us bigint[], p_before_us bigint[], p_before_id text[], p_limit bigint[]) IS 'A page of checkouts, newest first: found or invalid';

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
-- Name: release_replacement(text[], text[], bigint[], text[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.release_replacement(p_merchant_id text[], p_checkout_id text[], p_lease_ms bigint[], p_request_id text[]) RETURNS TABLE(item integer, outcome text, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    v_new     checkout;
    v_outcome text[];
    v_facts   fact[] := '{}';
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_lease_ms), array_dims(p_request_id));

    PERFORM lock_checkouts(
        array_agg(u.merchant_id), array_agg(x.checkout_id))
    FROM unnest(p_merchant_id, p_checkout_id) u (merchant_id, checkout_id)
    JOIN checkout c ON c.merchant_id = u.merchant_id
        AND c.checkout_id = u.checkout_id
    CROSS JOIN unnest(ARRAY[c.checkout_id::text, c.replaces::text])
        x (checkout_id);

    FOR v_n IN 1 .. cardinality(p_merchant_id) LOOP
        SELECT * INTO v_new FROM checkout c
        WHERE c.merchant_id = p_merchant_id[v_n]
            AND c.checkout_id = p_checkout_id[v_n]
            AND c.replaces IS NOT NULL;

        v_outcome[v_n] := CASE
            WHEN NOT coalesce(p_lease_ms[v_n] BETWEEN 1 AND 86400000, false)
                THEN 'invalid'
            WHEN v_new.checkout_id IS NULL THEN 'not_found'
            ELSE judge_release(v_new) END;

        IF v_outcome[v_n] IN ('released', 'refused', 'waiting') THEN
            v_facts := v_facts || release_one(v_new, v_outcome[v_n],
                make_interval(secs => p_lease_ms[v_n] / 1000.0),
                p_request_id[v_n]);
        END IF;
    END LOOP;

    IF v_facts <> '{}' THEN
        PERFORM record_facts(number_facts(v_facts, 0));
    END IF;

    RETURN QUERY
    SELECT u.n::int, u.outcome, s.*
    FROM unnest(p_merchant_id, p_checkout_id, v_outcome)
        WITH ORDINALITY AS u (merchant_id, checkout_id, outcome, n)
    LEFT JOIN checkout_state s ON u.outcome NOT IN ('invalid', 'not_found')
        AND s.merchant_id = u.merchant_id AND s.checkout_id = u.checkout_id;
END
$$;

ALTER FUNCTION pay_api.release_replacement(p_merchant_id text[], p_checkout_id text[], p_lease_ms bigint[], p_request_id text[]) OWNER TO payments_owner;

--
-- Name: FUNCTION release_replacement(p_merchant_id text[], p_checkout_id text[], p_lease_ms bigint[], p_request_id text[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.release_replacement(p_merchant_id text[], p_checkout_id text[], p_lease_ms bigint[], p_request_id text[]) IS 'Goes on with checkouts that wait for the end of another page: released, refused, waiting, already, not_found or invalid';

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
                NULL, NULL, NULL)::fact
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
-- Name: store_no_token(text[], text[], text[], text[], text[], bigint[], text[], text[], bigint[], text[], bigint[]); Type: FUNCTION; Schema: pay_api; Owner: payments_owner
--

CREATE FUNCTION pay_api.store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[], p_reach text[], p_http_status bigint[], p_dead text[], p_attempt bigint[]) RETURNS TABLE(item integer, outcome text, merchant_id text, checkout_id text, checkout_uuid text, psp text, nonce text, handle text, token text, alias text, hosted_url text, return_url text, base_url text, currency text, total_minor bigint, expires_s bigint, registration_state text, attempt bigint, code text, version bigint, orders text)
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
        array_dims(p_reach), array_dims(p_http_status), array_dims(p_dead),
        array_dims(p_attempt));

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
                        AND u.attempt BETWEEN 1 AND 2147483647
                        AND coalesce(u.dead, '') IN ('', 'retry_limit',
                            'cancelled', 'key_window_over')
                    THEN u.outcome END
        FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_outcome, p_code,
            p_retry_after_ms, p_reach, p_http_status, p_dead, p_attempt)
            WITH ORDINALITY AS u (merchant_id, checkout_id, psp, outcome,
            code, after_ms, reach, http_status, dead, attempt, n)
        ORDER BY u.n);

    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    v_first := keep_no_token(
        read_no_tokens(p_merchant_id, p_checkout_id, p_psp, v_outcome,
                       p_code, p_request_id, p_reach, p_http_status,
                       p_attempt),
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
                     AND p_psp[f] = u.psp
                     AND (p_attempt[f] = u.attempt
                          OR u.outcome IN ('refused', 'expired')))
                 THEN 'stored'
             ELSE 'already' END,
        s.*
    FROM unnest(p_merchant_id, p_checkout_id, p_psp, v_outcome, p_attempt)
        WITH ORDINALITY AS u (merchant_id, checkout_id, psp, outcome,
        attempt, n)
    LEFT JOIN checkout_state s ON u.outcome IS NOT NULL
        AND s.merchant_id = u.merchant_id AND s.checkout_id = u.checkout_id;
END
$$;

ALTER FUNCTION pay_api.store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[], p_reach text[], p_http_status bigint[], p_dead text[], p_attempt bigint[]) OWNER TO payments_owner;

--
-- Name: FUNCTION store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[], p_reach text[], p_http_status bigint[], p_dead text[], p_attempt bigint[]); Type: COMMENT; Schema: pay_api; Owner: payments_owner
--

COMMENT ON FUNCTION pay_api.store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[], p_reach text[], p_http_status bigint[], p_dead text[], p_attempt bigint[]) IS 'Notes that a registration brought no token: stored, already, not_found or invalid';

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
    v_set    record;
    v_stored int[];
    v_late   int[];
    v_facts  fact[];
    v_claim  record;
    v_parked record;
BEGIN
    PERFORM check_batch(
        array_dims(p_merchant_id), array_dims(p_checkout_id),
        array_dims(p_psp), array_dims(p_token), array_dims(p_alias),
        array_dims(p_hosted_url), array_dims(p_poll_after_ms),
        array_dims(p_request_id));

    -- a bad item has no token from here on
    SELECT array_agg(nullif(u.alias, '')),
        array_agg(CASE WHEN id_ok(u.merchant_id) AND id_ok(u.checkout_id)
                           AND id_ok(u.psp) AND id_ok(u.token)
                           AND coalesce(octet_length(u.alias), 0) <= 255
                           AND octet_length(u.hosted_url) BETWEEN 1 AND 8192
                           AND u.after_ms BETWEEN 0 AND 31536000000
                       THEN u.token END)
    INTO v_alias, v_token
    FROM unnest(p_merchant_id, p_checkout_id, p_psp, p_token, p_alias,
        p_hosted_url, p_poll_after_ms) AS u (merchant_id, checkout_id, psp,
        token, alias, hosted_url, after_ms);

    v_claim := claim_tokens(p_merchant_id, p_checkout_id, p_psp, v_token,
                            v_alias);
    IF v_claim.parked THEN
        v_parked := parked_references(p_merchant_id || p_merchant_id,
            p_checkout_id || p_checkout_id, p_psp || p_psp,
            v_token || v_alias);
        PERFORM claim_references(v_parked.merchants, v_parked.checkouts,
                                 v_parked.psps, v_parked.names);
    END IF;

    PERFORM lock_checkouts(p_merchant_id, p_checkout_id);

    v_set := set_tokens(p_merchant_id, p_checkout_id, p_psp, v_token, v_alias,
                        p_hosted_url, v_claim.sure);
    v_stored := v_set.stored;
    v_late := v_set.late;

    v_facts := ARRAY(
        SELECT ROW(u.n, NULL, u.merchant_id, u.checkout_id, 'registered',
            'gateway', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
            u.request_id, NULL, NULL, NULL, NULL)::fact
        FROM unnest(p_merchant_id, p_checkout_id, p_request_id)
            WITH ORDINALITY AS u (merchant_id, checkout_id, request_id, n)
        WHERE u.n = ANY (v_stored));
    PERFORM record_facts(v_facts);
    PERFORM settle_registers(v_facts, 'registered');
    PERFORM poll_later(p_merchant_id, p_checkout_id, p_poll_after_ms,
                       v_stored);

    IF v_claim.parked THEN
        PERFORM post(apply_parked(
            p_merchant_id || p_merchant_id || v_parked.merchants,
            p_checkout_id || p_checkout_id || v_parked.checkouts,
            p_psp || p_psp || v_parked.psps,
            v_token || v_alias || v_parked.names));
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
-- Name: accept_dead_letter(bigint, text, text); Type: FUNCTION; Schema: pay_ops; Owner: payments_owner
--

CREATE FUNCTION pay_ops.accept_dead_letter(p_id bigint, p_who text, p_why text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
BEGIN
    RETURN reopen_letter(p_id, p_who, p_why, true);
END
$$;

ALTER FUNCTION pay_ops.accept_dead_letter(p_id bigint, p_who text, p_why text) OWNER TO payments_owner;

--
-- Name: FUNCTION accept_dead_letter(p_id bigint, p_who text, p_why text); Type: COMMENT; Schema: pay_ops; Owner: payments_owner
--

COMMENT ON FUNCTION pay_ops.accept_dead_letter(p_id bigint, p_who text, p_why text) IS 'Makes a held late payment a sale: accepted, nothing_to_do, no_late_payment, closed, not_found or invalid';

--
-- Name: assign_mismatch(bigint, text[], text[], text, text); Type: FUNCTION; Schema: pay_ops; Owner: payments_owner
--

CREATE FUNCTION pay_ops.assign_mismatch(p_id bigint, p_orders text[], p_amounts text[], p_who text, p_why text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
DECLARE
    v_mismatch mismatch;
    v_amounts  bigint[];
    v_done     record;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why)
        OR p_orders IS NULL OR p_amounts IS NULL
        OR cardinality(p_orders) > 20
    THEN
        RETURN 'invalid';
    END IF;

    SELECT * INTO v_mismatch FROM mismatch m WHERE m.mismatch_id = p_id;
    IF NOT FOUND THEN
        RETURN 'not_found';
    END IF;

    PERFORM lock_checkouts(ARRAY[v_mismatch.merchant_id]::text[],
                           ARRAY[v_mismatch.checkout_id]::text[]);
    v_amounts := ARRAY(
        SELECT minor_of(a, (news_of_mismatch(v_mismatch, NULL,
                                             NULL)).currency)
        FROM unnest(p_amounts) WITH ORDINALITY AS u (a, n) ORDER BY u.n);
    v_done := assign_money(v_mismatch, p_orders, v_amounts);

    IF v_done.outcome = 'assigned' THEN
        INSERT INTO mismatch_settlement (merchant_id, checkout_id,
            mismatch_id, who, why)
        VALUES (v_mismatch.merchant_id, v_mismatch.checkout_id, p_id, p_who,
            p_why)
        ON CONFLICT DO NOTHING;

        PERFORM record_facts(number_facts(v_done.facts || settled_fact(
            v_mismatch, p_who, p_why, jsonb_build_object('assigned', (
                SELECT jsonb_object_agg(u.id, u.amount)
                FROM unnest(p_orders, v_amounts) AS u (id, amount)))), 0));
    END IF;

    RETURN v_done.outcome;
EXCEPTION WHEN SQLSTATE 'PAY30' THEN
    RETURN 'exceeds';
END
$$;

ALTER FUNCTION pay_ops.assign_mismatch(p_id bigint, p_orders text[], p_amounts text[], p_who text, p_why text) OWNER TO payments_owner;

--
-- Name: FUNCTION assign_mismatch(p_id bigint, p_orders text[], p_amounts text[], p_who text, p_why text); Type: COMMENT; Schema: pay_ops; Owner: payments_owner
--

COMMENT ON FUNCTION pay_ops.assign_mismatch(p_id bigint, p_orders text[], p_amounts text[], p_who text, p_why text) IS 'Lays a refund or a dispute to orders by people''s word, or has the merchant bear it (no orders): assigned, nothing, sum, exceeds, not_found or invalid';

--
-- Name: drop_month(date, interval, text, text); Type: FUNCTION; Schema: pay_ops; Owner: payments_owner
--

CREATE FUNCTION pay_ops.drop_month(p_month date, p_keep interval, p_who text, p_why text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    SET lock_timeout TO '500ms'
    AS $_$
DECLARE
    v_name  text := 'event_' || to_char(p_month, 'YYYY_MM');
    v_from  timestamptz := p_month::timestamp AT TIME ZONE 'UTC';
    v_until timestamptz := (p_month + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
    IF coalesce(extract(day FROM p_month) <> 1
                OR now() - p_keep > now() - interval '1 year'
                OR NOT is_statement(p_who) OR NOT is_statement(p_why), true)
    THEN
        RETURN 'invalid';
    END IF;

    LOCK TABLE event IN SHARE UPDATE EXCLUSIVE MODE;

    IF to_regclass('pay.' || v_name) IS NULL THEN
        RETURN 'not_found';
    END IF;

    EXECUTE format('LOCK TABLE pay.%I IN SHARE ROW EXCLUSIVE MODE', v_name);

    IF v_until > now() - p_keep THEN
        RETURN 'too_young';
    ELSIF EXISTS (SELECT FROM event e WHERE e.at < v_from) THEN
        RETURN 'not_oldest';
    ELSIF NOT is_sealed(v_from, v_until) THEN
        RETURN 'not_sealed';
    ELSIF is_tangled(v_from, v_until) THEN
        RETURN 'tangled';
    END IF;

    PERFORM keep_anchors(p_month, v_until, p_who, p_why);
    EXECUTE format('ALTER TABLE pay.event DETACH PARTITION pay.%1$I;'
                   ' DROP TABLE pay.%1$I', v_name);

    RETURN 'dropped';
EXCEPTION WHEN lock_not_available THEN
    RETURN 'busy';
END
$_$;

ALTER FUNCTION pay_ops.drop_month(p_month date, p_keep interval, p_who text, p_why text) OWNER TO payments_owner;

--
-- Name: FUNCTION drop_month(p_month date, p_keep interval, p_who text, p_why text); Type: COMMENT; Schema: pay_ops; Owner: payments_owner
--

COMMENT ON FUNCTION pay_ops.drop_month(p_month date, p_keep interval, p_who text, p_why text) IS 'Lets the oldest month of the log go, where it is older than p_keep (a year at least) and all of it is in signed seals: dropped, too_young, not_oldest, not_sealed, tangled, busy (others have it locked), not_found or invalid';

--
-- Name: requeue_dead_letter(bigint, text, text); Type: FUNCTION; Schema: pay_ops; Owner: payments_owner
--

CREATE FUNCTION pay_ops.requeue_dead_letter(p_id bigint, p_who text, p_why text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
BEGIN
    RETURN reopen_letter(p_id, p_who, p_why, false);
END
$$;

ALTER FUNCTION pay_ops.requeue_dead_letter(p_id bigint, p_who text, p_why text) OWNER TO payments_owner;

--
-- Name: FUNCTION requeue_dead_letter(p_id bigint, p_who text, p_why text); Type: COMMENT; Schema: pay_ops; Owner: payments_owner
--

COMMENT ON FUNCTION pay_ops.requeue_dead_letter(p_id bigint, p_who text, p_why text) IS 'Has the gateway try again: requeued, nothing_to_do, late_payment (see accept_dead_letter), closed, not_found or invalid';

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
        AND j.checkout_id = v_found.checkout
        AND (v_found.letter).kind IN ('refund', 'change')
        AND j.kind = (v_found.letter).kind
        AND j.operation_id = coalesce((v_found.letter).operation_id, '');

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
-- Name: settle_change(text, text, boolean, text, text); Type: FUNCTION; Schema: pay_ops; Owner: payments_owner
--

CREATE FUNCTION pay_ops.settle_change(p_merchant_id text, p_change_id text, p_done boolean, p_who text, p_why text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
DECLARE
    v_change change := find_change(p_merchant_id, p_change_id);
    v_word   fact;
BEGIN
    IF p_done IS NULL OR NOT is_statement(p_who) OR NOT is_statement(p_why)
    THEN
        RETURN 'invalid';
    ELSIF v_change.change_id IS NULL THEN
        RETURN 'not_found';
    END IF;

    PERFORM lock_checkouts(ARRAY[p_merchant_id],
                           ARRAY[v_change.checkout_id]::text[]);
    v_change := find_change(p_merchant_id, p_change_id);

    IF v_change.status NOT IN ('NOT_STARTED', 'EXECUTING') THEN
        RETURN 'closed';
    END IF;

    v_word.actor := 'operator';
    v_word.detail := jsonb_build_object('who', p_who, 'why', p_why,
                                        'role', session_user);
    PERFORM record_facts(number_facts(move_change(v_change,
        CASE WHEN p_done THEN 'SUCCESS' ELSE 'FAILED' END, v_word), 0));

    RETURN 'settled';
END
$$;

ALTER FUNCTION pay_ops.settle_change(p_merchant_id text, p_change_id text, p_done boolean, p_who text, p_why text) OWNER TO payments_owner;

--
-- Name: FUNCTION settle_change(p_merchant_id text, p_change_id text, p_done boolean, p_who text, p_why text); Type: COMMENT; Schema: pay_ops; Owner: payments_owner
--

COMMENT ON FUNCTION pay_ops.settle_change(p_merchant_id text, p_change_id text, p_done boolean, p_who text, p_why text) IS 'Ends a change by people''s word: settled, closed, not_found or invalid';

--
-- Name: settle_mismatch(bigint, text, text); Type: FUNCTION; Schema: pay_ops; Owner: payments_owner
--

CREATE FUNCTION pay_ops.settle_mismatch(p_id bigint, p_who text, p_why text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
DECLARE
    v_mismatch mismatch;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    SELECT * INTO v_mismatch FROM mismatch m WHERE m.mismatch_id = p_id;
    IF NOT FOUND THEN
        RETURN 'not_found';
    END IF;

    PERFORM lock_checkouts(ARRAY[v_mismatch.merchant_id]::text[],
                           ARRAY[v_mismatch.checkout_id]::text[]);

    IF suspended(v_mismatch) IS NOT NULL THEN
        RETURN 'suspense';
    END IF;

    INSERT INTO mismatch_settlement (merchant_id, checkout_id, mismatch_id,
        who, why)
    VALUES (v_mismatch.merchant_id, v_mismatch.checkout_id, p_id, p_who,
        p_why)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN 'closed';
    END IF;

    PERFORM record_facts(ARRAY[settled_fact(v_mismatch, p_who, p_why)]);

    RETURN 'settled';
END
$$;

ALTER FUNCTION pay_ops.settle_mismatch(p_id bigint, p_who text, p_why text) OWNER TO payments_owner;

--
-- Name: FUNCTION settle_mismatch(p_id bigint, p_who text, p_why text); Type: COMMENT; Schema: pay_ops; Owner: payments_owner
--

COMMENT ON FUNCTION pay_ops.settle_mismatch(p_id bigint, p_who text, p_why text) IS 'Closes a row of the mismatch queue by people''s word: settled, closed, suspense, not_found or invalid';

--
-- Name: show_webhook(text, text); Type: FUNCTION; Schema: pay_ops; Owner: payments_owner
--

CREATE FUNCTION pay_ops.show_webhook(p_psp text, p_event_id text) RETURNS TABLE(psp text, event_id text, received_at timestamp with time zone, state text, via text, type text, fact text, token text, reference text, code text, amount_minor bigint, currency text, merchant_id text, checkout_id text, request_id text, digest text, size bigint, keep_until timestamp with time zone, body_state text, body bytea)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT i.psp::text, i.event_id::text, i.received_at, i.state::text,
        i.via::text, i.type, i.fact, i.token::text, i.reference, i.code,
        i.amount_minor, i.currency, i.merchant_id::text, i.checkout_id::text,
        i.request_id, encode(i.digest, 'hex'), b.size, b.keep_until,
        CASE WHEN b.psp IS NULL THEN 'not_kept'
             ELSE coalesce(b.left_out, 'kept') END, b.body
    FROM webhook_inbox i
    LEFT JOIN webhook_body b ON b.psp = i.psp AND b.digest = i.digest
    WHERE i.psp = p_psp AND i.event_id = p_event_id;
END
$$;

ALTER FUNCTION pay_ops.show_webhook(p_psp text, p_event_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION show_webhook(p_psp text, p_event_id text); Type: COMMENT; Schema: pay_ops; Owner: payments_owner
--

COMMENT ON FUNCTION pay_ops.show_webhook(p_psp text, p_event_id text) IS 'A stored webhook with its raw body; body_state is kept, not_kept, card_number or too_large';

--
-- Name: audit_export(timestamp with time zone, timestamp with time zone); Type: FUNCTION; Schema: pay_view; Owner: payments_owner
--

CREATE FUNCTION pay_view.audit_export(p_since timestamp with time zone DEFAULT NULL::timestamp with time zone, p_until timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS SETOF text
    LANGUAGE sql STABLE
    AS $$
(SELECT l.line
FROM (
    SELECT e.*, lag(e.seq) OVER (
            PARTITION BY e.merchant_id, e.payment_order_id ORDER BY e.seq)
            AS previous_seq
    FROM pay.export_range(p_since, p_until) r, pay.event e
    WHERE e.tx >= r.from_tx AND e.tx < r.until_tx
    ) e
CROSS JOIN LATERAL (
    SELECT 1 AS n, row_to_json(a)::text AS line
    FROM (
        SELECT 'anchor' AS t, e.merchant_id, e.payment_order_id, b.seq,
            encode(b.hash, 'hex') AS hash
        FROM (SELECT p.seq, p.hash FROM pay.event p
              WHERE p.merchant_id = e.merchant_id
                  AND p.payment_order_id = e.payment_order_id
                  AND p.seq = e.seq - 1
              UNION ALL
              SELECT p.seq, p.hash FROM pay.event_anchor p
              WHERE p.merchant_id = e.merchant_id
                  AND p.payment_order_id = e.payment_order_id
                  AND p.seq = e.seq - 1
              LIMIT 1) b
        WHERE e.seq > 1 AND e.previous_seq IS NULL) a
    UNION ALL
    SELECT 2, row_to_json(x)::text
    FROM (SELECT 'event' AS t, e.merchant_id, e.payment_order_id, e.seq,
              pay.iso_micros(e.at) AS at, e.tx, e.kind, e.actor, e.old_status,
              e.new_status, e.reason, e.detail::text AS detail, e.request_id,
              encode(e.hash, 'hex') AS hash) x
    ) l
ORDER BY e.merchant_id, e.payment_order_id, e.seq, e.at, l.n)
UNION ALL
(SELECT row_to_json(x)::text
 FROM pay.export_range(p_since, p_until) r, pay.seal_leaf f,
    LATERAL (SELECT 'leaf' AS t, f.number, f.position, f.merchant_id,
        f.payment_order_id, f.seq, encode(f.hash, 'hex') AS hash) x
 WHERE f.number BETWEEN r.first AND r.last
 ORDER BY f.number, f.position)
UNION ALL
(SELECT row_to_json(x)::text
 FROM pay.export_range(p_since, p_until) r, pay.seal s,
    LATERAL (SELECT 'seal' AS t, s.number, s.message, s.key_id,
        translate(encode(s.signature, 'base64'), E'\n', '') AS signature) x
 WHERE s.number BETWEEN r.first AND r.last
 ORDER BY s.number)
$$;

ALTER FUNCTION pay_view.audit_export(p_since timestamp with time zone, p_until timestamp with time zone) OWNER TO payments_owner;

--
-- Name: FUNCTION audit_export(p_since timestamp with time zone, p_until timestamp with time zone); Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON FUNCTION pay_view.audit_export(p_since timestamp with time zone, p_until timestamp with time zone) IS 'The event log as lines of JSON, for payctl audit verify: all of it, or the seals that were made from p_since up to, and without, p_until';

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
-- Name: find(text, text); Type: FUNCTION; Schema: pay_view; Owner: payments_owner
--

CREATE FUNCTION pay_view.find(p_what text, p_merchant_id text DEFAULT NULL::text) RETURNS TABLE(found_as text, merchant_id text, checkout_id text, payment_order_id text, psp text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pay', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT f.* FROM all_merchants() m (id)
    CROSS JOIN LATERAL find_by_merchant(m.id, p_what) f
    WHERE m.id = coalesce(p_merchant_id, m.id)
    UNION ALL
    SELECT f.* FROM all_psps() p (name)
    CROSS JOIN LATERAL find_by_psp(p.name, p_what) f
    WHERE f.merchant_id IS NOT DISTINCT FROM
        coalesce(p_merchant_id, f.merchant_id)
    UNION ALL
    SELECT 'buyer''s handle', c.merchant_id, c.checkout_id, NULL, c.psp
    FROM checkout c
    WHERE c.handle = p_what
        AND c.merchant_id = coalesce(p_merchant_id, c.merchant_id)
    UNION ALL
    SELECT c.kind, c.merchant_id, c.checkout_id, c.payment_order_id, c.psp
    FROM change c
    WHERE c.change_id = p_what
        AND c.merchant_id = coalesce(p_merchant_id, c.merchant_id)
    UNION ALL
    SELECT f.* FROM find_request(p_what) f
    WHERE f.merchant_id = coalesce(p_merchant_id, f.merchant_id);

    IF NOT FOUND THEN
        RETURN QUERY
        SELECT 'PSP''s ' || c.kind, c.merchant_id::text, c.checkout_id::text,
            c.payment_order_id::text, c.psp::text
        FROM change c
        WHERE c.reference = p_what
            AND c.merchant_id = coalesce(p_merchant_id, c.merchant_id);
    END IF;
END
$$;

ALTER FUNCTION pay_view.find(p_what text, p_merchant_id text) OWNER TO payments_owner;

--
-- Name: FUNCTION find(p_what text, p_merchant_id text); Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON FUNCTION pay_view.find(p_what text, p_merchant_id text) IS 'What an id, a token, a reference, a key or a request id belongs to, for people; NULL for any merchant';

--
-- Name: account_kind; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.account_kind (
    account text NOT NULL COLLATE pg_catalog."C",
    class text NOT NULL COLLATE pg_catalog."C",
    owner text NOT NULL COLLATE pg_catalog."C",
    wallet text COLLATE pg_catalog."C",
    about text NOT NULL,
    CONSTRAINT account_kind_check CHECK (((owner = 'seller'::text) = (wallet IS NOT NULL))),
    CONSTRAINT account_kind_class_check CHECK ((class = ANY (ARRAY['asset'::text, 'liability'::text, 'expense'::text, 'transit'::text]))),
    CONSTRAINT account_kind_owner_check CHECK ((owner = ANY (ARRAY['psp'::text, 'seller'::text, 'nobody'::text]))),
    CONSTRAINT account_kind_wallet_check CHECK ((wallet = ANY (ARRAY['available'::text, 'pending'::text, 'reserved'::text])))
);

ALTER TABLE pay.account_kind OWNER TO payments_owner;

--
-- Name: backfill; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.backfill (
    psp pay.id NOT NULL,
    seen_until timestamp with time zone NOT NULL,
    span_s integer DEFAULT 21600 NOT NULL,
    run_at timestamp with time zone NOT NULL,
    put_off interval DEFAULT '00:00:00'::interval NOT NULL,
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
-- Name: registration; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.registration (
    merchant_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    psp pay.id NOT NULL,
    nonce pay.id NOT NULL,
    state pay.registration_state DEFAULT 'REGISTERING'::text NOT NULL,
    attempt pay.ordinal DEFAULT 1 NOT NULL,
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
    open_attempts pay.tally DEFAULT 1 NOT NULL,
    hinted_at timestamp with time zone,
    waits boolean DEFAULT false NOT NULL,
    CONSTRAINT registration_check CHECK ((((state)::text <> 'REGISTERED'::text) OR ((token IS NOT NULL) AND (hosted_url IS NOT NULL)))),
    CONSTRAINT registration_check1 CHECK ((((state)::text <> 'REGISTERING'::text) OR (token IS NULL))),
    CONSTRAINT registration_check2 CHECK (((alias IS NULL) OR (token IS NOT NULL))),
    CONSTRAINT registration_check3 CHECK ((cardinality(key_windows) = cardinality((psps)::text[])))
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
    (c.currency)::text AS currency,
    (c.total_minor)::bigint AS total_minor,
    (EXTRACT(epoch FROM c.expires_at))::bigint AS expires_s,
    (r.state)::text AS registration_state,
    (r.attempt)::bigint AS attempt,
    r.code,
    (c.version)::bigint AS version,
    ( SELECT (json_agg(json_build_object('id', o.payment_order_id, 'seller', o.seller_account, 'amount', o.amount_minor, 'currency', o.currency, 'status', o.status, 'reason', o.reason, 'money', pay.order_money(o.*, (c.capture)::text)) ORDER BY o."position"))::text AS json_agg
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
    is_current boolean DEFAULT true NOT NULL,
    CONSTRAINT currency_code_check1 CHECK ((code ~ '^[A-Z]{3}$'::text)),
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
-- Name: dropped_month; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.dropped_month (
    month date NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    events bigint NOT NULL,
    max_tx bigint NOT NULL,
    first_seal bigint NOT NULL,
    who pay.filled NOT NULL,
    why pay.filled NOT NULL,
    CONSTRAINT dropped_month_month_check CHECK ((EXTRACT(day FROM month) = (1)::numeric))
);

ALTER TABLE pay.dropped_month OWNER TO payments_owner;

--
-- Name: event_anchor; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.event_anchor (
    merchant_id pay.id NOT NULL,
    payment_order_id pay.id NOT NULL,
    seq integer NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT event_anchor_hash_check CHECK ((octet_length(hash) = 32)),
    CONSTRAINT event_anchor_seq_check CHECK ((seq >= 1))
);

ALTER TABLE pay.event_anchor OWNER TO payments_owner;

--
-- Name: event_default; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.event_default (
    merchant_id pay.id NOT NULL,
    payment_order_id pay.id NOT NULL,
    seq pay.ordinal NOT NULL,
    at timestamp with time zone NOT NULL,
    tx pay.whole NOT NULL,
    kind pay.filled NOT NULL,
    actor pay.event_actor NOT NULL,
    old_status pay.order_status,
    new_status pay.order_status NOT NULL,
    reason text COLLATE pg_catalog."C",
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    request_id text,
    hash pay.hash NOT NULL,
    CONSTRAINT event_begins CHECK ((((seq)::integer = 1) = (old_status IS NULL)))
)
WITH (autovacuum_analyze_threshold='1000', autovacuum_vacuum_insert_threshold='500000', autovacuum_vacuum_insert_scale_factor='0');

ALTER TABLE pay.event_default OWNER TO payments_owner;

--
-- Name: idempotency_key; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.idempotency_key (
    merchant_id pay.id NOT NULL,
    route text NOT NULL COLLATE pg_catalog."C",
    key pay.id NOT NULL,
    fingerprint pay.hash NOT NULL,
    checkout_id pay.id NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    change_id pay.id
)
WITH (autovacuum_analyze_threshold='1000', autovacuum_vacuum_threshold='1000');

ALTER TABLE pay.idempotency_key OWNER TO payments_owner;

--
-- Name: journal_entry; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.journal_entry (
    merchant_id pay.id NOT NULL,
    source pay.journal_source NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    tx xid8 DEFAULT pg_current_xact_id() NOT NULL,
    checkout_id pay.id NOT NULL,
    payment_order_id pay.id,
    psp pay.id NOT NULL,
    seller_account text COLLATE pg_catalog."C",
    amount_minor pay.positive_minor NOT NULL,
    currency pay.currency_code NOT NULL,
    seller_minor pay.minor NOT NULL,
    seller_currency pay.currency_code NOT NULL,
    rate pay.positive_rate,
    request_id text,
    CONSTRAINT journal_entry_check CHECK (((rate IS NULL) = ((currency)::text = (seller_currency)::text))),
    CONSTRAINT journal_entry_check1 CHECK (((rate IS NOT NULL) OR ((seller_minor)::bigint = (amount_minor)::bigint)))
)
WITH (autovacuum_analyze_threshold='1000');

ALTER TABLE pay.journal_entry OWNER TO payments_owner;

--
-- Name: journal_line; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.journal_line (
    merchant_id pay.id NOT NULL,
    source text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL COLLATE pg_catalog."C",
    line pay.line_number NOT NULL,
    account text NOT NULL COLLATE pg_catalog."C",
    owner text NOT NULL COLLATE pg_catalog."C",
    currency pay.currency_code NOT NULL,
    amount_minor pay.signed_minor NOT NULL,
    wallet_seq bigint,
    balance_minor bigint,
    CONSTRAINT journal_line_check CHECK (((wallet_seq IS NULL) = (balance_minor IS NULL))),
    CONSTRAINT journal_line_check1 CHECK (((wallet_seq IS NOT NULL) = starts_with(account, 'seller_'::text)))
)
WITH (autovacuum_analyze_threshold='1000');

ALTER TABLE pay.journal_line OWNER TO payments_owner;

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
-- Name: mismatch_settlement; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.mismatch_settlement (
    merchant_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    mismatch_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    who pay.filled NOT NULL,
    why pay.filled NOT NULL,
    role text DEFAULT SESSION_USER NOT NULL
);

ALTER TABLE pay.mismatch_settlement OWNER TO payments_owner;

--
-- Name: outbox; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.outbox (
    merchant_id pay.id NOT NULL,
    payment_order_id pay.id NOT NULL,
    seq integer NOT NULL,
    at timestamp with time zone NOT NULL,
    kind pay.filled NOT NULL
);

ALTER TABLE pay.outbox OWNER TO payments_owner;

--
-- Name: posting_kind; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.posting_kind (
    kind text NOT NULL COLLATE pg_catalog."C",
    about text NOT NULL,
    example text NOT NULL
);

ALTER TABLE pay.posting_kind OWNER TO payments_owner;

--
-- Name: posting_rule; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.posting_rule (
    kind text NOT NULL COLLATE pg_catalog."C",
    line pay.line_number NOT NULL,
    side text NOT NULL COLLATE pg_catalog."C",
    account text NOT NULL COLLATE pg_catalog."C",
    leg text NOT NULL COLLATE pg_catalog."C",
    only_converted boolean DEFAULT false NOT NULL,
    CONSTRAINT posting_rule_leg_check CHECK ((leg = ANY (ARRAY['buyer'::text, 'seller'::text]))),
    CONSTRAINT posting_rule_side_check CHECK ((side = ANY (ARRAY['debit'::text, 'credit'::text])))
);

ALTER TABLE pay.posting_rule OWNER TO payments_owner;

--
-- Name: psp_token; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.psp_token (
    psp pay.id NOT NULL,
    token pay.id NOT NULL,
    merchant_id pay.id,
    checkout_id pay.id,
    is_reference boolean DEFAULT false NOT NULL,
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
-- Name: rate; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.rate (
    source pay.id NOT NULL,
    quote text NOT NULL COLLATE pg_catalog."C",
    base text NOT NULL COLLATE pg_catalog."C",
    rate numeric NOT NULL,
    fetched_at timestamp with time zone NOT NULL,
    CONSTRAINT rate_base_check CHECK ((octet_length(base) = 3)),
    CONSTRAINT rate_check CHECK ((quote <> base)),
    CONSTRAINT rate_quote_check CHECK ((octet_length(quote) = 3)),
    CONSTRAINT rate_rate_check CHECK (((rate >= 0.000000000001) AND (rate <= ('999999999999'::bigint)::numeric)))
)
WITH (fillfactor='50');

ALTER TABLE pay.rate OWNER TO payments_owner;

--
-- Name: rate_source; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.rate_source (
    source pay.id NOT NULL,
    base text COLLATE pg_catalog."C",
    max_age interval DEFAULT '00:05:00'::interval NOT NULL,
    run_at timestamp with time zone DEFAULT now() NOT NULL,
    lease_owner text,
    lease_until timestamp with time zone,
    fetched_at timestamp with time zone,
    runs bigint DEFAULT 0 NOT NULL,
    failures bigint DEFAULT 0 NOT NULL,
    code text,
    CONSTRAINT rate_source_base_check CHECK ((octet_length(base) = 3)),
    CONSTRAINT rate_source_check CHECK (((lease_owner IS NULL) = (lease_until IS NULL))),
    CONSTRAINT rate_source_check1 CHECK (((base IS NULL) = (fetched_at IS NULL))),
    CONSTRAINT rate_source_max_age_check CHECK ((max_age > '00:00:00'::interval))
)
WITH (fillfactor='50');

ALTER TABLE pay.rate_source OWNER TO payments_owner;

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
    lease_owner text COLLATE pg_catalog."C",
    lease_until timestamp with time zone,
    from_tx bigint,
    CONSTRAINT round_check CHECK (((merchant_id IS NULL) = (checkout_id IS NULL))),
    CONSTRAINT round_check1 CHECK (((lease_owner IS NULL) = (lease_until IS NULL)))
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
-- Name: seal_leaf; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.seal_leaf (
    number bigint NOT NULL,
    "position" integer NOT NULL,
    merchant_id pay.id NOT NULL,
    payment_order_id pay.id NOT NULL,
    seq integer NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT seal_leaf_hash_check CHECK ((octet_length(hash) = 32)),
    CONSTRAINT seal_leaf_position_check CHECK (("position" >= 1)),
    CONSTRAINT seal_leaf_seq_check CHECK ((seq >= 1))
);

ALTER TABLE pay.seal_leaf OWNER TO payments_owner;

--
-- Name: status_rank; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.status_rank (
    status pay.order_status NOT NULL,
    rank integer NOT NULL
);

ALTER TABLE pay.status_rank OWNER TO payments_owner;

--
-- Name: wallet; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.wallet (
    merchant_id pay.id NOT NULL,
    seller_account pay.filled NOT NULL,
    currency pay.currency_code NOT NULL,
    available_minor bigint DEFAULT 0 NOT NULL,
    pending_minor pay.minor DEFAULT 0 NOT NULL,
    reserved_minor pay.minor DEFAULT 0 NOT NULL,
    seq pay.whole DEFAULT 0 NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='50', autovacuum_vacuum_threshold='1000', autovacuum_analyze_threshold='1000');

ALTER TABLE pay.wallet OWNER TO payments_owner;

--
-- Name: webhook_body; Type: TABLE; Schema: pay; Owner: payments_owner
--

CREATE TABLE pay.webhook_body (
    psp pay.id NOT NULL,
    digest bytea NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    keep_until timestamp with time zone NOT NULL,
    size bigint NOT NULL,
    left_out text COLLATE pg_catalog."C",
    body bytea,
    CONSTRAINT webhook_body_body_check CHECK ((octet_length(body) <= 262144)),
    CONSTRAINT webhook_body_check CHECK (((body IS NULL) = (left_out IS NOT NULL))),
    CONSTRAINT webhook_body_digest_check CHECK ((octet_length(digest) = 32)),
    CONSTRAINT webhook_body_left_out_check CHECK ((left_out = ANY (ARRAY['card_number'::text, 'too_large'::text]))),
    CONSTRAINT webhook_body_size_check CHECK ((size >= 0))
);

ALTER TABLE pay.webhook_body OWNER TO payments_owner;

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
-- Name: amount_sum; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.amount_sum AS
SELECT
    NULL::pay.id AS merchant_id,
    NULL::pay.id AS checkout_id,
    NULL::pay.positive_minor AS total_minor,
    NULL::numeric AS orders_minor;

ALTER TABLE pay_check.amount_sum OWNER TO payments_owner;

--
-- Name: VIEW amount_sum; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.amount_sum IS 'The orders add up to the checkout, in its currency, in positions 1 to n.';

--
-- Name: authorized_booked; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.authorized_booked AS
 SELECT o.merchant_id,
    o.payment_order_id,
    o.status,
    o.authorized_minor,
    e.booked
   FROM (pay.payment_order o
     LEFT JOIN ( SELECT e_1.merchant_id,
            e_1.payment_order_id,
            sum(
                CASE e_1.kind
                    WHEN 'authorized'::text THEN (e_1.amount_minor)::bigint
                    ELSE (- (e_1.amount_minor)::bigint)
                END) AS booked
           FROM pay.journal_entry e_1
          WHERE (e_1.kind = ANY (ARRAY['authorized'::text, 'unauthorized'::text]))
          GROUP BY e_1.merchant_id, e_1.payment_order_id) e USING (merchant_id, payment_order_id))
  WHERE (((o.authorized_minor)::numeric <> COALESCE(e.booked, (0)::numeric)) OR (((o.authorized_minor)::bigint > 0) AND ((o.status)::text <> ALL (ARRAY['EXECUTING'::text, 'SUCCESS'::text]))));

ALTER TABLE pay_check.authorized_booked OWNER TO payments_owner;

--
-- Name: VIEW authorized_booked; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.authorized_booked IS 'I4: what an order has authorised is what its pending entries add up to.';

--
-- Name: change_booked; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.change_booked AS
 SELECT c.merchant_id,
    c.change_id,
    c.kind,
    c.origin,
    c.status,
    c.returned,
    e.kinds
   FROM (pay.change c
     LEFT JOIN LATERAL ( SELECT COALESCE(array_agg(e_1.kind ORDER BY e_1.kind), '{}'::text[]) AS kinds
           FROM pay.journal_entry e_1
          WHERE (((e_1.merchant_id)::text = (c.merchant_id)::text) AND ((e_1.source)::text = ('change/'::text || (c.change_id)::text)) AND (e_1.kind <> 'unauthorized'::text))) e ON (true))
  WHERE
        CASE
            WHEN (c.kind = 'cancel'::text) THEN (e.kinds <> '{}'::text[])
            WHEN (c.kind = 'capture'::text) THEN ((e.kinds <> '{}'::text[]) AND ((e.kinds <> '{sale}'::text[]) OR ((c.status)::text <> 'SUCCESS'::text)))
            WHEN ((c.seller_minor)::bigint = 0) THEN false
            WHEN ((c.status)::text = ANY (ARRAY['NOT_STARTED'::text, 'EXECUTING'::text])) THEN (e.kinds <> '{refund_reserved}'::text[])
            WHEN ((c.status)::text = 'SUCCESS'::text) THEN (((e.kinds <> '{refund,refund_reserved}'::text[]) AND (e.kinds <> '{refund_external}'::text[])) AND (e.kinds <> '{refund_external,refund_released,refund_reserved}'::text[]))
            WHEN c.returned THEN ('refund_returned'::text <> ALL (e.kinds))
            ELSE ((e.kinds <> '{refund_released,refund_reserved}'::text[]) AND ((c.origin = 'merchant'::text) OR (e.kinds <> '{}'::text[])))
        END;

ALTER TABLE pay_check.change_booked OWNER TO payments_owner;

--
-- Name: VIEW change_booked; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.change_booked IS 'I4: each refund and each capture is booked as it stands: what it reserves or has released, what was paid back, what has come back.  One that was made at the PSP, and had failed before it was heard of, is not booked.';

--
-- Name: change_dispatch; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.change_dispatch AS
 SELECT c.merchant_id,
    c.change_id,
    c.kind,
    c.status,
    d.state
   FROM (pay.change c
     JOIN LATERAL ( SELECT x.state
           FROM pay.dispatch x
          WHERE (((x.merchant_id)::text = (c.merchant_id)::text) AND ((x.checkout_id)::text = (c.checkout_id)::text) AND ((x.operation_id)::text = (c.change_id)::text))
          ORDER BY x.attempt DESC
         LIMIT 1) d ON (true))
  WHERE ((((d.state)::text = 'DONE'::text) AND ((c.status)::text = ANY (ARRAY['NOT_STARTED'::text, 'EXECUTING'::text]))) OR (((d.state)::text = ANY (ARRAY['PENDING'::text, 'REFUSED'::text])) AND ((c.status)::text = 'NOT_STARTED'::text)));

ALTER TABLE pay_check.change_dispatch OWNER TO payments_owner;

--
-- Name: VIEW change_dispatch; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.change_dispatch IS 'A change has heard what the journal says of its calls.';

--
-- Name: change_event; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.change_event AS
 SELECT 'untold'::text AS what,
    c.merchant_id,
    c.payment_order_id,
    c.change_id,
    c.kind,
    c.status
   FROM pay.change c
  WHERE ((NOT (EXISTS ( SELECT
           FROM pay.event e
          WHERE (((e.merchant_id)::text = (c.merchant_id)::text) AND ((e.payment_order_id)::text = (c.payment_order_id)::text) AND ((e.detail ->> 'change_id'::text) = (c.change_id)::text) AND ((c.kind <> 'refund'::text) OR ((e.kind)::text =
                CASE
                    WHEN ((c.status)::text = 'SUCCESS'::text) THEN 'refunded'::text
                    WHEN c.returned THEN 'refund_returned'::text
                    WHEN ((c.status)::text = 'FAILED'::text) THEN 'refund_failed'::text
                    ELSE (e.kind)::text
                END)))))) AND (NOT (EXISTS ( SELECT
           FROM pay.event_anchor a
          WHERE (((a.merchant_id)::text = (c.merchant_id)::text) AND ((a.payment_order_id)::text = (c.payment_order_id)::text))))))
UNION ALL
 SELECT 'unknown'::text AS what,
    e.merchant_id,
    e.payment_order_id,
    (e.detail ->> 'change_id'::text) AS change_id,
    e.kind,
    e.new_status AS status
   FROM pay.event e
  WHERE ((e.detail ? 'change_id'::text) AND (NOT (EXISTS ( SELECT
           FROM pay.change c
          WHERE (((c.merchant_id)::text = (e.merchant_id)::text) AND ((c.change_id)::text = (e.detail ->> 'change_id'::text)))))));

ALTER TABLE pay_check.change_event OWNER TO payments_owner;

--
-- Name: VIEW change_event; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.change_event IS 'No change that its order''s timeline does not tell of, and none that ended as the timeline does not say; each event about a change is about one that is.';

--
-- Name: change_job; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.change_job AS
 SELECT 'missing'::text AS what,
    c.merchant_id,
    c.change_id,
    c.kind,
    c.status
   FROM pay.change c
  WHERE (((c.status)::text = ANY (ARRAY['NOT_STARTED'::text, 'EXECUTING'::text])) AND (c.reference IS NULL) AND (NOT (EXISTS ( SELECT
           FROM pay.job j
          WHERE (((j.merchant_id)::text = (c.merchant_id)::text) AND ((j.checkout_id)::text = (c.checkout_id)::text) AND ((j.kind)::text = 'change'::text) AND (j.operation_id = (c.change_id)::text))))) AND (NOT (EXISTS ( SELECT
           FROM pay.dead_letter d
          WHERE (((d.merchant_id)::text = (c.merchant_id)::text) AND ((d.checkout_id)::text = (c.checkout_id)::text) AND (d.kind = 'change'::text) AND ((d.operation_id)::text = (c.change_id)::text) AND (d.state = ANY (ARRAY['open'::text, 'resolved'::text])))))) AND (NOT (EXISTS ( SELECT
           FROM pay.dispatch d
          WHERE (((d.merchant_id)::text = (c.merchant_id)::text) AND ((d.checkout_id)::text = (c.checkout_id)::text) AND ((d.operation_id)::text = (c.change_id)::text) AND ((d.state)::text = ANY (ARRAY['DONE'::text, 'PENDING'::text])))))))
UNION ALL
 SELECT 'unwanted'::text AS what,
    j.merchant_id,
    j.operation_id AS change_id,
    j.kind,
    c.status
   FROM (pay.job j
     LEFT JOIN pay.change c ON ((((c.merchant_id)::text = (j.merchant_id)::text) AND ((c.change_id)::text = j.operation_id) AND ((c.checkout_id)::text = (j.checkout_id)::text))))
  WHERE (((j.kind)::text = 'change'::text) AND (((c.status)::text = ANY (ARRAY['NOT_STARTED'::text, 'EXECUTING'::text])) IS NOT TRUE))
UNION ALL
 SELECT 'letter'::text AS what,
    d.merchant_id,
    d.operation_id AS change_id,
    d.kind,
    c.status
   FROM (pay.dead_letter d
     LEFT JOIN pay.change c ON ((((c.merchant_id)::text = (d.merchant_id)::text) AND ((c.change_id)::text = (d.operation_id)::text) AND ((c.checkout_id)::text = (d.checkout_id)::text))))
  WHERE ((d.kind = 'change'::text) AND (d.state = 'open'::text) AND (((c.status)::text = ANY (ARRAY['NOT_STARTED'::text, 'EXECUTING'::text])) IS NOT TRUE));

ALTER TABLE pay_check.change_job OWNER TO payments_owner;

--
-- Name: VIEW change_job; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.change_job IS 'A change that is open and that the PSP is not known to have goes on by its job, or people have been told that it does not (I8); one that has ended has neither.';

--
-- Name: change_match; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.change_match AS
 SELECT o.merchant_id,
    o.change_id,
    o.matched_to,
    o.status,
    c.status AS ours
   FROM (pay.change o
     LEFT JOIN pay.change c ON ((((c.merchant_id)::text = (o.merchant_id)::text) AND ((c.checkout_id)::text = (o.checkout_id)::text) AND ((c.change_id)::text = (o.matched_to)::text))))
  WHERE ((o.matched_to IS NOT NULL) AND (o.kind = 'capture'::text) AND (((((((c.origin IS DISTINCT FROM 'merchant'::text) OR (c.kind IS DISTINCT FROM 'capture'::text)) OR ((c.payment_order_id)::text IS DISTINCT FROM (o.payment_order_id)::text)) OR ((c.psp)::text IS DISTINCT FROM (o.psp)::text)) OR ((c.reference)::text IS DISTINCT FROM (o.reference)::text)) OR ((c.status)::text IS DISTINCT FROM (o.status)::text)) OR ((o.status)::text <> ALL (ARRAY['SUCCESS'::text, 'FAILED'::text])) OR (((o.status)::text = 'SUCCESS'::text) AND ((o.amount_minor)::bigint <> (c.amount_minor)::bigint)) OR (EXISTS ( SELECT
           FROM pay.journal_entry e
          WHERE (((e.merchant_id)::text = (c.merchant_id)::text) AND ((e.source)::text = ('change/'::text || (c.change_id)::text))))) OR (EXISTS ( SELECT
           FROM pay.change x
          WHERE (((x.merchant_id)::text = (o.merchant_id)::text) AND ((x.checkout_id)::text = (o.checkout_id)::text) AND ((x.matched_to)::text = (o.matched_to)::text) AND ((x.change_id)::text <> (o.change_id)::text))))))
UNION ALL
 SELECT o.merchant_id,
    o.change_id,
    o.matched_to,
    o.status,
    c.status AS ours
   FROM (pay.change o
     LEFT JOIN pay.change c ON ((((c.merchant_id)::text = (o.merchant_id)::text) AND ((c.checkout_id)::text = (o.checkout_id)::text) AND ((c.change_id)::text = (o.matched_to)::text))))
  WHERE ((o.matched_to IS NOT NULL) AND (o.kind = 'refund'::text) AND ((((c.origin IS DISTINCT FROM 'merchant'::text) OR (c.kind IS DISTINCT FROM 'refund'::text)) OR ((o.status)::text IS DISTINCT FROM 'FAILED'::text)) OR (o.reference IS NOT NULL)))
UNION ALL
 SELECT c.merchant_id,
    c.change_id,
    NULL::text AS matched_to,
    NULL::text AS status,
    c.status AS ours
   FROM pay.change c
  WHERE ((c.kind = 'capture'::text) AND c.by_amount AND (NOT (EXISTS ( SELECT
           FROM pay.change o
          WHERE (((o.merchant_id)::text = (c.merchant_id)::text) AND ((o.checkout_id)::text = (c.checkout_id)::text) AND ((o.matched_to)::text = (c.change_id)::text))))));

ALTER TABLE pay_check.change_match OWNER TO payments_owner;

--
-- Name: VIEW change_match; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.change_match IS 'A refund that was matched has failed, and has no name any more.  A capture that was matched is of the same order, PSP and name as the one that was asked for, and of its amount unless it failed; both have ended alike, the money stands under one of them, and no two are matched to one.  A capture that was told by its amount alone has its match.';

--
-- Name: change_money; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.change_money AS
 SELECT o.merchant_id,
    o.payment_order_id,
    o.captured_minor,
    o.refunding_minor,
    o.refunded_minor,
    o.charged_back_minor,
    c.refunding,
    c.refunded,
    c.captured,
    d.charged_back
   FROM ((pay.payment_order o
     LEFT JOIN ( SELECT c_1.merchant_id,
            c_1.payment_order_id,
            sum((c_1.amount_minor)::bigint) FILTER (WHERE ((c_1.kind = 'refund'::text) AND (((c_1.status)::text = 'EXECUTING'::text) OR (((c_1.status)::text = 'NOT_STARTED'::text) AND (c_1.origin = 'merchant'::text))))) AS refunding,
            sum((c_1.amount_minor)::bigint) FILTER (WHERE ((c_1.kind = 'refund'::text) AND ((c_1.status)::text = 'SUCCESS'::text))) AS refunded,
            sum((c_1.amount_minor)::bigint) FILTER (WHERE ((c_1.kind = 'capture'::text) AND ((c_1.status)::text = 'SUCCESS'::text) AND (c_1.matched_to IS NULL))) AS captured
           FROM pay.change c_1
          GROUP BY c_1.merchant_id, c_1.payment_order_id) c USING (merchant_id, payment_order_id))
     LEFT JOIN ( SELECT d_1.merchant_id,
            d_1.payment_order_id,
            sum((d_1.amount_minor)::bigint) AS charged_back
           FROM pay.dispute d_1
          WHERE (d_1.state = ANY (ARRAY['open'::text, 'lost'::text]))
          GROUP BY d_1.merchant_id, d_1.payment_order_id) d USING (merchant_id, payment_order_id))
  WHERE (((o.refunding_minor)::numeric <> COALESCE(c.refunding, (0)::numeric)) OR ((o.refunded_minor)::numeric <> COALESCE(c.refunded, (0)::numeric)) OR ((o.charged_back_minor)::numeric <> COALESCE(d.charged_back, (0)::numeric)) OR (((o.refunding_minor)::bigint + (o.refunded_minor)::bigint) > (o.captured_minor)::bigint) OR (((o.authorized_minor)::bigint + (o.captured_minor)::bigint) > (o.amount_minor)::bigint) OR ((COALESCE(c.captured, (0)::numeric) > (o.captured_minor)::numeric) AND (NOT (EXISTS ( SELECT
           FROM pay.mismatch m
          WHERE (((m.merchant_id)::text = (o.merchant_id)::text) AND ((m.checkout_id)::text = (o.checkout_id)::text) AND (m.kind = 'capture'::text) AND (m.why = 'exceeds'::text)))))));

ALTER TABLE pay_check.change_money OWNER TO payments_owner;

--
-- Name: VIEW change_money; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.change_money IS 'What an order holds back, has paid back and has lost is the sum of its refunds and disputes, and no more is paid back than was captured; captures add up to no more than what was captured, but where a PSP has taken more than there was, which is for people.';

--
-- Name: change_orphan; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.change_orphan AS
 SELECT 'change'::text AS what,
    c.merchant_id,
    c.checkout_id,
    c.payment_order_id,
    c.change_id AS id
   FROM (pay.change c
     LEFT JOIN pay.payment_order o USING (merchant_id, payment_order_id))
  WHERE ((((c.checkout_id)::text = (o.checkout_id)::text) AND ((c.currency)::text = (o.currency)::text)) IS NOT TRUE)
UNION ALL
 SELECT 'dispute'::text AS what,
    d.merchant_id,
    d.checkout_id,
    d.payment_order_id,
    d.dispute_id AS id
   FROM (pay.dispute d
     LEFT JOIN pay.payment_order o USING (merchant_id, payment_order_id))
  WHERE ((d.payment_order_id IS NOT NULL) AND ((((d.checkout_id)::text = (o.checkout_id)::text) AND ((d.currency)::text = (o.currency)::text)) IS NOT TRUE));

ALTER TABLE pay_check.change_orphan OWNER TO payments_owner;

--
-- Name: VIEW change_orphan; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.change_orphan IS 'Changes and disputes are about orders of their checkouts, in the currency that the buyer pays.';

--
-- Name: change_reference; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.change_reference AS
 SELECT c.psp,
    c.reference,
    count(*) AS changes
   FROM pay.change c
  WHERE ((c.kind = 'refund'::text) AND (c.reference IS NOT NULL))
  GROUP BY c.psp, c.reference
 HAVING ((count(*) > 1) AND (bool_or((c.origin <> 'psp'::text)) OR (count(*) <> count(DISTINCT ROW(c.merchant_id, c.payment_order_id)))));

ALTER TABLE pay_check.change_reference OWNER TO payments_owner;

--
-- Name: VIEW change_reference; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.change_reference IS 'A refund at a PSP is one of ours, once; one that was made there may be split over orders, once each.';

--
-- Name: change_waits; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.change_waits AS
 SELECT c.merchant_id,
    c.change_id,
    c.kind,
    c.status,
    c.psp,
    c.reference
   FROM pay.change c
  WHERE (((c.status)::text = ANY (ARRAY['NOT_STARTED'::text, 'EXECUTING'::text])) AND (NOT (EXISTS ( SELECT
           FROM pay.job j
          WHERE (((j.merchant_id)::text = (c.merchant_id)::text) AND ((j.checkout_id)::text = (c.checkout_id)::text) AND ((j.kind)::text = 'change'::text) AND (j.operation_id = (c.change_id)::text))))) AND (NOT (EXISTS ( SELECT
           FROM pay.dispatch d
          WHERE (((d.merchant_id)::text = (c.merchant_id)::text) AND ((d.checkout_id)::text = (c.checkout_id)::text) AND ((d.operation_id)::text = (c.change_id)::text) AND ((d.state)::text = 'OPEN'::text))))) AND (NOT (EXISTS ( SELECT
           FROM pay.dead_letter d
          WHERE (((d.merchant_id)::text = (c.merchant_id)::text) AND ((d.checkout_id)::text = (c.checkout_id)::text) AND (((d.kind = 'change'::text) AND ((d.operation_id)::text = (c.change_id)::text)) OR ((d.kind = 'stuck'::text) AND ((d.reason)::text = 'changing'::text))) AND (d.state = ANY (ARRAY['open'::text, 'resolved'::text])))))) AND (((c.reference IS NULL) AND (NOT (EXISTS ( SELECT
           FROM pay.dispatch d
          WHERE (((d.merchant_id)::text = (c.merchant_id)::text) AND ((d.checkout_id)::text = (c.checkout_id)::text) AND ((d.operation_id)::text = (c.change_id)::text) AND ((d.state)::text = ANY (ARRAY['DONE'::text, 'PENDING'::text]))))))) OR (EXISTS ( SELECT
           FROM pay.change x
          WHERE (((x.merchant_id)::text = (c.merchant_id)::text) AND ((x.checkout_id)::text = (c.checkout_id)::text) AND (x.kind = c.kind) AND ((x.psp)::text = (c.psp)::text) AND ((x.reference)::text = (c.reference)::text) AND ((x.change_id)::text <> (c.change_id)::text) AND (x.created_at >= c.created_at) AND ((x.status)::text = ANY (ARRAY['SUCCESS'::text, 'FAILED'::text]))))) OR (EXISTS ( SELECT
           FROM pay.webhook_inbox i
          WHERE (((i.merchant_id)::text = (c.merchant_id)::text) AND ((i.checkout_id)::text = (c.checkout_id)::text) AND ((i.psp)::text = (c.psp)::text) AND ((i.state)::text = ANY (ARRAY['applied'::text, 'unchanged'::text])) AND ((i.about ->> 'about'::text) = c.kind) AND ((i.about ->> 'object'::text) = (c.reference)::text) AND (((i.about ->> 'news'::text) = ANY (ARRAY['single'::text, 'failed'::text])) OR ((c.kind = 'refund'::text) AND ((i.about ->> 'news'::text) = 'succeeded'::text))))))));

ALTER TABLE pay_check.change_waits OWNER TO payments_owner;

--
-- Name: VIEW change_waits; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.change_waits IS 'No change waits while nothing is under way for it.  Under way is: its job, a call that is out, a letter to those on call, or, once the PSP has it, the PSP''s word about its end; and that word is still to come only as long as it is not here: no other change of that name has ended, and no webhook has told the end of it.';

--
-- Name: checkout_incomplete; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.checkout_incomplete AS
 SELECT c.merchant_id,
    c.checkout_id,
    count(o.*) AS orders,
    count(r.*) AS registrations
   FROM ((pay.checkout c
     LEFT JOIN pay.payment_order o USING (merchant_id, checkout_id))
     LEFT JOIN pay.registration r USING (merchant_id, checkout_id))
  GROUP BY c.merchant_id, c.checkout_id
 HAVING ((count(r.*) = 0) OR ((count(o.*) < 1) OR (count(o.*) > 20)));

ALTER TABLE pay_check.checkout_incomplete OWNER TO payments_owner;

--
-- Name: VIEW checkout_incomplete; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.checkout_incomplete IS 'A checkout has its registration and 1 to 20 orders: begin_payment writes all of it or nothing.';

--
-- Name: contradiction; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.contradiction AS
 SELECT o.merchant_id,
    o.checkout_id,
    o.payment_order_id,
    e.seq,
    e.actor,
    e.old_status,
    e.new_status
   FROM (pay.event e
     JOIN pay.payment_order o USING (merchant_id, payment_order_id))
  WHERE (((e.kind)::text = 'contradiction'::text) AND (((e.new_status)::text <> (e.old_status)::text) OR ((e.old_status)::text <>
        CASE
            WHEN ((e.detail ->> 'said'::text) = 'authorized'::text) THEN 'FAILED'::text
            ELSE 'SUCCESS'::text
        END) OR (NOT (EXISTS ( SELECT
           FROM pay.mismatch m
          WHERE (((m.merchant_id)::text = (o.merchant_id)::text) AND ((m.checkout_id)::text = (o.checkout_id)::text) AND (m.kind = 'contradiction'::text) AND (m.source = (e.actor)::text)))))));

ALTER TABLE pay_check.contradiction OWNER TO payments_owner;

--
-- Name: VIEW contradiction; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.contradiction IS 'Only what is paid can be contradicted, and the order stays paid, or what has failed by money that is held; the timeline and the queue for people both have it.';

--
-- Name: credit_converted; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.credit_converted AS
 SELECT o.merchant_id,
    o.payment_order_id,
    o.amount_minor,
    o.currency,
    o.credit_minor,
    o.credit_currency,
    o.credit_rate
   FROM (pay.payment_order o
     CROSS JOIN LATERAL ( SELECT pay.convert((o.amount_minor)::bigint, (o.currency)::text, (o.credit_currency)::text, (o.credit_rate)::numeric) AS credit_minor,
            pay.round_rate((o.credit_rate)::numeric) AS credit_rate) w)
  WHERE ((o.credit_currency IS NOT NULL) AND (((o.credit_minor)::bigint IS DISTINCT FROM w.credit_minor) OR ((o.credit_rate)::numeric IS DISTINCT FROM w.credit_rate)));

ALTER TABLE pay_check.credit_converted OWNER TO payments_owner;

--
-- Name: VIEW credit_converted; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.credit_converted IS 'What a seller is owed for a converted order is its amount by its rate, and a rate has at most 12 significant digits.';

--
-- Name: currency_unknown; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.currency_unknown AS
 SELECT c.merchant_id,
    c.checkout_id,
    c.currency
   FROM (pay.checkout c
     LEFT JOIN pay.currency k ON ((k.code = (c.currency)::text)))
  WHERE (k.code IS NULL);

ALTER TABLE pay_check.currency_unknown OWNER TO payments_owner;

--
-- Name: VIEW currency_unknown; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.currency_unknown IS 'There is no foreign key to currency (see 0001_core.sql).';

--
-- Name: dispatch_attempts; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.dispatch_attempts AS
 SELECT a.merchant_id,
    a.checkout_id,
    a.operation,
    a.operation_id,
    a.attempt,
    a.state,
    a.newest
   FROM ( SELECT d.merchant_id,
            d.checkout_id,
            d.operation,
            d.operation_id,
            d.attempt,
            d.psp,
            d.state,
            d.sends,
            d.unsure,
            d.first_sent_at,
            d.sent_at,
            d.lease_until,
            d.ended_at,
            d.key_until,
            d.reach,
            d.http_status,
            d.code,
            d.reference,
            d.request_id,
            d.settled,
            count(*) OVER w AS attempts,
            max((d.attempt)::integer) OVER w AS newest
           FROM pay.dispatch d
          WINDOW w AS (PARTITION BY d.merchant_id, d.checkout_id, d.operation, d.operation_id)) a
  WHERE ((a.attempts <> a.newest) OR (((a.attempt)::integer < a.newest) AND ((a.state)::text <> ALL (ARRAY['NOT_SENT'::text, 'REFUSED'::text]))));

ALTER TABLE pay_check.dispatch_attempts OWNER TO payments_owner;

--
-- Name: VIEW dispatch_attempts; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.dispatch_attempts IS 'One attempt of an operation at a time (I1): they run from 1 without a gap, and whatever came before the newest has come to nothing for sure.';

--
-- Name: dispatch_owner; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.dispatch_owner AS
 SELECT d.merchant_id,
    d.checkout_id,
    d.operation,
    d.operation_id,
    d.attempt,
    d.psp,
    r.psp AS registered_at,
    r.nonce
   FROM (pay.dispatch d
     LEFT JOIN pay.registration r USING (merchant_id, checkout_id))
  WHERE ((r.checkout_id IS NULL) OR ((d.psp)::text <> ALL ((r.psps)::text[])) OR (((d.operation)::text = ANY (ARRAY['register'::text, 'capture'::text, 'expire'::text])) AND ((d.operation_id)::text <> (r.nonce)::text) AND (((d.operation)::text = 'register'::text) OR (NOT (EXISTS ( SELECT
           FROM pay.change c
          WHERE (((c.merchant_id)::text = (d.merchant_id)::text) AND ((c.checkout_id)::text = (d.checkout_id)::text) AND ((c.change_id)::text = (d.operation_id)::text) AND (c.kind =
                CASE d.operation
                    WHEN 'expire'::text THEN 'cancel'::text
                    ELSE (d.operation)::text
                END))))))) OR (NOT (EXISTS ( SELECT
           FROM (pay.payment_order o
             JOIN pay.event e USING (merchant_id, payment_order_id))
          WHERE (((o.merchant_id)::text = (d.merchant_id)::text) AND ((o.checkout_id)::text = (d.checkout_id)::text) AND ((o."position")::integer = 1) AND ((e.kind)::text = ANY (ARRAY['created'::text, 'rerouted'::text])) AND (COALESCE((e.detail ->> 'to'::text), (e.detail ->> 'psp'::text)) = (d.psp)::text))
        UNION ALL
         SELECT
           FROM (pay.payment_order o
             JOIN pay.event_anchor a USING (merchant_id, payment_order_id))
          WHERE (((o.merchant_id)::text = (d.merchant_id)::text) AND ((o.checkout_id)::text = (d.checkout_id)::text) AND ((o."position")::integer = 1))))));

ALTER TABLE pay_check.dispatch_owner OWNER TO payments_owner;

--
-- Name: VIEW dispatch_owner; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.dispatch_owner IS 'Calls go out only at PSPs that the registration has been at, and register calls, captures and expiries only with its nonce or for a change (I1).';

--
-- Name: dispatch_registration; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.dispatch_registration AS
 SELECT r.merchant_id,
    r.checkout_id,
    r.psp,
    r.state,
    r.token,
    r.attempt,
    r.open_attempts,
    o.status,
    d.attempt AS dispatch,
    d.psp AS sent_to,
    d.state AS dispatch_state,
    d.sends
   FROM ((pay.registration r
     JOIN pay.payment_order o ON ((((o.merchant_id)::text = (r.merchant_id)::text) AND ((o.checkout_id)::text = (r.checkout_id)::text) AND ((o."position")::integer = 1))))
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
          WHERE (((x.merchant_id)::text = (r.merchant_id)::text) AND ((x.checkout_id)::text = (r.checkout_id)::text) AND ((x.operation)::text = 'register'::text) AND ((x.operation_id)::text = (r.nonce)::text))
          ORDER BY x.attempt DESC
         LIMIT 1) d ON (true))
  WHERE (((d.attempt IS NULL) <> r.waits) OR ((d.psp)::text <> (r.psp)::text) OR ((r.token IS NOT NULL) <> ((d.state)::text = 'DONE'::text)) OR ((d.state)::text = 'PENDING'::text) OR (((d.state)::text = 'OPEN'::text) AND ((r.state)::text <> 'REGISTERING'::text)) OR (((d.state)::text = 'REFUSED'::text) AND ((r.state)::text <> 'REFUSED'::text)) OR ((d.attempt)::integer > (r.attempt)::integer) OR (((r.state)::text = 'REGISTERING'::text) AND ((d.state)::text = 'NOT_SENT'::text) AND (((r.open_attempts)::integer > 0) OR ((o.status)::text <> 'NOT_STARTED'::text))) OR (((r.state)::text = 'REGISTERING'::text) AND ((d.state)::text = ANY (ARRAY['OPEN'::text, 'UNKNOWN'::text])) AND ((r.open_attempts)::integer = 0) AND ((o.status)::text = 'NOT_STARTED'::text)));

ALTER TABLE pay_check.dispatch_registration OWNER TO payments_owner;

--
-- Name: VIEW dispatch_registration; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.dispatch_registration IS 'The journal and the registration tell the same story (I1): a token came from an attempt that is done, at the PSP that has it; what is registering has an attempt there that may still bring one, or that has come to nothing for sure, which is so of each call then; and an attempt of the journal never counts for less than one of the registration.  Nothing is sent for what waits for the end of another page.';

--
-- Name: dispute_booked; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.dispute_booked AS
 SELECT d.psp,
    d.dispute_id,
    d.merchant_id,
    d.checkout_id,
    d.state,
    e.kinds
   FROM (pay.dispute d
     LEFT JOIN LATERAL ( SELECT COALESCE(array_agg(e_1.kind ORDER BY e_1.kind), '{}'::text[]) AS kinds
           FROM pay.journal_entry e_1
          WHERE (((e_1.merchant_id)::text = (d.merchant_id)::text) AND ((e_1.source)::text = concat('dispute/', d.psp, '/', d.dispute_id,
                CASE
                    WHEN (d.part > 1) THEN (' '::text || d.part)
                    ELSE NULL::text
                END)) AND (e_1.kind <> ALL (ARRAY['psp_fee'::text, 'unknown_dispute_borne'::text])))) e ON (true))
  WHERE (((d.seller_minor)::bigint IS DISTINCT FROM 0) AND (e.kinds <> (
        CASE
            WHEN ((d.payment_order_id IS NULL) AND (d.state = 'lost'::text)) THEN '{unknown_dispute}'::text
            WHEN ((d.payment_order_id IS NULL) AND (d.state = 'moved'::text) AND (e.kinds <> '{}'::text[])) THEN '{unknown_dispute,unknown_dispute_cleared}'::text
            WHEN (d.payment_order_id IS NULL) THEN '{}'::text
            WHEN ((d.state = 'moved'::text) AND ('dispute_lost'::text = ANY (e.kinds))) THEN '{dispute_loss_moved,dispute_lost,dispute_opened}'::text
            WHEN (d.state = 'moved'::text) THEN '{dispute_moved,dispute_opened}'::text
            WHEN (d.state = 'open'::text) THEN '{dispute_opened}'::text
            WHEN (d.state = 'won'::text) THEN '{dispute_opened,dispute_won}'::text
            ELSE '{dispute_lost,dispute_opened}'::text
        END)::text[]));

ALTER TABLE pay_check.dispute_booked OWNER TO payments_owner;

--
-- Name: VIEW dispute_booked; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.dispute_booked IS 'I4: a dispute of an order is booked as it stands; one that nobody can say whose it is only when it is lost; what people have laid to other orders was taken back.';

--
-- Name: durability; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.durability AS
 SELECT 'server'::text AS scope,
    ((s.name || '='::text) || s.setting) AS setting
   FROM pg_settings s
  WHERE ((s.name = ANY (ARRAY['fsync'::text, 'full_page_writes'::text, 'synchronous_commit'::text])) AND (s.setting = 'off'::text))
UNION ALL
 SELECT concat_ws(' '::text, COALESCE(r.rolname, 'every role'::name), d.datname) AS scope,
    c.line AS setting
   FROM ((pg_db_role_setting g
     LEFT JOIN pg_roles r ON ((r.oid = g.setrole)))
     LEFT JOIN pg_database d ON ((d.oid = g.setdatabase))),
    LATERAL unnest(g.setconfig) c(line)
  WHERE ((c.line ~ '^synchronous_commit=(off|false|no|0)$'::text) AND (g.setdatabase = ANY (ARRAY[(0)::oid, ( SELECT pg_database.oid
           FROM pg_database
          WHERE (pg_database.datname = current_database()))])));

ALTER TABLE pay_check.durability OWNER TO payments_owner;

--
-- Name: VIEW durability; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.durability IS 'What was answered must survive a crash (I3, I6): a setting that gives this up for the server, or for a role or database.';

--
-- Name: event_chain; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.event_chain AS
 SELECT h.merchant_id,
    h.payment_order_id,
    h.seq,
    h.at
   FROM ( SELECT e.merchant_id,
            e.payment_order_id,
            e.seq,
            e.at,
            e.hash,
            lag((e.seq)::integer, 1, COALESCE(a.seq, 0)) OVER w AS previous_seq,
            pay.event_hash(lag((e.hash)::bytea, 1, a.hash) OVER w, e.*) AS wanted
           FROM (pay.event e
             LEFT JOIN pay.event_anchor a USING (merchant_id, payment_order_id))
          WINDOW w AS (PARTITION BY e.merchant_id, e.payment_order_id ORDER BY e.seq)) h
  WHERE (((h.hash)::bytea <> h.wanted) OR ((h.seq)::integer <> (h.previous_seq + 1)));

ALTER TABLE pay_check.event_chain OWNER TO payments_owner;

--
-- Name: VIEW event_chain; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.event_chain IS 'Each event''s hash is that of what it says and of the hash before it; a chain begins at 1, or behind what was dropped with its month.';

--
-- Name: event_default; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.event_default AS
 SELECT 'event_default'::text AS partition,
    count(*) AS events,
    min(d.at) AS since
   FROM pay.event_default d
 HAVING (count(*) > 0)
UNION ALL
 SELECT m.name AS partition,
    0 AS events,
    NULL::timestamp with time zone AS since
   FROM ( SELECT ('event_'::text || to_char((date_trunc('month'::text, (now() AT TIME ZONE 'UTC'::text)) + make_interval(months => n.n)), 'YYYY_MM'::text)) AS name
           FROM generate_series(0, 1) n(n)) m
  WHERE (to_regclass(('pay.'::text || m.name)) IS NULL);

ALTER TABLE pay_check.event_default OWNER TO payments_owner;

--
-- Name: VIEW event_default; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.event_default IS 'Each month of the log has its partition, made ahead by the sweep; nothing is left where an event goes that finds none (pay.make_partitions()).';

--
-- Name: event_gap; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.event_gap AS
SELECT
    NULL::pay.id AS merchant_id,
    NULL::pay.id AS payment_order_id,
    NULL::integer AS version,
    NULL::integer AS dropped,
    NULL::bigint AS events,
    NULL::integer AS last;

ALTER TABLE pay_check.event_gap OWNER TO payments_owner;

--
-- Name: VIEW event_gap; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.event_gap IS 'A timeline runs from 1, or from what was dropped with its month, to the order''s version without a gap (I5).';

--
-- Name: event_head; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.event_head AS
 SELECT o.merchant_id,
    o.payment_order_id,
    o.version,
    o.head
   FROM pay.payment_order o
  WHERE (NOT ((o.head)::bytea IN ( SELECT e.hash
           FROM pay.event e
          WHERE (((e.merchant_id)::text = (o.merchant_id)::text) AND ((e.payment_order_id)::text = (o.payment_order_id)::text) AND ((e.seq)::integer = o.version))
        UNION ALL
         SELECT a.hash
           FROM pay.event_anchor a
          WHERE (((a.merchant_id)::text = (o.merchant_id)::text) AND ((a.payment_order_id)::text = (o.payment_order_id)::text) AND (a.seq = o.version)))));

ALTER TABLE pay_check.event_head OWNER TO payments_owner;

--
-- Name: VIEW event_head; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.event_head IS 'An order''s head is the hash of its newest event, also where that was dropped with its month.';

--
-- Name: event_orphan; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.event_orphan AS
 SELECT e.merchant_id,
    e.payment_order_id,
    e.seq
   FROM (pay.event e
     LEFT JOIN pay.payment_order o USING (merchant_id, payment_order_id))
  WHERE (o.payment_order_id IS NULL);

ALTER TABLE pay_check.event_orphan OWNER TO payments_owner;

--
-- Name: VIEW event_orphan; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.event_orphan IS 'An event is about an order; there is no foreign key, the log outlives all.';

--
-- Name: idempotency_orphan; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.idempotency_orphan AS
 SELECT k.merchant_id,
    k.key,
    k.checkout_id
   FROM (pay.idempotency_key k
     LEFT JOIN pay.checkout c USING (merchant_id, checkout_id))
  WHERE (c.checkout_id IS NULL);

ALTER TABLE pay_check.idempotency_orphan OWNER TO payments_owner;

--
-- Name: VIEW idempotency_orphan; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.idempotency_orphan IS 'An idempotency record leads to a checkout (I7).';

--
-- Name: job_missing; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.job_missing AS
 WITH s AS (
         SELECT DISTINCT ON (c.merchant_id, c.checkout_id) c.merchant_id,
            c.checkout_id,
            r.state,
            r.token,
            o.status,
            l.state AS late,
                CASE
                    WHEN (l.state = 'refunding'::text) THEN 'refund'::text
                    WHEN ((o.status)::text = ANY (ARRAY['SUCCESS'::text, 'FAILED'::text])) THEN NULL::text
                    WHEN ((r.state)::text = 'REGISTERING'::text) THEN 'register'::text
                    ELSE 'poll'::text
                END AS wanted
           FROM (((pay.checkout c
             JOIN pay.registration r USING (merchant_id, checkout_id))
             JOIN pay.payment_order o USING (merchant_id, checkout_id))
             LEFT JOIN pay.late_success l USING (merchant_id, checkout_id))
          ORDER BY c.merchant_id, c.checkout_id, ((o.status)::text = ANY (ARRAY['SUCCESS'::text, 'FAILED'::text]))
        )
 SELECT 'missing'::text AS what,
    s.merchant_id,
    s.checkout_id,
    s.state,
    s.token,
    s.status,
    s.late,
    s.wanted,
    NULL::text AS kind,
    NULL::integer AS attempts
   FROM s
  WHERE ((s.wanted IS NOT NULL) AND (NOT (EXISTS ( SELECT
           FROM pay.job j
          WHERE (((j.merchant_id)::text = (s.merchant_id)::text) AND ((j.checkout_id)::text = (s.checkout_id)::text) AND ((j.kind)::text = s.wanted))))) AND (NOT (EXISTS ( SELECT
           FROM pay.dead_letter d
          WHERE (((d.merchant_id)::text = (s.merchant_id)::text) AND ((d.checkout_id)::text = (s.checkout_id)::text) AND (d.kind = s.wanted) AND (d.state = ANY (ARRAY['open'::text, 'resolved'::text])))))))
UNION ALL
 SELECT 'unwanted'::text AS what,
    s.merchant_id,
    s.checkout_id,
    s.state,
    s.token,
    s.status,
    s.late,
    s.wanted,
    j.kind,
    j.attempts
   FROM (pay.job j
     JOIN s USING (merchant_id, checkout_id))
  WHERE (((j.kind)::text IS DISTINCT FROM s.wanted) AND ((j.kind)::text <> 'change'::text) AND ((((j.kind)::text = 'poll'::text) AND ((s.status)::text = 'FAILED'::text) AND (s.token IS NOT NULL) AND (j.attempts <= 101)) IS NOT TRUE));

ALTER TABLE pay_check.job_missing OWNER TO payments_owner;

--
-- Name: VIEW job_missing; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.job_missing IS 'An open checkout has a job that will go on with it, or people have been told that it does not; a settled one has none (I8).  But the PSP may be asked, for a while, about one that has failed, and a late payment may be on its way back.  Jobs of changes: change_job.sql.';

--
-- Name: journal_balances; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.journal_balances AS
 SELECT e.merchant_id,
    e.source,
    e.kind,
    l.currency,
    l.total
   FROM (pay.journal_entry e
     LEFT JOIN ( SELECT l_1.merchant_id,
            l_1.source,
            l_1.kind,
            l_1.currency,
            sum((l_1.amount_minor)::bigint) AS total,
            sum(count(*)) OVER (PARTITION BY l_1.merchant_id, l_1.source, l_1.kind) AS lines
           FROM pay.journal_line l_1
          GROUP BY l_1.merchant_id, l_1.source, l_1.kind, l_1.currency) l ON ((((l.merchant_id)::text = (e.merchant_id)::text) AND (l.source = (e.source)::text) AND (l.kind = e.kind))))
  WHERE ((l.total IS DISTINCT FROM (0)::numeric) OR (l.lines < (2)::numeric));

ALTER TABLE pay_check.journal_balances OWNER TO payments_owner;

--
-- Name: VIEW journal_balances; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.journal_balances IS 'I4: each entry has two lines or more, which sum to nothing in each currency.';

--
-- Name: journal_orphan; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.journal_orphan AS
 SELECT l.merchant_id,
    l.source,
    l.kind,
    l.line
   FROM (pay.journal_line l
     LEFT JOIN pay.journal_entry e ON ((((e.merchant_id)::text = (l.merchant_id)::text) AND ((e.source)::text = l.source) AND (e.kind = l.kind))))
  WHERE (e.kind IS NULL);

ALTER TABLE pay_check.journal_orphan OWNER TO payments_owner;

--
-- Name: VIEW journal_orphan; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.journal_orphan IS 'No line without its entry.';

--
-- Name: journal_rules; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.journal_rules AS
 SELECT l.merchant_id,
    l.source,
    l.kind,
    l.line
   FROM ((pay.journal_line l
     JOIN pay.journal_entry e ON ((((e.merchant_id)::text = (l.merchant_id)::text) AND ((e.source)::text = l.source) AND (e.kind = l.kind))))
     LEFT JOIN pay.posting_rule r ON (((r.kind = l.kind) AND ((r.line)::integer = (l.line)::integer) AND (r.account = l.account) AND ((NOT r.only_converted) OR (e.rate IS NOT NULL)) AND ((l.amount_minor)::bigint = (
        CASE r.side
            WHEN 'debit'::text THEN 1
            ELSE '-1'::integer
        END *
        CASE r.leg
            WHEN 'buyer'::text THEN (e.amount_minor)::bigint
            ELSE (e.seller_minor)::bigint
        END)) AND ((l.currency)::text = (
        CASE r.leg
            WHEN 'buyer'::text THEN e.currency
            ELSE e.seller_currency
        END)::text))))
  WHERE (r.kind IS NULL);

ALTER TABLE pay_check.journal_rules OWNER TO payments_owner;

--
-- Name: VIEW journal_rules; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.journal_rules IS 'What was booked is what the rules say: each line''s account and side, and its amount, that of the leg.';

--
-- Name: late_booked; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.late_booked AS
 SELECT l.merchant_id,
    l.checkout_id,
    l.state,
    e.kinds
   FROM (pay.late_success l
     LEFT JOIN ( SELECT e_1.merchant_id,
            e_1.checkout_id,
            array_agg(DISTINCT e_1.kind ORDER BY e_1.kind) AS kinds
           FROM pay.journal_entry e_1
          WHERE (e_1.kind = ANY (ARRAY['late_held'::text, 'late_accepted'::text, 'late_refunded'::text]))
          GROUP BY e_1.merchant_id, e_1.checkout_id) e ON ((((e.merchant_id)::text = (l.merchant_id)::text) AND ((e.checkout_id)::text = (l.checkout_id)::text))))
  WHERE (e.kinds IS DISTINCT FROM
        CASE l.state
            WHEN 'accepted'::text THEN '{late_accepted,late_held}'::text[]
            WHEN 'refunded'::text THEN '{late_held,late_refunded}'::text[]
            ELSE '{late_held}'::text[]
        END);

ALTER TABLE pay_check.late_booked OWNER TO payments_owner;

--
-- Name: VIEW late_booked; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.late_booked IS 'A late payment is in suspense until it is somebody''s.';

--
-- Name: late_success; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.late_success AS
 SELECT l.merchant_id,
    l.checkout_id,
    l.state,
    o.payment_order_id,
    o.status,
    o.reason,
    c.late_success
   FROM ((pay.late_success l
     LEFT JOIN pay.checkout c USING (merchant_id, checkout_id))
     LEFT JOIN pay.payment_order o USING (merchant_id, checkout_id))
  WHERE ((o.payment_order_id IS NULL) OR ((c.late_success)::text = 'accept'::text) OR ((l.state = 'accepted'::text) <> ((o.status)::text = 'SUCCESS'::text)) OR ((l.state <> 'accepted'::text) AND (((o.status)::text IS DISTINCT FROM 'FAILED'::text) OR ((o.reason)::text IS DISTINCT FROM 'expired'::text)) AND (((o.status)::text <> 'FAILED'::text) OR ((c.replaced_by IS NULL) AND (NOT (EXISTS ( SELECT
           FROM pay.change x
          WHERE (((x.merchant_id)::text = (c.merchant_id)::text) AND ((x.checkout_id)::text = (c.checkout_id)::text) AND (x.replaced_by IS NOT NULL)))))))) OR ((l.state = 'refunding'::text) AND ((c.late_success)::text <> 'refund'::text)) OR (((l.amount_minor)::bigint <> (c.total_minor)::bigint) OR (l.currency <> (c.currency)::text)) OR ((( SELECT count(*) AS count
           FROM pay.event e
          WHERE (((e.merchant_id)::text = (o.merchant_id)::text) AND ((e.payment_order_id)::text = (o.payment_order_id)::text) AND ((e.kind)::text = 'late_success'::text))) <> 1) AND (NOT (EXISTS ( SELECT
           FROM pay.event_anchor a
          WHERE (((a.merchant_id)::text = (o.merchant_id)::text) AND ((a.payment_order_id)::text = (o.payment_order_id)::text)))))) OR (EXISTS ( SELECT
           FROM pay.dispatch d
          WHERE (((d.merchant_id)::text = (l.merchant_id)::text) AND ((d.checkout_id)::text = (l.checkout_id)::text) AND ((d.operation)::text = 'refund'::text) AND ((d.operation_id)::text = (l.refund_id)::text) AND (l.state = ANY (ARRAY['held'::text, 'accepted'::text]))))));

ALTER TABLE pay_check.late_success OWNER TO payments_owner;

--
-- Name: VIEW late_success; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.late_success IS 'Money that came too late is a sale only where people took it, and is never both taken and paid back; each order''s timeline tells once that it came.  It is late when its checkout has expired, or another one takes its place.';

--
-- Name: late_untold; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.late_untold AS
 SELECT o.merchant_id,
    o.checkout_id,
    e.payment_order_id AS told_by
   FROM ((pay.event e
     JOIN pay.payment_order o USING (merchant_id, payment_order_id))
     LEFT JOIN pay.late_success l USING (merchant_id, checkout_id))
  WHERE (((e.kind)::text = ANY (ARRAY['late_success'::text, 'late_refunded'::text])) AND (l.checkout_id IS NULL))
UNION ALL
 SELECT i.merchant_id,
    i.checkout_id,
    i.event_id AS told_by
   FROM (pay.webhook_inbox i
     LEFT JOIN pay.late_success l USING (merchant_id, checkout_id))
  WHERE (((i.state)::text = 'held'::text) AND ((i.fact <> 'paid'::text) OR (l.checkout_id IS NULL)));

ALTER TABLE pay_check.late_untold OWNER TO payments_owner;

--
-- Name: VIEW late_untold; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.late_untold IS 'A timeline that tells of a late payment belongs to a checkout that has one, and so does a webhook that was held.';

--
-- Name: late_waits; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.late_waits AS
 SELECT l.merchant_id,
    l.checkout_id,
    l.state,
    l.at
   FROM pay.late_success l
  WHERE ((l.state = ANY (ARRAY['held'::text, 'refunding'::text])) AND (NOT (EXISTS ( SELECT
           FROM pay.dead_letter d
          WHERE (((d.merchant_id)::text = (l.merchant_id)::text) AND ((d.checkout_id)::text = (l.checkout_id)::text) AND (d.state = 'open'::text) AND (d.kind =
                CASE l.state
                    WHEN 'held'::text THEN 'late_success'::text
                    ELSE 'refund'::text
                END))))) AND ((l.state = 'held'::text) OR (NOT (EXISTS ( SELECT
           FROM pay.job j
          WHERE (((j.merchant_id)::text = (l.merchant_id)::text) AND ((j.checkout_id)::text = (l.checkout_id)::text) AND ((j.kind)::text = 'refund'::text)))))));

ALTER TABLE pay_check.late_waits OWNER TO payments_owner;

--
-- Name: VIEW late_waits; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.late_waits IS 'Held money is on the list of people; money that is to be paid back has a job that does it, or is on that list, too (I8).';

--
-- Name: order_without_registration; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.order_without_registration AS
 SELECT o.merchant_id,
    o.payment_order_id
   FROM ((pay.payment_order o
     LEFT JOIN pay.checkout c USING (merchant_id, checkout_id))
     LEFT JOIN pay.registration r USING (merchant_id, checkout_id))
  WHERE ((c.checkout_id IS NULL) OR (r.checkout_id IS NULL));

ALTER TABLE pay_check.order_without_registration OWNER TO payments_owner;

--
-- Name: VIEW order_without_registration; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.order_without_registration IS 'Every order belongs to a checkout that is registered, or being registered.';

--
-- Name: outbox_orphan; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.outbox_orphan AS
 SELECT x.merchant_id,
    x.payment_order_id,
    x.seq,
    x.kind
   FROM pay.outbox x
  WHERE (NOT (EXISTS ( SELECT
           FROM pay.event e
          WHERE (((e.merchant_id)::text = (x.merchant_id)::text) AND ((e.payment_order_id)::text = (x.payment_order_id)::text) AND ((e.seq)::integer = x.seq))
        UNION ALL
         SELECT
           FROM pay.event_anchor a
          WHERE (((a.merchant_id)::text = (x.merchant_id)::text) AND ((a.payment_order_id)::text = (x.payment_order_id)::text) AND (a.seq >= x.seq)))));

ALTER TABLE pay_check.outbox_orphan OWNER TO payments_owner;

--
-- Name: VIEW outbox_orphan; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.outbox_orphan IS 'What storefronts are told of is on the timeline.';

--
-- Name: paid_without_event; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.paid_without_event AS
SELECT
    NULL::pay.id AS merchant_id,
    NULL::pay.id AS payment_order_id,
    NULL::bigint AS paid_events;

ALTER TABLE pay_check.paid_without_event OWNER TO payments_owner;

--
-- Name: VIEW paid_without_event; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.paid_without_event IS 'SUCCESS only where a PSP said "paid", once.';

--
-- Name: payment_done; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.payment_done AS
SELECT
    NULL::pay.id AS merchant_id,
    NULL::pay.id AS checkout_id,
    NULL::boolean AS is_payment_done;

ALTER TABLE pay_check.payment_done OWNER TO payments_owner;

--
-- Name: VIEW payment_done; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.payment_done IS 'is_payment_done says that all orders are SUCCESS, and orders of one checkout move together unless each is captured by hand.';

--
-- Name: posting_rules; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.posting_rules AS
 SELECT r.kind,
    c.converted
   FROM (pay.posting_rule r
     CROSS JOIN ( VALUES (true), (false)) c(converted))
  WHERE (c.converted OR (NOT r.only_converted))
  GROUP BY r.kind, c.converted
 HAVING ((count(*) FILTER (WHERE (r.side = 'debit'::text)) <> count(*) FILTER (WHERE (r.side = 'credit'::text))) OR (c.converted AND (count(*) FILTER (WHERE ((r.side = 'debit'::text) AND (r.leg = 'buyer'::text))) <> count(*) FILTER (WHERE ((r.side = 'credit'::text) AND (r.leg = 'buyer'::text))))))
UNION ALL
 SELECT k.kind,
    NULL::boolean AS converted
   FROM pay.posting_kind k
  WHERE (NOT (EXISTS ( SELECT
           FROM pay.posting_rule r
          WHERE (r.kind = k.kind))));

ALTER TABLE pay_check.posting_rules OWNER TO payments_owner;

--
-- Name: VIEW posting_rules; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.posting_rules IS 'Rules balance: as many debits as credits of each leg, with and without the lines of a conversion.';

--
-- Name: registration_moved; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.registration_moved AS
 SELECT h.merchant_id,
    h.checkout_id,
    h.payment_order_id,
    h.seq,
    h.came_from,
    h.detail
   FROM ( SELECT e.merchant_id,
            e.payment_order_id,
            e.seq,
            e.at,
            e.tx,
            e.kind,
            e.actor,
            e.old_status,
            e.new_status,
            e.reason,
            e.detail,
            e.request_id,
            e.hash,
            o.checkout_id,
            r.psp,
            r.psps,
            r.refused_psps,
            lag(COALESCE((e.detail ->> 'to'::text), (e.detail ->> 'psp'::text))) OVER w AS came_from,
            lead(e.seq) OVER w AS next_seq
           FROM ((pay.event e
             JOIN pay.payment_order o USING (merchant_id, payment_order_id))
             JOIN pay.registration r USING (merchant_id, checkout_id))
          WHERE (((e.kind)::text = ANY (ARRAY['created'::text, 'rerouted'::text])) AND (NOT (EXISTS ( SELECT
                   FROM pay.event_anchor a
                  WHERE (((a.merchant_id)::text = (e.merchant_id)::text) AND ((a.payment_order_id)::text = (e.payment_order_id)::text))))))
          WINDOW w AS (PARTITION BY e.merchant_id, e.payment_order_id ORDER BY e.seq)) h
  WHERE (((h.next_seq IS NULL) AND (COALESCE((h.detail ->> 'to'::text), (h.detail ->> 'psp'::text)) IS DISTINCT FROM (h.psp)::text)) OR (((h.kind)::text = 'rerouted'::text) AND ((h.came_from IS DISTINCT FROM (h.detail ->> 'from'::text)) OR ((h.old_status)::text <> 'NOT_STARTED'::text) OR ((h.new_status)::text <> 'NOT_STARTED'::text) OR (((h.detail ->> 'to'::text) = ANY ((h.psps)::text[])) IS NOT TRUE) OR (((h.detail ->> 'why'::text) = 'refused'::text) AND (((h.detail ->> 'from'::text) = ANY (h.refused_psps)) IS NOT TRUE)) OR (EXISTS ( SELECT
           FROM pay.psp_token t
          WHERE (((t.merchant_id)::text = (h.merchant_id)::text) AND ((t.checkout_id)::text = (h.checkout_id)::text) AND ((t.psp)::text <> (h.psp)::text)))))));

ALTER TABLE pay_check.registration_moved OWNER TO payments_owner;

--
-- Name: VIEW registration_moved; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.registration_moved IS 'A registration leaves a PSP only while nothing can have happened there (I1): no order has moved by then, nothing that this PSP brought is kept, and the timeline leads from the first PSP to the present one.';

--
-- Name: registration_terms; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.registration_terms AS
 SELECT r.merchant_id,
    r.checkout_id,
    c.psp,
    r.psp AS registered_at,
    r.psps,
    r.refused_psps,
    r.tried_psps,
    r.nonce
   FROM (pay.registration r
     JOIN pay.checkout c USING (merchant_id, checkout_id))
  WHERE (((r.psp)::text <> (c.psp)::text) OR ((r.psp)::text <> ALL ((r.psps)::text[])) OR ((r.psp)::text = ANY ((r.refused_psps || r.tried_psps))) OR (((r.nonce)::text !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text) AND (NOT (EXISTS ( SELECT
           FROM pay.payment_order o
          WHERE (((o.merchant_id)::text = (r.merchant_id)::text) AND ((o.checkout_id)::text = (r.checkout_id)::text) AND ((o.payment_order_id)::text = (r.nonce)::text)))))));

ALTER TABLE pay_check.registration_terms OWNER TO payments_owner;

--
-- Name: VIEW registration_terms; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.registration_terms IS 'A checkout is registered at its own PSP, which is one of those that may have it, has not refused it and is not about to be passed over; its nonce is an order of its own, its UUID, or (both taken) a UUID that nobody else has (I1).';

--
-- Name: sale_booked; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.sale_booked AS
 SELECT o.merchant_id,
    o.payment_order_id,
    o.status,
    o.captured_minor,
    e.booked
   FROM (pay.payment_order o
     LEFT JOIN ( SELECT e_1.merchant_id,
            e_1.payment_order_id,
            sum((e_1.amount_minor)::bigint) AS booked
           FROM pay.journal_entry e_1
          WHERE (e_1.kind = ANY (ARRAY['sale'::text, 'late_accepted'::text]))
          GROUP BY e_1.merchant_id, e_1.payment_order_id) e ON ((((e.merchant_id)::text = (o.merchant_id)::text) AND ((e.payment_order_id)::text = (o.payment_order_id)::text))))
  WHERE (((o.captured_minor)::numeric IS DISTINCT FROM COALESCE(e.booked, (0)::numeric)) OR (((o.status)::text = 'SUCCESS'::text) <> ((o.captured_minor)::bigint > 0)));

ALTER TABLE pay_check.sale_booked OWNER TO payments_owner;

--
-- Name: VIEW sale_booked; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.sale_booked IS 'I2, I4: what an order has captured is what was booked as sold, once; no order is a success without it, and nothing is booked for one that is not.';

--
-- Name: seal_chain; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.seal_chain AS
 SELECT h.number,
    h.at,
    h.key_id
   FROM ( SELECT s.number,
            s.at,
            s.key_id,
            s.from_tx,
            s.previous,
            s.message,
            s.signature,
            pay.seal_message(s.*) AS wanted,
            lag(s.number, 1, (0)::bigint) OVER w AS last_number,
            lag(s.until_tx, 1, (0)::bigint) OVER w AS last_until,
            pay.seal_digest(lag(s.message) OVER w) AS last_digest,
            lead(s.number) OVER w AS next_number
           FROM pay.seal s
          WINDOW w AS (ORDER BY s.number)) h
  WHERE ((h.number <> (h.last_number + 1)) OR (h.from_tx <> h.last_until) OR (h.previous <> h.last_digest) OR (h.message <> h.wanted) OR ((h.signature IS NULL) AND (h.next_number IS NOT NULL)));

ALTER TABLE pay_check.seal_chain OWNER TO payments_owner;

--
-- Name: VIEW seal_chain; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.seal_chain IS 'Seals follow one another without a gap, each names the digest of the message before it, and its message is what its columns say; only the newest may wait for its signature.';

--
-- Name: seal_coverage; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.seal_coverage AS
 SELECT e.merchant_id,
    e.payment_order_id,
    e.seq,
    e.at
   FROM (( SELECT DISTINCT ON (e_1.merchant_id, e_1.payment_order_id) e_1.merchant_id,
            e_1.payment_order_id,
            e_1.seq,
            e_1.at
           FROM pay.event e_1
          WHERE ((e_1.at < (now() - '01:00:00'::interval)) OR ((e_1.tx)::bigint < ( SELECT max(s.until_tx) AS max
                   FROM pay.seal s
                  WHERE (s.signature IS NOT NULL))))
          ORDER BY e_1.merchant_id, e_1.payment_order_id, e_1.seq DESC) e
     LEFT JOIN ( SELECT l_1.merchant_id,
            l_1.payment_order_id,
            max(l_1.seq) AS seq
           FROM (pay.seal_leaf l_1
             JOIN pay.seal s ON (((s.number = l_1.number) AND (s.signature IS NOT NULL))))
          GROUP BY l_1.merchant_id, l_1.payment_order_id) l USING (merchant_id, payment_order_id))
  WHERE ((COALESCE(l.seq, 0) < (e.seq)::integer) AND (EXISTS ( SELECT
           FROM pay.seal)));

ALTER TABLE pay_check.seal_coverage OWNER TO payments_owner;

--
-- Name: VIEW seal_coverage; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.seal_coverage IS 'Where the log is sealed at all, no event waits for its seal for more than an hour, and none is left out by those that were made.';

--
-- Name: seal_leaf; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.seal_leaf AS
 SELECT l.number,
    l."position",
    l.merchant_id,
    l.payment_order_id,
    l.seq
   FROM ((pay.seal_leaf l
     LEFT JOIN pay.event e USING (merchant_id, payment_order_id, seq))
     LEFT JOIN pay.event_anchor a USING (merchant_id, payment_order_id))
  WHERE (((e.hash IS NULL) AND (COALESCE(a.seq, 0) < l.seq)) OR ((e.hash)::bytea <> l.hash) OR ((a.seq = l.seq) AND (a.hash <> l.hash)));

ALTER TABLE pay_check.seal_leaf OWNER TO payments_owner;

--
-- Name: VIEW seal_leaf; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.seal_leaf IS 'What a seal has of an order is in its timeline, unless it was dropped with its month.';

--
-- Name: seal_root; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.seal_root AS
 SELECT s.number,
    s.count,
    l.leaves
   FROM (pay.seal s
     CROSS JOIN LATERAL ( SELECT count(*) AS leaves,
            max(l_1."position") AS last
           FROM pay.seal_leaf l_1
          WHERE (l_1.number = s.number)) l)
  WHERE ((s.count <> l.leaves) OR (s.count <> l.last) OR (s.root IS DISTINCT FROM pay.seal_root(s.number)))
UNION ALL
 SELECT DISTINCT l.number,
    0 AS count,
    0 AS leaves
   FROM pay.seal_leaf l
  WHERE (NOT (EXISTS ( SELECT
           FROM pay.seal s
          WHERE (s.number = l.number))));

ALTER TABLE pay_check.seal_root OWNER TO payments_owner;

--
-- Name: VIEW seal_root; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.seal_root IS 'A seal''s root is that of its leaves, which are as many as it says, in order.';

--
-- Name: status_history; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.status_history AS
 SELECT h.merchant_id,
    h.payment_order_id,
    h.seq,
    h.previous,
    h.old_status,
    h.new_status,
    o.status
   FROM (( SELECT e.merchant_id,
            e.payment_order_id,
            e.seq,
            e.at,
            e.tx,
            e.kind,
            e.actor,
            e.old_status,
            e.new_status,
            e.reason,
            e.detail,
            e.request_id,
            e.hash,
            lag(e.new_status) OVER w AS previous,
            lead(e.seq) OVER w AS next_seq
           FROM pay.event e
          WINDOW w AS (PARTITION BY e.merchant_id, e.payment_order_id ORDER BY e.seq)) h
     JOIN pay.payment_order o USING (merchant_id, payment_order_id))
  WHERE ((((h.old_status)::text IS DISTINCT FROM (h.previous)::text) AND (NOT (EXISTS ( SELECT
           FROM pay.event_anchor a
          WHERE (((a.merchant_id)::text = (h.merchant_id)::text) AND ((a.payment_order_id)::text = (h.payment_order_id)::text) AND (a.seq = ((h.seq)::integer - 1))))))) OR (((h.seq)::integer = 1) AND ((h.new_status)::text <> 'NOT_STARTED'::text)) OR (( SELECT s.rank
           FROM pay.status_rank s
          WHERE ((s.status)::text = (h.new_status)::text)) < ( SELECT s.rank
           FROM pay.status_rank s
          WHERE ((s.status)::text = (h.old_status)::text))) OR ((h.next_seq IS NULL) AND (((h.new_status)::text IS DISTINCT FROM (o.status)::text) OR (h.reason IS DISTINCT FROM (o.reason)::text))));

ALTER TABLE pay_check.status_history OWNER TO payments_owner;

--
-- Name: VIEW status_history; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.status_history IS 'The timeline is a path of the state machine, never down in rank, that ends in the order''s status, with its reason (I5).';

--
-- Name: status_rank; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.status_rank AS
 SELECT u.status,
    pay.status_rank(u.status) AS in_function,
    r.rank AS in_table
   FROM (unnest(ARRAY['NOT_STARTED'::text, 'EXECUTING'::text, 'FAILED'::text, 'SUCCESS'::text]) u(status)
     FULL JOIN pay.status_rank r ON (((r.status)::text = u.status)))
  WHERE (pay.status_rank(COALESCE(u.status, (r.status)::text)) IS DISTINCT FROM r.rank);

ALTER TABLE pay_check.status_rank OWNER TO payments_owner;

--
-- Name: VIEW status_rank; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.status_rank IS 'The rank of a status and the table of ranks say the same.';

--
-- Name: suspense; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.suspense AS
 SELECT l.merchant_id,
    l.source,
    l.currency,
    sum((l.amount_minor)::bigint) AS left_minor
   FROM pay.journal_line l
  WHERE ((l.account = 'suspense'::text) AND (l.kind ~~ 'unknown\_%'::text))
  GROUP BY l.merchant_id, l.source, l.currency
 HAVING ((sum((l.amount_minor)::bigint) <> (0)::numeric) AND (NOT (EXISTS ( SELECT
           FROM (pay.mismatch m
             LEFT JOIN pay.mismatch_settlement s USING (merchant_id, checkout_id, mismatch_id))
          WHERE (((m.merchant_id)::text = (l.merchant_id)::text) AND (s.mismatch_id IS NULL) AND (m.kind = ANY (ARRAY['refund'::text, 'dispute'::text])) AND (l.source = concat(
                CASE m.kind
                    WHEN 'refund'::text THEN 'event/'::text
                    ELSE 'dispute/'::text
                END, m.psp, '/', m.object)))))));

ALTER TABLE pay_check.suspense OWNER TO payments_owner;

--
-- Name: VIEW suspense; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.suspense IS 'Money in suspense belongs to a row of the mismatch queue that is open, so that somebody says whose it is: none is left there by what was settled, or where nobody looks.  Late payments: late_booked.sql.';

--
-- Name: token_owner; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.token_owner AS
 SELECT COALESCE(r.merchant_id, t.merchant_id) AS merchant_id,
    COALESCE(r.checkout_id, t.checkout_id) AS checkout_id,
    r.name,
    t.token AS owned_name
   FROM (( SELECT DISTINCT g.merchant_id,
            g.checkout_id,
            g.psp,
            n.name
           FROM pay.registration g,
            LATERAL unnest(ARRAY[(g.token)::text, (g.alias)::text]) n(name)
          WHERE (n.name IS NOT NULL)) r
     FULL JOIN ( SELECT psp_token.psp,
            psp_token.token,
            psp_token.merchant_id,
            psp_token.checkout_id,
            psp_token.is_reference
           FROM pay.psp_token
          WHERE (psp_token.checkout_id IS NOT NULL)) t ON ((((t.psp)::text = (r.psp)::text) AND ((t.token)::text = r.name) AND (NOT t.is_reference))))
  WHERE ((((r.merchant_id)::text IS DISTINCT FROM (t.merchant_id)::text) OR ((r.checkout_id)::text IS DISTINCT FROM (t.checkout_id)::text)) AND (NOT ((r.name IS NULL) AND t.is_reference)));

ALTER TABLE pay_check.token_owner OWNER TO payments_owner;

--
-- Name: VIEW token_owner; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.token_owner IS 'Tokens, aliases and registrations tell the same story, both ways; of ids of payments a checkout may have several.';

--
-- Name: token_status; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.token_status AS
 SELECT r.merchant_id,
    r.checkout_id,
    r.state,
    o.payment_order_id,
    o.status
   FROM (pay.registration r
     JOIN pay.payment_order o USING (merchant_id, checkout_id))
  WHERE ((((r.state)::text = 'REGISTERED'::text) AND ((o.status)::text = 'NOT_STARTED'::text)) OR (((r.state)::text = 'REFUSED'::text) AND ((o.status)::text = ANY (ARRAY['NOT_STARTED'::text, 'EXECUTING'::text]))) OR (((r.state)::text = 'REGISTERING'::text) AND ((o.status)::text <> ALL (ARRAY['NOT_STARTED'::text, 'EXECUTING'::text]))));

ALTER TABLE pay_check.token_status OWNER TO payments_owner;

--
-- Name: VIEW token_status; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.token_status IS 'A token is there: something was sent, so no order is NOT_STARTED; and a registration that was refused leaves no order open.';

--
-- Name: wallet_balance; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.wallet_balance AS
 SELECT l.merchant_id,
    l.owner,
    l.currency,
    l.wallet_seq,
    l.balance_minor,
    l.total
   FROM ( SELECT l_1.merchant_id,
            l_1.source,
            l_1.kind,
            l_1.line,
            l_1.account,
            l_1.owner,
            l_1.currency,
            l_1.amount_minor,
            l_1.wallet_seq,
            l_1.balance_minor,
            (- sum((l_1.amount_minor)::bigint) OVER (PARTITION BY l_1.merchant_id, l_1.owner, l_1.currency, l_1.account ORDER BY l_1.wallet_seq)) AS total
           FROM pay.journal_line l_1
          WHERE (l_1.wallet_seq IS NOT NULL)) l
  WHERE ((l.balance_minor)::numeric <> l.total);

ALTER TABLE pay_check.wallet_balance OWNER TO payments_owner;

--
-- Name: VIEW wallet_balance; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.wallet_balance IS 'What each line says that its account holds is the sum of the lines so far.';

--
-- Name: wallet_lines; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.wallet_lines AS
 SELECT w.merchant_id,
    w.seller_account,
    w.currency
   FROM (pay.wallet w
     FULL JOIN ( SELECT l_1.merchant_id,
            l_1.owner,
            l_1.currency,
            count(*) AS lines,
            max(l_1.wallet_seq) AS last,
            COALESCE((- sum((l_1.amount_minor)::bigint) FILTER (WHERE (l_1.account = 'seller_available'::text))), (0)::numeric) AS available,
            COALESCE((- sum((l_1.amount_minor)::bigint) FILTER (WHERE (l_1.account = 'seller_pending'::text))), (0)::numeric) AS pending,
            COALESCE((- sum((l_1.amount_minor)::bigint) FILTER (WHERE (l_1.account = 'seller_reserved'::text))), (0)::numeric) AS reserved
           FROM pay.journal_line l_1
          WHERE (l_1.wallet_seq IS NOT NULL)
          GROUP BY l_1.merchant_id, l_1.owner, l_1.currency) l ON ((((l.merchant_id)::text = (w.merchant_id)::text) AND (l.owner = (w.seller_account)::text) AND ((l.currency)::text = (w.currency)::text))))
  WHERE (((w.seq)::bigint IS DISTINCT FROM COALESCE(l.lines, (0)::bigint)) OR ((w.seq)::bigint IS DISTINCT FROM COALESCE(l.last, (0)::bigint)) OR ((w.available_minor)::numeric IS DISTINCT FROM COALESCE(l.available, (0)::numeric)) OR ((w.pending_minor)::numeric IS DISTINCT FROM COALESCE(l.pending, (0)::numeric)) OR ((w.reserved_minor)::numeric IS DISTINCT FROM COALESCE(l.reserved, (0)::numeric)));

ALTER TABLE pay_check.wallet_lines OWNER TO payments_owner;

--
-- Name: VIEW wallet_lines; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.wallet_lines IS 'A wallet is the sum of its lines, which are numbered without a gap.';

--
-- Name: webhook_mismatch; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.webhook_mismatch AS
 SELECT i.psp,
    i.event_id,
    i.state
   FROM (pay.webhook_inbox i
     LEFT JOIN pay.mismatch m ON ((((m.merchant_id)::text = (i.merchant_id)::text) AND ((m.checkout_id)::text = (i.checkout_id)::text) AND ((m.psp)::text = (i.psp)::text) AND (m.event_id = (i.event_id)::text) AND (((m.kind = 'contradiction'::text) OR (NOT (m.why IS DISTINCT FROM 'contradiction'::text))) = ((i.state)::text = 'contradiction'::text)))))
  WHERE (((i.state)::text = ANY (ARRAY['mismatch'::text, 'contradiction'::text])) AND (m.event_id IS NULL));

ALTER TABLE pay_check.webhook_mismatch OWNER TO payments_owner;

--
-- Name: VIEW webhook_mismatch; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.webhook_mismatch IS 'What was not believed is in the queue for people, as what it was.';

--
-- Name: webhook_owner; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.webhook_owner AS
 SELECT i.psp,
    i.event_id,
    i.state,
    i.token,
    i.checkout_id,
    COALESCE(t.checkout_id, k.checkout_id) AS owner
   FROM ((pay.webhook_inbox i
     LEFT JOIN pay.psp_token t ON ((((t.psp)::text = (i.psp)::text) AND ((t.token)::text = (i.token)::text) AND (NOT t.is_reference) AND ((i.about ? 'by_payment'::text) IS NOT TRUE))))
     LEFT JOIN pay.psp_token k ON ((((k.psp)::text = (i.psp)::text) AND ((k.token)::text = i.reference) AND k.is_reference)))
  WHERE (((i.state)::text <> ALL (ARRAY['parked'::text, 'ignored'::text])) AND ((((i.merchant_id)::text = (t.merchant_id)::text) AND ((i.checkout_id)::text = (t.checkout_id)::text)) IS NOT TRUE) AND (((t.checkout_id IS NULL) AND (((i.merchant_id)::text = (k.merchant_id)::text) AND ((i.checkout_id)::text = (k.checkout_id)::text))) IS NOT TRUE) AND (NOT (EXISTS ( SELECT
           FROM pay.change c
          WHERE (((c.change_id)::text = (i.about ->> 'operation_id'::text)) AND ((c.psp)::text = (i.psp)::text) AND ((c.merchant_id)::text = (i.merchant_id)::text) AND ((c.checkout_id)::text = (i.checkout_id)::text))))));

ALTER TABLE pay_check.webhook_owner OWNER TO payments_owner;

--
-- Name: VIEW webhook_owner; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.webhook_owner IS 'A webhook that was taken into account belongs to the checkout that has its token or alias (I3, I6), else its payment, or the change that it names. Tokens and ids of payments are two kinds of names: what is a token of one checkout may be a payment of another.  One without a token is stored under its payment (by_payment).';

--
-- Name: webhook_paid; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.webhook_paid AS
 SELECT i.psp,
    i.event_id,
    o.payment_order_id,
    o.status
   FROM (pay.webhook_inbox i
     JOIN pay.payment_order o USING (merchant_id, checkout_id))
  WHERE ((i.fact = 'paid'::text) AND ((i.state)::text = ANY (ARRAY['applied'::text, 'unchanged'::text])) AND ((o.status)::text <> 'SUCCESS'::text));

ALTER TABLE pay_check.webhook_paid OWNER TO payments_owner;

--
-- Name: VIEW webhook_paid; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.webhook_paid IS 'A webhook that said "paid" and was taken into account left a paid order (I3, I6).';

--
-- Name: webhook_parked; Type: VIEW; Schema: pay_check; Owner: payments_owner
--

CREATE VIEW pay_check.webhook_parked AS
 SELECT i.psp,
    i.event_id,
    i.token
   FROM (pay.webhook_inbox i
     JOIN pay.psp_token t ON ((((t.psp)::text = (i.psp)::text) AND ((t.token)::text =
        CASE
            WHEN t.is_reference THEN i.reference
            ELSE (i.token)::text
        END) AND (t.is_reference OR ((i.about ? 'by_payment'::text) IS NOT TRUE)))))
  WHERE (((i.state)::text = 'parked'::text) AND (t.checkout_id IS NOT NULL) AND ((i.checkout_id IS NULL) OR (i.about IS NULL) OR (NOT (EXISTS ( SELECT
           FROM pay.payment_order o
          WHERE (((o.merchant_id)::text = (i.merchant_id)::text) AND ((o.checkout_id)::text = (i.checkout_id)::text) AND (((o.authorized_minor)::bigint > 0) OR ((o.status)::text = ANY (ARRAY['NOT_STARTED'::text, 'EXECUTING'::text])))))))) AND (NOT (EXISTS ( SELECT
           FROM pay.change c
          WHERE (((c.merchant_id)::text = (i.merchant_id)::text) AND ((c.checkout_id)::text = (i.checkout_id)::text) AND (c.kind = 'capture'::text) AND ((c.status)::text = ANY (ARRAY['NOT_STARTED'::text, 'EXECUTING'::text])) AND ((i.about ->> 'about'::text) = 'capture'::text))))));

ALTER TABLE pay_check.webhook_parked OWNER TO payments_owner;

--
-- Name: VIEW webhook_parked; Type: COMMENT; Schema: pay_check; Owner: payments_owner
--

COMMENT ON VIEW pay_check.webhook_parked IS 'Nothing stays parked once its token or its payment is known, but for what takes money back that has not come yet, and a sum of captures while one of them is open (I6).';

--
-- Name: accounts; Type: VIEW; Schema: pay_view; Owner: payments_owner
--

CREATE VIEW pay_view.accounts AS
 SELECT l.merchant_id,
    l.account,
    a.class,
    l.owner,
    l.currency,
    round((sum((l.amount_minor)::bigint) / ((10)::numeric ^ (k.exponent)::numeric)), k.exponent) AS balance,
    sum((l.amount_minor)::bigint) AS balance_minor,
    count(*) AS lines
   FROM ((pay.journal_line l
     JOIN pay.account_kind a ON ((a.account = l.account)))
     JOIN pay.currency k ON ((k.code = (l.currency)::text)))
  GROUP BY l.merchant_id, l.account, a.class, l.owner, l.currency, k.exponent;

ALTER TABLE pay_view.accounts OWNER TO payments_owner;

--
-- Name: VIEW accounts; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.accounts IS 'What each account holds: a debit is positive, what is owed to sellers negative';

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
-- Name: changes; Type: VIEW; Schema: pay_view; Owner: payments_owner
--

CREATE VIEW pay_view.changes AS
 SELECT c.merchant_id,
    c.checkout_id,
    c.payment_order_id,
    c.change_id,
    c.kind,
    c.is_final,
    c.origin,
    c.psp,
    c.status,
    c.returned,
    c.currency,
    c.amount_minor,
    round(((c.amount_minor)::numeric / ((10)::numeric ^ (k.exponent)::numeric)), k.exponent) AS amount,
    c.seller_currency,
    c.seller_minor,
    c.reason,
    c.code,
    c.reference,
    c.created_at,
    c.changed_at,
    d.state AS dispatch_state,
    d.sends,
    d.key_until,
    j.run_at AS job_run_at,
    j.attempts AS job_attempts,
    ( SELECT x.dead_letter_id
           FROM pay.dead_letter x
          WHERE (((x.merchant_id)::text = (c.merchant_id)::text) AND ((x.checkout_id)::text = (c.checkout_id)::text) AND (x.state = 'open'::text) AND (x.kind = 'change'::text) AND ((x.operation_id)::text = (c.change_id)::text))) AS dead_letter_id,
    c.request_id,
    j.code AS job_code,
    c.matched_to
   FROM (((pay.change c
     LEFT JOIN pay.currency k ON ((k.code = (c.currency)::text)))
     LEFT JOIN pay.job j ON ((((j.merchant_id)::text = (c.merchant_id)::text) AND ((j.checkout_id)::text = (c.checkout_id)::text) AND ((j.kind)::text = 'change'::text) AND (j.operation_id = (c.change_id)::text))))
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
          WHERE (((x.merchant_id)::text = (c.merchant_id)::text) AND ((x.checkout_id)::text = (c.checkout_id)::text) AND ((x.operation_id)::text = (c.change_id)::text))
          ORDER BY x.attempt DESC
         LIMIT 1) d ON (true));

ALTER TABLE pay_view.changes OWNER TO payments_owner;

--
-- Name: VIEW changes; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.changes IS 'Captures, cancellations and refunds: how they stand, their newest call and their job; origin psp: nobody asked us; matched_to: it is the one that this change asked for, its money stands here';

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
     JOIN pay.currency k ON ((k.code = (c.currency)::text)))
     LEFT JOIN pay.registration r ON ((((r.merchant_id)::text = (c.merchant_id)::text) AND ((r.checkout_id)::text = (c.checkout_id)::text))))
     LEFT JOIN pay.job j ON ((((j.merchant_id)::text = (c.merchant_id)::text) AND ((j.checkout_id)::text = (c.checkout_id)::text) AND ((j.kind)::text <> 'change'::text))));

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
          WHERE (((o.merchant_id)::text = (d.merchant_id)::text) AND ((o.checkout_id)::text = (d.checkout_id)::text) AND ((o."position")::integer = 1))) AS payment_order_id,
    COALESCE(d.psp, c.psp) AS psp,
    d.event_id,
    d.code,
    d.attempts,
    COALESCE(l.currency, (c.currency)::text, i.currency) AS currency,
    COALESCE((l.amount_minor)::bigint, (c.total_minor)::bigint, i.amount_minor) AS amount_minor,
    round(((COALESCE((l.amount_minor)::bigint, (c.total_minor)::bigint, i.amount_minor))::numeric / ((10)::numeric ^ (k.exponent)::numeric)), k.exponent) AS amount,
    d.at,
    (COALESCE(d.closed_at, now()) - d.at) AS age,
    d.closed_at,
    d.closed_by,
    d.closed_why,
    i.fact,
    i.token,
    d.operation_id
   FROM ((((pay.dead_letter d
     LEFT JOIN pay.checkout c ON ((((c.merchant_id)::text = (d.merchant_id)::text) AND ((c.checkout_id)::text = (d.checkout_id)::text))))
     LEFT JOIN pay.late_success l ON ((((l.merchant_id)::text = (d.merchant_id)::text) AND ((l.checkout_id)::text = (d.checkout_id)::text) AND (d.kind = ANY (ARRAY['late_success'::text, 'refund'::text])))))
     LEFT JOIN pay.webhook_inbox i ON (((d.kind = 'parked'::text) AND ((i.psp)::text = (d.psp)::text) AND ((i.event_id)::text = (d.event_id)::text))))
     LEFT JOIN pay.currency k ON ((k.code = COALESCE(l.currency, (c.currency)::text, i.currency))));

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
            WHEN (((d.state)::text = 'OPEN'::text) AND COALESCE((d.lease_until <= now()), true)) THEN 'gone'::text
            WHEN ((d.state)::text = 'OPEN'::text) THEN 'sending'::text
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
-- Name: disputes; Type: VIEW; Schema: pay_view; Owner: payments_owner
--

CREATE VIEW pay_view.disputes AS
 SELECT d.merchant_id,
    d.checkout_id,
    d.payment_order_id,
    d.psp,
    d.dispute_id,
    d.state,
    d.currency,
    d.amount_minor,
    round(((d.amount_minor)::numeric / ((10)::numeric ^ (k.exponent)::numeric)), k.exponent) AS amount,
    d.seller_currency,
    d.seller_minor,
    d.code,
    d.opened_at,
    d.changed_at,
    d.part
   FROM (pay.dispute d
     LEFT JOIN pay.currency k ON ((k.code = (d.currency)::text)));

ALTER TABLE pay_view.disputes OWNER TO payments_owner;

--
-- Name: VIEW disputes; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.disputes IS 'What buyers have disputed at their PSPs; without an order nobody can say whose money it is';

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
    d.key_until,
    j.operation_id
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
          WHERE (((x.merchant_id)::text = (j.merchant_id)::text) AND ((x.checkout_id)::text = (j.checkout_id)::text) AND
                CASE j.kind
                    WHEN 'change'::text THEN ((x.operation_id)::text = j.operation_id)
                    WHEN 'poll'::text THEN ((x.operation)::text = 'capture'::text)
                    ELSE ((x.operation)::text = (j.kind)::text)
                END)
          ORDER BY x.first_sent_at DESC, x.attempt DESC
         LIMIT 1) d ON (true));

ALTER TABLE pay_view.jobs OWNER TO payments_owner;

--
-- Name: VIEW jobs; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.jobs IS 'Background work: what is due, since when, and who is at it; overdue by more than a minute means that no worker takes jobs.  dispatch_state, sends and key_until are of its newest call (register, refund; capture of a poll); operation_id: of a change';

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
-- Name: ledger; Type: VIEW; Schema: pay_view; Owner: payments_owner
--

CREATE VIEW pay_view.ledger AS
 SELECT e.merchant_id,
    e.at,
    e.source,
    e.kind,
    l.line,
    l.account,
    l.owner,
    l.currency,
        CASE
            WHEN ((l.amount_minor)::bigint > 0) THEN round(((l.amount_minor)::numeric / ((10)::numeric ^ (k.exponent)::numeric)), k.exponent)
            ELSE NULL::numeric
        END AS debit,
        CASE
            WHEN ((l.amount_minor)::bigint < 0) THEN round((((- (l.amount_minor)::bigint))::numeric / ((10)::numeric ^ (k.exponent)::numeric)), k.exponent)
            ELSE NULL::numeric
        END AS credit,
    l.amount_minor,
    e.checkout_id,
    e.payment_order_id,
    e.psp,
    e.seller_account,
    e.rate,
    l.wallet_seq,
    l.balance_minor,
    e.request_id
   FROM ((pay.journal_line l
     JOIN pay.journal_entry e ON ((((e.merchant_id)::text = (l.merchant_id)::text) AND ((e.source)::text = l.source) AND (e.kind = l.kind))))
     JOIN pay.currency k ON ((k.code = (l.currency)::text)));

ALTER TABLE pay_view.ledger OWNER TO payments_owner;

--
-- Name: VIEW ledger; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.ledger IS 'Lines of the journal with their entries; a credit is negative in minor units';

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
          WHERE (((p.merchant_id)::text = (m.merchant_id)::text) AND ((p.checkout_id)::text = (m.checkout_id)::text) AND ((p."position")::integer = 1))) AS status,
    m.request_id,
    m.object,
    m.why,
    m.detail,
    s.at AS settled_at,
    s.who AS settled_by,
    s.why AS settled_why,
    ( SELECT p.payment_order_id
           FROM pay.payment_order p
          WHERE (((p.merchant_id)::text = (m.merchant_id)::text) AND ((p.checkout_id)::text = (m.checkout_id)::text) AND ((p."position")::integer = 1))) AS payment_order_id
   FROM (((pay.mismatch m
     JOIN pay.currency o ON ((o.code = m.own_currency)))
     LEFT JOIN pay.currency k ON ((k.code = m.currency)))
     LEFT JOIN pay.mismatch_settlement s ON ((((s.merchant_id)::text = (m.merchant_id)::text) AND ((s.checkout_id)::text = (m.checkout_id)::text) AND (s.mismatch_id = m.mismatch_id))));

ALTER TABLE pay_view.mismatches OWNER TO payments_owner;

--
-- Name: VIEW mismatches; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.mismatches IS 'What a PSP said and was not believed (token, alias, currency, amount) beside what is ours (own_token, own_currency, total), and the orders'' status; object: of what follows a sale, the PSP''s id of it, and why: what is wrong; detail: of our own books; settled_…: by whom, if it is';

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
     JOIN pay.currency k ON ((k.code = (o.currency)::text)));

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
  WHERE ((i.state)::text = 'parked'::text);

ALTER TABLE pay_view.parked OWNER TO payments_owner;

--
-- Name: VIEW parked; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.parked IS 'Webhooks about tokens that nobody has, or about taking back money that has not come: normal for seconds; an old one that says paid is money that is not ours, or not booked';

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
-- Name: seals; Type: VIEW; Schema: pay_view; Owner: payments_owner
--

CREATE VIEW pay_view.seals AS
 SELECT s.number,
    s.at,
    (now() - s.at) AS age,
    s.count AS leaves,
    s.from_tx,
    s.until_tx,
    encode(s.root, 'hex'::text) AS root,
    s.key_id,
    translate(encode(s.signature, 'base64'::text), '
'::text, ''::text) AS signature,
    s.message
   FROM pay.seal s;

ALTER TABLE pay_view.seals OWNER TO payments_owner;

--
-- Name: VIEW seals; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.seals IS 'Signed Merkle roots of the event log, one a seal; without a signature: begun, and handed out again until it has one';

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
                       FROM pay_view.mismatches m
                      WHERE (((m.merchant_id)::text = (c.merchant_id)::text) AND ((m.checkout_id)::text = (c.checkout_id)::text) AND (m.kind <> 'contradiction'::text) AND (m.settled_at IS NULL)))) THEN 'mismatch'::text
                    WHEN (j.code = ANY (ARRAY['psp_not_configured'::text, 'request_refused'::text])) THEN j.code
                    WHEN (j.overdue > '00:01:00'::interval) THEN 'no_worker'::text
                    WHEN (((o.status)::text <> 'FAILED'::text) AND ((j.kind)::text <> 'change'::text) AND (c.expires_at < (now() - '00:30:00'::interval))) THEN 'past_expiry'::text
                    WHEN ((((j.kind)::text = 'register'::text) AND ((j.dispatch_state)::text = 'UNKNOWN'::text) AND (c.created_at < (now() - '00:05:00'::interval))) OR (((j.kind)::text = 'change'::text) AND ((j.dispatch_state)::text = 'UNKNOWN'::text) AND (j.attempts >= 5))) THEN 'unknown'::text
                    WHEN (((j.kind)::text = 'register'::text) AND (c.created_at < (now() - '00:05:00'::interval))) THEN 'not_registered'::text
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
                    j_1.operation_id,
                    NULL::bigint AS letter
                   FROM pay.job j_1
                  WHERE (NOT (EXISTS ( SELECT
                           FROM pay.dead_letter d
                          WHERE (((d.merchant_id)::text = (j_1.merchant_id)::text) AND ((d.checkout_id)::text = (j_1.checkout_id)::text) AND (d.state = 'open'::text)))))
                UNION ALL
                 SELECT d.merchant_id,
                    d.checkout_id,
                    max((j_1.kind)::text) AS max,
                    max(j_1.operation_id) AS max,
                    min(d.dead_letter_id) AS min
                   FROM (pay.dead_letter d
                     LEFT JOIN pay.job j_1 ON ((((j_1.merchant_id)::text = (d.merchant_id)::text) AND ((j_1.checkout_id)::text = (d.checkout_id)::text) AND ((j_1.kind)::text <> 'change'::text))))
                  WHERE ((d.state = 'open'::text) AND (d.kind <> 'parked'::text))
                  GROUP BY d.merchant_id, d.checkout_id) u
             JOIN pay.checkout c ON ((((c.merchant_id)::text = (u.merchant_id)::text) AND ((c.checkout_id)::text = (u.checkout_id)::text))))
             JOIN pay.registration r ON ((((r.merchant_id)::text = (u.merchant_id)::text) AND ((r.checkout_id)::text = (u.checkout_id)::text))))
             JOIN pay.payment_order o ON ((((o.merchant_id)::text = (u.merchant_id)::text) AND ((o.checkout_id)::text = (u.checkout_id)::text) AND ((o."position")::integer = 1))))
             JOIN pay.currency k ON ((k.code = (c.currency)::text)))
             LEFT JOIN pay_view.jobs j ON ((((j.merchant_id)::text = (u.merchant_id)::text) AND ((j.checkout_id)::text = (u.checkout_id)::text) AND ((j.kind)::text = u.kind) AND (j.operation_id = u.operation_id))))) s
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
-- Name: wallets; Type: VIEW; Schema: pay_view; Owner: payments_owner
--

CREATE VIEW pay_view.wallets AS
 SELECT w.merchant_id,
    w.seller_account,
    w.currency,
    round(((w.available_minor)::numeric / ((10)::numeric ^ (k.exponent)::numeric)), k.exponent) AS available,
    round(((w.pending_minor)::numeric / ((10)::numeric ^ (k.exponent)::numeric)), k.exponent) AS pending,
    round(((w.reserved_minor)::numeric / ((10)::numeric ^ (k.exponent)::numeric)), k.exponent) AS reserved,
    w.seq AS lines,
    w.changed_at
   FROM (pay.wallet w
     JOIN pay.currency k ON ((k.code = (w.currency)::text)));

ALTER TABLE pay_view.wallets OWNER TO payments_owner;

--
-- Name: VIEW wallets; Type: COMMENT; Schema: pay_view; Owner: payments_owner
--

COMMENT ON VIEW pay_view.wallets IS 'What sellers are owed';

--
-- Name: event_default; Type: TABLE ATTACH; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.event ATTACH PARTITION pay.event_default DEFAULT;

--
-- Name: account_kind account_kind_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.account_kind
    ADD CONSTRAINT account_kind_pkey PRIMARY KEY (account);

--
-- Name: account_kind account_kind_wallet_key; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.account_kind
    ADD CONSTRAINT account_kind_wallet_key UNIQUE (wallet);

--
-- Name: backfill backfill_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.backfill
    ADD CONSTRAINT backfill_pkey PRIMARY KEY (psp);

--
-- Name: change change_change_id_key; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.change
    ADD CONSTRAINT change_change_id_key UNIQUE (change_id);

--
-- Name: change change_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.change
    ADD CONSTRAINT change_pkey PRIMARY KEY (merchant_id, checkout_id, change_id);

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
-- Name: dispute dispute_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.dispute
    ADD CONSTRAINT dispute_pkey PRIMARY KEY (psp, dispute_id, part);

--
-- Name: dropped_month dropped_month_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.dropped_month
    ADD CONSTRAINT dropped_month_pkey PRIMARY KEY (month);

--
-- Name: event_anchor event_anchor_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.event_anchor
    ADD CONSTRAINT event_anchor_pkey PRIMARY KEY (merchant_id, payment_order_id);

--
-- Name: event event_key; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.event
    ADD CONSTRAINT event_key PRIMARY KEY (merchant_id, payment_order_id, seq, at);

--
-- Name: event_default event_default_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.event_default
    ADD CONSTRAINT event_default_pkey PRIMARY KEY (merchant_id, payment_order_id, seq, at);

--
-- Name: idempotency_key idempotency_key_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.idempotency_key
    ADD CONSTRAINT idempotency_key_pkey PRIMARY KEY (merchant_id, route, key);

--
-- Name: job job_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (merchant_id, checkout_id, kind, operation_id);

--
-- Name: journal_entry journal_entry_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.journal_entry
    ADD CONSTRAINT journal_entry_pkey PRIMARY KEY (merchant_id, source, kind);

--
-- Name: journal_line journal_line_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.journal_line
    ADD CONSTRAINT journal_line_pkey PRIMARY KEY (merchant_id, source, kind, line);

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
-- Name: mismatch_settlement mismatch_settlement_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.mismatch_settlement
    ADD CONSTRAINT mismatch_settlement_pkey PRIMARY KEY (merchant_id, checkout_id, mismatch_id);

--
-- Name: outbox outbox_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (merchant_id, payment_order_id, seq);

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
-- Name: posting_kind posting_kind_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.posting_kind
    ADD CONSTRAINT posting_kind_pkey PRIMARY KEY (kind);

--
-- Name: posting_rule posting_rule_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.posting_rule
    ADD CONSTRAINT posting_rule_pkey PRIMARY KEY (kind, line);

--
-- Name: psp_token psp_token_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.psp_token
    ADD CONSTRAINT psp_token_pkey PRIMARY KEY (psp, token, is_reference);

--
-- Name: quarantine_count quarantine_count_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.quarantine_count
    ADD CONSTRAINT quarantine_count_pkey PRIMARY KEY (psp);

--
-- Name: rate rate_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.rate
    ADD CONSTRAINT rate_pkey PRIMARY KEY (source, quote);

--
-- Name: rate_source rate_source_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.rate_source
    ADD CONSTRAINT rate_source_pkey PRIMARY KEY (source);

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
-- Name: seal_leaf seal_leaf_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.seal_leaf
    ADD CONSTRAINT seal_leaf_pkey PRIMARY KEY (number, "position");

--
-- Name: seal seal_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.seal
    ADD CONSTRAINT seal_pkey PRIMARY KEY (number);

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
-- Name: wallet wallet_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.wallet
    ADD CONSTRAINT wallet_pkey PRIMARY KEY (merchant_id, seller_account, currency);

--
-- Name: webhook_body webhook_body_pkey; Type: CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.webhook_body
    ADD CONSTRAINT webhook_body_pkey PRIMARY KEY (psp, digest);

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
-- Name: change_open; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX change_open ON pay.change USING btree (created_at) WHERE (pay.status_rank((status)::text) < 2);

--
-- Name: checkout_created; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX checkout_created ON pay.checkout USING btree (merchant_id, created_at, checkout_id);

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

CREATE UNIQUE INDEX dead_letter_one_open ON pay.dead_letter USING btree (merchant_id, checkout_id, kind, psp, event_id, operation_id) NULLS NOT DISTINCT WHERE (state = 'open'::text);

--
-- Name: dead_letter_open; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX dead_letter_open ON pay.dead_letter USING btree (dead_letter_id) WHERE (state = 'open'::text);

--
-- Name: dispatch_one_open; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE UNIQUE INDEX dispatch_one_open ON pay.dispatch USING btree (merchant_id, checkout_id, operation, operation_id) WHERE ((state)::text = ANY (ARRAY['OPEN'::text, 'UNKNOWN'::text]));

--
-- Name: dispatch_open; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX dispatch_open ON pay.dispatch USING btree (lease_until) WHERE (((state)::text = 'OPEN'::text) AND ((operation)::text <> 'register'::text));

--
-- Name: dispatch_unknown; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX dispatch_unknown ON pay.dispatch USING btree (first_sent_at) WHERE (((state)::text = 'UNKNOWN'::text) AND (NOT settled));

--
-- Name: dispute_checkout; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX dispute_checkout ON pay.dispute USING btree (merchant_id, checkout_id);

--
-- Name: event_at; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX event_at ON ONLY pay.event USING brin (at) WITH (autosummarize='on');

--
-- Name: event_default_at_idx; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX event_default_at_idx ON pay.event_default USING brin (at) WITH (autosummarize='on');

--
-- Name: event_tx; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX event_tx ON ONLY pay.event USING brin (tx) WITH (autosummarize='on');

--
-- Name: event_default_tx_idx; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX event_default_tx_idx ON pay.event_default USING brin (tx) WITH (autosummarize='on');

--
-- Name: job_rank_run_at; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX job_rank_run_at ON pay.job USING btree (pay.job_rank((kind)::text), run_at);

--
-- Name: journal_entry_checkout; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX journal_entry_checkout ON pay.journal_entry USING btree (checkout_id, merchant_id);

--
-- Name: journal_line_statement; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE UNIQUE INDEX journal_line_statement ON pay.journal_line USING btree (merchant_id, owner, currency, wallet_seq) WHERE (wallet_seq IS NOT NULL);

--
-- Name: mismatch_books; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX mismatch_books ON pay.mismatch USING btree (merchant_id, checkout_id) WHERE (kind = 'books'::text);

--
-- Name: mismatch_number; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE UNIQUE INDEX mismatch_number ON pay.mismatch USING btree (mismatch_id);

--
-- Name: seal_unsigned; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE UNIQUE INDEX seal_unsigned ON pay.seal USING btree ((1)) WHERE (signature IS NULL);

--
-- Name: webhook_body_keep_until; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX webhook_body_keep_until ON pay.webhook_body USING btree (keep_until);

--
-- Name: webhook_inbox_early; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX webhook_inbox_early ON pay.webhook_inbox USING btree (merchant_id, checkout_id) WHERE (((state)::text = 'parked'::text) AND (checkout_id IS NOT NULL));

--
-- Name: webhook_inbox_idle; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX webhook_inbox_idle ON pay.webhook_inbox USING btree (received_at) WHERE (((state)::text = 'asked'::text) OR (((state)::text = 'ignored'::text) AND (fact = 'none'::text)));

--
-- Name: webhook_inbox_named; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX webhook_inbox_named ON pay.webhook_inbox USING btree (psp, reference) WHERE (((state)::text = 'parked'::text) AND (reference <> (token)::text));

--
-- Name: webhook_inbox_parked; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX webhook_inbox_parked ON pay.webhook_inbox USING btree (psp, token) WHERE ((state)::text = 'parked'::text);

--
-- Name: webhook_inbox_parked_at; Type: INDEX; Schema: pay; Owner: payments_owner
--

CREATE INDEX webhook_inbox_parked_at ON pay.webhook_inbox USING btree (received_at) WHERE ((state)::text = 'parked'::text);

--
-- Name: event_default_at_idx; Type: INDEX ATTACH; Schema: pay; Owner: payments_owner
--

ALTER INDEX pay.event_at ATTACH PARTITION pay.event_default_at_idx;

--
-- Name: event_default_pkey; Type: INDEX ATTACH; Schema: pay; Owner: payments_owner
--

ALTER INDEX pay.event_key ATTACH PARTITION pay.event_default_pkey;

--
-- Name: event_default_tx_idx; Type: INDEX ATTACH; Schema: pay; Owner: payments_owner
--

ALTER INDEX pay.event_tx ATTACH PARTITION pay.event_default_tx_idx;

--
-- Name: amount_sum _RETURN; Type: RULE; Schema: pay_check; Owner: payments_owner
--

CREATE OR REPLACE VIEW pay_check.amount_sum AS
 SELECT c.merchant_id,
    c.checkout_id,
    c.total_minor,
    sum((o.amount_minor)::bigint) AS orders_minor
   FROM (pay.checkout c
     JOIN pay.payment_order o USING (merchant_id, checkout_id))
  GROUP BY c.merchant_id, c.checkout_id
 HAVING ((sum((o.amount_minor)::bigint) <> (c.total_minor)::numeric) OR bool_or(((o.currency)::text <> (c.currency)::text)) OR (max((o."position")::integer) <> count(*)));

--
-- Name: event_gap _RETURN; Type: RULE; Schema: pay_check; Owner: payments_owner
--

CREATE OR REPLACE VIEW pay_check.event_gap AS
 SELECT o.merchant_id,
    o.payment_order_id,
    o.version,
    a.seq AS dropped,
    count(e.seq) AS events,
    max((e.seq)::integer) AS last
   FROM ((pay.payment_order o
     LEFT JOIN pay.event e USING (merchant_id, payment_order_id))
     LEFT JOIN pay.event_anchor a USING (merchant_id, payment_order_id))
  GROUP BY o.merchant_id, o.payment_order_id, a.seq
 HAVING (((COALESCE(a.seq, 0) + count(e.seq)) <> o.version) OR (COALESCE(max((e.seq)::integer), a.seq) IS DISTINCT FROM o.version));

--
-- Name: paid_without_event _RETURN; Type: RULE; Schema: pay_check; Owner: payments_owner
--

CREATE OR REPLACE VIEW pay_check.paid_without_event AS
 SELECT o.merchant_id,
    o.payment_order_id,
    count(e.seq) AS paid_events
   FROM (pay.payment_order o
     LEFT JOIN pay.event e ON ((((e.merchant_id)::text = (o.merchant_id)::text) AND ((e.payment_order_id)::text = (o.payment_order_id)::text) AND ((e.kind)::text = 'paid'::text) AND ((e.new_status)::text = 'SUCCESS'::text))))
  WHERE (NOT (EXISTS ( SELECT
           FROM pay.event_anchor a
          WHERE (((a.merchant_id)::text = (o.merchant_id)::text) AND ((a.payment_order_id)::text = (o.payment_order_id)::text)))))
  GROUP BY o.merchant_id, o.payment_order_id
 HAVING ((((o.status)::text = 'SUCCESS'::text) IS DISTINCT FROM (count(e.seq) = 1)) OR (count(e.seq) > 1));

--
-- Name: payment_done _RETURN; Type: RULE; Schema: pay_check; Owner: payments_owner
--

CREATE OR REPLACE VIEW pay_check.payment_done AS
 SELECT c.merchant_id,
    c.checkout_id,
    c.is_payment_done
   FROM (pay.checkout c
     JOIN pay.payment_order o USING (merchant_id, checkout_id))
  GROUP BY c.merchant_id, c.checkout_id
 HAVING ((c.is_payment_done <> bool_and(((o.status)::text = 'SUCCESS'::text))) OR (((c.capture)::text = 'automatic'::text) AND (count(DISTINCT o.status) > 1)));

--
-- Name: account_kind account_kind_fixed; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER account_kind_fixed BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.account_kind FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the chart is fixed', 'PAY20');

--
-- Name: change change_fixed; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER change_fixed BEFORE UPDATE OF merchant_id, change_id, checkout_id, payment_order_id, kind, origin, psp, amount_minor, currency, seller_minor, seller_currency, is_final, reason ON pay.change FOR EACH ROW WHEN (((((((((((((((new.merchant_id)::text IS DISTINCT FROM (old.merchant_id)::text) OR ((new.change_id)::text IS DISTINCT FROM (old.change_id)::text)) OR ((new.checkout_id)::text IS DISTINCT FROM (old.checkout_id)::text)) OR ((new.payment_order_id)::text IS DISTINCT FROM (old.payment_order_id)::text)) OR (new.kind IS DISTINCT FROM old.kind)) OR (new.origin IS DISTINCT FROM old.origin)) OR ((new.amount_minor)::bigint IS DISTINCT FROM (old.amount_minor)::bigint)) OR ((new.currency)::text IS DISTINCT FROM (old.currency)::text)) OR ((new.seller_minor)::bigint IS DISTINCT FROM (old.seller_minor)::bigint)) OR ((new.seller_currency)::text IS DISTINCT FROM (old.seller_currency)::text)) OR (new.is_final IS DISTINCT FROM old.is_final)) OR (new.reason IS DISTINCT FROM old.reason)) OR (((new.psp)::text <> (old.psp)::text) AND ((old.kind <> 'cancel'::text) OR ((old.status)::text <> 'NOT_STARTED'::text))))) EXECUTE FUNCTION pay.refuse_change('a change''s terms are fixed', 'PAY11');

ALTER TABLE pay.change ENABLE ALWAYS TRIGGER change_fixed;

--
-- Name: change change_status; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER change_status BEFORE UPDATE OF status ON pay.change FOR EACH ROW WHEN (((pay.status_rank((new.status)::text) < pay.status_rank((old.status)::text)) AND (NOT new.returned) AND (NOT ((old.kind = 'capture'::text) AND old.by_amount AND (NOT new.by_amount))))) EXECUTE FUNCTION pay.refuse_change('no such transition', 'PAY10');

ALTER TABLE pay.change ENABLE ALWAYS TRIGGER change_status;

--
-- Name: checkout checkout_fixed; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER checkout_fixed BEFORE UPDATE OF merchant_id, checkout_id, checkout_uuid, handle, base_url, currency, total_minor ON pay.checkout FOR EACH ROW WHEN (((((((((new.merchant_id)::text IS DISTINCT FROM (old.merchant_id)::text) OR ((new.checkout_id)::text IS DISTINCT FROM (old.checkout_id)::text)) OR (new.checkout_uuid IS DISTINCT FROM old.checkout_uuid)) OR ((new.handle)::text IS DISTINCT FROM (old.handle)::text)) OR ((new.base_url)::text IS DISTINCT FROM (old.base_url)::text)) OR ((new.currency)::text IS DISTINCT FROM (old.currency)::text)) OR ((new.total_minor)::bigint IS DISTINCT FROM (old.total_minor)::bigint))) EXECUTE FUNCTION pay.refuse_change('a checkout''s terms are fixed', 'PAY11');

ALTER TABLE pay.checkout ENABLE ALWAYS TRIGGER checkout_fixed;

--
-- Name: checkout checkout_psp; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER checkout_psp BEFORE UPDATE OF psp ON pay.checkout FOR EACH ROW WHEN (((new.psp)::text <> (old.psp)::text)) EXECUTE FUNCTION pay.follow_registration();

ALTER TABLE pay.checkout ENABLE ALWAYS TRIGGER checkout_psp;

--
-- Name: checkout checkout_version; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER checkout_version BEFORE UPDATE OF version, is_payment_done ON pay.checkout FOR EACH ROW WHEN (((new.version < old.version) OR (new.is_payment_done < old.is_payment_done))) EXECUTE FUNCTION pay.refuse_change('versions grow, done is done', 'PAY11');

ALTER TABLE pay.checkout ENABLE ALWAYS TRIGGER checkout_version;

--
-- Name: dropped_month dropped_month_append_only; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER dropped_month_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.dropped_month FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('what was done was done', 'PAY20');

ALTER TABLE pay.dropped_month ENABLE ALWAYS TRIGGER dropped_month_append_only;

--
-- Name: event_anchor event_anchor_grows; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER event_anchor_grows BEFORE UPDATE ON pay.event_anchor FOR EACH ROW WHEN (((((new.merchant_id)::text IS DISTINCT FROM (old.merchant_id)::text) OR ((new.payment_order_id)::text IS DISTINCT FROM (old.payment_order_id)::text)) OR (new.seq <= old.seq))) EXECUTE FUNCTION pay.refuse_change('anchors move ahead', 'PAY20');

ALTER TABLE pay.event_anchor ENABLE ALWAYS TRIGGER event_anchor_grows;

--
-- Name: event_anchor event_anchor_kept; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER event_anchor_kept BEFORE DELETE OR TRUNCATE ON pay.event_anchor FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('anchors stay', 'PAY20');

ALTER TABLE pay.event_anchor ENABLE ALWAYS TRIGGER event_anchor_kept;

--
-- Name: event event_append_only; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER event_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.event FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the log is append-only', 'PAY20');

ALTER TABLE pay.event ENABLE ALWAYS TRIGGER event_append_only;

--
-- Name: event_default event_append_only; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER event_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.event_default FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the log is append-only', 'PAY20');

ALTER TABLE pay.event_default ENABLE ALWAYS TRIGGER event_append_only;

--
-- Name: journal_entry journal_entry_append_only; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER journal_entry_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.journal_entry FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the journal is append-only', 'PAY20');

ALTER TABLE pay.journal_entry ENABLE ALWAYS TRIGGER journal_entry_append_only;

--
-- Name: journal_entry journal_entry_balances; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE CONSTRAINT TRIGGER journal_entry_balances AFTER INSERT ON pay.journal_entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pay.entry_balances();

ALTER TABLE pay.journal_entry ENABLE ALWAYS TRIGGER journal_entry_balances;

--
-- Name: journal_line journal_line_append_only; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER journal_line_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.journal_line FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the journal is append-only', 'PAY20');

ALTER TABLE pay.journal_line ENABLE ALWAYS TRIGGER journal_line_append_only;

--
-- Name: journal_line journal_line_entry; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER journal_line_entry AFTER INSERT ON pay.journal_line REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION pay.lines_with_entry();

ALTER TABLE pay.journal_line ENABLE ALWAYS TRIGGER journal_line_entry;

--
-- Name: late_success late_success_fixed; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER late_success_fixed BEFORE UPDATE OF merchant_id, checkout_id, psp, amount_minor, currency, refund_id ON pay.late_success FOR EACH ROW WHEN ((((((((new.merchant_id)::text IS DISTINCT FROM (old.merchant_id)::text) OR ((new.checkout_id)::text IS DISTINCT FROM (old.checkout_id)::text)) OR ((new.psp)::text IS DISTINCT FROM (old.psp)::text)) OR ((new.amount_minor)::bigint IS DISTINCT FROM (old.amount_minor)::bigint)) OR (new.currency IS DISTINCT FROM old.currency)) OR (new.refund_id IS DISTINCT FROM old.refund_id))) EXECUTE FUNCTION pay.refuse_change('one refund for ever', 'PAY11');

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
-- Name: mismatch_settlement mismatch_settlement_append_only; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER mismatch_settlement_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.mismatch_settlement FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the queue is append-only', 'PAY20');

ALTER TABLE pay.mismatch_settlement ENABLE ALWAYS TRIGGER mismatch_settlement_append_only;

--
-- Name: payment_order payment_order_fixed; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER payment_order_fixed BEFORE UPDATE OF merchant_id, payment_order_id, checkout_id, "position", seller_account, amount_minor, currency ON pay.payment_order FOR EACH ROW WHEN (((((((((new.merchant_id)::text IS DISTINCT FROM (old.merchant_id)::text) OR ((new.payment_order_id)::text IS DISTINCT FROM (old.payment_order_id)::text)) OR ((new.checkout_id)::text IS DISTINCT FROM (old.checkout_id)::text)) OR ((new."position")::integer IS DISTINCT FROM (old."position")::integer)) OR ((new.seller_account)::text IS DISTINCT FROM (old.seller_account)::text)) OR ((new.amount_minor)::bigint IS DISTINCT FROM (old.amount_minor)::bigint)) OR ((new.currency)::text IS DISTINCT FROM (old.currency)::text))) EXECUTE FUNCTION pay.refuse_change('an order''s terms are fixed', 'PAY11');

ALTER TABLE pay.payment_order ENABLE ALWAYS TRIGGER payment_order_fixed;

--
-- Name: payment_order payment_order_head; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER payment_order_head BEFORE UPDATE OF version, head, head_tx ON pay.payment_order FOR EACH ROW WHEN (((new.version < old.version) OR (new.head_tx < old.head_tx) OR (((new.head)::bytea <> (old.head)::bytea) <> (new.version <> old.version)))) EXECUTE FUNCTION pay.refuse_change('versions grow, and a head has its version', 'PAY11');

ALTER TABLE pay.payment_order ENABLE ALWAYS TRIGGER payment_order_head;

--
-- Name: payment_order payment_order_start; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER payment_order_start BEFORE INSERT ON pay.payment_order FOR EACH ROW WHEN ((((new.status)::text <> 'NOT_STARTED'::text) OR (new.version <> 1))) EXECUTE FUNCTION pay.refuse_change('an order begins NOT_STARTED', 'PAY10');

ALTER TABLE pay.payment_order ENABLE ALWAYS TRIGGER payment_order_start;

--
-- Name: payment_order payment_order_status; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER payment_order_status BEFORE UPDATE OF status ON pay.payment_order FOR EACH ROW WHEN ((array_position('{NOT_STARTED,EXECUTING,FAILED,SUCCESS}'::text[], (new.status)::text) < array_position('{NOT_STARTED,EXECUTING,FAILED,SUCCESS}'::text[], (old.status)::text))) EXECUTE FUNCTION pay.refuse_change('no such transition', 'PAY10');

ALTER TABLE pay.payment_order ENABLE ALWAYS TRIGGER payment_order_status;

--
-- Name: posting_rule posting_rule_fixed; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER posting_rule_fixed BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.posting_rule FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the rules are fixed', 'PAY20');

--
-- Name: registration registration_fixed; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER registration_fixed BEFORE UPDATE OF merchant_id, checkout_id, nonce, psps, key_windows ON pay.registration FOR EACH ROW WHEN (((((((new.merchant_id)::text IS DISTINCT FROM (old.merchant_id)::text) OR ((new.checkout_id)::text IS DISTINCT FROM (old.checkout_id)::text)) OR ((new.nonce)::text IS DISTINCT FROM (old.nonce)::text)) OR ((new.psps)::text[] IS DISTINCT FROM (old.psps)::text[])) OR (new.key_windows IS DISTINCT FROM old.key_windows))) EXECUTE FUNCTION pay.refuse_change('one nonce for ever', 'PAY11');

ALTER TABLE pay.registration ENABLE ALWAYS TRIGGER registration_fixed;

--
-- Name: registration registration_psp; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER registration_psp BEFORE UPDATE OF psp ON pay.registration FOR EACH ROW WHEN ((((new.psp)::text <> (old.psp)::text) AND (((old.state)::text <> 'REGISTERING'::text) OR ((new.state)::text <> 'REGISTERING'::text) OR (old.token IS NOT NULL) OR ((old.open_attempts)::integer > 1) OR ((new.attempt)::integer <= (old.attempt)::integer) OR ((new.open_attempts)::integer <> 1) OR ((new.psp)::text <> ALL ((old.psps)::text[])) OR ((new.psp)::text = ANY (old.refused_psps))))) EXECUTE FUNCTION pay.refuse_change('something may have happened there', 'PAY11');

ALTER TABLE pay.registration ENABLE ALWAYS TRIGGER registration_psp;

--
-- Name: registration registration_token; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER registration_token BEFORE UPDATE OF token, alias, attempt ON pay.registration FOR EACH ROW WHEN ((((old.token IS NOT NULL) AND (((new.token)::text IS DISTINCT FROM (old.token)::text) OR ((new.alias)::text IS DISTINCT FROM (old.alias)::text))) OR ((new.attempt)::integer < (old.attempt)::integer))) EXECUTE FUNCTION pay.refuse_change('one token for ever', 'PAY11');

ALTER TABLE pay.registration ENABLE ALWAYS TRIGGER registration_token;

--
-- Name: seal seal_kept; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER seal_kept BEFORE DELETE OR TRUNCATE ON pay.seal FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('seals are append-only', 'PAY20');

ALTER TABLE pay.seal ENABLE ALWAYS TRIGGER seal_kept;

--
-- Name: seal_leaf seal_leaf_append_only; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER seal_leaf_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.seal_leaf FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('seals are append-only', 'PAY20');

ALTER TABLE pay.seal_leaf ENABLE ALWAYS TRIGGER seal_leaf_append_only;

--
-- Name: seal seal_signed; Type: TRIGGER; Schema: pay; Owner: payments_owner
--

CREATE TRIGGER seal_signed BEFORE UPDATE ON pay.seal FOR EACH ROW WHEN (((old.signature IS NOT NULL) OR (new.signature IS NULL) OR ((((((((new.number IS DISTINCT FROM old.number) OR (new.from_tx IS DISTINCT FROM old.from_tx)) OR (new.until_tx IS DISTINCT FROM old.until_tx)) OR (new.at IS DISTINCT FROM old.at)) OR (new.count IS DISTINCT FROM old.count)) OR (new.root IS DISTINCT FROM old.root)) OR (new.previous IS DISTINCT FROM old.previous)) OR (new.message IS DISTINCT FROM old.message)))) EXECUTE FUNCTION pay.refuse_change('seals are append-only', 'PAY20');

ALTER TABLE pay.seal ENABLE ALWAYS TRIGGER seal_signed;

--
-- Name: change change_merchant_id_checkout_id_fkey; Type: FK CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.change
    ADD CONSTRAINT change_merchant_id_checkout_id_fkey FOREIGN KEY (merchant_id, checkout_id) REFERENCES pay.checkout(merchant_id, checkout_id);

--
-- Name: dispatch dispatch_merchant_id_checkout_id_fkey; Type: FK CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.dispatch
    ADD CONSTRAINT dispatch_merchant_id_checkout_id_fkey FOREIGN KEY (merchant_id, checkout_id) REFERENCES pay.checkout(merchant_id, checkout_id);

--
-- Name: dispute dispute_merchant_id_checkout_id_fkey; Type: FK CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.dispute
    ADD CONSTRAINT dispute_merchant_id_checkout_id_fkey FOREIGN KEY (merchant_id, checkout_id) REFERENCES pay.checkout(merchant_id, checkout_id);

--
-- Name: late_success late_success_merchant_id_checkout_id_fkey; Type: FK CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.late_success
    ADD CONSTRAINT late_success_merchant_id_checkout_id_fkey FOREIGN KEY (merchant_id, checkout_id) REFERENCES pay.checkout(merchant_id, checkout_id);

--
-- Name: mismatch_settlement mismatch_settlement_merchant_id_checkout_id_mismatch_id_fkey; Type: FK CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.mismatch_settlement
    ADD CONSTRAINT mismatch_settlement_merchant_id_checkout_id_mismatch_id_fkey FOREIGN KEY (merchant_id, checkout_id, mismatch_id) REFERENCES pay.mismatch(merchant_id, checkout_id, mismatch_id);

--
-- Name: payment_order payment_order_merchant_id_checkout_id_fkey; Type: FK CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.payment_order
    ADD CONSTRAINT payment_order_merchant_id_checkout_id_fkey FOREIGN KEY (merchant_id, checkout_id) REFERENCES pay.checkout(merchant_id, checkout_id);

--
-- Name: posting_rule posting_rule_account_fkey; Type: FK CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.posting_rule
    ADD CONSTRAINT posting_rule_account_fkey FOREIGN KEY (account) REFERENCES pay.account_kind(account);

--
-- Name: posting_rule posting_rule_kind_fkey; Type: FK CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.posting_rule
    ADD CONSTRAINT posting_rule_kind_fkey FOREIGN KEY (kind) REFERENCES pay.posting_kind(kind);

--
-- Name: rate rate_source_fkey; Type: FK CONSTRAINT; Schema: pay; Owner: payments_owner
--

ALTER TABLE ONLY pay.rate
    ADD CONSTRAINT rate_source_fkey FOREIGN KEY (source) REFERENCES pay.rate_source(source);

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
-- Name: SCHEMA pay_check; Type: ACL; Schema: -; Owner: payments_owner
--

GRANT USAGE ON SCHEMA pay_check TO payments_auditor;
GRANT USAGE ON SCHEMA pay_check TO payments_operator;

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
-- Name: FUNCTION all_merchants(); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.all_merchants() FROM PUBLIC;

--
-- Name: FUNCTION all_psps(); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.all_psps() FROM PUBLIC;

--
-- Name: FUNCTION all_sold(p_merchant_id text, p_checkout_id text, p_order_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.all_sold(p_merchant_id text, p_checkout_id text, p_order_id text) FROM PUBLIC;

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
-- Name: FUNCTION apply_named(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.apply_named(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[]) FROM PUBLIC;

--
-- Name: FUNCTION apply_parked(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.apply_parked(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[]) FROM PUBLIC;

--
-- Name: FUNCTION asked_by_ok(p_asked_by jsonb); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.asked_by_ok(p_asked_by jsonb) FROM PUBLIC;

--
-- Name: FUNCTION asked_detail(p_asked_by jsonb); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.asked_detail(p_asked_by jsonb) FROM PUBLIC;

--
-- Name: TABLE mismatch; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.mismatch TO payments_auditor;
GRANT SELECT ON TABLE pay.mismatch TO payments_operator;

--
-- Name: FUNCTION assign_money(p_mismatch pay.mismatch, p_orders text[], p_amounts bigint[], OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.assign_money(p_mismatch pay.mismatch, p_orders text[], p_amounts bigint[], OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: TABLE payment_order; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.payment_order TO payments_auditor;
GRANT SELECT ON TABLE pay.payment_order TO payments_operator;

--
-- Name: FUNCTION attempt_is_news(p_order pay.payment_order, p_attempt text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.attempt_is_news(p_order pay.payment_order, p_attempt text) FROM PUBLIC;

--
-- Name: FUNCTION await_names(p_news pay.news[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.await_names(p_news pay.news[]) FROM PUBLIC;

--
-- Name: FUNCTION await_tokens(p_facts pay.fact[], p_duplicates integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.await_tokens(p_facts pay.fact[], p_duplicates integer[]) FROM PUBLIC;

--
-- Name: FUNCTION begin_items(p_items pay.payment_item[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.begin_items(p_items pay.payment_item[]) FROM PUBLIC;

--
-- Name: FUNCTION begin_one_change(p_item pay.change_item, p_begun text[], OUT outcome text, OUT change_id text, OUT told pay.fact); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.begin_one_change(p_item pay.change_item, p_begun text[], OUT outcome text, OUT change_id text, OUT told pay.fact) FROM PUBLIC;

--
-- Name: FUNCTION body_ok(p_psp text, p_digest bytea, p_body bytea, p_size bigint, p_left_out text, p_days bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.body_ok(p_psp text, p_digest bytea, p_body bytea, p_size bigint, p_left_out text, p_days bigint) FROM PUBLIC;

--
-- Name: FUNCTION book_facts(p_facts pay.fact[], p_moved integer[], p_late integer[], p_booked pay.posting[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.book_facts(p_facts pay.fact[], p_moved integer[], p_late integer[], p_booked pay.posting[]) FROM PUBLIC;

--
-- Name: FUNCTION booked(p_merchant_id text, p_checkout_id text, p_payment_order_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.booked(p_merchant_id text, p_checkout_id text, p_payment_order_id text) FROM PUBLIC;

--
-- Name: FUNCTION cancel_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.cancel_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text) FROM PUBLIC;

--
-- Name: TABLE change; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.change TO payments_auditor;
GRANT SELECT ON TABLE pay.change TO payments_operator;

--
-- Name: FUNCTION capture_done(p_change pay.change, p_word pay.fact); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.capture_done(p_change pay.change, p_word pay.fact) FROM PUBLIC;

--
-- Name: FUNCTION capture_names(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_state text[], p_reference text[], p_items integer[], OUT psps text[], OUT names text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.capture_names(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_state text[], p_reference text[], p_items integer[], OUT psps text[], OUT names text[]) FROM PUBLIC;

--
-- Name: FUNCTION capture_of_amount(p_news pay.news); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.capture_of_amount(p_news pay.news) FROM PUBLIC;

--
-- Name: FUNCTION capture_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.capture_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text) FROM PUBLIC;

--
-- Name: FUNCTION captures_out(p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.captures_out(p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION chained_hash(p_previous text, p_merchant_id text, p_payment_order_id text, p_seq text, p_at text, p_tx text, p_kind text, p_actor text, p_old_status text, p_new_status text, p_reason text, p_detail text, p_request_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.chained_hash(p_previous text, p_merchant_id text, p_payment_order_id text, p_seq text, p_at text, p_tx text, p_kind text, p_actor text, p_old_status text, p_new_status text, p_reason text, p_detail text, p_request_id text) FROM PUBLIC;

--
-- Name: FUNCTION change_after(p_change pay.change, OUT state text, OUT status text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.change_after(p_change pay.change, OUT state text, OUT status text) FROM PUBLIC;

--
-- Name: FUNCTION change_columns(p_merchant_id text, p_change_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.change_columns(p_merchant_id text, p_change_id text) FROM PUBLIC;

--
-- Name: FUNCTION change_fact(p_change pay.change, p_word pay.fact, p_kind text, p_postings pay.posting[], p_more jsonb); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.change_fact(p_change pay.change, p_word pay.fact, p_kind text, p_postings pay.posting[], p_more jsonb) FROM PUBLIC;

--
-- Name: FUNCTION change_in_progress(p_merchant_id text, p_change_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.change_in_progress(p_merchant_id text, p_change_id text) FROM PUBLIC;

--
-- Name: FUNCTION change_meant(p_news pay.news); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.change_meant(p_news pay.news) FROM PUBLIC;

--
-- Name: FUNCTION change_needs_job(p_merchant_id text, p_change_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.change_needs_job(p_merchant_id text, p_change_id text) FROM PUBLIC;

--
-- Name: FUNCTION change_route(p_kind text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.change_route(p_kind text) FROM PUBLIC;

--
-- Name: FUNCTION changes_of(p_order pay.payment_order, p_kind text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.changes_of(p_order pay.payment_order, p_kind text) FROM PUBLIC;

--
-- Name: FUNCTION check_batch(VARIADIC p_dims text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.check_batch(VARIADIC p_dims text[]) FROM PUBLIC;

--
-- Name: FUNCTION checkout_page(p_merchant_id text, p_status text, p_after timestamp with time zone, p_before timestamp with time zone, p_before_id text, p_limit integer); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.checkout_page(p_merchant_id text, p_status text, p_after timestamp with time zone, p_before timestamp with time zone, p_before_id text, p_limit integer) FROM PUBLIC;

--
-- Name: FUNCTION claim_backfill(p_psp text, p_owner text, p_interval interval, p_lease interval, OUT since_s bigint, OUT until_s bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.claim_backfill(p_psp text, p_owner text, p_interval interval, p_lease interval, OUT since_s bigint, OUT until_s bigint) FROM PUBLIC;

--
-- Name: FUNCTION claim_change_keys(p_items pay.change_item[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.claim_change_keys(p_items pay.change_item[]) FROM PUBLIC;

--
-- Name: FUNCTION claim_rates(p_source text, p_owner text, p_interval interval, p_lease interval, OUT is_due boolean, OUT age_ms bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.claim_rates(p_source text, p_owner text, p_interval interval, p_lease interval, OUT is_due boolean, OUT age_ms bigint) FROM PUBLIC;

--
-- Name: FUNCTION claim_references(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_reference text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.claim_references(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_reference text[]) FROM PUBLIC;

--
-- Name: FUNCTION claim_seal(p_owner text, p_interval interval, p_lease interval, OUT outcome text, OUT number bigint, OUT message text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.claim_seal(p_owner text, p_interval interval, p_lease interval, OUT outcome text, OUT number bigint, OUT message text) FROM PUBLIC;

--
-- Name: FUNCTION claim_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], OUT sure boolean, OUT parked boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.claim_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], OUT sure boolean, OUT parked boolean) FROM PUBLIC;

--
-- Name: FUNCTION cleared_as(p_is_borne boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.cleared_as(p_is_borne boolean) FROM PUBLIC;

--
-- Name: FUNCTION close_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text, p_state text, p_who text, p_why text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.close_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text, p_state text, p_who text, p_why text) FROM PUBLIC;

--
-- Name: FUNCTION close_replaced(p_items pay.payment_item[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.close_replaced(p_items pay.payment_item[]) FROM PUBLIC;

--
-- Name: FUNCTION compare_books(p_from bigint, p_limit integer, OUT until_tx bigint, OUT orders bigint, OUT more boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.compare_books(p_from bigint, p_limit integer, OUT until_tx bigint, OUT orders bigint, OUT more boolean) FROM PUBLIC;

--
-- Name: FUNCTION convert(p_minor bigint, p_from text, p_to text, p_rate numeric); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.convert(p_minor bigint, p_from text, p_to text, p_rate numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.convert(p_minor bigint, p_from text, p_to text, p_rate numeric) TO payments_auditor;
GRANT ALL ON FUNCTION pay.convert(p_minor bigint, p_from text, p_to text, p_rate numeric) TO payments_operator;

--
-- Name: FUNCTION credit_ok(p_credit jsonb); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.credit_ok(p_credit jsonb) FROM PUBLIC;

--
-- Name: FUNCTION current_credit(p_amount_minor bigint, p_currency text, p_credit_currency text, p_credit_rate numeric, p_credit_minor bigint, p_credit_until timestamp with time zone, OUT credit_rate numeric, OUT credit_minor bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.current_credit(p_amount_minor bigint, p_currency text, p_credit_currency text, p_credit_rate numeric, p_credit_minor bigint, p_credit_until timestamp with time zone, OUT credit_rate numeric, OUT credit_minor bigint) FROM PUBLIC;

--
-- Name: FUNCTION decimal_text(p_minor bigint, p_currency text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.decimal_text(p_minor bigint, p_currency text) FROM PUBLIC;

--
-- Name: FUNCTION decline_detail(p_decline text, p_can_retry text, p_attempt text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.decline_detail(p_decline text, p_can_retry text, p_attempt text) FROM PUBLIC;

--
-- Name: FUNCTION delete_losers(p_keyed pay.payment_item[], p_placed pay.payment_item[], p_made pay.payment_item[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.delete_losers(p_keyed pay.payment_item[], p_placed pay.payment_item[], p_made pay.payment_item[]) FROM PUBLIC;

--
-- Name: FUNCTION dispatch_ok(p_merchant_id text, p_checkout_id text, p_operation text, p_operation_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.dispatch_ok(p_merchant_id text, p_checkout_id text, p_operation text, p_operation_id text) FROM PUBLIC;

--
-- Name: TABLE dispute; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.dispute TO payments_auditor;
GRANT SELECT ON TABLE pay.dispute TO payments_operator;

--
-- Name: FUNCTION dispute_fact(p_news pay.news, p_dispute pay.dispute, p_kind text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.dispute_fact(p_news pay.news, p_dispute pay.dispute, p_kind text) FROM PUBLIC;

--
-- Name: FUNCTION dispute_fee(p_news pay.news); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.dispute_fee(p_news pay.news) FROM PUBLIC;

--
-- Name: FUNCTION dispute_parts(p_psp text, p_object text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.dispute_parts(p_psp text, p_object text) FROM PUBLIC;

--
-- Name: FUNCTION dispute_source(p_dispute pay.dispute); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.dispute_source(p_dispute pay.dispute) FROM PUBLIC;

--
-- Name: FUNCTION doubt(p_word pay.fact, p_about text, p_why text, p_object text, p_amount_minor bigint, p_currency text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.doubt(p_word pay.fact, p_about text, p_why text, p_object text, p_amount_minor bigint, p_currency text) FROM PUBLIC;

--
-- Name: FUNCTION drop_change_job(p_change pay.change, p_why text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.drop_change_job(p_change pay.change, p_why text) FROM PUBLIC;

--
-- Name: FUNCTION end_changes(p_facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.end_changes(p_facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION end_dispute(p_news pay.news, p_parts pay.dispute[], OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.end_dispute(p_news pay.news, p_parts pay.dispute[], OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION end_jobs(p_moves pay.move[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.end_jobs(p_moves pay.move[]) FROM PUBLIC;

--
-- Name: FUNCTION end_registers(p_facts pay.fact[], p_reach text[], p_http_status bigint[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.end_registers(p_facts pay.fact[], p_reach text[], p_http_status bigint[]) FROM PUBLIC;

--
-- Name: FUNCTION entry_balances(); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.entry_balances() FROM PUBLIC;

--
-- Name: TABLE event; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.event TO payments_auditor;
GRANT SELECT ON TABLE pay.event TO payments_operator;

--
-- Name: FUNCTION event_bytes(p_previous bytea, p_event pay.event); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.event_bytes(p_previous bytea, p_event pay.event) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.event_bytes(p_previous bytea, p_event pay.event) TO payments_auditor;
GRANT ALL ON FUNCTION pay.event_bytes(p_previous bytea, p_event pay.event) TO payments_operator;

--
-- Name: FUNCTION event_hash(p_previous bytea, p_event pay.event); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.event_hash(p_previous bytea, p_event pay.event) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.event_hash(p_previous bytea, p_event pay.event) TO payments_auditor;
GRANT ALL ON FUNCTION pay.event_hash(p_previous bytea, p_event pay.event) TO payments_operator;

--
-- Name: FUNCTION events_since(p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.events_since(p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION explain(p_merchant_id text, p_payment_order_id text, p_inside boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.explain(p_merchant_id text, p_payment_order_id text, p_inside boolean) FROM PUBLIC;

--
-- Name: FUNCTION explain_changes(p_order pay.payment_order); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.explain_changes(p_order pay.payment_order) FROM PUBLIC;

--
-- Name: FUNCTION explain_dispatches(p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.explain_dispatches(p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION explain_disputes(p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.explain_disputes(p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION explain_exceptions(p_merchant_id text, p_checkout_id text, p_inside boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.explain_exceptions(p_merchant_id text, p_checkout_id text, p_inside boolean) FROM PUBLIC;

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
-- Name: FUNCTION explain_orders(p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.explain_orders(p_merchant_id text, p_checkout_id text) FROM PUBLIC;

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
-- Name: FUNCTION export_range(p_since timestamp with time zone, p_until timestamp with time zone, OUT from_tx bigint, OUT until_tx bigint, OUT first bigint, OUT last bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.export_range(p_since timestamp with time zone, p_until timestamp with time zone, OUT from_tx bigint, OUT until_tx bigint, OUT first bigint, OUT last bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.export_range(p_since timestamp with time zone, p_until timestamp with time zone, OUT from_tx bigint, OUT until_tx bigint, OUT first bigint, OUT last bigint) TO payments_auditor;
GRANT ALL ON FUNCTION pay.export_range(p_since timestamp with time zone, p_until timestamp with time zone, OUT from_tx bigint, OUT until_tx bigint, OUT first bigint, OUT last bigint) TO payments_operator;

--
-- Name: FUNCTION fact_kind(p_fact text, p_amount_minor bigint, p_currency text, p_total_minor bigint, p_own_currency text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.fact_kind(p_fact text, p_amount_minor bigint, p_currency text, p_total_minor bigint, p_own_currency text) FROM PUBLIC;

--
-- Name: FUNCTION find_by_merchant(p_merchant_id text, p_what text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.find_by_merchant(p_merchant_id text, p_what text) FROM PUBLIC;

--
-- Name: FUNCTION find_by_psp(p_psp text, p_what text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.find_by_psp(p_psp text, p_what text) FROM PUBLIC;

--
-- Name: FUNCTION find_change(p_merchant_id text, p_change_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.find_change(p_merchant_id text, p_change_id text) FROM PUBLIC;

--
-- Name: FUNCTION find_moves(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], OUT items integer[], OUT nexts text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.find_moves(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], OUT items integer[], OUT nexts text[]) FROM PUBLIC;

--
-- Name: FUNCTION find_order(p_merchant_id text, p_payment_order_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.find_order(p_merchant_id text, p_payment_order_id text) FROM PUBLIC;

--
-- Name: FUNCTION find_parked(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[], OUT facts pay.fact[], OUT told pay.news[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.find_parked(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[], OUT facts pay.fact[], OUT told pay.news[]) FROM PUBLIC;

--
-- Name: FUNCTION find_request(p_what text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.find_request(p_what text) FROM PUBLIC;

--
-- Name: FUNCTION first_detail(p_psp text, p_route text, p_replaces text, p_asked_by jsonb); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.first_detail(p_psp text, p_route text, p_replaces text, p_asked_by jsonb) FROM PUBLIC;

--
-- Name: FUNCTION follow_moves(p_facts pay.fact[], p_nexts text[], p_lease_ms bigint[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.follow_moves(p_facts pay.fact[], p_nexts text[], p_lease_ms bigint[]) FROM PUBLIC;

--
-- Name: FUNCTION follow_registration(); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.follow_registration() FROM PUBLIC;

--
-- Name: FUNCTION give_back_jobs(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_operation_id text[], p_delay_ms bigint[], p_code text[], p_dead text[], p_items integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.give_back_jobs(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_operation_id text[], p_delay_ms bigint[], p_code text[], p_dead text[], p_items integer[]) FROM PUBLIC;

--
-- Name: FUNCTION half_even(p_value numeric); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.half_even(p_value numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.half_even(p_value numeric) TO payments_auditor;
GRANT ALL ON FUNCTION pay.half_even(p_value numeric) TO payments_operator;

--
-- Name: FUNCTION has_failed(p_news pay.news); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.has_failed(p_news pay.news) FROM PUBLIC;

--
-- Name: FUNCTION has_money(p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.has_money(p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION hash_field(p_value text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.hash_field(p_value text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.hash_field(p_value text) TO payments_auditor;
GRANT ALL ON FUNCTION pay.hash_field(p_value text) TO payments_operator;

--
-- Name: FUNCTION hear_capture(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.hear_capture(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION hear_captures(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.hear_captures(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION hear_change(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.hear_change(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION hear_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_items integer[], OUT stored integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.hear_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_items integer[], OUT stored integer[]) FROM PUBLIC;

--
-- Name: FUNCTION hear_dispute(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.hear_dispute(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION hear_fee(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.hear_fee(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: TABLE late_success; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.late_success TO payments_auditor;
GRANT SELECT ON TABLE pay.late_success TO payments_operator;

--
-- Name: FUNCTION hear_late_refund(p_news pay.news, p_late pay.late_success, OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.hear_late_refund(p_news pay.news, p_late pay.late_success, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION hear_news(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.hear_news(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION hear_own_capture(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.hear_own_capture(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION hear_own_refund(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.hear_own_refund(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION hear_parts(p_parts pay.change[], p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.hear_parts(p_parts pay.change[], p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION hear_refund(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.hear_refund(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION hear_single(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.hear_single(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION hear_suspended(p_news pay.news, p_amount_minor bigint, p_currency text, p_is_over boolean, p_is_borne boolean, OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.hear_suspended(p_news pay.news, p_amount_minor bigint, p_currency text, p_is_over boolean, p_is_borne boolean, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION hold_is_over(p_news pay.news, p_word text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.hold_is_over(p_news pay.news, p_word text) FROM PUBLIC;

--
-- Name: FUNCTION holds_names(p_merchant_id text, p_checkout_id text, p_psp text, p_token text, p_alias text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.holds_names(p_merchant_id text, p_checkout_id text, p_psp text, p_token text, p_alias text) FROM PUBLIC;

--
-- Name: FUNCTION id_ok(p_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.id_ok(p_id text) FROM PUBLIC;

--
-- Name: FUNCTION in_suspense(p_merchant_id text, p_psp text, p_object text, OUT amount_minor bigint, OUT currency text, OUT is_over boolean, OUT is_borne boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.in_suspense(p_merchant_id text, p_psp text, p_object text, OUT amount_minor bigint, OUT currency text, OUT is_over boolean, OUT is_borne boolean) FROM PUBLIC;

--
-- Name: FUNCTION insert_beginnings(p_items pay.payment_item[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.insert_beginnings(p_items pay.payment_item[]) FROM PUBLIC;

--
-- Name: FUNCTION insert_change(p_item pay.change_item, p_order pay.payment_order, p_amount_minor bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.insert_change(p_item pay.change_item, p_order pay.payment_order, p_amount_minor bigint) FROM PUBLIC;

--
-- Name: FUNCTION insert_checkouts(p_items pay.payment_item[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.insert_checkouts(p_items pay.payment_item[]) FROM PUBLIC;

--
-- Name: FUNCTION insert_dispute(p_news pay.news, p_order pay.payment_order, p_amount_minor bigint, p_part integer); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.insert_dispute(p_news pay.news, p_order pay.payment_order, p_amount_minor bigint, p_part integer) FROM PUBLIC;

--
-- Name: FUNCTION insert_entries(p_postings pay.posting[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.insert_entries(p_postings pay.posting[]) FROM PUBLIC;

--
-- Name: FUNCTION insert_keys(p_items pay.payment_item[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.insert_keys(p_items pay.payment_item[]) FROM PUBLIC;

--
-- Name: FUNCTION insert_lines(p_postings pay.posting[], p_new integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.insert_lines(p_postings pay.posting[], p_new integer[]) FROM PUBLIC;

--
-- Name: FUNCTION insert_news(p_news pay.news[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.insert_news(p_news pay.news[]) FROM PUBLIC;

--
-- Name: FUNCTION insert_orders(p_items pay.payment_item[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.insert_orders(p_items pay.payment_item[]) FROM PUBLIC;

--
-- Name: FUNCTION insert_outside(p_news pay.news, p_order pay.payment_order, p_amount_minor bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.insert_outside(p_news pay.news, p_order pay.payment_order, p_amount_minor bigint) FROM PUBLIC;

--
-- Name: FUNCTION insert_registrations(p_items pay.payment_item[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.insert_registrations(p_items pay.payment_item[]) FROM PUBLIC;

--
-- Name: FUNCTION insert_webhooks(p_facts pay.fact[], p_fact text[], p_digest bytea[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.insert_webhooks(p_facts pay.fact[], p_fact text[], p_digest bytea[]) FROM PUBLIC;

--
-- Name: FUNCTION is_booked(p_merchant_id text, p_source text, p_kind text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_booked(p_merchant_id text, p_source text, p_kind text) FROM PUBLIC;

--
-- Name: FUNCTION is_closing(p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_closing(p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION is_currency(p_currency text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_currency(p_currency text) FROM PUBLIC;

--
-- Name: FUNCTION is_early(p_news pay.news); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_early(p_news pay.news) FROM PUBLIC;

--
-- Name: FUNCTION is_failed(p_change pay.change); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_failed(p_change pay.change) FROM PUBLIC;

--
-- Name: FUNCTION is_held_late(p_order pay.payment_order); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_held_late(p_order pay.payment_order) FROM PUBLIC;

--
-- Name: FUNCTION is_money(p_news text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_money(p_news text) FROM PUBLIC;

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
-- Name: FUNCTION is_reserved(p_change pay.change); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_reserved(p_change pay.change) FROM PUBLIC;

--
-- Name: FUNCTION is_sealed(p_from timestamp with time zone, p_until timestamp with time zone); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_sealed(p_from timestamp with time zone, p_until timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION is_statement(p_text text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_statement(p_text text) FROM PUBLIC;

--
-- Name: FUNCTION is_tangled(p_from timestamp with time zone, p_until timestamp with time zone); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_tangled(p_from timestamp with time zone, p_until timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION is_told(p_merchant_id text, p_checkout_id text, p_payment_order_id text, p_kind text, p_actor text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_told(p_merchant_id text, p_checkout_id text, p_payment_order_id text, p_kind text, p_actor text) FROM PUBLIC;

--
-- Name: FUNCTION is_unfinished(p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_unfinished(p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION is_unsettled(p_merchant_id text, p_checkout_id text, p_operation text, p_operation_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_unsettled(p_merchant_id text, p_checkout_id text, p_operation text, p_operation_id text) FROM PUBLIC;

--
-- Name: FUNCTION is_untold(p_news pay.news); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.is_untold(p_news pay.news) FROM PUBLIC;

--
-- Name: FUNCTION iso_micros(p_at timestamp with time zone); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.iso_micros(p_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.iso_micros(p_at timestamp with time zone) TO payments_auditor;
GRANT ALL ON FUNCTION pay.iso_micros(p_at timestamp with time zone) TO payments_operator;

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
-- Name: TABLE checkout; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.checkout TO payments_auditor;
GRANT SELECT ON TABLE pay.checkout TO payments_operator;

--
-- Name: FUNCTION judge_release(p_new pay.checkout); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.judge_release(p_new pay.checkout) FROM PUBLIC;

--
-- Name: FUNCTION judge_replaced(p_old pay.checkout, p_can_close boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.judge_replaced(p_old pay.checkout, p_can_close boolean) FROM PUBLIC;

--
-- Name: FUNCTION keep_anchors(p_month date, p_until timestamp with time zone, p_who text, p_why text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.keep_anchors(p_month date, p_until timestamp with time zone, p_who text, p_why text) FROM PUBLIC;

--
-- Name: FUNCTION keep_difference(p_merchant_id text, p_checkout_id text, p_detail jsonb); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.keep_difference(p_merchant_id text, p_checkout_id text, p_detail jsonb) FROM PUBLIC;

--
-- Name: FUNCTION keep_failed_capture(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.keep_failed_capture(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION keep_failure(p_news pay.news, p_order pay.payment_order, OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.keep_failure(p_news pay.news, p_order pay.payment_order, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION keep_invalid(p_items integer[], p_psp text[], p_source text[], p_event_id text[], p_token text[], p_reference text[], p_object text[], p_amount_minor bigint[], p_currency text[], p_request_id text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.keep_invalid(p_items integer[], p_psp text[], p_source text[], p_event_id text[], p_token text[], p_reference text[], p_object text[], p_amount_minor bigint[], p_currency text[], p_request_id text[]) FROM PUBLIC;

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
-- Name: FUNCTION late_meant(p_news pay.news); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.late_meant(p_news pay.news) FROM PUBLIC;

--
-- Name: FUNCTION late_postings(p_facts pay.fact[], p_late integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.late_postings(p_facts pay.fact[], p_late integer[]) FROM PUBLIC;

--
-- Name: FUNCTION lay_dispute(p_news pay.news, p_orders pay.payment_order[], p_parts bigint[], p_first integer, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.lay_dispute(p_news pay.news, p_orders pay.payment_order[], p_parts bigint[], p_first integer, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION lay_down(p_news pay.news, p_state text, p_orders pay.payment_order[], p_parts bigint[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.lay_down(p_news pay.news, p_state text, p_orders pay.payment_order[], p_parts bigint[]) FROM PUBLIC;

--
-- Name: FUNCTION lay_refund(p_news pay.news, p_orders pay.payment_order[], p_parts bigint[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.lay_refund(p_news pay.news, p_orders pay.payment_order[], p_parts bigint[]) FROM PUBLIC;

--
-- Name: FUNCTION letters_of(p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.letters_of(p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION lines_with_entry(); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.lines_with_entry() FROM PUBLIC;

--
-- Name: FUNCTION locate_news(p_news pay.news[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.locate_news(p_news pay.news[]) FROM PUBLIC;

--
-- Name: FUNCTION lock_checkouts(p_merchant_id text[], p_checkout_id text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.lock_checkouts(p_merchant_id text[], p_checkout_id text[]) FROM PUBLIC;

--
-- Name: FUNCTION lock_dead_letter(p_id bigint, OUT letter pay.dead_letter, OUT merchant text, OUT checkout text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.lock_dead_letter(p_id bigint, OUT letter pay.dead_letter, OUT merchant text, OUT checkout text) FROM PUBLIC;

--
-- Name: FUNCTION lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[], OUT operations text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[], OUT operations text[]) FROM PUBLIC;

--
-- Name: FUNCTION lock_refund_wallets(p_items pay.change_item[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.lock_refund_wallets(p_items pay.change_item[]) FROM PUBLIC;

--
-- Name: FUNCTION lock_wallets(p_merchant_id text[], p_seller text[], p_currency text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.lock_wallets(p_merchant_id text[], p_seller text[], p_currency text[]) FROM PUBLIC;

--
-- Name: FUNCTION make_partition(p_month date); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.make_partition(p_month date) FROM PUBLIC;

--
-- Name: FUNCTION make_partitions(p_move boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.make_partitions(p_move boolean) FROM PUBLIC;

--
-- Name: TABLE seal; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.seal TO payments_auditor;
GRANT SELECT ON TABLE pay.seal TO payments_operator;

--
-- Name: FUNCTION make_seal(p_most integer, OUT made pay.seal, OUT is_full boolean, OUT is_behind boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.make_seal(p_most integer, OUT made pay.seal, OUT is_full boolean, OUT is_behind boolean) FROM PUBLIC;

--
-- Name: FUNCTION manual_kind(p_kind text, p_actor text, p_order_id text, p_capture text, p_order pay.payment_order); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.manual_kind(p_kind text, p_actor text, p_order_id text, p_capture text, p_order pay.payment_order) FROM PUBLIC;

--
-- Name: FUNCTION manual_postings(p_was pay.payment_order, p_now pay.payment_order, p_news text, p_request_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.manual_postings(p_was pay.payment_order, p_now pay.payment_order, p_news text, p_request_id text) FROM PUBLIC;

--
-- Name: FUNCTION mark_duplicates(p_news pay.news[], p_psps text[], p_events text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.mark_duplicates(p_news pay.news[], p_psps text[], p_events text[]) FROM PUBLIC;

--
-- Name: FUNCTION match_capture(p_change pay.change, p_outside pay.change, p_word pay.fact, p_by_amount boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.match_capture(p_change pay.change, p_outside pay.change, p_word pay.fact, p_by_amount boolean) FROM PUBLIC;

--
-- Name: FUNCTION may_be_stuck(p_merchant_id text, p_checkout_id text, p_reason text, p_since timestamp with time zone, p_limit interval); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.may_be_stuck(p_merchant_id text, p_checkout_id text, p_reason text, p_since timestamp with time zone, p_limit interval) FROM PUBLIC;

--
-- Name: FUNCTION median_rate(p_base text, p_quote text, p_age interval); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.median_rate(p_base text, p_quote text, p_age interval) FROM PUBLIC;

--
-- Name: FUNCTION merkle_root(p_hashes bytea[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.merkle_root(p_hashes bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.merkle_root(p_hashes bytea[]) TO payments_auditor;
GRANT ALL ON FUNCTION pay.merkle_root(p_hashes bytea[]) TO payments_operator;

--
-- Name: FUNCTION minor_of(p_amount text, p_currency text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.minor_of(p_amount text, p_currency text) FROM PUBLIC;

--
-- Name: FUNCTION move_change(p_change pay.change, p_to text, p_word pay.fact); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.move_change(p_change pay.change, p_to text, p_word pay.fact) FROM PUBLIC;

--
-- Name: FUNCTION move_orders(p_facts pay.fact[], p_turn integer, OUT moved integer[], OUT late integer[], OUT against integer[], OUT told integer[], OUT booked pay.posting[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.move_orders(p_facts pay.fact[], p_turn integer, OUT moved integer[], OUT late integer[], OUT against integer[], OUT told integer[], OUT booked pay.posting[]) FROM PUBLIC;

--
-- Name: FUNCTION move_registers(p_facts pay.fact[], p_outcome text[], p_reach text[], p_http_status bigint[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.move_registers(p_facts pay.fact[], p_outcome text[], p_reach text[], p_http_status bigint[]) FROM PUBLIC;

--
-- Name: FUNCTION move_registrations(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], p_lease_ms bigint[], OUT items integer[], OUT nexts text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.move_registrations(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], p_lease_ms bigint[], OUT items integer[], OUT nexts text[]) FROM PUBLIC;

--
-- Name: FUNCTION name_capture(p_news pay.news); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.name_capture(p_news pay.news) FROM PUBLIC;

--
-- Name: FUNCTION named_order(p_news pay.news); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.named_order(p_news pay.news) FROM PUBLIC;

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
-- Name: FUNCTION news_doubt(p_news pay.news, p_why text, p_postings pay.posting[], OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.news_doubt(p_news pay.news, p_why text, p_postings pay.posting[], OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION news_fact(p_news pay.news, p_kind text, p_order_id text, p_postings pay.posting[], p_more jsonb); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.news_fact(p_news pay.news, p_kind text, p_order_id text, p_postings pay.posting[], p_more jsonb) FROM PUBLIC;

--
-- Name: FUNCTION news_kind(p_kind text, p_actor text, p_status text, p_policy text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.news_kind(p_kind text, p_actor text, p_status text, p_policy text) FROM PUBLIC;

--
-- Name: FUNCTION news_of(p_change pay.change, p_object text, p_word pay.fact); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.news_of(p_change pay.change, p_object text, p_word pay.fact) FROM PUBLIC;

--
-- Name: FUNCTION news_of_mismatch(p_mismatch pay.mismatch, p_news text, p_amount_minor bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.news_of_mismatch(p_mismatch pay.mismatch, p_news text, p_amount_minor bigint) FROM PUBLIC;

--
-- Name: FUNCTION news_ok(p_about text, p_news text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.news_ok(p_about text, p_news text) FROM PUBLIC;

--
-- Name: FUNCTION news_source(p_news pay.news); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.news_source(p_news pay.news) FROM PUBLIC;

--
-- Name: FUNCTION news_word(p_news pay.news); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.news_word(p_news pay.news) FROM PUBLIC;

--
-- Name: FUNCTION next_checkouts(OUT merchants text[], OUT checkouts text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.next_checkouts(OUT merchants text[], OUT checkouts text[]) FROM PUBLIC;

--
-- Name: FUNCTION next_decline(p_old jsonb, p_detail jsonb, p_at timestamp with time zone); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.next_decline(p_old jsonb, p_detail jsonb, p_at timestamp with time zone) FROM PUBLIC;

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
-- Name: FUNCTION number_facts(p_facts pay.fact[], p_after integer); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.number_facts(p_facts pay.fact[], p_after integer) FROM PUBLIC;

--
-- Name: FUNCTION old_page_is_open(p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.old_page_is_open(p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION only_order(p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.only_order(p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION open_change(p_order pay.payment_order, OUT kind text, OUT run_at timestamp with time zone, OUT letter boolean, OUT code text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.open_change(p_order pay.payment_order, OUT kind text, OUT run_at timestamp with time zone, OUT letter boolean, OUT code text) FROM PUBLIC;

--
-- Name: FUNCTION open_dead_letter(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_event_id text[], p_kind text[], p_reason text[], p_code text[], p_attempts integer[], p_operation_id text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.open_dead_letter(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_event_id text[], p_kind text[], p_reason text[], p_code text[], p_attempts integer[], p_operation_id text[]) FROM PUBLIC;

--
-- Name: FUNCTION open_dispute(p_news pay.news, OUT outcome text, OUT facts pay.fact[], OUT is_ours boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.open_dispute(p_news pay.news, OUT outcome text, OUT facts pay.fact[], OUT is_ours boolean) FROM PUBLIC;

--
-- Name: FUNCTION open_mismatches(p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.open_mismatches(p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION order_differences(p_merchant_id text[], p_payment_order_id text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.order_differences(p_merchant_id text[], p_payment_order_id text[]) FROM PUBLIC;

--
-- Name: FUNCTION order_is(p_merchant_id text, p_checkout_id text, p_statuses text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.order_is(p_merchant_id text, p_checkout_id text, p_statuses text[]) FROM PUBLIC;

--
-- Name: FUNCTION order_money(p_order pay.payment_order, p_capture text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.order_money(p_order pay.payment_order, p_capture text) FROM PUBLIC;

--
-- Name: FUNCTION order_ok(p_order jsonb, p_currency text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.order_ok(p_order jsonb, p_currency text) FROM PUBLIC;

--
-- Name: FUNCTION order_posting(p_order pay.payment_order, p_source text, p_kind text, p_psp text, p_amount_minor bigint, p_seller_minor bigint, p_request_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.order_posting(p_order pay.payment_order, p_source text, p_kind text, p_psp text, p_amount_minor bigint, p_seller_minor bigint, p_request_id text) FROM PUBLIC;

--
-- Name: FUNCTION orders_named(p_mismatch pay.mismatch, p_orders text[], p_amounts bigint[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.orders_named(p_mismatch pay.mismatch, p_orders text[], p_amounts bigint[]) FROM PUBLIC;

--
-- Name: FUNCTION outbox_kind(p_news text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.outbox_kind(p_news text) FROM PUBLIC;

--
-- Name: FUNCTION outside_captures(p_news pay.news, p_left bigint, OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.outside_captures(p_news pay.news, p_left bigint, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION outside_pending(p_change pay.change, p_news pay.news); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.outside_pending(p_change pay.change, p_news pay.news) FROM PUBLIC;

--
-- Name: FUNCTION outside_refund(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.outside_refund(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION overdraws(p_order pay.payment_order, p_amount_minor bigint, p_begun text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.overdraws(p_order pay.payment_order, p_amount_minor bigint, p_begun text[]) FROM PUBLIC;

--
-- Name: FUNCTION own_object(p_change pay.change, p_object text, p_word pay.fact, OUT facts pay.fact[], OUT failed boolean, OUT done boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.own_object(p_change pay.change, p_object text, p_word pay.fact, OUT facts pay.fact[], OUT failed boolean, OUT done boolean) FROM PUBLIC;

--
-- Name: FUNCTION page_is_closed(p_order pay.payment_order); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.page_is_closed(p_order pay.payment_order) FROM PUBLIC;

--
-- Name: FUNCTION parked_references(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[], OUT merchants text[], OUT checkouts text[], OUT psps text[], OUT names text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.parked_references(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[], OUT merchants text[], OUT checkouts text[], OUT psps text[], OUT names text[]) FROM PUBLIC;

--
-- Name: FUNCTION part_capture(p_change pay.change, p_word pay.fact, OUT parted pay.change, OUT told pay.fact); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.part_capture(p_change pay.change, p_word pay.fact, OUT parted pay.change, OUT told pay.fact) FROM PUBLIC;

--
-- Name: FUNCTION part_posting(p_order pay.payment_order, p_source text, p_kind text, p_psp text, p_before bigint, p_part bigint, p_request_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.part_posting(p_order pay.payment_order, p_source text, p_kind text, p_psp text, p_before bigint, p_part bigint, p_request_id text) FROM PUBLIC;

--
-- Name: FUNCTION parts_of(p_merchant_id text, p_checkout_id text, p_psp text, p_object text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.parts_of(p_merchant_id text, p_checkout_id text, p_psp text, p_object text) FROM PUBLIC;

--
-- Name: FUNCTION place_is_free(p_old pay.checkout); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.place_is_free(p_old pay.checkout) FROM PUBLIC;

--
-- Name: FUNCTION poll_later(p_merchant_id text[], p_checkout_id text[], p_poll_after_ms bigint[], p_items integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.poll_later(p_merchant_id text[], p_checkout_id text[], p_poll_after_ms bigint[], p_items integer[]) FROM PUBLIC;

--
-- Name: FUNCTION poll_soon(p_facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.poll_soon(p_facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION post(p_postings pay.posting[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.post(p_postings pay.posting[]) FROM PUBLIC;

--
-- Name: FUNCTION psp_posting(p_news pay.news, p_kind text, p_amount_minor bigint, p_currency text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.psp_posting(p_news pay.news, p_kind text, p_amount_minor bigint, p_currency text) FROM PUBLIC;

--
-- Name: FUNCTION purge(p_limit integer, p_ignored_after interval, p_closed_after interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint, OUT dead_letters bigint, OUT quarantined bigint, OUT webhook_bodies bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.purge(p_limit integer, p_ignored_after interval, p_closed_after interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint, OUT dead_letters bigint, OUT quarantined bigint, OUT webhook_bodies bigint) FROM PUBLIC;

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
-- Name: FUNCTION quote_items(p_items pay.payment_item[], OUT quoted pay.payment_item[], OUT missing integer[], OUT too_large integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.quote_items(p_items pay.payment_item[], OUT quoted pay.payment_item[], OUT missing integer[], OUT too_large integer[]) FROM PUBLIC;

--
-- Name: FUNCTION quote_orders(p_item pay.payment_item, OUT orders jsonb, OUT too_large boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.quote_orders(p_item pay.payment_item, OUT orders jsonb, OUT too_large boolean) FROM PUBLIC;

--
-- Name: FUNCTION rate_ok(p_rate text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.rate_ok(p_rate text) FROM PUBLIC;

--
-- Name: FUNCTION rates_ok(p_base text, p_rates jsonb); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.rates_ok(p_base text, p_rates jsonb) FROM PUBLIC;

--
-- Name: FUNCTION reach_ok(p_reach text, p_http_status bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.reach_ok(p_reach text, p_http_status bigint) FROM PUBLIC;

--
-- Name: FUNCTION read_change_items(p_merchant_id text[], p_payment_order_id text[], p_kind text[], p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[], p_reason text[], p_metadata jsonb[], p_lease_ms bigint[], p_request_id text[], p_asked_by jsonb[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.read_change_items(p_merchant_id text[], p_payment_order_id text[], p_kind text[], p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[], p_reason text[], p_metadata jsonb[], p_lease_ms bigint[], p_request_id text[], p_asked_by jsonb[]) FROM PUBLIC;

--
-- Name: FUNCTION read_facts(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_request_id text[], p_decline text[], p_can_retry text[], p_attempt text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.read_facts(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_request_id text[], p_decline text[], p_can_retry text[], p_attempt text[]) FROM PUBLIC;

--
-- Name: FUNCTION read_news(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_about text[], p_news text[], p_token text[], p_reference text[], p_object text[], p_operation_id text[], p_amount_minor bigint[], p_currency text[], p_fee_minor bigint[], p_fee_currency text[], p_code text[], p_digest bytea[], p_request_id text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.read_news(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_about text[], p_news text[], p_token text[], p_reference text[], p_object text[], p_operation_id text[], p_amount_minor bigint[], p_currency text[], p_fee_minor bigint[], p_fee_currency text[], p_code text[], p_digest bytea[], p_request_id text[]) FROM PUBLIC;

--
-- Name: FUNCTION read_no_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_request_id text[], p_reach text[], p_http_status bigint[], p_attempt bigint[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.read_no_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_request_id text[], p_reach text[], p_http_status bigint[], p_attempt bigint[]) FROM PUBLIC;

--
-- Name: FUNCTION read_windows(p_windows text, p_count integer); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.read_windows(p_windows text, p_count integer) FROM PUBLIC;

--
-- Name: FUNCTION record_facts(p_facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.record_facts(p_facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION refund_done(p_change pay.change, p_word pay.fact); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.refund_done(p_change pay.change, p_word pay.fact) FROM PUBLIC;

--
-- Name: FUNCTION refund_failed(p_change pay.change, p_word pay.fact); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.refund_failed(p_change pay.change, p_word pay.fact) FROM PUBLIC;

--
-- Name: FUNCTION refund_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.refund_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text) FROM PUBLIC;

--
-- Name: FUNCTION refuse_change(); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.refuse_change() FROM PUBLIC;

--
-- Name: FUNCTION refuse_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_request_id text[], p_late integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.refuse_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_request_id text[], p_late integer[]) FROM PUBLIC;

--
-- Name: FUNCTION release_change_keys(p_items pay.change_item[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.release_change_keys(p_items pay.change_item[]) FROM PUBLIC;

--
-- Name: FUNCTION release_one(p_new pay.checkout, p_word text, p_lease interval, p_request_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.release_one(p_new pay.checkout, p_word text, p_lease interval, p_request_id text) FROM PUBLIC;

--
-- Name: FUNCTION reopen_letter(p_id bigint, p_who text, p_why text, p_accept boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.reopen_letter(p_id bigint, p_who text, p_why text, p_accept boolean) FROM PUBLIC;

--
-- Name: FUNCTION replaced_fact(p_merchant_id text, p_old text, p_new text, p_psp text, p_actor text, p_request_id text, p_asked_by jsonb); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.replaced_fact(p_merchant_id text, p_old text, p_new text, p_psp text, p_actor text, p_request_id text, p_asked_by jsonb) FROM PUBLIC;

--
-- Name: FUNCTION request_fact(p_change pay.change, p_order pay.payment_order, p_asked_by jsonb); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.request_fact(p_change pay.change, p_order pay.payment_order, p_asked_by jsonb) FROM PUBLIC;

--
-- Name: FUNCTION request_time(p_request_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.request_time(p_request_id text) FROM PUBLIC;

--
-- Name: FUNCTION requote_orders(p_facts pay.fact[], p_moved integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.requote_orders(p_facts pay.fact[], p_moved integer[]) FROM PUBLIC;

--
-- Name: FUNCTION retry_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.retry_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION room_of(p_order pay.payment_order, p_about text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.room_of(p_order pay.payment_order, p_about text) FROM PUBLIC;

--
-- Name: FUNCTION round_rate(p_rate numeric); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.round_rate(p_rate numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.round_rate(p_rate numeric) TO payments_auditor;
GRANT ALL ON FUNCTION pay.round_rate(p_rate numeric) TO payments_operator;

--
-- Name: FUNCTION ruled_lines(p_postings pay.posting[], p_new integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.ruled_lines(p_postings pay.posting[], p_new integer[]) FROM PUBLIC;

--
-- Name: FUNCTION sale_postings(p_facts pay.fact[], p_moved integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.sale_postings(p_facts pay.fact[], p_moved integer[]) FROM PUBLIC;

--
-- Name: FUNCTION same_token(p_own_psp text, p_own_token text, p_own_alias text, p_psp text, p_token text, p_alias text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.same_token(p_own_psp text, p_own_token text, p_own_alias text, p_psp text, p_token text, p_alias text) FROM PUBLIC;

--
-- Name: FUNCTION seal_digest(p_message text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.seal_digest(p_message text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.seal_digest(p_message text) TO payments_auditor;
GRANT ALL ON FUNCTION pay.seal_digest(p_message text) TO payments_operator;

--
-- Name: FUNCTION seal_end(p_from bigint, p_until bigint, p_span bigint, p_most integer); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.seal_end(p_from bigint, p_until bigint, p_span bigint, p_most integer) FROM PUBLIC;

--
-- Name: FUNCTION seal_message(p_seal pay.seal); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.seal_message(p_seal pay.seal) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.seal_message(p_seal pay.seal) TO payments_auditor;
GRANT ALL ON FUNCTION pay.seal_message(p_seal pay.seal) TO payments_operator;

--
-- Name: FUNCTION seal_root(p_number bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.seal_root(p_number bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.seal_root(p_number bigint) TO payments_auditor;
GRANT ALL ON FUNCTION pay.seal_root(p_number bigint) TO payments_operator;

--
-- Name: FUNCTION second_time(p_at timestamp with time zone); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.second_time(p_at timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION seller_part(p_amount_minor bigint, p_credit_minor bigint, p_before bigint, p_part bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.seller_part(p_amount_minor bigint, p_credit_minor bigint, p_before bigint, p_part bigint) FROM PUBLIC;

--
-- Name: FUNCTION seller_share(p_order pay.payment_order, p_amount_minor bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.seller_share(p_order pay.payment_order, p_amount_minor bigint) FROM PUBLIC;

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
-- Name: FUNCTION set_change(p_change pay.change, p_status text, p_word pay.fact, p_returned boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.set_change(p_change pay.change, p_status text, p_word pay.fact, p_returned boolean) FROM PUBLIC;

--
-- Name: FUNCTION set_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_sure boolean, OUT stored integer[], OUT late integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.set_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_sure boolean, OUT stored integer[], OUT late integer[]) FROM PUBLIC;

--
-- Name: FUNCTION settle_changes(p_merchant_id text[], p_operation_id text[], p_code text[], p_reference text[], p_request_id text[], p_items integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.settle_changes(p_merchant_id text[], p_operation_id text[], p_code text[], p_reference text[], p_request_id text[], p_items integer[]) FROM PUBLIC;

--
-- Name: FUNCTION settle_dead_letters(p_merchant_id text[], p_checkout_id text[], p_kinds text[], p_why text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.settle_dead_letters(p_merchant_id text[], p_checkout_id text[], p_kinds text[], p_why text) FROM PUBLIC;

--
-- Name: FUNCTION settle_facts(p_facts pay.fact[], p_late boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.settle_facts(p_facts pay.fact[], p_late boolean) FROM PUBLIC;

--
-- Name: FUNCTION settle_news(p_news pay.news[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.settle_news(p_news pay.news[]) FROM PUBLIC;

--
-- Name: FUNCTION settle_refunds(p_merchant_id text[], p_checkout_id text[], p_operation_id text[], p_reference text[], p_request_id text[], p_items integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.settle_refunds(p_merchant_id text[], p_checkout_id text[], p_operation_id text[], p_reference text[], p_request_id text[], p_items integer[]) FROM PUBLIC;

--
-- Name: FUNCTION settle_registers(p_facts pay.fact[], p_kind text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.settle_registers(p_facts pay.fact[], p_kind text) FROM PUBLIC;

--
-- Name: FUNCTION settled_fact(p_mismatch pay.mismatch, p_who text, p_why text, p_more jsonb); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.settled_fact(p_mismatch pay.mismatch, p_who text, p_why text, p_more jsonb) FROM PUBLIC;

--
-- Name: FUNCTION shown_decline(p_order pay.payment_order); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.shown_decline(p_order pay.payment_order) FROM PUBLIC;

--
-- Name: FUNCTION single_outside(p_news pay.news, OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.single_outside(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION sort_capture(p_change pay.change, p_name text, p_word pay.fact, p_is_none boolean, OUT sorted pay.change, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.sort_capture(p_change pay.change, p_name text, p_word pay.fact, p_is_none boolean, OUT sorted pay.change, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION sort_refund(p_change pay.change, p_word pay.fact, p_is_none boolean, OUT sorted pay.change, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.sort_refund(p_change pay.change, p_word pay.fact, p_is_none boolean, OUT sorted pay.change, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION split_amount(p_amount bigint, p_weights bigint[], p_rooms bigint[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.split_amount(p_amount bigint, p_weights bigint[], p_rooms bigint[]) FROM PUBLIC;

--
-- Name: FUNCTION split_note(p_news pay.news); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.split_note(p_news pay.news) FROM PUBLIC;

--
-- Name: FUNCTION split_orders(p_news pay.news, OUT orders pay.payment_order[], OUT parts bigint[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.split_orders(p_news pay.news, OUT orders pay.payment_order[], OUT parts bigint[]) FROM PUBLIC;

--
-- Name: FUNCTION standing_of(p_merchant_id text, p_payment_order_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.standing_of(p_merchant_id text, p_payment_order_id text) FROM PUBLIC;

--
-- Name: FUNCTION start_changes(p_merchant_id text, p_checkout_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.start_changes(p_merchant_id text, p_checkout_id text) FROM PUBLIC;

--
-- Name: FUNCTION start_job(p_merchant_id text, p_checkout_id text, p_kind text, p_operation_id text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.start_job(p_merchant_id text, p_checkout_id text, p_kind text, p_operation_id text) FROM PUBLIC;

--
-- Name: FUNCTION statement(p_merchant_id text, p_seller text, p_currency text, p_before bigint, p_limit integer); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.statement(p_merchant_id text, p_seller text, p_currency text, p_before bigint, p_limit integer) FROM PUBLIC;

--
-- Name: FUNCTION status_rank(p_status text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.status_rank(p_status text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.status_rank(p_status text) TO payments_auditor;
GRANT ALL ON FUNCTION pay.status_rank(p_status text) TO payments_operator;

--
-- Name: FUNCTION store_rates(p_source text, p_base text, p_rates jsonb, p_at timestamp with time zone); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.store_rates(p_source text, p_base text, p_rates jsonb, p_at timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION suspended(p_mismatch pay.mismatch); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.suspended(p_mismatch pay.mismatch) FROM PUBLIC;

--
-- Name: FUNCTION sweep_all(p_limits jsonb); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.sweep_all(p_limits jsonb) FROM PUBLIC;

--
-- Name: FUNCTION sweep_changes(p_limit interval); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.sweep_changes(p_limit interval) FROM PUBLIC;

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
-- Name: FUNCTION take_captures(p_news pay.news, p_named pay.change, p_captured bigint, OUT outcome text, OUT facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.take_captures(p_news pay.news, p_named pay.change, p_captured bigint, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION take_early(p_facts pay.fact[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.take_early(p_facts pay.fact[]) FROM PUBLIC;

--
-- Name: FUNCTION take_facts(p_facts pay.fact[], OUT facts pay.fact[], OUT postings pay.posting[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.take_facts(p_facts pay.fact[], OUT facts pay.fact[], OUT postings pay.posting[]) FROM PUBLIC;

--
-- Name: FUNCTION take_leaves(p_number bigint, p_from bigint, p_until bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.take_leaves(p_number bigint, p_from bigint, p_until bigint) FROM PUBLIC;

--
-- Name: FUNCTION take_news(p_news pay.news[], OUT told pay.news[], OUT postings pay.posting[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.take_news(p_news pay.news[], OUT told pay.news[], OUT postings pay.posting[]) FROM PUBLIC;

--
-- Name: FUNCTION take_places(p_items pay.payment_item[], OUT kept pay.payment_item[], OUT refused integer[], OUT missing integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.take_places(p_items pay.payment_item[], OUT kept pay.payment_item[], OUT refused integer[], OUT missing integer[]) FROM PUBLIC;

--
-- Name: FUNCTION take_up(p_news pay.news, p_held bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.take_up(p_news pay.news, p_held bigint) FROM PUBLIC;

--
-- Name: FUNCTION term_seconds(p_seconds text, p_else text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.term_seconds(p_seconds text, p_else text) FROM PUBLIC;

--
-- Name: FUNCTION this_tx(); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.this_tx() FROM PUBLIC;

--
-- Name: FUNCTION timeline(p_merchant_id text, p_payment_order_id text, p_inside boolean); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.timeline(p_merchant_id text, p_payment_order_id text, p_inside boolean) FROM PUBLIC;

--
-- Name: FUNCTION to_be_laid(p_mismatch pay.mismatch, OUT state text, OUT amount_minor bigint); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.to_be_laid(p_mismatch pay.mismatch, OUT state text, OUT amount_minor bigint) FROM PUBLIC;

--
-- Name: FUNCTION void_late(p_facts pay.fact[], p_told integer[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.void_late(p_facts pay.fact[], p_told integer[]) FROM PUBLIC;

--
-- Name: FUNCTION wallet_differences(p_merchant_id text[], p_seller text[], p_checkout_id text[]); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.wallet_differences(p_merchant_id text[], p_seller text[], p_checkout_id text[]) FROM PUBLIC;

--
-- Name: FUNCTION with_outcome(p_fact pay.fact, p_outcome text); Type: ACL; Schema: pay; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay.with_outcome(p_fact pay.fact, p_outcome text) FROM PUBLIC;

--
-- Name: FUNCTION apply_change(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_about text[], p_news text[], p_token text[], p_reference text[], p_object text[], p_operation_id text[], p_amount_minor bigint[], p_currency text[], p_fee_minor bigint[], p_fee_currency text[], p_code text[], p_digest bytea[], p_request_id text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.apply_change(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_about text[], p_news text[], p_token text[], p_reference text[], p_object text[], p_operation_id text[], p_amount_minor bigint[], p_currency text[], p_fee_minor bigint[], p_fee_currency text[], p_code text[], p_digest bytea[], p_request_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.apply_change(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_about text[], p_news text[], p_token text[], p_reference text[], p_object text[], p_operation_id text[], p_amount_minor bigint[], p_currency text[], p_fee_minor bigint[], p_fee_currency text[], p_code text[], p_digest bytea[], p_request_id text[]) TO payments_gateway;

--
-- Name: FUNCTION apply_event(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_digest bytea[], p_request_id text[], p_decline text[], p_can_retry text[], p_attempt text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.apply_event(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_digest bytea[], p_request_id text[], p_decline text[], p_can_retry text[], p_attempt text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.apply_event(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_digest bytea[], p_request_id text[], p_decline text[], p_can_retry text[], p_attempt text[]) TO payments_gateway;

--
-- Name: FUNCTION begin_backfill(p_psp text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.begin_backfill(p_psp text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_backfill(p_psp text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) TO payments_gateway;

--
-- Name: FUNCTION begin_change(p_merchant_id text[], p_payment_order_id text[], p_kind text[], p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[], p_reason text[], p_metadata jsonb[], p_lease_ms bigint[], p_request_id text[], p_asked_by jsonb[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.begin_change(p_merchant_id text[], p_payment_order_id text[], p_kind text[], p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[], p_reason text[], p_metadata jsonb[], p_lease_ms bigint[], p_request_id text[], p_asked_by jsonb[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_change(p_merchant_id text[], p_payment_order_id text[], p_kind text[], p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[], p_reason text[], p_metadata jsonb[], p_lease_ms bigint[], p_request_id text[], p_asked_by jsonb[]) TO payments_gateway;

--
-- Name: FUNCTION begin_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.begin_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[]) TO payments_gateway;

--
-- Name: FUNCTION begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[], p_key_windows text[], p_late_success text[], p_terms jsonb[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[], p_key_windows text[], p_late_success text[], p_terms jsonb[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders jsonb[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[], p_key_windows text[], p_late_success text[], p_terms jsonb[]) TO payments_gateway;

--
-- Name: FUNCTION begin_rates(p_source text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.begin_rates(p_source text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_rates(p_source text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) TO payments_gateway;

--
-- Name: FUNCTION begin_seal(p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.begin_seal(p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_seal(p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) TO payments_gateway;

--
-- Name: FUNCTION check_books(p_owner text[], p_interval_ms bigint[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.check_books(p_owner text[], p_interval_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.check_books(p_owner text[], p_interval_ms bigint[]) TO payments_gateway;

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
-- Name: FUNCTION end_rates(p_source text[], p_owner text[], p_base text[], p_rates jsonb[], p_code text[], p_age_ms bigint[], p_max_age_ms bigint[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.end_rates(p_source text[], p_owner text[], p_base text[], p_rates jsonb[], p_code text[], p_age_ms bigint[], p_max_age_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.end_rates(p_source text[], p_owner text[], p_base text[], p_rates jsonb[], p_code text[], p_age_ms bigint[], p_max_age_ms bigint[]) TO payments_gateway;

--
-- Name: FUNCTION end_seal(p_number bigint[], p_key_id text[], p_signature bytea[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.end_seal(p_number bigint[], p_key_id text[], p_signature bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.end_seal(p_number bigint[], p_key_id text[], p_signature bytea[]) TO payments_gateway;

--
-- Name: FUNCTION explain_checkout(p_merchant_id text[], p_checkout_id text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.explain_checkout(p_merchant_id text[], p_checkout_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.explain_checkout(p_merchant_id text[], p_checkout_id text[]) TO payments_gateway;

--
-- Name: FUNCTION explain_payment(p_merchant_id text[], p_payment_order_id text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.explain_payment(p_merchant_id text[], p_payment_order_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.explain_payment(p_merchant_id text[], p_payment_order_id text[]) TO payments_gateway;

--
-- Name: FUNCTION finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_operation_id text[], p_owner text[], p_delay_ms bigint[], p_code text[], p_dead text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_operation_id text[], p_owner text[], p_delay_ms bigint[], p_code text[], p_dead text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_operation_id text[], p_owner text[], p_delay_ms bigint[], p_code text[], p_dead text[]) TO payments_gateway;

--
-- Name: FUNCTION get_balance(p_merchant_id text[], p_seller_account text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.get_balance(p_merchant_id text[], p_seller_account text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_balance(p_merchant_id text[], p_seller_account text[]) TO payments_gateway;

--
-- Name: FUNCTION get_change(p_merchant_id text[], p_payment_order_id text[], p_change_id text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.get_change(p_merchant_id text[], p_payment_order_id text[], p_change_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_change(p_merchant_id text[], p_payment_order_id text[], p_change_id text[]) TO payments_gateway;

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
-- Name: FUNCTION get_order(p_merchant_id text[], p_payment_order_id text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.get_order(p_merchant_id text[], p_payment_order_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_order(p_merchant_id text[], p_payment_order_id text[]) TO payments_gateway;

--
-- Name: FUNCTION get_payment(p_merchant_id text[], p_payment_order_id text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.get_payment(p_merchant_id text[], p_payment_order_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_payment(p_merchant_id text[], p_payment_order_id text[]) TO payments_gateway;

--
-- Name: FUNCTION get_statement(p_merchant_id text[], p_seller_account text[], p_currency text[], p_before_seq bigint[], p_limit bigint[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.get_statement(p_merchant_id text[], p_seller_account text[], p_currency text[], p_before_seq bigint[], p_limit bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_statement(p_merchant_id text[], p_seller_account text[], p_currency text[], p_before_seq bigint[], p_limit bigint[]) TO payments_gateway;

--
-- Name: FUNCTION keep_webhook(p_psp text[], p_digest bytea[], p_body bytea[], p_size bigint[], p_left_out text[], p_days bigint[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.keep_webhook(p_psp text[], p_digest bytea[], p_body bytea[], p_size bigint[], p_left_out text[], p_days bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.keep_webhook(p_psp text[], p_digest bytea[], p_body bytea[], p_size bigint[], p_left_out text[], p_days bigint[]) TO payments_gateway;

--
-- Name: FUNCTION list_changes(p_merchant_id text[], p_payment_order_id text[], p_kind text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.list_changes(p_merchant_id text[], p_payment_order_id text[], p_kind text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.list_changes(p_merchant_id text[], p_payment_order_id text[], p_kind text[]) TO payments_gateway;

--
-- Name: FUNCTION list_checkouts(p_merchant_id text[], p_status text[], p_after_us bigint[], p_before_us bigint[], p_before_id text[], p_limit bigint[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.list_checkouts(p_merchant_id text[], p_status text[], p_after_us bigint[], p_before_us bigint[], p_before_id text[], p_limit bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.list_checkouts(p_merchant_id text[], p_status text[], p_after_us bigint[], p_before_us bigint[], p_before_id text[], p_limit bigint[]) TO payments_gateway;

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
-- Name: FUNCTION release_replacement(p_merchant_id text[], p_checkout_id text[], p_lease_ms bigint[], p_request_id text[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.release_replacement(p_merchant_id text[], p_checkout_id text[], p_lease_ms bigint[], p_request_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.release_replacement(p_merchant_id text[], p_checkout_id text[], p_lease_ms bigint[], p_request_id text[]) TO payments_gateway;

--
-- Name: FUNCTION reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[], p_reach text[], p_http_status bigint[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[], p_reach text[], p_http_status bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[], p_reach text[], p_http_status bigint[]) TO payments_gateway;

--
-- Name: FUNCTION store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[], p_reach text[], p_http_status bigint[], p_dead text[], p_attempt bigint[]); Type: ACL; Schema: pay_api; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_api.store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[], p_reach text[], p_http_status bigint[], p_dead text[], p_attempt bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[], p_reach text[], p_http_status bigint[], p_dead text[], p_attempt bigint[]) TO payments_gateway;

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
-- Name: FUNCTION accept_dead_letter(p_id bigint, p_who text, p_why text); Type: ACL; Schema: pay_ops; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_ops.accept_dead_letter(p_id bigint, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.accept_dead_letter(p_id bigint, p_who text, p_why text) TO payments_operator;

--
-- Name: FUNCTION assign_mismatch(p_id bigint, p_orders text[], p_amounts text[], p_who text, p_why text); Type: ACL; Schema: pay_ops; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_ops.assign_mismatch(p_id bigint, p_orders text[], p_amounts text[], p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.assign_mismatch(p_id bigint, p_orders text[], p_amounts text[], p_who text, p_why text) TO payments_operator;

--
-- Name: FUNCTION drop_month(p_month date, p_keep interval, p_who text, p_why text); Type: ACL; Schema: pay_ops; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_ops.drop_month(p_month date, p_keep interval, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.drop_month(p_month date, p_keep interval, p_who text, p_why text) TO payments_operator;

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
-- Name: FUNCTION settle_change(p_merchant_id text, p_change_id text, p_done boolean, p_who text, p_why text); Type: ACL; Schema: pay_ops; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_ops.settle_change(p_merchant_id text, p_change_id text, p_done boolean, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.settle_change(p_merchant_id text, p_change_id text, p_done boolean, p_who text, p_why text) TO payments_operator;

--
-- Name: FUNCTION settle_mismatch(p_id bigint, p_who text, p_why text); Type: ACL; Schema: pay_ops; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_ops.settle_mismatch(p_id bigint, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.settle_mismatch(p_id bigint, p_who text, p_why text) TO payments_operator;

--
-- Name: FUNCTION show_webhook(p_psp text, p_event_id text); Type: ACL; Schema: pay_ops; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_ops.show_webhook(p_psp text, p_event_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.show_webhook(p_psp text, p_event_id text) TO payments_operator;

--
-- Name: FUNCTION audit_export(p_since timestamp with time zone, p_until timestamp with time zone); Type: ACL; Schema: pay_view; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_view.audit_export(p_since timestamp with time zone, p_until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_view.audit_export(p_since timestamp with time zone, p_until timestamp with time zone) TO payments_auditor;
GRANT ALL ON FUNCTION pay_view.audit_export(p_since timestamp with time zone, p_until timestamp with time zone) TO payments_operator;

--
-- Name: FUNCTION explain(p_merchant_id text, p_payment_order_id text); Type: ACL; Schema: pay_view; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_view.explain(p_merchant_id text, p_payment_order_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_view.explain(p_merchant_id text, p_payment_order_id text) TO payments_auditor;
GRANT ALL ON FUNCTION pay_view.explain(p_merchant_id text, p_payment_order_id text) TO payments_operator;

--
-- Name: FUNCTION find(p_what text, p_merchant_id text); Type: ACL; Schema: pay_view; Owner: payments_owner
--

REVOKE ALL ON FUNCTION pay_view.find(p_what text, p_merchant_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_view.find(p_what text, p_merchant_id text) TO payments_auditor;
GRANT ALL ON FUNCTION pay_view.find(p_what text, p_merchant_id text) TO payments_operator;

--
-- Name: TABLE account_kind; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.account_kind TO payments_auditor;
GRANT SELECT ON TABLE pay.account_kind TO payments_operator;

--
-- Name: TABLE backfill; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.backfill TO payments_auditor;
GRANT SELECT ON TABLE pay.backfill TO payments_operator;

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
-- Name: TABLE dropped_month; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.dropped_month TO payments_auditor;
GRANT SELECT ON TABLE pay.dropped_month TO payments_operator;

--
-- Name: TABLE event_anchor; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.event_anchor TO payments_auditor;
GRANT SELECT ON TABLE pay.event_anchor TO payments_operator;

--
-- Name: TABLE event_default; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.event_default TO payments_auditor;
GRANT SELECT ON TABLE pay.event_default TO payments_operator;

--
-- Name: TABLE idempotency_key; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.idempotency_key TO payments_auditor;
GRANT SELECT ON TABLE pay.idempotency_key TO payments_operator;

--
-- Name: TABLE journal_entry; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.journal_entry TO payments_auditor;
GRANT SELECT ON TABLE pay.journal_entry TO payments_operator;

--
-- Name: TABLE journal_line; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.journal_line TO payments_auditor;
GRANT SELECT ON TABLE pay.journal_line TO payments_operator;

--
-- Name: TABLE mismatch_settlement; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.mismatch_settlement TO payments_auditor;
GRANT SELECT ON TABLE pay.mismatch_settlement TO payments_operator;

--
-- Name: TABLE outbox; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.outbox TO payments_auditor;
GRANT SELECT ON TABLE pay.outbox TO payments_operator;

--
-- Name: TABLE posting_kind; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.posting_kind TO payments_auditor;
GRANT SELECT ON TABLE pay.posting_kind TO payments_operator;

--
-- Name: TABLE posting_rule; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.posting_rule TO payments_auditor;
GRANT SELECT ON TABLE pay.posting_rule TO payments_operator;

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
-- Name: TABLE rate; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.rate TO payments_auditor;
GRANT SELECT ON TABLE pay.rate TO payments_operator;

--
-- Name: TABLE rate_source; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.rate_source TO payments_auditor;
GRANT SELECT ON TABLE pay.rate_source TO payments_operator;

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
-- Name: TABLE seal_leaf; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.seal_leaf TO payments_auditor;
GRANT SELECT ON TABLE pay.seal_leaf TO payments_operator;

--
-- Name: TABLE status_rank; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.status_rank TO payments_auditor;
GRANT SELECT ON TABLE pay.status_rank TO payments_operator;

--
-- Name: TABLE wallet; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.wallet TO payments_auditor;
GRANT SELECT ON TABLE pay.wallet TO payments_operator;

--
-- Name: TABLE webhook_body; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.webhook_body TO payments_auditor;
GRANT SELECT ON TABLE pay.webhook_body TO payments_operator;

--
-- Name: TABLE webhook_quarantine; Type: ACL; Schema: pay; Owner: payments_owner
--

GRANT SELECT ON TABLE pay.webhook_quarantine TO payments_auditor;
GRANT SELECT ON TABLE pay.webhook_quarantine TO payments_operator;

--
-- Name: TABLE amount_sum; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.amount_sum TO payments_auditor;
GRANT SELECT ON TABLE pay_check.amount_sum TO payments_operator;

--
-- Name: TABLE authorized_booked; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.authorized_booked TO payments_auditor;
GRANT SELECT ON TABLE pay_check.authorized_booked TO payments_operator;

--
-- Name: TABLE change_booked; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.change_booked TO payments_auditor;
GRANT SELECT ON TABLE pay_check.change_booked TO payments_operator;

--
-- Name: TABLE change_dispatch; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.change_dispatch TO payments_auditor;
GRANT SELECT ON TABLE pay_check.change_dispatch TO payments_operator;

--
-- Name: TABLE change_event; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.change_event TO payments_auditor;
GRANT SELECT ON TABLE pay_check.change_event TO payments_operator;

--
-- Name: TABLE change_job; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.change_job TO payments_auditor;
GRANT SELECT ON TABLE pay_check.change_job TO payments_operator;

--
-- Name: TABLE change_match; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.change_match TO payments_auditor;
GRANT SELECT ON TABLE pay_check.change_match TO payments_operator;

--
-- Name: TABLE change_money; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.change_money TO payments_auditor;
GRANT SELECT ON TABLE pay_check.change_money TO payments_operator;

--
-- Name: TABLE change_orphan; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.change_orphan TO payments_auditor;
GRANT SELECT ON TABLE pay_check.change_orphan TO payments_operator;

--
-- Name: TABLE change_reference; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.change_reference TO payments_auditor;
GRANT SELECT ON TABLE pay_check.change_reference TO payments_operator;

--
-- Name: TABLE change_waits; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.change_waits TO payments_auditor;
GRANT SELECT ON TABLE pay_check.change_waits TO payments_operator;

--
-- Name: TABLE checkout_incomplete; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.checkout_incomplete TO payments_auditor;
GRANT SELECT ON TABLE pay_check.checkout_incomplete TO payments_operator;

--
-- Name: TABLE contradiction; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.contradiction TO payments_auditor;
GRANT SELECT ON TABLE pay_check.contradiction TO payments_operator;

--
-- Name: TABLE credit_converted; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.credit_converted TO payments_auditor;
GRANT SELECT ON TABLE pay_check.credit_converted TO payments_operator;

--
-- Name: TABLE currency_unknown; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.currency_unknown TO payments_auditor;
GRANT SELECT ON TABLE pay_check.currency_unknown TO payments_operator;

--
-- Name: TABLE dispatch_attempts; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.dispatch_attempts TO payments_auditor;
GRANT SELECT ON TABLE pay_check.dispatch_attempts TO payments_operator;

--
-- Name: TABLE dispatch_owner; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.dispatch_owner TO payments_auditor;
GRANT SELECT ON TABLE pay_check.dispatch_owner TO payments_operator;

--
-- Name: TABLE dispatch_registration; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.dispatch_registration TO payments_auditor;
GRANT SELECT ON TABLE pay_check.dispatch_registration TO payments_operator;

--
-- Name: TABLE dispute_booked; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.dispute_booked TO payments_auditor;
GRANT SELECT ON TABLE pay_check.dispute_booked TO payments_operator;

--
-- Name: TABLE durability; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.durability TO payments_auditor;
GRANT SELECT ON TABLE pay_check.durability TO payments_operator;

--
-- Name: TABLE event_chain; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.event_chain TO payments_auditor;
GRANT SELECT ON TABLE pay_check.event_chain TO payments_operator;

--
-- Name: TABLE event_default; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.event_default TO payments_auditor;
GRANT SELECT ON TABLE pay_check.event_default TO payments_operator;

--
-- Name: TABLE event_gap; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.event_gap TO payments_auditor;
GRANT SELECT ON TABLE pay_check.event_gap TO payments_operator;

--
-- Name: TABLE event_head; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.event_head TO payments_auditor;
GRANT SELECT ON TABLE pay_check.event_head TO payments_operator;

--
-- Name: TABLE event_orphan; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.event_orphan TO payments_auditor;
GRANT SELECT ON TABLE pay_check.event_orphan TO payments_operator;

--
-- Name: TABLE idempotency_orphan; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.idempotency_orphan TO payments_auditor;
GRANT SELECT ON TABLE pay_check.idempotency_orphan TO payments_operator;

--
-- Name: TABLE job_missing; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.job_missing TO payments_auditor;
GRANT SELECT ON TABLE pay_check.job_missing TO payments_operator;

--
-- Name: TABLE journal_balances; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.journal_balances TO payments_auditor;
GRANT SELECT ON TABLE pay_check.journal_balances TO payments_operator;

--
-- Name: TABLE journal_orphan; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.journal_orphan TO payments_auditor;
GRANT SELECT ON TABLE pay_check.journal_orphan TO payments_operator;

--
-- Name: TABLE journal_rules; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.journal_rules TO payments_auditor;
GRANT SELECT ON TABLE pay_check.journal_rules TO payments_operator;

--
-- Name: TABLE late_booked; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.late_booked TO payments_auditor;
GRANT SELECT ON TABLE pay_check.late_booked TO payments_operator;

--
-- Name: TABLE late_success; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.late_success TO payments_auditor;
GRANT SELECT ON TABLE pay_check.late_success TO payments_operator;

--
-- Name: TABLE late_untold; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.late_untold TO payments_auditor;
GRANT SELECT ON TABLE pay_check.late_untold TO payments_operator;

--
-- Name: TABLE late_waits; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.late_waits TO payments_auditor;
GRANT SELECT ON TABLE pay_check.late_waits TO payments_operator;

--
-- Name: TABLE order_without_registration; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.order_without_registration TO payments_auditor;
GRANT SELECT ON TABLE pay_check.order_without_registration TO payments_operator;

--
-- Name: TABLE outbox_orphan; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.outbox_orphan TO payments_auditor;
GRANT SELECT ON TABLE pay_check.outbox_orphan TO payments_operator;

--
-- Name: TABLE paid_without_event; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.paid_without_event TO payments_auditor;
GRANT SELECT ON TABLE pay_check.paid_without_event TO payments_operator;

--
-- Name: TABLE payment_done; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.payment_done TO payments_auditor;
GRANT SELECT ON TABLE pay_check.payment_done TO payments_operator;

--
-- Name: TABLE posting_rules; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.posting_rules TO payments_auditor;
GRANT SELECT ON TABLE pay_check.posting_rules TO payments_operator;

--
-- Name: TABLE registration_moved; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.registration_moved TO payments_auditor;
GRANT SELECT ON TABLE pay_check.registration_moved TO payments_operator;

--
-- Name: TABLE registration_terms; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.registration_terms TO payments_auditor;
GRANT SELECT ON TABLE pay_check.registration_terms TO payments_operator;

--
-- Name: TABLE sale_booked; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.sale_booked TO payments_auditor;
GRANT SELECT ON TABLE pay_check.sale_booked TO payments_operator;

--
-- Name: TABLE seal_chain; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.seal_chain TO payments_auditor;
GRANT SELECT ON TABLE pay_check.seal_chain TO payments_operator;

--
-- Name: TABLE seal_coverage; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.seal_coverage TO payments_auditor;
GRANT SELECT ON TABLE pay_check.seal_coverage TO payments_operator;

--
-- Name: TABLE seal_leaf; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.seal_leaf TO payments_auditor;
GRANT SELECT ON TABLE pay_check.seal_leaf TO payments_operator;

--
-- Name: TABLE seal_root; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.seal_root TO payments_auditor;
GRANT SELECT ON TABLE pay_check.seal_root TO payments_operator;

--
-- Name: TABLE status_history; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.status_history TO payments_auditor;
GRANT SELECT ON TABLE pay_check.status_history TO payments_operator;

--
-- Name: TABLE status_rank; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.status_rank TO payments_auditor;
GRANT SELECT ON TABLE pay_check.status_rank TO payments_operator;

--
-- Name: TABLE suspense; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.suspense TO payments_auditor;
GRANT SELECT ON TABLE pay_check.suspense TO payments_operator;

--
-- Name: TABLE token_owner; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.token_owner TO payments_auditor;
GRANT SELECT ON TABLE pay_check.token_owner TO payments_operator;

--
-- Name: TABLE token_status; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.token_status TO payments_auditor;
GRANT SELECT ON TABLE pay_check.token_status TO payments_operator;

--
-- Name: TABLE wallet_balance; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.wallet_balance TO payments_auditor;
GRANT SELECT ON TABLE pay_check.wallet_balance TO payments_operator;

--
-- Name: TABLE wallet_lines; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.wallet_lines TO payments_auditor;
GRANT SELECT ON TABLE pay_check.wallet_lines TO payments_operator;

--
-- Name: TABLE webhook_mismatch; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.webhook_mismatch TO payments_auditor;
GRANT SELECT ON TABLE pay_check.webhook_mismatch TO payments_operator;

--
-- Name: TABLE webhook_owner; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.webhook_owner TO payments_auditor;
GRANT SELECT ON TABLE pay_check.webhook_owner TO payments_operator;

--
-- Name: TABLE webhook_paid; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.webhook_paid TO payments_auditor;
GRANT SELECT ON TABLE pay_check.webhook_paid TO payments_operator;

--
-- Name: TABLE webhook_parked; Type: ACL; Schema: pay_check; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_check.webhook_parked TO payments_auditor;
GRANT SELECT ON TABLE pay_check.webhook_parked TO payments_operator;

--
-- Name: TABLE accounts; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.accounts TO payments_auditor;
GRANT SELECT ON TABLE pay_view.accounts TO payments_operator;

--
-- Name: TABLE backfills; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.backfills TO payments_auditor;
GRANT SELECT ON TABLE pay_view.backfills TO payments_operator;

--
-- Name: TABLE changes; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.changes TO payments_auditor;
GRANT SELECT ON TABLE pay_view.changes TO payments_operator;

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
-- Name: TABLE disputes; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.disputes TO payments_auditor;
GRANT SELECT ON TABLE pay_view.disputes TO payments_operator;

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
-- Name: TABLE ledger; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.ledger TO payments_auditor;
GRANT SELECT ON TABLE pay_view.ledger TO payments_operator;

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
-- Name: TABLE seals; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.seals TO payments_auditor;
GRANT SELECT ON TABLE pay_view.seals TO payments_operator;

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
-- Name: TABLE wallets; Type: ACL; Schema: pay_view; Owner: payments_owner
--

GRANT SELECT ON TABLE pay_view.wallets TO payments_auditor;
GRANT SELECT ON TABLE pay_view.wallets TO payments_operator;

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

