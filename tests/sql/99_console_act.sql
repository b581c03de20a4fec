-- Acts of staff: rights by role, merchants, an old log-in, a second person,
-- limits, one request that comes twice, and the rows and events of who did it.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.body(p_request text, p_object text, p_more jsonb)
RETURNS jsonb LANGUAGE sql AS $$
SELECT jsonb_build_object('request', pg_temp.uuid(p_request),
    'object', p_object, 'reason', 'because') || p_more
$$;
CREATE FUNCTION pg_temp.terms() RETURNS jsonb LANGUAGE sql AS $$
SELECT '{"limits": [{"currency": "USD", "each": "8.00", "person": "10.00",
    "day": "15.00"}], "covered": []}'::jsonb
$$;
CREATE FUNCTION pg_temp.act(
    p_act text, p_who text, p_roles text, p_request text, p_object text,
    p_more jsonb DEFAULT '{}', p_merchants text DEFAULT NULL,
    p_age bigint DEFAULT 0, OUT outcome text, OUT page text)
LANGUAGE sql AS $$
SELECT r.outcome, r.page
FROM pay_console_act.make_act(ARRAY[p_act], ARRAY[p_who],
    ARRAY[to_jsonb(regexp_split_to_array(p_roles, ' '))],
    ARRAY[to_jsonb(regexp_split_to_array(p_merchants, ' '))], ARRAY[p_age],
    ARRAY[pg_temp.body(p_request, p_object, p_more)],
    ARRAY[pg_temp.terms()], '{request-20}') r
$$;
CREATE FUNCTION pg_temp.refund(
    p_who text, p_request text, p_order text, p_amount text,
    p_currency text DEFAULT 'USD')
RETURNS text LANGUAGE sql AS $$
SELECT (pg_temp.act('refund', p_who, 'support', p_request, p_order,
    jsonb_build_object('merchant', 'm1', 'amount', p_amount,
                       'currency', p_currency))).outcome
$$;
CREATE FUNCTION pg_temp.newest() RETURNS text LANGUAGE sql AS $$
SELECT max(p.proposal_id)::text FROM pay.console_proposal p
$$;
CREATE FUNCTION pg_temp.decide(
    p_act text, p_who text, p_request text, p_object text,
    p_roles text DEFAULT 'finance-approver')
RETURNS text LANGUAGE sql AS $$
SELECT (pg_temp.act(p_act, p_who, p_roles, p_request, p_object)).outcome
$$;

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':2000'])
FROM generate_series(1, 6) n
\g /dev/null
SELECT pg_temp.change('o6', 'refund', 'waits', 500)
\g /dev/null
INSERT INTO pay.dead_letter (merchant_id, checkout_id, psp, kind, reason,
    operation_id)
VALUES ('m1', 'c6', 'stripe', 'change', 'test', pg_temp.uuid('waits'));
INSERT INTO pay.webhook_endpoint (merchant_id, endpoint_id, url, types,
    scheme, is_ordered, created_by)
VALUES ('m1', 'e1', 'https://shop.example/hook', '{}', 'v1', true, 'me');
CREATE TEMPORARY TABLE letter AS
SELECT dead_letter_id::text AS id FROM pay.dead_letter;

-- each act, each role: who may is the table's
CREATE TEMPORARY TABLE tried AS
SELECT r.role, a.act, a.step, (pg_temp.act(a.act, 'ann', r.role,
    'matrix-' || r.role || a.act, a.object, a.more, NULL, 900)).outcome
FROM pay.console_role r
CROSS JOIN (VALUES
    ('requeue', 'act', (SELECT id FROM letter), '{}'::jsonb),
    ('disable', 'act', 'e1', '{}'), ('enable', 'act', 'e1', '{}'),
    ('refund', 'propose', 'o1',
     '{"merchant": "m1", "amount": "1.00", "currency": "USD"}'),
    ('settle', 'propose', pg_temp.uuid('waits'),
     '{"merchant": "m1", "outcome": "done"}')) a (act, step, object, more);
SELECT is(t.outcome, CASE WHEN x.role IS NULL THEN 'refused' ELSE 'stale' END,
          t.role || ' ' || t.act)
