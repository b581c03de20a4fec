-- Calls to pay-out providers: claimed and journaled before a byte leaves, and
-- what follows from each end of a call.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir payout.psql
\ir payout_call.psql
SELECT no_plan();

SELECT pg_temp.provider(), pg_temp.account(p_who => 'sue'),
    pg_temp.limited()
\g /dev/null

-- who may claim
SELECT is(pg_temp.begin_call(p_provider => 'other'), 'not_found',
          'a provider that the merchant does not have');
SELECT is(pg_temp.begin_call(p_adapter => 'stripe'), 'mismatch',
          'an item is never sent by another adapter');
SELECT is(pg_temp.begin_call(p_facts => f::jsonb), 'invalid', f)
FROM unnest(ARRAY['{}', '[]', 'null', '{"window_s": [1]}',
    pg_temp.facts() || '{"moves": []}', pg_temp.facts() || '{"looks": -1}',
    pg_temp.facts() || '{"finds": false}',
    pg_temp.facts() || '{"window_s": ["x"]}']::text[]) f;
SELECT is(pg_temp.begin_call(), 'none', 'there is nothing to send');
SELECT pg_temp.ready()
\g /dev/null
SELECT is(pg_temp.begin_call(), 'none', 'nothing is sent unapproved');
SELECT pg_temp.batch(), pg_temp.approve()
\g /dev/null

-- the switch
SELECT is(pay_ops.stop_payout_provider('m1', 'bank', true, 'ann', 'odd'),
          'stopped', 'the switch');
SELECT is(pg_temp.begin_call(), 'none', 'stops sending');
SELECT is(pay_ops.stop_payout_provider('m1', 'bank', false, 'ann', 'ok'),
          'started', 'the switch');

-- a good item
SELECT is(pg_temp.begin_call(), 'due send 0', 'an item is claimed');
SELECT is(pg_temp.state(), 'sending', 'and is being sent');
SELECT is(pg_temp.journal(), 'send 0 open', 'as the journal says');
SELECT is(pg_temp.begin_call(), 'none', 'nobody else claims it');
SELECT is(pay_ops.set_payout_provider('m1', 'bank', a, '{iban}', '{USD}',
    NULL, 'ann', 'test'), o, a)
FROM (VALUES ('stripe', 'under_way'), ('generic', 'stored')) t (a, o);
SELECT ok((SELECT c.key = p.payout_key || '-1' AND c.amount_minor = 1000
               AND c.currency = 'USD' AND c.kind = 'iban'
               AND c.country = 'DE' AND c.details = 'opaque'
               AND c.key_id = 'k1' AND c.id0 IS NULL AND c.version = 1
           FROM pg_temp.called c, pay.payout p), 'its terms');
SELECT throws_ok(q, s, NULL, q) FROM (VALUES
    ('UPDATE pay.payout_dispatch SET key = ''x''', 'PAY20'),
    ('DELETE FROM pay.payout_dispatch', 'PAY20'),
    ('UPDATE pay.payout_sending SET made_at = now()', 'PAY11'),
    ('DELETE FROM pay.payout_sending', 'PAY20'),
    ('INSERT INTO pay.payout_dispatch (merchant_id, payout_id, number, call, '
     'step, key, owner) SELECT merchant_id, payout_id, 9, ''ask'', 0, key, '
     'owner FROM pay.payout_dispatch', '23505')) t (q, s);
SELECT is(pg_temp.end_call('done', p_ref => NULL, p_state => 'sending'),
          'invalid', 'it has a reference');
SELECT is(pg_temp.end_call('fine'), 'invalid', 'another word');
SELECT is(pg_temp.end_call('done', p_number => 7), 'not_found',
          'another call');
SELECT is(pg_temp.end_call('done', p_ref => 'po_1', p_state => 'sending'),
          'stored', 'the provider has it');
SELECT is(pg_temp.end_call('done', p_ref => 'po_1', p_state => 'sending'),
          'gone', 'once');
SELECT throws_ok('UPDATE pay.payout_dispatch SET code = ''x''', 'PAY20',
                 NULL, 'an end stays');
