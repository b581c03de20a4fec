-- Exactly once, whatever breaks: the dispatch journal, dead letters, late
-- payments, the quarantine of webhooks, and the gateway's own rounds.

CREATE SCHEMA pay_ops AUTHORIZATION payments_owner;
COMMENT ON SCHEMA pay_ops IS 'The functions that operators may EXECUTE';

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE DOMAIN dispatch_operation AS text COLLATE "C"
    CHECK (VALUE IN ('register', 'capture', 'cancel', 'refund', 'expire'));
CREATE DOMAIN dispatch_state AS text COLLATE "C"
    CHECK (VALUE IN ('OPEN', 'DONE', 'PENDING', 'REFUSED', 'NOT_SENT',
                     'UNKNOWN'));
CREATE DOMAIN dispatch_reach AS text COLLATE "C"
    CHECK (VALUE IN ('nothing', 'resolved', 'connected', 'tls', 'written',
                     'status', 'complete'));
COMMENT ON DOMAIN dispatch_operation IS
    'The operations that may change something at a PSP';
COMMENT ON DOMAIN dispatch_state IS 'The outcome of an attempt';
COMMENT ON DOMAIN dispatch_reach IS 'How far a call came';


-- The journal of calls.  Before a call that may change something at a PSP its
-- row says which operation is about to be sent, after it how far the call came.
-- A row is an attempt: sent again with the same key it stays the same attempt
-- (sends).  Only an attempt that has certainly come to nothing (NOT_SENT,
-- REFUSED) makes room for the next one; there is no second one beside one that
-- is OPEN or UNKNOWN.
--   OPEN      about to be sent, or sent; the outcome is not known yet
--   DONE      the PSP has done it
--   PENDING   the PSP has taken it; the outcome comes later
--   REFUSED   the PSP will never do it
--   NOT_SENT  provably without effect
--   UNKNOWN   may or may not have happened: only the PSP knows
-- A checkout's first call is in the checkout's own row while it is OPEN, and
-- stays there when it has brought the token (first_call); if it ends otherwise,
-- journal_calls() makes a row here.  The view journal has both.
CREATE TABLE dispatch (
    merchant_id    id NOT NULL,
    checkout_id    id NOT NULL,
    operation      dispatch_operation NOT NULL,
    -- the PSP's idempotency key is a pure function of it: the nonce of a
    -- registration (captures and expires, too), a UUID of a refund
    operation_id   id NOT NULL,
    attempt        ordinal NOT NULL DEFAULT 1,
    psp            id NOT NULL,
    state          dispatch_state NOT NULL DEFAULT 'OPEN',
    -- calls of this attempt, and whether one before the last may have arrived
    sends          ordinal NOT NULL DEFAULT 1,
    unsure         boolean NOT NULL DEFAULT false,
    first_sent_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- the worker that sends is gone when this has passed
    lease_until    timestamptz,
    ended_at       timestamptz,
    -- the PSP knows the key until then: never resent afterwards
    key_until      timestamptz NOT NULL,
    reach          dispatch_reach,
    http_status    int,
    code           text,
    reference      text,
    request_id     text,
    -- UNKNOWN for ever, and it matters no more: noted by the sweep
    settled        boolean NOT NULL DEFAULT false,
    PRIMARY KEY (merchant_id, checkout_id, operation, operation_id, attempt),
    FOREIGN KEY (merchant_id, checkout_id) REFERENCES checkout,
    CHECK ((state = 'OPEN') = (ended_at IS NULL)),
    CHECK (sends > 1 OR NOT unsure),
    CHECK (sends = 1 OR sent_at < key_until)
) WITH (fillfactor = 80, autovacuum_analyze_threshold = 1000,
        autovacuum_vacuum_threshold = 1000);

CREATE UNIQUE INDEX dispatch_one_open
    ON dispatch (merchant_id, checkout_id, operation, operation_id)
    WHERE state IN ('OPEN', 'UNKNOWN');

-- for the sweep: changes whose worker is gone, or is sending
CREATE INDEX dispatch_open ON dispatch (lease_until)
    WHERE state = 'OPEN' AND operation <> 'register';

-- It began when the checkout did.
CREATE DOMAIN first_call AS text COLLATE "C"
    CHECK (VALUE IN ('OPEN', 'DONE'));
COMMENT ON DOMAIN first_call IS
    'The outcome of a first call that has no row in the journal';

