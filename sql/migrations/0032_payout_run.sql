-- Less work for each item of a run of pay-outs.  An item is written as ready where
-- nothing more is to be checked, in the commit that reserves its money.  It was
-- written as draft and made ready in the same commit: two versions of its row,
-- with an entry for each of them in all indexes.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;

DROP TRIGGER payout_start ON payout;
CREATE TRIGGER payout_start
    BEFORE INSERT ON payout FOR EACH ROW
    WHEN (NEW.state NOT IN ('draft', 'ready'))
    EXECUTE FUNCTION refuse_change('a pay-out begins as draft or ready',
                                   'PAY10');
ALTER TABLE payout ENABLE ALWAYS TRIGGER payout_start;

-- the second is a set now, and the first has another name
DROP FUNCTION IF EXISTS payout_stop(text, text, timestamptz);
DROP FUNCTION IF EXISTS advice_of(payout, bigint, bigint, bigint);

-- most items are not in a batch when they are made
DROP INDEX payout_batched;
CREATE INDEX payout_batched ON payout (batch_id, merchant_id)
    WHERE batch_id IS NOT NULL;

RESET ROLE;