SELECT is(pg_temp.state(), 'sending po_1', 'nothing is proven');
SELECT is(pg_temp.begin_call(), 'none', 'it is not asked at once');
SELECT is(pg_temp.later('10 s'), 'ask', 'but later');
SELECT is(pg_temp.begin_call(), 'due ask 0 po_1', 'by its reference');
SELECT is(pg_temp.end_call('unknown'), 'stored', 'no answer');
SELECT is(pg_temp.state(), 'sending po_1', 'a question that fails says '
          'nothing');
SELECT pg_temp.later('1 hour')
\g /dev/null
SELECT is(pg_temp.begin_call(), 'due ask 0 po_1', 'again');
SELECT is(pg_temp.end_call('done', p_ref => 'po_1', p_state => 'paid'),
          'stored', 'it is paid');
SELECT is(pg_temp.state(), 'paid po_1', 'it is paid');
SELECT pg_temp.later('23 hours')
\g /dev/null
SELECT is(pg_temp.begin_call(), 'none', 'behind that');
SELECT pg_temp.later('2 hours')
\g /dev/null
SELECT is(pg_temp.begin_call(), 'due ask 0 po_1', 'it is asked once a day');
SELECT is(pg_temp.end_call('done', p_ref => 'po_1', p_state => 'failed'),
          'stored', 'since it may come back');
SELECT is(pg_temp.state(), 'returned po_1', 'as it does');
SELECT is(pg_temp.later('30 days'), 'ask', 'its end');
SELECT is(pg_temp.begin_call(), 'none', 'is not asked about');
SELECT pay_ops.settle_destination('m1', a.destination_id, 'open', 'ann', 'x')
FROM pay.payout_account a
\g /dev/null

-- nothing left us
SELECT is(pg_temp.send_next(), 'due send 0', 'the same lines again');
SELECT is(pg_temp.end_call('not_sent', 'http_429', p_retry => 60),
          'stored', 'the provider is busy');
SELECT is(pg_temp.state(), 'approved', 'the item waits');
SELECT pg_temp.later('59 s')
\g /dev/null
SELECT is(pg_temp.begin_call(), 'none', 'as long as the provider says');
SELECT pg_temp.later('2 s')
\g /dev/null
SELECT is(pay_ops.hold_payout('m1', pg_temp.item(), true, 'ann', 'odd'),
          'held', 'an operator holds it');
SELECT is(pg_temp.begin_call(), 'none', 'and it is not sent');
SELECT is(pay_ops.hold_payout('m1', pg_temp.item(), false, 'ann', 'ok'),
          'ready', 'no more');
SELECT pg_temp.batch(), pg_temp.approve()
\g /dev/null
SELECT is(pg_temp.begin_call(), 'due send 0', 'it is sent again');
SELECT is((SELECT c.key LIKE '%-2' FROM pg_temp.called c), true,
          'under the key that it had');

-- the provider refuses
SELECT is(pg_temp.end_call('refused', 'account_closed'), 'stored',
          'the provider refuses');
SELECT is(pg_temp.state(), 'failed', 'nothing was paid');
SELECT is((SELECT p.proof FROM pay.payout p WHERE p.payout_id =
           pg_temp.item()), 'refused', 'which is the proof');

-- unknown: the worker is gone
SELECT is(pg_temp.send_next(), 'due send 0', 'a worker begins');
SELECT pg_temp.later('29 s')
\g /dev/null
SELECT is(pg_temp.begin_call(), 'none', 'it has its lease');
SELECT pg_temp.later('2 s')
\g /dev/null
SELECT is(pg_temp.begin_call(), 'due send 0',
          'and is gone: the same call again');
SELECT is(pg_temp.journal(), 'send 0 unknown lost, send 0 open',
          'the first one is unknown');
SELECT is(pg_temp.state(), 'unknown', 'and so is the item');
SELECT is((SELECT count(DISTINCT d.key) FROM pay.payout_dispatch d
           WHERE d.payout_id = pg_temp.item()), 1::bigint, 'the same key');
SELECT is(pg_temp.end_call('refused', 'in_progress'), 'stored',
          'this copy is refused');
SELECT is(pg_temp.state(), 'unknown', 'which says nothing of the first');
SELECT is(pg_temp.later('1 hour'), 'send', 'inside the window');
SELECT is(pg_temp.begin_call(), 'due send 0', 'it is sent again');
SELECT is(pg_temp.end_call('not_sent', 'unauthorized'), 'stored', '401');
SELECT is(pg_temp.state(), 'unknown', 'nor does this');

