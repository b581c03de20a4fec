-- Settlement files: what rows tell that nobody has told before, disputes,
-- conversions, reserves, taxes, and payouts that come back.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'])
FROM generate_series(1, 30) n
\g /dev/null

-- orders that nobody has heard of: open, failed, without a token
SELECT outcome FROM pg_temp.begin('m1', 'k1', 'e1', ARRAY['oe1:1000'])
\g /dev/null
SELECT pg_temp.token('m1', 'e1', 't-e1')
\g /dev/null
SELECT outcome FROM pg_temp.begin('m1', 'k2', 'e2', ARRAY['oe2:1000'])
\g /dev/null
SELECT pg_temp.token('m1', 'e2', 't-e2')
\g /dev/null
SELECT pg_temp.fact('t-e2', 'declined')
\g /dev/null
SELECT outcome FROM pg_temp.begin('m1', 'k3', 'e3', ARRAY['oe3:1000'])
\g /dev/null
SELECT pg_temp.no_token('m1', 'e3', 'unknown')
\g /dev/null
SELECT outcome FROM pg_temp.begin('m1', 'k4', 'e4', ARRAY['oe4:1000'],
    p_late => 'hold')
\g /dev/null
SELECT pg_temp.token('m1', 'e4', 't-e4')
\g /dev/null
SELECT pg_temp.fact('t-e4', 'expired', p_source => 'gateway')
\g /dev/null

SELECT is(pg_temp.import('news', ARRAY[
    'e1|sale|ch-e1|pi-e1|oe1|1000|-30|970',
    'e2|sale|ch-e2|t-e2||1000|-30|970',
    'e3|sale|ch-e3|pi-e3|oe3|1000|-30|970',
    'e4|sale|ch-e4|t-e4||1000|-30|970'], p_step => 1),
    'booked 4 0 4 0 0', 'sales of open orders');
SELECT is(pg_temp.found('e1', 'e2', 'e3', 'e4'), '1 confirmed reference,'
    ' 1 confirmed object, 1 confirmed reference, 1 confirmed object',
    'are confirmed by the file');
SELECT is(array_agg(pg_temp.status('m1', 'oe' || n) ORDER BY n)::text,
    '{SUCCESS,SUCCESS,SUCCESS,FAILED/expired}', 'the orders have moved')
FROM generate_series(1, 4) n;
SELECT is((SELECT string_agg(DISTINCT e.actor || ' ' || (e.detail ->> 'via'),
                             ', ') FROM pay.event e
    WHERE e.payment_order_id LIKE 'oe_' AND e.detail ->> 'via' IS NOT NULL),
    'webhook settlement', 'as by a webhook, via settlement');
SELECT is((SELECT string_agg(concat_ws(' ', i.event_id, i.state, i.via), ', '
                             ORDER BY i.event_id)
    FROM pay.webhook_inbox i WHERE i.via = 'settlement'),
    'settlement/stripe/e1 applied settlement, settlement/stripe/e2 applied'
    ' settlement, settlement/stripe/e3 applied settlement,'
    ' settlement/stripe/e4 held settlement', 'they are in the inbox');
SELECT is(pg_temp.booked('late/e4'), 'late_held 1000', 'a policy is obeyed');
SELECT is(pg_temp.fact('t-e1', 'paid', p_reference => 'pi-e1'), 'unchanged',
          'the webhook may come after all');

-- made in the PSP's dashboard
SELECT is(pg_temp.import('dashboard', ARRAY[
    'f1|refund|re-f1|pi-c1||-300|9|-291', 'f2|refund|re-f2|pi-c1||-200|0|-200',
    'f3|dispute|dp-f3|pi-c2||-1000|-15|-1015']), 'booked 3 0 3 0 0',
    'refunds and a dispute that nobody asked for');
SELECT is(pg_temp.found('f1', 'f2', 'f3'),
    '1 confirmed object, 1 confirmed object, 1 disputed', 'are known now');
SELECT is(pg_temp.money('o1') || ' / ' || pg_temp.money('o2'),
          '0 1000 0 500 0 / 0 1000 0 0 1000', 'the orders have them');
