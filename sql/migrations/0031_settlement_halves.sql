-- Rows of a payment that wait for each other are looked up at the end of each
-- file (86_settlement_return.sql).

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;

CREATE INDEX settlement_exception_early ON settlement_exception
    (merchant_id, checkout_id) WHERE closed_at IS NULL AND finding = 'early';

RESET ROLE;
