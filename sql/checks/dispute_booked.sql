-- I4: a dispute of an order is booked according to its state.  A dispute that
-- could be attributed to no order is booked only when it is lost.  Amounts that
-- operators have assigned to other orders were taken back from the first ones.
SELECT d.psp, d.dispute_id, d.merchant_id, d.checkout_id, d.state, e.kinds
FROM pay.dispute d
LEFT JOIN LATERAL (
    SELECT coalesce(array_agg(e.kind ORDER BY e.kind), '{}') AS kinds
    FROM pay.journal_entry e
    WHERE e.merchant_id = d.merchant_id
        AND e.source = concat('dispute/', d.psp, '/', d.dispute_id,
            CASE WHEN d.part > 1 THEN ' ' || d.part END)
        AND e.kind NOT IN ('psp_fee', 'unknown_dispute_borne')) e ON true
WHERE d.seller_minor IS DISTINCT FROM 0
    AND e.kinds <> CASE
        WHEN d.payment_order_id IS NULL AND d.state = 'lost'
            THEN '{unknown_dispute}'
        WHEN d.payment_order_id IS NULL AND d.state = 'moved'
            AND e.kinds <> '{}'
            THEN '{unknown_dispute,unknown_dispute_cleared}'
        WHEN d.payment_order_id IS NULL THEN '{}'
        WHEN d.state = 'moved' AND 'dispute_lost' = ANY (e.kinds)
            THEN '{dispute_loss_moved,dispute_lost,dispute_opened}'
        WHEN d.state = 'moved' THEN '{dispute_moved,dispute_opened}'
        WHEN d.state = 'open' THEN '{dispute_opened}'
        WHEN d.state = 'won' THEN '{dispute_opened,dispute_won}'
        ELSE '{dispute_lost,dispute_opened}' END::text[];
