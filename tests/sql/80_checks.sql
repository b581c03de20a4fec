-- The referees see what they are there for: each invariant against a planted
-- breach.  The guards are taken away for it, in a transaction that is rolled
-- back.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
\ir payout.psql
\ir risk.psql
SELECT no_plan();

SELECT b.outcome FROM generate_series(1, 4) n,
    pg_temp.begin('m1', 'k' || n, 'c' || n, ARRAY['o' || n || ':100']) b
\g /dev/null
SELECT pg_temp.token('m1', 'c' || n, 't' || n) FROM generate_series(1, 3) n
\g /dev/null
SELECT pg_temp.fact('t1', 'paid'), pg_temp.fact('t-early', 'paid'),
    pg_temp.fact('t2', 'paid', 'e2', p_amount => 1)
\g /dev/null
-- c9's first call has a row in the journal, and c10's, which has brought its
-- token
SELECT b.outcome FROM unnest('{c9,c10}'::text[]) c,
    pg_temp.begin('m1', 'k-' || c, c, ARRAY['o-' || c || ':100']) b
\g /dev/null
SELECT pg_temp.journaled('c9'), pg_temp.journaled('c10')
\g /dev/null
SELECT pg_temp.token('m1', 'c10', 't10')
\g /dev/null
-- c5 has moved on, c6 has failed and is asked about by its alias
SELECT b.outcome FROM unnest('{c5,c6}'::text[]) c,
    pg_temp.begin('m1', 'k-' || c, c, ARRAY['o-' || c || ':100'],
                  p_psps => 'stripe adyen square') b
\g /dev/null
SELECT pg_temp.reroute('m1', 'c5', 'stripe', 'refused'),
    pg_temp.token('m1', 'c6', 't6', p_alias => 'a6')
\g /dev/null
SELECT pg_temp.fact('t6', 'declined'), pg_temp.fact('a6', 'ask')
\g /dev/null

-- c7 is held, c8 is paid back, c1 is contradicted
SELECT b.outcome FROM unnest('{c7,c8}'::text[]) c,
    pg_temp.begin('m1', 'k-' || c, c, ARRAY['o-' || c || ':100']) b
\g /dev/null
UPDATE pay.checkout
SET late_success = CASE checkout_id WHEN 'c7' THEN 'hold' ELSE 'refund' END
WHERE checkout_id IN ('c7', 'c8');
SELECT pg_temp.token('m1', c, 't-' || c) FROM unnest('{c7,c8}'::text[]) c
\g /dev/null
SELECT pg_temp.fact('t-' || c, f)
FROM unnest('{c7,c8}'::text[]) c,
    unnest('{expired,paid}'::text[]) WITH ORDINALITY AS f (f, i)
ORDER BY c, i
\g /dev/null
SELECT pg_temp.fact('t1', 'declined')
\g /dev/null
-- an act on the console
SELECT a.outcome FROM pay_console_act.make_act('{export}', '{ann}',
    ARRAY['["auditor"]'::jsonb], ARRAY[NULL::jsonb], '{0}',
    ARRAY[jsonb_build_object('request', pg_temp.uuid('act'), 'object',
        'audit', 'filter', '', 'rows', '1')], '{"{}"}', '{request-1}') a
\g /dev/null
-- f1 is paid back in parts and disputed, f2 is captured in parts
SELECT pg_temp.sold('f1', '{o-f1:100}'), pg_temp.sold('f2', '{o-f2:100}', true)
\g /dev/null
SELECT pg_temp.whole('f1', 'o-f1', 'refund', 'done', 10, 'DONE', 're-1'),
    pg_temp.whole('f1', 'o-f1', 'refund', 'failed', 10, 'REFUSED'),
    pg_temp.change('o-f1', 'refund', 'open', 10),
    pg_temp.whole('f1', 'o-f1', 'refund', 'sent', 10, 'PENDING'),
    pg_temp.news('dispute', 'opened', 'dp-1', 10, 't-f1'),
    pg_temp.news('dispute', 'lost', 'dp-2', 10, 't-f1'),
    pg_temp.whole('f2', 'o-f2', 'capture', 'capture', 10, 'DONE'),
    pg_temp.change('o-f2', 'capture', 'capture-2', 10)
\g /dev/null
-- f4 was paid back more than it was
SELECT pg_temp.sold('f4', '{o-f4a:10,o-f4b:10}'),
    pg_temp.news('refund', 'succeeded', 're-f4', 21, 't-f4')
\g /dev/null
-- f3 has a capture of ours that its PSP has told without our id
SELECT pg_temp.sold('f3', '{o-f3:100}', true)
\g /dev/null
SELECT pg_temp.change('o-f3', 'final_capture', 'matched', 10),
    pg_temp.send('f3', 'capture', 'matched'),
    pg_temp.news('capture', 'single', 'cap-f3', 10, 't-f3')
\g /dev/null

-- a settlement day, its payout at the bank, and two closed days
SELECT pg_temp.sold('s1', '{o-s1:10}'), pg_temp.import('day', ARRAY[
    's1|sale|ch-s1|pi-s1||10|-1|9', 's2|fee||||0|-2|-2',
    's3|sale|ch-x|pi-x||5|0|5', 's4|payout|po-s|||-12|0|-12||||po-s']),
    pg_temp.import('bank', ARRAY['b1|receipt||||12|0|12||||||po-s'],
                   p_source => 'bank')
\g /dev/null
CREATE FUNCTION pg_temp.close(p_days int) RETURNS text
LANGUAGE sql SET search_path = pay, pg_temp AS
'SELECT (pay.make_close(current_date - p_days)).outcome';
SELECT pg_temp.close(2), pg_temp.close(1)
\g /dev/null

-- two items, one of them cancelled, and an order that waits
SELECT pg_temp.provider(), pg_temp.account(), pg_temp.sold('p1', '{o-p1:40}'),
    pg_temp.sold('p2', '{o-p2:50}'), pg_temp.release('o-p1')
\g /dev/null
SELECT pg_temp.pay(p_currency => 'USD'),
    pay_ops.cancel_payout('m1', pg_temp.item(), 'ann', 'test'),
    pg_temp.pay(p_currency => 'USD'), pg_temp.batch(), pg_temp.approve(),
    pg_temp.approve('ann'), pg_temp.begin_send(), pg_temp.tell('sent', 'ref-1'),
    pg_temp.sold('p3', '{o-p3:60}'), pg_temp.release('o-p3'),
    pg_temp.pay(p_currency => 'USD')
\g /dev/null
-- the fee of o-g1
SELECT pay_ops.set_fee_policy('m1', 'all', 20, 'ann', 'test'),
    pay_ops.set_commission('m1', NULL, NULL, 'USD', 10, 0, 0, NULL, NULL,
                           'ann', 'test'), pg_temp.sold('g1', '{o-g1:100}')
\g /dev/null

