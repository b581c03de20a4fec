-- Schedules of pay-outs: due days of each kind, holidays, the ends of months,
-- the clock of a zone, and what operators may set.

BEGIN;
\ir helpers.psql
SELECT no_plan();

-- the next due days behind a day
CREATE FUNCTION pg_temp.dues(
    p_every text, p_on int, p_calendar text, p_after date, p_count int)
RETURNS text LANGUAGE plpgsql SET search_path = pay, pg_temp AS $$
DECLARE
    v_days text[] := '{}';
BEGIN
    FOR v_n IN 1 .. p_count LOOP
        p_after := next_due_day(ROW('m1', '', p_every, p_on, '17:00', 'UTC',
            p_calendar, NULL, NULL, NULL, NULL)::payout_schedule, p_after);
        v_days := v_days || to_char(p_after, 'Dy YYYY-MM-DD');
    END LOOP;

    RETURN array_to_string(v_days, ', ');
END
$$;

SELECT is(pg_temp.dues(d.every, d.on_day, d.calendar, d.after::date, d.count),
          d.days, d.about)
FROM (VALUES
    ('day', NULL, NULL, '2026-12-24', 3,
     'Fri 2026-12-25, Sat 2026-12-26, Sun 2026-12-27', 'each day'),
    ('day', NULL, 'TARGET', '2026-12-23', 6, 'Thu 2026-12-24, '
     'Mon 2026-12-28, Tue 2026-12-29, Wed 2026-12-30, Thu 2026-12-31, '
     'Mon 2027-01-04', 'each bank day'),
    ('week', 3, NULL, '2026-11-23', 2, 'Wed 2026-11-25, Wed 2026-12-02',
     'each week'),
    ('week', 5, 'TARGET', '2026-12-20', 3,
     'Mon 2026-12-28, Mon 2027-01-04, Fri 2027-01-08',
     'Fridays, two of them holidays'),
    ('week', 5, 'TARGET', '2027-03-20', 2, 'Tue 2027-03-30, Fri 2027-04-02',
     'behind Easter'),
    ('week', 5, 'TARGET', '2027-03-27', 1, 'Tue 2027-03-30',
     'a day that has moved is still to come'),
    ('week', 7, 'TARGET', '2026-11-23', 2, 'Mon 2026-11-30, Mon 2026-12-07',
     'Sundays are no bank days'),
    ('month', 31, NULL, '2027-01-15', 4, 'Sun 2027-01-31, Sun 2027-02-28, '
     'Wed 2027-03-31, Fri 2027-04-30', 'the last day of a month'),
    ('month', 30, NULL, '2028-02-01', 2, 'Tue 2028-02-29, Thu 2028-03-30',
     'of a leap year'),
    ('month', 31, 'TARGET', '2027-01-15', 4, 'Mon 2027-02-01, '
     'Mon 2027-03-01, Wed 2027-03-31, Fri 2027-04-30',
     'the last day of a month moves into the next one'),
    ('month', 1, 'TARGET', '2026-12-31', 5, 'Mon 2027-01-04, '
     'Mon 2027-02-01, Mon 2027-03-01, Thu 2027-04-01, Mon 2027-05-03',
     'the first of a month'),
    ('demand', NULL, 'TARGET', '2026-12-31', 1, '', 'never'))
    AS d (every, on_day, calendar, after, count, days, about);

-- a whole year: each Friday has one due day, which is a bank day
SELECT is((SELECT count(*) FROM (
        SELECT n FROM generate_series(1, 53) n,
            LATERAL (SELECT unnest(string_to_array(pg_temp.dues('week', 5,
                'TARGET', '2026-12-31', 53), ', ')) AS day) d
        GROUP BY n HAVING count(DISTINCT d.day) = 53) f), 53::bigint,
    'no due day comes twice');
SELECT is((SELECT string_agg(h.year || ' ' || h.days, ', ')
           FROM (SELECT extract(year FROM h.day) AS year, count(*) AS days
                 FROM pay.payout_holiday h WHERE h.calendar = 'TARGET'
                 GROUP BY 1 HAVING count(*) <> 6) h), NULL,
          'TARGET has six holidays each year');
SELECT is_empty($$
    SELECT h.day FROM pay.payout_holiday h WHERE h.calendar = 'TARGET'
        AND (h.name = 'Good Friday' AND (extract(isodow FROM h.day) <> 5
             OR NOT EXISTS (SELECT FROM pay.payout_holiday m
                            WHERE m.day = h.day + 3
                                AND m.name = 'Easter Monday')))
$$, 'Easter Monday is three days behind Good Friday');

