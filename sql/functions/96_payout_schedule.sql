-- Schedules of pay-outs: calendars of bank days, and when a schedule is due.
-- Operators set them, each act with a name.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


CREATE OR REPLACE FUNCTION pay.is_bank_day(p_calendar text, p_day date)
RETURNS boolean LANGUAGE sql STABLE AS $$
SELECT NOT EXISTS (
    SELECT FROM payout_calendar c
    WHERE c.calendar = p_calendar
        AND extract(isodow FROM p_day)::int = ANY (c.closed_on))
    AND NOT EXISTS (
        SELECT FROM payout_holiday h
        WHERE h.calendar = p_calendar AND h.day = p_day)
$$;
COMMENT ON FUNCTION pay.is_bank_day IS
    'Whether banks work on a day; without a calendar they always do';


-- Ends: a week has a day that is open, and holidays are finite.
CREATE OR REPLACE FUNCTION pay.bank_day_from(p_calendar text, p_day date)
RETURNS date LANGUAGE plpgsql STABLE AS $$
BEGIN
    WHILE NOT is_bank_day(p_calendar, p_day) LOOP
        p_day := p_day + 1;
    END LOOP;

    RETURN p_day;
END
$$;
COMMENT ON FUNCTION pay.bank_day_from IS
    'This day, or the next one that is a bank day';


-- The first due day behind p_after.  A day of the schedule that lies before may
-- move behind it, and as far back as 40 days are looked at; of two that move to
-- one day there is one due day.
CREATE OR REPLACE FUNCTION pay.next_due_day(
    p_schedule payout_schedule, p_after date)
RETURNS date LANGUAGE sql STABLE AS $$
SELECT CASE WHEN p_schedule.every = 'day'
    THEN bank_day_from(p_schedule.calendar, p_after + 1)
    ELSE (
        SELECT min(b.day)
        FROM generate_series(-40, 62) n
        CROSS JOIN LATERAL (
            SELECT bank_day_from(p_schedule.calendar, p_after + n) AS day
            OFFSET 0) b
        WHERE CASE p_schedule.every
                WHEN 'week' THEN extract(isodow FROM p_after + n)
                    = p_schedule.on_day
                WHEN 'month' THEN extract(day FROM p_after + n) = least(
                    p_schedule.on_day, extract(day FROM date_trunc('month',
                        (p_after + n)::timestamp) + interval '1 month'
                        - interval '1 day'))
                ELSE false END
            AND b.day > p_after) END
$$;
COMMENT ON FUNCTION pay.next_due_day IS
    'The first due day of a schedule behind a day; NULL: on demand';


-- The cut-off of a day.  A time that the zone's clock leaves out is the same
-- moment by the clock before the change; of a time that it shows twice one
-- counts.
CREATE OR REPLACE FUNCTION pay.due_time(
    p_schedule payout_schedule, p_day date)
RETURNS timestamptz LANGUAGE sql STABLE AS
'SELECT (p_day + p_schedule.cut_off) AT TIME ZONE p_schedule.zone';
COMMENT ON FUNCTION pay.due_time IS 'The cut-off of a due day';


-- The schedule with its next due time: behind its last run, and not before now.
-- A time that has come and has no run yet stays.
CREATE OR REPLACE FUNCTION pay.plan_schedule(
    p_schedule payout_schedule, p_keeps boolean)
RETURNS payout_schedule LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_day date := (now() AT TIME ZONE p_schedule.zone)::date - 1;
BEGIN
    IF p_schedule.every = 'demand' THEN
        p_schedule.next_day := NULL;
        p_schedule.next_at := NULL;
        RETURN p_schedule;
    ELSIF p_keeps AND p_schedule.next_at <= now() THEN
        RETURN p_schedule;
    END IF;

    v_day := next_due_day(p_schedule, greatest(v_day, p_schedule.run_day));
    IF due_time(p_schedule, v_day) <= now() THEN
        v_day := next_due_day(p_schedule, v_day);
    END IF;
    p_schedule.next_day := v_day;
    p_schedule.next_at := due_time(p_schedule, v_day);

    RETURN p_schedule;
END
$$;
COMMENT ON FUNCTION pay.plan_schedule IS
    'A schedule with its next due time';


