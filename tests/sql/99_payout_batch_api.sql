-- Batches of pay-outs by the API: made, approved by others and sent, each
-- request once for its key; and the sending that waits for an act.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir payout.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.acts(
    p_act text, p_key text, p_who text DEFAULT 'max',
    p_subject text DEFAULT 'bank', p_hash text DEFAULT NULL,
    p_merchant text DEFAULT 'm1', p_limit bigint DEFAULT 10,
    p_body text DEFAULT 'x')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', CASE r.outcome WHEN 'refused' THEN r.subject_id
                      ELSE r.outcome END, (r.page::json) ->> 'state',
    (r.page::json) ->> 'amount', (r.page::json) ->> 'approvals_missing')
FROM pay_api.act_on_payout_batch(ARRAY[p_act], ARRAY[p_merchant],
    ARRAY[p_subject], '{USD}', ARRAY[p_limit], ARRAY[p_hash], '{mistake}',
    ARRAY[p_who],
    ARRAY[p_key], ARRAY[sha256(p_body::bytea)], '{3600}') r
$$;
CREATE FUNCTION pg_temp.last_batch() RETURNS text LANGUAGE sql AS
'SELECT b.batch_id FROM pay.payout_batch b ORDER BY b.number DESC LIMIT 1';
CREATE FUNCTION pg_temp.approves(
    p_who text, p_key text, p_hash text DEFAULT NULL,
    p_merchant text DEFAULT 'm1')
RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.acts('approve', p_key, p_who, pg_temp.last_batch(),
    coalesce(p_hash, (SELECT encode(b.hash, 'hex') FROM pay.payout_batch b
                      WHERE b.batch_id = pg_temp.last_batch())), p_merchant)
$$;
CREATE FUNCTION pg_temp.sends(p_who text, p_key text,
                              p_merchant text DEFAULT 'm1')
RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.acts('send', p_key, p_who, pg_temp.last_batch(),
                    p_merchant => p_merchant)
