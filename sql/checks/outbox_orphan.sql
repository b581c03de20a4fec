-- What storefronts are told of is on the timeline.
SELECT x.merchant_id, x.payment_order_id, x.seq, x.kind
FROM pay.outbox x
WHERE NOT EXISTS (
    SELECT FROM pay.event e
    WHERE e.merchant_id = x.merchant_id
        AND e.payment_order_id = x.payment_order_id AND e.seq = x.seq);
