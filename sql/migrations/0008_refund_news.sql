-- Refunds and captures that PSPs report without saying whose they are.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


INSERT INTO posting_kind (kind, about, example) VALUES
('unknown_refund_cleared',
    'What was booked as unknown_refund is none: it has come back, or was found'
    ' to be a refund of ours',
    'The 3.00 EUR come back to stripe; or it answers at last that they are the'
    ' refund that the merchant asked for, which is booked as such');
INSERT INTO posting_rule (kind, line, side, account, leg) VALUES
('unknown_refund_cleared', 1, 'debit', 'refunds', 'buyer'),
('unknown_refund_cleared', 2, 'credit', 'suspense', 'buyer');

-- The PSP's refund was matched by its amount alone: the answer to our own call
-- may say otherwise.
ALTER TABLE change ADD by_amount boolean NOT NULL DEFAULT false;

-- The row that was booked as made at the PSP and is the same as this change.  A
-- capture keeps its id, its PSP reference and its entries; a refund was taken
-- back.  Reads show the change that the merchant requested.
ALTER TABLE change ADD matched_to id,
    ADD CHECK (matched_to IS NULL OR origin = 'psp' AND (
        kind = 'capture' OR kind = 'refund' AND status = 'FAILED'));

-- A match by the amount alone may be undone, and the capture is open again.
DROP TRIGGER change_status ON change;
CREATE TRIGGER change_status
    BEFORE UPDATE OF status ON change FOR EACH ROW
    WHEN (status_rank(NEW.status) < status_rank(OLD.status)
          AND NOT NEW.returned
          AND NOT (OLD.kind = 'capture' AND OLD.by_amount
                   AND NOT NEW.by_amount))
    EXECUTE FUNCTION refuse_change('no such transition', 'PAY10');
ALTER TABLE change ENABLE ALWAYS TRIGGER change_status;

-- A webhook that waits is found by the payment that it names, too.
CREATE INDEX webhook_inbox_named ON webhook_inbox (psp, reference)
    WHERE state = 'parked' AND reference <> token;

RESET ROLE;
