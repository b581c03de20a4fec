-- Lists of risk: what operators may enter, what becomes of it, and what an entry
-- does to a payment.

BEGIN;
\ir helpers.psql
\ir risk.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.add(
    p_effect text, p_value text, p_kind text DEFAULT 'email',
    p_merchant text DEFAULT 'm1', p_until timestamptz DEFAULT NULL,
    p_who text DEFAULT 'ann', p_why text DEFAULT 'test')
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.risk_list_add(p_merchant, p_effect, p_kind,
    pg_temp.key(p_value, p_kind) -> 0 ->> 1, p_until, p_who, p_why)
$$;
CREATE FUNCTION pg_temp.remove(
    p_effect text, p_value text, p_kind text DEFAULT 'email',
    p_merchant text DEFAULT 'm1', p_why text DEFAULT 'over')
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.risk_list_remove(p_merchant, p_effect, p_kind,
    pg_temp.key(p_value, p_kind) -> 0 ->> 1, 'eve', p_why)
$$;
-- a payment with this key: its outcome, and what was decided
CREATE FUNCTION pg_temp.pays(
    p_checkout text, p_keys jsonb, p_decision text DEFAULT 'allow',
    p_allowed boolean DEFAULT false, p_windows jsonb DEFAULT '[]',
    p_merchant text DEFAULT 'm1')
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_outcome text := pg_temp.look(p_checkout, pg_temp.risk(p_decision,
        p_keys, p_windows, p_allowed => p_allowed), p_merchant => p_merchant);
BEGIN
    RETURN v_outcome || ' ' || pg_temp.decided(p_checkout);
END
$$;

-- acts
SELECT is(pg_temp.add('block', 'ann'), 'added', 'a new entry');
SELECT is(pg_temp.add('block', 'ann'), 'unchanged', 'the same again');
SELECT is(pg_temp.add('block', 'ann', p_until => now() + interval '1 h'),
          'changed', 'another end');
SELECT is(pg_temp.remove('allow', 'ann'), 'not_found', 'another effect');
SELECT is(pg_temp.remove('block', 'ann', p_merchant => 'm2'), 'not_found',
          'another merchant');
SELECT is(pg_temp.remove('block', 'ann', p_why => ' '), 'invalid', 'no reason');
SELECT is(pg_temp.remove('block', 'ann'), 'removed', 'removed');
SELECT is(pg_temp.remove('block', 'ann'), 'not_found', 'it is gone');
SELECT is(string_agg(concat_ws(' ', a.act, a.who, a.why,
                               a.until IS NOT NULL), ', ' ORDER BY a.act_id),
    'added ann test f, changed ann test t, removed eve over t',
    'who did what, and why')
FROM pay.risk_list_act a;
SELECT throws_ok(sql, 'PAY20', NULL, sql) FROM (VALUES
    ('UPDATE pay.risk_list_act SET who = ''eve'''),
    ('DELETE FROM pay.risk_list_act'),
    ('TRUNCATE pay.risk_list_act')) t (sql);

-- what cannot be an entry
SELECT is(pay_ops.risk_list_add('m1', effect, kind, value, until, who, why),
    'invalid', concat_ws(' ', effect, kind, value, who, why))
FROM (VALUES
    ('deny', 'country', 'DE', NULL::timestamptz, 'ann', 'why'),
    (NULL, 'country', 'DE', NULL, 'ann', 'why'),
    ('block', 'mail', 'DE', NULL, 'ann', 'why'),
    ('block', NULL, 'DE', NULL, 'ann', 'why'),
    ('block', 'country', 'de', NULL, 'ann', 'why'),
    ('block', 'country', 'DEU', NULL, 'ann', 'why'),
    ('block', 'country', NULL, NULL, 'ann', 'why'),
    ('block', 'email', 'ann@example.com', NULL, 'ann', 'why'),
    ('block', 'email', upper(pg_temp.hash('a')), NULL, 'ann', 'why'),
    ('block', 'card', '4111111111111111', NULL, 'ann', 'why'),
    ('block', 'email_domain', 'Example.org', NULL, 'ann', 'why'),
    ('block', 'ip', '192.0.2.1', NULL, 'ann', 'why'),
    ('block', 'ip', '192.0.2.1/24', NULL, 'ann', 'why'),
    ('block', 'ip', '192.0.2.0/25', NULL, 'ann', 'why'),
    ('block', 'ip', '192.0.2.256/32', NULL, 'ann', 'why'),
    ('block', 'ip', '192.0.2.0/33', NULL, 'ann', 'why'),
    ('block', 'ip', '2001:DB8::/32', NULL, 'ann', 'why'),
    ('block', 'ip', '2001:db8:0::/48', NULL, 'ann', 'why'),
    ('block', 'ip', '2001:db8::/56', NULL, 'ann', 'why'),
    ('block', 'country', 'DE', now(), 'ann', 'why'),
    ('block', 'country', 'DE', NULL, '', 'why'),
    ('block', 'country', 'DE', NULL, 'ann', ''),
    ('block', 'country', 'DE', NULL, NULL, 'why')
    ) t (effect, kind, value, until, who, why);
