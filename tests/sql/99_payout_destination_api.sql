-- Accounts of sellers by the API: entered and changed, read masked, closed, each
-- request once for its key; and the accounts that only an operator judges.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir payout.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.enters(
    p_key text, p_seller text DEFAULT 's1', p_currency text DEFAULT 'USD',
    p_who text DEFAULT 'max', p_provider text DEFAULT 'bank',
    p_country text DEFAULT 'DE', p_shown text DEFAULT 'DE…3000',
    p_merchant text DEFAULT 'm1', p_body text DEFAULT 'x',
    p_kind text DEFAULT 'iban')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', CASE r.outcome WHEN 'refused' THEN r.subject_id
                      ELSE r.outcome END, (r.page::json) ->> 'state',
    (r.page::json) ->> 'version', (r.page::json) ->> 'account')
FROM pay_api.enter_destination(ARRAY[p_merchant], ARRAY[p_seller],
    ARRAY[p_currency], ARRAY[p_provider], ARRAY[p_kind], ARRAY[p_country],
    ARRAY[p_shown], ARRAY['sealed'::bytea], '{k1}', ARRAY[p_who], '{test}',
    ARRAY[p_key], ARRAY[sha256(p_body::bytea)], '{3600}', '{Max Muster}') r
$$;
CREATE FUNCTION pg_temp.account_of(
    p_seller text DEFAULT 's1', p_currency text DEFAULT 'USD')
RETURNS text LANGUAGE sql AS $$
SELECT a.destination_id FROM pay.payout_account a
WHERE a.seller_account = p_seller AND a.currency = p_currency
ORDER BY a.state = 'closed' LIMIT 1
$$;
CREATE FUNCTION pg_temp.closes(
    p_key text, p_id text, p_merchant text DEFAULT 'm1',
    p_who text DEFAULT 'max')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', CASE r.outcome WHEN 'refused' THEN r.subject_id
                      ELSE r.outcome END, (r.page::json) ->> 'state')
FROM pay_api.close_destination(ARRAY[p_merchant], ARRAY[p_id], ARRAY[p_who],
    '{left}', ARRAY[p_key], ARRAY[sha256(p_id::bytea)], '{3600}') r
$$;
CREATE FUNCTION pg_temp.accounts(
    p_seller text DEFAULT 's1', p_merchant text DEFAULT 'm1')
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', d ->> 'currency', d ->> 'account',
                            d ->> 'version', d ->> 'entered_by'), ', ')
FROM pay_api.list_destinations(ARRAY[p_merchant], '{NULL}',
                               ARRAY[p_seller]) l,
    json_array_elements(l.page::json -> 'destinations') d
$$;

SELECT pg_temp.provider()
\g /dev/null

-- entered
SELECT is(pg_temp.enters('key-1'), 'created open 1 DE…3000', 'an account');
SELECT is(pg_temp.enters('key-1'), 'replayed open 1 DE…3000',
          'is entered once for its key');
SELECT is(pg_temp.enters('key-1', p_body => 'y'), 'key_reused',
          'and for its body');
SELECT is(pg_temp.enters('key-2', p_currency => 'GBP'), 'unfit',
          'the provider does not pay in that currency');
SELECT is(pg_temp.enters('key-2', p_provider => 'none'), 'unfit',
          'there is no such provider');
SELECT is(pg_temp.enters('key-2', p_kind => 'payee'), 'unfit',
          'nor to such an account');
SELECT is(pg_temp.enters('key-2', p_merchant => 'm2'), 'unfit',
          'nor for another merchant');
SELECT is(pg_temp.enters('key-2', p_who => ''), 'invalid',
          'nobody enters one');
SELECT is(pg_temp.enters('key-2', p_shown => ''), 'invalid',
          'of which nothing is shown');
SELECT is(pg_temp.enters('key-2', p_shown => 'DE89370400440532013000'),
          'invalid', 'or all of it');
SELECT is((SELECT count(*) FROM pay.payout_request), 1::bigint,
          'requests that came to nothing leave no key');

-- changed: the cooling-off begins, and a message tells it
SELECT is(pg_temp.enters('key-3', p_shown => 'FR…1234', p_country => 'FR',
                         p_who => 'ann'), 'created open 2 FR…1234',
          'another version');
