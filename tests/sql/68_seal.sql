-- begin_seal and end_seal: Merkle trees over heads of chains, one after the
-- other; and what of the log and of its seals cannot be changed unseen.

-- the transactions that the events below are said to be of: a new cluster has
-- not had so many
CREATE TEMPORARY TABLE spent (n int);
DO $$
BEGIN
    FOR n IN 1 .. 6000 LOOP
        BEGIN
            INSERT INTO spent VALUES (n);
        EXCEPTION WHEN division_by_zero THEN
            NULL;
        END;
    END LOOP;
END
$$;

BEGIN;
\ir helpers.psql
\ir audit.psql
SELECT no_plan();

SELECT is(pg_temp.seal(o, i, l), 'invalid', concat_ws(' ', o, i, l))
FROM (VALUES (NULL, 0::bigint, 1::bigint), ('', 0, 1), ('w', NULL, 1),
    ('w', -1, 1), ('w', 31536000001, 1), ('w', 0, NULL), ('w', 0, 0),
    ('w', 0, 86400001), (repeat('w', 256), 0, 1)) v (o, i, l);
SELECT is(pg_temp.seal(), 'not_due', 'nothing to seal');
SELECT is((SELECT count(*) FROM pay.seal), 0::bigint, 'no leaves, no seal');

-- three orders of the past and one whose transaction is still open
SELECT pg_temp.then('b', 100, now()), pg_temp.then('a', 101, now()),
    pg_temp.then('B', 103, now())
\g /dev/null
SELECT b.outcome FROM pg_temp.begin('m1', 'open', 'open', '{open:100}') b
\g /dev/null

SELECT is(pg_temp.seal('w1', 3600000), 'due 1', 'a seal is due');
SELECT is(pg_temp.leaves(1), 'B:2 a:2 b:2',
          'an order''s newest event, bytewise by order, none that is open');
SELECT is((s.from_tx, s.count, s.key_id, s.signature)::text, '(0,3,,)',
          'not signed yet')
FROM pay.seal s;
SELECT is(s.until_tx, pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
          'as far as all is complete') FROM pay.seal s;
SELECT ok(s.message ~ (E'^ngx_payments seal 1\nnumber 1\n'
    || E'at 2...-..-..T..:..:..\\.\\d{6}Z\nfrom 0\nuntil ' || s.until_tx
    || E'\nleaves 3\nroot [0-9a-f]{64}\nprevious 0{64}\n$'), 'its message')
FROM pay.seal s;

-- by other means: the tree as RFC 9162 tells it
CREATE FUNCTION pg_temp.mth(d bytea[]) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
    n int := cardinality(d);
    k int := 1;
BEGIN
    IF n = 1 THEN
        RETURN d[1];
    END IF;
    WHILE k * 2 < n LOOP
        k := k * 2;
    END LOOP;
    RETURN sha256('\x01' || pg_temp.mth(d[:k]) || pg_temp.mth(d[k + 1:]));
END
$$;
SELECT is(s.root, pg_temp.mth(ARRAY(
    SELECT sha256('\x00' || convert_to(array_to_string(ARRAY[l.merchant_id,
        l.payment_order_id, l.seq::text, encode(l.hash, 'hex')], E'\n'),
        'UTF8'))
    FROM pay.seal_leaf l ORDER BY l.position)), 'its root')
FROM pay.seal s;
SELECT is(pay.merkle_root(h), pg_temp.mth(h), 'a tree of ' || n)
FROM generate_series(1, 34) n,
    LATERAL (SELECT array_agg(sha256(i::text::bytea) ORDER BY i) AS h
             FROM generate_series(1, n) i) x;
SELECT is(pay.merkle_root('{}'), NULL, 'of nothing there is none');

-- begun and not signed: the same again, to the one that has it, and to
-- another when the lease is over
SELECT is(s.message, (SELECT message FROM pay.seal), 'the same message')
FROM pay_api.begin_seal('{w1}', '{0}', '{60000}') s;
SELECT is(pg_temp.seal('w2'), 'not_due', 'another waits for the lease');
UPDATE pay.round SET lease_until = now() WHERE name = 'seal';
SELECT is(pg_temp.seal('w2'), 'due 1', 'and has it then');
SELECT is(s.message, (SELECT message FROM pay.seal), 'the same to him')
FROM pay_api.begin_seal('{w2}', '{0}', '{60000}') s;
SELECT is(pg_temp.seal('w1'), 'not_due', 'now the first one waits');