ALTER TABLE checkout ADD first_call first_call,
    ADD first_ended_at timestamptz, ADD request_id text,
    ADD CHECK ((first_call = 'DONE') = (first_ended_at IS NOT NULL));

-- No row about the same call, and no next attempt, beside the first call in the
-- checkout's row: dispatch_one_open once more, for first calls.
CREATE FUNCTION refuse_second_call() RETURNS trigger
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM checkout c
        WHERE c.merchant_id = NEW.merchant_id
            AND c.checkout_id = NEW.checkout_id AND c.first_call IS NOT NULL)
    THEN
        RAISE EXCEPTION '% on % is refused: a first call is not over',
            TG_OP, TG_TABLE_NAME USING ERRCODE = 'unique_violation';
    END IF;

    RETURN NEW;
END
$$;

CREATE TRIGGER dispatch_first
    BEFORE INSERT ON dispatch FOR EACH ROW
    WHEN (NEW.operation = 'register')
    EXECUTE FUNCTION refuse_second_call();
ALTER TABLE dispatch ENABLE ALWAYS TRIGGER dispatch_first;

-- for the sweep; a payment without trouble never enters it
CREATE INDEX dispatch_unknown ON dispatch (first_sent_at)
    WHERE state = 'UNKNOWN' AND NOT settled;


-- How far an order may move: only up.  pay.status_rank() is the same as a
-- function, for changes and their index (checks/status_rank.sql compares).
CREATE TABLE status_rank (
    status  order_status PRIMARY KEY,
    rank    int NOT NULL UNIQUE
);

INSERT INTO status_rank (status, rank)
VALUES ('NOT_STARTED', 0), ('EXECUTING', 1), ('FAILED', 2), ('SUCCESS', 3);


-- Work that the gateway has given up, or that an operator should look at, until
-- it is requeued or resolved (by, reason) or the cause is gone. kind: register,
-- poll, refund: the job that stopped; late_success: a payment that is held;
-- parked: a webhook that found no checkout (psp, event_id); stuck: a state that
-- is older than its limit, whose job goes on.
CREATE TABLE dead_letter (
    dead_letter_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id     id,
    checkout_id     id,
    psp             id,
    event_id        id,
    kind            text COLLATE "C" NOT NULL
        CHECK (kind IN ('register', 'poll', 'refund', 'late_success',
                        'parked', 'stuck')),
    -- retry_limit, cancelled, key_window_over, refused, held, or the state
    -- that is too old: registering, executing, unknown, parked
    reason          filled NOT NULL,
    code            text,
    attempts        int NOT NULL DEFAULT 0,
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    state           text COLLATE "C" NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'requeued', 'resolved', 'settled')),
    closed_at       timestamptz,
    closed_by       filled,
    closed_why      filled,
    CHECK ((state = 'open') = (closed_at IS NULL)),
    CHECK ((closed_at IS NULL) = (closed_by IS NULL)),
    CHECK ((closed_at IS NULL) = (closed_why IS NULL)),
    CHECK ((kind = 'parked') = (checkout_id IS NULL)),
    CHECK ((merchant_id IS NULL) = (checkout_id IS NULL)),
    CHECK ((kind = 'parked') = (event_id IS NOT NULL)),
    CHECK (event_id IS NULL OR psp IS NOT NULL)
);

CREATE UNIQUE INDEX dead_letter_one_open
    ON dead_letter (merchant_id, checkout_id, kind, psp, event_id)
    NULLS NOT DISTINCT WHERE state = 'open';
CREATE INDEX dead_letter_checkout ON dead_letter (merchant_id, checkout_id);
CREATE INDEX dead_letter_event ON dead_letter (psp, event_id)
    WHERE event_id IS NOT NULL;
CREATE INDEX dead_letter_open ON dead_letter (dead_letter_id)
    WHERE state = 'open';
CREATE INDEX dead_letter_closed ON dead_letter (closed_at)
    WHERE state <> 'open';


-- A payment that was proved after its checkout had expired, where that is not
-- simply a sale (checkout.late_success).  The order stays FAILED until an
-- operator accepts it.
CREATE TABLE late_success (
    merchant_id   id NOT NULL,
    checkout_id   id NOT NULL,
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    psp           id NOT NULL,
    event_id      id,
    source        text COLLATE "C" NOT NULL,
    reference     text,
    amount_minor  positive_minor NOT NULL,
    currency      text COLLATE "C" NOT NULL,
    refund_id     uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    state         text COLLATE "C" NOT NULL
        CHECK (state IN ('held', 'refunding', 'refunded', 'accepted',
                         'resolved')),
    PRIMARY KEY (merchant_id, checkout_id),
    FOREIGN KEY (merchant_id, checkout_id) REFERENCES checkout
);

