-- Each balance that is carried to another cell, or comes from one, has its entry,
-- and each such entry its transfer.  A leg out is open for a moment only: payctl
-- merchant move ends it when the other cell has booked its leg.
SELECT coalesce(t.merchant_id, e.merchant_id) AS merchant_id,
    coalesce('cell/' || t.transfer_id, e.source) AS source, t.side, t.cell,
    t.seller_account, t.currency, t.minor, e.kind, t.at, t.ended_at
FROM pay.cell_transfer t
FULL JOIN (
    SELECT * FROM pay.journal_entry e
    WHERE e.kind IN ('carried_out', 'carried_out_debt', 'carried_in',
                     'carried_in_debt')) e
    ON e.merchant_id = t.merchant_id
    AND e.source = 'cell/' || t.transfer_id
WHERE t.transfer_id IS NULL OR e.kind IS NULL
    OR e.kind <> concat('carried_', t.side,
                        CASE WHEN t.minor < 0 THEN '_debt' END)
    OR e.amount_minor <> abs(t.minor) OR e.currency <> t.currency
    OR e.seller_account <> t.seller_account OR e.psp <> 'cell/' || t.cell
    OR t.ended_at IS NULL AND t.at < now() - interval '1 hour';
