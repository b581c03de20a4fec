-- A kept body that is read again: who may ask for it, which worker does it, and
-- that nothing is applied twice.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.keep(p_body text, p_left_out text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT k.outcome FROM pay_api.keep_webhook('{stripe}',
    ARRAY[sha256(p_body::bytea)],
    ARRAY[CASE WHEN p_left_out IS NULL THEN p_body::bytea END],
    ARRAY[octet_length(p_body)], ARRAY[p_left_out], '{30}',
    ARRAY['m-' || p_body]) k
$$;
-- a webhook as a version of the gateway left it that read nothing in it
CREATE FUNCTION pg_temp.unread(p_event text, p_body text)
RETURNS text LANGUAGE sql AS $$
SELECT e.outcome FROM pay_api.apply_event('{stripe}', '{webhook}',
    ARRAY[p_event], '{psp.new}', '{none}', '{NULL}', '{NULL}', '{NULL}',
    '{NULL}', '{NULL}', ARRAY[sha256(p_body::bytea)], '{request-1}') e
$$;
CREATE FUNCTION pg_temp.wants(
    p_event text, p_who text DEFAULT 'ann', p_why text DEFAULT 'because')
RETURNS text LANGUAGE sql AS
'SELECT pay_ops.replay_webhook(''stripe'', p_event, p_who, p_why)';
CREATE FUNCTION pg_temp.claims(
    p_owner text DEFAULT 'w1', p_lease_ms bigint DEFAULT 60000)
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', c.outcome, c.psp, c.event_id, c.message_id,
                 convert_from(c.body, 'UTF8'))
FROM pay_api.claim_replay(ARRAY[p_owner], ARRAY[p_lease_ms]) c
$$;
CREATE FUNCTION pg_temp.ends(
    p_event text, p_failure text DEFAULT NULL,
    p_owner text DEFAULT 'w1', p_events bigint DEFAULT 1)
RETURNS text LANGUAGE sql AS $$
SELECT e.outcome FROM pay_api.end_replay(ARRAY[(
    SELECT max(r.replay_id) FROM pay.webhook_replay r
    WHERE r.event_id = p_event)], ARRAY[p_owner], ARRAY[p_failure],
    ARRAY[p_events]) e
$$;
-- as a worker names its request
CREATE FUNCTION pg_temp.request(p_body text) RETURNS text LANGUAGE sql AS $$
SELECT 'replay-' || coalesce(max(r.replay_id), 0) FROM pay.webhook_replay r
WHERE r.digest = sha256(p_body::bytea)
$$;
-- what the adapter reads in the body today
CREATE FUNCTION pg_temp.says(
    p_event text, p_body text, p_fact text, p_token text,
    p_amount bigint DEFAULT 100)
RETURNS text LANGUAGE sql AS $$
SELECT e.outcome FROM pay_api.apply_event('{stripe}', '{replay}',
    ARRAY[p_event], '{psp.new}', ARRAY[p_fact], ARRAY[p_token], '{NULL}',
    '{NULL}', ARRAY[p_amount], '{USD}', ARRAY[sha256(p_body::bytea)],
    ARRAY[pg_temp.request(p_body)]) e
$$;
CREATE FUNCTION pg_temp.says_refund(
    p_event text, p_body text, p_object text, p_token text)
RETURNS text LANGUAGE sql AS $$
SELECT e.outcome FROM pay_api.apply_change('{stripe}', '{replay}',
    ARRAY[p_event], '{psp.new}', '{refund}', '{succeeded}', ARRAY[p_token],
    '{NULL}', ARRAY[p_object], '{-}', '{100}', '{USD}', '{NULL}', '{NULL}',
    '{NULL}', ARRAY[sha256(p_body::bytea)],
    ARRAY[pg_temp.request(p_body)]) e
$$;
CREATE FUNCTION pg_temp.inbox(p_event text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', i.state, i.via, i.fact) FROM pay.webhook_inbox i
WHERE i.psp = 'stripe' AND i.event_id = p_event
$$;
CREATE FUNCTION pg_temp.asked(p_event text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', r.state, r.outcome, r.events, r.applied,
    r.asked_by, r.why), ', ' ORDER BY r.replay_id)
FROM pay_view.webhook_replays r WHERE r.event_id = p_event
$$;

SELECT b.outcome FROM generate_series(1, 4) n,
    pg_temp.begin('acme', 'k' || n, 'c' || n, ARRAY['o' || n || ':100']) b
