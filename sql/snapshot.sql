-- Made by ci/sql-snapshot from sql/; not applied to anything.

CREATE SCHEMA pay;

COMMENT ON SCHEMA pay IS 'Tables and private helpers of the gateway';

CREATE SCHEMA pay_api;

COMMENT ON SCHEMA pay_api IS 'The functions that the gateway''s role may EXECUTE';

CREATE SCHEMA pay_check;

COMMENT ON SCHEMA pay_check IS 'Invariants: each view is empty while all is well';

CREATE SCHEMA pay_console;

COMMENT ON SCHEMA pay_console IS 'The functions that the console may EXECUTE';

CREATE SCHEMA pay_console_act;

COMMENT ON SCHEMA pay_console_act IS 'The functions by which the console acts';

CREATE SCHEMA pay_ops;

COMMENT ON SCHEMA pay_ops IS 'The functions that operators may EXECUTE';

CREATE SCHEMA pay_relay;

COMMENT ON SCHEMA pay_relay IS 'The functions that a relay to a broker may EXECUTE';

CREATE SCHEMA pay_view;

COMMENT ON SCHEMA pay_view IS 'Views for operators, auditors and support';

CREATE TYPE pay.balance_bound AS (
	currency text,
	ours numeric,
	reserve numeric,
	below numeric,
	above numeric,
	is_foreign_in boolean,
	is_foreign_out boolean
);

CREATE DOMAIN pay.capture_mode AS text COLLATE pg_catalog."C"
	CONSTRAINT capture_mode_check CHECK ((VALUE = ANY (ARRAY['automatic'::text, 'manual'::text])));

COMMENT ON DOMAIN pay.capture_mode IS 'automatic: the PSP takes the money when the buyer pays; manual: it is authorised, and captured by a call of its own';

CREATE TYPE pay.card_word AS (
	n integer,
	psp text,
	attempt text,
	merchant_id text,
	checkout_id text,
	card text,
	before text,
	bin text,
	country text,
	is_declined boolean,
	parts integer,
	currency text,
	total_minor bigint,
	terms jsonb,
	browser text
);

COMMENT ON TYPE pay.card_word IS 'A PSP''s word about a card; parts: those that are new, see card_parts()';

CREATE DOMAIN pay.cell_name AS text COLLATE pg_catalog."C"
	CONSTRAINT cell_name_check CHECK ((((octet_length(VALUE) >= 1) AND (octet_length(VALUE) <= 32)) AND (VALUE !~ '[^a-z0-9-]'::text)));

COMMENT ON DOMAIN pay.cell_name IS 'The name of a cell, as payments_database has it';

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

CREATE TYPE pay.close_line AS (
	merchant_id text,
	psp text,
	currency text,
	item text,
	count bigint,
	minor numeric
);

CREATE TYPE pay.console_target AS (
	is_there boolean,
	act text,
	step text,
	merchant_id text,
	checkout_id text,
	proposal_id bigint
);

CREATE DOMAIN pay.country_code AS text COLLATE pg_catalog."C"
	CONSTRAINT country_code_check CHECK ((VALUE ~ '^[A-Z]{2}$'::text));

COMMENT ON DOMAIN pay.country_code IS 'ISO 3166-1, two letters';

CREATE DOMAIN pay.currency_code AS text COLLATE pg_catalog."C"
	CONSTRAINT currency_code_check CHECK ((octet_length(VALUE) = 3));

COMMENT ON DOMAIN pay.currency_code IS 'ISO 4217';

CREATE TYPE pay.delivery_end AS (
	item integer,
	way text,
	merchant_id text COLLATE pg_catalog."C",
	endpoint_id text COLLATE pg_catalog."C",
	"position" bigint,
	number integer,
	outcome text,
	status integer,
	failure text,
	answer text,
	took_ms integer,
	retry interval
);

CREATE DOMAIN pay.dispatch_operation AS text COLLATE pg_catalog."C"
	CONSTRAINT dispatch_operation_check CHECK ((VALUE = ANY (ARRAY['register'::text, 'capture'::text, 'cancel'::text, 'refund'::text, 'expire'::text])));

COMMENT ON DOMAIN pay.dispatch_operation IS 'The operations that may change something at a PSP';

CREATE DOMAIN pay.dispatch_reach AS text COLLATE pg_catalog."C"
	CONSTRAINT dispatch_reach_check CHECK ((VALUE = ANY (ARRAY['nothing'::text, 'resolved'::text, 'connected'::text, 'tls'::text, 'written'::text, 'status'::text, 'complete'::text])));

COMMENT ON DOMAIN pay.dispatch_reach IS 'How far a call came';

CREATE DOMAIN pay.dispatch_state AS text COLLATE pg_catalog."C"
	CONSTRAINT dispatch_state_check CHECK ((VALUE = ANY (ARRAY['OPEN'::text, 'DONE'::text, 'PENDING'::text, 'REFUSED'::text, 'NOT_SENT'::text, 'UNKNOWN'::text])));

COMMENT ON DOMAIN pay.dispatch_state IS 'The outcome of an attempt';

CREATE DOMAIN pay.event_actor AS text COLLATE pg_catalog."C"
	CONSTRAINT event_actor_check CHECK ((VALUE = ANY (ARRAY['merchant'::text, 'gateway'::text, 'webhook'::text, 'query'::text, 'operator'::text])));

COMMENT ON DOMAIN pay.event_actor IS 'The source of a timeline event';

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

CREATE DOMAIN pay.failure_reason AS text COLLATE pg_catalog."C"
	CONSTRAINT failure_reason_check CHECK ((VALUE = ANY (ARRAY['declined'::text, 'expired'::text, 'cancelled'::text, 'rejected'::text, 'risk'::text])));

COMMENT ON DOMAIN pay.failure_reason IS 'Why an order is FAILED';

CREATE TYPE pay.fee_due AS (
	fee_minor bigint,
	tax_minor bigint,
	booked_minor bigint,
	booked_tax bigint,
	entries bigint
);

CREATE DOMAIN pay.fee_percent AS numeric(7,4)
	CONSTRAINT fee_percent_check CHECK (((VALUE >= (0)::numeric) AND (VALUE <= (100)::numeric)));

COMMENT ON DOMAIN pay.fee_percent IS 'A part of an amount, with 4 decimals';

CREATE DOMAIN pay.filled AS text COLLATE pg_catalog."C"
	CONSTRAINT filled_check CHECK ((VALUE <> ''::text));

COMMENT ON DOMAIN pay.filled IS 'Any text but the empty one';

CREATE DOMAIN pay.first_call AS text COLLATE pg_catalog."C"
	CONSTRAINT first_call_check CHECK ((VALUE = ANY (ARRAY['OPEN'::text, 'DONE'::text])));

COMMENT ON DOMAIN pay.first_call IS 'The outcome of a first call that has no row in the journal';

CREATE DOMAIN pay.hash AS bytea
	CONSTRAINT hash_check CHECK ((octet_length(VALUE) = 32));

COMMENT ON DOMAIN pay.hash IS 'A SHA-256';

CREATE DOMAIN pay.id AS text COLLATE pg_catalog."C"
	CONSTRAINT id_check CHECK (((octet_length(VALUE) >= 1) AND (octet_length(VALUE) <= 255)));

COMMENT ON DOMAIN pay.id IS '1 to 255 bytes';

CREATE DOMAIN pay.job_kind AS text COLLATE pg_catalog."C"
	CONSTRAINT job_kind_check CHECK ((VALUE = ANY (ARRAY['register'::text, 'poll'::text, 'refund'::text, 'change'::text])));

COMMENT ON DOMAIN pay.job_kind IS 'The kinds of background work';

CREATE DOMAIN pay.journal_source AS text COLLATE pg_catalog."C"
	CONSTRAINT journal_source_check CHECK (((octet_length(VALUE) >= 1) AND (octet_length(VALUE) <= 600)));

COMMENT ON DOMAIN pay.journal_source IS 'The parts (legs) of which the lines of an entry are made';

CREATE DOMAIN pay.late_policy AS text COLLATE pg_catalog."C"
	CONSTRAINT late_policy_check CHECK ((VALUE = ANY (ARRAY['accept'::text, 'hold'::text, 'refund'::text])));

COMMENT ON DOMAIN pay.late_policy IS 'The merchant''s rule for a payment that is proved after its checkout has expired';

CREATE DOMAIN pay.line_number AS integer
	CONSTRAINT line_number_check CHECK (((VALUE >= 1) AND (VALUE <= 9)));

COMMENT ON DOMAIN pay.line_number IS 'An entry has 9 lines at most';

CREATE DOMAIN pay.minor AS bigint
	CONSTRAINT minor_check CHECK ((VALUE >= 0));

COMMENT ON DOMAIN pay.minor IS 'An amount in minor units, or nothing';

CREATE TYPE pay.move AS (
	part oid,
	tid tid,
	checkout_part oid,
	checkout tid,
	merchant_id text,
	checkout_id text,
	payment_order_id text,
	news text,
	actor text,
	old_status text,
	status text,
	reason text,
	version integer,
	captured_minor bigint,
	authorized_minor bigint,
	decline jsonb,
	about jsonb,
	request_id text,
	tx bigint,
	head bytea,
	told text,
	is_shown boolean,
	final text,
	is_ours boolean,
	by_hand boolean,
	reference text
);

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
	outcome text,
	said_at timestamp with time zone
);

CREATE DOMAIN pay.order_minor AS bigint
	CONSTRAINT order_minor_check CHECK (((VALUE >= 1) AND (VALUE <= '999999999999999'::bigint)));

COMMENT ON DOMAIN pay.order_minor IS 'An amount in minor units that can be ordered';

CREATE DOMAIN pay.order_status AS text COLLATE pg_catalog."C"
	CONSTRAINT order_status_check CHECK ((VALUE = ANY (ARRAY['NOT_STARTED'::text, 'EXECUTING'::text, 'SUCCESS'::text, 'FAILED'::text])));

COMMENT ON DOMAIN pay.order_status IS 'docs/architecture.md#order-states';

CREATE DOMAIN pay.ordinal AS integer
	CONSTRAINT ordinal_check CHECK ((VALUE >= 1));

COMMENT ON DOMAIN pay.ordinal IS 'A number in a row, from 1 on';

CREATE DOMAIN pay.payout_call AS text COLLATE pg_catalog."C"
	CONSTRAINT payout_call_check CHECK ((VALUE = ANY (ARRAY['send'::text, 'ask'::text, 'find'::text, 'cancel'::text])));

COMMENT ON DOMAIN pay.payout_call IS 'A call to a pay-out provider: a step is sent, the payment is asked for by the provider''s reference, is looked for by our key, or is taken back';

CREATE DOMAIN pay.payout_key AS text COLLATE pg_catalog."C"
	CONSTRAINT payout_key_check CHECK ((VALUE ~ '^[0-9a-f]{32}$'::text));

COMMENT ON DOMAIN pay.payout_key IS 'The digest of the lines that an item pays, and of their destination';

CREATE DOMAIN pay.payout_name AS text COLLATE pg_catalog."C"
	CONSTRAINT payout_name_check CHECK ((VALUE ~ '^[a-z0-9][a-z0-9_-]{0,62}$'::text));

COMMENT ON DOMAIN pay.payout_name IS 'The name of a pay-out provider';

CREATE DOMAIN pay.payout_step AS integer
	CONSTRAINT payout_step_check CHECK (((VALUE >= 0) AND (VALUE <= 3)));

COMMENT ON DOMAIN pay.payout_step IS 'A step of a pay-out, from 0: some providers take several calls';

CREATE DOMAIN pay.tally AS integer
	CONSTRAINT tally_check CHECK ((VALUE >= 0));

COMMENT ON DOMAIN pay.tally IS 'How many there are';

CREATE TABLE pay.payout_sending (
    merchant_id pay.id NOT NULL,
    payout_id pay.id NOT NULL,
    provider pay.payout_name NOT NULL,
    adapter pay.filled NOT NULL,
    call pay.payout_call DEFAULT 'send'::text NOT NULL,
    step pay.payout_step DEFAULT 0 NOT NULL,
    ids text[] DEFAULT '{NULL,NULL,NULL,NULL}'::text[] NOT NULL,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    cursor text,
    key_until timestamp with time zone,
    is_doubtful boolean DEFAULT false NOT NULL,
    looks pay.tally DEFAULT 0 NOT NULL,
    tries pay.tally DEFAULT 0 NOT NULL,
    calls pay.tally DEFAULT 0 NOT NULL,
    run_at timestamp with time zone DEFAULT now(),
    lease_until timestamp with time zone,
    occurred_at timestamp with time zone,
    sequence bigint,
    CONSTRAINT payout_sending_ids_check CHECK ((cardinality(ids) = 4))
)
WITH (fillfactor='60');

CREATE TYPE pay.payout_next AS (
	after pay.payout_sending,
	fact text,
	proof text
);

CREATE TYPE pay.payout_plan AS (
	seller_account text,
	currency text,
	outcome text,
	payout_id text,
	amount_minor bigint,
	left_minor bigint,
	provider text,
	destination_id text,
	version integer,
	seqs bigint[]
);

CREATE TYPE pay.payout_said AS (
	outcome text,
	code text,
	reference text,
	state text,
	next text
);

CREATE DOMAIN pay.payout_state AS text COLLATE pg_catalog."C"
	CONSTRAINT payout_state_check CHECK ((VALUE = ANY (ARRAY['draft'::text, 'held'::text, 'ready'::text, 'approved'::text, 'sending'::text, 'sent'::text, 'paid'::text, 'settled'::text, 'returned'::text, 'failed'::text, 'cancelled'::text, 'unknown'::text])));

COMMENT ON DOMAIN pay.payout_state IS 'docs/payouts.md#states';

CREATE DOMAIN pay.positive_minor AS bigint
	CONSTRAINT positive_minor_check CHECK ((VALUE > 0));

COMMENT ON DOMAIN pay.positive_minor IS 'An amount in minor units';

CREATE DOMAIN pay.positive_rate AS numeric
	CONSTRAINT positive_rate_check CHECK ((VALUE > (0)::numeric));

COMMENT ON DOMAIN pay.positive_rate IS 'A rate of exchange';

CREATE DOMAIN pay.psp_list AS text[] COLLATE pg_catalog."C"
	CONSTRAINT psp_list_check CHECK (((cardinality(VALUE) >= 1) AND (cardinality(VALUE) <= 8)));

COMMENT ON DOMAIN pay.psp_list IS 'Names of PSPs, the best first';

CREATE DOMAIN pay.registration_state AS text COLLATE pg_catalog."C"
	CONSTRAINT registration_state_check CHECK ((VALUE = ANY (ARRAY['REGISTERING'::text, 'REGISTERED'::text, 'REFUSED'::text])));

COMMENT ON DOMAIN pay.registration_state IS 'REGISTERING: the outcome is open; REGISTERED: the token is stored; REFUSED: the PSP will never have it, or its time ran out before it had';

CREATE TYPE pay.risk_findings AS (
	items integer[],
	bys text[],
	words text[],
	shadows boolean[],
	hits jsonb[]
);

COMMENT ON TYPE pay.risk_findings IS 'Findings of lists and windows about items of begin_payment';

CREATE DOMAIN pay.risk_key AS text COLLATE pg_catalog."C";

COMMENT ON DOMAIN pay.risk_key IS 'The kind of a counter; its value is a keyed hash in hex, that of bin its digits';

CREATE DOMAIN pay.risk_kind AS text COLLATE pg_catalog."C";

COMMENT ON DOMAIN pay.risk_kind IS 'The kind of an entry of a list.  email, phone, buyer, device, card and browser are keyed hashes in hex; ip is a prefix';

CREATE TYPE pay.risk_rows AS (
	hit_item bigint[],
	hit_name text[],
	hit_word text[],
	hit_shadow bigint[],
	key_item bigint[],
	key_kind text[],
	key_value text[],
	window_item bigint[],
	window_name text[],
	window_key text[],
	window_hash text[],
	window_hours bigint[],
	window_measure text[],
	window_threshold bigint[],
	window_currency text[],
	window_word text[],
	window_shadow bigint[]
);

COMMENT ON TYPE pay.risk_rows IS 'Findings of the gateway about items of begin_payment';

CREATE DOMAIN pay.risk_word AS text COLLATE pg_catalog."C"
	CONSTRAINT risk_word_check CHECK ((VALUE = ANY (ARRAY['allow'::text, 'challenge'::text, 'review'::text, 'block'::text])));

COMMENT ON DOMAIN pay.risk_word IS 'A decision about a payment, or the one that a hit asks for';

CREATE DOMAIN pay.settlement_class AS smallint
	CONSTRAINT settlement_class_check CHECK (((VALUE >= 0) AND (VALUE <= 3)));

COMMENT ON DOMAIN pay.settlement_class IS '0: agrees; 1: a rule has posted the difference; 2: an operator decides; 3: in suspense until it is investigated';

CREATE DOMAIN pay.settlement_key AS text COLLATE pg_catalog."C"
	CONSTRAINT settlement_key_check CHECK (((octet_length(VALUE) >= 1) AND (octet_length(VALUE) <= 511)));

COMMENT ON DOMAIN pay.settlement_key IS 'The key that distinguishes a row of a source from all its other rows';

CREATE DOMAIN pay.settlement_kind AS text COLLATE pg_catalog."C"
	CONSTRAINT settlement_kind_check CHECK ((VALUE = ANY (ARRAY['sale'::text, 'sale_returned'::text, 'refund'::text, 'refund_returned'::text, 'dispute'::text, 'dispute_returned'::text, 'fee'::text, 'tax'::text, 'withheld'::text, 'released'::text, 'conversion'::text, 'payout'::text, 'payout_returned'::text, 'transfer'::text, 'sent'::text, 'sent_returned'::text, 'adjustment'::text, 'memo'::text, 'receipt'::text, 'debit'::text, 'unknown'::text])));

COMMENT ON DOMAIN pay.settlement_kind IS 'The kind of a row: its subject; receipt and debit are rows of a bank';

CREATE DOMAIN pay.settlement_name AS text COLLATE pg_catalog."C"
	CONSTRAINT settlement_name_check CHECK ((VALUE ~ '^[a-z0-9][a-z0-9_-]{0,62}$'::text));

COMMENT ON DOMAIN pay.settlement_name IS 'The name of a source of files';

CREATE TYPE pay.settlement_owner AS (
	merchant_id text,
	checkout_id text,
	by_ref text
);

CREATE DOMAIN pay.signed_minor AS bigint
	CONSTRAINT signed_minor_check CHECK ((VALUE <> 0));

COMMENT ON DOMAIN pay.signed_minor IS 'The amount of a line in minor units: a debit is positive, a credit negative';

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

CREATE TYPE pay.told AS (
	merchant_id text,
	subject text,
	n bigint,
	type text,
	at timestamp with time zone,
	source text,
	data json
);

CREATE TYPE pay.wallet_state AS (
	part oid,
	tid tid,
	available bigint,
	pending bigint,
	reserved bigint,
	seq bigint
);

CREATE DOMAIN pay.webhook_state AS text COLLATE pg_catalog."C"
	CONSTRAINT webhook_state_check CHECK ((VALUE = ANY (ARRAY['applied'::text, 'unchanged'::text, 'asked'::text, 'parked'::text, 'mismatch'::text, 'ignored'::text, 'held'::text, 'contradiction'::text])));

COMMENT ON DOMAIN pay.webhook_state IS 'How a webhook was applied, see webhook_inbox';

CREATE DOMAIN pay.webhook_way AS text COLLATE pg_catalog."C"
	CONSTRAINT webhook_way_check CHECK ((VALUE = ANY (ARRAY['webhook'::text, 'backfill'::text, 'replay'::text, 'settlement'::text])));

COMMENT ON DOMAIN pay.webhook_way IS 'How a webhook came: by itself, by a look at the PSP''s list, out of its kept body, which an operator has had read again, or as a row of a settlement file';

CREATE DOMAIN pay.whole AS bigint
	CONSTRAINT whole_check CHECK ((VALUE >= 0));

COMMENT ON DOMAIN pay.whole IS 'A number that is not negative';

CREATE TYPE pay_api.age_row AS (
	item integer,
	outcome text,
	age_ms bigint
);

COMMENT ON TYPE pay_api.age_row IS 'How old rates are';

CREATE TYPE pay_api.balances_row AS (
	item integer,
	outcome text,
	balances text
);

COMMENT ON TYPE pay_api.balances_row IS 'Balances as JSON';

CREATE TYPE pay_api.beat_row AS (
	item integer,
	outcome text,
	number bigint,
	is_standby bigint
);

COMMENT ON TYPE pay_api.beat_row IS 'A beat as a server has it';

CREATE TYPE pay_api.buyer_history_row AS (
	item integer,
	outcome text,
	orders bigint,
	failures bigint,
	disputes bigint,
	ships bigint,
	psp_risk bigint,
	cents bigint,
	devices bigint,
	device_at bigint
);

COMMENT ON TYPE pay_api.buyer_history_row IS 'A buyer''s earlier checkouts, and an amount in US cents';

CREATE TYPE pay_api.change_row AS (
	item integer,
	outcome text,
	change_id text,
	change_kind text,
	payment_order_id text,
	change_status text,
	amount_minor bigint,
	change_currency text,
	reason text,
	change_code text,
	reference text,
	change_metadata text,
	created_at text,
	changed_at text,
	payment_reference text,
	merchant_id text,
	checkout_id text,
	checkout_uuid text,
	psp text,
	nonce text,
	handle text,
	token text,
	alias text,
	hosted_url text,
	return_url text,
	base_url text,
	currency text,
	total_minor bigint,
	expires_s bigint,
	registration_state text,
	attempt bigint,
	code text,
	version bigint,
	capture text,
	replaces text,
	replaced_by text,
	risk text,
	trace text,
	place bigint,
	order_id text,
	seller_account text,
	order_minor bigint,
	order_status text,
	order_reason text,
	authorized_minor bigint,
	captured_minor bigint,
	refunding_minor bigint,
	refunded_minor bigint,
	charged_back_minor bigint,
	credit_currency text,
	credit_minor bigint,
	credit_rate text,
	credit_until text,
	decline text,
	fee_minor bigint,
	fee_tax_minor bigint
);

COMMENT ON TYPE pay_api.change_row IS 'A capture, a cancellation or a refund, and its checkout';

CREATE TYPE pay_api.changes_row AS (
	item integer,
	outcome text,
	changes text
);

COMMENT ON TYPE pay_api.changes_row IS 'Changes as JSON';

CREATE TYPE pay_api.checkout_row AS (
	item integer,
	outcome text,
	merchant_id text,
	checkout_id text,
	checkout_uuid text,
	psp text,
	nonce text,
	handle text,
	token text,
	alias text,
	hosted_url text,
	return_url text,
	base_url text,
	currency text,
	total_minor bigint,
	expires_s bigint,
	registration_state text,
	attempt bigint,
	code text,
	version bigint,
	capture text,
	replaces text,
	replaced_by text,
	risk text,
	trace text,
	place bigint,
	order_id text,
	seller_account text,
	order_minor bigint,
	order_status text,
	order_reason text,
	authorized_minor bigint,
	captured_minor bigint,
	refunding_minor bigint,
	refunded_minor bigint,
	charged_back_minor bigint,
	credit_currency text,
	credit_minor bigint,
	credit_rate text,
	credit_until text,
	decline text,
	fee_minor bigint,
	fee_tax_minor bigint
);

COMMENT ON TYPE pay_api.checkout_row IS 'A checkout and one of its orders: a row for each of them';

CREATE TYPE pay_api.close_row AS (
	item integer,
	outcome text,
	number bigint,
	document text
);

COMMENT ON TYPE pay_api.close_row IS 'The document of a closed day, to be signed';

CREATE TYPE pay_api.counts_row AS (
	item integer,
	outcome text,
	counts text
);

COMMENT ON TYPE pay_api.counts_row IS 'Counts as JSON';

CREATE TYPE pay_api.delivery_row AS (
	item integer,
	outcome text,
	merchant_id text,
	endpoint_id text,
	"position" bigint,
	number bigint,
	url text,
	scheme text,
	message_id text,
	body text,
	number1 bigint,
	sealed1 bytea,
	key_id1 text,
	number2 bigint,
	sealed2 bytea,
	key_id2 text,
	number3 bigint,
	sealed3 bytea,
	key_id3 text,
	trace text
);

COMMENT ON TYPE pay_api.delivery_row IS 'A message on its way to an endpoint';

CREATE TYPE pay_api.dispatch_row AS (
	item integer,
	outcome text,
	attempt bigint,
	sends bigint
);

COMMENT ON TYPE pay_api.dispatch_row IS 'Of a call: its attempt, and how often it was sent';

CREATE TYPE pay_api.events_row AS (
	item integer,
	outcome text,
	events text
);

COMMENT ON TYPE pay_api.events_row IS 'Events as JSON';

CREATE TYPE pay_api.explanation_row AS (
	item integer,
	outcome text,
	explanation text
);

COMMENT ON TYPE pay_api.explanation_row IS 'An explanation as JSON';

CREATE TYPE pay_api.job_row AS (
	item integer,
	outcome text,
	kind text,
	attempts bigint,
	operation_id text,
	reference text,
	merchant_id text,
	checkout_id text,
	checkout_uuid text,
	psp text,
	nonce text,
	handle text,
	token text,
	alias text,
	hosted_url text,
	return_url text,
	base_url text,
	currency text,
	total_minor bigint,
	expires_s bigint,
	registration_state text,
	attempt bigint,
	code text,
	version bigint,
	capture text,
	replaces text,
	replaced_by text,
	risk text,
	trace text,
	place bigint,
	order_id text,
	seller_account text,
	order_minor bigint,
	order_status text,
	order_reason text,
	authorized_minor bigint,
	captured_minor bigint,
	refunding_minor bigint,
	refunded_minor bigint,
	charged_back_minor bigint,
	credit_currency text,
	credit_minor bigint,
	credit_rate text,
	credit_until text,
	decline text,
	fee_minor bigint,
	fee_tax_minor bigint
);

COMMENT ON TYPE pay_api.job_row IS 'A job and its checkout';

CREATE TYPE pay_api.look_row AS (
	item integer,
	outcome text,
	since_s bigint,
	balance_due bigint,
	file_id bigint
);

COMMENT ON TYPE pay_api.look_row IS 'A look at a source of settlement files: from when on, and whether the PSP is asked for the balance';

CREATE TYPE pay_api.order_row AS (
	item integer,
	outcome text,
	checkout_id text,
	psp text,
	handle text,
	token text,
	base_url text,
	expires_s bigint,
	version bigint,
	first_status text,
	currency text,
	place bigint,
	order_id text,
	seller_account text,
	order_minor bigint,
	order_status text,
	order_reason text,
	authorized_minor bigint,
	captured_minor bigint,
	refunding_minor bigint,
	refunded_minor bigint,
	charged_back_minor bigint,
	credit_currency text,
	credit_minor bigint,
	credit_rate text,
	credit_until text,
	decline text,
	fee_minor bigint,
	fee_tax_minor bigint
);

COMMENT ON TYPE pay_api.order_row IS 'An order and what its checkout says of it';

CREATE TYPE pay_api.outcome_row AS (
	item integer,
	outcome text
);

COMMENT ON TYPE pay_api.outcome_row IS 'What became of an item';

CREATE TYPE pay_api.page_row AS (
	item integer,
	outcome text,
	page text
);

COMMENT ON TYPE pay_api.page_row IS 'A page of a list as JSON';

CREATE TYPE pay_api.payout_act_row AS (
	item integer,
	outcome text,
	subject_id text,
	page text
);

COMMENT ON TYPE pay_api.payout_act_row IS 'The subject of a request about pay-outs, as JSON';

CREATE TYPE pay_api.payout_call_row AS (
	item integer,
	outcome text,
	payout_id text,
	number bigint,
	call text,
	step bigint,
	key text,
	amount_minor bigint,
	currency text,
	kind text,
	country text,
	destination_id text,
	version bigint,
	details bytea,
	key_id text,
	id0 text,
	id1 text,
	id2 text,
	id3 text,
	made_s bigint,
	cursor text,
	seller_account text
);

COMMENT ON TYPE pay_api.payout_call_row IS 'A call to a pay-out provider that a worker has claimed';

CREATE TYPE pay_api.replay_row AS (
	item integer,
	outcome text,
	replay_id bigint,
	psp text,
	event_id text,
	message_id text,
	body bytea
);

COMMENT ON TYPE pay_api.replay_row IS 'The kept body of a webhook, to be read again';

CREATE TYPE pay_api.report_row AS (
	item integer,
	outcome text,
	name text,
	url text
);

COMMENT ON TYPE pay_api.report_row IS 'A settlement report that a webhook has announced';

CREATE TYPE pay_api.reread_row AS (
	item integer,
	outcome text,
	file_id bigint,
	name text,
	digest bytea,
	next_sha256 bytea,
	is_begun bigint,
	format text,
	account text
);

COMMENT ON TYPE pay_api.reread_row IS 'A settlement that is pulled again';

CREATE TYPE pay_api.screening_row AS (
	item integer,
	outcome text,
	destination_id text,
	version bigint,
	number bigint,
	seller_account text,
	currency text,
	kind text,
	country text,
	details bytea,
	key_id text
);

COMMENT ON TYPE pay_api.screening_row IS 'A question to a screening provider that a worker has claimed';

CREATE TYPE pay_api.seal_row AS (
	item integer,
	outcome text,
	number bigint,
	message text
);

COMMENT ON TYPE pay_api.seal_row IS 'A seal''s message, to be signed';

CREATE TYPE pay_api.settlement_row AS (
	item integer,
	outcome text,
	file_id bigint,
	attempt bigint,
	format text,
	account text,
	state text
);

COMMENT ON TYPE pay_api.settlement_row IS 'A settlement file, and how it is read';

CREATE TYPE pay_api.span_row AS (
	item integer,
	outcome text,
	since_s bigint,
	until_s bigint
);

COMMENT ON TYPE pay_api.span_row IS 'Seconds since 1970, from one to the other';

CREATE TYPE pay_api.statement_row AS (
	item integer,
	outcome text,
	statement text
);

COMMENT ON TYPE pay_api.statement_row IS 'A statement as JSON';

CREATE TYPE pay_api.visit_row AS (
	item integer,
	outcome text,
	is_pending bigint,
	page text,
	merchant_id text,
	checkout_id text,
	checkout_uuid text,
	psp text,
	nonce text,
	handle text,
	token text,
	alias text,
	hosted_url text,
	return_url text,
	base_url text,
	currency text,
	total_minor bigint,
	expires_s bigint,
	registration_state text,
	attempt bigint,
	code text,
	version bigint,
	capture text,
	replaces text,
	replaced_by text,
	risk text,
	trace text,
	place bigint,
	order_id text,
	seller_account text,
	order_minor bigint,
	order_status text,
	order_reason text,
	authorized_minor bigint,
	captured_minor bigint,
	refunding_minor bigint,
	refunded_minor bigint,
	charged_back_minor bigint,
	credit_currency text,
	credit_minor bigint,
	credit_rate text,
	credit_until text,
	decline text,
	fee_minor bigint,
	fee_tax_minor bigint
);

COMMENT ON TYPE pay_api.visit_row IS 'A checkout as its buyer sees it';

CREATE FUNCTION pay.about_event(p_type text, p_code text, p_reference text, p_news text, p_kind text, p_policy text, p_captured bigint, p_amount bigint, p_currency text) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.accept_late(p_merchant_id text, p_checkout_id text) RETURNS boolean LANGUAGE plpgsql;

CREATE TABLE pay.settlement_exception (
    exception_id bigint NOT NULL,
    row_id bigint,
    merchant_id pay.id NOT NULL,
    psp pay.id NOT NULL,
    source pay.journal_source,
    kind text COLLATE pg_catalog."C",
    checkout_id pay.id,
    class pay.settlement_class NOT NULL,
    finding text NOT NULL COLLATE pg_catalog."C",
    playbook text NOT NULL COLLATE pg_catalog."C",
    amount_minor bigint NOT NULL,
    currency pay.currency_code NOT NULL,
    proposed jsonb,
    is_suspended boolean DEFAULT false NOT NULL,
    opened_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    closed_at timestamp with time zone,
    closed_as text COLLATE pg_catalog."C",
    CONSTRAINT settlement_exception_check CHECK (((closed_at IS NULL) = (closed_as IS NULL))),
    CONSTRAINT settlement_exception_check1 CHECK (((closed_as <> 'gone'::text) OR (finding <> 'gone'::text))),
    CONSTRAINT settlement_exception_check2 CHECK (((row_id IS NULL) = (source IS NOT NULL))),
    CONSTRAINT settlement_exception_check3 CHECK (((source IS NULL) = (kind IS NULL))),
    CONSTRAINT settlement_exception_class_check CHECK (((class)::smallint >= 2)),
    CONSTRAINT settlement_exception_closed_as_check CHECK ((closed_as = ANY (ARRAY['matched'::text, 'accepted'::text, 'resolved'::text, 'written_off'::text, 'gone'::text])))
);

CREATE TABLE pay.settlement_row (
    row_id bigint NOT NULL,
    source pay.settlement_name NOT NULL,
    row_key pay.settlement_key NOT NULL,
    version pay.ordinal DEFAULT 1 NOT NULL,
    file_id bigint NOT NULL,
    line integer NOT NULL,
    kind pay.settlement_kind NOT NULL,
    raw_type text,
    psp_ref pay.id,
    parent_ref pay.id,
    our_ref pay.id,
    occurred_at timestamp with time zone,
    booked_on date,
    gross_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    net_minor bigint NOT NULL,
    currency pay.currency_code NOT NULL,
    paid_minor bigint,
    paid_currency pay.currency_code,
    rate pay.positive_rate,
    payout_ref pay.id,
    account text COLLATE pg_catalog."C",
    bank_ref text,
    note text,
    is_external boolean NOT NULL,
    is_detail boolean NOT NULL,
    merchant_id pay.id NOT NULL,
    checkout_id pay.id,
    class pay.settlement_class NOT NULL,
    finding text NOT NULL COLLATE pg_catalog."C",
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    tx xid8 DEFAULT pg_current_xact_id() NOT NULL
)
WITH (autovacuum_analyze_threshold='1000');

CREATE FUNCTION pay.accepted_postings(p_exception pay.settlement_exception, p_row pay.settlement_row, p_as text, OUT postings pay.posting[], OUT is_suspended boolean) RETURNS record LANGUAGE plpgsql;

CREATE TABLE pay.settlement_tally (
    name text NOT NULL COLLATE pg_catalog."C",
    day date,
    from_at timestamp with time zone,
    from_tx xid8,
    until_at timestamp with time zone NOT NULL,
    until_tx xid8 NOT NULL,
    next_at timestamp with time zone NOT NULL,
    width interval NOT NULL,
    open_after bigint,
    is_done boolean DEFAULT false NOT NULL,
    CONSTRAINT settlement_tally_check CHECK (((name = 'close'::text) = (day IS NOT NULL))),
    CONSTRAINT settlement_tally_check1 CHECK (((from_at IS NULL) = (from_tx IS NULL))),
    CONSTRAINT settlement_tally_name_check CHECK ((name = ANY (ARRAY['close'::text, 'balance'::text, 'accounts'::text])))
)
WITH (fillfactor='50');

CREATE FUNCTION pay.account_movements(p_tally pay.settlement_tally, p_until timestamp with time zone) RETURNS SETOF pay.close_line LANGUAGE plpgsql STABLE SET enable_seqscan TO 'off' SET enable_hashjoin TO 'off' SET enable_mergejoin TO 'off';
CREATE FUNCTION pay.accounts_until() RETURNS timestamp with time zone LANGUAGE sql STABLE;
CREATE FUNCTION pay.act_on(p_exception pay.settlement_exception, p_act text, p_who text, p_why text, p_as_kind text, p_with_id bigint) RETURNS text LANGUAGE plpgsql;

CREATE TABLE pay.webhook_endpoint (
    merchant_id pay.id NOT NULL,
    endpoint_id pay.id NOT NULL,
    url pay.filled NOT NULL,
    types text[] NOT NULL COLLATE pg_catalog."C",
    scheme text NOT NULL COLLATE pg_catalog."C",
    is_ordered boolean NOT NULL,
    state text DEFAULT 'enabled'::text NOT NULL COLLATE pg_catalog."C",
    reason text COLLATE pg_catalog."C",
    created_by pay.filled NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    failures pay.tally DEFAULT 0 NOT NULL,
    failing_since timestamp with time zone,
    paused_until timestamp with time zone,
    look_at timestamp with time zone DEFAULT now() NOT NULL,
    source text DEFAULT 'api'::text NOT NULL COLLATE pg_catalog."C",
    declared_at timestamp with time zone,
    CONSTRAINT webhook_endpoint_check CHECK (((state = 'disabled'::text) = (reason IS NOT NULL))),
    CONSTRAINT webhook_endpoint_check1 CHECK ((((failures)::integer = 0) = (failing_since IS NULL))),
    CONSTRAINT webhook_endpoint_declared CHECK (((source = 'directive'::text) = (declared_at IS NOT NULL))),
    CONSTRAINT webhook_endpoint_reason_check CHECK ((reason = ANY (ARRAY['merchant'::text, 'operator'::text, 'gone'::text, 'failing'::text, 'undeclared'::text]))),
    CONSTRAINT webhook_endpoint_scheme_check CHECK ((scheme = ANY (ARRAY['v1'::text, 'v1a'::text]))),
    CONSTRAINT webhook_endpoint_source_check CHECK ((source = ANY (ARRAY['api'::text, 'directive'::text]))),
    CONSTRAINT webhook_endpoint_state_check CHECK ((state = ANY (ARRAY['enabled'::text, 'disabled'::text]))),
    CONSTRAINT webhook_endpoint_url_check CHECK ((octet_length((url)::text) <= 2048))
)
WITH (fillfactor='60');

CREATE FUNCTION pay.act_on_endpoint(p_endpoint pay.webhook_endpoint, p_act text, p_sealed bytea, p_key_id text, p_overlap interval, p_who text) RETURNS text LANGUAGE plpgsql;

CREATE TABLE pay.risk_review (
    review_id bigint NOT NULL,
    merchant_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    state text DEFAULT 'open'::text NOT NULL COLLATE pg_catalog."C",
    needs_second boolean NOT NULL,
    deadline timestamp with time zone NOT NULL,
    overdue text NOT NULL COLLATE pg_catalog."C",
    claimed_by pay.filled,
    claimed_until timestamp with time zone,
    asked text COLLATE pg_catalog."C",
    asked_by pay.filled,
    is_settled boolean DEFAULT false NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    captures boolean DEFAULT false NOT NULL,
    is_watched boolean DEFAULT false NOT NULL,
    CONSTRAINT risk_review_asked_check CHECK ((asked = ANY (ARRAY['approve'::text, 'reject'::text]))),
    CONSTRAINT risk_review_check CHECK (((asked IS NULL) = (asked_by IS NULL))),
    CONSTRAINT risk_review_check1 CHECK (((claimed_by IS NULL) = (claimed_until IS NULL))),
    CONSTRAINT risk_review_overdue_check CHECK ((overdue = ANY (ARRAY['approve'::text, 'reject'::text, 'escalate'::text]))),
    CONSTRAINT risk_review_state_check CHECK ((state = ANY (ARRAY['open'::text, 'escalated'::text, 'approved'::text, 'rejected'::text, 'ended'::text])))
)
WITH (fillfactor='80');

COMMENT ON COLUMN pay.risk_review.captures IS 'An approval captures the money: the storefront did not want to';
COMMENT ON COLUMN pay.risk_review.is_watched IS 'Captures were begun, and one is open or has failed with money still held';

CREATE FUNCTION pay.act_on_one_review(p_merchant_id text, p_review_id bigint, p_act text, p_reason text, p_note text, p_blocks boolean, p_lease_s bigint, p_who text, OUT outcome text, OUT decided pay.risk_review) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.act_on_payout_batch(p_act text, p_merchant_id text, p_subject text, p_currency text, p_limit bigint, p_hash text, p_why text, p_who text, OUT outcome text, OUT batch_id text) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.add_amounts(p_a jsonb, p_b jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.add_counts(p_one jsonb, p_other jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.add_decline_counts(p_from bigint, p_until bigint) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.add_order_counts(p_from bigint, p_until bigint) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.add_tally_lines(p_name text, p_lines pay.close_line[]) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.add_up_rollup(p_level text, p_merchant_id text, p_bucket timestamp with time zone) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.add_up_rollups(p_merchants text[], p_minutes timestamp with time zone[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.address_distance(p_address cidr, p_keys jsonb) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.adopt_cards(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[]) RETURNS void LANGUAGE plpgsql;

CREATE TABLE pay.settlement_file (
    file_id bigint NOT NULL,
    source pay.settlement_name NOT NULL,
    sha256 pay.hash NOT NULL,
    name text NOT NULL,
    attempt pay.ordinal DEFAULT 1 NOT NULL,
    is_whole boolean DEFAULT false NOT NULL,
    batch_key text COLLATE pg_catalog."C",
    version pay.ordinal DEFAULT 1 NOT NULL,
    state text DEFAULT 'received'::text NOT NULL COLLATE pg_catalog."C",
    reason text,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    stated jsonb DEFAULT '{}'::jsonb NOT NULL,
    row_count pay.whole DEFAULT 0 NOT NULL,
    phase text DEFAULT 'take'::text NOT NULL COLLATE pg_catalog."C",
    matched pay.whole DEFAULT 0 NOT NULL,
    class1 pay.whole DEFAULT 0 NOT NULL,
    class2 pay.whole DEFAULT 0 NOT NULL,
    class3 pay.whole DEFAULT 0 NOT NULL,
    repeats pay.whole DEFAULT 0 NOT NULL,
    digest pay.hash,
    reread_at timestamp with time zone,
    page pay.ordinal,
    is_last_page boolean DEFAULT false NOT NULL,
    page_sums jsonb,
    kept pay.whole DEFAULT 0 NOT NULL,
    CONSTRAINT settlement_file_check CHECK (((reread_at IS NULL) OR (digest IS NOT NULL))),
    CONSTRAINT settlement_file_check1 CHECK (((reason IS NOT NULL) OR (state <> 'refused'::text))),
    CONSTRAINT settlement_file_check2 CHECK (((reason IS NULL) OR (state = ANY (ARRAY['staged'::text, 'refused'::text])))),
    CONSTRAINT settlement_file_check3 CHECK (((page IS NULL) = (page_sums IS NULL))),
    CONSTRAINT settlement_file_check4 CHECK (((page IS NOT NULL) OR (NOT is_last_page))),
    CONSTRAINT settlement_file_phase_check CHECK ((phase = ANY (ARRAY['take'::text, 'tell'::text, 'match'::text, 'change'::text, 'book'::text]))),
    CONSTRAINT settlement_file_state_check CHECK ((state = ANY (ARRAY['received'::text, 'staged'::text, 'proven'::text, 'booking'::text, 'booked'::text, 'refused'::text])))
);

CREATE FUNCTION pay.advance_file(p_file_id bigint, p_rows integer) RETURNS pay.settlement_file LANGUAGE plpgsql;
CREATE FUNCTION pay.advance_page(p_file pay.settlement_file, p_rows integer) RETURNS pay.settlement_file LANGUAGE plpgsql;
CREATE FUNCTION pay.advance_settlement(p_file_id bigint, p_rows integer DEFAULT 5000) RETURNS pay.settlement_file LANGUAGE plpgsql;

CREATE TABLE pay.payout_advice (
    merchant_id pay.id NOT NULL,
    payout_id pay.id NOT NULL,
    seller_account pay.filled NOT NULL,
    currency pay.currency_code NOT NULL,
    since_seq pay.whole NOT NULL,
    until_seq bigint NOT NULL,
    opening_minor bigint NOT NULL,
    sales_minor bigint NOT NULL,
    refunds_minor bigint NOT NULL,
    disputes_minor bigint NOT NULL,
    fees_minor bigint NOT NULL,
    reserve_minor bigint NOT NULL,
    payouts_minor bigint NOT NULL,
    adjustments_minor bigint NOT NULL,
    paid_minor pay.positive_minor NOT NULL,
    closing_minor pay.minor NOT NULL,
    sha256 pay.hash NOT NULL,
    CONSTRAINT payout_advice_check CHECK ((until_seq > (since_seq)::bigint)),
    CONSTRAINT payout_advice_check1 CHECK ((((((((((opening_minor + sales_minor) + refunds_minor) + disputes_minor) + fees_minor) + reserve_minor) + payouts_minor) + adjustments_minor) - (paid_minor)::bigint) = (closing_minor)::bigint))
);

CREATE FUNCTION pay.advice_holds(p_advice pay.payout_advice) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.advice_json(p_advice pay.payout_advice, p_before bigint, p_limit integer) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.advice_lines(p_merchant_id text, p_payout_id text, p_seller text, p_currency text, p_since bigint, p_until bigint) RETURNS TABLE(wallet_seq bigint, at timestamp with time zone, source text, kind text, part text, payment_order_id text, amount_minor bigint, is_new boolean, is_paid boolean) LANGUAGE sql STABLE;
CREATE FUNCTION pay.advice_lines_json(p_advice pay.payout_advice, p_before bigint, p_limit integer, OUT lines json, OUT next bigint) RETURNS record LANGUAGE sql STABLE;
CREATE FUNCTION pay.advice_of(p_merchant_id text, p_payout_id text, p_seller text, p_currency text, p_paid bigint, p_closing bigint, p_since bigint, p_until bigint, p_opening bigint) RETURNS SETOF pay.payout_advice LANGUAGE sql STABLE;
CREATE FUNCTION pay.advice_page(p_merchant_id text, p_payout_id text, p_before bigint, p_limit integer, OUT outcome text, OUT page text) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.after_of(p_merchant_id text, p_checkout_id text) RETURNS jsonb LANGUAGE sql STABLE SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.again_failed(p_endpoint pay.webhook_endpoint, p_since timestamp with time zone, p_until timestamp with time zone) RETURNS SETOF bigint LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.again_one(p_endpoint pay.webhook_endpoint, p_message_id text, p_until timestamp with time zone, p_only_failed boolean) RETURNS SETOF bigint LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.again_since(p_endpoint pay.webhook_endpoint, p_since timestamp with time zone, p_until timestamp with time zone) RETURNS SETOF bigint LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.age_in_days(p_age interval) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.ageing_of(p_merchant_id text, p_psp text, p_currency text) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.all_merchants() RETURNS SETOF text LANGUAGE sql STABLE;
CREATE FUNCTION pay.all_psps() RETURNS SETOF text LANGUAGE sql STABLE;
CREATE FUNCTION pay.all_sold(p_merchant_id text, p_checkout_id text, p_order_id text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.amount_in(p_minor numeric, p_from text, p_to text) RETURNS numeric LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.amount_left(p_exception pay.settlement_exception, p_row pay.settlement_row) RETURNS bigint LANGUAGE sql STABLE;
CREATE FUNCTION pay.amount_text(p_minor bigint, p_currency text) RETURNS text LANGUAGE sql STABLE;

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

CREATE FUNCTION pay.apply_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.apply_named(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[]) RETURNS pay.posting[] LANGUAGE plpgsql;
CREATE FUNCTION pay.apply_parked(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[]) RETURNS pay.posting[] LANGUAGE plpgsql;

CREATE TABLE pay.payout (
    merchant_id pay.id NOT NULL,
    payout_id pay.id NOT NULL,
    payout_key pay.payout_key NOT NULL,
    attempt pay.ordinal NOT NULL,
    seller_account pay.filled NOT NULL,
    currency pay.currency_code NOT NULL,
    amount_minor pay.positive_minor NOT NULL,
    left_minor pay.minor NOT NULL,
    line_count pay.ordinal NOT NULL,
    provider pay.payout_name NOT NULL,
    destination_id pay.id NOT NULL,
    destination_version pay.ordinal NOT NULL,
    made_by pay.filled NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    state pay.payout_state DEFAULT 'draft'::text NOT NULL,
    reason text,
    provider_ref pay.id,
    proof text COLLATE pg_catalog."C",
    voided_at timestamp with time zone,
    batch_id pay.id,
    number bigint NOT NULL,
    CONSTRAINT payout_check CHECK (((voided_at IS NOT NULL) = ((state)::text = ANY (ARRAY['failed'::text, 'returned'::text, 'cancelled'::text])))),
    CONSTRAINT payout_check1 CHECK (((proof IS NOT NULL) = ((state)::text = 'failed'::text))),
    CONSTRAINT payout_check2 CHECK ((((state)::text <> ALL (ARRAY['sent'::text, 'paid'::text, 'settled'::text])) OR (provider_ref IS NOT NULL))),
    CONSTRAINT payout_check3 CHECK (((batch_id IS NOT NULL) OR ((state)::text = ANY (ARRAY['draft'::text, 'held'::text, 'ready'::text, 'cancelled'::text])))),
    CONSTRAINT payout_proof_check CHECK ((proof = ANY (ARRAY['refused'::text, 'not_found'::text, 'same_key'::text, 'returned_by_provider'::text, 'pain002'::text, 'person'::text])))
)
WITH (fillfactor='60');

CREATE FUNCTION pay.apply_payout_fact(p_payout pay.payout, p_state text, p_ref text, p_proof text, p_who text, p_code text, p_detail jsonb) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.approval_is_foreign() RETURNS trigger LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.approval_time(p_merchant_id text) RETURNS interval LANGUAGE sql STABLE;
CREATE FUNCTION pay.approvals_missing(p_merchant_id text, p_batch_id text) RETURNS integer LANGUAGE sql STABLE;
CREATE FUNCTION pay.approvals_needed(p_merchant_id text, p_currency text, p_total_minor bigint) RETURNS integer LANGUAGE sql STABLE;

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
    fee_minor pay.minor,
    fee_tax_minor pay.minor,
    CONSTRAINT payment_order_check CHECK ((((status)::text = 'FAILED'::text) = (reason IS NOT NULL))),
    CONSTRAINT payment_order_check1 CHECK (((GREATEST(authorized_minor, captured_minor))::bigint <= (amount_minor)::bigint)),
    CONSTRAINT payment_order_check2 CHECK ((((refunding_minor)::bigint + (refunded_minor)::bigint) <= (captured_minor)::bigint)),
    CONSTRAINT payment_order_check3 CHECK ((num_nulls(credit_currency, credit_rate, credit_minor, credit_until) = ANY (ARRAY[0, 4]))),
    CONSTRAINT payment_order_check4 CHECK (((credit_currency)::text <> (currency)::text)),
    CONSTRAINT payment_order_check5 CHECK (((fee_minor IS NULL) = (fee_tax_minor IS NULL)))
)
WITH (fillfactor='45', autovacuum_analyze_threshold='1000', autovacuum_vacuum_threshold='1000');

CREATE FUNCTION pay.approved_attempts(p_order pay.payment_order) RETURNS integer LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.as_kinds(p_kind text, p_amount bigint) RETURNS text[] LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.ask_payout_soon(p_row pay.payout_sending, p_call text) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.ask_second(p_review pay.risk_review, p_act text, p_who text, p_reason text, p_note text) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.asked_by_ok(p_asked_by jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.asked_detail(p_asked_by jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE;

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

CREATE FUNCTION pay.assign_money(p_mismatch pay.mismatch, p_orders text[], p_amounts bigint[], OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.attempt_is_news(p_order pay.payment_order, p_attempt text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.await_names(p_news pay.news[]) RETURNS pay.news[] LANGUAGE plpgsql;
CREATE FUNCTION pay.await_tokens(p_facts pay.fact[], p_duplicates integer[]) RETURNS pay.fact[] LANGUAGE plpgsql;
CREATE FUNCTION pay.balance_bounds(p_psp text, p_listed text[]) RETURNS SETOF pay.balance_bound LANGUAGE sql STABLE;

CREATE TABLE pay.psp_balance (
    balance_id bigint NOT NULL,
    source pay.settlement_name NOT NULL,
    currency pay.currency_code NOT NULL,
    looked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    available_minor bigint NOT NULL,
    pending_minor bigint NOT NULL,
    reserved_minor bigint,
    our_minor bigint NOT NULL,
    difference_minor bigint NOT NULL,
    below_minor pay.whole NOT NULL,
    above_minor pay.whole NOT NULL,
    known_low bigint NOT NULL,
    known_high bigint NOT NULL,
    verdict text NOT NULL COLLATE pg_catalog."C",
    exception_id bigint,
    CONSTRAINT psp_balance_check CHECK ((difference_minor = (((available_minor + pending_minor) + COALESCE(reserved_minor, (0)::bigint)) - our_minor))),
    CONSTRAINT psp_balance_check1 CHECK ((known_low <= known_high)),
    CONSTRAINT psp_balance_check2 CHECK (((verdict = 'differs'::text) = (exception_id IS NOT NULL))),
    CONSTRAINT psp_balance_verdict_check CHECK ((verdict = ANY (ARRAY['agrees'::text, 'differs'::text, 'unsettled'::text])))
);

CREATE FUNCTION pay.balance_verdict(p_bound pay.balance_bound, p_row pay.psp_balance, p_is_counted boolean) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.balances_of(p_merchant_id text, p_psp text, p_currency text) RETURNS json LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.bank_day_from(p_calendar text, p_day date) RETURNS date LANGUAGE plpgsql STABLE;

CREATE UNLOGGED TABLE pay.settlement_work (
    file_id bigint NOT NULL,
    line integer NOT NULL,
    row_key pay.settlement_key NOT NULL,
    kind pay.settlement_kind NOT NULL,
    raw_type text,
    psp_ref pay.id,
    parent_ref pay.id,
    our_ref pay.id,
    occurred_at timestamp with time zone,
    booked_on date,
    gross_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    net_minor bigint NOT NULL,
    currency pay.currency_code NOT NULL,
    paid_minor bigint,
    paid_currency pay.currency_code,
    rate pay.positive_rate,
    payout_ref pay.id,
    account text COLLATE pg_catalog."C",
    bank_ref text,
    note text,
    is_external boolean NOT NULL,
    is_detail boolean NOT NULL,
    first_line integer,
    bucket integer,
    source pay.settlement_name NOT NULL,
    psp pay.id NOT NULL,
    merchant_id pay.id NOT NULL,
    checkout_id pay.id,
    by_ref text COLLATE pg_catalog."C",
    family text COLLATE pg_catalog."C",
    value_minor bigint NOT NULL,
    value_currency pay.currency_code NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    told boolean DEFAULT false NOT NULL,
    fee_booked boolean DEFAULT false NOT NULL,
    match integer,
    rule text COLLATE pg_catalog."C",
    finding text COLLATE pg_catalog."C",
    candidate jsonb,
    of_file bigint NOT NULL,
    rounding_minor bigint,
    rounding_currency pay.currency_code
)
WITH (fillfactor='50');

CREATE FUNCTION pay.bank_text(p_work pay.settlement_work) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.batch_is_approved() RETURNS trigger LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.batch_is_whole() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.batch_items_are_all() RETURNS trigger LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.begin_one_change(p_item pay.change_item, p_begun text[], OUT outcome text, OUT change_id text, OUT told pay.fact) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.begin_payout(p_merchant_id text, p_payout_id text, p_who text) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.begin_payout_runs(p_most integer) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.begin_reserves(p_merchant_id text, p_seller text[], p_currency text[]) RETURNS pay.posting[] LANGUAGE plpgsql;

CREATE TABLE pay.settlement_end (
    file_id bigint NOT NULL,
    queue_after bigint DEFAULT 0 NOT NULL,
    queue_until bigint DEFAULT 0 NOT NULL,
    is_last_slice boolean DEFAULT false NOT NULL,
    rows_after bigint DEFAULT 0 NOT NULL,
    gone pay.whole DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');

CREATE FUNCTION pay.begin_slice(p_file_id bigint, p_psp text, p_limit integer) RETURNS pay.settlement_end LANGUAGE sql;
CREATE FUNCTION pay.begin_tally(p_name text, p_day date, p_from_at timestamp with time zone, p_from_tx xid8, p_until timestamp with time zone) RETURNS pay.settlement_tally LANGUAGE sql;
CREATE FUNCTION pay.block_checkouts(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_psp text[], p_request_id text[], p_terms jsonb[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.block_review_keys(p_review pay.risk_review, p_who text, p_why text) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.body_ok(p_psp text, p_digest bytea, p_body bytea, p_size bigint, p_left_out text, p_days bigint, p_message_id text) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.book_orderless(p_facts pay.fact[]) RETURNS pay.fact[] LANGUAGE plpgsql;
CREATE FUNCTION pay.book_rematch(p_file_id bigint) RETURNS void LANGUAGE plpgsql;

CREATE TABLE pay.settlement_source (
    source pay.settlement_name NOT NULL,
    medium text NOT NULL COLLATE pg_catalog."C",
    format pay.filled NOT NULL,
    merchant_id pay.id NOT NULL,
    psp pay.id,
    account text COLLATE pg_catalog."C",
    since timestamp with time zone DEFAULT now() NOT NULL,
    overdue_days integer DEFAULT 9 NOT NULL,
    checked_until timestamp with time zone,
    keep text DEFAULT 'digest'::text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT settlement_source_check CHECK (((medium = 'psp'::text) = (psp IS NOT NULL))),
    CONSTRAINT settlement_source_keep_check CHECK ((keep = ANY (ARRAY['digest'::text, 'copy'::text]))),
    CONSTRAINT settlement_source_medium_check CHECK ((medium = ANY (ARRAY['psp'::text, 'bank'::text]))),
    CONSTRAINT settlement_source_overdue_days_check CHECK ((overdue_days > 0))
);

CREATE FUNCTION pay.book_work(p_file pay.settlement_file, p_source pay.settlement_source, p_of_file bigint) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.booked(p_merchant_id text, p_checkout_id text, p_payment_order_id text) RETURNS TABLE(captured bigint, refunding bigint, refunded bigint, unbalanced bigint) LANGUAGE sql STABLE;
CREATE FUNCTION pay.browser_keys(p_merchant_id text, p_checkout_id text) RETURNS TABLE(kind text, value text) LANGUAGE sql STABLE;
CREATE FUNCTION pay.browsers_of(p_merchant_id text, p_checkout_id text) RETURNS jsonb LANGUAGE sql STABLE SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.bucket_of(p_width interval, p_at timestamp with time zone) RETURNS timestamp with time zone LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.buyer_history(p_merchant_id text, p_buyers bytea[], p_country text, p_devices bytea[], OUT orders bigint, OUT failures bigint, OUT disputes bigint, OUT ships bigint, OUT psp_risk bigint, OUT devices bigint, OUT device_at bigint) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.cancel_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.capture_approved(p_reviews pay.risk_review[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.capture_change_items(p_reviews pay.risk_review[]) RETURNS pay.change_item[] LANGUAGE plpgsql STABLE;

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

CREATE FUNCTION pay.capture_done(p_change pay.change, p_word pay.fact) RETURNS pay.fact[] LANGUAGE plpgsql;
CREATE FUNCTION pay.capture_names(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_state text[], p_reference text[], p_items integer[], OUT psps text[], OUT names text[]) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.capture_of_amount(p_news pay.news) RETURNS pay.change LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.capture_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.captures_out(p_merchant_id text, p_checkout_id text) RETURNS pay.change[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.card_list_findings(p_words pay.card_word[]) RETURNS pay.risk_findings LANGUAGE plpgsql STABLE;

CREATE TABLE pay.risk_card (
    psp pay.id NOT NULL,
    attempt pay.id NOT NULL,
    merchant_id pay.id,
    checkout_id pay.id,
    token pay.id,
    card text COLLATE pg_catalog."C",
    bin text COLLATE pg_catalog."C",
    country text COLLATE pg_catalog."C",
    funding text COLLATE pg_catalog."C",
    three_d text COLLATE pg_catalog."C",
    level text COLLATE pg_catalog."C",
    score integer,
    warning text COLLATE pg_catalog."C",
    is_hint boolean NOT NULL,
    is_declined boolean NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    judged integer DEFAULT 0 NOT NULL,
    waits jsonb,
    browser text COLLATE pg_catalog."C",
    CONSTRAINT risk_card_bin_check CHECK ((bin ~ '^[0-9]{6,8}$'::text)),
    CONSTRAINT risk_card_browser_check CHECK ((browser ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT risk_card_card_check CHECK ((card ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT risk_card_country_check CHECK ((country ~ '^[A-Z]{2}$'::text)),
    CONSTRAINT risk_card_funding_check CHECK ((funding = ANY (ARRAY['credit'::text, 'debit'::text, 'prepaid'::text]))),
    CONSTRAINT risk_card_level_check CHECK ((level = ANY (ARRAY['normal'::text, 'elevated'::text, 'highest'::text]))),
    CONSTRAINT risk_card_score_check CHECK (((score >= 0) AND (score <= 100))),
    CONSTRAINT risk_card_three_d_check CHECK ((three_d = ANY (ARRAY['authenticated'::text, 'attempted'::text, 'exempted'::text, 'failed'::text]))),
    CONSTRAINT risk_card_warning_check CHECK ((warning ~ '^[a-z0-9_.-]{1,64}$'::text))
);

COMMENT ON TABLE pay.risk_card IS 'The words of PSPs about the cards of attempts';

CREATE FUNCTION pay.card_parts(p_card pay.risk_card, p_browser text) RETURNS integer LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.card_terms_ok(p_terms jsonb) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.card_window_findings(p_words pay.card_word[]) RETURNS pay.risk_findings LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.card_window_ok(p_window jsonb) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.card_window_sum(p_merchant_id text, p_key text, p_value text, p_seconds integer, p_measure text, p_currency text, p_most numeric) RETURNS numeric LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.card_windows(p_words pay.card_word[]) RETURNS TABLE(n integer, name text, key text, value text, seconds integer, measure text, threshold numeric, currency text, word text, is_shadow boolean, is_new boolean, is_decline boolean, behind bigint, declines_behind bigint) LANGUAGE sql STABLE;
CREATE FUNCTION pay.cards_of(p_merchant_id text, p_checkout_id text) RETURNS jsonb LANGUAGE sql STABLE SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.carried_balances(p_merchant_id text, p_seller text[], p_currency text[]) RETURNS TABLE(seller_account text, currency text, minor bigint) LANGUAGE sql STABLE;
CREATE FUNCTION pay.carry_out_cards(p_words pay.card_word[], p_items integer[], p_effects text[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.carry_out_reviews(p_reviews pay.risk_review[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.carry_parts(p_file_id bigint) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.chained_hash(p_previous text, p_merchant_id text, p_payment_order_id text, p_seq text, p_at text, p_tx text, p_kind text, p_actor text, p_old_status text, p_new_status text, p_reason text, p_detail text, p_request_id text) RETURNS bytea LANGUAGE sql STABLE;
CREATE FUNCTION pay.change_after(p_change pay.change, OUT state text, OUT status text) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.change_columns(p_merchant_id text, p_change_id text) RETURNS TABLE(checkout_id text, change_id text, change_kind text, payment_order_id text, change_status text, amount_minor bigint, change_currency text, reason text, change_code text, reference text, change_metadata text, created_at text, changed_at text, payment_reference text) LANGUAGE plpgsql STABLE ROWS 1;
CREATE FUNCTION pay.change_fact(p_change pay.change, p_word pay.fact, p_kind text, p_postings pay.posting[], p_more jsonb DEFAULT '{}'::jsonb) RETURNS pay.fact LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.change_in_progress(p_merchant_id text, p_change_id text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.change_meant(p_news pay.news) RETURNS pay.change LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.change_needs_job(p_merchant_id text, p_change_id text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.change_route(p_kind text) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.changes_of(p_order pay.payment_order, p_kind text) RETURNS json LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.check_batch(VARIADIC p_dims text[]) RETURNS integer LANGUAGE plpgsql IMMUTABLE;

CREATE UNLOGGED TABLE pay.settlement_proof (
    file_id bigint NOT NULL,
    attempt pay.ordinal NOT NULL,
    next_bucket integer DEFAULT 0 NOT NULL,
    last_key text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    last_line integer DEFAULT 0 NOT NULL,
    keys_end boolean DEFAULT false NOT NULL,
    row_count bigint DEFAULT 0 NOT NULL,
    wrong_line integer,
    wrong text
)
WITH (fillfactor='50');

CREATE FUNCTION pay.check_buckets(p_proof pay.settlement_proof, p_rows integer) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.check_items(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders_item bigint[], p_orders_id text[], p_orders_seller_account text[], p_orders_amount_minor bigint[], p_orders_credit_currency text[], p_ttl_s bigint[], p_lease_ms bigint[], p_psps text[], p_route text[], p_key_windows text[], p_late_success text[], p_terms jsonb[]) RETURNS integer[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.check_keys(p_proof pay.settlement_proof, p_rows integer) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.check_settlement(p_file_id bigint, p_rows integer) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.checkout_page(p_merchant_id text, p_status text, p_after timestamp with time zone, p_before timestamp with time zone, p_before_id text, p_limit integer) RETURNS json LANGUAGE plpgsql STABLE SET enable_bitmapscan TO 'off';

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
    first_call pay.first_call,
    first_ended_at timestamp with time zone,
    request_id text,
    capture pay.capture_mode DEFAULT 'automatic'::text NOT NULL,
    replaces pay.id,
    replaced_by pay.id,
    waits boolean DEFAULT false NOT NULL,
    payment_method text COLLATE pg_catalog."C",
    risk text COLLATE pg_catalog."C",
    hold_psps text[],
    page jsonb,
    trace text COLLATE pg_catalog."C",
    CONSTRAINT checkout_check CHECK ((((state)::text <> 'REGISTERED'::text) OR ((token IS NOT NULL) AND (hosted_url IS NOT NULL)))),
    CONSTRAINT checkout_check1 CHECK ((((state)::text <> 'REGISTERING'::text) OR (token IS NULL))),
    CONSTRAINT checkout_check2 CHECK (((alias IS NULL) OR (token IS NOT NULL))),
    CONSTRAINT checkout_check3 CHECK ((cardinality(key_windows) = cardinality((psps)::text[]))),
    CONSTRAINT checkout_check4 CHECK ((((first_call)::text = 'DONE'::text) = (first_ended_at IS NOT NULL))),
    CONSTRAINT checkout_page_check CHECK ((octet_length((page)::text) <= 16384)),
    CONSTRAINT checkout_payment_method_check CHECK ((((octet_length(payment_method) >= 1) AND (octet_length(payment_method) <= 64)) AND (payment_method !~ '[^A-Za-z0-9._~-]'::text))),
    CONSTRAINT checkout_risk_check CHECK ((risk = ANY (ARRAY['allow'::text, 'challenge'::text, 'review'::text, 'block'::text])))
)
WITH (fillfactor='45', autovacuum_analyze_threshold='1000', autovacuum_vacuum_threshold='1000');

COMMENT ON COLUMN pay.checkout.hold_psps IS 'The PSPs at which the money is only held because of a review; NULL: the mode of capture is that which the storefront wants, else it wants automatic';
COMMENT ON COLUMN pay.checkout.page IS 'For the buyer''s page: {"locale", "descriptions" of the orders}, or NULL';

CREATE FUNCTION pay.checkouts_of_buyer(p_merchant_id text, p_by text, p_value text) RETURNS SETOF pay.checkout LANGUAGE plpgsql STABLE;

CREATE TABLE pay.payout_adapter (
    adapter pay.filled NOT NULL,
    window_s integer[] NOT NULL,
    moves boolean[] NOT NULL,
    looks integer NOT NULL,
    gap_s integer NOT NULL,
    asks boolean NOT NULL,
    finds boolean NOT NULL,
    takes_back boolean NOT NULL,
    return_s integer NOT NULL,
    CONSTRAINT payout_adapter_check CHECK ((cardinality(moves) = cardinality(window_s))),
    CONSTRAINT payout_adapter_check1 CHECK (((looks = 0) OR finds)),
    CONSTRAINT payout_adapter_gap_s_check CHECK (((gap_s >= 0) AND (gap_s <= 604800))),
    CONSTRAINT payout_adapter_looks_check CHECK (((looks >= 0) AND (looks <= 10))),
    CONSTRAINT payout_adapter_return_s_check CHECK ((return_s >= 0)),
    CONSTRAINT payout_adapter_window_s_check CHECK ((((cardinality(window_s) >= 1) AND (cardinality(window_s) <= 4)) AND (0 <= ALL (window_s))))
);

CREATE FUNCTION pay.choose_payout_call(p_row pay.payout_sending, p_adapter pay.payout_adapter, p_lease interval) RETURNS pay.payout_sending LANGUAGE plpgsql;
CREATE FUNCTION pay.claim_backfill(p_psp text, p_owner text, p_interval interval, p_lease interval, OUT since_s bigint, OUT until_s bigint) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.claim_change_keys(p_items pay.change_item[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.claim_close(p_owner text, p_delay interval, p_lease interval, OUT outcome text, OUT number bigint, OUT document text) RETURNS record LANGUAGE plpgsql;

CREATE TABLE pay.webhook_delivery (
    endpoint_id pay.id NOT NULL,
    merchant_id pay.id NOT NULL,
    "position" bigint NOT NULL,
    state text DEFAULT 'due'::text NOT NULL COLLATE pg_catalog."C",
    attempts pay.tally DEFAULT 0 NOT NULL,
    run_at timestamp with time zone DEFAULT now() NOT NULL,
    is_leased boolean DEFAULT false NOT NULL,
    status integer,
    failure text,
    took_ms integer,
    ended_at timestamp with time zone,
    CONSTRAINT webhook_delivery_check CHECK (((state = 'due'::text) = (ended_at IS NULL))),
    CONSTRAINT webhook_delivery_check1 CHECK (((NOT is_leased) OR (state = 'due'::text))),
    CONSTRAINT webhook_delivery_state_check CHECK ((state = ANY (ARRAY['due'::text, 'delivered'::text, 'failed'::text])))
)
WITH (fillfactor='60', autovacuum_vacuum_threshold='1000', autovacuum_vacuum_scale_factor='0.02');

CREATE FUNCTION pay.claim_deliveries(p_slots integer, p_lease interval) RETURNS SETOF pay.webhook_delivery LANGUAGE plpgsql;
CREATE FUNCTION pay.claim_help(p_source text, p_owner text, p_lease interval) RETURNS bigint LANGUAGE sql;
CREATE FUNCTION pay.claim_look(p_source text, p_way text, p_owner text, p_interval interval, p_lease interval, OUT since_s bigint, OUT balance_due bigint) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.claim_payout_call(p_merchant_id text, p_provider text, p_adapter pay.payout_adapter, p_owner text, p_lease interval) RETURNS pay.payout_sending LANGUAGE plpgsql;
CREATE FUNCTION pay.claim_payout_items(p_merchant_id text, p_provider text, p_adapter pay.payout_adapter, p_most integer, p_who text) RETURNS SETOF pay.payout_sending LANGUAGE plpgsql;
CREATE FUNCTION pay.claim_payout_keys(p_merchant_id text[], p_route text, p_key text[], p_fingerprint bytea[], p_ttl_s bigint[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.claim_rates(p_source text, p_owner text, p_interval interval, p_lease interval, OUT is_due boolean, OUT age_ms bigint) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.claim_references(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_reference text[]) RETURNS integer[] LANGUAGE plpgsql;

CREATE TABLE pay.screening_answer (
    merchant_id pay.id NOT NULL,
    destination_id pay.id NOT NULL,
    version pay.ordinal NOT NULL,
    provider pay.payout_name NOT NULL,
    calls pay.ordinal NOT NULL,
    run_at timestamp with time zone NOT NULL,
    begun_at timestamp with time zone,
    answer text COLLATE pg_catalog."C",
    reference pay.filled,
    asked_at timestamp with time zone,
    code pay.filled,
    CONSTRAINT screening_answer_answer_check CHECK ((answer = ANY (ARRAY['clear'::text, 'hit'::text]))),
    CONSTRAINT screening_answer_check CHECK (((answer IS NULL) = (asked_at IS NULL))),
    CONSTRAINT screening_answer_check1 CHECK ((((answer = 'hit'::text) IS TRUE) = (reference IS NOT NULL)))
)
WITH (fillfactor='80');

CREATE FUNCTION pay.claim_screening(p_merchant_id text, p_provider text, p_lease interval) RETURNS pay.screening_answer LANGUAGE plpgsql;
CREATE FUNCTION pay.claim_seal(p_owner text, p_interval interval, p_lease interval, OUT outcome text, OUT number bigint, OUT message text) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.claim_tokens(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], OUT sure boolean, OUT parked boolean) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.clear_gone(p_file_id bigint) RETURNS pay.posting[] LANGUAGE plpgsql;
CREATE FUNCTION pay.cleared_as(p_is_borne boolean) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.close_destination(p_merchant_id text, p_destination_id text, p_who text, p_why text) RETURNS text LANGUAGE plpgsql;

CREATE TABLE pay.settlement_close (
    number bigint NOT NULL,
    day date NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    document text NOT NULL,
    until_at timestamp with time zone NOT NULL,
    until_tx xid8 NOT NULL,
    key_id pay.id,
    signature bytea,
    CONSTRAINT settlement_close_check CHECK (((key_id IS NULL) = (signature IS NULL))),
    CONSTRAINT settlement_close_signature_check CHECK ((octet_length(signature) = 64))
);

CREATE FUNCTION pay.close_document(p_number bigint, p_last pay.settlement_close, p_tally pay.settlement_tally) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.close_exception(p_id bigint, p_as text) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.close_fee(p_exception pay.settlement_exception, p_row pay.settlement_row, p_work pay.settlement_work) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.close_json(p_close pay.settlement_close) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.close_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text, p_state text, p_who text, p_why text) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.close_lines(p_last pay.settlement_close) RETURNS SETOF pay.close_line LANGUAGE sql STABLE;
CREATE FUNCTION pay.close_lines_of(p_close pay.settlement_close, p_merchant_id text) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.close_mismatch() RETURNS trigger LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.close_payout_batch(p_merchant_id text, p_batch_id text, p_state text, p_who text, p_why text) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.close_replaced(p_items integer[], p_waits integer[], p_merchant_id text[], p_checkout_id text[], p_lease_ms bigint[], p_request_id text[], p_terms jsonb[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.close_returned(p_file_id bigint, p_source pay.settlement_source) RETURNS void LANGUAGE plpgsql;

CREATE TABLE pay.commission (
    commission_id bigint NOT NULL,
    merchant_id pay.id NOT NULL,
    seller_account text NOT NULL COLLATE pg_catalog."C",
    psp text NOT NULL COLLATE pg_catalog."C",
    currency pay.currency_code NOT NULL,
    percent pay.fee_percent,
    fixed_minor pay.minor DEFAULT 0 NOT NULL,
    minimum_minor pay.minor DEFAULT 0 NOT NULL,
    maximum_minor pay.minor,
    valid_from timestamp with time zone NOT NULL,
    entered_by pay.filled NOT NULL,
    entered_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    payment_method text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT commission_check CHECK (((minimum_minor)::bigint <= (maximum_minor)::bigint)),
    CONSTRAINT commission_payment_method_check CHECK (((octet_length(payment_method) <= 64) AND (payment_method !~ '[^A-Za-z0-9._~-]'::text)))
);

CREATE FUNCTION pay.commission_at(p_merchant_id text, p_seller text, p_psp text, p_currency text, p_at timestamp with time zone, p_payment_method text DEFAULT NULL::text) RETURNS pay.commission LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.compare_balance(p_source pay.settlement_source, p_said pay.psp_balance, p_bound pay.balance_bound, p_is_counted boolean) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.compare_balances(p_source pay.settlement_source, p_said pay.psp_balance[], p_is_complete boolean) RETURNS timestamp with time zone LANGUAGE plpgsql;
CREATE FUNCTION pay.compare_books(p_from bigint, p_limit integer, OUT until_tx bigint, OUT orders bigint, OUT more boolean) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.complete_pages(p_file_id bigint) RETURNS pay.settlement_file LANGUAGE plpgsql;
CREATE FUNCTION pay.console_accounts(p_scope text[]) RETURNS jsonb LANGUAGE sql STABLE;

CREATE TABLE pay.console_act (
    seq pay.ordinal NOT NULL,
    at timestamp with time zone NOT NULL,
    tx pay.whole NOT NULL,
    who pay.filled NOT NULL,
    roles jsonb NOT NULL,
    act pay.filled NOT NULL,
    object text NOT NULL COLLATE pg_catalog."C",
    merchant_id pay.id,
    checkout_id pay.id,
    reason text,
    result pay.filled NOT NULL,
    proposal_id bigint,
    detail jsonb NOT NULL,
    request text COLLATE pg_catalog."C",
    fingerprint pay.hash NOT NULL,
    request_id text COLLATE pg_catalog."C",
    answer jsonb,
    hash pay.hash NOT NULL,
    CONSTRAINT console_act_check CHECK (((answer IS NOT NULL) = ((result)::text = 'done'::text)))
);

COMMENT ON TABLE pay.console_act IS 'Acts of staff on the console, and those that were refused';

CREATE FUNCTION pay.console_act_detail(p_act pay.console_act) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_act_fault(p_act text, p_body jsonb) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_act_roles(p_act text, p_step text) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_act_words(p_outcome text) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_acts(p_scope text[], p_query jsonb, p_most integer) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_acts_of(p_merchant_id text, p_checkout_id text) RETURNS jsonb LANGUAGE sql STABLE;

CREATE TABLE pay.console_proposal (
    proposal_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    until timestamp with time zone NOT NULL,
    act text NOT NULL COLLATE pg_catalog."C",
    merchant_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    object pay.id NOT NULL,
    amount_minor pay.positive_minor NOT NULL,
    currency pay.currency_code NOT NULL,
    outcome text COLLATE pg_catalog."C",
    proposed_by pay.filled NOT NULL,
    reason pay.filled NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL COLLATE pg_catalog."C",
    decided_at timestamp with time zone,
    decided_by pay.filled,
    decided_why pay.filled,
    result pay.filled,
    CONSTRAINT console_proposal_act_check CHECK ((act = ANY (ARRAY['refund'::text, 'settle'::text]))),
    CONSTRAINT console_proposal_check CHECK (((act = 'settle'::text) = (outcome IS NOT NULL))),
    CONSTRAINT console_proposal_check1 CHECK (((state = 'waiting'::text) = (decided_at IS NULL))),
    CONSTRAINT console_proposal_check2 CHECK (((decided_at IS NULL) = (decided_by IS NULL))),
    CONSTRAINT console_proposal_check3 CHECK (((state <> ALL (ARRAY['done'::text, 'failed'::text, 'rejected'::text])) OR (lower((decided_by)::text) <> lower((proposed_by)::text)))),
    CONSTRAINT console_proposal_check4 CHECK (((state <> 'withdrawn'::text) OR (lower((decided_by)::text) = lower((proposed_by)::text)))),
    CONSTRAINT console_proposal_outcome_check CHECK ((outcome = ANY (ARRAY['done'::text, 'failed'::text]))),
    CONSTRAINT console_proposal_reason_check CHECK ((octet_length((reason)::text) <= 200)),
    CONSTRAINT console_proposal_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'done'::text, 'rejected'::text, 'withdrawn'::text, 'failed'::text])))
);

COMMENT ON TABLE pay.console_proposal IS 'Acts of staff that move money and need a second person';

CREATE FUNCTION pay.console_answer(p_act text, p_object text, p_result text, p_proposal pay.console_proposal DEFAULT NULL::pay.console_proposal, p_change_id text DEFAULT NULL::text) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_approvals(p_scope text[], p_query jsonb, p_most integer) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_audit(p_query jsonb, p_most integer) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_batches(p_scope text[], p_query jsonb, p_most integer) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_blind(p_document jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE STRICT;
CREATE FUNCTION pay.console_cells(p_query jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_changes(p_scope text[], p_query jsonb, p_most integer, p_tokens boolean) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_checkout_of(p_scope text[], p_query jsonb) RETURNS SETOF pay.checkout LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_checkouts(p_scope text[], p_query jsonb, p_window integer) RETURNS SETOF pay.checkout LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_checks(p_scope text[]) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_cursor_number(p_query jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_cursor_text(p_query jsonb, p_part integer) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_cursor_time(p_query jsonb) RETURNS timestamp with time zone LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_decides(p_act text) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_deliveries(p_scope text[], p_query jsonb, p_most integer) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;

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
    evidence_until timestamp with time zone,
    said_at timestamp with time zone,
    round integer DEFAULT 1 NOT NULL,
    CONSTRAINT dispute_part_check CHECK ((part >= 1)),
    CONSTRAINT dispute_state_check CHECK ((state = ANY (ARRAY['open'::text, 'won'::text, 'lost'::text, 'moved'::text])))
);

COMMENT ON COLUMN pay.dispute.evidence_until IS 'Until when the PSP takes evidence; NULL: it has not said so';
COMMENT ON COLUMN pay.dispute.said_at IS 'The PSP''s own time of its newest word; NULL: it names none';
COMMENT ON COLUMN pay.dispute.round IS '1, and one more each time that the PSP takes the money again';

CREATE FUNCTION pay.console_dispute(p_dispute pay.dispute) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_dispute_rate(p_scope text[], p_query jsonb) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_disputes(p_scope text[], p_query jsonb, p_most integer) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_exceptions(p_scope text[], p_query jsonb, p_most integer) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_find(p_scope text[], p_query jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_fits(p_row pay.mismatch, p_scope text[], p_query jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_flight(p_scope text[], p_query jsonb) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_has(p_query jsonb, p_name text, p_value text) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_head(p_checkout pay.checkout) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_inbox(p_scope text[], p_query jsonb, p_most integer, p_tokens boolean) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_items(p_page text, p_scope text[], p_query jsonb, p_most integer, p_tokens boolean) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;

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

CREATE FUNCTION pay.console_job_state(p_job pay.job) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_jobs(p_scope text[], p_query jsonb, p_most integer) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_journal(p_scope text[], p_query jsonb, p_most integer, p_tokens boolean) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_key_life() RETURNS interval LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_keys(p_keys jsonb) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_late(p_scope text[], p_query jsonb, p_most integer) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_ledger(p_merchant_id text, p_checkout_id text) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_letters(p_scope text[], p_query jsonb, p_most integer) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_limit_fault(p_terms jsonb, p_who text, p_currency text, p_amount_minor bigint, p_but bigint) RETURNS text LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_limits(p_terms jsonb, p_currency text, OUT each bigint, OUT person bigint, OUT day bigint) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_lines(p_scope text[], p_query jsonb, p_most integer, p_tokens boolean) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_list(p_page text, p_scope text[], p_query jsonb, p_tokens boolean) RETURNS jsonb LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_log(OUT merchant_id text, OUT payment_order_id text) RETURNS record LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_login_max_s() RETURNS integer LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_mask(p_document jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.console_may(p_page text, p_roles jsonb) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_may_act(p_act text, p_step text, p_roles jsonb, p_object text) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_me(p_staff text, p_roles jsonb, p_merchants jsonb) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_minor(p_amount text, p_currency text) RETURNS numeric LANGUAGE sql STABLE;

CREATE TABLE pay.mismatch_settlement (
    merchant_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    mismatch_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    who pay.filled NOT NULL,
    why pay.filled NOT NULL,
    role text DEFAULT SESSION_USER NOT NULL
);

CREATE FUNCTION pay.console_mismatch(p_row pay.mismatch, p_end pay.mismatch_settlement, p_tokens boolean) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_mismatches(p_scope text[], p_query jsonb, p_most integer, p_tokens boolean) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_money(p_scope text[]) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_my_acts(p_roles jsonb, p_query jsonb) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_narrowed(p_document jsonb, p_merchant text) RETURNS jsonb LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_now(p_scope text[], p_roles jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_number(p_text text) RETURNS bigint LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_open_disputes(p_scope text[], p_query jsonb, p_most integer) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_order(p_order pay.payment_order, p_roles jsonb) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_page(p_page text, p_staff text, p_roles jsonb, p_merchants jsonb, p_query jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_payment(p_scope text[], p_query jsonb, p_tokens boolean, p_personal boolean, p_roles jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_payments(p_scope text[], p_query jsonb, p_most integer) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_payouts(p_scope text[], p_query jsonb, p_most integer) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_plots(p_scope text[], p_query jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_proof(p_body jsonb) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_proposal_item(p_proposal pay.console_proposal) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_proposal_life() RETURNS interval LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_proposals_of(p_merchant_id text, p_checkout_id text) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_psp_page(p_scope text[], p_query jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_psps(p_scope text[]) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_psps_of(p_scope text[], p_counts jsonb) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_quarantine(p_scope text[], p_query jsonb, p_most integer) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_risk(p_scope text[], p_query jsonb, p_most integer) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_scope(p_merchants jsonb, p_query jsonb) RETURNS text[] LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_sees(p_scope text[], p_merchant text) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_settings(p_query jsonb) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_settlement(p_scope text[], p_query jsonb, p_most integer) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_source(p_source text, p_sees boolean) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_statuses(p_scope text[]) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_target(p_act text, p_merchants jsonb, p_body jsonb) RETURNS pay.console_target LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_tile(p_id text, p_page text, p_scope text[], p_query jsonb) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.console_time(p_query jsonb, p_name text) RETURNS timestamp with time zone LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_token(p_token text, p_sees boolean) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_unknown(p_scope text[], p_query jsonb, p_most integer) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_until(p_query jsonb) RETURNS timestamp with time zone LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_until_id(p_query jsonb) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_us(p_at timestamp with time zone) RETURNS bigint LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.console_wallets(p_scope text[], p_query jsonb, p_most integer) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_waterfall(p_scope text[], p_query jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.console_webhooks(p_scope text[]) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.convert(p_minor bigint, p_from text, p_to text, p_rate numeric) RETURNS bigint LANGUAGE sql STABLE;
CREATE FUNCTION pay.count_attempts(p_items integer[], p_merchant_id text[], p_currency text[], p_total_minor bigint[], p_rows pay.risk_rows) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.count_cards(p_words pay.card_word[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.count_declines(p_merchant_id text[], p_checkout_id text[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.count_entries(p_from timestamp with time zone, p_until timestamp with time zone) RETURNS void LANGUAGE sql SET enable_seqscan TO 'off' SET enable_hashjoin TO 'on' SET jit TO 'off';
CREATE FUNCTION pay.count_expected(p_end timestamp with time zone, p_rows integer DEFAULT 5000) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.count_findings(p_items integer[], p_merchant_id text[], p_rows pay.risk_rows, p_near bigint[]) RETURNS pay.risk_findings LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.count_minute(p_merchant_id text, p_minute timestamp with time zone) RETURNS bigint LANGUAGE plpgsql;
CREATE FUNCTION pay.count_minutes(p_most bigint) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.count_piece(p_rows integer) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.count_roundings(p_file_id bigint) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.count_usual() RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.count_watched_captures() RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.counted_figures() RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.current_credit(p_amount_minor bigint, p_currency text, p_credit_currency text, p_credit_rate numeric, p_credit_minor bigint, p_credit_until timestamp with time zone, OUT credit_rate numeric, OUT credit_minor bigint) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.day_bounds(p_day text, OUT since timestamp with time zone, OUT until timestamp with time zone) RETURNS record LANGUAGE sql STABLE;
CREATE FUNCTION pay.decide_one_review(p_review_id bigint, p_act text, p_reason text, p_note text, p_blocks boolean, p_who text, OUT outcome text, OUT decided pay.risk_review) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.decide_proposal(p_act text, p_who text, p_body jsonb, p_terms jsonb, p_request_id text, OUT outcome text, OUT words text, OUT proposal pay.console_proposal, OUT change_id text) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.decimal_text(p_minor bigint, p_currency text) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.declare_payout_adapter(p_adapter text, p_facts jsonb) RETURNS pay.payout_adapter LANGUAGE plpgsql;
CREATE FUNCTION pay.declare_secret(p_endpoint pay.webhook_endpoint, p_fingerprint bytea, p_sealed bytea, p_key_id text, p_overlap interval) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.declare_settlement_source(p_source text, p_format text, p_merchant_id text, p_psp text, p_account text, p_way text, p_keep text) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.declared_for() RETURNS interval LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.decline_code(p_order pay.payment_order) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.decline_detail(p_decline text, p_can_retry text, p_attempt text) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.decline_shares(p_since timestamp with time zone, p_until timestamp with time zone) RETURNS TABLE(merchant_id text, tries bigint, declines bigint) LANGUAGE plpgsql STABLE SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.declined_attempts(p_order pay.payment_order) RETURNS integer LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.delete_losers(p_keyed integer[], p_placed integer[], p_made integer[], p_merchant_id text[], p_idempotency_key text[], p_checkout_id text[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.delivery_figures() RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.delivery_json(p_delivery pay.webhook_delivery) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.delivery_page(p_merchant_id text, p_endpoint_id text, p_state text, p_before bigint, p_limit integer) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.delivery_wait(p_attempts integer) RETURNS interval LANGUAGE sql;
CREATE FUNCTION pay.destination_fits(p_merchant_id text, p_provider text, p_kind text, p_country text, p_currency text) RETURNS boolean LANGUAGE sql STABLE;

CREATE TABLE pay.payout_account (
    merchant_id pay.id NOT NULL,
    destination_id pay.id NOT NULL,
    seller_account pay.filled NOT NULL,
    currency pay.currency_code NOT NULL,
    version pay.ordinal DEFAULT 1 NOT NULL,
    state text DEFAULT 'open'::text NOT NULL COLLATE pg_catalog."C",
    returns pay.tally DEFAULT 0 NOT NULL,
    CONSTRAINT payout_account_state_check CHECK ((state = ANY (ARRAY['open'::text, 'suspect'::text, 'blocked'::text, 'closed'::text])))
)
WITH (fillfactor='80');

CREATE FUNCTION pay.destination_json(p_account pay.payout_account) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.destination_versions_json(p_merchant_id text, p_destination_id text) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.destination_whole(p_merchant_id text, p_destination_id text) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.disable_endpoint(p_merchant_id text, p_endpoint_id text, p_reason text) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.dispatch_ok(p_merchant_id text, p_checkout_id text, p_operation text, p_operation_id text) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.dispute_fact(p_news pay.news, p_dispute pay.dispute, p_kind text) RETURNS pay.fact LANGUAGE plpgsql;
CREATE FUNCTION pay.dispute_fee(p_news pay.news) RETURNS pay.fact[] LANGUAGE plpgsql;
CREATE FUNCTION pay.dispute_parts(p_psp text, p_object text) RETURNS pay.dispute[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.dispute_source(p_dispute pay.dispute) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.do_console_act(p_act text, p_who text, p_body jsonb, p_terms jsonb, p_request_id text, OUT outcome text, OUT words text, OUT answer jsonb, OUT checkout_id text, OUT proposal_id bigint) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.doubt(p_word pay.fact, p_about text, p_why text, p_object text, p_amount_minor bigint, p_currency text) RETURNS pay.fact LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.drop_change_job(p_change pay.change, p_why text) RETURNS void LANGUAGE plpgsql;

CREATE TABLE pay.payout_file (
    msg_id text NOT NULL COLLATE pg_catalog."C",
    merchant_id pay.id NOT NULL,
    provider pay.payout_name NOT NULL,
    state text DEFAULT 'claimed'::text NOT NULL COLLATE pg_catalog."C",
    debtor_iban text NOT NULL COLLATE pg_catalog."C",
    execute_on date NOT NULL,
    place pay.filled NOT NULL,
    made_by pay.filled NOT NULL,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    item_count pay.tally DEFAULT 0 NOT NULL,
    total_minor pay.minor DEFAULT 0 NOT NULL,
    sha256 pay.hash,
    ended_at timestamp with time zone,
    CONSTRAINT payout_file_check CHECK (((state = ANY (ARRAY['claimed'::text, 'dropped'::text])) OR (sha256 IS NOT NULL))),
    CONSTRAINT payout_file_check1 CHECK (((ended_at IS NULL) = (state = ANY (ARRAY['claimed'::text, 'fixed'::text])))),
    CONSTRAINT payout_file_msg_id_check CHECK ((msg_id ~ '^[0-9a-f]{32}$'::text)),
    CONSTRAINT payout_file_state_check CHECK ((state = ANY (ARRAY['claimed'::text, 'fixed'::text, 'written'::text, 'dropped'::text, 'lost'::text])))
)
WITH (fillfactor='80');

CREATE FUNCTION pay.drop_payout_file(p_file pay.payout_file, p_code text) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.drop_proof(p_file_id bigint) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.drop_staged(p_file_id bigint, p_limit integer) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.due_deliveries(p_endpoints pay.webhook_endpoint[], p_slots integer) RETURNS SETOF tid LANGUAGE plpgsql STABLE;

CREATE TABLE pay.payout_schedule (
    merchant_id pay.id NOT NULL,
    seller_account text NOT NULL COLLATE pg_catalog."C",
    every text NOT NULL COLLATE pg_catalog."C",
    on_day integer,
    cut_off time(0) without time zone NOT NULL,
    zone pay.filled NOT NULL,
    calendar text COLLATE pg_catalog."C",
    batch_items integer,
    run_day date,
    next_day date,
    next_at timestamp with time zone,
    CONSTRAINT payout_schedule_batch_items_check CHECK (((batch_items >= 1) AND (batch_items <= 10000))),
    CONSTRAINT payout_schedule_check CHECK ((
CASE every
    WHEN 'week'::text THEN ((on_day >= 1) AND (on_day <= 7))
    WHEN 'month'::text THEN ((on_day >= 1) AND (on_day <= 31))
    ELSE (on_day IS NULL)
END IS TRUE)),
    CONSTRAINT payout_schedule_check1 CHECK (((next_at IS NULL) = (every = 'demand'::text))),
    CONSTRAINT payout_schedule_check2 CHECK (((next_at IS NULL) = (next_day IS NULL))),
    CONSTRAINT payout_schedule_every_check CHECK ((every = ANY (ARRAY['day'::text, 'week'::text, 'month'::text, 'demand'::text])))
)
WITH (fillfactor='80');

CREATE FUNCTION pay.due_time(p_schedule pay.payout_schedule, p_day date) RETURNS timestamp with time zone LANGUAGE sql STABLE;
CREATE FUNCTION pay.empty_checkouts(p_merchant_id text, p_checkouts text[]) RETURNS jsonb LANGUAGE plpgsql;
CREATE FUNCTION pay.end_addresses(p_before timestamp with time zone, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.end_bodies(p_before timestamp with time zone, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.end_browser_addresses(p_before timestamp with time zone, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.end_browsers(p_before timestamp with time zone, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.end_buyer_info(p_before timestamp with time zone, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.end_cards(p_before timestamp with time zone, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.end_change_metadata(p_before timestamp with time zone, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.end_changes(p_facts pay.fact[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.end_class(p_class text, p_keep interval, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.end_copies(p_before timestamp with time zone, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.end_count() RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.end_counters(p_before timestamp with time zone, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.end_decisions(p_before timestamp with time zone, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.end_delivered(p_ends pay.delivery_end[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql;
CREATE FUNCTION pay.end_dispute(p_news pay.news, p_parts pay.dispute[], OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.end_entries(p_before timestamp with time zone, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';

CREATE TABLE pay.settlement_part (
    file_id bigint NOT NULL,
    first_line integer NOT NULL,
    until_line integer NOT NULL,
    part_id bigint NOT NULL,
    phase text DEFAULT 'take'::text NOT NULL COLLATE pg_catalog."C",
    is_done boolean DEFAULT false NOT NULL,
    matched pay.whole DEFAULT 0 NOT NULL,
    class1 pay.whole DEFAULT 0 NOT NULL,
    class2 pay.whole DEFAULT 0 NOT NULL,
    class3 pay.whole DEFAULT 0 NOT NULL,
    CONSTRAINT settlement_part_check CHECK ((until_line > first_line)),
    CONSTRAINT settlement_part_phase_check CHECK ((phase = ANY (ARRAY['take'::text, 'tell'::text, 'match'::text, 'change'::text, 'book'::text])))
);

CREATE FUNCTION pay.end_gone(p_file pay.settlement_file, p_source pay.settlement_source, p_part pay.settlement_part) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.end_holds(p_file_id bigint, p_source pay.settlement_source) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.end_jobs(p_moves pay.move[], p_ours boolean, p_letters boolean) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.end_keys(p_before timestamp with time zone, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.end_letters(p_before timestamp with time zone, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.end_list_acts(p_before timestamp with time zone, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.end_messages(p_before timestamp with time zone, p_limit integer, OUT messages bigint, OUT deliveries bigint) RETURNS record LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.end_metadata(p_before timestamp with time zone, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.end_missed(p_rows pay.settlement_row[]) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.end_one_delivery(p_end pay.delivery_end) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.end_one_payout_call(p_merchant_id text, p_payout_id text, p_number bigint, p_said pay.payout_said, p_amount_minor bigint, p_currency text, p_account_end text, p_retry_s bigint) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.end_overdue(p_file_id bigint) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.end_payout_events(p_before timestamp with time zone, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';

CREATE TABLE pay.payout_file_item (
    msg_id text NOT NULL COLLATE pg_catalog."C",
    merchant_id pay.id NOT NULL,
    payout_id pay.id NOT NULL,
    number pay.ordinal NOT NULL,
    key pay.filled NOT NULL,
    is_in boolean DEFAULT true NOT NULL
)
WITH (fillfactor='80');

CREATE FUNCTION pay.end_payout_file_item(p_item pay.payout_file_item, p_how text) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.end_payout_keys(p_before timestamp with time zone, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.end_payout_sending(p_payout pay.payout) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.end_quarantined(p_before timestamp with time zone, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.end_registers(p_facts pay.fact[], p_reach text[], p_http_status bigint[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.end_reserves(p_merchant_id text, p_seller text[], p_currency text[]) RETURNS pay.posting[] LANGUAGE plpgsql;
CREATE FUNCTION pay.end_review(p_review pay.risk_review, p_state text, p_who text, p_reason text, p_note text) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.end_review_hold(p_review pay.risk_review, p_who text, p_why text) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.end_rollups(p_limit integer) RETURNS bigint LANGUAGE plpgsql;
CREATE FUNCTION pay.end_round(p_name text, p_counts jsonb, p_wait interval) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.end_screening(p_payout pay.payout, p_act text, p_who text, p_why text) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.end_settled(p_matches bigint[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.end_settlement(p_file pay.settlement_file, p_source pay.settlement_source) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.end_undeclared() RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.end_webhooks(p_before timestamp with time zone, p_limit integer) RETURNS bigint LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.endpoint_json(p_endpoint pay.webhook_endpoint) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.enter_destination(p_merchant_id text, p_seller_account text, p_currency text, p_provider text, p_kind text, p_country text, p_shown text, p_details bytea, p_key_id text, p_who text, p_why text, p_name text, OUT outcome text, OUT destination_id text, OUT version integer) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.entries_until(p_from timestamp with time zone, p_until timestamp with time zone, p_rows integer) RETURNS timestamp with time zone LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.entry_balances() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.entry_object(p_merchant_id text, p_checkout_id text, p_psp text, p_source text) RETURNS text LANGUAGE sql STABLE;

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

CREATE FUNCTION pay.event_bytes(p_previous bytea, p_event pay.event) RETURNS text LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.event_figures() RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.event_hash(p_previous bytea, p_event pay.event) RETURNS bytea LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.events_since(p_merchant_id text, p_checkout_id text) RETURNS timestamp with time zone LANGUAGE sql STABLE;
CREATE FUNCTION pay.exception_acts(p_id bigint) RETURNS json LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.exception_figures() RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.exception_json(p_id bigint) RETURNS json LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.exception_page(p_merchant_id text, p_psp text, p_currency text, p_class bigint, p_state text, p_day text, p_before bigint, p_limit integer) RETURNS json LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.exception_with_acts(p_id bigint) RETURNS text LANGUAGE sql STABLE;

CREATE TABLE pay.journal_entry (
    merchant_id pay.id NOT NULL,
    source pay.journal_source NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    tx xid8 DEFAULT pg_current_xact_id() NOT NULL,
    checkout_id pay.id,
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

CREATE FUNCTION pay.expected_entries(p_mismatch pay.mismatch) RETURNS pay.journal_entry[] LANGUAGE sql STABLE;
CREATE FUNCTION pay.explain(p_merchant_id text, p_payment_order_id text, p_inside boolean, p_sees_risk boolean) RETURNS text LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.explain_changes(p_order pay.payment_order) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.explain_dispatches(p_merchant_id text, p_checkout_id text) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.explain_disputes(p_merchant_id text, p_checkout_id text) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.explain_elsewhere(p_item integer, p_state text, p_merchant_id text, p_idempotency_key text, p_fingerprint bytea, p_checkout_id text, p_orders text[]) RETURNS SETOF pay_api.checkout_row LANGUAGE plpgsql;
CREATE FUNCTION pay.explain_exceptions(p_merchant_id text, p_checkout_id text, p_inside boolean) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.explain_final(p_s pay.standing, OUT waits_for text, OUT why text) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.explain_late(p_merchant_id text, p_checkout_id text) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.explain_letters(p_merchant_id text, p_checkout_id text, p_inside boolean) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.explain_loss(p_merchant_id text, p_idempotency_key text, p_fingerprint bytea, p_checkout_id text, p_orders text[], OUT outcome text, OUT checkout_id text) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.explain_messages(p_order pay.payment_order) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.explain_next(p_s pay.standing, OUT what text, OUT at timestamp with time zone) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.explain_orders(p_merchant_id text, p_checkout_id text) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.explain_payout(p_order pay.payment_order) RETURNS json LANGUAGE plpgsql STABLE;

CREATE TABLE pay.payout_line (
    merchant_id pay.id NOT NULL,
    seller_account pay.filled NOT NULL,
    currency pay.currency_code NOT NULL,
    wallet_seq bigint NOT NULL,
    source pay.journal_source NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    payment_order_id pay.id,
    amount_minor pay.signed_minor NOT NULL,
    at timestamp with time zone NOT NULL,
    is_open boolean DEFAULT true NOT NULL
)
WITH (fillfactor='80');

CREATE FUNCTION pay.explain_payout_items(p_merchant_id text, p_lines pay.payout_line[]) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.explain_payout_wallet(p_order pay.payment_order, p_lines pay.payout_line[]) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.explain_registered(p_s pay.standing, OUT waits_for text, OUT why text) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.explain_retry(p_s pay.standing, p_at timestamp with time zone, OUT answer text, OUT after timestamp with time zone, OUT reason text) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.explain_risk(p_merchant_id text, p_payment_order_id text) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.explain_standing(p_s pay.standing) RETURNS json LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.explain_unregistered(p_s pay.standing, p_what text, OUT waits_for text, OUT why text) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.explore_ok(p_explore jsonb) RETURNS boolean LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.export_range(p_since timestamp with time zone, p_until timestamp with time zone, OUT from_tx bigint, OUT until_tx bigint, OUT first bigint, OUT last bigint) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.fact_kind(p_fact text, p_amount_minor bigint, p_currency text, p_total_minor bigint, p_own_currency text) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.fact_orders(p_facts pay.fact[], p_turn integer) RETURNS TABLE(item integer, kind text, actor text, order_id text, merchant_id text, checkout_id text, reference text, type text, code text, said_amount bigint, said_currency text, request_id text, detail jsonb, brings boolean, part oid, tid tid, payment_order_id text, seller_account text, amount_minor bigint, currency text, status text, old_reason text, version integer, captured_minor bigint, authorized_minor bigint, decline jsonb, old_head bytea, old_tx bigint, credit_currency text, credit_rate numeric, credit_minor bigint, credit_until timestamp with time zone, checkout_part oid, checkout tid, psp text, capture text, late_success text, next_status text, news text, logged text, told text, is_shown boolean) LANGUAGE sql STABLE;
CREATE FUNCTION pay.facts_of_operator(p_facts pay.fact[], p_who text, p_why text) RETURNS pay.fact[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.fail_replays() RETURNS void LANGUAGE plpgsql;

CREATE TABLE pay.message (
    "position" bigint NOT NULL,
    merchant_id pay.id NOT NULL,
    message_id pay.id NOT NULL,
    type pay.filled NOT NULL,
    subject pay.filled NOT NULL,
    sequence pay.ordinal NOT NULL,
    at timestamp with time zone NOT NULL,
    body text NOT NULL,
    published_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE FUNCTION pay.fan_out(p_messages pay.message[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.fee_entries(p_order pay.payment_order, p_due pay.fee_due, p_psp text, p_request_id text) RETURNS pay.posting[] LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.fee_of(p_order pay.payment_order) RETURNS pay.fee_due LANGUAGE plpgsql STABLE SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.fee_of_file(p_news pay.news, p_kind text, p_amount_minor bigint, p_currency text, OUT source text, OUT amount_minor bigint, OUT row_id bigint, OUT row_kind text, OUT file_source text) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.fee_postings(p_postings pay.posting[], p_new integer[]) RETURNS pay.posting[] LANGUAGE plpgsql;
CREATE FUNCTION pay.fences_of(p_items integer[], p_merchant_id text[], p_terms jsonb[], OUT items integer[], OUT states text[]) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.file_due(p_file pay.settlement_file) RETURNS bigint LANGUAGE sql STABLE;
CREATE FUNCTION pay.file_item_of(p_merchant_id text, p_provider text, p_key text) RETURNS pay.payout_file_item LANGUAGE sql STABLE;
CREATE FUNCTION pay.find_amount(p_amount numeric, p_currency text, p_merchant_id text) RETURNS TABLE(found_as text, merchant_id text, checkout_id text, payment_order_id text, psp text, object text) LANGUAGE sql STABLE;
CREATE FUNCTION pay.find_buyer(p_buyer text, p_merchant_id text) RETURNS TABLE(found_as text, merchant_id text, checkout_id text, payment_order_id text, psp text, object text) LANGUAGE sql STABLE;
CREATE FUNCTION pay.find_by_merchant(p_merchant_id text, p_what text) RETURNS TABLE(found_as text, merchant_id text, checkout_id text, payment_order_id text, psp text, object text) LANGUAGE sql STABLE;
CREATE FUNCTION pay.find_by_psp(p_psp text, p_what text) RETURNS TABLE(found_as text, merchant_id text, checkout_id text, payment_order_id text, psp text, object text) LANGUAGE sql STABLE;
CREATE FUNCTION pay.find_change(p_merchant_id text, p_change_id text) RETURNS pay.change LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.find_moves(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], OUT items integer[], OUT nexts text[]) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.find_order(p_merchant_id text, p_payment_order_id text) RETURNS SETOF pay.payment_order LANGUAGE sql STABLE;
CREATE FUNCTION pay.find_parked(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[], OUT facts pay.fact[], OUT told pay.news[]) RETURNS record LANGUAGE plpgsql STABLE;

CREATE TABLE pay.payout_event (
    merchant_id pay.id NOT NULL,
    provider pay.payout_name NOT NULL,
    event_id pay.id NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    payout_id pay.id,
    reference text,
    parcel text,
    state text NOT NULL COLLATE pg_catalog."C",
    code text,
    occurred_at timestamp with time zone,
    sequence bigint,
    outcome pay.filled NOT NULL,
    CONSTRAINT payout_event_state_check CHECK ((state = ANY (ARRAY['sending'::text, 'sent'::text, 'paid'::text, 'settled'::text, 'returned'::text, 'failed'::text, 'cancelled'::text, 'unknown'::text])))
)
WITH (fillfactor='80');

CREATE FUNCTION pay.find_payout_of_event(p_event pay.payout_event, p_key text) RETURNS pay.payout LANGUAGE sql STABLE;
CREATE FUNCTION pay.find_prefix(p_what text, p_merchant_id text) RETURNS TABLE(found_as text, merchant_id text, checkout_id text, payment_order_id text, psp text, object text) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.find_request(p_what text) RETURNS TABLE(found_as text, merchant_id text, checkout_id text, payment_order_id text, psp text, object text) LANGUAGE sql STABLE;
CREATE FUNCTION pay.find_rows(p_file_id bigint, p_source pay.settlement_source) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.first_detail(p_psp text, p_route text, p_replaces text, p_asked_by jsonb, p_explore jsonb) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.fix_fees(p_postings pay.posting[], p_new integer[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.flight_ages() RETURNS TABLE(n integer, age text, level text, since timestamp with time zone, until timestamp with time zone) LANGUAGE sql STABLE;
CREATE FUNCTION pay.follow_moves(p_facts pay.fact[], p_nexts text[], p_lease_ms bigint[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.free_payout_keys(p_merchant_id text[], p_route text, p_key text[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.free_references(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_reference text[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.give_back(p_reviews pay.risk_review[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.give_back_jobs(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_operation_id text[], p_delay_ms bigint[], p_code text[], p_dead text[], p_items integer[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.give_up_entry(p_exception pay.settlement_exception) RETURNS pay.posting[] LANGUAGE plpgsql;
CREATE FUNCTION pay.give_up_page(p_file_id bigint) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.given_fees_ok(p_fees jsonb) RETURNS boolean LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.half_even(p_value numeric) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT;
CREATE FUNCTION pay.hand_postings(p_moves pay.move[]) RETURNS pay.posting[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.has_come_back(p_work pay.settlement_work, p_psp text) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.has_failed(p_news pay.news) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.has_members(p_object jsonb, p_names text[]) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.has_members_of(p_object jsonb, p_names text[], p_optional text[]) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.has_money(p_merchant_id text, p_checkout_id text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.has_more_pages(p_file pay.settlement_file) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.has_statements(p_source pay.settlement_source) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.hash_field(p_value text) RETURNS text LANGUAGE sql IMMUTABLE;

CREATE TABLE pay.recovery (
    recovery_id bigint NOT NULL,
    since timestamp with time zone NOT NULL,
    begun_at timestamp with time zone DEFAULT now() NOT NULL,
    begun_by text NOT NULL,
    seal bigint NOT NULL,
    message bigint NOT NULL,
    ended_at timestamp with time zone,
    ended_by text,
    ended_why text,
    CONSTRAINT recovery_check CHECK (((ended_at IS NULL) = (ended_by IS NULL))),
    CONSTRAINT recovery_check1 CHECK ((since <= begun_at)),
    CONSTRAINT recovery_since_check CHECK (isfinite(since))
);

COMMENT ON TABLE pay.recovery IS 'Restores to an earlier moment, and the searches at the PSPs that followed';

CREATE FUNCTION pay.hasten_jobs(p_recovery pay.recovery) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.hear_automatic(p_news pay.news, p_captured bigint, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.hear_capture(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.hear_captures(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.hear_change(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.hear_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_items integer[], OUT stored integer[]) RETURNS integer[] LANGUAGE plpgsql;
CREATE FUNCTION pay.hear_dispute(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.hear_fee(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;

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

CREATE FUNCTION pay.hear_late_refund(p_news pay.news, p_late pay.late_success, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.hear_news(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.hear_own_capture(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.hear_own_refund(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.hear_parts(p_parts pay.change[], p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.hear_refund(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.hear_single(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.hear_suspended(p_news pay.news, p_amount_minor bigint, p_currency text, p_is_over boolean, p_is_borne boolean, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.hold_by_screening(p_payout pay.payout) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.hold_file(p_file_id bigint, OUT file pay.settlement_file, OUT is_alone boolean) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.hold_for_review(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_currency text[], p_total_minor bigint[], p_terms jsonb[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.hold_is_over(p_news pay.news, p_word text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.hold_money(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_terms jsonb[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.hold_orders(p_items integer[], p_merchant_id text[], p_checkout_id text[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.hold_reader(p_name text, p_owner text, p_lease_ms bigint) RETURNS bigint LANGUAGE plpgsql;
CREATE FUNCTION pay.hold_reason(p_merchant_id text, p_checkout_id text) RETURNS text LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.hold_terms(p_terms jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.hold_terms_ok(p_holds jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.holds_names(p_merchant_id text, p_checkout_id text, p_psp text, p_token text, p_alias text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.id_ok(p_id text) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.in_suspense(p_merchant_id text, p_psp text, p_object text, OUT amount_minor bigint, OUT currency text, OUT is_over boolean, OUT is_borne boolean) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.insert_beginnings(p_items integer[], p_item integer[], p_id text[], p_detail jsonb[], p_hash bytea[], p_merchant_id text[], p_checkout_id text[], p_lease_ms bigint[], p_request_id text[]) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.insert_change(p_item pay.change_item, p_order pay.payment_order, p_amount_minor bigint) RETURNS pay.change LANGUAGE plpgsql;
CREATE FUNCTION pay.insert_checkouts(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_key_windows text[], p_late_success text[], p_terms jsonb[], p_risk jsonb[], OUT placed integer[], OUT nonces text[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.insert_decisions(p_items integer[], p_words text[], p_bys text[], p_hits jsonb[], p_merchant_id text[], p_checkout_id text[], p_risk jsonb[], p_texts text[], p_rows pay.risk_rows) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.insert_dispute(p_news pay.news, p_order pay.payment_order, p_amount_minor bigint, p_part integer) RETURNS pay.dispute LANGUAGE plpgsql;
CREATE FUNCTION pay.insert_entries(p_postings pay.posting[], OUT new integer[], OUT unowned boolean, OUT has_fees boolean) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.insert_keys(p_items integer[], p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_ttl_s bigint[]) RETURNS integer[] LANGUAGE plpgsql;
CREATE FUNCTION pay.insert_news(p_news pay.news[]) RETURNS pay.news[] LANGUAGE plpgsql;
CREATE FUNCTION pay.insert_orders(p_items integer[], p_item integer[], p_place integer[], p_id text[], p_seller text[], p_minor bigint[], p_credit text[], p_hash bytea[], p_rate numeric[], p_credit_minor bigint[], p_merchant_id text[], p_checkout_id text[], p_currency text[], p_terms jsonb[]) RETURNS integer[] LANGUAGE plpgsql;
CREATE FUNCTION pay.insert_outside(p_news pay.news, p_order pay.payment_order, p_amount_minor bigint) RETURNS pay.change LANGUAGE plpgsql;
CREATE FUNCTION pay.insert_plain_lines(p_postings pay.posting[], p_new integer[]) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.insert_replays(p_facts pay.fact[], p_source text[], p_fact text[], p_digest bytea[]) RETURNS integer[] LANGUAGE plpgsql;
CREATE FUNCTION pay.insert_webhooks(p_facts pay.fact[], p_fact text[], p_digest bytea[], p_count bigint) RETURNS integer[] LANGUAGE plpgsql;
CREATE FUNCTION pay.is_about_second(p_news pay.news) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_after_end(p_news pay.news, p_dispute pay.dispute) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.is_bank_day(p_calendar text, p_day date) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.is_booked(p_merchant_id text, p_source text, p_kind text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_charged(p_row pay.settlement_row) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.is_cleared_by_maker(p_payout pay.payout) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.is_closing(p_merchant_id text, p_checkout_id text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_counted(p_psp text) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.is_currency(p_currency text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_debit_left(p_event pay.payout_event) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.is_decision_asked(p_payout pay.payout, p_detail jsonb, p_who text) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.is_declared(p_endpoint pay.webhook_endpoint, p_act text) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.is_done_by(p_exception pay.settlement_exception, p_act text, p_who text) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.is_early(p_news pay.news) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_early_failure(p_news pay.news) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_echo(p_payout pay.payout, p_amount_minor bigint, p_currency text, p_account_end text) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.is_event(p_logged text, p_news text, p_actor text, p_part oid, p_tid tid, p_attempt text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_failed(p_change pay.change) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_fraud_reason(p_code text) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.is_given(p_provided text, p_actor text, p_order_id text, p_reference text, p_part oid, p_tid tid, p_late_success text, p_replaced_by text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_held_late(p_order pay.payment_order) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_iban(p_text text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_later_version(p_file pay.settlement_file) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.is_limit_raised(p_merchant_id text, p_currency text, p_one numeric, p_two numeric) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.is_new_mismatch(p_fact pay.fact) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_notice_entry(p_event_id text) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.is_on_hold(p_order pay.payment_order) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_over(p_letter pay.dead_letter) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_payout_event_behind(p_row pay.payout_sending, p_event pay.payout_event) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.is_registering(p_merchant_id text, p_checkout_id text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_reserved(p_change pay.change) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.is_review_reason(p_act text, p_reason text) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.is_risk_prefix(p_value text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.is_sealed(p_from timestamp with time zone, p_until timestamp with time zone) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_second_payment(p_order pay.payment_order, p_reference text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_setting_asked(p_merchant_id text, p_subject text, p_subject_id text, p_set text, p_detail jsonb, p_who text) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.is_settled_twice(p_payout pay.payout, p_event pay.payout_event) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.is_statement(p_text text) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.is_sum(p_exception pay.settlement_exception, p_row pay.settlement_row) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.is_tangled(p_from timestamp with time zone, p_until timestamp with time zone) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_told(p_merchant_id text, p_checkout_id text, p_payment_order_id text, p_kind text, p_actor text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_unbooked_refund(p_merchant_id text, p_checkout_id text, p_psp text, p_object text) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.is_under_way(p_merchant_id text, p_checkout_id text, p_payment_order_id text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_unfinished(p_merchant_id text, p_checkout_id text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_unsettled(p_merchant_id text, p_checkout_id text, p_operation text, p_operation_id text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_untold(p_news pay.news) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.is_wanted(p_types text[], p_type text) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.is_zone(p_zone text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.iso_micros(p_at timestamp with time zone) RETURNS text LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.iso_time(p_at timestamp with time zone) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.job_is_over(p_job pay.job, p_delay_ms bigint, p_code text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.job_rank(p_kind text) RETURNS integer LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.join_findings(INOUT p_a pay.risk_findings, p_b pay.risk_findings) RETURNS pay.risk_findings LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.journal_calls(p_merchant_id text[], p_checkout_id text[]) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.journal_payout_call(p_row pay.payout_sending, p_owner text, p_lease interval) RETURNS pay.payout_sending LANGUAGE plpgsql;
CREATE FUNCTION pay.journal_tokens(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_token text[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.judge_adopted(p_merchant_id text[], p_checkout_id text[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.judge_cards(p_psp text[], p_attempt text[], p_before text[], p_terms jsonb[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.judge_console_act(p_act text, p_who text, p_roles jsonb, p_merchants jsonb, p_login_age_s bigint, p_body jsonb, p_target pay.console_target, OUT outcome text, OUT words text) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.judge_facts(p_facts pay.fact[], p_turn integer, OUT at timestamp with time zone, OUT moves pay.move[], OUT moved integer[], OUT late integer[], OUT against integer[], OUT told integer[], OUT booked pay.posting[], OUT shown bigint, OUT rests boolean, OUT ours boolean, OUT by_hand boolean, OUT has text[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.judge_payout(p_state text, p_fact text) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.judge_payout_asked(p_row pay.payout_sending, p_adapter pay.payout_adapter, p_said pay.payout_said) RETURNS pay.payout_next LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.judge_payout_call(p_row pay.payout_sending, p_adapter pay.payout_adapter, p_call text, p_said pay.payout_said) RETURNS pay.payout_next LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.judge_payout_done(p_row pay.payout_sending, p_adapter pay.payout_adapter, p_said pay.payout_said) RETURNS pay.payout_next LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.judge_payout_event(p_payout pay.payout, p_event pay.payout_event, p_amount_minor bigint, p_currency text, p_account_end text, p_must_ask boolean) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.judge_payout_find(p_row pay.payout_sending, p_adapter pay.payout_adapter, p_said pay.payout_said) RETURNS pay.payout_next LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.judge_payout_report(p_item pay.payout_file_item, p_event pay.payout_event, p_amount_minor bigint, p_currency text, p_account_end text) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.judge_payout_send(p_row pay.payout_sending, p_adapter pay.payout_adapter, p_outcome text) RETURNS pay.payout_next LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.judge_release(p_new pay.checkout) RETURNS text LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.judge_replaced(p_old pay.checkout, p_can_close boolean) RETURNS text LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.judge_risk(p_items integer[], p_risk jsonb[], p_rows pay.risk_rows, p_found pay.risk_findings) RETURNS TABLE(n integer, decision text, decided_by text, hits jsonb) LANGUAGE sql STABLE;
CREATE FUNCTION pay.judged_facts(p_facts pay.fact[], p_turn integer, p_now timestamp with time zone, p_at text, p_tx bigint) RETURNS TABLE(item integer, kind text, merchant_id text, checkout_id text, reference text, brings boolean, news text, is_event boolean, changes boolean, move pay.move, is_sale boolean, is_stale boolean, sale pay.posting) LANGUAGE sql STABLE;
CREATE FUNCTION pay.keep_anchors(p_month date, p_until timestamp with time zone, p_who text, p_why text) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_browsers(p_handle text[], p_browser text[], p_before text[], p_is_new bigint[], p_agent text[], p_user_agent text[], p_address text[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_card_decisions(p_words pay.card_word[], p_found pay.risk_findings) RETURNS TABLE(n integer, effect text) LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_cards(p_facts pay.fact[], p_fact text[], p_item bigint[], p_attempt text[], p_card text[], p_bin text[], p_country text[], p_funding text[], p_three_d text[], p_level text[], p_score bigint[], p_warning text[], p_is_hint bigint[], p_before text[], p_terms jsonb[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_console_act(p_act pay.console_act) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_deadline(p_psp text, p_object text, p_until bigint) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_decisions(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_currency text[], p_total_minor bigint[], p_risk jsonb[], p_texts text[], p_rows pay.risk_rows, OUT items integer[], OUT words text[], OUT is_changed boolean) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_difference(p_merchant_id text, p_checkout_id text, p_detail jsonb) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_failed_capture(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_failure(p_news pay.news, p_order pay.payment_order, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_findings(p_payout pay.payout) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_given_fees(p_items integer[], p_item integer[], p_place integer[], p_id text[], p_minor bigint[], p_merchant_id text[], p_terms jsonb[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_invalid(p_items integer[], p_psp text[], p_source text[], p_event_id text[], p_token text[], p_reference text[], p_object text[], p_amount_minor bigint[], p_currency text[], p_request_id text[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_late(p_facts pay.fact[], p_items integer[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_mismatches(p_facts pay.fact[], p_told integer[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_no_token(p_facts pay.fact[], p_retry_after_ms bigint[], p_reach text[], p_http_status bigint[], p_dead text[]) RETURNS integer[] LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_of(p_class text) RETURNS interval LANGUAGE sql STABLE SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.keep_page(p_file_id bigint, p_rows integer) RETURNS pay.settlement_file LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_payout_act(p_merchant_id text, p_subject text, p_subject_id text, p_act text, p_who text, p_why text, p_detail jsonb DEFAULT '{}'::jsonb, p_told text DEFAULT NULL::text) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_payout_advices(p_places tid[], p_who text) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_payout_key(p_merchant_id text, p_route text, p_key text, p_subject_id text) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_payouts(p_merchant_id text, p_plan pay.payout_plan[], p_who text) RETURNS tid[] LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_references(p_facts pay.fact[], p_moved integer[], p_against integer[]) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_review_act(p_review_id bigint, p_act text, p_who text, p_reason text, p_note text) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.keep_rows(p_file pay.settlement_file, p_source pay.settlement_source) RETURNS void LANGUAGE plpgsql SET enable_nestloop TO 'off' SET jit TO 'off';
CREATE FUNCTION pay.keep_said(p_news pay.news, p_is_end boolean) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_sanction_words(p_name text[]) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.keep_secret(p_merchant_id text, p_endpoint_id text, p_number integer, p_sealed bytea, p_key_id text, p_who text) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.keep_signatures(p_of text, p_number bigint[], p_key_id text[], p_signature bytea[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql;
CREATE FUNCTION pay.keep_wrong_row(p_file_id bigint, p_line integer, p_wrong text) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.kept_fee(p_returns text, p_fee_minor bigint, p_captured_minor bigint, p_back_minor bigint) RETURNS bigint LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.key_window(p_psps text[], p_key_windows integer[], p_psp text) RETURNS interval LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.known_change(p_merchant_id text, p_route text, p_key text, p_fingerprint bytea, OUT outcome text, OUT change_id text) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.known_difference(p_last pay.psp_balance, OUT low bigint, OUT high bigint) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.label_dispute(p_dispute pay.dispute) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.label_order(p_merchant_id text, p_payment_order_id text, p_label text, p_source text, p_at timestamp with time zone DEFAULT clock_timestamp()) RETURNS boolean LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.label_refund(p_change pay.change) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.labels_of(p_merchant_id text, p_checkout_id text) RETURNS jsonb LANGUAGE sql STABLE SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.late_meant(p_news pay.news) RETURNS pay.late_success LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.late_postings(p_facts pay.fact[], p_late integer[]) RETURNS pay.posting[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.lay_dispute(p_news pay.news, p_orders pay.payment_order[], p_parts bigint[], p_first integer, OUT facts pay.fact[]) RETURNS pay.fact[] LANGUAGE plpgsql;
CREATE FUNCTION pay.lay_down(p_news pay.news, p_state text, p_orders pay.payment_order[], p_parts bigint[]) RETURNS pay.fact[] LANGUAGE plpgsql;
CREATE FUNCTION pay.lay_refund(p_news pay.news, p_orders pay.payment_order[], p_parts bigint[]) RETURNS pay.fact[] LANGUAGE plpgsql;
CREATE FUNCTION pay.learn_payout_event(p_row pay.payout_sending, p_event pay.payout_event) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.learn_tokens(p_facts pay.fact[]) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.leave_payout_batch(p_payout pay.payout) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.leave_payout_file(p_item pay.payout_file_item, p_code text, p_retry_s bigint) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.ledger_items(p_scope text[], p_query jsonb, p_since timestamp with time zone, p_until timestamp with time zone, p_most integer, p_tokens boolean) RETURNS TABLE(place text, item jsonb) LANGUAGE plpgsql STABLE SET enable_seqscan TO 'off' SET enable_hashjoin TO 'off' SET enable_mergejoin TO 'off';
CREATE FUNCTION pay.ledger_piece(p_until timestamp with time zone, p_from timestamp with time zone, p_width interval, p_rows integer, OUT since timestamp with time zone, OUT rows bigint) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.letters_of(p_merchant_id text, p_checkout_id text) RETURNS SETOF pay.dead_letter LANGUAGE sql STABLE;
CREATE FUNCTION pay.level_for(p_step text, p_steps timestamp with time zone[]) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.lines_with_entry() RETURNS trigger LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.link_work(p_file_id bigint) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.linked_checkouts(p_merchant_id text, p_checkout_id text, p_limit integer) RETURNS TABLE(checkout_id text, kinds text, decision text, at timestamp with time zone) LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.list_findings(p_items integer[], p_merchant_id text[], p_rows pay.risk_rows) RETURNS pay.risk_findings LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.list_values(p_merchant_id text, p_effect text, p_kind text, p_values text[], p_until timestamp with time zone, p_who text, p_why text) RETURNS text LANGUAGE plpgsql;

CREATE TABLE pay.screening_policy (
    merchant_id pay.id NOT NULL,
    is_on boolean NOT NULL,
    lists text[] NOT NULL,
    max_age_hours integer NOT NULL,
    provider pay.payout_name,
    CONSTRAINT screening_policy_lists_check CHECK (((lists <@ '{ofac,eu}'::text[]) AND (lists <> '{}'::text[]))),
    CONSTRAINT screening_policy_max_age_hours_check CHECK (((max_age_hours >= 1) AND (max_age_hours <= 720)))
);

CREATE FUNCTION pay.lists_are_fresh(p_policy pay.screening_policy) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.locate_news(p_news pay.news[]) RETURNS pay.news[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.lock_checkouts(p_merchant_id text[], p_checkout_id text[]) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.lock_dead_letter(p_id bigint, OUT letter pay.dead_letter, OUT merchant text, OUT checkout text) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[], OUT operations text[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.lock_endpoint(p_merchant_id text, p_endpoint_id text) RETURNS pay.webhook_endpoint LANGUAGE sql;
CREATE FUNCTION pay.lock_endpoint_for(p_endpoint_id text, p_act text, p_who text, p_why text, OUT outcome text, OUT endpoint pay.webhook_endpoint) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.lock_endpoints(p_ends pay.delivery_end[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.lock_exception(p_id bigint, OUT exception pay.settlement_exception, OUT kept pay.settlement_row, OUT psp text) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.lock_order_wallet(p_merchant_id text, p_order text) RETURNS pay.payment_order LANGUAGE plpgsql;
CREATE FUNCTION pay.lock_part(p_file_id bigint) RETURNS pay.settlement_part LANGUAGE plpgsql;
CREATE FUNCTION pay.lock_payout(p_merchant_id text, p_payout_id text) RETURNS pay.payout LANGUAGE sql;
CREATE FUNCTION pay.lock_payout_account(p_merchant_id text, p_seller text, p_currency text) RETURNS pay.payout_account LANGUAGE plpgsql;
CREATE FUNCTION pay.lock_payout_batches(p_merchant_id text[], p_batch_id text[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.lock_payout_file(p_merchant_id text, p_provider text, p_msg_id text) RETURNS pay.payout_file LANGUAGE sql;
CREATE FUNCTION pay.lock_refund_wallets(p_items pay.change_item[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.lock_wallets(p_merchant_id text[], p_seller text[], p_currency text[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.look_at_risk(p_items integer[], p_waits integer[], p_merchant_id text[], p_checkout_id text[], p_psp text[], p_currency text[], p_total_minor bigint[], p_lease_ms bigint[], p_request_id text[], p_terms jsonb[], p_risk jsonb[], p_texts text[], p_rows pay.risk_rows, p_replaces boolean, OUT blocked integer[], OUT changed integer[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.look_later(p_endpoints pay.webhook_endpoint[], p_claimed pay.webhook_delivery[], p_is_full boolean) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.lose_holds(p_psp text, p_limit integer) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.make_close(p_day date, p_now timestamp with time zone DEFAULT clock_timestamp(), p_rows integer DEFAULT 5000, OUT outcome text, OUT number bigint, OUT document text) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.make_declared(p_merchant_id text, p_endpoint_id text, p_url text, p_types jsonb, p_is_ordered boolean, p_fingerprint bytea, p_sealed bytea, p_key_id text) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.make_endpoint(p_merchant_id text, p_endpoint_id text, p_url text, p_types jsonb, p_scheme text, p_is_ordered boolean, p_sealed bytea, p_key_id text, p_who text) RETURNS pay.webhook_endpoint LANGUAGE plpgsql;
CREATE FUNCTION pay.make_one_act(p_act text, p_who text, p_roles jsonb, p_merchants jsonb, p_login_age_s bigint, p_body jsonb, p_terms jsonb, p_request_id text, OUT outcome text, OUT page text) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.make_one_payout(p_merchant_id text, p_seller text, p_currency text, p_who text, OUT outcome text, OUT payout_id text) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.make_partition(p_month date) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.make_partitions(p_move boolean DEFAULT true) RETURNS integer LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp' SET lock_timeout TO '200ms';
CREATE FUNCTION pay.make_parts(p_file_id bigint, p_rows integer, p_parts integer DEFAULT 32) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.make_payout_file(p_merchant_id text, p_provider text, p_adapter pay.payout_adapter, p_most integer, p_debtor_iban text, p_execute_on date, p_place text, p_who text) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.make_payout_piece(p_owner text, p_wallets integer) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.make_payouts(p_merchant_id text, p_seller text[], p_currency text[], p_who text) RETURNS SETOF pay.payout_plan LANGUAGE plpgsql;

CREATE TABLE pay.payout_run (
    merchant_id pay.id NOT NULL,
    run_id bigint NOT NULL,
    seller_account text NOT NULL COLLATE pg_catalog."C",
    due_day date NOT NULL,
    due_at timestamp with time zone NOT NULL,
    batch_items integer,
    state text DEFAULT 'making'::text NOT NULL COLLATE pg_catalog."C",
    at_seller text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    at_currency text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C",
    owner pay.id,
    pieces pay.tally DEFAULT 0 NOT NULL,
    wallets pay.whole DEFAULT 0 NOT NULL,
    items pay.whole DEFAULT 0 NOT NULL,
    batches pay.whole DEFAULT 0 NOT NULL,
    outcomes jsonb DEFAULT '{}'::jsonb NOT NULL,
    begun_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT payout_run_check CHECK (((ended_at IS NOT NULL) = (state = 'done'::text))),
    CONSTRAINT payout_run_check1 CHECK (((batch_items IS NOT NULL) OR (state <> 'batching'::text))),
    CONSTRAINT payout_run_state_check CHECK ((state = ANY (ARRAY['making'::text, 'batching'::text, 'done'::text])))
)
WITH (fillfactor='60');

CREATE FUNCTION pay.make_run_batch(p_run pay.payout_run, p_owner text) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.make_run_items(p_run pay.payout_run, p_seller text[], p_currency text[]) RETURNS jsonb LANGUAGE plpgsql;
CREATE FUNCTION pay.make_run_piece(p_run pay.payout_run, p_wallets integer, p_owner text) RETURNS void LANGUAGE plpgsql;

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

CREATE FUNCTION pay.make_seal(p_most integer, OUT made pay.seal, OUT is_full boolean, OUT is_behind boolean) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.make_wallets(p_merchant_id text[], p_seller text[], p_currency text[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.manual_postings(p_was pay.payment_order, p_now pay.payment_order, p_news text, p_request_id text) RETURNS pay.posting[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.mark_duplicates(p_news pay.news[], p_first integer[]) RETURNS pay.news[] LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.mark_minutes(p_from bigint, p_limit integer, p_interval interval, OUT until_tx bigint, OUT more boolean) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.match_amounts(p_file_id bigint) RETURNS void LANGUAGE plpgsql SET enable_nestloop TO 'off' SET jit TO 'off';
CREATE FUNCTION pay.match_and_book(p_file pay.settlement_file, p_source pay.settlement_source, p_of_file bigint) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.match_bank(p_file pay.settlement_file, p_source pay.settlement_source) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.match_capture(p_change pay.change, p_outside pay.change, p_word pay.fact, p_by_amount boolean) RETURNS pay.fact LANGUAGE plpgsql;
CREATE FUNCTION pay.match_conversions(p_file_id bigint) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.match_easy(p_file pay.settlement_file, p_source pay.settlement_source) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.match_fees(p_file_id bigint) RETURNS void LANGUAGE plpgsql SET enable_nestloop TO 'off' SET jit TO 'off';
CREATE FUNCTION pay.match_hard(p_file pay.settlement_file, p_source pay.settlement_source) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.match_objects(p_file_id bigint, p_signed boolean) RETURNS void LANGUAGE plpgsql SET enable_nestloop TO 'off' SET jit TO 'off';
CREATE FUNCTION pay.match_parts(p_file_id bigint) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.match_returns(p_file_id bigint, p_psp text) RETURNS void LANGUAGE plpgsql SET enable_nestloop TO 'off' SET jit TO 'off';
CREATE FUNCTION pay.match_rounded(p_file_id bigint) RETURNS void LANGUAGE plpgsql SET enable_nestloop TO 'off' SET jit TO 'off';
CREATE FUNCTION pay.match_rounded_fees(p_file_id bigint) RETURNS void LANGUAGE plpgsql SET enable_nestloop TO 'off' SET jit TO 'off';
CREATE FUNCTION pay.match_single(p_file_id bigint) RETURNS void LANGUAGE plpgsql SET enable_nestloop TO 'off' SET jit TO 'off';
CREATE FUNCTION pay.match_sums(p_file_id bigint, p_single boolean) RETURNS void LANGUAGE plpgsql SET enable_nestloop TO 'off' SET jit TO 'off';
CREATE FUNCTION pay.may_act(p_exception pay.settlement_exception, p_act text, p_who text, p_why text, p_amount bigint, p_detail jsonb) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.may_approve(p_merchant_id text, p_batch_id text, p_who text) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.may_be_stuck(p_merchant_id text, p_checkout_id text, p_reason text, p_since timestamp with time zone, p_limit interval) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.median_rate(p_base text, p_quote text, p_age interval) RETURNS numeric LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.merkle_root(p_hashes bytea[]) RETURNS bytea LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.message_body(p_id text, p_told pay.told, p_sequence bigint) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.message_id(p_merchant_id text, p_source text) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.message_of(p_event_id text, p_ids text[]) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.message_page(p_merchant_id text, p_after bigint, p_type text, p_limit integer) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.minor_of(p_amount text, p_currency text) RETURNS bigint LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.miss_rows(p_file pay.settlement_file, p_source pay.settlement_source, p_limit integer) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.mode_findings(p_items integer[], p_merchant_id text[]) RETURNS pay.risk_findings LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.mode_terms_ok(p_terms jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.move_change(p_change pay.change, p_to text, p_word pay.fact) RETURNS pay.fact[] LANGUAGE plpgsql;
CREATE FUNCTION pay.move_ok(p_merchant_id text, p_cell text, p_who text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.move_payout(p_payout pay.payout, p_state text, p_who text, p_why text, p_detail jsonb DEFAULT '{}'::jsonb) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.move_registers(p_facts pay.fact[], p_outcome text[], p_reach text[], p_http_status bigint[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.move_registrations(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], p_lease_ms bigint[], OUT items integer[], OUT nexts text[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.move_review_cursor(p_state text, p_reviews pay.risk_review[], p_limit integer) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.name_attempts(p_facts pay.fact[], p_fact text[], p_terms jsonb[], p_named bigint[]) RETURNS integer[] LANGUAGE plpgsql;
CREATE FUNCTION pay.name_capture(p_news pay.news) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.name_near(p_name text) RETURNS bytea[] LANGUAGE sql STABLE;
CREATE FUNCTION pay.name_parts(p_name text) RETURNS TABLE(part text, word bytea) LANGUAGE sql STABLE;
CREATE FUNCTION pay.name_secret(p_endpoint pay.webhook_endpoint, p_number integer, p_fingerprint bytea) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.name_words(p_name text) RETURNS bytea[] LANGUAGE sql STABLE;
CREATE FUNCTION pay.named_order(p_news pay.news) RETURNS pay.payment_order LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.named_payouts(p_work pay.settlement_work, OUT tids tid[], OUT same tid[], OUT total bigint, OUT psps integer, OUT psp text, OUT entries jsonb) RETURNS record LANGUAGE sql STABLE;
CREATE FUNCTION pay.near_windows(p_items integer[], p_merchant_id text[], p_rows pay.risk_rows) RETURNS bigint[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.needs_buyer(p_checkout pay.checkout) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.newest_browser(p_merchant_id text, p_checkout_id text) RETURNS text LANGUAGE sql STABLE SET search_path TO 'pay', 'pg_temp';

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

CREATE VIEW pay.journal (
    merchant_id pay.id,
    checkout_id pay.id,
    operation pay.dispatch_operation,
    operation_id pay.id,
    attempt pay.ordinal,
    psp pay.id,
    state pay.dispatch_state,
    sends pay.ordinal,
    unsure boolean,
    first_sent_at timestamp with time zone,
    sent_at timestamp with time zone,
    lease_until timestamp with time zone,
    ended_at timestamp with time zone,
    key_until timestamp with time zone,
    reach pay.dispatch_reach,
    http_status integer,
    code text,
    reference text,
    request_id text,
    settled boolean
);

CREATE FUNCTION pay.newest_dispatch(p_merchant_id text, p_checkout_id text, p_operation text) RETURNS pay.journal LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.news_doubt(p_news pay.news, p_why text, p_postings pay.posting[] DEFAULT NULL::pay.posting[], OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.news_fact(p_news pay.news, p_kind text, p_order_id text, p_postings pay.posting[], p_more jsonb) RETURNS pay.fact LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.news_of(p_change pay.change, p_object text, p_word pay.fact) RETURNS pay.news LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.news_of_mismatch(p_mismatch pay.mismatch, p_news text, p_amount_minor bigint) RETURNS pay.news LANGUAGE sql STABLE;
CREATE FUNCTION pay.news_ok(p_about text, p_news text) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.news_source(p_news pay.news) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.news_word(p_news pay.news) RETURNS pay.fact LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.next_changes(p_limit interval) RETURNS pay.change[] LANGUAGE plpgsql;
CREATE FUNCTION pay.next_checkouts(OUT merchants text[], OUT checkouts text[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.next_decline(p_old jsonb, p_detail jsonb, p_at timestamp with time zone) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.next_due_day(p_schedule pay.payout_schedule, p_after date) RETURNS date LANGUAGE sql STABLE;
CREATE FUNCTION pay.next_letters() RETURNS pay.dead_letter[] LANGUAGE plpgsql;

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

CREATE FUNCTION pay.next_parked(p_limit interval) RETURNS pay.webhook_inbox[] LANGUAGE plpgsql;
CREATE FUNCTION pay.next_payout_approved(p_merchant_id text, p_provider text, p_adapter text, p_who text) RETURNS pay.payout_sending LANGUAGE plpgsql;
CREATE FUNCTION pay.next_payout_id() RETURNS text LANGUAGE sql;
CREATE FUNCTION pay.next_payout_sending(p_merchant_id text, p_provider text, p_adapter text, p_is_stopped boolean) RETURNS pay.payout_sending LANGUAGE sql;
CREATE FUNCTION pay.next_reread(p_file pay.settlement_file, p_pause interval) RETURNS timestamp with time zone LANGUAGE sql STABLE;
CREATE FUNCTION pay.next_run_wallets(p_run pay.payout_run, p_wallets integer, p_lines integer, p_look integer, OUT sellers text[], OUT currencies text[], OUT at_seller text, OUT at_currency text, OUT is_last boolean) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.next_step(p_step text, p_zone text, p_at timestamp with time zone) RETURNS timestamp with time zone LANGUAGE sql STABLE;
CREATE FUNCTION pay.next_unknown(p_limit interval) RETURNS pay.dispatch[] LANGUAGE plpgsql;
CREATE FUNCTION pay.next_version_sha256(p_file pay.settlement_file) RETURNS bytea LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.no_findings() RETURNS pay.risk_findings LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.note_failure(p_endpoint pay.webhook_endpoint, p_is_gone boolean, p_next timestamp with time zone) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.note_success(p_endpoint pay.webhook_endpoint) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.number_facts(p_facts pay.fact[], p_after integer) RETURNS pay.fact[] LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.number_messages(p_told pay.told[], p_position bigint) RETURNS SETOF pay.message LANGUAGE sql STABLE;
CREATE FUNCTION pay.numeric_text(p_minor numeric, p_currency text) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.old_page_is_open(p_merchant_id text, p_checkout_id text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.only_order(p_merchant_id text, p_checkout_id text) RETURNS pay.payment_order LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.open_change(p_order pay.payment_order, OUT kind text, OUT run_at timestamp with time zone, OUT letter boolean, OUT code text) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.open_dead_letter(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_event_id text[], p_kind text[], p_reason text[], p_code text[], p_attempts integer[], p_operation_id text[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.open_dispute(p_news pay.news, OUT outcome text, OUT facts pay.fact[], OUT is_ours boolean) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.open_entries(p_exception pay.settlement_exception, p_work pay.settlement_work) RETURNS TABLE(merchant_id text, source text, kind text, minor bigint, psp text) LANGUAGE sql STABLE;
CREATE FUNCTION pay.open_mismatch() RETURNS trigger LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.open_mismatches(p_merchant_id text, p_checkout_id text) RETURNS SETOF pay.mismatch LANGUAGE sql STABLE;
CREATE FUNCTION pay.open_payout_lines(p_merchant_id text, p_seller text, p_currency text) RETURNS SETOF pay.payout_line LANGUAGE sql STABLE;
CREATE FUNCTION pay.open_payout_orders(p_merchant_id text, p_seller text[], p_currency text[]) RETURNS TABLE(seller_account text, currency text, payment_order_id text, amount_minor bigint, seqs bigint[], stop text) LANGUAGE sql STABLE;
CREATE FUNCTION pay.open_recovery() RETURNS pay.recovery LANGUAGE sql STABLE;
CREATE FUNCTION pay.open_reviews(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_currency text[], p_total_minor bigint[], p_terms jsonb[]) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.open_settlement(p_source text, p_sha256 bytea, p_name text, OUT outcome text, OUT file pay.settlement_file) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.order_differences(p_merchant_id text[], p_payment_order_id text[]) RETURNS TABLE(merchant_id text, checkout_id text, detail jsonb) LANGUAGE sql STABLE;
CREATE FUNCTION pay.order_is(p_merchant_id text, p_checkout_id text, p_statuses text[]) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.order_line(p_order pay.payment_order) RETURNS TABLE(place bigint, order_id text, seller_account text, order_minor bigint, order_status text, order_reason text, authorized_minor bigint, captured_minor bigint, refunding_minor bigint, refunded_minor bigint, charged_back_minor bigint, credit_currency text, credit_minor bigint, credit_rate text, credit_until text, decline text, fee_minor bigint, fee_tax_minor bigint) LANGUAGE sql STABLE ROWS 1;
CREATE FUNCTION pay.order_ok(p_id text, p_seller text, p_minor bigint) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.order_posting(p_order pay.payment_order, p_source text, p_kind text, p_psp text, p_amount_minor bigint, p_seller_minor bigint, p_request_id text) RETURNS pay.posting[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.order_told(p_order pay.payment_order, p_event pay.event, p_psp text, p_amount text, p_credit text) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.orders_named(p_mismatch pay.mismatch, p_orders text[], p_amounts bigint[]) RETURNS pay.payment_order[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.orders_of(p_merchant_id text, p_checkout_id text) RETURNS SETOF pay.payment_order LANGUAGE sql STABLE;
CREATE FUNCTION pay.orders_of_item(p_item integer, p_orders_item bigint[], p_orders_id text[]) RETURNS text[] LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.other_statements(p_file pay.settlement_file, p_source pay.settlement_source, p_part pay.settlement_part) RETURNS text[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.outcome_of(p_status text, p_reason text) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.outside_captures(p_news pay.news, p_left bigint, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.outside_pending(p_change pay.change, p_news pay.news) RETURNS pay.fact LANGUAGE plpgsql;
CREATE FUNCTION pay.outside_refund(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.overdraws(p_order pay.payment_order, p_amount_minor bigint, p_begun text[]) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.overtaken_reserves(p_merchant_id text, p_seller text[], p_currency text[]) RETURNS SETOF text LANGUAGE sql STABLE;
CREATE FUNCTION pay.own_object(p_change pay.change, p_object text, p_word pay.fact, OUT facts pay.fact[], OUT failed boolean, OUT done boolean) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.own_statements(p_file_id bigint) RETURNS text[] LANGUAGE sql STABLE;
CREATE FUNCTION pay.page_is_closed(p_order pay.payment_order) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.page_matter(p_file pay.settlement_file) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.page_ok(p_page jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.page_reason(p_page integer, p_last_page integer, p_missing integer[], p_wrong text) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.page_set(p_source text, p_batch_key text, OUT last_page integer, OUT files bigint[], OUT missing integer[], OUT is_new boolean) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.page_waits(p_file pay.settlement_file) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.page_window(p_limit integer, p_is_filtered boolean) RETURNS integer LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.pages_before(p_file pay.settlement_file) RETURNS bigint[] LANGUAGE sql STABLE;
CREATE FUNCTION pay.parked_references(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[], OUT merchants text[], OUT checkouts text[], OUT psps text[], OUT names text[]) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.part_capture(p_change pay.change, p_word pay.fact, OUT parted pay.change, OUT told pay.fact) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.part_posting(p_order pay.payment_order, p_source text, p_kind text, p_psp text, p_before bigint, p_part bigint, p_request_id text) RETURNS pay.posting[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.part_told(p_type text, p_event pay.event, p_amount text, p_currency text) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.parts_of(p_merchant_id text, p_checkout_id text, p_psp text, p_object text) RETURNS pay.change[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.past_attempts(p_since timestamp with time zone, p_before timestamp with time zone, p_merchant_id text, p_checkout_id text, p_limit integer) RETURNS text LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.payment_method_ok(p_method text) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.payout_acts_json(p_merchant_id text, p_subject text, p_subject_id text) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.payout_batch_hash(p_merchant_id text, p_batch_id text, OUT hash bytea, OUT item_count integer, OUT total_minor bigint) RETURNS record LANGUAGE sql STABLE;
CREATE FUNCTION pay.payout_batch_items_json(p_merchant_id text, p_batch_id text) RETURNS json LANGUAGE sql STABLE;

CREATE TABLE pay.payout_batch (
    merchant_id pay.id NOT NULL,
    batch_id pay.id NOT NULL,
    provider pay.payout_name NOT NULL,
    currency pay.currency_code NOT NULL,
    item_count pay.ordinal NOT NULL,
    total_minor pay.positive_minor NOT NULL,
    hash pay.hash NOT NULL,
    made_by pay.filled NOT NULL,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    state text DEFAULT 'open'::text NOT NULL COLLATE pg_catalog."C",
    approved_at timestamp with time zone,
    until timestamp with time zone,
    number bigint NOT NULL,
    send_at timestamp with time zone,
    CONSTRAINT payout_batch_check CHECK (((approved_at IS NULL) = (until IS NULL))),
    CONSTRAINT payout_batch_check1 CHECK (((state <> ALL (ARRAY['approved'::text, 'expired'::text])) OR (approved_at IS NOT NULL))),
    CONSTRAINT payout_batch_check2 CHECK (((send_at IS NULL) OR (approved_at IS NOT NULL))),
    CONSTRAINT payout_batch_state_check CHECK ((state = ANY (ARRAY['open'::text, 'approved'::text, 'expired'::text, 'withdrawn'::text])))
)
WITH (fillfactor='80');

CREATE FUNCTION pay.payout_batch_json(p_batch pay.payout_batch) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.payout_batch_page(p_merchant_id text, p_provider text, p_currency text, p_state text, p_day text, p_before bigint, p_limit integer) RETURNS json LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.payout_batch_whole(p_merchant_id text, p_batch_id text) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.payout_call_row(p_item integer, p_row pay.payout_sending) RETURNS SETOF pay_api.payout_call_row LANGUAGE sql STABLE;
CREATE FUNCTION pay.payout_entry(p_kind text, p_net_minor bigint) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.payout_figures() RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.payout_is_approved() RETURNS trigger LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.payout_is_booked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.payout_item_figures() RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.payout_json(p_payout pay.payout) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.payout_key_of(p_merchant_id text, p_seller text, p_currency text, p_destination_id text, p_seqs bigint[]) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.payout_key_said(p_merchant_id text, p_route text, p_key text, p_fingerprint bytea, OUT outcome text, OUT subject_id text) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.payout_lines_of(p_order pay.payment_order) RETURNS SETOF pay.payout_line LANGUAGE sql STABLE;
CREATE FUNCTION pay.payout_may_be_sent() RETURNS trigger LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.payout_moves() RETURNS trigger LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.payout_names(p_payout_ref text, p_psp_ref text, p_bank_ref text) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.payout_page(p_merchant_id text, p_seller text, p_provider text, p_currency text, p_state text, p_day text, p_before bigint, p_limit integer) RETURNS json LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.payout_pause(p_first_s integer, p_most_s integer, p_tries integer) RETURNS interval LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.payout_posting(p_payout pay.payout, p_kind text) RETURNS pay.posting LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.payout_said_ok(p_said pay.payout_said, p_retry_s bigint) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.payout_stop_of(p_is_held boolean, p_account pay.payout_account, p_usable_from timestamp with time zone) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.payout_stopped_at(p_merchant_id text, p_provider text) RETURNS timestamp with time zone LANGUAGE plpgsql;
CREATE FUNCTION pay.payout_stops(p_merchant_id text, p_order text, p_sold_at timestamp with time zone) RETURNS SETOF text LANGUAGE sql STABLE;
CREATE FUNCTION pay.payout_with_acts(p_merchant_id text, p_payout_id text) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.payout_word_fact(p_state text) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.place_is_free(p_old pay.checkout) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.place_settlement(p_file_id bigint, p_from integer, p_until integer) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.plan_calendar(p_calendar text) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.plan_payouts(p_merchant_id text, p_seller text[], p_currency text[]) RETURNS SETOF pay.payout_plan LANGUAGE sql STABLE;
CREATE FUNCTION pay.plan_schedule(p_schedule pay.payout_schedule, p_keeps boolean) RETURNS pay.payout_schedule LANGUAGE plpgsql STABLE;

CREATE TABLE pay.rollup (
    level text NOT NULL COLLATE pg_catalog."C",
    merchant_id pay.id NOT NULL,
    bucket timestamp with time zone NOT NULL,
    psp pay.id NOT NULL,
    method text NOT NULL COLLATE pg_catalog."C",
    currency pay.currency_code NOT NULL,
    success bigint NOT NULL,
    failed bigint NOT NULL,
    expired bigint NOT NULL,
    not_started bigint NOT NULL,
    executing bigint NOT NULL,
    captured_minor numeric NOT NULL,
    not_started_minor numeric NOT NULL,
    executing_minor numeric NOT NULL,
    approved bigint NOT NULL,
    declined bigint NOT NULL,
    declines jsonb NOT NULL,
    registered jsonb NOT NULL,
    called jsonb NOT NULL
)
WITH (fillfactor='80');

COMMENT ON TABLE pay.rollup IS 'Payments by the time of their creation, counted in buckets';

CREATE FUNCTION pay.plot_declines(p_rows pay.rollup[], p_filter jsonb, p_from timestamp with time zone, p_to timestamp with time zone) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.plot_histogram(p_counts jsonb) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.plot_link(p_filter jsonb, p_from timestamp with time zone, p_to timestamp with time zone, p_more jsonb) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.plot_psps(p_rows pay.rollup[], p_steps timestamp with time zone[]) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.plot_quantiles(p_counts jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.plot_query(p_query jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.plot_rates(p_rows pay.rollup[], p_filter jsonb, p_from timestamp with time zone, p_to timestamp with time zone) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.plot_rows(p_scope text[], p_level text, p_steps timestamp with time zone[], p_filter jsonb) RETURNS SETOF pay.rollup LANGUAGE sql STABLE;
CREATE FUNCTION pay.plot_states(p_rows pay.rollup[], p_steps timestamp with time zone[]) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.plot_tile(p_id text, p_count numeric, p_filter jsonb, p_from timestamp with time zone, p_to timestamp with time zone, p_more jsonb) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.plot_totals(p_rows pay.rollup[], p_filter jsonb, p_from timestamp with time zone, p_to timestamp with time zone) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.plot_volume(p_rows pay.rollup[], p_steps timestamp with time zone[], p_filter jsonb, p_from timestamp with time zone, p_to timestamp with time zone) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.poll_later(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_poll_after_ms bigint[]) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.poll_soon(p_facts pay.fact[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.post(p_postings pay.posting[]) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.post_act(p_id bigint, p_postings pay.posting[]) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.proof_log(p_merchant_id text, p_payment_order_id text) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.proof_seals(p_merchant_id text, p_payment_order_id text) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.propose_console_act(p_act text, p_who text, p_body jsonb, p_order pay.payment_order, p_amount_minor bigint) RETURNS pay.console_proposal LANGUAGE plpgsql;
CREATE FUNCTION pay.propose_refund(p_who text, p_body jsonb, p_terms jsonb, OUT outcome text, OUT words text, OUT proposal pay.console_proposal) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.propose_rows(p_file_id bigint, p_source pay.settlement_source) RETURNS void LANGUAGE plpgsql SET enable_seqscan TO 'off';
CREATE FUNCTION pay.propose_settle(p_who text, p_body jsonb, OUT outcome text, OUT words text, OUT proposal pay.console_proposal) RETURNS record LANGUAGE plpgsql;

CREATE TABLE pay.settlement_rule (
    kind text NOT NULL COLLATE pg_catalog."C",
    finding text NOT NULL COLLATE pg_catalog."C",
    version pay.ordinal DEFAULT 1 NOT NULL,
    class pay.settlement_class NOT NULL,
    posts text NOT NULL COLLATE pg_catalog."C",
    posting text COLLATE pg_catalog."C",
    back text COLLATE pg_catalog."C",
    playbook text COLLATE pg_catalog."C",
    about text NOT NULL,
    CONSTRAINT settlement_rule_check CHECK ((((class)::smallint >= 2) = (playbook IS NOT NULL))),
    CONSTRAINT settlement_rule_kind_check CHECK (((kind = ANY (ARRAY['balance'::text, 'page'::text])) OR ((kind)::pay.settlement_kind IS NOT NULL))),
    CONSTRAINT settlement_rule_posts_check CHECK ((posts = ANY (ARRAY['value'::text, 'net'::text, 'none'::text])))
);

CREATE FUNCTION pay.proposed_posting(p_work pay.settlement_work, p_rule pay.settlement_rule, p_minor bigint) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.prove_pages(p_file pay.settlement_file, p_pages bigint[], p_last_page integer) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.prove_settlement(p_file_id bigint, p_batch_key text, p_rows bigint, p_stated jsonb, p_digest bytea DEFAULT NULL::bytea, p_page jsonb DEFAULT NULL::jsonb) RETURNS pay.settlement_file LANGUAGE plpgsql;
CREATE FUNCTION pay.provider_findings(p_items integer[], p_risk jsonb[]) RETURNS pay.risk_findings LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.provider_ok(p_word jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.psp_names(p_psps text, p_psp text) RETURNS text[] LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.psp_posting(p_news pay.news, p_kind text, p_amount_minor bigint, p_currency text) RETURNS pay.posting[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.psp_sums(p_psp text) RETURNS TABLE(currency text, ours numeric, reserve numeric) LANGUAGE plpgsql STABLE SET enable_seqscan TO 'off' SET enable_hashjoin TO 'off' SET enable_mergejoin TO 'off';
CREATE FUNCTION pay.psp_under_way(p_psp text) RETURNS TABLE(currency text, incoming numeric, outgoing numeric) LANGUAGE sql STABLE SET enable_hashjoin TO 'on' SET enable_seqscan TO 'on';
CREATE FUNCTION pay.psp_unsettled(p_psp text) RETURNS TABLE(currency text, incoming numeric, outgoing numeric) LANGUAGE sql STABLE SET enable_hashjoin TO 'on' SET enable_seqscan TO 'on';
CREATE FUNCTION pay.psp_waiting(p_psp text) RETURNS TABLE(currency text, minor numeric) LANGUAGE sql STABLE SET enable_hashjoin TO 'on' SET enable_seqscan TO 'on';
CREATE FUNCTION pay.publish(p_most integer) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.purge(p_limit integer DEFAULT 10000, p_ignored_after interval DEFAULT '90 days'::interval, p_closed_after interval DEFAULT '1 year'::interval, p_copies_after interval DEFAULT '2 years'::interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint, OUT dead_letters bigint, OUT quarantined bigint, OUT webhook_bodies bigint, OUT settlement_copies bigint, OUT risk_rows bigint) RETURNS record LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.purge_messages(p_limit integer DEFAULT 10000, p_after interval DEFAULT '90 days'::interval, OUT messages bigint, OUT deliveries bigint) RETURNS record LANGUAGE sql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.put_off_registers(p_facts pay.fact[], p_retry_after_ms bigint[], p_dead text[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.put_off_sweep() RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.quantile_of(p_counts jsonb, p_share numeric) RETURNS numeric LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.quarantine_ok(p_psp text, p_reason text, p_digest bytea, p_headers jsonb, p_body bytea, p_size bigint) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.queue_missed(p_rows pay.settlement_row[], p_psp text) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.quote_lines(p_items integer[], p_item integer[], p_minor bigint[], p_credit text[], p_currency text[], p_terms jsonb[], OUT items integer[], OUT rate numeric[], OUT minor bigint[], OUT missing integer[], OUT too_large integer[]) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.raise_all_overdue(p_end timestamp with time zone) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.raise_balance(p_source pay.settlement_source, p_last pay.psp_balance, p_currency text, p_minor bigint) RETURNS bigint LANGUAGE plpgsql;
CREATE FUNCTION pay.raise_overdue(p_source text, p_now timestamp with time zone, p_rows integer, OUT queued integer, OUT again boolean) RETURNS record LANGUAGE plpgsql SET enable_seqscan TO 'off' SET enable_hashjoin TO 'on' SET jit TO 'off';
CREATE FUNCTION pay.raise_pages(p_now timestamp with time zone DEFAULT now()) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.rate_ok(p_rate text) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.rates_ok(p_base text, p_rates jsonb) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.reach_ok(p_reach text, p_http_status bigint) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.read_amount(p_what text, OUT amount numeric, OUT currency text) RETURNS record LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.read_change_items(p_merchant_id text[], p_payment_order_id text[], p_kind text[], p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[], p_reason text[], p_metadata jsonb[], p_lease_ms bigint[], p_request_id text[], p_asked_by jsonb[]) RETURNS pay.change_item[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.read_facts(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_request_id text[], p_decline text[], p_can_retry text[], p_attempt text[], OUT facts pay.fact[], OUT webhooks bigint, OUT unsure boolean) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.read_lines(p_items integer[], p_merchant_id text[], p_psp text[], p_orders_item bigint[], p_orders_id text[], p_orders_seller_account text[], p_orders_amount_minor bigint[], p_orders_credit_currency text[], p_request_id text[], p_route text[], p_terms jsonb[], OUT item integer[], OUT place integer[], OUT id text[], OUT seller text[], OUT minor bigint[], OUT credit text[], OUT detail jsonb[], OUT hash bytea[]) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.read_news(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_about text[], p_news text[], p_token text[], p_reference text[], p_object text[], p_operation_id text[], p_amount_minor bigint[], p_currency text[], p_fee_minor bigint[], p_fee_currency text[], p_code text[], p_digest bytea[], p_request_id text[], p_said_at bigint[]) RETURNS pay.news[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.read_no_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_request_id text[], p_reach text[], p_http_status bigint[], p_attempt bigint[]) RETURNS pay.fact[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.read_windows(p_windows text, p_count integer) RETURNS integer[] LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.recent_hour() RETURNS timestamp with time zone LANGUAGE sql STABLE;
CREATE FUNCTION pay.record_facts(p_facts pay.fact[]) RETURNS pay.fact[] LANGUAGE plpgsql;
CREATE FUNCTION pay.referenced_checkout(p_psp text, p_merchant_id text, p_our_ref text) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.refresh_payout_wallets(p_merchant_id text, p_seller text[], p_currency text[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.refund_as_proposed(p_proposal pay.console_proposal, p_terms jsonb, p_request_id text, OUT result text, OUT change_id text) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.refund_done(p_change pay.change, p_word pay.fact) RETURNS pay.fact[] LANGUAGE plpgsql;
CREATE FUNCTION pay.refund_failed(p_change pay.change, p_word pay.fact) RETURNS pay.fact[] LANGUAGE plpgsql;
CREATE FUNCTION pay.refund_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.refuse_second_call() RETURNS trigger LANGUAGE plpgsql SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay.refuse_settlement(p_file_id bigint, p_reason text) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.refuse_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_request_id text[], p_late integer[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.registered_ms(p_checkout pay.checkout) RETURNS bigint LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.release_change_keys(p_items pay.change_item[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.release_due_reserves(p_wallets integer) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.release_json(p_merchant_id text, p_payment_order_id text) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.release_one(p_new pay.checkout, p_word text, p_lease interval, p_request_id text) RETURNS pay.fact[] LANGUAGE plpgsql;
CREATE FUNCTION pay.rematch_disputes(p_file_id bigint, p_source pay.settlement_source) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.rematch_settlement(p_file pay.settlement_file, p_source pay.settlement_source, p_limit integer) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.renew_declared(p_endpoint pay.webhook_endpoint, p_types text[], p_is_ordered boolean) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.reopen_letter(p_id bigint, p_who text, p_why text, p_accept boolean) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.reopen_webhook(p_psp text, p_event_id text, p_digest bytea) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.replaced_fact(p_merchant_id text, p_old text, p_new text, p_psp text, p_actor text, p_request_id text, p_asked_by jsonb DEFAULT NULL::jsonb) RETURNS pay.fact LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.replay(p_endpoint pay.webhook_endpoint, p_message_id text, p_since timestamp with time zone, p_until timestamp with time zone, p_only_failed boolean) RETURNS bigint LANGUAGE plpgsql;

CREATE TABLE pay.webhook_replay (
    replay_id bigint NOT NULL,
    psp pay.id NOT NULL,
    event_id pay.id NOT NULL,
    digest bytea NOT NULL,
    asked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    asked_by pay.filled NOT NULL,
    why pay.filled NOT NULL,
    role text DEFAULT SESSION_USER NOT NULL,
    state text DEFAULT 'open'::text NOT NULL COLLATE pg_catalog."C",
    claims integer DEFAULT 0 NOT NULL,
    lease_owner text,
    lease_until timestamp with time zone,
    ended_at timestamp with time zone,
    outcome text COLLATE pg_catalog."C",
    events integer,
    applied integer,
    replaced jsonb DEFAULT '[]'::jsonb NOT NULL,
    CONSTRAINT webhook_replay_check CHECK (((state = 'open'::text) = (ended_at IS NULL))),
    CONSTRAINT webhook_replay_check1 CHECK (((state = 'open'::text) = (outcome IS NULL))),
    CONSTRAINT webhook_replay_check2 CHECK (((lease_owner IS NULL) = (lease_until IS NULL))),
    CONSTRAINT webhook_replay_check3 CHECK (((state = 'open'::text) OR (lease_owner IS NULL))),
    CONSTRAINT webhook_replay_digest_check CHECK ((octet_length(digest) = 32)),
    CONSTRAINT webhook_replay_state_check CHECK ((state = ANY (ARRAY['open'::text, 'done'::text, 'failed'::text])))
);

CREATE FUNCTION pay.replay_outcome(p_replay pay.webhook_replay) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.report_by(p_by text, p_from timestamp with time zone, p_to timestamp with time zone, p_zone text, p_merchant_id text) RETURNS TABLE(bucket text, merchant_id text, currency text, orders bigint, paid bigint, failed bigint, expired bigint, open bigint, success_rate numeric, volume numeric, refunds numeric, disputes numeric, fees numeric, net numeric) LANGUAGE sql STABLE;
CREATE FUNCTION pay.report_lines(p_from timestamp with time zone, p_to timestamp with time zone, p_merchant_id text) RETURNS TABLE(merchant_id text, at timestamp with time zone, psp text, currency text, volume numeric, refunds numeric, disputes numeric, fees numeric, vat numeric, earned numeric, earned_tax numeric) LANGUAGE sql STABLE;
CREATE FUNCTION pay.report_sum(p_sum numeric, p_exponent integer) RETURNS numeric LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.request_fact(p_change pay.change, p_order pay.payment_order, p_asked_by jsonb) RETURNS pay.fact LANGUAGE plpgsql;
CREATE FUNCTION pay.request_time(p_request_id text) RETURNS timestamp with time zone LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.requote_orders(p_moves pay.move[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.rescreen_payout(p_payout pay.payout) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.rescreen_payouts() RETURNS bigint LANGUAGE plpgsql;

CREATE TABLE pay.payout_reserve (
    merchant_id pay.id NOT NULL,
    source pay.journal_source NOT NULL,
    seller_account pay.filled NOT NULL,
    currency pay.currency_code NOT NULL,
    payment_order_id pay.id,
    psp pay.id NOT NULL,
    amount_minor pay.positive_minor NOT NULL,
    until timestamp with time zone NOT NULL,
    released_at timestamp with time zone
)
WITH (fillfactor='80');

CREATE FUNCTION pay.reserve_posting(p_reserve pay.payout_reserve, p_kind text) RETURNS pay.posting LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.rest_payout_sending(p_row pay.payout_sending, p_adapter pay.payout_adapter, p_told text) RETURNS pay.payout_sending LANGUAGE plpgsql;
CREATE FUNCTION pay.retry_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.return_late_refund(p_news pay.news, p_late pay.late_success) RETURNS pay.fact LANGUAGE plpgsql;
CREATE FUNCTION pay.returned_payout(p_work pay.settlement_work, OUT row_key text, OUT version integer, OUT kind text) RETURNS record LANGUAGE sql STABLE;
CREATE FUNCTION pay.review_capture_key(p_review_id bigint, p_position integer) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.review_change_items(p_reviews pay.risk_review[]) RETURNS pay.change_item[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.review_is_free(p_review pay.risk_review, p_who text) RETURNS boolean LANGUAGE sql STABLE;
CREATE FUNCTION pay.review_is_moot(p_review pay.risk_review) RETURNS text LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.review_is_so(p_review_id bigint, p_act text, p_who text) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.review_json(p_review pay.risk_review) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.review_page(p_merchant_id text, p_state text, p_after bigint, p_limit integer) RETURNS text LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.review_parts(p_review pay.risk_review) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.review_terms_ok(p_terms jsonb) RETURNS boolean LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.review_whole(p_merchant_id text, p_review_id bigint) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.rewind_lists(p_recovery pay.recovery) RETURNS void LANGUAGE sql;

CREATE TABLE pay.risk_list (
    merchant_id pay.id NOT NULL,
    effect pay.risk_word NOT NULL,
    kind pay.risk_kind NOT NULL,
    value pay.id NOT NULL,
    until timestamp with time zone,
    who pay.filled NOT NULL,
    why pay.filled NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    list_id bigint NOT NULL
);

CREATE FUNCTION pay.risk_entry_json(p_entry pay.risk_list) RETURNS json LANGUAGE sql STABLE;
CREATE FUNCTION pay.risk_entry_of(p_merchant_id text, p_list_id bigint) RETURNS pay.risk_list LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.risk_entry_ok(p_merchant_id text, p_effect text, p_kind text, p_value text) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.risk_list_page(p_merchant_id text, p_effect text, p_kind text, p_after bigint, p_limit integer) RETURNS text LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.risk_ok(p_risk jsonb, p_text text) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.risk_score_ok(p_score jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.risk_value_ok(p_kind text, p_value text) RETURNS boolean LANGUAGE sql IMMUTABLE;

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
    change_at timestamp with time zone,
    CONSTRAINT round_check CHECK (((merchant_id IS NULL) = (checkout_id IS NULL))),
    CONSTRAINT round_check1 CHECK (((lease_owner IS NULL) = (lease_until IS NULL)))
);

CREATE FUNCTION pay.roll_up(p_round pay.round, p_interval interval, p_most bigint) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.rollup_class(p_ms bigint) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.rollup_counted_at() RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.rollup_edges() RETURNS bigint[] LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.rollup_figures(p_last jsonb, p_is_behind boolean) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.rollup_horizon(p_level text) RETURNS timestamp with time zone LANGUAGE sql STABLE;
CREATE FUNCTION pay.rollup_minutes(p_minute timestamp with time zone) RETURNS SETOF timestamp with time zone LANGUAGE sql STABLE;
CREATE FUNCTION pay.rollup_wait(p_merchant_id text, p_minute timestamp with time zone, p_interval interval) RETURNS interval LANGUAGE sql STABLE;
CREATE FUNCTION pay.room_of(p_order pay.payment_order, p_about text) RETURNS bigint LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.rotate_secret(p_endpoint pay.webhook_endpoint, p_sealed bytea, p_key_id text, p_overlap interval, p_who text) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.round_counts(p_name text) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.round_rate(p_rate numeric) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT;
CREATE FUNCTION pay.roundings_left(p_source text, p_currency text) RETURNS bigint LANGUAGE sql STABLE;
CREATE FUNCTION pay.row_bounds(p_day text, p_file_id bigint, p_before bigint, OUT since timestamp with time zone, OUT until timestamp with time zone, OUT before timestamp with time zone) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.row_dispute(p_work pay.settlement_work, p_psp text) RETURNS TABLE(dispute_id text, state text, amount_minor bigint) LANGUAGE sql STABLE;
CREATE FUNCTION pay.row_postings(p_work pay.settlement_work, p_rule pay.settlement_rule) RETURNS SETOF pay.posting LANGUAGE sql STABLE;
CREATE FUNCTION pay.row_standing(p_source text, p_row_key text) RETURNS TABLE(minor bigint, is_undone boolean, is_in_suspense boolean) LANGUAGE sql STABLE;
CREATE FUNCTION pay.run_name(p_run pay.payout_run) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.run_tally(p_tally pay.settlement_tally, p_rows integer) RETURNS pay.settlement_tally LANGUAGE plpgsql;
CREATE FUNCTION pay.same_token(p_own_psp text, p_own_token text, p_own_alias text, p_psp text, p_token text, p_alias text) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.sanction_hits(p_words bytea[], p_near bytea[], p_lists text[]) RETURNS TABLE(why text, list text, entry_id text, name text) LANGUAGE sql STABLE;
CREATE FUNCTION pay.scaled_text(p_minor bigint, p_exponent integer) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.screen_payout(p_payout pay.payout) RETURNS TABLE(why text, list text, entry_id text, name text) LANGUAGE sql STABLE;
CREATE FUNCTION pay.screening_figures() RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.screening_lists_at() RETURNS timestamp with time zone LANGUAGE sql STABLE;
CREATE FUNCTION pay.seal_digest(p_message text) RETURNS bytea LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.seal_end(p_from bigint, p_until bigint, p_span bigint, p_most integer) RETURNS bigint LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.seal_message(p_seal pay.seal) RETURNS text LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.seal_over(p_tx bigint) RETURNS bigint LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.seal_path(p_number bigint, p_position bigint) RETURNS text[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.seal_root(p_number bigint) RETURNS bytea LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.second_time(p_at timestamp with time zone) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.see_exceptions(p_merchant_id text, p_state text, p_day text, p_before bigint, p_limit integer) RETURNS SETOF pay.settlement_exception LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.seller_part(p_amount_minor bigint, p_credit_minor bigint, p_before bigint, p_part bigint) RETURNS bigint LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.seller_payout_stop(p_merchant_id text, p_seller text, p_currency text, OUT stop text, OUT until timestamp with time zone) RETURNS record LANGUAGE sql STABLE;
CREATE FUNCTION pay.seller_share(p_order pay.payment_order, p_amount_minor bigint) RETURNS bigint LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.send_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[], p_items integer[], OUT items integer[], OUT outcomes text[], OUT attempts bigint[], OUT sends bigint[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.send_registers(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_lease_ms bigint[]) RETURNS text[] LANGUAGE plpgsql;
CREATE FUNCTION pay.sending_stop(p_payout pay.payout) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.set_aside(p_facts pay.fact[], p_duplicates integer[]) RETURNS pay.fact[] LANGUAGE plpgsql;
CREATE FUNCTION pay.set_change(p_change pay.change, p_status text, p_word pay.fact, p_returned boolean DEFAULT false) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.set_tokens(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_sure boolean, OUT stored integer[], OUT late integer[], OUT journaled integer[], OUT letters boolean) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.settle_amount(p_exception pay.settlement_exception, p_row pay.settlement_row) RETURNS pay.posting[] LANGUAGE plpgsql;
CREATE FUNCTION pay.settle_as_proposed(p_proposal pay.console_proposal, p_who text) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.settle_assigned(p_mismatch pay.mismatch, p_before pay.journal_entry[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.settle_captures(p_reviews pay.risk_review[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.settle_changes(p_merchant_id text[], p_operation_id text[], p_code text[], p_reference text[], p_request_id text[], p_items integer[]) RETURNS pay.fact[] LANGUAGE plpgsql;
CREATE FUNCTION pay.settle_dead_letters(p_merchant_id text[], p_checkout_id text[], p_kinds text[], p_why text) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.settle_facts(p_facts pay.fact[], p_late boolean) RETURNS pay.fact[] LANGUAGE plpgsql;
CREATE FUNCTION pay.settle_news(p_news pay.news[]) RETURNS pay.news[] LANGUAGE plpgsql;
CREATE FUNCTION pay.settle_refunds(p_merchant_id text[], p_checkout_id text[], p_operation_id text[], p_reference text[], p_request_id text[], p_items integer[]) RETURNS pay.fact[] LANGUAGE plpgsql;
CREATE FUNCTION pay.settle_registers(p_facts pay.fact[], p_kind text) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.settled_fact(p_mismatch pay.mismatch, p_who text, p_why text, p_more jsonb DEFAULT '{}'::jsonb) RETURNS pay.fact LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.settlement_event(p_source text, p_row_key text) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.settlement_family(p_kind text) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.settlement_figures() RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.settlement_file_json(p_file_id bigint) RETURNS json LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.settlement_file_page(p_merchant_id text, p_source text, p_psp text, p_state text, p_day text, p_before bigint, p_limit integer) RETURNS json LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.settlement_owners(p_psp text, p_merchant_id text, p_parent_ref text, p_psp_ref text, p_our_ref text) RETURNS SETOF pay.settlement_owner LANGUAGE sql STABLE ROWS 1;
CREATE FUNCTION pay.settlement_posting(p_work pay.settlement_work, p_kind text, p_amount_minor bigint, p_currency text, p_seller_minor bigint DEFAULT NULL::bigint, p_seller_currency text DEFAULT NULL::text) RETURNS pay.posting LANGUAGE sql STABLE;
CREATE FUNCTION pay.settlement_row_page(p_merchant_id text, p_file_id bigint, p_psp text, p_currency text, p_class bigint, p_state text, p_day text, p_before bigint, p_limit integer) RETURNS json LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.severity(p_word text) RETURNS integer LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.share_limit(p_share integer, p_usual double precision, p_spread double precision, p_tries bigint) RETURNS integer LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.share_of(p_part numeric, p_rest numeric) RETURNS numeric LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.shown_account(p_kind text, p_country text, p_number text) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.shown_decline(p_order pay.payment_order) RETURNS jsonb LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.shown_detail(p_detail jsonb, p_currency text) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.single_outside(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.sort_capture(p_change pay.change, p_name text, p_word pay.fact, p_is_none boolean, OUT sorted pay.change, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.sort_refund(p_change pay.change, p_word pay.fact, p_is_none boolean, OUT sorted pay.change, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.source_figures() RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.split_amount(p_amount bigint, p_weights bigint[], p_rooms bigint[]) RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.split_note(p_news pay.news) RETURNS pay.fact LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.split_orders(p_news pay.news, OUT orders pay.payment_order[], OUT parts bigint[]) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.standing_of(p_merchant_id text, p_payment_order_id text) RETURNS pay.standing LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.start_changes(p_merchant_id text, p_checkout_id text) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.start_job(p_merchant_id text, p_checkout_id text, p_kind text, p_operation_id text DEFAULT ''::text) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.start_orders(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_request_id text[]) RETURNS integer LANGUAGE plpgsql;

CREATE VIEW pay.checkout_state (
    merchant_id text,
    checkout_id text,
    checkout_uuid text,
    psp text,
    nonce text,
    handle text,
    token text,
    alias text,
    hosted_url text,
    return_url text,
    base_url text,
    currency text,
    total_minor bigint,
    expires_s bigint,
    registration_state text,
    attempt bigint,
    code text,
    version bigint,
    capture text,
    replaces text,
    replaced_by text,
    risk text,
    trace text,
    place bigint,
    order_id text,
    seller_account text,
    order_minor bigint,
    order_status text,
    order_reason text,
    authorized_minor bigint,
    captured_minor bigint,
    refunding_minor bigint,
    refunded_minor bigint,
    charged_back_minor bigint,
    credit_currency text,
    credit_minor bigint,
    credit_rate text,
    credit_until text,
    decline text,
    fee_minor bigint,
    fee_tax_minor bigint
);

CREATE FUNCTION pay.state_of(p_merchant_id text, p_checkout_id text) RETURNS SETOF pay.checkout_state LANGUAGE sql STABLE;
CREATE FUNCTION pay.statement(p_merchant_id text, p_seller text, p_currency text, p_before bigint, p_limit integer) RETURNS json LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.statement_name(p_account text, p_payout_ref text) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.status_rank(p_status text) RETURNS integer LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.step_close(p_last pay.settlement_close, p_day date, p_rows integer, OUT day date, OUT number bigint, OUT document text) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.step_end(p_file pay.settlement_file, p_source pay.settlement_source, OUT phase text, OUT is_over boolean) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.step_of(p_step text, p_zone text, p_at timestamp with time zone) RETURNS timestamp with time zone LANGUAGE sql STABLE;
CREATE FUNCTION pay.step_settlement(p_file pay.settlement_file, p_source pay.settlement_source, p_part pay.settlement_part) RETURNS void LANGUAGE plpgsql SET enable_hashjoin TO 'on' SET enable_mergejoin TO 'on' SET enable_seqscan TO 'on' SET plan_cache_mode TO 'force_custom_plan' SET jit TO 'off';
CREATE FUNCTION pay.step_tally(p_tally pay.settlement_tally, p_rows integer, OUT tally pay.settlement_tally, OUT rows bigint) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.steps_between(p_step text, p_zone text, p_from timestamp with time zone, p_to timestamp with time zone) RETURNS timestamp with time zone[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.store_news(p_news pay.news[]) RETURNS integer[] LANGUAGE plpgsql;
CREATE FUNCTION pay.store_rates(p_source text, p_base text, p_rates jsonb, p_at timestamp with time zone) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.store_risk_entries(p_merchant_id text, p_effect text[], p_kind text[], p_value text[], p_until timestamp with time zone[], p_who text, p_why text, OUT added bigint, OUT changed bigint) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.store_settlement_source(p_source text, p_format text, p_merchant_id text, p_psp text, p_account text, p_since timestamp with time zone, p_overdue_days integer) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.stored_payments(OUT payments bigint, OUT bytes bigint, OUT a_day numeric, OUT peak numeric) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.sum_accounts(p_rows integer, p_age interval DEFAULT '00:15:00'::interval) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.sum_ahead(p_end timestamp with time zone) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.sum_counts(p_counts jsonb[]) RETURNS jsonb LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.sum_findings(p_items integer[], p_merchant_id text[], p_currency text[], p_total_minor bigint[], p_rows pay.risk_rows, p_near bigint[]) RETURNS pay.risk_findings LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.sum_ledger(p_rows integer, p_until timestamp with time zone) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.sum_settlement(p_file_id bigint, p_from integer, p_until integer) RETURNS bigint LANGUAGE plpgsql;
CREATE FUNCTION pay.suspect_account(p_payout pay.payout, p_who text) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.suspended(p_mismatch pay.mismatch) RETURNS bigint LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.suspense_kind(p_exception pay.settlement_exception, p_row pay.settlement_row, p_what text) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.sweep_all(p_limits jsonb) RETURNS jsonb LANGUAGE plpgsql;
CREATE FUNCTION pay.sweep_captures(p_limit integer) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.sweep_changes(p_limit interval) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.sweep_counts() RETURNS jsonb LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.sweep_limit(p_limits jsonb, p_name text) RETURNS interval LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.sweep_lost(p_limit interval) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.sweep_modes(p_terms jsonb) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.sweep_ok(p_owner text, p_interval_ms bigint, p_limits jsonb) RETURNS boolean LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.sweep_open(p_registering interval, p_executing interval) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.sweep_overdue_reviews() RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.sweep_parked(p_limit interval) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.sweep_reviews(p_limit integer DEFAULT 1000) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.sweep_settled() RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.sweep_staged(p_limit integer) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.sweep_unknown(p_limit interval) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.sweep_watched_captures() RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.take_captures(p_news pay.news, p_named pay.change, p_captured bigint, OUT outcome text, OUT facts pay.fact[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.take_card_words(p_psp text[], p_attempt text[], p_before text[], p_terms jsonb[]) RETURNS pay.card_word[] LANGUAGE plpgsql;
CREATE FUNCTION pay.take_early(p_facts pay.fact[]) RETURNS pay.posting[] LANGUAGE plpgsql;
CREATE FUNCTION pay.take_facts(p_facts pay.fact[], p_is_plain boolean DEFAULT false, OUT facts pay.fact[], OUT postings pay.posting[], OUT moved integer[], OUT late integer[], OUT against integer[]) RETURNS record LANGUAGE plpgsql;

CREATE TABLE pay.payout_dispatch (
    merchant_id pay.id NOT NULL,
    payout_id pay.id NOT NULL,
    number pay.ordinal NOT NULL,
    call pay.payout_call NOT NULL,
    step pay.payout_step NOT NULL,
    key pay.filled NOT NULL,
    owner pay.filled NOT NULL,
    begun_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    key_until timestamp with time zone,
    outcome text COLLATE pg_catalog."C",
    code text,
    reference text,
    ended_at timestamp with time zone,
    CONSTRAINT payout_dispatch_check CHECK (((outcome IS NULL) = (ended_at IS NULL))),
    CONSTRAINT payout_dispatch_outcome_check CHECK ((outcome = ANY (ARRAY['done'::text, 'refused'::text, 'not_sent'::text, 'unknown'::text])))
)
WITH (fillfactor='80');

CREATE FUNCTION pay.take_late_payout_end(p_row pay.payout_sending, p_call pay.payout_dispatch, p_said pay.payout_said) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.take_leaves(p_number bigint, p_from bigint, p_until bigint) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.take_news(p_news pay.news[], OUT told pay.news[], OUT postings pay.posting[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.take_open(p_file pay.settlement_file, p_source pay.settlement_source) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.take_outbox(p_most integer) RETURNS SETOF pay.told LANGUAGE sql;
CREATE FUNCTION pay.take_over_fee(p_news pay.news, p_kind text, p_amount_minor bigint, p_currency text) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.take_payout_end(p_row pay.payout_sending, p_adapter pay.payout_adapter, p_number integer, p_said pay.payout_said, p_amount_minor bigint, p_currency text, p_account_end text, p_retry_s bigint) RETURNS pay.payout_sending LANGUAGE plpgsql;
CREATE FUNCTION pay.take_payout_event(p_event pay.payout_event, p_key text, p_amount_minor bigint, p_currency text, p_account_end text, p_must_ask boolean) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.take_payout_lines(p_merchant_id text, p_seller text[], p_currency text[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.take_payout_outbox(p_most integer) RETURNS SETOF pay.told LANGUAGE sql;
CREATE FUNCTION pay.take_payouts(p_file pay.settlement_file, p_source pay.settlement_source) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.take_places(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_terms jsonb[], OUT kept integer[], OUT waits integer[], OUT refused integer[], OUT missing integer[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.take_review(p_review_id bigint) RETURNS pay.risk_review LANGUAGE plpgsql;
CREATE FUNCTION pay.take_risk_outbox(p_most integer) RETURNS SETOF pay.told LANGUAGE sql;
CREATE FUNCTION pay.take_round(p_name text) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.take_screening(p_key pay.screening_answer, p_answer text, p_reference text, p_code text, p_retry interval) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.take_settlement_outbox(p_most integer) RETURNS SETOF pay.told LANGUAGE sql;
CREATE FUNCTION pay.take_turn(p_news pay.news[], OUT told pay.news[], OUT postings pay.posting[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.take_unknown(p_file_id bigint, p_source pay.settlement_source, p_end pay.settlement_end, p_limit integer) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.take_up(p_news pay.news, p_held bigint) RETURNS pay.fact[] LANGUAGE plpgsql;
CREATE FUNCTION pay.take_webhook_outbox(p_most integer) RETURNS SETOF pay.told LANGUAGE sql;
CREATE FUNCTION pay.take_work(p_file pay.settlement_file, p_source pay.settlement_source, p_part pay.settlement_part) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.tally(p_keys text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.tally_count(p_from timestamp with time zone, p_until timestamp with time zone, p_tx bigint, p_rows integer) RETURNS bigint LANGUAGE sql STABLE SET enable_seqscan TO 'off';
CREATE FUNCTION pay.tally_movements(p_tally pay.settlement_tally, p_until timestamp with time zone) RETURNS SETOF pay.close_line LANGUAGE plpgsql STABLE SET enable_seqscan TO 'off' SET enable_hashjoin TO 'off' SET enable_mergejoin TO 'off';
CREATE FUNCTION pay.tally_open(p_after bigint, p_rows integer, OUT lines pay.close_line[], OUT last bigint, OUT rows bigint) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.tally_piece(p_tally pay.settlement_tally, p_rows integer, OUT until timestamp with time zone, OUT rows bigint) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.tally_tx(p_tally pay.settlement_tally) RETURNS bigint LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.tell_changes(p_file_id bigint, p_source pay.settlement_source) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.tell_exception() RETURNS trigger LANGUAGE plpgsql;
CREATE FUNCTION pay.tell_mode() RETURNS trigger LANGUAGE plpgsql;
CREATE FUNCTION pay.tell_payout(p_merchant_id text, p_payout_id text, p_fact text, p_who text, p_ref text DEFAULT NULL::text, p_proof text DEFAULT NULL::text, p_code text DEFAULT NULL::text, p_amount_minor bigint DEFAULT NULL::bigint, p_currency text DEFAULT NULL::text, p_account_end text DEFAULT NULL::text) RETURNS text LANGUAGE plpgsql;
CREATE FUNCTION pay.tell_sales(p_file_id bigint, p_source pay.settlement_source) RETURNS boolean LANGUAGE plpgsql;
CREATE FUNCTION pay.term_seconds(p_seconds text, p_else text) RETURNS interval LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.terms_ok(p_terms jsonb) RETURNS boolean LANGUAGE plpgsql IMMUTABLE;

CREATE TABLE pay.risk_mode (
    merchant_id pay.id NOT NULL,
    word pay.risk_word NOT NULL,
    is_shadow boolean NOT NULL,
    tries bigint NOT NULL,
    declines bigint NOT NULL,
    since timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    until timestamp with time zone NOT NULL,
    usual integer,
    beyond integer,
    CONSTRAINT risk_mode_beyond_check CHECK (((beyond >= 1) AND (beyond <= 100))),
    CONSTRAINT risk_mode_usual_check CHECK (((usual >= 0) AND (usual <= 100)))
);

COMMENT ON TABLE pay.risk_mode IS 'Merchants with too large a share of declines, while that lasts';

CREATE FUNCTION pay.tested_merchants(p_terms jsonb) RETURNS SETOF pay.risk_mode LANGUAGE sql STABLE;
CREATE FUNCTION pay.this_hour() RETURNS timestamp with time zone LANGUAGE sql STABLE;
CREATE FUNCTION pay.this_tx() RETURNS bigint LANGUAGE sql STABLE;
CREATE FUNCTION pay.timeline(p_merchant_id text, p_payment_order_id text, p_inside boolean) RETURNS json LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.to_be_laid(p_mismatch pay.mismatch, OUT state text, OUT amount_minor bigint) RETURNS record LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.total_of(p_counts jsonb) RETURNS bigint LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.trace_of(p_merchant_id text, p_subject text) RETURNS text LANGUAGE plpgsql STABLE;

CREATE TABLE pay.cell_transfer (
    transfer_id uuid NOT NULL,
    merchant_id pay.id NOT NULL,
    side text NOT NULL COLLATE pg_catalog."C",
    cell pay.cell_name NOT NULL,
    seller_account pay.filled NOT NULL,
    currency pay.currency_code NOT NULL,
    minor pay.signed_minor NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    made_by pay.filled NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT cell_transfer_check CHECK (((side = 'out'::text) OR (ended_at IS NOT NULL))),
    CONSTRAINT cell_transfer_side_check CHECK ((side = ANY (ARRAY['out'::text, 'in'::text])))
);

COMMENT ON TABLE pay.cell_transfer IS 'Balances that were carried to another cell (out), or came from one (in)';

CREATE FUNCTION pay.transfer_posting(p_transfer pay.cell_transfer) RETURNS pay.posting LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.turn_end(p_news pay.news[], p_from integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.types_ok(p_types jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.unknown_items(p_items integer[], p_merchant_id text[], p_idempotency_key text[]) RETURNS integer[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.unmatched_finding(p_work pay.settlement_work, p_source pay.settlement_source) RETURNS text LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.unsettle_disputed(p_dispute pay.dispute) RETURNS void LANGUAGE sql;
CREATE FUNCTION pay.unsettle_reviews(p_moves pay.move[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.untold(p_told pay.told[]) RETURNS pay.told[] LANGUAGE sql STABLE;
CREATE FUNCTION pay.untold_changes(p_file_id bigint, p_source pay.settlement_source) RETURNS pay.news[] LANGUAGE sql STABLE;
CREATE FUNCTION pay.untold_figures() RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.untold_sales(p_file_id bigint, p_source pay.settlement_source) RETURNS pay.fact[] LANGUAGE sql STABLE;
CREATE FUNCTION pay.usable_names(p_items integer[], p_token text[], p_alias text[], OUT tokens text[], OUT aliases text[]) RETURNS record LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.usual_share(p_merchant_id text, OUT share double precision, OUT spread double precision) RETURNS record LANGUAGE sql STABLE;
CREATE FUNCTION pay.uuid_ok(p_uuid text) RETURNS boolean LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.version_postings(p_exception pay.settlement_exception, p_row pay.settlement_row) RETURNS pay.posting[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.void_late(p_facts pay.fact[], p_told integer[]) RETURNS void LANGUAGE plpgsql;
CREATE FUNCTION pay.void_payout(p_payout pay.payout, p_state text, p_proof text, p_who text, p_why text, p_detail jsonb DEFAULT '{}'::jsonb) RETURNS pay.posting LANGUAGE plpgsql;
CREATE FUNCTION pay.wallet_differences(p_merchant_id text[], p_seller text[], p_checkout_id text[]) RETURNS TABLE(merchant_id text, checkout_id text, detail jsonb) LANGUAGE sql STABLE;
CREATE FUNCTION pay.wallets_of_due_reserves(p_most integer, OUT merchant_id text, OUT sellers text[], OUT currencies text[]) RETURNS record LANGUAGE sql STABLE;
CREATE FUNCTION pay.watch_settlement(p_time interval) RETURNS jsonb LANGUAGE plpgsql;
CREATE FUNCTION pay.waterfall_file(p_scope text[], p_file text) RETURNS bigint LANGUAGE sql STABLE;
CREATE FUNCTION pay.waterfall_of(p_scope text[], p_file_id bigint) RETURNS jsonb LANGUAGE sql STABLE;
CREATE FUNCTION pay.waterfall_part(p_kind text) RETURNS text LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.waterfall_rows(p_scope text[], p_file_id bigint) RETURNS SETOF pay.settlement_row LANGUAGE sql STABLE;

CREATE TABLE pay.order_fee (
    merchant_id pay.id NOT NULL,
    payment_order_id pay.id NOT NULL,
    given_minor pay.minor,
    commission_id bigint,
    returns text NOT NULL COLLATE pg_catalog."C",
    tax_percent pay.fee_percent NOT NULL,
    CONSTRAINT order_fee_check CHECK ((num_nulls(given_minor, commission_id) = 1)),
    CONSTRAINT order_fee_returns_check CHECK ((returns = ANY (ARRAY['all'::text, 'proportional'::text, 'none'::text])))
);

CREATE FUNCTION pay.whole_fee(p_fee pay.order_fee, p_commission pay.commission, p_amount_minor bigint, p_captured_minor bigint) RETURNS bigint LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.window_payouts(p_work pay.settlement_work) RETURNS tid[] LANGUAGE sql STABLE;
CREATE FUNCTION pay.with_fees(INOUT p_postings pay.posting[], INOUT p_new integer[]) RETURNS record LANGUAGE plpgsql;
CREATE FUNCTION pay.with_outcome(p_fact pay.fact, p_outcome text) RETURNS pay.fact LANGUAGE sql IMMUTABLE;
CREATE FUNCTION pay.with_outcomes(p_facts pay.fact[], p_moved integer[], p_late integer[], p_against integer[]) RETURNS pay.fact[] LANGUAGE plpgsql IMMUTABLE;
CREATE FUNCTION pay.word_digest(p_word text) RETURNS bytea LANGUAGE sql STABLE;
CREATE FUNCTION pay.word_keys(p_word text) RETURNS bytea[] LANGUAGE sql STABLE;
CREATE FUNCTION pay.words_alike(p_words bytea[], p_near bytea[]) RETURNS TABLE(mine bytea, theirs bytea) LANGUAGE sql STABLE;
CREATE FUNCTION pay.work_counts(p_file_id bigint, OUT matched bigint, OUT class1 bigint, OUT class2 bigint, OUT class3 bigint, OUT has_payouts boolean, OUT has_ended boolean, OUT has_roundings boolean) RETURNS record LANGUAGE sql STABLE;
CREATE FUNCTION pay.work_keys(p_file_id bigint) RETURNS bigint[] LANGUAGE sql STABLE;
CREATE FUNCTION pay.work_of_exception(p_exception pay.settlement_exception, p_row pay.settlement_row) RETURNS pay.settlement_work LANGUAGE sql STABLE;
CREATE FUNCTION pay.work_of_row(p_row pay.settlement_row, p_line integer DEFAULT 1, p_owner pay.settlement_owner DEFAULT NULL::pay.settlement_owner, p_file_id bigint DEFAULT 0) RETURNS pay.settlement_work LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.write_moves(p_moves pay.move[], p_shown bigint, p_at timestamp with time zone) RETURNS integer LANGUAGE plpgsql;
CREATE FUNCTION pay.written_off_postings(p_exception pay.settlement_exception, p_row pay.settlement_row) RETURNS pay.posting[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.wrong_page_sum(p_files bigint[]) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay.wrong_risk_rows(p_rows pay.risk_rows) RETURNS integer[] LANGUAGE plpgsql STABLE;
CREATE FUNCTION pay.wrong_settlement_key(p_file_id bigint, p_key text, p_line integer, p_rows integer, OUT line integer, OUT wrong text, OUT last_key text, OUT last_line integer, OUT is_end boolean) RETURNS record LANGUAGE sql STABLE;
CREATE FUNCTION pay.wrong_settlement_row(p_file_id bigint, p_from integer, p_until integer, OUT line integer, OUT wrong text) RETURNS record LANGUAGE sql STABLE;
CREATE FUNCTION pay.wrong_settlement_sum(p_file_id bigint) RETURNS text LANGUAGE sql STABLE;
CREATE FUNCTION pay_api.act_on_exception(p_merchant_id text[], p_exception_id bigint[], p_act text[], p_who text[], p_why text[], p_as_kind text[], p_with_id bigint[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.act_on_payout_batch(p_act text[], p_merchant_id text[], p_subject text[], p_currency text[], p_limit bigint[], p_hash text[], p_why text[], p_who text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[]) RETURNS SETOF pay_api.payout_act_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.act_on_review(p_merchant_id text[], p_review_id bigint[], p_act text[], p_reason text[], p_note text[], p_blocks bigint[], p_lease_s bigint[], p_who text[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.advance_settlement(p_file_id bigint[], p_rows bigint[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.announce_report(p_psp text[], p_name text[], p_url text[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.apply_change(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_about text[], p_news text[], p_token text[], p_reference text[], p_object text[], p_operation_id text[], p_amount_minor bigint[], p_currency text[], p_fee_minor bigint[], p_fee_currency text[], p_code text[], p_digest bytea[], p_request_id text[], p_evidence_until bigint[] DEFAULT NULL::bigint[], p_said_at bigint[] DEFAULT NULL::bigint[]) RETURNS SETOF pay_api.checkout_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.apply_event(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_digest bytea[], p_request_id text[], p_decline text[] DEFAULT NULL::text[], p_can_retry text[] DEFAULT NULL::text[], p_attempt text[] DEFAULT NULL::text[], p_cards_item bigint[] DEFAULT '{}'::bigint[], p_cards_attempt text[] DEFAULT '{}'::text[], p_cards_card text[] DEFAULT '{}'::text[], p_cards_bin text[] DEFAULT '{}'::text[], p_cards_country text[] DEFAULT '{}'::text[], p_cards_funding text[] DEFAULT '{}'::text[], p_cards_three_d text[] DEFAULT '{}'::text[], p_cards_level text[] DEFAULT '{}'::text[], p_cards_score bigint[] DEFAULT '{}'::bigint[], p_cards_warning text[] DEFAULT '{}'::text[], p_cards_is_hint bigint[] DEFAULT '{}'::bigint[], p_cards_card_before text[] DEFAULT '{}'::text[], p_after jsonb[] DEFAULT NULL::jsonb[]) RETURNS SETOF pay_api.checkout_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.beat(p_writer text[], p_number bigint[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.begin_backfill(p_psp text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) RETURNS SETOF pay_api.span_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.begin_change(p_merchant_id text[], p_payment_order_id text[], p_kind text[], p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[], p_reason text[], p_metadata jsonb[], p_lease_ms bigint[], p_request_id text[], p_asked_by jsonb[] DEFAULT NULL::jsonb[]) RETURNS SETOF pay_api.change_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.begin_close(p_owner text[], p_delay_ms bigint[], p_lease_ms bigint[]) RETURNS SETOF pay_api.close_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.begin_delivery(p_owner text[], p_lease_ms bigint[]) RETURNS SETOF pay_api.delivery_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.begin_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[]) RETURNS SETOF pay_api.dispatch_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.begin_look(p_source text[], p_format text[], p_merchant_id text[], p_psp text[], p_account text[], p_way text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[], p_keep text[] DEFAULT NULL::text[]) RETURNS SETOF pay_api.look_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders_item bigint[], p_orders_id text[], p_orders_seller_account text[], p_orders_amount_minor bigint[], p_orders_credit_currency text[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[], p_key_windows text[], p_late_success text[], p_terms jsonb[], p_risk jsonb[] DEFAULT NULL::jsonb[], p_risk_hits_item bigint[] DEFAULT '{}'::bigint[], p_risk_hits_name text[] DEFAULT '{}'::text[], p_risk_hits_word text[] DEFAULT '{}'::text[], p_risk_hits_is_shadow bigint[] DEFAULT '{}'::bigint[], p_risk_keys_item bigint[] DEFAULT '{}'::bigint[], p_risk_keys_kind text[] DEFAULT '{}'::text[], p_risk_keys_value text[] DEFAULT '{}'::text[], p_risk_windows_item bigint[] DEFAULT '{}'::bigint[], p_risk_windows_name text[] DEFAULT '{}'::text[], p_risk_windows_key text[] DEFAULT '{}'::text[], p_risk_windows_hash text[] DEFAULT '{}'::text[], p_risk_windows_hours bigint[] DEFAULT '{}'::bigint[], p_risk_windows_measure text[] DEFAULT '{}'::text[], p_risk_windows_threshold bigint[] DEFAULT '{}'::bigint[], p_risk_windows_currency text[] DEFAULT '{}'::text[], p_risk_windows_word text[] DEFAULT '{}'::text[], p_risk_windows_is_shadow bigint[] DEFAULT '{}'::bigint[]) RETURNS SETOF pay_api.checkout_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.begin_payout_call(p_merchant_id text[], p_provider text[], p_adapter text[], p_facts jsonb[], p_owner text[], p_lease_ms bigint[]) RETURNS SETOF pay_api.payout_call_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.begin_rates(p_source text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) RETURNS SETOF pay_api.age_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.begin_screening(p_merchant_id text[], p_provider text[], p_lease_ms bigint[]) RETURNS SETOF pay_api.screening_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.begin_seal(p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) RETURNS SETOF pay_api.seal_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.change_endpoint(p_merchant_id text[], p_endpoint_id text[], p_act text[], p_sealed bytea[], p_key_id text[], p_overlap_s bigint[], p_who text[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.check_books(p_owner text[], p_interval_ms bigint[]) RETURNS SETOF pay_api.counts_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.check_settlement(p_file_id bigint[], p_attempt bigint[], p_rows bigint[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.claim_jobs(p_owner text[], p_lease_ms bigint[]) RETURNS SETOF pay_api.job_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.claim_replay(p_owner text[], p_lease_ms bigint[]) RETURNS SETOF pay_api.replay_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.close_destination(p_merchant_id text[], p_destination_id text[], p_who text[], p_why text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[]) RETURNS SETOF pay_api.payout_act_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.declare_endpoints(p_merchant_id text[], p_endpoint_id text[], p_url text[], p_types jsonb[], p_is_ordered bigint[], p_fingerprint bytea[], p_sealed bytea[], p_key_id text[], p_overlap_s bigint[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.end_backfill(p_psp text[], p_owner text[], p_until_s bigint[], p_listed bigint[], p_missed bigint[], p_code text[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.end_close(p_number bigint[], p_key_id text[], p_signature bytea[]) RETURNS SETOF pay_api.outcome_row LANGUAGE sql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.end_delivery(p_merchant_id text[], p_endpoint_id text[], p_position bigint[], p_number bigint[], p_outcome text[], p_status bigint[], p_failure text[], p_answer text[], p_took_ms bigint[], p_retry_s bigint[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.end_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_request_id text[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.end_look(p_source text[], p_owner text[], p_seen_s bigint[], p_files bigint[], p_again bigint[], p_code text[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.end_payout_call(p_merchant_id text[], p_payout_id text[], p_number bigint[], p_outcome text[], p_code text[], p_reference text[], p_state text[], p_amount_minor bigint[], p_currency text[], p_account_end text[], p_next text[], p_retry_s bigint[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.end_rates(p_source text[], p_owner text[], p_base text[], p_rates jsonb[], p_code text[], p_age_ms bigint[], p_max_age_ms bigint[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.end_replay(p_replay_id bigint[], p_owner text[], p_failure text[], p_events bigint[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.end_report(p_psp text[], p_name text[], p_file_id bigint[], p_code text[], p_again_ms bigint[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.end_reread(p_file_id bigint[], p_pause_ms bigint[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.end_seal(p_number bigint[], p_key_id text[], p_signature bytea[]) RETURNS SETOF pay_api.outcome_row LANGUAGE sql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.enter_destination(p_merchant_id text[], p_seller_account text[], p_currency text[], p_provider text[], p_kind text[], p_country text[], p_shown text[], p_details bytea[], p_key_id text[], p_who text[], p_why text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_name text[] DEFAULT NULL::text[]) RETURNS SETOF pay_api.payout_act_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.explain_begin(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_orders text[]) RETURNS SETOF pay_api.checkout_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.explain_change(p_merchant_id text[], p_kind text[], p_idempotency_key text[], p_fingerprint bytea[]) RETURNS SETOF pay_api.change_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.explain_checkout(p_merchant_id text[], p_checkout_id text[], p_sees_risk bigint[]) RETURNS SETOF pay_api.explanation_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.explain_payment(p_merchant_id text[], p_payment_order_id text[], p_sees_risk bigint[]) RETURNS SETOF pay_api.explanation_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_operation_id text[], p_owner text[], p_delay_ms bigint[], p_code text[], p_dead text[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.get_balance(p_merchant_id text[], p_seller_account text[]) RETURNS SETOF pay_api.balances_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.get_buyer_history(p_merchant_id text[], p_buyer text[], p_buyer_before text[], p_country text[], p_currency text[], p_total_minor bigint[], p_device text[], p_device_before text[]) RETURNS SETOF pay_api.buyer_history_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.get_change(p_merchant_id text[], p_payment_order_id text[], p_change_id text[]) RETURNS SETOF pay_api.change_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.get_checkout(p_merchant_id text[], p_checkout_id text[]) RETURNS SETOF pay_api.checkout_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.get_events(p_merchant_id text[], p_payment_order_id text[]) RETURNS SETOF pay_api.events_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.get_handle(p_handle text[]) RETURNS SETOF pay_api.visit_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.get_order(p_merchant_id text[], p_payment_order_id text[]) RETURNS SETOF pay_api.order_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.get_payment(p_merchant_id text[], p_payment_order_id text[]) RETURNS SETOF pay_api.checkout_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.get_payout_advice(p_merchant_id text[], p_payout_id text[], p_before bigint[], p_limit bigint[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.get_report(p_psp text[]) RETURNS SETOF pay_api.report_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.get_reread(p_source text[]) RETURNS SETOF pay_api.reread_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.get_statement(p_merchant_id text[], p_seller_account text[], p_currency text[], p_before_seq bigint[], p_limit bigint[]) RETURNS SETOF pay_api.statement_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.keep_look(p_source text[], p_owner text[], p_lease_ms bigint[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.keep_settlement(p_file_id bigint[], p_attempt bigint[], p_pieces_item bigint[], p_pieces_number bigint[], p_pieces_is_last bigint[], p_pieces_kid text[], p_pieces_nonce bytea[], p_pieces_bytes bytea[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.keep_webhook(p_psp text[], p_digest bytea[], p_body bytea[], p_size bigint[], p_left_out text[], p_days bigint[], p_message_id text[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.list_changes(p_merchant_id text[], p_payment_order_id text[], p_kind text[]) RETURNS SETOF pay_api.changes_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.list_checkouts(p_merchant_id text[], p_status text[], p_after_us bigint[], p_before_us bigint[], p_before_id text[], p_limit bigint[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.list_closes(p_merchant_id text[], p_day text[], p_before bigint[], p_limit bigint[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.list_deliveries(p_merchant_id text[], p_endpoint_id text[], p_state text[], p_before bigint[], p_limit bigint[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.list_destinations(p_merchant_id text[], p_destination_id text[], p_seller_account text[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.list_endpoints(p_merchant_id text[], p_endpoint_id text[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.list_messages(p_merchant_id text[], p_message_id text[], p_after text[], p_type text[], p_limit bigint[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.list_past_attempts(p_since_s bigint[], p_before_us bigint[], p_before_merchant_id text[], p_before_checkout_id text[], p_limit bigint[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.list_payout_batches(p_merchant_id text[], p_batch_id text[], p_provider text[], p_currency text[], p_state text[], p_day text[], p_before bigint[], p_limit bigint[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.list_payouts(p_merchant_id text[], p_payout_id text[], p_seller_account text[], p_provider text[], p_currency text[], p_state text[], p_day text[], p_before bigint[], p_limit bigint[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.list_psp_balances(p_merchant_id text[], p_psp text[], p_currency text[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.list_reviews(p_merchant_id text[], p_review_id bigint[], p_state text[], p_after bigint[], p_limit bigint[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.list_risk_entries(p_merchant_id text[], p_entry_id bigint[], p_effect text[], p_kind text[], p_after bigint[], p_limit bigint[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.list_settlement_ageing(p_merchant_id text[], p_psp text[], p_currency text[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.list_settlement_exceptions(p_merchant_id text[], p_exception_id bigint[], p_psp text[], p_currency text[], p_class bigint[], p_state text[], p_day text[], p_before bigint[], p_limit bigint[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.list_settlement_files(p_merchant_id text[], p_file_id bigint[], p_source text[], p_psp text[], p_state text[], p_day text[], p_before bigint[], p_limit bigint[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.list_settlement_rows(p_merchant_id text[], p_file_id bigint[], p_psp text[], p_currency text[], p_class bigint[], p_state text[], p_day text[], p_before bigint[], p_limit bigint[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.make_due_payouts(p_owner text[], p_wallets bigint[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.make_payout(p_merchant_id text[], p_seller_account text[], p_currency text[], p_who text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[]) RETURNS SETOF pay_api.payout_act_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.open_settlement(p_source text[], p_sha256 bytea[], p_name text[]) RETURNS SETOF pay_api.settlement_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.prove_settlement(p_file_id bigint[], p_attempt bigint[], p_batch_key text[], p_rows bigint[], p_stated jsonb[], p_digest bytea[] DEFAULT NULL::bytea[], p_page jsonb[] DEFAULT NULL::jsonb[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.publish_events(p_owner text[], p_most bigint[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.quarantine_webhook(p_psp text[], p_reason text[], p_digest bytea[], p_headers jsonb[], p_body bytea[], p_size bigint[], p_request_id text[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.read_beat(p_writer text[]) RETURNS SETOF pay_api.beat_row LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.ready() RETURNS TABLE(state text, schema_version text) LANGUAGE sql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.refuse_settlement(p_file_id bigint[], p_attempt bigint[], p_reason text[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.release_order(p_merchant_id text[], p_payment_order_id text[], p_who text[], p_why text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[]) RETURNS SETOF pay_api.payout_act_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.release_replacement(p_merchant_id text[], p_checkout_id text[], p_lease_ms bigint[], p_request_id text[]) RETURNS SETOF pay_api.checkout_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.remove_risk_entry(p_merchant_id text[], p_entry_id bigint[], p_who text[], p_why text[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.replay_deliveries(p_merchant_id text[], p_endpoint_id text[], p_message_id text[], p_since_us bigint[], p_until_us bigint[], p_only_failed bigint[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[], p_reach text[], p_http_status bigint[]) RETURNS SETOF pay_api.checkout_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.roll_up(p_owner text[], p_interval_ms bigint[], p_most bigint[]) RETURNS SETOF pay_api.counts_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.see_browser(p_handle text[], p_browser text[], p_before text[], p_is_new bigint[], p_agent text[], p_user_agent text[], p_address text[]) RETURNS SETOF pay_api.visit_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.stage_settlement(p_file_id bigint[], p_attempt bigint[], p_rows_item bigint[], p_rows_line bigint[], p_rows_row_key text[], p_rows_kind text[], p_rows_raw_type text[], p_rows_psp_ref text[], p_rows_parent_ref text[], p_rows_our_ref text[], p_rows_occurred_us bigint[], p_rows_booked_on text[], p_rows_gross_minor bigint[], p_rows_fee_minor bigint[], p_rows_tax_minor bigint[], p_rows_net_minor bigint[], p_rows_currency text[], p_rows_paid_minor bigint[], p_rows_paid_currency text[], p_rows_rate text[], p_rows_payout_ref text[], p_rows_account text[], p_rows_bank_ref text[], p_rows_note text[], p_rows_flags bigint[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.store_balance(p_source text[], p_owner text[], p_is_complete bigint[], p_code text[], p_rows_item bigint[], p_rows_currency text[], p_rows_available_minor bigint[], p_rows_pending_minor bigint[], p_rows_reserved_minor bigint[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.store_endpoint(p_merchant_id text[], p_endpoint_id text[], p_url text[], p_types jsonb[], p_scheme text[], p_is_ordered bigint[], p_sealed bytea[], p_key_id text[], p_who text[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[], p_reach text[], p_http_status bigint[], p_dead text[], p_attempt bigint[]) RETURNS SETOF pay_api.checkout_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.store_risk_entry(p_merchant_id text[], p_effect text[], p_kind text[], p_value text[], p_until_us bigint[], p_who text[], p_why text[]) RETURNS SETOF pay_api.page_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.store_screening(p_merchant_id text[], p_provider text[], p_destination_id text[], p_version bigint[], p_number bigint[], p_answer text[], p_reference text[], p_code text[], p_retry_s bigint[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.store_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_poll_after_ms bigint[], p_request_id text[]) RETURNS SETOF pay_api.checkout_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.sweep(p_owner text[], p_interval_ms bigint[], p_limits jsonb[]) RETURNS SETOF pay_api.counts_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.tell_payout_event(p_merchant_id text[], p_provider text[], p_event_id text[], p_key text[], p_reference text[], p_parcel text[], p_state text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_account_end text[], p_occurred_us bigint[], p_sequence bigint[], p_must_ask bigint[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.watch_endpoints(p_owner text[]) RETURNS SETOF pay_api.outcome_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.watch_events(p_owner text[], p_interval_ms bigint[]) RETURNS SETOF pay_api.counts_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.watch_payouts(p_owner text[], p_interval_ms bigint[]) RETURNS SETOF pay_api.counts_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_api.watch_settlement(p_owner text[], p_interval_ms bigint[]) RETURNS SETOF pay_api.counts_row LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_console.read_page(p_page text[], p_staff text[], p_roles jsonb[], p_merchants jsonb[], p_query jsonb[]) RETURNS TABLE(item integer, outcome text, page text, personal bigint) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_console_act.make_act(p_act text[], p_staff text[], p_roles jsonb[], p_merchants jsonb[], p_login_age_s bigint[], p_body jsonb[], p_terms jsonb[], p_request_id text[]) RETURNS TABLE(item integer, outcome text, page text) LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.accept_dead_letter(p_id bigint, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.accept_settlement(p_id bigint, p_who text, p_why text, p_as text DEFAULT NULL::text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.advance_settlement(p_file_id bigint, p_rows integer DEFAULT 5000) RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.approve_payout_batch(p_merchant_id text, p_batch_id text, p_hash text, p_who text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.ask_balance(p_source text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.assign_mismatch(p_id bigint, p_orders text[], p_amounts text[], p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.begin_payout_file(p_merchant_id text, p_provider text, p_adapter text, p_facts jsonb, p_most integer, p_debtor_iban text, p_execute_on date, p_place text, p_who text, OUT outcome text, OUT msg_id text) RETURNS record LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.begin_recovery(p_since timestamp with time zone, p_who text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.cancel_payout(p_merchant_id text, p_payout_id text, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.carry_in(p_merchant_id text, p_cell text, p_transfer_id uuid[], p_seller text[], p_currency text[], p_minor bigint[], p_who text) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.carry_out(p_merchant_id text, p_after text, p_limit integer, p_who text) RETURNS TABLE(carried integer, last text) LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.check_settlement(p_file_id bigint, p_rows integer, p_attempt bigint) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.claim_review(p_review_id bigint, p_lease_s bigint, p_who text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.clear_payout_screening(p_merchant_id text, p_payout_id text, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.copied_settlement(p_file_id bigint, OUT name text, OUT sha256 bytea, OUT attempt bigint, OUT pieces bigint, OUT is_whole boolean, OUT is_pulled boolean) RETURNS record LANGUAGE sql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.decide_payout(p_merchant_id text, p_payout_id text, p_fact text, p_ref text, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.decide_review(p_review_id bigint, p_act text, p_reason text, p_note text, p_blocks boolean, p_who text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.drop_month(p_month date, p_keep interval, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp' SET lock_timeout TO '500ms';
CREATE FUNCTION pay_ops.drop_payout_schedule(p_merchant_id text, p_seller_account text, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.enable_endpoint(p_endpoint_id text, p_enable boolean, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.end_fence(p_merchant_id text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.end_payout_file(p_merchant_id text, p_provider text, p_msg_id text, p_how text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.end_payout_report(p_merchant_id text, p_provider text, p_sha256 bytea, p_kind text, p_counts jsonb, p_who text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.end_recovery(p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.end_transfers(p_transfer_id uuid[]) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.erase_buyer(p_merchant_id text, p_by text, p_value text, p_who text, p_why text) RETURNS TABLE(outcome text, class text, ended bigint) LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.fence_merchant(p_merchant_id text, p_cell text, p_who text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.fix_payout_file(p_merchant_id text, p_provider text, p_msg_id text, p_left text[], p_codes text[], p_items integer, p_total_minor bigint, p_sha256 bytea) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.forget_origin(p_merchant_id text, p_who text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.hold_payout(p_merchant_id text, p_payout_id text, p_holds boolean, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.hold_payouts(p_merchant_id text, p_seller_account text, p_payment_order_id text, p_holds boolean, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.hold_settlement(p_file_id bigint, p_attempt bigint) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.import_sanctions(p_list text, p_sha256 bytea, p_entry_id text[], p_name text[], p_shrinks boolean, p_who text) RETURNS TABLE(outcome text, names bigint, entries bigint, released bigint) LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.keep_checks(p_name text[], p_violations bigint[], p_at timestamp with time zone) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.keep_settlement(p_file_id bigint, p_attempt bigint, p_number bigint, p_is_last boolean, p_kid text, p_nonce bytea, p_bytes bytea) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.lift_fence(p_merchant_id text, p_comes_back boolean) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.linked_to_review(p_review_id bigint) RETURNS TABLE(checkout_id text, kinds text, decision text, at timestamp with time zone) LANGUAGE sql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.make_close(p_day date, OUT outcome text, OUT number bigint, OUT document text) RETURNS record LANGUAGE sql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.make_payout_batch(p_merchant_id text, p_provider text, p_currency text, p_items integer, p_who text) RETURNS TABLE(outcome text, batch_id text, item_count integer, total_minor bigint, hash text) LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.make_payouts(p_merchant_id text, p_seller_account text, p_currency text, p_who text) RETURNS TABLE(outcome text, seller_account text, currency text, payout_id text, amount_minor bigint) LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.make_proof(p_merchant_id text, p_payment_order_id text) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp' SET "TimeZone" TO 'UTC';
CREATE FUNCTION pay_ops.note_origin(p_merchant_id text, p_cell text, p_who text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.open_settlement(p_source text, p_sha256 text, p_name text, OUT outcome text, OUT file_id bigint, OUT attempt bigint, OUT format text, OUT account text, OUT state text, OUT keep text) RETURNS record LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.promote_risk_model(p_name text, p_sha256 text, p_report_sha256 text, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.prove_settlement(p_file_id bigint, p_batch_key text, p_rows bigint, p_stated jsonb, p_attempt bigint DEFAULT NULL::bigint, p_page jsonb DEFAULT NULL::jsonb) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.raise_overdue(p_source text, p_now timestamp with time zone DEFAULT now(), OUT queued integer, OUT again boolean) RETURNS record LANGUAGE sql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.read_payout_report(p_merchant_id text, p_provider text, p_said jsonb) RETURNS TABLE(outcome text, event_id text, key text, parcel text, state text, code text, amount_minor bigint, currency text, account_end text, occurred_us bigint) LANGUAGE sql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.refuse_settlement(p_file_id bigint, p_reason text) RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.reject_payout_screening(p_merchant_id text, p_payout_id text, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.release_order(p_merchant_id text, p_payment_order_id text, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.replay_events(p_endpoint_id text, p_message_id text, p_since timestamp with time zone, p_until timestamp with time zone, p_only_failed boolean, p_who text, p_why text) RETURNS TABLE(outcome text, deliveries bigint) LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.replay_webhook(p_psp text, p_event_id text, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.requeue_dead_letter(p_id bigint, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.resolve_dead_letter(p_id bigint, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.resolve_settlement(p_id bigint, p_who text, p_why text, p_with bigint DEFAULT NULL::bigint) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.risk_list_add(p_merchant_id text, p_effect text, p_kind text, p_value text, p_until timestamp with time zone, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.risk_list_add_browsers(p_merchant_id text, p_effect text, p_payment_order_id text, p_until timestamp with time zone, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.risk_list_add_cards(p_merchant_id text, p_effect text, p_payment_order_id text, p_until timestamp with time zone, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.risk_list_import(p_merchant_id text, p_effect text[], p_kind text[], p_value text[], p_until timestamp with time zone[], p_who text, p_why text, OUT outcome text, OUT added bigint, OUT changed bigint, OUT bad bigint) RETURNS record LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.risk_list_list(p_merchant_id text, p_after_id bigint DEFAULT 0, p_limit integer DEFAULT 1000) RETURNS SETOF pay.risk_list LANGUAGE sql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.risk_list_remove(p_merchant_id text, p_effect text, p_kind text, p_value text, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.run_retention(p_class text, p_keep interval, p_limit integer, p_who text, OUT outcome text, OUT ended bigint) RETURNS record LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.send_payout_batch(p_merchant_id text, p_batch_id text, p_who text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.set_commission(p_merchant_id text, p_seller_account text, p_psp text, p_currency text, p_percent numeric, p_fixed_minor bigint, p_minimum_minor bigint, p_maximum_minor bigint, p_valid_from timestamp with time zone, p_who text, p_why text, p_payment_method text DEFAULT NULL::text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.set_fee_policy(p_merchant_id text, p_returns text, p_tax_percent numeric, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.set_payout_calendar(p_calendar text, p_closed_on integer[], p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.set_payout_holiday(p_calendar text, p_day text, p_name text, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.set_payout_limit(p_merchant_id text, p_currency text, p_one numeric, p_two numeric, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.set_payout_minimum(p_merchant_id text, p_currency text, p_minimum_minor bigint, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.set_payout_policy(p_merchant_id text, p_who text, p_why text, p_release_by text DEFAULT NULL::text, p_release_days integer DEFAULT NULL::integer, p_needs_settled boolean DEFAULT NULL::boolean, p_reserve_percent numeric DEFAULT NULL::numeric, p_reserve_days integer DEFAULT NULL::integer, p_cooling_off_hours integer DEFAULT NULL::integer, p_sends_by text DEFAULT NULL::text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.set_payout_provider(p_merchant_id text, p_provider text, p_adapter text, p_takes text[], p_currencies text[], p_countries text[], p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.set_payout_schedule(p_merchant_id text, p_seller_account text, p_every text, p_on_day integer, p_cut_off text, p_zone text, p_calendar text, p_batch_items integer, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.set_payout_screening(p_merchant_id text, p_is_on boolean, p_lists text[], p_max_age_hours integer, p_who text, p_why text, p_provider text DEFAULT NULL::text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.set_settlement_limit(p_currency text, p_alone numeric, p_a_day numeric) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.set_settlement_source(p_source text, p_format text, p_merchant_id text, p_psp text, p_account text, p_since timestamp with time zone, p_overdue_days integer) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.settle_change(p_merchant_id text, p_change_id text, p_done boolean, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.settle_destination(p_merchant_id text, p_destination_id text, p_state text, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.settle_dispute(p_psp text, p_dispute_id text, p_end text, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.settle_mismatch(p_id bigint, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.settlement_piece(p_file_id bigint, p_attempt bigint, p_number bigint, OUT is_last boolean, OUT kid text, OUT nonce bytea, OUT bytes bytea) RETURNS record LANGUAGE sql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.show_webhook(p_psp text, p_event_id text) RETURNS TABLE(psp text, event_id text, received_at timestamp with time zone, state text, via text, type text, fact text, token text, reference text, code text, amount_minor bigint, currency text, merchant_id text, checkout_id text, request_id text, digest text, size bigint, keep_until timestamp with time zone, body_state text, body bytea) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.sign_close(p_number bigint, p_key_id text, p_signature text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.stop_payout_provider(p_merchant_id text, p_provider text, p_stops boolean, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.store_destination(p_merchant_id text, p_seller_account text, p_currency text, p_provider text, p_kind text, p_country text, p_number text, p_details bytea, p_key_id text, p_who text, p_why text, p_name text DEFAULT NULL::text) RETURNS TABLE(outcome text, destination_id text, version integer) LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.take_payout_report(p_merchant_id text, p_provider text, p_event_id text, p_key text, p_parcel text, p_state text, p_code text, p_amount_minor bigint, p_currency text, p_account_end text, p_occurred_us bigint) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.unrelease_order(p_merchant_id text, p_payment_order_id text, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.withdraw_payout_batch(p_merchant_id text, p_batch_id text, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_ops.write_off_settlement(p_id bigint, p_who text, p_why text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_relay.claim_messages(p_name text, p_owner text, p_lease_ms bigint, p_after bigint, p_most integer) RETURNS TABLE(outcome text, "position" bigint, merchant_id text, message_id text, type text, subject text, body text) LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_relay.mark_messages(p_name text, p_owner text, p_lease_ms bigint, p_position bigint) RETURNS TABLE(outcome text, lag bigint) LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_view.audit_export(p_since timestamp with time zone DEFAULT NULL::timestamp with time zone, p_until timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS SETOF text LANGUAGE sql STABLE;
CREATE FUNCTION pay_view.capacity(p_day numeric DEFAULT NULL::numeric, p_peak numeric DEFAULT NULL::numeric) RETURNS TABLE(figure text, value numeric, unit text, source text) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_view.explain(p_merchant_id text, p_payment_order_id text) RETURNS TABLE(merchant_id text, explanation text) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_view.find(p_what text, p_merchant_id text DEFAULT NULL::text, p_buyer text DEFAULT NULL::text) RETURNS TABLE(found_as text, merchant_id text, checkout_id text, payment_order_id text, psp text, object text) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_view.payout_advice(p_payout_id text, p_before bigint DEFAULT NULL::bigint) RETURNS TABLE(merchant_id text, outcome text, advice text) LANGUAGE sql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_view.report_days(p_from timestamp with time zone, p_to timestamp with time zone, p_zone text DEFAULT 'UTC'::text, p_merchant_id text DEFAULT NULL::text) RETURNS TABLE(day date, merchant_id text, currency text, orders bigint, paid bigint, failed bigint, expired bigint, open bigint, success_rate numeric, volume numeric, refunds numeric, disputes numeric, fees numeric, net numeric, opening numeric, closing numeric) LANGUAGE sql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_view.report_fees(p_from timestamp with time zone, p_to timestamp with time zone, p_merchant_id text DEFAULT NULL::text) RETURNS TABLE(psp text, merchant_id text, currency text, volume numeric, fees numeric, percent numeric, vat numeric, earned numeric, earned_tax numeric) LANGUAGE sql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_view.report_psps(p_from timestamp with time zone, p_to timestamp with time zone, p_merchant_id text DEFAULT NULL::text) RETURNS TABLE(psp text, merchant_id text, currency text, orders bigint, paid bigint, failed bigint, expired bigint, open bigint, success_rate numeric, volume numeric, refunds numeric, disputes numeric, fees numeric, net numeric) LANGUAGE sql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_view.report_sellers(p_from timestamp with time zone, p_to timestamp with time zone, p_merchant_id text DEFAULT NULL::text) RETURNS TABLE(seller_account text, merchant_id text, currency text, sales numeric, refunds numeric, disputes numeric, fees numeric, payouts numeric, other numeric, net numeric, opening numeric, closing numeric) LANGUAGE sql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_view.report_time(p_text text, p_zone text) RETURNS timestamp with time zone LANGUAGE sql STABLE;
CREATE FUNCTION pay_view.retention(p_classes text[] DEFAULT NULL::text[], p_keep interval DEFAULT NULL::interval) RETURNS TABLE(class text, keep interval, at_least interval, act text, data text, due bigint, last_at timestamp with time zone, last_keep interval, last_who text, total bigint) LANGUAGE sql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';
CREATE FUNCTION pay_view.screening_waits() RETURNS TABLE(merchant_id text, provider text, destination_id text, version integer, items bigint, since timestamp with time zone, due_at timestamp with time zone, questions integer, code text) LANGUAGE sql STABLE SECURITY DEFINER SET search_path TO 'pay', 'pg_temp';

CREATE TABLE pay.account_kind (
    account text NOT NULL COLLATE pg_catalog."C",
    class text NOT NULL COLLATE pg_catalog."C",
    owner text NOT NULL COLLATE pg_catalog."C",
    wallet text COLLATE pg_catalog."C",
    about text NOT NULL,
    CONSTRAINT account_kind_check CHECK (((owner = 'seller'::text) = (wallet IS NOT NULL))),
    CONSTRAINT account_kind_class_check CHECK ((class = ANY (ARRAY['asset'::text, 'liability'::text, 'expense'::text, 'income'::text, 'transit'::text]))),
    CONSTRAINT account_kind_owner_check CHECK ((owner = ANY (ARRAY['psp'::text, 'seller'::text, 'nobody'::text]))),
    CONSTRAINT account_kind_wallet_check CHECK ((wallet = ANY (ARRAY['available'::text, 'pending'::text, 'reserved'::text])))
);

CREATE TABLE pay.risk_decision (
    merchant_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    decision pay.risk_word NOT NULL,
    decided_by text NOT NULL COLLATE pg_catalog."C",
    hits jsonb NOT NULL,
    facts jsonb,
    keys jsonb,
    counted jsonb,
    inputs_hash pay.hash NOT NULL,
    version pay.filled NOT NULL,
    declined_at timestamp with time zone,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    features jsonb,
    score jsonb,
    buyer bytea,
    has_address boolean,
    device bytea,
    CONSTRAINT risk_decision_decided_by_check CHECK ((decided_by = ANY (ARRAY['list'::text, 'rule'::text, 'window'::text, 'score'::text, 'provider'::text, 'mode'::text, 'none'::text]))),
    CONSTRAINT risk_decision_features_check CHECK ((jsonb_typeof(features) = 'object'::text)),
    CONSTRAINT risk_decision_score_check CHECK ((jsonb_typeof(score) = 'object'::text))
)
WITH (fillfactor='80', toast_tuple_target='4080');

COMMENT ON COLUMN pay.risk_decision.features IS 'Values of the features by name, null: not known; NULL: nothing was scored';
COMMENT ON COLUMN pay.risk_decision.score IS 'total, parts, and for the model and each challenger name, sha256, probability and reasons; NULL: nothing was scored';
COMMENT ON COLUMN pay.risk_decision.buyer IS 'The keyed hash of buyer_info.id, or where there is none of the address of mail; NULL: neither was given, or it has ended';
COMMENT ON COLUMN pay.risk_decision.has_address IS 'Whether a single address is among the keys; NULL: written before 0054';
COMMENT ON COLUMN pay.risk_decision.device IS 'The keyed hash of buyer_info.device; NULL: it was not given, no model has scored the checkout, or it has ended';

CREATE VIEW pay.aged_address (
    tid tid,
    at timestamp with time zone
);

CREATE TABLE pay.webhook_body (
    psp pay.id NOT NULL,
    digest bytea NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    keep_until timestamp with time zone NOT NULL,
    size bigint NOT NULL,
    left_out text COLLATE pg_catalog."C",
    body bytea,
    message_ids text[] DEFAULT '{}'::text[] NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT webhook_body_body_check CHECK ((octet_length(body) <= 262144)),
    CONSTRAINT webhook_body_check CHECK (((body IS NULL) = (left_out IS NOT NULL))),
    CONSTRAINT webhook_body_digest_check CHECK ((octet_length(digest) = 32)),
    CONSTRAINT webhook_body_left_out_check CHECK ((left_out = ANY (ARRAY['card_number'::text, 'too_large'::text]))),
    CONSTRAINT webhook_body_message_ids_check CHECK ((cardinality(message_ids) <= 16)),
    CONSTRAINT webhook_body_size_check CHECK ((size >= 0))
);

CREATE VIEW pay.aged_body (
    tid tid,
    at timestamp with time zone
);

CREATE TABLE pay.risk_browser (
    merchant_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    place integer NOT NULL,
    browser text NOT NULL COLLATE pg_catalog."C",
    before text COLLATE pg_catalog."C",
    is_new boolean NOT NULL,
    agent text COLLATE pg_catalog."C",
    same_agent boolean,
    address cidr,
    distance text COLLATE pg_catalog."C",
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT risk_browser_agent_check CHECK ((agent ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT risk_browser_before_check CHECK ((before ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT risk_browser_browser_check CHECK ((browser ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT risk_browser_distance_check CHECK ((distance = ANY (ARRAY['same'::text, 'network'::text, 'region'::text, 'other'::text]))),
    CONSTRAINT risk_browser_place_check CHECK (((place >= 1) AND (place <= 8)))
);

COMMENT ON TABLE pay.risk_browser IS 'Browsers in which buyers have opened their checkouts';

CREATE VIEW pay.aged_browser (
    tid tid,
    at timestamp with time zone
);

CREATE VIEW pay.aged_browser_address (
    tid tid,
    at timestamp with time zone
);

CREATE VIEW pay.aged_buyer (
    tid tid,
    at timestamp with time zone
);

CREATE VIEW pay.aged_card (
    tid tid,
    at timestamp with time zone
);

CREATE VIEW pay.aged_change (
    tid tid,
    at timestamp with time zone
);

CREATE TABLE pay.settlement_copy (
    file_id bigint NOT NULL,
    attempt pay.ordinal NOT NULL,
    number pay.ordinal NOT NULL,
    is_last boolean NOT NULL,
    kid text NOT NULL COLLATE pg_catalog."C",
    nonce bytea NOT NULL,
    bytes bytea NOT NULL,
    kept_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT settlement_copy_bytes_check CHECK (((octet_length(bytes) >= 16) AND (octet_length(bytes) <= 65552))),
    CONSTRAINT settlement_copy_kid_check CHECK ((kid ~ '^[A-Za-z0-9._-]{1,63}$'::text)),
    CONSTRAINT settlement_copy_nonce_check CHECK ((octet_length(nonce) = 12))
);
ALTER TABLE ONLY pay.settlement_copy ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE VIEW pay.aged_copy (
    tid tid,
    at timestamp with time zone
);

CREATE TABLE pay.risk_counter (
    merchant_id pay.id NOT NULL,
    kind pay.risk_key NOT NULL,
    value pay.id NOT NULL,
    hour timestamp with time zone NOT NULL,
    attempts bigint NOT NULL,
    declines bigint NOT NULL,
    amounts jsonb NOT NULL
)
WITH (fillfactor='50');

CREATE VIEW pay.aged_counter (
    tid tid,
    at timestamp with time zone
);

CREATE VIEW pay.aged_decision (
    tid tid,
    at timestamp with time zone
);

CREATE VIEW pay.aged_entry (
    tid tid,
    at timestamp with time zone
);

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

CREATE VIEW pay.aged_key (
    tid tid,
    at timestamp with time zone
);

CREATE VIEW pay.aged_letter (
    tid tid,
    at timestamp with time zone
);

CREATE TABLE pay.risk_list_act (
    act_id bigint NOT NULL,
    list_id bigint NOT NULL,
    act text NOT NULL COLLATE pg_catalog."C",
    merchant_id pay.id NOT NULL,
    effect pay.risk_word NOT NULL,
    kind pay.risk_kind NOT NULL,
    value pay.id,
    until timestamp with time zone,
    who pay.filled NOT NULL,
    why pay.filled NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT risk_list_act_act_check CHECK ((act = ANY (ARRAY['added'::text, 'changed'::text, 'removed'::text])))
);

CREATE VIEW pay.aged_list_act (
    tid tid,
    at timestamp with time zone
);

CREATE TABLE pay.message_reader (
    name pay.payout_name NOT NULL,
    "position" pay.whole NOT NULL,
    owner text,
    until timestamp with time zone,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
)
WITH (fillfactor='50');

CREATE VIEW pay.aged_message (
    position bigint,
    at timestamp with time zone
);

CREATE VIEW pay.aged_metadata (
    tid tid,
    at timestamp with time zone
);

CREATE VIEW pay.aged_payout_event (
    tid tid,
    at timestamp with time zone
);

CREATE TABLE pay.payout_request (
    merchant_id pay.id NOT NULL,
    route text NOT NULL COLLATE pg_catalog."C",
    key pay.id NOT NULL,
    fingerprint pay.hash NOT NULL,
    subject_id text COLLATE pg_catalog."C",
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE VIEW pay.aged_payout_key (
    tid tid,
    at timestamp with time zone
);

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

CREATE VIEW pay.aged_quarantined (
    tid tid,
    at timestamp with time zone
);

CREATE VIEW pay.aged_webhook (
    tid tid,
    at timestamp with time zone
);

CREATE VIEW pay.aged (
    class text,
    at timestamp with time zone
);

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

CREATE TABLE pay.beat (
    writer text NOT NULL COLLATE pg_catalog."C",
    number bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT beat_number_check CHECK ((number > 0)),
    CONSTRAINT beat_writer_check CHECK (((octet_length(writer) >= 1) AND (octet_length(writer) <= 64)))
)
WITH (fillfactor='25');

COMMENT ON TABLE pay.beat IS 'The last number that each process of a gateway with a replica has written';

CREATE TABLE pay.check_result (
    name text NOT NULL COLLATE pg_catalog."C",
    at timestamp with time zone NOT NULL,
    violations pay.whole NOT NULL,
    CONSTRAINT check_result_name_check CHECK ((name ~ '^[a-z][a-z0-9_]{0,62}$'::text))
);

COMMENT ON TABLE pay.check_result IS 'How many rows each check of the books had when payctl last ran it';

ALTER TABLE pay.commission ALTER COLUMN commission_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.commission_commission_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.console_act_right (
    act text NOT NULL COLLATE pg_catalog."C",
    step text NOT NULL COLLATE pg_catalog."C",
    role text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT console_act_right_act_check CHECK ((act ~ '^[a-z]{1,32}$'::text)),
    CONSTRAINT console_act_right_step_check CHECK ((step = ANY (ARRAY['act'::text, 'propose'::text, 'approve'::text])))
);

COMMENT ON TABLE pay.console_act_right IS 'The acts of the console, and the roles that may do each step of them';

ALTER TABLE pay.console_proposal ALTER COLUMN proposal_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.console_proposal_proposal_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.console_right (
    page text NOT NULL COLLATE pg_catalog."C",
    role text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT console_right_page_check CHECK ((page ~ '^[a-z]{1,32}$'::text))
);

COMMENT ON TABLE pay.console_right IS 'The pages of the console, and the roles that may see each of them';

CREATE TABLE pay.console_role (
    role text NOT NULL COLLATE pg_catalog."C",
    tokens boolean NOT NULL,
    personal boolean NOT NULL,
    CONSTRAINT console_role_role_check CHECK ((role ~ '^[a-z][a-z-]{0,31}$'::text))
);

COMMENT ON TABLE pay.console_role IS 'Roles of staff, and the values that they see unmasked';

CREATE TABLE pay.currency (
    code text NOT NULL COLLATE pg_catalog."C",
    exponent integer NOT NULL,
    is_current boolean DEFAULT true NOT NULL,
    CONSTRAINT currency_code_check1 CHECK ((code ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT currency_exponent_check CHECK ((exponent = ANY (ARRAY[0, 2, 3, 4])))
);

ALTER TABLE pay.dead_letter ALTER COLUMN dead_letter_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.dead_letter_dead_letter_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.decline_count (
    psp pay.id NOT NULL,
    code text NOT NULL COLLATE pg_catalog."C",
    n bigint NOT NULL
)
WITH (fillfactor='50');

COMMENT ON TABLE pay.decline_count IS 'Declined attempts by our code, since this table exists';

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

CREATE TABLE pay.event_anchor (
    merchant_id pay.id NOT NULL,
    payment_order_id pay.id NOT NULL,
    seq integer NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT event_anchor_hash_check CHECK ((octet_length(hash) = 32)),
    CONSTRAINT event_anchor_seq_check CHECK ((seq >= 1))
);

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

CREATE TABLE pay.fee_policy (
    merchant_id pay.id NOT NULL,
    returns text DEFAULT 'proportional'::text NOT NULL COLLATE pg_catalog."C",
    tax_percent pay.fee_percent DEFAULT 0 NOT NULL,
    CONSTRAINT fee_policy_returns_check CHECK ((returns = ANY (ARRAY['all'::text, 'proportional'::text, 'none'::text])))
);

CREATE TABLE pay.iban_country (
    country pay.country_code NOT NULL,
    length integer NOT NULL,
    CONSTRAINT iban_country_length_check CHECK (((length >= 15) AND (length <= 34)))
);

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

CREATE TABLE pay.merchant_move (
    merchant_id pay.id NOT NULL,
    cell pay.cell_name NOT NULL,
    state text DEFAULT 'fencing'::text NOT NULL COLLATE pg_catalog."C",
    horizon xid8,
    fenced_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    fenced_by pay.filled NOT NULL,
    moved_at timestamp with time zone,
    CONSTRAINT merchant_move_check CHECK (((state = 'moved'::text) = (moved_at IS NOT NULL))),
    CONSTRAINT merchant_move_check1 CHECK (((state = 'fencing'::text) OR (horizon IS NOT NULL))),
    CONSTRAINT merchant_move_state_check CHECK ((state = ANY (ARRAY['fencing'::text, 'moved'::text])))
);

COMMENT ON TABLE pay.merchant_move IS 'Merchants that begin their payments in another cell; no row: here';

CREATE TABLE pay.merchant_origin (
    merchant_id pay.id NOT NULL,
    cell pay.cell_name NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    noted_by pay.filled NOT NULL,
    is_asked boolean DEFAULT false NOT NULL
);

COMMENT ON TABLE pay.merchant_origin IS 'Merchants that have older payments in another cell';
COMMENT ON COLUMN pay.merchant_origin.is_asked IS 'The merchant came back here: payments begin only when that cell was asked';

CREATE TABLE pay.message_place (
    is_one boolean DEFAULT true NOT NULL,
    "position" pay.whole NOT NULL,
    CONSTRAINT message_place_is_one_check CHECK (is_one)
);

CREATE TABLE pay.message_subject (
    subject pay.filled NOT NULL,
    merchant_id pay.id NOT NULL,
    sequence pay.ordinal NOT NULL
)
WITH (fillfactor='80');

ALTER TABLE pay.mismatch ALTER COLUMN mismatch_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.mismatch_mismatch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.mismatch_open (
    mismatch_id bigint NOT NULL
);

COMMENT ON TABLE pay.mismatch_open IS 'The numbers of the rows of the mismatch queue that are not settled';

CREATE TABLE pay.news_kind (
    news text NOT NULL COLLATE pg_catalog."C",
    logged text NOT NULL COLLATE pg_catalog."C",
    told text COLLATE pg_catalog."C",
    is_shown boolean NOT NULL,
    CONSTRAINT news_kind_logged_check CHECK ((logged = ANY (ARRAY['moved'::text, 'always'::text, 'once'::text, 'waiting'::text, 'held'::text, 'attempt'::text, 'asked'::text, 'doubted'::text])))
);

CREATE TABLE pay.order_count (
    psp pay.id NOT NULL,
    method text NOT NULL COLLATE pg_catalog."C",
    currency text NOT NULL COLLATE pg_catalog."C",
    status pay.order_status NOT NULL,
    n bigint NOT NULL
)
WITH (fillfactor='50');

COMMENT ON TABLE pay.order_count IS 'Orders by the status that they have reached, since this table exists';

CREATE TABLE pay.outbox (
    merchant_id pay.id NOT NULL,
    payment_order_id pay.id NOT NULL,
    seq integer NOT NULL,
    at timestamp with time zone NOT NULL,
    kind pay.filled NOT NULL
);

CREATE TABLE pay.payout_act (
    act_id bigint NOT NULL,
    merchant_id pay.id NOT NULL,
    subject text NOT NULL COLLATE pg_catalog."C",
    subject_id text NOT NULL COLLATE pg_catalog."C",
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    act pay.filled NOT NULL,
    who pay.filled NOT NULL,
    why text,
    role text DEFAULT SESSION_USER NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT payout_act_subject_check CHECK ((subject = ANY (ARRAY['payout'::text, 'batch'::text, 'destination'::text, 'order'::text, 'seller'::text, 'provider'::text, 'policy'::text, 'schedule'::text, 'calendar'::text, 'screening'::text])))
);

ALTER TABLE pay.payout_act ALTER COLUMN act_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.payout_act_act_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.payout_advice_kind (
    kind text NOT NULL COLLATE pg_catalog."C",
    part text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT payout_advice_kind_part_check CHECK ((part = ANY (ARRAY['sales'::text, 'refunds'::text, 'disputes'::text, 'fees'::text, 'reserve'::text, 'payouts'::text, 'adjustments'::text])))
);

CREATE TABLE pay.payout_approval (
    merchant_id pay.id NOT NULL,
    batch_id pay.id NOT NULL,
    approver pay.filled NOT NULL,
    hash pay.hash NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    role text DEFAULT SESSION_USER NOT NULL
);

CREATE TABLE pay.payout_batch_item (
    merchant_id pay.id NOT NULL,
    batch_id pay.id NOT NULL,
    payout_id pay.id NOT NULL
);

ALTER TABLE pay.payout_batch ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.payout_batch_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.payout_calendar (
    calendar text NOT NULL COLLATE pg_catalog."C",
    closed_on integer[] DEFAULT '{6,7}'::integer[] NOT NULL,
    CONSTRAINT payout_calendar_calendar_check CHECK ((calendar ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$'::text)),
    CONSTRAINT payout_calendar_closed_on_check CHECK (((closed_on <@ '{1,2,3,4,5,6,7}'::integer[]) AND (cardinality(closed_on) < 7)))
);

CREATE TABLE pay.payout_destination (
    merchant_id pay.id NOT NULL,
    destination_id pay.id NOT NULL,
    version pay.ordinal NOT NULL,
    provider pay.payout_name NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    country pay.country_code NOT NULL,
    details bytea NOT NULL,
    key_id pay.id NOT NULL,
    shown pay.filled NOT NULL,
    entered_by pay.filled NOT NULL,
    entered_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    usable_from timestamp with time zone NOT NULL,
    name_words bytea[],
    name_near bytea[],
    CONSTRAINT payout_destination_details_check CHECK (((octet_length(details) >= 1) AND (octet_length(details) <= 4096))),
    CONSTRAINT payout_destination_kind_check CHECK ((kind = ANY (ARRAY['iban'::text, 'bban'::text, 'payee'::text]))),
    CONSTRAINT payout_destination_shown_check CHECK ((octet_length((shown)::text) <= 16))
);

CREATE TABLE pay.payout_hold (
    merchant_id pay.id NOT NULL,
    seller_account pay.filled NOT NULL,
    payment_order_id text NOT NULL COLLATE pg_catalog."C",
    why pay.filled NOT NULL,
    held_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE pay.payout_holiday (
    calendar text NOT NULL COLLATE pg_catalog."C",
    day date NOT NULL,
    name pay.filled NOT NULL
);

CREATE TABLE pay.payout_limit (
    merchant_id pay.id NOT NULL,
    currency pay.currency_code NOT NULL,
    one numeric NOT NULL,
    two numeric NOT NULL,
    CONSTRAINT payout_limit_check CHECK ((two >= one)),
    CONSTRAINT payout_limit_one_check CHECK ((one >= (0)::numeric))
);

CREATE TABLE pay.payout_minimum (
    merchant_id pay.id NOT NULL,
    currency pay.currency_code NOT NULL,
    minimum_minor pay.positive_minor NOT NULL
);

ALTER TABLE pay.payout ALTER COLUMN number ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME pay.payout_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.payout_outbox (
    act_id bigint NOT NULL,
    merchant_id pay.id NOT NULL,
    kind pay.filled NOT NULL
);

CREATE TABLE pay.payout_part (
    merchant_id pay.id NOT NULL,
    payout_id pay.id NOT NULL,
    seller_account pay.filled NOT NULL,
    currency pay.currency_code NOT NULL,
    wallet_seq bigint NOT NULL,
    is_live boolean DEFAULT true NOT NULL
)
WITH (fillfactor='80');

CREATE TABLE pay.payout_policy (
    merchant_id pay.id NOT NULL,
    release_by text DEFAULT 'delivered'::text NOT NULL COLLATE pg_catalog."C",
    release_days integer DEFAULT 14 NOT NULL,
    needs_settled boolean DEFAULT false NOT NULL,
    reserve_percent numeric(4,2) DEFAULT 0 NOT NULL,
    reserve_days integer DEFAULT 90 NOT NULL,
    cooling_off_hours integer DEFAULT 72 NOT NULL,
    approval_hours integer DEFAULT 24 NOT NULL,
    sends_by text DEFAULT 'approval'::text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT payout_policy_approval_hours_check CHECK (((approval_hours >= 1) AND (approval_hours <= 168))),
    CONSTRAINT payout_policy_cooling_off_hours_check CHECK (((cooling_off_hours >= 0) AND (cooling_off_hours <= 720))),
    CONSTRAINT payout_policy_release_by_check CHECK ((release_by = ANY (ARRAY['delivered'::text, 'days'::text, 'either'::text, 'both'::text]))),
    CONSTRAINT payout_policy_release_days_check CHECK (((release_days >= 0) AND (release_days <= 365))),
    CONSTRAINT payout_policy_reserve_days_check CHECK (((reserve_days >= 1) AND (reserve_days <= 730))),
    CONSTRAINT payout_policy_reserve_percent_check CHECK (((reserve_percent >= (0)::numeric) AND (reserve_percent <= (50)::numeric))),
    CONSTRAINT payout_policy_sends_by_check CHECK ((sends_by = ANY (ARRAY['approval'::text, 'act'::text])))
);

CREATE TABLE pay.payout_provider (
    merchant_id pay.id NOT NULL,
    provider pay.payout_name NOT NULL,
    adapter pay.filled NOT NULL,
    takes text[] NOT NULL,
    currencies text[],
    countries text[],
    stopped_at timestamp with time zone,
    CONSTRAINT payout_provider_takes_check CHECK (((takes <@ '{iban,bban,payee}'::text[]) AND (takes <> '{}'::text[])))
);

CREATE TABLE pay.payout_release (
    merchant_id pay.id NOT NULL,
    payment_order_id pay.id NOT NULL,
    released_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE pay.payout_report (
    merchant_id pay.id NOT NULL,
    provider pay.payout_name NOT NULL,
    sha256 pay.hash NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    counts jsonb NOT NULL,
    read_by pay.filled NOT NULL,
    read_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT payout_report_kind_check CHECK ((kind = ANY (ARRAY['pain.002'::text, 'camt.053'::text, 'camt.054'::text])))
);

ALTER TABLE pay.payout_run ALTER COLUMN run_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.payout_run_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.payout_transition (
    old_state pay.payout_state NOT NULL,
    new_state pay.payout_state NOT NULL
);

CREATE TABLE pay.payout_wallet (
    merchant_id pay.id NOT NULL,
    seller_account pay.filled NOT NULL,
    currency pay.currency_code NOT NULL,
    seen_seq pay.whole NOT NULL
)
WITH (fillfactor='80');

CREATE TABLE pay.posting_kind (
    kind text NOT NULL COLLATE pg_catalog."C",
    about text NOT NULL,
    example text NOT NULL
);

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

ALTER TABLE pay.psp_balance ALTER COLUMN balance_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.psp_balance_balance_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.psp_token (
    psp pay.id NOT NULL,
    token pay.id NOT NULL,
    merchant_id pay.id,
    checkout_id pay.id,
    is_reference boolean DEFAULT false NOT NULL,
    CONSTRAINT psp_token_check CHECK (((merchant_id IS NULL) = (checkout_id IS NULL)))
)
WITH (autovacuum_analyze_threshold='1000', autovacuum_vacuum_threshold='1000');

CREATE TABLE pay.quarantine_count (
    psp pay.id NOT NULL,
    number bigint NOT NULL
);

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

ALTER TABLE pay.recovery ALTER COLUMN recovery_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.recovery_recovery_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW pay.registration (
    merchant_id pay.id,
    checkout_id pay.id,
    psp pay.id,
    nonce pay.id,
    state pay.registration_state,
    attempt pay.ordinal,
    token pay.id,
    alias pay.id,
    hosted_url text,
    reference text,
    code text,
    lease_until timestamp with time zone,
    psps pay.psp_list,
    key_windows integer[],
    refused_psps text[],
    tried_psps text[],
    open_attempts pay.tally,
    hinted_at timestamp with time zone,
    waits boolean
);

CREATE VIEW pay.retention_class (
    class text,
    keep interval,
    at_least interval,
    act text,
    data text
);

CREATE TABLE pay.retention_run (
    class pay.id NOT NULL,
    at timestamp with time zone NOT NULL,
    keep interval NOT NULL,
    who pay.filled NOT NULL,
    session pay.filled NOT NULL,
    total bigint NOT NULL
);

COMMENT ON TABLE pay.retention_run IS 'When personal data of a class ended last, by whom, and how many rows so far';

CREATE TABLE pay.review_cursor (
    state text NOT NULL COLLATE pg_catalog."C",
    review_id bigint NOT NULL,
    CONSTRAINT review_cursor_state_check CHECK ((state = ANY (ARRAY['approved'::text, 'rejected'::text])))
);

COMMENT ON TABLE pay.review_cursor IS 'The last review that a round has looked at, by the decision; 0: it begins anew';

CREATE TABLE pay.risk_after (
    after_id bigint NOT NULL,
    merchant_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    psp pay.id NOT NULL,
    attempt pay.id NOT NULL,
    decision pay.risk_word NOT NULL,
    decided_by text NOT NULL COLLATE pg_catalog."C",
    effect text NOT NULL COLLATE pg_catalog."C",
    hits jsonb NOT NULL,
    version pay.filled NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT risk_after_decided_by_check CHECK ((decided_by = ANY (ARRAY['list'::text, 'window'::text, 'none'::text]))),
    CONSTRAINT risk_after_effect_check CHECK ((effect = ANY (ARRAY['none'::text, 'hold'::text, 'void'::text])))
);

COMMENT ON TABLE pay.risk_after IS 'Decisions about checkouts after a PSP has said something about a card';

ALTER TABLE pay.risk_after ALTER COLUMN after_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.risk_after_after_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.risk_label (
    merchant_id pay.id NOT NULL,
    payment_order_id pay.id NOT NULL,
    label text NOT NULL COLLATE pg_catalog."C",
    source text NOT NULL COLLATE pg_catalog."C",
    labelled_at timestamp with time zone NOT NULL,
    CONSTRAINT risk_label_label_check CHECK ((label = ANY (ARRAY['fraud'::text, 'rejected'::text, 'not_fraud'::text]))),
    CONSTRAINT risk_label_source_check CHECK ((source = ANY (ARRAY['dispute'::text, 'early_fraud_warning'::text, 'refund'::text, 'reviewer'::text])))
);

COMMENT ON TABLE pay.risk_label IS 'Labels of orders: fraud in the word of the buyer''s bank, rejected by a reviewer, disputed and not fraud';

ALTER TABLE pay.risk_list_act ALTER COLUMN act_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.risk_list_act_act_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE pay.risk_list ALTER COLUMN list_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.risk_list_list_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.risk_mode_act (
    act_id bigint NOT NULL,
    merchant_id pay.id NOT NULL,
    act text NOT NULL COLLATE pg_catalog."C",
    word pay.risk_word NOT NULL,
    tries bigint NOT NULL,
    declines bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    is_shadow boolean DEFAULT false NOT NULL,
    usual integer,
    beyond integer,
    CONSTRAINT risk_mode_act_act_check CHECK ((act = ANY (ARRAY['on'::text, 'off'::text]))),
    CONSTRAINT risk_mode_act_beyond_check CHECK (((beyond >= 1) AND (beyond <= 100))),
    CONSTRAINT risk_mode_act_usual_check CHECK (((usual >= 0) AND (usual <= 100)))
);

COMMENT ON TABLE pay.risk_mode_act IS 'When the mode of a merchant began and ended, and by which counts';

ALTER TABLE pay.risk_mode_act ALTER COLUMN act_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.risk_mode_act_act_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.risk_outbox (
    act_id bigint NOT NULL
);

COMMENT ON TABLE pay.risk_outbox IS 'Beginnings and ends of modes that wait to be published';

CREATE TABLE pay.risk_promotion (
    promotion_id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    sha256 text NOT NULL COLLATE pg_catalog."C",
    report_sha256 text COLLATE pg_catalog."C",
    who pay.filled NOT NULL,
    why pay.filled NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT risk_promotion_name_check CHECK ((name ~ '^[!-~]{1,64}$'::text)),
    CONSTRAINT risk_promotion_report_sha256_check CHECK ((report_sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT risk_promotion_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text))
);

COMMENT ON TABLE pay.risk_promotion IS 'Models of risk that a person has promoted, with who and why';

ALTER TABLE pay.risk_promotion ALTER COLUMN promotion_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.risk_promotion_promotion_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.risk_review_act (
    act_id bigint NOT NULL,
    review_id bigint NOT NULL,
    act text NOT NULL COLLATE pg_catalog."C",
    who pay.filled NOT NULL,
    reason pay.filled,
    note text COLLATE pg_catalog."C",
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT risk_review_act_act_check CHECK ((act = ANY (ARRAY['claimed'::text, 'asked_approve'::text, 'asked_reject'::text, 'approved'::text, 'rejected'::text, 'escalated'::text, 'ended'::text])))
);

ALTER TABLE pay.risk_review_act ALTER COLUMN act_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.risk_review_act_act_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE pay.risk_review ALTER COLUMN review_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.risk_review_review_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.risk_usual (
    merchant_id pay.id NOT NULL,
    day date NOT NULL,
    tries pay.whole NOT NULL,
    declines pay.whole NOT NULL,
    CONSTRAINT risk_usual_check CHECK (((declines)::bigint <= (tries)::bigint))
)
WITH (fillfactor='80');

COMMENT ON TABLE pay.risk_usual IS 'Attempts and declines of each merchant by day, for the last four weeks';

CREATE TABLE pay.risk_usual_place (
    is_one boolean DEFAULT true NOT NULL,
    hour timestamp with time zone NOT NULL,
    CONSTRAINT risk_usual_place_is_one_check CHECK (is_one)
);

COMMENT ON TABLE pay.risk_usual_place IS 'How far declines have been counted by day';

CREATE TABLE pay.rollup_due (
    merchant_id pay.id NOT NULL,
    minute timestamp with time zone NOT NULL,
    marked_at timestamp with time zone DEFAULT now() NOT NULL,
    due_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE pay.rollup_due IS 'Minutes of roll-ups that are to be counted again';

CREATE TABLE pay.rollup_level (
    level text NOT NULL COLLATE pg_catalog."C",
    rank integer NOT NULL,
    width interval NOT NULL,
    keep interval,
    CONSTRAINT rollup_level_level_check CHECK ((level = ANY (ARRAY['minute'::text, 'quarter'::text, 'hour'::text, 'day'::text])))
);

COMMENT ON TABLE pay.rollup_level IS 'The widths of buckets of roll-ups, and how long each is kept';

CREATE TABLE pay.sanction_list (
    version bigint NOT NULL,
    list text NOT NULL COLLATE pg_catalog."C",
    sha256 pay.hash NOT NULL,
    names pay.ordinal NOT NULL,
    entries pay.ordinal NOT NULL,
    imported_by pay.filled NOT NULL,
    imported_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT sanction_list_list_check CHECK ((list = ANY (ARRAY['ofac'::text, 'eu'::text])))
);

ALTER TABLE pay.sanction_list ALTER COLUMN version ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.sanction_list_version_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.sanction_name (
    list text NOT NULL COLLATE pg_catalog."C",
    entry_id text NOT NULL COLLATE pg_catalog."C",
    name pay.filled NOT NULL,
    words bytea[] NOT NULL,
    CONSTRAINT sanction_name_words_check CHECK ((words <> '{}'::bytea[]))
);

CREATE TABLE pay.sanction_word (
    word bytea NOT NULL,
    near bytea[] NOT NULL,
    CONSTRAINT sanction_word_near_check CHECK ((near <> '{}'::bytea[]))
);

CREATE TABLE pay.schema_migration (
    file text NOT NULL COLLATE pg_catalog."C",
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT schema_migration_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text))
);

CREATE TABLE pay.screening_clearance (
    merchant_id pay.id NOT NULL,
    destination_id pay.id NOT NULL,
    version pay.ordinal NOT NULL,
    list text NOT NULL COLLATE pg_catalog."C",
    entry_id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    asked_by pay.filled NOT NULL,
    asked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    cleared_by pay.filled,
    cleared_at timestamp with time zone,
    CONSTRAINT screening_clearance_check CHECK (((cleared_by)::text <> (asked_by)::text)),
    CONSTRAINT screening_clearance_check1 CHECK (((cleared_by IS NULL) = (cleared_at IS NULL)))
);

CREATE TABLE pay.screening_salt (
    is_one boolean NOT NULL,
    salt pay.hash NOT NULL,
    CONSTRAINT screening_salt_is_one_check CHECK (is_one)
);

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

CREATE TABLE pay.settlement_act (
    exception_id bigint NOT NULL,
    seq pay.ordinal NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    act text NOT NULL COLLATE pg_catalog."C",
    state text NOT NULL COLLATE pg_catalog."C",
    who pay.filled NOT NULL,
    why pay.filled NOT NULL,
    role text DEFAULT SESSION_USER NOT NULL,
    amount_minor bigint NOT NULL,
    currency pay.currency_code NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT settlement_act_act_check CHECK ((act = ANY (ARRAY['accept'::text, 'resolve'::text, 'write_off'::text]))),
    CONSTRAINT settlement_act_state_check CHECK ((state = ANY (ARRAY['asked'::text, 'done'::text])))
);

CREATE TABLE pay.settlement_aged (
    merchant_id pay.id NOT NULL,
    hour timestamp with time zone NOT NULL,
    psp pay.id NOT NULL,
    family text NOT NULL COLLATE pg_catalog."C",
    currency pay.currency_code NOT NULL,
    overdue_days integer NOT NULL,
    entries bigint NOT NULL,
    minor numeric NOT NULL,
    oldest_at timestamp with time zone NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE pay.settlement_closed (
    merchant_id pay.id NOT NULL,
    source pay.journal_source NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    match_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE pay.settlement_count (
    is_only boolean DEFAULT true NOT NULL,
    hour timestamp with time zone NOT NULL,
    begun_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    next_at timestamp with time zone NOT NULL,
    CONSTRAINT settlement_count_is_only_check CHECK (is_only)
)
WITH (fillfactor='50');

CREATE TABLE pay.settlement_count_line (
    merchant_id pay.id NOT NULL,
    psp pay.id NOT NULL,
    family text NOT NULL COLLATE pg_catalog."C",
    currency pay.currency_code NOT NULL,
    overdue_days integer NOT NULL,
    entries bigint NOT NULL,
    minor numeric NOT NULL,
    oldest_at timestamp with time zone NOT NULL
)
WITH (fillfactor='50');

ALTER TABLE pay.settlement_exception ALTER COLUMN exception_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.settlement_exception_exception_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.settlement_expected (
    kind text NOT NULL COLLATE pg_catalog."C",
    family text NOT NULL COLLATE pg_catalog."C",
    sign integer NOT NULL,
    CONSTRAINT settlement_expected_family_check CHECK ((family = ANY (ARRAY['sale'::text, 'refund'::text, 'dispute'::text, 'fee'::text, 'payout'::text]))),
    CONSTRAINT settlement_expected_sign_check CHECK ((sign = ANY (ARRAY['-1'::integer, 1])))
);

ALTER TABLE pay.settlement_file ALTER COLUMN file_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.settlement_file_file_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.settlement_hold (
    row_id bigint NOT NULL,
    psp pay.id NOT NULL,
    dispute_id pay.id NOT NULL,
    merchant_id pay.id NOT NULL,
    checkout_id pay.id NOT NULL,
    amount_minor pay.positive_minor NOT NULL,
    currency pay.currency_code NOT NULL,
    ended_at timestamp with time zone
);

CREATE TABLE pay.settlement_hour (
    hour timestamp with time zone NOT NULL,
    counted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    is_final boolean NOT NULL
)
WITH (fillfactor='50');

CREATE UNLOGGED TABLE pay.settlement_staging (
    file_id bigint NOT NULL,
    line integer NOT NULL,
    row_key pay.settlement_key NOT NULL,
    kind pay.settlement_kind NOT NULL,
    raw_type text,
    psp_ref pay.id,
    parent_ref pay.id,
    our_ref pay.id,
    occurred_at timestamp with time zone,
    booked_on date,
    gross_minor bigint NOT NULL,
    fee_minor bigint DEFAULT 0 NOT NULL,
    tax_minor bigint DEFAULT 0 NOT NULL,
    net_minor bigint NOT NULL,
    currency pay.currency_code NOT NULL,
    paid_minor bigint,
    paid_currency pay.currency_code,
    rate pay.positive_rate,
    payout_ref pay.id,
    account text COLLATE pg_catalog."C",
    bank_ref text,
    note text,
    is_external boolean DEFAULT false NOT NULL,
    is_detail boolean DEFAULT false NOT NULL,
    first_line integer,
    bucket integer GENERATED ALWAYS AS ((hashtext(COALESCE((parent_ref)::text, (psp_ref)::text, (our_ref)::text, (row_key)::text)) & 65535)) STORED
);

CREATE TABLE pay.settlement_kept (
)
INHERITS (pay.settlement_staging);

CREATE UNLOGGED TABLE pay.settlement_leftover (
    file_id bigint NOT NULL
);

CREATE TABLE pay.settlement_limit (
    currency pay.currency_code NOT NULL,
    alone numeric NOT NULL,
    a_day numeric NOT NULL,
    CONSTRAINT settlement_limit_a_day_check CHECK ((a_day >= (0)::numeric)),
    CONSTRAINT settlement_limit_alone_check CHECK ((alone >= (0)::numeric))
);

CREATE TABLE pay.settlement_link (
    row_id bigint NOT NULL,
    match_id bigint NOT NULL,
    rule text NOT NULL COLLATE pg_catalog."C",
    rule_version pay.ordinal DEFAULT 1 NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT settlement_link_rule_check CHECK ((rule = ANY (ARRAY['object'::text, 'reference'::text, 'amount'::text, 'sum'::text, 'group'::text, 'payout'::text, 'text'::text, 'window'::text, 'subset'::text, 'fee'::text, 'person'::text])))
);

CREATE TABLE pay.settlement_look (
    source pay.settlement_name NOT NULL,
    way text NOT NULL COLLATE pg_catalog."C",
    declared_at timestamp with time zone DEFAULT now() NOT NULL,
    run_at timestamp with time zone DEFAULT now() NOT NULL,
    lease_owner text,
    lease_until timestamp with time zone,
    helper text,
    helper_until timestamp with time zone,
    seen_until timestamp with time zone,
    balance_at timestamp with time zone DEFAULT now() NOT NULL,
    looked_at timestamp with time zone,
    runs bigint DEFAULT 0 NOT NULL,
    files bigint DEFAULT 0 NOT NULL,
    failures bigint DEFAULT 0 NOT NULL,
    code text,
    CONSTRAINT settlement_look_check CHECK (((lease_owner IS NULL) = (lease_until IS NULL))),
    CONSTRAINT settlement_look_check1 CHECK (((helper IS NULL) = (helper_until IS NULL))),
    CONSTRAINT settlement_look_way_check CHECK ((way = ANY (ARRAY['dir'::text, 'pull'::text, 'report'::text])))
)
WITH (fillfactor='50');

CREATE UNLOGGED TABLE pay.settlement_open (
    file_id bigint NOT NULL,
    merchant_id pay.id NOT NULL,
    source pay.journal_source NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    checkout_id pay.id,
    family text NOT NULL COLLATE pg_catalog."C",
    object text COLLATE pg_catalog."C",
    amount_minor bigint NOT NULL,
    currency pay.currency_code NOT NULL,
    psp pay.id NOT NULL,
    on_day date,
    match integer
)
WITH (fillfactor='50');

CREATE TABLE pay.settlement_outbox (
    exception_id bigint NOT NULL
);

ALTER TABLE pay.settlement_part ALTER COLUMN part_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.settlement_part_part_id_seq
    START WITH -1
    INCREMENT BY -1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.settlement_report (
    psp pay.id NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    url text COLLATE pg_catalog."C",
    state text DEFAULT 'waiting'::text NOT NULL COLLATE pg_catalog."C",
    announced_at timestamp with time zone DEFAULT now() NOT NULL,
    run_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    tries pay.tally DEFAULT 0 NOT NULL,
    code text,
    file_id bigint,
    CONSTRAINT settlement_report_name_check CHECK ((name ~ '^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$'::text)),
    CONSTRAINT settlement_report_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'read'::text, 'refused'::text]))),
    CONSTRAINT settlement_report_url_check CHECK (((octet_length(url) >= 1) AND (octet_length(url) <= 2048)))
);

CREATE TABLE pay.settlement_rounding (
    source pay.settlement_name NOT NULL,
    month date NOT NULL,
    currency pay.currency_code NOT NULL,
    rows pay.whole NOT NULL
);

ALTER TABLE pay.settlement_row ALTER COLUMN row_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.settlement_row_row_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE UNLOGGED TABLE pay.settlement_sum (
    file_id bigint NOT NULL,
    currency pay.currency_code NOT NULL,
    payout_ref text NOT NULL COLLATE pg_catalog."C",
    row_count bigint NOT NULL,
    gross numeric NOT NULL,
    fee numeric NOT NULL,
    tax numeric NOT NULL,
    net numeric NOT NULL,
    payout_net numeric NOT NULL,
    payouts bigint NOT NULL,
    paid numeric NOT NULL,
    returned numeric NOT NULL,
    others bigint NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE pay.settlement_tally_line (
    name text NOT NULL COLLATE pg_catalog."C",
    merchant_id pay.id NOT NULL,
    psp pay.id NOT NULL,
    currency pay.currency_code NOT NULL,
    item text NOT NULL COLLATE pg_catalog."C",
    count bigint NOT NULL,
    minor numeric NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE pay.status_rank (
    status pay.order_status NOT NULL,
    rank integer NOT NULL
);

CREATE TABLE pay.transition (
    kind text NOT NULL COLLATE pg_catalog."C",
    status pay.order_status NOT NULL,
    rank integer NOT NULL,
    actor text NOT NULL COLLATE pg_catalog."C",
    capture text NOT NULL COLLATE pg_catalog."C",
    is_held boolean NOT NULL,
    provided text NOT NULL COLLATE pg_catalog."C",
    news text NOT NULL COLLATE pg_catalog."C",
    next_status pay.order_status NOT NULL,
    CONSTRAINT transition_actor_check CHECK ((actor = ANY (ARRAY['any'::text, 'psp'::text, 'gateway'::text, 'others'::text]))),
    CONSTRAINT transition_capture_check CHECK ((capture = ANY (ARRAY['any'::text, 'automatic'::text, 'manual'::text]))),
    CONSTRAINT transition_provided_check CHECK ((provided = ANY (ARRAY['always'::text, 'late'::text, 'partly'::text, 'closing'::text, 'unbooked'::text, 'held_late'::text, 'again'::text])))
);

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

CREATE TABLE pay.webhook_act (
    act_id bigint NOT NULL,
    merchant_id pay.id NOT NULL,
    endpoint_id pay.id NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    act pay.filled NOT NULL,
    who pay.filled NOT NULL,
    why pay.filled NOT NULL,
    role text DEFAULT SESSION_USER NOT NULL
);

ALTER TABLE pay.webhook_act ALTER COLUMN act_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.webhook_act_act_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.webhook_attempt (
    endpoint_id pay.id NOT NULL,
    merchant_id pay.id NOT NULL,
    "position" bigint NOT NULL,
    number pay.ordinal NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    took_ms integer,
    status integer,
    failure pay.filled NOT NULL,
    answer text
);

CREATE TABLE pay.webhook_outbox (
    number bigint NOT NULL,
    endpoint_id pay.id NOT NULL,
    merchant_id pay.id NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    kind pay.filled NOT NULL
);

ALTER TABLE pay.webhook_outbox ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.webhook_outbox_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
ALTER TABLE pay.webhook_replay ALTER COLUMN replay_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME pay.webhook_replay_replay_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE pay.webhook_secret (
    endpoint_id pay.id NOT NULL,
    merchant_id pay.id NOT NULL,
    number pay.ordinal NOT NULL,
    sealed bytea NOT NULL,
    key_id pay.id NOT NULL,
    made_by pay.filled NOT NULL,
    made_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    until timestamp with time zone,
    fingerprint bytea,
    declared_at timestamp with time zone,
    CONSTRAINT webhook_secret_check CHECK (((fingerprint IS NULL) = (declared_at IS NULL))),
    CONSTRAINT webhook_secret_fingerprint_check CHECK ((octet_length(fingerprint) = 32)),
    CONSTRAINT webhook_secret_sealed_check CHECK ((octet_length(sealed) <= 1024))
);

CREATE VIEW pay_check.amount_sum (
    merchant_id pay.id,
    checkout_id pay.id,
    total_minor pay.positive_minor,
    orders_minor numeric
);

CREATE VIEW pay_check.authorized_booked (
    merchant_id pay.id,
    payment_order_id pay.id,
    status pay.order_status,
    authorized_minor pay.minor,
    booked numeric
);

CREATE VIEW pay_check.cell_transfer (
    merchant_id pay.id,
    source text,
    side text,
    cell pay.cell_name,
    seller_account pay.filled,
    currency pay.currency_code,
    minor pay.signed_minor,
    kind text,
    at timestamp with time zone,
    ended_at timestamp with time zone
);

CREATE VIEW pay_check.change_booked (
    merchant_id pay.id,
    change_id pay.id,
    kind text,
    origin text,
    status pay.order_status,
    returned boolean,
    kinds text[]
);

CREATE VIEW pay_check.change_dispatch (
    merchant_id pay.id,
    change_id pay.id,
    kind text,
    status pay.order_status,
    state pay.dispatch_state
);

CREATE VIEW pay_check.change_event (
    what text,
    merchant_id pay.id,
    payment_order_id pay.id,
    change_id text,
    kind text,
    status pay.order_status
);

CREATE VIEW pay_check.change_job (
    what text,
    merchant_id pay.id,
    change_id text,
    kind text,
    status pay.order_status
);

CREATE VIEW pay_check.change_match (
    merchant_id pay.id,
    change_id pay.id,
    matched_to text,
    status text,
    ours pay.order_status
);

CREATE VIEW pay_check.change_money (
    merchant_id pay.id,
    payment_order_id pay.id,
    captured_minor pay.minor,
    refunding_minor pay.minor,
    refunded_minor pay.minor,
    charged_back_minor pay.minor,
    refunding numeric,
    refunded numeric,
    captured numeric,
    charged_back numeric
);

CREATE VIEW pay_check.change_orphan (
    what text,
    merchant_id pay.id,
    checkout_id pay.id,
    payment_order_id pay.id,
    id pay.id
);

CREATE VIEW pay_check.change_reference (
    psp pay.id,
    reference pay.id,
    changes bigint
);

CREATE VIEW pay_check.change_waits (
    merchant_id pay.id,
    change_id pay.id,
    kind text,
    status pay.order_status,
    psp pay.id,
    reference pay.id
);

CREATE VIEW pay_check.checkout_incomplete (
    merchant_id pay.id,
    checkout_id pay.id,
    orders bigint
);

CREATE VIEW pay_check.close_balance (
    psp text,
    currency text,
    account text,
    said numeric,
    has numeric
);

CREATE VIEW pay_check.close_chain (
    number bigint,
    day date
);

CREATE VIEW pay_check.console_act (
    seq pay.ordinal,
    who pay.filled,
    act pay.filled,
    object text
);

CREATE VIEW pay_check.contradiction (
    merchant_id pay.id,
    checkout_id pay.id,
    payment_order_id pay.id,
    seq pay.ordinal,
    actor pay.event_actor,
    old_status pay.order_status,
    new_status pay.order_status
);

CREATE VIEW pay_check.credit_converted (
    merchant_id pay.id,
    payment_order_id pay.id,
    amount_minor pay.order_minor,
    currency pay.currency_code,
    credit_minor pay.minor,
    credit_currency pay.currency_code,
    credit_rate pay.positive_rate
);

CREATE VIEW pay_check.currency_unknown (
    merchant_id pay.id,
    checkout_id pay.id,
    currency pay.currency_code
);

CREATE VIEW pay_check.delivery_untold (
    merchant_id pay.id,
    endpoint_id pay.id,
    position bigint
);

CREATE VIEW pay_check.dispatch_attempts (
    merchant_id pay.id,
    checkout_id pay.id,
    operation pay.dispatch_operation,
    operation_id pay.id,
    attempt pay.ordinal,
    state pay.dispatch_state,
    newest integer
);

CREATE VIEW pay_check.dispatch_owner (
    merchant_id pay.id,
    checkout_id pay.id,
    operation pay.dispatch_operation,
    operation_id pay.id,
    attempt pay.ordinal,
    psp pay.id,
    registered_at pay.id,
    nonce pay.id
);

CREATE VIEW pay_check.dispatch_registration (
    merchant_id pay.id,
    checkout_id pay.id,
    psp pay.id,
    state pay.registration_state,
    token pay.id,
    attempt pay.ordinal,
    open_attempts pay.tally,
    status pay.order_status,
    dispatch pay.ordinal,
    sent_to pay.id,
    dispatch_state pay.dispatch_state,
    sends pay.ordinal
);

CREATE VIEW pay_check.dispute_booked (
    psp pay.id,
    dispute_id pay.id,
    merchant_id pay.id,
    checkout_id pay.id,
    state text,
    kinds text[]
);

CREATE VIEW pay_check.durability (
    scope text,
    setting text
);

CREATE VIEW pay_check.event_chain (
    merchant_id pay.id,
    payment_order_id pay.id,
    seq pay.ordinal,
    at timestamp with time zone
);

CREATE VIEW pay_check.event_default (
    partition text,
    events bigint,
    since timestamp with time zone
);

CREATE VIEW pay_check.event_gap (
    merchant_id pay.id,
    payment_order_id pay.id,
    version integer,
    dropped integer,
    events bigint,
    last integer
);

CREATE VIEW pay_check.event_head (
    merchant_id pay.id,
    payment_order_id pay.id,
    version integer,
    head pay.hash
);

CREATE VIEW pay_check.event_orphan (
    merchant_id pay.id,
    payment_order_id pay.id,
    seq pay.ordinal
);

CREATE VIEW pay_check.idempotency_orphan (
    merchant_id pay.id,
    key pay.id,
    checkout_id pay.id
);

CREATE VIEW pay_check.job_missing (
    what text,
    merchant_id pay.id,
    checkout_id pay.id,
    state pay.registration_state,
    token pay.id,
    status pay.order_status,
    late text,
    wanted text,
    kind text,
    attempts integer
);

CREATE VIEW pay_check.journal_balances (
    merchant_id pay.id,
    source pay.journal_source,
    kind text,
    currency pay.currency_code,
    total numeric
);

CREATE VIEW pay_check.journal_orphan (
    merchant_id pay.id,
    source text,
    kind text,
    line pay.line_number
);

CREATE VIEW pay_check.journal_rules (
    merchant_id pay.id,
    source text,
    kind text,
    line pay.line_number
);

CREATE VIEW pay_check.late_booked (
    merchant_id pay.id,
    checkout_id pay.id,
    state text,
    kinds text[],
    held bigint,
    refunds bigint
);

CREATE VIEW pay_check.late_success (
    merchant_id pay.id,
    checkout_id pay.id,
    state text,
    payment_order_id pay.id,
    status pay.order_status,
    reason pay.failure_reason,
    late_success pay.late_policy
);

CREATE VIEW pay_check.late_untold (
    merchant_id pay.id,
    checkout_id pay.id,
    told_by pay.id
);

CREATE VIEW pay_check.late_waits (
    merchant_id pay.id,
    checkout_id pay.id,
    state text,
    at timestamp with time zone
);

CREATE VIEW pay_check.merchant_moved (
    merchant_id pay.id,
    cell pay.cell_name,
    state text,
    fenced_at timestamp with time zone,
    begun_behind pay.id
);

CREATE VIEW pay_check.message_gap (
    merchant_id text,
    subject text,
    sequence bigint
);

CREATE VIEW pay_check.mismatch_open (
    mismatch_id bigint,
    is_listed boolean
);

CREATE VIEW pay_check.order_fee (
    merchant_id pay.id,
    payment_order_id pay.id,
    fee_minor bigint,
    fee_tax_minor bigint,
    due_minor bigint,
    due_tax bigint,
    booked_minor bigint,
    booked_tax bigint
);

CREATE VIEW pay_check.order_without_registration (
    merchant_id pay.id,
    payment_order_id pay.id
);

CREATE VIEW pay_check.outbox_orphan (
    merchant_id pay.id,
    payment_order_id pay.id,
    seq integer,
    kind pay.filled
);

CREATE VIEW pay_check.paid_without_event (
    merchant_id pay.id,
    payment_order_id pay.id,
    paid_events bigint
);

CREATE VIEW pay_check.payment_done (
    merchant_id pay.id,
    checkout_id pay.id,
    is_payment_done boolean
);

CREATE VIEW pay_check.payout_advice (
    merchant_id pay.id,
    payout_id pay.id
);

CREATE VIEW pay_check.payout_approval (
    merchant_id pay.id,
    batch_id pay.id
);

CREATE VIEW pay_check.payout_available (
    merchant_id pay.id,
    seller_account pay.filled,
    currency pay.currency_code,
    available_minor numeric,
    open_minor numeric
);

CREATE VIEW pay_check.payout_clearing (
    merchant_id pay.id,
    provider text,
    currency pay.currency_code,
    booked_minor numeric,
    item_minor numeric
);

CREATE VIEW pay_check.payout_lines (
    merchant_id pay.id,
    payout_id text
);

CREATE VIEW pay_check.payout_reserved (
    merchant_id pay.id,
    seller_account text,
    currency pay.currency_code,
    booked_minor numeric,
    item_minor numeric
);

CREATE VIEW pay_check.posting_rules (
    kind text,
    converted boolean
);

CREATE VIEW pay_check.registration_moved (
    merchant_id pay.id,
    checkout_id pay.id,
    payment_order_id pay.id,
    seq pay.ordinal,
    came_from text,
    detail jsonb
);

CREATE VIEW pay_check.registration_terms (
    merchant_id pay.id,
    checkout_id pay.id,
    psp pay.id,
    psps pay.psp_list,
    refused_psps text[],
    tried_psps text[],
    nonce pay.id
);

CREATE VIEW pay_check.risk_after (
    merchant_id pay.id,
    checkout_id pay.id,
    after_id bigint,
    decision pay.risk_word,
    effect text,
    state text
);

CREATE VIEW pay_check.risk_decision (
    merchant_id pay.id,
    checkout_id pay.id,
    state text,
    risk text,
    decision text,
    failed boolean
);

CREATE VIEW pay_check.risk_hold (
    merchant_id pay.id,
    checkout_id pay.id,
    psp pay.id,
    capture pay.capture_mode,
    hold_psps text[],
    risk text,
    state text,
    captures boolean,
    payment_order_id text
);

CREATE VIEW pay_check.sale_booked (
    merchant_id pay.id,
    payment_order_id pay.id,
    status pay.order_status,
    captured_minor pay.minor,
    booked numeric
);

CREATE VIEW pay_check.seal_chain (
    number bigint,
    at timestamp with time zone,
    key_id pay.id
);

CREATE VIEW pay_check.seal_coverage (
    merchant_id pay.id,
    payment_order_id pay.id,
    seq pay.ordinal,
    at timestamp with time zone
);

CREATE VIEW pay_check.seal_leaf (
    number bigint,
    position integer,
    merchant_id pay.id,
    payment_order_id pay.id,
    seq integer
);

CREATE VIEW pay_check.seal_root (
    number bigint,
    count integer,
    leaves bigint
);

CREATE VIEW pay_check.settlement_balance (
    psp text,
    currency pay.currency_code,
    booked_minor numeric,
    file_minor numeric
);

CREATE VIEW pay_check.settlement_bank (
    currency pay.currency_code,
    merchant_id pay.id,
    booked_minor numeric,
    file_minor numeric
);

CREATE VIEW pay_check.settlement_exception (
    id bigint,
    what text
);

CREATE VIEW pay_check.settlement_match (
    match_id bigint,
    rows_minor numeric,
    entries_minor numeric
);

CREATE VIEW pay_check.settlement_reserve (
    psp text,
    currency pay.currency_code,
    booked_minor numeric,
    held_minor numeric
);

CREATE VIEW pay_check.settlement_rows (
    file_id bigint,
    source pay.settlement_name,
    row_count pay.whole,
    repeats pay.whole,
    rows bigint
);

CREATE VIEW pay_check.status_history (
    merchant_id pay.id,
    payment_order_id pay.id,
    seq pay.ordinal,
    previous pay.order_status,
    old_status pay.order_status,
    new_status pay.order_status,
    status pay.order_status
);

CREATE VIEW pay_check.status_rank (
    status text,
    in_function integer,
    in_table integer
);

CREATE VIEW pay_check.suspense (
    merchant_id pay.id,
    source text,
    currency pay.currency_code,
    left_minor numeric
);

CREATE VIEW pay_check.token_owner (
    merchant_id pay.id,
    checkout_id pay.id,
    name text,
    owned_name pay.id
);

CREATE VIEW pay_check.token_status (
    merchant_id pay.id,
    checkout_id pay.id,
    state pay.registration_state,
    payment_order_id pay.id,
    status pay.order_status
);

CREATE VIEW pay_check.wallet_balance (
    merchant_id pay.id,
    owner text,
    currency pay.currency_code,
    wallet_seq bigint,
    balance_minor bigint,
    total numeric
);

CREATE VIEW pay_check.wallet_lines (
    merchant_id pay.id,
    seller_account pay.filled,
    currency pay.currency_code
);

CREATE VIEW pay_check.webhook_mismatch (
    psp pay.id,
    event_id pay.id,
    state pay.webhook_state
);

CREATE VIEW pay_check.webhook_owner (
    psp pay.id,
    event_id pay.id,
    state pay.webhook_state,
    token pay.id,
    checkout_id pay.id,
    owner pay.id
);

CREATE VIEW pay_check.webhook_paid (
    psp pay.id,
    event_id pay.id,
    payment_order_id pay.id,
    status pay.order_status
);

CREATE VIEW pay_check.webhook_parked (
    psp pay.id,
    event_id pay.id,
    token pay.id
);

CREATE VIEW pay_view.accounts (
    merchant_id pay.id,
    account text,
    class text,
    owner text,
    currency pay.currency_code,
    balance numeric,
    balance_minor numeric,
    lines bigint
);

CREATE VIEW pay_view.acts (
    at timestamp with time zone,
    source text,
    id text,
    who text,
    roles jsonb,
    act text,
    object text,
    merchant_id text,
    checkout_id text,
    why text,
    result text,
    detail jsonb,
    proposal_id bigint,
    request_id text
);

CREATE VIEW pay_view.backfills (
    psp pay.id,
    seen_until timestamp with time zone,
    behind interval,
    run_at timestamp with time zone,
    running boolean,
    lease_owner text,
    runs bigint,
    listed bigint,
    missed bigint,
    code text
);

CREATE VIEW pay_view.changes (
    merchant_id pay.id,
    checkout_id pay.id,
    payment_order_id pay.id,
    change_id pay.id,
    kind text,
    is_final boolean,
    origin text,
    psp pay.id,
    status pay.order_status,
    returned boolean,
    currency pay.currency_code,
    amount_minor pay.positive_minor,
    amount numeric,
    seller_currency pay.currency_code,
    seller_minor pay.minor,
    reason text,
    code text,
    reference pay.id,
    created_at timestamp with time zone,
    changed_at timestamp with time zone,
    dispatch_state pay.dispatch_state,
    sends pay.ordinal,
    key_until timestamp with time zone,
    job_run_at timestamp with time zone,
    job_attempts integer,
    dead_letter_id bigint,
    request_id text,
    job_code text,
    matched_to pay.id
);

CREATE VIEW pay_view.checkouts (
    merchant_id pay.id,
    checkout_id pay.id,
    checkout_uuid uuid,
    psp pay.id,
    currency pay.currency_code,
    total_minor pay.positive_minor,
    total numeric,
    created_at timestamp with time zone,
    expires_at timestamp with time zone,
    is_payment_done boolean,
    version integer,
    registration_state pay.registration_state,
    attempt pay.ordinal,
    nonce pay.id,
    token pay.id,
    alias pay.id,
    reference text,
    code text,
    psps pay.psp_list,
    refused_psps text[],
    open_attempts pay.tally,
    job pay.job_kind,
    job_run_at timestamp with time zone,
    job_attempts integer,
    job_code text,
    payment_method text
);

CREATE VIEW pay_view.closes (
    number bigint,
    day date,
    at timestamp with time zone,
    document text,
    key_id pay.id,
    signature text
);

CREATE VIEW pay_view.commissions (
    merchant_id pay.id,
    commission_id bigint,
    seller_account text,
    psp text,
    currency pay.currency_code,
    percent pay.fee_percent,
    fixed numeric,
    minimum numeric,
    maximum numeric,
    valid_from timestamp with time zone,
    entered_by pay.filled,
    entered_at timestamp with time zone,
    payment_method text
);

CREATE VIEW pay_view.dead_letters (
    dead_letter_id bigint,
    state text,
    kind text,
    reason pay.filled,
    merchant_id pay.id,
    checkout_id pay.id,
    payment_order_id pay.id,
    psp pay.id,
    event_id pay.id,
    code text,
    attempts integer,
    currency text,
    amount_minor bigint,
    amount numeric,
    at timestamp with time zone,
    age interval,
    closed_at timestamp with time zone,
    closed_by pay.filled,
    closed_why pay.filled,
    fact text,
    token pay.id,
    operation_id pay.id
);

CREATE VIEW pay_view.dispatches (
    merchant_id pay.id,
    checkout_id pay.id,
    operation pay.dispatch_operation,
    operation_id pay.id,
    attempt pay.ordinal,
    psp pay.id,
    state pay.dispatch_state,
    sender text,
    sends pay.ordinal,
    unsure boolean,
    first_sent_at timestamp with time zone,
    sent_at timestamp with time zone,
    lease_until timestamp with time zone,
    ended_at timestamp with time zone,
    key_until timestamp with time zone,
    may_be_resent boolean,
    reach pay.dispatch_reach,
    http_status integer,
    code text,
    reference text,
    request_id text
);

CREATE VIEW pay_view.disputes (
    merchant_id pay.id,
    checkout_id pay.id,
    payment_order_id pay.id,
    psp pay.id,
    dispute_id pay.id,
    state text,
    currency pay.currency_code,
    amount_minor pay.positive_minor,
    amount numeric,
    seller_currency pay.currency_code,
    seller_minor pay.minor,
    code text,
    opened_at timestamp with time zone,
    changed_at timestamp with time zone,
    part integer
);

CREATE VIEW pay_view.jobs (
    merchant_id pay.id,
    checkout_id pay.id,
    psp pay.id,
    kind pay.job_kind,
    state text,
    run_at timestamp with time zone,
    overdue interval,
    attempts integer,
    code text,
    lease_owner text,
    lease_until timestamp with time zone,
    again_at timestamp with time zone,
    dispatch_state pay.dispatch_state,
    sends pay.ordinal,
    key_until timestamp with time zone,
    operation_id text
);

CREATE VIEW pay_view.late_successes (
    merchant_id pay.id,
    checkout_id pay.id,
    state text,
    at timestamp with time zone,
    age interval,
    psp pay.id,
    source text,
    event_id pay.id,
    reference text,
    currency text,
    amount_minor pay.positive_minor,
    amount numeric,
    refund_id uuid,
    expires_at timestamp with time zone,
    dead_letter_id bigint
);

CREATE VIEW pay_view.ledger (
    merchant_id pay.id,
    at timestamp with time zone,
    source pay.journal_source,
    kind text,
    line pay.line_number,
    account text,
    owner text,
    currency pay.currency_code,
    debit numeric,
    credit numeric,
    amount_minor pay.signed_minor,
    checkout_id pay.id,
    payment_order_id pay.id,
    psp pay.id,
    seller_account text,
    rate pay.positive_rate,
    wallet_seq bigint,
    balance_minor bigint,
    request_id text
);

CREATE VIEW pay_view.mismatches (
    mismatch_id bigint,
    at timestamp with time zone,
    merchant_id pay.id,
    checkout_id pay.id,
    kind text,
    source text,
    psp pay.id,
    event_id text,
    token pay.id,
    alias pay.id,
    own_token text,
    currency text,
    amount numeric,
    own_currency text,
    total numeric,
    status pay.order_status,
    request_id text,
    object text,
    why text,
    detail jsonb,
    settled_at timestamp with time zone,
    settled_by pay.filled,
    settled_why pay.filled,
    payment_order_id pay.id
);

CREATE VIEW pay_view.order_fees (
    merchant_id pay.id,
    checkout_id pay.id,
    payment_order_id pay.id,
    seller_account pay.filled,
    currency pay.currency_code,
    fee numeric,
    tax numeric,
    commission_id bigint,
    given_minor pay.minor,
    returns text,
    tax_percent pay.fee_percent
);

CREATE VIEW pay_view.orders (
    merchant_id pay.id,
    payment_order_id pay.id,
    checkout_id pay.id,
    position pay.ordinal,
    seller_account pay.filled,
    currency pay.currency_code,
    amount_minor pay.order_minor,
    amount numeric,
    status pay.order_status,
    reason pay.failure_reason,
    psp pay.id,
    created_at timestamp with time zone,
    events integer
);

CREATE VIEW pay_view.parked (
    psp pay.id,
    event_id pay.id,
    received_at timestamp with time zone,
    age interval,
    type text,
    fact text,
    token pay.id,
    reference text,
    code text,
    currency text,
    amount_minor bigint,
    amount numeric,
    request_id text
);

CREATE VIEW pay_view.payout_accounts (
    merchant_id pay.id,
    destination_id pay.id,
    seller_account pay.filled,
    currency pay.currency_code,
    version pay.ordinal,
    state text,
    returns pay.tally,
    provider pay.payout_name,
    kind text,
    country pay.country_code,
    account pay.filled,
    entered_by pay.filled,
    entered_at timestamp with time zone,
    usable_from timestamp with time zone
);

CREATE VIEW pay_view.payout_acts (
    merchant_id pay.id,
    subject text,
    subject_id text,
    at timestamp with time zone,
    act pay.filled,
    who pay.filled,
    why text,
    role text,
    detail jsonb,
    act_id bigint
);

CREATE VIEW pay_view.payout_batches (
    merchant_id pay.id,
    batch_id pay.id,
    provider pay.payout_name,
    currency pay.currency_code,
    amount numeric,
    items pay.ordinal,
    state text,
    hash text,
    made_by pay.filled,
    made_at timestamp with time zone,
    approvers text,
    approved_at timestamp with time zone,
    until timestamp with time zone
);

CREATE VIEW pay_view.payout_holidays (
    calendar text,
    closed_on integer[],
    day date,
    name pay.filled
);

CREATE VIEW pay_view.payout_runs (
    merchant_id pay.id,
    run_id bigint,
    seller_account text,
    due_day date,
    due_at timestamp with time zone,
    state text,
    made_by text,
    pieces pay.tally,
    wallets pay.whole,
    items pay.whole,
    batches pay.whole,
    outcomes jsonb,
    begun_at timestamp with time zone,
    changed_at timestamp with time zone,
    ended_at timestamp with time zone,
    owner pay.id,
    age interval
);

CREATE VIEW pay_view.payout_schedules (
    merchant_id pay.id,
    seller_account text,
    every text,
    on_day integer,
    cut_off time(0) without time zone,
    zone pay.filled,
    calendar text,
    batch_items integer,
    run_day date,
    next_day date,
    next_at timestamp with time zone
);

CREATE VIEW pay_view.payouts (
    merchant_id pay.id,
    payout_id pay.id,
    seller_account pay.filled,
    currency pay.currency_code,
    amount numeric,
    amount_minor pay.positive_minor,
    state pay.payout_state,
    reason text,
    provider pay.payout_name,
    account pay.filled,
    destination_id pay.id,
    destination_version pay.ordinal,
    lines pay.ordinal,
    provider_key text,
    provider_ref pay.id,
    proof text,
    batch_id pay.id,
    made_by pay.filled,
    created_at timestamp with time zone,
    changed_at timestamp with time zone,
    age interval
);

CREATE VIEW pay_view.psp_balances (
    balance_id bigint,
    source pay.settlement_name,
    merchant_id pay.id,
    psp pay.id,
    currency pay.currency_code,
    looked_at timestamp with time zone,
    available numeric,
    pending numeric,
    reserved numeric,
    ledger numeric,
    difference numeric,
    accepted numeric,
    lowest numeric,
    highest numeric,
    verdict text,
    exception_id bigint,
    closed_as text,
    is_last boolean
);

CREATE VIEW pay_view.quarantine (
    psp pay.id,
    number bigint,
    received_at timestamp with time zone,
    age interval,
    reason text,
    size bigint,
    digest text,
    request_id text
);

CREATE VIEW pay_view.recovery_findings (
    recovery_id bigint,
    finding text,
    is_open boolean,
    at timestamp with time zone,
    psp pay.id,
    token pay.id,
    reference text,
    event_id text,
    fact text,
    amount numeric,
    currency text,
    merchant_id text,
    checkout_id text,
    payment_order_id text
);

CREATE VIEW pay_view.recoveries (
    recovery_id bigint,
    state text,
    since timestamp with time zone,
    begun_at timestamp with time zone,
    begun_by text,
    seal bigint,
    message bigint,
    lists_left bigint,
    jobs_left bigint,
    findings_left bigint,
    findings bigint,
    ended_at timestamp with time zone,
    ended_by text,
    ended_why text
);

CREATE VIEW pay_view.risk_after (
    after_id bigint,
    merchant_id pay.id,
    checkout_id pay.id,
    psp pay.id,
    attempt pay.id,
    at timestamp with time zone,
    decision pay.risk_word,
    decided_by text,
    effect text,
    hits jsonb,
    version pay.filled,
    currency pay.currency_code,
    total numeric,
    review_id bigint,
    review_state text,
    is_settled boolean
);

CREATE VIEW pay_view.risk_captures (
    review_id bigint,
    merchant_id pay.id,
    checkout_id pay.id,
    payment_order_id pay.id,
    psp pay.id,
    state text,
    change_id pay.id,
    code text,
    asked_at timestamp with time zone,
    changed_at timestamp with time zone,
    currency pay.currency_code,
    held numeric,
    captured numeric,
    is_watched boolean
);

CREATE VIEW pay_view.risk_decisions (
    merchant_id pay.id,
    checkout_id pay.id,
    at timestamp with time zone,
    decision pay.risk_word,
    decided_by text,
    hits jsonb,
    version pay.filled,
    declined_at timestamp with time zone,
    currency pay.currency_code,
    total numeric
);

CREATE VIEW pay_view.risk_models (
    name text,
    sha256 text,
    decisions bigint,
    first_at timestamp with time zone,
    last_at timestamp with time zone,
    is_promoted boolean,
    who pay.filled,
    why pay.filled,
    promoted_at timestamp with time zone
);

CREATE VIEW pay_view.risk_modes (
    merchant_id pay.id,
    began_at timestamp with time zone,
    ended_at timestamp with time zone,
    until timestamp with time zone,
    word text,
    is_shadow boolean,
    attempts bigint,
    declines bigint,
    percent numeric,
    usual_percent integer,
    limit_percent integer
);

CREATE VIEW pay_view.risk_outcomes (
    merchant_id pay.id,
    checkout_id pay.id,
    at timestamp with time zone,
    decision pay.risk_word,
    decided_by text,
    hits jsonb,
    version pay.filled,
    facts jsonb,
    features jsonb,
    score jsonb,
    currency pay.currency_code,
    amount_minor pay.positive_minor,
    outcome text,
    captured_minor bigint,
    fraud_minor bigint,
    labels jsonb
);

CREATE VIEW pay_view.risk_reviews (
    review_id bigint,
    merchant_id pay.id,
    checkout_id pay.id,
    state text,
    needs_second boolean,
    deadline timestamp with time zone,
    overdue text,
    claimed_by pay.filled,
    claimed_until timestamp with time zone,
    asked text,
    asked_by pay.filled,
    is_settled boolean,
    at timestamp with time zone,
    currency pay.currency_code,
    total numeric
);

CREATE VIEW pay_view.seals (
    number bigint,
    at timestamp with time zone,
    age interval,
    leaves integer,
    from_tx bigint,
    until_tx bigint,
    root text,
    key_id pay.id,
    signature text,
    message text
);

CREATE VIEW pay_view.settlement_acts (
    id bigint,
    seq pay.ordinal,
    at timestamp with time zone,
    act text,
    state text,
    who pay.filled,
    why pay.filled,
    role text,
    amount numeric,
    currency pay.currency_code,
    detail jsonb
);

CREATE VIEW pay_view.settlement_expected (
    merchant_id pay.id,
    psp pay.id,
    currency pay.currency_code,
    family text,
    source pay.journal_source,
    kind text,
    at timestamp with time zone,
    checkout_id pay.id,
    payment_order_id pay.id,
    minor bigint,
    amount numeric,
    days text,
    is_overdue boolean
);

CREATE VIEW pay_view.settlement_ageing (
    psp pay.id,
    currency pay.currency_code,
    family text,
    days text,
    entries bigint,
    amount numeric,
    overdue bigint
);

CREATE VIEW pay_view.settlement_copies (
    file_id bigint,
    source pay.settlement_name,
    name text,
    pieces bigint,
    bytes bigint,
    is_whole boolean,
    kids text[],
    kept_at timestamp with time zone
);

CREATE VIEW pay_view.settlement_files (
    file_id bigint,
    source pay.settlement_name,
    medium text,
    format pay.filled,
    merchant_id pay.id,
    psp pay.id,
    name text,
    sha256 text,
    batch_key text,
    version pay.ordinal,
    state text,
    reason text,
    received_at timestamp with time zone,
    changed_at timestamp with time zone,
    rows pay.whole,
    matched pay.whole,
    class1 pay.whole,
    class2 pay.whole,
    class3 pay.whole,
    repeats pay.whole
);

CREATE VIEW pay_view.settlement_queue (
    id bigint,
    class pay.settlement_class,
    finding text,
    playbook text,
    merchant_id pay.id,
    psp pay.id,
    source pay.settlement_name,
    file_id bigint,
    row_key pay.settlement_key,
    kind pay.settlement_kind,
    entry pay.journal_source,
    entry_kind text,
    checkout_id pay.id,
    amount_minor bigint,
    currency pay.currency_code,
    amount numeric,
    payment_order_id text,
    psp_ref pay.id,
    parent_ref pay.id,
    our_ref pay.id,
    proposed jsonb,
    opened_at timestamp with time zone,
    age interval,
    closed_at timestamp with time zone,
    closed_as text,
    act text,
    act_state text,
    who pay.filled,
    why pay.filled
);

CREATE VIEW pay_view.settlement_reports (
    psp pay.id,
    name text,
    state text,
    announced_at timestamp with time zone,
    changed_at timestamp with time zone,
    run_at timestamp with time zone,
    tries pay.tally,
    code text,
    file_id bigint
);

CREATE VIEW pay_view.settlement_rows (
    row_id bigint,
    source pay.settlement_name,
    psp text,
    file_id bigint,
    line integer,
    row_key pay.settlement_key,
    version pay.ordinal,
    kind pay.settlement_kind,
    raw_type text,
    psp_ref pay.id,
    parent_ref pay.id,
    our_ref pay.id,
    occurred_at timestamp with time zone,
    booked_on date,
    payout_ref pay.id,
    bank_ref text,
    merchant_id pay.id,
    checkout_id pay.id,
    currency pay.currency_code,
    gross numeric,
    fee numeric,
    tax numeric,
    net numeric,
    class pay.settlement_class,
    finding text,
    playbook text,
    about text,
    state text,
    link_rule text,
    rule_version pay.ordinal,
    match_id bigint,
    exception_id bigint,
    at timestamp with time zone,
    note text
);

CREATE VIEW pay_view.stuck (
    merchant_id pay.id,
    checkout_id pay.id,
    psp pay.id,
    why text,
    status pay.order_status,
    currency pay.currency_code,
    total numeric,
    created_at timestamp with time zone,
    expires_at timestamp with time zone,
    registration_state pay.registration_state,
    attempt pay.ordinal,
    code text,
    token pay.id,
    job pay.job_kind,
    job_run_at timestamp with time zone,
    job_attempts integer,
    job_code text,
    dispatch_state pay.dispatch_state,
    dead_letter_id bigint
);

CREATE VIEW pay_view.timeline (
    merchant_id pay.id,
    checkout_id pay.id,
    payment_order_id pay.id,
    seq pay.ordinal,
    at timestamp with time zone,
    kind pay.filled,
    actor pay.event_actor,
    old_status pay.order_status,
    new_status pay.order_status,
    reason text,
    detail jsonb,
    request_id text
);

CREATE VIEW pay_view.wallets (
    merchant_id pay.id,
    seller_account pay.filled,
    currency pay.currency_code,
    available numeric,
    pending numeric,
    reserved numeric,
    lines pay.whole,
    changed_at timestamp with time zone
);

CREATE VIEW pay_view.webhook_replays (
    replay_id bigint,
    psp pay.id,
    event_id pay.id,
    asked_at timestamp with time zone,
    asked_by pay.filled,
    why pay.filled,
    role text,
    state text,
    claims integer,
    ended_at timestamp with time zone,
    outcome text,
    events integer,
    applied integer,
    replaced jsonb
);

ALTER TABLE ONLY pay.event ATTACH PARTITION pay.event_default DEFAULT;

ALTER TABLE ONLY pay.settlement_kept ALTER COLUMN fee_minor SET DEFAULT 0;
ALTER TABLE ONLY pay.settlement_kept ALTER COLUMN tax_minor SET DEFAULT 0;
ALTER TABLE ONLY pay.settlement_kept ALTER COLUMN is_external SET DEFAULT false;
ALTER TABLE ONLY pay.settlement_kept ALTER COLUMN is_detail SET DEFAULT false;

ALTER TABLE ONLY pay.account_kind
    ADD CONSTRAINT account_kind_pkey PRIMARY KEY (account);
ALTER TABLE ONLY pay.backfill
    ADD CONSTRAINT backfill_pkey PRIMARY KEY (psp);
ALTER TABLE ONLY pay.beat
    ADD CONSTRAINT beat_pkey PRIMARY KEY (writer);
ALTER TABLE ONLY pay.cell_transfer
    ADD CONSTRAINT cell_transfer_pkey PRIMARY KEY (transfer_id);
ALTER TABLE ONLY pay.change
    ADD CONSTRAINT change_change_id_key UNIQUE (change_id);
ALTER TABLE ONLY pay.change
    ADD CONSTRAINT change_pkey PRIMARY KEY (merchant_id, checkout_id, change_id);
ALTER TABLE ONLY pay.check_result
    ADD CONSTRAINT check_result_pkey PRIMARY KEY (name);
ALTER TABLE ONLY pay.checkout
    ADD CONSTRAINT checkout_handle_key UNIQUE (handle);
ALTER TABLE ONLY pay.checkout
    ADD CONSTRAINT checkout_pkey PRIMARY KEY (merchant_id, checkout_id);
ALTER TABLE ONLY pay.checkout
    ADD CONSTRAINT checkout_psp_nonce_key UNIQUE (psp, nonce);

ALTER TABLE pay.checkout
    ADD CONSTRAINT checkout_trace_check CHECK ((trace ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$'::text)) NOT VALID;

ALTER TABLE ONLY pay.commission
    ADD CONSTRAINT commission_pkey PRIMARY KEY (commission_id);
ALTER TABLE ONLY pay.console_act
    ADD CONSTRAINT console_act_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY pay.console_act_right
    ADD CONSTRAINT console_act_right_pkey PRIMARY KEY (act, step, role);
ALTER TABLE ONLY pay.console_proposal
    ADD CONSTRAINT console_proposal_pkey PRIMARY KEY (proposal_id);
ALTER TABLE ONLY pay.console_right
    ADD CONSTRAINT console_right_pkey PRIMARY KEY (page, role);
ALTER TABLE ONLY pay.console_role
    ADD CONSTRAINT console_role_pkey PRIMARY KEY (role);
ALTER TABLE ONLY pay.currency
    ADD CONSTRAINT currency_pkey PRIMARY KEY (code);
ALTER TABLE ONLY pay.dead_letter
    ADD CONSTRAINT dead_letter_pkey PRIMARY KEY (dead_letter_id);
ALTER TABLE ONLY pay.decline_count
    ADD CONSTRAINT decline_count_pkey PRIMARY KEY (psp, code);
ALTER TABLE ONLY pay.dispatch
    ADD CONSTRAINT dispatch_pkey PRIMARY KEY (merchant_id, checkout_id, operation, operation_id, attempt);
ALTER TABLE ONLY pay.dispute
    ADD CONSTRAINT dispute_pkey PRIMARY KEY (psp, dispute_id, part);

ALTER TABLE pay.dispute
    ADD CONSTRAINT dispute_round_check CHECK ((round >= 1)) NOT VALID;

ALTER TABLE ONLY pay.dropped_month
    ADD CONSTRAINT dropped_month_pkey PRIMARY KEY (month);
ALTER TABLE ONLY pay.event_anchor
    ADD CONSTRAINT event_anchor_pkey PRIMARY KEY (merchant_id, payment_order_id);
ALTER TABLE ONLY pay.event
    ADD CONSTRAINT event_key PRIMARY KEY (merchant_id, payment_order_id, seq, at);
ALTER TABLE ONLY pay.event_default
    ADD CONSTRAINT event_default_pkey PRIMARY KEY (merchant_id, payment_order_id, seq, at);
ALTER TABLE ONLY pay.fee_policy
    ADD CONSTRAINT fee_policy_pkey PRIMARY KEY (merchant_id);
ALTER TABLE ONLY pay.iban_country
    ADD CONSTRAINT iban_country_pkey PRIMARY KEY (country);
ALTER TABLE ONLY pay.idempotency_key
    ADD CONSTRAINT idempotency_key_pkey PRIMARY KEY (merchant_id, route, key);
ALTER TABLE ONLY pay.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (merchant_id, checkout_id, kind, operation_id);
ALTER TABLE ONLY pay.journal_entry
    ADD CONSTRAINT journal_entry_pkey PRIMARY KEY (merchant_id, source, kind);
ALTER TABLE ONLY pay.journal_line
    ADD CONSTRAINT journal_line_pkey PRIMARY KEY (merchant_id, source, kind, line);
ALTER TABLE ONLY pay.late_success
    ADD CONSTRAINT late_success_pkey PRIMARY KEY (merchant_id, checkout_id);
ALTER TABLE ONLY pay.late_success
    ADD CONSTRAINT late_success_refund_id_key UNIQUE (refund_id);
ALTER TABLE ONLY pay.merchant_move
    ADD CONSTRAINT merchant_move_pkey PRIMARY KEY (merchant_id);
ALTER TABLE ONLY pay.merchant_origin
    ADD CONSTRAINT merchant_origin_pkey PRIMARY KEY (merchant_id);
ALTER TABLE ONLY pay.message
    ADD CONSTRAINT message_pkey PRIMARY KEY ("position");
ALTER TABLE ONLY pay.message_place
    ADD CONSTRAINT message_place_pkey PRIMARY KEY (is_one);
ALTER TABLE ONLY pay.message_reader
    ADD CONSTRAINT message_reader_pkey PRIMARY KEY (name);
ALTER TABLE ONLY pay.message_subject
    ADD CONSTRAINT message_subject_pkey PRIMARY KEY (subject, merchant_id);
ALTER TABLE ONLY pay.mismatch_open
    ADD CONSTRAINT mismatch_open_pkey PRIMARY KEY (mismatch_id);
ALTER TABLE ONLY pay.mismatch
    ADD CONSTRAINT mismatch_pkey PRIMARY KEY (merchant_id, checkout_id, mismatch_id);
ALTER TABLE ONLY pay.mismatch_settlement
    ADD CONSTRAINT mismatch_settlement_pkey PRIMARY KEY (merchant_id, checkout_id, mismatch_id);
ALTER TABLE ONLY pay.news_kind
    ADD CONSTRAINT news_kind_pkey PRIMARY KEY (news);
ALTER TABLE ONLY pay.order_count
    ADD CONSTRAINT order_count_pkey PRIMARY KEY (psp, method, currency, status);
ALTER TABLE ONLY pay.order_fee
    ADD CONSTRAINT order_fee_pkey PRIMARY KEY (merchant_id, payment_order_id);
ALTER TABLE ONLY pay.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (merchant_id, payment_order_id, seq);
ALTER TABLE ONLY pay.payment_order
    ADD CONSTRAINT payment_order_checkout_id_merchant_id_position_key UNIQUE (checkout_id, merchant_id, "position");
ALTER TABLE ONLY pay.payment_order
    ADD CONSTRAINT payment_order_pkey PRIMARY KEY (payment_order_id, merchant_id);
ALTER TABLE ONLY pay.payout_account
    ADD CONSTRAINT payout_account_pkey PRIMARY KEY (merchant_id, destination_id);
ALTER TABLE ONLY pay.payout_act
    ADD CONSTRAINT payout_act_pkey PRIMARY KEY (act_id);
ALTER TABLE ONLY pay.payout_adapter
    ADD CONSTRAINT payout_adapter_pkey PRIMARY KEY (adapter);
ALTER TABLE ONLY pay.payout_advice_kind
    ADD CONSTRAINT payout_advice_kind_pkey PRIMARY KEY (kind);
ALTER TABLE ONLY pay.payout_advice
    ADD CONSTRAINT payout_advice_pkey PRIMARY KEY (merchant_id, payout_id);
ALTER TABLE ONLY pay.payout_approval
    ADD CONSTRAINT payout_approval_pkey PRIMARY KEY (merchant_id, batch_id, approver);
ALTER TABLE ONLY pay.payout_batch_item
    ADD CONSTRAINT payout_batch_item_pkey PRIMARY KEY (merchant_id, batch_id, payout_id);
ALTER TABLE ONLY pay.payout_batch
    ADD CONSTRAINT payout_batch_pkey PRIMARY KEY (merchant_id, batch_id);
ALTER TABLE ONLY pay.payout_calendar
    ADD CONSTRAINT payout_calendar_pkey PRIMARY KEY (calendar);
ALTER TABLE ONLY pay.payout_destination
    ADD CONSTRAINT payout_destination_pkey PRIMARY KEY (merchant_id, destination_id, version);
ALTER TABLE ONLY pay.payout_dispatch
    ADD CONSTRAINT payout_dispatch_pkey PRIMARY KEY (merchant_id, payout_id, number);
ALTER TABLE ONLY pay.payout_event
    ADD CONSTRAINT payout_event_pkey PRIMARY KEY (merchant_id, provider, event_id);
ALTER TABLE ONLY pay.payout_file_item
    ADD CONSTRAINT payout_file_item_pkey PRIMARY KEY (msg_id, payout_id);
ALTER TABLE ONLY pay.payout_file
    ADD CONSTRAINT payout_file_pkey PRIMARY KEY (msg_id);
ALTER TABLE ONLY pay.payout_hold
    ADD CONSTRAINT payout_hold_pkey PRIMARY KEY (merchant_id, seller_account, payment_order_id);
ALTER TABLE ONLY pay.payout_holiday
    ADD CONSTRAINT payout_holiday_pkey PRIMARY KEY (calendar, day);
ALTER TABLE ONLY pay.payout_limit
    ADD CONSTRAINT payout_limit_pkey PRIMARY KEY (merchant_id, currency);
ALTER TABLE ONLY pay.payout_line
    ADD CONSTRAINT payout_line_pkey PRIMARY KEY (merchant_id, seller_account, currency, wallet_seq);
ALTER TABLE ONLY pay.payout_minimum
    ADD CONSTRAINT payout_minimum_pkey PRIMARY KEY (merchant_id, currency);
ALTER TABLE ONLY pay.payout_outbox
    ADD CONSTRAINT payout_outbox_pkey PRIMARY KEY (act_id);
ALTER TABLE ONLY pay.payout_part
    ADD CONSTRAINT payout_part_pkey PRIMARY KEY (merchant_id, payout_id, wallet_seq);
ALTER TABLE ONLY pay.payout
    ADD CONSTRAINT payout_payout_key_attempt_key UNIQUE (payout_key, attempt);
ALTER TABLE ONLY pay.payout
    ADD CONSTRAINT payout_pkey PRIMARY KEY (merchant_id, payout_id);
ALTER TABLE ONLY pay.payout_policy
    ADD CONSTRAINT payout_policy_pkey PRIMARY KEY (merchant_id);
ALTER TABLE ONLY pay.payout_provider
    ADD CONSTRAINT payout_provider_pkey PRIMARY KEY (merchant_id, provider);
ALTER TABLE ONLY pay.payout_release
    ADD CONSTRAINT payout_release_pkey PRIMARY KEY (merchant_id, payment_order_id);
ALTER TABLE ONLY pay.payout_report
    ADD CONSTRAINT payout_report_pkey PRIMARY KEY (merchant_id, provider, sha256);
ALTER TABLE ONLY pay.payout_request
    ADD CONSTRAINT payout_request_pkey PRIMARY KEY (merchant_id, route, key);
ALTER TABLE ONLY pay.payout_reserve
    ADD CONSTRAINT payout_reserve_pkey PRIMARY KEY (merchant_id, source);
ALTER TABLE ONLY pay.payout_run
    ADD CONSTRAINT payout_run_merchant_id_run_id_key UNIQUE (merchant_id, run_id);
ALTER TABLE ONLY pay.payout_run
    ADD CONSTRAINT payout_run_pkey PRIMARY KEY (merchant_id, seller_account, due_day);
ALTER TABLE ONLY pay.payout_schedule
    ADD CONSTRAINT payout_schedule_pkey PRIMARY KEY (merchant_id, seller_account);
ALTER TABLE ONLY pay.payout_sending
    ADD CONSTRAINT payout_sending_pkey PRIMARY KEY (merchant_id, payout_id);
ALTER TABLE ONLY pay.payout_transition
    ADD CONSTRAINT payout_transition_pkey PRIMARY KEY (old_state, new_state);
ALTER TABLE ONLY pay.payout_wallet
    ADD CONSTRAINT payout_wallet_pkey PRIMARY KEY (merchant_id, seller_account, currency);
ALTER TABLE ONLY pay.posting_kind
    ADD CONSTRAINT posting_kind_pkey PRIMARY KEY (kind);
ALTER TABLE ONLY pay.posting_rule
    ADD CONSTRAINT posting_rule_pkey PRIMARY KEY (kind, line);
ALTER TABLE ONLY pay.psp_balance
    ADD CONSTRAINT psp_balance_pkey PRIMARY KEY (balance_id);
ALTER TABLE ONLY pay.psp_token
    ADD CONSTRAINT psp_token_pkey PRIMARY KEY (psp, token, is_reference);
ALTER TABLE ONLY pay.quarantine_count
    ADD CONSTRAINT quarantine_count_pkey PRIMARY KEY (psp);
ALTER TABLE ONLY pay.rate
    ADD CONSTRAINT rate_pkey PRIMARY KEY (source, quote);
ALTER TABLE ONLY pay.rate_source
    ADD CONSTRAINT rate_source_pkey PRIMARY KEY (source);
ALTER TABLE ONLY pay.recovery
    ADD CONSTRAINT recovery_pkey PRIMARY KEY (recovery_id);
ALTER TABLE ONLY pay.retention_run
    ADD CONSTRAINT retention_run_pkey PRIMARY KEY (class);
ALTER TABLE ONLY pay.review_cursor
    ADD CONSTRAINT review_cursor_pkey PRIMARY KEY (state);
ALTER TABLE ONLY pay.risk_after
    ADD CONSTRAINT risk_after_pkey PRIMARY KEY (after_id);
ALTER TABLE ONLY pay.risk_browser
    ADD CONSTRAINT risk_browser_merchant_id_checkout_id_browser_key UNIQUE (merchant_id, checkout_id, browser);
ALTER TABLE ONLY pay.risk_browser
    ADD CONSTRAINT risk_browser_pkey PRIMARY KEY (merchant_id, checkout_id, place);
ALTER TABLE ONLY pay.risk_card
    ADD CONSTRAINT risk_card_pkey PRIMARY KEY (psp, attempt);
ALTER TABLE ONLY pay.risk_counter
    ADD CONSTRAINT risk_counter_pkey PRIMARY KEY (merchant_id, kind, value, hour);

ALTER TABLE pay.risk_decision
    ADD CONSTRAINT risk_decision_buyer_check CHECK ((octet_length(buyer) = 32)) NOT VALID;
ALTER TABLE pay.risk_decision
    ADD CONSTRAINT risk_decision_device_check CHECK ((octet_length(device) = 32)) NOT VALID;

ALTER TABLE ONLY pay.risk_decision
    ADD CONSTRAINT risk_decision_pkey PRIMARY KEY (merchant_id, checkout_id);

ALTER DOMAIN pay.risk_key
    ADD CONSTRAINT risk_key_check CHECK ((VALUE = ANY (ARRAY['ip'::text, 'ip_net'::text, 'email'::text, 'phone'::text, 'buyer'::text, 'device'::text, 'seller'::text, 'merchant'::text, 'card'::text, 'bin'::text, 'browser'::text]))) NOT VALID;
ALTER DOMAIN pay.risk_kind
    ADD CONSTRAINT risk_kind_check CHECK ((VALUE = ANY (ARRAY['email'::text, 'email_domain'::text, 'phone'::text, 'buyer'::text, 'device'::text, 'ip'::text, 'country'::text, 'card'::text, 'bin'::text, 'card_country'::text, 'browser'::text]))) NOT VALID;

ALTER TABLE ONLY pay.risk_label
    ADD CONSTRAINT risk_label_pkey PRIMARY KEY (merchant_id, payment_order_id, source);
ALTER TABLE ONLY pay.risk_list_act
    ADD CONSTRAINT risk_list_act_pkey PRIMARY KEY (act_id);
ALTER TABLE ONLY pay.risk_list
    ADD CONSTRAINT risk_list_pkey PRIMARY KEY (value, kind, merchant_id, effect);
ALTER TABLE ONLY pay.risk_mode_act
    ADD CONSTRAINT risk_mode_act_pkey PRIMARY KEY (act_id);
ALTER TABLE ONLY pay.risk_mode
    ADD CONSTRAINT risk_mode_pkey PRIMARY KEY (merchant_id);
ALTER TABLE ONLY pay.risk_outbox
    ADD CONSTRAINT risk_outbox_pkey PRIMARY KEY (act_id);
ALTER TABLE ONLY pay.risk_promotion
    ADD CONSTRAINT risk_promotion_pkey PRIMARY KEY (promotion_id);
ALTER TABLE ONLY pay.risk_review_act
    ADD CONSTRAINT risk_review_act_pkey PRIMARY KEY (act_id);
ALTER TABLE ONLY pay.risk_review
    ADD CONSTRAINT risk_review_merchant_id_checkout_id_key UNIQUE (merchant_id, checkout_id);
ALTER TABLE ONLY pay.risk_review
    ADD CONSTRAINT risk_review_pkey PRIMARY KEY (review_id);
ALTER TABLE ONLY pay.risk_usual
    ADD CONSTRAINT risk_usual_pkey PRIMARY KEY (merchant_id, day);
ALTER TABLE ONLY pay.risk_usual_place
    ADD CONSTRAINT risk_usual_place_pkey PRIMARY KEY (is_one);
ALTER TABLE ONLY pay.rollup_due
    ADD CONSTRAINT rollup_due_pkey PRIMARY KEY (merchant_id, minute);
ALTER TABLE ONLY pay.rollup_level
    ADD CONSTRAINT rollup_level_pkey PRIMARY KEY (level);
ALTER TABLE ONLY pay.rollup_level
    ADD CONSTRAINT rollup_level_rank_key UNIQUE (rank);
ALTER TABLE ONLY pay.rollup
    ADD CONSTRAINT rollup_pkey PRIMARY KEY (level, merchant_id, bucket, psp, method, currency);
ALTER TABLE ONLY pay.round
    ADD CONSTRAINT round_pkey PRIMARY KEY (name);
ALTER TABLE ONLY pay.sanction_list
    ADD CONSTRAINT sanction_list_pkey PRIMARY KEY (version);
ALTER TABLE ONLY pay.sanction_name
    ADD CONSTRAINT sanction_name_pkey PRIMARY KEY (list, entry_id, name);
ALTER TABLE ONLY pay.sanction_word
    ADD CONSTRAINT sanction_word_pkey PRIMARY KEY (word);
ALTER TABLE ONLY pay.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (file);
ALTER TABLE ONLY pay.screening_answer
    ADD CONSTRAINT screening_answer_pkey PRIMARY KEY (merchant_id, destination_id, version, provider);
ALTER TABLE ONLY pay.screening_clearance
    ADD CONSTRAINT screening_clearance_pkey PRIMARY KEY (merchant_id, destination_id, version, list, entry_id, name);
ALTER TABLE ONLY pay.screening_policy
    ADD CONSTRAINT screening_policy_pkey PRIMARY KEY (merchant_id);
ALTER TABLE ONLY pay.screening_salt
    ADD CONSTRAINT screening_salt_pkey PRIMARY KEY (is_one);
ALTER TABLE ONLY pay.seal_leaf
    ADD CONSTRAINT seal_leaf_pkey PRIMARY KEY (number, "position");
ALTER TABLE ONLY pay.seal
    ADD CONSTRAINT seal_pkey PRIMARY KEY (number);
ALTER TABLE ONLY pay.settlement_act
    ADD CONSTRAINT settlement_act_pkey PRIMARY KEY (exception_id, seq);
ALTER TABLE ONLY pay.settlement_aged
    ADD CONSTRAINT settlement_aged_pkey PRIMARY KEY (merchant_id, hour, psp, family, currency);
ALTER TABLE ONLY pay.settlement_close
    ADD CONSTRAINT settlement_close_day_key UNIQUE (day);
ALTER TABLE ONLY pay.settlement_close
    ADD CONSTRAINT settlement_close_pkey PRIMARY KEY (number);
ALTER TABLE ONLY pay.settlement_closed
    ADD CONSTRAINT settlement_closed_pkey PRIMARY KEY (merchant_id, source, kind);
ALTER TABLE ONLY pay.settlement_copy
    ADD CONSTRAINT settlement_copy_kid_nonce_key UNIQUE (kid, nonce);
ALTER TABLE ONLY pay.settlement_copy
    ADD CONSTRAINT settlement_copy_pkey PRIMARY KEY (file_id, attempt, number);
ALTER TABLE ONLY pay.settlement_count_line
    ADD CONSTRAINT settlement_count_line_pkey PRIMARY KEY (merchant_id, psp, family, currency);
ALTER TABLE ONLY pay.settlement_count
    ADD CONSTRAINT settlement_count_pkey PRIMARY KEY (is_only);
ALTER TABLE ONLY pay.settlement_end
    ADD CONSTRAINT settlement_end_pkey PRIMARY KEY (file_id);
ALTER TABLE ONLY pay.settlement_exception
    ADD CONSTRAINT settlement_exception_pkey PRIMARY KEY (exception_id);
ALTER TABLE ONLY pay.settlement_expected
    ADD CONSTRAINT settlement_expected_pkey PRIMARY KEY (kind);
ALTER TABLE ONLY pay.settlement_file
    ADD CONSTRAINT settlement_file_pkey PRIMARY KEY (file_id);
ALTER TABLE ONLY pay.settlement_file
    ADD CONSTRAINT settlement_file_source_sha256_key UNIQUE (source, sha256);
ALTER TABLE ONLY pay.settlement_hold
    ADD CONSTRAINT settlement_hold_pkey PRIMARY KEY (row_id);
ALTER TABLE ONLY pay.settlement_hour
    ADD CONSTRAINT settlement_hour_pkey PRIMARY KEY (hour);
ALTER TABLE ONLY pay.settlement_leftover
    ADD CONSTRAINT settlement_leftover_pkey PRIMARY KEY (file_id);
ALTER TABLE ONLY pay.settlement_limit
    ADD CONSTRAINT settlement_limit_pkey PRIMARY KEY (currency);
ALTER TABLE ONLY pay.settlement_link
    ADD CONSTRAINT settlement_link_pkey PRIMARY KEY (row_id);
ALTER TABLE ONLY pay.settlement_look
    ADD CONSTRAINT settlement_look_pkey PRIMARY KEY (source);
ALTER TABLE ONLY pay.settlement_outbox
    ADD CONSTRAINT settlement_outbox_pkey PRIMARY KEY (exception_id);
ALTER TABLE ONLY pay.settlement_part
    ADD CONSTRAINT settlement_part_pkey PRIMARY KEY (file_id, first_line);
ALTER TABLE ONLY pay.settlement_proof
    ADD CONSTRAINT settlement_proof_pkey PRIMARY KEY (file_id);
ALTER TABLE ONLY pay.settlement_report
    ADD CONSTRAINT settlement_report_pkey PRIMARY KEY (psp, name);
ALTER TABLE ONLY pay.settlement_rounding
    ADD CONSTRAINT settlement_rounding_pkey PRIMARY KEY (source, month, currency);
ALTER TABLE ONLY pay.settlement_row
    ADD CONSTRAINT settlement_row_pkey PRIMARY KEY (row_id);
ALTER TABLE ONLY pay.settlement_row
    ADD CONSTRAINT settlement_row_source_row_key_version_key UNIQUE (source, row_key, version);
ALTER TABLE ONLY pay.settlement_rule
    ADD CONSTRAINT settlement_rule_pkey PRIMARY KEY (kind, finding);
ALTER TABLE ONLY pay.settlement_source
    ADD CONSTRAINT settlement_source_pkey PRIMARY KEY (source);
ALTER TABLE ONLY pay.settlement_sum
    ADD CONSTRAINT settlement_sum_pkey PRIMARY KEY (file_id, currency, payout_ref);
ALTER TABLE ONLY pay.settlement_tally_line
    ADD CONSTRAINT settlement_tally_line_pkey PRIMARY KEY (name, merchant_id, psp, currency, item);
ALTER TABLE ONLY pay.settlement_tally
    ADD CONSTRAINT settlement_tally_pkey PRIMARY KEY (name);
ALTER TABLE ONLY pay.status_rank
    ADD CONSTRAINT status_rank_pkey PRIMARY KEY (status);
ALTER TABLE ONLY pay.status_rank
    ADD CONSTRAINT status_rank_rank_key UNIQUE (rank);
ALTER TABLE ONLY pay.transition
    ADD CONSTRAINT transition_pkey PRIMARY KEY (kind, status, rank);
ALTER TABLE ONLY pay.wallet
    ADD CONSTRAINT wallet_pkey PRIMARY KEY (merchant_id, seller_account, currency);
ALTER TABLE ONLY pay.webhook_act
    ADD CONSTRAINT webhook_act_pkey PRIMARY KEY (act_id);
ALTER TABLE ONLY pay.webhook_attempt
    ADD CONSTRAINT webhook_attempt_pkey PRIMARY KEY (endpoint_id, merchant_id, "position", number, at);
ALTER TABLE ONLY pay.webhook_body
    ADD CONSTRAINT webhook_body_pkey PRIMARY KEY (psp, digest);
ALTER TABLE ONLY pay.webhook_delivery
    ADD CONSTRAINT webhook_delivery_pkey PRIMARY KEY (endpoint_id, merchant_id, "position");
ALTER TABLE ONLY pay.webhook_endpoint
    ADD CONSTRAINT webhook_endpoint_pkey PRIMARY KEY (merchant_id, endpoint_id);
ALTER TABLE ONLY pay.webhook_inbox
    ADD CONSTRAINT webhook_inbox_pkey PRIMARY KEY (psp, event_id);
ALTER TABLE ONLY pay.webhook_outbox
    ADD CONSTRAINT webhook_outbox_pkey PRIMARY KEY (number);
ALTER TABLE ONLY pay.webhook_quarantine
    ADD CONSTRAINT webhook_quarantine_pkey PRIMARY KEY (psp, slot);
ALTER TABLE ONLY pay.webhook_replay
    ADD CONSTRAINT webhook_replay_pkey PRIMARY KEY (replay_id);
ALTER TABLE ONLY pay.webhook_secret
    ADD CONSTRAINT webhook_secret_pkey PRIMARY KEY (endpoint_id, merchant_id, number);

CREATE INDEX cell_transfer_open ON pay.cell_transfer USING btree (merchant_id) WHERE (ended_at IS NULL);
CREATE INDEX change_metadata_age ON pay.change USING btree (created_at) WHERE (metadata IS NOT NULL);
CREATE INDEX change_open ON pay.change USING btree (created_at) WHERE (pay.status_rank((status)::text) < 2);
CREATE INDEX change_reference ON pay.change USING btree (reference) WHERE (reference IS NOT NULL);
CREATE INDEX checkout_buyer_age ON pay.checkout USING btree (created_at) WHERE ((buyer_info IS NOT NULL) OR (credit_card_info IS NOT NULL));
CREATE INDEX checkout_created ON pay.checkout USING btree (merchant_id, created_at, checkout_id) WHERE ((total_minor)::bigint > 0);
CREATE INDEX checkout_metadata_age ON pay.checkout USING btree (created_at) WHERE (metadata IS NOT NULL);
CREATE INDEX commission_key ON pay.commission USING btree (merchant_id, currency, seller_account, payment_method, psp, valid_from, commission_id);
CREATE INDEX console_act_at ON pay.console_act USING btree (at);
CREATE INDEX console_act_object ON pay.console_act USING btree (object, seq);
CREATE INDEX console_act_of ON pay.console_act USING btree (merchant_id, checkout_id, seq) WHERE (checkout_id IS NOT NULL);
CREATE UNIQUE INDEX console_act_request ON pay.console_act USING btree (who, request) WHERE ((result)::text = 'done'::text);
CREATE INDEX console_act_who ON pay.console_act USING btree (who, seq);
CREATE INDEX console_proposal_done ON pay.console_proposal USING btree (currency, decided_at) WHERE (state = 'done'::text);
CREATE INDEX console_proposal_of ON pay.console_proposal USING btree (merchant_id, checkout_id, proposal_id);
CREATE INDEX console_proposal_waiting ON pay.console_proposal USING btree (currency, until) WHERE (state = 'waiting'::text);
CREATE INDEX dead_letter_checkout ON pay.dead_letter USING btree (merchant_id, checkout_id);
CREATE INDEX dead_letter_closed ON pay.dead_letter USING btree (closed_at) WHERE (state <> 'open'::text);
CREATE INDEX dead_letter_ended ON pay.dead_letter USING btree (closed_at) WHERE ((closed_at IS NOT NULL) AND ((closed_by)::text <> 'gateway'::text));
CREATE INDEX dead_letter_event ON pay.dead_letter USING btree (psp, event_id) WHERE (event_id IS NOT NULL);
CREATE UNIQUE INDEX dead_letter_one_open ON pay.dead_letter USING btree (merchant_id, checkout_id, kind, psp, event_id, operation_id) NULLS NOT DISTINCT WHERE (state = 'open'::text);
CREATE INDEX dead_letter_open ON pay.dead_letter USING btree (dead_letter_id) WHERE (state = 'open'::text);
CREATE UNIQUE INDEX dispatch_one_open ON pay.dispatch USING btree (merchant_id, checkout_id, operation, operation_id) WHERE ((state)::text = ANY (ARRAY['OPEN'::text, 'UNKNOWN'::text]));
CREATE INDEX dispatch_open ON pay.dispatch USING btree (lease_until) WHERE (((state)::text = 'OPEN'::text) AND ((operation)::text <> 'register'::text));
CREATE INDEX dispatch_unknown ON pay.dispatch USING btree (first_sent_at) WHERE (((state)::text = 'UNKNOWN'::text) AND (NOT settled));
CREATE INDEX dispute_checkout ON pay.dispute USING btree (merchant_id, checkout_id);
CREATE INDEX dispute_deadline ON pay.dispute USING btree (COALESCE(evidence_until, '9999-01-01 00:00:00+00'::timestamp with time zone), dispute_id, part) WHERE ((state = 'open'::text) IS TRUE);
CREATE INDEX dispute_opened ON pay.dispute USING btree (opened_at, dispute_id, part);
CREATE INDEX event_at ON ONLY pay.event USING brin (at) WITH (autosummarize='on');
CREATE INDEX event_default_at_idx ON pay.event_default USING brin (at) WITH (autosummarize='on');
CREATE INDEX event_tx ON ONLY pay.event USING brin (tx) WITH (autosummarize='on');
CREATE INDEX event_default_tx_idx ON pay.event_default USING brin (tx) WITH (autosummarize='on');
CREATE INDEX job_rank_run_at ON pay.job USING btree (pay.job_rank((kind)::text), run_at);
CREATE INDEX journal_entry_at ON pay.journal_entry USING brin (at, (((tx)::text)::bigint)) WITH (autosummarize='on');
CREATE INDEX journal_entry_checkout ON pay.journal_entry USING btree (checkout_id, merchant_id);
CREATE INDEX journal_entry_payout ON pay.journal_entry USING btree (merchant_id, at) WHERE (kind = ANY (ARRAY['psp_paid_out'::text, 'psp_debited'::text, 'psp_payout_returned'::text]));
CREATE UNIQUE INDEX journal_line_statement ON pay.journal_line USING btree (merchant_id, owner, currency, wallet_seq) WHERE (wallet_seq IS NOT NULL);
CREATE INDEX late_success_state ON pay.late_success USING btree (at, checkout_id) WHERE (state = ANY (ARRAY['held'::text, 'refunding'::text]));
CREATE INDEX message_merchant ON pay.message USING btree (merchant_id, "position");
CREATE UNIQUE INDEX message_name ON pay.message USING btree (message_id);
CREATE INDEX message_published ON pay.message USING brin (published_at);
CREATE INDEX mismatch_books ON pay.mismatch USING btree (merchant_id, checkout_id) WHERE (kind = 'books'::text);
CREATE UNIQUE INDEX mismatch_number ON pay.mismatch USING btree (mismatch_id);
CREATE INDEX mismatch_settlement_at ON pay.mismatch_settlement USING btree (at);
CREATE INDEX payout_account_known ON pay.payout_account USING btree (seller_account, merchant_id);
CREATE UNIQUE INDEX payout_account_seller ON pay.payout_account USING btree (merchant_id, seller_account, currency) WHERE (state <> 'closed'::text);
CREATE INDEX payout_act_at ON pay.payout_act USING btree (at) WHERE (role = 'payments_operator'::text);
CREATE INDEX payout_act_subject ON pay.payout_act USING btree (merchant_id, subject, subject_id, act_id);
CREATE UNIQUE INDEX payout_advice_wallet ON pay.payout_advice USING btree (merchant_id, seller_account, currency, until_seq);
CREATE UNIQUE INDEX payout_batch_listed ON pay.payout_batch USING btree (merchant_id, number);
CREATE INDEX payout_batch_made ON pay.payout_batch USING btree (merchant_id, made_at);
CREATE INDEX payout_batch_open ON pay.payout_batch USING btree (made_at) WHERE (state = 'open'::text);
CREATE INDEX payout_batched ON pay.payout USING btree (batch_id, merchant_id) WHERE (batch_id IS NOT NULL);
CREATE INDEX payout_dispatch_begun ON pay.payout_dispatch USING btree (begun_at);
CREATE UNIQUE INDEX payout_dispatch_open ON pay.payout_dispatch USING btree (merchant_id, payout_id) WHERE (ended_at IS NULL);
CREATE INDEX payout_event_at ON pay.payout_event USING btree (at);
CREATE INDEX payout_event_of ON pay.payout_event USING btree (merchant_id, payout_id) WHERE (payout_id IS NOT NULL);
CREATE INDEX payout_event_waiting ON pay.payout_event USING btree (merchant_id, provider, reference) WHERE ((outcome)::text = 'waiting'::text);
CREATE UNIQUE INDEX payout_file_item_key ON pay.payout_file_item USING btree (key) WHERE is_in;
CREATE UNIQUE INDEX payout_file_item_once ON pay.payout_file_item USING btree (merchant_id, payout_id) WHERE is_in;
CREATE INDEX payout_file_made ON pay.payout_file USING btree (made_at);
CREATE UNIQUE INDEX payout_file_open ON pay.payout_file USING btree (merchant_id, provider) WHERE (ended_at IS NULL);
CREATE INDEX payout_line_open ON pay.payout_line USING btree (merchant_id, seller_account, currency) WHERE is_open;
CREATE INDEX payout_line_order ON pay.payout_line USING btree (payment_order_id, merchant_id);
CREATE UNIQUE INDEX payout_listed ON pay.payout USING btree ("left"((merchant_id)::text, 255), number);
CREATE UNIQUE INDEX payout_live ON pay.payout USING btree (payout_key) WHERE (voided_at IS NULL);
CREATE UNIQUE INDEX payout_part_live ON pay.payout_part USING btree (merchant_id, seller_account, currency, wallet_seq) WHERE is_live;
CREATE INDEX payout_report_at ON pay.payout_report USING btree (read_at);
CREATE INDEX payout_request_expires ON pay.payout_request USING btree (expires_at);
CREATE INDEX payout_reserve_open ON pay.payout_reserve USING btree (merchant_id, seller_account, currency, until) WHERE (released_at IS NULL);
CREATE INDEX payout_reserve_order ON pay.payout_reserve USING btree (merchant_id, payment_order_id) WHERE (released_at IS NULL);
CREATE INDEX payout_reserve_until ON pay.payout_reserve USING btree (until) WHERE (released_at IS NULL);
CREATE INDEX payout_run_open ON pay.payout_run USING btree (changed_at) WHERE (ended_at IS NULL);
CREATE INDEX payout_schedule_calendar ON pay.payout_schedule USING btree (calendar);
CREATE INDEX payout_schedule_due ON pay.payout_schedule USING btree (next_at) WHERE (next_at IS NOT NULL);
CREATE INDEX payout_seller ON pay.payout USING btree (seller_account, merchant_id, created_at);
CREATE INDEX payout_sending_due ON pay.payout_sending USING btree (merchant_id, provider, run_at) WHERE (run_at IS NOT NULL);
CREATE INDEX payout_state_is ON pay.payout USING btree (state, changed_at) WHERE ((state)::text <> ALL (ARRAY['settled'::text, 'failed'::text, 'cancelled'::text]));
CREATE INDEX payout_to_screen ON pay.payout USING btree (merchant_id, destination_id) WHERE ((state)::text = ANY (ARRAY['held'::text, 'ready'::text, 'approved'::text]));
CREATE INDEX payout_to_send ON pay.payout USING btree (merchant_id, provider, payout_id) WHERE ((state)::text = 'approved'::text);
CREATE INDEX payout_unbatched ON pay.payout USING btree (merchant_id, provider, currency) WHERE (((state)::text = 'ready'::text) AND (batch_id IS NULL));
CREATE INDEX psp_balance_last ON pay.psp_balance USING btree (source, currency, balance_id);
CREATE UNIQUE INDEX recovery_open ON pay.recovery USING btree ((true)) WHERE (ended_at IS NULL);
CREATE INDEX risk_after_of ON pay.risk_after USING btree (merchant_id, checkout_id);
CREATE UNIQUE INDEX risk_after_once ON pay.risk_after USING btree (merchant_id, checkout_id) WHERE (effect <> 'none'::text);
CREATE INDEX risk_browser_address ON pay.risk_browser USING btree (at) WHERE (masklen((address)::inet) >
CASE family((address)::inet)
    WHEN 4 THEN 24
    ELSE 48
END);
CREATE INDEX risk_browser_age ON pay.risk_browser USING btree (at) WHERE (place > 0);
CREATE INDEX risk_browser_links ON pay.risk_browser USING btree (merchant_id, browser, at);
CREATE INDEX risk_card_age ON pay.risk_card USING btree (at) WHERE ((card IS NOT NULL) OR (browser IS NOT NULL));
CREATE INDEX risk_card_bin ON pay.risk_card USING btree (merchant_id, bin, at) WHERE (bin IS NOT NULL);
CREATE INDEX risk_card_browser ON pay.risk_card USING btree (merchant_id, browser, at) WHERE (browser IS NOT NULL);
CREATE INDEX risk_card_card ON pay.risk_card USING btree (merchant_id, card, at) WHERE (card IS NOT NULL);
CREATE INDEX risk_card_of ON pay.risk_card USING btree (merchant_id, checkout_id) WHERE (checkout_id IS NOT NULL);
CREATE INDEX risk_card_parked ON pay.risk_card USING btree (psp, token) WHERE (checkout_id IS NULL);
CREATE INDEX risk_counter_age ON pay.risk_counter USING brin (hour) WITH (pages_per_range='32', autosummarize='on');
CREATE INDEX risk_decision_address ON pay.risk_decision USING btree (at) WHERE (has_address OR ((has_address IS NULL) AND (keys @? 'strict $[*]?(@[0] == "ip" && @[1] like_regex "/(32|64|128)$")'::jsonpath)));
CREATE INDEX risk_decision_age ON pay.risk_decision USING btree (at) WHERE ((keys IS NOT NULL) OR (facts IS NOT NULL) OR (features IS NOT NULL));
CREATE INDEX risk_decision_buyer ON pay.risk_decision USING btree (buyer, merchant_id, at) WHERE (buyer IS NOT NULL);
CREATE INDEX risk_decision_time ON pay.risk_decision USING brin (at) WITH (pages_per_range='32', autosummarize='on');
CREATE INDEX risk_label_age ON pay.risk_label USING btree (labelled_at);
CREATE INDEX risk_list_act_age ON pay.risk_list_act USING btree (at) WHERE (value IS NOT NULL);
CREATE INDEX risk_list_act_at ON pay.risk_list_act USING btree (at);
CREATE UNIQUE INDEX risk_list_page ON pay.risk_list USING btree ((((merchant_id)::text || ''::text)), list_id);
CREATE INDEX risk_list_until ON pay.risk_list USING btree (until) WHERE (until IS NOT NULL);
CREATE INDEX risk_list_value ON pay.risk_list USING hash ((((value)::text || ''::text)));
CREATE INDEX risk_review_act_of ON pay.risk_review_act USING btree (review_id, act_id);
CREATE INDEX risk_review_open ON pay.risk_review USING btree (deadline) WHERE (state = ANY (ARRAY['open'::text, 'escalated'::text]));
CREATE UNIQUE INDEX risk_review_page ON pay.risk_review USING btree ((((merchant_id)::text || ''::text)), review_id);
CREATE UNIQUE INDEX risk_review_queue ON pay.risk_review USING btree ((((merchant_id)::text || ''::text)), review_id) WHERE (state = ANY (ARRAY['open'::text, 'escalated'::text]));
CREATE INDEX risk_review_uncaptured ON pay.risk_review USING btree (review_id) WHERE ((state = 'approved'::text) AND captures AND (NOT is_settled));
CREATE INDEX risk_review_unsettled ON pay.risk_review USING btree (review_id) WHERE ((state = 'rejected'::text) AND (NOT is_settled));
CREATE INDEX risk_review_waits ON pay.risk_review USING btree (review_id) WHERE (state = ANY (ARRAY['open'::text, 'escalated'::text]));
CREATE INDEX risk_review_watched ON pay.risk_review USING btree (review_id) WHERE is_watched;
CREATE INDEX rollup_due_at ON pay.rollup_due USING btree (due_at);
CREATE INDEX rollup_open ON pay.rollup USING btree (level, merchant_id, bucket) WHERE ((not_started > 0) OR (executing > 0));
CREATE INDEX sanction_list_newest ON pay.sanction_list USING btree (list, version);
CREATE INDEX sanction_name_words ON pay.sanction_name USING gin (words) WITH (fastupdate=off);
CREATE INDEX sanction_word_near ON pay.sanction_word USING gin (near) WITH (fastupdate=off);
CREATE UNIQUE INDEX seal_unsigned ON pay.seal USING btree ((1)) WHERE (signature IS NULL);
CREATE INDEX settlement_act_at ON pay.settlement_act USING btree (who, at);
CREATE INDEX settlement_act_time ON pay.settlement_act USING btree (at);
CREATE INDEX settlement_aged_hour ON pay.settlement_aged USING btree (hour);
CREATE INDEX settlement_closed_match ON pay.settlement_closed USING btree (match_id);
CREATE INDEX settlement_exception_again ON pay.settlement_exception USING btree (psp, exception_id) WHERE ((closed_at IS NULL) AND (row_id IS NOT NULL) AND (finding = ANY (ARRAY['unknown'::text, 'early'::text, 'proposed'::text, 'amount'::text])));
CREATE INDEX settlement_exception_early ON pay.settlement_exception USING btree (merchant_id, checkout_id) WHERE ((closed_at IS NULL) AND (finding = 'early'::text));
CREATE UNIQUE INDEX settlement_exception_entry ON pay.settlement_exception USING btree (merchant_id, source, kind) WHERE (source IS NOT NULL);
CREATE INDEX settlement_exception_gone ON pay.settlement_exception USING btree (psp, row_id) WHERE ((closed_at IS NULL) AND (finding = 'gone'::text));
CREATE INDEX settlement_exception_merchant ON pay.settlement_exception USING btree (merchant_id, opened_at, exception_id);
CREATE INDEX settlement_exception_open ON pay.settlement_exception USING btree (exception_id) WHERE (closed_at IS NULL);
CREATE UNIQUE INDEX settlement_exception_row ON pay.settlement_exception USING btree (row_id, ((finding = 'gone'::text)));
CREATE INDEX settlement_exception_waits ON pay.settlement_exception USING btree (merchant_id, opened_at, exception_id) WHERE (closed_at IS NULL);
CREATE INDEX settlement_file_booked ON pay.settlement_file USING btree (source, changed_at) INCLUDE (matched, class1, class2, class3, repeats) WHERE (state = 'booked'::text);
CREATE INDEX settlement_file_kept ON pay.settlement_file USING btree (file_id) WHERE ((kept)::bigint > 0);
CREATE INDEX settlement_file_open ON pay.settlement_file USING btree (file_id) WHERE (state = ANY (ARRAY['received'::text, 'staged'::text, 'proven'::text, 'booking'::text]));
CREATE INDEX settlement_file_received ON pay.settlement_file USING btree (received_at, file_id);
CREATE INDEX settlement_file_reread ON pay.settlement_file USING btree (source, reread_at, file_id) WHERE (reread_at IS NOT NULL);
CREATE UNIQUE INDEX settlement_file_version ON pay.settlement_file USING btree (source, batch_key, version, COALESCE((page)::integer, 0), (
CASE state
    WHEN 'staged'::text THEN file_id
    ELSE (0)::bigint
END)) WHERE ((batch_key IS NOT NULL) AND (state <> 'refused'::text));
CREATE INDEX settlement_hold_dispute ON pay.settlement_hold USING btree (psp, dispute_id);
CREATE INDEX settlement_hold_open ON pay.settlement_hold USING btree (psp, dispute_id) WHERE (ended_at IS NULL);
CREATE INDEX settlement_kept_bucket ON pay.settlement_kept USING btree (file_id, bucket);
CREATE INDEX settlement_kept_key ON pay.settlement_kept USING btree (file_id, row_key, line);
CREATE INDEX settlement_kept_place ON pay.settlement_kept USING btree (file_id, COALESCE(first_line, line));
CREATE INDEX settlement_link_match ON pay.settlement_link USING btree (match_id) WHERE (match_id <> row_id);
CREATE INDEX settlement_open_file ON pay.settlement_open USING btree (file_id, checkout_id);
CREATE INDEX settlement_part_open ON pay.settlement_part USING btree (file_id, first_line) WHERE (NOT is_done);
CREATE INDEX settlement_report_due ON pay.settlement_report USING btree (psp, run_at, name) WHERE (state = 'waiting'::text);
CREATE INDEX settlement_row_at ON pay.settlement_row USING brin (at, (((tx)::text)::bigint)) WITH (autosummarize='on');
CREATE INDEX settlement_row_file ON pay.settlement_row USING btree (file_id, row_id);
CREATE INDEX settlement_row_merchant ON pay.settlement_row USING btree (merchant_id, at, row_id);
CREATE INDEX settlement_row_payout ON pay.settlement_row USING btree (source, net_minor) WHERE ((kind)::text = ANY (ARRAY['payout'::text, 'payout_returned'::text]));
CREATE INDEX settlement_staging_bucket ON pay.settlement_staging USING btree (file_id, bucket);
CREATE INDEX settlement_staging_key ON pay.settlement_staging USING btree (file_id, row_key, line);
CREATE INDEX settlement_staging_place ON pay.settlement_staging USING btree (file_id, COALESCE(first_line, line));
CREATE INDEX settlement_work_checkout ON pay.settlement_work USING btree (file_id, checkout_id);
CREATE INDEX settlement_work_file ON pay.settlement_work USING btree (file_id, line);
CREATE INDEX webhook_act_at ON pay.webhook_act USING btree (at);
CREATE INDEX webhook_body_keep_until ON pay.webhook_body USING btree (keep_until);
CREATE INDEX webhook_delivery_due ON pay.webhook_delivery USING btree (endpoint_id, merchant_id, run_at, "position") WHERE (state = 'due'::text);
CREATE INDEX webhook_delivery_failed ON pay.webhook_delivery USING btree (endpoint_id, merchant_id, ended_at) WHERE (state = 'failed'::text);
CREATE INDEX webhook_delivery_leased ON pay.webhook_delivery USING btree (endpoint_id, merchant_id) WHERE is_leased;
CREATE INDEX webhook_delivery_open ON pay.webhook_delivery USING btree (endpoint_id, merchant_id, "position") WHERE (state = 'due'::text);
CREATE INDEX webhook_endpoint_look ON pay.webhook_endpoint USING btree (look_at) WHERE (state = 'enabled'::text);
CREATE INDEX webhook_inbox_early ON pay.webhook_inbox USING btree (merchant_id, checkout_id) WHERE (((state)::text = 'parked'::text) AND (checkout_id IS NOT NULL));
CREATE INDEX webhook_inbox_idle ON pay.webhook_inbox USING btree (received_at) WHERE (((state)::text = 'asked'::text) OR (((state)::text = 'ignored'::text) AND (fact = 'none'::text)));
CREATE INDEX webhook_inbox_named ON pay.webhook_inbox USING btree (psp, reference) WHERE (((state)::text = 'parked'::text) AND (reference <> (token)::text));
CREATE INDEX webhook_inbox_parked ON pay.webhook_inbox USING btree (psp, token) WHERE ((state)::text = 'parked'::text);
CREATE INDEX webhook_inbox_parked_at ON pay.webhook_inbox USING btree (received_at) WHERE ((state)::text = 'parked'::text);
CREATE INDEX webhook_inbox_replayed ON pay.webhook_inbox USING btree (request_id) WHERE ((via)::text = 'replay'::text);
CREATE INDEX webhook_replay_event ON pay.webhook_replay USING btree (psp, event_id);
CREATE UNIQUE INDEX webhook_replay_one_open ON pay.webhook_replay USING btree (psp, digest) WHERE (state = 'open'::text);

ALTER INDEX pay.event_at ATTACH PARTITION pay.event_default_at_idx;
ALTER INDEX pay.event_key ATTACH PARTITION pay.event_default_pkey;
ALTER INDEX pay.event_tx ATTACH PARTITION pay.event_default_tx_idx;

CREATE OR REPLACE VIEW pay_check.amount_sum AS
 SELECT c.merchant_id,
    c.checkout_id,
    c.total_minor,
    sum((o.amount_minor)::bigint) AS orders_minor
   FROM (pay.checkout c
     JOIN pay.payment_order o USING (merchant_id, checkout_id))
  GROUP BY c.merchant_id, c.checkout_id
 HAVING ((sum((o.amount_minor)::bigint) <> (c.total_minor)::numeric) OR bool_or(((o.currency)::text <> (c.currency)::text)) OR (max((o."position")::integer) <> count(*)));
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
CREATE OR REPLACE VIEW pay_check.payment_done AS
 SELECT c.merchant_id,
    c.checkout_id,
    c.is_payment_done
   FROM (pay.checkout c
     JOIN pay.payment_order o USING (merchant_id, checkout_id))
  GROUP BY c.merchant_id, c.checkout_id
 HAVING ((c.is_payment_done <> bool_and(((o.status)::text = 'SUCCESS'::text))) OR (((c.capture)::text = 'automatic'::text) AND (count(DISTINCT o.status) > 1)));

CREATE TRIGGER account_kind_fixed BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.account_kind FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the chart is fixed', 'PAY20');
CREATE TRIGGER change_fixed BEFORE UPDATE OF merchant_id, change_id, checkout_id, payment_order_id, kind, origin, psp, amount_minor, currency, seller_minor, seller_currency, is_final, reason ON pay.change FOR EACH ROW WHEN ((((((((((((((new.merchant_id)::text IS DISTINCT FROM (old.merchant_id)::text) OR ((new.change_id)::text IS DISTINCT FROM (old.change_id)::text)) OR ((new.checkout_id)::text IS DISTINCT FROM (old.checkout_id)::text)) OR ((new.payment_order_id)::text IS DISTINCT FROM (old.payment_order_id)::text)) OR (new.kind IS DISTINCT FROM old.kind)) OR (new.origin IS DISTINCT FROM old.origin)) OR ((new.amount_minor)::bigint IS DISTINCT FROM (old.amount_minor)::bigint)) OR ((new.currency)::text IS DISTINCT FROM (old.currency)::text)) OR ((new.seller_currency)::text IS DISTINCT FROM (old.seller_currency)::text)) OR (new.is_final IS DISTINCT FROM old.is_final)) OR (new.reason IS DISTINCT FROM old.reason)) OR (((new.seller_minor)::bigint IS DISTINCT FROM (old.seller_minor)::bigint) AND ((old.kind <> 'refund'::text) OR ((old.status)::text <> 'FAILED'::text) OR ((new.status)::text <> 'SUCCESS'::text))) OR (((new.psp)::text <> (old.psp)::text) AND ((old.kind <> 'cancel'::text) OR ((old.status)::text <> 'NOT_STARTED'::text))))) EXECUTE FUNCTION pay.refuse_change('a change''s terms are fixed', 'PAY11');
ALTER TABLE pay.change ENABLE ALWAYS TRIGGER change_fixed;
CREATE TRIGGER change_status BEFORE UPDATE OF status ON pay.change FOR EACH ROW WHEN (((pay.status_rank((new.status)::text) < pay.status_rank((old.status)::text)) AND (NOT new.returned) AND (NOT ((old.kind = 'capture'::text) AND old.by_amount AND (NOT new.by_amount))))) EXECUTE FUNCTION pay.refuse_change('no such transition', 'PAY10');
ALTER TABLE pay.change ENABLE ALWAYS TRIGGER change_status;
CREATE TRIGGER checkout_fixed BEFORE UPDATE OF merchant_id, checkout_id, checkout_uuid, handle, base_url, currency, total_minor, payment_method ON pay.checkout FOR EACH ROW WHEN ((((((((((new.merchant_id)::text IS DISTINCT FROM (old.merchant_id)::text) OR ((new.checkout_id)::text IS DISTINCT FROM (old.checkout_id)::text)) OR (new.checkout_uuid IS DISTINCT FROM old.checkout_uuid)) OR ((new.handle)::text IS DISTINCT FROM (old.handle)::text)) OR ((new.base_url)::text IS DISTINCT FROM (old.base_url)::text)) OR ((new.currency)::text IS DISTINCT FROM (old.currency)::text)) OR ((new.total_minor)::bigint IS DISTINCT FROM (old.total_minor)::bigint)) OR (new.payment_method IS DISTINCT FROM old.payment_method))) EXECUTE FUNCTION pay.refuse_change('a checkout''s terms are fixed', 'PAY11');
ALTER TABLE pay.checkout ENABLE ALWAYS TRIGGER checkout_fixed;
CREATE TRIGGER checkout_nonce BEFORE UPDATE OF nonce, psps, key_windows ON pay.checkout FOR EACH ROW WHEN (((((new.nonce)::text IS DISTINCT FROM (old.nonce)::text) OR ((new.psps)::text[] IS DISTINCT FROM (old.psps)::text[])) OR (new.key_windows IS DISTINCT FROM old.key_windows))) EXECUTE FUNCTION pay.refuse_change('one nonce for ever', 'PAY11');
ALTER TABLE pay.checkout ENABLE ALWAYS TRIGGER checkout_nonce;
CREATE TRIGGER checkout_psp BEFORE UPDATE OF psp ON pay.checkout FOR EACH ROW WHEN ((((new.psp)::text <> (old.psp)::text) AND (((old.state)::text <> 'REGISTERING'::text) OR ((new.state)::text <> 'REGISTERING'::text) OR (old.token IS NOT NULL) OR ((old.open_attempts)::integer > 1) OR ((new.attempt)::integer <= (old.attempt)::integer) OR ((new.open_attempts)::integer <> 1) OR ((new.psp)::text <> ALL ((old.psps)::text[])) OR ((new.psp)::text = ANY (old.refused_psps))))) EXECUTE FUNCTION pay.refuse_change('something may have happened there', 'PAY11');
ALTER TABLE pay.checkout ENABLE ALWAYS TRIGGER checkout_psp;
CREATE TRIGGER checkout_token BEFORE UPDATE OF token, alias, attempt ON pay.checkout FOR EACH ROW WHEN ((((old.token IS NOT NULL) AND (((new.token)::text IS DISTINCT FROM (old.token)::text) OR ((new.alias)::text IS DISTINCT FROM (old.alias)::text))) OR ((new.attempt)::integer < (old.attempt)::integer))) EXECUTE FUNCTION pay.refuse_change('one token for ever', 'PAY11');
ALTER TABLE pay.checkout ENABLE ALWAYS TRIGGER checkout_token;
CREATE TRIGGER checkout_version BEFORE UPDATE OF version, is_payment_done ON pay.checkout FOR EACH ROW WHEN (((new.version < old.version) OR (new.is_payment_done < old.is_payment_done))) EXECUTE FUNCTION pay.refuse_change('versions grow, done is done', 'PAY11');
ALTER TABLE pay.checkout ENABLE ALWAYS TRIGGER checkout_version;
CREATE TRIGGER commission_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.commission FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the schedule is append-only', 'PAY20');
ALTER TABLE pay.commission ENABLE ALWAYS TRIGGER commission_append_only;
CREATE TRIGGER console_act_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.console_act FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('acts are append-only', 'PAY20');
ALTER TABLE pay.console_act ENABLE ALWAYS TRIGGER console_act_append_only;
CREATE TRIGGER console_proposal_decided BEFORE UPDATE ON pay.console_proposal FOR EACH ROW WHEN (((old.state <> 'waiting'::text) OR ((((((((((((new.proposal_id IS DISTINCT FROM old.proposal_id) OR (new.at IS DISTINCT FROM old.at)) OR (new.until IS DISTINCT FROM old.until)) OR (new.act IS DISTINCT FROM old.act)) OR ((new.merchant_id)::text IS DISTINCT FROM (old.merchant_id)::text)) OR ((new.checkout_id)::text IS DISTINCT FROM (old.checkout_id)::text)) OR ((new.object)::text IS DISTINCT FROM (old.object)::text)) OR ((new.amount_minor)::bigint IS DISTINCT FROM (old.amount_minor)::bigint)) OR ((new.currency)::text IS DISTINCT FROM (old.currency)::text)) OR (new.outcome IS DISTINCT FROM old.outcome)) OR ((new.proposed_by)::text IS DISTINCT FROM (old.proposed_by)::text)) OR ((new.reason)::text IS DISTINCT FROM (old.reason)::text)))) EXECUTE FUNCTION pay.refuse_change('a proposal is decided once', 'PAY20');
ALTER TABLE pay.console_proposal ENABLE ALWAYS TRIGGER console_proposal_decided;
CREATE TRIGGER console_proposal_kept BEFORE DELETE OR TRUNCATE ON pay.console_proposal FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('proposals stay', 'PAY20');
ALTER TABLE pay.console_proposal ENABLE ALWAYS TRIGGER console_proposal_kept;
CREATE TRIGGER dispatch_first BEFORE INSERT ON pay.dispatch FOR EACH ROW WHEN (((new.operation)::text = 'register'::text)) EXECUTE FUNCTION pay.refuse_second_call();
ALTER TABLE pay.dispatch ENABLE ALWAYS TRIGGER dispatch_first;
CREATE TRIGGER dropped_month_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.dropped_month FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('what was done was done', 'PAY20');
ALTER TABLE pay.dropped_month ENABLE ALWAYS TRIGGER dropped_month_append_only;
CREATE TRIGGER event_anchor_grows BEFORE UPDATE ON pay.event_anchor FOR EACH ROW WHEN (((((new.merchant_id)::text IS DISTINCT FROM (old.merchant_id)::text) OR ((new.payment_order_id)::text IS DISTINCT FROM (old.payment_order_id)::text)) OR (new.seq <= old.seq))) EXECUTE FUNCTION pay.refuse_change('anchors move ahead', 'PAY20');
ALTER TABLE pay.event_anchor ENABLE ALWAYS TRIGGER event_anchor_grows;
CREATE TRIGGER event_anchor_kept BEFORE DELETE OR TRUNCATE ON pay.event_anchor FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('anchors stay', 'PAY20');
ALTER TABLE pay.event_anchor ENABLE ALWAYS TRIGGER event_anchor_kept;
CREATE TRIGGER event_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.event FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the log is append-only', 'PAY20');
ALTER TABLE pay.event ENABLE ALWAYS TRIGGER event_append_only;
CREATE TRIGGER event_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.event_default FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the log is append-only', 'PAY20');
ALTER TABLE pay.event_default ENABLE ALWAYS TRIGGER event_append_only;
CREATE TRIGGER journal_entry_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.journal_entry FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the journal is append-only', 'PAY20');
ALTER TABLE pay.journal_entry ENABLE ALWAYS TRIGGER journal_entry_append_only;
CREATE CONSTRAINT TRIGGER journal_entry_balances AFTER INSERT ON pay.journal_entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pay.entry_balances();
ALTER TABLE pay.journal_entry ENABLE ALWAYS TRIGGER journal_entry_balances;
CREATE TRIGGER journal_line_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.journal_line FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the journal is append-only', 'PAY20');
ALTER TABLE pay.journal_line ENABLE ALWAYS TRIGGER journal_line_append_only;
CREATE TRIGGER journal_line_entry AFTER INSERT ON pay.journal_line REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION pay.lines_with_entry();
ALTER TABLE pay.journal_line ENABLE ALWAYS TRIGGER journal_line_entry;
CREATE TRIGGER late_success_fixed BEFORE UPDATE OF merchant_id, checkout_id, psp, amount_minor, currency, refund_id ON pay.late_success FOR EACH ROW WHEN (((((((((new.merchant_id)::text IS DISTINCT FROM (old.merchant_id)::text) OR ((new.checkout_id)::text IS DISTINCT FROM (old.checkout_id)::text)) OR ((new.psp)::text IS DISTINCT FROM (old.psp)::text)) OR ((new.amount_minor)::bigint IS DISTINCT FROM (old.amount_minor)::bigint)) OR (new.currency IS DISTINCT FROM old.currency)) OR (new.refund_id IS DISTINCT FROM old.refund_id)) AND ((((((((new.merchant_id)::text IS DISTINCT FROM (old.merchant_id)::text) OR ((new.checkout_id)::text IS DISTINCT FROM (old.checkout_id)::text)) OR ((new.psp)::text IS DISTINCT FROM (old.psp)::text)) OR ((new.amount_minor)::bigint IS DISTINCT FROM (old.amount_minor)::bigint)) OR (new.currency IS DISTINCT FROM old.currency)) OR (old.state IS DISTINCT FROM 'refunded'::text)) OR (new.state IS DISTINCT FROM 'refunding'::text)))) EXECUTE FUNCTION pay.refuse_change('one refund until it fails', 'PAY11');
ALTER TABLE pay.late_success ENABLE ALWAYS TRIGGER late_success_fixed;
CREATE TRIGGER late_success_state BEFORE UPDATE OF state ON pay.late_success FOR EACH ROW WHEN (((new.state <> old.state) AND (((((((old.state <> 'held'::text) OR (new.state <> 'accepted'::text)) AND ((old.state <> 'held'::text) OR (new.state <> 'resolved'::text))) AND ((old.state <> 'refunding'::text) OR (new.state <> 'refunded'::text))) AND ((old.state <> 'refunding'::text) OR (new.state <> 'resolved'::text))) AND ((old.state <> 'refunded'::text) OR (new.state <> 'refunding'::text))) AND ((old.state <> 'resolved'::text) OR (new.state <> 'refunded'::text))))) EXECUTE FUNCTION pay.refuse_change('no such transition', 'PAY10');
ALTER TABLE pay.late_success ENABLE ALWAYS TRIGGER late_success_state;
CREATE TRIGGER message_immutable BEFORE UPDATE OR TRUNCATE ON pay.message FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('messages are immutable', 'PAY20');
ALTER TABLE pay.message ENABLE ALWAYS TRIGGER message_immutable;
CREATE TRIGGER mismatch_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.mismatch FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the queue is append-only', 'PAY20');
ALTER TABLE pay.mismatch ENABLE ALWAYS TRIGGER mismatch_append_only;
CREATE TRIGGER mismatch_closed AFTER INSERT ON pay.mismatch_settlement REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pay.close_mismatch();
ALTER TABLE pay.mismatch_settlement ENABLE ALWAYS TRIGGER mismatch_closed;
CREATE TRIGGER mismatch_opened AFTER INSERT ON pay.mismatch REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pay.open_mismatch();
ALTER TABLE pay.mismatch ENABLE ALWAYS TRIGGER mismatch_opened;
CREATE TRIGGER mismatch_settlement_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.mismatch_settlement FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the queue is append-only', 'PAY20');
ALTER TABLE pay.mismatch_settlement ENABLE ALWAYS TRIGGER mismatch_settlement_append_only;
CREATE TRIGGER news_kind_fixed BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.news_kind FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the state machine is fixed', 'PAY20');
CREATE TRIGGER order_fee_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.order_fee FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the terms of a fee are fixed', 'PAY20');
ALTER TABLE pay.order_fee ENABLE ALWAYS TRIGGER order_fee_append_only;
CREATE TRIGGER payment_order_fixed BEFORE UPDATE OF merchant_id, payment_order_id, checkout_id, "position", seller_account, amount_minor, currency ON pay.payment_order FOR EACH ROW WHEN (((((((((new.merchant_id)::text IS DISTINCT FROM (old.merchant_id)::text) OR ((new.payment_order_id)::text IS DISTINCT FROM (old.payment_order_id)::text)) OR ((new.checkout_id)::text IS DISTINCT FROM (old.checkout_id)::text)) OR ((new."position")::integer IS DISTINCT FROM (old."position")::integer)) OR ((new.seller_account)::text IS DISTINCT FROM (old.seller_account)::text)) OR ((new.amount_minor)::bigint IS DISTINCT FROM (old.amount_minor)::bigint)) OR ((new.currency)::text IS DISTINCT FROM (old.currency)::text))) EXECUTE FUNCTION pay.refuse_change('an order''s terms are fixed', 'PAY11');
ALTER TABLE pay.payment_order ENABLE ALWAYS TRIGGER payment_order_fixed;
CREATE TRIGGER payment_order_head BEFORE UPDATE OF version, head, head_tx ON pay.payment_order FOR EACH ROW WHEN (((new.version < old.version) OR (new.head_tx < old.head_tx) OR (((new.head)::bytea <> (old.head)::bytea) <> (new.version <> old.version)))) EXECUTE FUNCTION pay.refuse_change('versions grow, and a head has its version', 'PAY11');
ALTER TABLE pay.payment_order ENABLE ALWAYS TRIGGER payment_order_head;
CREATE TRIGGER payment_order_start BEFORE INSERT ON pay.payment_order FOR EACH ROW WHEN ((((new.status)::text <> 'NOT_STARTED'::text) OR (new.version <> 1))) EXECUTE FUNCTION pay.refuse_change('an order begins NOT_STARTED', 'PAY10');
ALTER TABLE pay.payment_order ENABLE ALWAYS TRIGGER payment_order_start;
CREATE TRIGGER payment_order_status BEFORE UPDATE OF status ON pay.payment_order FOR EACH ROW WHEN ((array_position('{NOT_STARTED,EXECUTING,FAILED,SUCCESS}'::text[], (new.status)::text) < array_position('{NOT_STARTED,EXECUTING,FAILED,SUCCESS}'::text[], (old.status)::text))) EXECUTE FUNCTION pay.refuse_change('no such transition', 'PAY10');
ALTER TABLE pay.payment_order ENABLE ALWAYS TRIGGER payment_order_status;
CREATE TRIGGER payout_act_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.payout_act FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('acts are append-only', 'PAY20');
ALTER TABLE pay.payout_act ENABLE ALWAYS TRIGGER payout_act_append_only;
CREATE TRIGGER payout_advice_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.payout_advice FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('an advice is fixed', 'PAY20');
ALTER TABLE pay.payout_advice ENABLE ALWAYS TRIGGER payout_advice_append_only;
CREATE TRIGGER payout_approval_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.payout_approval FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('approvals are append-only', 'PAY20');
ALTER TABLE pay.payout_approval ENABLE ALWAYS TRIGGER payout_approval_append_only;
CREATE TRIGGER payout_approval_foreign BEFORE INSERT ON pay.payout_approval FOR EACH ROW EXECUTE FUNCTION pay.approval_is_foreign();
ALTER TABLE pay.payout_approval ENABLE ALWAYS TRIGGER payout_approval_foreign;
CREATE TRIGGER payout_approved BEFORE UPDATE OF state ON pay.payout FOR EACH ROW WHEN ((((new.state)::text <> (old.state)::text) AND ((new.state)::text = ANY (ARRAY['approved'::text, 'sending'::text])) AND ((old.state)::text = ANY (ARRAY['ready'::text, 'approved'::text])))) EXECUTE FUNCTION pay.payout_is_approved();
ALTER TABLE pay.payout ENABLE ALWAYS TRIGGER payout_approved;
CREATE TRIGGER payout_batch_approved BEFORE INSERT OR UPDATE OF state ON pay.payout_batch FOR EACH ROW WHEN ((new.state = 'approved'::text)) EXECUTE FUNCTION pay.batch_is_approved();
ALTER TABLE pay.payout_batch ENABLE ALWAYS TRIGGER payout_batch_approved;
CREATE TRIGGER payout_batch_fixed BEFORE UPDATE OF merchant_id, batch_id, provider, currency, item_count, total_minor, hash, made_by, made_at ON pay.payout_batch FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('a batch is fixed', 'PAY11');
ALTER TABLE pay.payout_batch ENABLE ALWAYS TRIGGER payout_batch_fixed;
CREATE TRIGGER payout_batch_item_all AFTER INSERT ON pay.payout_batch_item REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION pay.batch_items_are_all();
ALTER TABLE pay.payout_batch_item ENABLE ALWAYS TRIGGER payout_batch_item_all;
CREATE TRIGGER payout_batch_item_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.payout_batch_item FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('a batch is fixed', 'PAY20');
ALTER TABLE pay.payout_batch_item ENABLE ALWAYS TRIGGER payout_batch_item_append_only;
CREATE TRIGGER payout_batch_kept BEFORE DELETE OR TRUNCATE ON pay.payout_batch FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('batches are kept', 'PAY20');
ALTER TABLE pay.payout_batch ENABLE ALWAYS TRIGGER payout_batch_kept;
CREATE TRIGGER payout_batch_state BEFORE UPDATE OF state ON pay.payout_batch FOR EACH ROW WHEN (((new.state <> old.state) AND ((old.state = ANY (ARRAY['expired'::text, 'withdrawn'::text])) OR (new.state = 'open'::text)))) EXECUTE FUNCTION pay.refuse_change('no such transition', 'PAY10');
ALTER TABLE pay.payout_batch ENABLE ALWAYS TRIGGER payout_batch_state;
CREATE CONSTRAINT TRIGGER payout_batch_whole AFTER INSERT OR UPDATE ON pay.payout_batch DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pay.batch_is_whole();
ALTER TABLE pay.payout_batch ENABLE ALWAYS TRIGGER payout_batch_whole;
CREATE CONSTRAINT TRIGGER payout_booked AFTER INSERT OR UPDATE ON pay.payout DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pay.payout_is_booked();
ALTER TABLE pay.payout ENABLE ALWAYS TRIGGER payout_booked;
CREATE TRIGGER payout_destination_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.payout_destination FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('versions are append-only', 'PAY20');
ALTER TABLE pay.payout_destination ENABLE ALWAYS TRIGGER payout_destination_append_only;
CREATE TRIGGER payout_dispatch_ends_once BEFORE UPDATE ON pay.payout_dispatch FOR EACH ROW WHEN ((old.ended_at IS NOT NULL)) EXECUTE FUNCTION pay.refuse_change('the journal is append-only', 'PAY20');
ALTER TABLE pay.payout_dispatch ENABLE ALWAYS TRIGGER payout_dispatch_ends_once;
CREATE TRIGGER payout_dispatch_fixed BEFORE UPDATE OF merchant_id, payout_id, number, call, step, key, owner, begun_at, key_until ON pay.payout_dispatch FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the journal is append-only', 'PAY20');
ALTER TABLE pay.payout_dispatch ENABLE ALWAYS TRIGGER payout_dispatch_fixed;
CREATE TRIGGER payout_dispatch_kept BEFORE DELETE OR TRUNCATE ON pay.payout_dispatch FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the journal is append-only', 'PAY20');
ALTER TABLE pay.payout_dispatch ENABLE ALWAYS TRIGGER payout_dispatch_kept;
CREATE TRIGGER payout_dispatch_may_be BEFORE INSERT ON pay.payout_dispatch FOR EACH ROW WHEN (((new.call)::text = 'send'::text)) EXECUTE FUNCTION pay.payout_may_be_sent();
ALTER TABLE pay.payout_dispatch ENABLE ALWAYS TRIGGER payout_dispatch_may_be;
CREATE TRIGGER payout_file_fixed BEFORE UPDATE OF msg_id, merchant_id, provider, debtor_iban, execute_on, place, made_by, made_at ON pay.payout_file FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the bytes of a file are fixed', 'PAY11');
ALTER TABLE pay.payout_file ENABLE ALWAYS TRIGGER payout_file_fixed;
CREATE TRIGGER payout_file_item_fixed BEFORE UPDATE OF msg_id, merchant_id, payout_id, number, key ON pay.payout_file_item FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the items of a file are fixed', 'PAY11');
ALTER TABLE pay.payout_file_item ENABLE ALWAYS TRIGGER payout_file_item_fixed;
CREATE TRIGGER payout_file_item_kept BEFORE DELETE OR TRUNCATE ON pay.payout_file_item FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('pay-outs are kept', 'PAY20');
ALTER TABLE pay.payout_file_item ENABLE ALWAYS TRIGGER payout_file_item_kept;
CREATE TRIGGER payout_file_item_out BEFORE UPDATE ON pay.payout_file_item FOR EACH ROW WHEN ((NOT old.is_in)) EXECUTE FUNCTION pay.refuse_change('the items of a file are fixed', 'PAY11');
ALTER TABLE pay.payout_file_item ENABLE ALWAYS TRIGGER payout_file_item_out;
CREATE TRIGGER payout_file_kept BEFORE DELETE OR TRUNCATE ON pay.payout_file FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('pay-outs are kept', 'PAY20');
ALTER TABLE pay.payout_file ENABLE ALWAYS TRIGGER payout_file_kept;
CREATE TRIGGER payout_file_state BEFORE UPDATE ON pay.payout_file FOR EACH ROW WHEN ((NOT (((old.state = 'claimed'::text) AND (new.state = ANY (ARRAY['fixed'::text, 'dropped'::text]))) OR ((old.state = 'fixed'::text) AND (new.state = ANY (ARRAY['written'::text, 'dropped'::text, 'lost'::text])) AND ((new.sha256)::bytea = (old.sha256)::bytea) AND ((new.item_count)::integer = (old.item_count)::integer) AND ((new.total_minor)::bigint = (old.total_minor)::bigint))))) EXECUTE FUNCTION pay.refuse_change('the bytes of a file are fixed', 'PAY11');
ALTER TABLE pay.payout_file ENABLE ALWAYS TRIGGER payout_file_state;
CREATE TRIGGER payout_fixed BEFORE UPDATE OF merchant_id, payout_id, payout_key, attempt, seller_account, currency, amount_minor, left_minor, line_count, provider, destination_id, destination_version, made_by, created_at ON pay.payout FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the terms of a pay-out are fixed', 'PAY11');
ALTER TABLE pay.payout ENABLE ALWAYS TRIGGER payout_fixed;
CREATE TRIGGER payout_kept BEFORE DELETE OR TRUNCATE ON pay.payout FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('pay-outs are kept', 'PAY20');
ALTER TABLE pay.payout ENABLE ALWAYS TRIGGER payout_kept;
CREATE TRIGGER payout_part_dead BEFORE UPDATE OF is_live ON pay.payout_part FOR EACH ROW WHEN ((new.is_live AND (NOT old.is_live))) EXECUTE FUNCTION pay.refuse_change('a line comes back in another item', 'PAY10');
ALTER TABLE pay.payout_part ENABLE ALWAYS TRIGGER payout_part_dead;
CREATE TRIGGER payout_part_fixed BEFORE UPDATE OF merchant_id, payout_id, seller_account, currency, wallet_seq ON pay.payout_part FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the lines of a pay-out are fixed', 'PAY11');
ALTER TABLE pay.payout_part ENABLE ALWAYS TRIGGER payout_part_fixed;
CREATE TRIGGER payout_part_kept BEFORE DELETE OR TRUNCATE ON pay.payout_part FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('pay-outs are kept', 'PAY20');
ALTER TABLE pay.payout_part ENABLE ALWAYS TRIGGER payout_part_kept;
CREATE TRIGGER payout_report_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.payout_report FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('reports are append-only', 'PAY20');
ALTER TABLE pay.payout_report ENABLE ALWAYS TRIGGER payout_report_append_only;
CREATE TRIGGER payout_run_ends_once BEFORE UPDATE ON pay.payout_run FOR EACH ROW WHEN ((old.ended_at IS NOT NULL)) EXECUTE FUNCTION pay.refuse_change('a run ends once', 'PAY11');
ALTER TABLE pay.payout_run ENABLE ALWAYS TRIGGER payout_run_ends_once;
CREATE TRIGGER payout_run_fixed BEFORE UPDATE OF merchant_id, run_id, seller_account, due_day, due_at, batch_items, begun_at ON pay.payout_run FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the terms of a run are fixed', 'PAY11');
ALTER TABLE pay.payout_run ENABLE ALWAYS TRIGGER payout_run_fixed;
CREATE TRIGGER payout_run_kept BEFORE DELETE OR TRUNCATE ON pay.payout_run FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('runs are kept', 'PAY20');
ALTER TABLE pay.payout_run ENABLE ALWAYS TRIGGER payout_run_kept;
CREATE TRIGGER payout_sending_fixed BEFORE UPDATE OF merchant_id, payout_id, provider, adapter, made_at ON pay.payout_sending FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the bytes of a call are fixed', 'PAY11');
ALTER TABLE pay.payout_sending ENABLE ALWAYS TRIGGER payout_sending_fixed;
CREATE TRIGGER payout_sending_kept BEFORE DELETE OR TRUNCATE ON pay.payout_sending FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('pay-outs are kept', 'PAY20');
ALTER TABLE pay.payout_sending ENABLE ALWAYS TRIGGER payout_sending_kept;
CREATE TRIGGER payout_start BEFORE INSERT ON pay.payout FOR EACH ROW WHEN (((new.state)::text <> ALL (ARRAY['draft'::text, 'ready'::text]))) EXECUTE FUNCTION pay.refuse_change('a pay-out begins as draft or ready', 'PAY10');
ALTER TABLE pay.payout ENABLE ALWAYS TRIGGER payout_start;
CREATE TRIGGER payout_state_moves BEFORE UPDATE OF state ON pay.payout FOR EACH ROW WHEN (((old.state)::text <> (new.state)::text)) EXECUTE FUNCTION pay.payout_moves();
ALTER TABLE pay.payout ENABLE ALWAYS TRIGGER payout_state_moves;
CREATE TRIGGER payout_transition_fixed BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.payout_transition FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the states are fixed', 'PAY20');
CREATE TRIGGER posting_rule_fixed BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.posting_rule FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the rules are fixed', 'PAY20');
CREATE TRIGGER psp_balance_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.psp_balance FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('balances are append-only', 'PAY20');
ALTER TABLE pay.psp_balance ENABLE ALWAYS TRIGGER psp_balance_append_only;
CREATE TRIGGER risk_after_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.risk_after FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('a decision is fixed', 'PAY20');
ALTER TABLE pay.risk_after ENABLE ALWAYS TRIGGER risk_after_append_only;
CREATE TRIGGER risk_decision_emptied BEFORE UPDATE OF features, buyer, device ON pay.risk_decision FOR EACH ROW WHEN ((((new.features IS NOT NULL) AND (new.features IS DISTINCT FROM old.features)) OR ((new.buyer IS NOT NULL) AND (new.buyer IS DISTINCT FROM old.buyer)) OR ((new.device IS NOT NULL) AND (new.device IS DISTINCT FROM old.device)))) EXECUTE FUNCTION pay.refuse_change('a decision is fixed', 'PAY20');
ALTER TABLE pay.risk_decision ENABLE ALWAYS TRIGGER risk_decision_emptied;
CREATE TRIGGER risk_decision_fixed BEFORE UPDATE OF merchant_id, checkout_id, decision, decided_by, hits, inputs_hash, version, at, score ON pay.risk_decision FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('a decision is fixed', 'PAY20');
ALTER TABLE pay.risk_decision ENABLE ALWAYS TRIGGER risk_decision_fixed;
CREATE TRIGGER risk_decision_kept BEFORE DELETE OR TRUNCATE ON pay.risk_decision FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('decisions are kept', 'PAY20');
ALTER TABLE pay.risk_decision ENABLE ALWAYS TRIGGER risk_decision_kept;
CREATE TRIGGER risk_list_act_append_only BEFORE DELETE OR UPDATE OF act_id, list_id, act, merchant_id, effect, kind, until, who, why, at OR TRUNCATE ON pay.risk_list_act FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('acts are append-only', 'PAY20');
ALTER TABLE pay.risk_list_act ENABLE ALWAYS TRIGGER risk_list_act_append_only;
CREATE TRIGGER risk_list_act_emptied BEFORE UPDATE OF value ON pay.risk_list_act FOR EACH ROW WHEN (((new.value IS NOT NULL) AND ((new.value)::text IS DISTINCT FROM (old.value)::text))) EXECUTE FUNCTION pay.refuse_change('acts are append-only', 'PAY20');
ALTER TABLE pay.risk_list_act ENABLE ALWAYS TRIGGER risk_list_act_emptied;
CREATE TRIGGER risk_mode_act_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.risk_mode_act FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('acts are append-only', 'PAY20');
ALTER TABLE pay.risk_mode_act ENABLE ALWAYS TRIGGER risk_mode_act_append_only;
CREATE TRIGGER risk_mode_act_told AFTER INSERT ON pay.risk_mode_act REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pay.tell_mode();
CREATE TRIGGER risk_promotion_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.risk_promotion FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('promotions are append-only', 'PAY20');
ALTER TABLE pay.risk_promotion ENABLE ALWAYS TRIGGER risk_promotion_append_only;
CREATE TRIGGER risk_review_act_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.risk_review_act FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('acts are append-only', 'PAY20');
ALTER TABLE pay.risk_review_act ENABLE ALWAYS TRIGGER risk_review_act_append_only;
CREATE TRIGGER sanction_list_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.sanction_list FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('imports are append-only', 'PAY20');
ALTER TABLE pay.sanction_list ENABLE ALWAYS TRIGGER sanction_list_append_only;
CREATE TRIGGER screening_clearance_kept BEFORE DELETE OR TRUNCATE ON pay.screening_clearance FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('clearances are kept', 'PAY20');
ALTER TABLE pay.screening_clearance ENABLE ALWAYS TRIGGER screening_clearance_kept;
CREATE TRIGGER seal_kept BEFORE DELETE OR TRUNCATE ON pay.seal FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('seals are append-only', 'PAY20');
ALTER TABLE pay.seal ENABLE ALWAYS TRIGGER seal_kept;
CREATE TRIGGER seal_leaf_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.seal_leaf FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('seals are append-only', 'PAY20');
ALTER TABLE pay.seal_leaf ENABLE ALWAYS TRIGGER seal_leaf_append_only;
CREATE TRIGGER seal_signed BEFORE UPDATE ON pay.seal FOR EACH ROW WHEN (((old.signature IS NOT NULL) OR (new.signature IS NULL) OR ((((((((new.number IS DISTINCT FROM old.number) OR (new.from_tx IS DISTINCT FROM old.from_tx)) OR (new.until_tx IS DISTINCT FROM old.until_tx)) OR (new.at IS DISTINCT FROM old.at)) OR (new.count IS DISTINCT FROM old.count)) OR (new.root IS DISTINCT FROM old.root)) OR (new.previous IS DISTINCT FROM old.previous)) OR (new.message IS DISTINCT FROM old.message)))) EXECUTE FUNCTION pay.refuse_change('seals are append-only', 'PAY20');
ALTER TABLE pay.seal ENABLE ALWAYS TRIGGER seal_signed;
CREATE TRIGGER settlement_act_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.settlement_act FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('acts are append-only', 'PAY20');
ALTER TABLE pay.settlement_act ENABLE ALWAYS TRIGGER settlement_act_append_only;
CREATE TRIGGER settlement_close_fixed BEFORE UPDATE OF number, day, at, document, until_at, until_tx ON pay.settlement_close FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('closed days stay closed', 'PAY20');
ALTER TABLE pay.settlement_close ENABLE ALWAYS TRIGGER settlement_close_fixed;
CREATE TRIGGER settlement_close_kept BEFORE DELETE OR TRUNCATE ON pay.settlement_close FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('closed days stay closed', 'PAY20');
ALTER TABLE pay.settlement_close ENABLE ALWAYS TRIGGER settlement_close_kept;
CREATE TRIGGER settlement_closed_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.settlement_closed FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('links are append-only', 'PAY20');
ALTER TABLE pay.settlement_closed ENABLE ALWAYS TRIGGER settlement_closed_append_only;
CREATE TRIGGER settlement_copy_append_only BEFORE UPDATE OR TRUNCATE ON pay.settlement_copy FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('copies of files are append-only', 'PAY20');
ALTER TABLE pay.settlement_copy ENABLE ALWAYS TRIGGER settlement_copy_append_only;
CREATE TRIGGER settlement_exception_told AFTER INSERT ON pay.settlement_exception REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pay.tell_exception();
CREATE TRIGGER settlement_expected_fixed BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.settlement_expected FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the rules are fixed', 'PAY20');
CREATE TRIGGER settlement_file_state BEFORE UPDATE OF state ON pay.settlement_file FOR EACH ROW WHEN ((((old.state = 'booked'::text) AND (new.state <> old.state)) OR ((old.state = 'booking'::text) AND (new.state <> ALL (ARRAY['booking'::text, 'booked'::text]))) OR ((old.state = 'refused'::text) AND (new.state <> ALL (ARRAY['received'::text, 'refused'::text]))))) EXECUTE FUNCTION pay.refuse_change('no such transition', 'PAY10');
ALTER TABLE pay.settlement_file ENABLE ALWAYS TRIGGER settlement_file_state;
CREATE TRIGGER settlement_link_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.settlement_link FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('links are append-only', 'PAY20');
ALTER TABLE pay.settlement_link ENABLE ALWAYS TRIGGER settlement_link_append_only;
CREATE TRIGGER settlement_row_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.settlement_row FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('rows of files are append-only', 'PAY20');
ALTER TABLE pay.settlement_row ENABLE ALWAYS TRIGGER settlement_row_append_only;
CREATE TRIGGER settlement_rule_fixed BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.settlement_rule FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the rules are fixed', 'PAY20');
CREATE TRIGGER transition_fixed BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.transition FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('the state machine is fixed', 'PAY20');
CREATE TRIGGER webhook_act_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON pay.webhook_act FOR EACH STATEMENT EXECUTE FUNCTION pay.refuse_change('acts are append-only', 'PAY20');
ALTER TABLE pay.webhook_act ENABLE ALWAYS TRIGGER webhook_act_append_only;

ALTER TABLE ONLY pay.change
    ADD CONSTRAINT change_merchant_id_checkout_id_fkey FOREIGN KEY (merchant_id, checkout_id) REFERENCES pay.checkout(merchant_id, checkout_id);
ALTER TABLE ONLY pay.console_act
    ADD CONSTRAINT console_act_proposal_id_fkey FOREIGN KEY (proposal_id) REFERENCES pay.console_proposal(proposal_id);
ALTER TABLE ONLY pay.console_act_right
    ADD CONSTRAINT console_act_right_role_fkey FOREIGN KEY (role) REFERENCES pay.console_role(role);
ALTER TABLE ONLY pay.console_right
    ADD CONSTRAINT console_right_role_fkey FOREIGN KEY (role) REFERENCES pay.console_role(role);
ALTER TABLE ONLY pay.dispatch
    ADD CONSTRAINT dispatch_merchant_id_checkout_id_fkey FOREIGN KEY (merchant_id, checkout_id) REFERENCES pay.checkout(merchant_id, checkout_id);
ALTER TABLE ONLY pay.dispute
    ADD CONSTRAINT dispute_merchant_id_checkout_id_fkey FOREIGN KEY (merchant_id, checkout_id) REFERENCES pay.checkout(merchant_id, checkout_id);
ALTER TABLE ONLY pay.late_success
    ADD CONSTRAINT late_success_merchant_id_checkout_id_fkey FOREIGN KEY (merchant_id, checkout_id) REFERENCES pay.checkout(merchant_id, checkout_id);
ALTER TABLE ONLY pay.mismatch_settlement
    ADD CONSTRAINT mismatch_settlement_merchant_id_checkout_id_mismatch_id_fkey FOREIGN KEY (merchant_id, checkout_id, mismatch_id) REFERENCES pay.mismatch(merchant_id, checkout_id, mismatch_id);
ALTER TABLE ONLY pay.order_fee
    ADD CONSTRAINT order_fee_commission_id_fkey FOREIGN KEY (commission_id) REFERENCES pay.commission(commission_id);
ALTER TABLE ONLY pay.payment_order
    ADD CONSTRAINT payment_order_merchant_id_checkout_id_fkey FOREIGN KEY (merchant_id, checkout_id) REFERENCES pay.checkout(merchant_id, checkout_id);
ALTER TABLE ONLY pay.payout_advice_kind
    ADD CONSTRAINT payout_advice_kind_kind_fkey FOREIGN KEY (kind) REFERENCES pay.posting_kind(kind);
ALTER TABLE ONLY pay.payout_advice
    ADD CONSTRAINT payout_advice_merchant_id_payout_id_fkey FOREIGN KEY (merchant_id, payout_id) REFERENCES pay.payout(merchant_id, payout_id);
ALTER TABLE ONLY pay.payout_approval
    ADD CONSTRAINT payout_approval_merchant_id_batch_id_fkey FOREIGN KEY (merchant_id, batch_id) REFERENCES pay.payout_batch(merchant_id, batch_id);
ALTER TABLE ONLY pay.payout_batch_item
    ADD CONSTRAINT payout_batch_item_merchant_id_batch_id_fkey FOREIGN KEY (merchant_id, batch_id) REFERENCES pay.payout_batch(merchant_id, batch_id);
ALTER TABLE ONLY pay.payout_batch_item
    ADD CONSTRAINT payout_batch_item_merchant_id_payout_id_fkey FOREIGN KEY (merchant_id, payout_id) REFERENCES pay.payout(merchant_id, payout_id);
ALTER TABLE ONLY pay.payout_destination
    ADD CONSTRAINT payout_destination_merchant_id_destination_id_fkey FOREIGN KEY (merchant_id, destination_id) REFERENCES pay.payout_account(merchant_id, destination_id);
ALTER TABLE ONLY pay.payout_destination
    ADD CONSTRAINT payout_destination_merchant_id_provider_fkey FOREIGN KEY (merchant_id, provider) REFERENCES pay.payout_provider(merchant_id, provider);
ALTER TABLE ONLY pay.payout_dispatch
    ADD CONSTRAINT payout_dispatch_merchant_id_payout_id_fkey FOREIGN KEY (merchant_id, payout_id) REFERENCES pay.payout(merchant_id, payout_id);
ALTER TABLE ONLY pay.payout_file_item
    ADD CONSTRAINT payout_file_item_merchant_id_payout_id_number_fkey FOREIGN KEY (merchant_id, payout_id, number) REFERENCES pay.payout_dispatch(merchant_id, payout_id, number);
ALTER TABLE ONLY pay.payout_file_item
    ADD CONSTRAINT payout_file_item_msg_id_fkey FOREIGN KEY (msg_id) REFERENCES pay.payout_file(msg_id);
ALTER TABLE ONLY pay.payout_file
    ADD CONSTRAINT payout_file_merchant_id_provider_fkey FOREIGN KEY (merchant_id, provider) REFERENCES pay.payout_provider(merchant_id, provider);
ALTER TABLE ONLY pay.payout_holiday
    ADD CONSTRAINT payout_holiday_calendar_fkey FOREIGN KEY (calendar) REFERENCES pay.payout_calendar(calendar);
ALTER TABLE ONLY pay.payout
    ADD CONSTRAINT payout_merchant_id_batch_id_fkey FOREIGN KEY (merchant_id, batch_id) REFERENCES pay.payout_batch(merchant_id, batch_id);
ALTER TABLE ONLY pay.payout
    ADD CONSTRAINT payout_merchant_id_destination_id_destination_version_fkey FOREIGN KEY (merchant_id, destination_id, destination_version) REFERENCES pay.payout_destination(merchant_id, destination_id, version);
ALTER TABLE ONLY pay.payout_outbox
    ADD CONSTRAINT payout_outbox_act_id_fkey FOREIGN KEY (act_id) REFERENCES pay.payout_act(act_id);
ALTER TABLE ONLY pay.payout_part
    ADD CONSTRAINT payout_part_merchant_id_payout_id_fkey FOREIGN KEY (merchant_id, payout_id) REFERENCES pay.payout(merchant_id, payout_id);
ALTER TABLE ONLY pay.payout_part
    ADD CONSTRAINT payout_part_merchant_id_seller_account_currency_wallet_seq_fkey FOREIGN KEY (merchant_id, seller_account, currency, wallet_seq) REFERENCES pay.payout_line(merchant_id, seller_account, currency, wallet_seq);
ALTER TABLE ONLY pay.payout_report
    ADD CONSTRAINT payout_report_merchant_id_provider_fkey FOREIGN KEY (merchant_id, provider) REFERENCES pay.payout_provider(merchant_id, provider);
ALTER TABLE ONLY pay.payout_schedule
    ADD CONSTRAINT payout_schedule_calendar_fkey FOREIGN KEY (calendar) REFERENCES pay.payout_calendar(calendar);
ALTER TABLE ONLY pay.payout_sending
    ADD CONSTRAINT payout_sending_adapter_fkey FOREIGN KEY (adapter) REFERENCES pay.payout_adapter(adapter);
ALTER TABLE ONLY pay.payout_sending
    ADD CONSTRAINT payout_sending_merchant_id_payout_id_fkey FOREIGN KEY (merchant_id, payout_id) REFERENCES pay.payout(merchant_id, payout_id);
ALTER TABLE ONLY pay.posting_rule
    ADD CONSTRAINT posting_rule_account_fkey FOREIGN KEY (account) REFERENCES pay.account_kind(account);
ALTER TABLE ONLY pay.posting_rule
    ADD CONSTRAINT posting_rule_kind_fkey FOREIGN KEY (kind) REFERENCES pay.posting_kind(kind);
ALTER TABLE ONLY pay.psp_balance
    ADD CONSTRAINT psp_balance_source_fkey FOREIGN KEY (source) REFERENCES pay.settlement_source(source);
ALTER TABLE ONLY pay.rate
    ADD CONSTRAINT rate_source_fkey FOREIGN KEY (source) REFERENCES pay.rate_source(source);
ALTER TABLE ONLY pay.rollup
    ADD CONSTRAINT rollup_level_fkey FOREIGN KEY (level) REFERENCES pay.rollup_level(level);
ALTER TABLE ONLY pay.screening_answer
    ADD CONSTRAINT screening_answer_merchant_id_destination_id_version_fkey FOREIGN KEY (merchant_id, destination_id, version) REFERENCES pay.payout_destination(merchant_id, destination_id, version);
ALTER TABLE ONLY pay.screening_clearance
    ADD CONSTRAINT screening_clearance_merchant_id_destination_id_version_fkey FOREIGN KEY (merchant_id, destination_id, version) REFERENCES pay.payout_destination(merchant_id, destination_id, version);
ALTER TABLE ONLY pay.settlement_act
    ADD CONSTRAINT settlement_act_exception_id_fkey FOREIGN KEY (exception_id) REFERENCES pay.settlement_exception(exception_id);
ALTER TABLE ONLY pay.settlement_copy
    ADD CONSTRAINT settlement_copy_file_id_fkey FOREIGN KEY (file_id) REFERENCES pay.settlement_file(file_id);
ALTER TABLE ONLY pay.settlement_end
    ADD CONSTRAINT settlement_end_file_id_fkey FOREIGN KEY (file_id) REFERENCES pay.settlement_file(file_id);
ALTER TABLE ONLY pay.settlement_expected
    ADD CONSTRAINT settlement_expected_kind_fkey FOREIGN KEY (kind) REFERENCES pay.posting_kind(kind);
ALTER TABLE ONLY pay.settlement_file
    ADD CONSTRAINT settlement_file_source_fkey FOREIGN KEY (source) REFERENCES pay.settlement_source(source);
ALTER TABLE ONLY pay.settlement_look
    ADD CONSTRAINT settlement_look_source_fkey FOREIGN KEY (source) REFERENCES pay.settlement_source(source);
ALTER TABLE ONLY pay.settlement_part
    ADD CONSTRAINT settlement_part_file_id_fkey FOREIGN KEY (file_id) REFERENCES pay.settlement_file(file_id);
ALTER TABLE ONLY pay.settlement_rule
    ADD CONSTRAINT settlement_rule_back_fkey FOREIGN KEY (back) REFERENCES pay.posting_kind(kind);
ALTER TABLE ONLY pay.settlement_rule
    ADD CONSTRAINT settlement_rule_posting_fkey FOREIGN KEY (posting) REFERENCES pay.posting_kind(kind);
ALTER TABLE ONLY pay.transition
    ADD CONSTRAINT transition_news_fkey FOREIGN KEY (news) REFERENCES pay.news_kind(news);
ALTER TABLE ONLY pay.webhook_delivery
    ADD CONSTRAINT webhook_delivery_merchant_id_endpoint_id_fkey FOREIGN KEY (merchant_id, endpoint_id) REFERENCES pay.webhook_endpoint(merchant_id, endpoint_id);
ALTER TABLE ONLY pay.webhook_secret
    ADD CONSTRAINT webhook_secret_merchant_id_endpoint_id_fkey FOREIGN KEY (merchant_id, endpoint_id) REFERENCES pay.webhook_endpoint(merchant_id, endpoint_id);

GRANT USAGE ON SCHEMA pay TO payments_auditor;
GRANT USAGE ON SCHEMA pay TO payments_operator;
GRANT USAGE ON SCHEMA pay_api TO payments_gateway;
GRANT USAGE ON SCHEMA pay_check TO payments_auditor;
GRANT USAGE ON SCHEMA pay_check TO payments_operator;
GRANT USAGE ON SCHEMA pay_console TO payments_console;
GRANT USAGE ON SCHEMA pay_console_act TO payments_console_act;
GRANT USAGE ON SCHEMA pay_ops TO payments_operator;
GRANT USAGE ON SCHEMA pay_relay TO payments_relay;
GRANT USAGE ON SCHEMA pay_view TO payments_auditor;
GRANT USAGE ON SCHEMA pay_view TO payments_operator;
REVOKE USAGE ON SCHEMA public FROM PUBLIC;
GRANT SELECT ON TABLE pay.payout_sending TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_sending TO payments_operator;
REVOKE ALL ON TYPE pay_api.age_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.balances_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.beat_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.buyer_history_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.change_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.changes_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.checkout_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.close_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.counts_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.delivery_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.dispatch_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.events_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.explanation_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.job_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.look_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.order_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.outcome_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.page_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.payout_act_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.payout_call_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.replay_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.report_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.reread_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.screening_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.seal_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.settlement_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.span_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.statement_row FROM PUBLIC;
REVOKE ALL ON TYPE pay_api.visit_row FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.about_event(p_type text, p_code text, p_reference text, p_news text, p_kind text, p_policy text, p_captured bigint, p_amount bigint, p_currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.accept_late(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
GRANT SELECT ON TABLE pay.settlement_exception TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_exception TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_row TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_row TO payments_operator;
REVOKE ALL ON FUNCTION pay.accepted_postings(p_exception pay.settlement_exception, p_row pay.settlement_row, p_as text, OUT postings pay.posting[], OUT is_suspended boolean) FROM PUBLIC;
GRANT SELECT ON TABLE pay.settlement_tally TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_tally TO payments_operator;
REVOKE ALL ON FUNCTION pay.account_movements(p_tally pay.settlement_tally, p_until timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.accounts_until() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.act_on(p_exception pay.settlement_exception, p_act text, p_who text, p_why text, p_as_kind text, p_with_id bigint) FROM PUBLIC;
GRANT SELECT ON TABLE pay.webhook_endpoint TO payments_auditor;
GRANT SELECT ON TABLE pay.webhook_endpoint TO payments_operator;
REVOKE ALL ON FUNCTION pay.act_on_endpoint(p_endpoint pay.webhook_endpoint, p_act text, p_sealed bytea, p_key_id text, p_overlap interval, p_who text) FROM PUBLIC;
GRANT SELECT ON TABLE pay.risk_review TO payments_auditor;
GRANT SELECT ON TABLE pay.risk_review TO payments_operator;
REVOKE ALL ON FUNCTION pay.act_on_one_review(p_merchant_id text, p_review_id bigint, p_act text, p_reason text, p_note text, p_blocks boolean, p_lease_s bigint, p_who text, OUT outcome text, OUT decided pay.risk_review) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.act_on_payout_batch(p_act text, p_merchant_id text, p_subject text, p_currency text, p_limit bigint, p_hash text, p_why text, p_who text, OUT outcome text, OUT batch_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.add_amounts(p_a jsonb, p_b jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.add_counts(p_one jsonb, p_other jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.add_decline_counts(p_from bigint, p_until bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.add_order_counts(p_from bigint, p_until bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.add_tally_lines(p_name text, p_lines pay.close_line[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.add_up_rollup(p_level text, p_merchant_id text, p_bucket timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.add_up_rollups(p_merchants text[], p_minutes timestamp with time zone[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.address_distance(p_address cidr, p_keys jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.adopt_cards(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[]) FROM PUBLIC;
GRANT SELECT ON TABLE pay.settlement_file TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_file TO payments_operator;
REVOKE ALL ON FUNCTION pay.advance_file(p_file_id bigint, p_rows integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.advance_page(p_file pay.settlement_file, p_rows integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.advance_settlement(p_file_id bigint, p_rows integer) FROM PUBLIC;
GRANT SELECT ON TABLE pay.payout_advice TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_advice TO payments_operator;
REVOKE ALL ON FUNCTION pay.advice_holds(p_advice pay.payout_advice) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.advice_holds(p_advice pay.payout_advice) TO payments_auditor;
GRANT ALL ON FUNCTION pay.advice_holds(p_advice pay.payout_advice) TO payments_operator;
REVOKE ALL ON FUNCTION pay.advice_json(p_advice pay.payout_advice, p_before bigint, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.advice_lines(p_merchant_id text, p_payout_id text, p_seller text, p_currency text, p_since bigint, p_until bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.advice_lines(p_merchant_id text, p_payout_id text, p_seller text, p_currency text, p_since bigint, p_until bigint) TO payments_auditor;
GRANT ALL ON FUNCTION pay.advice_lines(p_merchant_id text, p_payout_id text, p_seller text, p_currency text, p_since bigint, p_until bigint) TO payments_operator;
REVOKE ALL ON FUNCTION pay.advice_lines_json(p_advice pay.payout_advice, p_before bigint, p_limit integer, OUT lines json, OUT next bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.advice_of(p_merchant_id text, p_payout_id text, p_seller text, p_currency text, p_paid bigint, p_closing bigint, p_since bigint, p_until bigint, p_opening bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.advice_of(p_merchant_id text, p_payout_id text, p_seller text, p_currency text, p_paid bigint, p_closing bigint, p_since bigint, p_until bigint, p_opening bigint) TO payments_auditor;
GRANT ALL ON FUNCTION pay.advice_of(p_merchant_id text, p_payout_id text, p_seller text, p_currency text, p_paid bigint, p_closing bigint, p_since bigint, p_until bigint, p_opening bigint) TO payments_operator;
REVOKE ALL ON FUNCTION pay.advice_page(p_merchant_id text, p_payout_id text, p_before bigint, p_limit integer, OUT outcome text, OUT page text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.after_of(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.again_failed(p_endpoint pay.webhook_endpoint, p_since timestamp with time zone, p_until timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.again_one(p_endpoint pay.webhook_endpoint, p_message_id text, p_until timestamp with time zone, p_only_failed boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.again_since(p_endpoint pay.webhook_endpoint, p_since timestamp with time zone, p_until timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.age_in_days(p_age interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.ageing_of(p_merchant_id text, p_psp text, p_currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.all_merchants() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.all_psps() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.all_sold(p_merchant_id text, p_checkout_id text, p_order_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.amount_in(p_minor numeric, p_from text, p_to text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.amount_left(p_exception pay.settlement_exception, p_row pay.settlement_row) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.amount_text(p_minor bigint, p_currency text) FROM PUBLIC;
GRANT SELECT ON TABLE pay.dead_letter TO payments_auditor;
GRANT SELECT ON TABLE pay.dead_letter TO payments_operator;
REVOKE ALL ON FUNCTION pay.apply_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.apply_named(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.apply_parked(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[]) FROM PUBLIC;
GRANT SELECT ON TABLE pay.payout TO payments_auditor;
GRANT SELECT ON TABLE pay.payout TO payments_operator;
REVOKE ALL ON FUNCTION pay.apply_payout_fact(p_payout pay.payout, p_state text, p_ref text, p_proof text, p_who text, p_code text, p_detail jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.approval_is_foreign() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.approval_time(p_merchant_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.approvals_missing(p_merchant_id text, p_batch_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.approvals_needed(p_merchant_id text, p_currency text, p_total_minor bigint) FROM PUBLIC;
GRANT SELECT ON TABLE pay.payment_order TO payments_auditor;
GRANT SELECT ON TABLE pay.payment_order TO payments_operator;
REVOKE ALL ON FUNCTION pay.approved_attempts(p_order pay.payment_order) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.as_kinds(p_kind text, p_amount bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.ask_payout_soon(p_row pay.payout_sending, p_call text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.ask_second(p_review pay.risk_review, p_act text, p_who text, p_reason text, p_note text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.asked_by_ok(p_asked_by jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.asked_detail(p_asked_by jsonb) FROM PUBLIC;
GRANT SELECT ON TABLE pay.mismatch TO payments_auditor;
GRANT SELECT ON TABLE pay.mismatch TO payments_operator;
REVOKE ALL ON FUNCTION pay.assign_money(p_mismatch pay.mismatch, p_orders text[], p_amounts bigint[], OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.attempt_is_news(p_order pay.payment_order, p_attempt text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.await_names(p_news pay.news[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.await_tokens(p_facts pay.fact[], p_duplicates integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.balance_bounds(p_psp text, p_listed text[]) FROM PUBLIC;
GRANT SELECT ON TABLE pay.psp_balance TO payments_auditor;
GRANT SELECT ON TABLE pay.psp_balance TO payments_operator;
REVOKE ALL ON FUNCTION pay.balance_verdict(p_bound pay.balance_bound, p_row pay.psp_balance, p_is_counted boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.balances_of(p_merchant_id text, p_psp text, p_currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.bank_day_from(p_calendar text, p_day date) FROM PUBLIC;
GRANT SELECT ON TABLE pay.settlement_work TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_work TO payments_operator;
REVOKE ALL ON FUNCTION pay.bank_text(p_work pay.settlement_work) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.batch_is_approved() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.batch_is_whole() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.batch_items_are_all() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.begin_one_change(p_item pay.change_item, p_begun text[], OUT outcome text, OUT change_id text, OUT told pay.fact) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.begin_payout(p_merchant_id text, p_payout_id text, p_who text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.begin_payout_runs(p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.begin_reserves(p_merchant_id text, p_seller text[], p_currency text[]) FROM PUBLIC;
GRANT SELECT ON TABLE pay.settlement_end TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_end TO payments_operator;
REVOKE ALL ON FUNCTION pay.begin_slice(p_file_id bigint, p_psp text, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.begin_tally(p_name text, p_day date, p_from_at timestamp with time zone, p_from_tx xid8, p_until timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.block_checkouts(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_psp text[], p_request_id text[], p_terms jsonb[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.block_review_keys(p_review pay.risk_review, p_who text, p_why text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.body_ok(p_psp text, p_digest bytea, p_body bytea, p_size bigint, p_left_out text, p_days bigint, p_message_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.book_orderless(p_facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.book_rematch(p_file_id bigint) FROM PUBLIC;
GRANT SELECT ON TABLE pay.settlement_source TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_source TO payments_operator;
REVOKE ALL ON FUNCTION pay.book_work(p_file pay.settlement_file, p_source pay.settlement_source, p_of_file bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.booked(p_merchant_id text, p_checkout_id text, p_payment_order_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.browser_keys(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.browsers_of(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.bucket_of(p_width interval, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.buyer_history(p_merchant_id text, p_buyers bytea[], p_country text, p_devices bytea[], OUT orders bigint, OUT failures bigint, OUT disputes bigint, OUT ships bigint, OUT psp_risk bigint, OUT devices bigint, OUT device_at bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.cancel_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.capture_approved(p_reviews pay.risk_review[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.capture_change_items(p_reviews pay.risk_review[]) FROM PUBLIC;
GRANT SELECT ON TABLE pay.change TO payments_auditor;
GRANT SELECT ON TABLE pay.change TO payments_operator;
REVOKE ALL ON FUNCTION pay.capture_done(p_change pay.change, p_word pay.fact) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.capture_names(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_state text[], p_reference text[], p_items integer[], OUT psps text[], OUT names text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.capture_of_amount(p_news pay.news) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.capture_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.captures_out(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.card_list_findings(p_words pay.card_word[]) FROM PUBLIC;
GRANT SELECT ON TABLE pay.risk_card TO payments_auditor;
GRANT SELECT ON TABLE pay.risk_card TO payments_operator;
REVOKE ALL ON FUNCTION pay.card_parts(p_card pay.risk_card, p_browser text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.card_terms_ok(p_terms jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.card_window_findings(p_words pay.card_word[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.card_window_ok(p_window jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.card_window_sum(p_merchant_id text, p_key text, p_value text, p_seconds integer, p_measure text, p_currency text, p_most numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.card_windows(p_words pay.card_word[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.cards_of(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.cards_of(p_merchant_id text, p_checkout_id text) TO payments_auditor;
GRANT ALL ON FUNCTION pay.cards_of(p_merchant_id text, p_checkout_id text) TO payments_operator;
REVOKE ALL ON FUNCTION pay.carried_balances(p_merchant_id text, p_seller text[], p_currency text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.carry_out_cards(p_words pay.card_word[], p_items integer[], p_effects text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.carry_out_reviews(p_reviews pay.risk_review[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.carry_parts(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.chained_hash(p_previous text, p_merchant_id text, p_payment_order_id text, p_seq text, p_at text, p_tx text, p_kind text, p_actor text, p_old_status text, p_new_status text, p_reason text, p_detail text, p_request_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.change_after(p_change pay.change, OUT state text, OUT status text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.change_columns(p_merchant_id text, p_change_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.change_fact(p_change pay.change, p_word pay.fact, p_kind text, p_postings pay.posting[], p_more jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.change_in_progress(p_merchant_id text, p_change_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.change_meant(p_news pay.news) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.change_needs_job(p_merchant_id text, p_change_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.change_route(p_kind text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.changes_of(p_order pay.payment_order, p_kind text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.check_batch(VARIADIC p_dims text[]) FROM PUBLIC;
GRANT SELECT ON TABLE pay.settlement_proof TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_proof TO payments_operator;
REVOKE ALL ON FUNCTION pay.check_buckets(p_proof pay.settlement_proof, p_rows integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.check_items(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders_item bigint[], p_orders_id text[], p_orders_seller_account text[], p_orders_amount_minor bigint[], p_orders_credit_currency text[], p_ttl_s bigint[], p_lease_ms bigint[], p_psps text[], p_route text[], p_key_windows text[], p_late_success text[], p_terms jsonb[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.check_keys(p_proof pay.settlement_proof, p_rows integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.check_settlement(p_file_id bigint, p_rows integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.checkout_page(p_merchant_id text, p_status text, p_after timestamp with time zone, p_before timestamp with time zone, p_before_id text, p_limit integer) FROM PUBLIC;
GRANT SELECT ON TABLE pay.checkout TO payments_auditor;
GRANT SELECT ON TABLE pay.checkout TO payments_operator;
REVOKE ALL ON FUNCTION pay.checkouts_of_buyer(p_merchant_id text, p_by text, p_value text) FROM PUBLIC;
GRANT SELECT ON TABLE pay.payout_adapter TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_adapter TO payments_operator;
REVOKE ALL ON FUNCTION pay.choose_payout_call(p_row pay.payout_sending, p_adapter pay.payout_adapter, p_lease interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.claim_backfill(p_psp text, p_owner text, p_interval interval, p_lease interval, OUT since_s bigint, OUT until_s bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.claim_change_keys(p_items pay.change_item[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.claim_close(p_owner text, p_delay interval, p_lease interval, OUT outcome text, OUT number bigint, OUT document text) FROM PUBLIC;
GRANT SELECT ON TABLE pay.webhook_delivery TO payments_auditor;
GRANT SELECT ON TABLE pay.webhook_delivery TO payments_operator;
REVOKE ALL ON FUNCTION pay.claim_deliveries(p_slots integer, p_lease interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.claim_help(p_source text, p_owner text, p_lease interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.claim_look(p_source text, p_way text, p_owner text, p_interval interval, p_lease interval, OUT since_s bigint, OUT balance_due bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.claim_payout_call(p_merchant_id text, p_provider text, p_adapter pay.payout_adapter, p_owner text, p_lease interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.claim_payout_items(p_merchant_id text, p_provider text, p_adapter pay.payout_adapter, p_most integer, p_who text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.claim_payout_keys(p_merchant_id text[], p_route text, p_key text[], p_fingerprint bytea[], p_ttl_s bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.claim_rates(p_source text, p_owner text, p_interval interval, p_lease interval, OUT is_due boolean, OUT age_ms bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.claim_references(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_reference text[]) FROM PUBLIC;
GRANT SELECT ON TABLE pay.screening_answer TO payments_auditor;
GRANT SELECT ON TABLE pay.screening_answer TO payments_operator;
REVOKE ALL ON FUNCTION pay.claim_screening(p_merchant_id text, p_provider text, p_lease interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.claim_seal(p_owner text, p_interval interval, p_lease interval, OUT outcome text, OUT number bigint, OUT message text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.claim_tokens(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], OUT sure boolean, OUT parked boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.clear_gone(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.cleared_as(p_is_borne boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.close_destination(p_merchant_id text, p_destination_id text, p_who text, p_why text) FROM PUBLIC;
GRANT SELECT ON TABLE pay.settlement_close TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_close TO payments_operator;
REVOKE ALL ON FUNCTION pay.close_document(p_number bigint, p_last pay.settlement_close, p_tally pay.settlement_tally) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.close_exception(p_id bigint, p_as text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.close_fee(p_exception pay.settlement_exception, p_row pay.settlement_row, p_work pay.settlement_work) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.close_json(p_close pay.settlement_close) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.close_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text, p_state text, p_who text, p_why text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.close_lines(p_last pay.settlement_close) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.close_lines_of(p_close pay.settlement_close, p_merchant_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.close_mismatch() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.close_payout_batch(p_merchant_id text, p_batch_id text, p_state text, p_who text, p_why text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.close_replaced(p_items integer[], p_waits integer[], p_merchant_id text[], p_checkout_id text[], p_lease_ms bigint[], p_request_id text[], p_terms jsonb[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.close_returned(p_file_id bigint, p_source pay.settlement_source) FROM PUBLIC;
GRANT SELECT ON TABLE pay.commission TO payments_auditor;
GRANT SELECT ON TABLE pay.commission TO payments_operator;
REVOKE ALL ON FUNCTION pay.commission_at(p_merchant_id text, p_seller text, p_psp text, p_currency text, p_at timestamp with time zone, p_payment_method text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.compare_balance(p_source pay.settlement_source, p_said pay.psp_balance, p_bound pay.balance_bound, p_is_counted boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.compare_balances(p_source pay.settlement_source, p_said pay.psp_balance[], p_is_complete boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.compare_books(p_from bigint, p_limit integer, OUT until_tx bigint, OUT orders bigint, OUT more boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.complete_pages(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_accounts(p_scope text[]) FROM PUBLIC;
GRANT SELECT ON TABLE pay.console_act TO payments_auditor;
GRANT SELECT ON TABLE pay.console_act TO payments_operator;
REVOKE ALL ON FUNCTION pay.console_act_detail(p_act pay.console_act) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_act_fault(p_act text, p_body jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_act_roles(p_act text, p_step text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_act_words(p_outcome text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_acts(p_scope text[], p_query jsonb, p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_acts_of(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
GRANT SELECT ON TABLE pay.console_proposal TO payments_auditor;
GRANT SELECT ON TABLE pay.console_proposal TO payments_operator;
REVOKE ALL ON FUNCTION pay.console_answer(p_act text, p_object text, p_result text, p_proposal pay.console_proposal, p_change_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_approvals(p_scope text[], p_query jsonb, p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_audit(p_query jsonb, p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_batches(p_scope text[], p_query jsonb, p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_blind(p_document jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_cells(p_query jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_changes(p_scope text[], p_query jsonb, p_most integer, p_tokens boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_checkout_of(p_scope text[], p_query jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_checkouts(p_scope text[], p_query jsonb, p_window integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_checks(p_scope text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_cursor_number(p_query jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_cursor_text(p_query jsonb, p_part integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_cursor_time(p_query jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_decides(p_act text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_deliveries(p_scope text[], p_query jsonb, p_most integer) FROM PUBLIC;
GRANT SELECT ON TABLE pay.dispute TO payments_auditor;
GRANT SELECT ON TABLE pay.dispute TO payments_operator;
REVOKE ALL ON FUNCTION pay.console_dispute(p_dispute pay.dispute) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_dispute_rate(p_scope text[], p_query jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_disputes(p_scope text[], p_query jsonb, p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_exceptions(p_scope text[], p_query jsonb, p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_find(p_scope text[], p_query jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_fits(p_row pay.mismatch, p_scope text[], p_query jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_flight(p_scope text[], p_query jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_has(p_query jsonb, p_name text, p_value text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_head(p_checkout pay.checkout) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_inbox(p_scope text[], p_query jsonb, p_most integer, p_tokens boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_items(p_page text, p_scope text[], p_query jsonb, p_most integer, p_tokens boolean) FROM PUBLIC;
GRANT SELECT ON TABLE pay.job TO payments_auditor;
GRANT SELECT ON TABLE pay.job TO payments_operator;
REVOKE ALL ON FUNCTION pay.console_job_state(p_job pay.job) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_jobs(p_scope text[], p_query jsonb, p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_journal(p_scope text[], p_query jsonb, p_most integer, p_tokens boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_key_life() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_keys(p_keys jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_late(p_scope text[], p_query jsonb, p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_ledger(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_letters(p_scope text[], p_query jsonb, p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_limit_fault(p_terms jsonb, p_who text, p_currency text, p_amount_minor bigint, p_but bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_limits(p_terms jsonb, p_currency text, OUT each bigint, OUT person bigint, OUT day bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_lines(p_scope text[], p_query jsonb, p_most integer, p_tokens boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_list(p_page text, p_scope text[], p_query jsonb, p_tokens boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_log(OUT merchant_id text, OUT payment_order_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_login_max_s() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_mask(p_document jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_may(p_page text, p_roles jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_may_act(p_act text, p_step text, p_roles jsonb, p_object text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_me(p_staff text, p_roles jsonb, p_merchants jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_minor(p_amount text, p_currency text) FROM PUBLIC;
GRANT SELECT ON TABLE pay.mismatch_settlement TO payments_auditor;
GRANT SELECT ON TABLE pay.mismatch_settlement TO payments_operator;
REVOKE ALL ON FUNCTION pay.console_mismatch(p_row pay.mismatch, p_end pay.mismatch_settlement, p_tokens boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_mismatches(p_scope text[], p_query jsonb, p_most integer, p_tokens boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_money(p_scope text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_my_acts(p_roles jsonb, p_query jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_narrowed(p_document jsonb, p_merchant text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_now(p_scope text[], p_roles jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_number(p_text text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_open_disputes(p_scope text[], p_query jsonb, p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_order(p_order pay.payment_order, p_roles jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_page(p_page text, p_staff text, p_roles jsonb, p_merchants jsonb, p_query jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_payment(p_scope text[], p_query jsonb, p_tokens boolean, p_personal boolean, p_roles jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_payments(p_scope text[], p_query jsonb, p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_payouts(p_scope text[], p_query jsonb, p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_plots(p_scope text[], p_query jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_proof(p_body jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_proposal_item(p_proposal pay.console_proposal) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_proposal_life() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_proposals_of(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_psp_page(p_scope text[], p_query jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_psps(p_scope text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_psps_of(p_scope text[], p_counts jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_quarantine(p_scope text[], p_query jsonb, p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_risk(p_scope text[], p_query jsonb, p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_scope(p_merchants jsonb, p_query jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_sees(p_scope text[], p_merchant text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_settings(p_query jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_settlement(p_scope text[], p_query jsonb, p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_source(p_source text, p_sees boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_statuses(p_scope text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_target(p_act text, p_merchants jsonb, p_body jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_tile(p_id text, p_page text, p_scope text[], p_query jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_time(p_query jsonb, p_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_token(p_token text, p_sees boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_unknown(p_scope text[], p_query jsonb, p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_until(p_query jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_until_id(p_query jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_us(p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_wallets(p_scope text[], p_query jsonb, p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_waterfall(p_scope text[], p_query jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.console_webhooks(p_scope text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.convert(p_minor bigint, p_from text, p_to text, p_rate numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.convert(p_minor bigint, p_from text, p_to text, p_rate numeric) TO payments_auditor;
GRANT ALL ON FUNCTION pay.convert(p_minor bigint, p_from text, p_to text, p_rate numeric) TO payments_operator;
REVOKE ALL ON FUNCTION pay.count_attempts(p_items integer[], p_merchant_id text[], p_currency text[], p_total_minor bigint[], p_rows pay.risk_rows) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.count_cards(p_words pay.card_word[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.count_declines(p_merchant_id text[], p_checkout_id text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.count_entries(p_from timestamp with time zone, p_until timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.count_expected(p_end timestamp with time zone, p_rows integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.count_findings(p_items integer[], p_merchant_id text[], p_rows pay.risk_rows, p_near bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.count_minute(p_merchant_id text, p_minute timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.count_minutes(p_most bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.count_piece(p_rows integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.count_roundings(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.count_usual() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.count_watched_captures() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.counted_figures() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.current_credit(p_amount_minor bigint, p_currency text, p_credit_currency text, p_credit_rate numeric, p_credit_minor bigint, p_credit_until timestamp with time zone, OUT credit_rate numeric, OUT credit_minor bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.day_bounds(p_day text, OUT since timestamp with time zone, OUT until timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.decide_one_review(p_review_id bigint, p_act text, p_reason text, p_note text, p_blocks boolean, p_who text, OUT outcome text, OUT decided pay.risk_review) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.decide_proposal(p_act text, p_who text, p_body jsonb, p_terms jsonb, p_request_id text, OUT outcome text, OUT words text, OUT proposal pay.console_proposal, OUT change_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.decimal_text(p_minor bigint, p_currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.declare_payout_adapter(p_adapter text, p_facts jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.declare_secret(p_endpoint pay.webhook_endpoint, p_fingerprint bytea, p_sealed bytea, p_key_id text, p_overlap interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.declare_settlement_source(p_source text, p_format text, p_merchant_id text, p_psp text, p_account text, p_way text, p_keep text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.declared_for() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.decline_code(p_order pay.payment_order) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.decline_detail(p_decline text, p_can_retry text, p_attempt text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.decline_shares(p_since timestamp with time zone, p_until timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.declined_attempts(p_order pay.payment_order) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.delete_losers(p_keyed integer[], p_placed integer[], p_made integer[], p_merchant_id text[], p_idempotency_key text[], p_checkout_id text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.delivery_figures() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.delivery_json(p_delivery pay.webhook_delivery) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.delivery_page(p_merchant_id text, p_endpoint_id text, p_state text, p_before bigint, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.delivery_wait(p_attempts integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.destination_fits(p_merchant_id text, p_provider text, p_kind text, p_country text, p_currency text) FROM PUBLIC;
GRANT SELECT ON TABLE pay.payout_account TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_account TO payments_operator;
REVOKE ALL ON FUNCTION pay.destination_json(p_account pay.payout_account) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.destination_versions_json(p_merchant_id text, p_destination_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.destination_whole(p_merchant_id text, p_destination_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.disable_endpoint(p_merchant_id text, p_endpoint_id text, p_reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.dispatch_ok(p_merchant_id text, p_checkout_id text, p_operation text, p_operation_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.dispute_fact(p_news pay.news, p_dispute pay.dispute, p_kind text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.dispute_fee(p_news pay.news) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.dispute_parts(p_psp text, p_object text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.dispute_source(p_dispute pay.dispute) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.do_console_act(p_act text, p_who text, p_body jsonb, p_terms jsonb, p_request_id text, OUT outcome text, OUT words text, OUT answer jsonb, OUT checkout_id text, OUT proposal_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.doubt(p_word pay.fact, p_about text, p_why text, p_object text, p_amount_minor bigint, p_currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.drop_change_job(p_change pay.change, p_why text) FROM PUBLIC;
GRANT SELECT ON TABLE pay.payout_file TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_file TO payments_operator;
REVOKE ALL ON FUNCTION pay.drop_payout_file(p_file pay.payout_file, p_code text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.drop_proof(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.drop_staged(p_file_id bigint, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.due_deliveries(p_endpoints pay.webhook_endpoint[], p_slots integer) FROM PUBLIC;
GRANT SELECT ON TABLE pay.payout_schedule TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_schedule TO payments_operator;
REVOKE ALL ON FUNCTION pay.due_time(p_schedule pay.payout_schedule, p_day date) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.empty_checkouts(p_merchant_id text, p_checkouts text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_addresses(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_bodies(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_browser_addresses(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_browsers(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_buyer_info(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_cards(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_change_metadata(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_changes(p_facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_class(p_class text, p_keep interval, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_copies(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_count() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_counters(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_decisions(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_delivered(p_ends pay.delivery_end[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_dispute(p_news pay.news, p_parts pay.dispute[], OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_entries(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
GRANT SELECT ON TABLE pay.settlement_part TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_part TO payments_operator;
REVOKE ALL ON FUNCTION pay.end_gone(p_file pay.settlement_file, p_source pay.settlement_source, p_part pay.settlement_part) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_holds(p_file_id bigint, p_source pay.settlement_source) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_jobs(p_moves pay.move[], p_ours boolean, p_letters boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_keys(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_letters(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_list_acts(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_messages(p_before timestamp with time zone, p_limit integer, OUT messages bigint, OUT deliveries bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_metadata(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_missed(p_rows pay.settlement_row[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_one_delivery(p_end pay.delivery_end) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_one_payout_call(p_merchant_id text, p_payout_id text, p_number bigint, p_said pay.payout_said, p_amount_minor bigint, p_currency text, p_account_end text, p_retry_s bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_overdue(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_payout_events(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
GRANT SELECT ON TABLE pay.payout_file_item TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_file_item TO payments_operator;
REVOKE ALL ON FUNCTION pay.end_payout_file_item(p_item pay.payout_file_item, p_how text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_payout_keys(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_payout_sending(p_payout pay.payout) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_quarantined(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_registers(p_facts pay.fact[], p_reach text[], p_http_status bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_reserves(p_merchant_id text, p_seller text[], p_currency text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_review(p_review pay.risk_review, p_state text, p_who text, p_reason text, p_note text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_review_hold(p_review pay.risk_review, p_who text, p_why text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_rollups(p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_round(p_name text, p_counts jsonb, p_wait interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_screening(p_payout pay.payout, p_act text, p_who text, p_why text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_settled(p_matches bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_settlement(p_file pay.settlement_file, p_source pay.settlement_source) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_undeclared() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.end_webhooks(p_before timestamp with time zone, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.endpoint_json(p_endpoint pay.webhook_endpoint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.enter_destination(p_merchant_id text, p_seller_account text, p_currency text, p_provider text, p_kind text, p_country text, p_shown text, p_details bytea, p_key_id text, p_who text, p_why text, p_name text, OUT outcome text, OUT destination_id text, OUT version integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.entries_until(p_from timestamp with time zone, p_until timestamp with time zone, p_rows integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.entry_balances() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.entry_object(p_merchant_id text, p_checkout_id text, p_psp text, p_source text) FROM PUBLIC;
GRANT SELECT ON TABLE pay.event TO payments_auditor;
GRANT SELECT ON TABLE pay.event TO payments_operator;
REVOKE ALL ON FUNCTION pay.event_bytes(p_previous bytea, p_event pay.event) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.event_bytes(p_previous bytea, p_event pay.event) TO payments_auditor;
GRANT ALL ON FUNCTION pay.event_bytes(p_previous bytea, p_event pay.event) TO payments_operator;
REVOKE ALL ON FUNCTION pay.event_figures() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.event_hash(p_previous bytea, p_event pay.event) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.event_hash(p_previous bytea, p_event pay.event) TO payments_auditor;
GRANT ALL ON FUNCTION pay.event_hash(p_previous bytea, p_event pay.event) TO payments_operator;
REVOKE ALL ON FUNCTION pay.events_since(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.exception_acts(p_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.exception_figures() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.exception_json(p_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.exception_page(p_merchant_id text, p_psp text, p_currency text, p_class bigint, p_state text, p_day text, p_before bigint, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.exception_with_acts(p_id bigint) FROM PUBLIC;
GRANT SELECT ON TABLE pay.journal_entry TO payments_auditor;
GRANT SELECT ON TABLE pay.journal_entry TO payments_operator;
REVOKE ALL ON FUNCTION pay.expected_entries(p_mismatch pay.mismatch) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain(p_merchant_id text, p_payment_order_id text, p_inside boolean, p_sees_risk boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain_changes(p_order pay.payment_order) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain_dispatches(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain_disputes(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain_elsewhere(p_item integer, p_state text, p_merchant_id text, p_idempotency_key text, p_fingerprint bytea, p_checkout_id text, p_orders text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain_exceptions(p_merchant_id text, p_checkout_id text, p_inside boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain_final(p_s pay.standing, OUT waits_for text, OUT why text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain_late(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain_letters(p_merchant_id text, p_checkout_id text, p_inside boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain_loss(p_merchant_id text, p_idempotency_key text, p_fingerprint bytea, p_checkout_id text, p_orders text[], OUT outcome text, OUT checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain_messages(p_order pay.payment_order) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain_next(p_s pay.standing, OUT what text, OUT at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain_orders(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain_payout(p_order pay.payment_order) FROM PUBLIC;
GRANT SELECT ON TABLE pay.payout_line TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_line TO payments_operator;
REVOKE ALL ON FUNCTION pay.explain_payout_items(p_merchant_id text, p_lines pay.payout_line[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain_payout_wallet(p_order pay.payment_order, p_lines pay.payout_line[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain_registered(p_s pay.standing, OUT waits_for text, OUT why text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain_retry(p_s pay.standing, p_at timestamp with time zone, OUT answer text, OUT after timestamp with time zone, OUT reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain_risk(p_merchant_id text, p_payment_order_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain_standing(p_s pay.standing) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explain_unregistered(p_s pay.standing, p_what text, OUT waits_for text, OUT why text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.explore_ok(p_explore jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.export_range(p_since timestamp with time zone, p_until timestamp with time zone, OUT from_tx bigint, OUT until_tx bigint, OUT first bigint, OUT last bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.export_range(p_since timestamp with time zone, p_until timestamp with time zone, OUT from_tx bigint, OUT until_tx bigint, OUT first bigint, OUT last bigint) TO payments_auditor;
GRANT ALL ON FUNCTION pay.export_range(p_since timestamp with time zone, p_until timestamp with time zone, OUT from_tx bigint, OUT until_tx bigint, OUT first bigint, OUT last bigint) TO payments_operator;
REVOKE ALL ON FUNCTION pay.fact_kind(p_fact text, p_amount_minor bigint, p_currency text, p_total_minor bigint, p_own_currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.fact_orders(p_facts pay.fact[], p_turn integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.facts_of_operator(p_facts pay.fact[], p_who text, p_why text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.fail_replays() FROM PUBLIC;
GRANT SELECT ON TABLE pay.message TO payments_auditor;
GRANT SELECT ON TABLE pay.message TO payments_operator;
REVOKE ALL ON FUNCTION pay.fan_out(p_messages pay.message[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.fee_entries(p_order pay.payment_order, p_due pay.fee_due, p_psp text, p_request_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.fee_of(p_order pay.payment_order) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.fee_of(p_order pay.payment_order) TO payments_auditor;
GRANT ALL ON FUNCTION pay.fee_of(p_order pay.payment_order) TO payments_operator;
REVOKE ALL ON FUNCTION pay.fee_of_file(p_news pay.news, p_kind text, p_amount_minor bigint, p_currency text, OUT source text, OUT amount_minor bigint, OUT row_id bigint, OUT row_kind text, OUT file_source text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.fee_postings(p_postings pay.posting[], p_new integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.fences_of(p_items integer[], p_merchant_id text[], p_terms jsonb[], OUT items integer[], OUT states text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.file_due(p_file pay.settlement_file) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.file_item_of(p_merchant_id text, p_provider text, p_key text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.find_amount(p_amount numeric, p_currency text, p_merchant_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.find_buyer(p_buyer text, p_merchant_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.find_by_merchant(p_merchant_id text, p_what text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.find_by_psp(p_psp text, p_what text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.find_change(p_merchant_id text, p_change_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.find_moves(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], OUT items integer[], OUT nexts text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.find_order(p_merchant_id text, p_payment_order_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.find_parked(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[], OUT facts pay.fact[], OUT told pay.news[]) FROM PUBLIC;
GRANT SELECT ON TABLE pay.payout_event TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_event TO payments_operator;
REVOKE ALL ON FUNCTION pay.find_payout_of_event(p_event pay.payout_event, p_key text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.find_prefix(p_what text, p_merchant_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.find_request(p_what text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.find_rows(p_file_id bigint, p_source pay.settlement_source) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.first_detail(p_psp text, p_route text, p_replaces text, p_asked_by jsonb, p_explore jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.fix_fees(p_postings pay.posting[], p_new integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.flight_ages() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.follow_moves(p_facts pay.fact[], p_nexts text[], p_lease_ms bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.free_payout_keys(p_merchant_id text[], p_route text, p_key text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.free_references(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_reference text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.give_back(p_reviews pay.risk_review[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.give_back_jobs(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_operation_id text[], p_delay_ms bigint[], p_code text[], p_dead text[], p_items integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.give_up_entry(p_exception pay.settlement_exception) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.give_up_page(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.given_fees_ok(p_fees jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.half_even(p_value numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.half_even(p_value numeric) TO payments_auditor;
GRANT ALL ON FUNCTION pay.half_even(p_value numeric) TO payments_operator;
REVOKE ALL ON FUNCTION pay.hand_postings(p_moves pay.move[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.has_come_back(p_work pay.settlement_work, p_psp text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.has_failed(p_news pay.news) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.has_members(p_object jsonb, p_names text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.has_members_of(p_object jsonb, p_names text[], p_optional text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.has_money(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.has_more_pages(p_file pay.settlement_file) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.has_statements(p_source pay.settlement_source) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hash_field(p_value text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.hash_field(p_value text) TO payments_auditor;
GRANT ALL ON FUNCTION pay.hash_field(p_value text) TO payments_operator;
GRANT SELECT ON TABLE pay.recovery TO payments_auditor;
GRANT SELECT ON TABLE pay.recovery TO payments_operator;
REVOKE ALL ON FUNCTION pay.hasten_jobs(p_recovery pay.recovery) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hear_automatic(p_news pay.news, p_captured bigint, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hear_capture(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hear_captures(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hear_change(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hear_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_items integer[], OUT stored integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hear_dispute(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hear_fee(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
GRANT SELECT ON TABLE pay.late_success TO payments_auditor;
GRANT SELECT ON TABLE pay.late_success TO payments_operator;
REVOKE ALL ON FUNCTION pay.hear_late_refund(p_news pay.news, p_late pay.late_success, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hear_news(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hear_own_capture(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hear_own_refund(p_change pay.change, p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hear_parts(p_parts pay.change[], p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hear_refund(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hear_single(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hear_suspended(p_news pay.news, p_amount_minor bigint, p_currency text, p_is_over boolean, p_is_borne boolean, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hold_by_screening(p_payout pay.payout) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hold_file(p_file_id bigint, OUT file pay.settlement_file, OUT is_alone boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hold_for_review(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_currency text[], p_total_minor bigint[], p_terms jsonb[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hold_is_over(p_news pay.news, p_word text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hold_money(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_terms jsonb[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hold_orders(p_items integer[], p_merchant_id text[], p_checkout_id text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hold_reader(p_name text, p_owner text, p_lease_ms bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hold_reason(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hold_terms(p_terms jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.hold_terms_ok(p_holds jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.holds_names(p_merchant_id text, p_checkout_id text, p_psp text, p_token text, p_alias text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.id_ok(p_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.in_suspense(p_merchant_id text, p_psp text, p_object text, OUT amount_minor bigint, OUT currency text, OUT is_over boolean, OUT is_borne boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.insert_beginnings(p_items integer[], p_item integer[], p_id text[], p_detail jsonb[], p_hash bytea[], p_merchant_id text[], p_checkout_id text[], p_lease_ms bigint[], p_request_id text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.insert_change(p_item pay.change_item, p_order pay.payment_order, p_amount_minor bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.insert_checkouts(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_key_windows text[], p_late_success text[], p_terms jsonb[], p_risk jsonb[], OUT placed integer[], OUT nonces text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.insert_decisions(p_items integer[], p_words text[], p_bys text[], p_hits jsonb[], p_merchant_id text[], p_checkout_id text[], p_risk jsonb[], p_texts text[], p_rows pay.risk_rows) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.insert_dispute(p_news pay.news, p_order pay.payment_order, p_amount_minor bigint, p_part integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.insert_entries(p_postings pay.posting[], OUT new integer[], OUT unowned boolean, OUT has_fees boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.insert_keys(p_items integer[], p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_ttl_s bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.insert_news(p_news pay.news[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.insert_orders(p_items integer[], p_item integer[], p_place integer[], p_id text[], p_seller text[], p_minor bigint[], p_credit text[], p_hash bytea[], p_rate numeric[], p_credit_minor bigint[], p_merchant_id text[], p_checkout_id text[], p_currency text[], p_terms jsonb[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.insert_outside(p_news pay.news, p_order pay.payment_order, p_amount_minor bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.insert_plain_lines(p_postings pay.posting[], p_new integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.insert_replays(p_facts pay.fact[], p_source text[], p_fact text[], p_digest bytea[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.insert_webhooks(p_facts pay.fact[], p_fact text[], p_digest bytea[], p_count bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_about_second(p_news pay.news) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_after_end(p_news pay.news, p_dispute pay.dispute) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_bank_day(p_calendar text, p_day date) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_booked(p_merchant_id text, p_source text, p_kind text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_charged(p_row pay.settlement_row) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_cleared_by_maker(p_payout pay.payout) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_closing(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_counted(p_psp text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_currency(p_currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_debit_left(p_event pay.payout_event) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_decision_asked(p_payout pay.payout, p_detail jsonb, p_who text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_declared(p_endpoint pay.webhook_endpoint, p_act text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_done_by(p_exception pay.settlement_exception, p_act text, p_who text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_early(p_news pay.news) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_early_failure(p_news pay.news) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_echo(p_payout pay.payout, p_amount_minor bigint, p_currency text, p_account_end text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_event(p_logged text, p_news text, p_actor text, p_part oid, p_tid tid, p_attempt text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_failed(p_change pay.change) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_fraud_reason(p_code text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_given(p_provided text, p_actor text, p_order_id text, p_reference text, p_part oid, p_tid tid, p_late_success text, p_replaced_by text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_held_late(p_order pay.payment_order) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_iban(p_text text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_later_version(p_file pay.settlement_file) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_limit_raised(p_merchant_id text, p_currency text, p_one numeric, p_two numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_new_mismatch(p_fact pay.fact) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_notice_entry(p_event_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_on_hold(p_order pay.payment_order) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_over(p_letter pay.dead_letter) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_payout_event_behind(p_row pay.payout_sending, p_event pay.payout_event) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_registering(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_reserved(p_change pay.change) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_review_reason(p_act text, p_reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_risk_prefix(p_value text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_sealed(p_from timestamp with time zone, p_until timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_second_payment(p_order pay.payment_order, p_reference text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_setting_asked(p_merchant_id text, p_subject text, p_subject_id text, p_set text, p_detail jsonb, p_who text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_settled_twice(p_payout pay.payout, p_event pay.payout_event) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_statement(p_text text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_sum(p_exception pay.settlement_exception, p_row pay.settlement_row) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_tangled(p_from timestamp with time zone, p_until timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_told(p_merchant_id text, p_checkout_id text, p_payment_order_id text, p_kind text, p_actor text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_unbooked_refund(p_merchant_id text, p_checkout_id text, p_psp text, p_object text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_under_way(p_merchant_id text, p_checkout_id text, p_payment_order_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_unfinished(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_unsettled(p_merchant_id text, p_checkout_id text, p_operation text, p_operation_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_untold(p_news pay.news) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_wanted(p_types text[], p_type text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.is_zone(p_zone text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.iso_micros(p_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.iso_micros(p_at timestamp with time zone) TO payments_auditor;
GRANT ALL ON FUNCTION pay.iso_micros(p_at timestamp with time zone) TO payments_operator;
REVOKE ALL ON FUNCTION pay.iso_time(p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.job_is_over(p_job pay.job, p_delay_ms bigint, p_code text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.job_rank(p_kind text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.join_findings(INOUT p_a pay.risk_findings, p_b pay.risk_findings) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.journal_calls(p_merchant_id text[], p_checkout_id text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.journal_payout_call(p_row pay.payout_sending, p_owner text, p_lease interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.journal_tokens(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_token text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.judge_adopted(p_merchant_id text[], p_checkout_id text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.judge_cards(p_psp text[], p_attempt text[], p_before text[], p_terms jsonb[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.judge_console_act(p_act text, p_who text, p_roles jsonb, p_merchants jsonb, p_login_age_s bigint, p_body jsonb, p_target pay.console_target, OUT outcome text, OUT words text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.judge_facts(p_facts pay.fact[], p_turn integer, OUT at timestamp with time zone, OUT moves pay.move[], OUT moved integer[], OUT late integer[], OUT against integer[], OUT told integer[], OUT booked pay.posting[], OUT shown bigint, OUT rests boolean, OUT ours boolean, OUT by_hand boolean, OUT has text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.judge_payout(p_state text, p_fact text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.judge_payout_asked(p_row pay.payout_sending, p_adapter pay.payout_adapter, p_said pay.payout_said) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.judge_payout_call(p_row pay.payout_sending, p_adapter pay.payout_adapter, p_call text, p_said pay.payout_said) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.judge_payout_done(p_row pay.payout_sending, p_adapter pay.payout_adapter, p_said pay.payout_said) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.judge_payout_event(p_payout pay.payout, p_event pay.payout_event, p_amount_minor bigint, p_currency text, p_account_end text, p_must_ask boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.judge_payout_find(p_row pay.payout_sending, p_adapter pay.payout_adapter, p_said pay.payout_said) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.judge_payout_report(p_item pay.payout_file_item, p_event pay.payout_event, p_amount_minor bigint, p_currency text, p_account_end text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.judge_payout_send(p_row pay.payout_sending, p_adapter pay.payout_adapter, p_outcome text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.judge_release(p_new pay.checkout) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.judge_replaced(p_old pay.checkout, p_can_close boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.judge_risk(p_items integer[], p_risk jsonb[], p_rows pay.risk_rows, p_found pay.risk_findings) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.judged_facts(p_facts pay.fact[], p_turn integer, p_now timestamp with time zone, p_at text, p_tx bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_anchors(p_month date, p_until timestamp with time zone, p_who text, p_why text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_browsers(p_handle text[], p_browser text[], p_before text[], p_is_new bigint[], p_agent text[], p_user_agent text[], p_address text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_card_decisions(p_words pay.card_word[], p_found pay.risk_findings) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_cards(p_facts pay.fact[], p_fact text[], p_item bigint[], p_attempt text[], p_card text[], p_bin text[], p_country text[], p_funding text[], p_three_d text[], p_level text[], p_score bigint[], p_warning text[], p_is_hint bigint[], p_before text[], p_terms jsonb[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_console_act(p_act pay.console_act) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_deadline(p_psp text, p_object text, p_until bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_decisions(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_currency text[], p_total_minor bigint[], p_risk jsonb[], p_texts text[], p_rows pay.risk_rows, OUT items integer[], OUT words text[], OUT is_changed boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_difference(p_merchant_id text, p_checkout_id text, p_detail jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_failed_capture(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_failure(p_news pay.news, p_order pay.payment_order, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_findings(p_payout pay.payout) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_given_fees(p_items integer[], p_item integer[], p_place integer[], p_id text[], p_minor bigint[], p_merchant_id text[], p_terms jsonb[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_invalid(p_items integer[], p_psp text[], p_source text[], p_event_id text[], p_token text[], p_reference text[], p_object text[], p_amount_minor bigint[], p_currency text[], p_request_id text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_late(p_facts pay.fact[], p_items integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_mismatches(p_facts pay.fact[], p_told integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_no_token(p_facts pay.fact[], p_retry_after_ms bigint[], p_reach text[], p_http_status bigint[], p_dead text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_of(p_class text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_page(p_file_id bigint, p_rows integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_payout_act(p_merchant_id text, p_subject text, p_subject_id text, p_act text, p_who text, p_why text, p_detail jsonb, p_told text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_payout_advices(p_places tid[], p_who text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_payout_key(p_merchant_id text, p_route text, p_key text, p_subject_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_payouts(p_merchant_id text, p_plan pay.payout_plan[], p_who text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_references(p_facts pay.fact[], p_moved integer[], p_against integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_review_act(p_review_id bigint, p_act text, p_who text, p_reason text, p_note text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_rows(p_file pay.settlement_file, p_source pay.settlement_source) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_said(p_news pay.news, p_is_end boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_sanction_words(p_name text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_secret(p_merchant_id text, p_endpoint_id text, p_number integer, p_sealed bytea, p_key_id text, p_who text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_signatures(p_of text, p_number bigint[], p_key_id text[], p_signature bytea[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.keep_wrong_row(p_file_id bigint, p_line integer, p_wrong text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.kept_fee(p_returns text, p_fee_minor bigint, p_captured_minor bigint, p_back_minor bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.kept_fee(p_returns text, p_fee_minor bigint, p_captured_minor bigint, p_back_minor bigint) TO payments_auditor;
GRANT ALL ON FUNCTION pay.kept_fee(p_returns text, p_fee_minor bigint, p_captured_minor bigint, p_back_minor bigint) TO payments_operator;
REVOKE ALL ON FUNCTION pay.key_window(p_psps text[], p_key_windows integer[], p_psp text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.key_window(p_psps text[], p_key_windows integer[], p_psp text) TO payments_auditor;
GRANT ALL ON FUNCTION pay.key_window(p_psps text[], p_key_windows integer[], p_psp text) TO payments_operator;
REVOKE ALL ON FUNCTION pay.known_change(p_merchant_id text, p_route text, p_key text, p_fingerprint bytea, OUT outcome text, OUT change_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.known_difference(p_last pay.psp_balance, OUT low bigint, OUT high bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.label_dispute(p_dispute pay.dispute) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.label_order(p_merchant_id text, p_payment_order_id text, p_label text, p_source text, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.label_refund(p_change pay.change) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.labels_of(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.labels_of(p_merchant_id text, p_checkout_id text) TO payments_auditor;
GRANT ALL ON FUNCTION pay.labels_of(p_merchant_id text, p_checkout_id text) TO payments_operator;
REVOKE ALL ON FUNCTION pay.late_meant(p_news pay.news) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.late_postings(p_facts pay.fact[], p_late integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lay_dispute(p_news pay.news, p_orders pay.payment_order[], p_parts bigint[], p_first integer, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lay_down(p_news pay.news, p_state text, p_orders pay.payment_order[], p_parts bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lay_refund(p_news pay.news, p_orders pay.payment_order[], p_parts bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.learn_payout_event(p_row pay.payout_sending, p_event pay.payout_event) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.learn_tokens(p_facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.leave_payout_batch(p_payout pay.payout) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.leave_payout_file(p_item pay.payout_file_item, p_code text, p_retry_s bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.ledger_items(p_scope text[], p_query jsonb, p_since timestamp with time zone, p_until timestamp with time zone, p_most integer, p_tokens boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.ledger_piece(p_until timestamp with time zone, p_from timestamp with time zone, p_width interval, p_rows integer, OUT since timestamp with time zone, OUT rows bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.letters_of(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.level_for(p_step text, p_steps timestamp with time zone[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lines_with_entry() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.link_work(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.linked_checkouts(p_merchant_id text, p_checkout_id text, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.list_findings(p_items integer[], p_merchant_id text[], p_rows pay.risk_rows) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.list_values(p_merchant_id text, p_effect text, p_kind text, p_values text[], p_until timestamp with time zone, p_who text, p_why text) FROM PUBLIC;
GRANT SELECT ON TABLE pay.screening_policy TO payments_auditor;
GRANT SELECT ON TABLE pay.screening_policy TO payments_operator;
REVOKE ALL ON FUNCTION pay.lists_are_fresh(p_policy pay.screening_policy) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.locate_news(p_news pay.news[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lock_checkouts(p_merchant_id text[], p_checkout_id text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lock_dead_letter(p_id bigint, OUT letter pay.dead_letter, OUT merchant text, OUT checkout text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lock_due_jobs(p_limit integer, OUT merchants text[], OUT checkouts text[], OUT kinds text[], OUT operations text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lock_endpoint(p_merchant_id text, p_endpoint_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lock_endpoint_for(p_endpoint_id text, p_act text, p_who text, p_why text, OUT outcome text, OUT endpoint pay.webhook_endpoint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lock_endpoints(p_ends pay.delivery_end[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lock_exception(p_id bigint, OUT exception pay.settlement_exception, OUT kept pay.settlement_row, OUT psp text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lock_order_wallet(p_merchant_id text, p_order text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lock_part(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lock_payout(p_merchant_id text, p_payout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lock_payout_account(p_merchant_id text, p_seller text, p_currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lock_payout_batches(p_merchant_id text[], p_batch_id text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lock_payout_file(p_merchant_id text, p_provider text, p_msg_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lock_refund_wallets(p_items pay.change_item[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lock_wallets(p_merchant_id text[], p_seller text[], p_currency text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.look_at_risk(p_items integer[], p_waits integer[], p_merchant_id text[], p_checkout_id text[], p_psp text[], p_currency text[], p_total_minor bigint[], p_lease_ms bigint[], p_request_id text[], p_terms jsonb[], p_risk jsonb[], p_texts text[], p_rows pay.risk_rows, p_replaces boolean, OUT blocked integer[], OUT changed integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.look_later(p_endpoints pay.webhook_endpoint[], p_claimed pay.webhook_delivery[], p_is_full boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.lose_holds(p_psp text, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.make_close(p_day date, p_now timestamp with time zone, p_rows integer, OUT outcome text, OUT number bigint, OUT document text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.make_declared(p_merchant_id text, p_endpoint_id text, p_url text, p_types jsonb, p_is_ordered boolean, p_fingerprint bytea, p_sealed bytea, p_key_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.make_endpoint(p_merchant_id text, p_endpoint_id text, p_url text, p_types jsonb, p_scheme text, p_is_ordered boolean, p_sealed bytea, p_key_id text, p_who text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.make_one_act(p_act text, p_who text, p_roles jsonb, p_merchants jsonb, p_login_age_s bigint, p_body jsonb, p_terms jsonb, p_request_id text, OUT outcome text, OUT page text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.make_one_payout(p_merchant_id text, p_seller text, p_currency text, p_who text, OUT outcome text, OUT payout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.make_partition(p_month date) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.make_partitions(p_move boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.make_parts(p_file_id bigint, p_rows integer, p_parts integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.make_payout_file(p_merchant_id text, p_provider text, p_adapter pay.payout_adapter, p_most integer, p_debtor_iban text, p_execute_on date, p_place text, p_who text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.make_payout_piece(p_owner text, p_wallets integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.make_payouts(p_merchant_id text, p_seller text[], p_currency text[], p_who text) FROM PUBLIC;
GRANT SELECT ON TABLE pay.payout_run TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_run TO payments_operator;
REVOKE ALL ON FUNCTION pay.make_run_batch(p_run pay.payout_run, p_owner text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.make_run_items(p_run pay.payout_run, p_seller text[], p_currency text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.make_run_piece(p_run pay.payout_run, p_wallets integer, p_owner text) FROM PUBLIC;
GRANT SELECT ON TABLE pay.seal TO payments_auditor;
GRANT SELECT ON TABLE pay.seal TO payments_operator;
REVOKE ALL ON FUNCTION pay.make_seal(p_most integer, OUT made pay.seal, OUT is_full boolean, OUT is_behind boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.make_wallets(p_merchant_id text[], p_seller text[], p_currency text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.manual_postings(p_was pay.payment_order, p_now pay.payment_order, p_news text, p_request_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.mark_duplicates(p_news pay.news[], p_first integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.mark_minutes(p_from bigint, p_limit integer, p_interval interval, OUT until_tx bigint, OUT more boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.match_amounts(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.match_and_book(p_file pay.settlement_file, p_source pay.settlement_source, p_of_file bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.match_bank(p_file pay.settlement_file, p_source pay.settlement_source) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.match_capture(p_change pay.change, p_outside pay.change, p_word pay.fact, p_by_amount boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.match_conversions(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.match_easy(p_file pay.settlement_file, p_source pay.settlement_source) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.match_fees(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.match_hard(p_file pay.settlement_file, p_source pay.settlement_source) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.match_objects(p_file_id bigint, p_signed boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.match_parts(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.match_returns(p_file_id bigint, p_psp text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.match_rounded(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.match_rounded_fees(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.match_single(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.match_sums(p_file_id bigint, p_single boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.may_act(p_exception pay.settlement_exception, p_act text, p_who text, p_why text, p_amount bigint, p_detail jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.may_approve(p_merchant_id text, p_batch_id text, p_who text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.may_be_stuck(p_merchant_id text, p_checkout_id text, p_reason text, p_since timestamp with time zone, p_limit interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.median_rate(p_base text, p_quote text, p_age interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.merkle_root(p_hashes bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.merkle_root(p_hashes bytea[]) TO payments_auditor;
GRANT ALL ON FUNCTION pay.merkle_root(p_hashes bytea[]) TO payments_operator;
REVOKE ALL ON FUNCTION pay.message_body(p_id text, p_told pay.told, p_sequence bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.message_id(p_merchant_id text, p_source text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.message_of(p_event_id text, p_ids text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.message_page(p_merchant_id text, p_after bigint, p_type text, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.minor_of(p_amount text, p_currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.miss_rows(p_file pay.settlement_file, p_source pay.settlement_source, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.mode_findings(p_items integer[], p_merchant_id text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.mode_terms_ok(p_terms jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.move_change(p_change pay.change, p_to text, p_word pay.fact) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.move_ok(p_merchant_id text, p_cell text, p_who text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.move_payout(p_payout pay.payout, p_state text, p_who text, p_why text, p_detail jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.move_registers(p_facts pay.fact[], p_outcome text[], p_reach text[], p_http_status bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.move_registrations(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_attempt bigint[], p_lease_ms bigint[], OUT items integer[], OUT nexts text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.move_review_cursor(p_state text, p_reviews pay.risk_review[], p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.name_attempts(p_facts pay.fact[], p_fact text[], p_terms jsonb[], p_named bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.name_capture(p_news pay.news) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.name_near(p_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.name_parts(p_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.name_secret(p_endpoint pay.webhook_endpoint, p_number integer, p_fingerprint bytea) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.name_words(p_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.named_order(p_news pay.news) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.named_payouts(p_work pay.settlement_work, OUT tids tid[], OUT same tid[], OUT total bigint, OUT psps integer, OUT psp text, OUT entries jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.near_windows(p_items integer[], p_merchant_id text[], p_rows pay.risk_rows) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.needs_buyer(p_checkout pay.checkout) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.newest_browser(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
GRANT SELECT ON TABLE pay.dispatch TO payments_auditor;
GRANT SELECT ON TABLE pay.dispatch TO payments_operator;
GRANT SELECT ON TABLE pay.journal TO payments_auditor;
GRANT SELECT ON TABLE pay.journal TO payments_operator;
REVOKE ALL ON FUNCTION pay.newest_dispatch(p_merchant_id text, p_checkout_id text, p_operation text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.news_doubt(p_news pay.news, p_why text, p_postings pay.posting[], OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.news_fact(p_news pay.news, p_kind text, p_order_id text, p_postings pay.posting[], p_more jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.news_of(p_change pay.change, p_object text, p_word pay.fact) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.news_of_mismatch(p_mismatch pay.mismatch, p_news text, p_amount_minor bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.news_ok(p_about text, p_news text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.news_source(p_news pay.news) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.news_word(p_news pay.news) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.next_changes(p_limit interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.next_checkouts(OUT merchants text[], OUT checkouts text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.next_decline(p_old jsonb, p_detail jsonb, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.next_due_day(p_schedule pay.payout_schedule, p_after date) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.next_letters() FROM PUBLIC;
GRANT SELECT ON TABLE pay.webhook_inbox TO payments_auditor;
GRANT SELECT ON TABLE pay.webhook_inbox TO payments_operator;
REVOKE ALL ON FUNCTION pay.next_parked(p_limit interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.next_payout_approved(p_merchant_id text, p_provider text, p_adapter text, p_who text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.next_payout_id() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.next_payout_sending(p_merchant_id text, p_provider text, p_adapter text, p_is_stopped boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.next_reread(p_file pay.settlement_file, p_pause interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.next_run_wallets(p_run pay.payout_run, p_wallets integer, p_lines integer, p_look integer, OUT sellers text[], OUT currencies text[], OUT at_seller text, OUT at_currency text, OUT is_last boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.next_step(p_step text, p_zone text, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.next_unknown(p_limit interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.next_version_sha256(p_file pay.settlement_file) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.no_findings() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.note_failure(p_endpoint pay.webhook_endpoint, p_is_gone boolean, p_next timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.note_success(p_endpoint pay.webhook_endpoint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.number_facts(p_facts pay.fact[], p_after integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.number_messages(p_told pay.told[], p_position bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.numeric_text(p_minor numeric, p_currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.old_page_is_open(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.only_order(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.open_change(p_order pay.payment_order, OUT kind text, OUT run_at timestamp with time zone, OUT letter boolean, OUT code text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.open_dead_letter(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_event_id text[], p_kind text[], p_reason text[], p_code text[], p_attempts integer[], p_operation_id text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.open_dispute(p_news pay.news, OUT outcome text, OUT facts pay.fact[], OUT is_ours boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.open_entries(p_exception pay.settlement_exception, p_work pay.settlement_work) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.open_mismatch() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.open_mismatches(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.open_payout_lines(p_merchant_id text, p_seller text, p_currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.open_payout_orders(p_merchant_id text, p_seller text[], p_currency text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.open_recovery() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.open_reviews(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_currency text[], p_total_minor bigint[], p_terms jsonb[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.open_settlement(p_source text, p_sha256 bytea, p_name text, OUT outcome text, OUT file pay.settlement_file) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.order_differences(p_merchant_id text[], p_payment_order_id text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.order_is(p_merchant_id text, p_checkout_id text, p_statuses text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.order_line(p_order pay.payment_order) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.order_ok(p_id text, p_seller text, p_minor bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.order_posting(p_order pay.payment_order, p_source text, p_kind text, p_psp text, p_amount_minor bigint, p_seller_minor bigint, p_request_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.order_told(p_order pay.payment_order, p_event pay.event, p_psp text, p_amount text, p_credit text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.orders_named(p_mismatch pay.mismatch, p_orders text[], p_amounts bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.orders_of(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.orders_of(p_merchant_id text, p_checkout_id text) TO payments_auditor;
GRANT ALL ON FUNCTION pay.orders_of(p_merchant_id text, p_checkout_id text) TO payments_operator;
REVOKE ALL ON FUNCTION pay.orders_of_item(p_item integer, p_orders_item bigint[], p_orders_id text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.other_statements(p_file pay.settlement_file, p_source pay.settlement_source, p_part pay.settlement_part) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.outcome_of(p_status text, p_reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.outside_captures(p_news pay.news, p_left bigint, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.outside_pending(p_change pay.change, p_news pay.news) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.outside_refund(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.overdraws(p_order pay.payment_order, p_amount_minor bigint, p_begun text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.overtaken_reserves(p_merchant_id text, p_seller text[], p_currency text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.own_object(p_change pay.change, p_object text, p_word pay.fact, OUT facts pay.fact[], OUT failed boolean, OUT done boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.own_statements(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.page_is_closed(p_order pay.payment_order) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.page_matter(p_file pay.settlement_file) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.page_ok(p_page jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.page_reason(p_page integer, p_last_page integer, p_missing integer[], p_wrong text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.page_set(p_source text, p_batch_key text, OUT last_page integer, OUT files bigint[], OUT missing integer[], OUT is_new boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.page_waits(p_file pay.settlement_file) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.page_window(p_limit integer, p_is_filtered boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.pages_before(p_file pay.settlement_file) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.parked_references(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_name text[], OUT merchants text[], OUT checkouts text[], OUT psps text[], OUT names text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.part_capture(p_change pay.change, p_word pay.fact, OUT parted pay.change, OUT told pay.fact) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.part_posting(p_order pay.payment_order, p_source text, p_kind text, p_psp text, p_before bigint, p_part bigint, p_request_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.part_told(p_type text, p_event pay.event, p_amount text, p_currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.parts_of(p_merchant_id text, p_checkout_id text, p_psp text, p_object text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.past_attempts(p_since timestamp with time zone, p_before timestamp with time zone, p_merchant_id text, p_checkout_id text, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payment_method_ok(p_method text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_acts_json(p_merchant_id text, p_subject text, p_subject_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_batch_hash(p_merchant_id text, p_batch_id text, OUT hash bytea, OUT item_count integer, OUT total_minor bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_batch_items_json(p_merchant_id text, p_batch_id text) FROM PUBLIC;
GRANT SELECT ON TABLE pay.payout_batch TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_batch TO payments_operator;
REVOKE ALL ON FUNCTION pay.payout_batch_json(p_batch pay.payout_batch) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_batch_page(p_merchant_id text, p_provider text, p_currency text, p_state text, p_day text, p_before bigint, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_batch_whole(p_merchant_id text, p_batch_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_call_row(p_item integer, p_row pay.payout_sending) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_entry(p_kind text, p_net_minor bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_figures() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_is_approved() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_is_booked() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_item_figures() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_json(p_payout pay.payout) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_key_of(p_merchant_id text, p_seller text, p_currency text, p_destination_id text, p_seqs bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_key_said(p_merchant_id text, p_route text, p_key text, p_fingerprint bytea, OUT outcome text, OUT subject_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_lines_of(p_order pay.payment_order) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_may_be_sent() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_moves() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_names(p_payout_ref text, p_psp_ref text, p_bank_ref text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_page(p_merchant_id text, p_seller text, p_provider text, p_currency text, p_state text, p_day text, p_before bigint, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_pause(p_first_s integer, p_most_s integer, p_tries integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_posting(p_payout pay.payout, p_kind text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_said_ok(p_said pay.payout_said, p_retry_s bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_stop_of(p_is_held boolean, p_account pay.payout_account, p_usable_from timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_stopped_at(p_merchant_id text, p_provider text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_stops(p_merchant_id text, p_order text, p_sold_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_with_acts(p_merchant_id text, p_payout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.payout_word_fact(p_state text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.place_is_free(p_old pay.checkout) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.place_settlement(p_file_id bigint, p_from integer, p_until integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.plan_calendar(p_calendar text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.plan_payouts(p_merchant_id text, p_seller text[], p_currency text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.plan_schedule(p_schedule pay.payout_schedule, p_keeps boolean) FROM PUBLIC;
GRANT SELECT ON TABLE pay.rollup TO payments_auditor;
GRANT SELECT ON TABLE pay.rollup TO payments_operator;
REVOKE ALL ON FUNCTION pay.plot_declines(p_rows pay.rollup[], p_filter jsonb, p_from timestamp with time zone, p_to timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.plot_histogram(p_counts jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.plot_link(p_filter jsonb, p_from timestamp with time zone, p_to timestamp with time zone, p_more jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.plot_psps(p_rows pay.rollup[], p_steps timestamp with time zone[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.plot_quantiles(p_counts jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.plot_query(p_query jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.plot_rates(p_rows pay.rollup[], p_filter jsonb, p_from timestamp with time zone, p_to timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.plot_rows(p_scope text[], p_level text, p_steps timestamp with time zone[], p_filter jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.plot_states(p_rows pay.rollup[], p_steps timestamp with time zone[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.plot_tile(p_id text, p_count numeric, p_filter jsonb, p_from timestamp with time zone, p_to timestamp with time zone, p_more jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.plot_totals(p_rows pay.rollup[], p_filter jsonb, p_from timestamp with time zone, p_to timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.plot_volume(p_rows pay.rollup[], p_steps timestamp with time zone[], p_filter jsonb, p_from timestamp with time zone, p_to timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.poll_later(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_poll_after_ms bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.poll_soon(p_facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.post(p_postings pay.posting[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.post_act(p_id bigint, p_postings pay.posting[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.proof_log(p_merchant_id text, p_payment_order_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.proof_seals(p_merchant_id text, p_payment_order_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.propose_console_act(p_act text, p_who text, p_body jsonb, p_order pay.payment_order, p_amount_minor bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.propose_refund(p_who text, p_body jsonb, p_terms jsonb, OUT outcome text, OUT words text, OUT proposal pay.console_proposal) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.propose_rows(p_file_id bigint, p_source pay.settlement_source) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.propose_settle(p_who text, p_body jsonb, OUT outcome text, OUT words text, OUT proposal pay.console_proposal) FROM PUBLIC;
GRANT SELECT ON TABLE pay.settlement_rule TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_rule TO payments_operator;
REVOKE ALL ON FUNCTION pay.proposed_posting(p_work pay.settlement_work, p_rule pay.settlement_rule, p_minor bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.prove_pages(p_file pay.settlement_file, p_pages bigint[], p_last_page integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.prove_settlement(p_file_id bigint, p_batch_key text, p_rows bigint, p_stated jsonb, p_digest bytea, p_page jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.provider_findings(p_items integer[], p_risk jsonb[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.provider_ok(p_word jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.psp_names(p_psps text, p_psp text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.psp_posting(p_news pay.news, p_kind text, p_amount_minor bigint, p_currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.psp_sums(p_psp text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.psp_under_way(p_psp text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.psp_unsettled(p_psp text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.psp_waiting(p_psp text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.publish(p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.purge(p_limit integer, p_ignored_after interval, p_closed_after interval, p_copies_after interval, OUT idempotency_keys bigint, OUT ignored_webhooks bigint, OUT dead_letters bigint, OUT quarantined bigint, OUT webhook_bodies bigint, OUT settlement_copies bigint, OUT risk_rows bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.purge_messages(p_limit integer, p_after interval, OUT messages bigint, OUT deliveries bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.put_off_registers(p_facts pay.fact[], p_retry_after_ms bigint[], p_dead text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.put_off_sweep() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.quantile_of(p_counts jsonb, p_share numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.quarantine_ok(p_psp text, p_reason text, p_digest bytea, p_headers jsonb, p_body bytea, p_size bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.queue_missed(p_rows pay.settlement_row[], p_psp text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.quote_lines(p_items integer[], p_item integer[], p_minor bigint[], p_credit text[], p_currency text[], p_terms jsonb[], OUT items integer[], OUT rate numeric[], OUT minor bigint[], OUT missing integer[], OUT too_large integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.raise_all_overdue(p_end timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.raise_balance(p_source pay.settlement_source, p_last pay.psp_balance, p_currency text, p_minor bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.raise_overdue(p_source text, p_now timestamp with time zone, p_rows integer, OUT queued integer, OUT again boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.raise_pages(p_now timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.rate_ok(p_rate text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.rates_ok(p_base text, p_rates jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.reach_ok(p_reach text, p_http_status bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.read_amount(p_what text, OUT amount numeric, OUT currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.read_change_items(p_merchant_id text[], p_payment_order_id text[], p_kind text[], p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[], p_reason text[], p_metadata jsonb[], p_lease_ms bigint[], p_request_id text[], p_asked_by jsonb[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.read_facts(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_request_id text[], p_decline text[], p_can_retry text[], p_attempt text[], OUT facts pay.fact[], OUT webhooks bigint, OUT unsure boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.read_lines(p_items integer[], p_merchant_id text[], p_psp text[], p_orders_item bigint[], p_orders_id text[], p_orders_seller_account text[], p_orders_amount_minor bigint[], p_orders_credit_currency text[], p_request_id text[], p_route text[], p_terms jsonb[], OUT item integer[], OUT place integer[], OUT id text[], OUT seller text[], OUT minor bigint[], OUT credit text[], OUT detail jsonb[], OUT hash bytea[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.read_news(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_about text[], p_news text[], p_token text[], p_reference text[], p_object text[], p_operation_id text[], p_amount_minor bigint[], p_currency text[], p_fee_minor bigint[], p_fee_currency text[], p_code text[], p_digest bytea[], p_request_id text[], p_said_at bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.read_no_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_request_id text[], p_reach text[], p_http_status bigint[], p_attempt bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.read_windows(p_windows text, p_count integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.recent_hour() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.record_facts(p_facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.referenced_checkout(p_psp text, p_merchant_id text, p_our_ref text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.refresh_payout_wallets(p_merchant_id text, p_seller text[], p_currency text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.refund_as_proposed(p_proposal pay.console_proposal, p_terms jsonb, p_request_id text, OUT result text, OUT change_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.refund_done(p_change pay.change, p_word pay.fact) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.refund_failed(p_change pay.change, p_word pay.fact) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.refund_terms(p_order pay.payment_order, INOUT amount_minor bigint, OUT outcome text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.refuse_change() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.refuse_second_call() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.refuse_settlement(p_file_id bigint, p_reason text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.refuse_tokens(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_request_id text[], p_late integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.registered_ms(p_checkout pay.checkout) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.release_change_keys(p_items pay.change_item[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.release_due_reserves(p_wallets integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.release_json(p_merchant_id text, p_payment_order_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.release_one(p_new pay.checkout, p_word text, p_lease interval, p_request_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.rematch_disputes(p_file_id bigint, p_source pay.settlement_source) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.rematch_settlement(p_file pay.settlement_file, p_source pay.settlement_source, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.renew_declared(p_endpoint pay.webhook_endpoint, p_types text[], p_is_ordered boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.reopen_letter(p_id bigint, p_who text, p_why text, p_accept boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.reopen_webhook(p_psp text, p_event_id text, p_digest bytea) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.replaced_fact(p_merchant_id text, p_old text, p_new text, p_psp text, p_actor text, p_request_id text, p_asked_by jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.replay(p_endpoint pay.webhook_endpoint, p_message_id text, p_since timestamp with time zone, p_until timestamp with time zone, p_only_failed boolean) FROM PUBLIC;
GRANT SELECT ON TABLE pay.webhook_replay TO payments_auditor;
GRANT SELECT ON TABLE pay.webhook_replay TO payments_operator;
REVOKE ALL ON FUNCTION pay.replay_outcome(p_replay pay.webhook_replay) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.report_by(p_by text, p_from timestamp with time zone, p_to timestamp with time zone, p_zone text, p_merchant_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.report_lines(p_from timestamp with time zone, p_to timestamp with time zone, p_merchant_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.report_sum(p_sum numeric, p_exponent integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.request_fact(p_change pay.change, p_order pay.payment_order, p_asked_by jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.request_time(p_request_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.requote_orders(p_moves pay.move[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.rescreen_payout(p_payout pay.payout) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.rescreen_payouts() FROM PUBLIC;
GRANT SELECT ON TABLE pay.payout_reserve TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_reserve TO payments_operator;
REVOKE ALL ON FUNCTION pay.reserve_posting(p_reserve pay.payout_reserve, p_kind text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.rest_payout_sending(p_row pay.payout_sending, p_adapter pay.payout_adapter, p_told text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.retry_letter(p_letter pay.dead_letter, p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.return_late_refund(p_news pay.news, p_late pay.late_success) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.returned_payout(p_work pay.settlement_work, OUT row_key text, OUT version integer, OUT kind text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.review_capture_key(p_review_id bigint, p_position integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.review_change_items(p_reviews pay.risk_review[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.review_is_free(p_review pay.risk_review, p_who text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.review_is_moot(p_review pay.risk_review) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.review_is_so(p_review_id bigint, p_act text, p_who text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.review_json(p_review pay.risk_review) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.review_page(p_merchant_id text, p_state text, p_after bigint, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.review_parts(p_review pay.risk_review) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.review_terms_ok(p_terms jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.review_whole(p_merchant_id text, p_review_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.rewind_lists(p_recovery pay.recovery) FROM PUBLIC;
GRANT SELECT ON TABLE pay.risk_list TO payments_auditor;
GRANT SELECT ON TABLE pay.risk_list TO payments_operator;
REVOKE ALL ON FUNCTION pay.risk_entry_json(p_entry pay.risk_list) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.risk_entry_of(p_merchant_id text, p_list_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.risk_entry_ok(p_merchant_id text, p_effect text, p_kind text, p_value text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.risk_list_page(p_merchant_id text, p_effect text, p_kind text, p_after bigint, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.risk_ok(p_risk jsonb, p_text text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.risk_score_ok(p_score jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.risk_value_ok(p_kind text, p_value text) FROM PUBLIC;
GRANT SELECT ON TABLE pay.round TO payments_auditor;
GRANT SELECT ON TABLE pay.round TO payments_operator;
REVOKE ALL ON FUNCTION pay.roll_up(p_round pay.round, p_interval interval, p_most bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.rollup_class(p_ms bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.rollup_counted_at() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.rollup_edges() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.rollup_figures(p_last jsonb, p_is_behind boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.rollup_horizon(p_level text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.rollup_minutes(p_minute timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.rollup_wait(p_merchant_id text, p_minute timestamp with time zone, p_interval interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.room_of(p_order pay.payment_order, p_about text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.rotate_secret(p_endpoint pay.webhook_endpoint, p_sealed bytea, p_key_id text, p_overlap interval, p_who text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.round_counts(p_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.round_rate(p_rate numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.round_rate(p_rate numeric) TO payments_auditor;
GRANT ALL ON FUNCTION pay.round_rate(p_rate numeric) TO payments_operator;
REVOKE ALL ON FUNCTION pay.roundings_left(p_source text, p_currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.row_bounds(p_day text, p_file_id bigint, p_before bigint, OUT since timestamp with time zone, OUT until timestamp with time zone, OUT before timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.row_dispute(p_work pay.settlement_work, p_psp text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.row_postings(p_work pay.settlement_work, p_rule pay.settlement_rule) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.row_standing(p_source text, p_row_key text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.run_name(p_run pay.payout_run) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.run_tally(p_tally pay.settlement_tally, p_rows integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.same_token(p_own_psp text, p_own_token text, p_own_alias text, p_psp text, p_token text, p_alias text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sanction_hits(p_words bytea[], p_near bytea[], p_lists text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.scaled_text(p_minor bigint, p_exponent integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.screen_payout(p_payout pay.payout) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.screening_figures() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.screening_lists_at() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.seal_digest(p_message text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.seal_digest(p_message text) TO payments_auditor;
GRANT ALL ON FUNCTION pay.seal_digest(p_message text) TO payments_operator;
REVOKE ALL ON FUNCTION pay.seal_end(p_from bigint, p_until bigint, p_span bigint, p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.seal_message(p_seal pay.seal) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.seal_message(p_seal pay.seal) TO payments_auditor;
GRANT ALL ON FUNCTION pay.seal_message(p_seal pay.seal) TO payments_operator;
REVOKE ALL ON FUNCTION pay.seal_over(p_tx bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.seal_path(p_number bigint, p_position bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.seal_root(p_number bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.seal_root(p_number bigint) TO payments_auditor;
GRANT ALL ON FUNCTION pay.seal_root(p_number bigint) TO payments_operator;
REVOKE ALL ON FUNCTION pay.second_time(p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.see_exceptions(p_merchant_id text, p_state text, p_day text, p_before bigint, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.seller_part(p_amount_minor bigint, p_credit_minor bigint, p_before bigint, p_part bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.seller_part(p_amount_minor bigint, p_credit_minor bigint, p_before bigint, p_part bigint) TO payments_auditor;
GRANT ALL ON FUNCTION pay.seller_part(p_amount_minor bigint, p_credit_minor bigint, p_before bigint, p_part bigint) TO payments_operator;
REVOKE ALL ON FUNCTION pay.seller_payout_stop(p_merchant_id text, p_seller text, p_currency text, OUT stop text, OUT until timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.seller_share(p_order pay.payment_order, p_amount_minor bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.send_dispatches(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[], p_items integer[], OUT items integer[], OUT outcomes text[], OUT attempts bigint[], OUT sends bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.send_registers(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_lease_ms bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sending_stop(p_payout pay.payout) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.set_aside(p_facts pay.fact[], p_duplicates integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.set_change(p_change pay.change, p_status text, p_word pay.fact, p_returned boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.set_tokens(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_sure boolean, OUT stored integer[], OUT late integer[], OUT journaled integer[], OUT letters boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.settle_amount(p_exception pay.settlement_exception, p_row pay.settlement_row) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.settle_as_proposed(p_proposal pay.console_proposal, p_who text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.settle_assigned(p_mismatch pay.mismatch, p_before pay.journal_entry[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.settle_captures(p_reviews pay.risk_review[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.settle_changes(p_merchant_id text[], p_operation_id text[], p_code text[], p_reference text[], p_request_id text[], p_items integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.settle_dead_letters(p_merchant_id text[], p_checkout_id text[], p_kinds text[], p_why text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.settle_facts(p_facts pay.fact[], p_late boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.settle_news(p_news pay.news[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.settle_refunds(p_merchant_id text[], p_checkout_id text[], p_operation_id text[], p_reference text[], p_request_id text[], p_items integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.settle_registers(p_facts pay.fact[], p_kind text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.settled_fact(p_mismatch pay.mismatch, p_who text, p_why text, p_more jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.settlement_event(p_source text, p_row_key text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.settlement_family(p_kind text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.settlement_figures() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.settlement_file_json(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.settlement_file_page(p_merchant_id text, p_source text, p_psp text, p_state text, p_day text, p_before bigint, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.settlement_owners(p_psp text, p_merchant_id text, p_parent_ref text, p_psp_ref text, p_our_ref text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.settlement_posting(p_work pay.settlement_work, p_kind text, p_amount_minor bigint, p_currency text, p_seller_minor bigint, p_seller_currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.settlement_row_page(p_merchant_id text, p_file_id bigint, p_psp text, p_currency text, p_class bigint, p_state text, p_day text, p_before bigint, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.severity(p_word text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.share_limit(p_share integer, p_usual double precision, p_spread double precision, p_tries bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.share_of(p_part numeric, p_rest numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.shown_account(p_kind text, p_country text, p_number text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.shown_decline(p_order pay.payment_order) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.shown_detail(p_detail jsonb, p_currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.single_outside(p_news pay.news, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sort_capture(p_change pay.change, p_name text, p_word pay.fact, p_is_none boolean, OUT sorted pay.change, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sort_refund(p_change pay.change, p_word pay.fact, p_is_none boolean, OUT sorted pay.change, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.source_figures() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.split_amount(p_amount bigint, p_weights bigint[], p_rooms bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.split_note(p_news pay.news) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.split_orders(p_news pay.news, OUT orders pay.payment_order[], OUT parts bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.standing_of(p_merchant_id text, p_payment_order_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.start_changes(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.start_job(p_merchant_id text, p_checkout_id text, p_kind text, p_operation_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.start_orders(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_request_id text[]) FROM PUBLIC;
GRANT SELECT ON TABLE pay.checkout_state TO payments_auditor;
GRANT SELECT ON TABLE pay.checkout_state TO payments_operator;
REVOKE ALL ON FUNCTION pay.state_of(p_merchant_id text, p_checkout_id text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.statement(p_merchant_id text, p_seller text, p_currency text, p_before bigint, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.statement_name(p_account text, p_payout_ref text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.status_rank(p_status text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.status_rank(p_status text) TO payments_auditor;
GRANT ALL ON FUNCTION pay.status_rank(p_status text) TO payments_operator;
REVOKE ALL ON FUNCTION pay.step_close(p_last pay.settlement_close, p_day date, p_rows integer, OUT day date, OUT number bigint, OUT document text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.step_end(p_file pay.settlement_file, p_source pay.settlement_source, OUT phase text, OUT is_over boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.step_of(p_step text, p_zone text, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.step_settlement(p_file pay.settlement_file, p_source pay.settlement_source, p_part pay.settlement_part) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.step_tally(p_tally pay.settlement_tally, p_rows integer, OUT tally pay.settlement_tally, OUT rows bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.steps_between(p_step text, p_zone text, p_from timestamp with time zone, p_to timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.store_news(p_news pay.news[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.store_rates(p_source text, p_base text, p_rates jsonb, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.store_risk_entries(p_merchant_id text, p_effect text[], p_kind text[], p_value text[], p_until timestamp with time zone[], p_who text, p_why text, OUT added bigint, OUT changed bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.store_settlement_source(p_source text, p_format text, p_merchant_id text, p_psp text, p_account text, p_since timestamp with time zone, p_overdue_days integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.stored_payments(OUT payments bigint, OUT bytes bigint, OUT a_day numeric, OUT peak numeric) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sum_accounts(p_rows integer, p_age interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sum_ahead(p_end timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sum_counts(p_counts jsonb[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sum_findings(p_items integer[], p_merchant_id text[], p_currency text[], p_total_minor bigint[], p_rows pay.risk_rows, p_near bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sum_ledger(p_rows integer, p_until timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sum_settlement(p_file_id bigint, p_from integer, p_until integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.suspect_account(p_payout pay.payout, p_who text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.suspended(p_mismatch pay.mismatch) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.suspense_kind(p_exception pay.settlement_exception, p_row pay.settlement_row, p_what text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sweep_all(p_limits jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sweep_captures(p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sweep_changes(p_limit interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sweep_counts() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sweep_limit(p_limits jsonb, p_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sweep_lost(p_limit interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sweep_modes(p_terms jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sweep_ok(p_owner text, p_interval_ms bigint, p_limits jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sweep_open(p_registering interval, p_executing interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sweep_overdue_reviews() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sweep_parked(p_limit interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sweep_reviews(p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sweep_settled() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sweep_staged(p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sweep_unknown(p_limit interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.sweep_watched_captures() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_captures(p_news pay.news, p_named pay.change, p_captured bigint, OUT outcome text, OUT facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_card_words(p_psp text[], p_attempt text[], p_before text[], p_terms jsonb[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_early(p_facts pay.fact[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_facts(p_facts pay.fact[], p_is_plain boolean, OUT facts pay.fact[], OUT postings pay.posting[], OUT moved integer[], OUT late integer[], OUT against integer[]) FROM PUBLIC;
GRANT SELECT ON TABLE pay.payout_dispatch TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_dispatch TO payments_operator;
REVOKE ALL ON FUNCTION pay.take_late_payout_end(p_row pay.payout_sending, p_call pay.payout_dispatch, p_said pay.payout_said) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_leaves(p_number bigint, p_from bigint, p_until bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_news(p_news pay.news[], OUT told pay.news[], OUT postings pay.posting[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_open(p_file pay.settlement_file, p_source pay.settlement_source) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_outbox(p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_over_fee(p_news pay.news, p_kind text, p_amount_minor bigint, p_currency text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_payout_end(p_row pay.payout_sending, p_adapter pay.payout_adapter, p_number integer, p_said pay.payout_said, p_amount_minor bigint, p_currency text, p_account_end text, p_retry_s bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_payout_event(p_event pay.payout_event, p_key text, p_amount_minor bigint, p_currency text, p_account_end text, p_must_ask boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_payout_lines(p_merchant_id text, p_seller text[], p_currency text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_payout_outbox(p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_payouts(p_file pay.settlement_file, p_source pay.settlement_source) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_places(p_items integer[], p_merchant_id text[], p_checkout_id text[], p_terms jsonb[], OUT kept integer[], OUT waits integer[], OUT refused integer[], OUT missing integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_review(p_review_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_risk_outbox(p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_round(p_name text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_screening(p_key pay.screening_answer, p_answer text, p_reference text, p_code text, p_retry interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_settlement_outbox(p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_turn(p_news pay.news[], OUT told pay.news[], OUT postings pay.posting[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_unknown(p_file_id bigint, p_source pay.settlement_source, p_end pay.settlement_end, p_limit integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_up(p_news pay.news, p_held bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_webhook_outbox(p_most integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.take_work(p_file pay.settlement_file, p_source pay.settlement_source, p_part pay.settlement_part) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.tally(p_keys text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.tally_count(p_from timestamp with time zone, p_until timestamp with time zone, p_tx bigint, p_rows integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.tally_movements(p_tally pay.settlement_tally, p_until timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.tally_open(p_after bigint, p_rows integer, OUT lines pay.close_line[], OUT last bigint, OUT rows bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.tally_piece(p_tally pay.settlement_tally, p_rows integer, OUT until timestamp with time zone, OUT rows bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.tally_tx(p_tally pay.settlement_tally) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.tell_changes(p_file_id bigint, p_source pay.settlement_source) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.tell_exception() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.tell_mode() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.tell_payout(p_merchant_id text, p_payout_id text, p_fact text, p_who text, p_ref text, p_proof text, p_code text, p_amount_minor bigint, p_currency text, p_account_end text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.tell_sales(p_file_id bigint, p_source pay.settlement_source) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.term_seconds(p_seconds text, p_else text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.terms_ok(p_terms jsonb) FROM PUBLIC;
GRANT SELECT ON TABLE pay.risk_mode TO payments_auditor;
GRANT SELECT ON TABLE pay.risk_mode TO payments_operator;
REVOKE ALL ON FUNCTION pay.tested_merchants(p_terms jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.this_hour() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.this_tx() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.timeline(p_merchant_id text, p_payment_order_id text, p_inside boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.to_be_laid(p_mismatch pay.mismatch, OUT state text, OUT amount_minor bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.total_of(p_counts jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.trace_of(p_merchant_id text, p_subject text) FROM PUBLIC;
GRANT SELECT ON TABLE pay.cell_transfer TO payments_auditor;
GRANT SELECT ON TABLE pay.cell_transfer TO payments_operator;
REVOKE ALL ON FUNCTION pay.transfer_posting(p_transfer pay.cell_transfer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.turn_end(p_news pay.news[], p_from integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.types_ok(p_types jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.unknown_items(p_items integer[], p_merchant_id text[], p_idempotency_key text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.unmatched_finding(p_work pay.settlement_work, p_source pay.settlement_source) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.unsettle_disputed(p_dispute pay.dispute) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.unsettle_reviews(p_moves pay.move[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.untold(p_told pay.told[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.untold_changes(p_file_id bigint, p_source pay.settlement_source) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.untold_figures() FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.untold_sales(p_file_id bigint, p_source pay.settlement_source) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.usable_names(p_items integer[], p_token text[], p_alias text[], OUT tokens text[], OUT aliases text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.usual_share(p_merchant_id text, OUT share double precision, OUT spread double precision) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.uuid_ok(p_uuid text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.version_postings(p_exception pay.settlement_exception, p_row pay.settlement_row) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.void_late(p_facts pay.fact[], p_told integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.void_payout(p_payout pay.payout, p_state text, p_proof text, p_who text, p_why text, p_detail jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.wallet_differences(p_merchant_id text[], p_seller text[], p_checkout_id text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.wallets_of_due_reserves(p_most integer, OUT merchant_id text, OUT sellers text[], OUT currencies text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.watch_settlement(p_time interval) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.waterfall_file(p_scope text[], p_file text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.waterfall_of(p_scope text[], p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.waterfall_part(p_kind text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.waterfall_rows(p_scope text[], p_file_id bigint) FROM PUBLIC;
GRANT SELECT ON TABLE pay.order_fee TO payments_auditor;
GRANT SELECT ON TABLE pay.order_fee TO payments_operator;
REVOKE ALL ON FUNCTION pay.whole_fee(p_fee pay.order_fee, p_commission pay.commission, p_amount_minor bigint, p_captured_minor bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pay.whole_fee(p_fee pay.order_fee, p_commission pay.commission, p_amount_minor bigint, p_captured_minor bigint) TO payments_auditor;
GRANT ALL ON FUNCTION pay.whole_fee(p_fee pay.order_fee, p_commission pay.commission, p_amount_minor bigint, p_captured_minor bigint) TO payments_operator;
REVOKE ALL ON FUNCTION pay.window_payouts(p_work pay.settlement_work) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.with_fees(INOUT p_postings pay.posting[], INOUT p_new integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.with_outcome(p_fact pay.fact, p_outcome text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.with_outcomes(p_facts pay.fact[], p_moved integer[], p_late integer[], p_against integer[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.word_digest(p_word text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.word_keys(p_word text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.words_alike(p_words bytea[], p_near bytea[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.work_counts(p_file_id bigint, OUT matched bigint, OUT class1 bigint, OUT class2 bigint, OUT class3 bigint, OUT has_payouts boolean, OUT has_ended boolean, OUT has_roundings boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.work_keys(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.work_of_exception(p_exception pay.settlement_exception, p_row pay.settlement_row) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.work_of_row(p_row pay.settlement_row, p_line integer, p_owner pay.settlement_owner, p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.write_moves(p_moves pay.move[], p_shown bigint, p_at timestamp with time zone) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.written_off_postings(p_exception pay.settlement_exception, p_row pay.settlement_row) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.wrong_page_sum(p_files bigint[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.wrong_risk_rows(p_rows pay.risk_rows) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.wrong_settlement_key(p_file_id bigint, p_key text, p_line integer, p_rows integer, OUT line integer, OUT wrong text, OUT last_key text, OUT last_line integer, OUT is_end boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.wrong_settlement_row(p_file_id bigint, p_from integer, p_until integer, OUT line integer, OUT wrong text) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay.wrong_settlement_sum(p_file_id bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION pay_api.act_on_exception(p_merchant_id text[], p_exception_id bigint[], p_act text[], p_who text[], p_why text[], p_as_kind text[], p_with_id bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.act_on_exception(p_merchant_id text[], p_exception_id bigint[], p_act text[], p_who text[], p_why text[], p_as_kind text[], p_with_id bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.act_on_payout_batch(p_act text[], p_merchant_id text[], p_subject text[], p_currency text[], p_limit bigint[], p_hash text[], p_why text[], p_who text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.act_on_payout_batch(p_act text[], p_merchant_id text[], p_subject text[], p_currency text[], p_limit bigint[], p_hash text[], p_why text[], p_who text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.act_on_review(p_merchant_id text[], p_review_id bigint[], p_act text[], p_reason text[], p_note text[], p_blocks bigint[], p_lease_s bigint[], p_who text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.act_on_review(p_merchant_id text[], p_review_id bigint[], p_act text[], p_reason text[], p_note text[], p_blocks bigint[], p_lease_s bigint[], p_who text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.advance_settlement(p_file_id bigint[], p_rows bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.advance_settlement(p_file_id bigint[], p_rows bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.announce_report(p_psp text[], p_name text[], p_url text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.announce_report(p_psp text[], p_name text[], p_url text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.apply_change(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_about text[], p_news text[], p_token text[], p_reference text[], p_object text[], p_operation_id text[], p_amount_minor bigint[], p_currency text[], p_fee_minor bigint[], p_fee_currency text[], p_code text[], p_digest bytea[], p_request_id text[], p_evidence_until bigint[], p_said_at bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.apply_change(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_about text[], p_news text[], p_token text[], p_reference text[], p_object text[], p_operation_id text[], p_amount_minor bigint[], p_currency text[], p_fee_minor bigint[], p_fee_currency text[], p_code text[], p_digest bytea[], p_request_id text[], p_evidence_until bigint[], p_said_at bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.apply_event(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_digest bytea[], p_request_id text[], p_decline text[], p_can_retry text[], p_attempt text[], p_cards_item bigint[], p_cards_attempt text[], p_cards_card text[], p_cards_bin text[], p_cards_country text[], p_cards_funding text[], p_cards_three_d text[], p_cards_level text[], p_cards_score bigint[], p_cards_warning text[], p_cards_is_hint bigint[], p_cards_card_before text[], p_after jsonb[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.apply_event(p_psp text[], p_source text[], p_event_id text[], p_type text[], p_fact text[], p_token text[], p_reference text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_digest bytea[], p_request_id text[], p_decline text[], p_can_retry text[], p_attempt text[], p_cards_item bigint[], p_cards_attempt text[], p_cards_card text[], p_cards_bin text[], p_cards_country text[], p_cards_funding text[], p_cards_three_d text[], p_cards_level text[], p_cards_score bigint[], p_cards_warning text[], p_cards_is_hint bigint[], p_cards_card_before text[], p_after jsonb[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.beat(p_writer text[], p_number bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.beat(p_writer text[], p_number bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.begin_backfill(p_psp text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_backfill(p_psp text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.begin_change(p_merchant_id text[], p_payment_order_id text[], p_kind text[], p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[], p_reason text[], p_metadata jsonb[], p_lease_ms bigint[], p_request_id text[], p_asked_by jsonb[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_change(p_merchant_id text[], p_payment_order_id text[], p_kind text[], p_change_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_amount_minor bigint[], p_currency text[], p_reason text[], p_metadata jsonb[], p_lease_ms bigint[], p_request_id text[], p_asked_by jsonb[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.begin_close(p_owner text[], p_delay_ms bigint[], p_lease_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_close(p_owner text[], p_delay_ms bigint[], p_lease_ms bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.begin_delivery(p_owner text[], p_lease_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_delivery(p_owner text[], p_lease_ms bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.begin_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_psp text[], p_key_window_s bigint[], p_lease_ms bigint[], p_request_id text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.begin_look(p_source text[], p_format text[], p_merchant_id text[], p_psp text[], p_account text[], p_way text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[], p_keep text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_look(p_source text[], p_format text[], p_merchant_id text[], p_psp text[], p_account text[], p_way text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[], p_keep text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders_item bigint[], p_orders_id text[], p_orders_seller_account text[], p_orders_amount_minor bigint[], p_orders_credit_currency text[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[], p_key_windows text[], p_late_success text[], p_terms jsonb[], p_risk jsonb[], p_risk_hits_item bigint[], p_risk_hits_name text[], p_risk_hits_word text[], p_risk_hits_is_shadow bigint[], p_risk_keys_item bigint[], p_risk_keys_kind text[], p_risk_keys_value text[], p_risk_windows_item bigint[], p_risk_windows_name text[], p_risk_windows_key text[], p_risk_windows_hash text[], p_risk_windows_hours bigint[], p_risk_windows_measure text[], p_risk_windows_threshold bigint[], p_risk_windows_currency text[], p_risk_windows_word text[], p_risk_windows_is_shadow bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_payment(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_checkout_uuid text[], p_handle text[], p_psp text[], p_nonce text[], p_return_url text[], p_base_url text[], p_buyer_info jsonb[], p_metadata jsonb[], p_credit_card_info jsonb[], p_currency text[], p_total_minor bigint[], p_expires_s bigint[], p_orders_item bigint[], p_orders_id text[], p_orders_seller_account text[], p_orders_amount_minor bigint[], p_orders_credit_currency text[], p_ttl_s bigint[], p_lease_ms bigint[], p_request_id text[], p_psps text[], p_route text[], p_key_windows text[], p_late_success text[], p_terms jsonb[], p_risk jsonb[], p_risk_hits_item bigint[], p_risk_hits_name text[], p_risk_hits_word text[], p_risk_hits_is_shadow bigint[], p_risk_keys_item bigint[], p_risk_keys_kind text[], p_risk_keys_value text[], p_risk_windows_item bigint[], p_risk_windows_name text[], p_risk_windows_key text[], p_risk_windows_hash text[], p_risk_windows_hours bigint[], p_risk_windows_measure text[], p_risk_windows_threshold bigint[], p_risk_windows_currency text[], p_risk_windows_word text[], p_risk_windows_is_shadow bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.begin_payout_call(p_merchant_id text[], p_provider text[], p_adapter text[], p_facts jsonb[], p_owner text[], p_lease_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_payout_call(p_merchant_id text[], p_provider text[], p_adapter text[], p_facts jsonb[], p_owner text[], p_lease_ms bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.begin_rates(p_source text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_rates(p_source text[], p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.begin_screening(p_merchant_id text[], p_provider text[], p_lease_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_screening(p_merchant_id text[], p_provider text[], p_lease_ms bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.begin_seal(p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.begin_seal(p_owner text[], p_interval_ms bigint[], p_lease_ms bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.change_endpoint(p_merchant_id text[], p_endpoint_id text[], p_act text[], p_sealed bytea[], p_key_id text[], p_overlap_s bigint[], p_who text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.change_endpoint(p_merchant_id text[], p_endpoint_id text[], p_act text[], p_sealed bytea[], p_key_id text[], p_overlap_s bigint[], p_who text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.check_books(p_owner text[], p_interval_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.check_books(p_owner text[], p_interval_ms bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.check_settlement(p_file_id bigint[], p_attempt bigint[], p_rows bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.check_settlement(p_file_id bigint[], p_attempt bigint[], p_rows bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.claim_jobs(p_owner text[], p_lease_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.claim_jobs(p_owner text[], p_lease_ms bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.claim_replay(p_owner text[], p_lease_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.claim_replay(p_owner text[], p_lease_ms bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.close_destination(p_merchant_id text[], p_destination_id text[], p_who text[], p_why text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.close_destination(p_merchant_id text[], p_destination_id text[], p_who text[], p_why text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.declare_endpoints(p_merchant_id text[], p_endpoint_id text[], p_url text[], p_types jsonb[], p_is_ordered bigint[], p_fingerprint bytea[], p_sealed bytea[], p_key_id text[], p_overlap_s bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.declare_endpoints(p_merchant_id text[], p_endpoint_id text[], p_url text[], p_types jsonb[], p_is_ordered bigint[], p_fingerprint bytea[], p_sealed bytea[], p_key_id text[], p_overlap_s bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.end_backfill(p_psp text[], p_owner text[], p_until_s bigint[], p_listed bigint[], p_missed bigint[], p_code text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.end_backfill(p_psp text[], p_owner text[], p_until_s bigint[], p_listed bigint[], p_missed bigint[], p_code text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.end_close(p_number bigint[], p_key_id text[], p_signature bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.end_close(p_number bigint[], p_key_id text[], p_signature bytea[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.end_delivery(p_merchant_id text[], p_endpoint_id text[], p_position bigint[], p_number bigint[], p_outcome text[], p_status bigint[], p_failure text[], p_answer text[], p_took_ms bigint[], p_retry_s bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.end_delivery(p_merchant_id text[], p_endpoint_id text[], p_position bigint[], p_number bigint[], p_outcome text[], p_status bigint[], p_failure text[], p_answer text[], p_took_ms bigint[], p_retry_s bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.end_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_request_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.end_dispatch(p_merchant_id text[], p_checkout_id text[], p_operation text[], p_operation_id text[], p_attempt bigint[], p_state text[], p_reach text[], p_http_status bigint[], p_code text[], p_reference text[], p_request_id text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.end_look(p_source text[], p_owner text[], p_seen_s bigint[], p_files bigint[], p_again bigint[], p_code text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.end_look(p_source text[], p_owner text[], p_seen_s bigint[], p_files bigint[], p_again bigint[], p_code text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.end_payout_call(p_merchant_id text[], p_payout_id text[], p_number bigint[], p_outcome text[], p_code text[], p_reference text[], p_state text[], p_amount_minor bigint[], p_currency text[], p_account_end text[], p_next text[], p_retry_s bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.end_payout_call(p_merchant_id text[], p_payout_id text[], p_number bigint[], p_outcome text[], p_code text[], p_reference text[], p_state text[], p_amount_minor bigint[], p_currency text[], p_account_end text[], p_next text[], p_retry_s bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.end_rates(p_source text[], p_owner text[], p_base text[], p_rates jsonb[], p_code text[], p_age_ms bigint[], p_max_age_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.end_rates(p_source text[], p_owner text[], p_base text[], p_rates jsonb[], p_code text[], p_age_ms bigint[], p_max_age_ms bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.end_replay(p_replay_id bigint[], p_owner text[], p_failure text[], p_events bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.end_replay(p_replay_id bigint[], p_owner text[], p_failure text[], p_events bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.end_report(p_psp text[], p_name text[], p_file_id bigint[], p_code text[], p_again_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.end_report(p_psp text[], p_name text[], p_file_id bigint[], p_code text[], p_again_ms bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.end_reread(p_file_id bigint[], p_pause_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.end_reread(p_file_id bigint[], p_pause_ms bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.end_seal(p_number bigint[], p_key_id text[], p_signature bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.end_seal(p_number bigint[], p_key_id text[], p_signature bytea[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.enter_destination(p_merchant_id text[], p_seller_account text[], p_currency text[], p_provider text[], p_kind text[], p_country text[], p_shown text[], p_details bytea[], p_key_id text[], p_who text[], p_why text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_name text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.enter_destination(p_merchant_id text[], p_seller_account text[], p_currency text[], p_provider text[], p_kind text[], p_country text[], p_shown text[], p_details bytea[], p_key_id text[], p_who text[], p_why text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[], p_name text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.explain_begin(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_orders text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.explain_begin(p_merchant_id text[], p_idempotency_key text[], p_fingerprint bytea[], p_checkout_id text[], p_orders text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.explain_change(p_merchant_id text[], p_kind text[], p_idempotency_key text[], p_fingerprint bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.explain_change(p_merchant_id text[], p_kind text[], p_idempotency_key text[], p_fingerprint bytea[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.explain_checkout(p_merchant_id text[], p_checkout_id text[], p_sees_risk bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.explain_checkout(p_merchant_id text[], p_checkout_id text[], p_sees_risk bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.explain_payment(p_merchant_id text[], p_payment_order_id text[], p_sees_risk bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.explain_payment(p_merchant_id text[], p_payment_order_id text[], p_sees_risk bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_operation_id text[], p_owner text[], p_delay_ms bigint[], p_code text[], p_dead text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.finish_job(p_merchant_id text[], p_checkout_id text[], p_kind text[], p_operation_id text[], p_owner text[], p_delay_ms bigint[], p_code text[], p_dead text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.get_balance(p_merchant_id text[], p_seller_account text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_balance(p_merchant_id text[], p_seller_account text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.get_buyer_history(p_merchant_id text[], p_buyer text[], p_buyer_before text[], p_country text[], p_currency text[], p_total_minor bigint[], p_device text[], p_device_before text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_buyer_history(p_merchant_id text[], p_buyer text[], p_buyer_before text[], p_country text[], p_currency text[], p_total_minor bigint[], p_device text[], p_device_before text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.get_change(p_merchant_id text[], p_payment_order_id text[], p_change_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_change(p_merchant_id text[], p_payment_order_id text[], p_change_id text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.get_checkout(p_merchant_id text[], p_checkout_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_checkout(p_merchant_id text[], p_checkout_id text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.get_events(p_merchant_id text[], p_payment_order_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_events(p_merchant_id text[], p_payment_order_id text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.get_handle(p_handle text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_handle(p_handle text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.get_order(p_merchant_id text[], p_payment_order_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_order(p_merchant_id text[], p_payment_order_id text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.get_payment(p_merchant_id text[], p_payment_order_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_payment(p_merchant_id text[], p_payment_order_id text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.get_payout_advice(p_merchant_id text[], p_payout_id text[], p_before bigint[], p_limit bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_payout_advice(p_merchant_id text[], p_payout_id text[], p_before bigint[], p_limit bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.get_report(p_psp text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_report(p_psp text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.get_reread(p_source text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_reread(p_source text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.get_statement(p_merchant_id text[], p_seller_account text[], p_currency text[], p_before_seq bigint[], p_limit bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.get_statement(p_merchant_id text[], p_seller_account text[], p_currency text[], p_before_seq bigint[], p_limit bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.keep_look(p_source text[], p_owner text[], p_lease_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.keep_look(p_source text[], p_owner text[], p_lease_ms bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.keep_settlement(p_file_id bigint[], p_attempt bigint[], p_pieces_item bigint[], p_pieces_number bigint[], p_pieces_is_last bigint[], p_pieces_kid text[], p_pieces_nonce bytea[], p_pieces_bytes bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.keep_settlement(p_file_id bigint[], p_attempt bigint[], p_pieces_item bigint[], p_pieces_number bigint[], p_pieces_is_last bigint[], p_pieces_kid text[], p_pieces_nonce bytea[], p_pieces_bytes bytea[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.keep_webhook(p_psp text[], p_digest bytea[], p_body bytea[], p_size bigint[], p_left_out text[], p_days bigint[], p_message_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.keep_webhook(p_psp text[], p_digest bytea[], p_body bytea[], p_size bigint[], p_left_out text[], p_days bigint[], p_message_id text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.list_changes(p_merchant_id text[], p_payment_order_id text[], p_kind text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.list_changes(p_merchant_id text[], p_payment_order_id text[], p_kind text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.list_checkouts(p_merchant_id text[], p_status text[], p_after_us bigint[], p_before_us bigint[], p_before_id text[], p_limit bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.list_checkouts(p_merchant_id text[], p_status text[], p_after_us bigint[], p_before_us bigint[], p_before_id text[], p_limit bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.list_closes(p_merchant_id text[], p_day text[], p_before bigint[], p_limit bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.list_closes(p_merchant_id text[], p_day text[], p_before bigint[], p_limit bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.list_deliveries(p_merchant_id text[], p_endpoint_id text[], p_state text[], p_before bigint[], p_limit bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.list_deliveries(p_merchant_id text[], p_endpoint_id text[], p_state text[], p_before bigint[], p_limit bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.list_destinations(p_merchant_id text[], p_destination_id text[], p_seller_account text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.list_destinations(p_merchant_id text[], p_destination_id text[], p_seller_account text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.list_endpoints(p_merchant_id text[], p_endpoint_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.list_endpoints(p_merchant_id text[], p_endpoint_id text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.list_messages(p_merchant_id text[], p_message_id text[], p_after text[], p_type text[], p_limit bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.list_messages(p_merchant_id text[], p_message_id text[], p_after text[], p_type text[], p_limit bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.list_past_attempts(p_since_s bigint[], p_before_us bigint[], p_before_merchant_id text[], p_before_checkout_id text[], p_limit bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.list_past_attempts(p_since_s bigint[], p_before_us bigint[], p_before_merchant_id text[], p_before_checkout_id text[], p_limit bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.list_payout_batches(p_merchant_id text[], p_batch_id text[], p_provider text[], p_currency text[], p_state text[], p_day text[], p_before bigint[], p_limit bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.list_payout_batches(p_merchant_id text[], p_batch_id text[], p_provider text[], p_currency text[], p_state text[], p_day text[], p_before bigint[], p_limit bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.list_payouts(p_merchant_id text[], p_payout_id text[], p_seller_account text[], p_provider text[], p_currency text[], p_state text[], p_day text[], p_before bigint[], p_limit bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.list_payouts(p_merchant_id text[], p_payout_id text[], p_seller_account text[], p_provider text[], p_currency text[], p_state text[], p_day text[], p_before bigint[], p_limit bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.list_psp_balances(p_merchant_id text[], p_psp text[], p_currency text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.list_psp_balances(p_merchant_id text[], p_psp text[], p_currency text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.list_reviews(p_merchant_id text[], p_review_id bigint[], p_state text[], p_after bigint[], p_limit bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.list_reviews(p_merchant_id text[], p_review_id bigint[], p_state text[], p_after bigint[], p_limit bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.list_risk_entries(p_merchant_id text[], p_entry_id bigint[], p_effect text[], p_kind text[], p_after bigint[], p_limit bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.list_risk_entries(p_merchant_id text[], p_entry_id bigint[], p_effect text[], p_kind text[], p_after bigint[], p_limit bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.list_settlement_ageing(p_merchant_id text[], p_psp text[], p_currency text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.list_settlement_ageing(p_merchant_id text[], p_psp text[], p_currency text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.list_settlement_exceptions(p_merchant_id text[], p_exception_id bigint[], p_psp text[], p_currency text[], p_class bigint[], p_state text[], p_day text[], p_before bigint[], p_limit bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.list_settlement_exceptions(p_merchant_id text[], p_exception_id bigint[], p_psp text[], p_currency text[], p_class bigint[], p_state text[], p_day text[], p_before bigint[], p_limit bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.list_settlement_files(p_merchant_id text[], p_file_id bigint[], p_source text[], p_psp text[], p_state text[], p_day text[], p_before bigint[], p_limit bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.list_settlement_files(p_merchant_id text[], p_file_id bigint[], p_source text[], p_psp text[], p_state text[], p_day text[], p_before bigint[], p_limit bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.list_settlement_rows(p_merchant_id text[], p_file_id bigint[], p_psp text[], p_currency text[], p_class bigint[], p_state text[], p_day text[], p_before bigint[], p_limit bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.list_settlement_rows(p_merchant_id text[], p_file_id bigint[], p_psp text[], p_currency text[], p_class bigint[], p_state text[], p_day text[], p_before bigint[], p_limit bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.make_due_payouts(p_owner text[], p_wallets bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.make_due_payouts(p_owner text[], p_wallets bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.make_payout(p_merchant_id text[], p_seller_account text[], p_currency text[], p_who text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.make_payout(p_merchant_id text[], p_seller_account text[], p_currency text[], p_who text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.open_settlement(p_source text[], p_sha256 bytea[], p_name text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.open_settlement(p_source text[], p_sha256 bytea[], p_name text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.prove_settlement(p_file_id bigint[], p_attempt bigint[], p_batch_key text[], p_rows bigint[], p_stated jsonb[], p_digest bytea[], p_page jsonb[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.prove_settlement(p_file_id bigint[], p_attempt bigint[], p_batch_key text[], p_rows bigint[], p_stated jsonb[], p_digest bytea[], p_page jsonb[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.publish_events(p_owner text[], p_most bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.publish_events(p_owner text[], p_most bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.quarantine_webhook(p_psp text[], p_reason text[], p_digest bytea[], p_headers jsonb[], p_body bytea[], p_size bigint[], p_request_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.quarantine_webhook(p_psp text[], p_reason text[], p_digest bytea[], p_headers jsonb[], p_body bytea[], p_size bigint[], p_request_id text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.read_beat(p_writer text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.read_beat(p_writer text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.ready() FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.ready() TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.refuse_settlement(p_file_id bigint[], p_attempt bigint[], p_reason text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.refuse_settlement(p_file_id bigint[], p_attempt bigint[], p_reason text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.release_order(p_merchant_id text[], p_payment_order_id text[], p_who text[], p_why text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.release_order(p_merchant_id text[], p_payment_order_id text[], p_who text[], p_why text[], p_idempotency_key text[], p_fingerprint bytea[], p_ttl_s bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.release_replacement(p_merchant_id text[], p_checkout_id text[], p_lease_ms bigint[], p_request_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.release_replacement(p_merchant_id text[], p_checkout_id text[], p_lease_ms bigint[], p_request_id text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.remove_risk_entry(p_merchant_id text[], p_entry_id bigint[], p_who text[], p_why text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.remove_risk_entry(p_merchant_id text[], p_entry_id bigint[], p_who text[], p_why text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.replay_deliveries(p_merchant_id text[], p_endpoint_id text[], p_message_id text[], p_since_us bigint[], p_until_us bigint[], p_only_failed bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.replay_deliveries(p_merchant_id text[], p_endpoint_id text[], p_message_id text[], p_since_us bigint[], p_until_us bigint[], p_only_failed bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[], p_reach text[], p_http_status bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.reroute(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_lease_ms bigint[], p_request_id text[], p_attempt bigint[], p_reach text[], p_http_status bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.roll_up(p_owner text[], p_interval_ms bigint[], p_most bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.roll_up(p_owner text[], p_interval_ms bigint[], p_most bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.see_browser(p_handle text[], p_browser text[], p_before text[], p_is_new bigint[], p_agent text[], p_user_agent text[], p_address text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.see_browser(p_handle text[], p_browser text[], p_before text[], p_is_new bigint[], p_agent text[], p_user_agent text[], p_address text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.stage_settlement(p_file_id bigint[], p_attempt bigint[], p_rows_item bigint[], p_rows_line bigint[], p_rows_row_key text[], p_rows_kind text[], p_rows_raw_type text[], p_rows_psp_ref text[], p_rows_parent_ref text[], p_rows_our_ref text[], p_rows_occurred_us bigint[], p_rows_booked_on text[], p_rows_gross_minor bigint[], p_rows_fee_minor bigint[], p_rows_tax_minor bigint[], p_rows_net_minor bigint[], p_rows_currency text[], p_rows_paid_minor bigint[], p_rows_paid_currency text[], p_rows_rate text[], p_rows_payout_ref text[], p_rows_account text[], p_rows_bank_ref text[], p_rows_note text[], p_rows_flags bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.stage_settlement(p_file_id bigint[], p_attempt bigint[], p_rows_item bigint[], p_rows_line bigint[], p_rows_row_key text[], p_rows_kind text[], p_rows_raw_type text[], p_rows_psp_ref text[], p_rows_parent_ref text[], p_rows_our_ref text[], p_rows_occurred_us bigint[], p_rows_booked_on text[], p_rows_gross_minor bigint[], p_rows_fee_minor bigint[], p_rows_tax_minor bigint[], p_rows_net_minor bigint[], p_rows_currency text[], p_rows_paid_minor bigint[], p_rows_paid_currency text[], p_rows_rate text[], p_rows_payout_ref text[], p_rows_account text[], p_rows_bank_ref text[], p_rows_note text[], p_rows_flags bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.store_balance(p_source text[], p_owner text[], p_is_complete bigint[], p_code text[], p_rows_item bigint[], p_rows_currency text[], p_rows_available_minor bigint[], p_rows_pending_minor bigint[], p_rows_reserved_minor bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.store_balance(p_source text[], p_owner text[], p_is_complete bigint[], p_code text[], p_rows_item bigint[], p_rows_currency text[], p_rows_available_minor bigint[], p_rows_pending_minor bigint[], p_rows_reserved_minor bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.store_endpoint(p_merchant_id text[], p_endpoint_id text[], p_url text[], p_types jsonb[], p_scheme text[], p_is_ordered bigint[], p_sealed bytea[], p_key_id text[], p_who text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.store_endpoint(p_merchant_id text[], p_endpoint_id text[], p_url text[], p_types jsonb[], p_scheme text[], p_is_ordered bigint[], p_sealed bytea[], p_key_id text[], p_who text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[], p_reach text[], p_http_status bigint[], p_dead text[], p_attempt bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.store_no_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_outcome text[], p_code text[], p_retry_after_ms bigint[], p_request_id text[], p_reach text[], p_http_status bigint[], p_dead text[], p_attempt bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.store_risk_entry(p_merchant_id text[], p_effect text[], p_kind text[], p_value text[], p_until_us bigint[], p_who text[], p_why text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.store_risk_entry(p_merchant_id text[], p_effect text[], p_kind text[], p_value text[], p_until_us bigint[], p_who text[], p_why text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.store_screening(p_merchant_id text[], p_provider text[], p_destination_id text[], p_version bigint[], p_number bigint[], p_answer text[], p_reference text[], p_code text[], p_retry_s bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.store_screening(p_merchant_id text[], p_provider text[], p_destination_id text[], p_version bigint[], p_number bigint[], p_answer text[], p_reference text[], p_code text[], p_retry_s bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.store_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_poll_after_ms bigint[], p_request_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.store_token(p_merchant_id text[], p_checkout_id text[], p_psp text[], p_token text[], p_alias text[], p_hosted_url text[], p_poll_after_ms bigint[], p_request_id text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.sweep(p_owner text[], p_interval_ms bigint[], p_limits jsonb[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.sweep(p_owner text[], p_interval_ms bigint[], p_limits jsonb[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.tell_payout_event(p_merchant_id text[], p_provider text[], p_event_id text[], p_key text[], p_reference text[], p_parcel text[], p_state text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_account_end text[], p_occurred_us bigint[], p_sequence bigint[], p_must_ask bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.tell_payout_event(p_merchant_id text[], p_provider text[], p_event_id text[], p_key text[], p_reference text[], p_parcel text[], p_state text[], p_code text[], p_amount_minor bigint[], p_currency text[], p_account_end text[], p_occurred_us bigint[], p_sequence bigint[], p_must_ask bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.watch_endpoints(p_owner text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.watch_endpoints(p_owner text[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.watch_events(p_owner text[], p_interval_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.watch_events(p_owner text[], p_interval_ms bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.watch_payouts(p_owner text[], p_interval_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.watch_payouts(p_owner text[], p_interval_ms bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_api.watch_settlement(p_owner text[], p_interval_ms bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_api.watch_settlement(p_owner text[], p_interval_ms bigint[]) TO payments_gateway;
REVOKE ALL ON FUNCTION pay_console.read_page(p_page text[], p_staff text[], p_roles jsonb[], p_merchants jsonb[], p_query jsonb[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_console.read_page(p_page text[], p_staff text[], p_roles jsonb[], p_merchants jsonb[], p_query jsonb[]) TO payments_console;
REVOKE ALL ON FUNCTION pay_console_act.make_act(p_act text[], p_staff text[], p_roles jsonb[], p_merchants jsonb[], p_login_age_s bigint[], p_body jsonb[], p_terms jsonb[], p_request_id text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_console_act.make_act(p_act text[], p_staff text[], p_roles jsonb[], p_merchants jsonb[], p_login_age_s bigint[], p_body jsonb[], p_terms jsonb[], p_request_id text[]) TO payments_console_act;
REVOKE ALL ON FUNCTION pay_ops.accept_dead_letter(p_id bigint, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.accept_dead_letter(p_id bigint, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.accept_settlement(p_id bigint, p_who text, p_why text, p_as text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.accept_settlement(p_id bigint, p_who text, p_why text, p_as text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.advance_settlement(p_file_id bigint, p_rows integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.advance_settlement(p_file_id bigint, p_rows integer) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.approve_payout_batch(p_merchant_id text, p_batch_id text, p_hash text, p_who text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.approve_payout_batch(p_merchant_id text, p_batch_id text, p_hash text, p_who text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.ask_balance(p_source text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.ask_balance(p_source text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.assign_mismatch(p_id bigint, p_orders text[], p_amounts text[], p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.assign_mismatch(p_id bigint, p_orders text[], p_amounts text[], p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.begin_payout_file(p_merchant_id text, p_provider text, p_adapter text, p_facts jsonb, p_most integer, p_debtor_iban text, p_execute_on date, p_place text, p_who text, OUT outcome text, OUT msg_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.begin_payout_file(p_merchant_id text, p_provider text, p_adapter text, p_facts jsonb, p_most integer, p_debtor_iban text, p_execute_on date, p_place text, p_who text, OUT outcome text, OUT msg_id text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.begin_recovery(p_since timestamp with time zone, p_who text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.begin_recovery(p_since timestamp with time zone, p_who text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.cancel_payout(p_merchant_id text, p_payout_id text, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.cancel_payout(p_merchant_id text, p_payout_id text, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.carry_in(p_merchant_id text, p_cell text, p_transfer_id uuid[], p_seller text[], p_currency text[], p_minor bigint[], p_who text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.carry_in(p_merchant_id text, p_cell text, p_transfer_id uuid[], p_seller text[], p_currency text[], p_minor bigint[], p_who text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.carry_out(p_merchant_id text, p_after text, p_limit integer, p_who text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.carry_out(p_merchant_id text, p_after text, p_limit integer, p_who text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.check_settlement(p_file_id bigint, p_rows integer, p_attempt bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.check_settlement(p_file_id bigint, p_rows integer, p_attempt bigint) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.claim_review(p_review_id bigint, p_lease_s bigint, p_who text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.claim_review(p_review_id bigint, p_lease_s bigint, p_who text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.clear_payout_screening(p_merchant_id text, p_payout_id text, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.clear_payout_screening(p_merchant_id text, p_payout_id text, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.copied_settlement(p_file_id bigint, OUT name text, OUT sha256 bytea, OUT attempt bigint, OUT pieces bigint, OUT is_whole boolean, OUT is_pulled boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.copied_settlement(p_file_id bigint, OUT name text, OUT sha256 bytea, OUT attempt bigint, OUT pieces bigint, OUT is_whole boolean, OUT is_pulled boolean) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.decide_payout(p_merchant_id text, p_payout_id text, p_fact text, p_ref text, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.decide_payout(p_merchant_id text, p_payout_id text, p_fact text, p_ref text, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.decide_review(p_review_id bigint, p_act text, p_reason text, p_note text, p_blocks boolean, p_who text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.decide_review(p_review_id bigint, p_act text, p_reason text, p_note text, p_blocks boolean, p_who text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.drop_month(p_month date, p_keep interval, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.drop_month(p_month date, p_keep interval, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.drop_payout_schedule(p_merchant_id text, p_seller_account text, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.drop_payout_schedule(p_merchant_id text, p_seller_account text, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.enable_endpoint(p_endpoint_id text, p_enable boolean, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.enable_endpoint(p_endpoint_id text, p_enable boolean, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.end_fence(p_merchant_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.end_fence(p_merchant_id text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.end_payout_file(p_merchant_id text, p_provider text, p_msg_id text, p_how text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.end_payout_file(p_merchant_id text, p_provider text, p_msg_id text, p_how text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.end_payout_report(p_merchant_id text, p_provider text, p_sha256 bytea, p_kind text, p_counts jsonb, p_who text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.end_payout_report(p_merchant_id text, p_provider text, p_sha256 bytea, p_kind text, p_counts jsonb, p_who text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.end_recovery(p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.end_recovery(p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.end_transfers(p_transfer_id uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.end_transfers(p_transfer_id uuid[]) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.erase_buyer(p_merchant_id text, p_by text, p_value text, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.erase_buyer(p_merchant_id text, p_by text, p_value text, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.fence_merchant(p_merchant_id text, p_cell text, p_who text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.fence_merchant(p_merchant_id text, p_cell text, p_who text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.fix_payout_file(p_merchant_id text, p_provider text, p_msg_id text, p_left text[], p_codes text[], p_items integer, p_total_minor bigint, p_sha256 bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.fix_payout_file(p_merchant_id text, p_provider text, p_msg_id text, p_left text[], p_codes text[], p_items integer, p_total_minor bigint, p_sha256 bytea) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.forget_origin(p_merchant_id text, p_who text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.forget_origin(p_merchant_id text, p_who text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.hold_payout(p_merchant_id text, p_payout_id text, p_holds boolean, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.hold_payout(p_merchant_id text, p_payout_id text, p_holds boolean, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.hold_payouts(p_merchant_id text, p_seller_account text, p_payment_order_id text, p_holds boolean, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.hold_payouts(p_merchant_id text, p_seller_account text, p_payment_order_id text, p_holds boolean, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.hold_settlement(p_file_id bigint, p_attempt bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.hold_settlement(p_file_id bigint, p_attempt bigint) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.import_sanctions(p_list text, p_sha256 bytea, p_entry_id text[], p_name text[], p_shrinks boolean, p_who text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.import_sanctions(p_list text, p_sha256 bytea, p_entry_id text[], p_name text[], p_shrinks boolean, p_who text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.keep_checks(p_name text[], p_violations bigint[], p_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.keep_checks(p_name text[], p_violations bigint[], p_at timestamp with time zone) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.keep_settlement(p_file_id bigint, p_attempt bigint, p_number bigint, p_is_last boolean, p_kid text, p_nonce bytea, p_bytes bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.keep_settlement(p_file_id bigint, p_attempt bigint, p_number bigint, p_is_last boolean, p_kid text, p_nonce bytea, p_bytes bytea) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.lift_fence(p_merchant_id text, p_comes_back boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.lift_fence(p_merchant_id text, p_comes_back boolean) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.linked_to_review(p_review_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.linked_to_review(p_review_id bigint) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.make_close(p_day date, OUT outcome text, OUT number bigint, OUT document text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.make_close(p_day date, OUT outcome text, OUT number bigint, OUT document text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.make_payout_batch(p_merchant_id text, p_provider text, p_currency text, p_items integer, p_who text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.make_payout_batch(p_merchant_id text, p_provider text, p_currency text, p_items integer, p_who text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.make_payouts(p_merchant_id text, p_seller_account text, p_currency text, p_who text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.make_payouts(p_merchant_id text, p_seller_account text, p_currency text, p_who text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.make_proof(p_merchant_id text, p_payment_order_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.make_proof(p_merchant_id text, p_payment_order_id text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.note_origin(p_merchant_id text, p_cell text, p_who text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.note_origin(p_merchant_id text, p_cell text, p_who text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.open_settlement(p_source text, p_sha256 text, p_name text, OUT outcome text, OUT file_id bigint, OUT attempt bigint, OUT format text, OUT account text, OUT state text, OUT keep text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.open_settlement(p_source text, p_sha256 text, p_name text, OUT outcome text, OUT file_id bigint, OUT attempt bigint, OUT format text, OUT account text, OUT state text, OUT keep text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.promote_risk_model(p_name text, p_sha256 text, p_report_sha256 text, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.promote_risk_model(p_name text, p_sha256 text, p_report_sha256 text, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.prove_settlement(p_file_id bigint, p_batch_key text, p_rows bigint, p_stated jsonb, p_attempt bigint, p_page jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.prove_settlement(p_file_id bigint, p_batch_key text, p_rows bigint, p_stated jsonb, p_attempt bigint, p_page jsonb) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.raise_overdue(p_source text, p_now timestamp with time zone, OUT queued integer, OUT again boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.raise_overdue(p_source text, p_now timestamp with time zone, OUT queued integer, OUT again boolean) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.read_payout_report(p_merchant_id text, p_provider text, p_said jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.read_payout_report(p_merchant_id text, p_provider text, p_said jsonb) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.refuse_settlement(p_file_id bigint, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.refuse_settlement(p_file_id bigint, p_reason text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.reject_payout_screening(p_merchant_id text, p_payout_id text, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.reject_payout_screening(p_merchant_id text, p_payout_id text, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.release_order(p_merchant_id text, p_payment_order_id text, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.release_order(p_merchant_id text, p_payment_order_id text, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.replay_events(p_endpoint_id text, p_message_id text, p_since timestamp with time zone, p_until timestamp with time zone, p_only_failed boolean, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.replay_events(p_endpoint_id text, p_message_id text, p_since timestamp with time zone, p_until timestamp with time zone, p_only_failed boolean, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.replay_webhook(p_psp text, p_event_id text, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.replay_webhook(p_psp text, p_event_id text, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.requeue_dead_letter(p_id bigint, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.requeue_dead_letter(p_id bigint, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.resolve_dead_letter(p_id bigint, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.resolve_dead_letter(p_id bigint, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.resolve_settlement(p_id bigint, p_who text, p_why text, p_with bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.resolve_settlement(p_id bigint, p_who text, p_why text, p_with bigint) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.risk_list_add(p_merchant_id text, p_effect text, p_kind text, p_value text, p_until timestamp with time zone, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.risk_list_add(p_merchant_id text, p_effect text, p_kind text, p_value text, p_until timestamp with time zone, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.risk_list_add_browsers(p_merchant_id text, p_effect text, p_payment_order_id text, p_until timestamp with time zone, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.risk_list_add_browsers(p_merchant_id text, p_effect text, p_payment_order_id text, p_until timestamp with time zone, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.risk_list_add_cards(p_merchant_id text, p_effect text, p_payment_order_id text, p_until timestamp with time zone, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.risk_list_add_cards(p_merchant_id text, p_effect text, p_payment_order_id text, p_until timestamp with time zone, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.risk_list_import(p_merchant_id text, p_effect text[], p_kind text[], p_value text[], p_until timestamp with time zone[], p_who text, p_why text, OUT outcome text, OUT added bigint, OUT changed bigint, OUT bad bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.risk_list_import(p_merchant_id text, p_effect text[], p_kind text[], p_value text[], p_until timestamp with time zone[], p_who text, p_why text, OUT outcome text, OUT added bigint, OUT changed bigint, OUT bad bigint) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.risk_list_list(p_merchant_id text, p_after_id bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.risk_list_list(p_merchant_id text, p_after_id bigint, p_limit integer) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.risk_list_remove(p_merchant_id text, p_effect text, p_kind text, p_value text, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.risk_list_remove(p_merchant_id text, p_effect text, p_kind text, p_value text, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.run_retention(p_class text, p_keep interval, p_limit integer, p_who text, OUT outcome text, OUT ended bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.run_retention(p_class text, p_keep interval, p_limit integer, p_who text, OUT outcome text, OUT ended bigint) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.send_payout_batch(p_merchant_id text, p_batch_id text, p_who text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.send_payout_batch(p_merchant_id text, p_batch_id text, p_who text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.set_commission(p_merchant_id text, p_seller_account text, p_psp text, p_currency text, p_percent numeric, p_fixed_minor bigint, p_minimum_minor bigint, p_maximum_minor bigint, p_valid_from timestamp with time zone, p_who text, p_why text, p_payment_method text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.set_commission(p_merchant_id text, p_seller_account text, p_psp text, p_currency text, p_percent numeric, p_fixed_minor bigint, p_minimum_minor bigint, p_maximum_minor bigint, p_valid_from timestamp with time zone, p_who text, p_why text, p_payment_method text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.set_fee_policy(p_merchant_id text, p_returns text, p_tax_percent numeric, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.set_fee_policy(p_merchant_id text, p_returns text, p_tax_percent numeric, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.set_payout_calendar(p_calendar text, p_closed_on integer[], p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.set_payout_calendar(p_calendar text, p_closed_on integer[], p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.set_payout_holiday(p_calendar text, p_day text, p_name text, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.set_payout_holiday(p_calendar text, p_day text, p_name text, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.set_payout_limit(p_merchant_id text, p_currency text, p_one numeric, p_two numeric, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.set_payout_limit(p_merchant_id text, p_currency text, p_one numeric, p_two numeric, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.set_payout_minimum(p_merchant_id text, p_currency text, p_minimum_minor bigint, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.set_payout_minimum(p_merchant_id text, p_currency text, p_minimum_minor bigint, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.set_payout_policy(p_merchant_id text, p_who text, p_why text, p_release_by text, p_release_days integer, p_needs_settled boolean, p_reserve_percent numeric, p_reserve_days integer, p_cooling_off_hours integer, p_sends_by text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.set_payout_policy(p_merchant_id text, p_who text, p_why text, p_release_by text, p_release_days integer, p_needs_settled boolean, p_reserve_percent numeric, p_reserve_days integer, p_cooling_off_hours integer, p_sends_by text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.set_payout_provider(p_merchant_id text, p_provider text, p_adapter text, p_takes text[], p_currencies text[], p_countries text[], p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.set_payout_provider(p_merchant_id text, p_provider text, p_adapter text, p_takes text[], p_currencies text[], p_countries text[], p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.set_payout_schedule(p_merchant_id text, p_seller_account text, p_every text, p_on_day integer, p_cut_off text, p_zone text, p_calendar text, p_batch_items integer, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.set_payout_schedule(p_merchant_id text, p_seller_account text, p_every text, p_on_day integer, p_cut_off text, p_zone text, p_calendar text, p_batch_items integer, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.set_payout_screening(p_merchant_id text, p_is_on boolean, p_lists text[], p_max_age_hours integer, p_who text, p_why text, p_provider text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.set_payout_screening(p_merchant_id text, p_is_on boolean, p_lists text[], p_max_age_hours integer, p_who text, p_why text, p_provider text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.set_settlement_limit(p_currency text, p_alone numeric, p_a_day numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.set_settlement_limit(p_currency text, p_alone numeric, p_a_day numeric) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.set_settlement_source(p_source text, p_format text, p_merchant_id text, p_psp text, p_account text, p_since timestamp with time zone, p_overdue_days integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.set_settlement_source(p_source text, p_format text, p_merchant_id text, p_psp text, p_account text, p_since timestamp with time zone, p_overdue_days integer) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.settle_change(p_merchant_id text, p_change_id text, p_done boolean, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.settle_change(p_merchant_id text, p_change_id text, p_done boolean, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.settle_destination(p_merchant_id text, p_destination_id text, p_state text, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.settle_destination(p_merchant_id text, p_destination_id text, p_state text, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.settle_dispute(p_psp text, p_dispute_id text, p_end text, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.settle_dispute(p_psp text, p_dispute_id text, p_end text, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.settle_mismatch(p_id bigint, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.settle_mismatch(p_id bigint, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.settlement_piece(p_file_id bigint, p_attempt bigint, p_number bigint, OUT is_last boolean, OUT kid text, OUT nonce bytea, OUT bytes bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.settlement_piece(p_file_id bigint, p_attempt bigint, p_number bigint, OUT is_last boolean, OUT kid text, OUT nonce bytea, OUT bytes bytea) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.show_webhook(p_psp text, p_event_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.show_webhook(p_psp text, p_event_id text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.sign_close(p_number bigint, p_key_id text, p_signature text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.sign_close(p_number bigint, p_key_id text, p_signature text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.stop_payout_provider(p_merchant_id text, p_provider text, p_stops boolean, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.stop_payout_provider(p_merchant_id text, p_provider text, p_stops boolean, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.store_destination(p_merchant_id text, p_seller_account text, p_currency text, p_provider text, p_kind text, p_country text, p_number text, p_details bytea, p_key_id text, p_who text, p_why text, p_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.store_destination(p_merchant_id text, p_seller_account text, p_currency text, p_provider text, p_kind text, p_country text, p_number text, p_details bytea, p_key_id text, p_who text, p_why text, p_name text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.take_payout_report(p_merchant_id text, p_provider text, p_event_id text, p_key text, p_parcel text, p_state text, p_code text, p_amount_minor bigint, p_currency text, p_account_end text, p_occurred_us bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.take_payout_report(p_merchant_id text, p_provider text, p_event_id text, p_key text, p_parcel text, p_state text, p_code text, p_amount_minor bigint, p_currency text, p_account_end text, p_occurred_us bigint) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.unrelease_order(p_merchant_id text, p_payment_order_id text, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.unrelease_order(p_merchant_id text, p_payment_order_id text, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.withdraw_payout_batch(p_merchant_id text, p_batch_id text, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.withdraw_payout_batch(p_merchant_id text, p_batch_id text, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_ops.write_off_settlement(p_id bigint, p_who text, p_why text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_ops.write_off_settlement(p_id bigint, p_who text, p_why text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_relay.claim_messages(p_name text, p_owner text, p_lease_ms bigint, p_after bigint, p_most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_relay.claim_messages(p_name text, p_owner text, p_lease_ms bigint, p_after bigint, p_most integer) TO payments_relay;
REVOKE ALL ON FUNCTION pay_relay.mark_messages(p_name text, p_owner text, p_lease_ms bigint, p_position bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_relay.mark_messages(p_name text, p_owner text, p_lease_ms bigint, p_position bigint) TO payments_relay;
REVOKE ALL ON FUNCTION pay_view.audit_export(p_since timestamp with time zone, p_until timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_view.audit_export(p_since timestamp with time zone, p_until timestamp with time zone) TO payments_auditor;
GRANT ALL ON FUNCTION pay_view.audit_export(p_since timestamp with time zone, p_until timestamp with time zone) TO payments_operator;
REVOKE ALL ON FUNCTION pay_view.capacity(p_day numeric, p_peak numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_view.capacity(p_day numeric, p_peak numeric) TO payments_auditor;
GRANT ALL ON FUNCTION pay_view.capacity(p_day numeric, p_peak numeric) TO payments_operator;
REVOKE ALL ON FUNCTION pay_view.explain(p_merchant_id text, p_payment_order_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_view.explain(p_merchant_id text, p_payment_order_id text) TO payments_auditor;
GRANT ALL ON FUNCTION pay_view.explain(p_merchant_id text, p_payment_order_id text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_view.find(p_what text, p_merchant_id text, p_buyer text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_view.find(p_what text, p_merchant_id text, p_buyer text) TO payments_auditor;
GRANT ALL ON FUNCTION pay_view.find(p_what text, p_merchant_id text, p_buyer text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_view.payout_advice(p_payout_id text, p_before bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_view.payout_advice(p_payout_id text, p_before bigint) TO payments_auditor;
GRANT ALL ON FUNCTION pay_view.payout_advice(p_payout_id text, p_before bigint) TO payments_operator;
REVOKE ALL ON FUNCTION pay_view.report_days(p_from timestamp with time zone, p_to timestamp with time zone, p_zone text, p_merchant_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_view.report_days(p_from timestamp with time zone, p_to timestamp with time zone, p_zone text, p_merchant_id text) TO payments_auditor;
GRANT ALL ON FUNCTION pay_view.report_days(p_from timestamp with time zone, p_to timestamp with time zone, p_zone text, p_merchant_id text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_view.report_fees(p_from timestamp with time zone, p_to timestamp with time zone, p_merchant_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_view.report_fees(p_from timestamp with time zone, p_to timestamp with time zone, p_merchant_id text) TO payments_auditor;
GRANT ALL ON FUNCTION pay_view.report_fees(p_from timestamp with time zone, p_to timestamp with time zone, p_merchant_id text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_view.report_psps(p_from timestamp with time zone, p_to timestamp with time zone, p_merchant_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_view.report_psps(p_from timestamp with time zone, p_to timestamp with time zone, p_merchant_id text) TO payments_auditor;
GRANT ALL ON FUNCTION pay_view.report_psps(p_from timestamp with time zone, p_to timestamp with time zone, p_merchant_id text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_view.report_sellers(p_from timestamp with time zone, p_to timestamp with time zone, p_merchant_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_view.report_sellers(p_from timestamp with time zone, p_to timestamp with time zone, p_merchant_id text) TO payments_auditor;
GRANT ALL ON FUNCTION pay_view.report_sellers(p_from timestamp with time zone, p_to timestamp with time zone, p_merchant_id text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_view.report_time(p_text text, p_zone text) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_view.report_time(p_text text, p_zone text) TO payments_auditor;
GRANT ALL ON FUNCTION pay_view.report_time(p_text text, p_zone text) TO payments_operator;
REVOKE ALL ON FUNCTION pay_view.retention(p_classes text[], p_keep interval) FROM PUBLIC;
GRANT ALL ON FUNCTION pay_view.retention(p_classes text[], p_keep interval) TO payments_auditor;
GRANT ALL ON FUNCTION pay_view.retention(p_classes text[], p_keep interval) TO payments_operator;
REVOKE ALL ON FUNCTION pay_view.screening_waits() FROM PUBLIC;
GRANT ALL ON FUNCTION pay_view.screening_waits() TO payments_auditor;
GRANT ALL ON FUNCTION pay_view.screening_waits() TO payments_operator;
GRANT SELECT ON TABLE pay.account_kind TO payments_auditor;
GRANT SELECT ON TABLE pay.account_kind TO payments_operator;
GRANT SELECT ON TABLE pay.risk_decision TO payments_auditor;
GRANT SELECT ON TABLE pay.risk_decision TO payments_operator;
GRANT SELECT ON TABLE pay.aged_address TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_address TO payments_operator;
GRANT SELECT ON TABLE pay.webhook_body TO payments_auditor;
GRANT SELECT ON TABLE pay.webhook_body TO payments_operator;
GRANT SELECT ON TABLE pay.aged_body TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_body TO payments_operator;
GRANT SELECT ON TABLE pay.risk_browser TO payments_auditor;
GRANT SELECT ON TABLE pay.risk_browser TO payments_operator;
GRANT SELECT ON TABLE pay.aged_browser TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_browser TO payments_operator;
GRANT SELECT ON TABLE pay.aged_browser_address TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_browser_address TO payments_operator;
GRANT SELECT ON TABLE pay.aged_buyer TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_buyer TO payments_operator;
GRANT SELECT ON TABLE pay.aged_card TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_card TO payments_operator;
GRANT SELECT ON TABLE pay.aged_change TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_change TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_copy TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_copy TO payments_operator;
GRANT SELECT ON TABLE pay.aged_copy TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_copy TO payments_operator;
GRANT SELECT ON TABLE pay.risk_counter TO payments_auditor;
GRANT SELECT ON TABLE pay.risk_counter TO payments_operator;
GRANT SELECT ON TABLE pay.aged_counter TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_counter TO payments_operator;
GRANT SELECT ON TABLE pay.aged_decision TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_decision TO payments_operator;
GRANT SELECT ON TABLE pay.aged_entry TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_entry TO payments_operator;
GRANT SELECT ON TABLE pay.idempotency_key TO payments_auditor;
GRANT SELECT ON TABLE pay.idempotency_key TO payments_operator;
GRANT SELECT ON TABLE pay.aged_key TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_key TO payments_operator;
GRANT SELECT ON TABLE pay.aged_letter TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_letter TO payments_operator;
GRANT SELECT ON TABLE pay.risk_list_act TO payments_auditor;
GRANT SELECT ON TABLE pay.risk_list_act TO payments_operator;
GRANT SELECT ON TABLE pay.aged_list_act TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_list_act TO payments_operator;
GRANT SELECT ON TABLE pay.message_reader TO payments_auditor;
GRANT SELECT ON TABLE pay.message_reader TO payments_operator;
GRANT SELECT ON TABLE pay.aged_message TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_message TO payments_operator;
GRANT SELECT ON TABLE pay.aged_metadata TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_metadata TO payments_operator;
GRANT SELECT ON TABLE pay.aged_payout_event TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_payout_event TO payments_operator;
GRANT SELECT ON TABLE pay.payout_request TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_request TO payments_operator;
GRANT SELECT ON TABLE pay.aged_payout_key TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_payout_key TO payments_operator;
GRANT SELECT ON TABLE pay.webhook_quarantine TO payments_auditor;
GRANT SELECT ON TABLE pay.webhook_quarantine TO payments_operator;
GRANT SELECT ON TABLE pay.aged_quarantined TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_quarantined TO payments_operator;
GRANT SELECT ON TABLE pay.aged_webhook TO payments_auditor;
GRANT SELECT ON TABLE pay.aged_webhook TO payments_operator;
GRANT SELECT ON TABLE pay.aged TO payments_auditor;
GRANT SELECT ON TABLE pay.aged TO payments_operator;
GRANT SELECT ON TABLE pay.backfill TO payments_auditor;
GRANT SELECT ON TABLE pay.backfill TO payments_operator;
GRANT SELECT ON TABLE pay.beat TO payments_auditor;
GRANT SELECT ON TABLE pay.beat TO payments_operator;
GRANT SELECT ON TABLE pay.check_result TO payments_auditor;
GRANT SELECT ON TABLE pay.check_result TO payments_operator;
GRANT SELECT ON TABLE pay.console_act_right TO payments_auditor;
GRANT SELECT ON TABLE pay.console_act_right TO payments_operator;
GRANT SELECT ON TABLE pay.console_right TO payments_auditor;
GRANT SELECT ON TABLE pay.console_right TO payments_operator;
GRANT SELECT ON TABLE pay.console_role TO payments_auditor;
GRANT SELECT ON TABLE pay.console_role TO payments_operator;
GRANT SELECT ON TABLE pay.currency TO payments_auditor;
GRANT SELECT ON TABLE pay.currency TO payments_operator;
GRANT SELECT ON TABLE pay.decline_count TO payments_auditor;
GRANT SELECT ON TABLE pay.decline_count TO payments_operator;
GRANT SELECT ON TABLE pay.dropped_month TO payments_auditor;
GRANT SELECT ON TABLE pay.dropped_month TO payments_operator;
GRANT SELECT ON TABLE pay.event_anchor TO payments_auditor;
GRANT SELECT ON TABLE pay.event_anchor TO payments_operator;
GRANT SELECT ON TABLE pay.event_default TO payments_auditor;
GRANT SELECT ON TABLE pay.event_default TO payments_operator;
GRANT SELECT ON TABLE pay.fee_policy TO payments_auditor;
GRANT SELECT ON TABLE pay.fee_policy TO payments_operator;
GRANT SELECT ON TABLE pay.iban_country TO payments_auditor;
GRANT SELECT ON TABLE pay.iban_country TO payments_operator;
GRANT SELECT ON TABLE pay.journal_line TO payments_auditor;
GRANT SELECT ON TABLE pay.journal_line TO payments_operator;
GRANT SELECT ON TABLE pay.merchant_move TO payments_auditor;
GRANT SELECT ON TABLE pay.merchant_move TO payments_operator;
GRANT SELECT ON TABLE pay.merchant_origin TO payments_auditor;
GRANT SELECT ON TABLE pay.merchant_origin TO payments_operator;
GRANT SELECT ON TABLE pay.message_place TO payments_auditor;
GRANT SELECT ON TABLE pay.message_place TO payments_operator;
GRANT SELECT ON TABLE pay.message_subject TO payments_auditor;
GRANT SELECT ON TABLE pay.message_subject TO payments_operator;
GRANT SELECT ON TABLE pay.mismatch_open TO payments_auditor;
GRANT SELECT ON TABLE pay.mismatch_open TO payments_operator;
GRANT SELECT ON TABLE pay.news_kind TO payments_auditor;
GRANT SELECT ON TABLE pay.news_kind TO payments_operator;
GRANT SELECT ON TABLE pay.order_count TO payments_auditor;
GRANT SELECT ON TABLE pay.order_count TO payments_operator;
GRANT SELECT ON TABLE pay.outbox TO payments_auditor;
GRANT SELECT ON TABLE pay.outbox TO payments_operator;
GRANT SELECT ON TABLE pay.payout_act TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_act TO payments_operator;
GRANT SELECT ON TABLE pay.payout_advice_kind TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_advice_kind TO payments_operator;
GRANT SELECT ON TABLE pay.payout_approval TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_approval TO payments_operator;
GRANT SELECT ON TABLE pay.payout_batch_item TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_batch_item TO payments_operator;
GRANT SELECT ON TABLE pay.payout_calendar TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_calendar TO payments_operator;
GRANT SELECT ON TABLE pay.payout_destination TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_destination TO payments_operator;
GRANT SELECT ON TABLE pay.payout_hold TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_hold TO payments_operator;
GRANT SELECT ON TABLE pay.payout_holiday TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_holiday TO payments_operator;
GRANT SELECT ON TABLE pay.payout_limit TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_limit TO payments_operator;
GRANT SELECT ON TABLE pay.payout_minimum TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_minimum TO payments_operator;
GRANT SELECT ON TABLE pay.payout_outbox TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_outbox TO payments_operator;
GRANT SELECT ON TABLE pay.payout_part TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_part TO payments_operator;
GRANT SELECT ON TABLE pay.payout_policy TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_policy TO payments_operator;
GRANT SELECT ON TABLE pay.payout_provider TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_provider TO payments_operator;
GRANT SELECT ON TABLE pay.payout_release TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_release TO payments_operator;
GRANT SELECT ON TABLE pay.payout_report TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_report TO payments_operator;
GRANT SELECT ON TABLE pay.payout_transition TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_transition TO payments_operator;
GRANT SELECT ON TABLE pay.payout_wallet TO payments_auditor;
GRANT SELECT ON TABLE pay.payout_wallet TO payments_operator;
GRANT SELECT ON TABLE pay.posting_kind TO payments_auditor;
GRANT SELECT ON TABLE pay.posting_kind TO payments_operator;
GRANT SELECT ON TABLE pay.posting_rule TO payments_auditor;
GRANT SELECT ON TABLE pay.posting_rule TO payments_operator;
GRANT SELECT ON TABLE pay.psp_token TO payments_auditor;
GRANT SELECT ON TABLE pay.psp_token TO payments_operator;
GRANT SELECT ON TABLE pay.quarantine_count TO payments_auditor;
GRANT SELECT ON TABLE pay.quarantine_count TO payments_operator;
GRANT SELECT ON TABLE pay.rate TO payments_auditor;
GRANT SELECT ON TABLE pay.rate TO payments_operator;
GRANT SELECT ON TABLE pay.rate_source TO payments_auditor;
GRANT SELECT ON TABLE pay.rate_source TO payments_operator;
GRANT SELECT ON TABLE pay.registration TO payments_auditor;
GRANT SELECT ON TABLE pay.registration TO payments_operator;
GRANT SELECT ON TABLE pay.retention_class TO payments_auditor;
GRANT SELECT ON TABLE pay.retention_class TO payments_operator;
GRANT SELECT ON TABLE pay.retention_run TO payments_auditor;
GRANT SELECT ON TABLE pay.retention_run TO payments_operator;
GRANT SELECT ON TABLE pay.review_cursor TO payments_auditor;
GRANT SELECT ON TABLE pay.review_cursor TO payments_operator;
GRANT SELECT ON TABLE pay.risk_after TO payments_auditor;
GRANT SELECT ON TABLE pay.risk_after TO payments_operator;
GRANT SELECT ON TABLE pay.risk_label TO payments_auditor;
GRANT SELECT ON TABLE pay.risk_label TO payments_operator;
GRANT SELECT ON TABLE pay.risk_mode_act TO payments_auditor;
GRANT SELECT ON TABLE pay.risk_mode_act TO payments_operator;
GRANT SELECT ON TABLE pay.risk_outbox TO payments_auditor;
GRANT SELECT ON TABLE pay.risk_outbox TO payments_operator;
GRANT SELECT ON TABLE pay.risk_promotion TO payments_auditor;
GRANT SELECT ON TABLE pay.risk_promotion TO payments_operator;
GRANT SELECT ON TABLE pay.risk_review_act TO payments_auditor;
GRANT SELECT ON TABLE pay.risk_review_act TO payments_operator;
GRANT SELECT ON TABLE pay.risk_usual TO payments_auditor;
GRANT SELECT ON TABLE pay.risk_usual TO payments_operator;
GRANT SELECT ON TABLE pay.risk_usual_place TO payments_auditor;
GRANT SELECT ON TABLE pay.risk_usual_place TO payments_operator;
GRANT SELECT ON TABLE pay.rollup_due TO payments_auditor;
GRANT SELECT ON TABLE pay.rollup_due TO payments_operator;
GRANT SELECT ON TABLE pay.rollup_level TO payments_auditor;
GRANT SELECT ON TABLE pay.rollup_level TO payments_operator;
GRANT SELECT ON TABLE pay.sanction_list TO payments_auditor;
GRANT SELECT ON TABLE pay.sanction_list TO payments_operator;
GRANT SELECT ON TABLE pay.sanction_name TO payments_auditor;
GRANT SELECT ON TABLE pay.sanction_name TO payments_operator;
GRANT SELECT ON TABLE pay.sanction_word TO payments_auditor;
GRANT SELECT ON TABLE pay.sanction_word TO payments_operator;
GRANT SELECT ON TABLE pay.schema_migration TO payments_auditor;
GRANT SELECT ON TABLE pay.schema_migration TO payments_operator;
GRANT SELECT ON TABLE pay.screening_clearance TO payments_auditor;
GRANT SELECT ON TABLE pay.screening_clearance TO payments_operator;
GRANT SELECT ON TABLE pay.seal_leaf TO payments_auditor;
GRANT SELECT ON TABLE pay.seal_leaf TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_act TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_act TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_aged TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_aged TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_closed TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_closed TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_count TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_count TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_count_line TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_count_line TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_expected TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_expected TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_hold TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_hold TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_hour TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_hour TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_staging TO payments_auditor;
GRANT SELECT,INSERT ON TABLE pay.settlement_staging TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_kept TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_kept TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_leftover TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_leftover TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_limit TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_limit TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_link TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_link TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_look TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_look TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_open TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_open TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_outbox TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_outbox TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_report TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_report TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_rounding TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_rounding TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_sum TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_sum TO payments_operator;
GRANT SELECT ON TABLE pay.settlement_tally_line TO payments_auditor;
GRANT SELECT ON TABLE pay.settlement_tally_line TO payments_operator;
GRANT SELECT ON TABLE pay.status_rank TO payments_auditor;
GRANT SELECT ON TABLE pay.status_rank TO payments_operator;
GRANT SELECT ON TABLE pay.transition TO payments_auditor;
GRANT SELECT ON TABLE pay.transition TO payments_operator;
GRANT SELECT ON TABLE pay.wallet TO payments_auditor;
GRANT SELECT ON TABLE pay.wallet TO payments_operator;
GRANT SELECT ON TABLE pay.webhook_act TO payments_auditor;
GRANT SELECT ON TABLE pay.webhook_act TO payments_operator;
GRANT SELECT ON TABLE pay.webhook_attempt TO payments_auditor;
GRANT SELECT ON TABLE pay.webhook_attempt TO payments_operator;
GRANT SELECT ON TABLE pay.webhook_outbox TO payments_auditor;
GRANT SELECT ON TABLE pay.webhook_outbox TO payments_operator;
GRANT SELECT ON TABLE pay.webhook_secret TO payments_auditor;
GRANT SELECT ON TABLE pay.webhook_secret TO payments_operator;
GRANT SELECT ON TABLE pay_check.amount_sum TO payments_auditor;
GRANT SELECT ON TABLE pay_check.amount_sum TO payments_operator;
GRANT SELECT ON TABLE pay_check.authorized_booked TO payments_auditor;
GRANT SELECT ON TABLE pay_check.authorized_booked TO payments_operator;
GRANT SELECT ON TABLE pay_check.cell_transfer TO payments_auditor;
GRANT SELECT ON TABLE pay_check.cell_transfer TO payments_operator;
GRANT SELECT ON TABLE pay_check.change_booked TO payments_auditor;
GRANT SELECT ON TABLE pay_check.change_booked TO payments_operator;
GRANT SELECT ON TABLE pay_check.change_dispatch TO payments_auditor;
GRANT SELECT ON TABLE pay_check.change_dispatch TO payments_operator;
GRANT SELECT ON TABLE pay_check.change_event TO payments_auditor;
GRANT SELECT ON TABLE pay_check.change_event TO payments_operator;
GRANT SELECT ON TABLE pay_check.change_job TO payments_auditor;
GRANT SELECT ON TABLE pay_check.change_job TO payments_operator;
GRANT SELECT ON TABLE pay_check.change_match TO payments_auditor;
GRANT SELECT ON TABLE pay_check.change_match TO payments_operator;
GRANT SELECT ON TABLE pay_check.change_money TO payments_auditor;
GRANT SELECT ON TABLE pay_check.change_money TO payments_operator;
GRANT SELECT ON TABLE pay_check.change_orphan TO payments_auditor;
GRANT SELECT ON TABLE pay_check.change_orphan TO payments_operator;
GRANT SELECT ON TABLE pay_check.change_reference TO payments_auditor;
GRANT SELECT ON TABLE pay_check.change_reference TO payments_operator;
GRANT SELECT ON TABLE pay_check.change_waits TO payments_auditor;
GRANT SELECT ON TABLE pay_check.change_waits TO payments_operator;
GRANT SELECT ON TABLE pay_check.checkout_incomplete TO payments_auditor;
GRANT SELECT ON TABLE pay_check.checkout_incomplete TO payments_operator;
GRANT SELECT ON TABLE pay_check.close_balance TO payments_auditor;
GRANT SELECT ON TABLE pay_check.close_balance TO payments_operator;
GRANT SELECT ON TABLE pay_check.close_chain TO payments_auditor;
GRANT SELECT ON TABLE pay_check.close_chain TO payments_operator;
GRANT SELECT ON TABLE pay_check.console_act TO payments_auditor;
GRANT SELECT ON TABLE pay_check.console_act TO payments_operator;
GRANT SELECT ON TABLE pay_check.contradiction TO payments_auditor;
GRANT SELECT ON TABLE pay_check.contradiction TO payments_operator;
GRANT SELECT ON TABLE pay_check.credit_converted TO payments_auditor;
GRANT SELECT ON TABLE pay_check.credit_converted TO payments_operator;
GRANT SELECT ON TABLE pay_check.currency_unknown TO payments_auditor;
GRANT SELECT ON TABLE pay_check.currency_unknown TO payments_operator;
GRANT SELECT ON TABLE pay_check.delivery_untold TO payments_auditor;
GRANT SELECT ON TABLE pay_check.delivery_untold TO payments_operator;
GRANT SELECT ON TABLE pay_check.dispatch_attempts TO payments_auditor;
GRANT SELECT ON TABLE pay_check.dispatch_attempts TO payments_operator;
GRANT SELECT ON TABLE pay_check.dispatch_owner TO payments_auditor;
GRANT SELECT ON TABLE pay_check.dispatch_owner TO payments_operator;
GRANT SELECT ON TABLE pay_check.dispatch_registration TO payments_auditor;
GRANT SELECT ON TABLE pay_check.dispatch_registration TO payments_operator;
GRANT SELECT ON TABLE pay_check.dispute_booked TO payments_auditor;
GRANT SELECT ON TABLE pay_check.dispute_booked TO payments_operator;
GRANT SELECT ON TABLE pay_check.durability TO payments_auditor;
GRANT SELECT ON TABLE pay_check.durability TO payments_operator;
GRANT SELECT ON TABLE pay_check.event_chain TO payments_auditor;
GRANT SELECT ON TABLE pay_check.event_chain TO payments_operator;
GRANT SELECT ON TABLE pay_check.event_default TO payments_auditor;
GRANT SELECT ON TABLE pay_check.event_default TO payments_operator;
GRANT SELECT ON TABLE pay_check.event_gap TO payments_auditor;
GRANT SELECT ON TABLE pay_check.event_gap TO payments_operator;
GRANT SELECT ON TABLE pay_check.event_head TO payments_auditor;
GRANT SELECT ON TABLE pay_check.event_head TO payments_operator;
GRANT SELECT ON TABLE pay_check.event_orphan TO payments_auditor;
GRANT SELECT ON TABLE pay_check.event_orphan TO payments_operator;
GRANT SELECT ON TABLE pay_check.idempotency_orphan TO payments_auditor;
GRANT SELECT ON TABLE pay_check.idempotency_orphan TO payments_operator;
GRANT SELECT ON TABLE pay_check.job_missing TO payments_auditor;
GRANT SELECT ON TABLE pay_check.job_missing TO payments_operator;
GRANT SELECT ON TABLE pay_check.journal_balances TO payments_auditor;
GRANT SELECT ON TABLE pay_check.journal_balances TO payments_operator;
GRANT SELECT ON TABLE pay_check.journal_orphan TO payments_auditor;
GRANT SELECT ON TABLE pay_check.journal_orphan TO payments_operator;
GRANT SELECT ON TABLE pay_check.journal_rules TO payments_auditor;
GRANT SELECT ON TABLE pay_check.journal_rules TO payments_operator;
GRANT SELECT ON TABLE pay_check.late_booked TO payments_auditor;
GRANT SELECT ON TABLE pay_check.late_booked TO payments_operator;
GRANT SELECT ON TABLE pay_check.late_success TO payments_auditor;
GRANT SELECT ON TABLE pay_check.late_success TO payments_operator;
GRANT SELECT ON TABLE pay_check.late_untold TO payments_auditor;
GRANT SELECT ON TABLE pay_check.late_untold TO payments_operator;
GRANT SELECT ON TABLE pay_check.late_waits TO payments_auditor;
GRANT SELECT ON TABLE pay_check.late_waits TO payments_operator;
GRANT SELECT ON TABLE pay_check.merchant_moved TO payments_auditor;
GRANT SELECT ON TABLE pay_check.merchant_moved TO payments_operator;
GRANT SELECT ON TABLE pay_check.message_gap TO payments_auditor;
GRANT SELECT ON TABLE pay_check.message_gap TO payments_operator;
GRANT SELECT ON TABLE pay_check.mismatch_open TO payments_auditor;
GRANT SELECT ON TABLE pay_check.mismatch_open TO payments_operator;
GRANT SELECT ON TABLE pay_check.order_fee TO payments_auditor;
GRANT SELECT ON TABLE pay_check.order_fee TO payments_operator;
GRANT SELECT ON TABLE pay_check.order_without_registration TO payments_auditor;
GRANT SELECT ON TABLE pay_check.order_without_registration TO payments_operator;
GRANT SELECT ON TABLE pay_check.outbox_orphan TO payments_auditor;
GRANT SELECT ON TABLE pay_check.outbox_orphan TO payments_operator;
GRANT SELECT ON TABLE pay_check.paid_without_event TO payments_auditor;
GRANT SELECT ON TABLE pay_check.paid_without_event TO payments_operator;
GRANT SELECT ON TABLE pay_check.payment_done TO payments_auditor;
GRANT SELECT ON TABLE pay_check.payment_done TO payments_operator;
GRANT SELECT ON TABLE pay_check.payout_advice TO payments_auditor;
GRANT SELECT ON TABLE pay_check.payout_advice TO payments_operator;
GRANT SELECT ON TABLE pay_check.payout_approval TO payments_auditor;
GRANT SELECT ON TABLE pay_check.payout_approval TO payments_operator;
GRANT SELECT ON TABLE pay_check.payout_available TO payments_auditor;
GRANT SELECT ON TABLE pay_check.payout_available TO payments_operator;
GRANT SELECT ON TABLE pay_check.payout_clearing TO payments_auditor;
GRANT SELECT ON TABLE pay_check.payout_clearing TO payments_operator;
GRANT SELECT ON TABLE pay_check.payout_lines TO payments_auditor;
GRANT SELECT ON TABLE pay_check.payout_lines TO payments_operator;
GRANT SELECT ON TABLE pay_check.payout_reserved TO payments_auditor;
GRANT SELECT ON TABLE pay_check.payout_reserved TO payments_operator;
GRANT SELECT ON TABLE pay_check.posting_rules TO payments_auditor;
GRANT SELECT ON TABLE pay_check.posting_rules TO payments_operator;
GRANT SELECT ON TABLE pay_check.registration_moved TO payments_auditor;
GRANT SELECT ON TABLE pay_check.registration_moved TO payments_operator;
GRANT SELECT ON TABLE pay_check.registration_terms TO payments_auditor;
GRANT SELECT ON TABLE pay_check.registration_terms TO payments_operator;
GRANT SELECT ON TABLE pay_check.risk_after TO payments_auditor;
GRANT SELECT ON TABLE pay_check.risk_after TO payments_operator;
GRANT SELECT ON TABLE pay_check.risk_decision TO payments_auditor;
GRANT SELECT ON TABLE pay_check.risk_decision TO payments_operator;
GRANT SELECT ON TABLE pay_check.risk_hold TO payments_auditor;
GRANT SELECT ON TABLE pay_check.risk_hold TO payments_operator;
GRANT SELECT ON TABLE pay_check.sale_booked TO payments_auditor;
GRANT SELECT ON TABLE pay_check.sale_booked TO payments_operator;
GRANT SELECT ON TABLE pay_check.seal_chain TO payments_auditor;
GRANT SELECT ON TABLE pay_check.seal_chain TO payments_operator;
GRANT SELECT ON TABLE pay_check.seal_coverage TO payments_auditor;
GRANT SELECT ON TABLE pay_check.seal_coverage TO payments_operator;
GRANT SELECT ON TABLE pay_check.seal_leaf TO payments_auditor;
GRANT SELECT ON TABLE pay_check.seal_leaf TO payments_operator;
GRANT SELECT ON TABLE pay_check.seal_root TO payments_auditor;
GRANT SELECT ON TABLE pay_check.seal_root TO payments_operator;
GRANT SELECT ON TABLE pay_check.settlement_balance TO payments_auditor;
GRANT SELECT ON TABLE pay_check.settlement_balance TO payments_operator;
GRANT SELECT ON TABLE pay_check.settlement_bank TO payments_auditor;
GRANT SELECT ON TABLE pay_check.settlement_bank TO payments_operator;
GRANT SELECT ON TABLE pay_check.settlement_exception TO payments_auditor;
GRANT SELECT ON TABLE pay_check.settlement_exception TO payments_operator;
GRANT SELECT ON TABLE pay_check.settlement_match TO payments_auditor;
GRANT SELECT ON TABLE pay_check.settlement_match TO payments_operator;
GRANT SELECT ON TABLE pay_check.settlement_reserve TO payments_auditor;
GRANT SELECT ON TABLE pay_check.settlement_reserve TO payments_operator;
GRANT SELECT ON TABLE pay_check.settlement_rows TO payments_auditor;
GRANT SELECT ON TABLE pay_check.settlement_rows TO payments_operator;
GRANT SELECT ON TABLE pay_check.status_history TO payments_auditor;
GRANT SELECT ON TABLE pay_check.status_history TO payments_operator;
GRANT SELECT ON TABLE pay_check.status_rank TO payments_auditor;
GRANT SELECT ON TABLE pay_check.status_rank TO payments_operator;
GRANT SELECT ON TABLE pay_check.suspense TO payments_auditor;
GRANT SELECT ON TABLE pay_check.suspense TO payments_operator;
GRANT SELECT ON TABLE pay_check.token_owner TO payments_auditor;
GRANT SELECT ON TABLE pay_check.token_owner TO payments_operator;
GRANT SELECT ON TABLE pay_check.token_status TO payments_auditor;
GRANT SELECT ON TABLE pay_check.token_status TO payments_operator;
GRANT SELECT ON TABLE pay_check.wallet_balance TO payments_auditor;
GRANT SELECT ON TABLE pay_check.wallet_balance TO payments_operator;
GRANT SELECT ON TABLE pay_check.wallet_lines TO payments_auditor;
GRANT SELECT ON TABLE pay_check.wallet_lines TO payments_operator;
GRANT SELECT ON TABLE pay_check.webhook_mismatch TO payments_auditor;
GRANT SELECT ON TABLE pay_check.webhook_mismatch TO payments_operator;
GRANT SELECT ON TABLE pay_check.webhook_owner TO payments_auditor;
GRANT SELECT ON TABLE pay_check.webhook_owner TO payments_operator;
GRANT SELECT ON TABLE pay_check.webhook_paid TO payments_auditor;
GRANT SELECT ON TABLE pay_check.webhook_paid TO payments_operator;
GRANT SELECT ON TABLE pay_check.webhook_parked TO payments_auditor;
GRANT SELECT ON TABLE pay_check.webhook_parked TO payments_operator;
GRANT SELECT ON TABLE pay_view.accounts TO payments_auditor;
GRANT SELECT ON TABLE pay_view.accounts TO payments_operator;
GRANT SELECT ON TABLE pay_view.acts TO payments_auditor;
GRANT SELECT ON TABLE pay_view.acts TO payments_operator;
GRANT SELECT ON TABLE pay_view.backfills TO payments_auditor;
GRANT SELECT ON TABLE pay_view.backfills TO payments_operator;
GRANT SELECT ON TABLE pay_view.changes TO payments_auditor;
GRANT SELECT ON TABLE pay_view.changes TO payments_operator;
GRANT SELECT ON TABLE pay_view.checkouts TO payments_auditor;
GRANT SELECT ON TABLE pay_view.checkouts TO payments_operator;
GRANT SELECT ON TABLE pay_view.closes TO payments_auditor;
GRANT SELECT ON TABLE pay_view.closes TO payments_operator;
GRANT SELECT ON TABLE pay_view.commissions TO payments_auditor;
GRANT SELECT ON TABLE pay_view.commissions TO payments_operator;
GRANT SELECT ON TABLE pay_view.dead_letters TO payments_auditor;
GRANT SELECT ON TABLE pay_view.dead_letters TO payments_operator;
GRANT SELECT ON TABLE pay_view.dispatches TO payments_auditor;
GRANT SELECT ON TABLE pay_view.dispatches TO payments_operator;
GRANT SELECT ON TABLE pay_view.disputes TO payments_auditor;
GRANT SELECT ON TABLE pay_view.disputes TO payments_operator;
GRANT SELECT ON TABLE pay_view.jobs TO payments_auditor;
GRANT SELECT ON TABLE pay_view.jobs TO payments_operator;
GRANT SELECT ON TABLE pay_view.late_successes TO payments_auditor;
GRANT SELECT ON TABLE pay_view.late_successes TO payments_operator;
GRANT SELECT ON TABLE pay_view.ledger TO payments_auditor;
GRANT SELECT ON TABLE pay_view.ledger TO payments_operator;
GRANT SELECT ON TABLE pay_view.mismatches TO payments_auditor;
GRANT SELECT ON TABLE pay_view.mismatches TO payments_operator;
GRANT SELECT ON TABLE pay_view.order_fees TO payments_auditor;
GRANT SELECT ON TABLE pay_view.order_fees TO payments_operator;
GRANT SELECT ON TABLE pay_view.orders TO payments_auditor;
GRANT SELECT ON TABLE pay_view.orders TO payments_operator;
GRANT SELECT ON TABLE pay_view.parked TO payments_auditor;
GRANT SELECT ON TABLE pay_view.parked TO payments_operator;
GRANT SELECT ON TABLE pay_view.payout_accounts TO payments_auditor;
GRANT SELECT ON TABLE pay_view.payout_accounts TO payments_operator;
GRANT SELECT ON TABLE pay_view.payout_acts TO payments_auditor;
GRANT SELECT ON TABLE pay_view.payout_acts TO payments_operator;
GRANT SELECT ON TABLE pay_view.payout_batches TO payments_auditor;
GRANT SELECT ON TABLE pay_view.payout_batches TO payments_operator;
GRANT SELECT ON TABLE pay_view.payout_holidays TO payments_auditor;
GRANT SELECT ON TABLE pay_view.payout_holidays TO payments_operator;
GRANT SELECT ON TABLE pay_view.payout_runs TO payments_auditor;
GRANT SELECT ON TABLE pay_view.payout_runs TO payments_operator;
GRANT SELECT ON TABLE pay_view.payout_schedules TO payments_auditor;
GRANT SELECT ON TABLE pay_view.payout_schedules TO payments_operator;
GRANT SELECT ON TABLE pay_view.payouts TO payments_auditor;
GRANT SELECT ON TABLE pay_view.payouts TO payments_operator;
GRANT SELECT ON TABLE pay_view.psp_balances TO payments_auditor;
GRANT SELECT ON TABLE pay_view.psp_balances TO payments_operator;
GRANT SELECT ON TABLE pay_view.quarantine TO payments_auditor;
GRANT SELECT ON TABLE pay_view.quarantine TO payments_operator;
GRANT SELECT ON TABLE pay_view.recovery_findings TO payments_auditor;
GRANT SELECT ON TABLE pay_view.recovery_findings TO payments_operator;
GRANT SELECT ON TABLE pay_view.recoveries TO payments_auditor;
GRANT SELECT ON TABLE pay_view.recoveries TO payments_operator;
GRANT SELECT ON TABLE pay_view.risk_after TO payments_auditor;
GRANT SELECT ON TABLE pay_view.risk_after TO payments_operator;
GRANT SELECT ON TABLE pay_view.risk_captures TO payments_auditor;
GRANT SELECT ON TABLE pay_view.risk_captures TO payments_operator;
GRANT SELECT ON TABLE pay_view.risk_decisions TO payments_auditor;
GRANT SELECT ON TABLE pay_view.risk_decisions TO payments_operator;
GRANT SELECT ON TABLE pay_view.risk_models TO payments_auditor;
GRANT SELECT ON TABLE pay_view.risk_models TO payments_operator;
GRANT SELECT ON TABLE pay_view.risk_modes TO payments_auditor;
GRANT SELECT ON TABLE pay_view.risk_modes TO payments_operator;
GRANT SELECT ON TABLE pay_view.risk_outcomes TO payments_auditor;
GRANT SELECT ON TABLE pay_view.risk_outcomes TO payments_operator;
GRANT SELECT ON TABLE pay_view.risk_reviews TO payments_auditor;
GRANT SELECT ON TABLE pay_view.risk_reviews TO payments_operator;
GRANT SELECT ON TABLE pay_view.seals TO payments_auditor;
GRANT SELECT ON TABLE pay_view.seals TO payments_operator;
GRANT SELECT ON TABLE pay_view.settlement_acts TO payments_auditor;
GRANT SELECT ON TABLE pay_view.settlement_acts TO payments_operator;
GRANT SELECT ON TABLE pay_view.settlement_expected TO payments_auditor;
GRANT SELECT ON TABLE pay_view.settlement_expected TO payments_operator;
GRANT SELECT ON TABLE pay_view.settlement_ageing TO payments_auditor;
GRANT SELECT ON TABLE pay_view.settlement_ageing TO payments_operator;
GRANT SELECT ON TABLE pay_view.settlement_copies TO payments_auditor;
GRANT SELECT ON TABLE pay_view.settlement_copies TO payments_operator;
GRANT SELECT ON TABLE pay_view.settlement_files TO payments_auditor;
GRANT SELECT ON TABLE pay_view.settlement_files TO payments_operator;
GRANT SELECT ON TABLE pay_view.settlement_queue TO payments_auditor;
GRANT SELECT ON TABLE pay_view.settlement_queue TO payments_operator;
GRANT SELECT ON TABLE pay_view.settlement_reports TO payments_auditor;
GRANT SELECT ON TABLE pay_view.settlement_reports TO payments_operator;
GRANT SELECT ON TABLE pay_view.settlement_rows TO payments_auditor;
GRANT SELECT ON TABLE pay_view.settlement_rows TO payments_operator;
GRANT SELECT ON TABLE pay_view.stuck TO payments_auditor;
GRANT SELECT ON TABLE pay_view.stuck TO payments_operator;
GRANT SELECT ON TABLE pay_view.timeline TO payments_auditor;
GRANT SELECT ON TABLE pay_view.timeline TO payments_operator;
GRANT SELECT ON TABLE pay_view.wallets TO payments_auditor;
GRANT SELECT ON TABLE pay_view.wallets TO payments_operator;
GRANT SELECT ON TABLE pay_view.webhook_replays TO payments_auditor;
GRANT SELECT ON TABLE pay_view.webhook_replays TO payments_operator;

ALTER DEFAULT PRIVILEGES FOR ROLE payments_owner REVOKE ALL ON TYPES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE payments_owner REVOKE ALL ON FUNCTIONS FROM PUBLIC;
