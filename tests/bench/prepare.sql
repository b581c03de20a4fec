-- Checkouts that wait for their webhook, by the operations themselves in sets
-- of 500: psql variables prefix and count.  Order <prefix>-n has the session
-- cs_test_<prefix>-n.
CREATE FUNCTION pg_temp.prepare(p_ids text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_count int := cardinality(p_ids);
BEGIN
    PERFORM FROM pay_api.begin_payment(
        array_fill('acme'::text, ARRAY[v_count]),
        ARRAY(SELECT 'k' || i FROM unnest(p_ids) i),
        ARRAY(SELECT sha256(i::bytea) FROM unnest(p_ids) i),
        p_ids,
        ARRAY(SELECT md5('u' || i)::uuid::text FROM unnest(p_ids) i),
        ARRAY(SELECT md5('h' || i) FROM unnest(p_ids) i),
        array_fill('stripe'::text, ARRAY[v_count]),
        p_ids,
        array_fill('https://shop.example.com/'::text, ARRAY[v_count]),
        array_fill('https://localhost'::text, ARRAY[v_count]),
        array_fill('{}'::jsonb, ARRAY[v_count]),
        array_fill(NULL::jsonb, ARRAY[v_count]),
        array_fill(NULL::jsonb, ARRAY[v_count]),
        array_fill('USD'::text, ARRAY[v_count]),
        array_fill(1234::bigint, ARRAY[v_count]),
        array_fill((extract(epoch FROM now()) + 3600)::bigint,
                   ARRAY[v_count]),
        ARRAY(SELECT jsonb_build_array(jsonb_build_object('id', i,
                  'seller', 'seller-' || n % 1000, 'amount', 1234,
                  'currency', 'USD'))
              FROM unnest(p_ids) WITH ORDINALITY AS u (i, n)),
        array_fill(86400::bigint, ARRAY[v_count]),
        array_fill(15000::bigint, ARRAY[v_count]),
        ARRAY(SELECT md5(i) FROM unnest(p_ids) i),
        array_fill('stripe'::text, ARRAY[v_count]),
        array_fill('the only one'::text, ARRAY[v_count]),
        array_fill('86400'::text, ARRAY[v_count]),
        array_fill('accept'::text, ARRAY[v_count]),
        array_fill(NULL::jsonb, ARRAY[v_count]));
    PERFORM FROM pay_api.store_token(
        array_fill('acme'::text, ARRAY[v_count]),
        p_ids,
        array_fill('stripe'::text, ARRAY[v_count]),
        ARRAY(SELECT 'cs_test_' || i FROM unnest(p_ids) i),
        array_fill(NULL::text, ARRAY[v_count]),
        array_fill('http://127.0.0.1/pay'::text, ARRAY[v_count]),
        array_fill(15000::bigint, ARRAY[v_count]),
        ARRAY(SELECT md5(i) FROM unnest(p_ids) i));
END
$$;

SELECT count(pg_temp.prepare(s.ids)::text)
FROM (SELECT array_agg(:'prefix' || '-' || n ORDER BY n) AS ids
      FROM generate_series(1, :count) n GROUP BY n / 500) s;

-- what is measured begins with statistics, as on a server that has run
ANALYZE;
