-- Nothing stays parked once its token is known (I6).
SELECT i.psp, i.event_id, i.token
FROM pay.webhook_inbox i
JOIN pay.psp_token t ON t.psp = i.psp AND t.token = i.token
WHERE i.state = 'parked' AND t.checkout_id IS NOT NULL;
