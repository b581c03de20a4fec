-- Money that is captured by hand: authorised, captured in parts, released,
-- cancelled; and what the PSP says meanwhile.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'], true)
FROM generate_series(1, 40) n
\g /dev/null
CREATE FUNCTION pg_temp.of(p_order text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', pg_temp.status('m1', p_order), '/',
                 pg_temp.money(p_order))
$$;

-- authorised
SELECT is(pg_temp.of('o1'), 'EXECUTING / 1000 0 0 0 0', 'authorised');
SELECT is(pg_temp.kinds('m1', 'o1'), 'created registered authorized',
          'the timeline');
SELECT is(pg_temp.booked('order/o1'), 'authorized 1000', 'the books');
SELECT is(pg_temp.wallet(), '0 40000 0', 'pending for the seller');
SELECT pg_temp.everything() AS before
\gset
SELECT is(pg_temp.fact('t-c1', 'authorized', 'e-' || n), 'unchanged',
          'told again')
FROM generate_series(1, 2) n;
SELECT is(pg_temp.fact('t-c1', 'authorized', p_source => 'query'),
          'unchanged', 'found again');
SELECT is(pg_temp.fact('t-c1', 'expired', p_source => 'gateway'),
          'unchanged', 'the end of the checkout is not its end');
SELECT is(pg_temp.everything(), :'before', 'nothing has changed');
SELECT is(pg_temp.fact('t-c1', 'authorized', 'e-wrong', p_amount => 999,
                       p_currency => 'USD'), 'mismatch', 'another amount');
SELECT is(pg_temp.of('o1'), 'EXECUTING / 1000 0 0 0 0', 'is not believed');
SELECT pg_temp.sold('a1', '{oa1:70}')
\g /dev/null
SELECT pg_temp.begin('m1', 'k-a2', 'a2', '{oa2:70}')
\g /dev/null
SELECT pg_temp.token('m1', 'a2', 't-a2')
\g /dev/null
SELECT is(pg_temp.fact('t-a2', 'authorized'), 'unchanged',
          'where money is taken at once it is on its way');
SELECT is(concat_ws(' ', pg_temp.of('oa2'), pg_temp.kinds('m1', 'oa2')),
          'EXECUTING / 0 0 0 0 0 created registered pending', 'no more');
SELECT is(pg_temp.fact('t-a1', 'authorized'), 'unchanged',
          'what is paid stays so');
SELECT is(pg_temp.of('oa1'), 'SUCCESS / 0 70 0 0 0', 'paid');

-- captured in parts
SELECT is(pg_temp.change('o1', 'refund', 'x'), 'not_paid',
          'nothing to pay back yet');
SELECT is(pg_temp.change('o1', 'capture', 'k1', 300),
          'created capture NOT_STARTED 300', 'a part');
SELECT is(pg_temp.of('o1'), 'EXECUTING / 1000 0 0 0 0', 'is not there yet');
SELECT is(pg_temp.change('o1', 'capture', 'x', 701), 'exceeds',
          'what is on its way counts');
SELECT is(pg_temp.change('o1', 'cancel', 'x'), 'already_paid',
          'nor is it cancelled meanwhile');
SELECT is(pg_temp.send('c1', 'capture', 'k1'), 'send 1 1', 'it goes out');
SELECT is(pg_temp.send('c1', 'refund', 'k1'), 'invalid', 'as what it is');
SELECT is(pg_temp.sent('c1', 'capture', 'k1', 'DONE', p_reference => 'pi'),
          'stored', 'done');
SELECT is(pg_temp.of('o1'), 'SUCCESS / 700 300 0 0 0', 'a sale');
SELECT is(pg_temp.kinds('m1', 'o1'), 'created registered authorized mismatch '
          'capture_requested captured paid', 'the timeline');
SELECT is(e.detail ->> 'captured_minor', '300', 'with how much')
FROM pay.event e WHERE e.payment_order_id = 'o1' AND e.kind = 'paid';
SELECT is(pg_temp.booked('k1'), 'sale 300, unauthorized 300', 'the books');
SELECT is(pg_temp.wallet(), '370 39700 0', 'the wallet');
SELECT is(c.is_payment_done, true, 'done')
FROM pay.checkout c WHERE c.checkout_id = 'c1';
SELECT is(pg_temp.job('m1', 'c1'), NULL, 'nobody asks any more');
SELECT is(pg_temp.whole('c1', 'o1', 'capture', 'k1b', 200, 'DONE', 'pi'),
          'SUCCESS pi', 'another part, of the same name');
