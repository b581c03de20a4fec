-- Messages of pay-out providers, in any order and before answers; providers
-- that take several calls; messages that are only a hint.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir payout.psql
\ir payout_call.psql
SELECT no_plan();

-- about the newest item, unless the key is given
CREATE FUNCTION pg_temp.event(
    p_id text, p_state text, p_ref text DEFAULT NULL,
    p_sequence bigint DEFAULT NULL, p_us bigint DEFAULT NULL,
    p_must_ask bigint DEFAULT 0, p_amount bigint DEFAULT NULL,
    p_has_key boolean DEFAULT true, p_key text DEFAULT NULL,
    p_provider text DEFAULT 'bank', p_parcel text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT e.outcome FROM pay.payout p, pay_api.tell_payout_event('{m1}',
    ARRAY[p_provider], ARRAY[p_id],
    ARRAY[coalesce(p_key, CASE WHEN p_has_key
                               THEN p.payout_key || '-' || p.attempt END)],
    ARRAY[p_ref], ARRAY[p_parcel], ARRAY[p_state], '{NULL}',
    ARRAY[p_amount],
    '{USD}', '{NULL}', ARRAY[p_us], ARRAY[p_sequence],
    ARRAY[p_must_ask]) e
WHERE p.payout_id = pg_temp.item()
$$;

SELECT pg_temp.provider(), pg_temp.account(p_who => 'sue'),
    pg_temp.limited(),
    pg_temp.ready()
\g /dev/null

-- the message is quicker than the answer
SELECT is(pg_temp.send_next(), 'due send 0', 'an item is sent');
SELECT is(pg_temp.event('e1', 'paid', 'po_1', p_key => repeat('0', 32)
          || '-1'), 'waiting', 'a message about another item');
SELECT is(pg_temp.event('e1', 'paid', 'po_1'), 'duplicate', 'counts once');
SELECT is(pg_temp.event('e2', 'paid', 'po_1', p_provider => 'other'),
          'waiting', 'another provider''s message');
SELECT is(pg_temp.event('e3', 'gone', 'po_1'), 'invalid', 'another word');
SELECT is(pg_temp.event('e4', 'sent', 'po_1', 2), 'applied', 'it is sent');
SELECT is(pg_temp.state(), 'sent po_1', 'the item is');
SELECT is(pg_temp.event('e4', 'sent', 'po_1', 2), 'duplicate', 'once');
SELECT is(pg_temp.event('e5', 'sending', 'po_1', 1), 'behind',
          'an earlier message');
SELECT is(pg_temp.event('e6', 'sent', 'po_2', 3), 'contradiction',
          'another payment');
SELECT is(pg_temp.event('e7', 'paid', 'po_1', 4, p_amount => 999),
          'contradiction', 'another amount');
SELECT is(pg_temp.end_call('unknown', 'timeout'), 'stored',
          'the answer is lost');
SELECT is(pg_temp.state(), 'sent po_1', 'which says nothing any more');
SELECT is(pg_temp.begin_call(), 'due ask 0 po_1',
          'and nothing is sent again');
SELECT is(pg_temp.end_call('done', p_ref => 'po_1', p_state => 'paid'),
          'stored', 'it is paid');
SELECT is(pg_temp.event('e8', 'failed', 'po_1', 9), 'applied',
          'and comes back');
SELECT is(pg_temp.state(), 'returned po_1', 'it is returned');
SELECT is(pg_temp.event('e9', 'paid', 'po_1', 10), 'unchanged',
          'nothing brings it back to life');
SELECT pay_ops.settle_destination('m1', a.destination_id, 'open', 'ann', 'x')
FROM pay.payout_account a
\g /dev/null

-- the worker dies, and the message comes: nothing is sent again
SELECT is(pg_temp.send_next(), 'due send 0', 'another attempt');
SELECT is(pg_temp.event('f1', 'paid', 'po_3'), 'applied', 'it is paid');
SELECT pg_temp.later('40 s')
\g /dev/null
SELECT is(pg_temp.begin_call(), 'due ask 0 po_3', 'a lost call is not '
          'repeated');
SELECT is(pg_temp.end_call('done', p_ref => 'po_3', p_state => 'paid'),
          'stored', 'it is paid');

-- a hint, and the reference alone
SELECT pg_temp.ready()
\g /dev/null
SELECT is(pg_temp.send_next(), 'due send 0', 'an item is sent');
SELECT is(pg_temp.event('g1', 'paid', 'po_5', p_has_key => false), 'waiting',
          'a reference that nobody knows yet');
SELECT is(pg_temp.end_call('done', p_ref => 'po_5', p_state => 'sending'),
          'stored', 'the answer brings it');
SELECT is(pg_temp.begin_call(), 'due ask 0 po_5', 'so the provider is asked');
SELECT is(pg_temp.end_call('done', p_ref => 'po_5', p_state => 'sending'),
          'stored', 'it is under way');
SELECT is(pg_temp.event('g2', 'paid', 'po_5', p_must_ask => 1), 'ask',
          'a hint');
SELECT is(pg_temp.state(), 'sending po_5', 'moves nothing');
SELECT is(pg_temp.begin_call(), 'due ask 0 po_5', 'the provider is asked');
SELECT is(pg_temp.end_call('done', p_ref => 'po_5', p_state => 'failed'),
          'stored', 'and says that it has failed');
SELECT is(pg_temp.state(), 'failed po_5', 'which is a proof');

-- a batch: it is asked about by its own id, whatever came first
SELECT pg_temp.ready()
\g /dev/null
SELECT is(pg_temp.send_next(), 'due send 0', 'a batch is sent');
SELECT is(pg_temp.event('i1', 'unknown', p_has_key => false,
                        p_parcel => 'batch_1'), 'waiting',
          'a message about the batch');
SELECT is(pg_temp.event('i2', 'paid', 'item_1', p_must_ask => 1,
                        p_parcel => 'batch_1'), 'ask',
          'a hint about its payment');
SELECT is(pg_temp.end_call('unknown', 'timeout'), 'stored',
          'the answer is lost');
SELECT is(pg_temp.begin_call(), 'due ask 0 batch_1', 'the batch is asked');
SELECT is(pg_temp.end_call('done', p_ref => 'batch_1', p_state => 'paid'),
          'stored', 'it is paid');
SELECT is((SELECT e.outcome::text FROM pay.payout_event e
           WHERE e.event_id = 'i1'), 'ask',
          'no message about the batch waits any more');
SELECT is(pg_temp.begin_call(), 'due ask 0 batch_1', 'it is asked for that');
SELECT is(pg_temp.end_call('done', p_ref => 'batch_1', p_state => 'paid'),
          'stored', 'and stays paid');

-- two calls that move money: a failure of the second takes the first one back
SELECT pay_ops.set_payout_provider('m1', 'bank', 'stripe', '{iban}', '{USD}',
    NULL, 'ann', 'test')
\g /dev/null
CREATE FUNCTION pg_temp.next() RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.begin_call(p_adapter => 'stripe', p_facts => pg_temp.facts()
    || '{"window_s": [86400, 86400], "moves": [true, true],
         "takes_back": true}')
$$;
SELECT pg_temp.ready(), pg_temp.batch(), pg_temp.approve()
\g /dev/null
SELECT is(pg_temp.next(), 'due send 0', 'the transfer');
SELECT is(pg_temp.end_call('done', p_ref => 'tr_1', p_state => 'sent'),
          'stored', 'is made');
SELECT is(pg_temp.state(), 'sending', 'the seller has nothing yet');
SELECT is(pg_temp.next(), 'due send 1 tr_1', 'the payout');
SELECT throws_ok('INSERT INTO pay.payout_dispatch (merchant_id, payout_id, '
    'number, call, step, key, owner, outcome, ended_at) SELECT merchant_id, '
    'payout_id, 9, ''send'', 0, key, owner, ''done'', now() '
    'FROM pay.payout_dispatch WHERE payout_id = pg_temp.item() LIMIT 1',
    'PAY10', NULL, 'no step is sent twice');
SELECT is(pg_temp.end_call('refused', 'payouts_not_allowed'), 'stored',
          'is refused');
SELECT is(pg_temp.state(), 'sending', 'the money is at the provider');
SELECT is(pg_temp.next(), 'due cancel 0 tr_1', 'it is taken back');
SELECT is(pg_temp.event('h1', 'returned', 'trr_1'), 'ask',
          'a message about that decides nothing');
SELECT is(pg_temp.end_call('done', p_ref => 'trr_1', p_state => 'returned'),
          'stored', 'it is back');
SELECT is(pg_temp.state(), 'failed', 'now the item has failed');

-- old messages without effect go, and the others are evidence
UPDATE pay.payout_event SET at = at - interval '91 days'
WHERE event_id <> 'h1';
CREATE TEMP TABLE effects AS SELECT e.event_id FROM pay.payout_event e
WHERE e.outcome IN ('applied', 'contradiction');
SELECT cmp_ok((SELECT count(*) FROM effects), '>', 3::bigint, 'evidence');
SELECT cmp_ok((pay.purge(2)).ignored_webhooks, '=', 2::bigint, 'a piece');
SELECT cmp_ok((pay.purge()).ignored_webhooks, '>', 0::bigint, 'the rest');
SELECT is((pay.purge()).ignored_webhooks, 0::bigint, 'until none is left');
SELECT bag_eq('SELECT event_id FROM pay.payout_event',
              $$SELECT event_id FROM effects UNION SELECT 'h1'$$,
              'a young one stays, and what had an effect');

SET CONSTRAINTS ALL IMMEDIATE;
\i :checks

SELECT finish();
ROLLBACK;
