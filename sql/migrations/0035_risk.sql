-- Risk: what was decided about a checkout before its PSP was asked.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- NULL: nothing was looked at.  The type is no domain: that would write the
-- whole table anew while sales wait.  The CHECK reads it once.
ALTER TABLE checkout ADD risk text COLLATE "C";
ALTER TABLE checkout ADD CONSTRAINT checkout_risk_check
    CHECK (risk IN ('allow', 'challenge', 'review', 'block'));

RESET ROLE;
