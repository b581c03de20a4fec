-- The data of one buyer ends on request: all of it, nobody else's, and not that of
-- a payment which is under way.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir risk.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.erase(
    p_by text, p_value text, p_merchant text DEFAULT 'm1',
    p_who text DEFAULT 'ann', p_why text DEFAULT 'request 7')
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', e.outcome, e.class, e.ended), ', ')
FROM pay_ops.erase_buyer(p_merchant, p_by, p_value, p_who, p_why) e
WHERE e.ended IS DISTINCT FROM 0
$$;
-- the checkouts that still say something about their buyer
CREATE FUNCTION pg_temp.known() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat(c.checkout_id, ':', num_nonnulls(c.buyer_info,
        c.credit_card_info, c.page, c.metadata), num_nonnulls(d.keys,
        d.facts, d.buyer, d.counted), (
        SELECT count(*) FROM pay.risk_browser b
        WHERE b.checkout_id = c.checkout_id)), ' '
    ORDER BY c.checkout_id)
FROM pay.checkout c
LEFT JOIN pay.risk_decision d USING (merchant_id, checkout_id)
$$;

SELECT pg_temp.look('c' || n, pg_temp.risk(
    p_keys => pg_temp.key('buyer-' || n) || pg_temp.key('192.0.2.7/32', 'ip'),
    p_windows => pg_temp.window('buyer-' || n, 9)))
FROM generate_series(1, 5) n
\g /dev/null
SELECT pg_temp.token('m1', 'c' || n, 't' || n) FROM generate_series(1, 5) n
\g /dev/null
SELECT pg_temp.fact('t' || n, 'paid', p_reference => 'pi-' || n)
FROM generate_series(1, 4) n
\g /dev/null
UPDATE pay.checkout c SET metadata = '{"cart": 1}',
    page = '{"locale": "de"}', credit_card_info = '"tok"',
    buyer_info = CASE c.checkout_id
        WHEN 'c1' THEN '{"email": "Ann@Example.org", "id": "b1"}'::jsonb
        WHEN 'c2' THEN '{"email": "ann@example.org", "id": "b2"}'
        WHEN 'c3' THEN '{"email": "eve@example.org", "id": "b1"}'
        WHEN 'c4' THEN '{"email": "dan@example.org"}'
        ELSE '{"email": "ann@example.org"}' END;
INSERT INTO pay.risk_browser (merchant_id, checkout_id, place, browser, is_new,
    address, at)
SELECT 'm1', 'c' || n, 1, encode(sha256(n::text::bytea), 'hex'), true, '192.0.2.7', now()
FROM generate_series(1, 2) n;
-- events that told nothing: one names the payment of c1, one names none of them
INSERT INTO pay.webhook_inbox (psp, event_id, state, fact, reference, digest)
SELECT 'stripe', 'told-' || r, 'ignored', 'none', r,
    sha256(convert_to(r, 'UTF8'))
FROM unnest('{pi-1,pi-0}'::text[]) r;
INSERT INTO pay.webhook_body (psp, digest, keep_until, size, body)
SELECT 'stripe', i.digest, now() + interval '1 day', 4, 'body'
FROM pay.webhook_inbox i
WHERE i.checkout_id IN ('c1', 'c2', 'c4') OR i.event_id LIKE 'told-%'
ON CONFLICT DO NOTHING;
SELECT is(pg_temp.known(), 'c1:431 c2:431 c3:430 c4:430 c5:430', 'all is there');

-- nothing but the one buyer's
SELECT is(pg_temp.erase('email', 'ann@example.org'),
    'done buyer_info 2, done metadata 2, done risk_browsers 2, '
    'done risk_inputs 2, done webhook_bodies 2, done under_way 1',
    'by address, whichever its case');
SELECT is(pg_temp.known(), 'c1:000 c2:000 c3:430 c4:430 c5:430',
    'the others, and the one that may still be paid, are as they were');
SELECT is(pg_temp.erase('email', 'ann@example.org'), 'done under_way 1',
    'again: only that one is left');
SELECT is(pg_temp.fact('t5', 'paid', p_reference => 'pi-5'), 'applied', 'paid');
SELECT is(pg_temp.erase('email', 'ann@example.org'),
    'done buyer_info 1, done metadata 1, done risk_inputs 1', 'now it goes');
SELECT is(pg_temp.erase('email', 'ann@example.org'), 'not_found', 'all gone');
SELECT is(pg_temp.erase('buyer', 'b1'),
    'done buyer_info 1, done metadata 1, done risk_inputs 1', 'by id');
