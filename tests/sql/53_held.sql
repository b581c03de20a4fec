-- Held money whose rest is given back, that is captured before we hear that
-- it is held, and that is held for what has failed.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'], true)
FROM generate_series(1, 12) n
\g /dev/null
CREATE FUNCTION pg_temp.of(p_order text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', pg_temp.status('m1', p_order), '/',
                 pg_temp.money(p_order))
$$;

-- the rest of what was captured in part is cancelled
SELECT is(pg_temp.whole('c1', 'o1', 'capture', 'k1', 300, 'DONE'),
          'SUCCESS', 'a part, and more may follow');
SELECT is(pg_temp.change('o1', 'cancel', 'v1'),
          'created cancel NOT_STARTED 700', 'the rest');
SELECT is(pg_temp.change('o1', 'capture', 'x', 1), 'nothing_left',
          'nothing is captured meanwhile');
SELECT is(pg_temp.send('c1', 'cancel', 'v1'), 'send 1 1', 'sent');
SELECT is(pg_temp.sent('c1', 'cancel', 'v1', 'DONE'), 'stored', 'done');
SELECT is(concat_ws(' ', pg_temp.of('o1'), pg_temp.how('v1')),
          'SUCCESS / 0 300 0 0 0 SUCCESS', 'a sale of that part');
SELECT is(pg_temp.booked('order/o1'), 'authorized 1000, unauthorized 700',
          'the books');
SELECT is(pg_temp.kinds('m1', 'o1'), 'created registered authorized '
          'capture_requested captured paid cancel_requested released',
          'the timeline');
SELECT is(pg_temp.change('o1', 'cancel', 'x'), 'already_paid', 'once');
SELECT is(pg_temp.change('o1', 'capture', 'x', 1), 'nothing_left', 'the end');
SELECT is(pg_temp.change('o1', 'refund', 'r1'),
          'created refund NOT_STARTED 300', 'what is sold is refunded');
SELECT is(pg_temp.whole('c2', 'o2', 'capture', 'k2', 300, 'DONE'),
          'SUCCESS', 'a part');
SELECT is(pg_temp.whole('c2', 'o2', 'cancel', 'v2', NULL, 'REFUSED'),
          'FAILED', 'a refusal');
SELECT is(pg_temp.of('o2'), 'SUCCESS / 700 300 0 0 0', 'changes nothing');
SELECT is(pg_temp.whole('c2', 'o2', 'cancel', 'v2b', NULL, 'PENDING'),
          'EXECUTING', 'taken');
SELECT is(pg_temp.fact('t-c2', 'cancelled'), 'applied', 'then told');
SELECT is(concat_ws(' ', pg_temp.of('o2'), pg_temp.how('v2b')),
          'SUCCESS / 0 300 0 0 0 SUCCESS', 'it has ended');
SELECT is(pg_temp.whole('c3', 'o3', 'capture', 'k3', 300, 'DONE'),
          'SUCCESS', 'a part');
SELECT is(pg_temp.whole('c3', 'o3', 'capture', 'k3b', 100, 'PENDING'),
          'EXECUTING', 'another one is on its way');
SELECT is(pg_temp.change('o3', 'cancel', 'x'), 'already_paid',
          'it is waited for');
SELECT is(pg_temp.whole('c4', 'o4', 'capture', 'k4', 300, 'DONE'),
          'SUCCESS', 'a part');
SELECT is(pg_temp.whole('c4', 'o4', 'cancel', 'v4', NULL, 'UNKNOWN'),
          'EXECUTING', 'nobody knows');
SELECT is(pg_temp.fact('t-c4', 'paid'), 'applied',
          'the rest was captured instead');
SELECT is(concat_ws(' ', pg_temp.of('o4'), pg_temp.how('v4')),
          'SUCCESS / 0 1000 0 0 0 EXECUTING', 'not released');
SELECT is(pg_temp.sent('c4', 'cancel', 'v4', 'REFUSED'), 'stored',
          'as the call says in the end');

