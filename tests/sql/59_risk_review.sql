-- Reviews of risk: who may decide, two people, what a rejection gives back, the
-- deadline, and what ends a review by itself.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir risk.psql
SELECT no_plan();

-- a checkout whose decision is review, sold or not: its outcome
CREATE FUNCTION pg_temp.reviewed(
    p_checkout text, p_amount bigint DEFAULT 100, p_news text DEFAULT 'paid',
    p_terms jsonb DEFAULT '{}', p_key text DEFAULT 'buyer',
    p_currency text DEFAULT 'USD')
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_outcome text;
BEGIN
    SELECT b.outcome INTO v_outcome
    FROM pg_temp.begin('m1', 'k-' || p_checkout, p_checkout,
        ARRAY['o-' || p_checkout || ':' || p_amount],
        p_currency => p_currency, p_risk => pg_temp.risk('review',
            pg_temp.key(p_key) || pg_temp.key('192.0.2.1/32', 'ip')),
        p_terms => p_terms || jsonb_build_object('capture',
            CASE p_news WHEN 'authorized' THEN 'manual'
                        ELSE 'automatic' END)) b;
    IF v_outcome = 'created' AND p_news <> '' THEN
        PERFORM pg_temp.token('m1', p_checkout, 't-' || p_checkout);
        PERFORM pg_temp.fact('t-' || p_checkout, p_news,
                             p_reference => 'pi-' || p_checkout);
    END IF;
    RETURN v_outcome;
END
$$;
CREATE FUNCTION pg_temp.id(p_checkout text) RETURNS bigint LANGUAGE sql AS
'SELECT r.review_id FROM pay.risk_review r WHERE r.checkout_id = p_checkout';
CREATE FUNCTION pg_temp.decide(
    p_checkout text, p_act text, p_who text DEFAULT 'ann',
    p_reason text DEFAULT NULL, p_blocks boolean DEFAULT false,
    p_note text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.decide_review(pg_temp.id(p_checkout), p_act,
    coalesce(p_reason, CASE p_act WHEN 'approve' THEN 'known_buyer'
        WHEN 'reject' THEN 'stolen_card' ELSE 'unclear' END), p_note,
    p_blocks, p_who)
$$;
CREATE FUNCTION pg_temp.claims(
    p_checkout text, p_who text DEFAULT 'ann', p_lease_s bigint DEFAULT 600)
RETURNS text LANGUAGE sql AS
'SELECT pay_ops.claim_review(pg_temp.id(p_checkout), p_lease_s, p_who)';
-- its state, and whether its pay-outs wait
CREATE FUNCTION pg_temp.review(p_checkout text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', r.state, CASE WHEN r.is_settled THEN 'settled' END,
    (SELECT 'held' FROM pay.payout_hold h
     WHERE h.payment_order_id = 'o-' || p_checkout))
FROM pay.risk_review r WHERE r.checkout_id = p_checkout
$$;
CREATE FUNCTION pg_temp.acts(p_checkout text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', a.act, a.who, a.reason, a.note), ', '
                  ORDER BY a.act_id)
FROM pay.risk_review_act a WHERE a.review_id = pg_temp.id(p_checkout)
$$;
CREATE FUNCTION pg_temp.changes(p_checkout text) RETURNS text
LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', c.kind, c.amount_minor, c.reason, j.kind),
                  ', ' ORDER BY c.created_at, c.kind)
FROM pay.change c
LEFT JOIN pay.job j ON j.operation_id = c.change_id
WHERE c.checkout_id = p_checkout
$$;
CREATE FUNCTION pg_temp.sweep() RETURNS text LANGUAGE sql AS $$
UPDATE pay.round SET run_at = now() WHERE name = 'sweep';
SELECT s.outcome FROM pay_api.sweep('{w}', '{10000}', '{"{}"}') s
$$;
CREATE FUNCTION pg_temp.policy(
    p_overdue text DEFAULT 'escalate', p_minor bigint DEFAULT 1000)
RETURNS jsonb LANGUAGE sql AS $$
SELECT jsonb_build_object('review', jsonb_build_object('deadline_s', 3600,
    'overdue', p_overdue, 'second_minor', p_minor,
    'second_currency', 'USD'))
$$;

-- one for each decision of that word, in its commit, and none for others
SELECT is(pg_temp.reviewed('a'), 'created', 'a review');
SELECT is(concat_ws(' ', r.state, r.needs_second, r.overdue,
                    r.deadline - now()), 'open f escalate 3 days',
          'without a directive')
