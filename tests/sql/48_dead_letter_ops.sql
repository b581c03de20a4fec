-- What people may do about a dead letter: each kind, each wrong moment, and
-- what the timeline says of it.

BEGIN;
\ir helpers.psql
SELECT no_plan();

SELECT b.outcome FROM generate_series(1, 40) n,
    pg_temp.begin('m1', 'k' || n, 'c' || n,
                  ARRAY['o' || n || ':100', 'p' || n || ':50']) b
\g /dev/null
UPDATE pay.checkout SET late_success = 'hold'
WHERE checkout_id ~ '^c1?[0-9]$';
UPDATE pay.checkout SET late_success = 'refund'
WHERE checkout_id ~ '^c2[0-9]$';
SELECT pg_temp.token('m1', 'c' || n, 't' || n) FROM generate_series(1, 36) n
\g /dev/null
SELECT pg_temp.fact('t' || n, f, concat('e', n, f), p_reference => CASE f
    WHEN 'paid' THEN 'pi_' || n END)
FROM (SELECT n FROM generate_series(1, 29) n
      WHERE n NOT IN (10, 20)) n,
    unnest('{expired,paid}'::text[]) WITH ORDINALITY AS f (f, i)
ORDER BY n, i
\g /dev/null

CREATE FUNCTION pg_temp.letter(p_checkout text, p_kind text) RETURNS bigint
LANGUAGE sql AS $$
SELECT max(d.dead_letter_id) FROM pay.dead_letter d
WHERE d.merchant_id = 'm1' AND d.checkout_id = p_checkout
    AND d.kind = p_kind
$$;
CREATE FUNCTION pg_temp.plant(p_checkout text, p_kind text, p_reason text)
RETURNS bigint LANGUAGE sql AS $$
INSERT INTO pay.dead_letter (merchant_id, checkout_id, psp, kind, reason)
VALUES ('m1', p_checkout, 'stripe', p_kind, p_reason)
RETURNING dead_letter_id
$$;
CREATE FUNCTION pg_temp.requeue(p_id bigint, p_who text DEFAULT 'ann',
    p_why text DEFAULT 'it is ours') RETURNS text LANGUAGE sql AS
$$SELECT CASE WHEN d.kind = 'late_success'
    THEN replace(pay_ops.accept_dead_letter(p_id, p_who, p_why), 'accepted',
                 'requeued')
    ELSE pay_ops.requeue_dead_letter(p_id, p_who, p_why) END
FROM (SELECT p_id) x LEFT JOIN pay.dead_letter d ON d.dead_letter_id = p_id$$;
CREATE FUNCTION pg_temp.resolve(p_id bigint, p_who text DEFAULT 'bob',
    p_why text DEFAULT 'paid back by hand') RETURNS text LANGUAGE sql AS
'SELECT pay_ops.resolve_dead_letter(p_id, p_who, p_why)';
CREATE FUNCTION pg_temp.late(p_checkout text) RETURNS text LANGUAGE sql AS $$
SELECT l.state::text FROM pay.late_success l
WHERE l.merchant_id = 'm1' AND l.checkout_id = p_checkout
$$;
CREATE FUNCTION pg_temp.closed(p_id bigint) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' / ', d.state, d.closed_by, d.closed_why)
FROM pay.dead_letter d WHERE d.dead_letter_id = p_id
$$;
-- jobs with their attempts, and whether they are due
CREATE FUNCTION pg_temp.jobs(p_checkout text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', j.kind, j.attempts, j.run_at <= now()), ', '
                  ORDER BY j.kind)
FROM pay.job j WHERE j.merchant_id = 'm1' AND j.checkout_id = p_checkout
$$;

-- nobody in particular, for no reason
SELECT is(pg_temp.requeue(pg_temp.letter('c1', 'late_success'), who, why),
          'invalid', concat_ws('|', 'requeue', left(who, 9), left(why, 9)))
FROM (VALUES (NULL, 'why'), ('', 'why'), ('ann', NULL), ('ann', ''),
    (E' \t\n', 'why'), ('ann', '   '), (repeat('a', 201), 'why'),
    ('ann', repeat('y', 201)), (repeat('é', 101), 'why'), (NULL, NULL))
    v (who, why);
SELECT is(pg_temp.resolve(pg_temp.letter('c1', 'late_success'), who, why),
          'invalid', concat_ws('|', 'resolve', left(who, 9), left(why, 9)))
