-- The sweep looks at open changes a page a round, as at all else.  change_at: the
-- last of the page before.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;

ALTER TABLE round ADD change_at timestamptz;

RESET ROLE;
