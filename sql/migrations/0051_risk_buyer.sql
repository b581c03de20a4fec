-- The buyer, as a keyed hash, stays with each decision, so that a new checkout is
-- scored with the outcome of the buyer's earlier ones.  The functions are those
-- of 29_risk_buyer.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- No domain, and a constraint that is not valid for the rows that are there: the
-- table is not read while sales wait.
ALTER TABLE risk_decision ADD buyer bytea;
ALTER TABLE risk_decision ADD CONSTRAINT risk_decision_buyer_check
    CHECK (octet_length(buyer) = 32) NOT VALID;
COMMENT ON COLUMN risk_decision.buyer IS
    'The keyed hash of buyer_info.id, or where there is none of the address of '
    'mail; NULL: neither was given, or it has ended';

-- the buyer leads, so that an early plan does not read all of a merchant
CREATE INDEX risk_decision_buyer ON risk_decision (buyer, merchant_id, at)
    WHERE buyer IS NOT NULL;

-- as the vector, it is never written anew
DROP TRIGGER risk_decision_emptied ON risk_decision;
CREATE TRIGGER risk_decision_emptied
    BEFORE UPDATE OF features, buyer ON risk_decision FOR EACH ROW
    WHEN (NEW.features IS NOT NULL
          AND NEW.features IS DISTINCT FROM OLD.features
          OR NEW.buyer IS NOT NULL AND NEW.buyer IS DISTINCT FROM OLD.buyer)
    EXECUTE FUNCTION refuse_change('a decision is fixed', 'PAY20');
ALTER TABLE risk_decision ENABLE ALWAYS TRIGGER risk_decision_emptied;

RESET ROLE;