FROM pay.risk_review r WHERE r.checkout_id = 'a';
SELECT is(pg_temp.reviewed('a'), 'replayed', 'again');
SELECT is(pg_temp.look('plain', pg_temp.risk('challenge')), 'created',
          'another decision');
SELECT is((SELECT count(*) FROM pay.risk_review), 1::bigint, 'one in all');

-- claimed by one at a time, until its lease is over
SELECT is(pg_temp.claims('a'), 'claimed', 'free');
SELECT is(pg_temp.claims('a', 'bob'), 'taken', 'claimed twice');
SELECT is(pg_temp.claims('a', 'ANN'), 'claimed', 'the same person again');
SELECT is(pg_temp.decide('a', act, 'bob'), 'taken', act || ' by another')
FROM unnest('{approve,reject,escalate}'::text[]) act;
UPDATE pay.risk_review SET claimed_until = now() WHERE checkout_id = 'a';
SELECT is(pg_temp.claims('a', 'bob'), 'claimed', 'the lease is over');
SELECT is(pg_temp.decide('a', 'approve'), 'taken', 'it is another''s now');

-- approve ends the hold, and all
SELECT is(pg_temp.review('a'), 'open held', 'pay-outs wait');
SELECT is(pg_temp.decide('a', 'approve', 'bob', p_note => 'called'),
          'approved', 'approved');
SELECT is(pg_temp.review('a'), 'approved', 'they wait no more');
SELECT is(pg_temp.acts('a'), 'claimed ann, claimed ANN, claimed bob, '
          'approved bob known_buyer called', 'who did what, and why');
SELECT is(concat_ws(' ', a.act, a.who, a.why),
          'unheld bob review approved: known_buyer', 'an act of pay-outs')
FROM pay.payout_act a ORDER BY a.act_id DESC LIMIT 1;
SELECT is(pg_temp.decide('a', act), 'ended', act || ' is too late')
FROM unnest('{approve,reject,escalate}'::text[]) act;
SELECT is(pg_temp.claims('a'), 'ended', 'a claim is, too');
SELECT is(pg_temp.changes('a'), NULL, 'no change');

-- reject refunds what is captured, once, and may block the buyer
SELECT is(pg_temp.reviewed('b'), 'created', 'sold');
SELECT is(pg_temp.decide('b', 'reject', p_blocks => true), 'rejected', 'no');
SELECT is(pg_temp.review('b'), 'rejected held', 'its pay-outs go on waiting');
SELECT is((SELECT string_agg(DISTINCT l.label || ' ' || l.source, ',')
           FROM pay.risk_label l JOIN pay.payment_order o
               USING (merchant_id, payment_order_id)
           WHERE o.checkout_id = 'b'), 'rejected reviewer',
          'a label that the export has');
SELECT is(pg_temp.changes('b'), 'refund 100 risk change', 'a refund');
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT is(pg_temp.changes('b'), 'refund 100 risk change', 'still one');
SELECT is(string_agg(concat_ws(' ', l.effect, l.kind, l.until - now(), l.who,
                               l.why), ', '),
    'block email 90 days ann review: stolen_card',
    'the address of mail is blocked, that of a network is not')
FROM pay.risk_list l;
SELECT is(pg_temp.look('again', pg_temp.risk('allow', pg_temp.key('buyer'))),
          'blocked', 'the buyer comes again');
UPDATE pay.risk_list SET until = now();

-- reject releases what is held
SELECT is(pg_temp.reviewed('c', p_news => 'authorized'), 'created', 'held');
SELECT is(pg_temp.decide('c', 'reject'), 'rejected', 'no');
SELECT is(pg_temp.changes('c'), 'cancel 100 risk change', 'released');
SELECT is(pg_temp.fact('t-c', 'cancelled'), 'applied', 'the PSP has done it');
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT is(pg_temp.review('c'), 'rejected settled held', 'nothing is left');

-- reject before the buyer has paid closes the page; what was paid meanwhile is
-- given back by the next round
SELECT is(pg_temp.reviewed('d', p_news => ''), 'created', 'not paid');
SELECT is(pg_temp.token('m1', 'd', 't-d'), 'stored', 'a page');
SELECT is(pg_temp.decide('d', 'reject'), 'rejected', 'no');
SELECT is(pg_temp.changes('d'), 'cancel 100 risk change', 'it is closed');
SELECT is(pg_temp.fact('t-d', 'paid', p_reference => 'pi-d'), 'applied',
          'paid all the same');
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT alike(pg_temp.changes('d'), '%refund 100 risk change%', 'refunded');

