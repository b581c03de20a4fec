-- begin_recovery and end_recovery: after a restore the PSPs are searched, and
-- nothing new begins until that has ended.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir payout.psql
\ir payout_call.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.stands() RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', r.state, r.lists_left, r.jobs_left, r.findings_left,
                 r.findings)
FROM pay_view.recoveries r ORDER BY r.recovery_id DESC LIMIT 1
$$;
CREATE FUNCTION pg_temp.found() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', f.finding,
        CASE WHEN f.is_open THEN 'open' END, f.psp, f.token, f.fact,
        f.amount, f.currency, f.payment_order_id), ', '
    ORDER BY f.finding, f.token, f.fact, f.amount)
FROM pay_view.recovery_findings f
$$;
CREATE FUNCTION pg_temp.listed(p_psp text, p_ago int DEFAULT 0)
RETURNS text LANGUAGE sql AS $$
SELECT e.outcome FROM pay_api.end_backfill(ARRAY[p_psp], '{w1}',
    ARRAY[floor(extract(epoch FROM now()))::bigint - p_ago], '{1}', '{0}',
    '{NULL}') e
$$;
CREATE FUNCTION pg_temp.span(p_psp text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', b.outcome,
    floor(extract(epoch FROM now()))::bigint - b.since_s,
    floor(extract(epoch FROM now()))::bigint - b.until_s)
FROM pay_api.begin_backfill(ARRAY[p_psp], '{w1}', '{600000}', '{60000}') b
$$;
-- the workers of all nodes have had the time to come to all lists
CREATE FUNCTION pg_temp.passes() RETURNS void LANGUAGE sql AS $$
UPDATE pay.job SET run_at = run_at - interval '11 s' WHERE run_at = now();
UPDATE pay.recovery SET begun_at = begun_at - interval '11 s'
WHERE ended_at IS NULL
$$;
CREATE FUNCTION pg_temp.begins(p_ago interval, p_who text DEFAULT 'ann')
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.begin_recovery(now() - p_ago, p_who)
$$;

SELECT is(pay_ops.end_recovery('ann', NULL), 'none', 'none is open');
SELECT is(pg_temp.begins(a::interval, w), 'invalid',
          concat_ws(' ', 'begins', a, w))
FROM (VALUES ('-1 second', 'ann'), ('31 days', 'ann'), (NULL, 'ann'),
    ('1 hour', ''), ('1 hour', NULL), ('1 hour', repeat('x', 201)))
    v (a, w);
SELECT is(pay_ops.begin_recovery(t::timestamptz, 'ann'), 'invalid', t)
FROM unnest('{infinity,-infinity}'::text[]) t;
SELECT is((SELECT count(*) FROM pay.recovery), 0::bigint, 'nothing is begun');
SELECT is(pg_temp.news('refund', 'succeeded', 're_0', 400,
    p_reference => 'pi-0', p_source => 'backfill'), 'unknown',
    'a refund in a list, of a payment that is not ours');
SELECT is((SELECT count(*) FROM pay.webhook_inbox), 0::bigint, 'is not kept');

-- a database that has never read a list
SELECT is(pg_temp.begins('11 minutes'), 'begun', 'a recovery');
SELECT pg_temp.passes()
\g /dev/null
SELECT is(pay_ops.end_recovery('ann', NULL), 'searching',
          'which no list was read for');
DELETE FROM pay.recovery;

-- the restored database: an open page, a sale, a checkout without a token, one
-- that has ended, an approved pay-out; stripe's list was read until now
SELECT pg_temp.begin('m1', 'k-open', 'c-open', '{o-open:100}'),
    pg_temp.token('m1', 'c-open', 't-open'),
    pg_temp.sold('c-sold', '{o-sold:1000}'),
    pg_temp.begin('m1', 'k-bare', 'c-bare', '{o-bare:100}'),
    pg_temp.begin('m1', 'k-over', 'c-over', '{o-over:100}'),
    pg_temp.token('m1', 'c-over', 't-over'), pg_temp.fact('t-over', 'expired')
\g /dev/null
SELECT pg_temp.provider(), pg_temp.account(p_who => 'sue'),
    pg_temp.limited(),
    pg_temp.ready(), pg_temp.batch(), pg_temp.approve()
