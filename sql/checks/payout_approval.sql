-- A batch that was approved is its items by their digest, and those who
-- approved it have made neither it nor its items, nor entered an account of
-- them; an item that is approved, or was sent, has such a batch.
SELECT b.merchant_id, b.batch_id
FROM pay.payout_batch b
LEFT JOIN (
    SELECT i.merchant_id, i.batch_id, count(*) AS items,
        sum(p.amount_minor) AS minor,
        sha256(convert_to(string_agg(concat_ws('|', p.payout_id,
            p.payout_key, p.attempt, p.amount_minor, p.currency, p.provider,
            p.destination_id, p.destination_version), E'\n'
            ORDER BY p.payout_id), 'UTF8')) AS hash
    FROM pay.payout_batch_item i
    JOIN pay.payout p ON p.merchant_id = i.merchant_id
        AND p.payout_id = i.payout_id
    GROUP BY i.merchant_id, i.batch_id) i
    ON i.merchant_id = b.merchant_id AND i.batch_id = b.batch_id
WHERE i.hash IS DISTINCT FROM b.hash OR i.items <> b.item_count
    OR i.minor <> b.total_minor
    OR b.state IN ('approved', 'expired') AND NOT EXISTS (
        SELECT FROM pay.payout_approval a
        WHERE a.merchant_id = b.merchant_id AND a.batch_id = b.batch_id)
UNION ALL
SELECT a.merchant_id, a.batch_id
FROM pay.payout_approval a
JOIN pay.payout_batch b ON b.merchant_id = a.merchant_id
    AND b.batch_id = a.batch_id
WHERE a.hash <> b.hash OR a.approver = b.made_by OR EXISTS (
    SELECT FROM pay.payout_batch_item i
    JOIN pay.payout p ON p.merchant_id = i.merchant_id
        AND p.payout_id = i.payout_id
    JOIN pay.payout_destination d ON d.merchant_id = p.merchant_id
        AND d.destination_id = p.destination_id
        AND d.version = p.destination_version
    WHERE i.merchant_id = a.merchant_id AND i.batch_id = a.batch_id
        AND a.approver IN (p.made_by, d.entered_by))
UNION ALL
SELECT p.merchant_id, p.payout_id
FROM pay.payout p
WHERE p.state NOT IN ('draft', 'held', 'ready', 'cancelled')
    AND NOT EXISTS (
        SELECT FROM pay.payout_batch b
        JOIN pay.payout_batch_item i ON i.merchant_id = b.merchant_id
            AND i.batch_id = b.batch_id AND i.payout_id = p.payout_id
        WHERE b.merchant_id = p.merchant_id AND b.batch_id = p.batch_id
            AND b.state <> 'open');
