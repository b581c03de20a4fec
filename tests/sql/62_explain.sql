-- explain: who waits for whom, what comes next and whether a new checkout is
-- safe, in each state that can exist; then what it costs and shows.

BEGIN;
\ir helpers.psql
\ir states.psql
SELECT no_plan();

-- minutes from now, as states.psql takes them
CREATE FUNCTION pg_temp.minutes(p_time text) RETURNS text LANGUAGE sql AS $$
SELECT '@' || round(extract(epoch FROM p_time::timestamptz
    - date_trunc('milliseconds', now())) / 60)
$$;

-- waits_for / next step / answer
CREATE FUNCTION pg_temp.verdict(p_id text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', e ->> 'waits_for', '/', e #>> '{next_step,what}',
    pg_temp.minutes(e #>> '{next_step,at}'), '/',
    e #>> '{safe_to_retry,answer}',
    pg_temp.minutes(e #>> '{safe_to_retry,after}'))
FROM (SELECT x.explanation::json AS e
      FROM pay_api.explain_payment('{m1}', ARRAY[p_id], '{0}') x) x
$$;

CREATE TEMPORARY TABLE states (
    n serial, status text, registered text, expires text, sent text,
    job text, letter text, late text, more text, verdict text, why text);
INSERT INTO states (status, registered, expires, sent, job, letter, late,
    more, verdict, why)
VALUES
-- before there is a token: the call is out, gone, unknown, over
('NOT_STARTED', 'REGISTERING', 30, 'OPEN:1440:1', 'register:1', NULL, NULL,
 NULL, 'psp / register @1 / after @30', 'at this moment'),
('NOT_STARTED', 'REGISTERING', 30, 'OPEN:1440:1', 'register:-1:1', NULL, NULL,
 NULL, 'psp / register @-1 / after @30', 'at this moment'),
('NOT_STARTED', 'REGISTERING', 30, 'OPEN:1440:-1', 'register:0', NULL, NULL,
 NULL, 'psp / register @0 / after @30', 'the same request is sent again'),
('NOT_STARTED', 'REGISTERING', 30, 'OPEN:0:-1', 'register:0', NULL, NULL,
 NULL, 'psp / find @0 / after @30', 'is asked what it has'),
('NOT_STARTED', 'REGISTERING', 30, 'NOT_SENT:1440', 'register:2', NULL, NULL,
 NULL, 'gateway / register @2 / after @30', 'came to nothing'),
('NOT_STARTED', 'REGISTERING', 30, 'NOT_SENT:-1', 'register:2', NULL, NULL,
 NULL, 'gateway / register @2 / after @30', 'came to nothing'),
('NOT_STARTED', 'REGISTERING', 30, 'REFUSED:1440', 'register:2', NULL, NULL,
 NULL, 'gateway / register @2 / after @30', 'came to nothing'),
('NOT_STARTED', 'REGISTERING', 30, NULL, 'register:2', NULL, NULL, NULL,
 'gateway / register @2 / after @30', 'came to nothing'),
('EXECUTING', 'REGISTERING', 30, 'UNKNOWN:1440', 'register:2', NULL, NULL,
 NULL, 'psp / register @2 / after @30', 'the same request is sent again'),
('EXECUTING', 'REGISTERING', 30, 'UNKNOWN:1', 'register:2', NULL, NULL,
 NULL, 'psp / find @2 / after @30', 'is asked what it has'),
('EXECUTING', 'REGISTERING', 30, 'UNKNOWN:-1', 'register:-1:1', NULL, NULL,
 NULL, 'psp / find @-1 / after @30', 'asked at this moment whether it has'),
('EXECUTING', 'REGISTERING', 30, 'OPEN:1440:-1', 'register:-2:-1', NULL, NULL,
 NULL, 'psp / register @-1 / after @30', 'the same request is sent again'),
('EXECUTING', 'REGISTERING', 30, 'UNKNOWN:1440', 'register:30', NULL, NULL,
 NULL, 'gateway / expire @30 / after @30', 'nothing more is sent'),
('NOT_STARTED', 'REGISTERING', 30, 'NOT_SENT:1440', 'register:30', NULL, NULL,
 NULL, 'gateway / expire @30 / after @30', 'closed when its time is over'),
-- its time is over, and its job has not come yet
('EXECUTING', 'REGISTERING', -1, 'UNKNOWN:1440', 'register:1', NULL, NULL,
 NULL, 'gateway / expire @1 / after @1', 'never got a page'),
('NOT_STARTED', 'REGISTERING', -1, 'NOT_SENT:1440', 'register:-3', NULL, NULL,
 NULL, 'gateway / expire @-3 / after @0', 'nobody has taken it'),
-- jobs that cannot, and no job at all
('EXECUTING', 'REGISTERING', 30, 'UNKNOWN:9', 'register:1::psp_not_configured',
 NULL, NULL, NULL, 'people / register @1 / after @30', 'not set up here'),
('EXECUTING', 'REGISTERING', 30, 'NOT_SENT:9', 'register:1::request_refused',
 NULL, NULL, NULL, 'people / register @1 / after @30', 'cannot be sent'),
('EXECUTING', 'REGISTERING', 30, 'UNKNOWN:9', NULL, NULL, NULL, NULL,
 'people / none / after @30', 'No background work'),
('EXECUTING', 'REGISTERING', -1, 'UNKNOWN:9', NULL, NULL, NULL, NULL,
 'people / none / no', 'No background work'),
-- given up: its end still comes
('NOT_STARTED', 'REGISTERING', 30, 'NOT_SENT:9', 'register:30',
 'register:retry_limit', NULL, NULL, 'people / expire @30 / after @30',
 'no page in 7 attempts'),
('EXECUTING', 'REGISTERING', 30, 'UNKNOWN:9', 'register:30',
 'register:retry_limit', NULL, NULL, 'people / expire @30 / after @30',
 'and may or may not have it'),
('EXECUTING', 'REGISTERING', 30, 'UNKNOWN:9', 'register:30',
 'register:cancelled', NULL, NULL, 'people / expire @30 / after @30',
 'no second one'),
('EXECUTING', 'REGISTERING', 30, 'UNKNOWN:-1', 'register:30',
 'register:key_window_over', NULL, NULL, 'people / expire @30 / after @30',
 'too late to send it once more'),
('EXECUTING', 'REGISTERING', 30, 'UNKNOWN:9', 'register:1', 'stuck:unknown',
 NULL, NULL, 'psp / register @1 / after @30', 'those on call'),
-- there is a page
('EXECUTING', 'REGISTERED:t', 30, 'DONE:9', 'poll:1', NULL, NULL, NULL,
 'buyer / poll @1 / after @45', 'no payment is known'),
('EXECUTING', 'REGISTERED:t', 30, 'DONE:9', 'poll:-1:1', NULL, NULL, NULL,
 'buyer / poll @-1 / after @45', 'no payment is known'),
('EXECUTING', 'REGISTERED:t', 30, 'DONE:9', 'poll:-2', NULL, NULL, NULL,
 'buyer / poll @-2 / after @45', 'nobody has taken it'),
('EXECUTING', 'REGISTERED:t', 30, 'DONE:9', 'poll:1::no_answer', NULL, NULL,
 NULL, 'buyer / poll @1 / after @45', 'no payment is known'),
('EXECUTING', 'REGISTERED:t', 30, 'DONE:9', 'poll:1', NULL, NULL, 'pending',
 'psp / poll @1 / no', 'whether the money comes'),
('EXECUTING', 'REGISTERED:t', 30, 'DONE:9', 'poll:1', NULL, NULL,
 'capture=OPEN:9:1', 'psp / poll @1 / no', 'told to take the money'),
('EXECUTING', 'REGISTERED:t', 30, 'DONE:9', 'poll:1', NULL, NULL,
 'capture=UNKNOWN:9', 'psp / poll @1 / no', 'told to take the money'),
('EXECUTING', 'REGISTERED:t', 30, 'DONE:9', 'poll:1', NULL, NULL,
 'capture=PENDING:9', 'psp / poll @1 / no', 'whether the money comes'),
('EXECUTING', 'REGISTERED:t', 30, 'DONE:9', 'poll:1', NULL, NULL,
 'capture=DONE:9', 'psp / poll @1 / no', 'whether the money comes'),
('EXECUTING', 'REGISTERED:t', 30, 'DONE:9', 'poll:1', NULL, NULL,
 'capture=NOT_SENT:9', 'buyer / poll @1 / after @45', 'no payment is known'),
('EXECUTING', 'REGISTERED:t', 30, 'DONE:9', 'poll:1', NULL, NULL,
 'capture=REFUSED:9', 'buyer / poll @1 / after @45', 'no payment is known'),
('EXECUTING', 'REGISTERED:t', 30, 'DONE:9', 'poll:1', NULL, NULL, 'amount',
 'people / poll @1 / no', 'another amount'),
('EXECUTING', 'REGISTERED:t', 30, 'DONE:9', 'poll:1::psp_not_configured', NULL,
 NULL, NULL, 'people / poll @1 / after @45', 'not set up here'),
('EXECUTING', 'REGISTERED:t', 30, 'DONE:9', NULL, 'poll:retry_limit', NULL,
 NULL, 'people / none / no', 'in 7 attempts'),
('EXECUTING', 'REGISTERED:t', 30, 'DONE:9', NULL, NULL, NULL, NULL,
 'people / none / no', 'No background work'),
('EXECUTING', 'REGISTERED:t', 30, 'DONE:9', 'poll:1', 'stuck:unknown', NULL,
 'capture=UNKNOWN:9', 'psp / poll @1 / no', 'those on call'),
-- and the time to pay on it is over
('EXECUTING', 'REGISTERED:t', -1, 'DONE:9', 'poll:1', NULL, NULL, NULL,
 'psp / poll @1 / after @14', 'is asked how it ended'),
('EXECUTING', 'REGISTERED:t', -1, 'DONE:9', 'poll:1::no_answer', NULL, NULL,
 NULL, 'psp / poll @1 / after @14', 'does not answer'),
('EXECUTING', 'REGISTERED:t', -20, 'DONE:9', 'poll:1::no_answer', NULL, NULL,
 NULL, 'psp / poll @1 / no', 'does not answer'),
('EXECUTING', 'REGISTERED:t', -20, 'DONE:9', 'poll:1::open', NULL, NULL, NULL,
 'psp / poll @1 / no', 'has not said how it ended'),
('EXECUTING', 'REGISTERED:t', -1500, 'DONE:9', 'poll:1::open',
 'stuck:executing', NULL, NULL, 'psp / poll @1 / no', 'those on call'),
-- the end
('SUCCESS', 'REGISTERED:t', 30, 'DONE:9', NULL, NULL, NULL, NULL,
 'nobody / none / no', 'It is paid.'),
('SUCCESS', 'REGISTERED:t', 30, 'DONE:9', NULL, NULL, NULL, 'contradiction',
 'nobody / none / no', 'later said otherwise'),
('SUCCESS', 'REGISTERED:t', -99, 'DONE:9', NULL, NULL, 'accepted', 'hold',
 'nobody / none / no', 'It is paid.'),
('SUCCESS', 'REFUSED:t', -99, 'UNKNOWN:9', NULL, NULL, NULL, NULL,
 'nobody / none / no', 'It is paid.'),
-- its page may take money until it is closed, or its time is over
('FAILED:declined', 'REGISTERED:t', 30, 'DONE:9', NULL, NULL, NULL, NULL,
 'nobody / none / after @90', 'declined'),
('FAILED:declined', 'REGISTERED:t', -20, 'DONE:9', NULL, NULL, NULL, NULL,
 'nobody / none / after @40', 'declined'),
('FAILED:declined', 'REGISTERED:t', -61, 'DONE:9', NULL, NULL, NULL, NULL,
 'nobody / none / yes', 'declined'),
('FAILED:declined', 'REGISTERED:t', 30, 'DONE:9', NULL, NULL, NULL,
 'expire=DONE:9', 'nobody / none / yes', 'declined'),
('FAILED:declined', 'REGISTERED:t', 30, 'DONE:9', NULL, NULL, NULL,
 'expire=UNKNOWN:9', 'nobody / none / after @90', 'declined'),
('FAILED:cancelled', 'REGISTERED:t', 30, 'DONE:9', NULL, NULL, NULL, NULL,
 'nobody / none / after @90', 'cancelled'),
('FAILED:cancelled', 'REGISTERED:t', 30, 'DONE:9', NULL, NULL, NULL,
 'closed', 'nobody / none / yes', 'cancelled'),
('FAILED:expired', 'REGISTERED:t', -1, 'DONE:9', NULL, NULL, NULL, 'closed',
 'nobody / none / yes', 'did not pay in time'),
('FAILED:expired', 'REGISTERED:t', -1, 'DONE:9', NULL, NULL, NULL, NULL,
 'nobody / none / after @59', 'did not pay in time'),
('FAILED:declined', 'REGISTERED:t', -61, 'DONE:9', NULL, NULL, NULL,
 'contradiction told', 'people / none / no', 'holds the buyer'),
('FAILED:expired', 'REGISTERED:t', -16, 'DONE:9', NULL, 'late_success:held',
 'held', 'hold contradiction told', 'people / none / no', 'a second payment'),
('FAILED:risk', 'REGISTERED:t', 30, 'DONE:9', NULL, NULL, NULL, NULL,
 'nobody / none / after @90', 'risk'),
-- called expired by us, and asked about once more
('FAILED:expired', 'REGISTERED:t', -20, 'DONE:9', 'poll:1420::last_look',
 NULL, NULL, NULL, 'nobody / poll @1420 / after @1420', 'asked once more'),
('FAILED:expired', 'REGISTERED:t', -1460, 'DONE:9', 'poll:-1::last_look',
 NULL, NULL, 'hold', 'nobody / poll @-1 / after @0', 'asked once more'),
('FAILED:rejected', 'REFUSED', 30, 'REFUSED:9', NULL, NULL, NULL, NULL,
 'nobody / none / yes', 'refused to take it'),
('FAILED:expired', 'REFUSED', -1, 'UNKNOWN:9', NULL, NULL, NULL, NULL,
 'nobody / none / yes', 'gave no page'),
('FAILED:expired', 'REFUSED', -1, 'NOT_SENT:9', NULL, NULL, NULL, NULL,
 'nobody / none / yes', 'gave no page'),
('FAILED:declined', 'REGISTERED:t', 30, 'DONE:9', NULL, NULL, NULL, 'amount',
 'people / none / no', 'another amount'),
('FAILED:declined', 'REGISTERED:t', 30, 'DONE:9', 'poll:1', NULL, NULL, NULL,
 'psp / poll @1 / after @1', 'there may be news'),
('FAILED:declined', 'REGISTERED:t', 30, 'DONE:9', 'poll:-1:1', NULL, NULL,
 NULL, 'psp / poll @-1 / after @0', 'there may be news'),
('FAILED:expired', 'REFUSED:t', -1, 'DONE:9', 'poll:1', NULL, NULL, NULL,
 'psp / poll @1 / after @1', 'there may be news'),
-- late money
('FAILED:expired', 'REGISTERED:t', -16, 'DONE:9', NULL, NULL, NULL, 'accept',
 'nobody / none / after @44', 'did not pay in time'),
('FAILED:expired', 'REGISTERED:t', -61, 'DONE:9', NULL, NULL, NULL, 'accept',
 'nobody / none / yes', 'did not pay in time'),
('FAILED:expired', 'REGISTERED:t', -16, 'DONE:9', NULL, NULL, NULL, 'hold',
 'nobody / none / after @44', 'did not pay in time'),
('FAILED:expired', 'REGISTERED:t', -16, 'DONE:9', NULL, NULL, NULL, 'refund',
 'nobody / none / after @44', 'did not pay in time'),
('FAILED:expired', 'REGISTERED:t', -16, 'DONE:9', NULL, 'late_success:held',
 'held', 'hold', 'people / none / no', 'until an operator has decided'),
('FAILED:expired', 'REGISTERED:t', -16, 'DONE:9', NULL, NULL, 'resolved',
 'hold', 'nobody / none / no', 'settled that by hand'),
('FAILED:expired', 'REGISTERED:t', -16, 'DONE:9', 'refund:1', NULL,
 'refunding', 'refund', 'psp / refund @1 / yes', 'asked to pay it back'),
('FAILED:expired', 'REGISTERED:t', -16, 'DONE:9',
 'refund:1::psp_not_configured', NULL, 'refunding', 'refund',
 'people / refund @1 / no', 'is not set up here any more'),
('FAILED:expired', 'REGISTERED:t', -16, 'DONE:9', NULL, NULL, 'refunding',
 'refund', 'people / none / no', 'would pay it back'),
('FAILED:expired', 'REGISTERED:t', -16, 'DONE:9', NULL, 'refund:retry_limit',
 'refunding', 'refund', 'people / none / no', 'stopped after 7 attempts'),
('FAILED:expired', 'REGISTERED:t', -16, 'DONE:9', NULL, 'refund:refused',
 'refunding', 'refund', 'people / none / no', 'refuses to pay it back'),
('FAILED:expired', 'REGISTERED:t', -16, 'DONE:9', NULL,
 'refund:key_window_over', 'refunding', 'refund', 'people / none / no',
 'too late to tell it once more'),
('FAILED:expired', 'REGISTERED:t', -16, 'DONE:9', NULL, NULL, 'refunded',
 'refund', 'nobody / none / yes', 'and paid back'),
('FAILED:expired', 'REGISTERED:t', -16, 'DONE:9', 'refund:-2:-1',
 'stuck:unknown', 'refunding', 'refund', 'psp / refund @-1 / yes',
 'those on call');

SELECT pg_temp.make('s' || n, status, registered, expires, sent, job, letter,
                    late, more) FROM states
\g /dev/null
SELECT is(pg_temp.verdict('s' || n), verdict,
          concat_ws(', ', n, status, registered, expires, sent, job, letter,
                    late, more))
FROM states ORDER BY n;
SELECT ok(x.explanation::json ->> 'why' LIKE '%' || why || '%',
          format('%s: %s', n, x.explanation::json ->> 'why'))
FROM states, pay_api.explain_payment('{m1}', ARRAY['s' || n], '{0}') x
ORDER BY n;
SELECT is_empty($$
    SELECT n, w FROM states,
        pay_api.explain_payment('{m1}', ARRAY['s' || n], '{0}') x,
        unnest(ARRAY[x.explanation::json ->> 'why',
                     x.explanation::json #>> '{safe_to_retry,reason}']) w
    WHERE w IS NULL OR w !~ '\.$' OR w ~ '%|REGISTER|UNKNOWN|dispatch|nonce'
        OR length(w) > 250
$$, 'sentences, without the words of the inside');

-- all of it, in the order in which people read it
CREATE FUNCTION pg_temp.explained(p_id text) RETURNS json LANGUAGE sql AS $$
SELECT x.explanation::json
FROM pay_api.explain_payment('{m1}', ARRAY[p_id], '{0}') x
$$;
CREATE FUNCTION pg_temp.members(p json) RETURNS text LANGUAGE sql AS
'SELECT string_agg(k, '' '') FROM json_object_keys(p) k';
SELECT is(pg_temp.members(pg_temp.explained('s24')),
    'payment_order_id checkout_id status reason decline psp amount '
    'currency payment_orders expires_at replaces replaced_by registration waits_for why '
    'next_step safe_to_retry '
    'dispatches dead_letters exceptions late_success changes disputes payout messages events', 'members');
SELECT is(pg_temp.explained('s24') ->> 'amount',
    round(o.amount_minor / 100.0, 2)::text, 'amounts are decimal strings')
FROM pay.payment_order o WHERE o.payment_order_id = 's24';
SELECT is(x.explanation, pg_temp.explained('s24')::text,
          'a checkout is explained by its first order')
FROM pay.payment_order o, pay_api.explain_checkout(
    ARRAY['m1'], ARRAY[o.checkout_id::text], '{0}') x
WHERE o.payment_order_id = 's24';
SELECT is(string_agg(x.item || x.outcome, ' ' ORDER BY x.item),
          '1not_found 2not_found 3not_found', 'not what others have')
FROM pay.payment_order o, pay_api.explain_checkout(ARRAY['m2', 'm1', NULL],
    ARRAY[o.checkout_id::text, 'no', o.checkout_id::text], '{0,0,0}') x
WHERE o.payment_order_id = 's24';
SELECT is(pg_temp.explained('s24') #>> '{registration,state}', 'REGISTERING',
          'the registration');
SELECT is(pg_temp.explained('s24') ->> 'expires_at',
    to_char((now() + interval '30 min') AT TIME ZONE 'UTC',
            'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'times are exact, in UTC');
SELECT is(pg_temp.members(pg_temp.explained('s24') #> '{dispatches,0}'),
    'operation operation_id attempt psp state sends unsure first_sent_at '
    'sent_at ended_at key_until reach http_status code reference',
    'a call');
SELECT is(pg_temp.members(pg_temp.explained('s24') #> '{dead_letters,0}'),
    'id kind operation_id reason code attempts at state closed_at closed_by closed_why',
    'a dead letter');
SELECT is(pg_temp.members(pg_temp.explained('s37') #> '{exceptions,0}'),
    'id at kind source psp event_id token alias amount currency '
    'own_token own_amount own_currency object wrong request_id '
    'settled_at settled_by settled_why', 'an exception');
SELECT is(pg_temp.members(pg_temp.explained(p.id) -> 'late_success'),
    'at state psp source event_id reference amount currency refund_id',
    'a late payment')
FROM (SELECT 's' || n AS id FROM states WHERE late = 'held') p;
SELECT is(pg_temp.explained('s30') -> 'events' ->> 1, e.events::json ->> 1,
          'events as get_events has them')
FROM pay_api.get_events('{m1}', '{s30}') e;
SELECT is((e -> 'dispatches')::text || (e -> 'dead_letters')::text
          || (e -> 'exceptions')::text || coalesce(e ->> 'late_success', '-'),
          '[][][]-', 'what there is not')
FROM pg_temp.explained('s8') e;

SELECT is(string_agg(x.item || x.outcome || coalesce(
              x.explanation::json ->> 'payment_order_id', ''), ' '
              ORDER BY x.item),
          '1founds1 2not_found 3not_found 4not_found 5founds1', 'a batch')
FROM pay_api.explain_payment('{m1,m2,m1,NULL,m1}', '{s1,s1,no,s1,s1}',
    '{0,0,0,0,0}') x;

-- lists have an end
INSERT INTO pay.dispatch (merchant_id, checkout_id, operation, operation_id,
    attempt, psp, state, key_until, ended_at, first_sent_at)
SELECT 'm1', 's26', 'capture', 's26', n, 'stripe', 'NOT_SENT', now(), now(),
    now() - interval '1 d' + n * interval '1 s' FROM generate_series(1, 200) n;
SELECT is(json_array_length(e -> 'dispatches') || ' '
          || (e #>> '{dispatches,0,attempt}') || ' '
          || (e #>> '{dispatches,98,attempt}') || ' '
          || (e #>> '{dispatches,99,operation}'),
          '100 102 200 register', 'the newest hundred calls, oldest first')
FROM pg_temp.explained('s26') e;

-- for people: any merchant's, and the same text
INSERT INTO pay.checkout (merchant_id, checkout_id, checkout_uuid, handle, psp,
    return_url, base_url, currency, total_minor, expires_at, nonce, psps,
    key_windows)
SELECT m, 's1', gen_random_uuid(), m, 'stripe', 'u', 'u', 'USD', 1, now(), m,
    '{stripe}', '{1}'
FROM unnest('{a0,z9}'::text[]) m;
INSERT INTO pay.payment_order (merchant_id, payment_order_id, checkout_id,
    position, seller_account, amount_minor, currency, head, head_tx)
SELECT m, 's1', 's1', 1, 's', 1, 'USD', sha256(''), 1
FROM unnest('{a0,z9}'::text[]) m;
SELECT is((SELECT string_agg(x.merchant_id, ' ')
           FROM pay_view.explain(NULL, 's1') x), 'a0 m1 z9',
          'whoever''s it is');
SELECT is(x.explanation, pg_temp.explained('s1')::text, 'the same text')
FROM pay_view.explain('m1', 's1') x;
SELECT is_empty($$SELECT * FROM pay_view.explain('m2', 's1')$$,
                'another merchant has none');
SELECT is_empty($$SELECT * FROM pay_view.explain(NULL, 'no')$$, 'no order');
SELECT is(pg_temp.run_as(r, sql), state, r || ': ' || sql)
FROM (VALUES
    ('payments_auditor', 'SELECT * FROM pay_view.explain(NULL, ''s1'')', 'ok'),
    ('payments_operator', 'SELECT * FROM pay_view.explain(NULL, ''s1'')',
     'ok'),
    ('payments_gateway', 'SELECT * FROM pay_view.explain(NULL, ''s1'')',
     '42501'),
    ('payments_gateway',
     'SELECT * FROM pay_api.explain_payment(''{m1}'', ''{s1}'', ''{0}'')', 'ok'),
    ('payments_auditor',
     'SELECT * FROM pay_api.explain_payment(''{m1}'', ''{s1}'', ''{0}'')',
     '42501'),
    ('payments_gateway', 'SELECT pay.explain(''m1'', ''s1'', true, true)',
     '42501')
    ) t (r, sql, state);

-- a few look-ups, however many payments there are
SELECT pg_temp.many('x', 2000, true)
\g /dev/null
SELECT set_config(split_part(c, '=', 1), split_part(c, '=', 2), true)
FROM pg_db_role_setting s, unnest(s.setconfig) c
WHERE s.setrole = 'payments_gateway'::regrole AND s.setdatabase = 0
\g /dev/null
DISCARD PLANS;
CREATE FUNCTION pg_temp.reads() RETURNS numeric LANGUAGE sql AS $$
SELECT sum(coalesce(idx_tup_fetch, 0) + seq_tup_read)
FROM pg_stat_xact_user_tables WHERE schemaname = 'pay'
$$;
CREATE TEMPORARY TABLE before AS SELECT pg_temp.reads() AS n;
SELECT is(pg_temp.verdict('x1000'), 'gateway / register @1 / after @30',
          'one of many');
SELECT ok(pg_temp.reads() - n BETWEEN 5 AND 30,
          'it reads ' || pg_temp.reads() - n || ' rows') FROM before;

SELECT finish();
ROLLBACK;