FROM (VALUES (NULL, 'why'), ('', 'why'), ('ann', NULL), ('ann', ''),
    (E'\n', 'why'), ('ann', repeat('y', 201))) v (who, why);
SELECT is(pg_temp.requeue(id) || ' ' || pg_temp.resolve(id),
          'not_found not_found', 'no such letter: ' || coalesce(id, 0))
FROM unnest(ARRAY[NULL, 0, -1, 9223372036854775807]) id;
SELECT is(pg_temp.late('c1') || ' ' || pg_temp.kinds('m1', 'o1'),
          'held created registered expired late_success', 'nothing happened');

-- a late payment is taken
SELECT is(pay_ops.requeue_dead_letter(pg_temp.letter('c1', 'late_success'),
                                      'ann', 'try again'),
          'late_payment', 'money that is held is not taken by the way');
SELECT is(pg_temp.late('c1'), 'held', 'nothing has happened');
SELECT is(pay_ops.accept_dead_letter(pg_temp.letter('c1', 'late_success'),
                                     'ann', repeat('y', 200)),
          'accepted', 'but by a verb of its own');
SELECT is(pg_temp.status('m1', 'o1') || pg_temp.status('m1', 'p1'),
          'SUCCESSSUCCESS', 'all orders are paid');
SELECT is((c.is_payment_done, c.version)::text, '(t,4)', 'and done')
FROM pay.checkout c WHERE c.checkout_id = 'c1';
SELECT is(pg_temp.late('c1'), 'accepted', 'it is no longer held');
SELECT is(pg_temp.closed(pg_temp.letter('c1', 'late_success')),
          'requeued / ann / ' || repeat('y', 200), 'by whom and why');
SELECT is(pg_temp.kinds('m1', 'p1'), 'created registered expired late_success '
    'dead_letter_requeued paid', 'the timeline tells both');
SELECT is((e.actor, e.old_status, e.new_status, e.reason, e.detail
           - 'dead_letter_id' - 'why' - 'role')::text,
    '(operator,FAILED,SUCCESS,,"{""who"": ""ann"", ""kind"": '
    '""late_success"", ""late"": true, ""reference"": ""pi_1""}")',
    'paid, by an operator, late')
FROM pay.event e WHERE e.payment_order_id = 'o1' AND e.kind = 'paid';
SELECT is(e.detail, jsonb_build_object('who', 'ann', 'why', repeat('y', 200),
    'kind', 'late_success', 'role', session_user,
    'dead_letter_id', pg_temp.letter('c1', 'late_success')),
    'the action itself')
FROM pay.event e
WHERE e.payment_order_id = 'o1' AND e.kind = 'dead_letter_requeued';
SELECT is(r.reference, 'pi_1', 'the payment''s id is that of the registration')
FROM pay.registration r WHERE r.checkout_id = 'c1';
SELECT is(pg_temp.fact('t1', 'paid', 'e1-again'), 'unchanged', 'said again');
SELECT is(pg_temp.fact('t1', 'expired', 'e1-no'), 'contradiction',
          'it is a sale as any other');

-- once
SELECT is(pg_temp.requeue(pg_temp.letter('c1', 'late_success'))
    || ' ' || pg_temp.resolve(pg_temp.letter('c1', 'late_success')),
    'closed closed', 'what is closed stays closed');
SELECT is(pg_temp.closed(pg_temp.letter('c1', 'late_success')),
          'requeued / ann / ' || repeat('y', 200), 'and names the first');

-- or settled by hand
SELECT is(pg_temp.resolve(pg_temp.letter('c2', 'late_success')), 'resolved',
          'resolved');
SELECT is(pg_temp.late('c2') || ' ' || pg_temp.status('m1', 'o2'),
          'resolved FAILED/expired', 'no sale');
SELECT is(pg_temp.kinds('m1', 'o2'), 'created registered expired late_success '
    'dead_letter_resolved', 'told');
SELECT is(c.version, 3, 'its readers see nothing new')
FROM pay.checkout c WHERE c.checkout_id = 'c2';
SELECT is(pg_temp.requeue(pg_temp.letter('c2', 'late_success')), 'closed',
          'cannot be taken afterwards');
SELECT is(pg_temp.fact('t2', 'paid', 'e2-again'), 'held', 'said again');
SELECT is(pg_temp.letter('c2', 'late_success'), max(d.dead_letter_id),
          'asks nobody again')