SELECT is(pg_temp.entries('f1') || ' / ' || pg_temp.entries('f3'),
    'psp_fee_returned 9 USD, settled_refund 300 USD'
    ' / psp_disputed 1000 USD, psp_fee 15 USD', 'booked');
SELECT is(pg_temp.news('refund', 'succeeded', 're-f1', 300, 't-c1'),
          'unchanged', 'the webhook comes later');

-- a dispute that is lost moves nothing more at the PSP
SELECT is(pg_temp.holds('USD', 'psp_reserve', 'chargebacks'), '1000 0',
          'taken when it was opened');
SELECT is(pg_temp.news('dispute', 'lost', 'dp-f3', 1000, 't-c2'), 'applied',
          'and lost');
SELECT is(pg_temp.import('next', ARRAY['g1|fee||||0|-1|-1']),
          'booked 1 0 1 0 0', 'at the next file');
SELECT is(pg_temp.holds('USD', 'psp_reserve', 'chargebacks'), '0 0',
          'the books say so');

-- one that is won comes back
SELECT is(pg_temp.news('dispute', 'opened', 'dp-h', 400, 't-c3'), 'applied',
          'opened');
SELECT is(pg_temp.import('taken', ARRAY[
    'h1|dispute|dp-h|pi-c3||-400|0|-400']), 'booked 1 0 1 0 0', 'taken');
SELECT is(pg_temp.import('back', ARRAY[
    'h2|dispute_returned|dp-h|pi-c3||400|15|415']), 'booked 1 0 1 0 0',
    'given back, before anybody has told us');
SELECT is(pg_temp.found('h1', 'h2') || ' / ' || pg_temp.entries('h2'),
    '1 disputed object, 1 ended object'
    ' / psp_dispute_won 400 USD, psp_fee_returned 15 USD', 'won');
SELECT is((SELECT string_agg(d.state, ' ') FROM pay.dispute d
           WHERE d.dispute_id = 'dp-h'), 'won', 'the dispute is won');
SELECT is(pg_temp.holds('USD', 'psp_reserve'), '0', 'nothing is held');

-- one dispute, told twice in a file
SELECT is(pg_temp.import('taken twice', ARRAY[
    'h3|dispute|dp-h3|pi-c14||-70|-5|-75',
    'h4|dispute|dp-h3|pi-c14||-70|0|-70']), 'booked 2 0 1 1 0',
    'a dispute that stands there twice');
SELECT is(pg_temp.found('h3', 'h4') || ' / ' || pg_temp.entries('h3'),
    '1 disputed, 2 duplicate / psp_disputed 70 USD, psp_fee 5 USD',
    'takes its money once');

-- lost before the row comes
SELECT is(pg_temp.news('dispute', 'lost', 'dp-i', 250, 't-c4'), 'applied',
          'lost');
SELECT is(pg_temp.import('lost', ARRAY['i1|dispute|dp-i|pi-c4||-250|0|-250']),
          'booked 1 1 0 0 0', 'and then in a file');
SELECT is(pg_temp.entries('i1'), 'settled_chargeback 250 USD', 'booked');

-- a refund that comes back
SELECT is(pg_temp.import('returned', ARRAY[
    'j1|refund|re-j|pi-c5||-100|0|-100',
    'j2|refund_returned|re-j|pi-c5||100|0|100']), 'booked 2 0 2 0 0',
    'a refund and its return in one file');
SELECT is(pg_temp.import('returned later', ARRAY[
    'j3|refund_returned|re-f2|pi-c1||200|0|200']), 'booked 1 0 1 0 0',
    'the return in the next one');
SELECT is(pg_temp.entries('j3') || ' / ' || pg_temp.money('o1'),
    'settled_refund_returned 200 USD / 0 1000 0 300 0', 'booked');

SELECT is(pg_temp.import('returned first', ARRAY[
    'j4|refund_returned|re-j4|pi-c11||100|0|100',
    'j5|refund|re-j4|pi-c11||-100|0|-100']), 'booked 2 0 2 0 0',
    'rows come unsorted: the return stands before its refund');
SELECT is(pg_temp.money('o11'), '0 1000 0 0 0', 'the order has it back');

-- a fee that a webhook has told
SELECT is(pg_temp.news('fee', 'succeeded', 'fee-k', 30, 't-c6'), 'applied',
          'told');
