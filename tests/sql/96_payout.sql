-- Pay-outs up to items that are ready: accounts of sellers, orders that are
-- released and what stops them, the rolling reserve, items and their lines.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
\ir payout.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.stops() RETURNS text
LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT string_agg(concat_ws(' ', o.payment_order_id, o.amount_minor, o.stop),
                  ', ' ORDER BY o.payment_order_id)
FROM pay.open_payout_orders('m1', '{seller-1}', '{USD}') o
$$;
CREATE FUNCTION pg_temp.kept(p_subject text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', a.act, a.who), ', ' ORDER BY a.act_id)
FROM pay.payout_act a WHERE a.subject = p_subject
$$;

CREATE FUNCTION pg_temp.iban(p_text text) RETURNS boolean
LANGUAGE sql SET search_path = pay, pg_temp AS 'SELECT is_iban(p_text)';

-- IBANs: the examples of the registry, and each of them with one wrong digit
SELECT ok(pg_temp.iban(i), i) FROM unnest('{DE89370400440532013000,
    GB29NWBK60161331926819,FR1420041010050500013M02606,NO9386011117947,
    MT84MALT011000012345MTLCAST001S,NL91ABNA0417164300,
    CH9300762011623852957,LC55HEMM000100010012001200023015}'::text[]) i;
SELECT ok(NOT pg_temp.iban(i), coalesce(i, 'NULL')) FROM unnest('{
    DE88370400440532013000,DE89370400440532013001,DE98370400440532013000,
    DE8937040044053201300,DE893704004405320130000,de89370400440532013000,
    "DE89 3704 0044 0532 0130 00",XX89370400440532013000,"",NULL,
    DE0037040044053201300,GB29NWBK60161331926819X}'::text[]) i;
SELECT is_empty($$
    SELECT n FROM generate_series(1, 22) n, generate_series(0, 9) d
    WHERE n > 2 AND substr('DE89370400440532013000', n, 1) <> d::text
        AND pg_temp.iban(overlay('DE89370400440532013000'
                                PLACING d::text FROM n FOR 1))
$$, 'one wrong digit is seen, whichever it is');

-- accounts
SELECT is(pg_temp.account(), 'unfit', 'there is no provider');
SELECT is(pg_temp.provider(), 'stored', 'a provider');
SELECT is(pg_temp.account('DE88370400440532013000'), 'invalid_account',
          'a typing error');
SELECT is(pg_temp.account(p_country => 'FR'), 'invalid_account',
          'the country of another account');
SELECT is(pg_temp.account(p_currency => 'JPY'), 'unfit',
          'a currency that the provider does not pay');
SELECT is(pg_temp.account('x', p_kind => 'payee'), 'unfit',
          'a payee of another provider');
SELECT is(pg_temp.account(p_who => ' '), 'invalid', 'nobody');
SELECT is(pg_temp.account(), 'stored 1', 'the first account');
SELECT is((SELECT concat_ws(' ', d.shown, d.usable_from <= now())
           FROM pay.payout_destination d), 'DE…3000 t',
          'is masked, and usable at once');
SELECT is(pg_temp.account('DE75512108001245126199'), 'stored 2',
          'a change');
SELECT is((SELECT d.usable_from - now() FROM pay.payout_destination d
           WHERE d.version = 2), interval '72 h', 'cools off');
SELECT is(pg_temp.account(p_currency => 'EUR'), 'stored 1',
          'an account in another currency');
SELECT is((SELECT string_agg(concat_ws(' ', o.kind, a.detail ->> 'shown'),
                             ', ' ORDER BY o.act_id)
           FROM pay.payout_outbox o JOIN pay.payout_act a USING (act_id)),
          'destination.entered DE…3000, destination.changed DE…6199, '
          'destination.entered DE…3000', 'each is told');
SELECT is((SELECT count(*) FROM pay.payout_act a
           WHERE a.detail::text ~ '3704|5121'), 0::bigint,
          'no act has a number');
SELECT throws_ok('UPDATE pay.payout_destination SET shown = ''x''', 'PAY20',
                 NULL, 'a version stays as it is');
SELECT throws_ok('DELETE FROM pay.payout_act', 'PAY20', NULL,
                 'an act stays');

-- releases
SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':' || n * 100])
FROM generate_series(1, 6) n
\g /dev/null
SELECT is(pg_temp.pay(p_currency => 'USD'), 'nothing USD',
          'nothing is delivered');
