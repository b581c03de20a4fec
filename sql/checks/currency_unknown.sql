-- There is no foreign key to currency (see 0001_core.sql).
SELECT c.merchant_id, c.checkout_id, c.currency
FROM pay.checkout c
LEFT JOIN pay.currency k ON k.code = c.currency
WHERE k.code IS NULL;