SELECT is(pg_temp.import('fee', ARRAY['k1|sale|ch-6|pi-c6||1000|-30|970']),
          'booked 1 1 0 0 0', 'and in a row');
SELECT is(pg_temp.entries('k1'), NULL, 'is booked once');

-- by hand: captured in part at the PSP, in two rows
SELECT pg_temp.sold('man', ARRAY['oman:8000'], true)
\g /dev/null
SELECT is(pg_temp.import('capture', ARRAY[
    'l1|sale|ch-l|pi-man||5000|-100|4900']), 'booked 1 0 1 0 0',
    'a capture that was made at the PSP');
SELECT is(pg_temp.money('oman'), '3000 5000 0 0 0', 'is captured');
SELECT pg_temp.sold('man2', ARRAY['oman2:8000'], true)
\g /dev/null
SELECT pg_temp.whole('man2', 'oman2', 'capture', 'cap2', 5000, 'DONE')
\g /dev/null
SELECT is(pg_temp.import('reversal', ARRAY[
    'l2|sale|ch-l2|pi-man2||8000|-100|7900',
    'l3|sale_returned|ch-l2|pi-man2||-3000|0|-3000']), 'booked 2 2 0 0 0',
    'the whole, and what was not captured of it');
SELECT is(pg_temp.found('l2', 'l3'), '0 matched group, 0 matched group',
          'are one group');

-- conversions: in a row, and as rows of their own
SELECT is(pg_temp.import('converted', ARRAY[
    'm1|sale|ch-7|pi-c7||925|-25|900|EUR|1000|USD',
    'm2|refund|re-m|pi-c7||-93|0|-93|EUR|-100|USD',
    'm3|sale|ch-8|pi-c8||1000|0|1000',
    'm4|conversion|cv-1|ch-8||-1000|0|-1000',
    'm5|conversion|cv-2|ch-8||910|0|910|EUR',
    'm6|conversion|cv-3|ch-9||5|0|5|EUR']), 'booked 6 2 3 1 0', 'conversions');
SELECT is(pg_temp.entries('m1') || ' / ' || pg_temp.entries('m2') || ' / '
    || pg_temp.entries('m4'), 'psp_fee 25 EUR, settled_fx 1000 USD 925 EUR'
    ' / settled_fx 93 EUR 100 USD, settled_refund 100 USD'
    ' / settled_fx 1000 USD 910 EUR', 'both currencies');
SELECT is(pg_temp.found('m5', 'm6'), '1 converted group, 2 unpaired',
          'one side alone waits');

-- reserves, taxes, what is carried, what moves nothing
SELECT is(pg_temp.import('reserve', ARRAY['n1|withheld||||-500|0|-500',
    'n2|released||||200|0|200', 'n3|tax||||0|0|-19||||| -19',
    'n4|transfer||||-70|0|-70', 'n5|memo||||0|0|0',
    'n6|fee||||0|-100|-119|||||-19']), 'booked 6 1 5 0 0', 'reserve');
SELECT is(pg_temp.holds('USD', 'psp_reserve', 'vat_input'), '370 38',
          'withheld, and taxes');

-- settled by somebody else: on its way to the bank, but not from this PSP
SELECT is(pg_temp.import('external', ARRAY[
    'p1|sale|ch-10|pi-c10||1000|-30|970|||||||e']), 'booked 1 1 0 0 0',
    'external');
SELECT is(pg_temp.entries('p1'), 'psp_fee 30 USD, psp_paid_out 970 USD',
          'paid out by somebody else');

-- a payout that comes back, a negative one
SELECT is(pg_temp.import('payout', ARRAY[
    'q1|payout|po-q|||-300|0|-300||||po-q']), 'booked 1 0 1 0 0', 'paid out');
SELECT is(pg_temp.import('payout back', ARRAY[
    'q2|payout_returned|po-q|||300|0|300||||po-q',
    'q3|payout|po-q3|||50|0|50||||po-q3']), 'booked 2 0 2 0 0', 'came back');
SELECT is(pg_temp.entries('q2') || ' / ' || pg_temp.entries('q3'),
    'psp_payout_returned 300 USD / psp_debited 50 USD', 'booked');
