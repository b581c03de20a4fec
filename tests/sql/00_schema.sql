-- What must hold of every function and table, whoever adds the next one.

BEGIN;
\ir helpers.psql
SELECT no_plan();

SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace IN ('pay_api'::regnamespace, 'pay'::regnamespace,
                             'pay_ops'::regnamespace,
                             'pay_relay'::regnamespace,
                             'pay_console'::regnamespace)
        AND obj_description(p.oid) IS NULL AND p.prorettype <> 'trigger'::regtype
$$, 'every function has a COMMENT');

SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace IN ('pay_api'::regnamespace, 'pay_ops'::regnamespace,
                             'pay_relay'::regnamespace,
                             'pay_console'::regnamespace)
        AND (p.prosecdef
             AND 'search_path=pay, pg_temp' = ANY (p.proconfig)) IS NOT TRUE
$$, 'every function for others is SECURITY DEFINER with a fixed path');

SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace = 'pay'::regnamespace AND p.prosecdef
        AND NOT EXISTS (SELECT FROM pg_trigger t
                        WHERE t.tgfoid = p.oid AND t.tgdeferrable)
$$, 'no private function is SECURITY DEFINER');

-- It runs at the commit, when nobody is the owner any more: the gateway sees
-- no table, and each sale would fail.
SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc p
    JOIN pg_trigger t ON t.tgfoid = p.oid
    WHERE t.tgdeferrable AND NOT t.tgisinternal
        AND (p.prosecdef
             AND 'search_path=pay, pg_temp' = ANY (p.proconfig)) IS NOT TRUE
$$, 'a deferred check is SECURITY DEFINER with a fixed path');

SELECT is_empty($$
    SELECT p.pronamespace::regnamespace, p.proname FROM pg_proc p
    WHERE p.pronamespace IN ('pay_api'::regnamespace, 'pay'::regnamespace,
                             'pay_ops'::regnamespace,
                             'pay_relay'::regnamespace,
                             'pay_console'::regnamespace)
    GROUP BY 1, 2 HAVING count(*) > 1
$$, 'no function is overloaded');

SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace IN ('pay_api'::regnamespace, 'pay_ops'::regnamespace,
                             'pay_relay'::regnamespace,
                             'pay_console'::regnamespace)
        AND EXISTS (SELECT FROM unnest(p.proargnames, p.proargmodes) a (n, m)
                    WHERE m = 'i' AND n NOT LIKE 'p\_%')
$$, 'parameters are named p_');

SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace IN ('pay_api'::regnamespace, 'pay'::regnamespace,
                             'pay_ops'::regnamespace,
                             'pay_relay'::regnamespace,
                             'pay_console'::regnamespace)
        AND p.prolang = (SELECT oid FROM pg_language WHERE lanname = 'plpgsql')
        AND p.prosrc ~* '\mexecute\M'
        -- a partition's name and bounds cannot be parameters
        AND p.oid <> ALL ('{pay.make_partition,pay_ops.drop_month}'
                          ::regproc[])
$$, 'no dynamic SQL');

SELECT is_empty($$
    SELECT c.oid::regclass FROM pg_class c
    WHERE c.relnamespace IN ('pay'::regnamespace, 'pay_view'::regnamespace)
        AND c.relowner <> 'payments_owner'::regrole
    UNION ALL
    SELECT p.oid FROM pg_proc p
    WHERE p.pronamespace IN ('pay_api'::regnamespace, 'pay'::regnamespace,
                             'pay_ops'::regnamespace,
                             'pay_relay'::regnamespace,
                             'pay_console'::regnamespace)
        AND p.proowner <> 'payments_owner'::regrole
$$, 'payments_owner owns everything');

SELECT is_empty($$
    SELECT n.nspname, a.grantee FROM pg_namespace n, aclexplode(n.nspacl) a
    WHERE n.nspname IN ('pay', 'pay_api', 'pay_view', 'pay_ops', 'pay_relay',
                        'pay_console', 'public')
        AND a.grantee = 0
    UNION ALL
    SELECT p.proname, a.grantee FROM pg_proc p,
        aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    WHERE p.pronamespace IN ('pay_api'::regnamespace, 'pay'::regnamespace,
                             'pay_ops'::regnamespace,
                             'pay_relay'::regnamespace,
                             'pay_console'::regnamespace)
        AND a.grantee = 0
    UNION ALL
    SELECT c.relname, a.grantee FROM pg_class c, aclexplode(c.relacl) a
    WHERE c.relnamespace IN ('pay'::regnamespace, 'pay_view'::regnamespace)
        AND a.grantee = 0
    UNION ALL
    SELECT d.datname, a.grantee FROM pg_database d, aclexplode(d.datacl) a
    WHERE d.datname = current_database() AND a.grantee = 0
$$, 'PUBLIC may do nothing');