FROM pay.dead_letter d WHERE d.checkout_id = 'c2' AND d.state = 'resolved';

-- sold or paid back, never both
INSERT INTO pay.dispatch (merchant_id, checkout_id, operation, operation_id,
    psp, key_until)
SELECT 'm1', c, 'refund', CASE c WHEN 'c3' THEN l.refund_id::text
                                 ELSE 'another refund' END, 'stripe', now()
FROM unnest('{c3,c4}'::text[]) c
JOIN pay.late_success l ON l.checkout_id = c;
SELECT is(pg_temp.requeue(pg_temp.letter(c, 'late_success')), 'nothing_to_do',
          'a refund was begun: ' || c)
FROM unnest('{c3,c4}'::text[]) c;
SELECT is(pg_temp.late('c3') || ' ' || pg_temp.status('m1', 'o3'),
          'held FAILED/expired', 'it is not taken');
SELECT is(pg_temp.closed(pg_temp.letter('c3', 'late_success')), 'open',
          'and the letter stays');
SELECT is(pg_temp.kinds('m1', 'o3'), 'created registered expired late_success',
          'nor is it told');
DELETE FROM pay.dispatch WHERE operation = 'refund';
SELECT is(pg_temp.requeue(pg_temp.plant(c, 'late_success', 'held')),
          'nothing_to_do', 'what is paid back is not taken: ' || c)
FROM unnest('{c21,c22}'::text[]) c;
SELECT is(pg_temp.resolve(pg_temp.letter('c21', 'late_success')), 'resolved',
          'such a letter can be closed');
SELECT is(pg_temp.late('c21') || ' ' || pg_temp.job('m1', 'c21'),
          'refunding refund 0', 'and the refund goes on');
SELECT is(pg_temp.requeue(pg_temp.plant('c30', 'late_success', 'held')),
          'nothing_to_do', 'nothing was held');
SELECT is(pg_temp.status('m1', 'o30'), 'EXECUTING', 'nothing moved');

CREATE FUNCTION pg_temp.send_refund(p_checkout text) RETURNS text
LANGUAGE sql AS $$
SELECT d.outcome
FROM pay.late_success l, pay_api.begin_dispatch(ARRAY[l.merchant_id]::text[],
    ARRAY[l.checkout_id]::text[], '{refund}', ARRAY[l.refund_id]::text[],
    '{stripe}', '{3600}', '{1000}', '{r}') d
WHERE l.checkout_id = p_checkout
$$;
CREATE FUNCTION pg_temp.sent(p_checkout text, p_state text) RETURNS text
LANGUAGE sql AS $$
SELECT d.outcome
FROM pay.late_success l, pay_api.end_dispatch(ARRAY[l.merchant_id]::text[],
    ARRAY[l.checkout_id]::text[], '{refund}', ARRAY[l.refund_id]::text[],
    '{1}', ARRAY[p_state], '{complete}', '{200}', '{NULL}', '{re_1}', '{r}') d
WHERE l.checkout_id = p_checkout
$$;
SELECT is(pg_temp.send_refund(c), 'invalid', c || ' is not sent back: '
          || pg_temp.late(c))
FROM unnest('{c1,c2,c3}'::text[]) c;
SELECT is(pg_temp.send_refund('c28'), 'send', 'one that goes back');
SELECT is(pg_temp.resolve(pg_temp.plant('c28', 'refund', 'retry_limit')),
          'resolved', 'is settled by hand while it is out');
SELECT is(pg_temp.send_refund('c28'), 'invalid', 'is not sent again');
SELECT is(pg_temp.sent('c28', 'DONE'), 'stored', 'the truth is told');
SELECT is(pg_temp.late('c28') || ' ' || pg_temp.kinds('m1', 'o28'),
    'refunded created registered expired late_success dead_letter_resolved '
    'late_refunded', 'it went back, too');
SELECT is(pg_temp.send_refund('c28'), 'done', 'once');
SELECT is(pg_temp.send_refund('c29'), 'send', 'another one');
SELECT is(pg_temp.send_refund('c29'), 'busy', 'is not sent twice');
SELECT is(pg_temp.sent('c29', 'PENDING'), 'stored', 'the PSP takes it');
SELECT is(pg_temp.late('c29'), 'refunded', 'which is enough');
DELETE FROM pay.job WHERE checkout_id = 'c29';