-- Sold or paid back, never both: held money may be accepted, money that is
-- being paid back never.  A refund may fail after it was accepted, or come
-- back.  A refund that went out before an operator settled the
-- matter elsewhere still gets its event.
CREATE TRIGGER late_success_state
    BEFORE UPDATE OF state ON late_success FOR EACH ROW
    WHEN (NEW.state <> OLD.state
          AND (OLD.state, NEW.state) NOT IN (
              ('held', 'accepted'), ('held', 'resolved'),
              ('refunding', 'refunded'), ('refunding', 'resolved'),
              ('refunded', 'refunding'),
              ('resolved', 'refunded')))
    EXECUTE FUNCTION refuse_change('no such transition', 'PAY10');
ALTER TABLE late_success ENABLE ALWAYS TRIGGER late_success_state;

-- One refund, under one key, for as long as it may be done.  Only one that has
-- failed after it was accepted is followed by another.
CREATE TRIGGER late_success_fixed
    BEFORE UPDATE OF merchant_id, checkout_id, psp, amount_minor, currency,
        refund_id
    ON late_success FOR EACH ROW
    WHEN ((NEW.merchant_id, NEW.checkout_id, NEW.psp, NEW.amount_minor,
           NEW.currency, NEW.refund_id)
          IS DISTINCT FROM
          (OLD.merchant_id, OLD.checkout_id, OLD.psp, OLD.amount_minor,
           OLD.currency, OLD.refund_id)
          AND (NEW.merchant_id, NEW.checkout_id, NEW.psp, NEW.amount_minor,
               NEW.currency, OLD.state, NEW.state)
          IS DISTINCT FROM
          (OLD.merchant_id, OLD.checkout_id, OLD.psp, OLD.amount_minor,
           OLD.currency, 'refunded', 'refunding'))
    EXECUTE FUNCTION refuse_change('one refund until it fails', 'PAY11');
ALTER TABLE late_success ENABLE ALWAYS TRIGGER late_success_fixed;


-- Webhooks that proved nothing about their sender, the newest 1000 of each PSP,
-- in a ring (slot).  For operators, to see why; the gateway never reads it.
CREATE TABLE webhook_quarantine (
    psp          id NOT NULL,
    slot         int NOT NULL CHECK (slot BETWEEN 0 AND 999),
    number       bigint NOT NULL,
    received_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason       text COLLATE "C" NOT NULL
        CHECK (reason IN ('no_key', 'malformed', 'stale', 'skew',
                          'wrong_key', 'altered_body', 'mismatch',
                          'certificate')),
    digest       bytea NOT NULL CHECK (octet_length(digest) = 32),
    headers      jsonb NOT NULL CHECK (octet_length(headers::text) <= 16384),
    body         bytea NOT NULL CHECK (octet_length(body) <= 4096),
    size         bigint NOT NULL,
    request_id   text,
    PRIMARY KEY (psp, slot)
);

CREATE TABLE quarantine_count (
    psp     id PRIMARY KEY,
    number  bigint NOT NULL
);


-- The raw body of a verified webhook, once for all the events in it: a row of
-- webhook_inbox finds it by its digest.  TOAST compresses it.  left_out is the
-- reason why there is no body.  message_ids are the ids of the messages that
-- had these bytes, for schemes whose signature covers such an id in a header.
-- For operators, and for webhook_replay.
CREATE TABLE webhook_body (
    psp          id NOT NULL,
    digest       bytea NOT NULL CHECK (octet_length(digest) = 32),
    received_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    keep_until   timestamptz NOT NULL,
    size         bigint NOT NULL CHECK (size >= 0),
    left_out     text COLLATE "C"
        CHECK (left_out IN ('card_number', 'too_large')),
    body         bytea CHECK (octet_length(body) <= 262144),
    message_ids  text[] COLLATE "C" NOT NULL DEFAULT '{}'
        CHECK (cardinality(message_ids) <= 16),
    PRIMARY KEY (psp, digest),
    CHECK ((body IS NULL) = (left_out IS NOT NULL))
);