SELECT is_empty($$
    SELECT c.oid::regclass FROM pg_class c
    CROSS JOIN unnest('{payments_gateway,payments_relay}'::text[]) r
    WHERE c.relnamespace IN ('pay'::regnamespace, 'pay_view'::regnamespace)
        AND c.relkind IN ('r', 'v', 'S')
        AND has_table_privilege(r, c.oid,
            'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
$$, 'neither the gateway nor a relay has a right on any table');

SELECT is_empty($$
    SELECT rolname FROM pg_roles
    WHERE rolname LIKE 'payments\_%'
        AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication
             OR rolbypassrls OR rolcanlogin <> (rolname <> 'payments_owner'))
$$, 'the roles are plain ones, and the owner is nobody''s login');

SELECT ok(NOT pg_has_role('payments_gateway', r, 'MEMBER'),
          'the gateway is no member of ' || r)
FROM (VALUES ('payments_owner'), ('payments_auditor'),
             ('payments_operator'), ('pg_read_all_data')) t (r);
SELECT ok(NOT pg_has_role(m, r, 'MEMBER'), m || ' is no member of ' || r)
FROM unnest('{payments_auditor,payments_operator,payments_relay,
              payments_console}'::text[]) m,
    unnest('{payments_owner,payments_gateway,payments_auditor,
             payments_operator,payments_relay,payments_console}'::text[]) r
WHERE m <> r;

-- T31, as the gateway's role
SELECT is(pg_temp.run_as('payments_gateway', sql), '42501', sql)
FROM (VALUES
    ('UPDATE pay.payment_order SET amount_minor = 1'),
    ('DELETE FROM pay.payment_order'),
    ('TRUNCATE pay.checkout CASCADE'),
    ('INSERT INTO pay.event DEFAULT VALUES'),
    ('SELECT * FROM pay.registration'),
    ('SELECT * FROM pay_view.timeline'),
    ('COPY pay.currency TO PROGRAM ''true'''),
    ('SELECT pg_read_file(''/etc/hostname'')'),
    ('CREATE TABLE public.mine (a int)'),
    ('CREATE TABLE pay_api.mine (a int)'),
    ('CREATE TEMPORARY TABLE mine (a int)'),
    ('SELECT * FROM pay.transition'),
    ('SELECT pay.record_facts(NULL)'),
    ('SELECT pay_ops.requeue_dead_letter(1, ''me'', ''why'')'),
    ('SELECT pay_ops.accept_dead_letter(1, ''me'', ''why'')'),
    ('SELECT pay_ops.settle_mismatch(1, ''me'', ''why'')'),
    ('SELECT * FROM pay_view.find(''x'')'),
    ('SELECT pay_ops.resolve_dead_letter(1, ''me'', ''why'')'),
    ('SELECT pay.accept_late(''m'', ''c'')'),
    ('SELECT * FROM pay_relay.mark_messages(''kafka'', ''r'', 1000, 0)'),
    ('UPDATE pay.dead_letter SET state = ''open'''),
    ('SELECT * FROM pay.late_success'),
    ('ALTER TABLE pay.event DISABLE TRIGGER ALL'),
    ('SET session_replication_role = replica')
    ) s (sql);

SELECT is(pg_temp.run_as('payments_gateway', sql), 'ok', sql)
FROM (VALUES
    ('SELECT * FROM pay_api.ready()'),
    ('SELECT * FROM pay_api.get_checkout(''{m}'', ''{c}'')'),
    ('SELECT * FROM pay_api.claim_jobs(''{w}'', ''{1000}'')')
    ) s (sql);

SELECT is(pg_temp.run_as('payments_auditor', sql), state, sql)
FROM (VALUES
    ('SELECT * FROM pay.checkout', 'ok'),
    ('SELECT * FROM pay.event', 'ok'),
    ('SELECT * FROM pay_view.timeline', 'ok'),
    ('DELETE FROM pay.checkout', '42501'),
    ('SELECT pay_ops.requeue_dead_letter(0, ''me'', ''why'')', '42501'),
    ('SELECT pay_ops.accept_dead_letter(0, ''me'', ''why'')', '42501'),
    ('SELECT * FROM pay_view.find(''x'')', 'ok'),
    ('SELECT pay_ops.resolve_dead_letter(0, ''me'', ''why'')', '42501'),
    ('SELECT * FROM pay_api.get_checkout(''{m}'', ''{c}'')', '42501')
    ) s (sql, state);