SELECT is(pay_ops.risk_list_add('', 'block', 'country', 'DE', NULL, 'ann',
                                'why'), 'invalid', 'no merchant');
SELECT is(pg_temp.add('block', p, 'ip'), 'added', p)
FROM unnest('{192.0.2.1/32,192.0.2.0/24,192.0.0.0/16,10.0.0.0/8,
    2001:db8::1/128,2001:db8::/64,2001:db8::/48,2001:db8::/32}'::text[]) p;

-- each effect
SELECT is(pg_temp.add(e, e), 'added', e)
FROM unnest('{allow,challenge,review,block}'::text[]) e;
SELECT is(pg_temp.pays('e-' || e, pg_temp.key(e)),
    format('%s %s list list/email/%2$s',
           CASE e WHEN 'block' THEN 'blocked' ELSE 'created' END, e),
    'an entry of ' || e)
FROM unnest('{allow,challenge,review,block}'::text[]) e;
SELECT is(pg_temp.status('m1', 'o-e-block'), 'FAILED/risk', 'it has failed');
SELECT is((SELECT count(*) FROM pay.payout_hold h
           WHERE h.payment_order_id = 'o-e-review'), 1::bigint, 'it is held');
SELECT is(d.hits -> 0 ->> 'entry', (
    SELECT l.list_id::text FROM pay.risk_list l
    WHERE l.effect = 'block' AND l.kind = 'email'), 'the hit names the entry')
FROM pay.risk_decision d WHERE d.checkout_id = 'e-block';
SELECT ok(d.hits::text NOT LIKE '%' || pg_temp.hash('block') || '%',
          'and no key')
FROM pay.risk_decision d WHERE d.checkout_id = 'e-block';

-- together: allow ends all, else the most severe word counts
SELECT is(pg_temp.pays('both', pg_temp.key('allow') || pg_temp.key('block')),
    'created allow list list/email/allow list/email/block', 'allow first');
SELECT is(pg_temp.pays('rule-blocks', pg_temp.key('allow'), 'block'),
    'created allow list list/email/allow', 'also of a rule');
SELECT is(pg_temp.pays('window-blocks', pg_temp.key('allow'),
                       p_windows => pg_temp.window('w', 0)),
    'created allow list list/email/allow window/per-email/block',
    'also of a window');
SELECT is(pg_temp.pays('rule-allows', pg_temp.key('block'), 'allow', true),
    'created allow rule list/email/block', 'a rule that allows');
SELECT is(pg_temp.pays('worse', pg_temp.key('challenge')
                                || pg_temp.key('review')),
    'created review list list/email/challenge list/email/review', 'the worse');
SELECT is(pg_temp.pays('rule-worse', pg_temp.key('challenge'), 'review'),
    'created review rule list/email/challenge', 'a rule''s word is worse');
SELECT is(pg_temp.pays('list-worse', pg_temp.key('block'), 'review'),
    'blocked block list list/email/block', 'the list''s is');
SELECT is(pg_temp.pays('window-worse', pg_temp.key('challenge'),
                       p_windows => pg_temp.window('w', 0, 'review')),
    'created review window list/email/challenge window/per-email/review',
    'a window''s is');

-- other keys, other merchants, all merchants
SELECT is(pg_temp.pays('nobody', pg_temp.key('nobody')), 'created allow none',
          'no entry');
SELECT is(pg_temp.pays('phone', pg_temp.key('block', 'phone')),
          'created allow none', 'the same hash of another kind');
SELECT is(pg_temp.pays('theirs', pg_temp.key('block'), p_merchant => 'm2'),
          'created allow none', 'an entry is its merchant''s');
SELECT is(pg_temp.add('block', 'KP', 'country', '*'), 'added', 'of all');
SELECT is(pg_temp.pays('all-' || m, pg_temp.key('KP', 'country'),
                       p_merchant => m),
    'blocked block list list/country/block', 'of ' || m)
FROM unnest('{m1,m2}'::text[]) m;
SELECT is(pg_temp.add('allow', 'KP', 'country', 'm2'), 'added', 'but of one');
SELECT is(pg_temp.pays('all-but', pg_temp.key('KP', 'country'),
                       p_merchant => 'm2'),
    'created allow list list/country/allow list/country/block', 'allows it');
SELECT is(pg_temp.add('review', 'example.org', 'email_domain'), 'added', '@');
SELECT is(pg_temp.pays('domain', pg_temp.key('example.org', 'email_domain')),
    'created review list list/email_domain/review', 'a domain');
