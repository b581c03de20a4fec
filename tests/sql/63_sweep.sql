-- sweep: what becomes a dead letter and when, what settles by itself, what is
-- counted, and that finished payments cost nothing.

BEGIN;
\ir helpers.psql
\ir states.psql
SELECT no_plan();

-- with the gateway's plans
SELECT set_config(split_part(c, '=', 1), split_part(c, '=', 2), true)
FROM pg_db_role_setting s, unnest(s.setconfig) c
WHERE s.setrole = 'payments_gateway'::regrole AND s.setdatabase = 0
\g /dev/null
SET LOCAL statement_timeout = 0;

CREATE FUNCTION pg_temp.sweep(
    p_limits text DEFAULT '{"registering_s":900,"executing_s":86400,
                            "unknown_s":900,"parked_s":3600}')
RETURNS text LANGUAGE sql AS $$
UPDATE pay.round SET run_at = now() WHERE name = 'sweep';
SELECT s.outcome FROM pay_api.sweep('{w}', '{10000}', ARRAY[p_limits::jsonb]) s
$$;
CREATE FUNCTION pg_temp.counts(p text) RETURNS text LANGUAGE sql AS
'SELECT counts #>> string_to_array(p, ''.'') FROM pay.round
 WHERE name = ''sweep''';
-- letters as checkout reason state
CREATE FUNCTION pg_temp.letters(p_id text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', d.checkout_id, d.event_id, d.reason, d.state),
                  ', ' ORDER BY d.dead_letter_id)
FROM pay.dead_letter d
WHERE d.checkout_id = p_id OR d.event_id = p_id OR p_id IS NULL
$$;
CREATE FUNCTION pg_temp.make(
    p_id text, p_status text, p_registered text, p_expires text,
    p_sent text, p_job text, p_more text DEFAULT NULL)
RETURNS void LANGUAGE sql AS $$
SELECT pg_temp.make(p_id, p_status, p_registered, p_expires, p_sent, p_job,
                    NULL, NULL, p_more)
$$;
CREATE FUNCTION pg_temp.created(p_id text, p_minutes text)
RETURNS void LANGUAGE sql AS $$
UPDATE pay.checkout SET created_at = pg_temp.at(p_minutes)
WHERE checkout_id = p_id
$$;

SELECT is(s.outcome, 'swept', 'the first round is due at once')
FROM pay_api.sweep('{w}', '{10000}', '{"{}"}') s;
SELECT is(s.counts, '{"parked": 0, "reviews": {"open": 0, "overdue": 0, "oldest_s": 0, '
    '"escalated": 0}, "unknown": 0, "overdue_s": 0, '
    '"risk_modes": 0, "quarantined": 0, "dead_letters": {"poll": 0, "stuck": 0, '
    '"change": 0, "parked": 0, "refund": 0, "register": 0, "late_success": 0}, '
    '"backfill_missed": 0, "review_captures": {"asked": 0, "failed": 0}}',
    'nothing is told by all its names')
FROM pay_api.sweep('{w}', '{10000}', '{"{}"}') s;
SELECT is(s.outcome, 'not_due', 'another one is not')
FROM pay_api.sweep('{w2}', '{10000}', '{"{}"}') s;
SELECT is(run_at - now(), interval '10 s', 'until the interval is over')
FROM pay.round WHERE name = 'sweep';
UPDATE pay.round SET run_at = now();
SELECT is(string_agg(s.item || s.outcome || coalesce(left(s.counts, 1), '-'),
                     ' ' ORDER BY s.item),
          '1invalid- 2invalid- 3invalid- 4invalid- 5invalid- 6invalid- '
          '7invalid- 8swept{ 9not_due{',
          'one round a batch; who is early is told the last one''s counts')
FROM pay_api.sweep('{NULL,w,w,w,w,w,w,w,w}', '{1,-1,86400001,1,1,1,1,1000,1}',
    ARRAY['{}', '{}', '{}', NULL, '[]', '{"parked_s":"x"}',
          '{"parked_s":-1}', '{"parked_s":0}', '{}']::jsonb[]) s;

-- registering, executing, unknown; none before its time
SELECT pg_temp.make('r-old', 'NOT_STARTED', 'REGISTERING', '30', 'NOT_SENT:9',
                    'register:1'),
    pg_temp.make('r-new', 'NOT_STARTED', 'REGISTERING', '30', 'NOT_SENT:9',
                 'register:1'),
    pg_temp.make('r-done', 'EXECUTING', 'REGISTERED:t', '30', 'DONE:9',
                 'poll:1'),
    pg_temp.make('e-old', 'EXECUTING', 'REGISTERED:t', '-1441', 'DONE:9',
                 'poll:1'),
    pg_temp.make('e-new', 'EXECUTING', 'REGISTERED:t', '-1439', 'DONE:9',
                 'poll:1'),
    pg_temp.make('e-paid', 'SUCCESS', 'REGISTERED:t', '-1441', 'DONE:9', NULL),
    pg_temp.make('u-old', 'EXECUTING', 'REGISTERING', '30', 'UNKNOWN:9::-16',
                 'register:1'),
    pg_temp.make('u-new', 'EXECUTING', 'REGISTERING', '30', 'UNKNOWN:9::-14',
                 'register:1'),
    pg_temp.make('u-known', 'SUCCESS', 'REGISTERED:t', '30', 'UNKNOWN:9::-16',
                 NULL),
    pg_temp.make('c-old', 'EXECUTING', 'REGISTERED:t', '30', 'DONE:9',
                 'poll:1', 'capture=UNKNOWN:9::-16'),
    pg_temp.make('c-paid', 'SUCCESS', 'REGISTERED:t', '30', 'DONE:9', NULL,
                 'capture=UNKNOWN:9::-16'),
    pg_temp.make('c-lost', 'FAILED:expired', 'REGISTERED:t', '-30', 'DONE:9',
                 NULL, 'capture=UNKNOWN:9::-16'),
    pg_temp.make('x-open', 'EXECUTING', 'REGISTERED:t', '30', 'DONE:9',
                 'poll:1', 'expire=UNKNOWN:9::-16'),
    pg_temp.make('x-over', 'FAILED:expired', 'REGISTERED:t', '-30', 'DONE:9',
                 NULL, 'expire=UNKNOWN:9::-16'),
    pg_temp.make('f-old', 'FAILED:expired', 'REGISTERED:t', '-30', 'DONE:9',
                 NULL, 'refund=UNKNOWN:9::-16'),
    -- somebody has asked the PSP and resolved the refund's letter
    pg_temp.make('f-asked', 'FAILED:expired', 'REGISTERED:t', '-30', 'DONE:9',
                 NULL, NULL, 'resolved', 'refund=UNKNOWN:9::-16')
\g /dev/null
SELECT pg_temp.created(id, '-16')
FROM unnest('{r-old,r-done,e-old,u-old}'::text[]) id
\g /dev/null
SELECT pg_temp.created('r-new', '-14')
\g /dev/null
SELECT is(pg_temp.sweep('{}'), 'swept', 'without limits');
SELECT is(pg_temp.letters(), NULL, 'nothing is too old');
SELECT is(pg_temp.sweep(), 'swept', 'with limits');
SELECT is((SELECT string_agg(d.checkout_id || ' ' || d.reason, ', '
                             ORDER BY d.checkout_id)
           FROM pay.dead_letter d),
          'c-lost unknown, c-old unknown, e-old executing, f-old unknown, '
          'r-old registering, u-old unknown, x-open unknown',
          'what is older is a dead letter, once for each checkout');
SELECT is((d.kind, d.psp, d.code, d.state, d.attempts)::text,
          '(stuck,stripe,,open,1)', 'a letter')
FROM pay.dead_letter d WHERE checkout_id = 'u-old';
SELECT is(pg_temp.counts('dead_letters.stuck') || ' '
          || pg_temp.counts('unknown'), '7 6',
          'counted: letters, and calls that matter');
SELECT is(pg_temp.sweep(), 'swept', 'again');
SELECT is(count(*), 7::bigint, 'nothing new') FROM pay.dead_letter;
SELECT ok((SELECT bool_and(pg_temp.job('m1', id) IS NOT NULL)
           FROM unnest('{r-old,e-old,u-old,c-old}'::text[]) id),
          'their jobs go on');

-- what comes right by itself; what is being sent again has not
UPDATE pay.dispatch SET state = 'OPEN', ended_at = NULL, sends = 2
WHERE checkout_id = 'u-old';
UPDATE pay.dispatch SET state = 'DONE' WHERE checkout_id = 'f-old'
    AND operation = 'refund';
UPDATE pay.registration
SET state = 'REGISTERED', token = 't', hosted_url = 'u'
WHERE checkout_id = 'r-old';
UPDATE pay.payment_order SET status = 'SUCCESS'
WHERE checkout_id IN ('e-old', 'c-old');
SELECT is(pg_temp.sweep(), 'swept', 'later');
SELECT is((SELECT string_agg(d.checkout_id || ' ' || d.state, ', '
                             ORDER BY d.checkout_id)
           FROM pay.dead_letter d),
          'c-lost open, c-old settled, e-old settled, f-old settled, '
          'r-old settled, u-old open, x-open open', 'settled by itself');
SELECT is((d.closed_by, d.closed_why)::text,
          '(gateway,"no longer registering")', 'by whom and why')
FROM pay.dead_letter d WHERE checkout_id = 'r-old';
SELECT is(pg_temp.sweep('{}'), 'swept', 'limits gone');
SELECT is(pg_temp.letters('u-old'), 'u-old unknown open',
          'what is open stays open');

-- what people have closed
UPDATE pay.dispatch SET state = 'UNKNOWN', ended_at = now()
WHERE checkout_id = 'u-old' AND operation = 'register';
UPDATE pay.dead_letter SET state = 'resolved', closed_at = now(),
    closed_by = 'ann', closed_why = 'known' WHERE checkout_id = 'c-lost';
UPDATE pay.dead_letter SET state = 'requeued', closed_at = now(),
    closed_by = 'ann', closed_why = 'again' WHERE checkout_id = 'u-old';
SELECT pg_temp.created('u-old', '-1')
\g /dev/null
SELECT is(pg_temp.sweep(), 'swept', 'people were here');
SELECT is(pg_temp.letters('c-lost'), 'c-lost unknown resolved',
          'what was resolved is not brought up again');
SELECT is(pg_temp.letters('u-old'), 'u-old unknown requeued',
          'what was requeued has time again');
UPDATE pay.dead_letter SET closed_at = now() - interval '16 min'
WHERE checkout_id = 'u-old';
SELECT is(pg_temp.sweep(), 'swept', 'and after that time');
SELECT is(pg_temp.letters('u-old'), 'u-old unknown requeued, u-old unknown open',
          'it is brought up again');
INSERT INTO pay.dispatch (merchant_id, checkout_id, operation, operation_id,
    psp, state, key_until, first_sent_at, ended_at)
VALUES ('m1', 'c-lost', 'refund', 'r', 'stripe', 'UNKNOWN', now(), now(),
    now());
SELECT is(pg_temp.sweep('{"unknown_s":0.5}'), 'swept', 'fractions are fine');
SELECT is(pg_temp.letters('c-lost'), 'c-lost unknown resolved',
          'not yet unknown for long');
UPDATE pay.dead_letter SET closed_at = now() - interval '1 h'
WHERE checkout_id = 'c-lost';
UPDATE pay.dispatch SET first_sent_at = now() - interval '20 min'
WHERE checkout_id = 'c-lost' AND operation = 'refund';
SELECT is(pg_temp.sweep(), 'swept', 'another call');
SELECT is(pg_temp.letters('c-lost'),
          'c-lost unknown resolved, c-lost unknown open',
          'a later trouble is another one');

-- parked webhooks: once for each, also when people have closed it
SELECT pg_temp.fact('p' || n, 'paid', 'evt-p' || n) FROM generate_series(1, 3) n
\g /dev/null
UPDATE pay.webhook_inbox SET received_at = now() - interval '61 min'
WHERE event_id IN ('evt-p1', 'evt-p2');
SELECT is(pg_temp.sweep(), 'swept', 'parked');
SELECT is(pg_temp.letters('evt-p1') || ', ' || pg_temp.letters('evt-p2'),
          'evt-p1 parked open, evt-p2 parked open', 'old ones are letters');
SELECT is(pg_temp.letters('evt-p3'), NULL, 'a young one is not');
SELECT is(pg_temp.counts('parked') || ' '
          || pg_temp.counts('dead_letters.parked'), '3 2', 'all are counted');
UPDATE pay.dead_letter SET state = 'resolved', closed_at = now(),
    closed_by = 'ann', closed_why = 'not ours' WHERE event_id = 'evt-p1';
UPDATE pay.webhook_inbox SET state = 'applied' WHERE event_id = 'evt-p2';
SELECT is(pg_temp.sweep(), 'swept', 'one applied, one resolved');
SELECT is(pg_temp.letters('evt-p1') || ', ' || pg_temp.letters('evt-p2'),
          'evt-p1 parked resolved, evt-p2 parked settled', 'and that is that');

-- other counts
UPDATE pay.job SET run_at = now() - interval '70 s' WHERE checkout_id = 'u-new';
UPDATE pay.job SET run_at = now() - interval '1 h', lease_owner = 'w',
    lease_until = now() - interval '30 s' WHERE checkout_id = 'e-new';
UPDATE pay.job SET run_at = now() - interval '1 h', lease_owner = 'w',
    lease_until = now() + interval '30 s' WHERE checkout_id = 'x-open';
INSERT INTO pay.backfill (psp, seen_until, run_at, missed)
VALUES ('stripe', now(), now(), 3), ('paypal', now(), now(), 2);
SELECT q.outcome FROM pay_api.quarantine_webhook('{stripe}', '{stale}',
    ARRAY[sha256('x')], '{"{}"}', '{x}', '{1}', '{r}') q
\g /dev/null
INSERT INTO pay.dead_letter (merchant_id, checkout_id, kind, reason)
SELECT 'm1', 'u-new', k, 'retry_limit' FROM unnest('{register,poll}'::text[]) k;
SELECT is(pg_temp.sweep(), 'swept', 'counts');
SELECT is(pg_temp.counts('overdue_s') || ' ' || pg_temp.counts('quarantined')
    || ' ' || pg_temp.counts('backfill_missed') || ' '
    || pg_temp.counts('dead_letters.register')
    || pg_temp.counts('dead_letters.poll')
    || pg_temp.counts('dead_letters.refund'), '70 1 5 110',
    'overdue is who waits for a worker, not who has one');

-- many: a thousand letters a round; jobs in turn
SELECT pg_temp.many('y', 2300, true)
\g /dev/null
SELECT is(pg_temp.sweep(), 'swept', 'many');
SELECT ok(count(*) BETWEEN 980 AND 1000, 'a thousand jobs in one round')
FROM pay.dead_letter WHERE checkout_id LIKE 'y%';
SELECT is(merchant_id, 'm1', 'goes on behind them')
FROM pay.round WHERE name = 'sweep';
SELECT is(pg_temp.sweep(), 'swept', 'the rest of the jobs')
FROM generate_series(1, 2);
SELECT is(count(*), 2300::bigint, 'all in their turn')
FROM pay.dead_letter WHERE checkout_id LIKE 'y%' AND state = 'open';

DELETE FROM pay.job WHERE checkout_id LIKE 'y%';
UPDATE pay.registration
SET state = 'REGISTERED', token = checkout_id, hosted_url = 'u'
WHERE checkout_id LIKE 'y%';
UPDATE pay.round SET letter_id = NULL;
SELECT is(pg_temp.sweep(), 'swept', 'they come right');
SELECT ok(count(*) BETWEEN 900 AND 1000, 'a thousand letters in one round')
FROM pay.dead_letter WHERE checkout_id LIKE 'y%' AND state = 'settled';
SELECT is(pg_temp.sweep(), 'swept', 'the rest of the letters')
FROM generate_series(1, 2);
SELECT is(count(*), 0::bigint, 'all in their turn')
FROM pay.dead_letter WHERE checkout_id LIKE 'y%' AND state = 'open';

-- calls and webhooks by their time; what has the same time goes together
UPDATE pay.dispatch
SET state = 'UNKNOWN', first_sent_at = now() - interval '2 h'
    - (substr(checkout_id, 2)::int % 2) * interval '1 s'
WHERE checkout_id LIKE 'y%' AND operation = 'register';
UPDATE pay.registration SET state = 'REFUSED'
WHERE checkout_id LIKE 'y%' AND substr(checkout_id, 2)::int > 10;
UPDATE pay.dispatch SET operation = 'cancel' WHERE checkout_id LIKE 'y_';
INSERT INTO pay.webhook_inbox (psp, event_id, received_at, state, fact, token)
SELECT 'adyen', 'many-' || n, now() - interval '2 h'
    - (n % 2) * interval '1 s', 'parked', 'paid', 'many-' || n
FROM generate_series(1, 2400) n;
SELECT is(pg_temp.sweep(), 'swept', 'many unknown, many parked');
SELECT is(count(*), 1200::bigint, 'half of the webhooks')
FROM pay.dead_letter WHERE event_id LIKE 'many-%';
SELECT ok(count(*) BETWEEN 1100 AND 1200, 'half of the calls')
FROM pay.dispatch WHERE settled;
SELECT is(pg_temp.sweep(), 'swept', 'the rest of them')
FROM generate_series(1, 2);
SELECT is(count(*), 2400::bigint, 'all webhooks')
FROM pay.dead_letter WHERE event_id LIKE 'many-%';
SELECT is(string_agg(d.operation, ' '), NULL,
          'what matters no more is noted, once')
FROM pay.dispatch d
WHERE d.checkout_id LIKE 'y%' AND d.operation = 'register' AND NOT d.settled;
SELECT is(count(*), 9::bigint, 'what matters is not, and has its letters')
FROM pay.dead_letter WHERE checkout_id LIKE 'y_' AND state = 'open';
SELECT is(pg_temp.counts('unknown')::int, (
    SELECT count(*)::int FROM pay.dispatch d
    WHERE d.state = 'UNKNOWN' AND NOT d.settled), 'the gauge is of those');

-- changes that the PSP has taken, the oldest first
INSERT INTO pay.change (merchant_id, checkout_id, change_id, payment_order_id,
    kind, origin, psp, status, amount_minor, currency, created_at)
SELECT o.merchant_id, o.checkout_id, gen_random_uuid(), o.payment_order_id,
    'cancel', 'merchant', 'stripe', 'EXECUTING', o.amount_minor, o.currency,
    now() - interval '9 days' + substr(o.checkout_id, 2)::int * interval '1 s'
FROM pay.payment_order o
WHERE o.checkout_id LIKE 'y%' AND substr(o.checkout_id, 2)::int > 10;
DELETE FROM pay.dead_letter WHERE checkout_id LIKE 'y%';
SELECT is(pg_temp.sweep(), 'swept', 'many changes');
SELECT is((count(*), max(substr(d.checkout_id, 2)::int))::text, '(1000,1010)',
          'a thousand of them')
FROM pay.dead_letter d WHERE d.reason = 'changing';
SELECT is(pg_temp.sweep(), 'swept', 'the rest of the changes')
FROM generate_series(1, 2);
SELECT is(count(*), 2290::bigint, 'all in their turn')
FROM pay.dead_letter d WHERE d.reason = 'changing';
DELETE FROM pay.change c WHERE c.checkout_id LIKE 'y%';

-- finished ones are not looked at
DELETE FROM pay.dead_letter WHERE event_id LIKE 'many-%';
DELETE FROM pay.webhook_inbox WHERE event_id LIKE 'many-%';
DELETE FROM pay.dead_letter WHERE checkout_id LIKE 'y%';
UPDATE pay.dispatch SET settled = true WHERE checkout_id LIKE 'y%';
SELECT pg_temp.many('z', 2000, false)
\g /dev/null
UPDATE pay.round SET merchant_id = NULL, checkout_id = NULL,
    sent_at = NULL, received_at = NULL, letter_id = NULL, change_at = NULL;
CREATE FUNCTION pg_temp.work(OUT rows numeric, OUT scans numeric)
LANGUAGE sql AS $$
SELECT sum(coalesce(idx_tup_fetch, 0) + seq_tup_read), sum(seq_scan)
FROM pg_stat_xact_user_tables
WHERE schemaname = 'pay' AND relname NOT IN ('backfill', 'risk_mode')
$$;
CREATE TEMPORARY TABLE before AS SELECT * FROM pg_temp.work();
SELECT is(pg_temp.sweep(), 'swept', 'beside thousands that are done');
SELECT ok(w.rows - b.rows BETWEEN 10 AND 400,
          'it reads ' || w.rows - b.rows || ' rows')
FROM pg_temp.work() w, before b;
SELECT is(w.scans, b.scans, 'and no table as a whole')
FROM pg_temp.work() w, before b;

-- found by the simulator: a capture whose sender had died stayed OPEN for
-- ever once its order had failed, and nobody was told
SELECT pg_temp.make('o-lost', 'FAILED:expired', 'REGISTERED:t', '-90',
                    'DONE:9', NULL, 'capture=OPEN:9:-16:-31'),
    pg_temp.make('o-busy', 'FAILED:expired', 'REGISTERED:t', '-90', 'DONE:9',
                 NULL, 'capture=OPEN:9:-14:-31'),
    pg_temp.make('o-reg', 'NOT_STARTED', 'REGISTERING', '30', 'OPEN:9:-16:-31',
                 'register:1')
\g /dev/null
SELECT is(pg_temp.sweep(), 'swept', 'beside calls whose senders have gone');
SELECT is(string_agg(d.checkout_id || ' ' || d.state, ', '
                     ORDER BY d.checkout_id),
          'o-busy OPEN, o-lost UNKNOWN, o-reg OPEN',
          'a change of which nobody will hear is unknown')
FROM pay.dispatch d
WHERE d.checkout_id LIKE 'o-%'
    AND (d.operation = 'capture' OR d.checkout_id = 'o-reg');
SELECT is(pg_temp.letters('o-lost'), 'o-lost unknown open', 'and people know');

SELECT is(pg_temp.run_as(r, $$SELECT * FROM pay_api.sweep('{w}', '{0}',
                                                      '{"{}"}')$$), s, r)
FROM (VALUES ('payments_gateway', 'ok'), ('payments_auditor', '42501'),
             ('payments_operator', '42501')) t (r, s);

SELECT finish();
ROLLBACK;
