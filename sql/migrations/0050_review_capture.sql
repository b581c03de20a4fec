-- Reviews hold money: where a PSP can, a checkout under review is registered
-- with manual capture although its storefront wants its money taken at once, and
-- an approval captures it.  The functions are those of 29_review_capture.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


ALTER TABLE checkout ADD hold_psps text[];
COMMENT ON COLUMN checkout.hold_psps IS
    'The PSPs at which the money is only held because of a review; NULL: the '
    'mode of capture is that which the storefront wants, else it wants '
    'automatic';

ALTER TABLE risk_review ADD captures boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN risk_review.captures IS
    'An approval captures the money: the storefront did not want to';

-- an approved review is settled once each of its orders has its capture
CREATE INDEX risk_review_uncaptured ON risk_review (review_id)
    WHERE state = 'approved' AND captures AND NOT is_settled;

-- they return a review whichever way it was decided
DROP FUNCTION IF EXISTS pay.decide_one_review(bigint, text, text, text, boolean,
    text);
DROP FUNCTION IF EXISTS pay.act_on_one_review(text, bigint, text, text, text,
    boolean, bigint, text);

RESET ROLE;
