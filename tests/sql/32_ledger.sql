-- The books: entries balance, are booked once, never change; wallets are the
-- sums of their lines; whole numbers all the way.

BEGIN;
\ir helpers.psql
SELECT no_plan();

-- rounding
SELECT is(pay.half_even(v), w::numeric, v || ' is ' || w)
FROM (VALUES (0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2),
    (-2.5, -2), (0.49999, 0), (2.50001, 3), (7, 7), (-2.50001, -3))
    AS t (v, w);
SELECT is((SELECT sum(pay.seller_part(a, c, b, p))::bigint
           FROM (SELECT 100 * g AS b, 100 AS p
                 FROM generate_series(0, 9) g) x), c,
          format('%s in ten parts of %s is whole', c, a))
FROM (VALUES (1000::bigint, 1::bigint), (1000, 3), (1000, 997), (1000, 1084),
    (1000, 155123)) AS t (a, c);
SELECT is(pay.seller_part(3, 999999999999999, 1, 1), 333333333333333::bigint,
          'large amounts do not overflow');

-- a sale of two sellers, and one in a batch with a neighbour
SELECT b.outcome FROM (VALUES ('c1', '{o1:100,o2:50}'), ('c2', '{o3:7}'),
    ('c3', '{o4:9}'), ('c4', '{o5:11}')) AS t (c, o),
    pg_temp.begin('m1', 'k-' || c, c, o::text[]) b
