-- Whether a seller has had an account before is looked up when one is entered.
-- The unique index leaves closed accounts out, so that all accounts of the
-- merchant were read: 10 ms with 100,000 sellers.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;

CREATE INDEX payout_account_known
    ON payout_account (seller_account, merchant_id);

RESET ROLE;
