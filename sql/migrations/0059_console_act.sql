-- The acts of staff on the console: who may act, the proposals that wait for a
-- second person, and the rows of who did it.  The functions are those of
-- 99_console_act.sql and the files behind it.

CREATE SCHEMA pay_console_act AUTHORIZATION payments_owner;
COMMENT ON SCHEMA pay_console_act IS
    'The functions by which the console acts';

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- An act that moves money has the steps propose and approve, each other one the
-- step act.
CREATE TABLE console_act_right (
    act   text COLLATE "C" NOT NULL CHECK (act ~ '^[a-z]{1,32}$'),
    step  text COLLATE "C" NOT NULL
        CHECK (step IN ('act', 'propose', 'approve')),
    role  text COLLATE "C" NOT NULL REFERENCES console_role,
    PRIMARY KEY (act, step, role)
);
COMMENT ON TABLE console_act_right IS
    'The acts of the console, and the roles that may do each step of them';

INSERT INTO console_act_right (act, step, role)
SELECT a.act, a.step, r.role
FROM (VALUES
    ('requeue', 'act', 'operations'),
    ('disable', 'act', 'operations admin'),
    ('enable', 'act', 'operations admin'),
    ('refund', 'propose', 'support finance'),
    ('refund', 'approve', 'finance-approver'),
    ('settle', 'propose', 'operations finance'),
    ('settle', 'approve', 'finance-approver'),
    ('proof', 'act', 'support risk auditor')) AS a (act, step, roles)
CROSS JOIN LATERAL regexp_split_to_table(a.roles, ' ') AS r (role);

INSERT INTO console_right (page, role)
SELECT p.page, r.role
FROM (VALUES
    ('acts', 'admin auditor'),
    ('approvals', 'support operations finance finance-approver admin '
                  'auditor')) AS p (page, roles)
CROSS JOIN LATERAL regexp_split_to_table(p.roles, ' ') AS r (role);


-- Money moves when another person than the one who asked for it agrees.  object:
-- the order of a refund, the change of a settle; outcome: of a settle.
CREATE TABLE console_proposal (
    proposal_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    until         timestamptz NOT NULL,
    act           text COLLATE "C" NOT NULL
        CHECK (act IN ('refund', 'settle')),
    merchant_id   id NOT NULL,
    checkout_id   id NOT NULL,
    object        id NOT NULL,
    amount_minor  positive_minor NOT NULL,
    currency      currency_code NOT NULL,
    outcome       text COLLATE "C" CHECK (outcome IN ('done', 'failed')),
    proposed_by   filled NOT NULL,
    reason        filled NOT NULL CHECK (octet_length(reason) <= 200),
    state         text COLLATE "C" NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'done', 'rejected', 'withdrawn',
                         'failed')),
    decided_at    timestamptz,
    decided_by    filled,
    decided_why   filled,
    result        filled,
    CHECK ((act = 'settle') = (outcome IS NOT NULL)),
    CHECK ((state = 'waiting') = (decided_at IS NULL)),
    CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
    CHECK (state NOT IN ('done', 'failed', 'rejected')
           OR lower(decided_by) <> lower(proposed_by)),
    CHECK (state <> 'withdrawn' OR lower(decided_by) = lower(proposed_by))
);
COMMENT ON TABLE console_proposal IS
    'Acts of staff that move money and need a second person';
CREATE INDEX console_proposal_of
    ON console_proposal (merchant_id, checkout_id, proposal_id);
-- those that count against the limits
CREATE INDEX console_proposal_waiting ON console_proposal (currency, until)
    WHERE state = 'waiting';
CREATE INDEX console_proposal_done ON console_proposal (currency, decided_at)
    WHERE state = 'done';

CREATE TRIGGER console_proposal_kept
    BEFORE DELETE OR TRUNCATE ON console_proposal FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('proposals stay', 'PAY20');
CREATE TRIGGER console_proposal_decided
    BEFORE UPDATE ON console_proposal FOR EACH ROW
    WHEN (OLD.state <> 'waiting'
          OR (NEW.proposal_id, NEW.at, NEW.until, NEW.act, NEW.merchant_id,
              NEW.checkout_id, NEW.object, NEW.amount_minor, NEW.currency,
              NEW.outcome, NEW.proposed_by, NEW.reason)
          IS DISTINCT FROM
          (OLD.proposal_id, OLD.at, OLD.until, OLD.act, OLD.merchant_id,
           OLD.checkout_id, OLD.object, OLD.amount_minor, OLD.currency,
           OLD.outcome, OLD.proposed_by, OLD.reason))
    EXECUTE FUNCTION refuse_change('a proposal is decided once', 'PAY20');
ALTER TABLE console_proposal ENABLE ALWAYS TRIGGER console_proposal_kept;
ALTER TABLE console_proposal ENABLE ALWAYS TRIGGER console_proposal_decided;


-- Acts, and who has done them.  Each row is an event of the log, too, with the same number, in
-- a timeline of its own (console_log()): chained, sealed, exported and verified
-- as the events of orders are.  merchant_id and checkout_id: where the act is
-- about one.
CREATE TABLE console_act (
    seq          ordinal PRIMARY KEY,
    at           timestamptz NOT NULL,
    tx           whole NOT NULL,
    who          filled NOT NULL,
    roles        jsonb NOT NULL,
    act          filled NOT NULL,
    object       text COLLATE "C" NOT NULL,
    merchant_id  id,
    checkout_id  id,
    reason       text,
    result       filled NOT NULL,
    proposal_id  bigint REFERENCES console_proposal,
    detail       jsonb NOT NULL,
    request      text COLLATE "C",
    fingerprint  hash NOT NULL,
    request_id   text COLLATE "C",
    answer       jsonb,
    hash         hash NOT NULL,
    CHECK ((answer IS NOT NULL) = (result = 'done'))
);
COMMENT ON TABLE console_act IS
    'Acts of staff on the console, and those that were refused';
-- a request acts once
CREATE UNIQUE INDEX console_act_request ON console_act (who, request)
    WHERE result = 'done';
CREATE INDEX console_act_who ON console_act (who, seq);
CREATE INDEX console_act_object ON console_act (object, seq);
CREATE INDEX console_act_at ON console_act (at);
CREATE INDEX console_act_of ON console_act (merchant_id, checkout_id, seq)
    WHERE checkout_id IS NOT NULL;

CREATE TRIGGER console_act_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON console_act FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('acts are append-only', 'PAY20');
ALTER TABLE console_act ENABLE ALWAYS TRIGGER console_act_append_only;


-- The object of an act, and the right that the act needs.
CREATE TYPE console_target AS (
    is_there     boolean,
    act          text,
    step         text,
    merchant_id  text,
    checkout_id  text,
    proposal_id  bigint
);


-- Lists of acts are read from the newest on, over all their tables.
CREATE INDEX webhook_act_at ON webhook_act (at);
CREATE INDEX dead_letter_ended ON dead_letter (closed_at)
    WHERE closed_at IS NOT NULL AND closed_by <> 'gateway';
CREATE INDEX mismatch_settlement_at ON mismatch_settlement (at);
CREATE INDEX settlement_act_time ON settlement_act (at);
CREATE INDEX payout_act_at ON payout_act (at)
    WHERE role = 'payments_operator';
CREATE INDEX risk_list_act_at ON risk_list_act (at);