-- of several orders: all that is left of them
SELECT pg_temp.sold('d' || n, ARRAY[format('od%sa:100', n),
                                   format('od%sb:50', n)], true)
FROM generate_series(1, 4) n
\g /dev/null
SELECT is(pg_temp.whole('d1', 'od1a', 'capture', 'kd1', 60, 'DONE'),
          'SUCCESS', 'a part of the first');
SELECT is(pg_temp.whole('d1', 'od1b', 'cancel', 'vd1', NULL, 'DONE'),
          'SUCCESS', 'the second is cancelled');
SELECT is(concat_ws(', ', pg_temp.of('od1a'), pg_temp.of('od1b'),
                    pg_temp.job('m1', 'd1')),
          'SUCCESS / 0 60 0 0 0, FAILED/cancelled / 0 0 0 0 0',
          'with the rest of the first, and nobody asks any more');
SELECT is(pg_temp.whole('d2', 'od2a', 'capture', 'kd2', 100, 'DONE'),
          'SUCCESS', 'all of the first');
SELECT is(pg_temp.change('od2a', 'cancel', 'x'), 'already_paid',
          'of which nothing is left');
SELECT is(pg_temp.change('od2b', 'cancel', 'vd2'),
          'created cancel NOT_STARTED 50', 'of the second there is');

-- the PSP says that nothing follows
SELECT is(pg_temp.whole('d3', 'od3a', 'capture', 'kd3', 60, 'DONE'),
          'SUCCESS', 'a part of the first');
SELECT is(pg_temp.news('capture', 'succeeded', 'x', 60, 't-d3',
                       p_source => 'query'), 'unchanged', 'so far');
SELECT is(pg_temp.job('m1', 'd3'), 'poll 0', 'and it is asked again');
SELECT is(pg_temp.news('capture', 'ended', 'x', 60, 't-d3',
                       p_source => 'query'), 'applied', 'and no more');
SELECT is(concat_ws(', ', pg_temp.of('od3a'), pg_temp.of('od3b'),
                    pg_temp.job('m1', 'd3')),
          'SUCCESS / 0 60 0 0 0, FAILED/cancelled / 0 0 0 0 0',
          'the rest is free, and nobody asks any more');
SELECT is(pg_temp.booked('order/od3b'), 'authorized 50, unauthorized 50',
          'the books');
SELECT pg_temp.everything() AS before
\gset
SELECT is(pg_temp.news('capture', 'ended', 'x', 60, 't-d3',
                       p_source => s), 'unchanged', 'once: ' || s)
FROM unnest('{query,webhook}'::text[]) s;
SELECT is(pg_temp.everything(), :'before', 'nothing has changed');
SELECT is(pg_temp.whole('c5', 'o5', 'final_capture', 'k5', 400, 'UNKNOWN'),
          'EXECUTING', 'nobody knows');
SELECT is(pg_temp.news('capture', 'ended', 'pi-c5', 400, 't-c5'),
          'applied', 'it is done');
SELECT is(concat_ws(' ', pg_temp.of('o5'), pg_temp.how('k5'),
                    pg_temp.booked('order/o5')),
          'SUCCESS / 0 400 0 0 0 SUCCESS pi-c5 '
          'authorized 1000, unauthorized 600', 'as it was asked for');
SELECT is(pg_temp.whole('c6', 'o6', 'capture', 'k6', 400, 'UNKNOWN'),
          'EXECUTING', 'nobody knows');
SELECT is(pg_temp.news('capture', 'ended', 'pi-c6', 300, 't-c6',
                       p_source => 'query'), 'unchanged', 'of how much');
SELECT is(pg_temp.of('o6'), 'EXECUTING / 1000 0 0 0 0', 'nobody guesses');
SELECT is(pg_temp.news('refund', 'ended', 'x', 10, 't-c6'), 'invalid',
          'captures only');

