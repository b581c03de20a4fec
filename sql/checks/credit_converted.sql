-- A converted order credits its seller with its amount by its rate, and a rate
-- has at most 12 significant digits.
SELECT o.merchant_id, o.payment_order_id, o.amount_minor, o.currency,
    o.credit_minor, o.credit_currency, o.credit_rate
FROM pay.payment_order o
CROSS JOIN LATERAL (
    SELECT pay.convert(o.amount_minor, o.currency, o.credit_currency,
                       o.credit_rate) AS credit_minor,
        pay.round_rate(o.credit_rate) AS credit_rate) w
WHERE o.credit_currency IS NOT NULL
    AND (o.credit_minor, o.credit_rate)
        IS DISTINCT FROM (w.credit_minor, w.credit_rate);
