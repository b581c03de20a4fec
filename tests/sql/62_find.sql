-- find: each kind of name leads to its checkout, beginnings and amounts too, and
-- no look reads a whole table.

BEGIN;
\ir helpers.psql
\ir states.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.found(p_what text, p_merchant text DEFAULT NULL,
    p_buyer text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', f.found_as, f.merchant_id, f.checkout_id,
                            f.payment_order_id, f.psp, f.object), ', '
                  ORDER BY f.found_as, f.merchant_id, f.checkout_id,
                      f.payment_order_id)
FROM pay_view.find(p_what, p_merchant, p_buyer) f
$$;

SELECT pg_temp.begin('m', 'k1', 'find-me-1', '{find-o-1:1234}') \g /dev/null
SELECT pg_temp.begin('m', 'k2', 'find-me-2', '{find-o-2:1234}') \g /dev/null
SELECT pg_temp.begin('m', 'k3', 'other', '{other-o:123456}',
                     p_currency => 'KWD') \g /dev/null
SELECT pg_temp.token('m', 'find-me-1', 'tok_find_1') \g /dev/null
SELECT pg_temp.fact('tok_find_1', 'paid') \g /dev/null
INSERT INTO pay.change (merchant_id, checkout_id, change_id, payment_order_id,
    kind, origin, psp, status, amount_minor, currency, seller_minor,
    seller_currency, reference)
SELECT o.merchant_id, o.checkout_id, 'change-0001', o.payment_order_id,
    'refund', 'merchant', 'stripe', 'SUCCESS', 1, o.currency, 1, o.currency,
    're_0001'
FROM pay.payment_order o WHERE o.checkout_id = 'find-me-1';
INSERT INTO pay.risk_decision (merchant_id, checkout_id, decision, decided_by,
    hits, keys, inputs_hash, version, buyer)
SELECT c.merchant_id, c.checkout_id, 'allow', 'none', '[]',
    CASE c.checkout_id WHEN 'find-me-2'
    THEN jsonb_build_array(jsonb_build_array('email', repeat('ab', 32))) END,
    sha256('x'), 'v',
    CASE c.checkout_id WHEN 'find-me-1' THEN decode(repeat('ab', 32), 'hex') END
FROM pay.checkout c WHERE c.checkout_id LIKE 'find-me-%';

SELECT is(pg_temp.found('re_0001'),
    'PSP''s refund ' || (SELECT concat_ws(' ', merchant_id, checkout_id,
                                          payment_order_id)
                         FROM pay.payment_order
                         WHERE checkout_id = 'find-me-1')
    || ' stripe change-0001', 'a PSP''s id of a refund');
SELECT is(pg_temp.found('change-0'), pg_temp.found('change-0001'),
    'the beginning of a change''s id');
SELECT matches(pg_temp.found('tok_find'), '^token \S+ find-me-1 ',
    'the beginning of a token');
SELECT matches(pg_temp.found('find-me-'),
    'checkout \S+ find-me-1 .*checkout \S+ find-me-2 ',
    'a beginning that several have: all of them');
SELECT is(pg_temp.found('find-me'), NULL, 'less than eight bytes are none');
SELECT is(pg_temp.found('find-me-', 'nobody'), NULL, 'of another merchant');
SELECT matches(pg_temp.found('123.456 KWD'), '^amount \S+ other ', 'an amount');
SELECT is(pg_temp.found(what), pg_temp.found('123.456'), what)
FROM unnest('{123.456KWD,KWD 123.456,123.456000 KWD}'::text[]) what
WHERE what <> '123.456000 KWD';
SELECT is(pg_temp.found(what), NULL, 'no amount: ' || what)
FROM unnest(ARRAY['123.456 EUR', '123.457', '123456', '1e3', '-123.456',
                  'KWD 123.456 KWD', '12345.6 KWD', '123.4560']) what;
SELECT matches(pg_temp.found('x@example.com', NULL, repeat('ab', 32)),
    '^buyer \S+ find-me-1, buyer \S+ find-me-2$',
    'a buyer by the hash of the address, with an id of its own or without');
SELECT is(pg_temp.found('x@example.com', NULL, repeat('cd', 32)), NULL,
    'of another one');
SELECT matches(pg_temp.found(seller_account), '(^|, )seller \S+ ' || seller_account,
    'a seller')
FROM (SELECT 'seller-1' AS seller_account) s;

-- no table is read as a whole
SET LOCAL enable_seqscan = off;
-- those that were made when a scan was cheaper
DISCARD PLANS;
SELECT set_config('plan_cache_mode', 'force_generic_plan', true) \g /dev/null
CREATE FUNCTION pg_temp.whole() RETURNS bigint LANGUAGE sql AS $$
SELECT coalesce(sum(seq_scan), 0)::bigint FROM pg_stat_xact_user_tables
WHERE schemaname = 'pay' AND relname <> 'currency'
$$;
CREATE TEMPORARY TABLE before AS SELECT pg_temp.whole() AS n;
SELECT pg_temp.found(what, NULL, repeat('ab', 32))
FROM unnest(ARRAY['nothing-of-that-name', 'find-me-1', '12.34 EUR', '1234567890',
    'tok_find', '0199c0de-1234-7abc-8def-0123456789ab']) what \g /dev/null
SELECT is(pg_temp.whole(), n, 'indexes alone') FROM before;

SELECT * FROM finish();
ROLLBACK;
