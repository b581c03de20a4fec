-- Encrypted copies of settlement files: who keeps a piece, which copy counts,
-- and when it goes.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.opened(p_name text) RETURNS bigint
LANGUAGE sql AS $$
SELECT o.file_id FROM pay_api.open_settlement('{stripe}',
    ARRAY[sha256(convert_to(p_name, 'UTF8'))], ARRAY[p_name]) o
$$;

-- pieces of 20 bytes, which are nobody's
CREATE FUNCTION pg_temp.keep(
    p_file_id bigint, p_attempt bigint, p_number bigint, p_is_last bigint,
    p_kid text DEFAULT 'k1')
RETURNS text LANGUAGE sql AS $$
SELECT k.outcome FROM pay_api.keep_settlement(ARRAY[p_file_id],
    ARRAY[p_attempt], '{1}', ARRAY[p_number], ARRAY[p_is_last],
    ARRAY[p_kid], ARRAY[substr(sha256(convert_to(concat_ws('/', p_file_id,
        p_attempt, p_number), 'UTF8')), 1, 12)],
    ARRAY[substr(sha256('x'), 1, 20)]) k
$$;

SELECT pg_temp.opened('a') AS a, pg_temp.opened('b') AS b
\gset
SELECT is(array_agg(k.outcome ORDER BY k.item)::text,
          '{kept,not_found,invalid}',
          'pieces of a file that is read, of none, of another attempt')
FROM pay_api.keep_settlement(ARRAY[:a, 0, :b], '{1,1,2}', '{1,1,2,3}',
    '{1,2,1,1}', '{0,0,0,0}', '{k1,k1,k1,k1}',
    ARRAY['nonce number', 'nonce-number', 'nonce_number', 'nonce.number']
        ::bytea[],
    ARRAY['sixteen bytes of', 'sixteen bytes of', 'sixteen bytes of',
          'sixteen bytes of']::bytea[]) k;
SELECT is((SELECT string_agg(concat_ws(' ', c.file_id = :a, c.number,
               c.is_last), ', ' ORDER BY c.number)
           FROM pay.settlement_copy c),
          't 1 f, t 2 f', 'only those of the first are there');
SELECT is((SELECT c.is_whole FROM pay_ops.copied_settlement(:a) c), false,
          'a copy without its last piece is not whole');
SELECT is(pg_temp.keep(:a, 1, 3, 1, 'k2'), 'kept', 'the last one');
SELECT is((SELECT concat_ws(' ', c.name, c.attempt, c.pieces, c.is_whole,
               c.is_pulled) FROM pay_ops.copied_settlement(:a) c),
          'a 1 3 t f', 'whole');
SELECT is((SELECT concat_ws(' ', c.pieces, c.bytes, c.is_whole, c.kids)
           FROM pay_view.settlement_copies c WHERE c.file_id = :a),
          '3 4 t {k1,k2}', 'and shown so, with the keys that it needs');
SELECT is((SELECT concat_ws(' ', p.is_last, p.kid, p.nonce, p.bytes)
           FROM pay_ops.settlement_piece(:a, 1, 2) p),
          concat_ws(' ', 'f', 'k1', 'nonce-number'::bytea,
                    'sixteen bytes of'::bytea), 'a piece');
SELECT is((SELECT c.name FROM pay_ops.copied_settlement(0) c), NULL,
          'of no file');
SELECT o.file_id AS pulled FROM pay_api.open_settlement('{stripe}',
    ARRAY[sha256('pulled settlement po_1')], '{po_1}') o
\gset
SELECT is((SELECT c.is_pulled FROM pay_ops.copied_settlement(:pulled) c), true,
          'the digest of a pulled one is that of its name');
SELECT o.file_id AS version FROM pay_api.open_settlement('{stripe}',
    ARRAY[(SELECT pay.next_version_sha256(f) FROM pay.settlement_file f
           WHERE f.file_id = :pulled)], '{po_1}') o
\gset
SELECT is((SELECT c.is_pulled FROM pay_ops.copied_settlement(:version) c), true,
          'and that of its next version that of the one before');

