-- Files for a bank: items are claimed into one file at a time, a file that may
-- have been seen keeps its items, and the bank's answers end them.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir payout.psql
\ir payout_call.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.begin_file(
    p_most int DEFAULT 100, p_iban text DEFAULT 'NL91ABNA0417164300',
    p_adapter text DEFAULT 'pain001', p_provider text DEFAULT 'bank')
RETURNS text LANGUAGE sql AS $$
SELECT b.outcome FROM pay_ops.begin_payout_file('m1', p_provider, p_adapter,
    '{"window_s": [0], "moves": [true], "looks": 0, "gap_s": 0,
      "asks": false, "finds": false, "takes_back": false,
      "return_s": 5184000}', p_most, p_iban, NULL, 'here', 'cron') b
$$;

-- the newest file
CREATE FUNCTION pg_temp.file() RETURNS text LANGUAGE sql AS $$
SELECT f.msg_id FROM pay.payout_file f ORDER BY f.made_at DESC LIMIT 1
$$;
CREATE FUNCTION pg_temp.files() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', f.state, f.item_count, f.total_minor), ', '
                  ORDER BY f.made_at)
FROM pay.payout_file f
$$;

-- without those that are left out; p_total NULL: that of the others
CREATE FUNCTION pg_temp.fix(
    p_left text[] DEFAULT '{}', p_total bigint DEFAULT NULL,
    p_code text DEFAULT 'key_missing')
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.fix_payout_file('m1', 'bank', pg_temp.file(), p_left,
    array_fill(p_code, ARRAY[cardinality(p_left)]),
    count(*)::int, coalesce(p_total, sum(p.amount_minor), 0)::bigint,
    sha256('x'))
FROM pay.payout_file_item i
JOIN pay.payout p ON p.payout_id = i.payout_id
WHERE i.msg_id = pg_temp.file() AND i.payout_id <> ALL (p_left)
$$;
CREATE FUNCTION pg_temp.end_file(p_how text) RETURNS text LANGUAGE sql AS
'SELECT pay_ops.end_payout_file(''m1'', ''bank'', pg_temp.file(), p_how)';

