-- carry_out() takes a wallet to begin behind, since some keep their balance, and
-- answers with the last one.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;

DROP FUNCTION IF EXISTS pay_ops.carry_out(text, int, text);