\g /dev/null
SELECT pg_temp.token('m1', 'c' || n, 't' || n) FROM generate_series(1, 4) n
\g /dev/null
CREATE FUNCTION pg_temp.lines(p_source text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(format('%s %s %s %s', l.account, l.owner, l.amount_minor,
                         l.currency), ', ' ORDER BY l.kind, l.line)
FROM pay.journal_line l WHERE l.source = p_source
$$;
CREATE FUNCTION pg_temp.wallet(p_seller text, p_currency text DEFAULT 'USD')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', available_minor, pending_minor, reserved_minor, seq)
FROM pay.wallet WHERE merchant_id = 'm1' AND seller_account = p_seller
    AND currency = p_currency
$$;
SELECT is((SELECT count(*) FROM pay.journal_entry), 0::bigint,
          'nothing is booked before it is paid');
SELECT is(pg_temp.fact('t1', 'pending'), 'unchanged', 'pending');
SELECT is((SELECT count(*) FROM pay.journal_entry), 0::bigint,
          'nor while it is pending');
SELECT is(pg_temp.fact('t1', 'paid', 'e1'), 'applied', 'paid');
SELECT is(pg_temp.lines('order/o1'),
          'psp_clearing stripe 100 USD, seller_available seller-1 -100 USD',
          'the PSP owes us, we owe the seller');
SELECT is(pg_temp.lines('order/o2'),
          'psp_clearing stripe 50 USD, seller_available seller-1 -50 USD',
          'each order has an entry of its own');
SELECT is(pg_temp.wallet('seller-1'), '150 0 0 2', 'the wallet has both');
SELECT is(pg_temp.fact('t1', 'paid', 'e1'), 'duplicate', 'told again');
SELECT is(pg_temp.fact('t1', 'paid', 'e2'), 'unchanged', 'told anew');
SELECT is(pg_temp.wallet('seller-1'), '150 0 0 2', 'is not booked again');
-- two batches with new sellers wait for each other in one order, or deadlock
CREATE FUNCTION pg_temp.make_wallets(p_seller text[], p_currency text[])
RETURNS void LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT pay.make_wallets(array_fill('m9'::text, ARRAY[cardinality(p_seller)]),
                        p_seller, p_currency)
$$;
SELECT pg_temp.make_wallets('{b,a,b,a}', '{EUR,USD,USD,EUR}')
\g /dev/null
SELECT is(string_agg(concat_ws(' ', w.seller_account, w.currency), ', '
                     ORDER BY w.ctid),
          'a EUR, a USD, b EUR, b USD', 'new wallets are made in key order')
FROM pay.wallet w WHERE w.merchant_id = 'm9';
DELETE FROM pay.wallet WHERE merchant_id = 'm9';
SELECT is((SELECT string_agg(captured_minor::text, ' '
                             ORDER BY payment_order_id)
           FROM pay.payment_order WHERE checkout_id = 'c1'), '100 50',
          'the orders know');
SELECT is((SELECT string_agg(kind, ' ' ORDER BY payment_order_id)
           FROM pay.outbox WHERE payment_order_id IN ('o1', 'o2')),
          'payment.succeeded payment.succeeded', 'storefronts will hear');
SELECT is((SELECT b.captured_minor
           FROM pay_api.get_payment('{m1}', '{o1}') b WHERE b.place = 1), 100::bigint,
          'and can ask');

SELECT is((SELECT string_agg(a.outcome, ' ' ORDER BY a.item)
           FROM pay_api.apply_event('{stripe,stripe,stripe}',
               '{webhook,webhook,query}', '{b1,b2,NULL}', '{NULL,NULL,NULL}',
               '{paid,declined,paid}', '{t2,t3,t4}', '{NULL,NULL,NULL}',
               '{NULL,NULL,NULL}', '{7,NULL,11}', '{USD,NULL,USD}',
               '{NULL,NULL,NULL}', '{r1,r2,r3}') a),
          'applied applied applied', 'a batch');
SELECT is(pg_temp.wallet('seller-1'), '168 0 0 4', 'is one step of the wallet');
SELECT is((SELECT string_agg(wallet_seq || ':' || balance_minor, ' '
                             ORDER BY wallet_seq)
           FROM pay.journal_line WHERE wallet_seq IS NOT NULL),
          '1:100 2:150 3:157 4:168', 'the lines say what it held after them');
SELECT is((SELECT kind FROM pay.outbox WHERE payment_order_id = 'o4'),
          'payment.failed', 'a failure is told, too');
SELECT is(pg_temp.lines('order/o4'), NULL, 'and is not booked');

-- a row that is somewhere else than it was is missed, and that is seen
CREATE FUNCTION pg_temp.miss() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN RETURN NULL; END';
CREATE FUNCTION pg_temp.misses(p_table text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER miss BEFORE UPDATE ON pay.%I FOR EACH ROW '
                   'EXECUTE FUNCTION pg_temp.miss()', p_table);
    RETURN pg_temp.fact('t6', 'paid', 'e-missed');
END
$$;
SELECT b.outcome FROM pg_temp.begin('m1', 'k-c6', 'c6', '{o61:5,o62:6}') b
\g /dev/null
SELECT pg_temp.token('m1', 'c6', 't6')
\g /dev/null
SELECT throws_ok(format('SELECT pg_temp.misses(%L)', t), 'PAY23', NULL,
                 'a missed row of ' || t)
FROM unnest('{payment_order,checkout,wallet}'::text[]) t;
SELECT is((SELECT string_agg(o.status, ' ') FROM pay.payment_order o
           WHERE o.checkout_id = 'c6'), 'EXECUTING EXECUTING',
          'nothing of it is kept');

-- post() itself
CREATE FUNCTION pg_temp.post(p_source text, p_kind text, p_amount bigint,
    p_seller text DEFAULT 's2', p_credit bigint DEFAULT NULL,
    p_currency text DEFAULT NULL, p_rate numeric DEFAULT NULL)
RETURNS void LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT pay.post(ARRAY[ROW('m1', p_source, p_kind, 'c1', NULL, 'stripe',
    p_seller, p_amount, 'USD', p_credit, p_currency, p_rate,
    'r')::pay.posting])
$$;
SELECT pg_temp.post('x/1', 'sale', 1000, 's2', 925, 'EUR', 0.925)
\g /dev/null
SELECT is(pg_temp.lines('x/1'), 'psp_clearing stripe 1000 USD, '
    'fx - -1000 USD, fx - 925 EUR, seller_available s2 -925 EUR',
    'a conversion has both legs');
SELECT pg_temp.post('x/2', 'sale', 1, 's2', 0, 'EUR', 0.001)
\g /dev/null
SELECT is(pg_temp.lines('x/2'), 'psp_clearing stripe 1 USD, fx - -1 USD',
          'a leg that rounds to nothing is not there');
SELECT pg_temp.post('x/3', 'refund_reserved', 25, 's2', 23, 'EUR', 0.925),
    pg_temp.post('x/3', 'refund', 25, 's2', 23, 'EUR', 0.925),
    pg_temp.post('x/4', 'dispute_opened', 100, 's2', 92, 'EUR', 0.925),
    pg_temp.post('x/4', 'dispute_lost', 100, 's2', 92, 'EUR', 0.925),
    pg_temp.post('x/5', 'psp_fee', 30, NULL),
    pg_temp.post('x/5', 'psp_fee', 30, NULL),
    pg_temp.post('x/6', 'authorized', 80, 's3'),
    pg_temp.post('x/6', 'unauthorized', 30, 's3')
\g /dev/null
SELECT is(pg_temp.wallet('s2', 'EUR'), '810 0 0 7', 'a seller''s story');
SELECT is(pg_temp.wallet('s3'), '0 50 0 2', 'what is authorised is pending');
SELECT is(pg_temp.lines('x/5'),
          'psp_fees stripe 30 USD, psp_clearing stripe -30 USD',
          'a fee is booked once');
SELECT pg_temp.post('x/7', 'refund_reserved', 500, 's4'),
    pg_temp.post('x/7', 'refund', 500, 's4')
\g /dev/null
SELECT is(pg_temp.wallet('s4'), '-500 0 0 3',
          'a buyer is paid back though the seller has nothing left');
SELECT throws_ok($$SELECT pg_temp.post('x/8', 'refund', 1, 's4')$$, '23514',
    NULL, 'what is not reserved cannot be taken from there');
SELECT throws_ok($$SELECT pg_temp.post('x/8', 'unauthorized', 51, 's3')$$,
    '23514', NULL, 'nor more than is pending');
SELECT throws_ok($$SELECT pg_temp.post('x/9', 'sale', 0)$$, '23514', NULL,
                 'nothing is no amount');
SELECT throws_ok($$SELECT pg_temp.post('x/9', 'sale', -5)$$, '23514', NULL,
                 'nor is less');
SELECT throws_ok($$SELECT pg_temp.post('x/9', 'sale', 5, NULL)$$, '23502',
                 NULL, 'a seller''s money needs a seller');
SELECT throws_ok($$SELECT pg_temp.post('x/9', 'sale', 5, 's', 5, 'EUR')$$,
                 '23514', NULL, 'no conversion without a rate');
SELECT throws_ok($$SELECT pg_temp.post('x/9', 'sale', 5, 's', 6)$$, '23514',
                 NULL, 'nor another amount in the same currency');
SELECT throws_ok($$SELECT pg_temp.post('x/9', 'no such kind', 5);
    SET CONSTRAINTS ALL IMMEDIATE$$, 'PAY22', NULL,
    'what no rule tells does not balance');

-- the journal against its owner and superusers
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
SELECT throws_ok(sql, code, NULL, sql)
FROM (VALUES
    ('UPDATE pay.journal_line SET amount_minor = 1', 'PAY20'),
    ('UPDATE pay.journal_entry SET amount_minor = 1', 'PAY20'),
    ('DELETE FROM pay.journal_line', 'PAY20'),
    ('DELETE FROM pay.journal_entry WHERE false', 'PAY20'),
    ('TRUNCATE pay.journal_line', 'PAY20'),
    ('TRUNCATE pay.journal_entry', 'PAY20'),
    ('UPDATE pay.posting_rule SET account = ''fx''', 'PAY20'),
    ('DELETE FROM pay.account_kind', 'PAY20')) AS t (sql, code);
SELECT throws_ok(format($$INSERT INTO pay.journal_entry (merchant_id, source,
    kind, checkout_id, psp, amount_minor, currency, seller_minor,
    seller_currency) VALUES ('m1', 'hand', 'sale', 'c1', 'stripe', 5, 'USD',
    5, 'USD'); INSERT INTO pay.journal_line VALUES %s;
    SET CONSTRAINTS ALL IMMEDIATE$$, lines), 'PAY22', NULL, name)
FROM (VALUES
    ('one line', $$('m1', 'hand', 'sale', 1, 'fx', '-', 'USD', 5)$$),
    ('a cent off', $$('m1', 'hand', 'sale', 1, 'fx', '-', 'USD', 5),
        ('m1', 'hand', 'sale', 2, 'fx', '-', 'USD', -4)$$),
    ('another currency', $$('m1', 'hand', 'sale', 1, 'fx', '-', 'USD', 5),
        ('m1', 'hand', 'sale', 2, 'fx', '-', 'EUR', -5)$$),
    ('two currencies that cancel', $$
        ('m1', 'hand', 'sale', 1, 'fx', '-', 'USD', 5),
        ('m1', 'hand', 'sale', 2, 'fx', '-', 'USD', -4),
        ('m1', 'hand', 'sale', 3, 'fx', '-', 'EUR', -1)$$)) AS t (name, lines);
SELECT throws_ok($$INSERT INTO pay.journal_line VALUES
    ('m1', 'nowhere', 'sale', 1, 'fx', '-', 'USD', 5)$$, 'PAY21', NULL,
    'no line without an entry');
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;

-- statements
SELECT is(b.balances::jsonb, '[{"currency": "EUR", "available": "8.10",
    "pending": "0.00", "reserved": "0.00"}]', 'a balance')