-- refunds
UPDATE pay.job SET attempts = 50, run_at = now() + interval '1 h'
WHERE checkout_id = 'c23';
SELECT is(pg_temp.requeue(pg_temp.plant('c23', 'refund', 'retry_limit')),
          'requeued', 'a refund with a job');
SELECT is(pg_temp.jobs('c23'), 'refund 0 t', 'is due now');
DELETE FROM pay.job WHERE checkout_id IN ('c24', 'c25');
SELECT is(pg_temp.requeue(pg_temp.plant('c24', 'refund', 'retry_limit')),
          'requeued', 'a refund without a job');
SELECT is(pg_temp.jobs('c24'), 'refund 0 t', 'gets one');
SELECT is(pg_temp.resolve(pg_temp.plant('c25', 'refund', 'refused')),
          'resolved', 'a refund that was made by hand');
SELECT is(concat_ws(' ', pg_temp.late('c25'), pg_temp.jobs('c25')), 'resolved',
          'is made no more');
SELECT is(pg_temp.requeue(pg_temp.plant('c25', 'refund', 'refused')),
          'nothing_to_do', 'not even if asked for');
SELECT is(pg_temp.jobs('c25'), NULL, 'no job');
SELECT is(pg_temp.resolve(pg_temp.plant('c26', 'refund', 'retry_limit')),
          'resolved', 'resolved while a worker is due');
SELECT is(pg_temp.jobs('c26'), NULL, 'takes its job away');
UPDATE pay.late_success SET state = 'refunded' WHERE checkout_id = 'c27';
CREATE FUNCTION pg_temp.paid_back(p_checkout text) RETURNS void
LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT post(array_agg(ROW(l.merchant_id, 'late/' || l.checkout_id,
    'late_refunded', l.checkout_id, NULL, l.psp, NULL, l.amount_minor,
    l.currency, NULL, NULL, NULL, NULL)::posting))
FROM late_success l WHERE l.checkout_id = p_checkout
$$;
SELECT pg_temp.paid_back('c27')
\g /dev/null
DELETE FROM pay.job WHERE checkout_id = 'c27';
SELECT is(pg_temp.requeue(pg_temp.plant('c27', 'refund', 'retry_limit')),
          'nothing_to_do', 'what went back goes back once');
SELECT is(pg_temp.requeue(pg_temp.plant(c, 'refund', 'retry_limit')),
          'nothing_to_do', 'nothing to pay back: ' || c)
FROM unnest('{c5,c10,c31}'::text[]) c;
SELECT is(pg_temp.resolve(pg_temp.letter('c5', 'refund')), 'resolved',
          'resolving a refund that there is not');
SELECT is(pg_temp.late('c5'), 'held', 'settles no held payment');

-- polls
DELETE FROM pay.job WHERE checkout_id IN ('c31', 'c32', 'c33');
SELECT is(pay_ops.accept_dead_letter(pg_temp.plant('c31', 'poll',
                                                   'retry_limit'), 'a', 'b'),
          'no_late_payment', 'nothing else is accepted');
SELECT is(pg_temp.requeue((SELECT d.dead_letter_id FROM pay.dead_letter d
                           WHERE d.checkout_id = 'c31' AND d.state = 'open'
                               AND d.kind = 'poll')),
          'requeued', 'a poll');
SELECT is(pg_temp.jobs('c31'), 'poll 0 t', 'is due now');
SELECT is(pg_temp.kinds('m1', 'p31'),
          'created registered dead_letter_requeued', 'told');
SELECT is((e.actor, e.old_status, e.new_status)::text,
          '(operator,EXECUTING,EXECUTING)', 'moving nothing')
FROM pay.event e
WHERE e.payment_order_id = 'p31' AND e.kind = 'dead_letter_requeued';
UPDATE pay.job SET attempts = 9, lease_owner = 'w',
    lease_until = now() + interval '1 min', run_at = now() - interval '1 h'
WHERE checkout_id = 'c31';
SELECT is(pg_temp.requeue(pg_temp.plant('c31', 'poll', 'retry_limit')),
          'requeued', 'while a worker is at it');
SELECT is((j.lease_owner, j.attempts, j.run_at < now())::text, '(w,0,t)',
          'who keeps it')