\g /dev/null
SELECT pg_temp.token('acme', 'c' || n, 't' || n) FROM generate_series(1, 4) n
\g /dev/null
SELECT is(pg_temp.unread('e' || n, 'b' || n), 'ignored', 'nothing is read')
FROM generate_series(1, 7) n;
SELECT is(pg_temp.keep('b' || n), 'kept', 'a body')
FROM unnest('{1,2,3,6,7}'::int[]) n;
SELECT is(pg_temp.keep('b4', 'card_number'), 'kept', 'one with a card number');

-- who may ask, and for what
SELECT is(outcome, said, said || ' ' || n)
FROM (VALUES
    (1, pg_temp.wants('e0'), 'not_found'),
    (2, pg_temp.wants('e5'), 'not_kept'),
    (3, pg_temp.wants('e4'), 'card_number'),
    (4, pg_temp.wants('e1', ' '), 'invalid'),
    (5, pg_temp.wants('e1', repeat('x', 201)), 'invalid'),
    (6, pg_temp.wants('e1', NULL), 'invalid'),
    (7, pg_temp.wants('e1', 'ann', ''), 'invalid')) v (n, outcome, said);
SELECT is(pg_temp.claims(), 'none', 'nothing is wanted');
SELECT is(pg_temp.says('e1', 'b1', 'paid', 't1'), 'duplicate',
          'nothing gives way that no operator wants read again');
SELECT is(pg_temp.status('acme', 'o1'), 'EXECUTING', 'nor is it applied');

-- an effect that was missed
SELECT is(pg_temp.wants('e1'), 'requested', 'a request');
SELECT is(pg_temp.wants('e1'), 'open', 'one at a time');
SELECT is(pg_temp.claims(), 'due stripe e1 m-b1 b1', 'with its body');
SELECT is(pg_temp.claims('w2'), 'none', 'one worker at a time');
SELECT is(pg_temp.says('e1', 'b1', 'none', NULL, NULL), 'duplicate',
          'what says nothing replaces nothing');
SELECT is(pg_temp.inbox('e1'), 'ignored webhook none', 'it stays');
SELECT is(pg_temp.says('e1', 'b1', 'paid', 't1'), 'applied', 'it is applied');
SELECT is(concat_ws(' / ', pg_temp.inbox('e1'),
                    pg_temp.status('acme', 'o1')),
          'applied replay paid / SUCCESS', 'as a webhook is');
SELECT is(concat_ws(' ', e.actor, e.request_id, e.detail ->> 'via'),
          'webhook ' || pg_temp.request('b1') || ' replay',
          'the timeline says how it came')
FROM pay.event e WHERE e.payment_order_id = 'o1' AND e.kind = 'paid';
SELECT is(pg_temp.says('e1', 'b1', 'paid', 't1'), 'duplicate', 'once');
SELECT is(pg_temp.ends('e1', p_owner => 'w2'), 'gone', 'another''s end');
SELECT is(pg_temp.ends('e1'), 'stored', 'the end');
SELECT is(pg_temp.ends('e1'), 'gone', 'twice');
SELECT is(pg_temp.asked('e1'), 'done applied 1 1 ann because', 'who and why');
SELECT is(r.replaced -> 0 ->> 'state' || ' ' || (r.replaced -> 0 ->> 'fact')
              || ' ' || (r.replaced -> 0 ->> 'event_id')
              || ' ' || jsonb_array_length(r.replaced),
          'ignored none e1 1', 'what was there before is kept')
FROM pay.webhook_replay r WHERE r.event_id = 'e1';
SELECT is(r.replaced -> 0 ->> 'digest', '\x' || encode(r.digest, 'hex'),
          'with the digest of its bytes')
FROM pay.webhook_replay r WHERE r.event_id = 'e1';

-- again: nothing changes
CREATE FUNCTION pg_temp.books() RETURNS text LANGUAGE sql AS $$
SELECT md5(concat_ws(' ', (SELECT count(*) FROM pay.event),
    (SELECT count(*) FROM pay.journal_line),
    (SELECT string_agg(o::text, ' ' ORDER BY o.payment_order_id)
     FROM pay.payment_order o),
    (SELECT string_agg(w::text, ' ' ORDER BY w.event_id)
     FROM pay.webhook_inbox w)))
$$;
SELECT pg_temp.books() AS books \gset
SELECT is(pg_temp.wants('e1'), 'requested', 'again');
SELECT is(pg_temp.claims(), 'due stripe e1 m-b1 b1', 'claimed');
SELECT is(pg_temp.says('e1', 'b1', 'paid', 't1'), 'duplicate', 'nothing new');
SELECT is(pg_temp.ends('e1'), 'stored', 'ended');
SELECT is(pg_temp.books(), :'books', 'nothing has changed');
SELECT is(pg_temp.asked('e1'), 'done applied 1 1 ann because, '
          'done duplicate 1 0 ann because', 'but that is recorded');