FROM pay_api.get_balance('{m1}', '{s2}') b;
SELECT is((SELECT string_agg(outcome, ' ' ORDER BY item)
           FROM pay_api.get_balance('{m2,m1,m1,NULL}', '{s2,nobody,s2,s2}')),
          'not_found not_found found not_found', 'of one''s own sellers only');
SELECT is((SELECT string_agg((l ->> 'seq') || ' ' || (l ->> 'kind') || ' '
               || (l ->> 'account') || ' ' || (l ->> 'amount') || ' '
               || (l ->> 'balance'), ', ')
           FROM pay_api.get_statement('{m1}', '{s2}', '{EUR}', '{NULL}',
                                      '{3}') s,
               jsonb_array_elements(s.statement::jsonb -> 'lines') l),
    '7 dispute_lost reserved -0.92 0.00, '
    '6 dispute_opened reserved 0.92 0.92, '
    '5 dispute_opened available -0.92 8.10', 'a statement, newest first');
SELECT is((SELECT s.statement::jsonb -> 'next' FROM pay_api.get_statement(
    '{m1}', '{s2}', '{EUR}', '{NULL}', '{3}') s), '5'::jsonb,
    'the next page begins before 5');
SELECT is((SELECT s.statement::jsonb -> 'next' FROM pay_api.get_statement(
    '{m1}', '{s2}', '{EUR}', '{5}', '{100}') s), 'null'::jsonb,
    'the last page says so');