-- r4 is held, approved, and its capture under way
SELECT b.outcome FROM pg_temp.begin('m1', 'k-r4', 'r4', '{o-r4:100}',
    p_terms => '{"holds": {"psps": "stripe"}}',
    p_risk => pg_temp.risk('review')) b
\g /dev/null
SELECT pg_temp.token('m1', 'r4', 't-r4'),
    pg_temp.fact('t-r4', 'authorized', p_reference => 'pi-r4'),
    pay_ops.decide_review(r.review_id, 'approve', 'known_buyer', NULL, false,
                          'ann')
FROM pay.risk_review r WHERE r.checkout_id = 'r4'
\g /dev/null
-- r1 is allowed, r2 blocked, r3 was not looked at
SELECT b.outcome FROM (VALUES ('r1', 'allow'), ('r2', 'block'), ('r3', NULL))
        x (c, word),
    pg_temp.begin('m1', 'k-' || c, c, ARRAY['o-' || c || ':100'],
        p_risk => CASE WHEN word <> '' THEN pg_temp.risk(word) END) b
\g /dev/null

-- x1 is held by its card, x2 and x3 are voided, x4 has two words
CREATE FUNCTION pg_temp.card(p_checkout text, p_attempt text, p_block text)
RETURNS text LANGUAGE sql AS $$
SELECT e.outcome FROM pay_api.apply_event('{stripe}', '{webhook}',
    ARRAY['e-' || p_attempt], '{charge.x}', '{none}',
    ARRAY['t-' || p_checkout], '{NULL}', '{NULL}', '{NULL}', '{NULL}',
    ARRAY[sha256('b')], '{r}', '{NULL}', '{NULL}', ARRAY[p_attempt], '{1}',
    ARRAY[p_attempt], ARRAY[pg_temp.hash('stolen')], '{NULL}', '{NULL}',
    '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{0}', '{NULL}',
    ARRAY[jsonb_build_object('version', 'c0ffee', 'shadow', false,
        'block', p_block, 'windows', '[]'::jsonb)]) e
$$;
SELECT pg_temp.sold('x' || n, ARRAY['o-x' || n || ':100'])
FROM generate_series(1, 4) n
\g /dev/null
SELECT pay_ops.risk_list_add('m1', 'block', 'card', pg_temp.hash('stolen'),
    NULL, 'ann', 'test'), pg_temp.card('x1', 'a1', 'hold'),
    pg_temp.card('x2', 'a2', 'void'), pg_temp.card('x3', 'a3', 'void'),
    pg_temp.card('x4', 'a4', 'hold'), pg_temp.card('x4', 'a5', 'hold')
\g /dev/null
CREATE FUNCTION pg_temp.give_back() RETURNS void
LANGUAGE sql SET search_path = pay, pg_temp AS 'SELECT sweep_reviews()';
SELECT pg_temp.give_back()
\g /dev/null
\i :checks

SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE pay.payout DISABLE TRIGGER ALL;
ALTER TABLE pay.payout_part DISABLE TRIGGER ALL;
ALTER TABLE pay.order_fee DISABLE TRIGGER ALL;
ALTER TABLE pay.commission DISABLE TRIGGER ALL;
ALTER TABLE pay.payout_line DISABLE TRIGGER ALL;
ALTER TABLE pay.payout_advice DISABLE TRIGGER ALL;
ALTER TABLE pay.payout_act DISABLE TRIGGER USER;
ALTER TABLE pay.console_act DISABLE TRIGGER ALL;
ALTER TABLE pay.payout_batch DISABLE TRIGGER ALL;
ALTER TABLE pay.payout_batch_item DISABLE TRIGGER ALL;
ALTER TABLE pay.payout_approval DISABLE TRIGGER ALL;
ALTER TABLE pay.settlement_file DISABLE TRIGGER ALL;
ALTER TABLE pay.settlement_row DISABLE TRIGGER ALL;
ALTER TABLE pay.settlement_link DISABLE TRIGGER ALL;
ALTER TABLE pay.settlement_closed DISABLE TRIGGER ALL;
ALTER TABLE pay.settlement_exception DISABLE TRIGGER ALL;
ALTER TABLE pay.settlement_close DISABLE TRIGGER ALL;
ALTER TABLE pay.event DISABLE TRIGGER USER;
ALTER TABLE pay.mismatch DISABLE TRIGGER USER;
ALTER TABLE pay.payment_order DISABLE TRIGGER ALL;
ALTER TABLE pay.checkout DISABLE TRIGGER ALL;
ALTER TABLE pay.dispatch DISABLE TRIGGER ALL;
ALTER TABLE pay.change DISABLE TRIGGER ALL;
ALTER TABLE pay.late_success DISABLE TRIGGER ALL;
ALTER TABLE pay.journal_entry DISABLE TRIGGER ALL;
ALTER TABLE pay.journal_line DISABLE TRIGGER ALL;
ALTER TABLE pay.posting_rule DISABLE TRIGGER ALL;
ALTER TABLE pay.risk_decision DISABLE TRIGGER ALL;
ALTER TABLE pay.risk_after DISABLE TRIGGER ALL;
ALTER TABLE pay.risk_review_act DISABLE TRIGGER USER;