SELECT is(pg_temp.pay('nobody'), 'not_found', 'a seller without a wallet');
SELECT is(pg_temp.stops(), 'o1 100 not_delivered, o2 200 not_delivered, '
    'o3 300 not_delivered, o4 400 not_delivered, o5 500 not_delivered, '
    'o6 600 not_delivered', 'its orders wait');
SELECT is(pg_temp.release('o1', 'o1', 'o2', 'o3', 'o4', 'o9'),
          'released released released released released not_found',
          'four are delivered');
SELECT is(pg_temp.kept('order'),
          'released shop, released shop, released shop, released shop',
          'once each');
SELECT is(pay_ops.unrelease_order('m1', 'o4', 'shop', 'not yet'),
          'unreleased', 'one is not');
SELECT is(pg_temp.pay(p_currency => 'USD'), 'cooling_off 600 USD',
          'the account cools off');
SELECT pg_temp.cooled()
\g /dev/null
SELECT is(pay_ops.hold_payouts('m1', 'seller-1', 'o3', true, 'ann', 'odd'),
          'held', 'an order is held');
SELECT is(pay_ops.hold_payouts('m1', 'seller-1', 'o9', true, 'ann', 'odd'),
          'not_found', 'an order that is not there');
SELECT is(pay_ops.hold_payouts('m1', 'seller-1', NULL, true, 'ann', 'odd'),
          'held', 'the seller is held');
SELECT is(pg_temp.pay(p_currency => 'USD'), 'hold 300 USD', 'nothing goes');
SELECT is(pay_ops.hold_payouts('m1', 'seller-1', NULL, false, 'ann', 'ok'),
          'unheld', 'the seller is free');
SELECT is(pay_ops.set_payout_minimum('m1', 'USD', 301, 'ann', 'test'),
          'stored', 'a minimum');
SELECT is(pg_temp.pay(p_currency => 'USD'), 'minimum 300 USD',
          'is not reached');
SELECT is(pay_ops.set_payout_minimum('m1', 'USD', 300, 'ann', 'test'),
          'stored', 'a lower one');
SELECT is(pg_temp.wallet(), '2100 0 0', 'the wallet before');
SELECT is(pg_temp.pay(p_currency => 'USD'), 'made 300 USD', 'is');
SELECT is(pg_temp.wallet(), '1800 0 300', 'the money is reserved');
SELECT is(pg_temp.items(), 'ready 300 1', 'an item');
SELECT is((SELECT concat_ws(' ', p.left_minor, p.line_count,
                            p.destination_version) FROM pay.payout p),
          '1800 2 2', 'of two lines, to the account as it stands');
SELECT is(pg_temp.booked('pay-out/' || pg_temp.item()),
          'payout_reserved 300', 'its entry');
SELECT is(pg_temp.pay(p_currency => 'USD'), 'nothing USD', 'is made once');
SELECT is(pay_ops.unrelease_order('m1', 'o1', 'shop', 'back'), 'paid_out',
          'a release cannot be taken back');
SELECT is(pg_temp.account(), 'stored 3', 'another account');
SELECT is((SELECT p.destination_version::int FROM pay.payout p), 2,
          'does not touch the item');
SELECT pg_temp.cooled()
\g /dev/null

