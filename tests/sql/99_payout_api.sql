-- Pay-outs by the API: each request is done once for its key, another body is
-- refused, a refusal leaves no key, and a merchant sees its own items.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir payout.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.said(p_row pay_api.payout_act_row) RETURNS text
LANGUAGE sql AS $$
SELECT concat_ws(' ', CASE (p_row).outcome WHEN 'refused'
        THEN (p_row).subject_id ELSE (p_row).outcome END,
    (p_row).page::json ->> 'amount',
    (p_row).page::json ->> 'state')
$$;
CREATE FUNCTION pg_temp.frees(
    p_order text, p_key text, p_body text DEFAULT 'x',
    p_who text DEFAULT 'shop', p_merchant text DEFAULT 'm1')
RETURNS text LANGUAGE sql AS $$
SELECT r.outcome || CASE WHEN r.page::json ->> 'released_at' IS NOT NULL
                         THEN ' now' ELSE '' END
FROM pay_api.release_order(ARRAY[p_merchant], ARRAY[p_order], ARRAY[p_who],
    '{delivered}', ARRAY[p_key], ARRAY[sha256(p_body::bytea)], '{3600}') r
$$;
CREATE FUNCTION pg_temp.makes(
    p_key text, p_body text DEFAULT 'x', p_seller text DEFAULT 'seller-1',
    p_currency text DEFAULT 'USD', p_merchant text DEFAULT 'm1')
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(pg_temp.said(r), ', ' ORDER BY r.item)
FROM pay_api.make_payout(ARRAY[p_merchant], ARRAY[p_seller],
    ARRAY[p_currency], '{max}', ARRAY[p_key], ARRAY[sha256(p_body::bytea)],
    '{3600}') r
$$;
CREATE FUNCTION pg_temp.keys() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(r.route || ' ' || r.key, ', ' ORDER BY r.route, r.key)
FROM pay.payout_request r
$$;
CREATE FUNCTION pg_temp.listed(
    p_merchant text DEFAULT 'm1', p_seller text DEFAULT NULL,
    p_state text DEFAULT NULL, p_before bigint DEFAULT NULL,
    p_limit bigint DEFAULT 2, p_day text DEFAULT NULL)
RETURNS json LANGUAGE sql AS $$
SELECT l.page::json
FROM pay_api.list_payouts(ARRAY[p_merchant], '{NULL}', ARRAY[p_seller],
    '{NULL}', '{NULL}', ARRAY[p_state], ARRAY[p_day], ARRAY[p_before],
    ARRAY[p_limit]) l
$$;
CREATE FUNCTION pg_temp.amounts(p_page json) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(p ->> 'amount', ' ')
FROM json_array_elements(p_page -> 'payouts') p
$$;

SELECT pg_temp.provider(), pg_temp.account(p_who => 'sue')
\g /dev/null
SELECT pg_temp.sold('a' || n, ARRAY['b' || n || ':' || n * 1000])
FROM generate_series(1, 4) n
\g /dev/null

-- release
SELECT is(pg_temp.frees('b1', 'key-1'), 'released now', 'an order is released');
SELECT is(pg_temp.frees('b1', 'key-1'), 'replayed now', 'once for its key');
SELECT is(pg_temp.frees('b2', 'key-1', 'y'), 'key_reused',
          'a key is of one request');
SELECT is(pg_temp.frees('b1', 'key-2'), 'released now',
          'another key finds it released');
SELECT is((SELECT count(*) FROM pay.payout_act WHERE subject = 'order'),
          1::bigint, 'which is one act');
SELECT is(pg_temp.frees('none', 'key-3'), 'not_found', 'no such order');
SELECT is(pg_temp.frees('b2', 'key-3', p_merchant => 'm2'), 'not_found',
          'nor is one of another merchant');
SELECT is(pg_temp.frees('b2', 'key-3', p_who => ' '), 'invalid',
          'nobody releases nothing');
SELECT is(pg_temp.keys(), 'release key-1, release key-2',
          'what was refused leaves no key');
SELECT is(pg_temp.frees('b2', ''), 'invalid', 'a key is not empty');

-- an item
SELECT is(pg_temp.makes('key-1'), 'created 10.00 ready', 'an item');
SELECT is(pg_temp.makes('key-1'), 'replayed 10.00 ready', 'once for its key');
SELECT is(pg_temp.makes('key-1', 'y'), 'key_reused', 'and for its body');
SELECT is(pg_temp.makes('key-1', p_merchant => 'm2'), 'nothing',
          'a key is of one merchant');
SELECT is(pg_temp.makes('key-4'), 'nothing', 'nothing more is released');
SELECT is(pg_temp.makes('key-4', p_seller => 'nobody'), 'nothing',
          'nobody has nothing');
SELECT is_empty($$SELECT FROM pay.wallet WHERE seller_account = 'nobody'$$,
                'and gets no wallet by being asked for');
SELECT is(pg_temp.keys(), 'payout key-1, release key-1, release key-2',
          'a refusal leaves no key');