-- cut-offs at a zone's clock
CREATE FUNCTION pg_temp.cut(p_zone text, p_at text, p_day text)
RETURNS text LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT to_char(due_time(ROW('m1', '', 'day', NULL, p_at, p_zone, NULL, NULL,
        NULL, NULL, NULL)::payout_schedule, p_day::date) AT TIME ZONE 'UTC',
    'MM-DD HH24:MI')
$$;
SELECT is(pg_temp.cut(c.zone, c.at, c.day), c.utc, c.zone || ' ' || c.day)
FROM (VALUES
    ('UTC', '17:00', '2026-11-23', '11-23 17:00'),
    ('America/New_York', '17:00', '2026-11-23', '11-23 22:00'),
    ('America/New_York', '17:00', '2026-07-01', '07-01 21:00'),
    ('Asia/Tokyo', '08:00', '2026-11-23', '11-22 23:00'),
    ('Europe/Berlin', '02:30', '2027-03-27', '03-27 01:30'),
    ('Europe/Berlin', '02:30', '2027-03-28', '03-28 01:30'),
    ('Europe/Berlin', '02:30', '2027-03-29', '03-29 00:30'),
    ('Europe/Berlin', '02:30', '2027-10-31', '10-31 01:30'),
    ('Europe/Berlin', '02:30', '2027-11-01', '11-01 01:30'))
    AS c (zone, at, day, utc);

-- settings
CREATE FUNCTION pg_temp.schedule(
    p_every text, p_on int DEFAULT NULL, p_seller text DEFAULT NULL,
    p_at text DEFAULT '17:00', p_zone text DEFAULT 'Europe/Berlin',
    p_calendar text DEFAULT 'TARGET', p_batch int DEFAULT NULL,
    p_who text DEFAULT 'ann')
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.set_payout_schedule('m1', p_seller, p_every, p_on, p_at,
    p_zone, p_calendar, p_batch, p_who, 'test')
$$;
CREATE FUNCTION pg_temp.next(p_seller text DEFAULT '') RETURNS timestamptz
LANGUAGE sql AS $$
SELECT s.next_at FROM pay.payout_schedule s
WHERE s.merchant_id = 'm1' AND s.seller_account = p_seller
$$;
SELECT is(pg_temp.schedule('fortnight'), 'invalid', 'a kind that is none');
SELECT is(pg_temp.schedule(NULL), 'invalid', 'no kind');
SELECT is(pg_temp.schedule('week'), 'invalid', 'a week without its day');
SELECT is(pg_temp.schedule('week', 8), 'invalid', 'an eighth day');
SELECT is(pg_temp.schedule('day', 1), 'invalid', 'a day of a day');
SELECT is(pg_temp.schedule('month', 0), 'invalid', 'no day of a month');
SELECT is(pg_temp.schedule('month', 32), 'invalid', 'none, either');
SELECT is(pg_temp.schedule('day', p_at => '24:00'), 'invalid', 'a cut-off');
SELECT is(pg_temp.schedule('day', p_at => 'noon'), 'invalid', 'a word');
SELECT is(pg_temp.schedule('day', p_zone => 'Mars'), 'invalid', 'a zone');
SELECT is(pg_temp.schedule('day', p_zone => '+02'), 'invalid', 'no name');
SELECT is(pg_temp.schedule('day', p_batch => 10001), 'invalid', 'a batch');
SELECT is(pg_temp.schedule('day', p_who => ' '), 'invalid', 'nobody');
SELECT is(pg_temp.schedule('day', p_seller => ''), 'invalid', 'no seller');
SELECT is(pg_temp.schedule('day', p_calendar => 'XX'), 'not_found',
          'a calendar');
SELECT is((SELECT count(*) FROM pay.payout_schedule), 0::bigint, 'none is');
SELECT is(pg_temp.schedule('week', 5, p_batch => 500), 'stored', 'Fridays');
SELECT is(pg_temp.schedule('demand', p_seller => 's2'), 'stored',
          'one seller on demand');
SELECT ok(pg_temp.next() > now() AND pg_temp.next() < now() + '12 days',
          'it is due');
SELECT is(pg_temp.next('s2'), NULL, 'the other one is not');
SELECT is((SELECT string_agg(concat_ws(' ', a.subject, a.subject_id, a.act,
               a.who, a.detail ->> 'every'), ', ' ORDER BY a.act_id)
           FROM pay.payout_act a),
          'schedule * stored ann week, schedule s2 stored ann demand',
          'each act has a name');