FROM pay.job j WHERE j.checkout_id = 'c31';
SELECT is(pg_temp.resolve(pg_temp.plant('c32', 'poll', 'retry_limit')),
          'resolved', 'a poll that people give up');
SELECT is(pg_temp.jobs('c32'), NULL, 'is not made');
SELECT is(pg_temp.fact('t33', 'declined'), 'applied', 'declined');
SELECT is(pg_temp.requeue(pg_temp.plant('c33', 'poll', 'retry_limit')),
          'requeued', 'a failure may still turn out well');
SELECT is(pg_temp.jobs('c33'), 'poll 0 t', 'so the PSP is asked');
SELECT is(pg_temp.fact('t34', 'paid'), 'applied', 'paid');
SELECT is(pg_temp.requeue(pg_temp.plant(c, k, 'executing')), 'nothing_to_do',
          concat_ws(' ', k, 'of', c))
FROM (VALUES ('c34', 'poll'), ('c34', 'stuck'), ('c34', 'register'),
    ('c5', 'poll'), ('c5', 'stuck'), ('c5', 'register'), ('c37', 'poll'),
    ('c22', 'poll')) t (c, k);
SELECT is(concat_ws(',', pg_temp.jobs('c34'), pg_temp.jobs('c5'),
                    pg_temp.jobs('c37')), 'register 0 f', 'no job came of it');

-- registrations
UPDATE pay.job SET attempts = 100, run_at = now() + interval '1 day'
WHERE checkout_id IN ('c37', 'c38');
SELECT is(pg_temp.requeue(pg_temp.plant('c37', 'register', 'cancelled')),
          'requeued', 'a registration');
SELECT is(pg_temp.jobs('c37'), 'register 0 t', 'is tried now');
SELECT is(pg_temp.status('m1', 'o37'), 'NOT_STARTED', 'nothing moved');
SELECT is(pg_temp.resolve(pg_temp.plant('c38', 'register', 'retry_limit')),
          'resolved', 'one that people leave alone');
SELECT is(pg_temp.jobs('c38'), 'register 100 f', 'ends at its time');
SELECT is(pg_temp.no_token('m1', 'c39', 'refused'), 'stored', 'refused');
SELECT is(pg_temp.requeue(pg_temp.plant('c39', 'register', 'retry_limit')),
          'nothing_to_do', 'one that was refused meanwhile');
SELECT is(pg_temp.requeue(pg_temp.plant('c31', 'register', 'retry_limit')),
          'nothing_to_do', 'one that has its token');

-- stuck
UPDATE pay.job SET run_at = now() + interval '1 day'
WHERE checkout_id IN ('c35', 'c40', 'c22');
SELECT is(pg_temp.requeue(pg_temp.plant(c, 'stuck', r)), 'requeued',
          concat_ws(' ', c, r))
FROM (VALUES ('c35', 'executing'), ('c40', 'registering'),
    ('c22', 'unknown')) t (c, r);
SELECT is(pg_temp.jobs('c35') || ', ' || pg_temp.jobs('c40') || ', '
          || pg_temp.jobs('c22'), 'poll 0 t, register 0 t, refund 0 t',
          'its job, whichever that is');
DELETE FROM pay.job WHERE checkout_id = 'c36';
SELECT is(pg_temp.requeue(pg_temp.plant('c36', 'stuck', 'executing')),
          'requeued', 'stuck without a job');
SELECT is(pg_temp.jobs('c36'), 'poll 0 t', 'gets one');

-- parked
SELECT is(pg_temp.fact('t-nobody', 'paid', 'park1'), 'parked', 'parked');
INSERT INTO pay.dead_letter (psp, event_id, kind, reason)
VALUES ('stripe', 'park1', 'parked', 'parked'),
    ('stripe', 'no-such-event', 'parked', 'parked'),
    ('stripe', 'park2', 'parked', 'parked');
CREATE FUNCTION pg_temp.parked(p_event text) RETURNS bigint LANGUAGE sql AS
$$
SELECT max(d.dead_letter_id) FROM pay.dead_letter d
WHERE d.psp = 'stripe' AND d.event_id = p_event AND d.kind = 'parked'
$$;
SELECT is(pg_temp.requeue(pg_temp.parked(e)), 'nothing_to_do',
          'nobody has its token: ' || e)
