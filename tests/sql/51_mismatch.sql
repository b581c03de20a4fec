-- What people do about what was not believed: settle_mismatch.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

SELECT pg_temp.begin('m1', 'k-' || c, c, ARRAY['o' || c || ':1000']),
    pg_temp.token('m1', c, 't-' || c)
FROM unnest('{c1,c2,c3}'::text[]) c
\g /dev/null
CREATE FUNCTION pg_temp.of(p_checkout text, p_nth int DEFAULT 1)
RETURNS bigint LANGUAGE sql AS $$
SELECT m.mismatch_id FROM pay.mismatch m WHERE m.checkout_id = p_checkout
ORDER BY m.mismatch_id OFFSET p_nth - 1 LIMIT 1
$$;
CREATE FUNCTION pg_temp.settle(
    p_id bigint, p_who text DEFAULT 'ann', p_why text DEFAULT 'seen there')
RETURNS text LANGUAGE sql AS 'SELECT pay_ops.settle_mismatch($1, $2, $3)';
CREATE FUNCTION pg_temp.explained(p_order text) RETURNS jsonb
LANGUAGE sql AS $$
SELECT x.explanation::jsonb
FROM pay_api.explain_payment('{m1}', ARRAY[p_order], '{0}') x
$$;
CREATE FUNCTION pg_temp.stuck(p_checkout text) RETURNS text
LANGUAGE sql AS $$
SELECT s.why FROM pay_view.stuck s WHERE s.checkout_id = p_checkout
$$;

-- another amount is for people, as long as nobody has looked
SELECT is(pg_temp.fact('t-c1', 'paid', 'e-' || n, p_amount => 900 + n,
                       p_currency => 'USD'), 'mismatch', 'another amount')
FROM generate_series(1, 2) n;
SELECT is(pg_temp.explained('oc1') ->> 'waits_for', 'people', 'for people');
SELECT is(pg_temp.stuck('c1'), 'mismatch', 'it is stuck');
SELECT is(pg_temp.settle(pg_temp.of('c1')), 'settled', 'the first');
SELECT is(pg_temp.explained('oc1') ->> 'waits_for', 'people',
          'the second is still there');
SELECT is(pg_temp.settle(pg_temp.of('c1', 2), 'bob', 'paid back there'),
          'settled', 'the second');
SELECT is(pg_temp.explained('oc1') ->> 'waits_for', 'buyer',
          'people are not waited for any more');
SELECT is(pg_temp.explained('oc1') #>> '{safe_to_retry,answer}', 'after',
          'nor in the way of another checkout');
SELECT is(pg_temp.stuck('c1'), NULL, 'it is not stuck');
SELECT is(pg_temp.kinds('m1', 'oc1'), 'created registered mismatch mismatch '
          'mismatch_settled mismatch_settled', 'the timeline');
SELECT is((e.actor, e.old_status, e.new_status, e.detail)::text, format(
    '(operator,EXECUTING,EXECUTING,"{""who"": ""bob"", ""why"": '
    '""paid back there"", ""kind"": ""amount"", ""role"": ""%s"", '
    '""mismatch_id"": %s}")', session_user, pg_temp.of('c1', 2)),
    'by whom and why')
FROM pay.event e WHERE e.payment_order_id = 'oc1'
ORDER BY e.seq DESC LIMIT 1;
SELECT is((m.settled_by, m.settled_why, m.settled_at IS NOT NULL)::text,
          '(bob,"paid back there",t)', 'in the view')
FROM pay_view.mismatches m WHERE m.mismatch_id = pg_temp.of('c1', 2);
SELECT is((SELECT array_agg(x -> 'settled_at' <> 'null')::text
           FROM jsonb_array_elements(e -> 'exceptions') x), '{t,t}',
          'merchants see that, too')
