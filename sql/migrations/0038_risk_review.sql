-- Reviews: checkouts that reviewers look at while their pay-outs wait.  The
-- functions are those of 29_risk_review.sql and 29_risk_review_act.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- One for each checkout whose decision is review, written in the same commit.
-- asked: the word of the first of two reviewers.  is_settled: nothing of a
-- rejected checkout's money is left with the merchant.
CREATE TABLE risk_review (
    review_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id    id NOT NULL,
    checkout_id    id NOT NULL,
    state          text COLLATE "C" NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'escalated', 'approved', 'rejected',
                         'ended')),
    needs_second   boolean NOT NULL,
    deadline       timestamptz NOT NULL,
    overdue        text COLLATE "C" NOT NULL
        CHECK (overdue IN ('approve', 'reject', 'escalate')),
    claimed_by     filled,
    claimed_until  timestamptz,
    asked          text COLLATE "C" CHECK (asked IN ('approve', 'reject')),
    asked_by       filled,
    is_settled     boolean NOT NULL DEFAULT false,
    at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (merchant_id, checkout_id),
    CHECK ((asked IS NULL) = (asked_by IS NULL)),
    CHECK ((claimed_by IS NULL) = (claimed_until IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX risk_review_open ON risk_review (deadline)
    WHERE state IN ('open', 'escalated');
CREATE INDEX risk_review_unsettled ON risk_review (review_id)
    WHERE state = 'rejected' AND NOT is_settled;

CREATE TABLE risk_review_act (
    act_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    review_id  bigint NOT NULL,
    act        text COLLATE "C" NOT NULL
        CHECK (act IN ('claimed', 'asked_approve', 'asked_reject', 'approved',
                       'rejected', 'escalated', 'ended')),
    who        filled NOT NULL,
    reason     filled,
    note       text COLLATE "C",
    at         timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX risk_review_act_of ON risk_review_act (review_id, act_id);
CREATE TRIGGER risk_review_act_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON risk_review_act FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('acts are append-only', 'PAY20');
ALTER TABLE risk_review_act ENABLE ALWAYS TRIGGER risk_review_act_append_only;

-- of those that were decided before there was a queue, as without a directive
INSERT INTO risk_review (merchant_id, checkout_id, needs_second, deadline,
    overdue)
SELECT d.merchant_id, d.checkout_id, false, now() + interval '3 days',
    'escalate'
FROM risk_decision d
WHERE d.decision = 'review'
ORDER BY d.at;

DROP FUNCTION IF EXISTS pay.hold_for_review(int[], text[], text[]);

RESET ROLE;
