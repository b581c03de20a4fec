-- The learned score of a checkout: the vector that was scored and the score,
-- kept with the decision, so that a later training, and a replay with another
-- model, use exactly the values that were known then.  A decision may come from
-- the score, from an external provider, or from the mode in which a merchant's
-- cards are being tested.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


ALTER TABLE risk_decision
    ADD COLUMN features jsonb CHECK (jsonb_typeof(features) = 'object'),
    ADD COLUMN score    jsonb CHECK (jsonb_typeof(score) = 'object');

COMMENT ON COLUMN risk_decision.features IS
    'Values of the features by name, null: not known; NULL: nothing was scored';
COMMENT ON COLUMN risk_decision.score IS
    'total, parts, and for the model and each challenger name, sha256, '
    'probability and reasons; NULL: nothing was scored';

ALTER TABLE risk_decision
    DROP CONSTRAINT risk_decision_decided_by_check,
    ADD CONSTRAINT risk_decision_decided_by_check CHECK (decided_by IN
        ('list', 'rule', 'window', 'score', 'provider', 'mode', 'none'));

DROP TRIGGER risk_decision_fixed ON risk_decision;
CREATE TRIGGER risk_decision_fixed
    BEFORE UPDATE OF merchant_id, checkout_id, decision, decided_by, hits,
        inputs_hash, version, at, features, score
    ON risk_decision FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('a decision is fixed', 'PAY20');
ALTER TABLE risk_decision ENABLE ALWAYS TRIGGER risk_decision_fixed;

RESET ROLE;