-- captured before it is told that it is held
SELECT pg_temp.begin('m1', 'k-e' || n, 'e' || n, ARRAY['oe' || n || ':1000'],
    p_late => w, p_terms => '{"capture": "manual"}'),
    pg_temp.token('m1', 'e' || n, 't-e' || n)
FROM generate_series(1, 20) n, LATERAL (SELECT CASE WHEN n > 12
    THEN 'refund' WHEN n > 10 THEN 'hold' END) t (w)
\g /dev/null
SELECT is(pg_temp.news('capture', 'succeeded', 'cap-1', 300, 't-e1'),
          'applied', 'captured');
SELECT is(concat_ws(' ', pg_temp.of('oe1'), pg_temp.kinds('m1', 'oe1')),
          'SUCCESS / 700 300 0 0 0 created registered authorized captured '
          'paid', 'so it was held');
SELECT is(pg_temp.booked('order/oe1'), 'authorized 700', 'what is left of it');
SELECT is(pg_temp.fact('t-e1', 'authorized'), 'unchanged', 'told behind it');
SELECT is(pg_temp.whole('e1', 'oe1', 'capture', 'ke1', 200, 'DONE'),
          'SUCCESS', 'more is captured');
SELECT is(pg_temp.fact('t-e1', 'paid'), 'applied', 'then all');
SELECT is(concat_ws(' ', pg_temp.of('oe1'), pg_temp.doubts('e1')),
          'SUCCESS / 0 1000 0 0 0', 'nobody is in doubt');
SELECT is(pg_temp.news('capture', 'succeeded', 'cap-2', 300, 't-e2'),
          'applied', 'captured');
SELECT is(pg_temp.whole('e2', 'oe2', 'cancel', 've2', NULL, 'DONE'),
          'SUCCESS', 'and the rest given up');
SELECT is(pg_temp.fact('t-e2', 'authorized'), 'unchanged', 'told behind it');
SELECT is(pg_temp.of('oe2'), 'SUCCESS / 0 300 0 0 0', 'stays so');
SELECT is(pg_temp.news('capture', 'ended', 'cap-3', 300, 't-e3'),
          'applied', 'captured, and nothing follows');
SELECT is(pg_temp.fact('t-e3', 'authorized'), 'unchanged', 'told behind it');
SELECT is(concat_ws(' ', pg_temp.of('oe3'), pg_temp.booked('order/oe3')),
          'SUCCESS / 0 300 0 0 0 authorized 700, unauthorized 700',
          'nothing is held');
SELECT is(pg_temp.news('capture', 'succeeded', 'cap-4', 1000, 't-e4'),
          'applied', 'all is captured');
SELECT is(pg_temp.fact('t-e4', 'authorized'), 'unchanged', 'told behind it');
SELECT is(pg_temp.of('oe4'), 'SUCCESS / 0 1000 0 0 0', 'nothing is held');

-- converted: the parts add up whichever was heard of first
UPDATE pay.payment_order
SET credit_currency = 'JPY', credit_rate = 15.7, credit_minor = 157,
    credit_until = now() + interval '1 h'
WHERE checkout_id IN ('e5', 'e6');
SELECT is(pg_temp.news('capture', 'succeeded', 'cap-' || n, 333, 't-e' || n),
          'applied', 'captured') FROM generate_series(5, 6) n;
SELECT is(pg_temp.wallet('JPY'), '104 210 0', 'sold, and held');
SELECT is(pg_temp.whole('e5', 'oe5', 'capture', 'ke5', NULL, 'DONE'),
          'SUCCESS', 'the rest is captured');
SELECT is(pg_temp.whole('e6', 'oe6', 'cancel', 've6', NULL, 'DONE'),
          'SUCCESS', 'or given up');
SELECT is(pg_temp.wallet('JPY'), '209 0 0', 'nothing is left over');

