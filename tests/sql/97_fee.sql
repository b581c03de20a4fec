-- The marketplace's fee: it is booked with the sale, given back with the money,
-- and its parts sum to the whole.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir payout.psql
SELECT no_plan();

-- fee and VAT of an order as it shows them, and the wallet of its seller
CREATE FUNCTION pg_temp.fee(p_order text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', o.fee_minor, o.fee_tax_minor)
FROM pay.payment_order o WHERE o.payment_order_id = p_order
$$;
CREATE FUNCTION pg_temp.fee_lines(p_order text) RETURNS text
LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', split_part(e.source, '/', 3), e.kind,
    e.amount_minor), ', ' ORDER BY split_part(e.source, '/', 3)::int, e.kind)
FROM pay.journal_entry e
WHERE e.payment_order_id = p_order AND starts_with(e.source, 'fee/')
$$;
CREATE FUNCTION pg_temp.commission(
    p_percent numeric, p_fixed bigint DEFAULT NULL,
    p_minimum bigint DEFAULT NULL, p_maximum bigint DEFAULT NULL,
    p_seller text DEFAULT NULL, p_psp text DEFAULT NULL,
    p_from timestamptz DEFAULT NULL, p_currency text DEFAULT 'USD')
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.set_commission('m1', p_seller, p_psp, p_currency, p_percent,
    p_fixed, p_minimum, p_maximum, p_from, 'ann', 'test')
