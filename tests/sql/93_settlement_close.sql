-- A day is closed, and the ledger added up for the balances of PSPs, in pieces:
-- no call reads more entries than it is told, and the sums are those of one look.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();
SELECT set_config('search_path', 'pay, ' || current_setting('search_path'), true)
\g /dev/null

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1000'])
FROM generate_series(1, 40) n
\g /dev/null
SELECT is(pg_temp.import('file', ARRAY['a1|sale|ch-1|pi-c1||1000|-30|970',
    'a2|sale|ch-2|pi-c2||1000|-30|970', 'a3|unknown||||-40|0|-40']),
    'booked 3 2 0 0 1', 'entries, and rows of files');

-- answers of make_close until the day is made
CREATE FUNCTION pg_temp.closes(p_day date, p_rows int) RETURNS text[]
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_said text[] := '{}';
BEGIN
    FOR v_n IN 1 .. 100 LOOP
        v_said := v_said || (
            SELECT c.outcome FROM make_close(p_day, now() + interval '3 days',
                                             p_rows) c);
        EXIT WHEN v_said[v_n] <> 'again';
    END LOOP;
    RETURN v_said;
END
$$;
SELECT ok(c[1] = 'again' AND c[cardinality(c)] = 'made'
          AND cardinality(c) BETWEEN 4 AND 60,
          'a day is closed in pieces: ' || cardinality(c))
FROM pg_temp.closes(current_date, 5) c;
SELECT is((SELECT count(*) FROM pay.settlement_tally)
          + (SELECT count(*) FROM pay.settlement_tally_line), 0::bigint,
          'of which nothing is left');
SELECT is(pg_temp.closes(current_date, 5), '{closed}', 'once');

-- one that is being added up comes first
SELECT is((pay.make_close(current_date + 1, now() + interval '3 days', 5))
          .outcome, 'again', 'a day is begun');
SELECT is((pg_temp.closes(current_date + 2, 5))[1], 'again', 'another one');
SELECT is((SELECT string_agg((c.day - current_date)::text, ' ' ORDER BY c.number)
           FROM pay.settlement_close c), '0 1 2', 'comes behind it');

-- no piece has more entries than it is told, wherever in time they are
CREATE FUNCTION pg_temp.entries_of(p_count int, p_from timestamptz,
    p_step interval) RETURNS void LANGUAGE sql AS $$
INSERT INTO pay.journal_entry (merchant_id, source, kind, at, psp,
    amount_minor, currency, seller_minor, seller_currency)
SELECT 'm1', concat('event/stripe/', p_from, '-', n), 'psp_fee',
    p_from + n * p_step, 'stripe', 1, 'USD', 1, 'USD'
FROM generate_series(1, p_count) n
$$;
CREATE FUNCTION pg_temp.pieces(p_rows int) RETURNS text
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_tally  settlement_tally;
    v_step   record;
    v_most   bigint := 0;
    v_pieces int := 0;
    v_said   text;
BEGIN
    BEGIN
        PERFORM pg_temp.entries_of(700, now() - interval '400 days',
                                   interval '1 day');
        PERFORM pg_temp.entries_of(900, now() - interval '3 days',
                                   interval '5 ms');
        PERFORM begin_tally('balance', NULL, NULL, NULL, now());
        UPDATE settlement_tally t SET until_tx = '9999999999'
        RETURNING t.* INTO v_tally;
        WHILE NOT v_tally.is_done LOOP
            SELECT s.tally, s.rows INTO v_step
            FROM step_tally(v_tally, p_rows) s;
            v_tally := v_step.tally;
            v_most := greatest(v_most, v_step.rows);
            v_pieces := v_pieces + 1;
        END LOOP;
        v_said := format('%s %s', v_most <= p_rows,
                         v_pieces BETWEEN 1300 / p_rows AND 400);
        RAISE EXCEPTION 'undone';
    EXCEPTION WHEN raise_exception THEN
        RETURN v_said;
    END;
END
$$;
SELECT is(pg_temp.pieces(20), 't t', 'a burst is divided, a gap is passed over');

-- a worker's call leaves the rest of a large day to the next one
CREATE FUNCTION pg_temp.begins() RETURNS text
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_said text := '';
BEGIN
    BEGIN
        DELETE FROM settlement_tally;
        ALTER TABLE settlement_close DISABLE TRIGGER ALL;
        DELETE FROM settlement_close;
        PERFORM pg_temp.entries_of(12000, date_trunc('day', now(), 'UTC')
            - interval '20 hours', interval '5 s');
        FOR v_n IN 1 .. 6 LOOP
            v_said := concat_ws(' ', v_said, (
                SELECT b.outcome FROM pay_api.begin_close('{w1}', '{1000}',
                                                          '{30000}') b), (
                SELECT b.outcome FROM pay_api.begin_close('{w2}', '{1000}',
                                                          '{30000}') b));
            EXIT WHEN v_said LIKE '% due %';
        END LOOP;
        RAISE EXCEPTION 'undone';
    EXCEPTION WHEN raise_exception THEN
        RETURN regexp_replace(trim(v_said), '(again not_due )+', 'AGAIN ');
    END;
