-- The reads: what is there, what is another merchant's, what never was.

BEGIN;
\ir helpers.psql
SELECT no_plan();

SELECT b.outcome FROM unnest('{m1,m2}'::text[]) m,
    pg_temp.begin(m, 'k1', 'c1', '{o1:100,o2:50}') b
\g /dev/null
SELECT b.outcome FROM pg_temp.begin('m1', 'k2', 'c2', '{o3:100}') b
\g /dev/null
SELECT pg_temp.token('m1', 'c1', 't1')
\g /dev/null
SELECT pg_temp.fact('t1', 'declined')
\g /dev/null

SELECT is((g.item, g.outcome, g.merchant_id, g.checkout_id)::text,
          '(1,found,m1,c1)', 'get_payment finds the order''s checkout')
FROM pay_api.get_payment('{m1}', '{o2}') g WHERE g.place = 1;
SELECT is(string_agg((g.item, g.place, g.order_id, g.seller_account,
                      g.order_minor, g.order_status, g.order_reason,
                      g.captured_minor, g.currency, g.capture)::text, ' '),
    '(1,1,o1,seller-1,100,FAILED,declined,,USD,automatic) '
    '(1,2,o2,seller-1,50,FAILED,declined,,USD,automatic)',
    'with all orders in their order, a row each')
FROM pay_api.get_payment('{m1}', '{o1}') g;
SELECT is(string_agg(g.item || g.order_id, ' '),
          '1o1 1o2 2o3 3o1 3o2', 'rows of an item stand together')
FROM pay_api.get_payment('{m1,m1,m1}', '{o2,o3,o1}') g;
SELECT is(g.outcome, 'not_found', 'get_payment: ' || n)
FROM (VALUES ('absent', 'm1', 'o9'), ('foreign', 'm2', 'o3'),
    ('a checkout''s id', 'm1', 'c1'), ('NULL order', 'm1', NULL),
    ('NULL merchant', NULL, 'o1'), ('empty', '', '')) t (n, m, o),
    pay_api.get_payment(ARRAY[m], ARRAY[o]) g;

SELECT is((g.item, g.outcome, g.checkout_id, g.first_status, g.order_status,
           g.order_id, g.order_minor)::text,
          '(1,found,c1,FAILED,FAILED,o2,50)', 'get_order finds the order')
FROM pay_api.get_order('{m1}', '{o2}') g;
SELECT is(string_agg(g.item || g.outcome || coalesce(g.order_id, '-'),
                     ' ' ORDER BY g.item),
          '1foundo3 2not_found- 3foundo1 4foundo3', 'each item its own row')
FROM pay_api.get_order('{m1,m2,m1,m1}', '{o3,o3,o1,o3}') g;
SELECT is((g.outcome, g.checkout_id, g.handle, g.order_status)::text,
          '(not_found,,,)', 'get_order: ' || n)
FROM (VALUES ('absent', 'm1', 'o9'), ('foreign', 'm2', 'o3'),
    ('a checkout''s id', 'm1', 'c1'), ('NULL order', 'm1', NULL),
    ('before all others', 'm1', 'a'), ('a part of one', 'm1', 'o'),
    ('NULL merchant', NULL, 'o1'), ('empty', '', '')) t (n, m, o),
    pay_api.get_order(ARRAY[m], ARRAY[o]) g;
SELECT is((SELECT count(*)::int FROM pay.payment_order), 5, 'all five');

SELECT is(g.outcome || g.merchant_id, 'foundm2', 'own checkout')
FROM pay_api.get_checkout('{m2}', '{c1}') g;
SELECT is(g.outcome, 'not_found', 'get_checkout: ' || n)
FROM (VALUES ('absent', 'm1', 'c9'), ('foreign', 'm2', 'c2'),
    ('NULL', NULL, 'c1')) t (n, m, c),
    pay_api.get_checkout(ARRAY[m], ARRAY[c]) g;
SELECT is((g.merchant_id, g.checkout_id, g.order_id)::text, '(,,)',
          'not_found shows nothing')
FROM pay_api.get_checkout('{m2}', '{c2}') g;

SELECT is(g.outcome || g.merchant_id || g.checkout_id, 'foundm2c1',
          'get_handle needs no merchant')
FROM pay_api.get_handle('{h-m2c1}') g;
SELECT is(string_agg(concat_ws(' ', g.item, g.outcome), ', '),
          '1 not_found, 2 found, 2 found',
          'get_handle: in the order of the items')