-- the guards of the schema
SELECT throws_ok(sql, state, NULL, sql) FROM (VALUES
    ('INSERT INTO pay.payout_part (merchant_id, payout_id, seller_account, '
     'currency, wallet_seq) SELECT t.merchant_id, t.payout_id, '
     't.seller_account, t.currency, t.wallet_seq FROM pay.payout_part t',
     '23505'),
    ('UPDATE pay.payout SET amount_minor = 1', 'PAY11'),
    ('UPDATE pay.payout SET destination_version = 3', 'PAY11'),
    ('UPDATE pay.payout SET state = ''paid'', provider_ref = ''x''', 'PAY10'),
    ('UPDATE pay.payout SET state = ''cancelled''', '23514'),
    ('DELETE FROM pay.payout', 'PAY20'),
    ('UPDATE pay.payout_part SET wallet_seq = 4', 'PAY11'),
    ('DELETE FROM pay.payout_part', 'PAY20'),
    ('UPDATE pay.payout_transition SET new_state = ''paid''', 'PAY20'),
    ('INSERT INTO pay.payout SELECT (jsonb_populate_record(p, '
     'jsonb_build_object(''payout_id'', ''x'', ''attempt'', 2, ''state'', '
     '''draft''))).* FROM pay.payout p', '23505'),
    ('INSERT INTO pay.payout SELECT (jsonb_populate_record(p, '
     'jsonb_build_object(''payout_id'', ''x'', ''state'', ''held''))).* '
     'FROM pay.payout p', 'PAY10'),
    ('INSERT INTO pay.payout SELECT (jsonb_populate_record(p, '
     'jsonb_build_object(''payout_id'', ''x'', ''state'', ''sending''))).* '
     'FROM pay.payout p', 'PAY10'),
    ('INSERT INTO pay.payout SELECT (jsonb_populate_record(p, '
     'jsonb_build_object(''payout_id'', ''x'', ''left_minor'', -1))).* '
     'FROM pay.payout p', '23514')
    ) s (sql, state);

-- voiding without the entry that makes the money available again, and the
-- reverse, fail at the commit
CREATE FUNCTION pg_temp.at_commit(p_sql text) RETURNS text
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_state text := 'ok';
BEGIN
    BEGIN
        EXECUTE p_sql;
        SET CONSTRAINTS ALL IMMEDIATE;
        RAISE EXCEPTION 'ok' USING ERRCODE = 'ZZZZZ';
    EXCEPTION WHEN OTHERS THEN
        v_state := SQLSTATE;
    END;
    SET CONSTRAINTS ALL DEFERRED;
    RETURN v_state;
END
$$;
-- an item that is ready at once has its reservation and its lines, too
SELECT is(pg_temp.at_commit('INSERT INTO pay.payout SELECT '
    '(jsonb_populate_record(p, jsonb_build_object(''payout_id'', ''x'', '
    '''number'', 0, ''payout_key'', repeat(''a'', 32)))).* '
    'FROM pay.payout p; ' || sql), 'PAY22', sql) FROM (VALUES
    (''),
    ('SELECT pay.post(ARRAY[pay.payout_posting(p, ''payout_reserved'')]) '
     'FROM pay.payout p WHERE p.payout_id = ''x''')
    ) s (sql);
SELECT is(pg_temp.at_commit(sql), 'PAY22', sql) FROM (VALUES
    ('UPDATE pay.payout SET state = ''cancelled'', voided_at = now()'),
    ('UPDATE pay.payout SET state = ''held''; '
     'UPDATE pay.payout_part SET is_live = false; '
     'UPDATE pay.payout SET reason = ''x'''),
    ('SELECT pay.post(ARRAY[pay.payout_posting(p, ''payout_released'')]) '
     'FROM pay.payout p; UPDATE pay.payout SET reason = ''x''')
    ) s (sql);

-- hold and cancel of an item
SELECT is(pay_ops.hold_payout('m1', pg_temp.item(), true, 'ann',
    'screening'), 'invalid', 'a hold that ends with findings is no person''s');
SELECT is(pay_ops.hold_payout('m1', pg_temp.item(), true, 'ann', 'odd'),
          'held', 'an item is held');
