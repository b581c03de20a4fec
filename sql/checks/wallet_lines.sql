-- A wallet is the sum of its lines, which are numbered without a gap.
SELECT w.merchant_id, w.seller_account, w.currency
FROM pay.wallet w
FULL JOIN (
    SELECT l.merchant_id, l.owner, l.currency, count(*) AS lines,
        max(l.wallet_seq) AS last,
        coalesce(-sum(l.amount_minor)
                 FILTER (WHERE l.account = 'seller_available'), 0)
            AS available,
        coalesce(-sum(l.amount_minor)
                 FILTER (WHERE l.account = 'seller_pending'), 0) AS pending,
        coalesce(-sum(l.amount_minor)
                 FILTER (WHERE l.account IN ('seller_reserved',
                                             'seller_paying')), 0)
            AS reserved
    FROM pay.journal_line l
    WHERE l.wallet_seq IS NOT NULL
    GROUP BY l.merchant_id, l.owner, l.currency) l
    ON l.merchant_id = w.merchant_id AND l.owner = w.seller_account
    AND l.currency = w.currency
WHERE w.seq IS DISTINCT FROM coalesce(l.lines, 0)
    OR w.seq IS DISTINCT FROM coalesce(l.last, 0)
    OR w.available_minor IS DISTINCT FROM coalesce(l.available, 0)
    OR w.pending_minor IS DISTINCT FROM coalesce(l.pending, 0)
    OR w.reserved_minor IS DISTINCT FROM coalesce(l.reserved, 0);