CREATE FUNCTION pg_temp.key() RETURNS text LANGUAGE sql AS $$
SELECT p.payout_key || '-' || p.attempt FROM pay.payout p
WHERE p.payout_id = pg_temp.item()
$$;
CREATE FUNCTION pg_temp.report(
    p_id text, p_state text, p_amount bigint DEFAULT NULL,
    p_us bigint DEFAULT NULL, p_key text DEFAULT pg_temp.key(),
    p_end text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.take_payout_report('m1', 'bank', p_id, p_key, NULL, p_state,
                                  'ac04', p_amount, 'EUR', p_end, p_us)
$$;
CREATE FUNCTION pg_temp.entries() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(e.kind::text, ' ' ORDER BY e.at) FROM pay.journal_entry e
WHERE e.source = 'pay-out/' || pg_temp.item()
$$;

-- an item of 10.00 euros, approved
CREATE FUNCTION pg_temp.approved() RETURNS text LANGUAGE sql AS $$
SELECT b.outcome FROM nextval('pg_temp.number') n (n),
    pg_temp.begin('m1', 'k-c' || n.n, 'c' || n.n, ARRAY['o' || n.n || ':1000'],
        p_currency => 'EUR',
        p_terms => '{"capture": "automatic"}') b;
SELECT pg_temp.token('m1', 'c' || n.n, 't-c' || n.n),
    pg_temp.fact('t-c' || n.n, 'paid', p_reference => 'pi-c' || n.n),
    pg_temp.release('o' || n.n)
FROM currval('pg_temp.number') n (n);
SELECT pg_temp.pay(p_currency => 'EUR');
SELECT pg_temp.batch(p_currency => 'EUR');
SELECT pg_temp.approve()
$$;

SELECT pay_ops.set_payout_provider('m1', 'bank', 'pain001', '{iban}', '{EUR}',
        NULL, 'ann', 'test'),
    pg_temp.account(p_who => 'sue', p_currency => 'EUR'),
    pg_temp.limited()
\g /dev/null

-- who may begin
SELECT is(pg_temp.begin_file(p_provider => 'other'), 'not_found',
          'a provider that the merchant does not have');
SELECT is(pg_temp.begin_file(p_adapter => 'generic'), 'mismatch',
          'an item is never sent by another adapter');
SELECT is(pg_temp.begin_file(p_iban => 'NL91ABNA0417164301'), 'invalid',
          'our account has a wrong digit');
SELECT is(pg_temp.begin_file(p_most => 0), 'invalid', 'no items');
SELECT is(pg_temp.begin_file(), 'none', 'nothing is approved');
SELECT pg_temp.approved()
\g /dev/null
SELECT pay_ops.stop_payout_provider('m1', 'bank', true, 'ann', 'x')
\g /dev/null
SELECT is(pg_temp.begin_file(), 'stopped', 'the provider is stopped');
SELECT pay_ops.stop_payout_provider('m1', 'bank', false, 'ann', 'x')
\g /dev/null
SELECT is(pay_ops.begin_recovery(now(), 'ann'), 'begun', 'behind a restore');
SELECT is(pg_temp.begin_file(), 'stopped', 'nobody knows what was sent');
SELECT is(pay_ops.end_recovery('ann', 'a test'), 'ended', 'it is compared');

-- a file that was never seen
SELECT is(pg_temp.begin_file(), 'claimed', 'an item is claimed');
SELECT is(pg_temp.state(), 'sending', 'it is being sent');
SELECT is(pg_temp.journal(), 'send 0 open', 'its call is in the journal');
SELECT is(pg_temp.begin_file(), 'open', 'one file at a time');
SELECT throws_ok('SELECT pg_temp.fix(p_total => 999)', 'PAY11', NULL,
                 'a file of another sum is not fixed');
SELECT is(pg_temp.end_file('written'), 'gone',
          'a file without bytes is not written');
SELECT is(pg_temp.end_file('dropped'), 'dropped', 'it is dropped');
SELECT is(pg_temp.state(), 'approved', 'its item is approved again');
SELECT is(pg_temp.journal(), 'send 0 not_sent file_dropped',
          'as nothing was sent');
SELECT is(pg_temp.fix(), 'gone', 'a dropped file is not fixed any more');
SELECT is(pg_temp.files(), 'dropped 0 0', 'it stays dropped');

-- the stop switch between the claim and the file
SELECT is(pg_temp.begin_file(), 'claimed', 'the item is claimed at once');
SELECT pay_ops.stop_payout_provider('m1', 'bank', true, 'ann', 'x')
\g /dev/null
SELECT is(pg_temp.fix(), 'stopped', 'the file is not made');
SELECT is(pg_temp.state(), 'approved', 'its item is approved');
SELECT pay_ops.stop_payout_provider('m1', 'bank', false, 'ann', 'x')
\g /dev/null
SELECT is(pg_temp.begin_file(), 'claimed', 'the item is claimed once more');
SELECT pay_ops.begin_recovery(now() - interval '1 hour', 'ann')
\g /dev/null
SELECT is(pg_temp.fix(), 'stopped', 'nor is it behind a restore');
SELECT pay_ops.end_recovery('ann', 'a test')
\g /dev/null
SELECT pay_ops.stop_payout_provider('m1', 'bank', false, 'ann', 'x')
\g /dev/null

-- an account that cannot be opened
SELECT is(pg_temp.begin_file(), 'claimed', 'the item is claimed again');
SELECT is(pg_temp.fix(ARRAY[pg_temp.item()]), 'empty', 'nothing can be paid');
SELECT is(pg_temp.journal(), 'send 0 not_sent file_dropped, send 0 not_sent '
          'stopped, send 0 not_sent stopped, send 0 not_sent key_missing', 'the journal says why');
SELECT is(pg_temp.begin_file(), 'none', 'and not at once again');
SELECT pg_temp.later('11 min')
\g /dev/null

-- written, acknowledged, settled, returned
SELECT is(pg_temp.begin_file(), 'claimed', 'it is claimed later');
SELECT isnt(pg_temp.file(), f.msg_id, 'under another MsgId')
FROM pay.payout_file f WHERE f.state = 'dropped';
SELECT is(pg_temp.report('r0', 'sent'), 'not_found',
          'a bank cannot have a file without bytes');
SELECT is(pg_temp.fix(), 'fixed', 'its bytes are fixed');
SELECT throws_ok($$UPDATE pay.payout_file SET sha256 = sha256('y')$$, 'PAY11',
                 NULL, 'and do not change');
SELECT throws_ok('UPDATE pay.payout_file_item SET key = ''x''', 'PAY11', NULL,
                 'nor do its items');
SELECT is(pg_temp.end_file('written'), 'written', 'it is written');
SELECT is(pg_temp.end_file('dropped'), 'gone', 'and is not dropped any more');
SELECT is(pg_temp.state(), 'sending ' || pg_temp.key(),
          'the item is on its way');
SELECT is(pg_temp.begin_file(), 'none', 'it goes into no other file');
SELECT is(pg_temp.entries(), 'payout_reserved', 'nothing has left yet');
SELECT is(pg_temp.report('r1', 'sending', p_us => 2000000), 'unchanged',
          'the bank has it');
SELECT is(pg_temp.report('r1', 'sending'), 'duplicate', 'and says so once');
SELECT is(pg_temp.report('r2', 'failed', p_us => 1000000), 'behind',
          'an older report');
SELECT is(pg_temp.report('r3', 'sent', 999, 3000000), 'contradiction',
          'another amount');
SELECT is(pg_temp.state(), 'unknown ' || pg_temp.key(), 'nobody knows');
SELECT is(pg_temp.report('r4', 'sent', 1000, 3000000, p_end => '1111'),
          'contradiction', 'another account');
SELECT is(pg_temp.report('r5', 'settled', 1000), 'applied',
          'a statement has it');
SELECT is(pg_temp.entries(), 'payout_reserved payout_sent',
          'the money has left');
SELECT is(pg_temp.report('r6', 'settled', 1000), 'contradiction',
          'a second debit');
SELECT is(pg_temp.report('camt.054/n1', 'settled', 1000), 'unchanged',
          'a notification of the debit that the statement has is no second');
SELECT is(pg_temp.report('camt.054/n1', 'settled', 1000), 'duplicate',
          'and counts once');
SELECT is(pg_temp.report('camt.054/n2', 'settled', 1000), 'contradiction',
          'a second notification of a debit is another debit');
SELECT is(pg_temp.report('camt.054/n3', 'settled', 999), 'contradiction',
          'and so is one of another amount');
SELECT is(pg_temp.report('r7', 'returned', 1000), 'contradiction',
          'of two debits one comes back');
SELECT is(pg_temp.report('r7', 'returned', 1000), 'duplicate',
          'which counts once');
SELECT is(pg_temp.report('camt.054/n4', 'returned', 1000), 'contradiction',
          'and is the same one that the bank notifies of');
SELECT is(pg_temp.state(), 'settled ' || pg_temp.key(),
          'the seller still has the money');
SELECT is(pg_temp.pay(p_currency => 'EUR'), 'nothing EUR',
          'and is not paid anew');
SELECT is(pg_temp.report('r7b', 'returned', 1000), 'contradiction',
          'of three debits two');
SELECT is(pg_temp.report('r7c', 'returned', 1000), 'applied',
          'all of it comes back');
SELECT is(pg_temp.report('camt.054/n4b', 'returned', 1000), 'contradiction',
          'as the bank notifies, too: its second credit');
SELECT is(pg_temp.report('camt.054/n4c', 'returned', 1000), 'unchanged',
          'and its third');
SELECT is(pg_temp.report('r8', 'settled', 1000), 'contradiction',
          'a debit behind the return is another one');
SELECT is(pg_temp.state(), 'returned ' || pg_temp.key(), 'it is returned');
SELECT is(pg_temp.entries(), 'payout_reserved payout_sent payout_returned',
          'once');
SELECT pay_ops.settle_destination('m1', a.destination_id, 'open', 'ann', 'x')
FROM pay.payout_account a
\g /dev/null

-- a notification comes first
SELECT pg_temp.approved()
\g /dev/null
SELECT is(pg_temp.begin_file(), 'claimed', 'another item');
SELECT pg_temp.fix(), pg_temp.end_file('written')
\g /dev/null
SELECT is(pg_temp.report('camt.054/n5', 'settled', 2000), 'applied',
          'a notification of the debit settles it');
SELECT is(pg_temp.report('r9', 'settled', 2000), 'unchanged',
          'the statement has the same debit');
SELECT is(pg_temp.report('r11', 'settled', 2000), 'contradiction',
          'a second debit of the statement is found all the same');
SELECT is(pg_temp.entries(), 'payout_reserved payout_sent', 'booked once');

-- rejected: the next attempt has a key of its own
SELECT pg_temp.approved()
\g /dev/null
SELECT is(pg_temp.begin_file(), 'claimed', 'the lines are paid anew');
SELECT pg_temp.fix(), pg_temp.end_file('written')
\g /dev/null
SELECT is(pg_temp.report('s1', 'failed', 1000), 'applied', 'it is rejected');
SELECT is((SELECT p.state || ' ' || p.proof FROM pay.payout p
           WHERE p.payout_id = pg_temp.item()), 'failed pain002',
          'which is a proof');
SELECT is(pg_temp.report('s2', 'settled', 1000), 'contradiction',
          'a debit behind it is an operator''s');

-- nobody knows where the file is
SELECT pg_temp.approved()
\g /dev/null
SELECT is(pg_temp.begin_file(), 'claimed', 'another one');
SELECT pg_temp.fix()
\g /dev/null
SELECT is(pg_temp.end_file('lost'), 'lost', 'its name is gone');
SELECT is(pg_temp.state(), 'unknown', 'its item is unknown');
SELECT pg_temp.later('400 days')
\g /dev/null
SELECT is(pg_temp.begin_file(), 'none', 'no time makes it payable again');
SELECT is(pay_ops.cancel_payout('m1', pg_temp.item(), 'ann', 'x'), 'no_way',
          'and no operator');
SELECT is(pay_ops.decide_payout('m1', pg_temp.item(), 'failed', NULL, 'ann',
                                'the bank has no such file'), 'second',
          'alone');

-- a report is read as a whole
CREATE FUNCTION pg_temp.read(p_said text)
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', r.outcome, r.event_id, r.state), ', ')
FROM pay_ops.read_payout_report('m1', 'bank', p_said::jsonb) r
$$;
SELECT is(pg_temp.read(format('[{"event_id": "g", "parcel": "%s", "state":
    "failed"}]', pg_temp.file())), 'item g/' || pg_temp.key() || ' failed',
    'a statement about a file is one about its items');
SELECT is(pg_temp.read(format('[{"event_id": "g", "parcel": "%s", "state":
    "sent"}, {"event_id": "t", "key": "%s", "state": "failed"}]',
    pg_temp.file(), pg_temp.key())), 'item t failed',
    'unless they are named');
