-- Lists and reviews by the API: pages of a merchant's entries and reviews.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- The expression keeps these indexes away from every look-up but the page's
-- own: a plan that was made while a table was empty could otherwise take one of
-- them where sales look lists up.
CREATE UNIQUE INDEX risk_list_page ON risk_list
    ((merchant_id || ''), list_id);
CREATE UNIQUE INDEX risk_review_page ON risk_review
    ((merchant_id || ''), review_id);
CREATE UNIQUE INDEX risk_review_queue ON risk_review
    ((merchant_id || ''), review_id) WHERE state IN ('open', 'escalated');

RESET ROLE;
