-- A seller's available money is that of the lines which are in no live item,
-- once they are taken in: no line is lost to pay-outs, and none counts twice.
SELECT s.merchant_id, s.seller_account, s.currency,
    coalesce(a.minor, 0) AS available_minor, coalesce(o.minor, 0) AS open_minor
FROM pay.payout_wallet s
LEFT JOIN LATERAL (
    SELECT -sum(l.amount_minor) AS minor FROM pay.journal_line l
    WHERE l.merchant_id = s.merchant_id AND l.owner = s.seller_account
        AND l.currency = s.currency AND l.account = 'seller_available'
        AND (l.wallet_seq <= s.seen_seq
             OR l.kind IN ('payout_reserved', 'payout_released',
                           'payout_returned'))) a ON true
LEFT JOIN LATERAL (
    SELECT sum(l.amount_minor) AS minor FROM pay.payout_line l
    WHERE l.merchant_id = s.merchant_id
        AND l.seller_account = s.seller_account
        AND l.currency = s.currency AND l.is_open) o ON true
WHERE coalesce(a.minor, 0) <> coalesce(o.minor, 0);
