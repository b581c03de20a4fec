-- A later version of a batch lacks a row that has an exception of its own: what
-- is not booked waits no more, what is in suspense leaves it, and what is booked
-- waits with the amount that is booked.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.version(p_batch text, p_name text,
    VARIADIC p_rows text[])
RETURNS text LANGUAGE sql AS $$
SELECT pg_temp.import(p_name, p_rows, p_batch => p_batch)
$$;

-- the exceptions of a row: version, finding, amount, and how they ended
CREATE FUNCTION pg_temp.waits(p_key text) RETURNS text LANGUAGE sql AS $$
SELECT coalesce(string_agg(concat_ws(' ', r.version, x.finding,
    x.amount_minor, coalesce(x.closed_as, 'waits')), ', '
    ORDER BY r.version, x.exception_id), 'none')
FROM pay.settlement_exception x JOIN pay.settlement_row r USING (row_id)
WHERE r.row_key = p_key
$$;
CREATE FUNCTION pg_temp.open_id(p_key text) RETURNS bigint LANGUAGE sql AS $$
SELECT x.exception_id
FROM pay.settlement_exception x JOIN pay.settlement_row r USING (row_id)
WHERE r.row_key = p_key AND x.closed_at IS NULL
$$;
CREATE FUNCTION pg_temp.accept(p_key text) RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.accept_settlement(pg_temp.open_id(p_key), 'Ann', 'she asked')
$$;

-- nothing of it is booked: a
SELECT is(pg_temp.version('a', 'a1', 'a|adjustment||||0|-3|-3',
                          'ax|fee||||0|-1|-1'),
          'booked 2 0 1 1 0', 'a correction waits');
SELECT is(pg_temp.version('a', 'a2', 'ax|fee||||0|-1|-1'),
          'booked 1 0 0 0 0', 'a second version lacks it');
SELECT is(pg_temp.waits('a'), '1 adjustment -3 gone', 'it waits no more');
SELECT is(pg_temp.entries('a'), NULL, 'nothing is booked');
SELECT is(pg_temp.version('a', 'a3', 'ax|fee||||0|-1|-1',
                          'a|adjustment||||0|-3|-3'),
          'booked 2 0 0 1 0', 'a third version has it again');
SELECT is(pg_temp.waits('a'), '1 adjustment -3 gone, 2 added -3 waits',
          'it waits as an added one');
SELECT is(pg_temp.accept('a'), 'suspended', 'an operator takes it');
SELECT is(pg_temp.holds('USD', 'suspense'), '3', 'its money is in suspense');
SELECT is(pg_temp.version('a', 'a4', 'ax|fee||||0|-1|-1'),
          'booked 1 0 0 0 0', 'a fourth version lacks it');
SELECT is(pg_temp.waits('a'),
          '1 adjustment -3 gone, 2 added -3 gone', 'it waits no more');
SELECT is(pg_temp.holds('USD', 'suspense'), '0',
          'and its money has left suspense');

-- its money is in suspense since nobody knows it: b
SELECT is(pg_temp.version('b', 'b1', 'b|sale|ch-b|pi-b||50|0|50',
                          'bx|fee||||0|-1|-1'),
          'booked 2 0 1 0 1', 'a sale that nobody knows');
SELECT is(pg_temp.holds('USD', 'suspense'), '-50', 'is in suspense');
SELECT is(pg_temp.version('b', 'b2', 'bx|fee||||0|-1|-1'),
          'booked 1 0 0 0 0', 'a second version lacks it');
SELECT is(pg_temp.waits('b') || ': ' || pg_temp.holds('USD', 'suspense'),
          '1 unknown 50 gone: 0', 'it has left suspense');
SELECT is(pg_temp.version('b', 'b3', 'bx|fee||||0|-1|-1',
                          'b|sale|ch-b|pi-b||50|0|50'),
          'booked 2 0 0 1 0', 'a third version has it again');
SELECT is(pg_temp.waits('b'), '1 unknown 50 gone, 2 added 50 waits',
          'an operator decides');
