-- payctl find: a PSP's id of a capture or a refund is found by an index, and a
-- buyer by a keyed hash.  Only changes that have ended with a reference are in
-- the index, so that a payment without one costs nothing.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- p_buyer, and the column object
DROP FUNCTION IF EXISTS pay_view.find(text, text);
DROP FUNCTION IF EXISTS find_by_merchant(text, text);
DROP FUNCTION IF EXISTS find_by_psp(text, text);
DROP FUNCTION IF EXISTS find_request(text);

CREATE INDEX change_by_reference ON change (reference)
    WHERE reference IS NOT NULL;

RESET ROLE;
