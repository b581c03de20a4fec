-- The device, as a keyed hash, stays with each decision that was scored, so that a
-- new checkout is scored with the devices of the buyer's earlier ones.  The
-- functions are those of 28_risk.sql and 29_risk_buyer.sql.  And captures of
-- approved reviews are looked after until their money is gone
-- (29_review_capture.sql).

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- As the buyer in 0051: the table is not read while sales wait.
ALTER TABLE risk_decision ADD device bytea;
ALTER TABLE risk_decision ADD CONSTRAINT risk_decision_device_check
    CHECK (octet_length(device) = 32) NOT VALID;
COMMENT ON COLUMN risk_decision.device IS
    'The keyed hash of buyer_info.device; NULL: it was not given, no model has '
    'scored the checkout, or it has ended';

-- as the vector, it is never written anew
DROP TRIGGER risk_decision_emptied ON risk_decision;
CREATE TRIGGER risk_decision_emptied
    BEFORE UPDATE OF features, buyer, device ON risk_decision FOR EACH ROW
    WHEN (NEW.features IS NOT NULL
          AND NEW.features IS DISTINCT FROM OLD.features
          OR NEW.buyer IS NOT NULL AND NEW.buyer IS DISTINCT FROM OLD.buyer
          OR NEW.device IS NOT NULL AND NEW.device IS DISTINCT FROM OLD.device)
    EXECUTE FUNCTION refuse_change('a decision is fixed', 'PAY20');
ALTER TABLE risk_decision ENABLE ALWAYS TRIGGER risk_decision_emptied;

-- The index has the captures that are under way or have failed alone.
ALTER TABLE risk_review ADD is_watched boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN risk_review.is_watched IS
    'Captures were begun, and one is open or has failed with money still held';
CREATE INDEX risk_review_watched ON risk_review (review_id) WHERE is_watched;
-- of before; a round of the watchdog lets go of those that have ended
UPDATE risk_review SET is_watched = true
WHERE state = 'approved' AND captures AND is_settled;

-- they have other arguments now
DROP FUNCTION IF EXISTS buyer_history(text, bytea[], text);
DROP FUNCTION IF EXISTS pay_api.get_buyer_history(text[], text[], text[], text[],
                                                  text[], bigint[]);

RESET ROLE;