SELECT is((SELECT count(*) FROM pay.payout), 1::bigint, 'one item in all');

-- a batch with one key twice, and with two wallets in another order
SELECT is((
    SELECT string_agg(r.outcome, ' ' ORDER BY r.item)
    FROM pay_api.release_order('{m1,m1,m1}', '{b4,b3,b3}', '{shop,shop,shop}',
        '{d,d,d}', '{key-6,key-5,key-5}', ARRAY[sha256('a'), sha256('b'),
        sha256('b')], '{9,9,9}') r),
    'released released replayed', 'each key of a batch counts once');
SELECT is((
    SELECT string_agg(r.outcome, ' ' ORDER BY r.item)
    FROM pay_api.make_payout('{m1,m1}', '{seller-1,seller-1}', '{USD,USD}',
        '{max,max}', '{key-7,key-8}', ARRAY[sha256('a'), sha256('b')],
        '{9,9}') r),
    'created refused', 'a wallet has nothing for the second one');

-- reasons
SELECT pg_temp.release('b2')
\g /dev/null
SELECT pay_ops.hold_payouts('m1', 'seller-1', NULL, true, 'ann', 'why')
\g /dev/null
SELECT is(pg_temp.makes('key-9'), 'hold', 'a seller who is held');
SELECT pay_ops.hold_payouts('m1', 'seller-1', NULL, false, 'ann', 'why')
\g /dev/null
SELECT pg_temp.account('GB29NWBK60161331926819', p_country => 'GB')
\g /dev/null
SELECT is(pg_temp.makes('key-9'), 'cooling_off', 'an account that is new');
SELECT pg_temp.cooled(), pay_ops.set_payout_minimum('m1', 'USD', 2001, 'ann',
                                                    'why')
\g /dev/null
SELECT is(pg_temp.makes('key-9'), 'minimum', 'too little');
SELECT is(pg_temp.makes('key-9', p_currency => 'EUR'), 'nothing',
          'another currency');
SELECT pay_ops.set_payout_minimum('m1', 'USD', 1, 'ann', 'why')
\g /dev/null
UPDATE pay.payout_account SET state = 'suspect';
SELECT is(pg_temp.makes('key-9'), 'suspect', 'a pay-out came back');
UPDATE pay.payout_account SET state = 'blocked';
SELECT is(pg_temp.makes('key-9'), 'blocked', 'a second one');
UPDATE pay.payout_account SET state = 'closed';
SELECT is(pg_temp.makes('key-9'), 'no_destination', 'no account is left');
UPDATE pay.payout_account SET state = 'open';
SELECT is(pg_temp.makes('key-9'), 'created 20.00 ready',
          'the key that was refused is free');

-- lists
SELECT is(pg_temp.amounts(pg_temp.listed()), '20.00 70.00', 'newest first');
SELECT is(pg_temp.amounts(pg_temp.listed(
    p_before => (pg_temp.listed() ->> 'next')::bigint)), '10.00',
    'the next page');
SELECT is(pg_temp.listed(p_before => (pg_temp.listed() ->> 'next')::bigint)
          ->> 'next', NULL, 'is the last one');
SELECT is(pg_temp.amounts(pg_temp.listed(p_merchant => 'm2')), NULL,
          'another merchant sees nothing');
SELECT is(pg_temp.amounts(pg_temp.listed(p_seller => 'seller-2')), NULL,
          'nothing of another seller');
SELECT is(pg_temp.amounts(pg_temp.listed(p_state => 'paid')), NULL,
          'nothing in another state');
SELECT is(pg_temp.amounts(pg_temp.listed(p_state => 'ready', p_limit => 9,
          p_day => to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD'))),
          '20.00 70.00 10.00', 'all filters at once');
SELECT is(pg_temp.amounts(pg_temp.listed(p_day => '2020-01-01')), NULL,
          'nothing of another day');
SELECT is(l.outcome, u.outcome, 'one item: ' || u.outcome)
FROM (VALUES ('m1', 'found'), ('m2', 'not_found')) u (merchant, outcome),
    pay_api.list_payouts(ARRAY[u.merchant], ARRAY[pg_temp.item()], '{NULL}',
        '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{1}') l;
SELECT is(l.outcome, 'invalid', 'a page of ' || coalesce(u::text, 'NULL'))
FROM unnest('{0,1001,NULL}'::bigint[]) u,
    pay_api.list_payouts('{m1}', '{NULL}', '{NULL}', '{NULL}', '{NULL}',
        '{NULL}', '{NULL}', '{NULL}', ARRAY[u]) l;

-- keys end
UPDATE pay.payout_request SET expires_at = now() WHERE key = 'key-1';
SELECT is(pg_temp.makes('key-1', 'y'), 'nothing',
          'a key that is over is free');
SELECT is((SELECT idempotency_keys FROM pay.purge()), 1::bigint,
          'and is deleted');

SELECT finish();
ROLLBACK;
