-- payctl find: a buyer is found by a keyed hash; the index for a PSP's id of a
-- capture or a refund is that of 0055.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- p_buyer, and the column object
DROP FUNCTION IF EXISTS pay_view.find(text, text);
DROP FUNCTION IF EXISTS find_by_merchant(text, text);
DROP FUNCTION IF EXISTS find_by_psp(text, text);
DROP FUNCTION IF EXISTS find_request(text);

RESET ROLE;