SELECT is(pg_temp.pays('address', pg_temp.key('192.0.2.9/32', 'ip')
                                  || pg_temp.key('192.0.2.0/24', 'ip')),
    'blocked block list list/ip/block', 'a prefix');

-- an end
SELECT is(pg_temp.add('block', 'late', p_until => now() + interval '1 s'),
          'added', 'until then');
SELECT is(pg_temp.pays('in-time', pg_temp.key('late')),
    'blocked block list list/email/block', 'in time');
UPDATE pay.risk_list SET until = now() WHERE until IS NOT NULL;
SELECT is(pg_temp.pays('over', pg_temp.key('late')), 'created allow none',
          'its time is over');
SELECT is(pg_temp.add('block', 'late'), 'changed', 'without an end');
SELECT is(pg_temp.pays('again', pg_temp.key('late')),
    'blocked block list list/email/block', 'it counts again');
SELECT is(pg_temp.remove('block', 'late'), 'removed', 'removed');
SELECT is(pg_temp.pays('gone', pg_temp.key('late')), 'created allow none',
          'it counts no more');

-- many at once: all or nothing
CREATE FUNCTION pg_temp.import(
    p_values text[], p_effect text DEFAULT 'block',
    p_kind text DEFAULT 'country', p_until timestamptz DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', i.outcome, i.added, i.changed, i.bad)
FROM pay_ops.risk_list_import('m3',
    array_fill(p_effect, ARRAY[cardinality(p_values)]),
    array_fill(p_kind, ARRAY[cardinality(p_values)]), p_values,
    array_fill(p_until, ARRAY[cardinality(p_values)]), 'ann', 'test') i
$$;
SELECT is(pg_temp.import('{DE,FR,IT}'), 'imported 3 0', 'three');
SELECT is(pg_temp.import('{DE,FR,ES,ES}'), 'imported 1 0', 'known ones stay');
SELECT is(pg_temp.import('{DE,AT}', p_until => now() + interval '1 d'),
          'imported 1 1', 'with an end');
SELECT is(pg_temp.import('{BE,NL,xx,yy}'), 'invalid 3', 'the first bad one');
SELECT is(pg_temp.import('{}'), 'invalid', 'none');
SELECT is(i.outcome, 'invalid', 'lengths that differ')
FROM pay_ops.risk_list_import('m3', '{block}', '{country,country}', '{DE,FR}',
                              '{NULL,NULL}', 'ann', 'test') i;
SELECT is(i.outcome, 'invalid', 'no reason')
FROM pay_ops.risk_list_import('m3', '{block}', '{country}', '{DE}', '{NULL}',
                              'ann', '') i;
SELECT is(i.outcome, 'invalid', 'too many')
FROM pay_ops.risk_list_import('m3', array_fill('block'::text, '{100001}'),
    array_fill('country'::text, '{100001}'), array_fill('DE'::text, '{100001}'),
    array_fill(NULL::timestamptz, '{100001}'), 'ann', 'test') i;
SELECT is(string_agg(l.value, ' ' ORDER BY l.list_id), 'DE FR IT ES AT',
          'the list')
FROM pay_ops.risk_list_list('m3') l;
SELECT is(string_agg(l.value, ' ' ORDER BY l.list_id), 'FR IT', 'by pages')
FROM pay_ops.risk_list_list('m3', (SELECT min(x.list_id) FROM pay.risk_list x
                                   WHERE x.merchant_id = 'm3'), 2) l;
SELECT is((SELECT count(*) FROM pay.risk_list_act a
           WHERE a.merchant_id = 'm3'), 6::bigint, 'an act for each');

-- who may
SELECT is(pg_temp.run_as(r, sql), s, r || ' ' || sql)
FROM (VALUES ('payments_gateway', '42501'), ('payments_auditor', '42501'),
             ('payments_operator', 'ok'), ('payments_relay', '42501')) t (r, s),
    unnest(ARRAY[
        'SELECT pay_ops.risk_list_add(''m'', ''x'', ''x'', ''x'', NULL, ''a'',
             ''b'')',
        'SELECT pay_ops.risk_list_remove(''m'', ''x'', ''x'', ''x'', ''a'',
             ''b'')',
        'SELECT * FROM pay_ops.risk_list_list(''m'')',
        'SELECT pay_ops.risk_list_import(''m'', ''{x}'', ''{x}'', ''{x}'',
             ''{NULL}'', ''a'', ''b'')']) sql;
SELECT is(pg_temp.run_as(r, 'DELETE FROM pay.risk_list'), '42501', r)
FROM unnest('{payments_gateway,payments_auditor,payments_operator}'::text[]) r;

\i :checks

SELECT finish();
ROLLBACK;
