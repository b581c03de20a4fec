-- begin_look, keep_look and end_look: one worker at a time reads a source, and
-- its row is what the directive says; a worker that was too slow adds nothing.

BEGIN;
\ir helpers.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.begins(
    p_owner text DEFAULT 'w1', p_source text DEFAULT 'inbox',
    p_merchant text DEFAULT 'm', p_psp text DEFAULT 'stripe',
    p_format text DEFAULT 'stripe', p_account text DEFAULT NULL,
    p_way text DEFAULT 'dir', p_interval_ms bigint DEFAULT 600000,
    p_lease_ms bigint DEFAULT 60000)
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', b.outcome, floor(extract(epoch FROM now())) - b.since_s)
FROM pay_api.begin_look(ARRAY[p_source], ARRAY[p_format], ARRAY[p_merchant],
    ARRAY[p_psp], ARRAY[p_account], ARRAY[p_way], ARRAY[p_owner],
    ARRAY[p_interval_ms], ARRAY[p_lease_ms]) b
$$;
CREATE FUNCTION pg_temp.ends(
    p_owner text DEFAULT 'w1', p_again bigint DEFAULT 0,
    p_code text DEFAULT NULL, p_files bigint DEFAULT 1,
    p_seen_s bigint DEFAULT NULL, p_source text DEFAULT 'inbox')
RETURNS text LANGUAGE sql AS $$
SELECT e.outcome FROM pay_api.end_look(ARRAY[p_source], ARRAY[p_owner],
    ARRAY[p_seen_s], ARRAY[p_files], ARRAY[p_again], ARRAY[p_code]) e
$$;
CREATE FUNCTION pg_temp.stands(p_source text DEFAULT 'inbox')
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', l.way, l.run_at - now(), l.lease_owner, l.runs, l.files,
                 l.failures, l.code)
FROM pay.settlement_look l WHERE l.source = p_source
$$;
CREATE FUNCTION pg_temp.said() RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', s.medium, s.format, s.merchant_id, s.psp, s.account,
                 s.overdue_days)
FROM pay.settlement_source s WHERE s.source = 'inbox'
$$;

-- one at a time
SELECT is(pg_temp.begins(), 'due 0', 'the first look; its row is made');
SELECT is(pg_temp.said(), 'psp stripe m stripe 9', 'as the directive says');
SELECT is(pg_temp.stands(), 'dir 00:10:00 w1 0 0 0', 'under a lease');
SELECT is(pg_temp.begins('w2'), 'not_due', 'one worker at a time');
SELECT is(k.outcome, 'gone', 'another one''s lease')
FROM pay_api.keep_look('{inbox}', '{w2}', '{60000}') k;
SELECT is(k.outcome, 'kept', 'a lease is renewed')
FROM pay_api.keep_look('{inbox}', '{w1}', '{120000}') k;
SELECT is(l.lease_until - now(), '2 min', 'for as long as it says')
FROM pay.settlement_look l;
SELECT is(k.outcome, 'invalid', 'but not for ever')
FROM pay_api.keep_look('{inbox}', '{w1}', '{86400001}') k;
SELECT is(pg_temp.ends('w2'), 'gone', 'another''s end');
SELECT is(pg_temp.ends(), 'stored', 'the end');
SELECT is(pg_temp.stands(), 'dir 00:10:00 1 1 0', 'later again');
SELECT is(pg_temp.ends(), 'gone', 'twice');
SELECT is(pg_temp.begins(), 'not_due', 'not before its time');
SELECT is(pg_temp.begins(p_interval_ms => 60000), 'due 0',
          'a shorter interval counts at once');
SELECT is(pg_temp.ends(p_again => 1), 'stored', 'more is there');
SELECT is(pg_temp.begins('w3'), 'due 0', 'then at once');
SELECT is(pg_temp.ends('w3', p_code => 'unreadable', p_files => 0), 'stored',
          'it failed');
SELECT is(pg_temp.stands(), 'dir 00:10:00 3 2 1 unreadable', 'which is kept');
UPDATE pay.settlement_look SET run_at = now();
SELECT is(pg_temp.begins('w4'), 'due 0', 'it dies');
UPDATE pay.settlement_look SET run_at = now(), lease_until = now();
SELECT is(pg_temp.begins('w5'), 'due 0', 'and another one goes on');
SELECT is(pg_temp.ends('w4'), 'gone', 'the dead one is heard no more');
SELECT is(pg_temp.ends('w5', p_seen_s =>
    floor(extract(epoch FROM now()))::bigint - 100), 'stored', 'pulled so far');
UPDATE pay.settlement_look SET run_at = now();
UPDATE pay.settlement_source SET since = now() - interval '20 days';
SELECT is(pg_temp.begins(), 'due 864100', 'the next pull looks back from there');
UPDATE pay.settlement_look SET run_at = now(), lease_until = now();
UPDATE pay.settlement_source SET since = now() - interval '20 s';
SELECT is(pg_temp.begins(), 'due 20', 'but not before its beginning');
SELECT is(pg_temp.ends(p_seen_s =>
    floor(extract(epoch FROM now()))::bigint + 3600), 'invalid',
    'not in the future');