CREATE INDEX webhook_body_keep_until ON webhook_body (keep_until);


-- An operator's request to read a kept body again, and its result.  While a
-- request is open, a row of webhook_inbox that had no effect (ignored) is
-- replaced by the event as it is read today; replaced holds such rows whole.
-- These rows are evidence and are never deleted.
--   open    a worker takes it, under a lease
--   done    all events of the body were applied as those of a webhook
--   failed  outcome says why they were not
CREATE TABLE webhook_replay (
    replay_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    psp          id NOT NULL,
    event_id     id NOT NULL,
    digest       bytea NOT NULL CHECK (octet_length(digest) = 32),
    asked_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    asked_by     filled NOT NULL,
    why          filled NOT NULL,
    role         text NOT NULL DEFAULT session_user,
    state        text COLLATE "C" NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'done', 'failed')),
    claims       int NOT NULL DEFAULT 0,
    lease_owner  text,
    lease_until  timestamptz,
    ended_at     timestamptz,
    -- of the event that was named; events: how many the body has; applied: how
    -- many of them were new
    outcome      text COLLATE "C",
    events       int,
    applied      int,
    replaced     jsonb NOT NULL DEFAULT '[]',
    CHECK ((state = 'open') = (ended_at IS NULL)),
    CHECK ((state = 'open') = (outcome IS NULL)),
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
    CHECK (state = 'open' OR lease_owner IS NULL)
);

CREATE UNIQUE INDEX webhook_replay_one_open ON webhook_replay (psp, digest)
    WHERE state = 'open';
CREATE INDEX webhook_replay_event ON webhook_replay (psp, event_id);


-- Periodic rounds that one worker of all nodes makes at a time: the sweep.
-- Each round looks at some rows of each kind and the next one continues behind
-- them: jobs by key, calls and webhooks by time, dead letters by number; NULL:
-- from the beginning.  counts is the result of the last one.
CREATE TABLE round (
    name         text COLLATE "C" PRIMARY KEY,
    run_at       timestamptz NOT NULL,
    merchant_id  text COLLATE "C",
    checkout_id  text COLLATE "C",
    sent_at      timestamptz,
    received_at  timestamptz,
    letter_id    bigint,
    counts       jsonb,
    CHECK ((merchant_id IS NULL) = (checkout_id IS NULL))
);

INSERT INTO round (name, run_at) VALUES ('sweep', now());

-- for the sweep: webhooks that wait for too long
CREATE INDEX webhook_inbox_parked_at ON webhook_inbox (received_at)
    WHERE state = 'parked';
-- for purge: webhooks that are kept for operators only
CREATE INDEX webhook_inbox_idle ON webhook_inbox (received_at)
    WHERE state = 'asked' OR state = 'ignored' AND fact = 'none';


-- How far the list of events of a PSP has been compared with the inbox.
CREATE TABLE backfill (
    psp          id PRIMARY KEY,
    seen_until   timestamptz NOT NULL,
    -- of one look, in seconds: shorter where too much happens in it
    span_s       int NOT NULL DEFAULT 21600
        CHECK (span_s BETWEEN 360 AND 21600),
    run_at       timestamptz NOT NULL,
    -- the interval that run_at comes from
    put_off      interval NOT NULL DEFAULT '0',
    lease_owner  text,
    lease_until  timestamptz,
    runs         bigint NOT NULL DEFAULT 0,
    listed       bigint NOT NULL DEFAULT 0,
    missed       bigint NOT NULL DEFAULT 0,
    code         text,
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL))
);


-- All that explain() judges by: an order, its registration, the newest attempt
-- to register and to capture, its jobs, the open dead letter that has stopped
-- one of them.
CREATE TYPE standing AS (
    status            text,
    reason            text,
    psp               text,
    expires_at        timestamptz,
    late_success      text,
    registered        text,
    token             text,
    sent              text,
    sent_lease_until  timestamptz,
    key_until         timestamptz,
    capture           text,
    job               text,
    run_at            timestamptz,
    lease_until       timestamptz,
    job_code          text,
    refund_at         timestamptz,
    refund_code       text,
    letter            text,
    letter_reason     text,
    letter_attempts   int,
    late              text,
    pending           boolean,
    differs           boolean,
    contradicted      boolean,
    stuck             boolean
);

RESET ROLE;