SELECT is(pg_temp.run_as('payments_operator', sql), state, 'operator: ' || sql)
FROM (VALUES
    ('SELECT * FROM pay.dead_letter', 'ok'),
    ('SELECT * FROM pay_view.timeline', 'ok'),
    ('SELECT pay_ops.requeue_dead_letter(0, ''me'', ''why'')', 'ok'),
    ('SELECT pay_ops.resolve_dead_letter(0, ''me'', ''why'')', 'ok'),
    ('DELETE FROM pay.dead_letter', '42501'),
    ('UPDATE pay.dead_letter SET state = ''settled''', '42501'),
    ('UPDATE pay.payment_order SET status = ''SUCCESS''', '42501'),
    ('UPDATE pay.late_success SET state = ''accepted''', '42501'),
    ('INSERT INTO pay.event DEFAULT VALUES', '42501'),
    ('SELECT pay.accept_late(''m'', ''c'')', '42501'),
    ('SELECT pay.start_job(''m'', ''c'', ''poll'')', '42501'),
    ('SELECT pay.record_facts(NULL)', '42501'),
    ('SELECT * FROM pay_api.get_checkout(''{m}'', ''{c}'')', '42501'),
    ('SELECT * FROM pay_api.claim_jobs(''{w}'', ''{1000}'')', '42501'),
    ('CREATE TABLE pay_ops.mine (a int)', '42501'),
    ('CREATE FUNCTION pay_ops.mine() RETURNS int LANGUAGE sql AS ''SELECT 1''',
     '42501')
    ) s (sql, state);

SELECT is(pg_temp.run_as('payments_relay', sql), state, 'relay: ' || sql)
FROM (VALUES
    ('SELECT * FROM pay_relay.claim_messages(''kafka'', ''r'', 1000, 0, 1)',
     'ok'),
    ('SELECT * FROM pay_relay.mark_messages(''kafka'', ''r'', 1000, 0)', 'ok'),
    ('SELECT * FROM pay.message', '42501'),
    ('UPDATE pay.message_reader SET position = 0', '42501'),
    ('SELECT pay.hold_reader(''kafka'', ''r'', 1000)', '42501'),
    ('SELECT * FROM pay_view.timeline', '42501'),
    ('SELECT * FROM pay_api.publish_events(''{w}'', ''{1}'')', '42501'),
    ('SELECT * FROM pay_api.list_messages(''{m}'', ''{NULL}'', ''{NULL}'', '
     '''{NULL}'', ''{1}'')', '42501'),
    ('CREATE TEMPORARY TABLE mine (a int)', '42501')
    ) s (sql, state);

SELECT is(pg_temp.run_as('payments_console', sql), state, 'console: ' || sql)
FROM (VALUES
    ('SELECT * FROM pay_console.read_page(''{me}'', ''{ann}'', '
     'ARRAY[''["viewer"]''::jsonb], ARRAY[NULL::jsonb], '
     'ARRAY[''{}''::jsonb])', 'ok'),
    ('SELECT * FROM pay.checkout', '42501'),
    ('SELECT * FROM pay.console_right', '42501'),
    ('SELECT pay.console_me(''ann'', ''["viewer"]'', NULL)', '42501'),
    ('SELECT * FROM pay_view.find(''x'')', '42501'),
    ('SELECT * FROM pay_api.ready()', '42501'),
    ('SELECT pay_ops.resolve_dead_letter(0, ''me'', ''why'')', '42501'),
    ('CREATE TEMPORARY TABLE mine (a int)', '42501')
    ) s (sql, state);

SELECT is(setting, value, 'payments_console has ' || setting)
FROM (VALUES
    ('default_transaction_read_only=on'), ('statement_timeout=3s'),
    ('lock_timeout=1s')) v (value)
LEFT JOIN LATERAL (
    SELECT s AS setting FROM pg_db_role_setting d
    CROSS JOIN LATERAL unnest(d.setconfig) s
    WHERE d.setrole = 'payments_console'::regrole AND s = v.value) s ON true;

SELECT is(schema_version, '0077', 'ready knows the newest migration')
FROM pay_api.ready();

SELECT throws_ok(sql, 'PAY01', NULL, sql)
FROM (VALUES
    ($$SELECT * FROM pay_api.get_checkout('{a,b}', '{a}')$$),
    ($$SELECT * FROM pay_api.get_checkout(NULL, '{a}')$$),
    ($$SELECT * FROM pay_api.get_checkout('{{a,b}}', '{{a,b}}')$$),
    ($$SELECT * FROM pay_api.get_checkout('[2:2]={a}', '[2:2]={a}')$$),
    ($$SELECT * FROM pay_api.get_checkout(array_fill('a'::text, '{10000}'),
                                          array_fill('a'::text, '{10000}'))$$)
    ) s (sql);

SELECT is_empty($$SELECT * FROM pay_api.get_checkout('{}', '{}')$$,
                'an empty batch has no rows');

SELECT finish();
ROLLBACK;