FROM tried t
LEFT JOIN pay.console_act_right x USING (role, act, step);
SELECT is(count(*), 40::bigint, 'nobody has acted, and each try is a row')
FROM pay.console_act a
WHERE a.result IN ('refused', 'stale')
    AND (SELECT count(*) FROM pay.console_proposal) = 0;
SELECT is((pg_temp.act('refund', 'ann', 'viewer', 'w', 'o1',
    '{"merchant": "m1", "amount": "1.00", "currency": "USD"}')).page,
    'This act needs the role finance, support', 'the roles are named');
SELECT is((a.outcome, left(a.page, 33))::text,
          '(stale,"The token does not say when you l")',
          'a token without auth_time')
FROM pg_temp.act('requeue', 'ann', 'operations', 'w2', (SELECT id FROM letter),
                 p_age => -1) a;

-- merchants
SELECT is((pg_temp.act(act, 'ann', role, 'other-' || act, object, more,
                       'm2')).outcome, 'not_found', 'of another: ' || act)
FROM (VALUES
    ('requeue', 'operations', (SELECT id FROM letter), '{}'::jsonb),
    ('disable', 'operations', 'e1', '{}'),
    ('refund', 'support', 'o1',
     '{"merchant": "m1", "amount": "1.00", "currency": "USD"}'),
    ('settle', 'finance', pg_temp.uuid('waits'),
     '{"merchant": "m1", "outcome": "done"}'),
    ('proof', 'support', 'o1', '{"merchant": "m1"}')) v
    (act, role, object, more);
SELECT is((SELECT count(*) FROM pay.console_act a
           WHERE a.request = pg_temp.uuid('other-refund')
               AND a.result = 'not_found'), 1::bigint, 'and is kept');

-- the members of a body
SELECT is((pg_temp.act(act, 'ann', 'support finance operations', 'bad', object,
                       more)).outcome, 'invalid', act || more)
FROM (VALUES
    ('refund', 'o1', '{"merchant": "m1", "amount": "1.00"}'::jsonb),
    ('refund', 'o1', '{"amount": "1.00", "currency": "USD"}'),
    ('refund', 'o1', '{"merchant": "m1", "amount": "1.001",
      "currency": "USD"}'),
    ('refund', 'o1', '{"merchant": "m1", "amount": "0.00",
      "currency": "USD"}'),
    ('refund', 'o1', '{"merchant": "m1", "amount": "1.00",
      "currency": "EUR"}'),
    ('settle', pg_temp.uuid('waits'), '{"merchant": "m1", "outcome": "x"}'),
    ('requeue', '1', '{"reason": " "}'), ('requeue', '1', '{"request": "1"}'),
    ('requeue', '1', jsonb_build_object('reason', repeat('x', 201)))) v
    (act, object, more);

-- an act that needs nobody else, once
SELECT is((a.outcome, a.page::jsonb ->> 'result')::text, '(done,disabled)',
          'an endpoint is disabled')
FROM pg_temp.act('disable', 'ann', 'operations', 'off', 'e1') a;
SELECT is((a.outcome, a.page::jsonb ->> 'result')::text, '(replayed,disabled)',
          'a double click')
FROM pg_temp.act('disable', 'ann', 'operations', 'off', 'e1') a;
SELECT is((pg_temp.act('disable', 'ann', 'operations', 'off', 'e1',
                       p_age => 900)).outcome, 'replayed',
          'also when the log-in has become old meanwhile');
SELECT is((pg_temp.act('enable', 'ann', 'operations', 'off', 'e1')).outcome,
          'key_reused', 'one request is one act');
SELECT is((SELECT concat_ws(' ', count(*), min(w.who), min(w.why),
                            min(e.state))
           FROM pay.webhook_act w, pay.webhook_endpoint e),
          '1 ann because disabled', 'it acted once, as payctl does');
SELECT is((pg_temp.act('enable', 'bob', 'admin', 'on', 'e1')).outcome, 'done',
          'and is enabled');
SELECT is((pg_temp.act('requeue', 'ann', 'operations', 'again',
                       (SELECT id FROM letter))).outcome, 'done',
          'a dead letter is requeued');
SELECT is((d.state, d.closed_by, d.closed_why)::text,
          '(requeued,ann,because)', 'with who and why')
FROM pay.dead_letter d;
SELECT is((a.outcome, a.page)::text,
          '(unchanged,"It is closed already.")', 'once')
