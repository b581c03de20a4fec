-- What a worker does with a settlement file: the operations of the seam, with
-- the settings of the gateway's role.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'])
FROM generate_series(1, 4) n
\g /dev/null
SET LOCAL enable_seqscan = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL plan_cache_mode = 'force_generic_plan';

SELECT is(array_agg(concat_ws(' ', o.outcome, o.format, o.state)
                    ORDER BY o.item)::text,
    '{"opened generic received",not_found,invalid,invalid}', 'opened')
FROM pay_api.open_settlement('{stripe,nobody,stripe,stripe}',
    ARRAY[sha256('a'), sha256('a'), 'x', sha256('a')], '{f,f,f,NULL}') o;
SELECT file_id AS id FROM pay.settlement_file
\gset
SELECT is(array_agg(s.outcome ORDER BY s.item)::text, '{staged,not_found}',
          'its rows')
FROM pay_api.stage_settlement(ARRAY[:id, 0], '{1,1}', '{1,1,1,2}', '{1,2,3,1}',
    '{r1,r2,r3,x}', '{sale,refund,fee,fee}', '{charge,refund,NULL,NULL}',
    '{ch-1,re-1,NULL,NULL}', '{pi-c1,pi-c1,NULL,NULL}',
    '{NULL,NULL,NULL,NULL}', '{1763640000000000,NULL,NULL,NULL}',
    '{2026-11-20,NULL,NULL,NULL}', '{1000,-300,0,0}', '{-30,0,-20,-1}',
    '{0,0,0,0}', '{970,-300,-20,-1}', '{USD,USD,USD,USD}',
    '{NULL,NULL,NULL,NULL}', '{NULL,NULL,NULL,NULL}', '{1.5,NULL,NULL,NULL}',
    '{po-1,po-1,NULL,NULL}', '{NULL,NULL,NULL,NULL}', '{b,NULL,NULL,NULL}',
    '{n,NULL,NULL,NULL}',
    '{0,0,0,0}') s;
SELECT is(array_agg(p.outcome ORDER BY p.item)::text, '{proven,not_found}',
          'proven')
FROM pay_api.prove_settlement(ARRAY[:id, 0], '{1,1}', '{NULL,NULL}', '{3,1}',
    '{"{\"USD\": {\"rows\": 3, \"net\": 650}}","{}"}') p;
SELECT is(string_agg(a.outcome, ' ' ORDER BY n),
    'booking booking booking booked',
    'booked in steps: a refund is told first, on its own')
FROM generate_series(1, 4) n,
    pay_api.advance_settlement(ARRAY[:id], ARRAY[5000 + 0 * n]) a;
SELECT is(array_agg(a.outcome ORDER BY a.item)::text, '{not_found,invalid}',
          'none, and a step of nothing')
FROM pay_api.advance_settlement(ARRAY[0, :id], '{1,0}') a;
SELECT is((SELECT r.bank_ref || r.note FROM pay.settlement_row r
           WHERE r.row_key = 'r1'), 'bn', 'all of its columns');
SELECT is(pg_temp.found('r1', 'r2', 'r3'),
    '0 matched object, 1 confirmed object, 1 charged', 'found');
SELECT is(array_agg(s.outcome)::text, '{invalid}', 'nothing more comes in')
FROM pay_api.stage_settlement(ARRAY[:id], '{1}', '{1}', '{1}', '{r9}', '{fee}',
    '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{0}', '{-1}',
    '{0}', '{-1}', '{USD}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}',
    '{NULL}', '{NULL}', '{0}') s;
SELECT is(o.outcome, 'known', 'known')
FROM pay_api.open_settlement('{stripe}', ARRAY[sha256('a')], '{f}') o;
SELECT is((SELECT count(*) FROM pay.settlement_staging), 0::bigint,
          'no row is left behind');

\i :checks
SELECT * FROM finish();
ROLLBACK;
