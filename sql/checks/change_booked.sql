-- I4: each refund and each capture is booked according to its state: the
-- amounts that it reserves or has released, those paid back, and those that
-- have come back.  A change that was made at the PSP and had failed before the
-- gateway learned of it is not booked.
SELECT c.merchant_id, c.change_id, c.kind, c.origin, c.status, c.returned,
    e.kinds
FROM pay.change c
LEFT JOIN LATERAL (
    SELECT coalesce(array_agg(e.kind ORDER BY e.kind), '{}') AS kinds
    FROM pay.journal_entry e
    WHERE e.merchant_id = c.merchant_id
        AND e.source = 'change/' || c.change_id
        AND e.kind <> 'unauthorized') e ON true
WHERE CASE
    WHEN c.kind = 'cancel' THEN e.kinds <> '{}'
    WHEN c.kind = 'capture' THEN e.kinds <> '{}' AND (
        e.kinds <> '{sale}' OR c.status <> 'SUCCESS')
    WHEN c.seller_minor = 0 THEN false
    WHEN c.status IN ('NOT_STARTED', 'EXECUTING')
        THEN e.kinds <> '{refund_reserved}'
    WHEN c.status = 'SUCCESS' THEN e.kinds NOT IN (
        '{refund,refund_reserved}', '{refund_external}',
        '{refund_external,refund_released,refund_reserved}')
    WHEN c.returned THEN 'refund_returned' <> ALL (e.kinds)
    ELSE e.kinds <> '{refund_released,refund_reserved}'
        AND (c.origin = 'merchant' OR e.kinds <> '{}') END;