-- what follows a sale
SELECT is(pg_temp.fact('t2', 'paid', p_amount => 100, p_currency => 'USD'),
          'applied', 'a sale');
SELECT is(pg_temp.wants('e2'), 'requested', 'a refund that was not read');
SELECT is(pg_temp.claims(), 'due stripe e2 m-b2 b2', 'claimed');
SELECT is(pg_temp.says_refund('e2', 'b2', 're-2', 't2'), 'applied',
          'is booked');
SELECT is(pg_temp.inbox('e2'), 'applied replay refund.succeeded', 'as such');
SELECT is(pg_temp.says_refund('e2', 'b2', 're-2', 't2'), 'duplicate', 'once');
SELECT is(sum(o.refunded_minor), 100::numeric, 'all of it')
FROM pay.payment_order o WHERE o.payment_order_id = 'o2';
SELECT is((SELECT e.detail ->> 'via' FROM pay.event e
           WHERE e.payment_order_id = 'o2' AND e.kind = 'refunded'),
          'replay', 'and told');
SELECT is(pg_temp.ends('e2'), 'stored', 'ended');

-- what waits for its checkout waits as a webhook's does
SELECT is(pg_temp.wants('e3'), 'requested', 'one of another system');
SELECT is(pg_temp.claims(), 'due stripe e3 m-b3 b3', 'claimed');
SELECT is(pg_temp.says('e3', 'b3', 'paid', 't-late'), 'parked', 'it waits');
SELECT is(pg_temp.ends('e3'), 'stored', 'ended');
SELECT is(b.outcome, 'created', 'a checkout')
FROM pg_temp.begin('acme', 'k9', 'c9', ARRAY['o9:100']) b;
SELECT is(pg_temp.token('acme', 'c9', 't-late'), 'stored', 'that has it');
SELECT is(pg_temp.status('acme', 'o9'), 'SUCCESS', 'is paid');

-- a worker that died, and one after the other
SELECT is(pg_temp.wants('e6'), 'requested', 'a request');
CREATE FUNCTION pg_temp.dies() RETURNS void LANGUAGE sql AS
'UPDATE pay.webhook_replay SET lease_until = now() WHERE state = ''open''';
SELECT is(pg_temp.claims('w1') || coalesce(pg_temp.dies()::text, ''),
          'due stripe e6 m-b6 b6', 'claim ' || n)
FROM generate_series(1, 5) n;
SELECT is(pg_temp.claims(), 'none', 'not a sixth time');
SELECT is(pg_temp.asked('e6'), 'failed gave_up ann because', 'it is given up');

-- a body that goes meanwhile
SELECT is(pg_temp.wants('e7'), 'requested', 'a request');
UPDATE pay.webhook_replay SET claims = 4 WHERE state = 'open';
DELETE FROM pay.webhook_body WHERE digest = sha256('b7');
SELECT is(pg_temp.claims(), 'none', 'no body');
SELECT is(pg_temp.asked('e7'), 'failed body_gone ann because', 'told');

-- a worker that died between an effect and the end: its successor hears
-- nothing but "duplicate", and yet the request has had an effect
SELECT is(pg_temp.unread('e8', 'b8'), 'ignored', 'nothing is read');
SELECT is(pg_temp.keep('b8'), 'kept', 'a body');
SELECT is(pg_temp.wants('e8'), 'requested', 'a request');
SELECT is(pg_temp.claims(), 'due stripe e8 m-b8 b8', 'claimed');
SELECT is(pg_temp.says('e8', 'b8', 'paid', 't4'), 'applied', 'applied');
SELECT pg_temp.dies()
\g /dev/null
SELECT is(pg_temp.claims('w2'), 'due stripe e8 m-b8 b8', 'claimed again');
SELECT is(pg_temp.says('e8', 'b8', 'paid', 't4'), 'duplicate', 'all is done');
SELECT is(pg_temp.ends('e8', p_owner => 'w2'), 'stored', 'the end');
SELECT is(pg_temp.asked('e8'), 'done applied 1 1 ann because',
          'what it has brought is kept');