SELECT is(pay_ops.hold_payout('m1', pg_temp.item(), true, 'ann', 'odd'),
          'no_way', 'once');
SELECT is(pay_ops.hold_payout('m1', pg_temp.item(), false, 'ann', 'ok'),
          'ready', 'and goes on');
SELECT is(pay_ops.cancel_payout('m1', 'none', 'ann', 'odd'), 'not_found',
          'an item that is not there');
SELECT is(pay_ops.cancel_payout('m1', pg_temp.item(), 'ann', 'odd'),
          'cancelled', 'it is cancelled');
SELECT is(pay_ops.cancel_payout('m1', pg_temp.item(), 'ann', 'odd'),
          'no_way', 'once');
SELECT is(pg_temp.wallet(), '2100 0 0', 'the money is available again');
SELECT is(pg_temp.pay(p_currency => 'USD'), 'made 300 USD',
          'the same lines are paid again');
SELECT is(pg_temp.items(), 'cancelled 300 1, ready 300 2',
          'as the second attempt of the same key');
SELECT is((SELECT count(DISTINCT p.payout_key) FROM pay.payout p),
          1::bigint, 'of one key');
SELECT is(pg_temp.kept('payout'), 'made max, held ann, ready ann, '
          'cancelled ann, made max', 'the timeline');

-- a refund and a dispute stop their order; what an order owes is netted
SELECT is(pg_temp.change('o2', 'refund', 'back', 50),
          'created refund NOT_STARTED 50', 'a refund of what was paid out');
SELECT is(pg_temp.release('o4', 'o5', 'o6'), 'released released released',
          'three more');
SELECT pg_temp.news('dispute', 'opened', 'dp-1', 500, 't-c5')
\g /dev/null
SELECT is(pg_temp.change('o6', 'refund', 'part', 100),
          'created refund NOT_STARTED 100', 'a refund');
SELECT is(pg_temp.pay(p_currency => 'USD'), 'made 350 USD',
          'the next item bears the refund of the last one');
SELECT is(pg_temp.stops(), 'o3 300 hold, o5 0 dispute, o6 500 refund',
          'the others wait');

-- the release by time
SELECT is(pg_temp.policy('days', 14), 'stored', 'fourteen days');
SELECT pg_temp.sold('c7', '{o7:700}')
\g /dev/null
SELECT is(pg_temp.pay(p_currency => 'USD'), 'nothing USD', 'too early');
SELECT alike(pg_temp.stops(), '%o7 700 too_early', 'it says so');
SELECT is(pg_temp.policy('both', 0), 'stored', 'both');
SELECT alike(pg_temp.stops(), '%o7 700 not_delivered', 'not delivered');
SELECT is(pg_temp.policy('either', 14), 'stored', 'either');
SELECT alike(pg_temp.stops(), '%o7 700 not_delivered', 'none of both');
SELECT is(pg_temp.policy('days', 0, true), 'stored', 'and settled');
SELECT alike(pg_temp.stops(), '%o7 700 not_settled', 'it is not settled');
SELECT pg_temp.import('day', ARRAY['s7|sale|ch-7|pi-c7||700|0|700'])
\g /dev/null
SELECT is(pg_temp.pay(p_currency => 'USD'), 'made 700 USD', 'it is');
SELECT pg_temp.begin('m1', 'k-late', 'clate', '{olate:500}', p_late => 'hold'),
    pg_temp.token('m1', 'clate', 't-clate'), pg_temp.fact('t-clate', 'expired',
        p_source => 'gateway'), pg_temp.fact('t-clate', 'paid',
        p_reference => 'pi-clate')
\g /dev/null
SELECT is(pay_ops.accept_dead_letter(d.dead_letter_id, 'ann', 'sold'),
    'accepted', 'a late payment that is accepted')