-- a part of it captured: the rest is released, the part refunded
SELECT is(pg_temp.reviewed('e', p_news => 'authorized'), 'created', 'held');
SELECT is(pg_temp.whole('e', 'o-e', 'capture', 'ke', 30, 'DONE'), 'SUCCESS',
          'a part');
SELECT is(pg_temp.decide('e', 'reject'), 'rejected', 'no');
SELECT is((SELECT string_agg(c.kind || c.amount_minor, ' ' ORDER BY c.kind)
           FROM pay.change c WHERE c.checkout_id = 'e'
               AND c.reason = 'risk'), 'cancel70 refund30', 'both');

-- escalate keeps it open, without a deadline that acts
SELECT is(pg_temp.reviewed('f', p_terms => pg_temp.policy('reject')),
          'created', 'a review');
SELECT is(pg_temp.claims('f'), 'claimed', 'claimed');
SELECT is(pg_temp.decide('f', 'escalate', p_note => 'who is it?'),
          'escalated', 'to others');
SELECT is(pg_temp.claims('f', 'bob'), 'claimed', 'who may claim it at once');
UPDATE pay.risk_review SET deadline = now() WHERE checkout_id = 'f';
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT is(pg_temp.review('f'), 'escalated held', 'people decide about it');
SELECT is(pg_temp.decide('f', 'approve', 'bob'), 'approved', 'by another');

-- two people above an amount
SELECT is(pg_temp.reviewed('s' || n, minor, p_terms => pg_temp.policy()),
          'created', minor::text)
FROM (VALUES (1, 1000), (2, 1001), (3, 5000)) t (n, minor);
SELECT is(string_agg(r.needs_second::text, ' ' ORDER BY r.checkout_id),
          'false true true', 'above it, not at it')
FROM pay.risk_review r WHERE r.checkout_id LIKE 's_';
SELECT is(pg_temp.reviewed('s4', 500, p_terms => pg_temp.policy(),
                           p_currency => 'GBP'), 'created', 'pounds');
SELECT ok(r.needs_second, 'no rate: the amount is unknown')
FROM pay.risk_review r WHERE r.checkout_id = 's4';
SELECT is(pg_temp.claims('s2'), 'claimed', 'the first');
SELECT is(pg_temp.decide('s2', 'approve'), 'second', 'asks');
SELECT is(pg_temp.review('s2'), 'open held', 'nothing has happened');
SELECT is(pg_temp.decide('s2', 'approve', 'ann'), 'same_person', 'not alone');
SELECT is(pg_temp.decide('s2', 'approve', 'Ann'), 'same_person', 'nor so');
SELECT is(pg_temp.decide('s2', 'approve', 'bob'), 'approved', 'another');
SELECT is(pg_temp.acts('s2'), 'claimed ann, asked_approve ann known_buyer, '
          'approved bob known_buyer', 'both are kept');
SELECT is(pg_temp.decide('s3', 'approve', 'ann'), 'second', 'one says yes');
SELECT is(pg_temp.decide('s3', 'reject', 'bob'), 'second', 'another no');
SELECT is(pg_temp.decide('s3', 'reject', 'bob'), 'same_person', 'not twice');
SELECT is(pg_temp.changes('s3'), NULL, 'nothing has happened');
SELECT is(pg_temp.decide('s3', 'reject', 'ann'), 'rejected', 'two say no');
SELECT is(pg_temp.changes('s3'), 'refund 5000 risk change', 'refunded');

-- the deadline
SELECT is(pg_temp.reviewed('v-' || o || m, m, p_terms => pg_temp.policy(o)),
          'created', o)
FROM unnest('{approve,reject,escalate}'::text[]) o,
    unnest('{100,2000}'::int[]) m;
SELECT is(pg_temp.claims('v-approve100'), 'claimed', 'a claim');
SELECT is(pg_temp.sweep(), 'swept', 'a round in time');
SELECT is(count(*), 6::bigint, 'all are open') FROM pay.risk_review r
WHERE r.checkout_id LIKE 'v-%' AND r.state = 'open';
UPDATE pay.risk_review SET deadline = now(), at = now() - interval '1 hour'
WHERE checkout_id LIKE 'v-%';
SELECT is(pg_temp.sweep(), 'swept', 'a round behind it');
SELECT is(concat_ws(' ', c ->> 'overdue', c ->> 'escalated', c ->> 'oldest_s'),
          '3 3 3600', 'the figures of the queue')