SELECT is((SELECT count(*) FROM pay.settlement_closed c
           WHERE c.source LIKE 'payout/%'), 2::bigint,
          'nothing more is expected of it');

-- found by its id, though the next payout brings it back; by its name at the
-- bank; by nothing but its amount, where no other is of that amount
SELECT is(pg_temp.import('payouts', ARRAY[
    'r1|payout|po-r1|||-301|0|-301||||po-r1', 'r2|payout||||-302|0|-302||||7'
    '||||TX7XT', 'r3|payout|po-r3|||-303|0|-303||||po-r3',
    'r4|payout|po-r4|||-304|0|-304||||po-r4',
    'r5|payout|po-r5|||-304|0|-304||||po-r5']), 'booked 5 0 5 0 0', 'paid out');
SELECT is(pg_temp.import('next payout', ARRAY[
    's1|payout_returned|po-r1|||301|0|301||||po-s',
    's2|payout_returned||||302|0|302||||po-s||||TX7XT',
    's3|payout_returned||||303|0|303||||po-s',
    's4|payout_returned||||304|0|304||||po-s',
    's5|payout|po-s|||-1210|0|-1210||||po-s']), 'booked 5 0 5 0 0',
    'they are paid out again');
SELECT is((SELECT string_agg(c.source, ' ' ORDER BY c.source)
           FROM pay.settlement_closed c
           WHERE c.source ~ '/[rs][0-9]$' AND c.kind = 'psp_paid_out'),
    'payout/stripe/1/r1 payout/stripe/1/r2 payout/stripe/1/r3',
    'each closes its payout, but where two could be it');
SELECT is(pg_temp.import('returned and wrong', ARRAY[
    't1|payout_returned|po-r4|||304|0|304||||po-t',
    't2|sale|ch-none|pi-none||10|0|10||||po-t',
    't3|payout|po-t|||-313|0|-313||||po-t']),
    'refused 3 0 0 0 0 payout po-t of USD is 313 and its rows sum to 314',
    'a payout that is not the sum of its rows');

-- money in suspense was the source's merchant's; the payment is another's
SELECT is(pg_temp.import('m2', ARRAY['v1|sale|ch-v|pi-v||300|-4|296']),
          'booked 1 0 0 0 1', 'nobody knows it');
SELECT outcome FROM pg_temp.begin('m2', 'kv', 'v', ARRAY['ov:300'])
\g /dev/null
SELECT pg_temp.token('m2', 'v', 't-v')
\g /dev/null
SELECT is(pg_temp.fact('t-v', 'paid', p_reference => 'pi-v'), 'applied',
          'it is a payment of another merchant');
SELECT is(pg_temp.import('m2 again', ARRAY['v2|fee||||0|-1|-1']),
          'booked 1 0 1 0 0', 'with the next file');
SELECT is((SELECT string_agg(concat_ws(' ', e.merchant_id, e.kind), ', '
                             ORDER BY e.kind)
    FROM pay.journal_entry e WHERE e.source = 'settlement/stripe/1/v1'),
    'm2 psp_fee, m1 unknown_receipt, m1 unknown_receipt_cleared',
    'suspense is cleared where it was filled');

-- a capture whose answer nobody has got: the PSP's id is not known, our
-- reference is; it tells when the checkout was made
CREATE OR REPLACE FUNCTION pg_temp.uuid(p_id text) RETURNS text
LANGUAGE sql AS $$
SELECT overlay(overlay(md5(p_id) PLACING lpad(to_hex((extract(epoch
    FROM now()) * 1000)::bigint), 12, '0') FROM 1 FOR 12)
    PLACING '79c28' FROM 13 FOR 5)::uuid::text
$$;
CREATE FUNCTION pg_temp.reference(p_checkout text, p_tail text DEFAULT '')
RETURNS text LANGUAGE sql AS $$
SELECT c.checkout_uuid || p_tail FROM pay.checkout c
WHERE c.checkout_id = p_checkout
$$;
SELECT b.outcome
FROM generate_series(1, 3) n,
    pg_temp.begin('m1', 'ku' || n, 'u' || n, ARRAY['ou' || n || ':1000']) b