SELECT is(v.state || ' ' || v.exception_id::text,
          'exception ' || pg_temp.open_id('b')::text, 'as the view says')
FROM pay_view.settlement_rows v WHERE v.row_key = 'b' AND v.version = 2;

-- a payment that is known later is not settled by a row that is gone: c
SELECT is(pg_temp.version('c', 'c1', 'c|sale|ch-c|pi-cc||700|0|700',
                          'cx|fee||||0|-1|-1'),
          'booked 2 0 1 0 1', 'a sale that nobody knows yet');
SELECT pg_temp.sold('cc', ARRAY['oc:700'])
\g /dev/null
SELECT is(pg_temp.version('c', 'c2', 'cx|fee||||0|-1|-1'),
          'booked 1 0 0 0 0', 'a second version lacks it');
SELECT is(pg_temp.waits('c') || ': ' || pg_temp.holds('USD', 'suspense'),
          '1 unknown 700 gone: 0', 'although its payment is known by now');
SELECT is(pg_temp.found('c'), '3 unknown', 'the payment is open');

-- it was booked later, and is gone then: d
SELECT is(pg_temp.version('d', 'd1', 'd|sale|ch-d|pi-cd||900|0|900',
                          'dx|fee||||0|-1|-1'),
          'booked 2 0 1 0 1', 'a sale that nobody knows yet');
SELECT pg_temp.sold('cd', ARRAY['od:900'])
\g /dev/null
SELECT is(pg_temp.version('e', 'e1', 'ex|fee||||0|-1|-1'),
          'booked 1 0 1 0 0', 'at the end of another file');
SELECT is(pg_temp.waits('d'), '1 unknown 900 matched', 'it is booked');
SELECT is(pg_temp.version('d', 'd2', 'dx|fee||||0|-1|-1'),
          'booked 1 0 0 1 0', 'a second version lacks it');
SELECT is(pg_temp.waits('d'),
          '1 unknown 900 matched, 1 gone -900 waits', 'an operator decides');

\i :checks

-- the difference of two versions: f is booked, g waits
SELECT is(pg_temp.version('f', 'f1', 'f|fee||||0|-10|-10',
                          'g|fee||||0|-20|-20', 'fx|fee||||0|-1|-1'),
          'booked 3 0 3 0 0', 'two fees');
SELECT is(pg_temp.version('f', 'f2', 'f|fee||||0|-12|-12',
                          'g|fee||||0|-25|-25', 'fx|fee||||0|-1|-1'),
          'booked 3 0 0 2 0', 'are others in a second version');
SELECT is(x.proposed ->> 'amount_minor', '5', 'the difference is proposed')
FROM pay.settlement_exception x WHERE x.exception_id = pg_temp.open_id('g');
SELECT is(pg_temp.accept('f'), 'accepted', 'one is accepted');
SELECT is(pg_temp.version('f', 'f3', 'fx|fee||||0|-1|-1'),
          'booked 1 0 0 3 0', 'a third version lacks both');
SELECT is(pg_temp.waits('f'),
          '1 gone 10 waits, 2 changed -2 accepted, 2 gone 2 waits',
          'each amount that is booked waits');
SELECT is(pg_temp.waits('g'), '1 gone 20 waits, 2 changed -5 gone',
          'what is not booked does not');
SELECT is(pg_temp.version('f', 'f4', 'f|fee||||0|-12|-12',
                          'g|fee||||0|-25|-25', 'fx|fee||||0|-1|-1'),
          'booked 3 0 0 1 0', 'a fourth version has them as they were');
SELECT is(pg_temp.waits('f'),
          '1 gone 10 matched, 2 changed -2 accepted, 2 gone 2 matched',
          'what is booked stands');
SELECT is(pg_temp.waits('g'),
          '1 gone 20 matched, 2 changed -5 gone, 3 added -5 waits',
          'the difference waits again');

-- another name and the same amount: there is nothing to book
SELECT is(pg_temp.version('i', 'i1', 'i|fee||||0|-10|-10',
                          'ix|fee||||0|-1|-1'),
          'booked 2 0 2 0 0', 'a fee');
