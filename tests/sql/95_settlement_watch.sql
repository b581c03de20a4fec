-- Entries that no file has brought are counted, and queued when they are
-- overdue, in pieces: no statement reads more of them than it is told, and
-- another round goes on where one has stopped.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();
SELECT set_config('search_path', 'pay, ' || current_setting('search_path'), true)
\g /dev/null

-- 500 sales of one second, 30 hours ago, and 30 of each of the hours around it
SELECT date_trunc('hour', now(), 'UTC') - interval '30 hours' AS hour
\gset
CREATE FUNCTION pg_temp.sales(p_count int, p_from timestamptz,
    p_step interval)
RETURNS void LANGUAGE sql AS $$
INSERT INTO pay.journal_entry (merchant_id, source, kind, at, checkout_id,
    psp, amount_minor, currency, seller_minor, seller_currency)
SELECT 'm1', concat('order/', p_from, '-', n), 'sale', p_from + n * p_step,
    'c' || n, 'stripe', n, 'USD', n, 'USD'
FROM generate_series(1, p_count) n
$$;
SELECT pg_temp.sales(500, :'hour'::timestamptz + interval '30 min',
                     interval '2 ms'),
    pg_temp.sales(30, :'hour'::timestamptz - interval '1 hour',
                  interval '1 min'),
    pg_temp.sales(30, :'hour'::timestamptz + interval '1 hour',
                  interval '1 min')
\g /dev/null
UPDATE settlement_source SET since = :'hour'::timestamptz - interval '2 hours',
    overdue_days = 1;

SELECT is(entries_until(:'hour', now(), 499)
          < :'hour'::timestamptz + interval '31 min', true,
          'a burst is divided');
SELECT is(entries_until(:'hour', now(), 600), now(), 'a gap is passed over');
SELECT is(entries_until(:'hour', :'hour', 1), :'hour', 'and nothing is nothing');

CREATE FUNCTION pg_temp.counted(p_hour timestamptz) RETURNS text
LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT concat_ws(' ', (SELECT sum(a.entries) FROM settlement_aged a
                       WHERE a.hour = p_hour),
    (SELECT sum(a.minor) FROM settlement_aged a WHERE a.hour = p_hour),
    (SELECT 'counted' FROM settlement_hour h WHERE h.hour = p_hour))
$$;
-- a round whose time is over when it begins takes one piece
CREATE FUNCTION pg_temp.rounds(p_hour timestamptz, p_rows int) RETURNS int
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
BEGIN
    FOR v_n IN 1 .. 5000 LOOP
        PERFORM count_expected('-infinity', p_rows);
        IF EXISTS (SELECT FROM settlement_hour h WHERE h.hour = p_hour) THEN
            RETURN v_n;
        END IF;
    END LOOP;
END
$$;
-- all hours but the one
INSERT INTO settlement_hour (hour, counted_at, is_final)
SELECT h, clock_timestamp(), true
FROM generate_series(:'hour'::timestamptz - interval '2 hours', now(),
                     interval '1 hour') h
WHERE h <> :'hour';
SELECT count_expected('-infinity', 50)
\g /dev/null
SELECT is(pg_temp.counted(:'hour'), '', 'one piece of an hour says nothing');
SELECT is((SELECT sum(l.entries) BETWEEN 1 AND 50
           FROM settlement_count_line l), NULL, 'nothing is in its first half');
SELECT count_expected('-infinity', 50)
\g /dev/null
SELECT is((SELECT sum(l.entries) BETWEEN 1 AND 50
           FROM settlement_count_line l), true, 'a piece has no more than that');
SELECT ok(n BETWEEN 10 AND 40, 'the hour takes its rounds: ' || n)
FROM pg_temp.rounds(:'hour', 50) n;
SELECT is(pg_temp.counted(:'hour'), '500 125250 counted', 'all of it');
SELECT is((SELECT count(*) FROM settlement_count)
          + (SELECT count(*) FROM settlement_count_line), 0::bigint,
          'of the count nothing is left');
SELECT is((SELECT sum(e.minor)::bigint FROM pay_view.settlement_expected e
           WHERE e.at >= :'hour'
               AND e.at < :'hour'::timestamptz + interval '1 hour'),
          125250::bigint, 'as the view has it');

-- another source: what is counted is not what is expected now
DELETE FROM settlement_hour h WHERE h.hour = :'hour';
SELECT count_expected('-infinity', 50), count_expected('-infinity', 50)
\g /dev/null
SELECT isnt((SELECT count(*) FROM settlement_count_line), 0::bigint,
            'the hour is being counted');
SELECT is(pay_ops.set_settlement_source('more', 'generic', 'm1', 'stripe', '',
    :'hour'::timestamptz + interval '2 hours', 9), 'stored', 'another source');
SELECT is((SELECT count(*) FROM settlement_count)
          + (SELECT count(*) FROM settlement_count_line), 0::bigint,
          'ends the count');
SELECT count_expected('infinity', 50)
\g /dev/null
SELECT is(pg_temp.counted(:'hour'), '500 125250 counted', 'all hours anew');
SELECT is(pg_temp.counted(:'hour'::timestamptz + interval '1 hour'),
          '30 465 counted', 'this one, too');

-- overdue: the next entries at each call
CREATE FUNCTION pg_temp.overdue(p_rows int) RETURNS int[]
LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_said   int[] := '{}';
    v_raised record;
BEGIN
    LOOP
        v_raised := raise_overdue('stripe', now(), p_rows);
        v_said := v_said || v_raised.queued;
        EXIT WHEN NOT v_raised.again;
    END LOOP;
    RETURN v_said;
END
$$;
SELECT is((SELECT max(n) <= 50 FROM unnest(o) n)
          AND (SELECT sum(n) FROM unnest(o) n) = 560
          AND cardinality(o) BETWEEN 12 AND 60, true,
          'overdue entries are queued in pieces')
FROM pg_temp.overdue(50) o;
SELECT is(pg_temp.overdue(50), '{0}', 'once each');
UPDATE settlement_source SET checked_until = NULL;
DELETE FROM settlement_exception;
SELECT raise_all_overdue('infinity')
\g /dev/null
SELECT is((SELECT count(*) FROM settlement_exception x
           WHERE x.finding = 'overdue'), 560::bigint, 'by a round, too');
SELECT is((pay_ops.raise_overdue('nobody')).again, false, 'no such source');

SELECT * FROM finish();
ROLLBACK;
