-- What triggers and constraints hold against everybody, superusers too: the
-- state machine, fixed terms, append-only logs (T38, T39, I5).

BEGIN;
\ir helpers.psql
SELECT no_plan();

SELECT b.outcome FROM pg_temp.begin('m1', 'k1', 'c1', '{o1:100,o2:50}',
                                    p_psps => 'stripe adyen') b
\g /dev/null

-- every transition there is, from a fresh order each
CREATE FUNCTION pg_temp.go(p_from text, p_to text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_step text;
BEGIN
    FOREACH v_step IN ARRAY CASE p_from
        WHEN 'NOT_STARTED' THEN '{}'::text[]
        ELSE ARRAY[p_from] END || p_to
    LOOP
        UPDATE pay.payment_order
        SET status = v_step,
            reason = CASE v_step WHEN 'FAILED' THEN 'declined' END
        WHERE merchant_id = 'm1' AND payment_order_id = 'o1';
    END LOOP;

    RAISE EXCEPTION USING ERRCODE = 'TTT00';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
SELECT is(pg_temp.go(a, b), CASE
    WHEN a = b THEN 'TTT00'
    WHEN (a, b) IN (('NOT_STARTED', 'EXECUTING'), ('NOT_STARTED', 'SUCCESS'),
        ('NOT_STARTED', 'FAILED'), ('EXECUTING', 'SUCCESS'),
        ('EXECUTING', 'FAILED'), ('FAILED', 'SUCCESS')) THEN 'TTT00'
    ELSE 'PAY10' END, a || ' to ' || b)
FROM unnest('{NOT_STARTED,EXECUTING,SUCCESS,FAILED}'::text[]) a,
    unnest('{NOT_STARTED,EXECUTING,SUCCESS,FAILED}'::text[]) b;

-- the rows and the trigger are one table
SELECT is_empty($$
    SELECT * FROM pay.transition t
    WHERE t.next_status <> t.status
        AND pg_temp.go(t.status, t.next_status) <> 'TTT00'
$$, 'no transition asks for what the trigger refuses');

SELECT throws_ok(sql, state, NULL, sql)
FROM (VALUES
    ('UPDATE pay.transition SET next_status = ''FAILED''', 'PAY20'),
    ('DELETE FROM pay.news_kind', 'PAY20'),
    ('UPDATE pay.payment_order SET status = ''PAID''', '23514'),
    ('UPDATE pay.payment_order SET status = ''FAILED''', '23514'),
    ('UPDATE pay.payment_order SET reason = ''declined''', '23514'),
    ('UPDATE pay.payment_order SET amount_minor = 1', 'PAY11'),
    ('UPDATE pay.payment_order SET currency = ''EUR''', 'PAY11'),
    ('UPDATE pay.payment_order SET seller_account = ''me''', 'PAY11'),
    ('UPDATE pay.payment_order SET merchant_id = ''m2''', 'PAY11'),
    ('UPDATE pay.payment_order SET checkout_id = ''c2''', 'PAY11'),
    ('UPDATE pay.payment_order SET payment_order_id = ''o9''', 'PAY11'),
    ('UPDATE pay.payment_order SET version = 0', 'PAY11'),
    ('UPDATE pay.payment_order SET version = version - 1,
      head = sha256(''x'')', 'PAY11'),
    ('INSERT INTO pay.payment_order (merchant_id, payment_order_id,
      checkout_id, position, seller_account, amount_minor, currency, status)
      VALUES (''m1'', ''x'', ''c1'', 9, ''s'', 1, ''USD'', ''SUCCESS'')',
     'PAY10'),
    ('INSERT INTO pay.payment_order (merchant_id, payment_order_id,
      checkout_id, position, seller_account, amount_minor, currency, head,
      head_tx)
      VALUES (''m1'', ''x'', ''c1'', 9, ''s'', 0, ''USD'', sha256(''''), 1)',
     '23514'),
    ('INSERT INTO pay.payment_order (merchant_id, payment_order_id,
      checkout_id, position, seller_account, amount_minor, currency, head,
      head_tx)
      VALUES (''m1'', ''x'', ''c9'', 9, ''s'', 1, ''USD'', sha256(''''), 1)',
     '23503'),
    ('UPDATE pay.checkout SET total_minor = 1', 'PAY11'),
    ('UPDATE pay.checkout SET currency = ''EUR''', 'PAY11'),
    ('UPDATE pay.checkout SET merchant_id = ''m2''', 'PAY11'),
    ('UPDATE pay.checkout SET handle = ''mine''', 'PAY11'),
    ('UPDATE pay.checkout SET handle = ''''', '23514'),
    ('UPDATE pay.checkout SET psp = ''other''', 'PAY11'),
    ('UPDATE pay.checkout SET base_url = ''https://other.example''',
     'PAY11'),
    ('UPDATE pay.checkout SET version = 0', 'PAY11'),
    ('UPDATE pay.registration SET nonce = ''new''', 'PAY11'),
    ('UPDATE pay.registration SET psp = ''other''', 'PAY11'),
    ('UPDATE pay.registration SET psp = ''adyen''', 'PAY11'),
    ('UPDATE pay.registration SET psp = ''adyen'', attempt = attempt + 1,
      open_attempts = 2', 'PAY11'),
    ('UPDATE pay.registration SET psp = ''other'', attempt = attempt + 1',
     'PAY11'),
    ('UPDATE pay.registration SET open_attempts = 2;
      UPDATE pay.registration SET psp = ''adyen'', attempt = attempt + 1,
      open_attempts = 1', 'PAY11'),
    ('UPDATE pay.registration SET refused_psps = ''{adyen}'';
      UPDATE pay.registration SET psp = ''adyen'', attempt = attempt + 1',
     'PAY11'),
    ('UPDATE pay.registration SET state = ''REFUSED'';
      UPDATE pay.registration SET psp = ''adyen'', attempt = attempt + 1',
     'PAY11'),
    ('UPDATE pay.registration SET state = ''REFUSED'', psp = ''adyen'',
      attempt = attempt + 1', 'PAY11'),
    ('UPDATE pay.registration SET psp = ''adyen'', attempt = attempt + 1,
      nonce = ''new''', 'PAY11'),
    ('UPDATE pay.registration SET psps = ''{stripe,adyen,other}''', 'PAY11'),
    ('UPDATE pay.registration SET psps = ''{}''', '23514'),
    ('UPDATE pay.registration SET open_attempts = -1', '23514'),
    ('UPDATE pay.registration SET alias = ''a''', '23514'),
    ('UPDATE pay.checkout SET psp = ''adyen''', 'PAY11'),
    ('UPDATE pay.job SET again_at = now()', '23514'),
    ('UPDATE pay.registration SET attempt = 0', '23514'),
    ('UPDATE pay.registration SET attempt = attempt + 1;
      UPDATE pay.registration SET attempt = attempt - 1', 'PAY11'),
    ('UPDATE pay.registration SET token = ''t''', '23514'),
    ('UPDATE pay.payment_order SET authorized_minor = amount_minor + 1',
     '23514'),
    ('UPDATE pay.payment_order SET captured_minor = amount_minor + 1',
     '23514'),
    ('UPDATE pay.payment_order SET refunding_minor = 1', '23514'),
    ('UPDATE pay.payment_order SET refunded_minor = -1', '23514'),
    ('UPDATE pay.payment_order SET credit_rate = 2', '23514'),
    ('UPDATE pay.payment_order SET credit_currency = ''EUR'',
      credit_rate = 2, credit_minor = 1', '23514'),
    ('UPDATE pay.payment_order SET credit_currency = currency,
      credit_rate = 2, credit_minor = 1, credit_until = now()', '23514'),
    ('UPDATE pay.payment_order SET fee_minor = 1', '23514'),
    ('UPDATE pay.registration SET state = ''REGISTERED''', '23514'),
    ('UPDATE pay.event SET reason = ''x''', 'PAY20'),
    ('UPDATE pay.event SET reason = ''x'' WHERE false', 'PAY20'),
    ('DELETE FROM pay.event', 'PAY20'),
    ('DELETE FROM pay.event WHERE false', 'PAY20'),
    ('TRUNCATE pay.event', 'PAY20'),
    ('UPDATE pay.mismatch SET token = ''x''', 'PAY20'),
    ('DELETE FROM pay.mismatch', 'PAY20'),
    ('TRUNCATE pay.mismatch CASCADE', 'PAY20')
    ) t (sql, state);

-- rules about one value, whichever column has it
SELECT throws_ok(format('SELECT %L::pay.%s', value, domain), '23514', NULL,
                 format('%L is no %s', value, domain))
FROM (VALUES
    ('id', ''), ('id', repeat('x', 256)), ('filled', ''),
    ('hash', '\x00'), ('ordinal', '0'), ('tally', '-1'), ('whole', '-1'),
    ('currency_code', 'EURO'), ('currency_code', ''), ('minor', '-1'),
    ('positive_minor', '0'), ('signed_minor', '0'), ('order_minor', '0'),
    ('order_minor', '1000000000000000'), ('positive_rate', '0'),
    ('order_status', 'PAID'), ('failure_reason', 'FAILED'),
    ('late_policy', 'held'), ('capture_mode', ''), ('psp_list', '{}'),
    ('registration_state', 'OPEN'), ('webhook_state', 'duplicate'),
    ('webhook_way', 'query'), ('event_actor', 'hint'), ('job_kind', 'find'),
    ('dispatch_operation', 'void'), ('dispatch_state', 'SENT'),
    ('dispatch_reach', ''), ('first_call', 'UNKNOWN'), ('journal_source', ''),
    ('journal_source', repeat('x', 601)), ('line_number', '0'),
    ('line_number', '10'), ('settlement_name', 'A b'),
    ('settlement_name', repeat('x', 64)), ('settlement_key', ''),
    ('settlement_key', repeat('x', 512)), ('settlement_kind', 'charge'),
    ('settlement_class', '4'), ('payout_name', 'A b'),
    ('payout_key', repeat('g', 32)), ('payout_key', repeat('a', 31)),
    ('payout_state', 'SENT'), ('country_code', 'de'),
    ('country_code', 'DEU'), ('payout_call', 'pay'), ('payout_step', '4'),
    ('payout_step', '-1'), ('fee_percent', '100.0001'),
    ('fee_percent', '-1'), ('risk_word', 'deny'), ('risk_kind', 'mail'),
    ('risk_key', 'cards'), ('cell_name', ''), ('cell_name', 'B'),
    ('cell_name', repeat('b', 33)))
    t (domain, value);
SELECT is(count(*), 43::bigint, 'so many rules, and each is tried above')
FROM pg_type t
WHERE t.typtype = 'd' AND t.typnamespace = 'pay'::regnamespace;
SELECT is(starts_with(k.account, 'seller_'), k.wallet IS NOT NULL,
          'journal_line knows whether it has a wallet: ' || k.account)
FROM pay.account_kind k;

SET LOCAL session_replication_role = replica;
SELECT throws_ok(sql, state, NULL, 'as a replica: ' || sql)
FROM (VALUES
    ('DELETE FROM pay.event', 'PAY20'),
    ('UPDATE pay.payment_order SET amount_minor = 1', 'PAY11'),
    ('UPDATE pay.payment_order SET status = ''SUCCESS'';
      UPDATE pay.payment_order SET status = ''EXECUTING''', 'PAY10')
    ) t (sql, state);
SET LOCAL session_replication_role = origin;

SELECT is(pg_temp.run_as('payments_owner', sql), 'PAY20', 'the owner: ' || sql)
FROM (VALUES ('DELETE FROM pay.event'), ('TRUNCATE pay.event')) t (sql);

-- the one move that there is, and what follows it
SELECT is(pg_temp.run_as('payments_owner', $$
    UPDATE pay.registration SET psp = 'adyen', attempt = attempt + 1,
        open_attempts = 1$$), 'ok', 'a registration may move');
SELECT throws_ok($$UPDATE pay.checkout SET psp = 'other'$$, 'PAY11', NULL,
                 'its checkout follows there only');
SELECT is(pg_temp.run_as('payments_owner', $$
    UPDATE pay.checkout SET psp = 'adyen'$$), 'ok', 'and may');
SELECT is(pg_temp.run_as('payments_owner', $$
    UPDATE pay.registration SET psp = 'stripe', attempt = attempt + 1;
    UPDATE pay.checkout SET psp = 'stripe'$$), 'ok', 'both back again');

SELECT pg_temp.token('m1', 'c1', 't1', p_alias => 'a1')
\g /dev/null
SELECT throws_ok(sql, 'PAY11', NULL, 'with a token: ' || sql)
FROM (VALUES
    ('UPDATE pay.registration SET psp = ''adyen'', attempt = attempt + 1'),
    ('UPDATE pay.registration SET psp = ''adyen'', attempt = attempt + 1,
      state = ''REGISTERING'', token = NULL, alias = NULL'),
    ('UPDATE pay.checkout SET psp = ''adyen'''),
    ('UPDATE pay.registration SET alias = ''other'''),
    ('UPDATE pay.registration SET alias = NULL')) t (sql);
SELECT throws_ok($$UPDATE pay.registration SET token = 't2'$$, 'PAY11', NULL,
                 'a token is for ever');
SELECT throws_ok('UPDATE pay.registration SET token = NULL,
                  state = ''REGISTERING''', 'PAY11', NULL, 'not even taken');
SELECT pg_temp.fact('t1', 'paid')
\g /dev/null
SELECT throws_ok($$UPDATE pay.checkout SET is_payment_done = false$$, 'PAY11',
                 NULL, 'done is done');

\i :checks
SELECT finish();
ROLLBACK;