-- refused: the row that was there stays, and says nothing of it
SELECT is(pg_temp.wants('e8'), 'requested', 'again');
SELECT is(pg_temp.claims(), 'due stripe e8 m-b8 b8', 'claimed');
SELECT is(pg_temp.says('e8', 'b8', 'paid', 't4', -1), 'invalid', 'refused');
SELECT is(pg_temp.ends('e8', 'invalid'), 'stored', 'the end');
SELECT is(split_part(pg_temp.asked('e8'), ', ', 2),
          'failed invalid 1 0 ann because', 'nothing came of it');

-- the same bytes in two messages, with no ids of their events in them
SELECT is(pg_temp.unread(m, 'b9'), 'ignored', 'nothing is read')
FROM unnest('{msg-1,msg-2,msg-2:fee}'::text[]) m;
SELECT is((SELECT k.outcome FROM pay_api.keep_webhook('{stripe}',
    ARRAY[sha256('b9')], '{b9}', '{2}', '{NULL}', '{30}', ARRAY[m]) k),
    'kept', m)
FROM unnest('{msg-1,msg-2,msg-2}'::text[]) m;
SELECT is(pg_temp.wants(m), 'requested', 'a request')
    || E'\n' || is(pg_temp.claims(), format('due stripe %s %s b9', m, i),
                   m || ' is read as its own message')
    || E'\n' || is(pg_temp.ends(m), 'stored', 'ended')
FROM (VALUES ('msg-1', 'msg-1'), ('msg-2', 'msg-2'), ('msg-2:fee', 'msg-2'))
    v (m, i);
SELECT is(pg_temp.wants('msg-1'), 'requested', 'once more');
SELECT is((SELECT string_agg(k.outcome, ' ') FROM pay_api.keep_webhook(
    array_fill('stripe'::text, '{20}'), array_fill(sha256('b9'), '{20}'),
    array_fill('b9'::bytea, '{20}'), array_fill(2::bigint, '{20}'),
    array_fill(NULL::text, '{20}'), array_fill(30::bigint, '{20}'),
    ARRAY(SELECT 'msg-' || n FROM generate_series(1, 20) n)) k),
    repeat('kept ', 19) || 'kept', 'twenty messages in one batch');
SELECT is(cardinality(b.message_ids), 16, 'no more than sixteen are kept')
FROM pay.webhook_body b WHERE b.digest = sha256('b9');
SELECT is(pg_temp.claims(), 'due stripe msg-1 msg-1 b9', 'the first among them');
SELECT is(pg_temp.ends('msg-1'), 'stored', 'ended');

-- words of a failure
SELECT is(pg_temp.wants('e6'), 'requested', 'a request');
SELECT is(pg_temp.claims(), 'due stripe e6 m-b6 b6', 'claimed');
SELECT is(pg_temp.ends('e6', o, 'w1', e), 'invalid', w)
FROM (VALUES ('A', 1, 'no word'), ('applied', 1, 'no failure'),
             (NULL, NULL, 'no number'), (NULL, -1, 'less than none'),
             (NULL, 10001, 'more than there can be'))
    v (o, e, w);
SELECT is(pg_temp.ends('e6', 'unreadable', p_events => 0),
          'stored', 'unreadable');
SELECT is(split_part(pg_temp.asked('e6'), ', ', 2),
          'failed unreadable 0 0 ann because', 'is a failure');
SELECT is(string_agg(c.outcome, ' ' ORDER BY c.item),
          'invalid invalid invalid none', 'bad claims beside good ones')
FROM pay_api.claim_replay('{NULL,"",w,w}', '{1,1,0,1}') c;

-- who may do what
SELECT is(pg_temp.run_as(r, sql), s, r || ' ' || sql)
FROM (VALUES
    ('payments_gateway', 'SELECT * FROM pay_api.claim_replay(''{}'', ''{}'')',
     'ok'),
    ('payments_gateway', 'SELECT * FROM pay_api.end_replay(''{}'', ''{}'',
        ''{}'', ''{}'')', 'ok'),
    ('payments_gateway', 'SELECT pay_ops.replay_webhook(''a'', ''b'', ''c'',
        ''d'')', '42501'),
    ('payments_auditor', 'SELECT pay_ops.replay_webhook(''a'', ''b'', ''c'',
        ''d'')', '42501'),
    ('payments_auditor', 'SELECT * FROM pay_view.webhook_replays', 'ok'),
    ('payments_auditor', 'SELECT pay_api.claim_replay(''{}'', ''{}'')',
     '42501'),
    ('payments_operator', 'SELECT pay_ops.replay_webhook(''a'', ''b'', ''c'',
        ''d'')', 'ok'),
    ('payments_operator', 'DELETE FROM pay.webhook_replay', '42501')
    ) v (r, sql, s);

\i :checks
SELECT finish();
ROLLBACK;
