-- A refund that failed before anybody reported that it was done: files show that
-- its money went out and came back, in any order.  Nobody has to act.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'])
FROM generate_series(1, 9) n
\g /dev/null

-- a file of these rows
CREATE FUNCTION pg_temp.file(p_name text, VARIADIC p_rows text[])
RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.import(p_name, p_rows)
$$;
-- a merchant's refund of 100 that the PSP has accepted, and that fails
CREATE FUNCTION pg_temp.failed(p_n int, p_object text) RETURNS text
LANGUAGE sql AS $$
SELECT pg_temp.whole('c' || p_n, 'o' || p_n, 'refund', p_object, 100,
                     'PENDING', p_object);
SELECT pg_temp.news('refund', 'failed', p_object, 100, 't-c' || p_n);
SELECT pg_temp.how(p_object)
$$;
-- the exceptions of rows: finding, and how they ended
CREATE FUNCTION pg_temp.waits(VARIADIC p_keys text[]) RETURNS text
LANGUAGE sql AS $$
SELECT coalesce(string_agg(concat_ws(' ', x.finding, coalesce(x.closed_as,
    'waits'), CASE WHEN x.is_suspended THEN 'suspended' END), ', '
    ORDER BY r.row_key), 'none')
FROM pay.settlement_exception x JOIN pay.settlement_row r USING (row_id)
WHERE r.row_key = ANY (p_keys)
$$;
CREATE FUNCTION pg_temp.open_id(p_key text) RETURNS bigint LANGUAGE sql AS $$
SELECT x.exception_id
FROM pay.settlement_exception x JOIN pay.settlement_row r USING (row_id)
WHERE r.row_key = p_key AND x.closed_at IS NULL
$$;

-- the return in an earlier file than the refund
SELECT is(pg_temp.failed(1, 're-a'), 'FAILED re-a', 'a refund fails');
SELECT is(pg_temp.file('a1', 'a1|refund_returned|re-a|pi-c1||100|0|100'),
          'booked 1 0 0 1 0', 'it has come back');
SELECT is(pg_temp.waits('a1'), 'early waits', 'and waits for its refund');
SELECT is(pg_temp.file('a2', 'a2|refund|re-a|pi-c1||-100|-5|-105'),
          'booked 1 0 0 1 0', 'which comes later');
SELECT is(pg_temp.waits('a1', 'a2'), 'early matched, early matched',
          'both leave the queue');
SELECT is(pg_temp.entries('a1') || ' / ' || pg_temp.entries('a2'),
    'settled_refund_returned 100 USD / psp_fee 5 USD, settled_refund 100 USD',
    'what they moved is booked, and the fee');
SELECT is((SELECT string_agg(l.rule, ' ') || ' ' || count(DISTINCT l.match_id)
    FROM pay.settlement_link l JOIN pay.settlement_row r USING (row_id)
    WHERE r.row_key IN ('a1', 'a2')), 'group group 1', 'they are one group');
SELECT is(pg_temp.money('o1') || ', ' || pg_temp.how('re-a'),
    '0 1000 0 0 0, FAILED re-a', 'the refund has failed, as before');
SELECT is(pg_temp.doubts('c1'), NULL, 'no operator is asked');

-- the refund in the earlier file: it contradicts until it has come back
SELECT is(pg_temp.failed(2, 're-b'), 'FAILED re-b', 'a refund fails');
SELECT is(pg_temp.file('b1', 'b1|refund|re-b|pi-c2||-100|0|-100'),
          'booked 1 0 0 1 0', 'a file says that it was done');
SELECT is(pg_temp.waits('b1') || ': ' || pg_temp.doubts('c2'),
    'early waits: refund contradiction re-b', 'which is doubted');
SELECT is(pg_temp.file('b2', 'b2|refund_returned|re-b|pi-c2||100|0|100'),
          'booked 1 0 0 1 0', 'and came back');
SELECT is(pg_temp.waits('b1', 'b2'), 'early matched, early matched',
          'both leave the queue');

-- one file, both orders
SELECT is(pg_temp.failed(3, 're-c') || ', ' || pg_temp.failed(4, 're-d'),
          'FAILED re-c, FAILED re-d', 'two refunds fail');
SELECT is(pg_temp.file('c', 'c1|refund_returned|re-c|pi-c3||100|0|100',
    'c2|refund|re-c|pi-c3||-100|0|-100', 'd1|refund|re-d|pi-c4||-100|0|-100',
    'd2|refund_returned|re-d|pi-c4||100|0|100'), 'booked 4 4 0 0 0',
    'a file has both rows of each');
SELECT is(pg_temp.found('c1', 'c2', 'd1', 'd2'), '0 matched group, 0 matched'
    ' group, 0 matched group, 0 matched group', 'they agree with the books');
SELECT is(concat(pg_temp.doubts('c3'), pg_temp.doubts('c4')), '',
          'no operator is asked');

-- one that nobody here has asked for, and whose return alone is known
SELECT is(pg_temp.file('e1', 'e1|refund_returned|re-e|pi-c5||70|0|70'),
          'booked 1 0 0 1 0', 'the return of an unknown refund');
SELECT is(pg_temp.file('e2', 'e2|refund|re-e|pi-c5||-70|0|-70'),
          'booked 1 0 0 1 0', 'and that refund');
SELECT is(pg_temp.waits('e1', 'e2') || ': ' || pg_temp.money('o5'),
    'early matched, early matched: 0 1000 0 0 0', 'are matched');

