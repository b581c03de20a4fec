-- Tables, types and triggers of the core.  merchant_id leads the keys, so the
-- schema can be spread by merchant.  Values that must be unique across
-- merchants (a PSP's nonces and tokens, the buyers' handles) are the exception,
-- each with one index.  Money is bigint minor units beside a currency.  Applied
-- once by `payctl migrate`, in one transaction; never changed once released.

CREATE SCHEMA pay AUTHORIZATION payments_owner;
CREATE SCHEMA pay_api AUTHORIZATION payments_owner;
CREATE SCHEMA pay_view AUTHORIZATION payments_owner;

COMMENT ON SCHEMA pay IS 'Tables and private helpers of the gateway';
COMMENT ON SCHEMA pay_api IS
    'The functions that the gateway''s role may EXECUTE';
COMMENT ON SCHEMA pay_view IS 'Views for operators, auditors and support';

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Rules about one value are checked by domains: where the value comes in, not
-- on every update of its row.  Each connection reads a domain's rule once, but
-- each statement that writes a row reads the CHECKs of its table from their
-- text.  So tables have CHECKs only for rules about several of their columns,
-- and where little is written.
CREATE DOMAIN id AS text COLLATE "C"
    CHECK (octet_length(VALUE) BETWEEN 1 AND 255);
CREATE DOMAIN filled AS text COLLATE "C" CHECK (VALUE <> '');
CREATE DOMAIN hash AS bytea CHECK (octet_length(VALUE) = 32);
CREATE DOMAIN ordinal AS int CHECK (VALUE >= 1);
CREATE DOMAIN tally AS int CHECK (VALUE >= 0);
COMMENT ON DOMAIN id IS '1 to 255 bytes';
COMMENT ON DOMAIN filled IS 'Any text but the empty one';
COMMENT ON DOMAIN hash IS 'A SHA-256';
COMMENT ON DOMAIN ordinal IS 'A number in a row, from 1 on';
COMMENT ON DOMAIN tally IS 'How many there are';

CREATE DOMAIN currency_code AS text COLLATE "C"
    CHECK (octet_length(VALUE) = 3);
CREATE DOMAIN minor AS bigint CHECK (VALUE >= 0);
CREATE DOMAIN positive_minor AS bigint CHECK (VALUE > 0);
CREATE DOMAIN order_minor AS bigint
    CHECK (VALUE BETWEEN 1 AND 999999999999999);
COMMENT ON DOMAIN currency_code IS 'ISO 4217';
COMMENT ON DOMAIN minor IS 'An amount in minor units, or nothing';
COMMENT ON DOMAIN positive_minor IS 'An amount in minor units';
COMMENT ON DOMAIN order_minor IS
    'An amount in minor units that can be ordered';

CREATE DOMAIN order_status AS text COLLATE "C"
    CHECK (VALUE IN ('NOT_STARTED', 'EXECUTING', 'SUCCESS', 'FAILED'));
CREATE DOMAIN failure_reason AS text COLLATE "C"
    CHECK (VALUE IN ('declined', 'expired', 'cancelled', 'rejected',
                     'risk'));
CREATE DOMAIN late_policy AS text COLLATE "C"
    CHECK (VALUE IN ('accept', 'hold', 'refund'));
CREATE DOMAIN psp_list AS text[] COLLATE "C"
    CHECK (cardinality(VALUE) BETWEEN 1 AND 8);
CREATE DOMAIN registration_state AS text COLLATE "C"
    CHECK (VALUE IN ('REGISTERING', 'REGISTERED', 'REFUSED'));
COMMENT ON DOMAIN order_status IS 'docs/architecture.md#order-states';
COMMENT ON DOMAIN failure_reason IS 'Why an order is FAILED';
COMMENT ON DOMAIN late_policy IS
    'The merchant''s rule for a payment that is proved after its checkout has '
    'expired';
