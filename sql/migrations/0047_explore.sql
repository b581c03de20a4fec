-- The event that begins an order's timeline also keeps the chances of a route
-- that explores: first_detail() gets an argument, and the one without it would
-- stay beside it.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


DROP FUNCTION IF EXISTS first_detail(text, text, text, jsonb);

RESET ROLE;