SELECT is(pg_temp.whole('c1', 'o1', 'capture', 'k1c', 100, 'REFUSED'),
          'FAILED', 'one that is refused');
SELECT is(pg_temp.of('o1'), 'SUCCESS / 500 500 0 0 0', 'changes nothing');
SELECT is(pg_temp.whole('c1', 'o1', 'refund', 'k1d', 100, 'DONE'),
          'SUCCESS', 'a part goes back');
SELECT is(pg_temp.change('o1', 'refund', 'x', 401), 'exceeds',
          'no more than was captured');
SELECT is(pg_temp.change('o1', 'final_capture', 'k1e', 250),
          'created final_capture NOT_STARTED 250', 'the last part');
SELECT is(pg_temp.change('o1', 'capture', 'x', 1), 'nothing_left',
          'nothing follows it');
SELECT is((c.change_kind, c.amount_minor)::text, '(final_capture,250)',
          'a job knows that it is')
FROM pay_api.get_change('{m1}', '{o1}', ARRAY[pg_temp.uuid('k1e')]) c;
SELECT is(pg_temp.send('c1', 'capture', 'k1e'), 'send 1 1', 'sent');
SELECT is(pg_temp.sent('c1', 'capture', 'k1e', 'UNKNOWN'), 'stored',
          'nobody knows');
SELECT is(pg_temp.of('o1'), 'SUCCESS / 500 500 0 100 0', 'nothing moves');
SELECT is(pg_temp.send('c1', 'capture', 'k1e'), 'send 1 2', 'again');
SELECT is(pg_temp.sent('c1', 'capture', 'k1e', 'DONE'), 'stored', 'done');
SELECT is(pg_temp.of('o1'), 'SUCCESS / 0 750 0 100 0', 'the rest is free');
SELECT is(pg_temp.booked('order/o1'), 'authorized 1000, unauthorized 250',
          'the rest in the books');
SELECT is(pg_temp.change('o1', 'capture', 'x', 1), 'nothing_left', 'the end');
SELECT is(pg_temp.kinds('m1', 'o1') LIKE '%paid%paid%', false,
          'it was paid once');

-- all of it
SELECT is(pg_temp.whole('c2', 'o2', 'capture', 'k2', NULL, 'DONE'),
          'SUCCESS', 'all that is authorised');
SELECT is(pg_temp.of('o2'), 'SUCCESS / 0 1000 0 0 0', 'a sale');
SELECT is(pg_temp.whole('c3', 'o3', 'final_capture', 'k3', 1, 'DONE'),
          'SUCCESS', 'next to nothing');
SELECT is(pg_temp.of('o3'), 'SUCCESS / 0 1 0 0 0', 'and no more');

-- a part that is refused, and one that is late
SELECT is(pg_temp.whole('c4', 'o4', 'capture', 'k4', 400, 'REFUSED'),
          'FAILED', 'refused');
SELECT is(concat_ws(' ', pg_temp.of('o4'), pg_temp.kinds('m1', 'o4')),
          'EXECUTING / 1000 0 0 0 0 created registered authorized '
          'capture_requested capture_failed', 'as it was');
SELECT is(pg_temp.whole('c4', 'o4', 'capture', 'k4b', 400, 'PENDING'),
          'EXECUTING', 'taken');
SELECT is(pg_temp.news('capture', 'succeeded', 'pi-c4', 400, 't-c4'),
          'applied', 'and done');
SELECT is(concat_ws(' ', pg_temp.how('k4b'), pg_temp.of('o4')),
          'SUCCESS pi-c4 SUCCESS / 600 400 0 0 0', 'a sale');
SELECT is(pg_temp.news('capture', 'succeeded', 'pi-c4', 400, 't-c4',
    p_event => 'again'), 'unchanged', 'told anew');
SELECT is(pg_temp.news('capture', 'succeeded', 'pi-c4', 300, 't-c4',
    p_event => 'older'), 'unchanged', 'an older word');
SELECT is(pg_temp.news('capture', 'succeeded', 'pi-c4', 1001, 't-c4',
    p_event => 'more'), 'mismatch', 'more than there is');
