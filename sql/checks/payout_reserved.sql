-- The money that the ledger has in pay-outs (account seller_paying) is that of
-- the items that no provider has paid and that are not void.
SELECT coalesce(l.merchant_id, p.merchant_id) AS merchant_id,
    coalesce(l.owner, p.seller_account) AS seller_account,
    coalesce(l.currency, p.currency) AS currency,
    coalesce(l.minor, 0) AS booked_minor, coalesce(p.minor, 0) AS item_minor
FROM (
    SELECT l.merchant_id, l.owner, l.currency, -sum(l.amount_minor) AS minor
    FROM pay.journal_line l WHERE l.account = 'seller_paying'
    GROUP BY l.merchant_id, l.owner, l.currency) l
FULL JOIN (
    SELECT p.merchant_id, p.seller_account, p.currency,
        sum(p.amount_minor) AS minor
    FROM pay.payout p
    WHERE p.state IN ('draft', 'held', 'ready', 'approved', 'sending',
                      'unknown')
    GROUP BY p.merchant_id, p.seller_account, p.currency) p
    ON p.merchant_id = l.merchant_id AND p.seller_account = l.owner
    AND p.currency = l.currency
WHERE coalesce(l.minor, 0) <> coalesce(p.minor, 0);