FROM (SELECT s.counts::jsonb -> 'reviews'
      FROM pay_api.sweep('{w}', '{10000}', '{"{}"}') s) t (c);
SELECT is(pg_temp.review('v-' || c), s, c) FROM (VALUES
    ('approve100', 'approved'), ('approve2000', 'escalated held'),
    ('reject100', 'rejected held'), ('reject2000', 'rejected held'),
    ('escalate100', 'escalated held'),
    ('escalate2000', 'escalated held')) t (c, s);
SELECT is(pg_temp.changes('v-reject2000'), 'refund 2000 risk change',
          'refunded');
SELECT is(pg_temp.acts('v-reject100'), 'rejected gateway overdue', 'who');

-- what ends it by itself: by a round, or when somebody looks
SELECT is(pg_temp.reviewed('m-' || n, p_news => news), 'created', n)
FROM (VALUES ('failed', 'expired'), ('refunded', 'paid'), ('open', ''),
             ('disputed', 'paid'), ('look', 'expired'), ('refunding', 'paid'))
    t (n, news);
SELECT is(pg_temp.whole('m-refunded', 'o-m-refunded', 'refund', 'rm', 100,
                        'DONE'), 'SUCCESS', 'the merchant refunds it');
SELECT is(pg_temp.whole('m-refunding', 'o-m-refunding', 'refund', 'rn', 100,
                        'UNKNOWN'), 'EXECUTING', 'or asks for it');
SELECT isnt(pg_temp.news('dispute', 'opened', 'dp', 100,
                         p_reference => 'pi-m-disputed'), NULL, 'a dispute');
SELECT is(pg_temp.decide('m-look', 'approve'), 'ended', 'nothing to approve');
SELECT is(pg_temp.review('m-look'), 'ended held', 'it may be paid late');
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT is(pg_temp.review('m-' || n), s, n) FROM (VALUES
    ('failed', 'ended held'), ('refunded', 'ended'), ('open', 'open held'),
    ('disputed', 'ended held'), ('refunding', 'open held')) t (n, s);
SELECT is(pg_temp.acts('m-disputed'), 'ended gateway disputed', 'why');

-- a capture whose outcome is open when its review is rejected: all other money is
-- back before the PSP says that it was done
SELECT is(pg_temp.reviewed('open-capture', 1000, 'authorized'), 'created', '');
SELECT is(pg_temp.whole('open-capture', 'o-open-capture', 'capture', 'oc1',
                        300, 'UNKNOWN'), 'EXECUTING', 'nobody knows');
SELECT is(pg_temp.whole('open-capture', 'o-open-capture', 'final_capture',
                        'oc2', 500, 'DONE', 'cap-oc2'), 'SUCCESS cap-oc2', 'another');
SELECT is(pg_temp.decide('open-capture', 'reject'), 'rejected', 'a rejection');
SELECT is(pg_temp.changes('open-capture'), 'capture 300 why not change, '
    'capture 500 why not, refund 500 risk change', 'is given back');
SELECT is(pg_temp.news('refund', 'succeeded', 're-oc', 500,
    p_reference => 'pi-open-capture', p_operation => (
        SELECT c.change_id FROM pay.change c WHERE c.reason = 'risk'
            AND c.checkout_id = 'open-capture')), 'applied', 'it is back');
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT is(pg_temp.review('open-capture'), 'rejected held', 'is not the end');
SELECT is(pg_temp.news('capture', 'succeeded', 'cap-oc1', 300,
    p_reference => 'pi-open-capture', p_operation => pg_temp.uuid('oc1')),
    'applied', 'it was done');
SELECT is(pg_temp.sweep(), 'swept', 'the next round');
SELECT is(pg_temp.changes('open-capture'), 'capture 300 why not, '
    'capture 500 why not, refund 500 risk, refund 300 risk change',
    'gives that back, too');
SELECT is(pg_temp.sweep(), 'swept', 'the round behind it');
SELECT is(count(*), 4::bigint, 'asks for nothing twice') FROM pay.change c
WHERE c.checkout_id = 'open-capture';

