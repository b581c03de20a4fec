-- Personal data ends: indexes that find it by age, columns that may be emptied,
-- and the last run of each class.  The classes stand in 79_retention.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- Their conditions are those of the retention alone: a plan that was made while
-- the table was empty cannot use them for anything else.
CREATE INDEX checkout_buyer_age ON checkout (created_at)
    WHERE buyer_info IS NOT NULL OR credit_card_info IS NOT NULL;
CREATE INDEX checkout_metadata_age ON checkout (created_at)
    WHERE metadata IS NOT NULL;
CREATE INDEX change_metadata_age ON change (created_at)
    WHERE metadata IS NOT NULL;

-- The vector of a decision goes with its keys and facts.  It is never written
-- anew.
DROP INDEX risk_decision_age;
CREATE INDEX risk_decision_age ON risk_decision (at)
    WHERE keys IS NOT NULL OR facts IS NOT NULL OR features IS NOT NULL;

DROP TRIGGER risk_decision_fixed ON risk_decision;
CREATE TRIGGER risk_decision_fixed
    BEFORE UPDATE OF merchant_id, checkout_id, decision, decided_by, hits,
        inputs_hash, version, at, score
    ON risk_decision FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('a decision is fixed', 'PAY20');
CREATE TRIGGER risk_decision_emptied
    BEFORE UPDATE OF features ON risk_decision FOR EACH ROW
    WHEN (NEW.features IS NOT NULL
          AND NEW.features IS DISTINCT FROM OLD.features)
    EXECUTE FUNCTION refuse_change('a decision is fixed', 'PAY20');
ALTER TABLE risk_decision ENABLE ALWAYS TRIGGER risk_decision_fixed;
ALTER TABLE risk_decision ENABLE ALWAYS TRIGGER risk_decision_emptied;

-- An address ends before the rest: of the keys the prefixes of one computer.
CREATE INDEX risk_decision_address ON risk_decision (at)
    WHERE keys @? 'strict $[*] ? (@[0] == "ip" && @[1] like_regex "/(32|64|128)$")';

-- An act keeps who, when and why, and loses the value once its entry is gone.
ALTER TABLE risk_list_act ALTER value DROP NOT NULL;
CREATE INDEX risk_list_act_age ON risk_list_act (at) WHERE value IS NOT NULL;
CREATE INDEX risk_list_until ON risk_list (until) WHERE until IS NOT NULL;

DROP TRIGGER risk_list_act_append_only ON risk_list_act;
CREATE TRIGGER risk_list_act_append_only
    BEFORE UPDATE OF act_id, list_id, act, merchant_id, effect, kind, until,
        who, why, at OR DELETE OR TRUNCATE
    ON risk_list_act FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('acts are append-only', 'PAY20');
CREATE TRIGGER risk_list_act_emptied
    BEFORE UPDATE OF value ON risk_list_act FOR EACH ROW
    WHEN (NEW.value IS NOT NULL AND NEW.value IS DISTINCT FROM OLD.value)
    EXECUTE FUNCTION refuse_change('acts are append-only', 'PAY20');
ALTER TABLE risk_list_act ENABLE ALWAYS TRIGGER risk_list_act_append_only;
ALTER TABLE risk_list_act ENABLE ALWAYS TRIGGER risk_list_act_emptied;


-- The newest batch of each class, and all rows that the class has lost so far.
CREATE TABLE retention_run (
    class    id PRIMARY KEY,
    at       timestamptz NOT NULL,
    keep     interval NOT NULL,
    who      filled NOT NULL,
    session  filled NOT NULL,
    total    bigint NOT NULL
);
COMMENT ON TABLE retention_run IS
    'When personal data of a class ended last, by whom, and how many rows so '
    'far';

-- their places are those of 80_end.sql
DROP FUNCTION IF EXISTS pay.purge_risk(int);
DROP FUNCTION IF EXISTS pay.purge_payout_events(int, interval);
DROP FUNCTION IF EXISTS pay.purge_letters(int, interval);
DROP FUNCTION IF EXISTS pay.purge_copies(int, interval);

RESET ROLE;