\g /dev/null
SELECT pg_temp.span('stripe'), pg_temp.listed('stripe', 30)
\g /dev/null
UPDATE pay.job SET run_at = now() + CASE checkout_id
    WHEN 'c-bare' THEN interval '-1 hour' ELSE '1 hour' END;
CREATE TEMP TABLE ended AS
SELECT j.run_at FROM pay.job j WHERE j.checkout_id = 'c-over';

SELECT is(pg_temp.begins('10 minutes'), 'begun', 'a recovery');
SELECT is(pg_temp.begins('10 minutes'), 'open', 'once');
SELECT is(pg_temp.begins('5 minutes'), 'open', 'a later moment is in it');
SELECT is(pg_temp.stands(), 'open 2 2 0 0',
          'a list to read, others may come, two payments to ask about');
SELECT is(string_agg(j.checkout_id, ' ' ORDER BY j.checkout_id),
          'c-bare c-open', 'those that are open')
FROM pay.job j WHERE j.run_at = now();
SELECT is(pay_ops.end_recovery('ann', NULL), 'searching', 'it goes on');

-- nothing new begins
SELECT is((SELECT outcome FROM pg_temp.begin('m1', 'k-new', 'c-new',
    '{o-new:100}')), 'recovering', 'a new checkout waits');
SELECT is((SELECT count(*) FROM pay.checkout WHERE checkout_id = 'c-new')
    + (SELECT count(*) FROM pay.idempotency_key WHERE key = 'k-new'),
    0::bigint, 'nothing of it is stored');
SELECT is((SELECT outcome FROM pg_temp.begin('m1', 'k-open', 'c-open',
    '{o-open:100}')), 'replayed', 'one that is known is answered');
SELECT is((SELECT outcome FROM pg_temp.begin('m1', 'k-open', 'c-open',
    '{o-open:100}', p_body => 'other')), 'key_reused', 'as ever');
SELECT is((SELECT outcome FROM pg_temp.begin('', 'k-new', 'c-new',
    '{o-new:100}')), 'invalid', 'what is invalid stays so');
SELECT is(pg_temp.change('o-sold', 'refund', 'r1', 10), 'recovering',
          'a refund waits');
SELECT is((SELECT count(*) FROM pay.change)
    + (SELECT count(*) FROM pay.idempotency_key WHERE key = 'key-r1'),
    0::bigint, 'nothing of it is stored');
SELECT is(pg_temp.begin_call(), 'none', 'no pay-out is sent');

-- the list
SELECT is(pg_temp.span('stripe'), 'due 900 0',
          'the list is read from the moment on, up to now');
SELECT is(pg_temp.fact('t-open', 'paid', 'l1', 'backfill'), 'applied',
          'a webhook that is lost');
SELECT is(pg_temp.fact('t-lost', f, 'l2' || f, 'backfill', a, c), 'parked',
          'a payment that is lost: ' || f)
FROM (VALUES ('pending', NULL, NULL), ('paid', 1999, 'EUR')) v (f, a, c);
SELECT is(pg_temp.fact('t-lost', 'paid', 'l2paid', 'backfill', 1999, 'EUR'),
          'duplicate', 'listed once more');
SELECT is(pg_temp.fact('t-none', 'expired', 'l3', 'backfill'), 'parked',
          'a page that is lost, and over');
SELECT is(pg_temp.news('refund', 'succeeded', 're_1', 300,
    p_token => 't-c-sold', p_source => 'backfill'), 'applied',
    'a refund that is lost');
SELECT is(pg_temp.news('refund', 'succeeded', 're_3', 50,
    p_token => 't-c-sold'), 'applied', 'one whose webhook comes again');
SELECT is(pg_temp.news('refund', 'succeeded', 're_2', 400,
    p_reference => 'pi-x', p_source => 'backfill'), 'parked',
    'one of a payment that is lost');
SELECT is(pg_temp.listed('stripe'), 'stored', 'the list is read');
SELECT is(pg_temp.found(),
    'found stripe t-open paid 1.00 USD o-open, '
    'refund open stripe t-c-sold refunded 0.50 USD o-sold, '
    'refund open stripe t-c-sold refunded 3.00 USD o-sold, '
    'unknown open stripe pi-x refund.succeeded 4.00 USD, '
    'unknown open stripe t-lost paid 19.99 EUR, '
    'unknown stripe t-none expired', 'the findings');