-- the switch stops repeats, too
SELECT pay_ops.stop_payout_provider('m1', 'bank', true, 'ann', 'odd'),
    pg_temp.later('1 hour')
\g /dev/null
SELECT is(pg_temp.begin_call(), 'none', 'no repeat goes out');

-- the window is over: no time makes it payable
SELECT pg_temp.later('1 day')
\g /dev/null
SELECT is(pay_ops.stop_payout_provider('m1', 'bank', false, 'ann', 'ok'),
          'started', 'the switch');
SELECT throws_ok('INSERT INTO pay.payout_dispatch (merchant_id, payout_id, '
    'number, call, step, key, owner) SELECT merchant_id, payout_id, 99, '
    '''send'', 0, key, owner FROM pay.payout_dispatch WHERE payout_id = '
    'pg_temp.item() LIMIT 1', 'PAY10', NULL, 'by hand');
SELECT is(pg_temp.begin_call(), 'due find 0', 'it is looked for');
SELECT is(pg_temp.end_call('unknown', 'http_500'), 'stored',
          'the list cannot be had');
SELECT pg_temp.later('1 day')
\g /dev/null
SELECT is(pg_temp.begin_call(), 'due find 0', 'again');
SELECT is(pg_temp.end_call('unknown', 'more', p_next => 'c2'), 'stored',
          'a page of the list');
SELECT is(pg_temp.begin_call(), 'due find 0', 'the next one at once');
SELECT is((SELECT c.cursor FROM pg_temp.called c), 'c2', 'by its position');
SELECT is(pg_temp.end_call('not_sent', 'not_found'), 'stored', 'it is not '
          'there');
SELECT is(pg_temp.state(), 'unknown', 'one look-up is no proof');
SELECT pg_temp.later('59 min')
\g /dev/null
SELECT is(pg_temp.begin_call(), 'none', 'nor are two at once');
SELECT pg_temp.later('2 min')
\g /dev/null
SELECT is(pg_temp.begin_call(), 'due find 0', 'an hour later');
SELECT is(pg_temp.end_call('not_sent', 'unauthorized'), 'stored',
          'an answer that is no list');
SELECT is(pg_temp.state(), 'unknown', 'is no look-up');
SELECT pg_temp.later('2 hours')
\g /dev/null
SELECT is(pg_temp.begin_call(), 'due find 0', 'the second one');
SELECT is(pg_temp.end_call('not_sent', 'not_found'), 'stored', 'none again');
SELECT is(pg_temp.state(), 'failed', 'now it is proven');
SELECT is((SELECT concat_ws(' ', p.proof, p.voided_at IS NOT NULL)
           FROM pay.payout p WHERE p.payout_id = pg_temp.item()),
          'not_found t', 'by the list, and its key is void');
SELECT is(pg_temp.end_call('done', p_ref => 'po_9', p_state => 'paid',
                           p_number => 1), 'gone', 'the first worker is back');
SELECT is(pg_temp.state(), 'failed', 'with an answer that is too late');
SELECT is((SELECT count(*) FROM pay.payout_act a
           WHERE a.act = 'contradiction' AND a.subject_id = pg_temp.item()),
          1::bigint, 'an operator has it');

-- the list has it
SELECT is(pg_temp.send_next(), 'due send 0', 'the next attempt');
SELECT is(pg_temp.end_call('unknown', 'timeout'), 'stored', 'no answer');
SELECT pg_temp.later('2 days')
\g /dev/null
SELECT is(pg_temp.begin_call(), 'due find 0', 'it is looked for');
SELECT is(pg_temp.end_call('done', p_ref => 'po_4', p_state => 'sent',
                           p_amount => 999), 'stored', 'another amount');
SELECT is(pg_temp.state(), 'unknown', 'is a contradiction');
SELECT is(pg_temp.later('9 days'), 'ask', 'and an operator');
SELECT is(pg_temp.begin_call(), 'none', 'decides');

SET CONSTRAINTS ALL IMMEDIATE;
\i :checks

SELECT finish();
ROLLBACK;