-- a sale that comes after the page of a rejected checkout has ended
SELECT is(pg_temp.reviewed('late', p_news => ''), 'created', 'a page is open');
SELECT pg_temp.token('m1', 'late', 't-late');
SELECT is(pg_temp.decide('late', 'reject'), 'rejected', 'a rejection');
SELECT is(pg_temp.changes('late'), 'cancel 100 risk change', 'closes it');
SELECT is(pg_temp.fact('t-late', 'expired'), 'applied', 'it ends itself');
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT is(pg_temp.review('late'), 'rejected settled held', 'sees the end');
SELECT is(pg_temp.fact('t-late', 'paid', p_reference => 'pi-late'), 'applied',
    'the buyer had paid');
SELECT is(pg_temp.review('late'), 'rejected held', 'so it was not the end');
SELECT is(pg_temp.sweep(), 'swept', 'the next round');
SELECT is(pg_temp.changes('late'), 'cancel 100 risk, refund 100 risk change',
    'gives the money back');

-- a refund of the storefront's that the PSP cannot pay out
SELECT is(pg_temp.reviewed('back', 300), 'created', '');
SELECT is(pg_temp.whole('back', 'o-back', 'refund', 'rb', 100, 'DONE', 're-rb'),
          'SUCCESS re-rb', 'the storefront refunds a part');
SELECT is(pg_temp.decide('back', 'reject'), 'rejected', 'a rejection');
SELECT is(pg_temp.news('refund', 'succeeded', 're-back', 200,
    p_reference => 'pi-back', p_operation => (
        SELECT c.change_id FROM pay.change c
        WHERE c.reason = 'risk' AND c.checkout_id = 'back')), 'applied',
    'refunds the rest');
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT is(pg_temp.review('back'), 'rejected settled held', 'sees the end');
SELECT is(pg_temp.news('refund', 'failed', 're-rb', 100,
    p_reference => 'pi-back'), 'applied', 'the part comes back');
SELECT is(pg_temp.review('back'), 'rejected held', 'so it was not the end');
SELECT is(pg_temp.sweep(), 'swept', 'the next round');
SELECT is(pg_temp.changes('back'), 'refund 100 why not, refund 200 risk, '
    'refund 100 risk change', 'gives it back once more');

-- rounds of one review each: none waits for ever behind those of before, whose
-- money nobody can move now
SELECT is(pg_temp.reviewed('behind', p_news => ''), 'created', 'a page is open');
SELECT pg_temp.token('m1', 'behind', 't-behind');
SELECT is(pg_temp.decide('behind', 'reject'), 'rejected', 'a rejection');
SELECT is(pg_temp.fact('t-behind', 'paid', p_reference => 'pi-behind'),
          'applied', 'the buyer had paid');
SELECT is(pg_temp.changes('behind'), 'cancel 100 risk change', 'so far');
CREATE FUNCTION pg_temp.sweep_one() RETURNS void
LANGUAGE sql SET search_path = pay, pg_temp AS 'SELECT sweep_reviews(1)';
CREATE TEMP TABLE waiting AS SELECT r.review_id FROM pay.risk_review r
WHERE r.state = 'rejected' AND NOT r.is_settled;
SELECT cmp_ok(count(*), '>', 2::bigint, 'others come before') FROM waiting;
DO $$
BEGIN
    FOR n IN 1 .. (SELECT count(*) FROM waiting) LOOP
        PERFORM pg_temp.sweep_one();
    END LOOP;
END
$$;
SELECT is(pg_temp.changes('behind'), 'cancel 100 risk change, '
    'refund 100 risk change', 'gives the money back');
SELECT is(c.review_id, pg_temp.id('behind'), 'the last of them')
FROM pay.review_cursor c WHERE c.state = 'rejected';
SELECT lives_ok('SELECT pg_temp.sweep_one()', 'the next round');
SELECT is(c.review_id, 0::bigint, 'begins anew')
FROM pay.review_cursor c WHERE c.state = 'rejected';

-- behind a restore the money may be back, or captured, and nobody knows
SELECT is(pg_temp.reviewed('restored', 300), 'created', '');
SELECT is(pay_ops.begin_recovery(now(), 'ann'), 'begun', 'a restore');
SELECT is(pg_temp.decide('restored', 'reject'), 'rejected', 'a rejection');
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT is(pg_temp.changes('restored'), NULL, 'neither gives money back');
SELECT is(pg_temp.review('restored'), 'rejected held', 'which it waits for');
SELECT is(pay_ops.end_recovery('ann', 'a test'), 'ended', 'all is searched');
SELECT is(pg_temp.sweep(), 'swept', 'the next round');
SELECT is(pg_temp.changes('restored'), 'refund 300 risk change', 'does');