FROM pg_temp.explained('oc1') e;
SELECT is(e #>> '{exceptions,0,settled_by}', NULL, 'not by whom')
FROM pg_temp.explained('oc1') e;
SELECT is(x.explanation::jsonb #>> '{exceptions,1,settled_by}', 'bob',
          'which is for us')
FROM pay_view.explain('m1', 'oc1') x;

-- a word that comes again is judged again
SELECT is(pg_temp.fact('t-c1', 'paid', 'e-3', p_amount => 901,
                       p_currency => 'USD'), 'mismatch', 'a new webhook');
SELECT is(pg_temp.explained('oc1') ->> 'waits_for', 'people', 'is for people');

-- what it refuses
SELECT pg_temp.fact('t-c2', 'paid', p_amount => 1, p_currency => 'EUR')
\g /dev/null
SELECT pg_temp.everything() AS before
\gset
SELECT is(pg_temp.settle(i, w, y), o, o)
FROM (VALUES (pg_temp.of('c1'), 'ann', 'again', 'closed'),
      (0, 'ann', 'x', 'not_found'), (NULL, 'ann', 'x', 'not_found'),
      (pg_temp.of('c2'), '', 'x', 'invalid'),
      (pg_temp.of('c2'), 'ann', ' ', 'invalid'),
      (pg_temp.of('c2'), NULL, 'x', 'invalid'),
      (pg_temp.of('c2'), 'ann', repeat('x', 201), 'invalid'))
    v (i, w, y, o);
SELECT is(pg_temp.everything(), :'before', 'nothing has changed');
SELECT is(pg_temp.run_as(r, format('SELECT pay_ops.settle_mismatch(%s, '
          '''x'', ''y'')', pg_temp.of('c2'))), '42501', r || ' may not')
FROM unnest('{payments_gateway,payments_auditor}'::text[]) r;
SELECT is(pg_temp.run_as('payments_operator', format(
    'SELECT pay_ops.settle_mismatch(%s, ''x'', ''y'')', pg_temp.of('c2'))),
    'ok', 'the operator may');
SELECT throws_ok(sql, 'PAY20', NULL, sql)
FROM unnest(ARRAY['UPDATE pay.mismatch_settlement SET who = ''x''',
    'DELETE FROM pay.mismatch_settlement',
    'TRUNCATE pay.mismatch_settlement']) sql;

-- the books: the metric counts what is open, and what is still wrong after
-- somebody has settled it is told again
CREATE FUNCTION pg_temp.keep() RETURNS void
LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT keep_difference('m1', 'c3', '{"check": "x"}')
$$;
SELECT pg_temp.keep() FROM generate_series(1, 2)
\g /dev/null
CREATE FUNCTION pg_temp.differences() RETURNS text LANGUAGE sql AS $$
UPDATE pay.round SET run_at = now() WHERE name = 'books';
SELECT b.counts::jsonb ->> 'differences'
FROM pay_api.check_books('{w}', '{60000}') b
$$;
SELECT is(pg_temp.differences(), '1', 'told once, and counted');
SELECT is(pg_temp.settle(pg_temp.of('c3')), 'settled', 'settled');
SELECT is(pg_temp.differences(), '0', 'not counted any more');
SELECT pg_temp.keep()
\g /dev/null
SELECT is(pg_temp.differences(), '1', 'but it is there again');

-- a second payment of one checkout is booked nowhere, and an operator hears of
-- it with the id by which it is paid back
SELECT pg_temp.begin('m1', 'k-twice', 'c4', '{oc4:1000}'),
    pg_temp.token('m1', 'c4', 't-c4'),
    pg_temp.fact('t-c4', 'paid', 'e-4', p_amount => 1000,
                 p_currency => 'USD', p_reference => 'pay-1')
\g /dev/null
SELECT is(pg_temp.fact('t-c4', 'paid', 'e-5', p_amount => 1000,
    p_currency => 'USD', p_reference => 'pay-1'), 'unchanged', 'a repeat');
SELECT is(pg_temp.fact('t-c4', 'paid', 'e-6', p_amount => 1000,
    p_currency => 'USD', p_reference => 'pay-2'), 'contradiction', 'another');
SELECT is((m.kind, m.object, m.amount_minor, m.currency, m.event_id)::text,
    '(contradiction,pay-2,1000,USD,e-6)', 'with its id and its amount')
FROM pay.mismatch m WHERE m.checkout_id = 'c4';
SELECT is(pg_temp.kinds('m1', 'oc4'), 'created registered paid contradiction',
          'in the timeline');
SELECT is((c.reference, count(j.*))::text, '(pay-1,1)',
          'refunds go to the first, and nothing else is booked')
FROM pay.checkout c
LEFT JOIN pay.journal_entry j ON j.merchant_id = c.merchant_id
    AND j.checkout_id = c.checkout_id
WHERE c.checkout_id = 'c4' GROUP BY c.reference;
SELECT matches(pg_temp.explained('oc4') ->> 'why', 'a second payment',
               'explained');
SELECT is(pg_temp.settle(pg_temp.of('c4')), 'settled', 'paid back there');
-- what takes it back is not the order's, by its token or by its own id
SELECT is(pg_temp.news(a, w, 'back-' || w, 1000, t, p_reference => 'pay-2'),
          'mismatch', a || ' ' || w)
FROM (VALUES ('refund', 'succeeded', 't-c4'), ('refund', 'succeeded', NULL),
      ('dispute', 'opened', NULL), ('dispute', 'lost', 't-c4')) v (a, w, t)
WHERE a = 'dispute' OR t IS NOT NULL;
SELECT is(concat_ws(' / ', pg_temp.money('oc4'), string_agg(m.kind || ' '
        || m.why || ' ' || m.object, ', ' ORDER BY m.mismatch_id)),
    '0 1000 0 0 0 / refund second_payment back-succeeded, '
    'dispute second_payment back-opened, dispute second_payment back-lost',
    'it bears nothing of it')
FROM pay.mismatch m WHERE m.checkout_id = 'c4' AND m.why IS NOT NULL;
-- but the fee for its dispute is its merchant's, once
SELECT is(pg_temp.news('dispute', w, 'fee-d', 1000, 't-c4',
    p_reference => 'pay-2', p_fee => 1500), 'mismatch', 'with a fee: ' || w)
FROM (VALUES ('opened'), ('lost')) v (w);
SELECT is((j.kind, j.source, l.account, l.currency, l.amount_minor)::text,
          '(psp_fee,dispute/stripe/fee-d,psp_fees,EUR,1500)', 'booked')
FROM pay.journal_entry j
JOIN pay.journal_line l USING (merchant_id, source, kind)
WHERE j.checkout_id = 'c4' AND j.kind = 'psp_fee' AND l.amount_minor > 0;
SELECT is(pg_temp.news('refund', 'succeeded', 'own', 10, 't-c4',
    p_reference => 'pay-1'), 'applied', 'but a refund of the first');
SELECT pg_temp.whole('c4', 'oc4', 'refund', 'ours', 20, 'PENDING')
\g /dev/null
SELECT is(pg_temp.news('refund', 'succeeded', 'theirs', 20, 't-c4',
    p_reference => 'pay-2', p_operation => pg_temp.uuid('ours')), 'applied',
    'and one that its merchant asks for, of whichever payment');
-- a refund and a dispute that were booked before it was heard of go on
SELECT pg_temp.sold('c7', '{oc7:1000}')
\g /dev/null
SELECT is(string_agg(pg_temp.news(a, w, o, 50, 't-c7',
                     p_reference => 'pay-7'), ' '), 'applied applied', 'early')
FROM (VALUES ('refund', 'pending', 're-7'), ('dispute', 'opened', 'di-7'))
    v (a, w, o);
SELECT is(pg_temp.fact('t-c7', 'paid', 'e-10', p_reference => 'pay-7'),
          'contradiction', 'their payment');
SELECT is(string_agg(pg_temp.news(a, w, o, 50, 't-c7',
                     p_reference => 'pay-7'), ' '), 'applied applied', 'later')
FROM (VALUES ('refund', 'succeeded', 're-7'), ('dispute', 'won', 'di-7'))
    v (a, w, o);
SELECT is(pg_temp.money('oc7'), '0 1000 0 50 0', 'to their end');
-- the first payment's capture has failed: the second one may be all there is
SELECT pg_temp.sold('c8', '{oc8:1000}')
\g /dev/null
SELECT is(pg_temp.news('capture', 'failed', 'cap-8', 0, 't-c8'), 'mismatch',
          'the money does not come');
SELECT is(pg_temp.fact('t-c8', 'paid', 'e-11', p_reference => 'pay-8'),
          'unchanged', 'another try brings it');
-- nor is one second whose first was told by a settlement file, with its own id
SELECT pg_temp.begin('m1', 'k-file', 'c9', '{oc9:1000}'),
    pg_temp.token('m1', 'c9', 't-c9')
\g /dev/null
CREATE FUNCTION pg_temp.by_file() RETURNS bigint
LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT cardinality(settle_facts(ARRAY[jsonb_populate_record(NULL::pay.fact,
    '{"item": 1, "nth": 1, "turn": 1, "merchant_id": "m1",
      "checkout_id": "c9", "kind": "paid", "actor": "webhook",
      "psp": "stripe", "reference": "ch-9",
      "detail": {"via": "settlement"}, "postings": []}')], false))::bigint
$$;
SELECT pg_temp.by_file()
\g /dev/null
SELECT is(pg_temp.fact('t-c9', 'paid', 'e-12', p_reference => 'pay-9'),
          'unchanged', 'the webhook names it otherwise');
SELECT is(pg_temp.kinds('m1', 'oc9'), 'created registered paid', 'once');
-- where the merchant captures, the PSP has captured more of the one payment
SELECT pg_temp.begin('m1', 'k-hand', 'c6', '{oc6:1000}',
        p_terms => '{"capture": "manual"}'),
    pg_temp.token('m1', 'c6', 't-c6'),
    pg_temp.fact('t-c6', 'authorized', p_reference => 'pay-5'),
    pg_temp.whole('c6', 'oc6', 'capture', 'part-6', 300, 'DONE'),
    pg_temp.whole('c6', 'oc6', 'cancel', 'rest-6', NULL, 'DONE')
\g /dev/null
SELECT is(pg_temp.fact('t-c6', 'paid', 'e-9', p_amount => 1000,
    p_currency => 'USD', p_reference => 'pay-5'), 'contradiction', 'all of it');
SELECT is(pg_temp.news('refund', 'succeeded', 'hand-refund', 10,
    p_reference => 'pay-5'), 'applied', 'which can be refunded');
-- also behind a payment that came too late, whose refund is of the first one
SELECT pg_temp.begin('m1', 'k-late', 'c5', '{oc5:1000}', p_late => 'refund'),
    pg_temp.token('m1', 'c5', 't-c5'), pg_temp.fact('t-c5', 'expired'),
    pg_temp.fact('t-c5', 'paid', 'e-7', p_amount => 1000,
                 p_currency => 'USD', p_reference => 'pay-3')
\g /dev/null
SELECT is(pg_temp.fact('t-c5', 'paid', 'e-8', p_amount => 1000,
    p_currency => 'USD', p_reference => 'pay-4'), 'contradiction', 'another');
SELECT is((m.object, l.reference, l.state)::text, '(pay-4,pay-3,refunding)',
          'each has its id')
FROM pay.mismatch m
JOIN pay.late_success l USING (merchant_id, checkout_id)
WHERE m.checkout_id = 'c5';
SELECT matches(pg_temp.explained('oc5') ->> 'why', 'a second payment',
               'explained');
SELECT is(pg_temp.change('oc5', 'cancel', 'k-cancel'), 'nothing_left',
          'nothing is held that could be cancelled');

\i :checks
SELECT * FROM finish();
ROLLBACK;