SELECT is(pg_temp.news('capture', 'succeeded', 'pi-c4', 500, 't-c4',
    p_event => 'eur', p_currency => 'EUR'), 'mismatch', 'another currency');
SELECT is(pg_temp.doubts('c4'),
          'capture exceeds pi-c4, capture currency pi-c4', 'for people');
SELECT is(pg_temp.of('o4'), 'SUCCESS / 600 400 0 0 0', 'nothing moves');

-- somebody captures at the PSP
SELECT is(pg_temp.news('capture', 'succeeded', 'cap-5', 450, 't-c5'),
          'applied', 'captured by hand');
SELECT is(pg_temp.of('o5'), 'SUCCESS / 550 450 0 0 0', 'a sale');
SELECT is((c.origin, c.status, c.amount_minor)::text, '(psp,SUCCESS,450)',
          'with a row of its own')
FROM pay.change c WHERE c.payment_order_id = 'o5';
SELECT is(pg_temp.change('o5', 'capture', 'k5', 100),
          'created capture NOT_STARTED 100', 'ours');
SELECT is(pg_temp.news('capture', 'succeeded', 'cap-5b', 600, 't-c5'),
          'applied', 'has not gone out, so it is not meant');
SELECT is(concat_ws(' ', pg_temp.how('k5'), pg_temp.of('o5')),
          'NOT_STARTED SUCCESS / 400 600 0 0 0', 'they have taken more');
SELECT is(pg_temp.send('c5', 'capture', 'k5'), 'send 1 1', 'it goes out');
SELECT is(pg_temp.news('capture', 'succeeded', 'cap-5c', 700, 't-c5'),
          'applied', 'and is told of before it is answered');
SELECT is(pg_temp.how('k5'), 'SUCCESS cap-5c', 'ours');
SELECT is(pg_temp.of('o5'), 'SUCCESS / 300 700 0 0 0', 'once');
SELECT is(pg_temp.sent('c5', 'capture', 'k5', 'DONE'), 'stored',
          'its answer');
SELECT is(pg_temp.of('o5'), 'SUCCESS / 300 700 0 0 0', 'says no more');
SELECT is(pg_temp.send('c5', 'capture', 'k5'), 'done 1 1',
          'nor is it sent');
SELECT is(pg_temp.job_of('k5'), NULL, 'its job is gone');

-- several are out, and a sum may be of any of them: each when it is named,
-- all where all are the sum
CREATE FUNCTION pg_temp.out(p_n int, p_parts bigint[]) RETURNS void
LANGUAGE sql AS $$
SELECT pg_temp.whole('c' || p_n, 'o' || p_n, 'capture',
                     format('p%s-%s', p_n, i), p_parts[i], 'UNKNOWN')
FROM generate_subscripts(p_parts, 1) i
$$;
CREATE FUNCTION pg_temp.parts(p_n int) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' / ', string_agg(concat_ws(' ', c.amount_minor, c.origin,
    c.status), ', ' ORDER BY c.origin, c.amount_minor),
    pg_temp.of('o' || p_n), pg_temp.doubts('c' || p_n))
FROM pay.change c WHERE c.checkout_id = 'c' || p_n
$$;
SELECT pg_temp.out(n, '{200,300}') FROM generate_series(16, 22) n
\g /dev/null
SELECT is(pg_temp.news('capture', 'succeeded', 's16', 300, 't-c16',
                       p_source => 'query'), 'unchanged', 'which of them?');
SELECT is(pg_temp.parts(16), '200 merchant EXECUTING, 300 merchant EXECUTING '
          '/ EXECUTING / 1000 0 0 0 0', 'nobody guesses');
SELECT is(pg_temp.news('capture', 'succeeded', 's16', 300, 't-c16'),
          'parked', 'a webhook waits');
SELECT is(pg_temp.sent('c16', 'capture', 'p16-2', 'DONE'), 'stored',
          'the one is done');
SELECT is(concat_ws(' / ', pg_temp.parts(16), i.state),
          '200 merchant EXECUTING, 300 merchant SUCCESS '
          '/ SUCCESS / 700 300 0 0 0 / unchanged', 'which is what it said')
FROM pay.webhook_inbox i WHERE i.event_id = 'evt-capture-succeeded-s16';
SELECT is(pg_temp.news('capture', 'succeeded', 's17', 500, 't-c17'),
          'applied', 'both are what is left');