-- Behind a change of a calendar.
CREATE OR REPLACE FUNCTION pay.plan_calendar(p_calendar text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_schedule payout_schedule;
BEGIN
    FOR v_schedule IN
        SELECT * FROM payout_schedule s
        WHERE s.calendar = p_calendar AND s.next_at > now()
        ORDER BY s.merchant_id, s.seller_account FOR UPDATE
    LOOP
        v_schedule := plan_schedule(v_schedule, true);
        UPDATE payout_schedule s
        SET next_day = v_schedule.next_day, next_at = v_schedule.next_at
        WHERE s.merchant_id = v_schedule.merchant_id
            AND s.seller_account = v_schedule.seller_account
            AND s.next_at <> v_schedule.next_at;
    END LOOP;
END
$$;
COMMENT ON FUNCTION pay.plan_calendar IS
    'Moves the due times of the schedules of a calendar';


-- p_seller_account NULL: of all sellers without one of their own.  p_cut_off:
-- HH:MM.
CREATE OR REPLACE FUNCTION pay_ops.set_payout_schedule(
    p_merchant_id text, p_seller_account text, p_every text, p_on_day int,
    p_cut_off text, p_zone text, p_calendar text, p_batch_items int,
    p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_seller text := coalesce(p_seller_account, '');
    v_new    payout_schedule;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why)
        OR (coalesce(p_cut_off, '00:00') ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$')
            IS NOT TRUE
        OR NOT EXISTS (SELECT FROM pg_timezone_names z
                       WHERE z.name = coalesce(p_zone, 'UTC'))
        OR p_seller_account = ''
    THEN
        RETURN 'invalid';
    ELSIF p_calendar IS NOT NULL AND NOT EXISTS (
        SELECT FROM payout_calendar c WHERE c.calendar = p_calendar)
    THEN
        RETURN 'not_found';
    END IF;

    SELECT * INTO v_new FROM payout_schedule s
    WHERE s.merchant_id = p_merchant_id AND s.seller_account = v_seller
    FOR UPDATE;
    v_new.merchant_id := p_merchant_id;
    v_new.seller_account := v_seller;
    v_new.every := p_every;
    v_new.on_day := p_on_day;
    v_new.cut_off := coalesce(p_cut_off, '00:00')::time;
    v_new.zone := coalesce(p_zone, 'UTC');
    v_new.calendar := p_calendar;
    v_new.batch_items := p_batch_items;
    -- a deleted one may have had a run of this day
    v_new.run_day := (
        SELECT max(r.due_day) FROM payout_run r
        WHERE r.merchant_id = p_merchant_id AND r.seller_account = v_seller);
    v_new := plan_schedule(v_new, true);

    INSERT INTO payout_schedule SELECT v_new.*
    ON CONFLICT (merchant_id, seller_account) DO UPDATE
    SET every = EXCLUDED.every, on_day = EXCLUDED.on_day,
        cut_off = EXCLUDED.cut_off, zone = EXCLUDED.zone,
        calendar = EXCLUDED.calendar, batch_items = EXCLUDED.batch_items,
        run_day = EXCLUDED.run_day, next_day = EXCLUDED.next_day,
        next_at = EXCLUDED.next_at;
    PERFORM keep_payout_act(p_merchant_id, 'schedule',
        coalesce(p_seller_account, '*'), 'stored', p_who, p_why,
        to_jsonb(v_new) - '{merchant_id,seller_account,run_day}'::text[]);

    RETURN 'stored';
EXCEPTION WHEN check_violation OR not_null_violation THEN
    RETURN 'invalid';
END
$$;
COMMENT ON FUNCTION pay_ops.set_payout_schedule IS
    'Sets when pay-outs of a merchant, or of one of its sellers, are made: '
    'stored, not_found (the calendar) or invalid';


CREATE OR REPLACE FUNCTION pay_ops.drop_payout_schedule(
    p_merchant_id text, p_seller_account text, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    DELETE FROM payout_schedule s
    WHERE s.merchant_id = p_merchant_id
        AND s.seller_account = coalesce(p_seller_account, '');
    IF NOT FOUND THEN
        RETURN 'not_found';
    END IF;

    PERFORM keep_payout_act(p_merchant_id, 'schedule',
        coalesce(p_seller_account, '*'), 'removed', p_who, p_why);

    RETURN 'removed';
END
$$;
COMMENT ON FUNCTION pay_ops.drop_payout_schedule IS
    'Removes a schedule; runs that have begun go on: removed, not_found or '
    'invalid';


CREATE OR REPLACE FUNCTION pay_ops.set_payout_calendar(
    p_calendar text, p_closed_on int[], p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why) THEN
        RETURN 'invalid';
    END IF;

    INSERT INTO payout_calendar AS c (calendar, closed_on)
    VALUES (p_calendar, p_closed_on)
    ON CONFLICT (calendar) DO UPDATE SET closed_on = EXCLUDED.closed_on;
    PERFORM keep_payout_act('*', 'calendar', p_calendar, 'stored', p_who,
        p_why, jsonb_build_object('closed_on', p_closed_on));
    PERFORM plan_calendar(p_calendar);

    RETURN 'stored';
EXCEPTION WHEN check_violation OR not_null_violation THEN
    RETURN 'invalid';
END
$$;
COMMENT ON FUNCTION pay_ops.set_payout_calendar IS
    'Makes a calendar, or changes on which days of the week its banks are '
    'closed: stored or invalid';


-- p_day: YYYY-MM-DD.  p_name NULL: the day is no holiday any more.
CREATE OR REPLACE FUNCTION pay_ops.set_payout_holiday(
    p_calendar text, p_day text, p_name text, p_who text, p_why text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pay, pg_temp AS $$
DECLARE
    v_day date;
BEGIN
    IF NOT is_statement(p_who) OR NOT is_statement(p_why)
        OR (p_day ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$') IS NOT TRUE
    THEN
        RETURN 'invalid';
    END IF;

    v_day := p_day::date;
    PERFORM FROM payout_calendar c
    WHERE c.calendar = p_calendar FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'not_found';
    END IF;

    IF p_name IS NULL THEN
        DELETE FROM payout_holiday h
        WHERE h.calendar = p_calendar AND h.day = v_day;
        IF NOT FOUND THEN
            RETURN 'not_found';
        END IF;
    ELSE
        INSERT INTO payout_holiday AS h (calendar, day, name)
        VALUES (p_calendar, v_day, p_name)
        ON CONFLICT (calendar, day) DO UPDATE SET name = EXCLUDED.name;
    END IF;

    PERFORM keep_payout_act('*', 'calendar', p_calendar,
        CASE WHEN p_name IS NULL THEN 'opened' ELSE 'closed' END, p_who,
        p_why, jsonb_build_object('day', v_day, 'name', p_name));
    PERFORM plan_calendar(p_calendar);

    RETURN CASE WHEN p_name IS NULL THEN 'removed' ELSE 'stored' END;
EXCEPTION WHEN check_violation OR datetime_field_overflow
    OR invalid_datetime_format THEN
    RETURN 'invalid';
END
$$;
COMMENT ON FUNCTION pay_ops.set_payout_holiday IS
    'Makes a day a holiday of a calendar, or a bank day again: stored, '
    'removed, not_found or invalid';
