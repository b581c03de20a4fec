-- The money that providers have paid, by the ledger (account payout_clearing),
-- is the sum of the items that are paid and did not come back.
SELECT coalesce(l.merchant_id, p.merchant_id) AS merchant_id,
    coalesce(l.owner, p.provider) AS provider,
    coalesce(l.currency, p.currency) AS currency,
    coalesce(l.minor, 0) AS booked_minor, coalesce(p.minor, 0) AS item_minor
FROM (
    SELECT l.merchant_id, l.owner, l.currency, -sum(l.amount_minor) AS minor
    FROM pay.journal_line l
    WHERE l.account = 'payout_clearing'
        AND l.kind IN ('payout_sent', 'payout_returned')
    GROUP BY l.merchant_id, l.owner, l.currency) l
FULL JOIN (
    SELECT p.merchant_id, p.provider, p.currency,
        sum(p.amount_minor) AS minor
    FROM pay.payout p WHERE p.state IN ('sent', 'paid', 'settled')
    GROUP BY p.merchant_id, p.provider, p.currency) p
    ON p.merchant_id = l.merchant_id AND p.provider = l.owner
    AND p.currency = l.currency
WHERE coalesce(l.minor, 0) <> coalesce(p.minor, 0);