FROM unnest('{park1,no-such-event,park2}'::text[]) e;
SELECT is(pg_temp.closed(pg_temp.parked('park1')), 'open', 'it stays');
SELECT is(pg_temp.resolve(pg_temp.parked('park1')), 'resolved', 'resolved');
SELECT is((SELECT i.state FROM pay.webhook_inbox i
           WHERE i.event_id = 'park1'), 'parked', 'it is still evidence');
-- as if somebody had given the token an owner by hand
INSERT INTO pay.webhook_inbox (psp, event_id, state, fact, token)
VALUES ('stripe', 'park2', 'parked', 'paid', 't10'),
    ('stripe', 'park3', 'parked', 'paid', 't20');
INSERT INTO pay.dead_letter (psp, event_id, kind, reason)
VALUES ('stripe', 'park3', 'parked', 'parked');
SELECT is(pg_temp.fact('t20', 'expired'), 'applied', 'expired');
SELECT is(pg_temp.requeue(pg_temp.parked('park2')), 'requeued',
          'its token is known');
SELECT is(pg_temp.status('m1', 'o10'), 'SUCCESS', 'it pays');
SELECT is(pg_temp.kinds('m1', 'o10'),
          'created registered paid dead_letter_requeued', 'and is told');
SELECT is(pg_temp.requeue(pg_temp.parked('park3')), 'requeued',
          'a payment that comes late');
SELECT is(concat_ws(' ', pg_temp.late('c20'), pg_temp.jobs('c20'),
                    pg_temp.status('m1', 'o20')),
          'refunding refund 0 t FAILED/expired', 'goes back as any other');
SELECT is(string_agg(i.state, ' ' ORDER BY i.event_id), 'applied held',
          'the inbox follows')
FROM pay.webhook_inbox i WHERE i.event_id IN ('park2', 'park3');
SELECT is(pg_temp.requeue(pg_temp.parked('park2')), 'closed', 'once');

-- closed by the gateway meanwhile
SELECT is(pg_temp.fact('t30', 'paid'), 'applied', 'a final word');
UPDATE pay.dead_letter SET state = 'settled', closed_at = now(),
    closed_by = 'gateway', closed_why = 'SUCCESS'
WHERE checkout_id = 'c30';
SELECT is(pg_temp.requeue(pg_temp.letter('c30', 'late_success'))
    || ' ' || pg_temp.resolve(pg_temp.letter('c30', 'late_success')),
    'closed closed', 'nobody acts on what is settled');
SELECT is(pg_temp.kinds('m1', 'o30'), 'created registered paid', 'or tells');

-- as the operator's role, and as nobody else
SELECT is(pg_temp.run_as(r, format(
    'SELECT pay_ops.%s_dead_letter(%s, ''ann'', ''why'')', f,
    pg_temp.letter('c6', 'late_success'))), '42501', concat_ws(' ', r, f))
FROM unnest('{payments_gateway,payments_auditor}'::text[]) r,
    unnest('{requeue,accept,resolve}'::text[]) f;
SELECT is(pg_temp.closed(pg_temp.letter('c6', 'late_success')), 'open',
          'nothing came of it');
SELECT is(pg_temp.run_as('payments_operator', format(
    'SELECT pay_ops.accept_dead_letter(%s, ''ann'', ''why'')',
    pg_temp.letter('c6', 'late_success'))), 'ok', 'the operator may');
SELECT is(pg_temp.status('m1', 'o6'), 'SUCCESS', 'and does');

-- the storefront hears what was decided, its own people who did, and why
SELECT is(e.events::json -> -1 ->> 'kind', 'paid', 'the API tells of it')
FROM pay_api.get_events('{m1}', '{o6}') e;
SELECT ok(e.events !~ '"(who|why|role)"', 'but not who, and why')
FROM pay_api.get_events('{m1}', '{o6}') e;
SELECT ok(x.explanation !~ '"(who|role)"|"ann"|"closed_by" : "', 'nor here')
FROM pay_api.explain_payment('{m1}', '{o6}', '{0}') x;
SELECT is(x.explanation::json #>> '{dead_letters,0,state}', 'requeued', 'what')
FROM pay_api.explain_payment('{m1}', '{o6}', '{0}') x;
SELECT is(x.explanation::json #>> '{dead_letters,0,closed_by}', 'ann',
          'to our own people')
FROM pay_view.explain('m1', 'o6') x;

\i :checks
SELECT finish();
ROLLBACK;