SELECT is(pg_temp.ends(p_again => 2), 'invalid', 'again is 0 or 1');

-- what stands in the configuration, and what payctl says
SELECT is(pg_temp.begins(p_account => 'A1'), 'not_due', 'its account');
SELECT is(pg_temp.said(), 'psp stripe m stripe A1 9', 'is kept');
SELECT is(pg_temp.begins(), 'not_due', 'a directive without one');
SELECT is(pg_temp.said(), 'psp stripe m stripe A1 9', 'leaves it');
SELECT is(pay_ops.set_settlement_source('inbox', v.format, v.merchant, v.psp,
    v.account, NULL, 4), v.said, v.about)
FROM (VALUES ('adyen', 'm', 'stripe', 'A1', 'configured', 'its format'),
             ('stripe', 'n', 'stripe', 'A1', 'configured', 'its merchant'),
             ('stripe', 'm', NULL, 'A1', 'configured', 'its PSP'),
             ('stripe', 'm', 'stripe', NULL, 'configured', 'its account'),
             ('stripe', 'm', 'stripe', 'A1', 'stored', 'its delay'))
    AS v (format, merchant, psp, account, said, about);
SELECT is(pg_temp.said(), 'psp stripe m stripe A1 4', 'only that is payctl''s');
UPDATE pay.settlement_look SET declared_at = now() - interval '3 days';
SELECT is(pay_ops.set_settlement_source('inbox', 'adyen', 'm', 'stripe', NULL,
    NULL, NULL), 'stored', 'a source that stands there no more is payctl''s');
SELECT is(pg_temp.begins(p_way => 'pull', p_format => 'mollie'), 'not_due',
          'a directive that was changed');
SELECT is(pg_temp.said(), 'psp mollie m stripe 4', 'changes the row');
SELECT is((pay_ops.open_settlement('inbox', encode(sha256('a'), 'hex'),
    'f')).outcome, 'opened', 'a file');
SELECT is(pg_temp.begins(p_merchant => 'n'), 'exists',
          'whose merchant stays');
SELECT is(pg_temp.begins(p_psp => NULL), 'exists', 'and whose PSP');
SELECT is(pg_temp.begins(p_source => 'No Name'), 'invalid', 'a bad name');
SELECT is(pg_temp.begins(p_source => 'x', p_merchant => NULL), 'invalid',
          'no merchant');
SELECT is(pg_temp.begins(p_source => 'x', p_way => 'mail'), 'invalid',
          'no such way');
SELECT is(pg_temp.begins(p_source => 'x', p_lease_ms => 0), 'invalid',
          'no lease');
SELECT is((SELECT count(*) FROM pay.settlement_source), 1::bigint,
          'none of them is kept');

-- attempts: the rows of a worker that was overtaken count no more
SELECT file_id AS id FROM pay.settlement_file
\gset
CREATE FUNCTION pg_temp.stages(p_file_id bigint, p_attempt bigint)
RETURNS text LANGUAGE sql AS $$
SELECT s.outcome FROM pay_api.stage_settlement(ARRAY[p_file_id],
    ARRAY[p_attempt], '{1}', '{1}', '{r1}', '{fee}', '{NULL}', '{NULL}',
    '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{0}', '{-1}', '{0}', '{-1}',
    '{USD}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}',
    '{NULL}', '{0}') s
$$;
SELECT is(pg_temp.stages(:id, 1), 'staged', 'the first attempt');
SELECT is(o.outcome || o.attempt, 'again2', 'another worker begins again')
FROM pay_api.open_settlement('{inbox}', ARRAY[sha256('a')], '{f}') o;
SELECT is(pg_temp.stages(:id, 1), 'invalid', 'the first one is too slow');
SELECT is((SELECT count(*) FROM pay.settlement_staging), 0::bigint,
          'and leaves nothing');
SELECT is(p.outcome, 'invalid', 'it proves nothing')
FROM pay_api.prove_settlement(ARRAY[:id], '{1}', '{NULL}', '{0}', '{"{}"}') p;
SELECT is(r.outcome, 'invalid', 'and refuses nothing')
FROM pay_api.refuse_settlement(ARRAY[:id], '{1}', '{why}') r;
SELECT is(pg_temp.stages(:id, 2), 'staged', 'the second one goes on');
SELECT is(array_agg(r.outcome ORDER BY r.item)::text,
          '{refused,not_found,invalid}', 'and may refuse, with a reason')
FROM pay_api.refuse_settlement(ARRAY[:id, 0, :id], '{2,1,2}',
                               '{"line 2: row-sum",why,NULL}') r;
SELECT is(f.state || ' ' || f.reason, 'refused line 2: row-sum', 'refused')
FROM pay.settlement_file f;
SELECT is(o.outcome || o.attempt || o.state, 'again3received',
          'a refused file may be read again')