CREATE TEMPORARY TABLE plant (name text, breach text);
INSERT INTO plant VALUES
    ('risk_decision', 'DELETE FROM pay.risk_decision WHERE checkout_id = ''r1'''),
    ('risk_decision', 'DELETE FROM pay.risk_decision WHERE checkout_id = ''r2'''),
    ('risk_decision', 'UPDATE pay.risk_decision SET checkout_id = ''none'' WHERE checkout_id = ''r1'''),
    ('risk_decision', 'UPDATE pay.risk_decision SET decision = ''allow'' WHERE checkout_id = ''r2'''),
    ('risk_decision', 'UPDATE pay.checkout SET risk = NULL WHERE checkout_id = ''r1'''),
    ('risk_decision', 'UPDATE pay.checkout SET risk = ''block'' WHERE checkout_id = ''r3'''),
    ('risk_decision', 'UPDATE pay.checkout SET state = ''REGISTERING'' WHERE checkout_id = ''r2'''),
    ('risk_decision', 'UPDATE pay.checkout SET token = ''t-r2'' WHERE checkout_id = ''r2'''),
    ('risk_decision', 'UPDATE pay.checkout SET first_call = ''OPEN'' WHERE checkout_id = ''r2'''),
    ('risk_decision', 'UPDATE pay.payment_order SET reason = ''rejected'' WHERE checkout_id = ''r2'''),
    ('risk_decision', 'UPDATE pay.payment_order SET status = ''FAILED'', reason = ''risk'' WHERE checkout_id = ''r3'''),
    ('risk_decision', 'UPDATE pay.payment_order SET status = ''FAILED'', reason = ''risk'' WHERE checkout_id = ''r1'''),
    ('risk_after', 'DELETE FROM pay.risk_card WHERE attempt = ''a1'''),
    ('risk_after', 'UPDATE pay.risk_card SET judged = 0 WHERE attempt = ''a1'''),
    ('risk_after', 'DELETE FROM pay.risk_review WHERE checkout_id = ''x1'''),
    ('risk_after', 'DELETE FROM pay.risk_review WHERE checkout_id = ''x2'''),
    ('risk_after', 'DELETE FROM pay.payout_hold WHERE payment_order_id = ''o-x1'''),
    ('risk_after', 'UPDATE pay.risk_after SET effect = ''none'' WHERE attempt = ''a1'''),
    ('risk_after', 'UPDATE pay.risk_after SET effect = ''void'' WHERE attempt = ''a1'''),
    ('risk_after', 'UPDATE pay.risk_after SET decision = ''allow'' WHERE attempt = ''a1'''),
    ('risk_after', 'UPDATE pay.risk_review SET state = ''approved'' WHERE checkout_id = ''x2'''),
    ('risk_after', 'WITH c AS (UPDATE pay.change SET request_id = ''x'' WHERE checkout_id = ''x2''), r AS (UPDATE pay.risk_review SET is_settled = true WHERE checkout_id = ''x2'') UPDATE pay.payment_order SET refunding_minor = 0 WHERE checkout_id = ''x2'''),
    ('risk_after', 'WITH c AS (DELETE FROM pay.change WHERE checkout_id = ''x3''), n AS (UPDATE pay.round SET run_at = now() + interval ''26 hours'' WHERE name = ''sweep'') UPDATE pay.payment_order SET refunding_minor = 0 WHERE checkout_id = ''x3'''),
    ('dispatch_registration', 'UPDATE pay.checkout SET first_call = NULL WHERE checkout_id = ''r1'''),
    ('risk_hold', 'UPDATE pay.event SET at = at - interval ''2 hours'' WHERE payment_order_id = ''o-r4''; UPDATE pay.risk_review_act SET at = at - interval ''2 hours''; DELETE FROM pay.change WHERE checkout_id = ''r4'''),
    ('risk_hold', 'UPDATE pay.checkout SET hold_psps = ''{stripe}'' WHERE checkout_id = ''r1'''),
    ('risk_hold', 'UPDATE pay.checkout SET hold_psps = NULL WHERE checkout_id = ''r4'''),
    ('risk_hold', 'UPDATE pay.checkout SET capture = ''automatic'' WHERE checkout_id = ''r4'''),
    ('risk_hold', 'UPDATE pay.checkout SET psp = ''square'' WHERE checkout_id = ''r4'''),
    ('order_fee', 'UPDATE pay.payment_order SET fee_minor = 9 WHERE payment_order_id = ''o-g1'''),
    ('order_fee', 'UPDATE pay.payment_order SET fee_tax_minor = 0 WHERE payment_order_id = ''o-g1'''),
    ('order_fee', 'DELETE FROM pay.journal_entry WHERE kind = ''platform_fee_tax'''),
    ('order_fee', 'UPDATE pay.journal_entry SET amount_minor = 9, seller_minor = 9 WHERE kind = ''platform_fee'''),
    ('order_fee', 'UPDATE pay.order_fee SET tax_percent = 30'),
    ('order_fee', 'UPDATE pay.payment_order SET fee_minor = NULL, fee_tax_minor = NULL WHERE payment_order_id = ''o-g1'''),
    ('order_fee', 'DELETE FROM pay.order_fee'),
    ('order_fee', 'UPDATE pay.commission SET payment_method = ''card'''),
    ('order_fee', 'UPDATE pay.commission SET seller_account = ''s-9'''),
    ('order_fee', 'UPDATE pay.commission SET currency = ''EUR'''),
    ('order_fee', 'UPDATE pay.commission SET merchant_id = ''m9'''),
    ('change_money', 'UPDATE pay.payment_order SET refunded_minor = 9 WHERE payment_order_id = ''o-f1'''),
    ('change_money', 'UPDATE pay.payment_order SET refunding_minor = 19 WHERE payment_order_id = ''o-f1'''),
    ('change_money', 'UPDATE pay.payment_order SET charged_back_minor = 10 WHERE payment_order_id = ''o-f1'''),
    ('change_money', 'UPDATE pay.payment_order SET authorized_minor = 100 WHERE payment_order_id = ''o-f2'''),
    ('change_money', 'UPDATE pay.payment_order SET captured_minor = 9 WHERE payment_order_id = ''o-f2'''),
    ('change_money', 'DELETE FROM pay.change WHERE change_id = pg_temp.uuid(''open'')'),
    ('change_money', 'DELETE FROM pay.dispute WHERE dispute_id = ''dp-1'''),
    ('change_money', 'UPDATE pay.dispute SET state = ''won'' WHERE dispute_id = ''dp-2'''),
    ('change_booked', 'DELETE FROM pay.journal_entry WHERE source LIKE ''change/%'' AND kind = ''refund_reserved'''),
    ('change_booked', 'DELETE FROM pay.journal_entry WHERE source LIKE ''change/%'' AND kind = ''refund'''),
    ('change_booked', 'DELETE FROM pay.journal_entry WHERE source LIKE ''change/%'' AND kind = ''refund_released'''),
    ('sale_booked', 'DELETE FROM pay.journal_entry WHERE source LIKE ''change/%'' AND kind = ''sale'''),
    ('change_booked', 'UPDATE pay.change SET status = ''FAILED'' WHERE change_id = pg_temp.uuid(''done'')'),
    ('change_booked', 'UPDATE pay.change SET status = ''FAILED'', returned = true WHERE change_id = pg_temp.uuid(''done'')'),
    ('change_booked', 'UPDATE pay.change SET status = ''SUCCESS'' WHERE change_id = pg_temp.uuid(''failed'')'),
    ('change_event', 'DELETE FROM pay.event WHERE kind = ''refunded'''),
    ('change_event', 'DELETE FROM pay.event WHERE detail ->> ''change_id'' = pg_temp.uuid(''capture'')'),
    ('change_event', 'UPDATE pay.event SET kind = ''refund_failed'' WHERE kind = ''refunded'''),
    ('change_event', 'UPDATE pay.event SET detail = ''{"change_id": "x"}'' WHERE seq = 1 AND payment_order_id = ''o1'''),
    ('change_job', 'DELETE FROM pay.job WHERE operation_id = pg_temp.uuid(''open'')'),
    ('change_job', 'UPDATE pay.job SET operation_id = ''x'' WHERE operation_id = pg_temp.uuid(''open'')'),
    ('change_job', 'UPDATE pay.dispatch SET state = ''UNKNOWN'' WHERE operation_id = pg_temp.uuid(''sent'')'),
    ('change_job', 'UPDATE pay.change SET status = ''SUCCESS'' WHERE change_id = pg_temp.uuid(''open'')'),
    ('change_job', 'INSERT INTO pay.dead_letter (merchant_id, checkout_id, kind, reason, operation_id) SELECT ''m1'', ''f1'', ''change'', ''refused'', pg_temp.uuid(''done'')'),
    ('change_waits', 'DELETE FROM pay.job WHERE operation_id = pg_temp.uuid(''open'')'),
    ('change_waits', 'UPDATE pay.dispatch SET state = ''UNKNOWN'' WHERE operation_id = pg_temp.uuid(''sent'')'),
    ('change_waits', 'UPDATE pay.change SET reference = ''re-2'', created_at = now() + interval ''1 h'' * (change_id = pg_temp.uuid(''done''))::int WHERE change_id IN (pg_temp.uuid(''sent''), pg_temp.uuid(''done''))'),
    ('change_waits', 'WITH d AS (UPDATE pay.dispatch SET state = ''UNKNOWN'', ended_at = now() WHERE operation_id = pg_temp.uuid(''matched'')) UPDATE pay.change SET status = ''EXECUTING'', by_amount = false WHERE change_id = pg_temp.uuid(''matched'')'),
    ('change_waits', 'WITH c AS (UPDATE pay.change SET reference = ''re-3'' WHERE change_id = pg_temp.uuid(''sent'')) UPDATE pay.webhook_inbox SET about = ''{"about": "refund", "news": "succeeded", "object": "re-3"}'' WHERE event_id = ''evt-dispute-opened-dp-1'''),
    ('change_match', 'UPDATE pay.change SET matched_to = NULL WHERE checkout_id = ''f3'''),
    ('change_match', 'UPDATE pay.change SET status = ''EXECUTING'' WHERE change_id = pg_temp.uuid(''matched'')'),
    ('change_match', 'UPDATE pay.change SET reference = ''cap-x'' WHERE change_id = pg_temp.uuid(''matched'')'),
    ('change_match', 'UPDATE pay.change SET amount_minor = 11 WHERE change_id = pg_temp.uuid(''matched'')'),
    ('change_match', 'UPDATE pay.journal_entry SET source = ''change/'' || pg_temp.uuid(''matched'') WHERE checkout_id = ''f3'' AND kind = ''sale'''),
    ('change_match', 'UPDATE pay.change SET status = ''FAILED'', origin = ''psp'', matched_to = pg_temp.uuid(''open'') WHERE change_id = pg_temp.uuid(''done'')'),
    ('suspense', 'INSERT INTO pay.mismatch_settlement (merchant_id, checkout_id, mismatch_id, who, why) SELECT m.merchant_id, m.checkout_id, m.mismatch_id, ''x'', ''x'' FROM pay.mismatch m WHERE m.checkout_id = ''f4'''),
    ('suspense', 'DELETE FROM pay.mismatch WHERE checkout_id = ''f4'''),
    ('mismatch_open', 'DELETE FROM pay.mismatch_open'),
    ('mismatch_open', 'INSERT INTO pay.mismatch_open VALUES (0)'),
    ('mismatch_open', 'DELETE FROM pay.mismatch WHERE checkout_id = ''f4'''),
    ('change_reference', 'UPDATE pay.change SET reference = ''re-5'', origin = ''psp'' WHERE change_id IN (pg_temp.uuid(''sent''), pg_temp.uuid(''done''))'),
    ('dispute_booked', 'UPDATE pay.dispute SET state = ''moved'' WHERE dispute_id = ''dp-1'''),
    ('change_dispatch', 'UPDATE pay.dispatch SET state = ''DONE'' WHERE operation_id = pg_temp.uuid(''sent'')'),
    ('change_dispatch', 'UPDATE pay.change SET status = ''NOT_STARTED'' WHERE change_id = pg_temp.uuid(''sent'')'),
    ('change_orphan', 'UPDATE pay.change SET checkout_id = ''f2'' WHERE change_id = pg_temp.uuid(''failed'')'),
    ('change_orphan', 'UPDATE pay.change SET payment_order_id = ''none'' WHERE change_id = pg_temp.uuid(''failed'')'),
    ('change_orphan', 'UPDATE pay.dispute SET currency = ''EUR'''),
    ('change_reference', 'UPDATE pay.change SET reference = ''re-1'' WHERE change_id = pg_temp.uuid(''sent'')'),
    ('dispute_booked', 'DELETE FROM pay.journal_entry WHERE kind = ''dispute_opened'''),
    ('dispute_booked', 'DELETE FROM pay.journal_entry WHERE kind = ''dispute_lost'''),
    ('dispute_booked', 'UPDATE pay.dispute SET state = ''won'' WHERE dispute_id = ''dp-1'''),
    ('authorized_booked', 'UPDATE pay.payment_order SET authorized_minor = 89 WHERE payment_order_id = ''o-f2'''),
    ('authorized_booked', 'DELETE FROM pay.journal_entry WHERE kind = ''unauthorized'''),
    ('authorized_booked', 'UPDATE pay.payment_order SET status = ''FAILED'', reason = ''expired'' WHERE payment_order_id = ''o-f2'''),
    ('dispatch_owner', 'UPDATE pay.dispatch SET operation = ''capture'' WHERE operation_id = pg_temp.uuid(''sent'')'),
    ('webhook_owner', 'UPDATE pay.webhook_inbox SET checkout_id = ''f2'' WHERE event_id = ''evt-dispute-opened-dp-1'''),
    ('token_owner', 'UPDATE pay.psp_token SET is_reference = false WHERE token = ''pi-f1'''),
    ('checkout_incomplete', 'DELETE FROM pay.payment_order WHERE checkout_id = ''c4'''),
    ('order_without_registration', 'DELETE FROM pay.checkout WHERE checkout_id = ''c3'''),
    ('amount_sum', 'UPDATE pay.payment_order SET amount_minor = 99 WHERE checkout_id = ''c3'''),
    ('amount_sum', 'UPDATE pay.payment_order SET currency = ''EUR'' WHERE checkout_id = ''c3'''),
    ('credit_converted', 'UPDATE pay.payment_order SET credit_currency = ''EUR'', credit_rate = 1.1, credit_minor = 111, credit_until = now() WHERE payment_order_id = ''o3'''),
    ('credit_converted', 'UPDATE pay.payment_order SET credit_currency = ''EUR'', credit_rate = 1.1000000000001, credit_minor = 110, credit_until = now() WHERE payment_order_id = ''o3'''),
    ('currency_unknown', 'UPDATE pay.checkout SET currency = ''XXX'' WHERE checkout_id = ''c3'''),
    ('event_gap', 'DELETE FROM pay.event WHERE payment_order_id = ''o1'' AND seq = 2'),
    ('event_gap', 'DELETE FROM pay.event WHERE payment_order_id = ''o4'''),
    ('event_orphan', 'DELETE FROM pay.payment_order WHERE checkout_id = ''c4'''),
    ('console_act', 'UPDATE pay.console_act SET who = ''eve'''),
    ('console_act', 'DELETE FROM pay.console_act'),
    ('console_act', 'DELETE FROM pay.event WHERE kind = ''console_act'''),
    ('event_chain', 'UPDATE pay.event SET request_id = NULL WHERE payment_order_id = ''o1'' AND seq = 2'),
    ('event_chain', 'UPDATE pay.event SET at = at + interval ''1 us'' WHERE payment_order_id = ''o1'' AND seq = 1'),
    ('event_chain', 'UPDATE pay.event SET hash = sha256(hash) WHERE payment_order_id = ''o1'' AND seq = 2'),
    ('event_chain', 'DELETE FROM pay.event WHERE payment_order_id = ''o1'' AND seq = 1'),
    ('event_chain', 'UPDATE pay.event SET seq = 5 - seq WHERE payment_order_id = ''o1'' AND seq IN (2, 3)'),
    ('event_chain', 'INSERT INTO pay.event SELECT (jsonb_populate_record(e, ''{"seq":9}'')).* FROM pay.event e WHERE payment_order_id = ''o1'' AND seq = 2'),
    ('event_head', 'UPDATE pay.payment_order SET head = sha256(head) WHERE checkout_id = ''c3'''),
    ('event_head', 'DELETE FROM pay.event WHERE payment_order_id = ''o1'' AND seq = 4'),
    ('seal_chain', 'INSERT INTO pay.seal VALUES (2, 0, 9000000000000000000, now(), 1, sha256(''''), sha256(''''), ''m'', ''k'', sha512(''''))'),
    ('seal_root', 'INSERT INTO pay.seal VALUES (1, 0, 9000000000000000000, now(), 1, sha256(''''), sha256(''''), ''m'', ''k'', sha512(''''))'),
    ('seal_coverage', 'INSERT INTO pay.seal VALUES (1, 0, 9000000000000000000, now(), 1, sha256(''''), sha256(''''), ''m'', ''k'', sha512(''''))'),
    ('seal_leaf', 'INSERT INTO pay.seal_leaf VALUES (1, 1, ''m1'', ''o1'', 1, sha256(''''))'),
    ('seal_leaf', 'INSERT INTO pay.seal_leaf VALUES (1, 1, ''m1'', ''o1'', 99, sha256(''''))'),
    ('event_default', 'INSERT INTO pay.event SELECT (jsonb_populate_record(e, ''{"at":"1999-01-01"}'')).* FROM pay.event e WHERE payment_order_id = ''o1'' AND seq = 2'),
    ('status_history', 'UPDATE pay.payment_order SET status = ''NOT_STARTED'' WHERE checkout_id = ''c3'''),
    ('status_history', 'UPDATE pay.event SET new_status = ''FAILED'' WHERE payment_order_id = ''o3'' AND seq = 2'),
    ('status_history', 'UPDATE pay.event SET old_status = ''FAILED'' WHERE payment_order_id = ''o1'' AND seq = 3'),
    ('paid_without_event', 'UPDATE pay.payment_order SET status = ''SUCCESS'' WHERE checkout_id = ''c3'''),
    ('paid_without_event', 'UPDATE pay.event SET kind = ''expired'' WHERE payment_order_id = ''o1'' AND seq = 3'),
    ('payment_done', 'UPDATE pay.checkout SET is_payment_done = true WHERE checkout_id = ''c3'''),
    ('payment_done', 'UPDATE pay.checkout SET is_payment_done = false WHERE checkout_id = ''c1'''),
    ('token_status', 'UPDATE pay.payment_order SET status = ''NOT_STARTED'' WHERE checkout_id = ''c3'''),
    ('token_status', 'UPDATE pay.registration SET state = ''REFUSED'' WHERE checkout_id = ''c4'''),
    ('token_status', 'UPDATE pay.payment_order SET status = ''SUCCESS'' WHERE checkout_id = ''c4'''),
    ('token_owner', 'UPDATE pay.registration SET token = ''other'' WHERE checkout_id = ''c3'''),
    ('token_owner', 'DELETE FROM pay.psp_token WHERE token = ''t3'''),
    ('token_owner', 'DELETE FROM pay.psp_token WHERE token = ''a6'''),
    ('token_owner', 'UPDATE pay.registration SET alias = ''a3'' WHERE checkout_id = ''c3'''),
    ('token_owner', 'UPDATE pay.registration SET alias = NULL WHERE checkout_id = ''c6'''),
    ('token_owner', 'UPDATE pay.psp_token SET checkout_id = ''c1'' WHERE token = ''t3'''),
    ('webhook_parked', 'UPDATE pay.webhook_inbox SET token = ''t3'' WHERE state = ''parked'''),
    ('webhook_paid', 'UPDATE pay.payment_order SET status = ''EXECUTING'' WHERE checkout_id = ''c1'''),
    ('webhook_mismatch', 'DELETE FROM pay.mismatch'),
    ('job_missing', 'DELETE FROM pay.job WHERE checkout_id = ''c3'''),
    ('job_missing', 'UPDATE pay.job SET kind = ''poll'' WHERE checkout_id = ''c4'''),
    ('job_missing', 'INSERT INTO pay.job VALUES (''m1'', ''c1'', ''poll'', now())'),
    ('job_missing', 'INSERT INTO pay.job VALUES (''m1'', ''c6'', ''register'', now())'),
    ('job_missing', 'UPDATE pay.job SET attempts = 102 WHERE checkout_id = ''c6'''),
    ('webhook_owner', 'UPDATE pay.webhook_inbox SET checkout_id = ''c3'' WHERE state = ''applied'''),
    ('webhook_owner', 'UPDATE pay.webhook_inbox SET merchant_id = NULL, checkout_id = NULL WHERE state = ''mismatch'''),
    ('webhook_owner', 'DELETE FROM pay.psp_token WHERE token = ''t1'''),
    ('webhook_owner', 'DELETE FROM pay.psp_token WHERE token = ''a6'''),
    ('registration_terms', 'UPDATE pay.registration SET nonce = ''o1x'' WHERE checkout_id = ''c1'''),
    ('registration_terms', 'UPDATE pay.registration SET psp = ''other'' WHERE checkout_id = ''c1'''),
    ('registration_terms', 'UPDATE pay.registration SET psps = ''{adyen}'', key_windows = ''{60}'' WHERE checkout_id = ''c1'''),
    ('registration_terms', 'UPDATE pay.registration SET refused_psps = ''{stripe}'' WHERE checkout_id = ''c4'''),
    ('registration_terms', 'UPDATE pay.registration SET tried_psps = ''{stripe}'' WHERE checkout_id = ''c4'''),
    ('registration_moved', 'UPDATE pay.registration SET psp = ''square'' WHERE checkout_id = ''c5'''),
    ('registration_moved', 'UPDATE pay.registration SET psps = ''{stripe}'', key_windows = ''{60}'' WHERE checkout_id = ''c5'''),
    ('registration_moved', 'UPDATE pay.registration SET refused_psps = ''{}'' WHERE checkout_id = ''c5'''),
    ('registration_moved', 'UPDATE pay.event SET old_status = ''EXECUTING'' WHERE kind = ''rerouted'''),
    ('registration_moved', 'UPDATE pay.event SET new_status = ''EXECUTING'' WHERE kind = ''rerouted'''),
    ('registration_moved', 'UPDATE pay.event SET detail = detail || ''{"from":"square"}'' WHERE kind = ''rerouted'''),
    ('registration_moved', 'UPDATE pay.event SET detail = ''{}'' WHERE kind = ''rerouted'''),
    ('registration_moved', 'UPDATE pay.event SET kind = ''other'' WHERE kind = ''rerouted'''),
    ('registration_moved', 'INSERT INTO pay.psp_token VALUES (''stripe'', ''t5'', ''m1'', ''c5'')'),
    ('status_rank', 'UPDATE pay.status_rank SET rank = 9 WHERE status = ''FAILED'''),
    ('status_rank', 'DELETE FROM pay.status_rank WHERE status = ''SUCCESS'''),
    ('late_success', 'UPDATE pay.payment_order SET status = ''SUCCESS'', reason = NULL WHERE checkout_id = ''c7'''),
    ('late_success', 'UPDATE pay.payment_order SET reason = ''declined'' WHERE checkout_id = ''c8'''),
    ('late_success', 'UPDATE pay.late_success SET state = ''accepted'' WHERE checkout_id = ''c8'''),
    ('late_success', 'UPDATE pay.late_success SET state = ''refunding'' WHERE checkout_id = ''c7'''),
    ('late_success', 'UPDATE pay.late_success SET amount_minor = 99 WHERE checkout_id = ''c7'''),
    ('late_success', 'UPDATE pay.checkout SET late_success = ''accept'' WHERE checkout_id = ''c7'''),
    ('late_success', 'DELETE FROM pay.event WHERE kind = ''late_success'' AND payment_order_id = ''o-c7'''),
    ('late_success', 'INSERT INTO pay.dispatch (merchant_id, checkout_id, operation, operation_id, psp, key_until) SELECT merchant_id, checkout_id, ''refund'', refund_id, psp, now() FROM pay.late_success WHERE state = ''held'''),
    ('late_waits', 'DELETE FROM pay.job WHERE kind = ''refund'''),
    ('late_waits', 'DELETE FROM pay.dead_letter WHERE checkout_id = ''c7'''),
    ('late_waits', 'UPDATE pay.dead_letter SET state = ''resolved'', closed_at = now(), closed_by = ''x'', closed_why = ''x'' WHERE checkout_id = ''c7'''),
    ('late_untold', 'DELETE FROM pay.late_success WHERE checkout_id = ''c7'''),
    ('late_untold', 'UPDATE pay.webhook_inbox SET state = ''held'' WHERE state = ''applied'''),
    ('late_untold', 'UPDATE pay.webhook_inbox SET fact = ''declined'' WHERE state = ''held'''),
    ('contradiction', 'UPDATE pay.event SET new_status = ''FAILED'' WHERE kind = ''contradiction'''),
    ('contradiction', 'UPDATE pay.event SET actor = ''query'' WHERE kind = ''contradiction'''),
    ('contradiction', 'DELETE FROM pay.mismatch WHERE kind = ''contradiction'''),
    ('webhook_mismatch', 'DELETE FROM pay.mismatch WHERE kind = ''contradiction'''),
    ('webhook_mismatch', 'UPDATE pay.mismatch SET kind = ''amount'' WHERE kind = ''contradiction'''),
    ('webhook_owner', 'DELETE FROM pay.psp_token WHERE token = ''t-c7'''),
    ('webhook_paid', 'UPDATE pay.webhook_inbox SET state = ''applied'' WHERE state = ''held'''),
    ('status_history', 'UPDATE pay.event SET new_status = ''EXECUTING'' WHERE payment_order_id = ''o1'' AND seq = 4'),
    ('job_missing', 'DELETE FROM pay.late_success WHERE checkout_id = ''c8'''),
    ('job_missing', 'INSERT INTO pay.job VALUES (''m1'', ''c7'', ''refund'', now())'),
    ('job_missing', 'UPDATE pay.late_success SET state = ''resolved'' WHERE checkout_id = ''c8'''),
    ('journal_balances', 'UPDATE pay.journal_line SET amount_minor = 99 WHERE source = ''order/o1'' AND line = 1'),
    ('journal_balances', 'UPDATE pay.journal_line SET currency = ''EUR'' WHERE source = ''order/o1'' AND line = 1'),
    ('journal_balances', 'DELETE FROM pay.journal_line WHERE source = ''order/o1'''),
    ('journal_balances', 'DELETE FROM pay.journal_line WHERE source = ''order/o1'' AND line = 4'),
    ('journal_orphan', 'DELETE FROM pay.journal_entry WHERE source = ''order/o1'''),
    ('journal_orphan', 'INSERT INTO pay.journal_line VALUES (''m1'', ''order/o9'', ''sale'', 1, ''fx'', ''-'', ''USD'', 1)'),
    ('journal_rules', 'UPDATE pay.journal_line SET account = ''seller_pending'' WHERE account = ''seller_available'''),
    ('journal_rules', 'UPDATE pay.journal_line SET amount_minor = -amount_minor'),
    ('journal_rules', 'UPDATE pay.journal_line SET currency = ''EUR'''),
    ('journal_rules', 'UPDATE pay.journal_line SET line = 3 WHERE line = 4'),
    ('posting_rules', 'DELETE FROM pay.posting_rule WHERE kind = ''sale'' AND line = 2'),
    ('posting_rules', 'DELETE FROM pay.posting_rule WHERE kind = ''refund'''),
    ('posting_rules', 'UPDATE pay.posting_rule SET side = ''debit'' WHERE kind = ''psp_fee'''),
    ('wallet_lines', 'UPDATE pay.wallet SET available_minor = 99'),
    ('wallet_lines', 'UPDATE pay.wallet SET pending_minor = 1'),
    ('wallet_lines', 'UPDATE pay.wallet SET reserved_minor = 1'),
    ('wallet_lines', 'UPDATE pay.wallet SET seq = seq + 1'),
    ('wallet_lines', 'DELETE FROM pay.wallet'),
    ('wallet_lines', 'INSERT INTO pay.wallet VALUES (''m1'', ''nobody'', ''USD'', 1)'),
    ('wallet_lines', 'UPDATE pay.journal_line SET wallet_seq = 99 WHERE wallet_seq = 1'),
    ('wallet_balance', 'UPDATE pay.journal_line SET balance_minor = 7 WHERE wallet_seq = 1'),
    ('sale_booked', 'DELETE FROM pay.journal_entry WHERE source = ''order/o1'''),
    ('sale_booked', 'UPDATE pay.journal_entry SET amount_minor = 99, seller_minor = 99 WHERE source = ''order/o1'''),
    ('sale_booked', 'UPDATE pay.payment_order SET captured_minor = 99 WHERE payment_order_id = ''o1'''),
    ('sale_booked', 'UPDATE pay.payment_order SET captured_minor = 1 WHERE payment_order_id = ''o2'''),
    ('sale_booked', 'UPDATE pay.payment_order SET captured_minor = 0 WHERE payment_order_id = ''o1'''),
    ('late_booked', 'DELETE FROM pay.journal_entry WHERE kind = ''late_held'''),
    ('late_booked', 'UPDATE pay.late_success SET state = ''refunded'' WHERE checkout_id = ''c8'''),
    ('late_booked', 'UPDATE pay.late_success SET state = ''accepted'' WHERE checkout_id = ''c7'''),
    ('outbox_orphan', 'UPDATE pay.outbox SET seq = seq + 1000'),
    ('message_gap', 'SELECT pay_api.publish_events(''{w}'', ''{1000}''); UPDATE pay.message_subject SET sequence = sequence + 1'),
    ('message_gap', 'SELECT pay_api.publish_events(''{w}'', ''{1000}''); UPDATE pay.message_place SET position = 1'),
    ('message_gap', 'SELECT pay_api.publish_events(''{w}'', ''{1000}''); DELETE FROM pay.message_subject'),
    ('delivery_untold', 'SELECT pay_api.store_endpoint(''{m1}'', ''{e1}'', ''{u}'', ''{[]}'', ''{v1}'', ''{0}'', ''{x}'', ''{k}'', ''{sue}''); INSERT INTO pay.webhook_delivery (endpoint_id, merchant_id, position) VALUES (''e1'', ''m1'', 12345)'),
    ('delivery_untold', 'SELECT pay_api.store_endpoint(''{m1}'', ''{e1}'', ''{u}'', ''{[]}'', ''{v1}'', ''{0}'', ''{x}'', ''{k}'', ''{sue}''); SELECT pay_api.publish_events(''{w}'', ''{1000}''); UPDATE pay.webhook_endpoint SET look_at = ''infinity'''),
    ('dispatch_attempts', 'DELETE FROM pay.dispatch WHERE checkout_id = ''c5'' AND attempt = 1'),
    ('dispatch_attempts', 'UPDATE pay.dispatch SET state = ''DONE'' WHERE checkout_id = ''c5'' AND attempt = 1'),
    ('dispatch_attempts', 'UPDATE pay.dispatch SET state = ''PENDING'' WHERE checkout_id = ''c5'' AND attempt = 1'),
    ('dispatch_owner', 'UPDATE pay.dispatch SET psp = ''other'' WHERE checkout_id = ''c10'''),
    ('dispatch_owner', 'UPDATE pay.dispatch SET psp = ''square'' WHERE checkout_id = ''c5'' AND attempt = 1'),
    ('dispatch_owner', 'UPDATE pay.dispatch SET operation_id = ''o2'' WHERE checkout_id = ''c10'''),
    ('dispatch_owner', 'UPDATE pay.dispatch SET operation = ''expire'', operation_id = ''o2'' WHERE checkout_id = ''c10'''),
    ('dispatch_owner', 'DELETE FROM pay.checkout WHERE checkout_id = ''c10'''),
    ('dispatch_registration', 'DELETE FROM pay.dispatch WHERE checkout_id = ''c10'''),
    ('dispatch_registration', 'UPDATE pay.dispatch SET state = ''UNKNOWN'' WHERE checkout_id = ''c10'''),
    ('dispatch_registration', 'UPDATE pay.dispatch SET state = ''DONE'', ended_at = now() WHERE checkout_id = ''c9'''),
    ('dispatch_registration', 'UPDATE pay.dispatch SET state = ''NOT_SENT'', ended_at = now() WHERE checkout_id = ''c9'''),
    ('dispatch_registration', 'UPDATE pay.dispatch SET state = ''REFUSED'', ended_at = now() WHERE checkout_id = ''c9'''),
    ('dispatch_registration', 'UPDATE pay.dispatch SET state = ''PENDING'', ended_at = now() WHERE checkout_id = ''c9'''),
    ('dispatch_registration', 'UPDATE pay.dispatch SET attempt = 2 WHERE checkout_id = ''c9'''),
    ('dispatch_registration', 'UPDATE pay.dispatch SET psp = ''adyen'' WHERE checkout_id = ''c9'''),
    ('dispatch_registration', 'UPDATE pay.registration SET open_attempts = 0 WHERE checkout_id = ''c4'''),
    ('dispatch_registration', 'UPDATE pay.registration SET state = ''REFUSED'' WHERE checkout_id = ''c4'''),
    ('dispatch_registration', 'UPDATE pay.registration SET token = NULL, alias = NULL, state = ''REFUSED'' WHERE checkout_id = ''c6'''),
    ('dispatch_registration', 'UPDATE pay.checkout SET first_call = NULL WHERE checkout_id = ''c1'''),
    ('dispatch_registration', 'UPDATE pay.checkout SET first_call = ''OPEN'', first_ended_at = NULL WHERE checkout_id = ''c1'''),
    ('dispatch_registration', 'UPDATE pay.checkout SET first_call = NULL WHERE checkout_id = ''c4'''),
    ('dispatch_registration', 'UPDATE pay.checkout SET first_call = ''DONE'', first_ended_at = now() WHERE checkout_id = ''c4'''),
    ('dispatch_attempts', 'UPDATE pay.checkout SET first_call = ''OPEN'' WHERE checkout_id = ''c9'''),
    ('durability', 'SET LOCAL synchronous_commit = off'),
    ('durability', 'ALTER ROLE payments_gateway SET synchronous_commit = off'),
    ('settlement_balance', 'DELETE FROM pay.settlement_closed'),
    ('settlement_balance', 'UPDATE pay.settlement_row SET net_minor = net_minor + 1 WHERE kind = ''fee'''),
    ('settlement_balance', 'DELETE FROM pay.journal_line WHERE kind = ''psp_paid_out'''),
    ('settlement_reserve', 'INSERT INTO pay.settlement_hold (row_id, psp, dispute_id, merchant_id, checkout_id, amount_minor, currency) VALUES (0, ''stripe'', ''d'', ''m1'', ''c'', 1, ''USD'')'),
    ('settlement_bank', 'UPDATE pay.settlement_row SET net_minor = net_minor + 1 WHERE kind = ''receipt'''),
    ('settlement_bank', 'DELETE FROM pay.journal_line WHERE kind = ''psp_received'''),
    ('settlement_match', 'UPDATE pay.settlement_row SET gross_minor = gross_minor + 1 WHERE kind = ''sale'''),
    ('settlement_match', 'DELETE FROM pay.settlement_link'),
    ('settlement_match', 'DELETE FROM pay.settlement_closed'),
    ('settlement_exception', 'DELETE FROM pay.settlement_exception'),
    ('settlement_exception', 'DELETE FROM pay.settlement_link'),
    ('settlement_exception', 'DELETE FROM pay.journal_entry WHERE source = ''order/o-s1'''),
    ('settlement_exception', 'DELETE FROM pay.settlement_row WHERE row_key = ''s1'''),
    ('settlement_rows', 'DELETE FROM pay.settlement_row WHERE kind = ''fee'''),
    ('payout_reserved', 'UPDATE pay.payout SET amount_minor = 1 WHERE state = ''ready'''),
    ('payout_reserved', 'UPDATE pay.payout SET state = ''cancelled'', voided_at = now() WHERE state = ''ready'''),
    ('payout_reserved', 'DELETE FROM pay.journal_line WHERE kind = ''payout_released'''),
    ('merchant_moved', 'INSERT INTO pay.merchant_move (merchant_id, cell, fenced_by, state, horizon, moved_at) VALUES (''m1'', ''b'', ''ann'', ''moved'', ''3'', now() - interval ''1 day'')'),
    ('merchant_moved', 'INSERT INTO pay.merchant_move (merchant_id, cell, fenced_by, fenced_at) VALUES (''m1'', ''b'', ''ann'', now() - interval ''61 minutes'')'),
    ('cell_transfer', 'INSERT INTO pay.cell_transfer (transfer_id, merchant_id, side, cell, seller_account, currency, minor, made_by) VALUES (gen_random_uuid(), ''m1'', ''out'', ''b'', ''s'', ''USD'', 1, ''ann'')'),
    ('cell_transfer', 'INSERT INTO pay.journal_entry (merchant_id, source, kind, psp, seller_account, amount_minor, currency, seller_minor, seller_currency) VALUES (''m1'', ''cell/x'', ''carried_in'', ''cell/a'', ''s'', 1, ''USD'', 1, ''USD'')'),
    ('payout_clearing', 'UPDATE pay.payout SET state = ''sent'', provider_ref = ''x'', batch_id = ''x'' WHERE state = ''ready'''),
    ('payout_clearing', 'UPDATE pay.payout SET state = ''returned'', voided_at = now() WHERE state = ''sent'''),
    ('payout_clearing', 'INSERT INTO pay.journal_line VALUES (''m1'', ''pay-out/x'', ''payout_sent'', 2, ''payout_clearing'', ''bank'', ''USD'', -1)'),
    ('payout_lines', 'DROP INDEX pay.payout_part_live; UPDATE pay.payout_part SET is_live = true'),
    ('payout_lines', 'UPDATE pay.payout_part SET is_live = false'),
    ('payout_lines', 'DELETE FROM pay.payout_part'),
    ('payout_lines', 'UPDATE pay.payout_line SET is_open = true'),
    ('payout_lines', 'UPDATE pay.payout_line SET is_open = false'),
    ('payout_lines', 'UPDATE pay.payout_line SET amount_minor = 1 WHERE NOT is_open'),
    ('payout_lines', 'UPDATE pay.payout_line SET source = ''order/o1'' WHERE NOT is_open'),
    ('payout_lines', 'UPDATE pay.payout SET payout_key = repeat(''0'', 32) WHERE state = ''ready'''),
    ('payout_lines', 'UPDATE pay.payout SET destination_id = ''other'''),
    ('payout_advice', 'UPDATE pay.payout_advice SET sha256 = sha256('''')'),
    ('payout_advice', 'UPDATE pay.payout_advice SET opening_minor = opening_minor + 1, adjustments_minor = adjustments_minor - 1'),
    ('payout_advice', 'DELETE FROM pay.payout_advice a WHERE a.until_seq > (SELECT min(o.until_seq) FROM pay.payout_advice o)'),
    ('payout_advice', 'UPDATE pay.payout_act SET detail = ''{}'' WHERE act = ''made'''),
    ('payout_advice', 'UPDATE pay.journal_line SET amount_minor = amount_minor - 1 WHERE kind = ''sale'''),
    ('payout_approval', 'UPDATE pay.payout SET amount_minor = 41 WHERE state = ''sent'''),
    ('payout_approval', 'UPDATE pay.payout SET destination_version = 2 WHERE state = ''sent'''),
    ('payout_approval', 'DELETE FROM pay.payout_batch_item'),
    ('payout_approval', 'DELETE FROM pay.payout_approval'),
    ('payout_approval', 'UPDATE pay.payout_approval SET approver = ''max'' WHERE approver = ''eve'''),
    ('payout_approval', 'UPDATE pay.payout_approval SET hash = sha256('''')'),
    ('payout_approval', 'UPDATE pay.payout_batch SET total_minor = 1'),
    ('payout_approval', 'UPDATE pay.payout_batch SET state = ''open'''),
    ('payout_available', 'DELETE FROM pay.payout_line WHERE is_open'),
    ('payout_available', 'UPDATE pay.payout_wallet SET seen_seq = 1'),
    ('payout_available', 'UPDATE pay.payout_line SET is_open = true'),
    ('settlement_rows', 'UPDATE pay.settlement_file SET class1 = class1 + 1'),
    ('settlement_rows', 'UPDATE pay.settlement_file SET state = ''refused'', reason = ''x'''),
    ('suspense', 'UPDATE pay.settlement_exception SET closed_at = now(), closed_as = ''resolved'''),
    ('close_chain', 'UPDATE pay.settlement_close SET document = document || '' '' WHERE number = 1'),
    ('close_chain', 'DELETE FROM pay.settlement_close WHERE number = 1'),
    ('close_chain', 'UPDATE pay.settlement_close SET day = day - 9 WHERE number = 2'),
    ('close_balance', 'UPDATE pay.settlement_close SET until_tx = ''9999999999'', until_at = now() + interval ''1 day'' WHERE number = 2'),
    ('idempotency_orphan', 'UPDATE pay.idempotency_key SET checkout_id = ''none'' WHERE key = ''k4''');

-- whether the check sees the breach; the breach is undone
CREATE FUNCTION pg_temp.sees(p_check text, p_breach text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
BEGIN
    EXECUTE p_breach;
    EXECUTE p_check;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RAISE EXCEPTION USING ERRCODE = CASE WHEN v_count > 0
                                         THEN 'TTT01' ELSE 'TTT00' END;
EXCEPTION WHEN SQLSTATE 'TTT01' THEN
    RETURN 'seen';
WHEN SQLSTATE 'TTT00' THEN
    RETURN 'overlooked';
END
$$;

\getenv checks_text CHECKS_TEXT
CREATE TEMPORARY TABLE referee AS
SELECT c ->> 'name' AS name, c ->> 'sql' AS sql
FROM jsonb_array_elements(:'checks_text'::jsonb) c;

SELECT is(pg_temp.sees(r.sql, p.breach), 'seen', p.name || ': ' || p.breach)
FROM plant p JOIN referee r USING (name);
SELECT is_empty('SELECT name FROM referee EXCEPT SELECT name FROM plant',
                'every check has its breach');
SELECT is_empty('SELECT name FROM plant EXCEPT SELECT name FROM referee',
                'every breach has its check');

SELECT finish();
ROLLBACK;
