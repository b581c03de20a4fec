-- What was not believed is in the queue for people.
SELECT i.psp, i.event_id
FROM pay.webhook_inbox i
LEFT JOIN pay.mismatch m ON m.merchant_id = i.merchant_id
    AND m.checkout_id = i.checkout_id AND m.event_id = i.event_id
WHERE i.state = 'mismatch' AND m.event_id IS NULL;