-- an authorisation that has lapsed: nothing is left to approve
SELECT is(pg_temp.reviewed('lapsed', p_news => 'authorized'), 'created', '');
SELECT is(pg_temp.fact('t-lapsed', 'cancelled'), 'applied', 'it lapses');
SELECT is(pg_temp.decide('lapsed', 'approve'), 'ended', 'too late');
SELECT is(pg_temp.acts('lapsed'), 'ended gateway failed', 'why');

-- linked orders, of the same merchant alone
SELECT is(pg_temp.reviewed('l1', p_key => 'eve'), 'created', 'one');
SELECT is(pg_temp.look('l2', pg_temp.risk('allow', pg_temp.key('eve'))),
          'created', 'the same buyer');
SELECT is(pg_temp.look('l3', pg_temp.risk('allow', pg_temp.key('eve')),
                       p_merchant => 'm2'), 'created', 'elsewhere');
SELECT is(pg_temp.look('l4', pg_temp.risk('allow', pg_temp.key('192.0.2.1/32',
    'ip'))), 'created', 'the same network');
SELECT is(string_agg(concat_ws(' ', l.checkout_id, l.kinds, l.decision), ', '),
          'l2 email allow', 'linked')
FROM pay_ops.linked_to_review(pg_temp.id('l1')) l;

-- what is not understood
SELECT is(pay_ops.decide_review(pg_temp.id('l1'), act, reason, note, blocks,
    who), 'invalid', concat_ws(' ', act, reason, who))
FROM (VALUES ('approve', 'stolen_card', NULL, false, 'ann'),
    ('reject', 'known_buyer', NULL, false, 'ann'),
    ('delete', 'unclear', NULL, false, 'ann'),
    (NULL, 'unclear', NULL, false, 'ann'),
    ('approve', NULL, NULL, false, 'ann'),
    ('approve', 'known_buyer', NULL, true, 'ann'),
    ('approve', 'known_buyer', NULL, false, ''),
    ('approve', 'known_buyer', NULL, false, NULL),
    ('approve', 'known_buyer', repeat('x', 1001), false, 'ann'))
    t (act, reason, note, blocks, who);
SELECT is(pay_ops.claim_review(pg_temp.id('l1'), s, who), 'invalid', 'claim')
FROM (VALUES (0, 'ann'), (86401, 'ann'), (NULL, 'ann'), (60, ''), (60, NULL))
    t (s, who);
SELECT is(pay_ops.claim_review(0, 60, 'ann'), 'not_found', 'no such review');
SELECT is(pay_ops.decide_review(0, 'reject', 'no_answer', NULL, NULL, 'ann'),
          'not_found', 'no such review');
SELECT is(b.outcome, 'invalid', t.review::text)
FROM (VALUES ('{}'::jsonb), ('[]'), ('{"deadline_s": 59, "overdue": "reject"}'),
    ('{"deadline_s": 2592001, "overdue": "reject"}'),
    ('{"deadline_s": 3600}'), ('{"deadline_s": 3600, "overdue": "sell"}'),
    ('{"deadline_s": 3600, "overdue": "reject", "second_minor": 5}'),
    ('{"deadline_s": 3600, "overdue": "reject", "second_minor": -5,
       "second_currency": "USD"}'),
    ('{"deadline_s": 3600, "overdue": "reject", "second_minor": 5,
       "second_currency": "XXQ"}'),
    ('{"deadline_s": 3600, "overdue": "reject", "more": 1}')) t (review)
CROSS JOIN LATERAL pg_temp.begin('m1', 'k-bad', 'bad', '{bad:100}',
    p_terms => jsonb_build_object('review', t.review)) b;

-- who may
SELECT is(pg_temp.run_as(r, sql), s, r || ' ' || sql)
FROM (VALUES ('payments_gateway', '42501'), ('payments_auditor', '42501'),
             ('payments_operator', 'ok'), ('payments_relay', '42501')) t (r, s),
    unnest(ARRAY['SELECT pay_ops.claim_review(0, 60, ''ann'')',
        'SELECT pay_ops.decide_review(0, ''reject'', ''no_answer'', NULL,
             false, ''ann'')',
        'SELECT pay_ops.linked_to_review(0)']) sql;
SELECT throws_ok(sql, 'PAY20', NULL, sql) FROM (VALUES
    ('UPDATE pay.risk_review_act SET who = ''eve'''),
    ('DELETE FROM pay.risk_review_act'),
    ('TRUNCATE pay.risk_review_act')) t (sql);

\i :checks

SELECT finish();
ROLLBACK;