SELECT is(e.outcome, 'invalid', coalesce(n::text, 'no number') || ' ' || coalesce(k, 'no key'))
FROM (VALUES (1::bigint, NULL, sha512('x')), (1, '', sha512('x')),
    (1, 'k', NULL), (1, 'k', sha256('x')), (2, 'k', sha512('x')),
    (NULL, 'k', sha512('x'))) v (n, k, s),
    LATERAL pay_api.end_seal(ARRAY[n], ARRAY[k], ARRAY[s]) e;
SELECT is(pg_temp.signed(1), 'stored', 'signed');
SELECT is(pg_temp.signed(1), 'already', 'once');
SELECT is(pg_temp.signed(1, 'key-2'), 'already', 'and by nobody else');
SELECT is((s.key_id, s.signature)::text, ('key-1', sha512('key-1'))::text,
          'the first signature stays') FROM pay.seal s;
SELECT is((r.lease_owner, r.lease_until)::text, '(,)', 'nobody has it any more')
FROM pay.round r WHERE r.name = 'seal';

-- the interval counts from the last one that was made; by then there is
-- nothing new; whoever asks too early is told of the newest seal
SELECT is(pg_temp.seal(), 'not_due 1', 'not before its time');
UPDATE pay.round SET run_at = now() WHERE name = 'seal';
SELECT is(pg_temp.seal('w1', 60000), 'not_due 1', 'nothing new by transaction');
SELECT is(r.run_at, now() + interval '1 min', 'the next look')
FROM pay.round r WHERE r.name = 'seal';
SELECT is((SELECT count(*) FROM pay.seal), 1::bigint, 'no seal without leaves');

SELECT is(string_agg(concat_ws(' ', s.item, s.outcome), ', ' ORDER BY s.item),
          '1 not_due, 2 invalid, 3 not_due', 'a batch')
FROM pay_api.begin_seal('{w,NULL,w}', '{0,0,0}', '{9,9,9}') s;
SELECT is(string_agg(concat_ws(' ', s.item, s.outcome), ', ' ORDER BY s.item),
          '1 already, 2 invalid', 'and of signatures')
FROM pay_api.end_seal('{1,9}', '{k,k}', ARRAY[sha512('x'), sha512('x')]) s;

-- a cluster that has not come as far
SAVEPOINT elsewhere;
INSERT INTO pay.seal
SELECT 2, s.until_tx, s.until_tx + 1000000, now(), 1, s.root, s.root, 'm', 'k',
    s.signature
FROM pay.seal s;
UPDATE pay.round SET run_at = now() WHERE name = 'seal';
SELECT is(pg_temp.seal('w1', 1000), 'behind', 'another cluster is noticed');
SELECT is((SELECT count(*) FROM pay.seal), 2::bigint, 'and nothing sealed');
ROLLBACK TO elsewhere;
SELECT pg_temp.then('c', pay.this_tx() + 1000000, now())
\g /dev/null
UPDATE pay.round SET run_at = now() WHERE name = 'seal';
SELECT is(pg_temp.seal('w1', 1000), 'behind', 'by an event, too');
ROLLBACK TO elsewhere;

\i :checks

-- bounded: over two events at most, or one transaction; each goes on from the
-- one before it, and what is empty before a seal is the seal's
ALTER TABLE pay.seal DISABLE TRIGGER USER;
ALTER TABLE pay.seal_leaf DISABLE TRIGGER USER;
DELETE FROM pay.seal;
DELETE FROM pay.seal_leaf;
ALTER TABLE pay.seal ENABLE ALWAYS TRIGGER seal_kept;
ALTER TABLE pay.seal ENABLE ALWAYS TRIGGER seal_signed;
ALTER TABLE pay.seal_leaf ENABLE ALWAYS TRIGGER seal_leaf_append_only;
SELECT pg_temp.then('x', 5000, now()), pg_temp.then('y', 5000, now()),
    pg_temp.then('z', 5000, now())