SELECT is((SELECT jsonb_array_length(s.statement::jsonb -> 'lines')
           FROM pay_api.get_statement('{m1}', '{s2}', '{EUR}', '{5}',
                                      '{100}') s), 4, 'and has the rest');
SELECT is((SELECT string_agg(outcome, ' ' ORDER BY item)
           FROM pay_api.get_statement(
               '{m1,m1,m1,m1,m1,m2}', '{s2,s2,s2,s2,s2,s2}',
               '{EUR,EUR,EUR,EUR,USD,EUR}', '{0,-1,1,NULL,NULL,NULL}',
               '{9,9,9,101,9,9}')),
          'invalid invalid found invalid not_found not_found',
          'hostile pages');

-- a late payment
SELECT b.outcome FROM unnest('{l1,l2}'::text[]) c,
    pg_temp.begin('m1', 'k-' || c, c, ARRAY['o-' || c || ':60'],
                  p_late => CASE c WHEN 'l1' THEN 'hold' ELSE 'refund' END) b
\g /dev/null
SELECT pg_temp.token('m1', c, 't-' || c) FROM unnest('{l1,l2}'::text[]) c
\g /dev/null
SELECT pg_temp.fact('t-' || c, 'expired') FROM unnest('{l1,l2}'::text[]) c
\g /dev/null
SELECT is(pg_temp.fact('t-' || c, 'paid'), 'held', 'late ' || c)
FROM unnest('{l1,l2}'::text[]) c;
SELECT is(pg_temp.lines('late/' || c),
          'psp_clearing stripe 60 USD, suspense stripe -60 USD',
          c || ' is nobody''s')
FROM unnest('{l1,l2}'::text[]) c;
SELECT is(pay_ops.accept_dead_letter(d.dead_letter_id, 'clerk', 'sold'),
          'accepted', 'people accept it')
FROM pay.dead_letter d WHERE d.checkout_id = 'l1' AND d.state = 'open';
SELECT is(pg_temp.lines('order/o-l1'),
          'suspense stripe 60 USD, seller_available seller-1 -60 USD',
          'now it is the seller''s');
SET CONSTRAINTS ALL IMMEDIATE;


\i :checks
SELECT finish();
ROLLBACK;
