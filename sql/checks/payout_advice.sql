-- The remittance advice of an item is that of its lines, opens with the closing
-- of the wallet's item before, and has the digest of the act that made the item.
SELECT a.merchant_id, a.payout_id
FROM pay.payout_advice a
LEFT JOIN LATERAL (
    SELECT o.until_seq, o.closing_minor
    FROM pay.payout_advice o
    WHERE o.merchant_id = a.merchant_id
        AND o.seller_account = a.seller_account AND o.currency = a.currency
        AND o.until_seq < a.until_seq
    ORDER BY o.until_seq DESC LIMIT 1) o ON true
WHERE NOT pay.advice_holds(a) OR a.since_seq <> coalesce(o.until_seq, 0)
    OR a.opening_minor <> coalesce(o.closing_minor, 0)
UNION ALL
SELECT p.merchant_id, p.payout_id
FROM pay.payout p
WHERE p.number > (
    SELECT min(f.number)
    FROM pay.payout f
    JOIN pay.payout_advice a ON a.merchant_id = f.merchant_id
        AND a.payout_id = f.payout_id)
    AND NOT EXISTS (
        SELECT FROM pay.payout_advice a
        WHERE a.merchant_id = p.merchant_id AND a.payout_id = p.payout_id);
