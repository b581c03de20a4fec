-- A decision's row with its vector and score has some 2 kB, just above the size
-- from which PostgreSQL compresses: that cost more than the bytes that it saved.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


ALTER TABLE risk_decision SET (toast_tuple_target = 4080);

RESET ROLE;