SELECT is(pg_temp.parts(17), '200 merchant SUCCESS, 300 merchant SUCCESS '
          '/ SUCCESS / 500 500 0 0 0', 'so both are done');
SELECT is(pg_temp.news('capture', 'succeeded', 's18', 300, 't-c18',
    p_operation => pg_temp.uuid('p18-2')), 'applied', 'the one that is named');
SELECT is(pg_temp.parts(18), '200 merchant EXECUTING, 300 merchant SUCCESS '
          '/ SUCCESS / 700 300 0 0 0', 'and no other');
SELECT is(pg_temp.sent('c19', 'capture', 'p19-2', 'DONE'), 'stored',
          'the second is answered');
SELECT is(pg_temp.news('capture', 'succeeded', 's19', 200, 't-c19',
    p_operation => pg_temp.uuid('p19-1')), 'applied',
    'the first is told of behind it, and was before it');
SELECT is(pg_temp.parts(19), '200 merchant SUCCESS, 300 merchant SUCCESS '
          '/ SUCCESS / 500 500 0 0 0', 'both are done');
SELECT is(pg_temp.news('capture', 'succeeded', 's19b', 500, 't-c19',
    p_operation => pg_temp.uuid('p19-2')), 'unchanged', 'as is known');
SELECT is(pg_temp.news('capture', 'succeeded', 's20', 250, 't-c20'),
          'parked', 'somebody took a part in between');
SELECT is(pg_temp.news('capture', 'succeeded', 's20b', 450, 't-c20',
    p_operation => pg_temp.uuid('p20-1')), 'parked', 'ours is one of it');
SELECT is(pg_temp.parts(20), '200 merchant SUCCESS, 300 merchant EXECUTING '
          '/ SUCCESS / 800 200 0 0 0', 'which is done');
SELECT is(pg_temp.sent('c20', 'capture', 'p20-2', 'REFUSED'), 'stored',
          'the other one was refused');
SELECT is(pg_temp.parts(20), '200 merchant SUCCESS, 300 merchant FAILED, '
          '50 psp SUCCESS, 200 psp SUCCESS / SUCCESS / 550 450 0 0 0',
          'so the rest is theirs');
SELECT is(string_agg(i.state, ' ' ORDER BY i.event_id), 'applied applied',
          'nothing waits')
FROM pay.webhook_inbox i WHERE i.event_id LIKE 'evt-capture-succeeded-s20%';
SELECT is(pg_temp.news('capture', 'succeeded', 's21', 150, 't-c21',
    p_operation => pg_temp.uuid('p21-1')), 'mismatch',
    'less than the one that it names');
SELECT is(pg_temp.parts(21), '200 merchant EXECUTING, 300 merchant EXECUTING '
          '/ EXECUTING / 1000 0 0 0 0 / capture amount s21',
          'is not believed');

-- "paid" says that all is captured
SELECT is(pg_temp.change('o6', 'capture', 'k6', 100),
          'created capture NOT_STARTED 100', 'a part');
SELECT is(pg_temp.fact('t-c6', 'paid'), 'applied', 'all is captured');
SELECT is(concat_ws(' ', pg_temp.of('o6'), pg_temp.how('k6')),
          'SUCCESS / 0 1000 0 0 0 SUCCESS', 'so the part is');
SELECT is(pg_temp.booked('order/o6'),
          'authorized 1000, sale 1000, unauthorized 1000', 'the books');
SELECT is(pg_temp.whole('c7', 'o7', 'capture', 'k7', 100, 'DONE'),
          'SUCCESS', 'a part');
SELECT is(pg_temp.fact('t-c7', 'paid'), 'applied', 'then all');
SELECT is(concat_ws(' ', pg_temp.of('o7'), pg_temp.booked('order/o7')),
          'SUCCESS / 0 1000 0 0 0 authorized 1000, sale 900, '
          'unauthorized 900', 'the rest');
SELECT is(pg_temp.kinds('m1', 'o7'), 'created registered authorized '
          'capture_requested captured paid captured', 'was captured, too');
SELECT is(pg_temp.fact('t-c7', 'paid', 'again7'), 'unchanged', 'told anew');
SELECT is(pg_temp.fact('t-c3', 'paid'), 'contradiction',
          'not where the rest was released');