\g /dev/null
CREATE FUNCTION pg_temp.next(p_most int) RETURNS text
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    m record := pay.make_seal(p_most);
    s pay.seal := m.made;
BEGIN
    IF s.number IS NULL THEN
        RETURN CASE WHEN m.is_behind THEN 'behind' ELSE 'none' END;
    END IF;
    RETURN concat_ws(' ', s.from_tx, s.until_tx, pg_temp.leaves(s.number),
        CASE WHEN m.is_full THEN 'full' END, pg_temp.signed(s.number));
END
$$;
SELECT is(pg_temp.next(2), want, 'seal ' || n || ': ' || want)
FROM unnest('{0 101 b:1 full stored,101 102 a:1 b:2 full stored,
              102 104 B:1 a:2 full stored}'::text[]) WITH ORDINALITY w (want, n);
SELECT alike(pg_temp.next(2), '104 % B:2 full stored', 'before a gap');
SELECT alike(pg_temp.next(2), '% 5001 x:1 y:1 z:1 full stored',
             'a transaction is not split');
SELECT alike(pg_temp.next(1), '5001 % x:2 y:2 z:2 full stored',
             'whatever comes behind it');
SELECT is(pg_temp.next(2), 'none', 'that is all');
SELECT is(string_agg(s.number::text, ' ' ORDER BY s.number), '1 2 3 4 5 6',
          'numbered') FROM pay.seal s;
SELECT ok(s.from_tx = p.until_tx AND s.message LIKE '%previous '
    || encode(sha256(convert_to(p.message, 'UTF8')), 'hex') || E'\n',
    s.number || ' follows ' || p.number)
FROM pay.seal s JOIN pay.seal p ON p.number = s.number - 1;

\i :checks