FROM pay_api.get_handle('{nobody,h-m2c1}') g;
SELECT is(g.outcome, 'not_found', 'get_handle: ' || coalesce(h, 'NULL'))
FROM unnest(ARRAY['h-m9c9', '', 'h-m2', '%', NULL]) h,
    pay_api.get_handle(ARRAY[h]) g;

SELECT is(g.events::jsonb - 0 - 0, jsonb_build_array(jsonb_build_object(
        'seq', 3, 'at', g.events::jsonb -> 2 -> 'at', 'kind', 'declined',
        'actor', 'webhook', 'old_status', 'EXECUTING',
        'new_status', 'FAILED', 'reason', 'declined',
        'detail', '{"type": "psp.declined"}'::jsonb,
        'request_id', 'request-4')), 'get_events, in full')
FROM pay_api.get_events('{m1}', '{o1}') g;
SELECT matches(g.events::jsonb -> 0 ->> 'at',
               '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$', 'RFC 3339 in UTC')
FROM pay_api.get_events('{m1}', '{o1}') g;
SELECT is(string_agg(e ->> 'kind', ' '), 'created registered declined',
          'oldest first')
FROM pay_api.get_events('{m1}', '{o2}') g, jsonb_array_elements(g.events::jsonb) e;
SELECT is(g.outcome || coalesce(g.events, ''), 'not_found', 'get_events: ' || n)
FROM (VALUES ('absent', 'm1', 'o9'), ('foreign', 'm2', 'o3'),
    ('NULL', 'm1', NULL)) t (n, m, o),
    pay_api.get_events(ARRAY[m], ARRAY[o]) g;

-- a PSP that is down for a day must not hide how it ended
SELECT b.outcome FROM pg_temp.begin('m1', 'k-long', 'c-long', '{o-long:100}') b
\g /dev/null
SELECT pg_temp.no_token('m1', 'c-long', 'unknown') FROM generate_series(1, 1001)
\g /dev/null
SELECT pg_temp.no_token('m1', 'c-long', 'expired')
\g /dev/null
SELECT is((jsonb_array_length(e), e -> 0 -> 'seq', e -> -1 -> 'seq',
           e -> -1 ->> 'kind')::text, '(1000,4,1003,expired)',
          'the newest 1000 events, oldest first')
FROM pay_api.get_events('{m1}', '{o-long}') g,
    LATERAL (SELECT g.events::jsonb AS e) l;

SET LOCAL search_path = pay, tap;
SELECT is(shown_detail(d::jsonb, c)::text, wanted, 'amounts of ' || d)
FROM (VALUES
    ('{"amount_minor": 1234}', 'USD',
     '{"amount": "12.34", "amount_minor": 1234}'),
    ('{"amount_minor": 7, "currency": "JPY"}', 'USD',
     '{"amount": "7", "currency": "JPY", "amount_minor": 7}'),
    ('{"amount_minor": 7, "currency": "???"}', 'USD',
     '{"currency": "???", "amount_minor": 7}'),
    ('{"captured_minor": 5, "amount_minor": -5}', 'KWD',
     '{"amount": "-0.005", "amount_minor": -5, "captured_minor": 5, '
     '"amount_captured": "0.005"}'),
    ('{"assigned": {"a": 500, "b": 1}}', 'EUR',
     '{"assigned": {"a": 500, "b": 1}, '
     '"amounts_assigned": {"a": "5.00", "b": "0.01"}}'),
    ('{"code": "x", "why": null}', 'EUR', '{"why": null, "code": "x"}'),
    ('{}', 'EUR', '{}')) t (d, c, wanted);
SET LOCAL search_path = tap, pg_temp;

SET LOCAL timezone = 'Asia/Kathmandu';
SELECT is(g.events::jsonb -> 0 ->> 'at', to_char(e.at AT TIME ZONE 'UTC',
          'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'whatever the session''s zone')
FROM pay_api.get_events('{m1}', '{o1}') g
JOIN pay.event e ON e.merchant_id = 'm1' AND e.payment_order_id = 'o1'
    AND e.seq = 1;

SELECT is(string_agg(concat(g.item, g.outcome, g.place), ' '),
          '1found1 1found2 2not_found 3found1 4found1 4found2',
          'one row an order, in a batch')
FROM pay_api.get_checkout('{m1,m1,m1,m1}', '{c1,zz,c2,c1}') g;

\i :checks
SELECT finish();
ROLLBACK;