SELECT is(pg_temp.of('o3'), 'SUCCESS / 0 1 0 0 0', 'which stays so');
SELECT pg_temp.begin('m1', 'k-p1', 'p1', '{op1:80}',
                     p_terms => '{"capture": "manual"}')
\g /dev/null
SELECT is(pg_temp.fact('t-p1', 'paid'), 'parked', 'before its token');
SELECT is(pg_temp.token('m1', 'p1', 't-p1'), 'stored', 'the token');
SELECT is(concat_ws(' ', pg_temp.of('op1'), pg_temp.booked('order/op1')),
          'SUCCESS / 0 80 0 0 0 sale 80', 'sold without a word before');

-- what was authorised ends
SELECT is(pg_temp.fact('t-c' || n, f), 'applied', f)
FROM (VALUES (8, 'expired'), (9, 'cancelled'), (10, 'declined')) t (n, f);
SELECT is(pg_temp.of('o' || n), 'FAILED/' || f || ' / 0 0 0 0 0', 'nothing')
FROM (VALUES (8, 'expired'), (9, 'cancelled'), (10, 'declined')) t (n, f);
SELECT is(pg_temp.booked('order/o8'), 'authorized 1000, unauthorized 1000',
          'is pending any more');
SELECT is(pg_temp.change('o8', 'capture', 'x'), 'not_paid', 'nor captured');
SELECT is(pg_temp.fact('t-c8', 'authorized', 'late'), 'unchanged',
          'nor authorised again');
SELECT is(pg_temp.whole('c11', 'o11', 'capture', 'k11', 100, 'DONE'),
          'SUCCESS', 'a part');
SELECT is(pg_temp.fact('t-c11', 'expired'), 'applied', 'the rest ends');
SELECT is(concat_ws(' ', pg_temp.of('o11'), pg_temp.booked('order/o11')),
          'SUCCESS / 0 100 0 0 0 authorized 1000, unauthorized 900',
          'released');
SELECT is(pg_temp.fact('t-c11', 'cancelled'), 'unchanged', 'once');
SELECT is(pg_temp.fact('t-c11', 'declined'), 'contradiction',
          'but what is sold was not declined');

-- cancelled before anything is captured
SELECT is(pg_temp.change('o12', 'cancel', 'v12'),
          'created cancel NOT_STARTED 1000', 'a cancellation');
SELECT is(pg_temp.change('o12', 'cancel', 'x'), 'nothing_left', 'one');
SELECT is(pg_temp.change('o12', 'capture', 'x'), 'nothing_left',
          'nothing is captured meanwhile');
SELECT is(pg_temp.send('c12', 'cancel', 'v12'), 'send 1 1', 'sent');
SELECT is(pg_temp.sent('c12', 'cancel', 'v12', 'DONE'), 'stored', 'done');
SELECT is(concat_ws(' ', pg_temp.of('o12'), pg_temp.how('v12'),
                    pg_temp.kinds('m1', 'o12')),
          'FAILED/cancelled / 0 0 0 0 0 SUCCESS created registered authorized '
          'cancel_requested cancelled', 'cancelled');
SELECT is(pg_temp.booked('order/o12'), 'authorized 1000, unauthorized 1000',
          'the books');
SELECT is(pg_temp.fact('t-c12', 'cancelled'), 'unchanged',
          'the PSP says so, too');
SELECT is(pg_temp.change('o12', 'cancel', 'x'), 'nothing_left', 'once');
SELECT is(pg_temp.whole('c13', 'o13', 'cancel', 'v13', NULL, 'REFUSED'),
          'FAILED', 'refused');
SELECT is(pg_temp.of('o13'), 'EXECUTING / 1000 0 0 0 0', 'as it was');
SELECT is(pg_temp.whole('c13', 'o13', 'cancel', 'v13b', NULL, 'PENDING'),
          'EXECUTING', 'taken');
SELECT is(pg_temp.fact('t-c13', 'cancelled'), 'applied', 'then told');
SELECT is(concat_ws(' ', pg_temp.of('o13'), pg_temp.how('v13b')),
          'FAILED/cancelled / 0 0 0 0 0 SUCCESS', 'it has ended');
