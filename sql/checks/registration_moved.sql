-- A registration leaves a PSP only while nothing can have happened there (I1):
-- no order has moved by then, nothing that this PSP brought is kept, and the
-- timeline leads from the first PSP to the present one.
SELECT h.merchant_id, h.checkout_id, h.payment_order_id, h.seq, h.came_from,
    h.detail
FROM (
    SELECT e.*, o.checkout_id, r.psp, r.psps, r.refused_psps,
        lag(coalesce(e.detail ->> 'to', e.detail ->> 'psp')) OVER w
            AS came_from,
        lead(e.seq) OVER w AS next_seq
    FROM pay.event e
    JOIN pay.payment_order o USING (merchant_id, payment_order_id)
    JOIN pay.registration r USING (merchant_id, checkout_id)
    WHERE e.kind IN ('created', 'rerouted')
        -- events that were dropped with their month cannot be compared
        AND NOT EXISTS (
            SELECT FROM pay.event_anchor a
            WHERE a.merchant_id = e.merchant_id
                AND a.payment_order_id = e.payment_order_id)
    WINDOW w AS (PARTITION BY e.merchant_id, e.payment_order_id
                 ORDER BY e.seq)
    ) h
WHERE (h.next_seq IS NULL
       AND coalesce(h.detail ->> 'to', h.detail ->> 'psp')
           IS DISTINCT FROM h.psp)
    OR (h.kind = 'rerouted' AND (
        h.came_from IS DISTINCT FROM h.detail ->> 'from'
        OR h.old_status <> 'NOT_STARTED' OR h.new_status <> 'NOT_STARTED'
        OR (h.detail ->> 'to' = ANY (h.psps)) IS NOT TRUE
        OR (h.detail ->> 'why' = 'refused'
            AND (h.detail ->> 'from' = ANY (h.refused_psps)) IS NOT TRUE)
        OR EXISTS (
            SELECT FROM pay.psp_token t
            WHERE t.merchant_id = h.merchant_id
                AND t.checkout_id = h.checkout_id AND t.psp <> h.psp)));
