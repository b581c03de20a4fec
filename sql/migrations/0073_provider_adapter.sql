-- The next call of an item is that of the adapter which has begun it, a waterfall
-- has the rows of the merchants that are seen, and the journal hides ids of PSPs
-- from roles without the right to them: each takes one argument more.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;

DROP FUNCTION IF EXISTS pay.next_payout_sending(text, text, boolean);
DROP FUNCTION IF EXISTS pay.waterfall_rows(bigint);
DROP FUNCTION IF EXISTS pay.waterfall_of(bigint);
DROP FUNCTION IF EXISTS pay.console_journal(text[], jsonb, int);
DROP FUNCTION IF EXISTS pay.ledger_items(text[], jsonb, timestamptz,
    timestamptz, int);

RESET ROLE;