SELECT is(pg_temp.read(format('[{"event_id": "g", "parcel": "%s", "state":
    "unknown"}]', pg_temp.file())), NULL, 'a part says nothing');
SELECT is(pg_temp.read('[{"event_id": "g", "parcel": "x", "state": "sent"},
    {"event_id": "t", "key": "y", "state": "sent"}]'),
    'not_found t sent, not_found g sent', 'another system''s');
SELECT is(pg_temp.read(format('[{"event_id": "t", "key": "%s", "parcel": "z",
    "state": "sent"}]', pg_temp.key())), 'other_file t sent',
    'an item of another file');
SELECT is(pg_temp.read(format('[{"event_id": "t", "key": "%s", "state":
    "settled", "account": "DE89370400440532013000"}]', pg_temp.key())),
    'other_account t settled', 'a statement of another account');
SELECT is(pg_temp.read(format('[{"event_id": "c", "key": "%1$s", "state":
    "returned"}, {"event_id": "d", "key": "%1$s", "state": "settled"}]',
    pg_temp.key())), 'item d settled, item c returned',
    'a debit comes before the credit that may bring it back');
SELECT is(pay_ops.end_payout_report('m1', 'bank', sha256('r'), 'pain.002',
    '{}', 'cron'), 'read', 'a report is read');
SELECT is(pay_ops.end_payout_report('m1', 'bank', sha256('r'), 'pain.002',
    '{}', 'cron'), 'known', 'once');

SELECT is(pay_ops.decide_payout('m1', pg_temp.item(), 'failed', NULL, 'bob',
                                'the bank has no such file'), 'failed',
          'two operators end an item of a file that the bank has not');
SELECT is(pg_temp.report('s9', 'settled', 1000), 'contradiction',
          'a debit behind that is theirs');

-- an amount that no bank file can have came again every ten minutes, for ever
SELECT pg_temp.approved()
\g /dev/null
SELECT is(pg_temp.begin_file(), 'claimed', 'an item is claimed');
SELECT is(pg_temp.fix(ARRAY[pg_temp.item()], p_code => 'amount_unfit'), 'empty',
          'its amount fits into no file');
SELECT is(pg_temp.journal(), 'send 0 refused amount_unfit',
          'that is the end of its call');
SELECT is(pg_temp.state(), 'failed', 'and the seller has the money again');
SELECT is(pg_temp.entries(), 'payout_reserved payout_released', 'in the books');

SET CONSTRAINTS ALL IMMEDIATE;
\i :checks

SELECT finish();
ROLLBACK;
