-- Events for receivers: the log of messages, the endpoints of storefronts, and
-- the deliveries to them (docs/events.md).  The functions are those of
-- 71_message.sql to 76_event_ops.sql.

CREATE SCHEMA pay_relay AUTHORIZATION payments_owner;
COMMENT ON SCHEMA pay_relay IS
    'The functions that a relay to a broker may EXECUTE';

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Where publish_events stands.  Its lock makes publishers one at a time, so that
-- positions are committed in their order: behind a position that a reader has
-- seen, no lower one appears.
CREATE TABLE message_place (
    is_one    boolean PRIMARY KEY DEFAULT true CHECK (is_one),
    position  whole NOT NULL
);
INSERT INTO message_place (position) VALUES (0);

-- The messages as receivers get them: body is never written again, so that a
-- repetition has the same bytes.  sequence counts the messages of a subject
-- without gaps.
CREATE TABLE message (
    position      bigint PRIMARY KEY,
    merchant_id   id NOT NULL,
    message_id    id NOT NULL,
    type          filled NOT NULL,
    subject       filled NOT NULL,
    sequence      ordinal NOT NULL,
    at            timestamptz NOT NULL,
    body          text NOT NULL,
    published_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX message_name ON message (message_id);
CREATE INDEX message_merchant ON message (merchant_id, position);
CREATE INDEX message_published ON message USING brin (published_at);

CREATE TRIGGER message_immutable
    BEFORE UPDATE OR TRUNCATE ON message
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('messages are immutable', 'PAY20');
ALTER TABLE message ENABLE ALWAYS TRIGGER message_immutable;

-- The last sequence of a subject outlives its messages.
CREATE TABLE message_subject (
    subject      filled NOT NULL,
    merchant_id  id NOT NULL,
    sequence     ordinal NOT NULL,
    PRIMARY KEY (subject, merchant_id)
) WITH (fillfactor = 80);

-- Exceptions of reconciliation that have no message yet.
CREATE TABLE settlement_outbox (
    exception_id  bigint PRIMARY KEY
);

CREATE FUNCTION pay.tell_exception() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO settlement_outbox (exception_id)
    SELECT n.exception_id FROM new_rows n;

    RETURN NULL;
END
$$;
COMMENT ON FUNCTION pay.tell_exception IS
    'Has receivers hear of exceptions in the commit that opens them';
CREATE TRIGGER settlement_exception_told
    AFTER INSERT ON settlement_exception
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tell_exception();


-- A receiver that reads the log in order, as a relay to a broker does: all
-- messages up to position have arrived there.  The owner alone may move it; when
-- until has passed another one may become the owner.  changed_at: when the owner
-- was last heard of.
CREATE TABLE message_reader (
    name        payout_name PRIMARY KEY,
    position    whole NOT NULL,
    owner       text,
    until       timestamptz,
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);


-- Where a storefront takes webhooks.  types: {} stands for all; payment.* for all
-- that begin with payment.  failures: attempts in a row that failed, since
-- failing_since; none leaves before paused_until.
CREATE TABLE webhook_endpoint (
    merchant_id    id NOT NULL,
    endpoint_id    id NOT NULL,
    url            filled NOT NULL CHECK (octet_length(url) <= 2048),
    types          text[] COLLATE "C" NOT NULL,
    scheme         text COLLATE "C" NOT NULL CHECK (scheme IN ('v1', 'v1a')),
    is_ordered     boolean NOT NULL,
    state          text COLLATE "C" NOT NULL DEFAULT 'enabled'
        CHECK (state IN ('enabled', 'disabled')),
    reason         text COLLATE "C" CHECK (reason IN
        ('merchant', 'operator', 'gone', 'failing')),
    created_by     filled NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    failures       tally NOT NULL DEFAULT 0,
    failing_since  timestamptz,
    paused_until   timestamptz,
    -- not later than the first of its deliveries is due
    look_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (merchant_id, endpoint_id),
    CHECK ((state = 'disabled') = (reason IS NOT NULL)),
    CHECK ((failures = 0) = (failing_since IS NULL))
) WITH (fillfactor = 60);
CREATE INDEX webhook_endpoint_look ON webhook_endpoint (look_at)
    WHERE state = 'enabled';

-- Messages about an endpoint itself.
CREATE TABLE webhook_outbox (
    number       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_id  id NOT NULL,
    merchant_id  id NOT NULL,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind         filled NOT NULL
);

-- Secrets are sealed by the gateway.  All that are not over sign.
CREATE TABLE webhook_secret (
    endpoint_id  id NOT NULL,
    merchant_id  id NOT NULL,
    number       ordinal NOT NULL,
    sealed       bytea NOT NULL CHECK (octet_length(sealed) <= 1024),
    key_id       id NOT NULL,
    made_by      filled NOT NULL,
    made_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    until        timestamptz,
    PRIMARY KEY (endpoint_id, merchant_id, number),
    FOREIGN KEY (merchant_id, endpoint_id) REFERENCES webhook_endpoint
);

-- A message on its way to an endpoint.  is_leased: a worker has it until run_at.
-- attempts counts those that have begun.
CREATE TABLE webhook_delivery (
    endpoint_id  id NOT NULL,
    merchant_id  id NOT NULL,
    position     bigint NOT NULL,
    state        text COLLATE "C" NOT NULL DEFAULT 'due'
        CHECK (state IN ('due', 'delivered', 'failed')),
    attempts     tally NOT NULL DEFAULT 0,
    run_at       timestamptz NOT NULL DEFAULT now(),
    is_leased    boolean NOT NULL DEFAULT false,
    status       int,
    failure      text,
    took_ms      int,
    ended_at     timestamptz,
    PRIMARY KEY (endpoint_id, merchant_id, position),
    FOREIGN KEY (merchant_id, endpoint_id) REFERENCES webhook_endpoint,
    CHECK ((state = 'due') = (ended_at IS NULL)),
    CHECK (NOT is_leased OR state = 'due')
) WITH (fillfactor = 60, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX webhook_delivery_due
    ON webhook_delivery (endpoint_id, merchant_id, run_at, position)
    WHERE state = 'due';
-- for endpoints that want their order
CREATE INDEX webhook_delivery_open
    ON webhook_delivery (endpoint_id, merchant_id, position)
    WHERE state = 'due';
CREATE INDEX webhook_delivery_leased
    ON webhook_delivery (endpoint_id, merchant_id) WHERE is_leased;
CREATE INDEX webhook_delivery_failed
    ON webhook_delivery (endpoint_id, merchant_id, ended_at)
    WHERE state = 'failed';

-- The attempts that failed.  answer: its first bytes, printable.
CREATE TABLE webhook_attempt (
    endpoint_id  id NOT NULL,
    merchant_id  id NOT NULL,
    position     bigint NOT NULL,
    number       ordinal NOT NULL,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    took_ms      int,
    status       int,
    failure      filled NOT NULL,
    answer       text,
    PRIMARY KEY (endpoint_id, merchant_id, position, number, at)
);

-- Acts of operators on endpoints.
CREATE TABLE webhook_act (
    act_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id  id NOT NULL,
    endpoint_id  id NOT NULL,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    act          filled NOT NULL,
    who          filled NOT NULL,
    why          filled NOT NULL,
    role         text NOT NULL DEFAULT session_user
);
CREATE TRIGGER webhook_act_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON webhook_act
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('acts are append-only', 'PAY20');
ALTER TABLE webhook_act ENABLE ALWAYS TRIGGER webhook_act_append_only;

INSERT INTO round (name, run_at) VALUES ('events', now());

RESET ROLE;