SELECT is(pg_temp.change('o14', 'cancel', 'v14'),
          'created cancel NOT_STARTED 1000', 'a cancellation');
SELECT is(pg_temp.fact('t-c14', 'paid'), 'applied', 'comes too late');
SELECT is(pg_temp.send('c14', 'cancel', 'v14'), 'send 1 1', 'as is told');
SELECT is(pg_temp.sent('c14', 'cancel', 'v14', 'REFUSED'), 'stored', 'so');
SELECT is(concat_ws(' ', pg_temp.of('o14'), pg_temp.how('v14')),
          'SUCCESS / 0 1000 0 0 0 FAILED', 'it is sold');
SELECT is(pg_temp.whole('c15', 'o15', 'cancel', 'v15', NULL, 'DONE'),
          'SUCCESS', 'cancelled');
SELECT is(pg_temp.fact('t-c15', 'paid'), 'applied', 'and paid all the same');
SELECT is(concat_ws(' ', pg_temp.of('o15'), pg_temp.booked('order/o15')),
          'SUCCESS / 0 1000 0 0 0 authorized 1000, sale 1000, '
          'unauthorized 1000', 'money is believed');

-- before anybody has paid
SELECT pg_temp.begin('m1', 'k-e' || n, 'e' || n, ARRAY['oe' || n || ':5'],
                     p_psps => 'stripe adyen') FROM generate_series(1, 5) n
\g /dev/null
SELECT pg_temp.token('m1', 'e' || n, 't-e' || n) FROM generate_series(1, 2) n
\g /dev/null
SELECT is(pg_temp.change('oe' || n, 'cancel', 've' || n),
          'created cancel NOT_STARTED 5', 'with or without a page')
FROM generate_series(1, 4) n;
SELECT is(pg_temp.send('e1', 'expire', 've1'), 'send 1 1', 'the page');
SELECT is(pg_temp.sent('e1', 'expire', 've1', 'DONE'), 'stored', 'is closed');
SELECT is(concat_ws(' ', pg_temp.of('oe1'), pg_temp.how('ve1'),
                    pg_temp.job('m1', 'e1')),
          'FAILED/cancelled / 0 0 0 0 0 SUCCESS', 'cancelled');
SELECT is(pg_temp.send('e2', 'expire', 've2'), 'send 1 1', 'the page');
SELECT is(pg_temp.sent('e2', 'expire', 've2', 'REFUSED',
                       p_code => 'paid_already'), 'stored', 'was used');
SELECT is(concat_ws(' ', pg_temp.of('oe2'), pg_temp.how('ve2')),
          'EXECUTING / 0 0 0 0 0 FAILED paid_already', 'it goes on');
SELECT is(pg_temp.no_token('m1', 'e3', 'refused'), 'stored',
          'what the PSP refuses');
SELECT is(concat_ws(' ', pg_temp.of('oe3'), pg_temp.how('ve3')),
          'FAILED/rejected / 0 0 0 0 0 SUCCESS', 'is cancelled as well');
SELECT is(pg_temp.reroute('m1', 'e4', 'stripe'), 'rerouted adyen', 'moved');
SELECT is(c.psp::text, 'adyen', 'the cancellation goes with it')
FROM pay.change c WHERE c.change_id = pg_temp.uuid('ve4');

-- the PSP tells that it is closed before our own call has ended
SELECT pg_temp.begin('m1', 'k-e' || n, 'e' || n, ARRAY['oe' || n || ':5'],
                     p_late => 'accept') FROM generate_series(6, 7) n
\g /dev/null
SELECT pg_temp.token('m1', 'e' || n, 't-e' || n) FROM generate_series(6, 7) n
\g /dev/null
SELECT pg_temp.change('oe6', 'cancel', 've6')
\g /dev/null
SELECT is(pg_temp.send('e6', 'cancel', 've6'), 'send 1 1', 'on its way');
SELECT is(pg_temp.fact('t-e' || n, 'expired'), 'applied', 'the page is closed')
FROM generate_series(6, 7) n;
SELECT is(concat_ws(' ', pg_temp.of('oe6'), pg_temp.how('ve6')),
          'FAILED/cancelled / 0 0 0 0 0 SUCCESS', 'by us');