FROM pg_temp.act('requeue', 'ann', 'operations', 'again2',
                 (SELECT id FROM letter)) a;

-- a refund: a second person, who is not the first
SELECT is(pg_temp.refund('ann', 'r1', 'o1', '6.00'), 'done', 'proposed');
SELECT is(pg_temp.refund('ann', 'r1', 'o1', '6.00'), 'replayed',
          'a double click proposes once');
SELECT is(pg_temp.money('o1'), '0 2000 0 0 0', 'nothing has moved');
SELECT is(pg_temp.decide('approve', 'ann', 'a0', pg_temp.newest(),
                         'support finance-approver'), 'own',
          'never one''s own proposal');
SELECT is(pg_temp.decide('approve', 'ANN', 'a00', pg_temp.newest(),
                         'support finance-approver'), 'own',
          'in capital letters neither');
SELECT is(pg_temp.decide('reject', 'ann', 'a1', pg_temp.newest(),
                         'support finance-approver'), 'own',
          'nor its rejection');
SELECT is(pg_temp.decide('approve', 'bob', 'a2', pg_temp.newest(), r),
          'refused', r || ' may not approve')
FROM unnest('{viewer,support,operations,finance,risk,admin,auditor}'
            ::text[]) r;
SELECT is((pg_temp.act('approve', 'bob', 'finance-approver', 'a3',
                       pg_temp.newest(), '{}', 'm2')).outcome, 'not_found',
          'nor one of another merchant');
SELECT is((pg_temp.act('approve', 'bob', 'finance-approver', 'a4',
                       pg_temp.newest(), p_age => 301)).outcome, 'stale',
          'nor one who logged in six minutes ago');
SELECT is(pg_temp.decide('withdraw', 'bob', 'a5', pg_temp.newest()),
          'refused', 'another one''s proposal is not withdrawn');
SELECT throws_ok(format('UPDATE pay.console_proposal SET state = ''done'', '
    'decided_by = ''ann'', decided_at = now() WHERE proposal_id = %s',
    pg_temp.newest()), '23514', NULL, 'the table refuses it, too');
SELECT is(pg_temp.decide('approve', 'bob', 'a6', pg_temp.newest()), 'done',
          'approved');
SELECT is(pg_temp.decide('approve', 'bob', 'a6', pg_temp.newest()),
          'replayed', 'a double click');
SELECT is(pg_temp.decide('approve', 'cid', 'a7', pg_temp.newest()),
          'unchanged', 'and a second approval');
SELECT is(pg_temp.money('o1'), '0 2000 600 0 0', 'it moves once');
SELECT is((c.kind, c.origin, c.amount_minor, c.reason, j.run_at <= now())
          ::text, '(refund,merchant,600,,t)',
          'as a refund of the API, that is due at once')
FROM pay.change c
JOIN pay.job j ON j.operation_id = c.change_id
WHERE c.payment_order_id = 'o1';
SELECT is(e.detail -> 'asked_by', '{"kid": "console", "sub": "ann"}',
          'the timeline names who asked')
FROM pay.event e
WHERE e.payment_order_id = 'o1' AND e.kind = 'refund_requested';
SELECT is((p.state, p.decided_by, p.decided_why, p.result)::text,
          '(done,bob,because,done)', 'and the proposal who approved')
FROM pay.console_proposal p WHERE p.proposal_id = pg_temp.newest()::bigint;
SELECT throws_ok('UPDATE pay.console_proposal SET state = ''rejected''',
                 'PAY20', NULL, 'a decision stays');
SELECT throws_ok('DELETE FROM pay.console_proposal', 'PAY20', NULL,
                 'and so do proposals');

-- limits: of one refund, of a person, of all; what waits counts
SELECT is(pg_temp.refund('ann', 'l1', 'o2', '8.01'), 'blocked', 'each');
SELECT is(pg_temp.refund('ann', 'l2', 'o2', '4.01'), 'blocked', 'a person');
SELECT is(pg_temp.refund('ann', 'l3', 'o2', '4.00'), 'done', 'up to it');
SELECT is(pg_temp.refund('bob', 'l4', 'o3', '5.01'), 'blocked', 'all');
SELECT is(pg_temp.refund('bob', 'l5', 'o3', '5.00'), 'done', 'up to it');
SELECT is((pg_temp.act('refund', 'ann', 'support', 'l6', 'o2',
    '{"merchant": "m1", "amount": "21.00", "currency": "USD"}')).page,
    'The amount is more than is left to refund.', 'more than there is');