-- held for what has failed: nothing moves, people hear of it
CREATE FUNCTION pg_temp.why(p_order text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(': ', x.explanation::json ->> 'waits_for',
                 x.explanation::json ->> 'why')
FROM pay_view.explain('m1', p_order) x
$$;
SELECT is(pg_temp.fact('t-e' || n, f), 'applied', f)
FROM (VALUES (10, 'declined'), (11, 'expired'), (12, 'cancelled'),
             (13, 'expired'), (14, 'expired'), (15, 'expired'),
             (16, 'expired')) t (n, f);
SELECT is(pg_temp.fact('t-e' || n, 'authorized', p_reference => 'pi-' || n),
          'contradiction', 'and held all the same')
FROM generate_series(10, 12) n;
SELECT is(concat_ws(' ', pg_temp.of('oe11'), pg_temp.kinds('m1', 'oe11'),
                    pg_temp.doubts('e11')),
          'FAILED/expired / 0 0 0 0 0 created registered expired '
          'contradiction contradiction', 'people are told');
SELECT is((e.detail ->> 'said', r.reference)::text, '(authorized,pi-11)',
          'with what is needed to give it back')
FROM pay.event e, pay.registration r
WHERE e.payment_order_id = 'oe11' AND e.kind = 'contradiction'
    AND r.checkout_id = 'e11';
SELECT matches(pg_temp.why('oe11'), '^people: It has failed, but stripe says '
               'that it holds the buyer''s money\. .* cancels', 'and why');
SELECT is(pg_temp.fact('t-e11', 'authorized', p_source => 'query'),
          'contradiction', 'a query finds it, too');
SELECT is(pg_temp.fact('t-e11', 'authorized', p_source => 'query'),
          'contradiction', 'again');
SELECT is(pg_temp.kinds('m1', 'oe11'), 'created registered expired '
          'contradiction contradiction', 'which is told once');
SELECT is(pg_temp.change('oe11', 'capture', 'x'), 'not_paid',
          'it is not captured');
SELECT is(pg_temp.job('m1', 'e11'), NULL, 'nothing happens by itself');
SELECT is(pg_temp.change('oe11', 'cancel', 've11'),
          'created cancel NOT_STARTED 1000', 'but given back');
SELECT matches(pg_temp.why('oe11'), '^psp: It has failed, .* being told to '
               'give it back', 'which is on its way');
SELECT is(pg_temp.send('e11', 'cancel', 've11'), 'send 1 1', 'sent');
SELECT is(pg_temp.sent('e11', 'cancel', 've11', 'DONE'), 'stored', 'done');
SELECT is(concat_ws(' ', pg_temp.of('oe11'), pg_temp.kinds('m1', 'oe11')),
          'FAILED/expired / 0 0 0 0 0 created registered expired '
          'contradiction contradiction cancel_requested released', 'over');
SELECT is(pg_temp.why('oe11'), 'nobody: The buyer did not pay in time.',
          'nobody waits');
SELECT is(pg_temp.change('oe11', 'cancel', 'x'), 'nothing_left', 'once');
SELECT is(pg_temp.fact('t-e12', 'expired', 'gone'), 'applied',
          'or the hold ends');
SELECT is(pg_temp.kinds('m1', 'oe12'), 'created registered cancelled '
          'contradiction released', 'by itself');
SELECT is(pg_temp.fact('t-e10', 'paid'), 'applied', 'or it is captured');
SELECT is(pg_temp.of('oe10'), 'SUCCESS / 0 1000 0 0 0', 'money is believed');
SELECT is(pg_temp.fact('t-c7', 'expired'), 'applied', 'what was held ends');
SELECT is(pg_temp.fact('t-c7', 'authorized', 'old'), 'unchanged',
          'an older word is none');

-- payments_late_success refund: the gateway gives it back
SELECT is(pg_temp.fact('t-e' || n, 'authorized', p_reference => 'pi-' || n),
          'contradiction', 'held late')
FROM generate_series(13, 16) n;
SELECT is(concat_ws(' ', pg_temp.job('m1', 'e13'), pg_temp.kinds('m1', 'oe13'),
                    c.kind, c.status, c.reason),
          'change 0 created registered expired contradiction '
          'cancel_requested cancel NOT_STARTED authorized late', 'a change')
FROM pay.change c WHERE c.checkout_id = 'e13';
SELECT is(pg_temp.fact('t-e13', 'authorized', 'again'), 'contradiction',
          'told again');
SELECT is(pg_temp.job('m1', 'e13'), 'change 0', 'one');
SELECT is(d.outcome, 'send', 'it goes out')
FROM pay.change c, pay_api.begin_dispatch('{m1}', ARRAY[c.checkout_id::text],
    '{cancel}', ARRAY[c.change_id::text], '{stripe}', '{600}', '{30000}',
    '{request-9}') d
WHERE c.checkout_id IN ('e13', 'e14');
SELECT is(d.outcome, 'stored', 'and is done')
FROM pay.change c, pay_api.end_dispatch('{m1}', ARRAY[c.checkout_id::text],
    '{cancel}', ARRAY[c.change_id::text], '{1}', '{DONE}', '{complete}',
    '{200}', '{NULL}', '{NULL}', '{request-9}') d
WHERE c.checkout_id = 'e13';
SELECT is(d.outcome, 'stored', 'or refused')
FROM pay.change c, pay_api.end_dispatch('{m1}', ARRAY[c.checkout_id::text],
    '{cancel}', ARRAY[c.change_id::text], '{1}', '{REFUSED}', '{complete}',
    '{400}', '{too_late}', '{NULL}', '{request-9}') d
WHERE c.checkout_id = 'e14';
SELECT is(concat_ws(' / ', c.status, pg_temp.of('oe13'),
                    pg_temp.why('oe13')),
          'SUCCESS / FAILED/expired / 0 0 0 0 0 / nobody: The buyer did not '
          'pay in time.', 'nothing is held')
FROM pay.change c WHERE c.checkout_id = 'e13';
SELECT is(c.status::text, 'FAILED', 'people have it')
FROM pay.change c WHERE c.checkout_id = 'e14';
SELECT matches(pg_temp.why('oe14'), '^people: It has failed, but stripe '
               'says', 'still');
SELECT is(pg_temp.fact('t-e15', 'cancelled', 'by-itself'), 'applied',
          'or the PSP gives it back');
SELECT is(concat_ws(' ', c.status, pg_temp.job('m1', 'e15'),
                    pg_temp.kinds('m1', 'oe15')),
          'SUCCESS created registered expired contradiction '
          'cancel_requested released', 'and nobody is told to')
FROM pay.change c WHERE c.checkout_id = 'e15';

-- who waits for the merchant is not stuck
UPDATE pay.checkout SET expires_at = now() - interval '2 days'
WHERE checkout_id IN ('c8', 'e17');
SELECT is(s.outcome, 'swept', 'those on call are told')
FROM pay_api.sweep('{w}', '{10000}', '{"{\"executing_s\": 86400}"}') s;
SELECT is(string_agg(concat_ws(' ', d.checkout_id, d.reason), ', '),
          'e17 executing', 'of what the PSP does not end')
FROM pay.dead_letter d WHERE d.kind = 'stuck';
SELECT is(pg_temp.fact('t-e17', 'authorized'), 'applied', 'that is held, too');
UPDATE pay.round SET run_at = now() WHERE name = 'sweep';
SELECT is(s.outcome, 'swept', 'the next round')
FROM pay_api.sweep('{w}', '{10000}', '{"{\"executing_s\": 86400}"}') s;
SELECT is(d.state, 'settled', 'has nobody look any more')
FROM pay.dead_letter d WHERE d.checkout_id = 'e17';

-- a refund, and behind it the capture that brings its money: in one batch, and
-- kept until their token is known
CREATE FUNCTION pg_temp.pair(p_name text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(e.outcome, ' ' ORDER BY e.item)
FROM pay_api.apply_change('{stripe,stripe}', '{webhook,webhook}',
    ARRAY['re-' || p_name, 'cap-' || p_name], '{psp.refund,psp.capture}',
    '{refund,capture}', '{succeeded,succeeded}',
    ARRAY['t-' || p_name, 't-' || p_name], '{NULL,NULL}',
    ARRAY['o-re-' || p_name, 'o-cap-' || p_name], '{NULL,NULL}', '{30,100}',
    '{USD,USD}', '{NULL,NULL}', '{NULL,NULL}', '{NULL,NULL}',
    ARRAY[sha256('a'), sha256('b')], '{r,r}') e
$$;
CREATE FUNCTION pg_temp.inbox(p_event text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', i.state, i.checkout_id)
FROM pay.webhook_inbox i WHERE i.event_id = p_event
$$;
SELECT pg_temp.sold('pair1', '{opair1:100}', true)
\g /dev/null
SELECT is(pg_temp.pair('pair1'), 'parked applied', 'the refund waits');
SELECT is(concat_ws(' / ', pg_temp.money('opair1'), pg_temp.inbox('re-pair1')),
    '0 100 0 30 0 / applied pair1', 'for that capture');
SELECT pg_temp.begin('m1', 'k-pair2', 'pair2', '{opair2:100}',
    p_terms => '{"capture": "manual"}')
\g /dev/null
SELECT is(pg_temp.pair('pair2'), 'parked parked', 'nobody knows the token');
SELECT is(pg_temp.token('m1', 'pair2', 't-pair2'), 'stored', 'it comes');
SELECT is(concat_ws(' / ', pg_temp.money('opair2'), pg_temp.inbox('re-pair2')),
    '0 100 0 30 0 / applied pair2', 'and both are heard');

-- the first send was lost, its repeat refused: the PSP may have made the refund
SELECT pg_temp.sold('twice', '{otwice:100}')
\g /dev/null
SELECT is(pg_temp.change('otwice', 'refund', 'tw', 10),
    'created refund NOT_STARTED 10', 'a refund');
SELECT is(pg_temp.send('twice', 'refund', 'tw'), 'send 1 1', 'is sent');
SELECT is(pg_temp.sent('twice', 'refund', 'tw', 'UNKNOWN'), 'stored', 'lost');
SELECT is(pg_temp.send('twice', 'refund', 'tw'), 'send 1 2', 'sent again');
SELECT is(pg_temp.sent('twice', 'refund', 'tw', 'REFUSED'), 'stored',
    'and refused');
SELECT is(pg_temp.news('refund', 'succeeded', 're-tw', 10, 't-twice'),
    'applied', 'it was made');
SELECT is(concat_ws(' / ', pg_temp.how('tw'), pg_temp.money('otwice')),
    'SUCCESS re-tw / 0 100 0 10 0', 'and is this one, once');

-- an operator has given it up, then the PSP tells of it, and then the call ends
SELECT is(pg_temp.change('otwice', 'refund', 'gu', 20),
    'created refund NOT_STARTED 20', 'another one');
SELECT is(pg_temp.send('twice', 'refund', 'gu'), 'send 1 1', 'is sent');
SELECT is(pay_ops.settle_change('m1', pg_temp.uuid('gu'), false, 'a', 'b'),
    'settled', 'it is given up');
SELECT is(pg_temp.news('refund', 'succeeded', 're-gu', 20, 't-twice'),
    'applied', 'one that the PSP has made, it seems');
SELECT is(pg_temp.money('otwice'), '0 100 0 30 0', 'is booked');
SELECT is(pg_temp.sent('twice', 'refund', 'gu', 'DONE', 1, 're-gu'), 'stored',
    'the call had made it');
SELECT is(concat_ws(' / ', pg_temp.how('gu'), pg_temp.money('otwice')),
    'SUCCESS re-gu / 0 100 0 30 0', 'so it stays booked');

\i :checks
SELECT * FROM finish();
ROLLBACK;
