-- By which of its names a word of a PSP finds its checkout: the token, or else
-- the payment, or one capture of several; and who may give a payment its name.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'])
FROM generate_series(1, 9) n
\g /dev/null
SELECT b.outcome FROM generate_series(1, 9) n,
    pg_temp.begin('m1', 'k-e' || n, 'e' || n, ARRAY['oe' || n || ':100']) b
\g /dev/null
SELECT pg_temp.token('m1', 'e' || n, 't-e' || n) FROM generate_series(1, 9) n
\g /dev/null
CREATE FUNCTION pg_temp.inbox(p_event text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', i.state, i.checkout_id)
FROM pay.webhook_inbox i WHERE i.event_id = p_event
$$;

-- an unknown token, a known payment
SELECT is(pg_temp.fact('t-e1', 'pending', p_reference => 'pi-e1'), 'unchanged',
          'a payment');
SELECT is(pg_temp.fact('other-e1', 'paid', 'e1', p_source => s,
                       p_reference => 'pi-e1'), w, s || ' of that payment')
FROM (VALUES ('backfill', 'applied'), ('webhook', 'duplicate'),
             ('query', 'unchanged')) t (s, w);
SELECT is(pg_temp.status('m1', 'oe1'), 'SUCCESS', 'it is the same');
SELECT is(pg_temp.inbox('e1'), 'applied e1', 'the inbox');
SELECT is(pg_temp.fact('', 'declined', 'e1b', p_reference => 'pi-e1'),
          'ignored', 'one that names no token is not about a payment');
SELECT is(pg_temp.fact('other-e1', 'paid', 'e1c', p_source => 'backfill',
                       p_reference => 'pi-x'), 'unknown', 'nor is any other');
SELECT is(pg_temp.fact('t-e2', 'pending', p_reference => 'pi-c1'),
          'unchanged', 'a token');
SELECT is(pg_temp.fact('t-e2', 'paid', p_reference => 'pi-c1'), 'applied',
          'counts for more than a payment');
SELECT is(pg_temp.status('m1', 'oe2'), 'SUCCESS', 'of somebody else');

-- both come later
SELECT is(pg_temp.fact('other-e3', 'paid', 'e3', p_reference => 'pi-e3'),
          'parked', 'nobody knows either');
SELECT is(pg_temp.news('refund', 'succeeded', 're-e3', 30, 'other-e3',
                       p_reference => 'pi-e3'), 'parked', 'nor of a refund');
SELECT is(pg_temp.fact('t-e3', 'pending', p_reference => 'pi-e3'),
          'unchanged', 'whose payment it is');
SELECT is(concat_ws(' / ', pg_temp.inbox('e3'), pg_temp.money('oe3'),
                    pg_temp.inbox('evt-refund-succeeded-re-e3')),
          'applied e3 / 0 100 0 30 0 / applied e3', 'is told');
SELECT is(pg_temp.fact('other-e4', 'pending', 'e4', p_reference => 'pi-e4'),
          'parked', 'nobody knows either');
SELECT b.outcome FROM pg_temp.begin('m1', 'k-f4', 'f4', '{of4:100}') b
\g /dev/null
SELECT is(pg_temp.token('m1', 'f4', 'other-e4'), 'stored', 'the token first');
SELECT is(concat_ws(' / ', pg_temp.inbox('e4'), pg_temp.kinds('m1', 'of4')),
          'unchanged f4 / created registered pending', 'is its owner''s, once');
SELECT is(pg_temp.news('fee', 'succeeded', 'fee-e4', 3,
                       p_reference => 'pi-e4'), 'applied',
          'and so is the payment');
SELECT is(pg_temp.fact('other-e5', 'pending', 'e5', p_reference => 'pi-e5'),
          'parked', 'nobody knows');
INSERT INTO pay.dead_letter (psp, event_id, kind, reason)
VALUES ('stripe', 'e5', 'parked', 'parked');
UPDATE pay.psp_token SET merchant_id = 'm1', checkout_id = 'e5',
    is_reference = true
WHERE psp = 'stripe' AND token = 'pi-e5';
SELECT is(pay_ops.requeue_dead_letter(d.dead_letter_id, 'ann', 'known now'),
          'requeued', 'people may have it applied')
FROM pay.dead_letter d WHERE d.event_id = 'e5';
SELECT is(pg_temp.inbox('e5'), 'unchanged e5', 'by the payment');

-- who may name a payment
SELECT is(pg_temp.news('fee', 'succeeded', 'fee-6', 3,
                       p_reference => 'pi-e6'), 'parked', 'whose payment?');
SELECT is(pg_temp.fact('t-e6', f, 'e6' || f, p_amount => a,
                       p_reference => 'pi-e6'), w, 'not a word that ' || x)
FROM (VALUES ('paid', 99, 'mismatch', 'is not believed'),
             ('ask', NULL, 'asked', 'only asks')) t (f, a, w, x);
SELECT is(pg_temp.inbox('evt-fee-succeeded-fee-6'), 'parked', 'nobody''s yet');
SELECT is(pg_temp.fact('other-e7', f, 'e7' || f, p_amount => a,
                       p_reference => 'pi-e6'), 'parked', 'nor one that waits')
FROM (VALUES ('paid', 99), ('ask', NULL)) t (f, a);
SELECT b.outcome FROM pg_temp.begin('m1', 'k-f7', 'f7', '{of7:100}') b
\g /dev/null
SELECT is(pg_temp.token('m1', 'f7', 'other-e7'), 'stored', 'for its token');
SELECT is((pg_temp.inbox('e7paid'), pg_temp.inbox('e7ask'),
           pg_temp.inbox('evt-fee-succeeded-fee-6'))::text,
          '("mismatch f7","asked f7",parked)', 'which it has now');
SELECT is(pg_temp.fact('t-e6', 'paid', 'e6', p_reference => 'pi-e6'),
          'applied', 'one that is believed');
SELECT is(pg_temp.inbox('evt-fee-succeeded-fee-6'), 'applied e6', 'does');

-- one capture of several
SELECT pg_temp.sold('d' || n, ARRAY[format('od%sa:100', n),
                                   format('od%sb:50', n)], true)
FROM generate_series(1, 3) n
\g /dev/null
SELECT is(pg_temp.whole('d1', 'od1' || x, 'capture', 'k1' || x, 40, 'DONE',
                        'cap-1' || x), 'SUCCESS cap-1' || x, 'captured')
FROM (VALUES ('a'), ('b')) t (x);
SELECT is(pg_temp.news(a, w, o, 30, p_reference => 'cap-1' || x), 'applied',
          format('a %s of %s', a, x))
FROM (VALUES ('refund', 'succeeded', 're-1b', 'b'),
             ('dispute', 'opened', 'dp-1a', 'a')) t (a, w, o, x);
SELECT is(concat_ws(' / ', pg_temp.money('od1a'), pg_temp.money('od1b'),
                    pg_temp.doubts('d1')),
          '60 40 0 0 30 / 10 40 0 30 0', 'each of its order');
SELECT is(pg_temp.news('refund', 'succeeded', 're-1', 5,
                       p_reference => 'pi-d1'), 'applied',
          'of the payment: that of both');
SELECT is(pg_temp.news('refund', 'succeeded', 're-2', 30, p_reference =>
    'cap-2b'), 'parked', 'before the answer to the capture');
SELECT is(pg_temp.whole('d2', 'od2' || x, 'capture', 'k2' || x, 40, s,
                        'cap-2' || x), w || ' cap-2' || x, 'which comes')
FROM (VALUES ('a', 'DONE', 'SUCCESS'), ('b', 'PENDING', 'EXECUTING')) t
    (x, s, w);
SELECT is(pg_temp.inbox('evt-refund-succeeded-re-2'), 'parked d2',
          'it is known for whom it waits');
SELECT is(pg_temp.news('capture', 'succeeded', 'cap-2b', 80, 't-d2'),
          'applied', 'captured');
SELECT is(concat_ws(' / ', pg_temp.inbox('evt-refund-succeeded-re-2'),
                    pg_temp.money('od2a'), pg_temp.money('od2b')),
          'applied d2 / 60 40 0 0 0 / 10 40 0 30 0', 'and paid back');
SELECT is(pg_temp.whole('d3', 'od3a', 'capture', 'k3', 40, 'UNKNOWN'),
          'EXECUTING', 'one that nobody knows of');
SELECT is(pg_temp.news('refund', 'succeeded', 're-3', 30, p_reference =>
    'cap-3'), 'parked', 'whose capture?');
SELECT is(pg_temp.news('capture', 'succeeded', 'cap-3', 40, 't-d3',
                       p_operation => pg_temp.uuid('k3')), 'applied',
          'that one''s, by the PSP''s word');
SELECT is(concat_ws(' / ', pg_temp.money('od3a'), pg_temp.money('od3b')),
          '60 40 0 30 0 / 50 0 0 0 0', 'and paid back');

-- a token of one checkout is spelled as the payment of another
SELECT pg_temp.begin('m1', 'k-' || c, c, ARRAY['o' || c || ':100']),
    pg_temp.token('m1', c, t)
FROM (VALUES ('same1', 'tok-1'), ('same2', 'same')) v (c, t)
\g /dev/null
SELECT is(pg_temp.fact('tok-1', 'paid', p_reference => 'same'), 'applied',
          'the first one is paid by a payment of that name');
SELECT is(pg_temp.news('refund', 'succeeded', 're-same', 30,
                       p_reference => 'same'), 'applied',
          'a refund of the payment');
SELECT is(concat_ws(' / ', pg_temp.money('osame1'), pg_temp.money('osame2')),
          '0 100 0 30 0 / 0 0 0 0 0', 'is that of the first');
SELECT is(pg_temp.fact('same', 'paid', p_reference => 'pay-2'), 'applied',
          'the second one is paid');
SELECT is(pg_temp.news('refund', 'succeeded', 're-same2', 20, 'same',
                       p_reference => 'pay-2'), 'applied',
          'and paid back by its token');
SELECT is(concat_ws(' / ', pg_temp.money('osame1'), pg_temp.money('osame2')),
          '0 100 0 30 0 / 0 100 0 20 0', 'each its own');
SELECT is(pg_temp.news('refund', 'succeeded', 're-p', 10,
                       p_reference => 'twin'), 'parked',
          'a refund of a payment that nobody knows');
SELECT pg_temp.begin('m1', 'k-' || c, c, ARRAY['o' || c || ':100']),
    pg_temp.token('m1', c, t)
FROM (VALUES ('twin1', 'twin'), ('twin2', 'tok-2')) v (c, t)
\g /dev/null
SELECT is(pg_temp.fact('twin', 'paid'), 'applied', 'a token of that name');
SELECT is(pg_temp.money('otwin1'), '0 100 0 0 0', 'is not the payment');
SELECT is(pg_temp.fact('tok-2', 'paid', p_reference => 'twin'), 'applied',
          'which comes with another');
SELECT is(concat_ws(' / ', pg_temp.money('otwin1'), pg_temp.money('otwin2')),
          '0 100 0 0 0 / 0 100 0 10 0', 'and has the refund');
SELECT is(pg_temp.fact('wait', 'paid', 'e-wait', p_reference => 'pay-w'),
          'parked', 'a token that nobody has');
SELECT is(pg_temp.fact('tok-2', 'paid', 'e-w2', p_reference => 'wait'),
          'contradiction', 'is no payment');
SELECT is((SELECT i.state FROM pay.webhook_inbox i
           WHERE i.event_id = 'e-wait'), 'parked', 'it waits on');

SET CONSTRAINTS ALL IMMEDIATE;
\i :checks
SELECT finish();
ROLLBACK;