SELECT is(pg_temp.schedule('day', p_calendar => NULL, p_zone => NULL,
                           p_at => NULL), 'stored', 'each day');
SELECT is((SELECT concat_ws(' ', s.every, s.cut_off, s.zone, s.next_at
                            = date_trunc('day', now(), 'UTC') + '1 day')
           FROM pay.payout_schedule s WHERE s.seller_account = ''),
          'day 00:00:00 UTC t', 'at midnight of UTC');

-- a time that has come is not lost by a change
UPDATE pay.payout_schedule SET next_day = '2026-11-20',
    next_at = '2026-11-20 16:00Z'
WHERE seller_account = '';
SELECT is(pg_temp.schedule('month', 31), 'stored', 'a change');
SELECT is(pg_temp.next(), '2026-11-20 16:00Z', 'leaves it');
SELECT is(pg_temp.schedule('demand'), 'stored', 'on demand');
SELECT is(pg_temp.next(), NULL, 'it is due no more');

-- holidays move what is to come, and come and go with a name
CREATE FUNCTION pg_temp.holiday(p_day text, p_name text DEFAULT 'Day off',
                                p_calendar text DEFAULT 'own')
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.set_payout_holiday(p_calendar, p_day, p_name, 'ann', 'test')
$$;
CREATE FUNCTION pg_temp.calendar(p_closed int[] DEFAULT '{}',
                                 p_name text DEFAULT 'own')
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.set_payout_calendar(p_name, p_closed, 'ann', 'test')
$$;
SELECT is(pg_temp.calendar('{0}'), 'invalid', 'no such day');
SELECT is(pg_temp.calendar('{1,2,3,4,5,6,7}'), 'invalid', 'always closed');
SELECT is(pg_temp.calendar(p_name => 'a b'), 'invalid', 'no name');
SELECT is(pg_temp.holiday('2026-12-01'), 'not_found', 'no calendar');
SELECT is(pg_temp.calendar(), 'stored', 'a calendar');
SELECT is(pg_temp.holiday('2026-02-30'), 'invalid', 'no date');
SELECT is(pg_temp.holiday('tomorrow'), 'invalid', 'a word');
SELECT is(pg_temp.holiday('2026-12-01', ''), 'invalid', 'without a name');
SELECT is(pg_temp.holiday('2026-12-01', NULL), 'not_found', 'it is none');
SELECT is(pg_temp.schedule('day', p_calendar => 'own', p_zone => 'UTC',
                           p_at => '00:00'), 'stored', 'each day');
SELECT is(pg_temp.holiday(to_char(now() AT TIME ZONE 'UTC'
                                  + interval '1 day', 'YYYY-MM-DD')),
          'stored', 'tomorrow is a holiday');
SELECT is(pg_temp.next(), date_trunc('day', now(), 'UTC') + '2 days',
          'the day behind it');
SELECT is(pg_temp.holiday(to_char(now() AT TIME ZONE 'UTC'
                                  + interval '1 day', 'YYYY-MM-DD'), NULL),
          'removed', 'it is none');
SELECT is(pg_temp.next(), date_trunc('day', now(), 'UTC') + '1 day',
          'tomorrow');
SELECT is(pg_temp.calendar(ARRAY[extract(isodow FROM now() AT TIME ZONE 'UTC'
                                 + interval '1 day')]::int[]), 'stored',
          'banks are closed on such days');
SELECT is(pg_temp.next(), date_trunc('day', now(), 'UTC') + '2 days',
          'the day behind it');
SELECT is((SELECT string_agg(a.act, ' ' ORDER BY a.act_id)
           FROM pay.payout_act a WHERE a.subject = 'calendar'),
          'stored closed opened stored', 'each is an act');

SELECT is(pay_ops.drop_payout_schedule('m1', 's2', 'ann', 'test'), 'removed',
          'one goes');
SELECT is(pay_ops.drop_payout_schedule('m1', 's2', 'ann', 'test'),
          'not_found', 'once');
SELECT is(pay_ops.drop_payout_schedule('m1', NULL, '', 'test'), 'invalid',
          'nobody');
SELECT is((SELECT count(*) FROM pay.payout_schedule), 1::bigint,
          'the other one stays');

SELECT is(pg_temp.run_as('payments_auditor', sql), '42501', sql)
FROM (VALUES
    ('SELECT pay_ops.drop_payout_schedule(''m1'', NULL, ''me'', ''why'')'),
    ('UPDATE pay.payout_schedule SET next_at = now()')) s (sql);

SET CONSTRAINTS ALL IMMEDIATE;
\i :checks

SELECT finish();
ROLLBACK;