\g /dev/null
SELECT pg_temp.token('m1', 'u' || n, 't-u' || n) FROM generate_series(1, 3) n
\g /dev/null
SELECT is(pg_temp.import('references', ARRAY[
    'u1|sale|ch-u1|pi-u1|' || pg_temp.reference('u1') || '|1000|-30|970',
    'u2|sale|ch-u2|pi-u2|' || pg_temp.reference('u2', '-held')
        || '|1000|-30|970',
    'u3|sale|ch-u3|pi-u3|' || upper(pg_temp.reference('u3'))
        || '|1000|-30|970']), 'booked 3 0 2 0 1', 'by our reference');
SELECT is(pg_temp.found('u1', 'u2', 'u3'), '1 confirmed reference,'
    ' 1 confirmed reference, 3 unknown', 'as it was sent');
SELECT is(array_agg(pg_temp.status('m1', 'ou' || n) ORDER BY n)::text,
    '{SUCCESS,SUCCESS,EXECUTING}', 'the orders have moved')
FROM generate_series(1, 3) n;

-- a payout's return that is imported before the payout
SELECT is(pg_temp.import('return first', ARRAY[
    'w1|payout_returned|po-w|||305|0|305||||po-w2',
    'w2|payout_returned||||306|0|306||||po-w2']), 'booked 2 0 2 0 0',
    'two payouts came back that nobody knows');
SELECT is(pg_temp.import('payout later', ARRAY[
    'w3|payout|po-w|||-305|0|-305||||po-w',
    'w4|payout||||-306|0|-306||||po-w4']), 'booked 2 0 2 0 0',
    'their own rows come later');
SELECT is(pg_temp.import('paid again', ARRAY[
    'w5|payout_returned||||307|0|307||||po-w6',
    'w6|payout||||-307|0|-307||||po-w6']), 'booked 2 0 2 0 0',
    'one is paid out again, and was made before all files');
SELECT is(pg_temp.import('collected', ARRAY[
    'w7|payout|po-w7|||60|0|60||||po-w7']), 'booked 1 0 1 0 0', 'collected');
SELECT is(pg_temp.import('given back', ARRAY[
    'w8|payout_returned|po-w7|||-60|0|-60||||po-w8']), 'booked 1 0 1 0 0',
    'and given back');
SELECT is((SELECT string_agg(substr(c.source, 17) || ' ' || c.kind, ', '
                             ORDER BY c.source)
           FROM pay.settlement_closed c WHERE c.source ~ '/w[0-9]$'),
    'w1 psp_payout_returned, w2 psp_payout_returned, w3 psp_paid_out,'
    ' w4 psp_paid_out, w7 psp_debited, w8 psp_paid_out',
    'each closes its payout, whichever came first');

-- rows of disputes that name the payment alone, as PayPal's do
CREATE FUNCTION pg_temp.waits(VARIADIC p_keys text[]) RETURNS text
LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', r.row_key, x.finding,
                            coalesce(x.closed_as, 'waits')), ', '
                  ORDER BY r.row_key)
FROM pay.settlement_row r
JOIN pay.settlement_exception x ON x.row_id = r.row_id
WHERE r.row_key = ANY (p_keys)
$$;
SELECT is(pg_temp.import('unnamed', ARRAY[
    'x1|dispute||pi-c20||-150|-5|-155']), 'booked 1 0 0 1 0',
    'a dispute without its id');
SELECT is(pg_temp.waits('x1') || ' / '
    || (SELECT count(*) FROM pay.dispute d WHERE d.checkout_id = 'c20'),
    'x1 early waits / 0', 'waits, and makes no dispute of its own');
SELECT is(pg_temp.news('dispute', 'opened', 'PP-D-1', 150, 't-c20'),
          'applied', 'until the webhook comes');
SELECT is(pg_temp.import('unnamed next', ARRAY['x2|fee||||0|-1|-1']),
          'booked 1 0 1 0 0', 'at the next file');
SELECT is(pg_temp.waits('x1') || ' / ' || pg_temp.entries('x1') || ' / '
    || (SELECT count(*) FROM pay.dispute d WHERE d.checkout_id = 'c20'),
    'x1 early matched / psp_disputed 150 USD, psp_fee 5 USD / 1',
    'it leaves the queue by itself');
SELECT is(pg_temp.holds('USD', 'psp_reserve'), '520',
          'and its money is held');

