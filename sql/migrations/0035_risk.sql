-- Risk: lists, counters and decisions of the look at checkouts before their
-- PSPs are asked.  The functions are those of 28_risk.sql and 29_risk_list.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE DOMAIN risk_word AS text COLLATE "C"
    CHECK (VALUE IN ('allow', 'challenge', 'review', 'block'));
CREATE DOMAIN risk_key AS text COLLATE "C"
    CHECK (VALUE IN ('ip', 'ip_net', 'email', 'phone', 'buyer', 'device',
                     'seller', 'merchant'));
CREATE DOMAIN risk_kind AS text COLLATE "C"
    CHECK (VALUE IN ('email', 'email_domain', 'phone', 'buyer', 'device', 'ip',
                     'country', 'card'));
COMMENT ON DOMAIN risk_word IS
    'A decision about a payment, or the one that a hit asks for';
COMMENT ON DOMAIN risk_kind IS
    'The kind of an entry of a list.  email, phone, buyer, device and card '
    'are keyed hashes in hex; ip is a prefix';

COMMENT ON DOMAIN risk_key IS
    'The kind of a counter; its value is always a keyed hash in hex';

-- NULL: nothing was looked at.  The type is no domain: that would write the
-- whole table anew while sales wait.  The CHECK reads it once.
ALTER TABLE checkout ADD risk text COLLATE "C";
ALTER TABLE checkout ADD CONSTRAINT checkout_risk_check
    CHECK (risk IN ('allow', 'challenge', 'review', 'block'));


-- The entries that count.  merchant_id '*': all merchants.  The value leads the
-- key, and there is no other index but that of the ids: a plan that was made
-- while the list was empty looks an entry up by it all the same.
CREATE TABLE risk_list (
    merchant_id  id NOT NULL,
    effect       risk_word NOT NULL,
    kind         risk_kind NOT NULL,
    value        id NOT NULL,
    -- NULL: for ever
    until        timestamptz,
    who          filled NOT NULL,
    why          filled NOT NULL,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    list_id      bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (value, kind, merchant_id, effect)
);

CREATE TABLE risk_list_act (
    act_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    list_id      bigint NOT NULL,
    act          text COLLATE "C" NOT NULL
        CHECK (act IN ('added', 'changed', 'removed')),
    merchant_id  id NOT NULL,
    effect       risk_word NOT NULL,
    kind         risk_kind NOT NULL,
    value        id NOT NULL,
    until        timestamptz,
    who          filled NOT NULL,
    why          filled NOT NULL,
    at           timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TRIGGER risk_list_act_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON risk_list_act FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('acts are append-only', 'PAY20');
ALTER TABLE risk_list_act ENABLE ALWAYS TRIGGER risk_list_act_append_only;


-- Attempts, declines and amounts with a key in an hour.  amounts: minor units
-- by the currency of the payments, as they were; a window converts their sums when it is asked, since a
-- rate may be missing now and there later.  It is only kept for windows of
-- amounts.  Half of each page is free, so that a count is a HOT update.
CREATE TABLE risk_counter (
    merchant_id  id NOT NULL,
    kind         risk_key NOT NULL,
    value        id NOT NULL,
    hour         timestamptz NOT NULL,
    attempts     bigint NOT NULL,
    declines     bigint NOT NULL,
    amounts      jsonb NOT NULL,
    PRIMARY KEY (merchant_id, kind, value, hour)
) WITH (fillfactor = 50);
-- for the purge alone: of the hour itself an early plan could read all keys
CREATE INDEX risk_counter_age ON risk_counter ((hour AT TIME ZONE 'UTC'));


-- One for each checkout that was looked at.  counted: the keys of its windows,
-- where a decline counts, too.  keys, counted and facts go after a while.
CREATE TABLE risk_decision (
    merchant_id  id NOT NULL,
    checkout_id  id NOT NULL,
    decision     risk_word NOT NULL,
    decided_by   text COLLATE "C" NOT NULL
        CHECK (decided_by IN ('list', 'rule', 'window', 'none')),
    hits         jsonb NOT NULL,
    facts        jsonb,
    keys         jsonb,
    counted      jsonb,
    inputs_hash  hash NOT NULL,
    version      filled NOT NULL,
    declined_at  timestamptz,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (merchant_id, checkout_id)
) WITH (fillfactor = 80);
CREATE INDEX risk_decision_age ON risk_decision (at) WHERE keys IS NOT NULL;

CREATE TRIGGER risk_decision_fixed
    BEFORE UPDATE OF merchant_id, checkout_id, decision, decided_by, hits,
        inputs_hash, version, at
    ON risk_decision FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('a decision is fixed', 'PAY20');
CREATE TRIGGER risk_decision_kept
    BEFORE DELETE OR TRUNCATE ON risk_decision FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('decisions are kept', 'PAY20');
ALTER TABLE risk_decision ENABLE ALWAYS TRIGGER risk_decision_fixed;
ALTER TABLE risk_decision ENABLE ALWAYS TRIGGER risk_decision_kept;


-- The gateway alone says it, about a checkout of which nothing was sent.
INSERT INTO news_kind (news, logged, told, is_shown) VALUES
('blocked', 'moved', NULL, false);
INSERT INTO transition (kind, status, rank, actor, capture, is_held, provided,
    news, next_status) VALUES
('blocked', 'NOT_STARTED', 1, 'any', 'any', false,
    'always', 'blocked', 'FAILED'),
('blocked', 'EXECUTING', 1, 'any', 'any', false,
    'always', 'blocked', 'FAILED'),
('blocked', 'SUCCESS', 1, 'any', 'any', false,
    'always', 'blocked', 'SUCCESS'),
('blocked', 'FAILED', 1, 'any', 'any', false, 'always', 'blocked', 'FAILED');

-- they have one argument or one result more now
DROP FUNCTION IF EXISTS pay.explain(text, text, boolean);
DROP FUNCTION IF EXISTS pay_api.explain_payment(text[], text[]);
DROP FUNCTION IF EXISTS pay_api.explain_checkout(text[], text[]);
DROP FUNCTION IF EXISTS pay.purge(int, interval, interval, interval);
DROP FUNCTION IF EXISTS pay.insert_checkouts(int[], text[], text[], text[],
    text[], text[], text[], text[], text[], jsonb[], jsonb[], jsonb[], text[],
    bigint[], bigint[], bigint[], text[], text[], text[], text[], jsonb[]);

RESET ROLE;
