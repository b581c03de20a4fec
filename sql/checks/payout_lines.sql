-- An item pays exactly the lines that its wallet has, each of them in one live
-- item at most, and its key is that of its lines.
SELECT p.merchant_id, p.payout_id
FROM pay.payout p
LEFT JOIN (
    SELECT t.merchant_id, t.payout_id, count(*) AS lines,
        bool_and(t.is_live) AS live, bool_or(t.is_live) AS some,
        -sum(j.amount_minor) AS minor,
        array_agg(t.wallet_seq ORDER BY t.wallet_seq) AS seqs,
        bool_and(t.seller_account = p.seller_account
                 AND t.currency = p.currency
                 AND l.source = j.source AND l.kind = j.kind
                 AND l.amount_minor = -j.amount_minor
                 AND j.account = 'seller_available') AS right
    FROM pay.payout_part t
    JOIN pay.payout p ON p.merchant_id = t.merchant_id
        AND p.payout_id = t.payout_id
    JOIN pay.payout_line l ON l.merchant_id = t.merchant_id
        AND l.seller_account = t.seller_account
        AND l.currency = t.currency AND l.wallet_seq = t.wallet_seq
    JOIN pay.journal_line j ON j.merchant_id = t.merchant_id
        AND j.owner = t.seller_account AND j.currency = t.currency
        AND j.wallet_seq = t.wallet_seq
    GROUP BY t.merchant_id, t.payout_id) t
    ON t.merchant_id = p.merchant_id AND t.payout_id = p.payout_id
WHERE t.lines IS DISTINCT FROM p.line_count OR t.minor <> p.amount_minor
    OR NOT t.right OR t.live IS DISTINCT FROM (p.voided_at IS NULL)
    OR t.some IS DISTINCT FROM (p.voided_at IS NULL)
    OR p.payout_key <> left(encode(sha256(convert_to(concat_ws('|',
        p.merchant_id, p.seller_account, p.currency, p.destination_id,
        array_to_string(t.seqs, ',')), 'UTF8')), 'hex'), 32)
UNION ALL
SELECT l.merchant_id, NULL
FROM pay.payout_line l
LEFT JOIN LATERAL (
    SELECT count(*) AS live FROM pay.payout_part t
    WHERE t.merchant_id = l.merchant_id
        AND t.seller_account = l.seller_account
        AND t.currency = l.currency AND t.wallet_seq = l.wallet_seq
        AND t.is_live) t ON true
WHERE t.live > 1 OR (t.live = 0) <> l.is_open;