$$;
CREATE FUNCTION pg_temp.fees(
    p_returns text DEFAULT NULL, p_tax numeric DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.set_fee_policy('m1', p_returns, p_tax, 'ann', 'test')
$$;
CREATE FUNCTION pg_temp.refund(
    p_checkout text, p_order text, p_name text, p_amount bigint)
RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.whole(p_checkout, p_order, 'refund', p_name, p_amount,
                     'DONE', 're-' || p_name)
$$;

-- a merchant without a schedule
SELECT pg_temp.sold('n1', '{n1:1000}')
\g /dev/null
SELECT is(pg_temp.fee('n1'), '', 'an order without terms has no fee');
SELECT is(pg_temp.wallet(), '1000 0 0', 'and its seller has the whole');

-- a sale, two partial refunds, and the rest
SELECT is(pg_temp.fees(NULL, 20), 'stored', 'VAT is set');
SELECT is(pg_temp.commission(12.3456, 30), 'stored', 'a row of the schedule');
SELECT pg_temp.sold('s1', '{s1:1001,s2:500}')
\g /dev/null
SELECT is(pg_temp.fee('s1'), '154 31',
          '12.3456 % of 10.01 are 1.24, and 0.30, and 20 % VAT on that');
SELECT is(pg_temp.fee_lines('s1'), '1 platform_fee 154, 1 platform_fee_tax 31',
          'both are booked');
SELECT is((SELECT string_agg(concat_ws(' ', l.kind, l.line, l.account,
               l.owner, l.amount_minor, l.currency), ', '
               ORDER BY l.kind, l.line)
           FROM pay.journal_line l WHERE l.source = 'fee/s1/1'),
          'platform_fee 1 seller_available seller-1 154 USD, '
          'platform_fee 2 platform_fees - -154 USD, '
          'platform_fee_tax 1 seller_available seller-1 31 USD, '
          'platform_fee_tax 2 tax_on_fees - -31 USD', 'the seller pays them');
SELECT is((SELECT count(DISTINCT e.tx) FROM pay.journal_entry e
           WHERE e.payment_order_id = 's1'), 1::bigint,
          'in the commit of the sale');
SELECT is(pg_temp.fee('s2'), '92 18', 'each order has its own fee');
SELECT is(pg_temp.wallet(), 1000 + 1501 - 154 - 31 - 92 - 18 || ' 0 0',
          'the sellers have the net');
SELECT is(pg_temp.fact('t-s1', 'paid', 'again'), 'unchanged', 'told again');
SELECT is(pg_temp.fee_lines('s1'), '1 platform_fee 154, 1 platform_fee_tax 31',
          'nothing is booked twice');
SELECT pg_temp.change('s1', 'refund', 'asked', 333)
\g /dev/null
SELECT is(pg_temp.fee('s1'), '154 31',
          'a refund that is under way gives nothing back');
SELECT pg_temp.send('s1', 'refund', 'asked'),
    pg_temp.sent('s1', 'refund', 'asked', 'DONE', p_reference => 're-asked')
\g /dev/null
SELECT is(pg_temp.fee('s1'), '103 21', '154 x 333 / 1001 are given back');
SELECT pg_temp.refund('s1', 's1', 'second', 333)
\g /dev/null
SELECT is(pg_temp.fee('s1'), '52 10', 'twice that, less the first part');
SELECT pg_temp.refund('s1', 's1', 'third', 335)
\g /dev/null
SELECT is(pg_temp.fee('s1'), '0 0', 'the whole is given back with the whole');
SELECT is(pg_temp.fee_lines('s1'), '1 platform_fee 154, 1 platform_fee_tax 31,'
    ' 2 platform_fee_returned 51, 2 platform_fee_tax_returned 10,'
    ' 3 platform_fee_returned 51, 3 platform_fee_tax_returned 11,'
    ' 4 platform_fee_returned 52, 4 platform_fee_tax_returned 10',
    'in parts that sum to it');
SELECT is(pg_temp.news('refund', 'failed', 're-third', 335, 't-s1',
                       'pi-s1'), 'applied',
          'a refund that was done comes back');
SELECT is(pg_temp.fee('s1'), '52 10', 'and its part of the fee is due again');

-- disputes: reserved as a whole, the fee goes back when it is lost
SELECT pg_temp.sold('d1', '{d1:1000}'), pg_temp.sold('d2', '{d2:1000}')
\g /dev/null
SELECT pg_temp.news('dispute', 'opened', 'dp-1', 1000, 't-d1', 'pi-d1'),
    pg_temp.news('dispute', 'opened', 'dp-2', 400, 't-d2', 'pi-d2')
\g /dev/null
SELECT is(pg_temp.fee(o), '153 31', 'an open dispute leaves the fee of ' || o)
FROM unnest('{d1,d2}'::text[]) o;
SELECT pg_temp.news('dispute', 'won', 'dp-1', 1000, 't-d1', 'pi-d1'),
    pg_temp.news('dispute', 'lost', 'dp-2', 400, 't-d2', 'pi-d2')
\g /dev/null
SELECT is(pg_temp.fee('d1'), '153 31', 'a dispute that is won, too');
SELECT is(pg_temp.fee('d2'), '92 18', 'one that is lost gives its part back');

-- what the policy says of returns; orders that are sold keep their terms
SELECT is(pg_temp.fees('none', 0), 'stored', 'nothing is given back');
SELECT pg_temp.sold('p1', '{p1:1000}'),
    pg_temp.refund('p1', 'p1', 'p1', 1000)
\g /dev/null
SELECT is(pg_temp.fee('p1'), '153 0', 'not even with the whole');
SELECT is(pg_temp.fees('all'), 'stored', 'all is given back');
SELECT pg_temp.sold('p2', '{p2:1000}'), pg_temp.refund('p2', 'p2', 'p2', 1)
\g /dev/null
SELECT is(pg_temp.fee('p2'), '0 0', 'with the first cent');
SELECT pg_temp.refund('p1', 'p1', 'p1-none', 1)
\g /dev/null
SELECT is(pg_temp.fee('p1'), '153 0', 'an order keeps its terms');
SELECT is(pg_temp.fees('some'), 'invalid', 'an unknown word');
SELECT is(pg_temp.fees(NULL, 100.1), 'invalid', 'more than the whole');
SELECT is(pg_temp.fees(NULL, 1.00001), 'invalid', 'more than 4 decimals');

-- partial captures: the fixed part counts once, and later rows do not
SELECT is(pg_temp.fees('proportional', 0), 'stored', 'in proportion');
SELECT pg_temp.sold('h1', '{h1:1000}', true)
\g /dev/null
SELECT is(pg_temp.fee('h1'), '', 'no fee of money that is held');
SELECT pg_temp.whole('h1', 'h1', 'capture', 'h1-a', 300, 'DONE', 'cap-a')
\g /dev/null
SELECT is(pg_temp.fee('h1'), '67 0', '12.3456 % of 3.00 and 0.30');
SELECT is(pg_temp.commission(50), 'stored', 'another row');
SELECT pg_temp.whole('h1', 'h1', 'capture', 'h1-b', 400, 'DONE', 'cap-b')
\g /dev/null
SELECT is(pg_temp.fee('h1'), '116 0', '12.3456 % of 7.00 and 0.30');
SELECT pg_temp.refund('h1', 'h1', 'h1-r', 350)
\g /dev/null
SELECT is(pg_temp.fee('h1'), '58 0', 'half of it with half of the money');

-- minimum, maximum, and never more than the sale
SELECT is(pg_temp.commission(0, 30, 100, 200), 'stored', 'bounds');
SELECT pg_temp.sold('b1', '{b1:1000}')
\g /dev/null
SELECT is(pg_temp.fee('b1'), '100 0', 'the minimum');
SELECT is(pg_temp.commission(50, 30, 100, 200), 'stored', 'more');
SELECT pg_temp.sold('b2', '{b2:1000,b3:60}')
\g /dev/null
SELECT is(pg_temp.fee('b2'), '200 0', 'the maximum');
SELECT is(pg_temp.fee('b3'), '60 0', 'not more than the sale');
SELECT pg_temp.fees(NULL, 20), pg_temp.sold('b4', '{b4:60,b5:61}')
\g /dev/null
SELECT is(pg_temp.fee('b4'), '50 10', 'VAT included');
SELECT is(pg_temp.fee('b5'), '50 10', 'rounded downwards');
SELECT is(pg_temp.commission(1, 0, 2, 1), 'invalid', 'bounds the other way');
SELECT is(pg_temp.commission(1.23456), 'invalid', '5 decimals');
SELECT is(pg_temp.commission(101), 'invalid', 'more than the whole');
SELECT is(pg_temp.commission(-1), 'invalid', 'less than nothing');
SELECT is(pg_temp.commission(1, -1), 'invalid', 'a negative part');
SELECT is(pg_temp.commission(1, p_currency => 'XXX'), 'invalid', 'no currency');
SELECT is(pg_temp.commission(1, p_from => now() - interval '1 s'), 'past',
          'sales keep the commission of their time');

-- the row that says most about the sale counts
SELECT pg_temp.fees('proportional', 0),
    pg_temp.commission(10, p_seller => NULL),
    pg_temp.commission(20, p_psp => 'stripe'),
    pg_temp.commission(30, p_seller => 'seller-1')
\g /dev/null
CREATE FUNCTION pg_temp.rate(
    p_seller text, p_psp text, p_at timestamptz DEFAULT now(),
    p_currency text DEFAULT 'USD', p_merchant text DEFAULT 'm1')
RETURNS numeric LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT (pay.commission_at(p_merchant, p_seller, p_psp, p_currency,
                          p_at)).percent
$$;
SELECT is(pg_temp.rate('x', 'adyen'), 10.0000, 'all');
SELECT is(pg_temp.rate('x', 'stripe'), 20.0000, 'a PSP before all');
SELECT is(pg_temp.rate('seller-1', 'stripe'), 30.0000, 'a seller before it');
SELECT pg_temp.commission(40, p_seller => 'seller-1', p_psp => 'stripe')
\g /dev/null
SELECT is(pg_temp.rate('seller-1', 'stripe'), 40.0000, 'both before that');
SELECT is(pg_temp.rate('seller-1', 'adyen'), 30.0000, 'for this PSP alone');
SELECT pg_temp.commission(NULL, p_seller => 'seller-1', p_psp => 'stripe'),
    pg_temp.commission(5, p_seller => 'seller-1',
                       p_from => now() + interval '1 day'),
    pg_temp.commission(NULL, p_seller => 'seller-1',
                       p_from => now() + interval '2 days')
\g /dev/null
SELECT is(pg_temp.rate('seller-1', 'stripe'), 30.0000, 'a row that ended');
SELECT is(pg_temp.rate('seller-1', 'stripe', now() + interval '1 day'),
          5.0000, 'a later row of the same key');
SELECT is(pg_temp.rate('seller-1', 'stripe', now() + interval '2 days'),
          20.0000, 'then that of the PSP');
SELECT is(pg_temp.rate('s', 'p', p_currency => 'EUR'), NULL,
          'another currency has none');
SELECT is(pg_temp.rate('s', 'p', p_merchant => 'm2'), NULL,
          'nor has another merchant');

-- late payments: none while they are held
SELECT b.outcome FROM pg_temp.begin('m1', 'k-l1', 'l1', '{l1:1000}',
                                    p_late => 'hold') b
\g /dev/null
SELECT pg_temp.token('m1', 'l1', 't-l1'), pg_temp.fact('t-l1', 'expired'),
    pg_temp.fact('t-l1', 'paid')
\g /dev/null
SELECT is(pg_temp.fee('l1'), '', 'money in suspense');

-- the storefront gives the fee
SELECT is(pg_temp.sold('f1', '{f1:1000,f2:1000,f3:1000}',
              p_terms => '{"fees": [250, null, 0]}'), 'applied', 'with fees');
SELECT is(pg_temp.fee('f1'), '250 0', 'that of the order');
SELECT is(pg_temp.fee('f2'), '300 0', 'that of the schedule');
SELECT is(pg_temp.fee('f3'), '0 0', 'none');
SELECT is(pg_temp.fee_lines('f3'), NULL, 'none is booked');
SELECT pg_temp.sold('f4', '{f4:1000}', true, '{"fees": [333]}'),
    pg_temp.whole('f4', 'f4', 'capture', 'f4-a', 500, 'DONE', 'cap-f4')
\g /dev/null
SELECT is(pg_temp.fee('f4'), '166 0', 'in proportion to the capture');
SELECT pg_temp.whole('f4', 'f4', 'capture', 'f4-b', 500, 'DONE', 'cap-f5')
\g /dev/null
SELECT is(pg_temp.fee('f4'), '333 0', 'the parts sum to the whole');
SELECT is(b.outcome, 'invalid', t::text)
FROM unnest('{"{\"fees\": [-1]}","{\"fees\": [1.5]}","{\"fees\": 1}",
    "{\"fees\": [\"1\"]}"}'::jsonb[]) t,
    pg_temp.begin('m1', 'k-f5', 'f5', '{f5:1000}', p_terms => t) b;
SELECT throws_ok('SELECT pg_temp.sold(''f6'', ''{f6:1000}'', false,
    ''{"fees": [1001]}'')', 'PAY11', NULL, 'more than the order');
SELECT b.outcome FROM pg_temp.begin('m3', 'k-x1', 'x1', '{x1:100}',
                                    p_terms => '{"fees": [7]}') b
\g /dev/null
SELECT pg_temp.token('m3', 'x1', 'tx1'), pg_temp.fact('tx1', 'paid')
\g /dev/null
SELECT is(pg_temp.fee('x1'), '7 0', 'a merchant without a schedule, too');

-- a late payment that an operator accepts, by the row of that time
SELECT b.outcome FROM pg_temp.begin('m1', 'k-l2', 'l2', '{l2:1000}',
                                    p_late => 'accept') b
\g /dev/null
SELECT pg_temp.token('m1', 'l2', 't-l2'), pg_temp.fact('t-l2', 'expired'),
    pg_temp.fact('t-l2', 'paid')
\g /dev/null
SELECT is(pg_temp.fee('l2'), '300 0', 'a late payment that is a sale');
SELECT is((SELECT pay_ops.accept_dead_letter(d.dead_letter_id, 'ann', 'test')
           FROM pay.dead_letter d
           WHERE d.checkout_id = 'l1' AND d.kind = 'late_success'),
          'accepted', 'an operator accepts it');
SELECT is(pg_temp.fee('l1'), '300 0', 'and its fee is booked');

-- a conversion: the fee is converted as a whole
CREATE FUNCTION pg_temp.converted(p_id text, p_amount bigint, p_credit bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM pg_temp.begin('m1', 'k-' || p_id, p_id,
                               ARRAY[p_id || ':' || p_amount]);
    PERFORM pg_temp.token('m1', p_id, 't-' || p_id);
    UPDATE pay.payment_order o
    SET credit_currency = 'JPY', credit_minor = p_credit,
        credit_rate = round(p_credit * 100 / p_amount::numeric, 4),
        credit_until = now() + interval '1 h'
    WHERE o.payment_order_id = p_id;
    PERFORM pg_temp.fact('t-' || p_id, 'paid',
                         p_reference => 'pi-' || p_id);
END
$$;
SELECT pg_temp.fees(NULL, 20), pg_temp.converted('v1', 1000, 1555)
\g /dev/null
SELECT is(pg_temp.fee('v1'), '466 93', '300 x 1.555, and 20 % of that');
SELECT is(pg_temp.wallet('JPY'), 1555 - 466 - 93 || ' 0 0',
          'in the currency of the wallet');
SELECT pg_temp.refund('v1', 'v1', 'v1-a', 333),
    pg_temp.refund('v1', 'v1', 'v1-b', 667)
\g /dev/null
SELECT is(pg_temp.fee('v1'), '0 0', 'the parts sum to it');
SELECT is(pg_temp.wallet('JPY'), '0 0 0', 'and nothing is left');
SELECT pg_temp.converted('v2', 1000, 1), pg_temp.converted('v3', 3, 2)
\g /dev/null
SELECT is(pg_temp.fee('v2'), '0 0', 'a fee that rounds to nothing');
SELECT is((SELECT o.fee_minor + o.fee_tax_minor <= 2 FROM pay.payment_order o
           WHERE o.payment_order_id = 'v3'), true, 'never above the credit');

-- Random orders, schedules and refunds against exact arithmetic: at each
-- step the fee is that of the formula, and with all money the whole is given
-- back.  round() of numeric, which rounds halves away from zero, tells halves
-- apart.
CREATE FUNCTION pg_temp.even(p_value numeric) RETURNS numeric
LANGUAGE sql AS $$
SELECT CASE WHEN p_value - floor(p_value) = 0.5
            THEN floor(p_value) + floor(p_value) % 2
            ELSE round(p_value) END
$$;
CREATE FUNCTION pg_temp.history(p_n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_id      text := 'r' || p_n;
    v_amount  bigint := 1 + floor(random() * 3000);
    v_percent numeric := round((random() * 40)::numeric, 4);
    v_fixed   bigint := floor(random() * 60);
    v_tax     numeric := (ARRAY[0, 7, 19, 20, 25.5])[1 + floor(random() * 5)];
    v_back    bigint := 0;
    v_part    bigint;
    v_whole   numeric;
    v_want    numeric;
BEGIN
    PERFORM pg_temp.fees('proportional', v_tax);
    PERFORM pg_temp.commission(v_percent, v_fixed, p_seller => 'seller-1',
                               p_psp => 'stripe');
    PERFORM pg_temp.sold(v_id, ARRAY[v_id || ':' || v_amount]);
    v_whole := least(floor(v_amount * 100 / (100 + v_tax)),
                     pg_temp.even(v_amount * v_percent / 100) + v_fixed);

    FOR v_step IN 0 .. 3 LOOP
        v_want := v_whole - pg_temp.even(v_whole * v_back / v_amount);
        IF pg_temp.fee(v_id) <> concat_ws(' ', v_want,
                                          pg_temp.even(v_want * v_tax / 100))
        THEN
            RETURN format('%s of %s: %s, not %s', v_back, v_amount,
                          pg_temp.fee(v_id), v_want);
        END IF;
        EXIT WHEN v_back = v_amount;
        v_part := CASE WHEN v_step = 2 THEN v_amount - v_back
            ELSE least(v_amount - v_back,
                       1 + floor(random() * v_amount / 3)) END;
        PERFORM pg_temp.refund(v_id, v_id, v_id || v_step, v_part);
        v_back := v_back + v_part;
    END LOOP;

    RETURN CASE WHEN pg_temp.fee(v_id) <> '0 0' THEN 'left' END;
END
$$;
SELECT setseed(0.19)
\g /dev/null
SELECT is((SELECT string_agg(h, ', ') FROM generate_series(1, 12) n,
           pg_temp.history(n) h), NULL, 'random histories');
SELECT pg_temp.fees('proportional', 0),
    pg_temp.commission(NULL, p_seller => 'seller-1', p_psp => 'stripe')
\g /dev/null
SELECT is((SELECT string_agg(concat_ws(' ', pay.kept_fee('proportional',
               fee, amount, back)), ' ')
           FROM (VALUES (100, 1000, 333), (100, 1000, 1000), (1, 3, 1),
                        (1, 3, 2)) AS t (fee, amount, back)),
          '67 0 1 0', 'halves to even, cumulatively');

-- the schedule and the terms are kept
SELECT throws_ok(s, 'PAY20', NULL, s)
FROM unnest(ARRAY['UPDATE pay.commission SET percent = 1',
    'DELETE FROM pay.commission', 'UPDATE pay.order_fee SET returns = ''all''',
    'DELETE FROM pay.order_fee', 'TRUNCATE pay.order_fee']) s;
SELECT is((SELECT count(*) > 5 FROM pay.payout_act a
           WHERE a.act = 'commission' AND a.who = 'ann'), true,
          'each row of the schedule is an act with a name');

-- the net is paid out, and p1 still owes the fee that it did not get back
SELECT pg_temp.provider(), pg_temp.policy(), pg_temp.account(),
    pg_temp.release('b1', 'b2', 'h1')
\g /dev/null
SELECT is(pg_temp.pay(p_currency => 'USD'), 'made ' || (1000 - 100) + (1000 - 200)
          + (700 - 350 - 58) - 153 || ' USD', 'the lines of an order with its fee');

SET CONSTRAINTS ALL IMMEDIATE;
\i :checks

SELECT finish();
ROLLBACK;
