-- The balance that each line states for its account is the sum of the lines so
-- far.
SELECT l.merchant_id, l.owner, l.currency, l.wallet_seq, l.balance_minor,
    l.total
FROM (
    SELECT l.*, -sum(l.amount_minor) OVER (
            PARTITION BY l.merchant_id, l.owner, l.currency, l.account
            ORDER BY l.wallet_seq) AS total
    FROM pay.journal_line l
    WHERE l.wallet_seq IS NOT NULL) l
WHERE l.balance_minor <> l.total;