SELECT is(pg_temp.of('oe7'), 'FAILED/expired / 0 0 0 0 0', 'or by itself');
SELECT is(pg_temp.sent('e6', 'cancel', 've6', 'DONE'), 'stored', 'and so is');
SELECT is(concat_ws(' ', pg_temp.of('oe6'), pg_temp.how('ve6')),
          'FAILED/cancelled / 0 0 0 0 0 SUCCESS', 'what we asked for');

-- orders of one checkout, each captured by itself
SELECT pg_temp.sold('d' || n, ARRAY[format('od%sa:100', n),
                                   format('od%sb:50', n)], true)
FROM generate_series(1, 6) n
\g /dev/null
SELECT is(pg_temp.of('od1b'), 'EXECUTING / 50 0 0 0 0', 'each its own');
SELECT is(pg_temp.whole('d1', 'od1a', 'capture', 'kd1', 60, 'DONE'),
          'SUCCESS', 'a part of the first');
SELECT is(concat_ws(', ', pg_temp.of('od1a'), pg_temp.of('od1b')),
          'SUCCESS / 40 60 0 0 0, EXECUTING / 50 0 0 0 0', 'it alone moves');
SELECT is((c.is_payment_done, pg_temp.job('m1', 'd1'))::text,
          '(f,"poll 0")', 'the checkout is not done')
FROM pay.checkout c WHERE c.checkout_id = 'd1';
SELECT is(pg_temp.kinds('m1', 'od1b'), 'created registered authorized',
          'the other knows nothing of it');
SELECT is(pg_temp.whole('d1', 'od1b', 'capture', 'kd1b', 50, 'DONE'),
          'SUCCESS', 'the second');
SELECT is((c.is_payment_done, pg_temp.job('m1', 'd1'))::text, '(t,)', 'done')
FROM pay.checkout c WHERE c.checkout_id = 'd1';
SELECT is(pg_temp.whole('d2', 'od2a', 'capture', 'kd2', 40, 'UNKNOWN'),
          'EXECUTING', 'one of the first');
SELECT is(pg_temp.change('od2b', 'cancel', 'x'), 'already_paid',
          'so the second cannot be cancelled');
SELECT is(pg_temp.news('capture', 'succeeded', 'x', 90, 't-d2',
    p_operation => pg_temp.uuid('kd2')), 'mismatch',
    'whose the rest is nobody knows');
SELECT is(concat_ws(', ', pg_temp.how('kd2'), pg_temp.of('od2a'),
                    pg_temp.of('od2b'), pg_temp.doubts('d2')),
          'SUCCESS x, SUCCESS / 60 40 0 0 0, EXECUTING / 50 0 0 0 0, '
          'capture unknown x', 'what is known is done');
SELECT is(pg_temp.news('capture', 'succeeded', 'x', 150, 't-d2',
                       p_event => 'all'), 'applied', 'all is all');
SELECT is(concat_ws(', ', pg_temp.of('od2a'), pg_temp.of('od2b')),
          'SUCCESS / 0 100 0 0 0, SUCCESS / 0 50 0 0 0', 'of everybody');
SELECT is(pg_temp.whole('d3', 'od3b', 'cancel', 'vd3', NULL, 'DONE'),
          'SUCCESS', 'cancelled');
SELECT is(concat_ws(', ', pg_temp.of('od3a'), pg_temp.of('od3b')),
          'FAILED/cancelled / 0 0 0 0 0, FAILED/cancelled / 0 0 0 0 0',
          'as one payment');
SELECT is(pg_temp.whole('d4', 'od4a', 'capture', 'kd4', 60, 'DONE'),
          'SUCCESS', 'a part of the first');
SELECT is(pg_temp.fact('t-d4', 'cancelled'), 'applied', 'the rest ends');
SELECT is(concat_ws(', ', pg_temp.of('od4a'), pg_temp.of('od4b')),
          'SUCCESS / 0 60 0 0 0, FAILED/cancelled / 0 0 0 0 0',
          'a sale, and one that is none');

-- what was refused is done after all: the answers of two calls overtook
SELECT is(pg_temp.whole('c40', 'o40', 'cancel', 'kx1', NULL, 'REFUSED'),
          'FAILED', 'refused');
SELECT is(pg_temp.sent('c40', 'cancel', 'kx1', 'DONE'), 'stored', 'and done');
SELECT is(concat_ws(' / ', pg_temp.how('kx1'), pg_temp.doubts('c40')),
          'FAILED / cancel contradiction', 'people decide');

