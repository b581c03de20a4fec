-- Pay-outs by schedule: calendars of bank days, the schedules of merchants and
-- of single sellers, and a row for each due time, which workers do in pieces.
-- The functions are those of 96_payout_schedule.sql and 98_payout_run.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A calendar of bank days, for all merchants.  closed_on: days of the week that
-- are none, from 1, Monday, to 7.  payout_holiday has the others.
CREATE TABLE payout_calendar (
    calendar   text COLLATE "C" PRIMARY KEY
        CHECK (calendar ~ '^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$'),
    closed_on  int[] NOT NULL DEFAULT '{6,7}'
        CHECK (closed_on <@ '{1,2,3,4,5,6,7}' AND cardinality(closed_on) < 7)
);
CREATE TABLE payout_holiday (
    calendar  text COLLATE "C" NOT NULL REFERENCES payout_calendar,
    day       date NOT NULL,
    name      filled NOT NULL,
    PRIMARY KEY (calendar, day)
);

-- The closing days of TARGET, the payment system of the Eurosystem, by the
-- Easter Sunday of each year.
INSERT INTO payout_calendar (calendar) VALUES ('TARGET');
INSERT INTO payout_holiday (calendar, day, name)
SELECT 'TARGET', h.day, h.name
FROM unnest('{2026-04-05,2027-03-28,2028-04-16,2029-04-01,2030-04-21,
              2031-04-13,2032-03-28,2033-04-17,2034-04-09,2035-03-25}'::date[])
    AS e (sunday)
CROSS JOIN LATERAL (SELECT extract(year FROM e.sunday)::int AS year) y
CROSS JOIN LATERAL (VALUES
    (make_date(y.year, 1, 1), 'New Year''s Day'),
    (e.sunday - 2, 'Good Friday'),
    (e.sunday + 1, 'Easter Monday'),
    (make_date(y.year, 5, 1), 'Labour Day'),
    (make_date(y.year, 12, 25), 'Christmas Day'),
    (make_date(y.year, 12, 26), '26 December')) AS h (day, name);


-- When pay-outs are made: once on each due day, at the cut-off.  seller_account
-- is empty: of all sellers of the merchant that have no schedule of their own.
-- A due day that is no bank day moves to the next one.
CREATE TABLE payout_schedule (
    merchant_id     id NOT NULL,
    seller_account  text COLLATE "C" NOT NULL,
    every           text COLLATE "C" NOT NULL
        CHECK (every IN ('day', 'week', 'month', 'demand')),
    -- of a week, from 1, Monday, to 7; of a month, whose last day is as high as
    -- it has days
    on_day          int,
    cut_off         time(0) NOT NULL,
    zone            filled NOT NULL,
    -- NULL: all days are bank days
    calendar        text COLLATE "C" REFERENCES payout_calendar,
    -- the most items of a batch; NULL: batches are made on demand
    batch_items     int CHECK (batch_items BETWEEN 1 AND 10000),
    -- the due day of the last run
    run_day         date,
    -- of the next one; NULL: on demand
    next_day        date,
    next_at         timestamptz,
    PRIMARY KEY (merchant_id, seller_account),
    CHECK ((CASE every WHEN 'week' THEN on_day BETWEEN 1 AND 7
                       WHEN 'month' THEN on_day BETWEEN 1 AND 31
                       ELSE on_day IS NULL END) IS TRUE),
    CHECK ((next_at IS NULL) = (every = 'demand')),
    CHECK ((next_at IS NULL) = (next_day IS NULL))
) WITH (fillfactor = 80);

CREATE INDEX payout_schedule_due ON payout_schedule (next_at)
    WHERE next_at IS NOT NULL;
CREATE INDEX payout_schedule_calendar ON payout_schedule (calendar);


-- A due time of a schedule, which has one run for ever.  making: wallets are
-- looked at in the order of their keys, at_seller and at_currency are the last
-- one; batching: the items are put into batches.  outcomes: how many wallets
-- came to each outcome of an item.
CREATE TABLE payout_run (
    merchant_id     id NOT NULL,
    run_id          bigint GENERATED ALWAYS AS IDENTITY,
    seller_account  text COLLATE "C" NOT NULL,
    due_day         date NOT NULL,
    due_at          timestamptz NOT NULL,
    batch_items     int,
    state           text COLLATE "C" NOT NULL DEFAULT 'making'
        CHECK (state IN ('making', 'batching', 'done')),
    at_seller       text COLLATE "C" NOT NULL DEFAULT '',
    at_currency     text COLLATE "C" NOT NULL DEFAULT '',
    owner           id,
    pieces          tally NOT NULL DEFAULT 0,
    wallets         whole NOT NULL DEFAULT 0,
    items           whole NOT NULL DEFAULT 0,
    batches         whole NOT NULL DEFAULT 0,
    outcomes        jsonb NOT NULL DEFAULT '{}',
    begun_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at        timestamptz,
    PRIMARY KEY (merchant_id, seller_account, due_day),
    UNIQUE (merchant_id, run_id),
    CHECK ((ended_at IS NOT NULL) = (state = 'done')),
    CHECK (batch_items IS NOT NULL OR state <> 'batching')
) WITH (fillfactor = 60);

CREATE INDEX payout_run_open ON payout_run (changed_at)
    WHERE ended_at IS NULL;

CREATE TRIGGER payout_run_fixed
    BEFORE UPDATE OF merchant_id, run_id, seller_account, due_day, due_at,
        batch_items, begun_at
    ON payout_run FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the terms of a run are fixed', 'PAY11');
ALTER TABLE payout_run ENABLE ALWAYS TRIGGER payout_run_fixed;
CREATE TRIGGER payout_run_ends_once
    BEFORE UPDATE ON payout_run FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL)
    EXECUTE FUNCTION refuse_change('a run ends once', 'PAY11');
ALTER TABLE payout_run ENABLE ALWAYS TRIGGER payout_run_ends_once;
CREATE TRIGGER payout_run_kept
    BEFORE DELETE OR TRUNCATE ON payout_run FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('runs are kept', 'PAY20');
ALTER TABLE payout_run ENABLE ALWAYS TRIGGER payout_run_kept;


-- subject_id of a schedule: the seller's account, or * for the merchant's; of a
-- calendar, whose merchant_id is *, its name.
ALTER TABLE payout_act DROP CONSTRAINT payout_act_subject_check;
ALTER TABLE payout_act ADD CHECK (subject IN ('payout', 'batch',
    'destination', 'order', 'seller', 'provider', 'policy', 'schedule',
    'calendar'));

CREATE INDEX payout_batch_open ON payout_batch (made_at)
    WHERE state = 'open';

-- for the figures of pay-outs
INSERT INTO round (name, run_at) VALUES ('payouts', now());

RESET ROLE;
