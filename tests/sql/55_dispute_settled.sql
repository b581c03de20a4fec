-- A dispute whose end its PSP does not tell, as Adyen of a chargeback that
-- stands: an operator has seen it there.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.settle(
    p_object text, p_end text, p_who text DEFAULT 'ann',
    p_why text DEFAULT 'seen at the PSP', p_psp text DEFAULT 'stripe')
RETURNS text LANGUAGE sql AS
'SELECT pay_ops.settle_dispute(p_psp, p_object, p_end, p_who, p_why)';
CREATE FUNCTION pg_temp.said(
    p_news text, p_object text, p_checkout text, p_amount bigint DEFAULT 40)
RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.news('dispute', p_news, p_object, p_amount,
                    't-' || p_checkout)
$$;

SELECT pg_temp.sold('a' || n, ARRAY['oa' || n || ':100'])
FROM generate_series(1, 4) n
\g /dev/null
SELECT pg_temp.sold('b', '{ob1:100,ob2:50}')
\g /dev/null
SELECT is(pg_temp.said('opened', d, c, m), 'applied', d)
FROM (VALUES ('d1', 'a1', 40), ('d2', 'a2', 40), ('d3', 'b', 150),
             ('d4', 'a3', 40)) v (d, c, m);

-- while a dispute is open its money is not paid out, and its buyer is needed
CREATE FUNCTION pg_temp.waits(p_checkout text, p_order text) RETURNS text
LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT concat_ws(' ', payout_stops('m1', p_order, now()), needs_buyer(c))
FROM checkout c WHERE c.merchant_id = 'm1' AND c.checkout_id = p_checkout
$$;
SELECT is(pg_temp.waits('a1', 'oa1'), 'dispute t', 'it waits');

-- which act is none
SELECT is(pg_temp.settle(d, e, w, y, p), o, concat_ws(' ', d, e, w, y, p))
FROM (VALUES ('d1', 'open', 'ann', 'why', 'stripe', 'invalid'),
    ('d1', NULL, 'ann', 'why', 'stripe', 'invalid'),
    ('d1', 'lost', ' ', 'why', 'stripe', 'invalid'),
    ('d1', 'lost', 'ann', NULL, 'stripe', 'invalid'),
    ('d0', 'lost', 'ann', 'why', 'stripe', 'not_found'),
    ('d1', 'lost', 'ann', 'why', 'adyen', 'not_found')) v (d, e, w, y, p, o);
SELECT is(pg_temp.run_as(r, $$SELECT pay_ops.settle_dispute('stripe', 'd1',
    'lost', 'ann', 'why')$$), '42501', r || ' may not')
FROM unnest('{payments_gateway,payments_auditor}'::text[]) r;
SELECT is(pg_temp.money('oa1'), '0 100 0 0 40', 'nothing has happened');

-- the money is gone, or back
SELECT is(pg_temp.settle(d, e), 'settled', d || ' ' || e)
FROM (VALUES ('d1', 'lost'), ('d2', 'won'), ('d3', 'lost')) v (d, e);
SELECT is(concat_ws(' / ', pg_temp.money(o), pg_temp.booked(s)), m, o)
FROM (VALUES ('oa1', 'dispute/stripe/d1',
        '0 100 0 0 40 / dispute_lost 40, dispute_opened 40'),
    ('oa2', 'dispute/stripe/d2',
        '0 100 0 0 0 / dispute_opened 40, dispute_won 40'),
    ('ob1', 'dispute/stripe/d3',
        '0 100 0 0 100 / dispute_lost 100, dispute_opened 100')) v (o, s, m);
SELECT is((e.kind, e.actor, e.detail ->> 'who', e.detail ->> 'why',
        e.detail ->> 'dispute_id')::text,
    '(dispute_lost,operator,ann,"seen at the PSP",d1)', 'in the timeline')
FROM pay.event e
WHERE e.payment_order_id = 'oa1' AND e.kind = 'dispute_lost';

SELECT is(pg_temp.waits(c, o), 'not_delivered f', c || ' waits no more')
FROM (VALUES ('a1', 'oa1'), ('a2', 'oa2')) v (c, o);

-- what the PSP says after all
SELECT is(pg_temp.settle('d1', e), 'closed', 'ended: ' || e)
FROM unnest('{lost,won}'::text[]) e;
SELECT is(pg_temp.said('lost', 'd1', 'a1'), 'unchanged', 'the same');
SELECT is(pg_temp.said('won', 'd1', 'a1'), 'contradiction', 'another end');
SELECT is(pg_temp.doubts('a1'), 'dispute contradiction d1', 'is queued');

-- one that no order bears is in suspense, and in the queue
SELECT is(pg_temp.said('opened', 'd5', 'a4', 140), 'mismatch', 'too much');
SELECT is(pay_ops.settle_mismatch((SELECT m.mismatch_id FROM pay.mismatch m
    WHERE m.object = 'd5'), 'ann', 'seen'), 'settled', 'seen');
SELECT is(pg_temp.settle('d5', 'lost'), 'settled', 'lost');
SELECT is(string_agg(concat_ws(' ', m.kind, m.why, m.object, m.source,
        s.mismatch_id IS NULL), ', ' ORDER BY m.mismatch_id),
    'dispute exceeds d5 webhook f, dispute exceeds d5 operator t', 'again')
FROM pay.mismatch m LEFT JOIN pay.mismatch_settlement s USING (mismatch_id)
WHERE m.checkout_id = 'a4';
SELECT is((j.kind, j.amount_minor)::text, '(unknown_dispute,140)', 'suspense')
FROM pay.journal_entry j
WHERE j.checkout_id = 'a4' AND j.kind LIKE '%dispute%';

\i :checks
SELECT * FROM finish();
ROLLBACK;