-- whoever has all rights and takes the guards away is found
ALTER TABLE pay.seal DISABLE TRIGGER USER;
ALTER TABLE pay.seal_leaf DISABLE TRIGGER USER;
SELECT pg_temp.guards(false)
\g /dev/null
\getenv checks_text CHECKS_TEXT
CREATE TEMPORARY TABLE referee AS
SELECT c ->> 'name' AS name, c ->> 'sql' AS sql
FROM jsonb_array_elements(:'checks_text'::jsonb) c
WHERE c ->> 'name' ~ '^(event|seal)_';
CREATE FUNCTION pg_temp.found(p_breach text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    v_found text[] := '{}';
    v_check record;
    v_rows  bigint;
BEGIN
    EXECUTE p_breach;
    FOR v_check IN SELECT * FROM referee ORDER BY name LOOP
        EXECUTE 'SELECT count(*) FROM (' || rtrim(v_check.sql, E'; \n')
            || ') q' INTO v_rows;
        IF v_rows > 0 THEN
            v_found := v_found || v_check.name;
        END IF;
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = 'TTT00',
        MESSAGE = 'found:' || array_to_string(v_found, ' ');
EXCEPTION WHEN SQLSTATE 'TTT00' THEN
    RETURN substr(SQLERRM, 7);
END
$$;
-- as good a forgery as there is: all that follows is computed anew
CREATE FUNCTION pg_temp.forge(p_order text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    e          pay.event;
    v_previous bytea;
BEGIN
    FOR e IN SELECT * FROM pay.event x WHERE x.payment_order_id = p_order
             ORDER BY x.seq
    LOOP
        v_previous := pay.event_hash(v_previous, e);
        UPDATE pay.event x SET hash = v_previous
        WHERE x.payment_order_id = p_order AND x.seq = e.seq;
    END LOOP;
    UPDATE pay.payment_order o
    SET head = v_previous, head_tx = e.tx, version = e.seq
    WHERE o.payment_order_id = p_order;
END
$$;
ALTER TABLE pay.payment_order DISABLE TRIGGER ALL;
SELECT is(pg_temp.found(breach), found, coalesce(nullif(found, ''), 'nothing')
          || ': ' || breach)
FROM (VALUES
    ('SELECT 1', ''),
    -- changed, with what follows from it or without
    ('UPDATE pay.event SET detail = ''{"x":1}'' WHERE payment_order_id = ''a'' AND seq = 1', 'event_chain'),
    ('UPDATE pay.event SET hash = sha256(hash) WHERE payment_order_id = ''a'' AND seq = 2', 'event_chain event_head seal_leaf'),
    ('UPDATE pay.event SET request_id = ''x'' WHERE payment_order_id = ''a'' AND seq = 1; SELECT pg_temp.forge(''a'')', 'seal_leaf'),
    ('UPDATE pay.event SET at = at - interval ''1 us'' WHERE payment_order_id = ''a'' AND seq = 2; SELECT pg_temp.forge(''a'')', 'seal_leaf'),
    ('UPDATE pay.event SET tx = 90 WHERE payment_order_id = ''z''; SELECT pg_temp.forge(''z'')', 'seal_leaf'),
    -- removed: the last one, the first one, all of the order
    ('DELETE FROM pay.event WHERE payment_order_id = ''a'' AND seq = 2; SELECT pg_temp.forge(''a'')', 'seal_leaf'),
    ('DELETE FROM pay.event WHERE payment_order_id = ''a'' AND seq = 1', 'event_chain event_gap seal_leaf'),
    ('DELETE FROM pay.event WHERE payment_order_id = ''a''; DELETE FROM pay.payment_order WHERE payment_order_id = ''a''', 'seal_leaf'),
    -- inserted
    ('INSERT INTO pay.event SELECT (jsonb_populate_record(e, ''{"seq":3,"old_status":"EXECUTING"}'')).* FROM pay.event e WHERE payment_order_id = ''a'' AND seq = 2; SELECT pg_temp.forge(''a'')', 'seal_coverage'),
    ('SELECT pg_temp.then(''late'', 99, now())', 'seal_coverage'),
    ('SELECT pg_temp.then(''late'', pay.this_tx() + 9, now() - interval ''61 min'')', 'seal_coverage'),
    ('SELECT pg_temp.then(''late'', pay.this_tx() + 9, now() - interval ''50 min'')', ''),
    -- reordered
    ('UPDATE pay.event SET kind = CASE seq WHEN 1 THEN ''registered'' ELSE ''created'' END WHERE payment_order_id = ''a''; SELECT pg_temp.forge(''a'')', 'seal_leaf'),
    -- and of the seals
    ('UPDATE pay.seal_leaf SET seq = 1 WHERE payment_order_id = ''z''', 'seal_coverage seal_leaf seal_root'),
    ('UPDATE pay.seal_leaf SET hash = sha256(hash) WHERE payment_order_id = ''z'' AND seq = 2', 'seal_leaf seal_root'),
    ('DELETE FROM pay.seal_leaf WHERE payment_order_id = ''z''', 'seal_coverage seal_root'),
    ('UPDATE pay.seal_leaf SET position = 9 WHERE payment_order_id = ''z''', 'seal_root'),
    ('INSERT INTO pay.seal_leaf SELECT 99, position, merchant_id, payment_order_id, seq, hash FROM pay.seal_leaf WHERE number = 1', 'seal_root'),
    ('UPDATE pay.seal SET root = sha256(root) WHERE number = 3', 'seal_chain seal_root'),
    ('UPDATE pay.seal SET count = 9 WHERE number = 3', 'seal_chain seal_root'),
    ('UPDATE pay.seal SET at = at - interval ''1 us'' WHERE number = 3', 'seal_chain'),
    ('UPDATE pay.seal SET message = message || ''x'' WHERE number = 3', 'seal_chain'),
    ('UPDATE pay.seal SET until_tx = until_tx + 1 WHERE number = 3', 'seal_chain'),
    ('UPDATE pay.seal SET key_id = NULL, signature = NULL WHERE number = 3', 'seal_chain seal_coverage'),
    ('DELETE FROM pay.seal WHERE number = 3', 'seal_chain seal_coverage seal_root'),
    ('DELETE FROM pay.seal WHERE number = 1', 'seal_chain seal_root'),
    ('UPDATE pay.seal SET previous = sha256('''') WHERE number = 1', 'seal_chain')
    ) v (breach, found);

SELECT finish();
ROLLBACK;