SELECT is(pg_temp.decide('reject', 'cid', 'l7', pg_temp.newest()), 'done',
          'rejected');
SELECT is(pg_temp.refund('bob', 'l8', 'o3', '5.00'), 'done',
          'a rejected one counts no more');
SELECT is(pg_temp.decide('withdraw', 'bob', 'l9', pg_temp.newest(),
                         'support'), 'done', 'one''s own is withdrawn');
SELECT is(pg_temp.money('o3'), '0 2000 0 0 0', 'and nothing moved');

-- a proposal that is too old
SELECT is(pg_temp.refund('dan', 'x1', 'o4', '5.00'), 'done', 'proposed');
ALTER TABLE pay.console_proposal DISABLE TRIGGER console_proposal_decided;
UPDATE pay.console_proposal SET until = now() - interval '1 s'
WHERE proposal_id = pg_temp.newest()::bigint;
ALTER TABLE pay.console_proposal ENABLE ALWAYS TRIGGER
    console_proposal_decided;
SELECT is(pg_temp.decide('approve', 'bob', 'x2', pg_temp.newest()), 'gone',
          'has expired');
SELECT is(pg_temp.money('o4'), '0 2000 0 0 0', 'and moves nothing');
SELECT is(pg_temp.refund('dan', 'x3', 'o4', '5.00'), 'done',
          'nor counts it');

-- what changed between the proposal and its approval
SELECT pg_temp.change('o4', 'refund', 'all', 2000)
\g /dev/null
SELECT is((a.outcome, a.page)::text,
          '(unchanged,"Nothing is left to refund.")', 'the API was first')
FROM pg_temp.act('approve', 'bob', 'finance-approver', 'x4',
                 pg_temp.newest()) a;
SELECT is(p.state || ' ' || p.result, 'failed nothing_left',
          'the proposal is over')
FROM pay.console_proposal p WHERE p.proposal_id = pg_temp.newest()::bigint;

-- a change whose outcome only operators know
SELECT is((pg_temp.act('settle', 'ann', 'operations', 's1',
    pg_temp.uuid('waits'), '{"merchant": "m1", "outcome": "failed"}'))
    .outcome, 'done', 'a settle is proposed');
SELECT is(pg_temp.how('waits'), 'NOT_STARTED', 'and waits');
SELECT is(pg_temp.decide('approve', 'bob', 's2', pg_temp.newest()), 'done',
          'and is approved');
SELECT is(pg_temp.how('waits'), 'FAILED', 'it is settled');
SELECT is((pg_temp.act('settle', 'ann', 'operations', 's3',
    pg_temp.uuid('waits'), '{"merchant": "m1", "outcome": "done"}')).outcome,
    'unchanged', 'once');

-- a merchant whose refunds a wallet must cover
SELECT is(r.outcome, 'blocked', 'a currency without a line')
FROM pay_console_act.make_act('{refund}', '{eve}', ARRAY['["support"]'::jsonb],
    ARRAY[NULL::jsonb], '{0}', ARRAY[pg_temp.body('n1', 'o5',
    '{"merchant": "m1", "amount": "1.00", "currency": "USD"}')],
    ARRAY['{"limits": [], "covered": []}'::jsonb], '{r}') r;

-- looks, exports, proofs
SELECT is((pg_temp.act('export', 'ann', r, 'e-' || r, 'audit',
    '{"filter": "", "rows": "3"}')).outcome, said, 'export as ' || r)
FROM (VALUES ('viewer', 'refused'), ('auditor', 'done')) v (r, said);
SELECT is((pg_temp.act('look', 'ann', 'support', 'look', 'payment',
    '{"query": "{\"checkout\": \"c5\"}"}', p_age => -1)).outcome, 'done',
    'a look at data of a buyer');
SELECT is((a.merchant_id, a.checkout_id, a.object)::text, '(m1,c5,c5)',
          'is kept with its payment')
FROM pay.console_act a WHERE a.act = 'look';
SELECT is((a.outcome, (a.page::jsonb ->> 'payment_order_id'))::text,
          '(done,o5)', 'a proof')
FROM pg_temp.act('proof', 'ann', 'support', 'proof', 'o5',
                 '{"merchant": "m1"}', p_age => -1) a;

