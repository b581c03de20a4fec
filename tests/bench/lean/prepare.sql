-- Payments that wait for their webhook: those of the numbers that follow the
-- psql variable base, as many as count says.
SELECT count(*) FROM (
    SELECT array_agg(n) AS ids
    FROM generate_series(:base + 1, :base + :count) n GROUP BY n / 500) s
CROSS JOIN LATERAL lean.create_payments(
    ARRAY(SELECT 'acme' FROM unnest(s.ids)),
    ARRAY(SELECT 'key-' || n FROM unnest(s.ids) n),
    ARRAY(SELECT int8send(n) FROM unnest(s.ids) n),
    ARRAY(SELECT 'checkout-' || n FROM unnest(s.ids) n),
    ARRAY(SELECT 'order-' || n FROM unnest(s.ids) n),
    ARRAY(SELECT 'seller-' || n % 1000 FROM unnest(s.ids) n),
    ARRAY(SELECT 1234::bigint FROM unnest(s.ids)),
    ARRAY(SELECT 'USD' FROM unnest(s.ids)),
    ARRAY(SELECT 'stripe' FROM unnest(s.ids)),
    ARRAY(SELECT 'https://shop.example.com/' FROM unnest(s.ids)),
    ARRAY(SELECT '{}'::jsonb FROM unnest(s.ids)),
    ARRAY(SELECT now() + interval '1 hour' FROM unnest(s.ids)));

SELECT count(*) FROM (
    SELECT array_agg(n) AS ids
    FROM generate_series(:base + 1, :base + :count) n GROUP BY n / 500) s
CROSS JOIN LATERAL lean.store_tokens(
    ARRAY(SELECT 'acme' FROM unnest(s.ids)),
    ARRAY(SELECT 'order-' || n FROM unnest(s.ids) n),
    ARRAY(SELECT 'cs_test_' || n FROM unnest(s.ids) n),
    ARRAY(SELECT 'http://127.0.0.1/pay/cs_test_' || n
          FROM unnest(s.ids) n));

ANALYZE;