END
$$;
SELECT is(pg_temp.begins(), 'AGAIN due not_due',
          'and has the lease of the day meanwhile');

-- the ledger, for the balance of a PSP
CREATE FUNCTION pg_temp.sums() RETURNS text LANGUAGE sql
SET search_path = pay, pg_temp AS $$
SELECT string_agg(concat_ws(' ', s.currency, s.ours, s.reserve), ', ')
FROM psp_sums('stripe') s
$$;
CREATE FUNCTION pg_temp.should_be() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', l.currency, l.ours, 0), ', ')
FROM (SELECT l.currency, sum(l.amount_minor) AS ours
      FROM pay.journal_entry e
      JOIN pay.journal_line l USING (merchant_id, source, kind)
      WHERE e.psp = 'stripe' AND l.account IN ('psp_clearing', 'refunds',
          'chargebacks', 'psp_reserve')
      GROUP BY l.currency) l
$$;
DELETE FROM pay.settlement_tally;
SELECT pay.begin_tally('balance', NULL, NULL, NULL, clock_timestamp())
\g /dev/null
UPDATE pay.settlement_tally SET until_tx = '9999999999';
CREATE FUNCTION pg_temp.adds_up(p_rows int) RETURNS int
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_calls int := 1;
BEGIN
    WHILE NOT sum_ledger(p_rows, now()) LOOP
        v_calls := v_calls + 1;
    END LOOP;
    RETURN v_calls;
END
$$;
SELECT ok(n BETWEEN 4 AND 60, 'the ledger is added up in pieces: ' || n)
FROM pg_temp.adds_up(5) n;
SELECT is(pg_temp.sums(), pg_temp.should_be(), 'and is what it was at one look');
SELECT pg_temp.sold('late', ARRAY['o-late:1000'])
\g /dev/null
SELECT is(pg_temp.sums(), pg_temp.should_be(), 'with the entries since');
UPDATE pay.settlement_tally SET until_tx = '0';
SELECT isnt(pg_temp.sums(), pg_temp.should_be(),
            'an entry is in one of the two alone');
UPDATE pay.settlement_tally SET until_tx = '9999999999';
SELECT is(pay.sum_ledger(1000, now()), true, 'the next run');
UPDATE pay.settlement_tally SET until_tx = '9999999999';
SELECT is(pg_temp.sums(), pg_temp.should_be(),
          'does not end before the one before it');

-- a day of many entries that were added up before is not read again, or a look
-- that reads no more than it is told would never come to its end
CREATE FUNCTION pg_temp.next_run(p_tx text) RETURNS text
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_said text;
BEGIN
    BEGIN
        INSERT INTO journal_entry (merchant_id, source, kind, at, tx, psp,
            amount_minor, currency, seller_minor, seller_currency)
        SELECT 'm1', 'event/stripe/old-' || n, 'psp_fee',
            now() - interval '20 hours' + n * interval '1 s', '1', 'stripe',
            1, 'USD', 1, 'USD'
        FROM generate_series(1, 3000) n;
        UPDATE settlement_tally
        SET until_at = now() - interval '2 hours', until_tx = p_tx::xid8;
        v_said := sum_ledger(100, now());
        v_said := concat_ws(' ', v_said, sum_ledger(5000, now()));
        RAISE EXCEPTION 'undone';
    EXCEPTION WHEN raise_exception THEN
        RETURN v_said;
    END;
END
$$;
SELECT is(pg_temp.next_run('2'), 'true t',
          'entries that were counted are not read again');
SELECT is(pg_temp.next_run('1'), 'false t',
          'entries of transactions that were under way are');

-- a ledger that is not added up yet is compared with nothing
CREATE FUNCTION pg_temp.compares() RETURNS text
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_source settlement_source;
    v_said   text;
BEGIN
    BEGIN
        DELETE FROM settlement_tally;
        DELETE FROM settlement_tally_line;
        ALTER TABLE settlement_close DISABLE TRIGGER ALL;
        DELETE FROM settlement_close;
        PERFORM pg_temp.entries_of(45000, now() - interval '4 days',
                                   interval '1 s');
        SELECT * INTO v_source FROM settlement_source s
        WHERE s.source = 'stripe';
        v_said := compare_balances(v_source, '{}', true) - now();
        v_said := concat_ws(' ', v_said, (SELECT count(*) FROM psp_balance));
        FOR v_n IN 1 .. 5 LOOP
            PERFORM compare_balances(v_source, '{}', true);
            EXIT WHEN EXISTS (SELECT FROM psp_balance);
        END LOOP;
        v_said := concat_ws(' ', v_said, (SELECT count(*) FROM psp_balance));
        RAISE EXCEPTION 'undone';
    EXCEPTION WHEN raise_exception THEN
        RETURN v_said;
    END;
END
$$;
SELECT is(pg_temp.compares(), '01:00:00 0 1',
          'until a later look has come to its end');

\i :checks
SELECT * FROM finish();
ROLLBACK;