SELECT is(pg_temp.change('o-c4', 'refund', 'f4', 10), 'created refund '
    'NOT_STARTED 10', 'a refund');
SELECT is(pg_temp.erase('checkout', 'c4'), 'done under_way 1', 'is waited for');
SELECT is(pg_temp.send('c4', 'refund', 'f4') || ' '
    || pg_temp.sent('c4', 'refund', 'f4', 'DONE', p_reference => 're'),
    'send 1 1 stored', 'it is done');
SELECT is(pg_temp.erase('checkout', 'c4'), 'done buyer_info 1, '
    'done metadata 2, done risk_inputs 1', 'by checkout, with its refund');
SELECT is(pg_temp.known(), 'c1:000 c2:000 c3:000 c4:000 c5:000', 'all is gone');

-- retention finds nothing more to end of these checkouts, and each of its classes
-- is either in the answer or said to stay (docs/operations.md)
SELECT is_empty(format('SELECT FROM pay.%I', v), v)
FROM unnest('{aged_buyer,aged_metadata,aged_change,aged_decision,aged_card,
    aged_address,aged_browser,aged_browser_address}'::text[]) v;
SELECT is(string_agg(c.class, ' ' ORDER BY c.class),
    'dead_letters idempotency_keys messages payout_messages risk_addresses '
    'risk_counters risk_entries settlement_copies webhook_quarantine webhooks',
    'the classes that are not of a buyer, or stay until their own end')
FROM pay.retention_class c
WHERE NOT (SELECT a.answer FROM pay.console_act a ORDER BY a.seq LIMIT 1)
    ? c.class;

-- the books and the log have not changed, and the log says that it was done
SELECT is(count(*), 0::bigint, 'no event names a buyer') FROM pay.event e
WHERE e.detail::text ~ 'example.org|"b1"';
SELECT is(string_agg(concat_ws(' ', a.act, a.who, a.object, a.reason,
        a.detail -> 'checkouts'), ', ' ORDER BY a.seq),
    'erase ann a buyer by email request 7 2, '
    'erase ann a buyer by email request 7 0, '
    'erase ann a buyer by email request 7 1, '
    'erase ann a buyer by buyer request 7 1, '
    'erase ann c4 request 7 0, erase ann c4 request 7 1', 'who did it')
FROM pay.console_act a;
SELECT is(a.detail ->> 'checkouts_sha256',
    encode(sha256(E'c1\nc2'), 'hex'), 'which checkouts')
FROM pay.console_act a WHERE a.seq = 1;
SELECT is(count(*), 6::bigint, 'each is an event of the log') FROM pay.event e
JOIN pay.console_act a ON a.seq = e.seq AND a.hash = e.hash
WHERE e.kind = 'console_act';

-- bad calls
SELECT is(pg_temp.erase('email', v, m, w, y), o, o || ' ' || n) FROM (VALUES
    (1, '', 'm1', 'ann', 'why', 'invalid'),
    (2, repeat('x', 321), 'm1', 'ann', 'why', 'invalid'),
    (3, NULL, 'm1', 'ann', 'why', 'invalid'),
    (4, 'a@b', '', 'ann', 'why', 'invalid'),
    (5, 'a@b', 'm1', '', 'why', 'invalid'),
    (6, 'a@b', 'm1', 'ann', NULL, 'invalid'),
    (7, 'a@b', 'm2', 'ann', 'why', 'not_found')) t (n, v, m, w, y, o);
SELECT is(pg_temp.erase('name', 'x'), 'invalid', 'no such way');
INSERT INTO pay.checkout
SELECT r.* FROM pay.checkout c, generate_series(1, 1001) n
CROSS JOIN LATERAL jsonb_populate_record(c, jsonb_build_object(
    'checkout_id', 'x' || n, 'handle', 'x' || n, 'nonce', 'x' || n,
    'token', 'x' || n,
    'checkout_uuid', gen_random_uuid(), 'buyer_info', '{"id": "guest"}'::jsonb)) r
WHERE c.checkout_id = 'c1';
SELECT is(pg_temp.erase('buyer', 'guest'), 'too_many', 'an id that is shared');

SELECT is(has_function_privilege(r, 'pay_ops.erase_buyer(text, text, text, '
    'text, text)', 'EXECUTE'), r = 'payments_operator', r)
FROM unnest('{payments_operator,payments_auditor,payments_gateway}'::text[]) r;

SELECT * FROM finish();
ROLLBACK;
