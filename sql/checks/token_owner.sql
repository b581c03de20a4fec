-- Tokens and registrations tell the same story, both ways.
SELECT coalesce(r.merchant_id, t.merchant_id) AS merchant_id,
    coalesce(r.checkout_id, t.checkout_id) AS checkout_id, r.token,
    t.token AS owned_token
FROM (SELECT * FROM pay.registration WHERE token IS NOT NULL) r
FULL JOIN (SELECT * FROM pay.psp_token WHERE checkout_id IS NOT NULL) t
    ON t.psp = r.psp AND t.token = r.token
WHERE r.merchant_id IS DISTINCT FROM t.merchant_id
    OR r.checkout_id IS DISTINCT FROM t.checkout_id;