-- a page that may be closed at any time is paid in between: what is sent now
-- is another call, which the PSP knows for as long as it says
SELECT pg_temp.sold('c43', '{o43:100}', true)
\g /dev/null
SELECT is(pg_temp.change('o43', 'cancel', 'kx4'), 'created cancel '
          'NOT_STARTED 100', 'a cancellation');
SELECT is(pg_temp.send('c43', 'cancel', 'kx4', 999999999), 'send 1 1',
          'of the page');
SELECT is(pg_temp.sent('c43', 'cancel', 'kx4', 'UNKNOWN'), 'stored', 'open');
SELECT is(pg_temp.send('c43', 'cancel', 'kx4', 0), 'ask 1 1',
          'of the payment: not with this key');

-- the last capture is heard of by a webhook alone: the rest is released
SELECT pg_temp.sold('c42', '{o42:100}', true)
\g /dev/null
SELECT is(pg_temp.whole('c42', 'o42', 'final_capture', 'kx3', 10, 'UNKNOWN'),
          'EXECUTING', 'ours, the last one');
SELECT is(pg_temp.news('capture', 'succeeded', 'cap-42', 10, 't-c42',
    p_operation => pg_temp.uuid('kx3')), 'applied', 'is told');
SELECT is(concat_ws(' / ', pg_temp.of('o42'), pg_temp.booked('order/o42')),
          'SUCCESS / 0 10 0 0 0 / authorized 100, unauthorized 90',
          'nothing is held, or was held again');

-- a PSP that takes more than was held: the books hold, and people hear of it
SELECT pg_temp.sold('c41', '{o41:100}', true)
\g /dev/null
SELECT is(pg_temp.change('o41', 'capture', 'kx2', 60), 'created capture '
          'NOT_STARTED 60', 'asked for, not sent yet');
SELECT is(pg_temp.news('capture', 'succeeded', 'pi-c41', 100, 't-c41'),
          'applied', 'somebody captures all of it there');
SELECT is(pg_temp.send('c41', 'capture', 'kx2'), 'send 1 1', 'ours leaves');
SELECT is(pg_temp.sent('c41', 'capture', 'kx2', 'DONE'), 'stored', 'is done');
SELECT is(concat_ws(' / ', pg_temp.money('o41'), pg_temp.how('kx2'),
                    pg_temp.doubts('c41')),
          '0 100 0 0 0 / SUCCESS / capture exceeds', 'people decide');

-- authorised while the order is NOT_STARTED.  A statement finds its checkout by
-- the token, and then the order is EXECUTING already: this goes around it.
CREATE FUNCTION pg_temp.early(p_checkout text, p_kind text)
RETURNS text LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT f.kind FROM unnest(record_facts(ARRAY[jsonb_populate_record(NULL::fact,
    jsonb_build_object('item', 1, 'turn', 1, 'merchant_id', 'm1',
        'checkout_id', p_checkout, 'kind', p_kind, 'actor', 'webhook', 'psp',
        'stripe', 'type', 'psp.' || p_kind, 'detail', '{}'::jsonb, 'postings',
        '[]'::jsonb))])) f
$$;
SELECT pg_temp.begin('m1', 'k-n' || n, 'n' || n, ARRAY['on' || n || ':70'],
    p_terms => CASE n WHEN 2 THEN '{"capture": "manual"}'::jsonb END)
FROM generate_series(1, 2) n
\g /dev/null
SELECT is(pg_temp.of('on1'), 'NOT_STARTED / 0 0 0 0 0', 'not sent yet');
SELECT pg_temp.early('n' || n, 'authorized') FROM generate_series(1, 2) n
\g /dev/null
SELECT is(concat_ws(' ', pg_temp.of('on1'), pg_temp.kinds('m1', 'on1'),
                    pg_temp.booked('order/on1')),
          'EXECUTING / 0 0 0 0 0 created pending',
          'where money is taken at once nothing is held');
SELECT is(concat_ws(' ', pg_temp.of('on2'), pg_temp.kinds('m1', 'on2'),
                    pg_temp.booked('order/on2')),
          'EXECUTING / 70 0 0 0 0 created authorized authorized 70',
          'where it is captured by hand it is');

\i :checks
SELECT * FROM finish();
ROLLBACK;