SELECT is(pg_temp.version('i', 'i2', 'i|fee|fee-i|||0|-10|-10',
                          'ix|fee||||0|-1|-1'),
          'booked 2 0 0 1 0', 'has a name in a second version');
SELECT is(pg_temp.accept('i') || ': ' || pg_temp.waits('i'),
          'accepted: 2 changed 0 accepted', 'an operator accepts it');

-- rows that a file has twice wait on
SELECT is(pg_temp.version('h', 'h1', 'h|fee||||0|-10|-10',
                          'h|fee||||0|-10|-10', 'hx|fee||||0|-1|-1'),
          'booked 3 0 2 1 0', 'a row that a file has twice');
SELECT is(pg_temp.version('h', 'h2', 'hx|fee||||0|-1|-1'),
          'booked 1 0 0 1 0', 'a second version lacks both');
SELECT is(pg_temp.waits('h'),
          '1 gone 10 waits, 2 repeated -10 waits', 'both wait');

\i :checks

-- whatever versions come and whatever operators do between them: once all that
-- waits is accepted, the amount that is booked is that of the newest version
CREATE FUNCTION pg_temp.story(p_source text, p_account text, p_n int,
    p_kinds text[])
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_rows  text[];
    v_sum   bigint;
    v_minor bigint;
    v_told  text := '';
    v_x     record;
BEGIN
    FOR v_version IN 1 .. 6 LOOP
        v_rows := ARRAY[format('s%s-x|%s||||-%s|0|-%3$s', p_n,
                               p_kinds[1], v_version)];
        v_sum := -v_version;
        FOR v_key IN 1 .. 4 LOOP
            CONTINUE WHEN random() < 0.4;
            v_minor := 10 * v_key + (random() < 0.3)::int;
            v_sum := v_sum - v_minor;
            v_rows := v_rows || format('s%s-%s|%s||||-%s|0|-%4$s', p_n,
                v_key, p_kinds[1 + v_key % 3], v_minor);
        END LOOP;
        v_told := v_told || E'\n' || v_rows::text || ' '
            || pg_temp.import(format('s%s-%s', p_n, v_version), v_rows,
                              p_source, 's' || p_n);
        FOR v_x IN
            SELECT x.exception_id, x.is_suspended OR x.class = 3 AS is_in,
                r.row_key, x.finding
            FROM pay.settlement_exception x
            JOIN pay.settlement_row r USING (row_id)
            WHERE r.row_key LIKE format('s%s-%%', p_n)
                AND x.closed_at IS NULL
                AND (v_version = 6 OR random() < 0.5)
            ORDER BY x.exception_id
        LOOP
            CONTINUE WHEN v_x.is_in AND (v_version = 6 OR random() < 0.5);
            v_told := v_told || E'\n' || concat_ws(' ', v_x.row_key,
                v_x.finding, CASE WHEN v_x.is_in OR random() < 0.2
                THEN pay_ops.write_off_settlement(v_x.exception_id, 'Ann',
                                                  'story')
                ELSE pay_ops.accept_settlement(v_x.exception_id, 'Ann',
                                               'story') END);
        END LOOP;
    END LOOP;

    SELECT sum(l.amount_minor) INTO v_minor FROM pay.journal_line l
    WHERE l.account = p_account
        AND l.source LIKE format('%%/%s/%%/s%s-%%', p_source, p_n);

    RETURN CASE WHEN v_minor IS DISTINCT FROM v_sum
        THEN concat(v_minor, ' is booked, not ', v_sum, v_told) END;
END
$$;
SELECT setseed(0.2026)
\g /dev/null
SELECT is(pg_temp.story('stripe', 'psp_clearing', n,
                        '{fee,adjustment,unknown}'), NULL, 'a PSP''s ' || n)
FROM generate_series(1, 50) n;
SELECT is(pg_temp.story('bank', 'bank', n, '{debit,debit,debit}'), NULL,
          'a bank''s ' || n)
FROM generate_series(51, 70) n;

\i :checks
SELECT * FROM finish();
ROLLBACK;