FROM pay_api.open_settlement('{inbox}', ARRAY[sha256('a')], '{f}') o;
SELECT is(pg_temp.stages(:id, 3), 'staged', 'its row');
SELECT is(p.outcome, 'proven', 'proven')
FROM pay_api.prove_settlement(ARRAY[:id], '{3}', '{NULL}', '{1}', '{"{}"}') p;
SELECT is(string_agg(a.outcome, ' ' ORDER BY n), 'booking booked', 'booked')
FROM generate_series(1, 2) n,
    pay_api.advance_settlement(ARRAY[:id], ARRAY[5000 + 0 * n]) a;
SELECT is(r.outcome, 'invalid', 'what is booked is not refused')
FROM pay_api.refuse_settlement(ARRAY[:id], '{3}', '{why}') r;

-- a second worker books parts of a file beside the one that has read it
UPDATE pay.settlement_look SET lease_owner = NULL, lease_until = NULL,
    run_at = now(), declared_at = now();
SELECT s.format AS format, s.merchant_id AS merchant, l.way AS way
FROM pay.settlement_source s JOIN pay.settlement_look l USING (source)
\gset
CREATE FUNCTION pg_temp.helps(p_owner text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', b.outcome, nullif(b.file_id, 0),
    CASE WHEN num_nulls(b.since_s, b.balance_due, b.file_id) NOT IN (0, 3)
         THEN 'half a row' END)
FROM pay.settlement_source s
JOIN pay.settlement_look l USING (source)
CROSS JOIN LATERAL pay_api.begin_look(ARRAY[s.source::text],
    ARRAY[s.format::text], ARRAY[s.merchant_id::text], ARRAY[s.psp::text],
    '{NULL}', ARRAY[l.way], ARRAY[p_owner], '{600000}', '{60000}') b
$$;
SELECT is(pg_temp.helps('w1'), 'due', 'one worker has the look');
SELECT is(pg_temp.helps('w2'), 'not_due', 'nothing is booked yet');
SELECT o.file_id AS id FROM pay_api.open_settlement('{inbox}',
    ARRAY[sha256('b')], '{g}') o
\gset
INSERT INTO pay.settlement_staging (file_id, line, row_key, kind, gross_minor,
    net_minor, currency)
SELECT :id, n, 'h' || n, 'fee', 0, 0, 'EUR' FROM generate_series(1, 40) n;
SELECT is(p.outcome, 'proven', 'its file')
FROM pay_api.prove_settlement(ARRAY[:id], '{1}', '{NULL}', '{40}', '{"{}"}') p;
SELECT is(pg_temp.helps('w2'), 'not_due', 'has no parts yet');
CREATE FUNCTION pg_temp.advances(p_id bigint) RETURNS text LANGUAGE sql AS $$
SELECT a.outcome FROM pay_api.advance_settlement(ARRAY[p_id], '{10}') a
$$;
SELECT is(pg_temp.advances(:id), 'booking', 'it is divided');
SELECT is(pg_temp.helps('w1'), 'not_due', 'its reader needs no help of its own');
SELECT is(pg_temp.helps('w2'), 'booking ' || :id, 'another worker helps');
SELECT is(pg_temp.helps('w3'), 'not_due', 'but no third one');
SELECT is(k.outcome, 'kept', 'a helper renews its lease')
FROM pay_api.keep_look('{inbox}', '{w2}', '{120000}') k;
SELECT is(concat_ws(' ', l.lease_owner, l.lease_until - now(), l.helper,
                    l.helper_until - now()), 'w1 00:01:00 w2 00:02:00',
          'and not that of the other one')
FROM pay.settlement_look l;
SELECT is(k.outcome, 'gone', 'a third worker has none')
FROM pay_api.keep_look('{inbox}', '{w3}', '{120000}') k;
SELECT is(pg_temp.ends('w2'), 'stored', 'the helper ends');
SELECT is(concat_ws(' ', l.lease_owner, l.helper, l.runs - r.runs), 'w1 0',
          'the look does not')
FROM pay.settlement_look l, (SELECT runs FROM pay.settlement_look) r;
SELECT is(pg_temp.ends('w2'), 'gone', 'once');
SELECT is(pg_temp.helps('w3'), 'booking ' || :id, 'and another one helps');
UPDATE pay.settlement_look SET helper_until = now();
SELECT is(pg_temp.helps('w4'), 'booking ' || :id, 'one takes a dead one''s place');
SELECT is(pg_temp.ends('w3'), 'gone', 'which is heard no more');
SELECT is(pg_temp.ends('w4'), 'stored', 'it ends');
SELECT is(string_agg(pg_temp.advances(:id + 0 * n), ' '),
          'booking booking booking', 'three of four parts')
FROM generate_series(1, 3) n;
SELECT is(pg_temp.helps('w2'), 'not_due', 'one part needs no help');
SELECT is(string_agg(pg_temp.advances(:id + 0 * n), ' '), 'booking booked',
          'the last one')
FROM generate_series(1, 2) n;

\i :checks
SELECT * FROM finish();
ROLLBACK;
