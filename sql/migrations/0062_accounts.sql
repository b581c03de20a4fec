-- The console shows the balance of each account of the ledger: a third tally
-- adds up the entries of all accounts, those of sellers and of exchange, too.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


ALTER TABLE settlement_tally DROP CONSTRAINT settlement_tally_name_check;
ALTER TABLE settlement_tally ADD CONSTRAINT settlement_tally_name_check
    CHECK (name IN ('close', 'balance', 'accounts'));

-- The rows behind a balance are for those who may see the balances.
INSERT INTO console_right (page, role)
SELECT 'ledger', r.role FROM console_right r WHERE r.page = 'money';