SELECT is(pg_temp.news('dispute', 'opened', 'PP-D-2', 70, 't-c21')
    || pg_temp.news('dispute', 'opened', 'PP-D-3', 70, 't-c21'),
    'appliedapplied', 'two disputes of one payment and amount');
SELECT is(pg_temp.import('two unnamed', ARRAY[
    'x3|dispute||pi-c21||-70|0|-70', 'x4|dispute||pi-c21||-70|0|-70']),
    'booked 2 0 1 1 0', 'and a row of each');
SELECT is(pg_temp.waits('x3', 'x4') || ' / ' || pg_temp.entries('x3') || ' / '
    || pg_temp.entries('x4'),
    'x4 early matched / psp_disputed 70 USD / psp_disputed 70 USD',
    'take the money of both');
SELECT is(pg_temp.import('unnamed back', ARRAY[
    'x5|dispute_returned||pi-c21||70|0|70',
    'x6|dispute_returned||pi-c21||70|0|70']), 'booked 2 0 1 1 0', 'both');
SELECT is(pg_temp.waits('x5', 'x6') || ' / ' || pg_temp.entries('x5') || ' / '
    || pg_temp.entries('x6'),
    'x6 early matched / psp_dispute_won 70 USD / psp_dispute_won 70 USD',
    'are given back');
SELECT is((SELECT count(DISTINCT h.dispute_id) FROM pay.settlement_hold h
           WHERE h.checkout_id = 'c21' AND h.ended_at IS NOT NULL),
          2::bigint, 'each its own');

-- a second dispute of the same amount that has an id
SELECT is(pg_temp.import('second dispute', ARRAY[
    'x7|dispute|dp-x7|pi-c22||-80|0|-80']), 'booked 1 0 1 0 0', 'one');
SELECT is(pg_temp.import('third dispute', ARRAY[
    'x8|dispute|dp-x8|pi-c22||-80|0|-80']), 'booked 1 0 1 0 0', 'and another');
SELECT is((SELECT string_agg(d.dispute_id, ' ' ORDER BY d.dispute_id)
           FROM pay.dispute d WHERE d.checkout_id = 'c22'), 'dp-x7 dp-x8',
          'are two');

-- rows that come before their payment is known, or paid
SELECT outcome FROM pg_temp.begin('m1', 'ky', 'y1', ARRAY['oy1:1000'])
\g /dev/null
SELECT pg_temp.token('m1', 'y1', 't-y1')
\g /dev/null
SELECT is(pg_temp.import('before', ARRAY[
    'y1|dispute|dp-y1|t-y1||-40|-5|-45', 'y2|dispute|dp-y2|pi-y2||-50|-5|-55',
    'y3|refund|re-y3|pi-y2||-30|0|-30', 'y4|dispute_returned|dp-y2|pi-y2'
    '||50|0|50']), 'booked 4 0 0 1 3', 'payments that are not known or paid');
SELECT is(pg_temp.waits('y1', 'y2', 'y3', 'y4'), 'y1 early waits,'
    ' y2 unknown waits, y3 unknown waits, y4 unknown waits', 'rows wait');
SELECT is(pg_temp.import('still before', ARRAY['y5|fee||||0|-1|-1']),
          'booked 1 0 1 0 0', 'for as long as that is so');
SELECT is(pg_temp.waits('y1', 'y2', 'y3', 'y4'), 'y1 early waits,'
    ' y2 unknown waits, y3 unknown waits, y4 unknown waits', 'they wait on');
SELECT outcome FROM pg_temp.begin('m1', 'ky2', 'y2', ARRAY['oy2:1000'])
\g /dev/null
SELECT pg_temp.token('m1', 'y2', 't-y2')
\g /dev/null
SELECT is(pg_temp.fact('t-y1', 'paid', p_reference => 'pi-y1')
    || pg_temp.fact('t-y2', 'paid', p_reference => 'pi-y2'),
    'appliedapplied', 'then they are paid');
SELECT is(pg_temp.import('after', ARRAY['y6|fee||||0|-1|-1']),
          'booked 1 0 1 0 0', 'and the next file comes');