SELECT is((SELECT d.usable_from - now() FROM pay.payout_destination d
           WHERE d.version = 2), interval '72 hours', 'which cools off');
SELECT is((SELECT string_agg(o.kind, ', ' ORDER BY o.act_id)
           FROM pay.payout_outbox o),
          'destination.entered, destination.changed', 'each is a message');
SELECT is((SELECT string_agg(concat_ws(' ', a.act, a.who, a.why), ', '
                             ORDER BY a.act_id)
           FROM pay.payout_act a WHERE a.subject = 'destination'),
          'entered max test, changed ann test', 'and an act');
SELECT is(pg_temp.enters('key-4', p_currency => 'EUR'),
          'created open 1 DE…3000', 'an account in another currency');
SELECT ok((SELECT d.usable_from > now() FROM pay.payout_destination d
           WHERE d.destination_id = pg_temp.account_of('s1', 'EUR')),
          'of a seller that has one cools off, too');

-- read
SELECT is(pg_temp.accounts(), 'EUR DE…3000 1 max, USD FR…1234 2 ann',
          'the accounts of a seller');
SELECT is(pg_temp.accounts('s2'), NULL, 'another seller has none');
SELECT is(pg_temp.accounts(p_merchant => 'm2'), NULL,
          'and no other merchant sees them');
SELECT is((SELECT concat_ws(' ', l.outcome,
               json_array_length(l.page::json -> 'versions'),
               l.page::json -> 'versions' -> 0 ->> 'version',
               json_array_length(l.page::json -> 'acts'))
           FROM pay_api.list_destinations('{m1}',
               ARRAY[pg_temp.account_of()], '{NULL}') l), 'found 2 2 2',
          'one with its versions, the newest first, and its acts');
SELECT is((SELECT l.outcome FROM pay_api.list_destinations('{m2}',
               ARRAY[pg_temp.account_of()], '{NULL}') l), 'not_found',
          'not another merchant''s');
SELECT ok((SELECT bool_and(l.page NOT LIKE '%sealed%'
                           AND l.page NOT LIKE '%73656165%')
           FROM pay_api.list_destinations('{m1,m1}',
               ARRAY[pg_temp.account_of(), NULL], '{NULL,s1}') l),
          'the sealed bytes are in no answer');

-- closed
SELECT is(pg_temp.closes('key-5', pg_temp.account_of(), 'm2'), 'not_found',
          'another merchant closes nothing');
SELECT is(pg_temp.closes('key-5', 'none'), 'not_found', 'nor an unknown one');
SELECT is(pg_temp.closes('key-5', pg_temp.account_of(), p_who => ''),
          'invalid', 'nor does nobody');
UPDATE pay.payout_account SET state = 'suspect' WHERE currency = 'USD';
SELECT is(pg_temp.closes('key-5', pg_temp.account_of()), 'suspect',
          'a suspect account is not its merchant''s to close');
UPDATE pay.payout_account SET state = 'blocked' WHERE currency = 'USD';
SELECT is(pg_temp.closes('key-5', pg_temp.account_of()), 'blocked',
          'nor a blocked one');
SELECT is(pg_temp.enters('key-6'), 'blocked',
          'which has no version any more');
UPDATE pay.payout_account SET state = 'open' WHERE currency = 'USD';
SELECT pg_temp.account_of() AS first
\gset
SELECT is(pg_temp.closes('key-5', :'first'), 'done closed', 'an open one is');
SELECT is(pg_temp.closes('key-5', :'first'), 'replayed closed', 'once');
SELECT is(pg_temp.closes('key-7', :'first'), 'done closed', 'for ever');
SELECT is((SELECT count(*) FROM pay.payout_act WHERE act = 'closed'),
          1::bigint, 'which is one act');
SELECT is(pg_temp.accounts(), 'EUR DE…3000 1 max', 'it is in no list');
SELECT is(pg_temp.enters('key-8'), 'created open 1 DE…3000',
          'a new account takes its place');
SELECT ok((SELECT d.usable_from > now() FROM pay.payout_destination d
           WHERE d.destination_id = pg_temp.account_of()),
          'and cools off');

SELECT finish();
ROLLBACK;