COMMENT ON DOMAIN psp_list IS 'Names of PSPs, the best first';
COMMENT ON DOMAIN registration_state IS
    'REGISTERING: the outcome is open; REGISTERED: the token is stored; '
    'REFUSED: the PSP will never have it, or its time ran out before it had';

CREATE DOMAIN webhook_state AS text COLLATE "C"
    CHECK (VALUE IN ('applied', 'unchanged', 'asked', 'parked', 'mismatch',
                     'ignored', 'held', 'contradiction'));
CREATE DOMAIN webhook_way AS text COLLATE "C"
    CHECK (VALUE IN ('webhook', 'backfill', 'replay'));
CREATE DOMAIN event_actor AS text COLLATE "C"
    CHECK (VALUE IN ('merchant', 'gateway', 'webhook', 'query', 'operator'));
CREATE DOMAIN job_kind AS text COLLATE "C"
    CHECK (VALUE IN ('register', 'poll', 'refund', 'change'));
COMMENT ON DOMAIN webhook_state IS
    'How a webhook was applied, see webhook_inbox';
COMMENT ON DOMAIN webhook_way IS
    'How a webhook came: by itself, by a look at the PSP''s list, or out of '
    'its kept body, which an operator has had read again';
COMMENT ON DOMAIN event_actor IS 'The source of a timeline event';
COMMENT ON DOMAIN job_kind IS 'The kinds of background work';


-- The migrations that were applied: one row for each, and the row 'reapplied'
-- for the digest of roles, functions, views and grants.
CREATE TABLE schema_migration (
    file        text COLLATE "C" PRIMARY KEY,
    sha256      text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    applied_at  timestamptz NOT NULL DEFAULT now()
);


-- ISO 4217 list one, the same as src/core/money.c (ci/check-ops compares).
CREATE TABLE currency (
    code      text COLLATE "C" PRIMARY KEY CHECK (code ~ '^[A-Z]{3}$'),
    exponent  int NOT NULL CHECK (exponent IN (0, 2, 3, 4))
);