SELECT is(pg_temp.waits('y1', 'y2', 'y3', 'y4'), 'y1 early matched,'
    ' y2 unknown matched, y3 unknown matched, y4 unknown matched',
    'all of them leave by themselves');
SELECT is((SELECT string_agg(d.dispute_id || ' ' || d.state, ', '
                             ORDER BY d.dispute_id)
           FROM pay.dispute d WHERE d.checkout_id IN ('y1', 'y2')),
          'dp-y1 open, dp-y2 won', 'the disputes are known');
SELECT is(pg_temp.money('oy2'), '0 1000 0 30 0', 'and the refund');
SELECT is(pg_temp.entries('y2') || ' / ' || pg_temp.entries('y4'),
    'psp_disputed 50 USD, psp_fee 5 USD, unknown_debit 55 USD,'
    ' unknown_debit_cleared 55 USD / psp_dispute_won 50 USD, unknown_receipt'
    ' 50 USD, unknown_receipt_cleared 50 USD', 'booked, out of suspense');

-- given back by an earlier file than the one that took it
SELECT is(pg_temp.news('dispute', 'opened', 'dp-z', 90, 't-c23')
    || pg_temp.news('dispute', 'won', 'dp-z', 90, 't-c23'), 'appliedapplied',
    'won');
SELECT is(pg_temp.import('back first', ARRAY[
    'z1|dispute_returned|dp-z|pi-c23||90|0|90']), 'booked 1 0 0 1 0',
    'the money comes back that nobody saw go');
SELECT is(pg_temp.import('taken later', ARRAY[
    'z2|dispute|dp-z|pi-c23||-90|0|-90']), 'booked 1 0 1 0 0',
    'and goes in a later file');
SELECT is(pg_temp.waits('z1') || ' / ' || pg_temp.entries('z1'),
          'z1 early matched / psp_dispute_won 90 USD', 'that is all');

-- rounding: a converted amount may be a minor unit away, and no other
SELECT pg_temp.sold('r' || n, ARRAY['or' || n || ':1000'])
FROM generate_series(1, 12) n
\g /dev/null
SELECT pg_temp.sold('rs', ARRAY['ors1:600', 'ors2:400'])
\g /dev/null
SELECT pg_temp.news('refund', 'succeeded', 're-r3', 100, 't-r3')
\g /dev/null
SELECT pg_temp.holds('USD', 'rounding', 'psp_clearing') AS before
\gset
SELECT is(pg_temp.import('rounded', ARRAY[
    'ra|sale|ch-r1|pi-r1||925|-25|900|EUR|1001|USD',
    'rb|sale|ch-r2|pi-r2||924|-25|899|EUR|999|USD',
    'rc|refund|re-r3|pi-r3||-92|0|-92|EUR|-99|USD',
    'rd|sale|ch-rs|pi-rs||925|0|925|EUR|1001|USD']), 'booked 4 0 4 0 0',
    'converted amounts that differ by a minor unit');
SELECT is(pg_temp.found('ra', 'rb', 'rc', 'rd'), '1 rounded object,'
    ' 1 rounded object, 1 rounded object, 1 rounded object', 'are rounded');
SELECT is(pg_temp.entries('ra') || ' / ' || pg_temp.entries('rb') || ' / '
    || pg_temp.entries('rc'), 'psp_fee 25 EUR, rounded_up 1 USD, settled_fx'
    ' 1001 USD 925 EUR / psp_fee 25 EUR, rounded 1 USD, settled_fx 999 USD 924'
    ' EUR / rounded_up 1 USD, settled_fx 92 EUR 99 USD, settled_refund 100 USD',
    'in the books');
SELECT is((SELECT string_agg(concat_ws(' ', r.source, r.currency, r.rows), ', ')
           FROM pay.settlement_rounding r), 'stripe USD 4', 'and counted');
SELECT is(pg_temp.import('not rounded', ARRAY[
    're|sale|ch-r4|pi-r4||1001|0|1001',
    'rf|sale|ch-r5|pi-r5||925|0|925|EUR|1002|USD',
    'rg|refund|re-rg|pi-r3||-92|0|-92|EUR|-101|USD',
    'rh|sale|ch-r6|pi-r6||999|0|999|USD|999|USD']), 'booked 4 0 1 3 0',
    'one currency, two minor units, another refund');