SELECT is(pg_temp.stands(), 'open 1 1 4 6', 'other lists may still come');
SELECT pg_temp.passes()
\g /dev/null
SELECT is(pg_temp.stands(), 'open 0 1 4 6',
          'the payment that has come is not asked about');
SELECT is(pay_ops.end_recovery('ann', NULL), 'searching', 'one is left');
UPDATE pay.job SET run_at = now() + interval '1 minute'
WHERE checkout_id = 'c-bare';
SELECT is(pay_ops.end_recovery('ann', NULL), 'findings', 'four to act upon');
SELECT is(pay_ops.end_recovery(w, y), 'invalid', concat_ws(' ', w, y))
FROM (VALUES ('', 'paid back'), (NULL, 'paid back'), ('ann', ''),
    ('ann', repeat('x', 201))) v (w, y);

-- an earlier moment
SELECT is(pg_temp.begins('1 hour'), 'begun', 'an earlier moment');
SELECT is(pg_temp.span('stripe'), 'due 3900 0', 'the list is read from there');
SELECT is(pg_temp.listed('stripe'), 'stored', 'and is');
UPDATE pay.job SET run_at = now() + interval '1 minute'
WHERE run_at = now();

SELECT is(pay_ops.end_recovery('bob', 'paid back'), 'ended',
          'an operator accepts');
SELECT is(pay_ops.end_recovery('bob', 'paid back'), 'none', 'once');
SELECT is(concat_ws(' ', r.begun_by, r.ended_by, r.ended_why),
          'ann bob paid back', 'who it was')
FROM pay_view.recoveries r;
SELECT is(pg_temp.begins('1 hour'), 'ended', 'it does not begin again');
SELECT is(pg_temp.begin_call(), 'due send 0', 'pay-outs are sent again');
SELECT is(pg_temp.change('o-sold', 'refund', 'r1', 10),
          'created refund NOT_STARTED 10', 'and refunds');
SELECT is(pg_temp.fact('t-far', 'paid', 'l9', 'backfill'), 'unknown',
          'what is nobody''s is forgotten again');

-- the storefront insists, and the PSP knows the nonce
SELECT is((SELECT outcome FROM pg_temp.begin('m1', 'k-lost', 'c-lost',
    '{o-lost:1999}', p_currency => 'EUR')), 'created', 'the checkout again');
SELECT is(pg_temp.token('m1', 'c-lost', 't-lost'), 'stored', 'its old page');
SELECT is(pg_temp.status('m1', 'o-lost'), 'SUCCESS', 'is paid');
SELECT is(pg_temp.found(),
    'found stripe t-open paid 1.00 USD o-open, '
    'refund stripe t-c-sold refunded 0.50 USD o-sold, '
    'refund stripe t-c-sold refunded 3.00 USD o-sold, '
    'unknown open stripe pi-x refund.succeeded 4.00 USD, '
    'unknown stripe t-none expired', 'it is no finding any more');
INSERT INTO pay.dead_letter (psp, event_id, kind, reason, state, closed_at,
    closed_by, closed_why)
SELECT i.psp, i.event_id, 'parked', 'parked', 'resolved', now(), 'ann', 'seen'
FROM pay.webhook_inbox i WHERE i.token = 'pi-x';
SELECT is(pg_temp.stands(), 'ended 0 0 0 4', 'nor one that is resolved');

-- a PSP whose list was never read, a second restore
SELECT is(pg_temp.begins('2 hours'), 'begun', 'another moment');
SELECT is(pg_temp.span('adyen'), 'due 7500 0', 'a list that is new');
SELECT is(pg_temp.span('adyen'), 'not_due', 'and under a lease');
SELECT is(pg_temp.begins('3 hours'), 'begun', 'an earlier moment still');
SELECT is(pg_temp.listed('adyen'), 'gone', 'takes the round''s lease away');
SELECT is(pg_temp.span('adyen'), 'due 11100 0', 'so that it begins anew');

SELECT * FROM finish();
ROLLBACK;