FROM pay.dead_letter d WHERE d.checkout_id = 'clate';
SELECT is(pg_temp.pay(p_currency => 'USD'), 'nothing USD', 'is not paid out');
SELECT alike(pg_temp.stops(), '%olate 500 not_settled', 'without a file, too');
SELECT pg_temp.import('late', ARRAY['slate|sale|ch-late|pi-clate||500|0|500'])
\g /dev/null
SELECT is(pg_temp.pay(p_currency => 'USD'), 'made 500 USD', 'and has one');
SELECT is(pay_ops.set_payout_policy('m1', 'ann', 'test', 'never'), 'invalid',
          'a rule that is not known');
SELECT is(pay_ops.set_payout_policy('m1', 'ann', 'test',
    p_reserve_percent => 51), 'invalid', 'half is the most');

-- the rolling reserve, half to even
SELECT is(pg_temp.policy('days', 0, false, 2.5), 'stored', 'a reserve');
SELECT pg_temp.sold('c8', '{o8:100}'), pg_temp.sold('c9', '{o9:140}')
\g /dev/null
SELECT is(pay_ops.set_payout_minimum('m1', 'USD', 1, 'ann', 'test'),
          'stored', 'no minimum');
SELECT is(pg_temp.pay(p_currency => 'USD'), 'made 234 USD',
          '2 of 100 (2.5) and 4 of 140 (3.5) stay');
SELECT is((SELECT string_agg(concat_ws(' ', e.source, e.kind,
               e.amount_minor), ', ' ORDER BY e.source, e.kind)
           FROM pay.journal_entry e WHERE e.kind LIKE 'reserve%'),
          'reserve/order/o3 reserve_held 8, reserve/order/o5 reserve_held 12,'
          ' reserve/order/o5 reserve_released 12,'
          ' reserve/order/o6 reserve_held 15, reserve/order/o8 reserve_held 2,'
          ' reserve/order/o9 reserve_held 4',
          'as entries, of all sales that are not paid out and not disputed');
SELECT is(pg_temp.pay(p_currency => 'USD'), 'nothing USD', 'once');
SELECT is(pg_temp.stops(), 'o3 292 hold, o5 0 dispute, o6 485 refund',
          'the reserve of a disputed order is borne by no other one');
UPDATE pay.payout_reserve SET until = now() WHERE source LIKE '%o9';
SELECT is(pg_temp.pay(p_currency => 'USD'), 'made 4 USD',
          'the time of one is over');
SELECT is((SELECT count(*) FROM pay.journal_entry e
           WHERE e.kind = 'reserve_released'
               AND e.source LIKE '%o9'), 1::bigint, 'one entry');

-- a dispute leaves less of an order than is reserved of it
SELECT is(pg_temp.policy('days', 0, false, 20), 'stored', 'a larger reserve');
SELECT pg_temp.sold('c10', '{o10:1000}'),
    pg_temp.news('dispute', 'opened', 'dp-2', 900, 't-c10')
\g /dev/null
SELECT is(pg_temp.pay(p_currency => 'USD'), 'nothing USD', 'it is disputed');
SELECT is(pg_temp.booked('reserve/order/o10'),
          'reserve_held 200, reserve_released 200', 'its reserve ends');
SELECT is(pg_temp.stops(), 'o10 100 dispute, o3 292 hold, o5 0 dispute, '
    'o6 485 refund', 'no other order is short of it');

-- who may do it
SELECT is(pg_temp.run_as('payments_gateway', sql), '42501', sql)
FROM (VALUES ('SELECT * FROM pay.payout'),
    ('SELECT pay_ops.cancel_payout(''m1'', ''x'', ''me'', ''why'')'),
    ('SELECT pay.make_payouts(''m1'', ''{s}'', ''{USD}'', ''me'')')) s (sql);
SELECT is(pg_temp.run_as('payments_auditor', sql), '42501', sql)
FROM (VALUES
    ('SELECT pay_ops.cancel_payout(''m1'', ''x'', ''me'', ''why'')'),
    ('UPDATE pay.payout SET reason = ''x''')) s (sql);

SET CONSTRAINTS ALL IMMEDIATE;
\i :checks

SELECT finish();
ROLLBACK;
