-- Pay-outs: camt.054, a bank's notification of debits and credits, is an answer
-- to a file, too.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


ALTER TABLE payout_report DROP CONSTRAINT payout_report_kind_check;
ALTER TABLE payout_report ADD CONSTRAINT payout_report_kind_check
    CHECK (kind IN ('pain.002', 'camt.053', 'camt.054'));