-- pages
CREATE FUNCTION pg_temp.page(
    p_page text, p_query jsonb, p_merchants text DEFAULT NULL,
    p_roles text DEFAULT 'auditor')
RETURNS jsonb LANGUAGE sql AS $$
SELECT r.page::jsonb
FROM pay_console.read_page(ARRAY[p_page], '{ann}',
    ARRAY[to_jsonb(regexp_split_to_array(p_roles, ' '))],
    ARRAY[to_jsonb(regexp_split_to_array(p_merchants, ' '))],
    ARRAY[p_query]) r
$$;
CREATE FUNCTION pg_temp.items(
    p_page text, p_query jsonb, p_member text, p_merchants text DEFAULT NULL)
RETURNS text[] LANGUAGE sql AS $$
SELECT array_agg(i ->> p_member ORDER BY i ->> p_member)
FROM jsonb_array_elements(
    pg_temp.page(p_page, p_query, p_merchants) -> 'items') i
$$;
SELECT is((SELECT array_agg(a ->> 'act' ORDER BY a ->> 'act')
           FROM jsonb_array_elements(pg_temp.page('me', '{"acts": "1"}', NULL,
               'operations') -> 'acts') a),
          '{disable,enable,requeue,settle}', 'me lists the acts');
SELECT is(m -> member, said, 'a console that only shows has ' || member)
FROM (VALUES ('acts', '[]'::jsonb), ('can_act', 'false')) v (member, said),
    pg_temp.page('me', '{}', NULL, 'operations') m;
SELECT is(pg_temp.items('acts', '{"person": "bob", "act": "refund"}',
                        'result'), '{blocked,done,done}',
          'who did what, of a person');
SELECT is(pg_temp.items('acts', '{}', 'act', 'm2'), NULL,
          'none of another merchant');
SELECT is(pg_temp.items('acts', '{"object": "c5"}', 'act'),
          '{look,proof,refund}', 'of a payment');
SELECT is(pg_temp.items('acts', '{"from": "0", "to": "1"}', 'act'), NULL,
          'of a time');
CREATE TEMPORARY TABLE walked (n int, item jsonb);
DO $$
DECLARE
    v_query jsonb := '{"limit": "7"}';
    v_page  jsonb;
BEGIN
    FOR n IN 1 .. 100 LOOP
        v_page := pg_temp.page('acts', v_query);
        INSERT INTO walked
        SELECT n, jsonb_array_elements(v_page -> 'items');
        EXIT WHEN v_page ->> 'next' IS NULL;
        v_query := v_query || jsonb_build_object('before', v_page -> 'next');
    END LOOP;
END
$$;
SELECT results_eq($$
    SELECT item ->> 'source', item ->> 'number' FROM walked ORDER BY 1, 2
$$, $$
    SELECT a.source, a.id FROM pay_view.acts a ORDER BY 1, 2
$$, 'pages join to the whole, without a row twice');
SELECT is(pg_temp.items('approvals', '{}', 'proposed_by'), '{ann}',
          'what waits');
SELECT is(pg_temp.items('approvals', '{"state": "expired"}', 'state'),
          '{expired}', 'what has expired');
SELECT is(pg_temp.items('approvals', '{"state": "done"}', 'state', 'm2'),
          NULL, 'of another merchant');
SELECT is((SELECT array_agg(a ->> 'act')
           FROM jsonb_array_elements(
               pg_temp.page('payment', '{"checkout": "c5"}') -> 'acts') a),
          '{refund,look,proof}', 'a payment has its acts');
SELECT is(pg_temp.page('payment', '{"checkout": "c2"}')
          #>> '{proposals,0,proposed_by}', 'ann', 'and its proposals');

-- the rows cannot be changed, and are events of the log
SELECT throws_ok(sql, 'PAY20', NULL, sql)
FROM (VALUES ('UPDATE pay.console_act SET who = ''x'''),
    ('DELETE FROM pay.console_act'), ('TRUNCATE pay.console_act')) v (sql);
SELECT is((SELECT count(*) FROM pay.event
           WHERE merchant_id = ':console' AND kind = 'console_act'),
          (SELECT count(*) FROM pay.console_act), 'each is an event');

\i :checks
SELECT finish();
ROLLBACK;
