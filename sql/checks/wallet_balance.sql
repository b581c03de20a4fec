-- The balance that each line states for its part of the wallet is the sum of
-- the lines so far.
SELECT l.merchant_id, l.owner, l.currency, l.wallet_seq, l.balance_minor,
    l.total
FROM (
    SELECT l.*, -sum(l.amount_minor) OVER (
            PARTITION BY l.merchant_id, l.owner, l.currency, k.wallet
            ORDER BY l.wallet_seq) AS total
    FROM pay.journal_line l
    JOIN pay.account_kind k ON k.account = l.account
    WHERE l.wallet_seq IS NOT NULL) l
WHERE l.balance_minor <> l.total;
