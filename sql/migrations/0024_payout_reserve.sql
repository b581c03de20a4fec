-- Pay-outs: the rolling reserves whose time is over, for the workers, which end
-- them whether or not a run or an operator comes to the wallet.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE INDEX payout_reserve_until ON payout_reserve (until)
    WHERE released_at IS NULL;
