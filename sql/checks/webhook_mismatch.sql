-- Each PSP event that contradicted the order is in the mismatch queue, with its
-- kind.
SELECT i.psp, i.event_id, i.state
FROM pay.webhook_inbox i
LEFT JOIN pay.mismatch m ON m.merchant_id = i.merchant_id
    AND m.checkout_id = i.checkout_id AND m.psp = i.psp
    AND m.event_id = i.event_id
    AND (m.kind = 'contradiction' OR m.why IS NOT DISTINCT FROM
         'contradiction') = (i.state = 'contradiction')
WHERE i.state IN ('mismatch', 'contradiction') AND m.event_id IS NULL;