-- of several orders nobody knows which one it was about
SELECT pg_temp.sold('cm', ARRAY['om1:500', 'om2:500'])
\g /dev/null
SELECT is(pg_temp.file('m1', 'm1|refund_returned|re-m|pi-cm||70|0|70')
    || ', ' || pg_temp.doubts('cm'),
    'booked 1 0 0 1 0, refund failed re-m', 'the failure is in a queue');
SELECT is(pg_temp.file('m2', 'm2|refund|re-m|pi-cm||-70|0|-70'),
          'booked 1 0 0 1 0', 'and that refund');
SELECT is(pg_temp.waits('m1', 'm2') || ', ' || pg_temp.doubts('cm'),
    'early matched, early matched, refund failed re-m', 'are matched');

-- beside a refund of the same amount that was done
SELECT is(pg_temp.failed(6, 're-f') || ', ' || pg_temp.whole('c6', 'o6',
    'refund', 're-f2', 100, 'DONE', 're-f2'),
    'FAILED re-f, SUCCESS re-f2', 'one fails, another one is done');
SELECT is(pg_temp.file('f1', 'f1|refund_returned|re-f|pi-c6||100|0|100',
    'f2|refund|re-f2|pi-c6||-100|0|-100'), 'booked 2 1 0 1 0',
    'the one that was done is matched');
SELECT is(pg_temp.file('f3', 'f3|refund|re-f|pi-c6||-100|0|-100'),
          'booked 1 0 0 1 0', 'the failed one is that of the return');
SELECT is(pg_temp.waits('f1', 'f2', 'f3') || ': ' || pg_temp.found('f2'),
    'early matched, early matched: 0 matched object', 'all are matched');

-- money that an operator has put into suspense meanwhile
SELECT is(pg_temp.failed(7, 're-g') || ', '
    || pg_temp.file('g1', 'g1|refund_returned|re-g|pi-c7||100|0|100'),
    'FAILED re-g, booked 1 0 0 1 0', 'a return waits');
SELECT is(pay_ops.accept_settlement(pg_temp.open_id('g1'), 'Ann', 'to see'),
          'suspended', 'an operator puts it into suspense');
SELECT is(pg_temp.holds('USD', 'suspense'), '-100', 'there it is');
SELECT is(pg_temp.file('g2', 'g2|refund|re-g|pi-c7||-100|0|-100'),
          'booked 1 0 0 1 0', 'its refund comes');
SELECT is(regexp_replace(pg_temp.waits('g1', 'g2'), ' suspended', '')
    || ': ' || pg_temp.holds('USD', 'suspense'),
    'early matched, early matched: 0', 'it leaves suspense');

\i :checks

-- what is not its other half waits on: another amount, another currency, another
-- refund
SELECT is(pg_temp.failed(8, 're-h') || ', ' || pg_temp.failed(8, 're-h2'),
          'FAILED re-h, FAILED re-h2', 'two refunds fail');
SELECT is(pg_temp.file('h', 'h1|refund_returned|re-h|pi-c8||100|0|100',
    'h2|refund|re-h|pi-c8||-90|0|-90', 'h3|refund|re-h|pi-c8||-100|0|-100|EUR',
    'h4|refund|re-h2|pi-c8||-100|0|-100'), 'booked 4 0 0 4 0',
    'rows that are about other money');
SELECT is(pg_temp.waits('h1', 'h2', 'h3', 'h4'),
    'early waits, early waits, early waits, early waits', 'wait');

-- one that was done, came back and is settled: a second pair is another matter
SELECT is(pg_temp.whole('c9', 'o9', 'refund', 're-i', 100, 'DONE', 're-i')
    || ', ' || pg_temp.news('refund', 'failed', 're-i', 100, 't-c9')
    || ', ' || pg_temp.how('re-i'),
    'SUCCESS re-i, applied, FAILED returned re-i', 'a refund came back');
SELECT is(pg_temp.file('i1', 'i1|refund_returned|re-i|pi-c9||100|0|100')
    || ', ' || pg_temp.file('i2', 'i2|refund|re-i|pi-c9||-100|0|-100'),
    'booked 1 1 0 0 0, booked 1 1 0 0 0', 'as the books say');
SELECT is(pg_temp.file('i3', 'i3|refund_returned|re-i|pi-c9||100|0|100',
    'i4|refund|re-i|pi-c9||-100|0|-100'), 'booked 2 0 0 2 0', 'twice');
SELECT is(pg_temp.waits('i3', 'i4'), 'duplicate waits, duplicate waits',
          'an operator is asked');

-- two halves in different slices of the queue come together
CREATE FUNCTION pg_temp.slice() RETURNS text LANGUAGE plpgsql
SET search_path = pay, pg_temp AS $$
DECLARE
    v_source settlement_source;
    v_file   bigint := (SELECT min(f.file_id) FROM settlement_file f);
    v_count  int;
BEGIN
    SELECT * INTO v_source FROM settlement_source s WHERE s.source = 'stripe';
    INSERT INTO settlement_end (file_id, queue_after)
    SELECT v_file, x.exception_id - 1
    FROM settlement_exception x
    JOIN settlement_row r ON r.row_id = x.row_id AND r.row_key = 'h1';
    v_count := take_unknown(v_file, v_source,
                            begin_slice(v_file, 'stripe', 1), 1);
    RETURN (SELECT string_agg(w.row_key, ' ' ORDER BY w.row_key)
            FROM settlement_work w WHERE w.file_id = v_file);
END
$$;
SELECT is(pg_temp.slice(), 'h1 h2 h3 h4',
          'a slice of one row has those that it may wait for');
DELETE FROM pay.settlement_work;
DELETE FROM pay.settlement_end;

\i :checks
SELECT * FROM finish();
ROLLBACK;