INSERT INTO currency (code, exponent)
SELECT c.code, e.exponent
FROM (VALUES
    (0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF
         XOF XPF'),
    (2, 'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN
         BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP
         CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP
         GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR
         JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL
         MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN
         NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB
         SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP
         SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED
         VES WST XCD XCG YER ZAR ZMW ZWG'),
    (3, 'BHD IQD JOD KWD LYD OMR TND'),
    (4, 'CLF')
) AS e (exponent, codes),
    regexp_split_to_table(e.codes, '\s+') AS c (code);


-- checkout and payment_order are written once and updated two or three times
-- soon after.  fillfactor 45 leaves room for the new versions on the page, so
-- that none of their indexes gets another entry.

-- A storefront's checkout.  Its row is also the lock that serialises all
-- changes of the checkout and its orders: see lock_checkouts().  No foreign key
-- to currency: all payments would share-lock the same few rows.  The columns
-- from nonce on are its registration, which the view registration shows alone:
-- the one call to a PSP's create-session API, with the same nonce on every
-- attempt.  It may move on to another of its psps while nothing can have
-- happened at the present one, see reroute(): open_attempts counts the calls
-- that are not known to have come to nothing; a call counts before it goes out.
-- alias is another name by which the PSP's webhooks know it.
CREATE TABLE checkout (
    merchant_id       id NOT NULL,
    checkout_id       id NOT NULL,
    checkout_uuid     uuid NOT NULL,
    handle            id NOT NULL UNIQUE,
    psp               id NOT NULL,
    return_url        filled NOT NULL,
    base_url          filled NOT NULL,
    buyer_info        jsonb,
    metadata          jsonb,
    credit_card_info  jsonb,
    currency          currency_code NOT NULL,
    total_minor       positive_minor NOT NULL,
    expires_at        timestamptz NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    is_payment_done   boolean NOT NULL DEFAULT false,
    late_success      late_policy NOT NULL DEFAULT 'accept',
    version           int NOT NULL DEFAULT 1,
    nonce             id NOT NULL,
    state             registration_state NOT NULL DEFAULT 'REGISTERING',
    attempt           ordinal NOT NULL DEFAULT 1,
    token             id,
    alias             id,
    hosted_url        text,
    reference         text,
    code              text,
    lease_until       timestamptz,
    -- those that may have it, those that refused it, and those that could
    -- not be reached in this round; how long each knows a key, in seconds
    psps              psp_list NOT NULL,
    key_windows       int[] NOT NULL,
    refused_psps      text[] COLLATE "C" NOT NULL DEFAULT '{}',
    tried_psps        text[] COLLATE "C" NOT NULL DEFAULT '{}',
    open_attempts     tally NOT NULL DEFAULT 1,
    -- when a hint has last had, or will have, the PSP asked
    hinted_at         timestamptz,
    PRIMARY KEY (merchant_id, checkout_id),
    UNIQUE (psp, nonce),
    CHECK (state <> 'REGISTERED'
           OR (token IS NOT NULL AND hosted_url IS NOT NULL)),
    CHECK (state <> 'REGISTERING' OR token IS NULL),
    CHECK (alias IS NULL OR token IS NOT NULL),
    CHECK (cardinality(key_windows) = cardinality(psps))
) WITH (fillfactor = 45);
-- For lists alone, which state its condition (always true): a plan that was made
-- while the table was empty would look one checkout up here, and so read through
-- all that its merchant has.
CREATE INDEX checkout_created
    ON checkout (merchant_id, created_at, checkout_id) WHERE total_minor > 0;


-- The part of a checkout that one seller is owed.  version counts the order's
-- events: the newest row of its timeline has seq = version.
CREATE TABLE payment_order (
    merchant_id       id NOT NULL,
    payment_order_id  id NOT NULL,
    checkout_id       id NOT NULL,
    position          ordinal NOT NULL,
    seller_account    filled NOT NULL,
    amount_minor      order_minor NOT NULL,
    currency          currency_code NOT NULL,
    status            order_status NOT NULL DEFAULT 'NOT_STARTED',
    reason            failure_reason,
    version           int NOT NULL DEFAULT 1,
    decline           jsonb,
    -- Neither index begins with the merchant: a plan that was made while the
    -- table was empty takes one index for as good as another, and would read
    -- through all that a merchant has.
    PRIMARY KEY (payment_order_id, merchant_id),
    UNIQUE (checkout_id, merchant_id, position),
    FOREIGN KEY (merchant_id, checkout_id) REFERENCES checkout,
    CHECK ((status = 'FAILED') = (reason IS NOT NULL))
) WITH (fillfactor = 45);


-- The checkout that a token or alias belongs to: unique per PSP, the first one
-- wins.  A row without a checkout is the lock where a webhook about a token
-- that is not stored yet and the store_token that brings it wait for one
-- another.
CREATE TABLE psp_token (
    psp          id NOT NULL,
    token        id NOT NULL,
    merchant_id  id,
    checkout_id  id,
    PRIMARY KEY (psp, token),
    CHECK ((merchant_id IS NULL) = (checkout_id IS NULL))
);


CREATE TABLE idempotency_key (
    merchant_id  id NOT NULL,
    route        text COLLATE "C" NOT NULL,
    key          id NOT NULL,
    fingerprint  hash NOT NULL,
    checkout_id  id NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, route, key)
);


-- Every webhook that was answered 2xx, once.  parked: its token is not known
-- yet; applied and unchanged: taken into account, a status moved or not;
-- asked: a hint, for which the PSP is asked; mismatch: see there; ignored:
-- says nothing about a payment; held: a late payment, see late_success;
-- contradiction: a final word that is not the one we had, see mismatch.
CREATE TABLE webhook_inbox (
    psp           id NOT NULL,
    event_id      id NOT NULL,
    received_at   timestamptz NOT NULL DEFAULT now(),
    state         webhook_state NOT NULL,
    via           webhook_way NOT NULL DEFAULT 'webhook',
    type          text,
    fact          text COLLATE "C" NOT NULL,
    token         id,
    reference     text,
    code          text,
    amount_minor  bigint,
    currency      text COLLATE "C",
    digest        bytea,
    merchant_id   id,
    checkout_id   id,
    request_id    text,
    decline       jsonb,
    PRIMARY KEY (psp, event_id),
    CHECK (state <> 'parked' OR token IS NOT NULL)
);

CREATE INDEX webhook_inbox_parked ON webhook_inbox (psp, token)
    WHERE state = 'parked';
-- the events that one replay request has stored
CREATE INDEX webhook_inbox_replayed ON webhook_inbox (request_id)
    WHERE via = 'replay';


-- The timeline, append-only for everybody.  seq runs from 1 without a gap.
CREATE TABLE event (
    merchant_id       id NOT NULL,
    payment_order_id  id NOT NULL,
    seq               ordinal NOT NULL,
    at                timestamptz NOT NULL,
    kind              filled NOT NULL,
    actor             event_actor NOT NULL,
    old_status        order_status,
    new_status        order_status NOT NULL,
    reason            text COLLATE "C",
    detail            jsonb NOT NULL DEFAULT '{}',
    request_id        text,
    PRIMARY KEY (merchant_id, payment_order_id, seq),
    CHECK ((seq = 1) = (old_status IS NULL))
);


-- Background work.  A job is due when run_at has come and its lease is free or
-- has run out.  again_at: a webhook or a hint requires a query after that
-- moment, so a query that is under way now was sent too early.
CREATE TABLE job (
    merchant_id  id NOT NULL,
    checkout_id  id NOT NULL,
    kind         job_kind NOT NULL,
    run_at       timestamptz NOT NULL,
    attempts     int NOT NULL DEFAULT 0,
    lease_owner  text,
    lease_until  timestamptz,
    code         text,
    again_at     timestamptz,
    PRIMARY KEY (merchant_id, checkout_id, kind),
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
    CHECK (again_at IS NULL OR kind = 'poll')
) WITH (autovacuum_vacuum_scale_factor = 0.02);

-- Money that must go back first, polls of pending checkouts last.
CREATE FUNCTION job_rank(p_kind text) RETURNS int LANGUAGE sql IMMUTABLE AS
'SELECT CASE p_kind WHEN ''refund'' THEN 1 WHEN ''register'' THEN 2
                    ELSE 3 END';
COMMENT ON FUNCTION job_rank IS 'In which order jobs are handed out';

-- For claim_jobs.  Over kind itself it would look like a short way to one job
-- whenever the queue was counted nearly empty.
CREATE INDEX job_rank_run_at ON job (job_rank(kind), run_at);


-- PSP events that contradict what is stored: for operators, append-only.
-- left_psp: a token from a PSP that the registration has left; contradiction: a
-- failure of what is paid.
CREATE TABLE mismatch (
    merchant_id     id NOT NULL,
    checkout_id     id NOT NULL,
    mismatch_id     bigint GENERATED ALWAYS AS IDENTITY,
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind            text COLLATE "C" NOT NULL
        CHECK (kind IN ('amount', 'currency', 'token', 'late_token',
                        'left_psp', 'contradiction')),
    source          text COLLATE "C" NOT NULL,
    psp             id NOT NULL,
    event_id        text COLLATE "C",
    token           id,
    alias           id,
    amount_minor    bigint,
    currency        text COLLATE "C",
    own_token       text COLLATE "C",
    total_minor     bigint NOT NULL,
    own_currency    text COLLATE "C" NOT NULL,
    request_id      text,
    PRIMARY KEY (merchant_id, checkout_id, mismatch_id)
);


-- One statement about a checkout, on its way through record_facts(), which
-- numbers the facts about one checkout in a batch (turn) and sets the outcome
-- of each.
CREATE TYPE fact AS (
    item          int,
    turn          int,
    merchant_id   text,
    checkout_id   text,
    kind          text,
    actor         text,
    psp           text,
    event_id      text,
    type          text,
    code          text,
    token         text,
    reference     text,
    amount_minor  bigint,
    currency      text,
    request_id    text,
    detail        jsonb,
    outcome       text
);


-- Raises for everybody, the owner and superusers too, also as a replica.
CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = TG_ARGV[1];
END
$$;

CREATE TRIGGER event_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the log is append-only', 'PAY20');
ALTER TABLE event ENABLE ALWAYS TRIGGER event_append_only;

CREATE TRIGGER mismatch_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON mismatch
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the queue is append-only', 'PAY20');
ALTER TABLE mismatch ENABLE ALWAYS TRIGGER mismatch_append_only;


-- The state machine once more (docs/architecture.md#order-states), enforced on
-- every writer.  The conditions are in WHEN and the columns in OF, so that a
-- legal change costs no call, and an update of other columns not even a
-- condition.  Each statement reads the conditions of its triggers from their
-- text, so those about columns that every update changes are short.
CREATE TRIGGER payment_order_start
    BEFORE INSERT ON payment_order FOR EACH ROW
    WHEN (NEW.status <> 'NOT_STARTED' OR NEW.version <> 1)
    EXECUTE FUNCTION refuse_change('an order begins NOT_STARTED', 'PAY10');
ALTER TABLE payment_order ENABLE ALWAYS TRIGGER payment_order_start;

-- Up only: nothing becomes NOT_STARTED again, SUCCESS is the end, FAILED may
-- still turn out to be SUCCESS.  Its names are bound here, since it is inlined
-- where another search_path holds.
CREATE FUNCTION status_rank(p_status text)
RETURNS int LANGUAGE sql IMMUTABLE
RETURN array_position('{NOT_STARTED,EXECUTING,FAILED,SUCCESS}', p_status) - 1;
COMMENT ON FUNCTION status_rank IS
    'How far an order is: a status may only rise';

-- as status_rank(), which would be inlined anew by each statement
CREATE TRIGGER payment_order_status
    BEFORE UPDATE OF status ON payment_order FOR EACH ROW
    WHEN (array_position('{NOT_STARTED,EXECUTING,FAILED,SUCCESS}',
                         NEW.status::text)
          < array_position('{NOT_STARTED,EXECUTING,FAILED,SUCCESS}',
                           OLD.status::text))
    EXECUTE FUNCTION refuse_change('no such transition', 'PAY10');
ALTER TABLE payment_order ENABLE ALWAYS TRIGGER payment_order_status;

CREATE TRIGGER payment_order_fixed
    BEFORE UPDATE OF merchant_id, payment_order_id, checkout_id, position,
        seller_account, amount_minor, currency
    ON payment_order FOR EACH ROW
    WHEN ((NEW.merchant_id, NEW.payment_order_id, NEW.checkout_id,
           NEW.position, NEW.seller_account, NEW.amount_minor, NEW.currency)
          IS DISTINCT FROM
          (OLD.merchant_id, OLD.payment_order_id, OLD.checkout_id,
           OLD.position, OLD.seller_account, OLD.amount_minor, OLD.currency))
    EXECUTE FUNCTION refuse_change('an order''s terms are fixed', 'PAY11');
ALTER TABLE payment_order ENABLE ALWAYS TRIGGER payment_order_fixed;

-- the request to the PSP is built from these: the same bytes on every attempt
CREATE TRIGGER checkout_fixed
    BEFORE UPDATE OF merchant_id, checkout_id, checkout_uuid, handle,
        base_url, currency, total_minor
    ON checkout FOR EACH ROW
    WHEN ((NEW.merchant_id, NEW.checkout_id, NEW.checkout_uuid, NEW.handle,
           NEW.base_url, NEW.currency, NEW.total_minor)
          IS DISTINCT FROM
          (OLD.merchant_id, OLD.checkout_id, OLD.checkout_uuid, OLD.handle,
           OLD.base_url, OLD.currency, OLD.total_minor))
    EXECUTE FUNCTION refuse_change('a checkout''s terms are fixed', 'PAY11');
ALTER TABLE checkout ENABLE ALWAYS TRIGGER checkout_fixed;

CREATE TRIGGER checkout_version
    BEFORE UPDATE OF version, is_payment_done ON checkout FOR EACH ROW
    WHEN (NEW.version < OLD.version
          OR NEW.is_payment_done < OLD.is_payment_done)
    EXECUTE FUNCTION refuse_change('versions grow, done is done', 'PAY11');
ALTER TABLE checkout ENABLE ALWAYS TRIGGER checkout_version;

CREATE TRIGGER checkout_nonce
    BEFORE UPDATE OF nonce, psps, key_windows ON checkout FOR EACH ROW
    WHEN ((NEW.nonce, NEW.psps, NEW.key_windows)
          IS DISTINCT FROM (OLD.nonce, OLD.psps, OLD.key_windows))
    EXECUTE FUNCTION refuse_change('one nonce for ever', 'PAY11');
ALTER TABLE checkout ENABLE ALWAYS TRIGGER checkout_nonce;

-- the call that moves it on is the only one that was open
CREATE TRIGGER checkout_psp
    BEFORE UPDATE OF psp ON checkout FOR EACH ROW
    WHEN (NEW.psp <> OLD.psp
          AND (OLD.state <> 'REGISTERING' OR NEW.state <> 'REGISTERING'
               OR OLD.token IS NOT NULL OR OLD.open_attempts > 1
               OR NEW.attempt <= OLD.attempt OR NEW.open_attempts <> 1
               OR NEW.psp <> ALL (OLD.psps)
               OR NEW.psp = ANY (OLD.refused_psps)))
    EXECUTE FUNCTION refuse_change('something may have happened there',
                                   'PAY11');
ALTER TABLE checkout ENABLE ALWAYS TRIGGER checkout_psp;

CREATE TRIGGER checkout_token
    BEFORE UPDATE OF token, alias, attempt ON checkout FOR EACH ROW
    WHEN (OLD.token IS NOT NULL
          AND (NEW.token, NEW.alias) IS DISTINCT FROM (OLD.token, OLD.alias)
          OR NEW.attempt < OLD.attempt)
    EXECUTE FUNCTION refuse_change('one token for ever', 'PAY11');
ALTER TABLE checkout ENABLE ALWAYS TRIGGER checkout_token;

-- The planner uses the counts of the last ANALYZE or VACUUM.  A table that was
-- counted with a handful of rows and then grows fast is read whole by each call
-- until it is counted again; one that was never counted is estimated at a few
-- hundred rows, which is enough for look-ups by key.
ALTER TABLE checkout SET (autovacuum_analyze_threshold = 1000,
                          autovacuum_vacuum_threshold = 1000);
ALTER TABLE payment_order SET (autovacuum_analyze_threshold = 1000,
                               autovacuum_vacuum_threshold = 1000);
ALTER TABLE psp_token SET (autovacuum_analyze_threshold = 1000,
                           autovacuum_vacuum_threshold = 1000);
ALTER TABLE idempotency_key SET (autovacuum_analyze_threshold = 1000,
                                 autovacuum_vacuum_threshold = 1000);
ALTER TABLE webhook_inbox SET (autovacuum_analyze_threshold = 1000,
                               autovacuum_vacuum_threshold = 1000);
ALTER TABLE event SET (autovacuum_analyze_threshold = 1000);

RESET ROLE;
