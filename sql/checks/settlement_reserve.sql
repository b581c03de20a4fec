-- The money that PSPs have taken for disputes, by the ledger (account
-- psp_reserve), is that of the disputes that are not decided yet.
SELECT coalesce(l.psp, h.psp) AS psp, coalesce(l.currency, h.currency) AS
    currency, coalesce(l.minor, 0) AS booked_minor,
    coalesce(h.minor, 0) AS held_minor
FROM (
    SELECT l.owner AS psp, l.currency, sum(l.amount_minor) AS minor
    FROM pay.journal_line l
    WHERE l.account = 'psp_reserve' AND l.kind IN ('psp_disputed',
        'psp_dispute_won', 'psp_dispute_lost')
    GROUP BY l.owner, l.currency) l
FULL JOIN (
    SELECT h.psp, h.currency, sum(h.amount_minor) AS minor
    FROM pay.settlement_hold h WHERE h.ended_at IS NULL
    GROUP BY h.psp, h.currency) h ON h.psp = l.psp AND h.currency = l.currency
WHERE coalesce(l.minor, 0) <> coalesce(h.minor, 0);