-- each attempt has a copy of its own, and the last one's counts
SELECT is(pg_temp.keep(:b, 1, 1, 0), 'kept', 'an attempt that breaks off');
SELECT pg_temp.opened('b')
\g /dev/null
SELECT is(pg_temp.keep(:b, 1, 2, 1), 'invalid', 'is too slow then');
SELECT is(pg_temp.keep(:b, 2, 1, 1), 'kept', 'the next one');
SELECT is((SELECT concat_ws(' ', c.attempt, c.pieces, c.is_whole)
           FROM pay_ops.copied_settlement(:b) c), '2 1 t', 'counts');
SELECT throws_ok(format('SELECT pay_ops.keep_settlement(%s, 1, 3, true, ''k'','
    ' ''nonce.nonce.'', ''sixteen bytes of'')', :b), 'PAY24', NULL,
    'payctl that was overtaken keeps nothing');

-- append-only
SELECT throws_ok(format('SELECT pg_temp.keep(%s, 1, 3, 0)', :a), '23505', NULL,
                 'no piece is kept twice');
SELECT throws_ok(sql, '23514', NULL, sql)
FROM (VALUES
    (format('SELECT pg_temp.keep(%s, 1, 4, 0, ''a b'')', :a)),
    (format('SELECT pg_temp.keep(%s, 1, 0, 0)', :a))) t (sql);
SELECT throws_ok('UPDATE pay.settlement_copy SET bytes = ''''', 'PAY20', NULL,
                 'pieces are not changed');
SELECT throws_ok('TRUNCATE pay.settlement_copy', 'PAY20', NULL, 'nor all gone');
SELECT throws_ok(format($$INSERT INTO pay.settlement_copy (file_id, attempt,
    number, is_last, kid, nonce, bytes) VALUES (%s, 2, 9, false, 'k1',
    'nonce-number', 'sixteen bytes of')$$, :b), '23505', NULL,
    'a nonce comes once under a key');
SELECT is(pg_temp.run_as(r, format('SELECT pay_ops.settlement_piece(%s, 1, 1)',
                                   :a)), '42501', r || ' may not')
FROM unnest('{payments_gateway,payments_auditor}'::text[]) r;

-- what a source keeps follows its directive, and payctl is told
SELECT is((SELECT b.outcome FROM pay_api.begin_look('{inbox}', '{generic}',
    '{m1}', '{NULL}', '{NULL}', '{dir}', '{w:1:2}', '{1000}', '{1000}',
    '{copy}') b), 'due', 'a source that keeps copies');
SELECT is((SELECT o.keep FROM pay_ops.open_settlement('inbox',
    encode(sha256('i'), 'hex'), 'i') o), 'copy', 'is known as that');
SELECT is((SELECT b.outcome FROM pay_api.begin_look('{inbox,x}',
    '{generic,generic}', '{m1,m1}', '{NULL,NULL}', '{NULL,NULL}', '{dir,dir}',
    '{w:1:2,w:1:2}', '{1000,1000}', '{1000,1000}', '{NULL,all}') b
    WHERE b.item = 2), 'invalid', 'no other word');
SELECT is((SELECT s.keep FROM pay.settlement_source s
           WHERE s.source = 'inbox'), 'digest', 'and no more when it is gone');

-- retention: overtaken attempts, refused files, and what is old enough
SELECT is((SELECT settlement_copies FROM pay.purge(1)), 1::bigint,
          'the first attempt of b goes');
SELECT is((SELECT settlement_copies FROM pay.purge()), 0::bigint,
          'what counts stays');
SELECT pay_ops.refuse_settlement(:b, 'cut')
\g /dev/null
SELECT is((SELECT settlement_copies FROM pay.purge()), 1::bigint,
          'a refused file has no copy');
SELECT is((SELECT settlement_copies FROM pay.purge(2, '90 d', '1 y', '-1 min')),
          2::bigint, 'sooner, piece by piece');
SELECT is((SELECT c.is_whole FROM pay_ops.copied_settlement(:a) c), false,
          'what is left is not whole');
SELECT is((SELECT settlement_copies FROM pay.purge(2, '90 d', '1 y', '-1 min')),
          1::bigint, 'and goes, too');

\i :checks
SELECT * FROM finish();
ROLLBACK;