SELECT is(pg_temp.found('re', 'rf', 'rg', 'rh'), '2 amount, 2 amount,'
    ' 1 confirmed object, 2 amount', 'there is no tolerance elsewhere');

-- of fees that a webhook has reported
SELECT pg_temp.news('fee', 'succeeded', 'fee-r' || n, 30, 't-r' || n,
                    p_currency => 'EUR') FROM generate_series(7, 9) n
\g /dev/null
SELECT is(pg_temp.import('fees rounded', ARRAY[
    'ri|sale|ch-r7|pi-r7||925|-31|894|EUR|1000|USD',
    'rj|sale|ch-r8|pi-r8||925|-32|893|EUR|1000|USD',
    'rk|sale|ch-r9|pi-r9||1000|-31|969']), 'booked 3 3 0 0 0', 'fees');
SELECT is(pg_temp.entries('ri') || ' / ' || pg_temp.entries('rj') || ' / '
    || pg_temp.entries('rk'), 'rounded 1 EUR, settled_fx 1000 USD 925 EUR'
    ' / psp_fee 32 EUR, settled_fx 1000 USD 925 EUR / psp_fee 31 USD',
    'of one minor unit in a converted row');

-- as many as one operator may write off alone
SELECT pay_ops.set_settlement_limit('USD', 0.05, 1000)
\g /dev/null
SELECT is(pg_temp.import('limit', ARRAY[
    'rl|sale|ch-r10|pi-r10||925|0|925|EUR|1001|USD',
    'rm|sale|ch-r11|pi-r11||925|0|925|EUR|1001|USD']), 'booked 2 0 1 1 0',
    'not without an end');
SELECT is((SELECT r.rows::int FROM pay.settlement_rounding r
           WHERE r.currency = 'USD'), 5, 'to the limit');

-- what is left of the costs of a settlement of Mollie
SELECT pay_ops.set_settlement_source('mo', 'mollie', 'm1', 'mollie', '',
    now() - interval '1 year', 9)
\g /dev/null
CREATE FUNCTION pg_temp.rest(p_source text, p_name text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_id bigint := (pay_ops.open_settlement(p_source,
        encode(sha256(p_name::bytea), 'hex'), p_name)).file_id;
BEGIN
    PERFORM pg_temp.stage(v_id, ARRAY[p_name || '|adjustment||||1|0|1'],
                          'EUR');
    UPDATE pay.settlement_staging SET raw_type = 'rounding'
    WHERE file_id = v_id;
    PERFORM pay_ops.prove_settlement(v_id, '', 1, '{}');
    PERFORM pay_ops.advance_settlement(v_id, 70000);
    RETURN pay_ops.advance_settlement(v_id, 70000);
END
$$;
SELECT is(pg_temp.rest('mo', 'rest') || pg_temp.rest('stripe', 'rest2'),
          'bookedbooked', 'the rest of a rounding');
SELECT is(pg_temp.found('rest', 'rest2') || ' / ' || pg_temp.entries('rest'),
    '1 rounded, 2 adjustment / rounded_up 1 EUR', 'is one where it can be');

-- of two captures one has no row, and the other one is not known yet
SELECT pg_temp.sold('man3', ARRAY['oman3:8000'], true)
\g /dev/null
SELECT pg_temp.whole('man3', 'oman3', 'capture', 'cap3', 5000, 'DONE')
\g /dev/null
SELECT is(pg_temp.import('captured twice', ARRAY[
    'c1|sale|ch-c2|pi-man3||3000|-100|2900']), 'booked 1 0 0 1 0',
    'a row of a capture that is not known');
SELECT is(pg_temp.waits('c1'), 'c1 amount waits', 'is none of the known one');
SELECT pg_temp.whole('man3', 'oman3', 'capture', 'cap4', 3000, 'DONE')
\g /dev/null
SELECT is(pg_temp.import('captured', ARRAY['c2|fee||||0|-1|-1']),
          'booked 1 0 1 0 0', 'at the next file');
SELECT is(pg_temp.waits('c1') || ' / ' || pg_temp.entries('c1'),
          'c1 amount matched / psp_fee 100 USD', 'it has left the queue');

\i :checks
SELECT * FROM finish();
ROLLBACK;
