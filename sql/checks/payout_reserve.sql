-- The workers end a rolling reserve when its time is over, whether or not its
-- wallet has something to pay: none stands for more than a day longer.
SELECT r.merchant_id, r.seller_account, r.currency, r.source,
    r.amount_minor, r.until
FROM pay.payout_reserve r
WHERE r.released_at IS NULL
    AND r.until < clock_timestamp() - interval '1 day';
