-- The roles, idempotent.  Applied before the migrations, which create the
-- objects that payments_owner owns; the rights follow in grants.sql once the
-- objects are there.  No password is ever set here: peer authentication, a
-- certificate or the operator's own ALTER ROLE does that.

-- roles belong to the cluster: one database at a time
LOCK TABLE pg_catalog.pg_authid IN SHARE ROW EXCLUSIVE MODE;

DO $$
DECLARE
    v_role text;
BEGIN
    FOREACH v_role IN ARRAY
        ARRAY['payments_owner', 'payments_gateway', 'payments_auditor',
              'payments_operator', 'payments_relay', 'payments_console',
              'payments_console_act']
    LOOP
        IF to_regrole(v_role) IS NULL THEN
            EXECUTE format('CREATE ROLE %I', v_role);
        END IF;
    END LOOP;
END
$$;

-- owns everything and cannot log in
ALTER ROLE payments_owner NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE
    NOREPLICATION NOBYPASSRLS;

-- the gateway: EXECUTE on the functions of pay_api, nothing else
ALTER ROLE payments_gateway LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE
    NOINHERIT NOREPLICATION NOBYPASSRLS;

-- finance, support and reports: SELECT on everything
ALTER ROLE payments_auditor LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE
    NOINHERIT NOREPLICATION NOBYPASSRLS;
ALTER ROLE payments_auditor SET default_transaction_read_only = on;

-- operators: an auditor who may also settle dead letters (pay_ops)
ALTER ROLE payments_operator LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE
    NOINHERIT NOREPLICATION NOBYPASSRLS;

-- a relay of messages to a broker: EXECUTE on the functions of pay_relay
ALTER ROLE payments_relay LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE
    NOINHERIT NOREPLICATION NOBYPASSRLS;

-- the console: EXECUTE on the functions of pay_console, which read
ALTER ROLE payments_console LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE
    NOINHERIT NOREPLICATION NOBYPASSRLS;

-- acts of staff on the console: EXECUTE on the functions of pay_console_act
ALTER ROLE payments_console_act LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE
    NOINHERIT NOREPLICATION NOBYPASSRLS;

-- The gateway's statements are few, prepared once and always look rows up
-- by key.  A plan made while the tables were still empty must not turn into
-- a scan of a full one, so only index look-ups are on offer, and cheap: else
-- reading a whole small index looks cheaper (tests/sql/9*_plans_*.sql).
ALTER ROLE payments_gateway SET plan_cache_mode = 'force_generic_plan';
ALTER ROLE payments_gateway SET enable_seqscan = off;
ALTER ROLE payments_gateway SET enable_hashjoin = off;
ALTER ROLE payments_gateway SET enable_mergejoin = off;
ALTER ROLE payments_gateway SET random_page_cost = 0.1;
-- each key of a batch is another one: remembering rows by key only costs
ALTER ROLE payments_gateway SET enable_memoize = off;
ALTER ROLE payments_gateway SET jit = off;

-- The functions are written for READ COMMITTED: each statement sees the rows
-- that were committed while it waited for its locks.
ALTER ROLE payments_gateway SET default_transaction_isolation
    = 'read committed';
ALTER ROLE payments_operator SET default_transaction_isolation
    = 'read committed';
ALTER ROLE payments_gateway SET statement_timeout = '10s';
ALTER ROLE payments_gateway SET lock_timeout = '5s';
ALTER ROLE payments_gateway SET idle_in_transaction_session_timeout = '10s';
-- no idle console session holds the lock of a checkout for long
ALTER ROLE payments_operator SET lock_timeout = '5s';
ALTER ROLE payments_operator SET idle_in_transaction_session_timeout = '10s';

-- The log is read by its key, whether it was empty or long when the plan was
-- made.
ALTER ROLE payments_relay SET plan_cache_mode = 'force_generic_plan';
ALTER ROLE payments_relay SET enable_seqscan = off;
ALTER ROLE payments_relay SET enable_bitmapscan = off;
ALTER ROLE payments_relay SET random_page_cost = 0.1;
ALTER ROLE payments_relay SET jit = off;
ALTER ROLE payments_relay SET default_transaction_isolation = 'read committed';
ALTER ROLE payments_relay SET statement_timeout = '10s';
ALTER ROLE payments_relay SET lock_timeout = '5s';
ALTER ROLE payments_relay SET idle_in_transaction_session_timeout = '10s';

-- A page has filters that are there or not, so that each call is planned with
-- the values that it has.  It waits for nobody, and for no answer long.
ALTER ROLE payments_console SET default_transaction_read_only = on;
ALTER ROLE payments_console SET plan_cache_mode = 'force_custom_plan';
ALTER ROLE payments_console SET enable_seqscan = off;
ALTER ROLE payments_console SET random_page_cost = 0.1;
ALTER ROLE payments_console SET jit = off;
ALTER ROLE payments_console SET default_transaction_isolation
    = 'read committed';
ALTER ROLE payments_console SET statement_timeout = '3s';
ALTER ROLE payments_console SET lock_timeout = '1s';
ALTER ROLE payments_console SET idle_in_transaction_session_timeout = '10s';

-- Acts call functions that the gateway calls, which are written for its plans.
ALTER ROLE payments_console_act SET plan_cache_mode = 'force_generic_plan';
ALTER ROLE payments_console_act SET enable_seqscan = off;
ALTER ROLE payments_console_act SET enable_hashjoin = off;
ALTER ROLE payments_console_act SET enable_mergejoin = off;
ALTER ROLE payments_console_act SET enable_memoize = off;
ALTER ROLE payments_console_act SET random_page_cost = 0.1;
ALTER ROLE payments_console_act SET jit = off;
ALTER ROLE payments_console_act SET default_transaction_isolation
    = 'read committed';
ALTER ROLE payments_console_act SET statement_timeout = '5s';
ALTER ROLE payments_console_act SET lock_timeout = '3s';
ALTER ROLE payments_console_act SET idle_in_transaction_session_timeout
    = '10s';