$$;
CREATE FUNCTION pg_temp.listed(
    p_state text DEFAULT NULL, p_merchant text DEFAULT 'm1',
    p_limit bigint DEFAULT 9, p_before bigint DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', b ->> 'state', b ->> 'amount'), ', ')
FROM pay_api.list_payout_batches(ARRAY[p_merchant], '{NULL}', '{NULL}',
    '{NULL}', ARRAY[p_state], '{NULL}', ARRAY[p_before], ARRAY[p_limit]) l,
    json_array_elements(l.page::json -> 'batches') b
$$;

SELECT pg_temp.provider(), pg_temp.account(p_who => 'sue')
\g /dev/null
SELECT pg_temp.sold('a' || n, ARRAY['b' || n || ':' || n * 1000]),
    pg_temp.release('b' || n), pg_temp.pay(p_currency => 'USD')
FROM generate_series(1, 3) n
\g /dev/null

-- made
SELECT is(pg_temp.acts('make', 'key-1', p_limit => 2),
          'created open 30.00 2', 'the oldest items');
SELECT is(pg_temp.acts('make', 'key-1', p_limit => 2),
          'replayed open 30.00 2', 'once for its key');
SELECT is(pg_temp.acts('make', 'key-1', p_body => 'y'), 'key_reused',
          'and for its body');
SELECT is(pg_temp.acts('make', 'key-2', p_merchant => 'm2'), 'nothing',
          'another merchant has none');
SELECT is(pg_temp.acts('make', 'key-2', p_who => ''), 'invalid',
          'nobody makes one');
SELECT is(pg_temp.acts('make', 'key-2', p_limit => NULL), 'invalid',
          'of no number of items');

-- approved
SELECT is(pg_temp.approves('max', 'key-3'), 'maker', 'not by its maker');
SELECT is(pg_temp.approves('sue', 'key-3'), 'entered',
          'nor by the one who has entered an account');
SELECT is(pg_temp.approves('eve', 'key-3', repeat('0', 64)), 'other_hash',
          'nor another digest');
SELECT is(pg_temp.approves('eve', 'key-3', p_merchant => 'm2'), 'not_found',
          'nor by another merchant');
SELECT is(pg_temp.sends('eve', 'key-4'), 'not_approved',
          'nothing is sent unapproved');
SELECT is(pg_temp.approves('eve', 'key-3'), 'asked open 30.00 1',
          'the first approval');
SELECT is(pg_temp.approves('eve', 'key-3'), 'replayed open 30.00 1',
          'is repeated for its key');
SELECT is(pg_temp.approves('eve', 'key-5'), 'again',
          'and does not count twice');
SELECT is(pg_temp.approves('ann', 'key-5'), 'done approved 30.00 0',
          'the second one');
SELECT is(pg_temp.approves('joe', 'key-6'), 'closed', 'it is approved');
SELECT isnt((SELECT send_at FROM pay.payout_batch), NULL,
            'the last approval sends it');
SELECT is(pg_temp.sends('eve', 'key-4'), 'done approved 30.00 0',
          'which is no mistake to ask for');
SELECT is((SELECT count(*) FROM pay.payout_act
           WHERE subject = 'batch' AND act = 'sent'), 0::bigint,
          'and no act');

-- sent by an act
SELECT pay_ops.set_payout_policy('m1', 'ann', 'why', p_sends_by => 'act')
\g /dev/null
SELECT is(pay_ops.set_payout_policy('m1', 'ann', 'why',
                                    p_sends_by => 'chance'), 'invalid',
          'another policy');
SELECT is(pg_temp.acts('make', 'key-7'), 'created open 30.00 2',
          'the rest of the items');
SELECT pg_temp.approves('eve', 'key-8'), pg_temp.approves('ann', 'key-9')
\g /dev/null
SELECT is((SELECT send_at FROM pay.payout_batch
           WHERE batch_id = pg_temp.last_batch()), NULL, 'it waits');
SELECT throws_ok('SELECT pg_temp.begin_send()', 'PAY10', NULL,
                 'and no item of it begins');
SELECT is(pg_temp.sends('joe', 'key-10', 'm2'), 'not_found',
          'another merchant sends nothing');
SELECT is(pg_temp.sends('joe', 'key-10'), 'done approved 30.00 0',
          'an act sends it');
SELECT is(pg_temp.sends('joe', 'key-10'), 'replayed approved 30.00 0',
          'once for its key');
SELECT is((SELECT string_agg(who, ' ') FROM pay.payout_act
           WHERE subject = 'batch' AND act = 'sent'), 'joe',
          'with a name');
SELECT is(pg_temp.begin_send(), 'sending', 'its items begin');

-- an account that an operator looks at stops its item, approved or not
SELECT pg_temp.sold('a9', ARRAY['b9:9000']), pg_temp.release('b9'),
    pg_temp.pay(p_currency => 'USD'),
    pay_ops.set_payout_policy('m1', 'ann', 'why', p_sends_by => 'approval'),
    pg_temp.acts('make', 'key-20')
\g /dev/null
UPDATE pay.payout_account SET state = 'suspect';
SELECT is(pg_temp.approves('eve', 'key-21') || ' '
          || pg_temp.approves('ann', 'key-22'),
          'asked open 90.00 1 done approved 90.00 0', 'it is approved');
SELECT is((SELECT i ->> 'account_state'
           FROM pay_api.list_payout_batches('{m1}',
               ARRAY[pg_temp.last_batch()], '{NULL}', '{NULL}', '{NULL}',
               '{NULL}', '{NULL}', '{1}') l,
               json_array_elements(l.page::json -> 'items') i), 'suspect',
          'its approvers see the state of the account');
SELECT is(pg_temp.begin_send(), 'held', 'and it is not sent');
UPDATE pay.payout_account SET state = 'open';

-- lists
SELECT is(pg_temp.listed(), 'approved 90.00, approved 30.00, approved 30.00', 'all batches');
SELECT is(pg_temp.listed('open'), NULL, 'those in a state');
SELECT is(pg_temp.listed(p_merchant => 'm2'), NULL, 'one''s own');
UPDATE pay.payout_batch SET until = now()
WHERE batch_id = pg_temp.last_batch();
SELECT is(pg_temp.listed('expired'), 'expired 90.00',
          'an approval whose time is over');
SELECT is(pg_temp.sends('joe', 'key-11'), 'closed', 'sends nothing more');
SELECT is(pg_temp.acts('withdraw', 'key-30', 'joe', pg_temp.last_batch(),
                       p_merchant => 'm2'), 'not_found', 'another''s batch');
SELECT is(pg_temp.acts('withdraw', 'key-30', 'joe', pg_temp.last_batch()),
          'done withdrawn 90.00 0', 'a batch is taken back');
SELECT is(pg_temp.acts('withdraw', 'key-30', 'joe', pg_temp.last_batch()),
          'replayed withdrawn 90.00 0', 'once for its key');
SELECT is(pg_temp.acts('withdraw', 'key-31', 'joe', pg_temp.last_batch()),
          'closed', 'once');
SELECT is(l.outcome, u.outcome, 'one batch: ' || u.outcome)
FROM (VALUES ('m1', 'found'), ('m2', 'not_found')) u (merchant, outcome),
    pay_api.list_payout_batches(ARRAY[u.merchant],
        ARRAY[pg_temp.last_batch()], '{NULL}', '{NULL}', '{NULL}', '{NULL}',
        '{NULL}', '{1}') l;

SELECT finish();
ROLLBACK;
